/*
 * rules.c: the rules of the configuration that join several keys: what must be there, what must not stand together, what a text
 * has to look like. What concerns one key alone is in config.def.
 */
#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config.h"
#include "gtid.h"

unsigned line_of(const struct instance *instance, const char *name)
{
    for (size_t i = 0; i < config_key_count; i++)
        if (!strcmp(config_keys[i].section, instance->section->name) && !strcmp(config_keys[i].name, name))
            return instance->lines[i];
    assert(!"a key of config.def");
    return 0;
}

static bool port_valid(const char *text, unsigned *port)
{
    char *end;
    unsigned long value = isdigit((unsigned char)*text) ? strtoul(text, &end, 10) : 0;
    if (!value || *end || value > 65535) return false;
    *port = (unsigned)value;
    return true;
}

bool settings_host(const char *text, unsigned default_port, char *name, size_t room, unsigned *port)
{
    const char *colon = strrchr(text, ':'), *first = strchr(text, ':');
    size_t size = strlen(text);
    *port = default_port;
    if (text[0] == '[') { /* [v6]:port */
        const char *close = strchr(text, ']');
        if (!close || (close[1] && (close[1] != ':' || !port_valid(close + 2, port)))) return false;
        text++;
        size = (size_t)(close - text);
    } else if (colon && colon == first) { /* one colon: a port; several: a bare v6 address */
        if (!port_valid(colon + 1, port)) return false;
        size = (size_t)(colon - text);
    }
    if (!size || size >= room) return false;
    memcpy(name, text, size);
    name[size] = 0;
    return true;
}

static void together(struct reading *in, const struct instance *at, const char *a, const char *b, const char *why)
{
    if (line_of(at, a) && line_of(at, b))
        problem(&in->problems, line_of(at, b), b, "not together with %s (line %u): %s", a, line_of(at, a), why);
}

static void server_check(struct reading *in, const struct instance *at, const struct server_settings *server, bool has_hosts)
{
    bool my_cnf = server->defaults_file != NULL;
    together(in, at, "host", "socket", "one server, one way to it");
    together(in, at, "password", "password_file", "one of them says it");
    if (line_of(at, "ssl_cert") && !server->ssl_key)
        problem(&in->problems, line_of(at, "ssl_cert"), "ssl_cert", "needs ssl_key as well");
    if (line_of(at, "ssl_key") && !server->ssl_cert)
        problem(&in->problems, line_of(at, "ssl_key"), "ssl_key", "needs ssl_cert as well");
    if (!server->host && !server->socket && !has_hosts && !my_cnf)
        problem(&in->problems, at->line, "host", "is missing: which server (host or socket%s)?",
                strcmp(at->section->name, "source") ? "" : ", or hosts");
    if (!server->user && !my_cnf) problem(&in->problems, at->line, "user", "is missing: which account?");
}

static void source_check(struct reading *in)
{
    const struct instance *at = instance_of(in, "source", 0);
    const struct source_settings *source = &in->settings->source;
    char name[256];
    unsigned port;
    if (!at->line) {
        problem(&in->problems, 0, "", "section [source] is missing; wolfctl binlog-setup writes one");
        return;
    }
    together(in, at, "host", "hosts", "one server, or a list of them");
    together(in, at, "start_gtid", "start_file", "one place to begin");
    const struct server_settings *server = &source->server;
    bool files_alone = source->files.count && !source->hosts.count && !server->host && !server->socket && !server->defaults_file;
    if (!files_alone) server_check(in, at, server, source->hosts.count > 0);
    for (size_t i = 0; i < source->hosts.count; i++)
        if (!settings_host(source->hosts.items[i], source->server.port, name, sizeof name, &port))
            problem(&in->problems, line_of(at, "hosts"), "hosts", "\"%.*s\": allowed is \"host\" or \"host:port\"", CONFIG_SHOWN_MAX,
                    source->hosts.items[i]);
    if (!line_of(at, "server_id") && !files_alone)
        problem(&in->problems, at->line, "server_id",
                "is missing: a number that no server or replica of the source has; wolfctl binlog-setup finds one");
    if (line_of(at, "start_position") && !line_of(at, "start_file"))
        problem(&in->problems, line_of(at, "start_position"), "start_position", "needs start_file as well");
    struct gtid_set set;
    struct err why;
    if (source->start_gtid && !gtid_set_parse(slice_text(source->start_gtid), &set, &why))
        problem(&in->problems, line_of(at, "start_gtid"), "start_gtid", "\"%.*s\": %s; allowed is a GTID set as 0-1-42,1-1-7, of a MySQL as uuid:1-42",
                CONFIG_SHOWN_MAX, source->start_gtid, why.text);
}

static bool name_valid(const char *name)
{
    return name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")] == 0;
}

