/* schema.c: see schema.h. */
#include "schema.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "types.h"

enum { SCHEMA_TIMEOUT_MS = 10000, CONNECT_TIMEOUT_MAX_MS = 2500, COLLATION_UTF8MB4_GENERAL = 45, LABELS_MAX = 65535 };

struct schema {
    struct db_options options;
    pthread_mutex_t lock; /* of db, for the interrupt */
    struct db *db;
    struct db_result *collations; /* name and id of each, of this connection's server */
};

struct schema *schema_new(const struct db_options *options)
{
    struct schema *schema = calloc(1, sizeof *schema);
    if (!schema) abort();
    schema->options = *options;
    schema->options.read_timeout_ms = SCHEMA_TIMEOUT_MS;
    if (!schema->options.connect_timeout_ms || schema->options.connect_timeout_ms > CONNECT_TIMEOUT_MAX_MS)
        schema->options.connect_timeout_ms = CONNECT_TIMEOUT_MAX_MS;
    pthread_mutex_init(&schema->lock, NULL);
    return schema;
}

static void disconnect(struct schema *schema)
{
    pthread_mutex_lock(&schema->lock);
    struct db *db = schema->db;
    schema->db = NULL;
    pthread_mutex_unlock(&schema->lock);
    db_close(db);
    db_result_free(schema->collations);
    schema->collations = NULL;
}

void schema_free(struct schema *schema)
{
    if (!schema) return;
    disconnect(schema);
    pthread_mutex_destroy(&schema->lock);
    free(schema);
}

void schema_interrupt(struct schema *schema)
{
    pthread_mutex_lock(&schema->lock);
    if (schema->db) db_shutdown(schema->db);
    pthread_mutex_unlock(&schema->lock);
}

static bool is_mysql(const struct db *db) { return db_version(db)->flavour == DB_MYSQL; }

/* MySQL 8.0.30 can hide a generated primary key from the dictionary; rows and maps have it all the same. */
static bool show_all(struct db *db, struct err *err)
{
    struct err unknown = {0};
    if (!is_mysql(db) || !db_version_at_least(db_version(db), 8, 0)) return true;
    if (db_exec(db, &unknown, "SET SESSION show_gipk_in_create_table_and_information_schema = ON") || unknown.code != ERR_RETRY) return true;
    if (err) *err = unknown;
    return false;
}

static bool ensure_connected(struct schema *schema, struct err *err)
{
    struct db *db;
    if (schema->db) return true;
    if (!db_open(&schema->options, &db, err)) return false;
    if (!show_all(db, err)) {
        db_close(db);
        return false;
    }
    pthread_mutex_lock(&schema->lock);
    schema->db = db;
    pthread_mutex_unlock(&schema->lock);
    return true;
}

/* Once a connection: joined to each table's columns they cost ten times what the columns cost. */
static bool ensure_collations(struct schema *schema, struct err *err)
{
    bool full = !is_mysql(schema->db) && db_version_at_least(db_version(schema->db), 10, 10);
    return schema->collations ||
           db_query(schema->db, &schema->collations, err, "SELECT %s, MIN(ID) FROM information_schema.%s GROUP BY 1",
                    full ? "FULL_COLLATION_NAME" : "COLLATION_NAME", full ? "COLLATION_CHARACTER_SET_APPLICABILITY" : "COLLATIONS");
}

/* 0: none, or one that the server does not list. */
static unsigned collation_id(const struct schema *schema, const char *name)
{
    for (uint64_t row = 0; name && row < schema->collations->row_count; row++) {
        const char *id = db_value(schema->collations, row, 1, NULL), *this = db_value(schema->collations, row, 0, NULL);
        if (id && this && !strcmp(this, name)) return (unsigned)strtoul(id, NULL, 10);
    }
    return 0;
}

/* ---- one column ---- */

/* Which kinds the map can have for a type of the dictionary (its bytes tell no more), what it then is, and its width in bytes
   where that must agree. Two rows of a type: another kind in the map, the same meaning. */
