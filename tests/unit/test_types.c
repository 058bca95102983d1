/* test_types.c: TABLE_MAP's types and optional metadata, against bytes recorded from servers. */
#include "unit.h"

#include "types.h"

struct fixture { struct arena arena; struct table draft; struct err err; };

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    arena_init(&f->arena);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    arena_fini(&f->arena);
    free(f);
    return 0;
}

/* A map of g.t: types, metadata, null bitmap, optional metadata. */
static bool draft(struct fixture *f, const char *types, const char *meta, const char *rest)
{
    struct buf body;
    struct slice t = unit_hex(types), m = unit_hex(meta);
    struct types_head head;
    buf_init(&body, 65536);
    buf_put(&body, "\x01\x00\x01g\0\x01t\0", 8);
    buf_lenenc_bytes(&body, t);
    buf_lenenc_bytes(&body, m);
    for (size_t i = 0; i < (t.size + 7) / 8; i++) buf_u8(&body, 0x02);
    buf_slice(&body, unit_hex(rest));
    struct slice kept = arena_copy(&f->arena, buf_bytes(&body));
    buf_fini(&body);
    return types_head(kept, &head, &f->err) && types_draft(&head, true, &f->arena, &f->draft, &f->err);
}

/* ints(a tinyint, b tinyint unsigned, c,d smallint, e,f mediumint, g,h int, i,j bigint, k year, l float, m double, n year, o float unsigned,
   p decimal unsigned, q bool) of 10.11 */
static void test_signs(void **state)
{
    struct fixture *f = *state;
    const char *types = "01 01 02 02 09 09 03 03 08 08 0d 04 05 0d 04 f6 01", *meta = "04 08 04 0a00";
    static const bool expected[] = {0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 1, 0, 0, 1, 1, 1, 0};
    assert_true(draft(f, types, meta, "01 03 556700"));
    for (uint32_t i = 0; i < 17; i++) {
        assert_int_equal(f->draft.columns[i].is_unsigned, expected[i]);
        assert_true(f->draft.columns[i].sign_known);
    }
    assert_false(f->draft.named);
    assert_true(f->draft.columns[1].nullable);
    assert_false(f->draft.columns[0].nullable);
    assert_true(draft(f, types, meta, "01 02 5567")); /* a server that leaves YEAR out has 15 bits */
    assert_false(draft(f, types, meta, "01 01 55"));
    assert_false(draft(f, types, meta, "01 04 55670000"));
}

/* gg(g geometry, t text latin1, b blob, t2 varchar utf8mb4) of 10.11: GEOMETRY counts as a character column */
static void test_charsets(void **state)
{
    struct fixture *f = *state;
    assert_true(draft(f, "ff fc fc 0f", "04 02 02 5000", "03 04 3f083f2d 07 01 01"));
    const struct column *c = f->draft.columns;
    assert_int_equal(c[0].kind, COLUMN_GEOMETRY);
    assert_int_equal(c[0].geometry, 1);
    assert_int_equal(c[1].kind, COLUMN_TEXT);
    assert_int_equal(c[1].collation, 8);
    assert_int_equal(c[2].kind, COLUMN_BLOB);
    assert_int_equal(c[3].kind, COLUMN_VARCHAR);
    assert_int_equal(c[3].collation, 45);
    /* default 45 with exceptions: character column 1 is 63, 2 is 2304 (3 bytes) */
    assert_true(draft(f, "03 0f fe 0f 0f", "5000 fe10 5000 0401", "02 07 2d 01 3f 02 fc0009"));
    c = f->draft.columns;
    assert_int_equal(c[1].collation, 45);
    assert_int_equal(c[2].kind, COLUMN_BINARY);
    assert_int_equal(c[2].max_bytes, 16);
    assert_int_equal(c[3].collation, 2304);
    assert_int_equal(c[4].collation, 45);
    assert_int_equal(c[4].max_bytes, 260);
    assert_int_equal(c[4].width, 2);
    assert_false(draft(f, "0f", "5000", "02 03 2d 05 3f")); /* an exception for the sixth of one */
    assert_false(draft(f, "0f", "5000", "03 02 2d 2d"));
}

