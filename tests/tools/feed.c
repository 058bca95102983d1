/*
 * feed.c: delivers a log that exists, without capture: feed CONFIG [PID]. Runs the configuration's sinks until each has everything
 * that the log holds, and prints rates; with the target server's PID also its CPU time per transaction and row.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "metrics.h"
#include "sink.h"

/* CPU seconds of a process, user and system. */
static double cpu_of(long pid)
{
    char path[64], text[1024];
    unsigned long user = 0, system = 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    size_t n = fread(text, 1, sizeof text - 1, file);
    fclose(file);
    text[n] = 0;
    const char *at = strrchr(text, ')');
    if (!at || sscanf(at + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2) return 0;
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static int die(const struct err *err)
{
    fprintf(stderr, "feed: %s\n", err->text);
    return 1;
}

/* Until every sink has what the log holds, or one of them stops. */
static bool wait_all(struct sinks *sinks, uint64_t lsn)
{
    for (;;) {
        size_t done = 0;
        for (size_t i = 0; i < sinks_count(sinks); i++) {
            struct sink_status status;
            sinks_status(sinks, i, &status);
            if (status.state >= SINK_CONFLICT) {
                fprintf(stderr, "feed: %s: %s\n", status.name, status.reason);
                return false;
            }
            done += status.lsn >= lsn;
        }
        if (done == sinks_count(sinks)) return true;
        clock_sleep_ms(1);
    }
}

static void report(struct sinks *sinks, double seconds, double server, double own)
{
    for (size_t i = 0; i < sinks_count(sinks); i++) {
        struct sink_status s;
        sinks_status(sinks, i, &s);
        printf("%s: %.2f s, %llu transactions (%.0f/s), %llu rows (%.0f/s), %llu groups, %llu rollbacks", s.name, seconds,
               (unsigned long long)s.transactions, (double)s.transactions / seconds, (unsigned long long)s.rows,
               (double)s.rows / seconds, (unsigned long long)s.groups, (unsigned long long)s.rollbacks);
        if (server > 0 && s.transactions && s.rows)
            printf(", server CPU %.2f s: %.1f us/transaction, %.2f us/row; own CPU %.2f s", server,
                   server * 1e6 / (double)s.transactions, server * 1e6 / (double)s.rows, own);
        printf("\n");
    }
}

int main(int argc, char **argv)
{
    struct settings *settings = NULL;
    struct wal_resume resume;
    struct wal *wal = NULL;
    struct sinks *sinks = NULL;
    struct source_pos nowhere = {0};
    struct err err = {0};
    long pid = argc > 2 ? atol(argv[2]) : 0;
    if (argc < 2) {
        fprintf(stderr, "usage: feed CONFIG [PID]\n");
        return 2;
    }
    db_library_init();
    if (!settings_read(argv[1], &settings, &err)) return die(&err);
    log_init(settings->logging.level, settings->logging.format);
    struct wal_options options = {.dir = settings->wal.dir, .segment_bytes = (uint64_t)settings->wal.segment_size_mb << 20, .compress = true,
                                  .fsync = settings->wal.fsync, .free_min = 1 << 20, .rewind_hours = 24, .retention_hours = 24};
    if (!wal_open(&options, &nowhere, &wal, &resume, &err)) return die(&err);
    wal_start(wal);
    if (!sinks_new(settings, wal, &sinks, &err)) return die(&err);
    double server = cpu_of(pid), own = cpu_of(getpid());
    uint64_t from = clock_us();
    sinks_start(sinks);
    bool good = wait_all(sinks, resume.last_lsn);
    double seconds = (double)(clock_us() - from) / 1e6;
    if (good) report(sinks, seconds, cpu_of(pid) - server, cpu_of(getpid()) - own);
    sinks_stop(sinks);
    sinks_free(sinks);
    wal_stop(wal);
    wal_close(wal);
    settings_free(settings);
    db_library_end();
    return good ? 0 : 1;
}
