/*
 * proof_look.c: what differs is looked at again, because both sides go on while they are read. One look: the source in a snapshot, then its end
 * (its GTIDs, which hold all that the snapshot showed); the node in a snapshot in which its position has passed that end; the source once
 * more. Of a row that differs, then:
 *
 *   the node's is one of the source's two           equal: it was on its way
 *   the source's two are unlike                     it changes now: again
 *   nothing was committed on the source between     different: the node has exactly what the source had, and shows another row
 *   the source's two are alike                      different, when LOOKS_AGREE looks in a row, further and further apart, say the same: a row
 *                                                   that goes to and fro could look so once
 *
 * And the second look at the source must have all that the node has: of several hosts the one that we read may be a replica that is behind.
 */
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "prover.h"

static void take_look(struct look_item *items, size_t first, size_t count, int side, const struct db_result *r)
{
    for (uint64_t i = 0; i < r->row_count; i++) {
        size_t number = strtoull(db_value(r, i, 0, NULL), NULL, 10);
        const char *hash = db_value(r, i, 1, NULL);
        if (number < first || number >= first + count || !hash) continue;
        snprintf(side == SIDE_SOURCE ? items[number].source : items[number].node, sizeof items->source, "%s", hash);
    }
}

static bool look_some(struct prover *p, int side, struct look_item *items, size_t first, size_t count, struct err *err)
{
    struct db_result *r;
    bool any = false;
    buf_clear(&p->sql);
    for (size_t i = first; i < first + count; i++) {
        if (items[i].state != LOOK_AGAIN) continue;
        (side == SIDE_SOURCE ? items[i].source : items[i].node)[0] = 0;
        if (any) buf_text(&p->sql, " UNION ALL ");
        any = true;
        if (!proof_sql_look(&p->sql, items[i].table, items[i].key, i)) return err_set(err, ERR_CORRUPT, "a key is none");
    }
    if (!any) return true;
    if (!link_query(p, side, &p->sql, &r, err)) return false;
    take_look(items, first, count, side, r);
    db_result_free(r);
    return true;
}

bool look_rows(struct prover *p, int side, struct look_item *items, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i += LOOK_ITEMS)
        if (!look_some(p, side, items, i, count - i < LOOK_ITEMS ? count - i : LOOK_ITEMS, err)) return false;
    return true;
}

/* One side, as it is in one snapshot. The source: `at` is read behind the looks, so that it holds what they saw; a node: before. */
static bool look_side(struct prover *p, int side, look_ask *ask, struct look_item *items, size_t count, struct gtid_set *at, struct err *err)
{
    bool ok = link_begin(p, side, err) && (side == SIDE_SOURCE || link_position(p, side, false, at, err)) && ask(p, side, items, count, err) &&
              (side != SIDE_SOURCE || link_position(p, side, false, at, err));
    link_end(p, side);
    return ok;
}

/* Waits until the node's position holds `fence`. False without an error when it does not in time. */
static bool wait_passed(struct prover *p, int node, const struct gtid_set *fence, bool *passed, struct err *err)
{
    struct link *link = &p->nodes[node];
    uint64_t now = clock_us(), until = now + (p->ordered ? PASS_WAIT_ORDERED_MS : PASS_WAIT_MS) * 1000ull;
    struct gtid_set at;
    *passed = false;
    if (now < link->behind_us) until = now;
    for (uint32_t pause = 5;; pause = pause < 200 ? pause * 2 : pause) {
        if (!link_open(p, node, err) || !link_position(p, node, false, &at, err)) return false;
        *passed = gtid_set_contains(&at, fence);
        if (*passed || prover_stopping(p) || clock_us() >= until) break;
        prover_rest(p, pause);
    }
    link->behind_us = *passed ? 0 : clock_us() + PASS_WAIT_MS * 3000ull;
    return true;
}

static void judge(struct look_item *item, const char *first_source, bool idle, bool ahead)
{
    if (!strcmp(item->node, item->source) || !strcmp(item->node, first_source)) {
        item->state = LOOK_EQUAL;
        return;
    }
    bool steady = !strcmp(item->source, first_source) && ahead;
    bool same = steady && item->agree && !strcmp(item->source, item->first_source) && !strcmp(item->node, item->first_node);
    item->agree = !steady ? 0 : same ? item->agree + 1 : 1;
    memcpy(item->first_source, item->source, sizeof item->source);
    memcpy(item->first_node, item->node, sizeof item->node);
    if (steady && (idle || item->agree >= LOOKS_AGREE)) item->state = LOOK_DIFFERENT;
}

static bool any_left(const struct look_item *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (items[i].state == LOOK_AGAIN) return true;
    return false;
}

/* One look. *passed false: the node does not come on. */
static bool look_once(struct prover *p, int node, look_ask *ask, struct look_item *items, size_t count, char (*before)[sizeof items->source],
                      struct gtid_set *fence, bool *passed, struct err *err)
{
    struct gtid_set end = {0}, at = {0}, after = {0};
    if (!look_side(p, SIDE_SOURCE, ask, items, count, &end, err)) return false;
    for (size_t i = 0; i < count; i++) memcpy(before[i], items[i].source, sizeof items->source);
    if (!wait_passed(p, node, &end, passed, err)) return false;
    if (!*passed) {
        prover_behind(p, node);
        return true;
    }
    if (!look_side(p, node, ask, items, count, &at, err) || !look_side(p, SIDE_SOURCE, ask, items, count, &after, err)) return false;
    if (!gtid_set_contains(&at, &end)) return true; /* it went back between: seeded anew, or a table that was emptied */
    bool ahead = gtid_set_contains(&after, &at), idle = gtid_set_equal(&end, &after);
    for (size_t i = 0; i < count; i++)
        if (items[i].state == LOOK_AGAIN) judge(&items[i], before[i], idle, ahead);
    *fence = end;
    return true;
}

bool look_again(struct prover *p, int node, look_ask *ask, struct look_item *items, size_t count, struct gtid_set *fence, struct err *err)
{
    struct err local = {0};
    char (*before)[sizeof items->source] = calloc(count ? count : 1, sizeof *before);
    bool ok = true, passed = true;
    if (!before) abort();
    if (!err) err = &local;
    for (unsigned i = 0; ok && passed && i < LOOKS_MAX && any_left(items, count); i++) {
        if (i) prover_rest(p, LOOK_PAUSE_MS << (i < 6 ? i : 6));
        if (prover_stopping(p)) ok = err_set(err, ERR_RETRY, "stopping");
        else ok = look_once(p, node, ask, items, count, before, fence, &passed, err);
    }
    free(before);
    return ok;
}
