/*
 * bind.c: see bind.h. Types and layouts: the client/server protocol's binary values.
 */
#include "bind.h"

#include "value.h"

enum { TYPE_TINY = 1, TYPE_SHORT = 2, TYPE_LONG = 3, TYPE_FLOAT = 4, TYPE_DOUBLE = 5, TYPE_LONGLONG = 8, TYPE_DATE = 10,
       TYPE_TIME = 11, TYPE_DATETIME = 12, TYPE_NEWDECIMAL = 246, TYPE_BLOB = 252, TYPE_STRING = 254 };

static uint64_t big_endian(const uint8_t *bytes, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++) v = v << 8 | bytes[i];
    return v;
}

static void append_raw(const struct column *column, struct slice bytes, struct buf *out)
{
    (void)column;
    buf_slice(out, bytes);
}

static void append_int24(const struct column *column, struct slice bytes, struct buf *out)
{
    uint32_t v = bytes.data[0] | (uint32_t)bytes.data[1] << 8 | (uint32_t)bytes.data[2] << 16;
    (void)column;
    buf_le(out, v & 0x800000 ? v | 0xff000000 : v, 4);
}

static void append_uint24(const struct column *column, struct slice bytes, struct buf *out)
{
    (void)column;
    buf_slice(out, bytes);
    buf_u8(out, 0);
}

static void append_year(const struct column *column, struct slice bytes, struct buf *out)
{
    (void)column;
    buf_le(out, bytes.data[0] ? 1900u + bytes.data[0] : 0, 2);
}

static void append_bit(const struct column *column, struct slice bytes, struct buf *out)
{
    (void)column;
    buf_le(out, big_endian(bytes.data, bytes.size), 8);
}

static void append_number(const struct column *column, struct slice bytes, struct buf *out)
{
    uint64_t v = 0;
    (void)column;
    memcpy(&v, bytes.data, bytes.size < 8 ? bytes.size : 8);
    buf_le(out, v, 8);
}

static void append_bytes(const struct column *column, struct slice bytes, struct buf *out)
{
    (void)column;
    buf_lenenc(out, bytes.size);
    buf_slice(out, bytes);
}

static void append_text(const struct column *column, struct slice bytes, struct buf *out)
{
    char text[VALUE_TEXT_MAX];
    size_t n = value_text(column, bytes, text);
    buf_u8(out, (uint8_t)n);
    buf_put(out, text, n);
}

static void append_padded(const struct column *column, struct slice bytes, struct buf *out)
{
    static const struct column sizes[COLUMN_KINDS] = {
        [COLUMN_INET4] = {.max_bytes = 4}, [COLUMN_INET6] = {.max_bytes = 16}};
    size_t n = sizes[column->kind].max_bytes ? sizes[column->kind].max_bytes : column->max_bytes;
    if (n < bytes.size) n = bytes.size;
    buf_lenenc(out, n);
    buf_slice(out, bytes);
    uint8_t *rest = buf_reserve(out, n - bytes.size);
    if (!rest) return;
    memset(rest, 0, n - bytes.size);
    out->size += n - bytes.size;
}

/* The column stores its bytes in another order than a binary string that is assigned to it has: go by the text. */
static void append_uuid(const struct column *column, struct slice bytes, struct buf *out)
{
    char text[VALUE_TEXT_MAX];
    size_t n = value_text(column, bytes, text);
    unsigned half = 0, count = 0;
    buf_u8(out, 16);
    for (size_t i = 0; i < n && count < 32; i++) {
        unsigned c = (unsigned char)text[i];
        if (c == '-') continue;
        unsigned digit = c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
        if (count++ & 1) buf_u8(out, (uint8_t)(half << 4 | digit));
        half = digit;
    }
}

static uint32_t fraction(const struct column *column, const uint8_t *bytes)
{
    static const uint32_t unit[4] = {0, 10000, 100, 1};
    unsigned n = (column->scale + 1u) / 2;
    return (uint32_t)big_endian(bytes, n) * unit[n];
}

static void put_datetime(struct buf *out, const uint32_t parts[6], bool has_fraction, uint32_t micros)
{
    uint8_t b[12] = {has_fraction ? 11 : 7, (uint8_t)parts[0], (uint8_t)(parts[0] >> 8), (uint8_t)parts[1], (uint8_t)parts[2],
                     (uint8_t)parts[3], (uint8_t)parts[4], (uint8_t)parts[5]};
    memcpy(b + 8, &micros, 4);
    buf_put(out, b, b[0] + 1u);
}

static void append_date(const struct column *column, struct slice bytes, struct buf *out)
{
    uint32_t v = bytes.data[0] | (uint32_t)bytes.data[1] << 8 | (uint32_t)bytes.data[2] << 16;
    uint8_t b[5] = {4, (uint8_t)(v >> 9), (uint8_t)(v >> 17), v >> 5 & 15, v & 31};
    (void)column;
    buf_put(out, b, sizeof b);
}