static const struct {
    const char *type;
    enum column_kind kind;
    uint8_t width;
    enum column_kind seen[5]; /* 0 ends; empty: kind itself */
} types[] = {
    {"tinyint", COLUMN_INT, 1, {0}},
    {"smallint", COLUMN_INT, 2, {0}},
    {"mediumint", COLUMN_INT, 3, {0}},
    {"int", COLUMN_INT, 4, {0}},
    {"bigint", COLUMN_INT, 8, {0}},
    {"float", COLUMN_FLOAT, 0, {0}},
    {"double", COLUMN_DOUBLE, 0, {0}},
    {"decimal", COLUMN_DECIMAL, 0, {0}},
    {"year", COLUMN_YEAR, 0, {0}},
    {"date", COLUMN_DATE, 0, {0}},
    {"time", COLUMN_TIME, 0, {0}},
    {"datetime", COLUMN_DATETIME, 0, {0}},
    {"timestamp", COLUMN_TIMESTAMP, 0, {0}},
    {"bit", COLUMN_BIT, 0, {0}},
    {"enum", COLUMN_ENUM, 0, {0}},
    {"set", COLUMN_SET, 0, {0}},
    {"char", COLUMN_CHAR, 0, {COLUMN_CHAR, COLUMN_BINARY}},
    {"binary", COLUMN_BINARY, 0, {COLUMN_CHAR, COLUMN_BINARY}},
    {"uuid", COLUMN_UUID, 0, {COLUMN_CHAR, COLUMN_BINARY, COLUMN_UUID}},
    {"inet4", COLUMN_INET4, 0, {COLUMN_CHAR, COLUMN_BINARY, COLUMN_INET4}},
    {"inet6", COLUMN_INET6, 0, {COLUMN_CHAR, COLUMN_BINARY, COLUMN_INET6}},
    {"varchar", COLUMN_VARCHAR, 0, {COLUMN_VARCHAR, COLUMN_VARBINARY}},
    {"varbinary", COLUMN_VARBINARY, 0, {COLUMN_VARCHAR, COLUMN_VARBINARY}},
    {"vector", COLUMN_VECTOR, 0, {COLUMN_VARCHAR, COLUMN_VARBINARY, COLUMN_VECTOR}},
    {"tinytext", COLUMN_TEXT, 1, {COLUMN_TEXT, COLUMN_BLOB}},
    {"text", COLUMN_TEXT, 2, {COLUMN_TEXT, COLUMN_BLOB}},
    {"mediumtext", COLUMN_TEXT, 3, {COLUMN_TEXT, COLUMN_BLOB}},
    {"longtext", COLUMN_TEXT, 4, {COLUMN_TEXT, COLUMN_BLOB, COLUMN_JSON}},
    {"json", COLUMN_JSON, 4, {COLUMN_TEXT, COLUMN_BLOB, COLUMN_JSON}},
    {"tinyblob", COLUMN_BLOB, 1, {COLUMN_TEXT, COLUMN_BLOB}},
    {"blob", COLUMN_BLOB, 2, {COLUMN_TEXT, COLUMN_BLOB}},
    {"mediumblob", COLUMN_BLOB, 3, {COLUMN_TEXT, COLUMN_BLOB}},
    {"longblob", COLUMN_BLOB, 4, {COLUMN_TEXT, COLUMN_BLOB}},
    {"geometry", COLUMN_GEOMETRY, 0, {0}},
    {"point", COLUMN_GEOMETRY, 1, {0}},
    {"linestring", COLUMN_GEOMETRY, 2, {0}},
    {"polygon", COLUMN_GEOMETRY, 3, {0}},
    {"multipoint", COLUMN_GEOMETRY, 4, {0}},
    {"multilinestring", COLUMN_GEOMETRY, 5, {0}},
    {"multipolygon", COLUMN_GEOMETRY, 6, {0}},
    {"geometrycollection", COLUMN_GEOMETRY, 7, {0}},
    {"geomcollection", COLUMN_GEOMETRY, 7, {0}}, /* as MySQL 8 calls it */
};

