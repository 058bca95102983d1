/*
 * Everything that a source can send and this release does not know: each unknown event type, header flag, rows flag, map flag, column type, metadata type,
 * character set, GTID form, format and checksum. Each stops with its number, place and a way on (traps: event classes that were dropped
 * without a word); what says of itself that it may be ignored, is.
 */
#include "event_unit.h"

#include "decoder.h"

struct fixture { struct maker maker; struct decoder *decoder; struct err err; enum decoder_note note; unsigned changes; };

static bool take(void *context, const struct change *change, struct err *err)
{
    struct fixture *f = context;
    (void)err;
    f->changes += change->kind >= CHANGE_INSERT && change->kind <= CHANGE_STATEMENT;
    return true;
}

static void start(struct fixture *f, const char *version)
{
    struct source_pos *pos = calloc(1, sizeof *pos);
    pos->offset = 4;
    snprintf(pos->file, sizeof pos->file, "binlog.000007");
    struct decoder_options options = {.mariadb = true, .verify_checksums = true, .emit = take, .context = f};
    *f = (struct fixture){.maker = maker_new()};
    f->decoder = decoder_new(&options, pos);
    free(pos);
    assert_true(decoder_event(f->decoder, maker_format(&f->maker, version, true), &f->note, &f->err));
}

static void stop(struct fixture *f)
{
    decoder_free(f->decoder);
    buf_fini(&f->maker.out);
}

static bool give(struct fixture *f, uint8_t type, const char *body)
{
    return decoder_event(f->decoder, maker_event(&f->maker, type, unit_hex(body)), &f->note, &f->err);
}

#define GTID "2a00000000000000 00000000 0c 000000000000"
#define HEAD "120000000000 0100"
#define MAP HEAD " 0167 00 0174 00 01 03 00 00"
#define ROW "120000000000 0100 01 ff fe 07000000"

