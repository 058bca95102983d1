/*
 * group.c: gathering. Each table's changes are netted as long as that is safe (net.h); a table that has left that way, or never was on
 * it, keeps the source's order from then on. Tables that no foreign key or trigger joins do not see each other's order, so that
 * each may extend an array of its own; the others share one order, and so do two definitions of one table.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "applier.h"
#include "log.h"
#include "value.h"

uint8_t group_flags(const struct change *change)
{
    return change->row_flags & (ROW_NO_FOREIGN_KEY_CHECKS | ROW_RELAXED_UNIQUE | ROW_NO_CHECK_CONSTRAINT);
}

static void fill_nulls(const struct plan *plan, struct value *after)
{
    for (uint32_t i = 0; i < plan->source->column_count; i++) {
        int at = plan->column[i];
        if (after[i].state == VALUE_ABSENT && at >= 0 && plan->target->columns[at].null_default) after[i].state = VALUE_NULL;
    }
}

bool group_values(struct mysql_sink *s, const struct plan *plan, const struct change *change, struct err *err)
{
    const struct table *t = change->table;
    if (t->column_count > s->value_room) {
        s->value_room = t->column_count;
        s->before = realloc(s->before, s->value_room * sizeof *s->before);
        s->after = realloc(s->after, s->value_room * sizeof *s->after);
        if (!s->before || !s->after) abort();
    }
    bool ok = (change->kind == CHANGE_INSERT || row_values(t, &change->before, s->before)) &&
              (change->kind == CHANGE_DELETE || row_values(t, &change->after, s->after));
    if (ok && change->kind == CHANGE_INSERT && change->after.present.size) fill_nulls(plan, s->after);
    return ok || err_set(err, ERR_CORRUPT, "LSN %llu: a row of %.*s.%.*s does not fit its definition in the log",
                         (unsigned long long)change->lsn, SLICE_ARG(t->database), SLICE_ARG(t->name));
}

/* ---- tables ---- */

static unsigned bucket_of(const struct table *table) { return (unsigned)((uintptr_t)table >> 6) % PLAN_BUCKETS; }

static bool refuse_transaction_ids(struct mysql_sink *s, const struct target_table *t, struct err *err)
{
    s->final = true;
    sink_remedy(s->sink, "Exclude %.*s.%.*s in this sink, or give it a period of TIMESTAMP(6) on both sides", SLICE_ARG(t->database), SLICE_ARG(t->name));
    return err_set(err, ERR_UNSUPPORTED, "%.*s.%.*s is system-versioned by transaction ids, which mean nothing on another server", SLICE_ARG(t->database),
                   SLICE_ARG(t->name));
}

/* What cannot be repeated: transaction ids are the source's own, and when a parent's change came to a child no binary log says. */
static bool check_versioned(struct mysql_sink *s, const struct plan *plan, struct err *err)
{
    const struct target_table *t = plan->target;
    if (plan->row_end < 0) return true;
    const struct column *end = &plan->source->columns[plan->row_end], *start = &plan->source->columns[plan->row_start];
    bool by_time = end->kind == COLUMN_TIMESTAMP && end->scale == 6 && start->kind == COLUMN_TIMESTAMP && start->scale == 6;
    if (!by_time || t->by_transaction) return refuse_transaction_ids(s, t, err);
    if (!t->cascaded) return true;
    s->final = true;
    sink_remedy(s->sink, "Exclude %.*s.%.*s in this sink, or drop the foreign key's rule on both sides", SLICE_ARG(t->database), SLICE_ARG(t->name));
    return err_set(err, ERR_UNSUPPORTED, "%.*s.%.*s is system-versioned, and a foreign key changes its rows at times that no binary log has", SLICE_ARG(t->database),
                   SLICE_ARG(t->name));
}

/* The source logs changes of such a table as statements. */
bool group_check_text(struct mysql_sink *s, const struct statement *st, struct err *err)
{
    struct cursor in = cursor_of(st->tables);
    struct slice database, name;
    if (s->mysql || st->own_commit) return true;
    while (statement_tables_next(&in, &database, &name)) {
        const struct target_table *t;
        if (s->flight.count && !mysql_settle(s, err)) return false;
        if (!targets_get(s->targets, s->db, database.size ? database : st->database, name, &t, err)) return false;
        if (t->by_transaction) return refuse_transaction_ids(s, t, err);
    }
    return true;
}

