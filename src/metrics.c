/*
 * metrics.c: see metrics.h. Everything is a relaxed atomic: a reader may see one counter a moment before another, never a
 * torn one. Histograms have fixed buckets, doubling from 16 µs to 33 s, so that any two agents can be compared.
 */
#include "metrics.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "json.h"
#include "settings.h"

enum { BUCKETS = 22, BUCKET_FIRST_US = 16 };
enum kind { COUNTER, GAUGE, HISTOGRAM };

struct histogram {
    atomic_uint_fast64_t counts[BUCKETS + 1], sum_us; /* the last count: above every bucket */
};
struct description {
    enum kind kind;
    const char *name, *help;
};

static const struct description descriptions[] = {
#define METRIC(id, kind, name, help) {kind, name, help},
#include "metrics.def"
};
static const struct description sink_descriptions[] = {
#define SINK_METRIC(id, kind, name, help) {kind, name, help},
#include "metrics.def"
};
static const char *const kind_names[] = {"counter", "gauge", "histogram"};

static atomic_uint_fast64_t values[METRICS];
static struct histogram histograms[METRICS];
static atomic_uint_fast64_t sink_values[SINKS_MAX][SINK_METRICS];
static struct histogram sink_histograms[SINKS_MAX][SINK_METRICS];
static pthread_mutex_t names_lock = PTHREAD_MUTEX_INITIALIZER;
static char sink_names[SINKS_MAX][SINK_NAME_MAX]; /* under names_lock; "": no such sink, or none any more */

void metric_add(enum metric metric, uint64_t n) { atomic_fetch_add_explicit(&values[metric], n, memory_order_relaxed); }

void metric_set(enum metric metric, uint64_t value) { atomic_store_explicit(&values[metric], value, memory_order_relaxed); }

uint64_t metric_get(enum metric metric) { return atomic_load_explicit(&values[metric], memory_order_relaxed); }

static void observe(struct histogram *histogram, uint64_t us)
{
    unsigned bucket = 0;
    for (uint64_t limit = BUCKET_FIRST_US; bucket < BUCKETS && us > limit; limit *= 2) bucket++;
    atomic_fetch_add_explicit(&histogram->counts[bucket], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->sum_us, us, memory_order_relaxed);
}

void metric_observe_us(enum metric metric, uint64_t us)
{
    assert(descriptions[metric].kind == HISTOGRAM);
    observe(&histograms[metric], us);
}

void sink_metric_add(unsigned sink, enum sink_metric metric, uint64_t n)
{
    assert(sink < SINKS_MAX);
    atomic_fetch_add_explicit(&sink_values[sink][metric], n, memory_order_relaxed);
}

void sink_metric_set(unsigned sink, enum sink_metric metric, uint64_t value)
{
    assert(sink < SINKS_MAX);
    atomic_store_explicit(&sink_values[sink][metric], value, memory_order_relaxed);
}

uint64_t sink_metric_get(unsigned sink, enum sink_metric metric)
{
    assert(sink < SINKS_MAX);
    return atomic_load_explicit(&sink_values[sink][metric], memory_order_relaxed);
}

void sink_metric_observe_us(unsigned sink, enum sink_metric metric, uint64_t us)
{
    assert(sink < SINKS_MAX && sink_descriptions[metric].kind == HISTOGRAM);
    observe(&sink_histograms[sink][metric], us);
}

void metrics_name_sink(unsigned sink, const char *name)
{
    assert(sink < SINKS_MAX);
    pthread_mutex_lock(&names_lock);
    snprintf(sink_names[sink], sizeof sink_names[sink], "%s", name);
    pthread_mutex_unlock(&names_lock);
}

static bool sink_named(unsigned sink, char name[SINK_NAME_MAX])
{
    pthread_mutex_lock(&names_lock);
    memcpy(name, sink_names[sink], SINK_NAME_MAX);
    pthread_mutex_unlock(&names_lock);
    return *name;
}

/* ---- Prometheus text ---- */

static void head(struct buf *out, const struct description *d)
{
    buf_printf(out, "# HELP wolfcdc_%s %s\n# TYPE wolfcdc_%s %s\n", d->name, d->help, d->name, kind_names[d->kind]);
}

