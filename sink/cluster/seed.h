/*
 * seed.h: private to sink/. A node's data anew, while its sink is parked: from a donor that is proven, in one consistent snapshot, or
 * made ready to be given all of the log. The donor's position
 * row is read in the same snapshot, so the copy's LSN is exact. Its own sink rests for the snapshot, and while tables are read that no snapshot holds; then
 * it goes on.
 */
#ifndef WOLFCDC_SEED_H
#define WOLFCDC_SEED_H
#include "row_proof.h"

struct seed_options {
    const struct settings *all;
    const struct sink_settings *sink;     /* filter, position_name */
    const char *log_uuid;
    const struct server_settings *donor, *node;
    proof_say *say;
    void *context;
    bool (*stopping)(void *context);
    /* not for one table: the donor's own sink rests when this returns; goes on */
    bool (*rest_donor)(void *context, struct err *err);
    void (*release_donor)(void *context);
};
/* Every table that is delivered (and views, and the databases): dropped on the node where it is, made as the donor's, filled, with foreign key checks
   off; then wolfcdc.position says *lsn. Statements are not written to the node's binary log when the account may leave them out. A failure leaves the node without a
   position row: its sink says so, and seed can be ordered again. ERR_RETRY: the donor's tables changed meanwhile; tried three times. */
MUST_CHECK bool seed_node(const struct seed_options *options, uint64_t *lsn, struct err *err);
/* The node as it was before the log began: what the source has of tables, views and the like is dropped there, its databases too where nothing else is
   in them, and no position of this sink is left, of any log. donor and the two above: not used. */
MUST_CHECK bool seed_empty(const struct seed_options *options, struct err *err);
/* Why the log in that directory, which is `wal`, is not known to hold all from the source's first transaction on: empty, it does as far as a log can tell. */
MUST_CHECK bool seed_birth(const char *dir, struct wal *wal, char *why, size_t room, struct err *err);
/* One table alone: dropped on the node; with `copy` made as the donor's, and filled. The sinks of both are at rest at one LSN; positions stay. */
MUST_CHECK bool seed_one_table(const struct seed_options *options, const char *database, const char *name, bool copy, struct err *err);

#endif
