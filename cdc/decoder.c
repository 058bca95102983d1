/*
 * decoder.c: see decoder.h. One handler per event type (fate.def); the group's state is in txn, the table maps in map,
 * row images come from rows, statements from query and ddl. Nothing is allocated per event.
 *
 * d->commit.pos is the position after the last whole transaction: it moves at a group's end, and with the file while no
 * group is open. d->file_offset is the stream's own place, the end of the last event; 0 throughout in a log that is kept inside InnoDB (MariaDB 12.3,
 * binlog_storage_engine), whose events say no place: GTIDs alone are positions there.
 */
#include "decoder.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "ddl.h"
#include "event.h"
#include "filter.h"
#include "fragment.h"
#include "hold.h"
#include "layout.h"
#include "map.h"
#include "mask.h"
#include "names.h"
#include "payload.h"
#include "rows.h"
#include "query.h"
#include "temporary.h"
#include "txn.h"
#include "unpack.h"

struct decoder {
    struct decoder_options options;
    struct event_format format;
    struct commit commit;       /* commit.pos: see above */
    uint64_t file_offset, event_offset; /* end and start of the current event */
    uint64_t begin_offset;      /* MySQL: start of the group at hand */
    struct txn txn;
    struct buf hold;            /* row changes since the first SAVEPOINT */
    struct maps *maps;
    struct unpack *unpack;
    struct layout *layout;
    struct payload *payload;
    struct fragments fragments; /* of a rows event in pieces */
    struct context context;
    struct ddl ddl;
    struct temporaries *temporaries;
    struct change change;       /* filled anew for each kind, never cleared */
    struct decoder_stats stats;
    uint32_t version;           /* 101119 */
    bool relay;                 /* the stream is a replica's relay log */
    bool forget_schema;         /* at the next group's start */
};

enum { BINLOG_START = 4 }; /* the first event stands behind the magic */

typedef bool handler_fn(struct decoder *d, const struct event *event, enum decoder_note *note, struct err *err);
static handler_fn *const handlers[EVENT_TYPES];

struct decoder *decoder_new(const struct decoder_options *options, const struct source_pos *pos)
{
    struct decoder *d = calloc(1, sizeof *d);
    if (!d) abort();
    struct maps_options maps = {.filter = options->filter, .schema = options->schema, .context = options->context};
    d->options = *options;
    d->format = event_format_default(options->mariadb, options->checksum);
    d->format.explicit_timestamp = options->explicit_timestamp;
    source_pos_copy(&d->commit.pos, pos);
    d->file_offset = pos->offset;
    d->maps = maps_new(&maps);
    d->unpack = unpack_new();
    d->layout = layout_new();
    d->payload = payload_new();
    context_init(&d->context);
    ddl_init(&d->ddl);
    d->temporaries = options->temporaries ? options->temporaries : temporaries_new();
    hold_init(&d->hold);
    fragments_init(&d->fragments);
    return d;
}

void decoder_free(struct decoder *decoder)
{
    if (!decoder) return;
    maps_free(decoder->maps);
    unpack_free(decoder->unpack);
    layout_free(decoder->layout);
    payload_free(decoder->payload);
    context_fini(&decoder->context);
    ddl_fini(&decoder->ddl);
    if (!decoder->options.temporaries) temporaries_free(decoder->temporaries);
    buf_fini(&decoder->hold);
    fragments_fini(&decoder->fragments);
    free(decoder);
}

bool decoder_in_transaction(const struct decoder *decoder) { return decoder->txn.open; }
const struct source_pos *decoder_pos(const struct decoder *decoder) { return &decoder->commit.pos; }
const struct decoder_stats *decoder_stats(const struct decoder *decoder) { return &decoder->stats; }
const char *decoder_server_version(const struct decoder *decoder) { return decoder->format.version; }
void decoder_forget_schema(struct decoder *decoder) { decoder->forget_schema = true; }

/* ---- the group ---- */

static bool emit(struct decoder *d, struct err *err) { return d->options.emit(d->options.context, &d->change, err); }

static bool in_group(const struct decoder *d) { return d->txn.open && !d->txn.announced; }

static bool outside_group(struct err *err)
{
    return err_set(err, ERR_CORRUPT, "it stands outside of a transaction; what to do: start at the beginning of a transaction");
}

static void close_group(struct decoder *d)
{
    d->txn.open = false;
    buf_clear(&d->hold);
    if (fragments_open(&d->fragments)) fragments_clear(&d->fragments);
    d->commit.pos.offset = d->file_offset;
    maps_close(d->maps);
    context_clear(&d->context);
}

/* The source took the whole group back, or (cut) it has no end: it will come again. */
static bool abort_group(struct decoder *d, enum decoder_note *note, struct err *err)
{
    d->change.kind = CHANGE_ABORT;
    d->change.gtid = d->txn.gtid;
    *note = DECODER_ABORT;
    close_group(d);
    return emit(d, err);
}

static bool emit_row(struct decoder *d, struct err *err)
{
    change_sum_add(&d->txn.sum, &d->change);
    d->txn.changes++;
    d->stats.rows++;
    return emit(d, err);
}

