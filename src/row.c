/*
 * row.c: see row.h. row_take is on capture's hot path: a row without NULLs and with every column present follows the table's
 * plan; any other is walked column by column.
 */
#include "row.h"

#include <assert.h>

#include "row_plan.h"

static bool check_decimal(const struct column *column, const uint8_t *bytes)
{
    static const uint32_t most[10] = {0, 9, 99, 999, 9999, 99999, 999999, 9999999, 99999999, 999999999};
    static const uint8_t size[10] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 4};
    unsigned whole = column->precision - column->scale;
    unsigned parts[2][2] = {{whole % 9, whole / 9}, {column->scale % 9, column->scale / 9}};
    uint32_t flip = bytes[0] & 0x80 ? 0 : 0xff, first = 0x80;
    for (unsigned side = 0; side < 2; side++) {
        unsigned groups = parts[side][1] + (parts[side][0] ? 1 : 0);
        for (unsigned g = 0; g < groups; g++) {
            bool odd = parts[side][0] && (side == 0 ? g == 0 : g == groups - 1);
            unsigned digits = odd ? parts[side][0] : 9;
            uint32_t v = 0;
            for (unsigned i = 0; i < size[digits]; i++, first = 0) v = v << 8 | ((*bytes++ ^ first ^ flip) & 0xff);
            if (v > most[digits]) return false;
        }
    }
    return true;
}

static uint64_t big_endian(const uint8_t *bytes, unsigned n)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < n; i++) v = v << 8 | bytes[i];
    return v;
}

static bool check_date(const struct column *column, const uint8_t *bytes)
{
    uint32_t v = bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16;
    (void)column;
    return (v >> 5 & 15) <= 12 && v >> 9 <= 9999;
}

static bool check_fraction(const struct column *column, const uint8_t *bytes)
{
    static const uint32_t most[4] = {0, 99, 9999, 999999};
    unsigned n = (column->scale + 1u) / 2;
    return big_endian(bytes, n) <= most[n];
}

static bool check_datetime(const struct column *column, const uint8_t *bytes)
{
    uint64_t v = big_endian(bytes, 5);
    if (v < 0x8000000000) return false;
    v -= 0x8000000000;
    uint64_t year_month = v >> 22;
    return (v & 63) <= 59 && (v >> 6 & 63) <= 59 && (v >> 12 & 31) <= 23 && year_month / 13 <= 9999 &&
           check_fraction(column, bytes + 5);
}

static bool check_timestamp(const struct column *column, const uint8_t *bytes) { return check_fraction(column, bytes + 4); }

static bool check_time(const struct column *column, const uint8_t *bytes)
{
    static const uint32_t most[4] = {0, 99, 9999, 999999};
    unsigned n = (column->scale + 1u) / 2;
    int64_t v = (int64_t)big_endian(bytes, 3 + n) - ((int64_t)0x800000 << (8 * n));
    uint64_t m = (uint64_t)(v < 0 ? -v : v), whole = m >> (8 * n), fraction = m & ((1u << (8 * n)) - 1);
    return (whole & 63) <= 59 && (whole >> 6 & 63) <= 59 && (whole >> 12) <= 838 && fraction <= most[n];
}

static bool check_enum(const struct column *column, const uint8_t *bytes)
{
    uint32_t v = bytes[0] | (column->width == 2 ? (uint32_t)bytes[1] << 8 : 0);
    return v <= column->label_count;
}

static row_check_fn *check_of(const struct column *column)
{
    switch (column->kind) {
    case COLUMN_DECIMAL: return check_decimal;
    case COLUMN_DATE: return check_date;
    case COLUMN_TIME: return check_time;
    case COLUMN_DATETIME: return check_datetime;
    case COLUMN_TIMESTAMP: return column->scale ? check_timestamp : NULL;
    case COLUMN_ENUM: return column->label_count ? check_enum : NULL;
    default: return NULL;
    }
}

void row_plan_make(struct table *table)
{
    struct row_plan *plan = arena_alloc(&table->arena, sizeof *plan);
    plan->steps = arena_alloc(&table->arena, (table->column_count + 1) * sizeof *plan->steps);
    plan->checks = arena_alloc(&table->arena, table->column_count * sizeof *plan->checks);
    plan->max_bytes = arena_alloc(&table->arena, table->column_count * sizeof *plan->max_bytes);
    struct row_step *step = plan->steps;
    for (uint32_t i = 0; i < table->column_count; i++) {
        const struct column *c = &table->columns[i];
        plan->checks[i] = check_of(c);
        plan->max_bytes[i] = c->max_bytes ? c->max_bytes : UINT32_MAX;
        if (column_has_prefix(c->kind)) {
            step->prefix = c->width;
            step->max_bytes = plan->max_bytes[i];
            step++;
        } else if (plan->checks[i]) {
            step->check = plan->checks[i];
            step->checked = c->fixed;
            step->column = (uint16_t)i;
            step++;
        } else {
            step->fixed += c->fixed;
        }
    }
    plan->step_count = (uint32_t)(step - plan->steps) + (step->fixed ? 1 : 0);
    table->plan = plan;
}

