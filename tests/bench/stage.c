/*
 * stage.c: one stage of the way alone, measured in this process, without the agent around it.
 *
 *   decode    receive a range of the source's binlog, check its CRCs and decode it; the changes go nowhere
 *   log       the same, and into a new log (compressed, synced)
 *   durable   commits on the source, one at a time: from its return until our log has it on disk; and this disk's fdatasync
 *   fill      a new log of --bytes, left as a crash leaves it; open: time to open it again (recovery)
 *
 * Prints one JSON object.
 */
#include "../tools/tool.h"
#include "arena.h"
#include "cdc.h"
#include "clock.h"
#include "decoder.h"
#include "source.h"
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { SAMPLES_MAX = 100000, ROW_BYTES = 4000 };

struct options { const char *stage, *dir, *from, *to, *ca; struct tool_server server; uint64_t bytes, commits; bool no_fsync; };

static struct options options = {.dir = "stage-wal", .from = "", .server = {.user = "admin", .password = "admin", .host = "127.0.0.1"}, .bytes = 1u << 30, .commits = 500};

static _Noreturn void fail(const struct err *err)
{
    fprintf(stderr, "stage %s: %s\n", options.stage, err->text);
    exit(err->code == ERR_RETRY || err->code == ERR_DENIED ? TOOL_UNREACHABLE : TOOL_NOT_MET);
}