/* What was kept back since a SAVEPOINT stays. */
static bool flush(struct decoder *d, struct err *err)
{
    size_t at = 0;
    while (hold_next(&d->hold, &at, &d->change))
        if (!emit_row(d, err)) return false;
    change_sum_flush(&d->txn.sum);
    txn_flushed(&d->txn, d->hold.size);
    buf_clear(&d->hold);
    return true;
}

/* The position moves behind the group. */
static bool pass_group(struct decoder *d, struct err *err)
{
    struct gtid_set *set = &d->commit.pos.gtids;
    if (d->txn.gtid.kind != GTID_FILE) return gtid_set_put(set, d->txn.gtid, err);
    struct gtid next = d->txn.gtid;
    next.seq = d->file_offset; /* the set says where the next one begins */
    return gtid_set_put(set, next, err);
}

/* `xa`: what the end means for the XA transaction xid. */
static bool end_group(struct decoder *d, const struct event *event, enum commit_xa xa, const struct xid *xid, enum decoder_note *note,
                      struct err *err)
{
    if (d->hold.size && !flush(d, err)) return false;
    if (!pass_group(d, err)) return false;
    close_group(d);
    d->commit.previous = d->txn.previous;
    d->commit.xa = xa;
    if (xid) d->commit.xid = *xid;
    if (xa == XA_COMMITTED || xa == XA_ROLLED_BACK) { /* its end is all that the group says */
        uint8_t end = (uint8_t)xa;
        change_sum_bytes(&d->txn.sum, slice_of(&end, 1));
        change_sum_flush(&d->txn.sum);
        change_sum_bytes(&d->txn.sum, xid_bytes(xid));
    }
    change_sum_flush(&d->txn.sum);
    d->commit.crc = d->txn.sum.crc;
    d->commit.rows = d->txn.changes;
    d->change.kind = CHANGE_COMMIT;
    d->change.gtid = d->txn.gtid;
    d->change.timestamp = event->timestamp;
    d->change.server_id = event->server_id;
    d->change.commit = &d->commit;
    d->stats.transactions++;
    *note = DECODER_COMMIT;
    return emit(d, err);
}

static bool commit_group(struct decoder *d, const struct event *event, enum decoder_note *note, struct err *err)
{
    return end_group(d, event, XA_NONE, NULL, note, err);
}

static bool emit_begin(struct decoder *d, const struct event *event, bool is_ddl, uint64_t offset, enum decoder_note *note, struct err *err)
{
    d->change.kind = CHANGE_BEGIN;
    d->change.gtid = d->txn.gtid;
    d->change.timestamp = event->timestamp;
    d->change.server_id = event->server_id;
    d->change.is_ddl = is_ddl;
    d->change.file = slice_text(d->commit.pos.file);
    d->change.offset = offset;
    *note = DECODER_BEGIN;
    return emit(d, err);
}

/* Between two groups. */
static bool may_open(struct decoder *d, struct err *err)
{
    if (d->txn.open) return err_set(err, ERR_CORRUPT, "a transaction begins before the one before it has ended");
    if (d->forget_schema || maps_count(d->maps) > MAPS_MAX) maps_forget(d->maps, maps_count(d->maps) > MAPS_MAX);
    d->forget_schema = false;
    return true;
}

static bool on_gtid(struct decoder *d, const struct event *event, enum decoder_note *note, struct err *err)
{
    if (!may_open(d, err) || !txn_open(&d->txn, event, &d->commit.pos.gtids, err)) return false;
    return emit_begin(d, event, (d->txn.flags & TXN_DDL) && (d->txn.flags & TXN_STANDALONE), d->event_offset, note, err);
}

/* ---- MySQL's groups ---- */

/* A transaction without a GTID is known by the place where it begins, and so is every one of a stream that was begun so. */
static bool name_by_place(struct decoder *d, struct err *err)
{
    struct gtid place = {.kind = GTID_FILE, .seq = d->event_offset};
    if (d->txn.gtid.kind != GTID_FILE && gtid_set_kind(&d->commit.pos.gtids) != GTID_FILE) return true;
    if (!source_file_number(d->commit.pos.file, &place.server))
        return err_set(err, ERR_UNSUPPORTED, "the binary log's file '%s' has no number at its end, by which its transactions could be known", d->commit.pos.file);
    d->txn.gtid = place;
    d->txn.previous = (struct gtid){.kind = GTID_FILE};
    return true;
}

static bool on_gtid_mysql(struct decoder *d, const struct event *event, enum decoder_note *note, struct err *err)
{
    (void)note;
    if (!may_open(d, err) || !txn_announce(&d->txn, event, err)) return false;
    d->begin_offset = d->event_offset;
    return name_by_place(d, err);
}

