/*
 * capture.c: see cdc.h. The thread `capture`: connect → prove → stream, and again, with a named state for each way it can
 * stand still.
 *
 *   connecting ──► (proof) ──► streaming ⇄ idle          lost, silent: connecting, from the last commit in the log
 *        ▲             │           │
 *        │             ├► unproven ┤ (goes on)            pause, disk full: paused; after 10 s without the stream
 *        └── resume ───┴► diverged, purged, stopped       each waits for the operator; those that can heal look again
 *
 * The position is never kept apart from the log: a session begins from the last commit that was appended (or found in the
 * log at the start), and a transaction that a session did not finish is aborted and asked for again.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "backoff.h"
#include "binlog_files.h"
#include "cdc.h"
#include "clock.h"
#include "decoder.h"
#include "event.h"
#include "filter.h"
#include "history.h"
#include "mask.h"
#include "names.h"
#include "file.h"
#include "fork.h"
#include "hosts.h"
#include "metrics.h"
#include "proof.h"
#include "schema.h"
#include "semisync.h"
#include "source.h"
#include "temporary.h"
#include "thread.h"

enum {
    HOLD_POLL_MS = 100,          /* how often the disk is asked, and a pause looks again */
    HOLD_CLOSE_MS = 10000,       /* blocked for longer: the dump is closed on purpose */
    THROTTLED_MS = 1000,
    DENIED_WAIT_MS = 30000,
    BEHIND_WAIT_MS = 5000,
    CATCH_UP_LOOK_MS = 500,
    CLUSTER_CATCH_UP_MS = 8000,  /* a Galera node has in its queue what it lacks, or never gets it */
    RETURN_MIN_MS = 10000,
    RETURN_MAX_MS = 3600000,
    SERVES_EVERY_MS = 3000,
    FOR_EVER = UINT32_MAX,
    PUBLISH_EVENTS = 256,
    STOP_WAIT_MS = 3000,
    LAGGING_S = 60,
    COPY_WAIT_MS = 200,
};

/* Why a session came to its end; err has the text. */
enum ending {
    ENDED_LOST,      /* the connection or the server: err's code and number say what to do */
    ENDED_EVENT,     /* the decoder refused an event */
    ENDED_LOG,       /* the log refused a change */
    ENDED_DIVERGED,
    ENDED_BEHIND,    /* the source's binary log ends before our last transaction */
    ENDED_STRANGER,  /* another server than before, and it cannot prove that it has our history */
    ENDED_RETURN,    /* the first of the hosts is there again */
    ENDED_CHECKS,    /* a check of the source failed */
    ENDED_XA,        /* XA COMMIT of what is not in the log */
    ENDED_HELD,      /* closed on purpose: pause, disk */
};

enum phase { PHASE_OUT, PHASE_READING, PHASE_WORKING };

struct cdc {
    const struct settings *settings;
    struct wal *wal;
    const struct source_driver *driver; /* of the connection, or of the last one */
    struct filter *filter;
    struct mask *mask;      /* NULL: no column is masked */
    pthread_t thread;
    bool started;

    /* shared, under lock */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool retry;
    struct source *source;  /* for interrupting it; only the capture thread opens and closes */
    struct cdc_status status;
    int64_t skew_us, retention_s;
    uint64_t caught_up_us;  /* wall clock at which we last had everything; 0 never */

    atomic_bool stopping, pause;
    /* written by the capture thread at each packet, read by status */
    atomic_int phase;
    atomic_bool idle;
    atomic_ullong packet_wall_us;

    /* owned by thread capture */
    struct proof last;          /* last commit in the log; gtid.seq 0: none */
    uint32_t last_timestamp;
    uint64_t last_lsn;
    struct source_pos pos;      /* after it */
    bool placed;                /* pos is known */
    bool proving, from_last;    /* from_last: the proof's start is purged, ask from the last commit itself */
    bool dirty;                 /* commits were appended since the last flush */
    bool append_failed, different, stepped_over, timed_out;
    bool unfinished;            /* the last group was not appended though the decoder is past it */
    struct gtid torn;           /* last commit at which a torn file was stepped over */
    struct hosts hosts;
    uint64_t checked_hosts;     /* bit per host */
    uint64_t rounds;            /* over the hosts, since one of them served */
    bool served;                /* this session streamed */
    bool fruitful;              /* and brought a transaction */
    bool follows;               /* of a source that is behind: it applies another's changes */
    uint64_t behind_since_ms;   /* 0: not behind */
    uint64_t catch_up_ms;       /* how long that one is waited for */
    uint64_t next_return_ms, return_ms;
    uint64_t next_serves_ms;
    char identity[192];         /* of the server that was proven last; "" none */
    struct acks acks;
    int ack_fd;                 /* an eventfd: the log's durable point moved; -1: not semi-synchronous */
    uint64_t next_hold_look_ms;
    struct backoff backoff;
    struct decoder *decoder;
    struct temporaries *temporaries; /* of all sessions: the source's are not over when ours is */
    struct schema *schema;
    struct ahead *ahead;       /* with schema */
    struct db_options schema_options;
    char schema_name[320], schema_host[256];
    struct commit stamped;        /* the one being appended */
    struct gtid beat;             /* MySQL: where the source was at its last heartbeat; seq 0: something came since */
    struct decoder_stats counted; /* what has gone into the metrics */
    unsigned events_unpublished;
    struct history *history;    /* of definitions; its own lock */
    bool files_done;            /* the saved files have nothing that the log has not */
    bool filter_unsaved, filter_changed; /* the log's last commit was made under another filter */
};

/* ---- time ---- */

static uint64_t coarse_us(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}
static uint64_t coarse_wall_us(void) { return coarse_us(CLOCK_REALTIME_COARSE); }
static uint64_t coarse_ms(void) { return coarse_us(CLOCK_MONOTONIC_COARSE) / 1000; }

/* ---- state ---- */

static void set_state(struct cdc *cdc, enum cdc_state state, const char *remedy, const char *reason)
{
    pthread_mutex_lock(&cdc->lock);
    struct cdc_status *status = &cdc->status;
    bool moved = status->state != state, changed = moved || strcmp(status->reason, reason);
    if (moved) status->since_us = clock_wall_us();
    status->state = state;
    snprintf(status->reason, sizeof status->reason, "%s", reason);
    snprintf(status->remedy, sizeof status->remedy, "%s", remedy ? remedy : "");
    pthread_mutex_unlock(&cdc->lock);
    metric_set(METRIC_SOURCE_STATE, state);
    if (!changed) return; /* attempts that fail in the same way are one line, not one a second */
    enum log_level level = state >= CDC_DIVERGED                       ? LOG_LEVEL_ERROR
                           : state == CDC_STREAMING || !reason[0] ? LOG_LEVEL_INFO
                                                                       : LOG_LEVEL_WARNING;
    log_line(level, "source.state", "state=%s%s%s%s%s%s%s", cdc_state_name(state), reason[0] ? " reason=\"" : "", reason,
             reason[0] ? "\"" : "", remedy && remedy[0] ? " remedy=\"" : "", remedy ? remedy : "", remedy && remedy[0] ? "\"" : "");
}

/* Waits until stop, resume or the time is over. */
static void wait_ms(struct cdc *cdc, uint32_t ms)
{
    uint64_t end = coarse_ms() + ms;
    pthread_mutex_lock(&cdc->lock);
    while (!cdc->stopping && !cdc->retry) {
        uint64_t now = coarse_ms();
        if (ms != FOR_EVER && now >= end) break;
        thread_wait(&cdc->wake, &cdc->lock, ms == FOR_EVER ? 60000 : (uint32_t)(end - now));
    }
    cdc->retry = false;
    pthread_mutex_unlock(&cdc->lock);
}

