/*
 * http_json.c: a change as request bodies, in the shapes of man 5 wolfcdc-http. Values are those of the JSON lines (src/render.c), but for
 * JSON columns: their text goes as it is, as a string, so that an object among the values is always {"base64":…}.
 *
 *   insert              upsert {values, update_columns}: may come again after a crash
 *   update              update {set, where_key}; all that the after image holds is set, so that a target that differed is right again.
 *                       What may come again: upsert, for a rival may have made room for another (http.c)
 *   update of the key   delete + upsert, for the row may have been moved already; with an incomplete after image, or where foreign keys
 *                       would follow the delete: update, the old key in where_key
 *   delete              delete {where_key}
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "charset.h"
#include "http.h"
#include "json.h"
#include "render.h"

static const size_t BODY_MAX = UINT64_C(8) << 30;
enum { KEEP_MAX = 8 << 20 };
enum { PICK_KEY = 1, PICK_REST = 2, PICK_ALL = 3 };

struct http_column {
    struct column column; /* the source's, as it is to be rendered */
    struct slice name;    /* the target's */
    bool generated;
    uint8_t pick;         /* PICK_KEY or PICK_REST */
};
struct http_table {
    const struct table *source;
    struct slice name;            /* "database.table" */
    struct http_column *columns;  /* the source's order */
    uint32_t key_count;
    uint16_t *key;
    uint32_t other_count;         /* other unique keys */
    struct other { uint32_t count; uint16_t *columns; } *others;
    bool foreign;                 /* child or parent of a foreign key */
    struct arena arena;
};

const char *http_path(enum http_verb verb)
{
    static const char *const paths[HTTP_VERBS] = {[HTTP_INSERT] = "/write/insert", [HTTP_UPDATE] = "/write/update", [HTTP_DELETE] = "/write/delete",
                                                  [HTTP_UPSERT] = "/write/upsert", [HTTP_DDL] = "/write/ddl"};
    return paths[verb];
}

/* ---- tables ---- */

/* As it is, unless it could be taken for something else. */
static void put_name(struct buf *out, struct slice name)
{
    bool plain = name.size && !memchr(name.data, '.', name.size) && !memchr(name.data, '`', name.size);
    if (plain) buf_slice(out, name);
    else db_quote_name(out, name);
}

static void put_table_name(struct buf *out, struct slice database, struct slice table)
{
    put_name(out, database);
    buf_u8(out, '.');
    put_name(out, table);
}

static bool map_column(struct http_table *table, const struct target_table *target, uint32_t i, struct err *err)
{
    const struct table *source = table->source;
    struct http_column *c = &table->columns[i];
    int at = source->named ? target_column(target, source->columns[i].name) : (int)i;
    c->column = source->columns[i];
    c->pick = PICK_REST;
    if (at < 0 && i >= source->column_count - source->hash_count) { /* the target makes its own hashes */
        c->name = arena_copy(&table->arena, c->column.name);
        c->generated = true;
        return true;
    }
    if (at < 0) return err_set(err, ERR_STOP, "the target's %.*s has no column `%.*s`", SLICE_ARG(table->name), SLICE_ARG(c->column.name));
    if (c->column.kind == COLUMN_JSON) c->column.kind = COLUMN_TEXT;
    if (!c->column.sign_known) c->column.is_unsigned = target->columns[at].is_unsigned;
    c->name = arena_copy(&table->arena, target->columns[at].name);
    c->generated = target->columns[at].generated;
    return true;
}

static int source_column(const struct http_table *table, struct slice name)
{
    for (uint32_t i = 0; i < table->source->column_count; i++)
        if (slice_equal(table->columns[i].name, name)) return (int)i;
    return -1;
}

/* As indices of the source's columns; false when it lacks one. */
static bool take_key(const struct http_table *table, const struct target_table *target, const struct target_key *key, uint16_t *to)
{
    for (uint16_t i = 0; i < key->count; i++) {
        int at = source_column(table, target->columns[key->columns[i]].name);
        if (at < 0) return false;
        to[i] = (uint16_t)at;
    }
    return true;
}

