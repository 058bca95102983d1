/* control.c: see control.h. */
#include "control.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent.h"
#include "config.h"
#include "verbs.h"

enum { BACKLOG = 64 };

struct door {
    struct control *control;
    bool tcp;
    int fd; /* -1: closed, or libmicrohttpd's */
    struct MHD_Daemon *daemon;
};

struct control {
    struct agent *agent;
    struct door local, tcp;
    char token[CONFIG_SECRET_MAX]; /* "" none: TCP is read-only */
    char listen_host[256];
    bool socket_made;
};

/* ---- a request ---- */

const char *request_param(const struct request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

void request_patience(struct request *request, unsigned seconds)
{
    MHD_set_connection_option(request->connection, MHD_CONNECTION_OPTION_TIMEOUT, seconds);
}

bool request_abandoned(const struct request *request)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    char byte;
    return info && recv(info->connect_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* Every byte is looked at, so that the time taken does not tell how many were right. */
static bool same_token(const char *a, const char *b)
{
    size_t n = strlen(b);
    unsigned char differs = 0;
    if (strlen(a) != n) return false;
    for (size_t i = 0; i < n; i++) differs |= (unsigned char)(a[i] ^ b[i]);
    return !differs;
}

static bool host_is_ours(const struct control *control, const char *header)
{
    char name[256];
    unsigned port;
    unsigned char address[16];
    if (!header || !settings_host(header, 0, name, sizeof name, &port)) return false;
    return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1 || !strcasecmp(name, "localhost") ||
           !strcasecmp(name, control->listen_host);
}

/* False: refused and answered. */
static bool may_enter(const struct door *door, struct request *request, const struct verb *verb)
{
    static const char scheme[] = "Bearer ";
    const struct control *control = door->control;
    if (!door->tcp) return true;
    const char *host = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "Host");
    if (!host_is_ours(control, host)) {
        request_error(request, 403, "use an IP address, localhost or the name in [api] listen", "Host \"%.100s\" is not this agent",
                      host ? host : "");
        return false;
    }
    if (!verb->changes) return true;
    if (!*control->token) {
        request_error(request, 403, "set token_file in [api], or use the Unix socket", "without a token TCP callers can only read");
        return false;
    }
    const char *given = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "Authorization");
    if (given && !strncasecmp(given, scheme, strlen(scheme)) && same_token(given + strlen(scheme), control->token)) return true;
    request_error(request, 401, "send the header Authorization: Bearer TOKEN", "the token is missing or wrong");
    return false;
}

static void serve(const struct door *door, struct request *request, const char *method, const char *path)
{
    const char *allow;
    const struct verb *verb = verb_find(method, path, &allow);
    if (!verb && allow) request_error(request, 405, "GET /verbs lists what there is", "%s is for %s", path, allow);
    else if (!verb) request_error(request, 404, "GET /verbs lists what there is", "no %.100s", path);
    else if (may_enter(door, request, verb)) verb->run(request);
    if (request->answer.full)
        request_error(request, 500, "tell the makers of wolfcdc", "the answer is larger than %d bytes", CONTROL_ANSWER_MAX);
}

static enum MHD_Result send_answer(struct request *request)
{
    buf_u8(&request->answer, '\n');
    struct MHD_Response *response =
        MHD_create_response_from_buffer(request->answer.size, request->answer.data, MHD_RESPMEM_MUST_COPY);
    if (!response) return MHD_NO;
    MHD_add_response_header(response, "Content-Type", request->type);
    MHD_add_response_header(response, "Cache-Control", "no-store");
    enum MHD_Result queued = MHD_queue_response(request->connection, request->status, response);
    MHD_destroy_response(response);
    return queued;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *path, const char *method,
                                  const char *version, const char *body, size_t *body_size, void **seen)
{
    static char headers_seen, body_seen;
    const struct door *door = context;
    (void)version;
    (void)body;
    if (!*seen) { /* headers only: what follows is asked for by returning */
        *seen = &headers_seen;
        return MHD_YES;
    }
    if (*body_size) {
        *seen = &body_seen;
        *body_size = 0;
        return MHD_YES;
    }
    struct request request = {.agent = door->control->agent, .connection = connection, .status = 200,
                              .type = "application/json"};
    buf_init(&request.answer, CONTROL_ANSWER_MAX);
    if (*seen == &body_seen) request_error(&request, 413, "parameters go into the query: ?name=value", "a body is not read");
    else serve(door, &request, method, path);
    enum MHD_Result result = send_answer(&request);
    buf_fini(&request.answer);
    return result;
}

/* ---- doors ---- */

static bool someone_listens(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool answered = fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) == 0;
    if (fd >= 0) close(fd);
    return answered;
}

