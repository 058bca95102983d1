/* Is the source still the one whose last transaction is in the log? */
#include "unit.h"

#include "proof.h"

static const struct gtid T = {0, 1, 42}, BEFORE = {0, 1, 41};

static struct change commit_of(struct gtid gtid, const struct commit *commit)
{
    return (struct change){.kind = CHANGE_COMMIT, .gtid = gtid, .commit = commit};
}

static enum proof_verdict take(struct proof *proof, struct gtid gtid, uint32_t crc, struct err *err)
{
    struct commit commit = {.crc = crc};
    struct change change = commit_of(gtid, &commit);
    return proof_take(proof, &change, err);
}

static void equal_only_with_gtid_and_contents(void **state)
{
    struct proof proof = {.gtid = T, .previous = BEFORE, .crc = 7};
    struct err err;
    (void)state;
    assert_int_equal(take(&proof, T, 7, &err), PROOF_EQUAL);
    assert_int_equal(take(&proof, T, 8, &err), PROOF_DIFFERENT);
    assert_non_null(strstr(err.text, "0-1-42"));
    assert_non_null(strstr(err.text, "contents"));
    assert_int_equal(take(&proof, (struct gtid){0, 2, 42}, 7, &err), PROOF_DIFFERENT); /* another server wrote that number */
    assert_non_null(strstr(err.text, "0-2-42"));
    assert_int_equal(take(&proof, (struct gtid){0, 1, 43}, 7, &err), PROOF_DIFFERENT);
    assert_int_equal(proof.skipped, 0);
}

static void other_domains_and_rows_do_not_decide(void **state)
{
    struct proof proof = {.gtid = T, .previous = BEFORE, .crc = 7};
    struct change row = {.kind = CHANGE_INSERT}, begin = {.kind = CHANGE_BEGIN, .gtid = {0, 9, 9}};
    struct err err;
    (void)state;
    assert_int_equal(proof_take(&proof, &row, &err), PROOF_MORE);
    assert_int_equal(proof_take(&proof, &begin, &err), PROOF_MORE);
    assert_int_equal(take(&proof, (struct gtid){5, 1, 1}, 1, &err), PROOF_MORE);
    assert_int_equal(proof.skipped, 1);
    assert_int_equal(take(&proof, T, 7, &err), PROOF_EQUAL);
}

static void begins_before_the_transaction(void **state)
{
    struct proof proof = {.gtid = T, .previous = BEFORE};
    struct gtid_set after = {.count = 2, .items = {T, {5, 1, 3}}}, from;
    struct err err;
    (void)state;
    assert_true(proof_from(&proof, &after, &from, &err));
    assert_int_equal(gtid_set_get(&from, 0).seq, 41);
    assert_int_equal(gtid_set_get(&from, 5).seq, 3);
    proof.previous.seq = 0; /* the first of its domain */
    assert_true(proof_from(&proof, &after, &from, &err));
    assert_int_equal(from.count, 1);
    assert_int_equal(gtid_set_get(&from, 0).seq, 0);
}

static void a_source_that_ends_before_it(void **state)
{
    struct proof proof = {.gtid = T};
    struct gtid_set end = {.count = 1, .items = {{0, 7, 41}}};
    (void)state;
    assert_false(proof_reached(&proof, &end));
    end.items[0].seq = 42;
    assert_true(proof_reached(&proof, &end));
    end.items[0].domain = 1;
    assert_false(proof_reached(&proof, &end));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_only_with_gtid_and_contents),
        cmocka_unit_test(other_domains_and_rows_do_not_decide),
        cmocka_unit_test(begins_before_the_transaction),
        cmocka_unit_test(a_source_that_ends_before_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
