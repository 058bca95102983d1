/* test_rows.c: rows events into images: heads, bitmaps, both layouts, compression, ends. */
#include "event_unit.h"

#include "rows.h"
#include "table.h"

struct fixture { struct maker maker; struct event_format format; struct table *table; struct unpack *unpack; struct layout *layout; struct err err; };

/* t (a INT, b VARCHAR(20), c SMALLINT) */
static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct column columns[3] = {{.kind = COLUMN_INT, .width = 4}, {.kind = COLUMN_VARCHAR, .width = 1, .max_bytes = 20, .collation = 45},
                                {.kind = COLUMN_INT, .width = 2}};
    struct table draft = {.database = slice_text("g"), .name = slice_text("t"), .column_count = 3, .columns = columns};
    const char *reason;
    f->maker = maker_new();
    f->format = event_format_default(true, true);
    f->table = table_new(&draft, 1, &reason);
    f->unpack = unpack_new();
    f->layout = layout_new();
    assert_non_null(f->table);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    buf_fini(&f->maker.out);
    table_free(f->table);
    unpack_free(f->unpack);
    layout_free(f->layout);
    free(f);
    return 0;
}

static bool open_rows(struct fixture *f, uint8_t type, const char *body, struct rows *rows)
{
    struct event event;
    struct rows_head head;
    assert_true(event_decode(maker_event(&f->maker, type, unit_hex(body)), &f->format, true, &event, &f->err));
    return rows_head(&event, &f->format, &head, &f->err) && rows_open(&head, f->table, f->unpack, f->layout, rows, &f->err);
}

static void assert_hex(struct slice s, const char *hex)
{
    struct slice expected = unit_hex(hex);
    assert_int_equal(s.size, expected.size);
    assert_memory_equal(s.data, expected.data, s.size);
}

static void test_insert(void **state)
{
    struct fixture *f = *state;
    struct rows rows;
    struct change change;
    assert_true(open_rows(f, EVENT_WRITE_ROWS_V1, "120000000000 8100 03 ff f8 01000000 0161 0200 fb 0300", &rows));
    assert_int_equal(rows.kind, CHANGE_INSERT);
    assert_int_equal(rows.flags, ROW_NO_CHECK_CONSTRAINT);
    assert_int_equal(rows.present[0].size, 0); /* all columns, whatever the unused bits say */
    assert_true(rows_next(&rows, &change, &f->err));
    assert_hex(change.after.image, "f8 01000000 0161 0200");
    assert_true(rows_next(&rows, &change, &f->err)); /* a and b are NULL */
    assert_hex(change.after.image, "fb 0300");
    assert_false(rows_next(&rows, &change, &f->err) || rows.in.failed);
}

static void test_update(void **state)
{
    struct fixture *f = *state;
    struct rows rows;
    struct change change;
    assert_true(open_rows(f, EVENT_UPDATE_ROWS, "120000000000 0100 0500 000102 03 01 06 fe 07000000 fc 0162 0900", &rows));
    assert_int_equal(rows.kind, CHANGE_UPDATE);
    assert_true(rows_next(&rows, &change, &f->err));
    assert_true(row_has(&change.before, 0) && !row_has(&change.before, 1));
    assert_true(!row_has(&change.after, 0) && row_has(&change.after, 2));
    assert_hex(change.before.image, "fe 07000000");
    assert_hex(change.after.image, "fc 0162 0900");
    assert_false(rows_next(&rows, &change, &f->err));
    assert_false(rows.in.failed);
}

static void test_delete_all_null(void **state)
{
    struct fixture *f = *state;
    struct rows rows;
    struct change change;
    assert_true(open_rows(f, EVENT_DELETE_ROWS_V1, "120000000000 0000 03 07 ff ff", &rows));
    assert_true(rows_next(&rows, &change, &f->err) && rows_next(&rows, &change, &f->err));
    assert_hex(change.before.image, "ff");
    assert_false(rows_next(&rows, &change, &f->err) || rows.in.failed);
}

