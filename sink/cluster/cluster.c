/*
 * cluster.c: see cluster.h. One thread watches (polls the nodes, judges, keeps the limits), one carries out the operator's orders, one at a
 * time. Neither is in the way of a change: with delivery = "nodes" that goes from the log to each node's own sink, whoever leads.
 */
#include "cluster.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "cluster_parts.h"
#include "log.h"
#include "roster.h"
#include "seed.h"
#include "thread.h"

enum { LIMITS_EVERY_US = 1000000 };

_Static_assert((int)NODES_MAX == (int)NODES_LISTED_MAX && (int)CLUSTER_NODES_MAX == (int)NODES_LISTED_MAX, "one limit");

/* ---- the watch ---- */

static void say_changes(struct cluster *c, const struct nodes_verdict *was, const struct nodes_verdict *is)
{
    if (was->state != is->state || was->leader != is->leader)
        log_info("cluster.state", "sink=%s state=%s leader=%s reason=\"%s\"%s%s%s", c->settings->cluster, cluster_state_name(is->state),
                 is->leader < 0 ? "none" : c->answers[is->leader].id, is->reason, *is->remedy ? " remedy=\"" : "", is->remedy,
                 *is->remedy ? "\"" : "");
    for (size_t i = 0; i < c->count; i++)
        if (was->nodes[i].state != is->nodes[i].state && !is_gone(c, i))
            log_info("cluster.node", "sink=%s node=%s state=%s reason=\"%s\"", c->settings->cluster, c->addresses[i].host,
                     node_state_name(is->nodes[i].state), is->nodes[i].reason);
}

/* What is judged are the nodes that are. */
static void look_over(struct cluster *c)
{
    struct view *view = &c->view;
    view->count = 0;
    for (size_t i = 0; i < c->count; i++) {
        if (is_gone(c, i)) continue;
        view->slots[view->count] = i;
        view->addresses[view->count] = c->addresses[i];
        view->answers[view->count++] = c->heard[i];
    }
}

static void spread(const struct view *view, const struct nodes_verdict *judged, struct nodes_verdict *verdict)
{
    *verdict = *judged;
    if (judged->leader >= 0) verdict->leader = (int)view->slots[judged->leader];
    memset(verdict->nodes, 0, sizeof verdict->nodes);
    for (size_t i = 0; i < view->count; i++) verdict->nodes[view->slots[i]] = judged->nodes[i];
}

static void publish(struct cluster *c)
{
    struct nodes_verdict verdict, was;
    look_over(c);
    nodes_judge(c->view.addresses, c->view.answers, c->view.count, clock_us(), &c->judged);
    spread(&c->view, &c->judged, &verdict);
    pthread_mutex_lock(&c->lock);
    was = c->verdict;
    c->verdict = verdict;
    memcpy(c->answers, c->heard, c->count * sizeof *c->answers);
    c->round++;
    say_changes(c, &was, &verdict);
    pthread_cond_broadcast(&c->wake);
    pthread_mutex_unlock(&c->lock);
}

static bool being_seeded(struct cluster *c, size_t node)
{
    pthread_mutex_lock(&c->lock);
    bool seeded = c->order[node].state == ORDER_RUNNING && c->order[node].what == NODE_SEED;
    pthread_mutex_unlock(&c->lock);
    return seeded;
}

/* A node that holds back more of the log than the operator allows is given up: its part of the log may go, and what comes too. */
static void keep_limit(struct cluster *c, size_t node, uint64_t held_back)
{
    const char *host = c->addresses[node].host;
    bool over = held_back > c->settings->node_hold_mb * MIB && !being_seeded(c, node);
    if (over) sink_let_go(c->members[node]);
    if (over && !c->let_go[node])
        log_error("cluster.node", "sink=%s node=%s text=\"it holds back %llu MiB of the log, more than node_hold_mb = %llu: given up\" "
                  "remedy=\"wolfctl nodes seed %s once it is back\"", c->settings->cluster, host, (unsigned long long)(held_back / MIB),
                  (unsigned long long)c->settings->node_hold_mb, host);
    c->let_go[node] = over;
}

