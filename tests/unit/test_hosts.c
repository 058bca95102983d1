/* Which of several servers is tried next, and what is said when none will do. */
#include "unit.h"

#include "hosts.h"

static const char *const names[] = {"a:3306", "b:3306", "c:3306"};

static struct hosts three(void)
{
    static const char *items[3];
    static struct strings list;
    struct hosts hosts;
    for (int i = 0; i < 3; i++) items[i] = names[i];
    list = (struct strings){.count = 3, .items = items};
    hosts_init(&hosts, &list);
    return hosts;
}

static bool fails(struct hosts *hosts, enum cdc_state state, const char *reason, uint32_t wait, struct host_trial *verdict, uint32_t *ms)
{
    return hosts_failed(hosts, state, reason, "do it", wait, verdict, ms);
}

static void a_round_tries_each_once_beginning_where_we_are(void **state)
{
    struct hosts hosts = three();
    struct host_trial verdict;
    uint32_t ms;
    (void)state;
    hosts.at = 1;
    assert_true(fails(&hosts, CDC_CONNECTING, "down", 100, &verdict, &ms));
    assert_int_equal(hosts.at, 0);
    assert_true(fails(&hosts, CDC_PURGED, "purged", 5000, &verdict, &ms));
    assert_int_equal(hosts.at, 2);
    assert_false(fails(&hosts, CDC_CONNECTING, "down too", 200, &verdict, &ms));
    assert_int_equal(hosts.at, 0);
    assert_int_equal(verdict.state, CDC_PURGED);
    assert_int_equal(ms, 100);
    assert_ptr_equal(strstr(verdict.reason, "a:3306: purged"), verdict.reason); /* the gravest first */
    assert_non_null(strstr(verdict.reason, "b:3306: down"));
    assert_non_null(strstr(verdict.reason, "c:3306: down too"));
    assert_string_equal(verdict.remedy, "do it");
    /* a new round begins with nothing known */
    assert_true(fails(&hosts, CDC_CONNECTING, "down", 100, &verdict, &ms));
    assert_int_equal(hosts.at, 1);
}

static void diverged_is_graver_than_purged(void **state)
{
    struct hosts hosts = three();
    struct host_trial verdict;
    uint32_t ms;
    (void)state;
    assert_true(fails(&hosts, CDC_PURGED, "p", 1, &verdict, &ms));
    assert_true(fails(&hosts, CDC_DIVERGED, "d", 1, &verdict, &ms));
    assert_false(fails(&hosts, CDC_STOPPED, "s", 1, &verdict, &ms));
    assert_int_equal(verdict.state, CDC_DIVERGED);
}

static void one_that_serves_stays(void **state)
{
    struct hosts hosts = three();
    struct host_trial verdict;
    uint32_t ms;
    (void)state;
    assert_true(fails(&hosts, CDC_CONNECTING, "down", 1, &verdict, &ms));
    hosts_served(&hosts);
    hosts_lost(&hosts, true);
    assert_int_equal(hosts.at, 1); /* tried once more */
    assert_true(fails(&hosts, CDC_CONNECTING, "down", 1, &verdict, &ms));
    assert_int_equal(hosts.at, 0); /* what was found before it served is forgotten */
}

static void one_that_brings_nothing_is_left(void **state)
{
    struct hosts hosts = three();
    (void)state;
    for (int i = 1; i < HOSTS_FRUITLESS_MAX; i++) {
        hosts_lost(&hosts, false);
        assert_int_equal(hosts.at, 0);
    }
    hosts_lost(&hosts, true);
    hosts_lost(&hosts, false);
    assert_int_equal(hosts.at, 0);
    for (int i = 1; i < HOSTS_FRUITLESS_MAX; i++) hosts_lost(&hosts, false);
    assert_int_equal(hosts.at, 1);
}

static void a_single_server_keeps_its_words(void **state)
{
    static struct strings none;
    struct hosts hosts;
    struct host_trial verdict;
    uint32_t ms;
    (void)state;
    hosts_init(&hosts, &none);
    assert_false(fails(&hosts, CDC_DIVERGED, "as it is", UINT32_MAX, &verdict, &ms));
    assert_string_equal(verdict.reason, "as it is");
    assert_int_equal(ms, UINT32_MAX);
    assert_int_equal(hosts.at, 0);
    assert_string_equal(hosts_name(&hosts, 0), "the source");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_round_tries_each_once_beginning_where_we_are),
        cmocka_unit_test(diverged_is_graver_than_purged),
        cmocka_unit_test(one_that_serves_stays),
        cmocka_unit_test(one_that_brings_nothing_is_left),
        cmocka_unit_test(a_single_server_keeps_its_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
