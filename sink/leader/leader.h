/*
 * leader.h: private to delivery = "leader": the sink that pushes a cluster's changes through its leader's MySQL proxy, so that WolfScale's own log
 * carries them, and proves them on every node's own MariaDB before the position is stored there.
 *
 *     gather ─► net changes ─► statements ─► pushed, with the proof of local execution in every OK ─► marker ─► keys read back from every
 *     node, sent again until equal ─► position row on every node ─► confirmed
 *
 * Rows of tables that cannot go this way (without a key, with triggers) are written to each node directly, in one transaction with the
 * position row. A transaction that cannot go either way (DDL, statements as text, very large rows) is *handed over*: the nodes' own sinks wake,
 * deliver up to its COMMIT, and rest again. When anything is not as it should be, this sink ends its connection and the nodes' own sinks
 * deliver all (the *direct* way), forgiving what statements on their way may have changed already, until it can begin again.
 *
 *   leader.c         the order of it all (sink_ops)         leader_nodes.c   each node's own MariaDB: tables of ours, position rows
 *   leader_batch.c   gathering, and the statements of it    leader_push.c    sessions at the proxy, markers, fillers
 *   leader_sql.c     a change as text (pure)                leader_proof.c   reading back, sending again
 *   leader_ddl.c     DDL                                    leader_watch.c   whether the leader still leads
 */
#ifndef WOLFCDC_LEADER_H
#define WOLFCDC_LEADER_H
#include <pthread.h>

#include "cluster.h"
#include "leader_sql.h"
#include "net.h"

enum {
    LEAD_BUCKETS = 256,
    LEAD_SESSIONS = 4,              /* at the proxy; order holds within one only */
    LEAD_BATCH_ROWS = 60000, LEAD_BATCH_ROWS_FIRST = 4000, LEAD_BATCH_ROWS_LEAST = 250, /* so many take about as long as these: */
    LEAD_BATCH_LONG_MS = 3500, LEAD_BATCH_SHORT_MS = 1500, LEAD_BATCH_BYTES = 16 << 20, LEAD_STEPS = 4000,
    LEAD_TRANSACTION_BYTES = 64 << 20, /* a larger one is handed over */
    LEAD_PACKET_MAX = (16 << 20) - 65536, /* of one row's statement: the proxy breaks at 16 MiB - 1 */
    LEAD_ENTRY_SAFE = 8000,         /* an entry above this may not fit into what is left of the leader's segment */
    LEAD_SEGMENT = 100,             /* statements between two markers */
    LEAD_AHEAD = 3,                 /* segments on their way before the oldest is proven */
    LEAD_UNIT_ROWS = 1000,          /* keys read back with one SELECT */
    LEAD_TRIES = 3,                 /* proofs of one segment, with what is missing sent again between them */
    LEAD_ARRIVE_MS = 15000,         /* a marker, on every node */
    LEAD_READ_MS = 60000, LEAD_PROXY_MS = 12000, LEAD_DDL_MS = 3600000,
    LEAD_HOLDER = 0x0200            /* server_status: NO_BACKSLASH_ESCAPES. A forwarded statement's OK does not have it */
};

/* How a table's rows go: through the leader; to each node with the position row; by the nodes' own sinks. */
enum lead_lane { LANE_LEADER, LANE_DIRECT, LANE_GIVEN };

struct lead_table { /* a source table: its plan, its SQL, and what is gathered of it */
    const struct table *source;
    struct plan *plan;
    struct leader_sql sql;
    struct net net;
    enum lead_lane lane;
    bool stepped;      /* has steps in this batch: what its net holds goes behind them */
    bool active, registered;
    struct lead_table *next, *next_active;
};

struct lead_change { /* images are copies */
    struct lead_table *table;
    enum change_kind kind;
    uint8_t flags;
    uint64_t lsn;
    struct row before, after;
};

struct lead_changes { struct lead_change *items; uint32_t count, room; };

struct lead_direct { struct slice sql; struct lead_table *table; uint64_t lsn; bool lenient; }; /* of one row */