static inline uint32_t little_endian(const uint8_t *at, unsigned n)
{
    uint32_t v = at[0];
    if (n > 1) v |= (uint32_t)at[1] << 8;
    if (n > 2) v |= (uint32_t)at[2] << 16;
    if (n > 3) v |= (uint32_t)at[3] << 24;
    return v;
}

/* The end of the values, or NULL. */
static const uint8_t *walk_plan(const struct table *table, const uint8_t *at, const uint8_t *end)
{
    const struct row_step *step = table->plan->steps, *last = step + table->plan->step_count;
    for (; step < last; step++) {
        if ((size_t)(end - at) < step->fixed + (size_t)step->prefix + step->checked) return NULL;
        at += step->fixed;
        if (step->prefix) {
            uint32_t n = little_endian(at, step->prefix);
            at += step->prefix;
            if (n > (size_t)(end - at) || n > step->max_bytes) return NULL;
            at += n;
        } else if (step->check) {
            if (!step->check(&table->columns[step->column], at)) return NULL;
            at += step->checked;
        }
    }
    return at;
}

/* One value: its bytes into *value; the place after it, or NULL. Inline: a call for each value of a row with a NULL costs half as much again. */
__attribute__((always_inline)) static inline const uint8_t *walk_value(const struct table *table, uint32_t i, const uint8_t *at,
                                                                       const uint8_t *end, struct slice *value)
{
    const struct column *c = &table->columns[i];
    uint32_t n = c->fixed;
    if (!n) {
        if ((size_t)(end - at) < c->width) return NULL;
        n = little_endian(at, c->width);
        at += c->width;
        if (n > table->plan->max_bytes[i]) return NULL;
    }
    if (n > (size_t)(end - at)) return NULL;
    if (table->plan->checks[i] && !table->plan->checks[i](c, at)) return NULL;
    *value = (struct slice){at, n};
    return at + n;
}

bool row_value_take(const struct table *table, uint32_t column, struct cursor *in, struct slice *bytes)
{
    const uint8_t *at = in->failed ? NULL : walk_value(table, column, in->at, in->end, bytes);
    in->failed = !at;
    in->at = at ? at : in->end;
    return at;
}

static bool bit(const uint8_t *bits, uint32_t i) { return bits[i >> 3] >> (i & 7) & 1; }

static bool all_clear(const uint8_t *bits, uint32_t count)
{
    uint32_t whole = count / 8;
    for (uint32_t i = 0; i < whole; i++)
        if (bits[i]) return false;
    return !(count & 7) || !(bits[whole] & ((1u << (count & 7)) - 1));
}

uint32_t row_present_count(const struct table *table, struct slice present)
{
    if (!present.size) return table->column_count;
    uint32_t n = 0;
    for (uint32_t i = 0; i < table->column_count; i++) n += bit(present.data, i);
    return n;
}

/* Walks an image column by column; values may be NULL. The end of it, or NULL. */
static const uint8_t *walk_columns(const struct table *table, struct slice present, const uint8_t *nulls, const uint8_t *at,
                                   const uint8_t *end, struct value *values)
{
    struct slice bytes;
    for (uint32_t i = 0, k = 0; i < table->column_count; i++) {
        enum value_state state = VALUE_PRESENT;
        bytes = (struct slice){NULL, 0};
        if (present.size && !bit(present.data, i)) state = VALUE_ABSENT;
        else if (bit(nulls, k++)) state = VALUE_NULL;
        else at = walk_value(table, i, at, end, &bytes);
        if (!at) return NULL;
        if (values) values[i] = (struct value){state, bytes};
    }
    return at;
}

struct slice row_take(const struct table *table, struct slice present, struct cursor *in)
{
    uint32_t count = row_present_count(table, present), null_bytes = (count + 7) / 8;
    const uint8_t *start = in->at, *at;
    assert(!present.size || present.size == table->null_bytes);
    if (!cursor_need(in, null_bytes)) return (struct slice){in->end, 0};
    if (count == table->column_count && all_clear(start, count)) at = walk_plan(table, start + null_bytes, in->end);
    else at = walk_columns(table, present, start, start + null_bytes, in->end, NULL);
    if (!at) {
        in->failed = true;
        in->at = in->end;
        return (struct slice){in->end, 0};
    }
    in->at = at;
    return (struct slice){start, (size_t)(at - start)};
}

bool row_values(const struct table *table, const struct row *row, struct value *values)
{
    uint32_t null_bytes = (row_present_count(table, row->present) + 7) / 8;
    const uint8_t *end = row->image.data + row->image.size;
    if ((row->present.size && row->present.size != table->null_bytes) || row->image.size < null_bytes) return false;
    return walk_columns(table, row->present, row->image.data, row->image.data + null_bytes, end, values) == end;
}