static double cpu_seconds(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static struct settings *make_settings(void)
{
    struct settings *settings = calloc(1, sizeof *settings);
    if (!settings) abort();
    settings->source = (struct source_settings){
        .server = {.host = options.server.host, .port = options.server.port, .user = options.server.user, .password = options.server.password,
                   .connect_timeout_ms = 10000, .ssl_ca = options.ca},
        .server_id = 7399, .start_gtid = options.from, .heartbeat_ms = 1000, .statements = "capture"};
    settings->wal.dir = options.dir; /* capture leaves a file beside it */
    return settings;
}

static struct wal *open_log(struct wal_resume *resume)
{
    struct err err = {0};
    struct wal *wal;
    static const struct source_pos start; /* learnt from the source */
    struct wal_options wal_options = {.dir = options.dir, .segment_bytes = 64u << 20, .compress = true, .fsync = !options.no_fsync, .free_min = 1u << 30};
    if (!wal_open(&wal_options, &start, &wal, resume, &err)) fail(&err);
    return wal;
}

/* ---- decode, log ---- */

struct run { struct wal *wal; struct gtid_set until; uint64_t rows, last_lsn; };

static bool emit(void *context, const struct change *change, struct err *err)
{
    struct run *run = context;
    run->rows += change->kind == CHANGE_INSERT || change->kind == CHANGE_UPDATE || change->kind == CHANGE_DELETE;
    return !run->wal || wal_append(run->wal, change, &run->last_lsn, err);
}

static void stream(struct run *run, const struct source_driver *driver, struct source *source, struct decoder *decoder)
{
    struct err err = {0};
    struct slice event;
    enum decoder_note note;
    bool end = false;
    while (!gtid_set_contains(&decoder_pos(decoder)->gtids, &run->until)) {
        if (!driver->next(source, &event, &end, &err)) fail(&err);
        if (end) break;
        if (!decoder_event(decoder, event, &note, &err)) fail(&err);
    }
}

static void stage_receive(bool log)
{
    struct err err = {0};
    struct settings *settings = make_settings();
    struct source *source;
    const struct source_driver *driver;
    struct source_pos pos = {.offset = 4};
    struct wal_resume resume;
    struct run run = {0};
    if (!source_open(&settings->source, 0, &driver, &source, &err) || !driver->position(source, &settings->source, &pos, &err)) fail(&err);
    run.until = driver->info(source)->end;
    if (options.to && !gtid_set_parse(slice_text(options.to), &run.until, &err)) fail(&err);
    if (log) {
        run.wal = open_log(&resume);
        if (!wal_set_start(run.wal, &pos, &err)) fail(&err);
        wal_start(run.wal);
    }
    struct decoder_options decoder_options = {.mariadb = driver->info(source)->version.flavour == DB_MARIADB, .checksum = driver->info(source)->checksum, .verify_checksums = true, .emit = emit, .context = &run};
    struct decoder *decoder = decoder_new(&decoder_options, &pos);
    uint64_t begun = clock_us();
    double cpu = cpu_seconds();
    if (!driver->dump(source, &pos, &err)) fail(&err);
    stream(&run, driver, source, decoder);
    if (log) {
        wal_flush(run.wal);
        while (!wal_wait(run.wal, WAL_DURABLE, run.last_lsn, 1000)) {}
    }
    double seconds = (double)(clock_us() - begun) / 1e6;
    const struct decoder_stats *stats = decoder_stats(decoder);
    struct wal_status status = {0};
    if (log) wal_status(run.wal, &status);
    printf("{\"stage\":\"%s\",\"seconds\":%.4f,\"cpu_seconds\":%.4f,\"events\":%llu,\"bytes\":%llu,\"rows\":%llu,\"transactions\":%llu,\"log_bytes\":%llu}\n",
           options.stage, seconds, cpu_seconds() - cpu, (unsigned long long)stats->events, (unsigned long long)stats->bytes, (unsigned long long)run.rows,
           (unsigned long long)stats->transactions, (unsigned long long)status.bytes);
    if (log) wal_stop(run.wal), wal_close(run.wal);
    decoder_free(decoder);
    driver->close(source);
    free(settings);
}

/* ---- durable ---- */

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static double percentile(uint64_t *samples, size_t count, double p)
{
    if (count == 0) return 0;
    qsort(samples, count, sizeof *samples, by_value);
    size_t at = (size_t)((double)(count - 1) * p);
    return (double)samples[at] / 1000.0;
}

static double fdatasync_p50(void)
{
    static uint64_t samples[200];
    static char page[4096];
    char path[4200];
    snprintf(path, sizeof path, "%s/sync-probe", options.dir);
    int fd = open(path, O_RDWR | O_CREAT, 0600);
    if (fd < 0) return 0;
    for (size_t i = 0; i < 200; i++) {
        memset(page, (int)i, sizeof page);
        uint64_t begun = clock_us();
        if (pwrite(fd, page, sizeof page, 0) != (ssize_t)sizeof page || fdatasync(fd) != 0) break;
        samples[i] = clock_us() - begun;
    }
    close(fd);
    unlink(path);
    return percentile(samples, 200, 0.5);
}

static uint64_t durable_count(struct wal *wal)
{
    struct wal_points points;
    wal_points(wal, &points);
    return points.transactions_durable;
}

/* Until nothing more has come for half a second. */
static uint64_t settled_count(struct wal *wal)
{
    uint64_t count = 0;
    for (int quiet = 0, tries = 0; (quiet < 5 || count == 0) && tries < 600; tries++) {
        clock_sleep_ms(100);
        uint64_t now = durable_count(wal);
        quiet = now == count ? quiet + 1 : 0;
        count = now;
    }
    return count;
}

static void await_durable(struct wal *wal, uint64_t count)
{
    struct wal_points points;
    for (wal_points(wal, &points); points.transactions_durable < count; wal_points(wal, &points))
        wal_wait(wal, WAL_DURABLE, points.durable + 1, 100);
}

static void must(MYSQL *mysql, const char *sql)
{
    if (mysql_query(mysql, sql) == 0) return;
    fprintf(stderr, "stage: %s: %s\n", sql, mysql_error(mysql));
    exit(TOOL_NOT_MET);
}

static void stage_durable(void)
{
    static uint64_t samples[SAMPLES_MAX];
    struct err err = {0};
    char reason[512];
    struct wal_resume resume;
    MYSQL *mysql = tool_connect(&options.server, reason);
    if (!mysql) fprintf(stderr, "stage: %s\n", reason), exit(TOOL_UNREACHABLE);
    must(mysql, "CREATE DATABASE IF NOT EXISTS bench_durable");
    must(mysql, "CREATE TABLE IF NOT EXISTS bench_durable.t (id INT AUTO_INCREMENT PRIMARY KEY, v INT)");
    struct settings *settings = make_settings();
    settings->source.start_gtid = NULL; /* from the source's end */
    struct wal *wal = open_log(&resume);
    struct cdc *cdc;
    if (!cdc_new(settings, wal, &resume, &cdc, &err)) fail(&err);
    wal_start(wal);
    cdc_start(cdc);
    struct cdc_status status = {0};
    for (int i = 0; i < 100 && status.state != CDC_IDLE && status.state != CDC_STREAMING; i++) clock_sleep_ms(50), cdc_status(cdc, &status);
    must(mysql, "INSERT INTO bench_durable.t (v) VALUES (0)");
    uint64_t count = settled_count(wal), commits = options.commits < SAMPLES_MAX ? options.commits : SAMPLES_MAX;
    if (count == 0) fprintf(stderr, "stage: nothing arrives: %s\n", status.reason), exit(TOOL_NOT_MET);
    for (size_t i = 0; i < commits; i++) {
        clock_sleep_ms(2);
        must(mysql, "INSERT INTO bench_durable.t (v) VALUES (1)");
        uint64_t begun = clock_us();
        await_durable(wal, ++count);
        samples[i] = clock_us() - begun;
    }
    double p50 = percentile(samples, commits, 0.5), p99 = percentile(samples, commits, 0.99);
    printf("{\"stage\":\"durable\",\"commits\":%llu,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"fdatasync_p50_ms\":%.3f}\n", (unsigned long long)commits, p50, p99, fdatasync_p50());
    must(mysql, "DROP DATABASE bench_durable");
    cdc_stop(cdc);
    wal_stop(wal);
    cdc_free(cdc);
    wal_close(wal);
    mysql_close(mysql);
    free(settings);
}

/* ---- fill, open ---- */

static uint64_t random64(void)
{
    static uint64_t seed = 88172645463325252u;
    seed ^= seed << 13, seed ^= seed >> 7;
    return seed ^= seed << 17;
}

/* id INT, data VARBINARY: bytes that do not compress, so that the log is as long as is asked. */
static void make_image(uint8_t image[1 + 4 + 2 + ROW_BYTES], uint32_t id)
{
    uint16_t size = ROW_BYTES;
    image[0] = 0;
    memcpy(image + 1, &id, 4);
    memcpy(image + 5, &size, 2);
    for (size_t at = 7; at + 8 <= 7 + ROW_BYTES; at += 8) {
        uint64_t v = random64();
        memcpy(image + at, &v, 8);
    }
}

static void append(struct wal *wal, struct change *change, enum change_kind kind, uint64_t *lsn)
{
    struct err err = {0};
    change->kind = kind;
    if (!wal_append(wal, change, lsn, &err)) fail(&err);
}

static void stage_fill(void)
{
    static uint8_t image[1 + 4 + 2 + ROW_BYTES];
    struct column columns[] = {{.kind = COLUMN_INT, .width = 4, .name = slice_text("id")},
                               {.kind = COLUMN_VARBINARY, .width = 2, .max_bytes = ROW_BYTES, .collation = COLLATION_BINARY, .name = slice_text("data")}};
    struct table draft = {.database = slice_text("bench"), .name = slice_text("fill"), .column_count = 2, .columns = columns, .named = true};
    const char *reason = NULL;
    struct table *table = table_new(&draft, 1, &reason);
    struct wal_resume resume;
    static struct commit commit;
    uint64_t lsn = 0, seq = 0;
    struct wal *wal = open_log(&resume);
    wal_start(wal);
    for (uint64_t bytes = 0; bytes < options.bytes; seq++) {
        struct change change = {.gtid = {.domain = 0, .server = 1, .seq = seq + 1}, .timestamp = (uint32_t)(clock_wall_us() / 1000000), .server_id = 1, .table = table,
                                .file = slice_text("binlog.000001"), .offset = bytes, .commit = &commit};
        append(wal, &change, CHANGE_BEGIN, NULL);
        for (uint32_t i = 0; i < 100; i++, bytes += sizeof image) {
            make_image(image, (uint32_t)seq * 100 + i);
            change.after = (struct row){.image = slice_of(image, sizeof image)};
            append(wal, &change, CHANGE_INSERT, NULL);
        }
        commit = (struct commit){.pos = {.offset = bytes, .file = "binlog.000001", .gtids = {.count = 1, .items = {change.gtid}}}, .rows = 100};
        append(wal, &change, CHANGE_COMMIT, &lsn);
    }
    wal_flush(wal);
    while (!wal_wait(wal, WAL_DURABLE, lsn, 1000)) {}
    printf("{\"stage\":\"fill\",\"lsn\":%llu}\n", (unsigned long long)lsn);
    fflush(stdout);
    _exit(0); /* nothing is closed */
}

static void stage_open(void)
{
    struct wal_resume resume;
    uint64_t begun = clock_us();
    struct wal *wal = open_log(&resume);
    double seconds = (double)(clock_us() - begun) / 1e6;
    struct wal_status status;
    wal_status(wal, &status);
    printf("{\"stage\":\"open\",\"seconds\":%.4f,\"bytes\":%llu,\"segments\":%llu,\"last_lsn\":%llu}\n", seconds, (unsigned long long)status.bytes,
           (unsigned long long)status.segments, (unsigned long long)resume.last_lsn);
    wal_close(wal);
}

/* ---- */

static _Noreturn void help(void)
{
    puts("stage: one stage of wolfcdc alone.\n"
         "usage: stage decode|log|durable [--host H --port P --user U --password W] [--from GTIDS] [--to GTIDS] [--ca FILE] [--dir D] [--commits N] [--no-fsync]\n"
         "       stage fill|open --dir D [--bytes N]");
    exit(0);
}

int main(int argc, char **argv)
{
    static const struct { const char *name; void (*run)(void); } plain[] = {{"durable", stage_durable}, {"fill", stage_fill}, {"open", stage_open}};
    if (argc < 2 || strcmp(argv[1], "--help") == 0) help();
    options.stage = argv[1];
    for (int i = 2; i < argc; i++) {
        if (strcmp(argv[i], "--no-fsync") == 0) { options.no_fsync = true; continue; }
        if (i + 1 == argc) tool_usage(argv[i], "a value is missing, or the option is unknown");
        const char *name = argv[i++], *value = argv[i];
        if (strcmp(name, "--dir") == 0) options.dir = value;
        else if (strcmp(name, "--from") == 0) options.from = value;
        else if (strcmp(name, "--to") == 0) options.to = value;
        else if (strcmp(name, "--ca") == 0) options.ca = value;
        else if (strcmp(name, "--bytes") == 0) options.bytes = tool_number(name, value);
        else if (strcmp(name, "--commits") == 0) options.commits = tool_number(name, value);
        else if (!tool_server_option(&options.server, "", name, value)) tool_usage(name, "unknown option");
    }
    log_init(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
    db_library_init();
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (strcmp(options.stage, plain[i].name) == 0) return plain[i].run(), 0;
    if (strcmp(options.stage, "decode") != 0 && strcmp(options.stage, "log") != 0) tool_usage(options.stage, "decode, log, durable, fill or open");
    stage_receive(strcmp(options.stage, "log") == 0);
    return 0;
}
