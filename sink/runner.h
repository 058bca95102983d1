/*
 * runner.h: private to sink/. What every kind of sink is to its runner: a table of functions, called from the sink's own thread
 * only. The runner owns the thread, the reader, the retries, the state and the hold on the log; the kind owns its target.
 *
 *   connect → change … change, flush, change …, flush → disconnect          (connect again after every error)
 *
 * A kind hears every change in order, BEGIN … COMMIT, and may keep as many whole transactions open as its limits allow. `flush`
 * is called when the log has nothing more at once: then what was gathered is pushed on. Nothing counts as delivered before the kind
 * calls sink_confirm. An error from any function ends the connection; ERR_RETRY (and no other code) is tried again after a
 * backoff, from the LSN that `connect` then names. Everything else waits, with the reason shown, for the operator's resume,
 * rewind or conflict verb.
 */
#ifndef WOLFCDC_RUNNER_H
#define WOLFCDC_RUNNER_H
#include "sink.h"

struct sink; /* one [[sink]] and its thread */

enum conflict_way { CONFLICT_STOP, CONFLICT_SKIP, CONFLICT_OVERWRITE, CONFLICT_RETRY };

struct sink_ops {
    const char *type; /* as in the configuration */
    /* Owned. Checks the settings; connects to nothing. */
    bool (*create)(struct sink *sink, void **self, struct err *err);
    /* Opens the target. *delivered is the last LSN that our own notes say was delivered (0: none); set it to what the target
       has: reading goes on behind it, or, where *begin is set (not 0), at the transaction that begins there, of which the kind itself
       leaves out what the target has. */
    bool (*connect)(void *self, uint64_t *delivered, uint64_t *begin, struct err *err);
    /* One change; borrowed for the call. */
    bool (*change)(void *self, const struct change *change, struct err *err);
    /* Nothing more to read at once. One step on: *busy is set when there is more to push (change or flush is called again without
       a wait). Called at least once a second while idle. */
    bool (*flush)(void *self, bool *busy, struct err *err);
    /* Drops what is open and not confirmed. Idempotent. */
    void (*disconnect)(void *self);
    void (*destroy)(void *self); /* NULL accepted */
    /* The operator's word on the conflict that stopped us; NULL: this kind knows none. */
    bool (*conflict)(void *self, enum conflict_way way, struct err *err);
    /* Before connect: deliver again from lsn. NULL: refused, this kind goes on where its target says. */
    bool (*rewind)(void *self, uint64_t lsn, struct err *err);
    /* Any thread: makes a blocked call of this kind return. NULL: none blocks for long. */
    void (*interrupt)(void *self);
};

extern const struct sink_ops sink_mysql, sink_jsonl, sink_http, sink_leader;

/* For the kinds. */
const struct sink_settings *sink_settings(const struct sink *sink);
struct wal *sink_wal(const struct sink *sink);
unsigned sink_index(const struct sink *sink); /* for sink_metric_… */
struct cluster *sink_cluster(const struct sink *sink); /* that it is a part of; NULL: none */
bool sink_stopping(struct sink *sink);        /* stop or pause was asked for: return soon */
/* Whether this sink's first connection is still to come: it has never delivered anything of this log. */
bool sink_is_new(const struct sink *sink);
/* Whether it joined a cluster that had been delivered to, or was given up, and has not been seeded since. Its own thread. */
bool sink_has_nothing(const struct sink *sink);
/* Whether its last connection failed and nothing was confirmed since: what was said then need not be said again. */
bool sink_tries_again(const struct sink *sink);
/* Whether a sink of the configuration is called so in wolfcdc.position. */
bool sink_writes_position(const struct sink *sink, const char *name);

/* The target has everything up to lsn (a COMMIT's, or within a transaction that is delivered in parts). The counts are what came
   with this call. Updates status and metrics, moves the hold now and then. */
struct sink_progress {
    uint64_t lsn;
    struct gtid gtid;
    uint32_t timestamp;
    uint64_t transactions, rows, statements, bytes, groups;
};
void sink_confirm(struct sink *sink, const struct sink_progress *progress);
/* What was confirmed is in the log's own notes when this returns, and not a second later. */
void sink_keep_position(struct sink *sink);
void sink_server(struct sink *sink, const char *server, const char *version); /* for the status */
void sink_server_manner(struct sink *sink, const char *sql_mode, uint64_t packet_max); /* of a cluster's node, for its status */
/* What is said in the status while this state lasts; text "" takes it away. Not for errors: they are returned. */
void sink_say(struct sink *sink, const char *text);
void sink_held_back(struct sink *sink, const char *name); /* a trigger or event that waits for cutover */
void sink_locked_long(struct sink *sink);                 /* counts a source transaction whose locks were held far longer than lock_ms */
void sink_ddl_skipped(struct sink *sink);                 /* counts a DDL statement left out */
void sink_rolled_back(struct sink *sink);                 /* counts a target transaction done again */
/* The error that the caller is about to return: the target is not the one that we delivered to, or lost what it had. */
void sink_position_lost(struct sink *sink);
/* The error that the caller is about to return is a conflict (state SINK_CONFLICT, verbs accepted), or needs this remedy. */
void sink_conflict_found(struct sink *sink);
void sink_remedy(struct sink *sink, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- for the cluster that a sink is a part of (cluster.h); any thread ---- */

/* Delivers transactions that begin at or below `lsn`, then rests: state parked, with this reason. 0: none at all; UINT64_MAX: not parked. */
void sink_park(struct sink *sink, uint64_t lsn, const char *reason);
/* Whether it rests, with its connection closed; *lsn is then what its target has, as far as it has been told. */
bool sink_is_parked(struct sink *sink, uint64_t *lsn);
/* While it rests: its target got this by another way. */
void sink_advance(struct sink *sink, const struct sink_progress *progress);
/* A conflict of a change up to lsn is no conflict: the row is made what the source's is. UINT64_MAX: any. Statements that may have been
   sent another way before make this right: a row that is there already, or is gone already, is what was wanted. */
void sink_forgive(struct sink *sink, uint64_t lsn);
bool sink_forgives(struct sink *sink, uint64_t lsn);
/* Its target was seeded: its position row says where it is, whatever it was. Wakes it if it stopped. */
void sink_seeded(struct sink *sink, uint64_t lsn);
/* While it rests, on a target that was emptied: begins with the log's first transaction, as a new sink does. ERR_STOP: it does not rest. */
MUST_CHECK bool sink_begin_anew(struct sink *sink, struct err *err);
/* The log need not keep for it what it still lacks: it has fallen too far behind. Until it confirms something again. */
void sink_let_go(struct sink *sink);
/* The log keeps what comes after lsn for it, at least: it is about to be given what is up to there, so that it begins nowhere by itself any more. It rests. */
void sink_hold_from(struct sink *sink, uint64_t lsn);
void sink_status_of(struct sink *sink, struct sink_status *status);

#endif
