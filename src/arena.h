/*
 * arena.h: memory freed all at once. Every value of one event, one table definition, one configuration.
 * Out of memory ends the process; lengths from outside are checked by the caller before they get here.
 */
#ifndef WOLFCDC_ARENA_H
#define WOLFCDC_ARENA_H
#include "slice.h"

struct arena {
    struct arena_block *first, *at;
};

void arena_init(struct arena *arena);
void arena_fini(struct arena *arena);
void arena_reset(struct arena *arena); /* keeps the first block */
void *arena_alloc(struct arena *arena, size_t size); /* zeroed, aligned to 16 */
struct slice arena_copy(struct arena *arena, struct slice s);
char *arena_text(struct arena *arena, struct slice s); /* NUL-terminated copy */

#endif
