/*
 * wolfctl.c: the operator's program. Its commands are the table commands.def; most are one call of the control API.
 * Exit codes: 0 done, 1 condition not met or timed out, 2 usage or configuration, 3 cannot reach.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "command.h"
#include "gtid.h"
#include "log.h"
#include "program.h"
#include "settings.h"
#include "show.h"
#include "wait.h"

#define COMMAND(words, function, ...) static command_fn do_##function;
#include "commands.def"

const struct command commands[] = {
#define COMMAND(words, function, arguments, options, help) {words, do_##function, arguments, options, help},
#include "commands.def"
};
const size_t command_count = sizeof commands / sizeof *commands;

const struct command_option command_options[] = {
#define COMMAND_OPTION(letter, name, argument, help) {letter, name, argument, help},
#include "commands.def"
};
const size_t command_option_count = sizeof command_options / sizeof *command_options;

enum { OPTIONS_MAX = 16, CALL_TIMEOUT_S = 30, WAIT_GRACE_S = 30, WATCH_MS = 1000 };
static const char always[] = "Sch"; /* every command takes these */

/* ---- help ---- */

static void print_usage(FILE *out)
{
    fputs("Usage: wolfctl COMMAND [OPTION…]\nLooks after wolfcdc, the agent that takes a live MariaDB's or MySQL's changes to other servers.\n\n", out);
    for (size_t i = 0; i < command_count; i++)
        fprintf(out, "  %-19s %.*s\n", commands[i].words, (int)strcspn(commands[i].help, ".:"), commands[i].help);
    fputs("\nwolfctl help COMMAND says more. --socket PATH or --config FILE finds the agent.\n"
          "Exit codes: 0 done, 1 condition not met or timed out, 2 usage or configuration, 3 cannot reach.\n", out);
}

static void print_command(const struct command *command)
{
    if (!strcmp(command->arguments, PASS)) {
        printf("Usage: wolfctl %s …\n%s.\nwolfctl %s --help lists its options.\n", command->words, command->help, command->words);
        return;
    }
    printf("Usage: wolfctl %s%s%s [OPTION…]\n%s.\n\n", command->words, *command->arguments ? " " : "", command->arguments,
           command->help);
    for (size_t i = 0; i < command_option_count; i++) {
        const struct command_option *o = &command_options[i];
        char name[40];
        if (!strchr(always, o->letter) && !strchr(command->options, o->letter)) continue;
        snprintf(name, sizeof name, "--%s%s%s", o->name, o->argument ? " " : "", o->argument ? o->argument : "");
        printf("  %-20s %s\n", name, o->help);
    }
}

/* ---- finding the command ---- */

/* How many of the arguments the command's words are; 0: not this one. */
static int words_match(const char *words, int count, char **args)
{
    int n = 0;
    for (const char *at = words; *at; n++) {
        size_t size = strcspn(at, " ");
        if (n >= count || strlen(args[n]) != size || memcmp(args[n], at, size) != 0) return 0;
        at += size + (at[size] == ' ');
    }
    return n;
}

static const struct command *command_find(int count, char **args, int *words)
{
    for (size_t i = 0; i < command_count; i++) {
        *words = words_match(commands[i].words, count, args);
        if (*words) return &commands[i];
    }
    return NULL;
}

/* "sink" alone, or "sink adapt": the commands that begin like that. */
static int unknown(int count, char **args)
{
    bool any = false;
    fprintf(stderr, "wolfctl: no command \"%s%s%s\"", args[0], count > 1 ? " " : "", count > 1 ? args[1] : "");
    for (size_t i = 0; i < command_count; i++) {
        size_t size = strlen(args[0]);
        if (strncmp(commands[i].words, args[0], size) || commands[i].words[size] != ' ') continue;
        fprintf(stderr, "%s%s", any ? ", " : "; there is: ", commands[i].words);
        any = true;
    }
    fputs(any ? "\n" : "; wolfctl help lists them\n", stderr);
    return PROGRAM_USAGE;
}

/* ---- options ---- */

