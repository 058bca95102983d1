/* Which columns are masked, what their values become, and what is refused. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mask.h"

#define NAME(s) {(const uint8_t *)(s), sizeof(s) - 1}

static struct column columns[] = {
    {.kind = COLUMN_INT, .width = 2, .sign_known = true, .name = NAME("id")},
    {.kind = COLUMN_VARCHAR, .width = 1, .max_bytes = 80, .nullable = true, .collation = 45, .name = NAME("mail")},
    {.kind = COLUMN_VARCHAR, .width = 1, .max_bytes = 40, .nullable = true, .collation = 35 /* ucs2 */, .name = NAME("wide")},
    {.kind = COLUMN_INT, .width = 1, .sign_known = true, .nullable = true, .name = NAME("n")},
    {.kind = COLUMN_DATE, .name = NAME("born")},
};
static struct table *table;
static char key_file[64];

static struct mask *make(const char *hash, const char *fixed, const char *null, const char *exclude, struct err *err)
{
    const char *texts[] = {hash, fixed, null, exclude};
    struct filter_settings settings = {.mask_key_file = key_file};
    struct strings *lists[] = {&settings.mask_hash, &settings.mask_fixed, &settings.mask_null, &settings.exclude_columns};
    struct mask *mask = NULL;
    for (int i = 0; i < 4; i++)
        if (texts[i]) *lists[i] = (struct strings){1, &texts[i]};
    if (!mask_new(&settings, &mask, err)) assert_null(mask);
    return mask;
}

/* (7, "a", "b", 3, 2000-01-01) */
static struct change row(void)
{
    static const uint8_t image[] = {0, 7, 0, 1, 'a', 2, 0, 'b', 3, 0x21, 0xa0, 0x0f};
    return (struct change){.kind = CHANGE_INSERT, .table = table, .after = {.image = {image, sizeof image}}};
}

static void values_of(struct mask *mask, struct value values[5])
{
    struct change change = row();
    bool masked;
    assert_true(mask_change(mask, &change, &masked, NULL));
    assert_true(masked);
    assert_true(row_values(table, &change.after, values));
}

static void test_hash(void **state)
{
    (void)state;
    struct value values[5], again[5];
    struct mask *mask = make("s?op.*.mail", NULL, NULL, NULL, NULL), *wide = make("shop.person.wide", NULL, NULL, NULL, NULL);
    values_of(mask, values);
    /* HMAC-SHA256("0123456789abcdef", "a"), as many digits as the column has characters */
    assert_int_equal(values[1].bytes.size, 20);
    for (size_t i = 0; i < 20; i++) assert_non_null(strchr("0123456789abcdef", values[1].bytes.data[i]));
    assert_int_equal(values[0].bytes.data[0], 7);
    assert_int_equal(values[3].bytes.data[0], 3);
    char first[20];
    memcpy(first, values[1].bytes.data, 20);
    values_of(mask, again);
    assert_memory_equal(again[1].bytes.data, first, 20);
    values_of(wide, values);
    assert_int_equal(values[2].bytes.size, 40);
    assert_int_equal(values[2].bytes.data[0], 0);
    assert_int_not_equal(values[2].bytes.data[1], 0);
    mask_free(mask);
    mask_free(wide);
}

/* Integers of a key stay different: a permutation. */
static void test_permutation(void **state)
{
    (void)state;
    static uint8_t seen[65536];
    struct mask *mask = make("shop.person.id", NULL, NULL, NULL, NULL);
    unsigned same = 0;
    for (unsigned i = 0; i < 65536; i++) {
        uint8_t image[] = {0x0e, (uint8_t)i, (uint8_t)(i >> 8), 0x21, 0xa0, 0x0f};
        struct change change = {.kind = CHANGE_INSERT, .table = table, .after = {.image = {image, sizeof image}}};
        struct value values[5];
        bool masked;
        assert_true(mask_change(mask, &change, &masked, NULL) && row_values(table, &change.after, values));
        unsigned to = values[0].bytes.data[0] | (unsigned)values[0].bytes.data[1] << 8;
        assert_false(seen[to]++);
        same += to == i;
        assert_int_equal(values[1].state, VALUE_NULL);
    }
    assert_true(same < 20);
    mask_free(mask);
}

static void test_others(void **state)
{
    (void)state;
    struct value values[5];
    struct mask *mask = make(NULL, "shop.person.n=-5", "shop.person.mail", "shop.person.wide", NULL);
    values_of(mask, values);
    assert_int_equal(values[0].state, VALUE_PRESENT);
    assert_int_equal(values[1].state, VALUE_NULL);
    assert_int_equal(values[2].state, VALUE_ABSENT);
    assert_int_equal(values[3].bytes.data[0], 0xfb);
    assert_int_equal(values[4].state, VALUE_PRESENT);
    mask_free(mask);
    /* another table is left alone */
    mask = make(NULL, NULL, "shop.other.mail", NULL, NULL);
    struct change change = row(), before = change;
    bool masked = true;
    assert_true(mask_change(mask, &change, &masked, NULL));
    assert_false(masked);
    assert_ptr_equal(change.after.image.data, before.after.image.data);
    mask_free(mask);
}

static void refused(const char *hash, const char *fixed, const char *null, const char *exclude, const char *why)
{
    struct err err = {0};
    struct change change = row();
    bool masked;
    struct mask *mask = make(hash, fixed, null, exclude, &err);
    if (mask) assert_false(mask_change(mask, &change, &masked, &err));
    if (!strstr(err.text, why)) fail_msg("'%s' does not say '%s'", err.text, why);
    mask_free(mask);
}

static void test_refused(void **state)
{
    (void)state;
    refused(NULL, NULL, "shop.person.id", NULL, "primary key");
    refused(NULL, "shop.person.id=1", NULL, NULL, "primary key");
    refused(NULL, NULL, NULL, "*.*.*", "primary key");
    refused(NULL, NULL, "shop.person.born", NULL, "NOT NULL");
    refused("shop.person.born", NULL, NULL, NULL, "can be hashed");
    refused(NULL, "shop.person.n=128", NULL, NULL, "does not fit");
    refused(NULL, "shop.person.n=x", NULL, NULL, "does not fit");
    refused(NULL, "shop.person.mail=012345678901234567890", NULL, NULL, "does not fit");
    refused(NULL, "shop.person.born=1", NULL, NULL, "does not fit");
    refused("shop.person", NULL, NULL, NULL, "database.table.column");
    refused(NULL, "shop.person.n", NULL, NULL, "database.table.column=value");
    columns[1].max_bytes = 60;
    const char *reason = NULL;
    struct table draft = {.database = NAME("shop"), .name = NAME("short"), .column_count = 5, .columns = columns, .named = true}, *old = table;
    table = table_new(&draft, 9, &reason);
    refused("shop.short.mail", NULL, NULL, NULL, "too short");
    table_free(table);
    table = old;
    columns[1].max_bytes = 80;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_hash), cmocka_unit_test(test_permutation), cmocka_unit_test(test_others),
                                       cmocka_unit_test(test_refused)};
    const char *reason = NULL;
    uint16_t key[] = {0};
    struct table draft = {.database = NAME("shop"), .name = NAME("person"), .column_count = 5, .columns = columns, .named = true, .key_count = 1, .key = key};
    table = table_new(&draft, 1, &reason);
    strcpy(key_file, "mask-key-XXXXXX");
    int fd = mkstemp(key_file);
    if (!table || fd < 0 || write(fd, "0123456789abcdef\n", 17) != 17) return 1;
    close(fd);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(key_file);
    table_free(table);
    return failed;
}
