/* json.c: see json.h. */
#include "json.h"
#include "charset.h"
#include <stdio.h>

static void separate(struct json *json)
{
    if (json->comma) buf_u8(json->out, ',');
    json->comma = true;
}

void json_open(struct json *json, char bracket)
{
    separate(json);
    buf_u8(json->out, (uint8_t)bracket);
    json->comma = false;
}

void json_close(struct json *json, char bracket)
{
    buf_u8(json->out, (uint8_t)bracket);
    json->comma = true;
}

static bool needs_escape(uint8_t c) { return c < 0x20 || c == '"' || c == '\\' || c == 0x7f; }

static void put_escape(struct buf *out, uint8_t c)
{
    static const char hex[] = "0123456789abcdef";
    static const char letters[] = "btn\0fr"; /* for 08 … 0d; 0b has none */
    char text[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
    bool has_letter = c >= 0x08 && c <= 0x0d && letters[c - 0x08];
    if (c == '"' || c == '\\') text[1] = (char)c;
    else if (has_letter) text[1] = letters[c - 0x08];
    buf_put(out, text, c == '"' || c == '\\' || has_letter ? 2 : 6);
}

static void put_quoted(struct buf *out, struct slice text)
{
    buf_u8(out, '"');
    size_t from = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (!needs_escape(text.data[i])) continue;
        buf_put(out, text.data + from, i - from);
        put_escape(out, text.data[i]);
        from = i + 1;
    }
    if (from < text.size) buf_put(out, text.data + from, text.size - from);
    buf_u8(out, '"');
}

void json_name_slice(struct json *json, struct slice name)
{
    separate(json);
    put_quoted(json->out, name);
    buf_u8(json->out, ':');
    json->comma = false;
}

void json_name(struct json *json, const char *name) { json_name_slice(json, slice_text(name)); }

void json_text(struct json *json, struct slice text)
{
    separate(json);
    put_quoted(json->out, text);
}

void json_string(struct json *json, const char *text)
{
    if (text) json_text(json, slice_text(text));
    else json_null(json);
}

void json_raw(struct json *json, struct slice text)
{
    separate(json);
    buf_slice(json->out, text);
}

void json_unsigned(struct json *json, uint64_t value)
{
    char text[24], *at = text + sizeof text;
    do *--at = (char)('0' + value % 10);
    while (value /= 10);
    json_raw(json, slice_of(at, (size_t)(text + sizeof text - at)));
}

void json_signed(struct json *json, int64_t value)
{
    if (value >= 0) {
        json_unsigned(json, (uint64_t)value);
        return;
    }
    separate(json);
    buf_u8(json->out, '-');
    json->comma = false;
    json_unsigned(json, 0 - (uint64_t)value);
}

void json_bool(struct json *json, bool value) { json_raw(json, slice_text(value ? "true" : "false")); }
void json_null(struct json *json) { json_raw(json, slice_text("null")); }

static void put_base64(struct buf *out, struct slice bytes)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t size = (bytes.size + 2) / 3 * 4;
    uint8_t *to = buf_reserve(out, size);
    if (!to) return;
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i;
        uint32_t v = (uint32_t)bytes.data[i] << 16;
        if (left > 1) v |= (uint32_t)bytes.data[i + 1] << 8;
        if (left > 2) v |= bytes.data[i + 2];
        *to++ = (uint8_t)digits[v >> 18];
        *to++ = (uint8_t)digits[v >> 12 & 63];
        *to++ = (uint8_t)(left > 1 ? digits[v >> 6 & 63] : '=');
        *to++ = (uint8_t)(left > 2 ? digits[v & 63] : '=');
    }
    out->size += size;
}

void json_base64(struct json *json, struct slice bytes)
{
    separate(json);
    buf_text(json->out, "{\"base64\":\"");
    put_base64(json->out, bytes);
    buf_text(json->out, "\"}");
}

/* ---- json_compact: one pass, no recursion; `nest` holds one bit per open bracket, 1 = object ---- */

struct scan {
    const uint8_t *at, *end;
    struct buf *out;
    uint32_t depth;
    uint8_t nest[JSON_DEPTH_MAX / 8];
};

static void skip_space(struct scan *scan)
{
    while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\n' || *scan->at == '\r')) scan->at++;
}

