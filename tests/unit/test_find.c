/* From what the source calls a place to an LSN: by GTID, time, file and offset; and what list and info say. */
#include "wal_unit.h"

static char dir[64];
static uint64_t begins[302], commits[302];

static int setup(void **state)
{
    struct wal_options options = unit_options(dir);
    struct wal_resume resume;
    struct wal *wal = NULL;
    struct table *table = unit_table(1);
    (void)state;
    unit_dir(dir);
    options.dir = dir;
    options.segment_bytes = 8 << 10;
    options.block_bytes = 512;
    ok(wal_open(&options, NULL, &wal, &resume, &failure));
    for (uint64_t seq = 1; seq <= 300; seq++) {
        commits[seq] = unit_transaction(wal, table, seq, 5);
        begins[seq] = commits[seq - 1] + 1;
        wal_flush(wal);
    }
    wal_close(wal);
    table_free(table);
    return 0;
}

static int teardown(void **state) { (void)state; unit_dir_remove(dir); return 0; }

static uint64_t find(struct wal_find what)
{
    uint64_t lsn = 0;
    bool found = false;
    ok(wal_find(dir, &what, &lsn, &found, &failure));
    return found ? lsn : 0;
}

static void every_transaction_is_found(void **state)
{
    (void)state;
    for (uint64_t seq = 1; seq <= 300; seq++) {
        struct gtid gtid = {.domain = 0, .server = 9, .seq = seq}; /* the server id is not compared */
        assert_int_equal(find((struct wal_find){.gtid = &gtid}), begins[seq]);
        assert_int_equal(find((struct wal_find){.time_us = (1700000000 + seq) * UINT64_C(1000000)}), begins[seq]);
        assert_int_equal(find((struct wal_find){.file = "bin.000001", .offset = seq * 100}), begins[seq]);
        assert_int_equal(find((struct wal_find){.file = "bin.000001", .offset = seq * 100 - 50}), begins[seq]);
    }
    assert_int_equal(find((struct wal_find){.file = "bin.000000", .offset = 4}), begins[1]);
}

static void past_the_end_is_not_found(void **state)
{
    struct gtid gtid = {.domain = 0, .server = 1, .seq = 301}, other = {.domain = 7, .server = 1, .seq = 1};
    (void)state;
    assert_int_equal(find((struct wal_find){.gtid = &gtid}), 0);
    assert_int_equal(find((struct wal_find){.gtid = &other}), 0);
    assert_int_equal(find((struct wal_find){.time_us = (1700000000 + 301) * UINT64_C(1000000)}), 0);
    assert_int_equal(find((struct wal_find){.file = "bin.000002", .offset = 4}), 0);
    assert_int_equal(find((struct wal_find){.file = "bin.1000000", .offset = 4}), 0); /* a digit more is later */
}

static void before_the_oldest_is_gone(void **state)
{
    struct wal_options options = unit_options(dir);
    struct wal_resume resume;
    struct wal *wal = NULL;
    struct gtid gtid = {.domain = 0, .server = 1, .seq = 1};
    struct wal_find what = {.gtid = &gtid};
    struct err err = {0};
    uint64_t lsn;
    bool found;
    (void)state;
    options.retention_hours = options.rewind_hours = 0;
    options.segment_bytes = 8 << 10;
    ok(wal_open(&options, NULL, &wal, &resume, &failure));
    wal_start(wal);
    for (int i = 0; i < 100; i++) {
        struct wal_points p;
        wal_points(wal, &p);
        if (p.first > 1) break;
        clock_sleep_ms(50);
    }
    wal_close(wal);
    assert_false(wal_find(dir, &what, &lsn, &found, &err));
    assert_int_equal(err.code, ERR_GONE);
}

struct seen { uint64_t segments, transactions, next; };
static bool take(void *context, const struct wal_segment_info *info)
{
    struct seen *seen = context;
    assert_int_equal(info->first_lsn, seen->next);
    assert_true(info->bytes > 0 && info->raw_bytes > 0);
    seen->next = info->last_lsn + 1;
    seen->segments++;
    seen->transactions += info->transactions;
    return true;
}

static void list_and_info_agree(void **state)
{
    struct seen seen = {.next = 1};
    struct wal_info info, verified;
    (void)state;
    ok(wal_list(dir, take, &seen, &failure));
    ok(wal_info(dir, &info, &failure));
    ok(wal_verify(dir, NULL, NULL, &verified, &failure));
    assert_true(seen.segments > 2);
    assert_int_equal(seen.transactions, 300);
    assert_int_equal(info.segments, seen.segments);
    assert_int_equal(info.transactions, 300);
    assert_int_equal(info.first_lsn, 1);
    assert_int_equal(info.last_lsn, commits[300]);
    assert_int_equal(info.last_commit_lsn, commits[300]);
    assert_int_equal(info.end.offset, 300 * 100 + 99);
    assert_int_equal(info.first_timestamp, 1700000001);
    assert_int_equal(info.last_timestamp, 1700000300);
    assert_memory_equal(&info, &verified, sizeof info);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_transaction_is_found, setup, teardown),
        cmocka_unit_test_setup_teardown(past_the_end_is_not_found, setup, teardown),
        cmocka_unit_test_setup_teardown(before_the_oldest_is_gone, setup, teardown),
        cmocka_unit_test_setup_teardown(list_and_info_agree, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
