/*
 * mkman.c: makes the manual pages wolfcdc(8), wolfctl(1) and wolfcdc.toml(5) while the programs are built, from the tables that
 * the programs themselves are made of. What only people can say stands here as text.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cdc.h"
#include "config.h"
#include "decode.h"
#include "program.h"
#include "sink.h"

#define PASS "…"

struct entry { const char *name, *extra, *help; };

static const struct entry commands[] = {
#define COMMAND(words, function, arguments, options, help) {words, arguments, help},
#include "commands.def"
};
static const struct entry command_options[] = {
#define COMMAND_OPTION(letter, name, argument, help) {name, argument, help},
#include "commands.def"
};
static const struct entry program_options[] = {
#define OPTION(letter, name, argument, help) {name, argument, help},
#include "options.def"
#undef OPTION
};
static const struct { const char *method, *path, *parameters, *help; bool changes; } verbs[] = {
#define VERB(method, path, function, changes, parameters, help) {method, path, parameters, help, changes},
#include "verbs.def"
#undef VERB
};
static const struct entry status_keys[] = {
#define STATUS_KEY(name, help) {name, NULL, help},
#include "keys.def"
};
static const struct entry node_keys[] = {
#define NODE_KEY(name, help) {name, NULL, help},
#include "keys.def"
};
static const struct entry endpoint_keys[] = {
#define ENDPOINT_KEY(name, help) {name, NULL, help},
#include "keys.def"
};
static const struct entry change_keys[] = {
#define CHANGE_KEY(name, help) {name, NULL, help},
#include "keys.def"
};
static const struct entry metrics[] = {
#define METRIC(id, kind, name, help) {name, NULL, help},
#define SINK_METRIC(id, kind, name, help) {name, "{sink=\"…\"}", help},
#include "metrics.def"
};
#define COUNT(table) (sizeof(table) / sizeof *(table))

/* ---- roff ---- */

/* As text: no request, no escape, and hyphens that can be copied. */
static void put(const char *text)
{
    for (const char *c = text; *c; c++) {
        bool first = c == text || c[-1] == '\n';
        if (first && (*c == '.' || *c == '\'')) fputs("\\&", stdout);
        if (*c == '\\') fputs("\\e", stdout);
        else if (*c == '-') fputs("\\-", stdout);
        else putchar(*c);
    }
}

static void head(const char *name, int section, const char *what)
{
    printf(".\\\" Made by mkman from the program's own tables.\n.TH %s %d \"\" \"wolfcdc %s\" \"wolfcdc\"\n.SH NAME\n", name, section,
           PACKAGE_VERSION);
    put(name);
    fputs(" \\- ", stdout);
    put(what);
    putchar('\n');
}

static void section(const char *name) { printf(".SH %s\n", name); }

static void paragraph(const char *text)
{
    puts(".PP");
    put(text);
    putchar('\n');
}

static void example(const char *text)
{
    puts(".PP\n.nf\n.RS 4");
    put(text);
    puts("\n.RE\n.fi");
}

/* `bold` and `plain` on one line, the help below it. */
static void item(const char *bold, const char *plain, const char *help)
{
    fputs(".TP\n\\fB", stdout);
    put(bold);
    fputs("\\fR", stdout);
    if (plain && *plain) {
        putchar(' ');
        put(plain);
    }
    putchar('\n');
    put(help);
    puts(strchr(".?!", help[strlen(help) - 1]) ? "" : ".");
}

static void options_list(const struct entry *rows, size_t count)
{
    char name[40];
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "--%s", rows[i].name);
        item(name, rows[i].extra, rows[i].help);
    }
}

static void rows_list(const struct entry *rows, size_t count, const char *prefix)
{
    char name[100];
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%s%s", prefix, rows[i].name);
        item(name, rows[i].extra, rows[i].help);
    }
}

static void exit_codes(void)
{
    section("EXIT STATUS");
    item("0", NULL, "Done");
    item("1", NULL, "The condition is not met, timed out, or it cannot go on; the last line says why");
    item("2", NULL, "Usage or configuration");
    item("3", NULL, "The agent or a server cannot be reached");
}

/* ---- wolfcdc(8) ---- */

static void states(void)
{
    char name[40];
    section("STATES OF CAPTURE");
    paragraph("In brackets: the number in the metric wolfcdc_source_state.");
    for (int i = 0; i < CDC_STATES; i++) {
        snprintf(name, sizeof name, "(%d)", i);
        item(cdc_state_name((enum cdc_state)i), name, cdc_state_help((enum cdc_state)i));
    }
    section("STATES OF A SINK");
    paragraph("In brackets: the number in the metric wolfcdc_sink_state.");
    for (int i = 0; i < SINK_STATES; i++) {
        snprintf(name, sizeof name, "(%d)", i);
        item(sink_state_name((enum sink_state)i), name, sink_state_help((enum sink_state)i));
    }
}

