/*
 * txn.h: the group of events that a GTID (MariaDB's 162; MySQL's 33, 34, 42) opens, and its shape: stand-alone (ended by its one statement), or
 * ended by XID, COMMIT or ROLLBACK. Pure state, no bytes kept.
 */
#ifndef WOLFCDC_TXN_H
#define WOLFCDC_TXN_H
#include "change.h"
#include "event.h"

enum { /* flags2 */
    TXN_STANDALONE = 0x01, TXN_GROUP_COMMIT = 0x02, TXN_TRANSACTIONAL = 0x04, TXN_DDL = 0x20, TXN_PREPARED_XA = 0x40,
    TXN_COMPLETED_XA = 0x80
};
enum { /* flags_extra */
    TXN_MULTI_ENGINE = 0x01, TXN_START_ALTER = 0x02, TXN_COMMIT_ALTER = 0x04, TXN_ROLLBACK_ALTER = 0x08, TXN_THREAD_ID = 0x10
};
enum { TXN_SAVEPOINTS_MAX = 64, TXN_SAVEPOINT_NAME_MAX = 256 };

struct txn_savepoint {
    uint64_t changes; /* emitted before it */
    size_t held;      /* bytes of hold.h before it */
    uint32_t size;
    uint8_t name[TXN_SAVEPOINT_NAME_MAX];
};

struct txn {
    bool open;
    bool announced;      /* its BEGIN has not been emitted yet: MySQL says only with the next event whether it is a DDL statement */
    uint8_t flags, extra;
    struct gtid gtid, previous;
    struct change_sum sum;
    uint64_t changes;    /* emitted */
    uint64_t statements; /* of them, DML as text */
    struct xid xid;      /* of an XA transaction in two phases; size 0: it is none */
    uint32_t savepoint_count;
    struct txn_savepoint savepoints[TXN_SAVEPOINTS_MAX];
};

/* Opens the group that a GTID event announces. ERR_CORRUPT. */
MUST_CHECK bool txn_open(struct txn *txn, const struct event *event, const struct gtid_set *set, struct err *err);
/* MySQL: 33 and 34 (seq stays 0 for an anonymous one), 42. Until BEGIN says otherwise the group is its first statement (TXN_STANDALONE). */
MUST_CHECK bool txn_announce(struct txn *txn, const struct event *event, struct err *err);
/* MySQL before 5.7 without GTIDs: no event announces a group, its BEGIN or its one statement opens it. */
void txn_announce_bare(struct txn *txn);
/* Two-phase ALTER: only COMMIT_ALTER is the change. */
static inline bool txn_is_void(const struct txn *txn) { return txn->extra & (TXN_START_ALTER | TXN_ROLLBACK_ALTER); }
/* SAVEPOINT: `held` bytes are kept back before it. */
MUST_CHECK bool txn_savepoint(struct txn *txn, struct slice name, size_t held, struct err *err);
/* ROLLBACK TO: *held is what stays of the bytes kept back. ERR_STOP when what it takes back has been emitted. */
MUST_CHECK bool txn_rollback_to(struct txn *txn, struct slice name, size_t *held, struct err *err);
/* `held` bytes kept back have been emitted, which may have moved `changes`. */
void txn_flushed(struct txn *txn, size_t held);

#endif
