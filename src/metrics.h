/*
 * metrics.h: counters, gauges and histograms, one table in metrics.def: METRIC(id, kind, name, unit-bearing help).
 * Global on purpose. Atomics, relaxed. Per-sink figures carry the sink's index and are shown with sink="name".
 * Prometheus text and JSON are both made from the table.
 */
#ifndef WOLFCDC_METRICS_H
#define WOLFCDC_METRICS_H
#include "buf.h"

enum metric { /* METRIC_RECEIVED_EVENTS … from metrics.def */
#define METRIC(id, kind, name, help) METRIC_##id,
#include "metrics.def"
    METRICS
};
enum sink_metric { /* SINK_METRIC_APPLIED_ROWS … */
#define SINK_METRIC(id, kind, name, help) SINK_METRIC_##id,
#include "metrics.def"
    SINK_METRICS
};
void metric_add(enum metric metric, uint64_t n);
void metric_set(enum metric metric, uint64_t value);
uint64_t metric_get(enum metric metric);
void metric_observe_us(enum metric metric, uint64_t us); /* histograms: fixed exponential buckets, seconds on output */
void sink_metric_add(unsigned sink, enum sink_metric metric, uint64_t n);
void sink_metric_set(unsigned sink, enum sink_metric metric, uint64_t value);
uint64_t sink_metric_get(unsigned sink, enum sink_metric metric);
void sink_metric_observe_us(unsigned sink, enum sink_metric metric, uint64_t us);
void metrics_name_sink(unsigned sink, const char *name); /* any thread; "": it is no longer shown */
void metrics_prometheus(struct buf *out);
/* One object: {"received_events_total":7,…,"sinks":{"new":{…}}}; a histogram is {"count","sum"}, in seconds. */
void metrics_json(struct buf *out);

#endif