static void test_compressed(void **state)
{
    struct fixture *f = *state;
    struct rows rows;
    struct change change;
    uint8_t body[200] = {0x12, 0, 0, 0, 0, 0, 0, 0, 3, 0xff, 0x81, 9};
    uLongf room = 100;
    struct slice plain = unit_hex("f8 01000000 0161 0200");
    compress(body + 12, &room, plain.data, plain.size);
    struct slice raw = maker_event(&f->maker, EVENT_WRITE_ROWS_COMPRESSED_V1, slice_of(body, 12 + room));
    struct event event;
    struct rows_head head;
    assert_true(event_decode(raw, &f->format, true, &event, &f->err));
    assert_true(rows_head(&event, &f->format, &head, &f->err) && rows_open(&head, f->table, f->unpack, f->layout, &rows, &f->err));
    assert_true(rows_next(&rows, &change, &f->err));
    assert_hex(change.after.image, "f8 01000000 0161 0200");
    assert_false(rows_next(&rows, &change, &f->err) || rows.in.failed);
}

static void test_bad(void **state)
{
    static const char *const bodies[] = {"", "1200000000", "120000000000 00", "120000000000 0000", "120000000000 0000 04 0f 00",
                                         "120000000000 0000 03", "120000000000 0000 fd0300", "120000000000 0000 ff"};
    struct fixture *f = *state;
    struct rows rows;
    struct change change;
    for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
        assert_false(open_rows(f, EVENT_WRITE_ROWS_V1, bodies[i], &rows));
        assert_int_equal(f->err.code, ERR_CORRUPT);
    }
    assert_false(open_rows(f, EVENT_WRITE_ROWS, "120000000000 0000 0100 03 07", &rows)); /* extra data shorter than its own length */
    assert_false(open_rows(f, EVENT_UPDATE_ROWS_V1, "120000000000 0000 03 07", &rows));
    assert_true(open_rows(f, EVENT_WRITE_ROWS_V1, "120000000000 0000 03 07 f8 01000000 ff61 0200", &rows));
    assert_false(rows_next(&rows, &change, &f->err));
    assert_true(rows.in.failed);
    assert_true(open_rows(f, EVENT_WRITE_ROWS_V1, "120000000000 0000 03 07 f8 01000000 15", &rows)); /* 21 of VARCHAR(20) */
    assert_false(rows_next(&rows, &change, &f->err));
}

/* Under MINIMAL an INSERT of defaults alone has no columns and no bytes; any other image without bytes would never end. */
static void test_no_columns(void **state)
{
    struct fixture *f = *state;
    struct rows rows;
    struct change change;
    assert_true(open_rows(f, EVENT_WRITE_ROWS_V1, "120000000000 0000 03 00", &rows));
    assert_true(rows_next(&rows, &change, &f->err));
    assert_int_equal(change.after.image.size, 0);
    assert_int_equal(row_present_count(f->table, change.after.present), 0);
    assert_false(rows_next(&rows, &change, &f->err));
    assert_false(rows.in.failed);
    assert_true(open_rows(f, EVENT_WRITE_ROWS_V1, "120000000000 0000 03 00 00", &rows));
    assert_false(rows_next(&rows, &change, &f->err));
    assert_true(rows.in.failed);
    assert_true(open_rows(f, EVENT_DELETE_ROWS_V1, "120000000000 0000 03 00", &rows));
    assert_false(rows_next(&rows, &change, &f->err));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_insert, setup, teardown), cmocka_unit_test_setup_teardown(test_update, setup, teardown),
        cmocka_unit_test_setup_teardown(test_delete_all_null, setup, teardown), cmocka_unit_test_setup_teardown(test_compressed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad, setup, teardown), cmocka_unit_test_setup_teardown(test_no_columns, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