static void publish(struct cdc *cdc)
{
    const struct decoder_stats *now = decoder_stats(cdc->decoder);
    struct decoder_stats *was = &cdc->counted;
    metric_add(METRIC_RECEIVED_EVENTS, now->events - was->events);
    metric_add(METRIC_RECEIVED_BYTES, now->bytes - was->bytes);
    metric_add(METRIC_DECODED_ROWS, now->rows - was->rows);
    metric_add(METRIC_DECODED_TRANSACTIONS, now->transactions - was->transactions);
    metric_add(METRIC_DECODED_STATEMENTS, now->statements - was->statements);
    metric_add(METRIC_FILTERED_ROWS, now->filtered - was->filtered);
    pthread_mutex_lock(&cdc->lock);
    struct cdc_status *status = &cdc->status;
    status->events += now->events - was->events;
    status->bytes += now->bytes - was->bytes;
    status->rows += now->rows - was->rows;
    if (!cdc->proving && !cdc->stepped_over) source_pos_copy(&status->pos, decoder_pos(cdc->decoder));
    status->gtid = cdc->last.gtid;
    status->lsn = cdc->last_lsn;
    status->timestamp = cdc->last_timestamp;
    if (cdc->idle) cdc->caught_up_us = clock_wall_us();
    int64_t lag = cdc->idle || !cdc->last_timestamp
                      ? 0
                      : (int64_t)clock_wall_us() / 1000000 + cdc->skew_us / 1000000 - (int64_t)cdc->last_timestamp;
    pthread_mutex_unlock(&cdc->lock);
    metric_set(METRIC_SOURCE_LAG_SECONDS, lag > 0 ? (uint64_t)lag : 0);
    *was = *now;
    cdc->events_unpublished = 0;
}

/* ---- the filter's print ---- */

/* The log's contents can only be compared with the source's under the filter that made them. */
static uint32_t filter_print(const struct settings *settings, const struct mask *mask)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    const struct strings *lists[] = {&settings->filter.include, &settings->filter.exclude};
    for (size_t l = 0; l < 2; l++) {
        for (size_t i = 0; i < lists[l]->count; i++)
            for (const char *at = lists[l]->items[i];; at++) {
                hash = (hash ^ (uint8_t)*at) * 16777619u;
                if (!*at) break;
            }
        hash = (hash ^ 0xff) * 16777619u;
    }
    return (hash ^ settings->source.capture_accounts ^ mask_print(mask)) * 16777619u;
}

/* Beside the log, not in it: `<wal.dir>.filter`, written with the first commit under a filter. */
static void filter_file(const struct cdc *cdc, char *path, size_t room, char print[16])
{
    snprintf(path, room, "%.4096s.filter", cdc->settings->wal.dir);
    snprintf(print, 16, "%08x", filter_print(cdc->settings, cdc->mask));
}

/* Whether the log's last commit was made under this filter. */
static bool filter_known(struct cdc *cdc, bool *unsaved)
{
    char path[4200], text[16] = "", print[16];
    filter_file(cdc, path, sizeof path, print);
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    bool found = fd >= 0 && read(fd, text, sizeof text - 1) > 0;
    if (fd >= 0) close(fd);
    *unsaved = !found || strcmp(text, print);
    return !found || !*unsaved; /* with no file there is nothing that speaks against it */
}

static void filter_save(struct cdc *cdc)
{
    char path[4200], print[16];
    filter_file(cdc, path, sizeof path, print);
    struct err err = {0};
    if (!file_replace_path(file_system_real(), path, slice_text(print), &err)) log_warning("source.filter", "text=\"%s\"", err.text);
    cdc->filter_unsaved = false;
}

/* ---- which server it was ---- */

/* Beside the log as well: `<wal.dir>.source`, the server whose transactions are the log's last. */
static void identity_file(const struct cdc *cdc, char *path, size_t room) { snprintf(path, room, "%.4096s.source", cdc->settings->wal.dir); }

static void identity_read(struct cdc *cdc)
{
    char path[4200];
    identity_file(cdc, path, sizeof path);
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    ssize_t size = fd >= 0 ? read(fd, cdc->identity, sizeof cdc->identity - 1) : 0;
    cdc->identity[size > 0 ? size : 0] = 0;
    if (fd >= 0) close(fd);
}

static void identity_save(struct cdc *cdc, const char *identity)
{
    char path[4200];
    if (!*identity || !strcmp(cdc->identity, identity)) return;
    if (*cdc->identity) log_info("source.other_server", "was=\"%s\" is=\"%s\"", cdc->identity, identity);
    snprintf(cdc->identity, sizeof cdc->identity, "%s", identity);
    identity_file(cdc, path, sizeof path);
    struct err err = {0};
    if (!file_replace_path(file_system_real(), path, slice_text(identity), &err)) log_warning("source.identity", "text=\"%s\"", err.text);
}

static bool is_stranger(const struct cdc *cdc, const struct source_info *info)
{
    return *cdc->identity && *info->identity && strcmp(cdc->identity, info->identity) != 0;
}

/* ---- changes on their way into the log ---- */

static bool append(struct cdc *cdc, const struct change *change, struct err *err)
{
    if (wal_append(cdc->wal, change, change->kind == CHANGE_COMMIT ? &cdc->last_lsn : NULL, err)) return true;
    cdc->append_failed = true;
    return false;
}

static void committed(struct cdc *cdc, const struct change *change)
{
    cdc->last = (struct proof){.gtid = change->gtid, .previous = change->commit->previous, .crc = change->commit->crc};
    cdc->last_timestamp = change->timestamp;
    cdc->dirty = cdc->fruitful = true;
    cdc->filter_changed = false;
    if (__builtin_expect(cdc->filter_unsaved, 0)) filter_save(cdc);
    pthread_mutex_lock(&cdc->lock);
    cdc->status.transactions++;
    bool unproven = cdc->status.state == CDC_UNPROVEN;
    pthread_mutex_unlock(&cdc->lock);
    if (unproven) set_state(cdc, CDC_STREAMING, "", ""); /* the flag `unproven` stays */
}

static void aborted(struct cdc *cdc)
{
    metric_add(METRIC_ABORTED_TRANSACTIONS, 1);
    pthread_mutex_lock(&cdc->lock);
    cdc->status.aborted++;
    pthread_mutex_unlock(&cdc->lock);
}

static bool prove(struct cdc *cdc, const struct change *change, struct err *err)
{
    switch (proof_take(&cdc->last, change, err)) {
    case PROOF_MORE:
        return true;
    case PROOF_DIFFERENT:
        cdc->different = true;
        return false;
    case PROOF_EQUAL:
        break;
    }
    char text[GTID_TEXT_MAX];
    gtid_format(&cdc->last.gtid, text);
    log_info("source.proven", "gtid=%s", text);
    cdc->proving = false;
    decoder_forget_schema(cdc->decoder); /* see describe */
    cdc->stepped_over = cdc->last.skipped > 0;
    cdc->last.skipped = 0;
    return true;
}

/* ---- prepared XA transactions: their rows are copied from where they wait to where they were committed ---- */

static bool unknown_xa(struct cdc *cdc, const struct change *change, struct err *err)
{
    char xid[XID_TEXT_MAX], gtid[GTID_TEXT_MAX];
    const char *choice = cdc->settings->source.unknown_xa;
    xid_format(&change->commit->xid, xid);
    gtid_format(&change->gtid, gtid);
    if (!choice || strcmp(choice, "skip"))
        return err_set(err, ERR_STOP, "XA transaction %s is committed by %s, and its rows are not in this log: it was prepared before the log began, or "
                       "is in none of the files read; what to do: compare the tables that it changed (mariadb-binlog shows its rows at the PREPARE), then "
                       "set source.unknown_xa = \"skip\" and restart the agent; or begin a new log at a position before its XA PREPARE", xid, gtid);
    log_warning("source.unknown_xa", "xid=\"%s\" gtid=%s text=\"left out: its rows were prepared before the log began\"", xid, gtid);
    return true;
}

static bool copy_rows(struct cdc *cdc, struct wal_reader *reader, uint64_t *rows, struct err *err)
{
    struct change change;
    for (;;) {
        switch (wal_reader_next(reader, COPY_WAIT_MS, &change, err)) {
        case WAL_READ_CHANGE:
            if (change.kind == CHANGE_COMMIT) return true;
            if (change.kind == CHANGE_BEGIN) break;
            if (!append(cdc, &change, err)) return false;
            ++*rows;
            break;
        case WAL_READ_TIMEOUT:
            if (cdc->stopping) return err_set(err, ERR_RETRY, "stopped");
            break;
        case WAL_READ_STOPPED: case WAL_READ_END:
            return err_set(err, ERR_RETRY, "the log is being closed");
        case WAL_READ_FAILED:
            return err_context(err, "the rows of a prepared XA transaction");
        }
    }
}

static bool copy_prepared(struct cdc *cdc, const struct change *change, struct commit *commit, struct err *err)
{
    struct wal_prepared found;
    struct wal_reader *reader;
    if (!wal_prepared_find(cdc->wal, &commit->xid, &found)) return unknown_xa(cdc, change, err);
    wal_flush(cdc->wal);
    if (!wal_reader_open(cdc->wal, found.lsn, &reader, err)) return err_context(err, "the rows of a prepared XA transaction");
    wal_reader_prepared(reader, true);
    bool ok = copy_rows(cdc, reader, &commit->rows, err);
    wal_reader_close(reader);
    return ok;
}

