/*
 * payload.h: TRANSACTION_PAYLOAD (40), a whole transaction in one event: fields of (lenenc type, lenenc length, value), 1 its size, 2 the
 * compression (0 zstd, 255 none), 3 its size when unpacked, until type 0; then events with headers and without checksums. They are
 * unpacked as they are asked for, so that a transaction of any size passes in the room of its largest event. Source: MySQL binlog_event.h.
 */
#ifndef WOLFCDC_PAYLOAD_H
#define WOLFCDC_PAYLOAD_H
#include "err.h"
#include "slice.h"

enum { PAYLOAD_EVENT_MAX = 1 << 30 };

struct payload;
struct payload *payload_new(void); /* owned */
void payload_free(struct payload *payload);
/* Begins with the event's body, which is borrowed until the last event is taken. ERR_CORRUPT, ERR_UNSUPPORTED. */
MUST_CHECK bool payload_open(struct payload *payload, struct slice body, struct err *err);
/* The next event, borrowed until the next call; of size 0 at the end, where all that the fields say has been proved. */
MUST_CHECK bool payload_next(struct payload *payload, struct slice *event, struct err *err);

#endif
