/* What of the log may be deleted, and what capture is told when space is short. */
#include "retention.h"
#include "state.h"
#include "wal_unit.h"

enum { HOURS = 3600 };
#define US(seconds) ((uint64_t)(seconds) * 1000000)

static const struct wal_age ages[4] = {
    {1, 100, 1000, US(10 * HOURS)}, {101, 200, 1000, US(20 * HOURS)}, {201, 300, 1000, US(30 * HOURS)}, {301, 400, 1000, US(40 * HOURS)},
};

static struct wal_limits limits_at(uint64_t now_hours)
{
    return (struct wal_limits){.now_us = US(now_hours * HOURS), .retention_us = US(24 * HOURS), .rewind_us = US(24 * HOURS),
                               .segments = ages, .segment_count = 4, .open_bytes = 500, .open_first = 401};
}

static void age_decides_when_nobody_needs_it(void **state)
{
    struct wal_limits limits = limits_at(45); /* 35, 25, 15, 5 hours old */
    (void)state;
    assert_int_equal(wal_retain_from(NULL, 0, &limits), 201);
    limits.now_us = US(33 * HOURS);
    assert_int_equal(wal_retain_from(NULL, 0, &limits), 1);
    limits.now_us = US(100 * HOURS);
    assert_int_equal(wal_retain_from(NULL, 0, &limits), 401);
    limits.segment_count = 0;
    assert_int_equal(wal_retain_from(NULL, 0, &limits), 401);
}

static void the_lowest_need_holds(void **state)
{
    struct wal_limits limits = limits_at(100);
    struct wal_need needs[] = {{"a", 350}, {"b", 150}, {"c", 400}};
    (void)state;
    assert_int_equal(wal_retain_from(needs, 3, &limits), 101);
    assert_int_equal(wal_retain_from(needs, 1, &limits), 301);
    needs[0].lsn = 100; /* still needs the last record of the first */
    assert_int_equal(wal_retain_from(needs, 1, &limits), 1);
    needs[0].lsn = 101;
    assert_int_equal(wal_retain_from(needs, 1, &limits), 101);
}

static void size_goes_before_retention_but_not_before_rewind(void **state)
{
    struct wal_limits limits = limits_at(60);
    (void)state;
    limits.retention_us = US(1000 * HOURS);
    assert_int_equal(wal_retain_from(NULL, 0, &limits), 1);
    limits.size_max = 2600; /* 4500 now: two must go */
    assert_int_equal(wal_retain_from(NULL, 0, &limits), 201);
    limits.rewind_us = US(45 * HOURS); /* only the first is older */
    assert_int_equal(wal_retain_from(NULL, 0, &limits), 101);
}

static void hard_goes_whoever_needs_it(void **state)
{
    struct wal_limits limits = limits_at(41);
    struct wal_need need = {"slow", 1};
    (void)state;
    assert_int_equal(wal_retain_from(&need, 1, &limits), 1);
    limits.hard = 2500;
    assert_int_equal(wal_retain_from(&need, 1, &limits), 201);
}

static char dir[64];
static int setup(void **state) { (void)state; unit_dir(dir); return 0; }
static int teardown(void **state) { (void)state; unit_dir_remove(dir); return 0; }

static struct wal *filled(struct wal_options *options, struct wal_resume *resume, struct table *table)
{
    struct wal *wal = NULL;
    options->segment_bytes = 8 << 10;
    options->block_bytes = 512;
    ok(wal_open(options, NULL, &wal, resume, &failure));
    for (uint64_t seq = resume->gtid.seq + 1, end = seq + 300; seq < end; seq++) unit_transaction(wal, table, seq, 10);
    wal_flush(wal);
    return wal;
}

