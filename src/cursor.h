/*
 * cursor.h: the one way to read bytes from outside. Bounded; the first error sticks; every read after it
 * returns zero or an empty slice, so a parser checks once at its end. Never reads past `end`.
 */
#ifndef WOLFCDC_CURSOR_H
#define WOLFCDC_CURSOR_H
#include "slice.h"

struct cursor {
    const uint8_t *at, *end;
    bool failed;
};

/* A cursor always has an address, also over an empty slice that has none. */
static inline struct cursor cursor_of(struct slice s)
{
    const uint8_t *at = s.data ? s.data : (const uint8_t *)"";
    return (struct cursor){at, at + s.size, false};
}
static inline size_t cursor_left(const struct cursor *c) { return (size_t)(c->end - c->at); }
static inline bool cursor_need(struct cursor *c, size_t n)
{
    if (__builtin_expect(cursor_left(c) >= n && !c->failed, 1)) return true;
    c->failed = true;
    c->at = c->end;
    return false;
}
static inline uint64_t cursor_le(struct cursor *c, size_t n) /* n ≤ 8 */
{
    uint64_t v = 0;
    if (!cursor_need(c, n)) return 0;
    memcpy(&v, c->at, n); /* little-endian hosts only: configure checks */
    c->at += n;
    return v;
}
static inline uint8_t cursor_u8(struct cursor *c) { return (uint8_t)cursor_le(c, 1); }
static inline uint16_t cursor_u16(struct cursor *c) { return (uint16_t)cursor_le(c, 2); }
static inline uint32_t cursor_u32(struct cursor *c) { return (uint32_t)cursor_le(c, 4); }
static inline uint64_t cursor_u64(struct cursor *c) { return cursor_le(c, 8); }
static inline struct slice cursor_bytes(struct cursor *c, size_t n)
{
    if (!cursor_need(c, n)) return (struct slice){c->end, 0};
    struct slice s = {c->at, n};
    c->at += n;
    return s;
}
static inline struct slice cursor_rest(struct cursor *c) { return cursor_bytes(c, cursor_left(c)); }
/* Big-endian, n ≤ 8. */
uint64_t cursor_be(struct cursor *c, size_t n);
/* MySQL's packed integer (protocol::LengthEncodedInteger); 251 and 255 as first byte are errors. */
uint64_t cursor_lenenc(struct cursor *c);
/* LEB128, at most 10 bytes: our own log's integers. */
uint64_t cursor_varint(struct cursor *c);
struct slice cursor_lenenc_bytes(struct cursor *c);
struct slice cursor_varint_bytes(struct cursor *c);

#endif
