/* api.c: see api.h. */
#include "api.h"

#include <cjson/cJSON.h>
#include <microhttpd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "applier.h"
#include "clock.h"
#include "forward.h"
#include "journal.h"
#include "json.h"
#include "members.h"
#include "pool.h"
#include "switches.h"
#include "text.h"
#include "thread.h"
#include "wire.h"

enum { BODY_MAX = 2 * 1024 * 1024, ANSWER_MAX = 16 * 1024 * 1024, IDLE_S = 75, CONNECTIONS_MAX = 200, STATS_MS = 100 };

struct request {
    struct api *api;
    struct MHD_Connection *connection;
    const char *path, *content_type;
    struct buf body;
    bool too_large;
    unsigned status;
    const char *type;
    struct buf answer;
    struct json json; /* on answer */
};
struct api {
    struct node *node;
    atomic_bool leads;        /* the API's own idea: only a start or an /admin call sets it */
    atomic_uint_least64_t lsn; /* the journal's, as of the last 100 ms */
    pthread_mutex_t lock;
    MYSQL *mysql;             /* shared, under lock */
};

/* ---- answers ---- */

static void put_string(struct request *request, const char *name, const char *value)
{
    json_name(&request->json, name);
    json_string(&request->json, value);
}
static void put_number(struct request *request, const char *name, uint64_t value)
{
    json_name(&request->json, name);
    json_unsigned(&request->json, value);
}
static void put_bool(struct request *request, const char *name, bool value)
{
    json_name(&request->json, name);
    json_bool(&request->json, value);
}
static void put_lsn(struct request *request, const char *name, uint64_t lsn)
{
    json_name(&request->json, name);
    if (switch_number(SWITCH_LSN_BEYOND_U64)) json_raw(&request->json, slice_text("18446744073709551616"));
    else json_unsigned(&request->json, lsn);
}

static void plain(struct request *request, unsigned status, const char *text)
{
    buf_clear(&request->answer);
    buf_text(&request->answer, text);
    request->status = status;
    request->type = "text/plain; charset=utf-8";
}

static void error(struct request *request, unsigned status, const char *code, const char *text)
{
    request->status = status;
    json_open(&request->json, '{');
    put_string(request, "error", text);
    put_string(request, "code", code);
    json_close(&request->json, '}');
}

static void success(struct request *request, bool has_lsn, uint64_t lsn, const char *message)
{
    json_open(&request->json, '{');
    put_bool(request, "success", true);
    if (has_lsn) {
        put_lsn(request, "lsn", lsn);
    } else {
        json_name(&request->json, "lsn");
        json_null(&request->json);
    }
    put_string(request, "message", message);
    json_close(&request->json, '}');
}

/* The body as a JSON object, NULL when it has been answered. Freed with cJSON_Delete. */
static cJSON *object(struct request *request)
{
    if (!request->content_type || strncasecmp(request->content_type, "application/json", strlen("application/json")) != 0) {
        plain(request, 415, "Expected request with `Content-Type: application/json`");
        return NULL;
    }
    cJSON *json = cJSON_ParseWithLength((const char *)request->body.data, request->body.size);
    if (json && cJSON_IsObject(json)) return json;
    plain(request, json ? 422 : 400, json ? "Failed to deserialize the JSON body into the target type" :
          "Failed to parse the request body as JSON");
    cJSON_Delete(json);
    return NULL;
}

static const char *text_of(const cJSON *object, const char *name) { return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name)); }

/* ---- state ---- */

static const char *leader_id(const struct members_view *view) { return view->leader == NOBODY ? NULL : view->list[view->leader].id; }

static unsigned active(const struct members_view *view)
{
    unsigned n = 0;
    for (unsigned i = 0; i < view->count; i++) n += view->list[i].status == MEMBER_ACTIVE;
    return n;
}

static uint64_t current_lsn(struct request *request, const struct members_view *view)
{
    uint64_t lsn = view->leading ? atomic_load(&request->api->lsn) : applier_reported(request->api->node->applier);
    return lsn ? lsn : view->list[SELF].applied;
}

