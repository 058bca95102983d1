/*
 * test_layout.c: values that a source lays out in its own way: MariaDB's temporal types from before 10.1, whose fraction no metadata has
 * (vectors of 10.11), its compressed columns, MySQL's JSON and the diffs of it, whose bits count all JSON columns of the table.
 */
#include "unit.h"

#include "layout.h"
#include "value.h"

struct fixture { struct layout *layout; struct arena arena; struct err err; };

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    f->layout = layout_new();
    arena_init(&f->arena);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    layout_free(f->layout);
    arena_fini(&f->arena);
    free(f);
    return 0;
}

static struct table *table_of(struct column *columns, uint32_t count)
{
    struct table draft = {.database = slice_text("g"), .name = slice_text("t"), .column_count = count, .columns = columns};
    const char *reason;
    struct table *table = table_new(&draft, 1, &reason);
    assert_non_null(table);
    assert_true(table->foreign);
    return table;
}

/* The one column's value, NULL: refused. */
static const char *only(struct fixture *f, struct column column, const char *hex)
{
    static char text[VALUE_TEXT_MAX];
    struct table *table = table_of(&column, 1);
    struct value value;
    struct buf image;
    buf_init(&image, 10000);
    buf_u8(&image, 0xfe);
    buf_slice(&image, unit_hex(hex));
    struct cursor in = cursor_of(buf_bytes(&image));
    err_clear(&f->err);
    struct row row = {.image = layout_take(f->layout, table, (struct slice){NULL, 0}, 0, &in, &f->err)};
    bool good = !in.failed;
    if (good) {
        assert_int_equal(cursor_left(&in), 0);
        assert_true(row_values(table, &row, &value) && value.state == VALUE_PRESENT);
        struct cursor again = cursor_of(row.image); /* what enters the log passes what the log's reader asks */
        row_take(table, row.present, &again);
        assert_true(!again.failed && !cursor_left(&again));
        if (column_has_prefix(column.kind)) snprintf(text, sizeof text, "%.*s", SLICE_ARG(value.bytes));
        else value_text(&table->columns[0], value.bytes, text);
    }
    buf_fini(&image);
    table_free(table);
    return good ? text : NULL;
}

