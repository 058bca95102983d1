/*
 * setup_cluster.c: `wolfctl binlog-setup --cluster`: a WolfScale cluster as the target. First what the nodes say of themselves and of each
 * other, then the MariaDB of each, with the same table of checks as any target; last what has to be the same on all of them, because WolfScale's
 * own stream executes statements under each server's settings. What cannot be seen from outside is said.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "setup.h"

enum { WATCH_MS = 2500, TIMEOUT_MS = 10000, ALIKE_MAX = 400 };

struct look {
    struct survey *survey;
    const struct server_settings *account;
    const char *source;
    setup_finding_fn *fn;
    void *context;
    char side[NODE_ID_MAX + NODE_HOST_MAX + 4]; /* whom the findings are about */
};

/* ---- the command line ---- */

bool setup_cluster_take(const char *text, const struct node_address *ports, struct survey *survey, struct err *err)
{
    for (const char *at = text;;) {
        char one[NODE_HOST_MAX + 8], host[NODE_HOST_MAX];
        struct node_address node = *ports;
        size_t size = strcspn(at, ",");
        node.host = host;
        if (size >= sizeof one) return err_set(err, ERR_CONFIG, "--cluster: a name longer than %zu bytes", sizeof one - 1);
        memcpy(one, at, size);
        one[size] = 0;
        if (!settings_host(one, ports->port, host, sizeof host, &node.port))
            return err_set(err, ERR_CONFIG, "--cluster: \"%s\" is neither HOST nor HOST:PORT (of its MariaDB)", one);
        if (!survey_add(survey, &node, err)) return err_context(err, "--cluster");
        at += size;
        if (!*at++) return true;
    }
}

/* ---- findings ---- */

