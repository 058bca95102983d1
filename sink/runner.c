/*
 * runner.c: one thread per [[sink]]: connect, read the log, hand over change by change, wait, try again. See runner.h for what a
 * kind of sink is, sink.h for the verbs.
 *
 *              ┌────────────── backoff ◄── ERR_RETRY ──┐
 *   CONNECTING ┴► STREAMING ◄─► IDLE ──────────────────┤
 *       ▲            PAUSED (operator)                 ├─► GONE CONFLICT STOPPED: wait for resume, conflict, rewind
 *       └──────────────────────────────────────────────┘
 */
#include "runner.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "cluster.h"
#include "filter.h"
#include "log.h"
#include "metrics.h"
#include "retry.h"
#include "thread.h"

enum { READ_WAIT_MS = 250, HOLD_EVERY_US = 1000000, STOP_GRACE_MS = 1500, GAUGES_EVERY_US = 200000 };

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

struct sinks {
    const struct settings *settings;
    struct wal *wal;
    size_t cluster_count;
    struct cluster *clusters[SINKS_MAX];
    size_t count;
    struct sink items[];
};

static const struct sink_ops *const kinds[] = {&sink_mysql, &sink_jsonl, &sink_http};

static const struct { const char *name, *help; } states[SINK_STATES] = {
    [SINK_CONNECTING] = {"connecting", "Connecting to the target and reading its position."},
    [SINK_STREAMING] = {"streaming", "Delivering changes."},
    [SINK_IDLE] = {"idle", "The target has everything that the log holds."},
    [SINK_RETRYING] = {"retrying", "A passing error; tried again by itself. The reason names it."},
    [SINK_PAUSED] = {"paused", "Held by the operator: wolfctl resume."},
    [SINK_CONFLICT] = {"conflict", "The target does not hold what a change needs: wolfctl conflict skip|overwrite|retry."},
    [SINK_GONE] = {"gone", "The log no longer holds what this sink needs: seed the target anew and adopt it."},
    [SINK_PARKED] = {"parked", "Its target is served another way; the reason says which."},
    [SINK_STOPPED] = {"stopped", "It cannot go on without the operator; put the reason right, then wolfctl resume."},
};

const char *sink_state_name(enum sink_state state) { return states[state].name; }
const char *sink_state_help(enum sink_state state) { return states[state].help; }

/* ---- for the kinds ---- */

const struct sink_settings *sink_settings(const struct sink *sink) { return sink->settings; }
struct wal *sink_wal(const struct sink *sink) { return sink->wal; }
unsigned sink_index(const struct sink *sink) { return sink->index; }
struct cluster *sink_cluster(const struct sink *sink) { return sink->cluster; }
bool sink_is_new(const struct sink *sink) { return sink->is_new; }

bool sink_stopping(struct sink *sink)
{
    pthread_mutex_lock(&sink->lock);
    bool stopping = sink->stop || sink->paused || sink->rewind || sink->park_at == 0;
    pthread_mutex_unlock(&sink->lock);
    return stopping;
}

bool sink_writes_position(const struct sink *sink, const char *name)
{
    for (size_t i = 0; i < sink->all->sink_count; i++)
        if (strcmp(sink->all->sinks[i].position_name, name) == 0) return true;
    return false;
}

/* Under lock. */
static void set_state(struct sink *sink, enum sink_state state)
{
    if (sink->status.state == state) return;
    sink->status.state = state;
    sink->status.since_us = clock_wall_us();
    sink_metric_set(sink->index, SINK_METRIC_STATE, state);
    if (state == SINK_STREAMING || state == SINK_IDLE) sink->status.reason[0] = sink->status.remedy[0] = 0;
}


void sink_server(struct sink *sink, const char *server, const char *version)
{
    pthread_mutex_lock(&sink->lock);
    snprintf(sink->status.server, sizeof sink->status.server, "%s", server);
    snprintf(sink->status.version, sizeof sink->status.version, "%s", version);
    pthread_mutex_unlock(&sink->lock);
}

void sink_say(struct sink *sink, const char *text)
{
    pthread_mutex_lock(&sink->lock);
    bool news = strcmp(sink->status.reason, text) != 0;
    snprintf(sink->status.reason, sizeof sink->status.reason, "%s", text);
    pthread_mutex_unlock(&sink->lock);
    if (news && text[0]) log_info("sink.notice", "sink=%s text=\"%s\"", sink->settings->name, text);
}

