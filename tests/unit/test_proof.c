/* Is the source still the one whose last transaction is in the log? */
#include "unit.h"

#include "proof.h"

static const struct gtid T = {.server = 1, .seq = 42}, BEFORE = {.server = 1, .seq = 41};

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
    assert_int_equal(take(&proof, (struct gtid){.domain = 0, .server = 2, .seq = 42}, 7, &err), PROOF_DIFFERENT); /* another server wrote that number */
    assert_non_null(strstr(err.text, "0-2-42"));
    assert_int_equal(take(&proof, (struct gtid){.domain = 0, .server = 1, .seq = 43}, 7, &err), PROOF_DIFFERENT);
    assert_int_equal(proof.skipped, 0);
}

static void other_domains_and_rows_do_not_decide(void **state)
{
    struct proof proof = {.gtid = T, .previous = BEFORE, .crc = 7};
    struct change row = {.kind = CHANGE_INSERT}, begin = {.kind = CHANGE_BEGIN, .gtid = {.domain = 0, .server = 9, .seq = 9}};
    struct err err;
    (void)state;
    assert_int_equal(proof_take(&proof, &row, &err), PROOF_MORE);
    assert_int_equal(proof_take(&proof, &begin, &err), PROOF_MORE);
    assert_int_equal(take(&proof, (struct gtid){.domain = 5, .server = 1, .seq = 1}, 1, &err), PROOF_MORE);
    assert_int_equal(proof.skipped, 1);
    assert_int_equal(take(&proof, T, 7, &err), PROOF_EQUAL);
}

static void begins_before_the_transaction(void **state)
{
    struct proof proof = {.gtid = T, .previous = BEFORE};
    struct source_pos after = {.gtids = {.count = 2, .items = {T, {.domain = 5, .server = 1, .seq = 3}}}}, from;
    struct err err;
    (void)state;
    assert_true(proof_from(&proof, &after, &from, &err));
    assert_int_equal(gtid_set_get(&from.gtids, 0).seq, 41);
    assert_int_equal(gtid_set_get(&from.gtids, 5).seq, 3);
    proof.previous.seq = 0; /* the first of its domain */
    assert_true(proof_from(&proof, &after, &from, &err));
    assert_int_equal(from.gtids.count, 1);
    assert_int_equal(gtid_set_get(&from.gtids, 0).seq, 0);
}

static void begins_before_a_place_in_a_file(void **state)
{
    struct proof proof = {.gtid = {.kind = GTID_FILE, .server = 7, .seq = 1234}};
    struct source_pos after = {.gtids = {.count = 1, .items = {{.kind = GTID_FILE, .server = 7, .seq = 2000}}}, .offset = 4, .file = "mysql-bin.000008"}, from;
    struct err err;
    (void)state;
    assert_true(proof_from(&proof, &after, &from, &err)); /* the source went on to its next file since */
    assert_string_equal(from.file, "mysql-bin.000007");
    assert_int_equal(from.offset, 1234);
    assert_false(gtid_set_has(&from.gtids, &proof.gtid));
    assert_true(gtid_set_has(&after.gtids, &proof.gtid));
}

static void begins_before_a_transaction_of_mysql(void **state)
{
    struct proof proof = {.crc = 7};
    struct source_pos after = {.offset = 4}, from;
    struct gtid other;
    struct err err;
    char text[GTID_SET_TEXT_MAX];
    (void)state;
    assert_true(gtid_set_parse(slice_text("588edc56-e4a0-11f1-a6d4-02fc00000001:1-9:x:1-3"), &after.gtids, &err));
    assert_true(gtid_parse(slice_text("588edc56-e4a0-11f1-a6d4-02fc00000001:x:3"), &proof.gtid, &err));
    assert_true(proof_from(&proof, &after, &from, &err));
    gtid_set_format(&from.gtids, text);
    assert_string_equal(text, "588edc56-e4a0-11f1-a6d4-02fc00000001:1-9:x:1-2");
    assert_true(gtid_parse(slice_text("588edc56-e4a0-11f1-a6d4-02fc00000001:10"), &other, &err));
    assert_int_equal(take(&proof, other, 1, &err), PROOF_MORE); /* another server may have had it before ours */
    assert_int_equal(proof.skipped, 1);
    assert_int_equal(take(&proof, proof.gtid, 7, &err), PROOF_EQUAL);
    assert_int_equal(take(&proof, proof.gtid, 8, &err), PROOF_DIFFERENT);
    assert_true(proof_reached(&proof, &after.gtids));
    assert_false(proof_reached(&proof, &from.gtids));
}

static void a_source_that_ends_before_it(void **state)
{
    struct proof proof = {.gtid = T};
    struct gtid_set end = {.count = 1, .items = {{.domain = 0, .server = 7, .seq = 41}}};
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
        cmocka_unit_test(begins_before_a_place_in_a_file),
        cmocka_unit_test(begins_before_a_transaction_of_mysql),
        cmocka_unit_test(a_source_that_ends_before_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
