/* retention.c: space, retention and holds (wal.h): the keeper thread's work. */
#include "retention.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "log.h"
#include "metrics.h"
#include "state.h"

enum { KEEPER_MS = 1000, KEEP_EVERY = 5, HOLDS_FILE_MAX = 256 << 10 };
static const char holds_magic[8] = {'w', 'o', 'l', 'f', 'h', 'l', 'd', '1'};

/* --- the decision --- */

static bool may_go(const struct wal_age *segment, uint64_t lowest, uint64_t total, const struct wal_limits *limits)
{
    uint64_t age = limits->now_us > segment->ended_us ? limits->now_us - segment->ended_us : 0;
    bool unneeded = segment->last < lowest && age >= limits->rewind_us;
    if (unneeded && age >= limits->retention_us) return true;
    if (unneeded && limits->size_max && total > limits->size_max) return true;
    return limits->hard && total > limits->hard;
}

uint64_t wal_retain_from(const struct wal_need *needs, size_t count, const struct wal_limits *limits)
{
    uint64_t lowest = UINT64_MAX, total = limits->open_bytes;
    for (size_t i = 0; i < count; i++)
        if (needs[i].lsn < lowest) lowest = needs[i].lsn;
    for (size_t i = 0; i < limits->segment_count; i++) total += limits->segments[i].bytes;
    for (size_t i = 0; i < limits->segment_count; i++) {
        const struct wal_age *segment = &limits->segments[i];
        if (!may_go(segment, lowest, total, limits)) return segment->first;
        total -= segment->bytes;
    }
    return limits->open_first;
}

/* --- holds --- */

static struct hold *find_hold(struct wal *wal, const char *name)
{
    for (size_t i = 0; i < wal->hold_count; i++)
        if (!strcmp(wal->holds[i].name, name)) return &wal->holds[i];
    return NULL;
}

bool wal_holds_write(struct wal *wal, struct err *err)
{
    struct buf out;
    buf_init(&out, HOLDS_FILE_MAX);
    pthread_mutex_lock(&wal->holds_write);
    pthread_mutex_lock(&wal->lock);
    buf_put(&out, holds_magic, sizeof holds_magic);
    buf_varint(&out, wal->hold_count);
    for (size_t i = 0; i < wal->hold_count; i++) {
        buf_varint_bytes(&out, slice_text(wal->holds[i].name));
        buf_varint(&out, wal->holds[i].lsn);
    }
    wal->holds_changed = false;
    pthread_mutex_unlock(&wal->lock);
    buf_le(&out, crc32c(0, out.data, out.size), 4);
    assert(!out.full);
    bool ok = file_replace(wal->files, wal->dir, "holds", buf_bytes(&out), err);
    pthread_mutex_unlock(&wal->holds_write);
    buf_fini(&out);
    return ok;
}

static bool holds_decode(struct slice bytes, struct hold *holds, size_t *count)
{
    uint32_t crc;
    if (bytes.size < sizeof holds_magic + 5 || memcmp(bytes.data, holds_magic, sizeof holds_magic)) return false;
    memcpy(&crc, bytes.data + bytes.size - 4, 4);
    if (crc != crc32c(0, bytes.data, bytes.size - 4)) return false;
    struct cursor in = cursor_of(slice_of(bytes.data + sizeof holds_magic, bytes.size - sizeof holds_magic - 4));
    uint64_t n = cursor_varint(&in);
    if (n > HOLDS_MAX) return false;
    for (uint64_t i = 0; i < n; i++) {
        struct slice name = cursor_varint_bytes(&in);
        if (in.failed || name.size >= HOLD_NAME_MAX) return false;
        memcpy(holds[i].name, name.data, name.size);
        holds[i].name[name.size] = 0;
        holds[i].lsn = cursor_varint(&in);
    }
    *count = (size_t)n;
    return !in.failed && !cursor_left(&in);
}

