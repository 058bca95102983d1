/*
 * plan.c: see plan.h.
 *
 * A row is addressed by the target's primary key, else by the first unique key without NULLs that the before image holds whole, else by
 * everything that the before image holds, NULL-safe, LIMIT 1. Text is compared by its bytes too in that last case: under most
 * collations 'a' would find 'A'.
 */
#include "plan.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "execute.h"
#include "value.h"

enum { SQL_MAX = 4 << 20 };

static bool map_columns(struct plan *plan, struct err *err)
{
    const struct table *s = plan->source;
    const struct target_table *t = plan->target;
    if (!s->named && s->column_count != t->column_count)
        return err_set(err, ERR_STOP, "%.*s.%.*s: the source sent no column names, and it has %u columns where the target has %u",
                       SLICE_ARG(s->database), SLICE_ARG(s->name), s->column_count, t->column_count);
    for (uint32_t i = 0; i < s->column_count; i++) {
        int at = s->named ? target_column(t, s->columns[i].name) : (int)i;
        plan->column[i] = at;
        plan->binds[i] = bind_of(&s->columns[i], at >= 0 && t->columns[at].is_unsigned);
        plan->lacks |= at < 0 && i < s->column_count - s->hash_count; /* the target makes its own hashes */
    }
    return true;
}

static int source_column(const struct plan *plan, int target)
{
    for (uint32_t i = 0; i < plan->source->column_count; i++)
        if (plan->column[i] == target) return (int)i;
    return -1;
}

/* Both or none. */
static void find_period(struct plan *plan)
{
    plan->row_start = plan->row_end = -1;
    if (!plan->target->versioned) return;
    int start = source_column(plan, plan->target->period[0]), end = source_column(plan, plan->target->period[1]);
    if (start < 0 || end < 0) return;
    plan->row_start = start;
    plan->row_end = end;
}

/* A column that the target lacks may be excluded by [filter]: then no row brings it. */
static bool has_columns(const struct plan *plan, const struct value *values, struct err *err)
{
    const struct table *s = plan->source;
    for (uint32_t i = 0; plan->lacks && values && i < s->column_count - s->hash_count; i++)
        if (plan->column[i] < 0 && values[i].state != VALUE_ABSENT)
            return err_set(err, ERR_STOP, "the target's %.*s.%.*s has no column `%.*s`", SLICE_ARG(s->database), SLICE_ARG(s->name),
                           SLICE_ARG(s->columns[i].name));
    return true;
}

/* The key's columns as the source's; 0 when the source lacks one. */
static uint16_t key_columns(const struct plan *plan, const struct target_key *key, uint16_t *to)
{
    for (uint16_t i = 0; i < key->count; i++) {
        int at = source_column(plan, key->columns[i]);
        if (at < 0) return 0;
        to[i] = (uint16_t)at;
    }
    return key->count;
}

/* Whether equal bytes and equal keys are the same thing, but for what net.c folds itself. */
static bool key_nets(const struct plan *plan)
{
    for (uint16_t i = 0; i < plan->key_count; i++) {
        enum column_kind kind = plan->source->columns[plan->key[i]].kind;
        if (kind == COLUMN_FLOAT || kind == COLUMN_DOUBLE || kind == COLUMN_GEOMETRY || kind == COLUMN_JSON || kind == COLUMN_BLOB)
            return false;
    }
    return plan->key_count > 0;
}

/* False: the counting column is not of the key that nets, so that an insert and a delete could become an update, which counts nothing. */
static bool find_counter(struct plan *plan)
{
    plan->counter = -1;
    for (uint32_t i = 0; i < plan->source->column_count; i++) {
        if (plan->column[i] < 0 || !plan->target->columns[plan->column[i]].counts) continue;
        if (plan->source->columns[i].kind != COLUMN_INT) return false;
        plan->counter = (int)i;
        for (uint16_t k = 0; k < plan->key_count; k++)
            if (plan->key[k] == i) return true;
        return false;
    }
    return true;
}

