/* test_decoder.c: whole groups made by hand: their shape, position, and what stops them. */
#include "event_unit.h"

#include "decoder.h"
#include "filter.h"

struct fixture { struct maker maker; struct decoder *decoder; struct buf seen; struct commit last; struct err err; enum decoder_note note; };

/* B, I, U, D, S, C, A: one letter a change. */
static bool take(void *context, const struct change *change, struct err *err)
{
    struct fixture *f = context;
    (void)err;
    buf_u8(&f->seen, (uint8_t)" .BIUDSCA"[change->kind]);
    if (change->kind == CHANGE_COMMIT) f->last = *change->commit;
    return true;
}

static void start(struct fixture *f, struct decoder_options options)
{
    struct source_pos pos = {.offset = 4, .file = "f"};
    options.mariadb = options.verify_checksums = true;
    options.emit = take;
    options.context = f;
    *f = (struct fixture){.maker = maker_new()};
    buf_init(&f->seen, 4096);
    f->decoder = decoder_new(&options, &pos);
    f->maker.log_pos = 0;
    assert_true(decoder_event(f->decoder, maker_format(&f->maker, "10.11.19-MariaDB", true), &f->note, &f->err));
    assert_int_equal(f->note, DECODER_FORMAT);
}

static void stop(struct fixture *f)
{
    decoder_free(f->decoder);
    buf_fini(&f->seen);
    buf_fini(&f->maker.out);
}

static bool give(struct fixture *f, uint8_t type, const char *body)
{
    return decoder_event(f->decoder, maker_event(&f->maker, type, unit_hex(body)), &f->note, &f->err);
}

static bool query(struct fixture *f, const char *text)
{
    char body[600];
    int n = snprintf(body, sizeof body, "05000000 00000000 01 0000 0000 67 00");
    for (; *text; text++) n += snprintf(body + n, sizeof body - (size_t)n, "%02x", (uint8_t)*text);
    return give(f, EVENT_QUERY, body);
}

static void seen(struct fixture *f, const char *expected)
{
    assert_string_equal(buf_cstr(&f->seen), expected);
    buf_clear(&f->seen);
}

#define GTID "2a00000000000000 00000000 0c 000000000000"
#define STANDALONE "2b00000000000000 00000000 29 000000000000"
#define MAP "120000000000 0100 0167 00 0174 00 01 03 00 00"
#define ROW "120000000000 0100 01 ff fe 07000000"
#define XID "0100000000000000"

static void test_groups(void **state)
{
    (void)state;
    static struct fixture f;
    start(&f, (struct decoder_options){0});
    assert_true(give(&f, EVENT_GTID_MARIADB, GTID) && decoder_in_transaction(f.decoder));
    assert_int_equal(f.note, DECODER_BEGIN);
    assert_true(give(&f, EVENT_TABLE_MAP, MAP) && give(&f, EVENT_WRITE_ROWS_V1, ROW));
    assert_int_equal(f.note, DECODER_CHANGE);
    assert_int_equal(decoder_pos(f.decoder)->gtids.count, 0);
    assert_true(give(&f, EVENT_XID, XID));
    assert_int_equal(f.note, DECODER_COMMIT);
    seen(&f, "BIC");
    assert_int_equal(f.last.pos.gtids.items[0].seq, 42);
    assert_int_equal(f.last.rows, 1);
    assert_int_not_equal(f.last.crc, 0);
    assert_true(give(&f, EVENT_GTID_MARIADB, STANDALONE) && query(&f, "CREATE TABLE x (i int)"));
    seen(&f, "BSC");
    assert_int_equal(f.last.previous.seq, 42);
    assert_true(give(&f, EVENT_GTID_MARIADB, "2c00000000000000 00000000 00") && give(&f, EVENT_TABLE_MAP, MAP) && give(&f, EVENT_DELETE_ROWS_V1, ROW));
    assert_true(query(&f, "COMMIT"));
    seen(&f, "BDC");
    stop(&f);
}

