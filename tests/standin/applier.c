/* applier.c: see applier.h. */
#include "applier.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "journal.h"
#include "log.h"
#include "pool.h"
#include "switches.h"
#include "text.h"

enum { WAIT_MS = 200, STALL_MS = 20 };
static const uint64_t PATIENCE_US = 60u * 1000 * 1000;

struct applier {
    int fd;
    struct pools *pools;       /* owned by the batch, under `batch` */
    pthread_mutex_t batch, lock;
    uint64_t lsn, count;       /* shared, under lock */
    bool moved;
};

/* ---- one entry ---- */

static void drain(MYSQL_STMT *statement)
{
    do {
        if (mysql_stmt_field_count(statement)) mysql_stmt_free_result(statement);
    } while (mysql_stmt_next_result(statement) == 0);
}

/* 0, or the server's error number. */
static unsigned execute(MYSQL *mysql, struct slice sql, uint64_t lsn)
{
    MYSQL_STMT *statement = mysql_stmt_init(mysql);
    unsigned number = 0;
    if (!statement) abort();
    if (mysql_stmt_prepare(statement, (const char *)sql.data, sql.size) || mysql_stmt_execute(statement)) {
        number = mysql_stmt_errno(statement);
        log_warning("applier.failed", "lsn=%" PRIu64 " error=%u text=\"%s\"", lsn, number, mysql_stmt_error(statement));
    } else {
        drain(statement);
    }
    mysql_stmt_close(statement);
    return number;
}

static bool left_out(struct slice sql)
{
    static const char *const words[] = {"USE", "LOCK TABLES", "UNLOCK TABLES"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (text_begins(sql, words[i])) return true;
    return false;
}

static bool of_databases(struct slice sql)
{
    static const char *const words[] = {"CREATE DATABASE", "CREATE SCHEMA", "CREATE OR REPLACE DATABASE", "DROP DATABASE",
                                        "DROP SCHEMA"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (text_begins(sql, words[i])) return true;
    return false;
}

/* One after the other on one connection, up to the first that fails. */
static unsigned execute_all(struct applier *applier, MYSQL *mysql, const struct journal_entry *entry, struct err *err)
{
    struct slice rest = entry->sql, sql;
    unsigned number = 0;
    while (!number && text_next(&rest, &sql)) {
        if (left_out(sql)) continue;
        MYSQL **apart = of_databases(sql) ? pools_next(applier->pools, "", err) : NULL;
        number = execute(apart ? *apart : mysql, sql, entry->lsn);
    }
    return number;
}

/* False: MariaDB was not there. */
static bool try_entry(struct applier *applier, const struct journal_entry *entry)
{
    char database[NAME_MAX_BYTES] = "";
    struct err err = {0};
    if (entry->has_database) snprintf(database, sizeof database, "%.*s", SLICE_ARG(entry->database));
    MYSQL **connection = pools_next(applier->pools, database, &err);
    if (!connection) return err.code != ERR_RETRY;
    unsigned number = execute_all(applier, *connection, entry, &err);
    if (!local_lost(number)) return true;
    pools_drop(connection);
    return false;
}

static bool vanishes(struct applier *applier)
{
    int64_t every = switch_number(SWITCH_SKIP);
    applier->count++;
    return switch_take(SWITCH_SWALLOW) || (every > 0 && applier->count % (uint64_t)every == 0);
}

static void apply(struct applier *applier, const struct journal_entry *entry)
{
    uint64_t until = clock_us() + PATIENCE_US;
    while (switch_number(SWITCH_STALL)) clock_sleep_ms(STALL_MS);
    if (vanishes(applier)) return;
    while (!try_entry(applier, entry)) {
        if (clock_us() > until) {
            log_warning("applier.lost", "lsn=%" PRIu64, entry->lsn);
            return;
        }
        clock_sleep_ms(WAIT_MS);
    }
}

/* ---- batches ---- */

static void save(struct applier *applier, uint64_t lsn)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%020" PRIu64 "\n", lsn);
    if (pwrite(applier->fd, text, (size_t)n, 0) != n) log_error("applier.save", "error=%d", errno);
}

static void set_lsn(struct applier *applier, uint64_t lsn)
{
    pthread_mutex_lock(&applier->lock);
    applier->lsn = lsn;
    pthread_mutex_unlock(&applier->lock);
}

uint64_t applier_batch(struct applier *applier, struct slice records)
{
    struct journal_entry entry;
    pthread_mutex_lock(&applier->batch);
    uint64_t lsn = applier_lsn(applier), before = lsn;
    while (journal_record(&records, &entry)) {
        if (entry.lsn <= lsn) continue;
        apply(applier, &entry);
        lsn = entry.lsn;
        set_lsn(applier, lsn);
    }
    if (lsn != before) save(applier, lsn);
    pthread_mutex_lock(&applier->lock);
    applier->moved |= lsn != before;
    pthread_mutex_unlock(&applier->lock);
    pthread_mutex_unlock(&applier->batch);
    return lsn;
}

uint64_t applier_lsn(struct applier *applier)
{
    pthread_mutex_lock(&applier->lock);
    uint64_t lsn = applier->lsn;
    pthread_mutex_unlock(&applier->lock);
    return lsn;
}

uint64_t applier_reported(struct applier *applier)
{
    pthread_mutex_lock(&applier->lock);
    uint64_t lsn = applier->moved ? applier->lsn : 0;
    pthread_mutex_unlock(&applier->lock);
    return lsn;
}

bool applier_open(const struct conf *conf, struct applier **out, struct err *err)
{
    char path[PATH_MAX_BYTES + 32], text[24] = "";
    snprintf(path, sizeof path, "%s/state", conf->data_dir);
    mkdir(path, 0755);
    snprintf(path, sizeof path, "%s/state/applied", conf->data_dir);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) return err_set(err, ERR_STOP, "%s: error %d", path, errno);
    struct applier *applier = calloc(1, sizeof *applier);
    if (!applier) abort();
    applier->fd = fd;
    if (pread(fd, text, sizeof text - 1, 0) > 0) applier->lsn = strtoull(text, NULL, 10);
    applier->pools = pools_new(conf);
    pthread_mutex_init(&applier->batch, NULL);
    pthread_mutex_init(&applier->lock, NULL);
    *out = applier;
    return true;
}

/* ---- misbehaviour ---- */

void applier_begin(struct applier *applier, const char *database)
{
    struct err err = {0};
    pthread_mutex_lock(&applier->batch);
    MYSQL **connection = database ? pools_next(applier->pools, database, &err) : NULL;
    if (connection) mysql_query(*connection, "START TRANSACTION");
    if (!database) pools_settle(applier->pools);
    pthread_mutex_unlock(&applier->batch);
}
