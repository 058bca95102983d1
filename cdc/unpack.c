/* unpack.c: see unpack.h. libisal's inflate: about twice zlib's speed on row events. */
#include "unpack.h"

#include <isa-l/igzip_lib.h>
#include <stdlib.h>

#include "cursor.h"

enum { DEFLATE_RATIO_MAX = 1040 }; /* deflate reaches 1032 */

struct unpack {
    struct inflate_state state;
    struct buf plain;
};

struct unpack *unpack_new(void)
{
    struct unpack *unpack = calloc(1, sizeof *unpack);
    if (!unpack) abort();
    buf_init(&unpack->plain, UNPACK_MAX);
    return unpack;
}

void unpack_free(struct unpack *unpack)
{
    if (!unpack) return;
    buf_fini(&unpack->plain);
    free(unpack);
}

static bool inflate(struct unpack *unpack, struct slice zlib, uint32_t head, size_t size, struct err *err)
{
    struct inflate_state *state = &unpack->state;
    buf_clear(&unpack->plain);
    uint8_t *to = buf_reserve(&unpack->plain, size + 1); /* one more, so that too much data shows */
    if (!to) return err_set(err, ERR_LIMIT, "%zu compressed bytes are beyond UNPACK_MAX, %d", size, UNPACK_MAX);
    isal_inflate_init(state);
    state->crc_flag = head;
    state->next_in = (uint8_t *)zlib.data;
    state->avail_in = (uint32_t)zlib.size;
    state->next_out = to;
    state->avail_out = (uint32_t)size + 1;
    int result = isal_inflate(state);
    if (result != ISAL_DECOMP_OK || state->block_state != ISAL_BLOCK_FINISH || state->total_out != size)
        return err_set(err, ERR_CORRUPT, "its compressed part is damaged (%u of %zu bytes, result %d)", state->total_out, size, result);
    unpack->plain.size = size;
    return true;
}

static bool stream(struct unpack *unpack, struct cursor *in, unsigned n, uint32_t head, struct slice *plain, struct err *err)
{
    uint64_t size = cursor_be(in, n);
    struct slice zlib = cursor_rest(in);
    if (in->failed || size > (uint64_t)zlib.size * DEFLATE_RATIO_MAX || zlib.size > UINT32_MAX)
        return err_set(err, ERR_CORRUPT, "%zu compressed bytes cannot hold %llu", zlib.size, (unsigned long long)size);
    if (size >= UNPACK_MAX) return err_set(err, ERR_LIMIT, "%llu compressed bytes are beyond UNPACK_MAX, %d", (unsigned long long)size, UNPACK_MAX);
    if (!inflate(unpack, zlib, head, (size_t)size, err)) return false;
    *plain = buf_bytes(&unpack->plain);
    return true;
}

bool unpack_bytes(struct unpack *unpack, struct slice packed, struct slice *plain, struct err *err)
{
    struct cursor in = cursor_of(packed);
    uint8_t head = cursor_u8(&in), n = head & 7, algorithm = head >> 4 & 7;
    if (!(head & 0x80) || n < 1 || n > 4) return err_set(err, ERR_CORRUPT, "its compressed part begins with %02x", head);
    if (algorithm) return err_set(err, ERR_UNSUPPORTED, "compression algorithm %u is unknown", algorithm);
    return stream(unpack, &in, n, ISAL_ZLIB, plain, err);
}

bool unpack_column(struct unpack *unpack, struct slice packed, struct slice *plain, struct err *err)
{
    enum { METHOD_ZLIB = 8, BARE = 8 };
    struct cursor in = cursor_of(packed);
    if (!packed.size) {
        *plain = packed;
        return true;
    }
    uint8_t head = cursor_u8(&in), n = head & 7;
    if (!head) {
        *plain = cursor_rest(&in);
        return true;
    }
    if (head >> 4 != METHOD_ZLIB)
        return err_set(err, ERR_UNSUPPORTED, "a compressed column's value begins with %02x: its method is unknown to this release", head);
    if (n < 1 || n > 4) return err_set(err, ERR_CORRUPT, "a compressed column's value begins with %02x", head);
    return stream(unpack, &in, n, head & BARE ? ISAL_DEFLATE : ISAL_ZLIB, plain, err);
}