void sink_held_back(struct sink *sink, const char *name)
{
    pthread_mutex_lock(&sink->lock);
    char *list = sink->status.held_back;
    size_t used = strlen(list), room = sizeof sink->status.held_back;
    if (!strstr(list, name) && used + strlen(name) + 8 < room) snprintf(list + used, room - used, "%s%s", used ? ", " : "", name);
    pthread_mutex_unlock(&sink->lock);
}

void sink_rolled_back(struct sink *sink)
{
    pthread_mutex_lock(&sink->lock);
    sink->status.rollbacks++;
    pthread_mutex_unlock(&sink->lock);
    sink_metric_add(sink->index, SINK_METRIC_ROLLBACKS, 1);
}

void sink_conflict_found(struct sink *sink)
{
    pthread_mutex_lock(&sink->lock);
    sink->conflict_found = true;
    sink->status.conflicts++;
    pthread_mutex_unlock(&sink->lock);
    sink_metric_add(sink->index, SINK_METRIC_CONFLICTS, 1);
}

void sink_position_lost(struct sink *sink)
{
    pthread_mutex_lock(&sink->lock);
    sink->status.lost_position = true;
    pthread_mutex_unlock(&sink->lock);
    if (sink->cluster) sink_remedy(sink, "wolfctl nodes seed %s", sink->settings->server.host);
}

void sink_remedy(struct sink *sink, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    pthread_mutex_lock(&sink->lock);
    vsnprintf(sink->status.remedy, sizeof sink->status.remedy, format, args);
    pthread_mutex_unlock(&sink->lock);
    va_end(args);
}

/* The part of a cluster that delivers through its leader holds nothing of its own: the nodes' parts do. */
static bool holds(const struct sink *sink) { return !sink->settings->cluster || sink->settings->node >= 0; }

static void move_hold(struct sink *sink, bool now)
{
    struct err err = {0};
    uint64_t at = clock_us();
    if (!holds(sink)) return;
    if (sink->delivered + 1 == sink->held || (!now && at - sink->held_us < HOLD_EVERY_US)) return;
    sink->held_us = at;
    if (!wal_hold(sink->wal, sink->settings->name, sink->delivered + 1, &err))
        log_warning("sink.hold", "sink=%s error=\"%s\"", sink->settings->name, err.text);
    else
        sink->held = sink->delivered + 1;
}

static void count(struct sink *sink, const struct sink_progress *p)
{
    unsigned i = sink->index;
    sink_metric_add(i, SINK_METRIC_APPLIED_TRANSACTIONS, p->transactions);
    sink_metric_add(i, SINK_METRIC_APPLIED_ROWS, p->rows);
    sink_metric_add(i, SINK_METRIC_APPLIED_STATEMENTS, p->statements);
    sink_metric_add(i, SINK_METRIC_APPLIED_BYTES, p->bytes);
    sink_metric_add(i, SINK_METRIC_APPLIED_GROUPS, p->groups);
    sink_metric_set(i, SINK_METRIC_APPLIED_LSN, p->lsn);
    struct sink_status *s = &sink->status;
    s->lsn = p->lsn;
    if (p->gtid.seq) s->gtid = p->gtid;
    if (p->timestamp) s->timestamp = p->timestamp;
    s->transactions += p->transactions;
    s->rows += p->rows;
    s->statements += p->statements;
    s->bytes += p->bytes;
    s->groups += p->groups;
}

void sink_confirm(struct sink *sink, const struct sink_progress *progress)
{
    assert(progress->lsn >= sink->delivered);
    sink->delivered = progress->lsn;
    sink->confirmed_transactions += progress->transactions;
    sink->attempt = 0;
    if (sink->is_new) {
        struct err err = {0};
        char name[SINK_NAME_MAX + 8];
        snprintf(name, sizeof name, "%s/new", sink->settings->name);
        if (!wal_release(sink->wal, name, &err)) log_warning("sink.hold", "sink=%s error=\"%s\"", sink->settings->name, err.text);
        sink->is_new = false;
    }
    pthread_mutex_lock(&sink->lock);
    count(sink, progress);
    sink->reading_timestamp = 0;
    pthread_mutex_unlock(&sink->lock);
    move_hold(sink, false);
}

