/* proxy.c: see proxy.h. */
#include "proxy.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "forward.h"
#include "journal.h"
#include "members.h"
#include "switches.h"
#include "text.h"
#include "thread.h"
#include "wire.h"

enum { PACKET_MAX = 0xffffff + 4, CHUNK = 65536, QUIET_MS = 1, COM_QUIT = 1, COM_QUERY = 3, FIRST_OK = 0x00, FIRST_ERR = 0xff,
       CONNECT_WITH_DB = 1 << 3, SECURE_CONNECTION = 1 << 15, LENENC_AUTH = 1 << 21, LOGIN_FIXED = 32, MORE_RESULTS = 8,
       HEAD = 4, REFUSED = 1024, CONNECT_MS = 5000 };

struct session {
    struct node *node;
    int client, server;
    struct buf packet; /* the last one read, with its head */
    bool has_database;
    char database[NAME_MAX_BYTES];
};

/* ---- packets ---- */

static bool packet_read(struct session *session, int fd)
{
    struct buf *packet = &session->packet;
    buf_clear(packet);
    uint8_t *to = buf_reserve(packet, HEAD);
    if (!wire_receive(fd, to, HEAD)) return false;
    packet->size = HEAD;
    struct cursor in = cursor_of(buf_bytes(packet));
    size_t size = (size_t)cursor_le(&in, 3);
    to = buf_reserve(packet, size);
    if (!to || !wire_receive(fd, to, size)) return false;
    packet->size += size;
    return true;
}

static struct slice payload(const struct session *session)
{
    return slice_of(session->packet.data + HEAD, session->packet.size - HEAD);
}
static uint8_t first_byte(const struct session *session) { return session->packet.size > HEAD ? session->packet.data[HEAD] : 0; }

static bool answer(struct session *session, struct slice body)
{
    struct buf packet;
    buf_init(&packet, HEAD + body.size);
    buf_le(&packet, body.size, 3);
    buf_u8(&packet, 1);
    buf_slice(&packet, body);
    bool sent = wire_send(session->client, buf_bytes(&packet));
    buf_fini(&packet);
    return sent;
}

/* One row, no insert id, and a status that no session set. */
static bool answer_ok(struct session *session)
{
    static const uint8_t ok[] = {FIRST_OK, 1, 0, 0x02, 0x00, 0, 0};
    return answer(session, slice_of(ok, sizeof ok));
}

static bool answer_refused(struct session *session, const char *text)
{
    struct buf body;
    buf_init(&body, ERR_TEXT_MAX + 16);
    buf_u8(&body, FIRST_ERR);
    buf_le(&body, REFUSED, 2);
    buf_text(&body, "#HY000");
    buf_text(&body, text);
    bool sent = answer(session, buf_bytes(&body));
    buf_fini(&body);
    return sent;
}

/* ---- login ---- */

static void skip_text(struct cursor *in)
{
    while (cursor_u8(in)) {}
}

/* The database of a session, as far as replication knows it, is the login's. */
static void login_database(struct session *session)
{
    struct cursor in = cursor_of(payload(session));
    uint32_t capabilities = cursor_u32(&in);
    cursor_bytes(&in, LOGIN_FIXED - 4);
    skip_text(&in);
    if (capabilities & LENENC_AUTH) cursor_lenenc_bytes(&in);
    else if (capabilities & SECURE_CONNECTION) cursor_bytes(&in, cursor_u8(&in));
    else skip_text(&in);
    struct slice rest = cursor_rest(&in);
    if (in.failed || !(capabilities & CONNECT_WITH_DB) || !rest.size) return;
    size_t n = strnlen((const char *)rest.data, rest.size);
    if (!n || n >= sizeof session->database) return;
    memcpy(session->database, rest.data, n);
    session->database[n] = 0;
    session->has_database = true;
}

static bool relay_packet(struct session *session, int from, int to)
{
    return packet_read(session, from) && wire_send(to, buf_bytes(&session->packet));
}

static bool greet(struct session *session)
{
    if (!packet_read(session, session->server)) return false;
    struct slice greeting = buf_bytes(&session->packet);
    if (!switch_number(SWITCH_GREETING_CUT)) return wire_send(session->client, greeting);
    greeting.size /= 2;
    return wire_send(session->client, greeting) && false;
}

