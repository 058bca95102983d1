/* DDL in the words of another flavour: what is mapped, what stays, and what the target would pass over. */
#include "unit.h"

#include "foreign.h"

static const struct foreign_target maria = {.version = 101119}, mysql = {.mysql = true, .version = 90701};
static const char *own_items[] = {"utf8mb4_0900_ai_ci=utf8mb4_uca1400_nopad_ai_ci", "UUID=CHAR(36)"};
static const struct strings own = {2, own_items};
static struct foreign result;

static const char *mapped(const char *sql, enum statement_kind kind, bool to_mysql, const struct strings *words)
{
    static struct buf out;
    struct statement s = {.kind = kind, .text = slice_text(sql)};
    if (!to_mysql) s.flavour = slice_text("mysql");
    if (!out.max) buf_init(&out, 64 << 10);
    buf_clear(&out);
    foreign_map(&s, to_mysql ? &mysql : &maria, words, &out, &result);
    return buf_cstr(&out);
}

static void assert_same(const char *sql, enum statement_kind kind, bool to_mysql)
{
    assert_string_equal(mapped(sql, kind, to_mysql, NULL), sql);
    if (result.mapped || result.passed_over) fail_msg("%s: %s", sql, result.what);
}

struct pair { enum statement_kind kind; const char *from, *to, *what; };

static void assert_pairs(const struct pair *pairs, size_t count, bool to_mysql)
{
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(mapped(pairs[i].from, pairs[i].kind, to_mysql, NULL), pairs[i].to);
        if (!result.mapped || result.passed_over) fail_msg("%s: %s", pairs[i].from, result.what);
        assert_string_equal(result.what, pairs[i].what);
    }
}

static void to_mariadb(void **state)
{
    static const struct pair pairs[] = {
        {STATEMENT_CREATE_TABLE, "CREATE TABLE t (a VARCHAR(9) COLLATE utf8mb4_0900_bin, b INT)", "CREATE TABLE t (a VARCHAR(9) COLLATE utf8mb4_nopad_bin, b INT)", "COLLATE"},
        {STATEMENT_CREATE_TABLE, "CREATE TABLE t (a INT) DEFAULT COLLATE='utf8mb4_0900_bin'", "CREATE TABLE t (a INT) DEFAULT COLLATE=utf8mb4_nopad_bin", "COLLATE"},
        {STATEMENT_CREATE_TABLE, "CREATE TABLE t (a INT INVISIBLE, b INT, KEY k (b) INVISIBLE)", "CREATE TABLE t (a INT INVISIBLE, b INT, KEY k (b) IGNORED)", "INVISIBLE"},
        {STATEMENT_ALTER_TABLE, "ALTER TABLE t ADD c INT INVISIBLE, ADD UNIQUE KEY (c) VISIBLE, ALTER INDEX k INVISIBLE",
         "ALTER TABLE t ADD c INT INVISIBLE, ADD UNIQUE KEY (c) NOT IGNORED, ALTER INDEX k IGNORED", "VISIBLE, INVISIBLE"},
        {STATEMENT_CREATE_INDEX, "CREATE INDEX i ON t (a) INVISIBLE ALGORITHM=INPLACE LOCK=NONE", "CREATE INDEX i ON t (a) IGNORED  ", "INVISIBLE, ALGORITHM"},
        {STATEMENT_ALTER_TABLE, "ALTER TABLE t ADD d INT, ALGORITHM=INSTANT, LOCK = DEFAULT", "ALTER TABLE t ADD d INT", "ALGORITHM"},
        {STATEMENT_ALTER_TABLE, "ALTER TABLE t ALGORITHM=INPLACE, ADD d INT", "ALTER TABLE t  ADD d INT", "ALGORITHM"},
        {STATEMENT_CREATE_DATABASE, "CREATE DATABASE d DEFAULT ENCRYPTION='N'", "CREATE DATABASE d ", "ENCRYPTION"},
        {STATEMENT_CREATE_DATABASE, "CREATE DATABASE d /*!80016 DEFAULT ENCRYPTION='N' */", "CREATE DATABASE d /*!80016  */", "ENCRYPTION"},
        {STATEMENT_CREATE_TABLE, "CREATE TABLE t (g GEOMCOLLECTION)", "CREATE TABLE t (g GEOMETRYCOLLECTION)", "GEOMCOLLECTION"},
    };
    (void)state;
    assert_pairs(pairs, sizeof pairs / sizeof *pairs, false);
    assert_same("CREATE TABLE t (`invisible` INT, `key` INT INVISIBLE, encryption CHAR(1) DEFAULT 'N') COMMENT 'INVISIBLE'", STATEMENT_CREATE_TABLE, false);
    assert_same("CREATE ALGORITHM=MERGE VIEW v AS SELECT 1", STATEMENT_VIEW, false);
    assert_same("CREATE DATABASE d ENCRYPTION='Y'", STATEMENT_CREATE_DATABASE, false);
    assert_same("CREATE TABLE t (a INT) /*!50100 PARTITION BY HASH (a) */ /* a comment */ -- another", STATEMENT_CREATE_TABLE, false);
}

