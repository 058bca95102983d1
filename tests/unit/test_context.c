/* A statement's session as SQL, and events that must not run on the target. */
#include "unit.h"

#include "context.h"

static char names[COLLATION_NAMES][COLLATION_NAME_MAX], charsets[COLLATION_NAMES][COLLATION_NAME_MAX];
static const struct collations known = {.names = names, .charsets = charsets};
static const struct collations mysql = {.names = names, .charsets = charsets, .mysql = 904};

static const char *sql_of(const struct statement *statement, bool good)
{
    static struct buf out;
    if (!out.max) buf_init(&out, 64 << 10);
    buf_clear(&out);
    assert_int_equal(context_sql(statement, &known, &out), good);
    return buf_cstr(&out);
}

static void test_settings(void **state)
{
    (void)state;
    struct statement s = {.timestamp = 5, .microseconds = 42, .context = CONTEXT_SQL_MODE | CONTEXT_CHARSET | CONTEXT_TIME_ZONE,
                          .sql_mode = 1411383296, .charset_client = 45, .collation_connection = 45, .collation_server = 2304,
                          .time_zone = slice_text("Europe/O'slo")};
    strcpy(names[45], "utf8mb4_general_ci");
    strcpy(charsets[45], "utf8mb4");
    assert_string_equal(sql_of(&s, true), "SET timestamp=5.000042, sql_mode=1411383296, character_set_client=utf8mb4, "
                        "collation_connection=utf8mb4_general_ci, collation_server=2304, time_zone='Europe/O\\'slo'");
    s = (struct statement){.context = CONTEXT_FLAGS2, .flags2 = 0x04000000 | 0x10000000};
    assert_string_equal(sql_of(&s, true), "SET timestamp=0.000000, foreign_key_checks=0, unique_checks=1, sql_auto_is_null=0, "
                        "sql_if_exists=1, explicit_defaults_for_timestamp=0, check_constraint_checks=1");
    assert_false(context_inserts_history(&s));
    s.flags2 = 0x40008000;
    assert_true(context_inserts_history(&s));
    assert_string_equal(sql_of(&s, true), "SET timestamp=0.000000, foreign_key_checks=1, unique_checks=1, sql_auto_is_null=0, "
                        "sql_if_exists=0, explicit_defaults_for_timestamp=0, check_constraint_checks=0, system_versioning_insert_history=1");
    s = (struct statement){.context = CONTEXT_INSERT_ID | CONTEXT_RAND, .insert_id = 9, .rand_seed1 = 1, .rand_seed2 = 2};
    assert_string_equal(sql_of(&s, true), "SET timestamp=0.000000, insert_id=9, rand_seed1=1, rand_seed2=2");
}

/* What MySQL lacks, or calls by another name. */
static void test_mysql(void **state)
{
    (void)state;
    struct buf out;
    struct statement s = {.timestamp = 5, .context = CONTEXT_SQL_MODE | CONTEXT_CHARSET | CONTEXT_FLAGS2, .sql_mode = 1411383296 | UINT64_C(1) << 33,
                          .charset_client = 45, .collation_connection = 45, .collation_server = 2304, .flags2 = 0x10000000};
    strcpy(names[45], "utf8mb4_general_ci");
    strcpy(charsets[45], "utf8mb4");
    buf_init(&out, 4096);
    assert_true(context_sql(&s, &mysql, &out));
    /* without NO_AUTO_CREATE_USER and MariaDB's own bits */
    assert_string_equal(buf_cstr(&out), "SET timestamp=5.000000, sql_mode=5437915136, character_set_client=utf8mb4, collation_connection=utf8mb4_general_ci, "
                        "character_set_server=utf8mb4, foreign_key_checks=1, unique_checks=1, sql_auto_is_null=0, explicit_defaults_for_timestamp=0");
    s = (struct statement){.kind = STATEMENT_DML, .context = CONTEXT_FLAGS2, .flags2 = 0x01000000}; /* within a transaction it cannot be set */
    buf_clear(&out);
    assert_true(context_sql(&s, &mysql, &out));
    assert_null(strstr(buf_cstr(&out), "explicit_defaults"));
    buf_clear(&out);
    context_session(506, &out);
    assert_null(strstr(buf_cstr(&out), "max_execution_time"));
    buf_clear(&out);
    context_session(800, &out);
    assert_non_null(strstr(buf_cstr(&out), "max_execution_time=0, information_schema_stats_expiry=0"));
    assert_null(strstr(buf_cstr(&out), "explicit_defaults"));
    assert_null(strstr(buf_cstr(&out), "check_constraint_checks"));
    buf_clear(&out);
    context_session(0, &out);
    assert_string_equal(buf_cstr(&out), context_own);
    buf_fini(&out);
}

