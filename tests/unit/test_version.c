/* What the rows of a system-versioned table's log are said as. */
#include "sink_unit.h"

#include "version.h"

static struct column columns[] = {
    {.kind = COLUMN_INT, .width = 4, .sign_known = true, .name = NAME("id")},
    {.kind = COLUMN_TIMESTAMP, .scale = 6, .name = NAME("row_start")},
    {.kind = COLUMN_TIMESTAMP, .scale = 6, .name = NAME("row_end")},
};
static struct plan plan = {.target = &sink_target, .row_start = 1, .row_end = 2};

/* "id start end": hex, an x: not in the image. */
static void values_of(const char *start, const char *end, struct value *values)
{
    static uint8_t bytes[16][8]; /* of the last calls */
    static unsigned at;
    const char *const texts[] = {"01000000", start, end};
    for (int i = 0; i < 3; i++) {
        if (texts[i][0] == 'x') {
            values[i] = (struct value){VALUE_ABSENT, {NULL, 0}};
            continue;
        }
        struct slice hex = unit_hex(texts[i]);
        memcpy(bytes[at % 16], hex.data, hex.size);
        values[i] = (struct value){VALUE_PRESENT, {bytes[at++ % 16], hex.size}};
    }
}

static void test_read(void **state)
{
#define T1 "6553f10001b207"     /* 1700000000.111111 */
#define T2 "6553f101036455"     /* 1700000001.222293 */
#define END "7fffffff0f423f"    /* of time, before 11.5 */
#define LATER "ffffffff0f423f"  /* and since */
    static const uint64_t at1 = UINT64_C(1700000000111111), at2 = UINT64_C(1700000001222293);
    static const struct { enum change_kind kind; const char *from, *to, *start, *end; enum version_act act; enum change_kind said; enum shape_mode mode; uint64_t us; bool waits; }
    rows[] = {
        {CHANGE_INSERT, "", "", T1, END, VERSION_ROW, CHANGE_INSERT, SHAPE_PLAIN, at1, false},
        {CHANGE_INSERT, "", "", T1, LATER, VERSION_ROW, CHANGE_INSERT, SHAPE_PLAIN, at1, false},
        {CHANGE_INSERT, "", "", T1, T2, VERSION_OLD, CHANGE_INSERT, SHAPE_HISTORY, at2, false},
        {CHANGE_UPDATE, T1, END, T2, END, VERSION_ROW, CHANGE_UPDATE, SHAPE_PLAIN, at2, true},
        {CHANGE_UPDATE, T1, LATER, T2, LATER, VERSION_ROW, CHANGE_UPDATE, SHAPE_PLAIN, at2, true},
        {CHANGE_UPDATE, T1, END, T1, END, VERSION_ROW, CHANGE_UPDATE, SHAPE_UNMADE, at1, false},  /* of what is not versioned, or twice at one time */
        {CHANGE_UPDATE, T1, END, "x", "x", VERSION_ROW, CHANGE_UPDATE, SHAPE_UNMADE, at1, false}, /* FULL_NODUP */
        {CHANGE_UPDATE, T2, END, T1, END, VERSION_ROW, CHANGE_UPDATE, SHAPE_PLAIN, at1, true},    /* the clock went back */
        {CHANGE_UPDATE, T1, END, T1, T2, VERSION_ROW, CHANGE_DELETE, SHAPE_MADE, at2, false},
        {CHANGE_UPDATE, T1, END, T1, T1, VERSION_ROW, CHANGE_DELETE, SHAPE_MADE, at1, false},
        {CHANGE_UPDATE, "x", END, T2, "x", VERSION_ROW, CHANGE_UPDATE, SHAPE_PLAIN, at2, true},   /* MINIMAL */
        {CHANGE_UPDATE, "x", END, "x", "x", VERSION_ROW, CHANGE_UPDATE, SHAPE_PLAIN, 0, false},
        {CHANGE_UPDATE, "x", END, "x", T2, VERSION_ROW, CHANGE_DELETE, SHAPE_MADE, at2, false},
        {CHANGE_DELETE, T2, END, "", "", VERSION_ROW, CHANGE_DELETE, SHAPE_PLAIN, 1000000, false},
        {CHANGE_DELETE, T1, T2, "", "", VERSION_GONE, CHANGE_DELETE, SHAPE_PLAIN, at2, false},
        {CHANGE_DELETE, "x", T2, "", "", VERSION_GONE, CHANGE_DELETE, SHAPE_PLAIN, at2, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct value before[3], after[3];
        struct version v;
        struct err err = {0};
        if (rows[i].kind != CHANGE_INSERT) values_of(rows[i].from, rows[i].to, before);
        if (rows[i].kind != CHANGE_DELETE) values_of(rows[i].start, rows[i].end, after);
        assert_true(version_read(&plan, rows[i].kind, before, after, &v, &err));
        if (v.act != rows[i].act || v.kind != rows[i].said || v.mode != rows[i].mode || v.us != rows[i].us || v.waits != rows[i].waits)
            fail_msg("row %zu: act %d kind %d mode %d us %llu waits %d", i, (int)v.act, (int)v.kind, (int)v.mode, (unsigned long long)v.us, v.waits);
    }
}

static void test_refused(void **state)
{
    struct value before[3], after[3];
    struct version v;
    struct err err = {0};
    (void)state;
    values_of(T1, T2, before);
    values_of(T2, T2, after);
    assert_false(version_read(&plan, CHANGE_UPDATE, before, after, &v, &err));
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "d.t: the source has changed a row of its history"));
    values_of("x", END, after);
    assert_false(version_read(&plan, CHANGE_INSERT, NULL, after, &v, &err));
    values_of(T1, "x", after);
    assert_false(version_read(&plan, CHANGE_INSERT, NULL, after, &v, &err));
    values_of(T1, "x", before);
    assert_false(version_read(&plan, CHANGE_UPDATE, before, after, &v, &err));
    assert_false(version_read(&plan, CHANGE_DELETE, before, NULL, &v, &err));
}

static void test_purge(void **state)
{
    struct buf sql;
    (void)state;
    buf_init(&sql, 1024);
    version_purge_sql(&plan, UINT64_C(1700000000999999), &sql);
    assert_string_equal(buf_cstr(&sql), "DELETE HISTORY FROM `d`.`t` BEFORE SYSTEM_TIME FROM_UNIXTIME(1700000001.000000)");
    buf_fini(&sql);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_read), cmocka_unit_test(test_refused), cmocka_unit_test(test_purge)};
    const char *reason = NULL;
    struct table draft = {.database = NAME("d"), .name = NAME("t"), .column_count = 3, .columns = columns, .named = true};
    struct table *table = table_new(&draft, 1, &reason);
    assert_non_null(table);
    plan.source = table;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    table_free(table);
    return failed;
}
