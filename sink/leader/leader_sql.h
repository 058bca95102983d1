/*
 * leader_sql.h: a net change as a statement that every node of a WolfScale cluster executes alike, and that may be executed twice. Pure.
 *
 * The text is UTF-8, every name has its database, nothing depends on the session: what does stands in a comment that the proxy skips and MariaDB
 * executes (SET STATEMENT … FOR). There is no backslash and no double quote in any literal: under NO_BACKSLASH_ESCAPES, which the comment
 * sets, the server reads them in one way, and a follower that looks for the statement's end in another.
 *
 *   rows there afterwards     INSERT … VALUES (…), (…) ON DUPLICATE KEY UPDATE …
 *   some columns of a row     UPDATE … SET … WHERE key
 *   rows gone afterwards      DELETE … WHERE key IN (…)
 */
#ifndef WOLFCDC_LEADER_SQL_H
#define WOLFCDC_LEADER_SQL_H
#include "plan.h"

enum { LEADER_SQL_BYTES = 8000, LEADER_SQL_MAX = 64 << 20 };

/* The parts of a table's statements that are the same for each. */
struct leader_sql { struct slice name, head, tail, sum; };
/* In the plan's arena. False: a name that cannot be said (a backslash in it). */
bool leader_sql_init(struct leader_sql *sql, struct plan *plan);
/* Whether rows of it can be named by a key. */
bool leader_sql_fits(const struct plan *plan);
void leader_sql_context(uint8_t row_flags, bool lenient, struct buf *out);
/* A value as it is stored; compared: as it is looked for. */
void leader_sql_value(const struct plan *plan, uint32_t column, const struct value *value, bool compared, struct buf *out);
/* A row's key: `k`: a value, or "(a=1 AND b=2)" when there are several columns. */
void leader_sql_key(const struct plan *plan, const struct value *values, struct buf *out);
/* "SELECT COUNT(*), sum … WHERE key IN (keys)" */
void leader_sql_sum(const struct plan *plan, const struct leader_sql *sql, struct slice keys, struct buf *out);
const char *leader_sql_joint(const struct plan *plan); /* what stands between two keys */

/* One change as a statement for one node, which it must be said to once, in the source's order: also of a table without a key. */
void leader_sql_direct(const struct plan *plan, const struct leader_sql *parts, enum change_kind kind, uint8_t flags, bool lenient,
                       const struct value *before, const struct value *after, struct buf *out);

/* A statement that grows row by row. */
struct leader_writer {
    struct buf sql, keys;
    uint32_t rows, present;
    const struct plan *plan;
    const struct leader_sql *parts;
    bool removes, lenient, whole; /* whole: takes no further row */
    uint8_t flags;
};
void leader_writer_init(struct leader_writer *w);
void leader_writer_fini(struct leader_writer *w);
void leader_writer_begin(struct leader_writer *w, const struct plan *plan, const struct leader_sql *parts, bool removes, uint8_t flags, bool lenient);
/* False: the statement is full without it (the row is not taken; never so for the first row). */
bool leader_writer_row(struct leader_writer *w, const struct value *values);
/* The statement is whole: sql and keys. */
void leader_writer_end(struct leader_writer *w);
/* One UPDATE of the columns that `after` has, addressed by `before`. */
void leader_writer_update(struct leader_writer *w, const struct plan *plan, const struct leader_sql *parts, uint8_t flags, bool lenient,
                          const struct value *before, const struct value *after);

#endif
