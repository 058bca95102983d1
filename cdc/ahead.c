/* ahead.c: see ahead.h. Rows are not decoded: only QUERY events are looked into, and of those the statements that define tables. */
#include "ahead.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "ddl.h"
#include "log.h"
#include "query.h"
#include "unpack.h"

enum { TEXT_SHOWN = 200, PATIENCE_MS = 2000, TOLD_MS = 2000 };

struct found { /* a statement that changes a table, or ("") all of a database */
    char *database, *table, *text;
    uint32_t file;
    uint64_t offset; /* of its end; 0: the log has no offsets */
};

struct ahead {
    struct source_settings settings; /* of a reader: no replica */
    size_t host;
    atomic_bool stopped;
    struct source_pos until;         /* so far it was looked through */
    bool begun;
    struct found *found;
    size_t count, room;
};

struct ahead *ahead_new(const struct source_settings *settings, size_t host)
{
    struct ahead *a = calloc(1, sizeof *a);
    if (!a) abort();
    a->settings = *settings;
    a->settings.semi_sync = false;
    a->settings.server_id = 0;
    a->host = host;
    return a;
}

void ahead_free(struct ahead *a)
{
    if (!a) return;
    for (size_t i = 0; i < a->count; i++) {
        free(a->found[i].database);
        free(a->found[i].table);
        free(a->found[i].text);
    }
    free(a->found);
    free(a);
}

void ahead_stop(struct ahead *a) { a->stopped = true; }

/* ---- what is found ---- */

static char *copy(struct slice s, size_t most)
{
    char *text = strndup(s.size ? (const char *)s.data : "", s.size < most ? s.size : most);
    if (!text) abort();
    return text;
}

static void note(struct ahead *a, struct slice database, struct slice table, struct slice text, uint32_t file, uint64_t offset)
{
    if (a->count == a->room) {
        a->room = a->room ? 2 * a->room : 16;
        a->found = realloc(a->found, a->room * sizeof *a->found);
        if (!a->found) abort();
    }
    a->found[a->count++] = (struct found){copy(database, SIZE_MAX), copy(table, SIZE_MAX), copy(text, TEXT_SHOWN), file, offset};
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
    uint32_t file;
    uint64_t offset;
    bool has_offsets;
    uint64_t statements;
};

static bool take_query(struct reading *r, const struct event *event, struct err *err)
{
    struct statement s;
    struct slice database, table;
    struct err unread = {0};
    if (!query_decode(event, &r->format, &r->context, &s, err)) return false;
    if (event->type == EVENT_QUERY_COMPRESSED && !unpack_bytes(r->unpack, s.text, &s.text, err)) return false;
    unsigned major = 0, minor = 0, patch = 0;
    (void)!sscanf(r->format.version, "%3u.%3u.%3u", &major, &minor, &patch);
    struct ddl_session session = {.sql_mode = s.sql_mode, .charset_client = s.charset_client, .version = major * 10000 + minor * 100 + patch, .mysql = !r->format.mariadb};
    /* what cannot be read stops capture when it gets there */
    if (!ddl_parse(&r->ddl, s.text, &session, &unread) || r->ddl.role != DDL_STATEMENT || r->ddl.temporary || !defines(r->ddl.kind)) return true;
    r->statements++;
    struct cursor in = cursor_of(buf_bytes(&r->ddl.tables));
    while (statement_tables_next(&in, &database, &table)) note(r->ahead, database.size ? database : s.database, table, s.text, r->file, r->has_offsets ? r->offset : 0);
    return true;
}

static bool take_rotate(struct reading *r, const struct event *event)
{
    struct cursor in = cursor_of(event->body);
    char name[SOURCE_FILE_MAX];
    r->offset = cursor_u64(&in);
    struct slice file = cursor_rest(&in);
    if (in.failed || file.size >= sizeof name) return false;
    memcpy(name, file.data, file.size);
    name[file.size] = 0;
    r->has_offsets = file.size < 4 || strcmp(name + file.size - 4, ".ibb");
    return source_file_number(name, &r->file);
}

