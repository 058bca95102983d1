/*
 * grants.h: what the lines of SHOW GRANTS allow. Pure; the lines hold password hashes and are never printed.
 */
#ifndef WOLFCDC_GRANTS_H
#define WOLFCDC_GRANTS_H
#include <stdbool.h>
#include <stddef.h>

/* Whether one of the lines gives one of the privileges ("SUPER|BINLOG MONITOR", upper case; ALL PRIVILEGES counts for each) on
   *.* or, with database not NULL, on the whole of that database. Database patterns count when they are equal to it or "%". */
bool grants_have(const char *const *lines, size_t count, const char *privileges, const char *database);
/* Whether one of the lines gives one of them on the whole of some database other than `but`. */
bool grants_have_somewhere(const char *const *lines, size_t count, const char *privileges, const char *but);

#endif
