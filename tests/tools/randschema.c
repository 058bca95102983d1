/*
 * randschema: random schemas and random writes to them, for the differential test: one database for each seed (rs_SEED), a few tables with every
 * type, key and character set that the server has, rows with the values at their limits, DDL in between, transactions over several tables with
 * savepoints, row images and binlog formats that change. The same seed does the same again. A statement that the server refuses is
 * part of the game; a lost connection is not.
 */
#include "buf.h"
#include "tool.h"
#include <strings.h>

enum { COLUMNS_MAX = 40, TABLES_MAX = 6, NAME_MAX_ = 70 };

struct column { char name[NAME_MAX_], kind[24], type[400]; bool generated, is_unsigned, nullable; };
struct table { char name[NAME_MAX_]; unsigned count; struct column columns[COLUMNS_MAX]; };

static MYSQL *connection;
static bool maria, strict_both, verbose;
static unsigned version, refused, done;
static uint64_t state;
static struct table tables[TABLES_MAX];
static unsigned table_count, serial;
static bool full_image, text_format; /* of the session */

static uint64_t draw(void)
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}
static unsigned below(unsigned n) { return (unsigned)(draw() % n); }
static bool chance(unsigned percent) { return below(100) < percent; }
#define ONE_OF(list) list[below(sizeof list / sizeof *list)]

/* ---- the server ---- */

static bool run(struct buf *sql)
{
    if (verbose) printf("%s;\n", buf_cstr(sql));
    bool ok = mysql_real_query(connection, (const char *)sql->data, sql->size) == 0;
    if (ok) {
        MYSQL_RES *result = mysql_store_result(connection);
        if (result) mysql_free_result(result);
        done++;
    } else {
        unsigned number = mysql_errno(connection);
        if (verbose) printf("-- %s (%u)\n", mysql_error(connection), number);
        if (number >= 2000 && number < 3000) {
            fprintf(stderr, "randschema: %s\n", mysql_error(connection));
            exit(TOOL_UNREACHABLE);
        }
        refused++;
    }
    buf_clear(sql);
    return ok;
}

static bool say(const char *text)
{
    struct buf sql;
    buf_init(&sql, 1 << 16);
    buf_text(&sql, text);
    bool ok = run(&sql);
    buf_fini(&sql);
    return ok;
}

static MYSQL_RES *ask(const char *format, const char *a, const char *b)
{
    char sql[1024];
    snprintf(sql, sizeof sql, format, a, b);
    if (mysql_query(connection, sql) != 0) {
        fprintf(stderr, "randschema: %s\n", mysql_error(connection));
        exit(TOOL_UNREACHABLE);
    }
    return mysql_store_result(connection);
}

/* What there is now: after each DDL statement it is read again. */
static void learn(const char *database)
{
    MYSQL_RES *names = ask("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA='%s' AND TABLE_TYPE='BASE TABLE' ORDER BY 1 LIMIT 6%s", database, "");
    table_count = 0;
    for (MYSQL_ROW row; (row = mysql_fetch_row(names)) && table_count < TABLES_MAX;) {
        struct table *t = &tables[table_count++];
        snprintf(t->name, sizeof t->name, "%s", row[0]);
        t->count = 0;
        MYSQL_RES *columns = ask("SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, EXTRA, IS_NULLABLE FROM information_schema.COLUMNS WHERE TABLE_SCHEMA='%s' "
                                 "AND TABLE_NAME='%s' ORDER BY ORDINAL_POSITION", database, t->name);
        for (MYSQL_ROW c; (c = mysql_fetch_row(columns)) && t->count < COLUMNS_MAX;) {
            struct column *to = &t->columns[t->count++];
            snprintf(to->name, sizeof to->name, "%s", c[0]);
            snprintf(to->kind, sizeof to->kind, "%s", c[1]);
            snprintf(to->type, sizeof to->type, "%s", c[2]);
            to->generated = strstr(c[3], " GENERATED") != NULL;
            to->is_unsigned = strstr(c[2], "unsigned") != NULL;
            to->nullable = c[4][0] == 'Y';
        }
        mysql_free_result(columns);
    }
    mysql_free_result(names);
}

/* ---- definitions ---- */

