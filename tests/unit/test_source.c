/* The list of hosts, and what a server's refusals mean. */
#include "unit.h"

#include "source.h"

static bool server(const char *text, struct db_options *options, char *name, char *host, struct err *err)
{
    struct source_settings settings = {.server.port = 3306, .server.user = "u", .hosts = {1, &text}};
    return source_server(&settings, 0, options, name, 320, host, 256, err);
}

static void hosts(void **state)
{
    static const struct { const char *text, *host; unsigned port; } cases[] = {
        {"db1", "db1", 3306}, {"db1:3307", "db1", 3307}, {"[::1]:3308", "::1", 3308}, {"fe80::1", "fe80::1", 3306}, {"[fe80::1]", "fe80::1", 3306},
    };
    struct db_options options;
    struct err err;
    char name[320], host[256];
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(server(cases[i].text, &options, name, host, &err));
        assert_string_equal(options.host, cases[i].host);
        assert_int_equal(options.port, cases[i].port);
    }
    assert_false(server("db1:", &options, name, host, &err));
    assert_false(server("db1:70000", &options, name, host, &err));
    assert_false(server(":3306", &options, name, host, &err));
    assert_int_equal(err.code, ERR_CONFIG);
}

static enum cdc_state meaning(unsigned number, const char *text)
{
    struct err err;
    err_set_number(&err, ERR_STOP, number, "source db1:3306: read the binary log: %s (%u)", text, number);
    const struct source_refusal *refusal = source_refusal(&err);
    assert_non_null(refusal);
    assert_true(strlen(refusal->remedy) > 10);
    return refusal->state;
}

static void refusals(void **state)
{
    struct err err = {.code = ERR_RETRY, .number = 2013, .text = "Lost connection"};
    (void)state;
    assert_int_equal(meaning(1236, "Could not find GTID state requested by slave in any binlog files. Probably the slave state is too old and "
                                   "required binlog files have been purged."), CDC_PURGED);
    assert_int_equal(meaning(1236, "Error: connecting slave requested to start from GTID 0-1-9, which is not in the master's binlog. Since the "
                                   "master's binlog contains GTIDs with higher sequence numbers, it probably means that the slave has diverged"),
                     CDC_DIVERGED);
    assert_int_equal(meaning(1236, "The binlog on the master is missing the GTID 0-1-2 requested by the slave"), CDC_DIVERGED);
    assert_int_equal(meaning(4052, "A slave with the same server_uuid/server_id is already connected"), CDC_STOPPED);
    assert_int_equal(meaning(1236, "something new"), CDC_STOPPED);
    assert_null(source_refusal(&err));
    for (int i = 0; i < CDC_STATES; i++) {
        assert_true(strlen(cdc_state_name((enum cdc_state)i)) > 3);
        assert_true(strlen(cdc_state_help((enum cdc_state)i)) > 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(hosts), cmocka_unit_test(refusals)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
