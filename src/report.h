/*
 * report.h: what the agent says about itself: ready or not, and why; everything as JSON. Pure but for report_take, so that it is
 * tested without an agent.
 */
#ifndef WOLFCDC_REPORT_H
#define WOLFCDC_REPORT_H
#include "cdc.h"
#include "sink.h"
#include "wal.h"

struct agent;

enum { REPORT_XA_MAX = 100 };

struct report { /* one moment */
    const char *config, *dir;
    uint64_t now_us, started_us, source_lag_seconds;
    long pid;
    struct cdc_status source;
    struct wal_status wal;
    size_t prepared_count;      /* of XA; the first REPORT_XA_MAX are here */
    struct wal_prepared prepared[REPORT_XA_MAX];
    size_t sink_count;
    struct sink_status sinks[SINKS_MAX];
};

/* Owned (free). Borrows the settings' texts. Also brings the gauges that follow from it up to date. */
struct report *report_take(struct agent *agent);
/* Writes the reasons why it is not ready as a JSON list; true when there are none. */
bool report_ready(const struct report *report, struct buf *reasons);
void report_status(const struct report *report, struct buf *out);
/* One line for systemd and the journal. */
void report_line(const struct report *report, char *text, size_t room);
/* Whether that state means "goes on by itself". */
bool report_source_well(enum cdc_state state);
bool report_sink_well(enum sink_state state);

#endif