static void put_charset(struct buf *sql)
{
    static const char *const both[] = {"utf8mb4 COLLATE utf8mb4_general_ci", "utf8mb4 COLLATE utf8mb4_bin", "utf8mb4 COLLATE utf8mb4_unicode_ci",
        "utf8mb4 COLLATE utf8mb4_swedish_ci", "latin1", "latin1 COLLATE latin1_bin", "latin1 COLLATE latin1_general_cs", "latin2", "ucs2", "utf16", "utf16le", "utf32",
        "cp1251", "koi8r", "sjis", "cp932", "ujis", "euckr", "gbk", "big5", "ascii", "utf8mb3", "greek", "tis620", "latin1 COLLATE latin1_german2_ci", "cp1250 COLLATE cp1250_czech_cs"};
    static const char *const maria_only[] = {"utf8mb4 COLLATE utf8mb4_nopad_bin", "utf8mb4 COLLATE utf8mb4_general_nopad_ci", "latin1 COLLATE latin1_swedish_nopad_ci"};
    static const char *const mysql_only[] = {"utf8mb4 COLLATE utf8mb4_0900_ai_ci", "utf8mb4 COLLATE utf8mb4_0900_as_cs", "utf8mb4 COLLATE utf8mb4_0900_bin", "gb18030"};
    if (chance(35)) return;
    buf_text(sql, " CHARACTER SET ");
    if (strict_both || chance(80)) buf_text(sql, ONE_OF(both));
    else if (maria) buf_text(sql, ONE_OF(maria_only));
    else buf_text(sql, version >= 800 ? ONE_OF(mysql_only) : "utf8");
}

static bool put_type(struct buf *sql, bool for_key)
{
    static const char *const ints[] = {"TINYINT", "SMALLINT", "MEDIUMINT", "INT", "BIGINT"};
    static const char *const texts[] = {"TINYTEXT", "TEXT", "MEDIUMTEXT", "LONGTEXT"}, *const blobs[] = {"TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB"};
    static const char *const shapes[] = {"POINT", "LINESTRING", "POLYGON", "GEOMETRY"};
    unsigned fsp = below(7), p;
    switch (below(for_key ? 12 : 22)) {
    case 0: case 1: case 2: buf_printf(sql, "%s%s", ONE_OF(ints), chance(40) ? " UNSIGNED" : ""); return true;
    case 3: p = 1 + below(40); buf_printf(sql, "DECIMAL(%u,%u)", p, below(p < 30 ? p + 1 : 31)); return true;
    case 4: buf_printf(sql, "DATETIME(%u)", fsp); return true;
    case 5: buf_text(sql, chance(50) ? "DATE" : "YEAR"); return true;
    case 6: buf_printf(sql, "TIME(%u)", fsp); return true;
    case 7: case 8: buf_printf(sql, "VARCHAR(%u)", 1 + below(for_key ? 40 : chance(10) ? 3000 : 300)); put_charset(sql); return true;
    case 9: buf_printf(sql, "CHAR(%u)", 1 + below(40)); put_charset(sql); return true;
    case 10: buf_printf(sql, "%s(%u)", chance(50) ? "BINARY" : "VARBINARY", 1 + below(for_key ? 40 : 255)); return true;
    case 11:
        if (maria && !strict_both && chance(60)) {
            buf_text(sql, chance(40) ? "UUID" : chance(50) && version >= 1010 ? "INET4" : "INET6");
            return true;
        }
        buf_text(sql, chance(50) ? "ENUM('a','b','','é','x y')" : "SET('a','b','c','d','e','f','g','h','i')");
        return true;
    case 12: buf_printf(sql, "TIMESTAMP(%u) NULL", fsp); return true;
    case 13: buf_text(sql, chance(50) ? "FLOAT" : "DOUBLE"); return true;
    case 14: buf_printf(sql, "BIT(%u)", 1 + below(64)); return true;
    case 15: case 16: buf_text(sql, ONE_OF(texts)); put_charset(sql); return true;
    case 17: buf_text(sql, ONE_OF(blobs)); return true;
    case 18: buf_text(sql, "ENUM('1','0','b')"); return true;
    case 19: buf_text(sql, !strict_both && (maria || version >= 507) ? "JSON" : "TEXT"); return true;
    case 20: buf_text(sql, ONE_OF(shapes)); return true;
    default:
        if (maria && !strict_both && chance(60)) {
            buf_printf(sql, "%s COMPRESSED", chance(50) ? "VARCHAR(500)" : chance(50) ? "TEXT" : "BLOB");
            return true;
        }
        buf_printf(sql, "VARBINARY(%u)", 1 + below(400));
        return true;
    }
}

