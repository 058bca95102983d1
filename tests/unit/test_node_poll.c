/* Asking nodes: a socket of our own stands for each, and says what a node, another program or nobody would. */
#include "unit.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "nodes.h"

enum { SERVERS = 3 };

/* One answer for every request whose path it is of; NULL: silence. */
struct server {
    int fd;
    unsigned port;
    pthread_t thread;
    const char *id;
    _Atomic(const char *) raw; /* instead of what a node would say */
    uint32_t pause_ms;
    bool mute, rest_mute; /* rest_mute: but for /status */
    atomic_uint connections, requests;
};

static void say(int fd, const char *body)
{
    char head[128];
    int n = snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", strlen(body));
    if (write(fd, head, (size_t)n) < 0 || write(fd, body, strlen(body)) < 0) return;
}

static void answer_one(struct server *server, int fd, const char *request)
{
    char body[600];
    server->requests++;
    if (server->mute || (server->rest_mute && !strstr(request, "GET /status "))) return;
    if (server->pause_ms) clock_sleep_ms(server->pause_ms);
    const char *raw = server->raw;
    if (raw) {
        if (write(fd, raw, strlen(raw)) < 0) return;
        shutdown(fd, SHUT_RDWR);
        return;
    }
    if (strstr(request, "GET /status "))
        snprintf(body, sizeof body, "{\"node_id\":\"%s\",\"is_leader\":true,\"leader_id\":\"%s\",\"last_applied_lsn\":3}", server->id, server->id);
    else if (strstr(request, "GET /stats "))
        snprintf(body, sizeof body, "{\"node_id\":\"%s\",\"current_lsn\":18446744073709551615}", server->id);
    else
        snprintf(body, sizeof body, "{\"nodes\":[{\"id\":\"%s\",\"address\":\"127.0.0.1:7654\",\"status\":\"Active\",\"role\":\"Leader\","
                 "\"last_applied_lsn\":0}]}", server->id);
    say(fd, body);
}

struct client { struct server *server; int fd; };

static void *client_run(void *context)
{
    struct client client = *(struct client *)context;
    char request[2048];
    free(context);
    for (ssize_t n; (n = read(client.fd, request, sizeof request - 1)) > 0;) {
        request[n] = 0;
        answer_one(client.server, client.fd, request);
    }
    close(client.fd);
    return NULL;
}

static void *server_run(void *context)
{
    struct server *server = context;
    for (int fd; (fd = accept(server->fd, NULL, NULL)) >= 0;) {
        pthread_t thread;
        struct client *client = malloc(sizeof *client);
        server->connections++;
        *client = (struct client){server, fd};
        pthread_create(&thread, NULL, client_run, client);
        pthread_detach(thread);
    }
    return NULL;
}

static void server_start(struct server *server, const char *id)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    server->id = id;
    server->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(server->fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(server->fd, (struct sockaddr *)&at, &size), 0);
    server->port = ntohs(at.sin_port);
    assert_int_equal(listen(server->fd, 16), 0);
    assert_int_equal(pthread_create(&server->thread, NULL, server_run, server), 0);
}

static void server_stop(struct server *server)
{
    shutdown(server->fd, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->fd);
}

static struct node_address place(const struct server *server) { return (struct node_address){"127.0.0.1", 3306, server->port, 8007}; }

/* Steps until each node was asked at least once, or for so long. */
static bool all_asked(struct node_poll *poll, struct node_answer *answers, size_t count, uint32_t wait_ms)
{
    uint64_t end = clock_us() + (uint64_t)wait_ms * 1000;
    for (;;) {
        size_t asked = 0;
        for (size_t i = 0; i < count; i++) asked += answers[i].asked;
        if (asked == count) return true;
        if (clock_us() >= end) return false;
        node_poll_step(poll, answers, 50);
    }
}

static void a_refusal_is_known_at_once_and_a_slow_one_holds_nobody(void **state)
{
    static struct server slow = {.pause_ms = 700}, good, gone;
    static struct node_answer answers[SERVERS];
    (void)state;
    server_start(&slow, "node-1");
    server_start(&good, "node-2");
    server_start(&gone, "node-3");
    server_stop(&gone);
    struct node_address addresses[SERVERS] = {place(&slow), place(&good), place(&gone)};
    struct node_poll *poll = node_poll_new(addresses, SERVERS);
    uint64_t from = clock_us();
    while (!answers[1].asked || !answers[2].asked) node_poll_step(poll, answers, 50);
    assert_true(clock_us() - from < 500000);
    assert_false(answers[0].asked);
    assert_true(answers[1].reached);
    assert_string_equal(answers[1].id, "node-2");
    assert_string_equal(answers[1].ip, "127.0.0.1");
    assert_true(answers[1].current_lsn == UINT64_MAX);
    assert_int_equal(answers[1].peer_count, 1);
    assert_int_equal(answers[2].trouble, NODE_REFUSED);
    assert_non_null(strstr(answers[2].problem, "Connection refused"));
    assert_true(all_asked(poll, answers, SERVERS, 5000));
    assert_true(answers[0].reached);
    assert_in_range(answers[0].took_ms, 700, 5000);
    node_poll_free(poll);
    server_stop(&slow);
    server_stop(&good);
}