static void choose_keys(struct plan *plan)
{
    const struct target_table *t = plan->target;
    uint32_t total = 0;
    int address = -1;
    for (uint32_t k = 0; k < t->key_count; k++) {
        total += t->keys[k].count;
        if (address < 0 && t->keys[k].not_null) address = (int)k;
    }
    plan->keyless = address < 0;
    plan->key = arena_alloc(&plan->arena, (total + 1) * sizeof *plan->key);
    plan->others = arena_alloc(&plan->arena, (total + 1) * sizeof *plan->others);
    if (address >= 0) plan->key_count = key_columns(plan, &t->keys[address], plan->key);
    for (uint32_t k = 0; k < t->key_count; k++)
        if ((int)k != address) plan->other_count += key_columns(plan, &t->keys[k], plan->others + plan->other_count);
    bool counted = find_counter(plan);
    plan->nets = key_nets(plan) && counted && !t->foreign && !t->versioned && !t->sequence && !t->triggers && !t->other_unique;
}

bool plan_new(const struct table *source, const struct target_table *target, bool check_before, struct plan **out, struct err *err)
{
    struct plan *plan = calloc(1, sizeof *plan);
    if (!plan) abort();
    arena_init(&plan->arena);
    plan->source = source;
    plan->target = target;
    plan->check_before = check_before;
    plan->binds = arena_alloc(&plan->arena, source->column_count * sizeof *plan->binds);
    plan->column = arena_alloc(&plan->arena, source->column_count * sizeof *plan->column);
    plan->named = arena_alloc(&plan->arena, source->column_count);
    if (!map_columns(plan, err)) {
        plan_free(plan);
        return false;
    }
    choose_keys(plan);
    find_period(plan);
    plan->generated = target->computes;
    *out = plan;
    return true;
}

void plan_free(struct plan *plan)
{
    if (!plan) return;
    arena_fini(&plan->arena);
    free(plan);
}

/* ---- shapes ---- */

static bool is_left_out(const struct plan *plan, uint32_t column) { return plan->column[column] < 0; }

bool plan_is_real(const struct plan *plan, uint32_t column)
{
    enum column_kind kind = plan->source->columns[column].kind;
    return plan->column[column] >= 0 && plan->target->columns[plan->column[column]].real && (kind == COLUMN_FLOAT || kind == COLUMN_DOUBLE);
}

bool plan_is_text(const struct plan *plan, uint32_t column)
{
    enum column_kind kind = plan->source->columns[column].kind;
    return plan->target->columns[plan->column[column]].text && kind != COLUMN_ENUM && kind != COLUMN_SET;
}

static bool assignable(const struct plan *plan, uint32_t column)
{
    return !is_left_out(plan, column) && !plan->target->columns[plan->column[column]].generated;
}

static void put_table(const struct plan *plan, struct buf *sql)
{
    db_quote_name(sql, plan->target->database);
    buf_u8(sql, '.');
    db_quote_name(sql, plan->target->name);
}

static void put_column(const struct plan *plan, uint32_t column, struct buf *sql)
{
    db_quote_name(sql, plan->target->columns[plan->column[column]].name);
}

static void add_param(struct shape *shape, uint32_t column, bool before, bool set)
{
    shape->params[shape->param_count++] = (struct shape_param){(uint16_t)column, before, set};
}

/* A parameter of that column, as the target takes it from a session whose text is binary. MySQL derives a parameter's type from the
   column, and would take an ENUM's number for a label. */
static const char *param(const struct plan *plan, uint32_t column)
{
    enum column_kind kind = plan->source->columns[column].kind;
    bool number = kind == COLUMN_ENUM || kind == COLUMN_SET || kind == COLUMN_BIT;
    if (plan->target->columns[plan->column[column]].json) return "CONVERT(? USING utf8mb4)";
    return number && plan->target->mysql ? "CAST(? AS UNSIGNED)" : "?";
}

