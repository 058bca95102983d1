/*
 * proof.h: is the source that we are connected to still the one whose last transaction is in the log? Pure: takes what
 * the decoder makes of the stream, gives a verdict. The stream is asked for from before that transaction, so that it must be
 * the first one of its domain (of a file: the first, of MySQL's GTIDs: among those) to come; its GTID and the CRC over its changes must be those in the log.
 */
#ifndef WOLFCDC_PROOF_H
#define WOLFCDC_PROOF_H
#include "change.h"
#include "err.h"

/* The last transaction in the log, as far as it has to be proven. */
struct proof {
    struct gtid gtid, previous; /* gtid.seq 0: nothing to prove */
    uint32_t crc;
    uint64_t skipped;           /* transactions of other domains seen on the way */
};

enum proof_verdict { PROOF_MORE, PROOF_EQUAL, PROOF_DIFFERENT };

/* Where the stream has to begin: `after` (the position behind the transaction), taken back by that transaction. */
MUST_CHECK bool proof_from(const struct proof *proof, const struct source_pos *after, struct source_pos *from, struct err *err);
/* Whether a source whose binary log ends at `end` can have the transaction; false: it ends before it. */
bool proof_reached(const struct proof *proof, const struct gtid_set *end);
/* One change of the stream, in order. PROOF_DIFFERENT: *err says what is in the log and what came. */
enum proof_verdict proof_take(struct proof *proof, const struct change *change, struct err *err);

#endif
