/*
 * reader.c: reading a log, live or a directory (wal.h).
 *
 * A reader stands at a place in one segment and lends records of one unpacked block. Two bounds say what may be read: in a
 * live log the published end of the open segment; in a directory the last block that checks, and a transaction that
 * leaves its first block only when the headers ahead show its end. Headers ahead also tell whether it ends in ABORT.
 */
#include <assert.h>
#include <stdlib.h>

#include "clock.h"
#include "reader.h"
#include "record.h"
#include "state.h"

enum { OPEN_TRIES = 1000, OPEN_WAIT_MS = 2, READER_KEEP = 4 << 20 };

struct wal_reader {
    struct wal *wal;                 /* NULL: a directory */
    const struct file_system *files;
    char *dir;
    struct segment segment;
    bool has_segment;
    struct place place;              /* behind the block in hand */
    struct block block;
    struct buf stored, raw;
    struct cursor in;                /* rest of the block in hand */
    uint64_t lsn, from;              /* of the next record in hand; nothing before `from` is lent */
    bool in_transaction, skipping;   /* skipping: to the end of this transaction */
    bool heartbeats, prepared;       /* wanted */
    bool hiding;                     /* the rows of this transaction wait for the end of their XA transaction */
    uint64_t checked_at;             /* place at which the tail was looked at for damage */
    uint64_t wakes;
    struct record_reader records;
};

void wal_reader_heartbeats(struct wal_reader *reader, bool wanted) { reader->heartbeats = wanted; }
void wal_reader_prepared(struct wal_reader *reader, bool wanted) { reader->prepared = wanted; }

/* --- segments --- */

static bool live_name(struct wal_reader *r, uint64_t lsn, struct segment_name *name, struct err *err)
{
    struct wal *wal = r->wal;
    bool found = false;
    pthread_mutex_lock(&wal->lock);
    uint64_t first = wal->points.first;
    for (size_t i = wal->segment_count; !found && i-- > 0;)
        if ((found = wal->segments[i].name.first <= lsn)) *name = wal->segments[i].name;
    pthread_mutex_unlock(&wal->lock);
    return found ? true : err_set(err, ERR_GONE, "LSN %llu is no longer in the log, the oldest kept is %llu",
                                  (unsigned long long)lsn, (unsigned long long)first);
}

static bool dir_name(struct wal_reader *r, uint64_t *lsn, struct segment_name *name, struct err *err)
{
    struct wal_dir list;
    if (!wal_dir_list(&list, r->files, r->dir, err)) return false;
    bool ok = list.count || err_set(err, ERR_GONE, "%s: there is no log in this directory", r->dir);
    if (ok && !*lsn) *lsn = list.items[0].first;
    const struct segment_name *at = ok ? wal_dir_at(&list, *lsn) : NULL;
    if (ok && !at)
        ok = err_set(err, ERR_GONE, "LSN %llu is no longer in the log, the oldest kept is %llu", (unsigned long long)*lsn,
                     (unsigned long long)list.items[0].first);
    if (ok) *name = *at;
    wal_dir_fini(&list);
    return ok;
}

/* Opens the segment that has lsn. Its name may change between look-up and open, so it is tried a few times. */
static bool enter(struct wal_reader *r, uint64_t lsn, struct err *err)
{
    struct segment_name name;
    struct err own = {0};
    bool opened = false;
    for (int i = 0; !opened && i < OPEN_TRIES; i++) {
        if (!(r->wal ? live_name(r, lsn, &name, err) : dir_name(r, &lsn, &name, err))) return false;
        struct segment next;
        opened = segment_open(&next, r->files, r->dir, &name, 0, &own);
        if (!opened && own.code != ERR_GONE) break;
        if (!opened) {
            clock_sleep_ms(OPEN_WAIT_MS); /* between the writer's rename and its note of the new name */
            continue;
        }
        if (r->has_segment) segment_close(&r->segment);
        r->segment = next;
        r->has_segment = true;
    }
    if (!opened) {
        if (err) *err = own;
        return false;
    }
    r->place = segment_start(&r->segment);
    r->in = (struct cursor){NULL, NULL, false};
    r->checked_at = 0;
    tables_forget(r->records.tables);
    return true;
}

