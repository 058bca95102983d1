/* peers.c: see peers.h. */
#include "peers.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "applier.h"
#include "clock.h"
#include "journal.h"
#include "log.h"
#include "members.h"
#include "pool.h"
#include "thread.h"
#include "wire.h"

enum { BEAT_TIMEOUT_MS = 1000, PUSH_TICK_MS = 10, PUSH_TIMEOUT_MS = 5000, VISIT_TIMEOUT_MS = 60000, DB_CHECK_BEATS = 5,
       DB_RETRY_MS = 300, DB_PATIENCE_MS = 30000, REFUSE_MS = 1000, BEAT_MAX = 1024 };

struct peer {
    struct peers *peers;
    char address[ADDRESS_MAX], host[ADDRESS_MAX];
    unsigned port;
};
struct peers {
    struct node *node;
    int listener;
    struct peer list[PEERS_MAX];
    unsigned count;
    pthread_mutex_t lock;
    pthread_cond_t beaten;
    uint64_t beats; /* shared, under lock */
};

/* ---- heartbeats ---- */

static void beat_put(struct buf *body, const struct beat *beat)
{
    frame_text(body, beat->id);
    frame_text(body, beat->address);
    frame_text(body, beat->cluster);
    buf_u8(body, beat->leading);
    buf_le(body, beat->applied, 8);
}

static bool beat_take(struct slice body, struct beat *beat)
{
    struct cursor in = cursor_of(body);
    *beat = (struct beat){0};
    frame_take_text(&in, beat->id, sizeof beat->id);
    frame_take_text(&in, beat->address, sizeof beat->address);
    frame_take_text(&in, beat->cluster, sizeof beat->cluster);
    beat->leading = cursor_u8(&in) != 0;
    beat->applied = cursor_u64(&in);
    return !in.failed;
}

/* One heartbeat and its answer, which says how far a follower is. */
static bool greet(struct peer *peer, int fd, struct buf *body)
{
    struct node *node = peer->peers->node;
    struct beat beat;
    enum frame_kind kind;
    members_own_beat(node->members, &beat);
    buf_clear(body);
    beat_put(body, &beat);
    if (!frame_send(fd, FRAME_BEAT, buf_bytes(body)) || !frame_receive(fd, &kind, body)) return false;
    struct cursor in = cursor_of(buf_bytes(body));
    uint64_t lsn = cursor_u64(&in);
    if (kind != FRAME_ANSWER || in.failed) return false;
    members_acknowledged(node->members, peer->address, lsn, journal_lsn(node->journal));
    return true;
}

static void *greeter(void *context)
{
    struct peer *peer = context;
    struct peers *peers = peer->peers;
    struct buf body;
    int fd = -1;
    uint64_t seen = 0;
    buf_init(&body, BEAT_MAX);
    for (;;) {
        pthread_mutex_lock(&peers->lock);
        while (peers->beats == seen) thread_wait(&peers->beaten, &peers->lock, 1000);
        seen = peers->beats;
        pthread_mutex_unlock(&peers->lock);
        if (!members_greets(peers->node->members, peer->address)) continue;
        if (fd < 0) fd = wire_connect(peer->host, peer->port, BEAT_TIMEOUT_MS);
        if (fd < 0 || greet(peer, fd, &body)) continue;
        close(fd);
        fd = -1;
    }
    return NULL;
}

/* ---- replication ---- */

/* False: the connection is of no more use. */
static bool push(struct peer *peer, int *fd, struct buf *batch)
{
    struct node *node = peer->peers->node;
    enum frame_kind kind;
    uint64_t from;
    if (!members_push_from(node->members, peer->address, &from)) return true;
    buf_clear(batch);
    journal_read(node->journal, from, node->conf->batch_entries, batch);
    if (!batch->size) return true;
    if (*fd < 0) *fd = wire_connect(peer->host, peer->port, PUSH_TIMEOUT_MS);
    if (*fd < 0 || !frame_send(*fd, FRAME_PUSH, buf_bytes(batch)) || !frame_receive(*fd, &kind, batch)) return false;
    struct cursor in = cursor_of(buf_bytes(batch));
    uint64_t lsn = cursor_u64(&in);
    if (kind != FRAME_ACK || in.failed) return false;
    members_acknowledged(node->members, peer->address, lsn, journal_lsn(node->journal));
    return true;
}

static void *pusher(void *context)
{
    struct peer *peer = context;
    struct buf batch;
    int fd = -1;
    buf_init(&batch, FRAME_MAX);
    for (;;) {
        clock_sleep_ms(PUSH_TICK_MS);
        if (push(peer, &fd, &batch)) continue;
        if (fd >= 0) close(fd);
        fd = -1;
    }
    return NULL;
}

/* ---- the other end ---- */

