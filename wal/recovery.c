/*
 * recovery.c: opening a log: the one tested road back after a crash, a failed write or a clean stop alike.
 *
 *   1. lock the directory, list it, refuse what is foreign
 *   2. finish a switch of segments that was cut short
 *   3. check that each segment continues the one before, by names and headers (headers only: 10 GB open at once)
 *   4. read the last segment through; cut it behind its last whole transaction, sync
 *   5. if no segment is open, begin one
 *
 * The cut is made before anything is written, so a torn tail never stands behind new data.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "clock.h"
#include "log.h"
#include "metrics.h"
#include "state.h"

static struct wal *wal_new(const struct wal_options *options)
{
    struct wal *wal = calloc(1, sizeof *wal);
    if (!wal || !(wal->dir = strdup(options->dir))) abort();
    wal->options = *options;
    wal->options.dir = wal->dir;
    wal->files = options->files ? options->files : file_system_real();
    wal->block_bytes = options->block_bytes ? options->block_bytes : BLOCK_TARGET;
    wal->ready_end = &wal->ready;
    wal->defined_room = 64;
    wal->defined = calloc(wal->defined_room, sizeof *wal->defined);
    if (!wal->defined) abort();
    buf_init(&wal->out, BLOCK_RAW_MAX + BLOCK_HEADER);
    pthread_mutex_init(&wal->lock, NULL);
    pthread_mutex_init(&wal->holds_write, NULL);
    thread_cond_init(&wal->work);
    thread_cond_init(&wal->room);
    thread_cond_init(&wal->moved);
    thread_cond_init(&wal->keep);
    return wal;
}

void wal_close(struct wal *wal)
{
    if (!wal) return;
    wal_stop(wal);
    segment_close(&wal->open);
    file_close(&wal->lock_file);
    wal_buffers_free(wal);
    buf_fini(&wal->out);
    pthread_cond_destroy(&wal->work);
    pthread_cond_destroy(&wal->room);
    pthread_cond_destroy(&wal->moved);
    pthread_cond_destroy(&wal->keep);
    pthread_mutex_destroy(&wal->lock);
    pthread_mutex_destroy(&wal->holds_write);
    prepared_fini(&wal->prepared);
    free(wal->segments);
    free(wal->defined);
    free(wal->dir);
    free(wal);
}

const char *wal_uuid(const struct wal *wal) { return wal->uuid_text; }

static bool lock_dir(struct wal *wal, struct err *err)
{
    char path[FILE_PATH_MAX];
    if (strlen(wal->dir) + SEGMENT_NAME_MAX + 8 > FILE_PATH_MAX)
        return err_set(err, ERR_CONFIG, "wal.dir is longer than %d bytes", FILE_PATH_MAX - SEGMENT_NAME_MAX - 8);
    if (!file_make_dir(wal->files, wal->dir, err)) return false;
    segment_path(wal->dir, "lock", path);
    if (!file_open(&wal->lock_file, wal->files, path, FILE_WRITE | FILE_CREATE, err)) return false;
    if (file_lock(&wal->lock_file, err)) return true;
    if (err && err->number == EWOULDBLOCK)
        err_set_number(err, ERR_STOP, EWOULDBLOCK,
                       "%s: another process writes this log (a second wolfcdc with the same wal.dir?); stop it first",
                       wal->dir);
    return false;
}

static bool seal_name(struct wal *wal, const struct segment *segment, uint64_t last, struct err *err)
{
    struct segment_name name = {segment->header.first_lsn, last, true};
    char text[SEGMENT_NAME_MAX], path[FILE_PATH_MAX];
    segment_name_format(&name, text);
    segment_path(wal->dir, text, path);
    return file_rename(wal->files, segment->file.path, path, err) && file_sync_dir(wal->files, wal->dir, err);
}

/* Two open segments: the first must be sealed inside and end where the second begins. */
static bool finish_switch(struct wal *wal, struct wal_dir *list, struct err *err)
{
    struct segment segment = {0};
    struct scan scan;
    if (list->count < 2 || list->items[list->count - 2].sealed || list->items[list->count - 1].sealed) return true;
    struct segment_name *name = &list->items[list->count - 2];
    uint64_t next = list->items[list->count - 1].first;
    bool ok = segment_open(&segment, wal->files, wal->dir, name, 0, err) && segment_scan(&segment, false, &scan, err);
    if (ok && (!scan.sealed || scan.end.lsn != next))
        ok = segment_corrupt(&segment, scan.end.at, err, "an open segment stands before another and does not end with its seal");
    ok = ok && seal_name(wal, &segment, next - 1, err);
    if (ok) {
        name->sealed = true;
        name->last = next - 1;
    }
    segment_close(&segment);
    return ok;
}

