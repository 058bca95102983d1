/* What the nodes of a WolfScale cluster say, read and judged: a row for each situation that was observed, and for each bad input. */
#include "unit.h"

#include "nodes.h"

enum { S = 1000000 };
static const uint64_t now = 1000 * (uint64_t)S;

/* ---- three nodes, led by the first, all well ---- */

struct scene {
    struct node_address addresses[4];
    struct node_answer answers[4];
    size_t count;
};

static void set(char *to, const char *text) { snprintf(to, NODE_ID_MAX, "%s", text); }

static void peer_set(struct node_peer *peer, const char *id, const char *address, const char *role)
{
    *peer = (struct node_peer){.lsn = 20};
    set(peer->id, id);
    set(peer->address, address);
    snprintf(peer->status, sizeof peer->status, "Active");
    snprintf(peer->role, sizeof peer->role, "%s", role);
}

static void table_set(struct node_answer *answer, size_t count)
{
    char id[32], address[32];
    answer->peer_count = count;
    for (size_t k = 0; k < count; k++) {
        snprintf(id, sizeof id, "node-%zu", k + 1);
        snprintf(address, sizeof address, "10.9.0.%zu:7654", k + 1);
        peer_set(&answer->peers[k], id, address, k == 0 ? "Leader" : "Follower");
    }
}

static void node_set(struct scene *s, size_t i, const char *host)
{
    struct node_answer *answer = &s->answers[i];
    s->addresses[i] = (struct node_address){host, 3306, 8080, 8007};
    *answer = (struct node_answer){.since_us = 1, .applied_lsn = 20, .current_lsn = 20, .is_leader = i == 0};
    snprintf(answer->id, sizeof answer->id, "node-%zu", i + 1);
    set(answer->leader_id, "node-1");
    snprintf(answer->ip, sizeof answer->ip, "%s", host);
    table_set(answer, 3);
    node_note(answer, true, now - 60 * (uint64_t)S);
    node_note(answer, true, now);
}

static void scene_init(struct scene *s)
{
    memset(s, 0, sizeof *s);
    node_set(s, 0, "10.9.0.1");
    node_set(s, 1, "10.9.0.2");
    node_set(s, 2, "10.9.0.3");
    s->count = 3;
}

static void refuse(struct scene *s, size_t i)
{
    s->answers[i].trouble = NODE_REFUSED;
    snprintf(s->answers[i].problem, sizeof s->answers[i].problem, "no connection (Connection refused)");
    node_note(&s->answers[i], false, now);
}

static void name_all(struct scene *s, const char *leader)
{
    for (size_t i = 0; i < s->count; i++) set(s->answers[i].leader_id, leader);
}

/* ---- the situations ---- */

