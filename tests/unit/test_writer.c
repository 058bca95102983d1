/* The log's writer and reader together: what is appended comes back, whole transactions only, in order. */
#include "state.h"
#include "wal_unit.h"

static char dir[64];
static int setup(void **state) { (void)state; unit_dir(dir); return 0; }
static int teardown(void **state) { (void)state; unit_dir_remove(dir); return 0; }

static struct wal *open_log(struct wal_options *options, struct wal_resume *resume)
{
    struct wal *wal = NULL;
    ok(wal_open(options, NULL, &wal, resume, &failure));
    return wal;
}

static void expect_transaction(struct wal_reader *reader, uint64_t seq, unsigned rows)
{
    struct change c;
    struct err err = {0};
    uint8_t image[17];
    assert_int_equal(wal_reader_next(reader, 1000, &c, &err), WAL_READ_CHANGE);
    assert_int_equal(c.kind, CHANGE_BEGIN);
    assert_int_equal(c.gtid.seq, seq);
    for (unsigned i = 0; i < rows; i++) {
        assert_int_equal(wal_reader_next(reader, 1000, &c, &err), WAL_READ_CHANGE);
        assert_int_equal(c.kind, CHANGE_INSERT);
        assert_slice(c.table->database, "shop");
        unit_image(image, seq * 1000 + i);
        assert_true(slice_equal(c.after.image, slice_of(image, sizeof image)));
        assert_int_equal(c.timestamp, 1700000000 + seq);
    }
    assert_int_equal(wal_reader_next(reader, 1000, &c, &err), WAL_READ_CHANGE);
    assert_int_equal(c.kind, CHANGE_COMMIT);
    assert_int_equal(c.commit->rows, rows);
    assert_int_equal(c.commit->crc, (uint32_t)(seq * 3));
    assert_int_equal(c.commit->previous.seq, seq - 1);
    assert_string_equal(c.commit->pos.file, "bin.000001");
}

static void transactions_come_back(void **state)
{
    struct wal_options options = unit_options(dir);
    struct wal_resume resume;
    struct wal *wal = open_log(&options, &resume);
    struct table *one = unit_table(1), *two = unit_table(2);
    struct wal_reader *reader;
    (void)state;
    assert_true(resume.empty);
    wal_start(wal);
    ok(wal_reader_open(wal, 1, &reader, &failure));
    for (uint64_t seq = 1; seq <= 50; seq++) unit_transaction(wal, seq % 2 ? one : two, seq, (unsigned)seq % 5);
    wal_flush(wal);
    for (uint64_t seq = 1; seq <= 50; seq++) expect_transaction(reader, seq, (unsigned)seq % 5);
    struct change c;
    struct err err;
    assert_int_equal(wal_reader_next(reader, 1, &c, &err), WAL_READ_TIMEOUT);
    wal_reader_close(reader);
    wal_close(wal);
    wal = open_log(&options, &resume);
    assert_false(resume.empty);
    assert_int_equal(resume.gtid.seq, 50);
    assert_int_equal(resume.previous.seq, 49);
    assert_int_equal(resume.crc, 150);
    assert_int_equal(resume.pos.offset, 5099);
    assert_int_equal(resume.pos.gtids.items[0].seq, 50);
    uint64_t last = resume.last_lsn;
    assert_true(unit_transaction(wal, one, 51, 1) == last + 4); /* table, begin, row, commit */
    wal_close(wal);
    ok(wal_reader_open_dir(dir, last + 1, &reader, &failure));
    expect_transaction(reader, 51, 1);
    assert_int_equal(wal_reader_next(reader, 0, &c, &err), WAL_READ_END);
    wal_reader_close(reader);
    table_free(one);
    table_free(two);
}

/* A table is freed and another one, of the same number, comes to stand where it stood: as after a reconnect, when capture numbers
   its tables from 1 again. Its rows must not be written under the other's definition. */