/* The transaction that was begun in the log has no end: it comes again. */
static bool give_up(struct cdc *cdc)
{
    struct change end = {.kind = CHANGE_ABORT};
    struct err ignored;
    cdc->unfinished = true;
    if (!cdc->append_failed) (void)!append(cdc, &end, &ignored);
    return false;
}

/* The decoder has no clock: when the transaction was here as a whole is said by us. */
static bool append_commit(struct cdc *cdc, const struct change *change, struct err *err)
{
    struct change stamped = *change;
    commit_copy(&cdc->stamped, change->commit);
    cdc->stamped.received_us = coarse_wall_us();
    stamped.commit = &cdc->stamped;
    if (cdc->stamped.xa == XA_COMMITTED && !copy_prepared(cdc, change, &cdc->stamped, err)) return give_up(cdc);
    if (history_is_pending(cdc->history)) { /* what the DDL made of the definitions is on disk before the DDL is in the log */
        history_at(cdc->history, cdc->last_lsn, decoder_pos(cdc->decoder));
        if (!history_commit(cdc->history, err)) {
            cdc->append_failed = true;
            return false;
        }
    }
    if (!append(cdc, &stamped, err)) return false;
    committed(cdc, &stamped);
    return true;
}

/* Which executable comments the source executed. */
static uint32_t source_number(const struct cdc *cdc) { return event_server_number(decoder_server_version(cdc->decoder)); }

static bool emit(void *context, const struct change *change, struct err *err)
{
    struct cdc *cdc = context;
    if (__builtin_expect(cdc->proving, 0)) return prove(cdc, change, err);
    if (change->kind == CHANGE_COMMIT) return append_commit(cdc, change, err);
    if (!append(cdc, change, err)) return false;
    if (change->kind == CHANGE_ABORT) {
        history_abort(cdc->history);
        aborted(cdc);
    }
    if (change->kind == CHANGE_BEGIN && __builtin_expect(history_changed(cdc->history), 0)) decoder_forget_schema(cdc->decoder);
    if (change->kind == CHANGE_STATEMENT) history_statement(cdc->history, change->statement, source_number(cdc));
    return true;
}

static bool describe(void *context, struct table *draft, struct arena *arena, struct err *err)
{
    struct cdc *cdc = context;
    /* A proof compares bytes, which need no names, unless masked columns are told by them; and its table may have been altered or dropped since. */
    if (cdc->proving) return !cdc->mask || !cdc->schema || schema_describe(cdc->schema, draft, arena, err);
    history_at(cdc->history, cdc->last_lsn, decoder_pos(cdc->decoder));
    return history_describe(cdc->history, cdc->schema, cdc->ahead, draft, arena, err);
}

/* ---- semi-synchronous acknowledgements ---- */

static void note_semi_sync(struct cdc *cdc, enum cdc_semi_sync state)
{
    pthread_mutex_lock(&cdc->lock);
    cdc->status.semi_sync = state;
    pthread_mutex_unlock(&cdc->lock);
    metric_set(METRIC_SOURCE_SEMI_SYNC, state);
}

/* After an event: whether the source holds a COMMIT back for us. What has to be durable first is all that was appended so far. */
static void ack_note(struct cdc *cdc, enum decoder_note note)
{
    if (cdc->ack_fd < 0) return;
    bool asked = cdc->driver->ack_asked(cdc->source);
    /* what comes before the transaction that proves the history may be another domain's, which comes again after it */
    if (asked && !cdc->proving) acks_put(&cdc->acks, cdc->last_lsn, decoder_pos(cdc->decoder), clock_us());
    if (!asked && note != DECODER_COMMIT && note != DECODER_FILE) return;
    note_semi_sync(cdc, asked                                            ? SEMI_SYNC_ACTIVE
                        : cdc->driver->info(cdc->source)->semi_sync ? SEMI_SYNC_AGREED
                                                                         : SEMI_SYNC_REFUSED);
}

/* Sends what may go. No event is borrowed now. */
static bool ack_send(struct cdc *cdc, struct err *err)
{
    struct wal_points points;
    struct ack ack;
    uint64_t told;
    if (!cdc->acks.count) return true;
    (void)!read(cdc->ack_fd, &told, sizeof told); /* before the look, so that no advance is slept through */
    wal_points(cdc->wal, &points);
    if (!acks_take(&cdc->acks, points.durable, &ack)) return true;
    if (!ack.offset)
        return err_set(err, ERR_CONFIG, "semi_sync cannot be had: the source's binary log (%s) is inside InnoDB, and its events have no offsets to acknowledge; what to do: set semi_sync = false, "
                       "or take binlog_storage_engine out of the source's configuration", ack.file);
    if (!cdc->driver->ack(cdc->source, ack.file, ack.offset, err)) return false;
    metric_add(METRIC_SEMI_SYNC_ACKS, 1);
    metric_observe_us(METRIC_SEMI_SYNC_ACK, clock_us() - ack.since_us);
    pthread_mutex_lock(&cdc->lock);
    cdc->status.acks++;
    pthread_mutex_unlock(&cdc->lock);
    return true;
}

/* Before the next packet is waited for: as long as an acknowledgement is due, the disk is waited for as well. */
static bool ack_due(struct cdc *cdc, struct err *err)
{
    while (cdc->acks.count) {
        if (!ack_send(cdc, err)) return false;
        if (!cdc->acks.count || cdc->stopping || cdc->driver->ready(cdc->source)) break;
        cdc->driver->wait(cdc->source, cdc->ack_fd, HOLD_POLL_MS);
    }
    return true;
}

/* ---- holding back ---- */

static bool must_hold(struct cdc *cdc, char *why, size_t room)
{
    if (cdc->pause) {
        snprintf(why, room, "paused by the operator");
        return true;
    }
    return wal_must_pause(cdc->wal, why, room);
}

/* Stands still while there is a reason to. False: it took too long, or the transaction at hand must be given up. */
static bool hold(struct cdc *cdc, struct err *err)
{
    char why[256];
    uint64_t now = coarse_ms(), end = now + HOLD_CLOSE_MS;
    if (now < cdc->next_hold_look_ms && !cdc->pause) return true;
    cdc->next_hold_look_ms = now + HOLD_POLL_MS;
    if (!must_hold(cdc, why, sizeof why)) return true;
    if (cdc->dirty) wal_flush(cdc->wal);
    cdc->dirty = false;
    publish(cdc);
    cdc->phase = PHASE_OUT;
    set_state(cdc, CDC_PAUSED, cdc_state_help(CDC_PAUSED), why);
    /* a large transaction in the log is what takes the space: giving it up frees it */
    bool give_up = decoder_in_transaction(cdc->decoder) && !cdc->pause;
    while (!give_up && !cdc->stopping) {
        clock_sleep_ms(HOLD_POLL_MS);
        if (!ack_send(cdc, err)) return false; /* what is durable already need not wait with us */
        if (!must_hold(cdc, why, sizeof why)) {
            set_state(cdc, CDC_STREAMING, "", "");
            return true;
        }
        give_up = coarse_ms() >= end;
    }
    return err_set(err, ERR_RETRY, "%s", why);
}

/* Between sessions: waits as long as there is a reason to hold. */
static void hold_closed(struct cdc *cdc)
{
    char why[256];
    while (!cdc->stopping && must_hold(cdc, why, sizeof why)) {
        set_state(cdc, CDC_PAUSED, cdc_state_help(CDC_PAUSED), why);
        clock_sleep_ms(HOLD_POLL_MS);
    }
}

/* ---- a session ---- */

/* The bytes of an event that the decoder refused, next to the log's directory, for a bug report and for golden tests. */
static void save_event(struct cdc *cdc, struct slice event, struct err *err)
{
    const struct source_pos *pos = decoder_pos(cdc->decoder);
    char dir[4096], file[SOURCE_FILE_MAX], path[5000];
    snprintf(dir, sizeof dir, "%s", cdc->settings->wal.dir);
    snprintf(file, sizeof file, "%s", pos->file[0] ? pos->file : "unknown");
    for (char *at = file; *at; at++)
        if (*at == '/') *at = '_';
    snprintf(path, sizeof path, "%s/stopped-%s-%llu.event", dirname(dir), file, (unsigned long long)pos->offset);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool saved = fd >= 0 && write(fd, event.data, event.size) == (ssize_t)event.size;
    if (fd >= 0) close(fd);
    struct err said = *err;
    if (saved) err_set_number(err, said.code, said.number, "%s; the event's bytes are in %s", said.text, path);
    else err_set_number(err, said.code, said.number, "%s; its bytes could not be saved to %s: %s", said.text, path, strerror(errno));
}

