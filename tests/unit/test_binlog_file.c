/* Saved files: what is no binlog and why, how each ends, torn at every byte, encrypted, and which file may stand behind which. */
#include "event_unit.h"

#include "binlog_file.h"

static struct maker maker;

static struct binlog_file *open_bytes(struct slice bytes, const char *path, struct err *err)
{
    struct binlog_file *file = NULL;
    FILE *in = fmemopen((void *)bytes.data, bytes.size ? bytes.size : 1, "rb");
    assert_non_null(in);
    return binlog_file_of(in, path, &file, err) ? file : NULL;
}

static void put(struct buf *out, struct slice event) { buf_slice(out, event); }

/* magic, FORMAT_DESCRIPTION, QUERY, and `last` */
static struct buf made(uint16_t format_flags, uint8_t last, uint16_t last_flags, const char *body)
{
    struct buf out;
    buf_init(&out, 1 << 16);
    buf_text(&out, "\xfe" "bin");
    maker.flags = format_flags;
    put(&out, maker_format(&maker, "10.11.19-MariaDB", false));
    maker.flags = 0;
    put(&out, maker_event(&maker, EVENT_QUERY, unit_hex("00")));
    maker.flags = last_flags;
    if (last) put(&out, maker_event(&maker, last, unit_hex(body)));
    maker.flags = 0;
    return out;
}

static void others(void **state)
{
    static const struct { const char *bytes; size_t size; const char *says; enum err_code code; } cases[] = {
        {"\xfd" "bin\1\1\0\0\0", 9, "encrypted by MySQL", ERR_UNSUPPORTED}, {"\x1f\x8b\x08\0\0\0", 6, "gzip", ERR_UNSUPPORTED},
        {"\x28\xb5\x2f\xfd\0", 5, "zstd", ERR_UNSUPPORTED}, {"\xfd" "7zXZ\0\0", 7, "xz", ERR_UNSUPPORTED}, {"BZh91", 5, "bzip2", ERR_UNSUPPORTED},
        {"\xfe\xfe\x0d\x01", 4, "InnoDB", ERR_UNSUPPORTED}, {"/*!50530 SET", 12, "SQL text", ERR_UNSUPPORTED}, {"./binlog.000001\n", 16, "index", ERR_UNSUPPORTED},
        {"\xfe" "bi", 3, "fe 62 69 6e", ERR_CORRUPT}, {"hello", 5, "fe 62 69 6e", ERR_CORRUPT}, {"\xfe" "bin", 4, "before its first event", ERR_CORRUPT},
        {"\xfe" "bin0000\x02" "0000\x13\0\0\0" "000000", 23, "type 2", ERR_CORRUPT},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = {0};
        assert_null(open_bytes(slice_of(cases[i].bytes, cases[i].size), "/x/binlog.000001", &err));
        if (err.code != cases[i].code || !strstr(err.text, cases[i].says)) fail_msg("%zu: %d %s", i, err.code, err.text);
        assert_non_null(strstr(err.text, "/x/binlog.000001"));
    }
}

static enum binlog_read read_all(struct binlog_file *file, unsigned *events, struct err *err)
{
    struct slice event;
    enum binlog_read read;
    for (*events = 0; (read = binlog_file_next(file, &event, err)) == BINLOG_EVENT;) ++*events;
    return read;
}