static void an_address_is_no_identity(void **state)
{
    struct wal_options options = unit_options(dir);
    struct wal_resume resume;
    struct wal *wal = open_log(&options, &resume);
    struct table *one = unit_table(1), *two = unit_text_table(1);
    struct table here = *one;
    struct wal_reader *reader;
    struct change c;
    struct err err;
    (void)state;
    ok(wal_reader_open(wal, 1, &reader, &failure));
    unit_transaction(wal, &here, 1, 1);
    here = *two;
    unit_begin(wal, 2);
    const uint8_t null = 1;
    struct change row = {.kind = CHANGE_INSERT, .timestamp = 1700000002, .table = &here, .after = {.image = slice_of(&null, 1)}};
    ok(wal_append(wal, &row, NULL, &failure));
    unit_commit(wal, 2, 1);
    wal_flush(wal);
    expect_transaction(reader, 1, 1);
    assert_int_equal(wal_reader_next(reader, 1000, &c, &err), WAL_READ_CHANGE);
    assert_int_equal(wal_reader_next(reader, 1000, &c, &err), WAL_READ_CHANGE);
    assert_int_equal(c.kind, CHANGE_INSERT);
    assert_slice(c.table->name, "big");
    wal_reader_close(reader);
    wal_close(wal);
    table_free(one);
    table_free(two);
}

/* Transactions larger than a block, aborted ones among them, and segments that change all the time. */
static void blocks_and_segments_change_under_it(void **state)
{
    struct wal_options options = unit_options(dir);
    struct wal_resume resume;
    (void)state;
    options.segment_bytes = 16 << 10;
    options.block_bytes = 1 << 10;
    struct wal *wal = open_log(&options, &resume);
    struct table *table = unit_table(7);
    struct wal_reader *reader;
    ok(wal_reader_open(wal, 1, &reader, &failure));
    for (uint64_t seq = 1; seq <= 400; seq++) {
        if (seq % 3 == 0) {
            unit_begin(wal, seq);
            for (unsigned i = 0; i < seq; i++) unit_insert(wal, table, seq, i);
            unit_abort(wal);
        }
        unit_transaction(wal, table, seq, (unsigned)(seq % 7 ? seq % 7 : seq));
        if (seq % 11 == 0) wal_flush(wal);
    }
    wal_flush(wal);
    struct wal_status status;
    wal_status(wal, &status);
    assert_true(status.segments > 5);
    assert_int_equal(status.points.written, status.points.durable);
    assert_int_equal(status.points.transactions_durable, 400);
    for (uint64_t seq = 1; seq <= 400; seq++) expect_transaction(reader, seq, (unsigned)(seq % 7 ? seq % 7 : seq));
    assert_int_equal(wal_reader_behind(reader), 0);
    wal_reader_close(reader);
    wal_close(wal);
    ok(wal_reader_open_dir(dir, 0, &reader, &failure));
    for (uint64_t seq = 1; seq <= 400; seq++) expect_transaction(reader, seq, (unsigned)(seq % 7 ? seq % 7 : seq));
    wal_reader_close(reader);
    table_free(table);
}

/* Nothing of a transaction is lent before its commit is written. */
static void a_half_transaction_is_not_seen(void **state)
{
    struct wal_options options = unit_options(dir);
    struct wal_resume resume;
    struct wal_reader *reader, *other;
    struct change c;
    struct err err;
    (void)state;
    options.block_bytes = 512;
    struct wal *wal = open_log(&options, &resume);
    struct table *table = unit_table(1);
    unit_transaction(wal, table, 1, 2);
    unit_begin(wal, 2);
    for (unsigned i = 0; i < 500; i++) unit_insert(wal, table, 2, 2000 + i);
    wal_flush(wal);
    ok(wal_reader_open(wal, 1, &reader, &failure));
    ok(wal_reader_open_dir(dir, 1, &other, &failure));
    expect_transaction(reader, 1, 2);
    expect_transaction(other, 1, 2);
    assert_int_equal(wal_reader_next(reader, 0, &c, &err), WAL_READ_TIMEOUT);
    assert_int_equal(wal_reader_next(other, 0, &c, &err), WAL_READ_END);
    unit_commit(wal, 2, 500);
    wal_flush(wal);
    expect_transaction(reader, 2, 500);
    expect_transaction(other, 2, 500);
    wal_reader_close(reader);
    wal_reader_close(other);
    unit_begin(wal, 3); /* cut at stop */
    for (unsigned i = 0; i < 500; i++) unit_insert(wal, table, 3, i);
    wal_close(wal);
    wal = open_log(&options, &resume);
    assert_int_equal(resume.gtid.seq, 2);
    wal_close(wal);
    table_free(table);
}