static int type_of(const char *name)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!strcasecmp(types[i].type, name)) return (int)i;
    return -1;
}

static bool may_be(int type, enum column_kind seen)
{
    if (!types[type].seen[0]) return types[type].kind == seen;
    for (size_t i = 0; i < sizeof types[type].seen / sizeof *types[type].seen && types[type].seen[i]; i++)
        if (types[type].seen[i] == seen) return true;
    return false;
}

/* A character of a label: both servers double quotes, and write a backslash, NUL and the ends of lines behind a backslash. */
static char take_character(const char **at)
{
    static const char from[] = "0nr", to[] = "\0\n\r";
    if (**at == '\'') ++*at;
    if (**at != '\\' || !(*at)[1]) return **at;
    const char *found = strchr(from, *++*at);
    return found ? to[found - from] : **at;
}

/* The labels of "enum('a','b''c')". */
static bool take_labels(const char *column_type, struct column *to, struct arena *arena)
{
    const char *at = strchr(column_type, '(');
    size_t count = 0, room = strlen(column_type);
    if (!at) return false;
    struct slice *labels = arena_alloc(arena, (room / 3 + 1) * sizeof *labels);
    char *text = arena_alloc(arena, room + 1);
    for (at++; *at == '\''; at += *at == ',') {
        char *begin = text;
        for (at++; *at && (*at != '\'' || at[1] == '\''); at++) *text++ = take_character(&at);
        if (*at != '\'' || count == LABELS_MAX) return false;
        at++;
        labels[count++] = slice_of(begin, (size_t)(text - begin));
    }
    if (*at != ')' || !count) return false;
    to->labels = labels;
    to->label_count = (uint32_t)count;
    to->labels_collation = COLLATION_UTF8MB4_GENERAL; /* the connection's charset */
    return true;
}

/* "decimal(10,2) unsigned", "datetime(6)", "bit(12)": the numbers in the brackets. */
static void take_numbers(const char *column_type, unsigned *first, unsigned *second)
{
    const char *at = strchr(column_type, '(');
    *first = *second = 0;
    if (at && sscanf(at, "(%u,%u)", first, second) < 1) *first = 0;
}

static uint8_t fraction_of(const struct schema_column *from)
{
    unsigned fraction, none;
    take_numbers(from->column_type, &fraction, &none);
    return (uint8_t)fraction;
}

static const char *check_sizes(const struct schema_column *from, const struct column *to, int type)
{
    unsigned first, second;
    take_numbers(from->column_type, &first, &second);
    switch (types[type].kind) {
    case COLUMN_INT: return to->width == types[type].width ? NULL : "another integer width";
    case COLUMN_DECIMAL: return to->precision == first && to->scale == second ? NULL : "another precision or scale";
    case COLUMN_TIME: case COLUMN_DATETIME: case COLUMN_TIMESTAMP:
        return to->scale == first || (types_lacks_fraction(to) && first <= 6) ? NULL : "another fraction";
    case COLUMN_BIT: return to->bits == (first ? first : 1) ? NULL : "another number of bits";
    case COLUMN_TEXT: case COLUMN_BLOB: case COLUMN_JSON: return to->width == types[type].width ? NULL : "another size of text";
    case COLUMN_CHAR: case COLUMN_BINARY: case COLUMN_VARCHAR: case COLUMN_VARBINARY:
        return to->max_bytes == from->octets ? NULL : "another length";
    default: return NULL;
    }
}

