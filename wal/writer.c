/*
 * writer.c: appending and flushing (wal.h, state.h).
 *
 * Capture encodes straight into a block buffer and takes the lock only to hand one over. When it has nothing more to read
 * it *parks* the part-filled buffer: the flusher takes it when it is free, and capture takes it back when more comes
 * before that. So an idle stream has blocks of one transaction, a busy one gathers while a sync runs.
 *
 * A block that has a transaction's end ends with one: what stands behind moves to the next buffer at hand-over. That
 * is a copy of less than a block, and it lets the log be cut between any two blocks that end outside.
 */
#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "metrics.h"
#include "state.h"

enum { MARK_AFTER_MS = 1000, OUT_KEEP = 4 << 20, RAW_KEEP = 1 << 20 };

/* --- buffers --- */

struct buffer *wal_buffer_new(void)
{
    struct buffer *b = calloc(1, sizeof *b);
    if (!b) abort();
    buf_init(&b->raw, BLOCK_RAW_MAX);
    return b;
}

static void buffer_free(struct buffer *b)
{
    if (!b) return;
    buf_fini(&b->raw);
    free(b->starts);
    free(b);
}

static void chain_free(struct buffer *b)
{
    while (b) {
        struct buffer *next = b->next;
        buffer_free(b);
        b = next;
    }
}

void wal_buffers_free(struct wal *wal)
{
    buffer_free(wal->filling);
    buffer_free(wal->parked);
    chain_free(wal->ready);
    chain_free(wal->spare);
    wal->filling = wal->parked = wal->ready = wal->spare = NULL;
}

/* Empty, with the memory it had. */
static void buffer_reset(struct buffer *b)
{
    struct buf raw = b->raw;
    free(b->starts);
    *b = (struct buffer){.raw = raw};
    if (b->raw.room > RAW_KEEP) {
        buf_fini(&b->raw);
        buf_init(&b->raw, BLOCK_RAW_MAX);
    }
    buf_clear(&b->raw);
}

static void buffer_begin(struct wal *wal, struct buffer *b, uint64_t lsn)
{
    b->head.first_lsn = lsn;
    if (wal->in_transaction) b->head.flags = BLOCK_INSIDE;
}

static struct buffer *buffer_spare(struct wal *wal) /* under lock */
{
    struct buffer *b = wal->spare;
    if (!b) return wal_buffer_new();
    wal->spare = b->next;
    b->next = NULL;
    return b;
}

/* The size that the open segment will have, as far as capture can know. Under lock. */
static uint64_t fill_of(const struct wal *wal)
{
    return wal->queued + (wal->open_number == wal->segment_number ? wal->open_at : SEGMENT_HEADER);
}

/* Capture waits here, and only here, for the disk. Under lock. */
static bool wait_for_room(struct wal *wal, struct err *err)
{
    while (wal->started && !wal->stopping && !wal->failed && wal->queued >= WAL_QUEUE_BYTES)
        pthread_cond_wait(&wal->room, &wal->lock);
    if (wal->failed) return err_set(err, ERR_STOP, "the log could not be written");
    return !wal->stopping || err_set(err, ERR_STOP, "the log is being closed");
}

/* Sets wal->filling: the parked one, or an empty one as soon as the flusher has room. */
static bool buffer_take(struct wal *wal, struct err *err)
{
    pthread_mutex_lock(&wal->lock);
    bool ok = wait_for_room(wal, err);
    if (ok && wal->parked) {
        wal->filling = wal->parked;
        wal->parked = NULL;
    } else if (ok) {
        wal->filling = buffer_spare(wal);
        buffer_begin(wal, wal->filling, wal->next_lsn);
    }
    wal->fill = fill_of(wal);
    pthread_mutex_unlock(&wal->lock);
    return ok;
}

/* --- hand-over --- */

static void buffer_close(struct buffer *b)
{
    if (!b->whole_bytes) {
        b->head.flags |= BLOCK_OPEN;
        b->whole_bytes = b->raw.size;
        b->whole_records = b->records;
        b->whole_tables = b->tables;
    }
    b->head.records = b->whole_records;
    if (b->whole_tables) b->head.flags |= BLOCK_TABLES;
}