/* What follows a GTID tells the group's shape: BEGIN, or the one statement that it is. Without GTIDs it is also what opens it. */
static bool open_by_query(struct decoder *d, const struct event *event, enum decoder_note *note, struct err *err)
{
    enum ddl_role role = d->ddl.role;
    if (!d->txn.open && role != DDL_BEGIN && role != DDL_STATEMENT && role != DDL_XA_START && role != DDL_XA_COMMIT &&
        role != DDL_XA_ROLLBACK)
        return true;
    if (!d->txn.open) {
        if (!may_open(d, err)) return false;
        txn_announce_bare(&d->txn);
        d->begin_offset = d->event_offset;
        if (!name_by_place(d, err)) return false;
    }
    if (!d->txn.announced) return true;
    d->txn.announced = false;
    if (role == DDL_BEGIN || role == DDL_XA_START) d->txn.flags &= (uint8_t)~TXN_STANDALONE;
    return emit_begin(d, event, role == DDL_STATEMENT && d->ddl.kind != STATEMENT_DML, d->begin_offset, note, err);
}

/* CREATE TABLE … SELECT comes, since 8.0.21, as BEGIN, this, the rows, XID: the words are the server's own, for its replicas. */
static void cut_start_transaction(struct slice *text)
{
    static const char *const words[] = {"TRANSACTION", "START"};
    struct slice rest = *text;
    for (size_t i = 0; i < 2; i++) {
        size_t size = strlen(words[i]);
        while (rest.size && strchr(" \t\r\n", rest.data[rest.size - 1])) rest.size--;
        if (rest.size <= size || strncasecmp((const char *)rest.data + rest.size - size, words[i], size)) return;
        rest.size -= size;
    }
    if (strchr(" \t\r\n)", rest.data[rest.size - 1])) *text = rest;
}

static bool take_intervals(struct cursor *in, struct gtid *item, struct gtid_set *set, struct err *err)
{
    for (uint64_t n = cursor_u64(in); n && !in->failed; n--) {
        item->first = cursor_u64(in);
        uint64_t end = cursor_u64(in);
        if (!item->first || end <= item->first || end > INT64_MAX) in->failed = true;
        item->seq = end - 1;
        if (!in->failed && !gtid_set_add(set, item, err)) return false;
    }
    return true;
}

/* Format 0: a count, then UUIDs with their intervals; format 1, in the highest byte: each with a tag. */
static bool take_previous(struct cursor *in, struct gtid_set *set, struct err *err)
{
    uint64_t head = cursor_u64(in);
    unsigned format = (unsigned)(head >> 56);
    if (!in->failed && format > 1) return err_set(err, ERR_UNSUPPORTED, "a GTID set in the form %u; what to do: upgrade wolfcdc", format);
    for (uint64_t n = format ? head >> 8 & UINT64_C(0xffffffffffff) : head; n && !in->failed; n--) {
        struct gtid item = {.kind = GTID_MYSQL};
        struct slice uuid = cursor_bytes(in, GTID_UUID_BYTES), tag = {NULL, 0};
        if (format) tag = cursor_bytes(in, cursor_u8(in) >> 1); /* their variable-length integer: one byte for so short a text */
        if (tag.size > GTID_TAG_MAX) in->failed = true;
        if (in->failed) break;
        memcpy(item.uuid, uuid.data, uuid.size);
        if (tag.size) memcpy(item.tag, tag.data, tag.size);
        if (!take_intervals(in, &item, set, err)) return false;
    }
    return !in->failed || err_set(err, ERR_CORRUPT, "a PREVIOUS_GTIDS that is cut short or has impossible numbers");
}

/* What the source had before this file: taken over when we know nothing else. */
static bool on_previous_gtids(struct decoder *d, const struct event *event, enum decoder_note *note, struct err *err)
{
    struct cursor in = cursor_of(event->body);
    struct gtid_set *set = &d->commit.pos.gtids;
    (void)note;
    if (set->count || d->stats.transactions) return true;
    return take_previous(&in, set, err);
}

static bool on_xid(struct decoder *d, const struct event *event, enum decoder_note *note, struct err *err)
{
    return in_group(d) ? commit_group(d, event, note, err) : outside_group(err);
}

/* ---- XA in two phases ---- */

/* MariaDB says the name in the GTID event, too; both must be the same. */
static bool same_xid(const struct decoder *d, const struct xid *xid, struct err *err)
{
    char here[XID_TEXT_MAX], there[XID_TEXT_MAX];
    if (!d->txn.xid.size || slice_equal(xid_bytes(&d->txn.xid), xid_bytes(xid))) return true;
    xid_format(xid, here);
    xid_format(&d->txn.xid, there);
    return err_set(err, ERR_CORRUPT, "the end of XA transaction %s in a group that its GTID event calls %s", here, there);
}

/* The rows are in the log; whether they come to count is said later, by a group of its own. */
static bool on_xa_prepare(struct decoder *d, const struct event *event, enum decoder_note *note, struct err *err)
{
    struct cursor in = cursor_of(event->body);
    struct xid xid;
    if (!in_group(d)) return outside_group(err);
    bool one_phase = cursor_u8(&in);
    uint32_t format = cursor_u32(&in), global_size = cursor_u32(&in), branch_size = cursor_u32(&in);
    struct slice global = cursor_bytes(&in, global_size), branch = cursor_bytes(&in, branch_size);
    if (in.failed || !xid_set(&xid, format, global, branch)) return err_set(err, ERR_CORRUPT, "an XA_PREPARE with an impossible name");
    if (one_phase) return commit_group(d, event, note, err);
    return same_xid(d, &xid, err) && end_group(d, event, XA_PREPARED, &xid, note, err);
}

