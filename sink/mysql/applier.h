/*
 * applier.h: private to the mysql sink: its state, and what its parts offer each other.
 *
 * A *group* is what is gathered: whole source transactions that become one target transaction. A *flight* is what was sent and
 * whose replies are still to be read. While one flies the next gathers; COMMIT is sent only after every reply of the flight was read
 * and counted and the log is durable up to its last LSN.
 *
 *   mysql.c     the order of it all (sink_ops)           careful.c   one change at a time, to name the row of a conflict
 *   session.c   connection, settings, sending, replies   intent.c    DDL, and what a crash left of it
 *   position.c  wolfcdc.position                         context.c   a statement's session as SQL
 *   group.c     gathering: net changes, arrays           plan net bind execute target: pure parts
 */
#ifndef WOLFCDC_APPLIER_H
#define WOLFCDC_APPLIER_H
#include "context.h"
#include "net.h"
#include "plan.h"
#include "runner.h"
#include "thread.h"
#include "version.h"

enum {
    PLAN_BUCKETS = 256,
    BATCH_BYTES = 256 << 10,      /* an array is closed at this size */
    PACKET_MAX = 1 << 30,
    LOCK_WAIT_S = 10,
    READ_TIMEOUT_MS = 600000,
    FLIGHT_MAX = 128, /* statements without a reply read: a Unix socket holds some 270 small replies */
    PING_EVERY_US = 20000000,
    PRUNE_EVERY_US = 60000000,
    EMPTY_EVERY_US = 1000000,     /* groups without any change of ours: how often the position moves */
    VERDICTS_MAX = 4096,
    PREPARED_MAX = 4096,          /* a server allows max_prepared_stmt_count (16382) for all its clients */
    SESSION_LENIENT = 0x40,       /* in a batch's flags, beside ROW_… */
    SESSION_HISTORY = 0x20        /* history may be inserted */
};

struct batch { /* one array, or without a shape one statement as text: DELETE HISTORY of `rows` rows of `plan`, or without one the source's */
    struct plan *plan;
    struct shape *shape;
    uint8_t flags;
    uint32_t rows, warnings; /* that must be reported */
    uint64_t lsn;            /* of its first change */
    uint64_t time_us;        /* the session's, 0: any */
    struct buf packet;
};

struct tracked { /* a source table: its plan, and what is gathered of it */
    const struct table *source;
    struct plan *plan;
    struct net net;
    bool ordered;      /* for the rest of this group */
    bool active;
    bool twin;         /* another definition of the same table of the target is tracked, too */
    bool shared;       /* and has rows in this group: see group.c */
    int64_t last;      /* its last batch that may still grow, -1 none */
    struct tracked *next, *next_active;
};

struct group {
    struct batch *batches;
    uint32_t count, room;
    bool open;                 /* within a transaction */
    bool ddl;                  /* that has had a DDL statement */
    uint64_t begin_lsn;        /* of the transaction at hand */
    uint64_t transaction_bytes;
    uint64_t bytes;            /* since the last part was sent */
    uint64_t rows;
    uint64_t last_lsn;         /* of the last change or commit taken */
    struct sink_progress progress;
    struct gtid_set gtids;     /* after the last commit */
};

enum expect_kind { EXPECT_POSITION, EXPECT_SET, EXPECT_ROWS, EXPECT_TEXT };
struct expect {
    enum expect_kind kind;
    const struct plan *plan;
    enum change_kind change;
    uint32_t rows, warnings;
    uint64_t lsn;
};

struct flight {
    struct expect *expects;
    uint32_t count, room, read;
    bool position;             /* the position row of this target transaction was sent */
    bool complete;             /* nothing more of it will be sent but COMMIT */
    struct sink_progress progress;
    uint64_t last_lsn, begin_lsn;
};

/* Between one row of a versioned table and the next. */
struct held { struct tracked *table; struct change change; struct version version; struct arena arena; }; /* an UPDATE that waits: see version.h */
struct purge { struct plan *plan; uint64_t us, lsn; uint32_t rows; };   /* deleted history, to become one statement */

struct verdict { uint64_t lsn; enum conflict_way way; };

struct mysql_sink {
    struct sink *sink;
    const struct sink_settings *settings;
    char name[300];            /* "target host:port", for messages */
    char uuid[WAL_UUID_TEXT];

