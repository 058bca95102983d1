/* Definitions out of SQL: every way of writing a type, what ALTER, RENAME and DROP make of them, what is forgotten rather than guessed, and how they
   are put on a map. */
#include "unit.h"

#include "buf.h"
#include "definition.h"

struct test { struct catalog *catalog; };

static const char *shown(const struct definition *d)
{
    static char text[4096];
    struct buf out;
    buf_init(&out, sizeof text);
    if (d) definition_show(d, &out);
    snprintf(text, sizeof text, "%s", d ? buf_cstr(&out) : "(unknown)");
    buf_fini(&out);
    return text;
}

static const struct definition *find(struct test *test, const char *name) { return catalog_find(test->catalog, slice_text("d"), slice_text(name)); }

/* As a statement of the binary log, in database d. */
static void run(struct test *test, const char *sql)
{
    struct statement s = {.kind = STATEMENT_CREATE_TABLE, .own_commit = true, .database = slice_text("d"), .text = slice_text(sql)};
    catalog_statement(test->catalog, &s, 101119);
}

static void types(void **state)
{
    static const struct { const char *sql, *full, *type; unsigned characters; const char *charset; } cases[] = {
        {"INT", "int", "int", 0, NULL}, {"INTEGER(5) UNSIGNED", "int unsigned", "int", 0, NULL}, {"BOOL", "tinyint", "tinyint", 0, NULL},
        {"INT8 ZEROFILL", "bigint unsigned zerofill", "bigint", 0, NULL}, {"DEC", "decimal(10,0)", "decimal", 0, NULL},
        {"NUMERIC(12,3) UNSIGNED", "decimal(12,3) unsigned", "decimal", 0, NULL}, {"DOUBLE PRECISION", "double", "double", 0, NULL},
        {"FLOAT(53)", "double", "double", 0, NULL}, {"FLOAT(7,3)", "float", "float", 0, NULL}, {"REAL", "double", "double", 0, NULL},
        {"BIT", "bit(1)", "bit", 0, NULL}, {"BIT(12)", "bit(12)", "bit", 0, NULL}, {"CHAR", "char(1)", "char", 1, "latin1"},
        {"CHARACTER VARYING(9)", "varchar(9)", "varchar", 9, "latin1"}, {"NATIONAL VARCHAR(3)", "varchar(3)", "varchar", 3, "utf8mb3"},
        {"NCHAR(3)", "char(3)", "char", 3, "utf8mb3"}, {"VARCHAR(3) CHARACTER SET binary", "varbinary(3)", "varbinary", 3, NULL},
        {"VARCHAR(20) COLLATE utf8mb4_bin", "varchar(20)", "varchar", 20, "utf8mb4"}, {"LONG VARBINARY", "mediumblob", "mediumblob", 0, NULL},
        {"LONG", "mediumtext", "mediumtext", 0, "latin1"}, {"BLOB(70000)", "mediumblob", "mediumblob", 0, NULL}, {"TEXT(10)", "tinytext", "tinytext", 0, "latin1"},
        {"DATETIME(6) DEFAULT CURRENT_TIMESTAMP(6) ON UPDATE CURRENT_TIMESTAMP(6)", "datetime(6)", "datetime", 0, NULL},
        {"ENUM('a','it''s','b\\'c')", "enum('a','it''s','b''c')", "enum", 0, "latin1"}, {"SET('x','y') CHARSET utf8", "set('x','y')", "set", 0, "utf8mb3"},
        {"LONGTEXT COLLATE utf8mb4_bin CHECK (json_valid(`c`))", "json", "json", 0, "utf8mb4"}, {"UUID", "uuid", "uuid", 0, NULL},
        {"VECTOR(4)", "vector(4)", "vector", 0, NULL}, {"INT GENERATED ALWAYS AS (a + (b * 2)) VIRTUAL", "int", "int", 0, NULL},
        {"SERIAL", "bigint unsigned", "bigint", 0, NULL}, {"INT DEFAULT -1 COMMENT 'not null, primary key'", "int", "int", 0, NULL},
        {"INT REFERENCES p (id) ON DELETE SET NULL", "int", "int", 0, NULL}, {"GEOMCOLLECTION", "geometrycollection", "geometrycollection", 0, NULL},
    };
    struct test *test = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char sql[300];
        snprintf(sql, sizeof sql, "CREATE OR REPLACE TABLE t (c %s, z INT) DEFAULT CHARSET=latin1", cases[i].sql);
        run(test, sql);
        const struct definition *d = find(test, "t");
        if (!d) fail_msg("%s", sql);
        assert_int_equal(d->column_count, 2);
        assert_string_equal(d->columns[0].full, cases[i].full);
        assert_string_equal(d->columns[0].type, cases[i].type);
        assert_int_equal(d->columns[0].characters, cases[i].characters);
        if (cases[i].charset) assert_string_equal(d->columns[0].charset, cases[i].charset);
        else assert_null(d->columns[0].charset);
    }
}

