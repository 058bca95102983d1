/*
 * probe: how long from a commit on the source until it can be seen on the target? One thread commits a row every --every-ms
 * milliseconds and notes when the commit returned; another asks the target for the newest row and notes when it saw which. Both
 * connect again when their server goes away. Writing does not wait for reading, so a slow stretch counts with all its rows.
 *
 * Ends on SIGTERM or after --seconds; then prints one line: `probe: N rows, p50 X ms, p90 Y ms, p99 Z ms, max W ms`.
 * The table wolfcdc_probe.probe is made if it is not there.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include "tool.h"

enum { ROWS_MAX = 1 << 20, CONNECT_AGAIN_US = 100000, LOOK_US = 200, GIVE_UP_US = 30 * 1000000 };

static struct tool_server source = {.user = "root"}, target = {.user = "root"};
static uint64_t every_us = 20000, seconds;
static _Atomic uint64_t committed_us[ROWS_MAX]; /* by id; 0: its commit failed or has not returned */
static double delay_ms[ROWS_MAX];
static _Atomic uint64_t written, seen;
static atomic_bool stop, wrote_all;

static void on_signal(int number)
{
    (void)number;
    atomic_store(&stop, true);
}

static MYSQL *connected(MYSQL *mysql, const struct tool_server *server)
{
    while (!mysql && !atomic_load(&stop)) {
        mysql = tool_connect(server, NULL);
        if (!mysql) tool_sleep_us(CONNECT_AGAIN_US);
    }
    return mysql;
}

static MYSQL *dropped(MYSQL *mysql)
{
    mysql_close(mysql);
    return NULL;
}

static void *write_rows(void *argument)
{
    static const char *const schema[] = {
        "CREATE DATABASE IF NOT EXISTS wolfcdc_probe",
        "CREATE TABLE IF NOT EXISTS wolfcdc_probe.probe (id BIGINT UNSIGNED PRIMARY KEY) ENGINE=InnoDB",
        "DELETE FROM wolfcdc_probe.probe"};
    MYSQL *mysql = connected(NULL, &source);
    (void)argument;
    for (size_t i = 0; mysql && i < sizeof schema / sizeof *schema; i++)
        if (mysql_query(mysql, schema[i]) != 0) fprintf(stderr, "probe: %s\n", mysql_error(mysql));
    for (uint64_t id = 1; id < ROWS_MAX && !atomic_load(&stop); id++) {
        char text[100];
        snprintf(text, sizeof text, "INSERT INTO wolfcdc_probe.probe VALUES (%llu)", (unsigned long long)id);
        mysql = connected(mysql, &source);
        if (!mysql) break;
        if (mysql_query(mysql, text) == 0) {
            atomic_store(&committed_us[id], tool_us());
            atomic_store(&written, id);
        } else {
            mysql = dropped(mysql);
        }
        tool_sleep_us(every_us);
    }
    if (mysql) mysql_close(mysql);
    atomic_store(&wrote_all, true);
    return NULL;
}

/* The newest id on the target; 0: none, or it cannot be asked now. */
static uint64_t newest(MYSQL **mysql)
{
    uint64_t id = 0;
    MYSQL_RES *result = NULL;
    if (mysql_query(*mysql, "SELECT MAX(id) FROM wolfcdc_probe.probe") == 0) result = mysql_store_result(*mysql);
    /* 1146, 1049: not there yet; anything else: the connection */
    else if (mysql_errno(*mysql) != 1146 && mysql_errno(*mysql) != 1049) *mysql = dropped(*mysql);
    MYSQL_ROW row = result ? mysql_fetch_row(result) : NULL;
    if (row && row[0]) id = strtoull(row[0], NULL, 10);
    mysql_free_result(result);
    return id;
}

static void note(uint64_t from, uint64_t to, uint64_t now)
{
    for (uint64_t id = from + 1; id <= to; id++) {
        uint64_t at = atomic_load(&committed_us[id]);
        delay_ms[id] = at == 0 ? -1 : now > at ? (double)(now - at) / 1000 : 0;
    }
}

static bool finished(uint64_t last, uint64_t *stopped_us)
{
    if (!atomic_load(&wrote_all)) return false;
    if (*stopped_us == 0) *stopped_us = tool_us();
    return last >= atomic_load(&written) || tool_us() - *stopped_us > GIVE_UP_US;
}

static void read_rows(void)
{
    MYSQL *mysql = NULL;
    uint64_t last = 0, stopped_us = 0;
    while (!finished(last, &stopped_us)) {
        if (!mysql) mysql = tool_connect(&target, NULL);
        if (!mysql) {
            tool_sleep_us(CONNECT_AGAIN_US);
            continue;
        }
        uint64_t id = last < atomic_load(&written) ? newest(&mysql) : last;
        if (id > last && id < ROWS_MAX) {
            note(last, id, tool_us());
            last = id;
        }
        tool_sleep_us(LOOK_US);
    }
    atomic_store(&seen, last);
    if (mysql) mysql_close(mysql);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void report(void)
{
    uint64_t n = 0, last = atomic_load(&seen);
    for (uint64_t id = 1; id <= last; id++)
        if (delay_ms[id] >= 0) delay_ms[n++] = delay_ms[id];
    if (n == 0) {
        puts("probe: 0 rows");
        return;
    }
    qsort(delay_ms, n, sizeof *delay_ms, by_size);
    printf("probe: %llu rows, p50 %.2f ms, p90 %.2f ms, p99 %.2f ms, max %.2f ms\n", (unsigned long long)n, delay_ms[n / 2],
           delay_ms[n * 9 / 10], delay_ms[n * 99 / 100], delay_ms[n - 1]);
}

static void options(int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        if (tool_server_option(&source, "source-", argv[i], argv[i + 1])) continue;
        if (tool_server_option(&target, "target-", argv[i], argv[i + 1])) continue;
        if (strcmp(argv[i], "--every-ms") == 0) every_us = tool_number(argv[i], argv[i + 1]) * 1000;
        else if (strcmp(argv[i], "--seconds") == 0) seconds = tool_number(argv[i], argv[i + 1]);
        else tool_usage(argv[i], "unknown option");
    }
    if (argc % 2 == 0) tool_usage(argv[argc - 1], "--source-socket F --target-socket F [--every-ms N] [--seconds N]");
}

int main(int argc, char **argv)
{
    pthread_t writer;
    struct sigaction action = {.sa_handler = on_signal};
    options(argc, argv);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGALRM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (seconds) alarm((unsigned)seconds);
    if (pthread_create(&writer, NULL, write_rows, NULL) != 0) return TOOL_UNREACHABLE;
    read_rows();
    pthread_join(writer, NULL);
    report();
    return atomic_load(&seen) >= atomic_load(&written) ? TOOL_DONE : TOOL_NOT_MET;
}
