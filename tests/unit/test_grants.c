/* What the lines of SHOW GRANTS allow. */
#include "unit.h"

#include "grants.h"

static bool have(const char *line, const char *privileges, const char *database)
{
    return grants_have(&line, 1, privileges, database);
}

static void global(void **state)
{
    const char *line = "GRANT SELECT, REPLICATION SLAVE, BINLOG MONITOR ON *.* TO `r`@`%` IDENTIFIED BY PASSWORD '*AB'";
    (void)state;
    assert_true(have(line, "REPLICATION SLAVE", NULL));
    assert_true(have(line, "SUPER|BINLOG MONITOR", NULL));
    assert_true(have(line, "SELECT", "shop"));
    assert_false(have(line, "REPLICATION", NULL)); /* no parts of names */
    assert_false(have(line, "REPLICATION SLAVE ADMIN", NULL));
    assert_false(have(line, "INSERT", NULL));
    assert_true(have("GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION", "REPLICATION SLAVE", NULL));
    assert_false(have("GRANT USAGE ON *.* TO `x`@`%`", "SELECT", NULL));
}

static void of_a_database(void **state)
{
    const char *line = "GRANT CREATE, INSERT (a, b), DELETE ON `wolfcdc`.* TO `w`@`%`";
    (void)state;
    assert_true(have(line, "CREATE", "wolfcdc"));
    assert_true(have(line, "DELETE", "wolfcdc"));
    assert_false(have(line, "INSERT", "wolfcdc")); /* on two columns only */
    assert_false(have(line, "CREATE", "wolfcd"));
    assert_false(have(line, "CREATE", NULL));
    assert_false(have("GRANT SELECT ON `wolfcdc`.`position` TO `w`@`%`", "SELECT", "wolfcdc"));
    assert_true(have("GRANT SELECT ON `%`.* TO `w`@`%`", "SELECT", "any"));
}

static void on_some_databases(void **state)
{
    const char *line = "GRANT ALL PRIVILEGES ON `wolfcdc`.* TO `w`@`%`";
    (void)state;
    assert_false(grants_have_somewhere(&line, 1, "INSERT", "wolfcdc"));
    assert_true(grants_have_somewhere(&line, 1, "INSERT", "wolf"));
    line = "GRANT SELECT, INSERT ON `shop`.* TO `w`@`%`";
    assert_true(grants_have_somewhere(&line, 1, "INSERT", "wolfcdc"));
    assert_false(grants_have_somewhere(&line, 1, "UPDATE", "wolfcdc"));
    line = "GRANT INSERT ON `shop`.`orders` TO `w`@`%`";
    assert_false(grants_have_somewhere(&line, 1, "INSERT", "wolfcdc"));
    line = "GRANT INSERT ON *.* TO `w`@`%`";
    assert_false(grants_have_somewhere(&line, 1, "INSERT", "wolfcdc"));
    line = "GRANT `reader` TO `w`@`%`";
    assert_false(grants_have_somewhere(&line, 1, "INSERT", "wolfcdc"));
}

static void other_lines(void **state)
{
    const char *lines[] = {"GRANT `reader` TO `w`@`%`", "GRANT PROXY ON ``@`%` TO `w`@`%`", "SET DEFAULT ROLE `reader` FOR `w`@`%`",
                           "GRANT SELECT ON *.* TO `reader`"};
    (void)state;
    assert_true(grants_have(lines, 4, "SELECT", NULL));
    assert_false(grants_have(lines, 3, "SELECT", NULL));
    assert_false(grants_have(lines, 0, "SELECT", NULL));
    assert_false(have("", "SELECT", NULL));
    assert_false(have("GRANT SELECT (", "SELECT", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(global), cmocka_unit_test(of_a_database), cmocka_unit_test(on_some_databases), cmocka_unit_test(other_lines)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