static void nulls_and_keys(void **state)
{
    struct test *test = *state;
    run(test, "CREATE TABLE t (a INT, b INT NOT NULL, c TIMESTAMP, `d``x` INT DEFAULT NULL, CONSTRAINT pk PRIMARY KEY USING BTREE (`d``x`, a DESC), UNIQUE KEY u (b), "
              "CONSTRAINT f FOREIGN KEY (b) REFERENCES p (id) ON DELETE SET NULL, CHECK (a > 0), PERIOD FOR p (x, y)) COMMENT='a, b' ENGINE=InnoDB");
    const struct definition *d = find(test, "t");
    assert_string_equal(shown(d), "a int not null, b int not null, c timestamp, d`x int not null");
    assert_int_equal(d->key_count, 2);
    assert_string_equal(d->key[0], "d`x");
    assert_string_equal(d->key[1], "a");
    assert_false(d->columns[2].nullable_known);
    assert_true(d->columns[1].nullable_known);
}

/* The definition after each statement. */
static void alters(void **state)
{
    static const struct { const char *sql, *now; } cases[] = {
        {"ALTER TABLE t ADD COLUMN x INT", "a int not null, b varchar(5), x int"},
        {"ALTER TABLE t ADD x INT FIRST, ADD y INT AFTER a", "x int, a int not null, y int, b varchar(5)"},
        {"ALTER ONLINE TABLE IF EXISTS d.t WAIT 5 ADD (x INT, y INT)", "a int not null, b varchar(5), x int, y int"},
        {"ALTER TABLE t DROP b, ALGORITHM=INPLACE, LOCK=NONE", "a int not null"},
        {"ALTER TABLE t CHANGE b c TEXT FIRST", "c text, a int not null"},
        {"ALTER TABLE t CHANGE a z BIGINT NOT NULL", "z bigint not null, b varchar(5)"},
        {"ALTER TABLE t MODIFY b INT NOT NULL", "a int not null, b int not null"},
        {"ALTER TABLE t MODIFY COLUMN b VARCHAR(5) AFTER a", "a int not null, b varchar(5)"},
        {"ALTER TABLE t RENAME COLUMN b TO c, ADD INDEX (c), COMMENT 'x, y'", "a int not null, c varchar(5)"},
        {"ALTER TABLE t DROP PRIMARY KEY, ADD UNIQUE (b), ALTER b SET DEFAULT 'x'", "a int not null, b varchar(5)"},
        {"ALTER TABLE t ADD COLUMN IF NOT EXISTS b INT, DROP COLUMN IF EXISTS zz", "a int not null, b varchar(5)"},
        {"ALTER TABLE t PARTITION BY RANGE (a) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE)", "a int not null, b varchar(5)"},
        {"ALTER TABLE t ENGINE=Aria", "a int not null, b varchar(5)"},
        {"TRUNCATE TABLE t", "a int not null, b varchar(5)"},
        {"CREATE TABLE IF NOT EXISTS t (zz INT)", "a int not null, b varchar(5)"},
        {"CREATE TEMPORARY TABLE t (zz INT)", "a int not null, b varchar(5)"},
        {"ALTER TABLE other ADD x INT", "a int not null, b varchar(5)"},
        /* its parts speak of the names before it */
        {"ALTER TABLE t CHANGE a b INT, CHANGE b a VARCHAR(6)", "b int not null, a varchar(6)"},
        {"ALTER TABLE t RENAME COLUMN a TO b, RENAME COLUMN b TO a", "b int not null, a varchar(5)"},
        {"ALTER TABLE t CHANGE a b INT FIRST, CHANGE b a INT FIRST, ADD c INT AFTER a", "a int, c int, b int not null"},
        {"ALTER TABLE t DROP a, CHANGE b a INT, ADD b INT", "a int, b int"},
        {"ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin, ADD c TEXT", "a int not null, b varchar(5), c text"},
        /* what is not certain is forgotten */
        {"ALTER TABLE t CONVERT TO CHARACTER SET DEFAULT", "(unknown)"},
        {"ALTER TABLE t CHANGE a b INT", "(unknown)"},
        {"ALTER TABLE t ADD SYSTEM VERSIONING", "(unknown)"},
        {"ALTER TABLE t DROP zz", "(unknown)"},
        {"ALTER TABLE t ADD x FUTURETYPE", "(unknown)"},
        {"ALTER TABLE t ADD a INT", "(unknown)"},
        {"CREATE OR REPLACE TABLE t SELECT 1 AS one", "(unknown)"},
        {"CREATE OR REPLACE TABLE t (x INT) AS SELECT 1 AS one", "(unknown)"},
        {"DROP TABLE IF EXISTS other, t", "(unknown)"},
        {"DROP DATABASE d", "(unknown)"},
        {"ALTER TABLE t RENAME TO u", "(unknown)"},
        {"RENAME TABLE t TO u", "(unknown)"},
    };
    struct test *test = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        run(test, "CREATE OR REPLACE TABLE t (a INT PRIMARY KEY, b VARCHAR(5))");
        run(test, cases[i].sql);
        const char *now = shown(find(test, "t"));
        if (strcmp(now, cases[i].now)) fail_msg("%s: %s, not %s", cases[i].sql, now, cases[i].now);
    }
}

