/* semisync.c: see semisync.h. */
#include "semisync.h"

#include <stdio.h>

enum { FRAME = 0xef, FRAME_BYTES = 2, FRAME_ASKS = 1 };

bool framing_strip(struct framing *framing, struct slice *event, struct err *err)
{
    framing->asked = false;
    if (!framing->decided) framing->on = event->size > FRAME_BYTES && event->data[0] == FRAME;
    framing->decided = true;
    if (!framing->on) return true;
    if (event->size <= FRAME_BYTES || event->data[0] != FRAME || event->data[1] > FRAME_ASKS)
        return err_set(err, ERR_CORRUPT, "a packet of a semi-synchronous stream begins with no 0xef and flag");
    framing->asked = event->data[1] == FRAME_ASKS;
    *event = slice_of(event->data + FRAME_BYTES, event->size - FRAME_BYTES);
    return true;
}

void acks_put(struct acks *acks, uint64_t lsn, const struct source_pos *pos, uint64_t now_us)
{
    bool full = acks->count == ACKS_MAX;
    struct ack *ack = &acks->items[(acks->first + acks->count - full) % ACKS_MAX];
    if (!full) acks->count++;
    if (!full) ack->since_us = now_us;
    ack->lsn = lsn;
    ack->offset = pos->offset;
    snprintf(ack->file, sizeof ack->file, "%s", pos->file);
}

bool acks_take(struct acks *acks, uint64_t durable, struct ack *ack)
{
    bool found = false;
    while (acks->count && acks->items[acks->first].lsn <= durable) {
        uint64_t since_us = found ? ack->since_us : acks->items[acks->first].since_us;
        *ack = acks->items[acks->first];
        ack->since_us = since_us; /* the longest wait of those that it covers */
        acks->first = (acks->first + 1) % ACKS_MAX;
        acks->count--;
        found = true;
    }
    return found;
}

void acks_clear(struct acks *acks) { acks->first = acks->count = 0; }

void ack_encode(struct buf *out, const char *file, uint64_t offset)
{
    buf_le(out, offset, 8);
    buf_slice(out, slice_text(file));
}