/* The directory under /run is systemd's to make (RuntimeDirectory); without systemd one level of it is made here. */
static void make_parent(const char *path)
{
    char dir[FILENAME_MAX];
    snprintf(dir, sizeof dir, "%s", path);
    char *slash = strrchr(dir, '/');
    if (!slash || slash == dir) return;
    *slash = 0;
    mode_t before = umask(0027);
    if (mkdir(dir, 0750) && errno != EEXIST) log_debug("control.directory", "dir=%s error=\"%s\"", dir, strerror(errno));
    umask(before);
}

static bool local_open(struct control *control, const char *path, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat st;
    if (strlen(path) >= sizeof address.sun_path)
        return err_set(err, ERR_CONFIG, "[api] socket %s: longer than %zu bytes", path, sizeof address.sun_path - 1);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    make_parent(path);
    if (lstat(path, &st) == 0) {
        if (!S_ISSOCK(st.st_mode)) return err_set(err, ERR_CONFIG, "[api] socket %s: is there and not a socket", path);
        if (someone_listens(&address))
            return err_set(err, ERR_STOP, "[api] socket %s: another agent answers there; stop it, or give this one its own", path);
        unlink(path); /* left behind by a process that was killed */
    }
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    mode_t before = umask(0117);
    bool bound = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0;
    int failed = errno;
    umask(before);
    control->local.fd = fd;
    if (!bound) return err_set_number(err, ERR_CONFIG, (unsigned)failed, "[api] socket %s: %s", path, strerror(failed));
    control->socket_made = true;
    if (listen(fd, BACKLOG))
        return err_set_number(err, ERR_CONFIG, (unsigned)errno, "[api] socket %s: %s", path, strerror(errno));
    return true;
}

static int bind_to(const struct addrinfo *at)
{
    int on = 1, fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) return fd;
    int failed = errno;
    close(fd);
    errno = failed;
    return -1;
}

static bool tcp_open(struct control *control, const char *listen_at, struct err *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found = NULL;
    char port_text[8];
    unsigned port;
    if (!settings_host(listen_at, 0, control->listen_host, sizeof control->listen_host, &port))
        return err_set(err, ERR_CONFIG, "[api] listen \"%s\": allowed is \"address:port\"", listen_at);
    snprintf(port_text, sizeof port_text, "%u", port);
    int failed = getaddrinfo(control->listen_host, port_text, &hints, &found);
    if (failed) return err_set(err, ERR_CONFIG, "[api] listen %s: %s", listen_at, gai_strerror(failed));
    control->tcp.fd = bind_to(found);
    failed = errno;
    freeaddrinfo(found);
    if (control->tcp.fd < 0) return err_set_number(err, ERR_CONFIG, (unsigned)failed, "[api] listen %s: %s", listen_at, strerror(failed));
    return true;
}

bool control_new(struct agent *agent, struct control **out, struct err *err)
{
    const struct api_settings *api = &agent->settings->api;
    struct control *control = calloc(1, sizeof *control);
    if (!control) abort();
    control->agent = agent;
    control->local = (struct door){control, false, -1, NULL};
    control->tcp = (struct door){control, true, -1, NULL};
    bool good = (!api->token_file || secret_file(api->token_file, control->token, err)) && local_open(control, api->socket, err) &&
                (!api->listen || tcp_open(control, api->listen, err));
    if (good) *out = control;
    else control_free(control);
    return good;
}

static void door_open(struct door *door)
{
    if (door->fd < 0) return;
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* its threads take no signals */
    door->daemon = MHD_start_daemon(MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0, NULL, NULL,
                                    on_request, door, MHD_OPTION_LISTEN_SOCKET, (MHD_socket)door->fd,
                                    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONTROL_REQUEST_MAX, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONTROL_CONNECTIONS_MAX,
                                    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)CONTROL_IDLE_SECONDS, MHD_OPTION_END);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!door->daemon) {
        log_error("control.failed", "text=\"libmicrohttpd cannot serve the control API\"");
        abort();
    }
    door->fd = -1; /* closed with the daemon */
}

void control_start(struct control *control)
{
    const struct api_settings *api = &control->agent->settings->api;
    door_open(&control->local);
    door_open(&control->tcp);
    log_info("control.started", "socket=%s listen=%s changes_by_tcp=%s", api->socket, api->listen ? api->listen : "-",
             api->listen && *control->token ? "with token" : "no");
}

static void door_close(struct door *door)
{
    if (door->daemon) MHD_stop_daemon(door->daemon);
    door->daemon = NULL;
    if (door->fd >= 0) close(door->fd);
    door->fd = -1;
}

void control_stop(struct control *control)
{
    door_close(&control->tcp);
    door_close(&control->local);
    if (control->socket_made) unlink(control->agent->settings->api.socket);
    control->socket_made = false;
}

void control_free(struct control *control)
{
    if (!control) return;
    control_stop(control);
    explicit_bzero(control->token, sizeof control->token);
    free(control);
}
