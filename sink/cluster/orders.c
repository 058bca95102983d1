/*
 * orders.c: see cluster.h. The operator's orders: one thread carries them out, one at a time, out of the way of any change.
 *
 * A seed goes one of the ways of seed_way.h. Whichever it is, what goes through the leader comes to rest first, in order. What a kill leaves at each step:
 *
 *   catch-up   a node whose own sink goes on after the next start, as it would have without the order
 *   log        before its position is gone: the node as it was. Then, until it is empty: a node without a position, which says that it is to be seeded. Then:
 *              a new node, whose sink begins with the log's first transaction by itself
 *   copy       likewise; its position is the last that it gets
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "cluster_parts.h"
#include "log.h"
#include "seed.h"
#include "seed_way.h"
#include "thread.h"

enum { CONNECT_WAIT_MS = 30000 };

static const char *const order_names[] = {[NODE_VERIFY] = "verify", [NODE_REPAIR] = "repair", [NODE_REPAIR_DRY] = "repair --dry-run", [NODE_SEED] = "seed",
                                          [NODE_SEED_DRY] = "seed --dry-run"};

void ordered_say(void *context, const char *format, ...)
{
    struct ordered *at = context;
    struct cluster *c = at->cluster;
    va_list args;
    va_start(args, format);
    pthread_mutex_lock(&c->lock);
    vsnprintf(c->order[at->node].text, sizeof c->order[at->node].text, format, args);
    pthread_mutex_unlock(&c->lock);
    va_end(args);
}

bool ordered_stopping(void *context) { return cluster_stopping(((struct ordered *)context)->cluster); }

/* One that connects, as all do when the leader's way ends, has still to show it. */
static bool serves(struct cluster *c, size_t node)
{
    struct sink_status delivery;
    uint64_t until = clock_us() + CONNECT_WAIT_MS * 1000ull;
    for (;;) {
        sink_status_of(c->members[node], &delivery);
        if (delivery.state != SINK_CONNECTING || cluster_stopping(c) || clock_us() > until) break;
        clock_sleep_ms(20);
    }
    return delivery.state == SINK_STREAMING || delivery.state == SINK_IDLE || delivery.state == SINK_PARKED;
}

static enum proof_state proof_of(struct cluster *c, size_t node)
{
    struct proof_status proof = {.state = PROOF_OFF};
    if (c->proof) proof_status(c->proof, node, &proof);
    return proof.state;
}

/* The one that the operator named. */
static bool check_donor(struct cluster *c, size_t node, struct err *err)
{
    struct sink_status delivery;
    sink_status_of(c->members[node], &delivery);
    if (!serves(c, node))
        return err_set(err, ERR_STOP, "node %s cannot be the source: its delivery is %s: %s", c->addresses[node].host,
                       sink_state_name(delivery.state), delivery.reason);
    return proof_of(c, node) != PROOF_DIFFERENT ||
           err_set(err, ERR_STOP, "node %s cannot be the source: it differs itself (wolfctl nodes)", c->addresses[node].host);
}

/* A node that has what the log says, and was proven: the first such, or one that is compared now, when no round is over yet. */
static bool find_donor(struct ordered *at, size_t *donor, struct err *err)
{
    struct cluster *c = at->cluster;
    uint64_t differences;
    for (size_t i = 0; i < c->count; i++)
        if (i != at->node && !is_gone(c, i) && serves(c, i) && (proof_of(c, i) == PROOF_EQUAL || proof_of(c, i) == PROOF_IN_FLIGHT)) return *donor = i, true;
    for (size_t i = 0; i < c->count && c->proof; i++)
        if (i != at->node && !is_gone(c, i) && serves(c, i) && proof_of(c, i) != PROOF_DIFFERENT) {
            if (!proof_round(c->proof, (int)i, NULL, PROOF_COUNT, ordered_say, at, &differences, err)) return err_context(err, "comparing %s first", c->addresses[i].host);
            if (!differences) return *donor = i, true;
        }
    return err_set(err, ERR_STOP, "no other node is proven: wolfctl nodes verify, or name one that is right: --from NODE");
}

