/* cluster_report.c: see cluster_report.h. */
#include "cluster_report.h"

#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "json.h"

static const char *const proof_words[PROOF_STATES] = {
    [PROOF_OFF] = "off", [PROOF_RUNNING] = "running", [PROOF_EQUAL] = "equal", [PROOF_IN_FLIGHT] = "in_flight",
    [PROOF_DIFFERENT] = "different", [PROOF_UNREADABLE] = "unreadable",
};
static const char *const order_words[ORDER_STATES] = {
    [ORDER_NONE] = "none", [ORDER_WAITING] = "waiting", [ORDER_RUNNING] = "running", [ORDER_DONE] = "done", [ORDER_FAILED] = "failed",
};

static void text(struct json *json, const char *name, const char *value)
{
    json_name(json, name);
    json_string(json, value);
}

static void number(struct json *json, const char *name, uint64_t value)
{
    json_name(json, name);
    json_unsigned(json, value);
}

static void put_proof(struct json *json, const struct proof_status *p)
{
    char finished[32] = "";
    if (p->finished_us) clock_format(p->finished_us, finished);
    json_open(json, '{');
    text(json, "state", proof_words[p->state]);
    number(json, "round", p->round);
    number(json, "tables", p->tables);
    number(json, "rows", p->rows);
    number(json, "differences", p->differences);
    number(json, "in_flight", p->in_flight);
    text(json, "finished", finished);
    text(json, "reason", p->reason);
    json_close(json, '}');
}

static void put_node(struct json *json, const struct node_status *n)
{
    char gtid[GTID_TEXT_MAX] = "", seconds[40];
    const struct sink_status *d = &n->delivery;
    if (d->gtid.seq) gtid_format(&d->gtid, gtid);
    snprintf(seconds, sizeof seconds, "%.3f", d->lag_seconds);
    json_open(json, '{');
    text(json, "node", n->node);
    text(json, "sink", n->sink);
    json_name(json, "found");
    json_bool(json, n->found);
    text(json, "id", n->id);
    text(json, "role", n->role);
    text(json, "state", n->state);
    text(json, "reason", n->reason);
    text(json, "remedy", n->remedy);
    text(json, "leader_seen", n->leader_seen);
    number(json, "wolfscale_lsn", n->wolfscale_lsn);
    number(json, "answer_ms", n->answer_ms);
    number(json, "position", d->lsn);
    text(json, "gtid", gtid);
    json_name(json, "lag_seconds");
    json_raw(json, slice_text(seconds));
    number(json, "lag_bytes", d->lag_bytes);
    text(json, "sink_state", sink_state_name(d->state));
    text(json, "sink_reason", d->reason);
    text(json, "sink_remedy", d->remedy);
    number(json, "long_locks", d->long_locks);
    json_name(json, "proof");
    put_proof(json, &n->proof);
    text(json, "order", order_words[n->order]);
    text(json, "order_text", n->order_text);
    json_close(json, '}');
}

void cluster_report(struct sinks *sinks, struct buf *out)
{
    struct cluster_status *c = malloc(sizeof *c);
    struct json json = json_on(out);
    if (!c) abort();
    json_open(&json, '{');
    json_name(&json, "clusters");
    json_open(&json, '[');
    for (size_t i = 0; sinks_cluster(sinks, i, c); i++) {
        json_open(&json, '{');
        text(&json, "sink", c->sink);
        text(&json, "delivery", c->delivery);
        text(&json, "way", c->way);
        text(&json, "state", c->state);
        text(&json, "leader", c->leader);
        text(&json, "reason", c->reason);
        text(&json, "remedy", c->remedy);
        json_name(&json, "nodes");
        json_open(&json, '[');
        for (size_t n = 0; n < c->count; n++) put_node(&json, &c->nodes[n]);
        json_close(&json, ']');
        json_close(&json, '}');
    }
    json_close(&json, ']');
    json_close(&json, '}');
    free(c);
}
