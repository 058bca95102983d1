/*
 * record.c: see record.h. A row record is a few header bytes and the image, copied as it is: nothing here looks at a
 * value. The sizes are known beforehand, so a record is written in one pass into room reserved once.
 */
#include "record.h"

#include <assert.h>

#include "prepared.h"

enum { ROW_PRESENT_1 = 1, ROW_PRESENT_2 = 2, ROW_HAS_FLAGS = 4, ROW_HAS_TIME = 8 };
enum { ROW_HEAD_MAX = 40, SMALL_RECORD_MAX = 64 << 10 };

/* --- writing --- */

static uint8_t *put_varint(uint8_t *to, uint64_t value)
{
    for (; value >= 0x80; value >>= 7) *to++ = (uint8_t)(value | 0x80);
    *to++ = (uint8_t)value;
    return to;
}

static size_t varint_size(uint64_t value)
{
    return ((size_t)(63 - __builtin_clzll(value | 1)) * 9 + 73) >> 6;
}

static uint8_t *put_bytes(uint8_t *to, struct slice s)
{
    if (s.size) memcpy(to, s.data, s.size);
    return to + s.size;
}

static bool put_row(struct buf *out, const struct change *c, uint32_t begin_timestamp)
{
    static const struct row none = {{NULL, 0}, {NULL, 0}};
    const struct row *one = c->kind == CHANGE_INSERT ? &c->after : &c->before;
    const struct row *two = c->kind == CHANGE_UPDATE ? &c->after : &none;
    uint64_t images = (uint64_t)one->present.size + one->image.size + two->present.size + two->image.size;
    if (__builtin_expect(images > RECORD_MAX - ROW_HEAD_MAX, 0)) return false;
    uint8_t flags = (uint8_t)((one->present.size ? ROW_PRESENT_1 : 0) | (two->present.size ? ROW_PRESENT_2 : 0) |
                              (c->row_flags ? ROW_HAS_FLAGS : 0) | (c->timestamp != begin_timestamp ? ROW_HAS_TIME : 0));
    size_t size = 2 + (c->row_flags != 0) + (flags & ROW_HAS_TIME ? 4u : 0) + varint_size(c->table->id) +
                  (c->kind == CHANGE_UPDATE ? varint_size(one->image.size) : 0) + (size_t)images;
    uint8_t *start = buf_reserve(out, size + 10), *to = start;
    if (!to) return false;
    to = put_varint(to, size);
    *to++ = (uint8_t)c->kind;
    *to++ = flags;
    if (c->row_flags) *to++ = c->row_flags;
    if (flags & ROW_HAS_TIME) {
        memcpy(to, &c->timestamp, 4);
        to += 4;
    }
    to = put_varint(to, c->table->id);
    if (c->kind == CHANGE_UPDATE) to = put_varint(to, one->image.size);
    to = put_bytes(put_bytes(to, one->present), one->image);
    to = put_bytes(put_bytes(to, two->present), two->image);
    out->size += (size_t)(to - start);
    return true;
}

static void put_begin(struct buf *out, const struct change *c)
{
    buf_u8(out, c->is_ddl);
    buf_le(out, c->timestamp, 4);
    buf_le(out, c->server_id, 4);
    gtid_encode(&c->gtid, out);
    buf_varint_bytes(out, c->file);
    buf_varint(out, c->offset);
}

static void put_statement(struct buf *out, const struct change *c)
{
    const struct statement *s = c->statement;
    const uint64_t numbers[] = {s->microseconds, s->thread_id, s->error_code, s->context, s->flags2, s->sql_mode,
                                s->charset_client, s->collation_connection, s->collation_server, s->charset_database,
                                s->lc_time_names, s->auto_increment_increment, s->auto_increment_offset, s->insert_id,
                                s->last_insert_id, s->rand_seed1, s->rand_seed2};
    const struct slice bytes[] = {s->time_zone, s->user_vars, s->collations, s->database, s->text, s->tables, s->flavour};
    buf_u8(out, (uint8_t)s->kind);
    buf_u8(out, s->own_commit);
    buf_le(out, c->timestamp, 4);
    buf_le(out, s->timestamp, 4);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) buf_varint(out, numbers[i]);
    for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++) buf_varint_bytes(out, bytes[i]);
}

static void put_commit(struct buf *out, const struct change *c)
{
    buf_le(out, c->timestamp, 4);
    buf_le(out, c->server_id, 4);
    gtid_encode(&c->gtid, out);
    gtid_encode(&c->commit->previous, out);
    buf_le(out, c->commit->crc, 4);
    buf_varint(out, c->commit->rows);
    buf_le(out, c->commit->received_us, 8);
    source_pos_encode(&c->commit->pos, out);
}

