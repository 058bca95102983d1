/* show.c: see show.h. */
#include "show.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const red = "\033[31m", *const green = "\033[32m", *const yellow = "\033[33m", *const plain = "\033[0m";

struct screen {
    FILE *out;
    bool colours;
};

bool show_colours(FILE *out)
{
    const char *none = getenv("NO_COLOR");
    return isatty(fileno(out)) && (!none || !*none);
}

static cJSON *document(struct slice json) { return cJSON_ParseWithLength((const char *)json.data, json.size); }

static const char *text(const cJSON *in, const char *name)
{
    const char *found = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(in, name));
    return found ? found : "";
}

/* First element of a list. */
static const cJSON *first(const cJSON *in, const char *name)
{
    const cJSON *list = cJSON_GetObjectItemCaseSensitive(in, name);
    return list ? list->child : NULL;
}

static double number(const cJSON *in, const char *name)
{
    const cJSON *found = cJSON_GetObjectItemCaseSensitive(in, name);
    return cJSON_IsNumber(found) ? found->valuedouble : 0;
}

static bool truth(const cJSON *in, const char *name) { return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(in, name)); }

static const char *paint(const struct screen *s, const char *colour) { return s->colours ? colour : ""; }

/* ---- units ---- */

static void bytes_text(double bytes, char out[32])
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
    size_t unit = 0;
    for (; bytes >= 1024 && unit + 1 < sizeof units / sizeof *units; unit++) bytes /= 1024;
    snprintf(out, 32, unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
}

static void time_text(double seconds, char out[48])
{
    uint64_t s = seconds < 0 ? 0 : (uint64_t)seconds;
    if (s >= 86400) snprintf(out, 48, "%" PRIu64 " d %" PRIu64 " h", s / 86400, s / 3600 % 24);
    else if (s >= 3600) snprintf(out, 48, "%" PRIu64 " h %" PRIu64 " min", s / 3600, s / 60 % 60);
    else if (s >= 60) snprintf(out, 48, "%" PRIu64 " min %" PRIu64 " s", s / 60, s % 60);
    else snprintf(out, 48, "%.1f s", seconds);
}

/* ---- status ---- */

/* States by colour; what is not here needs someone. */
static const struct {
    const char *state;
    bool fine;
} states[] = {{"streaming", true}, {"idle", true}, {"connecting", false}, {"retrying", false}, {"throttled", false},
              {"paused", false}, {"unproven", false}, {"stalled", false}};

static const char *state_colour(const char *state)
{
    for (size_t i = 0; i < sizeof states / sizeof *states; i++)
        if (!strcmp(states[i].state, state)) return states[i].fine ? green : yellow;
    return red;
}

static void trouble(const struct screen *s, const cJSON *part)
{
    const char *colour = state_colour(text(part, "state"));
    if (*text(part, "reason")) fprintf(s->out, "  %swhy%s       %s\n", paint(s, colour), paint(s, plain), text(part, "reason"));
    if (*text(part, "remedy")) fprintf(s->out, "  %sremedy%s    %s\n", paint(s, colour), paint(s, plain), text(part, "remedy"));
}

static void state_line(const struct screen *s, const char *what, const cJSON *part)
{
    const char *state = text(part, "state");
    fprintf(s->out, "%s  %s%s%s since %.19s", what, paint(s, state_colour(state)), state, paint(s, plain), text(part, "since"));
    if (*text(part, "server")) fprintf(s->out, "  %s", text(part, "server"));
    if (*text(part, "version")) fprintf(s->out, " (%s)", text(part, "version"));
    fputc('\n', s->out);
}

/* Prepared XA transactions, the oldest first. */
static void show_xa(const struct screen *s, const cJSON *source)
{
    const cJSON *one = first(source, "xa");
    char age[48];
    if (!one) return;
    time_text(number(one, "age_seconds"), age);
    fprintf(s->out, "  %sXA        %.0f prepared, their rows wait in the log; the oldest for %s: %s (%.0f rows)%s\n", paint(s, yellow),
            number(source, "xa_prepared"), age, text(one, "xid"), number(one, "rows"), paint(s, plain));
}

static void show_source(const struct screen *s, const cJSON *source)
{
    char bytes[32], lag[48], purge[48];
    bytes_text(number(source, "bytes"), bytes);
    time_text(number(source, "lag_seconds"), lag);
    state_line(s, "source", source);
    trouble(s, source);
    fprintf(s->out, "  position  %s  %s:%.0f%s\n", *text(source, "gtids") ? text(source, "gtids") : "-", text(source, "file"),
            number(source, "pos"), truth(source, "tls") ? "  TLS" : "");
    fprintf(s->out, "  taken     %.0f transactions, %.0f rows, %s; lag %s\n", number(source, "transactions"), number(source, "rows"),
            bytes, lag);
    show_xa(s, source);
    if (number(source, "purge_seconds") < 0) return;
    time_text(number(source, "purge_seconds"), purge);
    fprintf(s->out, "  %sthe source purges what is still needed in %s%s\n", paint(s, yellow), purge, paint(s, plain));
}

