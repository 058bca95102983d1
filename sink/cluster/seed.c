/*
 * seed.c: see seed.h. The order of it:
 *
 *   donor   definitions · snapshot, and its position row in it · definitions again: nothing was defined anew around the snapshot
 *   node    position row away · what is there dropped · databases, sequences, tables and their rows, routines, views · position row
 *
 * Rows are read without locks, so the donor's own sink goes on; only DDL of the table at hand waits. A table that is altered behind the
 * snapshot is refused by the server (1412) and the whole is done again; the last time every table is touched at first, which makes DDL
 * on the donor wait until the copy is done.
 */
#include "seed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "seed_parts.h"

enum { TRIES = 3, TABLE_CHANGED = 1412, NO_SUCH_TABLE = 1146, NO_SUCH_COLUMN = 1054 };

static const char donor_session[] =
    "SET NAMES binary, autocommit=1, time_zone='+00:00', sql_mode='ALLOW_INVALID_DATES', tx_isolation='REPEATABLE-READ', net_write_timeout=600, "
    "wait_timeout=3600, max_statement_time=0, sql_quote_show_create=1";
static const char node_session[] =
    "SET NAMES binary, autocommit=0, time_zone='+00:00', foreign_key_checks=0, unique_checks=0, check_constraint_checks=0, sql_safe_updates=0, "
    "sql_mode='STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO', tx_isolation='READ-COMMITTED', wait_timeout=3600, "
    "max_statement_time=0, lock_wait_timeout=30, innodb_lock_wait_timeout=30, explicit_defaults_for_timestamp=1";

static bool open_side(const struct server_settings *server, const char *name, const char *session, struct db **db, struct err *err)
{
    struct db_options options = {0};
    settings_server(server, name, &options);
    options.read_timeout_ms = SEED_READ_MS;
    return db_open(&options, db, err) && db_exec(*db, err, "%s", session);
}

static bool open_both(struct seed *s, struct err *err)
{
    if (!open_side(s->options->donor, "donor", donor_session, &s->donor, err) || !open_side(s->options->node, "node", node_session, &s->node, err))
        return false;
    struct err ignored = {0};
    bool quiet = db_exec(s->node, &ignored, "SET SESSION sql_log_bin=0, SESSION innodb_strict_mode=0");
    if (!quiet && !db_exec(s->node, err, "SET SESSION innodb_strict_mode=0")) return false;
    return seed_packet(s, err);
}

/* ---- the position row ---- */

struct position { bool found; char previous[24], last[24], begin[24], gtids[GTID_SET_TEXT_MAX]; };

static bool read_position(struct seed *s, struct position *at, struct err *err)
{
    struct db_result *r;
    if (!db_query(s->donor, &r, err, "SELECT previous_lsn, last_lsn, begin_lsn, gtids FROM wolfcdc.position WHERE log_uuid='%s' AND sink='%s' "
                  "ORDER BY previous_lsn DESC LIMIT 1", s->options->log_uuid, s->options->sink->position_name)) return false;
    at->found = r->row_count > 0;
    if (at->found) {
        snprintf(at->previous, sizeof at->previous, "%s", db_value(r, 0, 0, NULL));
        snprintf(at->last, sizeof at->last, "%s", db_value(r, 0, 1, NULL));
        snprintf(at->begin, sizeof at->begin, "%s", db_value(r, 0, 2, NULL));
        snprintf(at->gtids, sizeof at->gtids, "%s", db_value(r, 0, 3, NULL));
    }
    db_result_free(r);
    return at->found || err_set(err, ERR_STOP, "the donor has no position of this sink: nothing was ever delivered to it");
}

static bool copy_definition(struct seed *s, const char *table, struct err *err)
{
    struct db_result *r;
    if (!db_query(s->donor, &r, err, "SHOW CREATE TABLE wolfcdc.%s", table)) return false;
    const char *text = db_value(r, 0, 1, NULL), *body = strchr(text, '(');
    bool ok = body ? db_exec(s->node, err, "CREATE TABLE IF NOT EXISTS wolfcdc.%s %s", table, body)
                   : err_set(err, ERR_CORRUPT, "SHOW CREATE TABLE wolfcdc.%s says no columns", table);
    db_result_free(r);
    return ok;
}

/* First of all: from here on the node says of itself that it has nothing. */
static bool forget_position(struct seed *s, struct err *err)
{
    static const char *const tables[] = {"position", "intent"};
    if (!db_exec(s->node, err, "CREATE DATABASE IF NOT EXISTS wolfcdc")) return false;
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (!copy_definition(s, tables[i], err) || !db_exec(s->node, err, "DELETE FROM wolfcdc.%s WHERE log_uuid='%s' AND sink='%s'", tables[i],
                                                            s->options->log_uuid, s->options->sink->position_name)) return false;
    return db_exec(s->node, err, "COMMIT");
}

static bool write_position(struct seed *s, const struct position *at, struct err *err)
{
    return db_exec(s->node, err, "SET foreign_key_checks=1, unique_checks=1") &&
           db_exec(s->node, err, "INSERT INTO wolfcdc.position (log_uuid, sink, previous_lsn, last_lsn, begin_lsn, gtids) VALUES ('%s', '%s', %s, %s, %s, '%s')",
                   s->options->log_uuid, s->options->sink->position_name, at->previous, at->last, at->begin, at->gtids) &&
           db_exec(s->node, err, "COMMIT");
}

/* ---- the snapshot ---- */

/* Where a table's definition says the next AUTO_INCREMENT, which every row that comes moves on; NULL: nowhere. */
static const char *counter_of(const char *definition)
{
    const char *options = strstr(definition, "\n) ENGINE=");
    return options ? strstr(options, " AUTO_INCREMENT=") : NULL;
}

