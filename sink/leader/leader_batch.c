/*
 * leader_batch.c: gathering. A transaction's rows wait until its COMMIT, because only then is it known whether it can go through the leader
 * at all; then they join the batch: as net changes per key, or, where order matters (a delete that cascades, another unique key's value that
 * moves, partial images), as steps in the source's order; what was netted before a step becomes steps in front of it. The statements of the
 * steps come first; those of the net changes touch other tables' keys, each its own, so that they may go in any order and be sent again alone.
 *
 * Foreign keys are not checked: the source has done that, and rows of one batch come in another order. But for what is to cascade.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "leader.h"
#include "log.h"

/* ---- tables ---- */

static bool is_given(const struct leader *l, const struct target_table *t)
{
    bool keyless = true;
    for (uint32_t k = 0; k < t->key_count; k++) keyless &= !t->keys[k].not_null;
    if (!t->exists || t->view || t->versioned || t->sequence || !t->transactional) return true;
    return keyless && (t->foreign || t->rows > l->settings->keyless_rows_max);
}

static enum lead_lane lane_of(struct leader *l, struct lead_table *t, const struct target_table *target)
{
    struct err why;
    if (is_given(l, target) || !plan_new(t->source, target, false, &t->plan, &why) || !leader_sql_init(&t->sql, t->plan)) return LANE_GIVEN;
    bool apart = target->triggers || target->other_unique || !leader_sql_fits(t->plan);
    return !apart ? LANE_LEADER : target->foreign ? LANE_GIVEN : LANE_DIRECT;
}

/* Two definitions of one table: their order counts. */
static void find_twins(struct leader *l, struct lead_table *t)
{
    for (unsigned i = 0; i < LEAD_BUCKETS; i++)
        for (struct lead_table *other = l->tables[i]; other; other = other->next)
            if (other->plan && t->plan && other->plan->target == t->plan->target) other->lane = t->lane = LANE_GIVEN;
}

static bool track(struct leader *l, const struct table *source, struct lead_table **out, struct err *err)
{
    static const char *const ways[] = {[LANE_DIRECT] = "to each node directly, with the position", [LANE_GIVEN] = "by the nodes' own sinks"};
    struct lead_table **bucket = &l->tables[((uintptr_t)source >> 6) % LEAD_BUCKETS];
    const struct target_table *target;
    for (struct lead_table *t = *bucket; t; t = t->next)
        if (t->source == source) return *out = t, true;
    if (!targets_get(l->targets, l->nodes[l->leader].db, source->database, source->name, &target, err)) return false;
    struct lead_table *t = calloc(1, sizeof *t);
    if (!t) abort();
    t->source = source;
    net_init(&t->net);
    t->lane = lane_of(l, t, target);
    find_twins(l, t);
    if (t->lane != LANE_LEADER) log_debug("leader.table", "sink=%s table=%.*s.%.*s text=\"its rows go %s\"", l->settings->name, SLICE_ARG(source->database),
                                          SLICE_ARG(source->name), ways[t->lane]);
    t->next = *bucket;
    *bucket = t;
    *out = t;
    return true;
}

static void activate(struct leader *l, struct lead_table *t)
{
    if (t->active) return;
    t->active = true;
    t->stepped = false;
    t->next_active = l->batch.active;
    l->batch.active = t;
}

/* ---- taking ---- */

static struct lead_change *add_change(struct lead_changes *list)
{
    if (list->count == list->room) {
        list->room = list->room ? list->room * 2 : 256;
        list->items = realloc(list->items, list->room * sizeof *list->items);
        if (!list->items) abort();
    }
    return &list->items[list->count++];
}

static struct row keep(struct arena *arena, const struct row *row)
{
    return (struct row){.present = arena_copy(arena, row->present), .image = arena_copy(arena, row->image)};
}

