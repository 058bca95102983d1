/* wait.c: see wait.h. Runs in a thread of the control API; looks every 10 ms, which is below what a target's commit takes. */
#include "wait.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "binlog_end.h"
#include "binlog_files.h"
#include "clock.h"
#include "json.h"
#include "verbs.h"

enum { LOOK_MS = 10, ASK_AGAIN_MS = 500, ASK_TIMEOUT_MS = 5000, PATIENCE_SECONDS = 60 };

bool wait_seconds(const char *text, double *seconds, struct err *err)
{
    char *end = NULL;
    double value = text ? strtod(text, &end) : WAIT_SECONDS_MAX;
    if (text && (end == text || *end || !(value >= 0) || value > WAIT_SECONDS_MAX))
        return err_set(err, ERR_CONFIG, "timeout \"%.40s\": allowed is 0 to %d seconds", text, WAIT_SECONDS_MAX);
    *seconds = value;
    return true;
}

/* A sink whose last confirmed transaction is the set's, or a later one of the same (only) domain, need not be caught up
   with everything behind it. */
static bool confirmed_directly(const struct gtid_set *gtids, const struct sink_status *sinks, size_t count)
{
    if (gtids->count != 1 || gtid_set_kind(gtids) != GTID_MARIADB) return false;
    for (size_t i = 0; i < count; i++)
        if (sinks[i].gtid.seq < gtids->items[0].seq || sinks[i].gtid.domain != gtids->items[0].domain) return false;
    return count > 0;
}

bool wait_went_back(const struct gtid_set *captured, const struct gtid_set *now)
{
    if (captured->count && gtid_set_kind(captured) != GTID_MARIADB) return !gtid_set_contains(now, captured);
    for (uint32_t i = 0; i < captured->count; i++) {
        struct gtid had = captured->items[i], has = gtid_set_get(now, had.domain);
        if (has.seq && has.server == had.server && has.seq < had.seq) return true;
    }
    return captured->count && !now->count;
}

enum wait_step wait_look(struct wait_goal *goal, const struct cdc_status *source, const struct sink_status *sinks,
                         size_t sink_count)
{
    if (confirmed_directly(&goal->gtids, sinks, sink_count)) return WAIT_DONE;
    if (!goal->captured) {
        if (!gtid_set_contains(&source->pos.gtids, &goal->gtids)) return WAIT_CAPTURE;
        goal->captured = true;
        goal->lsn = source->lsn;
    }
    for (size_t i = 0; i < sink_count; i++)
        if (sinks[i].lsn < goal->lsn) return WAIT_DELIVERY;
    return WAIT_DONE;
}

static bool source_stuck(enum cdc_state state)
{
    return state == CDC_STOPPED || state == CDC_DIVERGED || state == CDC_PURGED;
}

static bool sink_stuck(enum sink_state state)
{
    return state == SINK_STOPPED || state == SINK_CONFLICT || state == SINK_GONE;
}

/* A command that ends the trouble may have been given just now: only what lasts is told. */
static bool lasts(uint64_t since_us, uint64_t begun_us, uint64_t now_us)
{
    uint64_t from = since_us > begun_us ? since_us : begun_us;
    return now_us > from + WAIT_STUCK_SECONDS * 1000000ull;
}

bool wait_stuck(enum wait_step step, const struct cdc_status *source, const struct sink_status *sinks, size_t sink_count,
                uint64_t begun_us, uint64_t now_us, char *text, size_t room)
{
    if (step == WAIT_CAPTURE && source_stuck(source->state) && lasts(source->since_us, begun_us, now_us)) {
        snprintf(text, room, "capture is %s: %s", cdc_state_name(source->state), source->reason);
        return true;
    }
    for (size_t i = 0; i < sink_count; i++) {
        if (!sink_stuck(sinks[i].state) || !lasts(sinks[i].since_us, begun_us, now_us)) continue;
        snprintf(text, room, "sink %s is %s: %s", sinks[i].name, sink_state_name(sinks[i].state), sinks[i].reason);
        return true;
    }
    return false;
}

