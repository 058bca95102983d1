/*
 * segment.h: segment files: names, headers, walking from block to block, and what stands in a log's directory (format.h).
 * One thread per struct segment.
 */
#ifndef WOLFCDC_WAL_SEGMENT_H
#define WOLFCDC_WAL_SEGMENT_H
#include "block.h"
#include "file.h"
#include "wal.h"

enum { SEGMENT_NAME_MAX = 64, UUID_BYTES = 16 };

struct segment_name {
    uint64_t first, last; /* last: 0 while open */
    bool sealed;
};
void segment_name_format(const struct segment_name *name, char text[SEGMENT_NAME_MAX]);
bool segment_name_parse(const char *text, struct segment_name *name);
/* dir/file into path; paths were checked to fit when the log was opened. */
void segment_path(const char *dir, const char *file, char path[FILE_PATH_MAX]);

struct segment_header {
    uint32_t version;         /* of the file; written is always WAL_VERSION */
    uint8_t uuid[UUID_BYTES];
    uint64_t first_lsn;
    uint64_t before_last; /* last LSN of the segment before */
    uint32_t before_crc;  /* header CRC of its seal */
    uint64_t created_us;
    struct wal_resume resume; /* at its start; last_lsn 0: no commit before it */
    uint32_t seed;
};
void segment_header_encode(struct segment_header *header, uint8_t out[SEGMENT_HEADER]); /* sets seed */
MUST_CHECK bool segment_header_decode(const uint8_t in[SEGMENT_HEADER], const char *path, struct segment_header *header,
                                      struct err *err);
void uuid_format(const uint8_t uuid[UUID_BYTES], char text[WAL_UUID_TEXT]);

struct segment {
    struct segment_name name;
    struct file file;
    struct segment_header header;
    uint64_t size; /* of the file, when opened */
};
/* Opens for reading (how 0) or writing and checks the header against the name. */
MUST_CHECK bool segment_open(struct segment *segment, const struct file_system *files, const char *dir,
                             const struct segment_name *name, unsigned how, struct err *err);
void segment_close(struct segment *segment);

/* Between two blocks. */
struct place {
    uint64_t at;     /* offset in the file */
    uint64_t lsn;    /* of the next record */
    uint32_t before; /* header CRC of the block before */
};
struct place segment_start(const struct segment *segment);
struct place place_after(const struct place *place, const struct block *block);

enum walk { WALK_BLOCK, WALK_NONE, WALK_FAILED };
/* The header of the block at that place; WALK_NONE: no block that continues there. */
enum walk segment_block(struct segment *segment, const struct place *place, struct block *block, struct err *err);
/* Its raw bytes, borrowed from the two buffers. WALK_NONE: they do not check. */
enum walk segment_data(struct segment *segment, const struct place *place, const struct block *block, struct buf *stored,
                       struct buf *raw, struct slice *bytes, struct err *err);
/* True when something behind `place` proves that what should stand there had been durable (format.h, torn and
   damaged); or when reading fails, with err. */
bool segment_is_damaged(struct segment *segment, const struct place *place, struct err *err);
/* Sets ERR_CORRUPT with file, offset and the way on. Returns false. */
bool segment_corrupt(const struct segment *segment, uint64_t at, struct err *err, const char *what);

/* The directory. */
struct wal_dir {
    struct segment_name *items; /* by first LSN */
    size_t count;
    uint64_t recycled[16];      /* numbers of recycle files */
    size_t recycled_count;
};
/* Lists it; foreign names are refused. Owned: wal_dir_fini. */
MUST_CHECK bool wal_dir_list(struct wal_dir *list, const struct file_system *files, const char *dir, struct err *err);
void wal_dir_fini(struct wal_dir *list);
/* Each segment is the exact continuation of the one before, and only the last is open. */
MUST_CHECK bool wal_dir_check(const struct wal_dir *list, const char *dir, struct err *err);
/* The segment that holds lsn, or is the one where it will be; NULL: before the first or none at all. */
const struct segment_name *wal_dir_at(const struct wal_dir *list, uint64_t lsn);

/* A whole segment read through: what recovery, info and verify need. */
struct scan {
    struct place end;        /* behind the last block that ends outside a transaction */
    bool sealed;             /* it is a seal */
    struct wal_resume resume;/* after it */
    uint64_t published;      /* LSN of the last COMMIT or HEARTBEAT; 0: none in this segment */
    uint64_t commits, records, raw_bytes, valid_end; /* valid_end: behind the last block that checks, whole or not */
    uint64_t last_wall_us;
    uint32_t first_timestamp, last_timestamp;
};
/* Checks every block's data, unless headers_only. Sealed segments must end with their seal. */
MUST_CHECK bool segment_scan(struct segment *segment, bool headers_only, struct scan *scan, struct err *err);

#endif
