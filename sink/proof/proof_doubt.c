/*
 * proof_doubt.c: rows that differ are put aside, of all tables that the round comes by, and looked at again together: a look waits until the node has
 * passed the source's end (a second, where the leader's way delivers by batches), and so one wait serves them all.
 */
#include <stdlib.h>

#include "prover.h"

bool doubts_add(struct prover *p, int node, const struct look_item *items, size_t count)
{
    struct doubts *d = &p->doubts[node];
    if (!d->keys.max) buf_init(&d->keys, 2 * (size_t)PROOF_SQL_MAX);
    if (d->room < d->count + count) {
        d->room = d->count + count + LOOK_ITEMS;
        d->items = reallocarray(d->items, d->room, sizeof *d->items);
        if (!d->items) abort();
    }
    for (size_t i = 0; i < count; i++) {
        d->items[d->count++] = items[i];
        buf_slice(&d->keys, items[i].key);
    }
    return d->count < DOUBTS_MAX && d->keys.size < DOUBT_KEYS_MAX;
}

static size_t same_table(const struct look_item *items, size_t count)
{
    size_t n = 1;
    while (n < count && items[n].table == items[0].table) n++;
    return n;
}

/* A table that is being altered keeps the others from nothing. */
static bool look_doubts(struct prover *p, int side, struct look_item *items, size_t count, struct err *err)
{
    for (size_t i = 0, n; i < count; i += n) {
        struct err local = {0};
        n = same_table(items + i, count - i);
        if (look_rows(p, side, items + i, n, &local)) continue;
        if (!prover_is_passing(&local)) return err_set_number(err, local.code, local.number, "%s", local.text);
        for (size_t k = i; k < i + n; k++)
            if (items[k].state == LOOK_AGAIN) items[k].state = LOOK_LATER;
    }
    return true;
}

/* Keys that differ only in what their collation does not see name one row, on both sides: it counts once. */
static void fold_twins(struct look_item *items, size_t count)
{
    for (size_t i = 1; i < count; i++)
        for (size_t k = 0; k < i && items[i].state == LOOK_DIFFERENT; k++)
            if (items[k].state == LOOK_DIFFERENT && items[i].source[0] && items[i].node[0] && !strcmp(items[i].source, items[k].source) &&
                !strcmp(items[i].node, items[k].node)) items[i].state = LOOK_EQUAL;
}

static const char *what_of(const struct look_item *item)
{
    return !item->node[0] ? "missing on the node" : !item->source[0] ? "not on the source" : "another row on the node";
}

static void count_items(struct prover *p, int node, const struct look_item *items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (items[i].state == LOOK_AGAIN || items[i].state == LOOK_LATER) p->tally[node].in_flight++;
        if (items[i].state == LOOK_DIFFERENT) prover_found(p, node, items[i].table, items[i].key, what_of(&items[i]));
    }
}

/* Of one table. */
static bool conclude(struct prover *p, int node, struct look_item *items, size_t count, const struct gtid_set *fence, struct err *err)
{
    fold_twins(items, count);
    if (p->repair && !repair_rows(p, node, items[0].table, items, count, fence, err)) return false;
    count_items(p, node, items, count);
    return true;
}

static bool settle_items(struct prover *p, int node, struct look_item *items, size_t count, struct err *err)
{
    struct gtid_set fence = {0};
    if (p->say) p->say(p->context, "looking again at %zu row(s) that differed", count);
    if (!look_again(p, node, look_doubts, items, count, &fence, err)) return false;
    for (size_t i = 0, n; i < count; i += n) {
        struct err local = {0};
        n = same_table(items + i, count - i);
        if (!conclude(p, node, items + i, n, &fence, &local)) prover_missed(p, node, &local);
    }
    return true;
}

void doubts_settle_node(struct prover *p, int node)
{
    struct doubts *d = &p->doubts[node];
    struct err err = {0};
    size_t at = 0;
    for (size_t i = 0; i < d->count; at += d->items[i++].key.size) d->items[i].key.data = d->keys.data + at;
    if (d->count && prover_has(p, node) && !settle_items(p, node, d->items, d->count, &err)) prover_missed(p, node, &err);
    d->count = 0;
    buf_clear(&d->keys);
}

static void let_tables_go(struct prover *p)
{
    for (size_t i = 0; i < p->kept_count; i++) proof_table_free(p->kept[i]);
    p->kept_count = 0;
}

void doubts_settle(struct prover *p)
{
    for (int node = 0; node < CLUSTER_NODES_MAX; node++) doubts_settle_node(p, node);
    let_tables_go(p);
}

bool doubts_any(const struct prover *p)
{
    for (size_t i = 0; i < CLUSTER_NODES_MAX; i++)
        if (p->doubts[i].count) return true;
    return false;
}

static bool is_in_doubt(const struct prover *p, const struct proof_table *t)
{
    for (size_t i = 0; i < CLUSTER_NODES_MAX; i++) {
        const struct doubts *d = &p->doubts[i];
        if (d->count && d->items[d->count - 1].table == t) return true; /* they come table by table */
    }
    return false;
}

void doubts_keep(struct prover *p, struct proof_table *t)
{
    if (!is_in_doubt(p, t)) {
        proof_table_free(t);
        return;
    }
    if (p->kept_count == p->kept_room) {
        p->kept_room = p->kept_room ? p->kept_room * 2 : 16;
        p->kept = reallocarray(p->kept, p->kept_room, sizeof(struct proof_table *));
        if (!p->kept) abort();
    }
    p->kept[p->kept_count++] = t;
}

void doubts_drop(struct prover *p)
{
    for (size_t i = 0; i < CLUSTER_NODES_MAX; i++) {
        struct doubts *d = &p->doubts[i];
        free(d->items);
        buf_fini(&d->keys);
        *d = (struct doubts){0};
    }
    let_tables_go(p);
    free(p->kept);
    p->kept = NULL;
    p->kept_room = 0;
}
