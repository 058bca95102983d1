/*
 * sink.h: delivery. Each [[sink]] has a runner thread of its own (`sink-NAME`), its own reader of the log and its own cursor;
 * one that fails does not hold the others. A sink is a table of functions (sink_ops, in runner.h).
 */
#ifndef WOLFCDC_SINK_H
#define WOLFCDC_SINK_H
#include "settings.h"
#include "wal.h"

struct sinks;

enum sink_state { SINK_CONNECTING, SINK_STREAMING, SINK_IDLE, SINK_RETRYING, SINK_PAUSED, SINK_CONFLICT, SINK_GONE,
                  SINK_STOPPED, SINK_PARKED, SINK_STATES };

struct sink_status {
    const char *name, *type;
    const char *cluster;          /* the [[sink]] that it is a part of; NULL: of none */
    unsigned index;               /* for sink_metric_… */
    bool found;                   /* a node that the configuration does not list */
    enum sink_state state;
    uint64_t since_us;
    char reason[1024], remedy[512];
    uint64_t attempts;            /* that failed, one after the other, since the target confirmed anything */
    uint64_t lsn;                 /* last confirmed by the target */
    struct gtid gtid;             /* of it */
    uint32_t timestamp;           /* its source time */
    uint64_t transactions, rows, statements, bytes, groups, rollbacks, conflicts, long_locks, ddl_skipped;
    uint64_t lag_transactions, lag_bytes; double lag_seconds;
    char server[300], version[96];
    char sql_mode[300];           /* of a cluster's node: its server's own, which WolfScale's statements run under */
    uint64_t packet_max;          /* likewise: max_allowed_packet */
    bool lost_position;           /* the target has no position of ours, though we delivered to it, or others have: to be seeded or adopted */
    char held_back[512];          /* triggers and events kept for cutover: names, "" when none */
};

/* Owned. Checks the settings and opens every cursor; a sink that is new to a log with transactions and has no `start` is
   an error (ERR_CONFIG). */
MUST_CHECK bool sinks_new(const struct settings *settings, struct wal *wal, struct sinks **sinks, struct err *err);
void sinks_start(struct sinks *sinks);
void sinks_stop(struct sinks *sinks); /* returns within 4 s */
void sinks_free(struct sinks *sinks);
size_t sinks_count(const struct sinks *sinks);
/* The index-th; false: there are not so many. Nodes that are found come behind the others, one that is forgotten moves those behind it up. */
bool sinks_status(struct sinks *sinks, size_t index, struct sink_status *status);
/* Verbs, any thread. `name` NULL where it says so: all. */
MUST_CHECK bool sinks_pause(struct sinks *sinks, const char *name, bool pause, struct err *err); /* NULL: all */
/* conflict: "skip" | "overwrite" | "retry". */
MUST_CHECK bool sinks_conflict(struct sinks *sinks, const char *name, const char *way, struct err *err);
/* Deliver again from lsn (exactly-once sinks refuse what the target already has, unless it was rewound as well). */
MUST_CHECK bool sinks_rewind(struct sinks *sinks, const char *name, uint64_t lsn, struct err *err);
/* Lets the log go of a sink that is no longer in the configuration, or of a node that was found and is no longer in the cluster. */
MUST_CHECK bool sinks_forget(struct sinks *sinks, const char *name, struct err *err);
/* Before anything runs, for `wolfctl sink adopt`: reads the GTID set that an agent with another log left on each target, so that an
   empty log starts from it, the least of them where there are several; writes our first position rows. One mysql sink, or the nodes' of
   a cluster: a node that has more than the least leaves out what it has (mysql.c). */
MUST_CHECK bool sink_adopt(const struct sink_settings *const sinks[], size_t count, const char *wal_uuid, struct source_pos *start,
                           struct err *err);

/* ---- WolfScale clusters: a [[sink]] of type wolfscale is one sink for each node, and what joins them ---- */

enum proof_state { PROOF_OFF, PROOF_RUNNING, PROOF_EQUAL, PROOF_IN_FLIGHT, PROOF_DIFFERENT, PROOF_UNREADABLE, PROOF_STATES };
enum { CLUSTER_NODES_MAX = 16 };

struct proof_status {
    enum proof_state state;       /* of the last whole round, or RUNNING in the first */
    uint64_t round, rows, tables; /* rows and tables compared in the round at hand */
    uint64_t differences, in_flight; /* rows, of the last whole round; and of the one at hand where it found some already */
    uint64_t finished_us;         /* wall clock; 0: no round is over yet */
    char reason[300];             /* the first difference: table and key; or why a table is not compared */
};

enum order_state { ORDER_NONE, ORDER_WAITING, ORDER_RUNNING, ORDER_DONE, ORDER_FAILED, ORDER_STATES };

struct node_status {
    const char *node, *sink;      /* host as configured; the node's own sink */
    bool found;                   /* it is in the cluster, but not in the configuration */
    char id[128], leader_seen[128];
    const char *role, *state;     /* "leader" | "follower" | ""; up, lagging, gone, foreign, new, rebuilt, unknown */
    char reason[400], remedy[400];
    uint64_t wolfscale_lsn;
    uint32_t answer_ms;
    struct sink_status delivery;
    struct proof_status proof;
    enum order_state order;       /* of the operator's last order */
    char order_text[400];         /* how far it is, or what came of it: "seeding from 10.9.0.1: 3 of 12 tables, 120000 rows" */
};

struct cluster_status {
    const char *sink, *delivery, *state, *way; /* way: "nodes", "leader", or "direct": leader delivery that serves the nodes itself */
    char leader[128], reason[820], remedy[400];
    size_t count;
    struct node_status nodes[CLUSTER_NODES_MAX];
};

bool sinks_cluster(struct sinks *sinks, size_t index, struct cluster_status *status);
/* An operator's word: done in the background, seen in node_status.order. VERIFY: a round now (node NULL: every node). REPAIR: rows that differ are
   made what the source's are; REPAIR_DRY says which. SEED: the node's data anew, from the log or from another node (`from`; "log": from it or not at all; NULL:
   chosen); SEED_DRY says which, and why. */
enum node_order { NODE_VERIFY, NODE_REPAIR, NODE_REPAIR_DRY, NODE_SEED, NODE_SEED_DRY };
MUST_CHECK bool sinks_node_order(struct sinks *sinks, enum node_order order, const char *node, const char *from, struct err *err);

const char *sink_state_name(enum sink_state state);
const char *sink_state_help(enum sink_state state);

#endif
