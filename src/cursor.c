/* cursor.c: see cursor.h. */
#include "cursor.h"

static uint64_t fail(struct cursor *c)
{
    c->failed = true;
    c->at = c->end;
    return 0;
}

uint64_t cursor_be(struct cursor *c, size_t n)
{
    uint64_t v = 0;
    if (!cursor_need(c, n)) return 0;
    for (size_t i = 0; i < n; i++) v = v << 8 | c->at[i];
    c->at += n;
    return v;
}

uint64_t cursor_lenenc(struct cursor *c)
{
    uint8_t first = cursor_u8(c);
    switch (first) {
    case 252: return cursor_le(c, 2);
    case 253: return cursor_le(c, 3);
    case 254: return cursor_le(c, 8);
    case 251:
    case 255: return fail(c);
    default: return first;
    }
}

uint64_t cursor_varint(struct cursor *c)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = cursor_u8(c);
        if (shift == 63 && byte > 1) break;
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) return v;
    }
    return fail(c);
}

static struct slice take(struct cursor *c, uint64_t n)
{
    if (n > cursor_left(c)) {
        fail(c);
        return (struct slice){c->end, 0};
    }
    return cursor_bytes(c, (size_t)n);
}

struct slice cursor_lenenc_bytes(struct cursor *c) { return take(c, cursor_lenenc(c)); }

struct slice cursor_varint_bytes(struct cursor *c) { return take(c, cursor_varint(c)); }