static void test_strings(void **state)
{
    static const struct { const char *meta; uint32_t max_bytes, width; } cases[] = {
        {"fe0a", 10, 1}, {"cefc", 1020, 2}, {"ee00", 256, 2}, {"ee02", 258, 2}, {"feff", 255, 1}, {"fe00", 0, 1}};
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(draft(f, "fe", cases[i].meta, "02 01 2d"));
        assert_int_equal(f->draft.columns[0].kind, COLUMN_CHAR);
        assert_int_equal(f->draft.columns[0].max_bytes, cases[i].max_bytes);
        assert_int_equal(f->draft.columns[0].width, cases[i].width);
    }
    assert_false(draft(f, "fe", "7f0a", ""));
}

static void test_labels(void **state)
{
    struct fixture *f = *state;
    assert_true(draft(f, "fe fe fe", "f701 f802 f701", "05 05 02 0161 0162 06 09 01 0178 03 00 01e9 0179 0a 03 08 01 2d"));
    const struct column *c = f->draft.columns;
    assert_int_equal(c[0].kind, COLUMN_ENUM);
    assert_int_equal(c[0].label_count, 1);
    assert_int_equal(c[0].labels_collation, 8);
    assert_int_equal(c[1].kind, COLUMN_SET);
    assert_int_equal(c[1].width, 2);
    assert_int_equal(c[1].label_count, 2);
    assert_slice(c[1].labels[1], "b");
    assert_int_equal(c[1].labels_collation, 45);
    assert_int_equal(c[2].label_count, 3);
    assert_slice(c[2].labels[0], "");
    assert_slice(c[2].labels[1], "\xe9");
    assert_false(draft(f, "fe", "f701", "06 05 fdffffff 00")); /* more labels than bytes */
    assert_false(draft(f, "fe", "f703", ""));
    assert_false(draft(f, "fe", "f809", ""));
}

static void test_names_and_keys(void **state)
{
    struct fixture *f = *state;
    assert_true(draft(f, "03 0f 0f", "1400 1400", "04 06 0161 0162 0163 09 06 010000050203"));
    assert_true(f->draft.named);
    assert_slice(f->draft.columns[2].name, "c");
    assert_int_equal(f->draft.key_count, 3);
    assert_int_equal(f->draft.key[0], 1);
    assert_int_equal(f->draft.key[2], 2);
    assert_true(draft(f, "03 03", "", "08 01 01"));
    assert_int_equal(f->draft.key_count, 1);
    assert_int_equal(f->draft.key[0], 1);
    assert_false(draft(f, "03 03", "", "08 01 02"));
    assert_false(draft(f, "03 03", "", "04 02 0161")); /* a name for one of two */
    assert_false(draft(f, "03 03", "", "04 05 0161"));
}

static void test_fixed(void **state)
{
    struct fixture *f = *state;
    assert_true(draft(f, "10 10 11 12 13 f6 0a", "0700 0008 06 03 01 411e", ""));
    const struct column *c = f->draft.columns;
    assert_int_equal(c[0].bits, 7);
    assert_int_equal(c[2].scale, 6);
    assert_int_equal(c[5].precision, 65);
    assert_int_equal(c[5].scale, 30);
    assert_int_equal(c[6].kind, COLUMN_DATE);
    assert_false(c[0].sign_known);
}

