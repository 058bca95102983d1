/*
 * compare: are two servers' tables the same, row by row? Both sides are streamed in one order and merged, so a table of any
 * size passes in little memory. Nothing is taken from CHECKSUM TABLE, which also differs where rows are equal.
 *
 * Between MariaDB and MySQL definitions need only have the same columns, which may be NULL where the others may, and JSON, which MySQL does not
 * keep as it was written, is compared without its blanks.
 *
 * Of system-versioned tables all of the history is compared, with its times; where one side alone is, what is current there.
 *
 * Both sides are sorted by text that is pure ASCII: the primary key's integers as numbers and everything else in it as hex, or
 * without a key a hash of every column. The values themselves come as raw bytes (SET NAMES binary), FLOAT as DOUBLE, since SELECT
 * rounds it.
 *
 * --definitions: what SHOW CREATE TABLE prints is to be the same, too, as two servers of one version print it.
 */
#include "buf.h"
#include "tool.h"
#include <ctype.h>
#include <strings.h>

enum side { SOURCE, TARGET };
enum { NO_WIDTHS = 80019 };

struct options {
    struct tool_server servers[2];
    char **databases;
    int database_count;
    uint64_t limit;
    bool json, quiet, definitions;
};

struct names { /* strings one behind the other */
    size_t count, room;
    char **items;
};

/* One table's shape on one side. */
struct shape {
    struct names columns; /* "name" */
    struct names types;   /* "type null charset", compared between the sides */
    struct names kinds;   /* DATA_TYPE */
    struct names key;
    bool versioned, hidden; /* its period */
};

struct totals { uint64_t tables, rows, missing, extra, different, shapes; };

static struct options options = {.servers = {{.user = "root"}, {.user = "root"}}, .limit = 20};
static MYSQL *connections[2];
static bool mysql[2], mixed, ages; /* which side is no MariaDB; not both are the same; two MySQL, of before and since 8.0.19 */
static struct totals totals;
static uint64_t started_us, said_us;
static const char *const side_names[] = {"source", "target"};

static _Noreturn void unreachable(enum side side, const char *reason)
{
    fprintf(stderr, "compare: %s: %s\n", side_names[side], reason);
    exit(TOOL_UNREACHABLE);
}

static void names_add(struct names *names, const char *text)
{
    if (names->count == names->room) {
        names->room = names->room ? names->room * 2 : 16;
        names->items = realloc(names->items, names->room * sizeof *names->items);
        if (!names->items) abort();
    }
    if (!(names->items[names->count++] = strdup(text))) abort();
}

static void names_free(struct names *names)
{
    for (size_t i = 0; i < names->count; i++) free(names->items[i]);
    free(names->items);
    *names = (struct names){0};
}

static int text_order(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static bool names_have(const struct names *names, const char *text)
{
    return names->count && bsearch(&text, names->items, names->count, sizeof *names->items, text_order);
}

static void put_name(struct buf *sql, const char *name)
{
    buf_u8(sql, '`');
    for (; *name; name++) {
        if (*name == '`') buf_u8(sql, '`');
        buf_u8(sql, (uint8_t)*name);
    }
    buf_u8(sql, '`');
}

static void put_text(struct buf *sql, const char *text)
{
    buf_u8(sql, '\'');
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\') buf_u8(sql, '\\');
        buf_u8(sql, (uint8_t)*text);
    }
    buf_u8(sql, '\'');
}

static MYSQL_RES *query(enum side side, struct buf *sql, bool whole)
{
    MYSQL *connection = connections[side];
    if (mysql_real_query(connection, (const char *)sql->data, sql->size) != 0) unreachable(side, mysql_error(connection));
    MYSQL_RES *result = whole ? mysql_store_result(connection) : mysql_use_result(connection);
    if (!result) unreachable(side, mysql_error(connection));
    return result;
}

static void command(enum side side, const char *text)
{
    if (mysql_query(connections[side], text) != 0) unreachable(side, mysql_error(connections[side]));
}

static void open_side(enum side side)
{
    char reason[512];
    connections[side] = tool_connect(&options.servers[side], reason);
    if (!connections[side]) unreachable(side, reason);
    mysql[side] = !strstr(mysql_get_server_info(connections[side]), "Maria");
    command(side, "SET NAMES binary, SESSION time_zone='+00:00', SESSION sql_mode='', SESSION max_sort_length=65536, SESSION net_write_timeout=600");
}