static uint64_t size_of(const struct change *change)
{
    return 64 + (change->kind == CHANGE_INSERT ? 0 : change->before.image.size) + (change->kind == CHANGE_DELETE ? 0 : change->after.image.size);
}

static void stage(struct leader *l, struct lead_table *t, const struct change *change)
{
    struct lead_batch *b = &l->batch;
    struct lead_change *c = add_change(&b->staged);
    *c = (struct lead_change){.table = t, .kind = change->kind, .flags = change->row_flags, .lsn = change->lsn};
    if (change->kind != CHANGE_INSERT) c->before = keep(&b->transaction, &change->before);
    if (change->kind != CHANGE_DELETE) c->after = keep(&b->transaction, &change->after);
}

static void hand_over(struct leader *l, const char *why)
{
    struct lead_batch *b = &l->batch;
    b->handed = why;
    b->staged.count = 0;
    arena_reset(&b->transaction);
}

static bool take_row(struct leader *l, const struct change *change, struct err *err)
{
    struct lead_batch *b = &l->batch;
    struct lead_table *t;
    uint64_t bytes = size_of(change);
    b->own.rows++;
    b->own.bytes += bytes;
    b->transaction_bytes += bytes;
    b->ddl = NULL;
    if (b->handed) return true;
    if (!track(l, change->table, &t, err)) return false;
    if (t->lane == LANE_GIVEN) hand_over(l, "a table that cannot go through the proxy");
    /* as hexadecimal, twice: what a large row is made of may be binary */
    else if (change->kind != CHANGE_DELETE && change->after.image.size > LEAD_PACKET_MAX / 2) hand_over(l, "a row that the proxy cannot take");
    else if (b->transaction_bytes > LEAD_TRANSACTION_BYTES) hand_over(l, "a transaction that is too large for one batch");
    else stage(l, t, change);
    return true;
}

static bool on_begin(struct leader *l, const struct change *change)
{
    struct lead_batch *b = &l->batch;
    b->open = true;
    b->handed = NULL;
    b->ddl = NULL;
    b->begin_lsn = change->lsn;
    b->transaction_bytes = 0;
    b->own = (struct sink_progress){0};
    b->staged.count = 0;
    arena_reset(&b->transaction);
    if (change->is_ddl) hand_over(l, "DDL");
    return true;
}

static bool take_statement(struct leader *l, const struct change *change)
{
    struct lead_batch *b = &l->batch;
    const struct statement *st = change->statement;
    bool alone = b->handed && !b->own.rows && !b->own.statements++;
    hand_over(l, st->own_commit ? "DDL" : "a statement that the source logged as text");
    b->ddl = NULL;
    if (!alone || !l->settings->apply_ddl || !lead_ddl_fits(st)) return true;
    b->ddl = arena_alloc(&b->transaction, sizeof *b->ddl);
    b->ddl_lsn = change->lsn;
    *b->ddl = *st;
    b->ddl->text = arena_copy(&b->transaction, st->text);
    b->ddl->database = arena_copy(&b->transaction, st->database);
    b->ddl->tables = arena_copy(&b->transaction, st->tables);
    return true;
}

bool lead_batch_change(struct leader *l, const struct change *change, struct err *err)
{
    switch (change->kind) {
    case CHANGE_BEGIN: return on_begin(l, change);
    case CHANGE_INSERT: case CHANGE_UPDATE: case CHANGE_DELETE: return take_row(l, change, err);
    case CHANGE_STATEMENT: return take_statement(l, change);
    default: return true;
    }
}

/* ---- joining ---- */

static bool values_of(struct leader *l, const struct lead_change *c, struct err *err)
{
    const struct table *t = c->table->source;
    if (t->column_count > l->value_room) {
        l->value_room = t->column_count;
        l->before = realloc(l->before, l->value_room * sizeof *l->before);
        l->after = realloc(l->after, l->value_room * sizeof *l->after);
        if (!l->before || !l->after) abort();
    }
    bool ok = (c->kind == CHANGE_INSERT || row_values(t, &c->before, l->before)) && (c->kind == CHANGE_DELETE || row_values(t, &c->after, l->after));
    return ok || err_set(err, ERR_CORRUPT, "LSN %llu: a row of %.*s.%.*s does not fit its definition in the log", (unsigned long long)c->lsn,
                         SLICE_ARG(t->database), SLICE_ARG(t->name));
}

