/*
 * pool.h: a follower's connections to its own MariaDB: for each login database a pool of its own, used in turn, in autocommit,
 * with the session of a node (UTC, PIPES_AS_CONCAT, utf8mb4). One thread at a time.
 */
#ifndef STANDIN_POOL_H
#define STANDIN_POOL_H
#include <mysql.h>

#include "conf.h"
#include "slice.h"

/* A connection to the node's own MariaDB; NULL with the reason in *err (ERR_RETRY: not there; ERR_GONE: no such database). */
MYSQL *local_connect(const struct conf *conf, const char *database, struct err *err);
/* Whether the error of this connection means that it, or the server, is gone. */
bool local_lost(unsigned number);

struct pools;
struct pools *pools_new(const struct conf *conf);
/* The next connection of that database's pool, NULL when it cannot be made. Lent until the next call. Without such a database:
   one without a database. */
MYSQL **pools_next(struct pools *pools, const char *database, struct err *err);
/* After an error that lost it. */
void pools_drop(MYSQL **connection);
/* ROLLBACK on every connection. */
void pools_settle(struct pools *pools);

#endif
