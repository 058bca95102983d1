/*
 * leader.c: delivery = "leader", the order of it all. See leader.h.
 *
 *   connect   one leader, every node there, its log ahead of all ─► a marker through its proxy arrives on every node ─► if a connection before this
 *             one left statements on their way: every follower past them, then the tables that ever went this way compared with the source and put
 *             right ─► the nodes' own sinks rest at one LSN ─► from there on the batches are pushed
 *   else      an error: the nodes' own sinks deliver ("direct"), whoever leads, until it can be tried again
 *
 * The nodes' own sinks of this delivery always forgive (sink_forgive, sinks.c): a statement that was pushed and not proven may have changed
 * a row before they come to it.
 */
#include "leader.h"

#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "log.h"

enum { VERDICT_MS = 1000, MEMBERS_MS = 3000, PARK_MS = 120000, STEP_MS = 5, RAISE_FIRST = 1000, RAISE_MAX = 1000000, EMPTY_EVERY_US = 1000000 };

static const char resting[] = "its node is served through the leader";

/* ---- the cluster ---- */

static bool wait_fit(struct leader *l, struct err *err)
{
    uint64_t until = clock_us() + VERDICT_MS * 1000ull;
    while (!lead_look(l, 200)) {
        if (sink_stopping(l->sink) || clock_us() > until) return lead_unfit(l, err);
    }
    l->leader = l->verdict.leader;
    snprintf(l->leader_id, sizeof l->leader_id, "%s", l->answers[l->leader].id);
    l->base = l->answers[l->leader].current_lsn;
    l->sent = 0;
    return true;
}

/* What a follower has applied: what it says, or, when it says nothing (silent) and takes nothing, the most that it has said before. */
static uint64_t claimed(const struct leader *l, const struct node_answer *a)
{
    uint64_t lsn = a->applied_lsn > a->current_lsn ? a->applied_lsn : a->current_lsn;
    return lsn || !l->unarrived ? lsn : a->lsn_max;
}

static uint64_t furthest_follower(const struct leader *l, bool *silent)
{
    uint64_t most = 0;
    *silent = false;
    for (size_t i = 0; i < l->count; i++) {
        const struct node_answer *a = &l->answers[i];
        if ((int)i == l->leader) continue;
        if (claimed(l, a) > most) most = claimed(l, a);
        *silent |= !a->applied_lsn && !a->current_lsn;
    }
    return most;
}

/* Followers leave out what is not above their own LSN. The nodes were not asked at one moment: only the leader's answer to come counts. A follower that was
   restarted says 0 until it has executed something: when markers do not come to it, and nobody knows how far it is, the leader's log is raised by more each time. */
static bool wait_ahead(struct leader *l, struct err *err)
{
    uint64_t least, end;
    bool silent;
    if (l->verdict.ahead && !l->unarrived) return true;
    least = furthest_follower(l, &silent);
    if (!lead_push_end(l, 0, &end, err)) return false;
    if (end >= least) {
        if (!l->unarrived || !silent) return true;
        least = end + l->raise;
        if (l->raise < RAISE_MAX) l->raise *= 2;
    }
    if (least - end > RAISE_MAX) return err_set(err, ERR_RETRY, "the leader's log stands %llu entries below a follower's", (unsigned long long)(least - end));
    log_info("leader.raise", "sink=%s leader=%s lsn=%llu others=%llu text=\"the leader's log is below a follower's%s: raised with entries that change nothing\"",
             l->settings->name, l->leader_id, (unsigned long long)end, (unsigned long long)least, silent ? ", as far as that says" : "");
    return lead_push_raise(l, least - end + 1, err) && lead_push_end(l, least, &end, err);
}

/* ---- the nodes' own sinks ---- */

static bool serves(enum sink_state state) { return state == SINK_STREAMING || state == SINK_IDLE || state == SINK_PARKED; }

