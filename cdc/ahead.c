/* ahead.c: see ahead.h. Rows are not decoded: only QUERY events are looked into, and of those the statements that define tables. */
#include "ahead.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "ddl.h"
#include "log.h"
#include "names.h"
#include "payload.h"
#include "query.h"
#include "txn.h"
#include "unpack.h"

enum { TEXT_SHOWN = 200, TOLD_MS = 2000 };

struct found { /* a statement that changes a table, or ("") all of a database */
    char *database, *table, *text;
    struct gtid gtid;   /* of its transaction */
    struct gtid place;  /* where it begins, for people; offset 0: the log has none */
};

struct list {
    struct found *items;
    size_t count, room;
};

struct ahead {
    struct source_settings settings; /* of a reader: no replica */
    size_t host;
    atomic_bool stopped;
    pthread_mutex_t lock;            /* of the reader, for ahead_stop */
    const struct source_driver *driver;
    struct source *reader;           /* NULL: none now */
    struct source_pos until;         /* so far it was looked through */
    bool begun;
    struct list found;
};

/* ---- what is found ---- */

static char *copy(struct slice s, size_t most)
{
    char *text = strndup(s.size ? (const char *)s.data : "", s.size < most ? s.size : most);
    if (!text) abort();
    return text;
}

static void list_add(struct list *list, struct slice database, struct slice table, struct slice text, const struct gtid *gtid, const struct gtid *place)
{
    if (list->count == list->room) {
        list->room = list->room ? 2 * list->room : 16;
        list->items = realloc(list->items, list->room * sizeof *list->items);
        if (!list->items) abort();
    }
    list->items[list->count++] = (struct found){copy(database, SIZE_MAX), copy(table, SIZE_MAX), copy(text, TEXT_SHOWN), *gtid, *place};
}

static void list_cut(struct list *list, size_t count)
{
    while (list->count > count) {
        struct found *f = &list->items[--list->count];
        free(f->database);
        free(f->table);
        free(f->text);
    }
}

struct ahead *ahead_new(const struct source_settings *settings, size_t host)
{
    struct ahead *a = calloc(1, sizeof *a);
    if (!a) abort();
    a->settings = *settings;
    a->settings.semi_sync = false;
    a->settings.server_id = 0;
    a->host = host;
    pthread_mutex_init(&a->lock, NULL);
    return a;
}

