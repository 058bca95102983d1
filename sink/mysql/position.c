/*
 * position.c: wolfcdc.position, the target's own memory of what it has: one row per target transaction, written within it, so that
 * data and position cannot disagree. Its key (log, sink, previous LSN) fences: of two agents, or of an agent and its own
 * predecessor, only one can insert the row that follows the newest.
 *
 *   last_lsn   up to here the target has everything
 *   begin_lsn  0, or last_lsn lies within the transaction that begins here (large_transactions = "split")
 *   gtids      the source's GTID set after the last whole transaction
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "applier.h"
#include "clock.h"
#include "intent.h"
#include "log.h"

enum { FENCE_WINDOW_US = 60000000, TYPE_LONGLONG_UNSIGNED = 0x8008, TYPE_STRING = 254 };

static const char create_position[] =
    "(log_uuid CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, "
    "sink VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, previous_lsn BIGINT UNSIGNED NOT NULL, "
    "last_lsn BIGINT UNSIGNED NOT NULL, begin_lsn BIGINT UNSIGNED NOT NULL, gtids TEXT CHARACTER SET ascii NOT NULL, "
    "committed_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), PRIMARY KEY (log_uuid, sink, previous_lsn)) "
    "ENGINE=InnoDB COMMENT='wolfcdc: what this server has of a log; deleting rows makes its changes come again'";
static const char create_intent[] =
    "(log_uuid CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, "
    "sink VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL, lsn BIGINT UNSIGNED NOT NULL, "
    "before_hash BIGINT UNSIGNED NOT NULL, statement LONGBLOB NOT NULL, PRIMARY KEY (log_uuid, sink)) "
    "ENGINE=InnoDB COMMENT='wolfcdc: a DDL statement that is about to run'";

bool own_tables_create(struct db *db, const struct own_table *tables, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        char there[8];
        bool found;
        if (!db_scalar(db, there, sizeof there, &found, err, "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA='wolfcdc' AND "
                       "TABLE_NAME='%s'", tables[i].name)) return false;
        if (strcmp(there, "1") == 0) continue;
        if (!db_exec(db, err, "CREATE DATABASE IF NOT EXISTS wolfcdc") ||
            !db_exec(db, err, "CREATE TABLE IF NOT EXISTS wolfcdc.%s %s", tables[i].name, tables[i].definition))
            return err_context(err, "creating wolfcdc.%s", tables[i].name);
    }
    return true;
}

bool position_tables_create(struct db *db, struct err *err)
{
    static const struct own_table tables[] = {{"position", create_position}, {"intent", create_intent}};
    return own_tables_create(db, tables, sizeof tables / sizeof *tables, err);
}

static uint64_t number(const struct db_result *r, uint64_t row, uint32_t column)
{
    const char *text = db_value(r, row, column, NULL);
    return text ? strtoull(text, NULL, 10) : 0;
}

/* A sink that is gone from the configuration has written here under our log: most likely ours, under another name. */
static bool check_renamed(struct mysql_sink *s, struct err *err)
{
    struct db_result *r;
    bool ok = true;
    if (!db_query(s->db, &r, err, "SELECT DISTINCT sink FROM wolfcdc.position WHERE log_uuid='%s'", s->uuid)) return false;
    for (uint64_t i = 0; i < r->row_count && ok; i++) {
        const char *name = db_value(r, i, 0, NULL);
        if (sink_writes_position(s->sink, name)) continue;
        sink_remedy(s->sink, "Give the sink its old name back, or: wolfctl sink forget %s, and on the target DELETE FROM wolfcdc.position "
                    "WHERE sink='%s'", name, name);
        ok = err_set(err, ERR_STOP, "this log was delivered to this target by a sink named \"%s\", which is no longer configured", name);
    }
    db_result_free(r);
    return ok;
}

static bool check_other_logs(struct mysql_sink *s, struct err *err)
{
    struct db_result *r;
    bool ok = true;
    if (!db_query(s->db, &r, err, "SELECT log_uuid, MAX(committed_at) FROM wolfcdc.position WHERE sink='%s' AND log_uuid<>'%s' "
                  "GROUP BY 1 ORDER BY 2 DESC LIMIT 1", s->settings->position_name, s->uuid)) return false;
    if (r->row_count) {
        sink_remedy(s->sink, "With an empty log: wolfctl sink adopt --sink %s. If the target was seeded anew: DELETE FROM wolfcdc.position "
                    "WHERE sink='%s' there", s->settings->position_name, s->settings->position_name);
        ok = err_set(err, ERR_STOP, "the target was delivered to from another log (%s, last at %s), and knows nothing of this one (%s)",
                     db_value(r, 0, 0, NULL), db_value(r, 0, 1, NULL), s->uuid);
    }
    db_result_free(r);
    return ok;
}