bool wal_holds_read(struct wal *wal, struct err *err)
{
    struct file file = {0};
    char path[FILE_PATH_MAX];
    struct err own;
    size_t got = 0;
    segment_path(wal->dir, "holds", path);
    if (!file_open(&file, wal->files, path, 0, &own)) {
        if (own.code == ERR_GONE) return true;
        *err = own;
        return false;
    }
    uint8_t *bytes = malloc(HOLDS_FILE_MAX);
    if (!bytes) abort();
    bool ok = file_read(&file, bytes, HOLDS_FILE_MAX, 0, &got, err);
    if (ok && !holds_decode(slice_of(bytes, got), wal->holds, &wal->hold_count))
        ok = err_set(err, ERR_CORRUPT,
                     "%s: offset 0: the file of held positions is damaged; remove it if every sink of this log stands in "
                     "the configuration, they enter themselves again", path);
    free(bytes);
    file_close(&file);
    return ok;
}

bool wal_hold(struct wal *wal, const char *name, uint64_t lsn, struct err *err)
{
    if (strlen(name) >= HOLD_NAME_MAX) return err_set(err, ERR_LIMIT, "name %.40s… is too long to hold the log", name);
    pthread_mutex_lock(&wal->lock);
    struct hold *hold = find_hold(wal, name);
    bool full = !hold && wal->hold_count == HOLDS_MAX;
    /* a position that moves on may be written late: the older one on disk only keeps more */
    bool now = !hold || lsn < hold->lsn;
    if (!hold && !full) {
        hold = &wal->holds[wal->hold_count++];
        snprintf(hold->name, sizeof hold->name, "%s", name);
    }
    if (hold) {
        wal->holds_changed |= hold->lsn != lsn;
        hold->lsn = lsn;
    }
    pthread_mutex_unlock(&wal->lock);
    if (full) return err_set(err, ERR_LIMIT, "the log is held by %d names already", HOLDS_MAX);
    return now ? wal_holds_write(wal, err) : true;
}

bool wal_release(struct wal *wal, const char *name, struct err *err)
{
    pthread_mutex_lock(&wal->lock);
    struct hold *hold = find_hold(wal, name);
    if (hold) *hold = wal->holds[--wal->hold_count];
    pthread_mutex_unlock(&wal->lock);
    if (!hold) return err_set(err, ERR_GONE, "nothing called %s holds the log", name);
    return wal_holds_write(wal, err);
}

/* Of the segment that lsn lies in, the part that its LSNs behind it are of all of them. */
static uint64_t bytes_after(uint64_t bytes, uint64_t first, uint64_t last, uint64_t lsn)
{
    if (lsn < first || last < first) return bytes;
    if (lsn >= last) return 0;
    return (uint64_t)((double)bytes * (double)(last - lsn) / (double)(last - first + 1));
}

uint64_t wal_bytes_behind(struct wal *wal, uint64_t lsn)
{
    uint64_t behind = 0;
    pthread_mutex_lock(&wal->lock);
    uint64_t last = wal->points.written;
    for (size_t i = wal->segment_count; i-- > 0;) {
        const struct segment_entry *e = &wal->segments[i];
        uint64_t end = i + 1 == wal->segment_count ? wal->open_end : e->bytes;
        uint64_t bytes = end > SEGMENT_HEADER ? end - SEGMENT_HEADER : 0;
        behind += bytes_after(bytes, e->name.first, last, lsn);
        if (e->name.first <= lsn) break;
        last = e->name.first - 1;
    }
    pthread_mutex_unlock(&wal->lock);
    return behind;
}

bool wal_held(struct wal *wal, const char *name, uint64_t *lsn)
{
    pthread_mutex_lock(&wal->lock);
    const struct hold *hold = find_hold(wal, name);
    if (hold && lsn) *lsn = hold->lsn;
    pthread_mutex_unlock(&wal->lock);
    return hold;
}

bool wal_hold_at(struct wal *wal, size_t index, char *name, size_t room)
{
    pthread_mutex_lock(&wal->lock);
    bool found = index < wal->hold_count;
    if (found) snprintf(name, room, "%s", wal->holds[index].name);
    pthread_mutex_unlock(&wal->lock);
    return found;
}

/* --- space --- */

static uint64_t log_bytes(const struct wal *wal) /* under lock */
{
    uint64_t bytes = wal->open_at + wal->recycled_count * wal->options.segment_bytes;
    for (size_t i = 0; i + 1 < wal->segment_count; i++) bytes += wal->segments[i].bytes;
    return bytes;
}

