/*
 * http_answer.c: an answer's meaning, from its status and its body, and where a redirect may lead. The body is checked as JSON first
 * (json_compact), then walked; a number is looked at as text, for no LSN above 2^53 survives a double.
 */
#include <ctype.h>
#include <stdio.h>
#include <strings.h>

#include "cursor.h"
#include "http.h"
#include "json.h"

static uint8_t peek(const struct cursor *c) { return cursor_left(c) ? *c->at : 0; }

static void skip_string(struct cursor *c)
{
    cursor_u8(c);
    for (uint8_t b; (b = cursor_u8(c)) != '"' && !c->failed;)
        if (b == '\\') cursor_u8(c);
}

static struct slice take_value(struct cursor *c)
{
    const uint8_t *from = c->at;
    unsigned depth = 0;
    do {
        uint8_t b = peek(c);
        if (b == '"') {
            skip_string(c);
            continue;
        }
        if (!depth && (b == ',' || b == '}' || b == ']')) break;
        if (b == '{' || b == '[') depth++;
        if (b == '}' || b == ']') depth--;
        cursor_u8(c);
    } while (!c->failed && cursor_left(c));
    return slice_of(from, (size_t)(c->at - from));
}

/* A member of a compacted object; size 0: there is none. */
static struct slice member(struct slice object, const char *name)
{
    struct cursor c = cursor_of(object);
    if (cursor_u8(&c) != '{') return (struct slice){NULL, 0};
    while (peek(&c) == '"' && !c.failed) {
        const uint8_t *from = c.at + 1;
        skip_string(&c);
        struct slice key = slice_of(from, (size_t)(c.at - from) - 1);
        cursor_u8(&c); /* : */
        struct slice value = take_value(&c);
        if (slice_is(key, name)) return value;
        if (peek(&c) == ',') cursor_u8(&c);
    }
    return (struct slice){NULL, 0};
}

static struct slice unquoted(struct slice text)
{
    return text.size >= 2 && text.data[0] == '"' ? slice_of(text.data + 1, text.size - 2) : text;
}

static bool read_lsn(struct slice text, uint64_t *lsn)
{
    uint64_t value = 0;
    for (size_t i = 0; i < text.size; i++) {
        unsigned digit = (unsigned)text.data[i] - '0';
        if (digit > 9 || __builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, digit, &value)) return false;
    }
    *lsn = value;
    return text.size > 0;
}

static int printable(struct slice text, char *out, size_t room)
{
    size_t n = text.size < room - 1 ? text.size : room - 1;
    for (size_t i = 0; i < n; i++) out[i] = text.data[i] >= 0x20 && text.data[i] < 0x7f ? (char)text.data[i] : '?';
    out[n] = 0;
    return (int)n;
}

/* ---- judging ---- */

static const struct { short status; const char *code; enum http_fate fate; } fates[] = { /* the first that fits */
    {503, NULL, HTTP_AGAIN},  {502, NULL, HTTP_AGAIN},   {504, NULL, HTTP_AGAIN},   {408, NULL, HTTP_AGAIN},   {425, NULL, HTTP_AGAIN},
    {429, NULL, HTTP_AGAIN},  {500, "ROUTING_ERROR", HTTP_AGAIN}, {500, "NO_LEADER", HTTP_AGAIN}, {500, "FORWARD_ERROR", HTTP_AGAIN},
    {500, NULL, HTTP_FAILED}, {507, NULL, HTTP_FAILED},  {413, NULL, HTTP_TOO_LARGE}, {401, NULL, HTTP_DENIED}, {403, NULL, HTTP_DENIED},
    {407, NULL, HTTP_DENIED}, {400, NULL, HTTP_REFUSED}, {409, NULL, HTTP_REFUSED}, {412, NULL, HTTP_REFUSED}, {422, NULL, HTTP_REFUSED},
    {301, NULL, HTTP_MOVED},  {302, NULL, HTTP_MOVED},   {303, NULL, HTTP_MOVED},   {307, NULL, HTTP_MOVED},   {308, NULL, HTTP_MOVED},
};