static bool stopped(enum sink_state state) { return state == SINK_CONFLICT || state == SINK_GONE || state == SINK_STOPPED || state == SINK_PAUSED; }

/* A node whose own sink cannot deliver would not be right afterwards, either. */
static bool wait_members(struct leader *l, struct err *err)
{
    uint64_t until = clock_us() + MEMBERS_MS * 1000ull;
    for (size_t i = 0; i < l->count;) {
        struct sink_status status;
        sink_status_of(l->nodes[i].member, &status);
        if (serves(status.state)) {
            i++;
            continue;
        }
        if (stopped(status.state) || sink_stopping(l->sink) || clock_us() > until)
            return err_set(err, ERR_RETRY, "delivery to node %s is %s: %s", l->nodes[i].name, sink_state_name(status.state), status.reason);
        clock_sleep_ms(STEP_MS);
    }
    return true;
}

static bool wait_parked(struct leader *l, size_t i, bool forever, uint64_t *lsn, struct err *err)
{
    uint64_t until = clock_us() + PARK_MS * 1000ull;
    while (!sink_is_parked(l->nodes[i].member, lsn)) {
        struct sink_status status;
        sink_status_of(l->nodes[i].member, &status);
        if (stopped(status.state)) return err_set(err, ERR_RETRY, "delivery to node %s is %s: %s", l->nodes[i].name, sink_state_name(status.state), status.reason);
        if (sink_stopping(l->sink)) return err_set(err, ERR_RETRY, "stopped while waiting for the sink of node %s", l->nodes[i].name);
        if (!lead_watch(l, err)) return false;
        if (!forever && clock_us() > until) return err_set(err, ERR_RETRY, "the sink of node %s does not come to rest", l->nodes[i].name);
        clock_sleep_ms(STEP_MS);
    }
    return true;
}

static bool wait_all_parked(struct leader *l, bool forever, uint64_t *least, uint64_t *most, struct err *err)
{
    *least = UINT64_MAX;
    *most = 0;
    for (size_t i = 0; i < l->count; i++) {
        uint64_t lsn;
        if (!wait_parked(l, i, forever, &lsn, err)) return false;
        if (lsn < *least) *least = lsn;
        if (lsn > *most) *most = lsn;
    }
    return true;
}

/* All at rest at one LSN. What may still lie between *least and the greatest of theirs are transactions without any row for them. */
static bool park(struct leader *l, uint64_t *least, struct err *err)
{
    uint64_t most, lsn;
    l->on_leader = true;
    for (size_t i = 0; i < l->count; i++) sink_park(l->nodes[i].member, 0, resting);
    if (!wait_all_parked(l, false, least, &most, err)) return false;
    for (size_t i = 0; i < l->count; i++)
        if (sink_is_parked(l->nodes[i].member, &lsn) && lsn < most) sink_park(l->nodes[i].member, most, resting);
    return wait_all_parked(l, false, least, &most, err);
}

static void unpark(struct leader *l)
{
    if (!l->on_leader) return;
    l->on_leader = false;
    for (size_t i = 0; i < l->count; i++) sink_park(l->nodes[i].member, UINT64_MAX, "");
}

static bool check_positions(struct leader *l, struct err *err)
{
    if (!lead_nodes_positions(l, err)) return false;
    for (size_t i = 0; i < l->count; i++) {
        uint64_t lsn;
        if (!sink_is_parked(l->nodes[i].member, &lsn)) return err_set(err, ERR_RETRY, "the sink of node %s does not rest", l->nodes[i].name);
        if (l->nodes[i].position != lsn)
            return err_set(err, ERR_RETRY, "node %s says that it has everything up to LSN %llu, its sink says %llu", l->nodes[i].name,
                           (unsigned long long)l->nodes[i].position, (unsigned long long)lsn);
    }
    return true;
}

/* ---- connecting ---- */

