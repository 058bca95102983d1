/*
 * txn.h: the group of events that one MariaDB GTID (162) opens, and its shape: stand-alone (ended by its one statement), or
 * ended by XID, COMMIT or ROLLBACK. Pure state, no bytes kept.
 */
#ifndef WOLFCDC_TXN_H
#define WOLFCDC_TXN_H
#include "event.h"
#include "gtid.h"

enum { /* flags2 */
    TXN_STANDALONE = 0x01, TXN_GROUP_COMMIT = 0x02, TXN_TRANSACTIONAL = 0x04, TXN_DDL = 0x20, TXN_PREPARED_XA = 0x40,
    TXN_COMPLETED_XA = 0x80
};
enum { /* flags_extra */
    TXN_MULTI_ENGINE = 0x01, TXN_START_ALTER = 0x02, TXN_COMMIT_ALTER = 0x04, TXN_ROLLBACK_ALTER = 0x08, TXN_THREAD_ID = 0x10
};
enum { TXN_SAVEPOINTS_MAX = 64, TXN_SAVEPOINT_NAME_MAX = 256 };

struct txn_savepoint { uint32_t size; uint64_t changes; uint8_t name[TXN_SAVEPOINT_NAME_MAX]; };

struct txn {
    bool open;
    uint8_t flags, extra;
    struct gtid gtid, previous;
    uint32_t crc;
    uint64_t changes;    /* emitted */
    uint64_t statements; /* of them, DML as text */
    uint32_t savepoint_count;
    struct txn_savepoint savepoints[TXN_SAVEPOINTS_MAX];
};

/* Opens the group that a GTID event announces. ERR_CORRUPT; ERR_UNSUPPORTED for XA. */
MUST_CHECK bool txn_open(struct txn *txn, const struct event *event, const struct gtid_set *set, struct err *err);
/* Two-phase ALTER: only COMMIT_ALTER is the change. */
static inline bool txn_is_void(const struct txn *txn) { return txn->extra & (TXN_START_ALTER | TXN_ROLLBACK_ALTER); }
/* SAVEPOINT and ROLLBACK TO. The latter is harmless while nothing was captured in between; else ERR_STOP. */
MUST_CHECK bool txn_savepoint(struct txn *txn, struct slice name, struct err *err);
MUST_CHECK bool txn_rollback_to(const struct txn *txn, struct slice name, struct err *err);

#endif