/* The first of the target's unique keys without NULLs, the primary key before others, that the source has too. */
static bool choose_key(struct http_table *table, const struct target_table *target, struct err *err)
{
    table->others = arena_alloc(&table->arena, (target->key_count + 1) * sizeof *table->others);
    for (uint32_t k = 0; k < target->key_count; k++) {
        const struct target_key *key = &target->keys[k];
        uint16_t *columns = arena_alloc(&table->arena, key->count * sizeof *columns);
        if (!take_key(table, target, key, columns)) continue;
        if (!table->key && key->not_null) table->key = columns, table->key_count = key->count;
        else table->others[table->other_count++] = (struct other){key->count, columns};
    }
    if (target->sequence)
        return err_set(err, ERR_UNSUPPORTED, "%.*s is a SEQUENCE, which the REST contract cannot set: exclude it in this sink, and set it on the target before the switch",
                       SLICE_ARG(table->name));
    if (!table->key)
        return err_set(err, ERR_UNSUPPORTED, "%.*s has no primary key and no unique key without NULLs on the target: the http sink cannot say which row it means",
                       SLICE_ARG(table->name));
    for (uint32_t i = 0; i < table->key_count; i++) table->columns[table->key[i]].pick = PICK_KEY;
    return true;
}

static bool fill_table(struct http_table *table, const struct target_table *target, struct err *err)
{
    const struct table *source = table->source;
    struct buf name;
    buf_init(&name, 4096);
    put_table_name(&name, source->database, source->name);
    table->name = arena_copy(&table->arena, buf_bytes(&name));
    buf_fini(&name);
    if (!target->exists) return err_set(err, ERR_STOP, "the target has no table %.*s", SLICE_ARG(table->name));
    if (target->versioned && table_column(source, target->columns[target->period[1]].name) >= 0)
        return err_set(err, ERR_UNSUPPORTED, "%.*s is system-versioned on the source, and the REST contract has no place for its history: exclude it in this sink", SLICE_ARG(table->name));
    if (!source->named && source->column_count != target->column_count)
        return err_set(err, ERR_STOP, "%.*s: the source sent no column names, and it has %u columns where the target has %u",
                       SLICE_ARG(table->name), source->column_count, target->column_count);
    table->columns = arena_alloc(&table->arena, (source->column_count + 1) * sizeof *table->columns);
    for (uint32_t i = 0; i < source->column_count; i++)
        if (!map_column(table, target, i, err)) return false;
    table->foreign = target->foreign;
    return choose_key(table, target, err);
}

bool http_table_new(const struct table *source, const struct target_table *target, struct http_table **out, struct err *err)
{
    struct http_table *table = calloc(1, sizeof *table);
    if (!table) abort();
    arena_init(&table->arena);
    table->source = source;
    if (!fill_table(table, target, err)) {
        http_table_free(table);
        return false;
    }
    *out = table;
    return true;
}

void http_table_free(struct http_table *table)
{
    if (!table) return;
    arena_fini(&table->arena);
    free(table);
}

/* ---- life ---- */

void http_json_init(struct http_json *json)
{
    *json = (struct http_json){.render = render_new(RENDER_JSON), .charsets = charset_cache_new(),
                               .before = calloc(COLUMN_COUNT_MAX, sizeof *json->before), .after = calloc(COLUMN_COUNT_MAX, sizeof *json->after)};
    if (!json->before || !json->after) abort();
    buf_init(&json->text, BODY_MAX);
    for (unsigned i = 0; i < HTTP_REQUESTS_MAX; i++) buf_init(&json->requests[i].body, BODY_MAX);
}

void http_json_fini(struct http_json *json)
{
    if (!json->render) return;
    render_free(json->render);
    charset_cache_free(json->charsets);
    free(json->before);
    free(json->after);
    buf_fini(&json->text);
    for (unsigned i = 0; i < HTTP_REQUESTS_MAX; i++) buf_fini(&json->requests[i].body);
    *json = (struct http_json){0};
}

static void begin(struct http_json *json)
{
    json->count = 0;
    for (unsigned i = 0; i < HTTP_REQUESTS_MAX; i++) {
        struct buf *body = &json->requests[i].body;
        if (body->room > KEEP_MAX) {
            buf_fini(body);
            buf_init(body, BODY_MAX);
        }
        buf_clear(body);
    }
}

static struct json add_request(struct http_json *json, enum http_verb verb)
{
    assert(json->count < HTTP_REQUESTS_MAX);
    struct http_request *request = &json->requests[json->count++];
    request->verb = verb;
    struct json to = json_on(&request->body);
    json_open(&to, '{');
    return to;
}

