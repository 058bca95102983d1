/* test_map.c: which map an id means, and when two are the same. */
#include "unit.h"

#include "filter.h"
#include "map.h"

/* g.NAME (a INT), with the given type byte */
static struct slice raw(const char *name, const char *type)
{
    char hex[200];
    snprintf(hex, sizeof hex, "0100 0167 00 01%02x 00 01 %s 00 00", (unsigned)name[0], type);
    return unit_hex(hex);
}

static unsigned asked;

static bool answer(void *context, struct table *draft, struct arena *arena, struct err *err)
{
    (void)context, (void)arena, (void)err;
    asked++;
    draft->columns[0].name = slice_text("a");
    draft->named = true;
    return true;
}

static void test_identity(void **state)
{
    (void)state;
    struct maps *maps = maps_new(&(struct maps_options){0});
    struct err err;
    const struct table *first, *second;
    assert_true(maps_open(maps, 18, raw("t", "03"), &err));
    struct map *map = maps_find(maps, 18);
    assert_non_null(map);
    assert_null(maps_find(maps, 19));
    assert_true(maps_table(maps, map, true, &first, &err));
    assert_slice(first->name, "t");
    maps_close(maps);
    assert_null(maps_find(maps, 18));
    assert_true(maps_open(maps, 18, raw("t", "03"), &err));   /* the next statement */
    assert_ptr_equal(maps_find(maps, 18), map);
    assert_true(maps_open(maps, 18, raw("u", "03"), &err));   /* the id of another table */
    assert_ptr_not_equal(maps_find(maps, 18), map);
    assert_true(maps_open(maps, 77, raw("t", "03"), &err));   /* another id of the same table */
    assert_ptr_equal(maps_find(maps, 77), map);
    assert_true(maps_open(maps, 78, raw("t", "02"), &err));   /* altered */
    assert_true(maps_table(maps, maps_find(maps, 78), true, &second, &err));
    assert_int_not_equal(first->id, second->id);
    assert_int_equal(maps_count(maps), 3);
    maps_free(maps);
}

static void test_schema(void **state)
{
    (void)state;
    struct maps *maps = maps_new(&(struct maps_options){.schema = answer});
    struct err err;
    const struct table *table, *again;
    asked = 0;
    for (int i = 0; i < 3; i++) {
        assert_true(maps_open(maps, 18, raw("t", "03"), &err));
        assert_true(maps_table(maps, maps_find(maps, 18), true, &table, &err));
        maps_close(maps);
    }
    assert_int_equal(asked, 1);
    assert_true(table->named);
    uint32_t id = table->id;
    maps_forget(maps, false);
    assert_int_equal(maps_count(maps), 0);
    assert_true(maps_open(maps, 18, raw("t", "03"), &err));
    assert_true(maps_table(maps, maps_find(maps, 18), true, &again, &err));
    assert_int_equal(asked, 2);
    assert_int_not_equal(again->id, id);
    maps_free(maps);
}

/* g.t (a …) with all metadata: its name, and the collation of a text whose length has `width` bytes. */
static const struct table *named_text(struct maps *maps, uint64_t id, unsigned width, unsigned collation, struct err *err)
{
    char hex[200];
    const struct table *table = NULL;
    snprintf(hex, sizeof hex, "0100 0167 00 0174 00 01 fc 01 %02x 01 0201%02x 04020161", width, collation);
    assert_true(maps_open(maps, id, unit_hex(hex), err));
    return maps_table(maps, maps_find(maps, id), true, &table, err) ? table : NULL;
}

static enum column_kind answered_kind;
static const char *answered_name;
static enum err_code answered_error;

static bool answer_kind(void *context, struct table *draft, struct arena *arena, struct err *err)
{
    (void)context, (void)arena;
    asked++;
    if (answered_error) return err_set(err, answered_error, "no answer");
    draft->columns[0].kind = answered_kind;
    draft->columns[0].name = slice_text(answered_name);
    return true;
}

