/*
 * row.h: walking row images (table.h, THE ROW FORMAT).
 */
#ifndef WOLFCDC_ROW_H
#define WOLFCDC_ROW_H
#include "err.h"
#include "table.h"

/* One image. Borrowed. */
struct row {
    struct slice present; /* ⌈column_count/8⌉ bytes, LSB first; size 0: every column is present */
    struct slice image;   /* null bitmap and values */
};

/* A value of a column. `bytes` is the value without its length prefix, exactly as in the image. */
enum value_state { VALUE_ABSENT, VALUE_NULL, VALUE_PRESENT };
struct value {
    enum value_state state;
    struct slice bytes;
};

/* Moves *in past one image and returns it. Bounded: a length that leaves *in, a decimal group above 999999999,
   an impossible date, an ENUM index beyond its labels make *in fail. `present` may be empty (all). */
struct slice row_take(const struct table *table, struct slice present, struct cursor *in);
/* Moves *in past one value of that column; *bytes: without its length prefix. As row_take, for who walks an image himself. */
bool row_value_take(const struct table *table, uint32_t column, struct cursor *in, struct slice *bytes);
/* Fills values[0 … column_count-1]. False when the image does not fit the table. */
MUST_CHECK bool row_values(const struct table *table, const struct row *row, struct value *values);
static inline bool row_has(const struct row *row, uint32_t column)
{
    return row->present.size == 0 || (row->present.data[column >> 3] >> (column & 7) & 1);
}
/* Number of present columns. */
uint32_t row_present_count(const struct table *table, struct slice present);

#endif
