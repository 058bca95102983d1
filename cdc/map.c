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

/* UUID, INET4 and INET6 look like BINARY in every map, and JSON like LONGTEXT, also in one with all metadata; and no map has the fraction
   of an old temporal type. */
static bool may_be_more(const struct column *c)
{
    return types_lacks_fraction(c) || (c->kind == COLUMN_BINARY && (c->max_bytes == 16 || c->max_bytes == 4)) || types_may_be_json(c);
}

static bool is_more(enum column_kind kind)
{
    return kind == COLUMN_UUID || kind == COLUMN_INET4 || kind == COLUMN_INET6 || kind == COLUMN_JSON;
}

static bool same_names(const struct table *a, const struct table *b)
{
    for (uint32_t i = 0; i < a->column_count; i++)
        if (!slice_equal(a->columns[i].name, b->columns[i].name)) return false;
    return true;
}

/* Asks what such columns are. Only the kind or the fraction is taken, and only from a definition that fits; an account that may not see the table
   leaves them what the map says, which is right byte for byte. False: the connection was lost. */
static bool refine(struct maps *maps, struct arena *arena, struct table *draft, bool *asked, struct err *err)
{
    struct table other = *draft;
    struct err refused = {0};
    *asked = false;
    for (uint32_t i = 0; i < draft->column_count; i++) *asked |= may_be_more(&draft->columns[i]);
    if (!*asked) return true;
    other.columns = arena_alloc(arena, draft->column_count * sizeof *other.columns);
    memcpy(other.columns, draft->columns, draft->column_count * sizeof *other.columns);
    if (!maps->options.schema(maps->options.context, &other, arena, &refused)) {
        if (refused.code == ERR_RETRY && err) *err = refused;
        return refused.code != ERR_RETRY;
    }
    if (!same_names(draft, &other)) return true;
    for (uint32_t i = 0; i < draft->column_count; i++) {
        struct column *column = &draft->columns[i];
        if (types_lacks_fraction(column) && other.columns[i].kind == column->kind) column->scale = other.columns[i].scale;
        else if (may_be_more(column) && is_more(other.columns[i].kind)) column->kind = other.columns[i].kind;
    }
    return true;
}

static bool make(struct maps *maps, struct map *map, struct arena *arena, bool mariadb, struct err *err)
{
    struct types_head head;
    struct table draft;
    const char *reason;
    if (!types_head(map->raw, &head, err) || !types_draft(&head, mariadb, arena, &draft, err)) return false;
    bool ask = !draft.named && maps->options.schema;
    if (ask && !complete(maps, arena, &draft, err)) return false;
    if (!ask && maps->options.schema && !refine(maps, arena, &draft, &ask, err)) return false;
    if (!types_check(&draft, err)) return false;
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
