/* test_event.c: framing, checksums, FORMAT_DESCRIPTION, and that every fate says what it must. */
#include "event_unit.h"

static void test_decode(void **state)
{
    (void)state;
    struct maker m = maker_new();
    struct event_format format = event_format_default(true, true);
    struct event event;
    struct err err;
    m.log_pos = 500;
    m.flags = EVENT_FLAG_IGNORABLE;
    struct slice raw = maker_event(&m, EVENT_XID, unit_hex("0102030405060708"));
    assert_true(event_decode(raw, &format, true, &event, &err));
    assert_int_equal(event.type, EVENT_XID);
    assert_int_equal(event.timestamp, 1700000000);
    assert_int_equal(event.server_id, 7);
    assert_int_equal(event.log_pos, 500);
    assert_int_equal(event.flags, EVENT_FLAG_IGNORABLE);
    assert_int_equal(event.body.size, 8);
    buf_fini(&m.out);
}

static void test_checksum(void **state)
{
    (void)state;
    struct maker m = maker_new();
    struct event_format format = event_format_default(true, true);
    struct event event;
    struct err err;
    struct slice raw = maker_event(&m, EVENT_XID, unit_hex("0102030405060708"));
    for (size_t i = 0; i < raw.size; i++) {
        m.out.data[i] ^= 1;
        assert_false(event_decode(raw, &format, true, &event, &err));
        assert_int_equal(err.code, ERR_CORRUPT);
        m.out.data[i] ^= 1;
    }
    assert_true(event_decode(raw, &format, true, &event, &err));
    m.out.data[20] ^= 1;
    assert_true(event_decode(raw, &format, false, &event, &err));
    buf_fini(&m.out);
}

static void test_lengths(void **state)
{
    (void)state;
    struct maker m = maker_new();
    struct event_format format = event_format_default(true, true);
    struct event event;
    struct err err;
    struct slice raw = maker_event(&m, EVENT_XID, unit_hex("0102030405060708"));
    for (size_t n = 0; n < raw.size; n++) assert_false(event_decode(slice_of(raw.data, n), &format, true, &event, &err));
    m.checksum = false;
    raw = maker_event(&m, EVENT_STOP, unit_hex(""));
    assert_false(event_decode(raw, &format, true, &event, &err)); /* no room for the checksum */
    format.checksum = false;
    assert_true(event_decode(raw, &format, true, &event, &err));
    assert_int_equal(event.body.size, 0);
    raw = maker_event(&m, EVENT_FORMAT_DESCRIPTION, unit_hex(""));
    assert_false(event_decode(raw, &format, true, &event, &err));
    buf_fini(&m.out);
}

static void test_format(void **state)
{
    (void)state;
    struct maker m = maker_new();
    struct event_format format = event_format_default(false, false);
    struct event event;
    struct err err;
    struct slice raw = maker_format(&m, "10.11.19-MariaDB-log", true);
    m.out.data[17] |= EVENT_FLAG_IN_USE; /* set after the checksum was made */
    assert_true(event_decode(raw, &format, true, &event, &err));
    assert_true(event_format_decode(&event, &format, &err));
    assert_true(format.mariadb && format.checksum);
    assert_string_equal(format.version, "10.11.19-MariaDB-log");
    assert_int_equal(format.table_id_bytes, 6);
    assert_int_equal(format.query_post_header, 13);
    raw = maker_format(&m, "9.7.4", false);
    assert_true(event_decode(raw, &format, true, &event, &err));
    assert_true(event_format_decode(&event, &format, &err));
    assert_false(format.mariadb || format.checksum);
    m.out.data[EVENT_HEADER] = 3; /* a log of version 3 */
    assert_true(event_decode(raw, &format, false, &event, &err));
    assert_false(event_format_decode(&event, &format, &err));
    buf_fini(&m.out);
}

static void test_fates(void **state)
{
    (void)state;
    struct event event = {0};
    struct err err;
    unsigned known = 0, refused = 0;
    for (unsigned type = 0; type < EVENT_TYPES; type++) {
        const struct event_fate *fate = event_fate((uint8_t)type);
        if (!fate->name) continue;
        known++;
        assert_true(fate->action >= EVENT_DECODE && fate->action <= EVENT_REFUSE);
        assert_true(fate->since[0]);
        if (fate->action == EVENT_SKIP) assert_true(fate->reason[0]);
        if (fate->action != EVENT_REFUSE) continue;
        refused++;
        event.type = (uint8_t)type;
        assert_true(fate->reason[0] && fate->remedy[0]);
        assert_false(event_refuse(&event, &err));
        assert_int_equal(err.code, ERR_UNSUPPORTED);
        assert_non_null(strstr(err.text, fate->remedy));
    }
    assert_int_equal(known, 44 + 5 + 13);
    assert_int_equal(refused, 20);
    event.type = 250;
    assert_false(event_refuse(&event, &err));
    assert_non_null(strstr(err.text, "250"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode), cmocka_unit_test(test_checksum), cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_format), cmocka_unit_test(test_fates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
