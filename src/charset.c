/*
 * charset.c: see charset.h. The ids are those of the servers' information_schema.
 *
 * Every one- and two-byte character was converted by MariaDB 10.11 and by us. The iconv names below are those that agree best; what is
 * left differs in compatibility forms only: 7 characters of sjis, 267 of big5, 940 private ones of ujis, and of cp866 FC FD, greek A1 A2,
 * hebrew AF, koi8u 95, armscii8 A1 A2 AD FE FF, macroman C6 F0, swe7 24. geostd8 and keybcs2 have no converter in the C library:
 * beyond ASCII they come as bytes.
 */
#include "charset.h"
#include <errno.h>
#include <iconv.h>
#include <stdlib.h>

enum how { HOW_BINARY, HOW_UTF8, HOW_ASCII, HOW_LATIN1, HOW_ICONV, HOW_NONE };

static const struct charset {
    const char *name;  /* the server's */
    enum how how;
    const char *iconv; /* HOW_ICONV */
    const char *ids;   /* collations: "a b-c …" */
} charsets[] = {
    {"utf8mb4", HOW_UTF8, NULL, "45 46 224-247 255-323 608-611 2304-2559"},
    {"binary", HOW_BINARY, NULL, "63"},
    {"utf8mb3", HOW_UTF8, NULL, "33 76 83 192-215 223 576-579 2048-2303"},
    {"latin1", HOW_LATIN1, NULL, "5 8 15 31 47 48 49 94"},
    {"ascii", HOW_ASCII, NULL, "11 65"},
    {"ucs2", HOW_ICONV, "UCS-2BE", "35 90 128-151 159 640-642 2560-2815"},
    {"utf16", HOW_ICONV, "UTF-16BE", "54 55 101-124 672-674 2816-3071"},
    {"utf16le", HOW_ICONV, "UTF-16LE", "56 62"},
    {"utf32", HOW_ICONV, "UTF-32BE", "60 61 160-183 736-738 3072-3327"},
    {"latin2", HOW_ICONV, "ISO-8859-2", "2 9 21 27 77"},
    {"latin5", HOW_ICONV, "ISO-8859-9", "30 78"},
    {"latin7", HOW_ICONV, "ISO-8859-13", "20 41 42 79"},
    {"cp1250", HOW_ICONV, "CP1250", "26 34 44 66 99"},
    {"cp1251", HOW_ICONV, "CP1251", "14 23 50 51 52"},
    {"cp1256", HOW_ICONV, "CP1256", "57 67"},
    {"cp1257", HOW_ICONV, "CP1257", "29 58 59"},
    {"cp850", HOW_ICONV, "CP850", "4 80"},
    {"cp852", HOW_ICONV, "CP852", "40 81"},
    {"cp866", HOW_ICONV, "CP866", "36 68"},
    {"cp932", HOW_ICONV, "WINDOWS-31J", "95 96"},
    {"sjis", HOW_ICONV, "WINDOWS-31J", "13 88"},
    {"ujis", HOW_ICONV, "EUC-JP", "12 91"},
    {"eucjpms", HOW_ICONV, "EUC-JP-MS", "97 98"},
    {"big5", HOW_ICONV, "BIG5", "1 84"},
    {"gbk", HOW_ICONV, "GBK", "28 87"},
    {"gb2312", HOW_ICONV, "EUC-CN", "24 86"},
    {"gb18030", HOW_ICONV, "GB18030", "248-250"},
    {"euckr", HOW_ICONV, "UHC", "19 85"},
    {"greek", HOW_ICONV, "ISO-8859-7", "25 70"},
    {"hebrew", HOW_ICONV, "ISO-8859-8", "16 71"},
    {"koi8r", HOW_ICONV, "KOI8-R", "7 74"},
    {"koi8u", HOW_ICONV, "KOI8-U", "22 75"},
    {"tis620", HOW_ICONV, "TIS-620", "18 89"},
    {"geostd8", HOW_NONE, NULL, "92 93"},
    {"armscii8", HOW_ICONV, "ARMSCII-8", "32 64"},
    {"dec8", HOW_ICONV, "DEC-MCS", "3 69"},
    {"hp8", HOW_ICONV, "HP-ROMAN8", "6 72"},
    {"keybcs2", HOW_NONE, NULL, "37 73"},
    {"macce", HOW_ICONV, "MAC-CENTRALEUROPE", "38 43"},
    {"macroman", HOW_ICONV, "MACINTOSH", "39 53"},
    {"swe7", HOW_ICONV, "SEN_850200_C", "10 82"},
};
enum { CHARSETS = sizeof charsets / sizeof *charsets };

static bool in_ids(const char *ids, unsigned id)
{
    for (char *at; *ids; ids = at) {
        unsigned long first = strtoul(ids, &at, 10), last = first;
        if (*at == '-') last = strtoul(at + 1, &at, 10);
        if (id >= first && id <= last) return true;
        while (*at == ' ') at++;
    }
    return false;
}

/* Index into charsets, or -1. MariaDB's ids 1024 … 2047 are the NOPAD twins of id − 1024. */
static int charset_of(unsigned collation)
{
    unsigned id = collation >= 1024 && collation < 2048 ? collation - 1024 : collation;
    for (int i = 0; i < CHARSETS; i++)
        if (in_ids(charsets[i].ids, id)) return i;
    return -1;
}

const char *charset_name(uint16_t collation)
{
    int index = charset_of(collation);
    return index < 0 ? NULL : charsets[index].name;
}