static void get_health(struct request *request, const struct members_view *view)
{
    json_open(&request->json, '{');
    put_bool(request, "healthy", true);
    put_string(request, "node_id", view->list[SELF].id);
    put_bool(request, "is_leader", atomic_load(&request->api->leads));
    json_close(&request->json, '}');
}

static void get_status(struct request *request, const struct members_view *view)
{
    uint64_t lsn = view->leading ? view->list[SELF].applied : applier_reported(request->api->node->applier);
    json_open(&request->json, '{');
    put_string(request, "node_id", view->list[SELF].id);
    put_bool(request, "is_leader", view->leading);
    put_string(request, "leader_id", leader_id(view));
    put_number(request, "term", 1);
    put_lsn(request, "last_applied_lsn", lsn);
    put_lsn(request, "commit_lsn", lsn);
    put_number(request, "cluster_size", view->count);
    put_bool(request, "has_quorum", active(view) >= 2);
    json_close(&request->json, '}');
}

static void put_processes(struct request *request, MYSQL *mysql)
{
    static const char query[] = "SELECT ID, USER, DB, COMMAND, TIME, STATE, INFO FROM information_schema.PROCESSLIST";
    static const char *const names[] = {"id", "user", "db", "command", "time", "state", "info"};
    MYSQL_RES *result = mysql_real_query(mysql, query, sizeof query - 1) ? NULL : mysql_store_result(mysql);
    for (MYSQL_ROW row = result ? mysql_fetch_row(result) : NULL; row; row = mysql_fetch_row(result)) {
        json_open(&request->json, '{');
        for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
            bool number = i == 0 || i == 4;
            json_name(&request->json, names[i]);
            if (number) json_raw(&request->json, slice_text(row[i] ? row[i] : "0"));
            else json_string(&request->json, row[i] && text_utf8(slice_text(row[i])) ? row[i] : NULL);
        }
        json_close(&request->json, '}');
    }
    if (result) mysql_free_result(result);
}

static void put_processlist(struct request *request)
{
    struct api *api = request->api;
    struct err err = {0};
    json_name(&request->json, "processlist");
    json_open(&request->json, '[');
    pthread_mutex_lock(&api->lock);
    if (!api->mysql) api->mysql = local_connect(api->node->conf, NULL, &err);
    if (api->mysql) put_processes(request, api->mysql);
    if (api->mysql && mysql_errno(api->mysql)) {
        mysql_close(api->mysql);
        api->mysql = NULL;
    }
    pthread_mutex_unlock(&api->lock);
    json_close(&request->json, ']');
}

static void put_followers(struct request *request, const struct members_view *view, uint64_t lsn)
{
    json_name(&request->json, "followers");
    json_open(&request->json, '[');
    for (unsigned i = 1; i < view->count; i++) {
        uint64_t applied = view->leading ? view->list[i].applied : 0;
        json_open(&request->json, '{');
        put_string(request, "node_id", view->list[i].id);
        put_lsn(request, "last_applied_lsn", applied);
        put_number(request, "lag", lsn > applied ? lsn - applied : 0);
        put_string(request, "status", member_status_names[view->list[i].status]);
        json_close(&request->json, '}');
    }
    json_close(&request->json, ']');
}

static void get_stats(struct request *request, const struct members_view *view)
{
    uint64_t lsn = current_lsn(request, view);
    json_open(&request->json, '{');
    put_string(request, "node_id", view->list[SELF].id);
    put_string(request, "role", member_role_names[view->leading]);
    put_lsn(request, "current_lsn", lsn);
    put_lsn(request, "commit_lsn", lsn);
    put_number(request, "uptime_seconds", 0);
    put_number(request, "cluster_size", view->count);
    put_number(request, "active_nodes", active(view));
    put_followers(request, view, lsn);
    json_name(&request->json, "recent_errors");
    json_raw(&request->json, slice_text("[]"));
    put_processlist(request);
    json_close(&request->json, '}');
}

