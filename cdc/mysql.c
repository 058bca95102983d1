/*
 * mysql.c: the source driver for MySQL, 5.6 and later. With gtid_mode = ON the start is a GTID set in COM_BINLOG_DUMP_GTID; else, and where
 * the log was begun so, a file and an offset in COM_BINLOG_DUMP. The server tells its replicas apart by @replica_uuid.
 * Source: MySQL's "Replication protocol" pages, rpl_binlog_sender.cc; the encoding of sets is that of PREVIOUS_GTIDS.
 *
 * A start given as file and offset is looked at first, on a connection of its own that reads the file from its beginning: so the GTIDs before it become
 * known, and an offset inside a transaction is seen before anything is taken.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "binlog_end.h"
#include "clock.h"
#include "decoder.h"
#include "event.h"
#include "filter.h"
#include "source.h"

enum { DUMP_HEARTBEAT_V2 = 0x02, FILE_START = 4 };

static bool at_least(const struct source_link *link, unsigned major, unsigned minor, unsigned patch)
{
    const struct db_version *v = &link->info.version;
    if (v->major != major || v->minor != minor) return db_version_at_least(v, major, minor);
    return v->patch >= patch;
}

/* ---- opening ---- */

static bool known_version(const struct source_link *link, struct err *err)
{
    if (at_least(link, 5, 6, 0)) return true;
    return err_set(err, ERR_UNSUPPORTED, "%s: is MySQL %s: MySQL 5.6 or later is needed; what to do: upgrade the source, or read its saved binary logs "
                   "with wolfctl binlog decode", link->name, link->info.version.text);
}

/* What the stream needs to know of the server. No privilege is needed for any of it. */
static bool learn(struct source_link *link, struct err *err)
{
    struct db_result *result;
    struct source_info *info = &link->info;
    if (!db_query(link->db, &result, err,
                  "SELECT @@global.binlog_checksum, @@global.server_id, CAST(UNIX_TIMESTAMP(NOW(6)) * 1000000 AS UNSIGNED), @@global.log_bin"))
        return false;
    uint64_t now = clock_wall_us();
    const char *checksum = db_value(result, 0, 0, NULL), *id = db_value(result, 0, 1, NULL);
    const char *clock = db_value(result, 0, 2, NULL), *log_bin = db_value(result, 0, 3, NULL);
    bool ok = true;
    info->checksum = checksum && strcmp(checksum, "NONE");
    info->server_id = id ? (uint32_t)strtoul(id, NULL, 10) : 0;
    info->clock_skew_us = clock ? (int64_t)(strtoull(clock, NULL, 10) - now) : 0;
    if (log_bin && !strcmp(log_bin, "0"))
        ok = err_set(err, ERR_CONFIG, "%s: log_bin is OFF: set log_bin in the source's configuration and restart it", link->name);
    else if (info->server_id == link->settings->server_id)
        ok = err_set(err, ERR_CONFIG, "%s: server_id %u is the source's own: choose another in [source]", link->name, info->server_id);
    db_result_free(result);
    return ok;
}

/* binlog_expire_logs_seconds came with 8.0; before it there are days. */
static bool learn_retention(struct source_link *link, struct err *err)
{
    char text[64];
    bool found, seconds = at_least(link, 8, 0, 1);
    if (!db_scalar(link->db, text, sizeof text, &found, err,
                   seconds ? "SELECT @@global.binlog_expire_logs_seconds" : "SELECT @@global.expire_logs_days * 86400"))
        return false;
    link->info.retention_s = found ? strtoll(text, NULL, 10) : 0;
    return true;
}

static bool learn_end(struct source_link *link, struct err *err)
{
    struct source_info *info = &link->info;
    struct source_pos *end = calloc(1, sizeof *end);
    if (!end) abort();
    bool gtids, ok = binlog_has_gtids(link->db, &gtids, err) && binlog_end(link->db, !gtids, end, err);
    if (ok) {
        info->files_only = !gtids;
        gtid_set_copy(&info->end, &end->gtids);
        info->place = (struct gtid){.kind = GTID_FILE, .seq = end->offset};
        if (!source_file_number(end->file, &info->place.server)) info->place.seq = 0;
    }
    free(end);
    return ok || err_context(err, "%s", link->name);
}

/* The UUID is of this server's data directory, whatever name leads there. */
static bool learn_identity(struct source_link *link, struct err *err)
{
    char uuid[64];
    bool found;
    if (!db_scalar(link->db, uuid, sizeof uuid, &found, err, "SELECT @@global.server_uuid")) return false;
    snprintf(link->info.identity, sizeof link->info.identity, "server_id %u, uuid %s", link->info.server_id, uuid);
    return true;
}

