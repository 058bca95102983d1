/*
 * history.c: see history.h. The file:
 *
 *   -- wolfcdc schema 1 lsn=LSN version=N origin=server|ddl|file|set at=FILE:OFFSET
 *   CREATE TABLE `db`.`table` ( … );            or, when it is gone:  DROP TABLE `db`.`table`;
 */
#include "history.h"


#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "define.h"
#include "file.h"

enum { FILE_MAX_BYTES = 1 << 30, HEAD_MAX = 1024, PENDING_MAX = 16 };

#define HEAD "-- wolfcdc schema 1 "
static const char *const origins[] = {[DEFINITION_SERVER] = "server", [DEFINITION_DDL] = "ddl", [DEFINITION_FILE] = "file", [DEFINITION_SET] = "set"};

struct pending { /* a statement, copied */
    struct statement statement;
    struct buf bytes;        /* its text, then its database */
    uint32_t version;
};

struct history {
    pthread_mutex_t lock;    /* of all below */
    struct catalog *catalog;
    char *path;
    int fd;
    uint64_t lsn;
    struct source_pos pos;
    bool changed, tracks;    /* tracks: there are maps without names, so that every CREATE TABLE counts */
    bool loading, folds;
    struct err failed;       /* of a record that could not be written */
    struct pending pending[PENDING_MAX];
    size_t pending_count;
};

/* ---- records ---- */

