/*
 * roster.h: private to sink/. Nodes of a cluster that nobody listed: each becomes a sink "SINK@HOST" while the agent runs, behind those of the
 * configuration, and is remembered by its hold on the log. One that joins a cluster which has been delivered to has nothing until it is seeded, and
 * its hold keeps nothing until then. Found within YOUNG_MS of the first start of all, it begins where the listed ones began.
 *
 *   found (finder.h) ─► roster_take ─► a sink and its thread, the watch asks it, the proof compares it
 *   agent starts     ─► roster_remember: its hold says that it was one
 *   wolfctl sink forget SINK@HOST ─► roster_forget: its thread ends, its hold goes. It keeps its index, and comes back to it if it is found again
 */
#ifndef WOLFCDC_ROSTER_H
#define WOLFCDC_ROSTER_H
#include "nodes.h"
#include "sink.h"

struct cluster;
struct sink;

enum { ROSTER_YOUNG_MS = 60000 };

/* The cluster's watch only. False: it could not be (why was logged), or the agent stops. */
bool roster_take(struct sinks *sinks, struct cluster *cluster, const struct node_address *address);
/* Before any thread: those that holds in the log's directory tell of. */
void roster_remember(struct sinks *sinks);
/* Any thread. Refused while it is in the cluster. */
MUST_CHECK bool roster_forget(struct sinks *sinks, struct sink *sink, struct err *err);

#endif
