/* Character sets: ids, conversion, and what is refused. */
#include "unit.h"

#include "charset.h"

static struct charset_cache *cache;
static struct buf out;

static int start(void **state)
{
    (void)state;
    cache = charset_cache_new();
    buf_init(&out, 1 << 20);
    return 0;
}

static int end(void **state)
{
    (void)state;
    charset_cache_free(cache);
    buf_fini(&out);
    return 0;
}

static void converts(uint16_t collation, const char *hex, const char *utf8)
{
    buf_clear(&out);
    assert_true(charset_to_utf8(cache, collation, unit_hex(hex), &out));
    assert_slice(buf_bytes(&out), utf8);
}

static void refuses(uint16_t collation, const char *hex)
{
    buf_clear(&out);
    buf_text(&out, "kept");
    assert_false(charset_to_utf8(cache, collation, unit_hex(hex), &out));
    assert_slice(buf_bytes(&out), "kept");
}

static void test_names(void **state)
{
    (void)state;
    static const struct { uint16_t id; const char *name; } ids[] = {
        {45, "utf8mb4"}, {255, "utf8mb4"}, {323, "utf8mb4"}, {2304, "utf8mb4"}, {2559, "utf8mb4"}, {1069, "utf8mb4"}, {63, "binary"},
        {33, "utf8mb3"}, {2048, "utf8mb3"}, {8, "latin1"}, {1032, "latin1"}, {11, "ascii"}, {35, "ucs2"}, {54, "utf16"}, {56, "utf16le"},
        {60, "utf32"}, {51, "cp1251"}, {95, "cp932"}, {13, "sjis"}, {97, "eucjpms"}, {28, "gbk"}, {248, "gb18030"}, {10, "swe7"}};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) assert_string_equal(charset_name(ids[i].id), ids[i].name);
    assert_null(charset_name(0));
    assert_null(charset_name(17));
    assert_null(charset_name(5000));
}

static void test_utf8(void **state)
{
    (void)state;
    static const char *const bad[] = {"80", "c080", "c1bf", "e08080", "eda080", "f0808080", "f4908080", "f5808080", "e282", "61c3", "ff"};
    converts(45, "61c3a9e282acf09f9880", "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    converts(45, "", "");
    converts(0, "c3a9", "\xc3\xa9");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        refuses(45, bad[i]);
        refuses(0, bad[i]);
    }
    refuses(45, "3132333435363738c3"); /* after a whole word of ASCII */
}

static void test_single_byte(void **state)
{
    (void)state;
    converts(8, "61e9", "a\xc3\xa9");
    converts(8, "80", "\xe2\x82\xac");
    converts(8, "819d", "\xc2\x81\xc2\x9d"); /* cp1252's holes are the C1 controls */
    converts(51, "cff0e8", "\xd0\x9f\xd1\x80\xd0\xb8");
    converts(11, "616263", "abc");
    refuses(11, "61e9");
    converts(92, "616263", "abc"); /* no converter, but plain */
    refuses(92, "c0");
}

static void test_wide(void **state)
{
    (void)state;
    converts(35, "006100e9", "a\xc3\xa9");
    converts(54, "d83dde00", "\xf0\x9f\x98\x80");
    converts(56, "3dd800de", "\xf0\x9f\x98\x80");
    converts(60, "0001f600", "\xf0\x9f\x98\x80");
    refuses(54, "d83d");
    refuses(35, "00");
    refuses(60, "00110000");
}

static void test_asian(void **state)
{
    (void)state;
    converts(28, "c4e3bac3", "\xe4\xbd\xa0\xe5\xa5\xbd");
    converts(95, "82a0835c", "\xe3\x81\x82\xe3\x82\xbd");
    converts(13, "82a0", "\xe3\x81\x82");
    converts(12, "a4a2", "\xe3\x81\x82");
    converts(97, "a4a2", "\xe3\x81\x82");
    converts(1, "a741", "\xe4\xbd\xa0");
    converts(19, "b0a1", "\xea\xb0\x80");
    refuses(28, "c4");
}

static void test_binary(void **state)
{
    (void)state;
    refuses(63, "616263");
}

static void test_long(void **state)
{
    (void)state;
    static uint8_t bytes[100000];
    for (size_t i = 0; i < sizeof bytes; i += 2) bytes[i] = 0xc4, bytes[i + 1] = 0xe3;
    buf_clear(&out);
    assert_true(charset_to_utf8(cache, 28, slice_of(bytes, sizeof bytes), &out));
    assert_int_equal(out.size, sizeof bytes / 2 * 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_names), cmocka_unit_test(test_utf8), cmocka_unit_test(test_single_byte),
                                       cmocka_unit_test(test_wide), cmocka_unit_test(test_asian), cmocka_unit_test(test_binary),
                                       cmocka_unit_test(test_long)};
    return cmocka_run_group_tests(tests, start, end);
}
