/* Which statement says a change, by which key, and the bytes of one row of its array. */
#include "sink_unit.h"

static struct table *table;

static struct plan *make(bool check_before)
{
    struct plan *plan = NULL;
    assert_true(plan_new(table, &sink_target, check_before, &plan, NULL));
    return plan;
}

static const char *sql_of(struct plan *plan, enum change_kind kind, const char *present, struct row *before)
{
    struct value values[3];
    struct shape *shape, *again;
    static char text[1024];
    if (present[0]) before->present = unit_hex(present);
    assert_true(row_values(table, before, values));
    assert_true(plan_shape(plan, kind, SHAPE_PLAIN, before->present, (struct slice){NULL, 0}, values, values, &shape, NULL));
    assert_true(plan_shape(plan, kind, SHAPE_PLAIN, before->present, (struct slice){NULL, 0}, values, values, &again, NULL));
    assert_ptr_equal(shape, again);
    snprintf(text, sizeof text, "%.*s", SLICE_ARG(shape->sql));
    return text;
}

static void test_statements(void **state)
{
    (void)state;
    uint8_t image[64];
    struct row row = sink_row(7, 8, "x", image);
    struct plan *plan = make(false);
    assert_true(plan->nets && !plan->keyless);
    assert_int_equal(plan->other_count, 1);
    assert_string_equal(sql_of(plan, CHANGE_INSERT, "", &row), "INSERT INTO `d`.`t` (`id`, `u`, `s`) VALUES (?, ?, ?)");
    assert_string_equal(sql_of(plan, CHANGE_UPDATE, "", &row), "UPDATE `d`.`t` SET `id`=?, `u`=?, `s`=? WHERE `id`=?");
    assert_string_equal(sql_of(plan, CHANGE_DELETE, "", &row), "DELETE FROM `d`.`t` WHERE `id`=?");
    plan_free(plan);
}

static void test_partial_images(void **state)
{
    (void)state;
    struct plan *plan = make(false);
    struct row only_u = {.image = unit_hex("00 08000000")}, only_s = {.image = unit_hex("00 01 78")};
    assert_string_equal(sql_of(plan, CHANGE_DELETE, "02", &only_u), "DELETE FROM `d`.`t` WHERE `u`=?");
    assert_string_equal(sql_of(plan, CHANGE_DELETE, "04", &only_s), "DELETE FROM `d`.`t` WHERE `s`<=>? AND BINARY `s`<=>? LIMIT 1");
    plan_free(plan);
}

/* A SEQUENCE has one row, and no column of it a default: what a MINIMAL image leaves out stays. */
static void test_sequence(void **state)
{
    (void)state;
    uint8_t image[64];
    struct value some[3] = {{.state = VALUE_PRESENT}, {.state = VALUE_ABSENT}, {.state = VALUE_PRESENT}};
    struct row row = sink_row(7, 8, "x", image);
    struct slice none = {NULL, 0};
    struct shape *shape;
    struct target_table plain = sink_target;
    sink_target.sequence = true;
    sink_target.key_count = 0;
    struct plan *plan = make(false);
    assert_false(plan->nets);
    assert_string_equal(sql_of(plan, CHANGE_INSERT, "", &row), "INSERT INTO `d`.`t` (`id`, `u`, `s`) VALUES (?, ?, ?)");
    assert_true(plan_shape(plan, CHANGE_INSERT, SHAPE_PLAIN, none, none, NULL, some, &shape, NULL));
    assert_int_equal(shape->param_count, 2);
    assert_true(slice_is(shape->sql, "INSERT INTO `d`.`t` (`id`, `s`, `u`) VALUES (?, ?, (SELECT kept.`u` FROM (SELECT * FROM `d`.`t`) AS kept))"));
    plan_free(plan);
    sink_target = plain;
}

static void test_check_before(void **state)
{
    (void)state;
    uint8_t image[64];
    struct row row = sink_row(7, 8, "x", image);
    struct plan *plan = make(true);
    assert_string_equal(sql_of(plan, CHANGE_DELETE, "", &row),
                        "DELETE FROM `d`.`t` WHERE `id`=? AND `id`<=>? AND `u`<=>? AND `s`<=>? AND BINARY `s`<=>?");
    plan_free(plan);
}

static void test_keyless(void **state)
{
    (void)state;
    uint8_t image[64];
    struct row row = sink_row(7, 8, NULL, image);
    uint32_t keys = sink_target.key_count;
    sink_target.key_count = 0;
    struct plan *plan = make(false);
    assert_true(plan->keyless && !plan->nets);
    assert_string_equal(sql_of(plan, CHANGE_DELETE, "", &row),
                        "DELETE FROM `d`.`t` WHERE `id`<=>? AND `u`<=>? AND `s`<=>? AND BINARY `s`<=>? LIMIT 1");
    plan_free(plan);
    sink_target.key_count = keys;
}

static void test_not_netted(void **state)
{
    (void)state;
    struct plan *plan;
    sink_target.foreign = true;
    plan = make(false);
    assert_false(plan->nets);
    plan_free(plan);
    sink_target.foreign = false;
    sink_target.other_unique = true;
    plan = make(false);
    assert_false(plan->nets);
    plan_free(plan);
    sink_target.other_unique = false;
}