static void put_heartbeat(struct buf *out, const struct change *c)
{
    buf_le(out, c->timestamp, 4);
    source_pos_encode(&c->commit->pos, out);
}

static void put_nothing(struct buf *out, const struct change *c)
{
    (void)out;
    (void)c;
}

typedef void put_fn(struct buf *out, const struct change *change);
static put_fn *const put_body[] = {
    [CHANGE_BEGIN] = put_begin,   [CHANGE_STATEMENT] = put_statement, [CHANGE_COMMIT] = put_commit,
    [CHANGE_ABORT] = put_nothing, [CHANGE_HEARTBEAT] = put_heartbeat,
};

/* The record [body, out->size) gets its kind and size put before it. */
static bool close_record(struct buf *out, size_t body, uint8_t kind)
{
    size_t size = out->size - body + 1, head = varint_size(size) + 1;
    if (out->full || size > RECORD_MAX || !buf_reserve(out, head)) {
        out->size = body;
        out->full = false;
        return false;
    }
    memmove(out->data + body + head, out->data + body, size - 1);
    uint8_t *to = put_varint(out->data + body, size);
    *to = kind;
    out->size += head;
    return true;
}

bool record_put(struct buf *out, const struct change *change, uint32_t begin_timestamp)
{
    if (change->kind >= CHANGE_INSERT && change->kind <= CHANGE_DELETE) return put_row(out, change, begin_timestamp);
    assert(change->kind < sizeof put_body / sizeof *put_body && put_body[change->kind]);
    size_t body = out->size;
    put_body[change->kind](out, change);
    return close_record(out, body, (uint8_t)change->kind);
}

bool record_put_commit(struct buf *out, const struct change *change, uint64_t begin_lsn)
{
    const struct commit *commit = change->commit;
    size_t body = out->size;
    if (commit->xa == XA_NONE) return record_put(out, change, 0);
    put_commit(out, change);
    buf_varint_bytes(out, xid_bytes(&commit->xid));
    if (commit->xa == XA_PREPARED) buf_varint(out, begin_lsn);
    else buf_u8(out, (uint8_t)commit->xa);
    return close_record(out, body, commit->xa == XA_PREPARED ? RECORD_PREPARED : RECORD_COMPLETED);
}

bool record_put_open_xa(struct buf *out, const struct prepared *prepared)
{
    size_t body = out->size;
    buf_varint(out, prepared_open(prepared));
    for (size_t i = 0; i < prepared->count; i++) {
        const struct wal_prepared *p = &prepared->items[i].what;
        if (prepared->items[i].done) continue;
        buf_varint_bytes(out, xid_bytes(&p->xid));
        buf_varint(out, p->lsn);
        gtid_encode(&p->gtid, out);
        buf_le(out, p->timestamp, 4);
        buf_varint(out, p->rows);
    }
    return close_record(out, body, RECORD_OPEN_XA);
}

bool record_put_table(struct buf *out, const struct table *table)
{
    size_t body = out->size;
    buf_varint(out, table->id);
    buf_slice(out, table->encoded);
    return close_record(out, body, CHANGE_TABLE);
}

/* --- reading --- */

struct slice record_take(struct cursor *in)
{
    uint64_t size = cursor_varint(in);
    if (size == 0 || size > RECORD_MAX) in->failed = true;
    return in->failed ? (struct slice){in->end, 0} : cursor_bytes(in, (size_t)size);
}

static const char *get_table(struct record_reader *r, struct cursor *in, struct change *c)
{
    const char *reason = NULL;
    uint64_t id = cursor_varint(in);
    struct slice definition = cursor_rest(in);
    if (in->failed || id > UINT32_MAX) return "impossible table id";
    if (!tables_define(r->tables, (uint32_t)id, definition, &reason)) return reason;
    c->table = tables_get(r->tables, (uint32_t)id);
    return NULL;
}

static const char *get_begin(struct record_reader *r, struct cursor *in, struct change *c)
{
    c->is_ddl = cursor_u8(in) & 1;
    c->timestamp = r->timestamp = cursor_u32(in);
    c->server_id = cursor_u32(in);
    c->gtid = gtid_decode(in);
    c->file = cursor_varint_bytes(in);
    c->offset = cursor_varint(in);
    return NULL;
}

static void get_image(struct cursor *in, const struct table *table, bool bitmap, size_t size, struct row *row)
{
    row->present = bitmap ? cursor_bytes(in, table->null_bytes) : (struct slice){NULL, 0};
    row->image = size == SIZE_MAX ? cursor_rest(in) : cursor_bytes(in, size);
}

