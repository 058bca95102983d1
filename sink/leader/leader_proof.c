/*
 * leader_proof.c: pushing a batch and proving it. An OK of the leader, an LSN, a marker: none of them says that a row is there. So every key of the
 * batch is read back from every node's own MariaDB: as a sum over the rows, made by each node's server, which has to be that of the node that leads,
 * whose MariaDB has executed each statement itself; and the number of rows has to be what the batch makes it.
 *
 * Between two markers there are LEAD_SEGMENT statements. A segment's keys are read back when its marker has arrived everywhere, while later ones
 * are still on their way: in one batch no two statements touch the same row. Only statements that keep the source's order do; they are
 * pushed first, proven as one, and if need be sent again as one.
 */
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "leader.h"
#include "log.h"

enum { LATER_MS = 40 };

struct segment { uint32_t first, last; uint64_t marker; };
struct seen { uint64_t rows, sum; };

/* ---- reading back ---- */

/* Statements first … *next - 1, of one table: a unit. */
static void unit_of(const struct lead_batch *b, uint32_t first, uint32_t last, uint32_t *next, struct buf *keys, uint64_t *present)
{
    const struct lead_push *p = &b->pushes[first];
    uint32_t rows = 0, at = first;
    *present = 0;
    buf_clear(keys);
    for (; at < last && b->pushes[at].table == p->table && (at == first || rows + b->pushes[at].rows <= LEAD_UNIT_ROWS); at++) {
        if (at > first) buf_text(keys, leader_sql_joint(p->table->plan));
        buf_slice(keys, b->pushes[at].keys);
        rows += b->pushes[at].rows;
        *present += b->pushes[at].present;
    }
    *next = at;
}

static bool read_sum(struct leader *l, struct lead_node *node, struct seen *seen, struct err *err)
{
    struct db_result *r;
    if (!lead_await(l, node->db, LEAD_READ_MS, err) || !db_answer(node->db, &r, err)) return err_context(err, "node %s", node->name);
    *seen = (struct seen){strtoull(db_value(r, 0, 0, NULL), NULL, 10), strtoull(db_value(r, 0, 1, NULL), NULL, 10)};
    db_result_free(r);
    return true;
}

static bool ask_all(struct leader *l, struct slice sql, struct seen *seen, struct err *err)
{
    bool ok = true;
    struct err local, *to = err;
    size_t asked = 0;
    for (; ok && asked < l->count; asked++) ok = db_ask(l->nodes[asked].db, sql, to);
    for (size_t i = 0; i < asked; i++)
        if (!read_sum(l, &l->nodes[i], &seen[i], ok ? to : &local)) ok = false;
    l->used_us = clock_us();
    return ok;
}

struct look { uint32_t missing; const char *node; const struct lead_table *table; };

/* Marks what has to be sent again. */
static bool look_at(struct leader *l, const struct segment *s, bool ordered, struct look *look, struct err *err)
{
    struct lead_batch *b = &l->batch;
    struct buf keys, sql;
    bool ok = true;
    *look = (struct look){0};
    buf_init(&keys, LEADER_SQL_MAX);
    buf_init(&sql, LEADER_SQL_MAX);
    for (uint32_t at = s->first, next; ok && at < s->last; at = next) {
        struct seen seen[NODES_MAX];
        const struct lead_push *p = &b->pushes[at];
        uint64_t present;
        unit_of(b, at, s->last, &next, &keys, &present);
        buf_clear(&sql);
        leader_sql_sum(p->table->plan, &p->table->sql, buf_bytes(&keys), &sql);
        if (sql.full) ok = err_set(err, ERR_RETRY, "too many keys in one read-back");
        ok = ok && ask_all(l, buf_bytes(&sql), seen, err);
        bool equal = true;
        for (size_t i = 0; ok && i < l->count; i++) {
            const struct seen *lead = &seen[l->leader];
            if (seen[i].rows == lead->rows && seen[i].sum == lead->sum && (ordered || seen[i].rows == present)) continue;
            equal = false;
            look->node = l->nodes[i].name;
            look->table = p->table;
        }
        for (uint32_t i = at; i < next; i++) b->pushes[i].again = !equal;
        if (!equal) look->missing += next - at;
    }
    buf_fini(&keys);
    buf_fini(&sql);
    return ok;
}

/* ---- sending ---- */

