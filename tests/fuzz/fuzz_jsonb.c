/* fuzz_jsonb.c: u2 length and a binary JSON document, then diffs of it: text comes out in bounded time and room, or a reason. */
#include <assert.h>

#include "cursor.h"
#include "jsonb.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { TEXT_MAX = 1 << 20 };
    struct cursor in = cursor_of(slice_of(data, size));
    struct slice document = cursor_bytes(&in, cursor_u16(&in));
    struct slice diffs = cursor_rest(&in);
    struct buf plain, patched;
    struct arena arena;
    struct err err = {0};
    arena_init(&arena);
    buf_init(&plain, TEXT_MAX);
    buf_init(&patched, TEXT_MAX);
    bool good = jsonb_text(document, &plain, &err);
    assert(good || err.text[0]);
    bool also = jsonb_patched(document, diffs, &arena, &patched, &err);
    assert(also || err.text[0]);
    if (!diffs.size) assert(good == also && (!good || slice_equal(buf_bytes(&plain), buf_bytes(&patched))));
    buf_fini(&patched);
    buf_fini(&plain);
    arena_fini(&arena);
    return 0;
}