static const char *get_row(struct record_reader *r, struct cursor *in, struct change *c)
{
    uint8_t flags = cursor_u8(in);
    c->row_flags = flags & ROW_HAS_FLAGS ? cursor_u8(in) : 0;
    c->timestamp = flags & ROW_HAS_TIME ? cursor_u32(in) : r->timestamp;
    c->table = tables_get(r->tables, (uint32_t)cursor_varint(in));
    if (!c->table) return "row of a table that is not defined";
    if (c->kind == CHANGE_UPDATE) {
        uint64_t size = cursor_varint(in);
        if (size > cursor_left(in)) return "image is longer than its record";
        get_image(in, c->table, flags & ROW_PRESENT_1, (size_t)size, &c->before);
        get_image(in, c->table, flags & ROW_PRESENT_2, SIZE_MAX, &c->after);
    } else {
        get_image(in, c->table, flags & ROW_PRESENT_1, SIZE_MAX, c->kind == CHANGE_INSERT ? &c->after : &c->before);
    }
    return NULL;
}

static const char *get_statement(struct record_reader *r, struct cursor *in, struct change *c)
{
    struct statement *s = &r->statement;
    uint64_t n[17];
    struct slice *const bytes[] = {&s->time_zone, &s->user_vars, &s->collations, &s->database,
                                   &s->text,      &s->tables,    &s->flavour};
    s->kind = (enum statement_kind)cursor_u8(in);
    s->own_commit = cursor_u8(in) & 1;
    c->timestamp = cursor_u32(in);
    s->timestamp = cursor_u32(in);
    for (size_t i = 0; i < sizeof n / sizeof *n; i++) n[i] = cursor_varint(in);
    for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++) *bytes[i] = cursor_varint_bytes(in);
    if (s->kind < STATEMENT_DML || s->kind >= STATEMENT_KINDS) return "unknown kind of statement";
    s->microseconds = (uint32_t)n[0];
    s->thread_id = (uint32_t)n[1];
    s->error_code = (uint32_t)n[2];
    s->context = (uint32_t)n[3];
    s->flags2 = (uint32_t)n[4];
    s->sql_mode = n[5];
    s->charset_client = (uint16_t)n[6];
    s->collation_connection = (uint16_t)n[7];
    s->collation_server = (uint16_t)n[8];
    s->charset_database = (uint16_t)n[9];
    s->lc_time_names = (uint16_t)n[10];
    s->auto_increment_increment = (uint16_t)n[11];
    s->auto_increment_offset = (uint16_t)n[12];
    s->insert_id = n[13];
    s->last_insert_id = n[14];
    s->rand_seed1 = n[15];
    s->rand_seed2 = n[16];
    c->statement = s;
    return NULL;
}

static const char *get_commit(struct record_reader *r, struct cursor *in, struct change *c)
{
    r->commit.xa = XA_NONE;
    c->timestamp = cursor_u32(in);
    c->server_id = cursor_u32(in);
    c->gtid = gtid_decode(in);
    r->commit.previous = gtid_decode(in);
    r->commit.crc = cursor_u32(in);
    r->commit.rows = cursor_varint(in);
    r->commit.received_us = cursor_u64(in);
    c->commit = &r->commit;
    return source_pos_decode(in, &r->commit.pos) ? NULL : "impossible source position";
}

static const char *get_prepared(struct record_reader *r, struct cursor *in, struct change *c)
{
    const char *reason = get_commit(r, in, c);
    if (reason) return reason;
    r->commit.xa = XA_PREPARED;
    if (!xid_take(&r->commit.xid, cursor_varint_bytes(in))) return "impossible name of an XA transaction";
    cursor_varint(in); /* LSN of its BEGIN */
    return NULL;
}

static const char *get_completed(struct record_reader *r, struct cursor *in, struct change *c)
{
    const char *reason = get_commit(r, in, c);
    if (reason) return reason;
    if (!xid_take(&r->commit.xid, cursor_varint_bytes(in))) return "impossible name of an XA transaction";
    r->commit.xa = (enum commit_xa)cursor_u8(in);
    return r->commit.xa == XA_COMMITTED || r->commit.xa == XA_ROLLED_BACK ? NULL : "impossible end of an XA transaction";
}

/* One of OPEN_XA's entries. */
static bool take_open(struct cursor *in, struct wal_prepared *what)
{
    bool ok = xid_take(&what->xid, cursor_varint_bytes(in));
    what->lsn = cursor_varint(in);
    what->gtid = gtid_decode(in);
    what->timestamp = cursor_u32(in);
    what->rows = cursor_varint(in);
    return ok && !in->failed;
}