/* A node that waits for its seeding holds nothing back that it could be relieved of. */
static bool holds_nothing(struct cluster *c, size_t node)
{
    uint64_t held;
    return !c->let_go[node] && wal_held(c->wal, sink_settings(c->members[node])->name, &held) && held == WAL_HOLDS_NOTHING;
}

/* What the foremost node has not got either is held back by none: with all of them given up, nobody could seed anybody. */
static void keep_limits(struct cluster *c)
{
    uint64_t now = clock_us(), lag[NODES_MAX], least = UINT64_MAX;
    bool counts[NODES_MAX];
    size_t count = c->count;
    if (!c->settings->node_hold_mb || now - c->limits_us < LIMITS_EVERY_US) return;
    c->limits_us = now;
    for (size_t i = 0; i < count; i++) {
        struct sink_status status;
        counts[i] = !is_gone(c, i) && !holds_nothing(c, i);
        if (!counts[i]) continue;
        sink_status_of(c->members[i], &status);
        lag[i] = status.lag_bytes;
        if (lag[i] < least) least = lag[i];
    }
    for (size_t i = 0; i < count; i++)
        if (counts[i]) keep_limit(c, i, lag[i] - least);
}

bool cluster_stopping(struct cluster *c)
{
    pthread_mutex_lock(&c->lock);
    bool stop = c->stop;
    pthread_mutex_unlock(&c->lock);
    return stop;
}

/* A node that was forgotten is no longer asked; what it said then is nothing that it says when it is back. */
static void heed_forgotten(struct cluster *c)
{
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->count; i++) {
        if (!c->forget[i]) continue;
        node_poll_rest(c->poll, i, true);
        c->heard[i] = (struct node_answer){0};
        c->let_go[i] = c->forget[i] = false;
    }
    pthread_mutex_unlock(&c->lock);
}

/* One that is found has said already who it is: nobody has to wait for that once more. */
static void look_around(struct cluster *c)
{
    struct node_address found;
    struct node_answer answer;
    if (!finder_step(c->finder, c->view.addresses, c->view.answers, c->view.count, clock_us(), &found, &answer)) return;
    if (!roster_take(c->sinks, c, &found)) return;
    for (size_t i = 0; i < c->count; i++)
        if (!is_gone(c, i) && !strcmp(c->addresses[i].host, found.host) && !c->heard[i].since_us) c->heard[i] = answer;
}

static void *watch(void *arg)
{
    struct cluster *c = arg;
    while (!cluster_stopping(c)) {
        node_poll_step(c->poll, c->heard, STEP_MS);
        heed_forgotten(c);
        publish(c); /* also without an answer: that a node is silent is news, too */
        keep_limits(c);
        look_around(c);
    }
    return NULL;
}

struct server_settings cluster_node_server(const struct cluster *c, size_t node)
{
    struct server_settings server = c->settings->server;
    server.host = c->addresses[node].host;
    server.port = c->addresses[node].port;
    return server;
}

/* ---- what is shown ---- */

static const char *node_word(const struct cluster *c, size_t i, const struct sink_status *delivery)
{
    if (delivery->lost_position) return delivery->lsn ? "rebuilt" : "new";
    return node_state_name(c->verdict.nodes[i].state);
}

static void node_fill(struct cluster *c, size_t i, struct node_status *n)
{
    const struct node_answer *a = &c->answers[i];
    const struct sink_settings *part = sink_settings(c->members[i]);
    n->node = c->addresses[i].host;
    n->sink = part->name;
    n->found = i >= c->settings->nodes.count;
    snprintf(n->id, sizeof n->id, "%s", a->id);
    snprintf(n->leader_seen, sizeof n->leader_seen, "%s", a->leader_id);
    n->role = !a->reached ? "" : c->verdict.leader == (int)i ? "leader" : a->is_leader ? "claims to lead" : "follower";
    n->wolfscale_lsn = a->is_leader || a->current_lsn > a->applied_lsn ? a->current_lsn : a->applied_lsn;
    n->answer_ms = a->took_ms;
    n->order = c->order[i].state;
    snprintf(n->order_text, sizeof n->order_text, "%s", c->order[i].text);
    snprintf(n->reason, sizeof n->reason, "%s", c->verdict.nodes[i].reason);
    sink_status_of(c->members[i], &n->delivery);
    n->state = node_word(c, i, &n->delivery);
    if (n->delivery.lost_position || n->delivery.state == SINK_GONE) snprintf(n->remedy, sizeof n->remedy, "wolfctl nodes seed %s", n->node);
    else snprintf(n->remedy, sizeof n->remedy, "%s", c->verdict.nodes[i].remedy);
    if (c->proof) proof_status(c->proof, i, &n->proof);
    else n->proof.state = PROOF_OFF;
}

