/*
 * applier.h: what a follower does with the entries that it is sent: strictly in LSN order, each on the next connection of its
 * login database's pool. An entry that fails is skipped and counts as applied; while MariaDB is down it waits, at most a minute
 * for one entry. The last LSN is kept in data_dir/state/applied after each batch. Any thread; one batch at a time.
 */
#ifndef STANDIN_APPLIER_H
#define STANDIN_APPLIER_H
#include "conf.h"
#include "slice.h"

struct applier;
MUST_CHECK bool applier_open(const struct conf *conf, struct applier **out, struct err *err);
uint64_t applier_lsn(struct applier *applier);
/* As it is told in answer to a heartbeat, and over HTTP: 0 until something was executed since the start. */
uint64_t applier_reported(struct applier *applier);
/* Records of a journal. Returns the last LSN applied afterwards; what is not above it was left out. */
uint64_t applier_batch(struct applier *applier, struct slice records);
/* The next connection of that database's pool is left inside a transaction; NULL: all transactions are rolled back. */
void applier_begin(struct applier *applier, const char *database);

#endif
