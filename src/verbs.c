/* verbs.c: see verbs.h. Everything but waiting, which is in wait.c. */
#include "verbs.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "cluster_report.h"
#include "json.h"
#include "metrics.h"
#include "report.h"

static const struct verb verbs[] = {
#define VERB(method, path, function, changes, parameters, help) {method, path, verb_##function, changes, parameters, help},
#include "verbs.def"
#undef VERB
};
static const size_t verb_count = sizeof verbs / sizeof *verbs;

const struct verb *verb_find(const char *method, const char *path, const char **allow)
{
    *allow = NULL;
    if (!strcmp(method, "HEAD")) method = "GET";
    for (size_t i = 0; i < verb_count; i++) {
        if (strcmp(verbs[i].path, path)) continue;
        if (!strcmp(verbs[i].method, method)) return &verbs[i];
        *allow = verbs[i].method;
    }
    return NULL;
}

void request_error(struct request *request, unsigned status, const char *remedy, const char *format, ...)
{
    char text[ERR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    buf_clear(&request->answer);
    request->status = status;
    request->type = "application/json";
    struct json json = json_on(&request->answer);
    json_open(&json, '{');
    json_name(&json, "error");
    json_string(&json, text);
    json_name(&json, "remedy");
    json_string(&json, remedy);
    json_close(&json, '}');
}

/* What an err means to a caller of HTTP. */
static void answer_err(struct request *request, const struct err *err)
{
    bool callers = err->code == ERR_CONFIG || err->code == ERR_GONE || err->code == ERR_LIMIT;
    request_error(request, callers ? 400 : 409, "wolfctl status shows the state of every part", "%s", err->text);
}

static void answer_done(struct request *request, const char *what)
{
    struct json json = json_on(&request->answer);
    json_open(&json, '{');
    json_name(&json, "done");
    json_string(&json, what);
    json_close(&json, '}');
}

/* ---- reading ---- */

void verb_health(struct request *request)
{
    const char *dir = request->agent->settings->wal.dir;
    bool writable = access(dir, W_OK | X_OK) == 0;
    if (!writable) {
        request_error(request, 503, "check the disk, its mount and the directory's owner", "the log's directory %s: %s", dir,
                      strerror(errno));
        return;
    }
    struct json json = json_on(&request->answer);
    json_open(&json, '{');
    json_name(&json, "healthy");
    json_bool(&json, true);
    json_name(&json, "version");
    json_string(&json, PACKAGE_VERSION);
    json_close(&json, '}');
}

void verb_ready(struct request *request)
{
    struct report *report = report_take(request->agent);
    struct buf reasons;
    buf_init(&reasons, 1 << 20);
    bool ready = report_ready(report, &reasons);
    request->status = ready ? 200 : 503;
    struct json json = json_on(&request->answer);
    json_open(&json, '{');
    json_name(&json, "ready");
    json_bool(&json, ready);
    json_name(&json, "reasons");
    json_raw(&json, buf_bytes(&reasons));
    json_close(&json, '}');
    buf_fini(&reasons);
    free(report);
}

void verb_status(struct request *request)
{
    struct report *report = report_take(request->agent);
    report_status(report, &request->answer);
    free(report);
}

void verb_stats(struct request *request)
{
    free(report_take(request->agent)); /* the gauges of this moment */
    metrics_json(&request->answer);
}

void verb_metrics(struct request *request)
{
    free(report_take(request->agent));
    request->type = "text/plain; version=0.0.4; charset=utf-8";
    metrics_prometheus(&request->answer);
}

void verb_verbs(struct request *request)
{
    struct json json = json_on(&request->answer);
    json_open(&json, '[');
    for (size_t i = 0; i < verb_count; i++) {
        json_open(&json, '{');
        json_name(&json, "method");
        json_string(&json, verbs[i].method);
        json_name(&json, "path");
        json_string(&json, verbs[i].path);
        json_name(&json, "parameters");
        json_string(&json, verbs[i].parameters);
        json_name(&json, "help");
        json_string(&json, verbs[i].help);
        json_close(&json, '}');
    }
    json_close(&json, ']');
}

/* ---- changing ---- */

void verb_pause(struct request *request)
{
    cdc_pause(request->agent->cdc);
    log_info("control.pause", "part=capture");
    answer_done(request, "capture pauses");
}

void verb_resume(struct request *request)
{
    cdc_resume(request->agent->cdc);
    log_info("control.resume", "part=capture");
    answer_done(request, "capture goes on");
}

static void sink_pause(struct request *request, bool pause)
{
    const char *name = request_param(request, "sink");
    struct err err = {0};
    if (!sinks_pause(request->agent->sinks, name, pause, &err)) {
        answer_err(request, &err);
        return;
    }
    log_info(pause ? "control.pause" : "control.resume", "sink=%s", name ? name : "*");
    answer_done(request, pause ? "delivery pauses" : "delivery goes on");
}

void verb_sink_pause(struct request *request) { sink_pause(request, true); }

void verb_sink_resume(struct request *request) { sink_pause(request, false); }

/* The sink that is meant: the one named, or the only one. NULL: answered. */
static const char *sink_meant(struct request *request)
{
    const char *name = request_param(request, "sink");
    const struct settings *settings = request->agent->settings;
    if (name) return name;
    if (settings->sink_count == 1) return settings->sinks[0].name;
    request_error(request, 400, "name it: sink=NAME", "there are %zu sinks: which one?", settings->sink_count);
    return NULL;
}

void verb_sink_rewind(struct request *request)
{
    const char *name = sink_meant(request), *text = request_param(request, "lsn");
    struct err err = {0};
    if (!name) return;
    char *end = NULL;
    errno = 0;
    unsigned long long lsn = text && *text >= '1' && *text <= '9' ? strtoull(text, &end, 10) : 0;
    if (!lsn || *end || errno) {
        request_error(request, 400, "wolfctl wal find tells the LSN of a time, a GTID or a place in the binlog",
                      "lsn \"%.40s\": allowed is a number from 1", text ? text : "");
        return;
    }
    if (!sinks_rewind(request->agent->sinks, name, lsn, &err)) {
        answer_err(request, &err);
        return;
    }
    log_warning("control.rewind", "sink=%s lsn=%llu", name, lsn);
    answer_done(request, "delivers again from that LSN");
}

void verb_sink_forget(struct request *request)
{
    const char *name = request_param(request, "sink");
    struct err err = {0};
    if (!name) {
        request_error(request, 400, "name it: sink=NAME", "which sink?");
        return;
    }
    if (!sinks_forget(request->agent->sinks, name, &err)) {
        answer_err(request, &err);
        return;
    }
    log_warning("control.forget", "sink=%s", name);
    answer_done(request, "forgotten");
}

void verb_conflict(struct request *request)
{
    const char *name = sink_meant(request), *way = request_param(request, "way");
    struct err err = {0};
    if (!name) return;
    if (!way || (strcmp(way, "skip") && strcmp(way, "overwrite") && strcmp(way, "retry"))) {
        request_error(request, 400, "way=skip, way=overwrite or way=retry", "way \"%.40s\": allowed is skip, overwrite or retry",
                      way ? way : "");
        return;
    }
    if (!sinks_conflict(request->agent->sinks, name, way, &err)) {
        answer_err(request, &err);
        return;
    }
    log_warning("control.conflict", "sink=%s way=%s", name, way);
    answer_done(request, "goes on");
}

/* ---- nodes ---- */

void verb_nodes(struct request *request) { cluster_report(request->agent->sinks, &request->answer); }

static void node_order(struct request *request, enum node_order order, bool any)
{
    const char *node = request_param(request, "node"), *from = request_param(request, "from");
    struct err err = {0};
    if (!node && !any) {
        request_error(request, 400, "name it: node=HOST", "which node?");
        return;
    }
    if (!sinks_node_order(request->agent->sinks, order, node, from, &err)) {
        answer_err(request, &err);
        return;
    }
    answer_done(request, "begun; GET /nodes shows how far it is");
}

void verb_nodes_verify(struct request *request) { node_order(request, NODE_VERIFY, true); }

static bool is_dry(struct request *request)
{
    const char *dry = request_param(request, "dry_run");
    return dry && !strcmp(dry, "1");
}

void verb_nodes_repair(struct request *request) { node_order(request, is_dry(request) ? NODE_REPAIR_DRY : NODE_REPAIR, false); }

void verb_nodes_seed(struct request *request) { node_order(request, is_dry(request) ? NODE_SEED_DRY : NODE_SEED, false); }

void verb_log_level(struct request *request)
{
    const char *name = request_param(request, "level");
    enum log_level level;
    if (!name || !log_level_parse(name, &level)) {
        request_error(request, 400, "level=error, warning, info or debug", "level \"%.40s\": allowed is error, warning, info or debug",
                      name ? name : "");
        return;
    }
    log_set_level(level);
    log_info("control.log_level", "level=%s", name);
    answer_done(request, "log level set");
}
