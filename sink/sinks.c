/* sinks.c: every sink of the configuration: birth and death, the verbs, and the clusters that some are parts of. See sink.h. */
#include "sink_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "discovery.h"
#include "clock.h"
#include "finder.h"
#include "log.h"
#include "roster.h"
#include "metrics.h"
#include "thread.h"

enum { STOP_GRACE_MS = 1500 };

static const struct sink_ops *const kinds[] = {&sink_mysql, &sink_jsonl, &sink_http};

/* ---- birth and death ---- */

static bool find_start(struct sink *sink, uint64_t *lsn, struct err *err)
{
    const char *start = sink->settings->start;
    struct wal_points points;
    wal_points(sink->wal, &points);
    if (sink->begin_at) return *lsn = sink->begin_at, true;
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

/* A node that was added to a cluster which has been delivered to: it needs the others' rows first. */
static bool joins(const struct sink *sink)
{
    char mark[SINK_NAME_MAX + 8];
    uint64_t lsn;
    if (sink->found) return !sink->begin_at;
    if (!sink->settings->cluster || sink->settings->start) return false;
    for (size_t i = 0; i < sink->all->sink_count; i++) {
        const struct sink_settings *other = &sink->all->sinks[i];
        if (other->cluster != sink->settings->cluster || !wal_held(sink->wal, other->name, &lsn)) continue;
        snprintf(mark, sizeof mark, "%s/new", other->name);
        if (!wal_held(sink->wal, mark, &lsn)) return true;
    }
    return false;
}

/* A sink is new until its first confirmation: a second hold, NAME/new, says so across a crash. A node that joins, or was given up, is remembered by
   a hold that keeps nothing: its position row says more once it is seeded. */
bool sink_open_cursor(struct sink *sink, struct err *err)
{
    char mark[SINK_NAME_MAX + 8];
    uint64_t lsn = 0, ignored;
    if (!sink_holds(sink)) return true;
    snprintf(mark, sizeof mark, "%s/new", sink->settings->name);
    sink->is_new = false;
    if (wal_held(sink->wal, sink->settings->name, &lsn)) {
        sink->is_new = wal_held(sink->wal, mark, &ignored);
    } else if (joins(sink)) {
        lsn = WAL_HOLDS_NOTHING;
        if (!wal_hold(sink->wal, sink->settings->name, lsn, err)) return false;
    } else {
        if (!find_start(sink, &lsn, err)) return false;
        if (!wal_hold(sink->wal, mark, lsn, err) || !wal_hold(sink->wal, sink->settings->name, lsn, err)) return false;
        sink->is_new = true;
    }
    struct wal_points points;
    wal_points(sink->wal, &points);
    bool nothing = lsn == WAL_HOLDS_NOTHING;
    sink->held = lsn;
    sink->began = sink->is_new ? lsn : 0;
    sink->delivered = nothing ? points.written : lsn - 1;
    sink->status.lsn = nothing ? 0 : sink->delivered; /* it has nothing before it is seeded, whatever the log holds */
    return true;
}

bool sink_init(struct sink *sink, struct err *err)
{
    const struct sink_settings *s = sink->settings;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kinds[i]->type, s->type) == 0) sink->ops = kinds[i];
    if (s->cluster) sink->ops = s->node < 0 ? &sink_leader : &sink_mysql;
    if (!sink->ops) return err_set(err, ERR_CONFIG, "sink \"%s\": unknown type \"%s\"", s->name, s->type);
    sink->park_at = UINT64_MAX;
    pthread_mutex_init(&sink->lock, NULL);
    thread_cond_init(&sink->wake);
    sink->status.name = s->name;
    sink->status.type = s->type;
    sink->status.cluster = s->cluster;
    sink->status.index = sink->index;
    sink->status.found = sink->found;
    sink->status.since_us = clock_wall_us();
    metrics_name_sink(sink->index, s->name);
    sink->on_filter = s->include.count || s->exclude.count;
    if (sink->on_filter && !filter_new(&s->include, &s->exclude, &sink->filter, err)) return false;
    if (!sink->ops->create(sink, &sink->self, err)) return err_context(err, "sink \"%s\"", s->name);
    return sink_open_cursor(sink, err);
}

void sink_fini(struct sink *sink)
{
    if (sink->ops && sink->self) sink->ops->destroy(sink->self);
    wal_reader_close(sink->reader);
    filter_free(sink->filter);
    if (!sink->ops) return;
    pthread_mutex_destroy(&sink->lock);
    pthread_cond_destroy(&sink->wake);
}