static void well(struct scene *s) { (void)s; }
static void not_asked(struct scene *s) { memset(&s->answers[2], 0, sizeof s->answers[2]); }
static void asked_in_vain(struct scene *s)
{
    memset(&s->answers[2], 0, sizeof s->answers[2]);
    s->answers[2].since_us = now - 7 * (uint64_t)S;
}
static void follower_refused(struct scene *s) { refuse(s, 2); }
static void follower_slow(struct scene *s) { s->answers[2].answered_us = now - 5 * (uint64_t)S; }
static void follower_mute(struct scene *s) { s->answers[2].answered_us = now - 7 * (uint64_t)S; }
static void leader_slow(struct scene *s)
{
    s->answers[0].answered_us = now - 5 * (uint64_t)S;
    s->answers[0].trouble = NODE_MUTE;
    s->answers[0].reached = false;
}
static void leader_mute(struct scene *s) { s->answers[0].answered_us = now - 7 * (uint64_t)S; }
static void leader_killed(struct scene *s) { refuse(s, 0); }
static void leader_never_answered(struct scene *s) /* dead before we came */
{
    memset(&s->answers[0], 0, sizeof s->answers[0]);
    s->answers[0].since_us = 1;
    refuse(s, 0);
}
static void leader_dropped(struct scene *s) /* 6.0 s after its death: nobody is named */
{
    refuse(s, 0);
    name_all(s, "");
}
static void failed_over(struct scene *s)
{
    refuse(s, 0);
    name_all(s, "node-2");
    s->answers[1].is_leader = true;
    for (size_t i = 0; i < 3; i++) {
        snprintf(s->answers[i].peers[0].role, 24, "Follower");
        snprintf(s->answers[i].peers[0].status, 24, "Dropped");
        snprintf(s->answers[i].peers[1].role, 24, "Leader");
    }
}
static void dead_stays_a_leader(struct scene *s) /* in the new one's table, as Dropped */
{
    failed_over(s);
    snprintf(s->answers[1].peers[0].role, 24, "Leader");
}
static void elected_behind(struct scene *s) /* the LSN starts again at the new leader's own */
{
    failed_over(s);
    s->answers[1].current_lsn = 3;
    node_note(&s->answers[1], true, now);
}
static void half_agreed(struct scene *s) /* node-2 was elected, node-3 waits for the old one still */
{
    failed_over(s);
    set(s->answers[2].leader_id, "node-1");
}
static void dropped_follower_returned(struct scene *s) { set(s->answers[2].leader_id, ""); }
static void table_says_dropped(struct scene *s) { snprintf(s->answers[0].peers[2].status, 24, "Dropped"); }
static void not_in_table(struct scene *s) { s->answers[0].peer_count = 2; }
static void two_say_so(struct scene *s) /* cut off, healed: both lead */
{
    s->answers[1].is_leader = true;
    set(s->answers[1].leader_id, "node-2");
}
static void says_so_names_another(struct scene *s) { set(s->answers[0].leader_id, "node-2"); }
static void says_so_names_none(struct scene *s) { set(s->answers[0].leader_id, ""); }
static void keeps_the_yielded(struct scene *s) { snprintf(s->answers[0].peers[1].role, 24, "Leader"); }
static void flips(struct scene *s) /* node-3 is told by both, in turn */
{
    for (int i = 0; i < 8; i++) {
        set(s->answers[2].leader_id, i % 2 ? "node-1" : "node-2");
        node_note(&s->answers[2], true, now - (uint64_t)(8 - i) * 300000);
    }
}
static void flipped_long_ago(struct scene *s)
{
    flips(s);
    for (int i = 0; i < NODE_FLIPS; i++) s->answers[2].flips_us[i] -= 10 * (uint64_t)S;
}
static void failover_and_back(struct scene *s) /* named, none, another, the first again: two changes, no split */
{
    static const char *const led[] = {"node-1", "", "node-2", "", "node-1", "", "node-1"};
    for (int i = 0; i < 7; i++) {
        set(s->answers[2].leader_id, led[i]);
        node_note(&s->answers[2], true, now - (uint64_t)(7 - i) * 500000);
    }
}
static void never_leader(struct scene *s)
{
    name_all(s, "");
    s->answers[0].is_leader = false;
    for (size_t i = 0; i < 3; i++) snprintf(s->answers[i].peers[0].role, 24, "Follower");
}
static void named_denies(struct scene *s) { s->answers[0].is_leader = false; }
static void leader_not_given(struct scene *s) /* nodes = the two followers */
{
    memmove(s->addresses, s->addresses + 1, 2 * sizeof *s->addresses);
    memmove(s->answers, s->answers + 1, 2 * sizeof *s->answers);
    s->count = 2;
}
static void nobody(struct scene *s)
{
    for (size_t i = 0; i < 3; i++) refuse(s, i);
}
static void another_cluster(struct scene *s) /* 10.9.0.3 leads one of its own */
{
    struct node_answer *c = &s->answers[2];
    set(c->id, "other-1");
    set(c->leader_id, "other-1");
    c->is_leader = true;
    c->peer_count = 2;
    peer_set(&c->peers[0], "other-1", "10.8.0.1:7654", "Leader");
    peer_set(&c->peers[1], "other-2", "10.8.0.2:7654", "Follower");
    s->answers[0].peer_count = s->answers[1].peer_count = 2;
}
static void known_by_address_only(struct scene *s) /* just started: a made-up id stands for it */
{
    for (size_t i = 0; i < 2; i++) set(s->answers[i].peers[2].id, "peer-3");
    s->answers[2].peer_count = 1;
    peer_set(&s->answers[2].peers[0], "node-3", "10.9.0.3:7654", "Follower");
}
static void one_node_two_names(struct scene *s)
{
    s->answers[2] = s->answers[1];
    s->addresses[2].host = "db2.example";
}
static void one_id_two_nodes(struct scene *s) { set(s->answers[2].id, "node-2"); }
static void odd_id(struct scene *s)
{
    set(s->answers[2].id, "no|de-3");
    for (size_t i = 0; i < 3; i++) set(s->answers[i].peers[2].id, "no|de-3");
}
static void quoted_id(struct scene *s)
{
    set(s->answers[2].id, "\"node-3\"");
    for (size_t i = 0; i < 3; i++) set(s->answers[i].peers[2].id, "\"node-3\"");
}
static void html(struct scene *s)
{
    assert_false(node_read_status(slice_text("<html><body>It works!</body></html>"), &s->answers[2]));
    s->answers[2].trouble = NODE_NONSENSE;
    node_note(&s->answers[2], false, now);
}
static void stands(struct scene *s) /* its MariaDB is down: Active, but its LSN stands */
{
    for (uint64_t at = 30; at-- > 0;) {
        s->answers[0].current_lsn += 10;
        node_note(&s->answers[0], true, now - at * S);
    }
}
static void just_behind(struct scene *s) /* an idle cluster's first write */
{
    s->answers[0].current_lsn = 21;
    node_note(&s->answers[0], true, now);
}
static void fell(struct scene *s)
{
    s->answers[0].current_lsn = 7;
    node_note(&s->answers[0], true, now);
}

