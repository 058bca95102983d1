/*
 * fuzz_definition.c: any bytes as a file of SQL, and as DDL statements (one a line) of the binary log on a table that is known. What is understood must print as
 * SQL that reads back as the same; the printed form of that is the same text.
 */
#include <assert.h>
#include <stdlib.h>

#include "definition.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct definition *d)
{
    struct catalog *again = catalog_new();
    struct buf once, twice;
    struct err err = {0};
    size_t count = 0;
    buf_init(&once, 1 << 26);
    buf_init(&twice, 1 << 26);
    definition_print(d, &once);
    bool good = catalog_read(again, buf_bytes(&once), NULL, d->origin, &count, &err);
    assert(good && count == 1);
    const struct definition *e = catalog_find(again, slice_text(d->database), slice_text(d->name));
    assert(e && definition_same(d, e));
    definition_print(e, &twice);
    assert(slice_equal(buf_bytes(&once), buf_bytes(&twice)));
    buf_fini(&once);
    buf_fini(&twice);
    catalog_free(again);
}

static void check_all(const struct catalog *catalog)
{
    const struct definition *d;
    for (size_t i = 0; (d = catalog_at(catalog, i)) && i < 4; i++) check(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char known[] = "CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(5), e ENUM('a'))";
    static const uint16_t charsets[] = {45, 8, 28, 13, 0};
    struct catalog *catalog = catalog_new();
    struct err err = {0};
    size_t count = 0;
    if (!size) return catalog_free(catalog), 0;
    bool file = data[0] & 1;
    struct slice text = slice_of(data + 1, size - 1);
    if (file && !catalog_read(catalog, text, "d", DEFINITION_FILE, &count, &err)) assert(err.text[0]);
    if (!file && !catalog_read(catalog, slice_text(known), "d", DEFINITION_FILE, &count, &err)) abort();
    while (!file && text.size) {
        const uint8_t *end = memchr(text.data, '\n', text.size);
        size_t line = end ? (size_t)(end - text.data) : text.size;
        struct statement s = {.kind = STATEMENT_ALTER_TABLE, .own_commit = true, .charset_client = charsets[data[0] / 2 % 5], .database = slice_text("d"),
                              .text = slice_of(text.data, line), .sql_mode = data[0] & 64 ? 4 : 0};
        catalog_statement(catalog, &s, 101119);
        text = slice_of(text.data + line + (end != NULL), text.size - line - (end != NULL));
    }
    check_all(catalog);
    catalog_free(catalog);
    return 0;
}
