/*
 * wal.h: the write-ahead log, the only thing that joins capture and delivery. The byte format is in format.h and
 * in man 5 wolfcdc-wal. One writer process per directory (flock), any number of readers.
 *
 * Two points are published, both as LSNs of commit records (or stand-alone heartbeats): `written`, everything up to
 * it is in the file, and `durable`, everything up to it survived an fdatasync. Never one in the midst of a transaction.
 */
#ifndef WOLFCDC_WAL_H
#define WOLFCDC_WAL_H
#include "change.h"
#include "err.h"

struct wal;
struct wal_reader;
struct file_system; /* file.h */

enum { WAL_UUID_TEXT = 37 };

struct wal_options {
    const char *dir;
    uint64_t segment_bytes;
    bool compress, fsync;
    uint32_t flush_interval_ms;
    uint64_t size_max, free_min;          /* bytes; free_min 0: the larger of 5 % and 2 GiB */
    uint64_t retention_hard;              /* bytes; 0: off */
    uint32_t retention_hours, rewind_hours;
    const struct file_system *files;      /* NULL: the real one */
    uint32_t block_bytes;                 /* raw bytes of a full block; 0: 240 KiB */
};

/* What capture needs to go on, from the last commit in the log. */
struct wal_resume {
    bool empty;                   /* no transaction in it yet: the configured start position counts */
    uint64_t last_lsn;            /* of the last commit; the next record comes behind it */
    struct gtid gtid, previous;   /* of that transaction, and the one before it in its domain */
    struct source_pos pos;        /* after it */
    uint32_t crc;
    uint32_t timestamp;
};

/* Owned. Repairs a torn tail first (last whole commit wins); *resume is where capture goes on. `start` is the source
   position that a log made new begins from (in its first segment's header); ignored for one that exists. Before any
   thread starts. ERR_CORRUPT names file, offset and what was expected; nothing is guessed. */
MUST_CHECK bool wal_open(const struct wal_options *options, const struct source_pos *start, struct wal **wal,
                         struct wal_resume *resume, struct err *err);
/* Starts the flusher and the keeper (retention, disk space). */
void wal_start(struct wal *wal);
/* Flushes and syncs whole transactions, cuts the rest, stops the threads. Idempotent. */
void wal_stop(struct wal *wal);
void wal_close(struct wal *wal); /* NULL accepted */
const char *wal_uuid(const struct wal *wal);
/* A log made new before its position was known: sets the source position in the first segment's header. Only
   while the log is empty. */
MUST_CHECK bool wal_set_start(struct wal *wal, const struct source_pos *start, struct err *err);

/* Copies the change (BEGIN … COMMIT in order; CHANGE_ABORT ends one that is cut; HEARTBEAT outside). Table definitions are
   written by the log itself, when change->table is new to the segment. Blocks while the buffer is full, up to the stop flag
   and wal_stop (then ERR_STOP). Capture thread only. On COMMIT sets *lsn (may be NULL) to the commit's LSN. */
MUST_CHECK bool wal_append(struct wal *wal, const struct change *change, uint64_t *lsn, struct err *err);
/* Capture has nothing more for now: write and sync what there is without waiting for a fuller block. */
void wal_flush(struct wal *wal);
/* Why capture must not go on now: disk space or size_max. "" when it may. Copies into text. */
bool wal_must_pause(struct wal *wal, char *text, size_t room);

struct wal_points { uint64_t first, written, durable; /* LSNs; first: oldest record kept */
                    uint64_t commit; /* LSN of the last COMMIT written: what a sink can reach (written may be a heartbeat) */
                    uint64_t transactions_written, transactions_durable; /* since the log was opened */ };
void wal_points(struct wal *wal, struct wal_points *points);
enum wal_point { WAL_WRITTEN, WAL_DURABLE };
/* Waits until the point is at or past lsn; false on timeout or stop. */
bool wal_wait(struct wal *wal, enum wal_point point, uint64_t lsn, uint32_t timeout_ms);
/* From now on each advance of the durable point adds 1 to that eventfd, which must not block; -1: no longer. */
void wal_notify(struct wal *wal, int fd);
/* Wakes every wait and reader of this wal (used at stop). */
void wal_wake(struct wal *wal);

struct wal_status {
    struct wal_points points;
    uint64_t bytes, segments, free_bytes;
    uint32_t oldest_timestamp, newest_timestamp; /* source's clock */
    char uuid[WAL_UUID_TEXT];
    char paused[256]; /* "" or why capture is held */
};
void wal_status(struct wal *wal, struct wal_status *status);

/* Retention: nothing at or above the lowest held LSN is deleted (unless retention_hard). Kept in a file in the
   directory, so that a sink taken out of the configuration still holds the log until wal_release. */