static void test_generated_left_out(void **state)
{
    (void)state;
    uint8_t image[64];
    struct row row = sink_row(7, 8, "x", image);
    sink_target_columns[2].generated = true;
    struct plan *plan = make(false);
    assert_string_equal(sql_of(plan, CHANGE_INSERT, "", &row), "INSERT INTO `d`.`t` (`id`, `u`) VALUES (?, ?)");
    plan_free(plan);
    sink_target_columns[2].generated = false;
}

/* The hash of a UNIQUE key over a whole TEXT: in the binary log alone. A column of that name that the target has is one like any other. */
static void test_hash_of_key(void **state)
{
    (void)state;
    static struct column columns[3];
    static const struct { const char *name; uint8_t width; bool fits; } cases[] = {
        {"DB_ROW_HASH_1", 8, true}, {"DB_ROW_HASH_12", 8, true}, {"DB_ROW_HASH_", 8, false}, {"DB_ROW_HASH_1a", 8, false}, {"DB_ROW_HASH_1", 4, false}};
    const char *reason = NULL;
    uint8_t image[64] = {0, 7, 0, 0, 0, 8, 0, 0, 0, 1};
    char text[100];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        memcpy(columns, sink_columns, sizeof columns);
        columns[2] = (struct column){.kind = COLUMN_INT, .width = cases[i].width, .sign_known = true, .is_unsigned = true, .name = slice_text(cases[i].name)};
        struct table draft = {.database = NAME("d"), .name = NAME("t"), .column_count = 3, .columns = columns, .named = true};
        struct table *source = table_new(&draft, 1, &reason);
        struct row row = {.image = {image, 9u + cases[i].width}};
        struct value values[3];
        struct plan *plan = NULL;
        struct shape *shape;
        assert_non_null(source);
        sink_target.column_count = 2;
        sink_target.key_count = 0;
        assert_true(plan_new(source, &sink_target, false, &plan, NULL));
        for (enum change_kind kind = CHANGE_INSERT; kind <= CHANGE_DELETE; kind++) {
            assert_true(row_values(source, &row, values));
            bool made = plan_shape(plan, kind, SHAPE_PLAIN, (struct slice){NULL, 0}, (struct slice){NULL, 0}, values, values, &shape, NULL);
            assert_int_equal(made, cases[i].fits);
            if (made) assert_null(memmem(shape->sql.data, shape->sql.size, "HASH", 4));
        }
        plan_describe(plan, values, text, sizeof text);
        assert_string_equal(text, "`id`=7, `u`=8");
        plan_free(plan);
        sink_target.column_count = 3;
        sink_target.key_count = 2;
        table_free(source);
    }
}

static void test_missing_column(void **state)
{
    (void)state;
    struct plan *plan = NULL;
    struct err err = {0};
    uint8_t image[64];
    struct row row = sink_row(7, 8, "x", image);
    struct value values[3];
    struct slice none = {NULL, 0};
    struct shape *shape;
    sink_target.column_count = 2;
    assert_true(plan_new(table, &sink_target, false, &plan, NULL));
    assert_true(row_values(table, &row, values));
    assert_false(plan_shape(plan, CHANGE_INSERT, SHAPE_PLAIN, none, none, NULL, values, &shape, &err));
    assert_non_null(strstr(err.text, "no column `s`"));
    assert_false(plan_shape(plan, CHANGE_DELETE, SHAPE_PLAIN, none, none, values, NULL, &shape, &err));
    values[2].state = VALUE_ABSENT; /* excluded by the filter */
    assert_true(plan_shape(plan, CHANGE_INSERT, SHAPE_PLAIN, none, none, NULL, values, &shape, NULL));
    assert_true(slice_is(shape->sql, "INSERT INTO `d`.`t` (`id`, `u`) VALUES (?, ?)"));
    plan_free(plan);
    sink_target.column_count = 3;
}

