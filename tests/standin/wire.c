/* wire.c: see wire.h. */
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "thread.h"

enum { BACKLOG = 128 };

void wire_timeout(int fd, unsigned timeout_ms)
{
    struct timeval wait = {.tv_sec = timeout_ms / 1000, .tv_usec = (timeout_ms % 1000) * 1000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
}

static struct addrinfo *resolve(const char *host, unsigned port)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICHOST}, *found = NULL;
    char text[8];
    snprintf(text, sizeof text, "%u", port);
    return getaddrinfo(host, text, &hints, &found) ? NULL : found;
}

int wire_connect(const char *host, unsigned port, unsigned timeout_ms)
{
    struct addrinfo *to = resolve(host, port);
    int on = 1, fd = to ? socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
    if (fd >= 0) wire_timeout(fd, timeout_ms); /* connect waits no longer, either */
    if (fd >= 0 && connect(fd, to->ai_addr, to->ai_addrlen)) {
        close(fd);
        fd = -1;
    }
    if (to) freeaddrinfo(to);
    if (fd >= 0) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return fd;
}

int wire_listen(const char *address, struct err *err)
{
    char host[ADDRESS_MAX] = "";
    unsigned port = 0;
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct addrinfo *at = conf_address(address, host, &port) ? resolve(host, port) : NULL;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    bool good = at && fd >= 0 && !bind(fd, at->ai_addr, at->ai_addrlen) && !listen(fd, BACKLOG);
    if (!good) err_set(err, ERR_STOP, "cannot listen on %s: error %d", address, errno);
    if (at) freeaddrinfo(at);
    if (good) return fd;
    if (fd >= 0) close(fd);
    return -1;
}

bool wire_send(int fd, struct slice bytes)
{
    while (bytes.size) {
        ssize_t n = send(fd, bytes.data, bytes.size, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        bytes = slice_of(bytes.data + n, bytes.size - (size_t)n);
    }
    return true;
}

bool wire_receive(int fd, uint8_t *to, size_t size)
{
    while (size) {
        ssize_t n = recv(fd, to, size, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        to += n;
        size -= (size_t)n;
    }
    return true;
}

/* ---- frames ---- */

bool frame_send(int fd, enum frame_kind kind, struct slice body)
{
    struct buf head;
    buf_init(&head, 16);
    buf_le(&head, body.size, 4);
    buf_u8(&head, (uint8_t)kind);
    bool sent = wire_send(fd, buf_bytes(&head)) && wire_send(fd, body);
    buf_fini(&head);
    return sent;
}

bool frame_receive(int fd, enum frame_kind *kind, struct buf *body)
{
    uint8_t head[5];
    if (!wire_receive(fd, head, sizeof head)) return false;
    struct cursor in = cursor_of(slice_of(head, sizeof head));
    uint32_t size = cursor_u32(&in);
    *kind = cursor_u8(&in);
    buf_clear(body);
    uint8_t *to = buf_reserve(body, size + 1);
    if (!to || !wire_receive(fd, to, size)) return false;
    body->size = size;
    return true;
}

void frame_text(struct buf *body, const char *text) { buf_varint_bytes(body, slice_text(text)); }

void frame_take_text(struct cursor *in, char *to, size_t room)
{
    struct slice text = cursor_varint_bytes(in);
    if (text.size >= room) in->failed = true;
    else snprintf(to, room, "%.*s", SLICE_ARG(text));
}

/* ---- serving ---- */

struct visit {
    wire_serve_fn *serve;
    void *context;
    int fd;
};

static void *visit(void *arg)
{
    struct visit visit = *(struct visit *)arg;
    free(arg);
    visit.serve(visit.context, visit.fd);
    close(visit.fd);
    return NULL;
}

void wire_serve(int listener, const char *name, wire_serve_fn *serve, void *context)
{
    for (;;) {
        int on = 1, fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        pthread_t thread;
        if (fd < 0) continue;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct visit *arg = malloc(sizeof *arg);
        if (!arg) abort();
        *arg = (struct visit){serve, context, fd};
        thread_start(&thread, name, visit, arg);
        pthread_detach(thread);
    }
}