static void test_old_temporals(void **state)
{
    static const struct { enum column_kind kind; enum column_layout layout; uint8_t scale; const char *hex, *text; } cases[] = {
        {COLUMN_TIME, LAYOUT_OLD_TIME, 0, "c01dfe", "-12:34:56"}, {COLUMN_TIME, LAYOUT_OLD_TIME, 0, "40e201", "12:34:56"},
        {COLUMN_TIME, LAYOUT_OLD_TIME, 0, "000000", "00:00:00"}, {COLUMN_TIME, LAYOUT_OLD_TIME, 0, "a7f57f", "838:59:59"},
        {COLUMN_TIME, LAYOUT_OLD_TIME, 3, "00b15478eb", "-12:34:56.789"}, {COLUMN_TIME, LAYOUT_OLD_TIME, 6, "02c9c9c4a283", "12:34:56.789123"},
        {COLUMN_DATETIME, LAYOUT_OLD_DATETIME, 0, "f77cac8b68120000", "2024-02-29 23:59:59"}, {COLUMN_DATETIME, LAYOUT_OLD_DATETIME, 0, "0000000000000000", "0000-00-00 00:00:00"},
        {COLUMN_DATETIME, LAYOUT_OLD_DATETIME, 1, "00a965ae41f7", "2024-02-29 23:59:59.1"}, {COLUMN_DATETIME, LAYOUT_OLD_DATETIME, 3, "00422bb811c493", "2024-02-29 23:59:59.123"},
        {COLUMN_DATETIME, LAYOUT_OLD_DATETIME, 6, "01027ac70567e000", "2024-02-29 23:59:59.123456"},
        {COLUMN_TIMESTAMP, LAYOUT_OLD_TIMESTAMP, 0, "7f1ae165", "2024-02-29 23:59:59"}, {COLUMN_TIMESTAMP, LAYOUT_OLD_TIMESTAMP, 1, "65e11a7f01", "2024-02-29 23:59:59.1"},
        {COLUMN_TIMESTAMP, LAYOUT_OLD_TIMESTAMP, 2, "7fffffff63", "2038-01-19 03:14:07.99"},
        {COLUMN_TIMESTAMP, LAYOUT_OLD_TIMESTAMP, 4, "7fffffff270f", "2038-01-19 03:14:07.9999"}, {COLUMN_TIMESTAMP, LAYOUT_OLD_TIMESTAMP, 5, "7fffffff01869f", "2038-01-19 03:14:07.99999"},
        {COLUMN_TIMESTAMP, LAYOUT_OLD_TIMESTAMP, 3, "65e11a7f007b", "2024-02-29 23:59:59.123"}, {COLUMN_TIMESTAMP, LAYOUT_OLD_TIMESTAMP, 6, "65e11a7f01e240", "2024-02-29 23:59:59.123456"},
        {COLUMN_TIMESTAMP, LAYOUT_OLD_TIMESTAMP, 0, "00000000", "0000-00-00 00:00:00"},
        /* minutes of 60, months of 13, hours of 24, a fraction of 10^fsp, a byte too few */
        {COLUMN_TIME, LAYOUT_OLD_TIME, 0, "70 17 00", NULL}, {COLUMN_TIME, LAYOUT_OLD_TIME, 0, "ffff7f", NULL}, {COLUMN_DATETIME, LAYOUT_OLD_DATETIME, 0, "ffffffffffffffff", NULL},
        {COLUMN_DATETIME, LAYOUT_OLD_DATETIME, 0, "00e1f50500000000 ", "0000-01-00 00:00:00"}, {COLUMN_DATETIME, LAYOUT_OLD_DATETIME, 0, "006d7c4d00000000", NULL},
        {COLUMN_TIMESTAMP, LAYOUT_OLD_TIMESTAMP, 1, "65e11a7f0a", NULL}, {COLUMN_TIMESTAMP, LAYOUT_OLD_TIMESTAMP, 6, "65e11a7f01e2", NULL},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct column column = {.kind = cases[i].kind, .layout = cases[i].layout, .scale = cases[i].scale};
        const char *text = only(f, column, cases[i].hex);
        if (!cases[i].text != !text || (text && strcmp(text, cases[i].text)))
            fail_msg("%s with %u digits is %s", cases[i].hex, cases[i].scale, text ? text : "refused");
    }
}

static void test_compressed(void **state)
{
    struct fixture *f = *state;
    struct column varchar = {.kind = COLUMN_VARCHAR, .layout = LAYOUT_COMPRESSED, .max_bytes = 100, .width = 1, .collation = 45};
    struct column wide = {.kind = COLUMN_VARCHAR, .layout = LAYOUT_COMPRESSED, .max_bytes = 255, .width = 1, .collation = 45};
    struct column blob = {.kind = COLUMN_BLOB, .layout = LAYOUT_COMPRESSED, .max_bytes = 65535, .width = 2};
    char expected[VALUE_TEXT_MAX];
    assert_string_equal(only(f, varchar, "00"), "");
    assert_string_equal(only(f, varchar, "04 00 616263"), "abc");
    assert_string_equal(only(f, wide, "0400 00 616263"), "abc"); /* one more than 255: two bytes of length there, one here */
    memset(expected, 'b', sizeof expected - 1);
    expected[sizeof expected - 1] = 0;
    assert_string_equal(only(f, blob, "0b00 8a01f4 4b4a1a05230d0000"), expected);
    memset(expected, 'z', sizeof expected - 1);
    assert_string_equal(only(f, blob, "1000 82012c 789cabaa1a05c4020012e48ef9"), expected);
    assert_null(only(f, blob, "0b00 8a01f5 4b4a1a05230d0000"));
    assert_null(only(f, blob, "0b00 9a01f4 4b4a1a05230d0000")); /* a method that is not zlib */
    assert_int_equal(f->err.code, ERR_UNSUPPORTED);
    assert_null(only(f, varchar, "0b 8a01f4 4b4a1a05230d0000")); /* 500 bytes in VARCHAR(100) */
}