static void connections_are_kept_and_rounds_have_a_pause(void **state)
{
    static struct server good;
    static struct node_answer answer;
    (void)state;
    server_start(&good, "node-1");
    struct node_address address = place(&good);
    struct node_poll *poll = node_poll_new(&address, 1);
    uint64_t end = clock_us() + 1500000;
    unsigned rounds = 0;
    while (clock_us() < end) rounds += node_poll_step(poll, &answer, 100);
    assert_in_range(rounds, 2, 1500 / NODE_POLL_MS + 1);
    assert_in_range(good.connections, 1, 3);
    assert_true(good.requests >= 3 * rounds);
    node_poll_free(poll);
    server_stop(&good);
}

static void nonsense_is_named_and_the_last_answer_stays(void **state)
{
    static const struct { const char *raw, *problem; } rows[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n<html></html>", "HTML instead of JSON"},
        {"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "HTTP 404"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{\"node_id\":\"", "half a JSON"},
        {"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", "HTTP 302"},
        {"J\0\0\0\x0a", "HTTP"}};
    static struct server server;
    (void)state;
    server_start(&server, "node-1");
    struct node_address address = place(&server);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        static struct node_answer answer;
        memset(&answer, 0, sizeof answer);
        server.raw = NULL;
        struct node_poll *poll = node_poll_new(&address, 1);
        assert_true(all_asked(poll, &answer, 1, 5000));
        assert_true(answer.reached);
        server.raw = rows[i].raw;
        while (answer.reached) node_poll_step(poll, &answer, 100);
        if (!strstr(answer.problem, rows[i].problem) || answer.trouble != NODE_NONSENSE)
            fail_msg("%s: %s (%d)", rows[i].raw, answer.problem, answer.trouble);
        assert_string_equal(answer.id, "node-1");
        node_poll_free(poll);
    }
    server_stop(&server);
}

static void a_mute_one_is_waited_for_but_a_step_is_not(void **state)
{
    static struct server mute = {.mute = true};
    static struct node_answer answer;
    (void)state;
    server_start(&mute, "node-1");
    struct node_address address = place(&mute);
    struct node_poll *poll = node_poll_new(&address, 1);
    uint64_t from = clock_us();
    assert_false(node_poll_step(poll, &answer, 300));
    assert_in_range(clock_us() - from, 290000, 2000000);
    assert_false(answer.asked);
    assert_true(answer.since_us >= from);
    node_poll_free(poll); /* with requests under way */
    server_stop(&mute);
}

static void one_bad_document_ends_the_round(void **state)
{
    static struct server server = {.rest_mute = true, .raw = "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"};
    static struct node_answer answer;
    (void)state;
    server_start(&server, "node-1");
    struct node_address address = place(&server);
    struct node_poll *poll = node_poll_new(&address, 1);
    assert_true(all_asked(poll, &answer, 1, 3000));
    assert_int_equal(answer.trouble, NODE_NONSENSE);
    node_poll_free(poll);
    server_stop(&server);
}

static void one_node_is_asked_once(void **state)
{
    static struct server good;
    static struct node_answer answer;
    struct err err = {0};
    struct buf body;
    (void)state;
    server_start(&good, "node-1");
    struct node_address address = place(&good);
    assert_true(node_ask(&address, &answer, &err));
    assert_string_equal(answer.id, "node-1");
    buf_init(&body, NODE_ANSWER_MAX);
    assert_true(node_fetch(&address, "/stats", &body, &err));
    assert_non_null(strstr(buf_cstr(&body), "18446744073709551615"));
    buf_fini(&body);
    good.raw = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nno!";
    assert_false(node_ask(&address, &answer, &err));
    assert_int_equal(err.code, ERR_CORRUPT);
    server_stop(&good);
    assert_false(node_ask(&address, &answer, &err));
    assert_int_equal(err.code, ERR_RETRY);
}

static void an_endpoint_is_taken_apart(void **state)
{
    static const struct { const char *endpoint, *host; unsigned port; } rows[] = {
        {"http://10.9.0.1:8080", "10.9.0.1", 8080}, {"http://db1/", "db1", 8080}, {"db1:9090", "db1", 9090}, {"http://[fe80::1]:81//", "fe80::1", 81},
        {"https://db1", NULL, 0}, {"http://", NULL, 0}, {"", NULL, 0}, {"http://a/b", NULL, 0}, {"u:p@db1", NULL, 0}, {"db1:x", NULL, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char host[NODE_HOST_MAX];
        unsigned port = 0;
        struct err err = {0};
        bool good = node_endpoint(rows[i].endpoint, host, sizeof host, &port, &err);
        if (good != (rows[i].host != NULL)) fail_msg("%s: %s", rows[i].endpoint, good ? host : err.text);
        if (!good) assert_int_equal(err.code, ERR_CONFIG);
        else assert_string_equal(host, rows[i].host);
        assert_int_equal(port, rows[i].port);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_is_known_at_once_and_a_slow_one_holds_nobody),
        cmocka_unit_test(connections_are_kept_and_rounds_have_a_pause),
        cmocka_unit_test(nonsense_is_named_and_the_last_answer_stays),
        cmocka_unit_test(a_mute_one_is_waited_for_but_a_step_is_not),
        cmocka_unit_test(one_bad_document_ends_the_round),
        cmocka_unit_test(one_node_is_asked_once),
        cmocka_unit_test(an_endpoint_is_taken_apart)};
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
