/*
 * schema.h: table definitions from the source's information_schema, for maps that carry no (or not all) metadata. A connection
 * of its own, opened when the first definition is asked for. The capture thread's. Nothing is cached here: the decoder asks
 * once per distinct map, and again after a DDL.
 *
 * The server tells what a table is now, the event what it was then. So every column is checked against the event's map;
 * where they differ, capture stops and shows both, as names put on the wrong columns would be worse than a stop.
 */
#ifndef WOLFCDC_SCHEMA_H
#define WOLFCDC_SCHEMA_H
#include "db.h"
#include "table.h"

struct schema;

/* Owned. options and its texts outlive it. Connects later. */
struct schema *schema_new(const struct db_options *options);
void schema_free(struct schema *schema);
void schema_interrupt(struct schema *schema); /* any thread, between new and free */
/* As decoder_schema_fn: fills in names, signs, charsets, labels, kinds and the primary key of *draft. */
MUST_CHECK bool schema_describe(struct schema *schema, struct table *draft, struct arena *arena, struct err *err);

/* One column as information_schema.COLUMNS has it. Borrowed. For schema_apply, which is pure. */
struct schema_column {
    const char *name, *data_type, *column_type; /* "int", "int(10) unsigned" */
    bool nullable;
    unsigned collation;      /* id; 0: no collation */
    uint64_t octets;         /* CHARACTER_OCTET_LENGTH; 0: none */
};
/* Puts one definition on one column of the map. False: they cannot be the same column; *reason says why (static). */
MUST_CHECK bool schema_apply(const struct schema_column *from, struct column *to, struct arena *arena, const char **reason);

#endif
