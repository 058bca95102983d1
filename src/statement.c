/* statement.c: what change.h says about a statement: its tables, the name of its kind, and its text without secrets. */
#include <strings.h>

#include "change.h"

enum { REDACTED_MAX = 1024 };

bool statement_tables_next(struct cursor *in, struct slice *database, struct slice *table)
{
    if (in->failed || !cursor_left(in)) return false;
    *database = cursor_varint_bytes(in);
    *table = cursor_varint_bytes(in);
    return !in->failed;
}

const char *statement_kind_name(enum statement_kind kind)
{
    static const char *const names[STATEMENT_KINDS] = {
        [STATEMENT_DML] = "dml", [STATEMENT_CREATE_TABLE] = "create_table", [STATEMENT_ALTER_TABLE] = "alter_table",
        [STATEMENT_DROP_TABLE] = "drop_table", [STATEMENT_RENAME_TABLE] = "rename_table", [STATEMENT_TRUNCATE] = "truncate",
        [STATEMENT_CREATE_INDEX] = "create_index", [STATEMENT_DROP_INDEX] = "drop_index",
        [STATEMENT_CREATE_DATABASE] = "create_database", [STATEMENT_ALTER_DATABASE] = "alter_database",
        [STATEMENT_DROP_DATABASE] = "drop_database", [STATEMENT_VIEW] = "view", [STATEMENT_TRIGGER] = "trigger",
        [STATEMENT_EVENT] = "event", [STATEMENT_ROUTINE] = "routine", [STATEMENT_SEQUENCE] = "sequence",
        [STATEMENT_ACCOUNT] = "account", [STATEMENT_TABLE_ADMIN] = "table_admin", [STATEMENT_OTHER] = "other",
    };
    return kind > 0 && kind < STATEMENT_KINDS ? names[kind] : "unknown";
}

/* Words that a secret may follow. Anywhere in the text: a column of that name is as private. */
static const char *const secret_words[] = {"IDENTIFIED", "PASSWORD", "PASSWD", "CONNECTION", "OPTIONS", "SECRET", "CREDENTIAL",
                                           "TOKEN", "ENCRYPT", "DECRYPT", "ENCODE", "MASTER_", "PRIVATE", "AUTH"};

static size_t secret_from(struct slice text)
{
    for (size_t i = 0; i < text.size; i++)
        for (size_t w = 0; w < sizeof secret_words / sizeof *secret_words; w++) {
            size_t n = strlen(secret_words[w]);
            if (text.size - i >= n && !strncasecmp((const char *)text.data + i, secret_words[w], n)) return i + n;
        }
    return text.size;
}

/* What can begin a literal: a quote, or a number (0x… too). */
static bool begins_literal(uint8_t c) { return c == '\'' || c == '"' || (c >= '0' && c <= '9'); }

void statement_redact(struct slice text, struct buf *out)
{
    size_t end = secret_from(text);
    bool secret = end < text.size;
    /* everything from the first literal on, to its end: where a literal ends depends on charset and sql_mode */
    while (secret && end < text.size && !begins_literal(text.data[end])) end++;
    size_t shown = end < REDACTED_MAX ? end : REDACTED_MAX;
    if (shown < text.size)
        while (shown && (text.data[shown] & 0xc0) == 0x80) shown--;
    buf_put(out, text.data, shown);
    if (secret && end < text.size) buf_text(out, "<redacted>");
}
