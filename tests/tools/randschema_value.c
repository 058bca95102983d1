/* randschema_value.c: a literal for a column: values at the limits of its type, and what else an application writes. */
#include "randschema.h"

static void put_hex(struct buf *sql, const uint8_t *bytes, size_t size)
{
    buf_text(sql, "X'");
    for (size_t i = 0; i < size; i++) buf_printf(sql, "%02x", bytes[i]);
    buf_u8(sql, '\'');
}

/* Bytes that a column of this kind has room for. */
static unsigned room_of(const char *kind)
{
    if (!strncmp(kind, "medium", 6) || !strncmp(kind, "long", 4)) return 4 << 20;
    return !strcmp(kind, "text") || !strcmp(kind, "blob") ? 65535 : 255;
}

/* What makes a row large: mostly some thousand bytes, seldom some megabytes. */
static unsigned large(unsigned room) { return 1 + below(chance(12) ? room : room < 40000 ? room : 40000); }

static void put_text_value(struct buf *sql, unsigned room)
{
    static const char *const words[] = {"", " ", "a", "A", "a ", "ä", "Ä", "ß", "ss", "ab", "AB", "é", "x y", "0", "1", "日本", "😀", "Жя", "Ω", "\\'", "\\\\", "%", "ı", "İ", "\\0", "\\n"};
    if (chance(4) && room > 5000) {
        bool wide = chance(50);
        buf_printf(sql, "REPEAT('%s', %u)", wide ? "é" : "xyz", large(room) / (wide ? 2 : 3) + 1);
        return;
    }
    buf_u8(sql, '\'');
    for (unsigned n = chance(60) ? 1 : below(12); n; n--) buf_text(sql, ONE_OF(words));
    buf_u8(sql, '\'');
}

static void put_bytes_value(struct buf *sql, unsigned room)
{
    uint8_t bytes[64];
    unsigned size = chance(20) ? 0 : below(chance(70) ? 8 : 64);
    for (unsigned i = 0; i < size; i++) bytes[i] = chance(40) ? 0 : chance(20) ? 255 : (uint8_t)draw();
    if (chance(3)) buf_printf(sql, "REPEAT(X'00ff27', %u)", large(room) / 3 + 1);
    else put_hex(sql, bytes, size);
}

static void put_int_value(struct buf *sql, const struct column *c)
{
    static const struct { const char *kind; unsigned bits; } sizes[] = {{"tinyint", 8}, {"smallint", 16}, {"mediumint", 24}, {"int", 32}, {"bigint", 64}};
    unsigned bits = 8;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        if (!strcmp(c->kind, sizes[i].kind)) bits = sizes[i].bits;
    uint64_t v = chance(60) ? below(20) : chance(30) ? UINT64_MAX : draw();
    if (bits < 64) v &= (UINT64_C(1) << bits) - 1;
    if (c->is_unsigned) buf_printf(sql, "%llu", (unsigned long long)v);
    else buf_printf(sql, "%lld", (long long)(bits < 64 && v >> (bits - 1) ? (int64_t)(v | ~UINT64_C(0) << bits) : (int64_t)v));
}

static void put_when(struct buf *sql, const char *kind)
{
    static const char *const dates[] = {"0000-00-00", "1000-01-01", "9999-12-31", "2024-02-29", "2023-00-00", "1970-01-01"};
    static const char *const stamps[] = {"0000-00-00 00:00:00", "1970-01-01 00:00:01", "2038-01-19 03:14:07", "2024-03-31 02:30:00", "2024-10-27 02:30:00.123456"};
    static const char *const times[] = {"838:59:59", "-838:59:59", "00:00:00", "-00:00:00.000001", "23:59:59.999999", "-12:34:56.5"};
    if (!strcmp(kind, "time")) buf_printf(sql, "'%s'", ONE_OF(times));
    else if (!strcmp(kind, "timestamp")) {
        if (chance(40)) buf_printf(sql, "'%s'", ONE_OF(stamps));
        else buf_printf(sql, "'%u-%02u-%02u %02u:%02u:%02u.%06u'", 1971 + below(66), 1 + below(12), 1 + below(28), below(24), below(60), below(60), below(1000000));
    } else if (!strcmp(kind, "date") || chance(30)) buf_printf(sql, "'%s'", ONE_OF(dates));
    else buf_printf(sql, "'%u-%02u-%02u %02u:%02u:%02u.%06u'", 1 + below(9999), 1 + below(12), 1 + below(28), below(24), below(60), below(60), below(1000000));
}

/* MySQL keeps a document in its own order and numbers, MariaDB as it was written: for both, those that are the same either way. */
static void put_document(struct buf *sql)
{
    static const char *const both[] = {"{\"a\": 1}", "[]", "null", "[1, 2.5, \"x\", {\"k\": [true, false, null]}]", "\"é\"", "-9223372036854775808", "18446744073709551615"};
    static const char *const own[] = {"1e100", "{\"b\": 2, \"a\": {\"é\": \"\"}}", "{\"a\": 1, \"a\": 2}", "[1.10, 0.0]"};
    if (!server.common && chance(30)) buf_printf(sql, "'%s'", ONE_OF(own));
    else if (chance(4)) buf_printf(sql, "CONCAT('[', REPEAT('17, ', %u), '\"e\"]')", large(200000) / 4);
    else buf_printf(sql, "'%s'", ONE_OF(both));
}