static bool is_named(const struct plan *plan, const struct shape *shape, uint32_t column)
{
    bool period = (int)column == plan->row_start || (int)column == plan->row_end;
    return assignable(plan, column) || (period && shape->mode == SHAPE_HISTORY);
}

/* An INSERT names fewer columns where its row brings fewer: MySQL has no arrays, in which a value can be DEFAULT, and a SEQUENCE no defaults. */
static bool names_fewer(const struct plan *plan) { return plan->target->mysql || plan->target->sequence; }

/* The columns that an INSERT names. A table may have none that takes a value, but an array needs a parameter: then a generated one. */
static void add_list(const struct plan *plan, struct shape *shape, const struct value *after)
{
    uint32_t i = 0;
    bool arrays = !names_fewer(plan);
    for (; i < plan->source->column_count; i++)
        if (is_named(plan, shape, i) && (arrays || after[i].state != VALUE_ABSENT)) add_param(shape, i, false, true);
    for (i = 0; i < plan->source->column_count && !shape->param_count && arrays; i++) {
        if (is_left_out(plan, i)) continue;
        add_param(shape, i, false, true);
        shape->by_default = true;
    }
    shape->by_default |= !shape->param_count;
}

/* A row of a SEQUENCE takes the place of the one before, of which a MINIMAL image leaves out what stays as it is. */
static void put_kept(const struct plan *plan, const struct value *after, bool value, struct buf *sql)
{
    for (uint32_t i = 0; i < plan->source->column_count && plan->target->sequence; i++) {
        if (after[i].state != VALUE_ABSENT) continue;
        buf_text(sql, value ? ", (SELECT kept." : ", ");
        put_column(plan, i, sql);
        if (!value) continue;
        buf_text(sql, " FROM (SELECT * FROM ");
        put_table(plan, sql);
        buf_text(sql, ") AS kept)");
    }
}

static void put_list(const struct plan *plan, struct shape *shape, const struct value *after, struct buf *sql)
{
    add_list(plan, shape, after);
    buf_text(sql, shape->mode == SHAPE_REPLACE || (shape->mode == SHAPE_OVERWRITE && shape->by_default) ? "REPLACE INTO " : "INSERT INTO ");
    put_table(plan, sql);
    buf_text(sql, " (");
    for (uint16_t i = 0; i < shape->param_count; i++) {
        if (i) buf_text(sql, ", ");
        put_column(plan, shape->params[i].column, sql);
    }
    put_kept(plan, after, false, sql);
    buf_text(sql, ") VALUES ");
    shape->head = (uint32_t)sql->size;
    for (uint16_t i = 0; i < shape->param_count; i++) {
        buf_text(sql, i ? ", " : "(");
        buf_text(sql, param(plan, shape->params[i].column));
    }
    put_kept(plan, after, true, sql);
    buf_text(sql, shape->param_count ? ")" : "()");
    if (plan->target->mysql && shape->mode == SHAPE_PLAIN) shape->joint = ", ";
}

static void put_overwrite(const struct plan *plan, const struct shape *shape, struct buf *sql)
{
    buf_text(sql, " ON DUPLICATE KEY UPDATE ");
    for (uint16_t i = 0; i < shape->param_count; i++) {
        if (i) buf_text(sql, ", ");
        put_column(plan, shape->params[i].column, sql);
        buf_text(sql, "=VALUES(");
        put_column(plan, shape->params[i].column, sql);
        buf_text(sql, ")");
    }
}

