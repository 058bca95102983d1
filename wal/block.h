/* block.h: block headers and their data (format.h). Pure functions over bytes. */
#ifndef WOLFCDC_WAL_BLOCK_H
#define WOLFCDC_WAL_BLOCK_H
#include "buf.h"
#include "err.h"
#include "format.h"

struct block {
    uint16_t flags;
    uint8_t compression, end_kind;
    uint64_t first_lsn;
    uint32_t records, commits, raw_size, stored_size;
    uint64_t durable;
    uint32_t first_timestamp, last_timestamp;
    uint64_t wall_us;
    uint32_t before;  /* header CRC of the block before */
    uint32_t data_crc;
    uint32_t crc;     /* of this header: decode sets it, encode returns it */
};

uint32_t crc32c(uint32_t crc, const void *data, size_t size);
/* Returns the header's CRC, which the next block carries as `before`. */
uint32_t block_encode(const struct block *block, uint32_t seed, uint8_t out[BLOCK_HEADER]);
/* Untouched when the bytes are no header under this seed. */
bool block_decode(const uint8_t in[BLOCK_HEADER], uint32_t seed, struct block *block);
static inline bool block_is_after(const struct block *block, uint32_t before, uint64_t lsn)
{
    return block->before == before && block->first_lsn == lsn;
}
/* Appends the data as it is stored to *out; fills compression, sizes, data_crc. */
void block_pack(struct block *block, struct slice raw, bool compress, struct buf *out);
/* The raw bytes: borrowed from `stored` or from *out. False when the data does not check. */
bool block_unpack(const struct block *block, struct slice stored, struct buf *out, struct slice *raw);

#endif