static bool set_up(struct source_link *link, struct err *err)
{
    unsigned long long heartbeat_ns = (unsigned long long)link->settings->heartbeat_ms * 1000000;
    uint32_t id = link->settings->server_id;
    char uuid[160] = "";
    /* By the UUID, which is the same at each of our connections, the server ends the one before, should it not know yet that it is dead. */
    if (!source_reads(link))
        snprintf(uuid, sizeof uuid, ", @slave_uuid = '776f6c66-6364-6300-8000-0000%08x', @replica_uuid = '776f6c66-6364-6300-8000-0000%08x'", id, id);
    /* Both spellings of each; the older one is what the server reads up to 8.0.25. */
    return db_exec(link->db, err,
                   "SET @master_binlog_checksum = @@global.binlog_checksum, @source_binlog_checksum = @@global.binlog_checksum, "
                   "@master_heartbeat_period = %llu, @source_heartbeat_period = %llu, net_write_timeout = %d%s%s",
                   heartbeat_ns, heartbeat_ns, SOURCE_WRITE_TIMEOUT_S, uuid, link->settings->semi_sync ? ", @rpl_semi_sync_slave = 1, @rpl_semi_sync_replica = 1" : "");
}

static bool begin(struct source_link *link, struct err *err)
{
    return known_version(link, err) && learn(link, err) && learn_retention(link, err) && learn_end(link, err) && learn_identity(link, err) && set_up(link, err);
}

/* ---- the stream ---- */

static bool has_tags(const struct gtid_set *set)
{
    for (uint32_t i = 0; i < set->count; i++)
        if (*set->items[i].tag) return true;
    return false;
}

/* A UUID (and tag) with its intervals, ends exclusive; *i moves behind them. */
static void put_stream(const struct gtid_set *set, uint32_t *i, bool tagged, struct buf *out)
{
    const struct gtid *first = &set->items[*i];
    uint32_t end = *i;
    while (end < set->count && gtid_same_stream(&set->items[end], first)) end++;
    buf_put(out, first->uuid, sizeof first->uuid);
    if (tagged) {
        struct slice tag = slice_text(first->tag);
        buf_u8(out, (uint8_t)(tag.size << 1)); /* their variable-length integer; a tag's length needs one byte */
        buf_slice(out, tag);
    }
    buf_le(out, end - *i, 8);
    for (; *i < end; ++*i) {
        buf_le(out, set->items[*i].first, 8);
        buf_le(out, set->items[*i].seq + 1, 8);
    }
}

static uint64_t count_streams(const struct gtid_set *set)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < set->count; i++) count += !i || !gtid_same_stream(&set->items[i - 1], &set->items[i]);
    return count;
}

/* As the body of PREVIOUS_GTIDS: format 0, or 1 where there are tags, which servers before 8.3 do not know. */
static void put_set(const struct gtid_set *set, struct buf *out)
{
    bool tagged = has_tags(set);
    uint64_t count = count_streams(set);
    buf_le(out, tagged ? UINT64_C(1) << 56 | count << 8 | 1 : count, 8);
    for (uint32_t i = 0; i < set->count;) put_stream(set, &i, tagged, out);
}

static unsigned dump_flags(const struct source_link *link) { return (at_least(link, 8, 0, 26) ? DUMP_HEARTBEAT_V2 : 0) | (source_reads(link) ? DUMP_NON_BLOCK : 0); }

static bool dump_gtids(struct source_link *link, const struct gtid_set *from, struct err *err)
{
    struct buf set;
    if (has_tags(from) && !at_least(link, 8, 3, 0))
        return err_set(err, ERR_CONFIG, "%s: the position has tagged GTIDs, which MySQL %s does not know (8.3 or later does): is this the right server?",
                       link->name, link->info.version.text);
    buf_init(&set, 32 << 10);
    put_set(from, &set);
    /* no file: the server chooses; one named beside a set would be where it begins */
    struct db_dump dump = {.file = "", .offset = FILE_START, .flags = dump_flags(link), .server_id = link->settings->server_id, .by_set = true,
                           .set = buf_bytes(&set)};
    bool ok = db_dump(link->db, &dump, err);
    buf_fini(&set);
    return ok;
}

static bool can_be_asked(const struct source_link *link, const char *file, uint64_t offset, struct err *err)
{
    if (offset <= UINT32_MAX) return true;
    return err_set(err, ERR_LIMIT, "%s: the position is %s:%" PRIu64 ", and a server without GTIDs can only be asked for offsets below 4 GiB; what to do: "
                   "set gtid_mode=ON on the source, or FLUSH BINARY LOGS there, and start over at the new file with a fresh copy of the data; "
                   "transactions that large are what makes files of that size", link->name, file, offset);
}

