/* Walking row images: plain, with NULLs, with absent columns, and every way in which bytes cannot be right. */
#include "unit.h"

#include "change.h"
#include "row.h"

static struct column columns[] = {
    {.kind = COLUMN_INT, .width = 4, .name = {(const uint8_t *)"id", 2}},
    {.kind = COLUMN_INT, .width = 1, .is_unsigned = true, .name = {(const uint8_t *)"n", 1}},
    {.kind = COLUMN_VARCHAR, .width = 1, .max_bytes = 20, .collation = 45, .name = {(const uint8_t *)"s", 1}},
    {.kind = COLUMN_DECIMAL, .precision = 10, .scale = 4, .name = {(const uint8_t *)"d", 1}},
    {.kind = COLUMN_DATETIME, .scale = 3, .name = {(const uint8_t *)"t", 1}},
    {.kind = COLUMN_ENUM, .width = 1, .label_count = 2, .name = {(const uint8_t *)"e", 1}},
    {.kind = COLUMN_BLOB, .width = 2, .name = {(const uint8_t *)"b", 1}},
    {.kind = COLUMN_INT, .width = 2, .name = {(const uint8_t *)"z", 1}},
};
static struct slice labels[] = {{(const uint8_t *)"on", 2}, {(const uint8_t *)"off", 3}};
static uint16_t key[] = {0};

static const char row_text[] = "00 07000000 ff 03616263 8004d2162e 99b2bb7efb04ce 02 0100aa 3412";

static struct table *make(void)
{
    const char *reason = NULL;
    columns[5].labels = labels;
    struct table draft = {.database = slice_text("shop"), .name = slice_text("t"), .column_count = 8, .columns = columns,
                          .key = key, .key_count = 1, .named = true};
    struct table *table = table_new(&draft, 9, &reason);
    assert_non_null(table);
    return table;
}

static struct slice take(const struct table *table, const char *present, const char *bytes, bool *failed)
{
    struct slice mask = present ? unit_hex(present) : (struct slice){NULL, 0};
    struct cursor in = cursor_of(unit_hex(bytes));
    struct slice image = row_take(table, mask, &in);
    *failed = in.failed;
    if (!in.failed) assert_int_equal(cursor_left(&in), 0);
    return image;
}

static void takes_a_whole_row(void **state)
{
    struct table *table = make();
    struct value values[8];
    bool failed;
    (void)state;
    struct row row = {.image = take(table, NULL, row_text, &failed)};
    assert_false(failed);
    assert_true(row_values(table, &row, values));
    assert_slice(values[2].bytes, "abc");
    assert_int_equal(values[3].bytes.size, 5);
    assert_int_equal(values[7].bytes.data[1], 0x12);
    table_free(table);
}

static void nulls_and_absent_columns(void **state)
{
    struct table *table = make();
    struct value values[8];
    bool failed;
    (void)state;
    /* present: id s z; s is NULL, as the second present column */
    struct row row = {.present = unit_hex("85")};
    row.image = take(table, "85", "02 07000000 3412", &failed);
    assert_false(failed);
    assert_int_equal(row_present_count(table, row.present), 3);
    assert_true(row_values(table, &row, values));
    assert_int_equal(values[1].state, VALUE_ABSENT);
    assert_int_equal(values[2].state, VALUE_NULL);
    assert_int_equal(values[7].state, VALUE_PRESENT);
    assert_true(row_has(&row, 0));
    assert_false(row_has(&row, 1));
    table_free(table);
}

static void unused_null_bits_do_not_matter(void **state)
{
    struct table *table = make();
    bool failed;
    (void)state;
    take(table, "85", "fa 07000000 3412", &failed); /* the server sets the unused bits */
    assert_false(failed);
    table_free(table);
}

static void impossible_values_fail(void **state)
{
    static const char *const bad[] = {
        "00 07000000 ff 15616263 8004d2162e 99b2bb7efb04ce 02 0100aa 3412",  /* longer than VARCHAR(20) */
        "00 07000000 ff 03616263 8004d2ffff 99b2bb7efb04ce 02 0100aa 3412",  /* four digits above 9999 */
        "00 07000000 ff 03616263 8004d2162e 19b2bb7efb04ce 02 0100aa 3412",  /* before year 0 */
        "00 07000000 ff 03616263 8004d2162e 99b2bb7eff04ce 02 0100aa 3412",  /* 63 seconds */
        "00 07000000 ff 03616263 8004d2162e 99b2bb7efb2711 02 0100aa 3412",  /* fraction 10001 of 10000 */
        "00 07000000 ff 03616263 8004d2162e 99b2bb7efb04ce 03 0100aa 3412",  /* third of two labels */
        "00 07000000 ff 03616263 8004d2162e 99b2bb7efb04ce 02 00ffaa 3412",  /* blob past the end */
    };
    struct table *table = make();
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        bool failed;
        take(table, NULL, bad[i], &failed);
        assert_true(failed);
    }
    table_free(table);
}

