/* clock.h: time. Monotonic for waits and rates, wall clock for what a person reads. */
#ifndef WOLFCDC_CLOCK_H
#define WOLFCDC_CLOCK_H
#include <stddef.h>
#include <stdint.h>
#include <time.h>

uint64_t clock_us(void);      /* monotonic, microseconds */
uint64_t clock_wall_us(void); /* since 1970, UTC */
void clock_sleep_ms(uint32_t ms);
/* Absolute CLOCK_MONOTONIC time `ms` from now, for pthread_cond_timedwait on thread.h's conditions. */
struct timespec clock_deadline(uint32_t ms);
/* "2026-11-21T12:00:00.123Z" into text[32]. */
void clock_format(uint64_t wall_us, char text[32]);

#endif
