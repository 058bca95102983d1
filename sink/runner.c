/*
 * runner.c: one thread per [[sink]]: connect, read the log, hand over change by change, wait, try again. See runner.h for what a
 * kind of sink is, sink.h for the verbs.
 *
 *              ┌────────────── backoff ◄── ERR_RETRY ──┐
 *   CONNECTING ┴► STREAMING ◄─► IDLE ──────────────────┤
 *       ▲            PAUSED (operator)                 ├─► GONE CONFLICT STOPPED: wait for resume, conflict, rewind
 *       └──────────────────────────────────────────────┘
 */
#include "sink_state.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "log.h"
#include "metrics.h"
#include "retry.h"
#include "thread.h"

enum { READ_WAIT_MS = 250, HOLD_EVERY_US = 1000000, GAUGES_EVERY_US = 200000 };

static const struct { const char *name, *help; } states[SINK_STATES] = {
    [SINK_CONNECTING] = {"connecting", "Connecting to the target and reading its position."},
    [SINK_STREAMING] = {"streaming", "Delivering changes."},
    [SINK_IDLE] = {"idle", "The target has everything that the log holds."},
    [SINK_RETRYING] = {"retrying", "A passing error; tried again by itself. The reason names it."},
    [SINK_PAUSED] = {"paused", "Held by the operator: wolfctl resume --sink NAME."},
    [SINK_CONFLICT] = {"conflict", "The target does not hold what a change needs: wolfctl conflict skip|overwrite|retry."},
    [SINK_GONE] = {"gone", "The log no longer holds what this sink needs: seed the target anew and adopt it."},
    [SINK_PARKED] = {"parked", "Its target is served another way; the reason says which."},
    [SINK_STOPPED] = {"stopped", "It cannot go on without the operator; put the reason right, then wolfctl resume --sink NAME."},
};

const char *sink_state_name(enum sink_state state) { return states[state].name; }
const char *sink_state_help(enum sink_state state) { return states[state].help; }

/* ---- for the kinds ---- */

const struct sink_settings *sink_settings(const struct sink *sink) { return sink->settings; }
struct wal *sink_wal(const struct sink *sink) { return sink->wal; }
unsigned sink_index(const struct sink *sink) { return sink->index; }
struct cluster *sink_cluster(const struct sink *sink) { return sink->cluster; }
bool sink_is_new(const struct sink *sink) { return sink->is_new; }
bool sink_has_nothing(const struct sink *sink) { return sink->held == WAL_HOLDS_NOTHING; }
bool sink_tries_again(const struct sink *sink) { return sink->attempt > 0; }

bool sink_stopping(struct sink *sink)
{
    pthread_mutex_lock(&sink->lock);
    bool stopping = sink->stop || sink->paused || sink->rewind || sink->park_at == 0 || sink->gate_reached;
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
    if (state == SINK_STREAMING || state == SINK_IDLE) sink->status.reason[0] = sink->status.remedy[0] = 0, sink->status.attempts = 0;
}


void sink_server(struct sink *sink, const char *server, const char *version)
{
    pthread_mutex_lock(&sink->lock);
    snprintf(sink->status.server, sizeof sink->status.server, "%s", server);
    snprintf(sink->status.version, sizeof sink->status.version, "%s", version);
    pthread_mutex_unlock(&sink->lock);
}

