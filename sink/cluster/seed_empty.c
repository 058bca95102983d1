/* seed_empty.c: see seed_empty in seed.h: what a node has to be rid of before the whole log can be delivered to it, from its first transaction on. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "seed_parts.h"

static bool open_host(struct seed *s, const char *text, struct err *err)
{
    const struct server_settings *server = &s->options->all->source.server;
    struct db_options options = {0};
    char host[256];
    unsigned port = server->port;
    settings_server(server, "source", &options);
    options.read_timeout_ms = SEED_READ_MS;
    if (text) {
        if (!settings_host(text, port, host, sizeof host, &port)) return err_set(err, ERR_CONFIG, "hosts: \"%s\" is no host name", text);
        options.host = host;
        options.port = port;
    }
    return db_open(&options, &s->donor, err);
}

/* It knows which databases are delivered. Of several hosts, the first that can be had. */
static bool open_source(struct seed *s, struct err *err)
{
    const struct strings *hosts = &s->options->all->source.hosts;
    struct err ignored = {0};
    for (size_t i = 0; i + 1 < hosts->count; i++)
        if (open_host(s, hosts->items[i], &ignored)) return true;
    return open_host(s, hosts->count ? hosts->items[hosts->count - 1] : NULL, err);
}

static bool is_bare(struct seed *s, const char *database, bool *bare, struct err *err)
{
    static const char *const lists[] = {"SELECT (SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA=",
        ") + (SELECT COUNT(*) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA=", ") + (SELECT COUNT(*) FROM information_schema.EVENTS WHERE EVENT_SCHEMA="};
    struct buf sql;
    char count[24];
    buf_init(&sql, 8192);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        buf_text(&sql, lists[i]);
        db_quote(&sql, slice_text(database));
    }
    buf_u8(&sql, ')');
    bool ok = db_scalar(s->node, count, sizeof count, NULL, err, "%s", buf_cstr(&sql));
    *bare = ok && !strcmp(count, "0");
    buf_fini(&sql);
    return ok;
}

/* The log makes them itself; one that holds what is not ours stays, and the log's CREATE DATABASE will say so. */
static bool drop_databases(struct seed *s, struct err *err)
{
    const char *last = "";
    for (size_t i = 0; i < s->objects.count; i++) {
        struct seed_object whole = {.database = s->objects.items[i].database};
        bool bare;
        if (!strcmp(last, whole.database)) continue;
        last = whole.database;
        if (!is_bare(s, whole.database, &bare, err)) return false;
        if (bare && !seed_exec(s->node, err, "DROP DATABASE IF EXISTS ", &whole, "")) return false;
    }
    return true;
}

/* What another log left under our name is not there any more, either. */
static bool forget_others(struct seed *s, struct err *err)
{
    return db_exec(s->node, err, "DELETE FROM wolfcdc.position WHERE sink='%s'", s->options->sink->position_name) && db_exec(s->node, err, "COMMIT");
}

bool seed_empty(const struct seed_options *options, struct err *err)
{
    struct seed seed = {.options = options}, *s = &seed;
    seed_init(s);
    bool ok = open_source(s, err) && seed_open_node(s, err) && seed_lock_node(s, err) && seed_names_read(s, err) && seed_forget_position(s, err) &&
              forget_others(s, err) && seed_drop(s, err) && drop_databases(s, err) && db_exec(s->node, err, "COMMIT");
    db_close(s->donor);
    db_close(s->node);
    seed_fini(s);
    return ok;
}