static bool wanted(const char *database)
{
    static const char *const system[] = {"mysql", "information_schema", "performance_schema", "sys", "wolfcdc"};
    for (size_t i = 0; i < sizeof system / sizeof *system; i++)
        if (strcasecmp(database, system[i]) == 0) return false;
    if (options.database_count == 0) return true;
    for (int i = 0; i < options.database_count; i++)
        if (strcmp(database, options.databases[i]) == 0) return true;
    return false;
}

/* "database\ntable", sorted; an empty database counts as "database\n". */
static struct names list_tables(enum side side)
{
    struct names tables = {0};
    struct buf sql;
    buf_init(&sql, 4096);
    buf_text(&sql, "SELECT s.SCHEMA_NAME, COALESCE(t.TABLE_NAME,'') FROM information_schema.SCHEMATA s LEFT JOIN information_schema.TABLES t "
                   "ON t.TABLE_SCHEMA=s.SCHEMA_NAME AND t.TABLE_TYPE IN ('BASE TABLE','SYSTEM VERSIONED','SEQUENCE')");
    MYSQL_RES *result = query(side, &sql, true);
    for (MYSQL_ROW row; (row = mysql_fetch_row(result));) {
        if (!wanted(row[0])) continue;
        buf_clear(&sql);
        buf_printf(&sql, "%s\n%s", row[0], row[1]);
        names_add(&tables, buf_cstr(&sql));
        if (!row[1][0]) continue;
        buf_clear(&sql);
        buf_printf(&sql, "%s\n", row[0]); /* the database itself */
        names_add(&tables, buf_cstr(&sql));
    }
    mysql_free_result(result);
    buf_fini(&sql);
    if (tables.count) qsort(tables.items, tables.count, sizeof *tables.items, text_order);
    return tables;
}

/* "SELECT … FROM information_schema.VIEW WHERE condition" of one table; the caller's to free. */
static MYSQL_RES *look_up(enum side side, const char *what, const char *view, const char *condition, const char *database, const char *table, const char *order)
{
    struct buf sql;
    buf_init(&sql, 8192);
    buf_printf(&sql, "SELECT %s FROM information_schema.%s WHERE %s AND TABLE_SCHEMA=", what, view, condition);
    put_text(&sql, database);
    buf_text(&sql, " AND TABLE_NAME=");
    put_text(&sql, table);
    buf_printf(&sql, " ORDER BY %s", order);
    MYSQL_RES *result = query(side, &sql, true);
    buf_fini(&sql);
    return result;
}

static bool has(enum side side, const char *view, const char *condition, const char *database, const char *table)
{
    MYSQL_RES *result = look_up(side, "1", view, condition, database, table, "1");
    bool found = mysql_num_rows(result) > 0;
    mysql_free_result(result);
    return found;
}

static void read_shape(enum side side, const char *database, const char *table, struct shape *shape)
{
    char what[160];
    *shape = (struct shape){0};
    snprintf(what, sizeof what, "COLUMN_NAME, DATA_TYPE, CONCAT_WS(' ', COLUMN_TYPE, IF(IS_NULLABLE='YES','NULL','NOT NULL'), %s)",
             options.definitions ? "COLLATION_NAME" : "CHARACTER_SET_NAME");
    MYSQL_RES *result = look_up(side, what, "COLUMNS", "1", database, table, "ORDINAL_POSITION");
    for (MYSQL_ROW row; (row = mysql_fetch_row(result));) {
        names_add(&shape->columns, row[0]);
        names_add(&shape->kinds, row[1]);
        names_add(&shape->types, row[2]);
    }
    mysql_free_result(result);
    result = look_up(side, "COLUMN_NAME, SUB_PART", "STATISTICS", "INDEX_NAME='PRIMARY'", database, table, "SEQ_IN_INDEX");
    bool part = false; /* of a value: not what tells rows apart by their values */
    for (MYSQL_ROW row; (row = mysql_fetch_row(result)); part |= row[1] != NULL) names_add(&shape->key, row[0]);
    if (part) names_free(&shape->key);
    mysql_free_result(result);
    shape->versioned = has(side, "TABLES", "TABLE_TYPE='SYSTEM VERSIONED'", database, table);
    shape->hidden = shape->versioned && !has(side, "COLUMNS", "GENERATION_EXPRESSION='ROW END'", database, table);
}

