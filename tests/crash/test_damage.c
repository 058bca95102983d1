/*
 * A damaged log is refused with the exact place, never guessed: every bit of it turned in turn, a segment missing, a foreign
 * file, another log's segment, a newer format, a second process. And every call of a life failing once is a clear error.
 */
#include <errno.h>

#include "inspect.h"
#include "log.h"
#include "memory.h"
#include "reader.h"
#include "state.h"
#include "wal_unit.h"

#define DIR "d"
enum { PATHS_MAX = 64 };

static struct memory *memory;
static struct wal_options options;

static void build(uint64_t transactions)
{
    struct wal_resume resume;
    struct wal *wal;
    struct table *table = unit_table(1);
    ok(wal_open(&options, NULL, &wal, &resume, &failure));
    for (uint64_t seq = resume.gtid.seq + 1; transactions--; seq++) {
        unit_transaction(wal, table, seq, (unsigned)(seq % 5));
        wal_flush(wal);
    }
    wal_close(wal);
    table_free(table);
}

static int setup(void **state)
{
    (void)state;
    memory = memory_new(42);
    options = unit_options(DIR);
    options.files = memory_files(memory);
    options.segment_bytes = 8 << 10;
    options.block_bytes = 512;
    build(60);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    memory_free(memory);
    return 0;
}

struct paths { char items[PATHS_MAX][96]; size_t count; };
static void take_path(void *context, const char *path)
{
    struct paths *paths = context;
    if (strstr(path, "/wal-") && paths->count < PATHS_MAX) snprintf(paths->items[paths->count++], 96, "%s", path);
}

static int by_text(const void *a, const void *b) { return strcmp(a, b); }

static struct paths segments(void)
{
    struct paths paths = {.count = 0};
    memory_each(memory, take_path, &paths);
    qsort(paths.items, paths.count, sizeof paths.items[0], by_text);
    return paths;
}

static bool opens(struct err *err)
{
    struct wal_resume resume;
    struct wal *wal;
    if (!wal_open(&options, NULL, &wal, &resume, err)) return false;
    wal_close(wal);
    return true;
}

/* Where the log's meaning ends in a file: behind the last transaction and, sealed, behind the seal. */
static uint64_t meaning_end(const char *path, bool *sealed)
{
    struct segment segment;
    struct segment_name name;
    struct scan scan;
    assert_true(segment_name_parse(strrchr(path, '/') + 1, &name));
    ok(segment_open(&segment, options.files, DIR, &name, 0, &failure));
    ok(segment_scan(&segment, false, &scan, &failure));
    segment_close(&segment);
    *sealed = name.sealed;
    return name.sealed ? scan.end.at : scan.end.at - BLOCK_HEADER; /* a clean stop left a mark at the end */
}

static void every_bit_counts(void **state)
{
    struct paths paths = segments();
    struct wal_info info;
    (void)state;
    assert_true(paths.count >= 2);
    for (size_t i = 0; i < paths.count; i++) {
        bool sealed;
        uint64_t end = meaning_end(paths.items[i], &sealed);
        for (uint64_t at = 0; at < end; at++) {
            struct err err = {0};
            if (at > 700 && at < SEGMENT_HEADER - 4 && at % 64) continue; /* zeros of the header: a sample */
            uint64_t bit = at * 8 + at % 8;
            assert_true(memory_flip(memory, paths.items[i], bit));
            bool verified = wal_verify_files(options.files, DIR, NULL, NULL, &info, &err);
            if (verified) fail_msg("%s: bit %u of byte %llu went unnoticed", paths.items[i], (unsigned)(bit % 8),
                                   (unsigned long long)at);
            assert_true(err.code == ERR_CORRUPT || err.code == ERR_UNSUPPORTED);
            assert_non_null(strstr(err.text, "offset"));
            if (!strstr(err.text, paths.items[i]) && at >= SEGMENT_HEADER) fail_msg("%s: %s", paths.items[i], err.text);
            /* the writer reads only the last segment through, and refuses as well */
            if (!sealed && opens(&err)) fail_msg("byte %llu: the log was opened", (unsigned long long)at);
            assert_true(memory_flip(memory, paths.items[i], bit));
        }
    }
    ok(wal_verify_files(options.files, DIR, NULL, NULL, &info, &failure));
    assert_true(opens(&failure));
}

static void a_reader_stops_at_damage(void **state)
{
    struct paths paths = segments();
    struct wal_reader *reader;
    struct change c;
    enum wal_read read;
    struct err err = {0};
    unsigned transactions = 0;
    (void)state;
    assert_true(memory_flip(memory, paths.items[0], (SEGMENT_HEADER + 600) * 8));
    ok(wal_reader_open_files(options.files, DIR, 0, &reader, &failure));
    while ((read = wal_reader_next(reader, 0, &c, &err)) == WAL_READ_CHANGE) transactions += c.kind == CHANGE_COMMIT;
    assert_int_equal(read, WAL_READ_FAILED);
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_non_null(strstr(err.text, paths.items[0]));
    assert_in_range(transactions, 1, 20);
    wal_reader_close(reader);
}

