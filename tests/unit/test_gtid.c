/* GTIDs and sets as text and as bytes, and what is refused. */
#include "unit.h"

#include <time.h>

#include "gtid.h"

static void parses_and_prints(void **state)
{
    struct gtid_set set;
    struct err err;
    char text[GTID_SET_TEXT_MAX];
    (void)state;
    assert_true(gtid_set_parse(slice_text("5-2-9, 0-1-42,4294967295-4294967295-18446744073709551615"), &set, &err));
    gtid_set_format(&set, text);
    assert_string_equal(text, "0-1-42,5-2-9,4294967295-4294967295-18446744073709551615");
    assert_true(gtid_set_parse(slice_text(""), &set, &err));
    assert_int_equal(set.count, 0);
}

static void refuses_what_is_no_position(void **state)
{
    static const char *const bad[] = {"0-1", "0-1-", "0-1-2,", "0-1-2 3", "a-1-2", "0-1-2,0-3-4", "4294967296-1-1",
                                      "0-1-18446744073709551616", "-1-2-3", "0-1-2;"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct gtid_set set = {.count = 77};
        struct err err = {0};
        assert_false(gtid_set_parse(slice_text(bad[i]), &set, &err));
        assert_int_equal(err.code, ERR_CONFIG);
        assert_int_equal(set.count, 77); /* outputs stay untouched */
    }
}