/* Only what the after image holds: an array's IGNORE turns a NULL that is to stay into 0 or '' (MariaDB 10.11). */
static void put_set(const struct plan *plan, struct shape *shape, const struct value *after, struct buf *sql)
{
    bool first = true;
    for (uint32_t i = 0; i < plan->source->column_count; i++) {
        if (!assignable(plan, i) || after[i].state == VALUE_ABSENT) continue;
        buf_text(sql, first ? " SET " : ", ");
        put_column(plan, i, sql);
        buf_u8(sql, '=');
        buf_text(sql, param(plan, i));
        add_param(shape, i, false, true);
        first = false;
    }
    if (!first) return;
    buf_text(sql, " SET "); /* nothing but generated columns: the row is looked for and left as it is */
    put_column(plan, 0, sql);
    buf_u8(sql, '=');
    put_column(plan, 0, sql);
}

/* A row without a key has its row_start among what it is found by. */
static void put_since(const struct plan *plan, struct shape *shape, struct buf *sql)
{
    if (shape->mode != SHAPE_MADE && shape->mode != SHAPE_UNMADE) return;
    bool removes = shape->kind == CHANGE_DELETE;
    buf_text(sql, " AND ");
    put_column(plan, (uint32_t)plan->row_start, sql);
    buf_printf(sql, "%s?", shape->mode == SHAPE_UNMADE ? ">=" : removes ? "<=" : "<");
    add_param(shape, (uint32_t)(removes ? plan->row_end : plan->row_start), false, false);
}

static void put_key(const struct plan *plan, struct shape *shape, struct buf *sql)
{
    const struct target_key *key = &plan->target->keys[shape->key];
    shape->head = (uint32_t)sql->size + sizeof " WHERE " - 1;
    if (plan->target->mysql && shape->kind == CHANGE_DELETE && !plan->check_before) shape->joint = " OR ";
    for (uint16_t i = 0; i < key->count; i++) {
        int column = source_column(plan, key->columns[i]);
        buf_text(sql, i ? " AND " : " WHERE ");
        put_column(plan, (uint32_t)column, sql);
        buf_printf(sql, "=%s", param(plan, (uint32_t)column));
        add_param(shape, (uint32_t)column, true, false);
    }
    put_since(plan, shape, sql);
    shape->one_match = true;
}

/* Among rows that <=> does not tell apart, one whose zeros have the signs of ours, if there is one: some servers store -0 (MariaDB 11.8, MySQL), others 0 for it
   (MariaDB 10.11). ATAN2 sees it. */
static void put_signs(const struct plan *plan, struct shape *shape, const struct value *before, struct buf *sql)
{
    bool any = false;
    for (uint32_t i = 0; i < plan->source->column_count; i++) {
        if (before[i].state == VALUE_ABSENT || is_left_out(plan, i) || !plan_is_real(plan, i)) continue;
        buf_text(sql, any ? "+(ATAN2(0," : " ORDER BY (ATAN2(0,");
        put_column(plan, i, sql);
        buf_text(sql, ")<=>ATAN2(0,?))");
        add_param(shape, i, true, false);
        any = true;
    }
    if (any) buf_text(sql, " DESC");
}

/* NULL-safe, whatever the before image holds; after a key: as a check of the contents. */
static void put_row(const struct plan *plan, struct shape *shape, const struct value *before, struct buf *sql)
{
    bool first = shape->key < 0;
    for (uint32_t i = 0; i < plan->source->column_count; i++) {
        if (before[i].state == VALUE_ABSENT || is_left_out(plan, i) || (int)i == plan->row_end) continue;
        const struct target_column *c = &plan->target->columns[plan->column[i]];
        buf_text(sql, first ? " WHERE " : " AND ");
        if (c->geometry) buf_text(sql, "HEX(");
        put_column(plan, i, sql);
        if (c->geometry || c->json) buf_text(sql, c->geometry ? ")<=>HEX(?)" : "<=>CAST(CONVERT(? USING utf8mb4) AS JSON)");
        else buf_printf(sql, "<=>%s", param(plan, i));
        add_param(shape, i, true, false);
        if (plan_is_text(plan, i)) {
            buf_text(sql, plan->target->mysql ? " AND CAST(" : " AND BINARY "); /* MySQL warns of the operator */
            put_column(plan, i, sql);
            buf_text(sql, plan->target->mysql ? " AS BINARY)<=>?" : "<=>?");
            add_param(shape, i, true, false);
        }
        first = false;
    }
    if (shape->key >= 0) return;
    put_signs(plan, shape, before, sql);
    buf_text(sql, " LIMIT 1");
    shape->one_match = true;
}

