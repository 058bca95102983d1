/* Rows for a server without arrays: which statement says how many of them, and the bytes of its execution. */
#include "sink_unit.h"

#include "execute.h"

static struct table *table;

static struct shape *shape_of(struct plan *plan, enum change_kind kind, const struct value *before, const struct value *after)
{
    struct shape *shape, *again;
    struct slice none = {NULL, 0};
    assert_true(plan_shape(plan, kind, SHAPE_PLAIN, none, none, before, after, &shape, NULL));
    assert_true(plan_shape(plan, kind, SHAPE_PLAIN, none, none, before, after, &again, NULL));
    assert_ptr_equal(shape, again);
    return shape;
}

static const char *text_of(const struct shape *shape, unsigned size)
{
    static struct buf sql;
    if (!sql.max) buf_init(&sql, 1 << 16);
    buf_clear(&sql);
    execute_sql(shape, size, &sql);
    return buf_cstr(&sql);
}

static struct plan *make(void)
{
    struct plan *plan = NULL;
    sink_target.mysql = true;
    assert_true(plan_new(table, &sink_target, false, &plan, NULL));
    return plan;
}

static void test_statements(void **state)
{
    (void)state;
    uint8_t image[64];
    struct row row = sink_row(7, 8, "x", image);
    struct value values[3];
    struct plan *plan = make();
    assert_true(row_values(table, &row, values));
    struct shape *insert = shape_of(plan, CHANGE_INSERT, NULL, values), *update = shape_of(plan, CHANGE_UPDATE, values, values);
    struct shape *delete = shape_of(plan, CHANGE_DELETE, values, NULL);
    assert_string_equal(text_of(insert, 0), "INSERT INTO `d`.`t` (`id`, `u`, `s`) VALUES (?, ?, ?)");
    assert_string_equal(text_of(insert, 1), "INSERT INTO `d`.`t` (`id`, `u`, `s`) VALUES (?, ?, ?), (?, ?, ?), (?, ?, ?), (?, ?, ?), (?, ?, ?), "
                        "(?, ?, ?), (?, ?, ?), (?, ?, ?)");
    assert_string_equal(text_of(update, 0), "UPDATE `d`.`t` SET `id`=?, `u`=?, `s`=? WHERE `id`=?");
    assert_string_equal(text_of(delete, 1), "DELETE FROM `d`.`t` WHERE `id`=? OR `id`=? OR `id`=? OR `id`=? OR `id`=? OR `id`=? OR `id`=? OR `id`=?");
    assert_int_equal(execute_params(insert, 2), 192);
    /* the largest that fits; updates are said one by one */
    assert_int_equal(execute_size(insert, 200), 2);
    assert_int_equal(execute_size(insert, 63), 1);
    assert_int_equal(execute_size(insert, 7), 0);
    assert_int_equal(execute_size(update, 200), 0);
    insert->param_count = 1000; /* too many parameters for 64 rows */
    assert_int_equal(execute_size(insert, 200), 1);
    insert->param_count = 3;
    plan_free(plan);
}

/* A parameter of a composite key's OR must not take in its neighbours' AND: AND binds closer. */
static void test_composite_key(void **state)
{
    (void)state;
    uint8_t image[64];
    struct row row = sink_row(7, 8, "x", image);
    struct value values[3];
    uint16_t both[] = {0, 1};
    struct target_key keys[] = {{.primary = true, .not_null = true, .count = 2, .columns = both}}, *old = sink_target.keys;
    sink_target.keys = keys;
    sink_target.key_count = 1;
    struct plan *plan = make();
    assert_true(row_values(table, &row, values));
    struct shape *delete = shape_of(plan, CHANGE_DELETE, values, NULL);
    const char *want = "DELETE FROM `d`.`t` WHERE `id`=? AND `u`=? OR `id`=? AND `u`=? OR ";
    assert_memory_equal(text_of(delete, 1), want, strlen(want));
    sink_target.keys = old;
    sink_target.key_count = 2;
    plan_free(plan);
}

