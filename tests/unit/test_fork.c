/* Where two histories part, said exactly. */
#include "unit.h"

#include "fork.h"

static struct fork fork_of(const struct fork_entry *ours, size_t count)
{
    static struct fork fork;
    memset(&fork, 0, sizeof fork);
    memcpy(fork.ours, ours, count * sizeof *ours);
    fork.ours_count = count;
    return fork;
}

static const struct fork_entry log_end[] = {
    {.gtid = {.domain = 0, .server = 1, .seq = 40}, .crc = 40}, {.gtid = {.domain = 0, .server = 1, .seq = 41}, .crc = 41}, {.gtid = {.domain = 0, .server = 1, .seq = 42}, .crc = 42}, {.gtid = {.domain = 0, .server = 3, .seq = 43}, .crc = 43}};

static void another_server_wrote_on(void **state)
{
    static struct fork fork;
    const struct gtid theirs[] = {{.domain = 0, .server = 1, .seq = 40}, {.domain = 0, .server = 2, .seq = 44}};
    size_t start;
    char text[500];
    (void)state;
    fork = fork_of(log_end, 4);
    assert_true(fork_mark(&fork, theirs, 2, &start));
    assert_int_equal(start, 0);
    for (uint64_t seq = 41; seq <= 44; seq++) fork_take(&fork, &(struct gtid){.domain = 0, .server = 2, .seq = seq}, 7);
    fork_text(&fork, text, sizeof text);
    assert_string_equal(text, "the histories part behind 0-1-40: only the log has 0-1-41 to 0-1-42, 0-3-43 (3 transactions), only the source has 0-2-41 "
                              "to 0-2-44 (4 transactions)");
}

static void lost_its_end(void **state)
{
    static struct fork fork;
    const struct gtid theirs[] = {{.domain = 0, .server = 1, .seq = 42}, {.domain = 5, .server = 3, .seq = 900}};
    size_t start;
    char text[500];
    (void)state;
    fork = fork_of(log_end, 4);
    assert_true(fork_mark(&fork, theirs, 2, &start));
    fork_take(&fork, &(struct gtid){.domain = 0, .server = 1, .seq = 41}, 41);
    fork_take(&fork, &(struct gtid){.domain = 0, .server = 1, .seq = 42}, 42);
    fork_text(&fork, text, sizeof text);
    assert_string_equal(text, "the histories part behind 0-1-42: only the log has 0-3-43 (1 transaction), and the source has none that is not in the log");
}

static void the_same_numbers_with_other_contents(void **state)
{
    static struct fork fork;
    const struct gtid theirs[] = {{.domain = 0, .server = 1, .seq = 42}, {.domain = 0, .server = 3, .seq = 43}};
    size_t start;
    char text[500];
    (void)state;
    fork = fork_of(log_end, 4);
    assert_true(fork_mark(&fork, theirs, 2, &start));
    assert_int_equal(start, 0);
    fork_take(&fork, &(struct gtid){.domain = 0, .server = 1, .seq = 41}, 41);
    fork_take(&fork, &(struct gtid){.domain = 0, .server = 1, .seq = 42}, 99);
    fork_take(&fork, &(struct gtid){.domain = 0, .server = 3, .seq = 43}, 43);
    fork_text(&fork, text, sizeof text);
    assert_non_null(strstr(text, "part behind 0-1-41"));
    assert_non_null(strstr(text, "only the source has 0-1-42 (1 transaction)"));
}

static void nothing_in_common(void **state)
{
    static struct fork fork;
    const struct gtid theirs[] = {{.domain = 0, .server = 9, .seq = 7}};
    size_t start;
    char text[500];
    (void)state;
    fork = fork_of(log_end, 4);
    assert_false(fork_mark(&fork, theirs, 1, &start));
    fork_text(&fork, text, sizeof text);
    assert_non_null(strstr(text, "before what was compared"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(another_server_wrote_on),
        cmocka_unit_test(lost_its_end),
        cmocka_unit_test(the_same_numbers_with_other_contents),
        cmocka_unit_test(nothing_in_common),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
