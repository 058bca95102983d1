/* change.c: see change.h. */
#include "change.h"

#include <isa-l/crc.h>

static uint32_t add(uint32_t crc, struct slice s)
{
    while (s.size) { /* libisal's iSCSI CRC is CRC32C; it takes int lengths */
        int n = s.size > (1 << 30) ? 1 << 30 : (int)s.size;
        crc = crc32_iscsi((unsigned char *)s.data, n, crc);
        s.data += n;
        s.size -= (size_t)n;
    }
    return crc;
}

void change_sum_flush(struct change_sum *sum)
{
    sum->crc = add(sum->crc, sum->pending);
    sum->pending = (struct slice){NULL, 0};
}

void change_sum_run(struct change_sum *sum, const struct change *change)
{
    uint8_t head[8] = {(uint8_t)change->kind};
    change_sum_flush(sum);
    sum->run_kind = change->kind;
    if (change->kind == CHANGE_STATEMENT) {
        sum->crc = add(add(sum->crc, slice_of(head, sizeof head)), change->statement->text);
        return;
    }
    sum->run_names = change->table->names_crc;
    memcpy(head + 4, &sum->run_names, 4);
    sum->crc = add(sum->crc, slice_of(head, sizeof head));
}