static void put_sql(const struct plan *plan, struct shape *shape, const struct value *before, const struct value *after, struct buf *sql)
{
    if (shape->kind == CHANGE_INSERT) {
        put_list(plan, shape, after, sql);
        if (shape->mode == SHAPE_OVERWRITE && !shape->by_default) put_overwrite(plan, shape, sql);
        return;
    }
    buf_text(sql, shape->kind == CHANGE_UPDATE ? "UPDATE " : "DELETE FROM ");
    put_table(plan, sql);
    if (shape->kind == CHANGE_UPDATE) put_set(plan, shape, after, sql);
    if (shape->key >= 0) put_key(plan, shape, sql);
    if (shape->key < 0 || plan->check_before) put_row(plan, shape, before, sql);
}

static bool holds_key(const struct plan *plan, const struct target_key *key, const struct value *before)
{
    for (uint16_t i = 0; i < key->count; i++) {
        int column = source_column(plan, key->columns[i]);
        if (column < 0 || before[column].state != VALUE_PRESENT) return false;
    }
    return true;
}

static int address(const struct plan *plan, const struct value *before)
{
    for (uint32_t k = 0; k < plan->target->key_count; k++)
        if (plan->target->keys[k].not_null && holds_key(plan, &plan->target->keys[k], before)) return (int)k;
    return -1;
}

static bool make_shape(struct plan *plan, struct shape *shape, const struct value *before, const struct value *after, struct err *err)
{
    struct buf sql, types;
    buf_init(&sql, SQL_MAX);
    buf_init(&types, SQL_MAX);
    shape->params = arena_alloc(&plan->arena, 4 * plan->source->column_count * sizeof *shape->params);
    put_sql(plan, shape, before, after, &sql);
    for (uint16_t i = 0; i < shape->param_count; i++) buf_le(&types, plan->binds[shape->params[i].column].type, 2);
    bool ok = !sql.full;
    shape->sql = arena_copy(&plan->arena, buf_bytes(&sql));
    shape->types = arena_copy(&plan->arena, buf_bytes(&types));
    buf_fini(&sql);
    buf_fini(&types);
    return ok || err_set(err, ERR_LIMIT, "%.*s.%.*s: statement too long", SLICE_ARG(plan->source->database), SLICE_ARG(plan->source->name));
}

/* Which columns a row brings, when not all: lent until the next call for this plan. */
static struct slice named(struct plan *plan, const struct value *after)
{
    bool all = true;
    for (uint32_t i = 0; i < plan->source->column_count; i++) {
        plan->named[i] = after[i].state != VALUE_ABSENT;
        all &= plan->named[i] != 0;
    }
    return all ? (struct slice){NULL, 0} : slice_of(plan->named, plan->source->column_count);
}

