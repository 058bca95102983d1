/* Values as the servers themselves printed them: bytes and texts were recorded from MariaDB 10.11, 11.8 and MySQL 5.6. */
#include "unit.h"

#include "value.h"
#include <math.h>
#include <time.h>

struct vector { struct column column; const char *hex, *text; };

#define DECIMAL(p, s, hex, text) {{.kind = COLUMN_DECIMAL, .precision = p, .scale = s}, hex, text}
#define TIMED(kind_, fsp, hex, text) {{.kind = COLUMN_##kind_, .scale = fsp}, hex, text}
#define PLAIN(kind_, hex, text) {{.kind = COLUMN_##kind_, .max_bytes = 16}, hex, text}
#define INT(width_, unsigned_, hex, text) {{.kind = COLUMN_INT, .width = width_, .is_unsigned = unsigned_}, hex, text}

static const struct vector vectors[] = {
    DECIMAL(10, 4, "8004d2162e", "1234.5678"), DECIMAL(10, 4, "7ffb2de9d1", "-1234.5678"),
    DECIMAL(10, 4, "8000000000", "0.0000"), DECIMAL(10, 4, "7ffffffffe", "-0.0001"),
    DECIMAL(14, 4, "7ef204c72dfb2d", "-1234567890.1234"), DECIMAL(5, 0, "7fcfc6", "-12345"),
    DECIMAL(3, 3, "807b", "0.123"), DECIMAL(3, 3, "7ffe", "-0.001"), DECIMAL(18, 9, "7ffffffefffffffe", "-1.000000001"),
    DECIMAL(5, 2, "807b2d", "123.45"), DECIMAL(4, 1, "800105", "1.5"), DECIMAL(3, 1, "8000", "0.0"),
    DECIMAL(65, 30, "7f439eb1ca484078caf1cb3fd0f8a086f8a432eaff439eb1ca484078fc85",
            "-12345678901234567890123456789012345.123456789012345678901234567890"),
    TIMED(TIME, 0, "80c8b8", "12:34:56"), TIMED(TIME, 0, "7f3748", "-12:34:56"), TIMED(TIME, 0, "b46efb", "838:59:59"),
    TIMED(TIME, 0, "800000", "00:00:00"), TIMED(TIME, 1, "80c8b846", "12:34:56.7"), TIMED(TIME, 1, "7f3747ba", "-12:34:56.7"),
    TIMED(TIME, 1, "7ffffff6", "-00:00:00.1"), TIMED(TIME, 1, "4b9104a6", "-838:59:59.9"),
    TIMED(TIME, 2, "80c8b84e", "12:34:56.78"), TIMED(TIME, 2, "7f3747b2", "-12:34:56.78"),
    TIMED(TIME, 2, "7fffffff", "-00:00:00.01"), TIMED(TIME, 3, "80c8b81ed2", "12:34:56.789"),
    TIMED(TIME, 3, "7f3747e12e", "-12:34:56.789"), TIMED(TIME, 3, "7ffffefff6", "-00:00:01.001"),
    TIMED(TIME, 3, "4b9104d8fa", "-838:59:59.999"), TIMED(TIME, 4, "7ffffeffff", "-00:00:01.0001"),
    TIMED(TIME, 5, "7ffffffffff6", "-00:00:00.00001"), TIMED(TIME, 6, "80c8b80c0a83", "12:34:56.789123"),
    TIMED(TIME, 6, "7f3747f3f57d", "-12:34:56.789123"), TIMED(TIME, 6, "7fffffffffff", "-00:00:00.000001"),
    TIMED(DATETIME, 0, "99b2bb7efb", "2024-02-29 23:59:59"), TIMED(DATETIME, 1, "99b2bb7efb0a", "2024-02-29 23:59:59.1"),
    TIMED(DATETIME, 2, "99b2bb7efb0c", "2024-02-29 23:59:59.12"), TIMED(DATETIME, 3, "99b2bb7efb04ce", "2024-02-29 23:59:59.123"),
    TIMED(DATETIME, 4, "99b2bb7efb04d2", "2024-02-29 23:59:59.1234"),
    TIMED(DATETIME, 5, "99b2bb7efb01e23a", "2024-02-29 23:59:59.12345"),
    TIMED(DATETIME, 6, "99b2bb7efb01e240", "2024-02-29 23:59:59.123456"), TIMED(DATETIME, 0, "8000000000", "0000-00-00 00:00:00"),
    TIMED(DATETIME, 3, "80000000000000", "0000-00-00 00:00:00.000"), TIMED(DATETIME, 0, "99b2000000", "2024-00-00 00:00:00"),
    TIMED(DATETIME, 1, "fef3ff7efb5a", "9999-12-31 23:59:59.9"), TIMED(DATETIME, 6, "fef3ff7efb0f423f", "9999-12-31 23:59:59.999999"),
    TIMED(DATETIME, 2, "8cb242000000", "1000-01-01 00:00:00.00"),
    TIMED(TIMESTAMP, 0, "65e11a7f", "2024-02-29 23:59:59"), TIMED(TIMESTAMP, 1, "65e11a7f0a", "2024-02-29 23:59:59.1"),
    TIMED(TIMESTAMP, 3, "65e11a7f04ce", "2024-02-29 23:59:59.123"), TIMED(TIMESTAMP, 6, "65e11a7f01e240", "2024-02-29 23:59:59.123456"),
    TIMED(TIMESTAMP, 0, "00000000", "0000-00-00 00:00:00"), TIMED(TIMESTAMP, 2, "0000000000", "0000-00-00 00:00:00.00"),
    TIMED(TIMESTAMP, 6, "7fffffff0f423f", "2038-01-19 03:14:07.999999"), TIMED(TIMESTAMP, 6, "8000000007a120", "2038-01-19 03:14:08.500000"),
    TIMED(TIMESTAMP, 0, "ffffffff", "2106-02-07 06:28:15"), TIMED(TIMESTAMP, 0, "00000001", "1970-01-01 00:00:01"),
    PLAIN(DATE, "5dd00f", "2024-02-29"), PLAIN(DATE, "000000", "0000-00-00"), PLAIN(DATE, "9f1f4e", "9999-12-31"),
    PLAIN(DATE, "21d007", "1000-01-01"), PLAIN(YEAR, "01", "1901"), PLAIN(YEAR, "7c", "2024"), PLAIN(YEAR, "ff", "2155"),
    PLAIN(YEAR, "00", "0000"),
    PLAIN(UUID, "c232ab00941411ecb3c89f6bdeced846", "c232ab00-9414-11ec-b3c8-9f6bdeced846"),
    PLAIN(UUID, "", "00000000-0000-0000-0000-000000000000"),
    PLAIN(UUID, "123e4567e89b12d3a4564266141740", "123e4567-e89b-12d3-a456-426614174000"),
    PLAIN(INET4, "0a", "10.0.0.0"), PLAIN(INET4, "c0a80001", "192.168.0.1"), PLAIN(INET4, "", "0.0.0.0"), PLAIN(INET6, "", "::"),
    PLAIN(INET6, "20010db8000000000000000000000001", "2001:db8::1"), PLAIN(INET6, "00000000000000000000ffff01020304", "::ffff:1.2.3.4"),
    INT(1, false, "80", "-128"), INT(1, true, "80", "128"), INT(2, false, "ffff", "-1"), INT(3, false, "000080", "-8388608"),
    INT(3, false, "9cffff", "-100"), INT(3, true, "ffffff", "16777215"), INT(4, true, "ffffffff", "4294967295"),
    INT(8, false, "0000000000000080", "-9223372036854775808"), INT(8, true, "ffffffffffffffff", "18446744073709551615"),
    INT(8, false, "ffffffffffffff7f", "9223372036854775807"), INT(4, false, "00000000", "0"),
};

