/* Row values as the client protocol's binary parameters. */
#include "unit.h"

#include "bind.h"

static void check(struct column column, const char *row_hex, uint16_t type, const char *wire_hex)
{
    struct buf out;
    struct bind bind = bind_of(&column, false);
    buf_init(&out, 4096);
    bind.append(&column, unit_hex(row_hex), &out);
    struct slice want = unit_hex(wire_hex);
    assert_int_equal(bind.type, type);
    assert_int_equal(out.size, want.size);
    assert_memory_equal(out.data, want.data, want.size);
    buf_fini(&out);
}

static void test_integers(void **state)
{
    (void)state;
    check((struct column){.kind = COLUMN_INT, .width = 1, .sign_known = true}, "80", 1, "80");
    check((struct column){.kind = COLUMN_INT, .width = 1, .sign_known = true, .is_unsigned = true}, "ff", 1 | BIND_UNSIGNED, "ff");
    check((struct column){.kind = COLUMN_INT, .width = 3, .sign_known = true}, "fbffff", 3, "fbffffff");
    check((struct column){.kind = COLUMN_INT, .width = 3, .sign_known = true}, "ffff7f", 3, "ffff7f00");
    check((struct column){.kind = COLUMN_INT, .width = 3, .sign_known = true, .is_unsigned = true}, "ffffff", 3 | BIND_UNSIGNED, "ffffff00");
    check((struct column){.kind = COLUMN_INT, .width = 8, .sign_known = true}, "0102030405060708", 8, "0102030405060708");
    check((struct column){.kind = COLUMN_YEAR}, "00", 2, "0000");
    check((struct column){.kind = COLUMN_YEAR}, "7c", 2, "e807");
    check((struct column){.kind = COLUMN_BIT, .bits = 10}, "0309", 8 | BIND_UNSIGNED, "0903000000000000");
    check((struct column){.kind = COLUMN_ENUM, .width = 2}, "0201", 8 | BIND_UNSIGNED, "0201000000000000");
}

static void test_sign_from_target(void **state)
{
    (void)state;
    struct column unknown = {.kind = COLUMN_INT, .width = 4};
    assert_int_equal(bind_of(&unknown, true).type, 3 | BIND_UNSIGNED);
    assert_int_equal(bind_of(&unknown, false).type, 3);
    unknown.sign_known = true;
    assert_int_equal(bind_of(&unknown, true).type, 3);
}

static void test_times(void **state)
{
    (void)state;
    check((struct column){.kind = COLUMN_DATE}, "5cd00f", 10, "04 e807 02 1c");               /* 2024-02-28 */
    check((struct column){.kind = COLUMN_DATE}, "000000", 10, "04 0000 00 00");
    check((struct column){.kind = COLUMN_DATETIME}, "99b2bb7efb", 12, "07 e807 02 1d 17 3b 3b"); /* 2024-02-29 23:59:59 */
    check((struct column){.kind = COLUMN_DATETIME, .scale = 3}, "99b2bb7efb04ce", 12, "0b e807 02 1d 17 3b 3b 78e00100");
    check((struct column){.kind = COLUMN_TIMESTAMP}, "00000000", 12, "07 0000 00 00 00 00 00");
    check((struct column){.kind = COLUMN_TIMESTAMP}, "00000001", 12, "07 b207 01 01 00 00 01");
    check((struct column){.kind = COLUMN_TIMESTAMP}, "65e071bf", 12, "07 e807 02 1d 0b 3b 3b"); /* 2024-02-29 11:59:59 */
    check((struct column){.kind = COLUMN_TIMESTAMP}, "ffffffff", 12, "07 3a08 02 07 06 1c 0f"); /* 2106 */
    check((struct column){.kind = COLUMN_TIME}, "800000", 11, "08 00 00000000 00 00 00");
    check((struct column){.kind = COLUMN_TIME}, "b46efb", 11, "08 00 22000000 16 3b 3b");       /* 838:59:59 */
    check((struct column){.kind = COLUMN_TIME}, "7fffff", 11, "08 01 00000000 00 00 01");       /* -00:00:01 */
    check((struct column){.kind = COLUMN_TIME, .scale = 2}, "7fffffff", 11, "0c 01 00000000 00 00 00 10270000"); /* -00:00:00.01 */
}

static void test_strings(void **state)
{
    (void)state;
    check((struct column){.kind = COLUMN_VARCHAR, .width = 1}, "c3a4", 254, "02 c3a4");
    check((struct column){.kind = COLUMN_BINARY, .width = 1, .max_bytes = 4}, "61", 254, "04 61000000");
    check((struct column){.kind = COLUMN_INET6, .width = 1, .max_bytes = 16}, "00", 254, "10 00000000000000000000000000000000");
    check((struct column){.kind = COLUMN_DECIMAL, .precision = 4, .scale = 2, .fixed = 2}, "8105", 246, "04 312e3035");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_integers), cmocka_unit_test(test_sign_from_target),
                                       cmocka_unit_test(test_times), cmocka_unit_test(test_strings)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