/* What stands behind the last transaction end moves to a buffer of its own. */
static struct buffer *buffer_split(struct wal *wal, struct buffer *b)
{
    size_t size = b->raw.size - b->whole_bytes;
    pthread_mutex_lock(&wal->lock);
    struct buffer *rest = buffer_spare(wal);
    pthread_mutex_unlock(&wal->lock);
    rest->head.first_lsn = b->head.first_lsn + b->whole_records;
    buf_put(&rest->raw, b->raw.data + b->whole_bytes, size);
    assert(!rest->raw.full);
    rest->records = b->records - b->whole_records;
    rest->tables = b->tables - b->whole_tables;
    b->raw.size = b->whole_bytes;
    return rest;
}

static void push(struct wal *wal, struct buffer *b)
{
    buffer_close(b);
    pthread_mutex_lock(&wal->lock);
    *wal->ready_end = b;
    wal->ready_end = &b->next;
    wal->queued += b->raw.room;
    wal->fill = fill_of(wal);
    bool wake = wal->flusher_waits;
    pthread_mutex_unlock(&wal->lock);
    if (wake) pthread_cond_signal(&wal->work);
}

/* Without a flusher its work is done here. */
static bool flush_inline(struct wal *wal, struct err *err)
{
    struct err own;
    if (wal->started) return true;
    if (wal_flush_ready(wal, &own)) return true;
    wal_die(wal, &own);
    if (err) *err = own;
    return false;
}

static bool hand_over(struct wal *wal, struct err *err)
{
    struct buffer *b = wal->filling;
    struct buffer *rest = b->whole_bytes && b->whole_bytes < b->raw.size ? buffer_split(wal, b) : NULL;
    wal->filling = rest;
    push(wal, b);
    pthread_mutex_lock(&wal->lock);
    bool ok = wait_for_room(wal, err);
    pthread_mutex_unlock(&wal->lock);
    return ok && flush_inline(wal, err);
}

void wal_flush(struct wal *wal)
{
    struct buffer *b = wal->filling;
    if (!b || !b->whole_bytes) return;
    if (b->whole_bytes < b->raw.size) {
        (void)!hand_over(wal, NULL);
        return;
    }
    pthread_mutex_lock(&wal->lock);
    assert(!wal->parked);
    wal->parked = b;
    wal->filling = NULL;
    bool wake = wal->flusher_waits;
    pthread_mutex_unlock(&wal->lock);
    if (wake) pthread_cond_signal(&wal->work);
    (void)!flush_inline(wal, NULL);
}

/* --- table definitions --- */

static void defined_clear(struct wal *wal)
{
    memset(wal->defined, 0, wal->defined_room * sizeof *wal->defined);
    wal->defined_used = 0;
    wal->last_table = NULL;
}

static struct defined *defined_at(struct defined *slots, size_t room, uint64_t key)
{
    size_t i = (size_t)(key * 0x9E3779B97F4A7C15u >> 20) & (room - 1);
    while (slots[i].id && slots[i].id != key) i = (i + 1) & (room - 1);
    return &slots[i];
}

static void defined_grow(struct wal *wal)
{
    size_t room = wal->defined_room ? wal->defined_room * 2 : 64;
    struct defined *slots = calloc(room, sizeof *slots);
    if (!slots) abort();
    for (size_t i = 0; i < wal->defined_room; i++)
        if (wal->defined[i].id) *defined_at(slots, room, wal->defined[i].id) = wal->defined[i];
    free(wal->defined);
    wal->defined = slots;
    wal->defined_room = room;
}