struct checked {
    struct cdc *cdc;
    char errors[ERR_TEXT_MAX], remedy[512];
};

static void take_finding(void *context, const struct finding *finding)
{
    struct checked *checked = context;
    if (finding->level == CHECK_OK) return;
    log_line(finding->level == CHECK_ERROR ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING, "source.check", "check=%s text=\"%s\" remedy=\"%s\"",
             finding->check, finding->text, finding->remedy);
    if (finding->level != CHECK_ERROR) return;
    size_t used = strlen(checked->errors);
    snprintf(checked->errors + used, sizeof checked->errors - used, "%s%s", used ? "; " : "", finding->text);
    if (!used) snprintf(checked->remedy, sizeof checked->remedy, "%s", finding->remedy);
}

static bool has_prepared(void *context, const struct xid *xid)
{
    struct cdc *cdc = context;
    struct wal_prepared found;
    return wal_prepared_find(cdc->wal, xid, &found);
}

/* Once per host and process: what the source's settings mean for us. Errors keep capture from starting. */
static bool check_source(struct cdc *cdc, struct err *err, enum ending *ending)
{
    struct checked checked = {.cdc = cdc};
    const struct source_settings *source = &cdc->settings->source;
    struct check_facts facts = {.server_id = source->server_id, .user = source->server.user, .hosts = source_hosts(source),
                                .semi_sync = source->semi_sync, .has_prepared = has_prepared, .context = cdc};
    if (cdc->driver == &source_files || cdc->checked_hosts >> cdc->hosts.at & 1) return true;
    if (!cdc->driver->check(cdc->source, &facts, take_finding, &checked, err)) return false;
    if (checked.errors[0]) {
        *ending = ENDED_CHECKS;
        return err_set(err, ERR_CONFIG, "%.900s; %.400s", checked.errors, checked.remedy);
    }
    cdc->checked_hosts |= 1ULL << cdc->hosts.at;
    return true;
}

/* Whether the log has all that is in the files. Without GTIDs: it is in a later file than the last of them. */
static bool is_past(const struct gtid_set *log, const struct source_info *files)
{
    if (gtid_set_kind(log) == GTID_FILE) return files->files_only && log->items[0].server > files->place.server;
    return files->end.count && gtid_set_contains(log, &files->end);
}

/* Saved files come first, as long as they have something that the log has not. *source NULL: the server's turn. */
static bool open_files(struct cdc *cdc, struct source **source, struct err *err)
{
    const struct source_settings *settings = &cdc->settings->source;
    bool server = source_has_server(settings);
    *source = NULL;
    if (!settings->files.count || cdc->files_done) return true;
    if (!source_files_open(settings, source, err)) {
        if (!server || !cdc->last_lsn) return false;
        log_info("source.files", "text=\"the log has a position, and the files cannot be read any more (%s): going on with the server\"", err->text);
        err_clear(err);
        cdc->files_done = true;
        return true;
    }
    if (!server || !cdc->last_lsn || !is_past(&cdc->pos.gtids, source_files.info(*source))) return true;
    source_files.close(*source);
    *source = NULL;
    cdc->files_done = true;
    return true;
}

static bool open_source(struct cdc *cdc, struct source **source, struct err *err)
{
    if (!open_files(cdc, source, err)) return false;
    if (!*source) return source_open(&cdc->settings->source, cdc->hosts.at, &cdc->driver, source, err);
    cdc->driver = &source_files;
    return true;
}

static bool connect_source(struct cdc *cdc, struct err *err)
{
    struct source *source;
    if (!open_source(cdc, &source, err)) return false;
    const struct source_info *info = cdc->driver->info(source);
    pthread_mutex_lock(&cdc->lock);
    cdc->source = source;
    cdc->skew_us = info->clock_skew_us;
    cdc->retention_s = info->retention_s;
    snprintf(cdc->status.server, sizeof cdc->status.server, "%s", info->server);
    snprintf(cdc->status.version, sizeof cdc->status.version, "%s", info->version.text);
    cdc->status.tls = info->tls;
    cdc->status.connects++;
    pthread_mutex_unlock(&cdc->lock);
    metric_add(METRIC_SOURCE_CONNECTS, 1);
    if (info->unnamed) history_track(cdc->history);
    log_info("source.connected", "server=%s version=%s tls=%s driver=%s", info->server, info->version.text, info->tls ? "yes" : "no", info->driver ? info->driver : "files");
    return true;
}

/* Where an empty log begins. Once: from then on the log is the position. */
static bool place(struct cdc *cdc, struct err *err)
{
    char text[GTID_SET_TEXT_MAX];
    if (cdc->placed) return true;
    if (!cdc->driver->position(cdc->source, &cdc->settings->source, &cdc->pos, err)) return false;
    if (!wal_set_start(cdc->wal, &cdc->pos, err)) return false;
    cdc->placed = true;
    gtid_set_format(&cdc->pos.gtids, text);
    log_info("source.start", "gtid=\"%s\" file=%s offset=%llu", text, cdc->pos.file, (unsigned long long)cdc->pos.offset);
    return true;
}

/* A log goes on with the kind of transactions that it was begun with; a server with GTIDs has files and offsets, too. */
static bool same_kind(struct cdc *cdc, const struct source_info *info, struct err *err, enum ending *ending)
{
    enum gtid_kind kind = gtid_set_kind(&cdc->pos.gtids);
    bool mariadb = info->version.flavour == DB_MARIADB;
    if (!cdc->pos.gtids.count) return true;
    *ending = ENDED_DIVERGED;
    if ((kind == GTID_MARIADB) != mariadb)
        return err_set(err, ERR_STOP, "the log has the changes of a %s, and %s is %s %s", mariadb ? "MySQL" : "MariaDB", info->server,
                       mariadb ? "MariaDB" : "MySQL", info->version.text);
    if (kind == GTID_MYSQL && info->files_only)
        return err_set(err, ERR_STOP, "the log was begun with GTIDs, and gtid_mode of %s is not ON: set it to ON again", info->server);
    *ending = ENDED_LOST;
    return true;
}

/* Whether its binary log ends before what we have taken: in the last transaction's domain, or in another that it knows; of MySQL's GTIDs,
   any. */
static bool is_behind(const struct cdc *cdc, const struct source_info *info)
{
    const struct gtid *last = &cdc->last.gtid, *place = &info->place;
    if (gtid_set_kind(&cdc->pos.gtids) == GTID_MYSQL) return !gtid_set_contains(&info->end, &cdc->pos.gtids);
    if (!last->seq) return false;
    if (last->kind == GTID_FILE) return place->seq && (place->server < last->server || (place->server == last->server && place->seq <= last->seq));
    if (!proof_reached(&cdc->last, &info->end)) return true;
    for (uint32_t i = 0; i < cdc->pos.gtids.count; i++) {
        struct gtid theirs = gtid_set_get(&info->end, cdc->pos.gtids.items[i].domain);
        if (theirs.seq && theirs.seq < cdc->pos.gtids.items[i].seq) return true;
    }
    return false;
}

static bool behind(struct cdc *cdc, const struct source_info *info, struct err *err)
{
    char log[GTID_SET_TEXT_MAX], end[GTID_SET_TEXT_MAX];
    gtid_set_format(&cdc->pos.gtids, log);
    gtid_set_format(&info->end, end);
    if (gtid_set_kind(&cdc->pos.gtids) == GTID_FILE) gtid_format(&info->place, end);
    cdc->follows = info->clustered || (cdc->driver->follows && cdc->driver->follows(cdc->source));
    cdc->catch_up_ms = cdc->settings->source.catch_up_ms;
    if (info->clustered && cdc->catch_up_ms > CLUSTER_CATCH_UP_MS) cdc->catch_up_ms = CLUSTER_CATCH_UP_MS;
    if (!cdc->behind_since_ms) cdc->behind_since_ms = coarse_ms();
    if (gtid_set_kind(&cdc->pos.gtids) == GTID_MYSQL) { /* exactly what is missing */
        struct gtid_set missing;
        gtid_set_missing(&cdc->pos.gtids, &info->end, &missing);
        gtid_set_format(&missing, log);
        return err_set(err, ERR_RETRY, "the log has '%.500s', which the binary log of %s has not: it ends at '%.500s'", log, info->server, end);
    }
    return err_set(err, ERR_RETRY, "the log has all up to %.300s, but the binary log of %s ends at '%.300s'", log, info->server, end);
}