static void options_make(struct option known[OPTIONS_MAX])
{
    memset(known, 0, OPTIONS_MAX * sizeof *known);
    for (size_t i = 0; i < command_option_count; i++)
        known[i] = (struct option){command_options[i].name, command_options[i].argument ? required_argument : no_argument, NULL,
                                   command_options[i].letter};
}

static void option_take(struct call *call, int letter)
{
    switch (letter) {
    case 'S': call->socket = optarg; break;
    case 'c': call->config = optarg; break;
    case 's': call->sink = optarg; break;
    case 'g': call->gtid = optarg; break;
    case 't': call->timeout = optarg; break;
    case 'f': call->from = optarg; break;
    case 'e': call->endpoint = optarg; break;
    case 'j': call->json = true; break;
    case 'y': call->yes = true; break;
    case 'n': call->dry_run = true; break;
    case 'w': call->watch = true; break;
    default: break; /* 'h' is the caller's */
    }
}

static int run(int argc, char **argv)
{
    struct option known[OPTIONS_MAX];
    struct call call = {0};
    char given[64] = "";
    bool help = false;
    int words;
    options_make(known);
    for (int c; (c = getopt_long(argc, argv, "c:e:h", known, NULL)) != -1;) {
        if (c == '?') {
            fputs("wolfctl help tells what there is\n", stderr);
            return PROGRAM_USAGE;
        }
        help |= c == 'h';
        option_take(&call, c);
        size_t n = strlen(given);
        if (n + 1 < sizeof given) given[n] = (char)c;
    }
    if (optind == argc) {
        print_usage(help ? stdout : stderr);
        return help ? PROGRAM_DONE : PROGRAM_USAGE;
    }
    const struct command *command = command_find(argc - optind, argv + optind, &words);
    if (!command) return unknown(argc - optind, argv + optind);
    if (help) {
        print_command(command);
        return PROGRAM_DONE;
    }
    for (const char *c = given; *c; c++) {
        if (strchr(always, *c) || strchr(command->options, *c)) continue;
        for (size_t i = 0; i < command_option_count; i++)
            if (command_options[i].letter == *c)
                fprintf(stderr, "wolfctl: %s takes no --%s; wolfctl help %s\n", command->words, command_options[i].name, command->words);
        return PROGRAM_USAGE;
    }
    call.count = argc - optind - words;
    call.args = argv + optind + words;
    return command->run(&call);
}

/* Where the command begins: behind the options that say which agent is meant. */
static int command_at(int argc, char **argv)
{
    int at = 1;
    while (at < argc) {
        if (!strncmp(argv[at], "--config=", 9) || !strncmp(argv[at], "--socket=", 9)) at++;
        else if (!strcmp(argv[at], "--config") || !strcmp(argv[at], "--socket") || !strcmp(argv[at], "-c")) at += 2;
        else break;
    }
    return at < argc ? at : argc;
}

/* Commands with a program part of their own get their arguments untouched; options that stand before the command come behind them. */
static int pass_through(int argc, char **argv, bool *passed)
{
    int words, at = command_at(argc, argv);
    const struct command *command = command_find(argc - at, argv + at, &words);
    *passed = command && !strcmp(command->arguments, PASS);
    if (!*passed) return 0;
    struct call call = {.args = calloc((size_t)argc + 1, sizeof *call.args)};
    if (!call.args) abort();
    call.args[call.count++] = (char *)command->words;
    for (int i = at + words; i < argc; i++) call.args[call.count++] = argv[i];
    for (int i = 1; i < at && call.count > 1; i++) call.args[call.count++] = argv[i];
    int status = command->run(&call);
    free(call.args);
    return status;
}

int main(int argc, char **argv)
{
    bool passed;
    int status = pass_through(argc, argv, &passed);
    if (!passed) status = run(argc, argv);
    if (fflush(stdout) && !status) status = PROGRAM_UNMET;
    return status;
}

/* ---- calling the agent ---- */

static int failed(const struct err *err)
{
    fprintf(stderr, "wolfctl: %s\n", err->text);
    return err->code == ERR_CONFIG ? PROGRAM_USAGE : err->code == ERR_LIMIT ? PROGRAM_USAGE : PROGRAM_UNREACHABLE;
}