void sink_keep_position(struct sink *sink) { move_hold(sink, true); }

static double lag_seconds(uint32_t timestamp)
{
    double now = (double)clock_wall_us() / 1e6;
    return timestamp && now > timestamp ? now - timestamp : 0;
}

/* ---- for a cluster ---- */

/* Under lock. Parked, and has what it was to have before that. */
static bool must_rest(const struct sink *sink) { return sink->park_at == 0 || sink->gate_reached; }

void sink_park(struct sink *sink, uint64_t lsn, const char *reason)
{
    pthread_mutex_lock(&sink->lock);
    if (lsn != sink->park_at) sink->gate_reached = false;
    sink->park_at = lsn;
    snprintf(sink->park_reason, sizeof sink->park_reason, "%s", reason);
    pthread_cond_broadcast(&sink->wake);
    pthread_mutex_unlock(&sink->lock);
}

bool sink_is_parked(struct sink *sink, uint64_t *lsn)
{
    pthread_mutex_lock(&sink->lock);
    bool parked = sink->resting && must_rest(sink);
    *lsn = sink->status.lsn;
    pthread_mutex_unlock(&sink->lock);
    return parked;
}

void sink_advance(struct sink *sink, const struct sink_progress *progress)
{
    pthread_mutex_lock(&sink->lock);
    assert(sink->resting); /* its thread waits: what it owns may be moved */
    count(sink, progress);
    sink->delivered = progress->lsn;
    pthread_mutex_unlock(&sink->lock);
    move_hold(sink, false);
}

void sink_forgive(struct sink *sink, uint64_t lsn)
{
    pthread_mutex_lock(&sink->lock);
    sink->forgiven = lsn;
    pthread_mutex_unlock(&sink->lock);
}

bool sink_forgives(struct sink *sink, uint64_t lsn)
{
    pthread_mutex_lock(&sink->lock);
    bool forgives = lsn <= sink->forgiven;
    pthread_mutex_unlock(&sink->lock);
    return forgives;
}

void sink_seeded(struct sink *sink, uint64_t lsn)
{
    pthread_mutex_lock(&sink->lock);
    sink->seeded = lsn + 1;
    sink->again = true;
    pthread_cond_broadcast(&sink->wake);
    pthread_mutex_unlock(&sink->lock);
}

void sink_let_go(struct sink *sink)
{
    struct err err = {0};
    struct wal_points points;
    wal_points(sink->wal, &points);
    if (!wal_hold(sink->wal, sink->settings->name, points.written + 1, &err))
        log_warning("sink.hold", "sink=%s error=\"%s\"", sink->settings->name, err.text);
}

void sink_status_of(struct sink *sink, struct sink_status *status)
{
    struct wal_points points;
    wal_points(sink->wal, &points);
    pthread_mutex_lock(&sink->lock);
    *status = sink->status;
    /* A sink that is not reading makes no new figures by itself. */
    if (points.written <= status->lsn) status->lag_seconds = 0, status->lag_transactions = 0, status->lag_bytes = 0;
    else if (sink->reading_timestamp) status->lag_seconds = lag_seconds(sink->reading_timestamp);
    else if (status->state > SINK_IDLE) status->lag_seconds = lag_seconds(status->timestamp);
    pthread_mutex_unlock(&sink->lock);
}

/* ---- the thread ---- */

/* Waits for news from the operator, at most ms. */
static void rest(struct sink *sink, uint32_t ms)
{
    pthread_mutex_lock(&sink->lock);
    if (!sink->stop && !sink->again && !sink->rewind && sink->park_at) thread_wait(&sink->wake, &sink->lock, ms);
    pthread_mutex_unlock(&sink->lock);
}

static bool wants(struct sink *sink, const struct change *change)
{
    if (!sink->on_filter) return true;
    if (change->kind == CHANGE_STATEMENT) {
        const struct statement *s = change->statement;
        struct cursor in = cursor_of(s->tables);
        struct slice database, table;
        bool any = false;
        while (statement_tables_next(&in, &database, &table)) {
            any = true;
            if (filter_wants(sink->filter, database.size ? database : s->database, table)) return true;
        }
        return !any;
    }
    if (change->kind < CHANGE_INSERT || change->kind > CHANGE_DELETE) return true;
    if (change->table != sink->filter_table) {
        sink->filter_table = change->table;
        sink->filter_verdict = filter_wants(sink->filter, change->table->database, change->table->name);
    }
    return sink->filter_verdict;
}

