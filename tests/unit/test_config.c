/* test_config.c: what a configuration file may say, and what is answered when it says something else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"

#define SOURCE "[source]\nhost=\"db1\"\nuser=\"u\"\nserver_id=7301\n"
#define SINK "[[sink]]\nname=\"new\"\nhost=\"h2\"\nuser=\"w\"\n"
#define CLUSTER "[[sink]]\nname=\"new\"\ntype=\"wolfscale\"\nuser=\"w\"\n"

static struct settings *good(const char *text)
{
    struct settings *settings = NULL;
    struct err err = {0};
    if (!settings_parse("/etc/w/a.toml", slice_text(text), &settings, &err)) fail_msg("refused: %s", err.text);
    return settings;
}

static void bad(const char *text, const char *expected)
{
    struct settings *settings = NULL;
    struct err err = {0};
    bool read = settings_parse("a.toml", slice_text(text), &settings, &err);
    assert_false(read);
    assert_null(settings);
    assert_int_equal(err.code, ERR_CONFIG);
    if (!strstr(err.text, expected)) fail_msg("expected: %s\nfound: %s", expected, err.text);
}

static void defaults_are_set(void **state)
{
    (void)state;
    struct settings *s = good(SOURCE SINK);
    assert_int_equal(s->source.server.port, 3306);
    assert_int_equal(s->source.server_id, 7301);
    assert_true(s->source.server.ssl_verify_server_cert);
    assert_null(s->source.start_gtid);
    assert_int_equal(s->wal.segment_size_mb, 64);
    assert_string_equal(s->wal.dir, "/var/lib/wolfcdc/wal");
    assert_true(s->wal.fsync);
    assert_int_equal(s->sink_count, 1);
    assert_int_equal(s->sinks[0].group_rows, 10000);
    assert_string_equal(s->sinks[0].on_conflict, "stop");
    assert_int_equal(s->logging.level, LOG_LEVEL_INFO);
    settings_free(s);
}

static void every_type_is_read(void **state)
{
    (void)state;
    struct settings *s = good(SOURCE "start_gtid=\"0-1-42,1-1-7\"\nssl_ca=\"ca.pem\"\n"
                              "[wal]\ndir=\"data\"\nsize_max_mb=5_000_000_000\nfsync=false\n" SINK "group_rows=7\n"
                              "[[sink]]\nname=\"out\"\ntype=\"jsonl\"\npath=\"-\"\n[filter]\ninclude=[\"shop.*\",\"a.b\"]\n"
                              "[logging]\nlevel=\"debug\"\nformat=\"json\"\n[api]\nlisten=\"127.0.0.1:8473\"\n");
    assert_string_equal(s->source.start_gtid, "0-1-42,1-1-7");
    assert_string_equal(s->source.server.ssl_ca, "/etc/w/ca.pem");
    assert_string_equal(s->wal.dir, "/etc/w/data");
    assert_int_equal(s->wal.size_max_mb, 5000000000);
    assert_false(s->wal.fsync);
    assert_int_equal(s->sink_count, 2);
    assert_int_equal(s->sinks[0].group_rows, 7);
    assert_string_equal(s->sinks[1].path, "-");
    assert_int_equal(s->filter.include.count, 2);
    assert_string_equal(s->filter.include.items[1], "a.b");
    assert_int_equal(s->logging.level, LOG_LEVEL_DEBUG);
    assert_int_equal(s->logging.format, LOG_FORMAT_JSON);
    struct db_options options;
    settings_server(&s->source.server, "source", &options);
    assert_string_equal(options.host, "db1");
    assert_true(options.ssl);
    settings_free(s);
}

static void a_cluster_is_a_sink_for_each_node(void **state)
{
    (void)state;
    struct settings *s = good("[source]\nhost=\"db1\"\nuser=\"me\"\nserver_id=9\n[[sink]]\nname=\"new\"\ntype=\"wolfscale\"\nuser=\"w\"\nlock_ms=20\n"
                              "nodes=[\"10.9.0.1\", \"b:3307\", { host = \"c\", api_port = 9080, proxy_port = 9007 }]\n"
                              "[[sink]]\nname=\"out\"\ntype=\"jsonl\"\npath=\"-\"\n");
    assert_int_equal(s->sink_count, 4);
    assert_string_equal(s->sinks[0].name, "new@10.9.0.1");
    assert_string_equal(s->sinks[1].name, "new@b:3307");
    assert_string_equal(s->sinks[2].name, "new@c");
    assert_string_equal(s->sinks[3].name, "out");
    for (int i = 0; i < 3; i++) {
        assert_string_equal(s->sinks[i].position_name, "new");
        assert_string_equal(s->sinks[i].cluster, "new");
        assert_int_equal(s->sinks[i].node, i);
        assert_int_equal(s->sinks[i].lock_ms, 20);
        assert_true(sink_is_meant(&s->sinks[i], "new"));
    }
    assert_string_equal(s->sinks[1].server.host, "b");
    assert_int_equal(s->sinks[1].server.port, 3307);
    assert_int_equal(s->sinks[2].nodes.items[2].api_port, 9080);
    assert_int_equal(s->sinks[2].nodes.items[2].proxy_port, 9007);
    assert_int_equal(s->sinks[0].nodes.items[1].api_port, 8080);
    assert_null(s->sinks[3].cluster);
    settings_free(s);
}

static const struct { const char *text, *expected; } wrong[] = {
    {SOURCE CLUSTER "nodes=[]\n", "nodes: [] is a list: allowed is a list of 1 to 16 nodes"},
    {SOURCE CLUSTER, "nodes: is missing: which nodes has the cluster?"},
    {SOURCE CLUSTER "nodes=[\"a\", \"b:99999\"]\n", "nodes:"},
    {SOURCE CLUSTER "nodes=[\"a\", { hots = \"b\" }]\n", "nodes:"},
    {SOURCE CLUSTER "nodes=[{ port = 3307 }]\n", "nodes:"},
    {SOURCE CLUSTER "nodes=[{ host = \"a\", api_port = 0 }]\n", "nodes:"},
    {SOURCE CLUSTER "nodes=[\"a\", { host = \"A\", port = 3306 }]\n", "nodes: \"A:3306\" stands there twice"},
    {SOURCE CLUSTER "nodes=[\"a\"]\nhost=\"h\"\n", "host: is not for type \"wolfscale\""},
    {SOURCE SINK "lock_ms=5\n", "lock_ms: is for type \"wolfscale\" only"},
    {SOURCE "conect_timeout_ms=5\n" SINK, "a.toml:5: conect_timeout_ms: unknown key in [source]; did you mean connect_timeout_ms?"},
    {SOURCE SINK "[loging]\nlevel=\"info\"\n", "a.toml:9: unknown section [loging]; did you mean [logging]?"},
    {SOURCE "port=\"3306\"\n" SINK, "a.toml:5: port: \"3306\": allowed is a number, 1 to 65535"},
    {SOURCE "port=70000\n" SINK, "a.toml:5: port: 70000 is a number: allowed is a number, 1 to 65535"},
    {SOURCE "port=-1\n" SINK, "port: -1"},
    {SOURCE "ssl=\"yes\"\n" SINK, "ssl: \"yes\": allowed is true or false"},
    {SOURCE SINK "[wal]\ncompression=\"zip\"\n", "a.toml:10: compression: \"zip\": allowed is \"lz4\" or \"none\""},
    {SOURCE "hosts=[\"a:1\"]\n" SINK, "a.toml:5: hosts: not together with host (line 2)"},
    {"[source]\nhosts=[\"a:x\"]\nuser=\"u\"\nserver_id=1\n" SINK, "hosts: \"a:x\""},
    {SOURCE SINK SINK, "a.toml:10: name: \"new\": the [[sink]] of line 5 has that name already"},
    {SOURCE "[[sink]]\nname=\"x\"\nuser=\"w\"\n", "a.toml:5: host: is missing"},
    {SOURCE "[[sink]]\nname=\"x\"\ntype=\"jsonl\"\n", "path: is missing"},
    {SOURCE "[[sink]]\nname=\"a b\"\nhost=\"h\"\nuser=\"w\"\n", "name: \"a b\": allowed are letters"},
    {SOURCE "[sink]\nname=\"x\"\n", "[sink] must be written [[sink]]"},
    {SOURCE SINK "[[wal]]\nfsync=true\n", "[[wal]] must be written [wal]"},
    {SOURCE, "no [[sink]]"},
    {SINK, "section [source] is missing"},
    {"[source]\nhost=\"h\"\nuser=\"u\"\n" SINK, "a.toml:1: server_id: is missing"},
    {SOURCE "start_gtid=\"0-1\"\n" SINK, "a.toml:5: start_gtid: \"0-1\""},
    {SOURCE "start_gtid=\"0-1-2\"\nstart_file=\"b.1\"\n" SINK, "start_file: not together with start_gtid"},
    {SOURCE "start_position=9\n" SINK, "start_position: needs start_file"},
    {SOURCE SINK "start=\"soon\"\n", "start: \"soon\""},
    {SOURCE SINK "[filter]\ninclude=[\"shop\"]\n", "include: \"shop\": allowed is \"database.table\""},
    {SOURCE SINK "[filter]\ninclude=[1]\n", "allowed is a list"},
    {SOURCE SINK "[api]\nlisten=\"8473\"\n", "listen: \"8473\""},
    {SOURCE "password=1\n" SINK, "password: allowed is a string"},
    {"x=1\n" SOURCE SINK, "a.toml:1: x: stands outside"},
    {SOURCE "host=\"again\"\n" SINK, "a.toml:5: not TOML"},
    {"[source\n", "a.toml:1: not TOML"},
    {SOURCE "ssl_cert=\"c\"\n" SINK, "needs ssl_key"},
};

static void wrong_files_are_explained(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) bad(wrong[i].text, wrong[i].expected);
}

static void all_problems_come_at_once(void **state)
{
    (void)state;
    bad(SOURCE "port=0\nssl=1\n" SINK, "port: 0");
    bad(SOURCE "port=0\nssl=1\n" SINK, "a.toml:6: ssl: 1");
}

static void a_password_is_never_shown(void **state)
{
    (void)state;
    struct settings *settings = NULL;
    struct err err = {0};
    const char *text = SOURCE "password=\"geheim\"\npassword_file=\"f\"\n" SINK "password=\"geheim2\"\nport=0\n";
    assert_false(settings_parse("a.toml", slice_text(text), &settings, &err));
    assert_null(strstr(err.text, "geheim"));
    assert_non_null(strstr(err.text, "password_file: not together with password"));
}

static void file_put(const char *path, const char *text, mode_t mode)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    assert_int_equal(chmod(path, mode), 0);
}

static void secrets_are_found(void **state)
{
    (void)state;
    char dir[] = "/tmp/test_config.XXXXXX", toml[64], path[64];
    struct settings *settings = NULL;
    struct err err = {0};
    assert_non_null(mkdtemp(dir));
    snprintf(toml, sizeof toml, "%s/a.toml", dir);
    file_put(toml, SOURCE "password_file=\"pw\"\n[[sink]]\nname=\"new\"\ndefaults_file=\"my.cnf\"\n", 0600);
    assert_false(settings_read(toml, &settings, &err));
    assert_non_null(strstr(err.text, "a.toml:5: password_file: "));
    assert_non_null(strstr(err.text, "a.toml:8: defaults_file: "));
    snprintf(path, sizeof path, "%s/pw", dir);
    file_put(path, "geheim\nsecond line\n", 0600);
    snprintf(path, sizeof path, "%s/my.cnf", dir);
    file_put(path, "[mysqld]\nport=1\n[client]\n user = me\nhost=h9\nport=3310\npassword = \"a b#c\"\nssl_ca=/ca\n", 0600);
    if (!settings_read(toml, &settings, &err)) fail_msg("%s", err.text);
    assert_string_equal(settings->source.server.password, "geheim");
    assert_string_equal(settings->sinks[0].server.user, "me");
    assert_string_equal(settings->sinks[0].server.host, "h9");
    assert_int_equal(settings->sinks[0].server.port, 3310);
    assert_string_equal(settings->sinks[0].server.password, "a b#c");
    assert_string_equal(settings->sinks[0].server.ssl_ca, "/ca");
    settings_free(settings);
    unlink(path);
    file_put(toml, SOURCE SINK, 0600);
    setenv("WOLFCDC_SINK_NEW_PASSWORD", "from env", 1);
    if (!settings_read(toml, &settings, &err)) fail_msg("%s", err.text);
    assert_null(settings->source.server.password);
    assert_string_equal(settings->sinks[0].server.password, "from env");
    settings_free(settings);
    setenv("CREDENTIALS_DIRECTORY", dir, 1);
    snprintf(path, sizeof path, "%s/source.password", dir);
    file_put(path, "from systemd", 0400);
    if (!settings_read(toml, &settings, &err)) fail_msg("%s", err.text);
    assert_string_equal(settings->source.server.password, "from systemd");
    settings_free(settings);
    unlink(path);
    snprintf(path, sizeof path, "%s/pw", dir);
    unlink(path);
    unlink(toml);
    rmdir(dir);
}

static void hosts_are_taken_apart(void **state)
{
    (void)state;
    char name[256];
    unsigned port;
    assert_true(settings_host("db1", 3306, name, sizeof name, &port) && port == 3306 && !strcmp(name, "db1"));
    assert_true(settings_host("db1:77", 3306, name, sizeof name, &port) && port == 77 && !strcmp(name, "db1"));
    assert_true(settings_host("[::1]:77", 3306, name, sizeof name, &port) && port == 77 && !strcmp(name, "::1"));
    assert_true(settings_host("fe80::1", 3306, name, sizeof name, &port) && port == 3306 && !strcmp(name, "fe80::1"));
    assert_false(settings_host("db1:", 3306, name, sizeof name, &port));
    assert_false(settings_host(":77", 3306, name, sizeof name, &port));
    assert_false(settings_host("[::1", 3306, name, sizeof name, &port));
    assert_false(settings_host("db1:65536", 3306, name, sizeof name, &port));
}

static void help_names_every_key(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 1 << 20);
    config_help(&out);
    const char *text = buf_cstr(&out);
    for (size_t i = 0; i < config_key_count; i++) {
        char line[80];
        snprintf(line, sizeof line, "\n  %s\n", config_keys[i].name);
        if (!strstr(text, line)) fail_msg("no %s", config_keys[i].name);
    }
    buf_fini(&out);
}

/* Outside of quotes a letter beyond ASCII is an error wherever it stands, of each range that TOML's white space lies in. */
static void letters_beyond_ascii(void **state)
{
    static const char *const letters[] = {"\u00fc", "\u035a", "\u1681", "\u2001x", "\u2fff", "\ufee0"};
    static const char *const places[] = {"host=%s", "%s=1", "host=[\"a\"%s]", "host=1%s", "host%s=1",
                                         "host=\"a\"%s", "[%s]", "server_id=0x%s"};
    (void)state;
    for (size_t l = 0; l < sizeof letters / sizeof *letters; l++)
        for (size_t p = 0; p < sizeof places / sizeof *places; p++) {
            char place[64], text[96];
            snprintf(place, sizeof place, "%.*s%s%s", (int)(strchr(places[p], '%') - places[p]), places[p], letters[l],
                     strchr(places[p], '%') + 2);
            snprintf(text, sizeof text, "[source]\n%s\n", place);
            bad(text, "a.toml:2");
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_set),          cmocka_unit_test(every_type_is_read),
        cmocka_unit_test(letters_beyond_ascii),      cmocka_unit_test(a_cluster_is_a_sink_for_each_node),
        cmocka_unit_test(wrong_files_are_explained), cmocka_unit_test(all_problems_come_at_once),
        cmocka_unit_test(a_password_is_never_shown), cmocka_unit_test(secrets_are_found),
        cmocka_unit_test(hosts_are_taken_apart),     cmocka_unit_test(help_names_every_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