static bool is_digit(const struct scan *scan) { return scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9'; }

static bool scan_digits(struct scan *scan)
{
    if (!is_digit(scan)) return false;
    while (is_digit(scan)) scan->at++;
    return true;
}

static bool scan_one_of(struct scan *scan, const char *set)
{
    if (scan->at == scan->end || *scan->at == 0 || !strchr(set, *scan->at)) return false;
    scan->at++;
    return true;
}

static bool scan_number(struct scan *scan)
{
    scan_one_of(scan, "-");
    if (!scan_one_of(scan, "0") && !scan_digits(scan)) return false;
    if (scan_one_of(scan, ".") && !scan_digits(scan)) return false;
    if (!scan_one_of(scan, "eE")) return true;
    scan_one_of(scan, "+-");
    return scan_digits(scan);
}

static bool scan_escape(struct scan *scan)
{
    if (scan_one_of(scan, "\"\\/bfnrt")) return true;
    if (!scan_one_of(scan, "u")) return false;
    for (int i = 0; i < 4; i++)
        if (!scan_one_of(scan, "0123456789abcdefABCDEF")) return false;
    return true;
}

static bool scan_string(struct scan *scan)
{
    if (!scan_one_of(scan, "\"")) return false;
    while (scan->at < scan->end) {
        uint8_t c = *scan->at++;
        if (c == '"') return true;
        if (c < 0x20 || (c == '\\' && !scan_escape(scan))) return false;
    }
    return false;
}

static bool scan_word(struct scan *scan, const char *word)
{
    size_t size = strlen(word);
    if ((size_t)(scan->end - scan->at) < size || memcmp(scan->at, word, size) != 0) return false;
    scan->at += size;
    return true;
}

static bool scan_scalar(struct scan *scan)
{
    const uint8_t *from = scan->at;
    bool ok = *from == '"' ? scan_string(scan)
            : *from == 't' ? scan_word(scan, "true")
            : *from == 'f' ? scan_word(scan, "false")
            : *from == 'n' ? scan_word(scan, "null")
                           : scan_number(scan);
    if (ok) buf_put(scan->out, from, (size_t)(scan->at - from));
    return ok;
}

/* Takes the byte if it is next, and copies it. */
static bool scan_mark(struct scan *scan, char mark)
{
    skip_space(scan);
    if (scan->at == scan->end || *scan->at != mark) return false;
    buf_u8(scan->out, *scan->at++);
    return true;
}

static bool in_object(const struct scan *scan)
{
    uint32_t i = scan->depth - 1;
    return scan->nest[i / 8] >> (i % 8) & 1;
}

static bool scan_name(struct scan *scan)
{
    skip_space(scan);
    const uint8_t *from = scan->at;
    if (!scan_string(scan)) return false;
    buf_put(scan->out, from, (size_t)(scan->at - from));
    return scan_mark(scan, ':');
}

/* A bracket that opens: *opened true, and the place is before its first value. An empty one is a whole value. */
static bool scan_value(struct scan *scan, bool *opened)
{
    skip_space(scan);
    *opened = false;
    if (scan->at == scan->end) return false;
    bool object = *scan->at == '{';
    if (!object && *scan->at != '[') return scan_scalar(scan);
    buf_u8(scan->out, *scan->at++);
    if (scan_mark(scan, object ? '}' : ']')) return true;
    if (scan->depth == JSON_DEPTH_MAX) return false;
    uint8_t bit = (uint8_t)(1u << scan->depth % 8), *byte = &scan->nest[scan->depth++ / 8];
    *byte = (uint8_t)(object ? *byte | bit : *byte & ~bit);
    *opened = true;
    return true;
}

static bool scan_document(struct scan *scan)
{
    for (;;) {
        bool opened;
        if (scan->depth && in_object(scan) && !scan_name(scan)) return false;
        if (!scan_value(scan, &opened)) return false;
        if (opened) continue;
        while (scan->depth && scan_mark(scan, in_object(scan) ? '}' : ']')) scan->depth--;
        if (!scan->depth) break;
        if (!scan_mark(scan, ',')) return false;
    }
    skip_space(scan);
    return scan->at == scan->end;
}

bool json_compact(struct slice text, struct buf *out)
{
    struct scan scan = {.at = text.data, .end = slice_end(text), .out = out};
    size_t before = out->size;
    if (charset_is_utf8(text) && scan_document(&scan)) return true;
    out->size = before;
    return false;
}