static void put_columns(struct buf *sql, unsigned key)
{
    unsigned count = 1 + below(12);
    if (key > count) count = key;
    for (unsigned i = 0; i < count; i++) {
        buf_printf(sql, "%sc%u ", i ? ", " : "", serial + i);
        put_type(sql, i < key);
        if (i < key) buf_text(sql, " NOT NULL");
        else if (chance(15)) buf_text(sql, maria ? " INVISIBLE" : "");
    }
    if (chance(20)) buf_printf(sql, ", g%u VARCHAR(80) AS (%s) %s", serial, "CONCAT('x', 1)", chance(50) ? "STORED" : "VIRTUAL");
    serial += count;
}

static void create_table(void)
{
    struct buf sql;
    unsigned first = serial, shape = below(10), key = shape < 5 ? 1 : shape < 8 ? 2 + below(2) : 0;
    buf_init(&sql, 1 << 16);
    buf_printf(&sql, "CREATE TABLE t%u (", serial);
    if (shape == 4) {
        buf_text(&sql, "id INT UNSIGNED NOT NULL AUTO_INCREMENT, ");
        key = 0;
    }
    put_columns(&sql, key);
    if (shape == 4) buf_text(&sql, ", PRIMARY KEY (id)");
    for (unsigned i = 0; i < key; i++) buf_printf(&sql, "%sc%u", i ? ", " : ", PRIMARY KEY (", first + i);
    if (key) buf_u8(&sql, ')');
    if (shape == 9 && !strict_both) buf_printf(&sql, ", UNIQUE (c%u)", first);
    if (chance(15)) buf_printf(&sql, ", un INT, u2 VARCHAR(20), UNIQUE (un), UNIQUE (u2, un)");
    if (chance(10)) buf_printf(&sql, ", px VARCHAR(200), UNIQUE (px(10))");
    buf_text(&sql, ") ENGINE=InnoDB");
    if (chance(50)) buf_text(&sql, " DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci");
    if (chance(15)) buf_text(&sql, " ROW_FORMAT=DYNAMIC");
    if (key && chance(10)) buf_printf(&sql, " PARTITION BY KEY (c%u) PARTITIONS 3", first);
    run(&sql);
    buf_fini(&sql);
}

static void create_family(void)
{
    char sql[600];
    unsigned p = serial++, c = serial++;
    snprintf(sql, sizeof sql, "CREATE TABLE t%u (id INT PRIMARY KEY, k INT NOT NULL UNIQUE, v VARCHAR(20)) ENGINE=InnoDB", p);
    say(sql);
    snprintf(sql, sizeof sql, "CREATE TABLE t%u (id INT AUTO_INCREMENT PRIMARY KEY, p INT, v VARCHAR(20), FOREIGN KEY (p) REFERENCES t%u (%s) ON DELETE %s ON UPDATE %s) ENGINE=InnoDB",
             c, p, chance(50) ? "id" : "k", chance(40) ? "CASCADE" : chance(50) ? "SET NULL" : "RESTRICT", chance(50) ? "CASCADE" : "RESTRICT");
    say(sql);
}

/* ---- values ---- */

static void put_hex(struct buf *sql, const uint8_t *bytes, size_t size)
{
    buf_text(sql, "X'");
    for (size_t i = 0; i < size; i++) buf_printf(sql, "%02x", bytes[i]);
    buf_u8(sql, '\'');
}

static void put_text_value(struct buf *sql, unsigned room)
{
    static const char *const words[] = {"", " ", "a", "A", "a ", "ä", "Ä", "ß", "ss", "ab", "AB", "é", "x y", "0", "1", "日本", "😀", "Жя", "Ω", "\\'", "\\\\", "%", "ı", "İ", "\\0", "\\n"};
    if (chance(4) && room > 5000) {
        buf_printf(sql, "REPEAT('%s', %u)", chance(50) ? "xyz" : "é", 1 + below(chance(15) ? 200000 : 9000));
        return;
    }
    buf_u8(sql, '\'');
    for (unsigned n = chance(60) ? 1 : below(12); n; n--) buf_text(sql, ONE_OF(words));
    buf_u8(sql, '\'');
}