static bool write_all(int fd, struct slice bytes)
{
    while (bytes.size) {
        ssize_t n = write(fd, bytes.data, bytes.size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes = slice_of(bytes.data + n, bytes.size - (size_t)n);
    }
    return true;
}

static void put_head(struct buf *out, uint64_t lsn, uint64_t version, enum definition_origin origin, const struct source_pos *pos)
{
    buf_printf(out, HEAD "lsn=%" PRIu64 " version=%" PRIu64 " origin=%s at=%s:%" PRIu64 "\n", lsn, version, origins[origin], pos && pos->file[0] ? pos->file : "-",
               pos ? pos->offset : 0);
}

static void put_name(struct buf *out, const char *name)
{
    buf_u8(out, '`');
    for (; *name; name++) {
        if (*name == '`') buf_u8(out, '`');
        buf_u8(out, (uint8_t)*name);
    }
    buf_u8(out, '`');
}

/* The catalog tells of each change: one record. */
static void record(void *context, const char *database, const char *table, const struct definition *now)
{
    struct history *h = context;
    struct buf out;
    if (h->loading) return;
    buf_init(&out, FILE_MAX_BYTES);
    if (now) {
        struct definition *d = (struct definition *)now; /* not yet seen by anyone */
        d->lsn = h->lsn;
        d->pos = malloc(sizeof *d->pos);
        if (!d->pos) abort();
        source_pos_copy(d->pos, &h->pos);
        put_head(&out, h->lsn, d->version, d->origin, &h->pos);
        definition_print(d, &out);
    } else {
        put_head(&out, h->lsn, 0, DEFINITION_DDL, &h->pos);
        buf_text(&out, "DROP TABLE ");
        put_name(&out, database);
        buf_u8(&out, '.');
        put_name(&out, table);
        buf_text(&out, ";\n");
    }
    if ((out.full || !write_all(h->fd, buf_bytes(&out))) && !h->failed.code)
        err_set_number(&h->failed, ERR_STOP, (unsigned)errno, "%s: %s", h->path, strerror(errno));
    buf_fini(&out);
}

static bool sync_records(struct history *h, struct err *err)
{
    if (!h->failed.code && fdatasync(h->fd)) err_set_number(&h->failed, ERR_STOP, (unsigned)errno, "%s: %s", h->path, strerror(errno));
    if (!h->failed.code) return true;
    if (err) *err = h->failed;
    err_clear(&h->failed);
    return false;
}

/* ---- reading them again ---- */

struct head { uint64_t lsn, version, offset; enum definition_origin origin; char file[SOURCE_FILE_MAX]; };

static bool read_head(struct slice line, struct head *head)
{
    char text[HEAD_MAX], origin[16];
    if (line.size >= sizeof text) return false;
    memcpy(text, line.data, line.size);
    text[line.size] = 0;
    if (sscanf(text, HEAD "lsn=%" SCNu64 " version=%" SCNu64 " origin=%15s at=%511[^:]:%" SCNu64, &head->lsn, &head->version, origin, head->file,
               &head->offset) != 5)
        return false;
    for (size_t i = 0; i < sizeof origins / sizeof *origins; i++)
        if (!strcmp(origins[i], origin)) return head->origin = (enum definition_origin)i, true;
    return false;
}

static void settle(void *context, const char *database, const char *table, const struct definition *now)
{
    const struct head *head = context;
    struct definition *d = (struct definition *)now; /* not yet seen by anyone */
    (void)database, (void)table;
    if (!d) return;
    d->version = head->version ? head->version : d->version;
    d->lsn = head->lsn;
    d->pos = calloc(1, sizeof *d->pos);
    if (!d->pos) abort();
    snprintf(d->pos->file, sizeof d->pos->file, "%s", strcmp(head->file, "-") ? head->file : "");
    d->pos->offset = head->offset;
}

/* A record that ends without its semicolon was cut off while it was written: its commit did not follow. */
static bool take_record(struct history *h, const struct head *head, struct slice sql, uint64_t last_lsn, struct err *err)
{
    size_t count;
    while (sql.size && sql.data[sql.size - 1] == '\n') sql.size--;
    bool whole = sql.size && sql.data[sql.size - 1] == ';';
    bool counts = head->origin == DEFINITION_SET || head->lsn < last_lsn;
    if (!whole || !counts) return true;
    catalog_watch(h->catalog, settle, (void *)head);
    return catalog_read(h->catalog, sql, NULL, head->origin, &count, err);
}

static struct slice line_of(struct slice text)
{
    const uint8_t *end = text.size ? memchr(text.data, '\n', text.size) : NULL;
    return slice_of(text.data, end ? (size_t)(end - text.data) : text.size);
}

static bool take_records(struct history *h, struct slice text, uint64_t last_lsn, struct err *err)
{
    while (text.size && text.data[text.size - 1] != '\n') text.size--; /* a line that was cut off while it was written */
    while (text.size) {
        struct head head = {0};
        struct slice line = line_of(text);
        if (!read_head(line, &head)) return err_set(err, ERR_CORRUPT, "%s: not a record: \"%.60s\"", h->path, (const char *)line.data);
        text = slice_of(text.data + line.size + 1, text.size - line.size - 1);
        const uint8_t *next = memmem(text.data, text.size, "\n" HEAD, sizeof HEAD);
        struct slice sql = slice_of(text.data, next ? (size_t)(next + 1 - text.data) : text.size);
        if (!take_record(h, &head, sql, last_lsn, err)) return err_context(err, "%s", h->path);
        text = slice_of(text.data + sql.size, text.size - sql.size);
    }
    return true;
}

static bool read_file(struct history *h, struct buf *text, struct err *err)
{
    for (;;) {
        uint8_t *at = buf_reserve(text, 1 << 16);
        if (!at) return err_set(err, ERR_LIMIT, "%s: larger than 1 GiB", h->path);
        ssize_t n = read(h->fd, at, 1 << 16);
        if (n < 0) return err_set_number(err, ERR_STOP, (unsigned)errno, "%s: %s", h->path, strerror(errno));
        if (!n) return true;
        text->size += (size_t)n;
    }
}

/* Anew, with what counts alone: what was left out must not be taken for a part of the past at the next start. */
static bool rewrite(struct history *h, struct err *err)
{
    struct buf out;
    const struct definition *d;
    buf_init(&out, FILE_MAX_BYTES);
    for (size_t i = 0; (d = catalog_at(h->catalog, i)); i++) {
        put_head(&out, d->lsn, d->version, d->origin, d->pos);
        definition_print(d, &out);
    }
    bool good = out.full ? err_set(err, ERR_LIMIT, "%s: the definitions take more than %d bytes; what to do: wolfctl schema refresh", h->path, FILE_MAX_BYTES)
                         : file_replace_path(file_system_real(), h->path, buf_bytes(&out), err);
    buf_fini(&out);
    if (!good) return false;
    close(h->fd);
    h->fd = open(h->path, O_RDWR | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
    return h->fd >= 0 || err_set_number(err, ERR_STOP, (unsigned)errno, "%s: %s", h->path, strerror(errno));
}

bool history_open(const char *path, uint64_t last_lsn, struct history **out, struct err *err)
{
    struct buf text;
    struct history *h = calloc(1, sizeof *h);
    if (!h) abort();
    pthread_mutex_init(&h->lock, NULL);
    h->catalog = catalog_new();
    h->path = strdup(path);
    h->loading = true;
    h->lsn = last_lsn;
    if (!h->path) abort();
    buf_init(&text, FILE_MAX_BYTES);
    h->fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool good = h->fd >= 0 || err_set_number(err, ERR_STOP, (unsigned)errno, "%s: %s", path, strerror(errno));
    good = good && read_file(h, &text, err) && take_records(h, buf_bytes(&text), last_lsn, err);
    h->tracks = text.size > 0;
    good = good && rewrite(h, err); /* also an empty one: from then on its name is on the disk */
    buf_fini(&text);
    if (!good) {
        history_close(h);
        return false;
    }
    catalog_watch(h->catalog, record, h);
    h->loading = false;
    *out = h;
    return true;
}

void history_close(struct history *h)
{
    if (!h) return;
    history_abort(h);
    if (h->fd >= 0) close(h->fd);
    catalog_free(h->catalog);
    pthread_mutex_destroy(&h->lock);
    free(h->path);
    free(h);
}

/* ---- capture ---- */

void history_at(struct history *h, uint64_t lsn, const struct source_pos *pos)
{
    pthread_mutex_lock(&h->lock);
    h->lsn = lsn;
    source_pos_copy(&h->pos, pos);
    pthread_mutex_unlock(&h->lock);
}

void history_fold(struct history *h, bool folds)
{
    pthread_mutex_lock(&h->lock);
    catalog_fold(h->catalog, folds);
    h->folds = folds;
    pthread_mutex_unlock(&h->lock);
}

void history_track(struct history *h)
{
    pthread_mutex_lock(&h->lock);
    h->tracks = true;
    pthread_mutex_unlock(&h->lock);
}

void history_statement(struct history *h, const struct statement *s, uint32_t version)
{
    if (!s->own_commit || h->pending_count == PENDING_MAX) return;
    struct pending *p = &h->pending[h->pending_count++];
    buf_init(&p->bytes, FILE_MAX_BYTES);
    buf_slice(&p->bytes, s->text);
    buf_slice(&p->bytes, s->database);
    p->statement = (struct statement){.kind = s->kind, .own_commit = true, .error_code = s->error_code, .sql_mode = s->sql_mode, .charset_client = s->charset_client, .flavour = s->flavour};
    p->statement.text = slice_of(p->bytes.data, s->text.size);
    p->statement.database = slice_of(p->bytes.data + s->text.size, s->database.size);
    p->version = version;
}

void history_abort(struct history *h)
{
    while (h->pending_count) buf_fini(&h->pending[--h->pending_count].bytes);
}

bool history_is_pending(const struct history *h) { return h->pending_count > 0; }

bool history_commit(struct history *h, struct err *err)
{
    if (!h->pending_count) return true;
    pthread_mutex_lock(&h->lock);
    bool wanted = h->tracks || catalog_count(h->catalog) > 0;
    for (size_t i = 0; wanted && i < h->pending_count; i++) catalog_statement(h->catalog, &h->pending[i].statement, h->pending[i].version);
    bool good = !wanted || sync_records(h, err);
    pthread_mutex_unlock(&h->lock);
    history_abort(h);
    return good;
}

static struct table copy_of(const struct table *draft, struct arena *arena)
{
    struct table copy = *draft;
    copy.columns = arena_alloc(arena, (draft->column_count + 1) * sizeof *copy.columns);
    memcpy(copy.columns, draft->columns, draft->column_count * sizeof *copy.columns);
    return copy;
}

struct asking { /* whom a table's names are asked of */
    struct history *history;
    struct schema *server;
    struct ahead *ahead;
    struct arena *arena;
};

/* What the server says now, where nothing has changed it since. It may take minutes, in which others look: the lock is let go, and what was found before may be gone. */
static bool hear(const struct asking *a, struct table *draft, struct err *err)
{
    struct history *h = a->history;
    pthread_mutex_unlock(&h->lock);
    bool good = schema_describe(a->server, draft, a->arena, err) && ahead_clear(a->ahead, &h->pos, draft->database, draft->name, err);
    pthread_mutex_lock(&h->lock);
    const struct definition *now = good ? catalog_find(h->catalog, draft->database, draft->name) : NULL;
    if (now && now->origin == DEFINITION_SET) return err_set(err, ERR_RETRY, "a definition of %s.%s was set while the source was asked for it", now->database, now->name);
    return good;
}

/* Taken over, and kept. */
static bool ask(const struct asking *a, struct table *draft, struct err *err)
{
    if (!a->server) return true;
    if (!hear(a, draft, err)) return false;
    struct definition *d = definition_of(draft);
    d->origin = DEFINITION_SERVER;
    catalog_put(a->history->catalog, d);
    return sync_records(a->history, err);
}

static bool is_whole(const struct definition *d)
{
    for (uint32_t i = 0; i < d->column_count; i++)
        if (d->columns[i].textual && !d->columns[i].charset) return false;
    return true;
}

/* DDL does not say everything (the character set that a column inherits from its database): the server does, where it still has that very table. */
static bool refine(const struct asking *a, const struct definition *known, const struct table *original, struct table *draft)
{
    struct table theirs = copy_of(original, a->arena);
    struct err refused = {0};
    if (known->origin != DEFINITION_DDL || !a->server || is_whole(known)) return false;
    struct definition *was = define_copy(known, known->database, known->name);
    struct definition *d = hear(a, &theirs, &refused) ? definition_of(&theirs) : NULL;
    bool same = d && definition_same(d, was);
    definition_free(was);
    if (!same) {
        definition_free(d);
        return false;
    }
    d->origin = DEFINITION_SERVER;
    catalog_put(a->history->catalog, d);
    *draft = theirs;
    return true;
}

static bool describe_known(const struct asking *a, const struct definition *known, struct table *draft, struct err *err)
{
    struct table original = copy_of(draft, a->arena);
    struct err differs = {0}, says = {0};
    if (!known) return ask(a, draft, err);
    if (definition_apply(known, draft, a->arena, &differs)) return !refine(a, known, &original, draft) || sync_records(a->history, err);
    if (known->origin != DEFINITION_SET && a->server) {
        *draft = original;
        if (ask(a, draft, &says)) return true;
        if (says.code == ERR_RETRY) differs = says;
    }
    if (err) *err = differs;
    return false;
}

/* The CREATE TABLE of the transaction at hand, whose rows follow it: what it says of that table, or no definition where that is not all. */
static bool is_made_here(const struct history *h, const struct table *draft, struct catalog *made)
{
    bool creates = false;
    for (size_t i = 0; i < h->pending_count; i++) {
        const struct pending *p = &h->pending[i];
        if (p->statement.kind != STATEMENT_CREATE_TABLE) continue;
        creates = true;
        catalog_statement(made, &p->statement, p->version);
    }
    return creates && (catalog_find(made, draft->database, draft->name) || !catalog_count(made));
}

static bool describe(const struct asking *a, struct table *draft, struct err *err)
{
    struct catalog *made = a->history->pending_count ? catalog_new() : NULL;
    if (made) catalog_fold(made, a->history->folds);
    const struct definition *known = made && is_made_here(a->history, draft, made) ? catalog_find(made, draft->database, draft->name)
                                                                                  : catalog_find(a->history->catalog, draft->database, draft->name);
    a->history->tracks = true;
    bool good = describe_known(a, known, draft, err);
    catalog_free(made);
    return good;
}

bool history_describe(struct history *h, struct schema *server, struct ahead *ahead, struct table *draft, struct arena *arena, struct err *err)
{
    if (draft->named) return !server || schema_describe(server, draft, arena, err); /* names are there: only what no map tells */
    struct asking asking = {h, server, ahead, arena};
    pthread_mutex_lock(&h->lock);
    bool good = describe(&asking, draft, err);
    pthread_mutex_unlock(&h->lock);
    return good;
}

bool history_changed(struct history *h)
{
    if (!__atomic_load_n(&h->changed, __ATOMIC_RELAXED)) return false;
    return __atomic_exchange_n(&h->changed, false, __ATOMIC_ACQ_REL);
}

/* ---- the operator ---- */

/* "db.table" in two. */
static bool split(const char *table, struct slice *database, struct slice *name)
{
    const char *dot = strchr(table, '.');
    if (!dot || dot == table || !dot[1]) return false;
    *database = slice_of(table, (size_t)(dot - table));
    *name = slice_text(dot + 1);
    return true;
}

void history_show(struct history *h, const char *table, history_show_fn *fn, void *context)
{
    struct slice database, name;
    const struct definition *d;
    bool one = table && split(table, &database, &name);
    pthread_mutex_lock(&h->lock);
    if (one && (d = catalog_find(h->catalog, database, name))) fn(context, d);
    for (size_t i = 0; !table && (d = catalog_at(h->catalog, i)); i++) fn(context, d);
    pthread_mutex_unlock(&h->lock);
}

bool history_set(struct history *h, const char *table, struct slice sql, struct err *err)
{
    struct slice database, name;
    char text[260];
    size_t count = 0;
    if (!split(table, &database, &name)) return err_set(err, ERR_CONFIG, "\"%.200s\": a table is written as DB.TABLE", table);
    snprintf(text, sizeof text, "%.*s", database.size < 256 ? (int)database.size : 256, (const char *)database.data);
    struct catalog *read = catalog_new();
    bool good = catalog_read(read, sql, text, DEFINITION_SET, &count, err);
    const struct definition *d = good ? catalog_find(read, database, name) : NULL;
    if (good && !d) good = err_set(err, ERR_CONFIG, "the file has no CREATE TABLE of %.200s", table);
    if (good) {
        struct definition *taken = define_copy(d, d->database, d->name);
        taken->origin = DEFINITION_SET;
        pthread_mutex_lock(&h->lock);
        catalog_put(h->catalog, taken);
        good = sync_records(h, err);
        h->tracks = true;
        pthread_mutex_unlock(&h->lock);
        __atomic_store_n(&h->changed, true, __ATOMIC_RELEASE);
    }
    catalog_free(read);
    return good;
}

size_t history_refresh(struct history *h, const char *table)
{
    struct slice database, name;
    const struct definition *d;
    bool one = table && split(table, &database, &name);
    pthread_mutex_lock(&h->lock);
    size_t before = catalog_count(h->catalog);
    if (one) catalog_remove(h->catalog, database, name);
    while (!table && (d = catalog_at(h->catalog, 0))) catalog_remove(h->catalog, slice_text(d->database), slice_text(d->name));
    size_t count = before - catalog_count(h->catalog);
    (void)sync_records(h, NULL);
    pthread_mutex_unlock(&h->lock);
    __atomic_store_n(&h->changed, true, __ATOMIC_RELEASE);
    return count;
}