    pthread_mutex_t lock;      /* of db, for interrupt */
    struct db *db;
    bool mysql;                /* the target is no MariaDB: no arrays, other variables */
    uint8_t flags;             /* the session's, as in batches */
    uint64_t time_us;
    bool left_out;             /* the last statement as text was taken, but for a row that the source may have */
    bool told;                 /* the target's warnings have been logged */
    bool locked;               /* we have the lock by name: see intent.c */
    bool text_context;         /* the session carries a statement's context */
    bool text_history;         /* and may insert history by it */
    uint64_t used_us, pruned_us, emptied_us;
    uint64_t locks_us;         /* when the flight's first statement was sent */
    uint64_t rows_max;         /* of a group, so that its locks are held about lock_ms; without a cluster group_rows */
    uint64_t transaction_max;  /* bytes, by the target's limits */
    uint64_t packet_max;
    char limit_name[40];
    struct collations collations;

    struct targets *targets;
    struct tracked *tracked[PLAN_BUCKETS];
    struct tracked *active;
    size_t value_room;
    struct value *before, *after;
    struct version version;    /* of the row at hand; all zero: as any other */
    struct held held;
    struct purge purge;
    struct group group;
    struct flight flight;
    struct db_statement position_insert, position_update;
    struct buf packet;         /* scratch */
    struct buf statement;      /* scratch of session_rows and session_prepare */

    uint64_t position;         /* last LSN of the target's newest position row */
    bool seeded;               /* its row is the one that sink_adopt wrote */
    bool ahead;                /* and what that says, `adopted`, may be more than the log begins with: what the target has is left out */
    bool passing;              /* the transaction at hand is left out */
    struct gtid_set adopted;
    uint64_t skip_to;          /* within a transaction delivered in parts: changes up to here are there */
    uint64_t careful_until;    /* one at a time while the position is below */
    bool careful_open;
    bool repeatable;           /* the session reads as the source's transactions did, which one at a time need; see session_between */
    bool explicit_stamps, explicit_wish; /* a MySQL 8's explicit_defaults_for_timestamp: of the session, and what the transaction to come wants */
    uint64_t explicit_begin;   /* the transaction that was begun again for it */
    uint32_t prepared_count;    /* statements prepared since the plans were last forgotten */
    uint64_t fenced_us;
    bool final;                /* the error needs the operator: not to be tried again one by one */
    uint64_t failed_lsn;       /* of the conflict that stopped us */
    size_t verdict_count;
    struct verdict verdicts[VERDICTS_MAX];
    struct intent *intent;     /* left by a crash, to be settled; see intent.c */
};

/* session.c */
MUST_CHECK bool session_open(struct mysql_sink *s, struct err *err);
void session_close(struct mysql_sink *s);
MUST_CHECK bool session_lock(struct mysql_sink *s, struct err *err); /* tries once: s->locked */
MUST_CHECK bool session_send(struct mysql_sink *s, unsigned command, struct slice payload, const struct expect *expect, struct err *err);
/* Between two transactions: how the next is done, one change at a time or as part of a group. */
MUST_CHECK bool session_between(struct mysql_sink *s, bool careful, struct err *err);
/* The same, where the statement has to have it, and nothing was sent of its transaction yet. */
MUST_CHECK bool session_stamps(struct mysql_sink *s, const struct statement *statement, struct err *err);
MUST_CHECK bool session_flags(struct mysql_sink *s, uint8_t flags, struct err *err); /* sends SET when they differ */
MUST_CHECK bool session_time(struct mysql_sink *s, uint64_t us, struct err *err);
/* What so many rows of the shape need; reads the replies in flight when there is something to prepare. */
MUST_CHECK bool session_prepare(struct mysql_sink *s, struct shape *shape, uint32_t rows, struct err *err);
/* Rows that shape_append made, expect->rows of them: one array, or statement by statement. */
MUST_CHECK bool session_rows(struct mysql_sink *s, struct shape *shape, struct buf *rows, const struct expect *expect, struct err *err);
/* Reads every outstanding reply; counts and warnings are checked. */
MUST_CHECK bool session_replies(struct mysql_sink *s, struct err *err);
MUST_CHECK bool session_check(const struct expect *expect, const struct db_reply *reply, struct err *err);
/* Whether the last statement warned of nothing but what generated columns came to, or of no column at all, beside expect->warnings. Nothing in flight. */
bool session_excused(struct mysql_sink *s, const struct expect *expect);
/* Waits for the log, then COMMIT and its reply. */
MUST_CHECK bool session_commit(struct mysql_sink *s, uint64_t lsn, struct err *err);
MUST_CHECK bool session_durable(struct mysql_sink *s, uint64_t lsn, struct err *err);
/* A statement as text with its context: into flight, or done where it has to be looked at (left_out). session_restore is to follow it. */
MUST_CHECK bool session_text(struct mysql_sink *s, const struct statement *statement, uint64_t lsn, struct err *err);
/* Sets a statement's context at once (nothing in flight) / puts the session back (into flight). */
MUST_CHECK bool session_enter(struct mysql_sink *s, const struct statement *statement, struct err *err);
MUST_CHECK bool session_restore(struct mysql_sink *s, struct err *err);
/* The warnings of the last statement, for messages. Nothing in flight. */
void session_warnings(struct mysql_sink *s, char *text, size_t room);