/* Writes the definition unless the segment has it under this id already. */
static bool define(struct wal *wal, const struct table *table, struct err *err)
{
    uint32_t crc = crc32c(0, table->encoded.data, table->encoded.size);
    if (wal->defined_used * 2 >= wal->defined_room) defined_grow(wal);
    struct defined *at = defined_at(wal->defined, wal->defined_room, (uint64_t)table->id + 1);
    if (!at->id || at->crc != crc) {
        if (!record_put_table(&wal->filling->raw, table))
            return err_set(err, ERR_LIMIT, "the definition of table %.*s.%.*s is larger than a record of the log may be",
                           SLICE_ARG(table->database), SLICE_ARG(table->name));
        wal->filling->records++;
        wal->filling->tables++;
        wal->next_lsn++;
        wal->defined_used += !at->id;
        *at = (struct defined){(uint64_t)table->id + 1, crc};
    }
    wal->last_table = table;
    wal->last_table_id = table->id;
    return true;
}

/* --- appending --- */

/* The next block begins a segment, if the one before is full. Between transactions only. */
static bool begin_segment_if_due(struct wal *wal, struct err *err)
{
    struct buffer *b = wal->filling;
    if (wal->fill + b->raw.size < wal->options.segment_bytes || wal->next_lsn == wal->segment_first) return true;
    if (b->records) {
        if (!hand_over(wal, err) || !buffer_take(wal, err)) return false;
        b = wal->filling;
    }
    if (b->starts) return true;
    b->starts = malloc(sizeof *b->starts);
    if (!b->starts) abort();
    *b->starts = wal->now; /* once per segment */
    wal->list_due = true;
    wal->segment_first = wal->next_lsn;
    wal->segment_number++;
    wal->fill = SEGMENT_HEADER;
    defined_clear(wal);
    return true;
}

static void note_xa(struct wal *wal, struct buffer *b, const struct change *c, uint64_t lsn)
{
    const struct commit *commit = c->commit;
    if (commit->xa == XA_NONE) return;
    b->head.flags |= BLOCK_XA;
    pthread_mutex_lock(&wal->lock);
    prepared_prune(&wal->prepared, wal->points.durable);
    if (commit->xa == XA_PREPARED) {
        struct wal_prepared what = {.xid = commit->xid, .lsn = wal->begin_lsn, .gtid = c->gtid, .timestamp = c->timestamp, .rows = commit->rows};
        (void)!prepared_put(&wal->prepared, &what); /* there is room: can_prepare */
    } else {
        prepared_done(&wal->prepared, &commit->xid, lsn);
    }
    pthread_mutex_unlock(&wal->lock);
}

/* Before it is written. */
static bool can_prepare(struct wal *wal, const struct change *c, struct err *err)
{
    if (c->kind != CHANGE_COMMIT || c->commit->xa != XA_PREPARED) return true;
    pthread_mutex_lock(&wal->lock);
    prepared_prune(&wal->prepared, wal->points.durable);
    bool room = !prepared_full(&wal->prepared);
    pthread_mutex_unlock(&wal->lock);
    return room || err_set(err, ERR_LIMIT, "more than %d XA transactions are prepared on the source and not ended (PREPARED_MAX); what to do: end some "
                           "of them (XA RECOVER names them)", PREPARED_MAX);
}

/* The first thing in a segment: which prepared transactions are open. */
static bool list_prepared(struct wal *wal, struct err *err)
{
    struct buffer *b = wal->filling;
    wal->list_due = false;
    if (!prepared_open(&wal->prepared)) return true;
    if (!record_put_open_xa(&b->raw, &wal->prepared)) return err_set(err, ERR_LIMIT, "the list of prepared XA transactions is too long");
    b->head.flags |= BLOCK_XA;
    b->records++;
    wal->next_lsn++;
    return true;
}

