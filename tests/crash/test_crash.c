/*
 * The log survives a crash at any call (memory.h): random streams of transactions, aborted ones, large ones, segment switches,
 * recycling and retention; each case lives several lives, each ending in a crash at a random call or in a clean stop.
 *
 * After every restart: each durable transaction is there and unchanged, no half one is, LSNs have no hole, every check of
 * wal_verify holds, and what is read is what was appended. A case is replayed by its seed: test_crash SEED 1.
 *
 *   test_crash [FIRST_SEED [CASES]]      CRASH_CASES=n in the environment changes the default of 12000
 */
#include <stdio.h>
#include <stdlib.h>

#include "inspect.h"
#include "log.h"
#include "memory.h"
#include "reader.h"
#include "state.h"
#include "wal_unit.h"

enum { TRANSACTIONS = 4096, LIVES = 5, TABLES = 3 };
#define DIR "d"

struct transaction { uint64_t begin, commit, seq, salt; unsigned rows; };

struct world {
    uint64_t seed;
    struct memory *memory;
    struct wal_options options;
    struct wal *wal;
    struct table *tables[TABLES];
    struct transaction done[TRANSACTIONS]; /* committed ones, by LSN */
    size_t count;
    uint64_t seq, durable, first, hold;
    bool created;  /* the log existed durably */
    bool uniform;  /* every transaction alike, so that blocks of two lives fit in each other's place */
    bool gathers;  /* several blocks between two syncs, as under load */
    char uuid[WAL_UUID_TEXT];
};

static struct { uint64_t cases, lives, crashes, transactions, segments, recycled, cut; } total;

#define check(world, condition, ...) do { if (!(condition)) { \
    printf("FAILED seed %llu: %s: ", (unsigned long long)(world)->seed, #condition); printf(__VA_ARGS__); printf("\n"); \
    exit(1); } } while (0)

static uint64_t pick(struct world *w, uint64_t n) { return memory_random(w->memory) % n; }

/* Row i of a transaction: which table, which bytes. The salt makes every life's rows differ. */
static uint64_t row_value(const struct transaction *t, unsigned i) { return t->salt * 1000003 + t->seq * 31 + i; }
static unsigned row_table(const struct transaction *t, unsigned i) { return (unsigned)((t->seq + i / 3) % TABLES); }

static bool append(struct world *w, const struct change *c, uint64_t *lsn)
{
    bool good = wal_append(w->wal, c, lsn, &failure);
    check(w, good || memory_crashed(w->memory), "append: %s", failure.text);
    return good;
}

static bool append_begin(struct world *w, const struct transaction *t)
{
    struct change c = {.kind = CHANGE_BEGIN, .gtid = {.domain = 0, .server = 1, .seq = t->seq}, .timestamp = (uint32_t)t->seq, .server_id = 1,
                       .file = slice_text("bin.000001"), .offset = t->seq};
    return append(w, &c, NULL);
}

static bool append_row(struct world *w, const struct transaction *t, unsigned i)
{
    uint8_t image[17];
    unit_image(image, row_value(t, i));
    struct change c = {.kind = CHANGE_INSERT, .timestamp = (uint32_t)t->seq, .table = w->tables[row_table(t, i)],
                       .after = {.image = slice_of(image, sizeof image)}};
    return append(w, &c, NULL);
}

static bool append_end(struct world *w, struct transaction *t, enum change_kind kind)
{
    struct commit commit = unit_commit_of(t->seq, t->rows);
    commit.crc = (uint32_t)t->salt;
    struct change c = {.kind = kind, .gtid = {.domain = 0, .server = 1, .seq = t->seq}, .timestamp = (uint32_t)t->seq, .server_id = 1, .commit = &commit};
    return append(w, &c, &t->commit);
}

/* One transaction, or a part of one that is then aborted, or a heartbeat. False: the crash came. */
static bool work(struct world *w)
{
    uint64_t what = w->uniform ? 19 : pick(w, 20);
    struct transaction t = {.begin = w->wal->next_lsn, .seq = w->seq + 1, .salt = memory_random(w->memory) >> 32,
                            .rows = (unsigned)(w->uniform ? 2 : what == 0 ? pick(w, 400) : pick(w, 6))};
    if (what == 1) return append_end(w, &t, CHANGE_HEARTBEAT);
    bool good = append_begin(w, &t);
    for (unsigned i = 0; good && i < t.rows; i++) good = append_row(w, &t, i);
    if (good && what == 2) return append_end(w, &t, CHANGE_ABORT);
    w->done[w->count] = t; /* its commit may reach the disk although the crash hid that from us */
    w->done[w->count].commit = w->wal->next_lsn;
    if (!good || !append_end(w, &w->done[w->count], CHANGE_COMMIT)) {
        /* what was handed over before may be on the disk: the commit record too, if append got as far as that */
        if (good) w->count++;
        return false;
    }
    w->seq++;
    check(w, ++w->count < TRANSACTIONS, "too many");
    return true;
}