enum { WHOLE = 1, AHEAD = 2 };
static const struct {
    const char *name;
    void (*arrange)(struct scene *s);
    enum cluster_state state;
    int leader;
    unsigned flags;
    const char *reason, *remedy; /* contained; NULL: none at all */
    int node;                    /* the one that matters */
    enum node_state node_state;
    const char *node_reason;     /* contained; NULL: none */
} situations[] = {
    {"well", well, CLUSTER_LED, 0, WHOLE | AHEAD, NULL, NULL, 2, NODE_UP, NULL},
    {"not asked yet", not_asked, CLUSTER_UNKNOWN, -1, 0, "10.9.0.3 has not answered yet", NULL, 2, NODE_UNKNOWN, "not answered yet"},
    {"asked in vain", asked_in_vain, CLUSTER_LED, 0, AHEAD, NULL, NULL, 2, NODE_GONE, "silent for 7 s"},
    {"follower refused", follower_refused, CLUSTER_LED, 0, AHEAD, NULL, NULL, 2, NODE_GONE, "Connection refused"},
    {"follower slow", follower_slow, CLUSTER_LED, 0, WHOLE | AHEAD, NULL, NULL, 2, NODE_UP, NULL},
    {"follower mute", follower_mute, CLUSTER_LED, 0, AHEAD, NULL, NULL, 2, NODE_GONE, "silent for 7 s"},
    {"leader slow", leader_slow, CLUSTER_LED, 0, WHOLE | AHEAD, NULL, NULL, 0, NODE_UP, NULL},
    {"leader mute", leader_mute, CLUSTER_CHANGING, -1, 0, "node-2 names node-1 as leader, which does not answer", "elected", 0, NODE_GONE, "silent"},
    {"leader killed", leader_killed, CLUSTER_CHANGING, -1, 0, "does not answer", "within 6 s", 0, NODE_GONE, "refused"},
    {"leader never answered", leader_never_answered, CLUSTER_CHANGING, -1, 0, "node-2 names node-1 as leader, which does not answer", "within 6 s", 0, NODE_GONE, "refused"},
    {"leader dropped", leader_dropped, CLUSTER_LEADERLESS, -1, 0, "no node leads", "bootstrap", 0, NODE_GONE, "refused"},
    {"failed over", failed_over, CLUSTER_LED, 1, AHEAD, NULL, NULL, 0, NODE_GONE, "refused"},
    {"the dead one stays a leader in the table", dead_stays_a_leader, CLUSTER_LED, 1, AHEAD, NULL, NULL, 0, NODE_GONE, "refused"},
    {"elected behind the others", elected_behind, CLUSTER_LED, 1, 0, "went backwards", "verify", 2, NODE_UP, NULL},
    {"half agreed", half_agreed, CLUSTER_CHANGING, -1, 0, "node-2 says that it leads, but node-3 still names node-1", "restart", 2, NODE_UP, NULL},
    {"dropped follower returned", dropped_follower_returned, CLUSTER_CHANGING, -1, 0, "node-3 names no leader", "restart", 2, NODE_UP, NULL},
    {"dropped in the leader's table", table_says_dropped, CLUSTER_LED, 0, AHEAD, NULL, NULL, 2, NODE_LAGGING, "Dropped in the table of the leader node-1"},
    {"not in the leader's table", not_in_table, CLUSTER_LED, 0, AHEAD, NULL, NULL, 2, NODE_LAGGING, "does not have it in its table"},
    {"two leaders", two_say_so, CLUSTER_SPLIT, -1, 0, "node-1 and node-2 both say that they lead", "bootstrap", 1, NODE_UP, NULL},
    {"leads and names another", says_so_names_another, CLUSTER_SPLIT, -1, 0, "node-1 says that it leads, and names node-2", "bootstrap", 0, NODE_UP, NULL},
    {"leads and names none", says_so_names_none, CLUSTER_CHANGING, -1, 0, "names no leader", NULL, 0, NODE_UP, NULL},
    {"forwards to the one that yielded", keeps_the_yielded, CLUSTER_SPLIT, -1, 0, "still has node-2 as a leader", "restart", 0, NODE_UP, NULL},
    {"flips", flips, CLUSTER_SPLIT, -1, 0, "node-3 changed the leader that it names 3 times in", "bootstrap", 2, NODE_UP, NULL},
    {"flipped long ago", flipped_long_ago, CLUSTER_LED, 0, WHOLE | AHEAD, NULL, NULL, 2, NODE_UP, NULL},
    {"failover and back", failover_and_back, CLUSTER_LED, 0, WHOLE | AHEAD, NULL, NULL, 2, NODE_UP, NULL},
    {"never_leader", never_leader, CLUSTER_LEADERLESS, -1, 0, "no node leads", "never_leader", 0, NODE_UP, NULL},
    {"the named one denies", named_denies, CLUSTER_CHANGING, -1, 0, "names node-1 as leader, which does not say so", NULL, 0, NODE_UP, NULL},
    {"the leader is not given", leader_not_given, CLUSTER_LEADERLESS, -1, 0, "node-1 (10.9.0.1:7654) as leader", "add the leader's host", 0, NODE_UP, NULL},
    {"nobody answers", nobody, CLUSTER_UNKNOWN, -1, 0, "no node answers", "start WolfScale", 1, NODE_GONE, "refused"},
    {"another cluster", another_cluster, CLUSTER_FOREIGN, -1, 0, "two clusters among the nodes: 10.9.0.3 (other-1)", "leave", 2, NODE_FOREIGN, "cluster with other-2"},
    {"known by its address", known_by_address_only, CLUSTER_LED, 0, AHEAD, NULL, NULL, 2, NODE_LAGGING, "not have it"},
    {"one node, two names", one_node_two_names, CLUSTER_FOREIGN, -1, 0, "10.9.0.2 and db2.example are one node", "leave one", 2, NODE_FOREIGN, "same node as 10.9.0.2"},
    {"one id, two nodes", one_id_two_nodes, CLUSTER_FOREIGN, -1, 0, "10.9.0.2 and 10.9.0.3 both answer as \"node-2\"", "id of its own", 2, NODE_FOREIGN, "calls itself node-2"},
    {"an id with |", odd_id, CLUSTER_LED, 0, WHOLE | AHEAD, NULL, NULL, 2, NODE_UP, "its id has | in it"},
    {"an id with quotes", quoted_id, CLUSTER_LED, 0, WHOLE | AHEAD, NULL, NULL, 2, NODE_UP, "its id has \" in it"},
    {"HTML", html, CLUSTER_LED, 0, AHEAD, NULL, NULL, 2, NODE_UNREADABLE, "HTML instead of JSON"},
    {"a follower stands", stands, CLUSTER_LED, 0, WHOLE | AHEAD, NULL, NULL, 2, NODE_LAGGING, "stands at WolfScale LSN 20"},
    {"the first write after a pause", just_behind, CLUSTER_LED, 0, WHOLE | AHEAD, NULL, NULL, 2, NODE_UP, NULL},
    {"the leader's LSN fell", fell, CLUSTER_LED, 0, WHOLE, "went backwards", "verify", 0, NODE_UP, NULL},
};

