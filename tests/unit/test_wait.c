/* test_wait.c: when a sink has everything that the source had. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "wait.h"

static struct cdc_status source;
static struct sink_status sinks[2];

static struct gtid_set set_of(const char *text)
{
    struct gtid_set set = {0};
    struct err err;
    assert_true(gtid_set_parse(slice_text(text), &set, &err));
    return set;
}

static int set_up(void **state)
{
    (void)state;
    memset(&source, 0, sizeof source);
    memset(sinks, 0, sizeof sinks);
    source.pos.gtids = set_of("0-1-10,5-1-7");
    source.lsn = 100;
    sinks[0].name = "a";
    sinks[1].name = "b";
    return 0;
}

static void capture_comes_first(void **state)
{
    (void)state;
    struct wait_goal goal = {.gtids = set_of("0-1-11")};
    sinks[0].lsn = 1000; /* a sink cannot have what capture has not */
    assert_int_equal(wait_look(&goal, &source, sinks, 1), WAIT_CAPTURE);
    source.pos.gtids = set_of("0-2-11,5-1-7"); /* another server of the domain: the sequence counts */
    assert_int_equal(wait_look(&goal, &source, sinks, 1), WAIT_DONE);
}

static void a_source_that_has_less_is_not_waited_for(void **state)
{
    (void)state;
    static const struct { const char *captured, *now; bool back; } cases[] = {
        {"0-1-10", "0-1-10", false}, {"0-1-10", "0-1-11", false}, {"0-1-10", "0-1-9", true},
        {"0-1-10", "0-2-9", false}, /* another server's numbers are its own */
        {"0-1-10,5-1-7", "0-1-10", false}, {"0-1-10,5-1-7", "0-1-12,5-1-6", true}, {"0-1-10", "", true}, {"", "", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct gtid_set captured = set_of(cases[i].captured), now = set_of(cases[i].now);
        if (wait_went_back(&captured, &now) != cases[i].back) fail_msg("%s, then %s", cases[i].captured, cases[i].now);
    }
}

static void the_goal_stays_where_it_was(void **state)
{
    (void)state;
    struct wait_goal goal = {.gtids = set_of("0-1-9,5-1-7")};
    sinks[0].lsn = 99;
    assert_int_equal(wait_look(&goal, &source, sinks, 1), WAIT_DELIVERY);
    source.lsn = 5000; /* the source goes on writing: who waits is not to wait for that */
    sinks[0].lsn = 100;
    assert_int_equal(wait_look(&goal, &source, sinks, 1), WAIT_DONE);
    assert_int_equal(goal.lsn, 100);
}

static void every_sink_counts(void **state)
{
    (void)state;
    struct wait_goal goal = {.gtids = set_of("0-1-9,5-1-7")};
    sinks[0].lsn = 100;
    sinks[1].lsn = 99;
    assert_int_equal(wait_look(&goal, &source, sinks, 2), WAIT_DELIVERY);
    assert_int_equal(wait_look(&goal, &source, sinks, 1), WAIT_DONE);
}

static void a_gtid_long_delivered_is_done_at_once(void **state)
{
    (void)state;
    struct wait_goal goal = {.gtids = set_of("0-1-8")};
    sinks[0].lsn = 50;
    sinks[0].gtid = (struct gtid){.domain = 0, .server = 1, .seq = 9};
    assert_int_equal(wait_look(&goal, &source, sinks, 1), WAIT_DONE);
    sinks[0].gtid = (struct gtid){.domain = 5, .server = 1, .seq = 9}; /* of another domain: says nothing */
    assert_int_equal(wait_look(&goal, &source, sinks, 1), WAIT_DELIVERY);
    sinks[0].gtid = (struct gtid){.domain = 0, .server = 1, .seq = 7};
    goal.captured = false;
    assert_int_equal(wait_look(&goal, &source, sinks, 1), WAIT_DELIVERY);
}

static void an_empty_source_has_nothing_to_wait_for(void **state)
{
    (void)state;
    struct wait_goal goal = {0};
    memset(&source, 0, sizeof source);
    assert_int_equal(wait_look(&goal, &source, sinks, 1), WAIT_DONE);
}

static void only_what_lasts_is_stuck(void **state)
{
    (void)state;
    char text[200] = "";
    const uint64_t second = 1000000;
    sinks[1].state = SINK_CONFLICT;
    sinks[1].since_us = 100 * second;
    strcpy(sinks[1].reason, "row is missing");
    assert_false(wait_stuck(WAIT_DELIVERY, &source, sinks, 2, 100 * second, 102 * second, text, sizeof text));
    assert_false(wait_stuck(WAIT_DELIVERY, &source, sinks, 2, 200 * second, 202 * second, text, sizeof text));
    assert_false(wait_stuck(WAIT_DELIVERY, &source, sinks, 1, 0, 900 * second, text, sizeof text));
    assert_true(wait_stuck(WAIT_DELIVERY, &source, sinks, 2, 100 * second, 104 * second, text, sizeof text));
    assert_non_null(strstr(text, "sink b is conflict: row is missing"));
    sinks[1].state = SINK_RETRYING; /* goes on by itself */
    assert_false(wait_stuck(WAIT_DELIVERY, &source, sinks, 2, 0, 900 * second, text, sizeof text));
    source.state = CDC_PURGED;
    assert_true(wait_stuck(WAIT_CAPTURE, &source, sinks, 2, 0, 900 * second, text, sizeof text));
    assert_false(wait_stuck(WAIT_DELIVERY, &source, sinks, 2, 0, 900 * second, text, sizeof text)); /* capture is past it */
}

static void a_timeout_is_seconds(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "soon", "1s", "-1", "-0.1", "nan", "inf", "86401"};
    struct err err;
    double seconds = 7;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(wait_seconds(wrong[i], &seconds, &err));
        assert_int_equal(err.code, ERR_CONFIG);
        assert_true(seconds == 7);
    }
    assert_true(wait_seconds("0", &seconds, &err) && seconds == 0);
    assert_true(wait_seconds("0.5", &seconds, &err) && seconds == 0.5);
    assert_true(wait_seconds("86400", &seconds, &err) && seconds == 86400);
    seconds = 0;
    assert_true(wait_seconds(NULL, &seconds, &err) && seconds == WAIT_SECONDS_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(capture_comes_first, set_up),
        cmocka_unit_test_setup(the_goal_stays_where_it_was, set_up),
        cmocka_unit_test(a_source_that_has_less_is_not_waited_for),
        cmocka_unit_test_setup(every_sink_counts, set_up),
        cmocka_unit_test_setup(a_gtid_long_delivered_is_done_at_once, set_up),
        cmocka_unit_test_setup(an_empty_source_has_nothing_to_wait_for, set_up),
        cmocka_unit_test_setup(only_what_lasts_is_stuck, set_up),
        cmocka_unit_test(a_timeout_is_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
