/* A batch for the leader: which statements it becomes, in which order; that only whole transactions are in it; and what is handed over. */
#include "sink_unit.h"

#include <stdlib.h>

#include "leader.h"

static struct table *table;
static struct leader *l;
static struct lead_table *t;
static struct target_table target;
static uint64_t lsn;

static int setup(void **state)
{
    (void)state;
    table = sink_table();
    target = sink_target;
    l = calloc(1, sizeof *l);
    t = calloc(1, sizeof *t);
    assert_true(l && t);
    l->batch_rows = 1000;
    l->targets = targets_new();
    leader_writer_init(&l->writer);
    buf_init(&l->scratch, 1 << 20);
    arena_init(&l->batch.arena);
    arena_init(&l->batch.transaction);
    t->source = table;
    net_init(&t->net);
    assert_true(plan_new(table, &target, false, &t->plan, NULL));
    assert_true(leader_sql_init(&t->sql, t->plan));
    l->tables[((uintptr_t)table >> 6) % LEAD_BUCKETS] = t;
    lsn = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lead_batch_forget(l);
    targets_free(l->targets);
    leader_writer_fini(&l->writer);
    buf_fini(&l->scratch);
    arena_fini(&l->batch.arena);
    arena_fini(&l->batch.transaction);
    free(l->batch.staged.items);
    free(l->batch.steps.items);
    free(l->batch.apart.items);
    free(l->batch.directs);
    free(l->batch.pushes);
    free(l->before);
    free(l->after);
    free(l);
    table_free(table);
    return 0;
}

static void begin(bool ddl)
{
    struct change c = {.kind = CHANGE_BEGIN, .lsn = ++lsn, .is_ddl = ddl};
    assert_true(lead_batch_change(l, &c, NULL));
}

static void commit(void)
{
    struct commit how = {0};
    struct change c = {.kind = CHANGE_COMMIT, .lsn = ++lsn, .commit = &how};
    assert_true(lead_batch_commit(l, &c, NULL));
}

struct r { uint32_t id, u; const char *s; };
static const struct r no = {0, 0, NULL};

static void change(enum change_kind kind, struct r before, struct r after)
{
    uint8_t b[64], a[64];
    struct change c = {.kind = kind, .lsn = ++lsn, .table = table, .before = sink_row(before.id, before.u, before.s, b),
                       .after = sink_row(after.id, after.u, after.s, a)};
    assert_true(lead_batch_change(l, &c, NULL));
}

/* The statement behind its context. */
static const char *statement(uint32_t i)
{
    static char text[9000];
    assert_true(i < l->batch.count);
    struct slice sql = l->batch.pushes[i].sql;
    snprintf(text, sizeof text, "%.*s", SLICE_ARG(sql));
    char *at = strstr(text, "FOR */ ");
    assert_non_null(at);
    return at + 7;
}

static void is_statement(uint32_t i, const char *prefix) { assert_memory_equal(statement(i), prefix, strlen(prefix)); }

static void test_net(void **state)
{
    (void)state;
    begin(false);
    change(CHANGE_INSERT, no, (struct r){1, 1, "a"});
    change(CHANGE_DELETE, (struct r){9, 9, "z"}, no);
    commit();
    begin(false);
    change(CHANGE_UPDATE, (struct r){1, 1, "a"}, (struct r){1, 1, "b"});
    change(CHANGE_UPDATE, (struct r){2, 2, "a"}, (struct r){2, 2, "a"}); /* as it was */
    change(CHANGE_UPDATE, (struct r){3, 3, "a"}, (struct r){3, 3, "c"});
    commit();
    assert_true(lead_batch_build(l, NULL));
    assert_int_equal(l->batch.count, 2);
    assert_int_equal(l->batch.ordered, 0);
    is_statement(0, "DELETE FROM `d`.`t` WHERE `id` IN (9)"); /* first: it leaves its other unique values */
    is_statement(1, "INSERT INTO `d`.`t` (`id`,`u`,`s`) VALUES (1,1,'b'),(3,3,'c') ON");
    assert_int_equal(l->batch.pushes[1].present, 2);
    assert_int_equal(l->batch.progress.transactions, 2);
    assert_int_equal(l->batch.progress.lsn, lsn);
}

static void test_only_whole(void **state)
{
    (void)state;
    begin(false);
    change(CHANGE_INSERT, no, (struct r){1, 1, "a"});
    commit();
    begin(false);
    change(CHANGE_INSERT, no, (struct r){2, 2, "a"});
    assert_true(lead_batch_build(l, NULL));
    assert_int_equal(l->batch.pushed_rows, 1);
}

