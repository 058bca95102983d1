/*
 * prepared.h: the prepared XA transactions whose end has not come: which rows wait in the log, and where. What is in the log says it
 * all: a PREPARED record enters one, a COMPLETED record takes it out, and each segment begins with a list of those that are open then,
 * so that opening the log reads one segment. Retention keeps the rows until their copy behind the completion is durable. No lock, no thread.
 */
#ifndef WOLFCDC_WAL_PREPARED_H
#define WOLFCDC_WAL_PREPARED_H
#include "wal.h"

enum { PREPARED_MAX = 16384 };

struct prepared {
    struct prepared_item { struct wal_prepared what; uint64_t done; /* LSN of its completion; 0: open */ } *items;
    size_t count, room;
};

void prepared_fini(struct prepared *prepared);
/* As many are open as may be. Those that were ended, and whose end is not durable yet, do not count. */
bool prepared_full(const struct prepared *prepared);
/* One more; the same xid again takes the older one's place. False when it is full. */
bool prepared_put(struct prepared *prepared, const struct wal_prepared *what);
/* The open one of that xid, or NULL. */
const struct wal_prepared *prepared_find(const struct prepared *prepared, const struct xid *xid);
/* It was completed by the record with that LSN. */
void prepared_done(struct prepared *prepared, const struct xid *xid, uint64_t lsn);
/* Forgets those whose completion is durable. */
void prepared_prune(struct prepared *prepared, uint64_t durable);
size_t prepared_open(const struct prepared *prepared); /* how many are open */
/* The lowest LSN of rows that are still needed; UINT64_MAX: none. */
uint64_t prepared_oldest(const struct prepared *prepared, uint64_t durable);

#endif
