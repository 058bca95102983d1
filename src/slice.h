/*
 * slice.h: borrowed bytes. Valid until the next call on whoever lends them; who keeps them copies them.
 */
#ifndef WOLFCDC_SLICE_H
#define WOLFCDC_SLICE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const uint8_t *data;
    size_t size;
};

static inline struct slice slice_of(const void *data, size_t size) { return (struct slice){data, size}; }
/* An empty slice may have no address, and nothing may be added to none, not even 0. */
static inline const uint8_t *slice_end(struct slice s) { return s.size ? s.data + s.size : s.data; }
static inline struct slice slice_text(const char *text) { return (struct slice){(const uint8_t *)text, strlen(text)}; }
static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}
static inline bool slice_is(struct slice a, const char *text) { return slice_equal(a, slice_text(text)); }
/* printf("%.*s", SLICE_ARG(s)) */
#define SLICE_ARG(s) (int)(s).size, (const char *)(s).data

#endif