/* The files themselves: dropped behind the holds, reused, and a reader of what is gone is told so. */
static void the_keeper_drops_and_reuses(void **state)
{
    struct wal_options options = unit_options(dir);
    struct wal_resume resume;
    struct table *table = unit_table(1);
    struct wal_reader *reader;
    struct wal_points p;
    struct err err;
    uint64_t lsn = 0;
    (void)state;
    options.retention_hours = options.rewind_hours = 1;
    struct wal *wal = filled(&options, &resume, table);
    wal_points(wal, &p);
    uint64_t middle = wal->segments[wal->segment_count / 2].name.first + 3;
    ok(wal_hold(wal, "sink", middle, &failure));
    wal_keep(wal, clock_wall_us());
    assert_int_equal(wal->points.first, 1); /* too young */
    wal_keep(wal, clock_wall_us() + US(2 * HOURS));
    assert_true(wal->points.first > 1 && wal->points.first <= middle);
    assert_int_equal(wal->recycled_count, WAL_RECYCLE_MAX);
    assert_false(wal_reader_open(wal, 1, &reader, &err));
    assert_int_equal(err.code, ERR_GONE);
    assert_false(wal_reader_open_dir(dir, 1, &reader, &err));
    assert_int_equal(err.code, ERR_GONE);
    ok(wal_reader_open(wal, middle, &reader, &failure));
    wal_reader_close(reader);
    wal_close(wal);
    wal = filled(&options, &resume, table);
    assert_int_equal(resume.gtid.seq, 300);
    assert_true(wal_held(wal, "sink", &lsn));
    assert_int_equal(lsn, middle);
    assert_false(wal_held(wal, "other", &lsn));
    assert_int_equal(wal->recycled_count, 0); /* written over by the new segments */
    assert_false(wal_release(wal, "other", &err));
    ok(wal_release(wal, "sink", &failure));
    wal_keep(wal, clock_wall_us() + US(2 * HOURS));
    assert_int_equal(wal->segment_count, 1);
    struct wal_info info;
    ok(wal_verify(dir, NULL, NULL, &info, &failure));
    assert_int_equal(info.first_lsn, wal->points.first);
    wal_close(wal);
    table_free(table);
}

static void a_reader_is_told_when_its_file_goes(void **state)
{
    struct wal_options options = unit_options(dir);
    struct wal_resume resume;
    struct table *table = unit_table(1);
    struct wal_reader *live, *other;
    struct change c;
    struct err err = {0};
    enum wal_read read;
    (void)state;
    options.retention_hours = options.rewind_hours = 0;
    struct wal *wal = filled(&options, &resume, table);
    ok(wal_reader_open(wal, 0, &live, &failure));
    ok(wal_reader_open_dir(dir, 0, &other, &failure));
    assert_int_equal(wal_reader_next(live, 0, &c, &err), WAL_READ_CHANGE);
    assert_int_equal(wal_reader_next(other, 0, &c, &err), WAL_READ_CHANGE);
    wal_keep(wal, clock_wall_us() + US(1));
    for (uint64_t seq = 301; seq < 500; seq++) unit_transaction(wal, table, seq, 10); /* over the recycled files */
    wal_flush(wal);
    while ((read = wal_reader_next(live, 0, &c, &err)) == WAL_READ_CHANGE) {}
    assert_int_equal(read, WAL_READ_FAILED);
    assert_int_equal(err.code, ERR_GONE);
    while ((read = wal_reader_next(other, 0, &c, &err)) == WAL_READ_CHANGE) {}
    assert_int_equal(read, WAL_READ_FAILED);
    assert_int_equal(err.code, ERR_GONE);
    wal_reader_close(live);
    wal_reader_close(other);
    wal_close(wal);
    table_free(table);
}

