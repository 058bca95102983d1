/*
 * inspect.c: what a log says of itself, without writing to it: list, info, verify (wal.h). A live log may be looked at: its
 * open segment is read up to the last block that checks.
 */
#include "inspect.h"

#include <stdlib.h>

#include "record.h"
#include "segment.h"

/* --- list and info --- */

typedef bool visit_fn(void *context, struct segment *segment, struct err *err);

/* Opens each segment in turn. One that retention deletes meanwhile, or that is sealed under our eyes, is not a fault. */
static bool visit(const struct file_system *files, const char *dir, visit_fn *fn, void *context, struct err *err)
{
    struct wal_dir list;
    bool ok = true;
    if (!wal_dir_list(&list, files, dir, err)) return false;
    if (!list.count) ok = err_set(err, ERR_GONE, "%s: there is no log in this directory", dir);
    ok = ok && wal_dir_check(&list, dir, err);
    for (size_t i = 0; ok && i < list.count; i++) {
        struct segment segment = {0};
        struct err own;
        if (segment_open(&segment, files, dir, &list.items[i], 0, &own)) {
            ok = fn(context, &segment, err);
            segment_close(&segment);
        } else if (own.code != ERR_GONE) {
            if (err) *err = own;
            ok = false;
        }
    }
    wal_dir_fini(&list);
    return ok;
}

struct listing {
    wal_segment_fn *fn;
    void *context;
    bool done;
};

static bool list_one(void *context, struct segment *segment, struct err *err)
{
    struct listing *listing = context;
    struct scan scan;
    struct wal_segment_info info = {.first_lsn = segment->name.first, .bytes = segment->size, .sealed = segment->name.sealed,
                                    .start = segment->header.resume.pos};
    if (listing->done) return true;
    if (!segment_scan(segment, true, &scan, err)) return false;
    segment_name_format(&segment->name, info.name);
    info.last_lsn = scan.end.lsn - 1;
    info.bytes = scan.end.at;
    info.raw_bytes = scan.raw_bytes;
    info.records = scan.records;
    info.transactions = scan.commits;
    info.first_timestamp = scan.first_timestamp;
    info.last_timestamp = scan.last_timestamp;
    listing->done = !listing->fn(listing->context, &info);
    return true;
}

bool wal_list(const char *dir, wal_segment_fn *fn, void *context, struct err *err)
{
    struct listing listing = {fn, context, false};
    return visit(file_system_real(), dir, list_one, &listing, err);
}

static void info_add(struct wal_info *info, const struct segment *segment, const struct scan *scan)
{
    if (!info->segments++) {
        uuid_format(segment->header.uuid, info->uuid);
        info->version = segment->header.version;
        info->first_lsn = segment->name.first;
        info->start = segment->header.resume.pos;
    }
    if (!info->first_timestamp) info->first_timestamp = scan->first_timestamp;
    if (scan->last_timestamp) info->last_timestamp = scan->last_timestamp;
    info->bytes += segment->size;
    info->last_lsn = scan->end.lsn - 1;
    info->last_commit_lsn = scan->resume.last_lsn;
    info->end = scan->resume.pos;
    info->transactions += scan->commits;
    info->torn_bytes = scan->valid_end - scan->end.at;
}

static bool info_one(void *context, struct segment *segment, struct err *err)
{
    struct scan scan;
    if (!segment_scan(segment, true, &scan, err)) return false;
    info_add(context, segment, &scan);
    return true;
}

bool wal_info(const char *dir, struct wal_info *info, struct err *err)
{
    memset(info, 0, sizeof *info);
    return visit(file_system_real(), dir, info_one, info, err);
}

/* --- verify --- */

struct verifier {
    struct wal_info *info;
    void (*progress)(void *, uint64_t done, uint64_t total);
    void *context;
    uint64_t done, total;
    uint8_t uuid[UUID_BYTES];
    uint64_t before_last;
    uint32_t before_crc;
    bool any, in_transaction;
    struct buf stored, raw;
    struct record_reader records;
};

static const char *check_row(const struct change *c)
{
    const struct row *rows[2] = {c->kind == CHANGE_INSERT ? &c->after : &c->before, c->kind == CHANGE_UPDATE ? &c->after : NULL};
    for (int i = 0; i < 2 && rows[i]; i++) {
        struct cursor in = cursor_of(rows[i]->image);
        row_take(c->table, rows[i]->present, &in);
        if (in.failed || cursor_left(&in)) return "a row image does not fit its table";
    }
    return NULL;
}