/* ---- servers that are not alike: our rows go there all the same, but what WolfScale sends as text may do something else ---- */

static void version_of(const struct sink_status *d, char *out, size_t room)
{
    size_t n = strspn(d->version, "0123456789");
    if (d->version[n] == '.') n += 1 + strspn(d->version + n + 1, "0123456789");
    snprintf(out, room, "%.*s", (int)n, d->version);
}

static void mode_of(const struct sink_status *d, char *out, size_t room)
{
    *out = 0;
    if (*d->version) snprintf(out, room, "'%s'", d->sql_mode);
}

static void packet_of(const struct sink_status *d, char *out, size_t room)
{
    *out = 0;
    if (d->packet_max) snprintf(out, room, "%llu", (unsigned long long)d->packet_max);
}

static const struct trait {
    const char *name;
    void (*of)(const struct sink_status *d, char *out, size_t room); /* "": not known */
    const char *remedy;
} traits[] = {
    {"MariaDB version", version_of, "install the same version on every node: WolfScale sends text, which may mean something else there"},
    {"sql_mode", mode_of, "SET GLOBAL sql_mode there and in its configuration, then restart WolfScale on it: its pool keeps the old one"},
    {"max_allowed_packet", packet_of, "SET GLOBAL max_allowed_packet there and in its configuration: rows above it cannot be delivered"},
};

enum { TRAIT_MAX = 310 };

/* What most of them have; of equals the first. */
static void usual(const struct cluster_status *status, const struct trait *trait, char *out)
{
    char mine[TRAIT_MAX], other[TRAIT_MAX];
    size_t best = 0;
    *out = 0;
    for (size_t i = 0; i < status->count; i++) {
        size_t alike = 0;
        trait->of(&status->nodes[i].delivery, mine, sizeof mine);
        for (size_t j = 0; j < status->count && *mine; j++) {
            trait->of(&status->nodes[j].delivery, other, sizeof other);
            alike += !strcmp(mine, other);
        }
        if (alike <= best) continue;
        best = alike;
        memcpy(out, mine, sizeof mine);
    }
}

static void note_unlike(struct cluster_status *status, const struct trait *trait)
{
    char most[TRAIT_MAX], mine[TRAIT_MAX];
    usual(status, trait, most);
    for (size_t i = 0; i < status->count; i++) {
        struct node_status *n = &status->nodes[i];
        trait->of(&n->delivery, mine, sizeof mine);
        if (*n->reason || !*mine || !strcmp(mine, most)) continue;
        snprintf(n->reason, sizeof n->reason, "%s is %.160s, on the other nodes %.160s", trait->name, mine, most);
        if (!*n->remedy) snprintf(n->remedy, sizeof n->remedy, "%s", trait->remedy);
    }
}

void cluster_status(struct cluster *c, struct cluster_status *status)
{
    memset(status, 0, sizeof *status);
    pthread_mutex_lock(&c->lock);
    const struct nodes_verdict *v = &c->verdict;
    status->sink = c->settings->cluster;
    status->delivery = c->settings->delivery;
    status->way = c->way;
    status->state = cluster_state_name(v->state);
    if (v->leader >= 0) snprintf(status->leader, sizeof status->leader, "%s", c->answers[v->leader].id);
    snprintf(status->reason, sizeof status->reason, "%s%s%s", c->way_reason, *c->way_reason && *v->reason ? "; " : "", v->reason);
    snprintf(status->remedy, sizeof status->remedy, "%s", *c->way_remedy ? c->way_remedy : v->remedy);
    for (size_t i = 0; i < c->count; i++)
        if (!is_gone(c, i)) node_fill(c, i, &status->nodes[status->count++]);
    pthread_mutex_unlock(&c->lock);
    for (size_t t = 0; t < sizeof traits / sizeof *traits; t++) note_unlike(status, &traits[t]);
}

