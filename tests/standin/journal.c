/* journal.c: see journal.h. */
#include "journal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <lz4.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "clock.h"
#include "conf.h"
#include "cursor.h"
#include "log.h"
#include "thread.h"

enum { NO_DATABASE = UINT32_MAX, HEAD = 20, TAIL = 4, SEGMENT_HEAD = 32, SEGMENT_TURN = 8192, RECORD_OVERHEAD = 120, TORN_BYTES = 5 };

struct waiting {
    struct waiting *next;
    bool awaited, done, lost;
    uint64_t lsn;
    struct journal_entry entry;
    uint8_t bytes[];
};
struct place {
    uint64_t offset, lsn;
    uint32_t size;
};

struct journal {
    char path[PATH_MAX_BYTES], torn_path[PATH_MAX_BYTES];
    unsigned flush_ms;
    uint64_t segment_size;
    int fd;
    pthread_mutex_t lock;
    pthread_cond_t flushed;
    /* shared, under lock */
    struct waiting *first, **last;
    struct place *places; /* in LSN order; a burnt LSN has none */
    size_t count, room;
    uint64_t lsn, readable; /* last given; last that may be read */
    uint64_t offset, segment_left;
    bool torn;
};

static void segment_turn(struct journal *journal) { journal->segment_left = journal->segment_size - SEGMENT_HEAD; }

/* False: no room, lost. */
static bool segment_take(struct journal *journal, uint64_t stored)
{
    if (journal->segment_left < SEGMENT_TURN) segment_turn(journal);
    if (stored > journal->segment_left) return false;
    journal->segment_left -= stored;
    return true;
}

static void place_add(struct journal *journal, struct place place)
{
    if (journal->count == journal->room) {
        journal->room = journal->room ? journal->room * 2 : 1024;
        journal->places = realloc(journal->places, journal->room * sizeof *journal->places);
        if (!journal->places) abort();
    }
    journal->places[journal->count++] = place;
}

/* ---- records ---- */

static void record_put(struct buf *out, const struct journal_entry *entry, uint32_t stored)
{
    size_t from = out->size;
    buf_le(out, entry->lsn, 8);
    buf_le(out, stored, 4);
    buf_le(out, entry->has_database ? entry->database.size : (uint32_t)NO_DATABASE, 4);
    buf_le(out, entry->sql.size, 4);
    if (entry->has_database) buf_slice(out, entry->database);
    buf_slice(out, entry->sql);
    assert(!out->full);
    buf_le(out, crc32(0, out->data + from, (uInt)(out->size - from)), 4);
}

static bool record_take(struct slice *in, struct journal_entry *entry, uint32_t *stored)
{
    struct cursor at = cursor_of(*in);
    struct journal_entry found = {.lsn = cursor_u64(&at)};
    *stored = cursor_u32(&at);
    uint32_t database = cursor_u32(&at), sql = cursor_u32(&at);
    found.has_database = database != (uint32_t)NO_DATABASE;
    if (found.has_database) found.database = cursor_bytes(&at, database);
    found.sql = cursor_bytes(&at, sql);
    size_t size = (size_t)(at.at - in->data);
    uint32_t sum = cursor_u32(&at);
    if (at.failed || sum != crc32(0, in->data, (uInt)size)) return false;
    *entry = found;
    *in = slice_of(at.at, cursor_left(&at));
    return true;
}

bool journal_record(struct slice *in, struct journal_entry *entry)
{
    uint32_t stored;
    return in->size && record_take(in, entry, &stored);
}

static uint32_t stored_size(struct slice sql)
{
    int room = LZ4_compressBound((int)sql.size);
    char *to = malloc((size_t)room);
    if (!to) abort();
    int size = LZ4_compress_default((const char *)sql.data, to, (int)sql.size, room);
    free(to);
    return (uint32_t)size + RECORD_OVERHEAD;
}

/* ---- flush ---- */

static void write_all(struct journal *journal, struct slice bytes)
{
    while (bytes.size) {
        ssize_t n = pwrite(journal->fd, bytes.data, bytes.size, (off_t)journal->offset);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            log_error("journal.write", "error=%d", errno);
            exit(70);
        }
        journal->offset += (uint64_t)n;
        bytes = slice_of(bytes.data + n, bytes.size - (size_t)n);
    }
}

