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

/* ---- MySQL, recorded from 9.7.4 and 5.6.24 ---- */

static bool announce(struct txn *txn, uint8_t type, const char *body, struct err *err)
{
    struct event event = {.server_id = 9, .type = type, .body = unit_hex(body)};
    return txn_announce(txn, &event, err);
}

static void assert_gtid(const struct txn *txn, const char *said)
{
    char text[GTID_TEXT_MAX];
    gtid_format(&txn->gtid, text);
    assert_string_equal(text, said);
    assert_true(txn->open && txn->announced && txn->flags == TXN_STANDALONE);
}

#define TAGGED "02 76 00 00 00 02 b0 3902 7103 ac 9103 8102 22 c503 9902 5103 04 f103 00 00 00 02 04 04 06 0a 6d79746167 08 04 0a 08 0c 7ffb36aa3cae6006 10 c504 12 83120b"

static void test_mysql(void **state)
{
    (void)state;
    static struct txn txn;
    struct err err;
    assert_true(announce(&txn, EVENT_GTID, "01 588edc56e4a011f1a6d402fc00000001 0100000000000000 02 0000000000000000 0100000000000000 1dc8a93cae6006 fc2701 50620100", &err));
    assert_gtid(&txn, "588edc56-e4a0-11f1-a6d4-02fc00000001:1");
    assert_true(announce(&txn, EVENT_GTID, "01 588edc56e4a011f1a6d402fc00000001 feffffffffffff7f", &err)); /* 5.6 ends here; the greatest number */
    assert_gtid(&txn, "588edc56-e4a0-11f1-a6d4-02fc00000001:9223372036854775806");
    assert_true(announce(&txn, EVENT_GTID_TAGGED, TAGGED, &err));
    assert_gtid(&txn, "588edc56-e4a0-11f1-a6d4-02fc00000001:mytag:1");
    assert_true(announce(&txn, EVENT_ANONYMOUS_GTID, "00 00000000000000000000000000000000 0000000000000000 02 0000000000000000 0100000000000000", &err));
    assert_int_equal(txn.gtid.kind, GTID_FILE);
    txn_announce_bare(&txn);
    assert_true(txn.open && txn.announced && txn.gtid.kind == GTID_FILE);
}

static void test_mysql_refused(void **state)
{
    (void)state;
    static struct txn txn;
    static const struct { uint8_t type; const char *body; enum err_code code; } cases[] = {
        {EVENT_GTID, "01 588edc56e4a011f1a6d402fc00000001 0000000000000000", ERR_CORRUPT},  /* number 0 */
        {EVENT_GTID, "01 588edc56e4a011f1a6d402fc00000001 ffffffffffffff7f", ERR_CORRUPT},  /* the first that is none */
        {EVENT_GTID, "01 588edc56e4a011f1a6d402fc000000", ERR_CORRUPT},
        {EVENT_GTID_TAGGED, "04 76 00", ERR_UNSUPPORTED},                                   /* another version */
        {EVENT_GTID_TAGGED, "02 76 18 00 00", ERR_UNSUPPORTED},                             /* field 12 must be understood */
        {EVENT_GTID_TAGGED, "02 76 00 00 00 02 b0 3902", ERR_CORRUPT},
        {EVENT_GTID_TAGGED, "02 0a 00 06 02 61 06 02 61", ERR_CORRUPT},                     /* a field twice */
        {EVENT_GTID_TAGGED, "02 0a 00 04 03", ERR_CORRUPT},                                 /* a negative number */
        {EVENT_GTID_TAGGED, "02 0a 00 06 46 61616161616161616161616161616161616161616161616161616161616161616161", ERR_CORRUPT}, /* a tag of 35 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = {0};
        if (announce(&txn, cases[i].type, cases[i].body, &err)) fail_msg("case %zu was taken", i);
        assert_int_equal(err.code, cases[i].code);
    }
    struct slice whole = unit_hex(TAGGED); /* cut anywhere */
    for (size_t cut = 0; cut < whole.size; cut++) {
        struct event event = {.type = EVENT_GTID_TAGGED, .body = {whole.data, cut}};
        struct err err = {0};
        assert_false(txn_announce(&txn, &event, &err));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_gtid), cmocka_unit_test(test_xa), cmocka_unit_test(test_refused), cmocka_unit_test(test_savepoints), cmocka_unit_test(test_mysql), cmocka_unit_test(test_mysql_refused),
                                       cmocka_unit_test(test_savepoint_limits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