/* XA COMMIT and XA ROLLBACK of what was prepared before: a group of one statement. */
static bool complete(struct decoder *d, const struct event *event, enum commit_xa xa, enum decoder_note *note, struct err *err)
{
    if (d->txn.changes || d->hold.size) return err_set(err, ERR_CORRUPT, "the end of a prepared XA transaction behind changes of its own group");
    return same_xid(d, &d->ddl.xid, err) && end_group(d, event, xa, &d->ddl.xid, note, err);
}

/* ---- rows ---- */

static bool on_table_map(struct decoder *d, const struct event *event, enum decoder_note *note, struct err *err)
{
    struct cursor in = cursor_of(event->body);
    uint64_t id = cursor_le(&in, d->format.table_id_bytes);
    (void)note;
    if (!in_group(d)) return outside_group(err);
    return maps_open(d->maps, id, cursor_rest(&in), err);
}

static void set_rows(struct change *change, const struct event *event, const struct rows *rows)
{
    change->kind = rows->kind;
    change->table = rows->table;
    change->row_flags = rows->flags;
    change->timestamp = event->timestamp;
    change->server_id = event->server_id;
}

static bool emit_rows(struct decoder *d, const struct event *event, struct rows *rows, struct err *err)
{
    struct change *change = &d->change;
    uint64_t count = 0;
    set_rows(change, event, rows);
    struct err fault;
    err_clear(&fault); /* not all of it set to zero: this is done for each event */
    for (; rows_next(rows, change, &fault); count++) {
        bool masked = false;
        if (d->options.mask && !mask_change(d->options.mask, change, &masked, err)) return false;
        if (d->txn.savepoint_count && hold_put(&d->hold, change)) continue;
        if (d->hold.size) { /* too much to keep back */
            struct row before = change->before, after = change->after;
            if (!flush(d, err)) return false;
            set_rows(change, event, rows);
            change->before = before;
            change->after = after;
        }
        if (!emit_row(d, err)) return false;
        if (rows->table->foreign || masked) change_sum_flush(&d->txn.sum); /* the next one takes its room */
    }
    change_sum_flush(&d->txn.sum); /* the event lends its rows */
    if (!rows->in.failed) return true;
    if (fault.code)
        return err_set(err, fault.code, "row %" PRIu64 " of %.*s.%.*s: %s", count + 1, SLICE_ARG(rows->table->database), SLICE_ARG(rows->table->name), fault.text);
    return err_set(err, ERR_CORRUPT, "row %" PRIu64 " of %.*s.%.*s does not fit its table map", count + 1,
                   SLICE_ARG(rows->table->database), SLICE_ARG(rows->table->name));
}

static bool take_rows(struct decoder *d, const struct event *event, const struct rows_head *head, enum decoder_note *note,
                      struct err *err)
{
    struct map *map = maps_find(d->maps, head->table_id);
    const struct table *table;
    struct rows rows;
    if (!map) return err_set(err, ERR_CORRUPT, "rows of table id %" PRIu64 ", of which no map was sent", head->table_id);
    if (!map->wanted) {
        d->stats.filtered++;
        return true;
    }
    *note = DECODER_CHANGE;
    return maps_table(d->maps, map, d->format.mariadb, &table, err) && rows_open(head, table, d->unpack, d->layout, &rows, err) &&
           emit_rows(d, event, &rows, err);
}

static bool on_rows(struct decoder *d, const struct event *event, enum decoder_note *note, struct err *err)
{
    struct rows_head head;
    if (!in_group(d)) return outside_group(err);
    if (!rows_head(event, &d->format, &head, err)) return false;
    if (head.table_id != MAP_DUMMY_ID && !take_rows(d, event, &head, note, err)) return false;
    if (!(head.flags & ROWS_STATEMENT_END)) return true;
    maps_close(d->maps);
    return d->txn.flags & TXN_STANDALONE ? commit_group(d, event, note, err) : true;
}

/* A rows event in pieces: its table map came before, as any other's. */
static bool on_fragment(struct decoder *d, const struct event *event, enum decoder_note *note, struct err *err)
{
    struct event rows;
    bool whole;
    if (!in_group(d)) return outside_group(err);
    if (!fragments_take(&d->fragments, event->body, &rows, &whole, err)) return false;
    if (!whole) return true;
    if (handlers[rows.type] != on_rows) return err_set(err, ERR_CORRUPT, "pieces of an event of type %u, which is no rows event", rows.type);
    bool done = on_rows(d, &rows, note, err);
    fragments_clear(&d->fragments);
    return done;
}

/* ---- statements ---- */

static bool on_intvar(struct decoder *d, const struct event *event, enum decoder_note *note, struct err *err)
{
    (void)note;
    return context_intvar(&d->context, event->body, err);
}

static bool on_rand(struct decoder *d, const struct event *event, enum decoder_note *note, struct err *err)
{
    (void)note;
    return context_rand(&d->context, event->body, err);
}

static bool on_user_var(struct decoder *d, const struct event *event, enum decoder_note *note, struct err *err)
{
    (void)note;
    return context_user_var(&d->context, event->body, err);
}

