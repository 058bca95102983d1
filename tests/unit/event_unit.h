/* event_unit.h: binlog events made by hand, with their header and checksum. */
#ifndef WOLFCDC_EVENT_UNIT_H
#define WOLFCDC_EVENT_UNIT_H
#include "unit.h"

#include <zlib.h>

#include "buf.h"
#include "event.h"

struct maker {
    struct buf out;
    bool checksum;
    uint32_t log_pos; /* 0: as MariaDB 11.4 and later inside a group */
    uint32_t timestamp, server_id;
    uint16_t flags;
};

static inline struct maker maker_new(void)
{
    struct maker m = {.checksum = true, .timestamp = 1700000000, .server_id = 7};
    buf_init(&m.out, 1 << 20);
    return m;
}

/* The event; valid until the next one. */
static inline struct slice maker_event(struct maker *m, uint8_t type, struct slice body)
{
    struct buf *b = &m->out;
    bool summed = m->checksum || type == EVENT_FORMAT_DESCRIPTION;
    buf_clear(b);
    buf_le(b, m->timestamp, 4);
    buf_u8(b, type);
    buf_le(b, m->server_id, 4);
    buf_le(b, EVENT_HEADER + body.size + (summed ? 4 : 0), 4);
    buf_le(b, m->log_pos, 4);
    buf_le(b, m->flags, 2);
    buf_slice(b, body);
    if (summed) buf_le(b, crc32(0, b->data, (uInt)b->size), 4);
    return buf_bytes(b);
}

/* FORMAT_DESCRIPTION as MariaDB 10.11 writes it. */
static inline struct slice maker_format(struct maker *m, const char *version, bool checksum)
{
    static uint8_t body[2 + 50 + 4 + 1 + 171 + 1];
    memset(body, 0, sizeof body);
    body[0] = 4;
    snprintf((char *)body + 2, 50, "%s", version);
    body[56] = EVENT_HEADER;
    body[57 + EVENT_QUERY - 1] = 13;
    body[57 + EVENT_TABLE_MAP - 1] = 8;
    body[sizeof body - 1] = checksum;
    m->checksum = checksum;
    return maker_event(m, EVENT_FORMAT_DESCRIPTION, slice_of(body, sizeof body));
}

#endif