/* In order over one session where it matters: the source's order, or rows that leave a unique value to others. */
static bool send_range(struct leader *l, uint32_t first, uint32_t last, bool ordered, bool again, struct err *err)
{
    struct lead_batch *b = &l->batch;
    for (uint32_t i = first; i < last; i++) {
        struct lead_push *p = &b->pushes[i];
        if (again && !p->again && !ordered) continue;
        size_t at = ordered || p->table->plan->other_count ? 0 : i;
        if (!lead_push_send(l, at, p->sql, p->lenient, p->meets && !again, err)) return err_context(err, "%.*s", SLICE_ARG(p->table->sql.name));
        if ((i & 15) == 0 && !lead_watch(l, err)) return false;
    }
    return lead_push_drain(l, err);
}

static bool push(struct leader *l, struct segment *s, bool ordered, struct err *err)
{
    return send_range(l, s->first, s->last, ordered, false, err) && lead_push_marker(l, &s->marker, err);
}

/* A large entry may not have found room in the leader's segment, and none will until small ones have filled it up. */
static size_t largest_missing(const struct lead_batch *b, const struct segment *s)
{
    size_t largest = 0;
    for (uint32_t i = s->first; i < s->last; i++)
        if (b->pushes[i].again && b->pushes[i].sql.size > largest) largest = b->pushes[i].sql.size;
    return largest;
}

static bool again(struct leader *l, struct segment *s, bool ordered, const struct look *look, struct err *err)
{
    size_t largest = largest_missing(&l->batch, s);
    log_warning("leader.again", "sink=%s node=%s table=%.*s statements=%u largest=%zu text=\"rows have not arrived: sent again\"", l->settings->name,
                look->node, SLICE_ARG(look->table->sql.name), look->missing, largest);
    if (largest > LEAD_ENTRY_SAFE && !lead_push_filler(l, largest, err)) return false;
    /* Not one by one over a late first: what was sent before has to be over, or it could come after what is sent later. */
    return send_range(l, s->first, s->last, ordered, true, err) && lead_push_marker(l, &s->marker, err) && lead_push_arrived(l, s->marker, err) &&
           lead_push_barrier(l, err);
}

static bool prove(struct leader *l, struct segment *s, bool ordered, struct err *err)
{
    struct look look = {0};
    if (!lead_push_arrived(l, s->marker, err)) return false;
    for (unsigned tries = 0; tries < LEAD_TRIES; tries++) {
        if (tries && !again(l, s, ordered, &look, err)) return false;
        if (!look_at(l, s, ordered, &look, err)) return false;
        if (!look.missing) return true;
        clock_sleep_ms(LATER_MS); /* statements of different sessions may have changed places with the marker */
        if (!look_at(l, s, ordered, &look, err)) return false;
        if (!look.missing) return true;
    }
    return err_set(err, ERR_RETRY, "%u statements have not arrived on node %s (table %.*s), though they were sent %d times", look.missing, look.node,
                   SLICE_ARG(look.table->sql.name), LEAD_TRIES);
}

static bool register_tables(struct leader *l, struct err *err)
{
    struct lead_batch *b = &l->batch;
    for (uint32_t i = 0; i < b->count; i++)
        if (!b->pushes[i].table->registered && !lead_nodes_register(l, b->pushes[i].table, err)) return false;
    return lead_nodes_note_open(l, true, err);
}

static struct segment segment_at(const struct lead_batch *b, uint32_t first)
{
    uint32_t last = first < b->ordered ? b->ordered : first + LEAD_SEGMENT;
    return (struct segment){.first = first, .last = last < b->count ? last : b->count};
}

bool lead_proof_push(struct leader *l, struct err *err)
{
    struct lead_batch *b = &l->batch;
    struct segment ahead[LEAD_AHEAD];
    unsigned from = 0, count = 0;
    if (!b->count) return true;
    if (!register_tables(l, err)) return false;
    l->dirty = true;
    for (uint32_t at = 0; at < b->count || count;) {
        if (at < b->count && count < LEAD_AHEAD) {
            struct segment s = segment_at(b, at);
            bool ordered = at < b->ordered;
            if (!push(l, &s, ordered, err)) return false;
            ahead[(from + count++) % LEAD_AHEAD] = s;
            at = s.last;
            if (!ordered) continue;
        }
        struct segment *oldest = &ahead[from];
        if (!prove(l, oldest, oldest->first < b->ordered, err)) return false;
        from = (from + 1) % LEAD_AHEAD;
        count--;
    }
    l->dirty = false;
    return true;
}