static void append_datetime(const struct column *column, struct slice bytes, struct buf *out)
{
    uint64_t v = big_endian(bytes.data, 5) - 0x8000000000;
    uint32_t month = (uint32_t)(v >> 22);
    const uint32_t parts[6] = {month / 13, month % 13, v >> 17 & 31, v >> 12 & 31, v >> 6 & 63, v & 63};
    put_datetime(out, parts, column->scale > 0, fraction(column, bytes.data + 5));
}

/* Days since 1970 as a date of the Gregorian calendar; years begin in March, so that leap days come last. */
static void civil(uint32_t days, uint32_t parts[6])
{
    uint32_t z = days + 719468, era = z / 146097, doe = z - era * 146097;
    uint32_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365, doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    uint32_t mp = (5 * doy + 2) / 153;
    parts[2] = doy - (153 * mp + 2) / 5 + 1;
    parts[1] = mp < 10 ? mp + 3 : mp - 9;
    parts[0] = yoe + era * 400 + (parts[1] <= 2);
}

static void append_timestamp(const struct column *column, struct slice bytes, struct buf *out)
{
    uint32_t seconds = (uint32_t)big_endian(bytes.data, 4), micros = fraction(column, bytes.data + 4), parts[6] = {0};
    if (seconds || micros) { /* all zero is 0000-00-00, not 1970 */
        civil(seconds / 86400, parts);
        parts[3] = seconds / 3600 % 24;
        parts[4] = seconds / 60 % 60;
        parts[5] = seconds % 60;
    }
    put_datetime(out, parts, column->scale > 0, micros);
}

static void append_time(const struct column *column, struct slice bytes, struct buf *out)
{
    static const uint32_t unit[4] = {0, 10000, 100, 1};
    unsigned n = (column->scale + 1u) / 2;
    int64_t v = (int64_t)big_endian(bytes.data, 3 + n) - ((int64_t)0x800000 << (8 * n));
    uint64_t m = (uint64_t)(v < 0 ? -v : v), whole = m >> (8 * n);
    uint32_t micros = (uint32_t)(m & ((1u << (8 * n)) - 1)) * unit[n], hours = whole >> 12 & 0x3ff, days = hours / 24;
    uint8_t b[13] = {column->scale ? 12 : 8, v < 0, (uint8_t)days, 0, 0, 0, (uint8_t)(hours % 24), whole >> 6 & 63, whole & 63};
    memcpy(b + 9, &micros, 4);
    buf_put(out, b, b[0] + 1u);
}

static const struct bind binds[COLUMN_KINDS] = {
    [COLUMN_FLOAT] = {TYPE_FLOAT, append_raw},
    [COLUMN_DOUBLE] = {TYPE_DOUBLE, append_raw},
    [COLUMN_DECIMAL] = {TYPE_NEWDECIMAL, append_text},
    [COLUMN_YEAR] = {TYPE_SHORT, append_year},
    [COLUMN_DATE] = {TYPE_DATE, append_date},
    [COLUMN_TIME] = {TYPE_TIME, append_time},
    [COLUMN_DATETIME] = {TYPE_DATETIME, append_datetime},
    [COLUMN_TIMESTAMP] = {TYPE_DATETIME, append_timestamp},
    [COLUMN_BIT] = {TYPE_LONGLONG | BIND_UNSIGNED, append_bit},
    [COLUMN_ENUM] = {TYPE_LONGLONG | BIND_UNSIGNED, append_number},
    [COLUMN_SET] = {TYPE_LONGLONG | BIND_UNSIGNED, append_number},
    [COLUMN_CHAR] = {TYPE_STRING, append_bytes},
    [COLUMN_VARCHAR] = {TYPE_STRING, append_bytes},
    [COLUMN_TEXT] = {TYPE_STRING, append_bytes},
    [COLUMN_BINARY] = {TYPE_STRING, append_padded},
    [COLUMN_VARBINARY] = {TYPE_STRING, append_bytes},
    [COLUMN_BLOB] = {TYPE_BLOB, append_bytes},
    [COLUMN_GEOMETRY] = {TYPE_BLOB, append_bytes},
    [COLUMN_JSON] = {TYPE_STRING, append_bytes},
    [COLUMN_VECTOR] = {TYPE_BLOB, append_bytes},
    [COLUMN_UUID] = {TYPE_STRING, append_uuid},
    [COLUMN_INET4] = {TYPE_STRING, append_padded},
    [COLUMN_INET6] = {TYPE_STRING, append_padded},
};

struct bind bind_of(const struct column *column, bool is_unsigned)
{
    static const uint16_t types[9] = {0, TYPE_TINY, TYPE_SHORT, TYPE_LONG, TYPE_LONG, 0, 0, 0, TYPE_LONGLONG};
    if (column->kind != COLUMN_INT) return binds[column->kind];
    if (column->sign_known) is_unsigned = column->is_unsigned;
    struct bind bind = {types[column->width], append_raw};
    if (column->width == 3) bind.append = is_unsigned ? append_uint24 : append_int24;
    if (is_unsigned) bind.type |= BIND_UNSIGNED;
    return bind;
}
