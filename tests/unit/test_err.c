/* Error texts: context goes in front, and the cause survives a context that is too long. */
#include "unit.h"

#include "err.h"

static void context_goes_in_front(void **state)
{
    struct err err;
    (void)state;
    assert_false(err_set(&err, ERR_GONE, "segment %d is missing", 7));
    assert_false(err_context(&err, "reading %s", "wal"));
    assert_string_equal(err.text, "reading wal: segment 7 is missing");
    assert_int_equal(err.code, ERR_GONE);
}

static void cause_survives_a_long_context(void **state)
{
    struct err err;
    char whole[2 * ERR_TEXT_MAX];
    (void)state;
    memset(whole, 'x', sizeof whole - 1);
    whole[sizeof whole - 1] = 0;
    err_set_number(&err, ERR_RETRY, 1205, "lock wait");
    err_context(&err, "%s", whole);
    assert_true(strlen(err.text) < ERR_TEXT_MAX);
    assert_string_equal(err.text + strlen(err.text) - strlen("lock wait"), "lock wait");
    assert_int_equal(err.number, 1205);
}

static void null_is_allowed(void **state)
{
    (void)state;
    assert_false(err_set(NULL, ERR_STOP, "nobody listens"));
    assert_false(err_context(NULL, "nobody"));
    err_clear(NULL);
}

static void every_code_has_a_name(void **state)
{
    (void)state;
    for (int code = ERR_NONE; code <= ERR_UNSUPPORTED; code++) assert_string_not_equal(err_code_name((enum err_code)code), "unknown");
    assert_string_equal(err_code_name((enum err_code)99), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(context_goes_in_front),
        cmocka_unit_test(cause_survives_a_long_context),
        cmocka_unit_test(null_is_allowed),
        cmocka_unit_test(every_code_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
