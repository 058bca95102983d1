/* A reader opens a segment by the name that it has just looked up, while the writer gives it another one. */
#include <stdatomic.h>

#include "reader.h"
#include "thread.h"
#include "wal_unit.h"

enum { LOOKS = 25, PATIENCE_MS = 10000, TRANSACTIONS = 400 };

static char dir[64];

static int setup(void **state)
{
    (void)state;
    unit_dir(dir);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    unit_dir_remove(dir);
    return 0;
}

static bool is_open_name(const char *path)
{
    size_t n = strlen(path);
    return n > 5 && !strcmp(path + n - 5, ".open");
}

static bool reads(struct wal_reader *reader, uint64_t seq)
{
    struct change c;
    struct err err;
    return wal_reader_next(reader, 1000, &c, &err) == WAL_READ_CHANGE && c.kind == CHANGE_BEGIN && c.gtid.seq == seq;
}

/* ---- a live log: the file has its new name, the list in memory the old one ---- */

static struct live {
    struct wal *wal;
    pthread_t thread;
    bool begun;              /* by the writer's thread only */
    atomic_bool between, over;
    atomic_int looks;        /* opens of the old name while it is gone */
    bool opened, read;
    struct err err;
} live;

static void *open_and_read(void *arg)
{
    struct wal_reader *reader;
    (void)arg;
    live.opened = wal_reader_open(live.wal, 1, &reader, &live.err);
    live.over = true;
    if (!live.opened) return NULL;
    live.read = reads(reader, 1);
    wal_reader_close(reader);
    return NULL;
}

/* As if the writer lost its processor right behind the rename, until the reader has looked in vain for long, or given up. */
static int rename_and_linger(void *state, const char *from, const char *to)
{
    const struct file_system *real = file_system_real();
    int result = real->rename(state, from, to);
    if (result || live.begun || !is_open_name(from)) return result;
    live.begun = true;
    live.between = true;
    thread_start(&live.thread, "reader", open_and_read, NULL);
    for (int ms = 0; ms < PATIENCE_MS && live.looks < LOOKS && !live.over; ms++) clock_sleep_ms(1);
    live.between = false;
    return 0;
}

static int open_and_count(void *state, const char *path, unsigned how)
{
    int handle = file_system_real()->open(state, path, how);
    if (handle < 0 && live.between && is_open_name(path)) live.looks++;
    return handle;
}

static void a_renamed_segment_is_waited_for(void **state)
{
    struct wal_options options = unit_options(dir);
    struct file_system files = *file_system_real();
    struct wal_resume resume;
    struct table *table = unit_table(1);
    (void)state;
    files.rename = rename_and_linger;
    files.open = open_and_count;
    options.files = &files;
    options.segment_bytes = 8 << 10;
    options.block_bytes = 512;
    ok(wal_open(&options, NULL, &live.wal, &resume, &failure));
    for (uint64_t seq = 1; seq <= TRANSACTIONS && !live.begun; seq++) unit_transaction(live.wal, table, seq, 5);
    assert_true(live.begun);
    pthread_join(live.thread, NULL);
    if (!live.opened) fail_msg("after %d looks: %s", live.looks, live.err.text);
    assert_true(live.looks >= LOOKS);
    assert_true(live.read);
    wal_close(live.wal);
    table_free(table);
}

/* ---- a directory: the name changes between listing and opening ---- */

static struct {
    struct wal *wal;
    const struct table *table;
    bool done;
} other;

static int append_then_open(void *state, const char *path, unsigned how)
{
    if (!other.done && is_open_name(path)) {
        other.done = true;
        for (uint64_t seq = 2; seq <= TRANSACTIONS; seq++) unit_transaction(other.wal, other.table, seq, 5);
        wal_flush(other.wal);
        if (access(path, F_OK) == 0) fail_msg("%s still has its name: the test tests nothing", path);
    }
    return file_system_real()->open(state, path, how);
}

static void a_directory_is_listed_again(void **state)
{
    struct wal_options options = unit_options(dir);
    struct file_system files = *file_system_real();
    struct wal_resume resume;
    struct wal_reader *reader;
    struct table *table = unit_table(1);
    (void)state;
    options.segment_bytes = 8 << 10;
    options.block_bytes = 512;
    ok(wal_open(&options, NULL, &other.wal, &resume, &failure));
    other.table = table;
    unit_transaction(other.wal, table, 1, 5);
    wal_flush(other.wal);
    files.open = append_then_open;
    ok(wal_reader_open_files(&files, dir, 1, &reader, &failure));
    assert_true(other.done);
    assert_true(reads(reader, 1));
    wal_reader_close(reader);
    wal_close(other.wal);
    table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_renamed_segment_is_waited_for, setup, teardown),
        cmocka_unit_test_setup_teardown(a_directory_is_listed_again, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