static void says(const char *row, const char *what, const char *text, const char *part)
{
    if (part ? strstr(text, part) != NULL : !*text) return;
    fail_msg("%s: %s is \"%s\", not \"%s\"", row, what, text, part ? part : "");
}

static void each_situation_has_its_verdict(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof situations / sizeof *situations; i++) {
        static struct scene s;
        struct nodes_verdict v;
        const char *row = situations[i].name;
        scene_init(&s);
        situations[i].arrange(&s);
        nodes_judge(s.addresses, s.answers, s.count, now, &v);
        if (v.state != situations[i].state || v.leader != situations[i].leader)
            fail_msg("%s: %s, leader %d (%s)", row, cluster_state_name(v.state), v.leader, v.reason);
        says(row, "the reason", v.reason, situations[i].reason);
        says(row, "the remedy", v.remedy, situations[i].remedy);
        if ((v.whole ? WHOLE : 0) + (v.ahead ? AHEAD : 0) != (int)situations[i].flags) fail_msg("%s: whole %d ahead %d", row, v.whole, v.ahead);
        int n = situations[i].node;
        if (v.nodes[n].state != situations[i].node_state) fail_msg("%s: node is %s (%s)", row, node_state_name(v.nodes[n].state), v.nodes[n].reason);
        says(row, "the node's reason", v.nodes[n].reason, situations[i].node_reason);
    }
}