static void a_missing_segment_is_named(void **state)
{
    struct err err = {0};
    build(60);
    struct paths paths = segments();
    (void)state;
    assert_true(paths.count >= 3);
    ok(file_unlink(options.files, paths.items[1], &failure));
    assert_false(opens(&err));
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_non_null(strstr(err.text, "a segment is missing"));
    assert_non_null(strstr(err.text, strrchr(paths.items[0], '/') + 1));
    assert_non_null(strstr(err.text, strrchr(paths.items[2], '/') + 1));
}

static void a_foreign_file_is_named(void **state)
{
    struct file file;
    struct err err = {0};
    (void)state;
    ok(file_open(&file, options.files, DIR "/notes.txt", FILE_WRITE | FILE_CREATE, &failure));
    file_close(&file);
    assert_false(opens(&err));
    assert_non_null(strstr(err.text, "notes.txt"));
    ok(file_unlink(options.files, DIR "/notes.txt", &failure));
    assert_true(opens(&err));
}

/* Header of the first segment changed, with a CRC that fits. */
static void change_header(const char *path, size_t at, uint8_t value)
{
    struct file file;
    uint8_t header[SEGMENT_HEADER];
    size_t got;
    ok(file_open(&file, options.files, path, FILE_WRITE, &failure));
    ok(file_read(&file, header, sizeof header, 0, &got, &failure));
    header[at] = value;
    uint32_t crc = crc32c(0, header, SEGMENT_HEADER - 4);
    memcpy(header + SEGMENT_HEADER - 4, &crc, 4);
    ok(file_write(&file, header, sizeof header, 0, &failure));
    file_close(&file);
}

static void a_newer_format_is_refused(void **state)
{
    struct paths paths = segments();
    struct err err = {0};
    (void)state;
    change_header(paths.items[0], 8, WAL_VERSION + 1);
    assert_false(opens(&err));
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "version 3"));
}

static void another_logs_segment_is_refused(void **state)
{
    struct paths paths = segments();
    struct err err = {0};
    (void)state;
    change_header(paths.items[1], 17, 0xEE);
    assert_false(opens(&err));
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_non_null(strstr(err.text, "UUID"));
}

static void a_second_process_is_refused(void **state)
{
    struct wal_resume resume;
    struct wal *wal;
    struct err err = {0};
    (void)state;
    ok(wal_open(&options, NULL, &wal, &resume, &failure));
    assert_false(opens(&err));
    assert_non_null(strstr(err.text, "another process"));
    wal_close(wal);
    assert_true(opens(&err));
}

/* One life in which call number `nth` fails. True: it ran to its end without noticing. */
static bool faulty_life(uint64_t nth, int number)
{
    struct wal_resume resume;
    struct wal *wal = NULL;
    struct err err = {0};
    bool good = true;
    struct table *table = unit_table(1);
    file_fault_at(nth, number);
    if (!wal_open(&options, NULL, &wal, &resume, &err)) {
        file_fault_at(0, 0);
        assert_true(err.text[0] != 0);
        table_free(table);
        return false;
    }
    for (uint64_t seq = resume.gtid.seq + 1, end = seq + 30; good && seq < end; seq++) {
        struct change begin = {.kind = CHANGE_BEGIN, .gtid = {.domain = 0, .server = 1, .seq = seq}, .timestamp = 1};
        struct commit commit = unit_commit_of(seq, 0);
        struct change end_of = {.kind = CHANGE_COMMIT, .gtid = {.domain = 0, .server = 1, .seq = seq}, .timestamp = 1, .commit = &commit};
        good = wal_append(wal, &begin, NULL, &err) && wal_append(wal, &end_of, NULL, &err);
        wal_flush(wal);
    }
    assert_true(good || err.text[0]);
    (void)!wal_hold(wal, "a", wal->points.durable, &err);
    wal_keep(wal, clock_wall_us());
    uint64_t durable = wal->points.durable;
    wal_close(wal);
    bool noticed = file_fault_at_reached();
    file_fault_at(0, 0);
    ok(wal_open(&options, NULL, &wal, &resume, &failure));
    assert_true(resume.last_lsn >= durable);
    wal_close(wal);
    table_free(table);
    return !noticed;
}

static void every_call_may_fail(void **state)
{
    (void)state;
    options.retention_hours = options.rewind_hours = 0;
    for (int turn = 0; turn < 2; turn++) {
        uint64_t nth = 1;
        while (!faulty_life(nth, turn ? ENOSPC : EIO)) {
            teardown(NULL);
            setup(NULL);
            options.retention_hours = options.rewind_hours = 0;
            nth++;
        }
        assert_in_range(nth, 50, 5000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_bit_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reader_stops_at_damage, setup, teardown),
        cmocka_unit_test_setup_teardown(a_missing_segment_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(a_foreign_file_is_named, setup, teardown),
        cmocka_unit_test_setup_teardown(a_newer_format_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(another_logs_segment_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_second_process_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(every_call_may_fail, setup, teardown),
    };
    if (!freopen("/dev/null", "w", stderr)) return 1; /* each fault logs itself */
    log_init(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