/* Names are known, but whether a LONGTEXT is JSON only the dictionary knows. */
static void test_json(void **state)
{
    (void)state;
    struct maps *maps = maps_new(&(struct maps_options){.schema = answer_kind});
    struct err err;
    asked = 0;
    answered_name = "a";
    answered_kind = COLUMN_JSON;
    assert_int_equal(named_text(maps, 1, 4, 46, &err)->columns[0].kind, COLUMN_JSON);
    assert_int_equal(asked, 1);
    maps_forget(maps, false); /* a DDL may have made it another */
    answered_kind = COLUMN_BLOB;
    assert_int_equal(named_text(maps, 1, 4, 46, &err)->columns[0].kind, COLUMN_TEXT);
    assert_int_equal(asked, 2);
    maps_forget(maps, false);
    answered_kind = COLUMN_JSON;
    answered_name = "b"; /* of another time */
    assert_int_equal(named_text(maps, 1, 4, 46, &err)->columns[0].kind, COLUMN_TEXT);
    maps_forget(maps, false);
    answered_error = ERR_STOP;
    assert_int_equal(named_text(maps, 1, 4, 46, &err)->columns[0].kind, COLUMN_TEXT);
    maps_forget(maps, false);
    answered_error = ERR_RETRY;
    assert_null(named_text(maps, 1, 4, 46, &err));
    assert_int_equal(err.code, ERR_RETRY);
    answered_error = ERR_NONE;
    asked = 0;
    assert_int_equal(named_text(maps, 2, 3, 46, &err)->columns[0].kind, COLUMN_TEXT); /* MEDIUMTEXT */
    assert_int_equal(named_text(maps, 3, 4, 45, &err)->columns[0].kind, COLUMN_TEXT); /* another collation */
    assert_int_equal(named_text(maps, 4, 4, 63, &err)->columns[0].kind, COLUMN_BLOB);
    assert_int_equal(asked, 0);
    maps_free(maps);
}

/* MariaDB writes what a SEQUENCE hands out as rows of a table of eight columns, known by their names alone. */
static void test_sequence(void **state)
{
    static const char *const names[] = {"next_not_cached_value", "minimum_value", "maximum_value", "start_value", "increment", "cache_size",
                                        "cycle_option", "cycle_count"};
    struct maps *maps = maps_new(&(struct maps_options){0});
    struct err err;
    const struct table *table;
    (void)state;
    for (int other = 0; other < 2; other++) { /* as 10.11 logs one, then with another name in the last column */
        char hex[600] = "0100 0167 00 0173 00 08 0808080808080108 00 00 04 6c";
        for (int i = 0; i < 8; i++) {
            snprintf(hex + strlen(hex), 4, "%02x", (unsigned)strlen(names[i]));
            for (const char *at = names[i]; *at; at++) snprintf(hex + strlen(hex), 4, "%02x", (unsigned)*at + (other && i == 7 && !at[1]));
        }
        assert_true(maps_open(maps, 18, unit_hex(hex), &err));
        assert_true(maps_table(maps, maps_find(maps, 18), true, &table, &err));
        assert_int_equal(table_is_sequence(table), !other);
    }
    maps_free(maps);
}

/* A table nobody wants may have columns that nobody can read. */
static void test_filter(void **state)
{
    (void)state;
    const char *include[] = {"g.t"};
    struct filter *filter;
    struct err err;
    const struct table *table;
    assert_true(filter_new(&(struct strings){1, include}, &(struct strings){0}, &filter, &err));
    struct maps *maps = maps_new(&(struct maps_options){.filter = filter});
    assert_true(maps_open(maps, 1, raw("t", "0b"), &err));
    assert_true(maps_open(maps, 2, raw("u", "0b"), &err));
    assert_true(maps_find(maps, 1)->wanted);
    assert_false(maps_find(maps, 2)->wanted);
    assert_false(maps_table(maps, maps_find(maps, 1), true, &table, &err));
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    maps_free(maps);
    filter_free(filter);
}

static void test_limits(void **state)
{
    (void)state;
    struct maps *maps = maps_new(&(struct maps_options){0});
    struct err err;
    for (uint64_t id = 0; id < MAPS_OPEN_MAX; id++) assert_true(maps_open(maps, id, raw("t", "03"), &err));
    assert_false(maps_open(maps, MAPS_OPEN_MAX, raw("t", "03"), &err));
    assert_int_equal(err.code, ERR_LIMIT);
    assert_false(maps_open(maps, 1, unit_hex("0100"), &err) && maps_count(maps) > 1);
    maps_close(maps);
    assert_false(maps_open(maps, 1, unit_hex("0100"), &err));
    assert_int_equal(err.code, ERR_CORRUPT);
    maps_free(maps);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_identity), cmocka_unit_test(test_schema), cmocka_unit_test(test_json), cmocka_unit_test(test_sequence),
                                       cmocka_unit_test(test_filter), cmocka_unit_test(test_limits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