/* Every field of every kind of record. */
static void all_fields_come_back(void **state)
{
    struct wal_options options = unit_options(dir);
    struct wal_resume resume;
    struct wal_reader *reader;
    struct change c;
    struct err err;
    (void)state;
    struct wal *wal = open_log(&options, &resume);
    struct table *table = unit_table(300);
    struct statement s = {.kind = STATEMENT_ALTER_TABLE, .own_commit = true, .timestamp = 11, .microseconds = 12, .thread_id = 13,
        .error_code = 14, .context = 0x1fff, .flags2 = 0x80000000u, .sql_mode = UINT64_MAX, .charset_client = 33,
        .collation_connection = 45, .collation_server = 8, .charset_database = 63, .lc_time_names = 5,
        .auto_increment_increment = 2, .auto_increment_offset = 1, .insert_id = 77, .last_insert_id = 78, .rand_seed1 = 79,
        .rand_seed2 = 80, .time_zone = slice_text("SYSTEM"), .user_vars = slice_text("uv"), .collations = slice_text("co"),
        .database = slice_text("shop"), .text = slice_text("ALTER TABLE t ADD x INT"), .tables = slice_text("tt"),
        .flavour = slice_text("")};
    uint8_t before[17], after[9] = {0};
    static const uint8_t bits[1] = {0x03};
    unit_image(before, 5);
    struct change begin = {.kind = CHANGE_BEGIN, .gtid = {.domain = 3, .server = 4, .seq = 5}, .timestamp = 99, .server_id = 6, .is_ddl = true,
                           .file = slice_text("f"), .offset = UINT64_C(1) << 40};
    struct change update = {.kind = CHANGE_UPDATE, .timestamp = 98, .row_flags = ROW_NO_FOREIGN_KEY_CHECKS, .table = table,
                            .before = {.image = slice_of(before, 17)}, .after = {slice_of(bits, 1), slice_of(after, 9)}};
    struct change del = {.kind = CHANGE_DELETE, .timestamp = 99, .table = table,
                         .before = {slice_of(bits, 1), slice_of(after, 9)}};
    struct change statement = {.kind = CHANGE_STATEMENT, .timestamp = 97, .statement = &s};
    ok(wal_append(wal, &begin, NULL, &failure));
    ok(wal_append(wal, &update, NULL, &failure));
    ok(wal_append(wal, &del, NULL, &failure));
    ok(wal_append(wal, &statement, NULL, &failure));
    unit_commit(wal, 5, 3);
    struct commit beat = unit_commit_of(6, 0);
    struct change heartbeat = {.kind = CHANGE_HEARTBEAT, .timestamp = 100, .commit = &beat};
    ok(wal_append(wal, &heartbeat, NULL, &failure));
    wal_flush(wal);
    ok(wal_reader_open(wal, 1, &reader, &failure));
    wal_reader_heartbeats(reader, true);
    assert_int_equal(wal_reader_next(reader, 0, &c, &err), WAL_READ_CHANGE);
    assert_true(c.is_ddl && c.gtid.domain == 3 && c.gtid.server == 4 && c.server_id == 6 && c.offset == UINT64_C(1) << 40);
    assert_slice(c.file, "f");
    assert_int_equal(wal_reader_next(reader, 0, &c, &err), WAL_READ_CHANGE);
    assert_int_equal(c.kind, CHANGE_UPDATE);
    assert_int_equal(c.timestamp, 98);
    assert_int_equal(c.row_flags, ROW_NO_FOREIGN_KEY_CHECKS);
    assert_int_equal(c.before.present.size, 0);
    assert_true(slice_equal(c.before.image, update.before.image) && slice_equal(c.after.image, update.after.image));
    assert_true(slice_equal(c.after.present, update.after.present));
    assert_true(slice_equal(c.table->encoded, table->encoded));
    assert_int_equal(wal_reader_next(reader, 0, &c, &err), WAL_READ_CHANGE);
    assert_int_equal(c.kind, CHANGE_DELETE);
    assert_int_equal(c.row_flags, 0);
    assert_true(slice_equal(c.before.present, del.before.present) && slice_equal(c.before.image, del.before.image));
    assert_int_equal(wal_reader_next(reader, 0, &c, &err), WAL_READ_CHANGE);
    const struct statement *t = c.statement;
    assert_int_equal(c.timestamp, 97);
    assert_true(t->kind == s.kind && t->own_commit && t->timestamp == 11 && t->microseconds == 12 && t->thread_id == 13);
    assert_true(t->error_code == 14 && t->context == 0x1fff && t->flags2 == 0x80000000u && t->sql_mode == UINT64_MAX);
    assert_true(t->charset_client == 33 && t->collation_connection == 45 && t->collation_server == 8);
    assert_true(t->charset_database == 63 && t->lc_time_names == 5 && t->auto_increment_increment == 2);
    assert_true(t->auto_increment_offset == 1 && t->insert_id == 77 && t->last_insert_id == 78);
    assert_true(t->rand_seed1 == 79 && t->rand_seed2 == 80);
    assert_slice(t->time_zone, "SYSTEM");
    assert_slice(t->user_vars, "uv");
    assert_slice(t->collations, "co");
    assert_slice(t->database, "shop");
    assert_slice(t->text, "ALTER TABLE t ADD x INT");
    assert_slice(t->tables, "tt");
    assert_int_equal(wal_reader_next(reader, 0, &c, &err), WAL_READ_CHANGE);
    assert_int_equal(c.kind, CHANGE_COMMIT);
    assert_int_equal(wal_reader_next(reader, 0, &c, &err), WAL_READ_CHANGE);
    assert_int_equal(c.kind, CHANGE_HEARTBEAT);
    assert_int_equal(c.commit->pos.offset, 699);
    wal_reader_close(reader);
    wal_close(wal);
    wal = open_log(&options, &resume);
    assert_int_equal(resume.gtid.seq, 5);
    assert_int_equal(resume.pos.offset, 699); /* the heartbeat's */
    wal_close(wal);
    table_free(table);
}