/* --- what may be read --- */

/* How far the segment in hand may be read in a live log. */
static uint64_t live_end(struct wal_reader *r)
{
    pthread_mutex_lock(&r->wal->lock);
    uint64_t end = r->wal->open_first == r->segment.header.first_lsn ? r->wal->open_end : UINT64_MAX;
    pthread_mutex_unlock(&r->wal->lock);
    return end;
}

/* A block that should be there is not: the file has been deleted under us, or it is damaged. */
static enum walk lost_block(struct wal_reader *r, struct err *err)
{
    char name[SEGMENT_NAME_MAX], path[FILE_PATH_MAX];
    struct file file = {0};
    segment_name_format(&r->segment.name, name);
    segment_path(r->dir, name, path);
    if (!file_open(&file, r->files, path, 0, NULL)) {
        err_set(err, ERR_GONE, "%s was deleted by retention while it was read", path);
        return WALK_FAILED;
    }
    file_close(&file);
    segment_corrupt(&r->segment, r->place.at, err, "a block does not check");
    return WALK_FAILED;
}

/* The name that the segment in hand has by now: an open one may have been sealed, or deleted since. */
static bool refresh_name(struct wal_reader *r, struct err *err)
{
    struct segment_name name;
    uint64_t first = r->segment.header.first_lsn;
    if (!(r->wal ? live_name(r, first, &name, err) : dir_name(r, &first, &name, err))) return false;
    if (name.first == first) r->segment.name = name;
    return true;
}

/* The end of a directory's open segment, or of one that was sealed meanwhile under its old name. Looks for damage once
   per place; a block that came while looking is read like any other. */
static enum walk dir_tail(struct wal_reader *r, struct err *err)
{
    struct block block;
    struct err damage;
    if (r->checked_at == r->place.at) return WALK_NONE;
    r->checked_at = r->place.at;
    if (!segment_is_damaged(&r->segment, &r->place, &damage)) return WALK_NONE;
    enum walk walk = segment_block(&r->segment, &r->place, &block, err);
    struct slice bytes;
    if (walk == WALK_BLOCK)
        walk = segment_data(&r->segment, &r->place, &block, &r->stored, &r->raw, &bytes, err);
    if (walk == WALK_BLOCK) return WALK_NONE;
    if (walk == WALK_NONE && err) *err = damage;
    return WALK_FAILED;
}

static enum walk missing_block(struct wal_reader *r, struct err *err)
{
    bool was_sealed = r->segment.name.sealed;
    if (!was_sealed && !refresh_name(r, err)) return WALK_FAILED;
    if (r->wal || was_sealed) return lost_block(r, err);
    return r->segment.name.sealed ? WALK_NONE : dir_tail(r, err); /* sealed since: look again */
}

/* Header of the next block within the bound; WALK_NONE at the published end. */
static enum walk next_header(struct wal_reader *r, struct block *block, struct err *err)
{
    if (r->wal && r->place.at >= live_end(r)) return WALK_NONE;
    /* wal_set_start replaces the file of a log in which nothing is yet: the one that was looked at before may be another */
    if (r->wal && r->place.at == SEGMENT_HEADER && r->place.lsn == 1 && !enter(r, 1, err)) return WALK_FAILED;
    enum walk walk = segment_block(&r->segment, &r->place, block, err);
    return walk == WALK_NONE ? missing_block(r, err) : walk;
}

