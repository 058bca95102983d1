/* names.c: see names.h. */
#include "names.h"

#include <locale.h>
#include <pthread.h>
#include <wctype.h>

static locale_t unicode;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static void open_unicode(void) { unicode = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0); }

/* One character of valid UTF-8; of other bytes, one. */
static uint32_t take(const uint8_t **at, const uint8_t *end)
{
    uint8_t lead = *(*at)++;
    unsigned more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
    uint32_t c = more ? lead & (0x3fu >> more) : lead;
    while (more-- && *at < end && (**at & 0xc0) == 0x80) c = c << 6 | (*(*at)++ & 0x3f);
    return c;
}

static uint32_t lower(uint32_t c)
{
    if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
    return unicode ? (uint32_t)towlower_l((wint_t)c, unicode) : c;
}

bool names_equal(struct slice a, struct slice b, bool fold)
{
    if (slice_equal(a, b) || !fold) return slice_equal(a, b);
    const uint8_t *x = a.data, *y = b.data, *x_end = slice_end(a), *y_end = slice_end(b);
    pthread_once(&once, open_unicode);
    while (x < x_end && y < y_end)
        if (lower(take(&x, x_end)) != lower(take(&y, y_end))) return false;
    return x == x_end && y == y_end;
}

uint32_t names_hash(struct slice name, uint32_t hash)
{
    for (size_t i = 0; i < name.size; i++)
        if (name.data[i] < 0x80) hash = (hash ^ lower(name.data[i])) * 16777619u;
    return (hash ^ 0xff) * 16777619u;
}
