/* source.c: what all source drivers share: the list of hosts, and the meaning of a server's refusals. */
#include "source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

#define REMEDY_DIVERGED \
    "this source's history is not the one in the log: point [source] at the right server, or start over with an empty log " \
    "and a fresh copy of the data; wolfctl resume tries again"
#define REMEDY_PURGED \
    "the changes in between are gone from this source: start over with an empty log and a fresh copy of the data, or add a " \
    "server to hosts that still has them; wolfctl resume tries again"
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
