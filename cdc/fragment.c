/* fragment.c: see fragment.h. */
#include "fragment.h"

#include <inttypes.h>
#include <isa-l/crc.h>
#include <string.h>

#include "cursor.h"

enum { FLAG_SIZE = 1 };

void fragments_init(struct fragments *f)
{
    *f = (struct fragments){0};
    buf_init(&f->bytes, FRAGMENTS_MAX);
}

void fragments_fini(struct fragments *f) { buf_fini(&f->bytes); }

void fragments_clear(struct fragments *f)
{
    f->total = f->seen = 0;
    f->size = 0;
    buf_fini(&f->bytes); /* rare and large: not kept */
    buf_init(&f->bytes, FRAGMENTS_MAX);
}

/* Whether the piece is the one that must come now; opens the event with the first. */
static bool in_order(struct fragments *f, uint32_t total, uint32_t seq, struct err *err)
{
    if (!seq || seq > total) return err_set(err, ERR_CORRUPT, "piece %u of %u of a rows event", seq, total);
    if (!fragments_open(f) && seq != 1) return err_set(err, ERR_CORRUPT, "piece %u of %u of a rows event whose first piece did not come", seq, total);
    if (fragments_open(f) && (total != f->total || seq != f->seen + 1))
        return err_set(err, ERR_CORRUPT, "piece %u of %u of a rows event behind piece %u of %u: one is missing, doubled or out of order", seq, total,
                       f->seen, f->total);
    f->total = total;
    f->seen = seq;
    return true;
}

/* The length in the event's own header has 32 bits, so the pieces say how long it is. Whether it has a checksum of its own, beside those of
   the pieces, is told by the bytes. */
static bool open_event(struct fragments *f, struct event *event, struct err *err)
{
    struct slice all = buf_bytes(&f->bytes);
    if (f->size && all.size < f->size)
        return err_set(err, ERR_CORRUPT, "the pieces of a rows event have %zu bytes, of %" PRIu64, all.size, f->size);
    if (f->size && all.size > f->size && all.size != f->size + EVENT_CHECKSUM)
        return err_set(err, ERR_CORRUPT, "the pieces of a rows event have %zu bytes, more than its %" PRIu64, all.size, f->size);
    if (all.size < EVENT_HEADER + EVENT_CHECKSUM) return err_set(err, ERR_CORRUPT, "the pieces of a rows event have %zu bytes", all.size);
    uint32_t stored, found = crc32_gzip_refl(0, all.data, all.size - EVENT_CHECKSUM);
    memcpy(&stored, all.data + all.size - EVENT_CHECKSUM, sizeof stored);
    struct cursor in = cursor_of(slice_of(all.data, all.size - (stored == found || (f->size && all.size > f->size) ? EVENT_CHECKSUM : 0u)));
    struct event e = {.raw = all};
    e.timestamp = cursor_u32(&in);
    e.type = cursor_u8(&in);
    e.server_id = cursor_u32(&in);
    cursor_u32(&in); /* its length */
    e.log_pos = cursor_u32(&in);
    e.flags = cursor_u16(&in);
    e.body = cursor_rest(&in);
    *event = e;
    return true;
}

bool fragments_take(struct fragments *f, struct slice body, struct event *event, bool *whole, struct err *err)
{
    struct cursor in = cursor_of(body);
    uint32_t total = cursor_u32(&in), seq = cursor_u32(&in);
    uint8_t flags = cursor_u8(&in);
    uint64_t size = flags & FLAG_SIZE && seq == 1 ? cursor_u64(&in) : 0;
    struct slice bytes = cursor_rest(&in);
    if (in.failed || !bytes.size) return err_set(err, ERR_CORRUPT, "a piece of a rows event that is cut short");
    if (flags & ~FLAG_SIZE) return err_set(err, ERR_UNSUPPORTED, "a piece of a rows event with the flags 0x%02x; what to do: upgrade wolfcdc", flags);
    if (!in_order(f, total, seq, err)) return false;
    if (seq == 1) f->size = size;
    if (f->size > FRAGMENTS_MAX || bytes.size > FRAGMENTS_MAX - f->bytes.size)
        return err_set(err, ERR_LIMIT, "a rows event in %u pieces of more than %d bytes (FRAGMENTS_MAX); what to do: lower binlog_row_event_max_size on "
                       "the source, or change fewer rows with one statement, and start after this transaction", total, FRAGMENTS_MAX);
    buf_slice(&f->bytes, bytes);
    *whole = seq == total;
    return !*whole || open_event(f, event, err);
}
