/* roster.c: see roster.h. */
#include "roster.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "finder.h"
#include "log.h"
#include "metrics.h"
#include "sink_state.h"

enum { FORGET_GRACE_MS = 1500 };

/* ---- being born ---- */

/* Where every listed node of the cluster began, if all of that is in this run and in the log. */
static uint64_t young_lsn(struct sinks *sinks, const char *cluster)
{
    struct wal_points points;
    uint64_t lsn = 0;
    if (!sinks->running || clock_us() - sinks->started_us > ROSTER_YOUNG_MS * 1000ull) return 0;
    for (size_t i = 0; i < sinks->count; i++) {
        const struct sink *other = &sinks->items[i];
        if (other->found || !other->settings->cluster || strcmp(other->settings->cluster, cluster) || !sink_holds(other)) continue;
        if (!other->began || (lsn && other->began != lsn)) return 0;
        lsn = other->began;
    }
    wal_points(sinks->wal, &points);
    return points.first <= lsn ? lsn : 0;
}

/* What its [[sink]] says, with the node's own name and server. */
static void settings_fill(struct sinks *sinks, size_t index, const struct sink_settings *whole, const struct node_address *address)
{
    struct sink_settings *s = &sinks->found[index].settings;
    char *name = sinks->found[index].name, *host = sinks->found[index].host;
    snprintf(host, sizeof sinks->found[index].host, "%s", address->host);
    struct node_settings node = {host, address->port, address->api_port, address->proxy_port};
    cluster_part_name(whole->cluster, &node, name, sizeof sinks->found[index].name);
    *s = *whole;
    s->name = name;
    s->node = (int)whole->nodes.count; /* behind the listed */
    s->start = NULL;
    s->server.host = host;
    s->server.port = address->port;
}

static struct sink *named(struct sinks *sinks, const char *name)
{
    for (size_t i = 0; i < sinks->count; i++)
        if (!strcmp(sinks->items[i].settings->name, name)) return &sinks->items[i];
    return NULL;
}

static bool be_born(struct sinks *sinks, struct cluster *cluster, const struct node_address *address, struct err *err)
{
    const struct sink_settings *whole = cluster_settings(cluster);
    size_t index = sinks->count;
    if (index == SINKS_MAX) return err_set(err, ERR_LIMIT, "there are %d sinks already", SINKS_MAX);
    settings_fill(sinks, index, whole, address);
    struct sink *sink = &sinks->items[index];
    sink->all = sinks->settings;
    sink->settings = &sinks->found[index].settings;
    sink->wal = sinks->wal;
    sink->index = (unsigned)index;
    sink->found = true;
    sink->begin_at = young_lsn(sinks, whole->cluster);
    sink->cluster = cluster;
    if (!sink_init(sink, err)) {
        metrics_name_sink(sink->index, "");
        sink_fini(sink);
        memset(sink, 0, sizeof *sink);
        return false;
    }
    cluster_take(cluster, sink, address);
    sinks->count++; /* it is whole */
    if (sinks->running) sink_begin(sink);
    return true;
}

/* Its thread has ended; nothing of it but its lock was touched since. */
static bool come_back(struct sinks *sinks, struct sink *sink, struct err *err)
{
    pthread_mutex_lock(&sink->lock);
    sink->begin_at = 0;
    bool ok = sink_open_cursor(sink, err);
    sink->stop = sink->finished = sink->conflict_found = sink->status.lost_position = false;
    sink->attempt = 0;
    pthread_mutex_unlock(&sink->lock);
    if (!ok) return false;
    metrics_name_sink(sink->index, sink->settings->name);
    cluster_take_back(sink->cluster, sink);
    atomic_store(&sink->forgotten, false);
    if (sinks->running) sink_begin(sink);
    return true;
}

/* Under lock. */
static bool take(struct sinks *sinks, struct cluster *cluster, const struct node_address *address, struct err *err)
{
    char name[SINK_NAME_MAX];
    struct node_settings node = {address->host, address->port, address->api_port, address->proxy_port};
    const char *whole = cluster_settings(cluster)->cluster;
    if (cluster_part_name(whole, &node, name, sizeof name) >= sizeof name)
        return err_set(err, ERR_LIMIT, "\"%s\" and this host are together longer than %d bytes", whole, SINK_NAME_MAX - 1);
    struct sink *known = named(sinks, name);
    if (!known && !cluster_has_room(cluster)) return err_set(err, ERR_LIMIT, "the cluster has %d nodes already", NODES_MAX);
    if (!known) return be_born(sinks, cluster, address, err);
    if (sink_is_gone(known)) return come_back(sinks, known, err);
    return err_set(err, ERR_CONFIG, "there is a sink of this name already");
}

bool roster_take(struct sinks *sinks, struct cluster *cluster, const struct node_address *address)
{
    struct err err = {0};
    pthread_mutex_lock(&sinks->lock);
    bool ok = !sinks->stopping && take(sinks, cluster, address, &err);
    pthread_mutex_unlock(&sinks->lock);
    const char *name = cluster_settings(cluster)->cluster;
    if (ok)
        log_info("cluster.found", "sink=%s node=%s text=\"it is in the cluster and not listed in nodes: taken up\"", name, address->host);
    else if (err.code)
        log_warning("cluster.found", "sink=%s node=%s text=\"it is in the cluster, but cannot be taken up\" reason=\"%s\"", name, address->host, err.text);
    return ok;
}