/* Kind of the end of the transaction that is open behind `block`: 0 when it is not there yet. */
static enum walk end_ahead(struct wal_reader *r, const struct block *block, uint8_t *kind, struct err *err)
{
    struct place place = place_after(&r->place, block);
    struct block ahead;
    uint64_t end = r->wal ? live_end(r) : UINT64_MAX;
    *kind = 0;
    while (place.at < end) {
        enum walk walk = segment_block(&r->segment, &place, &ahead, err);
        if (walk != WALK_BLOCK) return walk == WALK_NONE && (r->wal || r->segment.name.sealed) ? lost_block(r, err) : walk;
        /* in a directory the rest must be whole before the beginning is lent */
        struct slice bytes;
        if (!r->wal && !r->segment.name.sealed &&
            (walk = segment_data(&r->segment, &place, &ahead, &r->stored, &r->raw, &bytes, err)) != WALK_BLOCK)
            return walk;
        *kind = ahead.end_kind;
        if (*kind) return WALK_BLOCK;
        place = place_after(&place, &ahead);
    }
    return WALK_NONE;
}

/* --- blocks --- */

/* TABLE records of a block that is passed over. */
static bool learn_tables(struct wal_reader *r, struct slice bytes, struct err *err)
{
    struct cursor in = cursor_of(bytes);
    struct change change;
    const char *reason = NULL;
    while (cursor_left(&in)) {
        struct slice record = record_take(&in);
        if (in.failed) return segment_corrupt(&r->segment, r->place.at, err, "a record ends beyond its block");
        if (record.data[0] == CHANGE_TABLE && !record_get(&r->records, record, &change, &reason))
            return segment_corrupt(&r->segment, r->place.at, err, reason);
    }
    return true;
}

static bool all_before(const struct wal_reader *r, const struct block *b) { return b->first_lsn + b->records <= r->from; }

/* Buffers that one huge row made large are given back. */
static void trim(struct buf *buf)
{
    if (buf->room <= READER_KEEP) return;
    size_t max = buf->max;
    buf_fini(buf);
    buf_init(buf, max);
}

/* Puts the block's records in hand, or passes over it. */
static enum walk take_block(struct wal_reader *r, const struct block *block, struct err *err)
{
    bool pass = all_before(r, block) && !(block->flags & BLOCK_TABLES);
    struct slice bytes = {NULL, 0};
    trim(&r->stored);
    trim(&r->raw);
    if (!pass && block->records) {
        enum walk walk = segment_data(&r->segment, &r->place, block, &r->stored, &r->raw, &bytes, err);
        if (walk == WALK_NONE) return missing_block(r, err);
        if (walk == WALK_FAILED) return walk;
        if (all_before(r, block)) {
            if (!learn_tables(r, bytes, err)) return WALK_FAILED;
            bytes.size = 0;
        }
    }
    /* passed over in the midst of a transaction: what is left of it belongs to a BEGIN before `from` */
    if (bytes.size == 0 && block->records) {
        r->in_transaction = r->skipping = block->flags & BLOCK_OPEN;
        r->hiding = false;
    }
    r->block = *block;
    r->in = cursor_of(bytes);
    r->lsn = block->first_lsn;
    r->place = place_after(&r->place, block);
    return WALK_BLOCK;
}

/* The next block into hand. WALK_NONE: nothing more is published now. */
static enum walk advance(struct wal_reader *r, struct err *err)
{
    struct block block;
    enum walk walk = next_header(r, &block, err);
    if (walk != WALK_BLOCK) return walk;
    if (block.flags & BLOCK_SEAL) {
        uint64_t next = block.first_lsn;
        if (!r->wal) {
            struct segment_name name;
            if (!dir_name(r, &next, &name, err)) return WALK_FAILED;
            if (name.first != block.first_lsn) return WALK_NONE; /* sealed, its successor is being made */
        } else {
            struct segment_name name;
            if (!live_name(r, next, &name, err)) return WALK_FAILED;
            if (name.first != block.first_lsn) return WALK_NONE;
        }
        return enter(r, next, err) ? WALK_BLOCK : WALK_FAILED;
    }
    if ((block.flags & BLOCK_OPEN) && !(block.flags & BLOCK_INSIDE)) {
        uint8_t kind;
        walk = end_ahead(r, &block, &kind, err);
        if (walk != WALK_BLOCK) return walk;
        r->in_transaction = true;
        r->skipping = kind == CHANGE_ABORT;
        r->hiding = kind == RECORD_PREPARED && !r->prepared;
        walk = take_block(r, &block, err);
        if (walk == WALK_BLOCK && kind == CHANGE_ABORT) r->skipping = true;
        return walk;
    }
    return take_block(r, &block, err);
}