static bool check_table(struct mysql_sink *s, const struct table *source, const struct target_table *t, struct err *err)
{
    char name[2 * TABLE_NAME_MAX + 2];
    snprintf(name, sizeof name, "%.*s.%.*s", SLICE_ARG(t->database), SLICE_ARG(t->name));
    if (table_is_sequence(source) && !t->sequence) {
        s->final = true;
        sink_remedy(s->sink, t->mysql ? "Exclude %s in this sink: MySQL has no sequences" : "Make it on the target, as it is on the source, or exclude %s in this sink", name);
        return err_set_number(err, ERR_STOP, 1146, "%s is a SEQUENCE on the source, and none on the target", name);
    }
    if (!t->exists) return err_set_number(err, ERR_STOP, 1146, "the target has no table %s", name);
    if (t->view) return err_set(err, ERR_STOP, "%s is a view on the target", name);
    if (!t->transactional && !t->sequence && !s->settings->non_transactional) {
        sink_remedy(s->sink, "ALTER TABLE %s ENGINE=InnoDB on the target, or accept it with non_transactional = true", name);
        return err_set(err, ERR_STOP, "%s has the engine %s on the target, which cannot roll back", name, t->engine);
    }
    bool addressed = false;
    for (uint32_t k = 0; k < t->key_count; k++) addressed |= t->keys[k].not_null;
    if (!addressed && !t->sequence && t->rows > s->settings->keyless_rows_max) {
        sink_remedy(s->sink, "Give the target's table a primary key (an invisible AUTO_INCREMENT column will do), or raise keyless_rows_max");
        return err_set(err, ERR_STOP, "%s has about %llu rows and no key on the target: each change would read all of it", name,
                       (unsigned long long)t->rows);
    }
    if (t->triggers) log_warning("sink.triggers", "sink=%s table=%s text=\"triggers on the target fire for delivered rows too: drop them "
                                 "there until cutover\"", s->settings->name, name);
    return true;
}

static void find_twins(struct mysql_sink *s, struct tracked *t)
{
    for (unsigned i = 0; i < PLAN_BUCKETS; i++)
        for (struct tracked *other = s->tracked[i]; other; other = other->next)
            if (other->plan->target == t->plan->target) other->twin = t->twin = true;
}

bool group_track(struct mysql_sink *s, const struct table *table, struct tracked **out, struct err *err)
{
    struct tracked **bucket = &s->tracked[bucket_of(table)];
    for (struct tracked *t = *bucket; t; t = t->next)
        if (t->source == table) return *out = t, true;
    const struct target_table *target;
    struct plan *plan;
    if (s->flight.count && !mysql_settle(s, err)) return false;
    if (!targets_get(s->targets, s->db, table->database, table->name, &target, err) || !check_table(s, table, target, err)) return false;
    if (!plan_new(table, target, s->settings->check_before_image, &plan, err)) return false;
    if (!check_versioned(s, plan, err)) {
        plan_free(plan);
        return false;
    }
    struct tracked *t = calloc(1, sizeof *t);
    if (!t) abort();
    t->source = table;
    t->plan = plan;
    t->last = -1;
    net_init(&t->net);
    find_twins(s, t);
    t->next = *bucket;
    *bucket = t;
    *out = t;
    return true;
}

static void forget_plan(struct mysql_sink *s, struct plan *plan)
{
    for (struct shape *shape = plan->shapes; shape; shape = shape->next)
        for (unsigned i = 0; i < SHAPE_SIZES && s->db; i++)
            if (shape->prepared[i]) db_statement_close(s->db, &shape->statements[i]);
    plan_free(plan);
}

void group_forget(struct mysql_sink *s)
{
    group_clear(s);
    s->held.table = NULL;
    s->purge = (struct purge){0};
    for (unsigned i = 0; i < PLAN_BUCKETS; i++)
        while (s->tracked[i]) {
            struct tracked *t = s->tracked[i];
            s->tracked[i] = t->next;
            forget_plan(s, t->plan);
            net_fini(&t->net);
            free(t);
        }
    s->prepared_count = 0;
    targets_forget(s->targets);
}

/* ---- arrays ---- */

static uint64_t time_of(const struct mysql_sink *s) { return s->version.act == VERSION_ROW ? s->version.us : 0; }

