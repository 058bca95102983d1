/* test_query.c: QUERY's status variables of both flavours, recorded, and the events before it. */
#include "event_unit.h"

#include "query.h"

static bool explicit_timestamp; /* of the server that the QUERY is of */
static const char *version = "";

/* A QUERY with these status variables, database v, text "x". */
static bool decode(const char *status, bool mariadb, uint16_t flags, struct statement *s, struct err *err)
{
    static struct maker m;
    static struct buf body;
    if (!m.out.max) {
        m = maker_new();
        buf_init(&body, 65536);
    }
    struct event_format format = event_format_default(mariadb, true);
    format.explicit_timestamp = explicit_timestamp;
    snprintf(format.version, sizeof format.version, "%s", version);
    struct context context;
    struct event event;
    struct slice variables = unit_hex(status);
    context_init(&context);
    buf_clear(&body);
    buf_slice(&body, unit_hex("05000000 01000000 01 1b04"));
    buf_le(&body, variables.size, 2);
    buf_slice(&body, variables);
    buf_put(&body, "v\0x", 3);
    m.flags = flags;
    assert_true(event_decode(maker_event(&m, EVENT_QUERY, buf_bytes(&body)), &format, true, &event, err));
    bool done = query_decode(&event, &format, &context, s, err);
    context_fini(&context);
    return done;
}

static void test_recorded(void **state)
{
    (void)state;
    struct statement s;
    struct err err;
    /* 11.8 with character_set_collations: 131 stands between 3 and 4 */
    assert_true(decode("00 00000001 01 0000005420000000 06 03737464 83 02 21005300 2d002e00 04 000800080009 81 4700000000000000", true, 0, &s, &err));
    assert_int_equal(s.context, CONTEXT_FLAGS2 | CONTEXT_SQL_MODE | CONTEXT_CHARSET | CONTEXT_CHARSET_COLLATIONS);
    assert_int_equal(s.flags2, 0x01000000);
    assert_int_equal(s.charset_client, 2048);
    assert_int_equal(s.collation_server, 2304);
    assert_int_equal(s.collations.size, 8);
    assert_int_equal(s.thread_id, 5);
    assert_int_equal(s.error_code, 1051);
    assert_int_equal(s.timestamp, 1700000000);
    assert_slice(s.database, "v");
    assert_slice(s.text, "x");
    /* 9.7 CREATE TABLE */
    assert_true(decode("00 00000000 01 0000000000000000 06 03737464 04 21002100ff00 0c 017600 11 0f00000000000000 12 ff00 13 00", false, 0, &s, &err));
    assert_int_equal(s.collation_server, 255);
    assert_true(decode("03 02000100 05 062b30323a3030 07 0100 08 2d00 80 010000", true, EVENT_FLAG_SUPPRESS_USE, &s, &err));
    assert_int_equal(s.auto_increment_increment, 2);
    assert_slice(s.time_zone, "+02:00");
    assert_int_equal(s.microseconds, 1);
    assert_int_equal(s.charset_database, 45);
    assert_slice(s.database, "v"); /* what the flag means depends on the statement: test_golden */
}

/* MySQL 5.6 does not write explicit_defaults_for_timestamp to its log; one that writes it means what it writes. */
static void test_explicit_timestamp(void **state)
{
    (void)state;
    struct statement s;
    struct err err;
    assert_true(decode("00 00000000", false, 0, &s, &err));
    assert_int_equal(s.flags2, 0);
    explicit_timestamp = true;
    assert_true(decode("00 00000000", false, 0, &s, &err));
    assert_int_equal(s.flags2, 0x01000000);
    assert_true(decode("00 00000000 10 00", false, 0, &s, &err));
    assert_int_equal(s.flags2, 0);
    assert_true(decode("00 00000000", true, 0, &s, &err)); /* MariaDB has it in flags2 */
    assert_int_equal(s.flags2, 0);
    explicit_timestamp = false;
}

