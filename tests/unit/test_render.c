/* The lines that jsonl, `wolfctl wal dump` and the golden tests print. */
#include "unit.h"

#include "render.h"

#define NAME(text) {(const uint8_t *)text, sizeof text - 1}

static struct slice enum_labels[] = {NAME("on"), NAME("caf\xe9")}, set_labels[] = {NAME("a"), NAME("b"), NAME("c")};
static struct column columns[] = {
    {.kind = COLUMN_INT, .width = 4, .name = NAME("id")},
    {.kind = COLUMN_VARCHAR, .width = 1, .max_bytes = 40, .collation = 8, .name = NAME("text"), .nullable = true},
    {.kind = COLUMN_DECIMAL, .precision = 10, .scale = 4, .name = NAME("dec")},
    {.kind = COLUMN_ENUM, .width = 1, .labels = enum_labels, .label_count = 2, .labels_collation = 8, .name = NAME("e")},
    {.kind = COLUMN_SET, .width = 1, .labels = set_labels, .label_count = 3, .labels_collation = 45, .name = NAME("s")},
    {.kind = COLUMN_BINARY, .width = 1, .max_bytes = 4, .collation = 63, .name = NAME("b")},
    {.kind = COLUMN_JSON, .width = 4, .collation = 46, .name = NAME("j")},
    {.kind = COLUMN_BIT, .bits = 12, .name = NAME("bits")},
};
static uint16_t key[] = {0};
static const char row_one[] = "00 07000000 0163 8004d2162e 02 05 0161 04000000 6e756c6c 0aaa";
static const char row_two[] = "02 07000000 7ffffffffe 00 00 00 09000000 7b202261223a20317d 0001";

static struct table *table;
static struct buf out;
static const char *all_json = "{\"lsn\":5,\"gtid\":\"0-1-42\",\"file\":\"binlog.000007\",\"pos\":4294967300,\"ts\":1700000000,\"server_id\":9,";

static int start(void **state)
{
    (void)state;
    const char *reason = NULL;
    struct table draft = {.database = slice_text("shop"), .name = slice_text("t\"x"), .column_count = 8, .columns = columns,
                          .key = key, .key_count = 1, .named = true};
    table = table_new(&draft, 1, &reason);
    buf_init(&out, 1 << 16);
    return table ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    table_free(table);
    buf_fini(&out);
    return 0;
}

static void give(struct render *render, const struct change *change)
{
    struct err err = {0};
    if (!render_change(render, change, &out, &err)) fail_msg("%s", err.text);
}

static struct render *begun(enum render_format format)
{
    struct render *render = render_new(format);
    struct change begin = {.kind = CHANGE_BEGIN, .lsn = 4, .gtid = {.domain = 0, .server = 1, .seq = 42}, .timestamp = 1700000000, .server_id = 9,
                           .file = slice_text("binlog.000007"), .offset = 4294967300};
    buf_clear(&out);
    give(render, &begin);
    assert_int_equal(out.size, 0);
    return render;
}

static struct change row_change(enum change_kind kind)
{
    struct change change = {.kind = kind, .lsn = 5, .timestamp = 1700000000, .table = table};
    change.before.image = unit_hex(row_one);
    change.after.image = unit_hex(kind == CHANGE_INSERT ? row_one : row_two);
    return change;
}

static void expect_json(const char *rest)
{
    char text[4096];
    snprintf(text, sizeof text, "%s%s\n", all_json, rest);
    assert_string_equal(buf_cstr(&out), text);
    buf_clear(&out);
}

#define ONE "{\"id\":7,\"text\":\"c\",\"dec\":\"1234.5678\",\"e\":\"caf\xc3\xa9\",\"s\":\"a,c\",\"b\":{\"base64\":\"YQAAAA==\"},\"j\":{\"json\":null},\"bits\":2730}"
#define TWO "{\"id\":7,\"text\":null,\"dec\":\"-0.0001\",\"e\":\"\",\"s\":\"\",\"b\":{\"base64\":\"AAAAAA==\"},\"j\":{\"a\":1},\"bits\":1}"

