/* The bounded reader: every read past the end fails, sticks and returns zero. */
#include "unit.h"

#include "buf.h"
#include "cursor.h"

static void reads_integers(void **state)
{
    struct cursor in = cursor_of(unit_hex("01 0203 04050607 0102030405060708 0102 fcff00 fd010203 fe0100000000000000 fa"));
    (void)state;
    assert_int_equal(cursor_u8(&in), 1);
    assert_int_equal(cursor_u16(&in), 0x0302);
    assert_int_equal(cursor_u32(&in), 0x07060504);
    assert_int_equal(cursor_u64(&in), 0x0807060504030201);
    assert_int_equal(cursor_be(&in, 2), 0x0102);
    assert_int_equal(cursor_lenenc(&in), 255);
    assert_int_equal(cursor_lenenc(&in), 0x030201);
    assert_int_equal(cursor_lenenc(&in), 1);
    assert_int_equal(cursor_lenenc(&in), 250);
    assert_int_equal(cursor_left(&in), 0);
    assert_false(in.failed);
}

static void first_error_sticks(void **state)
{
    struct cursor in = cursor_of(unit_hex("010203"));
    (void)state;
    assert_int_equal(cursor_u32(&in), 0);
    assert_true(in.failed);
    assert_int_equal(cursor_u8(&in), 0); /* though three bytes were there */
    assert_int_equal(cursor_bytes(&in, 0).size, 0);
    assert_true(in.failed);
}

static void a_length_beyond_the_end_fails(void **state)
{
    struct cursor in = cursor_of(unit_hex("05 0102"));
    (void)state;
    assert_int_equal(cursor_lenenc_bytes(&in).size, 0);
    assert_true(in.failed);
    in = cursor_of(unit_hex("feffffffffffffffff 00"));
    assert_int_equal(cursor_lenenc_bytes(&in).size, 0);
    assert_true(in.failed);
    in = cursor_of(unit_hex("fb"));
    cursor_lenenc(&in);
    assert_true(in.failed);
}

static void varints_go_round(void **state)
{
    const uint64_t values[] = {0, 1, 127, 128, 300, UINT32_MAX, UINT64_MAX - 1, UINT64_MAX};
    struct buf buf;
    (void)state;
    buf_init(&buf, 1024);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) buf_varint(&buf, values[i]);
    struct cursor in = cursor_of(buf_bytes(&buf));
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) assert_int_equal(cursor_varint(&in), values[i]);
    assert_false(in.failed);
    buf_fini(&buf);
    in = cursor_of(unit_hex("ffffffffffffffffff02")); /* 65 bits */
    cursor_varint(&in);
    assert_true(in.failed);
}

static void a_buffer_stops_at_its_maximum(void **state)
{
    struct buf buf;
    (void)state;
    buf_init(&buf, 10);
    buf_text(&buf, "12345678");
    buf_text(&buf, "abc");
    assert_true(buf.full);
    assert_int_equal(buf.size, 8);
    buf_text(&buf, "9");
    assert_int_equal(buf.size, 8); /* what comes after a failure is not appended either */
    buf_clear(&buf);
    buf_text(&buf, "1234567890");
    assert_false(buf.full);
    buf_fini(&buf);
}

static void lenenc_goes_round(void **state)
{
    const uint64_t values[] = {0, 250, 251, 255, 65535, 65536, 16777215, 16777216, UINT64_MAX};
    struct buf buf;
    (void)state;
    buf_init(&buf, 1024);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) buf_lenenc(&buf, values[i]);
    struct cursor in = cursor_of(buf_bytes(&buf));
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) assert_int_equal(cursor_lenenc(&in), values[i]);
    assert_false(in.failed || cursor_left(&in));
    buf_fini(&buf);
}

/* Also an empty slice without an address: what is handed on from its cursor has one. */
static void nothing_has_an_address(void **state)
{
    struct cursor in = cursor_of(slice_of(NULL, 0));
    (void)state;
    assert_int_equal(cursor_left(&in), 0);
    assert_non_null(cursor_rest(&in).data);
    assert_false(in.failed);
    assert_int_equal(cursor_u8(&in), 0);
    assert_true(in.failed);
    assert_null(slice_end(slice_of(NULL, 0)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_integers),
        cmocka_unit_test(first_error_sticks),
        cmocka_unit_test(a_length_beyond_the_end_fails),
        cmocka_unit_test(nothing_has_an_address),
        cmocka_unit_test(varints_go_round),
        cmocka_unit_test(lenenc_goes_round),
        cmocka_unit_test(a_buffer_stops_at_its_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
