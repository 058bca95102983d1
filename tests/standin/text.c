/* text.c: see text.h. */
#include "text.h"

#include <ctype.h>
#include <stddef.h>

static const char *const writing[] = {"CREATE", "ALTER", "DROP", "RENAME", "TRUNCATE", "INSERT", "UPDATE", "DELETE", "REPLACE",
                                      "LOAD", "CALL", "GRANT", "REVOKE", "START", "BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT",
                                      "ANALYZE", "OPTIMIZE", "REPAIR", "FLUSH"};

static struct slice from(struct slice text, size_t n) { return n < text.size ? slice_of(text.data + n, text.size - n) : slice_of("", 0); }
static bool starts(struct slice text, const char *with) { return text.size >= strlen(with) && !memcmp(text.data, with, strlen(with)); }

/* The size of the sequence at the text's start, 0 when it is none. */
static size_t utf8_size(struct slice text)
{
    static const struct { uint8_t mask, is, size; uint32_t least; } kinds[] = {
        {0x80, 0x00, 1, 0}, {0xe0, 0xc0, 2, 0x80}, {0xf0, 0xe0, 3, 0x800}, {0xf8, 0xf0, 4, 0x10000}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if ((text.data[0] & kinds[i].mask) != kinds[i].is) continue;
        uint32_t code = text.data[0] & (uint8_t)~kinds[i].mask;
        if (text.size < kinds[i].size) return 0;
        for (size_t n = 1; n < kinds[i].size; n++) {
            if ((text.data[n] & 0xc0) != 0x80) return 0;
            code = code << 6 | (text.data[n] & 0x3f);
        }
        return code >= kinds[i].least && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? kinds[i].size : 0;
    }
    return 0;
}

bool text_utf8(struct slice text)
{
    while (text.size) {
        size_t n = utf8_size(text);
        if (!n) return false;
        text = from(text, n);
    }
    return true;
}

static size_t until(struct slice text, size_t at, const char *end)
{
    size_t n = strlen(end);
    for (; at + n <= text.size; at++)
        if (!memcmp(text.data + at, end, n)) return at + n;
    return text.size;
}

/* The size of the comment that the text starts with, 0 when it starts with none. */
static size_t comment_size(struct slice text)
{
    if (starts(text, "/*")) return until(text, 2, "*/");
    if (starts(text, "--") || starts(text, "#")) return until(text, 1, "\n");
    return 0;
}

static struct slice bare(struct slice text)
{
    while (text.size) {
        size_t n = isspace(text.data[0]) ? 1 : comment_size(text);
        if (!n) return text;
        text = from(text, n);
    }
    return text;
}

static bool begins_bare(struct slice text, const char *word)
{
    size_t n = strlen(word);
    if (text.size < n) return false;
    for (size_t i = 0; i < n; i++)
        if (toupper(text.data[i]) != word[i]) return false;
    return true;
}

bool text_writes(struct slice sql)
{
    sql = bare(sql);
    for (size_t i = 0; i < sizeof writing / sizeof *writing; i++)
        if (begins_bare(sql, writing[i])) return true;
    return false;
}

bool text_begins(struct slice sql, const char *words)
{
    sql = bare(sql);
    while (*words) {
        size_t n = strcspn(words, " ");
        char word[32] = "";
        if (n >= sizeof word) return false;
        memcpy(word, words, n);
        if (!begins_bare(sql, word) || (sql.size > n && (isalnum(sql.data[n]) || sql.data[n] == '_'))) return false;
        sql = bare(from(sql, n));
        words += n + (words[n] == ' ');
    }
    return true;
}

static size_t quoted_size(struct slice text)
{
    uint8_t quote = text.data[0];
    for (size_t i = 1; i < text.size; i++) {
        if (text.data[i] == '\\' && quote != '`') i++;
        else if (text.data[i] == quote) return i + 1; /* a doubled quote begins the next text, which is as good */
    }
    return text.size;
}

static size_t statement_size(struct slice text)
{
    for (size_t at = 0; at < text.size;) {
        uint8_t c = text.data[at];
        size_t comment = comment_size(from(text, at));
        if (c == ';') return at;
        if (comment) at += comment;
        else if (c == '\'' || c == '"' || c == '`') at += quoted_size(from(text, at));
        else at++;
    }
    return text.size;
}

bool text_next(struct slice *in, struct slice *statement)
{
    while (in->size) {
        size_t n = statement_size(*in);
        *statement = slice_of(in->data, n);
        *in = from(*in, n + 1);
        if (bare(*statement).size) return true;
    }
    return false;
}
