/* Net changes as statements: exact texts, every kind of value, the limit of 8,000 bytes, and that no byte of a row can end a literal early, for
   the server or for a follower that takes a backslash for an escape. */
#include "sink_unit.h"

#include "leader_sql.h"

#define CONTEXT "/*!100100 SET STATEMENT sql_mode='STRICT_ALL_TABLES,ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO,NO_BACKSLASH_ESCAPES'," \
    "foreign_key_checks=1,unique_checks=1,check_constraint_checks=1,time_zone='+00:00' FOR */ "

static struct table *table;
static struct plan *plan;
static struct leader_sql parts;
static struct leader_writer writer;

static int setup(void **state)
{
    (void)state;
    table = sink_table();
    assert_true(plan_new(table, &sink_target, false, &plan, NULL));
    assert_true(leader_sql_init(&parts, plan));
    leader_writer_init(&writer);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    leader_writer_fini(&writer);
    plan_free(plan);
    table_free(table);
    return 0;
}

static const struct value *values(uint32_t id, uint32_t u, const char *s, struct value v[3])
{
    static uint8_t image[64];
    struct row row = sink_row(id, u, s, image);
    assert_true(row_values(table, &row, v));
    return v;
}

static void is_text(struct buf *buf, const char *want) { assert_string_equal(buf_cstr(buf), want); }

static void test_upsert(void **state)
{
    (void)state;
    struct value v[3];
    leader_writer_begin(&writer, plan, &parts, false, 0, false);
    assert_true(leader_writer_row(&writer, values(1, 7, "a", v)));
    assert_true(leader_writer_row(&writer, values(2, 8, NULL, v)));
    leader_writer_end(&writer);
    is_text(&writer.sql, CONTEXT "INSERT INTO `d`.`t` (`id`,`u`,`s`) VALUES (1,7,'a'),(2,8,NULL) "
            "ON DUPLICATE KEY UPDATE `u`=VALUES(`u`),`s`=VALUES(`s`)"); /* the key stays: the row may have been found by u */
    is_text(&writer.keys, "1,2");
    assert_int_equal(writer.rows, 2);
    assert_int_equal(writer.present, 2);
}

static void test_delete(void **state)
{
    (void)state;
    struct value v[3];
    struct buf sql;
    leader_writer_begin(&writer, plan, &parts, true, ROW_NO_FOREIGN_KEY_CHECKS, false);
    assert_true(leader_writer_row(&writer, values(1, 7, "a", v)));
    assert_true(leader_writer_row(&writer, values(5, 7, "a", v)));
    leader_writer_end(&writer);
    assert_non_null(strstr(buf_cstr(&writer.sql), "foreign_key_checks=0,"));
    assert_non_null(strstr(buf_cstr(&writer.sql), " FOR */ DELETE FROM `d`.`t` WHERE `id` IN (1,5)"));
    assert_int_equal(writer.present, 0);
    buf_init(&sql, 10000);
    leader_sql_sum(plan, &parts, buf_bytes(&writer.keys), &sql);
    assert_non_null(strstr(buf_cstr(&sql), ",`id`,`u`,CAST(`s` AS BINARY),ISNULL(`s`))"));
    assert_non_null(strstr(buf_cstr(&sql), " FROM `d`.`t` FORCE INDEX (PRIMARY) WHERE `id` IN (1,5)"));
    buf_fini(&sql);
}

static void test_update(void **state)
{
    (void)state;
    struct value before[3], after[3];
    values(1, 7, "a", before);
    uint8_t image[64];
    struct row row = sink_row(2, 7, "b", image);
    assert_true(row_values(table, &row, after));
    after[1].state = VALUE_ABSENT;
    leader_writer_update(&writer, plan, &parts, 0, false, before, after);
    leader_writer_end(&writer); /* nothing more comes behind it */
    is_text(&writer.sql, CONTEXT "UPDATE `d`.`t` SET `id`=2,`s`='b' WHERE `id` IN (1)");
    is_text(&writer.keys, "1,2"); /* what was there, and what is there */
    after[0].state = VALUE_ABSENT;
    leader_writer_update(&writer, plan, &parts, 0, false, before, after);
    is_text(&writer.keys, "1");
}

static void test_two_columns(void **state)
{
    (void)state;
    static uint16_t both[] = {0, 1};
    struct target_key keys[] = {{.primary = true, .not_null = true, .count = 2, .columns = both}};
    struct target_table target = sink_target;
    struct leader_sql two;
    struct plan *p;
    struct value v[3];
    target.keys = keys;
    target.key_count = 1;
    assert_true(plan_new(table, &target, false, &p, NULL));
    assert_true(leader_sql_init(&two, p));
    leader_writer_begin(&writer, p, &two, true, 0, false);
    assert_true(leader_writer_row(&writer, values(1, 7, "a", v)));
    assert_true(leader_writer_row(&writer, values(2, 8, "a", v)));
    leader_writer_end(&writer);
    is_text(&writer.sql, CONTEXT "DELETE FROM `d`.`t` WHERE (`id`=1 AND `u`=7) OR (`id`=2 AND `u`=8)");
    plan_free(p);
}

