/*
 * gtid.h: MariaDB's global transaction ids and the set that says "I have everything up to here".
 * Source: MariaDB binlog events 162 GTID and 163 GTID_LIST, @@gtid_slave_pos. A position is one GTID per
 * replication domain; the server id is not compared (it changes at every failover), the sequence is.
 */
#ifndef WOLFCDC_GTID_H
#define WOLFCDC_GTID_H
#include "buf.h"
#include "cursor.h"
#include "err.h"

enum { GTID_DOMAINS_MAX = 32, GTID_TEXT_MAX = 44, GTID_SET_TEXT_MAX = GTID_TEXT_MAX * GTID_DOMAINS_MAX };

struct gtid {
    uint32_t domain, server;
    uint64_t seq; /* 0: none */
};

struct gtid_set {
    uint32_t count; /* sorted by domain */
    struct gtid items[GTID_DOMAINS_MAX];
};

MUST_CHECK bool gtid_parse(struct slice text, struct gtid *gtid, struct err *err); /* "0-1-42" */
void gtid_format(const struct gtid *gtid, char text[GTID_TEXT_MAX]);
MUST_CHECK bool gtid_set_parse(struct slice text, struct gtid_set *set, struct err *err); /* "0-1-42,5-2-9" */
void gtid_set_format(const struct gtid_set *set, char text[GTID_SET_TEXT_MAX]);
/* The set's entry of that domain; seq 0 when there is none. */
struct gtid gtid_set_get(const struct gtid_set *set, uint32_t domain);
/* Replaces the domain's entry. False when GTID_DOMAINS_MAX is reached. */
MUST_CHECK bool gtid_set_put(struct gtid_set *set, struct gtid gtid, struct err *err);
void gtid_set_remove(struct gtid_set *set, uint32_t domain);
/* Every entry of `part` is at or before the same domain's entry of `whole`. */
bool gtid_set_contains(const struct gtid_set *whole, const struct gtid_set *part);
bool gtid_set_equal(const struct gtid_set *a, const struct gtid_set *b);
void gtid_set_encode(const struct gtid_set *set, struct buf *out);
bool gtid_set_decode(struct cursor *in, struct gtid_set *set); /* errors stick to *in */

/* A place in the source: the set, with file and 64-bit offset beside it for people and for SHOW commands. */
enum { SOURCE_FILE_MAX = 512 };
struct source_pos {
    struct gtid_set gtids;
    uint64_t offset;
    char file[SOURCE_FILE_MAX]; /* "" when unknown */
};
void source_pos_encode(const struct source_pos *pos, struct buf *out);
bool source_pos_decode(struct cursor *in, struct source_pos *pos);

#endif
