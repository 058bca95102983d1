/*
 * leader_push.c: sessions at the leader's proxy. Logged in with a database name of our own, so that followers execute what we send over
 * connections that no other client's BEGIN has touched. One statement at a time on each: the proxy does not bear a second one before the reply.
 *
 * A reply counts only with NO_BACKSLASH_ESCAPES in its status: the statement's own comment sets it, so the leader's MariaDB has executed it. A
 * proxy that has lost the lead forwards instead, and answers an OK of its own without it.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "clock.h"
#include "leader.h"

enum { CONNECT_TIMEOUT_MS = 2500, POLL_MS = 4, REFRESH_US = 150000, FILLER_BYTES = 3400, LOOK_MS = 100, AGAIN_US = 1500000 };

static bool open_proxy(struct leader *l, const char *database, uint32_t limit_ms, struct err *err)
{
    struct db_options options = {0};
    const struct node_settings *node = &l->nodes[l->leader].address;
    const struct sink_settings *settings = sink_settings(l->nodes[l->leader].member);
    struct db *db;
    assert(l->session_count < LEAD_SESSIONS + 1);
    settings_server(&settings->server, "the leader's proxy", &options);
    options.port = node->proxy_port;
    options.database = database;
    options.ssl = false; /* the proxy relays the login as it is, and breaks when TLS is asked for */
    options.ssl_ca = options.ssl_cert = options.ssl_key = NULL;
    options.read_timeout_ms = LEAD_PROXY_MS; /* once it has begun to reply */
    options.found_rows = true;
    if (options.connect_timeout_ms > CONNECT_TIMEOUT_MS) options.connect_timeout_ms = CONNECT_TIMEOUT_MS;
    if (!db_open(&options, &db, err)) return false;
    pthread_mutex_lock(&l->lock);
    l->sessions[l->session_count++] = (struct lead_session){.db = db, .limit_ms = limit_ms};
    pthread_mutex_unlock(&l->lock);
    return true;
}

static bool open_one(struct leader *l, struct err *err)
{
    /* Not a write to the proxy, so only the leader hears it; what matters stands in each statement as well. */
    return open_proxy(l, "wolfcdc", LEAD_PROXY_MS, err) &&
           db_exec(l->sessions[l->session_count - 1].db, err, "SET NAMES utf8mb4, autocommit=1, time_zone='+00:00', innodb_lock_wait_timeout=10, "
                   "wait_timeout=600, sql_mode='STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO,NO_BACKSLASH_ESCAPES'");
}

bool lead_push_open(struct leader *l, struct err *err)
{
    l->session_count = 0;
    while (l->session_count < LEAD_SESSIONS)
        if (!open_one(l, err)) return false;
    l->marker = l->first_marker = clock_wall_us(); /* later than any that we sent before */
    return true;
}

void lead_push_close(struct leader *l)
{
    pthread_mutex_lock(&l->lock);
    size_t count = l->session_count;
    l->session_count = 0;
    pthread_mutex_unlock(&l->lock);
    for (size_t i = 0; i < count; i++) db_close(l->sessions[i].db);
}

static bool take(struct leader *l, struct lead_session *s, struct err *err)
{
    struct db_reply reply;
    s->busy = false;
    if (!lead_await(l, s->db, s->limit_ms, err) || !db_reply(s->db, &reply, err)) return err_context(err, "node %s", l->nodes[l->leader].name);
    if (!(reply.status & LEAD_HOLDER))
        return err_set(err, ERR_RETRY, "the proxy of node %s has not executed a statement itself but passed it on: another node leads", l->nodes[l->leader].name);
    if (s->meets && !reply.affected) return err_set(err, ERR_RETRY, "an update met no row on node %s", l->nodes[l->leader].name);
    if (reply.warnings && !s->lenient)
        return err_set(err, ERR_RETRY, "node %s did not take a statement as it is: %u warning(s)", l->nodes[l->leader].name, reply.warnings);
    return true;
}

bool lead_push_send(struct leader *l, size_t at, struct slice sql, bool lenient, bool meets, struct err *err)
{
    struct lead_session *s = &l->sessions[at % l->session_count];
    if (s->busy && !take(l, s, err)) return false;
    s->busy = true;
    s->lenient = lenient;
    s->meets = meets;
    l->sent++;
    return db_send(s->db, DB_COM_QUERY, sql, err);
}

