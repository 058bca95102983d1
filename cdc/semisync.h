/*
 * semisync.h: what a semi-synchronous replica has to say to its source, and when. Pure: no connection, no log.
 *
 * Each packet of such a stream has two bytes before the event: 0xef, and 1 when the source holds the COMMIT of that transaction back
 * until a replica has it. The answer is a packet of its own: 0xef, u8 end position of the event, the binlog file's name. Whether a stream
 * has the two bytes is decided once, by its first packet: that is a ROTATE made up by the server, whose timestamp is 0.
 * An acknowledgement may leave only when the transaction is durable in our log; one for a later position covers the earlier ones.
 */
#ifndef WOLFCDC_SEMISYNC_H
#define WOLFCDC_SEMISYNC_H
#include "gtid.h"
#include "slice.h"

enum { ACKS_MAX = 32 };

struct framing {
    bool decided, on;
    bool asked; /* by the packet stripped last */
};
/* Takes the two bytes off, in place. ERR_CORRUPT. */
MUST_CHECK bool framing_strip(struct framing *framing, struct slice *event, struct err *err);

/* Acknowledgements that wait for the disk, in the order of the stream. */
struct ack {
    uint64_t lsn;     /* durable from here on: it may go */
    uint64_t offset;
    uint64_t since_us;
    char file[SOURCE_FILE_MAX];
};
struct acks {
    unsigned first, count;
    struct ack items[ACKS_MAX];
};
/* With ACKS_MAX waiting the newest gives way: it is covered by this one. */
void acks_put(struct acks *acks, uint64_t lsn, const struct source_pos *pos, uint64_t now_us);
/* The newest that may go, taken out with all before it; false: none yet. */
bool acks_take(struct acks *acks, uint64_t durable, struct ack *ack);
void acks_clear(struct acks *acks);
/* The answer's payload, behind its 0xef. */
void ack_encode(struct buf *out, const char *file, uint64_t offset);

#endif
