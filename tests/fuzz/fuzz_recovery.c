/*
 * fuzz_recovery.c: any bytes as a log. First byte 0: the rest is a segment file as it is (its header's CRC is made right, so
 * that the rest is reached). Else: the rest is the records of one block, in a segment that is right otherwise. It is verified,
 * read and opened for writing: each accepts it or refuses with a text; and what verify accepts, a reader reads to its end.
 */
#include <assert.h>
#include <stdlib.h>

#include "../crash/memory.h"
#include "block.h"
#include "inspect.h"
#include "log.h"
#include "reader.h"
#include "segment.h"

enum { INPUT_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_file(const struct file_system *files, const uint8_t *bytes, size_t size)
{
    struct file file = {0};
    struct err err;
    bool ok = file_open(&file, files, "d/wal-0000000000000001.open", FILE_WRITE | FILE_CREATE, &err) &&
              file_write(&file, bytes, size, 0, &err) && file_sync(&file, &err) && file_sync_dir(files, "d", &err);
    assert(ok);
    file_close(&file);
}

/* A segment with one block around the records; their count is whatever record_take finds. */
static size_t wrap(const uint8_t *data, size_t size, uint8_t *out)
{
    struct segment_header header = {.first_lsn = 1, .resume = {.empty = true}};
    struct block block = {.flags = BLOCK_TABLES, .first_lsn = 1, .end_kind = 7};
    struct buf packed;
    struct cursor in = cursor_of(slice_of(data, size));
    segment_header_encode(&header, out);
    while (!in.failed && cursor_left(&in)) {
        uint64_t n = cursor_varint(&in);
        if (n > cursor_left(&in)) break;
        struct slice record = cursor_bytes(&in, (size_t)n);
        block.records++;
        block.commits += record.size && record.data[0] == 7;
    }
    block.before = header.seed;
    buf_init(&packed, INPUT_MAX + BLOCK_HEADER);
    block_pack(&block, slice_of(data, size), false, &packed);
    block_encode(&block, header.seed, out + SEGMENT_HEADER);
    if (packed.size) memcpy(out + SEGMENT_HEADER + BLOCK_HEADER, packed.data, packed.size);
    size_t total = SEGMENT_HEADER + BLOCK_HEADER + packed.size;
    buf_fini(&packed);
    return total;
}

static size_t as_file(const uint8_t *data, size_t size, uint8_t *out)
{
    memcpy(out, data, size);
    if (size < SEGMENT_HEADER) return size;
    uint32_t crc = crc32c(0, out, SEGMENT_HEADER - 4);
    memcpy(out + SEGMENT_HEADER - 4, &crc, 4);
    return size;
}

static void read_all(const struct file_system *files, bool verified)
{
    struct wal_reader *reader;
    struct change change;
    struct err err = {0};
    enum wal_read read;
    if (!wal_reader_open_files(files, "d", 0, &reader, &err)) {
        assert(err.text[0] && !verified);
        return;
    }
    while ((read = wal_reader_next(reader, 0, &change, &err)) == WAL_READ_CHANGE) {}
    assert(read == WAL_READ_END || (read == WAL_READ_FAILED && err.text[0]));
    assert(!verified || read == WAL_READ_END);
    wal_reader_close(reader);
}

static void open_it(const struct file_system *files)
{
    struct wal_options options = {.dir = "d", .segment_bytes = 1 << 16, .free_min = 1, .files = files};
    struct wal_resume *resume = calloc(1, sizeof *resume);
    struct wal *wal;
    struct err err = {0};
    if (!resume) abort();
    if (wal_open(&options, NULL, &wal, resume, &err)) wal_close(wal);
    else assert(err.text[0]);
    free(resume);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wal_info info;
    struct err err = {0};
    if (size < 1 || size > INPUT_MAX) return 0;
    log_init(LOG_LEVEL_ERROR, LOG_FORMAT_TEXT);
    struct memory *memory = memory_new(1);
    const struct file_system *files = memory_files(memory);
    uint8_t *bytes = malloc(size + SEGMENT_HEADER + BLOCK_HEADER);
    if (!bytes) abort();
    write_file(files, bytes, data[0] ? wrap(data + 1, size - 1, bytes) : as_file(data + 1, size - 1, bytes));
    free(bytes);
    bool verified = wal_verify_files(files, "d", NULL, NULL, &info, &err);
    assert(verified || err.text[0]);
    read_all(files, verified);
    open_it(files);
    memory_free(memory);
    return 0;
}