static void show_wal(const struct screen *s, const cJSON *wal)
{
    char bytes[32], room[32];
    bytes_text(number(wal, "bytes"), bytes);
    bytes_text(number(wal, "free_bytes"), room);
    fprintf(s->out, "log     %s  %s in %.0f segments, %s free\n", text(wal, "dir"), bytes, number(wal, "segments"), room);
    fprintf(s->out, "  LSN       %.0f to %.0f, durable %.0f\n", number(wal, "first_lsn"), number(wal, "written_lsn"),
            number(wal, "durable_lsn"));
    if (*text(wal, "paused"))
        fprintf(s->out, "  %sheld%s      %s\n", paint(s, red), paint(s, plain), text(wal, "paused"));
}

static void show_sink(const struct screen *s, const cJSON *sink)
{
    char what[160], lag[48], behind[32];
    snprintf(what, sizeof what, "sink    %.70s", text(sink, "name"));
    time_text(number(sink, "lag_seconds"), lag);
    bytes_text(number(sink, "lag_bytes"), behind);
    state_line(s, what, sink);
    trouble(s, sink);
    if (number(sink, "attempts") > 1) fprintf(s->out, "  tried     %.0f times in a row\n", number(sink, "attempts"));
    fprintf(s->out, "  has       %s  LSN %.0f\n", *text(sink, "gtid") ? text(sink, "gtid") : "-", number(sink, "lsn"));
    fprintf(s->out, "  lag       %s, %.0f transactions, %s\n", lag, number(sink, "lag_transactions"), behind);
    fprintf(s->out, "  applied   %.0f transactions, %.0f rows, %.0f statements; %.0f rollbacks, %.0f conflicts\n",
            number(sink, "transactions"), number(sink, "rows"), number(sink, "statements"), number(sink, "rollbacks"),
            number(sink, "conflicts"));
    if (number(sink, "ddl_skipped") > 0) fprintf(s->out, "  left out  %.0f DDL statements in words that the target does not take\n", number(sink, "ddl_skipped"));
    if (*text(sink, "held_back")) fprintf(s->out, "  held back for the cutover: %s\n", text(sink, "held_back"));
}

bool show_status(FILE *out, struct slice json, bool colours)
{
    struct screen s = {out, colours};
    char up[48];
    cJSON *all = document(json);
    if (!cJSON_IsObject(all)) {
        cJSON_Delete(all);
        return false;
    }
    bool ready = truth(all, "ready");
    time_text(number(all, "uptime_seconds"), up);
    fprintf(out, "wolfcdc %s  %s%s%s  up %s, pid %.0f, %s\n", text(all, "version"), paint(&s, ready ? green : red),
            ready ? "ready" : "not ready", paint(&s, plain), up, number(all, "pid"), text(all, "config"));
    show_source(&s, cJSON_GetObjectItemCaseSensitive(all, "source"));
    show_wal(&s, cJSON_GetObjectItemCaseSensitive(all, "wal"));
    for (const cJSON *sink = first(all, "sinks"); sink; sink = sink->next) show_sink(&s, sink);
    cJSON_Delete(all);
    return true;
}

/* ---- the others ---- */

static void stats_of(FILE *out, const cJSON *in, const char *prefix)
{
    for (const cJSON *item = in ? in->child : NULL; item; item = item->next) {
        const cJSON *sum = cJSON_GetObjectItemCaseSensitive(item, "sum");
        if (cJSON_IsNumber(item)) fprintf(out, "%s%-36s %.0f\n", prefix, item->string, item->valuedouble);
        else if (sum) fprintf(out, "%s%-36s %.0f times, %.6f s in all\n", prefix, item->string, number(item, "count"), sum->valuedouble);
        else if (cJSON_IsObject(item)) {
            fprintf(out, "%s%s:\n", prefix, item->string);
            stats_of(out, item, !strcmp(item->string, "sinks") ? "  " : "    ");
        }
    }
}

bool show_stats(FILE *out, struct slice json)
{
    cJSON *all = document(json);
    bool good = cJSON_IsObject(all);
    if (good) stats_of(out, all, "");
    cJSON_Delete(all);
    return good;
}

bool show_ready(FILE *out, struct slice json, bool colours)
{
    struct screen s = {out, colours};
    cJSON *all = document(json);
    bool good = cJSON_IsObject(all), ready = truth(all, "ready");
    if (good) fprintf(out, "%s%s%s\n", paint(&s, ready ? green : red), ready ? "ready" : "not ready", paint(&s, plain));
    for (const cJSON *reason = first(all, "reasons"); reason; reason = reason->next) fprintf(out, "  %s\n", cJSON_GetStringValue(reason));
    cJSON_Delete(all);
    return good;
}

bool show_done(FILE *out, struct slice json)
{
    cJSON *all = document(json);
    const cJSON *waited = cJSON_GetObjectItemCaseSensitive(all, "waited_ms");
    bool good = cJSON_IsObject(all);
    if (good) fputs(text(all, "done"), out);
    if (good && *text(all, "gtids")) fprintf(out, ": %s", text(all, "gtids"));
    if (waited) fprintf(out, " after %.3f s", waited->valuedouble / 1000);
    if (good) fputc('\n', out);
    cJSON_Delete(all);
    return good;
}

void show_error(FILE *out, struct slice json)
{
    cJSON *all = document(json);
    if (*text(all, "error")) fprintf(out, "wolfctl: %s\n", text(all, "error"));
    else fprintf(out, "wolfctl: not an answer of wolfcdc: %.*s\n", json.size < 200 ? (int)json.size : 200, (const char *)json.data);
    if (*text(all, "remedy")) fprintf(out, "  remedy: %s\n", text(all, "remedy"));
    cJSON_Delete(all);
}