static void put_member(struct request *request, const struct member *member)
{
    char joined[32];
    clock_format(member->joined_us, joined);
    json_open(&request->json, '{');
    put_string(request, "id", member->id);
    put_string(request, "address", member->address);
    put_string(request, "status", member_status_names[member->status]);
    put_string(request, "role", member_role_names[member->role]);
    put_lsn(request, "last_applied_lsn", member->applied);
    put_string(request, "joined_at", joined);
    put_number(request, "replication_lag", 0);
    json_close(&request->json, '}');
}

static void put_members(struct request *request, const struct members_view *view)
{
    json_open(&request->json, '[');
    for (unsigned i = 0; i < view->count; i++) put_member(request, &view->list[i]);
    json_close(&request->json, ']');
}

static unsigned having(const struct members_view *view, enum member_status status)
{
    unsigned n = 0;
    for (unsigned i = 0; i < view->count; i++) n += view->list[i].status == status;
    return n;
}

static void get_cluster(struct request *request, const struct members_view *view)
{
    json_open(&request->json, '{');
    json_name(&request->json, "summary");
    json_open(&request->json, '{');
    put_number(request, "total_nodes", view->count);
    put_number(request, "active_nodes", active(view));
    put_number(request, "syncing_nodes", 0);
    put_number(request, "lagging_nodes", having(view, MEMBER_LAGGING));
    put_number(request, "dropped_nodes", having(view, MEMBER_DROPPED));
    put_string(request, "leader_id", leader_id(view));
    json_close(&request->json, '}');
    json_name(&request->json, "nodes");
    put_members(request, view);
    json_close(&request->json, '}');
}

static void get_nodes(struct request *request, const struct members_view *view) { put_members(request, view); }

static void get_node(struct request *request, const struct members_view *view)
{
    const char *id = strrchr(request->path, '/') + 1;
    char text[NAME_MAX_BYTES + 64];
    for (unsigned i = 0; i < view->count; i++) {
        if (strcmp(view->list[i].id, id) != 0) continue;
        put_member(request, &view->list[i]);
        return;
    }
    snprintf(text, sizeof text, "Node %.*s not found", NAME_MAX_BYTES, id);
    error(request, 404, "NODE_NOT_FOUND", text);
}

/* ---- writes ---- */

static void hand_on(struct request *request, const struct members_view *view)
{
    struct err err = {0};
    long status = 0;
    char host[ADDRESS_MAX];
    members_leader_host(request->api->node->members, host);
    if (view->leader == SELF) {
        error(request, 500, "ROUTING_ERROR", "Routing error: not leader but no other leader found");
    } else if (!*host) {
        error(request, 503, "NO_LEADER", "No leader available");
    } else if (!forward_post(host, request->path, buf_bytes(&request->body), &status, &request->answer, &err)) {
        error(request, 502, "FORWARD_ERROR", err.text);
    } else {
        request->status = (unsigned)status;
        request->type = "text/plain; charset=utf-8";
    }
}

static void post_write(struct request *request, const struct members_view *view)
{
    bool ddl = !strcmp(request->path, "/write/ddl"), any = !strcmp(request->path, "/write");
    if (!switch_number(SWITCH_STUBS)) {
        plain(request, 404, "");
        return;
    }
    cJSON *json = object(request);
    if (!json) return;
    bool complete = text_of(json, ddl ? "ddl" : "table") != NULL;
    cJSON_Delete(json);
    if (!complete) plain(request, 422, "Failed to deserialize the JSON body into the target type: missing field");
    else if (!atomic_load(&request->api->leads)) hand_on(request, view);
    else success(request, true, any ? 0 : 1, ddl ? "DDL accepted" : any ? "Write accepted" : NULL);
}

static void sql_answer(struct request *request, unsigned status, bool good, const char *message)
{
    request->status = status;
    json_open(&request->json, '{');
    put_bool(request, "success", good);
    put_number(request, "affected_rows", good);
    put_number(request, "last_insert_id", 0);
    put_string(request, "message", message);
    json_close(&request->json, '}');
}

