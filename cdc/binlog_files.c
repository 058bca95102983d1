/* binlog_files.c: see binlog_files.h. Which transactions a position has is known from the GTIDs alone (or, without them, file and offset). */
#include "binlog_files.h"

#include <glob.h>
#include <isa-l/crc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "binlog_file.h"
#include "clock.h"
#include "decoder.h"
#include "log.h"
#include "thread.h"
#include "txn.h"

enum { FILES_MAX = 1 << 20, GROWTH_POLL_MS = 200, START_OF_FILE = 4, PURGED = 1236 };

struct files {
    struct source source;        /* first: what capture holds */
    const struct source_settings *settings;
    struct source_info info;
    char **paths;
    size_t count, at;            /* at: index of the open file */
    struct binlog_file *file;
    struct binlog_end last;      /* of the file before */
    struct source_pos from;
    bool begun, checksum;        /* checksum: what the decoder expects, from the FORMAT_DESCRIPTION before */
    bool skipping;               /* the transaction at hand is one that the position has */
    bool at_end, warned;
    struct buf made;             /* an event of our own */
    uint64_t beat_ms;
    /* shared */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    atomic_bool interrupted;
};

static struct files *files_of(struct source *source) { return (struct files *)source; }
static uint64_t now_ms(void) { return clock_us() / 1000; }

bool source_has_server(const struct source_settings *s)
{
    return s->server.host || s->server.socket || s->hosts.count || s->server.defaults_file;
}

/* ---- which files ---- */

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static int by_number(const void *a, const void *b)
{
    const char *x = *(char *const *)a, *y = *(char *const *)b;
    size_t stem_x = 0, stem_y = 0;
    uint64_t number_x = 0, number_y = 0;
    bool numbers = binlog_file_number(x, &stem_x, &number_x) && binlog_file_number(y, &stem_y, &number_y);
    if (numbers && stem_x == stem_y && !memcmp(x, y, stem_x) && number_x != number_y) return number_x < number_y ? -1 : 1;
    return strcmp(x, y);
}

static void paths_free(char **paths, size_t count)
{
    for (size_t i = 0; i < count; i++) free(paths[i]);
    free(paths);
}

/* A pattern also fits the index, and what else lies there: of its matches only those that end in a number count. */
static bool take_matches(const char *pattern, char ***paths, size_t *count, struct err *err)
{
    glob_t found;
    size_t stem;
    uint64_t number;
    bool one = !strpbrk(pattern, "*?[");
    int status = glob(pattern, one ? GLOB_NOCHECK : 0, NULL, &found);
    if (status && status != GLOB_NOMATCH) return err_set(err, ERR_CONFIG, "files: \"%s\" cannot be read", pattern);
    for (size_t i = 0; !status && i < found.gl_pathc; i++) {
        if (!one && !binlog_file_number(found.gl_pathv[i], &stem, &number)) continue;
        if (*count == FILES_MAX) break;
        char **more = realloc(*paths, (*count + 1) * sizeof *more);
        if (!more) abort();
        *paths = more;
        more[*count] = strdup(found.gl_pathv[i]);
        if (!more[(*count)++]) abort();
    }
    if (!status) globfree(&found);
    return true;
}

static bool list(const struct source_settings *settings, char ***paths, size_t *count, struct err *err)
{
    *paths = NULL;
    *count = 0;
    for (size_t i = 0; i < settings->files.count; i++)
        if (!take_matches(settings->files.items[i], paths, count, err)) return false;
    if (!*count) return err_set(err, ERR_CONFIG, "files: no file is called \"%s\"%s", settings->files.items[0], settings->files.count > 1 ? ", and so on" : "");
    qsort(*paths, *count, sizeof **paths, by_number);
    size_t kept = 1;
    for (size_t i = 1; i < *count; i++)
        if (!strcmp((*paths)[i], (*paths)[kept - 1])) free((*paths)[i]);
        else (*paths)[kept++] = (*paths)[i];
    *count = kept;
    return true;
}

/* ---- what stands in them ---- */

static bool is_gtid(uint8_t type)
{
    return type == EVENT_GTID_MARIADB || type == EVENT_GTID || type == EVENT_ANONYMOUS_GTID || type == EVENT_GTID_TAGGED;
}
static bool is_state(uint8_t type) { return type == EVENT_FORMAT_DESCRIPTION || type == EVENT_GTID_LIST || type == EVENT_PREVIOUS_GTIDS; }