static const enum change_kind net_kinds[] = {[NET_INSERT] = CHANGE_INSERT, [NET_UPDATE] = CHANGE_UPDATE, [NET_DELETE] = CHANGE_DELETE};

static uint8_t unchecked(const struct lead_table *t, uint8_t flags)
{
    return t->plan->target->foreign ? flags | ROW_NO_FOREIGN_KEY_CHECKS : flags;
}

static struct lead_change of_net(struct lead_table *t, const struct net_row *row)
{
    return (struct lead_change){.table = t, .kind = net_kinds[row->state], .flags = unchecked(t, row->flags), .lsn = row->lsn,
                                .before = row->before, .after = row->after};
}

static void add_kept(struct lead_batch *b, struct lead_changes *list, const struct lead_change *change)
{
    struct lead_change *c = add_change(list);
    *c = *change;
    c->before = keep(&b->arena, &change->before);
    c->after = keep(&b->arena, &change->after);
}

/* What the net holds becomes steps. */
static void leave_net(struct leader *l, struct lead_table *t)
{
    static const enum net_state passes[] = {NET_DELETE, NET_UPDATE, NET_INSERT};
    t->stepped = true;
    for (size_t pass = 0; pass < 3; pass++)
        for (uint32_t i = 0; i < t->net.count; i++) {
            if (t->net.rows[i].state != passes[pass]) continue;
            struct lead_change c = of_net(t, &t->net.rows[i]);
            add_kept(&l->batch, &l->batch.steps, &c);
        }
    net_reset(&t->net);
}

static void leave_nets(struct leader *l, bool all)
{
    for (struct lead_table *t = l->batch.active; t; t = t->next_active)
        if (t->net.count && (t->stepped || (t->plan->target->related && (all || l->batch.cascaded)))) leave_net(l, t);
}

static bool same_values(const uint16_t *columns, uint16_t count, const struct value *a, const struct value *b)
{
    for (uint16_t i = 0; i < count; i++) {
        uint16_t c = columns[i];
        if (a[c].state != b[c].state || !slice_equal(a[c].bytes, b[c].bytes)) return false;
    }
    return true;
}

/* Children's rows change with it, unsaid by the source. */
static bool cascades(const struct leader *l, const struct lead_change *c)
{
    const struct plan *p = c->table->plan;
    if (!p->target->cascading || c->kind == CHANGE_INSERT) return false;
    return c->kind == CHANGE_DELETE || !same_values(p->key, p->key_count, l->before, l->after) || !same_values(p->others, p->other_count, l->before, l->after);
}

static bool join(struct leader *l, const struct lead_change *staged, struct err *err)
{
    struct lead_batch *b = &l->batch;
    struct lead_table *t = staged->table;
    struct lead_change c = *staged;
    struct change change = {.kind = c.kind, .lsn = c.lsn, .table = t->source, .row_flags = c.flags, .before = c.before, .after = c.after};
    if (!values_of(l, staged, err)) return false;
    activate(l, t);
    if (t->lane == LANE_DIRECT) {
        add_kept(b, &b->apart, &c);
    } else if (cascades(l, &c)) {
        leave_nets(l, true);
        b->cascaded = t->stepped = true;
        add_kept(b, &b->steps, &c);
    } else if (!net_add(&t->net, t->plan, &change, l->before, l->after)) {
        leave_net(l, t);
        if (net_add(&t->net, t->plan, &change, l->before, l->after)) return true;
        c.flags = unchecked(t, c.flags);
        add_kept(b, &b->steps, &c);
    }
    return true;
}