/* The two halves of an XA transaction are two groups; MySQL says only at the end that it has one phase. */
static void test_xa(void **state)
{
    (void)state;
    static struct fixture f;
    char text[XID_TEXT_MAX];
    start(&f, (struct decoder_options){0});
    assert_true(give(&f, EVENT_GTID_MARIADB, "2a00000000000000 00000000 4c 01000000 02 02 67316231") && query(&f, "XA START X'6731',X'6231',1"));
    assert_true(give(&f, EVENT_TABLE_MAP, MAP) && give(&f, EVENT_WRITE_ROWS_V1, ROW) && query(&f, "XA END X'6731',X'6231',1"));
    assert_true(give(&f, EVENT_XA_PREPARE, "00 01000000 02000000 02000000 67316231"));
    seen(&f, "BIC");
    assert_int_equal(f.last.xa, XA_PREPARED);
    assert_int_equal(f.last.rows, 1);
    uint32_t crc = f.last.crc;
    xid_format(&f.last.xid, text);
    assert_string_equal(text, "X'6731',X'6231',1");
    assert_true(give(&f, EVENT_GTID_MARIADB, "2b00000000000000 00000000 8d 01000000 02 02 67316231") && query(&f, "XA COMMIT X'6731',X'6231',1"));
    seen(&f, "BC");
    assert_int_equal(f.last.xa, XA_COMMITTED);
    assert_int_equal(f.last.pos.gtids.items[0].seq, 43);
    assert_int_not_equal(f.last.crc, crc);
    crc = f.last.crc;
    assert_true(give(&f, EVENT_GTID_MARIADB, "2c00000000000000 00000000 8d 01000000 02 02 67316231") && query(&f, "XA ROLLBACK X'6731',X'6231',1"));
    seen(&f, "BC");
    assert_int_equal(f.last.xa, XA_ROLLED_BACK);
    assert_int_not_equal(f.last.crc, crc); /* a proof tells one end from the other */
    assert_true(give(&f, EVENT_GTID_MARIADB, "2d00000000000000 00000000 0c") && query(&f, "XA START X'61'") && give(&f, EVENT_TABLE_MAP, MAP));
    assert_true(give(&f, EVENT_WRITE_ROWS_V1, ROW) && query(&f, "XA END X'61'") && give(&f, EVENT_XA_PREPARE, "01 01000000 01000000 00000000 61"));
    seen(&f, "BIC");
    assert_int_equal(f.last.xa, XA_NONE);
    assert_true(give(&f, EVENT_GTID_MARIADB, "2e00000000000000 00000000 4c 01000000 01 00 61"));
    assert_false(give(&f, EVENT_XA_PREPARE, "00 01000000 01000000 00000000 62")); /* another name than its GTID event says */
    assert_int_equal(f.err.code, ERR_CORRUPT);
    stop(&f);
}

/* Rows in pieces: what stands between them is refused, a cut takes them all. */
static void test_pieces(void **state)
{
    (void)state;
    static struct fixture f;
    start(&f, (struct decoder_options){0});
    assert_true(give(&f, EVENT_GTID_MARIADB, GTID) && give(&f, EVENT_TABLE_MAP, MAP));
    assert_true(give(&f, EVENT_PARTIAL_ROW_DATA, "02000000 01000000 01 2200000000000000 00000000 17 07000000 ffffffff 00000000 0000 1200"));
    seen(&f, "B");
    assert_true(give(&f, EVENT_PARTIAL_ROW_DATA, "02000000 02000000 00 00000000 0100 01 ff fe 07000000"));
    seen(&f, "I");
    assert_true(give(&f, EVENT_XID, XID));
    seen(&f, "C");
    assert_int_equal(f.last.rows, 1);
    assert_true(give(&f, EVENT_GTID_MARIADB, "2b00000000000000 00000000 0c") && give(&f, EVENT_TABLE_MAP, MAP));
    assert_true(give(&f, EVENT_PARTIAL_ROW_DATA, "02000000 01000000 00 aa"));
    assert_false(give(&f, EVENT_XID, XID));
    assert_non_null(strstr(f.err.text, "between piece 1"));
    assert_true(give(&f, EVENT_ROTATE, "0400000000000000 67"));
    seen(&f, "BA");
    assert_true(give(&f, EVENT_GTID_MARIADB, "2b00000000000000 00000000 0c") && give(&f, EVENT_XID, XID));
    seen(&f, "BC");
    stop(&f);
}

