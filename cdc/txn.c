/* txn.c: see txn.h. */
#include "txn.h"

#include <string.h>

#include "cursor.h"

static void skip_xid(struct cursor *in)
{
    cursor_u32(in);
    size_t parts = cursor_u8(in);
    parts += cursor_u8(in);
    cursor_bytes(in, parts);
}

bool txn_open(struct txn *txn, const struct event *event, const struct gtid_set *set, struct err *err)
{
    struct cursor in = cursor_of(event->body);
    struct gtid gtid = {.server = event->server_id};
    gtid.seq = cursor_u64(&in);
    gtid.domain = cursor_u32(&in);
    uint8_t flags = cursor_u8(&in);
    if (flags & TXN_GROUP_COMMIT) cursor_u64(&in);
    if (flags & (TXN_PREPARED_XA | TXN_COMPLETED_XA)) skip_xid(&in);
    uint8_t extra = cursor_left(&in) ? cursor_u8(&in) : 0;
    if (in.failed || !gtid.seq) return err_set(err, ERR_CORRUPT, "a GTID event that is cut short or has the sequence number 0");
    if (flags & (TXN_PREPARED_XA | TXN_COMPLETED_XA))
        return err_set(err, ERR_UNSUPPORTED, "transaction %u-%u-%llu is an XA transaction in two phases, which this release does not "
                       "capture; what to do: use plain transactions on the source, wait until `XA RECOVER` is empty there, and start "
                       "after the last XA COMMIT", gtid.domain, gtid.server, (unsigned long long)gtid.seq);
    txn->open = true;
    txn->flags = flags;
    txn->extra = extra;
    txn->gtid = gtid;
    txn->previous = gtid_set_get(set, gtid.domain);
    txn->crc = 0;
    txn->changes = txn->statements = 0;
    txn->savepoint_count = 0;
    return true;
}

static bool has_name(const struct txn_savepoint *s, struct slice name)
{
    return s->size == name.size && !memcmp(s->name, name.data, name.size);
}

bool txn_savepoint(struct txn *txn, struct slice name, struct err *err)
{
    struct txn_savepoint *s = txn->savepoints;
    if (name.size > TXN_SAVEPOINT_NAME_MAX) return err_set(err, ERR_LIMIT, "a savepoint's name of %zu bytes", name.size);
    while (s < txn->savepoints + txn->savepoint_count && !has_name(s, name)) s++;
    if (s == txn->savepoints + TXN_SAVEPOINTS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d savepoints in a transaction (TXN_SAVEPOINTS_MAX)", TXN_SAVEPOINTS_MAX);
    if (s == txn->savepoints + txn->savepoint_count) txn->savepoint_count++;
    s->size = (uint32_t)name.size;
    memcpy(s->name, name.data, name.size);
    s->changes = txn->changes;
    return true;
}

bool txn_rollback_to(const struct txn *txn, struct slice name, struct err *err)
{
    for (uint32_t i = 0; i < txn->savepoint_count; i++)
        if (has_name(&txn->savepoints[i], name) && txn->savepoints[i].changes == txn->changes) return true;
    return err_set(err, ERR_STOP, "the transaction takes back only some of its changes (ROLLBACK TO %.*s), and which of them stay depends "
                   "on each table's engine; what to do: keep tables without transactions (MyISAM, Aria) out of transactions with "
                   "savepoints, or exclude them in [filter]; then start after this transaction", SLICE_ARG(name));
}