static void note_reading(struct sink *sink, const struct change *change)
{
    pthread_mutex_lock(&sink->lock);
    if (!sink->reading_timestamp) sink->reading_timestamp = change->timestamp;
    set_state(sink, SINK_STREAMING);
    pthread_mutex_unlock(&sink->lock);
}

static void set_gauges(struct sink *sink, bool now)
{
    uint64_t at = clock_us();
    if (!now && at - sink->gauges_us < GAUGES_EVERY_US) return;
    sink->gauges_us = at;
    struct wal_points points;
    wal_points(sink->wal, &points);
    uint64_t behind = points.written > sink->delivered ? wal_reader_behind(sink->reader) : 0, transactions = 0;
    pthread_mutex_lock(&sink->lock);
    struct sink_status *s = &sink->status;
    if (sink->caught_up) {
        uint64_t done = sink->transactions_base + sink->confirmed_transactions;
        transactions = points.transactions_written > done ? points.transactions_written - done : 0;
    } else if (points.written > sink->delivered) {
        transactions = (points.written - sink->delivered) / 3 + 1; /* a transaction has three records at least */
    }
    s->lag_transactions = transactions;
    s->lag_bytes = behind;
    s->lag_seconds = points.written > sink->delivered ? lag_seconds(sink->reading_timestamp) : 0;
    sink_metric_set(sink->index, SINK_METRIC_LAG_TRANSACTIONS, transactions);
    sink_metric_set(sink->index, SINK_METRIC_LAG_BYTES, behind);
    sink_metric_set(sink->index, SINK_METRIC_LAG_SECONDS, (uint64_t)s->lag_seconds);
    pthread_mutex_unlock(&sink->lock);
}

/* Everything read has been confirmed and there is nothing more. */
static void caught_up(struct sink *sink)
{
    struct wal_points points;
    wal_points(sink->wal, &points);
    pthread_mutex_lock(&sink->lock);
    if (!sink->caught_up && points.written <= sink->delivered) {
        sink->caught_up = true;
        sink->transactions_base = points.transactions_written - sink->confirmed_transactions;
    }
    set_state(sink, SINK_IDLE);
    pthread_mutex_unlock(&sink->lock);
    move_hold(sink, false);
}

/* Whether this transaction is beyond where the sink is to rest. */
static bool beyond_gate(struct sink *sink, const struct change *change)
{
    if (change->kind != CHANGE_BEGIN) return false;
    pthread_mutex_lock(&sink->lock);
    bool beyond = change->lsn > sink->park_at;
    pthread_mutex_unlock(&sink->lock);
    return beyond;
}

/* Nothing below the gate is left: rests from now on. */
static void reach_gate(struct sink *sink)
{
    pthread_mutex_lock(&sink->lock);
    if (sink->park_at != UINT64_MAX && sink->delivered >= sink->park_at) sink->gate_reached = true;
    pthread_mutex_unlock(&sink->lock);
}

static bool take(struct sink *sink, const struct change *change, struct err *err)
{
    if (change->kind == CHANGE_BEGIN) note_reading(sink, change);
    if (!wants(sink, change)) return true;
    return sink->ops->change(sink->self, change, err);
}

/* Pushes on what is open, without reading more. */
static bool drain(struct sink *sink, struct err *err)
{
    bool busy = true;
    while (busy) {
        busy = false;
        if (!sink->ops->flush(sink->self, &busy, err)) return false;
    }
    return true;
}

static bool sink_at_gate(struct sink *sink)
{
    pthread_mutex_lock(&sink->lock);
    bool reached = sink->gate_reached;
    pthread_mutex_unlock(&sink->lock);
    return reached;
}