static void test_handed_over(void **state)
{
    (void)state;
    begin(false);
    change(CHANGE_INSERT, no, (struct r){1, 1, "a"});
    commit();
    begin(true);
    assert_non_null(l->batch.handed);
    begin(false);
    assert_null(l->batch.handed);
    change(CHANGE_INSERT, no, (struct r){2, 2, "a"});
    struct statement text = {.kind = STATEMENT_DML};
    struct change c = {.kind = CHANGE_STATEMENT, .lsn = ++lsn, .statement = &text};
    assert_true(lead_batch_change(l, &c, NULL));
    assert_non_null(l->batch.handed);
    change(CHANGE_INSERT, no, (struct r){3, 3, "a"});
    assert_int_equal(l->batch.staged.count, 0); /* nothing of it stays with us */
    begin(false);
    t->lane = LANE_GIVEN;
    change(CHANGE_INSERT, no, (struct r){4, 4, "a"});
    assert_non_null(l->batch.handed);
    assert_true(lead_batch_build(l, NULL));
    assert_int_equal(l->batch.pushed_rows, 1);
}

/* u of two rows changes places: in the source's order, with what was gathered before in front and what comes later behind. */
static void test_steps(void **state)
{
    (void)state;
    begin(false);
    change(CHANGE_INSERT, no, (struct r){5, 5, "a"});
    change(CHANGE_UPDATE, (struct r){1, 1, "a"}, (struct r){1, 3, "a"});
    change(CHANGE_UPDATE, (struct r){2, 2, "a"}, (struct r){2, 1, "a"});
    change(CHANGE_UPDATE, (struct r){1, 3, "a"}, (struct r){1, 2, "a"});
    change(CHANGE_UPDATE, (struct r){1, 2, "a"}, (struct r){6, 2, "a"}); /* the key itself */
    change(CHANGE_UPDATE, (struct r){5, 5, "a"}, (struct r){5, 5, "b"});
    commit();
    assert_true(lead_batch_build(l, NULL));
    assert_int_equal(l->batch.ordered, l->batch.count);
    assert_int_equal(l->batch.count, 3);
    is_statement(0, "INSERT INTO `d`.`t` (`id`,`u`,`s`) VALUES (5,5,'a'),(1,3,'a'),(2,1,'a'),(1,2,'a') ON");
    is_statement(1, "UPDATE `d`.`t` SET `id`=6,`u`=2,`s`='a' WHERE `id` IN (1)");
    is_statement(2, "INSERT INTO `d`.`t` (`id`,`u`,`s`) VALUES (5,5,'b') ON");
}

/* A delete that cascades: alone, checked, and between what was before it and what comes after. */
static void test_cascade(void **state)
{
    (void)state;
    target.foreign = target.related = target.cascading = true;
    begin(false);
    change(CHANGE_INSERT, no, (struct r){1, 1, "a"});
    change(CHANGE_DELETE, (struct r){2, 2, "a"}, no);
    change(CHANGE_DELETE, (struct r){3, 3, "a"}, no);
    change(CHANGE_INSERT, no, (struct r){2, 2, "b"});
    commit();
    assert_true(lead_batch_build(l, NULL));
    assert_int_equal(l->batch.ordered, 4);
    is_statement(0, "INSERT INTO `d`.`t` (`id`,`u`,`s`) VALUES (1,1,'a') ON");
    is_statement(1, "DELETE FROM `d`.`t` WHERE `id` IN (2)");
    is_statement(2, "DELETE FROM `d`.`t` WHERE `id` IN (3)");
    is_statement(3, "INSERT INTO `d`.`t` (`id`,`u`,`s`) VALUES (2,2,'b') ON");
    for (uint32_t i = 0; i < 4; i++) {
        char text[400];
        snprintf(text, sizeof text, "%.*s", 300, (const char *)l->batch.pushes[i].sql.data);
        assert_non_null(strstr(text, i == 1 || i == 2 ? "foreign_key_checks=1" : "foreign_key_checks=0"));
    }
}

static void test_apart(void **state)
{
    (void)state;
    t->lane = LANE_DIRECT;
    begin(false);
    change(CHANGE_INSERT, no, (struct r){1, 1, "a"});
    change(CHANGE_DELETE, (struct r){1, 1, "a"}, no);
    commit();
    assert_true(lead_batch_build(l, NULL));
    assert_int_equal(l->batch.count, 0);
    assert_int_equal(l->batch.direct_count, 2); /* each for itself */
    lead_batch_clear(l);
    assert_int_equal(l->batch.direct_count, 0);
}

static void test_full(void **state)
{
    (void)state;
    l->batch_rows = 2;
    begin(false);
    change(CHANGE_INSERT, no, (struct r){1, 1, "a"});
    commit();
    assert_false(lead_batch_full(l));
    begin(false);
    change(CHANGE_INSERT, no, (struct r){2, 2, "a"});
    commit();
    assert_true(lead_batch_full(l));
    lead_batch_clear(l);
    assert_false(lead_batch_full(l));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_net, setup, teardown), cmocka_unit_test_setup_teardown(test_only_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(test_handed_over, setup, teardown), cmocka_unit_test_setup_teardown(test_steps, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cascade, setup, teardown), cmocka_unit_test_setup_teardown(test_apart, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