static void space_pauses_capture(void **state)
{
    struct wal_options options = unit_options(dir);
    struct wal_resume resume;
    struct table *table = unit_table(1);
    char text[256];
    (void)state;
    options.size_max = 40 << 10;
    options.retention_hours = options.rewind_hours = 1;
    struct wal *wal = filled(&options, &resume, table);
    assert_false(wal_must_pause(wal, text, sizeof text));
    assert_string_equal(text, "");
    wal_check_space(wal);
    assert_true(wal_must_pause(wal, text, sizeof text));
    assert_non_null(strstr(text, "size_max_mb"));
    wal_keep(wal, clock_wall_us() + US(2 * HOURS));
    wal_check_space(wal);
    assert_false(wal_must_pause(wal, text, sizeof text));
    wal->options.free_min = UINT64_MAX / 2;
    wal_check_space(wal);
    assert_true(wal_must_pause(wal, text, sizeof text));
    assert_non_null(strstr(text, "free_min_mb"));
    assert_int_equal(wal->recycled_count, 0); /* nothing is kept for reuse while space is short */
    wal_close(wal);
    table_free(table);
}

/* Exact where a segment begins, in proportion within one. */
static void bytes_behind_an_lsn(void **state)
{
    struct wal_options options = unit_options(dir);
    struct wal_resume resume;
    struct table *table = unit_table(1);
    struct wal_points p;
    (void)state;
    struct wal *wal = filled(&options, &resume, table);
    wal_points(wal, &p);
    assert_true(wal->segment_count > 3);
    assert_int_equal(wal_bytes_behind(wal, p.written), 0);
    uint64_t behind = 0, before = UINT64_MAX;
    for (size_t i = wal->segment_count; i-- > 0;) {
        bool last = i + 1 == wal->segment_count;
        behind += (last ? wal->open_end : wal->segments[i].bytes) - SEGMENT_HEADER;
        assert_int_equal(wal_bytes_behind(wal, wal->segments[i].name.first - 1), behind);
    }
    assert_int_equal(wal_bytes_behind(wal, 0), behind);
    for (uint64_t lsn = 0; lsn <= p.written; lsn += 7) {
        uint64_t now = wal_bytes_behind(wal, lsn);
        assert_true(now <= before);
        before = now;
    }
    wal_close(wal);
    table_free(table);
}

/* Remembered across an end, and in nobody's way. */
static void a_hold_that_keeps_nothing_is_remembered(void **state)
{
    struct wal_options options = unit_options(dir);
    struct wal_resume resume;
    struct source_pos nowhere = {0};
    struct wal *wal;
    char name[WAL_HOLD_NAME_MAX] = "";
    uint64_t lsn = 0;
    struct wal_limits limits = limits_at(100);
    struct wal_need needs[] = {{"a", WAL_HOLDS_NOTHING}, {"b", 350}};
    (void)state;
    assert_int_equal(wal_retain_from(needs, 2, &limits), wal_retain_from(needs + 1, 1, &limits));
    assert_int_equal(wal_retain_from(needs, 1, &limits), wal_retain_from(needs, 0, &limits));
    ok(wal_open(&options, &nowhere, &wal, &resume, &failure));
    assert_false(wal_hold_at(wal, 0, name, sizeof name));
    ok(wal_hold(wal, "sink@10.9.0.4", WAL_HOLDS_NOTHING, &failure));
    wal_close(wal);
    ok(wal_open(&options, &nowhere, &wal, &resume, &failure));
    assert_true(wal_hold_at(wal, 0, name, sizeof name));
    assert_string_equal(name, "sink@10.9.0.4");
    assert_true(wal_held(wal, name, &lsn) && lsn == WAL_HOLDS_NOTHING);
    assert_false(wal_hold_at(wal, 1, name, sizeof name));
    wal_close(wal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(age_decides_when_nobody_needs_it),
        cmocka_unit_test(the_lowest_need_holds),
        cmocka_unit_test(size_goes_before_retention_but_not_before_rewind),
        cmocka_unit_test(hard_goes_whoever_needs_it),
        cmocka_unit_test_setup_teardown(the_keeper_drops_and_reuses, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reader_is_told_when_its_file_goes, setup, teardown),
        cmocka_unit_test_setup_teardown(space_pauses_capture, setup, teardown),
        cmocka_unit_test_setup_teardown(bytes_behind_an_lsn, setup, teardown),
        cmocka_unit_test_setup_teardown(a_hold_that_keeps_nothing_is_remembered, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
