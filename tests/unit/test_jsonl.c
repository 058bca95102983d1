/* The file of lines: what is in it after any end, and when it refuses to go on. The runner and the log are stand-ins here. */
#include "unit.h"

#include "runner.h"
#include <sys/stat.h>
#include <unistd.h>

struct sink { struct sink_settings settings; bool is_new, stopping; };

static struct sink sink;
static char dir[64], path[96], position[112];
static uint64_t confirmed, durable;
static char uuid[WAL_UUID_TEXT];

const struct sink_settings *sink_settings(const struct sink *s) { return &s->settings; }
struct wal *sink_wal(const struct sink *s) { (void)s; return NULL; }
bool sink_stopping(struct sink *s) { return s->stopping; }
bool sink_is_new(const struct sink *s) { return s->is_new; }
void sink_confirm(struct sink *s, const struct sink_progress *p) { (void)s; confirmed = p->lsn; }
void sink_server(struct sink *s, const char *server, const char *version) { (void)s, (void)server, (void)version; }
void sink_remedy(struct sink *s, const char *format, ...) { (void)s, (void)format; }
const char *wal_uuid(const struct wal *wal) { (void)wal; return uuid; }
bool wal_wait(struct wal *wal, enum wal_point point, uint64_t lsn, uint32_t timeout_ms)
{
    (void)wal, (void)timeout_ms;
    assert_int_equal(point, WAL_DURABLE);
    return lsn <= durable;
}

static void *self;
static uint64_t delivered;

static bool reconnect(enum err_code *code)
{
    struct err err = {0};
    uint64_t begin = 7;
    bool ok = sink_jsonl.connect(self, &delivered, &begin, &err);
    if (ok) assert_int_equal(begin, 0);
    if (code) *code = err.code;
    return ok;
}

static int start(void **state)
{
    (void)state;
    struct err err = {0};
    snprintf(dir, sizeof dir, "test_jsonl.XXXXXX");
    if (!mkdtemp(dir)) return -1;
    snprintf(path, sizeof path, "%s/out.jsonl", dir);
    snprintf(position, sizeof position, "%s.position", path);
    snprintf(uuid, sizeof uuid, "00000000-1111-2222-3333-444444444444");
    sink = (struct sink){.settings = {.name = "lines", .type = "jsonl", .path = path}, .is_new = true};
    confirmed = delivered = 0;
    durable = UINT64_MAX;
    return sink_jsonl.create(&sink, &self, &err) ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    sink_jsonl.destroy(self);
    unlink(path);
    unlink(position);
    return rmdir(dir);
}

static long size_of_file(void)
{
    struct stat st;
    return stat(path, &st) == 0 ? (long)st.st_size : -1;
}

static bool give(enum change_kind kind, uint64_t lsn)
{
    static struct commit commit;
    static struct statement statement;
    struct err err = {0};
    statement = (struct statement){.kind = STATEMENT_DML, .text = slice_text("INSERT INTO t VALUES (1)"), .database = slice_text("d")};
    struct change change = {.kind = kind, .lsn = lsn, .gtid = {.domain = 0, .server = 1, .seq = lsn}, .timestamp = 5, .statement = &statement, .commit = &commit};
    return sink_jsonl.change(self, &change, &err);
}

static bool flush(void)
{
    bool busy = true;
    struct err err = {0};
    bool ok = sink_jsonl.flush(self, &busy, &err);
    assert_false(ok && busy);
    return ok;
}

static void transaction(uint64_t lsn)
{
    assert_true(give(CHANGE_BEGIN, lsn) && give(CHANGE_STATEMENT, lsn + 1) && give(CHANGE_COMMIT, lsn + 2));
}

static void append(const char *text)
{
    FILE *file = fopen(path, "a");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void test_delivers(void **state)
{
    (void)state;
    assert_true(reconnect(NULL));
    transaction(1);
    assert_int_equal(confirmed, 0); /* not before it is on disk */
    assert_true(flush());
    assert_int_equal(confirmed, 3);
    long size = size_of_file();
    assert_true(size > 100);
    assert_true(reconnect(NULL));
    assert_int_equal(delivered, 3);
    assert_int_equal(size_of_file(), size);
}

static void test_cuts_the_tail(void **state)
{
    (void)state;
    assert_true(reconnect(NULL));
    transaction(1);
    assert_true(flush());
    long size = size_of_file();
    assert_true(give(CHANGE_BEGIN, 4) && give(CHANGE_STATEMENT, 5));
    assert_true(flush()); /* half a transaction is in the file, and not confirmed */
    assert_true(size_of_file() > size);
    assert_int_equal(confirmed, 3);
    append("{\"lsn\":6,\"gt");
    delivered = 0; /* our own notes may be behind */
    assert_true(reconnect(NULL));
    assert_int_equal(size_of_file(), size);
    assert_int_equal(delivered, 3);
}

static void test_waits_for_the_log(void **state)
{
    (void)state;
    assert_true(reconnect(NULL));
    durable = 2;
    transaction(1);
    sink.stopping = true;
    assert_false(flush());
    assert_int_equal(size_of_file(), 0);
    assert_int_equal(confirmed, 0);
    durable = 3;
    assert_true(flush());
    assert_int_equal(confirmed, 3);
}

static void test_refuses(void **state)
{
    (void)state;
    enum err_code code;
    append("somebody else's\n");
    assert_false(reconnect(&code));
    assert_int_equal(code, ERR_STOP);
    assert_int_equal(size_of_file(), 16); /* untouched */
    unlink(path);
    assert_true(reconnect(NULL));
    transaction(1);
    assert_true(flush());
    assert_int_equal(truncate(path, 10), 0);
    assert_false(reconnect(&code));
    assert_int_equal(code, ERR_STOP);
    unlink(path);
    assert_false(reconnect(&code));
    uuid[0] = '9';
    assert_false(reconnect(&code));
    assert_int_equal(code, ERR_STOP);
}

static void test_moved_away(void **state)
{
    (void)state;
    assert_true(reconnect(NULL));
    transaction(1);
    assert_true(flush());
    unlink(path);
    unlink(position);
    sink.is_new = false;
    delivered = confirmed;
    assert_true(reconnect(NULL));
    assert_int_equal(delivered, 3);
    assert_int_equal(size_of_file(), 0);
}

static void test_rewinds(void **state)
{
    (void)state;
    struct err err = {0};
    assert_true(reconnect(NULL));
    transaction(1);
    transaction(4);
    assert_true(flush());
    long size = size_of_file();
    assert_true(sink_jsonl.rewind(self, 4, &err));
    assert_true(reconnect(NULL));
    assert_int_equal(delivered, 3);
    assert_int_equal(size_of_file(), size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_delivers, start, end), cmocka_unit_test_setup_teardown(test_cuts_the_tail, start, end),
        cmocka_unit_test_setup_teardown(test_waits_for_the_log, start, end), cmocka_unit_test_setup_teardown(test_refuses, start, end),
        cmocka_unit_test_setup_teardown(test_moved_away, start, end), cmocka_unit_test_setup_teardown(test_rewinds, start, end)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
