/* seed_objects.c: what the donor has: databases, tables, sequences, routines, views; and these on the node. Triggers and events wait for cutover. */
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "intent.h"
#include "log.h"
#include "seed_parts.h"

static const char *const kind_names[SEED_KINDS] = {"TABLE", "SEQUENCE", "VIEW", "PROCEDURE", "FUNCTION"};

void seed_init(struct seed *s)
{
    const struct filter_settings *all = &s->options->all->filter;
    bool compiled = filter_new(&all->include, &all->exclude, &s->filter, NULL) &&
                    filter_new(&s->options->sink->include, &s->options->sink->exclude, &s->sink_filter, NULL);
    if (!compiled) abort(); /* capture and the sink have compiled them before */
}

void seed_fini(struct seed *s)
{
    filter_free(s->filter);
    filter_free(s->sink_filter);
    seed_objects_free(&s->objects);
}

static bool wants(const struct seed *s, const char *database, const char *name)
{
    return filter_wants(s->filter, slice_text(database), slice_text(name)) && filter_wants(s->sink_filter, slice_text(database), slice_text(name));
}

void seed_say(struct seed *s, const char *database, const char *name, bool force)
{
    uint64_t now = clock_us();
    static _Thread_local char at[300];
    if (database) snprintf(at, sizeof at, "%.120s.%.120s", database, name);
    if (!s->options->say || (!force && now - s->said_us < SEED_SAY_US)) return;
    s->said_us = now;
    s->options->say(s->options->context, "seeding from %s: table %zu of %zu, %s, %llu rows, %.1f MB/s", s->options->donor->host, s->table + 1, s->tables, at,
                    (unsigned long long)s->rows, (double)s->bytes / (double)(now - s->began_us + 1));
}

bool seed_exec(struct db *db, struct err *err, const char *before, const struct seed_object *o, const char *after)
{
    struct buf sql;
    buf_init(&sql, 1 << 20);
    buf_text(&sql, before);
    db_quote_name(&sql, slice_text(o->database));
    if (o->name) {
        buf_u8(&sql, '.');
        db_quote_name(&sql, slice_text(o->name));
    }
    buf_text(&sql, after);
    bool ok = db_exec_bytes(db, buf_bytes(&sql), err);
    buf_fini(&sql);
    return ok;
}

/* ---- reading ---- */

static char *copied(const char *text)
{
    char *copy = text ? strdup(text) : NULL;
    if (text && !copy) abort();
    return copy;
}

static struct seed_object *add(struct seed_objects *list, enum seed_kind kind, const char *database, const char *name)
{
    if (list->count == list->room) {
        list->room = list->room ? list->room * 2 : 64;
        list->items = reallocarray(list->items, list->room, sizeof *list->items);
        if (!list->items) abort();
    }
    struct seed_object *o = &list->items[list->count++];
    *o = (struct seed_object){.kind = kind, .database = copied(database), .name = copied(name)};
    return o;
}

void seed_objects_free(struct seed_objects *list)
{
    for (size_t i = 0; i < list->count; i++) {
        struct seed_object *o = &list->items[i];
        char *parts[] = {o->database, o->name, o->text, o->sql_mode, o->client, o->connection};
        for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) free(parts[k]);
    }
    free(list->items);
    *list = (struct seed_objects){0};
}

static int by_name(const void *a, const void *b)
{
    const struct seed_object *x = a, *y = b;
    int order = (x->kind > y->kind) - (x->kind < y->kind);
    if (!order) order = strcmp(x->database, y->database);
    return order ? order : strcmp(x->name, y->name);
}

static void hold_back(struct seed *s, const char *kind, const char *database, const char *name)
{
    size_t used = strlen(s->held_back);
    snprintf(s->held_back + used, sizeof s->held_back - used, "%s%s %s.%s", used ? ", " : "", kind, database, name);
}

