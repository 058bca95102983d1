/*
 * change.c: see change.h. The CRC is CRC32C. Per row it costs one step for kind and names (their CRC is known from the
 * table) and one per eight bytes; a call of libisal per part had cost 55 ns a row.
 */
#include "change.h"

#include <isa-l/crc.h>

enum { SHORT_BYTES = 512 }; /* above it libisal's three interleaved streams win */

static uint32_t add_long(uint32_t crc, struct slice s)
{
    while (s.size) { /* libisal takes int lengths */
        int n = s.size > (1 << 30) ? 1 << 30 : (int)s.size;
        crc = crc32_iscsi((unsigned char *)s.data, n, crc);
        s.data += n;
        s.size -= (size_t)n;
    }
    return crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t add_short(uint32_t crc, const uint8_t *at, size_t size)
{
    uint64_t wide = crc, word;
    for (; size >= 8; at += 8, size -= 8) {
        memcpy(&word, at, 8);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    crc = (uint32_t)wide;
    for (; size; size--) crc = __builtin_ia32_crc32qi(crc, *at++);
    return crc;
}
static bool has_crc_instruction(void) { return __builtin_cpu_supports("sse4.2"); }
#else
static uint32_t add_short(uint32_t crc, const uint8_t *at, size_t size) { return add_long(crc, slice_of(at, size)); }
static bool has_crc_instruction(void) { return false; }
#endif

static uint32_t add(uint32_t crc, struct slice s)
{
    if (s.size > SHORT_BYTES || !has_crc_instruction()) return add_long(crc, s);
    return add_short(crc, s.data, s.size);
}

uint32_t change_crc(uint32_t crc, const struct change *change)
{
    uint8_t head[8] = {(uint8_t)change->kind};
    if (change->kind == CHANGE_STATEMENT) {
        crc = add(crc, slice_of(head, sizeof head));
        return add(crc, change->statement->text);
    }
    memcpy(head + 4, &change->table->names_crc, 4);
    crc = add(crc, slice_of(head, sizeof head));
    if (change->kind != CHANGE_INSERT) crc = add(crc, change->before.image);
    if (change->kind != CHANGE_DELETE) crc = add(crc, change->after.image);
    return crc;
}