static void log_sql(struct request *request, const char *sql, const char *database)
{
    struct journal_entry entry = {.has_database = database != NULL, .sql = slice_text(sql)};
    char message[64];
    uint64_t lsn;
    if (database) entry.database = slice_text(database);
    if (!journal_append(request->api->node->journal, &entry, &lsn)) {
        sql_answer(request, 500, false, "WAL write failed: WAL error: Segment full");
        return;
    }
    snprintf(message, sizeof message, "LSN: %llu", (unsigned long long)lsn);
    sql_answer(request, 200, true, message);
}

static void post_sql(struct request *request, const struct members_view *view)
{
    cJSON *json = object(request);
    if (!json) return;
    const char *sql = text_of(json, "sql"), *database = text_of(json, "database");
    if (!sql) plain(request, 422, "Failed to deserialize the JSON body into the target type: missing field `sql`");
    else if (view->leader != SELF && !atomic_load(&request->api->leads)) sql_answer(request, 503, false, "Not the leader");
    else if (!request->api->node->started_as_leader) sql_answer(request, 503, false, "Write handler not configured");
    else log_sql(request, sql, database);
    cJSON_Delete(json);
}

/* ---- the rest ---- */

static void post_promote(struct request *request, const struct members_view *view)
{
    (void)view;
    atomic_store(&request->api->leads, true);
    success(request, false, 0, "Promotion requested");
}

static void post_demote(struct request *request, const struct members_view *view)
{
    (void)view;
    atomic_store(&request->api->leads, false);
    success(request, false, 0, "Demotion requested");
}

static void post_reset(struct request *request, const struct members_view *view)
{
    static const char *const files[] = {"wal/wal_00000000000000000001.log", "state/applied"};
    char path[PATH_MAX_BYTES + 64];
    (void)view;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", request->api->node->conf->data_dir, files[i]);
        unlink(path);
    }
    success(request, true, 0, "Reset complete. WAL cleared: true, State cleared: true. Restart required.");
}

static void get_dump_info(struct request *request, const struct members_view *view)
{
    json_open(&request->json, '{');
    put_lsn(request, "lsn", current_lsn(request, view));
    put_string(request, "database", "wolfscale");
    put_string(request, "node_id", view->list[SELF].id);
    json_close(&request->json, '}');
}

static void get_dump(struct request *request, const struct members_view *view)
{
    (void)view;
    plain(request, 500, "mysqldump failed: Access denied for user 'root'@'localhost' (using password: NO)");
}

static void get_switches(struct request *request, const struct members_view *view)
{
    (void)view;
    switch_list(&request->answer);
}

static void post_switch(struct request *request, const struct members_view *view)
{
    const char *name = MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, "name");
    const char *value = MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, "value");
    struct err err = {0};
    (void)view;
    if (switch_set(request->api->node, name ? name : "", value ? value : "", &err)) success(request, false, 0, "set");
    else plain(request, 400, err.text);
}

typedef void route_fn(struct request *request, const struct members_view *view);
static const struct route {
    const char *method, *path;
    route_fn *run;
    bool prefix;
} routes[] = {
    {"GET", "/health", get_health, false},
    {"GET", "/status", get_status, false},
    {"GET", "/stats", get_stats, false},
    {"GET", "/cluster", get_cluster, false},
    {"GET", "/cluster/nodes", get_nodes, false},
    {"GET", "/cluster/nodes/", get_node, true},
    {"GET", "/dump", get_dump, false},
    {"GET", "/dump/info", get_dump_info, false},
    {"GET", "/standin/switch", get_switches, false},
    {"POST", "/standin/switch", post_switch, false},
    {"POST", "/sql", post_sql, false},
    {"POST", "/write", post_write, false},
    {"POST", "/write/insert", post_write, false},
    {"POST", "/write/update", post_write, false},
    {"POST", "/write/delete", post_write, false},
    {"POST", "/write/upsert", post_write, false},
    {"POST", "/write/ddl", post_write, false},
    {"POST", "/admin/promote", post_promote, false},
    {"POST", "/admin/demote", post_demote, false},
    {"POST", "/admin/reset", post_reset, false},
};

static bool matches(const struct route *route, const char *path)
{
    return route->prefix ? !strncmp(route->path, path, strlen(route->path)) : !strcmp(route->path, path);
}

