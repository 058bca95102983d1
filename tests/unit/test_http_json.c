/* The bodies of requests: which, with which values, addressed by which key. */
#include "sink_unit.h"

#include "http.h"

static struct table *table;
static struct http_table *joined;
static struct http_json json;

static int start(void **state)
{
    (void)state;
    table = sink_table();
    http_json_init(&json);
    return http_table_new(table, &sink_target, &joined, NULL) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    http_table_free(joined);
    http_json_fini(&json);
    table_free(table);
    return 0;
}

static void give(enum change_kind kind, struct row before, struct row after, bool again)
{
    struct err err = {0};
    struct change change = {.kind = kind, .lsn = 9, .table = table, .before = before, .after = after};
    if (!http_json_row(&json, joined, &change, again, &err)) fail_msg("%s", err.text);
}

static void expect(unsigned i, const char *path, const char *body)
{
    assert_true(i < json.count);
    assert_string_equal(http_path(json.requests[i].verb), path);
    assert_slice(buf_bytes(&json.requests[i].body), body);
}

static const struct row none;

static void test_insert(void **state)
{
    (void)state;
    uint8_t image[64];
    give(CHANGE_INSERT, none, sink_row(1, 2, "a\"b", image), false);
    assert_int_equal(json.count, 1);
    expect(0, "/write/upsert", "{\"table\":\"d.t\",\"values\":{\"id\":1,\"u\":2,\"s\":\"a\\\"b\"},\"update_columns\":[\"u\",\"s\"]}");
    give(CHANGE_INSERT, none, sink_row(1, 2, NULL, image), true);
    expect(0, "/write/upsert", "{\"table\":\"d.t\",\"values\":{\"id\":1,\"u\":2,\"s\":null},\"update_columns\":[\"u\",\"s\"]}");
    give(CHANGE_INSERT, none, sink_row(1, 2, "\xff", image), false); /* no UTF-8 */
    expect(0, "/write/upsert", "{\"table\":\"d.t\",\"values\":{\"id\":1,\"u\":2,\"s\":{\"base64\":\"/w==\"}},\"update_columns\":[\"u\",\"s\"]}");
}

static void test_delete(void **state)
{
    (void)state;
    uint8_t image[64];
    char name[200];
    struct row row = sink_row(7, 2, "x", image);
    struct change change = {.kind = CHANGE_DELETE, .table = table, .before = row};
    give(CHANGE_DELETE, row, none, false);
    assert_int_equal(json.count, 1);
    expect(0, "/write/delete", "{\"table\":\"d.t\",\"where_key\":{\"id\":7}}");
    http_json_name(&json, joined, &change, name, sizeof name);
    assert_string_equal(name, "d.t {\"id\":7}");
}

static void test_update(void **state)
{
    (void)state;
    uint8_t one[64], two[64];
    give(CHANGE_UPDATE, sink_row(7, 2, "x", one), sink_row(7, 3, "x", two), false);
    assert_int_equal(json.count, 1);
    expect(0, "/write/update", "{\"table\":\"d.t\",\"set\":{\"u\":3,\"s\":\"x\"},\"where_key\":{\"id\":7}}");
    give(CHANGE_UPDATE, sink_row(7, 2, "x", one), sink_row(7, 3, "x", two), true);
    assert_int_equal(json.count, 1);
    expect(0, "/write/upsert", "{\"table\":\"d.t\",\"values\":{\"id\":7,\"u\":3,\"s\":\"x\"},\"update_columns\":[\"u\",\"s\"]}");
    give(CHANGE_UPDATE, sink_row(7, 2, "x", one), sink_row(8, 2, "x", two), false);
    assert_int_equal(json.count, 2);
    expect(0, "/write/delete", "{\"table\":\"d.t\",\"where_key\":{\"id\":7}}");
    expect(1, "/write/upsert", "{\"table\":\"d.t\",\"values\":{\"id\":8,\"u\":2,\"s\":\"x\"},\"update_columns\":[\"u\",\"s\"]}");
}