/* A period that the definition does not show. */
static void add_period(struct shape *shape)
{
    static const char *const hidden[] = {"row_start", "row_end"};
    for (int i = 0; i < 2; i++) {
        names_add(&shape->columns, hidden[i]);
        names_add(&shape->kinds, "timestamp");
        names_add(&shape->types, "timestamp(6)");
    }
    if (shape->key.count) names_add(&shape->key, hidden[1]);
}

static void shape_free(struct shape *shape)
{
    names_free(&shape->columns);
    names_free(&shape->types);
    names_free(&shape->kinds);
    names_free(&shape->key);
}

static const char *kind_of(const struct shape *shape, const char *column)
{
    for (size_t i = 0; i < shape->columns.count; i++)
        if (strcmp(shape->columns.items[i], column) == 0) return shape->kinds.items[i];
    return "";
}

static bool is_integer(const char *kind)
{
    static const char *const kinds[] = {"tinyint", "smallint", "mediumint", "int", "bigint"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kind, kinds[i]) == 0) return true;
    return false;
}

/* A label may be '', as the value 0 is shown: keys of it are told apart by their numbers. */
static bool is_enum(const char *kind) { return strcmp(kind, "enum") == 0; }
static bool sorts_by_number(const char *kind) { return is_integer(kind) || is_enum(kind); }

/* ---- one side of one table, as a stream ---- */

struct stream {
    MYSQL_RES *result;
    MYSQL_ROW row;
    unsigned long *sizes;
    enum side side;
};

static void stream_next(struct stream *stream)
{
    stream->row = mysql_fetch_row(stream->result);
    if (!stream->row && mysql_errno(connections[stream->side])) unreachable(stream->side, mysql_error(connections[stream->side]));
    stream->sizes = stream->row ? mysql_fetch_lengths(stream->result) : NULL;
}

static bool is_json(const struct shape *shape, size_t column)
{
    return strcmp(shape->kinds.items[column], "json") == 0;
}

static void put_hash(struct buf *sql, const struct shape *shape)
{
    buf_text(sql, "SHA2(CONCAT(''"); /* MySQL 9.6 has no MD5 */
    for (size_t i = 0; i < shape->columns.count; i++) {
        bool document = mixed && is_json(shape, i); /* without the blanks within its strings, too: it is only for the order */
        buf_printf(sql, ",COALESCE(SHA2(%s", document ? "REPLACE(" : "");
        put_name(sql, shape->columns.items[i]);
        buf_printf(sql, "%s,224),'-')", document ? ",' ','')" : "");
    }
    buf_text(sql, "),224)");
}

/* Sort columns first, then all columns. */
static void put_select(struct buf *sql, enum side side, const char *database, const char *table, const struct shape *shape)
{
    buf_text(sql, "SELECT ");
    if (shape->key.count == 0) put_hash(sql, shape);
    for (size_t i = 0; i < shape->key.count; i++) {
        const char *kind = kind_of(shape, shape->key.items[i]);
        bool number = sorts_by_number(kind);
        if (i) buf_u8(sql, ',');
        buf_text(sql, number ? "" : "HEX(CAST(");
        put_name(sql, shape->key.items[i]);
        buf_text(sql, number ? is_enum(kind) ? "+0" : "" : " AS BINARY))");
    }
    for (size_t i = 0; i < shape->columns.count; i++) {
        bool is_float = strcmp(shape->kinds.items[i], "float") == 0;
        buf_text(sql, !is_float ? "," : mysql[side] ? ",(" : ",CAST(");
        put_name(sql, shape->columns.items[i]);
        buf_text(sql, !is_float ? "" : mysql[side] ? "+0e0)" : " AS DOUBLE)");
    }
    buf_text(sql, " FROM ");
    put_name(sql, database);
    buf_u8(sql, '.');
    put_name(sql, table);
    if (shape->versioned) buf_text(sql, " FOR SYSTEM_TIME ALL");
    buf_text(sql, " ORDER BY 1");
    for (size_t i = 1; i < shape->key.count; i++) buf_printf(sql, ",%zu", i + 1);
}

