/*
 * notify.h: what systemd is told (Type=notify): ready, reloading, stopping, alive, one line of status. Without systemd, or built
 * without it, every call does nothing.
 */
#ifndef WOLFCDC_NOTIFY_H
#define WOLFCDC_NOTIFY_H
#include <stdint.h>

void notify_ready(void);
void notify_reloading(void);  /* followed by notify_ready */
void notify_stopping(void);
void notify_alive(void);      /* at least every notify_interval_ms */
void notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Half of WatchdogSec; `otherwise` when there is no watchdog. */
uint32_t notify_interval_ms(uint32_t otherwise);

#endif
