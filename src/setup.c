/*
 * setup.c: `wolfctl binlog-setup`: looks at a server (the checks of checks.def), says what it found and what to do about it, and
 * writes a configuration that works. Never changes the server. Exit codes: program.h.
 */
#include "setup.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "binlog_end.h"
#include "checks.h"
#include "command.h"
#include "config.h"
#include "gtid.h"
#include "json.h"
#include "program.h"

enum { FINDINGS_MAX = 512, CONFIG_TEXT_MAX = 256 * 1024, SERVER_ID_FIRST = 10000, SERVER_ID_RANGE = 990000, TIMEOUT_MS = 10000 };

struct setup {
    struct settings *settings; /* only for the reading of secrets; owns the texts in its arena */
    struct setup_plan plan;
    const char *from, *output, *cluster;
    struct survey *survey;
    struct node_address ports; /* of the nodes, where --cluster does not say them */
    char identity[SETUP_IDENTITY_MAX]; /* the source's */
    bool print, json, force;
    struct db *source, *target_db;
    char gtid[GTID_SET_TEXT_MAX], file[SOURCE_FILE_MAX], server_text[320];
    struct { const char *side; struct finding finding; } findings[FINDINGS_MAX];
    size_t count;
    const char *side;
    bool failed; /* a finding is an error */
};

enum { OPT_SSL_CA = 256, OPT_SSL_CERT, OPT_SSL_KEY, OPT_SSL, OPT_NO_VERIFY, OPT_PASSWORD, OPT_PASSWORD_FILE, OPT_DEFAULTS_FILE, OPT_OUTPUT,
       OPT_PRINT, OPT_JSON, OPT_FROM, OPT_TARGET, OPT_TARGET_USER, OPT_TARGET_PASSWORD_FILE, OPT_TARGET_SSL_CA, OPT_CLUSTER, OPT_API_PORT, OPT_PROXY_PORT, OPT_DELIVERY, OPT_FORCE, OPT_SERVER_ID,
       OPT_WAL_DIR, OPT_HOST, OPT_PORT, OPT_USER, OPT_SOCKET, OPT_HELP };

static const struct {
    const char *name, *argument;
    int id;
    const char *help;
} options[] = {
    {"host", "HOST", OPT_HOST, "the source; a name or an address (localhost)"},
    {"port", "PORT", OPT_PORT, "its port (3306)"},
    {"socket", "PATH", OPT_SOCKET, "its Unix socket, instead of a host"},
    {"user", "NAME", OPT_USER, "account to look with, and that the agent will use (root)"},
    {"password-file", "FILE", OPT_PASSWORD_FILE, "file whose first line is the password"},
    {"defaults-file", "FILE", OPT_DEFAULTS_FILE, "a my.cnf; its [client] says what is not said here"},
    {"ssl", NULL, OPT_SSL, "require TLS"},
    {"ssl-ca", "FILE", OPT_SSL_CA, "certificates of the authorities that are trusted"},
    {"ssl-cert", "FILE", OPT_SSL_CERT, "our certificate"},
    {"ssl-key", "FILE", OPT_SSL_KEY, "its key"},
    {"skip-ssl-verify", NULL, OPT_NO_VERIFY, "do not check the server's certificate"},
    {"server-id", "NUMBER", OPT_SERVER_ID, "our replica number (a free one is picked)"},
    {"wal-dir", "DIR", OPT_WAL_DIR, "where the log is to live (/var/lib/wolfcdc/wal)"},
    {"from", "FILE", OPT_FROM, "take over a wolfscale.toml: [database], [wal], [binlog]"},
    {"target", "HOST[:PORT]", OPT_TARGET, "look at a target too, and write a sink for it"},
    {"cluster", "HOST[:PORT],...", OPT_CLUSTER, "look at the nodes of a WolfScale cluster (one is enough: the others are found), and write a sink"},
    {"api-port", "PORT", OPT_API_PORT, "the port of their HTTP API (8080)"},
    {"proxy-port", "PORT", OPT_PROXY_PORT, "the port of their proxy (8007)"},
    {"delivery", "nodes|leader", OPT_DELIVERY, "to a cluster: to each node's MariaDB (nodes), or through the leader's proxy (leader)"},
    {"target-user", "NAME", OPT_TARGET_USER, "account on the target, and on the MariaDB of each node (the source's)"},
    {"target-password-file", "FILE", OPT_TARGET_PASSWORD_FILE, "its password (the source's)"},
    {"target-ssl-ca", "FILE", OPT_TARGET_SSL_CA, "as ssl-ca, for the target or the nodes"},
    {"output", "FILE", OPT_OUTPUT, "write the configuration there, for its owner alone"},
    {"force", NULL, OPT_FORCE, "even if that file exists"},
    {"print", NULL, OPT_PRINT, "print the configuration; the findings go to standard error"},
    {"json", NULL, OPT_JSON, "findings, and with --print the configuration, as one JSON document"},
    {"help", NULL, OPT_HELP, "this text"},
};
enum { OPTION_COUNT = sizeof options / sizeof *options };