static struct batch *add_batch(struct mysql_sink *s, struct plan *plan, struct shape *shape, uint8_t flags, uint64_t lsn)
{
    struct group *g = &s->group;
    if (g->count == g->room) {
        uint32_t room = g->room ? g->room * 2 : 64;
        g->batches = realloc(g->batches, room * sizeof *g->batches);
        if (!g->batches) abort();
        for (uint32_t i = g->room; i < room; i++) buf_init(&g->batches[i].packet, PACKET_MAX);
        g->room = room;
    }
    struct batch *b = &g->batches[g->count++];
    struct buf packet = b->packet;
    *b = (struct batch){.plan = plan, .shape = shape, .flags = flags, .lsn = lsn, .packet = packet, .time_us = shape ? time_of(s) : 0};
    buf_clear(&b->packet);
    if (shape) shape_begin(shape, plan, &b->packet);
    return b;
}

/* The array that this row may extend, else a new one. */
static struct batch *batch_for(struct mysql_sink *s, struct tracked *t, struct shape *shape, uint8_t flags, uint64_t lsn)
{
    struct group *g = &s->group;
    const struct target_table *target = t->plan->target;
    bool alone = !target->foreign && !target->triggers && !t->shared;
    /* warnings add up from row to row of an array (after n rows with one each: n(n+3)/2 - 1), so rows that warn go one by one */
    bool joins = !(flags & SESSION_LENIENT);
    int64_t at = alone ? t->last : (int64_t)g->count - 1;
    if (at >= 0 && joins) {
        struct batch *b = &g->batches[at];
        if (b->shape == shape && b->flags == flags && b->time_us == time_of(s) && b->packet.size < BATCH_BYTES && b->packet.size < s->packet_max / 2) return b;
    }
    t->last = g->count;
    return add_batch(s, t->plan, shape, flags, lsn);
}

static bool is_zero_enum(const struct column *c, const struct value *v)
{
    return c->kind == COLUMN_ENUM && v->state == VALUE_PRESENT && v->bytes.data[0] == 0 && (v->bytes.size < 2 || v->bytes.data[1] == 0);
}

uint32_t group_warnings(const struct plan *plan, enum change_kind kind, const struct value *after)
{
    const struct table *t = plan->source;
    uint32_t count = 0;
    if (kind == CHANGE_DELETE || plan->target->sequence) return 0;
    for (uint32_t i = 0; i < t->column_count; i++) {
        int at = plan->column[i];
        count += is_zero_enum(&t->columns[i], &after[i]);
        if (kind == CHANGE_INSERT && after[i].state == VALUE_ABSENT) count += at >= 0 && plan->target->columns[at].no_default;
    }
    return count;
}

static bool append(struct mysql_sink *s, struct tracked *t, enum change_kind kind, uint8_t flags, uint64_t lsn, struct slice present, struct slice set,
                   const struct value *before, const struct value *after, struct err *err)
{
    struct shape *shape;
    uint32_t zeros = group_warnings(t->plan, kind, after);
    if (!plan_shape(t->plan, kind, s->version.mode, present, set, before, after, &shape, err)) return false;
    if (zeros || t->plan->noisy) flags |= SESSION_LENIENT;
    if (shape->mode == SHAPE_HISTORY) flags |= SESSION_HISTORY;
    struct batch *b = batch_for(s, t, shape, flags, lsn);
    b->rows++;
    b->warnings += zeros;
    shape_append(shape, t->plan, before, after, &b->packet);
    if (!b->packet.full && b->packet.size <= s->packet_max) return true;
    sink_remedy(s->sink, "SET GLOBAL max_allowed_packet on the target to at least %zu", b->packet.size + 1024);
    return err_set(err, ERR_LIMIT, "LSN %llu: a row of %.*s.%.*s needs a packet of %zu bytes, the target's max_allowed_packet is %llu",
                   (unsigned long long)lsn, SLICE_ARG(t->source->database), SLICE_ARG(t->source->name), b->packet.size,
                   (unsigned long long)s->packet_max);
}

static bool emit_row(struct mysql_sink *s, struct tracked *t, enum change_kind kind, const struct net_row *row, struct row before, struct row after, struct err *err)
{
    struct change change = {.kind = kind, .lsn = row->lsn, .table = t->source, .row_flags = row->flags, .before = before, .after = after};
    struct slice none = {NULL, 0};
    return group_values(s, t->plan, &change, err) && append(s, t, kind, group_flags(&change), row->lsn, none, none, s->before, s->after, err);
}