/* Images that lack columns: what is not known is neither set nor taken for whole. */
static void test_partial(void **state)
{
    (void)state;
    uint8_t one[64], two[64];
    struct row before = sink_row(7, 2, "x", one), after = sink_row(8, 2, "x", two);
    before.image.size = 5, before.present = unit_hex("01"); /* id */
    after.image.size = 9, after.present = unit_hex("03");   /* id, u */
    give(CHANGE_UPDATE, before, after, true);
    assert_int_equal(json.count, 1);
    expect(0, "/write/update", "{\"table\":\"d.t\",\"set\":{\"id\":8,\"u\":2},\"where_key\":{\"id\":7}}");
    assert_false(http_json_rival(&json, joined, 0));
    after = sink_row(7, 2, "x", two);
    after.image.size = 9, after.present = unit_hex("03");
    give(CHANGE_UPDATE, before, after, true); /* no upsert: it could make half a row */
    expect(0, "/write/update", "{\"table\":\"d.t\",\"set\":{\"u\":2},\"where_key\":{\"id\":7}}");
    before.present = unit_hex("02"); /* u alone: whose row is it? */
    struct change change = {.kind = CHANGE_DELETE, .lsn = 9, .table = table, .before = before};
    struct err err = {0};
    assert_false(http_json_row(&json, joined, &change, false, &err));
    assert_int_equal(err.code, ERR_STOP);
}

static void test_rivals(void **state)
{
    (void)state;
    uint8_t image[64];
    give(CHANGE_INSERT, none, sink_row(1, 2, "a", image), true);
    assert_true(http_json_rival(&json, joined, 0));
    expect(0, "/write/delete", "{\"table\":\"d.t\",\"where_key\":{\"u\":2}}");
    assert_false(http_json_rival(&json, joined, 1));
}

static void test_foreign(void **state)
{
    (void)state;
    uint8_t one[64], two[64];
    struct target_table target = sink_target;
    struct http_table *other;
    struct err err = {0};
    target.foreign = true;
    assert_true(http_table_new(table, &target, &other, &err));
    struct change change = {.kind = CHANGE_UPDATE, .lsn = 9, .table = table, .before = sink_row(7, 2, "x", one), .after = sink_row(8, 2, "x", two)};
    assert_true(http_json_row(&json, other, &change, true, &err));
    assert_int_equal(json.count, 1); /* no delete, which would cascade */
    expect(0, "/write/update", "{\"table\":\"d.t\",\"set\":{\"id\":8,\"u\":2,\"s\":\"x\"},\"where_key\":{\"id\":7}}");
    assert_false(http_json_rival(&json, other, 0));
    http_table_free(other);
}

static void test_tables(void **state)
{
    (void)state;
    struct http_table *other;
    struct err err = {0};
    struct target_table target = sink_target;
    target.key_count = 0;
    assert_false(http_table_new(table, &target, &other, &err));
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "d.t has no primary key"));
    target = sink_target;
    target.exists = false;
    assert_false(http_table_new(table, &target, &other, &err));
    target = sink_target;
    target.column_count = 2;
    assert_false(http_table_new(table, &target, &other, &err));
    assert_non_null(strstr(err.text, "has no column `s`"));
    target = sink_target;
    target.sequence = true;
    assert_false(http_table_new(table, &target, &other, &err));
    assert_non_null(strstr(err.text, "d.t is a SEQUENCE"));
    target = sink_target;
    target.versioned = true;
    target.period[1] = 2; /* `s`, which the source has */
    assert_false(http_table_new(table, &target, &other, &err));
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "d.t is system-versioned on the source"));
    struct target_column generated[3];
    uint8_t image[64];
    memcpy(generated, sink_target_columns, sizeof generated);
    generated[1].generated = true;
    target = sink_target;
    target.columns = generated;
    assert_true(http_table_new(table, &target, &other, &err));
    struct change change = {.kind = CHANGE_INSERT, .lsn = 9, .table = table, .after = sink_row(1, 2, NULL, image)};
    assert_true(http_json_row(&json, other, &change, false, &err));
    expect(0, "/write/upsert", "{\"table\":\"d.t\",\"values\":{\"id\":1,\"s\":null},\"update_columns\":[\"s\"]}");
    http_table_free(other);
}

