/*
 * mariadb.c: the source driver for MariaDB. A replica's session: capability 4 (GTID events as they are), the start as a
 * GTID set in @slave_connect_state, heartbeats, then COM_REGISTER_SLAVE (so that SHOW REPLICA HOSTS shows us) and
 * COM_BINLOG_DUMP. Source: MariaDB knowledge base, "Replication protocol".
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "source.h"

enum { CAPABILITY_GTID = 4, FILE_START = 4, SERVES_TIMEOUT_MS = 1000 };

static bool read_set(const char *text, struct gtid_set *set, struct err *err)
{
    memset(set, 0, sizeof *set);
    return !text || !*text || gtid_set_parse(slice_text(text), set, err);
}

/* What the stream needs to know of the server. No privilege is needed for any of it. */
static bool learn(struct source_link *source, struct err *err)
{
    struct db_result *result;
    struct source_info *info = &source->info;
    if (!db_query(source->db, &result, err,
                  "SELECT @@global.binlog_checksum, @@global.gtid_binlog_pos, @@global.server_id, "
                  "CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS UNSIGNED), @@global.log_bin"))
        return false;
    uint64_t now = clock_wall_us();
    const char *checksum = db_value(result, 0, 0, NULL), *id = db_value(result, 0, 2, NULL);
    const char *clock = db_value(result, 0, 3, NULL), *log_bin = db_value(result, 0, 4, NULL);
    bool ok = read_set(db_value(result, 0, 1, NULL), &info->end, err);
    info->checksum = checksum && strcmp(checksum, "NONE");
    info->server_id = id ? (uint32_t)strtoul(id, NULL, 10) : 0;
    info->clock_skew_us = clock ? (int64_t)(strtoull(clock, NULL, 10) - now) : 0;
    if (ok && log_bin && !strcmp(log_bin, "0"))
        ok = err_set(err, ERR_CONFIG, "%s: log_bin is OFF: set log_bin in the source's configuration and restart it", source->name);
    if (ok && info->server_id == source->settings->server_id)
        ok = err_set(err, ERR_CONFIG, "%s: server_id %u is the source's own: choose another in [source]", source->name, info->server_id);
    db_result_free(result);
    return ok;
}

/* binlog_expire_logs_seconds came with 10.6; before it there are days. */
static bool learn_retention(struct source_link *source, struct err *err)
{
    char text[64];
    bool found, seconds = db_version_at_least(&source->info.version, 10, 6);
    if (!db_scalar(source->db, text, sizeof text, &found, err,
                   seconds ? "SELECT @@global.binlog_expire_logs_seconds"
                           : "SELECT ROUND(@@global.expire_logs_days * 86400)"))
        return false;
    source->info.retention_s = found ? strtoll(text, NULL, 10) : 0;
    return true;
}

/* Variables that not every version has, so that they are asked for by SHOW. "" where there is none. */
static void pick(const struct db_result *result, const char *name, char *out, size_t room)
{
    out[0] = 0;
    for (uint64_t i = 0; i < result->row_count; i++)
        if (!strcasecmp(db_value(result, i, 0, NULL), name)) snprintf(out, room, "%s", db_value(result, i, 1, NULL));
}

/* Number, host and port can be alike behind one name; server_uid is of this server's installation. */
static bool learn_identity(struct source_link *source, struct err *err)
{
    struct db_result *result;
    char host[64], port[8], uid[64], wsrep[8];
    if (!db_query(source->db, &result, err, "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('hostname', 'port', 'server_uid', 'wsrep_on')"))
        return false;
    pick(result, "hostname", host, sizeof host);
    pick(result, "port", port, sizeof port);
    pick(result, "server_uid", uid, sizeof uid);
    pick(result, "wsrep_on", wsrep, sizeof wsrep);
    db_result_free(result);
    snprintf(source->info.identity, sizeof source->info.identity, "server_id %u on %s:%s%s%s", source->info.server_id, host, port,
             *uid ? ", uid " : "", uid);
    source->info.clustered = !strcasecmp(wsrep, "ON");
    return true;
}

static bool set_up(struct source_link *source, struct err *err)
{
    uint64_t heartbeat_ns = (uint64_t)source->settings->heartbeat_ms * 1000000;
    /* both spellings of each: the newer one is ignored by servers that do not know it */
    return db_exec(source->db, err,
                   "SET @master_binlog_checksum = @@global.binlog_checksum, "
                   "@source_binlog_checksum = @@global.binlog_checksum, "
                   "@master_heartbeat_period = %llu, @source_heartbeat_period = %llu, "
                   "@mariadb_slave_capability = %d, @slave_gtid_strict_mode = 1, @slave_gtid_ignore_duplicates = 0, net_write_timeout = %d%s",
                   (unsigned long long)heartbeat_ns, (unsigned long long)heartbeat_ns, CAPABILITY_GTID, SOURCE_WRITE_TIMEOUT_S,
                   source->settings->semi_sync ? ", @rpl_semi_sync_slave = 1" : "");
}

static bool begin(struct source_link *link, struct err *err)
{
    return learn(link, err) && learn_retention(link, err) && learn_identity(link, err) && set_up(link, err);
}

/* File and offset of the end are for people: an account without BINLOG MONITOR goes without. */
static void place_end(struct source_link *source, struct source_pos *pos)
{
    struct db_result *result;
    if (!db_query(source->db, &result, NULL, "SHOW MASTER STATUS")) return;
    if (result->row_count && result->column_count >= 2) {
        snprintf(pos->file, sizeof pos->file, "%s", db_value(result, 0, 0, NULL));
        pos->offset = strtoull(db_value(result, 0, 1, NULL), NULL, 10);
    }
    db_result_free(result);
}

