/* log.c: see log.h. A line is built whole and written with one call, so that lines of threads never mix. */
#include "log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

enum { LINE_MAX_BYTES = 4096 };

static atomic_int level_now = LOG_LEVEL_INFO;
static enum log_format format_now = LOG_FORMAT_TEXT;
static const char *const level_names[] = {"error", "warning", "info", "debug"};

void log_init(enum log_level level, enum log_format format)
{
    level_now = (int)level;
    format_now = format;
}

void log_set_level(enum log_level level) { level_now = (int)level; }

bool log_level_parse(const char *name, enum log_level *level)
{
    for (size_t i = 0; i < sizeof level_names / sizeof *level_names; i++) {
        if (strcmp(name, level_names[i])) continue;
        *level = (enum log_level)i;
        return true;
    }
    return false;
}

/* Control bytes and, in JSON, quotes and backslashes must not end or forge a line. */
static size_t escape(char *to, size_t room, const char *from, bool json)
{
    size_t n = 0;
    for (; *from && n + 7 < room; from++) {
        unsigned char c = (unsigned char)*from;
        if (c < 0x20 || c == 0x7f) n += (size_t)snprintf(to + n, room - n, json ? "\\u%04x" : "\\x%02x", c);
        else if (json && (c == '"' || c == '\\')) n += (size_t)snprintf(to + n, room - n, "\\%c", c);
        else to[n++] = (char)c;
    }
    to[n] = 0;
    return n;
}

void log_line(enum log_level level, const char *what, const char *format, ...)
{
    if ((int)level > level_now) return;
    char text[LINE_MAX_BYTES / 2], safe[LINE_MAX_BYTES - 200], line[LINE_MAX_BYTES], when[32];
    bool json = format_now == LOG_FORMAT_JSON;
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    clock_format(clock_wall_us(), when);
    escape(safe, sizeof safe, text, json);
    int n = snprintf(line, sizeof line,
                     json ? "{\"time\":\"%s\",\"level\":\"%s\",\"event\":\"%s\",\"text\":\"%s\"}\n" : "%s %s %s %s\n", when,
                     level_names[level], what, safe);
    size_t size = n < 0 ? 0 : (size_t)n < sizeof line ? (size_t)n : sizeof line - 1;
    ssize_t written = write(STDERR_FILENO, line, size);
    (void)written; /* nowhere left to say it */
}
