/* orders.c: see cluster.h. The operator's orders: one thread carries them out, one at a time, out of the way of any change. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "cluster_parts.h"
#include "log.h"
#include "seed.h"
#include "thread.h"

static const char *const order_names[] = {[NODE_VERIFY] = "verify", [NODE_REPAIR] = "repair", [NODE_REPAIR_DRY] = "repair --dry-run", [NODE_SEED] = "seed"};

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

static bool serves(struct cluster *c, size_t node)
{
    struct sink_status delivery;
    sink_status_of(c->members[node], &delivery);
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
            if (!proof_round(c->proof, (int)i, NULL, false, ordered_say, at, &differences, err)) return err_context(err, "comparing %s first", c->addresses[i].host);
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

static bool copy(struct ordered *at, int from, uint64_t *lsn, struct err *err)
{
    struct cluster *c = at->cluster;
    at->donor = (size_t)from;
    if (from >= 0 ? !check_donor(c, at->donor, err) : !find_donor(at, &at->donor, err)) return false;
    struct server_settings give = cluster_node_server(c, at->donor), take = cluster_node_server(c, at->node);
    struct seed_options options = {.all = c->all, .sink = c->settings, .log_uuid = wal_uuid(c->wal), .donor = &give, .node = &take,
                                   .say = ordered_say, .context = at, .stopping = ordered_stopping, .rest_donor = rest_donor,
                                   .release_donor = release_donor};
    if (!rest_node(at, err)) return false;
    hold_what_comes(c, at->node, at->donor);
    if (!seed_node(&options, lsn, err)) return false;
    sink_seeded(c->members[at->node], *lsn);
    return true;
}

static bool seed(struct cluster *c, size_t node, int from, struct err *err)
{
    struct ordered at = {.cluster = c, .node = node};
    uint64_t lsn = 0;
    bool ok = copy(&at, from, &lsn, err);
    let_all_go_on(&at);
    if (ok) log_info("cluster.seeded", "sink=%s node=%s from=%s lsn=%llu", c->settings->cluster, c->addresses[node].host,
                     c->addresses[at.donor].host, (unsigned long long)lsn);
    return ok;
}

/* node -1: every one. */
static bool look(struct cluster *c, int node, enum node_order what, char *text, size_t room, struct err *err)
{
    struct ordered at = {.cluster = c, .node = node < 0 ? 0 : (size_t)node};
    uint64_t differences = 0;
    if (!c->proof) return err_set(err, ERR_CONFIG, "proof = false in this [[sink]]: nothing is compared");
    if (!proof_round(c->proof, node, NULL, what == NODE_REPAIR, ordered_say, &at, &differences, err)) return false;
    const char *done = what == NODE_REPAIR ? "put right" : "different";
    snprintf(text, room, "%s: done, %llu rows %s", order_names[what], (unsigned long long)differences, done);
    return true;
}

static void carry_out(struct cluster *c, int node, const struct order *order)
{
    struct err err = {0};
    char text[240];
    const char *host = node < 0 ? "*" : c->addresses[node].host;
    log_info("cluster.order", "sink=%s node=%s order=\"%s\"", c->settings->cluster, host, order_names[order->what]);
    snprintf(text, sizeof text, "%s: done", order_names[order->what]);
    bool ok = order->what == NODE_SEED ? seed(c, (size_t)node, order->from, &err) : look(c, node, order->what, text, sizeof text, &err);
    if (!ok) snprintf(text, sizeof text, "%s failed: %.200s", order_names[order->what], err.text);
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
    if (!c->proof && what != NODE_SEED) return err_set(err, ERR_CONFIG, "proof = false in [[sink]] \"%s\": nothing is compared", c->settings->cluster);
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

