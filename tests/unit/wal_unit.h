/* wal_unit.h: tables, changes and a directory of their own for the log's tests. */
#ifndef WOLFCDC_WAL_UNIT_H
#define WOLFCDC_WAL_UNIT_H
#include <stdlib.h>
#include <unistd.h>

#include "clock.h"
#include "file.h"
#include "unit.h"
#include "wal.h"

/* shop.t<id>: a INT, b INT, c BIGINT NOT NULL */
static inline struct table *unit_table(uint32_t id)
{
    char name[32];
    const char *reason = NULL;
    struct column columns[3] = {
        {.kind = COLUMN_INT, .width = 4, .sign_known = true, .nullable = true, .name = slice_text("a")},
        {.kind = COLUMN_INT, .width = 4, .sign_known = true, .nullable = true, .name = slice_text("b")},
        {.kind = COLUMN_INT, .width = 8, .sign_known = true, .name = slice_text("c")},
    };
    snprintf(name, sizeof name, "t%u", id);
    struct table draft = {.database = slice_text("shop"), .name = slice_text(name), .column_count = 3, .columns = columns,
                          .named = true};
    struct table *table = table_new(&draft, id, &reason);
    if (!table) fail_msg("%s", reason);
    return table;
}

/* shop.big<id>: v LONGTEXT */
static inline struct table *unit_text_table(uint32_t id)
{
    const char *reason = NULL;
    struct column column = {.kind = COLUMN_TEXT, .width = 4, .collation = 45, .max_bytes = UINT32_MAX, .nullable = true,
                            .name = slice_text("v")};
    struct table draft = {.database = slice_text("shop"), .name = slice_text("big"), .column_count = 1, .columns = &column,
                          .named = true};
    struct table *table = table_new(&draft, id, &reason);
    if (!table) fail_msg("%s", reason);
    return table;
}

static inline void unit_image(uint8_t image[17], uint64_t n)
{
    uint32_t a = (uint32_t)n, b = (uint32_t)(n * 7);
    image[0] = 0;
    memcpy(image + 1, &a, 4);
    memcpy(image + 5, &b, 4);
    memcpy(image + 9, &n, 8);
}

static struct err failure; /* what an ok(…) call reports into */
#define ok(call) do { if (!(call)) fail_msg("%s: %s", #call, failure.text); } while (0)

static inline void unit_begin(struct wal *wal, uint64_t seq)
{
    struct change c = {.kind = CHANGE_BEGIN, .gtid = {.domain = 0, .server = 1, .seq = seq}, .timestamp = (uint32_t)(1700000000 + seq), .server_id = 1,
                       .file = slice_text("bin.000001"), .offset = seq * 100};
    ok(wal_append(wal, &c, NULL, &failure));
}

static inline void unit_insert(struct wal *wal, const struct table *table, uint64_t seq, uint64_t n)
{
    uint8_t image[17];
    unit_image(image, n);
    struct change c = {.kind = CHANGE_INSERT, .timestamp = (uint32_t)(1700000000 + seq), .table = table,
                       .after = {.image = slice_of(image, sizeof image)}};
    ok(wal_append(wal, &c, NULL, &failure));
}

static inline struct commit unit_commit_of(uint64_t seq, uint64_t rows)
{
    struct commit commit = {.previous = {.server = 1, .seq = seq - 1}, .crc = (uint32_t)(seq * 3), .rows = rows, .received_us = seq};
    commit.pos.gtids.count = 1;
    commit.pos.gtids.items[0] = (struct gtid){.domain = 0, .server = 1, .seq = seq};
    commit.pos.offset = seq * 100 + 99;
    strcpy(commit.pos.file, "bin.000001");
    return commit;
}

static inline uint64_t unit_commit(struct wal *wal, uint64_t seq, uint64_t rows)
{
    struct commit commit = unit_commit_of(seq, rows);
    struct change c = {.kind = CHANGE_COMMIT, .gtid = {.domain = 0, .server = 1, .seq = seq}, .timestamp = (uint32_t)(1700000000 + seq), .server_id = 1,
                       .commit = &commit};
    uint64_t lsn = 0;
    ok(wal_append(wal, &c, &lsn, &failure));
    return lsn;
}

static inline void unit_abort(struct wal *wal)
{
    struct change c = {.kind = CHANGE_ABORT};
    ok(wal_append(wal, &c, NULL, &failure));
}

/* A transaction of `rows` rows numbered seq*1000… Returns the commit's LSN. */
static inline uint64_t unit_transaction(struct wal *wal, const struct table *table, uint64_t seq, unsigned rows)
{
    unit_begin(wal, seq);
    for (unsigned i = 0; i < rows; i++) unit_insert(wal, table, seq, seq * 1000 + i);
    return unit_commit(wal, seq, rows);
}

static inline void unit_dir(char dir[64])
{
    strcpy(dir, "wolfcdc-test-XXXXXX");
    if (!mkdtemp(dir)) fail_msg("cannot make a directory here");
}

static inline void unit_remove_one(void *context, const char *name)
{
    char path[FILE_PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", (const char *)context, name);
    unlink(path);
}

static inline void unit_dir_remove(char *dir)
{
    const struct file_system *real = file_system_real();
    real->list(real->state, dir, unit_remove_one, dir);
    rmdir(dir);
}

static inline struct wal_options unit_options(const char *dir)
{
    return (struct wal_options){.dir = dir, .segment_bytes = 1 << 20, .compress = true, .fsync = true, .free_min = 1,
                                .retention_hours = 24, .rewind_hours = 24};
}

#endif