static int compare_numbers(const char *a, const char *b)
{
    bool below_a = *a == '-', below_b = *b == '-';
    if (below_a != below_b) return below_a ? -1 : 1;
    unsigned long long x = strtoull(a + below_a, NULL, 10), y = strtoull(b + below_b, NULL, 10);
    return x == y ? 0 : (x < y) != below_a ? -1 : 1;
}

static int compare_keys(const struct shape *shape, const struct stream *a, const struct stream *b)
{
    size_t count = shape->key.count ? shape->key.count : 1;
    for (size_t i = 0; i < count; i++) {
        bool number = shape->key.count && sorts_by_number(kind_of(shape, shape->key.items[i]));
        int order = number ? compare_numbers(a->row[i], b->row[i]) : strcmp(a->row[i], b->row[i]);
        if (order) return order;
    }
    return 0;
}

static bool same_bytes(const struct stream *a, const struct stream *b, size_t i)
{
    if (!a->row[i] || !b->row[i]) return !a->row[i] && !b->row[i];
    return a->sizes[i] == b->sizes[i] && memcmp(a->row[i], b->row[i], a->sizes[i]) == 0;
}

/* ---- what is said ---- */

static void put_shown(struct buf *line, const char *data, unsigned long size)
{
    bool printable = data != NULL;
    for (unsigned long i = 0; i < size && printable; i++) printable = data[i] >= 0x20 && data[i] < 0x7f;
    if (!data) buf_text(line, "NULL");
    else if (printable) buf_printf(line, "'%.*s'%s", size > 60 ? 60 : (int)size, data, size > 60 ? "…" : "");
    else {
        buf_text(line, "0x");
        for (unsigned long i = 0; i < size && i < 30; i++) buf_printf(line, "%02X", (unsigned char)data[i]);
        if (size > 30) buf_printf(line, "… (%lu bytes)", size);
    }
}

static void put_key(struct buf *line, const struct shape *shape, const struct stream *stream)
{
    size_t first = shape->key.count ? shape->key.count : 1;
    for (size_t k = 0; k < shape->key.count; k++)
        for (size_t i = 0; i < shape->columns.count; i++) {
            if (strcmp(shape->columns.items[i], shape->key.items[k]) != 0) continue;
            buf_printf(line, "%s%s=", k ? " " : "", shape->columns.items[i]);
            put_shown(line, stream->row[first + i], stream->sizes[first + i]);
        }
    if (shape->key.count) return;
    for (size_t i = 0; i < shape->columns.count && i < 6; i++) {
        buf_printf(line, "%s%s=", i ? " " : "", shape->columns.items[i]);
        put_shown(line, stream->row[first + i], stream->sizes[first + i]);
    }
}

static void report(const char *what, const char *database, const char *table, const struct shape *shape, const struct stream *a,
                   const struct stream *b)
{
    struct buf line;
    buf_init(&line, 1 << 20);
    buf_printf(&line, "%s %s.%s ", what, database, table);
    put_key(&line, shape, a);
    size_t first = shape->key.count ? shape->key.count : 1;
    for (size_t i = 0; b && i < shape->columns.count; i++) {
        if (same_bytes(a, b, first + i)) continue;
        buf_printf(&line, " | %s: ", shape->columns.items[i]);
        put_shown(&line, a->row[first + i], a->sizes[first + i]);
        buf_text(&line, " is ");
        put_shown(&line, b->row[first + i], b->sizes[first + i]);
    }
    if (!options.quiet) printf("%s\n", buf_cstr(&line));
    buf_fini(&line);
}

static void progress(const char *database, const char *table)
{
    uint64_t now = tool_us();
    if (now - started_us < 2000000 || now - said_us < 1000000) return;
    said_us = now;
    fprintf(stderr, "compare: %s.%s, %llu rows compared, %llu differences so far\n", database, table, (unsigned long long)totals.rows,
            (unsigned long long)(totals.missing + totals.extra + totals.different + totals.shapes));
}

/* "int(10) unsigned NOT NULL" is "int unsigned NOT NULL" since MySQL 8.0.19, "year(4)" is "year", "utf8" is "utf8mb3", "geometrycollection" "geomcollection". */
static void put_newer(struct buf *out, const char *type)
{
    static const char *const kinds[] = {"tinyint(", "smallint(", "mediumint(", "int(", "bigint(", "year("};
    static const char collection[] = "geometrycollection";
    size_t size = strlen(type);
    if (!strncmp(type, collection, sizeof collection - 1)) {
        buf_text(out, "geomcollection");
        type += sizeof collection - 1;
    }
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strncmp(type, kinds[i], strlen(kinds[i])) != 0 || strstr(type, "zerofill")) continue;
        buf_put(out, type, strlen(kinds[i]) - 1);
        type = strchr(type, ')') + 1;
        break;
    }
    buf_text(out, type);
    if (size > 5 && strcmp(type + strlen(type) - 5, " utf8") == 0) buf_text(out, "mb3");
}

