/* token.c: see token.h. */
#include "token.h"

#include <strings.h>

#include "charset.h"

enum { MODE_ANSI_QUOTES = 1 << 2, MODE_NO_BACKSLASH_ESCAPES = 1 << 20 };

static uint8_t lead_gbk(uint8_t byte) { return byte >= 0x81 && byte <= 0xfe; }
static uint8_t lead_sjis(uint8_t byte) { return (byte >= 0x81 && byte <= 0x9f) || (byte >= 0xe0 && byte <= 0xfc); }

/* Character sets whose second byte can be a backslash, a backtick or a letter. */
static const struct { const char *name; uint8_t (*lead)(uint8_t byte); } leads[] = {
    {"gbk", lead_gbk}, {"gb18030", lead_gbk}, {"big5", lead_gbk}, {"sjis", lead_sjis}, {"cp932", lead_sjis},
};

struct tokens tokens_of(struct slice text, const struct ddl_session *session)
{
    struct tokens t = {.at = text.data, .end = slice_end(text), .version = session->version, .mysql = session->mysql,
                       .ansi_quotes = session->sql_mode & MODE_ANSI_QUOTES,
                       .no_backslash = session->sql_mode & MODE_NO_BACKSLASH_ESCAPES};
    const char *charset = charset_name(session->charset_client);
    for (size_t i = 0; charset && i < sizeof leads / sizeof *leads; i++)
        if (!strcmp(leads[i].name, charset)) t.lead = leads[i].lead;
    tokens_next(&t);
    return t;
}

static bool is_space(uint8_t c) { return c == ' ' || (c >= 9 && c <= 13); }
static bool is_digit(uint8_t c) { return c >= '0' && c <= '9'; }
static bool is_word(uint8_t c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' || c >= 0x80; }

static uint8_t peek(const struct tokens *t, size_t n) { return (size_t)(t->end - t->at) > n ? t->at[n] : 0; }

/* One character, of two bytes where the charset says so. */
static void step(struct tokens *t) { t->at += t->lead && t->lead(*t->at) && t->end - t->at > 1 ? 2 : 1; }

static void skip_line(struct tokens *t)
{
    while (t->at < t->end && *t->at != '\n') t->at++;
}

static void skip_comment(struct tokens *t)
{
    t->at += 2;
    for (unsigned depth = 1; t->at < t->end && depth;) {
        if (peek(t, 0) == '*' && peek(t, 1) == '/') depth--;
        else if (peek(t, 0) == '/' && peek(t, 1) == '*') depth++; /* MariaDB nests them inside ones it does not execute */
        else {
            step(t);
            continue;
        }
        t->at += 2;
    }
}

static void skip_plain_comment(struct tokens *t)
{
    t->at += 2;
    while (t->at < t->end && !(peek(t, 0) == '*' && peek(t, 1) == '/')) step(t);
    t->at = t->end - t->at >= 2 ? t->at + 2 : t->end;
}

/* Stands on slash-star-bang (or M-bang): steps inside if the server executed it, else over it. MariaDB leaves out what MySQL
   5.7 and later marked for themselves. To MySQL, what MariaDB marked for itself is a plain comment. */
static void enter_comment(struct tokens *t, bool for_mariadb)
{
    const uint8_t *at = t->at + (for_mariadb ? 4 : 3);
    uint32_t version = 0;
    unsigned digits = 0;
    for (; at < t->end && is_digit(*at) && digits < 6; digits++) version = version * 10 + (*at++ - '0');
    if (digits < 5) version = 0;
    bool mysql_only = !for_mariadb && !t->mysql && version >= 50700 && version <= 99999;
    if (mysql_only || (t->version && version > t->version)) {
        skip_comment(t);
        return;
    }
    if (digits >= 5) t->at = at;
    else t->at += for_mariadb ? 4 : 3;
    t->depth++;
}

/* Steps over one piece of white space or comment; false if there is none. */
static bool skip_gap(struct tokens *t)
{
    uint8_t c = peek(t, 0), d = peek(t, 1);
    if (t->at >= t->end) return false;
    if (is_space(c)) t->at++;
    else if (c == '#') skip_line(t);
    else if (c == '-' && d == '-' && (t->end - t->at == 2 || is_space(t->at[2]) || t->at[2] < ' ')) skip_line(t);
    else if (c == '/' && d == '*' && peek(t, 2) == '!') enter_comment(t, false);
    else if (c == '/' && d == '*' && peek(t, 2) == 'M' && peek(t, 3) == '!' && !t->mysql) enter_comment(t, true);
    else if (c == '/' && d == '*') skip_plain_comment(t);
    else if (c == '*' && d == '/' && t->depth) {
        t->depth--;
        t->at += 2;
    } else return false;
    return true;
}

static void take_quoted(struct tokens *t)
{
    uint8_t quote = *t->at++;
    const uint8_t *start = t->at;
    bool name = quote == '`' || (quote == '"' && t->ansi_quotes);
    while (t->at < t->end) {
        if (*t->at == '\\' && !name && !t->no_backslash && t->end - t->at > 1) {
            t->at++;
            step(t);
        } else if (*t->at != quote) {
            step(t);
        } else if (peek(t, 1) == quote) {
            t->at += 2;
        } else {
            break;
        }
    }
    t->now = (struct token){name ? TOKEN_NAME : TOKEN_STRING, quote, {start, (size_t)(t->at - start)}};
    if (t->at < t->end) t->at++;
}

void tokens_next(struct tokens *t)
{
    while (skip_gap(t)) continue;
    const uint8_t *start = t->at;
    t->now = (struct token){.kind = TOKEN_END, .text = {t->end, 0}};
    if (t->at >= t->end) return;
    if (*t->at == '\'' || *t->at == '"' || *t->at == '`') {
        take_quoted(t);
        return;
    }
    bool word = is_word(*t->at);
    if (word)
        while (t->at < t->end && is_word(*t->at)) step(t);
    else
        t->at++;
    t->now = (struct token){word ? TOKEN_WORD : TOKEN_SIGN, 0, {start, (size_t)(t->at - start)}};
}

bool tokens_is(const struct tokens *t, const char *word)
{
    return t->now.kind == TOKEN_WORD && t->now.text.size == strlen(word) &&
           !strncasecmp((const char *)t->now.text.data, word, t->now.text.size);
}

bool tokens_is_sign(const struct tokens *t, char sign) { return t->now.kind == TOKEN_SIGN && t->now.text.data[0] == (uint8_t)sign; }

bool tokens_skip(struct tokens *t, const char *word)
{
    bool there = tokens_is(t, word);
    if (there) tokens_next(t);
    return there;
}

bool tokens_skip_sign(struct tokens *t, char sign)
{
    bool there = tokens_is_sign(t, sign);
    if (there) tokens_next(t);
    return there;
}
