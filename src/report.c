/* report.c: see report.h. The keys are those of keys.def. */
#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent.h"
#include "clock.h"
#include "json.h"
#include "metrics.h"

/* States in which changes flow, or would if there were any. */
static const bool source_well[CDC_STATES] = {
    [CDC_STREAMING] = true, [CDC_IDLE] = true, [CDC_THROTTLED] = true, [CDC_UNPROVEN] = true,
};
static const bool sink_well[SINK_STATES] = {[SINK_STREAMING] = true, [SINK_IDLE] = true};

bool report_source_well(enum cdc_state state) { return state < CDC_STATES && source_well[state]; }

bool report_sink_well(enum sink_state state) { return state < SINK_STATES && sink_well[state]; }

static void gauges(const struct report *report)
{
    metric_set(METRIC_SOURCE_STATE, report->source.state);
    metric_set(METRIC_WAL_BYTES, report->wal.bytes);
    metric_set(METRIC_WAL_SEGMENTS, report->wal.segments);
    metric_set(METRIC_DISK_FREE_BYTES, report->wal.free_bytes);
    metric_set(METRIC_WRITTEN_LSN, report->wal.points.written);
    metric_set(METRIC_DURABLE_LSN, report->wal.points.durable);
    for (size_t i = 0; i < report->sink_count; i++) {
        const struct sink_status *sink = &report->sinks[i];
        sink_metric_set(sink->index, SINK_METRIC_STATE, sink->state);
        sink_metric_set(sink->index, SINK_METRIC_APPLIED_LSN, sink->lsn);
        sink_metric_set(sink->index, SINK_METRIC_LAG_SECONDS, (uint64_t)(sink->lag_seconds + 0.5));
        sink_metric_set(sink->index, SINK_METRIC_LAG_TRANSACTIONS, sink->lag_transactions);
        sink_metric_set(sink->index, SINK_METRIC_LAG_BYTES, sink->lag_bytes);
    }
}

struct report *report_take(struct agent *agent)
{
    struct report *report = calloc(1, sizeof *report);
    if (!report) abort();
    report->config = agent->settings->file;
    report->dir = agent->settings->wal.dir;
    report->now_us = clock_wall_us();
    report->started_us = agent->started_us;
    report->pid = (long)getpid();
    cdc_status(agent->cdc, &report->source);
    wal_status(agent->wal, &report->wal);
    report->prepared_count = wal_prepared_list(agent->wal, report->prepared, REPORT_XA_MAX);
    for (size_t i = 0; i < SINKS_MAX && sinks_status(agent->sinks, i, &report->sinks[i]); i++) report->sink_count = i + 1;
    report->source_lag_seconds = metric_get(METRIC_SOURCE_LAG_SECONDS);
    gauges(report);
    return report;
}

/* ---- ready ---- */

static void reason(struct json *json, const char *who, const char *state, const char *why, const char *remedy)
{
    char text[1800];
    snprintf(text, sizeof text, "%s is %s%s%s%s%s", who, state, *why ? ": " : "", why, *remedy ? "; " : "", remedy);
    json_string(json, text);
}

bool report_ready(const struct report *report, struct buf *reasons)
{
    struct json json = json_on(reasons);
    bool ready = true;
    char who[SINK_NAME_MAX + 8];
    json_open(&json, '[');
    if (!report_source_well(report->source.state)) {
        ready = false;
        reason(&json, "capture", cdc_state_name(report->source.state), report->source.reason, report->source.remedy);
    }
    for (size_t i = 0; i < report->sink_count; i++) {
        const struct sink_status *sink = &report->sinks[i];
        if (report_sink_well(sink->state)) continue;
        ready = false;
        snprintf(who, sizeof who, "sink %s", sink->name);
        reason(&json, who, sink_state_name(sink->state), sink->reason, sink->remedy);
    }
    json_close(&json, ']');
    return ready;
}

/* ---- status ---- */

static void put_text(struct json *json, const char *name, const char *text)
{
    json_name(json, name);
    json_string(json, text);
}

static void put_number(struct json *json, const char *name, uint64_t value)
{
    json_name(json, name);
    json_unsigned(json, value);
}

static void put_bool(struct json *json, const char *name, bool value)
{
    json_name(json, name);
    json_bool(json, value);
}

static void put_time(struct json *json, const char *name, uint64_t us)
{
    char text[32] = "";
    if (us) clock_format(us, text);
    put_text(json, name, text);
}

static void put_gtid(struct json *json, const char *name, const struct gtid *gtid)
{
    char text[GTID_TEXT_MAX] = "";
    if (gtid->seq) gtid_format(gtid, text);
    put_text(json, name, text);
}

static void put_seconds(struct json *json, const char *name, double seconds)
{
    char text[40];
    snprintf(text, sizeof text, "%.3f", seconds);
    json_name(json, name);
    json_raw(json, slice_text(text));
}

static void put_xa(struct json *json, const struct report *report)
{
    uint32_t now = (uint32_t)(report->now_us / 1000000);
    put_number(json, "xa_prepared", report->prepared_count);
    json_name(json, "xa");
    json_open(json, '[');
    for (size_t i = 0; i < report->prepared_count && i < REPORT_XA_MAX; i++) {
        const struct wal_prepared *p = &report->prepared[i];
        char xid[XID_TEXT_MAX];
        xid_format(&p->xid, xid);
        json_open(json, '{');
        put_text(json, "xid", xid);
        put_gtid(json, "gtid", &p->gtid);
        put_number(json, "lsn", p->lsn);
        put_number(json, "rows", p->rows);
        put_number(json, "age_seconds", now > p->timestamp ? now - p->timestamp : 0);
        json_close(json, '}');
    }
    json_close(json, ']');
}