static void note_end(struct wal *wal, struct buffer *b, const struct change *c, uint64_t lsn)
{
    b->whole_bytes = b->raw.size;
    b->whole_records = b->records;
    b->whole_tables = b->tables;
    if (c->kind != CHANGE_ABORT) b->publish = lsn;
    if (c->kind == CHANGE_COMMIT) b->publish_commit = lsn;
    bool prepares = c->kind == CHANGE_COMMIT && c->commit->xa == XA_PREPARED;
    if (c->kind != CHANGE_HEARTBEAT && !b->head.end_kind) b->head.end_kind = prepares ? RECORD_PREPARED : (uint8_t)c->kind;
    if (c->kind == CHANGE_ABORT) b->head.flags |= BLOCK_ABORTS;
    if (c->kind == CHANGE_HEARTBEAT) source_pos_copy(&wal->now.pos, &c->commit->pos);
    if (c->kind != CHANGE_COMMIT) return;
    b->head.commits++;
    note_xa(wal, b, c, lsn);
    if (!b->head.first_timestamp) b->head.first_timestamp = c->timestamp;
    b->head.last_timestamp = c->timestamp;
    wal->now.empty = false;
    wal->now.last_lsn = lsn;
    wal->now.gtid = c->gtid;
    wal->now.previous = c->commit->previous;
    source_pos_copy(&wal->now.pos, &c->commit->pos);
    wal->now.crc = c->commit->crc;
    wal->now.timestamp = c->timestamp;
}

static bool too_large(const struct change *c, struct err *err)
{
    return err_set(err, ERR_LIMIT, "a %s record is larger than %d bytes, the most that the log keeps",
                   record_kind_name(c->kind), RECORD_MAX);
}

/* BEGIN, COMMIT, ABORT, HEARTBEAT, STATEMENT. */
static bool append_other(struct wal *wal, const struct change *c, uint64_t *lsn, struct err *err)
{
    bool begins = c->kind == CHANGE_BEGIN, beats = c->kind == CHANGE_HEARTBEAT;
    assert(wal->in_transaction == !(begins || beats));
    if ((begins || beats) && (!begin_segment_if_due(wal, err) || (wal->list_due && !list_prepared(wal, err)))) return false;
    if (!can_prepare(wal, c, err)) return false;
    struct buffer *b = wal->filling;
    if (!(c->kind == CHANGE_COMMIT ? record_put_commit(&b->raw, c, wal->begin_lsn) : record_put(&b->raw, c, wal->begin_timestamp)))
        return too_large(c, err);
    uint64_t own = wal->next_lsn++;
    b->records++;
    if (begins) {
        wal->in_transaction = true;
        wal->begin_lsn = own;
        wal->begin_timestamp = c->timestamp;
        wal->last_table = NULL; /* an address is that table only as long as its owner keeps it: not across transactions */
    } else if (c->kind != CHANGE_STATEMENT) {
        wal->in_transaction = false;
        note_end(wal, b, c, own);
        if (lsn && c->kind == CHANGE_COMMIT) *lsn = own;
    }
    return true;
}

bool wal_append(struct wal *wal, const struct change *change, uint64_t *lsn, struct err *err)
{
    if (__builtin_expect(!wal->filling, 0) && !buffer_take(wal, err)) return false;
    if (change->kind >= CHANGE_INSERT && change->kind <= CHANGE_DELETE) {
        assert(wal->in_transaction);
        if (__builtin_expect(change->table != wal->last_table || change->table->id != wal->last_table_id, 0) &&
            !define(wal, change->table, err))
            return false;
        if (!record_put(&wal->filling->raw, change, wal->begin_timestamp)) return too_large(change, err);
        wal->filling->records++;
        wal->next_lsn++;
    } else if (!append_other(wal, change, lsn, err)) {
        return false;
    }
    return wal->filling->raw.size < wal->block_bytes ? true : hand_over(wal, err);
}

/* --- the flusher --- */

void wal_die(struct wal *wal, const struct err *err)
{
    log_error("wal.failed", "error=\"%s\" remedy=\"the agent ends; on its next start the log is repaired and capture goes on "
              "from its last whole transaction\"", err->text);
    pthread_mutex_lock(&wal->lock);
    wal->failed = true;
    pthread_cond_broadcast(&wal->moved);
    pthread_cond_broadcast(&wal->room);
    pthread_cond_broadcast(&wal->keep);
    pthread_mutex_unlock(&wal->lock);
    wal->files->fatal(wal->files->state);
}