/* ---- the verb ---- */

struct waiting {
    struct request *request;
    struct agent *agent;
    const char *sink; /* NULL: all */
    struct wait_goal goal;
    uint64_t begun_us, deadline_us; /* monotonic */
    uint64_t begun_wall_us;
    struct cdc_status source;
    size_t sink_count;
    struct sink_status sinks[SINKS_MAX];
};

/* By its own name, or that of the [[sink]] it is a part of. A node that nobody listed and nobody has seeded yet is waited for only by its own name. */
static bool is_meant(const struct sink_status *sink, const char *name)
{
    if (name && !strcmp(sink->name, name)) return true;
    if (sink->found && sink->lost_position) return false;
    return !name || (sink->cluster && !strcmp(sink->cluster, name));
}

/* Without GTIDs the set says where the last transaction ended; the stream may have passed more than that, as the end of the file. */
static void take_place(struct source_pos *pos)
{
    struct gtid place = {.kind = GTID_FILE, .seq = pos->offset};
    if (gtid_set_kind(&pos->gtids) != GTID_FILE || !source_file_number(pos->file, &place.server) || !gtid_reaches(&place, &pos->gtids.items[0])) return;
    pos->gtids.items[0] = place;
}

static void look_around(struct waiting *w)
{
    cdc_status(w->agent->cdc, &w->source);
    take_place(&w->source.pos);
    w->sink_count = 0;
    for (size_t i = 0; w->sink_count < SINKS_MAX && sinks_status(w->agent->sinks, i, &w->sinks[w->sink_count]); i++)
        w->sink_count += is_meant(&w->sinks[w->sink_count], w->sink);
}

static bool ask_files(struct waiting *w, const struct source_settings *settings, struct err *err)
{
    struct source *files;
    if (!source_files_open(settings, &files, err)) return false;
    gtid_set_copy(&w->goal.gtids, &source_files.info(files)->end);
    source_files.close(files);
    return true;
}

/* The end of its binary log over a connection of our own: what the source has now, not what capture has heard of. */
static bool ask_source(struct waiting *w, struct err *err)
{
    struct db_options options;
    struct db *db;
    char name[256];
    unsigned port;
    const struct source_settings *source = &w->agent->settings->source;
    if (source->files.count && !source_has_server(source)) return ask_files(w, source, err);
    settings_server(&source->server, "source", &options);
    options.read_timeout_ms = ASK_TIMEOUT_MS;
    if (options.connect_timeout_ms > ASK_TIMEOUT_MS) options.connect_timeout_ms = ASK_TIMEOUT_MS;
    if (source->hosts.count) { /* the one that capture is connected to, or the first */
        const char *host = *w->source.server ? w->source.server : source->hosts.items[0];
        if (!settings_host(host, source->server.port, name, sizeof name, &port))
            return err_set(err, ERR_RETRY, "not connected to a source");
        options.host = name;
        options.port = port;
    }
    if (!db_open(&options, &db, err)) return false;
    bool gtids = true;
    struct source_pos *end = calloc(1, sizeof *end);
    if (!end) abort();
    bool good = binlog_has_gtids(db, &gtids, err);
    if (gtid_set_kind(&w->source.pos.gtids) == GTID_FILE) gtids = false; /* the log was begun so */
    good = good && binlog_end(db, !gtids, end, err);
    if (good) gtid_set_copy(&w->goal.gtids, &end->gtids);
    free(end);
    db_close(db);
    return good;
}

static bool over(struct waiting *w)
{
    if (request_abandoned(w->request)) request_error(w->request, 504, "ask again", "who asked has hung up");
    else if (w->agent->stopping) request_error(w->request, 503, "start the agent and wait again", "the agent is stopping");
    else if (clock_us() < w->deadline_us) return false;
    else request_error(w->request, 504, "wolfctl status shows who is behind", "timed out after %llu s",
                       (unsigned long long)(clock_us() - w->begun_us) / 1000000);
    return true;
}

