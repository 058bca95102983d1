/* The history of definitions: what is kept over a restart, what of it is left out (its transaction is not in the log, a torn record), and what a damaged file says. */
#include "unit.h"

#include <unistd.h>

#include "history.h"

static char path[64];

static struct history *open_at(uint64_t lsn)
{
    struct history *h = NULL;
    struct err err = {0};
    if (!history_open(path, lsn, &h, &err)) fail_msg("%s", err.text);
    return h;
}

static void ddl(struct history *h, uint64_t lsn, const char *sql)
{
    static struct source_pos pos = {.offset = 77, .file = "b.000001"};
    struct statement s = {.kind = STATEMENT_ALTER_TABLE, .own_commit = true, .database = slice_text("d"), .text = slice_text(sql)};
    struct err err = {0};
    history_at(h, lsn, &pos);
    history_statement(h, &s, 101119);
    assert_true(history_is_pending(h));
    assert_true(history_commit(h, &err));
    assert_false(history_is_pending(h));
}

static char shown[2000];
static void show(void *context, const struct definition *d)
{
    struct buf out;
    (void)context;
    buf_init(&out, 1000);
    definition_show(d, &out);
    size_t used = strlen(shown);
    snprintf(shown + used, sizeof shown - used, "%s.%s v%d: %s; ", d->database, d->name, (int)d->version, buf_cstr(&out));
    buf_fini(&out);
}

static const char *all(struct history *h)
{
    shown[0] = 0;
    history_show(h, NULL, show, NULL);
    return shown;
}

static void set(struct history *h, const char *sql)
{
    struct err err = {0};
    if (!history_set(h, "d.t", slice_text(sql), &err)) fail_msg("%s", err.text);
}

/* A row's map comes after DDL that has changed the table once more: the server, asked then, tells another definition. */
static void before_the_first_map(void **state)
{
    (void)state;
    struct history *h = open_at(10);
    ddl(h, 11, "CREATE TABLE t (a INT)");
    assert_string_equal(all(h), ""); /* names are in the maps, for all that is known */
    history_track(h);
    ddl(h, 12, "CREATE TABLE u (a INT)");
    ddl(h, 13, "ALTER TABLE u CHANGE a b INT");
    assert_string_equal(all(h), "d.u v2: b int; ");
    history_close(h);
    unlink(path);
}

static void over_restarts(void **state)
{
    (void)state;
    struct history *h = open_at(10);
    set(h, "CREATE TABLE t (a INT, b INT)");
    assert_true(history_changed(h));
    assert_false(history_changed(h)); /* told once */
    ddl(h, 11, "ALTER TABLE t CHANGE b c INT");
    ddl(h, 12, "ALTER TABLE t ADD x INT");
    assert_string_equal(all(h), "d.t v3: a int, c int, x int; ");
    history_close(h);
    h = open_at(13); /* the log has both */
    assert_string_equal(all(h), "d.t v3: a int, c int, x int; ");
    history_close(h);
    unlink(path);
    h = open_at(10);
    set(h, "CREATE TABLE t (a INT, b INT)");
    ddl(h, 11, "ALTER TABLE t CHANGE b c INT");
    ddl(h, 12, "ALTER TABLE t ADD x INT"); /* its commit is after 12, and the log ends there: it comes again */
    history_close(h);
    h = open_at(12);
    assert_string_equal(all(h), "d.t v2: a int, c int; ");
    ddl(h, 12, "ALTER TABLE t ADD x INT");
    assert_string_equal(all(h), "d.t v3: a int, c int, x int; ");
    ddl(h, 13, "RENAME TABLE t TO `o``dd`");
    history_close(h);
    h = open_at(14);
    assert_string_equal(all(h), "d.o`dd v1: a int, c int, x int; ");
    ddl(h, 14, "DROP TABLE `o``dd`");
    history_close(h);
    h = open_at(15);
    assert_string_equal(all(h), "");
    history_close(h);
}

static void aborted(void **state)
{
    (void)state;
    struct history *h = open_at(10);
    struct statement s = {.kind = STATEMENT_ALTER_TABLE, .own_commit = true, .database = slice_text("d"), .text = slice_text("ALTER TABLE t ADD x INT")};
    struct err err = {0};
    set(h, "CREATE TABLE t (a INT)");
    history_statement(h, &s, 0);
    history_abort(h);
    assert_true(history_commit(h, &err));
    assert_string_equal(all(h), "d.t v1: a int; ");
    assert_int_equal(history_refresh(h, "d.other"), 0);
    assert_int_equal(history_refresh(h, "d.t"), 1);
    assert_string_equal(all(h), "");
    assert_false(history_set(h, "t", slice_text("CREATE TABLE t (a INT)"), &err));
    assert_false(history_set(h, "d.t", slice_text("CREATE TABLE u (a INT)"), &err));
    assert_non_null(strstr(err.text, "no CREATE TABLE of d.t"));
    history_close(h);
}

/* Executable comments that a MySQL executed, and a MariaDB would have passed over. */
static void words_of_mysql(void **state)
{
    struct statement s = {.kind = STATEMENT_ALTER_TABLE, .own_commit = true, .database = slice_text("d"), .flavour = slice_text("mysql"),
                          .text = slice_text("ALTER TABLE t /*!80000 RENAME COLUMN a TO x, RENAME COLUMN b TO a, */ ADD c INT")};
    struct err err = {0};
    (void)state;
    struct history *h = open_at(10);
    set(h, "CREATE TABLE t (a INT, b INT)");
    history_statement(h, &s, 90700);
    assert_true(history_commit(h, &err));
    assert_string_equal(all(h), "d.t v2: x int, a int, c int; ");
    history_close(h);
}

/* A record that was cut off while it was written, at each byte: what stands before it is whole. */
static void torn(void **state)
{
    (void)state;
    struct history *h = open_at(10);
    set(h, "CREATE TABLE t (a INT, b INT)");
    history_close(h);
    FILE *in = fopen(path, "rb");
    char bytes[4096];
    size_t before = fread(bytes, 1, sizeof bytes, in);
    fclose(in);
    h = open_at(11);
    ddl(h, 11, "ALTER TABLE t CHANGE b c INT");
    history_close(h);
    in = fopen(path, "rb");
    size_t size = fread(bytes, 1, sizeof bytes, in);
    fclose(in);
    assert_true(size > before);
    for (size_t cut = before; cut < size; cut++) {
        FILE *out = fopen(path, "wb");
        assert_int_equal(fwrite(bytes, 1, cut, out), cut);
        fclose(out);
        h = open_at(12);
        assert_string_equal(all(h), "d.t v1: a int, b int; ");
        history_close(h);
    }
}

static void damaged(void **state)
{
    (void)state;
    struct history *h = NULL;
    struct err err = {0};
    FILE *out = fopen(path, "wb");
    fputs("garbage\nCREATE TABLE d.t (a INT);\n", out);
    fclose(out);
    assert_false(history_open(path, 1, &h, &err));
    assert_int_equal(err.code, ERR_CORRUPT);
    assert_non_null(strstr(err.text, path));
}

static int clean(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

#define T(name) cmocka_unit_test_setup_teardown(name, clean, clean)
int main(void)
{
    const struct CMUnitTest tests[] = {T(before_the_first_map), T(over_restarts), T(aborted), T(words_of_mysql), T(torn), T(damaged)};
    snprintf(path, sizeof path, "/tmp/wolfcdc-test-history-%ld", (long)getpid());
    return cmocka_run_group_tests(tests, NULL, NULL);
}