/* By the end of its text, or before its partitions: no comment has a line break as it is. */
static bool is_versioned(const char *text)
{
    static const char clause[] = " WITH SYSTEM VERSIONING";
    size_t n = strlen(text);
    return strstr(text, " WITH SYSTEM VERSIONING\n PARTITION BY ") || (n >= sizeof clause - 1 && strcmp(text + n - (sizeof clause - 1), clause) == 0);
}

/* SHOW CREATE: the text is in a column called "Create …", or for a routine third. Without the right to see it there is none. */
static bool read_text(struct seed *s, struct seed_object *o, struct err *err)
{
    struct db_result *r;
    struct buf sql;
    buf_init(&sql, 8192);
    buf_printf(&sql, "SHOW CREATE %s ", kind_names[o->kind]);
    db_quote_name(&sql, slice_text(o->database));
    buf_u8(&sql, '.');
    db_quote_name(&sql, slice_text(o->name));
    bool ok = db_query(s->donor, &r, err, "%s", buf_cstr(&sql));
    buf_fini(&sql);
    if (!ok) return false;
    static const struct { const char *column; size_t at; } session[] = {{"sql_mode", offsetof(struct seed_object, sql_mode)},
        {"character_set_client", offsetof(struct seed_object, client)}, {"collation_connection", offsetof(struct seed_object, connection)}};
    for (size_t i = 0; i < sizeof session / sizeof *session; i++) {
        int column = db_column_index(r, session[i].column);
        if (column < 0 || !r->row_count) continue;
        char *value = copied(db_value(r, 0, (uint32_t)column, NULL));
        memcpy((char *)o + session[i].at, &value, sizeof value);
    }
    const char *text = r->row_count ? db_value(r, 0, o->kind >= SEED_PROCEDURE ? 2 : 1, NULL) : NULL;
    o->text = copied(text ? text : "");
    db_result_free(r);
    if (o->kind != SEED_TABLE || !is_versioned(o->text)) return true;
    return err_set(err, ERR_UNSUPPORTED, "%s.%s is system-versioned, and its history would not be copied; what to do: exclude it in the sink, or copy the node as a whole "
                   "(mariadb-backup)", o->database, o->name);
}

static bool read_list(struct seed *s, struct db *db, struct seed_objects *list, const char *sql, struct err *err)
{
    struct db_result *r;
    if (!db_query(db, &r, err, "%s", sql)) return false;
    for (uint64_t i = 0; i < r->row_count; i++) {
        const char *type = db_value(r, i, 2, NULL), *database = db_value(r, i, 0, NULL), *name = db_value(r, i, 1, NULL);
        enum seed_kind kind = SEED_TABLE;
        if (!wants(s, database, name)) continue;
        for (unsigned k = 1; k < SEED_KINDS; k++)
            if (strcmp(type, kind_names[k]) == 0) kind = k;
        add(list, kind, database, name)->unheld = strcmp(db_value(r, i, 3, NULL), "YES") != 0;
    }
    db_result_free(r);
    if (list->count) qsort(list->items, list->count, sizeof *list->items, by_name);
    return true;
}

#define OURS " NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys', 'wolfcdc')"
#define ALL \
    "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE, IFNULL((SELECT e.TRANSACTIONS FROM information_schema.ENGINES e WHERE e.ENGINE=t.ENGINE), 'NO') " \
    "FROM information_schema.TABLES t WHERE TABLE_SCHEMA" OURS " UNION ALL " \
    "SELECT ROUTINE_SCHEMA, ROUTINE_NAME, ROUTINE_TYPE, '' FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA" OURS \
    " AND ROUTINE_TYPE IN ('PROCEDURE', 'FUNCTION')"
