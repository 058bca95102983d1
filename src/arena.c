/* arena.c: see arena.h. Blocks double from 4 KiB; an allocation larger than a block gets one of its own. */
#include "arena.h"

#include <stdlib.h>

enum { BLOCK_FIRST = 4096, BLOCK_LAST = 1 << 20, ALIGN = 16 };

struct arena_block {
    struct arena_block *next;
    size_t used, room;
    _Alignas(ALIGN) uint8_t data[];
};

void arena_init(struct arena *arena) { *arena = (struct arena){0}; }

void arena_fini(struct arena *arena)
{
    struct arena_block *next;
    for (struct arena_block *b = arena->first; b; b = next) {
        next = b->next;
        free(b);
    }
    *arena = (struct arena){0};
}

void arena_reset(struct arena *arena)
{
    struct arena_block *first = arena->first;
    if (!first) return;
    struct arena rest = {first->next, NULL};
    arena_fini(&rest);
    first->next = NULL;
    first->used = 0;
    arena->at = first;
}

static struct arena_block *block_new(struct arena *arena, size_t need)
{
    size_t room = arena->at ? arena->at->room * 2 : BLOCK_FIRST;
    if (room > BLOCK_LAST) room = BLOCK_LAST;
    if (room < need) room = need;
    struct arena_block *b = malloc(sizeof *b + room);
    if (!b) abort(); /* out of memory ends the process */
    *b = (struct arena_block){.room = room};
    if (arena->at) arena->at->next = b;
    else arena->first = b;
    arena->at = b;
    return b;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size_t need = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    struct arena_block *b = arena->at;
    if (need < size) abort();
    if (!b || b->room - b->used < need) b = block_new(arena, need);
    void *p = b->data + b->used;
    b->used += need;
    memset(p, 0, need);
    return p;
}

struct slice arena_copy(struct arena *arena, struct slice s)
{
    if (s.size == 0) return (struct slice){NULL, 0};
    void *p = arena_alloc(arena, s.size);
    memcpy(p, s.data, s.size);
    return (struct slice){p, s.size};
}

char *arena_text(struct arena *arena, struct slice s)
{
    char *p = arena_alloc(arena, s.size + 1);
    if (s.size) memcpy(p, s.data, s.size);
    return p;
}