static void test_ends(void **state)
{
    (void)state;
    static struct fixture f;
    start(&f, (struct decoder_options){0});
    assert_true(give(&f, EVENT_GTID_MARIADB, GTID) && give(&f, EVENT_TABLE_MAP, MAP) && give(&f, EVENT_WRITE_ROWS_V1, ROW) && query(&f, "ROLLBACK"));
    seen(&f, "BIA");
    assert_int_equal(decoder_pos(f.decoder)->gtids.items[0].seq, 42); /* it was read, and is not wanted again */
    assert_true(give(&f, EVENT_GTID_MARIADB, "2b00000000000000 00000000 0c") && query(&f, "ROLLBACK"));
    seen(&f, "BC");
    assert_true(give(&f, EVENT_GTID_MARIADB, "2c00000000000000 00000000 0c") && query(&f, "INSERT INTO t VALUES (1)"));
    assert_false(query(&f, "ROLLBACK"));
    assert_int_equal(f.err.code, ERR_STOP);
    assert_true(decoder_cut(f.decoder, &f.err));
    seen(&f, "BSA");
    assert_int_equal(decoder_pos(f.decoder)->gtids.items[0].seq, 43); /* it comes again */
    assert_true(give(&f, EVENT_GTID_MARIADB, "2c00000000000000 00000000 0c"));
    assert_true(give(&f, EVENT_ROTATE, "0400000000000000 67"));
    assert_int_equal(f.note, DECODER_ABORT);
    seen(&f, "BA");
    assert_string_equal(decoder_pos(f.decoder)->file, "g");
    assert_int_equal(decoder_pos(f.decoder)->offset, 4);
    assert_true(give(&f, EVENT_STOP, ""));
    assert_int_equal(f.note, DECODER_FILE_END);
    stop(&f);
}

static void test_alter(void **state)
{
    (void)state;
    static struct fixture f;
    start(&f, (struct decoder_options){0});
    assert_true(give(&f, EVENT_GTID_MARIADB, "1a00000000000000 00000000 29 02") && query(&f, "ALTER TABLE t ADD c int"));
    seen(&f, "BC");
    assert_true(give(&f, EVENT_GTID_MARIADB, "1b00000000000000 00000000 29 04 1a00000000000000") && query(&f, "ALTER TABLE t ADD c int"));
    seen(&f, "BSC");
    stop(&f);
}

static void test_savepoint(void **state)
{
    (void)state;
    static struct fixture f;
    start(&f, (struct decoder_options){0});
    assert_true(give(&f, EVENT_GTID_MARIADB, GTID) && give(&f, EVENT_TABLE_MAP, MAP) && give(&f, EVENT_WRITE_ROWS_V1, ROW) && query(&f, "SAVEPOINT a"));
    assert_true(give(&f, EVENT_TABLE_MAP, MAP) && give(&f, EVENT_DELETE_ROWS_V1, ROW) && query(&f, "ROLLBACK TO a"));
    assert_true(give(&f, EVENT_TABLE_MAP, MAP) && give(&f, EVENT_WRITE_ROWS_V1, ROW) && give(&f, EVENT_XID, XID));
    seen(&f, "BIIC");
    assert_int_equal(f.last.rows, 2);
    assert_true(give(&f, EVENT_GTID_MARIADB, "2b00000000000000 00000000 0c") && query(&f, "SAVEPOINT a") && query(&f, "UPDATE t SET a=1"));
    assert_false(query(&f, "ROLLBACK TO a"));
    stop(&f);
}

static void test_offsets(void **state)
{
    (void)state;
    static struct fixture f;
    start(&f, (struct decoder_options){0});
    assert_int_equal(decoder_pos(f.decoder)->offset, 4); /* the FORMAT_DESCRIPTION of a dump from the middle has no place */
    f.maker.flags = EVENT_FLAG_ARTIFICIAL;
    assert_true(give(&f, EVENT_ROTATE, "f0ffffff00000000 62")); /* near 4 GiB */
    assert_int_equal(f.note, DECODER_FILE);
    f.maker.flags = 0;
    f.maker.log_pos = 0x20; /* wrapped */
    assert_true(give(&f, EVENT_GTID_MARIADB, GTID));
    assert_int_equal(decoder_pos(f.decoder)->offset, 0xfffffff0);
    f.maker.log_pos = 0; /* 11.4 and later: unknown inside the group */
    assert_true(give(&f, EVENT_TABLE_MAP, MAP));
    f.maker.log_pos = 0x200; /* an ANNOTATE_ROWS was left out on the way */
    assert_true(give(&f, EVENT_XID, XID));
    assert_true(decoder_pos(f.decoder)->offset == 0x100000200);
    f.maker.log_pos = 0x200;
    assert_true(give(&f, EVENT_HEARTBEAT, "62"));
    assert_int_equal(f.note, DECODER_HEARTBEAT);
    assert_true(decoder_pos(f.decoder)->offset == 0x100000200);
    stop(&f);
}

/* A log inside InnoDB (MariaDB 12.3): no event says a place, none has a checksum, and a FORMAT_DESCRIPTION of the server's restart comes without a new file.
   Its position is its GTIDs, and its offset 0 whatever was read. */
