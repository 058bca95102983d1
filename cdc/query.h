/*
 * query.h: QUERY (2, 165) and the events before it (INTVAR, RAND, USER_VAR) into struct statement: text, database and
 * session context. Source: MariaDB log_event.h, Query_log_event.
 */
#ifndef WOLFCDC_QUERY_H
#define WOLFCDC_QUERY_H
#include "change.h"
#include "event.h"

enum { STATEMENT_USER_VARS_MAX = 64 << 20 };

/* What INTVAR, RAND and USER_VAR said about the next QUERY. */
struct context {
    uint32_t parts; /* CONTEXT_… */
    uint64_t insert_id, last_insert_id, rand_seed1, rand_seed2;
    struct buf user_vars;
};

void context_init(struct context *context);
void context_fini(struct context *context);
void context_clear(struct context *context);
MUST_CHECK bool context_intvar(struct context *context, struct slice body, struct err *err);
MUST_CHECK bool context_rand(struct context *context, struct slice body, struct err *err);
MUST_CHECK bool context_user_var(struct context *context, struct slice body, struct err *err);

/* Everything but kind, own_commit and tables; text is as it stands in the event, for 165 still packed. Borrowed. */
MUST_CHECK bool query_decode(const struct event *event, const struct event_format *format, const struct context *context,
                                 struct statement *statement, struct err *err);

#endif
