/* test_txn.c: what a MariaDB GTID event says (recorded), and savepoints. */
#include "unit.h"

#include "txn.h"

static bool open_txn(struct txn *txn, const char *body, struct err *err)
{
    struct event event = {.server_id = 9, .type = EVENT_GTID_MARIADB, .body = unit_hex(body)};
    struct gtid_set set = {.count = 1, .items = {{.domain = 0, .server = 5, .seq = 40}}};
    return txn_open(txn, &event, &set, err);
}

static void test_gtid(void **state)
{
    (void)state;
    static struct txn txn;
    struct err err;
    assert_true(open_txn(&txn, "2a00000000000000 00000000 0c 000000000000", &err));
    assert_true(txn.open && txn.gtid.domain == 0 && txn.gtid.server == 9 && txn.gtid.seq == 42);
    assert_int_equal(txn.previous.seq, 40);
    assert_int_equal(txn.previous.server, 5);
    assert_int_equal(txn.flags, TXN_TRANSACTIONAL | 0x08);
    assert_false(txn_is_void(&txn));
    assert_true(open_txn(&txn, "1a00000000000000 03000000 29 02 0000000000", &err)); /* START_ALTER */
    assert_true(txn_is_void(&txn));
    assert_int_equal(txn.previous.seq, 0);
    assert_true(open_txn(&txn, "1b00000000000000 03000000 29 04 1a00000000000000", &err)); /* COMMIT_ALTER */
    assert_false(txn_is_void(&txn));
    assert_true(open_txn(&txn, "1b00000000000000 03000000 29 08 1a00000000000000", &err)); /* ROLLBACK_ALTER */
    assert_true(txn_is_void(&txn));
    assert_true(open_txn(&txn, "1a00000000000000 00000000 2b 0700000000000000 10 07000000", &err)); /* with a group commit id */
    assert_int_equal(txn.extra, TXN_THREAD_ID);
    assert_true(open_txn(&txn, "1a00000000000000 00000000 01", &err)); /* no padding */
}

static void test_xa(void **state)
{
    (void)state;
    static struct txn txn;
    struct err err;
    char text[XID_TEXT_MAX];
    assert_true(open_txn(&txn, "1500000000000000 03000000 4c 07000000 02 02 67316231 01 ff", &err)); /* XA PREPARE */
    xid_format(&txn.xid, text);
    assert_string_equal(text, "X'6731',X'6231',7");
    assert_int_equal(txn.extra, TXN_MULTI_ENGINE);
    assert_true(open_txn(&txn, "1600000000000000 03000000 8d 07000000 02 00 6731", &err)); /* XA COMMIT */
    xid_format(&txn.xid, text);
    assert_string_equal(text, "X'6731',X'',7");
    assert_true(open_txn(&txn, "1a00000000000000 00000000 0c", &err)); /* the name before it is not its own */
    assert_int_equal(txn.xid.size, 0);
    assert_false(open_txn(&txn, "1500000000000000 03000000 4c 07000000 02 02 6731", &err));
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_false(open_txn(&txn, "1500000000000000 03000000 4c 07000000 41 00 6731", &err));
}

static void test_refused(void **state)
{
    (void)state;
    static struct txn txn;
    struct err err;
    assert_false(open_txn(&txn, "1600000000000000 03000000", &err));
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_false(open_txn(&txn, "0000000000000000 03000000 01", &err));
    assert_false(open_txn(&txn, "1600000000000000 03000000 02 0700", &err));
}

static void test_savepoints(void **state)
{
    (void)state;
    static struct txn txn;
    struct err err;
    size_t held = 999;
    assert_true(open_txn(&txn, "2a00000000000000 00000000 0c", &err));
    txn.changes = 3;
    assert_false(txn_rollback_to(&txn, slice_text("a"), &held, &err));
    assert_true(txn_savepoint(&txn, slice_text("a"), 0, &err));
    assert_true(txn_savepoint(&txn, slice_text("b"), 100, &err));
    assert_true(txn_savepoint(&txn, slice_text("c"), 200, &err));
    assert_true(txn_rollback_to(&txn, slice_text("B"), &held, &err));
    assert_int_equal(held, 100);
    assert_false(txn_rollback_to(&txn, slice_text("c"), &held, &err)); /* gone with what is behind b */
    assert_true(txn_savepoint(&txn, slice_text("a"), 150, &err));      /* the name again */
    assert_int_equal(txn.savepoint_count, 2);
    txn.changes += 5; /* 150 bytes were emitted as five changes */
    txn_flushed(&txn, 150);
    assert_true(txn_rollback_to(&txn, slice_text("a"), &held, &err));
    assert_int_equal(held, 0);
    assert_false(txn_rollback_to(&txn, slice_text("b"), &held, &err)); /* what it takes back is out */
    assert_int_equal(err.code, ERR_STOP);
}

static void test_savepoint_limits(void **state)
{
    (void)state;
    static struct txn txn;
    struct err err;
    char name[300];
    memset(name, 'n', sizeof name);
    assert_true(open_txn(&txn, "2a00000000000000 00000000 0c", &err));
    assert_false(txn_savepoint(&txn, slice_of(name, sizeof name), 0, &err));
    assert_false(txn_savepoint(&txn, (struct slice){NULL, 0}, 0, &err));
    for (uint8_t i = 0; i < TXN_SAVEPOINTS_MAX; i++) assert_true(txn_savepoint(&txn, slice_of(&i, 1), i, &err) || i > 'A');
    for (int i = 0; i <= TXN_SAVEPOINTS_MAX; i++) {
        snprintf(name, sizeof name, "s%d", i);
        if (!txn_savepoint(&txn, slice_text(name), 0, &err)) break;
    }
    assert_int_equal(txn.savepoint_count, TXN_SAVEPOINTS_MAX);
    assert_int_equal(err.code, ERR_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_gtid), cmocka_unit_test(test_xa), cmocka_unit_test(test_refused), cmocka_unit_test(test_savepoints),
                                       cmocka_unit_test(test_savepoint_limits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
