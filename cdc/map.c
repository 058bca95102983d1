/* map.c: see map.h. */
#include "map.h"

#include <isa-l/crc.h>
#include <stdlib.h>

#include "filter.h"

enum { BUCKETS = 4096, RECENT = 1024 };

struct open_map { uint64_t id; struct map *map; };

struct maps {
    struct maps_options options;
    struct map *buckets[BUCKETS];
    struct open_map recent[RECENT];       /* by id: a guess, checked by comparing the bytes */
    struct open_map open[MAPS_OPEN_MAX];  /* the running statement's */
    uint32_t open_count, count, next_table;
};

struct maps *maps_new(const struct maps_options *options)
{
    struct maps *maps = calloc(1, sizeof *maps);
    if (!maps) abort();
    maps->options = *options;
    maps->next_table = 1;
    return maps;
}

static void map_free(struct map *map)
{
    table_free(map->table);
    free((uint8_t *)map->raw.data);
    free(map);
}

void maps_forget(struct maps *maps, bool all)
{
    for (uint32_t i = 0; i < BUCKETS; i++) {
        struct map **link = &maps->buckets[i];
        while (*link) {
            struct map *map = *link;
            if (!all && !map->completed) {
                link = &map->next;
                continue;
            }
            *link = map->next;
            map_free(map);
            maps->count--;
        }
    }
    memset(maps->recent, 0, sizeof maps->recent);
    maps->open_count = 0;
}

void maps_free(struct maps *maps)
{
    if (!maps) return;
    maps_forget(maps, true);
    free(maps);
}

uint32_t maps_count(const struct maps *maps) { return maps->count; }

static struct map *intern(struct maps *maps, struct slice raw, struct err *err)
{
    uint32_t hash = crc32_iscsi((unsigned char *)raw.data, (int)raw.size, 0);
    struct map **bucket = &maps->buckets[hash % BUCKETS];
    for (struct map *map = *bucket; map; map = map->next)
        if (map->hash == hash && slice_equal(map->raw, raw)) return map;
    struct types_head head;
    if (!types_head(raw, &head, err)) return NULL;
    struct map *map = calloc(1, sizeof *map);
    uint8_t *copy = malloc(raw.size);
    if (!map || !copy) abort();
    memcpy(copy, raw.data, raw.size);
    *map = (struct map){.raw = {copy, raw.size}, .hash = hash, .next = *bucket,
                        .wanted = filter_wants(maps->options.filter, head.database, head.name)};
    *bucket = map;
    maps->count++;
    return map;
}

bool maps_open(struct maps *maps, uint64_t id, struct slice raw, struct err *err)
{
    struct open_map *recent = &maps->recent[id % RECENT];
    if (maps->open_count == MAPS_OPEN_MAX)
        return err_set(err, ERR_LIMIT, "a statement changes more than %d tables (MAPS_OPEN_MAX)", MAPS_OPEN_MAX);
    if (raw.size > INT32_MAX) return err_set(err, ERR_LIMIT, "a table map of %zu bytes", raw.size);
    if (!recent->map || recent->id != id || !slice_equal(recent->map->raw, raw)) {
        struct map *map = intern(maps, raw, err);
        if (!map) return false;
        *recent = (struct open_map){id, map};
    }
    for (uint32_t i = 0; i < maps->open_count; i++)
        if (maps->open[i].id == id) {
            maps->open[i].map = recent->map;
            return true;
        }
    maps->open[maps->open_count++] = (struct open_map){id, recent->map};
    return true;
}

void maps_close(struct maps *maps) { maps->open_count = 0; }

struct map *maps_find(const struct maps *maps, uint64_t id)
{
    for (uint32_t i = 0; i < maps->open_count; i++)
        if (maps->open[i].id == id) return maps->open[i].map;
    return NULL;
}

/* Asks the dictionary about a table whose map has no names. */
static bool complete(struct maps *maps, struct arena *arena, struct table *draft, struct err *err)
{
    struct table said = *draft;
    said.columns = arena_alloc(arena, draft->column_count * sizeof *said.columns);
    memcpy(said.columns, draft->columns, draft->column_count * sizeof *said.columns);
    return maps->options.schema(maps->options.context, draft, arena, err) && types_merge(&said, draft, err);
}

static bool make(struct maps *maps, struct map *map, struct arena *arena, bool mariadb, struct err *err)
{
    struct types_head head;
    struct table draft;
    const char *reason;
    if (!types_head(map->raw, &head, err) || !types_draft(&head, mariadb, arena, &draft, err)) return false;
    bool ask = !draft.named && maps->options.schema;
    if (ask && !complete(maps, arena, &draft, err)) return false;
    if (types_is_sequence(&draft))
        return err_set(err, ERR_UNSUPPORTED, "%.*s.%.*s is a SEQUENCE: its values are not captured by this release; what to do: exclude "
                       "it in [filter] and set it on the target before the switch", SLICE_ARG(head.database), SLICE_ARG(head.name));
    map->table = table_new(&draft, maps->next_table, &reason);
    if (!map->table)
        return err_set(err, ERR_CORRUPT, "the map of %.*s.%.*s has %s", SLICE_ARG(head.database), SLICE_ARG(head.name), reason);
    map->completed = ask;
    maps->next_table++;
    return true;
}

bool maps_table(struct maps *maps, struct map *map, bool mariadb, const struct table **table, struct err *err)
{
    if (!map->table) {
        struct arena arena;
        arena_init(&arena);
        bool made = make(maps, map, &arena, mariadb, err);
        arena_fini(&arena);
        if (!made) return false;
    }
    *table = map->table;
    return true;
}