bool lead_batch_commit(struct leader *l, const struct change *change, struct err *err)
{
    struct lead_batch *b = &l->batch;
    for (uint32_t i = 0; i < b->staged.count; i++)
        if (!join(l, &b->staged.items[i], err)) return false;
    b->staged.count = 0;
    b->open = false;
    b->rows += b->own.rows;
    b->bytes += b->own.bytes;
    gtid_set_copy(&b->gtids, &change->commit->pos.gtids);
    b->progress.lsn = change->lsn;
    b->progress.gtid = change->gtid;
    b->progress.timestamp = change->timestamp;
    b->progress.transactions++;
    b->progress.rows += b->own.rows;
    b->progress.bytes += b->own.bytes;
    return true;
}

bool lead_batch_full(const struct leader *l)
{
    const struct lead_batch *b = &l->batch;
    return b->rows >= l->batch_rows || b->bytes >= LEAD_BATCH_BYTES || b->steps.count + b->apart.count >= LEAD_STEPS;
}

/* ---- statements ---- */

static void close_statement(struct leader *l)
{
    struct lead_batch *b = &l->batch;
    struct leader_writer *w = &l->writer;
    if (!w->rows) return;
    leader_writer_end(w);
    if (b->count == b->room) {
        b->room = b->room ? b->room * 2 : 256;
        b->pushes = realloc(b->pushes, b->room * sizeof *b->pushes);
        if (!b->pushes) abort();
    }
    b->pushes[b->count++] = (struct lead_push){.table = l->writing, .sql = arena_copy(&b->arena, buf_bytes(&w->sql)), .keys = arena_copy(&b->arena, buf_bytes(&w->keys)),
                                               .rows = w->rows, .present = w->present, .lenient = w->lenient, .meets = w->whole};
    b->pushed_rows += w->rows;
    w->rows = 0;
}

/* A value 0 of an ENUM is what a lenient session once made of a wrong one; a strict one does not take it. */
static bool zero_enum(const struct lead_table *t, const struct value *after)
{
    for (uint32_t i = 0; i < t->source->column_count; i++) {
        uint16_t index = 0;
        if (t->source->columns[i].kind != COLUMN_ENUM || after[i].state != VALUE_PRESENT) continue;
        memcpy(&index, after[i].bytes.data, after[i].bytes.size < 2 ? after[i].bytes.size : 2);
        if (!index) return true;
    }
    return false;
}

/* Grows the statement at hand, or begins the next. */
static void write_row(struct leader *l, const struct lead_change *c)
{
    struct leader_writer *w = &l->writer;
    struct lead_table *t = c->table;
    bool removes = c->kind == CHANGE_DELETE, lenient = !removes && zero_enum(t, l->after);
    const struct value *values = removes ? l->before : l->after;
    bool joins = w->rows && w->plan == t->plan && w->removes == removes && w->flags == c->flags && !w->whole && !w->lenient && !lenient;
    if (joins && leader_writer_row(w, values)) return;
    close_statement(l);
    l->writing = t;
    leader_writer_begin(w, t->plan, &t->sql, removes, c->flags, lenient);
    bool taken = leader_writer_row(w, values);
    assert(taken);
}

static bool write_net(struct leader *l, struct lead_table *t, bool removes, struct err *err)
{
    for (uint32_t i = 0; i < t->net.count; i++) {
        const struct net_row *row = &t->net.rows[i];
        if (row->state == NET_ABSENT || (row->state == NET_DELETE) != removes) continue;
        if (row->state == NET_UPDATE && slice_equal(row->before.image, row->after.image)) continue;
        struct lead_change c = of_net(t, row);
        if (!values_of(l, &c, err)) return false;
        write_row(l, &c);
    }
    close_statement(l);
    return true;
}

static bool is_full(const struct lead_change *c)
{
    return !c->after.present.size || row_present_count(c->table->source, c->after.present) == c->table->source->column_count;
}