static int status_of(long http)
{
    if (http == 200) return PROGRAM_DONE;
    if (http == 400 || http == 404 || http == 405) return PROGRAM_USAGE;
    return http == 502 ? PROGRAM_UNREACHABLE : PROGRAM_UNMET;
}

enum view { VIEW_SCHEMA, VIEW_DONE, VIEW_STATUS, VIEW_STATS, VIEW_READY };

static bool view_show(enum view view, struct slice json)
{
    bool colours = show_colours(stdout);
    switch (view) {
    case VIEW_STATUS: return show_status(stdout, json, colours);
    case VIEW_STATS: return show_stats(stdout, json);
    case VIEW_READY: return show_ready(stdout, json, colours);
    case VIEW_SCHEMA: return schema_print(stdout, json);
    case VIEW_DONE: break;
    }
    return show_done(stdout, json);
}

/* One call, its answer shown. */
static int ask(const struct call *call, enum view view, const struct client_call *request)
{
    struct client_answer answer = {0};
    struct err err = {0};
    char *socket = NULL;
    if (!client_find(call->socket, call->config, &socket, &err)) return failed(&err);
    bool reached = client_do(socket, request, &answer, &err);
    free(socket);
    if (!reached) return failed(&err);
    int status = status_of(answer.status);
    bool error = status && view != VIEW_READY;
    if (call->json) fwrite(answer.body.data, 1, answer.body.size, stdout);
    else if (error || !view_show(view, buf_bytes(&answer.body))) show_error(stderr, buf_bytes(&answer.body));
    buf_fini(&answer.body);
    return status;
}

static int get(const struct call *call, enum view view, const char *path)
{
    struct client_call request = {.path = path, .timeout_s = CALL_TIMEOUT_S};
    return ask(call, view, &request);
}

static int post(const struct call *call, const char *path, struct client_param a, struct client_param b)
{
    struct client_call request = {.post = true, .path = path, .params = {a, b}, .timeout_s = CALL_TIMEOUT_S};
    return ask(call, VIEW_DONE, &request);
}

static const struct client_param none;

static struct client_param sink_param(const struct call *call, const char *argument)
{
    return (struct client_param){"sink", argument ? argument : call->sink};
}

/* True: too many or too few. */
static bool miscounted(const struct call *call, int least, int most, const char *usage)
{
    if (call->count >= least && call->count <= most) return false;
    fprintf(stderr, "Usage: wolfctl %s\n", usage);
    return true;
}

/* What can be known to be wrong without the agent is usage, whether there is an agent or not. */
static int misread(const char *what, const struct err *err)
{
    fprintf(stderr, "wolfctl: %s: %s\n", what, err->text);
    return PROGRAM_USAGE;
}

/* ---- the commands ---- */

static int do_status(struct call *call)
{
    if (miscounted(call, 0, 0, "status [--endpoint URL]")) return PROGRAM_USAGE;
    return call->endpoint ? endpoint_status(call) : get(call, VIEW_STATUS, "/status");
}

static int do_stats(struct call *call)
{
    if (miscounted(call, 0, 0, "stats [--endpoint URL] [--watch]")) return PROGRAM_USAGE;
    for (;;) {
        if (call->watch && !call->json && isatty(STDOUT_FILENO)) fputs("\033[H\033[2J", stdout);
        int status = call->endpoint ? endpoint_stats(call) : get(call, VIEW_STATS, "/stats");
        if (!call->watch || status == PROGRAM_UNREACHABLE || status == PROGRAM_USAGE || fflush(stdout)) return status;
        clock_sleep_ms(call->endpoint ? 0 : WATCH_MS); /* a node's rate takes a second by itself */
    }
}

static int do_ready(struct call *call) { return miscounted(call, 0, 0, "ready") ? PROGRAM_USAGE : get(call, VIEW_READY, "/ready"); }

/* Where there is no agent to ask, its configuration tells. */
static bool is_no_sink(const struct call *call)
{
    struct settings *settings = NULL;
    bool found = !call->sink || !settings_read(call->config ? call->config : PROGRAM_CONFIG, &settings, NULL);
    for (size_t i = 0; !found && i < settings->sink_count; i++) found = !strcmp(settings->sinks[i].name, call->sink);
    settings_free(settings);
    if (!found) fprintf(stderr, "wolfctl: no sink \"%.64s\" in its configuration\n", call->sink);
    return !found;
}