static void say(struct look *look, const char *check, enum check_level level, const char *remedy, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
static void say(struct look *look, const char *check, enum check_level level, const char *remedy, const char *format, ...)
{
    struct finding finding = {.check = check, .level = level};
    va_list args;
    va_start(args, format);
    vsnprintf(finding.text, sizeof finding.text, format, args);
    va_end(args);
    if (level != CHECK_OK) snprintf(finding.remedy, sizeof finding.remedy, "%s", remedy);
    look->fn(look->context, look->side, &finding);
}

static void about_node(struct look *look, size_t i) { survey_name(look->survey, i, look->side, sizeof look->side); }

static void pass_on(void *context, const struct finding *finding)
{
    struct look *look = context;
    look->fn(look->context, look->side, finding);
}

/* ---- WolfScale ---- */

/* With delivery = "nodes" nobody has to lead, and WolfScale need not even run: only what cannot be one cluster, or has two leaders, is wrong. */
static const enum check_level cluster_levels[CLUSTER_STATES] = {
    [CLUSTER_UNKNOWN] = CHECK_WARNING, [CLUSTER_LED] = CHECK_OK,      [CLUSTER_LEADERLESS] = CHECK_WARNING,
    [CLUSTER_CHANGING] = CHECK_WARNING, [CLUSTER_SPLIT] = CHECK_ERROR, [CLUSTER_FOREIGN] = CHECK_ERROR};
static const enum check_level node_levels[NODE_STATES] = {
    [NODE_UNKNOWN] = CHECK_WARNING, [NODE_UP] = CHECK_OK, [NODE_LAGGING] = CHECK_WARNING,
    [NODE_GONE] = CHECK_WARNING, [NODE_FOREIGN] = CHECK_ERROR, [NODE_UNREADABLE] = CHECK_ERROR};

static void look_at_leader(struct look *look)
{
    const struct nodes_verdict *verdict = &look->survey->verdict;
    snprintf(look->side, sizeof look->side, "cluster");
    if (verdict->state == CLUSTER_LED && !*verdict->reason)
        say(look, "leader", CHECK_OK, "", "%s leads: it says so, and every node that answers names it", look->survey->answers[verdict->leader].id);
    else
        say(look, "leader", verdict->state == CLUSTER_LED ? CHECK_WARNING : cluster_levels[verdict->state], verdict->remedy, "%s: %s",
            cluster_state_name(verdict->state), verdict->reason);
    say(look, "pool_size", CHECK_OK, "",
        "cannot be seen over HTTP ([database] pool_size on each node). Nothing that is delivered depends on it; applications that send BEGIN "
        "and COMMIT through the proxy are only replicated whole with pool_size = 1");
}

static void look_at_node(struct look *look, size_t i)
{
    const struct survey *survey = look->survey;
    const char *reason = survey->verdict.nodes[i].reason, *found = i < survey->given ? "" : "; found in the table of another node";
    enum node_state state = survey->verdict.nodes[i].state;
    bool leads = survey->verdict.leader == (int)i;
    about_node(look, i);
    if (!*reason)
        say(look, "wolfscale", node_levels[state], "", "answers on port %u in %u ms as %s%s", survey->addresses[i].api_port,
            survey->answers[i].took_ms, leads ? "the leader" : survey->answers[i].is_leader ? "one that claims to lead" : "a follower", found);
    else
        say(look, "wolfscale", state == NODE_UP ? CHECK_WARNING : node_levels[state], survey->verdict.nodes[i].remedy, "%s: %s%s",
            node_state_name(state), reason, found);
}

/* ---- its MariaDB ---- */

void setup_identity(struct db *db, char identity[SETUP_IDENTITY_MAX])
{
    if (!db_scalar(db, identity, SETUP_IDENTITY_MAX, NULL, NULL, "SELECT CONCAT_WS('|', @@hostname, @@port, @@datadir, @@server_id)")) *identity = 0;
}

/* What has to be the same on every node, beside the one whose value is the measure: the first that could be read. */
struct alike {
    const char *check, *sql, *remedy;
    char value[ALIKE_MAX], of[NODE_ID_MAX + NODE_HOST_MAX + 4];
};

static bool look_alike(struct look *look, struct db *db, struct alike *alike, struct err *err)
{
    char value[ALIKE_MAX];
    if (!db_scalar(db, value, sizeof value, NULL, err, "%s", alike->sql)) return false;
    if (!*alike->of) {
        memcpy(alike->value, value, sizeof value);
        memcpy(alike->of, look->side, sizeof look->side);
    }
    if (!strcmp(alike->value, value)) say(look, alike->check, CHECK_OK, "", "%.300s", *value ? value : "(empty)");
    else say(look, alike->check, CHECK_WARNING, alike->remedy, "%.200s, but on %.100s it is %.200s", value, alike->of, alike->value);
    return true;
}

static void look_at_identity(struct look *look, struct db *db, char before[NODES_MAX][SETUP_IDENTITY_MAX], size_t i)
{
    setup_identity(db, before[i]);
    if (!*before[i]) return;
    if (!strcmp(before[i], look->source))
        say(look, "identity", CHECK_ERROR, "take another server as the source, or leave this node out: it would be given its own changes",
            "its MariaDB is the source itself");
    for (size_t k = 0; k < i; k++)
        if (!strcmp(before[k], before[i]))
            say(look, "identity", CHECK_ERROR, "name each node once; each needs a MariaDB of its own", "its MariaDB is that of %s, too", look->survey->hosts[k]);
}

static const char *connect_remedy(const struct err *err)
{
    if (err->code == ERR_DENIED) return "create the account on this node as on the others, with the same password: one account is used for all nodes";
    return "start MariaDB there, and let it listen on this address (bind_address), or give HOST:PORT";
}

static void look_at_database(struct look *look, size_t i, struct alike *alikes, size_t alike_count, char identities[NODES_MAX][SETUP_IDENTITY_MAX])
{
    const struct node_address *address = &look->survey->addresses[i];
    struct server_settings server = *look->account;
    struct check_facts facts = {.user = server.user};
    struct db_options made;
    struct db *db = NULL;
    struct err err = {0};
    server.host = address->host;
    server.port = address->port;
    settings_server(&server, "sink-cluster", &made);
    made.connect_timeout_ms = made.read_timeout_ms = TIMEOUT_MS;
    about_node(look, i);
    bool good = db_open(&made, &db, &err);
    if (good) look_at_identity(look, db, identities, i);
    good = good && checks_run(db, CHECK_TARGET, &facts, pass_on, look, &err);
    for (size_t k = 0; good && k < alike_count; k++) good = look_alike(look, db, &alikes[k], &err);
    if (!good) say(look, "database", CHECK_ERROR, connect_remedy(&err), "%.500s", err.text);
    db_close(db);
}

/* Without TLS: the proxy relays the login as it is. */
static void look_at_proxy(struct look *look, size_t i)
{
    const struct node_address *address = &look->survey->addresses[i];
    struct server_settings server = *look->account;
    struct db_options made;
    struct db *db = NULL;
    struct err err = {0};
    char one[8];
    server.host = address->host;
    settings_server(&server, "sink-cluster", &made);
    made.port = address->proxy_port;
    made.ssl = false;
    made.ssl_ca = made.ssl_cert = made.ssl_key = NULL;
    made.connect_timeout_ms = made.read_timeout_ms = TIMEOUT_MS;
    about_node(look, i);
    if (db_open(&made, &db, &err) && db_scalar(db, one, sizeof one, NULL, &err, "SELECT 1"))
        say(look, "proxy", CHECK_OK, "", "logs in on port %u", address->proxy_port);
    else
        say(look, "proxy", CHECK_ERROR, "delivery = \"leader\" writes there when this node leads: [proxy] enabled = true and a bind_address that is reached from here, "
            "or its port in nodes = [{ proxy_port = ... }]", "port %u: %.400s", address->proxy_port, err.text);
    db_close(db);
}

void setup_cluster_look(struct survey *survey, const struct server_settings *account, const char *source, bool proxies, setup_finding_fn *fn,
                        void *context)
{
    struct look look = {.survey = survey, .account = account, .source = source, .fn = fn, .context = context};
    struct alike alikes[] = {
        {.check = "same_version", .sql = "SELECT VERSION()", .remedy = "bring all nodes to one version of MariaDB: the same statement may do different things"},
        {.check = "same_sql_mode", .sql = "SELECT @@global.sql_mode",
         .remedy = "set the same sql_mode in the configuration of every node, then restart WolfScale there: its own stream runs under the server's"},
        {.check = "same_names", .sql = "SELECT @@global.lower_case_table_names", .remedy = "set the same lower_case_table_names on every node"},
        {.check = "same_charset", .sql = "SELECT CONCAT(@@global.character_set_server, '/', @@global.collation_server)",
         .remedy = "set the same character_set_server and collation_server on every node: new tables take them"},
    };
    char(*identities)[SETUP_IDENTITY_MAX] = calloc(NODES_MAX, sizeof *identities);
    if (!identities) abort();
    survey_run(survey, WATCH_MS);
    look_at_leader(&look);
    for (size_t i = 0; i < survey->count; i++) {
        look_at_node(&look, i);
        look_at_database(&look, i, alikes, sizeof alikes / sizeof *alikes, identities);
        if (proxies) look_at_proxy(&look, i);
    }
    free(identities);
}
