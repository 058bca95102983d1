/* block.c: see block.h. LZ4's acceleration of 4 takes 27 % of the log's CPU time away and costs 5 % of its size on wide rows; more
   of it loses size faster than it saves time. */
#include "block.h"

#include <assert.h>
#include <isa-l/crc.h>
#include <lz4.h>

enum { LZ4_ACCELERATION = 4 };

static const char magic[4] = {'w', 'B', 'k', '1'};

uint32_t crc32c(uint32_t crc, const void *data, size_t size)
{
    assert(size <= INT32_MAX);
    return ~crc32_iscsi((unsigned char *)(uintptr_t)data, (int)size, ~crc);
}

static uint8_t *put(uint8_t *to, uint64_t value, size_t n)
{
    memcpy(to, &value, n);
    return to + n;
}

static uint64_t take(const uint8_t **from, size_t n)
{
    uint64_t value = 0;
    memcpy(&value, *from, n);
    *from += n;
    return value;
}

uint32_t block_encode(const struct block *b, uint32_t seed, uint8_t out[BLOCK_HEADER])
{
    uint8_t *to = out;
    memcpy(to, magic, sizeof magic);
    to = put(to + sizeof magic, b->flags, 2);
    to = put(to, b->compression, 1);
    to = put(to, b->end_kind, 1);
    to = put(to, b->first_lsn, 8);
    to = put(to, b->records, 4);
    to = put(to, b->commits, 4);
    to = put(to, b->raw_size, 4);
    to = put(to, b->stored_size, 4);
    to = put(to, b->durable, 8);
    to = put(to, b->first_timestamp, 4);
    to = put(to, b->last_timestamp, 4);
    to = put(to, b->wall_us, 8);
    to = put(to, b->before, 4);
    to = put(to, b->data_crc, 4);
    to = put(to, 0, 4);
    uint32_t crc = crc32c(seed, out, BLOCK_HEADER - 4);
    to = put(to, crc, 4);
    assert(to == out + BLOCK_HEADER);
    return crc;
}

bool block_decode(const uint8_t in[BLOCK_HEADER], uint32_t seed, struct block *b)
{
    const uint8_t *from = in + BLOCK_HEADER - 4;
    if (memcmp(in, magic, sizeof magic)) return false;
    uint32_t crc = (uint32_t)take(&from, 4);
    if (crc != crc32c(seed, in, BLOCK_HEADER - 4)) return false;
    from = in + sizeof magic;
    b->flags = (uint16_t)take(&from, 2);
    b->compression = (uint8_t)take(&from, 1);
    b->end_kind = (uint8_t)take(&from, 1);
    b->first_lsn = take(&from, 8);
    b->records = (uint32_t)take(&from, 4);
    b->commits = (uint32_t)take(&from, 4);
    b->raw_size = (uint32_t)take(&from, 4);
    b->stored_size = (uint32_t)take(&from, 4);
    b->durable = take(&from, 8);
    b->first_timestamp = (uint32_t)take(&from, 4);
    b->last_timestamp = (uint32_t)take(&from, 4);
    b->wall_us = take(&from, 8);
    b->before = (uint32_t)take(&from, 4);
    b->data_crc = (uint32_t)take(&from, 4);
    b->crc = crc;
    return true;
}

/* Bytes that LZ4 made of raw, appended to *out; 0 when they are not fewer. */
static size_t compressed(struct slice raw, struct buf *out)
{
    int room = (int)raw.size - 1;
    uint8_t *to = buf_reserve(out, (size_t)room);
    if (!to) return 0;
    int n = LZ4_compress_fast((const char *)raw.data, (char *)to, (int)raw.size, room, LZ4_ACCELERATION);
    return n > 0 ? (size_t)n : 0;
}

void block_pack(struct block *block, struct slice raw, bool compress, struct buf *out)
{
    size_t start = out->size, stored = 0;
    if (compress && raw.size >= BLOCK_COMPRESS_MIN && raw.size <= BLOCK_COMPRESS_MAX) stored = compressed(raw, out);
    block->compression = stored != 0;
    if (stored)
        out->size += stored;
    else
        buf_slice(out, raw);
    assert(!out->full);
    block->raw_size = (uint32_t)raw.size;
    block->stored_size = (uint32_t)(out->size - start);
    block->data_crc = crc32c(0, out->data + start, out->size - start);
}

bool block_unpack(const struct block *block, struct slice stored, struct buf *out, struct slice *raw)
{
    if (stored.size != block->stored_size || crc32c(0, stored.data, stored.size) != block->data_crc) return false;
    if (block->compression == 0) {
        *raw = stored;
        return block->raw_size == block->stored_size;
    }
    if (block->compression != 1 || block->raw_size > BLOCK_COMPRESS_MAX) return false;
    buf_clear(out);
    uint8_t *to = buf_reserve(out, block->raw_size);
    if (!to) return false;
    int n = LZ4_decompress_safe((const char *)stored.data, (char *)to, (int)stored.size, (int)block->raw_size);
    if (n < 0 || (uint32_t)n != block->raw_size) return false;
    out->size = block->raw_size;
    *raw = buf_bytes(out);
    return true;
}
