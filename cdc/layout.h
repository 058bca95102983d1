/*
 * layout.h: rows whose source lays some values out in its own way, turned into THE ROW FORMAT (table.h): MySQL's binary JSON and the
 * diffs of it, MariaDB's compressed columns, the temporal types from before MySQL 5.6. Which columns are such, types.c says
 * (column.layout); a table with one is `foreign`, and each of its images is made anew here. All others pass by.
 *
 * The old temporal types, u = 10^-fsp s (fsp > 0 is MariaDB's alone, big-endian, and in no metadata: the dictionary's):
 *   TIMESTAMP  u4 LE seconds        · fsp: u4 BE seconds, then 1 1 2 2 3 3 bytes of u
 *   DATETIME   u8 LE yyyymmddhhmmss · fsp: 6 6 7 7 7 8 bytes of ((((((year·13 + month)·32 + day)·24 + h)·60 + m)·60 + s) in u
 *   TIME       3 bytes LE ±hhmmss   · fsp: 4 4 5 5 5 6 bytes of (838:59:59 + 1 s + the time) in u
 */
#ifndef WOLFCDC_LAYOUT_H
#define WOLFCDC_LAYOUT_H
#include "err.h"
#include "row.h"

enum { LAYOUT_IMAGE_MAX = 1 << 30, LAYOUT_FSP_UNKNOWN = 255 /* column.scale, until the dictionary says it */ };

struct layout;
struct layout *layout_new(void); /* owned */
void layout_free(struct layout *layout);
/* Moves *in past one image of a foreign table, in the source's layout; the image in ours, borrowed until the next call with the same
   `which` (0 before, 1 after). *in fails, and *err says why where there is more to say, for what cannot be right. */
struct slice layout_take(struct layout *layout, const struct table *table, struct slice present, int which, struct cursor *in,
                         struct err *err);
/* Of the next image: JSON column n (counted among all JSON columns of the table) has diffs where bit n, LSB first, is set. They apply to the
   image that `which` 0 took last. Size 0: whole documents. */
void layout_diffs(struct layout *layout, struct slice bits);

#endif
