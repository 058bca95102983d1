/* The writer's escapes and commas, and documents made compact. */
#include "unit.h"

#include "json.h"

static struct buf out;

static int start(void **state)
{
    (void)state;
    buf_init(&out, 1 << 20);
    return 0;
}

static int end(void **state)
{
    (void)state;
    buf_fini(&out);
    return 0;
}

static void test_writer(void **state)
{
    (void)state;
    buf_clear(&out);
    struct json json = json_on(&out);
    json_open(&json, '{');
    json_name(&json, "a"), json_unsigned(&json, UINT64_MAX);
    json_name(&json, "b"), json_signed(&json, INT64_MIN);
    json_name(&json, "c"), json_open(&json, '['), json_null(&json), json_bool(&json, true), json_signed(&json, 7), json_close(&json, ']');
    json_name(&json, "d"), json_text(&json, slice_of("\"\\/\n\t\x01\x7f\x0b\xc3\xa9", 10));
    json_name(&json, "e"), json_base64(&json, slice_of("\0\1\2\3", 4));
    json_name(&json, "f"), json_base64(&json, slice_of("", 0));
    json_name(&json, "g"), json_open(&json, '{'), json_close(&json, '}');
    json_name(&json, "h"), json_string(&json, NULL);
    json_close(&json, '}');
    assert_slice(buf_bytes(&out),
                 "{\"a\":18446744073709551615,\"b\":-9223372036854775808,\"c\":[null,true,7],"
                 "\"d\":\"\\\"\\\\/\\n\\t\\u0001\\u007f\\u000b\xc3\xa9\",\"e\":{\"base64\":\"AAECAw==\"},\"f\":{\"base64\":\"\"},\"g\":{},\"h\":null}");
}

static void test_compact(void **state)
{
    (void)state;
    static const struct { const char *in, *text; } good[] = {
        {" { \"a\" : 1 ,\n\"b\":[ ] , \"c\" : { } } ", "{\"a\":1,\"b\":[],\"c\":{}}"}, {"null", "null"}, {" -0.50e+10 ", "-0.50e+10"},
        {"[1, \"x y\\u00e9\\\"\", true,false,[[{}]]]", "[1,\"x y\\u00e9\\\"\",true,false,[[{}]]]"}, {"\"a\"", "\"a\""},
        {"123456789012345678901234567890.10", "123456789012345678901234567890.10"}, {"{\"a\":{\"b\":[1]},\"c\":2}", "{\"a\":{\"b\":[1]},\"c\":2}"}};
    static const char *const bad[] = {"", " ", "{", "[1,]", "{,}", "{\"a\"}", "{\"a\":}", "{1:2}", "01", "1.", "-", "1e", "nul", "[1 2]", "1 2",
                                      "\"a", "\"\\x\"", "\"\\u12g4\"", "[1}", "{\"a\":1]", "\"\n\"", "\"\xff\"", "]", "[", "[1", "tru e", "+1"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        buf_clear(&out);
        assert_true(json_compact(slice_text(good[i].in), &out));
        assert_slice(buf_bytes(&out), good[i].text);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        buf_clear(&out);
        buf_text(&out, "kept");
        if (json_compact(slice_text(bad[i]), &out)) fail_msg("accepted: %s", bad[i]);
        assert_slice(buf_bytes(&out), "kept");
    }
}

static bool compact_nested(unsigned depth)
{
    static char text[4 * JSON_DEPTH_MAX];
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    buf_clear(&out);
    return json_compact(slice_of(text, 2 * depth), &out);
}

static void test_depth(void **state)
{
    (void)state;
    assert_true(compact_nested(JSON_DEPTH_MAX));
    assert_false(compact_nested(JSON_DEPTH_MAX + 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_writer), cmocka_unit_test(test_compact), cmocka_unit_test(test_depth)};
    return cmocka_run_group_tests(tests, start, end);
}
