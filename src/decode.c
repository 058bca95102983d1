/*
 * decode.c: `wolfctl binlog decode FILE…`: the changes in saved binlogs and relay logs, printed as `wolfctl wal dump` prints them. The decoder
 * is capture's own, one for all files, so that a transaction may begin in one relay log and end in the next. What a file lacks at its end,
 * and what is missing between two files, is said by name.
 */
#include "decode.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "binlog_file.h"
#include "clock.h"
#include "command.h"
#include "decoder.h"
#include "definition.h"
#include "filter.h"
#include "program.h"
#include "render.h"
#include "schema.h"
#include "walctl.h"

enum { LINE_MAX_BYTES = INT32_MAX, OUT_FLUSH = 1 << 16, SQL_MAX = 1 << 30, QUIET_US = 2000000, PROGRESS_US = 1000000, PROGRESS_EVENTS = 4096 };

const struct decode_option decode_options[] = {
    {"json", NULL, "As --format json"},
    {"format", "text|json|csv", "How to print; default text"},
    {"start-time", "TIME", "Begin with the first transaction at or after it, by the source's clock"},
    {"stop-time", "TIME", "End before the first transaction after it"},
    {"start-position", "N", "Begin with the transaction that begins at this offset of the first file"},
    {"table", "PATTERN", "Only changes of these tables, \"shop.*\"; may be repeated"},
    {"schema", "FILE.sql|DSN", "Where names, signs and character sets come from if the file does not have them (binlog_row_metadata): a file with "
                               "CREATE TABLE statements, such as a dump without data, or mysql://USER[:PASSWORD]@HOST[:PORT] of a server that "
                               "has the tables (without a password there: MYSQL_PWD)"},
    {"quiet", NULL, "No notes and no progress on standard error"},
    {"help", NULL, "This text"},
    /* which agent is meant: nothing here asks one, but the words may stand before any command */
    {"config", "", NULL},
    {"socket", "", NULL},
};
enum { OPTIONS = sizeof decode_options / sizeof *decode_options };
const size_t decode_option_count = OPTIONS - 2;

const char *const decode_about[] = {
    "Prints the changes in binlog files and relay logs, in the order given. Checksums are verified. Columns that nothing names are @1, @2, and so on.",
    "A file that ends inside an event or a transaction, one that a server still writes, a wrong checksum, an encrypted or compressed file, and a "
    "file that is missing between two others are named on standard error. What comes before a fault is printed, and is right.",
    "Exit codes: 0 everything was decoded, 1 a fault in a file, 2 wrong command line, a file that cannot be opened or is no binlog, 3 the server of "
    "--schema cannot be reached.",
    NULL,
};

struct decoding {
    /* as asked */
    enum render_format format;
    uint64_t start_us, stop_us, start_position;
    const char *schema_at;
    const char *patterns[PATTERNS_MAX];
    struct strings tables;
    bool quiet;
    /* at work */
    struct render *render;
    struct decoder *decoder;
    struct filter *filter;
    struct catalog *catalog;     /* of a file with definitions */
    struct schema *schema;       /* of a server */
    struct db_options server;
    char *dsn;
    struct buf line;
    bool past_stop, leaves_out;  /* the transaction in hand is not asked for */
    bool printed;                /* something of it was */
    bool first_file;
    uint64_t event_at;           /* offset of the event at hand */
    struct binlog_end last;      /* of the file before */
    uint64_t began_us, shown_us, total, done;
    bool shows;                  /* a line of progress stands there */
};

/* ---- notes and progress ---- */

static void progress_end(struct decoding *d)
{
    if (d->shows && isatty(STDERR_FILENO)) fputc('\n', stderr);
    d->shows = false;
}

