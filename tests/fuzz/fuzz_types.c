/* fuzz_types.c: any bytes as a TABLE_MAP behind its table_id; what is accepted must make a table that encodes and decodes as the same. */
#include <assert.h>

#include "types.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(const struct table *draft)
{
    const char *reason;
    struct table *table = table_new(draft, 1, &reason);
    if (!table) {
        assert(reason);
        return;
    }
    struct table *again = table_decode(table->encoded, 2, &reason);
    assert(again && slice_equal(again->encoded, table->encoded));
    table_free(again);
    table_free(table);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct types_head head;
    struct table draft;
    struct arena arena;
    struct err err = {0};
    arena_init(&arena);
    if (types_head(slice_of(data, size), &head, &err) && types_draft(&head, size & 1, &arena, &draft, &err)) round_trip(&draft);
    else assert(err.text[0]);
    arena_fini(&arena);
    return 0;
}
