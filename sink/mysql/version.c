/* version.c: see version.h. */
#include "version.h"

#include "db.h"

enum { MICROSECONDS = 1000000 };
static const uint64_t EARLIEST = MICROSECONDS; /* @@timestamp=0 means now */

/* 0: not in the image. */
static uint64_t time_of(const struct value *value)
{
    const uint8_t *b = value->bytes.data;
    if (value->state != VALUE_PRESENT) return 0;
    uint64_t seconds = (uint64_t)b[0] << 24 | (uint64_t)b[1] << 16 | (uint64_t)b[2] << 8 | b[3];
    return seconds * MICROSECONDS + ((uint64_t)b[4] << 16 | (uint64_t)b[5] << 8 | b[6]);
}

/* The end of what is current is the end of time: of signed seconds before MariaDB 11.5, of unsigned ones since. */
static bool is_current(uint64_t end)
{
    return end == UINT64_C(0x7fffffff) * MICROSECONDS + 999999 || end == UINT64_C(0xffffffff) * MICROSECONDS + 999999;
}

static bool refused(const struct plan *plan, const char *what, struct err *err)
{
    return err_set(err, ERR_UNSUPPORTED, "%.*s.%.*s: the source has %s", SLICE_ARG(plan->target->database), SLICE_ARG(plan->target->name), what);
}

static bool read_insert(const struct plan *plan, const struct value *after, struct version *v, struct err *err)
{
    uint64_t start = time_of(&after[plan->row_start]), end = time_of(&after[plan->row_end]);
    if (!start || !end) return refused(plan, "inserted a row without saying when", err);
    *v = is_current(end) ? (struct version){VERSION_ROW, CHANGE_INSERT, SHAPE_PLAIN, start, false}
                         : (struct version){VERSION_OLD, CHANGE_INSERT, SHAPE_HISTORY, end, false};
    return true;
}

static void read_delete(uint64_t end, struct version *v)
{
    *v = is_current(end) ? (struct version){VERSION_ROW, CHANGE_DELETE, SHAPE_PLAIN, EARLIEST, false}
                         : (struct version){VERSION_GONE, CHANGE_DELETE, SHAPE_PLAIN, end, false};
}

/* A MINIMAL image names what changes, and the key, of which row_end is a part. */
static void read_update(const struct plan *plan, const struct value *before, const struct value *after, struct version *v)
{
    uint64_t start = time_of(&before[plan->row_start]), now = time_of(&after[plan->row_start]), end = time_of(&after[plan->row_end]);
    if (!now) now = start;
    bool stays = start == now;
    if (end && !is_current(end)) *v = (struct version){VERSION_ROW, CHANGE_DELETE, SHAPE_MADE, end, false};
    else *v = (struct version){VERSION_ROW, CHANGE_UPDATE, stays && now ? SHAPE_UNMADE : SHAPE_PLAIN, now, !stays};
}

bool version_read(const struct plan *plan, enum change_kind kind, const struct value *before, const struct value *after, struct version *version, struct err *err)
{
    if (kind == CHANGE_INSERT) return read_insert(plan, after, version, err);
    uint64_t end = time_of(&before[plan->row_end]);
    if (!end) return refused(plan, "changed a row without saying which of its history", err);
    if (kind == CHANGE_UPDATE && !is_current(end)) return refused(plan, "changed a row of its history", err);
    if (kind == CHANGE_UPDATE) read_update(plan, before, after, version);
    else read_delete(end, version);
    return true;
}

void version_purge_sql(const struct plan *plan, uint64_t us, struct buf *sql)
{
    buf_text(sql, "DELETE HISTORY FROM ");
    db_quote_name(sql, plan->target->database);
    buf_u8(sql, '.');
    db_quote_name(sql, plan->target->name);
    us++;
    buf_printf(sql, " BEFORE SYSTEM_TIME FROM_UNIXTIME(%llu.%06llu)", (unsigned long long)(us / MICROSECONDS), (unsigned long long)(us % MICROSECONDS));
}