/* Text columns that there were, and how large they become. */
static void converts(void **state)
{
    static const struct { const char *from, *to, *now; } cases[] = {
        {"latin1", "utf8mb4", "a text, b mediumtext, c longtext, d longtext, e char(9), f varbinary(3), g enum('x')"},
        {"utf8mb4", "latin1", "a tinytext, b text, c mediumtext, d longtext, e char(9), f varbinary(3), g enum('x')"},
    };
    struct test *test = *state;
    char sql[400];
    for (size_t i = 0; i < 2; i++) {
        snprintf(sql, sizeof sql, "CREATE OR REPLACE TABLE t (a TINYTEXT, b TEXT, c MEDIUMTEXT, d LONGTEXT, e CHAR(9), f VARBINARY(3), g ENUM('x')) CHARSET=%s", cases[i].from);
        run(test, sql);
        snprintf(sql, sizeof sql, "ALTER TABLE t CONVERT TO CHARACTER SET %s", cases[i].to);
        run(test, sql);
        const struct definition *d = find(test, "t");
        assert_string_equal(shown(d), cases[i].now);
        assert_string_equal(d->columns[0].charset, cases[i].to);
        assert_string_equal(d->columns[6].charset, cases[i].to);
        assert_null(d->columns[5].charset);
    }
    run(test, "CREATE OR REPLACE TABLE t (a TEXT, b VARCHAR(9))"); /* of a character set that is not said */
    run(test, "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4");
    assert_string_equal(shown(find(test, "t")), "a text, b varchar(9)");
    run(test, "CREATE OR REPLACE TABLE t (b VARCHAR(9))");
    run(test, "ALTER TABLE t CONVERT TO CHARSET utf8mb4");
    assert_string_equal(find(test, "t")->columns[0].charset, "utf8mb4");
    run(test, "CREATE OR REPLACE TABLE t (a INT, b INT, PRIMARY KEY (b))"); /* the key goes with its column */
    run(test, "ALTER TABLE t CHANGE a b INT, CHANGE b a INT");
    assert_string_equal(find(test, "t")->key[0], "a");
}

