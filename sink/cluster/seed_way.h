/*
 * seed_way.h: private to the cluster. How a node gets its data anew: pure.
 *
 *   catch up   its own position is within the log: nothing is dropped, its sink goes on from there
 *   replay     the log holds everything since the source's first transaction: the node is emptied, and given all of it
 *   copy       from another node that is proven
 *
 * The first two need the proof: afterwards every row has been compared, and was equal. No log can show that the source held nothing before its first transaction
 * (its binary log may have been reset, or been switched on late): a replay is made only when the operator says so, never chosen.
 */
#ifndef WOLFCDC_SEED_WAY_H
#define WOLFCDC_SEED_WAY_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum seed_way { SEED_CATCH_UP, SEED_REPLAY, SEED_COPY, SEED_REFUSED, SEED_WAYS };

struct seed_facts {
    bool donor_named, log_named;    /* --from NODE; --from log: not copied in any case */
    bool proof;                     /* rows can be compared */
    bool differs;                   /* the node's were, and are not the source's */
    bool stuck;                     /* its sink cannot go on with what the node holds: a conflict, a table that is not there */
    bool has_position;              /* the node's position row, of this log; its LSN */
    uint64_t position;
    uint64_t first, written;        /* what the log holds */
    const char *not_whole;          /* why the log is not known to begin with the source's first transaction; "": it is. Asked with log_named only */
};

const char *seed_way_name(enum seed_way way);
/* why: in words, of at most `room` bytes. SEED_REFUSED: only with log_named. */
enum seed_way seed_way_choose(const struct seed_facts *facts, char *why, size_t room);

#endif