static void test_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        char text[VALUE_TEXT_MAX];
        size_t size = value_text(&vectors[i].column, unit_hex(vectors[i].hex), text);
        assert_string_equal(text, vectors[i].text);
        assert_int_equal(size, strlen(text));
    }
}

static const char *text_of(double v, bool is_float)
{
    static char text[VALUE_TEXT_MAX];
    struct column column = {.kind = is_float ? COLUMN_FLOAT : COLUMN_DOUBLE};
    float f = (float)v;
    value_text(&column, is_float ? slice_of(&f, sizeof f) : slice_of(&v, sizeof v), text);
    return text;
}

static void test_floats(void **state)
{
    static const struct { double v; const char *text; } doubles[] = {
        {0, "0"}, {-0.0, "-0"}, {1, "1"}, {-1.5, "-1.5"}, {0.1, "0.1"}, {1e15, "1e15"}, {123456789012345, "123456789012345"},
        {1234567890123456, "1.234567890123456e15"}, {1e300, "1e300"}, {0.001, "0.001"}, {1e-14, "0.00000000000001"},
        {1e-15, "0.000000000000001"}, {1e-16, "1e-16"}, {1234567890123456.8, "1234567890123456.8"}, {1.7976931348623157e308, "1.7976931348623157e308"}, {5e-324, "5e-324"},
        {3.141592653589793, "3.141592653589793"}, {100, "100"}, {0.30000000000000004, "0.30000000000000004"}, {123.45, "123.45"}};
    (void)state;
    for (size_t i = 0; i < sizeof doubles / sizeof *doubles; i++) assert_string_equal(text_of(doubles[i].v, false), doubles[i].text);
    assert_string_equal(text_of(0.1, true), "0.1");
    assert_string_equal(text_of(1.5, true), "1.5");
    assert_string_equal(text_of(16777216, true), "16777216");
    assert_string_equal(text_of(3.402823466e38, true), "3.4028235e38");
    assert_string_equal(text_of(1.17549435e-38, true), "1.1754944e-38");
}