static void test_no_offsets(void **state)
{
    (void)state;
    static struct fixture f;
    start(&f, (struct decoder_options){0});
    f.maker.flags = EVENT_FLAG_ARTIFICIAL;
    assert_true(give(&f, EVENT_ROTATE, "0400000000000000 62696e6c6f672d3030303030302e696262"));
    assert_int_equal(f.note, DECODER_FILE);
    f.maker.flags = 0;
    for (unsigned i = 0; i < 3; i++) {
        char gtid[60];
        assert_true(decoder_event(f.decoder, maker_format(&f.maker, "12.3.1-MariaDB", false), &f.note, &f.err));
        if (i == 2) assert_true(give(&f, EVENT_ROTATE, "0000000000000000 62696e6c6f672d3030303030312e696262"));
        snprintf(gtid, sizeof gtid, "%02x00000000000000 00000000 0c 000000000000", 42 + i);
        assert_true(give(&f, EVENT_GTID_MARIADB, gtid) && give(&f, EVENT_TABLE_MAP, MAP) && give(&f, EVENT_WRITE_ROWS_V1, ROW) && give(&f, EVENT_HEARTBEAT, "62"));
        assert_true(give(&f, EVENT_XID, XID));
        seen(&f, "BIC");
        assert_int_equal(f.last.pos.offset, 0);
        assert_int_equal(f.last.pos.gtids.items[0].seq, 42 + i);
        assert_string_equal(f.last.pos.file, i == 2 ? "binlog-000001.ibb" : "binlog-000000.ibb");
    }
    f.maker.log_pos = 0; /* and what stops it is told by the file */
    assert_false(give(&f, EVENT_XID, XID));
    assert_non_null(strstr(f.err.text, "binlog-000001.ibb:0"));
    stop(&f);
}

/* A heartbeat between the events of a group says where the server is, not that the group has come: the position stays before it. */
static void test_heartbeat_inside(void **state)
{
    (void)state;
    static struct fixture f;
    start(&f, (struct decoder_options){0});
    uint64_t offset = decoder_pos(f.decoder)->offset;
    assert_true(give(&f, EVENT_GTID_MARIADB, GTID) && give(&f, EVENT_TABLE_MAP, MAP) && give(&f, EVENT_WRITE_ROWS_V1, ROW));
    f.maker.log_pos = 0x5000;
    assert_true(give(&f, EVENT_HEARTBEAT, "66"));
    f.maker.log_pos = 0;
    assert_int_equal(f.note, DECODER_HEARTBEAT);
    assert_true(decoder_in_transaction(f.decoder));
    assert_int_equal(decoder_pos(f.decoder)->gtids.count, 0);
    assert_true(decoder_pos(f.decoder)->offset == offset);
    seen(&f, "BI");
    assert_true(decoder_cut(f.decoder, &f.err)); /* the connection ends here: the group comes again as a whole */
    seen(&f, "A");
    assert_int_equal(decoder_pos(f.decoder)->gtids.count, 0);
    assert_true(decoder_pos(f.decoder)->offset == offset);
    stop(&f);
}

static void test_left_out(void **state)
{
    (void)state;
    static struct fixture f;
    struct filter *filter;
    const char *exclude[] = {"g.t"};
    struct err err;
    assert_true(filter_new(&(struct strings){0}, &(struct strings){1, exclude}, &filter, &err));
    start(&f, (struct decoder_options){.filter = filter});
    assert_true(give(&f, EVENT_GTID_MARIADB, GTID) && give(&f, EVENT_TABLE_MAP, MAP) && give(&f, EVENT_WRITE_ROWS_V1, ROW) && give(&f, EVENT_XID, XID));
    seen(&f, "BC");
    assert_true(give(&f, EVENT_GTID_MARIADB, STANDALONE) && query(&f, "DROP TABLE t"));
    seen(&f, "BC");
    assert_true(give(&f, EVENT_GTID_MARIADB, STANDALONE) && query(&f, "GRANT ALL ON *.* TO u"));
    seen(&f, "BC");
    assert_true(give(&f, EVENT_GTID_MARIADB, STANDALONE) && query(&f, "CREATE TEMPORARY TABLE x (i int)"));
    seen(&f, "BC");
    assert_true(give(&f, EVENT_GTID_MARIADB, STANDALONE) && query(&f, "DROP TABLE u"));
    seen(&f, "BSC");
    assert_int_equal(decoder_stats(f.decoder)->filtered, 4);
    assert_true(give(&f, EVENT_GTID_MARIADB, STANDALONE));
    assert_false(query(&f, "DROP TABLE u, t")); /* one wanted, one not */
    assert_int_equal(f.err.code, ERR_STOP);
    stop(&f);
    filter_free(filter);
}

