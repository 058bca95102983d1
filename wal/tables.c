/* tables.c: see record.h. Two open-addressed maps: definition → table, id → table. Definitions are few and live as long
   as the reader that lends them. */
#include <stdlib.h>

#include "block.h"
#include "record.h"

enum { TABLES_MAX = 1 << 20 }; /* definitions in one reader's life */

struct slot {
    uint64_t key; /* id + 1, or CRC + 1; 0: free */
    struct table *table;
};

struct map {
    struct slot *slots;
    size_t room, used; /* room: a power of two */
};

struct tables {
    struct map ids, definitions;
    uint32_t last_id, next;
    const struct table *last;
};

static struct slot *place(const struct map *map, uint64_t key)
{
    return &map->slots[(key * 0x9E3779B97F4A7C15u >> 20) & (map->room - 1)];
}

static struct slot *next(const struct map *map, struct slot *at)
{
    return at + 1 == map->slots + map->room ? map->slots : at + 1;
}

static void grow(struct map *map)
{
    struct map wider = {.room = map->room ? map->room * 2 : 64, .used = map->used};
    wider.slots = calloc(wider.room, sizeof *wider.slots);
    if (!wider.slots) abort();
    for (size_t i = 0; i < map->room; i++) {
        struct slot *to;
        if (!map->slots[i].key) continue;
        for (to = place(&wider, map->slots[i].key); to->key; to = next(&wider, to)) {}
        *to = map->slots[i];
    }
    free(map->slots);
    *map = wider;
}

static void map_add(struct map *map, uint64_t key, struct table *table)
{
    struct slot *at;
    if (map->used * 2 >= map->room) grow(map);
    for (at = place(map, key); at->key; at = next(map, at)) {}
    *at = (struct slot){key, table};
    map->used++;
}

struct tables *tables_new(void)
{
    struct tables *tables = calloc(1, sizeof *tables);
    if (!tables) abort();
    grow(&tables->ids);
    grow(&tables->definitions);
    return tables;
}

void tables_free(struct tables *tables)
{
    if (!tables) return;
    for (size_t i = 0; i < tables->definitions.room; i++) table_free(tables->definitions.slots[i].table);
    free(tables->definitions.slots);
    free(tables->ids.slots);
    free(tables);
}

void tables_forget(struct tables *tables)
{
    memset(tables->ids.slots, 0, tables->ids.room * sizeof *tables->ids.slots);
    tables->ids.used = 0;
    tables->last = NULL;
}

static struct table *intern(struct tables *tables, struct slice definition, const char **reason)
{
    uint64_t key = (uint64_t)crc32c(0, definition.data, definition.size) + 1;
    for (struct slot *at = place(&tables->definitions, key); at->key; at = next(&tables->definitions, at))
        if (at->key == key && slice_equal(at->table->encoded, definition)) return at->table;
    if (tables->next >= TABLES_MAX) {
        *reason = "too many table definitions";
        return NULL;
    }
    struct table *table = table_decode(definition, tables->next + 1, reason);
    if (!table) return NULL;
    tables->next++;
    map_add(&tables->definitions, key, table);
    return table;
}

bool tables_define(struct tables *tables, uint32_t id, struct slice definition, const char **reason)
{
    uint64_t key = (uint64_t)id + 1;
    if (definition.size > INT32_MAX) {
        *reason = "table definition is too long";
        return false;
    }
    struct table *table = intern(tables, definition, reason);
    if (!table) return false;
    tables->last = NULL;
    for (struct slot *at = place(&tables->ids, key); at->key; at = next(&tables->ids, at)) {
        if (at->key != key) continue;
        at->table = table;
        return true;
    }
    map_add(&tables->ids, key, table);
    return true;
}

const struct table *tables_get(struct tables *tables, uint32_t id)
{
    uint64_t key = (uint64_t)id + 1;
    if (tables->last && tables->last_id == id) return tables->last;
    for (struct slot *at = place(&tables->ids, key); at->key; at = next(&tables->ids, at)) {
        if (at->key != key) continue;
        tables->last_id = id;
        return tables->last = at->table;
    }
    return NULL;
}
