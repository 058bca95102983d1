/* The configuration that binlog-setup writes is one that the agent accepts; an upstream file is taken over. */
#include "unit.h"

#include <unistd.h>

#include "setup.h"

static struct setup_plan plan_of(void)
{
    return (struct setup_plan){
        .source = {.host = "db\"1", .port = 3307, .user = "cdc", .password = "p\\w\"x", .ssl_verify_server_cert = true},
        .server_text = "db1:3307", .version_text = "10.11", .server_id = 7301, .start_gtid = "0-1-42,5-2-9",
        .end_file = "binlog.000007", .end_position = 1234,
    };
}

static struct settings *read_back(const struct setup_plan *plan)
{
    char path[] = "/tmp/test_setup.XXXXXX";
    struct settings *settings = NULL;
    struct err err;
    struct buf out;
    buf_init(&out, 65536);
    setup_config(plan, &out);
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, out.data, out.size), (ssize_t)out.size);
    close(fd);
    bool ok = settings_read(path, &settings, &err);
    unlink(path);
    if (!ok) fail_msg("%s\n%s", err.text, buf_cstr(&out));
    buf_fini(&out);
    return settings;
}

static void what_is_written_is_read(void **state)
{
    struct setup_plan plan = plan_of();
    (void)state;
    plan.target = (struct server_settings){.host = "10.0.0.5", .port = 3306, .user = "w", .password = "q", .ssl_verify_server_cert = true};
    plan.segment_size_mb = 128;
    plan.compression = "none";
    plan.include = "shop.*";
    struct settings *settings = read_back(&plan);
    assert_string_equal(settings->source.server.host, "db\"1");
    assert_int_equal(settings->source.server.port, 3307);
    assert_string_equal(settings->source.server.password, "p\\w\"x");
    assert_int_equal(settings->source.server_id, 7301);
    assert_string_equal(settings->source.start_gtid, "0-1-42,5-2-9");
    assert_int_equal(settings->wal.segment_size_mb, 128);
    assert_string_equal(settings->wal.compression, "none");
    assert_int_equal(settings->sink_count, 1);
    assert_string_equal(settings->sinks[0].server.host, "10.0.0.5");
    assert_int_equal(settings->filter.include.count, 1);
    assert_string_equal(settings->filter.include.items[0], "shop.*");
    settings_free(settings);
}

static void a_cluster(void **state)
{
    static const struct node_address nodes[] = {{"10.9.0.1", 3306, 8080, 8007}, {"db\"2", 3307, 8081, 8008}, {"10.9.0.3", 3306, 8080, 9007}};
    struct setup_plan plan = plan_of();
    struct buf out;
    (void)state;
    plan.nodes = nodes;
    plan.node_count = 3;
    plan.account = (struct server_settings){.user = "w", .password = "q", .ssl_verify_server_cert = true};
    struct settings *settings = read_back(&plan);
    assert_int_equal(settings->sink_count, 3); /* one for each node */
    for (int i = 0; i < 3; i++) {
        const struct node_settings *node = &settings->sinks[i].nodes.items[i];
        assert_string_equal(settings->sinks[i].cluster, "cluster");
        assert_string_equal(settings->sinks[i].server.password, "q");
        assert_string_equal(node->host, nodes[i].host);
        assert_int_equal(node->port, nodes[i].port);
        assert_int_equal(node->api_port, nodes[i].api_port);
        assert_int_equal(node->proxy_port, nodes[i].proxy_port);
    }
    settings_free(settings);
    buf_init(&out, 65536);
    setup_config(&plan, &out);
    assert_non_null(strstr(buf_cstr(&out), "nodes = [\"10.9.0.1\", { host = \"db\\\"2\", port = 3307, api_port = 8081, proxy_port = 8008 }, "
                                           "{ host = \"10.9.0.3\", proxy_port = 9007 }]"));
    buf_fini(&out);
}

static void a_list_of_nodes(void **state)
{
    static const struct node_address ports = {NULL, 3306, 8081, 8007};
    static const char *const bad[] = {"", ",", "a,,b", "a:x", "a:0", "a,a"};
    struct survey *survey = survey_new();
    struct err err = {0};
    (void)state;
    assert_true(setup_cluster_take("10.9.0.1,db2:3307", &ports, survey, &err));
    assert_int_equal(survey->count, 2);
    assert_string_equal(survey->addresses[1].host, "db2");
    assert_int_equal(survey->addresses[1].port, 3307);
    assert_int_equal(survey->addresses[0].port, 3306);
    assert_int_equal(survey->addresses[0].api_port, 8081);
    free(survey);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        survey = survey_new();
        if (setup_cluster_take(bad[i], &ports, survey, &err)) fail_msg("\"%s\" is taken", bad[i]);
        assert_int_equal(err.code, ERR_CONFIG);
        free(survey);
    }
}

static void a_start_by_file(void **state)
{
    struct setup_plan plan = plan_of();
    (void)state;
    plan.start_gtid = NULL;
    plan.start_file = "mysql-bin.000003";
    plan.start_position = 4711;
    struct settings *settings = read_back(&plan);
    assert_null(settings->source.start_gtid);
    assert_string_equal(settings->source.start_file, "mysql-bin.000003");
    assert_int_equal(settings->source.start_position, 4711);
    settings_free(settings);
}

static void the_password_can_be_left_out(void **state)
{
    struct setup_plan plan = plan_of();
    struct buf out;
    (void)state;
    plan.hide_password = true;
    buf_init(&out, 65536);
    setup_config(&plan, &out);
    assert_null(strstr(buf_cstr(&out), "p\\\\w"));
    assert_non_null(strstr(buf_cstr(&out), "WOLFCDC_SOURCE_PASSWORD"));
    buf_fini(&out);
}

static const char upstream[] =
    "[node]\nid = \"n1\"\n[database]\nhost = \"10.0.0.1\"\nport = 3310\nuser = \"ws\"\npassword = \"secret\"\ndatabase = \"shop\"\n"
    "[wal]\nsegment_size_mb = 99999\nflush_interval_ms = 100\ncompression = false\nretention_hours = 48\n"
    "[binlog]\nserver_id = 1001\nstart_file = \"bin.000002\"\nstart_position = 777\n";

static void an_upstream_file(void **state)
{
    struct setup_plan plan = {.source.host = "other"};
    struct arena arena;
    struct err err;
    (void)state;
    arena_init(&arena);
    assert_true(setup_take_text("w.toml", slice_text(upstream), &plan, &arena, &err));
    assert_string_equal(plan.source.host, "other"); /* the command line counts */
    assert_int_equal(plan.source.port, 3310);
    assert_string_equal(plan.source.user, "ws");
    assert_string_equal(plan.source.password, "secret");
    assert_string_equal(plan.include, "shop.*");
    assert_int_equal(plan.segment_size_mb, 0); /* out of our range */
    assert_int_equal(plan.flush_interval_ms, 100);
    assert_string_equal(plan.compression, "none");
    assert_int_equal(plan.retention_hours, 48);
    assert_int_equal(plan.server_id, 1001);
    assert_string_equal(plan.start_file, "bin.000002");
    assert_int_equal(plan.start_position, 777);
    assert_false(setup_take_text("w.toml", slice_text("[database]\nhost = \n"), &plan, &arena, &err));
    assert_non_null(strstr(err.text, "w.toml:2"));
    arena_fini(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_written_is_read), cmocka_unit_test(a_start_by_file),
                                       cmocka_unit_test(the_password_can_be_left_out), cmocka_unit_test(an_upstream_file),
                                       cmocka_unit_test(a_cluster), cmocka_unit_test(a_list_of_nodes)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
