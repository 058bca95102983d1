/* source.c: what all source drivers share: the list of hosts, and the meaning of a server's refusals. */
#include "source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

size_t source_hosts(const struct source_settings *settings) { return settings->hosts.count ? settings->hosts.count : 1; }

/* "host", "host:port", "[v6]:port"; the port of the settings where none is given. */
static bool split_host(const char *text, unsigned port, char *name, size_t room, unsigned *out, struct err *err)
{
    const char *close = text[0] == '[' ? strchr(text, ']') : NULL;
    const char *colon = close ? (close[1] == ':' ? close + 1 : NULL) : strrchr(text, ':');
    if (!close && colon && strchr(text, ':') != colon) colon = NULL; /* a bare IPv6 address */
    const char *end = close ? close : colon ? colon : text + strlen(text);
    const char *begin = close ? text + 1 : text;
    unsigned long number = port;
    if (colon) {
        char *rest;
        number = strtoul(colon + 1, &rest, 10);
        if (*rest || !number || number > 65535) return err_set(err, ERR_CONFIG, "hosts: \"%s\" has no valid port", text);
    }
    if (end == begin || (size_t)(end - begin) >= room) return err_set(err, ERR_CONFIG, "hosts: \"%s\" is no host name", text);
    snprintf(name, room, "%.*s", (int)(end - begin), begin);
    *out = (unsigned)number;
    return true;
}

bool source_server(const struct source_settings *settings, size_t host, struct db_options *options, char *name,
                   size_t name_room, char *host_name, size_t host_room, struct err *err)
{
    struct db_options made;
    settings_server(&settings->server, name, &made);
    if (settings->hosts.count) {
        if (!split_host(settings->hosts.items[host % settings->hosts.count], settings->server.port, host_name, host_room,
                        &made.port, err))
            return false;
        made.host = host_name;
        made.socket = NULL;
    }
    if (made.socket) snprintf(name, name_room, "source");
    else snprintf(name, name_room, "source %s:%u", made.host, made.port);
    made.name = name;
    *options = made;
    return true;
}

enum {
    SESSION_TIMEOUT_MS = 10000,
    /* cdc_stop promises 3 s, and the library's connecting cannot be interrupted */
    CONNECT_TIMEOUT_MAX_MS = 2500,
    REPORT_HOST_MAX = 60, /* the server's limit */
};

void source_link_close(struct source_link *link)
{
    if (!link) return;
    db_close(link->db);
    free(link);
}

bool source_link_open(const struct source_settings *settings, size_t host, struct source_link **out, struct err *err)
{
    struct db_options options;
    struct source_link *link = calloc(1, sizeof *link);
    if (!link) abort();
    link->settings = settings;
    link->host_index = host;
    if (!source_server(settings, host, &options, link->name, sizeof link->name, link->host, sizeof link->host, err)) goto failed;
    if (!options.connect_timeout_ms || options.connect_timeout_ms > CONNECT_TIMEOUT_MAX_MS)
        options.connect_timeout_ms = CONNECT_TIMEOUT_MAX_MS;
    options.read_timeout_ms = CONNECT_TIMEOUT_MAX_MS;
    options.patience_ms = SESSION_TIMEOUT_MS > 3 * settings->heartbeat_ms ? SESSION_TIMEOUT_MS : 3 * settings->heartbeat_ms;
    if (!db_open(&options, &link->db, err)) goto failed;
    db_read_timeout(link->db, SESSION_TIMEOUT_MS);
    link->info.version = *db_version(link->db);
    link->info.tls = db_is_tls(link->db);
    link->info.driver = db_library_name(link->db);
    if (options.socket) snprintf(link->info.server, sizeof link->info.server, "%s", options.socket);
    else snprintf(link->info.server, sizeof link->info.server, "%.255s:%u", options.host, options.port);
    *out = link;
    return true;
failed:
    source_link_close(link);
    return false;
}

/* A variable's value; "" where the server has no such variable. */
static bool learn_variable(struct source_link *link, const char *name, char *value, size_t room, struct err *err)
{
    struct db_result *result;
    if (!db_query(link->db, &result, err, "SHOW GLOBAL VARIABLES LIKE '%s'", name)) return false;
    snprintf(value, room, "%s", result->row_count ? db_value(result, 0, 1, NULL) : "");
    db_result_free(result);
    return true;
}

