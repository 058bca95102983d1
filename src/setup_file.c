/* setup_file.c: see setup.h. */
#include "setup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "program.h"
#include "toml.h"

#define WAL_DIR "/var/lib/wolfcdc/wal"

enum { UPSTREAM_MAX = 1 << 20 };

/* ---- writing ---- */

static void put_quoted(struct buf *out, const char *text)
{
    buf_u8(out, '"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') buf_printf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f) buf_printf(out, "\\u%04x", c);
        else buf_u8(out, c);
    }
    buf_u8(out, '"');
}

static void put_text(struct buf *out, const char *key, const char *text)
{
    if (!text) return;
    buf_printf(out, "%s = ", key);
    put_quoted(out, text);
    buf_u8(out, '\n');
}

static void put_account(struct buf *out, const struct server_settings *server, bool hide_password, const char *variable)
{
    put_text(out, "user", server->user);
    if (server->password_file) put_text(out, "password_file", server->password_file);
    else if (server->defaults_file) put_text(out, "defaults_file", server->defaults_file);
    else if (server->password && !hide_password) put_text(out, "password", server->password);
    else buf_printf(out, "# the password: password_file = \"...\", or the environment variable %s\n", variable);
    put_text(out, "ssl_ca", server->ssl_ca);
    put_text(out, "ssl_cert", server->ssl_cert);
    put_text(out, "ssl_key", server->ssl_key);
    if (server->ssl) buf_text(out, "ssl = true\n");
    if (!server->ssl_verify_server_cert) buf_text(out, "ssl_verify_server_cert = false\n");
}

static void put_server(struct buf *out, const struct server_settings *server, bool hide_password, const char *variable)
{
    if (server->socket) {
        put_text(out, "socket", server->socket);
    } else {
        put_text(out, "host", server->host);
        buf_printf(out, "port = %u\n", server->port);
    }
    put_account(out, server, hide_password, variable);
}

static void put_source(const struct setup_plan *plan, struct buf *out)
{
    buf_text(out, "[source]\n");
    put_server(out, &plan->source, plan->hide_password, "WOLFCDC_SOURCE_PASSWORD");
    buf_printf(out, "server_id = %u\n", plan->server_id);
    buf_text(out, "# Where the log begins. It counts only while the log is empty.\n");
    if (plan->start_file) {
        put_text(out, "start_file", plan->start_file);
        buf_printf(out, "start_position = %llu\n", (unsigned long long)plan->start_position);
        return;
    }
    if (plan->end_file && *plan->end_file)
        buf_printf(out, "# This is the source's end at the time of writing: %s:%llu.\n", plan->end_file, (unsigned long long)plan->end_position);
    put_text(out, "start_gtid", plan->start_gtid ? plan->start_gtid : "");
}

/* A host alone where all its ports are the usual ones. */
static void put_node(struct buf *out, const struct node_address *node)
{
    if (node->port == NODE_PORT_DB && node->api_port == NODE_PORT_API && node->proxy_port == NODE_PORT_PROXY) {
        put_quoted(out, node->host);
        return;
    }
    buf_text(out, "{ host = ");
    put_quoted(out, node->host);
    if (node->port != NODE_PORT_DB) buf_printf(out, ", port = %u", node->port);
    if (node->api_port != NODE_PORT_API) buf_printf(out, ", api_port = %u", node->api_port);
    if (node->proxy_port != NODE_PORT_PROXY) buf_printf(out, ", proxy_port = %u", node->proxy_port);
    buf_text(out, " }");
}

static void put_cluster(const struct setup_plan *plan, struct buf *out)
{
    buf_text(out, "\n[[sink]]\nname = \"cluster\"\ntype = \"wolfscale\"\nnodes = [");
    for (size_t i = 0; i < plan->node_count; i++) {
        if (i) buf_text(out, ", ");
        put_node(out, &plan->nodes[i]);
    }
    buf_text(out, "]\n");
    if (plan->through_leader) buf_text(out, "delivery = \"leader\"\n");
    put_account(out, &plan->account, plan->hide_password, "WOLFCDC_SINK_CLUSTER_PASSWORD");
}

static void put_sink(const struct setup_plan *plan, struct buf *out)
{
    char path[4200];
    const char *dir = plan->wal_dir ? plan->wal_dir : WAL_DIR, *slash = strrchr(dir, '/');
    if (plan->target.host || plan->target.socket) {
        buf_text(out, "\n[[sink]]\nname = \"target\"\ntype = \"mysql\"\n");
        put_server(out, &plan->target, plan->hide_password, "WOLFCDC_SINK_TARGET_PASSWORD");
    }
    if (plan->node_count) put_cluster(plan, out);
    if (plan->target.host || plan->target.socket || plan->node_count) return;
    buf_text(out, "\n# Where the changes go: one section for each target. This one writes them to a file; a database is\n"
                  "#   type = \"mysql\", host, port, user, password_file: wolfctl binlog-setup --target HOST:PORT writes it, or --cluster\n"
                  "#   HOST,HOST for the nodes of a WolfScale cluster.\n"
                  "[[sink]]\nname = \"file\"\ntype = \"jsonl\"\n");
    snprintf(path, sizeof path, "%.*s/changes.jsonl", (int)(slash ? slash - dir : 1), slash ? dir : ".");
    put_text(out, "path", path);
}

