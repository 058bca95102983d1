/*
 * wolfcdc.c: the agent's program: options, signals, exit codes. Everything it does is in agent.h.
 *
 * Signals are taken by thread main alone, with sigtimedwait: no handler runs beside the program, but for the one that ends it
 * when a second SIGTERM comes during the stop.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent.h"
#include "clock.h"
#include "config.h"
#include "notify.h"
#include "program.h"
#include "report.h"

enum { TICK_MS = 1000, FILES_WANTED = 4096 };

static const char usage_begin[] =
    "Usage: wolfcdc --config FILE [--check]\n"
    "Captures the changes of a live MariaDB or MySQL into a log of its own and delivers them to other servers, exactly once.\n"
    "\n";

static const char usage_end[] =
    "\n"
    "A first configuration:  wolfctl binlog-setup --host db1 --user wolfcdc --password-file F --output wolfcdc.toml\n"
    "How it is doing:        wolfctl status\n"
    "\n"
    "It stays in the foreground and writes its log to standard error; contrib/systemd has a service.\n"
    "SIGTERM, SIGINT: stop in order, within 5 s; a second one: at once. SIGHUP: read the configuration's log level again.\n"
    "Exit codes: 0 stopped in order, 1 cannot go on (the last line of the log says why), 2 usage or configuration.\n";

static const struct program_option {
    int letter;
    const char *name, *argument, *help;
} program_options[] = {
#define OPTION(letter, name, argument, help) {letter, name, argument, help},
#include "options.def"
#undef OPTION
};
enum { PROGRAM_OPTIONS = sizeof program_options / sizeof *program_options };

struct options {
    const char *config;
    bool check, done; /* done: exit with status */
    int status;
};

static void print_config_help(void)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    config_help(&text);
    fwrite(text.data, 1, text.size, stdout);
    buf_fini(&text);
}

static void print_usage(void)
{
    fputs(usage_begin, stdout);
    for (size_t i = 0; i < PROGRAM_OPTIONS; i++) {
        const struct program_option *o = &program_options[i];
        char name[40];
        snprintf(name, sizeof name, "--%s%s%s", o->name, o->argument ? " " : "", o->argument ? o->argument : "");
        printf("  %-16s %s\n", name, o->help);
    }
    fputs(usage_end, stdout);
}

static void options_read(int argc, char **argv, struct options *options)
{
    struct option known[PROGRAM_OPTIONS + 1] = {0};
    for (size_t i = 0; i < PROGRAM_OPTIONS; i++)
        known[i] = (struct option){program_options[i].name, program_options[i].argument ? required_argument : no_argument, NULL,
                                   program_options[i].letter};
    *options = (struct options){.config = PROGRAM_CONFIG};
    for (int c; (c = getopt_long(argc, argv, "c:Vh", known, NULL)) != -1;) {
        if (c == 'c') options->config = optarg;
        if (c == 'k') options->check = true;
        if (c == 'V') printf("wolfcdc %s\n", PACKAGE_VERSION);
        if (c == 'h') print_usage();
        if (c == 'H') print_config_help();
        if (c == 'c' || c == 'k') continue;
        options->done = true;
        options->status = c == '?' ? PROGRAM_USAGE : PROGRAM_DONE;
        if (c == '?') fputs("wolfcdc --help tells what there is\n", stderr);
        return;
    }
    if (optind == argc) return;
    fprintf(stderr, "wolfcdc: \"%s\" is not an option; wolfcdc --help tells what there is\n", argv[optind]);
    options->done = true;
    options->status = PROGRAM_USAGE;
}

/* ---- signals ---- */

static void signals_block(sigset_t *ours)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL); /* a connection that breaks is an error of that connection */
    sigemptyset(ours);
    sigaddset(ours, SIGTERM);
    sigaddset(ours, SIGINT);
    sigaddset(ours, SIGHUP);
    sigprocmask(SIG_BLOCK, ours, NULL);
}

static void end_at_once(int number)
{
    (void)number;
    _exit(PROGRAM_UNMET); /* the log recovers from that: it is the same as a kill */
}

static void second_signal_ends(const sigset_t *ours)
{
    struct sigaction now = {.sa_handler = end_at_once};
    sigaction(SIGTERM, &now, NULL);
    sigaction(SIGINT, &now, NULL);
    sigset_t terminating = *ours;
    sigdelset(&terminating, SIGHUP);
    sigprocmask(SIG_UNBLOCK, &terminating, NULL);
}

/* ---- running ---- */

static void tell_systemd(struct agent *agent)
{
    char line[400];
    struct report *report = report_take(agent);
    report_line(report, line, sizeof line);
    free(report);
    notify_status("%s", line);
    notify_alive();
}

static void run(struct agent *agent, const sigset_t *ours)
{
    uint32_t tick = notify_interval_ms(TICK_MS);
    const struct timespec wait = {tick / 1000, (long)(tick % 1000) * 1000000};
    for (;;) {
        int number = sigtimedwait(ours, NULL, &wait);
        if (number == SIGTERM || number == SIGINT) {
            log_info("agent.stopping", "signal=%s", number == SIGTERM ? "SIGTERM" : "SIGINT");
            return;
        }
        if (number == SIGHUP) {
            notify_reloading();
            agent_reload(agent);
            notify_ready();
        }
        tell_systemd(agent); /* takes every part's lock: who is stuck there is found by the watchdog */
    }
}

static void more_files(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= FILES_WANTED) return;
    limit.rlim_cur = limit.rlim_max < FILES_WANTED ? limit.rlim_max : FILES_WANTED;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static int agent_run(struct settings *settings)
{
    struct agent *agent;
    struct err err = {0};
    sigset_t ours;
    signals_block(&ours);
    more_files();
    umask(0077);
    log_info("agent.starting", "version=%s pid=%ld config=%s", PACKAGE_VERSION, (long)getpid(), settings->file);
    if (!agent_new(settings, &agent, &err)) {
        log_error("agent.failed", "code=%s text=\"%s\"", err_code_name(err.code), err.text);
        return err.code == ERR_CONFIG ? PROGRAM_USAGE : PROGRAM_UNMET;
    }
    agent_start(agent);
    notify_ready();
    log_info("agent.started", "sinks=%zu", sinks_count(agent->sinks));
    run(agent, &ours);
    notify_stopping();
    second_signal_ends(&ours);
    uint64_t begun = clock_us();
    agent_stop(agent);
    log_info("agent.stopped", "ms=%llu", (unsigned long long)(clock_us() - begun) / 1000);
    agent_free(agent);
    return PROGRAM_DONE;
}

int main(int argc, char **argv)
{
    struct options options;
    struct settings *settings;
    struct err err = {0};
    options_read(argc, argv, &options);
    if (options.done) return options.status;
    log_init(LOG_LEVEL_INFO, LOG_FORMAT_TEXT);
    if (!settings_read(options.config, &settings, &err)) {
        fprintf(stderr, "wolfcdc: the configuration is not accepted:\n%s\n", err.text);
        return PROGRAM_USAGE;
    }
    if (options.check) {
        printf("%s: good: source %s, log %s, %zu sink%s\n", options.config,
               settings->source.server.host ? settings->source.server.host : "by list or socket", settings->wal.dir,
               settings->sink_count, settings->sink_count == 1 ? "" : "s");
        settings_free(settings);
        return PROGRAM_DONE;
    }
    log_init(settings->logging.level, settings->logging.format);
    return agent_run(settings);
}
