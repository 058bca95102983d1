/* txn.c: see txn.h. */
#include "txn.h"

#include <string.h>
#include <strings.h>

#include "cursor.h"

static void take_xid(struct cursor *in, struct xid *xid)
{
    const uint8_t *start = in->at;
    cursor_u32(in);
    size_t parts = cursor_u8(in);
    parts += cursor_u8(in);
    cursor_bytes(in, parts);
    if (!in->failed && !xid_take(xid, slice_of(start, (size_t)(in->at - start)))) in->failed = true;
}

bool txn_open(struct txn *txn, const struct event *event, const struct gtid_set *set, struct err *err)
{
    struct cursor in = cursor_of(event->body);
    uint64_t seq = cursor_u64(&in);
    uint32_t domain = cursor_u32(&in);
    uint8_t flags = cursor_u8(&in);
    if (flags & TXN_GROUP_COMMIT) cursor_u64(&in);
    txn->xid.size = 0;
    if (flags & (TXN_PREPARED_XA | TXN_COMPLETED_XA)) take_xid(&in, &txn->xid);
    uint8_t extra = cursor_left(&in) ? cursor_u8(&in) : 0;
    if (in.failed || !seq) return err_set(err, ERR_CORRUPT, "a GTID event that is cut short or has the sequence number 0");
    txn->open = true;
    txn->announced = false;
    txn->flags = flags;
    txn->extra = extra;
    txn->gtid = (struct gtid){.domain = domain, .server = event->server_id, .seq = seq};
    txn->previous = gtid_set_get(set, domain);
    txn->sum = (struct change_sum){0};
    txn->changes = txn->statements = 0;
    txn->savepoint_count = 0;
    return true;
}

/* ---- MySQL ---- */

static void begin(struct txn *txn, const struct gtid *gtid)
{
    txn->open = txn->announced = true;
    txn->flags = TXN_STANDALONE;
    txn->extra = 0;
    txn->gtid = *gtid;
    txn->previous = (struct gtid){.kind = gtid->kind};
    txn->xid.size = 0;
    txn->sum = (struct change_sum){0};
    txn->changes = txn->statements = 0;
    txn->savepoint_count = 0;
}

void txn_announce_bare(struct txn *txn)
{
    struct gtid none = {.kind = GTID_FILE};
    begin(txn, &none);
}

/* The serialization of MySQL 8.3: as many bytes as the first has low bits set before the lowest that is not, and one more. */
static uint64_t take_number(struct cursor *in)
{
    uint8_t first = cursor_u8(in);
    unsigned more = first == 0xff ? 8 : (unsigned)__builtin_ctz(~(unsigned)first);
    uint64_t rest = cursor_le(in, more);
    if (more >= 7) return rest;
    return rest << (7 - more) | first >> (more + 1);
}

static uint64_t take_signed(struct cursor *in)
{
    uint64_t z = take_number(in);
    if (z & 1) in->failed = true; /* no number here is negative */
    return z >> 1;
}

static void take_uuid(struct cursor *in, uint8_t uuid[GTID_UUID_BYTES])
{
    for (size_t i = 0; i < GTID_UUID_BYTES; i++) {
        uint64_t byte = take_number(in);
        if (byte > UINT8_MAX) in->failed = true;
        uuid[i] = (uint8_t)byte;
    }
}

static void take_tag(struct cursor *in, struct gtid *gtid)
{
    struct slice tag = cursor_bytes(in, take_number(in));
    if (tag.size > GTID_TAG_MAX || memchr(tag.data, 0, tag.size)) in->failed = true;
    if (!in->failed && tag.size) memcpy(gtid->tag, tag.data, tag.size);
}

