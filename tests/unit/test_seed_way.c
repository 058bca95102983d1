/* From the log or copied: each reason once, and that what the operator says counts. */
#include "unit.h"

#include <string.h>

#include "seed_way.h"

/* A log that holds LSN `first` to 1000, and a node at `position`. */
enum { NO_PROOF = 1, NO_POSITION = 2, DIFFERS = 4, STUCK = 8, DONOR = 16, LOG = 32 };
static const struct { unsigned flags; uint64_t position, first; const char *not_whole; enum seed_way way; const char *says; } cases[] = {
    {0, 500, 1, "", SEED_CATCH_UP, "LSN 500"},
    {0, 500, 501, "", SEED_CATCH_UP, "all that follows"},
    {0, 1000, 1, "", SEED_CATCH_UP, "LSN 1000"},
    {0, 0, 1, "", SEED_CATCH_UP, "LSN 0"},
    {0, 500, 1, "begun late", SEED_CATCH_UP, "LSN 500"},
    {LOG, 500, 1, "begun late", SEED_CATCH_UP, "LSN 500"},
    {DONOR, 500, 1, "", SEED_COPY, "named"},
    {NO_PROOF, 500, 1, "", SEED_COPY, "proof = false"},
    {0, 500, 502, "", SEED_COPY, "begins at 502"},
    {0, 1001, 1, "", SEED_COPY, "ends at 1000"},
    {NO_POSITION, 0, 1, "", SEED_COPY, "no position"},
    {DIFFERS, 500, 1, "", SEED_COPY, "known to differ"},
    {STUCK, 500, 1, "", SEED_COPY, "cannot go on"},
    {LOG | NO_POSITION, 0, 1, "", SEED_REPLAY, "no position of this log, but the log holds everything"},
    {LOG, 1001, 1, "", SEED_REPLAY, "ends at 1000, but"},
    {LOG | DIFFERS, 500, 1, "", SEED_REPLAY, "known to differ, but"},
    {LOG | STUCK, 500, 1, "", SEED_REPLAY, "cannot go on"},
    {LOG | NO_PROOF, 500, 1, "", SEED_REFUSED, "proof = false"},
    {LOG | NO_POSITION, 0, 1, "it was begun late", SEED_REFUSED, "no position of this log, and it was begun late"},
};

static struct seed_facts facts_of(size_t i)
{
    unsigned f = cases[i].flags;
    return (struct seed_facts){.proof = !(f & NO_PROOF), .has_position = !(f & NO_POSITION), .differs = f & DIFFERS, .stuck = f & STUCK, .donor_named = f & DONOR,
                               .log_named = f & LOG, .position = cases[i].position, .first = cases[i].first, .written = 1000, .not_whole = cases[i].not_whole};
}

static void test_each(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char why[400];
        struct seed_facts facts = facts_of(i);
        enum seed_way got = seed_way_choose(&facts, why, sizeof why);
        if (got != cases[i].way || !strstr(why, cases[i].says))
            fail_msg("case %zu: %s: %s; not %s: %s", i, seed_way_name(got), why, seed_way_name(cases[i].way), cases[i].says);
    }
}

/* A reason is cut where its room ends. */
static void test_room(void **state)
{
    char why[8] = "1234567";
    (void)state;
    struct seed_facts facts = facts_of(0);
    assert_int_equal(seed_way_choose(&facts, why, 5), SEED_CATCH_UP);
    assert_string_equal(why, "its ");
    assert_string_equal(why + 5, "67");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each), cmocka_unit_test(test_room)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
