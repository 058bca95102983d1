/* hold.c: see hold.h. The bytes are our own, so that they are copied back without doubt. */
#include "hold.h"

#include <assert.h>

struct held {
    enum change_kind kind;
    uint8_t row_flags;
    uint32_t timestamp, server_id;
    const struct table *table;
    size_t sizes[4]; /* before.present, before.image, after.present, after.image */
};

void hold_init(struct buf *hold) { buf_init(hold, HOLD_MAX); }

bool hold_put(struct buf *hold, const struct change *change)
{
    struct held held = {change->kind, change->row_flags, change->timestamp, change->server_id, change->table, {0}};
    struct slice parts[4] = {change->before.present, change->before.image, change->after.present, change->after.image};
    size_t total = sizeof held;
    for (int i = 0; i < 4; i++) {
        bool has = i < 2 ? change->kind != CHANGE_INSERT : change->kind != CHANGE_DELETE;
        total += held.sizes[i] = has ? parts[i].size : 0;
    }
    if (total > HOLD_MAX - hold->size) return false;
    buf_put(hold, &held, sizeof held);
    for (int i = 0; i < 4; i++) buf_put(hold, parts[i].data, held.sizes[i]);
    return true;
}

bool hold_next(const struct buf *hold, size_t *at, struct change *change)
{
    struct held held;
    struct slice parts[4];
    if (*at == hold->size) return false;
    assert(hold->size - *at >= sizeof held);
    memcpy(&held, hold->data + *at, sizeof held);
    *at += sizeof held;
    for (int i = 0; i < 4; *at += held.sizes[i++]) parts[i] = (struct slice){hold->data + *at, held.sizes[i]};
    assert(*at <= hold->size);
    change->kind = held.kind;
    change->row_flags = held.row_flags;
    change->timestamp = held.timestamp;
    change->server_id = held.server_id;
    change->table = held.table;
    change->before = (struct row){parts[0], parts[1]};
    change->after = (struct row){parts[2], parts[3]};
    return true;
}
