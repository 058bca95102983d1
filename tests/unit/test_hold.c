/* test_hold.c: changes kept back come out as they went in. */
#include "unit.h"

#include "hold.h"

static void test_round(void **state)
{
    (void)state;
    struct buf hold;
    struct change in = {.kind = CHANGE_UPDATE, .row_flags = 2, .timestamp = 5, .server_id = 6, .table = (const struct table *)&hold}, out = {0};
    in.before = (struct row){slice_text("b"), slice_text("before")};
    in.after = (struct row){slice_text(""), slice_text("after")};
    hold_init(&hold);
    assert_true(hold_put(&hold, &in));
    size_t mark = hold.size, at = 0;
    in.kind = CHANGE_DELETE;
    assert_true(hold_put(&hold, &in));
    assert_true(hold_next(&hold, &at, &out));
    assert_int_equal(out.kind, CHANGE_UPDATE);
    assert_int_equal(out.row_flags, 2);
    assert_int_equal(out.server_id, 6);
    assert_ptr_equal(out.table, &hold);
    assert_slice(out.before.present, "b");
    assert_slice(out.before.image, "before");
    assert_slice(out.after.image, "after");
    assert_int_equal(at, mark);
    assert_true(hold_next(&hold, &at, &out));
    assert_int_equal(out.kind, CHANGE_DELETE);
    assert_slice(out.before.image, "before");
    assert_false(hold_next(&hold, &at, &out));
    buf_fini(&hold);
}

static void test_limit(void **state)
{
    (void)state;
    static uint8_t big[1 << 20];
    struct buf hold;
    struct change in = {.kind = CHANGE_INSERT, .after = {.image = {big, sizeof big}}};
    unsigned count = 0;
    hold_init(&hold);
    while (hold_put(&hold, &in)) count++;
    assert_int_equal(count, HOLD_MAX / sizeof big - 1); /* their heads take a little */
    size_t size = hold.size;
    assert_false(hold_put(&hold, &in));
    assert_int_equal(hold.size, size);
    assert_false(hold.full);
    buf_fini(&hold);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_round), cmocka_unit_test(test_limit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
