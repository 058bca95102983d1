/* What an answer means, whatever it is made of, and where a redirect may lead. */
#include "unit.h"

#include "http.h"

static struct http_answer answer;

static enum http_fate read_text(long status, const char *body) { return http_answer_read(status, slice_text(body), &answer); }

static void stored(const char *body, uint64_t lsn)
{
    assert_int_equal(read_text(200, body), HTTP_STORED);
    assert_true(answer.lsn == lsn);
}

static void said(long status, const char *body, enum http_fate fate, const char *text)
{
    assert_int_equal(read_text(status, body), fate);
    if (!strstr(answer.text, text)) fail_msg("\"%s\" does not say \"%s\"", answer.text, text);
}

static void test_stored(void **state)
{
    (void)state;
    stored("{\"success\":true,\"lsn\":1,\"message\":null}", 1);
    stored(" { \"message\" : {\"lsn\":[9,\"}\"]} , \"lsn\" : 18446744073709551615, \"success\" : true }\n", UINT64_MAX);
    stored("{\"message\":\"\\\"lsn\\\":7,}\",\"success\":true,\"lsn\":0}", 0);
}

static void test_wrong(void **state)
{
    (void)state;
    said(200, "{\"success\":true,\"lsn\":18446744073709551616}", HTTP_WRONG, "no number up to 2^64-1: 18446744073709551616");
    said(200, "{\"success\":true,\"lsn\":99999999999999999999999}", HTTP_WRONG, "no number up to");
    said(200, "{\"success\":true,\"lsn\":-1}", HTTP_WRONG, "-1");
    said(200, "{\"success\":true,\"lsn\":1.5}", HTTP_WRONG, "1.5");
    said(200, "{\"success\":true,\"lsn\":null}", HTTP_WRONG, "null");
    said(200, "{\"success\":true}", HTTP_WRONG, "neither");
    said(200, "{\"success\":\"true\",\"lsn\":1}", HTTP_WRONG, "neither");
    said(200, "[{\"success\":true,\"lsn\":1}]", HTTP_WRONG, "neither");
    said(200, "true", HTTP_WRONG, "neither");
    said(200, "", HTTP_WRONG, "nothing");
    said(200, "{\"success\":true,\"lsn\":1", HTTP_WRONG, "no JSON: {\"success\":true,\"lsn\":1");
    said(200, "<html>It works\x01\xff.</html>", HTTP_WRONG, "no JSON: <html>It works??.</html>");
    said(404, "Not Found", HTTP_WRONG, "404: Not Found");
    said(200, "{\"success\":false,\"lsn\":1,\"message\":\"no \\u00e9\"}", HTTP_REFUSED, "no \\u00e9");
}

static void test_fates(void **state)
{
    (void)state;
    said(503, "{\"error\":\"No leader available\",\"code\":\"NO_LEADER\"}", HTTP_AGAIN, "503: No leader available (NO_LEADER)");
    said(502, "{\"error\":\"x\",\"code\":\"FORWARD_ERROR\"}", HTTP_AGAIN, "FORWARD_ERROR");
    said(500, "{\"error\":\"x\",\"code\":\"ROUTING_ERROR\"}", HTTP_AGAIN, "ROUTING_ERROR");
    said(500, "{\"error\":\"x\",\"code\":\"WRITE_ERROR\"}", HTTP_FAILED, "WRITE_ERROR");
    said(500, "<html>", HTTP_FAILED, "500");
    said(502, "<html>Bad gateway</html>", HTTP_AGAIN, "Bad gateway");
    said(413, "Failed to buffer the request body: length limit exceeded", HTTP_TOO_LARGE, "413: Failed to buffer");
    said(401, "", HTTP_DENIED, "401");
    said(403, "{}", HTTP_DENIED, "403");
    said(422, "missing field `values`", HTTP_REFUSED, "missing field");
    said(307, "", HTTP_MOVED, "307");
}

static bool moved(const char *from, const char *to, bool secret, char base[HTTP_URL_MAX])
{
    static const char *items[] = {"http://a:8080", "https://b/"};
    struct strings known = {2, items};
    const char *reason;
    bool ok = http_answer_moved(&known, from, to, "/write/insert", secret, base, &reason);
    assert_true(ok == !reason);
    return ok;
}

static void test_moved(void **state)
{
    (void)state;
    char base[HTTP_URL_MAX];
    assert_true(moved("http://a:8080", "http://c:9/api/write/insert", false, base));
    assert_string_equal(base, "http://c:9/api");
    assert_false(moved("http://a:8080", "http://c:9/write/insert", true, base));
    assert_true(moved("http://a:8080", "HTTPS://B/write/insert", true, base));
    assert_false(moved("https://b", "http://a:8080/write/insert", true, base)); /* out of TLS */
    assert_false(moved("http://a:8080", "http://a:8080/login", false, base));
    assert_false(moved("http://a:8080", "/write/insert", false, base));
    assert_false(moved("http://a:8080", "file:///write/insert", false, base));
    assert_false(moved("http://a:8080", NULL, false, base));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_stored), cmocka_unit_test(test_wrong), cmocka_unit_test(test_fates),
                                       cmocka_unit_test(test_moved)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