bool schema_apply(const struct schema_column *from, struct column *to, struct arena *arena, const char **reason)
{
    int type = type_of(from->data_type);
    struct column made = *to;
    if (type < 0) {
        *reason = "a type that is not known";
        return false;
    }
    if (!may_be(type, to->kind)) {
        *reason = "another type";
        return false;
    }
    *reason = check_sizes(from, to, type);
    if (!*reason && from->nullable != to->nullable) *reason = "NULL allowed on one side only";
    if (*reason) return false;
    made.kind = types[type].kind;
    if (types_lacks_fraction(to)) made.scale = fraction_of(from);
    made.sign_known = true;
    made.is_unsigned = strstr(from->column_type, "unsigned") != NULL || (made.kind == COLUMN_INT && strstr(from->column_type, "zerofill"));
    if (made.kind == COLUMN_GEOMETRY) made.geometry = types[type].width;
    if (from->collation) made.collation = (uint16_t)from->collation;
    else if (!column_is_text(&made)) made.collation = 0;
    if (made.kind == COLUMN_ENUM || made.kind == COLUMN_SET) {
        if (!take_labels(from->column_type, &made, arena)) {
            *reason = "labels that cannot be read";
            return false;
        }
    }
    made.name = slice_of(arena_text(arena, slice_text(from->name)), strlen(from->name));
    *to = made;
    return true;
}

/* ---- a table ---- */

static void show_column(struct buf *out, const struct column *column)
{
    buf_printf(out, "%s", column_kind_name(column->kind));
    if (column->kind == COLUMN_DECIMAL) buf_printf(out, "(%u,%u)", column->precision, column->scale);
    else if (column->kind == COLUMN_BIT) buf_printf(out, "(%u)", column->bits);
    else if (column->max_bytes) buf_printf(out, "(%u bytes)", column->max_bytes);
    else if (column->width) buf_printf(out, "(%u)", column->width);
    else if (column->scale) buf_printf(out, "(%u)", column->scale);
}

static void show_map(struct buf *out, const struct table *draft)
{
    for (uint32_t i = 0; i < draft->column_count; i++) {
        if (i) buf_text(out, ", ");
        show_column(out, &draft->columns[i]);
        if (!draft->columns[i].nullable) buf_text(out, " not null");
    }
}

static void show_server(struct buf *out, const struct db_result *result)
{
    for (uint64_t i = 0; i < result->row_count; i++)
        buf_printf(out, "%s%s %s%s", i ? ", " : "", db_value(result, i, 0, NULL), db_value(result, i, 2, NULL),
                   strcmp(db_value(result, i, 3, NULL), "YES") ? " not null" : "");
}

#define REMEDY_SCHEMA \
    "the table was altered after the event was written; SET GLOBAL binlog_row_metadata=FULL on the source avoids this from " \
    "then on. Leave the table out by [filter] exclude, or start over behind the change"

static bool mismatch(const struct table *draft, const struct db_result *result, uint32_t column, const char *reason, struct err *err)
{
    struct buf map, server;
    buf_init(&map, 400);
    buf_init(&server, 400);
    show_map(&map, draft);
    show_server(&server, result);
    if (map.full) map.size = map.size < 390 ? map.size : 390;
    if (server.full) server.size = server.size < 390 ? server.size : 390;
    if (reason)
        err_set(err, ERR_STOP, "table %.*s.%.*s: column %u of the binary log's map and of the server's definition differ (%s): map (%.*s), server "
                "(%.*s); " REMEDY_SCHEMA, SLICE_ARG(draft->database), SLICE_ARG(draft->name), column + 1, reason,
                SLICE_ARG(buf_bytes(&map)), SLICE_ARG(buf_bytes(&server)));
    else
        err_set(err, ERR_STOP, "table %.*s.%.*s: %u columns in the binary log's map, %llu in the server's definition: map (%.*s), server "
                "(%.*s); " REMEDY_SCHEMA, SLICE_ARG(draft->database), SLICE_ARG(draft->name), draft->column_count,
                (unsigned long long)result->row_count, SLICE_ARG(buf_bytes(&map)), SLICE_ARG(buf_bytes(&server)));
    buf_fini(&map);
    buf_fini(&server);
    return false;
}