static void note_durable(struct world *w)
{
    struct wal_points p;
    wal_points(w->wal, &p);
    check(w, p.durable <= p.written, "durable %llu > written %llu", (unsigned long long)p.durable, (unsigned long long)p.written);
    if (p.durable > w->durable) w->durable = p.durable;
    w->first = p.first;
}

static void read_back(struct world *w, struct wal_reader *reader, uint64_t from, enum wal_read end)
{
    struct change c;
    uint8_t image[17];
    size_t i = 0;
    while (i < w->count && w->done[i].begin < from) i++;
    for (; i < w->count; i++) {
        const struct transaction *t = &w->done[i];
        enum wal_read read = wal_reader_next(reader, 0, &c, &failure);
        check(w, read == WAL_READ_CHANGE, "reading transaction %llu: %d %s", (unsigned long long)t->seq, read,
              read == WAL_READ_FAILED ? failure.text : "");
        check(w, c.kind == CHANGE_BEGIN && c.gtid.seq == t->seq && c.lsn == t->begin, "begin of %llu", (unsigned long long)t->seq);
        for (unsigned k = 0; k < t->rows; k++) {
            check(w, wal_reader_next(reader, 0, &c, &failure) == WAL_READ_CHANGE && c.kind == CHANGE_INSERT, "row %u", k);
            unit_image(image, row_value(t, k));
            check(w, slice_equal(c.after.image, slice_of(image, sizeof image)), "row %u of %llu differs", k,
                  (unsigned long long)t->seq);
            check(w, slice_equal(c.table->encoded, w->tables[row_table(t, k)]->encoded), "table of row %u", k);
        }
        check(w, wal_reader_next(reader, 0, &c, &failure) == WAL_READ_CHANGE && c.kind == CHANGE_COMMIT, "commit");
        check(w, c.lsn == t->commit && c.commit->crc == (uint32_t)t->salt && c.commit->rows == t->rows, "commit's content");
    }
    enum wal_read last = wal_reader_next(reader, 0, &c, &failure);
    check(w, last == end, "more than was appended: %d %s", last, last == WAL_READ_FAILED ? failure.text : "");
}

/* What came back: at least all that was durable, at most what was appended, cut between two transactions. */
static void adopt(struct world *w, const struct wal_resume *resume)
{
    uint64_t lost_from = resume->last_lsn + 1;
    size_t kept = w->count;
    while (kept && w->done[kept - 1].commit >= lost_from) {
        check(w, w->done[kept - 1].commit > w->durable, "durable transaction %llu (commit LSN %llu, durable %llu) is lost, resume %llu",
              (unsigned long long)w->done[kept - 1].seq, (unsigned long long)w->done[kept - 1].commit,
              (unsigned long long)w->durable, (unsigned long long)resume->last_lsn);
        kept--;
    }
    total.cut += w->count - kept;
    w->count = kept;
    check(w, resume->empty == (kept == 0 && resume->last_lsn == 0), "empty");
    if (kept) {
        const struct transaction *t = &w->done[kept - 1];
        check(w, resume->last_lsn == t->commit && resume->gtid.seq == t->seq && resume->crc == (uint32_t)t->salt,
              "resume %llu, transaction %llu", (unsigned long long)resume->last_lsn, (unsigned long long)t->commit);
        w->seq = t->seq;
    } else {
        check(w, resume->last_lsn == 0, "a transaction that was never appended");
        w->seq = 0;
    }
}

static void check_log(struct world *w)
{
    struct wal_reader *reader;
    struct wal_info info;
    struct wal_points p;
    wal_points(w->wal, &p);
    check(w, wal_verify_files(w->options.files, DIR, NULL, NULL, &info, &failure), "verify: %s", failure.text);
    check(w, info.last_lsn + 1 == w->wal->next_lsn && info.first_lsn == p.first, "LSNs");
    check(w, wal_reader_open(w->wal, 0, &reader, &failure), "%s", failure.text);
    read_back(w, reader, p.first, WAL_READ_TIMEOUT);
    wal_reader_close(reader);
    check(w, wal_reader_open_files(w->options.files, DIR, 0, &reader, &failure), "%s", failure.text);
    read_back(w, reader, p.first, WAL_READ_END);
    wal_reader_close(reader);
}