static bool create(struct sink *sink, void **self, struct err *err)
{
    struct leader *l = calloc(1, sizeof *l);
    (void)err;
    if (!l || !(l->answers = calloc(NODES_MAX, sizeof *l->answers))) abort();
    l->sink = sink;
    l->settings = sink_settings(sink);
    l->leader = -1;
    l->batch_rows = LEAD_BATCH_ROWS_FIRST;
    l->raise = RAISE_FIRST;
    snprintf(l->uuid, sizeof l->uuid, "%s", wal_uuid(sink_wal(sink)));
    pthread_mutex_init(&l->lock, NULL);
    l->targets = targets_new();
    leader_writer_init(&l->writer);
    buf_init(&l->scratch, LEADER_SQL_MAX);
    arena_init(&l->batch.arena);
    arena_init(&l->batch.transaction);
    *self = l;
    return true;
}

/* DDL that came late has undone what came after it on that node; rows cannot put that right. While all rest at one LSN, one node can be made as another. */
static bool settle_definitions(struct leader *l, const struct strings *tables, struct err *err)
{
    uint64_t least;
    size_t made;
    if (!park(l, &least, err) || !check_positions(l, err) || !cluster_redefine(l->cluster, tables, &made, err)) return false;
    return !made || err_set(err, ERR_RETRY, "%zu table(s) were made anew after late DDL: compared once more", made);
}

static bool settle_tables(struct leader *l, const struct strings *tables, struct err *err)
{
    struct err rows = {0};
    if (!tables->count) return true;
    bool equal = cluster_settle(l->cluster, tables, &rows);
    if (equal || rows.code == ERR_STOP) { /* ERR_STOP: what rows cannot put right */
        if (!settle_definitions(l, tables, err)) return false;
        if (equal) return true;
    }
    *err = rows;
    return false;
}

/* Statements that a connection before this one left on their way may have come since: whatever they changed is put right. */
static bool settle(struct leader *l, struct err *err)
{
    struct strings tables;
    bool open, ok = lead_nodes_left(l, &open, &tables, err);
    l->open_noted = ok && open;
    if (ok && open) {
        cluster_way(l->cluster, "direct", "statements were on their way when the leader's way ended: every follower has to be past them, and the tables compared", "");
        ok = lead_push_barrier(l, err) && settle_tables(l, &tables, err) && lead_watch(l, err);
    }
    for (size_t i = 0; i < tables.count; i++) free((void *)(uintptr_t)tables.items[i]);
    free(tables.items);
    return ok;
}

static bool open_way(struct leader *l, uint64_t *delivered, struct err *err)
{
    uint64_t number;
    return wait_fit(l, err) && wait_members(l, err) && lead_nodes_open(l, err) && lead_push_open(l, err) && wait_ahead(l, err) &&
           lead_push_marker(l, &number, err) && lead_push_arrived(l, number, err) && settle(l, err) && park(l, delivered, err) &&
           check_positions(l, err);
}

/* The nodes' own sinks go on at once (disconnect), whatever this was; it is tried again. */
static bool direct(struct leader *l, struct err *err)
{
    struct err local = {0};
    if (!err) err = &local;
    err->code = ERR_RETRY;
    cluster_way(l->cluster, "direct", err->text, l->verdict.remedy);
    return false;
}

/* Whoever they are now; nothing is connected. */
static void meet_nodes(struct leader *l)
{
    struct sink *members[NODES_MAX];
    struct node_settings nodes[NODES_MAX];
    size_t count = cluster_members(l->cluster, members, nodes, &l->changes);
    pthread_mutex_lock(&l->lock);
    l->count = count;
    for (size_t i = 0; i < count; i++) {
        l->nodes[i].member = members[i];
        l->nodes[i].address = nodes[i];
        snprintf(l->nodes[i].name, sizeof l->nodes[i].name, "%.280s", nodes[i].host);
    }
    pthread_mutex_unlock(&l->lock);
}