static void test_limit(void **state)
{
    (void)state;
    struct value v[3];
    uint32_t rows = 0;
    leader_writer_begin(&writer, plan, &parts, false, 0, false);
    while (leader_writer_row(&writer, values(1000000000 + rows, 5, "0123456789", v))) rows++;
    leader_writer_end(&writer);
    assert_true(writer.sql.size <= LEADER_SQL_BYTES && writer.sql.size > LEADER_SQL_BYTES - 40);
    assert_int_equal(writer.rows, rows);
    /* one row alone may be larger, and stays alone */
    static char large[9001];
    memset(large, 'x', 9000);
    values(1, 5, "a", v);
    v[2].bytes = slice_text(large);
    leader_writer_begin(&writer, plan, &parts, false, 0, false);
    assert_true(leader_writer_row(&writer, v));
    assert_false(leader_writer_row(&writer, values(2, 5, "a", v)));
    leader_writer_end(&writer);
    is_text(&writer.keys, "1");
}

/* ---- values ---- */

static void value_is(struct column column, const char *hex, bool compared, const char *want)
{
    struct column columns[3] = {sink_columns[0], sink_columns[1], column};
    struct table draft = {.database = NAME("d"), .name = NAME("t"), .column_count = 3, .columns = columns, .named = true};
    const char *reason = NULL;
    columns[2].name = slice_text("s");
    struct table *t = table_new(&draft, 1, &reason);
    assert_non_null(t);
    struct plan *p;
    struct buf out;
    struct value value = {VALUE_PRESENT, unit_hex(hex)};
    assert_true(plan_new(t, &sink_target, false, &p, NULL));
    buf_init(&out, 10000);
    leader_sql_value(p, 2, &value, compared, &out);
    assert_string_equal(buf_cstr(&out), want);
    buf_fini(&out);
    plan_free(p);
    table_free(t);
}

static void test_values(void **state)
{
    (void)state;
    const struct column text = {.kind = COLUMN_VARCHAR, .width = 1, .max_bytes = 20, .collation = 45};
    struct column other = text;
    value_is((struct column){.kind = COLUMN_INT, .width = 4, .sign_known = true}, "ffffffff", false, "-1");
    value_is((struct column){.kind = COLUMN_INT, .width = 4, .sign_known = true, .is_unsigned = true}, "ffffffff", false, "4294967295");
    value_is((struct column){.kind = COLUMN_FLOAT}, "ffff7f7f", false, "3.4028234663852886e+38");
    value_is((struct column){.kind = COLUMN_DOUBLE}, "000000000000f83f", false, "1.5e0");
    value_is((struct column){.kind = COLUMN_DOUBLE}, "ffffffffffffef7f", false, "1.7976931348623157e308");
    value_is((struct column){.kind = COLUMN_BIT, .bits = 9}, "012c", false, "300");
    value_is((struct column){.kind = COLUMN_YEAR}, "7e", false, "2026");
    value_is((struct column){.kind = COLUMN_DATE}, "21d40f", false, "'2026-01-01'");
    value_is((struct column){.kind = COLUMN_ENUM, .width = 1, .label_count = 0}, "02", false, "2");
    value_is(text, "616263", false, "'abc'");
    value_is(text, "616263", true, "X'616263'");       /* one form for all that are compared */
    value_is(text, "", false, "''");
    value_is(text, "6127", false, "X'6127'");          /* ' */
    value_is(text, "615c", false, "X'615C'");          /* \ */
    value_is(text, "6122", false, "X'6122'");          /* " */
    value_is(text, "610a", false, "X'610A'");
    value_is(text, "c3a4", false, "X'C3A4'");
    other.collation = 35;                               /* ucs2: two letters are one character there */
    value_is(other, "4142", false, "X'4142'");
    other.collation = 0;                                /* unknown */
    value_is(other, "4142", false, "X'4142'");
    value_is((struct column){.kind = COLUMN_BINARY, .width = 1, .max_bytes = 4}, "41", false, "X'41000000'");
    value_is((struct column){.kind = COLUMN_BLOB, .width = 2}, "00ff", false, "X'00FF'");
    value_is((struct column){.kind = COLUMN_BLOB, .width = 2}, "4142", false, "'AB'");
}

static void test_absent(void **state)
{
    (void)state;
    struct buf out;
    struct value absent = {VALUE_ABSENT, {NULL, 0}}, null = {VALUE_NULL, {NULL, 0}};
    buf_init(&out, 100);
    leader_sql_value(plan, 2, &absent, false, &out);
    leader_sql_value(plan, 2, &null, false, &out);
    is_text(&out, "DEFAULTNULL");
    buf_fini(&out);
}