static void a_row_larger_than_a_block_passes(void **state)
{
    struct wal_options options = unit_options(dir);
    struct wal_resume resume;
    struct wal_reader *reader;
    struct change c;
    struct err err;
    (void)state;
    struct wal *wal = open_log(&options, &resume);
    struct table *table = unit_text_table(1);
    uint32_t size = 5000000;
    uint8_t *image = malloc(size + 5);
    image[0] = 0;
    memcpy(image + 1, &size, 4);
    for (uint32_t i = 0; i < size; i++) image[5 + i] = (uint8_t)(i * i >> 7);
    wal_start(wal);
    unit_begin(wal, 1);
    struct change row = {.kind = CHANGE_INSERT, .table = table, .after = {.image = slice_of(image, size + 5)}};
    for (int i = 0; i < 4; i++) ok(wal_append(wal, &row, NULL, &failure));
    uint64_t lsn = unit_commit(wal, 1, 4);
    wal_flush(wal);
    assert_true(wal_wait(wal, WAL_DURABLE, lsn, 10000));
    ok(wal_reader_open(wal, 0, &reader, &failure));
    assert_int_equal(wal_reader_next(reader, 0, &c, &err), WAL_READ_CHANGE);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(wal_reader_next(reader, 0, &c, &err), WAL_READ_CHANGE);
        assert_true(slice_equal(c.after.image, row.after.image));
    }
    wal_reader_close(reader);
    wal_close(wal);
    free(image);
    table_free(table);
}

