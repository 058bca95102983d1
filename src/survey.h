/*
 * survey.h: a look at a WolfScale cluster from outside, once: for wolfctl. Whoever is given is asked, then whoever they have in their tables,
 * and the answers are judged (nodes.h).
 */
#ifndef WOLFCDC_SURVEY_H
#define WOLFCDC_SURVEY_H
#include "nodes.h"

struct survey {
    size_t count, given; /* the first `given` were named by the operator */
    struct node_address addresses[NODES_MAX]; /* hosts are those below */
    char hosts[NODES_MAX][NODE_HOST_MAX];
    struct node_answer answers[NODES_MAX];
    struct nodes_verdict verdict;
};

/* Owned: free(). */
struct survey *survey_new(void);
/* One more node that the operator named. ERR_LIMIT: too many; ERR_CONFIG: the same twice. */
MUST_CHECK bool survey_add(struct survey *survey, const struct node_address *node, struct err *err);
/* Asks all of them, and those that they name: ports are then the first one's, as no node publishes them. Goes on for watch_ms after every
   node was asked, so that a leader that changes is seen. Takes NODE_GONE_MS at least when one is silent. */
void survey_run(struct survey *survey, uint32_t watch_ms);
/* "node-1 (10.9.0.1)", or the host alone while it has not said its id. */
const char *survey_name(const struct survey *survey, size_t i, char *out, size_t room);

#endif
