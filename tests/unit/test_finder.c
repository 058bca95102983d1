/* Whether a node that nobody listed may be taken up: what the cluster would be with it in. */
#include "unit.h"

#include "finder.h"

enum { S = 1000000 };
static const uint64_t now = 1000 * (uint64_t)S;

struct scene { /* the known ones first, then who asks to be let in */
    struct node_address addresses[4];
    struct node_answer answers[4];
    size_t known;
};

static void peer_set(struct node_peer *peer, size_t n, const char *status, const char *role)
{
    *peer = (struct node_peer){.lsn = 20};
    snprintf(peer->id, sizeof peer->id, "node-%zu", n);
    snprintf(peer->address, sizeof peer->address, "10.9.0.%zu:7654", n);
    snprintf(peer->status, sizeof peer->status, "%s", status);
    snprintf(peer->role, sizeof peer->role, "%s", role);
}

static void node_set(struct scene *s, size_t i, const char *host, size_t n)
{
    struct node_answer *a = &s->answers[i];
    s->addresses[i] = (struct node_address){host, NODE_PORT_DB, NODE_PORT_API, NODE_PORT_PROXY};
    *a = (struct node_answer){.since_us = 1, .applied_lsn = 20, .current_lsn = 20, .is_leader = n == 1, .peer_count = 3};
    snprintf(a->id, sizeof a->id, "node-%zu", n);
    snprintf(a->leader_id, sizeof a->leader_id, "node-1");
    snprintf(a->ip, sizeof a->ip, "10.9.0.%zu", n);
    for (size_t k = 0; k < 3; k++) peer_set(&a->peers[k], k + 1, "Active", k ? "Follower" : "Leader");
    node_note(a, true, now - 60 * (uint64_t)S);
    node_note(a, true, now);
}

/* Nodes 1 and 2 are known, node 3 asks. */
static void scene_init(struct scene *s)
{
    memset(s, 0, sizeof *s);
    node_set(s, 0, "10.9.0.1", 1);
    node_set(s, 1, "10.9.0.2", 2);
    node_set(s, 2, "10.9.0.3", 3);
    s->known = 2;
}

static void well(struct scene *s) { (void)s; }
static void silent(struct scene *s) { s->answers[2].answered_us = now - 7 * (uint64_t)S; }
static void refused(struct scene *s)
{
    s->answers[2].trouble = NODE_REFUSED;
    node_note(&s->answers[2], false, now);
}
static void last_round_bad(struct scene *s)
{
    s->answers[2].trouble = NODE_MUTE;
    node_note(&s->answers[2], false, now);
}
static void never_asked(struct scene *s) { s->answers[2] = (struct node_answer){0}; }
static void joining(struct scene *s) { snprintf(s->answers[0].peers[2].status, 24, "Joining"); }
static void dropped(struct scene *s) { snprintf(s->answers[0].peers[2].status, 24, "Dropped"); }
static void not_in_the_leaders_table(struct scene *s) { s->answers[0].peer_count = 2; }
static void a_balancer(struct scene *s) { snprintf(s->answers[1].peers[2].role, 24, "LoadBalancer"); }
static void names_another_leader(struct scene *s) { snprintf(s->answers[2].leader_id, NODE_ID_MAX, "node-3"); }
static void leads_too(struct scene *s) { s->answers[2].is_leader = true; }
static void of_another_cluster(struct scene *s)
{
    struct node_answer *a = &s->answers[2];
    snprintf(a->id, sizeof a->id, "other-1");
    snprintf(a->leader_id, sizeof a->leader_id, "other-1");
    a->is_leader = true;
    a->peer_count = 1;
    snprintf(a->peers[0].id, NODE_ID_MAX, "other-1");
}
static void of_a_known_id(struct scene *s) { snprintf(s->answers[2].id, NODE_ID_MAX, "node-2"); }
static void a_known_machine(struct scene *s) { snprintf(s->answers[2].ip, 64, "10.9.0.2"); }
static void cluster_is_split(struct scene *s) { s->answers[1].is_leader = true; }
static void leader_gone(struct scene *s)
{
    s->answers[0].trouble = NODE_REFUSED;
    node_note(&s->answers[0], false, now);
}
static void leader_asks(struct scene *s) /* one follower is known */
{
    node_set(s, 0, "10.9.0.2", 2);
    node_set(s, 1, "10.9.0.1", 1);
    s->known = 1;
}
static void follower_asks_before_its_leader(struct scene *s)
{
    node_set(s, 0, "10.9.0.2", 2);
    node_set(s, 1, "10.9.0.3", 3);
    s->known = 1;
}

static const struct { const char *name; void (*arrange)(struct scene *s); bool good; } situations[] = {
    {"well", well, true}, {"silent", silent, false}, {"refused", refused, false}, {"the last round was bad", last_round_bad, false},
    {"never asked", never_asked, false}, {"joining", joining, false}, {"dropped", dropped, false},
    {"not in the leader's table", not_in_the_leaders_table, false}, {"a load balancer", a_balancer, false},
    {"names another leader", names_another_leader, false}, {"leads too", leads_too, false}, {"of another cluster", of_another_cluster, false},
    {"has a known node's id", of_a_known_id, false}, {"is a known node by another name", a_known_machine, false},
    {"the cluster is split", cluster_is_split, false}, {"the leader is gone", leader_gone, false}, {"the leader itself", leader_asks, true},
    {"a follower before its leader", follower_asks_before_its_leader, false},
};

static void only_members_of_a_sound_cluster_are_let_in(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof situations / sizeof *situations; i++) {
        static struct scene s;
        scene_init(&s);
        situations[i].arrange(&s);
        bool good = finder_would_do(s.addresses, s.answers, s.known, &s.addresses[s.known], &s.answers[s.known], now);
        if (good != situations[i].good) fail_msg("%s: %s", situations[i].name, good ? "let in" : "not let in");
    }
}

static void who_is_listed_by_name_has_to_be_placed_first(void **state)
{
    static struct scene s;
    (void)state;
    scene_init(&s);
    assert_false(finder_unplaced(s.addresses, s.answers, 2));
    s.answers[1].answered_us = 0;
    assert_false(finder_unplaced(s.addresses, s.answers, 2)); /* its address says where it is */
    s.addresses[1].host = "fd00::2";
    assert_false(finder_unplaced(s.addresses, s.answers, 2));
    s.addresses[1].host = "db2.example";
    assert_true(finder_unplaced(s.addresses, s.answers, 2));
    s.answers[1].answered_us = now;
    assert_false(finder_unplaced(s.addresses, s.answers, 2));
}

static void a_found_host_can_be_written_anywhere(void **state)
{
    static const struct { const char *host; bool good; } rows[] = {
        {"10.9.0.1", true}, {"fd00::1", true}, {"db-1.example_x", true}, {"", false}, {"a b", false}, {"a\"b", false}, {"a/new", false}, {"a@b", false},
        {"a123456789b123456789c123456789d123456789e123456789f123456789g12", true}, {"a123456789b123456789c123456789d123456789e123456789f123456789g123", false}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (finder_host_valid(rows[i].host) != rows[i].good) fail_msg("\"%s\"", rows[i].host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(only_members_of_a_sound_cluster_are_let_in),
                                       cmocka_unit_test(who_is_listed_by_name_has_to_be_placed_first),
                                       cmocka_unit_test(a_found_host_can_be_written_anywhere)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
