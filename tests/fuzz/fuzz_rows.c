/* fuzz_rows.c: u2 length and a TABLE_MAP's body behind its id, then a type byte (0x80: of MySQL) and a rows event's body: every row must fit. */
#include <assert.h>

#include "rows.h"
#include "types.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const struct table *table, struct slice body, uint8_t type)
{
    static const uint8_t kinds[] = {23, 24, 25, 30, 31, 32, 166, 167, 168, 39};
    static struct value values[COLUMN_COUNT_MAX];
    static struct unpack *unpack;
    static struct layout *layout;
    struct event event = {.type = kinds[(type & 0x7f) % sizeof kinds], .body = body};
    struct event_format format = event_format_default(true, false);
    struct rows_head head;
    struct rows rows;
    struct change change = {0};
    struct err err = {0};
    if (!unpack) unpack = unpack_new();
    if (!layout) layout = layout_new();
    if (!rows_head(&event, &format, &head, &err) || !rows_open(&head, table, unpack, layout, &rows, &err)) {
        assert(err.text[0]);
        return;
    }
    while (rows_next(&rows, &change, &err)) {
        if (rows.kind != CHANGE_INSERT) assert(row_values(table, &change.before, values));
        if (rows.kind != CHANGE_DELETE) assert(row_values(table, &change.after, values));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cursor in = cursor_of(slice_of(data, size));
    struct slice map = cursor_bytes(&in, cursor_u16(&in));
    struct types_head head;
    struct table draft, *table = NULL;
    struct arena arena;
    const char *reason;
    uint8_t type = cursor_u8(&in);
    arena_init(&arena);
    if (types_head(map, &head, NULL) && types_draft(&head, !(type & 0x80), &arena, &draft, NULL)) table = table_new(&draft, 1, &reason);
    if (table) walk(table, cursor_rest(&in), type);
    table_free(table);
    arena_fini(&arena);
    return 0;
}