static void put_source(struct json *json, const struct report *report)
{
    const struct cdc_status *s = &report->source;
    char gtids[GTID_SET_TEXT_MAX];
    gtid_set_format(&s->pos.gtids, gtids);
    json_open(json, '{');
    put_text(json, "state", cdc_state_name(s->state));
    put_time(json, "since", s->since_us);
    put_text(json, "reason", s->reason);
    put_text(json, "remedy", s->remedy);
    put_text(json, "server", s->server);
    put_text(json, "version", s->version);
    put_bool(json, "tls", s->tls);
    put_bool(json, "unproven", s->unproven);
    put_gtid(json, "gtid", &s->gtid);
    put_text(json, "gtids", gtids);
    put_text(json, "file", s->pos.file);
    put_number(json, "pos", s->pos.offset);
    put_number(json, "lsn", s->lsn);
    put_number(json, "timestamp", s->timestamp);
    put_time(json, "last_event", s->last_event_us);
    put_number(json, "lag_seconds", report->source_lag_seconds);
    json_name(json, "purge_seconds");
    json_signed(json, s->purge_seconds);
    put_number(json, "connects", s->connects);
    put_number(json, "transactions", s->transactions);
    put_number(json, "rows", s->rows);
    put_number(json, "events", s->events);
    put_number(json, "bytes", s->bytes);
    put_number(json, "aborted", s->aborted);
    put_text(json, "semi_sync", cdc_semi_sync_name(s->semi_sync));
    put_number(json, "acks", s->acks);
    put_xa(json, report);
    json_close(json, '}');
}

static void put_wal(struct json *json, const struct report *report)
{
    const struct wal_status *w = &report->wal;
    json_open(json, '{');
    put_text(json, "dir", report->dir);
    put_text(json, "uuid", w->uuid);
    put_number(json, "first_lsn", w->points.first);
    put_number(json, "written_lsn", w->points.written);
    put_number(json, "durable_lsn", w->points.durable);
    put_number(json, "transactions_written", w->points.transactions_written);
    put_number(json, "transactions_durable", w->points.transactions_durable);
    put_number(json, "bytes", w->bytes);
    put_number(json, "segments", w->segments);
    put_number(json, "free_bytes", w->free_bytes);
    put_number(json, "oldest_timestamp", w->oldest_timestamp);
    put_number(json, "newest_timestamp", w->newest_timestamp);
    put_text(json, "paused", w->paused);
    json_close(json, '}');
}

static void put_sink(struct json *json, const struct sink_status *s)
{
    json_open(json, '{');
    put_text(json, "name", s->name);
    put_text(json, "type", s->type);
    put_text(json, "state", sink_state_name(s->state));
    put_time(json, "since", s->since_us);
    put_text(json, "reason", s->reason);
    put_text(json, "remedy", s->remedy);
    put_number(json, "attempts", s->attempts);
    put_text(json, "server", s->server);
    put_text(json, "version", s->version);
    put_number(json, "lsn", s->lsn);
    put_gtid(json, "gtid", &s->gtid);
    put_number(json, "timestamp", s->timestamp);
    put_number(json, "transactions", s->transactions);
    put_number(json, "rows", s->rows);
    put_number(json, "statements", s->statements);
    put_number(json, "bytes", s->bytes);
    put_number(json, "groups", s->groups);
    put_number(json, "rollbacks", s->rollbacks);
    put_number(json, "conflicts", s->conflicts);
    put_number(json, "long_locks", s->long_locks);
    put_number(json, "ddl_skipped", s->ddl_skipped);
    put_seconds(json, "lag_seconds", s->lag_seconds);
    put_number(json, "lag_transactions", s->lag_transactions);
    put_number(json, "lag_bytes", s->lag_bytes);
    put_text(json, "held_back", s->held_back);
    json_close(json, '}');
}

static void put_agent(struct json *json, const struct report *report)
{
    struct buf reasons;
    buf_init(&reasons, 1 << 20);
    bool ready = report_ready(report, &reasons);
    put_text(json, "version", PACKAGE_VERSION);
    put_number(json, "pid", (uint64_t)report->pid);
    put_time(json, "started", report->started_us);
    put_number(json, "uptime_seconds", report->now_us > report->started_us ? (report->now_us - report->started_us) / 1000000 : 0);
    put_text(json, "config", report->config);
    put_bool(json, "ready", ready);
    json_name(json, "reasons");
    json_raw(json, buf_bytes(&reasons));
    buf_fini(&reasons);
}

void report_status(const struct report *report, struct buf *out)
{
    struct json json = json_on(out);
    json_open(&json, '{');
    put_agent(&json, report);
    json_name(&json, "source");
    put_source(&json, report);
    json_name(&json, "wal");
    put_wal(&json, report);
    json_name(&json, "sinks");
    json_open(&json, '[');
    for (size_t i = 0; i < report->sink_count; i++) put_sink(&json, &report->sinks[i]);
    json_close(&json, ']');
    json_close(&json, '}');
}

void report_line(const struct report *report, char *text, size_t room)
{
    size_t n = (size_t)snprintf(text, room, "capture %s", cdc_state_name(report->source.state));
    for (size_t i = 0; i < report->sink_count && n < room; i++) {
        const struct sink_status *sink = &report->sinks[i];
        n += (size_t)snprintf(text + n, room - n, "; %s %s, lag %.1f s", sink->name, sink_state_name(sink->state),
                              sink->lag_seconds);
    }
}
