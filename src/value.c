/*
 * value.c: values as numbers and text. On the sinks' hot path: digits come from a table of pairs, never from
 * printf. Layouts: table.h, THE ROW FORMAT; the packed formats are the server's NEWDECIMAL, TIME2, DATETIME2 and TIMESTAMP2.
 */
#include "value.h"
#include <arpa/inet.h>
#include <assert.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748"
                            "4950515253545556575859606162636465666768697071727374757677787980818283848586878889909192939495"
                            "96979899";
static const uint32_t power10[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};
static const uint8_t group_bytes[] = {0, 1, 1, 2, 2, 3, 3, 4, 4, 4}; /* of 0 … 9 decimal digits */

static uint64_t read_le(const uint8_t *data, size_t n)
{
    uint64_t v = 0;
    memcpy(&v, data, n);
    return v;
}

static uint64_t read_be(const uint8_t *data, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++) v = v << 8 | data[i];
    return v;
}

static char *put2(char *to, unsigned v)
{
    memcpy(to, pairs + 2 * v, 2);
    return to + 2;
}

static char *put4(char *to, unsigned v) { return put2(put2(to, v / 100), v % 100); }

/* Exactly n digits, zero-filled on the left. */
static char *put_fixed(char *to, uint32_t v, unsigned n)
{
    unsigned left = n;
    for (; left >= 2; left -= 2, v /= 100) memcpy(to + left - 2, pairs + 2 * (v % 100), 2);
    if (left) to[0] = (char)('0' + v % 10);
    return to + n;
}

static char *put_number(char *to, uint64_t v)
{
    char digits[20];
    char *at = digits + sizeof digits;
    for (; v >= 100; v /= 100) memcpy(at -= 2, pairs + 2 * (v % 100), 2);
    if (v >= 10) memcpy(at -= 2, pairs + 2 * v, 2);
    else *--at = (char)('0' + v);
    size_t size = (size_t)(digits + sizeof digits - at);
    memcpy(to, at, size);
    return to + size;
}

uint64_t value_integer(const struct column *column, struct slice bytes, bool *negative)
{
    *negative = false;
    if (column->kind == COLUMN_YEAR) return bytes.data[0] ? 1900u + bytes.data[0] : 0;
    assert(bytes.size >= 1 && bytes.size <= 8);
    if (column->kind == COLUMN_BIT) return read_be(bytes.data, bytes.size);
    uint64_t v = read_le(bytes.data, bytes.size);
    if (column->kind != COLUMN_INT || column->is_unsigned) return v;
    unsigned shift = 64 - 8 * (unsigned)bytes.size;
    int64_t extended = (int64_t)(v << shift) >> shift;
    *negative = extended < 0;
    return (uint64_t)extended;
}

double value_double(const struct column *column, struct slice bytes)
{
    assert(bytes.size == (column->kind == COLUMN_FLOAT ? 4u : 8u));
    if (column->kind == COLUMN_FLOAT) {
        float f;
        memcpy(&f, bytes.data, sizeof f);
        return (double)f;
    }
    double d;
    memcpy(&d, bytes.data, sizeof d);
    return d;
}

/* ---- FLOAT, DOUBLE: the fewest digits that read back as the same value ---- */

static bool reads_back(double parsed, double v, bool is_float) { return is_float ? (float)parsed == (float)v : parsed == v; }

/* m / 10^k is correctly rounded while both are exact doubles, so a match proves the text m·10^-k. The smallest k is found
   first. Covers what applications store; false for the rest. v > 0. */