/* position.c */
MUST_CHECK bool position_open(struct mysql_sink *s, uint64_t *delivered, struct err *err);
/* Tables of ours in the database wolfcdc of a target: made where one of them is missing. */
struct own_table { const char *name, *definition; };
MUST_CHECK bool own_tables_create(struct db *db, const struct own_table *tables, size_t count, struct err *err);
MUST_CHECK bool position_insert(struct mysql_sink *s, uint64_t last, uint64_t begin, const struct gtid_set *gtids, struct err *err);
MUST_CHECK bool position_finish(struct mysql_sink *s, uint64_t last, uint64_t begin, const struct gtid_set *gtids, struct err *err);
MUST_CHECK bool position_prune(struct mysql_sink *s, struct err *err);
/* What an error of the position row's insert means. Always false. */
bool position_fenced(struct mysql_sink *s, struct err *err);

/* group.c */
MUST_CHECK bool group_row(struct mysql_sink *s, const struct change *change, struct err *err);
MUST_CHECK bool group_text(struct mysql_sink *s, const struct change *change, struct err *err);
MUST_CHECK bool group_build(struct mysql_sink *s, struct err *err); /* net changes become arrays */
MUST_CHECK bool group_send(struct mysql_sink *s, struct err *err);  /* the arrays, into flight; empties them */
void group_clear(struct mysql_sink *s);
/* What the row at hand, whose values are read, is to its table's history: into s->version. *done: nothing is to be said of it now. */
MUST_CHECK bool group_version(struct mysql_sink *s, struct tracked *t, const struct change *change, bool *done, struct err *err);
/* Whether a statement as text may be said: none of its tables is versioned by transaction ids. */
MUST_CHECK bool group_check_text(struct mysql_sink *s, const struct statement *statement, struct err *err);
/* What waits for the next row of a versioned table, and deleted history, is said: before whatever is no row. */
MUST_CHECK bool group_let_go(struct mysql_sink *s, struct err *err);
static inline bool group_waits(const struct mysql_sink *s) { return s->held.table || s->purge.plan; }
/* The table's plan, made when new; settles the flight first if the target has to be asked. */
MUST_CHECK bool group_track(struct mysql_sink *s, const struct table *table, struct tracked **tracked, struct err *err);
void group_forget(struct mysql_sink *s); /* every plan, and the target's dictionary */
/* s->before and s->after. What an INSERT's image leaves out is NULL where that is what the target would make of it. */
MUST_CHECK bool group_values(struct mysql_sink *s, const struct plan *plan, const struct change *change, struct err *err);
uint8_t group_flags(const struct change *change);
/* What a strict session refuses and a lenient one takes with one warning each: ENUM values of 0 among what is assigned, and columns without a
   default that a MINIMAL image leaves out, because the source's session was not strict and gave them its own zero. */
uint32_t group_warnings(const struct plan *plan, enum change_kind kind, const struct value *after);

/* careful.c */
/* A row whose values are read, and deleted history, at once. */
MUST_CHECK bool careful_row(struct mysql_sink *s, const struct tracked *t, const struct change *change, struct err *err);
MUST_CHECK bool careful_purge(struct mysql_sink *s, struct err *err);
MUST_CHECK bool careful_change(struct mysql_sink *s, const struct change *change, struct err *err);
/* The error stays as it is, becomes a conflict, or is settled by a verdict (then true: go on). */
MUST_CHECK bool careful_conflict(struct mysql_sink *s, uint64_t lsn, bool may_overwrite, enum conflict_way *way, struct err *err);
void careful_verdict(struct mysql_sink *s, enum conflict_way way);

/* intent.c */
MUST_CHECK bool intent_open(struct mysql_sink *s, struct err *err); /* reads what a crash left */
void intent_free(struct mysql_sink *s);
/* A statement that commits by itself. Nothing is gathered or in flight. */
MUST_CHECK bool intent_run(struct mysql_sink *s, const struct change *change, struct err *err);

/* mysql.c */
/* Reads what is in flight; commits it when complete. */
MUST_CHECK bool mysql_settle(struct mysql_sink *s, struct err *err);
void mysql_confirmed(struct mysql_sink *s, const struct sink_progress *progress, uint64_t lsn);

#endif