static bool stream(struct sink *sink, struct err *err)
{
    struct change change;
    bool busy = false;
    uint64_t flushed = clock_us();
    while (!sink_stopping(sink) && !sink_at_gate(sink)) {
        switch (wal_reader_next(sink->reader, busy ? 0 : READ_WAIT_MS, &change, err)) {
        case WAL_READ_CHANGE:
            if (beyond_gate(sink, &change)) {
                if (!drain(sink, err)) return false;
                pthread_mutex_lock(&sink->lock);
                sink->gate_reached = change.lsn > sink->park_at;
                pthread_mutex_unlock(&sink->lock);
                return true;
            }
            if (!take(sink, &change, err)) return false;
            busy = true;
            break;
        case WAL_READ_TIMEOUT:
        case WAL_READ_END:
            if (!busy && clock_us() - flushed < 900000) break;
            if (!sink->ops->flush(sink->self, &busy, err)) return false;
            if (!busy) {
                caught_up(sink);
                reach_gate(sink);
                flushed = clock_us();
            }
            break;
        case WAL_READ_STOPPED: return drain(sink, err);
        case WAL_READ_FAILED: return false;
        }
        set_gauges(sink, false);
    }
    return drain(sink, err);
}

static bool connect_and_stream(struct sink *sink, struct err *err)
{
    uint64_t delivered = sink->delivered, begin = 0;
    if (!sink->ops->connect(sink->self, &delivered, &begin, err)) return false;
    sink_metric_add(sink->index, SINK_METRIC_CONNECTS, 1);
    if (delivered != sink->delivered)
        log_info("sink.position", "sink=%s target_lsn=%llu own_lsn=%llu", sink->settings->name, (unsigned long long)delivered,
                 (unsigned long long)sink->delivered);
    struct wal_points points;
    wal_points(sink->wal, &points);
    if (delivered > points.written) {
        sink_remedy(sink, "This log was restored from an older copy, or its tail was lost: put the right one back, or start an "
                    "empty log from the target's position with wolfctl sink adopt");
        return err_set(err, ERR_STOP, "the target has everything up to LSN %llu, but the log ends at %llu",
                       (unsigned long long)delivered, (unsigned long long)points.written);
    }
    sink->delivered = delivered;
    pthread_mutex_lock(&sink->lock);
    sink->status.lsn = delivered;
    sink->caught_up = false;
    sink->reading_timestamp = 0;
    pthread_mutex_unlock(&sink->lock);
    sink->filter_table = NULL;
    wal_reader_close(sink->reader);
    sink->reader = NULL;
    if (!wal_reader_open(sink->wal, begin ? begin : delivered + 1, &sink->reader, err)) return false;
    return stream(sink, err);
}

/* What the error means for the state; the wait that belongs to it. */
static void failed(struct sink *sink, const struct err *err)
{
    pthread_mutex_lock(&sink->lock);
    bool conflict = sink->conflict_found, stopping = sink->stop;
    enum sink_state state = retry_state(err->code, conflict);
    snprintf(sink->status.reason, sizeof sink->status.reason, "%.*s", (int)sizeof sink->status.reason - 1, err->text);
    bool news = sink->status.state != state || state != SINK_RETRYING || sink->attempt == 0;
    set_state(sink, state);
    if (!sink->status.remedy[0] && state != SINK_RETRYING)
        snprintf(sink->status.remedy, sizeof sink->status.remedy, "%s", states[state].help);
    pthread_mutex_unlock(&sink->lock);
    if (stopping) return;
    uint32_t wait = state == SINK_RETRYING ? retry_wait_ms(sink->attempt, (uint32_t)clock_us()) : UINT32_MAX;
    if (news && state == SINK_RETRYING)
        log_warning("sink.retry", "sink=%s wait_ms=%u reason=\"%s\"%s%s%s", sink->settings->name, wait, err->text,
                    *sink->status.remedy ? " remedy=\"" : "", sink->status.remedy, *sink->status.remedy ? "\"" : "");
    else if (news)
        log_error("sink.stopped", "sink=%s state=%s reason=\"%s\" remedy=\"%s\"", sink->settings->name, states[state].name,
                  err->text, sink->status.remedy);
    sink->attempt++;
    if (wait != UINT32_MAX) {
        rest(sink, wait);
        return;
    }
    pthread_mutex_lock(&sink->lock);
    while (!sink->stop && !sink->again && !sink->rewind && sink->park_at) thread_wait(&sink->wake, &sink->lock, 60000);
    pthread_mutex_unlock(&sink->lock);
}