static bool shortest_scaled(double v, bool is_float, uint64_t *digits, int *exponent)
{
    static const double scale[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    double limit = is_float ? 1e9 : 1e15;
    if (v >= limit || v < 1e-5) return false;
    for (int k = 0; k <= 15 && v * scale[k] < limit; k++) {
        double m = nearbyint(v * scale[k]);
        if (m >= 1 && reads_back(m / scale[k], v, is_float)) {
            *digits = (uint64_t)m;
            *exponent = -k;
            return true;
        }
    }
    return false;
}

static void shortest_printed(double v, bool is_float, uint64_t *digits, int *exponent)
{
    char text[40];
    int most = is_float ? 9 : 17;
    int least = v < (is_float ? (double)FLT_MIN : DBL_MIN) ? 1 : is_float ? 6 : 15; /* subnormals have fewer digits */
    for (int precision = least; precision <= most; precision++) {
        snprintf(text, sizeof text, "%.*e", precision - 1, v);
        if (precision == most || reads_back(strtod(text, NULL), v, is_float)) break;
    }
    int fraction = 0;
    const char *at = text;
    bool after_point = false;
    for (*digits = 0; *at != 'e'; at++) {
        if (*at >= '0' && *at <= '9') {
            *digits = *digits * 10 + (uint64_t)(*at - '0');
            fraction += after_point;
        } else {
            after_point = true; /* whatever the locale's point is */
        }
    }
    *exponent = atoi(at + 1) - fraction;
}

/* As the server prints: plain while the point lies within 15 places of the digits, or among them; else d.ddde17. */
static char *put_float_digits(char *to, uint64_t digits, int exponent)
{
    while (digits % 10 == 0 && digits) digits /= 10, exponent++;
    char text[24];
    int count = (int)(put_number(text, digits) - text), point = count + exponent;
    if ((point > 15 && count <= point) || point < -14) {
        *to++ = text[0];
        if (count > 1) {
            *to++ = '.';
            memcpy(to, text + 1, (size_t)count - 1);
            to += count - 1;
        }
        *to++ = 'e';
        if (point < 1) *to++ = '-';
        return put_number(to, (uint64_t)abs(point - 1));
    }
    if (point <= 0) {
        *to++ = '0', *to++ = '.';
        for (int i = point; i < 0; i++) *to++ = '0';
    }
    for (int i = 0; i < count; i++) {
        if (i == point && i) *to++ = '.';
        *to++ = text[i];
    }
    for (int i = count; i < point; i++) *to++ = '0';
    return to;
}

static char *put_float(char *to, double v, bool is_float)
{
    if (!isfinite(v)) return to + sprintf(to, "%s", isnan(v) ? "nan" : v < 0 ? "-inf" : "inf");
    if (signbit(v)) *to++ = '-', v = -v;
    if (v == 0) return *to++ = '0', to;
    uint64_t digits;
    int exponent;
    if (!shortest_scaled(v, is_float, &digits, &exponent)) shortest_printed(v, is_float, &digits, &exponent);
    return put_float_digits(to, digits, exponent);
}

/* ---- DECIMAL ---- */

unsigned value_decimal_size(unsigned precision, unsigned scale)
{
    unsigned whole = precision - scale;
    return whole / 9 * 4 + group_bytes[whole % 9] + scale / 9 * 4 + group_bytes[scale % 9];
}

size_t value_decimal_text(struct slice packed, unsigned precision, unsigned scale, char text[VALUE_TEXT_MAX])
{
    assert(precision >= 1 && precision <= VALUE_DECIMAL_DIGITS_MAX && scale <= precision && packed.size >= value_decimal_size(precision, scale));
    const uint8_t *in = packed.data;
    uint32_t flip = in[0] & 0x80 ? 0 : UINT32_MAX; /* negative: every byte is complemented */
    uint32_t sign_bit = 0x80;                      /* the first byte's top bit is inverted, once */
    char *to = text;
    if (flip) *to++ = '-';
    char *first = to;
    unsigned whole = precision - scale;
    for (unsigned left = whole; left;) {
        unsigned digits = left % 9 ? left % 9 : 9, bytes = group_bytes[digits];
        uint32_t mask = bytes == 4 ? UINT32_MAX : (1u << (8 * bytes)) - 1;
        uint32_t v = (uint32_t)read_be(in, bytes) ^ sign_bit << (8 * (bytes - 1));
        v = (v ^ flip) & mask;
        sign_bit = 0;
        in += bytes, left -= digits;
        if (to > first) to = put_fixed(to, v % 1000000000, digits);
        else if (v) to = put_number(to, v % 1000000000);
    }
    if (to == first) *to++ = '0';
    if (scale) *to++ = '.';
    for (unsigned left = scale; left;) {
        unsigned digits = left >= 9 ? 9 : left, bytes = group_bytes[digits];
        uint32_t mask = bytes == 4 ? UINT32_MAX : (1u << (8 * bytes)) - 1;
        uint32_t v = (uint32_t)read_be(in, bytes) ^ sign_bit << (8 * (bytes - 1));
        v = (v ^ flip) & mask;
        sign_bit = 0;
        in += bytes, left -= digits;
        to = put_fixed(to, v % power10[digits], digits);
    }
    *to = 0;
    return (size_t)(to - text);
}

/* ---- temporal ---- */

/* The fraction is stored in units of 10^(-2·bytes); fsp 1, 3 and 5 carry one digit more than they show. */
static char *put_fraction(char *to, uint32_t fraction, unsigned fsp)
{
    if (!fsp) return to;
    *to++ = '.';
    return put_fixed(to, fsp & 1 ? fraction / 10 : fraction, fsp);
}

static char *put_date(char *to, unsigned year, unsigned month, unsigned day)
{
    to = put4(to, year % 10000);
    *to++ = '-';
    to = put2(to, month % 100);
    *to++ = '-';
    return put2(to, day % 100);
}

static char *put_clock(char *to, unsigned hour, unsigned minute, unsigned second)
{
    to = put2(to, hour % 100);
    *to++ = ':';
    to = put2(to, minute % 100);
    *to++ = ':';
    return put2(to, second % 100);
}

static char *put_time(char *to, const uint8_t *data, unsigned fsp)
{
    unsigned k = (fsp + 1) / 2; /* bytes of fraction; sign, time and fraction are one number */
    int64_t v = (int64_t)read_be(data, 3 + k) - ((int64_t)0x800000 << (8 * k));
    if (v < 0) *to++ = '-', v = -v;
    uint32_t fraction = (uint32_t)(v & ((1ll << (8 * k)) - 1)), hms = (uint32_t)(v >> (8 * k));
    unsigned hour = hms >> 12 & 1023;
    if (hour >= 100) *to++ = (char)('0' + hour / 100);
    to = put_clock(to, hour % 100, hms >> 6 & 63, hms & 63);
    return put_fraction(to, fraction, fsp);
}

static char *put_datetime(char *to, const uint8_t *data, unsigned fsp)
{
    uint64_t v = read_be(data, 5) & 0x7fffffffff;
    unsigned year_month = (unsigned)(v >> 22);
    to = put_date(to, year_month / 13, year_month % 13, (unsigned)(v >> 17) & 31);
    *to++ = ' ';
    to = put_clock(to, (unsigned)(v >> 12) & 31, (unsigned)(v >> 6) & 63, (unsigned)v & 63);
    return put_fraction(to, (uint32_t)read_be(data + 5, (fsp + 1) / 2), fsp);
}

/* Days since 1970-01-01 as a date of the Gregorian calendar, counted in years that begin in March. */
static char *put_days(char *to, uint32_t days)
{
    uint32_t z = days + 719468, era = z / 146097, day_of_era = z % 146097;
    uint32_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    uint32_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint32_t march_month = (5 * day_of_year + 2) / 153, day = day_of_year - (153 * march_month + 2) / 5 + 1;
    uint32_t month = march_month < 10 ? march_month + 3 : march_month - 9;
    return put_date(to, year_of_era + era * 400 + (month <= 2), month, day);
}

static char *put_timestamp(char *to, const uint8_t *data, unsigned fsp)
{
    uint32_t seconds = (uint32_t)read_be(data, 4), fraction = (uint32_t)read_be(data + 4, (fsp + 1) / 2);
    if (seconds == 0 && fraction == 0) {
        memcpy(to, "0000-00-00 00:00:00", 19);
        return put_fraction(to + 19, 0, fsp);
    }
    to = put_days(to, seconds / 86400);
    *to++ = ' ';
    uint32_t day = seconds % 86400;
    to = put_clock(to, day / 3600, day / 60 % 60, day % 60);
    return put_fraction(to, fraction, fsp);
}

/* ---- addresses ---- */

/* The stored bytes with the trailing zeros that the binlog drops. */
static void pad(uint8_t *to, size_t size, struct slice bytes)
{
    size_t have = bytes.size < size ? bytes.size : size;
    memset(to, 0, size);
    if (have) memcpy(to, bytes.data, have);
}

static char *put_uuid(char *to, struct slice bytes)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t b[16];
    pad(b, sizeof b, bytes);
    for (unsigned i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *to++ = '-';
        *to++ = hex[b[i] >> 4];
        *to++ = hex[b[i] & 15];
    }
    return to;
}