static const char list_all[] = ALL;
static const char list_names[] = ALL " UNION ALL SELECT SCHEMA_NAME, 'any', '', '' FROM information_schema.SCHEMATA WHERE SCHEMA_NAME" OURS;
static const char list_held_back[] =
    "SELECT TRIGGER_SCHEMA, TRIGGER_NAME, 'trigger' FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA" OURS " UNION ALL "
    "SELECT EVENT_SCHEMA, EVENT_NAME, 'event' FROM information_schema.EVENTS WHERE EVENT_SCHEMA" OURS;

static bool note_held_back(struct seed *s, struct err *err)
{
    struct db_result *r;
    if (!db_query(s->donor, &r, err, "%s", list_held_back)) return false;
    s->held_back[0] = 0;
    for (uint64_t i = 0; i < r->row_count; i++) hold_back(s, db_value(r, i, 2, NULL), db_value(r, i, 0, NULL), db_value(r, i, 1, NULL));
    db_result_free(r);
    return true;
}

bool seed_objects_read(struct seed *s, struct err *err)
{
    struct seed_objects *list = &s->objects;
    bool ok = note_held_back(s, err) && read_list(s, s->donor, list, list_all, err) && db_exec(s->donor, err, "SET NAMES utf8mb4");
    for (size_t i = 0; ok && i < list->count; i++) ok = read_text(s, &list->items[i], err);
    ok = ok && db_exec(s->donor, err, "SET NAMES binary");
    for (size_t i = 0; ok && i < list->count && list->items[i].kind == SEED_TABLE; i++)
        ok = intent_hash_table(s->donor, slice_text(list->items[i].database), slice_text(list->items[i].name), &list->items[i].hash, err);
    return ok;
}

bool seed_names_read(struct seed *s, struct err *err)
{
    return read_list(s, s->donor, &s->objects, list_names, err);
}

bool seed_object_read(struct seed *s, const char *database, const char *name, struct err *err)
{
    add(&s->objects, SEED_TABLE, database, name);
    return db_exec(s->donor, err, "SET NAMES utf8mb4") && read_text(s, &s->objects.items[s->objects.count - 1], err) &&
           db_exec(s->donor, err, "SET NAMES binary");
}

bool seed_packet(struct seed *s, struct err *err)
{
    char text[32];
    if (!db_scalar(s->node, text, sizeof text, NULL, err, "SELECT @@max_allowed_packet")) return false;
    s->packet = strtoull(text, NULL, 10);
    return true;
}

/* ---- on the node ---- */

static bool has_database(const struct seed *s, const char *database)
{
    for (size_t i = 0; i < s->objects.count; i++)
        if (strcmp(s->objects.items[i].database, database) == 0) return true;
    return false;
}

/* Those with a name that the filter could let a table of pass, with their own character set. */
bool seed_databases(struct seed *s, struct err *err)
{
    struct db_result *r;
    bool ok = true;
    if (!db_query(s->donor, &r, err, "SELECT SCHEMA_NAME, DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA "
                  "WHERE SCHEMA_NAME" OURS)) return false;
    for (uint64_t i = 0; ok && i < r->row_count; i++) {
        struct seed_object o = {.database = (char *)(uintptr_t)db_value(r, i, 0, NULL)};
        char after[200];
        if (!has_database(s, o.database) && !wants(s, o.database, "any")) continue;
        snprintf(after, sizeof after, " CHARACTER SET %.60s COLLATE %.60s", db_value(r, i, 1, NULL), db_value(r, i, 2, NULL));
        ok = seed_exec(s->node, err, "CREATE DATABASE IF NOT EXISTS ", &o, "") && seed_exec(s->node, err, "ALTER DATABASE ", &o, after);
    }
    db_result_free(r);
    return ok;
}

/* What is there, in the donor's databases only: others may be somebody else's. */
bool seed_drop(struct seed *s, struct err *err)
{
    struct seed_objects there = {0};
    bool ok = read_list(s, s->node, &there, list_all, err);
    for (size_t i = there.count; ok && i-- > 0;) {
        const struct seed_object *o = &there.items[i];
        char before[40];
        if (!has_database(s, o->database)) continue;
        snprintf(before, sizeof before, "DROP %s IF EXISTS ", kind_names[o->kind]);
        ok = seed_exec(s->node, err, before, o, "");
    }
    seed_objects_free(&there);
    return ok;
}

