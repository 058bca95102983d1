/* test_statement.c: a statement's tables, and its text without secrets. */
#include "unit.h"

#include "change.h"

static const char *redact(const char *text)
{
    static char shown[2048];
    struct buf out;
    buf_init(&out, 4096);
    statement_redact(slice_text(text), &out);
    snprintf(shown, sizeof shown, "%s", buf_cstr(&out));
    buf_fini(&out);
    return shown;
}

static void test_redact(void **state)
{
    (void)state;
    assert_string_equal(redact("CREATE USER a IDENTIFIED BY 'secret'"), "CREATE USER a IDENTIFIED BY <redacted>");
    assert_string_equal(redact("SET PASSWORD FOR 'u'@'h' = 'hash'"), "SET PASSWORD FOR <redacted>");
    assert_string_equal(redact("create table t (i int) engine=federated connection='mysql://u:p@h/d/t'"),
                        "create table t (i int) engine=federated connection=<redacted>");
    assert_string_equal(redact("CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (USER \"u\", PASSWORD 'p')"),
                        "CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (USER <redacted>");
    assert_string_equal(redact("UPDATE u SET password=0x61 WHERE i=1"), "UPDATE u SET password=<redacted>");
    assert_string_equal(redact("ALTER USER a IDENTIFIED VIA unix_socket"), "ALTER USER a IDENTIFIED VIA unix_socket");
    /* the hashes that both servers put into their logs */
    assert_string_equal(redact("ALTER USER 'u'@'%' IDENTIFIED WITH 'caching_sha2_password' AS '$A$005$hash'"), "ALTER USER 'u'@'%' IDENTIFIED WITH <redacted>");
    assert_string_equal(redact("CREATE USER u IDENTIFIED VIA ed25519 USING 'hash'"), "CREATE USER u IDENTIFIED VIA ed<redacted>");
    assert_string_equal(redact("INSERT INTO t VALUES ('plain', 1)"), "INSERT INTO t VALUES ('plain', 1)");
    assert_string_equal(redact(""), "");
}

static void test_cut(void **state)
{
    (void)state;
    static char text[3001];
    memset(text, 'x', 3000);
    assert_int_equal(strlen(redact(text)), 1024);
    memcpy(text + 1023, "\xc3\xa9", 2); /* é across the limit goes as a whole */
    assert_int_equal(strlen(redact(text)), 1023);
    memcpy(text + 2000, "PASSWORD 'p'", 12);
    assert_null(strstr(redact(text), "'p'"));
    assert_non_null(strstr(redact(text), "<redacted>"));
}

static void test_tables(void **state)
{
    (void)state;
    struct cursor in = cursor_of(unit_hex("00 0174 026462 03616263"));
    struct slice database, table;
    assert_true(statement_tables_next(&in, &database, &table));
    assert_int_equal(database.size, 0);
    assert_slice(table, "t");
    assert_true(statement_tables_next(&in, &database, &table));
    assert_slice(database, "db");
    assert_slice(table, "abc");
    assert_false(statement_tables_next(&in, &database, &table));
    in = cursor_of(unit_hex("00 0574"));
    assert_false(statement_tables_next(&in, &database, &table));
}

static void test_names(void **state)
{
    (void)state;
    for (int kind = 1; kind < STATEMENT_KINDS; kind++) assert_string_not_equal(statement_kind_name((enum statement_kind)kind), "unknown");
    assert_string_equal(statement_kind_name(STATEMENT_KINDS), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_redact), cmocka_unit_test(test_cut), cmocka_unit_test(test_tables),
                                       cmocka_unit_test(test_names)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
