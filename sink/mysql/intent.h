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
/* The row of wolfcdc.intent, as a statement in place of what *out held. */
void intent_sql(const char *uuid, const char *sink, uint64_t lsn, uint64_t hash, struct slice text, struct buf *out);

#endif
