/* seed_birth.c: see seed_birth in seed.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seed.h"
#include "wal.h"

enum { READ_MS = 1000 };

struct birth {
    struct gtid streams[GTID_INTERVALS_MAX]; /* domains; or servers, of MySQL's: those that have begun */
    size_t count;
    char *why;
    size_t room;
};

static bool has_begun(const struct birth *b, const struct gtid *gtid)
{
    for (size_t i = 0; i < b->count; i++)
        if (gtid_same_stream(&b->streams[i], gtid)) return true;
    return false;
}

static bool all_begun(const struct birth *b, const struct gtid_set *end)
{
    for (uint32_t i = 0; i < end->count; i++)
        if (!has_begun(b, &end->items[i])) return false;
    return true;
}

/* False: it is no first one, and says so. */
static bool take_begin(struct birth *b, const struct gtid *gtid)
{
    char text[GTID_TEXT_MAX];
    if (gtid->seq && has_begun(b, gtid)) return true;
    gtid_format(gtid, text);
    if (gtid->kind == GTID_FILE || !gtid->seq) snprintf(b->why, b->room, "the source has no GTIDs, which would tell what it held before");
    else if (gtid->seq != 1) snprintf(b->why, b->room, "the first transaction of its kind in the log is %s", text);
    else if (b->count == GTID_INTERVALS_MAX) snprintf(b->why, b->room, "there are more than %d domains or servers", GTID_INTERVALS_MAX);
    else b->streams[b->count++] = *gtid;
    return !*b->why;
}

static bool read_begins(struct wal_reader *reader, const struct gtid_set *end, struct birth *b, struct err *err)
{
    struct change change;
    while (!*b->why && !all_begun(b, end)) {
        switch (wal_reader_next(reader, READ_MS, &change, err)) {
        case WAL_READ_CHANGE:
            if (change.kind == CHANGE_BEGIN && !take_begin(b, &change.gtid)) return true;
            break;
        case WAL_READ_FAILED: return false;
        case WAL_READ_STOPPED: return err_set(err, ERR_RETRY, "the agent is stopping");
        case WAL_READ_TIMEOUT:
        case WAL_READ_END: return err_set(err, ERR_CORRUPT, "it ends with GTIDs of which it does not hold the first");
        }
    }
    return true;
}

bool seed_birth(const char *dir, struct wal *wal, char *why, size_t room, struct err *err)
{
    struct wal_info info;
    struct wal_reader *reader;
    struct birth birth = {.why = why, .room = room};
    char text[GTID_SET_TEXT_MAX];
    *why = 0;
    if (!wal_info(dir, &info, err)) return false;
    gtid_set_format(&info.start.gtids, text);
    if (info.first_lsn > 1) snprintf(why, room, "the log begins at LSN %llu", (unsigned long long)info.first_lsn);
    else if (info.start.gtids.count) snprintf(why, room, "the log was begun behind %.100s of the source", text);
    if (*why) return true;
    if (!wal_reader_open(wal, 1, &reader, err)) return false;
    bool ok = read_begins(reader, &info.end.gtids, &birth, err);
    wal_reader_close(reader);
    return ok;
}