/* Writes one block at the end of the open segment. */
static bool write_block(struct wal *wal, struct block *head, struct slice raw, struct err *err)
{
    head->durable = wal->options.fsync ? wal->durable : 0;
    head->wall_us = clock_wall_us();
    head->before = wal->place.before;
    buf_clear(&wal->out);
    if (!buf_reserve(&wal->out, BLOCK_HEADER)) abort();
    wal->out.size = BLOCK_HEADER;
    block_pack(head, raw, wal->options.compress, &wal->out);
    head->crc = block_encode(head, wal->open.header.seed, wal->out.data);
    if (!file_write(&wal->open.file, wal->out.data, wal->out.size, wal->place.at, err)) return false;
    wal->place = place_after(&wal->place, head);
    if (!(head->flags & BLOCK_OPEN)) wal->whole = wal->place;
    metric_add(METRIC_WRITTEN_BYTES, BLOCK_HEADER + head->stored_size);
    metric_add(METRIC_WRITTEN_RAW_BYTES, head->raw_size);
    metric_add(METRIC_WRITTEN_RECORDS, head->records);
    if (wal->out.room > OUT_KEEP) {
        buf_fini(&wal->out);
        buf_init(&wal->out, BLOCK_RAW_MAX + BLOCK_HEADER);
    }
    return true;
}

static void publish_written(struct wal *wal, struct buffer *b)
{
    pthread_mutex_lock(&wal->lock);
    struct segment_entry *entry = &wal->segments[wal->segment_count - 1];
    wal->open_at = wal->place.at;
    wal->open_end = wal->whole.at;
    if (!entry->first_timestamp) entry->first_timestamp = b->head.first_timestamp;
    if (b->head.last_timestamp) entry->last_timestamp = b->head.last_timestamp;
    if (b->publish) wal->points.written = b->publish;
    if (b->publish_commit) wal->points.commit = b->publish_commit;
    wal->points.transactions_written += b->head.commits;
    metric_add(METRIC_WRITTEN_TRANSACTIONS, b->head.commits);
    metric_set(METRIC_WRITTEN_LSN, wal->points.written);
    if (wal->watchers) pthread_cond_broadcast(&wal->moved);
    pthread_mutex_unlock(&wal->lock);
}

static void publish_durable(struct wal *wal)
{
    pthread_mutex_lock(&wal->lock);
    uint64_t transactions = wal->points.transactions_written - wal->points.transactions_durable;
    wal->durable = wal->points.durable = wal->points.written;
    wal->points.transactions_durable = wal->points.transactions_written;
    metric_add(METRIC_DURABLE_TRANSACTIONS, transactions);
    metric_set(METRIC_DURABLE_LSN, wal->points.durable);
    if (wal->notifies) (void)!write(wal->notify_fd, &(uint64_t){1}, sizeof(uint64_t)); /* full: it is readable already */
    if (wal->watchers) pthread_cond_broadcast(&wal->moved);
    pthread_mutex_unlock(&wal->lock);
}

static bool sync_open(struct wal *wal, struct err *err)
{
    uint64_t started = clock_us();
    if (wal->options.fsync && !file_sync(&wal->open.file, err)) return false;
    wal->last_sync_us = clock_us();
    metric_observe_us(METRIC_FSYNC, wal->last_sync_us - started);
    publish_durable(wal);
    return true;
}

static bool seal(struct wal *wal, struct err *err)
{
    struct block head = {.flags = BLOCK_SEAL, .first_lsn = wal->place.lsn};
    return write_block(wal, &head, (struct slice){NULL, 0}, err);
}

static bool flush_buffer(struct wal *wal, struct buffer *b, struct err *err)
{
    if (b->starts && (!seal(wal, err) || !sync_open(wal, err) || !wal_segment_switch(wal, b->starts, err))) return false;
    assert(b->head.first_lsn == wal->place.lsn);
    if (!write_block(wal, &b->head, buf_bytes(&b->raw), err)) return false;
    publish_written(wal, b);
    return true;
}

static void buffer_done(struct wal *wal, struct buffer *b, bool counted)
{
    size_t room = b->raw.room;
    buffer_reset(b);
    pthread_mutex_lock(&wal->lock);
    if (counted) wal->queued -= room;
    b->next = wal->spare;
    wal->spare = b;
    if (counted) pthread_cond_signal(&wal->room);
    pthread_mutex_unlock(&wal->lock);
}