static void test_statements(void **state)
{
    (void)state;
    static struct fixture f;
    start(&f, (struct decoder_options){.capture_accounts = true, .refuse_statements = true});
    assert_true(give(&f, EVENT_GTID_MARIADB, STANDALONE) && query(&f, "GRANT ALL ON *.* TO u"));
    seen(&f, "BSC");
    assert_true(give(&f, EVENT_GTID_MARIADB, GTID));
    assert_false(query(&f, "INSERT INTO t VALUES (1)"));
    assert_int_equal(f.err.code, ERR_STOP);
    stop(&f);
}

static bool alone(struct fixture *f, const char *text) { return give(f, EVENT_GTID_MARIADB, STANDALONE) && query(f, text); }

/* The flag alone does not say that a table is temporary: a procedure's DDL has it, too. */
static void test_temporary(void **state)
{
    (void)state;
    static struct fixture f;
    static const char *const ddl[] = {"ALTER TABLE t ADD i int", "TRUNCATE t", "CREATE INDEX i ON t (a)", "DROP INDEX i ON g.t",
                                      "RENAME TABLE t TO u", "CREATE OR REPLACE TABLE u LIKE t", "CREATE TABLE v SELECT * FROM t"};
    start(&f, (struct decoder_options){0});
    for (size_t i = 0; i < sizeof ddl / sizeof *ddl; i++) {
        f.maker.flags = EVENT_FLAG_THREAD_SPECIFIC;
        assert_true(alone(&f, ddl[i]));
        seen(&f, "BSC");
        if (i > 4) continue;
        assert_true(alone(&f, "CREATE TEMPORARY TABLE g.t (a INT)"));
        seen(&f, "BC");
        f.maker.server_id++; /* a session of another server */
        assert_true(alone(&f, ddl[i]));
        seen(&f, "BSC");
        f.maker.server_id--;
        f.maker.flags = 0; /* the permanent one of that name */
        assert_true(alone(&f, ddl[i]));
        seen(&f, "BSC");
        f.maker.flags = EVENT_FLAG_THREAD_SPECIFIC;
        assert_true(alone(&f, ddl[i]));
        seen(&f, "BC");
        assert_true(alone(&f, i == 4 ? "DROP TEMPORARY TABLE other.y, u" : "DROP TEMPORARY TABLE IF EXISTS `t`"));
        seen(&f, "BC");
    }
    assert_true(alone(&f, "CREATE TEMPORARY TABLE t (a INT)") && alone(&f, "ALTER TABLE t RENAME TO t2, ADD b INT"));
    seen(&f, "BCBC");
    assert_true(alone(&f, "TRUNCATE g.t2") && alone(&f, "TRUNCATE t"));
    seen(&f, "BCBSC");
    /* a proof, by a decoder that has not seen the table come, finds the same checksum */
    assert_true(alone(&f, "CREATE INDEX i ON t2 (b)"));
    uint32_t crc = f.last.crc;
    f.maker.server_id++;
    assert_true(alone(&f, "CREATE INDEX i ON t2 (b)"));
    f.maker.server_id--;
    seen(&f, "BCBSC");
    assert_int_equal(f.last.crc, crc);
    assert_true(alone(&f, "CREATE INDEX j ON t2 (b)"));
    seen(&f, "BC");
    assert_int_not_equal(f.last.crc, crc);
    assert_true(give(&f, EVENT_GTID_MARIADB, STANDALONE));
    assert_false(query(&f, ddl[5])); /* it may read it */
    assert_int_equal(f.err.code, ERR_STOP);
    stop(&f);
    start(&f, (struct decoder_options){0});
    f.maker.flags = EVENT_FLAG_THREAD_SPECIFIC;
    assert_true(give(&f, EVENT_GTID_MARIADB, GTID));
    assert_false(query(&f, "INSERT INTO t SELECT * FROM tmp"));
    assert_int_equal(f.err.code, ERR_STOP);
    stop(&f);
}

