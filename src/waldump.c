/* waldump.c: `wolfctl wal dump`: see walctl.h. */
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "filter.h"
#include "program.h"
#include "wal.h"
#include "walctl.h"

enum { LINE_MAX_BYTES = INT32_MAX, FLUSH_AT = 1 << 16, FOLLOW_MS = 200 };

struct dump {
    const struct walctl *options;
    struct render *render;
    struct filter *filter; /* NULL: every table */
    struct buf out;
    bool shows;            /* the transaction in hand has printed something, or no filter is set */
};

static bool put_out(struct dump *d, struct err *err)
{
    bool good = fwrite(d->out.data, 1, d->out.size, stdout) == d->out.size;
    buf_clear(&d->out);
    return good || err_set(err, ERR_STOP, "cannot write to the standard output");
}

/* Whether the table filter lets this change through. A statement counts by the tables that it names. */
static bool wanted(const struct dump *d, const struct change *c)
{
    struct slice database, name;
    if (!d->filter) return true;
    if (c->kind >= CHANGE_INSERT && c->kind <= CHANGE_DELETE) return filter_wants(d->filter, c->table->database, c->table->name);
    if (c->kind == CHANGE_COMMIT) return d->shows;
    if (c->kind != CHANGE_STATEMENT) return true;
    struct cursor in = cursor_of(c->statement->tables);
    while (statement_tables_next(&in, &database, &name))
        if (filter_wants(d->filter, database.size ? database : c->statement->database, name)) return true;
    return false;
}

/* Whether the transaction that begins here lies behind what was asked for. */
static bool is_past(const struct walctl *o, const struct change *begin)
{
    if (o->has_gtid && gtid_reaches(&begin->gtid, &o->gtid) && !gtid_is(&begin->gtid, &o->gtid)) return true;
    if (o->stop_lsn && begin->lsn > o->stop_lsn) return true;
    return o->stop_us && begin->timestamp * UINT64_C(1000000) > o->stop_us;
}

static bool dump_one(struct dump *d, const struct change *c, struct err *err)
{
    if (c->kind == CHANGE_BEGIN) d->shows = !d->filter;
    if (!wanted(d, c)) return true;
    d->shows |= c->kind != CHANGE_BEGIN;
    if (!render_change(d->render, c, &d->out, err)) return false;
    return d->out.size < FLUSH_AT ? true : put_out(d, err);
}

/* Prints until the end of what was asked. With a GTID only that transaction is printed, others are read past. */
static bool dump_all(struct dump *d, struct wal_reader *reader, struct err *err)
{
    const struct walctl *o = d->options;
    struct change change;
    bool skips = false;
    for (;;) {
        enum wal_read read = wal_reader_next(reader, 0, &change, err);
        if (read == WAL_READ_FAILED) return (void)put_out(d, NULL), false;
        if (read == WAL_READ_CHANGE) {
            if (change.kind == CHANGE_BEGIN && is_past(o, &change)) break;
            if (change.kind == CHANGE_BEGIN) skips = o->has_gtid && !gtid_is(&change.gtid, &o->gtid);
            if (!skips && !dump_one(d, &change, err)) return (void)put_out(d, NULL), false;
            if (!skips && o->has_gtid && change.kind == CHANGE_COMMIT) break;
            continue;
        }
        if (!put_out(d, err)) return false;
        if (!o->follow) return true;
        if (fflush(stdout)) return err_set(err, ERR_STOP, "cannot write to the standard output");
        clock_sleep_ms(FOLLOW_MS);
    }
    return put_out(d, err);
}

/* LSN to begin at; *found false: the log does not reach that far yet. */
static bool start_of(const struct walctl *o, uint64_t *lsn, bool *found, struct err *err)
{
    struct wal_find what = {.gtid = o->has_gtid ? &o->gtid : NULL, .time_us = o->start_us};
    *lsn = o->start_lsn;
    *found = true;
    if (!o->has_gtid && !o->start_us) return true;
    uint64_t at;
    if (!wal_find(o->dir, &what, &at, found, err)) return !o->has_gtid && err->code == ERR_GONE; /* a time before: the oldest */
    if (*found && at > *lsn) *lsn = at;
    return true;
}

static bool past_the_end(const struct walctl *o, uint64_t *lsn, struct err *err)
{
    struct wal_info info;
    if (!o->follow) return err_set(err, ERR_GONE, "that is behind the end of the log");
    if (!wal_info(o->dir, &info, err)) return false;
    *lsn = info.last_lsn + 1;
    return true;
}

int walctl_dump(const struct walctl *o, struct err *err)
{
    struct dump d = {.options = o, .shows = true};
    struct wal_reader *reader = NULL;
    uint64_t lsn = 0;
    bool found = true, good = false;
    buf_init(&d.out, LINE_MAX_BYTES);
    d.render = render_new(o->format);
    if (o->tables.count && !filter_new(&o->tables, &(struct strings){0}, &d.filter, err)) goto out;
    if (!start_of(o, &lsn, &found, err) || (!found && !past_the_end(o, &lsn, err))) goto out;
    if (!wal_reader_open_dir(o->dir, lsn, &reader, err)) goto out;
    render_start(d.render, &d.out);
    good = dump_all(&d, reader, err);
out:
    wal_reader_close(reader);
    filter_free(d.filter);
    render_free(d.render);
    buf_fini(&d.out);
    return good ? PROGRAM_DONE : PROGRAM_UNMET;
}
