/*
 * json.h: writing JSON onto a struct buf. Commas come by themselves; nesting is the caller's. Reading is cJSON's, but
 * for json_compact, which must not change a document's numbers.
 */
#ifndef WOLFCDC_JSON_H
#define WOLFCDC_JSON_H
#include "buf.h"

struct json {
    struct buf *out;
    bool comma; /* the next value or name needs one before it */
};

static inline struct json json_on(struct buf *out) { return (struct json){out, false}; }
void json_open(struct json *json, char bracket);  /* '{' or '[' */
void json_close(struct json *json, char bracket); /* '}' or ']' */
void json_name(struct json *json, const char *name);
void json_name_slice(struct json *json, struct slice name); /* UTF-8 */
/* UTF-8 text. Control characters, quote and backslash are escaped; everything else goes as it is. */
void json_text(struct json *json, struct slice text);
void json_string(struct json *json, const char *text); /* NULL: null */
void json_unsigned(struct json *json, uint64_t value);
void json_signed(struct json *json, int64_t value);
void json_bool(struct json *json, bool value);
void json_null(struct json *json);
/* Text that is JSON already: a number, a compacted document. */
void json_raw(struct json *json, struct slice text);
/* {"base64":"…"} */
void json_base64(struct json *json, struct slice bytes);

/* Copies a JSON document without the white space between its tokens, so that it fits in one line; every other byte stays
   as it was. False, with *out as before, when the text is not one JSON value in valid UTF-8 (nesting up to
   JSON_DEPTH_MAX). */
enum { JSON_DEPTH_MAX = 512 };
bool json_compact(struct slice text, struct buf *out);

#endif