#define ABC "00 0300 2f00 1900 0100 1a00 0100 1b00 0200 050100 001d00 0c2d00 61 63 6262 0100 1000 0b00 0100 020c00 64 0000 0400 0178"

/* t (id INT, a JSON, b JSON, c JSON) */
static struct table *documents(void)
{
    struct column columns[4] = {{.kind = COLUMN_INT, .width = 4}};
    for (int i = 1; i < 4; i++) columns[i] = (struct column){.kind = COLUMN_JSON, .layout = LAYOUT_JSONB, .width = 4, .collation = 46, .nullable = true, .max_bytes = UINT32_MAX};
    return table_of(columns, 4);
}

static bool take(struct fixture *f, const struct table *table, const char *present, int which, const char *hex, struct value values[4])
{
    struct cursor in = cursor_of(unit_hex(hex));
    struct row row = {.present = arena_copy(&f->arena, unit_hex(present))};
    err_clear(&f->err);
    row.image = layout_take(f->layout, table, row.present, which, &in, &f->err);
    if (in.failed) return false;
    assert_int_equal(cursor_left(&in), 0);
    assert_true(row_values(table, &row, values));
    return true;
}

static void test_json(void **state)
{
    struct fixture *f = *state;
    struct table *table = documents();
    struct value values[4];
    assert_true(take(f, table, "", 0, "f4 01000000 30000000 " ABC " 00000000", values));
    assert_slice(values[1].bytes, "{\"a\": 1, \"c\": {\"d\": []}, \"bb\": \"x\"}");
    assert_int_equal(values[2].state, VALUE_NULL);
    assert_slice(values[3].bytes, "null");
    assert_false(take(f, table, "", 0, "f4 01000000 02000000 0d00 00000000", values));
    assert_int_equal(f->err.code, ERR_UNSUPPORTED);
    assert_false(take(f, table, "", 0, "f4 01000000 02000000 04", values));
    table_free(table);
}

/* The after image is MINIMAL: id and b; bit 1 is b's, although b is the only JSON column in it. */
static void test_diffs(void **state)
{
    struct fixture *f = *state;
    struct table *table = documents();
    struct value values[4];
    assert_true(take(f, table, "", 0, "f2 01000000 30000000 " ABC " 02000000 0400", values)); /* a is NULL */
    layout_diffs(f->layout, slice_of("\x02", 1));
    assert_true(take(f, table, "04", 1, "fe 09000000 00 03 242e61 03 050200", values));
    assert_slice(values[2].bytes, "{\"a\": 2, \"c\": {\"d\": []}, \"bb\": \"x\"}");
    assert_true(take(f, table, "04", 1, "fe 02000000 0401", values)); /* the bits were those of one image */
    assert_slice(values[2].bytes, "true");
    layout_diffs(f->layout, slice_of("\x04", 1));
    assert_true(take(f, table, "08", 1, "fe 00000000", values)); /* no diff at all */
    assert_slice(values[3].bytes, "null");
    layout_diffs(f->layout, slice_of("\x01", 1));
    assert_false(take(f, table, "02", 1, "fe 09000000 00 03 242e61 03 050200", values)); /* of NULL */
    assert_int_equal(f->err.code, ERR_CORRUPT);
    assert_true(take(f, table, "01", 0, "fe 01000000", values));
    layout_diffs(f->layout, slice_of("\x02", 1));
    assert_false(take(f, table, "04", 1, "fe 09000000 00 03 242e61 03 050200", values)); /* the before image has no document */
    assert_int_equal(f->err.code, ERR_STOP);
    assert_non_null(strstr(f->err.text, "binlog_row_image=FULL"));
    table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_old_temporals, setup, teardown), cmocka_unit_test_setup_teardown(test_compressed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_json, setup, teardown), cmocka_unit_test_setup_teardown(test_diffs, setup, teardown),
    };
    return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