/* ---- seeding ---- */

/* It ends what it is at: for a DDL statement or a comparison that may be long. */
static bool rest(struct ordered *at, struct sink *sink, const char *why, struct err *err)
{
    uint64_t lsn;
    sink_park(sink, 0, why);
    while (!sink_is_parked(sink, &lsn)) {
        if (cluster_stopping(at->cluster)) return err_set(err, ERR_RETRY, "the agent is stopping");
        ordered_say(at, "seed: waits for %s to come to rest", sink_settings(sink)->name);
        clock_sleep_ms(20);
    }
    return true;
}

/* In order, so that nothing of its is on the way to the node any more; the other nodes' own sinks deliver meanwhile. */
static bool rest_leader(struct ordered *at, struct err *err)
{
    struct cluster *c = at->cluster;
    char reason[300];
    if (!c->leader) return true;
    snprintf(reason, sizeof reason, "node %.250s is being seeded", c->addresses[at->node].host);
    if (!rest(at, c->leader, reason, err)) return false;
    cluster_way(c, "direct", reason, "");
    return true;
}

static bool rest_node(struct ordered *at, struct err *err)
{
    return rest_leader(at, err) && rest(at, at->cluster->members[at->node], "being seeded", err);
}

static void let_all_go_on(struct ordered *at)
{
    sink_park(at->cluster->members[at->node], UINT64_MAX, "");
    if (at->cluster->leader) sink_park(at->cluster->leader, UINT64_MAX, "");
}

static struct sink *donor_of(const struct ordered *at) { return at->cluster->members[at->donor]; }

static bool rest_donor(void *at, struct err *err) { return rest(at, donor_of(at), "another node is being seeded from it", err); }

static void release_donor(void *at) { sink_park(donor_of(at), UINT64_MAX, ""); }

/* What the giver gets from now on, the node will need from the log. */
static void hold_what_comes(struct cluster *c, size_t node, size_t source)
{
    struct sink_status giver;
    sink_status_of(c->members[source], &giver);
    sink_hold_from(c->members[node], giver.lsn);
}

struct seeding {
    struct ordered at;
    int from;                   /* the donor that was named, -1, or CLUSTER_FROM_LOG */
    enum seed_way way;
    char why[400];
    uint64_t position;          /* the node's own */
    uint64_t lsn;               /* where it is at the end */
};

static bool read_position(struct cluster *c, size_t node, struct seed_facts *facts, struct err *err)
{
    enum { NO_SUCH_DATABASE = 1049, NO_SUCH_TABLE = 1146 };
    struct server_settings server = cluster_node_server(c, node);
    struct db_options options = {0};
    struct err local = {0};
    struct db *db;
    char lsn[24] = "";
    if (!err) err = &local;
    settings_server(&server, "node", &options);
    if (!db_open(&options, &db, err)) return false;
    bool ok = db_scalar(db, lsn, sizeof lsn, &facts->has_position, err, "SELECT last_lsn FROM wolfcdc.position WHERE log_uuid='%s' AND sink='%s' "
                        "ORDER BY previous_lsn DESC LIMIT 1", wal_uuid(c->wal), c->settings->position_name);
    db_close(db);
    if (!ok && err->number != NO_SUCH_TABLE && err->number != NO_SUCH_DATABASE) return err_context(err, "node %s", c->addresses[node].host);
    if (!ok) facts->has_position = false;
    if (!ok) err_clear(err);
    facts->position = facts->has_position ? strtoull(lsn, NULL, 10) : 0;
    return true;
}

