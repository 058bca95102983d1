/* notify.c: see notify.h. */
#include "notify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "clock.h"

#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>

static void tell(const char *state) { sd_notify(0, state); }

static uint64_t watchdog_us(void)
{
    uint64_t us = 0;
    return sd_watchdog_enabled(0, &us) > 0 ? us : 0;
}
#else
static void tell(const char *state) { (void)state; }

static uint64_t watchdog_us(void) { return 0; }
#endif

void notify_ready(void) { tell("READY=1"); }

void notify_reloading(void)
{
    char text[80];
    snprintf(text, sizeof text, "RELOADING=1\nMONOTONIC_USEC=%" PRIu64, clock_us());
    tell(text);
}

void notify_stopping(void) { tell("STOPPING=1"); }

void notify_alive(void) { tell("WATCHDOG=1"); }

void notify_status(const char *format, ...)
{
    char text[512], line[560];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (char *c = text; *c; c++)
        if (*c == '\n') *c = ' ';
    snprintf(line, sizeof line, "STATUS=%s", text);
    tell(line);
}

uint32_t notify_interval_ms(uint32_t otherwise)
{
    uint64_t half_ms = watchdog_us() / 2000;
    return half_ms && half_ms < otherwise ? (uint32_t)half_ms : otherwise;
}