static void api(void)
{
    char name[80];
    section("CONTROL API");
    paragraph("HTTP with JSON answers, on the Unix socket of [api], and on TCP if listen is set there. Parameters go into the query. "
              "Errors are {\"error\",\"remedy\"} with a fitting status: 400 a wrong parameter, 401 and 403 not allowed, 404 and 405 no "
              "such verb, 409 not in this state, 502 the source cannot be asked, 503 not ready, 504 timed out. On TCP everyone may read; "
              "what changes something (marked *) needs the header \"Authorization: Bearer TOKEN\" with the token of token_file. "
              "The keys of /status are listed in wolfctl(1).");
    for (size_t i = 0; i < COUNT(verbs); i++) {
        snprintf(name, sizeof name, "%s %s%s", verbs[i].method, verbs[i].path, verbs[i].changes ? " *" : "");
        item(name, verbs[i].parameters, verbs[i].help);
    }
}

static void page_wolfcdc(void)
{
    head("wolfcdc", 8, "captures the changes of a live MariaDB or MySQL and delivers them to other servers, exactly once");
    section("SYNOPSIS");
    puts(".B wolfcdc\n\\-\\-config \\fIFILE\\fR [\\-\\-check]");
    section("DESCRIPTION");
    paragraph("wolfcdc registers with a MariaDB server as a replica, decodes the row events of its binary log, keeps them in a compressed "
              "log of its own, and applies them to one or more targets. Each target has its own place in that log; one that fails does "
              "not hold the others. A MariaDB target keeps its position in the table wolfcdc.position, in the same transactions as the "
              "data, so that every change arrives exactly once, whatever is killed on the way.");
    paragraph("It stays in the foreground and writes its log to standard error, one line per event. SIGTERM and SIGINT stop it in order, "
              "within 5 s; a second one ends it at once, which loses nothing either. SIGHUP reads the configuration again: the log level "
              "is taken over, for what else changed it says that a restart is needed.");
    section("OPTIONS");
    options_list(program_options, COUNT(program_options));
    exit_codes();
    states();
    api();
    section("METRICS");
    paragraph("What /metrics has, for Prometheus. Seconds and bytes; _total only grows, and begins at 0 with the process.");
    rows_list(metrics, COUNT(metrics), "wolfcdc_");
    section("FILES");
    item(PROGRAM_CONFIG, NULL, "The configuration: wolfcdc.toml(5)");
    item("/var/lib/wolfcdc/wal", NULL, "The log: wolfcdc-wal(5)");
    item(PROGRAM_SOCKET, NULL, "The control API's socket");
    section("SEE ALSO");
    puts(".BR wolfctl (1),\n.BR wolfcdc.toml (5),\n.BR wolfcdc\\-wal (5)");
}

/* ---- wolfctl(1) ---- */

static void page_wolfctl(void)
{
    char name[40];
    head("wolfctl", 1, "looks after wolfcdc");
    section("SYNOPSIS");
    puts(".B wolfctl\n\\fICOMMAND\\fR [\\fIOPTION\\fR...]");
    section("DESCRIPTION");
    paragraph("Talks to a running wolfcdc over its control socket, looks into its log, and prepares its configuration. Where another "
              "program called wolfctl was there before, it is installed as wolfcdcctl.");
    section("COMMANDS");
    rows_list(commands, COUNT(commands), "");
    section("OPTIONS");
    paragraph("wolfctl help COMMAND says which of them a command takes.");
    options_list(command_options, COUNT(command_options));
    section("BINLOG DECODE");
    for (size_t i = 0; decode_about[i]; i++) paragraph(decode_about[i]);
    for (size_t i = 0; i < decode_option_count; i++) {
        snprintf(name, sizeof name, "--%s", decode_options[i].name);
        item(name, decode_options[i].argument, decode_options[i].help);
    }
    exit_codes();
    section("KEYS OF STATUS \\-\\-JSON");
    paragraph("One document. These names are stable; new ones may be added.");
    rows_list(status_keys, COUNT(status_keys), "");
    section("KEYS OF NODES \\-\\-JSON");
    paragraph("One document, as GET /nodes answers it.");
    rows_list(node_keys, COUNT(node_keys), "");
    section("KEYS WITH \\-\\-ENDPOINT \\-\\-JSON");
    paragraph("One document, of list, status, stats and reset alike.");
    rows_list(endpoint_keys, COUNT(endpoint_keys), "");
    section("KEYS OF A CHANGE");
    paragraph("One object a line, from wolfctl wal dump --format json, wolfctl binlog decode --json and sinks of type jsonl, in this order. "
              "Integers and floats are numbers, DECIMAL and temporal values strings as the server's SELECT prints them (time zone UTC), "
              "text is UTF-8, ENUM and SET their labels, JSON columns JSON (the document null is {\"json\":null}; a string where the "
              "source's dictionary could not be asked), BIT and YEAR numbers; "
              "what is binary, or not valid in its character set, is {\"base64\":\"…\"}. Columns without a name are @1, @2, …");
    rows_list(change_keys, COUNT(change_keys), "");
    section("ENVIRONMENT");
    item("NO_COLOR", NULL, "When set: no colours. There are none either when standard output is not a terminal");
    section("EXAMPLES");
    example("wolfctl binlog-setup --host db1 --user wolfcdc --password-file F --output wolfcdc.toml\n"
            "wolfctl status\n"
            "wolfctl wait --timeout 60 && echo \"the target has everything\"\n"
            "wolfctl wal dump --follow --table 'shop.*' --format json");
    section("SEE ALSO");
    puts(".BR wolfcdc (8),\n.BR wolfcdc.toml (5),\n.BR wolfcdc\\-wal (5)");
}

