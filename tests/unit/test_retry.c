/* When a sink tries again, and where an error leads. */
#include "unit.h"

#include "retry.h"

static void test_waits(void **state)
{
    (void)state;
    uint32_t before = 0;
    for (unsigned attempt = 0; attempt < 40; attempt++) {
        uint32_t longest = retry_wait_ms(attempt, 0), least = UINT32_MAX;
        for (uint32_t random = 0; random < 5000; random += 7) {
            uint32_t ms = retry_wait_ms(attempt, random);
            least = ms < least ? ms : least;
            assert_true(ms <= longest);
        }
        assert_true(longest >= before && longest <= RETRY_LAST_MS);
        assert_true(least >= longest - longest / 4);
        before = longest;
    }
    assert_int_equal(retry_wait_ms(0, 0), RETRY_FIRST_MS);
    assert_int_equal(before, RETRY_LAST_MS);
}

static void test_states(void **state)
{
    (void)state;
    assert_int_equal(retry_state(ERR_RETRY, false), SINK_RETRYING);
    assert_int_equal(retry_state(ERR_STOP, true), SINK_CONFLICT);
    assert_int_equal(retry_state(ERR_GONE, false), SINK_GONE);
    assert_int_equal(retry_state(ERR_DENIED, false), SINK_STOPPED);
    assert_int_equal(retry_state(ERR_LIMIT, false), SINK_STOPPED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_waits), cmocka_unit_test(test_states)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