/* What the operator said since the last connection. */
static bool heed_operator(struct sink *sink, struct err *err)
{
    pthread_mutex_lock(&sink->lock);
    enum conflict_way way = sink->way;
    uint64_t rewind = sink->rewind;
    sink->way = CONFLICT_STOP;
    sink->rewind = 0;
    sink->again = sink->conflict_found = sink->status.lost_position = false;
    sink->status.remedy[0] = 0;
    pthread_mutex_unlock(&sink->lock);
    if (way != CONFLICT_STOP && sink->ops->conflict && !sink->ops->conflict(sink->self, way, err)) return false;
    if (!rewind) return true;
    if (!sink->ops->rewind(sink->self, rewind, err)) return false;
    sink->delivered = rewind - 1;
    return true;
}

static bool wait_while_paused(struct sink *sink)
{
    pthread_mutex_lock(&sink->lock);
    while ((sink->paused || must_rest(sink)) && !sink->stop) {
        set_state(sink, must_rest(sink) ? SINK_PARKED : SINK_PAUSED);
        if (must_rest(sink)) snprintf(sink->status.reason, sizeof sink->status.reason, "%s", sink->park_reason);
        sink->resting = true;
        pthread_cond_broadcast(&sink->wake);
        thread_wait(&sink->wake, &sink->lock, 60000);
    }
    sink->resting = false;
    if (sink->seeded) {
        sink->delivered = sink->seeded - 1;
        sink->status.lsn = sink->delivered;
        sink->seeded = 0;
    }
    bool go = !sink->stop;
    if (go) set_state(sink, SINK_CONNECTING);
    pthread_mutex_unlock(&sink->lock);
    return go;
}

static void *run(void *arg)
{
    struct sink *sink = arg;
    while (wait_while_paused(sink)) {
        struct err err = {0};
        bool ok = heed_operator(sink, &err) && connect_and_stream(sink, &err);
        sink->ops->disconnect(sink->self);
        if (!ok) failed(sink, &err);
    }
    move_hold(sink, true);
    wal_reader_close(sink->reader);
    sink->reader = NULL;
    pthread_mutex_lock(&sink->lock);
    sink->finished = true;
    pthread_cond_broadcast(&sink->wake);
    pthread_mutex_unlock(&sink->lock);
    return NULL;
}

/* ---- birth and death ---- */

static bool find_start(struct sink *sink, uint64_t *lsn, struct err *err)
{
    const char *start = sink->settings->start;
    struct wal_points points;
    wal_points(sink->wal, &points);
    if (points.written == 0) return *lsn = 1, true;
    if (!start)
        return err_set(err, ERR_CONFIG,
                       "sink \"%s\" is new, and the log already holds transactions (LSN %llu to %llu): say in the configuration "
                       "where it begins, start = \"oldest\", \"now\" or an LSN",
                       sink->settings->name, (unsigned long long)points.first, (unsigned long long)points.written);
    if (strcmp(start, "oldest") == 0) *lsn = points.first;
    else if (strcmp(start, "now") == 0) *lsn = points.written + 1;
    else *lsn = strtoull(start, NULL, 10);
    if (*lsn < points.first || *lsn > points.written + 1)
        return err_set(err, ERR_CONFIG, "sink \"%s\": start = \"%s\" is outside the log, which holds LSN %llu to %llu",
                       sink->settings->name, start, (unsigned long long)points.first, (unsigned long long)points.written);
    return true;
}

/* A sink is new until its first confirmation: a second hold, NAME/new, says so across a crash. */
static bool open_cursor(struct sink *sink, struct err *err)
{
    char mark[SINK_NAME_MAX + 8];
    uint64_t lsn = 0, ignored;
    if (!holds(sink)) return true;
    snprintf(mark, sizeof mark, "%s/new", sink->settings->name);
    if (wal_held(sink->wal, sink->settings->name, &lsn)) {
        sink->is_new = wal_held(sink->wal, mark, &ignored);
    } else {
        if (!find_start(sink, &lsn, err)) return false;
        if (!wal_hold(sink->wal, mark, lsn, err) || !wal_hold(sink->wal, sink->settings->name, lsn, err)) return false;
        sink->is_new = true;
    }
    sink->held = lsn;
    sink->delivered = lsn - 1;
    sink->status.lsn = sink->delivered;
    return true;
}