static void usage(FILE *to)
{
    fprintf(to, "usage: wolfctl binlog-setup [OPTION...]\n"
                "Looks at a server, says what it found, writes a configuration. Changes nothing on any server.\n\n");
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        char left[64];
        snprintf(left, sizeof left, "--%s%s%s", options[i].name, options[i].argument ? " " : "", options[i].argument ? options[i].argument : "");
        fprintf(to, "  %-31s %s\n", left, options[i].help);
    }
    fprintf(to, "\nThe password: --password-file, --defaults-file or the environment variable WOLFCDC_SOURCE_PASSWORD; never the command line.\n"
                "Exit code: 0 all well, 1 an error was found, 2 usage, 3 the server cannot be reached.\n");
}

static char *keep(struct setup *setup, const char *text) { return arena_text(&setup->settings->arena, slice_text(text)); }

/* Paths in the configuration count from its own folder, on the command line from ours. */
static const char *absolute(struct setup *setup, const char *path)
{
    char *full = realpath(path, NULL);
    const char *kept = keep(setup, full ? full : path);
    free(full);
    return kept;
}

static bool number_of(const char *text, unsigned long max, unsigned long *value)
{
    char *end;
    errno = 0;
    *value = strtoul(text, &end, 10);
    return !errno && end != text && !*end && *text != '-' && *value >= 1 && *value <= max;
}

/* host, host:port, an IPv6 address, [it]:port */
static bool take_target(struct setup *setup, const char *text)
{
    const char *colon = strrchr(text, ':'), *bracket = *text == '[' ? strchr(text, ']') : NULL;
    unsigned long port = 3306;
    if (bracket ? colon != bracket + 1 : colon && strchr(text, ':') != colon) colon = NULL;
    if (colon && !number_of(colon + 1, 65535, &port)) return false;
    char *host = keep(setup, bracket ? text + 1 : text);
    if (bracket) host[bracket - text - 1] = 0;
    else if (colon) host[colon - text] = 0;
    setup->plan.target.host = host;
    setup->plan.target.port = (unsigned)port;
    return *host != 0;
}

static bool take_port(const char *text, unsigned *port)
{
    unsigned long n;
    if (!number_of(text, 65535, &n)) return false;
    *port = (unsigned)n;
    return true;
}

static bool take_option(struct setup *setup, int id, const char *value)
{
    struct server_settings *source = &setup->plan.source, *target = &setup->plan.target;
    unsigned long n;
    switch (id) {
    case OPT_HOST: source->host = value; break;
    case OPT_PORT: return take_port(value, &source->port);
    case OPT_SOCKET: source->socket = value; break;
    case OPT_USER: source->user = value; break;
    case OPT_PASSWORD_FILE: source->password_file = absolute(setup, value); break;
    case OPT_DEFAULTS_FILE: source->defaults_file = absolute(setup, value); break;
    case OPT_SSL: source->ssl = true; break;
    case OPT_SSL_CA: source->ssl_ca = absolute(setup, value); break;
    case OPT_SSL_CERT: source->ssl_cert = absolute(setup, value); break;
    case OPT_SSL_KEY: source->ssl_key = absolute(setup, value); break;
    case OPT_NO_VERIFY: source->ssl_verify_server_cert = target->ssl_verify_server_cert = false; break;
    case OPT_SERVER_ID:
        if (!number_of(value, 4294967295UL, &n)) return false;
        setup->plan.server_id = (uint32_t)n;
        break;
    case OPT_WAL_DIR: setup->plan.wal_dir = value; break;
    case OPT_FROM: setup->from = value; break;
    case OPT_TARGET: return take_target(setup, value);
    case OPT_CLUSTER: setup->cluster = value; break;
    case OPT_API_PORT: return take_port(value, &setup->ports.api_port);
    case OPT_PROXY_PORT: return take_port(value, &setup->ports.proxy_port);
    case OPT_DELIVERY:
        setup->plan.through_leader = strcmp(value, "leader") == 0;
        return setup->plan.through_leader || strcmp(value, "nodes") == 0;
    case OPT_TARGET_USER: target->user = value; break;
    case OPT_TARGET_PASSWORD_FILE: target->password_file = absolute(setup, value); break;
    case OPT_TARGET_SSL_CA: target->ssl_ca = absolute(setup, value); break;
    case OPT_OUTPUT: setup->output = value; break;
    case OPT_FORCE: setup->force = true; break;
    case OPT_PRINT: setup->print = true; break;
    case OPT_JSON: setup->json = true; break;
    default: return false;
    }
    return true;
}

