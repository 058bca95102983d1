/*
 * execute.c: see execute.h. COM_STMT_EXECUTE: u4 statement, u1 flags 0, u4 iterations 1; with parameters: a bit each that is NULL, u1 1 "types
 * follow", u2 each, then the values.
 */
#include "execute.h"

#include <assert.h>

enum { PARAMS_MAX = 16384 /* of one statement; the protocol has 65535 */, CURSOR_NONE = 0, TYPES_FOLLOW = 1 };

static const uint32_t sizes[SHAPE_SIZES] = {1, 8, 64};

uint32_t execute_rows(unsigned size) { return sizes[size]; }

unsigned execute_size(const struct shape *shape, uint32_t rows)
{
    unsigned size = SHAPE_SIZES - 1;
    if (!shape->joint) return 0;
    while (size && (sizes[size] > rows || sizes[size] * shape->param_count > PARAMS_MAX)) size--;
    return size;
}

void execute_sql(const struct shape *shape, unsigned size, struct buf *sql)
{
    struct slice row = slice_of(shape->sql.data + shape->head, shape->sql.size - shape->head);
    buf_slice(sql, shape->sql);
    for (uint32_t i = 1; i < sizes[size]; i++) {
        buf_text(sql, shape->joint);
        buf_slice(sql, row);
    }
}

uint32_t execute_params(const struct shape *shape, unsigned size) { return sizes[size] * shape->param_count; }

void execute_append(const struct shape *shape, const struct plan *plan, const struct value *before, const struct value *after, struct buf *rows)
{
    size_t from = rows->size;
    buf_le(rows, 0, 4);
    for (uint16_t i = 0; i < shape->param_count; i++) {
        const struct shape_param *p = &shape->params[i];
        buf_u8(rows, (p->before ? before : after)[p->column].state != VALUE_PRESENT);
    }
    for (uint16_t i = 0; i < shape->param_count; i++) {
        const struct shape_param *p = &shape->params[i];
        const struct value *v = &(p->before ? before : after)[p->column];
        assert(v->state != VALUE_ABSENT); /* the shape names no column that its row has not */
        if (v->state == VALUE_PRESENT) plan->binds[p->column].append(&plan->source->columns[p->column], v->bytes, rows);
    }
    if (rows->full) return;
    uint32_t size = (uint32_t)(rows->size - from - 4);
    memcpy(rows->data + from, &size, 4);
}

static void put_nulls(const struct shape *shape, uint32_t count, struct cursor rows, struct buf *packet)
{
    uint32_t bit = 0;
    uint8_t byte = 0;
    for (uint32_t i = 0; i < count; i++) {
        struct slice row = cursor_bytes(&rows, cursor_u32(&rows));
        for (uint16_t k = 0; k < shape->param_count; k++) {
            byte |= (uint8_t)(row.data[k] << (bit & 7));
            if ((++bit & 7) != 0) continue;
            buf_u8(packet, byte);
            byte = 0;
        }
    }
    if (bit & 7) buf_u8(packet, byte);
}

void execute_packet(const struct shape *shape, unsigned size, struct cursor *rows, struct buf *packet)
{
    uint32_t count = sizes[size];
    buf_le(packet, shape->statements[size].id, 4);
    buf_u8(packet, CURSOR_NONE);
    buf_le(packet, 1, 4);
    if (shape->param_count) {
        put_nulls(shape, count, *rows, packet);
        buf_u8(packet, TYPES_FOLLOW);
        for (uint32_t i = 0; i < count; i++) buf_slice(packet, shape->types);
    }
    for (uint32_t i = 0; i < count; i++) {
        struct slice row = cursor_bytes(rows, cursor_u32(rows));
        assert(!rows->failed && row.size >= shape->param_count);
        buf_put(packet, row.data + shape->param_count, row.size - shape->param_count);
    }
}