static void test_rows(void **state)
{
    (void)state;
    struct render *render = begun(RENDER_JSON);
    struct change insert = row_change(CHANGE_INSERT);
    give(render, &insert);
    expect_json("\"op\":\"insert\",\"db\":\"shop\",\"table\":\"t\\\"x\",\"key\":{\"id\":7},\"before\":null,\"after\":" ONE "}");
    struct change update = row_change(CHANGE_UPDATE);
    give(render, &update);
    expect_json("\"op\":\"update\",\"db\":\"shop\",\"table\":\"t\\\"x\",\"key\":{\"id\":7},\"before\":" ONE ",\"after\":" TWO "}");
    struct change delete = row_change(CHANGE_DELETE);
    give(render, &delete);
    expect_json("\"op\":\"delete\",\"db\":\"shop\",\"table\":\"t\\\"x\",\"key\":{\"id\":7},\"before\":" ONE ",\"after\":null}");
    render_free(render);
}

static void test_absent(void **state)
{
    (void)state;
    struct render *render = begun(RENDER_JSON);
    struct change delete = row_change(CHANGE_DELETE);
    delete.before = (struct row){.present = unit_hex("05"), .image = unit_hex("00 07000000 8004d2162e")};
    give(render, &delete);
    expect_json("\"op\":\"delete\",\"db\":\"shop\",\"table\":\"t\\\"x\",\"key\":{\"id\":7},\"before\":{\"id\":7,\"dec\":\"1234.5678\"},\"after\":null}");
    render_free(render);
}

/* The server's own column of a UNIQUE key over a whole TEXT stands behind all others; one in another place, or signed, is the user's. */
static void test_hash_of_key(void **state)
{
    (void)state;
    const struct column hash = {.kind = COLUMN_INT, .width = 8, .sign_known = true, .is_unsigned = true, .name = slice_text("DB_ROW_HASH_1")};
    struct column three[] = {hash, {.kind = COLUMN_INT, .width = 4, .name = slice_text("id")}, hash};
    struct table draft = {.database = slice_text("d"), .name = slice_text("t"), .column_count = 3, .columns = three, .named = true};
    const char *reason, *shown[] = {"{\"DB_ROW_HASH_1\":1,\"id\":7}", "{\"DB_ROW_HASH_1\":1,\"id\":7,\"DB_ROW_HASH_1\":2}"};
    char text[200];
    for (int i = 0; i < 2; i++) {
        struct table *hashed = table_new(&draft, 1, &reason);
        struct render *render = begun(RENDER_JSON);
        struct change insert = {.kind = CHANGE_INSERT, .lsn = 5, .timestamp = 1700000000, .table = hashed};
        insert.after.image = unit_hex("00 0100000000000000 07000000 0200000000000000");
        give(render, &insert);
        snprintf(text, sizeof text, "\"op\":\"insert\",\"db\":\"d\",\"table\":\"t\",\"key\":{},\"before\":null,\"after\":%s}", shown[i]);
        expect_json(text);
        render_free(render);
        table_free(hashed);
        three[2].is_unsigned = false;
    }
}

static struct statement ddl_statement(const char *text)
{
    return (struct statement){.kind = STATEMENT_ALTER_TABLE, .own_commit = true, .context = CONTEXT_SQL_MODE | CONTEXT_CHARSET, .sql_mode = 2,
                              .charset_client = 8, .collation_connection = 8, .collation_server = 45, .database = slice_text("shop"),
                              .text = slice_text(text), .tables = slice_of("\0\2t1", 4)};
}