/* One statement. The text is in the batch's arena. */
struct lead_push {
    struct lead_table *table;
    struct slice sql, keys; /* keys: of its rows, for the read-back */
    uint32_t rows, present; /* keys named; of them rows that must be there afterwards */
    bool lenient;           /* may warn */
    bool meets;             /* an UPDATE: the row must be there, the first time */
    bool again;             /* was missing somewhere */
};

struct lead_batch {
    struct arena arena, transaction; /* transaction: of the one at hand, until its COMMIT */
    struct lead_changes staged, steps, apart; /* apart: LANE_DIRECT, in the source's order */
    struct lead_direct *directs;
    uint32_t direct_count, direct_room;
    struct lead_table *active;
    struct lead_push *pushes;
    uint32_t count, room, ordered;   /* ordered: so many of them, at the head, keep the source's order */
    uint32_t pushed_rows;
    bool cascaded;                   /* there are steps that change rows of other tables by their foreign keys */
    bool open;                       /* within a transaction */
    const char *handed;              /* why this transaction is handed over; NULL: it is not */
    struct statement *ddl;           /* the transaction at hand is this one, as far as it has come; in `transaction` */
    uint64_t ddl_lsn;
    uint64_t begin_lsn, transaction_bytes, bytes, rows;
    struct sink_progress progress;
    struct gtid_set gtids;
    struct sink_progress own;        /* of the transaction at hand */
};

struct lead_node {
    struct sink *member;
    struct node_settings address;
    struct db *db;
    char name[300];
    uint64_t position;      /* last LSN of its newest position row, 0: none */
    bool seeded;            /* that row is the one that sink_adopt wrote */
    struct gtid_set adopted; /* what it says then: the node may have more than the log begins with */
};

struct lead_session { struct db *db; bool busy, lenient, meets; uint32_t limit_ms; };

struct leader {
    struct sink *sink;
    const struct sink_settings *settings;
    char uuid[WAL_UUID_TEXT];
    size_t count;
    struct lead_node nodes[NODES_MAX];
    int leader;             /* index of the node that leads, while connected */
    char leader_id[NODE_ID_MAX];
    struct lead_session sessions[LEAD_SESSIONS + 1]; /* the last for DDL */
    size_t session_count;
    uint64_t marker, first_marker; /* last number sent; of this connection */
    uint64_t sent;          /* statements, since base */
    uint64_t base;          /* the leader's LSN when `sent` was 0 */
    bool unarrived;         /* markers have last been waited for in vain */
    uint64_t raise;         /* by how much the leader's log is raised next, where nobody knows how far its followers are */

    pthread_mutex_t lock;   /* of every db above, for interrupt */
    struct cluster *cluster;
    bool changed;           /* others came or went */
    unsigned changes;       /* of the cluster's nodes, as of this connection */
    uint64_t seen, looked_us;
    struct node_answer *answers; /* NODES_MAX */
    struct nodes_verdict verdict;

    struct targets *targets;
    struct lead_table *tables[LEAD_BUCKETS];
    struct value *before, *after;
    size_t value_room;
    struct lead_batch batch;
    uint64_t batch_rows;    /* after which a batch takes no further transaction */
    struct leader_writer writer;
    struct lead_table *writing; /* whose statement that is */
    struct buf scratch;

    bool on_leader;         /* the nodes' own sinks rest */
    bool dirty;             /* statements may be on their way that nobody has proven */
    bool open_noted;        /* that is noted on every node, too */
    uint64_t emptied_us, pruned_us, used_us;
};

/* leader_watch.c */
/* The latest answers, or news within wait_ms; whether one node leads, and every other is active in its table. */
bool lead_look(struct leader *l, uint32_t wait_ms);
/* Why this cluster is not to be pushed to; always false. */
MUST_CHECK bool lead_unfit(struct leader *l, struct err *err);
/* Whether the same node still leads alone and every other is there. Asks at most every 100 ms. */
MUST_CHECK bool lead_watch(struct leader *l, struct err *err);
/* Until that connection has something to read, as long as lead_watch finds nothing, and no longer than so. */
MUST_CHECK bool lead_await(struct leader *l, struct db *db, uint32_t limit_ms, struct err *err);
MUST_CHECK bool lead_durable(struct leader *l, uint64_t lsn, struct err *err);

