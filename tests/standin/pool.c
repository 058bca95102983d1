/* pool.c: see pool.h. */
#include "pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buf.h"

enum { POOLS_MAX = 64, UNKNOWN_DATABASE = 1049, CONNECT_TIMEOUT_S = 5 };

struct pool {
    char database[NAME_MAX_BYTES];
    MYSQL **connections;
    unsigned next;
};
struct pools {
    const struct conf *conf;
    struct pool list[POOLS_MAX];
    unsigned count;
};

bool local_lost(unsigned number)
{
    static const unsigned lost[] = {1040, 1045, 1053, 1130, 1927, 2002, 2003, 2005, 2006, 2013, 2055};
    for (size_t i = 0; i < sizeof lost / sizeof *lost; i++)
        if (lost[i] == number) return true;
    return false;
}

MYSQL *local_connect(const struct conf *conf, const char *database, struct err *err)
{
    static const char session[] = "SET time_zone='+00:00', sql_mode=CONCAT(@@sql_mode, ',PIPES_AS_CONCAT,NO_ENGINE_SUBSTITUTION'), "
                                  "NAMES utf8mb4 COLLATE utf8mb4_unicode_ci";
    MYSQL *mysql = mysql_init(NULL);
    unsigned timeout = CONNECT_TIMEOUT_S;
    my_bool no = 0;
    if (!mysql) abort();
    mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &timeout);
    mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &no);
    if (mysql_real_connect(mysql, conf->db_host, conf->db_user, conf->db_password, database, conf->db_port, NULL, 0) &&
        !mysql_real_query(mysql, session, sizeof session - 1))
        return mysql;
    unsigned number = mysql_errno(mysql);
    err_set_number(err, number == UNKNOWN_DATABASE ? ERR_GONE : ERR_RETRY, number, "%s", mysql_error(mysql));
    mysql_close(mysql);
    return NULL;
}

struct pools *pools_new(const struct conf *conf)
{
    struct pools *pools = calloc(1, sizeof *pools);
    if (!pools) abort();
    pools->conf = conf;
    return pools;
}

static struct pool *of_database(struct pools *pools, const char *database)
{
    for (unsigned i = 0; i < pools->count; i++)
        if (!strcmp(pools->list[i].database, database)) return &pools->list[i];
    if (pools->count == POOLS_MAX) return &pools->list[0];
    struct pool *pool = &pools->list[pools->count++];
    snprintf(pool->database, sizeof pool->database, "%s", database);
    pool->connections = calloc(pools->conf->pool_size, sizeof *pool->connections);
    if (!pool->connections) abort();
    return pool;
}

static MYSQL **next_of(struct pools *pools, const char *database, struct err *err)
{
    struct pool *pool = of_database(pools, database);
    MYSQL **connection = &pool->connections[pool->next];
    if (!*connection) *connection = local_connect(pools->conf, *database ? database : NULL, err);
    if (!*connection) return NULL;
    pool->next = (pool->next + 1) % pools->conf->pool_size;
    return connection;
}

MYSQL **pools_next(struct pools *pools, const char *database, struct err *err)
{
    MYSQL **connection = next_of(pools, database, err);
    return !connection && err->code == ERR_GONE ? next_of(pools, "", err) : connection;
}

void pools_drop(MYSQL **connection)
{
    mysql_close(*connection);
    *connection = NULL;
}

void pools_settle(struct pools *pools)
{
    for (unsigned i = 0; i < pools->count; i++)
        for (unsigned n = 0; n < pools->conf->pool_size; n++)
            if (pools->list[i].connections[n]) mysql_query(pools->list[i].connections[n], "ROLLBACK");
}