/* The GTID of the transaction that the event opens; seq 0: it has none. */
static bool gtid_of(struct slice raw, const struct event_format *format, const struct gtid_set *set, struct gtid *gtid, struct err *err)
{
    struct event event;
    struct txn *txn = calloc(1, sizeof *txn);
    if (!txn) abort();
    bool good = event_decode(raw, format, false, &event, err) &&
                (event.type == EVENT_GTID_MARIADB ? txn_open(txn, &event, set, err) : txn_announce(txn, &event, err));
    *gtid = txn->gtid;
    free(txn);
    return good;
}

static bool emit_nothing(void *context, const struct change *change, struct err *err)
{
    (void)context, (void)change, (void)err;
    return true;
}

/* What a file begins and goes on with, up to `until`: its transactions are known by their GTIDs, their contents are not looked at. */
struct look {
    struct source_pos pos;
    struct event_format format;
    bool any;                    /* it says what came before it, or has GTIDs */
    bool ended;                  /* the last event may have been a transaction's last */
    struct gtid open;            /* of the transaction at hand, which counts when it has ended; seq 0: none */
};

static bool settle(struct look *look, struct err *err)
{
    bool good = !look->open.seq || gtid_set_put(&look->pos.gtids, look->open, err);
    look->open.seq = 0;
    return good;
}

static bool look_at(struct look *look, struct decoder *decoder, const struct binlog_file *file, struct slice raw, struct err *err)
{
    enum decoder_note note;
    struct gtid gtid = {0};
    uint8_t type = raw.data[4];
    if (type == EVENT_FORMAT_DESCRIPTION) {
        struct event event;
        if (!event_decode(raw, &look->format, true, &event, err) || !event_format_decode(&event, &look->format, err)) return false;
    }
    if (is_state(type)) {
        if (!decoder_event(decoder, raw, &note, err)) return false;
        gtid_set_copy(&look->pos.gtids, &decoder_pos(decoder)->gtids);
        look->any |= type != EVENT_FORMAT_DESCRIPTION;
    } else if (is_gtid(type)) {
        if (!gtid_of(raw, &look->format, &look->pos.gtids, &gtid, err)) return err_context(err, "offset %llu", (unsigned long long)binlog_file_offset(file));
        if (!settle(look, err)) return false;
        look->open = gtid;
        look->any |= gtid.seq != 0;
    } else if (type == EVENT_XID || type == EVENT_QUERY || type == EVENT_QUERY_COMPRESSED || type == EVENT_XA_PREPARE || type == EVENT_TRANSACTION_PAYLOAD) {
        look->ended = true; /* or its BEGIN: then more of it follows */
        return true;
    }
    look->ended = type == EVENT_ROTATE || type == EVENT_STOP;
    return true;
}

/* until 0: only what stands before its first transaction. */
static bool look_into(const char *path, uint64_t until, struct look *look, struct err *err)
{
    struct binlog_file *file;
    struct slice raw;
    enum binlog_read read = BINLOG_EVENT;
    bool good = true;
    if (!binlog_file_open(path, &file, err)) return false;
    struct decoder_options options = {.verify_checksums = true, .emit = emit_nothing};
    memset(look, 0, sizeof *look);
    look->format = event_format_default(true, false);
    snprintf(look->pos.file, sizeof look->pos.file, "%s", binlog_file_name(file));
    look->pos.offset = START_OF_FILE;
    struct decoder *decoder = decoder_new(&options, &look->pos);
    while (good && (read = binlog_file_next(file, &raw, err)) == BINLOG_EVENT) {
        uint8_t type = raw.data[4];
        if (until ? binlog_file_offset(file) >= until : !is_state(type) && type != EVENT_BINLOG_CHECKPOINT && type != EVENT_START_ENCRYPTION && type != EVENT_ROTATE) break;
        good = look_at(look, decoder, file, raw, err);
    }
    if (read == BINLOG_FAILED) good = false;
    if (good && (look->ended || read == BINLOG_EVENT)) good = settle(look, err);
    decoder_free(decoder);
    binlog_file_close(file);
    return good || err_context(err, "%s", path);
}