static void ends(void **state)
{
    static const struct { uint16_t format_flags; uint8_t last; uint16_t flags; const char *body; enum binlog_read end; const char *following; } cases[] = {
        {0, EVENT_STOP, 0, "", BINLOG_CLOSED, ""},
        {1, EVENT_ROTATE, 0, "0400000000000000 6f74686572", BINLOG_CLOSED, "other"},
        {1, 0, 0, "", BINLOG_OPEN, ""},
        {0, EVENT_ROTATE, EVENT_FLAG_ARTIFICIAL, "0400000000000000 6f74686572", BINLOG_OPEN, ""},
        {0, EVENT_START_ENCRYPTION, EVENT_FLAG_IGNORABLE, "01 01000000 000000000000000000000000", BINLOG_OPEN, ""},
        {0, EVENT_START_ENCRYPTION, 0, "01 01000000 000000000000000000000000", BINLOG_FAILED, ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf bytes = made(cases[i].format_flags, cases[i].last, cases[i].flags, cases[i].body);
        struct err err = {0};
        unsigned events;
        struct binlog_file *file = open_bytes(buf_bytes(&bytes), "binlog.000001", &err);
        if (!file) fail_msg("%zu: %s", i, err.text);
        assert_int_equal(read_all(file, &events, &err), cases[i].end);
        assert_string_equal(binlog_file_following(file), cases[i].following);
        assert_int_equal(binlog_file_in_use(file), cases[i].format_flags & 1);
        if (cases[i].end == BINLOG_FAILED) assert_non_null(strstr(err.text, "encrypted from offset"));
        binlog_file_close(file);
        buf_fini(&bytes);
    }
}

/* Cut at every byte: never an event more than is whole, and TORN exactly between events' ends. */
static void torn(void **state)
{
    struct buf bytes = made(1, EVENT_STOP, 0, "");
    size_t format = 0;
    (void)state;
    memcpy(&format, bytes.data + 4 + 9, 4);
    size_t first = 4 + format, second = first + EVENT_HEADER + 1, third = bytes.size;
    for (size_t size = 5; size <= bytes.size; size++) {
        struct err err = {0};
        unsigned events;
        struct binlog_file *file = open_bytes(slice_of(bytes.data, size), "b", &err);
        if (size < first) {
            assert_null(file);
            continue;
        }
        assert_non_null(file);
        enum binlog_read end = read_all(file, &events, &err);
        assert_int_equal(events, 1 + (size >= second) + (size >= third));
        assert_int_equal(end, size == third ? BINLOG_CLOSED : size == first || size == second ? BINLOG_OPEN : BINLOG_TORN);
        assert_int_equal(binlog_file_offset(file), size >= third ? third : size >= second ? second : first);
        binlog_file_close(file);
    }
    buf_fini(&bytes);
}

static void lengths(void **state)
{
    static const uint32_t bad[] = {0, 18, 0x40000001, 0xffffffff};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct buf bytes = made(0, 0, 0, "");
        struct err err = {0};
        unsigned events;
        size_t format = 0;
        memcpy(&format, bytes.data + 4 + 9, 4);
        memcpy(bytes.data + 4 + format + 9, &bad[i], 4);
        struct binlog_file *file = open_bytes(buf_bytes(&bytes), "b", &err);
        assert_int_equal(read_all(file, &events, &err), BINLOG_FAILED);
        assert_int_equal(err.code, ERR_CORRUPT);
        binlog_file_close(file);
        buf_fini(&bytes);
    }
}

static void behind(void **state)
{
    static const struct { struct binlog_end last; const char *name; bool good, killed; const char *says; } cases[] = {
        {{"b.000001", "b.000002", BINLOG_CLOSED, false}, "/x/b.000002", true, false, ""},
        {{"b.999999", "b.1000000", BINLOG_CLOSED, false}, "b.1000000", true, false, ""},
        {{"b.000001", "", BINLOG_CLOSED, false}, "b.000002", true, false, ""},
        {{"b.000001", "b.000002", BINLOG_CLOSED, false}, "b.000003", false, false, "b.000002 is missing"},
        {{"b.000009", "", BINLOG_OPEN, false}, "b.000011", false, false, "b.000010 is missing"},
        {{"b.000002", "b.000003", BINLOG_CLOSED, false}, "b.000001", false, false, "in their order"},
        {{"b.000002", "b.000003", BINLOG_CLOSED, false}, "b.000002", false, false, "in their order"},
        {{"b.000002", "b.000003", BINLOG_CLOSED, false}, "c.000003", false, false, "names b.000003 as the next"},
        {{"b.000002", "", BINLOG_TORN, false}, "b.000003", false, true, "inside an event"}, /* its server was not started anew */
        {{"b.000002", "", BINLOG_OPEN, true}, "b.000003", false, false, "relay log"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf bytes = made(0, 0, 0, "");
        struct err err = {0};
        bool killed = false;
        struct binlog_file *file = open_bytes(buf_bytes(&bytes), cases[i].name, &err);
        bool good = binlog_file_follows(file, &cases[i].last, &killed, &err);
        if (good != cases[i].good || !strstr(err.text, cases[i].says)) fail_msg("%zu: %d %s", i, good, err.text);
        if (good) assert_int_equal(killed, cases[i].killed);
        binlog_file_close(file);
        buf_fini(&bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(others), cmocka_unit_test(ends), cmocka_unit_test(torn), cmocka_unit_test(lengths), cmocka_unit_test(behind)};
    maker = maker_new();
    int status = cmocka_run_group_tests(tests, NULL, NULL);
    buf_fini(&maker.out);
    return status;
}