static bool check_full(const struct http_json *json, struct err *err)
{
    for (unsigned i = 0; i < json->count; i++)
        if (json->requests[i].body.full) return err_set(err, ERR_LIMIT, "a request would have more than %zu bytes", BODY_MAX);
    return true;
}

/* ---- rows ---- */

static bool is_picked(const struct http_column *column, unsigned pick) { return (column->pick & pick) && !column->generated; }

static void put_column(struct http_json *json, struct json *to, const struct http_column *column, const struct value *value)
{
    json_name_slice(to, column->name);
    render_value(json->render, &column->column, value, to->out);
    to->comma = true;
}

static void put_columns(struct http_json *json, struct json *to, const char *name, const struct http_table *table, const struct value *values,
                        unsigned pick)
{
    json_name(to, name);
    json_open(to, '{');
    for (uint32_t i = 0; i < table->source->column_count; i++) {
        const struct http_column *c = &table->columns[i];
        if (!is_picked(c, pick) || values[i].state == VALUE_ABSENT) continue;
        put_column(json, to, c, &values[i]);
    }
    json_close(to, '}');
}

static void put_table(struct json *to, const struct http_table *table)
{
    json_name(to, "table");
    json_text(to, table->name);
}

static void add_delete(struct http_json *json, const struct http_table *table)
{
    struct json to = add_request(json, HTTP_DELETE);
    put_table(&to, table);
    put_columns(json, &to, "where_key", table, json->before, PICK_KEY);
    json_close(&to, '}');
}

static void add_upsert(struct http_json *json, const struct http_table *table)
{
    struct json to = add_request(json, HTTP_UPSERT);
    put_table(&to, table);
    put_columns(json, &to, "values", table, json->after, PICK_ALL);
    json_name(&to, "update_columns");
    json_open(&to, '[');
    for (uint32_t i = 0; i < table->source->column_count; i++)
        if (is_picked(&table->columns[i], PICK_REST) && json->after[i].state != VALUE_ABSENT) json_text(&to, table->columns[i].name);
    json_close(&to, ']');
    json_close(&to, '}');
}

static void add_update(struct http_json *json, const struct http_table *table, unsigned pick)
{
    struct json to = add_request(json, HTTP_UPDATE);
    put_table(&to, table);
    put_columns(json, &to, "set", table, json->after, pick);
    put_columns(json, &to, "where_key", table, json->before, PICK_KEY);
    json_close(&to, '}');
}

static bool differs(const struct value *before, const struct value *after)
{
    return after->state != VALUE_ABSENT && (before->state != after->state || !slice_equal(before->bytes, after->bytes));
}

static bool key_moves(const struct http_json *json, const struct http_table *table)
{
    for (uint32_t i = 0; i < table->key_count; i++)
        if (differs(&json->before[table->key[i]], &json->after[table->key[i]])) return true;
    return false;
}

/* How many columns the after image can write; *whole: these are all that there are. */
static uint32_t assigned(const struct http_json *json, const struct http_table *table, unsigned pick, bool *whole)
{
    uint32_t count = 0;
    *whole = true;
    for (uint32_t i = 0; i < table->source->column_count; i++) {
        if (table->columns[i].generated) continue;
        if (json->after[i].state == VALUE_ABSENT) *whole = false;
        else if (is_picked(&table->columns[i], pick)) count++;
    }
    return count;
}

static void add_changed(struct http_json *json, const struct http_table *table, bool again)
{
    bool whole, moves = key_moves(json, table);
    uint32_t count = assigned(json, table, moves ? PICK_ALL : PICK_REST, &whole);
    if (moves && whole && !table->foreign) {
        add_delete(json, table);
        add_upsert(json, table);
    } else if (!moves && count && again && whole) {
        add_upsert(json, table);
    } else if (count) {
        add_update(json, table, moves ? PICK_ALL : PICK_REST);
    }
}

static bool key_is_known(const struct http_json *json, const struct http_table *table, struct err *err)
{
    for (uint32_t i = 0; i < table->key_count; i++)
        if (json->before[table->key[i]].state != VALUE_PRESENT)
            return err_set(err, ERR_STOP, "%.*s: the source's before image lacks the key column `%.*s`", SLICE_ARG(table->name),
                           SLICE_ARG(table->columns[table->key[i]].name));
    return true;
}

static bool read_values(struct http_json *json, const struct change *change, struct err *err)
{
    bool fits = (change->kind == CHANGE_INSERT || row_values(change->table, &change->before, json->before)) &&
                (change->kind == CHANGE_DELETE || row_values(change->table, &change->after, json->after));
    return fits || err_set(err, ERR_CORRUPT, "LSN %llu: the row does not fit its table", (unsigned long long)change->lsn);
}