/* Of a system-versioned table: whether the target makes a row of history is a condition; history itself is inserted with its period. */
static void test_history(void **state)
{
    static const struct { enum change_kind kind; enum shape_mode mode; const char *sql; uint16_t last; } cases[] = {
        {CHANGE_INSERT, SHAPE_PLAIN, "INSERT INTO `d`.`t` (`id`) VALUES (?)", 0},
        {CHANGE_INSERT, SHAPE_HISTORY, "INSERT INTO `d`.`t` (`id`, `row_start`, `row_end`) VALUES (?, ?, ?)", 2},
        {CHANGE_UPDATE, SHAPE_MADE, "UPDATE `d`.`t` SET `id`=? WHERE `id`=? AND `row_start`<?", 1},
        {CHANGE_UPDATE, SHAPE_UNMADE, "UPDATE `d`.`t` SET `id`=? WHERE `id`=? AND `row_start`>=?", 1},
        {CHANGE_DELETE, SHAPE_MADE, "DELETE FROM `d`.`t` WHERE `id`=? AND `row_start`<=?", 2},
        {CHANGE_DELETE, SHAPE_PLAIN, "DELETE FROM `d`.`t` WHERE `id`=?", 0},
    };
    static struct column columns[] = {
        {.kind = COLUMN_INT, .width = 4, .sign_known = true, .name = NAME("id")},
        {.kind = COLUMN_TIMESTAMP, .scale = 6, .name = NAME("row_start")}, {.kind = COLUMN_TIMESTAMP, .scale = 6, .name = NAME("row_end")}};
    static struct target_column hidden[] = {{.name = NAME("id")}, {.name = NAME("row_start"), .generated = true}, {.name = NAME("row_end"), .generated = true}};
    struct table draft = {.database = NAME("d"), .name = NAME("t"), .column_count = 3, .columns = columns, .named = true};
    struct target_table target = {.database = NAME("d"), .name = NAME("t"), .exists = true, .versioned = true, .period = {1, 2}, .column_count = 3, .columns = hidden,
                                  .key_count = 1, .keys = sink_keys};
    const char *reason = NULL;
    struct table *source = table_new(&draft, 1, &reason);
    struct plan *plan = NULL;
    uint8_t image[64] = {0, 7, 0, 0, 0, 0x65, 0x53, 0xf1, 0, 1, 0xb2, 7, 0x7f, 0xff, 0xff, 0xff, 0x0f, 0x42, 0x3f};
    struct row row = {.image = {image, 19}};
    struct value values[3];
    struct slice none = {NULL, 0};
    (void)state;
    assert_non_null(source);
    assert_true(row_values(source, &row, values) && plan_new(source, &target, false, &plan, NULL));
    assert_false(plan->nets);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct shape *shape;
        assert_true(plan_shape(plan, cases[i].kind, cases[i].mode, none, none, values, values, &shape, NULL));
        if (!slice_is(shape->sql, cases[i].sql)) fail_msg("%.*s", SLICE_ARG(shape->sql));
        assert_int_equal(shape->params[shape->param_count - 1].column, cases[i].last);
        assert_int_equal(shape->params[shape->param_count - 1].before, cases[i].kind != CHANGE_INSERT && !cases[i].last);
    }
    plan_free(plan);
    table_free(source);
}

static void test_array(void **state)
{
    (void)state;
    uint8_t image[64];
    struct row row = sink_row(7, 8, NULL, image);
    struct value before[3], after[3];
    struct shape *shape;
    struct buf packet;
    struct plan *plan = make(false);
    buf_init(&packet, 4096);
    assert_true(row_values(table, &row, before) && row_values(table, &row, after));
    after[1].state = VALUE_ABSENT;
    struct shape *whole;
    assert_true(plan_shape(plan, CHANGE_UPDATE, SHAPE_PLAIN, (struct slice){NULL, 0}, (struct slice){NULL, 0}, before, before, &whole, NULL));
    assert_true(plan_shape(plan, CHANGE_UPDATE, SHAPE_PLAIN, (struct slice){NULL, 0}, unit_hex("05"), before, after, &shape, NULL));
    assert_ptr_not_equal(shape, whole); /* an absent column is not assigned: IGNORE in an array would make a NULL 0 or '' */
    shape->statements[0].id = 0x11223344;
    shape_begin(shape, plan, &packet);
    shape_append(shape, plan, before, after, &packet);
    struct slice want = unit_hex("44332211 8000 0300 fe00 0300  00 07000000 01 00 07000000"); /* value, NULL, key */
    assert_int_equal(packet.size, want.size);
    assert_memory_equal(packet.data, want.data, want.size);
    buf_clear(&packet);
    assert_true(plan_shape(plan, CHANGE_INSERT, SHAPE_PLAIN, (struct slice){NULL, 0}, (struct slice){NULL, 0}, NULL, after, &shape, NULL));
    shape_append(shape, plan, NULL, after, &packet);
    want = unit_hex("00 07000000 02 01"); /* value, default, NULL */
    assert_int_equal(packet.size, want.size);
    assert_memory_equal(packet.data, want.data, want.size);
    buf_fini(&packet);
    plan_free(plan);
}

static void test_description(void **state)
{
    (void)state;
    uint8_t image[64];
    char text[100];
    struct value values[3];
    struct row row = sink_row(7, 8, "x", image);
    struct plan *plan = make(false);
    assert_true(row_values(table, &row, values));
    plan_describe(plan, values, text, sizeof text);
    assert_string_equal(text, "`id`=7");
    plan_free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_statements), cmocka_unit_test(test_partial_images), cmocka_unit_test(test_sequence), cmocka_unit_test(test_check_before),
        cmocka_unit_test(test_keyless), cmocka_unit_test(test_not_netted), cmocka_unit_test(test_generated_left_out),
        cmocka_unit_test(test_missing_column), cmocka_unit_test(test_hash_of_key), cmocka_unit_test(test_array), cmocka_unit_test(test_history), cmocka_unit_test(test_description)};
    table = sink_table();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    table_free(table);
    return failed;
}