static void note(struct decoding *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void note(struct decoding *d, const char *format, ...)
{
    va_list args;
    if (d->quiet) return;
    progress_end(d);
    va_start(args, format);
    fputs("wolfctl: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

/* Nothing in the first two seconds. */
static void progress(struct decoding *d, const struct binlog_file *file)
{
    uint64_t now = clock_us(), done = d->done + binlog_file_offset(file);
    if (d->quiet || now - d->began_us < QUIET_US || now - d->shown_us < PROGRESS_US) return;
    bool tty = isatty(STDERR_FILENO);
    fprintf(stderr, "%s%3u %% of %.1f MiB, %s%s", tty ? "\r" : "", d->total ? (unsigned)(done * 100 / d->total) : 0, (double)d->total / 1048576,
            binlog_file_name(file), tty ? "" : "\n");
    d->shown_us = now;
    d->shows = true;
}

/* ---- output ---- */

static bool lines_out(struct decoding *d, struct err *err)
{
    bool good = !d->line.size || fwrite(d->line.data, 1, d->line.size, stdout) == d->line.size;
    int number = errno;
    buf_clear(&d->line);
    return good || err_set_number(err, ERR_STOP, (unsigned)number, "standard output: %s", strerror(number));
}

/* Whether the transaction that begins is asked for. */
static bool is_wanted(struct decoding *d, const struct change *begin)
{
    uint64_t at_us = begin->timestamp * UINT64_C(1000000);
    if (d->stop_us && at_us > d->stop_us) d->past_stop = true;
    return !d->past_stop && at_us >= d->start_us && !(d->first_file && d->event_at < d->start_position);
}

/* Whether --table lets the change through. A statement counts by the tables that it names; a commit, if anything before it was printed. */
static bool passes(const struct decoding *d, const struct change *c)
{
    struct slice database, name;
    if (!d->filter || c->kind == CHANGE_BEGIN) return true;
    if (c->kind >= CHANGE_INSERT && c->kind <= CHANGE_DELETE) return filter_wants(d->filter, c->table->database, c->table->name);
    if (c->kind != CHANGE_STATEMENT) return d->printed;
    struct cursor in = cursor_of(c->statement->tables);
    while (statement_tables_next(&in, &database, &name))
        if (filter_wants(d->filter, database.size ? database : c->statement->database, name)) return true;
    return false;
}

static bool on_change(void *context, const struct change *change, struct err *err)
{
    struct decoding *d = context;
    if (change->kind == CHANGE_BEGIN) {
        d->leaves_out = !is_wanted(d, change);
        d->printed = false;
    }
    if (change->kind == CHANGE_STATEMENT && d->catalog) catalog_statement(d->catalog, change->statement, 0);
    if (d->leaves_out || !passes(d, change)) return true;
    d->printed |= change->kind != CHANGE_BEGIN;
    if (!render_change(d->render, change, &d->line, err)) return false;
    return d->line.size < OUT_FLUSH || lines_out(d, err);
}

/* ---- names ---- */

static bool on_schema(void *context, struct table *draft, struct arena *arena, struct err *err)
{
    struct decoding *d = context;
    return d->catalog ? catalog_apply(d->catalog, draft, arena, err) : schema_describe(d->schema, draft, arena, err);
}

static bool file_text(const char *path, struct buf *text, struct err *err)
{
    FILE *in = fopen(path, "rbe");
    if (!in) return err_set_number(err, ERR_CONFIG, (unsigned)errno, "--schema %s: %s", path, strerror(errno));
    for (size_t got = 1; got;) {
        uint8_t *at = buf_reserve(text, 1 << 16);
        if (!at) break;
        got = fread(at, 1, 1 << 16, in);
        text->size += got;
    }
    bool good = !ferror(in) && !text->full;
    fclose(in);
    return good || err_set(err, ERR_CONFIG, "--schema %s: %s", path, text->full ? "larger than 1 GiB: a dump without data is enough" : "cannot be read");
}

static bool open_catalog(struct decoding *d, struct err *err)
{
    struct buf text;
    size_t count = 0;
    buf_init(&text, SQL_MAX);
    d->catalog = catalog_new();
    bool good = file_text(d->schema_at, &text, err);
    if (good && !catalog_read(d->catalog, buf_bytes(&text), NULL, DEFINITION_FILE, &count, err)) good = err_context(err, "--schema %s", d->schema_at);
    buf_fini(&text);
    if (good && !count) good = err_set(err, ERR_CONFIG, "--schema %s: there is no CREATE TABLE in it", d->schema_at);
    return good;
}

static int hex_of(char c) { return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1; }

/* %40 → @, in place. */
static char *unescape(char *text)
{
    char *to = text;
    for (const char *at = text; at && *at; at++) {
        bool escape = *at == '%' && hex_of(at[1]) >= 0 && hex_of(at[2]) >= 0;
        *to++ = escape ? (char)(hex_of(at[1]) << 4 | hex_of(at[2])) : *at;
        if (escape) at += 2;
    }
    if (to) *to = 0;
    return text;
}

/* mysql://USER[:PASSWORD]@HOST[:PORT][/…] */
static bool open_server(struct decoding *d, const char *at, struct err *err)
{
    char host[256];
    d->dsn = strdup(at);
    if (!d->dsn) abort();
    char *sign = strrchr(d->dsn, '@'), *rest = sign ? sign + 1 : NULL, *slash = rest ? strchr(rest, '/') : NULL;
    if (!rest || sign == d->dsn) return err_set(err, ERR_CONFIG, "--schema: a server is written as mysql://USER[:PASSWORD]@HOST[:PORT]");
    *sign = 0;
    if (slash) *slash = 0;
    char *colon = strchr(d->dsn, ':');
    if (colon) *colon = 0;
    d->server = (struct db_options){.name = "--schema", .driver = DB_DRIVER_AUTO, .user = unescape(d->dsn), .password = colon ? unescape(colon + 1) : getenv("MYSQL_PWD")};
    if (!settings_host(rest, 3306, host, sizeof host, &d->server.port))
        return err_set(err, ERR_CONFIG, "--schema: \"%s\" is no host, or no port", rest);
    snprintf(rest, strlen(rest) + 1, "%s", host);
    d->server.host = rest;
    d->schema = schema_new(&d->server);
    return true;
}

static bool open_schema(struct decoding *d, struct err *err)
{
    static const char *const schemes[] = {"mysql://", "mariadb://"};
    if (!d->schema_at) return true;
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (!strncmp(d->schema_at, schemes[i], strlen(schemes[i]))) return open_server(d, d->schema_at + strlen(schemes[i]), err);
    return open_catalog(d, err);
}

/* ---- one file ---- */

/* --start-position must be where an event begins, and none inside a transaction. */
static bool check_start(struct decoding *d, const struct binlog_file *file, size_t size, bool in_transaction, struct err *err)
{
    uint64_t at = binlog_file_offset(file), want = d->start_position;
    if (!d->first_file || !want || want >= at + size) return true;
    if (want > at)
        return err_set(err, ERR_CONFIG, "--start-position %" PRIu64 " is inside the event that begins at %" PRIu64 " and ends at %" PRIu64, want, at,
                       at + size);
    if (want == at && in_transaction)
        return err_set(err, ERR_CONFIG, "--start-position %" PRIu64 " is inside the transaction that begins at %" PRIu64, want,
                       decoder_pos(d->decoder)->offset);
    return true;
}

static bool events_decode(struct decoding *d, struct binlog_file *file, struct err *err)
{
    struct slice event;
    enum decoder_note decoded;
    for (uint64_t n = 0; !d->past_stop; n++) {
        enum binlog_read read = binlog_file_next(file, &event, err);
        d->last.how = read;
        if (read == BINLOG_FAILED) return false;
        if (read != BINLOG_EVENT) break;
        d->event_at = binlog_file_offset(file);
        if (!check_start(d, file, event.size, decoder_in_transaction(d->decoder), err)) return false;
        if (!decoder_event(d->decoder, event, &decoded, err)) return err_context(err, "offset %" PRIu64, d->event_at);
        if (n % PROGRESS_EVENTS == 0) progress(d, file);
    }
    if (d->first_file && d->start_position > binlog_file_offset(file) && !d->past_stop)
        return err_set(err, ERR_CONFIG, "--start-position %" PRIu64 " is behind its end, %" PRIu64, d->start_position, binlog_file_offset(file));
    return lines_out(d, err);
}

/* What was read before this file must be what was written before it. */
static bool follows(struct decoding *d, const struct binlog_file *file, struct err *err)
{
    bool killed;
    if (d->first_file) return true;
    if (!binlog_file_follows(file, &d->last, &killed, err)) return false;
    if (killed) note(d, "%s ends %s: its server was killed there, and what it had not committed is left out", d->last.name, binlog_end_text(d->last.how));
    return true;
}

static bool path_decode(struct decoding *d, const char *path, struct err *err)
{
    struct binlog_file *file;
    if (!binlog_file_open(path, &file, err)) return false;
    bool good = follows(d, file, err);
    if (good && (!binlog_file_is_relay(file) || d->first_file)) good = decoder_file(d->decoder, binlog_file_name(file), err);
    good = good && events_decode(d, file, err);
    binlog_file_ended(file, d->last.how, &d->last);
    d->done += binlog_file_size(file);
    d->first_file = false;
    binlog_file_close(file);
    return good || err_context(err, "%s", path);
}

/* How the last file ends. */
static bool last_end(struct decoding *d, const char *path, struct err *err)
{
    uint64_t at = decoder_pos(d->decoder)->offset;
    bool open = decoder_in_transaction(d->decoder);
    if (d->past_stop) return true;
    if (d->last.how == BINLOG_TORN)
        return err_set(err, ERR_CORRUPT, "%s: ends inside an event, behind offset %" PRIu64 ": its server still writes it, or was killed, or the copy is "
                       "not whole; all whole transactions before it were decoded", path, at);
    if (open && d->last.how == BINLOG_OPEN && !d->last.relay)
        note(d, "%s: ends inside the transaction that begins at %" PRIu64 ", which is left out", path, at);
    else if (open)
        note(d, "%s: ends inside a transaction, which is left out", path);
    else if (d->last.how == BINLOG_OPEN && !d->last.relay)
        note(d, "%s: in use: its server has not closed it, so more may come", path);
    return true;
}

/* ---- options ---- */

static bool number_of(const char *name, const char *text, uint64_t *value, struct err *err)
{
    char *end;
    *value = strtoull(text, &end, 10);
    return (*text >= '0' && *text <= '9' && !*end) || err_set(err, ERR_CONFIG, "--%s \"%s\": a number is wanted", name, text);
}

static bool take_option(struct decoding *d, const char *name, const char *text, struct err *err)
{
    if (!strcmp(name, "json")) d->format = RENDER_JSON;
    else if (!strcmp(name, "quiet")) d->quiet = true;
    else if (!strcmp(name, "schema")) d->schema_at = text;
    else if (!strcmp(name, "start-time")) return walctl_time(text, &d->start_us, err);
    else if (!strcmp(name, "stop-time")) return walctl_time(text, &d->stop_us, err);
    else if (!strcmp(name, "start-position")) return number_of(name, text, &d->start_position, err);
    else if (!strcmp(name, "format") && !render_format_parse(text, &d->format))
        return err_set(err, ERR_CONFIG, "--format \"%s\": text, json or csv", text);
    else if (!strcmp(name, "table")) {
        if (d->tables.count == PATTERNS_MAX) return err_set(err, ERR_LIMIT, "more than %d --table", PATTERNS_MAX);
        d->patterns[d->tables.count++] = text;
    }
    return true;
}

static void print_help(FILE *out)
{
    fputs("Usage: wolfctl binlog decode FILE… [OPTION…]\n", out);
    for (size_t i = 0; decode_about[i]; i++) fprintf(out, "%s\n", decode_about[i]);
    fputc('\n', out);
    for (size_t i = 0; i < decode_option_count; i++) {
        char text[64];
        snprintf(text, sizeof text, "--%s %s", decode_options[i].name, decode_options[i].argument ? decode_options[i].argument : "");
        fprintf(out, "  %-26s %s\n", text, decode_options[i].help);
    }
    fputs("\nExamples:\n  wolfctl binlog decode /var/lib/mysql/binlog.000041 --start-time '2026-11-21 12:00' --table 'shop.*'\n"
          "  mariadb-dump --no-data --databases shop >shop.sql; wolfctl binlog decode binlog.0000* --json --schema shop.sql\n", out);
}

/* False: *help, or an error. */
static bool options_read(struct decoding *d, int argc, char **argv, bool *help, struct err *err)
{
    struct option known[OPTIONS + 1] = {{0}};
    int n = 0, at = 0, got;
    for (size_t i = 0; i < OPTIONS; i++)
        known[n++] = (struct option){decode_options[i].name, decode_options[i].argument ? required_argument : no_argument, NULL, 256};
    optind = 0;
    opterr = 0;
    while ((got = getopt_long(argc, argv, ":hc:", known, &at)) != -1) {
        if (got == 'h' || (got == 256 && !strcmp(known[at].name, "help"))) return *help = true, false;
        if (got == 'c') continue;
        if (got == ':') return err_set(err, ERR_CONFIG, "%s needs a value", argv[optind - 1]);
        if (got == '?') return err_set(err, ERR_CONFIG, "%s is not known here", argv[optind - 1]);
        if (!take_option(d, known[at].name, optarg, err)) return false;
    }
    return optind < argc || err_set(err, ERR_CONFIG, "no file is given");
}

/* ---- all of it ---- */

static bool decode_all(struct decoding *d, int count, char **paths, struct err *err)
{
    static struct source_pos start; /* of the first file's beginning */
    struct stat found;
    if (d->tables.count && !filter_new(&d->tables, &(struct strings){0}, &d->filter, err)) return false;
    if (!open_schema(d, err)) return false;
    for (int i = 0; i < count; i++)
        if (!stat(paths[i], &found)) d->total += (uint64_t)found.st_size;
    struct decoder_options options = {.mariadb = true, .verify_checksums = true, .emit = on_change,
                                      .schema = d->catalog || d->schema ? on_schema : NULL, .context = d};
    d->decoder = decoder_new(&options, &start);
    d->began_us = clock_us();
    render_start(d->render, &d->line);
    for (int i = 0; i < count && !d->past_stop; i++)
        if (!path_decode(d, paths[i], err)) return false;
    return last_end(d, paths[count - 1], err) && lines_out(d, err);
}

static int exit_of(const struct err *err)
{
    if (err->code == ERR_CONFIG || err->code == ERR_LIMIT) return PROGRAM_USAGE;
    return err->code == ERR_RETRY || err->code == ERR_DENIED ? PROGRAM_UNREACHABLE : PROGRAM_UNMET;
}

static void decoding_fini(struct decoding *d)
{
    decoder_free(d->decoder);
    filter_free(d->filter);
    catalog_free(d->catalog);
    schema_free(d->schema);
    buf_fini(&d->line);
    render_free(d->render);
    free(d->dsn);
}

int decode_main(int argc, char **argv)
{
    static struct decoding d; /* too large for the stack */
    struct err err = {0};
    bool help = false;
    int status = PROGRAM_DONE;
    memset(&d, 0, sizeof d);
    d.tables.items = d.patterns;
    d.first_file = true;
    d.format = RENDER_TEXT;
    if (!options_read(&d, argc, argv, &help, &err)) {
        if (help) print_help(stdout);
        else fprintf(stderr, "wolfctl: %s; wolfctl binlog decode --help shows what there is\n", err.text);
        return help ? PROGRAM_DONE : PROGRAM_USAGE;
    }
    d.render = render_new(d.format);
    buf_init(&d.line, LINE_MAX_BYTES);
    if (!decode_all(&d, argc - optind, argv + optind, &err)) {
        (void)!lines_out(&d, NULL); /* what came before the fault is right */
        fflush(stdout);
        progress_end(&d);
        fprintf(stderr, "wolfctl: %s\n", err.text);
        status = exit_of(&err);
    }
    progress_end(&d);
    decoding_fini(&d);
    return status;
}