/* leader_nodes.c */
MUST_CHECK bool lead_nodes_open(struct leader *l, struct err *err);
void lead_nodes_close(struct leader *l);
MUST_CHECK bool lead_nodes_positions(struct leader *l, struct err *err); /* reads them */
MUST_CHECK bool lead_nodes_store(struct leader *l, const struct sink_progress *progress, const struct gtid_set *gtids, struct err *err);
/* Notes that statements which touch this table are going to be pushed. */
MUST_CHECK bool lead_nodes_register(struct leader *l, struct lead_table *table, struct err *err);
MUST_CHECK bool lead_nodes_register_name(struct leader *l, struct slice database, struct slice table, struct err *err);
MUST_CHECK bool lead_nodes_note_open(struct leader *l, bool open, struct err *err);
/* Whether some node says that a connection before this one ended with statements on their way; the tables that were ever pushed. Free tables->items
   and each of them. */
MUST_CHECK bool lead_nodes_left(struct leader *l, bool *open, struct strings *tables, struct err *err);
MUST_CHECK bool lead_nodes_tend(struct leader *l, struct err *err); /* pings, prunes */
/* The same statement to every node, then every reply. */
MUST_CHECK bool lead_nodes_exec(struct leader *l, struct slice sql, struct err *err);

/* leader_batch.c */
MUST_CHECK bool lead_batch_change(struct leader *l, const struct change *change, struct err *err);
MUST_CHECK bool lead_batch_commit(struct leader *l, const struct change *change, struct err *err); /* its rows join the batch */
MUST_CHECK bool lead_batch_build(struct leader *l, struct err *err); /* the statements */
bool lead_batch_full(const struct leader *l);
void lead_batch_clear(struct leader *l);
void lead_batch_forget(struct leader *l); /* every plan too */

/* leader_push.c */
MUST_CHECK bool lead_push_open(struct leader *l, struct err *err);
void lead_push_close(struct leader *l);
/* A session of its own, logged in with this database: it is said nothing else. */
MUST_CHECK bool lead_push_alone(struct leader *l, const char *database, struct slice sql, struct err *err);
/* Over session `at`, one statement at a time each; the reply may be read later. */
MUST_CHECK bool lead_push_send(struct leader *l, size_t at, struct slice sql, bool lenient, bool meets, struct err *err);
MUST_CHECK bool lead_push_drain(struct leader *l, struct err *err);
/* Sends the next marker, behind all that was sent. */
MUST_CHECK bool lead_push_marker(struct leader *l, uint64_t *number, struct err *err);
/* Waits until every node has it. */
MUST_CHECK bool lead_push_arrived(struct leader *l, uint64_t number, struct err *err);
/* Small entries, together as large as `bytes`: they fill the rest of the leader's segment. */
MUST_CHECK bool lead_push_filler(struct leader *l, size_t bytes, struct err *err);
/* So many entries that change nothing: the leader's log passes what followers took from another. */
MUST_CHECK bool lead_push_raise(struct leader *l, uint64_t count, struct err *err);
/* The end of the leader's log as it says from now on, at least so far. */
MUST_CHECK bool lead_push_end(struct leader *l, uint64_t least, uint64_t *end, struct err *err);
/* Waits until the leader's log has every statement that was sent, and every follower has applied that far. */
MUST_CHECK bool lead_push_barrier(struct leader *l, struct err *err);

/* leader_proof.c */
MUST_CHECK bool lead_proof_push(struct leader *l, struct err *err); /* the batch's statements: pushed and proven */

/* leader_ddl.c */
/* Whether a statement can go through the proxy; pure. */
bool lead_ddl_fits(const struct statement *statement);
/* Pushes the DDL of the transaction at hand and proves it. Everything before it is proven. */
MUST_CHECK bool lead_ddl_push(struct leader *l, struct err *err);

#endif