static void a_reader_starts_anywhere(void **state)
{
    struct wal_options options = unit_options(dir);
    struct wal_resume resume;
    struct wal_reader *reader;
    (void)state;
    options.block_bytes = 256;
    options.segment_bytes = 8 << 10;
    struct wal *wal = open_log(&options, &resume);
    struct table *table = unit_table(1);
    uint64_t commits[101] = {0};
    for (uint64_t seq = 1; seq <= 100; seq++) commits[seq] = unit_transaction(wal, table, seq, (unsigned)seq % 13);
    wal_flush(wal);
    for (uint64_t lsn = 0; lsn <= commits[99]; lsn++) {
        uint64_t seq = 1;
        /* the first whose BEGIN (commit of the one before + 1) is at or after lsn */
        while (commits[seq - 1] + 1 < lsn) seq++;
        ok(wal_reader_open(wal, lsn, &reader, &failure));
        expect_transaction(reader, seq, (unsigned)seq % 13);
        wal_reader_close(reader);
    }
    wal_close(wal);
    table_free(table);
}

static int slow_sync(void *state, int handle)
{
    (void)state;
    (void)handle;
    clock_sleep_ms(200);
    return 0;
}

/* A slow disk holds capture back; it does not make the queue grow. */
static void a_slow_disk_bounds_the_queue(void **state)
{
    struct wal_options options = unit_options(dir);
    struct file_system slow = *file_system_real();
    struct wal_resume resume;
    size_t most = 0;
    (void)state;
    slow.sync = slow_sync;
    options.files = &slow;
    options.segment_bytes = 64 << 20;
    struct wal *wal = open_log(&options, &resume);
    struct table *table = unit_table(1);
    wal_start(wal);
    for (uint64_t seq = 1; seq <= 20000; seq++) {
        unit_transaction(wal, table, seq, 50);
        pthread_mutex_lock(&wal->lock);
        if (wal->queued > most) most = wal->queued;
        pthread_mutex_unlock(&wal->lock);
    }
    assert_in_range(most, 1 << 20, WAL_QUEUE_BYTES + (1 << 20));
    assert_int_equal(wal->segment_count, 1); /* and the size of a segment is judged right */
    wal_close(wal);
    wal = open_log(&options, &resume);
    assert_int_equal(resume.gtid.seq, 20000);
    wal_close(wal);
    table_free(table);
}

/* Sinks open their readers before capture knows where the log begins. */
static void a_start_set_late_is_no_damage(void **state)
{
    struct wal_options options = unit_options(dir);
    struct wal_resume resume;
    struct wal *wal = open_log(&options, &resume);
    struct table *table = unit_table(1);
    struct source_pos start = {.offset = 4, .file = "bin.000007"};
    struct wal_reader *reader;
    struct change c;
    struct err err;
    (void)state;
    wal_start(wal);
    ok(wal_reader_open(wal, 1, &reader, &failure));
    assert_int_equal(wal_reader_next(reader, 1, &c, &err), WAL_READ_TIMEOUT);
    ok(wal_set_start(wal, &start, &failure));
    unit_transaction(wal, table, 1, 3);
    wal_flush(wal);
    expect_transaction(reader, 1, 3);
    wal_reader_close(reader);
    wal_close(wal);
    table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(transactions_come_back, setup, teardown),
        cmocka_unit_test_setup_teardown(an_address_is_no_identity, setup, teardown),
        cmocka_unit_test_setup_teardown(blocks_and_segments_change_under_it, setup, teardown),
        cmocka_unit_test_setup_teardown(a_half_transaction_is_not_seen, setup, teardown),
        cmocka_unit_test_setup_teardown(all_fields_come_back, setup, teardown),
        cmocka_unit_test_setup_teardown(a_row_larger_than_a_block_passes, setup, teardown),
        cmocka_unit_test_setup_teardown(a_reader_starts_anywhere, setup, teardown),
        cmocka_unit_test_setup_teardown(a_start_set_late_is_no_damage, setup, teardown),
        cmocka_unit_test_setup_teardown(a_slow_disk_bounds_the_queue, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