static bool dump_file(struct source_link *link, const char *file, uint64_t offset, unsigned flags, struct err *err)
{
    if (!can_be_asked(link, file, offset, err)) return false;
    struct db_dump dump = {.file = file, .offset = offset, .flags = flags, .server_id = link->settings->server_id};
    return db_dump(link->db, &dump, err);
}

/* The name of a file of the binary log: the one with that number, or the oldest. */
static bool file_of(struct source_link *link, const uint32_t *number, char file[SOURCE_FILE_MAX], struct err *err)
{
    struct db_result *result;
    bool found = false;
    if (!db_query(link->db, &result, err, "SHOW BINARY LOGS")) return false;
    for (uint64_t i = 0; i < result->row_count && !found; i++) {
        uint32_t its;
        const char *name = db_value(result, i, 0, NULL);
        found = name && source_file_number(name, &its) && (!number || its == *number);
        if (found) snprintf(file, SOURCE_FILE_MAX, "%s", name);
    }
    db_result_free(result);
    return found || err_set(err, ERR_CONFIG, "%s: the file of that number is not in its binary logs: see SHOW BINARY LOGS there", link->name);
}

/* A position that came from a target (wolfctl sink adopt) has only the file's number. */
static bool dump_place(struct source_link *link, const struct source_pos *from, struct err *err)
{
    const struct gtid *place = &from->gtids.items[0];
    char file[SOURCE_FILE_MAX];
    if (*from->file) return dump_file(link, from->file, from->offset, dump_flags(link), err);
    return file_of(link, &place->server, file, err) && dump_file(link, file, place->seq, dump_flags(link), err);
}

static bool mysql_dump(struct source *source, const struct source_pos *from, struct err *err)
{
    struct source_link *link = source->link;
    bool by_file = gtid_set_kind(&from->gtids) == GTID_FILE;
    if (!source_register(link, err)) return false;
    return by_file ? dump_place(link, from, err) : dump_gtids(link, &from->gtids, err);
}

/* Whether it applies another server's changes: each channel's thread that receives has a row. */
static bool mysql_follows(struct source *source)
{
    char text[16];
    bool found;
    const char *sql = at_least(source->link, 5, 7, 0)
                          ? "SELECT COUNT(*) FROM performance_schema.replication_connection_status WHERE SERVICE_STATE = 'ON'"
                          : "SELECT VARIABLE_VALUE = 'ON' FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'SLAVE_RUNNING'";
    return db_scalar(source->link->db, text, sizeof text, &found, NULL, "%s", sql) && atoi(text) > 0;
}

/* ---- where to begin ---- */

static bool nothing(void *context, const struct change *change, struct err *err)
{
    (void)context, (void)change, (void)err;
    return true;
}

static bool place_of(const char *file, uint64_t offset, struct gtid_set *set, struct err *err)
{
    struct gtid place = {.kind = GTID_FILE, .seq = offset};
    if (!source_file_number(file, &place.server))
        return err_set(err, ERR_UNSUPPORTED, "start_file '%s' has no number at its end, as binlog.000042 has", file);
    set->count = 0;
    return gtid_set_put(set, place, err);
}

/* What reading a file up to an offset needs to know. */
struct scan {
    const char *file;
    uint64_t offset, before; /* before: the last place outside of a transaction that lies before the offset */
    bool gtids, previous;    /* previous: PREVIOUS_GTIDS has been there */
};

/* True: the offset has been reached (*good), or passed. */
static bool scan_reached(struct scan *scan, const struct decoder *decoder, bool *good)
{
    const struct source_pos *pos = decoder_pos(decoder);
    *good = false;
    if (strcmp(pos->file, scan->file)) return scan->before != 0; /* the next file */
    if (decoder_in_transaction(decoder)) return false;
    *good = pos->offset == scan->offset || (scan->offset == FILE_START && scan->previous);
    bool reached = pos->offset >= scan->offset && (scan->previous || !scan->gtids);
    if (pos->offset < scan->offset) scan->before = pos->offset;
    return reached;
}

static bool scan_file(struct source_link *link, struct decoder *decoder, struct scan *scan, struct err *err)
{
    bool good = false;
    for (;;) {
        struct slice event = {NULL, 0};
        enum decoder_note note;
        bool end = false;
        if (!source_packet(link, &event, &end, err)) return false;
        if (end) break;
        if (!decoder_event(decoder, event, &note, err)) return err_context(err, "looking for start_position %" PRIu64, scan->offset);
        if (event.data[EVENT_TYPE_AT] == EVENT_PREVIOUS_GTIDS) scan->previous = true;
        if (scan_reached(scan, decoder, &good)) break;
    }
    if (good) return true;
    return err_set(err, ERR_CONFIG, "%s: start_position %" PRIu64 " is no place in %s between two transactions (it is inside of one, or of an event, or behind the file's end); "
                   "the last one before it is %" PRIu64, link->name, scan->offset, scan->file, scan->before);
}

