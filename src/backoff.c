/* backoff.c: see backoff.h. */
#include "backoff.h"

void backoff_init(struct backoff *backoff, uint64_t seed)
{
    backoff->random = seed ? seed : 1;
    backoff_reset(backoff);
}

void backoff_reset(struct backoff *backoff) { backoff->next_ms = BACKOFF_MIN_MS; }

uint32_t backoff_next(struct backoff *backoff)
{
    uint32_t wait = backoff->next_ms;
    backoff->random ^= backoff->random << 13; /* xorshift64: enough to part two agents */
    backoff->random ^= backoff->random >> 7;
    backoff->random ^= backoff->random << 17;
    backoff->next_ms = wait * 2 < BACKOFF_MAX_MS ? wait * 2 : BACKOFF_MAX_MS;
    return wait - (uint32_t)(backoff->random % (wait / 4 + 1));
}
