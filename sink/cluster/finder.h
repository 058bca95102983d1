/*
 * finder.h: private to sink/. Nodes that are in the cluster's own tables, or announce themselves, and that nobody listed. Being mentioned is a hint
 * only; each is asked itself, and is found when for FINDER_STABLE_MS in a row the cluster would, with it in, be led by one leader and have it
 * Active: so none of a foreign or split cluster, no load balancer, none that comes and goes. Its ports are the usual ones.
 *
 * One thread: the cluster's watch. Nothing here waits.
 */
#ifndef WOLFCDC_FINDER_H
#define WOLFCDC_FINDER_H
#include "nodes.h"

enum {
    FINDER_STABLE_MS = 3000,
    FINDER_HEARD_MS = 10000, /* an announcement is good for so long: they come every 2 s */
    FINDER_SCOUTS = 8        /* asked at a time */
};

struct finder;

/* announcements: a descriptor of discovery_open, now the finder's, or -1. cluster_name is borrowed; "": any. */
struct finder *finder_new(int announcements, const char *cluster_name);
void finder_free(struct finder *finder);
/* With what the known nodes say now. True: this one (borrowed until the next call) is to be taken up, and says this; it is named again after
   FINDER_STABLE_MS if it is not among the addresses by then. */
bool finder_step(struct finder *finder, const struct node_address *addresses, const struct node_answer *answers, size_t count, uint64_t now_us,
                 struct node_address *found, struct node_answer *answer);

/* ---- pure ---- */

/* Whether the cluster with this node in is led, and the node Active in it. */
bool finder_would_do(const struct node_address *addresses, const struct node_answer *answers, size_t count, const struct node_address *more,
                     const struct node_answer *answer, uint64_t now_us);
/* Whether some node is listed by a name and has not answered since we run: any node that is found could be that one. */
bool finder_unplaced(const struct node_address *addresses, const struct node_answer *answers, size_t count);
/* A host that may stand in a sink's name, a metric's label and a line of the log. */
bool finder_host_valid(const char *host);

#endif