/* 0: none. */
static bool counter_of(struct mysql_sink *s, const struct tracked *t, const struct net_row *row, uint64_t *value, struct err *err)
{
    bool negative = false;
    struct change change = {.kind = CHANGE_INSERT, .lsn = row->lsn, .table = t->source, .after = row->after};
    if (!group_values(s, t->plan, &change, err)) return false;
    const struct value *v = &s->after[t->plan->counter];
    *value = v->state == VALUE_PRESENT ? value_integer(&t->source->columns[t->plan->counter], v->bytes, &negative) : 0;
    if (negative) *value = 0;
    return true;
}

/* Of rows that came and went, the one whose AUTO_INCREMENT is above all that stay: it comes and goes on the target too, which would give that number out
   again otherwise. */
static bool emit_counted(struct mysql_sink *s, struct tracked *t, struct err *err)
{
    const struct net_row *highest = NULL;
    uint64_t most = 0, value;
    for (uint32_t i = 0; t->plan->counter >= 0 && i < t->net.count; i++) {
        const struct net_row *row = &t->net.rows[i];
        if (row->state != NET_ABSENT && row->state != NET_INSERT) continue;
        if (!counter_of(s, t, row, &value, err)) return false;
        if (value <= most) continue;
        most = value;
        highest = row->state == NET_ABSENT ? row : NULL;
    }
    return !highest || (emit_row(s, t, CHANGE_INSERT, highest, highest->after, highest->after, err) &&
                        emit_row(s, t, CHANGE_DELETE, highest, highest->after, highest->after, err));
}

/* Net changes of one table as arrays: deletes, updates, inserts. */
static bool emit(struct mysql_sink *s, struct tracked *t, struct err *err)
{
    static const struct { enum net_state state; enum change_kind kind; } passes[] = {
        {NET_DELETE, CHANGE_DELETE}, {NET_UPDATE, CHANGE_UPDATE}, {NET_INSERT, CHANGE_INSERT}};
    uint32_t counts[4] = {0};
    for (uint32_t i = 0; i < t->net.count; i++) counts[t->net.rows[i].state]++;
    for (size_t pass = 0; pass < 3; pass++) {
        if (passes[pass].state == NET_INSERT && counts[NET_ABSENT] && !emit_counted(s, t, err)) return false;
        for (uint32_t i = 0; counts[passes[pass].state] && i < t->net.count; i++) {
            struct net_row *row = &t->net.rows[i];
            if (row->state == passes[pass].state && !emit_row(s, t, passes[pass].kind, row, row->before, row->after, err)) return false;
        }
    }
    net_reset(&t->net);
    return true;
}

/* A table has two definitions at once where the source's metadata were changed without a DDL statement between (binlog_row_metadata, a new
   privilege of ours). Rows of both in one group: what was gathered goes first, and from here on both keep the source's order. */
static bool join_twins(struct mysql_sink *s, struct tracked *t, struct err *err)
{
    for (struct tracked *other = s->active; t->twin && other; other = other->next_active) {
        if (other == t || other->plan->target != t->plan->target) continue;
        if (other->net.count && !emit(s, other, err)) return false;
        other->ordered = other->shared = t->ordered = t->shared = true;
    }
    return true;
}

static bool activate(struct mysql_sink *s, struct tracked *t, struct err *err)
{
    if (t->active) return true;
    t->active = true;
    t->ordered = !t->plan->nets;
    t->last = -1;
    t->next_active = s->active;
    s->active = t;
    return join_twins(s, t, err);
}

bool group_build(struct mysql_sink *s, struct err *err)
{
    s->version = (struct version){0};
    for (struct tracked *t = s->active; t; t = t->next_active)
        if (t->net.count && !emit(s, t, err)) return false;
    return true;
}

static uint64_t size_of(const struct change *change)
{
    return 64 + (change->kind == CHANGE_INSERT ? 0 : change->before.image.size) +
           (change->kind == CHANGE_DELETE ? 0 : change->after.image.size);
}

/* ---- history ---- */

static void hold(struct mysql_sink *s, struct tracked *t, const struct change *change)
{
    struct held *h = &s->held;
    arena_reset(&h->arena);
    h->table = t;
    h->change = *change;
    h->version = s->version;
    for (int i = 0; i < 2; i++) {
        struct row *row = i ? &h->change.after : &h->change.before;
        row->image = arena_copy(&h->arena, row->image);
        row->present = arena_copy(&h->arena, row->present);
    }
}