static bool learn_variables(struct source_link *link, struct err *err)
{
    struct source_info *info = &link->info;
    char names[16], stamps[16], folds[16];
    if (!learn_variable(link, "binlog_row_metadata", names, sizeof names, err) || /* since MariaDB 10.5 and MySQL 8.0 */
        !learn_variable(link, "explicit_defaults_for_timestamp", stamps, sizeof stamps, err) ||
        !learn_variable(link, "lower_case_table_names", folds, sizeof folds, err)) return false;
    info->folding = (unsigned)strtoul(folds, NULL, 10);
    info->unnamed = strcasecmp(names, "FULL") != 0;
    info->explicit_timestamp = info->version.flavour == DB_MYSQL && info->version.major < 8 && !strcmp(stamps, "ON");
    return true;
}

bool source_open(const struct source_settings *settings, size_t host, const struct source_driver **driver, struct source **source,
                 struct err *err)
{
    static const struct source_driver *const drivers[] = {[DB_MARIADB] = &source_mariadb, [DB_MYSQL] = &source_mysql};
    struct source_link *link;
    if (!source_link_open(settings, host, &link, err)) return false;
    if (!learn_variables(link, err)) {
        source_link_close(link);
        return false;
    }
    const struct source_driver *chosen = drivers[link->info.version.flavour];
    if (settings->semi_sync && !db_has_commands(link->db)) {
        (void)!err_set(err, ERR_CONFIG, "%s: semi_sync cannot be had with the driver mysqlclient over TLS, as that library has no call to acknowledge; what to "
                       "do: set driver = \"libmariadb\", or semi_sync = false", link->name);
        source_link_close(link);
        return false;
    }
    if (!chosen->begin(link, err)) {
        source_link_close(link);
        return false;
    }
    *source = calloc(1, sizeof **source);
    if (!*source) abort();
    (*source)->link = link;
    *driver = chosen;
    return true;
}

void source_close(struct source *source)
{
    if (!source) return;
    source_link_close(source->link);
    free(source);
}

const struct source_info *source_info(const struct source *source) { return &source->link->info; }
bool source_next(struct source *source, struct slice *event, bool *end, struct err *err) { return source_packet(source->link, event, end, err); }
bool source_ready(struct source *source) { return db_packet_ready(source->link->db); }
void source_patience(struct source *source, uint32_t ms) { db_read_timeout(source->link->db, ms); }
void source_interrupt(struct source *source) { db_shutdown(source->link->db); }
void source_wait(struct source *source, int fd, uint32_t ms) { db_wait_with(source->link->db, fd, ms); }

bool source_check(struct source *source, const struct check_facts *facts, finding_fn *fn, void *context, struct err *err)
{
    return checks_run(source->link->db, CHECK_SOURCE, facts, fn, context, err);
}

bool source_register(struct source_link *link, struct err *err)
{
    char host[256] = "";
    struct buf packet;
    if (source_reads(link) || !db_has_commands(link->db)) return true; /* then it does not show us, and that is all */
    gethostname(host, sizeof host - 1);
    struct slice name = slice_of(host, strlen(host) < REPORT_HOST_MAX ? strlen(host) : REPORT_HOST_MAX);
    buf_init(&packet, 512);
    buf_le(&packet, link->settings->server_id, 4);
    buf_u8(&packet, (uint8_t)name.size);
    buf_slice(&packet, name);
    buf_le(&packet, 0, 1 + 1 + 2); /* no report user, password, port */
    buf_le(&packet, 0, 4 + 4);     /* rank, master id */
    bool ok = db_command(link->db, DB_COM_REGISTER_SLAVE, buf_bytes(&packet), err);
    buf_fini(&packet);
    return ok;
}

bool source_packet(struct source_link *link, struct slice *event, bool *end, struct err *err)
{
    struct slice packet = {NULL, 0};
    bool eof = false;
    if (!db_packet(link->db, &packet, &eof, err)) return false;
    *end = eof;
    if (eof) return true;
    if (packet.size < 1 || packet.data[0] != 0)
        return err_set(err, ERR_CORRUPT, "%s: a packet of the stream begins with no status byte", link->name);
    *event = slice_of(packet.data + 1, packet.size - 1);
    if (!link->settings->semi_sync) return true;
    if (!framing_strip(&link->framing, event, err)) return err_context(err, "%s", link->name);
    link->info.semi_sync = link->framing.on;
    if (link->framing.asked) db_reply_due(link->db);
    return true;
}

