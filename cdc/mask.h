/*
 * mask.h: columns that must not leave the source as they are: [filter] mask_hash, mask_fixed, mask_null, exclude_columns. Done before a row is
 * summed or enters the log, so the log never holds such a value. One thread.
 *
 *   hash     text: lower-case hex digits of HMAC-SHA256(key, bytes), as many as fit, 64 at most; bytes: the same as bytes; integers: a keyed
 *            permutation (Feistel, ten rounds of HMAC-SHA256) of all numbers of that width. Equal values of one type stay equal, different
 *            ones different, so keys stay keys. HMAC and not a fast hash: telephone numbers can be tried out one by one, and only the key
 *            stands against that.
 *   fixed    one value for all; NULL stays NULL
 *   null     NULL
 *   exclude  the column is absent from every image, as if the source had logged it so: the target's default, or what it has already
 *
 * Only hash may concern a primary key: any other would make rows one. What cannot be done stops capture, named. Statements that change
 * rows as text are refused while anything is masked.
 */
#ifndef WOLFCDC_MASK_H
#define WOLFCDC_MASK_H
#include "change.h"
#include "db.h"
#include "settings.h"

struct mask;
/* Owned; *mask is NULL when nothing is to be masked. Reads the key. */
MUST_CHECK bool mask_new(const struct filter_settings *settings, struct mask **mask, struct err *err);
void mask_free(struct mask *mask);
/* No column of a unique key of the source is masked but by hash. Reads the source's dictionary. */
MUST_CHECK bool mask_check(const struct mask *mask, struct db *db, struct err *err);
/* Whether the table has masked columns; then the change's images are replaced, borrowed until the next call. */
MUST_CHECK bool mask_change(struct mask *mask, struct change *change, bool *masked, struct err *err);
/* Part of the filter's print: two logs under different masks are not comparable. */
uint32_t mask_print(const struct mask *mask);

#endif
