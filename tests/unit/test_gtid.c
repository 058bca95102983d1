/* GTIDs and sets as text and as bytes, and what is refused. */
#include "unit.h"

#include "gtid.h"

static void parses_and_prints(void **state)
{
    struct gtid_set set;
    struct err err;
    char text[GTID_SET_TEXT_MAX];
    (void)state;
    assert_true(gtid_set_parse(slice_text("5-2-9, 0-1-42,4294967295-4294967295-18446744073709551615"), &set, &err));
    gtid_set_format(&set, text);
    assert_string_equal(text, "0-1-42,5-2-9,4294967295-4294967295-18446744073709551615");
    assert_true(gtid_set_parse(slice_text(""), &set, &err));
    assert_int_equal(set.count, 0);
}

static void refuses_what_is_no_position(void **state)
{
    static const char *const bad[] = {"0-1", "0-1-", "0-1-2,", "0-1-2 3", "a-1-2", "0-1-2,0-3-4", "4294967296-1-1",
                                      "0-1-18446744073709551616", "-1-2-3", "0-1-2;", "588edc56-e4a0-11f1-a6d4-02fc00000001:1-5"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct gtid_set set = {.count = 77};
        struct err err = {0};
        assert_false(gtid_set_parse(slice_text(bad[i]), &set, &err));
        assert_int_equal(err.code, ERR_CONFIG);
        assert_int_equal(set.count, 77); /* outputs stay untouched */
    }
}

static void put_replaces_and_keeps_order(void **state)
{
    struct gtid_set set = {0};
    struct err err;
    (void)state;
    for (uint32_t domain = GTID_DOMAINS_MAX; domain > 0; domain--) assert_true(gtid_set_put(&set, (struct gtid){domain, 1, domain}, &err));
    assert_false(gtid_set_put(&set, (struct gtid){99, 1, 1}, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    assert_true(gtid_set_put(&set, (struct gtid){3, 8, 1000}, &err));
    assert_int_equal(set.count, GTID_DOMAINS_MAX);
    assert_int_equal(gtid_set_get(&set, 3).seq, 1000);
    for (uint32_t i = 1; i < set.count; i++) assert_true(set.items[i - 1].domain < set.items[i].domain);
    gtid_set_remove(&set, 3);
    assert_int_equal(gtid_set_get(&set, 3).seq, 0);
    assert_int_equal(set.count, GTID_DOMAINS_MAX - 1);
}

static void contains_ignores_the_server(void **state)
{
    struct gtid_set whole, part;
    struct err err;
    (void)state;
    assert_true(gtid_set_parse(slice_text("0-1-42,5-2-9"), &whole, &err));
    assert_true(gtid_set_parse(slice_text("0-7-42"), &part, &err));
    assert_true(gtid_set_contains(&whole, &part));
    assert_true(gtid_set_parse(slice_text("0-7-43"), &part, &err));
    assert_false(gtid_set_contains(&whole, &part));
    assert_true(gtid_set_parse(slice_text("6-1-1"), &part, &err));
    assert_false(gtid_set_contains(&whole, &part));
}

static void positions_go_round(void **state)
{
    struct source_pos pos = {.offset = 5000000000, .file = "binlog.000007"}, back;
    struct err err;
    struct buf buf;
    (void)state;
    assert_true(gtid_set_parse(slice_text("0-1-42,5-2-9"), &pos.gtids, &err));
    buf_init(&buf, 4096);
    source_pos_encode(&pos, &buf);
    struct cursor in = cursor_of(buf_bytes(&buf));
    assert_true(source_pos_decode(&in, &back));
    assert_true(gtid_set_equal(&pos.gtids, &back.gtids));
    assert_int_equal(back.offset, pos.offset);
    assert_string_equal(back.file, pos.file);
    for (size_t cut = 0; cut < buf.size; cut++) { /* every shorter one fails */
        in = cursor_of(slice_of(buf.data, cut));
        assert_false(source_pos_decode(&in, &back));
    }
    buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_and_prints),
        cmocka_unit_test(refuses_what_is_no_position),
        cmocka_unit_test(put_replaces_and_keeps_order),
        cmocka_unit_test(contains_ignores_the_server),
        cmocka_unit_test(positions_go_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