bool source_ack_asked(const struct source *source) { return source->link->framing.asked; }

bool source_ack(struct source *source, const char *file, uint64_t offset, struct err *err)
{
    struct buf payload;
    buf_init(&payload, SOURCE_FILE_MAX + 16);
    ack_encode(&payload, file, offset);
    bool ok = db_tell(source->link->db, DB_SEMI_SYNC_ACK, buf_bytes(&payload), err);
    buf_fini(&payload);
    return ok;
}

#define REMEDY_DIVERGED \
    "this source's history is not the one in the log: point [source] at the right server, or start over with an empty log " \
    "and a fresh copy of the data; wolfctl resume tries again"
#define REMEDY_PURGED \
    "the changes in between are gone from this source: start over with an empty log and a fresh copy of the data, or add a " \
    "server to hosts that still has them; wolfctl resume tries again"
#define REMEDY_MODE \
    "the source's gtid_mode is not the one that the log was begun with: set it back, or start over with an empty log and a fresh copy of the data; " \
    "wolfctl resume tries again"
#define REMEDY_EVENT "check the source's disk and error log; wolfctl resume tries again"

static const struct source_refusal refusals[] = {
    {4052, "", CDC_STOPPED,
     "another replica or agent uses our server_id on this source: stop it, or choose another server_id (wolfctl binlog-setup "
     "finds a free one), then wolfctl resume"},
    {1236, "same server_uuid/server_id", CDC_STOPPED,
     "another replica or agent uses our server_id on this source: stop it, or choose another server_id (wolfctl binlog-setup "
     "finds a free one), then wolfctl resume"},
    {1236, "purged", CDC_PURGED, REMEDY_PURGED},
    {1236, "Could not find first log file name", CDC_PURGED, REMEDY_PURGED},
    {1236, "which is not in the master's binlog", CDC_DIVERGED, REMEDY_DIVERGED},
    {1236, "GTID_MODE", CDC_STOPPED, REMEDY_MODE},
    {1236, "replicate anonymous transaction", CDC_STOPPED, REMEDY_MODE},
    {1236, "replicate GTID", CDC_STOPPED, REMEDY_MODE},
    {1236, "is missing the GTID", CDC_DIVERGED, REMEDY_DIVERGED},
    {1236, "has more GTIDs than", CDC_DIVERGED, REMEDY_DIVERGED},
    {1236, "impossible position", CDC_DIVERGED, REMEDY_DIVERGED},
    {1236, "with the checksum", CDC_STOPPED, "the session's set-up was refused: is this server older than MariaDB 5.3?"},
    {1236, "Binary log is not open", CDC_STOPPED, "set log_bin on the source and restart it"},
    {1236, "server_id is 0", CDC_STOPPED, "set server_id on the source"},
    {1236, "Misconfigured", CDC_STOPPED, "set server_id on the source"},
    {1236, "max_allowed_packet", CDC_STOPPED, REMEDY_EVENT},
    {1236, "bogus data", CDC_STOPPED, REMEDY_EVENT},
    {1236, "truncated", CDC_STOPPED, REMEDY_EVENT},
    {1236, "crc check", CDC_STOPPED, REMEDY_EVENT},
    {1236, "decryption", CDC_STOPPED, REMEDY_EVENT},
    {1236, "I/O error", CDC_STOPPED, REMEDY_EVENT},
    {1236, "", CDC_STOPPED, "see the source's error log; wolfctl resume tries again"},
    {1773, "", CDC_STOPPED, "start_gtid must be a GTID set that this server understands (tags: MySQL 8.3 or later)"},
    {1941, "", CDC_STOPPED, "start_gtid must be a list of domain-server-sequence, one per domain"},
    {1227, "", CDC_STOPPED, "GRANT REPLICATION SLAVE ON *.* to the account that [source] names; wolfctl resume tries again"},
};

const struct source_refusal *source_refusal(const struct err *err)
{
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++)
        if (refusals[i].number == err->number && strcasestr(err->text, refusals[i].text)) return &refusals[i];
    return NULL;
}

bool source_torn_file(const struct err *err) { return err->number == 1236 && strcasestr(err->text, "truncated in the middle of event"); }