/* Length of the well-formed sequence at `at`, 0 when there is none. Table 3-7 of the Unicode standard. */
static size_t utf8_sequence(const uint8_t *at, size_t left)
{
    uint8_t lead = at[0];
    size_t size = lead < 0x80 ? 1 : lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
    if (size == 0 || size > left) return 0;
    for (size_t i = 1; i < size; i++)
        if ((at[i] & 0xc0) != 0x80) return 0;
    if ((lead == 0xe0 && at[1] < 0xa0) || (lead == 0xed && at[1] > 0x9f)) return 0;
    if ((lead == 0xf0 && at[1] < 0x90) || (lead == 0xf4 && at[1] > 0x8f)) return 0;
    return size;
}

static size_t ascii_run(struct slice bytes, size_t from)
{
    for (uint64_t word; from + 8 <= bytes.size; from += 8) {
        memcpy(&word, bytes.data + from, 8);
        if (word & 0x8080808080808080) break;
    }
    while (from < bytes.size && bytes.data[from] < 0x80) from++;
    return from;
}

unsigned charset_width(const char *name)
{
    static const struct { const char *name; uint8_t bytes; } widths[] = {
        {"utf8mb4", 4}, {"utf16", 4}, {"utf16le", 4}, {"utf32", 4}, {"gb18030", 4}, {"utf8mb3", 3}, {"ujis", 3}, {"eucjpms", 3}, {"ucs2", 2},
        {"big5", 2}, {"sjis", 2}, {"cp932", 2}, {"euckr", 2}, {"gb2312", 2}, {"gbk", 2}};
    for (size_t i = 0; name && i < sizeof widths / sizeof *widths; i++)
        if (!strcmp(widths[i].name, name)) return widths[i].bytes;
    return 1;
}

bool charset_is_utf8(struct slice bytes)
{
    for (size_t i = ascii_run(bytes, 0); i < bytes.size; i = ascii_run(bytes, i)) {
        size_t size = utf8_sequence(bytes.data + i, bytes.size - i);
        if (size == 0) return false;
        i += size;
    }
    return true;
}

struct charset_cache {
    int8_t of[4096];            /* charset of a collation + 2; 0: not looked up yet */
    iconv_t converters[CHARSETS]; /* 0: not opened yet, (iconv_t)-1: this system has none */
};

struct charset_cache *charset_cache_new(void)
{
    struct charset_cache *cache = calloc(1, sizeof *cache);
    if (!cache) abort();
    return cache;
}

void charset_cache_free(struct charset_cache *cache)
{
    if (!cache) return;
    for (int i = 0; i < CHARSETS; i++)
        if (cache->converters[i] && cache->converters[i] != (iconv_t)-1) iconv_close(cache->converters[i]);
    free(cache);
}

static int cached_charset(struct charset_cache *cache, uint16_t collation)
{
    if (collation >= sizeof cache->of) return -1;
    if (!cache->of[collation]) cache->of[collation] = (int8_t)(charset_of(collation) + 2);
    return cache->of[collation] - 2;
}

static bool latin1_to_utf8(struct slice bytes, struct buf *out)
{
    static const uint16_t upper[32] = { /* 80 … 9f */
        0x20ac, 0x81, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8d, 0x017d, 0x8f,
        0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d, 0x017e, 0x0178};
    size_t plain = ascii_run(bytes, 0);
    buf_put(out, bytes.data, plain);
    for (size_t i = plain; i < bytes.size; i++) {
        uint32_t c = bytes.data[i];
        if (c >= 0x80 && c < 0xa0) c = upper[c - 0x80];
        uint8_t utf8[3] = {(uint8_t)c};
        size_t size = 1;
        if (c >= 0x800) utf8[0] = (uint8_t)(0xe0 | c >> 12), utf8[1] = (uint8_t)(0x80 | (c >> 6 & 63)), utf8[2] = (uint8_t)(0x80 | (c & 63)), size = 3;
        else if (c >= 0x80) utf8[0] = (uint8_t)(0xc0 | c >> 6), utf8[1] = (uint8_t)(0x80 | (c & 63)), size = 2;
        buf_put(out, utf8, size);
    }
    return true;
}

/* Text that has no byte above 7f and no shift is the same in every charset that has ASCII in it. */
static bool iconv_to_utf8(struct charset_cache *cache, int index, struct slice bytes, struct buf *out)
{
    iconv_t *converter = &cache->converters[index];
    if (!*converter) *converter = iconv_open("UTF-8", charsets[index].iconv);
    if (*converter == (iconv_t)-1) return false;
    iconv(*converter, NULL, NULL, NULL, NULL);
    char *in = (char *)(uintptr_t)bytes.data; /* iconv's type lacks the const that it keeps */
    size_t left = bytes.size, before = out->size;
    do {
        size_t room = left * 2 + 16;
        uint8_t *space = buf_reserve(out, room);
        if (!space) return false;
        char *to = (char *)space;
        size_t result = iconv(*converter, &in, &left, &to, &room);
        out->size += (size_t)((uint8_t *)to - space);
        if (result == (size_t)-1 && errno != E2BIG) {
            out->size = before;
            return false;
        }
    } while (left);
    return true;
}

bool charset_to_utf8(struct charset_cache *cache, uint16_t collation, struct slice bytes, struct buf *out)
{
    int index = cached_charset(cache, collation);
    enum how how = index < 0 ? HOW_UTF8 : charsets[index].how;
    if (how == HOW_LATIN1) return latin1_to_utf8(bytes, out);
    if (how == HOW_ICONV) return iconv_to_utf8(cache, index, bytes, out);
    bool fits = how == HOW_UTF8 ? charset_is_utf8(bytes) : how != HOW_BINARY && ascii_run(bytes, 0) == bytes.size;
    if (fits) buf_slice(out, bytes);
    return fits;
}