/* Our first row, at the LSN that the configuration's `start` named. */
static bool write_first(struct mysql_sink *s, uint64_t delivered, struct err *err)
{
    if (!sink_is_new(s->sink)) {
        sink_remedy(s->sink, "If the target was restored from an older backup or seeded anew, adopt it: wolfctl sink adopt");
        sink_position_lost(s->sink);
        if (sink_has_nothing(s->sink))
            return err_set(err, ERR_STOP, "the other nodes were delivered to before this one: it has no position yet, and needs their rows first");
        return err_set(err, ERR_STOP, "we have delivered up to LSN %llu before, but the target has no position of this sink",
                       (unsigned long long)delivered);
    }
    if (!check_other_logs(s, err) || !check_renamed(s, err)) return false;
    s->position = delivered;
    if (!delivered) return true; /* the first group writes it */
    return db_exec(s->db, err, "INSERT INTO wolfcdc.position (log_uuid, sink, previous_lsn, last_lsn, begin_lsn, gtids) "
                   "VALUES ('%s', '%s', 0, %llu, 0, '')", s->uuid, s->settings->position_name, (unsigned long long)delivered) &&
           db_exec(s->db, err, "COMMIT");
}

/* The target went back, or begins anew: what was said of a change that it met then is not said of the one that comes. */
static void forget_verdicts(struct mysql_sink *s)
{
    s->verdict_count = 0;
    s->careful_until = s->failed_lsn = 0;
}

static bool read_position(struct mysql_sink *s, uint64_t *delivered, bool *found, struct err *err)
{
    struct db_result *r;
    uint64_t before = s->position;
    if (!db_query(s->db, &r, err, "SELECT last_lsn, begin_lsn, gtids FROM wolfcdc.position WHERE log_uuid='%s' AND sink='%s' "
                  "ORDER BY previous_lsn DESC LIMIT 1 FOR UPDATE", s->uuid, s->settings->position_name)) {
        if (err && err->number == 1205) sink_say(s->sink, "a predecessor's transaction is still open on the target: waiting for it to end");
        return false;
    }
    *found = r->row_count > 0;
    if (*found) {
        uint64_t last = number(r, 0, 0), begin = number(r, 0, 1);
        size_t size = 0;
        const char *gtids = db_value(r, 0, 2, &size);
        if (!gtid_set_parse(slice_of(gtids, size), &s->group.gtids, err)) {
            db_result_free(r);
            return err_context(err, "wolfcdc.position");
        }
        s->position = last;
        s->seeded = s->ahead = last == 0;
        s->passing = false;
        gtid_set_copy(&s->adopted, &s->group.gtids);
        s->skip_to = begin ? last : 0;
        *delivered = begin ? begin - 1 : last;
    } else {
        s->position = s->skip_to = 0;
        s->seeded = s->ahead = s->passing = false;
    }
    if (s->position < before) forget_verdicts(s);
    db_result_free(r);
    return db_exec(s->db, err, "COMMIT");
}

static bool prepare(struct mysql_sink *s, struct err *err)
{
    char sql[512];
    int n = snprintf(sql, sizeof sql, "INSERT INTO wolfcdc.position (log_uuid, sink, previous_lsn, last_lsn, begin_lsn, gtids) "
                     "VALUES ('%s', '%s', ?, ?, ?, ?)", s->uuid, s->settings->position_name);
    if (!db_prepare(s->db, slice_of(sql, (size_t)n), &s->position_insert, err)) return false;
    n = snprintf(sql, sizeof sql, "UPDATE wolfcdc.position SET last_lsn=?, begin_lsn=?, gtids=?, committed_at=CURRENT_TIMESTAMP(6) "
                 "WHERE log_uuid='%s' AND sink='%s' AND previous_lsn=?", s->uuid, s->settings->position_name);
    return db_prepare(s->db, slice_of(sql, (size_t)n), &s->position_update, err);
}

bool position_open(struct mysql_sink *s, uint64_t *delivered, struct err *err)
{
    bool found = false;
    if (!position_tables_create(s->db, err) || !read_position(s, delivered, &found, err)) return false;
    if (!found && !write_first(s, *delivered, err)) return false;
    return prepare(s, err);
}

/* An array of one row, or for a server that has none COM_STMT_EXECUTE: no NULL is among these. */
static void begin_packet(struct mysql_sink *s, const struct db_statement *statement, const uint16_t types[], size_t size)
{
    buf_clear(&s->packet);
    buf_le(&s->packet, statement->id, 4);
    if (s->mysql) buf_put(&s->packet, "\0\1\0\0\0\0\1", 7); /* no cursor, once, no NULLs, types follow */
    else buf_le(&s->packet, 128, 2);
    buf_put(&s->packet, types, size);
}

