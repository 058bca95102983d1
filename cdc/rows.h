/*
 * rows.h: rows events (23-25, 30-32, 39, 166-171) into row images, one at a time, borrowed from the event or, where the source's layout is
 * not ours (layout.h), from what it was turned into. Source: MariaDB
 * knowledge base "Rows_event_v1/v2", MySQL rows_event.h.
 */
#ifndef WOLFCDC_ROWS_H
#define WOLFCDC_ROWS_H
#include "change.h"
#include "event.h"
#include "layout.h"
#include "unpack.h"

enum { ROWS_STATEMENT_END = 0x01 };

struct rows_head {
    enum change_kind kind; /* INSERT, UPDATE or DELETE */
    bool compressed, partial;
    uint64_t table_id;
    uint16_t flags;
    struct slice rest;     /* from the column count on */
};

struct rows {
    const struct table *table;
    enum change_kind kind;
    uint8_t flags;           /* ROW_… */
    struct slice present[2]; /* of before, or the only one; of an UPDATE's after. Size 0: all columns */
    bool bare;               /* one INSERT without any column, so without any byte: MINIMAL, all defaults */
    bool partial;            /* PARTIAL_UPDATE_ROWS */
    uint32_t json_count;     /* of it: JSON columns of the table */
    struct layout *layout;
    struct err *err;         /* rows_next's, while it runs */
    struct cursor in;
};

MUST_CHECK bool rows_head(const struct event *event, const struct event_format *format, struct rows_head *head, struct err *err);
/* Checks column count and bitmaps; unpacks a compressed body (borrowed from *unpack). */
MUST_CHECK bool rows_open(const struct rows_head *head, const struct table *table, struct unpack *unpack, struct layout *layout,
                          struct rows *rows, struct err *err);
/* The next row into change->before and change->after, of a foreign table borrowed until the next call; false at the end, or when rows->in
   failed: then *err, which came in clear, says why where there is more to say than that the row does not fit its map. */
bool rows_next(struct rows *rows, struct change *change, struct err *err);

#endif
