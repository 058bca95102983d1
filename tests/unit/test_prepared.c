/*
 * test_prepared.c: the rows of a prepared XA transaction wait in the log: a reader sees an empty transaction, only who asks gets the rows; which ones
 * wait survives the end of segments, of the agent and a torn tail; retention keeps them until their end is durable.
 */
#include "state.h"
#include "wal_unit.h"

static char dir[64];
static int setup(void **state) { (void)state; unit_dir(dir); return 0; }
static int teardown(void **state) { (void)state; unit_dir_remove(dir); return 0; }

static struct xid xid_of(const char *name)
{
    struct xid xid;
    assert_true(xid_set(&xid, 1, slice_text(name), slice_text("")));
    return xid;
}

static void end_with(struct wal *wal, uint64_t seq, uint64_t rows, enum commit_xa xa, const char *name)
{
    struct commit commit = unit_commit_of(seq, rows);
    struct change c = {.kind = CHANGE_COMMIT, .gtid = {.server = 1, .seq = seq}, .timestamp = (uint32_t)(1700000000 + seq), .server_id = 1, .commit = &commit};
    commit.xa = xa;
    commit.xid = xid_of(name);
    ok(wal_append(wal, &c, NULL, &failure));
}

static void prepare(struct wal *wal, const struct table *table, uint64_t seq, unsigned rows, const char *name)
{
    unit_begin(wal, seq);
    for (unsigned i = 0; i < rows; i++) unit_insert(wal, table, seq, seq * 1000 + i);
    end_with(wal, seq, rows, XA_PREPARED, name);
}

static struct wal *open_log(const struct wal_options *options, struct wal_resume *resume)
{
    struct wal *wal = NULL;
    ok(wal_open(options, NULL, &wal, resume, &failure));
    return wal;
}

/* Letters of what the reader lends: B, I, C; and the rows that the last COMMIT speaks of. */
static void expect(struct wal_reader *reader, const char *letters, uint64_t rows)
{
    struct change c;
    struct err err = {0};
    for (; *letters; letters++) {
        assert_int_equal(wal_reader_next(reader, 1000, &c, &err), WAL_READ_CHANGE);
        assert_int_equal(" .BIUDSC"[c.kind], *letters);
    }
    assert_int_equal(c.commit->rows, rows);
}

static void rows_wait(void **state)
{
    struct wal_options options = unit_options(dir);
    struct wal_resume resume;
    struct wal *wal = open_log(&options, &resume);
    struct table *table = unit_table(1);
    struct wal_prepared found;
    struct xid a = xid_of("a"), b = xid_of("b");
    (void)state;
    wal_start(wal);
    unit_transaction(wal, table, 1, 2);
    prepare(wal, table, 2, 3, "a");
    prepare(wal, table, 3, 30000, "b"); /* of several blocks */
    unit_transaction(wal, table, 4, 1);
    wal_flush(wal);
    struct wal_reader *reader, *held;
    ok(wal_reader_open(wal, 1, &reader, &failure));
    expect(reader, "BIIC" "BC", 0);
    expect(reader, "BC", 0);
    expect(reader, "BIC", 1);
    wal_reader_close(reader);
    assert_true(wal_prepared_find(wal, &b, &found));
    assert_int_equal(found.rows, 30000);
    assert_int_equal(found.gtid.seq, 3);
    ok(wal_reader_open(wal, found.lsn, &held, &failure));
    wal_reader_prepared(held, true);
    struct change c;
    unsigned rows = 0;
    while (wal_reader_next(held, 1000, &c, &failure) == WAL_READ_CHANGE && c.kind != CHANGE_COMMIT) rows += c.kind == CHANGE_INSERT;
    assert_int_equal(rows, 30000);
    assert_int_equal(c.commit->xa, XA_PREPARED);
    wal_reader_close(held);
    assert_true(wal_prepared_find(wal, &a, &found));
    ok(wal_reader_open(wal, found.lsn, &held, &failure));
    wal_reader_prepared(held, true);
    expect(held, "BIIIC", 3);
    wal_reader_close(held);
    assert_int_equal(wal_prepared_list(wal, &found, 1), 2);
    wal_close(wal);
    struct wal_info info;
    ok(wal_verify(dir, NULL, NULL, &info, &failure));
    assert_int_equal(info.transactions, 4);
    table_free(table);
}