static bool send_packet(struct mysql_sink *s, struct err *err)
{
    struct expect expect = {.kind = EXPECT_POSITION};
    return session_send(s, s->mysql ? DB_COM_STMT_EXECUTE : DB_COM_STMT_BULK_EXECUTE, buf_bytes(&s->packet), &expect, err);
}

static void put_number(struct mysql_sink *s, uint64_t value)
{
    if (!s->mysql) buf_u8(&s->packet, BIND_VALUE);
    buf_le(&s->packet, value, 8);
}

static void put_gtids(struct mysql_sink *s, const struct gtid_set *gtids)
{
    char text[GTID_SET_TEXT_MAX];
    gtid_set_format(gtids, text);
    if (!s->mysql) buf_u8(&s->packet, BIND_VALUE);
    buf_lenenc_bytes(&s->packet, slice_text(text));
}

/* The row that sink_adopt wrote has the key of our first one: it goes in the same transaction. */
static bool remove_seed(struct mysql_sink *s, struct err *err)
{
    struct expect expect = {.kind = EXPECT_POSITION};
    char sql[256];
    int n = snprintf(sql, sizeof sql, "DELETE FROM wolfcdc.position WHERE log_uuid='%s' AND sink='%s' AND previous_lsn=0 AND "
                     "last_lsn=0", s->uuid, s->settings->position_name);
    return session_send(s, DB_COM_QUERY, slice_of(sql, (size_t)n), &expect, err);
}

bool position_insert(struct mysql_sink *s, uint64_t last, uint64_t begin, const struct gtid_set *gtids, struct err *err)
{
    static const uint16_t types[] = {TYPE_LONGLONG_UNSIGNED, TYPE_LONGLONG_UNSIGNED, TYPE_LONGLONG_UNSIGNED, TYPE_STRING};
    assert(!s->flight.position);
    if (s->seeded && s->position == 0 && !remove_seed(s, err)) return false;
    begin_packet(s, &s->position_insert, types, sizeof types);
    put_number(s, s->position);
    put_number(s, last);
    put_number(s, begin);
    put_gtids(s, gtids);
    s->flight.position = true;
    return send_packet(s, err);
}

bool position_finish(struct mysql_sink *s, uint64_t last, uint64_t begin, const struct gtid_set *gtids, struct err *err)
{
    static const uint16_t types[] = {TYPE_LONGLONG_UNSIGNED, TYPE_LONGLONG_UNSIGNED, TYPE_STRING, TYPE_LONGLONG_UNSIGNED};
    begin_packet(s, &s->position_update, types, sizeof types);
    put_number(s, last);
    put_number(s, begin);
    put_gtids(s, gtids);
    put_number(s, s->position);
    return send_packet(s, err);
}

bool position_fenced(struct mysql_sink *s, struct err *err)
{
    struct err local = {0};
    if (!err) err = &local;
    if (err->number != 1062 && err->number != 1205) return err_context(err, "position row");
    uint64_t now = clock_us();
    bool again = s->fenced_us && now - s->fenced_us < FENCE_WINDOW_US;
    s->fenced_us = now;
    sink_rolled_back(s->sink);
    if (!again) return err_set(err, ERR_RETRY, "another transaction has written the position row that follows LSN %llu: reading it again",
                               (unsigned long long)s->position);
    sink_remedy(s->sink, "Stop the other agent, then: wolfctl resume --sink %s", s->settings->name);
    s->final = true;
    return err_set(err, ERR_STOP, "another agent delivers the same log as sink \"%s\" to this target", s->settings->name);
}

/* Old rows, never the newest; ten minutes late, because an agent that was stopped before the prune and resumes after it
   must still meet its own row. */
bool position_prune(struct mysql_sink *s, struct err *err)
{
    return db_exec(s->db, err, "DELETE FROM wolfcdc.position WHERE log_uuid='%s' AND sink='%s' AND last_lsn<%llu AND "
                   "committed_at<CURRENT_TIMESTAMP(6)-INTERVAL 10 MINUTE ORDER BY previous_lsn LIMIT 50000", s->uuid, s->settings->position_name,
                   (unsigned long long)s->position) && db_exec(s->db, err, "COMMIT");
}

/* ---- adopt ---- */