/* ---- wolfcdc.toml(5) ---- */

static void key_item(const struct config_key *key)
{
    char allowed[300], help[1200];
    bool quoted = key->initial && key->type != CONFIG_NUMBER && key->type != CONFIG_BOOL;
    config_allowed(key, allowed, sizeof allowed);
    snprintf(help, sizeof help, "%s. Allowed: %s. Default: %s%s%s", key->help, allowed, quoted ? "\"" : "",
             key->initial ? key->initial : "none", quoted ? "\"" : "");
    item(key->name, NULL, help);
}

static void page_toml(void)
{
    head("wolfcdc.toml", 5, "the configuration of wolfcdc");
    section("DESCRIPTION");
    paragraph("A TOML file. wolfctl binlog-setup writes one that works; wolfcdc --check says what is wrong with it: file, line, key, the "
              "value and what is allowed. Relative paths are relative to the file's directory, \"~/\" is the home directory. Sizes and "
              "times carry their unit in their name.");
    paragraph("Passwords come from password or password_file, else from the [client] section of defaults_file, else from the environment "
              "(WOLFCDC_SOURCE_PASSWORD, WOLFCDC_SINK_NAME_PASSWORD with the sink's name in capitals and - as _), else from systemd's "
              "credentials (source.password, sink-NAME.password). Never from the command line.");
    for (size_t s = 0; s < config_section_count; s++) {
        bool sink = !strcmp(config_sections[s].name, "sink");
        printf(".SH \"%s[%s]%s\"\n", sink ? "[" : "", config_sections[s].name, sink ? "]" : "");
        paragraph(config_sections[s].help);
        for (size_t i = 0; i < config_key_count; i++)
            if (!strcmp(config_keys[i].section, config_sections[s].name)) key_item(&config_keys[i]);
    }
    section("EXAMPLE");
    example("[source]\nhost = \"db1.example\"\nuser = \"wolfcdc\"\npassword_file = \"/etc/wolfcdc/source.password\"\n"
            "ssl_ca = \"/etc/wolfcdc/ca.pem\"\nserver_id = 7301\n\n[wal]\ndir = \"/var/lib/wolfcdc/wal\"\n\n[[sink]]\nname = \"new\"\n"
            "type = \"mysql\"\nhost = \"10.0.0.5\"\nuser = \"wolfcdc\"\npassword_file = \"/etc/wolfcdc/new.password\"\n\n"
            "[filter]\ninclude = [\"shop.*\"]");
    section("SEE ALSO");
    puts(".BR wolfcdc (8),\n.BR wolfctl (1)");
}

/* ---- */

static const struct { const char *name; void (*write)(void); } pages[] = {
    {"wolfcdc.8", page_wolfcdc}, {"wolfctl.1", page_wolfctl}, {"wolfcdc.toml.5", page_toml}};

int main(int argc, char **argv)
{
    const char *slash = argc == 2 ? strrchr(argv[1], '/') : NULL, *name = slash ? slash + 1 : argc == 2 ? argv[1] : "";
    for (size_t i = 0; i < COUNT(pages); i++) {
        if (strcmp(pages[i].name, name)) continue;
        pages[i].write();
        return fflush(stdout) ? PROGRAM_UNMET : PROGRAM_DONE;
    }
    fputs("Usage: mkman wolfcdc.8|wolfctl.1|wolfcdc.toml.5\n", stderr);
    return PROGRAM_USAGE;
}