void ahead_free(struct ahead *a)
{
    if (!a) return;
    list_cut(&a->found, 0);
    free(a->found.items);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

void ahead_stop(struct ahead *a)
{
    a->stopped = true;
    pthread_mutex_lock(&a->lock);
    if (a->reader) a->driver->interrupt(a->reader);
    pthread_mutex_unlock(&a->lock);
}

static void set_reader(struct ahead *a, const struct source_driver *driver, struct source *reader)
{
    pthread_mutex_lock(&a->lock);
    a->driver = driver;
    a->reader = reader;
    pthread_mutex_unlock(&a->lock);
}

static bool defines(enum statement_kind kind)
{
    return kind == STATEMENT_CREATE_TABLE || kind == STATEMENT_ALTER_TABLE || kind == STATEMENT_DROP_TABLE || kind == STATEMENT_RENAME_TABLE ||
           kind == STATEMENT_DROP_DATABASE;
}

/* ---- the log ---- */

struct reading {
    struct ahead *ahead;
    struct event_format format;
    struct context context;  /* stays empty */
    struct ddl ddl;
    struct unpack *unpack;
    struct payload *payload;
    struct txn txn;          /* the one at hand */
    struct source_pos at;
    bool by_file;            /* the position is a place in a file */
    uint64_t bytes, statements;
};

static struct gtid place_of(const struct source_pos *at)
{
    struct gtid place = {.kind = GTID_FILE, .seq = at->offset};
    (void)!source_file_number(at->file, &place.server);
    return place;
}

/* What an item of an ALTER TABLE begins with that leaves the columns alone. Behind ADD and DROP a word that is not reserved is a column's name. */
static bool leaves_columns(struct tokens *t)
{
    static const char *const parts[] = {"INDEX", "KEY", "UNIQUE", "PRIMARY", "FULLTEXT", "SPATIAL", "FOREIGN", "CONSTRAINT", "CHECK", "PARTITION", NULL};
    static const char *const others[] = {"PARTITION", "ENGINE", "AUTO_INCREMENT", "COMMENT", "ROW_FORMAT", "FORCE", "TRUNCATE", "REORGANIZE", "REBUILD", "COALESCE", "ANALYZE",
        "OPTIMIZE", "REMOVE", "ALGORITHM", "LOCK", "ORDER", "DISABLE", "ENABLE", "ALTER", NULL};
    if (tokens_skip(t, "RENAME")) return tokens_is(t, "INDEX") || tokens_is(t, "KEY");
    const char *const *word = tokens_skip(t, "ADD") || tokens_skip(t, "DROP") ? parts : others;
    while (*word && !tokens_is(t, *word)) word++;
    return *word;
}

/* Whether the statement may change which of a table's columns is which. A table is made anew only after it was dropped or renamed, which counts by itself, unless the
   statement says OR REPLACE. What is not read to its end counts. */
static bool may_change(struct tokens t)
{
    unsigned depth = 0;
    if (tokens_skip(&t, "CREATE")) return tokens_is(&t, "OR");
    if (!tokens_skip(&t, "ALTER")) return true;
    while (!tokens_is(&t, "TABLE") && t.now.kind == TOKEN_WORD) tokens_next(&t);
    if (!tokens_skip(&t, "TABLE") || tokens_is(&t, "IF") || (t.now.kind != TOKEN_WORD && t.now.kind != TOKEN_NAME)) return true;
    tokens_next(&t);
    if (tokens_skip_sign(&t, '.')) tokens_next(&t);
    for (;;) {
        if (!leaves_columns(&t)) return true;
        for (; t.now.kind != TOKEN_END && (depth || !tokens_is_sign(&t, ',')); tokens_next(&t)) {
            if (tokens_is_sign(&t, '(')) depth++;
            if (tokens_is_sign(&t, ')') && depth) depth--;
        }
        if (!tokens_skip_sign(&t, ',')) return false;
    }
}

static bool take_query(struct reading *r, const struct event *event, struct err *err)
{
    struct statement s;
    struct slice database, table;
    struct err unread = {0};
    if (!query_decode(event, &r->format, &r->context, &s, err)) return false;
    if (event->type == EVENT_QUERY_COMPRESSED && !unpack_bytes(r->unpack, s.text, &s.text, err)) return false;
    struct ddl_session session = {.sql_mode = s.sql_mode, .charset_client = s.charset_client, .version = event_server_number(r->format.version), .mysql = !r->format.mariadb};
    /* what cannot be read stops capture when it gets there */
    if (!ddl_parse(&r->ddl, s.text, &session, &unread) || r->ddl.role != DDL_STATEMENT || r->ddl.temporary || !defines(r->ddl.kind) || txn_is_void(&r->txn)) return true;
    if (!may_change(tokens_of(s.text, &session))) return true;
    r->statements++;
    struct gtid place = place_of(&r->at);
    place.seq -= place.seq < event->raw.size ? place.seq : event->raw.size;
    const struct gtid *gtid = r->by_file ? &place : &r->txn.gtid;
    struct cursor in = cursor_of(buf_bytes(&r->ddl.tables));
    while (statement_tables_next(&in, &database, &table)) list_add(&r->ahead->found, database.size ? database : s.database, table, s.text, gtid, &place);
    return true;
}

static bool take_rotate(struct reading *r, const struct event *event, struct err *err)
{
    struct cursor in = cursor_of(event->body);
    uint64_t offset = cursor_u64(&in);
    struct slice file = cursor_rest(&in);
    if (event->flags & EVENT_FLAG_RELAY_LOG) return true;
    if (in.failed || !file.size || file.size >= sizeof r->at.file) return err_set(err, ERR_CORRUPT, "a ROTATE without the name of a file");
    memcpy(r->at.file, file.data, file.size);
    r->at.file[file.size] = 0;
    r->at.offset = offset;
    return true;
}

static bool take_gtid(struct reading *r, const struct event *event, struct err *err)
{
    if (r->by_file) return true;
    if (!(r->format.mariadb ? txn_open(&r->txn, event, &r->at.gtids, err) : txn_announce(&r->txn, event, err))) return false;
    return !r->txn.gtid.seq || gtid_set_put(&r->at.gtids, r->txn.gtid, err);
}

/* A MySQL's CREATE TABLE … SELECT may come so. */
static bool take_payload(struct reading *r, const struct event *event, struct err *err)
{
    struct event_format format = r->format;
    struct slice raw;
    format.checksum = false;
    if (!payload_open(r->payload, event->body, err)) return false;
    do {
        struct event inner;
        if (!payload_next(r->payload, &raw, err)) return false;
        if (raw.size && (!event_decode(raw, &format, false, &inner, err) || (inner.type == EVENT_QUERY && !take_query(r, &inner, err)))) return false;
    } while (raw.size);
    return true;
}

static bool take(struct reading *r, struct slice raw, struct err *err)
{
    struct event event;
    bool made;
    if (!event_decode(raw, &r->format, false, &event, err)) return false;
    r->bytes += raw.size;
    r->at.offset = event_end(&event, r->at.offset, &made);
    switch (event.type) {
    case EVENT_ROTATE: return take_rotate(r, &event, err);
    case EVENT_FORMAT_DESCRIPTION: return event_format_decode(&event, &r->format, err);
    case EVENT_GTID_MARIADB: case EVENT_GTID: case EVENT_ANONYMOUS_GTID: case EVENT_GTID_TAGGED: return take_gtid(r, &event, err);
    case EVENT_QUERY: case EVENT_QUERY_COMPRESSED: return take_query(r, &event, err);
    case EVENT_TRANSACTION_PAYLOAD: return take_payload(r, &event, err);
    default: return true;
    }
}

static void tell(const struct reading *r, uint64_t since_us)
{
    uint64_t ms = (clock_us() - since_us) / 1000;
    if (ms > TOLD_MS)
        log_info("source.looked_ahead", "bytes=%llu ddl=%llu ms=%llu text=\"for statements that change tables whose names are asked of the server\"",
                 (unsigned long long)r->bytes, (unsigned long long)r->statements, (unsigned long long)ms);
}

/* A server that goes down, or whose administrator ends our thread, ends the stream in order, too. What it had when we connected, which was after the definition was read,
   has to be behind us. A MySQL may have GTIDs that never were in its log: then the place counts, whose upper half a stream by GTIDs does not say. */
static bool reached(const struct source_pos *at, const struct source_info *info, struct err *err)
{
    struct gtid here = place_of(at), end = info->place;
    bool there = end.seq && (here.server > end.server || (here.server == end.server && (here.seq >= end.seq || (uint32_t)here.seq == (uint32_t)end.seq)));
    if (there || (gtid_set_kind(&at->gtids) == gtid_set_kind(&info->end) && gtid_set_contains(&at->gtids, &info->end))) return true;
    return err_set(err, ERR_RETRY, "the source ended the stream before the end of its log");
}

/* To the log's end; a->until is then there. */
static bool listen(struct ahead *a, const struct source_driver *driver, struct source *source, struct err *err)
{
    const struct source_info *info = driver->info(source);
    uint64_t since_us = clock_us();
    bool ok = driver->dump(source, &a->until, err), end = false;
    struct reading *r = calloc(1, sizeof *r);
    if (!r) abort();
    r->ahead = a;
    r->format = event_format_default(info->version.flavour == DB_MARIADB, info->checksum);
    r->unpack = unpack_new();
    r->payload = payload_new();
    r->by_file = gtid_set_kind(&a->until.gtids) == GTID_FILE;
    source_pos_copy(&r->at, &a->until);
    context_init(&r->context);
    ddl_init(&r->ddl);
    driver->patience(source, SOURCE_SEARCH_PATIENCE_MS);
    while (ok && !end) {
        struct slice event = {NULL, 0};
        ok = driver->next(source, &event, &end, err) && (end || take(r, event, err));
        if (ok && !end && a->stopped) ok = err_set(err, ERR_RETRY, "stopped");
    }
    if (ok && r->by_file) ok = gtid_set_put(&r->at.gtids, place_of(&r->at), err);
    if (ok) ok = reached(&r->at, info, err);
    if (ok) source_pos_copy(&a->until, &r->at);
    if (ok) tell(r, since_us);
    payload_free(r->payload);
    unpack_free(r->unpack);
    ddl_fini(&r->ddl);
    context_fini(&r->context);
    free(r);
    return ok;
}

/* From the later of the two on, in each order of transactions: where capture is past `until`, nothing is left of what was found. */
static bool go_on_from(struct ahead *a, const struct source_pos *at, struct err *err)
{
    struct gtid_set *to = &a->until.gtids;
    if (!a->begun || gtid_set_contains(&at->gtids, to)) {
        source_pos_copy(&a->until, at);
        list_cut(&a->found, 0);
        return true;
    }
    if (gtid_set_kind(to) == GTID_FILE) return true; /* one order, of which `until` is the later */
    for (uint32_t i = 0; i < at->gtids.count; i++) {
        const struct gtid *item = &at->gtids.items[i];
        if (item->kind == GTID_MYSQL ? !gtid_set_add(to, item, err) : gtid_set_get(to, item->domain).seq < item->seq && !gtid_set_put(to, *item, err)) return false;
    }
    return true;
}

/* The reader's refusals are not the stream's, which has its own. Where the log behind capture is gone (saved files are read, and the server has purged those), or torn by
   a crash, nothing tells what became of a table. */
static bool unreadable(struct err *err)
{
    const struct source_refusal *refusal = source_refusal(err);
    if ((refusal && refusal->state == CDC_PURGED) || source_torn_file(err))
        err_set(err, ERR_STOP, "names of columns that are not in the log cannot be asked of the source, as its log cannot be read from here to its end; what to do: give the "
                "table's definition: wolfctl schema set DB.TABLE FILE.sql");
    else if (refusal) err->code = ERR_RETRY;
    err->number = 0;
    return err_context(err, "looking through the source's binary log for what changes tables");
}

/* What was found before an attempt failed is found again by the next. */
static bool look(struct ahead *a, const struct source_pos *at, bool *folds, struct err *err)
{
    const struct source_driver *driver = NULL;
    struct source *source = NULL;
    if (!source_open(&a->settings, a->host, &driver, &source, err)) return false;
    set_reader(a, driver, source);
    *folds = driver->info(source)->folding != 0;
    bool ok = a->stopped ? err_set(err, ERR_RETRY, "stopped") : go_on_from(a, at, err);
    size_t known = a->found.count;
    ok = ok && (listen(a, driver, source, err) || unreadable(err));
    if (!ok) list_cut(&a->found, known);
    a->begun |= ok;
    set_reader(a, NULL, NULL);
    driver->close(source);
    return ok;
}

bool ahead_clear(struct ahead *a, const struct source_pos *at, struct slice database, struct slice table, struct err *err)
{
    bool folds;
    if (!look(a, at, &folds, err)) return false;
    for (size_t i = 0; i < a->found.count; i++) {
        const struct found *f = &a->found.items[i];
        if (gtid_set_has(&at->gtids, &f->gtid) || !names_equal(database, slice_text(f->database), folds)) continue;
        if (*f->table && !names_equal(table, slice_text(f->table), folds)) continue;
        return err_set(err, ERR_STOP, "%.*s.%.*s: its columns' names are not in the log, and the source is past a statement that changes it, so that they cannot be asked "
                       "there: \"%s\" (file %u, offset %llu); what to do: give the definition that it had before: wolfctl schema set DB.TABLE FILE.sql",
                       SLICE_ARG(database), SLICE_ARG(table), f->text, f->place.server, (unsigned long long)f->place.seq);
    }
    return true;
}