static void serve(struct request *request, const char *method)
{
    struct members_view view;
    bool path_known = false;
    members_view(request->api->node->members, &view);
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (!matches(&routes[i], request->path)) continue;
        path_known = true;
        if (strcmp(routes[i].method, method) != 0) continue;
        if (request->too_large) plain(request, 413, "Failed to buffer the request body: length limit exceeded");
        else routes[i].run(request, &view);
        return;
    }
    plain(request, path_known ? 405 : 404, "");
}

/* What the switches make of an answer. */
static void spoil(struct request *request)
{
    if (!strncmp(request->path, "/standin/", strlen("/standin/"))) return;
    clock_sleep_ms((uint32_t)switch_number(SWITCH_SLOW_API));
    if (switch_number(SWITCH_API_HTML)) {
        plain(request, 200, "<!DOCTYPE html>\n<html><body><h1>It works!</h1></body></html>\n");
        request->type = "text/html";
    }
    if (switch_number(SWITCH_API_HALF_JSON)) request->answer.size /= 2;
}

/* ---- libmicrohttpd ---- */

static enum MHD_Result send_answer(struct request *request)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(request->answer.size, request->answer.data, MHD_RESPMEM_MUST_COPY);
    if (!response) return MHD_NO;
    MHD_add_response_header(response, "Content-Type", request->type);
    enum MHD_Result queued = MHD_queue_response(request->connection, request->status, response);
    MHD_destroy_response(response);
    return queued;
}

static struct request *request_new(struct api *api, struct MHD_Connection *connection)
{
    struct request *request = calloc(1, sizeof *request);
    if (!request) abort();
    *request = (struct request){.api = api, .connection = connection, .status = 200, .type = "application/json"};
    buf_init(&request->body, BODY_MAX);
    buf_init(&request->answer, ANSWER_MAX);
    return request;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *path, const char *method,
                                  const char *version, const char *body, size_t *body_size, void **seen)
{
    (void)version;
    if (!*seen) { /* headers only: what follows is asked for by returning */
        *seen = request_new(context, connection);
        return MHD_YES;
    }
    struct request *request = *seen;
    if (*body_size) {
        buf_put(&request->body, body, *body_size);
        request->too_large = request->body.full;
        *body_size = 0;
        return MHD_YES;
    }
    request->path = path;
    request->content_type = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Type");
    request->json = json_on(&request->answer);
    serve(request, method);
    spoil(request);
    return send_answer(request);
}

static void on_end(void *context, struct MHD_Connection *connection, void **seen, enum MHD_RequestTerminationCode how)
{
    struct request *request = *seen;
    (void)context;
    (void)connection;
    (void)how;
    if (!request) return;
    buf_fini(&request->body);
    buf_fini(&request->answer);
    free(request);
    *seen = NULL;
}

/* What /stats calls the current LSN is up to 100 ms old. */
static void *refresh(void *context)
{
    struct api *api = context;
    for (;;) {
        atomic_store(&api->lsn, journal_lsn(api->node->journal));
        clock_sleep_ms(STATS_MS);
    }
    return NULL;
}

bool api_start(struct node *node, struct err *err)
{
    struct api *api = calloc(1, sizeof *api);
    pthread_t thread;
    if (!api) abort();
    api->node = node;
    atomic_store(&api->leads, node->started_as_leader);
    pthread_mutex_init(&api->lock, NULL);
    int fd = wire_listen(node->conf->api_bind, err);
    struct MHD_Daemon *daemon = fd < 0 ? NULL :
        MHD_start_daemon(MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL, 0, NULL, NULL, on_request, api,
                         MHD_OPTION_LISTEN_SOCKET, (MHD_socket)fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX,
                         MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_NOTIFY_COMPLETED, on_end, NULL, MHD_OPTION_END);
    if (!daemon) {
        if (fd >= 0) err_set(err, ERR_STOP, "libmicrohttpd cannot serve %s", node->conf->api_bind);
        free(api);
        return false;
    }
    thread_start(&thread, "stats", refresh, api);
    return true;
}
