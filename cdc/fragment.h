/*
 * fragment.h: PARTIAL_ROW_DATA (172): a rows event that MariaDB 12.3 cut into pieces, put together again. The first piece begins with that
 * event's own header. Source: MariaDB log_event.h, Partial_rows_log_event: u4 pieces, u4 number (from 1), u1 flags, with flag 1 in the first u8
 * size of the whole, bytes.
 */
#ifndef WOLFCDC_FRAGMENT_H
#define WOLFCDC_FRAGMENT_H
#include "buf.h"
#include "event.h"

enum { FRAGMENTS_MAX = 1 << 30 }; /* bytes of the event */

struct fragments {
    struct buf bytes;
    uint32_t total, seen;  /* total 0: none is open */
    uint64_t size;         /* 0: not said */
};

void fragments_init(struct fragments *fragments);
void fragments_fini(struct fragments *fragments);
void fragments_clear(struct fragments *fragments);
static inline bool fragments_open(const struct fragments *fragments) { return fragments->total; }
/* One piece. *whole: it was the last, and *event is the rows event, borrowed until the next call. ERR_CORRUPT for a piece that is missing, doubled or
   out of order; ERR_LIMIT beyond FRAGMENTS_MAX; ERR_UNSUPPORTED for flags that are unknown. */
MUST_CHECK bool fragments_take(struct fragments *fragments, struct slice body, struct event *event, bool *whole, struct err *err);

#endif
