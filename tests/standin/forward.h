/* forward.h: a write handed on to another node's API. Any thread. */
#ifndef STANDIN_FORWARD_H
#define STANDIN_FORWARD_H
#include "buf.h"
#include "err.h"

enum { FORWARD_ANSWER_MAX = 1 << 20 };

/* POST of a JSON body to http://HOST:8080PATH; true when there was an answer, whatever its status. */
MUST_CHECK bool forward_post(const char *host, const char *path, struct slice json, long *status, struct buf *answer,
                             struct err *err);
/* A statement to that host's /sql; false with the reason as a node's proxy words it. */
MUST_CHECK bool forward_sql(const char *host, struct slice sql, bool has_database, struct slice database, struct err *err);

#endif
