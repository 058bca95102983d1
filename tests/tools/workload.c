/*
 * workload.c: writes to a server as applications do, from several client threads, seeded; goes on through kills of the server
 * and says how many commits are known, and of how many nobody can know (the connection broke during COMMIT).
 *
 * Kinds: mixed (a small shop: transactions over several tables, inserts, updates, deletes, changes of primary keys, many rows in
 * one statement, rollbacks, tables without a key, every column type), oltp (four row changes by key in a transaction), narrow and
 * wide (bulk inserts), types (every literal of types[] once, then changed and partly deleted). DDL runs beside on request.
 */
#include "buf.h"
#include "tool.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

enum { CLIENTS_MAX = 256, TRIES_MAX = 1000 };

struct options {
    struct tool_server server;
    const char *database, *kind, *progress;
    uint64_t clients, seconds, transactions, rate, seed, rows, ddl_ms, big_rows, big_row_bytes, batch, patience;
    bool setup, setup_only, json, quiet;
};

static struct options options = {.server = {.user = "admin", .password = "admin", .port = 3306}, .database = "shop", .kind = "mixed",
                                 .clients = 4, .seed = 1, .rows = 1000, .big_row_bytes = 100, .batch = 1000, .patience = 60, .setup = true};

/* shared by all threads */
static atomic_ullong committed, unknown, rolled_back, rows_changed, reconnects, ddl_done, failed, started;
static atomic_bool stop, broken;
static uint64_t start_us;

/* One client's own. */
struct client {
    unsigned id;
    uint64_t random;
    MYSQL *mysql;
    struct buf sql;
    uint64_t rows; /* changed by the open transaction */
    uint64_t next; /* for keys of its own */
    bool lost;     /* the connection broke: nothing more of this transaction */
    char reason[512];
};

/* ---- chance: splitmix64, so that a seed gives the same decisions on every machine ---- */

static uint64_t chance(struct client *client)
{
    uint64_t z = client->random += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

static uint64_t below(struct client *client, uint64_t n) { return chance(client) % n; }

static const char *one_of(struct client *client, const char *const *items, size_t count) { return items[below(client, count)]; }

/* ---- talking to the server ---- */

/* The connection is gone, or the server is going. */
static bool is_lost(unsigned number)
{
    static const unsigned numbers[] = {1053, 1077, 1079, 1152, 1158, 1159, 1160, 1161, 1184, 1927, 2002, 2003, 2006, 2013, 2014, 2027, 2055, 4031};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i] == number) return true;
    return false;
}

/* Errors that a transaction meets in ordinary life: it is rolled back, and the client goes on. */
static bool is_ordinary(unsigned number)
{
    static const unsigned numbers[] = {1020, 1062, 1205, 1213, 1305, 1146, 1054, 1412, 1615, 1060, 1061, 1091, 1050, 1051, 1290};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i] == number) return true;
    return false;
}

static bool said_query(struct client *client, const char *text, size_t size)
{
    if (client->lost) return false;
    if (mysql_real_query(client->mysql, text, size) == 0) {
        MYSQL_RES *result = mysql_store_result(client->mysql);
        if (result) mysql_free_result(result);
        else client->rows += mysql_affected_rows(client->mysql) == (my_ulonglong)-1 ? 0 : mysql_affected_rows(client->mysql);
        return true;
    }
    unsigned number = mysql_errno(client->mysql);
    snprintf(client->reason, sizeof client->reason, "%u %s: %.200s", number, mysql_error(client->mysql), text);
    client->lost = is_lost(number);
    if (!client->lost && !is_ordinary(number)) {
        fprintf(stderr, "workload: client %u: %s\n", client->id, client->reason);
        atomic_fetch_add(&failed, 1);
    }
    return false;
}

