/* unit.h: what every unit test includes: cmocka, and small helpers to say bytes as hex. */
#ifndef WOLFCDC_UNIT_H
#define WOLFCDC_UNIT_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "slice.h"

static inline unsigned unit_nibble(char c) { return c <= '9' ? (unsigned)(c - '0') : (unsigned)((c | 32) - 'a' + 10); }

/* "80 0a ff" → bytes in a static buffer (spaces ignored). Valid until the fourth call after it. */
static inline struct slice unit_hex(const char *text)
{
    static uint8_t store[4][4096];
    static unsigned turn;
    uint8_t *to = store[turn++ % 4];
    size_t n = 0;
    for (; *text; text++) {
        if (*text == ' ') continue;
        assert_true(n < sizeof store[0]);
        to[n++] = (uint8_t)(unit_nibble(text[0]) << 4 | unit_nibble(text[1]));
        text++;
    }
    return slice_of(to, n);
}

#define assert_slice(s, text) do { struct slice s_ = (s); assert_int_equal(s_.size, strlen(text)); \
        assert_memory_equal(s_.data, text, s_.size); } while (0)

#endif
