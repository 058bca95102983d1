/*
 * nodes.c: what follows from the nodes' answers. Nothing is asked here and no clock is read: the same answers give the same verdict.
 *
 * First each node by itself (heard or not), then the cluster by the first rule that applies, the worst first: answers that cannot be of
 * one cluster, two leaders, a leader that is claimed but not shared, none, one. With the leader known, each node is looked at once more
 * through the leader's table.
 */
#include "nodes.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct court {
    const struct node_address *addresses;
    const struct node_answer *answers;
    size_t count;
    uint64_t now_us;
    bool heard[NODES_MAX];
    struct nodes_verdict *verdict;
};

const char *node_state_name(enum node_state state)
{
    static const char *const names[NODE_STATES] = {[NODE_UNKNOWN] = "unknown", [NODE_UP] = "up", [NODE_LAGGING] = "lagging",
                                                   [NODE_GONE] = "gone", [NODE_FOREIGN] = "foreign", [NODE_UNREADABLE] = "unreadable"};
    return names[state];
}

const char *cluster_state_name(enum cluster_state state)
{
    static const char *const names[CLUSTER_STATES] = {
        [CLUSTER_UNKNOWN] = "unknown", [CLUSTER_LED] = "led", [CLUSTER_LEADERLESS] = "leaderless",
        [CLUSTER_CHANGING] = "changing", [CLUSTER_SPLIT] = "split", [CLUSTER_FOREIGN] = "foreign"};
    return names[state];
}

/* ---- history ---- */

static void note_leader(struct node_answer *answer, uint64_t now_us)
{
    if (!*answer->leader_id || !strcmp(answer->led_by, answer->leader_id)) return;
    if (*answer->led_by) {
        memmove(answer->flips_us + 1, answer->flips_us, sizeof answer->flips_us - sizeof *answer->flips_us);
        answer->flips_us[0] = now_us;
    }
    memcpy(answer->led_before, answer->led_by, sizeof answer->led_by);
    memcpy(answer->led_by, answer->leader_id, sizeof answer->led_by);
}

static void note_lsn(struct node_answer *answer, bool first, uint64_t now_us)
{
    uint64_t lsn = answer->current_lsn;
    answer->fell = !first && lsn < answer->noted_lsn;
    if (first || lsn != answer->noted_lsn) answer->moved_us = now_us;
    if (lsn > answer->lsn_max) answer->lsn_max = lsn;
    if (first || answer->fell) {
        answer->old_lsn = answer->mark_lsn = lsn;
        answer->mark_us = now_us;
    } else if (now_us - answer->mark_us >= (uint64_t)NODE_LAG_MS * 1000) {
        answer->old_lsn = answer->mark_lsn;
        answer->mark_lsn = lsn;
        answer->mark_us = now_us;
    }
    answer->noted_lsn = lsn;
}

void node_note(struct node_answer *answer, bool good, uint64_t now_us)
{
    answer->asked = true;
    answer->reached = good;
    if (!good) return;
    note_leader(answer, now_us);
    note_lsn(answer, !answer->answered_us, now_us);
    answer->answered_us = now_us;
    answer->trouble = NODE_FINE;
    *answer->problem = 0;
}

/* ---- one node by itself ---- */

static bool silent(uint64_t since_us, uint64_t now_us) { return now_us > since_us && now_us - since_us > (uint64_t)NODE_GONE_MS * 1000; }

/* Refused and nonsense count at once; silence only after a while. */
bool node_heard(const struct node_answer *answer, uint64_t now_us)
{
    return answer->answered_us && answer->trouble != NODE_REFUSED && answer->trouble != NODE_NONSENSE && !silent(answer->answered_us, now_us);
}

/* Not heard, but it may still be: the first round has not had its time. */
static bool awaited(const struct node_answer *answer, uint64_t now_us)
{
    return !answer->asked && !(answer->since_us && silent(answer->since_us, now_us));
}