/* --- records --- */

/* The kind of the end, within the block, of the transaction that begins at this record (already taken off `in`). 0: none. */
static uint8_t end_here(const struct wal_reader *r)
{
    struct cursor in = r->in;
    while (cursor_left(&in)) {
        struct slice record = record_take(&in);
        if (in.failed) return 0;
        if (record_commits(record.data[0]) || record.data[0] == CHANGE_ABORT) return record.data[0];
    }
    return 0;
}

/* A BEGIN whose end is in the same block. */
static void look_for_end(struct wal_reader *r)
{
    uint8_t kind = r->block.flags & (BLOCK_ABORTS | BLOCK_XA) ? end_here(r) : 0;
    r->skipping = kind == CHANGE_ABORT;
    r->hiding = kind == RECORD_PREPARED && !r->prepared;
}

/* Whether a record is lent; keeps track of transactions. */
static bool is_lent(struct wal_reader *r, enum change_kind kind, uint64_t lsn)
{
    bool lent;
    switch (kind) {
    case CHANGE_BEGIN:
        if (!(r->block.flags & BLOCK_OPEN)) look_for_end(r);
        r->skipping |= lsn < r->from;
        r->in_transaction = true;
        return !r->skipping;
    case CHANGE_COMMIT:
    case CHANGE_ABORT:
        lent = !r->skipping && kind == CHANGE_COMMIT;
        if (r->hiding) r->records.commit.rows = 0;
        r->skipping = r->hiding = r->in_transaction = false;
        return lent;
    case CHANGE_HEARTBEAT:
        return r->heartbeats && lsn >= r->from;
    case CHANGE_TABLE:
        return false;
    default:
        return !r->skipping && !r->hiding && (unsigned)kind != RECORD_OPEN_XA;
    }
}

static bool is_needed(const struct wal_reader *r, uint8_t kind)
{
    return (!r->skipping && !r->hiding) || kind == CHANGE_TABLE || kind == CHANGE_BEGIN || record_commits(kind) || kind == CHANGE_ABORT;
}

/* The next record in hand that is lent; false when the block is used up or *failed. */
static bool next_record(struct wal_reader *r, struct change *change, bool *failed, struct err *err)
{
    const char *reason = NULL;
    while (cursor_left(&r->in)) {
        struct slice record = record_take(&r->in);
        uint64_t lsn = r->lsn++;
        if (r->in.failed) {
            reason = "a record ends beyond its block";
            break;
        }
        if (!is_needed(r, record.data[0])) continue;
        if (!record_get(&r->records, record, change, &reason)) break;
        change->lsn = lsn;
        if (is_lent(r, change->kind, lsn)) return true;
    }
    if (reason) {
        *failed = true;
        segment_corrupt(&r->segment, r->place.at - r->block.stored_size - BLOCK_HEADER, err, reason);
    }
    return false;
}

/* --- waiting --- */

/* Waits until more may be published: TIMEOUT, STOPPED, or CHANGE for "look again". */
static enum wal_read wait_live(struct wal_reader *r, uint64_t deadline)
{
    struct wal *wal = r->wal;
    enum wal_read result = WAL_READ_CHANGE;
    pthread_mutex_lock(&wal->lock);
    while (wal->open_first == r->segment.header.first_lsn && wal->open_end <= r->place.at) {
        uint64_t now = clock_us();
        if (wal->stopping || wal->failed) result = WAL_READ_STOPPED;
        else if (wal->wakes != r->wakes || now >= deadline) result = WAL_READ_TIMEOUT;
        if (result != WAL_READ_CHANGE) break;
        wal->watchers++;
        thread_wait(&wal->moved, &wal->lock, (uint32_t)((deadline - now + 999) / 1000));
        wal->watchers--;
    }
    r->wakes = wal->wakes;
    pthread_mutex_unlock(&wal->lock);
    return result;
}

