/*
 * intent.h: private to sink/. What is noted on a server before a DDL statement runs there, so that one can tell after a crash whether it did:
 * intent.c, and who runs DDL there by another way.
 */
#ifndef WOLFCDC_INTENT_H
#define WOLFCDC_INTENT_H
#include "change.h"
#include "db.h"

/* Of the definitions of what the statement names; with `ids` also of the server's own ids of them, which a TRUNCATE changes and which no two
   servers share. */
MUST_CHECK bool intent_hash(struct db *db, const struct statement *statement, bool ids, uint64_t *hash, struct err *err);
/* Likewise of one table, with its ids where the account has PROCESS: another number once it was altered, renamed, truncated or made anew. */
MUST_CHECK bool intent_hash_table(struct db *db, struct slice database, struct slice table, uint64_t *hash, struct err *err);
/* wolfcdc.position and wolfcdc.intent, where one of them is missing (position.c). */
MUST_CHECK bool position_tables_create(struct db *db, struct err *err);
/* Takes the lock by name that each session of this sink has on its server, if nobody else has it. */
MUST_CHECK bool intent_lock(struct db *db, const char *uuid, const char *sink, bool *locked, struct err *err);
/* The row of wolfcdc.intent, as a statement in place of what *out held. */
void intent_sql(const char *uuid, const char *sink, uint64_t lsn, uint64_t hash, struct slice text, struct buf *out);

#endif
