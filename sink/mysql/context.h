/*
 * context.h: a captured statement's session as one SET statement for the target, and the sink's own session. Pure.
 */
#ifndef WOLFCDC_CONTEXT_H
#define WOLFCDC_CONTEXT_H
#include "change.h"

enum { COLLATION_NAMES = 4096, COLLATION_NAME_MAX = 64 };
/* The target's collations by number, and which variables it has. */
struct collations {
    char (*names)[COLLATION_NAME_MAX];    /* COLLATION_NAMES of them; "" unknown. NULL: none known */
    char (*charsets)[COLLATION_NAME_MAX];
    unsigned mysql;                       /* the target is MySQL: its version, 8.0 is 800; 0: MariaDB */
};

/* "SET sql_mode=…, …". False: a user variable cannot be said (unknown collation, impossible bytes). */
bool context_sql(const struct statement *statement, const struct collations *collations, struct buf *out);
/* Whether it sets system_versioning_insert_history, which is not a part of every target's own session and has to be put back. */
bool context_inserts_history(const struct statement *statement);
/* Whether the target leaves out what the source left out by its CHECK constraints, and nothing else: they were on there, or are off here, too. */
bool context_checked(const struct statement *statement, bool mysql);
/* The statement as of a session that has them off. */
struct statement context_unchecked(const struct statement *statement);
/* explicit_defaults_for_timestamp of the statement's session; `otherwise` where it does not say. */
bool context_stamps(const struct statement *statement, bool otherwise);
/* The session of row changes, whatever was set before: of MariaDB, and of either. */
extern const char context_own[];
void context_session(unsigned mysql, struct buf *out);
/* CREATE EVENT and ALTER EVENT so that the event does not run on the target: DISABLE ON SLAVE in place of ENABLE or DISABLE, or
   before COMMENT and DO. False: no place found. */
bool context_disable_event(struct slice text, struct buf *out);
/* A CREATE TABLE without the option START TRANSACTION, with which MySQL logs a CREATE TABLE … SELECT: its rows follow as rows. False: it has none. */
bool context_alone(struct slice text, struct buf *out);

#endif
