/* fork.c: see fork.h. The transactions are read again on both sides and compared by GTID and CRC, as a proof is. */
#include "fork.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "schema.h"

enum { STATES_MAX = 1024, BACK = 32, RANGES_MAX = 6, READ_MS = 300, HEARTBEATS_MISSED = 3 };

/* ---- pure ---- */

bool fork_mark(struct fork *fork, const struct gtid *items, size_t count, size_t *start)
{
    size_t first_missing = fork->ours_count;
    for (size_t i = fork->ours_count; i-- > 0;) {
        struct fork_entry *ours = &fork->ours[i];
        for (size_t k = 0; k < count; k++)
            if (items[k].domain == ours->gtid.domain && items[k].server == ours->gtid.server && items[k].seq >= ours->gtid.seq) ours->there = true;
        if (!ours->there) first_missing = i;
    }
    if (!first_missing) return false;
    *start = first_missing == fork->ours_count ? 0 : first_missing > BACK ? first_missing - BACK : 0;
    for (size_t i = 0; i <= *start; i++) fork->ours[i].same = true; /* not compared */
    return true;
}

void fork_take(struct fork *fork, const struct gtid *gtid, uint32_t crc)
{
    for (size_t i = 0; i < fork->ours_count; i++) {
        struct fork_entry *ours = &fork->ours[i];
        if (!gtid_equal(&ours->gtid, gtid)) continue;
        ours->there = true;
        ours->same = ours->crc == crc;
        if (ours->same) return;
    }
    if (fork->theirs_count == FORK_THEIRS_MAX) fork->more = true;
    else fork->theirs[fork->theirs_count++] = (struct fork_entry){.gtid = *gtid, .crc = crc};
}

/* "0-1-41 to 0-1-44, 0-2-45": neighbours of one server are one range. */
static void list(const struct fork_entry *entries, size_t count, char *text, size_t room)
{
    size_t n = 0, ranges = 0;
    text[0] = 0;
    for (size_t i = 0; i < count && n < room;) {
        char first[GTID_TEXT_MAX], last[GTID_TEXT_MAX];
        size_t end = i;
        while (end + 1 < count && entries[end + 1].gtid.server == entries[i].gtid.server &&
               entries[end + 1].gtid.seq == entries[end].gtid.seq + 1)
            end++;
        if (ranges++ == RANGES_MAX) {
            snprintf(text + n, room - n, ", and others");
            return;
        }
        gtid_format(&entries[i].gtid, first);
        gtid_format(&entries[end].gtid, last);
        n += (size_t)snprintf(text + n, room - n, "%s%s%s%s", i ? ", " : "", first, end > i ? " to " : "", end > i ? last : "");
        i = end + 1;
    }
}

static const char *plural(size_t count) { return count == 1 ? "" : "s"; }

void fork_text(const struct fork *fork, char *text, size_t room)
{
    char ours[GTID_TEXT_MAX * 8], theirs[GTID_TEXT_MAX * 8], common[GTID_TEXT_MAX] = "";
    size_t fork_at = 0;
    while (fork_at < fork->ours_count && fork->ours[fork_at].same) fork_at++;
    if (fork_at) gtid_format(&fork->ours[fork_at - 1].gtid, common);
    size_t only_ours = fork->ours_count - fork_at;
    list(fork->ours + fork_at, only_ours, ours, sizeof ours);
    list(fork->theirs, fork->theirs_count, theirs, sizeof theirs);
    size_t n = (size_t)snprintf(text, room, *common ? "the histories part behind %s: " : "the histories part before what was compared%s: ", common);
    if (n < room && only_ours)
        n += (size_t)snprintf(text + n, room - n, "only the log has %s (%zu transaction%s)", ours, only_ours, plural(only_ours));
    if (n < room && !only_ours) n += (size_t)snprintf(text + n, room - n, "the source has all that is in the log");
    if (n < room && fork->theirs_count)
        n += (size_t)snprintf(text + n, room - n, ", only the source has %s (%zu transaction%s%s)", theirs, fork->theirs_count,
                              plural(fork->theirs_count), fork->more ? " and more" : "");
    if (n < room && !fork->theirs_count) snprintf(text + n, room - n, ", and the source has none that is not in the log");
}

/* ---- the log's end ---- */

static void remember(struct fork *fork, const struct change *change)
{
    if (fork->ours_count == FORK_KEPT) {
        memmove(fork->ours, fork->ours + 1, (FORK_KEPT - 1) * sizeof *fork->ours);
        fork->ours_count--;
    }
    fork->ours[fork->ours_count++] = (struct fork_entry){.gtid = change->gtid, .crc = change->commit->crc};
}

static bool read_log(const struct fork_ask *ask, const struct gtid *last, uint64_t deadline, struct fork *fork, struct err *err)
{
    struct wal_reader *reader;
    struct wal_points points;
    struct change change;
    wal_points(ask->wal, &points);
    uint64_t from = ask->last_lsn > FORK_RECORDS ? ask->last_lsn - FORK_RECORDS : 1;
    if (!wal_reader_open(ask->wal, from > points.first ? from : 0, &reader, err)) return false;
    while (!*ask->stopping && clock_us() < deadline && wal_reader_next(reader, READ_MS, &change, err) == WAL_READ_CHANGE) {
        if (change.kind != CHANGE_COMMIT || change.gtid.domain != last->domain) continue;
        remember(fork, &change);
        if (gtid_equal(&change.gtid, last)) break;
    }
    wal_reader_close(reader);
    return fork->ours_count > 0;
}

