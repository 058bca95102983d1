/*
 * hold.h: the row changes of a transaction since its first SAVEPOINT, kept back until it is known whether they stay: when a
 * transaction also touched tables without transactions, the source logs rows that a ROLLBACK TO takes back right behind them.
 * Owned copies of the images; bounded by HOLD_MAX.
 */
#ifndef WOLFCDC_HOLD_H
#define WOLFCDC_HOLD_H
#include "change.h"

enum { HOLD_MAX = 64 << 20 };

void hold_init(struct buf *hold);
/* False when HOLD_MAX is reached; nothing is kept then. */
bool hold_put(struct buf *hold, const struct change *change);
/* The change at *at (starting with 0) into *change, borrowed; false at the end. */
bool hold_next(const struct buf *hold, size_t *at, struct change *change);

#endif