static const char *past_counter(const char *counter)
{
    counter += sizeof " AUTO_INCREMENT=" - 1;
    return counter + strspn(counter, "0123456789");
}

static bool same_definition(const char *a, const char *b)
{
    const char *count_a = counter_of(a), *count_b = counter_of(b);
    for (;; a++, b++) {
        if (a == count_a) a = past_counter(a);
        if (b == count_b) b = past_counter(b);
        if (*a != *b) return false;
        if (!*a) return true;
    }
}

static bool same_objects(const struct seed_objects *a, const struct seed_objects *b)
{
    if (a->count != b->count) return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct seed_object *x = &a->items[i], *y = &b->items[i];
        if (strcmp(x->database, y->database) || strcmp(x->name, y->name) || x->kind != y->kind || !same_definition(x->text, y->text)) return false;
    }
    return true;
}

/* Makes DDL wait for us. */
static bool touch_all(struct seed *s, struct err *err)
{
    for (size_t i = 0; i < s->objects.count; i++) {
        const struct seed_object *o = &s->objects.items[i];
        if (o->kind == SEED_TABLE && !seed_exec(s->donor, err, "SELECT 1 FROM ", o, " LIMIT 0")) return false;
    }
    return true;
}

static bool take_snapshot(struct seed *s, unsigned try, struct position *at, struct err *err)
{
    struct seed_objects before = {0};
    bool ok = seed_objects_read(s, &before, err) && db_exec(s->donor, err, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY") &&
              read_position(s, at, err) && seed_objects_read(s, &s->objects, err);
    if (ok && !same_objects(&before, &s->objects)) ok = err_set(err, ERR_RETRY, "tables were defined anew on the donor while its snapshot was taken");
    seed_objects_free(&before);
    return ok && (try < TRIES || touch_all(s, err));
}

/* Back at the savepoint, the donor's lock on the table's definition is gone: its sink's DDL need not wait for the tables that follow. */
static bool copy_table(struct seed *s, const struct seed_object *o, struct err *err)
{
    return db_exec(s->donor, err, "SAVEPOINT before_table") && seed_table(s, o, err) && db_exec(s->donor, err, "ROLLBACK TO SAVEPOINT before_table");
}

static bool copy_all(struct seed *s, unsigned try, struct position *at, struct err *err)
{
    if (!take_snapshot(s, try, at, err) || !seed_databases(s, err) || !seed_drop(s, err) || !seed_rest(s, true, err)) return false; /* a table's DEFAULT may need a sequence */
    for (size_t i = 0; i < s->objects.count; i++) s->tables += s->objects.items[i].kind == SEED_TABLE;
    for (size_t i = 0; i < s->objects.count; i++)
        if (s->objects.items[i].kind == SEED_TABLE && !copy_table(s, &s->objects.items[i], err)) return false;
    return seed_rest(s, false, err);
}

static bool is_changed(const struct err *err)
{
    return err->number == TABLE_CHANGED || err->number == NO_SUCH_TABLE || err->number == NO_SUCH_COLUMN || err->code == ERR_RETRY;
}

static bool seed_once(const struct seed_options *options, unsigned try, struct position *at, struct err *err)
{
    struct seed seed = {.options = options, .began_us = clock_us()}, *s = &seed;
    seed_init(s);
    bool ok = open_both(s, err) && forget_position(s, err) && copy_all(s, try, at, err) && write_position(s, at, err);
    if (ok) log_info("sink.seeded", "node=%s:%u donor=%s:%u tables=%zu rows=%llu bytes=%llu ms=%llu lsn=%s held_back=\"%s\"", options->node->host,
                     options->node->port, options->donor->host, options->donor->port, s->tables, (unsigned long long)s->rows, (unsigned long long)s->bytes,
                     (unsigned long long)(clock_us() - s->began_us) / 1000, at->last, s->held_back);
    db_close(s->donor);
    db_close(s->node);
    seed_fini(s);
    return ok;
}

bool seed_node(const struct seed_options *options, uint64_t *lsn, struct err *err)
{
    struct position at = {0};
    struct err local = {0};
    if (!err) err = &local;
    if (!strcmp(options->donor->host, options->node->host) && options->donor->port == options->node->port)
        return err_set(err, ERR_CONFIG, "a node cannot be its own donor");
    for (unsigned try = 1;; try++) {
        if (seed_once(options, try, &at, err)) break;
        if (try == TRIES || !is_changed(err) || options->stopping(options->context)) return false;
        log_warning("sink.seed", "node=%s:%u try=%u text=\"%s\"", options->node->host, options->node->port, try, err->text);
        err_clear(err);
    }
    *lsn = strtoull(at.last, NULL, 10);
    return true;
}

static bool copy_one(struct seed *s, const char *database, const char *name, struct err *err)
{
    return db_exec(s->donor, err, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY") && seed_object_read(s, database, name, err) &&
           seed_exec(s->node, err, "DROP TABLE IF EXISTS ", &s->objects.items[0], "") && seed_table(s, &s->objects.items[0], err);
}

bool seed_one_table(const struct seed_options *options, const char *database, const char *name, bool copy, struct err *err)
{
    struct seed seed = {.options = options, .began_us = clock_us(), .tables = 1}, *s = &seed;
    struct seed_object drop = {.kind = SEED_TABLE, .database = (char *)(uintptr_t)database, .name = (char *)(uintptr_t)name};
    seed_init(s);
    bool ok = open_both(s, err) && (copy ? copy_one(s, database, name, err) : seed_exec(s->node, err, "DROP TABLE IF EXISTS ", &drop, ""));
    db_close(s->donor);
    db_close(s->node);
    seed_fini(s);
    return ok;
}