/* Headers of all segments: one UUID, each the continuation of the one before. */
static bool check_headers(struct wal *wal, const struct wal_dir *list, struct err *err)
{
    uint64_t before = 0;
    bool ok = true;
    for (size_t i = 0; ok && i < list->count; i++) {
        struct segment s = {0};
        const struct segment_name *name = &list->items[i];
        if (!segment_open(&s, wal->files, wal->dir, name, 0, err)) return false;
        if (i == 0) memcpy(wal->uuid, s.header.uuid, UUID_BYTES);
        if (memcmp(wal->uuid, s.header.uuid, UUID_BYTES))
            ok = segment_corrupt(&s, 16, err, "this segment has the UUID of another log");
        else if (i && s.header.before_last != before)
            ok = segment_corrupt(&s, 40, err, "this segment does not continue the one before it");
        before = name->last;
        if (wal->segment_count) {
            struct segment_entry *last = &wal->segments[wal->segment_count - 1];
            last->ended_us = s.header.created_us;
            last->last_timestamp = s.header.resume.timestamp;
        }
        struct segment_entry entry = {.name = *name, .bytes = s.size, .created_us = s.header.created_us,
                                      .first_timestamp = s.header.resume.timestamp};
        wal_entry_add(wal, &entry);
        segment_close(&s);
    }
    return ok;
}

/* Continues in the open segment. Everything behind its last whole transaction goes, and stays gone. */
static bool cut_and_go_on(struct wal *wal, struct segment *s, const struct scan *scan, struct err *err)
{
    if (s->size > scan->end.at) {
        if (!file_truncate(&s->file, scan->end.at, err) || !file_sync(&s->file, err)) return false;
        (void)!file_allocate(&s->file, wal->options.segment_bytes, NULL);
    }
    if (scan->valid_end > scan->end.at)
        log_info("wal.repaired", "file=%s offset=%llu cut_bytes=%llu reason=\"half a transaction at the end\"", s->file.path,
                 (unsigned long long)scan->end.at, (unsigned long long)(scan->valid_end - scan->end.at));
    wal->open = *s;
    memset(&s->file, 0, sizeof s->file);
    wal->place = wal->whole = scan->end;
    wal->open_first = s->header.first_lsn;
    wal->open_end = wal->open_at = scan->end.at;
    return true;
}

/* The last segment is sealed: the next begins behind it. */
static bool begin_after(struct wal *wal, const struct segment *s, const struct scan *scan, struct err *err)
{
    struct segment_header header = {.first_lsn = scan->end.lsn, .before_last = scan->end.lsn - 1,
                                    .before_crc = scan->end.before, .resume = scan->resume};
    struct segment_entry *last = &wal->segments[wal->segment_count - 1];
    if (!last->name.sealed && !seal_name(wal, s, scan->end.lsn - 1, err)) return false;
    last->name.sealed = true;
    last->name.last = scan->end.lsn - 1;
    last->ended_us = scan->last_wall_us;
    last->last_timestamp = scan->last_timestamp;
    return wal_segment_begin(wal, &header, err);
}

static void adopt_points(struct wal *wal, const struct wal_resume *resume, uint64_t published)
{
    uint64_t written = published > resume->last_lsn ? published : resume->last_lsn;
    wal->now = *resume;
    wal->points.first = wal->segments[0].name.first;
    wal->points.written = wal->points.durable = wal->durable = written;
    wal->points.commit = resume->last_lsn;
    wal->next_lsn = wal->place.lsn;
    wal->segment_first = wal->open.header.first_lsn;
    metric_set(METRIC_WRITTEN_LSN, written);
    metric_set(METRIC_DURABLE_LSN, written);
    metric_set(METRIC_WAL_SEGMENTS, wal->segment_count);
}

static bool open_last(struct wal *wal, const struct segment_name *name, struct err *err)
{
    struct segment s = {0};
    struct scan scan;
    bool ok = segment_open(&s, wal->files, wal->dir, name, FILE_WRITE, err) && segment_scan(&s, false, &scan, err);
    if (ok) {
        struct segment_entry *last = &wal->segments[wal->segment_count - 1];
        if (scan.first_timestamp && !last->first_timestamp) last->first_timestamp = scan.first_timestamp;
        last->last_timestamp = scan.last_timestamp;
        ok = scan.sealed ? begin_after(wal, &s, &scan, err) : cut_and_go_on(wal, &s, &scan, err);
    }
    if (ok) adopt_points(wal, &scan.resume, scan.published);
    segment_close(&s);
    return ok;
}

static bool open_new(struct wal *wal, const struct source_pos *start, struct err *err)
{
    struct segment_header header = {.first_lsn = 1, .resume = {.empty = true}};
    if (getrandom(wal->uuid, UUID_BYTES, 0) != UUID_BYTES)
        return err_set_number(err, ERR_STOP, (unsigned)errno, "cannot make a UUID: %s", strerror(errno));
    wal->uuid[6] = (uint8_t)((wal->uuid[6] & 0x0f) | 0x40); /* RFC 9562 version 4 */
    wal->uuid[8] = (uint8_t)((wal->uuid[8] & 0x3f) | 0x80);
    if (start) header.resume.pos = *start;
    if (!wal_segment_begin(wal, &header, err)) return false;
    adopt_points(wal, &header.resume, 0);
    return true;
}

