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

static size_t put(uint32_t c, uint8_t to[4])
{
    if (c < 0x80) return to[0] = (uint8_t)c, 1;
    size_t more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const uint8_t leads[] = {0, 0xc0, 0xe0, 0xf0};
    to[0] = (uint8_t)(leads[more] | c >> 6 * more);
    for (size_t i = 1; i <= more; i++) to[i] = (uint8_t)(0x80 | (c >> 6 * (more - i) & 0x3f));
    return more + 1;
}

void names_lower(uint8_t *name, size_t size)
{
    const uint8_t *at = name, *end = name + size;
    pthread_once(&once, open_unicode);
    while (at < end) {
        const uint8_t *from = at;
        uint8_t made[4];
        uint32_t c = take(&at, end), l = lower(c);
        if (l != c && put(l, made) == (size_t)(at - from)) memcpy(name + (from - name), made, (size_t)(at - from));
    }
}

uint32_t names_hash(struct slice name, uint32_t hash)
{
    for (size_t i = 0; i < name.size; i++)
        if (name.data[i] < 0x80) hash = (hash ^ lower(name.data[i])) * 16777619u;
    return (hash ^ 0xff) * 16777619u;
}
