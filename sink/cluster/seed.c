/*
 * seed.c: see seed.h. The order of it:
 *
 *   donor   its sink at rest · snapshot, and its position row in it · what there is · its sink goes on
 *   node    position row away · what is there dropped · databases, sequences, tables and their rows, routines, views · position row
 *
 * A definition is of no snapshot: what a DDL statement does is seen at once. None runs while the donor's sink rests, and none is half done then (its intent
 * would be newer than the position). Behind the snapshot only DDL of the table at hand waits; a table that is not what it was when its turn comes, by its definition or
 * by the server's own ids of it (two tables that changed names would each be read as the other, without an error), or that the server refuses (1412),
 * has the whole done again. The last time every table is touched while the sink rests, which makes DDL on the donor wait until the copy is done.
 * Tables that no snapshot holds are copied before the sink goes on.
 */
#include "seed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "intent.h"
#include "log.h"
#include "seed_parts.h"

enum { TRIES = 3, LOCK_TRIES = 300, LOCK_STEP_MS = 200, DDL_STEP_MS = 500, TABLE_CHANGED = 1412, NO_SUCH_TABLE = 1146, NO_SUCH_COLUMN = 1054 };

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

/* A statement that an agent had under way when it was killed would come after what is done here. */
bool seed_lock_node(struct seed *s, struct err *err)
{
    bool locked = false;
    for (unsigned i = 0; i < LOCK_TRIES && !locked; i++) {
        if (!intent_lock(s->node, s->options->log_uuid, s->options->sink->position_name, &locked, err)) return false;
        if (s->options->stopping(s->options->context)) return err_set(err, ERR_STOP, "the agent is stopping");
        if (!locked) clock_sleep_ms(LOCK_STEP_MS);
    }
    return locked || err_set(err, ERR_STOP, "a predecessor's connection still lives on the node, and may be at work: end it there (SHOW PROCESSLIST, KILL)");
}

bool seed_open_node(struct seed *s, struct err *err)
{
    struct err ignored = {0};
    if (!open_side(s->options->node, "node", node_session, &s->node, err)) return false;
    bool quiet = db_exec(s->node, &ignored, "SET SESSION sql_log_bin=0, SESSION innodb_strict_mode=0");
    return (quiet || db_exec(s->node, err, "SET SESSION innodb_strict_mode=0")) && seed_packet(s, err);
}

static bool open_both(struct seed *s, struct err *err)
{
    return open_side(s->options->donor, "donor", donor_session, &s->donor, err) && seed_open_node(s, err);
}

/* ---- the position row ---- */

struct position { bool found, half_done; char previous[24], last[24], begin[24], gtids[GTID_SET_TEXT_MAX]; };

/* half_done: a DDL statement that follows it was begun. */
static bool read_position(struct seed *s, struct position *at, struct err *err)
{
    struct db_result *r;
    const char *uuid = s->options->log_uuid, *sink = s->options->sink->position_name;
    if (!db_query(s->donor, &r, err, "SELECT previous_lsn, last_lsn, begin_lsn, gtids, EXISTS (SELECT 1 FROM wolfcdc.intent i WHERE i.log_uuid='%s' AND "
                  "i.sink='%s' AND i.lsn>last_lsn) FROM wolfcdc.position WHERE log_uuid='%s' AND sink='%s' ORDER BY previous_lsn DESC LIMIT 1",
                  uuid, sink, uuid, sink)) return false;
    at->found = r->row_count > 0;
    if (at->found) {
        snprintf(at->previous, sizeof at->previous, "%s", db_value(r, 0, 0, NULL));
        snprintf(at->last, sizeof at->last, "%s", db_value(r, 0, 1, NULL));
        snprintf(at->begin, sizeof at->begin, "%s", db_value(r, 0, 2, NULL));
        snprintf(at->gtids, sizeof at->gtids, "%s", db_value(r, 0, 3, NULL));
        at->half_done = *db_value(r, 0, 4, NULL) != '0';
    }
    db_result_free(r);
    return at->found || err_set(err, ERR_STOP, "the donor has no position of this sink: nothing was ever delivered to it");
}

static bool delete_position(struct seed *s, struct err *err)
{
    static const char *const tables[] = {"position", "intent"};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (!db_exec(s->node, err, "DELETE FROM wolfcdc.%s WHERE log_uuid='%s' AND sink='%s'", tables[i], s->options->log_uuid,
                     s->options->sink->position_name)) return false;
    return true;
}

bool seed_forget_position(struct seed *s, struct err *err)
{
    return position_tables_create(s->node, err) && delete_position(s, err) && db_exec(s->node, err, "COMMIT");
}

