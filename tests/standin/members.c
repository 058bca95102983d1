/* members.c: see members.h. */
#include "members.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"

enum { LAGGING_BEATS = 15, DROPPED_TIMEOUTS = 3, FORGOTTEN_MS = 30000, CHECK_MS = 250, DECIDE_MIN_MS = 600, DECIDE_MAX_MS = 1000,
       YIELD_MS = 800 };

const char *const member_status_names[] = {"Joining", "Active", "Lagging", "Dropped"};
const char *const member_role_names[] = {"Follower", "Leader"};

struct members {
    const struct conf *conf;
    pthread_mutex_t lock;
    /* shared, under lock */
    struct members_view now;
    char cluster[NAME_MAX_BYTES]; /* "": none */
    bool parted;
    int rival;                /* to a leader: the other one, once there was one; NOBODY */
    bool obstinate;           /* never yields */
    uint64_t yield_us;        /* 0: no reason to */
    uint64_t elect_us;        /* not before */
    bool blocked;             /* at the last check someone else had to lead */
    unsigned seed;
};

static uint64_t ms(uint64_t n) { return n * 1000; }
static struct member *self(struct members *members) { return &members->now.list[SELF]; }

static unsigned between(struct members *members, unsigned low, unsigned high)
{
    return high > low ? low + (unsigned)rand_r(&members->seed) % (high - low) : low;
}

static void unheard(struct member *member, const char *address)
{
    *member = (struct member){.status = MEMBER_JOINING, .joined_us = clock_wall_us()};
    snprintf(member->address, sizeof member->address, "%s", address);
    snprintf(member->id, sizeof member->id, "peer-%s", address);
    for (char *at = member->id; *at; at++)
        if (*at == ':' || *at == '.') *at = '-';
}

static void begin_table(struct members *members)
{
    const struct conf *conf = members->conf;
    members->now.count = 1;
    for (unsigned i = 0; i < conf->peer_count && !members->parted; i++)
        if (strcmp(conf->peers[i], conf->advertise) != 0) unheard(&members->now.list[members->now.count++], conf->peers[i]);
}

static void become_leader(struct members *members)
{
    self(members)->role = MEMBER_LEADER;
    members->now.leading = true;
    members->now.leader = SELF;
    for (unsigned i = 1; i < members->now.count; i++) members->now.list[i].role = MEMBER_FOLLOWER;
    log_info("members.leading", "id=%s", self(members)->id);
}

struct members *members_new(const struct conf *conf, bool leading, uint64_t applied)
{
    struct members *members = calloc(1, sizeof *members);
    if (!members) abort();
    pthread_mutex_init(&members->lock, NULL);
    members->conf = conf;
    members->seed = (unsigned)clock_us();
    snprintf(members->cluster, sizeof members->cluster, "%s", conf->cluster_name);
    struct member *me = self(members);
    *me = (struct member){.status = MEMBER_ACTIVE, .applied = applied, .joined_us = clock_wall_us()};
    snprintf(me->id, sizeof me->id, "%s", conf->id);
    snprintf(me->address, sizeof me->address, "%s", conf->advertise);
    members->now.leader = members->rival = NOBODY;
    begin_table(members);
    members->elect_us = clock_us() + ms(between(members, conf->election_min_ms, conf->election_max_ms));
    if (leading) become_leader(members);
    return members;
}

/* ---- looking ---- */

static struct member *by_address(struct members *members, const char *address)
{
    for (unsigned i = 1; i < members->now.count; i++)
        if (!strcmp(members->now.list[i].address, address)) return &members->now.list[i];
    return NULL;
}

void members_view(struct members *members, struct members_view *view)
{
    pthread_mutex_lock(&members->lock);
    *view = members->now;
    pthread_mutex_unlock(&members->lock);
    unsigned kept = 0;
    for (unsigned i = 0; i < view->count; i++) {
        if (view->list[i].forgotten) continue;
        if (view->leader == (int)i) view->leader = (int)kept;
        view->list[kept++] = view->list[i];
    }
    view->count = kept;
}