/* Takes all that is handed over, in order: ready ones, then the parked one (*last, which may be NULL). */
static struct buffer *take_ready(struct wal *wal, struct buffer **last) /* under lock */
{
    struct buffer *first = wal->ready;
    wal->ready = NULL;
    wal->ready_end = &wal->ready;
    *last = wal->parked;
    wal->parked = NULL;
    return first;
}

static bool flush_all(struct wal *wal, struct buffer *first, struct buffer *parked, struct err *err)
{
    bool ok = true;
    while (first) {
        struct buffer *b = first;
        first = b->next;
        b->next = NULL;
        ok = ok && flush_buffer(wal, b, err);
        buffer_done(wal, b, true);
    }
    if (parked) {
        buffer_close(parked);
        ok = ok && flush_buffer(wal, parked, err);
        buffer_done(wal, parked, false);
    }
    return ok && sync_open(wal, err);
}

bool wal_flush_ready(struct wal *wal, struct err *err)
{
    struct buffer *parked;
    pthread_mutex_lock(&wal->lock);
    struct buffer *first = take_ready(wal, &parked);
    bool dead = wal->failed;
    pthread_mutex_unlock(&wal->lock);
    if (dead) {
        chain_free(first);
        buffer_free(parked);
        return err_set(err, ERR_STOP, "the log could not be written");
    }
    return first || parked ? flush_all(wal, first, parked, err) : true;
}

/* A block that only says what is durable, so that damage to the last transactions can be told from a torn tail. */
bool wal_mark(struct wal *wal, bool sync, struct err *err)
{
    struct block head = {.flags = BLOCK_MARK, .first_lsn = wal->place.lsn};
    if (wal->marked == wal->durable || wal->place.at != wal->whole.at || !wal->options.fsync) return true;
    if (!write_block(wal, &head, (struct slice){NULL, 0}, err)) return false;
    wal->marked = wal->durable;
    pthread_mutex_lock(&wal->lock);
    wal->open_at = wal->open_end = wal->place.at;
    pthread_mutex_unlock(&wal->lock);
    return sync && wal->options.fsync ? file_sync(&wal->open.file, err) : true;
}

/* With an interval set, syncs keep that distance: transactions gather meanwhile. */
static void keep_distance(struct wal *wal) /* under lock */
{
    uint64_t due = wal->last_sync_us + wal->options.flush_interval_ms * UINT64_C(1000), now = clock_us();
    while (!wal->stopping && wal->options.flush_interval_ms && now < due && wal->queued < WAL_QUEUE_BYTES / 2) {
        wal->flusher_waits = true;
        thread_wait(&wal->work, &wal->lock, (uint32_t)((due - now) / 1000 + 1));
        wal->flusher_waits = false;
        now = clock_us();
    }
}

static void *flusher_run(void *arg)
{
    struct wal *wal = arg;
    struct err err;
    bool ok = true;
    pthread_mutex_lock(&wal->lock);
    while (ok) {
        bool idle = false;
        while (!wal->stopping && !wal->ready && !wal->parked && !idle) {
            wal->flusher_waits = true;
            idle = !thread_wait(&wal->work, &wal->lock, MARK_AFTER_MS);
            wal->flusher_waits = false;
        }
        keep_distance(wal);
        struct buffer *parked, *first = take_ready(wal, &parked);
        if (!first && !parked && wal->stopping) break;
        pthread_mutex_unlock(&wal->lock);
        if (first || parked)
            ok = flush_all(wal, first, parked, &err);
        else
            ok = wal_mark(wal, false, &err);
        if (!ok) wal_die(wal, &err);
        pthread_mutex_lock(&wal->lock);
    }
    pthread_mutex_unlock(&wal->lock);
    return NULL;
}

/* --- start and stop --- */

void wal_start(struct wal *wal)
{
    assert(!wal->started);
    wal->started = true;
    thread_start(&wal->flusher, "wal-flush", flusher_run, wal);
    thread_start(&wal->keeper, "keeper", wal_keeper_run, wal);
}

