/* walctl.c: see walctl.h. */
#include "walctl.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "command.h"
#include "json.h"
#include "program.h"
#include "wal.h"

enum { JSON_MAX = 1 << 20 };

/* --- options --- */

bool walctl_time(const char *text, uint64_t *wall_us, struct err *err)
{
    static const char *const formats[] = {"%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"};
    char *end;
    unsigned long long seconds = strtoull(text, &end, 10);
    if (*text >= '0' && *text <= '9' && !*end && seconds < UINT64_C(1) << 40) {
        *wall_us = seconds * UINT64_C(1000000);
        return true;
    }
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        struct tm tm = {0};
        const char *rest = strptime(text, formats[i], &tm);
        if (!rest || (*rest && strcmp(rest, "Z"))) continue;
        *wall_us = (uint64_t)timegm(&tm) * UINT64_C(1000000);
        return true;
    }
    return err_set(err, ERR_CONFIG, "\"%s\" is no time: write it as 2026-11-21T12:00:00Z (UTC) or in seconds since 1970", text);
}

static bool number(const char *name, const char *text, uint64_t *value, struct err *err)
{
    char *end;
    *value = strtoull(text, &end, 10);
    if (*text >= '0' && *text <= '9' && !*end) return true;
    return err_set(err, ERR_CONFIG, "--%s \"%s\": a number is wanted", name, text);
}

enum option_kind { OPT_TEXT, OPT_FLAG, OPT_NUMBER, OPT_TIME, OPT_GTID, OPT_TABLE, OPT_FORMAT, OPT_POS };
#define AT(field) offsetof(struct walctl, field)
enum { LIST = 1, INFO = 2, DUMP = 4, VERIFY = 8, FIND = 16, ALL = 31 };

static const struct walctl_option {
    const char *name;
    enum option_kind kind;
    size_t at;
    unsigned verbs;
    const char *argument, *help;
} table[] = {
    {"dir", OPT_TEXT, AT(dir), ALL, "DIR", "the log's directory"},
    {"config", OPT_TEXT, AT(config), ALL, "FILE", "take wal.dir from this configuration (default " PROGRAM_CONFIG ")"},
    {"json", OPT_FLAG, AT(json), ALL, NULL, "as --format json"},
    {"quiet", OPT_FLAG, AT(quiet), VERIFY, NULL, "no progress"},
    {"format", OPT_FORMAT, AT(format), ALL, "text|json|csv", "how to print (default text)"},
    {"follow", OPT_FLAG, AT(follow), DUMP, NULL, "at the end, wait for more"},
    {"start-lsn", OPT_NUMBER, AT(start_lsn), DUMP, "LSN", "first transaction that begins at or after this LSN"},
    {"stop-lsn", OPT_NUMBER, AT(stop_lsn), DUMP, "LSN", "last LSN; its transaction is printed whole"},
    {"start-time", OPT_TIME, AT(start_us), DUMP, "TIME", "first transaction at or after it, by the source's clock"},
    {"stop-time", OPT_TIME, AT(stop_us), DUMP, "TIME", "end before the first transaction after it"},
    {"gtid", OPT_GTID, AT(gtid), DUMP | FIND, "GTID", "dump: this transaction alone; find: it, or the next of its domain"},
    {"table", OPT_TABLE, AT(tables), DUMP, "PATTERN", "only changes of these tables, \"shop.*\"; may be repeated"},
    {"time", OPT_TIME, AT(start_us), FIND, "TIME", "first transaction at or after it, by the source's clock"},
    {"file", OPT_TEXT, AT(file), FIND, "NAME", "source's binlog file"},
    {"pos", OPT_POS, AT(pos), FIND, "OFFSET", "with --file: first transaction at or after this offset"},
};
enum { OPTIONS = sizeof table / sizeof *table };

static bool take_gtid(struct walctl *c, const char *text, struct err *err)
{
    c->has_gtid = true;
    return gtid_parse(slice_text(text), &c->gtid, err);
}

