/*
 * randschema: random schemas and random writes to them, for the differential test: one database for each seed (rs_SEED), a few tables with every
 * type, key and character set that the server has, rows with the values at their limits and rows of megabytes, DDL in between, transactions over
 * several tables with savepoints, transactions in two phases that end in another session, row images and binlog formats that change. The same seed
 * does the same again. A statement that the server refuses is part of the game; a lost connection is not.
 */
#include "randschema.h"

#include <stdarg.h>

struct server server;
struct session session;
struct table tables[TABLES_MAX];
unsigned table_count, serial;

static struct tool_server where = {.user = "root"};
static MYSQL *connection, *first;
static char database[40];
static bool verbose;
static unsigned refused, done, number; /* refused, done: of the schema at hand */
static uint64_t state;

uint64_t draw(void)
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}
unsigned below(unsigned n) { return (unsigned)(draw() % n); }
bool chance(unsigned percent) { return below(100) < percent; }

/* ---- the session ---- */

static _Noreturn void lost(const char *reason)
{
    fprintf(stderr, "randschema: %s\n", reason);
    exit(TOOL_UNREACHABLE);
}

bool run(struct buf *sql)
{
    if (verbose) printf("%s;\n", buf_cstr(sql));
    bool ok = mysql_real_query(connection, (const char *)sql->data, sql->size) == 0;
    number = 0;
    if (ok) {
        MYSQL_RES *result = mysql_store_result(connection);
        if (result) mysql_free_result(result);
        done++;
    } else {
        number = mysql_errno(connection);
        if (verbose) printf("-- %s (%u)\n", mysql_error(connection), number);
        if (number >= 2000 && number < 3000) lost(mysql_error(connection));
        refused++;
    }
    buf_clear(sql);
    return ok;
}

unsigned last_error(void) { return number; }

bool say(const char *format, ...)
{
    char text[2048];
    struct buf sql;
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    buf_init(&sql, sizeof text);
    buf_text(&sql, text);
    bool ok = run(&sql);
    buf_fini(&sql);
    return ok;
}

/* NULL: a MySQL cannot show what another session is doing, whose text has letters beyond UTF-8's three bytes (information_schema.PROCESSLIST). */
static MYSQL_RES *ask(const char *format, ...) __attribute__((format(printf, 1, 2)));
static MYSQL_RES *ask(const char *format, ...)
{
    enum { CANNOT_CONVERT = 3854 };
    char sql[2048];
    va_list list;
    va_start(list, format);
    vsnprintf(sql, sizeof sql, format, list);
    va_end(list);
    if (mysql_query(connection, sql) != 0) lost(mysql_error(connection));
    MYSQL_RES *result = mysql_store_result(connection);
    if (!result && mysql_errno(connection) != CANNOT_CONVERT) lost(mysql_error(connection));
    return result;
}

static void quiet_session(void)
{
    session = (struct session){.full_image = true, .row_format = true, .foreign_keys = true};
    say("SET NAMES utf8mb4");
    say("SET SESSION sql_mode='', time_zone='+00:00', foreign_key_checks=1, unique_checks=1, binlog_row_image=FULL, auto_increment_increment=1, "
        "innodb_lock_wait_timeout=1, lock_wait_timeout=2%s", server.maria ? ", check_constraint_checks=1" : "");
    if (!server.common && !server.rows_only) say("SET SESSION binlog_format=ROW");
    if (!server.maria && server.version >= 800) say("SET SESSION binlog_row_value_options=''");
    if (server.maria || server.version >= 800) say("SET SESSION explicit_defaults_for_timestamp=1");
}

static void begin_session(void)
{
    char reason[512];
    if (!(connection = tool_connect(&where, reason))) lost(reason);
}

static struct session before;

void session_beside(void)
{
    before = session;
    begin_session();
    quiet_session();
    if (mysql_select_db(connection, database) != 0) lost(mysql_error(connection));
}

/* Until the server has let go of it: a MariaDB 10.11.19 (seed 800141) and an 11.8.6 (seed 1000342, once in four) wrote an XA COMMIT that came too early to their binary
   log, and kept the rows as they were. It lets go some time after its list has lost the session. */
void session_back(void)
{
    enum { TRIES = 500 };
    unsigned long id = mysql_thread_id(connection);
    bool there = true;
    mysql_close(connection);
    connection = first;
    for (int i = 0; i < TRIES && there; i++) {
        MYSQL_RES *result = ask("SELECT 1 FROM information_schema.PROCESSLIST WHERE ID=%lu", id);
        there = !result || mysql_num_rows(result) > 0;
        mysql_free_result(result);
        tool_sleep_us(there ? 2000 : 5000);
    }
    session = before;
}