static void put_bytes_value(struct buf *sql)
{
    uint8_t bytes[64];
    unsigned size = chance(20) ? 0 : below(chance(70) ? 8 : 64);
    for (unsigned i = 0; i < size; i++) bytes[i] = chance(40) ? 0 : chance(20) ? 255 : (uint8_t)draw();
    if (chance(3)) buf_printf(sql, "REPEAT(X'00ff27', %u)", 1 + below(60000));
    else put_hex(sql, bytes, size);
}

static void put_int_value(struct buf *sql, const struct column *c)
{
    static const struct { const char *kind; unsigned bits; } sizes[] = {{"tinyint", 8}, {"smallint", 16}, {"mediumint", 24}, {"int", 32}, {"bigint", 64}};
    unsigned bits = 8;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (!strcmp(c->kind, sizes[i].kind)) bits = sizes[i].bits;
    uint64_t v = chance(60) ? below(20) : chance(30) ? UINT64_MAX : draw();
    if (bits < 64) v &= (UINT64_C(1) << bits) - 1;
    if (c->is_unsigned) buf_printf(sql, "%llu", (unsigned long long)v);
    else buf_printf(sql, "%lld", (long long)(bits < 64 && v >> (bits - 1) ? (int64_t)(v | ~UINT64_C(0) << bits) : (int64_t)v));
}

static void put_when(struct buf *sql, const char *kind)
{
    static const char *const dates[] = {"0000-00-00", "1000-01-01", "9999-12-31", "2024-02-29", "2023-00-00", "1970-01-01"};
    static const char *const stamps[] = {"0000-00-00 00:00:00", "1970-01-01 00:00:01", "2038-01-19 03:14:07", "2024-03-31 02:30:00", "2024-10-27 02:30:00.123456"};
    static const char *const times[] = {"838:59:59", "-838:59:59", "00:00:00", "-00:00:00.000001", "23:59:59.999999", "-12:34:56.5"};
    if (!strcmp(kind, "time")) buf_printf(sql, "'%s'", ONE_OF(times));
    else if (!strcmp(kind, "timestamp")) {
        if (chance(40)) buf_printf(sql, "'%s'", ONE_OF(stamps));
        else buf_printf(sql, "'%u-%02u-%02u %02u:%02u:%02u.%06u'", 1971 + below(66), 1 + below(12), 1 + below(28), below(24), below(60), below(60), below(1000000));
    } else if (!strcmp(kind, "date") || chance(30)) buf_printf(sql, "'%s'", ONE_OF(dates));
    else buf_printf(sql, "'%u-%02u-%02u %02u:%02u:%02u.%06u'", 1 + below(9999), 1 + below(12), 1 + below(28), below(24), below(60), below(60), below(1000000));
}

static void put_value(struct buf *sql, const struct column *c)
{
    static const char *const decimals[] = {"0", "-0.5", "1", "99999999999999999999999999999999999999", "-99999999999999999999.99999999999", "0.0000000001", "123456789.987654321", "-1"};
    static const char *const reals[] = {"0", "-0e0", "1.1", "3.4028234e38", "-1.17549435e-38", "1.7976931348623157e308", "2.2250738585072014e-308", "0.1", "-123456.789"};
    static const char *const years[] = {"0", "1901", "2155", "2000", "1970"};
    static const char *const documents[] = {"{\"a\": 1}", "[]", "null", "[1, 2.5, \"x\", {\"k\": [true, false, null]}]", "\"é\"", "1e100", "-9223372036854775808", "18446744073709551615", "{\"b\": 2, \"a\": {\"é\": \"\"}}"};
    static const char *const shapes[] = {"POINT(1 2)", "POINT(-1.5 1e100)", "LINESTRING(0 0,1 1,2 5)", "POLYGON((0 0,10 0,10 10,0 10,0 0))"};
    const char *k = c->kind;
    size_t size = strlen(k);
    if (c->nullable ? chance(15) : chance(1)) buf_text(sql, "NULL");
    else if (size > 2 && !strcmp(k + size - 3, "int") && strcmp(k, "point")) put_int_value(sql, c);
    else if (!strcmp(k, "decimal")) buf_text(sql, ONE_OF(decimals));
    else if (!strcmp(k, "float") || !strcmp(k, "double")) buf_text(sql, reals[strict_both ? 2 + below(sizeof reals / sizeof *reals - 2) : below(sizeof reals / sizeof *reals)]); /* MariaDB has no -0 */
    else if (!strcmp(k, "bit")) buf_printf(sql, "%llu", (unsigned long long)(chance(40) ? UINT64_MAX >> below(64) : draw() >> below(64)));
    else if (!strcmp(k, "year")) buf_text(sql, ONE_OF(years));
    else if (!strcmp(k, "date") || !strcmp(k, "time") || !strcmp(k, "datetime") || !strcmp(k, "timestamp")) put_when(sql, k);
    else if (!strcmp(k, "enum") || !strcmp(k, "set")) buf_printf(sql, "%u", below(chance(80) ? 4 : 512));
    else if (!strcmp(k, "json")) buf_printf(sql, "'%s'", ONE_OF(documents));
    else if (!strcmp(k, "point")) buf_printf(sql, "ST_GeomFromText('%s')", shapes[below(2)]);
    else if (!strcmp(k, "linestring")) buf_printf(sql, "ST_GeomFromText('%s')", shapes[2]);
    else if (!strcmp(k, "polygon")) buf_printf(sql, "ST_GeomFromText('%s')", shapes[3]);
    else if (!strcmp(k, "geometry")) buf_printf(sql, "ST_GeomFromText('%s')", ONE_OF(shapes));
    else if (!strcmp(k, "uuid")) buf_printf(sql, "'%08x-%04x-%04x-%04x-%012llx'", (unsigned)draw(), below(65536), below(65536), below(65536), (unsigned long long)(draw() >> 16));
    else if (!strcmp(k, "inet4")) buf_printf(sql, "'%u.%u.%u.%u'", below(256), below(256), below(3), below(2));
    else if (!strcmp(k, "inet6")) buf_printf(sql, "'%x::%x'", below(65536), below(3));
    else if (strstr(k, "blob") || strstr(k, "binary")) put_bytes_value(sql);
    else put_text_value(sql, strstr(k, "text") && strcmp(k, "tinytext") ? 60000 : 100);
}