/* False: answered. */
static bool goal_find(struct waiting *w)
{
    const char *gtid = request_param(w->request, "gtid");
    struct err err = {0};
    if (gtid) {
        if (gtid_set_parse(slice_text(gtid), &w->goal.gtids, &err)) return true;
        request_error(w->request, 400, "as 0-1-42,1-1-7, or for a MySQL source uuid:1-42", "gtid: %s", err.text);
        return false;
    }
    for (;;) {
        look_around(w);
        if (ask_source(w, &err)) {
            if (!wait_went_back(&w->source.pos.gtids, &w->goal.gtids)) return true;
            request_error(w->request, 409, "wolfctl status: capture finds out what happened at its next connection",
                          "the source has less than was captured of it: its binary log was reset, or it lost its end");
            return false;
        }
        if (err.code == ERR_DENIED || clock_us() >= w->deadline_us) {
            request_error(w->request, 502, "is the source up? wait --gtid does not need it",
                          "cannot ask the source how far it is: %s", err.text);
            return false;
        }
        if (over(w)) return false;
        clock_sleep_ms(ASK_AGAIN_MS);
    }
}

static void answer_reached(struct waiting *w)
{
    char gtids[GTID_SET_TEXT_MAX];
    gtid_set_format(&w->goal.gtids, gtids);
    struct json json = json_on(&w->request->answer);
    json_open(&json, '{');
    json_name(&json, "done");
    json_string(&json, "delivered");
    json_name(&json, "gtids");
    json_string(&json, gtids);
    json_name(&json, "lsn");
    json_unsigned(&json, w->goal.lsn);
    json_name(&json, "waited_ms");
    json_unsigned(&json, (clock_us() - w->begun_us) / 1000);
    json_close(&json, '}');
}

static void wait_loop(struct waiting *w)
{
    char text[1400];
    for (;;) {
        look_around(w);
        enum wait_step step = wait_look(&w->goal, &w->source, w->sinks, w->sink_count);
        if (step == WAIT_DONE) {
            answer_reached(w);
            return;
        }
        if (wait_stuck(step, &w->source, w->sinks, w->sink_count, w->begun_wall_us, clock_wall_us(), text, sizeof text)) {
            request_error(w->request, 409, "wolfctl status says what to do", "%s", text);
            return;
        }
        if (over(w)) return;
        clock_sleep_ms(LOOK_MS);
    }
}

static bool sink_exists(struct sinks *sinks, const char *name)
{
    struct sink_status status;
    for (size_t i = 0; sinks_status(sinks, i, &status); i++)
        if (!strcmp(status.name, name) || (status.cluster && !strcmp(status.cluster, name))) return true;
    return false;
}

void verb_wait(struct request *request)
{
    const char *sink = request_param(request, "sink");
    double seconds;
    struct err err;
    if (!wait_seconds(request_param(request, "timeout"), &seconds, &err)) {
        request_error(request, 400, "timeout in seconds", "%s", err.text);
        return;
    }
    if (sink && !sink_exists(request->agent->sinks, sink)) {
        request_error(request, 400, "wolfctl status lists the sinks", "no sink \"%.64s\"", sink);
        return;
    }
    struct waiting *w = calloc(1, sizeof *w);
    if (!w) abort();
    *w = (struct waiting){.request = request, .agent = request->agent, .sink = sink, .begun_us = clock_us(),
                          .begun_wall_us = clock_wall_us()};
    w->deadline_us = w->begun_us + (uint64_t)(seconds * 1e6);
    request_patience(request, (unsigned)seconds + PATIENCE_SECONDS);
    if (goal_find(w)) wait_loop(w);
    free(w);
}