static void put_vector(struct buf *sql, const struct column *c)
{
    unsigned count = 1;
    (void)!sscanf(c->type, "vector(%u", &count);
    buf_printf(sql, "%s('[", server.maria ? "VEC_FromText" : "STRING_TO_VECTOR");
    for (unsigned i = 0; i < count; i++) buf_printf(sql, "%s%d.%u", i ? "," : "", (int)below(200) - 100, below(1000));
    buf_text(sql, "]')");
}

/* By the name of the type, as information_schema has it. */
static bool put_shape(struct buf *sql, const char *kind)
{
    static const struct { const char *kind, *text[2]; } shapes[] = {
        {"point", {"POINT(1 2)", "POINT(-1.5 1e100)"}}, {"linestring", {"LINESTRING(0 0,1 1,2 5)", "LINESTRING(0 0,1e-300 1)"}},
        {"polygon", {"POLYGON((0 0,10 0,10 10,0 10,0 0))", "POLYGON((0 0,9 0,9 9,0 9,0 0),(1 1,2 1,2 2,1 1))"}},
        {"multipoint", {"MULTIPOINT(1 2,3 4)", "MULTIPOINT(1 2)"}}, {"multilinestring", {"MULTILINESTRING((0 0,1 1),(2 2,3 3))", "MULTILINESTRING((0 0,1 1))"}},
        {"multipolygon", {"MULTIPOLYGON(((0 0,1 0,1 1,0 0)))", "MULTIPOLYGON(((0 0,1 0,1 1,0 0)),((5 5,6 5,6 6,5 5)))"}},
        {"geometrycollection", {"GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,1 1))", "GEOMETRYCOLLECTION(POINT(5 5))"}},
        {"geomcollection", {"GEOMETRYCOLLECTION(POINT(1 1),LINESTRING(0 0,1 1))", "GEOMETRYCOLLECTION(POINT(5 5))"}}};
    enum { SHAPES = sizeof shapes / sizeof *shapes };
    bool any = !strcmp(kind, "geometry");
    for (size_t i = any ? below(SHAPES) : 0; i < SHAPES; i++) {
        if (!any && strcmp(kind, shapes[i].kind)) continue;
        buf_printf(sql, "%s('%s')", server.maria || server.version >= 507 ? "ST_GeomFromText" : "GeomFromText", shapes[i].text[below(2)]);
        return true;
    }
    return false;
}

static bool ends(const char *text, const char *end)
{
    size_t a = strlen(text), b = strlen(end);
    return a >= b && !strcmp(text + a - b, end);
}

void put_value(struct buf *sql, const struct column *c)
{
    static const char *const decimals[] = {"0", "-0.5", "1", "99999999999999999999999999999999999999", "-99999999999999999999.99999999999", "0.0000000001", "123456789.987654321", "-1"};
    /* the first two make a negative zero, which MariaDB keeps as 0 */
    static const char *const reals[] = {"0", "-0e0", "1.1", "3.4028234e38", "-1.17549435e-38", "1.7976931348623157e308", "2.2250738585072014e-308", "0.1", "-123456.789"};
    static const char *const years[] = {"0", "1901", "2155", "2000", "1970"};
    const char *k = c->kind;
    if (c->nullable ? chance(15) : chance(1)) buf_text(sql, "NULL");
    else if (put_shape(sql, k)) return;
    else if (ends(k, "int")) put_int_value(sql, c);
    else if (!strcmp(k, "decimal")) buf_text(sql, ONE_OF(decimals));
    else if (!strcmp(k, "float") || !strcmp(k, "double")) buf_text(sql, reals[server.common ? 2 + below(sizeof reals / sizeof *reals - 2) : below(sizeof reals / sizeof *reals)]);
    else if (!strcmp(k, "bit")) buf_printf(sql, "%llu", (unsigned long long)(chance(40) ? UINT64_MAX >> below(64) : draw() >> below(64)));
    else if (!strcmp(k, "year")) buf_text(sql, ONE_OF(years));
    else if (!strcmp(k, "date") || !strcmp(k, "time") || !strcmp(k, "datetime") || !strcmp(k, "timestamp")) put_when(sql, k);
    else if (!strcmp(k, "enum") || !strcmp(k, "set")) buf_printf(sql, "%u", below(chance(80) ? 4 : 512));
    else if (!strcmp(k, "json")) put_document(sql);
    else if (!strcmp(k, "vector")) put_vector(sql, c);
    else if (!strcmp(k, "uuid")) buf_printf(sql, "'%08x-%04x-%04x-%04x-%012llx'", (unsigned)draw(), below(65536), below(65536), below(65536), (unsigned long long)(draw() >> 16));
    else if (!strcmp(k, "inet4")) buf_printf(sql, "'%u.%u.%u.%u'", below(256), below(256), below(3), below(2));
    else if (!strcmp(k, "inet6")) buf_printf(sql, "'%x::%x'", below(65536), below(3));
    else if (strstr(k, "blob") || strstr(k, "binary")) put_bytes_value(sql, room_of(k));
    else put_text_value(sql, room_of(k));
}