/* The parts of a [[sink]] stand next to each other: its nodes', then its leader's. */
static bool clusters_new(struct sinks *sinks, struct err *err)
{
    for (size_t i = 0; i < sinks->count;) {
        const struct sink_settings *first = sinks->items[i].settings;
        struct sink *members[NODES_LISTED_MAX], *leader = NULL;
        size_t count = first->cluster ? first->nodes.count : 0;
        for (size_t n = 0; n < count; n++) members[n] = &sinks->items[i + n];
        i += count ? count : 1;
        if (!count) continue;
        if (i < sinks->count && sinks->items[i].settings->node < 0) leader = &sinks->items[i++];
        int heard = -1;
        if (first->discovery && !discovery_open(&heard, err)) return err_context(err, "sink \"%s\": discovery", first->cluster);
        struct cluster *cluster = cluster_new(sinks, first, members, leader, finder_new(heard, first->cluster_name));
        sinks->clusters[sinks->cluster_count++] = cluster;
        for (size_t n = 0; n < count; n++) {
            members[n]->cluster = cluster;
            if (leader) sink_forgive(members[n], UINT64_MAX); /* what was pushed and not proven may be there already: see leader.c */
        }
        if (leader) leader->cluster = cluster;
    }
    return true;
}

bool sinks_new(const struct settings *settings, struct wal *wal, struct sinks **out, struct err *err)
{
    struct sinks *sinks = calloc(1, sizeof *sinks);
    if (!sinks) abort();
    sinks->settings = settings;
    sinks->wal = wal;
    pthread_mutex_init(&sinks->lock, NULL);
    bool ok = true;
    for (size_t i = 0; ok && i < settings->sink_count; i++) {
        struct sink *sink = &sinks->items[i];
        sink->all = settings;
        sink->settings = &settings->sinks[i];
        sink->wal = wal;
        sink->index = (unsigned)i;
        sinks->count++;
        ok = sink_init(sink, err);
    }
    if (!ok || !clusters_new(sinks, err)) {
        sinks_free(sinks);
        return false;
    }
    roster_remember(sinks);
    *out = sinks;
    return true;
}

void sink_begin(struct sink *sink)
{
    char name[16];
    snprintf(name, sizeof name, "sink-%.10s", sink->settings->name);
    sink->started = true;
    thread_start(&sink->thread, name, sink_run, sink);
}

void sinks_start(struct sinks *sinks)
{
    pthread_mutex_lock(&sinks->lock);
    sinks->started_us = clock_us();
    sinks->running = true;
    for (size_t i = 0; i < sinks->count; i++) sink_begin(&sinks->items[i]);
    pthread_mutex_unlock(&sinks->lock);
    for (size_t i = 0; i < sinks->cluster_count; i++) cluster_start(sinks->clusters[i]);
}

void sink_wait_finished(struct sink *sink, uint64_t until_us)
{
    pthread_mutex_lock(&sink->lock);
    while (!sink->finished && clock_us() < until_us) thread_wait(&sink->wake, &sink->lock, 50);
    pthread_mutex_unlock(&sink->lock);
}

void sinks_stop(struct sinks *sinks)
{
    uint64_t until = clock_us() + STOP_GRACE_MS * 1000ull; /* for all together */
    pthread_mutex_lock(&sinks->lock);
    sinks->stopping = true; /* no more are born */
    pthread_mutex_unlock(&sinks->lock);
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
        sink_wait_finished(sink, until);
        pthread_mutex_lock(&sink->lock);
        bool finished = sink->finished;
        pthread_mutex_unlock(&sink->lock);
        if (!finished && sink->ops->interrupt) sink->ops->interrupt(sink->self);
    }
    for (size_t i = 0; i < sinks->cluster_count; i++) cluster_stop(sinks->clusters[i]);
    for (size_t i = 0; i < sinks->count; i++) {
        if (!sinks->items[i].started) continue;
        pthread_join(sinks->items[i].thread, NULL);
        sinks->items[i].started = false;
    }
}

void sinks_free(struct sinks *sinks)
{
    if (!sinks) return;
    for (size_t i = 0; i < sinks->cluster_count; i++) cluster_free(sinks->clusters[i]);
    for (size_t i = 0; i < sinks->count; i++) sink_fini(&sinks->items[i]);
    pthread_mutex_destroy(&sinks->lock);
    free(sinks);
}

/* ---- verbs ---- */