/* "TABLE" or "CONSTRAINT": whose schema the view's column is called after. */
static void quoted_names(struct buf *out, const struct table *draft, const char *whose)
{
    buf_printf(out, " WHERE c.%s_SCHEMA = ", whose);
    db_quote(out, draft->database);
    buf_text(out, " AND c.TABLE_NAME = ");
    db_quote(out, draft->name);
}

/* MariaDB keeps the hash of each UNIQUE key over a whole TEXT or BLOB in a BIGINT behind the last column, which its own dictionary does not
   show. *count: how many of the map's last columns are such; 0 where that does not explain the difference. */
static bool count_hashes(const struct schema *schema, const struct table *draft, uint64_t known, uint32_t *count, struct err *err)
{
    struct buf where;
    char text[24];
    bool found;
    *count = 0;
    if (draft->column_count <= known || is_mysql(schema->db)) return true;
    for (uint32_t i = (uint32_t)known; i < draft->column_count; i++)
        if (draft->columns[i].kind != COLUMN_INT || draft->columns[i].width != 8) return true;
    buf_init(&where, 4096);
    quoted_names(&where, draft, "TABLE");
    bool ok = db_scalar(schema->db, text, sizeof text, &found, err, "SELECT COUNT(DISTINCT c.INDEX_NAME) FROM information_schema.STATISTICS c%s "
                        "AND c.NON_UNIQUE = 0 AND c.INDEX_TYPE = 'HASH'", buf_cstr(&where));
    buf_fini(&where);
    if (ok && found && strtoull(text, NULL, 10) == draft->column_count - known) *count = (uint32_t)(draft->column_count - known);
    return ok;
}

static void name_hashes(struct table *draft, uint32_t count, struct arena *arena)
{
    for (uint32_t i = 0; i < count; i++) {
        char name[32];
        int size = snprintf(name, sizeof name, "DB_ROW_HASH_%u", i + 1);
        struct column *column = &draft->columns[draft->column_count - count + i];
        column->name = slice_of(arena_text(arena, slice_text(name)), (size_t)size);
        column->is_unsigned = column->sign_known = true;
    }
}

static bool take_columns(const struct schema *schema, const struct db_result *result, struct table *draft, struct arena *arena, struct err *err)
{
    uint32_t hashes;
    if (!count_hashes(schema, draft, result->row_count, &hashes, err)) return false;
    if (result->row_count != draft->column_count - hashes) return mismatch(draft, result, 0, NULL, err);
    name_hashes(draft, hashes, arena);
    for (uint32_t i = 0; i < draft->column_count - hashes; i++) {
        const char *octets = db_value(result, i, 5, NULL), *reason = NULL;
        struct schema_column from = {
            .name = db_value(result, i, 0, NULL),
            .data_type = db_value(result, i, 1, NULL),
            .column_type = db_value(result, i, 2, NULL),
            .nullable = !strcmp(db_value(result, i, 3, NULL), "YES"),
            .collation = collation_id(schema, db_value(result, i, 4, NULL)),
            .octets = octets ? strtoull(octets, NULL, 10) : 0,
        };
        if (!schema_apply(&from, &draft->columns[i], arena, &reason)) return mismatch(draft, result, i, reason, err);
    }
    return true;
}

static bool ask_columns(struct schema *schema, struct table *draft, struct arena *arena, struct err *err)
{
    struct buf where;
    struct db_result *result;
    buf_init(&where, 4096);
    quoted_names(&where, draft, "TABLE");
    bool ok = db_query(schema->db, &result, err,
                       "SELECT c.COLUMN_NAME, c.DATA_TYPE, c.COLUMN_TYPE, c.IS_NULLABLE, c.COLLATION_NAME, c.CHARACTER_OCTET_LENGTH "
                       "FROM information_schema.COLUMNS c%s ORDER BY c.ORDINAL_POSITION",
                       buf_cstr(&where));
    buf_fini(&where);
    if (!ok) return false;
    if (!result->row_count)
        ok = err_set(err, ERR_STOP, "table %.*s.%.*s: the binary log has no column names (binlog_row_metadata) and our account does not see "
                     "the table's definition, or it is dropped; SET GLOBAL binlog_row_metadata=FULL on the source, and GRANT SELECT ON "
                     "%.*s.* to the account; or leave the table out by [filter] exclude", SLICE_ARG(draft->database), SLICE_ARG(draft->name),
                     SLICE_ARG(draft->database));
    else
        ok = take_columns(schema, result, draft, arena, err);
    db_result_free(result);
    return ok;
}