/* log_pos has 32 bits, and is 0 where the server did not know it. */
static void advance(struct reading *r, const struct event *event)
{
    if (event->flags & EVENT_FLAG_ARTIFICIAL) return;
    r->offset += event->raw.size;
    if (event->log_pos) r->offset += (uint32_t)(event->log_pos - (uint32_t)r->offset);
}

static bool take(struct reading *r, struct slice raw, struct err *err)
{
    struct event event;
    if (!event_decode(raw, &r->format, false, &event, err)) return false;
    switch (event.type) {
    case EVENT_ROTATE:
        if (event.flags & EVENT_FLAG_RELAY_LOG || take_rotate(r, &event)) return true;
        return err_set(err, ERR_CORRUPT, "a ROTATE without the name of a file");
    case EVENT_FORMAT_DESCRIPTION:
        if (!event_format_decode(&event, &r->format, err)) return false;
        break;
    case EVENT_QUERY: case EVENT_QUERY_COMPRESSED:
        advance(r, &event);
        return take_query(r, &event, err);
    default: break;
    }
    advance(r, &event);
    return true;
}

static bool listen(struct ahead *a, const struct source_driver *driver, struct source *source, const struct source_pos *from, struct err *err)
{
    const struct source_info *info = driver->info(source);
    uint64_t since_us = clock_us(), bytes = 0;
    bool ok = driver->dump(source, from, err), end = false;
    struct reading r = {.ahead = a, .format = event_format_default(info->version.flavour == DB_MARIADB, info->checksum), .unpack = unpack_new(), .has_offsets = true};
    context_init(&r.context);
    ddl_init(&r.ddl);
    driver->patience(source, PATIENCE_MS);
    while (ok && !end) {
        struct slice event = {NULL, 0};
        ok = driver->next(source, &event, &end, err) && (end || take(&r, event, err));
        bytes += event.size;
        if (ok && !end && a->stopped) ok = err_set(err, ERR_RETRY, "stopped");
    }
    uint64_t ms = (clock_us() - since_us) / 1000;
    if (ok && ms > TOLD_MS)
        log_info("source.looked_ahead", "bytes=%llu ddl=%llu ms=%llu text=\"for statements that change tables whose names are asked of the server\"",
                 (unsigned long long)bytes, (unsigned long long)r.statements, (unsigned long long)ms);
    unpack_free(r.unpack);
    ddl_fini(&r.ddl);
    context_fini(&r.context);
    return ok;
}

/* Up to where the server is now, at the least. */
static bool look(struct ahead *a, const struct source_pos *at, struct err *err)
{
    const struct source_driver *driver = NULL;
    struct source *source = NULL;
    struct source_pos from;
    if (!source_open(&a->settings, a->host, &driver, &source, err)) return false;
    const struct source_info *info = driver->info(source);
    source_pos_copy(&from, a->begun ? &a->until : at);
    bool ok = listen(a, driver, source, &from, err);
    if (ok) {
        memset(&a->until, 0, sizeof a->until);
        gtid_set_copy(&a->until.gtids, &info->end);
        a->begun = true;
    }
    driver->close(source);
    return ok || err_context(err, "looking through the source's binary log for what changes tables");
}

bool ahead_clear(struct ahead *a, const struct source_pos *at, struct slice database, struct slice table, struct err *err)
{
    uint32_t file = 0;
    if (!look(a, at, err)) return false;
    (void)source_file_number(at->file, &file);
    for (size_t i = 0; i < a->count; i++) {
        const struct found *f = &a->found[i];
        if (!slice_is(database, f->database) || (*f->table && !slice_is(table, f->table))) continue;
        if (f->file < file || (f->file == file && f->offset && f->offset <= at->offset)) continue;
        return err_set(err, ERR_STOP, "%.*s.%.*s: its columns' names are not in the log, and the source is past a statement that changes it, so that they cannot be asked "
                       "there: \"%s\" (file %u, before offset %llu); what to do: give the definition that it had before: wolfctl schema set DB.TABLE FILE.sql", SLICE_ARG(database), SLICE_ARG(table), f->text, f->file, (unsigned long long)f->offset);
    }
    return true;
}