/* 0 to go on, else exit code + 1. */
static int read_options(struct setup *setup, int argc, char **argv)
{
    struct option table[OPTION_COUNT + 2];
    memset(table, 0, sizeof table);
    for (size_t i = 0; i < OPTION_COUNT; i++)
        table[i] = (struct option){options[i].name, options[i].argument ? required_argument : no_argument, NULL, options[i].id};
    table[OPTION_COUNT] = (struct option){"password", optional_argument, NULL, OPT_PASSWORD};
    optind = 0;
    for (int id, at; at = -1, (id = getopt_long(argc, argv, "", table, &at)) != -1;) {
        if (id == OPT_HELP) {
            usage(stdout);
            return PROGRAM_DONE + 1;
        }
        if (id == OPT_PASSWORD) {
            fprintf(stderr, "--password is not taken: everyone on the machine can read command lines. Use --password-file\n");
            return PROGRAM_USAGE + 1;
        }
        if (id != '?' && take_option(setup, id, optarg)) continue;
        if (id != '?') fprintf(stderr, "--%s %s: not a valid value\n", at >= 0 ? table[at].name : "", optarg);
        usage(stderr);
        return PROGRAM_USAGE + 1;
    }
    if (optind < argc) {
        fprintf(stderr, "%s: not expected\n", argv[optind]);
        return PROGRAM_USAGE + 1;
    }
    return 0;
}

static bool read_secrets(struct setup *setup, struct server_settings *server, const char *name, struct err *err)
{
    struct secret_lines lines = {0, 0, 0};
    struct problems problems = {.file = "binlog-setup", .err = err};
    err_clear(err);
    secrets_read(setup->settings, server, name, &lines, &problems);
    return problems.count == 0;
}

static bool complete(struct setup *setup, struct err *err)
{
    struct server_settings *source = &setup->plan.source, *target = &setup->plan.target;
    if (setup->from && !setup_take_upstream(setup->from, &setup->plan, &setup->settings->arena, err)) return false;
    if (!read_secrets(setup, source, "source", err)) return false;
    if (!source->host && !source->socket) source->host = "localhost";
    if (!source->port) source->port = 3306;
    if (!source->user) source->user = "root";
    if (setup->cluster && !setup_cluster_take(setup->cluster, &setup->ports, setup->survey, err)) return false;
    if (!target->host && !setup->cluster) return true;
    if (!target->user) target->user = source->user;
    if (!target->password_file && !target->user[0]) return true;
    if (!target->password_file) {
        target->password_file = source->password_file;
        target->password = source->password;
    }
    return read_secrets(setup, target, target->host ? "sink-target" : "sink-cluster", err);
}

static void take_finding_of(void *context, const char *side, const struct finding *finding)
{
    struct setup *setup = context;
    if (finding->level == CHECK_ERROR) setup->failed = true;
    if (setup->count == FINDINGS_MAX) return;
    setup->findings[setup->count].side = side;
    setup->findings[setup->count++].finding = *finding;
}

static void take_finding(void *context, const struct finding *finding)
{
    struct setup *setup = context;
    take_finding_of(setup, setup->side, finding);
}

static void take_finding_of_node(void *context, const char *side, const struct finding *finding)
{
    take_finding_of(context, keep(context, side), finding);
}

static bool connect_to(const struct server_settings *server, const char *name, struct db **db, struct err *err)
{
    struct db_options made;
    settings_server(server, name, &made);
    made.connect_timeout_ms = made.read_timeout_ms = TIMEOUT_MS;
    return db_open(&made, db, err);
}

/* A number that neither the source nor any replica that it shows has. */
static bool pick_server_id(struct setup *setup, struct err *err)
{
    struct db_result *replicas = NULL;
    char own[32];
    if (setup->plan.server_id) return true;
    const struct db_version *version = db_version(setup->source);
    const char *list = version->flavour == DB_MYSQL && db_version_at_least(version, 8, 1) ? "SHOW REPLICAS" : "SHOW SLAVE HOSTS";
    if (!db_scalar(setup->source, own, sizeof own, NULL, err, "SELECT @@global.server_id")) return false;
    if (!db_query(setup->source, &replicas, err, "%s", list) && err->code == ERR_RETRY) return false;
    bool taken = true;
    while (taken) {
        uint32_t random;
        if (getrandom(&random, sizeof random, 0) != sizeof random) random = (uint32_t)getpid() * 2654435761u;
        setup->plan.server_id = SERVER_ID_FIRST + random % SERVER_ID_RANGE;
        taken = strtoul(own, NULL, 10) == setup->plan.server_id;
        for (uint64_t i = 0; replicas && i < replicas->row_count; i++)
            taken |= strtoul(db_value(replicas, i, 0, NULL), NULL, 10) == setup->plan.server_id;
    }
    db_result_free(replicas);
    return true;
}

