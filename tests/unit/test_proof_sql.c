/* The SQL of the proof: rows as bytes that no other row makes, key ranges, literals; and what is no key is refused. */
#include "unit.h"

#include "proof_sql.h"

#define NAME(s) {(const uint8_t *)(s), sizeof(s) - 1}

static struct proof_column columns[4];
static struct proof_table table = {.database = NAME("d"), .name = NAME("a`b"), .column_count = 4, .columns = columns, .key_count = 2,
                                   .key = {1, 0}, .index = NAME("PRIMARY")};
static struct buf out;

static int setup(void **state)
{
    (void)state;
    columns[0] = (struct proof_column){.name = NAME("id"), .kind = proof_kind("int")};
    columns[1] = (struct proof_column){.name = NAME("s"), .kind = proof_kind("varchar"), .charset = "utf8mb4"};
    columns[2] = (struct proof_column){.name = NAME("g"), .kind = proof_kind("int"), .generated = true};
    columns[3] = (struct proof_column){.name = NAME("t"), .kind = proof_kind("longtext"), .charset = "latin1", .nullable = true};
    table.key_count = 2;
    table.key[0] = 1;
    buf_init(&out, PROOF_SQL_MAX);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    buf_fini(&out);
    return 0;
}

static void is(const char *text)
{
    assert_string_equal(buf_cstr(&out), text);
    buf_clear(&out);
}

/* A key of (s, id) or (id, s), whatever the values. */
static struct slice key(const char *first, const char *second)
{
    static struct buf store;
    if (!store.max) buf_init(&store, 4096);
    buf_clear(&store);
    buf_varint_bytes(&store, slice_text(first));
    buf_varint_bytes(&store, slice_text(second));
    return buf_bytes(&store);
}

static void test_row_bytes(void **state)
{
    (void)state;
    proof_sql_hash(&out, &table);
    is("MD5(CONCAT('',`id`,',',CONCAT(LENGTH(`s`),':',CAST(`s` AS BINARY)),IFNULL(MD5(`t`),'N')))");
    assert_null(proof_kind("polygon")->type);
    assert_false(proof_kind("longtext")->key);
    assert_true(proof_kind("inet6")->key);
}

static void test_range(void **state)
{
    struct slice open = {NULL, 0};
    (void)state;
    assert_true(proof_sql_bound(&out, &table, open, open, 1000));
    is("SELECT HEX(CAST(`s` AS BINARY)),`id` FROM `d`.`a``b` FORCE INDEX (`PRIMARY`) ORDER BY `s`,`id` LIMIT 999,1");
    assert_true(proof_sql_bound(&out, &table, key("6B", "-7"), open, 2));
    is("SELECT HEX(CAST(`s` AS BINARY)),`id` FROM `d`.`a``b` FORCE INDEX (`PRIMARY`) WHERE ((`s`>_utf8mb4 X'6B') OR "
       "(`s`=_utf8mb4 X'6B' AND `id`>-7)) ORDER BY `s`,`id` LIMIT 1,1");
    assert_true(proof_sql_rows(&out, &table, open, key("", "5"), 10));
    assert_non_null(strstr(buf_cstr(&out), " WHERE ((`s`<_utf8mb4 X'') OR (`s`=_utf8mb4 X'' AND `id`<5) OR (`s`=_utf8mb4 X'' AND `id`=5)) ORDER BY"));
}

static void test_enum_key(void **state)
{
    struct slice open = {NULL, 0};
    (void)state;
    columns[0] = (struct proof_column){.name = NAME("id"), .kind = proof_kind("enum"), .members = 4};
    table.key_count = 1;
    table.key[0] = 0;
    struct slice two = slice_of("\1" "2", 2), none = slice_of("\1" "0", 2), odd = slice_of("\1" "x", 2);
    assert_true(proof_sql_bound(&out, &table, two, open, 1));
    assert_non_null(strstr(buf_cstr(&out), " WHERE ((`id` IN (NULL,3,4))) "));
    buf_clear(&out);
    assert_true(proof_sql_rows(&out, &table, open, two, 1));
    assert_non_null(strstr(buf_cstr(&out), " WHERE ((`id` IN (NULL,0,1)) OR (`id`=2)) "));
    buf_clear(&out);
    assert_true(proof_sql_rows(&out, &table, open, none, 1));
    assert_non_null(strstr(buf_cstr(&out), " WHERE ((`id` IN (NULL)) OR (`id`=0)) "));
    assert_false(proof_sql_bound(&out, &table, odd, open, 1));
}

static void test_what_is_no_key(void **state)
{
    static const struct { const char *first, *second; } bad[] = {{"6G", "1"}, {"6", "1"}, {"6B", "1 OR 1"}, {"6B", ""}, {"6B'", "1"}, {"6B", "1;"}};
    struct slice cut = key("6B", "17");
    (void)state;
    assert_true(proof_sql_at(&out, &table, cut));
    is(" WHERE `s`=_utf8mb4 X'6B' AND `id`=17");
    cut.size--;
    assert_false(proof_sql_at(&out, &table, cut));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(proof_sql_at(&out, &table, key(bad[i].first, bad[i].second)));
}

static void test_insert(void **state)
{
    struct slice values[] = {slice_text("-1"), slice_text("C3A9"), {NULL, 0}};
    (void)state;
    assert_true(proof_sql_insert(&out, &table, values));
    is(" (`id`,`s`,`t`) VALUES (-1,_utf8mb4 X'C3A9',NULL)");
    columns[0].kind = proof_kind("datetime");
    values[0] = slice_text("2024-02-31 00:00:00.5");
    assert_true(proof_sql_insert(&out, &table, values));
    is(" (`id`,`s`,`t`) VALUES (_latin1 '2024-02-31 00:00:00.5',_utf8mb4 X'C3A9',NULL)");
    values[0] = slice_text("2024'");
    assert_false(proof_sql_insert(&out, &table, values));
}

static void test_said(void **state)
{
    (void)state;
    proof_sql_say_key(&out, &table, key("6B31", "17"));
    is("s='k1', id=17");
    proof_sql_say_key(&out, &table, key("C3A9", "17"));
    is("s=0xC3A9, id=17");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_row_bytes, setup, teardown), cmocka_unit_test_setup_teardown(test_range, setup, teardown),
        cmocka_unit_test_setup_teardown(test_enum_key, setup, teardown), cmocka_unit_test_setup_teardown(test_what_is_no_key, setup, teardown),
        cmocka_unit_test_setup_teardown(test_insert, setup, teardown), cmocka_unit_test_setup_teardown(test_said, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