static bool same_in_age(const char *a, const char *b)
{
    struct buf older, newer;
    buf_init(&older, 1 << 20);
    buf_init(&newer, 1 << 20);
    put_newer(&older, a);
    put_newer(&newer, b);
    bool same = strcmp(buf_cstr(&older), buf_cstr(&newer)) == 0;
    buf_fini(&older);
    buf_fini(&newer);
    return same;
}

static bool same_type(const char *a, const char *b)
{
    if (ages) return same_in_age(a, b);
    return mixed ? !strstr(a, "NOT NULL") == !strstr(b, "NOT NULL") : strcmp(a, b) == 0;
}

static bool same_shape(const char *database, const char *table, const struct shape *a, const struct shape *b)
{
    bool same = a->columns.count == b->columns.count && a->key.count == b->key.count;
    for (size_t i = 0; i < a->columns.count && same; i++)
        same = strcmp(a->columns.items[i], b->columns.items[i]) == 0 && same_type(a->types.items[i], b->types.items[i]);
    for (size_t i = 0; i < a->key.count && same; i++) same = strcmp(a->key.items[i], b->key.items[i]) == 0;
    if (same) return true;
    totals.shapes++;
    if (options.quiet) return false;
    printf("definition %s.%s source:", database, table);
    for (size_t i = 0; i < a->columns.count; i++) printf(" `%s` %s,", a->columns.items[i], a->types.items[i]);
    printf(" target:");
    for (size_t i = 0; i < b->columns.count; i++) printf(" `%s` %s,", b->columns.items[i], b->types.items[i]);
    printf("\n");
    return false;
}

/* Without the counter of AUTO_INCREMENT: what rolled back moved it, too, and that is in no binary log. And without a column's character set, which MySQL prints
   when somebody once wrote it; they are compared as what they are. */
static void put_create(struct buf *out, const char *text)
{
    static const char *const words[] = {" AUTO_INCREMENT=", " CHARACTER SET ", " COLLATE "};
    while (*text) {
        size_t skip = 0;
        for (size_t i = 0; i < sizeof words / sizeof *words && !skip; i++)
            if (!strncmp(text, words[i], strlen(words[i]))) skip = strlen(words[i]) + strcspn(text + strlen(words[i]), " ,)\n");
        if (!skip) buf_u8(out, (uint8_t)*text);
        text += skip ? skip : 1;
    }
}

static void take_create(enum side side, const char *database, const char *table, struct buf *out)
{
    struct buf sql;
    buf_init(&sql, 4096);
    buf_text(&sql, "SHOW CREATE TABLE ");
    put_name(&sql, database);
    buf_u8(&sql, '.');
    put_name(&sql, table);
    MYSQL_RES *result = query(side, &sql, true);
    MYSQL_ROW row = mysql_fetch_row(result);
    if (row) put_create(out, row[1]);
    mysql_free_result(result);
    buf_fini(&sql);
}

static void compare_create(const char *database, const char *table)
{
    struct buf texts[2];
    for (enum side side = SOURCE; side <= TARGET; side++) {
        buf_init(&texts[side], 1 << 20);
        take_create(side, database, table, &texts[side]);
    }
    if (strcmp(buf_cstr(&texts[SOURCE]), buf_cstr(&texts[TARGET])) != 0) {
        totals.shapes++;
        if (!options.quiet) printf("definition %s.%s source: %s\ntarget: %s\n", database, table, buf_cstr(&texts[SOURCE]), buf_cstr(&texts[TARGET]));
    }
    for (enum side side = SOURCE; side <= TARGET; side++) buf_fini(&texts[side]);
}

