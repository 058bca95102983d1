/* test_names.c: names of tables as a server that does not tell cases apart compares and keeps them. */
#include "unit.h"

#include "names.h"

static void test_equal(void **state)
{
    static const struct { const char *a, *b; bool same; } cases[] = {
        {"orders", "Orders", true}, {"GRÖßE", "größe", true}, {"ЖЯ", "жя", true}, {"a", "b", false}, {"a", "ab", false}, {"", "", true},
        {"\xff\xfe", "\xff\xfe", true}, {"\xff\xfe", "\xff", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct slice a = slice_text(cases[i].a), b = slice_text(cases[i].b);
        assert_int_equal(names_equal(a, b, true), cases[i].same);
        assert_int_equal(names_equal(a, b, false), !strcmp(cases[i].a, cases[i].b));
        if (cases[i].same) assert_int_equal(names_hash(a, 5), names_hash(b, 5));
    }
    assert_int_not_equal(names_hash(slice_text("ab"), 5), names_hash(slice_text("ba"), 5));
}

static void test_lower(void **state)
{
    char text[] = "GRÖßE Жя \xff 漢 İ Z";
    (void)state;
    names_lower((uint8_t *)text, strlen(text));
    assert_string_equal(text, "größe жя \xff 漢 İ z"); /* İ would become shorter */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_equal), cmocka_unit_test(test_lower)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