bool lead_push_drain(struct leader *l, struct err *err)
{
    bool ok = true;
    struct err local, *to = err;
    for (size_t i = 0; i < l->session_count; i++) {
        if (!l->sessions[i].busy || take(l, &l->sessions[i], to)) continue;
        ok = false;
        to = &local; /* the first one's is told */
    }
    return ok;
}

bool lead_push_alone(struct leader *l, const char *database, struct slice sql, struct err *err)
{
    if (!lead_push_drain(l, err) || !open_proxy(l, database, LEAD_DDL_MS, err)) return false;
    struct lead_session *s = &l->sessions[l->session_count - 1];
    /* The proxy takes a report of progress for the reply, and then does not pass on the reply. */
    if (!db_exec(s->db, err, "SET progress_report_time=0")) return false;
    s->busy = s->lenient = true;
    s->meets = false;
    l->sent++;
    bool ok = db_send(s->db, DB_COM_QUERY, sql, err) && take(l, s, err);
    pthread_mutex_lock(&l->lock);
    l->session_count--;
    pthread_mutex_unlock(&l->lock);
    db_close(s->db);
    return ok;
}

/* ---- markers ---- */

static void put_marker(struct leader *l, const char *filler, uint64_t number, struct buf *sql)
{
    buf_clear(sql);
    leader_sql_context(0, false, sql);
    buf_printf(sql, "INSERT %sINTO `wolfcdc`.`marker` (log_uuid,sink,number) VALUES ('%s','%s',%llu) ON DUPLICATE KEY UPDATE number=VALUES(number)",
               filler, l->uuid, l->settings->position_name, (unsigned long long)number);
}

bool lead_push_marker(struct leader *l, uint64_t *number, struct err *err)
{
    if (!lead_push_drain(l, err)) return false;
    *number = ++l->marker;
    put_marker(l, "", *number, &l->scratch);
    return lead_push_send(l, 0, buf_bytes(&l->scratch), false, false, err) && lead_push_drain(l, err);
}

static bool read_marker(struct leader *l, struct lead_node *node, uint64_t *number, struct err *err)
{
    struct db_result *r;
    if (!lead_await(l, node->db, LEAD_READ_MS, err) || !db_answer(node->db, &r, err)) return err_context(err, "node %s", node->name);
    *number = r->row_count ? strtoull(db_value(r, 0, 0, NULL), NULL, 10) : 0;
    db_result_free(r);
    return true;
}

/* Whether each node has it, or a later one of this connection. */
static bool look_for(struct leader *l, uint64_t number, const char **missing, struct err *err)
{
    bool ok = true;
    struct err local, *to = err;
    size_t asked = 0;
    uint64_t got = 0;
    *missing = NULL;
    buf_clear(&l->scratch);
    buf_printf(&l->scratch, "SELECT number FROM wolfcdc.marker WHERE log_uuid='%s' AND sink='%s'", l->uuid, l->settings->position_name);
    for (; ok && asked < l->count; asked++) ok = db_ask(l->nodes[asked].db, buf_bytes(&l->scratch), to);
    for (size_t i = 0; i < asked; i++) {
        if (!read_marker(l, &l->nodes[i], &got, ok ? to : &local)) ok = false;
        else if (got < number || got > l->marker) *missing = l->nodes[i].name;
    }
    return ok;
}

/* A marker can be lost as any entry can: another one comes behind the same statements. */
bool lead_push_arrived(struct leader *l, uint64_t number, struct err *err)
{
    uint64_t from = clock_us(), sent = from, ignored;
    const char *missing;
    for (;;) {
        uint64_t now = clock_us();
        if (!look_for(l, number, &missing, err)) return false;
        l->unarrived = missing && now - from > LEAD_ARRIVE_MS * 1000ull;
        if (!missing) return true; /* a stop waits for this: what was pushed had better be proven */
        if (!lead_watch(l, err)) return false;
        if (l->unarrived)
            return err_set(err, ERR_RETRY, "markers written through the leader do not arrive on node %s for %d s", missing, LEAD_ARRIVE_MS / 1000);
        if (now - sent > AGAIN_US) {
            if (!lead_push_marker(l, &ignored, err)) return false;
            sent = now;
        }
        clock_sleep_ms(POLL_MS);
    }
}