/* With the session in which it was made: character sets and sql_mode are part of a routine. */
static bool make(struct seed *s, const struct seed_object *o, struct err *err)
{
    struct buf sql;
    buf_init(&sql, 8192);
    buf_text(&sql, "SET NAMES utf8mb4, sql_mode=");
    db_quote(&sql, slice_text(o->sql_mode ? o->sql_mode : ""));
    if (o->connection) buf_printf(&sql, ", collation_connection=%.64s", o->connection);
    bool ok = seed_exec(s->node, err, "USE ", &(struct seed_object){.database = o->database}, "") && db_exec_bytes(s->node, buf_bytes(&sql), err) &&
              db_exec_bytes(s->node, slice_text(o->text), err);
    buf_fini(&sql);
    return ok;
}

static bool set_sequence(struct seed *s, const struct seed_object *o, struct err *err)
{
    struct buf sql;
    struct db_result *r;
    buf_init(&sql, 8192);
    buf_text(&sql, "SELECT next_not_cached_value, cycle_count FROM ");
    db_quote_name(&sql, slice_text(o->database));
    buf_u8(&sql, '.');
    db_quote_name(&sql, slice_text(o->name));
    bool ok = db_query(s->donor, &r, err, "%s", buf_cstr(&sql));
    if (ok) {
        char after[80];
        snprintf(after, sizeof after, ", %.24s, 0, %.24s)", db_value(r, 0, 0, NULL), db_value(r, 0, 1, NULL));
        ok = seed_exec(s->node, err, "SELECT SETVAL(", o, after);
        db_result_free(r);
    }
    buf_fini(&sql);
    return ok;
}

/* As with a table: the donor's DDL need not wait for what is done with. */
static bool make_one(struct seed *s, const struct seed_object *o, struct err *err)
{
    struct err back = {0};
    if (!make(s, o, err)) return false;
    if (o->kind != SEED_SEQUENCE) return true;
    bool ok = db_exec(s->donor, err, "SAVEPOINT before_sequence") && set_sequence(s, o, err);
    return db_exec(s->donor, &back, "ROLLBACK TO SAVEPOINT before_sequence") && ok;
}

/* A view may look at a view that is yet to be made: those that fail are tried again as long as any succeeds. What fails then is not copied, and said. */
bool seed_rest(struct seed *s, bool sequences, struct err *err)
{
    size_t left = 0, before;
    bool *done = calloc(s->objects.count + 1, sizeof *done);
    struct err last = {0};
    if (!done) abort();
    do {
        before = left;
        left = 0;
        for (size_t i = 0; i < s->objects.count; i++) {
            const struct seed_object *o = &s->objects.items[i];
            if (o->kind == SEED_TABLE || (o->kind == SEED_SEQUENCE) != sequences || done[i]) continue;
            done[i] = o->text[0] && make_one(s, o, &last);
            left += !done[i];
        }
    } while (left && left != before);
    for (size_t i = 0; i < s->objects.count; i++) {
        const struct seed_object *o = &s->objects.items[i];
        if (o->kind == SEED_TABLE || (o->kind == SEED_SEQUENCE) != sequences || done[i]) continue;
        log_warning("sink.seed", "text=\"%s %s.%s was not copied: %s\"", kind_names[o->kind], o->database, o->name, o->text[0] ? last.text : "its text cannot be seen by our account");
        hold_back(s, kind_names[o->kind], o->database, o->name);
    }
    free(done);
    return db_exec(s->node, err, "SET NAMES binary, sql_mode='STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO'") && db_exec(s->node, err, "COMMIT");
}