enum verdict { VERDICT_TAKE, VERDICT_LEAVE, VERDICT_REFUSE };

/* What the filter says to the tables that a statement names. A statement that names none that we know passes. */
static enum verdict filter_statement(struct decoder *d, const struct statement *s, struct err *err)
{
    struct cursor in = cursor_of(s->tables);
    struct slice database, table;
    uint32_t wanted = 0, unwanted = 0;
    while (statement_tables_next(&in, &database, &table)) {
        bool wants = filter_wants(d->options.filter, database.size ? database : s->database, table);
        wanted += wants;
        unwanted += !wants;
    }
    if (!unwanted) return VERDICT_TAKE;
    if (!wanted) return VERDICT_LEAVE;
    err_set(err, ERR_STOP, "a %s statement names tables of which [filter] wants some and not others; what to do: widen or narrow the "
            "filter so that it takes all of them or none", statement_kind_name(s->kind));
    return VERDICT_REFUSE;
}

static void sum_statement(struct decoder *d, const struct statement *s)
{
    d->change.kind = CHANGE_STATEMENT;
    d->change.statement = s;
    change_sum_add(&d->txn.sum, &d->change);
}

/* Whether a flagged statement depends on its session. DDL of a permanent table carries the flag, too: see temporary.h. Rows that arrive as
   text may depend on more than tables, on CONNECTION_ID() for one. */
static bool is_of_session(const struct decoder *d, const struct event *event, const struct statement *s)
{
    if (s->kind == STATEMENT_DML) return true;
    return s->kind == STATEMENT_CREATE_TABLE && d->ddl.from_query && temporaries_any(d->temporaries, event->server_id, s->thread_id);
}

/* Temporary tables are the source session's own: what changes one is left out, what reads one cannot be repeated elsewhere. The server
   flags every statement that touched one. */
static enum verdict judge_temporary(struct decoder *d, const struct event *event, const struct statement *s, struct err *err)
{
    static const bool own[STATEMENT_KINDS] = {
        [STATEMENT_ALTER_TABLE] = true, [STATEMENT_RENAME_TABLE] = true, [STATEMENT_TRUNCATE] = true, [STATEMENT_CREATE_INDEX] = true,
        [STATEMENT_DROP_INDEX] = true};
    if (own[s->kind] && temporaries_is(d->temporaries, event->server_id, s)) {
        /* into the checksum all the same: a decoder that proves this transaction after a restart may not know the table, and takes it */
        sum_statement(d, s);
        return VERDICT_LEAVE;
    }
    if (!is_of_session(d, event, s)) return VERDICT_TAKE;
    err_set(err, ERR_STOP, "a statement depends on its session (a temporary table, CONNECTION_ID()) and cannot be repeated elsewhere; "
            "what to do: set binlog_format=ROW on the source, in every session, and start after this transaction");
    return VERDICT_REFUSE;
}

static enum verdict judge(struct decoder *d, const struct event *event, const struct statement *s, struct err *err)
{
    if (txn_is_void(&d->txn) || s->kind == STATEMENT_TABLE_ADMIN || d->ddl.temporary) return VERDICT_LEAVE;
    if (s->kind == STATEMENT_ACCOUNT) return d->options.capture_accounts ? VERDICT_TAKE : VERDICT_LEAVE;
    enum verdict verdict = filter_statement(d, s, err);
    if (verdict == VERDICT_TAKE && event->flags & EVENT_FLAG_THREAD_SPECIFIC) verdict = judge_temporary(d, event, s, err);
    if (verdict != VERDICT_TAKE || s->kind != STATEMENT_DML) return verdict;
    if (s->error_code) {
        err_set(err, ERR_STOP, "a statement was logged that failed midway on the source (error %u): how far it got cannot be told from here; "
                "what to do: compare the tables that it names, set binlog_format=ROW on the source, and start after this transaction",
                s->error_code);
        return VERDICT_REFUSE;
    }
    if (d->options.mask) {
        err_set(err, ERR_STOP, "a change of rows was logged as a statement, in which the values of masked columns would stand; what to do: set "
                "binlog_format=ROW on the source, in every session, and start after this transaction");
        return VERDICT_REFUSE;
    }
    if (!d->options.refuse_statements) return verdict;
    err_set(err, ERR_STOP, "a change of rows was logged as a statement, and the configuration refuses those; what to do: set "
            "binlog_format=ROW on the source, in every session, and start after this transaction");
    return VERDICT_REFUSE;
}

static bool emit_statement(struct decoder *d, const struct event *event, const struct statement *s, struct err *err)
{
    if (d->hold.size && !flush(d, err)) return false;
    sum_statement(d, s);
    d->change.timestamp = event->timestamp;
    d->change.server_id = event->server_id;
    d->txn.changes++;
    d->txn.statements += s->kind == STATEMENT_DML;
    d->stats.statements++;
    return emit(d, err);
}

static void lower_names(struct ddl *ddl)
{
    struct cursor in = cursor_of(buf_bytes(&ddl->tables));
    struct slice database, table;
    while (statement_tables_next(&in, &database, &table)) {
        names_lower(ddl->tables.data + (database.data - ddl->tables.data), database.size);
        names_lower(ddl->tables.data + (table.data - ddl->tables.data), table.size);
    }
}

