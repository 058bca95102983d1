/*
 * prover.h: private to the proof. A *prover* is one run of comparing: its own connections, one to the source and one to each node, used by one thread.
 * The proof's thread has one for good; every proof_round has another.
 *
 *   row_proof.c     the thread, rounds, what is found    proof_look.c    looking again: in flight or different
 *   proof_link.c    connections, snapshots, positions    proof_chunk.c   one range of one table on every side
 *   proof_table.c   the dictionary: tables, keys         proof_repair.c  making a node's rows the source's
 *   proof_doubt.c   what differs, until it is looked at  proof_sql.c     the SQL (pure)
 *   proof_cursor.c  how far the round is, in a file
 */
#ifndef WOLFCDC_PROVER_H
#define WOLFCDC_PROVER_H
#include "gtid.h"
#include "row_proof.h"
#include "proof_sql.h"

enum {
    LINK_CONNECT_MS = 1000, LINK_READ_MS = 30000, LINK_STATEMENT_S = 25,
    LINK_PAUSE_MS = 2000, LINK_PAUSE_MAX_MS = 60000,
    CHUNK_ROWS = 1000, CHUNK_ROWS_MIN = 20, CHUNK_ROWS_MAX = 20000, CHUNK_US = 50000,
    LIST_ROWS = 2000,          /* key and hash of so many rows are fetched at once where sums differ */
    LOOK_ITEMS = 200,          /* rows looked at again in one statement */
    DOUBTS_MAX = 1000, DOUBT_KEYS_MAX = 1 << 20, /* rows of a node that wait to be looked at again, and their keys' bytes; a stretch of LIST_ROWS more */
    LOOKS_MAX = 10, LOOKS_AGREE = 4, LOOK_PAUSE_MS = 20,
    PASS_WAIT_MS = 3000,       /* for a node to pass the source's position; in a round by order: */
    PASS_WAIT_ORDERED_MS = 30000,
    TABLE_DIFFERENCES_MAX = 20000 /* of one node; then that table is left for this round */
};

enum { SIDE_SOURCE = -1 };     /* else a node's index */

struct link {
    struct db *db;             /* shared with proof_stop under the proof's lock */
    char name[320];
    uint64_t retry_us;         /* not before; until then it fails as it did */
    struct err failure;
    uint32_t pause_ms;
    uint64_t behind_us;        /* a node whose position did not move on in time is not waited for again before this */
    unsigned host;             /* the source's, where it has several */
    bool seen_version; struct db_version version;
};

struct tally { uint64_t rows, tables, differences, in_flight, missed, skipped; char reason[300]; };

struct node_result {           /* under the proof's lock */
    struct tally now, last;
    bool any;                  /* `last` is of a whole round */
    uint64_t finished_us;
    bool unreadable; char trouble[300];
};

struct look_item {
    struct proof_table *table;
    struct slice key;
    char source[64], node[64], first_source[64], first_node[64];
    unsigned agree;
    enum { LOOK_AGAIN, LOOK_EQUAL, LOOK_DIFFERENT, LOOK_LATER /* its table is being altered: in the next round */ } state;
};

struct doubts { struct look_item *items; size_t count, room; struct buf keys; }; /* key.data is set when they are settled */

struct prover {
    struct proof *proof;
    bool ordered;              /* at full speed, in a caller's thread */
    bool repair;
    int only;                  /* node, or -1 */
    size_t count;              /* nodes of this round: one that comes during it is in the next */
    unsigned epochs[CLUSTER_NODES_MAX];
    proof_say *say;
    void *context;
    struct link source, nodes[CLUSTER_NODES_MAX];
    struct tally tally[CLUSTER_NODES_MAX]; /* of this prover's round; row_proof.c publishes it */
    uint64_t repaired;
    bool replaced;             /* a REPLACE may have taken other rows away: once more */
    bool in_play[CLUSTER_NODES_MAX]; /* for the table at hand */
    struct doubts doubts[CLUSTER_NODES_MAX];
    struct proof_table **kept;     /* whose rows are in doubt: kept_count of them, owned */
    size_t kept_count, kept_room;
    uint64_t chunk_rows;
    uint64_t paced_us;
    struct buf sql;
};

/* row_proof.c */
const struct proof_options *proof_options_of(const struct proof *proof);
bool prover_stopping(struct prover *p);
void prover_rest(struct prover *p, uint32_t ms); /* wakes up for a stop */
void prover_link(struct prover *p, struct link *link, struct db *db); /* sets or (NULL) closes link->db under the lock */
bool prover_wants(struct prover *p, struct slice database, struct slice table);
/* Counted, kept as the reason when it is the first, and logged. */
void prover_found(struct prover *p, int node, struct proof_table *table, struct slice key, const char *what);
bool prover_has(const struct prover *p, int node); /* it belongs to this round, still */
/* What a table answers that is altered, dropped or locked just now: it is looked at again in the next round. */
bool prover_is_passing(const struct err *err);
void prover_missed(struct prover *p, int node, const struct err *err);   /* a table or a part of one could not be compared there */
void prover_behind(struct prover *p, int node); /* rows that differ cannot be judged: its position does not come on */
void prover_skipped(struct prover *p, int node, const struct proof_table *table, const char *why); /* by its nature */