static void test_user_variables(void **state)
{
    (void)state;
    strcpy(names[8], "latin1_swedish_ci");
    strcpy(charsets[8], "latin1");
    strcpy(names[2000], "");
    /* @a = _latin1 'x'; @b NULL; @c = 5 unsigned */
    struct statement s = {.context = CONTEXT_USER_VARS};
    s.user_vars = unit_hex("11 01000000 61 00 00 08000000 01000000 78 00"
                           "06 01000000 62 01"
                           "18 01000000 63 00 02 3f000000 08000000 0500000000000000 01");
    assert_string_equal(sql_of(&s, true), "SET timestamp=0.000000, @`a`=_latin1 X'78' COLLATE latin1_swedish_ci, @`b`=NULL, @`c`=5");
    s.user_vars = unit_hex("11 01000000 61 00 00 d0070000 01000000 78 00"); /* a collation that the target lacks */
    sql_of(&s, false);
    s.user_vars = unit_hex("07 ff000000 61 00 00"); /* a name longer than the bytes */
    sql_of(&s, false);
}

static void check_event(const char *text, const char *want)
{
    struct buf out;
    buf_init(&out, 4096);
    assert_int_equal(context_disable_event(slice_text(text), &out), want != NULL);
    if (want) assert_string_equal(buf_cstr(&out), want);
    buf_fini(&out);
}

static void test_events(void **state)
{
    (void)state;
    check_event("CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1", "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE ON SLAVE DO SELECT 1");
    check_event("CREATE EVENT e ON SCHEDULE EVERY 1 DAY ENABLE DO SELECT 1",
                "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE ON SLAVE  DO SELECT 1");
    check_event("CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE ON SLAVE COMMENT 'x' DO SELECT 1",
                "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DISABLE ON SLAVE  COMMENT 'x' DO SELECT 1");
    check_event("CREATE EVENT `do` /* do enable */ ON SCHEDULE AT 'do' ON COMPLETION PRESERVE COMMENT 'a' DO BEGIN END",
                "CREATE EVENT `do` /* do enable */ ON SCHEDULE AT 'do' ON COMPLETION PRESERVE DISABLE ON SLAVE COMMENT 'a' DO BEGIN END");
    check_event("ALTER EVENT e ENABLE", "ALTER EVENT e DISABLE ON SLAVE ");
    check_event("ALTER EVENT e RENAME TO f", "ALTER EVENT e RENAME TO f");
    check_event("DROP EVENT e", NULL);
}

static void check_alone(const char *text, const char *want)
{
    struct buf out;
    buf_init(&out, 4096);
    assert_int_equal(context_alone(slice_text(text), &out), want != NULL);
    if (want) assert_string_equal(buf_cstr(&out), want);
    buf_fini(&out);
}

static void test_alone(void **state)
{
    (void)state;
    check_alone("CREATE TABLE `t` (`start` int) START TRANSACTION ENGINE=InnoDB", "CREATE TABLE `t` (`start` int)  ENGINE=InnoDB");
    check_alone("CREATE TABLE t (a int COMMENT ') START TRANSACTION') COMMENT 'START TRANSACTION'", NULL);
    check_alone("CREATE TABLE t (start transaction)", NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_settings), cmocka_unit_test(test_mysql), cmocka_unit_test(test_user_variables), cmocka_unit_test(test_alone), cmocka_unit_test(test_events)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