static bool write_position(struct seed *s, const struct position *at, struct err *err)
{
    return db_exec(s->node, err, "SET foreign_key_checks=1, unique_checks=1") && delete_position(s, err) &&
           db_exec(s->node, err, "INSERT INTO wolfcdc.position (log_uuid, sink, previous_lsn, last_lsn, begin_lsn, gtids) VALUES ('%s', '%s', %s, %s, %s, '%s')",
                   s->options->log_uuid, s->options->sink->position_name, at->previous, at->last, at->begin, at->gtids) &&
           db_exec(s->node, err, "COMMIT");
}

/* ---- the snapshot ---- */

/* Makes DDL wait for us. */
static bool touch_all(struct seed *s, struct err *err)
{
    for (size_t i = 0; i < s->objects.count; i++) {
        const struct seed_object *o = &s->objects.items[i];
        if (o->kind == SEED_TABLE && !seed_exec(s->donor, err, "SELECT 1 FROM ", o, " LIMIT 0")) return false;
    }
    return true;
}

static bool wait_done(struct seed *s, const struct position *at, struct err *err)
{
    const struct seed_options *o = s->options;
    o->release_donor(o->context);
    if (!db_exec(s->donor, err, "ROLLBACK")) return false;
    if (o->say) o->say(o->context, "seed: waits for the DDL statement that follows LSN %s on %s", at->last, o->donor->host);
    clock_sleep_ms(DDL_STEP_MS);
    return !o->stopping(o->context) || err_set(err, ERR_STOP, "the agent is stopping");
}

/* The donor's sink rests from then on. */
static bool take_snapshot(struct seed *s, struct position *at, struct err *err)
{
    const struct seed_options *o = s->options;
    for (;;) {
        if (!o->rest_donor(o->context, err) || !db_exec(s->donor, err, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY") ||
            !read_position(s, at, err)) return false;
        if (!at->half_done) return seed_objects_read(s, err);
        if (!wait_done(s, at, err)) return false;
    }
}

static bool check_same(struct seed *s, const struct seed_object *o, struct err *err)
{
    uint64_t hash;
    if (!intent_hash_table(s->donor, slice_text(o->database), slice_text(o->name), &hash, err)) return false;
    return hash == o->hash || err_set(err, ERR_RETRY, "%s.%s on the donor was defined anew after the snapshot", o->database, o->name);
}

/* Its definition is locked before it is looked at. Back at the savepoint, the donor's lock is gone: its sink's DDL need not wait for the tables that follow. */
static bool copy_table(struct seed *s, const struct seed_object *o, struct err *err)
{
    return db_exec(s->donor, err, "SAVEPOINT before_table") && seed_exec(s->donor, err, "SELECT 1 FROM ", o, " LIMIT 0") && check_same(s, o, err) &&
           seed_table(s, o, err) && db_exec(s->donor, err, "ROLLBACK TO SAVEPOINT before_table");
}

static bool copy_tables(struct seed *s, bool unheld, struct err *err)
{
    for (size_t i = 0; i < s->objects.count; i++) {
        const struct seed_object *o = &s->objects.items[i];
        if (o->kind == SEED_TABLE && o->unheld == unheld && !copy_table(s, o, err)) return false;
    }
    return true;
}

static size_t count_tables(const struct seed *s, bool unheld)
{
    size_t count = 0;
    for (size_t i = 0; i < s->objects.count; i++) count += s->objects.items[i].kind == SEED_TABLE && s->objects.items[i].unheld == unheld;
    return count;
}

/* The position first of all: from then on the node says of itself that it has nothing. A table's DEFAULT may need a sequence. */
static bool make_room(struct seed *s, struct err *err)
{
    return seed_forget_position(s, err) && seed_databases(s, err) && seed_drop(s, err) && seed_rest(s, true, err);
}

static bool copy_all(struct seed *s, unsigned try, struct position *at, struct err *err)
{
    const struct seed_options *o = s->options;
    size_t unheld;
    if (!take_snapshot(s, at, err) || (try == TRIES && !touch_all(s, err))) return false;
    unheld = count_tables(s, true);
    s->tables = unheld + count_tables(s, false);
    if (!unheld) o->release_donor(o->context);
    if (!make_room(s, err) || !copy_tables(s, true, err)) return false;
    if (unheld) o->release_donor(o->context);
    return copy_tables(s, false, err) && seed_rest(s, false, err);
}

static bool is_changed(const struct err *err)
{
    return err->number == TABLE_CHANGED || err->number == NO_SUCH_TABLE || err->number == NO_SUCH_COLUMN || err->code == ERR_RETRY;
}

static bool seed_once(const struct seed_options *options, unsigned try, struct position *at, struct err *err)
{
    struct seed seed = {.options = options, .began_us = clock_us()}, *s = &seed;
    seed_init(s);
    bool ok = open_both(s, err) && seed_lock_node(s, err) && copy_all(s, try, at, err) && write_position(s, at, err);
    options->release_donor(options->context);
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
