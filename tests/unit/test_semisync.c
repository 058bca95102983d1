/* The two bytes of a semi-synchronous stream, and which acknowledgement goes out when. */
#include "unit.h"

#include "semisync.h"

static bool strip(struct framing *framing, const char *bytes, size_t size, struct slice *event, struct err *err)
{
    *event = slice_of((const uint8_t *)bytes, size);
    return framing_strip(framing, event, err);
}

static void decided_by_the_first_packet(void **state)
{
    struct framing framing = {0}, plain = {0};
    struct slice event;
    struct err err;
    (void)state;
    assert_true(strip(&framing, "\xef\x00\0\0\0\0", 6, &event, &err));
    assert_true(framing.on);
    assert_false(framing.asked);
    assert_int_equal(event.size, 4);
    assert_true(strip(&framing, "\xef\x01z", 3, &event, &err));
    assert_true(framing.asked);
    assert_int_equal(event.data[0], 'z');
    assert_false(strip(&framing, "\x00\x01z", 3, &event, &err)); /* a packet without them cannot be */
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_false(strip(&framing, "\xef\x02z", 3, &event, &err));
    assert_false(strip(&framing, "\xef", 1, &event, &err));
    assert_false(framing.asked);

    assert_true(strip(&plain, "\x00\0\0\0\x04", 5, &event, &err));
    assert_false(plain.on);
    /* later a timestamp may well begin with that byte */
    assert_true(strip(&plain, "\xef\x01\0\0\x13", 5, &event, &err));
    assert_false(plain.asked);
    assert_int_equal(event.size, 5);
}

static struct source_pos at(uint64_t offset)
{
    struct source_pos pos = {.offset = offset};
    strcpy(pos.file, offset < 1000 ? "binlog.000001" : "binlog.000002");
    return pos;
}

static void only_what_is_durable_is_acknowledged(void **state)
{
    static struct acks acks;
    struct ack ack;
    (void)state;
    acks_clear(&acks);
    struct source_pos first = at(100), second = at(200), third = at(1300);
    acks_put(&acks, 10, &first, 1);
    acks_put(&acks, 20, &second, 2);
    acks_put(&acks, 30, &third, 3);
    assert_false(acks_take(&acks, 9, &ack));
    assert_true(acks_take(&acks, 29, &ack)); /* one for both */
    assert_int_equal(ack.offset, 200);
    assert_int_equal(ack.since_us, 1);
    assert_string_equal(ack.file, "binlog.000001");
    assert_false(acks_take(&acks, 29, &ack));
    assert_true(acks_take(&acks, 30, &ack));
    assert_string_equal(ack.file, "binlog.000002");
    assert_int_equal(acks.count, 0);
}

static void more_than_can_wait_are_covered_by_the_newest(void **state)
{
    static struct acks acks;
    struct ack ack;
    (void)state;
    acks_clear(&acks);
    for (unsigned i = 1; i <= ACKS_MAX + 5; i++) {
        struct source_pos pos = at(i);
        acks_put(&acks, i, &pos, i);
    }
    assert_int_equal(acks.count, ACKS_MAX);
    assert_true(acks_take(&acks, ACKS_MAX + 4, &ack));
    assert_int_equal(ack.offset, ACKS_MAX - 1); /* never one that is not durable */
    assert_true(acks_take(&acks, ACKS_MAX + 5, &ack));
    assert_int_equal(ack.offset, ACKS_MAX + 5);
}

static void encoded_as_the_source_reads_it(void **state)
{
    static const uint8_t expected[] = {0x2a, 1, 0, 0, 0, 0, 0, 0, 'b', '.', '1'};
    struct buf out;
    (void)state;
    buf_init(&out, 100);
    ack_encode(&out, "b.1", 0x12a);
    assert_int_equal(out.size, sizeof expected);
    assert_memory_equal(out.data, expected, sizeof expected);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decided_by_the_first_packet),
        cmocka_unit_test(only_what_is_durable_is_acknowledged),
        cmocka_unit_test(more_than_can_wait_are_covered_by_the_newest),
        cmocka_unit_test(encoded_as_the_source_reads_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