static int do_wait(struct call *call)
{
    struct gtid_set gtids;
    double seconds;
    struct err err;
    if (miscounted(call, 0, 0, "wait [--sink NAME] [--gtid GTIDS] [--timeout SECONDS]")) return PROGRAM_USAGE;
    if (!wait_seconds(call->timeout, &seconds, &err)) return failed(&err);
    if (call->gtid && !gtid_set_parse(slice_text(call->gtid), &gtids, &err)) return misread("gtid", &err);
    struct client_call request = {.path = "/wait", .timeout_s = (long)seconds + WAIT_GRACE_S,
                                  .params = {{"sink", call->sink}, {"gtid", call->gtid}, {"timeout", call->timeout}}};
    int status = ask(call, VIEW_DONE, &request);
    return status == PROGRAM_UNREACHABLE && is_no_sink(call) ? PROGRAM_USAGE : status;
}

static int do_pause(struct call *call)
{
    if (miscounted(call, 0, 0, "pause [--sink NAME]")) return PROGRAM_USAGE;
    return post(call, call->sink ? "/sink/pause" : "/pause", sink_param(call, NULL), none);
}

static int do_resume(struct call *call)
{
    if (miscounted(call, 0, 0, "resume [--sink NAME]")) return PROGRAM_USAGE;
    return post(call, call->sink ? "/sink/resume" : "/resume", sink_param(call, NULL), none);
}

static int do_adopt(struct call *call) { return miscounted(call, 0, 1, "sink adopt [NAME]") ? PROGRAM_USAGE : adopt_run(call); }

static int do_rewind(struct call *call)
{
    char what[400];
    int status;
    if (miscounted(call, 1, 2, "sink rewind [NAME] LSN")) return PROGRAM_USAGE;
    const char *lsn = call->args[call->count - 1];
    if (!*lsn || strspn(lsn, "0123456789") != strlen(lsn)) {
        fprintf(stderr, "wolfctl: lsn \"%.40s\": allowed is a number from 1\n", lsn);
        return PROGRAM_USAGE;
    }
    snprintf(what, sizeof what,
             "Delivers to sink %.64s again from LSN %.24s. A target that counts (mysql) refuses what it already has.",
             call->count > 1 ? call->args[0] : call->sink ? call->sink : "(the only one)", lsn);
    if (!command_confirm(call, what, &status)) return status;
    return post(call, "/sink/rewind", sink_param(call, call->count > 1 ? call->args[0] : NULL), (struct client_param){"lsn", lsn});
}

static int do_forget(struct call *call)
{
    char what[400];
    int status;
    const char *name = call->count ? call->args[0] : call->sink;
    if (!name || miscounted(call, 0, 1, "sink forget NAME")) {
        if (!name) miscounted(call, 1, 1, "sink forget NAME");
        return PROGRAM_USAGE;
    }
    snprintf(what, sizeof what, "The log will no longer keep what sink %.64s has not yet got: it cannot go on after that.", name);
    if (!command_confirm(call, what, &status)) return status;
    return post(call, "/sink/forget", sink_param(call, name), none);
}

static int conflict(const struct call *call, const char *way)
{
    if (miscounted(call, 0, 1, "conflict skip|overwrite|retry [NAME]")) return PROGRAM_USAGE;
    return post(call, "/conflict", sink_param(call, call->count ? call->args[0] : NULL), (struct client_param){"way", way});
}

static int do_conflict_skip(struct call *call)
{
    int status;
    if (!command_confirm(call, "The change that conflicts is left out: the target will differ from the source there. wolfctl status "
                               "names it.", &status))
        return status;
    return conflict(call, "skip");
}

static int conflict_dry(const struct call *call, const char *way, const char *what)
{
    if (!call->dry_run) return conflict(call, way);
    printf("%s\nNothing was done (--dry-run).\n", what);
    return PROGRAM_DONE;
}

static int do_conflict_overwrite(struct call *call)
{
    return conflict_dry(call, "overwrite", "The target's row is made what the source's is. wolfctl status names it.");
}