static bool position_of_file(struct source_link *source, const struct source_settings *settings, struct source_pos *pos, struct err *err)
{
    struct buf quoted;
    char text[GTID_SET_TEXT_MAX];
    bool found, ok;
    uint64_t offset = settings->start_position ? settings->start_position : 4;
    buf_init(&quoted, 4 * SOURCE_FILE_MAX);
    db_quote(&quoted, slice_text(settings->start_file));
    ok = db_scalar(source->db, text, sizeof text, &found, err, "SELECT BINLOG_GTID_POS(%s, %llu)", buf_cstr(&quoted),
                   (unsigned long long)offset);
    buf_fini(&quoted);
    if (!ok) return false;
    if (!found)
        return err_set(err, ERR_CONFIG, "%s: start_file '%s' at start_position %llu is not in its binary logs: see SHOW BINARY LOGS "
                       "there, or give start_gtid", source->name, settings->start_file, (unsigned long long)offset);
    snprintf(pos->file, sizeof pos->file, "%s", settings->start_file);
    pos->offset = offset;
    return read_set(text, &pos->gtids, err);
}

static bool mariadb_position(struct source *self, const struct source_settings *settings, struct source_pos *pos, struct err *err)
{
    struct source_link *source = self->link;
    struct source_pos made;
    memset(&made, 0, sizeof made);
    made.offset = 4; /* also where no file is known: says that the position itself is */
    if (settings->start_gtid) {
        if (!read_set(settings->start_gtid, &made.gtids, err)) return err_context(err, "start_gtid");
        if (gtid_set_kind(&made.gtids) != GTID_MARIADB)
            return err_set(err, ERR_CONFIG, "start_gtid '%.300s' is a MySQL position, and %s is a MariaDB: expected DOMAIN-SERVER-SEQUENCE, for example 0-1-42",
                           settings->start_gtid, source->name);
    } else if (settings->start_file) {
        if (!position_of_file(source, settings, &made, err)) return false;
    } else {
        /* file and offset first: the set taken after them is never the older of the two */
        place_end(source, &made);
        char text[GTID_SET_TEXT_MAX];
        if (!db_scalar(source->db, text, sizeof text, NULL, err, "SELECT @@global.gtid_binlog_pos") ||
            !read_set(text, &made.gtids, err))
            return false;
    }
    *pos = made;
    return true;
}

static bool mariadb_dump(struct source *source, const struct source_pos *from, struct err *err)
{
    char text[GTID_SET_TEXT_MAX];
    gtid_set_format(&from->gtids, text);
    if (!db_exec(source->link->db, err, "SET @slave_connect_state = '%s'", text) || !source_register(source->link, err)) return false;
    /* file and position are of no meaning with @slave_connect_state; no annotations */
    struct db_dump dump = {.file = "", .offset = FILE_START, .flags = source_reads(source->link) ? DUMP_NON_BLOCK : 0, .server_id = source->link->settings->server_id};
    return db_dump(source->link->db, &dump, err);
}

/* No privilege is needed for the status variables; SHOW REPLICA STATUS wants one. */
static bool mariadb_follows(struct source *source)
{
    char text[16];
    bool found;
    return db_scalar(source->link->db, text, sizeof text, &found, NULL,
                     "SELECT SUM(VARIABLE_NAME = 'SLAVES_RUNNING' AND VARIABLE_VALUE > 0 OR VARIABLE_NAME = 'WSREP_CONNECTED' AND "
                     "VARIABLE_VALUE = 'ON') FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME IN ('SLAVES_RUNNING', "
                     "'WSREP_CONNECTED')") &&
           atoi(text) > 0;
}

static bool mariadb_histories(struct source *source, struct gtid *items, size_t room, size_t *count, struct err *err)
{
    struct db_result *result;
    size_t n = 0;
    bool ok = true;
    if (!db_query(source->link->db, &result, err, "SELECT @@global.gtid_binlog_state")) return false;
    const char *at = db_value(result, 0, 0, NULL);
    while (ok && at && *at && n < room) {
        size_t size = strcspn(at, ", \n");
        ok = gtid_parse(slice_of((const uint8_t *)at, size), &items[n++], err);
        at += size;
        at += strspn(at, ", \n");
    }
    db_result_free(result);
    if (ok) *count = n;
    return ok;
}

/* A connection of its own: the stream's cannot be asked. */
static bool mariadb_serves(const struct source_settings *settings, size_t host, struct err *err)
{
    struct db_options options;
    struct db *db;
    char name[320], host_name[256], status[32];
    bool found;
    if (!source_server(settings, host, &options, name, sizeof name, host_name, sizeof host_name, err)) return false;
    options.connect_timeout_ms = options.read_timeout_ms = SERVES_TIMEOUT_MS;
    if (!db_open(&options, &db, err)) return false;
    bool ok = db_scalar(db, status, sizeof status, &found, err,
                        "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'WSREP_CLUSTER_STATUS'");
    db_close(db);
    if (ok && found && strcasecmp(status, "Primary"))
        return err_set(err, ERR_RETRY, "%s: this node is cut off from its cluster (wsrep_cluster_status is %s)", name, status);
    return ok;
}

const struct source_driver source_mariadb = {
    SOURCE_SERVER_CALLS,
    .begin = begin,
    .position = mariadb_position,
    .dump = mariadb_dump,
    .follows = mariadb_follows,
    .histories = mariadb_histories,
    .serves = mariadb_serves,
};