static bool run(struct client *client, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool run(struct client *client, const char *format, ...)
{
    char text[4096];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (size < 0 || (size_t)size >= sizeof text) abort();
    return said_query(client, text, (size_t)size);
}

static bool run_built(struct client *client) { return said_query(client, (const char *)client->sql.data, client->sql.size); }

static bool prepare_session(struct client *client)
{
    return run(client, "SET NAMES utf8mb4, SESSION time_zone='+00:00', SESSION innodb_lock_wait_timeout=1, SESSION lock_wait_timeout=2, SESSION sql_mode='ALLOW_INVALID_DATES'") &&
           run(client, "CREATE DATABASE IF NOT EXISTS `%s` CHARACTER SET utf8mb4", options.database) && run(client, "USE `%s`", options.database);
}

/* Until it answers; false after `patience` seconds without an answer. */
static bool connect_client(struct client *client)
{
    uint64_t until = tool_us() + options.patience * 1000000;
    if (client->mysql) mysql_close(client->mysql), atomic_fetch_add(&reconnects, 1);
    for (client->mysql = NULL; tool_us() < until; tool_sleep_us(100000)) {
        if (client->mysql) mysql_close(client->mysql);
        client->mysql = tool_connect(&options.server, client->reason);
        client->lost = false;
        if (client->mysql && prepare_session(client)) return true;
    }
    fprintf(stderr, "workload: client %u: no connection for %llu s: %s\n", client->id, (unsigned long long)options.patience, client->reason);
    atomic_store(&broken, true);
    atomic_store(&stop, true);
    client->lost = true;
    return false;
}

/* ---- the literals of every column type ---- */

#define HEX16 "0x00112233445566778899AABBCCDDEEFF"
#define LIST(...) (const char *const[]){__VA_ARGS__, NULL}

struct type { const char *table, *column, *type; unsigned since; /* MariaDB version × 100; 0: MySQL has it, too */ const char *const *literals; };

static const struct type types[] = {
    {"t_int", "i1", "TINYINT", 0, LIST("-128", "127", "0", "-1", "NULL")},
    {"t_int", "u1", "TINYINT UNSIGNED", 0, LIST("0", "255", "128", "1", "NULL")},
    {"t_int", "i2", "SMALLINT", 0, LIST("-32768", "32767", "0", "-1", "NULL")},
    {"t_int", "u2", "SMALLINT UNSIGNED", 0, LIST("0", "65535", "32768", "NULL")},
    {"t_int", "y0", "YEAR", 0, LIST("0", "1901", "2024", "2155", "NULL")},
    {"t_int", "i3", "MEDIUMINT", 0, LIST("-8388608", "8388607", "-100", "NULL")},
    {"t_int", "u3", "MEDIUMINT UNSIGNED", 0, LIST("0", "16777215", "8388608", "NULL")},
    {"t_int", "i4", "INT", 0, LIST("-2147483648", "2147483647", "-1", "0", "NULL")},
    {"t_int", "u4", "INT UNSIGNED", 0, LIST("0", "4294967295", "2147483648", "NULL")},
    {"t_int", "i8", "BIGINT", 0, LIST("-9223372036854775808", "9223372036854775807", "-1", "NULL")},
    {"t_int", "u8", "BIGINT UNSIGNED", 0, LIST("0", "18446744073709551615", "9223372036854775808", "NULL")},
    {"t_int", "z4", "INT(8) UNSIGNED ZEROFILL", 0, LIST("0", "42", "4294967295", "NULL")},
    {"t_int", "b", "BOOL", 0, LIST("TRUE", "FALSE", "NULL")},
    {"t_num", "f", "FLOAT", 0, LIST("0", "-0.0", "1.5", "-3.402823466e38", "1.17549435e-38", "0.1", "16777217", "123456.789", "NULL")},
    {"t_num", "fu", "FLOAT UNSIGNED", 0, LIST("0", "3.14159274", "1e10", "NULL")},
    {"t_num", "d", "DOUBLE", 0, LIST("0", "0.1", "-1.7976931348623157e308", "2.2250738585072014e-308", "5e-324", "3.141592653589793", "1e15", "1e16", "NULL")},
    {"t_num", "d2", "DOUBLE(10,2)", 0, LIST("12345678.91", "-0.01", "NULL")},
    {"t_num", "n10", "DECIMAL(10,4)", 0, LIST("1234.5678", "-1234.5678", "0", "-0.0001", "999999.9999", "-0.0", "NULL")},
    {"t_num", "n65", "DECIMAL(65,30)", 0,
     LIST("-12345678901234567890123456789012345.123456789012345678901234567890", "99999999999999999999999999999999999.999999999999999999999999999999", "0", "NULL")},
    {"t_num", "n650", "DECIMAL(65,0)", 0, LIST("99999999999999999999999999999999999999999999999999999999999999999", "-1", "0", "NULL")},
    {"t_num", "n33", "DECIMAL(3,3)", 0, LIST("0.123", "-0.001", "0", "0.999", "NULL")},
    {"t_num", "n10u", "DECIMAL(10,0) UNSIGNED", 0, LIST("0", "9999999999", "NULL")},
    {"t_num", "n189", "DECIMAL(18,9)", 0, LIST("-1.000000001", "999999999.999999999", "0.000000001", "NULL")},
    {"t_num", "bit1", "BIT(1)", 0, LIST("b'1'", "b'0'", "NULL")},
    {"t_num", "bit7", "BIT(7)", 0, LIST("b'1010101'", "b'0'", "NULL")},
    {"t_num", "bit12", "BIT(12)", 0, LIST("b'101010101010'", "b'1'", "NULL")},
    {"t_num", "bit64", "BIT(64)", 0, LIST("0x8123456789ABCDEF", "0xFFFFFFFFFFFFFFFF", "b'0'", "NULL")},
    {"t_time", "da", "DATE", 0, LIST("'2024-02-29'", "'0000-00-00'", "'9999-12-31'", "'1000-01-01'", "'2024-00-00'", "'2024-02-31'", "NULL")},
    {"t_time", "t0", "TIME", 0, LIST("'12:34:56'", "'-12:34:56'", "'838:59:59'", "'-838:59:59'", "'00:00:00'", "NULL")},
    {"t_time", "t1", "TIME(1)", 0, LIST("'-00:00:00.1'", "'-838:59:59.9'", "'12:34:56.7'", "NULL")},
    {"t_time", "t2", "TIME(2)", 0, LIST("'-00:00:00.01'", "'00:00:00'", "'12:34:56.78'", "NULL")},
    {"t_time", "t3", "TIME(3)", 0, LIST("'-00:00:01.001'", "'838:59:59.999'", "'00:00:00'", "NULL")},
    {"t_time", "t4", "TIME(4)", 0, LIST("'-00:00:01.0001'", "'12:34:56.7891'", "NULL")},
    {"t_time", "t5", "TIME(5)", 0, LIST("'-00:00:00.00001'", "'12:34:56.78912'", "NULL")},
    {"t_time", "t6", "TIME(6)", 0, LIST("'-00:00:00.000001'", "'-838:59:59.999999'", "'12:34:56.789123'", "NULL")},
    {"t_time", "dt0", "DATETIME", 0, LIST("'2024-02-29 23:59:59'", "'0000-00-00'", "'9999-12-31 23:59:59'", "'2024-00-00'", "NULL")},
    {"t_time", "dt1", "DATETIME(1)", 0, LIST("'2024-02-29 23:59:59.1'", "'9999-12-31 23:59:59.9'", "NULL")},
    {"t_time", "dt3", "DATETIME(3)", 0, LIST("'2024-02-29 23:59:59.123'", "'0000-00-00'", "'1000-01-01 00:00:00.001'", "NULL")},
    {"t_time", "dt5", "DATETIME(5)", 0, LIST("'2024-02-29 23:59:59.12345'", "NULL")},
    {"t_time", "dt6", "DATETIME(6)", 0, LIST("'2024-02-29 23:59:59.123456'", "'9999-12-31 23:59:59.999999'", "NULL")},
    {"t_time", "ts0", "TIMESTAMP NULL", 0, LIST("'2024-02-29 23:59:59'", "'0000-00-00'", "'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'", "NULL")},
    {"t_time", "ts2", "TIMESTAMP(2) NULL", 0, LIST("'2024-02-29 23:59:59.12'", "'0000-00-00'", "NULL")},
    {"t_time", "ts6", "TIMESTAMP(6) NULL", 0, LIST("'2024-02-29 23:59:59.123456'", "'2038-01-19 03:14:07.999999'", "NULL")},
    {"t_time", "ts9", "TIMESTAMP NULL", 1105, LIST("'2038-01-19 03:14:08'", "'2106-02-07 06:28:15'", "NULL")},
    {"t_str", "c10", "CHAR(10) CHARACTER SET latin1", 0, LIST("'abc'", "''", "_latin1 0xE980", "'ab c'", "NULL")},
    {"t_str", "c255", "CHAR(255) CHARACTER SET utf8mb4", 0, LIST("'é'", "REPEAT('😀',255)", "''", "NULL")},
    {"t_str", "v255", "VARCHAR(255) CHARACTER SET latin1", 0, LIST("'d'", "REPEAT('x',255)", "'trailing  '", "''", "NULL")},
    {"t_str", "v256", "VARCHAR(256) CHARACTER SET latin1", 0, LIST("'e'", "REPEAT('y',256)", "NULL")},
    {"t_str", "v64", "VARCHAR(64) CHARACTER SET utf8mb4", 0, LIST("REPEAT('😀',64)", "'quote '' back\\\\slash'", "_utf8mb4 0x00410A0D1A", "NULL")},
    {"t_str", "ci", "VARCHAR(40) COLLATE utf8mb4_general_ci", 0, LIST("'Abc'", "'abc '", "'ÄÖÜ'", "NULL")},
    {"t_str", "tt", "TINYTEXT", 0, LIST("'tiny'", "REPEAT('t',255)", "NULL")},
    {"t_str", "tx", "TEXT", 0, LIST("'text'", "REPEAT('t',65535)", "''", "NULL")},
    {"t_str", "tm", "MEDIUMTEXT", 0, LIST("REPEAT('m',70000)", "'m'", "NULL")},
    {"t_str", "tl", "LONGTEXT", 0, LIST("REPEAT('long ',30000)", "'l'", "NULL")},
    {"t_bin", "b4", "BINARY(4)", 0, LIST("'a'", "0x61000000", "0x00000000", "0x00FF00FF", "NULL")},
    {"t_bin", "b16", "BINARY(16)", 0, LIST(HEX16, "0x00000000000000000000000000000000", "0x01000000000000000000000000000000", "NULL")},
    {"t_bin", "vb", "VARBINARY(300)", 0, LIST("0x00", "''", "0xFF0000", "REPEAT(0x00,300)", "NULL")},
    {"t_bin", "tb", "TINYBLOB", 0, LIST("0x00FF", "''", "NULL")},
    {"t_bin", "bl", "BLOB", 0, LIST("REPEAT(0xFF00,30000)", "0x27225C0A00", "NULL")},
    {"t_bin", "mb", "MEDIUMBLOB", 0, LIST("REPEAT(0x1A,70000)", "0x80", "NULL")},
    {"t_bin", "lb", "LONGBLOB", 0, LIST("REPEAT(0x0D0A,40000)", "NULL")},
    {"t_misc", "e", "ENUM('on','off','','with space','é')", 0, LIST("'on'", "'é'", "''", "'with space'", "NULL")},
    {"t_misc", "en", "ENUM('x','y') CHARACTER SET latin1 NOT NULL DEFAULT 'y'", 0, LIST("'x'", "'nonesuch'", "'y'")},
    {"t_misc", "s", "SET('a','b','c','d','e','f','g','h','i')", 0, LIST("'a,i'", "''", "'a,b,c,d,e,f,g,h,i'", "NULL")},
    {"t_misc", "js", "JSON", 0, LIST("'{\"a\": [1, 2.50, null, \"é\"]}'", "'null'", "'12345678901234567890'", "'[]'", "NULL")},
    {"t_misc", "u", "UUID", 1007, LIST("'c232ab00-9414-11ec-b3c8-9f6bdeced846'", "'00000000-0000-0000-0000-000000000000'", "'123e4567-e89b-12d3-a456-426614174000'", "NULL")},
    {"t_misc", "i4", "INET4", 1010, LIST("'10.0.0.0'", "'255.255.255.255'", "'0.0.0.0'", "NULL")},
    {"t_misc", "i6", "INET6", 1005, LIST("'::'", "'2001:db8::1'", "'::ffff:1.2.3.4'", "'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'", "NULL")},
    {"t_misc", "g", "GEOMETRY", 0, LIST("ST_GeomFromText('POINT(1 2)', 4326)", "ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,1 1))')", "NULL")},
    {"t_misc", "gp", "POINT", 0, LIST("ST_GeomFromText('POINT(-1.5 1e10)')", "NULL")},
    {"t_misc", "gl", "LINESTRING", 0, LIST("ST_GeomFromText('LINESTRING(0 0,1 1,2 2)')", "NULL")},
    {"t_misc", "ga", "POLYGON", 0, LIST("ST_GeomFromText('POLYGON((0 0,10 0,10 10,0 10,0 0))')", "NULL")},
    {"t_misc", "gm", "MULTIPOINT", 0, LIST("ST_GeomFromText('MULTIPOINT(0 0,1 1)')", "NULL")},
    {"t_misc", "vi", "INT AS (inv * 2) VIRTUAL", 0, NULL},
    {"t_misc", "pe", "VARCHAR(20) AS (CONCAT('p', inv)) STORED", 0, NULL},
    {"t_misc", "inv", "INT INVISIBLE DEFAULT 7", 0, LIST("1", "DEFAULT", "NULL")},
    {"t_misc", "vec", "VECTOR(3)", 1107, LIST("VEC_FromText('[1,2.5,-3]')", "VEC_FromText('[0,0,0]')", "NULL")},
    {"t_text", "ascii", "VARCHAR(20) CHARACTER SET ascii", 0, LIST("'abc'", "NULL")},
    {"t_text", "latin2", "VARCHAR(20) CHARACTER SET latin2", 0, LIST("_latin2 0xB1E6EA", "NULL")},
    {"t_text", "latin5", "VARCHAR(20) CHARACTER SET latin5", 0, LIST("_latin5 0xFDFEF0", "NULL")},
    {"t_text", "latin7", "VARCHAR(20) CHARACTER SET latin7", 0, LIST("_latin7 0xE0E1", "NULL")},
    {"t_text", "cp1250", "VARCHAR(20) CHARACTER SET cp1250", 0, LIST("_cp1250 0x9AE6", "NULL")},
    {"t_text", "cp1251", "VARCHAR(20) CHARACTER SET cp1251", 0, LIST("_cp1251 0xCFF0E8", "NULL")},
    {"t_text", "cp1256", "VARCHAR(20) CHARACTER SET cp1256", 0, LIST("_cp1256 0xC7E1", "NULL")},
    {"t_text", "cp1257", "VARCHAR(20) CHARACTER SET cp1257", 0, LIST("_cp1257 0xE0E1", "NULL")},
    {"t_text", "cp850", "VARCHAR(20) CHARACTER SET cp850", 0, LIST("_cp850 0x8284", "NULL")},
    {"t_text", "cp852", "VARCHAR(20) CHARACTER SET cp852", 0, LIST("_cp852 0xA5A9", "NULL")},
    {"t_text", "cp866", "VARCHAR(20) CHARACTER SET cp866", 0, LIST("_cp866 0x8FE0A8", "NULL")},
    {"t_text", "cp932", "VARCHAR(20) CHARACTER SET cp932", 0, LIST("_cp932 0x82A0835C", "NULL")},
    {"t_text", "sjis", "VARCHAR(20) CHARACTER SET sjis", 0, LIST("_sjis 0x82A0835C", "NULL")},
    {"t_text", "ujis", "VARCHAR(20) CHARACTER SET ujis", 0, LIST("_ujis 0xA4A2", "NULL")},
    {"t_text", "eucjpms", "VARCHAR(20) CHARACTER SET eucjpms", 0, LIST("_eucjpms 0xA4A2", "NULL")},
    {"t_text", "big5", "VARCHAR(20) CHARACTER SET big5", 0, LIST("_big5 0xA741A65C", "NULL")},
    {"t_text", "gbk", "VARCHAR(20) CHARACTER SET gbk", 0, LIST("_gbk 0xC4E3BAC3", "_gbk 0x815C", "NULL")},
    {"t_text", "gb2312", "VARCHAR(20) CHARACTER SET gb2312", 0, LIST("_gb2312 0xC4E3", "NULL")},
    {"t_text", "euckr", "VARCHAR(20) CHARACTER SET euckr", 0, LIST("_euckr 0xB0A1", "NULL")},
    {"t_text", "greek", "VARCHAR(20) CHARACTER SET greek", 0, LIST("_greek 0xE1E2", "NULL")},
    {"t_text", "hebrew", "VARCHAR(20) CHARACTER SET hebrew", 0, LIST("_hebrew 0xE0E1", "NULL")},
    {"t_text", "koi8r", "VARCHAR(20) CHARACTER SET koi8r", 0, LIST("_koi8r 0xF0D2C9", "NULL")},
    {"t_text", "koi8u", "VARCHAR(20) CHARACTER SET koi8u", 0, LIST("_koi8u 0xF0A6A7", "NULL")},
    {"t_text", "tis620", "VARCHAR(20) CHARACTER SET tis620", 0, LIST("_tis620 0xA1A2", "NULL")},
    {"t_text", "swe7", "VARCHAR(20) CHARACTER SET swe7", 0, LIST("_swe7 0x5B5C5D", "NULL")},
    {"t_text", "dec8", "VARCHAR(20) CHARACTER SET dec8", 0, LIST("_dec8 0xE9", "NULL")},
    {"t_text", "hp8", "VARCHAR(20) CHARACTER SET hp8", 0, LIST("_hp8 0xC5", "NULL")},
    {"t_text", "macroman", "VARCHAR(20) CHARACTER SET macroman", 0, LIST("_macroman 0x8E", "NULL")},
    {"t_text", "macce", "VARCHAR(20) CHARACTER SET macce", 0, LIST("_macce 0x8E", "NULL")},
    {"t_text", "keybcs2", "VARCHAR(20) CHARACTER SET keybcs2", 0, LIST("_keybcs2 0x82", "NULL")},
    {"t_text", "geostd8", "VARCHAR(20) CHARACTER SET geostd8", 0, LIST("_geostd8 0xC0", "NULL")},
    {"t_text", "armscii8", "VARCHAR(20) CHARACTER SET armscii8", 0, LIST("_armscii8 0xB2", "NULL")},
    {"t_text", "ucs2", "VARCHAR(20) CHARACTER SET ucs2", 0, LIST("_ucs2 0x006100E9", "NULL")},
    {"t_text", "utf16", "VARCHAR(20) CHARACTER SET utf16", 0, LIST("_utf16 0xD83DDE00", "NULL")},
    {"t_text", "utf16le", "VARCHAR(20) CHARACTER SET utf16le", 0, LIST("_utf16le 0x3DD800DE", "NULL")},
    {"t_text", "utf32", "VARCHAR(20) CHARACTER SET utf32", 0, LIST("_utf32 0x0001F600", "NULL")},
    {"t_text", "utf8mb3", "VARCHAR(20) CHARACTER SET utf8mb3", 0, LIST("'é€'", "NULL")},
};
enum { TYPES = sizeof types / sizeof *types };
static const char *const type_tables[] = {"t_int", "t_num", "t_time", "t_str", "t_bin", "t_misc", "t_text"};
enum { TYPE_TABLES = sizeof type_tables / sizeof *type_tables };

static unsigned server_version; /* 10.11 → 1011; MySQL: 0 */

static bool has_type(const struct type *type, const char *table)
{
    return strcmp(type->table, table) == 0 && type->since <= server_version;
}

static bool writable(const struct type *type, const char *table) { return type->literals && has_type(type, table); }

static size_t literal_count(const struct type *type)
{
    size_t count = 0;
    while (type->literals[count]) count++;
    return count;
}

/* Row `round` takes each column's literal number round; without a round, any. */
static void put_type_values(struct client *client, const char *table, const uint64_t *round)
{
    for (size_t i = 0; i < TYPES; i++) {
        if (!writable(&types[i], table)) continue;
        size_t count = literal_count(&types[i]);
        buf_printf(&client->sql, ",%s", types[i].literals[round ? *round % count : below(client, count)]);
    }
}

static bool insert_type_row(struct client *client, const char *table, const uint64_t *round)
{
    buf_clear(&client->sql);
    buf_printf(&client->sql, "INSERT IGNORE INTO %s (id", table);
    for (size_t i = 0; i < TYPES; i++)
        if (writable(&types[i], table)) buf_printf(&client->sql, ",%s", types[i].column);
    buf_text(&client->sql, ") VALUES (NULL");
    put_type_values(client, table, round);
    buf_u8(&client->sql, ')');
    return run_built(client);
}

static bool update_type_row(struct client *client, const char *table)
{
    uint64_t skip = below(client, TYPES);
    buf_clear(&client->sql);
    buf_printf(&client->sql, "UPDATE IGNORE %s SET id=id", table);
    for (size_t n = 0, changed = 0; n < TYPES && changed < 3; n++) {
        const struct type *type = &types[(n + skip) % TYPES];
        if (!writable(type, table)) continue;
        changed++;
        buf_printf(&client->sql, ",%s=%s", type->column, type->literals[below(client, literal_count(type))]);
    }
    buf_printf(&client->sql, " WHERE id %% 7 = %llu ORDER BY id DESC LIMIT 3", (unsigned long long)below(client, 7));
    return run_built(client);
}

/* ---- schemas ---- */

static bool create_type_tables(struct client *client)
{
    for (size_t t = 0; t < TYPE_TABLES; t++) {
        buf_clear(&client->sql);
        buf_printf(&client->sql, "CREATE TABLE IF NOT EXISTS %s (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY", type_tables[t]);
        for (size_t i = 0; i < TYPES; i++)
            if (has_type(&types[i], type_tables[t])) buf_printf(&client->sql, ", %s %s", types[i].column, types[i].type);
        buf_text(&client->sql, ")");
        if (!run_built(client)) return false;
    }
    buf_clear(&client->sql); /* more members than fit in one byte */
    buf_text(&client->sql, "CREATE TABLE IF NOT EXISTS t_members (id INT AUTO_INCREMENT PRIMARY KEY, e ENUM(");
    for (unsigned i = 1; i <= 300; i++) buf_printf(&client->sql, "%s'm%u'", i > 1 ? "," : "", i);
    buf_text(&client->sql, "), s SET(");
    for (unsigned i = 1; i <= 64; i++) buf_printf(&client->sql, "%s's%u'", i > 1 ? "," : "", i);
    buf_text(&client->sql, "))");
    return run_built(client);
}

static const char *const shop_tables[] = {
    "CREATE TABLE IF NOT EXISTS customers (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARCHAR(80) NOT NULL, email VARCHAR(120) "
    "CHARACTER SET latin1, balance DECIMAL(12,2) NOT NULL DEFAULT 0, created DATETIME(3) NOT NULL, seen TIMESTAMP(6) NULL, KEY (name))",
    "CREATE TABLE IF NOT EXISTS orders (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, customer BIGINT NOT NULL, "
    "status ENUM('new','paid','sent','returned') NOT NULL, flags SET('gift','express','insured'), total DECIMAL(14,4) NOT NULL, note TEXT, "
    "placed DATETIME(6) NOT NULL, KEY (customer))",
    "CREATE TABLE IF NOT EXISTS items (order_id BIGINT UNSIGNED NOT NULL, line SMALLINT UNSIGNED NOT NULL, product CHAR(12) CHARACTER SET ascii "
    "NOT NULL, quantity INT NOT NULL, price DOUBLE NOT NULL, PRIMARY KEY (order_id, line))",
    "CREATE TABLE IF NOT EXISTS stock (product CHAR(12) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci NOT NULL PRIMARY KEY, quantity INT NOT NULL, "
    "weight FLOAT, changed TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP)",
    "CREATE TABLE IF NOT EXISTS sessions (token BINARY(16) NOT NULL PRIMARY KEY, customer BIGINT NOT NULL, nick VARCHAR(30) NOT NULL, "
    "data MEDIUMBLOB, UNIQUE KEY nick (nick))",
    "CREATE TABLE IF NOT EXISTS audit (at DATETIME(6), who VARCHAR(40), what VARCHAR(200), amount INT, KEY (who))",
    "CREATE TABLE IF NOT EXISTS events (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, client INT NOT NULL, kind TINYINT UNSIGNED NOT NULL, text VARCHAR(200), KEY (client, kind))",
    "CREATE TABLE IF NOT EXISTS big (batch INT NOT NULL, id INT NOT NULL, payload MEDIUMTEXT NOT NULL, PRIMARY KEY (batch, id))"};

static const char oltp_table[] =
    "CREATE TABLE IF NOT EXISTS oltp (id INT NOT NULL PRIMARY KEY, k INT NOT NULL, c CHAR(120) NOT NULL, pad CHAR(60) NOT NULL, KEY (k)) "
    "CHARACTER SET latin1";
static const char narrow_table[] =
    "CREATE TABLE IF NOT EXISTS narrow (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY, a INT NOT NULL, b BIGINT UNSIGNED NOT NULL, "
    "c VARCHAR(64) NOT NULL, d DECIMAL(12,2) NOT NULL, e DATETIME(6) NOT NULL, f SMALLINT NOT NULL)";

static bool create_wide_table(struct client *client)
{
    static const char *const kinds[] = {"INT", "BIGINT", "VARCHAR(40)", "DECIMAL(12,4)", "DATETIME(3)", "DOUBLE", "CHAR(16)", "TIMESTAMP NULL"};
    buf_clear(&client->sql);
    buf_text(&client->sql, "CREATE TABLE IF NOT EXISTS wide (id INT NOT NULL AUTO_INCREMENT PRIMARY KEY");
    for (unsigned i = 0; i < 40; i++) buf_printf(&client->sql, ", c%u %s", i, kinds[i % 8]);
    buf_u8(&client->sql, ')');
    return run_built(client);
}

static bool fill_stock(struct client *client)
{
    buf_clear(&client->sql);
    buf_text(&client->sql, "INSERT IGNORE INTO stock (product, quantity, weight) VALUES ");
    for (unsigned i = 0; i < 500; i++) buf_printf(&client->sql, "%s('P%05u',%u,%u.%u)", i ? "," : "", i, 1000 + i, i % 90, i % 10);
    return run_built(client);
}

static bool fill_oltp(struct client *client)
{
    for (uint64_t from = 1; from <= options.rows && !client->lost; from += 1000) {
        buf_clear(&client->sql);
        buf_text(&client->sql, "INSERT IGNORE INTO oltp VALUES ");
        for (uint64_t id = from; id < from + 1000 && id <= options.rows; id++)
            buf_printf(&client->sql, "%s(%llu,%llu,REPEAT('%c',119),REPEAT('p',59))", id == from ? "" : ",", (unsigned long long)id,
                       (unsigned long long)below(client, options.rows), (int)('a' + id % 26));
        if (!run_built(client)) return false;
    }
    return true;
}

static bool is_kind(const char *kind) { return strcmp(options.kind, kind) == 0; }

static bool set_up(struct client *client)
{
    if (is_kind("oltp")) return run(client, "%s", oltp_table) && fill_oltp(client);
    if (is_kind("narrow")) return run(client, "%s", narrow_table);
    if (is_kind("wide")) return create_wide_table(client);
    if (!create_type_tables(client)) return false;
    if (is_kind("types")) return true;
    for (size_t i = 0; i < sizeof shop_tables / sizeof *shop_tables; i++)
        if (!run(client, "%s", shop_tables[i])) return false;
    return fill_stock(client);
}

/* ---- what a transaction of the shop does ---- */

typedef bool step_fn(struct client *client);

static bool new_customer(struct client *client)
{
    static const char *const names[] = {"Zoë", "Ana", "李雷", "O\\'Brien", "Müller", "😀 Smith", "back\\\\slash", "Иван"};
    return run(client, "INSERT INTO customers (name, email, balance, created, seen) VALUES ('%s %llu', 'c%llu@example.com', %llu.%02llu, NOW(3), NOW(6))",
               one_of(client, names, 8), (unsigned long long)below(client, 1000000), (unsigned long long)below(client, 1000000),
               (unsigned long long)below(client, 10000), (unsigned long long)below(client, 100));
}

static bool new_order(struct client *client)
{
    unsigned long long lines = 1 + below(client, 4), customer = 1 + below(client, 200), total = below(client, 100000);
    bool ok = run(client, "INSERT INTO orders (customer, status, flags, total, note, placed) VALUES (%llu, 'new', %llu, %llu.1234, %s, NOW(6))", customer,
                  (unsigned long long)below(client, 8), total, below(client, 3) ? "NULL" : "'say \\'hello\\''");
    unsigned long long order = ok ? mysql_insert_id(client->mysql) : 0;
    for (unsigned long long line = 1; line <= lines && ok; line++) {
        unsigned long long product = below(client, 500);
        ok = run(client, "INSERT INTO items VALUES (%llu, %llu, 'P%05llu', %llu, %llu.%llu)", order, line, product, 1 + (unsigned long long)below(client, 9),
                 (unsigned long long)below(client, 900), (unsigned long long)below(client, 1000)) &&
             run(client, "UPDATE stock SET quantity = quantity - 1 WHERE product = 'p%05llu'", product);
    }
    return ok && run(client, "UPDATE customers SET balance = balance - %llu.5, seen = NOW(6) WHERE id = %llu", total % 1000, customer);
}

static bool change_orders(struct client *client)
{
    unsigned long long id = 1 + below(client, 2000);
    return run(client, "UPDATE orders SET status = %llu, note = REPEAT('n', %llu) WHERE id BETWEEN %llu AND %llu", 1 + (unsigned long long)below(client, 4),
               (unsigned long long)below(client, 300), id, id + below(client, 5)) &&
           run(client, "UPDATE items SET quantity = quantity + 1, price = price * 1.1 WHERE order_id = %llu", id);
}

static bool drop_order(struct client *client)
{
    unsigned long long id = 1 + below(client, 2000);
    return run(client, "DELETE FROM items WHERE order_id = %llu", id) && run(client, "DELETE FROM orders WHERE id = %llu", id);
}

static bool change_keys(struct client *client)
{
    unsigned long long id = 1 + below(client, 2000), product = below(client, 500);
    return run(client, "UPDATE items SET line = line + 100 WHERE order_id = %llu AND line < 400 ORDER BY line DESC", id) &&
           run(client, "UPDATE stock SET product = CONCAT(SUBSTRING(product, 1, 6), '%c') WHERE product LIKE 'P%05llu%%' LIMIT 1", (int)('a' + below(client, 26)), product);
}

/* Two rows exchange their unique value: 1062 for whoever does not keep the source's order. */
static bool change_sessions(struct client *client)
{
    unsigned long long a = below(client, 300), b = below(client, 300);
    bool ok = run(client, "INSERT INTO sessions VALUES (UNHEX(MD5('%llu')), %llu, 'nick%llu', REPEAT(CHAR(%llu), %llu)) ON DUPLICATE KEY UPDATE data = CONCAT(COALESCE(LEFT(data, 2000), ''), 0x00FF)",
                  a, a, a, (unsigned long long)below(client, 256), (unsigned long long)below(client, 3000));
    if (!ok || below(client, 3)) return ok;
    if (a == b) return run(client, "DELETE FROM sessions WHERE token = UNHEX(MD5('%llu'))", a);
    return run(client, "UPDATE sessions SET nick = 'swap%u' WHERE nick = 'nick%llu'", client->id, a) &&
           run(client, "UPDATE sessions SET nick = 'nick%llu' WHERE nick = 'nick%llu'", a, b) &&
           run(client, "UPDATE sessions SET nick = 'nick%llu' WHERE nick = 'swap%u'", b, client->id);
}

static bool keyless(struct client *client)
{
    unsigned long long amount = below(client, 40);
    if (below(client, 4) == 0) return run(client, "DELETE FROM audit WHERE who = 'client%u' ORDER BY at LIMIT 2", client->id);
    if (below(client, 4) == 0) return run(client, "UPDATE audit SET amount = amount + 1 WHERE who = 'client%u' AND amount = %llu ORDER BY at LIMIT 2", client->id, amount);
    return run(client, "INSERT INTO audit VALUES (NOW(6), 'client%u', 'same', %llu), ('2024-01-01', 'client%u', NULL, NULL), ('2024-01-01', 'client%u', NULL, NULL)",
               client->id, amount, client->id, client->id);
}

static bool many_rows(struct client *client)
{
    uint64_t count = 20 + below(client, 200);
    buf_clear(&client->sql);
    buf_text(&client->sql, "INSERT INTO events (client, kind, text) VALUES ");
    for (uint64_t i = 0; i < count; i++) buf_printf(&client->sql, "%s(%u,%u,REPEAT('e',%u))", i ? "," : "", client->id, (unsigned)below(client, 256), (unsigned)below(client, 150));
    if (!run_built(client) || below(client, 3)) return !client->lost;
    return run(client, "UPDATE events SET text = CONCAT('u', LEFT(text, 100)) WHERE client = %u AND kind = %llu", client->id, (unsigned long long)below(client, 256)) &&
           run(client, "DELETE FROM events WHERE client = %u AND kind = %llu", client->id, (unsigned long long)below(client, 256));
}

static bool all_types(struct client *client)
{
    const char *table = type_tables[below(client, TYPE_TABLES)];
    bool heavy = strcmp(table, "t_str") == 0 || strcmp(table, "t_bin") == 0; /* a row of up to 600 KB */
    if (heavy && below(client, 8)) return update_type_row(client, "t_int");
    if (below(client, 5) == 0) return run(client, "DELETE FROM %s WHERE id %% 11 = %llu ORDER BY id LIMIT 2", table, (unsigned long long)below(client, 11));
    if (below(client, 2)) return update_type_row(client, table);
    return insert_type_row(client, table, NULL) && run(client, "INSERT INTO t_members (e, s) VALUES (%llu, %llu)", 1 + (unsigned long long)below(client, 300), (unsigned long long)chance(client));
}

static bool take_back(struct client *client)
{
    bool ok = new_customer(client) && run(client, "SAVEPOINT half") && new_order(client) && run(client, "ROLLBACK TO SAVEPOINT half") && keyless(client);
    if (ok && below(client, 2)) ok = run(client, "ROLLBACK");
    return ok;
}

static bool oltp(struct client *client)
{
    unsigned long long a = 1 + below(client, options.rows), b = 1 + below(client, options.rows), c = 1 + below(client, options.rows);
    return run(client, "UPDATE oltp SET k = k + 1 WHERE id = %llu", a) &&
           run(client, "UPDATE oltp SET c = REPEAT('%c', 119) WHERE id = %llu", (int)('a' + below(client, 26)), b) &&
           run(client, "DELETE FROM oltp WHERE id = %llu", c) &&
           run(client, "INSERT INTO oltp VALUES (%llu, %llu, REPEAT('%c', 119), REPEAT('q', 59))", c, (unsigned long long)below(client, options.rows), (int)('a' + below(client, 26)));
}

static bool narrow(struct client *client)
{
    buf_clear(&client->sql);
    buf_text(&client->sql, "INSERT INTO narrow (a, b, c, d, e, f) VALUES ");
    for (uint64_t i = 0; i < options.batch; i++) {
        unsigned long long v = chance(client);
        buf_printf(&client->sql, "%s(%u,%llu,'a line of text, number %llu',%llu.%02llu,'20%02llu-%02llu-%02llu 10:11:12.%06llu',%llu)", i ? "," : "",
                   (unsigned)(v & 0x7fffffff), v >> 8, v % 1000000007, v % 1000000, v % 100, v % 30 + 10, v % 12 + 1, v % 28 + 1, v % 1000000, v % 32768);
    }
    return run_built(client);
}

static bool wide(struct client *client)
{
    buf_clear(&client->sql);
    buf_text(&client->sql, "INSERT INTO wide VALUES ");
    for (uint64_t i = 0; i < options.batch; i++) {
        buf_text(&client->sql, i ? ",(NULL" : "(NULL");
        for (unsigned column = 0; column < 40; column += 8) {
            unsigned long long v = chance(client);
            buf_printf(&client->sql, ",%u,%llu,'text %llu and more of it',%llu.%04llu,'20%02llu-01-%02llu 10:11:12.%03llu',%llu.5,'char %llu',NULL",
                       (unsigned)(v & 0x7fffffff), v >> 1, v % 1000000007, v % 10000000, v % 10000, v % 30 + 10, v % 28 + 1, v % 1000, v % 100000, v % 1000003);
        }
        buf_u8(&client->sql, ')');
    }
    return run_built(client);
}

/* Weights of the shop's transactions, in percent. */
static const struct { step_fn *step; unsigned weight; } shop[] = {
    {new_order, 34}, {change_orders, 14}, {new_customer, 8}, {drop_order, 6}, {change_keys, 6}, {change_sessions, 8},
    {keyless, 6}, {many_rows, 3}, {all_types, 12}, {take_back, 3}};

static bool shop_step(struct client *client)
{
    uint64_t at = below(client, 100);
    for (size_t i = 0; i < sizeof shop / sizeof *shop; i++) {
        if (at < shop[i].weight) return shop[i].step(client);
        at -= shop[i].weight;
    }
    return false;
}

static bool types_step(struct client *client)
{
    uint64_t round = client->next++;
    bool ok = true;
    for (size_t t = 0; t < TYPE_TABLES && ok; t++) {
        ok = insert_type_row(client, type_tables[t], &round);
        if (ok && round % 3 == 2) ok = update_type_row(client, type_tables[t]);
        if (ok && round % 5 == 4) ok = run(client, "DELETE FROM %s ORDER BY id LIMIT 1", type_tables[t]);
    }
    return ok && run(client, "INSERT INTO t_members (e, s) VALUES (%llu, %llu), (NULL, NULL)", 1 + (unsigned long long)(round * 37 % 300), (unsigned long long)chance(client));
}

static step_fn *step_of_kind(void)
{
    static const struct { const char *kind; step_fn *step; } kinds[] = {
        {"mixed", shop_step}, {"oltp", oltp}, {"narrow", narrow}, {"wide", wide}, {"types", types_step}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (is_kind(kinds[i].kind)) return kinds[i].step;
    tool_usage("--kind", "mixed, oltp, narrow, wide or types");
}

/* ---- a client's life ---- */

/* One transaction. Known: it stands, or it does not. Unknown: the connection broke while COMMIT was under way. */
static void transact(struct client *client, step_fn *step, unsigned parts)
{
    client->rows = 0;
    bool ok = run(client, "BEGIN");
    for (unsigned i = 0; i < parts && ok; i++) ok = step(client);
    if (!ok) {
        if (!client->lost) run(client, "ROLLBACK");
        atomic_fetch_add(&rolled_back, 1);
        return;
    }
    uint64_t rows = client->rows;
    if (run(client, "COMMIT")) {
        atomic_fetch_add(&committed, 1);
        atomic_fetch_add(&rows_changed, rows);
    } else if (client->lost) {
        atomic_fetch_add(&unknown, 1);
    } else {
        atomic_fetch_add(&rolled_back, 1);
    }
}

static bool is_over(void)
{
    if (atomic_load(&stop)) return true;
    if (options.seconds && tool_us() - start_us >= options.seconds * 1000000) return true;
    return options.transactions && atomic_load(&started) >= options.transactions;
}

/* The next transaction's turn; with --rate it comes at its time. */
static bool take_turn(void)
{
    if (is_over()) return false;
    uint64_t turn = atomic_fetch_add(&started, 1);
    if (options.transactions && turn >= options.transactions) return false;
    if (!options.rate) return true;
    uint64_t due = start_us + turn * 1000000 / options.rate;
    for (uint64_t now; (now = tool_us()) < due;) {
        if (is_over()) return false;
        tool_sleep_us(due - now < 50000 ? due - now : 50000);
    }
    return true;
}

static void client_init(struct client *client, unsigned id)
{
    *client = (struct client){.id = id, .random = options.seed * 1000003 + id};
    buf_init(&client->sql, 512u << 20);
}

static void client_fini(struct client *client)
{
    if (client->mysql) mysql_close(client->mysql);
    buf_fini(&client->sql);
}

static void *client_main(void *arg)
{
    struct client *client = arg;
    step_fn *step = step_of_kind();
    mysql_thread_init();
    if (connect_client(client))
        while (take_turn()) {
            transact(client, step, is_kind("mixed") ? 1 + (unsigned)below(client, 3) : 1);
            if (client->lost && !connect_client(client)) break;
        }
    mysql_thread_end();
    return NULL;
}

/* ---- DDL beside the traffic: one statement each turn, in a circle that ends where it began ---- */

static bool waited_for_lock(const struct client *client)
{
    unsigned number = mysql_errno(client->mysql);
    return number == 1205 || number == 1213;
}

static void *ddl_main(void *arg)
{
    static const char *const circle[] = {
        "CREATE TABLE extra_%llu (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(40), n INT) CHARACTER SET utf8mb4",
        "INSERT INTO extra_%llu (v, n) VALUES ('one', 1), ('zwei', 2), (NULL, NULL)",
        "ALTER TABLE customers ADD COLUMN extra_%llu INT NOT NULL DEFAULT 5",
        "ALTER TABLE extra_%llu ADD COLUMN d DATETIME(6), MODIFY v VARCHAR(100), ADD KEY (n)",
        "UPDATE extra_%llu SET n = COALESCE(n, 0) + 1, d = '2024-02-29 10:00:00.123456'",
        "ALTER TABLE orders ADD COLUMN more_%llu VARCHAR(20) AFTER status",
        "INSERT INTO extra_%llu (v, n, d) VALUES ('late', 9, NOW(6))",
        "CREATE INDEX by_v ON extra_%llu (v)",
        "ALTER TABLE customers DROP COLUMN extra_%llu",
        "RENAME TABLE extra_%llu TO renamed",
        "DELETE FROM renamed WHERE n = 2",
        "ALTER TABLE orders DROP COLUMN more_%llu",
        "TRUNCATE TABLE renamed",
        "INSERT INTO renamed (v) VALUES ('kept')",
        "CREATE TABLE like_%llu LIKE renamed",
        "INSERT INTO like_%llu SELECT * FROM renamed",
        "DROP TABLE renamed"};
    struct client *client = arg;
    mysql_thread_init();
    bool ok = connect_client(client);
    for (uint64_t turn = 0; ok && !is_over(); turn++) {
        for (uint64_t waited = 0; waited < options.ddl_ms && !is_over(); waited += 20) tool_sleep_us(20000);
        if (is_over()) break;
        char text[512];
        size_t count = sizeof circle / sizeof *circle;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(text, sizeof text, circle[turn % count], (unsigned long long)(turn / count));
#pragma GCC diagnostic pop
        if (run(client, "%s", text)) atomic_fetch_add(&ddl_done, 1);
        else if (!client->lost) turn -= waited_for_lock(client); /* then the same again */
        else ok = connect_client(client);
    }
    mysql_thread_end();
    return NULL;
}

/* ---- one transaction of many rows, done again until it stands once ---- */

static bool big_stands(struct client *client, bool *stands)
{
    if (client->lost || mysql_query(client->mysql, "SELECT COUNT(*) FROM big WHERE batch = 1") != 0) return client->lost = true, false;
    MYSQL_RES *result = mysql_store_result(client->mysql);
    MYSQL_ROW row = result ? mysql_fetch_row(result) : NULL;
    *stands = row && strtoull(row[0], NULL, 10) == options.big_rows;
    if (result) mysql_free_result(result);
    return row != NULL;
}

static bool big_rows(struct client *client)
{
    bool ok = true;
    for (uint64_t from = 0; from < options.big_rows && ok;) {
        buf_clear(&client->sql);
        buf_text(&client->sql, "INSERT INTO big VALUES ");
        for (uint64_t i = 0; i < 1000 && from < options.big_rows; i++, from++)
            buf_printf(&client->sql, "%s(1,%llu,REPEAT('%c%u',%llu))", i ? "," : "", (unsigned long long)from, (int)('a' + from % 26), (unsigned)(from % 10),
                       (unsigned long long)(options.big_row_bytes / 2));
        ok = run_built(client);
    }
    return ok;
}

static void *big_main(void *arg)
{
    struct client *client = arg;
    mysql_thread_init();
    bool ok = connect_client(client), stands = false;
    for (unsigned tries = 0; ok && !stands && tries < TRIES_MAX; tries++) {
        ok = big_stands(client, &stands) || connect_client(client);
        if (!ok || stands || client->lost) continue;
        transact(client, big_rows, 1);
        if (client->lost) ok = connect_client(client);
    }
    if (!stands && ok) atomic_store(&broken, true);
    mysql_thread_end();
    return NULL;
}

/* ---- */

static void put_report(FILE *to, bool json)
{
    double seconds = (double)(tool_us() - start_us) / 1e6;
    fprintf(to,
            json ? "{\"seconds\":%.3f,\"committed\":%llu,\"unknown\":%llu,\"rolled_back\":%llu,\"rows\":%llu,\"ddl\":%llu,\"reconnects\":%llu,\"failed\":%llu}\n"
                 : "workload: %.1f s, %llu transactions committed, %llu unknown, %llu rolled back, %llu rows changed, %llu DDL statements, %llu reconnects, %llu failed statements\n",
            seconds, atomic_load(&committed), atomic_load(&unknown), atomic_load(&rolled_back), atomic_load(&rows_changed), atomic_load(&ddl_done),
            atomic_load(&reconnects), atomic_load(&failed));
    fflush(to);
}

/* A file that others read while we run: whole at every moment. */
static void write_progress(void)
{
    char path[512];
    if (!options.progress) return;
    snprintf(path, sizeof path, "%s.new", options.progress);
    FILE *file = fopen(path, "w");
    if (!file) return;
    put_report(file, true);
    fclose(file);
    if (rename(path, options.progress) != 0) fprintf(stderr, "workload: %s: %s\n", options.progress, strerror(errno));
}

static void *progress_main(void *arg)
{
    (void)arg;
    for (unsigned tick = 1; !is_over(); tick++) {
        tool_sleep_us(200000);
        write_progress();
        if (!options.quiet && tick % 5 == 0) put_report(stderr, false);
    }
    return NULL;
}

static void on_signal(int number)
{
    (void)number;
    atomic_store(&stop, true);
}

static _Noreturn void help(void)
{
    puts("workload: writes to a server as applications do.\n"
         "usage: workload [--host H --port P | --socket PATH] [--user U] [--password W | --password-file F] [option…]\n"
         "  --kind K          mixed (a small shop, all column types; default), oltp, narrow, wide, types\n"
         "  --database D      where the tables are made (shop)\n"
         "  --clients N       connections that write (4)\n"
         "  --seconds N       ends after N seconds; --transactions N: after N transactions (neither: at SIGTERM)\n"
         "  --rate N          at most N transactions a second over all clients\n"
         "  --seed N          the same decisions again (1)\n"
         "  --ddl-ms N        a DDL statement every N ms beside it (mixed only; 0: none)\n"
         "  --big-rows N      one transaction of N rows beside it; --big-row-bytes B: of B bytes each (100)\n"
         "  --rows N          oltp: rows of the table (1000); --batch N: narrow, wide: rows of a statement (1000)\n"
         "  --no-setup        the tables are there; --setup-only: makes them and ends\n"
         "  --patience N      gives up after N seconds without a server (60)\n"
         "  --progress FILE   the figures so far as JSON, renewed five times a second\n"
         "  --json            closes with the figures as JSON; --quiet: no line every second\n"
         "exit: 0 done, 1 a statement failed that should not, 2 usage, 3 the server could not be reached");
    exit(0);
}

static bool take_number(const char *name, const char *value)
{
    static const struct { const char *name; uint64_t *to; } numbers[] = {
        {"--clients", &options.clients}, {"--seconds", &options.seconds}, {"--transactions", &options.transactions}, {"--rate", &options.rate},
        {"--seed", &options.seed}, {"--ddl-ms", &options.ddl_ms}, {"--big-rows", &options.big_rows}, {"--big-row-bytes", &options.big_row_bytes},
        {"--rows", &options.rows}, {"--batch", &options.batch}, {"--patience", &options.patience}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strcmp(name, numbers[i].name) == 0) return *numbers[i].to = tool_number(name, value), true;
    return false;
}

static bool take_flag(const char *name)
{
    if (strcmp(name, "--help") == 0) help();
    if (strcmp(name, "--no-setup") == 0) return options.setup = false, true;
    if (strcmp(name, "--setup-only") == 0) return options.setup_only = true;
    if (strcmp(name, "--json") == 0) return options.json = true;
    if (strcmp(name, "--quiet") == 0) return options.quiet = true;
    return false;
}

static void take_options(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (take_flag(argv[i])) continue;
        if (i + 1 == argc) tool_usage(argv[i], "a value is missing, or the option is unknown");
        const char *name = argv[i++], *value = argv[i];
        if (strcmp(name, "--kind") == 0) options.kind = value;
        else if (strcmp(name, "--database") == 0) options.database = value;
        else if (strcmp(name, "--progress") == 0) options.progress = value;
        else if (!take_number(name, value) && !tool_server_option(&options.server, "", name, value)) tool_usage(name, "unknown option");
    }
    if (options.clients < 1 || options.clients > CLIENTS_MAX) tool_usage("--clients", "1 to 256");
    if (options.rows < 1 || options.batch < 1 || options.batch > 100000) tool_usage("--rows, --batch", "out of range");
    step_of_kind();
}

static int finish(struct client *first)
{
    client_fini(first);
    write_progress();
    put_report(options.json ? stdout : stderr, options.json);
    return atomic_load(&broken) ? TOOL_UNREACHABLE : atomic_load(&failed) ? TOOL_NOT_MET : TOOL_DONE;
}

int main(int argc, char **argv)
{
    static struct client clients[CLIENTS_MAX], ddl, big, first;
    static pthread_t threads[CLIENTS_MAX], ddl_thread, big_thread, progress_thread;
    take_options(argc, argv);
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    signal(SIGPIPE, SIG_IGN);
    mysql_library_init(0, NULL, NULL);
    start_us = tool_us();
    client_init(&first, CLIENTS_MAX + 2);
    if (!connect_client(&first)) return TOOL_UNREACHABLE;
    unsigned long version = mysql_get_server_version(first.mysql);
    server_version = strstr(mysql_get_server_info(first.mysql), "Maria") ? (unsigned)(version / 10000 * 100 + version / 100 % 100) : 0;
    if (options.setup && !set_up(&first)) {
        fprintf(stderr, "workload: set-up: %s\n", first.reason);
        return TOOL_NOT_MET;
    }
    start_us = tool_us();
    if (options.setup_only) return finish(&first);
    for (unsigned i = 0; i < options.clients; i++) {
        client_init(&clients[i], i);
        pthread_create(&threads[i], NULL, client_main, &clients[i]);
    }
    client_init(&ddl, CLIENTS_MAX);
    client_init(&big, CLIENTS_MAX + 1);
    if (options.ddl_ms) pthread_create(&ddl_thread, NULL, ddl_main, &ddl);
    if (options.big_rows) pthread_create(&big_thread, NULL, big_main, &big);
    pthread_create(&progress_thread, NULL, progress_main, NULL);
    for (unsigned i = 0; i < options.clients; i++) pthread_join(threads[i], NULL);
    if (options.ddl_ms) pthread_join(ddl_thread, NULL);
    if (options.big_rows) pthread_join(big_thread, NULL);
    atomic_store(&stop, true);
    pthread_join(progress_thread, NULL);
    for (unsigned i = 0; i < options.clients; i++) client_fini(&clients[i]);
    client_fini(&ddl);
    client_fini(&big);
    return finish(&first);
}