static enum http_fate fate_of(long status, struct slice code)
{
    for (size_t i = 0; i < sizeof fates / sizeof *fates; i++)
        if (fates[i].status == status && (!fates[i].code || slice_is(code, fates[i].code))) return fates[i].fate;
    return HTTP_WRONG;
}

static void tell(struct http_answer *answer, long status, struct slice said)
{
    char text[300];
    printable(said, text, sizeof text);
    snprintf(answer->text, sizeof answer->text, "%ld%s%s", status, *text ? ": " : "", text);
}

static enum http_fate judge_success(long status, struct slice object, struct http_answer *answer)
{
    struct slice lsn = member(object, "lsn"), success = member(object, "success"), message = member(object, "message");
    if (slice_is(success, "false")) {
        tell(answer, status, message.size ? unquoted(message) : object);
        return HTTP_REFUSED;
    }
    if (slice_is(success, "true") && read_lsn(lsn, &answer->lsn)) return HTTP_STORED;
    char text[120];
    printable(lsn.size ? lsn : object, text, sizeof text);
    if (slice_is(success, "true") && lsn.size) snprintf(answer->text, sizeof answer->text, "success, but an lsn that is no number up to 2^64-1: %s", text);
    else snprintf(answer->text, sizeof answer->text, "%ld with neither success nor an lsn: %s", status, text);
    return HTTP_WRONG;
}

enum http_fate http_answer_read(long status, struct slice body, struct http_answer *answer)
{
    struct buf compact;
    *answer = (struct http_answer){0};
    buf_init(&compact, HTTP_ANSWER_MAX);
    bool is_json = json_compact(body, &compact);
    struct slice object = is_json ? buf_bytes(&compact) : (struct slice){NULL, 0};
    enum http_fate fate;
    if (status >= 200 && status < 300 && is_json) {
        fate = judge_success(status, object, answer);
    } else if (status >= 200 && status < 300) {
        char text[80];
        printable(body, text, sizeof text);
        snprintf(answer->text, sizeof answer->text, "%ld, but no JSON: %s", status, *text ? text : "nothing");
        fate = HTTP_WRONG;
    } else {
        struct slice said = member(object, "error"), code = unquoted(member(object, "code"));
        if (!said.size) said = member(object, "message");
        tell(answer, status, said.size ? unquoted(said) : is_json ? object : slice_of(body.data, body.size < 80 ? body.size : 80));
        if (code.size) {
            size_t n = strlen(answer->text);
            char text[40];
            printable(code, text, sizeof text);
            snprintf(answer->text + n, sizeof answer->text - n, " (%s)", text);
        }
        fate = fate_of(status, code);
    }
    buf_fini(&compact);
    return fate;
}

/* ---- redirects ---- */

static bool is_https(const char *url) { return strncasecmp(url, "https://", 8) == 0; }

static bool is_known(const struct strings *known, const char *base)
{
    for (size_t i = 0; i < known->count; i++) {
        size_t size = strlen(known->items[i]);
        while (size && known->items[i][size - 1] == '/') size--;
        if (size == strlen(base) && strncasecmp(known->items[i], base, size) == 0) return true;
    }
    return false;
}

bool http_answer_moved(const struct strings *known, const char *from, const char *to, const char *path, bool secret, char base[HTTP_URL_MAX],
                       const char **reason)
{
    size_t size = to ? strlen(to) : 0, tail = strlen(path);
    *reason = NULL;
    if (!size) *reason = "it does not say where";
    else if (size >= HTTP_URL_MAX || (!is_https(to) && strncasecmp(to, "http://", 7) != 0)) *reason = "that is no address of http or https";
    else if (size <= tail || strcmp(to + size - tail, path) != 0) *reason = "that is another path";
    else if (is_https(from) && !is_https(to)) *reason = "that would leave TLS";
    if (*reason) return false;
    snprintf(base, HTTP_URL_MAX, "%.*s", (int)(size - tail), to);
    if (secret && !is_known(known, base)) *reason = "the token is for the addresses in url only, and this is none of them";
    return !*reason;
}
