/* conf.c: see conf.h. */
#include "conf.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "toml.h"

enum { FILE_MAX_BYTES = 65536 };

static const struct conf defaults = {
    .data_dir = "/var/lib/wolfscale", .db_port = 3306, .pool_size = 10, .flush_ms = 10, .segment_mb = 256, .beat_ms = 200,
    .election_timeout_ms = 2000, .election_min_ms = 1000, .election_max_ms = 1500, .batch_entries = 5000, .auto_discovery = true,
    .api_bind = "0.0.0.0:8080", .proxy_bind = "0.0.0.0:8007", .api_enabled = true, .proxy_enabled = true};

#define TEXT(section, key, field) {section, key, TOML_STRING, offsetof(struct conf, field), sizeof defaults.field}
#define NUMBER(section, key, field) {section, key, TOML_INTEGER, offsetof(struct conf, field), sizeof defaults.field}
#define FLAG(section, key, field) {section, key, TOML_BOOLEAN, offsetof(struct conf, field), sizeof defaults.field}
static const struct key {
    const char *section, *name;
    enum toml_type type;
    size_t at, size;
} keys[] = {
    TEXT("node", "id", id),
    TEXT("node", "bind_address", bind),
    TEXT("node", "advertise_address", advertise),
    TEXT("node", "data_dir", data_dir),
    TEXT("database", "host", db_host),
    NUMBER("database", "port", db_port),
    TEXT("database", "user", db_user),
    TEXT("database", "password", db_password),
    NUMBER("database", "pool_size", pool_size),
    NUMBER("wal", "flush_interval_ms", flush_ms),
    NUMBER("wal", "segment_size_mb", segment_mb),
    FLAG("cluster", "bootstrap", bootstrap),
    FLAG("cluster", "never_leader", never_leader),
    FLAG("cluster", "auto_discovery", auto_discovery),
    TEXT("cluster", "cluster_name", cluster_name),
    NUMBER("cluster", "heartbeat_interval_ms", beat_ms),
    NUMBER("cluster", "election_timeout_ms", election_timeout_ms),
    NUMBER("cluster", "election_timeout_min_ms", election_min_ms),
    NUMBER("cluster", "election_timeout_max_ms", election_max_ms),
    NUMBER("cluster", "max_batch_entries", batch_entries),
    TEXT("api", "bind_address", api_bind),
    FLAG("api", "enabled", api_enabled),
    TEXT("proxy", "bind_address", proxy_bind),
    FLAG("proxy", "enabled", proxy_enabled),
};

static void take_peers(struct conf *conf, const struct toml_item *item)
{
    conf->peer_count = 0;
    for (size_t i = 0; i < item->item_count && i < PEERS_MAX; i++)
        snprintf(conf->peers[conf->peer_count++], ADDRESS_MAX, "%s", item->items[i]);
}

static void take(void *context, const struct toml_item *item)
{
    struct conf *conf = context;
    if (item->type == TOML_STRINGS && !strcmp(item->section, "cluster") && !strcmp(item->key, "peers")) take_peers(conf, item);
    for (size_t i = 0; i < sizeof keys / sizeof *keys && item->key; i++) {
        const struct key *key = &keys[i];
        char *to = (char *)conf + key->at;
        unsigned number = (unsigned)item->integer;
        bool flag = item->integer != 0;
        if (key->type != item->type || strcmp(key->section, item->section) != 0 || strcmp(key->name, item->key) != 0) continue;
        if (key->type == TOML_STRING) snprintf(to, key->size, "%s", item->text);
        else memcpy(to, key->type == TOML_BOOLEAN ? (const void *)&flag : (const void *)&number, key->size);
    }
}

bool conf_address(const char *text, char host[ADDRESS_MAX], unsigned *port)
{
    const char *colon = strrchr(text, ':');
    char *end = NULL;
    if (!colon || colon == text || (size_t)(colon - text) >= ADDRESS_MAX) return false;
    unsigned long number = strtoul(colon + 1, &end, 10);
    if (!colon[1] || *end || !number || number > 65535) return false;
    memmove(host, text, (size_t)(colon - text));
    host[colon - text] = 0;
    *port = (unsigned)number;
    return true;
}

static bool complete(const struct conf *conf, struct err *err)
{
    char host[ADDRESS_MAX];
    unsigned port;
    const char *addresses[] = {conf->bind, conf->advertise, conf->api_bind, conf->proxy_bind};
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++)
        if (!conf_address(addresses[i], host, &port)) return err_set(err, ERR_CONFIG, "not host:port: %s", addresses[i]);
    for (unsigned i = 0; i < conf->peer_count; i++)
        if (!conf_address(conf->peers[i], host, &port)) return err_set(err, ERR_CONFIG, "not host:port: %s", conf->peers[i]);
    if (!*conf->id || !*conf->db_host || !*conf->db_user || !conf->pool_size || !conf->segment_mb || !conf->batch_entries)
        return err_set(err, ERR_CONFIG, "a key that a node needs is missing or zero");
    return true;
}

bool conf_read(const char *path, struct conf *conf, struct err *err)
{
    static char text[FILE_MAX_BYTES];
    char message[400];
    unsigned line = 0;
    FILE *file = fopen(path, "r");
    if (!file) return err_set(err, ERR_CONFIG, "cannot read %s", path);
    size_t size = fread(text, 1, sizeof text, file);
    fclose(file);
    *conf = defaults;
    if (!toml_walk(text, size, take, conf, &line, message, sizeof message))
        return err_set(err, ERR_CONFIG, "%s:%u: %s", path, line, message);
    if (!*conf->advertise) memcpy(conf->advertise, conf->bind, sizeof conf->advertise);
    return complete(conf, err);
}