/* Both without the blanks outside their strings. */
static bool same_document(const char *a, size_t a_size, const char *b, size_t b_size)
{
    size_t i = 0, k = 0;
    bool in_string = false;
    for (;;) {
        while (!in_string && i < a_size && isspace((unsigned char)a[i])) i++;
        while (!in_string && k < b_size && isspace((unsigned char)b[k])) k++;
        if (i == a_size || k == b_size) return i == a_size && k == b_size;
        if (a[i] != b[k]) return false;
        if (in_string && a[i] == '\\' && i + 1 < a_size && k + 1 < b_size && a[i + 1] == b[k + 1]) i++, k++;
        else if (a[i] == '"') in_string = !in_string;
        i++, k++;
    }
}

static bool same_value(const struct shape *shape, const struct stream *a, const struct stream *b, size_t column)
{
    size_t i = (shape->key.count ? shape->key.count : 1) + column;
    if (same_bytes(a, b, i)) return true;
    return mixed && is_json(shape, column) && a->row[i] && b->row[i] && same_document(a->row[i], a->sizes[i], b->row[i], b->sizes[i]);
}

static bool same_values(const struct shape *shape, const struct stream *a, const struct stream *b)
{
    for (size_t i = 0; i < shape->columns.count; i++)
        if (!same_value(shape, a, b, i)) return false;
    return true;
}

/* One step of the merge. */
static void merge(const char *database, const char *table, const struct shape *shape, struct stream *a, struct stream *b, uint64_t *shown)
{
    int order = !a->row ? 1 : !b->row ? -1 : compare_keys(shape, a, b);
    bool say = *shown < options.limit;
    if (order < 0) {
        totals.missing++, ++*shown;
        if (say) report("missing", database, table, shape, a, NULL);
    } else if (order > 0) {
        totals.extra++, ++*shown;
        if (say) report("extra", database, table, shape, b, NULL);
    } else if (!same_values(shape, a, b)) {
        totals.different++, ++*shown;
        if (say) report("different", database, table, shape, a, b);
    }
    totals.rows++;
    if (order <= 0) stream_next(a);
    if (order >= 0) stream_next(b);
}

/* JSON is a type of its own on MySQL alone. */
static void take_json(struct shape *to, const struct shape *from)
{
    for (size_t i = 0; i < from->columns.count; i++) {
        if (!is_json(from, i) || is_json(to, i)) continue;
        free(to->kinds.items[i]);
        if (!(to->kinds.items[i] = strdup("json"))) abort();
    }
}

static void compare_table(const char *database, const char *table)
{
    struct shape shapes[2];
    struct stream streams[2];
    struct buf sql;
    for (enum side side = SOURCE; side <= TARGET; side++) read_shape(side, database, table, &shapes[side]);
    totals.tables++;
    bool history = shapes[SOURCE].versioned && shapes[TARGET].versioned;
    for (enum side side = SOURCE; side <= TARGET && history; side++)
        if (shapes[side].hidden) add_period(&shapes[side]);
    shapes[SOURCE].versioned = history;
    if (same_shape(database, table, &shapes[SOURCE], &shapes[TARGET])) {
        if (options.definitions) compare_create(database, table);
        take_json(&shapes[SOURCE], &shapes[TARGET]);
        buf_init(&sql, 1 << 20);
        for (enum side side = SOURCE; side <= TARGET; side++) {
            buf_clear(&sql);
            put_select(&sql, side, database, table, &shapes[SOURCE]);
            streams[side] = (struct stream){.side = side, .result = query(side, &sql, false)};
            stream_next(&streams[side]);
        }
        uint64_t shown = 0;
        while (streams[SOURCE].row || streams[TARGET].row) {
            merge(database, table, &shapes[SOURCE], &streams[SOURCE], &streams[TARGET], &shown);
            if (totals.rows % 4096 == 0) progress(database, table);
        }
        for (enum side side = SOURCE; side <= TARGET; side++) mysql_free_result(streams[side].result);
        if (shown > options.limit && !options.quiet)
            printf("… %llu more in %s.%s\n", (unsigned long long)(shown - options.limit), database, table);
        buf_fini(&sql);
    }
    for (enum side side = SOURCE; side <= TARGET; side++) shape_free(&shapes[side]);
    progress(database, table);
}

static void only_on(enum side side, const char *database, const char *table)
{
    totals.shapes++;
    if (!options.quiet) printf("only on the %s: %s %s%s%s\n", side_names[side], *table ? "table" : "database", database, *table ? "." : "", table);
}