static void store(struct journal *journal, struct waiting *item)
{
    uint32_t stored = stored_size(item->entry.sql);
    struct buf record;
    pthread_mutex_lock(&journal->lock);
    item->lsn = item->entry.lsn = ++journal->lsn;
    item->lost = !segment_take(journal, stored);
    pthread_mutex_unlock(&journal->lock);
    if (item->lost) {
        log_warning("journal.segment_full", "lsn=%llu stored=%u", (unsigned long long)item->lsn, stored);
        return;
    }
    buf_init(&record, JOURNAL_TEXT_MAX + 4096);
    record_put(&record, &item->entry, stored);
    struct place place = {journal->offset, item->lsn, (uint32_t)record.size};
    write_all(journal, buf_bytes(&record));
    buf_fini(&record);
    pthread_mutex_lock(&journal->lock);
    place_add(journal, place);
    pthread_mutex_unlock(&journal->lock);
}

static struct waiting *take_waiting(struct journal *journal)
{
    pthread_mutex_lock(&journal->lock);
    struct waiting *items = journal->first;
    journal->first = NULL;
    journal->last = &journal->first;
    pthread_mutex_unlock(&journal->lock);
    return items;
}

static void settle(struct journal *journal, struct waiting *items)
{
    pthread_mutex_lock(&journal->lock);
    if (!journal->torn) journal->readable = journal->lsn;
    while (items) {
        struct waiting *next = items->next;
        items->done = true;
        if (!items->awaited) free(items);
        items = next;
    }
    pthread_cond_broadcast(&journal->flushed);
    pthread_mutex_unlock(&journal->lock);
}

static void *flush(void *context)
{
    struct journal *journal = context;
    for (;;) {
        clock_sleep_ms(journal->flush_ms);
        struct waiting *items = take_waiting(journal);
        if (!items) continue;
        for (struct waiting *item = items; item; item = item->next) store(journal, item);
        if (fdatasync(journal->fd)) exit(70);
        settle(journal, items);
    }
    return NULL;
}

static struct waiting *post(struct journal *journal, const struct journal_entry *entry, bool awaited)
{
    struct waiting *item = calloc(1, sizeof *item + entry->sql.size + entry->database.size);
    if (!item) abort();
    item->awaited = awaited;
    item->entry = *entry;
    item->entry.sql.data = item->bytes;
    item->entry.database.data = item->bytes + entry->sql.size;
    if (entry->sql.size) memcpy(item->bytes, entry->sql.data, entry->sql.size);
    if (entry->database.size) memcpy(item->bytes + entry->sql.size, entry->database.data, entry->database.size);
    pthread_mutex_lock(&journal->lock);
    *journal->last = item;
    journal->last = &item->next;
    pthread_mutex_unlock(&journal->lock);
    return item;
}

void journal_post(struct journal *journal, const struct journal_entry *entry) { post(journal, entry, false); }

bool journal_append(struct journal *journal, const struct journal_entry *entry, uint64_t *lsn)
{
    struct waiting *item = post(journal, entry, true);
    pthread_mutex_lock(&journal->lock);
    while (!item->done) thread_wait(&journal->flushed, &journal->lock, 1000);
    pthread_mutex_unlock(&journal->lock);
    bool kept = !item->lost;
    *lsn = item->lsn;
    free(item);
    return kept;
}

uint64_t journal_lsn(struct journal *journal)
{
    pthread_mutex_lock(&journal->lock);
    uint64_t lsn = journal->lsn;
    pthread_mutex_unlock(&journal->lock);
    return lsn;
}

/* ---- reading ---- */

static size_t place_after(const struct journal *journal, uint64_t lsn)
{
    size_t low = 0, high = journal->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (journal->places[middle].lsn > lsn) high = middle;
        else low = middle + 1;
    }
    return low;
}

static bool place_get(struct journal *journal, uint64_t after, struct place *place)
{
    pthread_mutex_lock(&journal->lock);
    size_t at = place_after(journal, after);
    bool found = at < journal->count && journal->places[at].lsn <= journal->readable;
    if (found) *place = journal->places[at];
    pthread_mutex_unlock(&journal->lock);
    return found;
}