int cluster_node(struct cluster *c, const char *name)
{
    char with_port[300];
    int found = -1;
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->count && found < 0; i++) {
        if (is_gone(c, i)) continue;
        snprintf(with_port, sizeof with_port, "%s:%u", c->addresses[i].host, c->addresses[i].port);
        if (!strcmp(name, c->addresses[i].host) || !strcmp(name, with_port) || !strcmp(name, sink_settings(c->members[i])->name) ||
            (*c->answers[i].id && !strcmp(name, c->answers[i].id))) found = (int)i;
    }
    pthread_mutex_unlock(&c->lock);
    return found;
}

/* ---- for the leader's part ---- */

static size_t slot_of(const struct cluster *c, const struct sink *member)
{
    size_t slot = 0;
    while (slot < c->count && c->members[slot] != member) slot++;
    assert(slot < c->count);
    return slot;
}

size_t cluster_members(struct cluster *c, struct sink *members[NODES_MAX], struct node_settings nodes[NODES_MAX], unsigned *changes)
{
    size_t n = 0;
    pthread_mutex_lock(&c->lock);
    for (size_t i = 0; i < c->count; i++) {
        if (is_gone(c, i)) continue;
        if (nodes) nodes[n] = c->nodes[i];
        members[n++] = c->members[i];
    }
    if (changes) *changes = c->changes;
    pthread_mutex_unlock(&c->lock);
    return n;
}

unsigned cluster_look(struct cluster *c, uint64_t *seen, uint32_t wait_ms, struct node_answer *answers, struct nodes_verdict *verdict)
{
    uint64_t until = clock_us() + wait_ms * 1000ull;
    size_t n = 0;
    pthread_mutex_lock(&c->lock);
    while (c->round <= *seen && !c->stop && clock_us() < until) thread_wait(&c->wake, &c->lock, STEP_MS);
    *seen = c->round;
    *verdict = c->verdict;
    for (size_t i = 0; i < c->count; i++) {
        if (is_gone(c, i)) continue;
        if (c->verdict.leader == (int)i) verdict->leader = (int)n;
        verdict->nodes[n] = c->verdict.nodes[i];
        answers[n++] = c->answers[i];
    }
    unsigned changes = c->changes;
    pthread_mutex_unlock(&c->lock);
    return changes;
}

void cluster_way(struct cluster *c, const char *way, const char *reason, const char *remedy)
{
    pthread_mutex_lock(&c->lock);
    bool news = strcmp(c->way, way) || strcmp(c->way_reason, reason);
    c->way = way;
    snprintf(c->way_reason, sizeof c->way_reason, "%s", reason);
    snprintf(c->way_remedy, sizeof c->way_remedy, "%s", remedy);
    pthread_mutex_unlock(&c->lock);
    if (news) log_info("cluster.way", "sink=%s way=%s reason=\"%s\" remedy=\"%s\"", c->settings->cluster, way, reason, remedy);
}

bool cluster_settle(struct cluster *c, const struct strings *tables, struct err *err)
{
    struct ordered at = {.cluster = c};
    uint64_t differences;
    if (!c->proof) return err_set(err, ERR_CONFIG, "delivery = \"leader\" needs proof = true");
    if (!proof_round(c->proof, -1, tables, PROOF_REPAIR, ordered_say, &at, &differences, err)) return false;
    if (differences) log_warning("cluster.settled", "sink=%s rows=%llu text=\"rows that late statements had changed were put right\"",
                                 c->settings->cluster, (unsigned long long)differences);
    return true;
}

