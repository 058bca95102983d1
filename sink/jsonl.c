/*
 * jsonl.c: one JSON object per change (src/render.h), into a file exactly once, or to stdout at least once.
 *
 * Beside FILE stands FILE.position, replaced as a whole: the log's UUID, the LSN of the last commit, and how long FILE was after
 * its line. The order is: log durable, lines written, FILE synced, FILE.position replaced, LSN confirmed. So whatever ends us,
 * FILE holds at least what FILE.position says; connect cuts off the rest (perhaps half a line, half a transaction) and goes on
 * behind that LSN. Lines leave only when the log is durable up to them: whoever follows the file never reads a change whose
 * LSN a power cut could give to another one. A transaction of any size passes, for its lines are written as they come; its commit
 * line says that it is whole.
 */
#include "file.h"
#include "log.h"
#include "render.h"
#include "runner.h"
#include <errno.h>
#include <inttypes.h>
#include <libgen.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Written at BATCH_MAX; one line may be longer, up to LINE_MAX_BYTES, and its buffer is given back. A position is kept after each
   SYNC_BYTES and whenever the log has nothing more. */
static const size_t BATCH_MAX = 1u << 20, KEEP_MAX = 8u << 20, LINE_MAX_BYTES = UINT64_C(8) << 30;
static const uint64_t SYNC_BYTES = 16u << 20;
enum { WAIT_MS = 250, STDOUT_CHUNK = 4096 /* PIPE_BUF: poll promises that much */ };

struct jsonl {
    struct sink *sink;
    const char *path;
    char dir[FILE_PATH_MAX], name[FILE_PATH_MAX]; /* of FILE.position */
    bool is_stdout;
    struct file file;
    struct render *render;
    struct buf out;            /* lines not yet written */
    uint64_t written;          /* FILE's length */
    uint64_t synced;           /* FILE's length at the last position */
    uint64_t last_lsn;         /* of the newest line in out */
    uint64_t commit_end;       /* FILE's length after the last commit line, when all of out is written */
    struct sink_progress open; /* of the transaction that has no commit line yet */
    struct sink_progress done; /* of whole ones since the last confirmation; lsn 0: none */
};

struct position { uint64_t lsn, bytes; char uuid[WAL_UUID_TEXT]; };

/* ---- FILE.position ---- */

static const char position_form[] = "wolfcdc jsonl 1\nlog %36s\nlsn %" SCNu64 "\nbytes %" SCNu64 "\n";

static bool read_position(struct jsonl *jsonl, struct position *position, bool *found, struct err *err)
{
    char path[FILE_PATH_MAX * 2 + 2], text[256] = "";
    struct file file = {0};
    size_t got = 0;
    snprintf(path, sizeof path, "%s/%s", jsonl->dir, jsonl->name);
    *found = false;
    if (!file_open(&file, file_system_real(), path, 0, err)) {
        if (err->code != ERR_GONE) return false;
        err_clear(err);
        return true;
    }
    bool ok = file_read(&file, text, sizeof text - 1, 0, &got, err);
    file_close(&file);
    if (!ok) return false;
    *found = sscanf(text, position_form, position->uuid, &position->lsn, &position->bytes) == 3;
    return *found || err_set(err, ERR_CORRUPT, "%s is not a position of ours", path);
}

static bool write_position(struct jsonl *jsonl, uint64_t lsn, uint64_t bytes, struct err *err)
{
    char text[256];
    int size = snprintf(text, sizeof text, "wolfcdc jsonl 1\nlog %s\nlsn %" PRIu64 "\nbytes %" PRIu64 "\n", wal_uuid(sink_wal(jsonl->sink)), lsn, bytes);
    return file_replace(file_system_real(), jsonl->dir, jsonl->name, slice_of(text, (size_t)size), err);
}

/* ---- life ---- */

static void name_position(struct jsonl *jsonl)
{
    char copy[FILE_PATH_MAX];
    snprintf(copy, sizeof copy, "%s", jsonl->path);
    snprintf(jsonl->dir, sizeof jsonl->dir, "%s", dirname(copy));
    snprintf(copy, sizeof copy, "%s", jsonl->path);
    snprintf(jsonl->name, sizeof jsonl->name, "%.*s.position", FILE_PATH_MAX - 16, basename(copy));
}