/* The source's end, as where to begin: by its GTIDs, or by file and offset where it has none. */
static bool find_start(struct setup *setup, struct err *err)
{
    struct source_pos *end = calloc(1, sizeof *end);
    bool gtids;
    if (!end) abort();
    bool ok = binlog_has_gtids(setup->source, &gtids, err) && binlog_end(setup->source, !gtids, end, err);
    if (ok) {
        snprintf(setup->file, sizeof setup->file, "%s", end->file);
        setup->plan.end_position = end->offset;
        if (gtids) gtid_set_format(&end->gtids, setup->gtid);
        setup->plan.start_gtid = gtids ? setup->gtid : NULL;
        setup->plan.end_file = setup->file;
        if (!gtids && !setup->plan.start_file) setup->plan.start_file = setup->file, setup->plan.start_position = end->offset;
    }
    free(end);
    return ok || (setup->failed && err->code != ERR_RETRY); /* what is wrong has been said */
}

static bool look_at_source(struct setup *setup, struct err *err)
{
    struct setup_plan *plan = &setup->plan;
    setup->side = "source";
    if (plan->source.socket) snprintf(setup->server_text, sizeof setup->server_text, "%s", plan->source.socket);
    else snprintf(setup->server_text, sizeof setup->server_text, "%s:%u", plan->source.host, plan->source.port);
    plan->server_text = setup->server_text;
    if (!connect_to(&plan->source, "source", &setup->source, err)) return false;
    plan->version_text = db_version(setup->source)->text;
    if (!pick_server_id(setup, err)) return false;
    struct check_facts facts = {.server_id = plan->server_id, .user = plan->source.user};
    setup_identity(setup->source, setup->identity);
    return checks_run(setup->source, CHECK_SOURCE, &facts, take_finding, setup, err) && find_start(setup, err);
}

static bool look_at_target(struct setup *setup, struct err *err)
{
    struct check_facts facts = {.user = setup->plan.target.user};
    if (!setup->plan.target.host) return true;
    setup->side = "target";
    return connect_to(&setup->plan.target, "target", &setup->target_db, err) &&
           checks_run(setup->target_db, CHECK_TARGET, &facts, take_finding, setup, err);
}

/* The same account on every node: that of the target. */
static void look_at_cluster(struct setup *setup)
{
    struct setup_plan *plan = &setup->plan;
    if (!setup->cluster) return;
    plan->account = plan->target;
    plan->account.host = plan->account.socket = NULL;
    setup_cluster_look(setup->survey, &plan->account, setup->identity, plan->through_leader, take_finding_of_node, setup);
    plan->nodes = setup->survey->addresses;
    plan->node_count = setup->survey->count;
}

/* ---- saying ---- */

static const char *const level_names[] = {[CHECK_OK] = "ok", [CHECK_WARNING] = "warning", [CHECK_ERROR] = "error"};

static void say_findings(const struct setup *setup, FILE *to)
{
    for (size_t i = 0; i < setup->count; i++) {
        const struct finding *finding = &setup->findings[i].finding;
        fprintf(to, "%-8s %s %s: %s\n", level_names[finding->level], setup->findings[i].side, finding->check, finding->text);
        if (finding->remedy[0]) fprintf(to, "         remedy: %s\n", finding->remedy);
    }
}