/* Reads the file up to the offset on a connection of its own. *gtids: in `made`, of what comes before, where the server has GTIDs. */
static bool look_at_file(struct source *source, struct source_pos *made, struct err *err)
{
    static const char *none = "*.*";
    const struct strings nothing_in = {0, NULL}, everything = {1, &none};
    struct source_link *link = NULL, *own = source->link;
    struct scan scan = {.file = made->file, .offset = made->offset, .gtids = !own->info.files_only};
    struct filter *filter = NULL;
    struct decoder *decoder = NULL;
    struct source_pos *start = calloc(1, sizeof *start);
    if (!start) abort();
    start->offset = FILE_START;
    if (!scan.gtids) source_pos_copy(start, made), start->offset = FILE_START;
    bool ok = filter_new(&nothing_in, &everything, &filter, err) && source_link_open(own->settings, own->host_index, &link, err) && set_up(link, err) &&
              dump_file(link, made->file, FILE_START, DUMP_NON_BLOCK, err);
    if (ok) {
        struct decoder_options options = {.checksum = own->info.checksum, .verify_checksums = true, .filter = filter, .emit = nothing};
        decoder = decoder_new(&options, start);
        ok = scan_file(link, decoder, &scan, err);
    }
    if (ok && scan.gtids) gtid_set_copy(&made->gtids, &decoder_pos(decoder)->gtids);
    decoder_free(decoder);
    source_link_close(link);
    filter_free(filter);
    free(start);
    return ok;
}

static bool position_of_file(struct source *source, const struct source_settings *settings, struct source_pos *made, struct err *err)
{
    made->offset = settings->start_position ? settings->start_position : FILE_START;
    snprintf(made->file, sizeof made->file, "%s", settings->start_file);
    if (source->link->info.files_only && (!can_be_asked(source->link, made->file, made->offset, err) || !place_of(made->file, made->offset, &made->gtids, err)))
        return false;
    return look_at_file(source, made, err);
}

/* A place in a file, written as what wolfctl shows for a server without GTIDs; "" is the oldest. */
static bool position_of_place(struct source *source, struct source_pos *made, struct err *err)
{
    bool oldest = !made->gtids.count;
    made->offset = oldest ? FILE_START : made->gtids.items[0].seq;
    if (!file_of(source->link, oldest ? NULL : &made->gtids.items[0].server, made->file, err)) return false;
    return can_be_asked(source->link, made->file, made->offset, err) && place_of(made->file, made->offset, &made->gtids, err) && (oldest || look_at_file(source, made, err));
}

static bool position_of_gtids(struct source *source, const struct source_settings *settings, struct source_pos *made, struct err *err)
{
    struct source_link *link = source->link;
    made->offset = FILE_START; /* also where no file is known: says that the position itself is */
    if (!gtid_set_parse(slice_text(settings->start_gtid), &made->gtids, err)) return err_context(err, "start_gtid");
    enum gtid_kind kind = gtid_set_kind(&made->gtids);
    if (made->gtids.count && kind == GTID_MARIADB)
        return err_set(err, ERR_CONFIG, "start_gtid '%.300s' is a MariaDB position, and %s is a MySQL: expected UUID:INTERVAL, for example "
                       "588edc56-e4a0-11f1-a6d4-02fc00000001:1-5", settings->start_gtid, link->name);
    if (kind == GTID_FILE || (!made->gtids.count && link->info.files_only)) return position_of_place(source, made, err);
    if (link->info.files_only)
        return err_set(err, ERR_CONFIG, "start_gtid is set, and gtid_mode of %s is not ON; what to do: give start_file and start_position, or set "
                       "gtid_mode=ON there", link->name);
    return true;
}

static bool find_position(struct source *source, const struct source_settings *settings, struct source_pos *made, struct err *err)
{
    if (settings->start_gtid) return position_of_gtids(source, settings, made, err);
    if (settings->start_file) return position_of_file(source, settings, made, err);
    if (!binlog_end(source->link->db, source->link->info.files_only, made, err)) return false;
    if (!made->offset) made->offset = FILE_START;
    return true;
}

static bool mysql_position(struct source *source, const struct source_settings *settings, struct source_pos *pos, struct err *err)
{
    struct source_pos *made = calloc(1, sizeof *made);
    if (!made) abort();
    bool ok = find_position(source, settings, made, err);
    if (ok) source_pos_copy(pos, made);
    free(made);
    return ok;
}

const struct source_driver source_mysql = {
    SOURCE_SERVER_CALLS,
    .begin = begin,
    .position = mysql_position,
    .dump = mysql_dump,
    .follows = mysql_follows,
};