/* ---- fillers ---- */

static bool put_filler(struct leader *l, char *comment, struct err *err)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t noise[FILLER_BYTES];
    size_t have = 0, at = 3;
    while (have < sizeof noise) {
        ssize_t n = getrandom(noise + have, sizeof noise - have, 0);
        if (n > 0) have += (size_t)n;
    }
    memcpy(comment, "/* ", 3);
    for (size_t i = 0; i < sizeof noise; i++) {
        comment[at++] = digits[noise[i] >> 4];
        comment[at++] = digits[noise[i] & 15];
    }
    memcpy(comment + at, " */ ", 5);
    put_marker(l, comment, l->marker, &l->scratch);
    return lead_push_send(l, 0, buf_bytes(&l->scratch), false, false, err);
}

bool lead_push_filler(struct leader *l, size_t bytes, struct err *err)
{
    char comment[2 * FILLER_BYTES + 8];
    size_t count = bytes / (2 * FILLER_BYTES) + 2;
    for (size_t i = 0; i < count; i++) {
        if (!put_filler(l, comment, err) || !lead_watch(l, err)) return false;
        if (sink_stopping(l->sink)) return err_set(err, ERR_RETRY, "stopped while turning the leader's segment");
    }
    return lead_push_drain(l, err);
}

/* ---- the barrier ---- */

static bool asked_since(const struct node_answer *a, uint64_t when) { return a->reached && a->answered_us >= when + a->took_ms * 1000ull; }

/* The leader says its log's end anew every 100 ms. */
bool lead_push_end(struct leader *l, uint64_t least, uint64_t *end, struct err *err)
{
    uint64_t from = clock_us() + REFRESH_US, until = from + LEAD_ARRIVE_MS * 1000ull;
    for (;;) {
        const struct node_answer *a = &l->answers[l->leader];
        if (!lead_watch(l, err)) return false;
        *end = a->current_lsn;
        if (asked_since(a, from) && *end >= least) return true;
        if (sink_stopping(l->sink)) return err_set(err, ERR_RETRY, "stopped while waiting for the leader's log");
        if (clock_us() > until)
            return err_set(err, ERR_RETRY, "the leader's log stands at %llu, and should be at %llu: it has lost statements", (unsigned long long)*end,
                           (unsigned long long)least);
        clock_sleep_ms(LOOK_MS);
    }
}

static bool followers_at(struct leader *l, uint64_t end, struct err *err)
{
    uint64_t until = clock_us() + LEAD_ARRIVE_MS * 1000ull;
    for (;;) {
        const char *behind = NULL;
        if (!lead_watch(l, err)) return false;
        for (size_t i = 0; i < l->count; i++)
            if ((int)i != l->leader && l->answers[i].applied_lsn < end && l->answers[i].current_lsn < end) behind = l->nodes[i].name;
        if (!behind) return true;
        if (sink_stopping(l->sink)) return err_set(err, ERR_RETRY, "stopped while waiting for followers");
        if (clock_us() > until) return err_set(err, ERR_RETRY, "node %s has not applied the leader's log up to %llu", behind, (unsigned long long)end);
        clock_sleep_ms(LOOK_MS);
    }
}

bool lead_push_barrier(struct leader *l, struct err *err)
{
    uint64_t end;
    if (!lead_push_drain(l, err) || !lead_push_end(l, l->base + l->sent, &end, err) || !followers_at(l, end, err)) return false;
    l->base = end;
    l->sent = 0;
    return true;
}

bool lead_push_raise(struct leader *l, uint64_t count, struct err *err)
{
    for (uint64_t i = 0; i < count; i++) {
        put_marker(l, "", l->marker, &l->scratch);
        if (!lead_push_send(l, (size_t)i, buf_bytes(&l->scratch), false, false, err)) return false;
        if (sink_stopping(l->sink)) return err_set(err, ERR_RETRY, "stopped while raising the leader's log");
    }
    return lead_push_drain(l, err);
}
