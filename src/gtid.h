/*
 * gtid.h: which transaction, and the set that says "I have everything up to here". Three kinds, never mixed in a set:
 *
 *   MariaDB   domain-server-sequence, 0-1-42. A set has one per replication domain; the server id is not compared (it changes at every
 *             failover), the sequence is. Source: binlog events 162 GTID and 163 GTID_LIST, @@gtid_slave_pos.
 *   MySQL     uuid:number or uuid:tag:number. A set is intervals, uuid:1-5:7:tag:1-3. Source: events 33, 35 and 42, @@gtid_executed.
 *   file      a MySQL server without GTIDs (gtid_mode is not ON): 000042:1234, the number of the binary log's file and where in it the
 *             transaction begins. A set has one, the place up to which everything is had. The file's name is in source_pos.
 *
 * The set is one struct without pointers, of 10 KiB: gtid_set_copy copies only what is used.
 */
#ifndef WOLFCDC_GTID_H
#define WOLFCDC_GTID_H
#include "buf.h"
#include "cursor.h"
#include "err.h"

enum gtid_kind { GTID_MARIADB, GTID_MYSQL, GTID_FILE, GTID_KINDS }; /* numbers are in the log */

enum {
    GTID_DOMAINS_MAX = 32, GTID_INTERVALS_MAX = 128,
    GTID_SET_BYTES_MAX = 3000, /* encoded, of MySQL's: it has to fit into a segment's header */
    GTID_UUID_BYTES = 16, GTID_TAG_MAX = 32,
    GTID_TEXT_MAX = 96, GTID_SET_TEXT_MAX = 112 * GTID_INTERVALS_MAX
};

struct gtid {
    uint32_t domain, server; /* MariaDB; file: server is its number */
    uint64_t seq;            /* 0: none. file: the offset. In a set of MySQL's: the interval's last */
    uint64_t first;          /* in a set of MySQL's: the interval's first; else of no meaning */
    enum gtid_kind kind;
    uint8_t uuid[GTID_UUID_BYTES]; /* MySQL */
    char tag[GTID_TAG_MAX + 1];    /* "": none */
};

struct gtid_set {
    uint32_t count; /* sorted by domain; by uuid, tag, first */
    struct gtid items[GTID_INTERVALS_MAX];
};

/* "0-1-42", "uuid:42", "uuid:tag:42", "000042:1234" */
MUST_CHECK bool gtid_parse(struct slice text, struct gtid *gtid, struct err *err);
void gtid_format(const struct gtid *gtid, char text[GTID_TEXT_MAX]);
/* The same transaction, its server included. */
bool gtid_equal(const struct gtid *a, const struct gtid *b);
/* As a position says it: of MariaDB without regard to the server. */
bool gtid_is(const struct gtid *seen, const struct gtid *wanted);
/* That one, or a later one of its order. MySQL's numbers are in the order of the binary log only by custom: that one alone. */
bool gtid_reaches(const struct gtid *seen, const struct gtid *wanted);
/* Both belong to one order, in which seq (file: file and offset) counts: domain, uuid and tag are the same. */
bool gtid_same_stream(const struct gtid *a, const struct gtid *b);

/* "0-1-42,5-2-9"; MySQL's in every form that the server takes: blanks, any case, tags between intervals. Errors name the wrong part. */
MUST_CHECK bool gtid_set_parse(struct slice text, struct gtid_set *set, struct err *err);
/* As the server prints its own, without line breaks. */
void gtid_set_format(const struct gtid_set *set, char text[GTID_SET_TEXT_MAX]);
void gtid_set_copy(struct gtid_set *to, const struct gtid_set *from);
/* Of an empty set: GTID_MARIADB. */
enum gtid_kind gtid_set_kind(const struct gtid_set *set);
/* MariaDB: the set's entry of that domain; seq 0 when there is none. */
struct gtid gtid_set_get(const struct gtid_set *set, uint32_t domain);
/* Whether the transaction is in it. MariaDB: at or before the entry of its domain. file: before the set's place. */
bool gtid_set_has(const struct gtid_set *set, const struct gtid *gtid);
/* MariaDB and file: replaces the entry; MySQL: adds the transaction. ERR_LIMIT at GTID_DOMAINS_MAX, GTID_INTERVALS_MAX or GTID_SET_BYTES_MAX;
   ERR_STOP for another kind than the set's. The set is then as it was. */
MUST_CHECK bool gtid_set_put(struct gtid_set *set, struct gtid gtid, struct err *err);
/* MySQL: adds first … seq of *interval. */
MUST_CHECK bool gtid_set_add(struct gtid_set *set, const struct gtid *interval, struct err *err);
/* MySQL: takes one transaction out. Errors as gtid_set_put. */
MUST_CHECK bool gtid_set_drop(struct gtid_set *set, const struct gtid *gtid, struct err *err);
/* MariaDB: takes the domain's entry out. */
void gtid_set_remove(struct gtid_set *set, uint32_t domain);
/* Every entry of `part` is in `whole`: MariaDB: at or before the same domain's. An empty part is in every set. */
bool gtid_set_contains(const struct gtid_set *whole, const struct gtid_set *part);
/* The entries of `a` that are not in `b`, for messages; MySQL's exactly, up to GTID_INTERVALS_MAX of them. */
void gtid_set_missing(const struct gtid_set *a, const struct gtid_set *b, struct gtid_set *missing);
bool gtid_set_equal(const struct gtid_set *a, const struct gtid_set *b);
/* In the log, see wal/format.h: the sets and GTIDs of MariaDB are as they were before there were other kinds. Errors stick to *in. */
void gtid_encode(const struct gtid *gtid, struct buf *out);
struct gtid gtid_decode(struct cursor *in);
void gtid_set_encode(const struct gtid_set *set, struct buf *out);
bool gtid_set_decode(struct cursor *in, struct gtid_set *set);

/* A place in the source: the set, with file and 64-bit offset beside it: for people and for SHOW commands; for the kind `file` they are the
   place itself. */
enum { SOURCE_FILE_MAX = 512 };
struct source_pos {
    struct gtid_set gtids;
    uint64_t offset;
    char file[SOURCE_FILE_MAX]; /* "" when unknown */
};
void source_pos_copy(struct source_pos *to, const struct source_pos *from);
void source_pos_encode(const struct source_pos *pos, struct buf *out);
bool source_pos_decode(struct cursor *in, struct source_pos *pos);
/* The number at the end of a binary log's file name, "mysql-bin.000042"; false where there is none. */
bool source_file_number(const char *file, uint32_t *number);
/* The name of the file with that number, beside the file named. */
void source_file_name(const char *beside, uint32_t number, char file[SOURCE_FILE_MAX]);

#endif