/* Fields come in the order of their numbers; those behind the tag are about the source's own parallel appliers, its clock and its version. */
static bool take_tagged(struct cursor *in, struct gtid *gtid, struct err *err)
{
    enum { VERSION = 1, FLAGS = 0, UUID = 1, NUMBER = 2, TAG = 3, LAST_KNOWN = 11 };
    size_t left = cursor_left(in);
    uint64_t version = take_number(in), size = take_number(in), needed = take_number(in);
    if (!in->failed && (version != VERSION || needed > LAST_KNOWN))
        return err_set(err, ERR_UNSUPPORTED, "a tagged GTID of a newer form (version %llu, field %llu is needed); what to do: upgrade wolfcdc",
                       (unsigned long long)version, (unsigned long long)needed);
    if (size != left) in->failed = true;
    for (uint64_t field, next = 0; !in->failed && cursor_left(in); next = field + 1) {
        field = take_number(in);
        if (field < next) in->failed = true;
        if (field > TAG) break;
        switch (field) {
        case FLAGS: take_number(in); break;
        case UUID: take_uuid(in, gtid->uuid); break;
        case NUMBER: gtid->seq = take_signed(in); break;
        case TAG: take_tag(in, gtid); break;
        }
    }
    return true;
}

bool txn_announce(struct txn *txn, const struct event *event, struct err *err)
{
    struct cursor in = cursor_of(event->body);
    struct gtid gtid = {.kind = GTID_MYSQL};
    if (event->type == EVENT_GTID_TAGGED) {
        if (!take_tagged(&in, &gtid, err)) return false;
    } else {
        cursor_u8(&in); /* may contain statements */
        struct slice uuid = cursor_bytes(&in, GTID_UUID_BYTES);
        if (uuid.size) memcpy(gtid.uuid, uuid.data, uuid.size);
        gtid.seq = cursor_u64(&in);
    }
    bool anonymous = event->type == EVENT_ANONYMOUS_GTID;
    if (in.failed || (!gtid.seq && !anonymous) || gtid.seq >= INT64_MAX)
        return err_set(err, ERR_CORRUPT, "a GTID event that is cut short or has an impossible number");
    if (anonymous) gtid = (struct gtid){.kind = GTID_FILE};
    begin(txn, &gtid);
    return true;
}

/* ---- savepoints ---- */

/* The savepoint of that name, or the place for one more. Names are compared as the server does, without regard to case. */
static struct txn_savepoint *find(struct txn *txn, struct slice name)
{
    struct txn_savepoint *s = txn->savepoints, *end = s + txn->savepoint_count;
    while (s < end && (s->size != name.size || strncasecmp((const char *)s->name, (const char *)name.data, name.size))) s++;
    return s;
}

bool txn_savepoint(struct txn *txn, struct slice name, size_t held, struct err *err)
{
    struct txn_savepoint *s = find(txn, name), *end = txn->savepoints + txn->savepoint_count;
    if (!name.size || name.size > TXN_SAVEPOINT_NAME_MAX) return err_set(err, ERR_CORRUPT, "a savepoint with a name of %zu bytes", name.size);
    if (s < end) { /* the name again: the older one is gone */
        memmove(s, s + 1, (size_t)(end - s - 1) * sizeof *s);
        s = end - 1;
    } else if (txn->savepoint_count == TXN_SAVEPOINTS_MAX) {
        return err_set(err, ERR_LIMIT, "more than %d savepoints in a transaction (TXN_SAVEPOINTS_MAX)", TXN_SAVEPOINTS_MAX);
    } else {
        txn->savepoint_count++;
    }
    s->changes = txn->changes;
    s->held = held;
    s->size = (uint32_t)name.size;
    memcpy(s->name, name.data, name.size);
    return true;
}

bool txn_rollback_to(struct txn *txn, struct slice name, size_t *held, struct err *err)
{
    struct txn_savepoint *s = find(txn, name), *end = txn->savepoints + txn->savepoint_count;
    if (s == end || s->changes != txn->changes)
        return err_set(err, ERR_STOP, "the transaction takes back some of its changes (ROLLBACK TO %.*s) that are statements, or more than "
                       "is kept back for that (HOLD_MAX); what to do: set binlog_format=ROW on the source, keep tables without "
                       "transactions (MyISAM, Aria) out of transactions with savepoints, and start after this transaction",
                       SLICE_ARG(name));
    txn->savepoint_count = (uint32_t)(s - txn->savepoints) + 1;
    *held = s->held;
    return true;
}

void txn_flushed(struct txn *txn, size_t held)
{
    for (uint32_t i = 0; i < txn->savepoint_count; i++) {
        struct txn_savepoint *s = &txn->savepoints[i];
        if (s->held != held) continue; /* all of it was before this savepoint: it can still be gone back to */
        s->held = 0;
        s->changes = txn->changes;
    }
}