static bool define_anew(struct cluster *c, const char *table, size_t donor, size_t node, bool copy, struct err *err)
{
    struct ordered at = {.cluster = c, .node = node};
    struct server_settings give = cluster_node_server(c, donor), take = cluster_node_server(c, node);
    struct seed_options options = {.all = c->all, .sink = c->settings, .log_uuid = wal_uuid(c->wal), .donor = &give, .node = &take,
                                   .say = ordered_say, .context = &at, .stopping = ordered_stopping};
    char database[NODE_ID_MAX * 2];
    const char *dot = strchr(table, '.');
    snprintf(database, sizeof database, "%.*s", (int)(dot - table), table);
    log_warning("cluster.redefined", "sink=%s node=%s from=%s table=%s text=\"a DDL statement came late: the table is %s\"", c->settings->cluster,
                c->addresses[node].host, c->addresses[donor].host, table, copy ? "made anew" : "dropped");
    return seed_one_table(&options, database, dot + 1, copy, err) || err_context(err, "%s on node %s", table, c->addresses[node].host);
}

static bool redefine(struct cluster *c, const char *table, size_t *made, struct err *err)
{
    enum definition_state states[NODES_MAX];
    size_t donor = c->count, lacking = 0, nodes = 0;
    bool on_source;
    if (!proof_definitions(c->proof, table, &on_source, states, err)) return false;
    for (size_t i = c->count; i-- > 0;) {
        if (is_gone(c, i)) continue;
        nodes++;
        lacking += states[i] == DEFINED_NOT;
        if (on_source ? states[i] == DEFINED_ALIKE : states[i] == DEFINED_NOT) donor = i;
    }
    if (donor == c->count || (!on_source && lacking * 2 <= nodes)) return true; /* the source is ahead: looked at again when there is reason */
    for (size_t i = 0; i < c->count; i++) {
        if (is_gone(c, i) || states[i] == (on_source ? DEFINED_ALIKE : DEFINED_NOT)) continue;
        if (!define_anew(c, table, donor, i, on_source, err)) return false;
        ++*made;
    }
    return true;
}

bool cluster_redefine(struct cluster *c, const struct strings *tables, size_t *made, struct err *err)
{
    *made = 0;
    for (size_t i = 0; i < tables->count; i++)
        if (!redefine(c, tables->items[i], made, err)) return false;
    return true;
}

/* ---- nodes that come and go ---- */

const struct sink_settings *cluster_settings(const struct cluster *c) { return c->settings; }

bool cluster_has_room(const struct cluster *c) { return c->count < NODES_MAX; }

/* A slot behind the others, not counted yet. */
static size_t fill_slot(struct cluster *c, struct sink *member, const struct node_settings *node)
{
    size_t slot = c->count;
    assert(slot < NODES_MAX);
    c->members[slot] = member;
    c->nodes[slot] = *node;
    c->addresses[slot] = (struct node_address){node->host, node->port, node->api_port, node->proxy_port};
    return slot;
}

static void note_change(struct cluster *c)
{
    pthread_mutex_lock(&c->lock);
    c->changes++;
    pthread_mutex_unlock(&c->lock);
}

void cluster_take(struct cluster *c, struct sink *member, const struct node_address *address)
{
    struct node_settings node = {sink_settings(member)->server.host, address->port, address->api_port, address->proxy_port};
    size_t slot = fill_slot(c, member, &node);
    struct server_settings server = cluster_node_server(c, slot);
    if (c->leader) sink_forgive(member, UINT64_MAX);
    node_poll_add(c->poll, &c->addresses[slot]);
    if (c->proof) proof_add(c->proof, &server, node.host);
    c->count++;
    note_change(c);
}

void cluster_take_back(struct cluster *c, struct sink *member)
{
    size_t slot = slot_of(c, member);
    node_poll_rest(c->poll, slot, false);
    if (c->proof) proof_leave_out(c->proof, slot, false);
    atomic_store(&c->gone[slot], false);
    note_change(c);
}

