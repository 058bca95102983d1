/*
 * filter.h: which tables are wanted: patterns "database.table" with * and ?, include first, then exclude. Empty include: all.
 * `mysql`, `information_schema`, `performance_schema`, `sys` and `wolfcdc` are never captured.
 */
#ifndef WOLFCDC_FILTER_H
#define WOLFCDC_FILTER_H
#include "err.h"
#include "settings.h"
#include "slice.h"

struct filter;
/* Owned; copies the patterns. ERR_CONFIG names the pattern that has no dot or is too long. */
MUST_CHECK bool filter_new(const struct strings *include, const struct strings *exclude, struct filter **filter,
                           struct err *err);
void filter_free(struct filter *filter);
/* NULL filter: all but the system databases. */
bool filter_wants(const struct filter *filter, struct slice database, struct slice table);
/* One part of a pattern: `*` any bytes, `?` one; `fold`: letters of ASCII in any case. */
bool filter_matches(struct slice pattern, struct slice text, bool fold);

#endif
