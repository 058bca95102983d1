/* Definitions of information_schema put on the columns of a map: taken over when they agree, refused when they do not. */
#include "unit.h"

#include "layout.h"
#include "schema.h"

struct test {
    struct arena arena;
    const char *reason;
};

static bool apply(struct test *test, struct column *to, const char *type, const char *full, bool nullable, unsigned collation,
                  uint64_t octets)
{
    struct schema_column from = {.name = "c", .data_type = type, .column_type = full, .nullable = nullable, .collation = collation,
                                 .octets = octets};
    test->reason = NULL;
    return schema_apply(&from, to, &test->arena, &test->reason);
}

static void signs(void **state)
{
    struct test *test = *state;
    struct column c = {.kind = COLUMN_INT, .width = 4};
    assert_true(apply(test, &c, "int", "int(10) unsigned", false, 0, 0));
    assert_true(c.is_unsigned && c.sign_known);
    assert_slice(c.name, "c");
    c = (struct column){.kind = COLUMN_INT, .width = 4};
    assert_true(apply(test, &c, "int", "int(11)", false, 0, 0));
    assert_false(c.is_unsigned);
    c = (struct column){.kind = COLUMN_INT, .width = 4};
    assert_false(apply(test, &c, "bigint", "bigint(20)", false, 0, 0));
    assert_non_null(test->reason);
    assert_int_equal(c.name.size, 0); /* untouched on failure */
    assert_false(apply(test, &c, "int", "int(11)", true, 0, 0));
    assert_non_null(strstr(test->reason, "NULL"));
}

static void kinds_that_the_map_cannot_tell(void **state)
{
    static const struct { const char *type, *full; unsigned collation; enum column_kind seen, kind; uint64_t octets; } cases[] = {
        {"char", "char(4)", 45, COLUMN_CHAR, COLUMN_CHAR, 16},     {"binary", "binary(16)", 0, COLUMN_CHAR, COLUMN_BINARY, 16},
        {"uuid", "uuid", 0, COLUMN_BINARY, COLUMN_UUID, 0},        {"inet4", "inet4", 0, COLUMN_BINARY, COLUMN_INET4, 0},
        {"inet6", "inet6", 0, COLUMN_CHAR, COLUMN_INET6, 0},       {"varbinary", "varbinary(16)", 0, COLUMN_VARCHAR, COLUMN_VARBINARY, 16},
        {"vector", "vector(4)", 0, COLUMN_VARBINARY, COLUMN_VECTOR, 0}, {"varchar", "varchar(4)", 8, COLUMN_VARBINARY, COLUMN_VARCHAR, 4},
    };
    struct test *test = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct column c = {.kind = cases[i].seen, .max_bytes = cases[i].octets ? (uint32_t)cases[i].octets : 16};
        assert_true(apply(test, &c, cases[i].type, cases[i].full, false, cases[i].collation, cases[i].octets));
        assert_int_equal(c.kind, cases[i].kind);
        assert_int_equal(c.collation, cases[i].collation);
    }
    struct column text = {.kind = COLUMN_BLOB, .width = 4};
    assert_true(apply(test, &text, "longtext", "longtext", false, 33, 4294967295));
    assert_int_equal(text.kind, COLUMN_TEXT);
    assert_false(apply(test, &text, "text", "text", false, 33, 65535)); /* another length of the length */
    struct column c = {.kind = COLUMN_CHAR, .max_bytes = 12};
    assert_false(apply(test, &c, "char", "char(4)", false, 45, 16));
    assert_false(apply(test, &c, "varchar", "varchar(3)", false, 45, 12));
    assert_false(apply(test, &c, "nosuchtype", "nosuchtype", false, 0, 12));
}

static void numbers_must_agree(void **state)
{
    struct test *test = *state;
    struct column d = {.kind = COLUMN_DECIMAL, .precision = 10, .scale = 2};
    assert_true(apply(test, &d, "decimal", "decimal(10,2) unsigned", false, 0, 0));
    assert_true(d.is_unsigned);
    assert_false(apply(test, &d, "decimal", "decimal(10,3)", false, 0, 0));
    struct column t = {.kind = COLUMN_DATETIME, .scale = 6}, b = {.kind = COLUMN_BIT, .bits = 12};
    assert_true(apply(test, &t, "datetime", "datetime(6)", false, 0, 0));
    assert_false(apply(test, &t, "datetime", "datetime", false, 0, 0));
    assert_true(apply(test, &b, "bit", "bit(12)", false, 0, 0));
    assert_false(apply(test, &b, "bit", "bit(11)", false, 0, 0));
    struct column old = {.kind = COLUMN_DATETIME, .layout = LAYOUT_OLD_DATETIME, .scale = LAYOUT_FSP_UNKNOWN};
    assert_true(apply(test, &old, "datetime", "datetime(3) /* mariadb-5.3 */", false, 0, 0)); /* the map has no fraction of MariaDB's old types */
    assert_int_equal(old.scale, 3);
}

static void labels(void **state)
{
    struct test *test = *state;
    struct column e = {.kind = COLUMN_ENUM, .width = 1};
    assert_true(apply(test, &e, "enum", "enum('a','it''s','','x,y')", false, 8, 0));
    assert_int_equal(e.label_count, 4);
    assert_slice(e.labels[0], "a");
    assert_slice(e.labels[1], "it's");
    assert_int_equal(e.labels[2].size, 0);
    assert_slice(e.labels[3], "x,y");
    struct column s = {.kind = COLUMN_SET, .width = 1};
    assert_false(apply(test, &s, "set", "set('a", false, 8, 0));
    assert_false(apply(test, &s, "set", "set", false, 8, 0));
    assert_false(apply(test, &s, "enum", "enum('a')", false, 8, 0));
    /* as MySQL 9.7 and MariaDB 10.11 show x\y, a line's end, a NUL, a tab, a quote at the end, a backslash */
    e = (struct column){.kind = COLUMN_ENUM, .width = 1};
    assert_true(apply(test, &e, "enum", "enum('x\\\\y','n\\nl','z\\0z','t\t','it''','\\\\')", false, 8, 0));
    assert_int_equal(e.label_count, 6);
    assert_slice(e.labels[0], "x\\y");
    assert_slice(e.labels[1], "n\nl");
    assert_int_equal(e.labels[2].size, 3);
    assert_memory_equal(e.labels[2].data, "z\0z", 3);
    assert_slice(e.labels[3], "t\t");
    assert_slice(e.labels[4], "it'");
    assert_slice(e.labels[5], "\\");
}

static int setup(void **state)
{
    static struct test test;
    arena_init(&test.arena);
    *state = &test;
    return 0;
}

static int teardown(void **state)
{
    struct test *test = *state;
    arena_fini(&test->arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(signs), cmocka_unit_test(kinds_that_the_map_cannot_tell),
                                       cmocka_unit_test(numbers_must_agree), cmocka_unit_test(labels)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