enum wal_read wal_reader_next(struct wal_reader *r, uint32_t timeout_ms, struct change *change, struct err *err)
{
    uint64_t deadline = 0;
    for (;;) {
        bool failed = false;
        if (next_record(r, change, &failed, err)) return WAL_READ_CHANGE;
        if (failed) return WAL_READ_FAILED;
        enum walk walk = advance(r, err);
        if (walk == WALK_FAILED) return WAL_READ_FAILED;
        if (walk == WALK_BLOCK) continue;
        if (!r->wal) return WAL_READ_END;
        if (!deadline) deadline = clock_us() + timeout_ms * UINT64_C(1000);
        enum wal_read waited = wait_live(r, deadline);
        if (waited != WAL_READ_CHANGE) return waited;
    }
}

/* --- opening --- */

static struct wal_reader *reader_new(struct wal *wal, const struct file_system *files, const char *dir, uint64_t lsn)
{
    struct wal_reader *r = calloc(1, sizeof *r);
    if (!r || !(r->dir = strdup(dir))) abort();
    r->wal = wal;
    r->files = files;
    r->from = lsn;
    r->records.tables = tables_new();
    buf_init(&r->stored, BLOCK_RAW_MAX + 1);
    buf_init(&r->raw, BLOCK_RAW_MAX);
    return r;
}

bool wal_reader_open(struct wal *wal, uint64_t lsn, struct wal_reader **reader, struct err *err)
{
    pthread_mutex_lock(&wal->lock);
    if (!lsn) lsn = wal->points.first;
    uint64_t wakes = wal->wakes;
    pthread_mutex_unlock(&wal->lock);
    struct wal_reader *r = reader_new(wal, wal->files, wal->dir, lsn);
    r->wakes = wakes;
    if (!enter(r, lsn, err)) {
        wal_reader_close(r);
        return false;
    }
    *reader = r;
    return true;
}

bool wal_reader_open_files(const struct file_system *files, const char *dir, uint64_t lsn, struct wal_reader **reader,
                           struct err *err)
{
    if (strlen(dir) + SEGMENT_NAME_MAX + 8 > FILE_PATH_MAX) return err_set(err, ERR_CONFIG, "path of the log is too long");
    struct wal_reader *r = reader_new(NULL, files, dir, lsn);
    if (!enter(r, lsn, err)) {
        wal_reader_close(r);
        return false;
    }
    *reader = r;
    return true;
}

bool wal_reader_open_dir(const char *dir, uint64_t lsn, struct wal_reader **reader, struct err *err)
{
    return wal_reader_open_files(file_system_real(), dir, lsn, reader, err);
}

void wal_reader_close(struct wal_reader *r)
{
    if (!r) return;
    if (r->has_segment) segment_close(&r->segment);
    tables_free(r->records.tables);
    buf_fini(&r->stored);
    buf_fini(&r->raw);
    free(r->dir);
    free(r);
}

uint64_t wal_reader_behind(struct wal_reader *r)
{
    struct wal *wal = r->wal;
    uint64_t behind = 0;
    if (!wal) return 0;
    pthread_mutex_lock(&wal->lock);
    for (size_t i = wal->segment_count; i-- > 0;) {
        const struct segment_entry *e = &wal->segments[i];
        bool here = e->name.first == r->segment.header.first_lsn, open = i + 1 == wal->segment_count;
        uint64_t end = open ? wal->open_end : e->bytes, start = here ? r->place.at : SEGMENT_HEADER;
        if (end > start) behind += end - start;
        if (here) break;
    }
    pthread_mutex_unlock(&wal->lock);
    return behind;
}
