/*
 * test_control.c: the doors of the control API, without capture or sinks behind them: who gets in, what is refused, and that
 * an answer is JSON. The verbs used here need nothing but the settings.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"
#include "client.h"
#include "control.h"
#include "verbs.h"

static char dir[] = "/tmp/test_control.XXXXXX", socket_path[64], token_path[64], listen_at[32];
static unsigned port;
static struct settings settings;
static struct agent agent;
static struct control *control;

/* A port that is free now. */
static unsigned port_free(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    close(fd);
    return ntohs(at.sin_port);
}

static int set_up(void **state)
{
    struct err err = {0};
    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(socket_path, sizeof socket_path, "%s/run/s.sock", dir);
    snprintf(token_path, sizeof token_path, "%s/token", dir);
    FILE *token = fopen(token_path, "w");
    assert_non_null(token);
    fputs("the-token\n", token);
    fclose(token);
    chmod(token_path, 0600);
    port = port_free();
    snprintf(listen_at, sizeof listen_at, "127.0.0.1:%u", port);
    settings.wal.dir = dir;
    settings.api = (struct api_settings){socket_path, listen_at, token_path};
    agent.settings = &settings;
    if (!control_new(&agent, &control, &err)) fail_msg("%s", err.text);
    control_start(control);
    return 0;
}

static int tear_down(void **state)
{
    char run[64];
    (void)state;
    control_stop(control);
    assert_int_equal(access(socket_path, F_OK), -1); /* leaves no socket behind */
    control_free(control);
    unlink(token_path);
    snprintf(run, sizeof run, "%s/run", dir);
    rmdir(run);
    assert_int_equal(rmdir(dir), 0);
    return 0;
}

/* Sends it over TCP as it is; returns the status, and the answer in text. */
static int tcp(const char *request, char *text, size_t room)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}, .sin_port = htons((uint16_t)port)};
    size_t got = 0;
    int fd = socket(AF_INET, SOCK_STREAM, 0), status = 0;
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(write(fd, request, strlen(request)), (ssize_t)strlen(request));
    for (ssize_t n; got + 1 < room && (n = read(fd, text + got, room - 1 - got)) > 0;) got += (size_t)n;
    close(fd);
    text[got] = 0;
    if (sscanf(text, "HTTP/1.1 %d", &status) != 1) fail_msg("no answer: %s", text);
    return status;
}

static void expect(const char *request, int status, const char *part)
{
    char text[8192];
    int found = tcp(request, text, sizeof text);
    if (found != status || !strstr(text, part)) fail_msg("%s\nexpected %d %s, found:\n%s", request, status, part, text);
}

#define END "Connection: close\r\n\r\n"

static void tcp_reads_freely(void **state)
{
    (void)state;
    expect("GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n" END, 200, "{\"healthy\":true,");
    expect("GET /health HTTP/1.1\r\nHost: localhost:1\r\n" END, 200, "application/json");
    expect("GET /health HTTP/1.1\r\nHost: [::1]:80\r\n" END, 200, "healthy");
}

static void other_names_are_refused(void **state)
{
    (void)state;
    expect("GET /health HTTP/1.1\r\nHost: evil.example\r\n" END, 403, "is not this agent");
    expect("GET /health HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\n" END, 403, "is not this agent");
}

static void changes_by_tcp_need_the_token(void **state)
{
    (void)state;
    expect("POST /log-level?level=info HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n" END, 401, "token");
    expect("POST /log-level?level=info HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer the-tokem\r\nContent-Length: 0\r\n" END,
           401, "token");
    expect("POST /log-level?level=info HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer the-token2\r\nContent-Length: 0\r\n" END,
           401, "token");
    expect("POST /log-level?level=info HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer the-token\r\nContent-Length: 0\r\n" END,
           200, "log level set");
}

static void wrong_requests_are_explained(void **state)
{
    (void)state;
    expect("GET /nothing HTTP/1.1\r\nHost: localhost\r\n" END, 404, "\"remedy\":\"GET /verbs");
    expect("GET /pause HTTP/1.1\r\nHost: localhost\r\n" END, 405, "/pause is for POST");
    expect("POST /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n" END, 405, "/health is for GET");
    expect("POST /pause HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n" END "abc", 413, "the query");
}

static void the_socket_needs_no_token(void **state)
{
    (void)state;
    struct client_call call = {.post = true, .path = "/log-level", .params = {{"level", "loud & \"quoted\""}}, .timeout_s = 5};
    struct client_answer answer = {0};
    struct err err = {0};
    if (!client_do(socket_path, &call, &answer, &err)) fail_msg("%s", err.text);
    assert_int_equal(answer.status, 400);
    assert_non_null(strstr(buf_cstr(&answer.body), "loud & \\\"quoted\\\""));
    buf_fini(&answer.body);
    call.params[0].value = "info";
    if (!client_do(socket_path, &call, &answer, &err)) fail_msg("%s", err.text);
    assert_int_equal(answer.status, 200);
    buf_fini(&answer.body);
}

static void a_second_agent_finds_the_door_taken(void **state)
{
    (void)state;
    struct control *second = NULL;
    struct err err = {0};
    assert_false(control_new(&agent, &second, &err));
    assert_null(second);
    assert_non_null(strstr(err.text, "another agent answers there"));
    assert_int_equal(access(socket_path, F_OK), 0); /* and leaves the first one's socket alone */
}

static void nobody_there_is_said(void **state)
{
    (void)state;
    struct client_call call = {.path = "/health", .timeout_s = 5};
    struct client_answer answer = {0};
    struct err err = {0};
    assert_false(client_do("/tmp/there/is/no/such.sock", &call, &answer, &err));
    assert_int_equal(err.code, ERR_RETRY);
    assert_non_null(strstr(err.text, "is wolfcdc running"));
}

static void verbs_are_found_by_method_and_path(void **state)
{
    (void)state;
    const char *allow;
    assert_ptr_equal(verb_find("GET", "/wait", &allow)->run, verb_wait);
    assert_non_null(verb_find("HEAD", "/ready", &allow));
    assert_null(verb_find("GET", "/resume", &allow));
    assert_string_equal(allow, "POST");
    assert_null(verb_find("GET", "/", &allow));
    assert_null(allow);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tcp_reads_freely),
        cmocka_unit_test(other_names_are_refused),
        cmocka_unit_test(changes_by_tcp_need_the_token),
        cmocka_unit_test(wrong_requests_are_explained),
        cmocka_unit_test(the_socket_needs_no_token),
        cmocka_unit_test(a_second_agent_finds_the_door_taken),
        cmocka_unit_test(nobody_there_is_said),
        cmocka_unit_test(verbs_are_found_by_method_and_path),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