static bool find_way(struct cluster *c, struct seeding *s, struct err *err)
{
    size_t node = s->at.node;
    struct seed_facts facts = {.donor_named = s->from >= 0, .log_named = s->from == CLUSTER_FROM_LOG, .proof = c->proof};
    struct sink_status delivery;
    struct wal_points points;
    char birth[300] = "";
    facts.differs = proof_of(c, node) == PROOF_DIFFERENT;
    facts.not_whole = birth;
    sink_status_of(c->members[node], &delivery);
    facts.stuck = delivery.state == SINK_CONFLICT || (delivery.state == SINK_STOPPED && !delivery.lost_position);
    wal_points(c->wal, &points);
    facts.first = points.first;
    facts.written = points.written;
    if (!read_position(c, node, &facts, err)) return false;
    if (!c->settings->apply_ddl) snprintf(birth, sizeof birth, "apply_ddl is off: the tables would not be made");
    else if (facts.log_named && !seed_birth(c->all->wal.dir, c->wal, birth, sizeof birth, err)) return err_context(err, "the log");
    s->position = facts.position;
    s->way = seed_way_choose(&facts, s->why, sizeof s->why);
    return s->way != SEED_REFUSED || err_set(err, ERR_STOP, "the log cannot: %s", s->why);
}

/* Its own sink delivers, from where the node is to where the log is now. */
static bool await_delivery(struct seeding *s, struct err *err)
{
    struct cluster *c = s->at.cluster;
    struct sink *member = c->members[s->at.node];
    struct sink_status status;
    struct wal_points points;
    wal_points(c->wal, &points);
    sink_park(member, UINT64_MAX, "");
    for (;;) {
        sink_status_of(member, &status);
        s->lsn = status.lsn;
        if ((status.state == SINK_STREAMING || status.state == SINK_IDLE) && status.lsn >= points.commit) return true;
        if (status.state == SINK_PAUSED) return err_set(err, ERR_RETRY, "its sink is paused; what to do: wolfctl resume --sink %s", status.name);
        if (status.state == SINK_CONFLICT || status.state == SINK_GONE || status.state == SINK_STOPPED)
            return err_set(err, ERR_STOP, "its sink is %s: %.300s", sink_state_name(status.state), status.reason);
        if (cluster_stopping(c)) return err_set(err, ERR_RETRY, "the agent is stopping; its sink goes on after the next start");
        ordered_say(&s->at, "seeding from the log: LSN %llu of %llu, %.1f MiB to go%s%.150s", (unsigned long long)status.lsn, (unsigned long long)points.commit,
                    (double)status.lag_bytes / MIB, status.state == SINK_RETRYING ? ": " : "", status.state == SINK_RETRYING ? status.reason : "");
        clock_sleep_ms(STEP_MS);
    }
}

static bool prove(struct seeding *s, struct err *err)
{
    uint64_t differences;
    if (!proof_round(s->at.cluster->proof, (int)s->at.node, NULL, PROOF_CERTIFY, ordered_say, &s->at, &differences, err))
        return err_context(err, "the log was delivered up to LSN %llu, but not all was proven", (unsigned long long)s->lsn);
    return !differences || err_set(err, ERR_STOP, "%llu rows differ after the log was delivered", (unsigned long long)differences);
}

/* What follows *after is in the log, and stays there. */
static bool hold_log(struct seeding *s, uint64_t after, struct err *err)
{
    struct cluster *c = s->at.cluster;
    struct wal_points points;
    sink_hold_from(c->members[s->at.node], after);
    wal_points(c->wal, &points);
    return points.first <= after + 1 || err_set(err, ERR_STOP, "what follows LSN %llu was deleted from the log meanwhile", (unsigned long long)after);
}

static bool catch_up(struct seeding *s, struct err *err)
{
    if (!rest_node(&s->at, err) || !hold_log(s, s->position, err)) return false;
    sink_seeded(s->at.cluster->members[s->at.node], s->position); /* it may have stopped; what its position row says counts */
    return await_delivery(s, err) && prove(s, err);
}

static bool replay(struct seeding *s, struct err *err)
{
    struct cluster *c = s->at.cluster;
    struct server_settings take = cluster_node_server(c, s->at.node);
    struct seed_options options = {.all = c->all, .sink = c->settings, .log_uuid = wal_uuid(c->wal), .node = &take, .say = ordered_say, .context = &s->at,
                                   .stopping = ordered_stopping};
    return rest_node(&s->at, err) && hold_log(s, 0, err) && seed_empty(&options, err) && sink_begin_anew(c->members[s->at.node], err) &&
           await_delivery(s, err) && prove(s, err);
}