MUST_CHECK bool wal_hold(struct wal *wal, const char *name, uint64_t lsn, struct err *err);
MUST_CHECK bool wal_release(struct wal *wal, const char *name, struct err *err);
/* Whether `name` has a hold already, and which: a sink seen before. */
bool wal_held(struct wal *wal, const char *name, uint64_t *lsn);
/* The name of the index-th hold, in no order; false: there are not so many. */
bool wal_hold_at(struct wal *wal, size_t index, char *name, size_t room);
/* A hold at this LSN keeps nothing, but is remembered. */
#define WAL_HOLDS_NOTHING UINT64_MAX
enum { WAL_HOLD_NAME_MAX = 128 };
/* About how many bytes of the log a reader that has everything up to lsn still has before it. */
uint64_t wal_bytes_behind(struct wal *wal, uint64_t lsn);

/* XA transactions that were prepared and have no end yet. Their rows stay in the log, behind a BEGIN at `lsn`. */
struct wal_prepared { struct xid xid; uint64_t lsn; struct gtid gtid; uint32_t timestamp; uint64_t rows; };
/* The open one of that name. False: no such rows wait in this log. Any thread. */
bool wal_prepared_find(struct wal *wal, const struct xid *xid, struct wal_prepared *found);
/* Up to `room` of them, oldest first; returns how many there are. Any thread. */
size_t wal_prepared_list(struct wal *wal, struct wal_prepared *list, size_t room);
/* Nothing was ever appended. */
bool wal_blank(const struct wal *wal);
/* Position after the last commit appended. Capture thread only. */
const struct source_pos *wal_end(const struct wal *wal);

/* Reading. From a live log of this process (wal), or of a directory (a dead log, or one that another process
   writes). One thread per reader. */
enum wal_read { WAL_READ_CHANGE, WAL_READ_TIMEOUT, WAL_READ_STOPPED, WAL_READ_END, WAL_READ_FAILED };
/* Owned. Begins with the transaction whose BEGIN is at or after `lsn` (0: the oldest that is kept). ERR_GONE when that has been
   deleted. */
MUST_CHECK bool wal_reader_open(struct wal *wal, uint64_t lsn, struct wal_reader **reader, struct err *err);
MUST_CHECK bool wal_reader_open_dir(const char *dir, uint64_t lsn, struct wal_reader **reader, struct err *err);
/* Lends *change until the next call: BEGIN, its changes, COMMIT, one by one, and only of transactions whose commit is
   published (written); aborted ones are skipped; stand-alone HEARTBEATs too unless wal_reader_heartbeats was called. Tables lent
   live as long as the reader. WAL_READ_END: a directory's end (call again later: it may have grown). */
enum wal_read wal_reader_next(struct wal_reader *reader, uint32_t timeout_ms, struct change *change, struct err *err);
/* The rows of a prepared transaction are lent too, and its COMMIT with their number. Before the first wal_reader_next. */
void wal_reader_prepared(struct wal_reader *reader, bool wanted);
/* HEARTBEATs are lent too. Before the first wal_reader_next. */
void wal_reader_heartbeats(struct wal_reader *reader, bool wanted);
void wal_reader_close(struct wal_reader *reader);
/* The log bytes between this reader's place and the written point. */
uint64_t wal_reader_behind(struct wal_reader *reader);

/* Offline, for `wolfctl wal …`. `fn` returning false ends the walk. */
struct wal_segment_info { char name[64]; uint64_t first_lsn, last_lsn, bytes, raw_bytes, records, transactions;
                          uint32_t first_timestamp, last_timestamp; bool sealed; struct source_pos start; };
typedef bool wal_segment_fn(void *context, const struct wal_segment_info *info);
MUST_CHECK bool wal_list(const char *dir, wal_segment_fn *fn, void *context, struct err *err);
struct wal_info { char uuid[WAL_UUID_TEXT]; unsigned version; uint64_t segments, bytes, first_lsn, last_lsn, last_commit_lsn,
                  transactions, torn_bytes; uint32_t first_timestamp, last_timestamp; struct source_pos start, end; };
MUST_CHECK bool wal_info(const char *dir, struct wal_info *info, struct err *err);
/* Every block's checksum, every record's shape, continuity of LSNs and segments. First fault is err. */
MUST_CHECK bool wal_verify(const char *dir, void (*progress)(void *, uint64_t done, uint64_t total), void *context,
                           struct wal_info *info, struct err *err);
/* LSN of the BEGIN of the first transaction at or after what is asked (exactly one of the three set). ERR_GONE: before
   the oldest; found false: past the end. */
struct wal_find { const struct gtid *gtid; uint64_t time_us; const char *file; uint64_t offset; };
MUST_CHECK bool wal_find(const char *dir, const struct wal_find *what, uint64_t *lsn, bool *found, struct err *err);

#endif
