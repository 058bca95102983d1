/*
 * fork.h: where the history in the log and that of a source part, and what each of the two has behind that place. Asked when a source was
 * found to have diverged, or to lack what we took, so that the operator sees which transactions are at stake.
 */
#ifndef WOLFCDC_FORK_H
#define WOLFCDC_FORK_H
#include <stdatomic.h>

#include "decoder.h"
#include "source.h"
#include "wal.h"

enum {
    FORK_KEPT = 256,       /* transactions of the log, from its end, that are compared */
    FORK_RECORDS = 200000, /* so far back they are looked for */
    FORK_THEIRS_MAX = 256, /* transactions of the source that are listed */
    FORK_MS = 8000,        /* for all of it */
};

struct fork_entry {
    struct gtid gtid;
    uint32_t crc;
    bool there;     /* the source has that number of that server */
    bool same;      /* and the same contents */
};

/* What is known of one domain, in the order of each side. Pure part, for tests. */
struct fork {
    size_t ours_count, theirs_count;
    struct fork_entry ours[FORK_KEPT], theirs[FORK_THEIRS_MAX];
    bool more;      /* the source has more than is listed */
};
/* Marks what the source has by number: `items` is the last one of each writer. Where the stream for the comparison is to begin: behind
   ours[*start]. False: none of ours is there. */
bool fork_mark(struct fork *fork, const struct gtid *items, size_t count, size_t *start);
/* One transaction of the source behind that. */
void fork_take(struct fork *fork, const struct gtid *gtid, uint32_t crc);
/* "the histories part behind 0-1-40: only the log has 0-1-41 to 0-1-42 (2 transactions), only the source has 0-2-41 to 0-2-50 (10)" */
void fork_text(const struct fork *fork, char *text, size_t room);

struct fork_ask {
    const struct source_driver *driver;
    const struct source_settings *settings;
    size_t host;
    struct wal *wal;
    const struct source_pos *pos;
    struct gtid last;
    uint64_t last_lsn;
    const struct filter *filter;
    struct mask *mask;       /* the log has the rows as this leaves them; NULL: as they are */
    struct schema *schema;   /* fork_find's own: names for the mask, where the log of the source has none */
    bool capture_accounts;
    const atomic_bool *stopping;
};
/* Reads the log's end and the source's, over a connection of its own, in at most about FORK_MS. False: nothing could be learned. */
bool fork_find(const struct fork_ask *ask, char *text, size_t room, struct err *err);

#endif