static void every_cut_fails(void **state)
{
    struct table *table = make();
    struct slice whole = unit_hex(row_text);
    (void)state;
    for (size_t cut = 0; cut < whole.size; cut++) {
        struct cursor in = cursor_of(slice_of(whole.data, cut));
        row_take(table, (struct slice){NULL, 0}, &in);
        assert_true(in.failed);
    }
    table_free(table);
}

static void definitions_go_round(void **state)
{
    struct table *table = make(), *back;
    const char *reason;
    (void)state;
    back = table_decode(table->encoded, 3, &reason);
    assert_non_null(back);
    assert_true(slice_equal(back->encoded, table->encoded));
    assert_int_equal(back->id, 3);
    assert_int_equal(table_column(back, slice_text("S")), 2);
    assert_int_equal(table_column(back, slice_text("nowhere")), -1);
    assert_slice(back->columns[5].labels[1], "off");
    for (size_t cut = 0; cut < table->encoded.size; cut++)
        assert_null(table_decode(slice_of(table->encoded.data, cut), 3, &reason));
    table_free(back);
    table_free(table);
}

static void impossible_definitions_are_refused(void **state)
{
    struct column c = {.kind = COLUMN_DECIMAL, .precision = 66, .scale = 2};
    struct table draft = {.database = slice_text("d"), .name = slice_text("t"), .column_count = 1, .columns = &c};
    const char *reason = NULL;
    uint16_t outside[] = {1};
    (void)state;
    assert_null(table_new(&draft, 1, &reason));
    assert_non_null(reason);
    c = (struct column){.kind = COLUMN_INT, .width = 5};
    assert_null(table_new(&draft, 1, &reason));
    c = (struct column){.kind = COLUMN_BLOB, .width = 5};
    assert_null(table_new(&draft, 1, &reason));
    c = (struct column){.kind = (enum column_kind)200};
    assert_null(table_new(&draft, 1, &reason));
    c = (struct column){.kind = COLUMN_INT, .width = 4};
    draft.key = outside;
    draft.key_count = 1;
    assert_null(table_new(&draft, 1, &reason));
    draft.key_count = 0;
    struct table *table = table_new(&draft, 1, &reason);
    assert_non_null(table);
    table_free(table);
}

static uint32_t sum_of(const struct change *changes, size_t count)
{
    struct change_sum sum = {0};
    for (size_t i = 0; i < count; i++) change_sum_add(&sum, &changes[i]);
    change_sum_flush(&sum);
    return sum.crc;
}

static void the_sum_sees_every_part(void **state)
{
    struct table *table = make();
    bool failed;
    (void)state;
    struct change change = {.kind = CHANGE_INSERT, .table = table, .after.image = take(table, NULL, row_text, &failed)};
    uint32_t first = sum_of(&change, 1), other;
    change.kind = CHANGE_DELETE;
    change.before = change.after;
    other = sum_of(&change, 1);
    assert_int_not_equal(first, other);
    change.before.image.size--;
    assert_int_not_equal(sum_of(&change, 1), other);
    struct table draft = *table;
    const char *reason;
    draft.name = slice_text("u");
    struct table *renamed = table_new(&draft, 1, &reason);
    change.before.image.size++;
    change.table = renamed;
    assert_int_not_equal(sum_of(&change, 1), other);
    table_free(renamed);
    table_free(table);
}

static void the_sum_does_not_see_where_rows_lie(void **state)
{
    struct table *table = make();
    uint8_t near[40], far[2][20];
    struct change changes[2], apart[2];
    (void)state;
    for (int i = 0; i < 40; i++) near[i] = far[i / 20][i % 20] = (uint8_t)(i * 7);
    for (int i = 0; i < 2; i++) {
        changes[i] = apart[i] = (struct change){.kind = CHANGE_INSERT, .table = table};
        changes[i].after.image = slice_of(near + 20 * i, 20);
        apart[i].after.image = slice_of(far[i], 20);
    }
    assert_int_equal(sum_of(changes, 2), sum_of(apart, 2));
    struct change swapped[2] = {changes[1], changes[0]};
    assert_int_not_equal(sum_of(changes, 2), sum_of(swapped, 2));
    swapped[0].kind = CHANGE_DELETE;
    swapped[0].before = swapped[0].after;
    assert_int_not_equal(sum_of(swapped, 2), sum_of((struct change[]){changes[1], changes[0]}, 2));
    table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_a_whole_row),
        cmocka_unit_test(nulls_and_absent_columns),
        cmocka_unit_test(unused_null_bits_do_not_matter),
        cmocka_unit_test(impossible_values_fail),
        cmocka_unit_test(every_cut_fails),
        cmocka_unit_test(definitions_go_round),
        cmocka_unit_test(impossible_definitions_are_refused),
        cmocka_unit_test(the_sum_sees_every_part),
        cmocka_unit_test(the_sum_does_not_see_where_rows_lie),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