static bool add_row(struct mysql_sink *s, struct tracked *t, const struct change *change, struct err *err);

/* Uses the value arrays. */
static bool release(struct mysql_sink *s, bool made, struct err *err)
{
    struct held *h = &s->held;
    struct tracked *t = h->table;
    h->table = NULL;
    if (!t) return true;
    s->version = h->version;
    s->version.mode = made ? SHAPE_MADE : SHAPE_UNMADE;
    if (!group_values(s, t->plan, &h->change, err)) return false;
    return s->careful_open ? careful_row(s, t, &h->change, err) : add_row(s, t, &h->change, err);
}

static bool purge(struct mysql_sink *s, struct err *err)
{
    struct purge p = s->purge;
    if (!p.plan) return true;
    if (s->careful_open) return careful_purge(s, err);
    s->purge = (struct purge){0};
    for (struct tracked *t = s->active; t; t = t->next_active)
        if (t->plan == p.plan) t->last = -1;
    struct batch *b = add_batch(s, p.plan, NULL, 0, p.lsn);
    b->rows = p.rows;
    version_purge_sql(p.plan, p.us, &b->packet);
    return !b->packet.full || err_set(err, ERR_LIMIT, "LSN %llu: statement too long", (unsigned long long)p.lsn);
}

bool group_let_go(struct mysql_sink *s, struct err *err) { return release(s, false, err) && purge(s, err); }

/* At most one of the two waits: each is let go before the other begins. */
static bool let_go_for(struct mysql_sink *s, const struct tracked *t, const struct change *change, const struct version *v, bool *made, struct err *err)
{
    bool held = s->held.table;
    *made = v->act == VERSION_OLD && s->held.table == t && s->held.version.us == v->us;
    if (held && !release(s, *made, err)) return false;
    if (s->purge.plan && (v->act != VERSION_GONE || s->purge.plan != t->plan) && !purge(s, err)) return false;
    return !held || *made || group_values(s, t->plan, change, err);
}

bool group_version(struct mysql_sink *s, struct tracked *t, const struct change *change, bool *done, struct err *err)
{
    struct version v = {.kind = change->kind};
    bool made;
    if (t->plan->row_end >= 0 && !version_read(t->plan, change->kind, s->before, s->after, &v, err)) return false;
    if (!let_go_for(s, t, change, &v, &made, err)) return false;
    s->version = v;
    *done = made || v.waits || v.act == VERSION_GONE;
    if (v.waits) hold(s, t, change);
    if (v.act == VERSION_GONE) s->purge = (struct purge){t->plan, v.us > s->purge.us ? v.us : s->purge.us, change->lsn, s->purge.rows + 1};
    return true;
}

/* Its values are read, and s->version says how it is said. */
static bool add_row(struct mysql_sink *s, struct tracked *t, const struct change *change, struct err *err)
{
    struct group *g = &s->group;
    enum change_kind kind = s->version.kind;
    uint64_t bytes = size_of(change);
    g->bytes += bytes;
    g->transaction_bytes += bytes;
    g->rows++;
    g->progress.bytes += bytes;
    if (!t->ordered) {
        if (net_add(&t->net, t->plan, change, s->before, s->after)) return true;
        t->ordered = true;
        /* emit uses the value arrays: this change's are read again. */
        if (!emit(s, t, err) || !group_values(s, t->plan, change, err)) return false;
    }
    struct slice none = {NULL, 0};
    return append(s, t, kind, group_flags(change), change->lsn, kind == CHANGE_INSERT ? none : change->before.present,
                  kind == CHANGE_DELETE ? none : change->after.present, s->before, s->after, err);
}

bool group_row(struct mysql_sink *s, const struct change *change, struct err *err)
{
    struct tracked *t;
    bool done;
    s->version = (struct version){0};
    /* what is gathered elsewhere may be emitted at that, which uses the value arrays: they are read last */
    if (!group_track(s, change->table, &t, err) || !activate(s, t, err) || !group_values(s, t->plan, change, err)) return false;
    s->group.progress.rows++;
    s->group.last_lsn = change->lsn;
    return group_version(s, t, change, &done, err) && (done || add_row(s, t, change, err));
}