/* ---- who is not in the list ---- */

static void members_that_were_not_given_are_found(void **state)
{
    static struct scene s;
    const struct node_peer *found[NODE_PEERS_MAX];
    char host[NODE_ID_MAX];
    (void)state;
    scene_init(&s);
    assert_int_equal(nodes_unlisted(s.addresses, s.answers, 3, now, found, NODE_PEERS_MAX), 0);
    assert_int_equal(nodes_unlisted(s.addresses, s.answers, 1, now, found, NODE_PEERS_MAX), 2);
    assert_string_equal(found[0]->id, "node-2");
    assert_true(node_peer_host(found[1], host, sizeof host));
    assert_string_equal(host, "10.9.0.3");
    snprintf(s.answers[0].peers[2].role, 24, "LoadBalancer");
    assert_int_equal(nodes_unlisted(s.addresses, s.answers, 1, now, found, NODE_PEERS_MAX), 1);
    assert_int_equal(nodes_unlisted(s.addresses, s.answers, 1, now, found, 0), 0);
}

static void a_peers_host_is_read(void **state)
{
    static const struct { const char *address, *host; } rows[] = {
        {"10.9.0.1:7654", "10.9.0.1"}, {"[fe80::1]:7654", "fe80::1"}, {"db1:7654", "db1"}, {"db1", NULL}, {":7654", NULL}, {"[::1", NULL}, {"", NULL}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct node_peer peer;
        char host[NODE_ID_MAX] = "";
        peer_set(&peer, "x", rows[i].address, "Follower");
        assert_int_equal(node_peer_host(&peer, host, sizeof host), rows[i].host != NULL);
        if (rows[i].host) assert_string_equal(host, rows[i].host);
    }
}

/* ---- reading ---- */

#define STATUS(id, leads, leader, lsn) "{\"node_id\":" id ",\"is_leader\":" leads ",\"leader_id\":" leader ",\"term\":1,\"last_applied_lsn\":" lsn \
    ",\"commit_lsn\":0,\"cluster_size\":3,\"has_quorum\":true}"
#define STATS(id, lsn) "{\"node_id\":" id ",\"role\":\"Leader\",\"current_lsn\":" lsn ",\"followers\":[],\"processlist\":[{\"info\":\"a\\u0000b\"}]}"
#define PEER(id, address, status, lsn) "{\"id\":" id ",\"address\":" address ",\"status\":" status ",\"role\":\"Follower\",\"last_applied_lsn\":" lsn \
    ",\"joined_at\":\"2026-11-20T19:28:05.866678693Z\",\"replication_lag\":0}"