/* Which ones wait is told by the log alone, over many segments; an end that did not become whole ends nothing. */
static void which_wait_survives(void **state)
{
    struct wal_options options = unit_options(dir);
    struct wal_resume resume;
    struct table *table = unit_table(1);
    struct wal_prepared list[4];
    (void)state;
    options.segment_bytes = 64 << 10;
    options.compress = false;
    struct wal *wal = open_log(&options, &resume);
    prepare(wal, table, 1, 3, "a");
    prepare(wal, table, 2, 3, "b");
    prepare(wal, table, 3, 3, "c");
    unit_begin(wal, 4);
    end_with(wal, 4, 0, XA_ROLLED_BACK, "b");
    uint64_t seq = 5;
    for (int round = 0; round < 4; round++) {
        for (int i = 0; i < 40; i++) unit_transaction(wal, table, seq++, 100); /* more than a segment */
        wal_close(wal);
        wal = open_log(&options, &resume);
        assert_true(wal->segment_count > (unsigned)round);
        assert_int_equal(wal_prepared_list(wal, list, 4), 2);
        assert_slice(slice_of(list[0].xid.bytes + XID_HEAD, 1), "a");
        assert_slice(slice_of(list[1].xid.bytes + XID_HEAD, 1), "c");
        assert_int_equal(list[1].rows, 3);
        assert_int_equal(list[1].gtid.seq, 3);
        assert_int_equal(resume.gtid.seq, seq - 1);
    }
    unit_begin(wal, seq++);
    for (int i = 0; i < 3; i++) unit_insert(wal, table, seq, seq * 1000);
    end_with(wal, seq, 3, XA_COMMITTED, "c");
    unit_begin(wal, seq++);
    unit_insert(wal, table, seq, 1); /* cut: no end */
    wal_close(wal);
    wal = open_log(&options, &resume);
    assert_int_equal(wal_prepared_list(wal, list, 4), 1);
    assert_slice(slice_of(list[0].xid.bytes + XID_HEAD, 1), "a");
    /* the same name again takes the older one's place */
    prepare(wal, table, seq++, 7, "a");
    wal_close(wal);
    wal = open_log(&options, &resume);
    assert_int_equal(wal_prepared_list(wal, list, 4), 1);
    assert_int_equal(list[0].rows, 7);
    wal_close(wal);
    struct wal_info info;
    ok(wal_verify(dir, NULL, NULL, &info, &failure));
    table_free(table);
}

/* A segment that has just begun has no list yet: the one before it says it. */
static void an_empty_segment_says_nothing(void **state)
{
    struct wal_options options = unit_options(dir);
    struct wal_resume resume;
    struct table *table = unit_table(1);
    struct wal_prepared list[2];
    (void)state;
    struct wal *wal = open_log(&options, &resume);
    prepare(wal, table, 1, 3, "a");
    wal_flush(wal);
    struct wal_resume now = wal->now;
    wal_close(wal);
    for (int round = 0; round < 3; round++) { /* begin a segment, and stop before anything is in it */
        wal = open_log(&options, &resume);
        assert_int_equal(wal_prepared_list(wal, list, 2), 1);
        assert_int_equal(wal->list_due, wal->segment_count > 1);
        if (wal->segment_count == 1) {
            wal->options.segment_bytes = 1;
            unit_transaction(wal, table, 2, 1); /* into the next one, which is cut off again below */
            wal_flush(wal);
            assert_int_equal(wal->segment_count, 2);
            char path[FILE_PATH_MAX];
            snprintf(path, sizeof path, "%s", wal->open.file.path);
            wal_close(wal);
            assert_int_equal(truncate(path, SEGMENT_HEADER), 0);
        } else {
            wal_close(wal);
        }
    }
    assert_int_equal(resume.gtid.seq, now.gtid.seq);
    wal = open_log(&options, &resume);
    unit_transaction(wal, table, 2, 1); /* the list goes before it */
    wal_close(wal);
    wal = open_log(&options, &resume);
    assert_int_equal(wal_prepared_list(wal, list, 2), 1);
    assert_false(wal->list_due);
    wal_close(wal);
    table_free(table);
}

