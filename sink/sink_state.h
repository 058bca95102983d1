/*
 * sink_state.h: private to runner.c (the thread of one sink) and sinks.c (all of them: birth, verbs, clusters): one [[sink]], or one node's
 * part of it.
 */
#ifndef WOLFCDC_SINK_STATE_H
#define WOLFCDC_SINK_STATE_H
#include <pthread.h>
#include <stdatomic.h>

#include "cluster.h"
#include "filter.h"

struct sink {
    const struct settings *all;
    const struct sink_settings *settings;
    const struct sink_ops *ops;
    struct wal *wal;
    struct filter *filter;
    unsigned index;
    struct cluster *cluster; /* that it is a part of, or NULL */
    bool on_filter; /* it has patterns of its own */
    pthread_t thread;
    bool started;
    bool found;              /* a node that nobody listed: see roster.h */
    atomic_bool forgotten;   /* and that is no more: its thread has ended, it is shown nowhere */
    uint64_t began;          /* where it began, when it had delivered nothing before this run; 0: it had */
    uint64_t begin_at;       /* likewise of one that was found: where to begin; 0: its rows are to be seeded */

    /* owned by the sink's thread */
    void *self;
    struct wal_reader *reader;
    uint64_t delivered, held, held_us, gauges_us;
    unsigned attempt;
    char told[1024]; /* the last reason that was logged */
    bool is_new;
    uint64_t transactions_base; /* written by the log when this reader had caught up, less what it had delivered */
    uint64_t confirmed_transactions;
    const struct table *filter_table;
    bool filter_verdict;

    /* shared, under lock */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop, finished, paused, again, conflict_found, caught_up;
    enum conflict_way way;
    uint64_t rewind; /* 0: none asked for */
    uint64_t park_at, forgiven, seeded; /* see sink_park, sink_forgive, sink_seeded */
    bool gate_reached; /* everything up to park_at is delivered */
    bool resting;    /* parked or paused, its connection closed */
    char park_reason[300];
    struct sink_status status;
    uint32_t reading_timestamp; /* source time of the oldest transaction read and not confirmed; 0 none */
};

/* The part of a cluster that delivers through its leader holds nothing of the log by itself: the nodes' parts do. */
static inline bool sink_holds(const struct sink *sink) { return !sink->settings->cluster || sink->settings->node >= 0; }

/* Every sink, and where those of nodes that are found later go: behind the others, and never away again. Whoever holds an index below count may
   use the sink. */
struct sinks {
    const struct settings *settings;
    struct wal *wal;
    size_t cluster_count;
    struct cluster *clusters[SINKS_MAX];
    uint64_t started_us;
    pthread_mutex_t lock;    /* one birth or death at a time; what follows */
    bool running, stopping;
    atomic_size_t count;     /* moved on when the new one is whole */
    struct sink items[SINKS_MAX];
    struct { struct sink_settings settings; char name[SINK_NAME_MAX], host[256]; } found[SINKS_MAX]; /* by the index of the sink */
};

/* sinks.c. sink_init: from its settings, up to its hold on the log; sink_fini takes half of it, too. */
MUST_CHECK bool sink_init(struct sink *sink, struct err *err);
void sink_fini(struct sink *sink);
MUST_CHECK bool sink_open_cursor(struct sink *sink, struct err *err);
void sink_begin(struct sink *sink); /* its thread */
void sink_wait_finished(struct sink *sink, uint64_t until_us);
static inline bool sink_is_gone(struct sink *sink) { return atomic_load(&sink->forgotten); }

/* runner.c: the thread's function. */
void *sink_run(void *sink);
/* The operator's word; false: it is not in conflict but in *state. */
bool sink_settle_conflict(struct sink *sink, enum conflict_way way, enum sink_state *state);

#endif