size_t sinks_count(const struct sinks *sinks) { return sinks->count; }

/* The index-th of those that are. */
static struct sink *live_at(struct sinks *sinks, size_t index)
{
    for (size_t i = 0; i < sinks->count; i++)
        if (!sink_is_gone(&sinks->items[i]) && index-- == 0) return &sinks->items[i];
    return NULL;
}

bool sinks_status(struct sinks *sinks, size_t index, struct sink_status *status)
{
    struct sink *sink = live_at(sinks, index);
    if (sink) sink_status_of(sink, status);
    return sink;
}

/* `name` NULL: any. */
static bool is_meant(struct sink *sink, const char *name)
{
    return !sink_is_gone(sink) && (!name || sink_is_meant(sink->settings, name));
}

static struct sink *find(struct sinks *sinks, const char *name, struct err *err)
{
    for (size_t i = 0; i < sinks->count; i++)
        if (is_meant(&sinks->items[i], name)) return &sinks->items[i];
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
        if (!is_meant(&sinks->items[i], name)) continue;
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
    enum sink_state state;
    struct sink *sink = NULL;
    for (size_t i = 0; i < sinks->count && !sink; i++)
        if (is_meant(&sinks->items[i], name) && state_of(&sinks->items[i]) == SINK_CONFLICT) sink = &sinks->items[i];
    if (!sink && !name) return err_set(err, ERR_CONFIG, "no sink is in conflict");
    if (!sink && !(sink = find(sinks, name, err))) return false;
    if (!parse_way(text, &way)) return err_set(err, ERR_CONFIG, "\"%s\" is no way out of a conflict: skip, overwrite or retry", text);
    return sink_settle_conflict(sink, way, &state) ||
           err_set(err, ERR_STOP, "sink \"%s\" is not in conflict but %s", sink->settings->name, sink_state_name(state));
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
    for (size_t i = 0; i < sinks->count; i++) {
        struct sink *sink = &sinks->items[i];
        if (sink_is_gone(sink) || strcmp(sink->settings->name, name)) continue;
        if (sink->found) return roster_forget(sinks, sink, err);
        return err_set(err, ERR_CONFIG, "sink \"%s\" is in the configuration: take it out and restart first", name);
    }
    if (!wal_held(sinks->wal, name, &lsn)) return err_set(err, ERR_CONFIG, "the log knows no sink \"%s\"", name);
    snprintf(mark, sizeof mark, "%.120s/new", name);
    if (wal_held(sinks->wal, mark, &lsn) && !wal_release(sinks->wal, mark, err)) return false;
    return wal_release(sinks->wal, name, err);
}

bool sinks_cluster(struct sinks *sinks, size_t index, struct cluster_status *status)
{
    if (index >= sinks->cluster_count) return false;
    cluster_status(sinks->clusters[index], status);
    return true;
}

/* The cluster that has this node: "10.9.0.1", its id, or "SINK@10.9.0.1". */
static struct cluster *cluster_of(struct sinks *sinks, const char *node, int *index, struct err *err)
{
    struct cluster *found = NULL;
    for (size_t i = 0; i < sinks->cluster_count; i++) {
        int at = cluster_node(sinks->clusters[i], node);
        if (at < 0) continue;
        if (found) {
            err_set(err, ERR_CONFIG, "node \"%s\" is in more than one [[sink]]: name it SINK@%s", node, node);
            return NULL;
        }
        found = sinks->clusters[i];
        *index = at;
    }
    if (!found) err_set(err, ERR_CONFIG, "no node \"%s\" in the configuration", node);
    return found;
}

bool sinks_node_order(struct sinks *sinks, enum node_order order, const char *node, const char *from, struct err *err)
{
    int index = -1, source = -1;
    if (!node && order == NODE_VERIFY) {
        for (size_t i = 0; i < sinks->cluster_count; i++)
            if (!cluster_order(sinks->clusters[i], order, -1, -1, err)) return false;
        return sinks->cluster_count || err_set(err, ERR_CONFIG, "no [[sink]] of type \"wolfscale\" in the configuration");
    }
    struct cluster *cluster = cluster_of(sinks, node, &index, err);
    if (!cluster) return false;
    if (from && !strcmp(from, "log")) source = CLUSTER_FROM_LOG;
    else if (from && (source = cluster_node(cluster, from)) < 0)
        return err_set(err, ERR_CONFIG, "no node \"%s\" in the same [[sink]]", from);
    return cluster_order(cluster, order, index, source, err);
}