static void test_refusals(void **state)
{
    static const struct { const char *types, *meta; enum err_code code; } cases[] = {
        {"00", "", ERR_UNSUPPORTED}, {"64", "", ERR_UNSUPPORTED}, {"14", "", ERR_UNSUPPORTED}, {"f3", "", ERR_UNSUPPORTED},
        {"8c", "05", ERR_CORRUPT}, {"8d", "0000", ERR_CORRUPT}, {"f5", "03", ERR_CORRUPT}, {"f2", "00", ERR_CORRUPT},
        {"04", "08", ERR_CORRUPT}, {"11", "07", ERR_CORRUPT}, {"f6", "0a0b", ERR_CORRUPT}, {"f6", "4200", ERR_CORRUPT}, {"10", "0800", ERR_CORRUPT},
        {"10", "0108", ERR_CORRUPT}, {"fc", "05", ERR_CORRUPT}, {"0f", "01", ERR_CORRUPT}, {"03", "00", ERR_CORRUPT}};
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_false(draft(f, cases[i].types, cases[i].meta, ""));
        assert_int_equal(f->err.code, cases[i].code);
        assert_non_null(strstr(f->err.text, "g.t"));
    }
}

/* What no server is known to write is no reason to guess: metadata of an unknown type, flags. */
static void test_unknown(void **state)
{
    struct fixture *f = *state;
    assert_true(draft(f, "03", "", "01 01 80"));
    assert_false(draft(f, "03", "", "01 01 80 0e 01 00"));
    assert_int_equal(f->err.code, ERR_UNSUPPORTED);
    assert_non_null(strstr(f->err.text, "type 14"));
    assert_false(draft(f, "03", "", "00 00"));
    struct slice map = unit_hex("0800 0167 00 0174 00 01 03 00 00");
    struct types_head head;
    assert_true(types_head(map, &head, &f->err));
    assert_false(types_draft(&head, true, &f->arena, &f->draft, &f->err));
    assert_non_null(strstr(f->err.text, "0008"));
    head.flags = 0x4007;
    assert_true(types_draft(&head, true, &f->arena, &f->draft, &f->err));
}

/* (a tinyint unsigned, k year, l float, o float unsigned, p decimal unsigned, q bool, b bit(3), z bigint unsigned) of MySQL 9.7: YEAR has a bit,
   BIT has none */
static void test_signs_of_mysql(void **state)
{
    static const bool expected[] = {1, 1, 0, 1, 1, 0, 0, 1};
    struct fixture *f = *state;
    assert_true(draft(f, "01 0d 04 04 f6 01 10 08", "04 04 0a00 0300", "01 01 da"));
    for (uint32_t i = 0; i < 8; i++) assert_int_equal(f->draft.columns[i].is_unsigned, expected[i]);
}

/* MySQL's own: VECTOR counts as a character column, JSON and GEOMETRY do not; visibility, dimensions */
static void test_mysql(void **state)
{
    struct fixture *f = *state;
    struct types_head head;
    struct slice map = unit_hex("0100 0167 00 0174 00 04 f5f2ff0f 05 04 04 04 5000 0f 03 04 3f fcff00 07 01 01 0c 01 e0 0d 01 03");
    assert_true(types_head(map, &head, &f->err));
    assert_true(types_draft(&head, false, &f->arena, &f->draft, &f->err));
    const struct column *c = f->draft.columns;
    assert_int_equal(c[0].kind, COLUMN_JSON);
    assert_int_equal(c[0].layout, LAYOUT_JSONB);
    assert_int_equal(c[0].collation, 46);
    assert_int_equal(c[1].kind, COLUMN_VECTOR);
    assert_int_equal(c[1].max_bytes, 12);
    assert_int_equal(c[2].kind, COLUMN_GEOMETRY);
    assert_int_equal(c[3].collation, 255);
    assert_true(types_check(&f->draft, &f->err));
    f->draft.columns[3].collation = 324;
    assert_false(types_check(&f->draft, &f->err));
    assert_non_null(strstr(f->err.text, "collation 324"));
}