static void put_replaces_and_keeps_order(void **state)
{
    struct gtid_set set = {0};
    struct err err;
    (void)state;
    for (uint32_t domain = GTID_DOMAINS_MAX; domain > 0; domain--) assert_true(gtid_set_put(&set, (struct gtid){.domain = domain, .server = 1, .seq = domain}, &err));
    assert_false(gtid_set_put(&set, (struct gtid){.domain = 99, .server = 1, .seq = 1}, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    assert_true(gtid_set_put(&set, (struct gtid){.domain = 3, .server = 8, .seq = 1000}, &err));
    assert_int_equal(set.count, GTID_DOMAINS_MAX);
    assert_int_equal(gtid_set_get(&set, 3).seq, 1000);
    for (uint32_t i = 1; i < set.count; i++) assert_true(set.items[i - 1].domain < set.items[i].domain);
    gtid_set_remove(&set, 3);
    assert_int_equal(gtid_set_get(&set, 3).seq, 0);
    assert_int_equal(set.count, GTID_DOMAINS_MAX - 1);
}

static void contains_ignores_the_server(void **state)
{
    struct gtid_set whole, part;
    struct err err;
    (void)state;
    assert_true(gtid_set_parse(slice_text("0-1-42,5-2-9"), &whole, &err));
    assert_true(gtid_set_parse(slice_text("0-7-42"), &part, &err));
    assert_true(gtid_set_contains(&whole, &part));
    assert_true(gtid_set_parse(slice_text("0-7-43"), &part, &err));
    assert_false(gtid_set_contains(&whole, &part));
    assert_true(gtid_set_parse(slice_text("6-1-1"), &part, &err));
    assert_false(gtid_set_contains(&whole, &part));
}

static void positions_go_round(void **state)
{
    struct source_pos pos = {.offset = 5000000000, .file = "binlog.000007"}, back;
    struct err err;
    struct buf buf;
    (void)state;
    assert_true(gtid_set_parse(slice_text("0-1-42,5-2-9"), &pos.gtids, &err));
    buf_init(&buf, 4096);
    source_pos_encode(&pos, &buf);
    struct cursor in = cursor_of(buf_bytes(&buf));
    assert_true(source_pos_decode(&in, &back));
    assert_true(gtid_set_equal(&pos.gtids, &back.gtids));
    assert_int_equal(back.offset, pos.offset);
    assert_string_equal(back.file, pos.file);
    for (size_t cut = 0; cut < buf.size; cut++) { /* every shorter one fails */
        in = cursor_of(slice_of(buf.data, cut));
        assert_false(source_pos_decode(&in, &back));
    }
    buf_fini(&buf);
}

/* ---- MySQL ---- */

#define U1 "588edc56-e4a0-11f1-a6d4-02fc00000001"
#define U2 "ffffffff-0000-0000-0000-000000000001"

static void mysql_sets_are_printed_as_the_server_does(void **state)
{
    static const struct { const char *text, *printed; } cases[] = {
        {U1 ":1-5", U1 ":1-5"},
        {U1 ":7", U1 ":7"},
        {"588EDC56E4A011F1A6D402FC00000001:3 : 1-2", U1 ":1-3"},
        {U2 ":1,\n" U1 ":1-5:7:MyTag:1-3", U1 ":1-5:7:mytag:1-3," U2 ":1"},
        {U1 ":a:1:2-3:b:5:1," U1 ":9", U1 ":9:a:1-3:b:1:5"},
        {U1 ":5-9," U1 ":1-4," U1 ":7-20", U1 ":1-20"},
        {" " U1 " : 1 - 5 , ", U1 ":1-5"},
        {U1 ":1-9223372036854775806", U1 ":1-9223372036854775806"},
        {"000042:1234", "000042:1234"},
        {"42:18446744073709551615", "000042:18446744073709551615"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct gtid_set set;
        struct err err = {0};
        char text[GTID_SET_TEXT_MAX];
        if (!gtid_set_parse(slice_text(cases[i].text), &set, &err)) fail_msg("%s", err.text);
        gtid_set_format(&set, text);
        assert_string_equal(text, cases[i].printed);
    }
}

static void a_wrong_part_is_named(void **state)
{
    static const struct { const char *text, *said; } bad[] = {
        {U1, "'" U1 "' in"}, {U1 ":", "''"}, {U1 ":0", "begins at 0"}, {U1 ":5-3", "'5-3' in"}, {U1 ":mytag", "'mytag' in"},
        {U1 ":1:mytag", "is a tag without"}, {U1 ":a:b:1", "'a' in"}, {U1 ":1-5;" U2 ":1", "1-5;"}, {U1 ":1-5," U1, "no interval"},
        {U1 ":9223372036854775807", "9223372036854775807"}, {"588edc56-e4a0-11f1-a6d4-02fc0000000:1", "is no UUID"},
        {"588edc56_e4a0-11f1-a6d4-02fc00000001:1", "is no UUID"}, {U1 ":abcdefghijklmnopqrstuvwxyz1234567:1", "at most 32"},
        {U1 ":1a", "'1a'"}, {U1 ":my-tag:1", "'my-tag'"}, {"0-1-2," U1 ":1", "'0-1-2' in"}, {"42:", "no place"}, {"42:1:2", "no place"},
        {"mysql-bin.000042:4", "is no UUID"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct gtid_set set = {.count = 77};
        struct err err = {0};
        if (gtid_set_parse(slice_text(bad[i].text), &set, &err)) fail_msg("'%s' was taken", bad[i].text);
        assert_int_equal(err.code, ERR_CONFIG);
        if (!strstr(err.text, bad[i].said)) fail_msg("'%s' does not say %s", err.text, bad[i].said);
        assert_int_equal(set.count, 77);
    }
}

static void one_gtid_of_each_kind(void **state)
{
    static const char *const good[] = {"0-1-42", U1 ":42", U1 ":tag:42", "000042:1234"};
    static const char *const bad[] = {"0-1-42,1-1-1", U1 ":1-2", U1 ":1:3", ""};
    struct gtid gtid, back;
    struct err err;
    char text[GTID_TEXT_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct buf buf;
        assert_true(gtid_parse(slice_text(good[i]), &gtid, &err));
        gtid_format(&gtid, text);
        assert_string_equal(text, good[i]);
        buf_init(&buf, 200);
        gtid_encode(&gtid, &buf);
        struct cursor in = cursor_of(buf_bytes(&buf));
        back = gtid_decode(&in);
        assert_true(!in.failed && !cursor_left(&in) && gtid_equal(&gtid, &back));
        buf_fini(&buf);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_false(gtid_parse(slice_text(bad[i]), &gtid, &err));
}

static void kinds_do_not_mix(void **state)
{
    static const char *const texts[] = {"0-1-42", U1 ":42", "000042:1234"};
    struct gtid_set sets[3];
    struct gtid one[3];
    struct err err;
    (void)state;
    for (size_t i = 0; i < 3; i++) assert_true(gtid_set_parse(slice_text(texts[i]), &sets[i], &err) && gtid_parse(slice_text(texts[i]), &one[i], &err));
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < 3; k++) {
            struct gtid_set set = sets[i];
            if (i == k) continue;
            assert_false(gtid_set_put(&set, one[k], &err));
            assert_int_equal(err.code, ERR_STOP);
            assert_true(gtid_set_equal(&set, &sets[i]));
            assert_false(gtid_set_contains(&sets[i], &sets[k]));
            assert_false(gtid_set_has(&sets[i], &one[k]));
        }
}

static void a_place_in_a_file_is_before_or_behind(void **state)
{
    struct gtid_set set;
    struct gtid at = {.kind = GTID_FILE, .server = 42, .seq = 1234};
    struct err err;
    (void)state;
    assert_true(gtid_set_parse(slice_text("42:1234"), &set, &err));
    assert_false(gtid_set_has(&set, &at)); /* the set says where the next one begins */
    at.seq = 1233;
    assert_true(gtid_set_has(&set, &at));
    at = (struct gtid){.kind = GTID_FILE, .server = 41, .seq = 99999};
    assert_true(gtid_set_has(&set, &at));
    at.server = 43;
    at.seq = 4;
    assert_true(gtid_set_put(&set, at, &err));
    assert_int_equal(set.count, 1);
    char name[SOURCE_FILE_MAX];
    uint32_t number;
    source_file_name("a.b-bin.000009", 1000000, name);
    assert_string_equal(name, "a.b-bin.1000000");
    assert_true(source_file_number(name, &number) && number == 1000000);
    assert_false(source_file_number("binlog", &number) || source_file_number("binlog.00x", &number) || source_file_number("binlog.", &number));
}

static void too_many_intervals_are_refused(void **state)
{
    struct gtid_set set = {0};
    struct gtid one = {.kind = GTID_MYSQL};
    struct err err = {0};
    (void)state;
    for (uint64_t i = 0; i < GTID_INTERVALS_MAX; i++) {
        one.seq = 1 + 2 * i;
        assert_true(gtid_set_put(&set, one, &err));
    }
    one.seq += 2;
    assert_false(gtid_set_put(&set, one, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    assert_int_equal(set.count, GTID_INTERVALS_MAX);
    one.seq = 2; /* fills a gap: one fewer */
    assert_true(gtid_set_put(&set, one, &err));
    assert_int_equal(set.count, GTID_INTERVALS_MAX - 1);
    set.count = 0;
    for (unsigned i = 0;; i++) { /* UUIDs and tags take more room than numbers */
        memset(one.uuid, (int)i, sizeof one.uuid);
        memset(one.tag, 'a', GTID_TAG_MAX);
        if (!gtid_set_put(&set, one, &err)) break;
        assert_true(i < GTID_INTERVALS_MAX);
    }
    assert_int_equal(err.code, ERR_LIMIT);
    struct buf buf;
    buf_init(&buf, 1 << 20);
    gtid_set_encode(&set, &buf);
    assert_true(buf.size <= GTID_SET_BYTES_MAX && buf.size > GTID_SET_BYTES_MAX - 100);
    buf_fini(&buf);
}

/* Against a bitmap: two UUIDs, a tag each, numbers 1 to 60. */
enum { STREAMS = 4, NUMBERS = 60 };
struct model { bool has[STREAMS][NUMBERS + 2]; };

static struct gtid of_stream(unsigned stream, uint64_t first, uint64_t last)
{
    struct gtid g = {.kind = GTID_MYSQL, .first = first, .seq = last};
    memset(g.uuid, stream & 2 ? 0xee : 0x11, sizeof g.uuid);
    if (stream & 1) snprintf(g.tag, sizeof g.tag, "t");
    return g;
}

static void check_model(const struct model *m, const struct gtid_set *set)
{
    uint32_t intervals = 0;
    for (unsigned s = 0; s < STREAMS; s++)
        for (uint64_t n = 1; n <= NUMBERS; n++) {
            struct gtid g = of_stream(s, n, n);
            assert_int_equal(gtid_set_has(set, &g), m->has[s][n]);
            intervals += m->has[s][n] && !m->has[s][n - 1];
        }
    assert_int_equal(set->count, intervals);
}

static bool model_contains(const struct model *whole, const struct model *part)
{
    for (unsigned s = 0; s < STREAMS; s++)
        for (uint64_t n = 1; n <= NUMBERS; n++)
            if (part->has[s][n] && !whole->has[s][n]) return false;
    return true;
}

static void check_text_and_bytes(const struct gtid_set *set)
{
    static struct gtid_set back;
    char text[GTID_SET_TEXT_MAX];
    struct err err = {0};
    struct buf buf;
    gtid_set_format(set, text);
    if (!gtid_set_parse(slice_text(text), &back, &err)) fail_msg("%s", err.text);
    assert_true(gtid_set_equal(set, &back));
    buf_init(&buf, 64 << 10);
    gtid_set_encode(set, &buf);
    struct cursor in = cursor_of(buf_bytes(&buf));
    back.count = 0;
    assert_true(gtid_set_decode(&in, &back) && !cursor_left(&in));
    assert_true(gtid_set_equal(set, &back));
    buf_fini(&buf);
}

static void sets_do_as_a_bitmap_does(void **state)
{
    unsigned seed = (unsigned)time(NULL), steps = 20000;
    static struct gtid_set set, other, missing;
    struct model m = {0}, o = {0}, rest;
    struct err err = {0};
    (void)state;
    print_message("seed %u\n", seed);
    for (unsigned step = 0; step < steps; step++) {
        unsigned s = (unsigned)rand_r(&seed) % STREAMS;
        uint64_t first = 1 + (unsigned)rand_r(&seed) % NUMBERS, last = first + (unsigned)rand_r(&seed) % 4;
        if (last > NUMBERS) last = NUMBERS;
        struct gtid g = of_stream(s, first, last);
        switch (rand_r(&seed) % 5) {
        case 0: case 1:
            assert_true(gtid_set_add(&set, &g, &err));
            for (uint64_t n = first; n <= last; n++) m.has[s][n] = true;
            break;
        case 2: case 3:
            for (uint64_t n = first; n <= last; n++) {
                g = of_stream(s, n, n);
                assert_true(gtid_set_drop(&set, &g, &err));
                m.has[s][n] = false;
            }
            break;
        default:
            assert_int_equal(gtid_set_contains(&set, &other), model_contains(&m, &o));
            gtid_set_missing(&set, &other, &missing);
            rest = m;
            for (unsigned i = 0; i < STREAMS; i++)
                for (uint64_t n = 1; n <= NUMBERS; n++) rest.has[i][n] = m.has[i][n] && !o.has[i][n];
            check_model(&rest, &missing);
            if (step % 3) break;
            gtid_set_copy(&other, &set);
            o = m;
            assert_true(gtid_set_equal(&other, &set));
        }
        check_model(&m, &set);
        if (step % 16 == 0) check_text_and_bytes(&set);
    }
}

static void mysql_positions_go_round(void **state)
{
    static struct source_pos pos, back;
    struct err err;
    struct buf buf;
    (void)state;
    snprintf(pos.file, sizeof pos.file, "binlog.000007");
    pos.offset = 5000000000;
    assert_true(gtid_set_parse(slice_text(U1 ":1-5:7:mytag:1-3," U2 ":1-4000000000"), &pos.gtids, &err));
    buf_init(&buf, 4096);
    source_pos_encode(&pos, &buf);
    for (size_t cut = 0; cut <= buf.size; cut++) { /* every shorter one fails */
        struct cursor in = cursor_of(slice_of(buf.data, cut));
        assert_int_equal(source_pos_decode(&in, &back), cut == buf.size);
    }
    assert_true(gtid_set_equal(&pos.gtids, &back.gtids));
    assert_string_equal(back.file, pos.file);
    buf_fini(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parses_and_prints),
        cmocka_unit_test(refuses_what_is_no_position),
        cmocka_unit_test(put_replaces_and_keeps_order),
        cmocka_unit_test(contains_ignores_the_server),
        cmocka_unit_test(positions_go_round),
        cmocka_unit_test(mysql_sets_are_printed_as_the_server_does),
        cmocka_unit_test(a_wrong_part_is_named),
        cmocka_unit_test(one_gtid_of_each_kind),
        cmocka_unit_test(kinds_do_not_mix),
        cmocka_unit_test(a_place_in_a_file_is_before_or_behind),
        cmocka_unit_test(too_many_intervals_are_refused),
        cmocka_unit_test(sets_do_as_a_bitmap_does),
        cmocka_unit_test(mysql_positions_go_round),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