static void test_absent_columns(void **state)
{
    (void)state;
    uint8_t image[64];
    struct row row = sink_row(7, 8, "x", image);
    struct value values[3];
    struct plan *plan = make();
    assert_true(row_values(table, &row, values));
    struct shape *whole = shape_of(plan, CHANGE_INSERT, NULL, values);
    values[1].state = VALUE_ABSENT;
    struct shape *part = shape_of(plan, CHANGE_INSERT, NULL, values);
    assert_ptr_not_equal(part, whole);
    assert_string_equal(text_of(part, 0), "INSERT INTO `d`.`t` (`id`, `s`) VALUES (?, ?)");
    values[0].state = values[2].state = VALUE_ABSENT;
    struct shape *nothing = shape_of(plan, CHANGE_INSERT, NULL, values);
    assert_memory_equal(text_of(nothing, 1), "INSERT INTO `d`.`t` () VALUES (), (), ", 38);
    plan_free(plan);
}

/* What MySQL would take in another type than the column's. */
static void test_types(void **state)
{
    (void)state;
    uint8_t image[64];
    struct row row = sink_row(7, 8, "x", image);
    struct value values[3];
    table->columns[1].kind = COLUMN_ENUM;
    sink_target_columns[2].json = true;
    struct plan *plan = make();
    assert_true(row_values(table, &row, values));
    assert_string_equal(text_of(shape_of(plan, CHANGE_INSERT, NULL, values), 0),
                        "INSERT INTO `d`.`t` (`id`, `u`, `s`) VALUES (?, CAST(? AS UNSIGNED), CONVERT(? USING utf8mb4))");
    table->columns[1].kind = COLUMN_INT;
    sink_target_columns[2].json = false;
    plan_free(plan);
}

static void test_packet(void **state)
{
    (void)state;
    uint8_t images[2][64];
    struct row rows[] = {sink_row(7, 8, NULL, images[0]), sink_row(9, 1, "ab", images[1])};
    struct value values[3];
    struct buf kept, packet;
    struct plan *plan = make();
    struct shape *shape = NULL;
    buf_init(&kept, 4096);
    buf_init(&packet, 4096);
    for (unsigned i = 0; i < 9; i++) { /* NULL, 'ab', NULL, … */
        assert_true(row_values(table, &rows[i & 1], values));
        shape = shape_of(plan, CHANGE_INSERT, NULL, values);
        if (!i) shape_begin(shape, plan, &kept);
        shape_append(shape, plan, NULL, values, &kept);
    }
    shape->statements[0].id = 0x11223344;
    shape->statements[1].id = 5;
    struct cursor in = cursor_of(buf_bytes(&kept));
    execute_packet(shape, 1, &in, &packet);
    /* 24 parameters, of which 2, 8, 14 and 20 are NULL */
    struct slice want = unit_hex("05000000 00 01000000 044110 01"
                                 "0300 0300 fe00 0300 0300 fe00 0300 0300 fe00 0300 0300 fe00 0300 0300 fe00 0300 0300 fe00 0300 0300 fe00 0300 0300 fe00"
                                 "07000000 08000000 09000000 01000000 02 6162 07000000 08000000 09000000 01000000 02 6162"
                                 "07000000 08000000 09000000 01000000 02 6162 07000000 08000000 09000000 01000000 02 6162");
    assert_int_equal(packet.size, want.size);
    assert_memory_equal(packet.data, want.data, want.size);
    buf_clear(&packet);
    execute_packet(shape, 0, &in, &packet);
    want = unit_hex("44332211 00 01000000 04 01 0300 0300 fe00 07000000 08000000");
    assert_int_equal(packet.size, want.size);
    assert_memory_equal(packet.data, want.data, want.size);
    assert_int_equal(cursor_left(&in), 0);
    buf_fini(&kept);
    buf_fini(&packet);
    plan_free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_statements), cmocka_unit_test(test_composite_key), cmocka_unit_test(test_absent_columns),
                                       cmocka_unit_test(test_types), cmocka_unit_test(test_packet)};
    table = sink_table();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    table_free(table);
    return failed;
}