static void retention_keeps_them(void **state)
{
    struct wal_options options = unit_options(dir);
    struct wal_resume resume;
    struct table *table = unit_table(1);
    struct wal_points points;
    (void)state;
    options.segment_bytes = 64 << 10;
    options.compress = false;
    options.retention_hours = options.rewind_hours = 0;
    struct wal *wal = open_log(&options, &resume);
    uint64_t seq = 1;
    for (int i = 0; i < 60; i++) unit_transaction(wal, table, seq++, 100);
    prepare(wal, table, seq++, 3, "a");
    for (int i = 0; i < 120; i++) unit_transaction(wal, table, seq++, 100);
    wal_flush(wal);
    struct wal_prepared found;
    struct xid a = xid_of("a");
    assert_true(wal_prepared_find(wal, &a, &found));
    wal_keep(wal, clock_wall_us() + 1000000);
    wal_points(wal, &points);
    assert_true(points.first > 1 && points.first <= found.lsn);
    uint64_t first = points.first;
    unit_begin(wal, seq);
    end_with(wal, seq, 0, XA_COMMITTED, "a"); /* not flushed: not durable */
    assert_false(wal_prepared_find(wal, &a, &found));
    wal_keep(wal, clock_wall_us() + 1000000);
    wal_points(wal, &points);
    assert_int_equal(points.first, first);
    wal_flush(wal);
    wal_keep(wal, clock_wall_us() + 1000000);
    wal_points(wal, &points);
    assert_true(points.first > first);
    wal_close(wal);
    table_free(table);
}

/* A segment in which more were ended than may be open at once: opening the log counts those that are open. */
static void many_that_ended(void **state)
{
    struct wal_options options = unit_options(dir);
    struct wal_resume resume;
    struct wal_prepared list[2];
    struct table *table = unit_table(1);
    char name[16];
    (void)state;
    options.segment_bytes = 64 << 20;
    options.fsync = false;
    struct wal *wal = open_log(&options, &resume);
    uint64_t seq = 1;
    prepare(wal, table, seq++, 1, "open");
    for (unsigned i = 0; i < PREPARED_MAX + 10; i++) {
        snprintf(name, sizeof name, "x%u", i);
        prepare(wal, table, seq++, 0, name);
        unit_begin(wal, seq);
        end_with(wal, seq++, 0, XA_ROLLED_BACK, name);
        if (i % 1000 == 0) wal_flush(wal);
    }
    wal_close(wal);
    wal = open_log(&options, &resume);
    assert_int_equal(wal_prepared_list(wal, list, 2), 1);
    assert_slice(slice_of(list[0].xid.bytes + XID_HEAD, 4), "open");
    wal_close(wal);
    table_free(table);
}

/* A slow disk: the ends of many are not durable yet. */
static void what_was_ended_takes_no_place(void **state)
{
    struct prepared all = {0};
    struct wal_prepared what = {.lsn = 1};
    char name[16];
    (void)state;
    for (unsigned i = 0; i < PREPARED_MAX + 100; i++) {
        snprintf(name, sizeof name, "d%u", i % 100);
        what.xid = xid_of(name);
        assert_true(prepared_put(&all, &what));
        prepared_done(&all, &what.xid, i + 1);
    }
    assert_int_equal(prepared_oldest(&all, 5), 1);
    assert_false(prepared_full(&all));
    assert_int_equal(prepared_open(&all), 0);
    prepared_prune(&all, UINT64_MAX);
    assert_int_equal(all.count, 0);
    for (unsigned i = 0; i < PREPARED_MAX; i++) {
        snprintf(name, sizeof name, "o%u", i);
        what.xid = xid_of(name);
        assert_true(prepared_put(&all, &what));
    }
    assert_true(prepared_full(&all));
    assert_true(prepared_put(&all, &what)); /* the same again */
    what.xid = xid_of("one more");
    assert_false(prepared_put(&all, &what));
    prepared_fini(&all);
}

static void names_of_any_bytes(void **state)
{
    struct xid xid, other;
    char text[XID_TEXT_MAX];
    uint8_t part[XID_PART_MAX + 1];
    (void)state;
    memset(part, 0xff, sizeof part);
    assert_true(xid_set(&xid, UINT32_MAX, slice_of(part, 64), slice_of(part, 64)));
    xid_format(&xid, text);
    assert_int_equal(strlen(text), 2 + 128 + 2 + 2 + 128 + 2 + 10);
    assert_true(xid_take(&other, xid_bytes(&xid)));
    assert_true(slice_equal(xid_bytes(&xid), xid_bytes(&other)));
    assert_false(xid_set(&xid, 1, slice_of(part, 65), slice_of(part, 0)));
    assert_false(xid_take(&xid, slice_of(xid.bytes, 5)));
    assert_false(xid_take(&xid, slice_of(other.bytes, other.size - 1u)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_wait, setup, teardown), cmocka_unit_test_setup_teardown(which_wait_survives, setup, teardown),
        cmocka_unit_test_setup_teardown(an_empty_segment_says_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(retention_keeps_them, setup, teardown), cmocka_unit_test_setup_teardown(many_that_ended, setup, teardown),
        cmocka_unit_test(what_was_ended_takes_no_place), cmocka_unit_test(names_of_any_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