/* A log that was begun without GTIDs goes on so, also where the source has them by now. */
static bool by_file(const struct cdc *cdc, const struct source_info *info)
{
    return info->files_only || gtid_set_kind(&cdc->pos.gtids) == GTID_FILE;
}

/* Only what is read again can tell that another server has our history; its position alone cannot. */
static bool stranger(struct cdc *cdc, const struct source_info *info, struct err *err)
{
    return err_set(err, ERR_STOP, "%s is another server (%s) than the one that the log is from (%s), and %s", info->server, info->identity,
                   cdc->identity,
                   by_file(cdc, info) ? "without GTIDs a position in one server's files means nothing on another"
                   : cdc->filter_changed ? "the log's last transaction cannot be compared, as the filter has been changed"
                                         : "it has purged the log's last transaction, so that nothing proves that their histories are one");
}

/* The position to ask for, and whether the first transaction is the proof. */
static bool choose_from(struct cdc *cdc, struct source_pos *from, struct err *err, enum ending *ending)
{
    const struct source_info *info = cdc->driver->info(cdc->source);
    source_pos_copy(from, &cdc->pos);
    cdc->last.skipped = 0;
    cdc->beat.seq = 0;
    if (cdc->filter_changed) cdc->from_last = true;
    cdc->proving = cdc->last.gtid.seq != 0 && !cdc->from_last && !cdc->stepped_over;
    cdc->stepped_over = false;
    if (!same_kind(cdc, info, err, ending)) return false;
    if (cdc->last_lsn && is_stranger(cdc, info) && (cdc->from_last || by_file(cdc, info))) {
        *ending = ENDED_STRANGER;
        return stranger(cdc, info, err);
    }
    if (is_behind(cdc, info)) {
        *ending = ENDED_BEHIND;
        return behind(cdc, info, err);
    }
    return !cdc->proving || proof_from(&cdc->last, &cdc->pos, from, err);
}

static bool check_mask(struct cdc *cdc, struct err *err)
{
    struct db *db = NULL;
    bool ok = db_open(&cdc->schema_options, &db, err) && mask_check(cdc->mask, db, err);
    db_close(db);
    return ok;
}

/* "database.table", or a column behind a second dot, whose case does not matter. */
static bool is_lower(const char *key, const struct strings *patterns, struct err *err)
{
    for (size_t i = 0; i < patterns->count; i++) {
        const char *text = patterns->items[i], *dot = strchr(text, '.'), *second = dot ? strchr(dot + 1, '.') : NULL;
        size_t size = second ? (size_t)(second - text) : strlen(text);
        char *lower = strdup(text);
        if (!lower) abort();
        names_lower((uint8_t *)lower, size);
        bool same = memcmp(lower, text, size) == 0;
        free(lower);
        if (!same) return err_set(err, ERR_CONFIG, "%s has '%.200s', and the source keeps the names of its tables in lower case (lower_case_table_names=1); what to do: write it so", key, text);
    }
    return true;
}

/* A pattern with a capital letter would match nothing, and leave in what it is to leave out. */
static bool check_patterns(const struct settings *s, struct err *err)
{
    const struct filter_settings *f = &s->filter;
    for (size_t i = 0; i < s->sink_count; i++)
        if (!is_lower("include of a sink", &s->sinks[i].include, err) || !is_lower("exclude of a sink", &s->sinks[i].exclude, err)) return false;
    return is_lower("filter.include", &f->include, err) && is_lower("filter.exclude", &f->exclude, err) && is_lower("filter.mask_hash", &f->mask_hash, err) &&
           is_lower("filter.mask_fixed", &f->mask_fixed, err) && is_lower("filter.mask_null", &f->mask_null, err) && is_lower("filter.exclude_columns", &f->exclude_columns, err);
}

/* Saved files do not say it. A server that cannot be asked now is asked when it is its turn. */
static unsigned ask_folding(struct cdc *cdc)
{
    struct db *db = NULL;
    char text[8] = "0";
    bool found;
    if (db_open(&cdc->schema_options, &db, NULL)) (void)!db_scalar(db, text, sizeof text, &found, NULL, "SELECT @@lower_case_table_names");
    db_close(db);
    return (unsigned)strtoul(text, NULL, 10);
}

static bool make_decoder(struct cdc *cdc, const struct source_pos *from, struct err *err)
{
    const struct settings *settings = cdc->settings;
    struct decoder_options options = {
        .mariadb = cdc->driver->info(cdc->source)->version.flavour == DB_MARIADB,
        .checksum = cdc->driver->info(cdc->source)->checksum,
        .explicit_timestamp = cdc->driver->info(cdc->source)->explicit_timestamp,
        .verify_checksums = true,
        .capture_accounts = settings->source.capture_accounts,
        .refuse_statements = settings->source.statements && !strcmp(settings->source.statements, "refuse"),
        .filter = cdc->filter,
        .mask = cdc->mask,
        .temporaries = cdc->temporaries,
        .emit = emit,
        .schema = describe,
        .context = cdc,
    };
    if (!source_server(&settings->source, cdc->hosts.at, &cdc->schema_options, cdc->schema_name, sizeof cdc->schema_name, cdc->schema_host,
                       sizeof cdc->schema_host, err))
        return false;
    bool server = source_has_server(&settings->source);
    unsigned folding = cdc->driver == &source_files ? (server ? ask_folding(cdc) : 0) : cdc->driver->info(cdc->source)->folding;
    history_fold(cdc->history, folding != 0);
    options.lower_names = folding == 1;
    if (options.lower_names && !check_patterns(settings, err)) return false;
    if (cdc->mask && !server) return err_set(err, ERR_CONFIG, "masked columns need a server beside the files: its keys are looked at");
    if (cdc->mask && !check_mask(cdc, err)) return false;
    struct schema *schema = server ? schema_new(&cdc->schema_options) : NULL;
    struct ahead *ahead = server ? ahead_new(&settings->source, cdc->hosts.at) : NULL;
    pthread_mutex_lock(&cdc->lock);
    cdc->schema = schema;
    cdc->ahead = ahead;
    pthread_mutex_unlock(&cdc->lock);
    memset(&cdc->counted, 0, sizeof cdc->counted);
    cdc->decoder = decoder_new(&options, from);
    return true;
}

/* ---- another server than the first ---- */

static uint64_t return_wait(struct cdc *cdc)
{
    uint64_t least = cdc->settings->source.return_ms;
    if (least < RETURN_MIN_MS) least = RETURN_MIN_MS;
    if (cdc->hosts.at == 0 || cdc->return_ms < least) cdc->return_ms = least;
    return cdc->return_ms;
}

/* Whether the first of the hosts has what we have, looked for now and then: half a look costs a streaming session nothing but its time. */
static bool first_is_back(struct cdc *cdc)
{
    struct source *source = NULL;
    if (!cdc->settings->source.return_ms || !cdc->hosts.at || coarse_ms() < cdc->next_return_ms || decoder_in_transaction(cdc->decoder))
        return false;
    struct source_settings settings = cdc->settings->source;
    settings.semi_sync = false;
    const struct source_driver *driver = NULL;
    bool back = source_open(&settings, 0, &driver, &source, NULL) && gtid_set_contains(&driver->info(source)->end, &decoder_pos(cdc->decoder)->gtids);
    if (driver) driver->close(source);
    cdc->next_return_ms = coarse_ms() + cdc->return_ms;
    if (back) cdc->return_ms = cdc->return_ms < RETURN_MAX_MS / 2 ? cdc->return_ms * 2 : RETURN_MAX_MS;
    return back;
}

/* A member of a cluster that lost the majority is silent for ever, and says so only when it is asked. */
static bool still_serves(struct cdc *cdc, struct err *err)
{
    if (!cdc->driver->serves || !cdc->driver->info(cdc->source)->clustered || coarse_ms() < cdc->next_serves_ms) return true;
    cdc->next_serves_ms = coarse_ms() + SERVES_EVERY_MS;
    return cdc->driver->serves(&cdc->settings->source, cdc->hosts.at, err);
}

