/*
 * test_jsonb.c: MySQL's binary JSON, against documents and texts of MySQL 9.7: literals inlined in a slot of two bytes, keys fetched by
 * offset (holes after updates in place), opaque DECIMALs and times rendered, offsets beyond 64 KiB, diffs that end at their length.
 */
#include "unit.h"

#include "jsonb.h"

struct fixture { struct buf out; struct arena arena; struct err err; };

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    buf_init(&f->out, 1 << 20);
    arena_init(&f->arena);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    buf_fini(&f->out);
    arena_fini(&f->arena);
    free(f);
    return 0;
}

static bool text_of(struct fixture *f, struct slice document)
{
    buf_clear(&f->out);
    f->out.full = false;
    return jsonb_text(document, &f->out, &f->err);
}

static void assert_text(struct fixture *f, const char *hex, const char *text)
{
    if (!text_of(f, unit_hex(hex))) fail_msg("%s: %s", hex, f->err.text);
    assert_string_equal(buf_cstr(&f->out), text);
}

static void test_scalars(void **state)
{
    static const struct { const char *hex, *text; } cases[] = {
        {"", "null"}, {"0400", "null"}, {"0401", "true"}, {"0402", "false"}, {"050000", "0"}, {"05ffff", "-1"}, {"05ff7f", "32767"}, {"0700800000", "32768"},
        {"07ff7fffff", "-32769"}, {"090000008000000000", "2147483648"}, {"0a0000000000000080", "9223372036854775808"}, {"06ffff", "65535"},
        {"0800000100", "65536"}, {"0affffffffffffffff", "18446744073709551615"}, {"090000000000000080", "-9223372036854775808"},
        {"0b000000000000f83f", "1.5"}, {"0b000000000000f03f", "1.0"}, {"0b0000000000000080", "-0.0"}, {"0b00003426f56b0c43", "1e15"},
        {"0c03616263", "\"abc\""}, {"0c00", "\"\""}, {"0c08 2f 22 5c 08 0a 01 1f 7f", "\"/\\\"\\\\\\b\\n\\u0001\\u001f\x7f\""}, {"0c02c3a9", "\"\xc3\xa9\""},
        {"0ff604 0402 8c22", "12.34"}, {"0ff605 0403 7ffffe", "-0.001"}, {"0ff608 0c03 7ffffffffffe", "-0.001"}, {"0ff622 4800 80000063 3b9ac9ff 3b9ac9ff 3b9ac9ff 3b9ac9ff 3b9ac9ff 3b9ac9ff 3b9ac9ff",
         "99999999999999999999999999999999999999999999999999999999999999999"}, {"0f0c08 40e201fb7ebbb219", "\"2024-02-29 23:59:59.123456\""},
        {"0f0708 40e201fb7ebbb219", "\"2024-02-29 23:59:59.123456\""}, {"0f0a08 0000000000bab219", "\"2024-02-29\""},
        {"0f0b08 f8f5f34737ffffff", "\"-12:34:56.789000\""}, {"0f0b08 00000000 00000000", "\"00:00:00.000000\""}, {"0f0f02 0102", "\"base64:type15:AQI=\""},
        {"0f0f01 05", "\"base64:type15:BQ==\""}, {"0f1000", "\"base64:type16:\""}, {"0fff03 000102", "\"base64:type255:AAEC\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) assert_text(*state, cases[i].hex, cases[i].text);
}

#define ABC "00 0300 2f00 1900 0100 1a00 0100 1b00 0200 050100 001d00 0c2d00 61 63 6262 0100 1000 0b00 0100 020c00 64 0000 0400 0178"

static void test_containers(void **state)
{
    assert_text(*state, "0000000400", "{}");
    assert_text(*state, "0200000400", "[]");
    assert_text(*state, "02 0500 1d00 050100 0c1300 040000 040100 091500 0161 0000008000000000", "[1, \"a\", null, true, 2147483648]");
    assert_text(*state, ABC, "{\"a\": 1, \"c\": {\"d\": []}, \"bb\": \"x\"}");
    assert_text(*state, "02 0500 2300 060100 071300 071700 050080 0a1b00 ffff0000 00000100 ffffffffffffffff",
                "[1, 65535, 65536, -32768, 18446744073709551615]");
    /* a hole of two bytes between keys and values, as an update in place leaves it; and bytes behind the end */
    assert_text(*state, "00 0100 1100 0b00 0100 0c0e00 61 ffff 0162 ff", "{\"a\": \"b\"}");
}

/* ["L…" of 70000, 1, 65536] and {"i": 70000, "k": "L…", "t": true} */
static void test_large(void **state)
{
    struct fixture *f = *state;
    struct slice head = unit_hex("03 03000000 8a110100 0c17000000 0501000000 0700000100 f0a204");
    struct buf document;
    buf_init(&document, 1 << 20);
    buf_slice(&document, head);
    for (int i = 0; i < 70000; i++) buf_u8(&document, 'L');
    assert_true(text_of(f, buf_bytes(&document)));
    assert_int_equal(f->out.size, 1 + 70002 + strlen(", 1, 65536]"));
    assert_string_equal(buf_cstr(&f->out) + 70003, ", 1, 65536]");
    buf_clear(&document);
    buf_slice(&document, unit_hex("01 03000000 9f110100 29000000 0100 2a000000 0100 2b000000 0100 0770110100 0c2c000000 0401000000 69 6b 74 f0a204"));
    for (int i = 0; i < 70000; i++) buf_u8(&document, 'L');
    assert_true(text_of(f, buf_bytes(&document)));
    buf_cstr(&f->out);
    assert_memory_equal(f->out.data, "{\"i\": 70000, \"k\": \"LL", 21);
    assert_string_equal((char *)f->out.data + f->out.size - 13, "\", \"t\": true}");
    buf_fini(&document);
}

/* Bytes as text in lines of 76, whose breaks are part of the string: CAST(REPEAT('ab', 60) AS BINARY) */
static void test_base64_lines(void **state)
{
    struct fixture *f = *state;
    struct buf document;
    buf_init(&document, 1000);
    buf_slice(&document, unit_hex("0f0f78"));
    for (int i = 0; i < 60; i++) buf_text(&document, "ab");
    assert_true(text_of(f, buf_bytes(&document)));
    assert_string_equal(buf_cstr(&f->out), "\"base64:type15:YWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJh\\n"
                        "YmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFiYWJhYmFi\\nYWJhYmFi\"");
    buf_fini(&document);
}

static void test_damage(void **state)
{
    static const struct { const char *hex; enum err_code code; } cases[] = {
        {"0403", ERR_CORRUPT}, {"04", ERR_CORRUPT}, {"0501", ERR_CORRUPT}, {"0c0561", ERR_CORRUPT}, {"0cffffffffff", ERR_CORRUPT}, {"0d00", ERR_UNSUPPORTED},
        {"0e", ERR_UNSUPPORTED}, {"10", ERR_UNSUPPORTED}, {"0ff603 0402 8c", ERR_CORRUPT}, {"0ff604 0002 8c22", ERR_CORRUPT}, {"0f0c07 40e201fb7ebbb2", ERR_CORRUPT},
        {"0f0a08 0000000000000080", ERR_CORRUPT}, {"0f0b08 000000ff ff000000", ERR_CORRUPT}, {"0000", ERR_CORRUPT}, {"0000000300", ERR_CORRUPT},
        {"02 0100 0700 0c0700", ERR_CORRUPT}, /* at its own end */ {"02 0100 0800 0c0300 00", ERR_CORRUPT}, /* into its own head */
        {"00 0100 0d00 0b00 0500 0c0c00 61 00", ERR_CORRUPT}, /* a key beyond the end */
        {"00 0200 1200 1200 0000 1200 0000 050100 050200", ERR_CORRUPT}, /* one key twice */
        {"00 0200 1600 1200 0200 1400 0100 050100 050200 6262 61 00", ERR_CORRUPT}, /* out of order */
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (text_of(f, unit_hex(cases[i].hex))) fail_msg("%s is taken", cases[i].hex);
        assert_int_equal(f->err.code, cases[i].code);
    }
    struct slice whole = unit_hex(ABC);
    for (size_t n = 1; n < whole.size; n++) {
        uint8_t *copy = malloc(n);
        memcpy(copy, whole.data, n);
        assert_false(text_of(f, slice_of(copy, n)));
        free(copy);
    }
}

/* [[…]] of n arrays. Each is: u2 1, u2 size, type, u2 offset 7. */
static size_t nested(uint8_t *to, unsigned n)
{
    size_t at = 0;
    to[at++] = 2;
    for (unsigned left = n; left > 1; left--) {
        size_t size = (left - 1) * 7 + 4;
        memcpy(to + at, (uint8_t[]){1, 0, (uint8_t)size, (uint8_t)(size >> 8), 2, 7, 0}, 7);
        at += 7;
    }
    memcpy(to + at, (uint8_t[]){0, 0, 4, 0}, 4);
    return at + 4;
}

static void test_depth(void **state)
{
    struct fixture *f = *state;
    uint8_t document[1000];
    assert_true(text_of(f, slice_of(document, nested(document, JSONB_DEPTH_MAX))));
    assert_int_equal(f->out.size, 2 * JSONB_DEPTH_MAX);
    assert_false(text_of(f, slice_of(document, nested(document, JSONB_DEPTH_MAX + 1))));
    assert_int_equal(f->err.code, ERR_LIMIT);
    assert_non_null(strstr(f->err.text, "JSONB_DEPTH_MAX"));
}

/* Thirty arrays, each with the next one twice: a text of 2^30 values from 400 bytes. */
static void test_shared(void **state)
{
    struct fixture *f = *state;
    struct buf document;
    buf_init(&document, 1000);
    buf_u8(&document, 2);
    for (unsigned left = 30; left; left--) {
        buf_le(&document, 2, 2);
        buf_le(&document, left * 10 + 4, 2);
        for (int i = 0; i < 2; i++) {
            buf_u8(&document, 2);
            buf_le(&document, 10, 2);
        }
    }
    buf_slice(&document, unit_hex("0000 0400"));
    assert_false(text_of(f, buf_bytes(&document)));
    assert_int_equal(f->err.code, ERR_CORRUPT);
    assert_non_null(strstr(f->err.text, "share"));
    buf_fini(&document);
}

static void test_full(void **state)
{
    struct fixture *f = *state;
    struct buf small;
    buf_init(&small, 10);
    assert_false(jsonb_text(unit_hex(ABC), &small, &f->err));
    assert_int_equal(f->err.code, ERR_LIMIT);
    buf_fini(&small);
}

/* ---- diffs */

static bool patched(struct fixture *f, const char *document, const char *diffs)
{
    buf_clear(&f->out);
    arena_reset(&f->arena);
    return jsonb_patched(unit_hex(document), unit_hex(diffs), &f->arena, &f->out, &f->err);
}

static void assert_patched(struct fixture *f, const char *document, const char *diffs, const char *text)
{
    if (!patched(f, document, diffs)) fail_msg("%s: %s", diffs, f->err.text);
    assert_string_equal(buf_cstr(&f->out), text);
}

static void test_diffs(void **state)
{
    struct fixture *f = *state;
    assert_patched(f, ABC, "", "{\"a\": 1, \"c\": {\"d\": []}, \"bb\": \"x\"}");
    assert_patched(f, ABC, "00 03 242e61 03 050200", "{\"a\": 2, \"c\": {\"d\": []}, \"bb\": \"x\"}");
    assert_patched(f, ABC, "02 04 242e6262", "{\"a\": 1, \"c\": {\"d\": []}}");
    assert_patched(f, ABC, "00 03 242e63 08 0201000700050100", "{\"a\": 1, \"c\": [1], \"bb\": \"x\"}");
    /* three, one behind the other: $.b goes between a and c, by its length before bb; $.c.d[0]; $."e f" */
    assert_patched(f, ABC, "01 03 242e62 02 0401 01 08 242e632e645b305d 03 050700 01 07 242e2265206622 02 0400",
                   "{\"a\": 1, \"b\": true, \"c\": {\"d\": [7]}, \"bb\": \"x\", \"e f\": null}");
    /* arrays: in the middle, far behind the end, away */
    assert_patched(f, "02 0200 0a00 050100 050200", "01 04 245b315d 03 050900 01 05 245b39395d 02 0402 02 04 245b305d", "[9, 2, false]");
    assert_patched(f, ABC, "00 01 24 02 0400", "null");
    /* a quoted key with escapes: a"b\ and e with an accent, and a pair of surrogates */
    assert_patched(f, "0000000400", "01 0a 242e22615c22625c5c22 02 0401 01 0a 242e225c753030653922 02 0402 01 10 242e225c75643833645c756465303022 02 0400",
                   "{\"\xc3\xa9\": false, \"a\\\"b\\\\\": true, \"\xf0\x9f\x98\x80\": null}");
}

static void test_bad_diffs(void **state)
{
    static const struct { const char *diffs; enum err_code code; } cases[] = {
        {"00 03 242e7a 02 0400", ERR_CORRUPT}, /* no $.z */ {"02 03 242e7a", ERR_CORRUPT}, {"01 03 242e61 02 0400", ERR_CORRUPT}, /* $.a is there */
        {"00 04 245b305d 02 0400", ERR_CORRUPT}, /* an array's cell of an object */ {"00 05 242e612e62 02 0400", ERR_CORRUPT}, /* below a number */
        {"03 03 242e61", ERR_UNSUPPORTED}, {"00 03 242e61 05 0400", ERR_CORRUPT}, {"00 02 242e 02 0400", ERR_CORRUPT}, {"00 03 242a61 02 0400", ERR_CORRUPT},
        {"00 04 245b615d 02 0400", ERR_CORRUPT}, {"00 03 245b30 02 0400", ERR_CORRUPT}, {"00 04 242e2261 02 0400", ERR_CORRUPT}, {"02 01 24", ERR_CORRUPT},
        {"00 00 02 0400", ERR_CORRUPT}, {"00 03 242e61 02 0d00", ERR_UNSUPPORTED},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (patched(f, ABC, cases[i].diffs)) fail_msg("%s is applied", cases[i].diffs);
        assert_int_equal(f->err.code, cases[i].code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_scalars, setup, teardown), cmocka_unit_test_setup_teardown(test_containers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_large, setup, teardown), cmocka_unit_test_setup_teardown(test_base64_lines, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damage, setup, teardown), cmocka_unit_test_setup_teardown(test_depth, setup, teardown),
        cmocka_unit_test_setup_teardown(test_shared, setup, teardown), cmocka_unit_test_setup_teardown(test_full, setup, teardown),
        cmocka_unit_test_setup_teardown(test_diffs, setup, teardown), cmocka_unit_test_setup_teardown(test_bad_diffs, setup, teardown),
    };
    return cmocka_run_group_tests_name("jsonb", tests, NULL, NULL);
}