/* One event that must stop, behind others that must not. */
static const struct bad {
    const char *what;
    struct { uint8_t type; const char *body; } before[2];
    uint8_t type;
    uint16_t flags;
    const char *body;
    enum err_code code;
    const char *says;
} bads[] = {
    {"header flag 0x0400", {{0}}, EVENT_GTID_MARIADB, 0x0400, GTID, ERR_UNSUPPORTED, "flags 0400"},
    {"header flag 0x0800", {{0}}, EVENT_GTID_MARIADB, 0x0800, GTID, ERR_UNSUPPORTED, "flags 0800"},
    {"header flag 0x1000", {{0}}, EVENT_GTID_MARIADB, 0x1000, GTID, ERR_UNSUPPORTED, "flags 1000"},
    {"header flag 0x2000", {{0}}, EVENT_GTID_MARIADB, 0x2000, GTID, ERR_UNSUPPORTED, "flags 2000"},
    {"rows flag", {{EVENT_GTID_MARIADB, GTID}, {EVENT_TABLE_MAP, MAP}}, EVENT_WRITE_ROWS_V1, 0, "120000000000 0101 01 ff fe 07000000", ERR_UNSUPPORTED, "flags 0101"},
    {"map flag", {{EVENT_GTID_MARIADB, GTID}, {EVENT_TABLE_MAP, "120000000000 0110 0167 00 0174 00 01 03 00 00"}}, EVENT_WRITE_ROWS_V1, 0, ROW, ERR_UNSUPPORTED, "1001"},
    {"column type 20", {{EVENT_GTID_MARIADB, GTID}, {EVENT_TABLE_MAP, HEAD " 0167 00 0174 00 01 14 00 00"}}, EVENT_WRITE_ROWS_V1, 0, ROW, ERR_UNSUPPORTED, ""},
    {"column type 99", {{EVENT_GTID_MARIADB, GTID}, {EVENT_TABLE_MAP, HEAD " 0167 00 0174 00 01 63 00 00"}}, EVENT_WRITE_ROWS_V1, 0, ROW, ERR_UNSUPPORTED, "99"},
    {"metadata type 77", {{EVENT_GTID_MARIADB, GTID}, {EVENT_TABLE_MAP, HEAD " 0167 00 0174 00 01 03 00 00 4d 01 00"}}, EVENT_WRITE_ROWS_V1, 0, ROW, ERR_UNSUPPORTED, "type 77"},
    {"collation 4000", {{EVENT_GTID_MARIADB, GTID}, {EVENT_TABLE_MAP, HEAD " 0167 00 0174 00 01 0f 02 1400 00 02 03 fca00f"}}, EVENT_WRITE_ROWS_V1, 0, ROW, ERR_UNSUPPORTED, "collation 4000"},
    {"columns of another count", {{EVENT_GTID_MARIADB, GTID}, {EVENT_TABLE_MAP, MAP}}, EVENT_WRITE_ROWS_V1, 0, "120000000000 0100 02 ff fe 07000000", ERR_CORRUPT, "2 columns"},
    {"a row that is too short", {{EVENT_GTID_MARIADB, GTID}, {EVENT_TABLE_MAP, MAP}}, EVENT_WRITE_ROWS_V1, 0, "120000000000 0100 01 ff fe 0700", ERR_CORRUPT, "row 1 of g.t"},
    {"rows of a table that has no map", {{EVENT_GTID_MARIADB, GTID}}, EVENT_WRITE_ROWS_V1, 0, ROW, ERR_CORRUPT, "no map"},
    {"rows outside of a transaction", {{0}}, EVENT_WRITE_ROWS_V1, 0, ROW, ERR_CORRUPT, "outside"},
    {"GTID in a transaction", {{EVENT_GTID_MARIADB, GTID}}, EVENT_GTID_MARIADB, 0, GTID, ERR_CORRUPT, "before the one before it"},
    {"GTID that is cut short", {{0}}, EVENT_GTID_MARIADB, 0, "2a000000000000", ERR_CORRUPT, "GTID_MARIADB"},
    {"tagged GTID of another form", {{0}}, EVENT_GTID_TAGGED, 0, "ffffffffffffffffff", ERR_CORRUPT, "GTID_TAGGED"},
    {"GTID_LIST that is cut short", {{0}}, EVENT_GTID_LIST, 0, "05000000 00000000", ERR_CORRUPT, "GTID_LIST"},
    {"statement of no kind", {{EVENT_GTID_MARIADB, GTID}}, EVENT_QUERY, 0, "05000000 00000000 01 0000 0000 67 00 464c4f4f5a20782079", ERR_UNSUPPORTED, "QUERY at binlog.000007"},
    {"INTVAR of type 3", {{EVENT_GTID_MARIADB, GTID}}, EVENT_INTVAR, 0, "03 0100000000000000", ERR_CORRUPT, "type 3"},
    {"ROTATE without a name", {{0}}, EVENT_ROTATE, 0, "0400000000000000", ERR_CORRUPT, "ROTATE"},
    {"INCIDENT", {{0}}, EVENT_INCIDENT, 0, "0100 00", ERR_UNSUPPORTED, "lost events"},
};

static void test_each(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bads / sizeof *bads; i++) {
        static struct fixture f;
        const struct bad *bad = &bads[i];
        start(&f, "10.11.19-MariaDB");
        for (size_t k = 0; k < 2 && bad->before[k].body; k++)
            if (!give(&f, bad->before[k].type, bad->before[k].body)) fail_msg("%s: %s", bad->what, f.err.text);
        f.maker.flags = bad->flags;
        if (give(&f, bad->type, bad->body)) fail_msg("%s passes", bad->what);
        if (f.err.code != bad->code || !strstr(f.err.text, bad->says)) fail_msg("%s: code %d: %s", bad->what, f.err.code, f.err.text);
        if (!strstr(f.err.text, "binlog.000007")) fail_msg("%s: its place is not named: %s", bad->what, f.err.text);
        assert_int_equal(f.changes, 0);
        stop(&f);
    }
}