/* Records about prepared transactions of one segment, up to `end`, into the list. */
static bool load_segment(struct wal *wal, struct segment *s, uint64_t end, bool *any, struct err *err)
{
    struct place place = segment_start(s);
    struct buf stored, raw;
    struct block block;
    bool ok = true;
    buf_init(&stored, BLOCK_RAW_MAX + 1);
    buf_init(&raw, BLOCK_RAW_MAX);
    while (ok && place.at < end) {
        enum walk walk = segment_block(s, &place, &block, err);
        struct slice bytes = {NULL, 0};
        const char *reason = NULL;
        if (walk != WALK_BLOCK) {
            ok = walk == WALK_NONE;
            break;
        }
        if (block.flags & BLOCK_XA) walk = segment_data(s, &place, &block, &stored, &raw, &bytes, err);
        if (walk == WALK_FAILED) ok = false;
        struct cursor in = cursor_of(bytes);
        for (uint64_t lsn = block.first_lsn; ok && !reason && cursor_left(&in); lsn++) {
            struct slice record = record_take(&in);
            if (in.failed) reason = "a record ends beyond its block";
            else (void)!record_get_xa(record, lsn, &wal->prepared, &reason);
        }
        if (ok && (walk == WALK_NONE || reason)) ok = segment_corrupt(s, place.at, err, reason ? reason : "data of a block does not check");
        *any |= block.records > 0;
        prepared_prune(&wal->prepared, UINT64_MAX); /* a segment has room for more that were ended than may be open */
        place = place_after(&place, &block);
    }
    buf_fini(&stored);
    buf_fini(&raw);
    return ok;
}

/* The open segment says which are open, or the one before it when there is nothing in it yet. */
bool wal_prepared_load(struct wal *wal, struct err *err)
{
    struct segment before = {0};
    bool any = false;
    if (!load_segment(wal, &wal->open, wal->place.at, &any, err)) return false;
    wal->list_due = !any;
    if (any || wal->segment_count < 2) return true;
    const struct segment_name *name = &wal->segments[wal->segment_count - 2].name;
    bool ok = segment_open(&before, wal->files, wal->dir, name, 0, err) && load_segment(wal, &before, UINT64_MAX, &any, err);
    segment_close(&before);
    return ok;
}

static void take_recycled(struct wal *wal, const struct wal_dir *list)
{
    char name[SEGMENT_NAME_MAX], path[FILE_PATH_MAX];
    for (size_t i = 0; i < list->recycled_count; i++) {
        if (list->recycled[i] >= wal->recycle_next) wal->recycle_next = list->recycled[i] + 1;
        if (wal->recycled_count < WAL_RECYCLE_MAX) {
            wal->recycled[wal->recycled_count++] = list->recycled[i];
            continue;
        }
        snprintf(name, sizeof name, "recycle-%llu.tmp", (unsigned long long)list->recycled[i]);
        segment_path(wal->dir, name, path);
        (void)!file_unlink(wal->files, path, NULL); /* more than are kept: left by a crash; tried again next time */
    }
}

/* Renames that a crash caught half way are made durable before their old names may be used again. */
static bool open_dir(struct wal *wal, const struct source_pos *start, struct err *err)
{
    struct wal_dir list = {0};
    if (!lock_dir(wal, err) || !file_sync_dir(wal->files, wal->dir, err) || !wal_dir_list(&list, wal->files, wal->dir, err))
        return false;
    take_recycled(wal, &list);
    bool ok = finish_switch(wal, &list, err) && wal_dir_check(&list, wal->dir, err) && check_headers(wal, &list, err) &&
              (list.count ? open_last(wal, &list.items[list.count - 1], err) : open_new(wal, start, err)) &&
              wal_prepared_load(wal, err) &&
              wal_holds_read(wal, err);
    wal_dir_fini(&list);
    return ok;
}

bool wal_open(const struct wal_options *options, const struct source_pos *start, struct wal **wal,
              struct wal_resume *resume, struct err *err)
{
    struct wal *w = wal_new(options);
    if (!open_dir(w, start, err)) {
        w->stopped = true; /* nothing to flush */
        wal_close(w);
        return false;
    }
    uuid_format(w->uuid, w->uuid_text);
    wal_check_space(w);
    *resume = w->now;
    resume->empty = w->now.last_lsn == 0;
    *wal = w;
    return true;
}

bool wal_set_start(struct wal *wal, const struct source_pos *start, struct err *err)
{
    struct segment_header header = {.first_lsn = 1, .resume = {.empty = true, .pos = *start}};
    if (wal->next_lsn != 1)
        return err_set(err, ERR_STOP, "the log is not empty: it goes on from the position of its last transaction");
    if (!wal_segment_begin(wal, &header, err)) return false;
    wal->now.pos = *start;
    return true;
}
