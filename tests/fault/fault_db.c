/*
 * Every call of db fails once, the connection breaks once after every byte that the server says, and the server falls silent without an end (a line
 * whose other side is gone: others took that for a source on which nothing happens): each time there is a clear error that says "try again", nothing
 * hangs, and (under the address sanitizer) nothing leaks. The server is a thread of ours that speaks just enough of the protocol.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "db.h"

enum { NO_LIMIT = 1 << 30, STEP_LIMIT_MS = 3000 };

/* ---- the server ---- */

struct server {
    int listener, port;
    int left;      /* bytes that it may still say */
    bool mute;     /* then it keeps the connection, and says no more */
    int said;
};

static bool say(struct server *server, int fd, uint8_t sequence, const void *payload, size_t size)
{
    uint8_t packet[512] = {(uint8_t)size, (uint8_t)(size >> 8), 0, sequence};
    memcpy(packet + 4, payload, size);
    size_t n = size + 4 < (size_t)server->left ? size + 4 : (size_t)server->left;
    server->left -= (int)n;
    server->said += (int)n;
    return send(fd, packet, n, MSG_NOSIGNAL) == (ssize_t)n && n == size + 4;
}

static bool say_ok(struct server *server, int fd) { return say(server, fd, 1, "\0\1\0\2\0\0\0", 7); }

static bool say_greeting(struct server *server, int fd)
{
    static const char greeting[] = "\x0a" "5.5.5-10.11.7-MariaDB\0" "\x07\0\0\0" "12345678\0" "\x01\xa2" "\x2d" "\x02\0" "\x08\0"
                                   "\x15" "\0\0\0\0\0\0\0\0\0\0" "123456789012\0" "mysql_native_password";
    return say(server, fd, 0, greeting, sizeof greeting);
}

static bool say_rows(struct server *server, int fd)
{
    static const char column[] = "\3def\0\0\0\1c\0\x0c\x2d\0\x10\0\0\0\xfd\0\0\0\0";
    return say(server, fd, 1, "\1", 1) && say(server, fd, 2, column, sizeof column) && say(server, fd, 3, "\xfe\0\0\2\0", 5) &&
           say(server, fd, 4, "\5value", 6) && say(server, fd, 5, "\xfe\0\0\2\0", 5);
}

static bool take_packet(int fd, uint8_t *out, size_t *size)
{
    uint8_t head[4];
    if (recv(fd, head, 4, MSG_WAITALL) != 4) return false;
    *size = head[0] | (size_t)head[1] << 8;
    return *size <= 4096 && (!*size || recv(fd, out, *size, MSG_WAITALL) == (ssize_t)*size);
}

static bool answer(struct server *server, int fd, const uint8_t *command, size_t size)
{
    switch (command[0]) {
    case DB_COM_QUERY:
        if (size > 6 && !memcmp(command + 1, "SELECT", 6)) return say_rows(server, fd);
        if (size > 3 && !memcmp(command + 1, "BAD", 3)) return say(server, fd, 1, "\xff\x26\x04#23000Duplicate entry", 24);
        return say_ok(server, fd);
    case DB_COM_STMT_PREPARE: return say(server, fd, 1, "\0\7\0\0\0\0\0\0\0\0\0\0", 12);
    case DB_COM_BINLOG_DUMP: return say(server, fd, 1, "\0an event", 9) && say(server, fd, 2, "\xfe\0\0\2\0", 5);
    case 1: return false; /* COM_QUIT */
    default: return say_ok(server, fd);
    }
}

static void *serve(void *arg)
{
    struct server *server = arg;
    uint8_t packet[4096];
    size_t size;
    int at_once = 1;
    int fd = accept(server->listener, NULL, NULL);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
    bool on = say_greeting(server, fd) && take_packet(fd, packet, &size) && say(server, fd, 2, "\0\0\0\2\0\0\0", 7);
    while (on && take_packet(fd, packet, &size) && size) on = answer(server, fd, packet, size);
    while (server->mute && !on && recv(fd, packet, sizeof packet, 0) > 0) {}
    shutdown(fd, SHUT_RDWR);
    close(fd);
    return NULL;
}

static void listen_on(struct server *server)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t size = sizeof at;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server->listener = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(server->listener, (struct sockaddr *)&at, sizeof at) || listen(server->listener, 4) ||
        getsockname(server->listener, (struct sockaddr *)&at, &size)) {
        perror("listen");
        exit(1);
    }
    server->port = ntohs(at.sin_port);
}

/* ---- the client ---- */