static void renames(void **state)
{
    struct test *test = *state;
    run(test, "CREATE TABLE a (x INT)");
    run(test, "CREATE TABLE b (y INT)");
    run(test, "RENAME TABLE a TO tmp, b TO a, tmp TO b"); /* tables change places */
    assert_string_equal(shown(find(test, "a")), "y int");
    assert_string_equal(shown(find(test, "b")), "x int");
    run(test, "ALTER TABLE a RENAME e.c, ADD z INT");
    assert_null(find(test, "a"));
    assert_string_equal(shown(catalog_find(test->catalog, slice_text("e"), slice_text("c"))), "y int, z int");
    run(test, "CREATE TABLE l LIKE b");
    assert_string_equal(shown(find(test, "l")), "x int");
    run(test, "CREATE OR REPLACE TABLE l LIKE unknown");
    assert_null(find(test, "l"));
    run(test, "CREATE TABLE v (x INT)");
    uint64_t version = find(test, "v")->version;
    run(test, "DROP TABLE v");
    run(test, "CREATE TABLE v (x INT)");
    assert_int_equal(find(test, "v")->version, version + 1); /* versions go on over a drop */
}

static void printed_and_read_again(void **state)
{
    static const char sql[] = "CREATE TABLE `o``dd` (id BIGINT UNSIGNED, e ENUM('it''s','a\\\\b') COLLATE latin1_bin, v VARCHAR(7) CHARACTER SET gbk NOT NULL, t LONGTEXT, "
                              "UNIQUE (t), PRIMARY KEY (id, v)) DEFAULT CHARSET=utf8mb4";
    struct test *test = *state;
    struct catalog *again = catalog_new();
    struct buf out;
    struct err err = {0};
    size_t count;
    run(test, sql);
    const struct definition *d = find(test, "o`dd");
    assert_non_null(d);
    assert_int_equal(d->hashes, 1);
    buf_init(&out, 1 << 16);
    definition_print(d, &out);
    if (!catalog_read(again, buf_bytes(&out), NULL, DEFINITION_FILE, &count, &err)) fail_msg("%s: %s", err.text, buf_cstr(&out));
    assert_int_equal(count, 1);
    const struct definition *e = catalog_find(again, slice_text("d"), slice_text("o`dd"));
    assert_non_null(e);
    assert_true(definition_same(d, e));
    assert_int_equal(e->hashes, 1);
    for (uint32_t i = 0; i < d->column_count; i++) {
        assert_string_equal(e->columns[i].full, d->columns[i].full);
        assert_int_equal(e->columns[i].collation, d->columns[i].collation);
        assert_int_equal(e->columns[i].nullable, d->columns[i].nullable);
    }
    buf_fini(&out);
    catalog_free(again);
}

