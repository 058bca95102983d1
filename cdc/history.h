/*
 * history.h: the definitions of tables whose maps carry no names, as they were at the place where capture stands: asked of the server once, changed by
 * the DDL that comes by, or set by the operator. Kept as versioned records beside the log (`<wal.dir>.schema`, SQL text that is only appended to), so
 * that a restart after a DDL still knows what the tables were before it.
 *
 * A record has the LSN of the last commit before it; one whose own transaction is not in the log when the agent starts is left out: it comes again.
 * The capture thread asks and tells; any thread may look, set and refresh.
 */
#ifndef WOLFCDC_HISTORY_H
#define WOLFCDC_HISTORY_H
#include "ahead.h"
#include "definition.h"
#include "schema.h"

struct history;

/* Owned. last_lsn: of the log; 0: it is empty, and so is the history. ERR_STOP: the file cannot be read or written. */
MUST_CHECK bool history_open(const char *path, uint64_t last_lsn, struct history **history, struct err *err);
void history_close(struct history *history);
/* Where capture stands, for the records: the last commit. */
void history_at(struct history *history, uint64_t lsn, const struct source_pos *pos);
/* The source's names are the same without regard to case. */
void history_fold(struct history *history, bool folds);
/* The maps carry no names: from here on every CREATE TABLE counts. Without it from the first map without names on. */
void history_track(struct history *history);
/* A DDL statement of the transaction at hand; takes effect with its commit. Copied. */
void history_statement(struct history *history, const struct statement *statement, uint32_t version);
void history_abort(struct history *history);
bool history_is_pending(const struct history *history);
/* Before the commit enters the log: what its statements made of the definitions is on disk when this returns. */
MUST_CHECK bool history_commit(struct history *history, struct err *err);
/* As decoder_schema_fn. server NULL: there is none to ask; then a table that is not known stays without names. ahead: whether what it says can be believed. */
MUST_CHECK bool history_describe(struct history *history, struct schema *server, struct ahead *ahead, struct table *draft, struct arena *arena, struct err *err);
/* True once after a definition was set or refreshed: what was made of the old ones is to be forgotten. */
bool history_changed(struct history *history);

/* "db.table", or NULL for all. The function must not call back. */
typedef void history_show_fn(void *context, const struct definition *definition);
void history_show(struct history *history, const char *table, history_show_fn *fn, void *context);
/* The definition that `sql` gives of that table, used until a DDL changes it. ERR_CONFIG. */
MUST_CHECK bool history_set(struct history *history, const char *table, struct slice sql, struct err *err);
/* Forgets what is known of it, so that the server is asked again. Returns how many. */
size_t history_refresh(struct history *history, const char *table);

#endif
