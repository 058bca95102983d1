/* buf.c: see buf.h. */
#include "buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void buf_init(struct buf *buf, size_t max) { *buf = (struct buf){.max = max}; }

void buf_fini(struct buf *buf)
{
    free(buf->data);
    *buf = (struct buf){0};
}

void buf_clear(struct buf *buf)
{
    buf->size = 0;
    buf->full = false;
}

uint8_t *buf_reserve_slow(struct buf *buf, size_t n)
{
    if (buf->full) return NULL;
    if (buf->size > buf->max || n > buf->max - buf->size) {
        buf->full = true;
        return NULL;
    }
    size_t need = buf->size + n, room = buf->room ? buf->room : buf->max < 256 ? buf->max : 256;
    while (room < need) room = room > buf->max / 2 ? buf->max : room * 2;
    if (room > buf->room || !buf->data) {
        uint8_t *data = realloc(buf->data, room);
        if (!data) abort(); /* out of memory ends the process */
        buf->data = data;
        buf->room = room;
    }
    return buf->data + buf->size;
}

void buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    uint8_t *to = n < 0 ? NULL : buf_reserve(buf, (size_t)n + 1);
    if (to) {
        vsnprintf((char *)to, (size_t)n + 1, format, again);
        buf->size += (size_t)n;
    }
    va_end(again);
}

void buf_varint(struct buf *buf, uint64_t value)
{
    uint8_t *to = buf_reserve(buf, 10);
    size_t n = 0;
    if (!to) return;
    for (; value >= 0x80; value >>= 7) to[n++] = (uint8_t)(value | 0x80);
    to[n++] = (uint8_t)value;
    buf->size += n;
}

void buf_varint_bytes(struct buf *buf, struct slice s)
{
    buf_varint(buf, s.size);
    buf_slice(buf, s);
}

void buf_lenenc(struct buf *buf, uint64_t value)
{
    if (value < 251) {
        buf_u8(buf, (uint8_t)value);
    } else if (value < 0x10000) {
        buf_u8(buf, 252);
        buf_le(buf, value, 2);
    } else if (value < 0x1000000) {
        buf_u8(buf, 253);
        buf_le(buf, value, 3);
    } else {
        buf_u8(buf, 254);
        buf_le(buf, value, 8);
    }
}

void buf_lenenc_bytes(struct buf *buf, struct slice s)
{
    buf_lenenc(buf, s.size);
    buf_slice(buf, s);
}

const char *buf_cstr(struct buf *buf)
{
    uint8_t *to = buf_reserve(buf, 1);
    if (!to) return "";
    *to = 0;
    return (const char *)buf->data;
}