static int do_conflict_retry(struct call *call)
{
    return conflict_dry(call, "retry", "The same change is tried again. wolfctl status names it.");
}

static int do_nodes(struct call *call) { return miscounted(call, 0, 0, "nodes") ? PROGRAM_USAGE : nodes_list(call); }

static int do_nodes_verify(struct call *call) { return miscounted(call, 0, 1, "nodes verify [NODE]") ? PROGRAM_USAGE : nodes_verify(call); }

static int do_nodes_repair(struct call *call) { return miscounted(call, 1, 1, "nodes repair NODE") ? PROGRAM_USAGE : nodes_repair(call); }

static int do_nodes_seed(struct call *call) { return miscounted(call, 1, 1, "nodes seed NODE [--from NODE|log]") ? PROGRAM_USAGE : nodes_seed(call); }

static int do_list(struct call *call) { return miscounted(call, 0, 0, "list [servers] [--endpoint URL]") ? PROGRAM_USAGE : endpoint_list(call); }

static int do_reset(struct call *call) { return miscounted(call, 0, 0, "reset [--endpoint URL]") ? PROGRAM_USAGE : endpoint_reset(call); }

static int do_migrate(struct call *call) { return miscounted(call, 0, 0, "migrate --endpoint URL --from NODE") ? PROGRAM_USAGE : endpoint_migrate(call); }

static int do_schema_show(struct call *call)
{
    if (miscounted(call, 0, 1, "schema show [DB.TABLE]")) return PROGRAM_USAGE;
    struct client_call request = {.path = "/schema", .params = {{"table", call->count ? call->args[0] : NULL}}, .timeout_s = CALL_TIMEOUT_S};
    return ask(call, VIEW_SCHEMA, &request);
}

static int do_schema_set(struct call *call)
{
    struct err err = {0};
    if (miscounted(call, 2, 2, "schema set DB.TABLE FILE.sql")) return PROGRAM_USAGE;
    char *sql = schema_of_file(call->args[0], call->args[1], &err);
    if (!sql) return misread(call->args[1], &err);
    int status = post(call, "/schema/set", (struct client_param){"table", call->args[0]}, (struct client_param){"sql", sql});
    free(sql);
    return status;
}

static int do_schema_refresh(struct call *call)
{
    if (miscounted(call, 0, 1, "schema refresh [DB.TABLE]")) return PROGRAM_USAGE;
    return post(call, "/schema/refresh", (struct client_param){"table", call->count ? call->args[0] : NULL}, none);
}

static int do_log_level(struct call *call)
{
    enum log_level level;
    if (miscounted(call, 1, 1, "log-level error|warning|info|debug")) return PROGRAM_USAGE;
    if (!log_level_parse(call->args[0], &level)) {
        fprintf(stderr, "wolfctl: level \"%.40s\": allowed is error, warning, info or debug\n", call->args[0]);
        return PROGRAM_USAGE;
    }
    return post(call, "/log-level", (struct client_param){"level", call->args[0]}, none);
}

static int do_wal(struct call *call) { return walctl_main(call->count, call->args); }

static int do_setup(struct call *call) { return setup_main(call->count, call->args); }

static int do_decode(struct call *call) { return decode_main(call->count, call->args); }

static int do_version(struct call *call)
{
    struct client_call request = {.path = "/health", .timeout_s = CALL_TIMEOUT_S};
    struct client_answer answer = {0};
    char *socket = NULL;
    printf("wolfctl %s\n", PACKAGE_VERSION);
    if (!client_find(call->socket, call->config, &socket, NULL) || !client_do(socket, &request, &answer, NULL)) {
        free(socket);
        return PROGRAM_DONE;
    }
    printf("agent   %.*s", SLICE_ARG(buf_bytes(&answer.body)));
    buf_fini(&answer.body);
    free(socket);
    return PROGRAM_DONE;
}

static int do_help(struct call *call)
{
    int words;
    if (!call->count) {
        print_usage(stdout);
        return PROGRAM_DONE;
    }
    const struct command *command = command_find(call->count, call->args, &words);
    if (!command) return unknown(call->count, call->args);
    print_command(command);
    return PROGRAM_DONE;
}