bool plan_shape(struct plan *plan, enum change_kind kind, enum shape_mode mode, struct slice present, struct slice set,
                const struct value *before, const struct value *after, struct shape **out, struct err *err)
{
    if (!has_columns(plan, kind == CHANGE_INSERT ? NULL : before, err) || !has_columns(plan, kind == CHANGE_DELETE ? NULL : after, err)) return false;
    bool by_set = kind == CHANGE_UPDATE || (kind == CHANGE_INSERT && names_fewer(plan));
    if (kind == CHANGE_INSERT && by_set) set = named(plan, after);
    int key = kind == CHANGE_INSERT ? 0 : present.size || plan->keyless ? address(plan, before) : -2;
    bool whole = kind != CHANGE_INSERT && (key == -1 || plan->check_before);
    for (struct shape *s = plan->shapes; s; s = s->next) {
        if (s->kind != kind || s->mode != mode || (by_set && !slice_equal(s->set, set))) continue;
        if (key == -2 ? !s->present.size : s->key == key && (!whole || slice_equal(s->present, present))) return *out = s, true;
    }
    struct shape *shape = arena_alloc(&plan->arena, sizeof *shape);
    *shape = (struct shape){.kind = kind, .mode = mode, .key = key == -2 ? address(plan, before) : key};
    if (whole) shape->present = arena_copy(&plan->arena, present);
    if (by_set) shape->set = arena_copy(&plan->arena, set);
    if (!make_shape(plan, shape, before, after, err)) return false;
    shape->next = plan->shapes;
    plan->shapes = shape;
    *out = shape;
    return true;
}

void shape_begin(const struct shape *shape, const struct plan *plan, struct buf *packet)
{
    if (plan->target->mysql) return;
    buf_le(packet, shape->statements[0].id, 4);
    buf_le(packet, 128, 2); /* types follow */
    buf_slice(packet, shape->types);
}

void shape_append(const struct shape *shape, const struct plan *plan, const struct value *before, const struct value *after,
                  struct buf *packet)
{
    if (plan->target->mysql) {
        execute_append(shape, plan, before, after, packet);
        return;
    }
    for (uint16_t i = 0; i < shape->param_count; i++) {
        const struct shape_param *p = &shape->params[i];
        const struct value *v = &(p->before ? before : after)[p->column];
        if (shape->by_default) {
            buf_u8(packet, BIND_DEFAULT);
        } else if (v->state == VALUE_PRESENT) {
            buf_u8(packet, BIND_VALUE);
            plan->binds[p->column].append(&plan->source->columns[p->column], v->bytes, packet);
        } else if (v->state == VALUE_NULL) {
            buf_u8(packet, BIND_NULL);
        } else {
            assert(shape->kind == CHANGE_INSERT); /* an update assigns what its after image has, and nothing else */
            buf_u8(packet, BIND_DEFAULT);
        }
    }
}

static void describe_value(const struct column *column, const struct value *value, struct buf *out)
{
    char text[VALUE_TEXT_MAX];
    bool negative = false;
    if (value->state != VALUE_PRESENT) {
        buf_text(out, "NULL");
    } else if (column->kind == COLUMN_BIT || column->kind == COLUMN_ENUM || column->kind == COLUMN_SET) {
        buf_printf(out, "%llu", (unsigned long long)value_integer(column, value->bytes, &negative));
    } else if (column->fixed || column->kind >= COLUMN_UUID) {
        buf_put(out, text, value_text(column, value->bytes, text));
    } else {
        buf_u8(out, '\'');
        for (size_t i = 0; i < value->bytes.size && i < 64; i++) {
            uint8_t c = value->bytes.data[i];
            if (c >= 32 && c < 127) buf_u8(out, c);
            else buf_printf(out, "\\x%02x", c);
        }
        buf_text(out, value->bytes.size > 64 ? "…'" : "'");
    }
}

void plan_describe(const struct plan *plan, const struct value *values, char *text, size_t room)
{
    struct buf out;
    uint32_t count = plan->key_count ? plan->key_count : plan->source->column_count;
    buf_init(&out, 64 << 10);
    for (uint32_t i = 0; i < count && out.size < room; i++) {
        uint32_t column = plan->key_count ? plan->key[i] : i;
        if (values[column].state == VALUE_ABSENT || is_left_out(plan, column)) continue;
        if (out.size) buf_text(&out, ", ");
        buf_printf(&out, "`%.*s`=", SLICE_ARG(plan->target->columns[plan->column[column]].name));
        describe_value(&plan->source->columns[column], &values[column], &out);
    }
    snprintf(text, room, "%s", buf_cstr(&out));
    buf_fini(&out);
}