/* The setting of a session that a word is drawn for. */
static void change_session(void)
{
    static const char *const images[] = {"FULL", "FULL", "MINIMAL", "NOBLOB"}, *const modes[] = {"", "STRICT_ALL_TABLES", "NO_AUTO_VALUE_ON_ZERO", "ALLOW_INVALID_DATES", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES"};
    static const char *const zones[] = {"+00:00", "+05:30", "-11:00"}, *const formats[] = {"ROW", "ROW", "MIXED", "STATEMENT"};
    bool text = !server.common && !server.rows_only;
    const char *image = ONE_OF(images), *format = text ? ONE_OF(formats) : "ROW", *mode = ONE_OF(modes);
    if (!server.maria && server.version < 507 && !strcmp(mode, "ANSI_QUOTES")) mode = ""; /* 5.6 keeps a partition's column as it was quoted, and cannot read it again */
    /* Never both off: after transactions with both, a MariaDB 10.11.19 lacked a row that its own binary log has, and had one that it has not
       (seed 24391001, every time). No replica can be equal to such a source. */
    bool foreign = server.rows_only || !chance(10) || server.common, /* MySQL looks at the children again when it copies their table */
         unique = !chance(10) || !foreign;
    if (!say("SET SESSION sql_mode='%s', time_zone='%s', foreign_key_checks=%u, unique_checks=%u, binlog_row_image=%s, auto_increment_increment=%u%s%s", mode,
             ONE_OF(zones), foreign, unique, image, 1 + below(3), text ? ", binlog_format=" : "", text ? format : "")) return;
    session = (struct session){.full_image = !strcmp(image, "FULL"), .text_format = !strcmp(format, "STATEMENT"), .row_format = !strcmp(format, "ROW"), .foreign_keys = foreign};
    bool stamps = chance(50) || (!server.maria && !session.row_format); /* MySQL says it of DDL alone: to changes as text no replica can give it */
    if (server.maria || server.version >= 800) say("SET SESSION explicit_defaults_for_timestamp=%u", stamps); /* 5.6 has it at its start */
    if (server.maria) say("SET SESSION check_constraint_checks=%u", !chance(10) || server.common || !(session.row_format || server.says_checks)); /* MySQL has no way to have them off */
    else if (server.version >= 800) say("SET SESSION binlog_row_value_options='%s'", chance(50) && session.full_image ? "PARTIAL_JSON" : ""); /* a difference needs a before image */
}

/* ---- what there is ---- */

static void learn_columns(struct table *t, const char *name)
{
    MYSQL_RES *result = ask("SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, EXTRA, IS_NULLABLE FROM information_schema.COLUMNS WHERE TABLE_SCHEMA='%s' "
                            "AND TABLE_NAME='%s' ORDER BY ORDINAL_POSITION", database, name);
    t->count = 0;
    for (MYSQL_ROW c; (c = mysql_fetch_row(result)) && t->count < COLUMNS_MAX;) {
        struct column *to = &t->columns[t->count++];
        snprintf(to->name, sizeof to->name, "%s", c[0]);
        snprintf(to->kind, sizeof to->kind, "%s", c[1]);
        snprintf(to->type, sizeof to->type, "%s", c[2]);
        to->generated = strstr(c[3], " GENERATED") != NULL;
        to->is_unsigned = strstr(c[2], "unsigned") != NULL;
        to->nullable = c[4][0] == 'Y';
    }
    mysql_free_result(result);
}

/* MariaDB's JSON is a LONGTEXT with a check. */
static void learn_documents(struct table *t, const char *name)
{
    if (!server.maria) return;
    MYSQL_RES *result = ask("SELECT CONSTRAINT_NAME FROM information_schema.CHECK_CONSTRAINTS WHERE CONSTRAINT_SCHEMA='%s' AND TABLE_NAME='%s' AND CHECK_CLAUSE LIKE 'json_valid(%%'", database, name);
    for (MYSQL_ROW row; (row = mysql_fetch_row(result));)
        for (unsigned i = 0; i < t->count; i++)
            if (!strcmp(t->columns[i].name, row[0])) strcpy(t->columns[i].kind, "json");
    mysql_free_result(result);
}

void learn(void)
{
    bool quotes = say("SET @mode = @@sql_mode, SESSION sql_mode=''"); /* backslashes and quotes mean the same to us at all times */
    MYSQL_RES *names = ask("SELECT TABLE_NAME, CREATE_OPTIONS LIKE '%%partitioned%%' FROM information_schema.TABLES WHERE TABLE_SCHEMA='%s' AND TABLE_TYPE='BASE TABLE' ORDER BY 1 LIMIT %d",
                           database, TABLES_MAX);
    table_count = 0;
    for (MYSQL_ROW row; (row = mysql_fetch_row(names)) && table_count < TABLES_MAX;) {
        struct table *t = &tables[table_count++];
        char quoted[2 * NAME_ROOM + 1];
        snprintf(t->name, sizeof t->name, "%s", row[0]);
        t->in_parts = row[1] && row[1][0] == '1';
        mysql_real_escape_string(connection, quoted, t->name, strlen(t->name));
        learn_columns(t, quoted);
        learn_documents(t, quoted);
    }
    mysql_free_result(names);
    if (quotes) say("SET SESSION sql_mode=@mode");
}

/* ---- one after another ---- */

/* How many rows there are in how many tables; what compare is to find, too. */
static unsigned long long count_rows(unsigned *count)
{
    MYSQL_RES *names = ask("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA='%s' AND TABLE_TYPE='BASE TABLE'", database);
    unsigned long long rows = 0;
    *count = 0;
    for (MYSQL_ROW name; (name = mysql_fetch_row(names)); ++*count) {
        MYSQL_RES *result = ask("SELECT COUNT(*) FROM `%s`", name[0]);
        rows += strtoull(mysql_fetch_row(result)[0], NULL, 10);
        mysql_free_result(result);
    }
    mysql_free_result(names);
    return rows;
}

/* A schema whose last table was dropped, or that lost all its rows, would be equal to anything. */
static void conclude(void)
{
    enum { TRIES = 50 };
    unsigned count;
    unsigned long long rows;
    quiet_session();
    for (int i = 0; !(rows = count_rows(&count)) && i < TRIES; i++) {
        if (!count) create_table();
        learn();
        write_row(NULL);
    }
    printf("%s: %u tables, %llu rows, %u statements, %u refused\n", database, count, rows, done, refused);
    if (rows) return;
    fprintf(stderr, "randschema: %s has no row\n", database);
    exit(TOOL_NOT_MET);
}

static void one_schema(uint64_t seed, unsigned steps)
{
    static const char *const charsets[] = {"utf8mb4 COLLATE utf8mb4_general_ci", "latin1", "utf8mb4 COLLATE utf8mb4_bin"};
    state = seed * 0x2545f4914f6cdd1du + 1;
    serial = 1;
    done = refused = 0;
    snprintf(database, sizeof database, "rs_%llu", (unsigned long long)seed);
    quiet_session();
    say("CREATE DATABASE %s CHARACTER SET %s", database, ONE_OF(charsets));
    if (mysql_select_db(connection, database) != 0) lost(mysql_error(connection));
    for (unsigned n = 1 + below(3); n; n--) create_table();
    if (chance(25)) create_family();
    learn();
    for (unsigned i = 0; i < steps; i++) {
        unsigned what = below(100);
        if (what < 52) write_row(NULL);
        else if (what < 75) transaction(NULL);
        else if (what < 80) xa_transaction();
        else if (what < 92) change_schema();
        else change_session();
    }
    conclude();
}

static _Noreturn void help(void)
{
    puts("randschema: random schemas and writes, a database rs_SEED for each seed.\n"
         "usage: randschema [--host H --port P | --socket PATH] [--user U] [--password W] [--seed N] [--count N] [--steps N] [--common yes] [--rows yes] [--verbose yes]\n"
         "  --seed N      the first seed (1); --count N: so many, each one more (1)\n"
         "  --steps N     writes, transactions and DDL statements of each (60)\n"
         "  --common yes  only what MariaDB and MySQL both have, and rows alone\n"
         "  --rows yes    no changes as text (binlog_format MIXED or STATEMENT)\n"
         "  --verbose yes print every statement\n"
         "It ends each with a line: its tables and rows, the statements done and refused.\n"
         "exit: 0 done, 1 a transaction in two phases could not be ended, or a schema got no row, 2 usage, 3 the server could not be reached");
    exit(0);
}

int main(int argc, char **argv)
{
    uint64_t seed = 1, count = 1, steps = 60;
    for (int i = 1; i < argc; i += 2) {
        if (strcmp(argv[i], "--help") == 0) help();
        if (i + 1 == argc) tool_usage(argv[i], "a value is missing, or the option is unknown");
        const char *value = argv[i + 1];
        if (strcmp(argv[i], "--seed") == 0) seed = tool_number("--seed", value);
        else if (strcmp(argv[i], "--count") == 0) count = tool_number("--count", value);
        else if (strcmp(argv[i], "--steps") == 0) steps = tool_number("--steps", value);
        else if (strcmp(argv[i], "--common") == 0) server.common = true;
        else if (strcmp(argv[i], "--rows") == 0) server.rows_only = true;
        else if (strcmp(argv[i], "--verbose") == 0) verbose = true;
        else if (!tool_server_option(&where, "", argv[i], value)) tool_usage(argv[i], "unknown option");
    }
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* several write to one file */
    begin_session();
    first = connection;
    const char *text = mysql_get_server_info(connection);
    unsigned major = 0, minor = 0;
    server.maria = strstr(text, "Maria") != NULL;
    (void)!sscanf(text, "%u.%u", &major, &minor);
    server.version = major * 100 + minor;
    server.says_checks = !server.maria || server.version < 1100;
    for (uint64_t i = 0; i < count; i++) one_schema(seed + i, (unsigned)steps);
    mysql_close(connection);
    return TOOL_DONE;
}
