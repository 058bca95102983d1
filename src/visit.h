/*
 * visit.h: what `wolfctl … --endpoint` shows is drawn from: the cluster as it answers now (survey.h), and what our agent has proven of its rows
 * (its GET /nodes).
 */
#ifndef WOLFCDC_VISIT_H
#define WOLFCDC_VISIT_H
#include <cjson/cJSON.h>

#include "command.h"
#include "json.h"
#include "survey.h"

enum { VISIT_JSON_MAX = 1 << 20, VISIT_NAME_ROOM = NODE_ID_MAX + NODE_HOST_MAX + 4 };

struct agent_view {
    cJSON *all;         /* owned: GET /nodes; NULL: problem */
    char problem[600];
};
struct visit {
    struct survey *survey; /* its first node is the endpoint */
    struct agent_view agent;
};

/* PROGRAM_DONE: visit_end follows. Else an exit code, and it was said why. */
int visit_begin(const struct call *call, struct visit *visit);
void visit_end(struct visit *visit);
/* Says it; the exit code for it. */
int visit_refused(const struct err *err);

void visit_agent(const struct call *call, struct agent_view *view);
/* The agent's entry of a node: by its address, else by its id. NULL: it does not deliver there. Borrowed. */
const cJSON *visit_agent_node(const struct agent_view *view, const char *host, const char *id);
/* That of node i. */
const cJSON *visit_rows(const struct visit *visit, size_t i);
/* "equal", "different: 3 rows", "not known" …, for one column. */
void visit_proof(const struct agent_view *view, const cJSON *node, char *out, size_t room);
/* Up, and its rows not known to be wrong. */
bool visit_node_well(const struct visit *visit, size_t i);
/* Node i in the table of the endpoint; NULL: not there. */
const struct node_peer *visit_table(const struct visit *visit, size_t i);

/* For a person. */
void visit_print_cluster(const struct visit *visit);
void visit_print_trouble(const struct visit *visit, size_t i);
/* For a program: the members that all documents share, into an open object. */
void visit_put(struct json *json, const struct visit *visit);
void visit_put_pair(struct json *json, const char *name, const char *value);
void visit_put_count(struct json *json, const char *name, uint64_t value);
void visit_put_flag(struct json *json, const char *name, bool value);
void visit_put_item(struct json *json, const char *name, const cJSON *item); /* NULL: null */
void visit_print_json(struct buf *out); /* and frees it */

/* Of a cJSON object; "" and 0 where there is none. */
const char *visit_text(const cJSON *in, const char *name);
double visit_number(const cJSON *in, const char *name);
const cJSON *visit_first(const cJSON *in, const char *name); /* element of a list */

#endif