static void compare_all(void)
{
    struct names tables[2] = {list_tables(SOURCE), list_tables(TARGET)};
    const char *last = "";
    for (enum side side = SOURCE; side <= TARGET; side++) {
        for (size_t i = 0; i < tables[side].count; last = tables[side].items[i++]) {
            char *database = tables[side].items[i], *newline = strchr(database, '\n');
            if (strcmp(database, last) == 0) continue; /* a database stands there once for each of its tables */
            bool both = names_have(&tables[1 - side], database);
            if (both && side == TARGET) continue;
            char *copy = strdup(database);
            if (!copy) abort();
            copy[newline - database] = 0;
            if (!both) only_on(side, copy, newline + 1);
            else if (newline[1]) compare_table(copy, newline + 1);
            free(copy);
        }
        last = "";
    }
    names_free(&tables[0]);
    names_free(&tables[1]);
}

static uint64_t sum(void) { return totals.missing + totals.extra + totals.different + totals.shapes; }

static void conclude(void)
{
    double seconds = (double)(tool_us() - started_us) / 1e6;
    if (options.json)
        printf("{\"equal\":%s,\"tables\":%llu,\"rows\":%llu,\"missing\":%llu,\"extra\":%llu,\"different\":%llu,\"definitions\":%llu,\"seconds\":%.1f}\n",
               sum() ? "false" : "true", (unsigned long long)totals.tables, (unsigned long long)totals.rows, (unsigned long long)totals.missing,
               (unsigned long long)totals.extra, (unsigned long long)totals.different, (unsigned long long)totals.shapes, seconds);
    else
        printf("%s: %llu tables, %llu rows compared in %.1f s; rows missing %llu, extra %llu, different %llu; definitions different %llu\n",
               sum() ? "DIFFERENT" : "equal", (unsigned long long)totals.tables, (unsigned long long)totals.rows, seconds,
               (unsigned long long)totals.missing, (unsigned long long)totals.extra, (unsigned long long)totals.different,
               (unsigned long long)totals.shapes);
}

static _Noreturn void help(void)
{
    puts("compare: do two servers hold the same rows? Every table, every row, every byte.\n"
         "usage: compare [--source-host H --source-port P | --source-socket PATH] [--source-user U] [--source-password W |\n"
         "       --source-password-file F] [the same with --target-…] [--limit N] [--definitions] [--json] [--quiet] [DATABASE…]\n"
         "  --limit N   differences shown for each table (20)\n"
         "  --definitions  SHOW CREATE TABLE prints the same on both, but for the counter of AUTO_INCREMENT; collations are the same\n"
         "  DATABASE    only these; else all but the system's and wolfcdc\n"
         "exit: 0 equal, 1 different, 2 usage, 3 a server cannot be reached");
    exit(0);
}

int main(int argc, char **argv)
{
    int i = 1;
    for (; i < argc && strncmp(argv[i], "--", 2) == 0; i++) {
        if (strcmp(argv[i], "--help") == 0) help();
        if (strcmp(argv[i], "--json") == 0) { options.json = true; continue; }
        if (strcmp(argv[i], "--definitions") == 0) { options.definitions = true; continue; }
        if (strcmp(argv[i], "--quiet") == 0) { options.quiet = true; continue; }
        if (i + 1 == argc) tool_usage(argv[i], "a value is missing, or the option is unknown");
        const char *value = argv[i + 1];
        if (strcmp(argv[i], "--limit") == 0) options.limit = tool_number("--limit", value);
        else if (!tool_server_option(&options.servers[SOURCE], "source-", argv[i], value) &&
                 !tool_server_option(&options.servers[TARGET], "target-", argv[i], value))
            tool_usage(argv[i], "unknown option");
        i++;
    }
    options.databases = argv + i;
    options.database_count = argc - i;
    started_us = said_us = tool_us();
    open_side(SOURCE);
    open_side(TARGET);
    mixed = mysql[SOURCE] != mysql[TARGET];
    ages = mysql[SOURCE] && mysql[TARGET] && (mysql_get_server_version(connections[SOURCE]) < NO_WIDTHS) != (mysql_get_server_version(connections[TARGET]) < NO_WIDTHS);
    compare_all();
    conclude();
    mysql_close(connections[SOURCE]);
    mysql_close(connections[TARGET]);
    return sum() ? TOOL_NOT_MET : TOOL_DONE;
}