static bool copy(struct seeding *s, struct err *err)
{
    struct cluster *c = s->at.cluster;
    struct ordered *at = &s->at;
    at->donor = (size_t)s->from;
    if (s->from >= 0 ? !check_donor(c, at->donor, err) : !find_donor(at, &at->donor, err)) return false;
    struct server_settings give = cluster_node_server(c, at->donor), take = cluster_node_server(c, at->node);
    struct seed_options options = {.all = c->all, .sink = c->settings, .log_uuid = wal_uuid(c->wal), .donor = &give, .node = &take,
                                   .say = ordered_say, .context = at, .stopping = ordered_stopping, .rest_donor = rest_donor,
                                   .release_donor = release_donor};
    if (!rest_node(at, err)) return false;
    hold_what_comes(c, at->node, at->donor);
    if (!seed_node(&options, &s->lsn, err)) return false;
    sink_seeded(c->members[at->node], s->lsn);
    return true;
}

typedef bool way_fn(struct seeding *s, struct err *err);
static way_fn *const ways[SEED_WAYS] = {[SEED_CATCH_UP] = catch_up, [SEED_REPLAY] = replay, [SEED_COPY] = copy};

static void say_way(const struct seeding *s)
{
    const struct cluster *c = s->at.cluster;
    log_info("cluster.seed", "sink=%s node=%s way=%s why=\"%s\"", c->settings->cluster, c->addresses[s->at.node].host, seed_way_name(s->way), s->why);
}

/* What catching up did not bring right is copied, unless only the log was to be used; what passes by itself (ERR_RETRY) is not a reason. */
static bool go(struct seeding *s, struct err *err)
{
    char first[300];
    say_way(s);
    if (ways[s->way](s, err)) return true;
    if (s->way != SEED_CATCH_UP || s->from == CLUSTER_FROM_LOG || err->code != ERR_STOP) return false;
    snprintf(first, sizeof first, "%.290s", err->text);
    snprintf(s->why, sizeof s->why, "the log did not do: %s", first);
    s->way = SEED_COPY;
    err_clear(err);
    say_way(s);
    return copy(s, err);
}

static bool seed(struct cluster *c, size_t node, const struct order *order, char *text, size_t room, struct err *err)
{
    static const char *const words[SEED_WAYS] = {[SEED_CATCH_UP] = "brought up to date from the log, and proven", [SEED_REPLAY] = "emptied, given the whole log anew, and proven",
                                                 [SEED_COPY] = "copied from "};
    struct seeding s = {.at = {.cluster = c, .node = node}, .from = order->from};
    bool dry = order->what == NODE_SEED_DRY;
    if (!find_way(c, &s, err)) return false;
    bool ok = dry || go(&s, err);
    if (!dry) let_all_go_on(&s.at);
    if (!ok) return false;
    const char *donor = s.way != SEED_COPY ? "" : dry && s.from < 0 ? "a node that is proven" : c->addresses[dry ? (size_t)s.from : s.at.donor].host;
    if (!dry) log_info("cluster.seeded", "sink=%s node=%s way=%s from=%s lsn=%llu why=\"%s\"", c->settings->cluster, c->addresses[node].host, seed_way_name(s.way),
                       s.way == SEED_COPY ? donor : "log", (unsigned long long)s.lsn, s.why);
    snprintf(text, room, "%s: %s %s%.80s: %.220s", order_names[order->what], dry ? "would be" : "done,", words[s.way], donor, s.why);
    return true;
}

/* node -1: every one. */
static bool look(struct cluster *c, int node, enum node_order what, char *text, size_t room, struct err *err)
{
    struct ordered at = {.cluster = c, .node = node < 0 ? 0 : (size_t)node};
    uint64_t differences = 0;
    if (!c->proof) return err_set(err, ERR_CONFIG, "proof = false in this [[sink]]: nothing is compared");
    if (!proof_round(c->proof, node, NULL, what == NODE_REPAIR ? PROOF_REPAIR : PROOF_COUNT, ordered_say, &at, &differences, err)) return false;
    const char *done = what == NODE_REPAIR ? "put right" : "different";
    snprintf(text, room, "%s: done, %llu rows %s", order_names[what], (unsigned long long)differences, done);
    return true;
}

