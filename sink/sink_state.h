/*
 * sink_state.h: private to runner.c (the thread of one sink) and sinks.c (all of them: birth, verbs, clusters): one [[sink]], or one node's
 * part of it.
 */
#ifndef WOLFCDC_SINK_STATE_H
#define WOLFCDC_SINK_STATE_H
#include <pthread.h>

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

/* runner.c: the thread's function. */
void *sink_run(void *sink);
/* The operator's word; false: it is not in conflict but in *state. */
bool sink_settle_conflict(struct sink *sink, enum conflict_way way, enum sink_state *state);

#endif
