/*
 * err.h: one error type for the whole program.
 *
 * A function that can fail returns bool and takes `struct err *err` last. The code says what the caller can
 * do, the text what happened and what the operator can do about it. Context is added on the way up and the
 * text is logged once, at the top of the thread that decides. Passing err == NULL is allowed.
 */
#ifndef WOLFCDC_ERR_H
#define WOLFCDC_ERR_H
#include <stdarg.h>
#include <stdbool.h>

#define MUST_CHECK __attribute__((warn_unused_result))

enum err_code {
    ERR_NONE,
    ERR_RETRY,       /* passing: connection lost, lock wait, server restarting */
    ERR_STOP,        /* cannot go on without the operator */
    ERR_GONE,        /* what is asked for has been purged or removed */
    ERR_CORRUPT,     /* bytes that cannot be right */
    ERR_CONFIG,      /* configuration or command line */
    ERR_DENIED,      /* password, privilege, TLS */
    ERR_LIMIT,       /* a named limit is reached */
    ERR_UNSUPPORTED, /* known, and refused by name */
};

enum { ERR_TEXT_MAX = 1400 };

struct err {
    enum err_code code;
    unsigned number; /* the server's error number or errno, 0 when neither */
    char text[ERR_TEXT_MAX];
};

/* Fills *err and returns false, so that `return err_set(...)` reads well. Text is cut at ERR_TEXT_MAX. */
bool err_set(struct err *err, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* As err_set, with the number of the server's error or errno. */
bool err_set_number(struct err *err, enum err_code code, unsigned number, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* Puts "context: " before the text that is there. Returns false. */
bool err_context(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
void err_clear(struct err *err);
/* "retry", "stop", "gone" … for logs and JSON. */
const char *err_code_name(enum err_code code);

#endif