static bool login(struct session *session)
{
    if (!greet(session) || !relay_packet(session, session->client, session->server)) return false;
    login_database(session);
    if (!relay_packet(session, session->server, session->client)) return false;
    while (first_byte(session) != FIRST_OK && first_byte(session) != FIRST_ERR)
        if (!relay_packet(session, session->client, session->server) || !relay_packet(session, session->server, session->client))
            return false;
    return first_byte(session) == FIRST_OK;
}

/* ---- replies ---- */

/* One OK or ERR and nothing behind it. */
static bool whole(struct slice chunk)
{
    struct cursor in = cursor_of(chunk);
    size_t size = (size_t)cursor_le(&in, 3);
    cursor_u8(&in);
    uint8_t first = cursor_u8(&in);
    if (size + HEAD != chunk.size || (first != FIRST_OK && first != FIRST_ERR)) return false;
    if (first == FIRST_ERR) return true;
    cursor_lenenc(&in);
    cursor_lenenc(&in);
    return !(cursor_u16(&in) & MORE_RESULTS) && !in.failed;
}

static bool more_soon(int fd)
{
    struct pollfd at = {.fd = fd, .events = POLLIN};
    return poll(&at, 1, QUIET_MS) > 0;
}

static bool relay_reply(struct session *session, bool write)
{
    static _Thread_local uint8_t chunk[CHUNK];
    do {
        ssize_t n = recv(session->server, chunk, sizeof chunk, 0);
        if (n <= 0) return false;
        struct slice bytes = slice_of(chunk, (size_t)n);
        bool cut = write && switch_take(SWITCH_CUT_REPLY);
        if (cut) bytes.size /= 2;
        if (!wire_send(session->client, bytes) || cut) return false;
        if (write && whole(bytes)) return true;
    } while (more_soon(session->server));
    return true;
}

/* ---- writes ---- */

static bool execute(struct session *session)
{
    struct slice body = payload(session);
    struct journal_entry entry = {.has_database = session->has_database, .database = slice_text(session->database),
                                  .sql = slice_of(body.data + 1, body.size - 1)};
    if (!wire_send(session->server, buf_bytes(&session->packet))) return false;
    bool relayed = relay_reply(session, true);
    journal_post(session->node->journal, &entry);
    return relayed;
}

static bool hand_on(struct session *session)
{
    struct slice body = payload(session);
    struct err err = {0};
    char host[ADDRESS_MAX];
    members_leader_host(session->node->members, host);
    if (!*host) return answer_refused(session, "No leader available for write operation");
    bool good = forward_sql(host, slice_of(body.data + 1, body.size - 1), session->has_database, slice_text(session->database), &err);
    return good ? answer_ok(session) : answer_refused(session, err.text);
}

static bool write_query(struct session *session)
{
    if (switch_number(SWITCH_ERR_1024)) return answer_refused(session, "Leader forwarding failed: switched on");
    if (switch_take(SWITCH_FAKE_OK)) return answer_ok(session);
    return members_self_leads(session->node->members) && !switch_number(SWITCH_FORWARD) ? execute(session) : hand_on(session);
}

static bool is_write(struct slice body)
{
    if (body.size < 2 || body.data[0] != COM_QUERY) return false;
    struct slice sql = slice_of(body.data + 1, body.size - 1);
    return text_utf8(sql) && text_writes(sql);
}

static bool command(struct session *session)
{
    if (!packet_read(session, session->client)) return false;
    if (is_write(payload(session))) return write_query(session);
    bool quit = first_byte(session) == COM_QUIT;
    return wire_send(session->server, buf_bytes(&session->packet)) && !quit && relay_reply(session, false);
}

static void serve(void *context, int fd)
{
    struct node *node = context;
    struct session session = {.node = node, .client = fd};
    session.server = wire_connect(node->conf->db_host, node->conf->db_port, CONNECT_MS);
    if (session.server < 0) return;
    wire_timeout(session.server, 0);
    buf_init(&session.packet, PACKET_MAX);
    bool good = login(&session);
    while (good && command(&session)) {}
    buf_fini(&session.packet);
    close(session.server);
}

struct door {
    struct node *node;
    int listener;
};

static void *listener(void *context)
{
    struct door *door = context;
    wire_serve(door->listener, "proxy", serve, door->node);
    return NULL;
}

bool proxy_start(struct node *node, struct err *err)
{
    static struct door door;
    pthread_t thread;
    if (!node->conf->proxy_enabled) return true;
    door = (struct door){node, wire_listen(node->conf->proxy_bind, err)};
    if (door.listener < 0) return false;
    thread_start(&thread, "proxy", listener, &door);
    return true;
}