static void say_json(const struct setup *setup, struct slice config)
{
    struct buf out;
    buf_init(&out, 4 * CONFIG_TEXT_MAX);
    struct json json = json_on(&out);
    json_open(&json, '{');
    json_name(&json, "server");
    json_string(&json, setup->plan.server_text);
    json_name(&json, "version");
    json_string(&json, setup->plan.version_text);
    json_name(&json, "server_id");
    json_unsigned(&json, setup->plan.server_id);
    json_name(&json, "gtid");
    json_string(&json, setup->gtid);
    json_name(&json, "file");
    json_string(&json, setup->file);
    json_name(&json, "pos");
    json_unsigned(&json, setup->plan.end_position);
    json_name(&json, "findings");
    json_open(&json, '[');
    for (size_t i = 0; i < setup->count; i++) {
        const struct finding *finding = &setup->findings[i].finding;
        json_open(&json, '{');
        json_name(&json, "side");
        json_string(&json, setup->findings[i].side);
        json_name(&json, "check");
        json_string(&json, finding->check);
        json_name(&json, "level");
        json_string(&json, level_names[finding->level]);
        json_name(&json, "text");
        json_string(&json, finding->text);
        json_name(&json, "remedy");
        json_string(&json, finding->remedy);
        json_close(&json, '}');
    }
    json_close(&json, ']');
    json_name(&json, "config");
    if (setup->print) json_text(&json, config);
    else json_null(&json);
    json_close(&json, '}');
    printf("%s\n", buf_cstr(&out));
    buf_fini(&out);
}

/* For the owner alone from the first moment; a file that is there is left alone without --force. */
static bool write_config(const struct setup *setup, struct slice text, struct err *err)
{
    int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (setup->force ? O_TRUNC : O_EXCL);
    int fd = open(setup->output, flags, 0600);
    if (fd < 0)
        return err_set_number(err, ERR_CONFIG, (unsigned)errno, "%s: %s%s", setup->output, strerror(errno),
                              errno == EEXIST ? "; --force writes over it" : "");
    bool ok = fchmod(fd, 0600) == 0 && write(fd, text.data, text.size) == (ssize_t)text.size && fsync(fd) == 0;
    if (!ok) err_set_number(err, ERR_CONFIG, (unsigned)errno, "%s: %s", setup->output, strerror(errno));
    close(fd);
    return ok;
}

static int finish(struct setup *setup)
{
    struct err err;
    struct buf shown, written;
    int status = setup->failed ? PROGRAM_UNMET : PROGRAM_DONE;
    buf_init(&shown, CONFIG_TEXT_MAX);
    buf_init(&written, CONFIG_TEXT_MAX);
    setup_config(&setup->plan, &written);
    setup->plan.hide_password = true;
    setup_config(&setup->plan, &shown);
    if (setup->json) say_json(setup, buf_bytes(&shown));
    else say_findings(setup, setup->print ? stderr : stdout);
    if (setup->print && !setup->json) printf("%s", buf_cstr(&shown));
    fflush(stdout); /* what follows goes to standard error, which may be the same file */
    if (setup->output && setup->failed) {
        fprintf(stderr, "%s is not written: correct the errors first\n", setup->output);
    } else if (setup->output) {
        if (write_config(setup, buf_bytes(&written), &err)) {
            if (!setup->json) fprintf(stderr, "%s is written; next: wolfcdc --config %s\n", setup->output, setup->output);
        } else {
            fprintf(stderr, "%s\n", err.text);
            status = PROGRAM_USAGE;
        }
    }
    explicit_bzero(written.data, written.size);
    buf_fini(&shown);
    buf_fini(&written);
    return status;
}

static int failed(const struct err *err)
{
    fprintf(stderr, "%s\n", err->text);
    return err->code == ERR_CONFIG ? PROGRAM_USAGE : err->code == ERR_RETRY ? PROGRAM_UNREACHABLE : PROGRAM_UNMET;
}

static int run(struct setup *setup, int argc, char **argv)
{
    struct err err;
    int status = read_options(setup, argc, argv);
    if (status) return status - 1;
    if (setup->output && !setup->force && access(setup->output, F_OK) == 0) {
        fprintf(stderr, "%s is there already; --force writes over it\n", setup->output);
        return PROGRAM_USAGE;
    }
    if (!complete(setup, &err) || !look_at_source(setup, &err) || !look_at_target(setup, &err)) {
        say_findings(setup, stderr);
        return failed(&err);
    }
    look_at_cluster(setup);
    return finish(setup);
}

int setup_main(int argc, char **argv)
{
    struct setup *setup = calloc(1, sizeof *setup);
    if (!setup || !(setup->settings = calloc(1, sizeof *setup->settings))) abort();
    arena_init(&setup->settings->arena);
    setup->survey = survey_new();
    setup->ports = (struct node_address){NULL, NODE_PORT_DB, NODE_PORT_API, NODE_PORT_PROXY};
    setup->plan.source.ssl_verify_server_cert = setup->plan.target.ssl_verify_server_cert = true;
    setup->plan.source.driver = DB_DRIVER_AUTO;
    db_library_init();
    int status = run(setup, argc, argv);
    db_close(setup->source);
    db_close(setup->target_db);
    db_library_end();
    arena_fini(&setup->settings->arena);
    free(setup->survey);
    free(setup->settings);
    free(setup);
    return status;
}
