/*
 * format.h: the log on disk, byte by byte, version 2. Also in man 5 wolfcdc-wal. All integers are little-endian; a
 * varint is LEB128; "bytes" is a varint length and that many bytes. CRC is CRC32C (Castagnoli).
 *
 * DIRECTORY (0700), files 0600
 *   wal-<first>-<last>.seg   sealed segment, LSNs as 16 hex digits each
 *   wal-<first>.open         the segment being written; never taken for a sealed one
 *   recycle-<n>.tmp          a deleted segment's file, written over by a later one; its content means nothing
 *   lock                     flock'ed by the writer · holds, holds.tmp: LSNs that sinks still need
 *
 * SEGMENT: one header of 4096 bytes, then blocks one behind the other. A transaction never spans two segments, so a segment
 * may outgrow its nominal size. A sealed one ends with a SEAL block; what is behind that is left over from
 * preallocation or from the file's former life.
 *
 *   0    8  "wolfwal\n"
 *   8    4  version, 2; of version 1 are logs in which every GTID and set is MariaDB's, and read as they are
 *   12   4  size of the header, 4096
 *   16  16  UUID of the log
 *   32   8  first LSN
 *   40   8  last LSN of the segment before it; 0: this is the log's first
 *   48   4  header CRC of that segment's last block (its seal)
 *   52   8  wall clock of creation, microseconds since 1970
 *   60   .  resume: varint LSN of the last commit before this segment (0: none), then GTID and previous GTID of it, u4 CRC of the transaction, u4 source time, and the source position
 *           that the segment starts from (GTID set, varint offset, bytes file); zeros
 *   4092 4  CRC of the 4092 bytes before it: the segment's *seed*
 *
 * GTID: MariaDB: varints domain, server, sequence. Else a varint of 2^32 x kind in the place of the domain: kind 1, MySQL: 16 bytes UUID, bytes
 *   tag, varint number; kind 2, a place in a file: varints number of the file, offset.
 * GTID SET: varint count + 4096 x kind. Kind 0, MariaDB: as many GTIDs. Kind 1, MySQL, until as many intervals: 16 bytes UUID, bytes tag, varint
 *   intervals of it; each varints first (less the last of the one before it), last less first. Kind 2: varints number of the file, offset.
 *
 * BLOCK: header of 72 bytes, then the stored data.
 *
 *   0    4  "wBk1"
 *   4    2  flags: 1 begins inside a transaction · 2 ends inside it · 4 has an ABORT · 8 has TABLE records · 16 seal · 32 mark ·
 *         64 has PREPARED, COMPLETED or OPEN_XA records
 *   6    1  compression of the data: 0 none, 1 LZ4 block
 *   7    1  kind of the first transaction end in the block: 0 none, 7 COMMIT or COMPLETED, 8 ABORT, 12 PREPARED
 *   8    8  LSN of the first record
 *   16   4  records
 *   20   4  commits among them
 *   24   4  raw size of the data
 *   28   4  stored size of the data
 *   32   8  what was durable when the block was written: everything up to this LSN is on disk for certain
 *   40   4  source time of the first COMMIT in the block, seconds; 0: it has none
 *   44   4  and of the last
 *   48   8  wall clock of writing, microseconds since 1970
 *   56   4  header CRC of the block before; the first block of a segment has the seed here
 *   60   4  CRC of the stored data
 *   64   4  reserved, 0
 *   68   4  CRC of these 68 bytes, started with the segment's seed
 *
 * The seed holds UUID, first LSN and creation time, so neither zeros nor a block of the file's former life pass; the
 * chain of header CRCs keeps a block that survived a torn write from passing behind other blocks than it was written behind.
 * A block ends inside a transaction only if no transaction ends in it. So the log can always be cut between two blocks.
 * A seal is a block without records that ends a sealed segment; a mark is one that only says what is durable.
 *
 * What is torn and what is damaged: the valid blocks of the open segment end at the first that does not check. If a valid
 * header behind it says that the LSN expected here was durable, bytes were damaged after they were safe: the log is
 * refused. Else it is what a crash leaves of unsynced writes, and is cut off.
 *
 * RECORD (in the raw data): varint size, then size bytes: u1 kind, body. Its LSN is the block's first + its index.
 *
 *    1 TABLE      varint id, definition as table_encode writes it. Holds for the rows behind it in the segment, until the
 *                 id is defined anew.
 *    2 BEGIN      u1 flags (1: one DDL statement), u4 source time, u4 server id, GTID, bytes file, varint offset
 *    3 INSERT 4 UPDATE 5 DELETE
 *                 u1 flags (1: the first image has a presence bitmap · 2: the second has · 4: row flags follow ·
 *                 8: a source time follows, else BEGIN's), [u1 row flags], [u4 source time], varint table id;
 *                 UPDATE: varint size of the first image; then per image [bitmap of ⌈columns/8⌉ bytes], the image
 *                 as table.h has it. UPDATE's first is the row before, its second the row after.
 *    6 STATEMENT  u1 kind, u1 flags (1: commits by itself), u4 source time, u4 session's timestamp, then varints:
 *                 microseconds, thread, error, context, flags2, sql_mode, charset_client, collation_connection,
 *                 collation_server, charset_database, lc_time_names, auto_increment_increment, _offset, insert_id,
 *                 last_insert_id, rand_seed1, rand_seed2; then bytes: time_zone, user_vars, collations, database, text,
 *                 tables, flavour
 *    7 COMMIT     u4 source time, u4 server id, GTID, previous GTID, u4 CRC, varint rows, u8 wall clock of receipt, source
 *                 position
 *    8 ABORT      nothing
 *    9, 10        reserved
 *   11 HEARTBEAT  u4 source time, source position
 *   12 PREPARED   as COMMIT, then bytes xid, varint LSN of its BEGIN: ends a prepared XA transaction, whose rows wait. Counts as a commit
 *   13 COMPLETED  as COMMIT, then bytes xid, u1 2 committed or 3 rolled back: a commit that also ends that XA transaction
 *   14 OPEN_XA    varint count; each: bytes xid, varint LSN of BEGIN, GTID, u4 source time, varint rows: the prepared ones that are
 *                 open where the segment begins. Outside of transactions, before the segment's first BEGIN or HEARTBEAT
 */
#ifndef WOLFCDC_WAL_FORMAT_H
#define WOLFCDC_WAL_FORMAT_H
#include <stdint.h>

enum {
    WAL_VERSION = 2, WAL_VERSION_MIN = 1,
    SEGMENT_HEADER = 4096,
    BLOCK_HEADER = 72,
    BLOCK_TARGET = 240 << 10,          /* raw bytes at which a block is full: its buffer then stays at 256 KiB */
    BLOCK_COMPRESS_MIN = 160,          /* smaller ones are stored as they are */
    BLOCK_COMPRESS_MAX = 64 << 20,     /* larger ones too: one huge row should not take its size twice */
    RECORD_MAX = 1280 << 20,           /* a row image pair or statement; max_allowed_packet ends at 1 GiB */
    BLOCK_RAW_MAX = RECORD_MAX + (64 << 20),
    WAL_QUEUE_BYTES = 8 << 20,         /* raw bytes that wait for the flusher */
    WAL_RECYCLE_MAX = 2                /* files kept for reuse */
};

enum { BLOCK_INSIDE = 1, BLOCK_OPEN = 2, BLOCK_ABORTS = 4, BLOCK_TABLES = 8, BLOCK_SEAL = 16, BLOCK_MARK = 32, BLOCK_XA = 64 };

#endif