/* The proof is done, or none was needed: from here on silence means trouble. */
static void proven(struct cdc *cdc)
{
    char text[GTID_TEXT_MAX], reason[300];
    cdc->driver->patience(cdc->source, 3 * cdc->settings->source.heartbeat_ms);
    backoff_reset(&cdc->backoff);
    hosts_served(&cdc->hosts);
    identity_save(cdc, cdc->driver->info(cdc->source)->identity);
    cdc->served = true;
    cdc->rounds = 0;
    cdc->behind_since_ms = 0;
    cdc->next_return_ms = coarse_ms() + return_wait(cdc);
    bool unproven = cdc->from_last;
    pthread_mutex_lock(&cdc->lock);
    cdc->status.unproven = unproven;
    pthread_mutex_unlock(&cdc->lock);
    if (!unproven) {
        set_state(cdc, CDC_STREAMING, "", "");
        return;
    }
    cdc->from_last = false;
    gtid_format(&cdc->last.gtid, text);
    snprintf(reason, sizeof reason, "going on after %s by GTID alone: %s", text,
             cdc->filter_changed ? "the filter has been changed, so the log's contents cannot be compared"
                                 : "the source has purged it, so its contents could not be compared");
    set_state(cdc, CDC_UNPROVEN, cdc_state_help(CDC_UNPROVEN), reason);
}

static void nothing_more_for_now(struct cdc *cdc)
{
    if (cdc->dirty) wal_flush(cdc->wal);
    cdc->dirty = false;
    if (cdc->events_unpublished) publish(cdc);
}

static bool read_event(struct cdc *cdc, struct slice *event, struct err *err)
{
    bool end = false;
    uint64_t before = clock_us();
    atomic_store_explicit(&cdc->phase, PHASE_READING, memory_order_relaxed);
    bool ok = cdc->driver->next(cdc->source, event, &end, err);
    atomic_store_explicit(&cdc->phase, PHASE_WORKING, memory_order_relaxed);
    atomic_store_explicit(&cdc->packet_wall_us, coarse_wall_us(), memory_order_relaxed);
    if (!ok) {
        cdc->timed_out = !cdc->stopping && clock_us() - before >= 2900ULL * cdc->settings->source.heartbeat_ms;
        return false;
    }
    if (!end) return true;
    cdc->files_done = cdc->driver == &source_files;
    return err_set(err, cdc->files_done ? ERR_NONE : ERR_RETRY, "the source has ended the stream (shutdown, or our connection was killed)");
}

static enum ending refused_event(struct cdc *cdc, struct slice event, struct err *err)
{
    if (cdc->append_failed) return ENDED_LOG;
    if (cdc->different) return ENDED_DIVERGED;
    if (cdc->unfinished) return err->code == ERR_RETRY ? ENDED_LOST : ENDED_XA;
    if (err->code == ERR_RETRY || err->code == ERR_DENIED) return ENDED_LOST; /* the definition could not be had */
    save_event(cdc, event, err);
    return ENDED_EVENT;
}

/* To a refusal for want of old binary logs: what is needed, and where the source is. */
static void name_gap(struct cdc *cdc, struct err *err)
{
    char needed[GTID_SET_TEXT_MAX], end[GTID_SET_TEXT_MAX];
    const struct source_refusal *refusal = source_refusal(err);
    if (!refusal || refusal->state != CDC_PURGED) return;
    struct err said = *err;
    gtid_set_format(&cdc->pos.gtids, needed);
    gtid_set_format(&cdc->driver->info(cdc->source)->end, end);
    err_set_number(err, said.code, said.number,
                   "needed is all that follows '%.300s', the source is at '%.300s' and has not all of it any more: %.600s", needed, end, said.text);
}

/* A MariaDB sends heartbeats only when it has sent all it has. MySQL sends them also while it passes over what we have, each at another
   place: two at the same one, and nothing between them, mean that it waits. */
static bool at_its_end(struct cdc *cdc)
{
    const struct source_pos *pos = decoder_pos(cdc->decoder);
    struct gtid before = cdc->beat, now = {.kind = GTID_FILE, .seq = pos->offset};
    if (cdc->last.gtid.kind == GTID_MARIADB) return true;
    (void)source_file_number(pos->file, &now.server);
    cdc->beat = now;
    return gtid_equal(&before, &now);
}

static enum ending not_sent(struct cdc *cdc, struct err *err)
{
    char text[GTID_TEXT_MAX];
    gtid_format(&cdc->last.gtid, text);
    err_set(err, ERR_STOP, "the log's last transaction, %s, is not in what the source has sent", text);
    return ENDED_DIVERGED;
}

/* Packet after packet until something ends it. */
static enum ending stream(struct cdc *cdc, struct err *err)
{
    bool settled = false;
    cdc->driver->patience(cdc->source, SOURCE_SEARCH_PATIENCE_MS);
    for (;;) {
        struct slice event = {NULL, 0};
        enum decoder_note note = DECODER_NOTHING;
        if (!cdc->driver->ready(cdc->source)) nothing_more_for_now(cdc);
        if (!ack_due(cdc, err)) return err->code == ERR_CONFIG ? ENDED_CHECKS : ENDED_LOST;
        if (!read_event(cdc, &event, err)) {
            name_gap(cdc, err);
            return ENDED_LOST;
        }
        if (!decoder_event(cdc->decoder, event, &note, err)) return refused_event(cdc, event, err);
        ack_note(cdc, note);
        cdc->events_unpublished++;
        atomic_store_explicit(&cdc->idle, note == DECODER_HEARTBEAT, memory_order_relaxed);
        if (__builtin_expect(!settled, 0)) {
            if (note == DECODER_HEARTBEAT && cdc->proving && at_its_end(cdc)) return not_sent(cdc, err);
            if (note != DECODER_HEARTBEAT) cdc->beat.seq = 0;
            if (cdc->stepped_over) return err_set(err, ERR_NONE, "proven"), ENDED_LOST;
            /* the server refuses after its first, artificial event at the latest: a real one, or a heartbeat, is a yes */
            settled = !cdc->proving && note != DECODER_NOTHING && note != DECODER_FILE && note != DECODER_FORMAT;
            if (settled) proven(cdc);
        }
        if (note == DECODER_HEARTBEAT || cdc->events_unpublished >= PUBLISH_EVENTS) {
            publish(cdc);
            if (settled && first_is_back(cdc)) return ENDED_RETURN;
        }
        if (note == DECODER_HEARTBEAT && !still_serves(cdc, err)) return ENDED_LOST;
        if (!hold(cdc, err)) return ENDED_HELD;
        if (cdc->stopping) return ENDED_LOST;
    }
}

static bool prepare(struct cdc *cdc, struct err *err, enum ending *ending)
{
    struct source_pos from;
    if (!connect_source(cdc, err) || !check_source(cdc, err, ending) || !place(cdc, err)) return false;
    if (!choose_from(cdc, &from, err, ending)) return false;
    if (!make_decoder(cdc, &from, err)) return false;
    return cdc->driver->dump(cdc->source, &from, err);
}

static void close_session(struct cdc *cdc)
{
    struct err cut;
    err_clear(&cut);
    if (cdc->decoder) {
        bool proving = cdc->proving;
        /* a log that refuses the ABORT has stopped for good: recovery cuts the transaction then */
        if (!proving && !decoder_cut(cdc->decoder, &cut)) log_warning("source.cut", "text=\"%s\"", cut.text);
        publish(cdc);
        /* a decoder that stepped over other domains' transactions to reach the proof has a position that the log has not */
        if (!proving && !cdc->stepped_over) source_pos_copy(&cdc->pos, cdc->unfinished ? wal_end(cdc->wal) : decoder_pos(cdc->decoder));
        if (cdc->dirty) wal_flush(cdc->wal);
        cdc->dirty = false;
    }
    pthread_mutex_lock(&cdc->lock);
    struct source *source = cdc->source;
    struct schema *schema = cdc->schema;
    struct ahead *ahead = cdc->ahead;
    cdc->source = NULL;
    cdc->schema = NULL;
    cdc->ahead = NULL;
    cdc->status.semi_sync = SEMI_SYNC_OFF;
    cdc->status.server[0] = 0;
    cdc->status.tls = false;
    pthread_mutex_unlock(&cdc->lock);
    cdc->phase = PHASE_OUT;
    cdc->idle = false;
    acks_clear(&cdc->acks);
    metric_set(METRIC_SOURCE_SEMI_SYNC, SEMI_SYNC_OFF);
    decoder_free(cdc->decoder);
    cdc->decoder = NULL;
    schema_free(schema);
    ahead_free(ahead);
    if (source) cdc->driver->close(source);
}

