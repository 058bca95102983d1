/*
 * charset.h: a column's bytes as UTF-8. From collation id to character set (the ids of MariaDB and MySQL, which agree where
 * both have one), from there by iconv. The servers' latin1 is cp1252 with 81 8d 8f 90 9d as C1 controls.
 */
#ifndef WOLFCDC_CHARSET_H
#define WOLFCDC_CHARSET_H
#include "buf.h"

/* The server's name of the collation's character set ("utf8mb4", "binary"), NULL when the id is unknown. */
const char *charset_name(uint16_t collation);
unsigned charset_width(const char *name); /* bytes that a character of it may have; 1: also where it is unknown, or NULL */
bool charset_is_utf8(struct slice bytes); /* well-formed: no surrogates, nothing overlong, nothing past U+10FFFF */

struct charset_cache; /* the open converters of one thread */
struct charset_cache *charset_cache_new(void); /* owned */
void charset_cache_free(struct charset_cache *cache);
/* Appends the bytes as UTF-8. False, with *out as before, when they are not valid in the collation's character set or it is
   binary. An unknown one (id 0: no metadata) passes what is well-formed UTF-8. A buf that is full shows in out->full. */
bool charset_to_utf8(struct charset_cache *cache, uint16_t collation, struct slice bytes, struct buf *out);

#endif