static void to_mysql(void **state)
{
    static const struct pair pairs[] = {
        {STATEMENT_CREATE_TABLE, "CREATE TABLE t (a VARCHAR(9) COLLATE utf8mb4_nopad_bin)", "CREATE TABLE t (a VARCHAR(9) COLLATE utf8mb4_0900_bin)", "COLLATE"},
        {STATEMENT_CREATE_TABLE, "CREATE TABLE t (a VARCHAR(9) COMPRESSED, b TEXT COMPRESSED=zlib) ROW_FORMAT=COMPRESSED", "CREATE TABLE t (a VARCHAR(9) , b TEXT ) ROW_FORMAT=COMPRESSED", "COMPRESSED"},
        {STATEMENT_CREATE_TABLE, "CREATE TABLE t (a INT, b INT AS (a + 1) PERSISTENT)", "CREATE TABLE t (a INT, b INT AS (a + 1) STORED)", "PERSISTENT"},
        {STATEMENT_CREATE_TABLE, "CREATE TABLE t (a INT, KEY (a) IGNORED, KEY (a) NOT IGNORED)", "CREATE TABLE t (a INT, KEY (a) INVISIBLE, KEY (a) VISIBLE)", "IGNORED"},
        {STATEMENT_ALTER_TABLE, "ALTER TABLE t WAIT 5 ADD a INT, ALGORITHM=NOCOPY", "ALTER TABLE t  ADD a INT", "WAIT, ALGORITHM"},
        {STATEMENT_DROP_TABLE, "DROP TABLE t NOWAIT", "DROP TABLE t ", "WAIT"},
    };
    (void)state;
    assert_pairs(pairs, sizeof pairs / sizeof *pairs, true);
    assert_same("CREATE TABLE t (compressed INT, wait INT NOT NULL, ignored INT)", STATEMENT_CREATE_TABLE, true);
}

static void passed_over(void **state)
{
    (void)state;
    mapped("CREATE TABLE t (a INT, b INT /*!80023 INVISIBLE */)", STATEMENT_CREATE_TABLE, false, NULL);
    assert_true(result.passed_over);
    assert_string_equal(result.what, "INVISIBLE");
    mapped("CREATE TABLE t (a INT, b INT /*M!100616 INVISIBLE */)", STATEMENT_CREATE_TABLE, true, NULL);
    assert_true(result.passed_over);
    /* MySQL executes what MariaDB took for a comment */
    mapped("CREATE TABLE t (a INT, b INT /*!80023 INVISIBLE */)", STATEMENT_CREATE_TABLE, true, NULL);
    assert_true(result.passed_over);
    assert_string_equal(result.what, "INVISIBLE");
    /* also where something else of it was mapped */
    mapped("ALTER TABLE t WAIT 5 ADD a INT /*!80023 , DROP b */", STATEMENT_ALTER_TABLE, true, NULL);
    assert_true(result.mapped && result.passed_over);
}

static void by_the_operator(void **state)
{
    (void)state;
    assert_string_equal(mapped("CREATE TABLE t (a TEXT) COLLATE=UTF8MB4_0900_AI_CI", STATEMENT_CREATE_TABLE, false, &own), "CREATE TABLE t (a TEXT) COLLATE=utf8mb4_uca1400_nopad_ai_ci");
    assert_string_equal(result.what, "ddl_map");
    assert_string_equal(mapped("CREATE TABLE t (`uuid` UUID, s TEXT DEFAULT 'UUID')", STATEMENT_CREATE_TABLE, true, &own), "CREATE TABLE t (`uuid` CHAR(36), s TEXT DEFAULT 'UUID')");
    assert_true(foreign_word_is_valid("a_b1=x y"));
    assert_false(foreign_word_is_valid("=x") || foreign_word_is_valid("a") || foreign_word_is_valid("a b=c"));
}

static void refused(void **state)
{
    (void)state;
    assert_true(foreign_refused(1064) && foreign_refused(1273));
    assert_false(foreign_refused(1146) || foreign_refused(1050) || foreign_refused(1205));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(to_mariadb), cmocka_unit_test(to_mysql), cmocka_unit_test(passed_over), cmocka_unit_test(by_the_operator),
                                       cmocka_unit_test(refused)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