static bool take_statement(struct decoder *d, const struct event *event, struct statement *s, enum decoder_note *note,
                           struct err *err)
{
    s->kind = d->ddl.kind;
    /* CREATE and DROP DATABASE: there is nothing to be used. ALTER DATABASE is flagged as well, and may leave out its name. */
    if (event->flags & EVENT_FLAG_SUPPRESS_USE && s->kind != STATEMENT_ALTER_DATABASE) s->database.size = 0;
    s->own_commit = s->kind != STATEMENT_DML;
    if (d->options.lower_names) lower_names(&d->ddl);
    s->tables = buf_bytes(&d->ddl.tables);
    if (!d->format.mariadb) s->flavour = slice_text("mysql");
    if (s->own_commit) d->forget_schema = true;
    /* rows of a table that this one makes follow; what is kept back holds on to its tables */
    if (s->kind == STATEMENT_CREATE_TABLE && !d->ddl.temporary && !(d->txn.flags & TXN_STANDALONE) && !d->hold.size) maps_forget(d->maps, false);
    if (d->ddl.temporary) temporaries_note(d->temporaries, event->server_id, s);
    enum verdict verdict = judge(d, event, s, err);
    if (verdict == VERDICT_REFUSE) return false;
    if (verdict == VERDICT_LEAVE) d->stats.filtered++;
    *note = DECODER_CHANGE;
    return verdict == VERDICT_LEAVE || emit_statement(d, event, s, err);
}

/* Rows before a ROLLBACK are those of transactional tables and are gone; of statements nobody can tell. */
static bool rolled_back(struct decoder *d, const struct event *event, enum decoder_note *note, struct err *err)
{
    buf_clear(&d->hold);
    if (!d->txn.changes) return commit_group(d, event, note, err);
    if (d->txn.statements)
        return err_set(err, ERR_STOP, "a transaction with statements ends with ROLLBACK: what they did to tables without transactions "
                       "(MyISAM, Aria) stays on the source, and cannot be told from here; what to do: set binlog_format=ROW on the "
                       "source, compare those tables, and start after this transaction");
    if (!pass_group(d, err)) return false;
    return abort_group(d, note, err);
}

static bool control(struct decoder *d, const struct event *event, enum decoder_note *note, struct err *err)
{
    struct slice savepoint = buf_bytes(&d->ddl.savepoint);
    switch (d->ddl.role) {
    case DDL_COMMIT: return commit_group(d, event, note, err);
    case DDL_ROLLBACK: return rolled_back(d, event, note, err);
    case DDL_SAVEPOINT: return txn_savepoint(&d->txn, savepoint, d->hold.size, err);
    case DDL_ROLLBACK_TO: return txn_rollback_to(&d->txn, savepoint, &d->hold.size, err);
    case DDL_XA_COMMIT: return complete(d, event, XA_COMMITTED, note, err);
    case DDL_XA_ROLLBACK: return complete(d, event, XA_ROLLED_BACK, note, err);
    case DDL_XA_ONE_PHASE: return commit_group(d, event, note, err);
    case DDL_XA_START: case DDL_XA_END: case DDL_XA_PREPARE: break; /* the rows stand between; XA_PREPARE is an event */
    case DDL_STATEMENT: case DDL_NOTHING: case DDL_BEGIN: case DDL_RELEASE: break;
    }
    return true;
}

static bool on_statement(struct decoder *d, const struct event *event, struct statement *s, enum decoder_note *note, struct err *err)
{
    struct ddl_session session = {.sql_mode = s->sql_mode, .charset_client = s->charset_client, .version = d->version, .mysql = !d->format.mariadb};
    if (!ddl_parse(&d->ddl, s->text, &session, err)) return false;
    if (!d->format.mariadb && !open_by_query(d, event, note, err)) return false;
    if (!in_group(d)) return d->ddl.role == DDL_NOTHING || outside_group(err);
    if (d->ddl.role == DDL_NOTHING && !d->format.mariadb && d->txn.flags & TXN_STANDALONE) return commit_group(d, event, note, err);
    if (d->ddl.role != DDL_STATEMENT) return control(d, event, note, err);
    if (!d->format.mariadb && d->ddl.kind == STATEMENT_CREATE_TABLE && !(d->txn.flags & TXN_STANDALONE)) cut_start_transaction(&s->text);
    if (!take_statement(d, event, s, note, err)) return false;
    context_clear(&d->context);
    return d->txn.flags & TXN_STANDALONE ? commit_group(d, event, note, err) : true;
}

static bool on_query(struct decoder *d, const struct event *event, enum decoder_note *note, struct err *err)
{
    struct statement statement;
    if (!query_decode(event, &d->format, &d->context, &statement, err)) return false;
    if (event->type == EVENT_QUERY_COMPRESSED && !unpack_bytes(d->unpack, statement.text, &statement.text, err)) return false;
    return on_statement(d, event, &statement, note, err);
}

/* ---- the stream ---- */

