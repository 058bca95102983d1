/*
 * temporary.h: the temporary tables that a source's log tells of: those of sessions whose binlog_format is MIXED or STATEMENT. A statement
 * that touches one carries the flag THREAD_SPECIFIC, but so does all DDL of a stored procedure behind a DROP, and each CREATE OR REPLACE
 * (MariaDB 10.11 and 11.8): the name alone tells them apart. What was created before the stream began is not known here. Pure state.
 */
#ifndef WOLFCDC_TEMPORARY_H
#define WOLFCDC_TEMPORARY_H
#include "change.h"

enum { TEMPORARIES_MAX = 16384 }; /* beyond it the oldest is forgotten */

struct temporaries;

struct temporaries *temporaries_new(void); /* owned */
void temporaries_free(struct temporaries *temporaries);
/* CREATE or DROP … TEMPORARY TABLE: what it names is one from here on, or no longer. */
void temporaries_note(struct temporaries *temporaries, uint32_t server_id, const struct statement *statement);
/* Whether the first table that the statement names is a temporary one of its session. A new name that it gives it is noted. */
bool temporaries_is(struct temporaries *temporaries, uint32_t server_id, const struct statement *statement);
/* Whether that session has any. */
bool temporaries_any(const struct temporaries *temporaries, uint32_t server_id, uint32_t thread_id);
void temporaries_clear(struct temporaries *temporaries); /* the source was restarted */

#endif