static bool start_valid(const char *start)
{
    if (!strcmp(start, "oldest") || !strcmp(start, "now")) return true;
    return *start != '0' && strspn(start, "0123456789") == strlen(start) && strlen(start) < 20;
}

static bool node_is(const struct node_settings *a, const struct node_settings *b)
{
    return a->port == b->port && !strcasecmp(a->host, b->host);
}

static void cluster_check(struct reading *in, const struct instance *at, const struct sink_settings *sink)
{
    static const char *const keys[] = {"nodes", "delivery", "lock_ms", "node_hold_mb", "discovery", "cluster_name", "proof", "proof_rows_per_second"};
    if (strcmp(sink->type, "wolfscale")) {
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            if (line_of(at, keys[i])) problem(&in->problems, line_of(at, keys[i]), keys[i], "is for type \"wolfscale\" only");
        return;
    }
    if (!sink->nodes.count && !line_of(at, "nodes"))
        problem(&in->problems, at->line, "nodes", "is missing: which nodes has the cluster? wolfctl binlog-setup --cluster HOST finds them");
    if (sink->server.host && line_of(at, "host"))
        problem(&in->problems, line_of(at, "host"), "host", "is not for type \"wolfscale\": nodes names the servers");
    if (!sink->server.user && !sink->server.defaults_file) problem(&in->problems, at->line, "user", "is missing: which account, the same on each node?");
    if (!strcmp(sink->delivery, "leader") && !sink->proof)
        problem(&in->problems, line_of(at, "delivery"), "delivery", "\"leader\" needs proof = true: rows that late statements changed are found by it");
    if (!strcmp(sink->delivery, "leader") && (sink->server.ssl || sink->server.ssl_ca || sink->server.ssl_cert || sink->server.ssl_key))
        problem(&in->problems, line_of(at, "delivery"), "delivery", "\"leader\" not together with the ssl keys: a WolfScale node's proxy cannot speak TLS");
    if (sink->discovery)
        for (const struct sink_settings *other = in->settings->sinks; other < sink; other++)
            if (other->discovery)
                problem(&in->problems, line_of(at, "discovery"), "discovery", "in one [[sink]] only: \"%s\" has it already", other->name ? other->name : "?");
    char name[SINK_NAME_MAX];
    for (size_t i = 0; sink->name && i < sink->nodes.count; i++)
        if (cluster_part_name(sink->name, &sink->nodes.items[i], name, sizeof name) >= sizeof name)
            problem(&in->problems, line_of(at, "nodes"), "nodes", "\"%.40s…\": the sink's name and this are together longer than %d bytes",
                    sink->nodes.items[i].host, SINK_NAME_MAX - 1);
    for (size_t i = 0; i < sink->nodes.count; i++)
        for (size_t j = 0; j < i; j++)
            if (node_is(&sink->nodes.items[i], &sink->nodes.items[j]))
                problem(&in->problems, line_of(at, "nodes"), "nodes", "\"%s:%u\" stands there twice", sink->nodes.items[i].host, sink->nodes.items[i].port);
}

static bool url_valid(const char *url)
{
    size_t scheme = !strncasecmp(url, "http://", 7) ? 7 : !strncasecmp(url, "https://", 8) ? 8 : 0;
    return scheme && url[scheme] && url[scheme] != '/' && !strpbrk(url, " \t\r\n?#@") && strlen(url) <= 1024;
}

static void http_check(struct reading *in, const struct instance *at, const struct sink_settings *sink)
{
    static const char *const keys[] = {"url", "token_file"};
    if (strcmp(sink->type, "http")) {
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
            if (line_of(at, keys[i])) problem(&in->problems, line_of(at, keys[i]), keys[i], "is for type \"http\" only");
        return;
    }
    if (!sink->url.count) problem(&in->problems, at->line, "url", "is missing: type \"http\" needs the addresses of the API");
    for (size_t i = 0; i < sink->url.count; i++)
        if (!url_valid(sink->url.items[i]))
            problem(&in->problems, line_of(at, "url"), "url", "\"%.*s\": allowed is \"http://host:port\" or \"https://host:port\", without account, ? and #",
                    CONFIG_SHOWN_MAX, sink->url.items[i]);
    if ((!sink->server.host && !sink->server.socket && !sink->server.defaults_file) || (!sink->server.user && !sink->server.defaults_file))
        problem(&in->problems, at->line, "host", "type \"http\" needs host, port and user as well: before first use a row is read back over SQL, to prove that "
                "the target stores");
    else server_check(in, at, &sink->server, false);
}