/* A JSON document is its text, to the byte: no object stands among the values but base64. */
static void test_document(void **state)
{
    (void)state;
    uint8_t image[64];
    struct column columns[3];
    const char *reason;
    struct http_table *other;
    memcpy(columns, sink_columns, sizeof columns);
    columns[2].kind = COLUMN_JSON;
    struct table draft = {.database = NAME("d"), .name = NAME("t"), .column_count = 3, .columns = columns, .named = true};
    struct table *documents = table_new(&draft, 2, &reason);
    struct err err = {0};
    assert_true(http_table_new(documents, &sink_target, &other, &err));
    struct change change = {.kind = CHANGE_INSERT, .lsn = 9, .table = documents, .after = sink_row(1, 2, "{ \"base64\": 1.50}", image)};
    assert_true(http_json_row(&json, other, &change, false, &err));
    expect(0, "/write/upsert", "{\"table\":\"d.t\",\"values\":{\"id\":1,\"u\":2,\"s\":\"{ \\\"base64\\\": 1.50}\"},\"update_columns\":[\"u\",\"s\"]}");
    http_table_free(other);
    table_free(documents);
}

static void test_statement(void **state)
{
    (void)state;
    struct err err = {0};
    static uint8_t tables[] = {0, 1, 't', 1, 'e', 3, 'a', '.', 'b'};
    struct statement st = {.kind = STATEMENT_RENAME_TABLE, .own_commit = true, .context = CONTEXT_SQL_MODE | CONTEXT_CHARSET, .sql_mode = 5,
                           .charset_client = 8, .collation_connection = 8, .collation_server = 45, .database = slice_text("d"),
                           .tables = slice_of(tables, sizeof tables)};
    assert_true(http_json_statement(&json, &st, slice_text("RENAME TABLE t TO e.`caf\xe9`"), &err));
    expect(0, "/write/ddl", "{\"ddl\":\"RENAME TABLE t TO e.`caf\xc3\xa9`\",\"table\":\"d.t\",\"database\":\"d\",\"session\":{\"sql_mode\":5,"
           "\"charset\":\"latin1\",\"collation\":8,\"collation_server\":45}}");
    st.tables = slice_of(tables + 3, 6); /* every name has its database */
    st.context = 0;
    assert_true(http_json_statement(&json, &st, slice_text("DROP TABLE e.`a.b`"), &err));
    expect(0, "/write/ddl", "{\"ddl\":\"DROP TABLE e.`a.b`\",\"table\":\"e.`a.b`\",\"database\":null,\"session\":{}}");
    st.tables = (struct slice){NULL, 0};
    st.kind = STATEMENT_CREATE_DATABASE;
    assert_true(http_json_statement(&json, &st, slice_text("CREATE DATABASE d"), &err));
    expect(0, "/write/ddl", "{\"ddl\":\"CREATE DATABASE d\",\"table\":null,\"database\":null,\"session\":{}}");
    assert_false(http_json_statement(&json, &st, slice_text("CREATE DATABASE \xff"), &err));
    assert_int_equal(err.code, ERR_UNSUPPORTED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_insert, start, end),  cmocka_unit_test_setup_teardown(test_delete, start, end),
        cmocka_unit_test_setup_teardown(test_update, start, end),  cmocka_unit_test_setup_teardown(test_partial, start, end),
        cmocka_unit_test_setup_teardown(test_rivals, start, end),  cmocka_unit_test_setup_teardown(test_foreign, start, end),
        cmocka_unit_test_setup_teardown(test_tables, start, end),  cmocka_unit_test_setup_teardown(test_document, start, end), cmocka_unit_test_setup_teardown(test_statement, start, end)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
