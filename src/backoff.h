/* backoff.h: how long to wait before the next attempt: doubling, with jitter, so that agents do not knock in step. */
#ifndef WOLFCDC_BACKOFF_H
#define WOLFCDC_BACKOFF_H
#include <stdint.h>

enum { BACKOFF_MIN_MS = 100, BACKOFF_MAX_MS = 5000 };

struct backoff {
    uint32_t next_ms;
    uint64_t random; /* state; any seed but 0 */
};

void backoff_init(struct backoff *backoff, uint64_t seed);
void backoff_reset(struct backoff *backoff); /* after a success */
/* The wait: next_ms, less up to a quarter of it. Doubles next_ms up to BACKOFF_MAX_MS. */
uint32_t backoff_next(struct backoff *backoff);

#endif