static void say_node(struct court *court, size_t i, enum node_state state, const char *remedy, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
static void say_node(struct court *court, size_t i, enum node_state state, const char *remedy, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(court->verdict->nodes[i].reason, sizeof court->verdict->nodes[i].reason, format, args);
    va_end(args);
    snprintf(court->verdict->nodes[i].remedy, sizeof court->verdict->nodes[i].remedy, "%s", remedy);
    court->verdict->nodes[i].state = state;
}

/* Its own trouble, when it is not heard. */
static void say_unheard(struct court *court, size_t i)
{
    const struct node_answer *answer = &court->answers[i];
    unsigned port = court->addresses[i].api_port;
    if (awaited(answer, court->now_us)) {
        say_node(court, i, NODE_UNKNOWN, "", "has not answered yet");
    } else if (answer->trouble == NODE_NONSENSE) {
        say_node(court, i, NODE_UNREADABLE, "give the port of its WolfScale API (api_port; [api] bind_address on the node, 8080 by default)",
                 "port %u %s", port, answer->problem);
    } else if (answer->trouble == NODE_REFUSED) {
        say_node(court, i, NODE_GONE, "start WolfScale on it (systemctl start wolfscale), or correct host and api_port",
                 "%s; port %u", answer->problem, port);
    } else {
        uint64_t since = answer->answered_us ? answer->answered_us : answer->since_us;
        say_node(court, i, NODE_GONE, "look whether the machine runs and the network lets port 8080 through", "silent for %.0f s%s%s",
                 (double)(court->now_us - since) / 1e6, *answer->problem ? ": " : "", answer->problem);
    }
}

/* An id is part of announcements without any escape, and of texts in between: "|" moves the fields of the former. */
static void say_odd_id(struct court *court, size_t i)
{
    const char *odd = strpbrk(court->answers[i].id, "|\"'`\\ ");
    if (odd)
        say_node(court, i, NODE_UP, "give it an id of letters, digits, '-', '_' and '.' ([node] id) and restart WolfScale there",
                 "its id has %s in it, which WolfScale's own messages do not escape", *odd == ' ' ? "a blank" : (char[]){*odd, 0});
}

static void look_at_each(struct court *court)
{
    for (size_t i = 0; i < court->count; i++) {
        court->heard[i] = node_heard(&court->answers[i], court->now_us);
        court->verdict->nodes[i].state = NODE_UP;
        if (court->heard[i]) say_odd_id(court, i);
        else say_unheard(court, i);
    }
}

/* ---- what they say of each other ---- */

static const char *id_of(const struct court *court, size_t i)
{
    const char *id = court->answers[i].id;
    return *id ? id : court->addresses[i].host;
}

static bool decide(struct court *court, enum cluster_state state, const char *remedy, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static bool decide(struct court *court, enum cluster_state state, const char *remedy, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(court->verdict->reason, sizeof court->verdict->reason, format, args);
    va_end(args);
    snprintf(court->verdict->remedy, sizeof court->verdict->remedy, "%s", remedy);
    court->verdict->state = state;
    return true;
}

static const struct node_peer *peer_find(const struct node_answer *answer, const char *id)
{
    for (size_t i = 0; i < answer->peer_count; i++)
        if (!strcmp(answer->peers[i].id, id)) return &answer->peers[i];
    return NULL;
}

bool node_peer_host(const struct node_peer *peer, char *host, size_t room)
{
    const char *from = peer->address, *end = strrchr(from, ':');
    if (*from == '[') {
        end = strchr(++from, ']');
        if (!end || end[1] != ':') return false;
    }
    if (!end || end == from || (size_t)(end - from) >= room) return false;
    memcpy(host, from, (size_t)(end - from));
    host[end - from] = 0;
    return true;
}

/* The peer's address is that of node i. */
static bool lives_at(const struct node_peer *peer, const struct node_address *address, const struct node_answer *answer)
{
    char host[NODE_ID_MAX];
    return node_peer_host(peer, host, sizeof host) && (!strcmp(host, address->host) || (*answer->ip && !strcmp(host, answer->ip)));
}

bool node_peer_made_up(const struct node_peer *peer) { return !strncmp(peer->id, "peer-", 5); }

static bool knows(const struct court *court, size_t i, size_t j)
{
    const struct node_answer *answer = &court->answers[i];
    if (peer_find(answer, court->answers[j].id)) return true;
    for (size_t k = 0; k < answer->peer_count; k++)
        if (node_peer_made_up(&answer->peers[k]) && lives_at(&answer->peers[k], &court->addresses[j], &court->answers[j])) return true;
    return false;
}

static size_t heard_count(const struct court *court)
{
    size_t n = 0;
    for (size_t i = 0; i < court->count; i++) n += court->heard[i];
    return n;
}

/* ---- the rules, in their order; true: decided ---- */

static bool rule_wait(struct court *court)
{
    for (size_t i = 0; i < court->count; i++)
        if (awaited(&court->answers[i], court->now_us))
            return decide(court, CLUSTER_UNKNOWN, "", "%s has not answered yet", court->addresses[i].host);
    return false;
}

static bool rule_nobody(struct court *court)
{
    return heard_count(court) == 0 &&
           decide(court, CLUSTER_UNKNOWN, "start WolfScale on the nodes; the reason stands at each of them", "no node answers");
}

/* Two addresses, one node. */
static bool rule_doubled(struct court *court)
{
    for (size_t j = 1; j < court->count; j++)
        for (size_t i = 0; i < j; i++) {
            const struct node_answer *a = &court->answers[i], *b = &court->answers[j];
            if (!court->heard[i] || !court->heard[j]) continue;
            bool place = *a->ip && !strcmp(a->ip, b->ip) && court->addresses[i].api_port == court->addresses[j].api_port;
            if (!place && strcmp(a->id, b->id)) continue;
            const char *first = court->addresses[i].host, *second = court->addresses[j].host;
            if (place) {
                say_node(court, j, NODE_FOREIGN, "leave it out of nodes", "the same node as %s", first);
                return decide(court, CLUSTER_FOREIGN, "leave one of them out of nodes",
                              "%s and %s are one node: both are %s, port %u", first, second, a->ip, court->addresses[i].api_port);
            }
            say_node(court, j, NODE_FOREIGN, "leave it out of nodes, or give it an id of its own", "calls itself %.100s, as %s does", b->id, first);
            return decide(court, CLUSTER_FOREIGN,
                          "leave one of them out of nodes if it is one machine; else give each an id of its own ([node] id) and restart it",
                          "%s and %s both answer as \"%.100s\": one node with two addresses, or two nodes with one id", first, second, a->id);
        }
    return false;
}

/* A group number for each node that is heard: who knows whom, in either direction. */
static void group_nodes(const struct court *court, size_t group[NODES_MAX])
{
    for (size_t i = 0; i < court->count; i++) group[i] = i;
    for (size_t i = 0; i < court->count; i++)
        for (size_t j = 0; j < court->count; j++) {
            if (i == j || !court->heard[i] || !court->heard[j] || group[i] == group[j] || !knows(court, i, j)) continue;
            size_t from = group[j], to = group[i];
            for (size_t k = 0; k < court->count; k++)
                if (group[k] == from) group[k] = to;
        }
}

/* The largest group is the one that was meant; of equals that of the first address. */
static size_t group_meant(const struct court *court, const size_t group[NODES_MAX])
{
    size_t size[NODES_MAX] = {0}, best = NODES_MAX;
    for (size_t i = 0; i < court->count; i++) size[group[i]] += court->heard[i];
    for (size_t i = 0; i < court->count; i++)
        if (court->heard[i] && (best == NODES_MAX || size[group[i]] > size[best])) best = group[i];
    return best;
}

/* Who of node i's table is not among the heard nodes: "a, b, c". */
static void strange_ids(const struct court *court, size_t i, char *out, size_t room)
{
    const struct node_answer *answer = &court->answers[i];
    size_t n = 0;
    *out = 0;
    for (size_t k = 0; k < answer->peer_count && n + NODE_ID_MAX < room; k++) {
        bool known = node_peer_made_up(&answer->peers[k]);
        for (size_t j = 0; j < court->count; j++) known |= !strcmp(court->answers[j].id, answer->peers[k].id);
        if (!known) n += (size_t)snprintf(out + n, room - n, "%s%.60s", n ? ", " : "", answer->peers[k].id);
    }
}

static bool rule_strangers(struct court *court)
{
    static const char remedy[] = "leave what belongs to another cluster out of nodes; if they are one cluster that was cut apart, restart "
                                 "WolfScale on the node without bootstrap = true, then wolfctl nodes verify";
    size_t group[NODES_MAX], stranger = NODES_MAX;
    char ids[3 * NODE_ID_MAX];
    group_nodes(court, group);
    size_t meant = group_meant(court, group);
    for (size_t i = court->count; i-- > 0;) {
        if (!court->heard[i] || group[i] == meant) continue;
        stranger = i;
        strange_ids(court, i, ids, sizeof ids);
        say_node(court, i, NODE_FOREIGN, "leave it out of nodes, or make it a member: cluster.peers on every node",
                 *ids ? "is of a cluster with %.120s; no other node given knows it" : "none of the other nodes knows it, and it knows none%s",
                 ids);
    }
    if (stranger == NODES_MAX) return false;
    strange_ids(court, stranger, ids, sizeof ids);
    return decide(court, CLUSTER_FOREIGN, remedy, "two clusters among the nodes: %s (%.80s) and %.80s do not know each other%s%.150s",
                  court->addresses[stranger].host, id_of(court, stranger), id_of(court, meant), *ids ? "; it knows " : "", ids);
}

static const char split_remedy[] =
    "stop WolfScale on all nodes, start the one with bootstrap = true (the lowest id), then the others one after the other; what the two "
    "wrote apart stays apart until wolfctl nodes verify and repair";

static bool rule_flipping(struct court *court)
{
    for (size_t i = 0; i < court->count; i++) {
        const struct node_answer *answer = &court->answers[i];
        uint64_t oldest = answer->flips_us[NODE_FLIPS - 1];
        if (!court->heard[i] || !oldest || court->now_us - oldest > (uint64_t)NODE_FLIP_MS * 1000) continue;
        return decide(court, CLUSTER_SPLIT, split_remedy, "two leaders: %.80s changed the leader that it names %d times in %.1f s (%.60s, %.60s)",
                      answer->id, NODE_FLIPS, (double)(court->now_us - oldest) / 1e6, answer->led_before, answer->led_by);
    }
    return false;
}

/* Who says is_leader; *more: another one too. NODES_MAX: nobody. */
static size_t claimant(const struct court *court, size_t *more)
{
    size_t first = NODES_MAX;
    *more = NODES_MAX;
    for (size_t i = 0; i < court->count; i++) {
        if (!court->heard[i] || !court->answers[i].is_leader) continue;
        if (first == NODES_MAX) first = i;
        else if (*more == NODES_MAX) *more = i;
    }
    return first;
}

static bool rule_two_claims(struct court *court)
{
    size_t more, first = claimant(court, &more);
    return more != NODES_MAX && decide(court, CLUSTER_SPLIT, split_remedy, "two leaders: %.80s and %.80s both say that they lead",
                                       id_of(court, first), id_of(court, more));
}

/* It leads, but there is another leader in what it says itself: its proxy forwards to that one. */
static bool rule_claim_torn(struct court *court)
{
    size_t more, i = claimant(court, &more);
    if (i == NODES_MAX) return false;
    const struct node_answer *answer = &court->answers[i];
    if (!*answer->leader_id)
        return decide(court, CLUSTER_CHANGING, "", "%.80s says that it leads, but names no leader", answer->id);
    if (strcmp(answer->leader_id, answer->id))
        return decide(court, CLUSTER_SPLIT, split_remedy, "two leaders: %.80s says that it leads, and names %.80s", answer->id, answer->leader_id);
    for (size_t k = 0; k < answer->peer_count; k++) {
        const struct node_peer *peer = &answer->peers[k];
        if (strcmp(peer->role, "Leader") || !strcmp(peer->id, answer->id) || !strcmp(peer->status, "Dropped")) continue;
        return decide(court, CLUSTER_SPLIT, "restart WolfScale on the node with bootstrap = true once more, when the other no longer leads",
                      "%.80s leads, but still has %.80s as a leader in its table: it forwards writes to it", answer->id, peer->id);
    }
    return false;
}

/* Nobody claims. Somebody may be named: one that is gone, one that does not know it yet, one that we were not told of. */
static bool rule_nobody_claims(struct court *court)
{
    size_t more, namer = NODES_MAX;
    if (claimant(court, &more) != NODES_MAX) return false;
    for (size_t i = court->count; i-- > 0;)
        if (court->heard[i] && *court->answers[i].leader_id) namer = i;
    if (namer == NODES_MAX)
        return decide(court, CLUSTER_LEADERLESS,
                      "give one node, that of the lowest id, bootstrap = true and restart it; where never_leader or disable_auto_election is set "
                      "on the others nobody else can lead",
                      "no node leads and none names a leader");
    const struct node_answer *answer = &court->answers[namer];
    const struct node_peer *peer = peer_find(answer, answer->leader_id);
    for (size_t j = 0; j < court->count; j++) {
        bool there = peer && !*court->answers[j].id && lives_at(peer, &court->addresses[j], &court->answers[j]);
        if (!there && strcmp(court->answers[j].id, answer->leader_id)) continue;
        if (court->heard[j])
            return decide(court, CLUSTER_CHANGING, "", "%.80s names %.80s as leader, which does not say so itself", answer->id, answer->leader_id);
        return decide(court, CLUSTER_CHANGING,
                      "start WolfScale there again soon: within 6 s the leader stays the same, afterwards another is elected and the nodes differ",
                      "%.80s names %.80s as leader, which does not answer", answer->id, answer->leader_id);
    }
    return decide(court, CLUSTER_LEADERLESS, "add the leader's host to nodes, or look whether it still runs",
                  "%.80s names %.80s%s%.80s%s as leader, which has not answered as one of the nodes", answer->id, answer->leader_id,
                  peer ? " (" : "", peer ? peer->address : "", peer ? ")" : "");
}

/* One claims and names itself; the others that are heard must name it too. */
static bool rule_not_shared(struct court *court)
{
    size_t more, leader = claimant(court, &more);
    const char *id = court->answers[leader].id;
    for (size_t i = 0; i < court->count; i++) {
        const char *named = court->answers[i].leader_id;
        if (!court->heard[i] || !strcmp(named, id)) continue;
        static const char remedy[] = "if this lasts longer than 10 s: restart WolfScale on that node, and if that does not help on the leader";
        if (!*named)
            return decide(court, CLUSTER_CHANGING, remedy, "%.80s says that it leads, but %.80s names no leader", id, id_of(court, i));
        return decide(court, CLUSTER_CHANGING, remedy, "%.80s says that it leads, but %.80s still names %.80s", id, id_of(court, i), named);
    }
    return false;
}

static bool rule_led(struct court *court)
{
    size_t more;
    court->verdict->leader = (int)claimant(court, &more);
    const struct node_answer *leader = &court->answers[court->verdict->leader];
    if (leader->fell)
        return decide(court, CLUSTER_LED, "wolfctl nodes verify: entries may be missing on the nodes", "%.80s leads; its LSN went backwards", leader->id);
    return decide(court, CLUSTER_LED, "", "%s", "");
}

static bool (*const rules[])(struct court *) = {rule_wait,       rule_nobody,     rule_doubled,       rule_strangers,  rule_flipping,
                                                rule_two_claims, rule_claim_torn, rule_nobody_claims, rule_not_shared, rule_led};

/* ---- through the leader's table ---- */

static bool stands(const struct court *court, const struct node_answer *leader, const struct node_answer *answer)
{
    return answer->current_lsn < leader->old_lsn && court->now_us - answer->moved_us > (uint64_t)NODE_LAG_MS * 1000;
}

static void look_at_follower(struct court *court, size_t i, const struct node_answer *leader)
{
    const struct node_answer *answer = &court->answers[i];
    const struct node_peer *peer = peer_find(leader, answer->id);
    if (!peer) {
        court->verdict->whole = false;
        say_node(court, i, NODE_LAGGING, "look at cluster.peers on the leader: it has to hold this node's IP and port 7654",
                 "the leader %.80s does not have it in its table: it sends it nothing", leader->id);
    } else if (strcmp(peer->status, "Active")) {
        court->verdict->whole = false;
        say_node(court, i, NODE_LAGGING, !strcmp(peer->status, "Dropped") ? "restart WolfScale on the leader: it does not take a dropped node back" : "",
                 "is %s in the table of the leader %.80s", peer->status, leader->id);
    } else if (stands(court, leader, answer)) {
        say_node(court, i, NODE_LAGGING, "look whether its MariaDB runs and a lock holds it up (SHOW PROCESSLIST)",
                 "stands at WolfScale LSN %llu for %.0f s, the leader is at %llu", (unsigned long long)answer->current_lsn,
                 (double)(court->now_us - answer->moved_us) / 1e6, (unsigned long long)leader->current_lsn);
    }
}

static void look_through_leader(struct court *court)
{
    size_t at = (size_t)court->verdict->leader;
    const struct node_answer *leader = &court->answers[at];
    court->verdict->whole = court->verdict->ahead = true;
    for (size_t i = 0; i < court->count; i++) {
        const struct node_answer *answer = &court->answers[i];
        if (!court->heard[i]) court->verdict->whole = false;
        if (i == at) continue;
        if (answer->answered_us && (answer->applied_lsn > leader->current_lsn || answer->current_lsn > leader->current_lsn))
            court->verdict->ahead = false;
        if (court->heard[i]) look_at_follower(court, i, leader);
    }
}

void nodes_judge(const struct node_address *addresses, const struct node_answer *answers, size_t count, uint64_t now_us,
                 struct nodes_verdict *verdict)
{
    struct court court = {.addresses = addresses, .answers = answers, .count = count, .now_us = now_us, .verdict = verdict};
    assert(count <= NODES_MAX);
    *verdict = (struct nodes_verdict){.leader = -1};
    look_at_each(&court);
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (rules[i](&court)) break;
    if (verdict->leader >= 0) look_through_leader(&court);
}

/* ---- who is missing in the list ---- */

static bool listed(const struct node_address *addresses, const struct node_answer *answers, size_t count, const struct node_peer *peer)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(answers[i].id, peer->id) || lives_at(peer, &addresses[i], &answers[i])) return true;
    return false;
}

size_t nodes_unlisted(const struct node_address *addresses, const struct node_answer *answers, size_t count, uint64_t now_us,
                      const struct node_peer **found, size_t room)
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (!node_heard(&answers[i], now_us)) continue;
        for (size_t k = 0; k < answers[i].peer_count && n < room; k++) {
            const struct node_peer *peer = &answers[i].peers[k];
            bool there = !strcmp(peer->role, "LoadBalancer") || listed(addresses, answers, count, peer);
            for (size_t f = 0; f < n; f++) there |= !strcmp(found[f]->id, peer->id) || !strcmp(found[f]->address, peer->address);
            if (!there) found[n++] = peer;
        }
    }
    return n;
}
