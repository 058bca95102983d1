/* err.c: see err.h. */
#include "err.h"

#include <stdio.h>
#include <string.h>

static bool set(struct err *err, enum err_code code, unsigned number, const char *format, va_list args)
{
    if (!err) return false;
    err->code = code;
    err->number = number;
    vsnprintf(err->text, sizeof err->text, format, args);
    return false;
}

bool err_set(struct err *err, enum err_code code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set(err, code, 0, format, args);
    va_end(args);
    return false;
}

bool err_set_number(struct err *err, enum err_code code, unsigned number, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set(err, code, number, format, args);
    va_end(args);
    return false;
}

bool err_context(struct err *err, const char *format, ...)
{
    char context[ERR_TEXT_MAX], whole[ERR_TEXT_MAX + 2];
    va_list args;
    if (!err) return false;
    va_start(args, format);
    vsnprintf(context, sizeof context, format, args);
    va_end(args);
    /* the cause matters more than the context: when both do not fit, the context is cut */
    size_t cause = strlen(err->text), room = sizeof err->text - 1;
    int keep = cause + 2 >= room ? 0 : (int)(room - cause - 2);
    snprintf(whole, sizeof whole, "%.*s: ", keep, context);
    size_t lead = strlen(whole);
    if (lead + cause > room) return false;
    memmove(err->text + lead, err->text, cause + 1);
    memcpy(err->text, whole, lead);
    return false;
}

void err_clear(struct err *err)
{
    if (!err) return;
    err->code = ERR_NONE;
    err->number = 0;
    err->text[0] = 0;
}

const char *err_code_name(enum err_code code)
{
    static const char *const names[] = {
        [ERR_NONE] = "none",     [ERR_RETRY] = "retry",   [ERR_STOP] = "stop",
        [ERR_GONE] = "gone",     [ERR_CORRUPT] = "corrupt", [ERR_CONFIG] = "config",
        [ERR_DENIED] = "denied", [ERR_LIMIT] = "limit",   [ERR_UNSUPPORTED] = "unsupported",
    };
    return code < sizeof names / sizeof *names ? names[code] : "unknown";
}
