/*
 * bind.h: values of the row format as parameters of a prepared statement, in the client protocol's binary form
 * (COM_STMT_EXECUTE, COM_STMT_BULK_EXECUTE). Numbers and times go as numbers and times, DECIMAL as text, text and bytes
 * unconverted: the session says SET NAMES binary, so the server takes them as the column's own. Pure.
 */
#ifndef WOLFCDC_BIND_H
#define WOLFCDC_BIND_H
#include "buf.h"
#include "table.h"

enum { BIND_UNSIGNED = 0x8000 }; /* in the u2 type */
enum bind_indicator { BIND_VALUE, BIND_NULL, BIND_DEFAULT }; /* bulk: before each value */

typedef void bind_fn(const struct column *column, struct slice bytes, struct buf *out);
struct bind {
    uint16_t type;
    bind_fn *append; /* the value without indicator */
};
/* `is_unsigned`: what the target says, for a source column whose sign no metadata told. */
struct bind bind_of(const struct column *column, bool is_unsigned);

#endif
