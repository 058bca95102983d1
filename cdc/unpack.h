/*
 * unpack.h: the compressed part of MariaDB's events 165 to 171: u1 0x80 | algorithm << 4 | n, n bytes big-endian of
 * original length, a zlib stream; and values of its COMPRESSED columns: nothing for the empty one, u1 0 before a plain one, or
 * u1 0x80 | 8 for a stream without zlib's head | n, and the rest as above. Bounded: the length is believed only as far as deflate can reach.
 */
#ifndef WOLFCDC_UNPACK_H
#define WOLFCDC_UNPACK_H
#include "buf.h"
#include "err.h"

enum { UNPACK_MAX = 1 << 30 }; /* an event of the server is at most 1 GiB */

struct unpack;
struct unpack *unpack_new(void); /* owned */
void unpack_free(struct unpack *unpack);
/* The original bytes: borrowed, until the next call. ERR_CORRUPT, ERR_LIMIT. */
MUST_CHECK bool unpack_bytes(struct unpack *unpack, struct slice packed, struct slice *plain, struct err *err);
/* The same of a COMPRESSED column's value. */
MUST_CHECK bool unpack_column(struct unpack *unpack, struct slice packed, struct slice *plain, struct err *err);

#endif