/* The old temporal types have no fraction in MySQL, and one that only the dictionary knows in MariaDB. */
static void test_old_temporals(void **state)
{
    struct fixture *f = *state;
    struct types_head head;
    struct column known[3];
    assert_true(types_head(unit_hex("0100 0167 00 0174 00 03 070b0c 00 07"), &head, &f->err));
    assert_true(types_draft(&head, false, &f->arena, &f->draft, &f->err) && types_check(&f->draft, &f->err));
    assert_int_equal(f->draft.columns[2].kind, COLUMN_DATETIME);
    assert_int_equal(f->draft.columns[2].scale, 0);
    assert_true(types_draft(&head, true, &f->arena, &f->draft, &f->err));
    assert_true(types_lacks_fraction(&f->draft.columns[1]));
    assert_false(types_check(&f->draft, &f->err));
    struct table dictionary = f->draft;
    memcpy(known, f->draft.columns, sizeof known);
    dictionary.columns = known;
    for (uint32_t i = 0; i < 3; i++) known[i].scale = (uint8_t)(2 * i);
    assert_true(types_merge(&f->draft, &dictionary, &f->err) && types_check(&dictionary, &f->err));
    assert_int_equal(known[2].scale, 4);
    assert_int_equal(known[2].layout, LAYOUT_OLD_DATETIME);
}

static void test_merge(void **state)
{
    struct fixture *f = *state;
    assert_true(draft(f, "03 fe 0f", "fe10 5000", ""));
    struct column columns[3];
    struct table known = f->draft;
    memcpy(columns, f->draft.columns, sizeof columns);
    known.columns = columns;
    columns[0].name = columns[1].name = columns[2].name = slice_text("x");
    columns[0].is_unsigned = true;
    columns[1].kind = COLUMN_UUID;
    columns[2].collation = COLLATION_BINARY;
    known.named = true;
    assert_true(types_merge(&f->draft, &known, &f->err));
    assert_true(columns[0].is_unsigned && columns[0].sign_known);
    assert_int_equal(columns[1].kind, COLUMN_UUID);
    assert_int_equal(columns[2].kind, COLUMN_VARBINARY);
    columns[2].max_bytes = 81;
    assert_false(types_merge(&f->draft, &known, &f->err));
    assert_int_equal(f->err.code, ERR_STOP);
    assert_non_null(strstr(f->err.text, "81"));
    columns[2].max_bytes = 80;
    columns[0].kind = COLUMN_FLOAT;
    assert_false(types_merge(&f->draft, &known, &f->err));
    known.column_count = 2;
    assert_false(types_merge(&f->draft, &known, &f->err));
    assert_non_null(strstr(f->err.text, "3 columns"));
}

/* Every cut of a full map is refused or harmless; never a read past its end. */
static void test_cuts(void **state)
{
    struct fixture *f = *state;
    struct slice whole = unit_hex("0100 0167 00 0174 00 03 030f0f 04 14001400 07 04 06 016101620163 09 06 010000050203");
    for (size_t n = 0; n < whole.size; n++) {
        uint8_t *copy = malloc(n ? n : 1);
        struct types_head head;
        memcpy(copy, whole.data, n);
        if (types_head(slice_of(copy, n), &head, &f->err) && types_draft(&head, true, &f->arena, &f->draft, &f->err))
            assert_true(n == 18 || n == 26); /* before the names, before the key */
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_signs, setup, teardown), cmocka_unit_test_setup_teardown(test_charsets, setup, teardown),
        cmocka_unit_test_setup_teardown(test_strings, setup, teardown), cmocka_unit_test_setup_teardown(test_labels, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names_and_keys, setup, teardown), cmocka_unit_test_setup_teardown(test_fixed, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refusals, setup, teardown), cmocka_unit_test_setup_teardown(test_merge, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cuts, setup, teardown), cmocka_unit_test_setup_teardown(test_unknown, setup, teardown),
        cmocka_unit_test_setup_teardown(test_signs_of_mysql, setup, teardown), cmocka_unit_test_setup_teardown(test_mysql, setup, teardown),
        cmocka_unit_test_setup_teardown(test_old_temporals, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