#define CLUSTER(nodes) "{\"summary\":{\"total_nodes\":3},\"nodes\":" nodes "}"

static const struct {
    bool (*read)(struct slice json, struct node_answer *answer);
    const char *text, *problem; /* NULL: good */
} texts[] = {
    {node_read_status, STATUS("\"node-1\"", "true", "\"node-1\"", "0"), NULL},
    {node_read_status, " \n" STATUS("\"node-1\"", "false", "null", "18446744073709551615") "\n", NULL},
    {node_read_status, STATUS("\"no|de\"", "false", "null", "1"), NULL},
    {node_read_status, STATUS("\"node-1\"", "false", "null", "18446744073709551616"), "\"last_applied_lsn\" is 18446744073709551616, beyond 64 bits"},
    {node_read_status, STATUS("\"node-1\"", "false", "null", "99999999999999999999999"), "beyond 64 bits"},
    {node_read_status, STATUS("\"node-1\"", "false", "null", "-1"), "counts nothing"},
    {node_read_status, STATUS("\"node-1\"", "false", "null", "1e3"), "counts nothing"},
    {node_read_status, STATUS("\"node-1\"", "false", "null", "1.5"), "counts nothing"},
    {node_read_status, STATUS("\"node-1\"", "false", "null", "\"20\""), "\"last_applied_lsn\" is no number"},
    {node_read_status, STATUS("\"\"", "false", "null", "1"), "\"node_id\" is empty"},
    {node_read_status, STATUS("7", "false", "null", "1"), "\"node_id\" is no text"},
    {node_read_status, STATUS("\"a\\nb\"", "false", "null", "1"), "control characters"},
    {node_read_status, STATUS("\"a\xc2\x9b" "2J\"", "false", "null", "1"), "control characters"},
    {node_read_status, STATUS("\"\xc3\xa9\"", "false", "null", "1"), NULL},
    {node_read_status, STATUS("\"node-1\"", "\"yes\"", "null", "1"), "\"is_leader\" is neither"},
    {node_read_status, STATUS("\"node-1\"", "true", "5", "1"), "\"leader_id\" is no text"},
    {node_read_status, "{\"healthy\":true,\"node_id\":\"node-1\",\"is_leader\":false}", "\"leader_id\" is missing"},
    {node_read_status, "{}", "\"node_id\" is missing: not WolfScale"},
    {node_read_status, "[]", "another JSON than a node's"},
    {node_read_status, "", "with nothing"},
    {node_read_status, "<!DOCTYPE html><html>", "HTML instead of JSON"},
    {node_read_status, "{\"node_id\":\"node-1\",\"is_lea", "half a JSON"},
    {node_read_status, STATUS("\"node-1\"", "true", "null", "1") "x", "half a JSON, or a broken one"},
    {node_read_status, "Not Found", "no JSON: Not Found"},
    {node_read_status, "\x01\xff", "no JSON: .."},
    {node_read_status, STATUS("\"\xff" "5\"", "true", "null", "1"), "broken one"},
    {node_read_stats, STATS("\"node-1\"", "9007199254740993"), NULL},
    {node_read_stats, STATS("\"node-2\"", "1"), "answers /status as \"node-1\" and /stats as \"node-2\""},
    {node_read_stats, STATS("\"node-1\"", "null"), "\"current_lsn\" is no number"},
    {node_read_stats, "{\"lb_mode\":true,\"node_id\":\"lb\"}", "load balancer"},
    {node_read_cluster, CLUSTER("[]"), NULL},
    {node_read_cluster, CLUSTER("[" PEER("\"a\"", "\"10.9.0.1:7654\"", "\"Active\"", "5") "]"), NULL},
    {node_read_cluster, CLUSTER("[" PEER("\"a\"", "\"10.9.0.1:7654\"", "\"Active\"", "5") ",7]"), "\"id\" is missing"},
    {node_read_cluster, CLUSTER("[" PEER("\"a\"", "\"10.9.0.1:7654\"", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"", "5") "]"), "\"status\" is longer than 23"},
    {node_read_cluster, CLUSTER("[" PEER("\"a\"", "null", "\"Active\"", "5") "]"), "\"address\" is no text"},
    {node_read_cluster, CLUSTER("[" PEER("\"a\"", "\"\"", "\"Active\"", "18446744073709551616") "]"), "beyond 64 bits"},
    {node_read_cluster, CLUSTER("{}"), "\"nodes\" is no list"},
    {node_read_cluster, "{}", "\"nodes\" is missing"},
};