static bool cut(struct decoder *d, enum decoder_note *note, struct err *err)
{
    uint64_t offset = d->commit.pos.offset;
    if (!d->txn.open) return true;
    if (d->txn.announced) { /* nobody has heard of it */
        d->txn.open = false;
        return true;
    }
    bool done = abort_group(d, note, err);
    d->commit.pos.offset = offset; /* it comes again from its start */
    return done;
}

bool decoder_cut(struct decoder *decoder, struct err *err)
{
    enum decoder_note note;
    return cut(decoder, &note, err);
}

/* What a replica wrote about its own relay log: a transaction may go on in the next one, and places in it are none of the source's. */
static bool is_of_relay(const struct event *event) { return event->flags & EVENT_FLAG_RELAY_LOG; }

static bool on_format(struct decoder *d, const struct event *event, enum decoder_note *note, struct err *err)
{
    *note = DECODER_FORMAT;
    d->relay |= is_of_relay(event); /* it repeats its source's, too, in the middle of a transaction; what really cuts one is a ROTATE */
    if (d->relay && d->txn.open) return event_format_decode(event, &d->format, err);
    if (!cut(d, note, err) || !event_format_decode(event, &d->format, err)) return false;
    uint32_t number = event_server_number(d->format.version);
    if (number) d->version = number;
    maps_close(d->maps);
    if (d->format.created) temporaries_clear(d->temporaries); /* the first since the server's start */
    *note = DECODER_FORMAT;
    return true;
}

/* Files of a log inside InnoDB are called binlog-000042.ibb. */
static bool has_offsets(const char *file)
{
    size_t n = strlen(file);
    return n < 4 || strcmp(file + n - 4, ".ibb");
}

static bool on_rotate(struct decoder *d, const struct event *event, enum decoder_note *note, struct err *err)
{
    struct cursor in = cursor_of(event->body);
    uint64_t offset = cursor_u64(&in);
    struct slice file = cursor_rest(&in);
    if (is_of_relay(event)) return true;
    if (in.failed || !file.size || file.size >= SOURCE_FILE_MAX || memchr(file.data, 0, file.size))
        return err_set(err, ERR_CORRUPT, "a ROTATE without a file name of 1 to %d bytes", SOURCE_FILE_MAX - 1);
    if (!cut(d, note, err)) return false;
    struct source_pos *pos = &d->commit.pos;
    bool other = !slice_equal(slice_text(pos->file), file);
    memcpy(pos->file, file.data, file.size);
    pos->file[file.size] = 0;
    pos->offset = d->file_offset = has_offsets(pos->file) ? offset : 0;
    if (other || *note == DECODER_NOTHING) *note = *note == DECODER_ABORT ? DECODER_ABORT : DECODER_FILE;
    return true;
}

bool decoder_file(struct decoder *decoder, const char *name, struct err *err)
{
    struct source_pos *pos = &decoder->commit.pos;
    enum decoder_note note;
    if (!cut(decoder, &note, err)) return false;
    snprintf(pos->file, sizeof pos->file, "%s", name);
    pos->offset = decoder->file_offset = decoder->event_offset = BINLOG_START;
    return true;
}

static bool on_file_end(struct decoder *d, const struct event *event, enum decoder_note *note, struct err *err)
{
    (void)event;
    if (!cut(d, note, err)) return false;
    *note = DECODER_FILE_END;
    return true;
}

static bool on_heartbeat(struct decoder *d, const struct event *event, enum decoder_note *note, struct err *err)
{
    (void)d, (void)event, (void)err;
    *note = DECODER_HEARTBEAT;
    return true;
}

/* MySQL's says the place with all its bits, in its second field: type, length, value; 0 ends. */
static bool on_heartbeat_v2(struct decoder *d, const struct event *event, enum decoder_note *note, struct err *err)
{
    enum { END = 0, POSITION = 2 };
    struct cursor in = cursor_of(event->body);
    *note = DECODER_HEARTBEAT;
    while (!in.failed && cursor_left(&in)) {
        uint64_t type = cursor_lenenc(&in);
        if (type == END) break;
        struct cursor value = cursor_of(cursor_bytes(&in, cursor_lenenc(&in)));
        uint64_t position = type == POSITION ? cursor_lenenc(&value) : 0;
        if (position && !value.failed) d->file_offset = position;
    }
    return !in.failed || err_set(err, ERR_CORRUPT, "a heartbeat that is cut short");
}

/* The state of the source at the start of its file: taken over when we know nothing else. */
static bool on_gtid_list(struct decoder *d, const struct event *event, enum decoder_note *note, struct err *err)
{
    struct cursor in = cursor_of(event->body);
    uint32_t count = cursor_u32(&in) & 0x0fffffff;
    struct gtid_set *set = &d->commit.pos.gtids;
    (void)note;
    if (in.failed || cursor_left(&in) / 16 < count) return err_set(err, ERR_CORRUPT, "a GTID_LIST that is cut short");
    if (set->count || d->stats.transactions || event->flags & EVENT_FLAG_ARTIFICIAL) return true;
    for (uint32_t i = 0; i < count; i++) {
        struct gtid gtid = {.domain = cursor_u32(&in)};
        gtid.server = cursor_u32(&in);
        gtid.seq = cursor_u64(&in);
        if (!gtid_set_put(set, gtid, err)) return false;
    }
    return true;
}

