/* leader_watch.c: whether the cluster is still as it was when the way through its leader was taken; every wait of the other parts looks here. */
#include "leader.h"

#include <string.h>

#include "clock.h"

enum { LOOK_US = 100000, AWAIT_MS = 100 };

bool lead_look(struct leader *l, uint32_t wait_ms)
{
    l->changed = cluster_look(l->cluster, &l->seen, wait_ms, l->answers, &l->verdict) != l->changes;
    l->looked_us = clock_us();
    return !l->changed && l->verdict.state == CLUSTER_LED && l->verdict.whole;
}

bool lead_unfit(struct leader *l, struct err *err)
{
    const struct nodes_verdict *v = &l->verdict;
    if (l->changed) return err_set(err, ERR_RETRY, "the cluster has got or lost a node");
    if (v->state != CLUSTER_LED)
        return err_set(err, ERR_RETRY, "%s%s%s", cluster_state_name(v->state), *v->reason ? ": " : "", v->reason);
    for (size_t i = 0; i < l->count; i++)
        if (v->nodes[i].state != NODE_UP && v->nodes[i].state != NODE_LAGGING)
            return err_set(err, ERR_RETRY, "node %s is %s: %s", l->nodes[i].name, node_state_name(v->nodes[i].state), v->nodes[i].reason);
    return err_set(err, ERR_RETRY, "not every node is active in the leader's table%s%s", *v->reason ? ": " : "", v->reason);
}

bool lead_watch(struct leader *l, struct err *err)
{
    if (clock_us() - l->looked_us < LOOK_US) return true;
    if (!lead_look(l, 0)) return lead_unfit(l, err);
    const struct node_answer *a = &l->answers[l->leader];
    if (l->verdict.leader != l->leader || strcmp(a->id, l->leader_id) != 0) return err_set(err, ERR_RETRY, "another node leads: %s", l->answers[l->verdict.leader].id);
    return !a->fell || err_set(err, ERR_RETRY, "the leader's log went backwards: it was restarted, or lost its end");
}

bool lead_await(struct leader *l, struct db *db, uint32_t limit_ms, struct err *err)
{
    uint64_t until = clock_us() + limit_ms * 1000ull;
    while (!db_wait(db, AWAIT_MS)) {
        if (!lead_watch(l, err)) return false;
        if (clock_us() > until) return err_set(err, ERR_RETRY, "no reply for %u s", limit_ms / 1000);
    }
    return true;
}

bool lead_durable(struct leader *l, uint64_t lsn, struct err *err)
{
    while (!wal_wait(sink_wal(l->sink), WAL_DURABLE, lsn, 100))
        if (sink_stopping(l->sink)) return err_set(err, ERR_RETRY, "stopped while waiting for the log's disk");
    return true;
}