static void texts_are_read_or_refused_by_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        static struct node_answer answer, before;
        memset(&answer, 0, sizeof answer);
        set(answer.id, "node-1");
        before = answer;
        bool good = texts[i].read(slice_text(texts[i].text), &answer);
        if (good != !texts[i].problem) fail_msg("%s: %s (%s)", texts[i].text, good ? "taken" : "refused", answer.problem);
        says(texts[i].text, "the problem", answer.problem, texts[i].problem);
        memcpy(before.problem, answer.problem, sizeof before.problem);
        if (!good) assert_memory_equal(&answer, &before, sizeof answer);
    }
}

static void values_are_exact(void **state)
{
    static struct node_answer answer;
    (void)state;
    assert_true(node_read_status(slice_text(texts[1].text), &answer));
    assert_true(answer.applied_lsn == UINT64_MAX);
    assert_string_equal(answer.leader_id, "");
    assert_true(node_read_status(slice_text(texts[0].text), &answer));
    assert_true(answer.is_leader);
    assert_string_equal(answer.leader_id, "node-1");
    assert_true(node_read_stats(slice_text(STATS("\"node-1\"", "9007199254740993")), &answer));
    assert_true(answer.current_lsn == 9007199254740993u); /* a double ends with …992 */
    assert_true(node_read_cluster(slice_text(texts[31].text), &answer));
    assert_int_equal(answer.peer_count, 1);
    assert_string_equal(answer.peers[0].address, "10.9.0.1:7654");
    assert_int_equal(answer.peers[0].lsn, 5);
}

static void a_leaders_view_of_the_others(void **state)
{
    struct node_peer peers[NODE_PEERS_MAX];
    size_t count = 9;
    (void)state;
    assert_true(node_read_followers(slice_text("{\"followers\":[{\"node_id\":\"node-2\",\"last_applied_lsn\":20,\"lag\":0,\"status\":\"Active\"}]}"),
                                    peers, &count));
    assert_int_equal(count, 1);
    assert_string_equal(peers[0].id, "node-2");
    assert_string_equal(peers[0].status, "Active");
    assert_int_equal(peers[0].lsn, 20);
    assert_false(node_read_followers(slice_text("{\"followers\":[{\"node_id\":\"node-2\"}]}"), peers, &count));
    assert_false(node_read_followers(slice_text("{}"), peers, &count));
    assert_int_equal(count, 1);
}

static void a_table_has_a_limit(void **state)
{
    static struct node_answer answer;
    struct buf text;
    (void)state;
    buf_init(&text, 1 << 20);
    buf_text(&text, "{\"nodes\":[" PEER("\"a\"", "\"x:1\"", "\"Active\"", "5"));
    for (int i = 1; i < NODE_PEERS_MAX; i++) buf_text(&text, "," PEER("\"a\"", "\"x:1\"", "\"Active\"", "5"));
    size_t full = text.size;
    buf_text(&text, "]}");
    assert_true(node_read_cluster(buf_bytes(&text), &answer));
    assert_int_equal(answer.peer_count, NODE_PEERS_MAX);
    text.size = full;
    buf_text(&text, "," PEER("\"a\"", "\"x:1\"", "\"Active\"", "5") "]}");
    assert_false(node_read_cluster(buf_bytes(&text), &answer));
    assert_non_null(strstr(answer.problem, "more than 32 nodes"));
    buf_fini(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_situation_has_its_verdict), cmocka_unit_test(members_that_were_not_given_are_found),
        cmocka_unit_test(a_peers_host_is_read),           cmocka_unit_test(texts_are_read_or_refused_by_name),
        cmocka_unit_test(values_are_exact),               cmocka_unit_test(a_table_has_a_limit),
        cmocka_unit_test(a_leaders_view_of_the_others)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