static bool take_option(struct walctl *c, const struct walctl_option *o, const char *text, struct err *err)
{
    void *at = (char *)c + o->at;
    switch (o->kind) {
    case OPT_TEXT: *(const char **)at = text; return true;
    case OPT_FLAG: *(bool *)at = true; return true;
    case OPT_NUMBER: return number(o->name, text, at, err);
    case OPT_POS: c->has_pos = true; return number(o->name, text, at, err);
    case OPT_TIME: return walctl_time(text, at, err);
    case OPT_GTID: return take_gtid(c, text, err);
    case OPT_FORMAT:
        return render_format_parse(text, at) || err_set(err, ERR_CONFIG, "--format \"%s\": text, json or csv", text);
    case OPT_TABLE:
        if (c->tables.count == PATTERNS_MAX) return err_set(err, ERR_LIMIT, "more than %d --table", PATTERNS_MAX);
        c->patterns[c->tables.count++] = text;
        return true;
    }
    return false;
}

static bool parse(struct walctl *c, unsigned verb, int argc, char **argv, bool *help, struct err *err)
{
    struct option longs[OPTIONS + 2] = {{0}};
    int n = 0, got;
    for (int i = 0; i < OPTIONS; i++)
        if (table[i].verbs & verb) longs[n++] = (struct option){table[i].name, table[i].argument ? 1 : 0, NULL, 256 + i};
    longs[n] = (struct option){"help", 0, NULL, 'h'};
    c->tables.items = c->patterns;
    optind = 0;
    opterr = 0;
    while ((got = getopt_long(argc, argv, ":h", longs, NULL)) != -1) {
        if (got == 'h') *help = true;
        else if (got == ':') return err_set(err, ERR_CONFIG, "%s needs a value", argv[optind - 1]);
        else if (got < 256) return err_set(err, ERR_CONFIG, "%s is not known here", argv[optind - 1]);
        else if (!take_option(c, &table[got - 256], optarg, err)) return false;
    }
    if (optind < argc) return err_set(err, ERR_CONFIG, "\"%s\" is too much", argv[optind]);
    if (c->json) c->format = RENDER_JSON;
    return true;
}

static bool find_dir(struct walctl *c, struct err *err)
{
    if (c->dir) return true;
    if (!settings_read(c->config ? c->config : PROGRAM_CONFIG, &c->settings, err)) return false;
    c->dir = c->settings->wal.dir;
    return true;
}

/* --- output --- */

static int report(const struct err *err)
{
    static const enum program_exit exits[] = {[ERR_CONFIG] = PROGRAM_USAGE, [ERR_LIMIT] = PROGRAM_USAGE};
    fprintf(stderr, "wolfctl wal: %s\n", err->text);
    enum program_exit code = err->code < sizeof exits / sizeof *exits ? exits[err->code] : PROGRAM_DONE;
    return code ? code : PROGRAM_UNMET;
}

static void put_json(struct buf *out)
{
    fwrite(out->data, 1, out->size, stdout);
    putchar('\n');
    buf_fini(out);
}

static void json_pos(struct json *j, const char *name, const struct source_pos *pos)
{
    char text[GTID_SET_TEXT_MAX];
    gtid_set_format(&pos->gtids, text);
    json_name(j, name);
    json_open(j, '{');
    json_name(j, "gtids");
    json_string(j, text);
    json_name(j, "file");
    json_string(j, pos->file);
    json_name(j, "pos");
    json_unsigned(j, pos->offset);
    json_close(j, '}');
}

struct number { const char *name; uint64_t value; };
static void json_numbers(struct json *j, const struct number *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        json_name(j, numbers[i].name);
        json_unsigned(j, numbers[i].value);
    }
}

/* CSV: a line with the names, then one with the values for each; numbers plain, all else in quotes. */
static void csv_names(const struct number *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) printf(",%s", numbers[i].name);
}

static void csv_values(const struct number *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) printf(",%" PRIu64, numbers[i].value);
}

static void csv_pos(const struct source_pos *pos)
{
    char text[GTID_SET_TEXT_MAX];
    gtid_set_format(&pos->gtids, text);
    printf(",\"%s\",\"%s\",%" PRIu64, text, pos->file, pos->offset);
}

static const char *when(uint32_t timestamp, char text[32])
{
    if (!timestamp) return "-";
    clock_format(timestamp * UINT64_C(1000000), text);
    text[19] = 0; /* whole seconds */
    return text;
}

/* --- list --- */

