/* Which tables are wanted. */
#include "unit.h"

#include "filter.h"

static bool wants(const struct filter *f, const char *database, const char *table)
{
    return filter_wants(f, slice_text(database), slice_text(table));
}

static void include_then_exclude(void **state)
{
    const char *in[] = {"shop.*", "log?.entry_*"}, *out[] = {"shop.tmp*"};
    struct strings include = {2, in}, exclude = {1, out};
    struct filter *f;
    struct err err;
    (void)state;
    assert_true(filter_new(&include, &exclude, &f, &err));
    assert_true(wants(f, "shop", "orders"));
    assert_false(wants(f, "shop", "tmp_7"));
    assert_true(wants(f, "log1", "entry_a"));
    assert_false(wants(f, "log", "entry_a"));
    assert_false(wants(f, "log1", "entr"));
    assert_false(wants(f, "shopx", "orders"));
    filter_free(f);
}

static void system_databases_never(void **state)
{
    const char *in[] = {"*.*"};
    struct strings include = {1, in}, none = {0};
    struct filter *f;
    struct err err;
    (void)state;
    assert_true(filter_new(&include, &none, &f, &err));
    assert_false(wants(f, "mysql", "user"));
    assert_false(wants(f, "wolfcdc", "position"));
    assert_false(wants(NULL, "Performance_Schema", "x"));
    assert_true(wants(NULL, "mysql2", "user"));
    assert_true(wants(f, "a", "b"));
    filter_free(f);
}

static void bad_patterns_are_named(void **state)
{
    static const char *const bad[] = {"shop", ".x", "x.", ""};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct strings include = {1, (const char **)&bad[i]}, none = {0};
        struct filter *f;
        struct err err;
        assert_false(filter_new(&include, &none, &f, &err));
        assert_int_equal(err.code, ERR_CONFIG);
    }
}

static void stars_do_not_explode(void **state)
{
    const char *in[] = {"*a*a*a*a*a*a*a*a*b.*"};
    struct strings include = {1, in}, none = {0};
    struct filter *f;
    struct err err;
    char long_name[257];
    (void)state;
    memset(long_name, 'a', 256);
    long_name[256] = 0;
    assert_true(filter_new(&include, &none, &f, &err));
    for (int i = 0; i < 1000; i++) assert_false(wants(f, long_name, "t"));
    filter_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(include_then_exclude),
        cmocka_unit_test(system_databases_never),
        cmocka_unit_test(bad_patterns_are_named),
        cmocka_unit_test(stars_do_not_explode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