/* One statement each, unless it is the next row of the same. */
static bool write_step(struct leader *l, const struct lead_change *c, struct err *err)
{
    struct leader_writer *w = &l->writer;
    struct lead_table *t = c->table;
    if (!values_of(l, c, err)) return false;
    if (c->kind == CHANGE_DELETE && t->plan->target->cascading) close_statement(l);
    if (c->kind != CHANGE_UPDATE || (is_full(c) && same_values(t->plan->key, t->plan->key_count, l->before, l->after))) {
        write_row(l, c);
        return true;
    }
    close_statement(l);
    l->writing = t;
    leader_writer_update(w, t->plan, &t->sql, c->flags, zero_enum(t, l->after), l->before, l->after);
    return true;
}

static bool write_steps(struct leader *l, struct err *err)
{
    struct lead_batch *b = &l->batch;
    leave_nets(l, false);
    for (uint32_t i = 0; i < b->steps.count; i++)
        if (!write_step(l, &b->steps.items[i], err)) return false;
    close_statement(l);
    b->ordered = b->count;
    return true;
}

static bool write_direct(struct leader *l, const struct lead_change *c, struct err *err)
{
    struct lead_batch *b = &l->batch;
    struct lead_table *t = c->table;
    if (!values_of(l, c, err)) return false;
    bool lenient = c->kind != CHANGE_DELETE && zero_enum(t, l->after);
    buf_clear(&l->scratch);
    leader_sql_direct(t->plan, &t->sql, c->kind, c->flags, lenient, l->before, l->after, &l->scratch);
    if (b->direct_count == b->direct_room) {
        b->direct_room = b->direct_room ? b->direct_room * 2 : 64;
        b->directs = realloc(b->directs, b->direct_room * sizeof *b->directs);
        if (!b->directs) abort();
    }
    b->directs[b->direct_count++] = (struct lead_direct){arena_copy(&b->arena, buf_bytes(&l->scratch)), t, c->lsn, lenient};
    return !l->scratch.full || err_set(err, ERR_RETRY, "LSN %llu: a row is too long for one statement", (unsigned long long)c->lsn);
}

bool lead_batch_build(struct leader *l, struct err *err)
{
    struct lead_batch *b = &l->batch;
    if (!write_steps(l, err)) return false;
    for (uint32_t i = 0; i < b->apart.count; i++)
        if (!write_direct(l, &b->apart.items[i], err)) return false;
    for (struct lead_table *t = b->active; t; t = t->next_active)
        if (t->net.count && (!write_net(l, t, true, err) || !write_net(l, t, false, err))) return false;
    for (uint32_t i = 0; i < b->count; i++)
        if (b->pushes[i].sql.size > LEAD_PACKET_MAX)
            return err_set(err, ERR_RETRY, "a statement of %zu bytes is more than the proxy takes", b->pushes[i].sql.size);
    return true;
}

void lead_batch_clear(struct leader *l)
{
    struct lead_batch *b = &l->batch;
    while (b->active) {
        struct lead_table *t = b->active;
        b->active = t->next_active;
        t->active = false;
        net_reset(&t->net);
    }
    l->writer.rows = 0;
    b->cascaded = false;
    arena_reset(&b->arena);
    b->steps.count = b->apart.count = b->direct_count = b->count = b->ordered = b->pushed_rows = 0;
    b->rows = b->bytes = 0;
    b->progress = (struct sink_progress){0};
}

void lead_batch_forget(struct leader *l)
{
    lead_batch_clear(l);
    l->batch.staged.count = 0;
    l->batch.open = false;
    for (unsigned i = 0; i < LEAD_BUCKETS; i++)
        while (l->tables[i]) {
            struct lead_table *t = l->tables[i];
            l->tables[i] = t->next;
            plan_free(t->plan);
            net_fini(&t->net);
            free(t);
        }
    targets_forget(l->targets);
}