/* Every text reads back as the same bits, and no text with a digit less would. */
static void test_floats_read_back(void **state)
{
    (void)state;
    uint64_t seed = 88172645463325252u;
    for (int i = 0; i < 200000; i++) {
        seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
        double v;
        memcpy(&v, &seed, sizeof v);
        if (i & 1) v = (double)(int64_t)(seed % 100000000) / (double)(1 + seed % 1000);
        if (!isfinite(v)) continue;
        double back = strtod(text_of(v, false), NULL);
        assert_memory_equal(&back, &v, sizeof v);
        float f = (float)v;
        if (!isfinite(f)) continue;
        float f_back = (float)strtod(text_of((double)f, true), NULL);
        assert_memory_equal(&f_back, &f, sizeof f);
    }
}

static void test_integers(void **state)
{
    (void)state;
    bool negative;
    struct column bit = {.kind = COLUMN_BIT}, set = {.kind = COLUMN_SET}, year = {.kind = COLUMN_YEAR};
    assert_int_equal(value_integer(&bit, unit_hex("0aaa"), &negative), 0xaaa);
    assert_true(value_integer(&bit, unit_hex("8123456789abcdef"), &negative) == 0x8123456789abcdef);
    assert_false(negative);
    assert_int_equal(value_integer(&set, unit_hex("0101"), &negative), 0x101);
    assert_int_equal(value_integer(&set, unit_hex("0201"), &negative), 0x102);
    assert_int_equal(value_integer(&year, unit_hex("00"), &negative), 0);
    assert_int_equal(value_integer(&year, unit_hex("7c"), &negative), 2024);
    struct column small = {.kind = COLUMN_INT};
    assert_true((int64_t)value_integer(&small, unit_hex("ff"), &negative) == -1);
    assert_true(negative);
}

static void test_padded(void **state)
{
    (void)state;
    struct column binary = {.kind = COLUMN_BINARY, .max_bytes = 4};
    struct buf out;
    buf_init(&out, 64);
    value_padded(&binary, unit_hex("61"), &out);
    value_padded(&binary, unit_hex("61626364"), &out);
    value_padded(&binary, unit_hex(""), &out);
    assert_int_equal(out.size, 12);
    assert_memory_equal(out.data, "a\0\0\0abcd\0\0\0\0", 12);
    buf_fini(&out);
}

static void test_labels(void **state)
{
    (void)state;
    struct slice labels[] = {slice_text("on"), slice_text("off")};
    struct column column = {.kind = COLUMN_ENUM, .labels = labels, .label_count = 2};
    assert_slice(value_label(&column, 0), "");
    assert_slice(value_label(&column, 2), "off");
    assert_slice(value_label(&column, 3), "");
}

static void test_decimal_size(void **state)
{
    (void)state;
    assert_int_equal(value_decimal_size(10, 4), 5);
    assert_int_equal(value_decimal_size(65, 30), 30);
    assert_int_equal(value_decimal_size(3, 3), 2);
    assert_int_equal(value_decimal_size(1, 0), 1);
}

/* The calendar against the C library's, over all of TIMESTAMP's range. */
static void test_timestamps(void **state)
{
    (void)state;
    struct column column = {.kind = COLUMN_TIMESTAMP};
    for (uint64_t s = 1; s <= UINT32_MAX; s += 40009) {
        uint8_t b[4] = {(uint8_t)(s >> 24), (uint8_t)(s >> 16), (uint8_t)(s >> 8), (uint8_t)s};
        char text[VALUE_TEXT_MAX], expected[32];
        time_t at = (time_t)s;
        struct tm tm;
        strftime(expected, sizeof expected, "%Y-%m-%d %H:%M:%S", gmtime_r(&at, &tm));
        value_text(&column, slice_of(b, 4), text);
        assert_string_equal(text, expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts), cmocka_unit_test(test_floats), cmocka_unit_test(test_floats_read_back),
        cmocka_unit_test(test_integers), cmocka_unit_test(test_padded), cmocka_unit_test(test_labels),
        cmocka_unit_test(test_decimal_size), cmocka_unit_test(test_timestamps)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