bool http_json_row(struct http_json *json, const struct http_table *table, const struct change *change, bool again, struct err *err)
{
    assert(table->source == change->table);
    begin(json);
    if (!read_values(json, change, err)) return false;
    if (change->kind != CHANGE_INSERT && !key_is_known(json, table, err)) return false;
    if (change->kind == CHANGE_INSERT) add_upsert(json, table);
    else if (change->kind == CHANGE_DELETE) add_delete(json, table);
    else add_changed(json, table, again);
    return check_full(json, err);
}

static bool is_valued(const struct http_json *json, const struct other *key)
{
    for (uint32_t i = 0; i < key->count; i++)
        if (json->after[key->columns[i]].state != VALUE_PRESENT) return false;
    return true;
}

bool http_json_rival(struct http_json *json, const struct http_table *table, uint32_t n)
{
    bool whole;
    assigned(json, table, PICK_ALL, &whole);
    if (table->foreign || !whole) return false;
    for (uint32_t k = 0; k < table->other_count; k++) {
        if (!is_valued(json, &table->others[k]) || n--) continue;
        begin(json);
        struct json to = add_request(json, HTTP_DELETE);
        put_table(&to, table);
        json_name(&to, "where_key");
        json_open(&to, '{');
        for (uint32_t i = 0; i < table->others[k].count; i++) put_column(json, &to, &table->columns[table->others[k].columns[i]], &json->after[table->others[k].columns[i]]);
        json_close(&to, '}');
        json_close(&to, '}');
        return true;
    }
    return false;
}

void http_json_name(struct http_json *json, const struct http_table *table, const struct change *change, char *text, size_t room)
{
    const struct value *values = change->kind == CHANGE_INSERT ? json->after : json->before;
    buf_clear(&json->text);
    struct json to = json_on(&json->text);
    json_open(&to, '{');
    for (uint32_t i = 0; i < table->key_count; i++) put_column(json, &to, &table->columns[table->key[i]], &values[table->key[i]]);
    json_close(&to, '}');
    size_t size = json->text.size < 160 ? json->text.size : 160;
    while (size && size < json->text.size && (json->text.data[size] & 0xc0) == 0x80) size--; /* no half character */
    snprintf(text, room, "%.*s %.*s%s", SLICE_ARG(table->name), (int)size, (const char *)json->text.data, size < json->text.size ? "..." : "");
}

/* ---- statements ---- */

/* The first table named; *session_database: some name has no database before it, or none can be seen. */
static bool first_table(const struct statement *statement, struct buf *name, bool *session_database)
{
    struct cursor in = cursor_of(statement->tables);
    struct slice database, table;
    bool any = false;
    *session_database = false;
    while (statement_tables_next(&in, &database, &table)) {
        if (!database.size) *session_database = true;
        if (!any && table.size) put_table_name(name, database.size ? database : statement->database, table);
        any |= table.size > 0;
    }
    if (!any) *session_database = true;
    return any;
}

static bool is_of_database(const struct statement *s) { return s->kind >= STATEMENT_CREATE_DATABASE && s->kind <= STATEMENT_DROP_DATABASE; }

bool http_json_statement(struct http_json *json, const struct statement *statement, struct slice text, struct err *err)
{
    bool session_database;
    uint16_t collation = statement->context & CONTEXT_CHARSET ? statement->charset_client : 0;
    begin(json);
    buf_clear(&json->text);
    if (!charset_to_utf8(json->charsets, collation, text, &json->text))
        return err_set(err, ERR_UNSUPPORTED, "a statement in %s cannot be said as UTF-8", charset_name(collation) ? charset_name(collation) : "an unknown character set");
    struct json to = add_request(json, HTTP_DDL);
    json_name(&to, "ddl");
    json_text(&to, buf_bytes(&json->text));
    buf_clear(&json->text);
    bool has_table = first_table(statement, &json->text, &session_database);
    json_name(&to, "table");
    if (has_table) json_text(&to, buf_bytes(&json->text));
    else json_null(&to);
    json_name(&to, "database");
    if (session_database && statement->database.size && !is_of_database(statement)) json_text(&to, statement->database);
    else json_null(&to);
    render_session(statement, &to);
    json_close(&to, '}');
    return check_full(json, err);
}