static const char *check_order(struct verifier *v, enum change_kind kind)
{
    bool outside = kind == CHANGE_BEGIN || kind == CHANGE_HEARTBEAT || (unsigned)kind == RECORD_OPEN_XA;
    if (kind != CHANGE_TABLE && outside == v->in_transaction) return "BEGIN, changes and COMMIT are out of order";
    if (kind == CHANGE_BEGIN) v->in_transaction = true;
    if (kind == CHANGE_COMMIT || kind == CHANGE_ABORT) v->in_transaction = false;
    return NULL;
}

static const char *check_records(struct verifier *v, const struct block *block, struct slice bytes)
{
    struct cursor in = cursor_of(bytes);
    struct change c = {.kind = CHANGE_BEGIN};
    uint32_t records = 0, commits = 0;
    const char *reason = NULL;
    if (v->in_transaction != !!(block->flags & BLOCK_INSIDE) && block->records) return "a block's header lies about its start";
    while (!reason && cursor_left(&in)) {
        struct slice record = record_take(&in);
        if (in.failed) return "a record ends beyond its block";
        if (!record_get(&v->records, record, &c, &reason)) return reason;
        reason = check_order(v, c.kind);
        if (!reason && c.kind >= CHANGE_INSERT && c.kind <= CHANGE_DELETE) reason = check_row(&c);
        records++;
        commits += c.kind == CHANGE_COMMIT;
    }
    if (!reason && (records != block->records || commits != block->commits)) reason = "a block has other records than it says";
    if (!reason && records && v->in_transaction != !!(block->flags & BLOCK_OPEN)) reason = "a block's header lies about its end";
    return reason;
}

static bool check_chain(struct verifier *v, const struct segment *s, struct err *err)
{
    if (v->any && memcmp(v->uuid, s->header.uuid, UUID_BYTES))
        return segment_corrupt(s, 16, err, "this segment has the UUID of another log");
    if (v->any && (s->header.before_last != v->before_last || s->header.before_crc != v->before_crc))
        return segment_corrupt(s, 40, err, "this segment does not continue the one before it");
    memcpy(v->uuid, s->header.uuid, UUID_BYTES);
    v->any = true;
    return true;
}

/* Every block up to the end that segment_scan found. */
static bool check_blocks(struct verifier *v, struct segment *s, const struct scan *scan, struct err *err)
{
    struct place place = segment_start(s);
    tables_forget(v->records.tables);
    v->in_transaction = false;
    while (place.at < scan->end.at) {
        struct block block;
        struct slice bytes;
        const char *reason = "a block does not check";
        enum walk walk = segment_block(s, &place, &block, err);
        if (walk == WALK_BLOCK) walk = segment_data(s, &place, &block, &v->stored, &v->raw, &bytes, err);
        if (walk == WALK_FAILED) return false;
        if (walk == WALK_BLOCK) reason = check_records(v, &block, bytes);
        if (reason) return segment_corrupt(s, place.at, err, reason);
        place = place_after(&place, &block);
    }
    v->before_last = place.lsn - 1;
    v->before_crc = place.before;
    return true;
}

static bool verify_one(void *context, struct segment *s, struct err *err)
{
    struct verifier *v = context;
    struct scan scan;
    if (!check_chain(v, s, err) || !segment_scan(s, false, &scan, err) || !check_blocks(v, s, &scan, err)) return false;
    info_add(v->info, s, &scan);
    v->done += s->size;
    if (v->progress) v->progress(v->context, v->done, v->total);
    return true;
}

static bool add_size(void *context, struct segment *segment, struct err *err)
{
    (void)err;
    *(uint64_t *)context += segment->size;
    return true;
}

bool wal_verify_files(const struct file_system *files, const char *dir,
                      void (*progress)(void *, uint64_t done, uint64_t total), void *context, struct wal_info *info,
                      struct err *err)
{
    struct verifier v = {.info = info, .progress = progress, .context = context, .records = {.tables = tables_new()}};
    memset(info, 0, sizeof *info);
    buf_init(&v.stored, BLOCK_RAW_MAX + 1);
    buf_init(&v.raw, BLOCK_RAW_MAX);
    bool ok = visit(files, dir, add_size, &v.total, err) && visit(files, dir, verify_one, &v, err);
    buf_fini(&v.stored);
    buf_fini(&v.raw);
    tables_free(v.records.tables);
    return ok;
}

bool wal_verify(const char *dir, void (*progress)(void *, uint64_t done, uint64_t total), void *context,
                struct wal_info *info, struct err *err)
{
    return wal_verify_files(file_system_real(), dir, progress, context, info, err);
}