/* ---- being remembered ---- */

static bool same_address(const struct addrinfo *a, const struct addrinfo *b)
{
    for (const struct addrinfo *x = a; x; x = x->ai_next)
        for (const struct addrinfo *y = b; y; y = y->ai_next)
            if (x->ai_addrlen == y->ai_addrlen && !memcmp(x->ai_addr, y->ai_addr, x->ai_addrlen)) return true;
    return false;
}

static bool same_host(const char *a, const char *b)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *x = NULL, *y = NULL;
    bool same = !strcasecmp(a, b) ||
                (!getaddrinfo(a, NULL, &hints, &x) && !getaddrinfo(b, NULL, &hints, &y) && same_address(x, y));
    if (x) freeaddrinfo(x);
    if (y) freeaddrinfo(y);
    return same;
}

/* It may have been listed since, under a name: then that one's sink delivers to it, from where its position row says. */
static bool is_listed_now(struct sinks *sinks, const struct sink_settings *whole, const char *host, const char *name)
{
    struct err err = {0};
    for (size_t i = 0; i < whole->nodes.count; i++) {
        if (!same_host(whole->nodes.items[i].host, host)) continue;
        log_info("cluster.found", "sink=%s node=%s text=\"it is listed now, as %s\"", whole->cluster, host, whole->nodes.items[i].host);
        if (!wal_release(sinks->wal, name, &err)) log_warning("sink.hold", "sink=%s error=\"%s\"", name, err.text);
        return true;
    }
    return false;
}

/* "SINK@HOST" of this cluster, that is not in the configuration. */
static bool is_member(struct sinks *sinks, const struct sink_settings *whole, const char *name, const char **host)
{
    size_t size = strlen(whole->cluster);
    if (strncmp(name, whole->cluster, size) || name[size] != '@' || strchr(name, '/') || named(sinks, name)) return false;
    *host = name + size + 1;
    const char *colon = strchr(*host, ':');
    if (colon && !strchr(colon + 1, ':')) return false; /* with a port of its own: was listed once, and where its API is, nobody knows */
    return finder_host_valid(*host);
}

static void remember(struct sinks *sinks, struct cluster *cluster)
{
    const struct sink_settings *whole = cluster_settings(cluster);
    char names[NODES_MAX][WAL_HOLD_NAME_MAX], name[WAL_HOLD_NAME_MAX];
    const char *host;
    size_t count = 0;
    struct err err = {0};
    for (size_t i = 0; count < NODES_MAX && wal_hold_at(sinks->wal, i, name, sizeof name); i++)
        if (is_member(sinks, whole, name, &host)) memcpy(names[count++], name, sizeof name);
    for (size_t i = 0; i < count; i++) {
        host = strchr(names[i], '@') + 1;
        struct node_address address = {host, NODE_PORT_DB, NODE_PORT_API, NODE_PORT_PROXY};
        if (is_listed_now(sinks, whole, host, names[i])) continue;
        if (!take(sinks, cluster, &address, &err))
            log_warning("cluster.found", "sink=%s node=%s text=\"it was found before, but cannot be taken up\" reason=\"%s\"", whole->cluster, host, err.text);
        else log_info("cluster.found", "sink=%s node=%s text=\"found by a run before this one\"", whole->cluster, host);
    }
}

void roster_remember(struct sinks *sinks)
{
    pthread_mutex_lock(&sinks->lock);
    for (size_t i = 0; i < sinks->cluster_count; i++) remember(sinks, sinks->clusters[i]);
    pthread_mutex_unlock(&sinks->lock);
}

/* ---- being forgotten ---- */

static void end_thread(struct sink *sink)
{
    pthread_mutex_lock(&sink->lock);
    sink->stop = true;
    pthread_cond_broadcast(&sink->wake);
    pthread_mutex_unlock(&sink->lock);
    if (!sink->started) return;
    sink_wait_finished(sink, clock_us() + FORGET_GRACE_MS * 1000ull);
    if (sink->ops->interrupt) sink->ops->interrupt(sink->self);
    pthread_join(sink->thread, NULL);
    sink->started = false;
}

static bool drop_holds(struct sink *sink, struct err *err)
{
    char mark[SINK_NAME_MAX + 8];
    uint64_t lsn;
    snprintf(mark, sizeof mark, "%s/new", sink->settings->name);
    if (wal_held(sink->wal, mark, &lsn) && !wal_release(sink->wal, mark, err)) return false;
    return !wal_held(sink->wal, sink->settings->name, &lsn) || wal_release(sink->wal, sink->settings->name, err);
}

bool roster_forget(struct sinks *sinks, struct sink *sink, struct err *err)
{
    pthread_mutex_lock(&sinks->lock);
    bool ok = !sinks->stopping && !sink_is_gone(sink);
    if (!ok) err_set(err, ERR_STOP, "it is going already");
    ok = ok && cluster_leave(sink->cluster, sink, err);
    if (ok) {
        end_thread(sink);
        atomic_store(&sink->forgotten, true);
        metrics_name_sink(sink->index, "");
        ok = drop_holds(sink, err);
        log_info("cluster.forgotten", "sink=%s node=%s", cluster_settings(sink->cluster)->cluster, sink->settings->server.host);
    }
    pthread_mutex_unlock(&sinks->lock);
    return ok;
}