/* What another log's newest row says; its lock is kept until the COMMIT. *row: that log, its GTID set as text, its LSN. */
static bool adopt_from(struct db *db, const struct sink_settings *sink, const char *uuid, struct gtid_set *gtids, struct db_result **row, struct err *err)
{
    struct db_result *r;
    if (!db_query(db, &r, err, "SELECT log_uuid, gtids, last_lsn, begin_lsn FROM wolfcdc.position WHERE sink='%s' AND gtids<>'' AND "
                  "log_uuid<>'%s' ORDER BY committed_at DESC, previous_lsn DESC LIMIT 1 FOR UPDATE", sink->position_name, uuid)) return false;
    size_t size = 0;
    const char *text = r->row_count ? db_value(r, 0, 1, &size) : NULL;
    bool ok = text != NULL;
    if (!ok) err_set(err, ERR_GONE, "the target has no position that a sink \"%s\" of another log left there", sink->position_name);
    else if (number(r, 0, 3)) ok = err_set(err, ERR_STOP, "the target's last transaction was delivered in parts and is not whole: it cannot be adopted");
    else ok = gtid_set_parse(slice_of(text, size), gtids, err);
    if (ok) *row = r;
    else db_result_free(r);
    return ok;
}

static bool adopt_as(struct db *db, const struct sink_settings *sink, const char *uuid, const struct db_result *row, struct err *err)
{
    return db_exec(db, err, "INSERT INTO wolfcdc.position (log_uuid, sink, previous_lsn, last_lsn, begin_lsn, gtids) VALUES "
                   "('%s', '%s', 0, 0, 0, '%s') ON DUPLICATE KEY UPDATE gtids=IF(last_lsn=0, VALUES(gtids), gtids)", uuid, sink->position_name,
                   db_value(row, 0, 1, NULL)) &&
           /* A DDL that was about to run may be the first that the new log brings. */
           db_exec(db, err, "INSERT IGNORE INTO wolfcdc.intent SELECT '%s', sink, 0, before_hash, statement "
                   "FROM wolfcdc.intent WHERE sink='%s' AND log_uuid='%s' AND lsn>%s", uuid, sink->position_name, db_value(row, 0, 0, NULL),
                   db_value(row, 0, 2, NULL)) &&
           db_exec(db, err, "COMMIT");
}

struct adopted { struct db *db; struct db_result *row; struct gtid_set gtids; };

static bool own_session(struct db *db, struct err *err)
{
    const struct db_version *version = db_version(db);
    struct buf own;
    buf_init(&own, 4096);
    context_session(version->flavour == DB_MYSQL ? version->major * 100 + version->minor : 0, &own);
    bool ok = db_exec_bytes(db, buf_bytes(&own), err);
    buf_fini(&own);
    return ok;
}

static bool adopt_open(const struct sink_settings *sink, const char *uuid, struct adopted *a, struct err *err)
{
    struct db_options options = {0};
    settings_server(&sink->server, sink->name, &options);
    options.read_timeout_ms = READ_TIMEOUT_MS;
    return db_open(&options, &a->db, err) && own_session(a->db, err) && position_tables_create(a->db, err) &&
           adopt_from(a->db, sink, uuid, &a->gtids, &a->row, err);
}

/* The target that has the least: every other has all of it. */
static bool adopt_least(const struct sink_settings *const sinks[], const struct adopted *all, size_t count, size_t *least, struct err *err)
{
    for (*least = 0; *least < count; ++*least) {
        size_t i = 0;
        while (i < count && gtid_set_contains(&all[i].gtids, &all[*least].gtids)) i++;
        if (i == count) return true;
    }
    return err_set(err, ERR_STOP, "%s and the others have each what another lacks: leave one out of nodes, and seed it (wolfctl nodes seed) when it is listed again",
                   sinks[0]->name);
}

bool sink_adopt(const struct sink_settings *const sinks[], size_t count, const char *uuid, struct source_pos *start, struct err *err)
{
    struct adopted *all = calloc(count, sizeof *all);
    size_t least = 0;
    bool ok = true;
    if (!all) abort();
    for (size_t i = 0; ok && i < count; i++)
        ok = adopt_open(sinks[i], uuid, &all[i], err) ||
             err_context(err, count > 1 ? "node %s (all are needed; one that cannot be had: leave it out of nodes, seed it later)" : "%s", sinks[i]->server.host);
    ok = ok && adopt_least(sinks, all, count, &least, err);
    for (size_t i = 0; ok && i < count; i++) ok = adopt_as(all[i].db, sinks[i], uuid, all[i].row, err);
    if (ok) *start = (struct source_pos){.gtids = all[least].gtids};
    for (size_t i = 0; i < count; i++) {
        if (all[i].row) db_result_free(all[i].row);
        db_close(all[i].db);
    }
    free(all);
    return ok;
}
