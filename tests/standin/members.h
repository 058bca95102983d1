/*
 * members.h: one node's table of the cluster: who is there, in what state, who leads. Its own view: nothing is voted on.
 *
 *   a follower   marks a member Lagging after 15 heartbeats' silence, Dropped after three election timeouts, forgets it after
 *                30 s; leads itself when it has heard no leader for one election timeout and knows no lower id that is not
 *                Dropped
 *   a leader     checks nobody's silence; a member that it holds for Dropped stays so until it calls itself leader; ends when
 *                an Active member with a lower id stands at least where it stood itself when it began to lead
 *   two leaders  each follower, and each of the two, takes for the leader whoever was heard last
 *
 * Any thread: the table has its own lock. Members are known by address; one that was never heard is "peer-ADDRESS".
 */
#ifndef STANDIN_MEMBERS_H
#define STANDIN_MEMBERS_H
#include <stdbool.h>
#include <stdint.h>

#include "conf.h"

enum member_status { MEMBER_JOINING, MEMBER_ACTIVE, MEMBER_LAGGING, MEMBER_DROPPED };
enum member_role { MEMBER_FOLLOWER, MEMBER_LEADER };
extern const char *const member_status_names[];
extern const char *const member_role_names[];

struct member {
    char id[NAME_MAX_BYTES], address[ADDRESS_MAX];
    enum member_status status;
    enum member_role role;
    bool forgotten;
    uint64_t applied; /* a follower's acknowledged LSN; a leader's, where it stood when it began to lead */
    uint64_t seen_us, joined_us /* wall clock */;
};
enum { MEMBERS_MAX = PEERS_MAX + 1, NOBODY = -1, SELF = 0 };

struct members_view { /* a copy; the first is this node */
    struct member list[MEMBERS_MAX];
    unsigned count;
    int leader; /* index or NOBODY */
    bool leading; /* by role; another may be named leader nevertheless */
};

/* What one node tells another every heartbeat. */
struct beat {
    char id[NAME_MAX_BYTES], address[ADDRESS_MAX], cluster[NAME_MAX_BYTES];
    bool leading;
    uint64_t applied;
};

enum members_order { MEMBERS_GO_ON, MEMBERS_LEAD, MEMBERS_YIELD };

struct members *members_new(const struct conf *conf, bool leading, uint64_t applied);
void members_view(struct members *members, struct members_view *view);
/* By membership: this node is named leader in its own table. */
bool members_self_leads(struct members *members);
/* The leader's host, "" when there is none. */
void members_leader_host(struct members *members, char host[ADDRESS_MAX]);
/* Every heartbeat. The orders are carried out already, but for the end of the process. */
enum members_order members_tick(struct members *members, uint64_t now_us);
void members_own_beat(struct members *members, struct beat *beat);
/* Whether a heartbeat is due to this address: nobody Dropped gets one from a leader. */
bool members_greets(struct members *members, const char *address);
/* False when the sender is none of ours. */
bool members_heard(struct members *members, const struct beat *beat, uint64_t now_us);
/* A follower's own LSN moved. */
void members_applied(struct members *members, uint64_t lsn);
/* What a follower acknowledged, or said in answer to a heartbeat (0: nothing yet since it started). */
void members_acknowledged(struct members *members, const char *address, uint64_t lsn, uint64_t own_lsn);
/* Where replication to this address goes on; false while there is none: not leading, member Dropped or unheard. */
bool members_push_from(struct members *members, const char *address, uint64_t *lsn);

/* Misbehaviour. */
void members_lead(struct members *members, bool lead); /* at once, whoever leads, and for good; or no more */
void members_rename(struct members *members, const char *id);
void members_part(struct members *members, const char *cluster); /* "" back to its own cluster; else alone in that one */

#endif