static bool is_checked(const char *server, const char *status)
{
    struct statement s;
    struct err err;
    version = server;
    assert_true(decode(status, strstr(server, "MariaDB"), 0, &s, &err));
    version = "";
    return s.context & CONTEXT_CHECKED;
}

/* Whether CHECK constraints were on is what not every server says. */
static void test_checked(void **state)
{
    (void)state;
    assert_true(is_checked("10.11.19-MariaDB-log", "00 00000000"));
    assert_false(is_checked("10.11.19-MariaDB-log", "00 00800000"));
    assert_false(is_checked("10.11.19-MariaDB-log", "01 0000000000000000"));
    assert_false(is_checked("10.11.14-MariaDB", "00 00000000"));
    assert_false(is_checked("11.8.6-MariaDB", "00 00000000"));
    assert_true(is_checked("8.0.16", "00 00000000"));
    assert_true(is_checked("9.7.4-2", "00 00000000"));
    assert_false(is_checked("8.0.15", "00 00000000"));
    assert_false(is_checked("5.6.51-log", "00 00000000"));
    assert_false(is_checked("", "00 00000000"));
}

static void test_bounds(void **state)
{
    (void)state;
    struct statement s;
    struct err err;
    assert_true(decode("c8 01020304", true, 0, &s, &err)); /* unknown: the rest is left alone */
    assert_slice(s.text, "x");
    assert_true(decode("80 01 04 210021002100", false, 0, &s, &err)); /* 128 is another's on MySQL */
    assert_int_equal(s.context, 0);
    assert_true(decode("82 04 1a00000000000000 07 0100", true, 0, &s, &err));
    assert_int_equal(s.lc_time_names, 1);
    assert_true(decode("82 00 07 0100 0c fe 0c 02 61006200", true, 0, &s, &err));
    assert_false(decode("01 00000000", true, 0, &s, &err));
    assert_false(decode("05 ff 61", true, 0, &s, &err));
    assert_false(decode("83 ff", true, 0, &s, &err));
    assert_int_equal(err.code, ERR_CORRUPT);
}

static void test_context(void **state)
{
    (void)state;
    struct context c;
    struct err err;
    context_init(&c);
    assert_true(context_intvar(&c, unit_hex("02 4d00000000000000"), &err));
    assert_true(context_intvar(&c, unit_hex("01 ffffffffffffffff"), &err));
    assert_true(context_rand(&c, unit_hex("0100000000000000 0200000000000000"), &err));
    assert_int_equal(c.insert_id, 77);
    assert_true(c.last_insert_id == UINT64_MAX);
    assert_int_equal(c.rand_seed2, 2);
    assert_true(context_user_var(&c, unit_hex("01000000 6e 01"), &err)); /* @n = NULL */
    assert_true(context_user_var(&c, unit_hex("01000000 75 00 00 09000000 02000000 c39c"), &err));
    assert_int_equal(c.parts, CONTEXT_INSERT_ID | CONTEXT_LAST_INSERT_ID | CONTEXT_RAND | CONTEXT_USER_VARS);
    assert_int_equal(c.user_vars.size, 7 + 18);
    assert_false(context_user_var(&c, unit_hex("01000000 75 00 00 09000000 03000000 c39c"), &err));
    assert_false(context_user_var(&c, unit_hex("ffffffff 75"), &err));
    assert_false(context_intvar(&c, unit_hex("03 0000000000000000"), &err));
    assert_false(context_intvar(&c, unit_hex("01 00"), &err));
    assert_false(context_rand(&c, unit_hex("00"), &err));
    context_clear(&c);
    assert_int_equal(c.parts, 0);
    assert_int_equal(c.user_vars.size, 0);
    context_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_recorded), cmocka_unit_test(test_explicit_timestamp), cmocka_unit_test(test_checked), cmocka_unit_test(test_bounds), cmocka_unit_test(test_context)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