static uint64_t free_min_of(const struct wal *wal)
{
    uint64_t share = wal->total_bytes / 20, least = UINT64_C(2) << 30;
    if (wal->options.free_min) return wal->options.free_min;
    return share > least ? share : least;
}

/* Sets or clears the reason to hold capture, with a margin so that it does not flap. Under lock. */
static void judge_space(struct wal *wal, char was[sizeof wal->paused])
{
    uint64_t bytes = log_bytes(wal), least = free_min_of(wal), most = wal->options.size_max;
    uint64_t margin = was[0] ? wal->options.segment_bytes : 0;
    wal->paused[0] = 0;
    if (wal->total_bytes && wal->free_bytes < least + margin)
        snprintf(wal->paused, sizeof wal->paused,
                 "the disk of %.100s has %llu MiB free, less than free_min_mb allows (%llu MiB): make room", wal->dir,
                 (unsigned long long)(wal->free_bytes >> 20), (unsigned long long)(least >> 20));
    else if (most && bytes + margin >= most)
        snprintf(wal->paused, sizeof wal->paused,
                 "the log has %llu MiB, size_max_mb is %llu: it goes on when sinks have caught up and retention has "
                 "made room, or raise size_max_mb",
                 (unsigned long long)(bytes >> 20), (unsigned long long)(most >> 20));
    metric_set(METRIC_WAL_BYTES, bytes);
    metric_set(METRIC_DISK_FREE_BYTES, wal->free_bytes);
}

/* Kept files are the first to go when space is short. */
static void drop_recycled(struct wal *wal)
{
    char name[SEGMENT_NAME_MAX], path[FILE_PATH_MAX];
    struct err err;
    pthread_mutex_lock(&wal->lock);
    bool any = wal->paused[0] && wal->recycled_count;
    uint64_t number = any ? wal->recycled[--wal->recycled_count] : 0;
    pthread_mutex_unlock(&wal->lock);
    if (!any) return;
    snprintf(name, sizeof name, "recycle-%llu.tmp", (unsigned long long)number);
    segment_path(wal->dir, name, path);
    if (!file_unlink(wal->files, path, &err)) log_warning("wal.recycle", "error=\"%s\"", err.text);
}

void wal_check_space(struct wal *wal)
{
    uint64_t free_bytes, total;
    char was[sizeof wal->paused], is[sizeof wal->paused];
    struct err err;
    if (!file_space(wal->files, wal->dir, &free_bytes, &total, &err)) {
        log_warning("wal.space", "error=\"%s\"", err.text);
        return;
    }
    pthread_mutex_lock(&wal->lock);
    memcpy(was, wal->paused, sizeof was);
    wal->free_bytes = free_bytes;
    wal->total_bytes = total;
    judge_space(wal, was);
    memcpy(is, wal->paused, sizeof is);
    pthread_mutex_unlock(&wal->lock);
    if (is[0] && !was[0]) log_error("wal.full", "reason=\"%s\"", is);
    if (!is[0] && was[0]) log_info("wal.room", "capture may go on");
    drop_recycled(wal);
}

bool wal_must_pause(struct wal *wal, char *text, size_t room)
{
    pthread_mutex_lock(&wal->lock);
    bool paused = wal->paused[0];
    snprintf(text, room, "%s", wal->paused);
    pthread_mutex_unlock(&wal->lock);
    return paused;
}

/* --- the keeper --- */

struct question {
    struct wal_need needs[HOLDS_MAX + 1];
    struct hold holds[HOLDS_MAX];
    size_t need_count;
    struct wal_limits limits;
    struct wal_age *ages;
};

