/* How long to wait before the next attempt. */
#include "unit.h"

#include "backoff.h"

static void doubles_up_to_the_limit(void **state)
{
    struct backoff backoff;
    uint32_t expected = BACKOFF_MIN_MS;
    (void)state;
    backoff_init(&backoff, 7);
    for (int i = 0; i < 12; i++) {
        uint32_t wait = backoff_next(&backoff);
        assert_in_range(wait, expected - expected / 4, expected);
        expected = expected * 2 < BACKOFF_MAX_MS ? expected * 2 : BACKOFF_MAX_MS;
    }
    backoff_reset(&backoff);
    assert_in_range(backoff_next(&backoff), BACKOFF_MIN_MS * 3 / 4, BACKOFF_MIN_MS);
}

static void two_agents_do_not_keep_step(void **state)
{
    struct backoff a, b;
    int apart = 0;
    (void)state;
    backoff_init(&a, 1);
    backoff_init(&b, 2);
    for (int i = 0; i < 20; i++) apart += backoff_next(&a) != backoff_next(&b);
    assert_true(apart > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(doubles_up_to_the_limit), cmocka_unit_test(two_agents_do_not_keep_step)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
