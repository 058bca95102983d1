/*
 * state.h: what is inside struct wal, for the files of this folder only.
 *
 * Three threads: capture fills a buffer of records and hands it over when it is full (or parks it when it has nothing
 * more to say); the flusher compresses, writes, publishes `written`, syncs, publishes `durable`; the keeper looks
 * after space, retention and holds. Without wal_start nothing runs beside the caller: it flushes itself, so that the crash
 * tests are replayable.
 */
#ifndef WOLFCDC_WAL_STATE_H
#define WOLFCDC_WAL_STATE_H
#include <pthread.h>
#include <stdatomic.h>

#include "prepared.h"
#include "record.h"
#include "segment.h"
#include "thread.h"

enum { HOLDS_MAX = 256, HOLD_NAME_MAX = WAL_HOLD_NAME_MAX };

/* Records on their way to the file: one block. */
struct buffer {
    struct buffer *next;
    struct buf raw;
    struct block head;          /* of the whole part: up to the last transaction end, or all of it when there is none */
    size_t whole_bytes;         /* behind the last transaction end; 0: none in it */
    uint32_t whole_records, whole_tables, records, tables;
    uint64_t publish, publish_commit; /* LSN of the last COMMIT or HEARTBEAT in it, of the last COMMIT; 0: none */
    struct wal_resume *starts;  /* not NULL: a segment begins with this block, and this is its resume point */
};

struct segment_entry {
    struct segment_name name;
    uint64_t bytes;             /* on disk */
    uint64_t created_us, ended_us; /* ended 0: open */
    uint32_t first_timestamp, last_timestamp;
};

struct hold { char name[HOLD_NAME_MAX]; uint64_t lsn; };

struct wal {
    /* fixed after wal_open */
    struct wal_options options;
    const struct file_system *files;
    char *dir;
    uint8_t uuid[UUID_BYTES];
    char uuid_text[WAL_UUID_TEXT];
    struct file lock_file;
    size_t block_bytes;

    /* owned by the capture thread */
    struct buffer *filling;
    uint64_t next_lsn, segment_first, begin_lsn; /* begin: of the open transaction */
    bool list_due;              /* the segment has no list of the prepared transactions yet */
    bool in_transaction;
    uint32_t begin_timestamp;
    const struct table *last_table;
    uint32_t last_table_id;
    struct defined { uint64_t id; uint32_t crc; } *defined; /* open-addressed; id + 1, 0: free */
    size_t defined_room, defined_used;
    struct wal_resume now;      /* after the last commit appended */
    uint64_t fill;              /* estimate of the open segment's size at the last hand-over */
    uint32_t segment_number;    /* segments begun since wal_open */

    /* shared, under lock */
    pthread_mutex_t lock;
    pthread_cond_t work, room, moved; /* for the flusher; for capture; for readers and waits */
    struct buffer *ready, **ready_end, *parked, *spare;
    size_t queued;              /* bytes of room in ready */
    bool started, stopping, stopped, failed, flusher_waits;
    unsigned watchers;          /* waiting on moved */
    bool notifies;              /* notify_fd is told of the durable point */
    int notify_fd;
    uint64_t wakes;
    struct wal_points points;
    uint64_t open_first, open_end; /* the open segment: first LSN, end of what is published */
    uint64_t open_at;           /* end of what is written */
    uint32_t open_number;
    struct segment_entry *segments;
    size_t segment_count, segment_room;
    uint64_t recycled[WAL_RECYCLE_MAX], recycle_next;
    size_t recycled_count;
    struct hold holds[HOLDS_MAX];
    size_t hold_count;
    bool holds_changed;
    struct prepared prepared;   /* changed by the capture thread alone */
    char paused[256];
    uint64_t free_bytes, total_bytes;

    /* owned by the flusher */
    struct segment open;
    struct place place, whole;  /* end of the file; end of the last block outside a transaction */
    uint64_t durable, marked, last_sync_us;
    struct buf out;

    pthread_t flusher, keeper;
    pthread_cond_t keep;        /* for the keeper, under lock */
    pthread_mutex_t holds_write;/* one writer of the holds file at a time */
};

/* writer.c */
struct buffer *wal_buffer_new(void);
void wal_buffers_free(struct wal *wal);
/* A write or sync failed: nothing is published any more, waits end, the process ends (file_system.fatal). */
void wal_die(struct wal *wal, const struct err *err);
bool wal_flush_ready(struct wal *wal, struct err *err); /* writes, publishes, syncs all that is handed over */
MUST_CHECK bool wal_mark(struct wal *wal, bool sync, struct err *err);

/* files.c: making and changing segment files */
/* A segment file with this header, durable, in the directory and open in wal->open. */
MUST_CHECK bool wal_segment_begin(struct wal *wal, struct segment_header *header, struct err *err);
/* Seals the open segment and begins the next at wal->place.lsn. */
MUST_CHECK bool wal_segment_switch(struct wal *wal, const struct wal_resume *resume, struct err *err);
MUST_CHECK bool wal_segment_drop_oldest(struct wal *wal, struct err *err);
void wal_entry_add(struct wal *wal, const struct segment_entry *entry);

/* prepared transactions, from what the log says (recovery.c) */
MUST_CHECK bool wal_prepared_load(struct wal *wal, struct err *err);

/* retention.c */
MUST_CHECK bool wal_holds_read(struct wal *wal, struct err *err);
MUST_CHECK bool wal_holds_write(struct wal *wal, struct err *err);
void wal_keep(struct wal *wal, uint64_t now_us); /* one round of the keeper */
void *wal_keeper_run(void *wal);
void wal_check_space(struct wal *wal);

#endif
