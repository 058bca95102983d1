/*
 * files.c: making, sealing and dropping segment files. Each step leaves a directory that wal_open can repair:
 *
 *   begin    header into recycle-<n>.tmp, sync; rename to wal-<first>.open; sync the directory
 *   switch   the seal is durable already; header of the next as above, sync; rename wal-<first>.open to its sealed name;
 *            rename recycle-<n>.tmp to the next .open; sync the directory; only then is anything written there.
 *            A crash in between leaves a sealed file under its open name (with or without a successor): finished at open.
 *   drop     rename the oldest to recycle-<n>.tmp, or remove it; sync the directory; only then may it be written over
 */
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "log.h"
#include "metrics.h"
#include "state.h"

static void recycle_path(const struct wal *wal, uint64_t number, char path[FILE_PATH_MAX])
{
    char name[SEGMENT_NAME_MAX];
    snprintf(name, sizeof name, "recycle-%llu.tmp", (unsigned long long)number);
    segment_path(wal->dir, name, path);
}

static void name_path(const struct wal *wal, const struct segment_name *name, char path[FILE_PATH_MAX])
{
    char text[SEGMENT_NAME_MAX];
    segment_name_format(name, text);
    segment_path(wal->dir, text, path);
}

static uint64_t take_recycled(struct wal *wal)
{
    pthread_mutex_lock(&wal->lock);
    uint64_t number = wal->recycled_count ? wal->recycled[--wal->recycled_count] : wal->recycle_next++;
    pthread_mutex_unlock(&wal->lock);
    return number;
}

void wal_entry_add(struct wal *wal, const struct segment_entry *entry)
{
    if (wal->segment_count == wal->segment_room) {
        wal->segment_room = wal->segment_room ? wal->segment_room * 2 : 64;
        wal->segments = realloc(wal->segments, wal->segment_room * sizeof *wal->segments);
        if (!wal->segments) abort();
    }
    wal->segments[wal->segment_count++] = *entry;
}

/* A file with the header, durable, under its recycle name. */
static bool prepare(struct wal *wal, struct segment_header *header, struct file *file, struct err *err)
{
    uint8_t bytes[SEGMENT_HEADER];
    char path[FILE_PATH_MAX];
    recycle_path(wal, take_recycled(wal), path);
    segment_header_encode(header, bytes);
    if (!file_open(file, wal->files, path, FILE_WRITE | FILE_CREATE, err)) return false;
    (void)!file_allocate(file, wal->options.segment_bytes, NULL); /* a help, not a need: the writes will say */
    if (file_write(file, bytes, sizeof bytes, 0, err) && file_sync(file, err)) return true;
    file_close(file);
    return false;
}

/* Gives the prepared file its name and makes it the open segment. */
static bool install(struct wal *wal, const struct segment_header *header, struct file *file, struct err *err)
{
    struct segment_name name = {.first = header->first_lsn};
    char path[FILE_PATH_MAX];
    name_path(wal, &name, path);
    if (!file_rename(wal->files, file->path, path, err) || !file_sync_dir(wal->files, wal->dir, err)) {
        file_close(file);
        return false;
    }
    segment_close(&wal->open);
    wal->open.name = name;
    wal->open.file = *file;
    snprintf(wal->open.file.path, sizeof wal->open.file.path, "%s", path);
    wal->open.header = *header;
    wal->place = wal->whole = segment_start(&wal->open);
    return true;
}

static void note_open(struct wal *wal, const struct segment_header *header, uint64_t sealed_bytes)
{
    struct segment_entry entry = {.name = {.first = header->first_lsn}, .created_us = header->created_us};
    pthread_mutex_lock(&wal->lock);
    struct segment_entry *last = wal->segment_count ? &wal->segments[wal->segment_count - 1] : NULL;
    if (last && last->name.first == header->first_lsn) {
        *last = entry; /* the empty first segment, written anew */
    } else {
        if (last) {
            last->name.last = header->first_lsn - 1;
            last->name.sealed = true;
            last->ended_us = header->created_us;
            last->bytes = sealed_bytes;
        }
        wal_entry_add(wal, &entry);
    }
    wal->open_first = header->first_lsn;
    wal->open_end = wal->open_at = SEGMENT_HEADER;
    wal->points.first = wal->segments[0].name.first;
    pthread_mutex_unlock(&wal->lock);
}

bool wal_segment_begin(struct wal *wal, struct segment_header *header, struct err *err)
{
    struct file file = {0};
    memcpy(header->uuid, wal->uuid, UUID_BYTES);
    header->created_us = clock_wall_us();
    if (!prepare(wal, header, &file, err) || !install(wal, header, &file, err)) return false;
    note_open(wal, header, 0);
    return true;
}

bool wal_segment_switch(struct wal *wal, const struct wal_resume *resume, struct err *err)
{
    struct segment_name sealed = {wal->open.header.first_lsn, wal->place.lsn - 1, true};
    struct segment_header header = {.first_lsn = wal->place.lsn, .before_last = sealed.last,
                                    .before_crc = wal->place.before, .created_us = clock_wall_us(), .resume = *resume};
    struct file file = {0};
    char path[FILE_PATH_MAX];
    uint64_t bytes;
    memcpy(header.uuid, wal->uuid, UUID_BYTES);
    name_path(wal, &sealed, path);
    if (!file_size(&wal->open.file, &bytes, err) || !prepare(wal, &header, &file, err)) return false;
    if (!file_rename(wal->files, wal->open.file.path, path, err)) {
        file_close(&file);
        return false;
    }
    if (!install(wal, &header, &file, err)) return false;
    note_open(wal, &header, bytes);
    pthread_mutex_lock(&wal->lock);
    wal->open_number++;
    metric_set(METRIC_WAL_SEGMENTS, wal->segment_count);
    pthread_mutex_unlock(&wal->lock);
    log_debug("wal.sealed", "file=%s", path);
    return true;
}

static bool worth_keeping(struct wal *wal, const struct segment_entry *entry)
{
    return wal->recycled_count < WAL_RECYCLE_MAX && entry->bytes <= wal->options.segment_bytes * 5 / 4 &&
           entry->bytes >= wal->options.segment_bytes / 2 && !wal->paused[0];
}

bool wal_segment_drop_oldest(struct wal *wal, struct err *err)
{
    char from[FILE_PATH_MAX], to[FILE_PATH_MAX];
    pthread_mutex_lock(&wal->lock);
    struct segment_entry entry = wal->segments[0];
    bool keep = worth_keeping(wal, &entry);
    uint64_t number = keep ? wal->recycle_next++ : 0;
    memmove(wal->segments, wal->segments + 1, --wal->segment_count * sizeof *wal->segments);
    wal->points.first = wal->segments[0].name.first;
    pthread_mutex_unlock(&wal->lock);
    name_path(wal, &entry.name, from);
    recycle_path(wal, number, to);
    if (!(keep ? file_rename(wal->files, from, to, err) : file_unlink(wal->files, from, err)) ||
        !file_sync_dir(wal->files, wal->dir, err))
        return false;
    pthread_mutex_lock(&wal->lock);
    if (keep && wal->recycled_count < WAL_RECYCLE_MAX) wal->recycled[wal->recycled_count++] = number;
    pthread_mutex_unlock(&wal->lock);
    return true;
}
