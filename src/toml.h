/*
 * toml.h: the C face of libtomlplusplus. A document is walked once: every section first, then its keys, each with its line.
 * Only what our configuration uses is told apart; dates, nested tables and the like come as TOML_OTHER.
 */
#ifndef WOLFCDC_TOML_H
#define WOLFCDC_TOML_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum toml_type { TOML_SECTION, TOML_STRING, TOML_INTEGER, TOML_BOOLEAN, TOML_STRINGS, TOML_TABLES, TOML_OTHER };

/* One key of a table in a list, or (key "") an element of that list that is no table. */
struct toml_field {
    size_t element;
    const char *key;
    enum toml_type type; /* STRING, INTEGER, BOOLEAN or OTHER */
    const char *text;
    int64_t integer;
};

struct toml_item { /* borrowed: valid during the call */
    const char *section;  /* "" for keys above the first section */
    size_t index;         /* which [[section]], 0 for [section] */
    bool repeated;        /* written as [[section]] */
    const char *key;      /* NULL for TOML_SECTION */
    enum toml_type type;
    const char *type_name; /* what a person calls it: "a date" */
    unsigned line;
    const char *text;     /* STRING; the others as written again, for messages */
    int64_t integer;      /* INTEGER; BOOLEAN: 0 or 1 */
    const char *const *items; /* STRINGS */
    size_t item_count;
    const struct toml_field *fields; /* TABLES: a list with a table in it, whose tables are flat; in the order of the file's elements */
    size_t field_count;
};
typedef void toml_item_fn(void *context, const struct toml_item *item);

/* False: not TOML; *line and message say where and why. Strings with a NUL byte come as TOML_OTHER. */
bool toml_walk(const char *text, size_t size, toml_item_fn *fn, void *context, unsigned *line, char *message, size_t room);

#ifdef __cplusplus
}
#endif
#endif