static bool answer_lsn(int fd, enum frame_kind kind, uint64_t lsn)
{
    struct buf body;
    buf_init(&body, 8);
    buf_le(&body, lsn, 8);
    bool sent = frame_send(fd, kind, buf_bytes(&body));
    buf_fini(&body);
    return sent;
}

static bool on_beat(struct node *node, int fd, struct slice body)
{
    struct beat beat;
    if (!beat_take(body, &beat) || !members_heard(node->members, &beat, clock_us())) return false;
    return answer_lsn(fd, FRAME_ANSWER, applier_reported(node->applier));
}

/* A leader executes nobody's entries. */
static bool on_push(struct node *node, int fd, struct slice body)
{
    struct members_view view;
    members_view(node->members, &view);
    if (view.leading) {
        clock_sleep_ms(REFUSE_MS);
        return false;
    }
    uint64_t lsn = applier_batch(node->applier, body);
    members_applied(node->members, lsn);
    return answer_lsn(fd, FRAME_ACK, lsn);
}

static void visited(void *context, int fd)
{
    struct peers *peers = context;
    struct buf body;
    enum frame_kind kind;
    bool good = true;
    wire_timeout(fd, VISIT_TIMEOUT_MS);
    buf_init(&body, FRAME_MAX);
    while (good && frame_receive(fd, &kind, &body))
        good = kind == FRAME_BEAT ? on_beat(peers->node, fd, buf_bytes(&body)) :
               kind == FRAME_PUSH && on_push(peers->node, fd, buf_bytes(&body));
    buf_fini(&body);
}

static void *listener(void *context)
{
    struct peers *peers = context;
    wire_serve(peers->listener, "peer", visited, peers);
    return NULL;
}

/* ---- the heart ---- */

static bool db_answers(const struct conf *conf, MYSQL **mysql)
{
    struct err err = {0};
    if (!*mysql) *mysql = local_connect(conf, NULL, &err);
    if (!*mysql) return false;
    MYSQL_RES *result = mysql_query(*mysql, "SELECT 1") ? NULL : mysql_store_result(*mysql);
    if (result) {
        mysql_free_result(result);
        return true;
    }
    mysql_close(*mysql);
    *mysql = NULL;
    return false;
}

/* Hangs as long as the database does not answer, and no heartbeat goes out meanwhile. */
static void check_db(const struct conf *conf, MYSQL **mysql)
{
    uint64_t until = clock_us() + (uint64_t)DB_PATIENCE_MS * 1000;
    while (!db_answers(conf, mysql)) {
        if (clock_us() > until) {
            log_error("heart.ends", "text=\"the database is gone\"");
            exit(0);
        }
        clock_sleep_ms(DB_RETRY_MS);
    }
}

static void *heart(void *context)
{
    struct peers *peers = context;
    struct node *node = peers->node;
    struct members_view view;
    MYSQL *mysql = NULL;
    unsigned seed = (unsigned)clock_us();
    for (uint64_t n = 1;; n++) {
        if (members_tick(node->members, clock_us()) == MEMBERS_YIELD) {
            log_info("heart.yields", "text=\"a lower id is there\"");
            exit(0);
        }
        members_view(node->members, &view);
        if (view.leading && n % DB_CHECK_BEATS == 0) check_db(node->conf, &mysql);
        pthread_mutex_lock(&peers->lock);
        peers->beats = n;
        pthread_cond_broadcast(&peers->beaten);
        pthread_mutex_unlock(&peers->lock);
        /* not in step with the other nodes: who leads between two is then seen to change */
        clock_sleep_ms(node->conf->beat_ms * 3 / 4 + (uint32_t)rand_r(&seed) % (node->conf->beat_ms / 2 + 1));
    }
    return NULL;
}

static void add_peer(struct peers *peers, const char *address)
{
    struct peer *peer = &peers->list[peers->count++];
    pthread_t thread;
    peer->peers = peers;
    memcpy(peer->address, address, sizeof peer->address);
    if (!conf_address(address, peer->host, &peer->port)) abort(); /* conf_read has looked */
    thread_start(&thread, "greeter", greeter, peer);
    thread_start(&thread, "pusher", pusher, peer);
}

bool peers_start(struct node *node, struct err *err)
{
    struct peers *peers = calloc(1, sizeof *peers);
    pthread_t thread;
    if (!peers) abort();
    peers->node = node;
    pthread_mutex_init(&peers->lock, NULL);
    thread_cond_init(&peers->beaten);
    peers->listener = wire_listen(node->conf->bind, err);
    if (peers->listener < 0) {
        free(peers);
        return false;
    }
    node->peers = peers;
    for (unsigned i = 0; i < node->conf->peer_count; i++)
        if (strcmp(node->conf->peers[i], node->conf->advertise) != 0) add_peer(peers, node->conf->peers[i]);
    thread_start(&thread, "listener", listener, peers);
    thread_start(&thread, "heart", heart, peers);
    return true;
}