/* `label` is empty or sink="name". */
static void histogram_text(struct buf *out, const struct description *d, struct histogram *histogram, const char *label)
{
    const char *comma = *label ? "," : "", *open = *label ? "{" : "", *close = *label ? "}" : "";
    uint64_t total = 0, limit = BUCKET_FIRST_US;
    for (unsigned i = 0; i < BUCKETS; i++, limit *= 2) {
        total += atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
        buf_printf(out, "wolfcdc_%s_bucket{%s%sle=\"%.6f\"} %" PRIu64 "\n", d->name, label, comma, (double)limit / 1e6, total);
    }
    total += atomic_load_explicit(&histogram->counts[BUCKETS], memory_order_relaxed);
    buf_printf(out, "wolfcdc_%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", d->name, label, comma, total);
    buf_printf(out, "wolfcdc_%s_sum%s%s%s %.6f\n", d->name, open, label, close,
               (double)atomic_load_explicit(&histogram->sum_us, memory_order_relaxed) / 1e6);
    buf_printf(out, "wolfcdc_%s_count%s%s%s %" PRIu64 "\n", d->name, open, label, close, total);
}

static void sink_text(struct buf *out, enum sink_metric metric)
{
    const struct description *d = &sink_descriptions[metric];
    char name[SINK_NAME_MAX], label[SINK_NAME_MAX + 8];
    for (unsigned sink = 0; sink < SINKS_MAX; sink++) {
        if (!sink_named(sink, name)) continue;
        snprintf(label, sizeof label, "sink=\"%s\"", name); /* nothing to escape: rules.c, finder.c */
        if (d->kind == HISTOGRAM) histogram_text(out, d, &sink_histograms[sink][metric], label);
        else buf_printf(out, "wolfcdc_%s{%s} %" PRIu64 "\n", d->name, label, sink_metric_get(sink, metric));
    }
}

void metrics_prometheus(struct buf *out)
{
    for (unsigned i = 0; i < METRICS; i++) {
        const struct description *d = &descriptions[i];
        head(out, d);
        if (d->kind == HISTOGRAM) histogram_text(out, d, &histograms[i], "");
        else buf_printf(out, "wolfcdc_%s %" PRIu64 "\n", d->name, metric_get((enum metric)i));
    }
    for (unsigned i = 0; i < SINK_METRICS; i++) {
        head(out, &sink_descriptions[i]);
        sink_text(out, (enum sink_metric)i);
    }
}

/* ---- JSON ---- */

static void histogram_json(struct json *json, struct histogram *histogram)
{
    char seconds[32];
    uint64_t total = 0;
    for (unsigned i = 0; i <= BUCKETS; i++) total += atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
    snprintf(seconds, sizeof seconds, "%.6f", (double)atomic_load_explicit(&histogram->sum_us, memory_order_relaxed) / 1e6);
    json_open(json, '{');
    json_name(json, "count");
    json_unsigned(json, total);
    json_name(json, "sum");
    json_raw(json, slice_text(seconds));
    json_close(json, '}');
}

static void sink_json(struct json *json, unsigned sink, const char *name)
{
    json_name(json, name);
    json_open(json, '{');
    for (unsigned i = 0; i < SINK_METRICS; i++) {
        json_name(json, sink_descriptions[i].name + strlen("sink_"));
        if (sink_descriptions[i].kind == HISTOGRAM) histogram_json(json, &sink_histograms[sink][i]);
        else json_unsigned(json, sink_metric_get(sink, (enum sink_metric)i));
    }
    json_close(json, '}');
}

void metrics_json(struct buf *out)
{
    char name[SINK_NAME_MAX];
    struct json json = json_on(out);
    json_open(&json, '{');
    for (unsigned i = 0; i < METRICS; i++) {
        json_name(&json, descriptions[i].name);
        if (descriptions[i].kind == HISTOGRAM) histogram_json(&json, &histograms[i]);
        else json_unsigned(&json, metric_get((enum metric)i));
    }
    json_name(&json, "sinks");
    json_open(&json, '{');
    for (unsigned sink = 0; sink < SINKS_MAX; sink++)
        if (sink_named(sink, name)) sink_json(&json, sink, name);
    json_close(&json, '}');
    json_close(&json, '}');
}