static bool in_flight(struct db *db, struct err *err)
{
    static const char *const statements[] = {"one", "BAD two", "three"};
    struct db_reply reply;
    for (int i = 0; i < 3; i++)
        if (!db_send(db, DB_COM_QUERY, slice_text(statements[i]), err)) return false;
    if (!db_reply(db, &reply, err)) return false;
    if (db_reply(db, &reply, err)) return err_set(err, ERR_CORRUPT, "the error in the middle was taken for a success");
    if (err->number != 1062) return false;
    return db_reply(db, &reply, err) && reply.affected == 1;
}

static bool use(struct db *db, struct err *err)
{
    struct db_result *result;
    struct db_statement statement;
    struct slice packet;
    char text[16];
    bool found, eof;
    const struct db_version *version = db_version(db), later = {.major = 26, .minor = 10};
    /* by numbers, not as text: 10.11 is behind 10.6, and MySQL's 26.10 behind 8.4 */
    if (!db_version_at_least(version, 10, 6) || db_version_at_least(version, 10, 12) || !db_version_at_least(&later, 8, 4))
        return err_set(err, ERR_CORRUPT, "another version than was sent: %u.%u", version->major, version->minor);
    if (!db_exec(db, err, "SET x = %d", 1)) return false;
    if (!db_query(db, &result, err, "SELECT c")) return false;
    bool same = result->row_count == 1 && !strcmp(db_value(result, 0, 0, NULL), "value") && db_column_index(result, "C") == 0;
    db_result_free(result);
    if (!same) return err_set(err, ERR_CORRUPT, "another row than was sent");
    if (!db_scalar(db, text, sizeof text, &found, err, "SELECT c") || !in_flight(db, err)) return false;
    if (!db_prepare(db, slice_text("SELECT ?"), &statement, err)) return false;
    if (statement.id != 7) return err_set(err, ERR_CORRUPT, "another statement id than was sent");
    if (!db_send(db, DB_COM_BINLOG_DUMP, slice_text("x"), err) || !db_packet(db, &packet, &eof, err)) return false;
    if (eof || packet.size != 9) return err_set(err, ERR_CORRUPT, "another event than was sent");
    return db_packet(db, &packet, &eof, err) && eof;
}

/* One whole session with a server that stops after `limit` bytes. */
static bool session(int limit, bool mute, uint64_t fault, int *said, struct err *err)
{
    struct server server = {.left = limit, .mute = mute};
    struct db *db = NULL;
    pthread_t thread;
    listen_on(&server);
    pthread_create(&thread, NULL, serve, &server);
    struct db_options options = {.host = "127.0.0.1", .port = (unsigned)server.port, .user = "u", .password = "p", .name = "fake",
                                 .connect_timeout_ms = mute ? 1000 : 2000, .read_timeout_ms = mute ? 1000 : 2000};
    db_fault_at(fault);
    err_clear(err);
    bool ok = db_open(&options, &db, err) && use(db, err);
    db_fault_at(0);
    db_close(db);
    if (!db) shutdown(server.listener, SHUT_RDWR); /* nobody may have come */
    pthread_join(thread, NULL);
    close(server.listener);
    *said = server.said;
    return ok;
}

static int failures;

static void expect_failure(const char *what, uint64_t at, bool ok, const struct err *err, uint64_t began)
{
    uint64_t ms = (clock_us() - began) / 1000;
    if (!ok && err->code == ERR_RETRY && err->text[0] && ms < STEP_LIMIT_MS) return;
    failures++;
    printf("%s %llu: %s after %llu ms: %s: %s\n", what, (unsigned long long)at, ok ? "succeeded" : "failed", (unsigned long long)ms,
           err_code_name(err->code), err->text);
}

int main(void)
{
    struct err err;
    int total, said;
    db_library_init();
    if (!session(NO_LIMIT, false, 0, &total, &err)) {
        printf("the session fails without a fault: %s\n", err.text);
        return 1;
    }
    for (int limit = 0; limit < total; limit++) {
        uint64_t began = clock_us();
        bool ok = session(limit, false, 0, &said, &err);
        expect_failure("cut after byte", (uint64_t)limit, ok, &err, began);
    }
    for (int part = 1; part < 4; part++) { /* in the login, in an answer, in the stream of events */
        uint64_t began = clock_us();
        bool ok = session(part == 3 ? total - 5 : total * part / 4, true, 0, &said, &err);
        expect_failure("silent in part", (uint64_t)part, ok, &err, began);
    }
    uint64_t calls = 0;
    for (uint64_t nth = 1;; nth++) {
        uint64_t began = clock_us();
        if (session(NO_LIMIT, false, nth, &said, &err)) break; /* more than there are */
        expect_failure("call", nth, false, &err, began);
        calls = nth;
    }
    printf("%d cuts, %llu calls, %d failures\n", total, (unsigned long long)calls, failures);
    db_library_end();
    return failures || calls < 12;
}