void journal_read(struct journal *journal, uint64_t after, unsigned most, struct buf *out)
{
    struct place place;
    for (unsigned i = 0; i < most && place_get(journal, after, &place); i++) {
        if (out->size + place.size > out->max) return;
        uint8_t *to = buf_reserve(out, place.size);
        if (!to || pread(journal->fd, to, place.size, (off_t)place.offset) != (ssize_t)place.size) return;
        out->size += place.size;
        after = place.lsn;
    }
}

/* ---- start ---- */

static void load_records(struct journal *journal, struct slice in)
{
    const uint8_t *from = in.data;
    struct journal_entry entry;
    uint32_t stored;
    segment_turn(journal);
    for (const uint8_t *at = in.data; in.size && record_take(&in, &entry, &stored); at = in.data) {
        if (entry.lsn <= journal->lsn) journal->count = 0; /* the numbers began again */
        place_add(journal, (struct place){(uint64_t)(at - from), entry.lsn, (uint32_t)(in.data - at)});
        journal->lsn = entry.lsn;
        segment_take(journal, stored);
    }
    journal->torn = in.size > 0;
    journal->readable = journal->lsn;
}

static void tear_if_ordered(struct journal *journal, uint64_t size)
{
    if (access(journal->torn_path, F_OK) || size < TORN_BYTES) return;
    if (ftruncate(journal->fd, (off_t)(size - TORN_BYTES))) exit(70);
    unlink(journal->torn_path);
}

static bool load(struct journal *journal, struct err *err)
{
    struct stat st;
    if (fstat(journal->fd, &st)) return err_set(err, ERR_STOP, "%s: error %d", journal->path, errno);
    tear_if_ordered(journal, (uint64_t)st.st_size);
    if (fstat(journal->fd, &st)) return err_set(err, ERR_STOP, "%s: error %d", journal->path, errno);
    size_t size = (size_t)st.st_size;
    uint8_t *bytes = malloc(size + 1);
    if (!bytes) abort();
    bool good = pread(journal->fd, bytes, size, 0) == (ssize_t)size;
    if (good) load_records(journal, slice_of(bytes, size));
    free(bytes);
    journal->offset = size;
    if (journal->torn) log_error("journal.torn", "after_lsn=%llu", (unsigned long long)journal->lsn);
    return good || err_set(err, ERR_STOP, "%s cannot be read", journal->path);
}

bool journal_open(const char *dir, unsigned flush_ms, unsigned segment_mb, struct journal **out, struct err *err)
{
    struct journal *journal = calloc(1, sizeof *journal);
    pthread_t thread;
    if (!journal) abort();
    journal->flush_ms = flush_ms;
    journal->segment_size = (uint64_t)segment_mb << 20;
    journal->last = &journal->first;
    pthread_mutex_init(&journal->lock, NULL);
    thread_cond_init(&journal->flushed);
    snprintf(journal->path, sizeof journal->path, "%s/wal", dir);
    mkdir(journal->path, 0755);
    snprintf(journal->path, sizeof journal->path, "%s/wal/wal_%020d.log", dir, 1);
    snprintf(journal->torn_path, sizeof journal->torn_path, "%s/tear-wal", dir);
    journal->fd = open(journal->path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (journal->fd < 0) {
        err_set(err, ERR_STOP, "%s: error %d", journal->path, errno);
        free(journal);
        return false;
    }
    if (!load(journal, err)) {
        close(journal->fd);
        free(journal);
        return false;
    }
    thread_start(&thread, "journal", flush, journal);
    *out = journal;
    return true;
}

/* ---- misbehaviour ---- */

void journal_restart(struct journal *journal, uint64_t lsn)
{
    pthread_mutex_lock(&journal->lock);
    journal->count = 0;
    journal->lsn = journal->readable = lsn ? lsn - 1 : 0;
    pthread_mutex_unlock(&journal->lock);
}

void journal_segment_left(struct journal *journal, uint64_t bytes)
{
    pthread_mutex_lock(&journal->lock);
    if (bytes) journal->segment_left = bytes;
    else segment_turn(journal);
    pthread_mutex_unlock(&journal->lock);
}

void journal_tear_next(struct journal *journal, bool tear)
{
    if (!tear) {
        unlink(journal->torn_path);
        return;
    }
    int fd = open(journal->torn_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd >= 0) close(fd);
}