static bool do_order(struct cluster *c, int node, const struct order *order, char *text, size_t room, struct err *err)
{
    if (order->what == NODE_SEED || order->what == NODE_SEED_DRY) return seed(c, (size_t)node, order, text, room, err);
    return look(c, node, order->what, text, room, err);
}

static void carry_out(struct cluster *c, int node, const struct order *order)
{
    struct err err = {0};
    char text[ORDER_TEXT];
    const char *host = node < 0 ? "*" : c->addresses[node].host;
    log_info("cluster.order", "sink=%s node=%s order=\"%s\"", c->settings->cluster, host, order_names[order->what]);
    snprintf(text, sizeof text, "%s: done", order_names[order->what]);
    bool ok = do_order(c, node, order, text, sizeof text, &err);
    if (!ok) snprintf(text, sizeof text, "%s failed: %.350s", order_names[order->what], err.text);
    if (ok) log_info("cluster.order", "sink=%s node=%s text=\"%s\"", c->settings->cluster, host, text);
    else log_error("cluster.order", "sink=%s node=%s text=\"%s failed: %s\"", c->settings->cluster, host, order_names[order->what], err.text);
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->count; i++) {
        if (node >= 0 ? i != (size_t)node : c->order[i].state != ORDER_RUNNING) continue;
        snprintf(c->order[i].text, sizeof c->order[i].text, "%s", text);
        c->order[i].state = ok ? ORDER_DONE : ORDER_FAILED;
    }
    pthread_mutex_unlock(&c->lock);
}

/* Under lock: the next order, -1 for every node; false: none. */
static bool next_order(struct cluster *c, int *node, struct order *order)
{
    size_t waiting = 0, verify = 0, live = 0;
    for (size_t i = c->count; i-- > 0;) {
        live += !is_gone(c, i);
        if (c->order[i].state != ORDER_WAITING) continue;
        waiting++;
        verify += c->order[i].what == NODE_VERIFY;
        *node = (int)i;
    }
    if (!waiting) return false;
    *order = c->order[*node];
    bool every = verify == live; /* one reading of the source serves them all */
    for (size_t i = 0; i < c->count; i++)
        if ((every && c->order[i].state == ORDER_WAITING) || i == (size_t)*node) c->order[i].state = ORDER_RUNNING;
    if (every) *node = -1;
    return true;
}

void *cluster_orders(void *arg)
{
    struct cluster *c = arg;
    struct order order;
    int node;
    pthread_mutex_lock(&c->lock);
    while (!c->stop) {
        if (!next_order(c, &node, &order)) {
            thread_wait(&c->wake, &c->lock, 60000);
            continue;
        }
        pthread_mutex_unlock(&c->lock);
        carry_out(c, node, &order);
        pthread_mutex_lock(&c->lock);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

bool cluster_order(struct cluster *c, enum node_order what, int node, int from, struct err *err)
{
    if (!c->proof && what != NODE_SEED && what != NODE_SEED_DRY) return err_set(err, ERR_CONFIG, "proof = false in [[sink]] \"%s\": nothing is compared", c->settings->cluster);
    if (from >= 0 && from == node) return err_set(err, ERR_CONFIG, "node %s cannot be seeded from itself", c->addresses[node].host);
    pthread_mutex_lock(&c->lock);
    bool good = true;
    for (size_t i = 0; i < c->count; i++) {
        struct order *order = &c->order[i];
        if (is_gone(c, i) || (node >= 0 && i != (size_t)node)) continue;
        if (order->state == ORDER_WAITING || order->state == ORDER_RUNNING) {
            good = err_set(err, ERR_STOP, "node %s has an order that is not done yet: %s", c->addresses[i].host, order->text);
            break;
        }
        *order = (struct order){.state = ORDER_WAITING, .what = what, .from = from};
        snprintf(order->text, sizeof order->text, "%s: waits for its turn", order_names[what]);
    }
    pthread_cond_broadcast(&c->wake);
    pthread_mutex_unlock(&c->lock);
    return good;
}