static void files(void **state)
{
    static const struct { const char *sql, *database; bool good; size_t count; const char *text; } cases[] = {
        {"USE d; CREATE TABLE a (x INT); INSERT INTO a VALUES (1),('CREATE TABLE b (;'); CREATE TABLE IF NOT EXISTS c (y INT)", NULL, true, 2, ""},
        {"CREATE TABLE a (x INT)", "d", true, 1, ""},
        {"CREATE TABLE a (x INT)", NULL, false, 0, "USE"},
        {"\n\nCREATE TABLE d.a (x INT,", NULL, false, 0, "line 3"},
        {"CREATE VIEW v AS SELECT 1; CREATE SEQUENCE s", "d", true, 0, ""},
        {"/*M!999999\\- enable the sandbox mode */ /*!40101 SET x=1 */; CREATE TABLE d.a (x INT)", NULL, true, 1, ""},
        {"", NULL, true, 0, ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct catalog *catalog = catalog_new();
        struct err err = {0};
        size_t count = 0;
        bool good = catalog_read(catalog, slice_text(cases[i].sql), cases[i].database, DEFINITION_FILE, &count, &err);
        if (good != cases[i].good || count != cases[i].count || !strstr(err.text, cases[i].text)) fail_msg("%zu: %d %zu %s", i, good, count, err.text);
        catalog_free(catalog);
    }
    (void)state;
}

/* ---- onto a map */

static struct table draft_of(struct column *columns, uint32_t count)
{
    return (struct table){.database = slice_text("d"), .name = slice_text("t"), .column_count = count, .columns = columns};
}

static void applied(void **state)
{
    struct test *test = *state;
    struct arena arena;
    struct err err = {0};
    struct column columns[] = {{.kind = COLUMN_INT, .width = 4}, {.kind = COLUMN_VARCHAR, .width = 1, .max_bytes = 20, .nullable = true},
                               {.kind = COLUMN_INT, .width = 8, .nullable = true}};
    struct table draft = draft_of(columns, 2);
    arena_init(&arena);
    run(test, "CREATE TABLE t (id INT UNSIGNED PRIMARY KEY, v VARCHAR(5) CHARACTER SET utf8mb4, UNIQUE KEY (v) USING HASH)");
    assert_true(catalog_apply(test->catalog, &draft, &arena, &err));
    assert_true(draft.named && draft.columns[0].is_unsigned);
    assert_slice(draft.columns[1].name, "v");
    assert_int_equal(draft.columns[1].collation, 45);
    assert_int_equal(draft.key_count, 1);
    draft = draft_of(columns, 3); /* with the hash that MariaDB hides */
    assert_true(catalog_apply(test->catalog, &draft, &arena, &err));
    assert_slice(draft.columns[2].name, "DB_ROW_HASH_1");
    struct column other[] = {{.kind = COLUMN_INT, .width = 4}, {.kind = COLUMN_VARCHAR, .width = 1, .max_bytes = 15, .nullable = true}};
    draft = draft_of(other, 2); /* utf8mb3: altered to another character set */
    assert_false(catalog_apply(test->catalog, &draft, &arena, &err));
    assert_int_equal(err.code, ERR_STOP);
    assert_non_null(strstr(err.text, "varchar(15 bytes)"));
    assert_non_null(strstr(err.text, "v varchar(5)"));
    assert_non_null(strstr(err.text, "wolfctl schema set"));
    assert_int_equal(other[0].name.size, 0); /* untouched */
    draft = draft_of(columns, 1);
    assert_false(catalog_apply(test->catalog, &draft, &arena, &err));
    assert_non_null(strstr(err.text, "number of columns"));
    run(test, "CREATE OR REPLACE TABLE t (id INT, v VARCHAR(5))"); /* of a character set that nobody said */
    struct column free_of[] = {{.kind = COLUMN_INT, .width = 4, .nullable = true}, {.kind = COLUMN_VARCHAR, .width = 1, .max_bytes = 15, .nullable = true}};
    draft = draft_of(free_of, 2);
    assert_true(catalog_apply(test->catalog, &draft, &arena, &err));
    draft = draft_of((struct column[]){{.kind = COLUMN_INT, .width = 4, .nullable = true}, {.kind = COLUMN_VARCHAR, .width = 1, .max_bytes = 16, .nullable = true}}, 2);
    assert_false(catalog_apply(test->catalog, &draft, &arena, &err));
    run(test, "CREATE OR REPLACE TABLE t (a TEXT)"); /* and, where a CONVERT TO may have made it larger */
    run(test, "ALTER TABLE t CONVERT TO CHARACTER SET utf8mb4");
    draft = draft_of((struct column[]){{.kind = COLUMN_BLOB, .width = 3, .nullable = true}}, 1);
    assert_true(catalog_apply(test->catalog, &draft, &arena, &err));
    draft = draft_of((struct column[]){{.kind = COLUMN_BLOB, .width = 1, .nullable = true}}, 1);
    assert_false(catalog_apply(test->catalog, &draft, &arena, &err));
    draft.name = slice_text("nobody knows it");
    assert_true(catalog_apply(test->catalog, &draft, &arena, &err));
    assert_false(draft.named);
    arena_fini(&arena);
}

static int setup(void **state)
{
    static struct test test;
    test.catalog = catalog_new();
    *state = &test;
    return 0;
}

static int teardown(void **state)
{
    struct test *test = *state;
    catalog_free(test->catalog);
    return 0;
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {T(types), T(nulls_and_keys), T(alters), T(converts), T(renames), T(printed_and_read_again), T(files), T(applied)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