/* ---- the source's ---- */

struct hearing {
    struct fork *fork;
    uint32_t domain;
    struct schema *schema;
};

static bool hear(void *context, const struct change *change, struct err *err)
{
    struct hearing *hearing = context;
    (void)err;
    if (change->kind == CHANGE_COMMIT && change->gtid.domain == hearing->domain)
        fork_take(hearing->fork, &change->gtid, change->commit->crc);
    return true;
}

/* Contents are compared as bytes, which need no names, unless masked columns are told by them. */
static bool describe(void *context, struct table *draft, struct arena *arena, struct err *err)
{
    struct hearing *hearing = context;
    return !hearing->schema || schema_describe(hearing->schema, draft, arena, err);
}

/* False: the stream could not be had to its end. */
static bool listen(const struct fork_ask *ask, struct source *source, const struct source_pos *from, uint32_t domain, uint64_t deadline,
                   struct fork *fork, struct err *err)
{
    struct hearing hearing = {.fork = fork, .domain = domain, .schema = ask->schema};
    struct decoder_options options = {
        .mariadb = ask->driver->info(source)->version.flavour == DB_MARIADB,
        .checksum = ask->driver->info(source)->checksum, .explicit_timestamp = ask->driver->info(source)->explicit_timestamp, .verify_checksums = true,
        .capture_accounts = ask->capture_accounts, .filter = ask->filter, .mask = ask->mask, .emit = hear, .schema = describe, .context = &hearing,
    };
    struct decoder *decoder = decoder_new(&options, from);
    bool end = false, ok = true;
    ask->driver->patience(source, HEARTBEATS_MISSED * ask->settings->heartbeat_ms);
    while (ok && !end && !fork->more && clock_us() < deadline && !*ask->stopping) {
        struct slice event = {NULL, 0};
        enum decoder_note note = DECODER_NOTHING;
        ok = ask->driver->next(source, &event, &end, err) && (end || decoder_event(decoder, event, &note, err));
        end = end || note == DECODER_HEARTBEAT;
    }
    if (ok && !end) fork->more = true;
    decoder_free(decoder);
    return ok;
}

/* What is known without reading: the last transaction of each writer. */
static void take_ends(struct fork *fork, uint32_t domain, const struct gtid *items, size_t count)
{
    for (size_t i = 0; i < count && fork->theirs_count < FORK_THEIRS_MAX; i++)
        if (items[i].domain == domain) fork->theirs[fork->theirs_count++] = (struct fork_entry){.gtid = items[i]};
    fork->more = true;
}

/* The domain in which the source lacks what we took; where it has all by number, that of the last transaction. */
static struct gtid parted_at(const struct fork_ask *ask, const struct gtid *items, size_t count)
{
    for (uint32_t i = 0; i < ask->pos->gtids.count; i++) {
        const struct gtid *ours = &ask->pos->gtids.items[i];
        bool there = false;
        for (size_t k = 0; k < count; k++)
            there = there || (items[k].domain == ours->domain && items[k].server == ours->server && items[k].seq >= ours->seq);
        if (!there) return *ours;
    }
    return ask->last;
}

static bool compare(const struct fork_ask *ask, struct source *source, const struct gtid *items, size_t count, uint64_t deadline,
                    struct fork *fork, struct err *err)
{
    size_t start = 0;
    struct source_pos from;
    struct gtid last = parted_at(ask, items, count);
    source_pos_copy(&from, ask->pos);
    if (!read_log(ask, &last, deadline, fork, err)) return false;
    if (fork_mark(fork, items, count, &start))
        return gtid_set_put(&from.gtids, fork->ours[start].gtid, err) && ask->driver->dump(source, &from, err) &&
               listen(ask, source, &from, last.domain, deadline, fork, err);
    gtid_set_remove(&from.gtids, last.domain); /* all that it has */
    if (!ask->driver->dump(source, &from, err) || !listen(ask, source, &from, last.domain, deadline, fork, err))
        take_ends(fork, last.domain, items, count);
    return true;
}

static bool find(const struct fork_ask *ask, struct source *source, uint64_t deadline, struct fork *fork, struct err *err)
{
    struct gtid *items = calloc(STATES_MAX, sizeof *items);
    size_t count = 0;
    if (!items) abort();
    bool ok = ask->driver->histories(source, items, STATES_MAX, &count, err) && compare(ask, source, items, count, deadline, fork, err);
    free(items);
    return ok;
}

bool fork_find(const struct fork_ask *ask, char *text, size_t room, struct err *err)
{
    struct source *source = NULL;
    const struct source_driver *driver = NULL;
    uint64_t deadline = clock_us() + FORK_MS * 1000ULL;
    struct source_settings settings = *ask->settings;
    settings.semi_sync = false; /* what is read here must not be acknowledged, nor waited for */
    struct fork *fork = calloc(1, sizeof *fork);
    struct fork_ask made = *ask;
    struct db_options options;
    char name[320], host[256];
    if (!fork) abort();
    if (ask->mask && source_server(ask->settings, ask->host, &options, name, sizeof name, host, sizeof host, NULL)) made.schema = schema_new(&options);
    bool ok = ask->driver->histories && source_open(&settings, ask->host, &driver, &source, err) &&
              driver == ask->driver && find(&made, source, deadline, fork, err);
    if (ok) fork_text(fork, text, room);
    if (driver) driver->close(source);
    schema_free(made.schema);
    free(fork);
    return ok;
}