static const char *get_open_xa(struct record_reader *r, struct cursor *in, struct change *c)
{
    struct wal_prepared what;
    uint64_t count = cursor_varint(in);
    (void)r;
    (void)c;
    if (count > PREPARED_MAX) return "impossible number of prepared XA transactions";
    for (; count; count--)
        if (!take_open(in, &what)) return "impossible prepared XA transaction";
    return NULL;
}

static const char *get_heartbeat(struct record_reader *r, struct cursor *in, struct change *c)
{
    c->timestamp = cursor_u32(in);
    r->commit = (struct commit){.crc = 0};
    c->commit = &r->commit;
    return source_pos_decode(in, &r->commit.pos) ? NULL : "impossible source position";
}

static const char *get_nothing(struct record_reader *r, struct cursor *in, struct change *c)
{
    (void)r;
    (void)in;
    (void)c;
    return NULL;
}

typedef const char *get_fn(struct record_reader *reader, struct cursor *in, struct change *change);
static const struct {
    const char *name;
    get_fn *get;
} kinds[] = {
    [CHANGE_TABLE] = {"table", get_table},         [CHANGE_BEGIN] = {"begin", get_begin},
    [CHANGE_INSERT] = {"insert", get_row},         [CHANGE_UPDATE] = {"update", get_row},
    [CHANGE_DELETE] = {"delete", get_row},         [CHANGE_STATEMENT] = {"statement", get_statement},
    [CHANGE_COMMIT] = {"commit", get_commit},      [CHANGE_ABORT] = {"abort", get_nothing},
    [CHANGE_HEARTBEAT] = {"heartbeat", get_heartbeat},
    [RECORD_PREPARED] = {"prepared", get_prepared}, [RECORD_COMPLETED] = {"completed", get_completed},
    [RECORD_OPEN_XA] = {"open_xa", get_open_xa},
};

const char *record_kind_name(enum change_kind kind)
{
    return kind < sizeof kinds / sizeof *kinds && kinds[kind].name ? kinds[kind].name : "unknown";
}

bool record_get(struct record_reader *reader, struct slice record, struct change *change, const char **reason)
{
    struct cursor in = cursor_of(record);
    uint8_t kind = cursor_u8(&in);
    if (kind >= sizeof kinds / sizeof *kinds || !kinds[kind].get) {
        *reason = "record of an unknown kind";
        return false;
    }
    change->kind = record_commits(kind) ? CHANGE_COMMIT : (enum change_kind)kind;
    *reason = kinds[kind].get(reader, &in, change);
    if (!*reason && in.failed) *reason = "record ends too early";
    if (!*reason && cursor_left(&in)) *reason = "bytes are left over in a record";
    return !*reason;
}

static bool take_prepared(struct cursor *in, struct prepared *prepared, const char **reason)
{
    struct record_reader reader = {.timestamp = 0};
    struct change c = {.kind = CHANGE_COMMIT};
    if ((*reason = get_commit(&reader, in, &c))) return false;
    struct wal_prepared what = {.gtid = c.gtid, .timestamp = c.timestamp, .rows = c.commit->rows};
    bool ok = xid_take(&what.xid, cursor_varint_bytes(in));
    what.lsn = cursor_varint(in);
    if (!ok || in->failed || !prepared_put(prepared, &what)) *reason = "impossible prepared XA transaction";
    return !*reason;
}

static bool take_completed(struct cursor *in, uint64_t lsn, struct prepared *prepared, const char **reason)
{
    struct record_reader reader = {.timestamp = 0};
    struct change c = {.kind = CHANGE_COMMIT};
    *reason = get_completed(&reader, in, &c);
    if (!*reason && !in->failed) prepared_done(prepared, &c.commit->xid, lsn);
    return !*reason;
}

static bool take_open_xa(struct cursor *in, struct prepared *prepared, const char **reason)
{
    struct wal_prepared what;
    for (uint64_t count = cursor_varint(in); count && !*reason; count--)
        if (!take_open(in, &what) || !prepared_put(prepared, &what)) *reason = "impossible prepared XA transaction";
    return !*reason;
}

bool record_get_xa(struct slice record, uint64_t lsn, struct prepared *prepared, const char **reason)
{
    struct cursor in = cursor_of(record);
    uint8_t kind = cursor_u8(&in);
    *reason = NULL;
    switch (kind) {
    case RECORD_PREPARED: return take_prepared(&in, prepared, reason);
    case RECORD_COMPLETED: return take_completed(&in, lsn, prepared, reason);
    case RECORD_OPEN_XA: return take_open_xa(&in, prepared, reason);
    default: return true;
    }
}