static void test_statement(void **state)
{
    (void)state;
    struct render *render = begun(RENDER_JSON);
    struct statement statement = ddl_statement("ALTER TABLE t1 ADD caf\xe9 INT");
    struct change change = {.kind = CHANGE_STATEMENT, .lsn = 5, .timestamp = 1700000000, .statement = &statement};
    give(render, &change);
    char rest[1024];
    snprintf(rest, sizeof rest,
             "\"op\":\"ddl\",\"db\":\"shop\",\"table\":\"t1\",\"kind\":\"%s\",\"sql\":\"ALTER TABLE t1 ADD caf\xc3\xa9 INT\","
             "\"session\":{\"sql_mode\":2,\"charset\":\"latin1\",\"collation\":8,\"collation_server\":45}}", statement_kind_name(STATEMENT_ALTER_TABLE));
    expect_json(rest);
    statement = ddl_statement("ALTER TABLE t1 CONNECTION='mysql://u:secret@h/d'");
    give(render, &change);
    assert_null(strstr(buf_cstr(&out), "secret"));
    assert_non_null(strstr(buf_cstr(&out), "\"redacted\":true"));
    render_free(render);
}

static void test_commit(void **state)
{
    (void)state;
    static struct commit commit;
    commit = (struct commit){.rows = 3, .pos = {.gtids = {.count = 1, .items = {{.domain = 0, .server = 1, .seq = 42}}}, .offset = 99, .file = "binlog.000008"}};
    struct change change = {.kind = CHANGE_COMMIT, .lsn = 8, .timestamp = 1700000001, .gtid = {.domain = 0, .server = 1, .seq = 42}, .commit = &commit};
    struct render *render = begun(RENDER_JSON);
    give(render, &change);
    assert_string_equal(buf_cstr(&out), "{\"lsn\":8,\"gtid\":\"0-1-42\",\"file\":\"binlog.000008\",\"pos\":99,\"ts\":1700000001,"
                                        "\"server_id\":9,\"op\":\"commit\",\"rows\":3,\"gtids\":\"0-1-42\"}\n");
    render_free(render);
}

static void test_csv(void **state)
{
    (void)state;
    struct render *render = begun(RENDER_CSV);
    struct change delete = row_change(CHANGE_DELETE);
    render_start(render, &out);
    assert_string_equal(buf_cstr(&out), RENDER_CSV_HEADER);
    buf_clear(&out);
    delete.before = (struct row){.present = unit_hex("05"), .image = unit_hex("00 07000000 8004d2162e")};
    give(render, &delete);
    assert_string_equal(buf_cstr(&out), "5,0-1-42,\"binlog.000007\",4294967300,1700000000,9,delete,\"shop\",\"t\"\"x\",\"{\"\"id\"\":7}\","
                                        "\"{\"\"id\"\":7,\"\"dec\"\":\"\"1234.5678\"\"}\",\n");
    render_free(render);
}

static void test_text(void **state)
{
    (void)state;
    struct render *render = begun(RENDER_TEXT);
    struct change update = row_change(CHANGE_UPDATE);
    give(render, &update);
    assert_string_equal(buf_cstr(&out), "2023-11-14T22:13:20 lsn=5 gtid=0-1-42 update shop.t\"x {\"id\":7} text: \"c\" -> null dec: \"1234.5678\" -> "
                                        "\"-0.0001\" e: \"caf\xc3\xa9\" -> \"\" s: \"a,c\" -> \"\" b: {\"base64\":\"YQAAAA==\"} -> "
                                        "{\"base64\":\"AAAAAA==\"} j: {\"json\":null} -> {\"a\":1} bits: 2730 -> 1\n");
    render_free(render);
}

static void test_refused(void **state)
{
    (void)state;
    struct err err = {0};
    struct render *render = begun(RENDER_JSON);
    struct change insert = row_change(CHANGE_INSERT);
    insert.after.image.size--;
    assert_false(render_change(render, &insert, &out, &err));
    assert_int_equal(err.code, ERR_CORRUPT);
    struct buf small;
    buf_init(&small, 200);
    buf_text(&small, "kept");
    insert = row_change(CHANGE_INSERT);
    assert_false(render_change(render, &insert, &small, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    assert_slice(buf_bytes(&small), "kept");
    buf_fini(&small);
    render_free(render);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_absent), cmocka_unit_test(test_hash_of_key), cmocka_unit_test(test_statement),
                                       cmocka_unit_test(test_commit), cmocka_unit_test(test_csv), cmocka_unit_test(test_text),
                                       cmocka_unit_test(test_refused)};
    return cmocka_run_group_tests(tests, start, end);
}