/* Whatever the bytes are: printable ASCII without the two characters that are read in two ways, and quotes only at both ends. */
static void test_any_bytes(void **state)
{
    (void)state;
    uint8_t bytes[6];
    struct buf out;
    struct value value = {VALUE_PRESENT, {bytes, sizeof bytes}};
    uint32_t random = 12345;
    buf_init(&out, 100);
    for (unsigned run = 0; run < 20000; run++) {
        for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (uint8_t)((random = random * 1664525 + 1013904223) >> (run & 1 ? 24 : 25));
        buf_clear(&out);
        leader_sql_value(plan, 2, &value, false, &out);
        size_t from = out.data[0] == 'X' ? 2 : 1;
        assert_true(out.data[from - 1] == '\'' && out.data[out.size - 1] == '\'');
        for (size_t i = from; i + 1 < out.size; i++)
            assert_true(out.data[i] >= 32 && out.data[i] < 127 && out.data[i] != '\'' && out.data[i] != '\\' && out.data[i] != '"');
    }
    buf_fini(&out);
}

static void test_refused(void **state)
{
    (void)state;
    struct target_table target = sink_target;
    struct leader_sql none;
    struct plan *p;
    target.name = slice_text("a\\b"); /* a follower would look for the name's end elsewhere */
    assert_true(plan_new(table, &target, false, &p, NULL));
    assert_false(leader_sql_init(&none, p));
    plan_free(p);
    target = sink_target;
    target.key_count = 0;
    assert_true(plan_new(table, &target, false, &p, NULL));
    assert_false(leader_sql_fits(p));
    plan_free(p);
    assert_true(leader_sql_fits(plan));
}

static void test_direct(void **state)
{
    (void)state;
    struct target_table target = sink_target;
    struct leader_sql direct;
    struct plan *p;
    struct value before[3], after[3];
    struct buf out;
    target.key_count = 0;
    assert_true(plan_new(table, &target, false, &p, NULL));
    assert_true(leader_sql_init(&direct, p));
    values(1, 7, "a", before);
    uint8_t image[64];
    struct row row = sink_row(1, 8, NULL, image);
    assert_true(row_values(table, &row, after));
    buf_init(&out, 10000);
    leader_sql_direct(p, &direct, CHANGE_UPDATE, 0, false, before, after, &out);
    is_text(&out, CONTEXT "UPDATE `d`.`t` SET `id`=1,`u`=8,`s`=NULL WHERE `id`<=>1 AND `u`<=>7 AND `s`<=>X'61' AND BINARY `s`<=>X'61' LIMIT 1");
    buf_clear(&out);
    leader_sql_direct(p, &direct, CHANGE_INSERT, 0, false, NULL, after, &out);
    is_text(&out, CONTEXT "INSERT INTO `d`.`t` (`id`,`u`,`s`) VALUES (1,8,NULL)");
    buf_fini(&out);
    plan_free(p);
}

/* Of rows that are equal but for the sign of a zero, ours comes first. */
static void signed_zero(void **state)
{
    uint8_t zero[8] = {0, 0, 0, 0, 0, 0, 0, 0x80}, one[8] = {0, 0, 0, 0, 0, 0, 0xf0, 0x3f};
    struct column columns[] = {{.name = slice_text("v"), .kind = COLUMN_DOUBLE, .width = 8, .nullable = true}, {.name = slice_text("w"), .kind = COLUMN_DOUBLE, .width = 8, .nullable = true}};
    struct table real = {.database = slice_text("d"), .name = slice_text("r"), .columns = columns, .column_count = 2, .named = true};
    struct target_column theirs[] = {{.name = slice_text("v"), .nullable = true, .real = true}, {.name = slice_text("w"), .nullable = true, .real = true}};
    struct target_table to = {.database = slice_text("d"), .name = slice_text("r"), .exists = true, .columns = theirs, .column_count = 2};
    struct value before[] = {{.state = VALUE_PRESENT, .bytes = {zero, 8}}, {.state = VALUE_PRESENT, .bytes = {one, 8}}};
    struct leader_sql sql;
    struct plan *p;
    struct buf out;
    (void)state;
    assert_true(plan_new(&real, &to, false, &p, NULL));
    assert_true(leader_sql_init(&sql, p));
    buf_init(&out, 10000);
    leader_sql_direct(p, &sql, CHANGE_DELETE, 0, false, before, NULL, &out);
    is_text(&out, CONTEXT "DELETE FROM `d`.`r` WHERE `v`<=>-0e0 AND `w`<=>1e0 ORDER BY (ATAN2(0,`v`)=ATAN2(0,-0e0)) DESC LIMIT 1");
    buf_fini(&out);
    plan_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signed_zero),
        cmocka_unit_test_setup_teardown(test_upsert, setup, teardown), cmocka_unit_test_setup_teardown(test_delete, setup, teardown),
        cmocka_unit_test_setup_teardown(test_update, setup, teardown), cmocka_unit_test_setup_teardown(test_two_columns, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limit, setup, teardown), cmocka_unit_test_setup_teardown(test_values, setup, teardown),
        cmocka_unit_test_setup_teardown(test_absent, setup, teardown), cmocka_unit_test_setup_teardown(test_any_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown), cmocka_unit_test_setup_teardown(test_direct, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
