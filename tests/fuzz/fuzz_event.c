/*
 * fuzz_event.c: any bytes as a stream of events: u2 length and a raw event, again and again. The first byte says how: bit 0 the
 * flavour, bit 1 checksums (unverified, so that damage gets behind them). Every change given out must fit its table.
 */
#include <assert.h>
#include <stdlib.h>

#include "cursor.h"
#include "decoder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct shape { bool open; uint64_t changes; };

static bool take(void *context, const struct change *change, struct err *err)
{
    static struct value values[COLUMN_COUNT_MAX];
    struct shape *shape = context;
    (void)err;
    switch (change->kind) {
    case CHANGE_BEGIN:
        assert(!shape->open);
        shape->open = true;
        shape->changes = 0;
        return true;
    case CHANGE_COMMIT: assert(change->commit->rows == shape->changes); /* fall through */
    case CHANGE_ABORT:
        assert(shape->open);
        shape->open = false;
        return true;
    case CHANGE_STATEMENT: assert(change->statement->kind > 0 && change->statement->kind < STATEMENT_KINDS); break;
    case CHANGE_INSERT: assert(row_values(change->table, &change->after, values)); break;
    case CHANGE_UPDATE: assert(row_values(change->table, &change->after, values)); /* fall through */
    default: assert(row_values(change->table, &change->before, values)); break;
    }
    assert(shape->open);
    shape->changes++;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor in = cursor_of(slice_of(data, size));
    struct shape shape = {0};
    uint8_t how = cursor_u8(&in);
    struct decoder_options options = {.mariadb = how & 1, .checksum = how & 2, .emit = take, .context = &shape};
    struct source_pos pos = {.offset = 4, .file = "fuzz"};
    struct decoder *decoder = decoder_new(&options, &pos);
    struct err err = {0};
    enum decoder_note note;
    while (cursor_left(&in)) {
        struct slice event = cursor_bytes(&in, cursor_u16(&in));
        if (in.failed) break;
        if (!decoder_event(decoder, event, &note, &err)) {
            assert(err.code != ERR_NONE && err.text[0]);
            break;
        }
        assert(decoder_in_transaction(decoder) || !shape.open); /* a GTID of MySQL is not given out before what follows it */
    }
    assert(decoder_cut(decoder, &err) && !shape.open);
    decoder_free(decoder);
    return 0;
}