/* Opens the log, crashing in recovery itself now and then. */
static void start(struct world *w)
{
    struct wal_resume resume;
    for (int tries = 0;; tries++) {
        if (tries < 3 && !pick(w, 3)) memory_crash_at(w->memory, 1 + pick(w, 12));
        else memory_crash_at(w->memory, 0);
        bool opened = wal_open(&w->options, NULL, &w->wal, &resume, &failure);
        if (opened && !memory_crashed(w->memory)) break;
        if (opened) wal_close(w->wal);
        check(w, memory_crashed(w->memory), "open: %s", failure.text);
        memory_reboot(w->memory);
    }
    memory_crash_at(w->memory, 0);
    if (!w->created) strcpy(w->uuid, wal_uuid(w->wal));
    check(w, !strcmp(w->uuid, wal_uuid(w->wal)), "another log");
    w->created = true;
    adopt(w, &resume);
    note_durable(w);
    check_log(w);
    total.lives++;
}

/* What the flusher's thread would do, at times of our choosing. */
static void flush_gathered(struct world *w)
{
    if (w->gathers && !pick(w, 6) && !wal_flush_ready(w->wal, &failure)) wal_die(w->wal, &failure);
}

static void sometimes(struct world *w)
{
    flush_gathered(w);
    if (!pick(w, 4)) wal_flush(w->wal);
    if (!pick(w, 12)) (void)!wal_mark(w->wal, false, &failure);
    if (!pick(w, 30)) {
        if (w->count) w->hold = w->done[pick(w, w->count)].begin;
        (void)!wal_hold(w->wal, "sink", w->hold, &failure);
        wal_keep(w->wal, clock_wall_us() + UINT64_C(400) * 3600 * 1000000);
        struct wal_points p;
        wal_points(w->wal, &p);
        check(w, p.first <= w->hold || !w->hold || w->hold < w->first, "retention dropped what is held");
    }
}

static void live(struct world *w)
{
    uint64_t steps = 1 + pick(w, 120);
    bool clean = !pick(w, 4);
    w->wal->started = w->gathers; /* then nothing is flushed behind our back */
    if (!clean) memory_crash_at(w->memory, 1 + pick(w, 4 + steps * 2));
    for (uint64_t i = 0; i < steps && work(w) && !memory_crashed(w->memory); i++) {
        sometimes(w);
        note_durable(w);
    }
    if (!memory_crashed(w->memory) && w->wal->filling && !pick(w, 3)) {
        struct transaction half = {.seq = w->seq + 1};
        bool good = append_begin(w, &half);
        for (unsigned i = 0; good && i < pick(w, 300); i++) good = append_row(w, &half, i);
    }
    w->wal->started = false;
    note_durable(w);
    total.segments += w->wal->segment_count;
    total.recycled += w->wal->recycle_next;
    wal_close(w->wal);
    if (clean && !memory_crashed(w->memory) && w->count) w->durable = w->done[w->count - 1].commit;
    total.crashes += memory_crashed(w->memory);
    memory_reboot(w->memory);
}

static void run_case(uint64_t seed)
{
    static struct world world;
    struct world *w = &world;
    memset(w, 0, sizeof *w);
    w->seed = seed;
    w->memory = memory_new(seed * 7919 + 1);
    w->uniform = !pick(w, 4);
    w->gathers = pick(w, 2);
    w->options = (struct wal_options){.dir = DIR, .segment_bytes = 6 << 10 << pick(w, 5), .compress = pick(w, 2), .fsync = true,
                                      .free_min = 1, .files = memory_files(w->memory),
                                      .block_bytes = (uint32_t)(64 << pick(w, 7))};
    for (unsigned i = 0; i < TABLES; i++) w->tables[i] = unit_table(i + 1);
    for (uint64_t i = 0, lives = 1 + pick(w, LIVES); i < lives; i++) {
        start(w);
        live(w);
    }
    start(w);
    wal_close(w->wal);
    total.transactions += w->count;
    total.cases++;
    for (unsigned i = 0; i < TABLES; i++) table_free(w->tables[i]);
    memory_free(w->memory);
}

int main(int argc, char **argv)
{
    const char *env = getenv("CRASH_CASES");
    uint64_t first = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
    uint64_t cases = argc > 2 ? strtoull(argv[2], NULL, 0) : env ? strtoull(env, NULL, 0) : 12000;
    uint64_t started = clock_us();
    if (cases > 1 && !freopen("/dev/null", "w", stderr)) return 1; /* each crash logs itself */
    log_init(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
    for (uint64_t seed = first; seed < first + cases; seed++) run_case(seed);
    printf("%llu cases (seeds %llu to %llu), %llu lives, %llu crashes, %llu transactions kept, %llu cut, %llu segments: ok in %.1f s\n",
           (unsigned long long)total.cases, (unsigned long long)first, (unsigned long long)(first + cases - 1),
           (unsigned long long)total.lives, (unsigned long long)total.crashes, (unsigned long long)total.transactions,
           (unsigned long long)total.cut, (unsigned long long)total.segments, (double)(clock_us() - started) / 1e6);
    return 0;
}