/* proof_link.c. Sides: SIDE_SOURCE or a node. */
struct link *link_of(struct prover *p, int side);
/* Connected, or connects now; ERR_RETRY at once while it waits after a failure. */
MUST_CHECK bool link_open(struct prover *p, int side, struct err *err);
void link_fail(struct prover *p, int side, const struct err *err); /* closes it when the connection is of no use any more */
void link_close_all(struct prover *p);
MUST_CHECK bool link_query(struct prover *p, int side, const struct buf *sql, struct db_result **result, struct err *err);
/* A consistent snapshot, read only, until link_end. The source: *gtids is its binary log's end, read after the snapshot was taken; a node: its sink's
   position as the snapshot shows it; empty when it has none. */
MUST_CHECK bool link_begin(struct prover *p, int side, struct err *err);
MUST_CHECK bool link_position(struct prover *p, int side, bool lock, struct gtid_set *gtids, struct err *err);
void link_end(struct prover *p, int side);

/* proof_table.c */
struct proof_names { size_t count, room; struct proof_name { char *database, *table; } *items; }; /* sorted */
void proof_names_free(struct proof_names *names);
/* The source's base tables that are delivered. */
MUST_CHECK bool proof_names_read(struct prover *p, int side, struct proof_names *names, struct err *err);
bool proof_names_have(const struct proof_names *names, const char *database, const char *table);
MUST_CHECK bool proof_table_load(struct db *db, const char *database, const char *name, struct proof_table **table, struct err *err);
/* NULL with *err untouched when the source has no such table (any more). Owned. */
MUST_CHECK bool proof_table_read(struct prover *p, const char *database, const char *name, struct proof_table **table, struct err *err);
void proof_table_free(struct proof_table *table);
/* What a side's definition is, as 16 hex digits; "" when it has no such table. `whole`: with indexes and options, else the columns only. */
MUST_CHECK bool proof_table_digest(struct prover *p, int side, const struct proof_table *table, bool whole, char digest[PROOF_HASH_SIZE + 1], struct err *err);

/* proof_look.c */
/* Fills item->source or ->node ("" for nothing there) for those with state LOOK_AGAIN. */
typedef bool look_ask(struct prover *p, int side, struct look_item *items, size_t count, struct err *err);
bool look_rows(struct prover *p, int side, struct look_item *items, size_t count, struct err *err);
/* Until each is equal or different, or LOOKS_MAX is reached: those stay LOOK_AGAIN. *fence: the source's end when the first look was taken. */
MUST_CHECK bool look_again(struct prover *p, int node, look_ask *ask, struct look_item *items, size_t count, struct gtid_set *fence, struct err *err);

/* proof_doubt.c */
/* Puts the items that are LOOK_AGAIN aside. Their keys are copied, their table is kept by doubts_keep. False: there are many now, settle them. */
bool doubts_add(struct prover *p, int node, const struct look_item *items, size_t count);
/* Each is found to be equal, different (and put right, where the round is to) or in flight. What cannot be compared is missed, and said. */
void doubts_settle_node(struct prover *p, int node);
void doubts_settle(struct prover *p);      /* of every node */
bool doubts_any(const struct prover *p);
void doubts_keep(struct prover *p, struct proof_table *table); /* takes it: kept until its rows are settled */
void doubts_drop(struct prover *p);        /* without looking */

/* proof_chunk.c */
/* From `from` (data NULL: the beginning) on; `next`: the upper bound of what was compared, *done: nothing behind it. */
MUST_CHECK bool chunk_compare(struct prover *p, struct proof_table *table, struct slice from, struct buf *next, bool *done, uint64_t *rows, struct err *err);
MUST_CHECK bool chunk_whole(struct prover *p, struct proof_table *table, uint64_t *rows, struct err *err); /* without a key */
/* Before any rows: are the definitions the same? Takes nodes out of play where rows cannot be compared. */
MUST_CHECK bool chunk_definitions(struct prover *p, struct proof_table *table, struct err *err);

/* proof_repair.c: the items that are LOOK_DIFFERENT; those that are put right become LOOK_EQUAL. */
MUST_CHECK bool repair_rows(struct prover *p, int node, const struct proof_table *table, struct look_item *items, size_t count,
                            const struct gtid_set *fence, struct err *err);

/* proof_cursor.c */
struct proof_cursor { uint64_t round; struct buf database, table, key; bool at; }; /* at: within that table, behind key (empty: at its beginning) */
void proof_cursor_load(struct prover *p, struct proof_cursor *cursor);
void proof_cursor_save(struct prover *p, const struct proof_cursor *cursor);

#endif