static bool on_skip(struct decoder *d, const struct event *event, enum decoder_note *note, struct err *err)
{
    (void)d, (void)event, (void)note, (void)err;
    return true;
}

static bool on_stop(struct decoder *d, const struct event *event, enum decoder_note *note, struct err *err)
{
    (void)d, (void)note;
    return event_refuse(event, err);
}

static bool on_payload(struct decoder *d, const struct event *event, enum decoder_note *note, struct err *err);

static handler_fn *const handlers[EVENT_TYPES] = {
#define EVENT(number, name, handler, ...) [number] = on_##handler,
#include "fate.def"
#undef EVENT
};

/* The pieces of one event stand together. What ends the stream or the file cuts them off. */
static bool goes_between(uint8_t type)
{
    return type == EVENT_PARTIAL_ROW_DATA || type == EVENT_HEARTBEAT || type == EVENT_HEARTBEAT_V2 || type == EVENT_ROTATE || type == EVENT_STOP ||
           type == EVENT_FORMAT_DESCRIPTION;
}

/* What to do with an event, behind the position. */
static bool flags_known(const struct event *event, struct err *err)
{
    uint16_t unknown = event->flags & EVENT_FLAGS_UNKNOWN;
    if (!unknown || event->flags & EVENT_FLAG_IGNORABLE) return true;
    return err_set(err, ERR_UNSUPPORTED, "it has flags %04x, which are unknown to this release; what to do: upgrade wolfcdc", unknown);
}

static bool dispatch(struct decoder *d, const struct event *event, enum decoder_note *note, struct err *err)
{
    const struct event_fate *fate = event_fate(event->type);
    if (fragments_open(&d->fragments) && !goes_between(event->type))
        return err_set(err, ERR_CORRUPT, "it stands between piece %u and the next, of %u, of a rows event", d->fragments.seen, d->fragments.total);
    if (!fate->name && event->flags & EVENT_FLAG_IGNORABLE) return true;
    return fate->name ? handlers[event->type](d, event, note, err) : on_stop(d, event, note, err);
}

/* ---- a transaction in one event ---- */

/* What moves the stream or opens a transaction stands outside. */
static bool payload_may_hold(uint8_t type)
{
    return event_fate(type)->action != EVENT_CONSUME && type != EVENT_TRANSACTION_PAYLOAD && type != EVENT_GTID && type != EVENT_ANONYMOUS_GTID &&
           type != EVENT_GTID_TAGGED && type != EVENT_GTID_MARIADB;
}

static bool take_inner(struct decoder *d, struct slice raw, enum decoder_note *note, struct err *err)
{
    struct event_format format = d->format;
    struct event event = {0};
    format.checksum = false; /* the outer one's covers it */
    if (!event_decode(raw, &format, false, &event, err)) return false;
    if (!payload_may_hold(event.type) || !d->txn.open)
        return err_set(err, ERR_CORRUPT, "an event of type %u in it, where it cannot be", event.type);
    d->stats.events++;
    if (dispatch(d, &event, note, err)) return true;
    const char *name = event_fate(event.type)->name;
    return err_context(err, "%s in it", name ? name : "event");
}

static bool on_payload(struct decoder *d, const struct event *event, enum decoder_note *note, struct err *err)
{
    struct slice raw;
    if (!d->txn.open) return outside_group(err);
    if (!payload_open(d->payload, event->body, err)) return false;
    do {
        if (!payload_next(d->payload, &raw, err) || (raw.size && !take_inner(d, raw, note, err))) return false;
    } while (raw.size);
    return !d->txn.open || err_set(err, ERR_CORRUPT, "its transaction has no end");
}

/* Moves on to the event's end. */
static void advance(struct decoder *d, const struct event *event)
{
    bool made;
    d->event_offset = d->file_offset;
    if (is_of_relay(event) || !has_offsets(d->commit.pos.file)) return;
    d->file_offset = event_end(event, d->file_offset, &made);
    if (!made && event->log_pos && event->type != EVENT_ROTATE) d->event_offset = d->file_offset - (d->file_offset < event->raw.size ? 0 : event->raw.size);
}

bool decoder_event(struct decoder *decoder, struct slice raw, enum decoder_note *note, struct err *err)
{
    struct event event = {0};
    *note = DECODER_NOTHING;
    if (!event_decode(raw, &decoder->format, decoder->options.verify_checksums, &event, err))
        return err_context(err, "%s after offset %" PRIu64, decoder->commit.pos.file, decoder->file_offset);
    decoder->stats.events++;
    decoder->stats.bytes += raw.size;
    advance(decoder, &event);
    const char *name = event_fate(event.type)->name;
    if (!flags_known(&event, err) || !dispatch(decoder, &event, note, err))
        return err_context(err, "%s at %s:%" PRIu64, name ? name : "event", decoder->commit.pos.file, decoder->event_offset);
    if (!decoder->txn.open) decoder->commit.pos.offset = decoder->file_offset;
    return true;
}