enum { LIST_NUMBERS = 8 };

static void list_numbers(const struct wal_segment_info *s, struct number numbers[LIST_NUMBERS])
{
    const struct number all[LIST_NUMBERS] = {
        {"first_lsn", s->first_lsn}, {"last_lsn", s->last_lsn}, {"bytes", s->bytes}, {"raw_bytes", s->raw_bytes},
        {"records", s->records}, {"transactions", s->transactions}, {"first_ts", s->first_timestamp},
        {"last_ts", s->last_timestamp},
    };
    memcpy(numbers, all, sizeof all);
}

static bool list_json(void *context, const struct wal_segment_info *s)
{
    struct buf out;
    struct json j = json_on(&out);
    struct number numbers[LIST_NUMBERS];
    (void)context;
    list_numbers(s, numbers);
    buf_init(&out, JSON_MAX);
    json_open(&j, '{');
    json_name(&j, "name");
    json_string(&j, s->name);
    json_name(&j, "sealed");
    json_bool(&j, s->sealed);
    json_numbers(&j, numbers, LIST_NUMBERS);
    json_pos(&j, "start", &s->start);
    json_close(&j, '}');
    put_json(&out);
    return true;
}

static bool list_csv(void *context, const struct wal_segment_info *s)
{
    struct number numbers[LIST_NUMBERS];
    (void)context;
    list_numbers(s, numbers);
    printf("\"%s\",%s", s->name, s->sealed ? "true" : "false");
    csv_values(numbers, LIST_NUMBERS);
    csv_pos(&s->start);
    putchar('\n');
    return true;
}

static bool list_text(void *context, const struct wal_segment_info *s)
{
    char first[32], last[32];
    (void)context;
    printf("%-42s %12" PRIu64 " %12" PRIu64 " %9.1f %6.2f %12" PRIu64 "  %-19s  %-19s\n", s->name, s->first_lsn, s->last_lsn,
           (double)s->bytes / 1048576, s->bytes ? (double)s->raw_bytes / (double)s->bytes : 0, s->transactions,
           when(s->first_timestamp, first), when(s->last_timestamp, last));
    return true;
}

static void list_head(enum render_format format)
{
    struct number numbers[LIST_NUMBERS];
    if (format == RENDER_TEXT)
        printf("%-42s %12s %12s %9s %6s %12s  %-19s  %-19s\n", "segment", "first LSN", "last LSN", "MiB", "ratio",
               "transactions", "first (UTC)", "last (UTC)");
    if (format != RENDER_CSV) return;
    list_numbers(&(struct wal_segment_info){0}, numbers);
    printf("name,sealed");
    csv_names(numbers, LIST_NUMBERS);
    printf(",start_gtids,start_file,start_pos\n");
}

static int do_list(const struct walctl *c, struct err *err)
{
    static wal_segment_fn *const lines[] = {[RENDER_JSON] = list_json, [RENDER_TEXT] = list_text, [RENDER_CSV] = list_csv};
    list_head(c->format);
    return wal_list(c->dir, lines[c->format], NULL, err) ? PROGRAM_DONE : PROGRAM_UNMET;
}

/* --- info and verify --- */

enum { INFO_NUMBERS = 10 };

static void info_numbers(const struct wal_info *i, struct number numbers[INFO_NUMBERS])
{
    const struct number all[INFO_NUMBERS] = {
        {"version", i->version}, {"segments", i->segments}, {"bytes", i->bytes}, {"first_lsn", i->first_lsn},
        {"last_lsn", i->last_lsn}, {"last_commit_lsn", i->last_commit_lsn}, {"transactions", i->transactions},
        {"torn_bytes", i->torn_bytes}, {"first_ts", i->first_timestamp}, {"last_ts", i->last_timestamp},
    };
    memcpy(numbers, all, sizeof all);
}

static void info_json(const struct wal_info *i, bool verified)
{
    struct buf out;
    struct json j = json_on(&out);
    struct number numbers[INFO_NUMBERS];
    info_numbers(i, numbers);
    buf_init(&out, JSON_MAX);
    json_open(&j, '{');
    json_name(&j, "uuid");
    json_string(&j, i->uuid);
    json_numbers(&j, numbers, INFO_NUMBERS);
    json_pos(&j, "start", &i->start);
    json_pos(&j, "end", &i->end);
    if (verified) {
        json_name(&j, "verified");
        json_bool(&j, true);
    }
    json_close(&j, '}');
    put_json(&out);
}

