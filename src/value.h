/*
 * value.h: what a value of the row format says: as a number, as the text that the server's SELECT prints (time
 * zone UTC). Pure functions; the bytes were checked by row_take.
 */
#ifndef WOLFCDC_VALUE_H
#define WOLFCDC_VALUE_H
#include "buf.h"
#include "table.h"

enum {
    VALUE_DECIMAL_DIGITS_MAX = 81, /* a column has at most 65; inside JSON MySQL counts whole groups of nine */
    VALUE_TEXT_MAX = 96            /* longest: such a DECIMAL with sign and point; NUL included */
};

/* INT YEAR BIT ENUM SET as a number; *negative tells whether the result, as int64_t, is below zero. YEAR gives
   0 or 1901 … 2155. */
uint64_t value_integer(const struct column *column, struct slice bytes, bool *negative);
double value_double(const struct column *column, struct slice bytes); /* FLOAT DOUBLE */
/* Every kind of fixed size: INT FLOAT DOUBLE DECIMAL YEAR DATE TIME DATETIME TIMESTAMP, as SELECT prints it
   (FLOAT/DOUBLE: the shortest text that reads back exactly), UUID INET4 INET6 too. Returns the length without
   the NUL that it writes. Not for BIT ENUM SET and the string kinds. */
size_t value_text(const struct column *column, struct slice bytes, char text[VALUE_TEXT_MAX]);
/* Packed decimal → text, on its own because JSON opaque values and USER_VARs carry it as well. */
size_t value_decimal_text(struct slice packed, unsigned precision, unsigned scale, char text[VALUE_TEXT_MAX]);
/* Bytes that a packed decimal takes. */
unsigned value_decimal_size(unsigned precision, unsigned scale);
/* BINARY UUID INET4 INET6: the value padded with zero bytes to max_bytes, appended to *out. */
void value_padded(const struct column *column, struct slice bytes, struct buf *out);
/* ENUM: its label (empty for 0). */
struct slice value_label(const struct column *column, uint64_t index);

#endif