static bool sink_init(struct sink *sink, struct err *err)
{
    const struct sink_settings *s = sink->settings;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i]->type, s->type) == 0) sink->ops = kinds[i];
    if (s->cluster) sink->ops = &sink_mysql;
    if (!sink->ops) return err_set(err, ERR_CONFIG, "sink \"%s\": unknown type \"%s\"", s->name, s->type);
    sink->park_at = UINT64_MAX;
    pthread_mutex_init(&sink->lock, NULL);
    thread_cond_init(&sink->wake);
    sink->status.name = s->name;
    sink->status.type = s->type;
    sink->status.since_us = clock_wall_us();
    metrics_name_sink(sink->index, s->name);
    sink->on_filter = s->include.count || s->exclude.count;
    if (sink->on_filter && !filter_new(&s->include, &s->exclude, &sink->filter, err)) return false;
    if (!sink->ops->create(sink, &sink->self, err)) return err_context(err, "sink \"%s\"", s->name);
    return open_cursor(sink, err);
}

bool sinks_new(const struct settings *settings, struct wal *wal, struct sinks **out, struct err *err)
{
    struct sinks *sinks = calloc(1, sizeof *sinks + settings->sink_count * sizeof *sinks->items);
    if (!sinks) abort();
    sinks->settings = settings;
    sinks->wal = wal;
    for (size_t i = 0; i < settings->sink_count; i++) {
        struct sink *sink = &sinks->items[i];
        sink->all = settings;
        sink->settings = &settings->sinks[i];
        sink->wal = wal;
        sink->index = (unsigned)i;
        sinks->count++;
        if (!sink_init(sink, err)) {
            sinks_free(sinks);
            return false;
        }
    }
    *out = sinks;
    return true;
}

void sinks_start(struct sinks *sinks)
{
    for (size_t i = 0; i < sinks->count; i++) {
        struct sink *sink = &sinks->items[i];
        char name[16];
        snprintf(name, sizeof name, "sink-%.10s", sink->settings->name);
        sink->started = true;
        thread_start(&sink->thread, name, run, sink);
    }
}

static void wait_finished(struct sink *sink, uint32_t ms)
{
    uint64_t until = clock_us() + ms * 1000ull;
    pthread_mutex_lock(&sink->lock);
    while (!sink->finished && clock_us() < until) thread_wait(&sink->wake, &sink->lock, 50);
    pthread_mutex_unlock(&sink->lock);
}

void sinks_stop(struct sinks *sinks)
{
    for (size_t i = 0; i < sinks->count; i++) {
        struct sink *sink = &sinks->items[i];
        pthread_mutex_lock(&sink->lock);
        sink->stop = true;
        pthread_cond_broadcast(&sink->wake);
        pthread_mutex_unlock(&sink->lock);
    }
    for (size_t i = 0; i < sinks->count; i++) {
        struct sink *sink = &sinks->items[i];
        if (!sink->started) continue;
        /* What is under way may end well; after that the connection is cut, which rolls it back. */
        if (i == 0) wait_finished(sink, STOP_GRACE_MS);
        pthread_mutex_lock(&sink->lock);
        bool finished = sink->finished;
        pthread_mutex_unlock(&sink->lock);
        if (!finished && sink->ops->interrupt) sink->ops->interrupt(sink->self);
    }
    for (size_t i = 0; i < sinks->count; i++) {
        if (!sinks->items[i].started) continue;
        pthread_join(sinks->items[i].thread, NULL);
        sinks->items[i].started = false;
    }
}

void sinks_free(struct sinks *sinks)
{
    if (!sinks) return;
    for (size_t i = 0; i < sinks->count; i++) {
        struct sink *sink = &sinks->items[i];
        if (sink->ops && sink->self) sink->ops->destroy(sink->self);
        wal_reader_close(sink->reader);
        filter_free(sink->filter);
        if (!sink->ops) continue;
        pthread_mutex_destroy(&sink->lock);
        pthread_cond_destroy(&sink->wake);
    }
    free(sinks);
}

/* ---- verbs ---- */

size_t sinks_count(const struct sinks *sinks) { return sinks->count; }

bool sinks_status(struct sinks *sinks, size_t index, struct sink_status *status)
{
    if (index >= sinks->count) return false;
    sink_status_of(&sinks->items[index], status);
    return true;
}

static struct sink *find(struct sinks *sinks, const char *name, struct err *err)
{
    for (size_t i = 0; i < sinks->count; i++)
        if (strcmp(sinks->items[i].settings->name, name) == 0) return &sinks->items[i];
    err_set(err, ERR_CONFIG, "no sink \"%s\" in the configuration", name);
    return NULL;
}

