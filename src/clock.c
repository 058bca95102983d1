/* clock.c: see clock.h. */
#include "clock.h"

#include <errno.h>
#include <stdio.h>

static uint64_t now(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t clock_us(void) { return now(CLOCK_MONOTONIC); }

uint64_t clock_wall_us(void) { return now(CLOCK_REALTIME); }

void clock_sleep_ms(uint32_t ms)
{
    struct timespec t = clock_deadline(ms);
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) {}
}

struct timespec clock_deadline(uint32_t ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += (long)(ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_nsec -= 1000000000;
        t.tv_sec++;
    }
    return t;
}

void clock_format(uint64_t wall_us, char text[32])
{
    time_t seconds = (time_t)(wall_us / 1000000);
    struct tm tm;
    char day[24];
    gmtime_r(&seconds, &tm);
    strftime(day, sizeof day, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text, 32, "%s.%03uZ", day, (unsigned)(wall_us / 1000 % 1000));
}