void sink_server_manner(struct sink *sink, const char *sql_mode, uint64_t packet_max)
{
    pthread_mutex_lock(&sink->lock);
    snprintf(sink->status.sql_mode, sizeof sink->status.sql_mode, "%s", sql_mode);
    sink->status.packet_max = packet_max;
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

void sink_locked_long(struct sink *sink)
{
    pthread_mutex_lock(&sink->lock);
    sink->status.long_locks++;
    pthread_mutex_unlock(&sink->lock);
    sink_metric_add(sink->index, SINK_METRIC_LONG_LOCKS, 1);
}

void sink_ddl_skipped(struct sink *sink)
{
    pthread_mutex_lock(&sink->lock);
    sink->status.ddl_skipped++;
    pthread_mutex_unlock(&sink->lock);
    sink_metric_add(sink->index, SINK_METRIC_DDL_SKIPPED, 1);
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

static void move_hold(struct sink *sink, bool now)
{
    struct err err = {0};
    uint64_t at = clock_us();
    if (!sink_holds(sink) || sink->held == WAL_HOLDS_NOTHING) return;
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

static void release(struct sink *sink, const char *name)
{
    struct err err = {0};
    uint64_t lsn;
    if (wal_held(sink->wal, name, &lsn) && !wal_release(sink->wal, name, &err))
        log_warning("sink.hold", "sink=%s error=\"%s\"", sink->settings->name, err.text);
}

static void no_longer_new(struct sink *sink)
{
    char name[SINK_NAME_MAX + 8];
    if (!sink->is_new) return;
    snprintf(name, sizeof name, "%s/new", sink->settings->name);
    release(sink, name);
    sink->is_new = false;
}

void sink_confirm(struct sink *sink, const struct sink_progress *progress)
{
    assert(progress->lsn >= sink->delivered);
    sink->delivered = progress->lsn;
    sink->confirmed_transactions += progress->transactions;
    sink->attempt = 0;
    no_longer_new(sink);
    pthread_mutex_lock(&sink->lock);
    sink->status.attempts = 0;
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
    if (sink->resting) { /* its thread waits: what it owns may be moved. Else it is stopping, and will read its target's word */
        count(sink, progress);
        sink->delivered = progress->lsn;
        no_longer_new(sink);
        move_hold(sink, false);
    }
    pthread_mutex_unlock(&sink->lock);
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
    sink->status.lsn = lsn;
    sink->status.gtid = (struct gtid){0};
    sink->status.lost_position = false;
    sink->again = true;
    pthread_cond_broadcast(&sink->wake);
    pthread_mutex_unlock(&sink->lock);
}

/* In this order: a mark beside an older hold would have it begin there, with nothing. */
bool sink_begin_anew(struct sink *sink, struct err *err)
{
    char mark[SINK_NAME_MAX + 8];
    snprintf(mark, sizeof mark, "%s/new", sink->settings->name);
    pthread_mutex_lock(&sink->lock);
    bool ok = sink->resting || err_set(err, ERR_STOP, "its sink does not rest");
    ok = ok && wal_hold(sink->wal, sink->settings->name, 1, err) && wal_hold(sink->wal, mark, 1, err);
    if (ok) { /* its thread waits: what it owns may be moved */
        sink->is_new = true;
        sink->held = 1;
    }
    pthread_mutex_unlock(&sink->lock);
    if (ok) sink_seeded(sink, 0);
    return ok;
}

void sink_let_go(struct sink *sink)
{
    char mark[SINK_NAME_MAX + 8];
    uint64_t held;
    struct err err = {0};
    snprintf(mark, sizeof mark, "%s/new", sink->settings->name);
    release(sink, mark);
    if (wal_held(sink->wal, sink->settings->name, &held) && held == WAL_HOLDS_NOTHING) return;
    if (!wal_hold(sink->wal, sink->settings->name, WAL_HOLDS_NOTHING, &err))
        log_warning("sink.hold", "sink=%s error=\"%s\"", sink->settings->name, err.text);
}

void sink_hold_from(struct sink *sink, uint64_t lsn)
{
    struct err err = {0};
    uint64_t held;
    pthread_mutex_lock(&sink->lock);
    if (sink->resting) no_longer_new(sink);
    pthread_mutex_unlock(&sink->lock);
    if (wal_held(sink->wal, sink->settings->name, &held) && held <= lsn + 1) return;
    if (!wal_hold(sink->wal, sink->settings->name, lsn + 1, &err))
        log_warning("sink.hold", "sink=%s error=\"%s\"", sink->settings->name, err.text);
}

/* While the nodes' own sinks deliver, the part that goes through the leader has what all of them have. */
static void follow_nodes(const struct sink *sink, struct sink_status *status, uint64_t written)
{
    struct sink_status node, least = {.lsn = UINT64_MAX};
    struct sink *members[NODES_MAX];
    size_t count = cluster_members(sink->cluster, members, NULL, NULL);
    for (size_t i = 0; i < count; i++) {
        sink_status_of(members[i], &node);
        if (node.found && node.lost_position) continue; /* nobody listed it: it has nothing yet, and is not waited for */
        if (node.lsn < least.lsn) least = node;
    }
    if (least.lsn <= status->lsn) return;
    status->lsn = least.lsn;
    status->gtid = least.gtid;
    status->timestamp = least.timestamp;
    status->lag_transactions = least.lsn >= written ? 0 : least.lag_transactions;
    status->lag_bytes = least.lsn >= written ? 0 : least.lag_bytes;
    status->lag_seconds = least.lsn >= written ? 0 : least.lag_seconds;
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
    bool reading = status->state == SINK_STREAMING || status->state == SINK_IDLE;
    pthread_mutex_unlock(&sink->lock);
    if (!reading && points.written > status->lsn) status->lag_bytes = wal_bytes_behind(sink->wal, status->lsn);
    if (sink->cluster && !sink_holds(sink)) follow_nodes(sink, status, points.written);
}

bool sink_settle_conflict(struct sink *sink, enum conflict_way way, enum sink_state *state)
{
    pthread_mutex_lock(&sink->lock);
    bool in_conflict = sink->status.state == SINK_CONFLICT;
    if (in_conflict) {
        sink->way = way;
        sink->again = true;
        set_state(sink, SINK_CONNECTING);
        pthread_cond_broadcast(&sink->wake);
    }
    *state = sink->status.state;
    pthread_mutex_unlock(&sink->lock);
    return in_conflict;
}

/* ---- the thread ---- */

/* Waits for news from the operator, at most ms. */
static void rest(struct sink *sink, uint32_t ms)
{
    pthread_mutex_lock(&sink->lock);
    if (!sink->stop && !sink->again && !sink->rewind && sink->park_at) thread_wait(&sink->wake, &sink->lock, ms);
    pthread_mutex_unlock(&sink->lock);
}

/* By the tables that a statement names; one that names none passes. */
static bool wants_statement(struct sink *sink, const struct statement *s, bool *wanted, struct err *err)
{
    struct cursor in = cursor_of(s->tables);
    struct slice database, table;
    bool some = false, others = false;
    while (statement_tables_next(&in, &database, &table)) {
        bool wants = filter_wants(sink->filter, database.size ? database : s->database, table);
        some |= wants;
        others |= !wants;
    }
    *wanted = some || !others;
    if (!some || !others) return true;
    sink_remedy(sink, "Widen or narrow include and exclude of this sink so that they take all of its tables or none, then: wolfctl resume --sink %s",
                sink->settings->name);
    return err_set(err, ERR_STOP, "a %s statement names tables of which this sink's include and exclude want some and not others",
                   statement_kind_name(s->kind));
}

static bool wants(struct sink *sink, const struct change *change)
{
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
    if (sink->on_filter) {
        bool wanted = false;
        if (change->kind != CHANGE_STATEMENT) wanted = wants(sink, change);
        else if (!wants_statement(sink, change->statement, &wanted, err)) return err_context(err, "LSN %llu", (unsigned long long)change->lsn);
        if (!wanted) return true;
    }
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

static bool stream(struct sink *sink, struct err *err)
{
    struct change change;
    bool busy = false;
    uint64_t flushed = clock_us();
    while (!sink_stopping(sink)) {
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
    if (sink->held == WAL_HOLDS_NOTHING) sink->held = 0; /* its target has a position: from now on the log is kept for it */
    pthread_mutex_lock(&sink->lock);
    if (sink->status.lsn != delivered) sink->status.gtid = (struct gtid){0}; /* nobody is to take it for what the target has */
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
    bool news = state != SINK_RETRYING || sink->attempt == 0 || strcmp(sink->told, sink->status.reason) != 0;
    snprintf(sink->told, sizeof sink->told, "%s", sink->status.reason);
    set_state(sink, state);
    sink->status.attempts = sink->attempt + 1;
    if (!sink->status.remedy[0] && state == SINK_GONE && sink->cluster)
        snprintf(sink->status.remedy, sizeof sink->status.remedy, "wolfctl nodes seed %s", sink->settings->server.host);
    if (!sink->status.remedy[0] && state == SINK_STOPPED)
        snprintf(sink->status.remedy, sizeof sink->status.remedy, "put that right, then: wolfctl resume --sink %s", sink->settings->name);
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

void *sink_run(void *arg)
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
