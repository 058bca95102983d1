/* fuzz_binlog_file.c: any bytes as a saved binlog, read to its end and decoded as `wolfctl binlog decode` does. Each event lies inside the file, one behind the other. */
#include <assert.h>
#include <stdlib.h>

#include "binlog_file.h"
#include "decoder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool take(void *context, const struct change *change, struct err *err)
{
    (void)context, (void)change, (void)err;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct source_pos pos;
    struct decoder_options options = {.mariadb = true, .emit = take};
    struct binlog_file *file = NULL;
    struct err err = {0};
    struct slice event;
    enum decoder_note note;
    enum binlog_read read;
    uint64_t at = BINLOG_MAGIC;
    if (!size) return 0;
    FILE *in = fmemopen((void *)data, size, "rb");
    if (!in) abort();
    if (!binlog_file_of(in, "dir/binlog.000001", &file, &err)) {
        assert(err.text[0]);
        return 0;
    }
    struct decoder *decoder = decoder_new(&options, &pos);
    assert(decoder_file(decoder, binlog_file_name(file), &err));
    bool decodes = true;
    while ((read = binlog_file_next(file, &event, &err)) == BINLOG_EVENT) {
        assert(binlog_file_offset(file) == at && at + event.size <= size);
        at += event.size;
        decodes = decodes && decoder_event(decoder, event, &note, &err);
    }
    if (read == BINLOG_FAILED) assert(err.text[0]);
    else assert(read == BINLOG_TORN ? at < size : at == size);
    decoder_free(decoder);
    binlog_file_close(file);
    return 0;
}