static bool connect_cluster(void *self, uint64_t *delivered, uint64_t *begin, struct err *err)
{
    struct leader *l = self;
    *begin = 0;
    l->cluster = sink_cluster(l->sink);
    meet_nodes(l);
    if (!open_way(l, delivered, err)) return direct(l, err);
    l->dirty = false;
    l->raise = RAISE_FIRST;
    cluster_way(l->cluster, "leader", "", "");
    sink_server(l->sink, l->nodes[l->leader].name, db_version(l->nodes[l->leader].db)->text);
    sink_say(l->sink, "");
    log_info("leader.connected", "sink=%s leader=%s id=%s lsn=%llu", l->settings->name, l->nodes[l->leader].name, l->leader_id, (unsigned long long)*delivered);
    return true;
}

static void disconnect(void *self)
{
    struct leader *l = self;
    struct err ignored;
    /* In order, and all proven: the next connection has nothing to look for. */
    if (l->on_leader && l->open_noted && !l->dirty && sink_stopping(l->sink) && !lead_nodes_note_open(l, false, &ignored))
        log_debug("leader.open", "sink=%s error=\"%s\"", l->settings->name, ignored.text);
    lead_push_close(l);
    lead_nodes_close(l);
    lead_batch_forget(l);
    l->open_noted = false;
    unpark(l);
}