static bool jsonl_create(struct sink *sink, void **self, struct err *err)
{
    const char *path = sink_settings(sink)->path;
    if (!path || !path[0]) return err_set(err, ERR_CONFIG, "a jsonl sink needs path: a file, or \"-\" for standard output");
    if (strlen(path) > FILE_PATH_MAX - 32) return err_set(err, ERR_CONFIG, "path is longer than %d bytes", FILE_PATH_MAX - 32);
    struct jsonl *jsonl = calloc(1, sizeof *jsonl);
    if (!jsonl) abort();
    jsonl->sink = sink;
    jsonl->path = path;
    jsonl->is_stdout = strcmp(path, "-") == 0;
    buf_init(&jsonl->out, LINE_MAX_BYTES);
    name_position(jsonl);
    *self = jsonl;
    return true;
}

static void jsonl_disconnect(void *self)
{
    struct jsonl *jsonl = self;
    file_close(&jsonl->file);
    jsonl->file = (struct file){0};
    render_free(jsonl->render);
    jsonl->render = NULL;
    buf_fini(&jsonl->out);
    buf_init(&jsonl->out, LINE_MAX_BYTES);
    jsonl->open = jsonl->done = (struct sink_progress){0};
}

static void jsonl_destroy(void *self)
{
    if (!self) return;
    jsonl_disconnect(self);
    buf_fini(&((struct jsonl *)self)->out);
    free(self);
}

/* A full disk is passing: what was written past the position is cut off at the next connect. */
static bool passing_if_full(struct err *err)
{
    if (err->number == ENOSPC || err->number == EDQUOT) err->code = ERR_RETRY;
    return false;
}

/* The file as FILE.position says; a new one begins where our own notes say. */
static bool take_up(struct jsonl *jsonl, uint64_t *delivered, struct err *err)
{
    struct position position = {.lsn = *delivered};
    uint64_t size;
    bool found;
    if (!file_lock(&jsonl->file, err) || !read_position(jsonl, &position, &found, err) || !file_size(&jsonl->file, &size, err)) return false;
    if (!found && size) {
        sink_remedy(jsonl->sink, "Move %s away or name another path, then wolfctl resume --sink %s", jsonl->path, sink_settings(jsonl->sink)->name);
        return err_set(err, ERR_STOP, "%s has %" PRIu64 " bytes, but %s, which says how many of them are ours, is missing", jsonl->path, size, jsonl->name);
    }
    if (found && strcmp(position.uuid, wal_uuid(sink_wal(jsonl->sink))) != 0) {
        sink_remedy(jsonl->sink, "Move %s and %s away, then wolfctl resume --sink %s", jsonl->path, jsonl->name, sink_settings(jsonl->sink)->name);
        return err_set(err, ERR_STOP, "%s was written from another log (%s)", jsonl->path, position.uuid);
    }
    if (size < position.bytes) {
        sink_remedy(jsonl->sink, "Put the file back, or move it and %s away, then wolfctl resume --sink %s", jsonl->name, sink_settings(jsonl->sink)->name);
        return err_set(err, ERR_STOP, "%s has %" PRIu64 " bytes, but %" PRIu64 " were delivered: it was cut or replaced", jsonl->path, size, position.bytes);
    }
    if (size > position.bytes) {
        log_info("sink.cut", "sink=%s file=%s bytes=%" PRIu64 " lsn=%" PRIu64, sink_settings(jsonl->sink)->name, jsonl->path, size - position.bytes, position.lsn);
        if (!file_truncate(&jsonl->file, position.bytes, err) || !file_sync(&jsonl->file, err)) return false;
    }
    if (!found && !sink_is_new(jsonl->sink))
        log_warning("sink.new_file", "sink=%s file=%s lsn=%" PRIu64 " text=\"begins a new file behind this LSN\"", sink_settings(jsonl->sink)->name, jsonl->path, position.lsn);
    jsonl->written = jsonl->synced = jsonl->commit_end = position.bytes;
    *delivered = position.lsn;
    return found || write_position(jsonl, position.lsn, 0, err);
}

static bool jsonl_connect(void *self, uint64_t *delivered, uint64_t *begin, struct err *err)
{
    struct jsonl *jsonl = self;
    *begin = 0;
    jsonl_disconnect(jsonl);
    jsonl->written = jsonl->synced = jsonl->commit_end = 0;
    jsonl->render = render_new(RENDER_JSON);
    sink_server(jsonl->sink, jsonl->is_stdout ? "standard output" : jsonl->path, "");
    if (jsonl->is_stdout) return true;
    if (file_open(&jsonl->file, file_system_real(), jsonl->path, FILE_WRITE | FILE_CREATE, err) && take_up(jsonl, delivered, err)) return true;
    if (err->code == ERR_GONE) err->code = ERR_STOP; /* its directory: the log has lost nothing */
    return passing_if_full(err);
}

