/*
 * checks.h: the one table of named checks (checks.def), run by `wolfctl binlog-setup`, the agent at its start and every
 * sink connect. A finding is ok, warning or error, with the value seen and the remedy. Never changes the server.
 */
#ifndef WOLFCDC_CHECKS_H
#define WOLFCDC_CHECKS_H
#include "db.h"
#include "xid.h"

enum check_level { CHECK_OK, CHECK_WARNING, CHECK_ERROR };
enum check_side { CHECK_SOURCE = 1, CHECK_TARGET = 2, CHECK_ON_MARIADB = 4, CHECK_ON_MYSQL = 8 /* neither: on both */ };
struct finding { const char *check; enum check_level level; char text[512], remedy[512]; };
typedef void finding_fn(void *context, const struct finding *finding);
struct check_facts { /* what the caller knows */
    uint32_t server_id;      /* ours; 0: none chosen yet */
    const char *user;        /* for the exact GRANT */
    size_t hosts;            /* servers that capture may move between; 0 and 1: it stays */
    bool semi_sync;          /* it wants to be a semi-synchronous replica */
    bool (*has_prepared)(void *context, const struct xid *xid); /* whether the log has the rows of that XA transaction. NULL: there is no log yet */
    void *context;
};
/* Runs every check of that side, in table order. False only when the connection broke. */
MUST_CHECK bool checks_run(struct db *db, enum check_side side, const struct check_facts *facts, finding_fn *fn,
                           void *context, struct err *err);

#endif