static bool ask_key(struct schema *schema, struct table *draft, struct arena *arena, struct err *err)
{
    struct buf where;
    struct db_result *result;
    buf_init(&where, 4096);
    quoted_names(&where, draft, "TABLE");
    bool ok = db_query(schema->db, &result, err,
                       "SELECT c.COLUMN_NAME FROM information_schema.STATISTICS c%s AND c.INDEX_NAME = 'PRIMARY' "
                       "ORDER BY c.SEQ_IN_INDEX", buf_cstr(&where));
    buf_fini(&where);
    if (!ok) return false;
    uint16_t *key = arena_alloc(arena, (result->row_count + 1) * sizeof *key);
    uint32_t count = 0;
    for (uint64_t row = 0; row < result->row_count; row++)
        for (uint32_t i = 0; i < draft->column_count; i++)
            if (slice_is(draft->columns[i].name, db_value(result, row, 0, NULL))) key[count++] = (uint16_t)i;
    draft->key = key;
    draft->key_count = count == result->row_count ? count : 0;
    draft->named = true;
    db_result_free(result);
    return true;
}

/* ---- JSON ---- */

/* The server prints the check in the session's own quotes, which an sql_mode with ANSI_QUOTES changes. */
#define JSON_CHECK \
    "c.CHECK_CLAUSE IN (CONCAT('json_valid(`', REPLACE(c.CONSTRAINT_NAME, '`', '``'), '`)'), " \
    "CONCAT('json_valid(\"', REPLACE(c.CONSTRAINT_NAME, '\"', '\"\"'), '\")'))"

static void take_checks(const struct db_result *result, struct table *draft)
{
    for (uint64_t row = 0; row < result->row_count; row++) {
        int i = table_column(draft, slice_text(db_value(result, row, 0, NULL)));
        if (i >= 0 && types_may_be_json(&draft->columns[i])) draft->columns[i].kind = COLUMN_JSON;
    }
}

/* MariaDB's JSON is a LONGTEXT with a check of the column's own, and of its name. Both names must be constants here: only then does
   the server open one table instead of all that it has. A server that refuses (it has no such view, or not for us) has no JSON. */
static bool ask_checks(struct schema *schema, struct table *draft, struct err *err)
{
    struct buf where;
    struct db_result *result;
    struct err refused = {0};
    bool any = false;
    for (uint32_t i = 0; i < draft->column_count; i++) any |= types_may_be_json(&draft->columns[i]);
    if (!any || is_mysql(schema->db)) return true;
    buf_init(&where, 4096);
    quoted_names(&where, draft, "CONSTRAINT");
    bool ok = db_query(schema->db, &result, &refused,
                       "SELECT c.CONSTRAINT_NAME FROM information_schema.CHECK_CONSTRAINTS c%s AND c.LEVEL = 'Column' AND " JSON_CHECK,
                       buf_cstr(&where));
    buf_fini(&where);
    if (ok) {
        take_checks(result, draft);
        db_result_free(result);
    } else if (refused.code == ERR_RETRY && err) {
        *err = refused;
    }
    return ok || refused.code != ERR_RETRY;
}

bool schema_describe(struct schema *schema, struct table *draft, struct arena *arena, struct err *err)
{
    if (!ensure_connected(schema, err)) return false;
    bool ok = ensure_collations(schema, err) && ask_columns(schema, draft, arena, err) && ask_key(schema, draft, arena, err) && ask_checks(schema, draft, err);
    if (!ok && err->code == ERR_RETRY) disconnect(schema);
    return ok;
}
