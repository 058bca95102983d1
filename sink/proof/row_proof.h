/*
 * row_proof.h: private to sink/. The rows of every node against the source's, while traffic goes on. One thread per cluster reads the source in chunks of
 * primary key order and the same ranges from every node; each side is hashed by its own server, so that only sums travel.
 *
 *   equal       the sums are the same, or the rows that differed are equal once the node has passed where the source was
 *   in flight   rows that the source keeps changing faster than they can be looked at; they are looked at again next round
 *   different   the source's row did not change between two looks, the node had passed the first one, and its row is another
 *
 * A node is only asked where its sink is up; its place is wolfcdc.position's gtids, read in the same snapshot as the rows. How far a round is
 * (table, key) is kept in a file beside the log, so that a restart goes on there. Source of the method: chunk sums as pt-table-checksum makes them, with
 * the second look instead of a statement that is replicated.
 */
#ifndef WOLFCDC_ROW_PROOF_H
#define WOLFCDC_ROW_PROOF_H
#include <stdatomic.h>

#include "sink.h"

struct proof;

struct proof_options {
    const struct settings *all;          /* the source, and the filter */
    const struct sink_settings *sink;    /* filter, account, speed */
    const char *log_uuid;
    const struct server_settings *nodes; /* count of them: host, port, account */
    const char *const *names;            /* of the nodes, for messages */
    atomic_size_t count;                 /* grows by proof_add */
};

struct proof *proof_new(const struct proof_options *options);
void proof_start(struct proof *proof);
void proof_stop(struct proof *proof);  /* returns within 2 s */
void proof_free(struct proof *proof);
/* One more node, from the next round on; or one that is not compared any more, or again. Any thread, one at a time. */
void proof_add(struct proof *proof, const struct server_settings *node, const char *name);
void proof_leave_out(struct proof *proof, size_t node, bool out);
void proof_status(struct proof *proof, size_t node, struct proof_status *status);
/* A round now, of these tables ("db.table"; NULL: all), of this node (-1: every one), at full speed, in the caller's thread. False: some of it could not be compared
   (ERR_RETRY, ERR_DENIED). aim:
   COUNT    what differs is counted
   REPAIR   rows that differ are made what the source's are (by key, 50 in a transaction that holds the node's sink off, only where the node has passed
            the source's look, and both rows are as they were then). ERR_STOP: differences are left that no row can put right (tables without a key,
            definitions), or, with tables, rows that could not be judged
   CERTIFY  likewise counted, and ERR_STOP when a table was left out or a row could not be judged: with none different, all of it is equal
   *differences: rows that were different; with REPAIR: that were put right. say: progress, may be NULL. */
enum proof_aim { PROOF_COUNT, PROOF_REPAIR, PROOF_CERTIFY };
typedef void proof_say(void *context, const char *format, ...) __attribute__((format(printf, 2, 3)));
MUST_CHECK bool proof_round(struct proof *proof, int node, const struct strings *tables, enum proof_aim aim, proof_say *say, void *context,
                            uint64_t *differences, struct err *err);
/* Each node's definition of a table ("db.table"), beside the source's as it is now. states: one for each node that the proof was given. */
enum definition_state { DEFINED_ALIKE, DEFINED_OTHERWISE, DEFINED_NOT };
MUST_CHECK bool proof_definitions(struct proof *proof, const char *table, bool *on_source, enum definition_state states[], struct err *err);
const char *proof_state_name(enum proof_state state);

#endif
