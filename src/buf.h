/*
 * buf.h: a growing byte buffer that knows its maximum from birth. Owned. Growing past the maximum fails and
 * sets `full`; out of memory ends the process. Appends after a failure do nothing, so a builder checks once.
 */
#ifndef WOLFCDC_BUF_H
#define WOLFCDC_BUF_H
#include "slice.h"

struct buf {
    uint8_t *data;
    size_t size, room, max;
    bool full;
};

void buf_init(struct buf *buf, size_t max);
void buf_fini(struct buf *buf);
void buf_clear(struct buf *buf); /* keeps the memory */
/* Room for n more bytes at data + size, or NULL and full. The caller advances size. */
uint8_t *buf_reserve_slow(struct buf *buf, size_t n);
static inline uint8_t *buf_reserve(struct buf *buf, size_t n)
{
    if (__builtin_expect(!buf->full && buf->room - buf->size >= n, 1)) return buf->data + buf->size;
    return buf_reserve_slow(buf, n);
}
static inline void buf_put(struct buf *buf, const void *data, size_t n)
{
    if (n == 0) return; /* nothing may be added to no address, not even 0 */
    uint8_t *to = buf_reserve(buf, n);
    if (to) {
        memcpy(to, data, n);
        buf->size += n;
    }
}
static inline void buf_slice(struct buf *buf, struct slice s) { buf_put(buf, s.data, s.size); }
static inline void buf_text(struct buf *buf, const char *text) { buf_put(buf, text, strlen(text)); }
static inline void buf_le(struct buf *buf, uint64_t value, size_t n) { buf_put(buf, &value, n); }
static inline void buf_u8(struct buf *buf, uint8_t v) { buf_put(buf, &v, 1); }
void buf_printf(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_varint(struct buf *buf, uint64_t value);         /* LEB128 */
void buf_varint_bytes(struct buf *buf, struct slice s);
void buf_lenenc(struct buf *buf, uint64_t value);         /* MySQL packed integer */
void buf_lenenc_bytes(struct buf *buf, struct slice s);
static inline struct slice buf_bytes(const struct buf *buf) { return (struct slice){buf->data, buf->size}; }
/* NUL-terminates (not counted in size) and returns the text. */
const char *buf_cstr(struct buf *buf);

#endif
