/* payload.c: see payload.h. */
#include "payload.h"

#include <stdlib.h>
#include <zstd.h>

#include "buf.h"
#include "cursor.h"

enum { FIELD_END, FIELD_SIZE, FIELD_COMPRESSION, FIELD_PLAIN_SIZE };
enum { COMPRESSION_ZSTD = 0, COMPRESSION_NONE = 255 };
enum { HEADER = 19, SIZE_AT = 9, CHUNK = 128 << 10 };

struct payload {
    ZSTD_DCtx *zstd;
    bool packed;
    struct cursor in;     /* what is not unpacked yet */
    bool frame_open;      /* the last frame of it has not ended */
    uint64_t total, claimed; /* unpacked; and as the field says, UINT64_MAX: it says nothing */
    struct buf plain;
    size_t at;            /* the next event in it */
};

struct payload *payload_new(void)
{
    struct payload *payload = calloc(1, sizeof *payload);
    if (!payload) abort();
    buf_init(&payload->plain, (size_t)PAYLOAD_EVENT_MAX + 2 * CHUNK);
    return payload;
}

void payload_free(struct payload *payload)
{
    if (!payload) return;
    ZSTD_freeDCtx(payload->zstd);
    buf_fini(&payload->plain);
    free(payload);
}

/* ---- the fields ---- */

struct fields { uint64_t size, compression, plain_size; };

static bool take_fields(struct cursor *in, struct fields *fields)
{
    for (uint64_t type; (type = cursor_lenenc(in)) != FIELD_END && !in->failed;) {
        struct cursor value = cursor_of(cursor_lenenc_bytes(in));
        uint64_t *to = type == FIELD_SIZE ? &fields->size : type == FIELD_COMPRESSION ? &fields->compression :
                       type == FIELD_PLAIN_SIZE ? &fields->plain_size : NULL;
        if (!to) continue; /* each has its length, so that others may come */
        *to = cursor_lenenc(&value);
        in->failed |= value.failed || cursor_left(&value);
    }
    return !in->failed;
}

static void begin(struct payload *payload, struct slice bytes, const struct fields *fields)
{
    payload->in = cursor_of(bytes);
    payload->packed = fields->compression == COMPRESSION_ZSTD;
    payload->frame_open = false;
    payload->total = 0;
    payload->claimed = fields->plain_size;
    payload->at = 0;
    buf_clear(&payload->plain);
    if (!payload->packed) return;
    if (!payload->zstd) payload->zstd = ZSTD_createDCtx();
    if (!payload->zstd) abort();
    ZSTD_DCtx_reset(payload->zstd, ZSTD_reset_session_only);
}

bool payload_open(struct payload *payload, struct slice body, struct err *err)
{
    struct cursor in = cursor_of(body);
    struct fields fields = {UINT64_MAX, UINT64_MAX, UINT64_MAX};
    if (!take_fields(&in, &fields) || fields.compression == UINT64_MAX) return err_set(err, ERR_CORRUPT, "its fields are cut short");
    if (fields.compression != COMPRESSION_ZSTD && fields.compression != COMPRESSION_NONE)
        return err_set(err, ERR_UNSUPPORTED, "its compression, %llu, is unknown to this release; what to do: SET GLOBAL "
                       "binlog_transaction_compression=OFF on the source, and start after it", (unsigned long long)fields.compression);
    struct slice bytes = cursor_rest(&in);
    if (fields.size != bytes.size)
        return err_set(err, ERR_CORRUPT, "%zu bytes follow its fields, which say %llu", bytes.size, (unsigned long long)fields.size);
    begin(payload, bytes, &fields);
    return true;
}

/* ---- the events ---- */

static bool unpack(struct payload *payload, uint8_t *to, size_t room, size_t *got, struct err *err)
{
    ZSTD_inBuffer in = {payload->in.at, cursor_left(&payload->in), 0};
    ZSTD_outBuffer out = {to, room, 0};
    size_t result = ZSTD_decompressStream(payload->zstd, &out, &in);
    if (ZSTD_isError(result)) return err_set(err, ERR_CORRUPT, "its zstd stream is damaged: %s", ZSTD_getErrorName(result));
    payload->frame_open = result != 0;
    payload->in.at += in.pos;
    *got = out.pos;
    return true;
}

/* Some more bytes behind those that are there; *got 0: there are none. */
static bool more(struct payload *payload, size_t *got, struct err *err)
{
    uint8_t *to = buf_reserve(&payload->plain, CHUNK);
    *got = 0;
    if (!to) return err_set(err, ERR_LIMIT, "an event in it is longer than %d bytes (PAYLOAD_EVENT_MAX)", PAYLOAD_EVENT_MAX);
    if (payload->packed && (cursor_left(&payload->in) || payload->frame_open)) {
        /* a call may eat what it gets and give nothing yet; at the end of its input it may still hold something back */
        do {
            if (!unpack(payload, to, CHUNK, got, err)) return false;
        } while (!*got && cursor_left(&payload->in));
    } else if (!payload->packed) {
        *got = cursor_left(&payload->in) < CHUNK ? cursor_left(&payload->in) : CHUNK;
        memcpy(to, cursor_bytes(&payload->in, *got).data, *got);
    }
    payload->plain.size += *got;
    payload->total += *got;
    return true;
}

/* Until n bytes are there, or the end is. */
static bool have(struct payload *payload, size_t n, struct err *err)
{
    struct buf *plain = &payload->plain;
    size_t got = 1, left = plain->size - payload->at;
    if (left >= n) return true;
    if (left) memmove(plain->data, plain->data + payload->at, left);
    plain->size = left;
    payload->at = 0;
    while (got && plain->size < n)
        if (!more(payload, &got, err)) return false;
    return true;
}

static bool check_end(const struct payload *payload, struct err *err)
{
    if (payload->frame_open) return err_set(err, ERR_CORRUPT, "its zstd stream is cut short");
    if (payload->claimed == UINT64_MAX || payload->claimed == payload->total) return true;
    return err_set(err, ERR_CORRUPT, "it unpacks to %llu bytes, and says %llu", (unsigned long long)payload->total,
                   (unsigned long long)payload->claimed);
}

bool payload_next(struct payload *payload, struct slice *event, struct err *err)
{
    if (!have(payload, HEADER, err)) return false;
    size_t left = payload->plain.size - payload->at, size = HEADER;
    *event = (struct slice){NULL, 0};
    if (!left) return check_end(payload, err);
    if (left >= HEADER) {
        struct cursor in = cursor_of(slice_of(payload->plain.data + payload->at + SIZE_AT, 4));
        size = cursor_u32(&in);
        if (size < HEADER) return err_set(err, ERR_CORRUPT, "an event in it says that it has %zu bytes", size);
        if (size > PAYLOAD_EVENT_MAX)
            return err_set(err, ERR_LIMIT, "an event in it of %zu bytes is beyond PAYLOAD_EVENT_MAX, %d", size, PAYLOAD_EVENT_MAX);
        if (!have(payload, size, err)) return false;
        left = payload->plain.size - payload->at;
    }
    if (left < size) return err_set(err, ERR_CORRUPT, "its last event is cut short");
    *event = slice_of(payload->plain.data + payload->at, size);
    payload->at += size;
    return true;
}