/* ---- writes ---- */

static const struct column *a_column(const struct table *t)
{
    for (int i = 0; i < 20; i++) {
        const struct column *c = &t->columns[below(t->count)];
        if (!c->generated) return c;
    }
    return NULL;
}

static void put_rows(struct buf *sql, const struct table *t)
{
    bool chosen[COLUMNS_MAX], first = true, all = chance(70);
    for (unsigned i = 0; i < t->count; i++) chosen[i] = !t->columns[i].generated && (all || chance(60));
    for (unsigned i = 0; i < t->count; i++) {
        if (!chosen[i]) continue;
        buf_printf(sql, "%s`%s`", first ? " (" : ", ", t->columns[i].name);
        first = false;
    }
    buf_text(sql, first ? " () VALUES " : ") VALUES ");
    for (unsigned n = 1 + (chance(30) ? below(8) : 0); n; n--) {
        bool lead = true;
        buf_u8(sql, '(');
        for (unsigned i = 0; i < t->count; i++) {
            if (!chosen[i]) continue;
            if (!lead) buf_u8(sql, ',');
            put_value(sql, &t->columns[i]);
            lead = false;
        }
        buf_text(sql, n > 1 ? ")," : ")");
    }
}

static void put_where(struct buf *sql, const struct table *t)
{
    const struct column *c = a_column(t);
    if (!c || chance(15)) return;
    buf_printf(sql, " WHERE `%s` %s ", c->name, chance(40) ? "=" : chance(50) ? ">" : "<=>");
    put_value(sql, c);
    if (chance(20)) buf_printf(sql, " OR `%s` IS NULL", c->name);
}

static void write_row(void)
{
    if (!table_count) return;
    const struct table *t = &tables[below(table_count)];
    struct buf sql;
    buf_init(&sql, 8 << 20);
    switch (below(10)) {
    case 0: case 1: case 2: case 3: case 4:
        buf_printf(&sql, "INSERT %sINTO %s", !text_format && chance(50) ? "IGNORE " : "", t->name);
        put_rows(&sql, t);
        break;
    case 5:
        if (text_format || !full_image) break;
        buf_printf(&sql, "REPLACE INTO %s", t->name);
        put_rows(&sql, t);
        break;
    case 6: case 7: {
        const struct column *c = a_column(t), *d = a_column(t);
        if (!c) break;
        buf_printf(&sql, "UPDATE %s%s SET `%s`=", !text_format && chance(50) ? "IGNORE " : "", t->name, c->name);
        put_value(&sql, c);
        if (d && d != c) {
            buf_printf(&sql, ", `%s`=", d->name);
            put_value(&sql, d);
        }
        put_where(&sql, t);
        if (!text_format && chance(40)) buf_printf(&sql, " LIMIT %u", 1 + below(5));
        break;
    }
    case 8:
        buf_printf(&sql, "DELETE FROM %s", t->name);
        put_where(&sql, t);
        if (!text_format) buf_printf(&sql, " LIMIT %u", 1 + below(4));
        break;
    default: { /* rows of rows; an INSERT … SELECT of its own table doubles it */
        const struct column *c = a_column(t);
        if (!c || text_format) break;
        buf_printf(&sql, "INSERT IGNORE INTO %s (`%s`) SELECT `%s` FROM %s LIMIT 5", t->name, c->name, c->name, t->name);
    }
    }
    if (sql.size) run(&sql);
    buf_fini(&sql);
}

