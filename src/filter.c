/* filter.c: see filter.h. */
#include "filter.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

struct pattern { struct slice database, table; };
struct patterns { size_t count; struct pattern *items; };
struct filter { struct arena arena; struct patterns include, exclude; };

static const char *const system_databases[] = {"mysql", "information_schema", "performance_schema", "sys", "wolfcdc"};

static bool is_system(struct slice database)
{
    for (size_t i = 0; i < sizeof system_databases / sizeof *system_databases; i++) {
        const char *name = system_databases[i];
        if (database.size == strlen(name) && !strncasecmp((const char *)database.data, name, database.size)) return true;
    }
    return false;
}

static int folded(int c, bool fold) { return fold ? tolower(c) : c; }

/* Iterative: a pattern from the outside must not cost exponential time. */
bool filter_matches(struct slice pattern, struct slice text, bool fold)
{
    size_t p = 0, t = 0, star = SIZE_MAX, mark = 0;
    while (t < text.size) {
        if (p < pattern.size && pattern.data[p] == '*') {
            star = p++;
            mark = t;
        } else if (p < pattern.size && (pattern.data[p] == '?' || folded(pattern.data[p], fold) == folded(text.data[t], fold))) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.size && pattern.data[p] == '*') p++;
    return p == pattern.size;
}

static bool any(const struct patterns *patterns, struct slice database, struct slice table)
{
    for (size_t i = 0; i < patterns->count; i++)
        if (filter_matches(patterns->items[i].database, database, false) && filter_matches(patterns->items[i].table, table, false)) return true;
    return false;
}

static bool compile(struct arena *arena, const char *key, const struct strings *from, struct patterns *to, struct err *err)
{
    if (from->count > PATTERNS_MAX)
        return err_set(err, ERR_CONFIG, "filter.%s: %zu patterns, allowed are %d", key, from->count, PATTERNS_MAX);
    to->items = arena_alloc(arena, (from->count + 1) * sizeof *to->items);
    for (size_t i = 0; i < from->count; i++) {
        struct slice text = arena_copy(arena, slice_text(from->items[i]));
        const uint8_t *dot = text.size ? memchr(text.data, '.', text.size) : NULL;
        if (!dot || dot == text.data || dot + 1 == text.data + text.size)
            return err_set(err, ERR_CONFIG, "filter.%s: '%s': expected \"database.table\", for example \"shop.*\"", key,
                           from->items[i]);
        size_t at = (size_t)(dot - text.data);
        to->items[to->count++] = (struct pattern){{text.data, at}, {dot + 1, text.size - at - 1}};
    }
    return true;
}

bool filter_new(const struct strings *include, const struct strings *exclude, struct filter **filter, struct err *err)
{
    struct filter *f = calloc(1, sizeof *f);
    if (!f) abort();
    arena_init(&f->arena);
    if (!compile(&f->arena, "include", include, &f->include, err) || !compile(&f->arena, "exclude", exclude, &f->exclude, err)) {
        filter_free(f);
        return false;
    }
    *filter = f;
    return true;
}

void filter_free(struct filter *filter)
{
    if (!filter) return;
    arena_fini(&filter->arena);
    free(filter);
}

bool filter_wants(const struct filter *filter, struct slice database, struct slice table)
{
    if (is_system(database)) return false;
    if (!filter) return true;
    if (filter->include.count && !any(&filter->include, database, table)) return false;
    return !any(&filter->exclude, database, table);
}