/* Every type number: known and decoded or refused with a way on; unknown: refused by its number, passed over only where it is flagged. */
static void test_types(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        static struct fixture f;
        const struct event_fate *fate = event_fate((uint8_t)type);
        char number[24];
        if (fate->name && fate->action != EVENT_REFUSE) continue;
        start(&f, "10.11.19-MariaDB");
        assert_false(give(&f, (uint8_t)type, "00000000"));
        assert_int_equal(f.err.code, ERR_UNSUPPORTED);
        assert_non_null(strstr(f.err.text, "what to do:"));
        snprintf(number, sizeof number, "type %u", type);
        if (!fate->name && !strstr(f.err.text, number)) fail_msg("type %u: %s", type, f.err.text);
        f.maker.flags = EVENT_FLAG_IGNORABLE;
        assert_int_equal(give(&f, (uint8_t)type, "00000000"), !fate->name); /* a type that is known to carry data is refused all the same */
        stop(&f);
    }
}

/* A file of another version, and a checksum of another kind. */
static void test_formats(void **state)
{
    static const struct { unsigned at; uint8_t value; enum err_code code; const char *says; } cases[] = {
        {0, 3, ERR_CORRUPT, "version 3"}, {0, 5, ERR_CORRUPT, "version 5"}, {56, 27, ERR_CORRUPT, "header of 27"}, {57 + 171, 2, ERR_UNSUPPORTED, "algorithm 2"},
        {57 + 171, 255, ERR_UNSUPPORTED, "algorithm 255"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static struct fixture f;
        uint8_t bytes[512];
        start(&f, "10.11.19-MariaDB");
        struct slice format = maker_format(&f.maker, "10.11.19-MariaDB", true);
        assert_true(format.size <= sizeof bytes);
        memcpy(bytes, format.data, format.size);
        bytes[EVENT_HEADER + cases[i].at] = cases[i].value;
        uint32_t crc = (uint32_t)crc32(0, bytes, (uInt)(format.size - 4));
        memcpy(bytes + format.size - 4, &crc, 4);
        assert_false(decoder_event(f.decoder, slice_of(bytes, format.size), &f.note, &f.err));
        if (f.err.code != cases[i].code || !strstr(f.err.text, cases[i].says)) fail_msg("%zu: %s", i, f.err.text);
        stop(&f);
    }
}

/* FORMAT_DESCRIPTION of servers that had no checksums: 27 types, nothing behind them. */
static void test_old_formats(void **state)
{
    static const struct { const char *version; bool mariadb; } cases[] = {{"5.1.73-log", false}, {"5.5.62", false}, {"5.2.14-MariaDB", true}, {"5.6.0-m4", false}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static struct fixture f;
        uint8_t body[2 + 50 + 4 + 1 + 27] = {4};
        struct buf raw;
        start(&f, "10.11.19-MariaDB");
        snprintf((char *)body + 2, 50, "%s", cases[i].version);
        body[56] = EVENT_HEADER;
        body[57 + EVENT_QUERY - 1] = 13;
        body[57 + EVENT_TABLE_MAP - 1] = 8;
        buf_init(&raw, 4096);
        buf_le(&raw, 1, 4);
        buf_u8(&raw, EVENT_FORMAT_DESCRIPTION);
        buf_le(&raw, 1, 4);
        buf_le(&raw, EVENT_HEADER + sizeof body, 4);
        buf_le(&raw, 0, 4);
        buf_le(&raw, 0, 2);
        buf_put(&raw, body, sizeof body);
        if (!decoder_event(f.decoder, buf_bytes(&raw), &f.note, &f.err)) fail_msg("%s: %s", cases[i].version, f.err.text);
        assert_string_equal(decoder_server_version(f.decoder), cases[i].version);
        f.maker.checksum = false; /* nor has any event after it */
        assert_true(give(&f, EVENT_ROTATE, "0400000000000000 62"));
        buf_fini(&raw);
        stop(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each), cmocka_unit_test(test_types), cmocka_unit_test(test_formats), cmocka_unit_test(test_old_formats)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