static void pause_one(struct sink *sink, bool pause)
{
    pthread_mutex_lock(&sink->lock);
    sink->paused = pause;
    if (!pause) sink->again = true;
    pthread_cond_broadcast(&sink->wake);
    pthread_mutex_unlock(&sink->lock);
}

bool sinks_pause(struct sinks *sinks, const char *name, bool pause, struct err *err)
{
    bool found = !name;
    for (size_t i = 0; i < sinks->count; i++) {
        if (name && !sink_is_meant(sinks->items[i].settings, name)) continue;
        pause_one(&sinks->items[i], pause);
        found = true;
    }
    return found || err_set(err, ERR_CONFIG, "no sink \"%s\" in the configuration", name);
}

static bool parse_way(const char *text, enum conflict_way *way)
{
    static const char *const words[] = {[CONFLICT_SKIP] = "skip", [CONFLICT_OVERWRITE] = "overwrite", [CONFLICT_RETRY] = "retry"};
    for (enum conflict_way w = CONFLICT_SKIP; w <= CONFLICT_RETRY; w++)
        if (strcmp(words[w], text) == 0) return *way = w, true;
    return false;
}

static enum sink_state state_of(struct sink *sink)
{
    pthread_mutex_lock(&sink->lock);
    enum sink_state state = sink->status.state;
    pthread_mutex_unlock(&sink->lock);
    return state;
}

bool sinks_conflict(struct sinks *sinks, const char *name, const char *text, struct err *err)
{
    enum conflict_way way;
    struct sink *sink = name ? find(sinks, name, err) : NULL;
    if (!name) {
        for (size_t i = 0; i < sinks->count && !sink; i++)
            if (state_of(&sinks->items[i]) == SINK_CONFLICT) sink = &sinks->items[i];
        if (!sink) return err_set(err, ERR_CONFIG, "no sink is in conflict");
    }
    if (!sink) return false;
    if (!parse_way(text, &way)) return err_set(err, ERR_CONFIG, "\"%s\" is no way out of a conflict: skip, overwrite or retry", text);
    pthread_mutex_lock(&sink->lock);
    bool in_conflict = sink->status.state == SINK_CONFLICT;
    if (in_conflict) {
        sink->way = way;
        sink->again = true;
        set_state(sink, SINK_CONNECTING);
        pthread_cond_broadcast(&sink->wake);
    }
    enum sink_state state = sink->status.state;
    pthread_mutex_unlock(&sink->lock);
    if (in_conflict) return true;
    return err_set(err, ERR_STOP, "sink \"%s\" is not in conflict but %s", sink->settings->name, states[state].name);
}

bool sinks_rewind(struct sinks *sinks, const char *name, uint64_t lsn, struct err *err)
{
    struct sink *sink = find(sinks, name, err);
    struct wal_points points;
    if (!sink) return false;
    wal_points(sinks->wal, &points);
    if (!sink->ops->rewind)
        return err_set(err, ERR_UNSUPPORTED,
                       "sink \"%s\" delivers exactly once and goes on where its target's wolfcdc.position says. Restore the target "
                       "instead; the sink then goes back by itself", name);
    if (lsn < points.first || lsn > points.written + 1)
        return err_set(err, ERR_CONFIG, "LSN %llu is outside the log, which holds %llu to %llu", (unsigned long long)lsn,
                       (unsigned long long)points.first, (unsigned long long)points.written);
    pthread_mutex_lock(&sink->lock);
    sink->rewind = lsn;
    pthread_cond_broadcast(&sink->wake);
    pthread_mutex_unlock(&sink->lock);
    return true;
}

bool sinks_forget(struct sinks *sinks, const char *name, struct err *err)
{
    char mark[SINK_NAME_MAX + 8];
    uint64_t lsn;
    for (size_t i = 0; i < sinks->count; i++)
        if (strcmp(sinks->items[i].settings->name, name) == 0)
            return err_set(err, ERR_CONFIG, "sink \"%s\" is in the configuration: take it out and restart first", name);
    if (!wal_held(sinks->wal, name, &lsn)) return err_set(err, ERR_CONFIG, "the log knows no sink \"%s\"", name);
    snprintf(mark, sizeof mark, "%.120s/new", name);
    if (wal_held(sinks->wal, mark, &lsn) && !wal_release(sinks->wal, mark, err)) return false;
    return wal_release(sinks->wal, name, err);
}