static void destroy(void *self)
{
    struct leader *l = self;
    if (!l) return;
    lead_push_close(l);
    lead_nodes_close(l);
    lead_batch_forget(l);
    targets_free(l->targets);
    leader_writer_fini(&l->writer);
    buf_fini(&l->scratch);
    arena_fini(&l->batch.arena);
    arena_fini(&l->batch.transaction);
    free(l->batch.staged.items);
    free(l->batch.steps.items);
    free(l->batch.apart.items);
    free(l->batch.directs);
    free(l->batch.pushes);
    free(l->before);
    free(l->after);
    free(l->answers);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

static void interrupt(void *self)
{
    struct leader *l = self;
    pthread_mutex_lock(&l->lock);
    for (size_t i = 0; i < l->count; i++)
        if (l->nodes[i].db) db_shutdown(l->nodes[i].db);
    for (size_t i = 0; i < l->session_count; i++) db_shutdown(l->sessions[i].db);
    pthread_mutex_unlock(&l->lock);
}

/* ---- delivering ---- */

/* Large batches cost less a row, but their position is stored, and the nodes' own sinks can take over, only at their end. */
static void fit_batches(struct leader *l, uint64_t rows, uint64_t took_ms)
{
    if (took_ms > LEAD_BATCH_LONG_MS && l->batch_rows > LEAD_BATCH_ROWS_LEAST) l->batch_rows /= 2;
    if (took_ms < LEAD_BATCH_SHORT_MS && rows >= l->batch_rows && l->batch_rows < LEAD_BATCH_ROWS) l->batch_rows *= 2;
}

/* The batch: pushed, proven, and its position stored. */
static bool deliver(struct leader *l, struct err *err)
{
    struct lead_batch *b = &l->batch;
    uint64_t from = clock_us(), proven;
    if (!b->progress.transactions) return true;
    if (!lead_durable(l, b->progress.lsn, err) || !lead_batch_build(l, err) || !lead_proof_push(l, err)) return false;
    proven = clock_us();
    b->progress.groups = 1;
    if (!lead_nodes_store(l, &b->progress, &b->gtids, err)) return false;
    for (size_t i = 0; i < l->count; i++) sink_advance(l->nodes[i].member, &b->progress);
    sink_confirm(l->sink, &b->progress);
    l->emptied_us = clock_us();
    log_debug("leader.batch", "sink=%s lsn=%llu transactions=%llu rows=%llu statements=%u in_order=%u direct=%u prove_ms=%llu store_ms=%llu", l->settings->name,
              (unsigned long long)b->progress.lsn, (unsigned long long)b->progress.transactions, (unsigned long long)b->progress.rows, b->count, b->ordered,
              b->direct_count, (unsigned long long)(proven - from) / 1000, (unsigned long long)(l->emptied_us - proven) / 1000);
    fit_batches(l, b->rows, (l->emptied_us - from) / 1000);
    lead_batch_clear(l);
    return true;
}

static void put_away(struct leader *l)
{
    struct lead_batch *b = &l->batch;
    if (b->own.statements) lead_batch_forget(l);
    b->open = false;
    b->handed = NULL;
    b->ddl = NULL;
}

static void finish(struct leader *l, const struct change *commit)
{
    struct lead_batch *b = &l->batch;
    b->own.lsn = commit->lsn;
    b->own.gtid = commit->gtid;
    b->own.timestamp = commit->timestamp;
    b->own.transactions = 1;
}

/* A transaction that cannot go through the proxy: the nodes' own sinks deliver it, and nothing else. */
static bool give(struct leader *l, const struct change *commit, struct err *err)
{
    struct lead_batch *b = &l->batch;
    uint64_t least, most;
    log_debug("leader.given", "sink=%s lsn=%llu text=\"delivered to each node directly: %s\"", l->settings->name, (unsigned long long)commit->lsn, b->handed);
    for (size_t i = 0; i < l->count; i++) sink_park(l->nodes[i].member, commit->lsn, resting);
    if (!wait_all_parked(l, true, &least, &most, err) || !check_positions(l, err)) return false;
    if (least != commit->lsn || most != commit->lsn)
        return err_set(err, ERR_RETRY, "the nodes' own sinks stand at LSN %llu and %llu instead of %llu", (unsigned long long)least, (unsigned long long)most,
                       (unsigned long long)commit->lsn);
    finish(l, commit);
    sink_confirm(l->sink, &b->own);
    put_away(l);
    return true;
}

static bool push_ddl(struct leader *l, const struct change *commit, struct err *err)
{
    struct lead_batch *b = &l->batch;
    if (!lead_durable(l, commit->lsn, err) || !lead_ddl_push(l, err)) return false;
    finish(l, commit);
    if (!lead_nodes_store(l, &b->own, &commit->commit->pos.gtids, err)) return false;
    for (size_t i = 0; i < l->count; i++) sink_advance(l->nodes[i].member, &b->own);
    sink_confirm(l->sink, &b->own);
    put_away(l);
    return true;
}

static bool on_commit(struct leader *l, const struct change *change, struct err *err)
{
    if (l->batch.handed) return deliver(l, err) && (l->batch.ddl ? push_ddl(l, change, err) : give(l, change, err));
    return lead_batch_commit(l, change, err) && (!lead_batch_full(l) || deliver(l, err));
}

static bool take_change(void *self, const struct change *change, struct err *err)
{
    struct leader *l = self;
    bool ok = lead_watch(l, err) && (change->kind == CHANGE_COMMIT ? on_commit(l, change, err) : lead_batch_change(l, change, err));
    return ok || direct(l, err);
}

static bool flush_batch(struct leader *l, bool *busy, struct err *err)
{
    struct lead_batch *b = &l->batch;
    *busy = false;
    if (!lead_watch(l, err)) return false;
    if (b->open) return true;
    if (!b->progress.transactions) return lead_nodes_tend(l, err);
    if (!b->progress.rows && clock_us() - l->emptied_us < EMPTY_EVERY_US) return true;
    *busy = true;
    return deliver(l, err);
}

static bool flush(void *self, bool *busy, struct err *err)
{
    struct leader *l = self;
    return flush_batch(l, busy, err) || direct(l, err);
}

const struct sink_ops sink_leader = {
    .type = "wolfscale", .create = create, .connect = connect_cluster, .change = take_change, .flush = flush, .disconnect = disconnect,
    .destroy = destroy, .interrupt = interrupt,
};