/* ---- what comes after a session ---- */

static void stand(struct cdc *cdc, enum cdc_state state, const char *remedy, const struct err *err, uint32_t ms)
{
    set_state(cdc, state, remedy, err->text);
    wait_ms(cdc, ms);
}

/* This server will not do now: the next one is tried at once; when none is left, what they said is the state. */
static void wait_in(struct cdc *cdc, enum cdc_state state, const char *remedy, const struct err *err, uint32_t ms)
{
    struct host_trial verdict;
    if (cdc->hosts.count > 1 && ms > BEHIND_WAIT_MS) ms = BEHIND_WAIT_MS;
    cdc->from_last = cdc->stepped_over = false; /* what one server allowed says nothing of the next */
    if (hosts_failed(&cdc->hosts, state, err->text, remedy ? remedy : "", ms, &verdict, &ms)) {
        if (cdc->rounds) return; /* what the round before found stands until this one is over, or one of them serves */
        log_warning("source.next_host", "host=%s text=\"%s\"", hosts_name(&cdc->hosts, cdc->hosts.at), err->text);
        set_state(cdc, CDC_CONNECTING, cdc_state_help(CDC_CONNECTING), err->text);
        return;
    }
    cdc->rounds++;
    set_state(cdc, verdict.state, verdict.remedy, verdict.reason);
    wait_ms(cdc, ms);
}

/* To what is known of a divergence: the transactions that it is about. */
static void add_fork(struct cdc *cdc, struct err *err)
{
    char text[900];
    struct err failed;
    struct fork_ask ask = {
        .driver = cdc->driver, .settings = &cdc->settings->source, .host = cdc->hosts.at, .wal = cdc->wal, .pos = &cdc->pos,
        .last = cdc->last.gtid, .last_lsn = cdc->last_lsn, .filter = cdc->filter, .mask = cdc->mask,
        .capture_accounts = cdc->settings->source.capture_accounts, .stopping = &cdc->stopping,
    };
    if (!cdc->last.gtid.seq || !cdc->driver->histories) return;
    err_clear(&failed);
    struct err said = *err;
    if (fork_find(&ask, text, sizeof text, &failed)) err_set_number(err, said.code, said.number, "%.240s; %s", said.text, text);
    else log_warning("source.fork", "text=\"the two histories could not be compared: %s\"", failed.text);
}

/* A MariaDB that was killed in the middle of a write leaves the torn event at the end of its last file, and opens a new one. Whoever
   reads through the old one is refused at the tear, every time. Nothing behind our position was committed there, else it would
   have come before the tear, so the stream begins anew at that position, which is the new file's beginning: it was proven, or came
   from this server, in this very session. Once for each position: a tear elsewhere stops us. */
static bool after_torn_file(struct cdc *cdc, const struct err *err)
{
    const struct gtid *last = &cdc->last.gtid;
    if (!source_torn_file(err) || cdc->proving || !last->seq) return false;
    if (gtid_is(last, &cdc->torn)) return false;
    cdc->torn = *last;
    cdc->stepped_over = true;
    log_warning("source.torn_file", "text=\"the source was killed while it wrote to its binary log: going on at its next file. It said: %s\"",
                err->text);
    return true;
}

/* A server that refused the stream, by its number and text. */
static bool after_refusal(struct cdc *cdc, struct err *err)
{
    const struct source_refusal *refusal = source_refusal(err);
    if (!refusal) return false;
    if (refusal->state == CDC_PURGED && cdc->proving) {
        /* what comes after the last commit may still be there, only the commit itself is not */
        cdc->from_last = true;
        cdc->proving = false;
        return true;
    }
    cdc->from_last = false;
    if (refusal->state == CDC_DIVERGED) add_fork(cdc, err);
    bool start = !cdc->last.gtid.seq && (refusal->state == CDC_PURGED || refusal->state == CDC_DIVERGED);
    wait_in(cdc, refusal->state, start ? "the log is empty, and this source does not have the place where it is to begin: choose start_gtid or start_file "
                                         "anew (or neither: its end), and restart the agent" : refusal->remedy, err, FOR_EVER);
    return true;
}

static void after_loss(struct cdc *cdc, struct err *err)
{
    if (err->code == ERR_NONE) return; /* the proof is done, and the stream begins anew behind it */
    if (after_torn_file(cdc, err) || after_refusal(cdc, err)) return;
    if (cdc->driver == &source_files && err->code != ERR_RETRY) {
        stand(cdc, CDC_STOPPED, "put the files right; then wolfctl resume", err, FOR_EVER);
        return;
    }
    if (cdc->served) { /* tried once more before the next one */
        hosts_lost(&cdc->hosts, cdc->fruitful);
        stand(cdc, cdc->timed_out ? CDC_STALLED : CDC_CONNECTING, cdc_state_help(cdc->timed_out ? CDC_STALLED : CDC_CONNECTING), err,
              backoff_next(&cdc->backoff));
        return;
    }
    if (err->code == ERR_DENIED || err->code == ERR_STOP)
        wait_in(cdc, CDC_STOPPED, "see the reason; tried again every 30 s, or at once with wolfctl resume", err, DENIED_WAIT_MS);
    else if (err->code != ERR_RETRY)
        wait_in(cdc, CDC_STOPPED, "see the reason; then wolfctl resume", err, FOR_EVER);
    else
        wait_in(cdc, cdc->timed_out ? CDC_STALLED : CDC_CONNECTING, cdc_state_help(cdc->timed_out ? CDC_STALLED : CDC_CONNECTING), err,
                backoff_next(&cdc->backoff));
}

/* Less than we have: a replica catches up, a primary never does. */
static void after_behind(struct cdc *cdc, struct err *err)
{
    uint64_t waited = coarse_ms() - cdc->behind_since_ms, most = cdc->catch_up_ms;
    struct err said = *err;
    if (cdc->follows && waited < most) {
        err_set(err, said.code, "%.800s: it is behind, and still applies another server's changes: waited for, %llu s at most (catch_up_ms)", said.text,
                (unsigned long long)most / 1000);
        wait_in(cdc, CDC_CONNECTING, "a replica that lags catches up by itself; see its replication", err, CATCH_UP_LOOK_MS);
        return;
    }
    if (cdc->follows)
        err_set(err, said.code, "%.700s: it still applies another server's changes, but has not caught up in %llu s (catch_up_ms)", said.text,
                (unsigned long long)waited / 1000);
    add_fork(cdc, err);
    wait_in(cdc, CDC_DIVERGED,
            "a replica that lags will catch up, which is looked for every 5 s; a primary that crashed with sync_binlog other than 1, or that was "
            "promoted before it had everything, has lost the transactions: then the target has more than the source, and the data must be copied anew",
            err, BEHIND_WAIT_MS);
}

static void after_session(struct cdc *cdc, enum ending ending, struct err *err)
{
    switch (ending) {
    case ENDED_LOST:
        after_loss(cdc, err);
        break;
    case ENDED_HELD:
        hold_closed(cdc);
        break;
    case ENDED_BEHIND:
        after_behind(cdc, err);
        break;
    case ENDED_STRANGER:
        cdc->from_last = false;
        wait_in(cdc, CDC_PURGED,
                "point [source] at the server that the log is from, or at one that still has its last transaction; else start over with an empty "
                "log and a fresh copy of the data; wolfctl resume tries again", err, FOR_EVER);
        break;
    case ENDED_RETURN:
        log_info("source.return", "host=%s", hosts_name(&cdc->hosts, 0));
        cdc->hosts.at = 0;
        break;
    case ENDED_DIVERGED:
        add_fork(cdc, err);
        wait_in(cdc, CDC_DIVERGED, cdc_state_help(CDC_DIVERGED), err, FOR_EVER);
        break;
    case ENDED_CHECKS:
        wait_in(cdc, CDC_STOPPED, "correct the source's settings; tried again every 30 s, or at once with wolfctl resume", err,
                DENIED_WAIT_MS);
        break;
    case ENDED_EVENT:
        stand(cdc, CDC_STOPPED,
                "report the saved event; wolfctl resume tries again, and a filter that leaves its table out passes over it", err, FOR_EVER);
        break;
    case ENDED_XA:
        stand(cdc, CDC_STOPPED, "see the reason; then wolfctl resume", err, FOR_EVER);
        break;
    case ENDED_LOG: /* what it has of the transaction at hand only its next opening can tell: resume does not help */
        while (!cdc->stopping) stand(cdc, CDC_STOPPED, "the log takes no more changes: see its error; restart the agent", err, FOR_EVER);
        break;
    }
}