static void transaction(void)
{
    bool savepoint = false;
    say("BEGIN");
    for (unsigned n = 1 + below(8); n; n--) {
        if (chance(15)) savepoint = say("SAVEPOINT s");
        if (savepoint && chance(15)) say("ROLLBACK TO SAVEPOINT s");
        write_row();
    }
    say(chance(85) ? "COMMIT" : "ROLLBACK");
}

static void change_session(void)
{
    char sql[400];
    static const char *const images[] = {"FULL", "FULL", "MINIMAL", "NOBLOB"}, *const modes[] = {"", "STRICT_ALL_TABLES", "NO_AUTO_VALUE_ON_ZERO", "ALLOW_INVALID_DATES", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES"};
    static const char *const zones[] = {"+00:00", "+05:30", "-11:00"}, *const formats[] = {"ROW", "ROW", "MIXED", "STATEMENT"};
    const char *image = ONE_OF(images), *format = maria && !strict_both ? ONE_OF(formats) : "ROW";
    /* Never both off: after transactions with both, a MariaDB 10.11.19 lacked a row that its own binary log has, and had one that it has not
       (seed 24391001, every time). No replica can be equal to such a source. */
    bool foreign = !chance(10), unique = !chance(10) || !foreign;
    snprintf(sql, sizeof sql, "SET SESSION sql_mode='%s', time_zone='%s', foreign_key_checks=%u, unique_checks=%u, binlog_row_image=%s%s%s", ONE_OF(modes), ONE_OF(zones),
             foreign, unique, image, maria ? ", binlog_format=" : "", maria ? format : "");
    if (!say(sql)) return;
    full_image = !strcmp(image, "FULL");
    text_format = !strcmp(format, "STATEMENT");
}

/* MariaDB takes an index without a length, and one of a shape, where MySQL does not. */
static bool indexable(const struct column *c)
{
    static const char *const words[] = {"text", "blob", "point", "linestring", "polygon", "geometry", "json"};
    for (size_t i = 0; strict_both && i < sizeof words / sizeof *words; i++)
        if (strstr(c->kind, words[i])) return false;
    return true;
}

static void change_schema(const char *database)
{
    struct buf sql;
    if (!table_count) return;
    const struct table *t = &tables[below(table_count)];
    const struct column *c = a_column(t);
    buf_init(&sql, 1 << 16);
    switch (below(14)) {
    case 0: case 1: buf_printf(&sql, "ALTER TABLE %s ADD c%u ", t->name, serial++); put_type(&sql, false); if (chance(30)) buf_text(&sql, " FIRST"); break;
    case 2: if (c && !strict_both) buf_printf(&sql, "ALTER TABLE %s DROP `%s`", t->name, c->name); break;
    case 3: if (c) buf_printf(&sql, "ALTER TABLE %s CHANGE `%s` c%u %s%s", t->name, c->name, serial, c->type, c->nullable ? " NULL" : " NOT NULL"), serial++; break;
    case 4: if (c) { buf_printf(&sql, "ALTER TABLE %s MODIFY `%s` ", t->name, c->name); put_type(&sql, false); } break;
    case 5: if (c && indexable(c)) buf_printf(&sql, "ALTER TABLE %s ADD INDEX (`%s`)", t->name, c->name); break;
    case 6: if (c && indexable(c)) buf_printf(&sql, "ALTER TABLE %s ADD UNIQUE (`%s`)", t->name, c->name); break;
    case 7: buf_printf(&sql, "RENAME TABLE %s TO t%u", t->name, serial++); break;
    case 8: buf_printf(&sql, "TRUNCATE TABLE %s", t->name); break;
    case 9: buf_printf(&sql, "ALTER TABLE %s DROP PRIMARY KEY", t->name); break;
    case 10: if (c) buf_printf(&sql, "ALTER TABLE %s ADD PRIMARY KEY (`%s`)", t->name, c->name); break;
    case 11: buf_printf(&sql, "CREATE TABLE t%u LIKE %s", serial++, t->name); break;
    case 12: buf_printf(&sql, "CREATE TABLE t%u ENGINE=InnoDB AS SELECT * FROM %s", serial++, t->name); break;
    default: if (chance(30)) buf_printf(&sql, "DROP TABLE %s", t->name); else buf_printf(&sql, "ALTER TABLE %s CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci", t->name);
    }
    if (sql.size) run(&sql);
    buf_fini(&sql);
    learn(database);
}

static void one_schema(uint64_t seed, unsigned steps)
{
    char database[40], sql[200];
    static const char *const charsets[] = {"utf8mb4 COLLATE utf8mb4_general_ci", "latin1", "utf8mb4 COLLATE utf8mb4_bin"};
    state = seed * 0x2545f4914f6cdd1du + 1;
    serial = 1;
    snprintf(database, sizeof database, "rs_%llu", (unsigned long long)seed);
    snprintf(sql, sizeof sql, "CREATE DATABASE %s CHARACTER SET %s", database, ONE_OF(charsets));
    say("SET SESSION sql_mode='', time_zone='+00:00', foreign_key_checks=1, unique_checks=1, binlog_row_image=FULL");
    if (maria) say("SET SESSION binlog_format=ROW");
    full_image = true;
    text_format = false;
    say(sql);
    if (mysql_select_db(connection, database) != 0) exit(TOOL_UNREACHABLE);
    for (unsigned n = 1 + below(3); n; n--) create_table();
    if (chance(25)) create_family();
    learn(database);
    for (unsigned i = 0; i < steps; i++) {
        unsigned what = below(100);
        if (what < 55) write_row();
        else if (what < 80) transaction();
        else if (what < 92) change_schema(database);
        else change_session();
    }
}

static _Noreturn void help(void)
{
    puts("randschema: random schemas and writes, a database rs_SEED for each seed.\n"
         "usage: randschema [--host H --port P | --socket PATH] [--user U] [--password W] [--seed N] [--count N] [--steps N] [--common yes] [--verbose yes]\n"
         "  --seed N      the first seed (1); --count N: so many, each one more (1)\n"
         "  --steps N     writes, transactions and DDL statements of each (60)\n"
         "  --common yes  only what MariaDB and MySQL both have\n"
         "  --verbose yes print every statement\n"
         "exit: 0 done, 2 usage, 3 the server could not be reached");
    exit(0);
}

int main(int argc, char **argv)
{
    struct tool_server server = {.user = "root"};
    uint64_t seed = 1, count = 1, steps = 60;
    char reason[512];
    for (int i = 1; i < argc; i += 2) {
        if (strcmp(argv[i], "--help") == 0) help();
        if (i + 1 == argc) tool_usage(argv[i], "a value is missing, or the option is unknown");
        const char *value = argv[i + 1];
        if (strcmp(argv[i], "--seed") == 0) seed = tool_number("--seed", value);
        else if (strcmp(argv[i], "--count") == 0) count = tool_number("--count", value);
        else if (strcmp(argv[i], "--steps") == 0) steps = tool_number("--steps", value);
        else if (strcmp(argv[i], "--common") == 0) strict_both = true;
        else if (strcmp(argv[i], "--verbose") == 0) verbose = true;
        else if (!tool_server_option(&server, "", argv[i], value)) tool_usage(argv[i], "unknown option");
    }
    connection = tool_connect(&server, reason);
    if (!connection) {
        fprintf(stderr, "randschema: %s\n", reason);
        return TOOL_UNREACHABLE;
    }
    const char *text = mysql_get_server_info(connection);
    unsigned major = 0, minor = 0;
    maria = strstr(text, "Maria") != NULL;
    sscanf(text, "%u.%u", &major, &minor);
    version = major * 100 + minor;
    say("SET NAMES utf8mb4");
    for (uint64_t i = 0; i < count; i++) one_schema(seed + i, (unsigned)steps);
    printf("%llu schemas, %u statements done, %u refused\n", (unsigned long long)count, done, refused);
    mysql_close(connection);
    return TOOL_DONE;
}