/* Under lock: another node that answers and has it as its member. A leader has dead followers as Active for ever: only one that answers itself is one. */
static const struct node_answer *who_has(const struct cluster *c, size_t slot)
{
    const char *host = c->nodes[slot].host, *id = c->answers[slot].id;
    char at[NODE_HOST_MAX];
    if (!node_heard(&c->answers[slot], clock_us())) return NULL;
    for (size_t i = 0; i < c->count; i++) {
        const struct node_answer *a = &c->answers[i];
        if (i == slot) continue;
        for (size_t k = 0; node_heard(a, clock_us()) && k < a->peer_count; k++) {
            const struct node_peer *peer = &a->peers[k];
            bool same = (*id && !strcmp(peer->id, id)) || (node_peer_host(peer, at, sizeof at) && !strcmp(at, host));
            if (same && !node_peer_made_up(peer) && strcmp(peer->status, "Dropped")) return a;
        }
    }
    return NULL;
}

static bool may_leave(struct cluster *c, size_t slot, struct err *err)
{
    const char *host = c->nodes[slot].host;
    const struct node_answer *who = who_has(c, slot);
    if (who)
        return err_set(err, ERR_CONFIG, "node %s is in the cluster: it answers, and %s has it in its /cluster. Stop WolfScale on it first",
                       host, who->id);
    bool busy = c->order[slot].state == ORDER_WAITING || c->order[slot].state == ORDER_RUNNING;
    return !busy || err_set(err, ERR_STOP, "node %s has an order that is not done yet: %s", host, c->order[slot].text);
}

bool cluster_leave(struct cluster *c, struct sink *member, struct err *err)
{
    size_t slot = slot_of(c, member);
    pthread_mutex_lock(&c->lock);
    bool may = may_leave(c, slot, err);
    if (may) {
        atomic_store(&c->gone[slot], true);
        c->forget[slot] = true;
        c->order[slot] = (struct order){0};
        c->answers[slot] = (struct node_answer){0};
        c->changes++;
        if (c->verdict.leader == (int)slot) c->verdict.leader = -1;
    }
    pthread_mutex_unlock(&c->lock);
    if (may && c->proof) proof_leave_out(c->proof, slot, true);
    return may;
}

/* ---- birth and death ---- */

static struct proof *make_proof(struct cluster *c)
{
    struct server_settings servers[NODES_MAX];
    const char *names[NODES_MAX];
    for (size_t i = 0; i < c->count; i++) {
        servers[i] = cluster_node_server(c, i);
        names[i] = c->addresses[i].host;
    }
    struct proof_options options = {.all = c->all, .sink = c->settings, .log_uuid = wal_uuid(c->wal), .nodes = servers, .names = names,
                                    .count = c->count};
    return proof_new(&options);
}

struct cluster *cluster_new(struct sinks *sinks, const struct sink_settings *first, struct sink *const members[], struct sink *leader,
                            struct finder *finder)
{
    struct cluster *c = calloc(1, sizeof *c);
    if (!c) abort();
    c->sinks = sinks;
    c->all = sinks->settings;
    c->settings = first;
    c->wal = sinks->wal;
    c->leader = leader;
    c->finder = finder;
    c->way = leader ? "direct" : "nodes";
    c->verdict.leader = -1;
    for (size_t i = 0; i < first->nodes.count; i++) {
        fill_slot(c, members[i], &first->nodes.items[i]);
        c->count++;
    }
    pthread_mutex_init(&c->lock, NULL);
    thread_cond_init(&c->wake);
    c->poll = node_poll_new(c->addresses, c->count);
    if (first->proof) c->proof = make_proof(c);
    return c;
}

void cluster_start(struct cluster *c)
{
    c->started = true;
    thread_start(&c->watch, "cluster", watch, c);
    thread_start(&c->orders, "cluster-orders", cluster_orders, c);
    if (c->proof) proof_start(c->proof);
}

void cluster_stop(struct cluster *c)
{
    if (!c->started) return;
    c->started = false;
    pthread_mutex_lock(&c->lock);
    c->stop = true;
    pthread_cond_broadcast(&c->wake);
    pthread_mutex_unlock(&c->lock);
    if (c->proof) proof_stop(c->proof);
    pthread_join(c->watch, NULL);
    pthread_join(c->orders, NULL);
}

void cluster_free(struct cluster *c)
{
    if (!c) return;
    cluster_stop(c);
    proof_free(c->proof);
    node_poll_free(c->poll);
    finder_free(c->finder);
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->wake);
    free(c);
}
