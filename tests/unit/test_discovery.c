/* What nodes announce over UDP, read and refused; and the port that a node on the same host has already. */
#include "unit.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "discovery.h"

static const struct { const char *text, *cluster, *id, *host; } rows[] = {
    {"WOLFSCALE|1||node-1|10.9.0.1:7654", "", "node-1", "10.9.0.1"},
    {"WOLFSCALE|1|lab|node-2|[fd00::2]:7654", "lab", "node-2", "fd00::2"},
    {"WOLFSCALE|1|lab|node-2|db2.example:7654|of|a|later|version", "lab", "node-2", "db2.example"},
    {"WOLFSCALE|1||node-3|0.0.0.0:7654", "", "node-3", ""},
    {"WOLFSCALE|1||a|b|10.9.0.1:7654", NULL, NULL, NULL}, /* an id with '|': its rest is no address */
    {"WOLFSCALE|2||node-1|10.9.0.1:7654", NULL, NULL, NULL},
    {"wolfscale|1||node-1|10.9.0.1:7654", NULL, NULL, NULL},
    {"WOLFSCALE|1||node-1", NULL, NULL, NULL},
    {"WOLFSCALE|1|||10.9.0.1:7654", NULL, NULL, NULL},
    {"WOLFSCALE|1||node-1|10.9.0.1", NULL, NULL, NULL},
    {"WOLFSCALE|1||node-1|", NULL, NULL, NULL},
    {"WOLFSCALE|1||node\n1|10.9.0.1:7654", NULL, NULL, NULL},
    {"WOLFSCALE", NULL, NULL, NULL},
    {"", NULL, NULL, NULL},
};

static void announcements_are_read_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct announcement a = {.id = "untouched"};
        bool read = discovery_read(slice_text(rows[i].text), &a);
        if (read != (rows[i].id != NULL)) fail_msg("\"%s\": %s", rows[i].text, read ? "read" : "refused");
        assert_string_equal(a.id, read ? rows[i].id : "untouched");
        if (!read) continue;
        assert_string_equal(a.cluster, rows[i].cluster);
        assert_string_equal(a.host, rows[i].host);
    }
}

static void texts_that_do_not_fit_are_refused(void **state)
{
    char text[400];
    struct announcement a;
    (void)state;
    int n = snprintf(text, sizeof text, "WOLFSCALE|1||");
    memset(text + n, 'x', NODE_ID_MAX - 1);
    snprintf(text + n + NODE_ID_MAX - 1, 40, "|10.9.0.1:7654");
    assert_true(discovery_read(slice_text(text), &a));
    memset(text + n, 'x', NODE_ID_MAX);
    snprintf(text + n + NODE_ID_MAX, 40, "|10.9.0.1:7654");
    assert_false(discovery_read(slice_text(text), &a));
}

static void a_name_must_fit_where_both_have_one(void **state)
{
    struct announcement none = {.cluster = ""}, lab = {.cluster = "lab"};
    (void)state;
    assert_true(discovery_fits(&none, "") && discovery_fits(&none, "lab") && discovery_fits(&lab, "") && discovery_fits(&lab, "lab"));
    assert_false(discovery_fits(&lab, "live"));
}

static void send_to_port(const char *text)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(DISCOVERY_PORT), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(sendto(s, text, strlen(text), 0, (struct sockaddr *)&to, sizeof to), strlen(text));
    close(s);
}

static void the_port_is_heard_and_not_shared(void **state)
{
    int fd, other;
    struct err err = {0};
    struct announcement a;
    (void)state;
    if (!discovery_open(&fd, &err)) skip(); /* a node runs here */
    assert_false(discovery_hear(fd, &a));
    assert_false(discovery_open(&other, &err));
    assert_int_equal(err.code, ERR_CONFIG);
    assert_non_null(strstr(err.text, "a node runs on this host: discovery must stay off here"));
    send_to_port("rubbish");
    send_to_port("WOLFSCALE|1|lab|node-9|0.0.0.0:7654");
    assert_true(discovery_hear(fd, &a));
    assert_string_equal(a.id, "node-9");
    assert_string_equal(a.host, "127.0.0.1"); /* of whoever sent it */
    assert_false(discovery_hear(fd, &a));
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(announcements_are_read_or_refused), cmocka_unit_test(texts_that_do_not_fit_are_refused),
        cmocka_unit_test(a_name_must_fit_where_both_have_one), cmocka_unit_test(the_port_is_heard_and_not_shared)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