bool members_self_leads(struct members *members)
{
    pthread_mutex_lock(&members->lock);
    bool leads = members->now.leader == SELF;
    pthread_mutex_unlock(&members->lock);
    return leads;
}

void members_leader_host(struct members *members, char host[ADDRESS_MAX])
{
    unsigned port;
    pthread_mutex_lock(&members->lock);
    int leader = members->now.leader;
    if (leader == NOBODY || !conf_address(members->now.list[leader].address, host, &port)) *host = 0;
    pthread_mutex_unlock(&members->lock);
}

void members_own_beat(struct members *members, struct beat *beat)
{
    pthread_mutex_lock(&members->lock);
    const struct member *me = self(members);
    *beat = (struct beat){.leading = members->now.leading, .applied = me->applied};
    memcpy(beat->id, me->id, sizeof beat->id);
    memcpy(beat->address, me->address, sizeof beat->address);
    memcpy(beat->cluster, members->cluster, sizeof beat->cluster);
    pthread_mutex_unlock(&members->lock);
}

bool members_greets(struct members *members, const char *address)
{
    pthread_mutex_lock(&members->lock);
    const struct member *member = by_address(members, address);
    bool greets = member && !(members->now.leading && member->status == MEMBER_DROPPED);
    pthread_mutex_unlock(&members->lock);
    return greets;
}

bool members_push_from(struct members *members, const char *address, uint64_t *lsn)
{
    pthread_mutex_lock(&members->lock);
    const struct member *member = by_address(members, address);
    bool push = member && members->now.leading && member->seen_us && member->status != MEMBER_DROPPED;
    if (push) *lsn = member->applied;
    pthread_mutex_unlock(&members->lock);
    return push;
}

/* ---- hearing ---- */

/* A leader takes the other one for it from its first word, even when that one is gone, and itself only for a moment. */
static void take_for_leader(struct members *members, int leader)
{
    bool again = members->now.leading && members->rival == leader;
    if (members->now.leading) members->rival = leader;
    members->now.leader = again ? SELF : leader;
}

static void follow(struct members *members, struct member *leader, uint64_t now_us)
{
    for (unsigned i = 1; i < members->now.count; i++) members->now.list[i].role = MEMBER_FOLLOWER;
    leader->role = MEMBER_LEADER;
    leader->status = MEMBER_ACTIVE;
    take_for_leader(members, (int)(leader - members->now.list));
    members->elect_us = now_us + ms(between(members, members->conf->election_min_ms, members->conf->election_max_ms));
}

bool members_heard(struct members *members, const struct beat *beat, uint64_t now_us)
{
    pthread_mutex_lock(&members->lock);
    struct member *member = by_address(members, beat->address);
    bool foreign = *beat->cluster && *members->cluster && strcmp(beat->cluster, members->cluster) != 0;
    bool known = member && !foreign && !members->parted;
    if (known) {
        memcpy(member->id, beat->id, sizeof member->id);
        member->seen_us = now_us;
        if (beat->leading || !members->now.leading || member->status != MEMBER_DROPPED) {
            member->forgotten = false;
            member->status = MEMBER_ACTIVE;
        }
        if (beat->leading) {
            member->applied = beat->applied;
            follow(members, member, now_us);
        }
    }
    pthread_mutex_unlock(&members->lock);
    return known;
}

void members_applied(struct members *members, uint64_t lsn)
{
    pthread_mutex_lock(&members->lock);
    if (!members->now.leading) self(members)->applied = lsn;
    pthread_mutex_unlock(&members->lock);
}

void members_acknowledged(struct members *members, const char *address, uint64_t lsn, uint64_t own_lsn)
{
    pthread_mutex_lock(&members->lock);
    struct member *member = by_address(members, address);
    /* what is remembered beyond the own log stays, even if the follower has been emptied since */
    if (member && members->now.leading && (lsn > member->applied || member->applied <= own_lsn)) member->applied = lsn;
    pthread_mutex_unlock(&members->lock);
}