static void sink_check(struct reading *in, size_t index)
{
    const struct instance *at = instance_of(in, "sink", index);
    const struct sink_settings *sink = &in->settings->sinks[index];
    if (!sink->name) problem(&in->problems, at->line, "name", "is missing: every [[sink]] needs one");
    else if (!name_valid(sink->name))
        problem(&in->problems, line_of(at, "name"), "name", "\"%s\": allowed are letters, digits, - and _", sink->name);
    for (size_t i = 0; sink->name && i < index; i++) {
        const char *other = in->settings->sinks[i].name;
        if (!other || strcasecmp(other, sink->name)) continue;
        problem(&in->problems, line_of(at, "name"), "name", "\"%s\": the [[sink]] of line %u has that name already", sink->name,
                instance_of(in, "sink", i)->line);
    }
    if (sink->start && !start_valid(sink->start))
        problem(&in->problems, line_of(at, "start"), "start", "\"%s\": allowed is \"oldest\", \"now\" or an LSN as text",
                sink->start);
    if (!strcmp(sink->type, "mysql")) server_check(in, at, &sink->server, false);
    cluster_check(in, at, sink);
    http_check(in, at, sink);
    if (!strcmp(sink->type, "jsonl") && !sink->path)
        problem(&in->problems, at->line, "path", "is missing: type \"jsonl\" needs a file, or \"-\"");
    if (strcmp(sink->type, "jsonl") && sink->path)
        problem(&in->problems, line_of(at, "path"), "path", "is for type \"jsonl\" only");
}

static void patterns_check(struct reading *in, const struct instance *at, const struct strings *list, const char *key)
{
    for (size_t i = 0; i < list->count; i++)
        if (!strchr(list->items[i], '.') || strlen(list->items[i]) > 2 * 64 * 4)
            problem(&in->problems, line_of(at, key), key, "\"%.*s\": allowed is \"database.table\", with * and ?", CONFIG_SHOWN_MAX,
                    list->items[i]);
}

static void columns_check(struct reading *in, const struct instance *at, const struct strings *list, const char *key, bool value)
{
    for (size_t i = 0; i < list->count; i++) {
        const char *dot = strchr(list->items[i], '.'), *second = dot ? strchr(dot + 1, '.') : NULL, *equal = second ? strchr(second, '=') : NULL;
        bool good = second && dot > list->items[i] && second > dot + 1 && second[1] && (!value || (equal && equal > second + 1));
        if (!good)
            problem(&in->problems, line_of(at, key), key, "\"%.*s\": allowed is \"database.table.column%s\", with * and ?", CONFIG_SHOWN_MAX,
                    list->items[i], value ? "=value" : "");
    }
}

static void masks_check(struct reading *in, const struct instance *at, const struct filter_settings *filter)
{
    const struct settings *s = in->settings;
    bool any = filter->mask_hash.count || filter->mask_fixed.count || filter->mask_null.count || filter->exclude_columns.count;
    columns_check(in, at, &filter->mask_hash, "mask_hash", false);
    columns_check(in, at, &filter->mask_fixed, "mask_fixed", true);
    columns_check(in, at, &filter->mask_null, "mask_null", false);
    columns_check(in, at, &filter->exclude_columns, "exclude_columns", false);
    if (filter->mask_hash.count && !filter->mask_key_file)
        problem(&in->problems, line_of(at, "mask_hash"), "mask_hash", "needs mask_key_file as well");
    for (size_t i = 0; any && i < s->sink_count; i++)
        if (!strcmp(s->sinks[i].type, "wolfscale"))
            problem(&in->problems, instance_of(in, "sink", i)->line, "type", "wolfscale is not possible with masked or excluded columns: its nodes are "
                    "seeded from the source and compared with it");
}

void rules_check(struct reading *in)
{
    struct settings *s = in->settings;
    const struct instance *api = instance_of(in, "api", 0), *filter = instance_of(in, "filter", 0);
    char name[256];
    unsigned port = 0;
    source_check(in);
    size_t parts = 0;
    for (size_t i = 0; i < s->sink_count; i++) parts += s->sinks[i].nodes.count ? s->sinks[i].nodes.count + 1 : 1;
    if (parts > SINKS_MAX) problem(&in->problems, 0, "", "more than %d sinks, each node of a cluster being one", SINKS_MAX);
    if (s->sink_count == 0)
        problem(&in->problems, 0, "", "no [[sink]]: where are the changes to go?");
    for (size_t i = 0; i < s->sink_count; i++) {
        sink_check(in, i);
        patterns_check(in, instance_of(in, "sink", i), &s->sinks[i].include, "include");
        patterns_check(in, instance_of(in, "sink", i), &s->sinks[i].exclude, "exclude");
    }
    patterns_check(in, filter, &s->filter.include, "include");
    patterns_check(in, filter, &s->filter.exclude, "exclude");
    masks_check(in, filter, &s->filter);
    if (s->api.listen && (!settings_host(s->api.listen, 0, name, sizeof name, &port) || !port))
        problem(&in->problems, line_of(api, "listen"), "listen", "\"%s\": allowed is \"address:port\", as 127.0.0.1:8473",
                s->api.listen);
}