static void ask(struct wal *wal, uint64_t now_us, struct question *q)
{
    const uint64_t hour = UINT64_C(3600000000);
    pthread_mutex_lock(&wal->lock);
    q->need_count = wal->hold_count;
    for (size_t i = 0; i < wal->hold_count; i++) {
        q->holds[i] = wal->holds[i];
        q->needs[i] = (struct wal_need){q->holds[i].name, q->holds[i].lsn};
    }
    if (wal->prepared.count)
        q->needs[q->need_count++] = (struct wal_need){"prepared XA transactions", prepared_oldest(&wal->prepared, wal->points.durable)};
    size_t sealed = wal->segment_count - 1;
    q->ages = calloc(sealed + 1, sizeof *q->ages);
    if (!q->ages) abort();
    for (size_t i = 0; i < sealed; i++) {
        const struct segment_entry *e = &wal->segments[i];
        q->ages[i] = (struct wal_age){e->name.first, e->name.last, e->bytes, e->ended_us};
    }
    q->limits = (struct wal_limits){
        .now_us = now_us, .retention_us = wal->options.retention_hours * hour,
        .rewind_us = wal->options.rewind_hours * hour, .size_max = wal->options.size_max / 10 * 9,
        .hard = wal->options.retention_hard, .segments = q->ages, .segment_count = sealed,
        .open_bytes = wal->open_at, .open_first = wal->segments[sealed].name.first,
    };
    pthread_mutex_unlock(&wal->lock);
}

/* Says loudly who loses what, when retention_hard deletes before it was delivered. */
static void warn_losers(const struct question *q, uint64_t from)
{
    for (size_t i = 0; i < q->need_count; i++)
        if (q->needs[i].lsn < from)
            log_error("wal.retention_hard",
                      "name=%s needs_lsn=%llu oldest_kept=%llu remedy=\"this sink cannot go on from the log: build its target "
                      "anew, or raise retention_hard_mb in time\"",
                      q->needs[i].name, (unsigned long long)q->needs[i].lsn, (unsigned long long)from);
}

static void retain(struct wal *wal, uint64_t now_us)
{
    struct question *q = calloc(1, sizeof *q);
    struct err err;
    uint64_t from, dropped = 0;
    bool ok = true;
    if (!q) abort();
    ask(wal, now_us, q);
    from = wal_retain_from(q->needs, q->need_count, &q->limits);
    if (q->limits.segment_count && from > q->ages[0].first) warn_losers(q, from);
    for (size_t i = 0; ok && i < q->limits.segment_count && q->ages[i].last < from; i++, dropped++)
        ok = wal_segment_drop_oldest(wal, &err);
    if (!ok) log_error("wal.retention", "error=\"%s\"", err.text);
    if (dropped) log_info("wal.retention", "dropped=%llu oldest_kept=%llu", (unsigned long long)dropped, (unsigned long long)from);
    free(q->ages);
    free(q);
}

void wal_keep(struct wal *wal, uint64_t now_us)
{
    struct err err;
    retain(wal, now_us);
    pthread_mutex_lock(&wal->lock);
    bool changed = wal->holds_changed;
    pthread_mutex_unlock(&wal->lock);
    if (changed && !wal_holds_write(wal, &err)) log_warning("wal.holds", "error=\"%s\"", err.text);
}

void *wal_keeper_run(void *arg)
{
    struct wal *wal = arg;
    pthread_mutex_lock(&wal->lock);
    for (unsigned round = 0; !wal->stopping && !wal->failed; round++) {
        bool tight = wal->paused[0];
        pthread_mutex_unlock(&wal->lock);
        wal_check_space(wal);
        if (tight || round % KEEP_EVERY == 0) wal_keep(wal, clock_wall_us());
        pthread_mutex_lock(&wal->lock);
        if (!wal->stopping && !wal->failed) thread_wait(&wal->keep, &wal->lock, KEEPER_MS);
    }
    pthread_mutex_unlock(&wal->lock);
    return NULL;
}

void wal_status(struct wal *wal, struct wal_status *status)
{
    memset(status, 0, sizeof *status);
    pthread_mutex_lock(&wal->lock);
    status->points = wal->points;
    status->bytes = log_bytes(wal);
    status->segments = wal->segment_count;
    status->free_bytes = wal->free_bytes;
    status->oldest_timestamp = wal->segments[0].first_timestamp;
    status->newest_timestamp = wal->segments[wal->segment_count - 1].last_timestamp;
    memcpy(status->uuid, wal->uuid_text, sizeof status->uuid);
    memcpy(status->paused, wal->paused, sizeof status->paused);
    pthread_mutex_unlock(&wal->lock);
}
