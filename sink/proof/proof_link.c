/*
 * proof_link.c: a prover's connections. They only read (but for a repair), give way to others, and a side that fails is left alone for a
 * while, doubled each time.
 */
#include <stdio.h>
#include <stdlib.h>

#include "binlog_end.h"
#include "clock.h"
#include "log.h"
#include "prover.h"

/* UTC and no character set conversion; dates as they are stored; a statement that takes too long is ended by the server. */
static const char session[] =
    "SET NAMES binary, autocommit=1, time_zone='+00:00', sql_mode='ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO', "
    "tx_isolation='REPEATABLE-READ', foreign_key_checks=0, check_constraint_checks=0, unique_checks=1, lock_wait_timeout=5, "
    "innodb_lock_wait_timeout=3, sql_safe_updates=0, sql_select_limit=DEFAULT, net_write_timeout=60, max_statement_time=%d, tx_read_only=%d";

struct link *link_of(struct prover *p, int side) { return side == SIDE_SOURCE ? &p->source : &p->nodes[side]; }

static bool source_options(struct prover *p, struct db_options *options, char host[256], struct err *err)
{
    const struct source_settings *source = &proof_options_of(p->proof)->all->source;
    settings_server(&source->server, "source", options);
    if (!source->hosts.count) return true;
    unsigned port = source->server.port;
    const char *text = source->hosts.items[p->source.host % source->hosts.count];
    if (!settings_host(text, port, host, 256, &port)) return err_set(err, ERR_CONFIG, "hosts: \"%s\" is no host name", text);
    options->host = host;
    options->port = port;
    return true;
}

static bool node_options(struct prover *p, int side, struct db_options *options)
{
    const struct proof_options *all = proof_options_of(p->proof);
    settings_server(&all->nodes[side], "node", options);
    return true;
}

static bool greet(struct prover *p, int side, struct db *db, struct err *err)
{
    enum { PACKET_MIN = 262144 }; /* a row's bytes have to fit, but for what goes in as MD5 */
    char packet[32];
    struct link *link = link_of(p, side);
    link->version = *db_version(db);
    link->seen_version = true;
    if (!db_exec(db, err, session, p->ordered ? 0 : LINK_STATEMENT_S, !p->repair || side == SIDE_SOURCE)) return false;
    if (!db_scalar(db, packet, sizeof packet, NULL, err, "SELECT @@max_allowed_packet")) return false;
    if (strtoull(packet, NULL, 10) >= PACKET_MIN) return true;
    return err_set(err, ERR_STOP, "max_allowed_packet is %s there; at least %d is needed to compare rows", packet, PACKET_MIN);
}

static bool connect_side(struct prover *p, int side, struct err *err)
{
    struct db_options options = {0};
    struct db *db;
    char host[256];
    if (side == SIDE_SOURCE ? !source_options(p, &options, host, err) : !node_options(p, side, &options)) return false;
    options.connect_timeout_ms = LINK_CONNECT_MS; /* a stop cannot interrupt it */
    options.read_timeout_ms = LINK_READ_MS;
    if (!db_open(&options, &db, err)) return false;
    prover_link(p, link_of(p, side), db);
    if (greet(p, side, db, err)) return true;
    prover_link(p, link_of(p, side), NULL);
    return false;
}

bool link_open(struct prover *p, int side, struct err *err)
{
    struct link *link = link_of(p, side);
    if (prover_stopping(p)) return err_set(err, ERR_RETRY, "stopping");
    if (link->db) return true;
    if (clock_us() < link->retry_us) return err_set_number(err, link->failure.code, link->failure.number, "%s", link->failure.text);
    struct err local = {0};
    if (!err) err = &local;
    if (connect_side(p, side, err)) {
        link->pause_ms = 0;
        return true;
    }
    link->pause_ms = link->pause_ms ? link->pause_ms * 2 : LINK_PAUSE_MS;
    if (link->pause_ms > LINK_PAUSE_MAX_MS) link->pause_ms = LINK_PAUSE_MAX_MS;
    link->retry_us = clock_us() + (p->ordered ? LINK_PAUSE_MS : link->pause_ms) * 1000ull;
    link->failure = *err;
    link->host++;
    return false;
}

/* Numbers below 2000 are the server's own, and its connection lives, but where it says that it ends it. */
static bool is_alive(const struct err *err)
{
    static const unsigned ends[] = {0, 1053, 1077, 1152, 1158, 1159, 1160, 1161, 1184, 1927};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (err->number == ends[i]) return false;
    return err->number < 2000 || err->number > 2999;
}

void link_fail(struct prover *p, int side, const struct err *err)
{
    struct link *link = link_of(p, side);
    if (!link->db || is_alive(err)) return;
    prover_link(p, link, NULL);
    link->failure = *err;
    link->retry_us = clock_us() + LINK_PAUSE_MS * 1000ull;
}

void link_close_all(struct prover *p)
{
    prover_link(p, &p->source, NULL);
    for (size_t i = 0; i < CLUSTER_NODES_MAX; i++) prover_link(p, &p->nodes[i], NULL);
}

bool link_query(struct prover *p, int side, const struct buf *sql, struct db_result **result, struct err *err)
{
    struct err local = {0};
    if (!err) err = &local;
    if (!link_open(p, side, err)) return false;
    if (sql->full) return err_set(err, ERR_LIMIT, "a statement is too long");
    if (db_query(link_of(p, side)->db, result, err, "%.*s", (int)sql->size, (const char *)sql->data)) return true;
    link_fail(p, side, err);
    return false;
}

bool link_begin(struct prover *p, int side, struct err *err)
{
    if (!link_open(p, side, err)) return false;
    if (db_exec(link_of(p, side)->db, err, "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")) return true;
    link_fail(p, side, err);
    return false;
}

void link_end(struct prover *p, int side)
{
    struct link *link = link_of(p, side);
    struct err err = {0};
    if (link->db && !db_exec(link->db, &err, "ROLLBACK")) link_fail(p, side, &err);
}

static bool source_end(struct prover *p, struct gtid_set *gtids, struct err *err)
{
    struct source_pos *end = calloc(1, sizeof *end);
    bool has;
    if (!end) abort();
    bool ok = binlog_has_gtids(p->source.db, &has, err) && binlog_end(p->source.db, !has, end, err);
    if (ok) gtid_set_copy(gtids, &end->gtids);
    else if (err) link_fail(p, SIDE_SOURCE, err);
    free(end);
    return ok;
}

bool link_position(struct prover *p, int side, bool lock, struct gtid_set *gtids, struct err *err)
{
    const struct proof_options *all = proof_options_of(p->proof);
    char text[GTID_SET_TEXT_MAX];
    struct gtid_set got = {0};
    bool found, ok;
    if (side == SIDE_SOURCE) {
        return source_end(p, gtids, err);
    } else {
        ok = db_scalar(p->nodes[side].db, text, sizeof text, &found, err, "SELECT gtids FROM wolfcdc.position WHERE log_uuid='%s' AND sink='%s' "
                       "ORDER BY previous_lsn DESC LIMIT 1%s", all->log_uuid, all->sink->position_name, lock ? " LOCK IN SHARE MODE" : "");
        if (!ok && err && err->number == 1146) ok = true, text[0] = 0; /* nothing was ever delivered there */
    }
    if (!ok) {
        if (err) link_fail(p, side, err);
        return false;
    }
    if (!gtid_set_parse(slice_text(text), &got, err)) return err_context(err, "position");
    *gtids = got;
    return true;
}
