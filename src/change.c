/* change.c: see change.h. */
#include "change.h"

#include <isa-l/crc.h>

static uint32_t add(uint32_t crc, struct slice s)
{
    /* libisal's iSCSI CRC is CRC32C; it takes int lengths */
    while (s.size) {
        int n = s.size > (1 << 30) ? 1 << 30 : (int)s.size;
        crc = crc32_iscsi((unsigned char *)s.data, n, crc);
        s.data += n;
        s.size -= (size_t)n;
    }
    return crc;
}

uint32_t change_crc(uint32_t crc, const struct change *change)
{
    uint8_t kind = (uint8_t)change->kind;
    crc = add(crc, slice_of(&kind, 1));
    if (change->kind == CHANGE_STATEMENT) return add(crc, change->statement->text);
    crc = add(crc, change->table->database);
    crc = add(crc, change->table->name);
    if (change->kind != CHANGE_INSERT) crc = add(crc, change->before.image);
    if (change->kind != CHANGE_DELETE) crc = add(crc, change->after.image);
    return crc;
}
