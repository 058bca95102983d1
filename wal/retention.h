/* retention.h: what of the log may be deleted: a pure decision. */
#ifndef WOLFCDC_WAL_RETENTION_H
#define WOLFCDC_WAL_RETENTION_H
#include <stddef.h>
#include <stdint.h>

struct wal_need { const char *name; uint64_t lsn; }; /* everything from lsn on is still needed */
struct wal_age { uint64_t first, last, bytes, ended_us; }; /* a sealed segment */
struct wal_limits {
    uint64_t now_us, retention_us, rewind_us;
    uint64_t size_max, hard;          /* bytes; 0: off */
    const struct wal_age *segments;   /* sealed ones, oldest first */
    size_t segment_count;
    uint64_t open_bytes, open_first;  /* the open segment, which always stays */
};
/* The LSN from which the log is kept: the first of a segment. Older than both times and needed by nobody: goes. Above
   size_max what nobody needs goes before its retention time, but not before its rewind time. Above hard the oldest
   goes, whoever needs it. */
uint64_t wal_retain_from(const struct wal_need *needs, size_t count, const struct wal_limits *limits);

#endif