static void test_refused(void **state)
{
    (void)state;
    static struct fixture f;
    static const struct { uint8_t type; const char *body; bool group; enum err_code code; } cases[] = {
        {EVENT_XID, XID, false, ERR_CORRUPT}, {EVENT_TABLE_MAP, MAP, false, ERR_CORRUPT}, {EVENT_WRITE_ROWS_V1, ROW, false, ERR_CORRUPT},
        {EVENT_WRITE_ROWS_V1, ROW, true, ERR_CORRUPT}, {EVENT_GTID_MARIADB, GTID, true, ERR_CORRUPT}, {EVENT_INCIDENT, "0100 00", false, ERR_UNSUPPORTED},
        {EVENT_GTID, "00", false, ERR_CORRUPT}, {EVENT_PARTIAL_ROW_DATA, "00", true, ERR_CORRUPT}, {EVENT_PARTIAL_ROW_DATA, "00", false, ERR_CORRUPT}, {200, "00", false, ERR_UNSUPPORTED},
        {EVENT_ROTATE, "0400000000000000", false, ERR_CORRUPT}, {EVENT_XA_PREPARE, "00", true, ERR_CORRUPT},
        {EVENT_GTID_LIST, "05000000", false, ERR_CORRUPT}, {EVENT_QUERY, "00", true, ERR_CORRUPT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        start(&f, (struct decoder_options){0});
        if (cases[i].group) assert_true(give(&f, EVENT_GTID_MARIADB, GTID));
        assert_false(give(&f, cases[i].type, cases[i].body));
        assert_int_equal(f.err.code, cases[i].code);
        assert_non_null(strstr(f.err.text, "f:")); /* says where */
        stop(&f);
    }
    start(&f, (struct decoder_options){0});
    f.maker.flags = EVENT_FLAG_IGNORABLE;
    assert_true(give(&f, 200, "00"));
    assert_true(give(&f, EVENT_GTID_LIST, "02000000 00000000 01000000 0500000000000000 00000000 02000000 0600000000000000"));
    assert_int_equal(decoder_pos(f.decoder)->gtids.count, 1);
    assert_int_equal(decoder_pos(f.decoder)->gtids.items[0].seq, 6);
    stop(&f);
}

/* The dummy id closes the maps; a map does not outlive its statement. */
static void test_maps_end(void **state)
{
    (void)state;
    static struct fixture f;
    start(&f, (struct decoder_options){0});
    assert_true(give(&f, EVENT_GTID_MARIADB, GTID) && give(&f, EVENT_TABLE_MAP, MAP) && give(&f, EVENT_WRITE_ROWS_V1, "ffffff000000 0100 00"));
    assert_false(give(&f, EVENT_WRITE_ROWS_V1, ROW));
    stop(&f);
}

/* ---- MySQL ---- */

#define U1 "588edc56e4a011f1a6d402fc00000001"
#define U1_TEXT "588edc56-e4a0-11f1-a6d4-02fc00000001"
#define GTID_OF(number) "01 " U1 " " number "00000000000000"
#define ANONYMOUS "00 00000000000000000000000000000000 0000000000000000"

static void start_mysql(struct fixture *f, const char *gtids)
{
    struct source_pos pos = {.offset = 4, .file = "binlog.000042"};
    struct decoder_options options = {.verify_checksums = true, .emit = take, .context = f};
    *f = (struct fixture){.maker = maker_new()};
    assert_true(gtid_set_parse(slice_text(gtids), &pos.gtids, &f->err));
    buf_init(&f->seen, 4096);
    f->decoder = decoder_new(&options, &pos);
    assert_true(decoder_event(f->decoder, maker_format(&f->maker, "9.7.4", true), &f->note, &f->err));
}

static void at(struct fixture *f, const char *gtids)
{
    char text[GTID_SET_TEXT_MAX];
    gtid_set_format(&decoder_pos(f->decoder)->gtids, text);
    assert_string_equal(text, gtids);
}

static bool insert(struct fixture *f) { return give(f, EVENT_TABLE_MAP, MAP) && give(f, EVENT_WRITE_ROWS, "120000000000 0100 0200 01 ff fe 07000000"); }

static void test_mysql_groups(void **state)
{
    (void)state;
    static struct fixture f;
    start_mysql(&f, "");
    assert_true(give(&f, EVENT_PREVIOUS_GTIDS, "0100000000000000 " U1 " 0100000000000000 0100000000000000 0a00000000000000"));
    at(&f, U1_TEXT ":1-9");
    assert_true(give(&f, EVENT_GTID, GTID_OF("0a")));
    seen(&f, ""); /* what it is, is not known yet */
    assert_true(decoder_in_transaction(f.decoder));
    assert_true(query(&f, "BEGIN"));
    assert_int_equal(f.note, DECODER_BEGIN);
    assert_true(insert(&f));
    at(&f, U1_TEXT ":1-9"); /* it counts from its COMMIT */
    assert_true(give(&f, EVENT_XID, XID));
    seen(&f, "BIC");
    at(&f, U1_TEXT ":1-10");
    assert_true(give(&f, EVENT_GTID, GTID_OF("0b")) && query(&f, "CREATE TABLE x (i int)"));
    seen(&f, "BSC");
    assert_true(give(&f, EVENT_GTID, GTID_OF("0d")) && query(&f, "BEGIN") && query(&f, "COMMIT")); /* empty, and a gap before it */
    seen(&f, "BC");
    at(&f, U1_TEXT ":1-11:13");
    assert_true(give(&f, EVENT_GTID, GTID_OF("0c")) && query(&f, "BEGIN") && query(&f, "CREATE TABLE y (i int) START TRANSACTION") && insert(&f) && give(&f, EVENT_XID, XID));
    seen(&f, "BSIC");
    at(&f, U1_TEXT ":1-13");
    assert_true(give(&f, EVENT_GTID, GTID_OF("0e")) && query(&f, "BEGIN") && insert(&f) && query(&f, "ROLLBACK"));
    seen(&f, "BIA");
    at(&f, U1_TEXT ":1-14");
    assert_true(give(&f, EVENT_GTID, GTID_OF("0f")) && query(&f, "# nothing") && give(&f, EVENT_GTID, GTID_OF("10")));
    seen(&f, "BC");
    assert_true(decoder_cut(f.decoder, &f.err)); /* announced, and no more: nobody has heard of it */
    seen(&f, "");
    at(&f, U1_TEXT ":1-15");
    stop(&f);
}

/* Without GTIDs: by the place where it begins; the set says where the next one does. */
static void test_mysql_files(void **state)
{
    (void)state;
    static struct fixture f;
    char begins[80];
    start_mysql(&f, "");
    uint64_t offset = decoder_pos(f.decoder)->offset;
    assert_true(give(&f, EVENT_ANONYMOUS_GTID, ANONYMOUS) && query(&f, "BEGIN") && insert(&f) && give(&f, EVENT_XID, XID));
    seen(&f, "BIC");
    assert_int_equal(f.last.pos.gtids.items[0].kind, GTID_FILE);
    snprintf(begins, sizeof begins, "000042:%llu", (unsigned long long)decoder_pos(f.decoder)->offset);
    at(&f, begins);
    assert_true(decoder_pos(f.decoder)->offset > offset);
    /* 5.6 and before: nothing announces them */
    assert_true(query(&f, "BEGIN") && insert(&f) && query(&f, "COMMIT") && query(&f, "DROP TABLE x"));
    seen(&f, "BICBSC");
    /* what is rolled back, temporary tables too, ends there: a parser that waited for COMMIT took the ALTER behind it for a part of that */
    assert_true(query(&f, "BEGIN") && insert(&f) && query(&f, "ROLLBACK") && query(&f, "ALTER TABLE x ADD a int"));
    seen(&f, "BIABSC");
    assert_true(query(&f, "BEGIN") && query(&f, "CREATE TEMPORARY TABLE t (i int)") && query(&f, "ROLLBACK") && query(&f, "ALTER TABLE x ADD b int"));
    seen(&f, "BCBSC");
    /* ON_PERMISSIVE: a GTID among them changes nothing */
    assert_true(give(&f, EVENT_GTID, GTID_OF("0a")) && query(&f, "DROP TABLE y"));
    seen(&f, "BSC");
    snprintf(begins, sizeof begins, "000042:%llu", (unsigned long long)decoder_pos(f.decoder)->offset);
    at(&f, begins);
    assert_true(give(&f, EVENT_ROTATE, "0400000000000000 62696e6c6f672e303030303433") && query(&f, "DROP TABLE z")); /* binlog.000043 */
    seen(&f, "BSC");
    assert_int_equal(decoder_pos(f.decoder)->gtids.items[0].server, 43);
    stop(&f);
}

static void test_mysql_refused(void **state)
{
    (void)state;
    static struct fixture f;
    start_mysql(&f, U1_TEXT ":1-9");
    assert_false(give(&f, EVENT_ANONYMOUS_GTID, ANONYMOUS) && query(&f, "DROP TABLE x")); /* gtid_mode was turned off */
    assert_int_equal(f.err.code, ERR_STOP);
    stop(&f);
    start_mysql(&f, U1_TEXT ":1-9");
    assert_true(give(&f, EVENT_GTID, GTID_OF("0a")));
    assert_false(insert(&f)); /* rows before BEGIN */
    assert_int_equal(f.err.code, ERR_CORRUPT);
    stop(&f);
    static const char *const previous[] = {"0100000000000000 " U1, "0100000000000000 " U1 " 0100000000000000 0500000000000000 0500000000000000",
                                           "0100000000000002", "ffffffffffffff00", "01 0100 0000 0000 01 " U1 " 42 61"};
    for (size_t i = 0; i < sizeof previous / sizeof *previous; i++) {
        start_mysql(&f, "");
        if (give(&f, EVENT_PREVIOUS_GTIDS, previous[i])) fail_msg("case %zu was taken", i);
        stop(&f);
    }
    start_mysql(&f, "");
    assert_true(give(&f, EVENT_PREVIOUS_GTIDS, "01 0200 0000 0000 01 " U1 " 00 0100000000000000 0100000000000000 2400000000000000 " U1
                     " 0a 6d79746167 0100000000000000 0100000000000000 0200000000000000"));
    at(&f, U1_TEXT ":1-35:mytag:1");
    stop(&f);
}

/* A heartbeat of the second kind, and files beyond 4 GiB. */
static void test_mysql_heartbeat(void **state)
{
    (void)state;
    static struct fixture f;
    start_mysql(&f, U1_TEXT ":1-9");
    assert_true(give(&f, EVENT_HEARTBEAT_V2, "01 0d 62696e6c6f672e303030303432 02 09 fe 0000000002000000 00"));
    assert_int_equal(f.note, DECODER_HEARTBEAT);
    assert_int_equal(decoder_pos(f.decoder)->offset, UINT64_C(2) << 32);
    assert_true(give(&f, EVENT_GTID, GTID_OF("0a")) && query(&f, "DROP TABLE x"));
    assert_true(decoder_pos(f.decoder)->offset > UINT64_C(2) << 32); /* log_pos has 32 bits */
    assert_false(give(&f, EVENT_HEARTBEAT_V2, "01 7d 62"));
    stop(&f);
}

/* A file grows past 4 GiB inside of a transaction: log_pos begins again at 0, and the place is told with all its bits. */
static void test_mysql_past_4_gib(void **state)
{
    (void)state;
    static struct fixture f;
    start_mysql(&f, U1_TEXT ":1-9");
    assert_true(give(&f, EVENT_HEARTBEAT_V2, "01 0d 62696e6c6f672e303030303432 02 09 fe 00ffffff00000000 00"));
    assert_true(decoder_pos(f.decoder)->offset == 0xffffff00);
    f.maker.log_pos = 0xffffff80;
    assert_true(give(&f, EVENT_GTID, GTID_OF("0a")));
    f.maker.log_pos = 0xffffffc0;
    assert_true(query(&f, "BEGIN"));
    f.maker.log_pos = 0x40;
    assert_true(give(&f, EVENT_TABLE_MAP, MAP));
    f.maker.log_pos = 0x80;
    assert_true(give(&f, EVENT_WRITE_ROWS_V1, ROW));
    f.maker.log_pos = 0xa0;
    assert_true(give(&f, EVENT_XID, XID));
    assert_int_equal(f.note, DECODER_COMMIT);
    assert_true(f.last.pos.offset == UINT64_C(0x1000000a0));
    assert_true(decoder_pos(f.decoder)->offset == UINT64_C(0x1000000a0));
    stop(&f);
}

/* Group replication's own event comes in a group of its own: nothing to deliver, and the GTID counts. */
static void test_view_change(void **state)
{
    (void)state;
    static struct fixture f;
    static const char view[] = "31373633373238393534343832303135353a310000000000 00000000000000000000000000000000" /* view id, 40 bytes */
                               "0100000000000000" "01000000" /* sequence number; one entry of certification information: key, GTID set */
                               "0300" "616263" "05000000" "757569643a";
    start_mysql(&f, U1_TEXT ":1-9");
    assert_true(give(&f, EVENT_GTID, GTID_OF("0a")) && query(&f, "BEGIN") && give(&f, EVENT_VIEW_CHANGE, view));
    assert_true(decoder_in_transaction(f.decoder));
    at(&f, U1_TEXT ":1-9");
    assert_true(query(&f, "COMMIT"));
    at(&f, U1_TEXT ":1-10");
    assert_int_equal(f.last.rows, 0);
    assert_false(decoder_in_transaction(f.decoder));
    assert_true(give(&f, EVENT_VIEW_CHANGE, view)); /* one by itself is nothing to us, either */
    at(&f, U1_TEXT ":1-10");
    stop(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups), cmocka_unit_test(test_xa), cmocka_unit_test(test_pieces), cmocka_unit_test(test_ends), cmocka_unit_test(test_alter), cmocka_unit_test(test_savepoint),
        cmocka_unit_test(test_offsets), cmocka_unit_test(test_no_offsets), cmocka_unit_test(test_heartbeat_inside), cmocka_unit_test(test_left_out), cmocka_unit_test(test_statements), cmocka_unit_test(test_temporary),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_maps_end), cmocka_unit_test(test_mysql_groups), cmocka_unit_test(test_mysql_files), cmocka_unit_test(test_mysql_refused),
        cmocka_unit_test(test_mysql_heartbeat), cmocka_unit_test(test_mysql_past_4_gib), cmocka_unit_test(test_view_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