static void info_csv(const struct wal_info *i, bool verified)
{
    struct number numbers[INFO_NUMBERS];
    info_numbers(i, numbers);
    printf("uuid");
    csv_names(numbers, INFO_NUMBERS);
    printf(",start_gtids,start_file,start_pos,end_gtids,end_file,end_pos%s\n", verified ? ",verified" : "");
    printf("\"%s\"", i->uuid);
    csv_values(numbers, INFO_NUMBERS);
    csv_pos(&i->start);
    csv_pos(&i->end);
    printf("%s\n", verified ? ",true" : "");
}

static void pos_text(const char *label, const struct source_pos *pos)
{
    char text[GTID_SET_TEXT_MAX];
    gtid_set_format(&pos->gtids, text);
    printf("%-16s %s  %s:%" PRIu64 "\n", label, text[0] ? text : "-", pos->file[0] ? pos->file : "-", pos->offset);
}

static void info_text(const struct wal_info *i, bool verified)
{
    char first[32], last[32];
    printf("%-16s %s\n%-16s %u\n", "uuid", i->uuid, "format version", i->version);
    printf("%-16s %" PRIu64 ", %.1f MiB\n", "segments", i->segments, (double)i->bytes / 1048576);
    printf("%-16s %" PRIu64 " to %" PRIu64 ", last commit %" PRIu64 "\n", "LSN", i->first_lsn, i->last_lsn, i->last_commit_lsn);
    printf("%-16s %" PRIu64 ", %s to %s UTC (source's clock)\n", "transactions", i->transactions,
           when(i->first_timestamp, first), when(i->last_timestamp, last));
    pos_text("source start", &i->start);
    pos_text("source end", &i->end);
    if (i->torn_bytes) printf("%-16s %" PRIu64 " bytes of a transaction without its end\n", "at the end", i->torn_bytes);
    if (verified) printf("%-16s every block, record and row image checks; no segment and no LSN is missing\n", "verified");
}

static void info_show(enum render_format format, const struct wal_info *info, bool verified)
{
    static void (*const shows[])(const struct wal_info *, bool) = {[RENDER_JSON] = info_json, [RENDER_TEXT] = info_text, [RENDER_CSV] = info_csv};
    shows[format](info, verified);
}

static int do_info(const struct walctl *c, struct err *err)
{
    struct wal_info info;
    if (!wal_info(c->dir, &info, err)) return PROGRAM_UNMET;
    info_show(c->format, &info, false);
    return PROGRAM_DONE;
}

static void progress(void *context, uint64_t done, uint64_t total)
{
    (void)context;
    fprintf(stderr, "\r%3u %% of %.1f MiB", total ? (unsigned)(done * 100 / total) : 100, (double)total / 1048576);
    if (done >= total) fprintf(stderr, "\n");
}

static int do_verify(const struct walctl *c, struct err *err)
{
    struct wal_info info;
    bool shows = !c->quiet && c->format == RENDER_TEXT && isatty(STDERR_FILENO);
    if (!wal_verify(c->dir, shows ? progress : NULL, NULL, &info, err)) return PROGRAM_UNMET;
    info_show(c->format, &info, true);
    return PROGRAM_DONE;
}

/* --- find --- */

static void find_show(const struct walctl *c, uint64_t lsn, bool found)
{
    struct buf out;
    struct json j = json_on(&out);
    if (c->format == RENDER_CSV) printf("found,lsn\n%s,", found ? "true" : "false");
    if (c->format != RENDER_JSON) {
        if (found) printf("%" PRIu64, lsn);
        if (found || c->format == RENDER_CSV) putchar('\n');
        return;
    }
    buf_init(&out, JSON_MAX);
    json_open(&j, '{');
    json_name(&j, "found");
    json_bool(&j, found);
    json_name(&j, "lsn");
    if (found) json_unsigned(&j, lsn);
    else json_null(&j);
    json_close(&j, '}');
    put_json(&out);
}

