/*
 * log.h: one line per event, key=value text or JSON, to stderr (the journal takes it from there).
 * Global on purpose, with metrics the only globals. Never pass a secret: statements go through
 * statement_redact() first.
 */
#ifndef WOLFCDC_LOG_H
#define WOLFCDC_LOG_H
#include <stdbool.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

void log_init(enum log_level level, enum log_format format);
void log_set_level(enum log_level level); /* any thread */
bool log_level_parse(const char *name, enum log_level *level);
/* `what` is the event's fixed name ("source.connected"), the rest is printf text: "host=%s port=%u". In text
   form a value with spaces is quoted by the caller as key="%s". */
void log_line(enum log_level level, const char *what, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#define log_error(what, ...) log_line(LOG_LEVEL_ERROR, what, __VA_ARGS__)
#define log_warning(what, ...) log_line(LOG_LEVEL_WARNING, what, __VA_ARGS__)
#define log_info(what, ...) log_line(LOG_LEVEL_INFO, what, __VA_ARGS__)
#define log_debug(what, ...) log_line(LOG_LEVEL_DEBUG, what, __VA_ARGS__)

#endif