void setup_config(const struct setup_plan *plan, struct buf *out)
{
    buf_printf(out, "# Written by wolfctl binlog-setup for %s, %s. See man 5 wolfcdc.toml.\n", plan->server_text, plan->version_text);
    put_source(plan, out);
    buf_text(out, "\n[wal]\n");
    put_text(out, "dir", plan->wal_dir ? plan->wal_dir : WAL_DIR);
    if (plan->segment_size_mb) buf_printf(out, "segment_size_mb = %u\n", plan->segment_size_mb);
    if (plan->flush_interval_ms) buf_printf(out, "flush_interval_ms = %u\n", plan->flush_interval_ms);
    if (plan->retention_hours) buf_printf(out, "retention_hours = %u\n", plan->retention_hours);
    put_text(out, "compression", plan->compression);
    put_sink(plan, out);
    buf_text(out, "\n[api]\n");
    put_text(out, "socket", plan->api_socket ? plan->api_socket : PROGRAM_SOCKET);
    if (plan->include) {
        buf_text(out, "\n[filter]\n");
        buf_text(out, "include = [\"");
        for (const char *at = plan->include; *at; at++) {
            if (*at == '"' || *at == '\\') buf_u8(out, '\\');
            buf_u8(out, (uint8_t)*at);
        }
        buf_text(out, "\"]\n");
    }
}

/* ---- taking over ---- */

struct upstream {
    struct setup_plan *plan;
    struct arena *arena;
    const char *database;
};

static void take_text(struct upstream *up, const struct toml_item *item, const char **field)
{
    if (item->type == TOML_STRING && item->text[0] && !*field) *field = arena_text(up->arena, slice_text(item->text));
}

static void take_number(const struct toml_item *item, unsigned *field, int64_t min, int64_t max)
{
    if (item->type == TOML_INTEGER && item->integer >= min && item->integer <= max && !*field) *field = (unsigned)item->integer;
}

static void take_database(struct upstream *up, const struct toml_item *item)
{
    struct server_settings *source = &up->plan->source;
    if (!strcmp(item->key, "host")) take_text(up, item, &source->host);
    else if (!strcmp(item->key, "port")) take_number(item, &source->port, 1, 65535);
    else if (!strcmp(item->key, "user")) take_text(up, item, &source->user);
    else if (!strcmp(item->key, "password")) take_text(up, item, &source->password);
    else if (!strcmp(item->key, "database")) take_text(up, item, &up->database);
}

/* The words are the same, the ranges are ours: what is out of them is left at our default. */
static void take_wal(struct upstream *up, const struct toml_item *item)
{
    struct setup_plan *plan = up->plan;
    if (!strcmp(item->key, "segment_size_mb")) take_number(item, &plan->segment_size_mb, 1, 4096);
    else if (!strcmp(item->key, "flush_interval_ms")) take_number(item, &plan->flush_interval_ms, 1, 10000);
    else if (!strcmp(item->key, "retention_hours")) take_number(item, &plan->retention_hours, 1, 87600);
    else if (!strcmp(item->key, "compression") && item->type == TOML_BOOLEAN && !plan->compression)
        plan->compression = item->integer ? "lz4" : "none";
}

static void take_binlog(struct upstream *up, const struct toml_item *item)
{
    struct setup_plan *plan = up->plan;
    if (!strcmp(item->key, "server_id")) take_number(item, &plan->server_id, 1, 4294967295);
    else if (!strcmp(item->key, "start_file")) take_text(up, item, &plan->start_file);
    else if (!strcmp(item->key, "start_position") && item->type == TOML_INTEGER && item->integer >= 4)
        plan->start_position = (uint64_t)item->integer;
}

static void take_item(void *context, const struct toml_item *item)
{
    static const struct {
        const char *section;
        void (*take)(struct upstream *, const struct toml_item *);
    } sections[] = {{"database", take_database}, {"wal", take_wal}, {"binlog", take_binlog}};
    if (!item->key) return;
    for (size_t i = 0; i < sizeof sections / sizeof *sections; i++)
        if (!strcmp(sections[i].section, item->section)) sections[i].take(context, item);
}

bool setup_take_text(const char *path, struct slice text, struct setup_plan *plan, struct arena *arena, struct err *err)
{
    struct upstream up = {.plan = plan, .arena = arena};
    char message[400], pattern[300];
    unsigned line = 0;
    if (!toml_walk((const char *)text.data, text.size, take_item, &up, &line, message, sizeof message))
        return err_set(err, ERR_CONFIG, "%s:%u: %s", path, line, message);
    if (up.database && !plan->include) {
        snprintf(pattern, sizeof pattern, "%.250s.*", up.database);
        plan->include = arena_text(arena, slice_text(pattern));
    }
    if (plan->start_file && !plan->start_position) plan->start_position = 4;
    return true;
}

bool setup_take_upstream(const char *path, struct setup_plan *plan, struct arena *arena, struct err *err)
{
    struct stat st;
    bool ok = false;
    char *text = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0) return err_set_number(err, ERR_CONFIG, (unsigned)errno, "%s: %s", path, strerror(errno));
    if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > UPSTREAM_MAX) {
        err_set(err, ERR_CONFIG, "%s: not a file of at most %d bytes", path, UPSTREAM_MAX);
        goto out;
    }
    text = malloc((size_t)st.st_size + 1);
    if (!text) abort();
    ssize_t n = read(fd, text, (size_t)st.st_size);
    if (n < 0) err_set_number(err, ERR_CONFIG, (unsigned)errno, "%s: %s", path, strerror(errno));
    else ok = setup_take_text(path, slice_of(text, (size_t)n), plan, arena, err);
out:
    free(text);
    close(fd);
    return ok;
}