static bool put_varint_slice(struct buf *out, struct slice bytes)
{
    buf_varint_bytes(out, bytes);
    return !out->full;
}

/* A statement may read any table: everything before it comes before it, and no later row joins an array in front of it. It is kept
   as its fields, because the log lends it for the call only. */
bool group_text(struct mysql_sink *s, const struct change *change, struct err *err)
{
    const struct statement *st = change->statement;
    struct group *g = &s->group;
    if (!group_check_text(s, st, err) || !group_let_go(s, err) || !group_build(s, err)) return false;
    for (struct tracked *t = s->active; t; t = t->next_active) t->last = -1;
    struct batch *b = add_batch(s, NULL, NULL, 0, change->lsn);
    buf_put(&b->packet, st, sizeof *st);
    bool ok = put_varint_slice(&b->packet, st->flavour) && put_varint_slice(&b->packet, st->time_zone) && put_varint_slice(&b->packet, st->user_vars) &&
              put_varint_slice(&b->packet, st->database) && put_varint_slice(&b->packet, st->text);
    uint64_t bytes = 64 + st->text.size;
    g->bytes += bytes;
    g->transaction_bytes += bytes;
    g->progress.bytes += bytes;
    g->progress.statements++;
    g->last_lsn = change->lsn;
    return ok || err_set(err, ERR_LIMIT, "LSN %llu: statement too long", (unsigned long long)change->lsn);
}

static bool send_text(struct mysql_sink *s, const struct batch *b, struct err *err)
{
    struct statement st;
    struct cursor in = cursor_of(buf_bytes(&b->packet));
    memcpy(&st, in.at, sizeof st); /* our own copy, aligned by memcpy */
    cursor_bytes(&in, sizeof st);
    st.flavour = cursor_varint_bytes(&in);
    st.time_zone = cursor_varint_bytes(&in);
    st.user_vars = cursor_varint_bytes(&in);
    st.database = cursor_varint_bytes(&in);
    st.text = cursor_varint_bytes(&in);
    st.tables = st.collations = (struct slice){NULL, 0};
    assert(!in.failed);
    return session_text(s, &st, b->lsn, err) && session_restore(s, err);
}

static bool send_rows(struct mysql_sink *s, struct batch *b, struct err *err)
{
    struct expect expect = {.kind = EXPECT_ROWS, .plan = b->plan, .change = b->shape->kind, .rows = b->rows, .warnings = b->warnings,
                            .lsn = b->lsn};
    return session_flags(s, b->flags, err) && session_time(s, b->time_us, err) && session_rows(s, b->shape, &b->packet, &expect, err) &&
           (!b->plan->noisy || session_replies(s, err)); /* SHOW WARNINGS is about the last statement */
}

static bool send_purge(struct mysql_sink *s, const struct batch *b, struct err *err)
{
    struct expect expect = {.kind = EXPECT_ROWS, .plan = b->plan, .change = CHANGE_DELETE, .rows = b->rows, .lsn = b->lsn};
    return session_send(s, DB_COM_QUERY, buf_bytes(&b->packet), &expect, err);
}

bool group_send(struct mysql_sink *s, struct err *err)
{
    struct group *g = &s->group;
    for (uint32_t i = 0; i < g->count; i++)
        if (g->batches[i].shape && !session_prepare(s, g->batches[i].shape, g->batches[i].rows, err)) return false;
    for (uint32_t i = 0; i < g->count; i++) {
        struct batch *b = &g->batches[i];
        if (!b->shape && !session_flags(s, 0, err)) return false;
        if (!(b->shape ? send_rows(s, b, err) : b->plan ? send_purge(s, b, err) : send_text(s, b, err))) return false;
    }
    return session_flags(s, 0, err) && session_time(s, 0, err);
}

void group_clear(struct mysql_sink *s)
{
    struct group *g = &s->group;
    for (uint32_t i = 0; i < g->count; i++)
        if (g->batches[i].packet.room > 4 * BATCH_BYTES) { /* one very long row should not stay */
            buf_fini(&g->batches[i].packet);
            buf_init(&g->batches[i].packet, PACKET_MAX);
        }
    g->count = 0;
    g->bytes = g->rows = 0;
    while (s->active) {
        struct tracked *t = s->active;
        s->active = t->next_active;
        t->active = t->shared = false;
        t->last = -1;
        net_reset(&t->net);
    }
}
