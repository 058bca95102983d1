/*
 * types.h: TABLE_MAP (19) into a table definition: MySQL's type numbers, their metadata, and the optional metadata of
 * binlog_row_metadata, in both flavours. Everything in the draft is borrowed from the event or lives in the arena.
 */
#ifndef WOLFCDC_TYPES_H
#define WOLFCDC_TYPES_H
#include "err.h"
#include "table.h"

/* What a TABLE_MAP says before its columns. */
struct types_head { uint16_t flags; struct slice database, name, columns; };
/* `body` is what follows table_id. ERR_CORRUPT. */
MUST_CHECK bool types_head(struct slice body, struct types_head *head, struct err *err);
/* The definition as far as the event tells it, with how the source lays out what it does not lay out as we do (column.layout). `named` says
   whether the names are there. ERR_CORRUPT for bytes that cannot be, ERR_UNSUPPORTED for what is refused by name: types, flags, metadata. */
MUST_CHECK bool types_draft(const struct types_head *head, bool mariadb, struct arena *arena, struct table *draft, struct err *err);
/* Completes what the event says with what the server's dictionary says: the event decides about the layout, the dictionary about
   names, signs, charsets, labels, keys. ERR_STOP, with both, when they do not fit each other. `known` may be changed. */
MUST_CHECK bool types_merge(const struct table *draft, struct table *known, struct err *err);
/* MariaDB's JSON is LONGTEXT utf8mb4_bin, with a check that stands in the dictionary alone: columns worth asking about. */
bool types_may_be_json(const struct column *column);
/* Whether the dictionary must still say how many digits of a second a column of MariaDB's old temporal types has. */
bool types_lacks_fraction(const struct column *column);
/* What only the finished definition shows: such a column left over, a character set that is unknown. ERR_UNSUPPORTED. */
MUST_CHECK bool types_check(const struct table *table, struct err *err);

#endif
