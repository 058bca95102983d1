/* fuzz_ddl.c: any bytes as a statement; the first two say sql_mode and charset. Its tables must read back, its text redact. */
#include <assert.h>

#include "ddl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint16_t charsets[] = {45, 8, 28, 13, 1, 95, 0, 33};
    static const uint64_t modes[] = {0, 4, 1 << 20, 4 | 1 << 20};
    struct ddl ddl;
    struct err err = {0};
    struct buf shown;
    if (size < 2) return 0;
    struct ddl_session session = {modes[data[0] % 4], charsets[data[1] % 8], 101119, (data[0] & 4) != 0};
    struct slice text = slice_of(data + 2, size - 2), database, table;
    ddl_init(&ddl);
    buf_init(&shown, 4096);
    if (ddl_parse(&ddl, text, &session, &err)) {
        struct cursor in = cursor_of(buf_bytes(&ddl.tables));
        while (statement_tables_next(&in, &database, &table)) continue;
        assert(!in.failed && !cursor_left(&in));
        assert((ddl.role == DDL_STATEMENT) == (ddl.kind != 0));
    } else {
        assert(err.text[0]);
    }
    statement_redact(text, &shown);
    assert(shown.size <= 1024 + 10);
    buf_fini(&shown);
    ddl_fini(&ddl);
    return 0;
}