static int do_find(const struct walctl *c, struct err *err)
{
    struct wal_find what = {.gtid = c->has_gtid ? &c->gtid : NULL, .time_us = c->start_us, .file = c->file, .offset = c->pos};
    uint64_t lsn = 0;
    bool found = false;
    if (c->has_gtid + (c->start_us != 0) + (c->file != NULL) != 1) {
        err_set(err, ERR_CONFIG, "say one of --gtid, --time, or --file with --pos");
        return PROGRAM_USAGE;
    }
    if (!wal_find(c->dir, &what, &lsn, &found, err)) return PROGRAM_UNMET;
    find_show(c, lsn, found);
    if (found) return PROGRAM_DONE;
    err_set(err, ERR_GONE, "that is behind the end of the log");
    return PROGRAM_UNMET;
}

/* --- the verbs --- */

static const struct verb {
    const char *name;
    unsigned bit;
    int (*run)(const struct walctl *options, struct err *err);
    const char *help, *example;
} verbs[] = {
    {"list", LIST, do_list, "One line for each segment: LSNs, size, compression, transactions, times.", "wolfctl wal list"},
    {"info", INFO, do_info, "The log as a whole: UUID, LSNs, the source positions that it begins and ends at.",
     "wolfctl wal info --json"},
    {"dump", DUMP, walctl_dump, "Prints what is in the log: rows, statements and commits of whole transactions.",
     "wolfctl wal dump --start-time '2026-11-21 12:00' --table 'shop.*' --format json"},
    {"verify", VERIFY, do_verify,
     "Reads all of it: checksums, records, row images, continuity. The first fault is named by file and offset.",
     "wolfctl wal verify --dir /backup/wal"},
    {"find", FIND, do_find, "The LSN at which a transaction of the source begins in the log.",
     "wolfctl wal find --gtid 0-1-4711"},
};
enum { VERBS = sizeof verbs / sizeof *verbs };

static void help_verb(const struct verb *v)
{
    printf("wolfctl wal %s [options]\n\n%s\n\n", v->name, v->help);
    for (int i = 0; i < OPTIONS; i++) {
        char text[64];
        if (!(table[i].verbs & v->bit)) continue;
        snprintf(text, sizeof text, "--%s %s", table[i].name, table[i].argument ? table[i].argument : "");
        printf("  %-24s %s\n", text, table[i].help);
    }
    printf("\nExample: %s\n", v->example);
}

static void help_all(FILE *out)
{
    fprintf(out, "wolfctl wal VERB [options]: looks into the log, of a running agent or a dead one. It only reads.\n\n");
    for (int i = 0; i < VERBS; i++) fprintf(out, "  %-8s %s\n", verbs[i].name, verbs[i].help);
    fprintf(out, "\nwolfctl wal VERB --help lists a verb's options.\n"
                 "Exit codes: 0 done, 1 not found or the log is damaged, 2 wrong command line or configuration.\n");
}

static int run(const struct verb *v, int argc, char **argv)
{
    struct walctl *c = calloc(1, sizeof *c);
    struct err err = {0};
    bool help = false;
    int code = PROGRAM_DONE;
    if (!c) abort();
    c->format = RENDER_TEXT;
    if (!parse(c, v->bit, argc, argv, &help, &err)) {
        report(&err);
        fprintf(stderr, "wolfctl wal %s --help shows what there is\n", v->name);
        code = PROGRAM_USAGE;
    } else if (help) {
        help_verb(v);
    } else if (!find_dir(c, &err)) {
        report(&err);
        code = PROGRAM_USAGE;
    } else if ((code = v->run(c, &err)) != PROGRAM_DONE) {
        code = report(&err);
    }
    if (fflush(stdout) || ferror(stdout)) code = code ? code : PROGRAM_UNMET;
    settings_free(c->settings);
    free(c);
    return code;
}

int walctl_main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : NULL;
    if (name && (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help"))) {
        help_all(stdout);
        return PROGRAM_DONE;
    }
    for (int i = 0; name && i < VERBS; i++)
        if (!strcmp(verbs[i].name, name)) return run(&verbs[i], argc - 1, argv + 1);
    if (name) fprintf(stderr, "wolfctl wal: \"%s\" is not a verb\n\n", name);
    help_all(stderr);
    return PROGRAM_USAGE;
}
