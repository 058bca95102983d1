/*
 * map.h: the table maps of the running statement, and every distinct one seen, so that an identical map, which comes again
 * with each statement, costs one comparison of its bytes.
 *
 * A map is known by its bytes after table_id: the id is only a link inside a statement and is used again for other
 * tables. Definitions live until maps_forget; they are made when the first row that is wanted needs them.
 */
#ifndef WOLFCDC_MAP_H
#define WOLFCDC_MAP_H
#include "decoder.h"
#include "types.h"

enum {
    MAPS_MAX = 1 << 16,        /* distinct definitions kept; more: all but the running statement's are forgotten */
    MAPS_OPEN_MAX = 4096,      /* tables of one statement */
    MAP_DUMMY_ID = 0xffffff    /* closes the statement's maps, has no rows */
};

struct map {
    struct slice raw;          /* owned copy of the bytes after table_id */
    uint32_t hash;
    bool wanted;               /* passes the filter */
    bool completed;            /* names came from the schema callback */
    struct table *table;       /* NULL until map_table */
    struct map *next;
};

struct maps_options {
    const struct filter *filter;
    decoder_schema_fn *schema;
    void *context;
};

struct maps;
struct maps *maps_new(const struct maps_options *options); /* owned */
void maps_free(struct maps *maps);
/* A TABLE_MAP of the running statement. */
MUST_CHECK bool maps_open(struct maps *maps, uint64_t id, struct slice raw, struct err *err);
/* The statement ended: its ids mean nothing any more. */
void maps_close(struct maps *maps);
/* The running statement's map of that id, or NULL. */
struct map *maps_find(const struct maps *maps, uint64_t id);
/* The definition, made on first use. Lives until maps_forget. */
MUST_CHECK bool maps_table(struct maps *maps, struct map *map, bool mariadb, const struct table **table, struct err *err);
/* Drops definitions that the server's dictionary completed (`all`: every one). Only between statements. */
void maps_forget(struct maps *maps, bool all);
uint32_t maps_count(const struct maps *maps);

#endif
