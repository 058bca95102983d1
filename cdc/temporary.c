/* temporary.c: see temporary.h. Few at a time, and looked at for flagged statements only: a plain list, names as hashes. */
#include "temporary.h"

#include <stdlib.h>
#include <string.h>

struct temporary { uint32_t server, thread; uint64_t name; };

struct temporaries {
    struct temporary *items;
    size_t count, room;
};

struct temporaries *temporaries_new(void)
{
    struct temporaries *t = calloc(1, sizeof *t);
    if (!t) abort();
    return t;
}

void temporaries_free(struct temporaries *t)
{
    if (!t) return;
    free(t->items);
    free(t);
}

void temporaries_clear(struct temporaries *t) { t->count = 0; }

static uint64_t add(uint64_t hash, struct slice s)
{
    for (size_t i = 0; i < s.size; i++) hash = (hash ^ s.data[i]) * 0x100000001b3u;
    return (hash ^ 0xff) * 0x100000001b3u; /* no name has that byte */
}

static uint64_t name_of(const struct statement *s, struct slice database, struct slice table)
{
    return add(add(0xcbf29ce484222325u, database.size ? database : s->database), table);
}

static size_t find(const struct temporaries *t, const struct temporary *what)
{
    size_t i = 0;
    while (i < t->count && (t->items[i].server != what->server || t->items[i].thread != what->thread || t->items[i].name != what->name)) i++;
    return i;
}

static void drop(struct temporaries *t, size_t at)
{
    if (at < t->count) memmove(t->items + at, t->items + at + 1, (--t->count - at) * sizeof *t->items);
}

static void put(struct temporaries *t, const struct temporary *what)
{
    if (find(t, what) < t->count) return;
    if (t->count == TEMPORARIES_MAX) drop(t, 0);
    if (t->count == t->room) {
        t->room = t->room ? t->room * 2 : 64;
        t->items = realloc(t->items, t->room * sizeof *t->items);
        if (!t->items) abort();
    }
    t->items[t->count++] = *what;
}

void temporaries_note(struct temporaries *t, uint32_t server_id, const struct statement *s)
{
    struct cursor in = cursor_of(s->tables);
    struct slice database, table;
    while (statement_tables_next(&in, &database, &table)) {
        struct temporary one = {server_id, s->thread_id, name_of(s, database, table)};
        if (s->kind == STATEMENT_CREATE_TABLE) put(t, &one);
        if (s->kind == STATEMENT_DROP_TABLE) drop(t, find(t, &one));
    }
}

static bool renames(enum statement_kind kind) { return kind == STATEMENT_ALTER_TABLE || kind == STATEMENT_RENAME_TABLE; }

bool temporaries_is(struct temporaries *t, uint32_t server_id, const struct statement *s)
{
    struct cursor in = cursor_of(s->tables);
    struct slice database, table;
    if (!statement_tables_next(&in, &database, &table)) return false;
    struct temporary one = {server_id, s->thread_id, name_of(s, database, table)};
    size_t at = find(t, &one);
    if (at == t->count) return false;
    if (renames(s->kind) && statement_tables_next(&in, &database, &table)) {
        drop(t, at);
        one.name = name_of(s, database, table);
        put(t, &one);
    }
    return true;
}

bool temporaries_any(const struct temporaries *t, uint32_t server_id, uint32_t thread_id)
{
    for (size_t i = 0; i < t->count; i++)
        if (t->items[i].server == server_id && t->items[i].thread == thread_id) return true;
    return false;
}