static char *put_inet(char *to, struct slice bytes, bool six)
{
    uint8_t b[16];
    pad(b, six ? 16 : 4, bytes);
    const char *text = inet_ntop(six ? AF_INET6 : AF_INET, b, to, INET6_ADDRSTRLEN);
    assert(text);
    return to + strlen(to);
}

static char *put_integer(char *to, const struct column *column, struct slice bytes)
{
    bool negative;
    uint64_t v = value_integer(column, bytes, &negative);
    if (negative) *to++ = '-', v = 0 - v;
    return put_number(to, v);
}

static char *put_packed_date(char *to, const uint8_t *data)
{
    uint32_t v = (uint32_t)read_le(data, 3);
    return put_date(to, v >> 9, v >> 5 & 15, v & 31);
}

size_t value_text(const struct column *column, struct slice bytes, char text[VALUE_TEXT_MAX])
{
    char *to = text;
    unsigned fraction = (column->scale + 1u) / 2;
    switch (column->kind) {
    case COLUMN_INT: to = put_integer(to, column, bytes); break;
    case COLUMN_FLOAT: to = put_float(to, value_double(column, bytes), true); break;
    case COLUMN_DOUBLE: to = put_float(to, value_double(column, bytes), false); break;
    case COLUMN_DECIMAL: return value_decimal_text(bytes, column->precision, column->scale, text);
    case COLUMN_YEAR: to = put4(to, bytes.data[0] ? 1900u + bytes.data[0] : 0); break;
    case COLUMN_DATE: assert(bytes.size >= 3); to = put_packed_date(to, bytes.data); break;
    case COLUMN_TIME: assert(bytes.size >= 3 + fraction); to = put_time(to, bytes.data, column->scale); break;
    case COLUMN_DATETIME: assert(bytes.size >= 5 + fraction); to = put_datetime(to, bytes.data, column->scale); break;
    case COLUMN_TIMESTAMP: assert(bytes.size >= 4 + fraction); to = put_timestamp(to, bytes.data, column->scale); break;
    case COLUMN_UUID: to = put_uuid(to, bytes); break;
    case COLUMN_INET4: to = put_inet(to, bytes, false); break;
    case COLUMN_INET6: to = put_inet(to, bytes, true); break;
    default: assert(!"value_text: kind without a text of fixed size");
    }
    *to = 0;
    return (size_t)(to - text);
}

void value_padded(const struct column *column, struct slice bytes, struct buf *out)
{
    buf_slice(out, bytes);
    if (bytes.size >= column->max_bytes) return;
    size_t missing = column->max_bytes - bytes.size;
    uint8_t *to = buf_reserve(out, missing);
    if (!to) return;
    memset(to, 0, missing);
    out->size += missing;
}

struct slice value_label(const struct column *column, uint64_t index)
{
    if (index == 0 || index > column->label_count) return (struct slice){(const uint8_t *)"", 0};
    return column->labels[index - 1];
}
