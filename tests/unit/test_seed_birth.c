/* Whether a log holds everything from the source's first transaction on. */
#include "wal_unit.h"

#include "seed.h"

/* The log begins behind the source's transaction `behind` (0: with nothing), and its own first ones are these, 0 ends them. */
static void expect(uint64_t behind, const uint64_t *seqs, uint32_t domain, const char *says)
{
    char dir[64], why[300] = "?";
    struct source_pos start = {.offset = 4};
    struct wal *wal;
    struct wal_resume resume;
    struct table *table = unit_table(1);
    unit_dir(dir);
    struct wal_options options = {.dir = dir, .segment_bytes = 1 << 20, .flush_interval_ms = 5, .size_max = 1 << 30, .free_min = 1};
    if (behind) ok(gtid_set_put(&start.gtids, (struct gtid){.server = 1, .seq = behind}, &failure));
    ok(wal_open(&options, &start, &wal, &resume, &failure));
    wal_start(wal);
    uint64_t lsn = 0;
    for (; *seqs; seqs++) lsn = unit_transaction(wal, table, *seqs, 1);
    if (domain) { /* one of another domain, which does not begin with its first */
        struct change begin = {.kind = CHANGE_BEGIN, .gtid = {.domain = domain, .server = 1, .seq = 9}};
        struct commit commit = unit_commit_of(3, 0);
        ok(gtid_set_put(&commit.pos.gtids, begin.gtid, &failure));
        struct change end = {.kind = CHANGE_COMMIT, .gtid = begin.gtid, .commit = &commit};
        ok(wal_append(wal, &begin, NULL, &failure));
        ok(wal_append(wal, &end, &lsn, &failure));
    }
    wal_flush(wal);
    assert_true(!lsn || wal_wait(wal, WAL_DURABLE, lsn, 5000));
    ok(seed_birth(dir, wal, why, sizeof why, &failure));
    if (*says ? !strstr(why, says) : *why) fail_msg("\"%s\", not \"%s\"", why, says);
    wal_stop(wal);
    wal_close(wal);
    table_free(table);
    unit_dir_remove(dir);
}

static void test_whole(void **state)
{
    (void)state;
    expect(0, (const uint64_t[]){1, 2, 3, 0}, 0, "");
    expect(0, (const uint64_t[]){1, 5, 0}, 0, ""); /* numbers may be left out */
    expect(0, (const uint64_t[]){0}, 0, "");
}

static void test_not_whole(void **state)
{
    (void)state;
    expect(7, (const uint64_t[]){8, 9, 0}, 0, "behind 0-1-7");
    expect(7, (const uint64_t[]){1, 2, 0}, 0, "behind 0-1-7");
    expect(0, (const uint64_t[]){2, 3, 0}, 0, "0-1-2");
    expect(0, (const uint64_t[]){1, 2, 3, 0}, 5, "5-1-9");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_whole), cmocka_unit_test(test_not_whole)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