static void set_version(struct source_info *info, const struct event_format *format)
{
    struct db_version *v = &info->version;
    v->flavour = format->mariadb ? DB_MARIADB : DB_MYSQL;
    snprintf(v->text, sizeof v->text, "%s", format->version);
    (void)!sscanf(format->version, "%u.%u.%u", &v->major, &v->minor, &v->patch);
}

/* ---- open, close ---- */

static void files_close(struct source *source)
{
    if (!source) return;
    struct files *f = files_of(source);
    binlog_file_close(f->file);
    paths_free(f->paths, f->count);
    buf_fini(&f->made);
    pthread_cond_destroy(&f->wake);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

bool source_files_open(const struct source_settings *settings, struct source **out, struct err *err)
{
    struct look *look = calloc(1, sizeof *look);
    struct files *f = calloc(1, sizeof *f);
    if (!f || !look) abort();
    f->settings = settings;
    buf_init(&f->made, 4096);
    pthread_mutex_init(&f->lock, NULL);
    thread_cond_init(&f->wake);
    bool good = list(settings, &f->paths, &f->count, err) && look_into(f->paths[f->count - 1], UINT64_MAX, look, err);
    if (good) {
        gtid_set_copy(&f->info.end, &look->pos.gtids);
        set_version(&f->info, &look->format);
        f->info.files_only = !look->any;
        f->info.unnamed = true; /* there may be no server to ask */
        f->info.place.kind = GTID_FILE; /* the last file; where it ends is not known yet */
        if (!source_file_number(f->paths[f->count - 1], &f->info.place.server)) f->info.place.server = UINT32_MAX;
        snprintf(f->info.server, sizeof f->info.server, "files %.280s", f->paths[0]);
        *out = &f->source;
    } else {
        files_close(&f->source);
    }
    free(look);
    return good;
}

static const struct source_info *files_info(const struct source *source) { return &((const struct files *)source)->info; }

static size_t index_of(const struct files *f, const char *name)
{
    size_t i = 0;
    while (i < f->count && strcmp(name_of(f->paths[i]), name) != 0) i++;
    return i;
}

/* The beginning of the first file, or what the settings say. */
static bool files_position(struct source *source, const struct source_settings *settings, struct source_pos *pos, struct err *err)
{
    struct files *f = files_of(source);
    size_t at = settings->start_file ? index_of(f, settings->start_file) : 0;
    struct look *look = calloc(1, sizeof *look);
    if (!look) abort();
    bool good = at < f->count || err_set(err, ERR_CONFIG, "start_file '%s' is none of files", settings->start_file);
    uint64_t offset = settings->start_file && settings->start_position > START_OF_FILE ? settings->start_position : 0;
    good = good && look_into(f->paths[at], offset, look, err);
    if (good && settings->start_gtid && *settings->start_gtid)
        good = gtid_set_parse(slice_text(settings->start_gtid), &look->pos.gtids, err) || err_context(err, "start_gtid");
    if (good && offset) look->pos.offset = offset;
    if (good) source_pos_copy(pos, &look->pos);
    free(look);
    return good;
}

static bool files_check(struct source *source, const struct check_facts *facts, finding_fn *fn, void *context, struct err *err)
{
    (void)source, (void)facts, (void)fn, (void)context, (void)err;
    return true; /* settings are a server's; what stands in a file shows when it is decoded */
}

/* ---- from a position on ---- */

static bool open_at(struct files *f, size_t at, struct err *err)
{
    bool killed;
    struct binlog_file *file;
    if (!binlog_file_open(f->paths[at], &file, err)) return false;
    if (binlog_file_is_relay(file)) {
        binlog_file_close(file);
        return err_set(err, ERR_UNSUPPORTED, "files: %s is a relay log; what to do: give the binlogs of its source, or those of the replica itself", f->paths[at]);
    }
    if (f->last.name[0]) {
        if (!binlog_file_follows(file, &f->last, &killed, err)) {
            binlog_file_close(file);
            return err_context(err, "%s", f->paths[at]);
        }
        if (killed) log_warning("source.file", "text=\"%s ends %s: its server was killed there\"", f->last.name, binlog_end_text(f->last.how));
    }
    binlog_file_close(f->file);
    f->file = file;
    f->at = at;
    f->begun = false;
    log_info("source.file", "path=%s", f->paths[at]);
    return true;
}

static bool gone(const struct files *f, struct err *err)
{
    /* as a server says it, so that it means the same: the state `purged` */
    return err_set_number(err, ERR_STOP, PURGED, "what follows the log's position is not in the files: the first of them, %s, begins behind it (purged)",
                          name_of(f->paths[0]));
}

/* The newest file that begins with nothing that the position has not. */
static bool find_start(const struct files *f, const struct source_pos *from, size_t *at, struct err *err)
{
    struct look *look = calloc(1, sizeof *look);
    bool good = true, found = false;
    if (!look) abort();
    if (f->info.files_only) {
        *at = index_of(f, from->file);
        found = *at < f->count;
    } else {
        for (size_t i = f->count; good && !found && i-- > 0;) {
            good = look_into(f->paths[i], 0, look, err);
            found = good && (i == 0 || look->pos.gtids.count) && gtid_set_contains(&from->gtids, &look->pos.gtids);
            *at = i;
        }
    }
    free(look);
    return good && (found || gone(f, err));
}

static bool files_dump(struct source *source, const struct source_pos *from, struct err *err)
{
    struct files *f = files_of(source);
    size_t at = 0;
    source_pos_copy(&f->from, from);
    return find_start(f, from, &at, err) && open_at(f, at, err);
}

/* ---- events of our own: what a server says between those of its file ---- */

static struct slice make_event(struct files *f, uint8_t type, uint64_t offset, const char *name)
{
    struct buf *b = &f->made;
    size_t body = (type == EVENT_ROTATE ? 8 : 0) + strlen(name);
    buf_clear(b);
    buf_le(b, 0, 4);
    buf_u8(b, type);
    buf_le(b, 0, 4);
    buf_le(b, EVENT_HEADER + body + (f->checksum ? EVENT_CHECKSUM : 0), 4);
    buf_le(b, type == EVENT_HEARTBEAT ? offset : 0, 4);
    buf_le(b, EVENT_FLAG_ARTIFICIAL, 2);
    if (type == EVENT_ROTATE) buf_le(b, offset, 8);
    buf_text(b, name);
    if (f->checksum) buf_le(b, crc32_gzip_refl(0, b->data, b->size), EVENT_CHECKSUM);
    return buf_bytes(b);
}

/* ---- the stream ---- */

/* Whether the position has the transaction that begins here. */
static bool had(const struct files *f, struct slice raw, bool *answer, struct err *err)
{
    struct event_format format = event_format_default(f->info.version.flavour == DB_MARIADB, f->checksum);
    struct gtid gtid = {0};
    if (!gtid_of(raw, &format, &f->from.gtids, &gtid, err)) return err_context(err, "%s: offset %llu", binlog_file_name(f->file), (unsigned long long)binlog_file_offset(f->file));
    *answer = gtid.seq && gtid_set_has(&f->from.gtids, &gtid);
    return true;
}

/* Without GTIDs: what stands before the place. */
static bool before_place(const struct files *f)
{
    return gtid_set_kind(&f->from.gtids) == GTID_FILE && !strcmp(binlog_file_name(f->file), f->from.file) && binlog_file_offset(f->file) < f->from.offset;
}

static bool is_passed_over(struct files *f, struct slice raw, bool *over, struct err *err)
{
    uint8_t type = raw.data[4];
    *over = false;
    if (is_state(type) || type == EVENT_ROTATE || type == EVENT_STOP) return true;
    if (before_place(f)) return *over = true;
    if (is_gtid(type) && !had(f, raw, &f->skipping, err)) return false;
    *over = f->skipping;
    return true;
}

static void note_format(struct files *f, struct slice raw)
{
    struct event event;
    struct event_format format = event_format_default(true, false);
    if (raw.data[4] != EVENT_FORMAT_DESCRIPTION || !event_decode(raw, &format, false, &event, NULL) || !event_format_decode(&event, &format, NULL)) return;
    f->checksum = format.checksum;
}

/* The file at hand was at its end before we saw whether there is a next: what was written, or copied, in between comes first. */
static bool is_over(struct files *f, enum binlog_read how, bool *over, struct err *err)
{
    bool replaced = false;
    *over = how == BINLOG_CLOSED || !binlog_file_has_more(f->file, &replaced);
    return !replaced || err_set(err, ERR_RETRY, "%s was copied anew, and has more than before: it is opened again", binlog_file_name(f->file));
}

/* The next file, if there is one by now. */
static bool find_next(struct files *f, bool *there, struct err *err)
{
    char **paths;
    size_t count;
    *there = f->at + 1 < f->count;
    if (!*there) {
        if (!list(f->settings, &paths, &count, err)) return false;
        for (size_t i = 0; i + 1 < count && !*there; i++) *there = !strcmp(paths[i], f->paths[f->at]);
        if (!*there) {
            paths_free(paths, count);
            return true;
        }
        size_t at = 0;
        while (strcmp(paths[at], f->paths[f->at]) != 0) at++;
        paths_free(f->paths, f->count);
        f->paths = paths;
        f->count = count;
        f->at = at;
    }
    return true;
}

static void rest(struct files *f, uint32_t ms)
{
    pthread_mutex_lock(&f->lock);
    if (!f->interrupted) thread_wait(&f->wake, &f->lock, ms);
    pthread_mutex_unlock(&f->lock);
}

static void say_end(struct files *f)
{
    if (f->warned) return;
    f->warned = true;
    log_info("source.files_end", "file=%s ends=\"%s\" then=\"%s\"", f->last.name, f->last.how == BINLOG_CLOSED ? "in order" : binlog_end_text(f->last.how),
             source_has_server(f->settings) ? "the server" : "waiting for more");
}

/* Behind the last event. True with *done: *event or *end is set. */
static bool at_the_end(struct files *f, enum binlog_read how, struct slice *event, bool *end, bool *done, struct err *err)
{
    bool there, over;
    binlog_file_ended(f->file, how, &f->last);
    if (!find_next(f, &there, err) || !is_over(f, how, &over, err)) return false;
    if (!over) return true;
    if (there) return open_at(f, f->at + 1, err);
    say_end(f);
    f->at_end = true;
    *done = *end = source_has_server(f->settings);
    if (*done) return true;
    if (now_ms() - f->beat_ms >= f->settings->heartbeat_ms && f->begun) {
        f->beat_ms = now_ms();
        *event = make_event(f, EVENT_HEARTBEAT, 0, binlog_file_name(f->file));
        return *done = true;
    }
    rest(f, GROWTH_POLL_MS);
    return true;
}

static bool files_next(struct source *source, struct slice *event, bool *end, struct err *err)
{
    struct files *f = files_of(source);
    bool over = false, done = false;
    while (!f->interrupted) {
        if (!f->begun) {
            f->begun = true;
            *event = make_event(f, EVENT_ROTATE, START_OF_FILE, binlog_file_name(f->file));
            return true;
        }
        enum binlog_read read = binlog_file_next(f->file, event, err);
        if (read == BINLOG_FAILED) return err_context(err, "%s", f->paths[f->at]);
        if (read != BINLOG_EVENT) {
            if (!at_the_end(f, read, event, end, &done, err)) return false;
            if (done) return true;
            continue;
        }
        f->at_end = false;
        note_format(f, *event);
        if (!is_passed_over(f, *event, &over, err)) return false;
        if (!over) return true;
    }
    return err_set(err, ERR_RETRY, "interrupted");
}

/* Semi-synchronous: nobody waits. */
static bool files_ack_asked(const struct source *source) { return (void)source, false; }

static bool files_ack(struct source *source, const char *file, uint64_t offset, struct err *err)
{
    (void)source, (void)file, (void)offset, (void)err;
    return true;
}

static void files_wait(struct source *source, int fd, uint32_t ms)
{
    (void)fd;
    rest(files_of(source), ms);
}

static bool files_ready(struct source *source) { return !files_of(source)->at_end; }

static void files_patience(struct source *source, uint32_t ms) { (void)source, (void)ms; }

static void files_interrupt(struct source *source)
{
    struct files *f = files_of(source);
    pthread_mutex_lock(&f->lock);
    f->interrupted = true;
    pthread_cond_broadcast(&f->wake);
    pthread_mutex_unlock(&f->lock);
}

const struct source_driver source_files = {
    .info = files_info,
    .position = files_position,
    .check = files_check,
    .dump = files_dump,
    .next = files_next,
    .ready = files_ready,
    .patience = files_patience,
    .interrupt = files_interrupt,
    .close = files_close,
    .ack_asked = files_ack_asked,
    .ack = files_ack,
    .wait = files_wait,
};
