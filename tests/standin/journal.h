/*
 * journal.h: a node's own log of statement texts. An LSN is given when the flush comes to a statement, before its bytes reach the
 * disk; a flush every flush_ms writes and syncs what has gathered. Any thread.
 *
 * One file, data_dir/wal/wal_00000000000000000001.log, of records (little-endian): u64 lsn, u32 stored size, u32 database size
 * (0xFFFFFFFF: none), u32 text size, database, text, u32 CRC32 of all before it. Segments are only counted: an entry takes the
 * size that it has under LZ4, a segment with less than 8192 bytes left is turned, and an entry larger than what is left burns
 * its LSN and is lost, as on a real node.
 *
 * A torn end is left where it is: entries go on behind it, and nothing behind it is ever read again, before or after a restart.
 */
#ifndef STANDIN_JOURNAL_H
#define STANDIN_JOURNAL_H
#include "buf.h"
#include "err.h"

struct journal;
struct journal_entry { /* borrowed */
    uint64_t lsn;
    bool has_database;
    struct slice database, sql;
};
enum { JOURNAL_TEXT_MAX = 64 * 1024 * 1024 };

/* Heap. Reads what is there and starts the flush thread. */
MUST_CHECK bool journal_open(const char *dir, unsigned flush_ms, unsigned segment_mb, struct journal **out, struct err *err);
/* Takes a copy and returns at once. */
void journal_post(struct journal *journal, const struct journal_entry *entry);
/* Returns after the sync with the LSN; false when the segment had no room for it. */
MUST_CHECK bool journal_append(struct journal *journal, const struct journal_entry *entry, uint64_t *lsn);
uint64_t journal_lsn(struct journal *journal); /* the last one given */
/* Appends up to `most` records behind `after` to *out, as they are in the file, and leaves off where *out is full. */
void journal_read(struct journal *journal, uint64_t after, unsigned most, struct buf *out);
/* Takes the next record off *in; false at the end, or when it is none. */
bool journal_record(struct slice *in, struct journal_entry *entry);

/* Misbehaviour. */
void journal_restart(struct journal *journal, uint64_t lsn); /* forget all, and give lsn next */
void journal_segment_left(struct journal *journal, uint64_t bytes);
void journal_tear_next(struct journal *journal, bool tear); /* the end of the file is torn at the next start */

#endif
