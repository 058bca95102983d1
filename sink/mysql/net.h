/*
 * net.h: the net change of each key of one table inside a group. Several changes of one row become one, and what is left can go out
 * as deletes, then updates, then inserts, whatever their order was. Pure; one thread.
 *
 *   state    + insert          + update            + delete
 *   ABSENT   INSERT            –                   –              (inserted and deleted again: nothing goes out but what counts, see group.c)
 *   INSERT   –                 INSERT, new image   ABSENT
 *   UPDATE   –                 UPDATE, new image   DELETE, first before image
 *   DELETE   UPDATE            –                   –
 *
 * "–" cannot have happened on the source: the caller then falls back to the source's own order, where the target will say what is
 * wrong. It does so as well when two spellings of one collated key meet, when a text key is not plain ASCII, and when another unique
 * key's value changes: then the order matters.
 */
#ifndef WOLFCDC_NET_H
#define WOLFCDC_NET_H
#include "change.h"
#include "plan.h"

enum net_state { NET_ABSENT, NET_INSERT, NET_UPDATE, NET_DELETE };
struct net_row { /* images are copies, in the net's arena */
    enum net_state state;
    uint8_t flags; /* ROW_… of the source's event: the same for all of one net */
    uint32_t hash, next;
    struct slice key;    /* the key's values, each with its length */
    struct slice folded; /* the same as the target compares them */
    struct row before, after;
    uint64_t lsn;        /* of the first change */
};

struct net {
    struct arena arena;
    uint32_t count, room, buckets;
    struct net_row *rows;   /* in order of the keys' first change */
    uint32_t *heads;        /* index + 1; 0: empty */
    struct buf key, folded; /* of the change at hand */
};

void net_init(struct net *net);
void net_fini(struct net *net);
void net_reset(struct net *net);
/* True: taken. False: the caller must send what this net holds first and then this change, and all later ones of this
   table in the group, in the source's order. */
bool net_add(struct net *net, const struct plan *plan, const struct change *change, const struct value *before,
             const struct value *after);

/* One key value as the target's collation compares it: lower case, without trailing spaces. False when that cannot be said without
   the collation: bytes outside printable ASCII. `bytewise`: only the trailing spaces go. */
bool net_fold(struct slice value, bool bytewise, struct buf *out);

#endif
