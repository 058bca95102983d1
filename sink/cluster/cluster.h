/*
 * cluster.h: private to sink/. A [[sink]] of type wolfscale: the sinks of its nodes (each the mysql sink, with its own position), and what
 * they share: the watch over the cluster (who is there, who leads), the proof that runs all the time, and the operator's orders.
 *
 *   nodes.h    what the nodes say, and the verdict (pure)       row_proof.h  rows of every node against the source's
 *   watch      the cluster's thread: polls, judges, tells      seed.h    a node's data anew; seed_way.h: from the log, or copied
 *   leader.c   delivery = "leader": sink_ops of one more sink  runner.h  sink_park, sink_advance …
 */
#ifndef WOLFCDC_CLUSTER_H
#define WOLFCDC_CLUSTER_H
#include "nodes.h"
#include "runner.h"

struct cluster;

struct finder;
struct sinks;

/* Owned. `first`: any part's settings. leader: NULL with delivery = "nodes". members[] is copied; the finder becomes the cluster's. */
struct cluster *cluster_new(struct sinks *sinks, const struct sink_settings *first, struct sink *const members[], struct sink *leader,
                            struct finder *finder);
void cluster_start(struct cluster *cluster);
void cluster_stop(struct cluster *cluster);
void cluster_free(struct cluster *cluster);

void cluster_status(struct cluster *cluster, struct cluster_status *status);
/* Index of the node that is meant by its host, "host:port", id, or its sink's name; -1: none. */
int cluster_node(struct cluster *cluster, const char *name);
/* from: the index of the donor, -1 (whatever is best) or CLUSTER_FROM_LOG (the log, or not at all). */
enum { CLUSTER_FROM_LOG = -2 };
MUST_CHECK bool cluster_order(struct cluster *cluster, enum node_order order, int node, int from, struct err *err);

/* ---- for roster.c: nodes that nobody listed; under its lock. take and take_back: the watch, or before it runs ---- */
const struct sink_settings *cluster_settings(const struct cluster *cluster); /* of any part that is listed */
bool cluster_has_room(const struct cluster *cluster);
void cluster_take(struct cluster *cluster, struct sink *member, const struct node_address *address);
void cluster_take_back(struct cluster *cluster, struct sink *member);
/* Refused while it answers and another node has it in its /cluster, or an order for it is under way. */
MUST_CHECK bool cluster_leave(struct cluster *cluster, struct sink *member, struct err *err);

/* ---- for the sinks of its parts ---- */
/* The nodes that are, as cluster_look counts them; how many. nodes and changes may be NULL. *changes: another number when others came or went since. */
size_t cluster_members(struct cluster *cluster, struct sink *members[NODES_MAX], struct node_settings nodes[NODES_MAX], unsigned *changes);
/* The latest answers and the verdict, of the nodes that are; waits up to wait_ms for news since *seen (0: any), which is then moved. Returns what *changes
   of cluster_members would be. */
unsigned cluster_look(struct cluster *cluster, uint64_t *seen, uint32_t wait_ms, struct node_answer *answers, struct nodes_verdict *verdict);
/* "leader" or "direct", shown in the status, with the reason and the remedy. */
void cluster_way(struct cluster *cluster, const char *way, const char *reason, const char *remedy);
/* Rows that statements on their way through a leader may still change: every node is to be compared with the source in these tables, whole, and put
   right, as soon as may be. False: not done (why: err). Blocks. */
MUST_CHECK bool cluster_settle(struct cluster *cluster, const struct strings *tables, struct err *err);
/* While the sinks of all nodes rest at one LSN: a DDL statement that came late, after the node had been given what follows it, is put right: a table whose
   definition is not the source's, while another node's is, is made anew as that node's, with its rows; one that is neither on the source nor on most nodes
   is dropped. *made: so many. */
MUST_CHECK bool cluster_redefine(struct cluster *cluster, const struct strings *tables, size_t *made, struct err *err);

#endif