static bool jsonl_rewind(void *self, uint64_t lsn, struct err *err)
{
    struct jsonl *jsonl = self;
    struct position position;
    bool found;
    if (jsonl->is_stdout) return true;
    if (!read_position(jsonl, &position, &found, err)) return false;
    return !found || write_position(jsonl, lsn ? lsn - 1 : 0, position.bytes, err);
}

/* ---- writing ---- */

static bool stopping(struct jsonl *jsonl, struct err *err)
{
    return sink_stopping(jsonl->sink) && !err_set(err, ERR_RETRY, "%s: stopped while lines were waiting", jsonl->path);
}

static bool wait_durable(struct jsonl *jsonl, struct err *err)
{
    while (!wal_wait(sink_wal(jsonl->sink), WAL_DURABLE, jsonl->last_lsn, WAIT_MS))
        if (stopping(jsonl, err)) return false;
    return true;
}

static bool write_stdout(struct jsonl *jsonl, struct err *err)
{
    for (size_t at = 0; at < jsonl->out.size;) {
        struct pollfd ready = {.fd = STDOUT_FILENO, .events = POLLOUT};
        if (poll(&ready, 1, WAIT_MS) <= 0) {
            if (stopping(jsonl, err)) return false;
            continue;
        }
        size_t left = jsonl->out.size - at;
        ssize_t n = write(STDOUT_FILENO, jsonl->out.data + at, left < STDOUT_CHUNK ? left : STDOUT_CHUNK);
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return err_set_number(err, ERR_STOP, (unsigned)errno, "standard output: %s", strerror(errno));
        if (n > 0) at += (size_t)n;
    }
    return true;
}

static bool write_lines(struct jsonl *jsonl, struct err *err)
{
    if (jsonl->out.size == 0) return true;
    if (!wait_durable(jsonl, err)) return false;
    bool ok = jsonl->is_stdout ? write_stdout(jsonl, err) : file_write(&jsonl->file, jsonl->out.data, jsonl->out.size, jsonl->written, err);
    if (!ok) return passing_if_full(err);
    jsonl->written += jsonl->out.size;
    buf_clear(&jsonl->out);
    if (jsonl->out.room > KEEP_MAX) {
        buf_fini(&jsonl->out);
        buf_init(&jsonl->out, LINE_MAX_BYTES);
    }
    return true;
}

/* The whole transactions so far are delivered. */
static bool settle(struct jsonl *jsonl, struct err *err)
{
    if (!write_lines(jsonl, err)) return false;
    if (!jsonl->done.lsn) return true;
    bool ok = jsonl->is_stdout ||
              (file_sync(&jsonl->file, err) && write_position(jsonl, jsonl->done.lsn, jsonl->commit_end, err));
    if (!ok) return passing_if_full(err);
    jsonl->synced = jsonl->commit_end;
    jsonl->done.groups = 1;
    sink_confirm(jsonl->sink, &jsonl->done);
    jsonl->done = (struct sink_progress){0};
    return true;
}

static void count_commit(struct jsonl *jsonl, const struct change *change)
{
    jsonl->done.lsn = change->lsn;
    jsonl->done.gtid = change->gtid;
    jsonl->done.timestamp = change->timestamp;
    jsonl->done.transactions++;
    jsonl->done.rows += jsonl->open.rows;
    jsonl->done.statements += jsonl->open.statements;
    jsonl->commit_end = jsonl->written + jsonl->out.size;
    jsonl->done.bytes = jsonl->commit_end - jsonl->synced;
    jsonl->open = (struct sink_progress){0};
}

static bool jsonl_change(void *self, const struct change *change, struct err *err)
{
    struct jsonl *jsonl = self;
    if (!render_change(jsonl->render, change, &jsonl->out, err)) return false;
    jsonl->last_lsn = change->lsn;
    if (change->kind == CHANGE_COMMIT) count_commit(jsonl, change);
    else if (change->kind == CHANGE_STATEMENT) jsonl->open.statements++;
    else if (change->kind >= CHANGE_INSERT && change->kind <= CHANGE_DELETE) jsonl->open.rows++;
    if (jsonl->out.size >= BATCH_MAX && !write_lines(jsonl, err)) return false;
    return jsonl->written - jsonl->synced < SYNC_BYTES || !jsonl->done.lsn || settle(jsonl, err);
}

static bool jsonl_flush(void *self, bool *busy, struct err *err)
{
    *busy = false;
    return settle(self, err);
}

const struct sink_ops sink_jsonl = {.type = "jsonl", .create = jsonl_create, .connect = jsonl_connect, .change = jsonl_change,
                                    .flush = jsonl_flush, .disconnect = jsonl_disconnect, .destroy = jsonl_destroy, .rewind = jsonl_rewind};