/* The half transaction at the end of the file, which its source will be asked for again, is cut off. */
static bool cut_half(struct wal *wal, struct err *err)
{
    if (wal->place.at == wal->whole.at) return true;
    wal->place = wal->whole;
    return file_truncate(&wal->open.file, wal->whole.at, err) && file_sync(&wal->open.file, err);
}

void wal_stop(struct wal *wal)
{
    struct err err;
    if (wal->stopped) return;
    wal->stopped = true;
    wal_flush(wal);
    pthread_mutex_lock(&wal->lock);
    wal->stopping = true;
    wal->wakes++;
    pthread_cond_broadcast(&wal->work);
    pthread_cond_broadcast(&wal->room);
    pthread_cond_broadcast(&wal->moved);
    pthread_cond_broadcast(&wal->keep);
    pthread_mutex_unlock(&wal->lock);
    if (wal->started) {
        pthread_join(wal->flusher, NULL);
        pthread_join(wal->keeper, NULL);
    }
    wal->started = false;
    if (wal->failed) return;
    if (!wal_flush_ready(wal, &err) || !cut_half(wal, &err) || !wal_mark(wal, true, &err)) wal_die(wal, &err);
    if (wal->holds_changed && !wal_holds_write(wal, &err)) log_warning("wal.holds", "error=\"%s\"", err.text);
}

/* --- points --- */

void wal_points(struct wal *wal, struct wal_points *points)
{
    pthread_mutex_lock(&wal->lock);
    *points = wal->points;
    pthread_mutex_unlock(&wal->lock);
}

static uint64_t point_of(const struct wal *wal, enum wal_point point)
{
    return point == WAL_WRITTEN ? wal->points.written : wal->points.durable;
}

void wal_notify(struct wal *wal, int fd)
{
    pthread_mutex_lock(&wal->lock);
    wal->notifies = fd >= 0;
    wal->notify_fd = fd;
    pthread_mutex_unlock(&wal->lock);
}

bool wal_wait(struct wal *wal, enum wal_point point, uint64_t lsn, uint32_t timeout_ms)
{
    uint64_t deadline = clock_us() + timeout_ms * UINT64_C(1000), now;
    pthread_mutex_lock(&wal->lock);
    uint64_t wakes = wal->wakes;
    while (point_of(wal, point) < lsn && !wal->stopping && !wal->failed && wal->wakes == wakes &&
           (now = clock_us()) < deadline) {
        wal->watchers++;
        thread_wait(&wal->moved, &wal->lock, (uint32_t)((deadline - now + 999) / 1000));
        wal->watchers--;
    }
    bool reached = point_of(wal, point) >= lsn;
    pthread_mutex_unlock(&wal->lock);
    return reached;
}

void wal_wake(struct wal *wal)
{
    pthread_mutex_lock(&wal->lock);
    wal->wakes++;
    pthread_cond_broadcast(&wal->moved);
    pthread_cond_broadcast(&wal->room);
    pthread_mutex_unlock(&wal->lock);
}

/* --- prepared XA transactions --- */

bool wal_blank(const struct wal *wal) { return wal->next_lsn == 1; }
const struct source_pos *wal_end(const struct wal *wal) { return &wal->now.pos; }

bool wal_prepared_find(struct wal *wal, const struct xid *xid, struct wal_prepared *found)
{
    pthread_mutex_lock(&wal->lock);
    const struct wal_prepared *at = prepared_find(&wal->prepared, xid);
    if (at) *found = *at;
    pthread_mutex_unlock(&wal->lock);
    return at;
}

size_t wal_prepared_list(struct wal *wal, struct wal_prepared *list, size_t room)
{
    size_t count = 0;
    pthread_mutex_lock(&wal->lock);
    for (size_t i = 0; i < wal->prepared.count; i++) {
        if (wal->prepared.items[i].done) continue;
        if (count < room) list[count] = wal->prepared.items[i].what;
        count++;
    }
    pthread_mutex_unlock(&wal->lock);
    return count;
}