/* ---- time ---- */

static void check_silence(struct members *members, uint64_t now_us)
{
    for (unsigned i = 1; i < members->now.count; i++) {
        struct member *member = &members->now.list[i];
        uint64_t silent = member->seen_us ? now_us - member->seen_us : 0;
        if (silent > ms(FORGOTTEN_MS)) member->forgotten = true;
        else if (silent > ms(DROPPED_TIMEOUTS * members->conf->election_timeout_ms)) member->status = MEMBER_DROPPED;
        else if (silent > ms(LAGGING_BEATS * members->conf->beat_ms)) member->status = MEMBER_LAGGING;
        if (member->status == MEMBER_DROPPED && members->now.leader == (int)i) {
            members->now.leader = NOBODY;
            member->role = MEMBER_FOLLOWER;
        }
    }
}

static bool must_wait(struct members *members)
{
    for (unsigned i = 1; i < members->now.count; i++) {
        const struct member *member = &members->now.list[i];
        if (member->seen_us && member->status != MEMBER_DROPPED && strcmp(member->id, self(members)->id) < 0) return true;
    }
    return false;
}

static enum members_order elect(struct members *members, uint64_t now_us)
{
    bool blocked = must_wait(members);
    if (members->blocked && !blocked) members->elect_us = now_us + ms(between(members, DECIDE_MIN_MS, DECIDE_MAX_MS));
    members->blocked = blocked;
    if (blocked || now_us < members->elect_us || members->conf->never_leader) return MEMBERS_GO_ON;
    become_leader(members);
    return MEMBERS_LEAD;
}

static bool must_yield(struct members *members)
{
    if (members->obstinate) return false;
    for (unsigned i = 1; i < members->now.count; i++) {
        const struct member *member = &members->now.list[i];
        if (member->status == MEMBER_ACTIVE && strcmp(member->id, self(members)->id) < 0 && member->applied >= self(members)->applied)
            return true;
    }
    return false;
}

static enum members_order lead_on(struct members *members, uint64_t now_us)
{
    if (members->rival != NOBODY) members->now.leader = members->rival;
    if (!must_yield(members)) members->yield_us = 0;
    else if (!members->yield_us) members->yield_us = now_us + ms(YIELD_MS);
    return members->yield_us && now_us >= members->yield_us ? MEMBERS_YIELD : MEMBERS_GO_ON;
}

enum members_order members_tick(struct members *members, uint64_t now_us)
{
    pthread_mutex_lock(&members->lock);
    enum members_order order;
    if (members->now.leading) {
        order = lead_on(members, now_us);
    } else {
        check_silence(members, now_us);
        order = elect(members, now_us);
    }
    pthread_mutex_unlock(&members->lock);
    return order;
}

/* ---- misbehaviour ---- */

static void step_down(struct members *members)
{
    self(members)->role = MEMBER_FOLLOWER;
    members->now.leading = false;
    members->now.leader = members->rival = NOBODY;
    members->elect_us = clock_us() + ms(members->conf->election_max_ms);
}

void members_lead(struct members *members, bool lead)
{
    pthread_mutex_lock(&members->lock);
    members->obstinate = lead;
    if (lead) become_leader(members);
    else step_down(members);
    pthread_mutex_unlock(&members->lock);
}

void members_rename(struct members *members, const char *id)
{
    pthread_mutex_lock(&members->lock);
    snprintf(self(members)->id, NAME_MAX_BYTES, "%s", *id ? id : members->conf->id);
    pthread_mutex_unlock(&members->lock);
}

void members_part(struct members *members, const char *cluster)
{
    pthread_mutex_lock(&members->lock);
    members->parted = *cluster != 0;
    snprintf(members->cluster, sizeof members->cluster, "%s", *cluster ? cluster : members->conf->cluster_name);
    begin_table(members);
    members->rival = NOBODY;
    if (members->parted) become_leader(members);
    else if (!members->conf->bootstrap) step_down(members);
    pthread_mutex_unlock(&members->lock);
}