static void *capture_run(void *arg)
{
    struct cdc *cdc = arg;
    while (!cdc->stopping) {
        struct err err;
        enum ending ending = ENDED_LOST;
        err_clear(&err);
        cdc->append_failed = cdc->different = cdc->timed_out = cdc->unfinished = cdc->served = cdc->fruitful = false;
        hold_closed(cdc);
        if (cdc->stopping) break;
        if (cdc->status.state == CDC_PAUSED) set_state(cdc, CDC_CONNECTING, "", "");
        if (prepare(cdc, &err, &ending)) ending = stream(cdc, &err);
        bool proving = cdc->proving;
        close_session(cdc);
        cdc->proving = proving;
        if (!cdc->stopping) after_session(cdc, ending, &err);
        cdc->proving = false;
    }
    return NULL;
}

/* ---- the interface ---- */


static void take_resume(struct cdc *cdc, const struct wal_resume *resume)
{
    const struct source_settings *source = &cdc->settings->source;
    bool configured = source->start_gtid || source->start_file;
    if (!resume->empty) {
        cdc->last = (struct proof){.gtid = resume->gtid, .previous = resume->previous, .crc = resume->crc};
        cdc->last_timestamp = resume->timestamp;
        if (configured) log_info("source.start", "text=\"the log has a position: start_gtid and start_file are not used\"");
    }
    /* An empty log that was given a start goes on from there, or what happened in between would be missed: the source's
       end is elsewhere by now. A configured start counts as long as the log is empty: begun but without a whole transaction it
       keeps the start that it was given. */
    bool given = resume->pos.gtids.count || resume->pos.file[0] || resume->pos.offset;
    cdc->placed = !resume->empty || (given && (!configured || !wal_blank(cdc->wal)));
    cdc->pos = resume->pos;
    cdc->status.pos = resume->pos;
    cdc->last_lsn = cdc->status.lsn = resume->empty ? 0 : resume->last_lsn;
    cdc->status.gtid = resume->gtid;
    cdc->status.timestamp = resume->timestamp;
}

bool cdc_new(const struct settings *settings, struct wal *wal, const struct wal_resume *resume, struct cdc **out, struct err *err)
{
    struct filter *filter = NULL;
    struct mask *mask = NULL;
    if (!filter_new(&settings->filter.include, &settings->filter.exclude, &filter, err)) return false;
    if (!mask_new(&settings->filter, &mask, err)) {
        filter_free(filter);
        return false;
    }
    struct cdc *cdc = calloc(1, sizeof *cdc);
    if (!cdc) abort();
    cdc->settings = settings;
    cdc->wal = wal;
    cdc->filter = filter;
    cdc->mask = mask;
    cdc->temporaries = temporaries_new();
    cdc->status.since_us = clock_wall_us();
    cdc->status.purge_seconds = -1;
    hosts_init(&cdc->hosts, &settings->source.hosts);
    cdc->ack_fd = settings->source.semi_sync ? eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC) : -1;
    if (settings->source.semi_sync && cdc->ack_fd < 0) abort();
    wal_notify(wal, cdc->ack_fd);
    identity_read(cdc);
    pthread_mutex_init(&cdc->lock, NULL);
    thread_cond_init(&cdc->wake);
    backoff_init(&cdc->backoff, clock_us() ^ settings->source.server_id);
    take_resume(cdc, resume);
    cdc->filter_changed = !filter_known(cdc, &cdc->filter_unsaved) && !resume->empty;
    char path[4200];
    snprintf(path, sizeof path, "%.4096s.schema", settings->wal.dir);
    if (!history_open(path, resume->empty ? 0 : resume->last_lsn, &cdc->history, err)) {
        cdc_free(cdc);
        return false;
    }
    *out = cdc;
    return true;
}

struct history *cdc_history(struct cdc *cdc) { return cdc->history; }

void cdc_start(struct cdc *cdc)
{
    cdc->started = true;
    thread_start(&cdc->thread, "capture", capture_run, cdc);
}

static void interrupt(struct cdc *cdc)
{
    pthread_mutex_lock(&cdc->lock);
    if (cdc->source) cdc->driver->interrupt(cdc->source);
    if (cdc->schema) schema_interrupt(cdc->schema);
    if (cdc->ahead) ahead_stop(cdc->ahead);
    pthread_cond_broadcast(&cdc->wake);
    pthread_mutex_unlock(&cdc->lock);
}

void cdc_stop(struct cdc *cdc)
{
    struct timespec deadline;
    if (!cdc || !cdc->started) return;
    cdc->stopping = true;
    interrupt(cdc);
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += STOP_WAIT_MS / 1000;
    if (pthread_timedjoin_np(cdc->thread, NULL, &deadline)) {
        wal_wake(cdc->wal); /* it waits for room in a log whose disk is full */
        interrupt(cdc);
        pthread_join(cdc->thread, NULL);
    }
    cdc->started = false;
}

void cdc_free(struct cdc *cdc)
{
    if (!cdc) return;
    cdc_stop(cdc);
    wal_notify(cdc->wal, -1);
    if (cdc->ack_fd >= 0) close(cdc->ack_fd);
    filter_free(cdc->filter);
    mask_free(cdc->mask);
    temporaries_free(cdc->temporaries);
    history_close(cdc->history);
    pthread_cond_destroy(&cdc->wake);
    pthread_mutex_destroy(&cdc->lock);
    free(cdc);
}

void cdc_pause(struct cdc *cdc)
{
    cdc->pause = true;
    pthread_mutex_lock(&cdc->lock);
    pthread_cond_broadcast(&cdc->wake);
    pthread_mutex_unlock(&cdc->lock);
}

void cdc_resume(struct cdc *cdc)
{
    cdc->pause = false;
    pthread_mutex_lock(&cdc->lock);
    cdc->retry = true;
    pthread_cond_broadcast(&cdc->wake);
    pthread_mutex_unlock(&cdc->lock);
}

/* While connected, what the state is follows from what the thread is doing and for how long. */
static void refine(const struct cdc *cdc, struct cdc_status *status)
{
    int phase = cdc->phase;
    uint64_t packet = cdc->packet_wall_us, now = clock_wall_us();
    uint64_t quiet_ms = now > packet ? (now - packet) / 1000 : 0;
    status->last_event_us = packet;
    if (status->state != CDC_STREAMING || !packet) return;
    if (phase == PHASE_WORKING && quiet_ms > THROTTLED_MS) {
        status->state = CDC_THROTTLED;
        snprintf(status->reason, sizeof status->reason, "the log has taken nothing for %llu s", (unsigned long long)quiet_ms / 1000);
    } else if (phase == PHASE_READING && quiet_ms > 3ULL * cdc->settings->source.heartbeat_ms) {
        status->state = CDC_STALLED;
        snprintf(status->reason, sizeof status->reason, "nothing has come from the source for %llu s", (unsigned long long)quiet_ms / 1000);
    } else if (cdc->idle) {
        status->state = CDC_IDLE;
        return;
    } else {
        return;
    }
    snprintf(status->remedy, sizeof status->remedy, "%s", cdc_state_help(status->state));
}

/* A lower bound: the file that we need was written to after our last transaction, and is kept for retention_s from then. */
static int64_t purge_seconds(const struct cdc *cdc, const struct cdc_status *status)
{
    if (!cdc->retention_s || status->state == CDC_IDLE || !status->timestamp) return -1;
    int64_t now = (int64_t)clock_wall_us() / 1000000, base = (int64_t)status->timestamp - cdc->skew_us / 1000000;
    int64_t caught_up = (int64_t)(cdc->caught_up_us / 1000000);
    if (caught_up > base) base = caught_up;
    if (status->state == CDC_STREAMING && now - base < LAGGING_S) return -1;
    int64_t left = cdc->retention_s - (now - base);
    return left > 0 ? left : 0;
}

void cdc_status(struct cdc *cdc, struct cdc_status *status)
{
    pthread_mutex_lock(&cdc->lock);
    *status = cdc->status;
    refine(cdc, status);
    status->purge_seconds = purge_seconds(cdc, status);
    pthread_mutex_unlock(&cdc->lock);
}
