/*
 * find.c: from a GTID, a time or a file:offset of the source to an LSN (wal.h). Segment headers say where each segment
 * starts, so only one segment is read through.
 */
#include <stdio.h>
#include <stdlib.h>

#include "segment.h"

enum { LOOKS = 4 }; /* at the directory */

/* Files of one source differ in their number only, which may have grown by a digit. */
static int file_order(const char *a, const char *b)
{
    size_t x = strlen(a), y = strlen(b);
    return x != y ? (x < y ? -1 : 1) : strcmp(a, b);
}

/* Whether all that was there at this resume point lies before what is asked. */
static bool is_before(const struct wal_resume *resume, const struct wal_find *what)
{
    if (what->gtid) return !gtid_set_has(&resume->pos.gtids, what->gtid);
    if (what->file) {
        int order = file_order(resume->pos.file, what->file);
        return order < 0 || (order == 0 && resume->pos.offset <= what->offset);
    }
    return resume->timestamp < what->time_us / 1000000;
}

/* Whether the transaction that this BEGIN opens is at or after what is asked. */
static bool is_hit(const struct change *begin, const struct wal_find *what)
{
    if (what->gtid) return gtid_reaches(&begin->gtid, what->gtid);
    if (what->file) {
        char file[SOURCE_FILE_MAX];
        snprintf(file, sizeof file, "%.*s", SLICE_ARG(begin->file));
        int order = file_order(file, what->file);
        return order > 0 || (order == 0 && begin->offset >= what->offset);
    }
    return begin->timestamp >= what->time_us / 1000000;
}

static bool start_in_list(const char *dir, const struct wal_find *what, uint64_t *lsn, struct wal_resume *oldest,
                      bool *cut, struct err *err)
{
    struct wal_dir list;
    bool ok = true;
    if (!wal_dir_list(&list, file_system_real(), dir, err)) return false;
    if (!list.count) ok = err_set(err, ERR_GONE, "%s: there is no log in this directory", dir);
    for (size_t i = list.count; ok && i-- > 0;) {
        struct segment segment;
        if (!segment_open(&segment, file_system_real(), dir, &list.items[i], 0, err)) {
            ok = false;
            break;
        }
        *lsn = list.items[i].first;
        *oldest = segment.header.resume;
        *cut = i == 0 && segment.header.before_last != 0;
        segment_close(&segment);
        if (is_before(oldest, what)) break;
    }
    wal_dir_fini(&list);
    return ok;
}

/* LSN at which to begin reading: the last segment that starts before what is asked. *oldest: it is the oldest kept. In a live log a segment
   may be sealed or deleted between the look at the directory and its opening. */
static bool start_lsn(const char *dir, const struct wal_find *what, uint64_t *lsn, struct wal_resume *oldest, bool *cut, struct err *err)
{
    struct err own = {0};
    for (int tries = 0; tries < LOOKS; tries++) {
        if (start_in_list(dir, what, lsn, oldest, cut, &own)) return true;
        if (own.code != ERR_GONE) break;
    }
    if (err) *err = own;
    return false;
}

static bool search(const char *dir, const struct wal_find *what, uint64_t from, uint64_t *lsn, bool *found, struct err *err)
{
    struct wal_reader *reader;
    struct change change;
    enum wal_read read = WAL_READ_CHANGE;
    if (!wal_reader_open_dir(dir, from, &reader, err)) return false;
    *found = false;
    while (!*found && (read = wal_reader_next(reader, 0, &change, err)) == WAL_READ_CHANGE) {
        if (change.kind != CHANGE_BEGIN || !is_hit(&change, what)) continue;
        *lsn = change.lsn;
        *found = true;
    }
    wal_reader_close(reader);
    return read != WAL_READ_FAILED;
}

bool wal_find(const char *dir, const struct wal_find *what, uint64_t *lsn, bool *found, struct err *err)
{
    struct wal_resume *oldest = calloc(1, sizeof *oldest);
    uint64_t from = 0;
    bool cut = false;
    if (!oldest) abort();
    bool ok = start_lsn(dir, what, &from, oldest, &cut, err);
    if (ok && cut && !is_before(oldest, what))
        ok = err_set(err, ERR_GONE, "that is before the oldest transaction kept, LSN %llu", (unsigned long long)from);
    free(oldest);
    return ok && search(dir, what, from, lsn, found, err);
}
