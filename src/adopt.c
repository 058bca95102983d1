/*
 * adopt.c: `wolfctl sink adopt`: a new, empty log begins from what the target has, as the position row of a lost log says it.
 * The agent must be stopped: the log's lock makes sure of that.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "command.h"
#include "program.h"

static int failed(const struct err *err)
{
    fprintf(stderr, "wolfctl: %s\n", err->text);
    return err->code == ERR_CONFIG ? PROGRAM_USAGE : err->code == ERR_RETRY || err->code == ERR_DENIED ? PROGRAM_UNREACHABLE
                                                                                                      : PROGRAM_UNMET;
}

/* A mysql sink, or the sinks of a cluster's nodes: each writes its position to its own server. */
struct adopted { size_t count; const struct sink_settings *sinks[SINKS_MAX]; };

static bool keeps_position(const struct sink_settings *sink) { return sink->cluster ? sink->node >= 0 : !strcmp(sink->type, "mysql"); }

static const char *whole_name(const struct sink_settings *sink) { return sink->cluster ? sink->cluster : sink->name; }

/* The sink named, or the only one that can be adopted. */
static bool sinks_meant(const struct settings *settings, const char *name, struct adopted *found, struct err *err)
{
    const char *type = NULL;
    for (size_t i = 0; i < settings->sink_count; i++) {
        const struct sink_settings *sink = &settings->sinks[i];
        if (name && strcmp(whole_name(sink), name)) continue;
        type = sink->type;
        if (!keeps_position(sink)) continue;
        if (found->count && strcmp(whole_name(sink), whole_name(found->sinks[0])))
            return err_set(err, ERR_CONFIG, "there are several sinks: which one? wolfctl sink adopt NAME");
        found->sinks[found->count++] = sink;
    }
    if (found->count) return true;
    if (name && !type) return err_set(err, ERR_CONFIG, "%s: no such sink in this configuration%s", name,
                                      strchr(name, '@') ? " (a cluster is adopted whole, by its own name)" : "");
    return err_set(err, ERR_CONFIG, "%s%s: only mysql and wolfscale sinks keep their position on the target", name ? "type " : "no sink to adopt",
                   name ? type : "");
}

static bool log_is_empty(const struct settings *settings, const struct wal_resume *resume, struct err *err)
{
    if (resume->empty) return true;
    return err_set(err, ERR_STOP,
                   "the log in %s has transactions (up to LSN %llu): adopt is for an empty one. If it is to be given up, move it "
                   "away first", settings->wal.dir, (unsigned long long)resume->last_lsn);
}

static bool adopt(const struct settings *settings, const struct adopted *sinks, struct source_pos *start, struct err *err)
{
    static const struct source_pos nowhere;
    struct wal_options options;
    struct wal_resume resume;
    struct wal *wal = NULL;
    agent_wal_options(&settings->wal, &options);
    bool good = wal_open(&options, &nowhere, &wal, &resume, err) && log_is_empty(settings, &resume, err) &&
                sink_adopt(sinks->sinks, sinks->count, wal_uuid(wal), start, err) && wal_set_start(wal, start, err) &&
                wal_hold(wal, AGENT_ADOPTED, 1, err);
    if (wal) wal_stop(wal);
    wal_close(wal);
    return good;
}

static bool asked(const struct call *call, const struct settings *settings, const struct adopted *sinks, int *status)
{
    char what[900], more[60] = "";
    const struct sink_settings *sink = sinks->sinks[0];
    if (sinks->count > 1) snprintf(more, sizeof more, " and %zu more nodes, the least of them,", sinks->count - 1);
    snprintf(what, sizeof what,
             "The log in %.300s must be empty. It will begin from the position that the target of sink %s (%.200s)%s holds, "
             "and the target will belong to this log from now on; an agent with the former log can no longer deliver to it.",
             settings->wal.dir, whole_name(sink), sink->server.host ? sink->server.host : sink->server.socket, more);
    return command_confirm(call, what, status);
}

int adopt_run(struct call *call)
{
    const char *name = call->count ? call->args[0] : call->sink;
    struct settings *settings = NULL;
    struct source_pos start = {0};
    struct err err = {0};
    char gtids[GTID_SET_TEXT_MAX];
    int status = PROGRAM_DONE;
    if (!settings_read(call->config ? call->config : PROGRAM_CONFIG, &settings, &err)) return failed(&err);
    struct adopted sinks = {0};
    if (!sinks_meant(settings, name, &sinks, &err)) status = failed(&err);
    else if (asked(call, settings, &sinks, &status)) {
        db_library_init();
        if (!adopt(settings, &sinks, &start, &err)) status = failed(&err);
        db_library_end();
        gtid_set_format(&start.gtids, gtids);
        if (!status) printf("adopted: the log begins at %s; start wolfcdc now\n", *gtids ? gtids : "the source's beginning");
    }
    settings_free(settings);
    return status;
}
