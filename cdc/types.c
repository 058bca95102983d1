/* types.c: see types.h. One row per type number, one row per kind of optional metadata. */
#include "types.h"

#include <stdio.h>

#include "charset.h"
#include "layout.h"

enum { LABELS_MAX = 65535 }; /* of an ENUM */
enum { MAP_FLAGS_KNOWN = 0x4007 }; /* BIT_LEN_EXACT, REFERRED_FK_DB, GENERATED_INVISIBLE_PK (MySQL), HAS_TRIGGERS (MariaDB) */

typedef const char *fill_fn(struct column *column, const uint8_t *meta); /* what is wrong, or NULL */

struct type {
    const char *name; /* NULL: no such type */
    fill_fn *fill;    /* NULL: refused */
    uint8_t meta;     /* bytes of metadata */
};

static const char *fill_int(struct column *c, uint8_t width)
{
    c->kind = COLUMN_INT;
    c->width = width;
    return NULL;
}

static const char *fill_tiny(struct column *c, const uint8_t *meta) { (void)meta; return fill_int(c, 1); }
static const char *fill_short(struct column *c, const uint8_t *meta) { (void)meta; return fill_int(c, 2); }
static const char *fill_medium(struct column *c, const uint8_t *meta) { (void)meta; return fill_int(c, 3); }
static const char *fill_long(struct column *c, const uint8_t *meta) { (void)meta; return fill_int(c, 4); }
static const char *fill_longlong(struct column *c, const uint8_t *meta) { (void)meta; return fill_int(c, 8); }

static const char *fill_float(struct column *c, const uint8_t *meta)
{
    c->kind = COLUMN_FLOAT;
    return meta[0] == 4 ? NULL : "a FLOAT that is not 4 bytes";
}

static const char *fill_double(struct column *c, const uint8_t *meta)
{
    c->kind = COLUMN_DOUBLE;
    return meta[0] == 8 ? NULL : "a DOUBLE that is not 8 bytes";
}

static const char *fill_date(struct column *c, const uint8_t *meta)
{
    (void)meta;
    c->kind = COLUMN_DATE;
    return NULL;
}

static const char *fill_year(struct column *c, const uint8_t *meta)
{
    (void)meta;
    c->kind = COLUMN_YEAR;
    return NULL;
}

static const char *fill_fraction(struct column *c, enum column_kind kind, uint8_t fsp)
{
    c->kind = kind;
    c->scale = fsp;
    return fsp <= 6 ? NULL : "more than 6 fractional digits of a second";
}

static const char *fill_timestamp(struct column *c, const uint8_t *meta) { return fill_fraction(c, COLUMN_TIMESTAMP, meta[0]); }
static const char *fill_datetime(struct column *c, const uint8_t *meta) { return fill_fraction(c, COLUMN_DATETIME, meta[0]); }
static const char *fill_time(struct column *c, const uint8_t *meta) { return fill_fraction(c, COLUMN_TIME, meta[0]); }

static const char *fill_bit(struct column *c, const uint8_t *meta)
{
    unsigned bits = meta[1] * 8u + meta[0];
    c->kind = COLUMN_BIT;
    c->bits = (uint8_t)bits;
    return meta[0] < 8 && bits >= 1 && bits <= 64 ? NULL : "a BIT column that is not 1 to 64 bits";
}

static const char *fill_decimal(struct column *c, const uint8_t *meta)
{
    c->kind = COLUMN_DECIMAL;
    c->precision = meta[0];
    c->scale = meta[1];
    return c->precision >= 1 && c->precision <= 65 && c->scale <= 38 && c->scale <= c->precision ? NULL : "an impossible DECIMAL";
}

static const char *fill_varchar(struct column *c, const uint8_t *meta)
{
    c->kind = COLUMN_VARCHAR;
    c->max_bytes = meta[0] | (uint32_t)meta[1] << 8;
    c->width = c->max_bytes > 255 ? 2 : 1;
    return NULL;
}

static const char *fill_blob(struct column *c, const uint8_t *meta)
{
    c->kind = COLUMN_TEXT;
    c->width = meta[0];
    if (c->width < 1 || c->width > 4) return "a BLOB whose length is not 1 to 4 bytes";
    c->max_bytes = c->width == 4 ? UINT32_MAX : (1u << (8 * c->width)) - 1;
    return NULL;
}

/* The text that it becomes has the layout of MariaDB's, whose JSON is LONGTEXT utf8mb4_bin. */
static const char *fill_json(struct column *c, const uint8_t *meta)
{
    enum { COLLATION_UTF8MB4_BIN = 46, WIDTH = 4 };
    fill_blob(c, meta);
    c->kind = COLUMN_JSON;
    c->layout = LAYOUT_JSONB;
    c->collation = COLLATION_UTF8MB4_BIN;
    return meta[0] == WIDTH ? NULL : "a JSON column whose length is not 4 bytes";
}

static const char *fill_vector(struct column *c, const uint8_t *meta)
{
    const char *fault = fill_blob(c, meta);
    c->kind = COLUMN_VECTOR;
    c->collation = COLLATION_BINARY;
    return fault;
}

static const char *fill_blob_compressed(struct column *c, const uint8_t *meta)
{
    c->layout = LAYOUT_COMPRESSED;
    return fill_blob(c, meta);
}

/* Its longest value is one byte longer than its longest text: for the mark of a value that is not compressed. */
static const char *fill_varchar_compressed(struct column *c, const uint8_t *meta)
{
    fill_varchar(c, meta);
    if (!c->max_bytes) return "a compressed VARCHAR without room for anything";
    c->max_bytes--;
    c->width = c->max_bytes > 255 ? 2 : 1;
    c->layout = LAYOUT_COMPRESSED;
    return NULL;
}

static const char *fill_old(struct column *c, enum column_kind kind, enum column_layout layout)
{
    c->kind = kind;
    c->layout = layout;
    return NULL;
}

static const char *fill_old_timestamp(struct column *c, const uint8_t *meta)
{
    (void)meta;
    return fill_old(c, COLUMN_TIMESTAMP, LAYOUT_OLD_TIMESTAMP);
}

static const char *fill_old_time(struct column *c, const uint8_t *meta) { (void)meta; return fill_old(c, COLUMN_TIME, LAYOUT_OLD_TIME); }
static const char *fill_old_datetime(struct column *c, const uint8_t *meta)
{
    (void)meta;
    return fill_old(c, COLUMN_DATETIME, LAYOUT_OLD_DATETIME);
}

static const char *fill_geometry(struct column *c, const uint8_t *meta)
{
    const char *fault = fill_blob(c, meta);
    c->kind = COLUMN_GEOMETRY;
    return fault;
}

/* STRING stands for CHAR, BINARY, ENUM, SET; the two high bits of a long CHAR's length hide, inverted, in the type byte. */
static const char *fill_string(struct column *c, const uint8_t *meta)
{
    enum { ENUM = 247, SET = 248, STRING = 254 };
    if (meta[0] == ENUM || meta[0] == SET) {
        c->kind = meta[0] == ENUM ? COLUMN_ENUM : COLUMN_SET;
        c->width = meta[1];
        return c->width >= 1 && c->width <= (meta[0] == ENUM ? 2 : 8) ? NULL : "an ENUM or SET of an impossible size";
    }
    if ((meta[0] | 0x30) != STRING) return "a STRING column of an unknown real type";
    c->kind = COLUMN_CHAR;
    c->max_bytes = ((meta[0] & 0x30u) ^ 0x30u) << 4 | meta[1];
    c->width = c->max_bytes > 255 ? 2 : 1;
    return NULL;
}

static const struct type types[256] = {
    [0] = {"DECIMAL of MySQL 4", NULL, 0},
    [1] = {"TINYINT", fill_tiny, 0},
    [2] = {"SMALLINT", fill_short, 0},
    [3] = {"INT", fill_long, 0},
    [4] = {"FLOAT", fill_float, 1},
    [5] = {"DOUBLE", fill_double, 1},
    [6] = {"NULL", NULL, 0},
    [7] = {"TIMESTAMP of the old layout", fill_old_timestamp, 0},
    [8] = {"BIGINT", fill_longlong, 0},
    [9] = {"MEDIUMINT", fill_medium, 0},
    [10] = {"DATE", fill_date, 0},
    [11] = {"TIME of the old layout", fill_old_time, 0},
    [12] = {"DATETIME of the old layout", fill_old_datetime, 0},
    [13] = {"YEAR", fill_year, 0},
    [14] = {"DATE", fill_date, 0},
    [15] = {"VARCHAR", fill_varchar, 2},
    [16] = {"BIT", fill_bit, 2},
    [17] = {"TIMESTAMP", fill_timestamp, 1},
    [18] = {"DATETIME", fill_datetime, 1},
    [19] = {"TIME", fill_time, 1},
    [20] = {"array of MySQL", NULL, 0},
    [140] = {"BLOB COMPRESSED", fill_blob_compressed, 1},
    [141] = {"VARCHAR COMPRESSED", fill_varchar_compressed, 2},
    [242] = {"VECTOR", fill_vector, 1},
    [243] = {"INVALID of MySQL", NULL, 0},
    [244] = {"BOOL of MySQL", NULL, 0},
    [245] = {"JSON", fill_json, 1},
    [246] = {"DECIMAL", fill_decimal, 2},
    [247] = {"ENUM", NULL, 0},
    [248] = {"SET", NULL, 0},
    [249] = {"TINYBLOB", NULL, 0},
    [250] = {"MEDIUMBLOB", NULL, 0},
    [251] = {"LONGBLOB", NULL, 0},
    [252] = {"BLOB", fill_blob, 1},
    [253] = {"VARCHAR", fill_varchar, 2},
    [254] = {"CHAR", fill_string, 2},
    [255] = {"GEOMETRY", fill_geometry, 1},
};

bool types_head(struct slice body, struct types_head *head, struct err *err)
{
    struct cursor in = cursor_of(body);
    head->flags = cursor_u16(&in);
    head->database = cursor_bytes(&in, cursor_u8(&in));
    cursor_u8(&in);
    head->name = cursor_bytes(&in, cursor_u8(&in));
    cursor_u8(&in);
    head->columns = cursor_rest(&in);
    if (in.failed || !head->database.size || !head->name.size) return err_set(err, ERR_CORRUPT, "a table map without its names");
    return true;
}

static bool fill_column(const struct types_head *head, uint32_t i, uint8_t number, struct cursor *meta, struct column *column,
                        struct err *err)
{
    const struct type *type = &types[number];
    if (!type->fill)
        return err_set(err, ERR_UNSUPPORTED, "%.*s.%.*s, column %u: type %u (%s) is not captured by this release; what to do: change the "
                       "column's type on the source, or exclude the table in [filter]", SLICE_ARG(head->database), SLICE_ARG(head->name),
                       i + 1, number, type->name ? type->name : "unknown");
    struct slice bytes = cursor_bytes(meta, type->meta);
    if (meta->failed) return true; /* told once, by the caller */
    const char *fault = type->fill(column, bytes.data);
    if (!fault) return true;
    return err_set(err, ERR_CORRUPT, "%.*s.%.*s, column %u: %s", SLICE_ARG(head->database), SLICE_ARG(head->name), i + 1, fault);
}

/* ---- optional metadata ---- */

struct extra {
    struct table *draft;
    struct arena *arena;
    struct cursor in;
    bool mariadb;
};

typedef bool wanted_fn(const struct extra *extra, const struct column *column);
typedef void extra_fn(struct extra *extra);

static bool is_character(const struct extra *extra, const struct column *c)
{
    return c->kind == COLUMN_CHAR || c->kind == COLUMN_VARCHAR || c->kind == COLUMN_TEXT || c->kind == COLUMN_VECTOR ||
           (extra->mariadb && c->kind == COLUMN_GEOMETRY);
}

static bool is_labelled(const struct extra *extra, const struct column *c)
{
    (void)extra;
    return c->kind == COLUMN_ENUM || c->kind == COLUMN_SET;
}

static bool is_number(const struct column *c)
{
    return c->kind == COLUMN_INT || c->kind == COLUMN_FLOAT || c->kind == COLUMN_DOUBLE || c->kind == COLUMN_DECIMAL;
}

/* Whether YEAR has a bit differs between servers and is told by the number of bytes, where that tells anything. */
static void read_signs(struct extra *x)
{
    uint32_t numbers = 0, years = 0;
    for (uint32_t i = 0; i < x->draft->column_count; i++) {
        numbers += is_number(&x->draft->columns[i]);
        years += x->draft->columns[i].kind == COLUMN_YEAR;
    }
    struct slice bits = cursor_rest(&x->in);
    bool with_years = bits.size == (numbers + years + 7) / 8;
    if (!with_years && bits.size != (numbers + 7) / 8) {
        x->in.failed = true;
        return;
    }
    for (uint32_t i = 0, k = 0; i < x->draft->column_count; i++) {
        struct column *c = &x->draft->columns[i];
        if (is_number(c)) {
            c->is_unsigned = bits.data[k >> 3] >> (7 - (k & 7)) & 1;
            c->sign_known = true;
            k++;
        } else if (c->kind == COLUMN_YEAR) {
            c->is_unsigned = c->sign_known = true;
            k += with_years;
        }
    }
}

static uint16_t read_collation(struct extra *x)
{
    uint64_t id = cursor_lenenc(&x->in);
    if (id > UINT16_MAX) x->in.failed = true;
    return (uint16_t)id;
}

static void set_collation(struct column *c, uint16_t id)
{
    if (c->kind == COLUMN_ENUM || c->kind == COLUMN_SET) c->labels_collation = id;
    c->collation = id;
}

static void read_default_collation(struct extra *x, wanted_fn *wanted)
{
    uint16_t common = read_collation(x);
    struct cursor pairs = x->in;
    uint64_t other = cursor_left(&pairs) ? cursor_lenenc(&pairs) : UINT64_MAX;
    for (uint32_t i = 0, k = 0; i < x->draft->column_count; i++) {
        struct column *c = &x->draft->columns[i];
        if (!wanted(x, c)) continue;
        uint16_t id = common;
        if (k++ == other) {
            x->in = pairs;
            id = read_collation(x);
            pairs = x->in;
            other = cursor_left(&pairs) ? cursor_lenenc(&pairs) : UINT64_MAX;
        }
        set_collation(c, id);
    }
    x->in = pairs;
    if (other != UINT64_MAX) x->in.failed = true; /* an exception for a column that is not there */
}

static void read_each_collation(struct extra *x, wanted_fn *wanted)
{
    for (uint32_t i = 0; i < x->draft->column_count; i++)
        if (wanted(x, &x->draft->columns[i])) set_collation(&x->draft->columns[i], read_collation(x));
}

static void read_charset_default(struct extra *x) { read_default_collation(x, is_character); }
static void read_charsets(struct extra *x) { read_each_collation(x, is_character); }
static void read_label_charset_default(struct extra *x) { read_default_collation(x, is_labelled); }
static void read_label_charsets(struct extra *x) { read_each_collation(x, is_labelled); }

static void read_names(struct extra *x)
{
    for (uint32_t i = 0; i < x->draft->column_count; i++) x->draft->columns[i].name = cursor_lenenc_bytes(&x->in);
    x->draft->named = !x->in.failed;
}

static void read_labels(struct extra *x, enum column_kind kind)
{
    for (uint32_t i = 0; i < x->draft->column_count && !x->in.failed; i++) {
        struct column *c = &x->draft->columns[i];
        if (c->kind != kind) continue;
        uint64_t count = cursor_lenenc(&x->in);
        if (count > cursor_left(&x->in) || count > LABELS_MAX) { /* each takes a byte at least */
            x->in.failed = true;
            return;
        }
        c->labels = arena_alloc(x->arena, (size_t)count * sizeof *c->labels);
        c->label_count = (uint32_t)count;
        for (uint32_t k = 0; k < c->label_count; k++) c->labels[k] = cursor_lenenc_bytes(&x->in);
    }
}

static void read_set_labels(struct extra *x) { read_labels(x, COLUMN_SET); }
static void read_enum_labels(struct extra *x) { read_labels(x, COLUMN_ENUM); }

static void read_geometry(struct extra *x)
{
    for (uint32_t i = 0; i < x->draft->column_count; i++) {
        if (x->draft->columns[i].kind != COLUMN_GEOMETRY) continue;
        uint64_t type = cursor_lenenc(&x->in);
        if (type > 7) x->in.failed = true;
        x->draft->columns[i].geometry = (uint8_t)type;
    }
}

static void read_keys(struct extra *x, bool prefixes)
{
    struct table *draft = x->draft;
    draft->key = arena_alloc(x->arena, draft->column_count * sizeof *draft->key);
    draft->key_count = 0;
    while (cursor_left(&x->in)) {
        uint64_t column = cursor_lenenc(&x->in);
        if (prefixes) cursor_lenenc(&x->in); /* a prefix of a column still says which column */
        if (x->in.failed || column >= draft->column_count || draft->key_count == draft->column_count) {
            x->in.failed = true;
            return;
        }
        draft->key[draft->key_count++] = (uint16_t)column;
    }
}

static void read_key(struct extra *x) { read_keys(x, false); }
static void read_prefix_key(struct extra *x) { read_keys(x, true); }

/* An invisible column is in every row as the others are. */
static void read_visibility(struct extra *x) { cursor_bytes(&x->in, (x->draft->column_count + 7) / 8); }

static void read_dimensions(struct extra *x)
{
    for (uint32_t i = 0; i < x->draft->column_count; i++) {
        if (x->draft->columns[i].kind != COLUMN_VECTOR) continue;
        uint64_t count = cursor_lenenc(&x->in);
        if (count > UINT16_MAX) x->in.failed = true;
        else x->draft->columns[i].max_bytes = (uint32_t)count * 4; /* a FLOAT each */
    }
}

static extra_fn *const extras[] = {
    NULL, read_signs, read_charset_default, read_charsets, read_names, read_set_labels, read_enum_labels, read_geometry, read_key,
    read_prefix_key, read_label_charset_default, read_label_charsets, read_visibility, read_dimensions
};

static bool misfit(const struct table *draft, struct err *err)
{
    return err_set(err, ERR_CORRUPT, "the column metadata of %.*s.%.*s does not fit its %u columns", SLICE_ARG(draft->database),
                   SLICE_ARG(draft->name), draft->column_count);
}

/* Each carries its length, but none says that it may be passed over. */
static bool read_extras(struct cursor *in, bool mariadb, struct arena *arena, struct table *draft, struct err *err)
{
    while (cursor_left(in)) {
        uint8_t type = cursor_u8(in);
        struct extra x = {.draft = draft, .arena = arena, .mariadb = mariadb, .in = cursor_of(cursor_lenenc_bytes(in))};
        if (in->failed) break;
        if (type >= sizeof extras / sizeof *extras || !extras[type])
            return err_set(err, ERR_UNSUPPORTED, "%.*s.%.*s has metadata of type %u, which is unknown to this release; what to do: upgrade wolfcdc, or "
                           "SET GLOBAL binlog_row_metadata=MINIMAL on the source", SLICE_ARG(draft->database), SLICE_ARG(draft->name), type);
        extras[type](&x);
        if (x.in.failed || cursor_left(&x.in)) return misfit(draft, err);
    }
    return !in->failed || misfit(draft, err);
}

/* A string column with collation 63 holds bytes, not text. */
static void settle_binary(struct column *c)
{
    if (c->collation != COLLATION_BINARY) return;
    if (c->kind == COLUMN_CHAR) c->kind = COLUMN_BINARY;
    if (c->kind == COLUMN_VARCHAR) c->kind = COLUMN_VARBINARY;
    if (c->kind == COLUMN_TEXT) c->kind = COLUMN_BLOB;
}

static bool is_old(const struct column *c)
{
    return c->layout == LAYOUT_OLD_TIME || c->layout == LAYOUT_OLD_DATETIME || c->layout == LAYOUT_OLD_TIMESTAMP;
}

bool types_lacks_fraction(const struct column *column) { return is_old(column) && column->scale == LAYOUT_FSP_UNKNOWN; }

static bool collation_check(const struct table *table, uint32_t i, uint16_t collation, struct err *err)
{
    if (!collation || charset_name(collation)) return true;
    return err_set(err, ERR_UNSUPPORTED, "%.*s.%.*s, column %u (%.*s): collation %u is unknown to this release, so that its characters cannot be "
                   "told; what to do: change the column's collation on the source, or exclude the table in [filter]",
                   SLICE_ARG(table->database), SLICE_ARG(table->name), i + 1, SLICE_ARG(table->columns[i].name), collation);
}

bool types_check(const struct table *table, struct err *err)
{
    for (uint32_t i = 0; i < table->column_count; i++) {
        const struct column *c = &table->columns[i];
        if (!collation_check(table, i, c->collation, err) || !collation_check(table, i, c->labels_collation, err)) return false;
        if (!types_lacks_fraction(c)) continue;
        return err_set(err, ERR_UNSUPPORTED, "%.*s.%.*s, column %u (%.*s): a %s of the old layout (mysql56_temporal_format=OFF), whose "
                       "fractional digits only the table's definition tells; what to do: GRANT SELECT ON %.*s.* to the account of [source], or give "
                       "the definition", SLICE_ARG(table->database), SLICE_ARG(table->name), i + 1, SLICE_ARG(c->name), column_kind_name(c->kind),
                       SLICE_ARG(table->database));
    }
    return true;
}

bool types_draft(const struct types_head *head, bool mariadb, struct arena *arena, struct table *draft, struct err *err)
{
    struct cursor in = cursor_of(head->columns);
    struct table d = {.database = head->database, .name = head->name};
    uint64_t count = cursor_lenenc(&in);
    struct slice numbers = cursor_bytes(&in, count <= COLUMN_COUNT_MAX ? (size_t)count : SIZE_MAX);
    struct cursor meta = cursor_of(cursor_lenenc_bytes(&in));
    struct slice nulls = cursor_bytes(&in, (numbers.size + 7) / 8);
    if (head->flags & ~MAP_FLAGS_KNOWN)
        return err_set(err, ERR_UNSUPPORTED, "the map of %.*s.%.*s has flags %04x, of which this release knows %04x; what to do: upgrade wolfcdc",
                       SLICE_ARG(head->database), SLICE_ARG(head->name), head->flags, MAP_FLAGS_KNOWN);
    if (in.failed || !count)
        return err_set(err, ERR_CORRUPT, "the map of %.*s.%.*s is cut short", SLICE_ARG(head->database), SLICE_ARG(head->name));
    d.column_count = (uint32_t)count;
    d.columns = arena_alloc(arena, d.column_count * sizeof *d.columns);
    for (uint32_t i = 0; i < d.column_count; i++) {
        d.columns[i].nullable = nulls.data[i >> 3] >> (i & 7) & 1;
        if (!fill_column(head, i, numbers.data[i], &meta, &d.columns[i], err)) return false;
    }
    if (meta.failed || cursor_left(&meta)) return misfit(&d, err);
    if (!read_extras(&in, mariadb, arena, &d, err)) return false;
    for (uint32_t i = 0; i < d.column_count; i++) {
        settle_binary(&d.columns[i]);
        if (mariadb && is_old(&d.columns[i])) d.columns[i].scale = LAYOUT_FSP_UNKNOWN;
    }
    *draft = d;
    return true;
}

/* ---- what the dictionary adds ---- */

/* Kinds of one family are laid out alike: which of them it is, only the dictionary knows. */
static int family(enum column_kind kind)
{
    switch (kind) {
    case COLUMN_CHAR: case COLUMN_BINARY: case COLUMN_UUID: case COLUMN_INET4: case COLUMN_INET6: return COLUMN_CHAR;
    case COLUMN_VARCHAR: case COLUMN_VARBINARY: case COLUMN_VECTOR: return COLUMN_VARCHAR;
    case COLUMN_TEXT: case COLUMN_BLOB: case COLUMN_JSON: return COLUMN_TEXT;
    default: return kind;
    }
}

static bool fits(uint32_t known, uint32_t said) { return !known || known == said; }

static bool column_fits(const struct column *said, const struct column *known)
{
    if (family(said->kind) != family(known->kind)) return false;
    if (said->kind == COLUMN_DECIMAL && said->precision != known->precision) return false;
    return fits(known->width, said->width) && (said->scale == known->scale || types_lacks_fraction(said)) && said->bits == known->bits &&
           (family(said->kind) == COLUMN_TEXT || fits(known->max_bytes, said->max_bytes));
}

static void describe(const struct column *c, char text[120])
{
    snprintf(text, 120, "%s width %u max_bytes %u precision %u scale %u bits %u", column_kind_name(c->kind), c->width, c->max_bytes,
             c->precision, c->scale, c->bits);
}

bool types_merge(const struct table *draft, struct table *known, struct err *err)
{
    if (draft->column_count != known->column_count)
        return err_set(err, ERR_STOP, "%.*s.%.*s had %u columns when this was written, the server's dictionary now says %u; what to do: "
                       "set binlog_row_metadata=FULL on the source, and start after the change of the table", SLICE_ARG(draft->database),
                       SLICE_ARG(draft->name), draft->column_count, known->column_count);
    for (uint32_t i = 0; i < draft->column_count; i++) {
        const struct column *said = &draft->columns[i];
        struct column *c = &known->columns[i];
        if (!column_fits(said, c)) {
            char a[120], b[120];
            describe(said, a);
            describe(c, b);
            return err_set(err, ERR_STOP, "%.*s.%.*s, column %u (%.*s): the binary log says %s, the server's dictionary says %s; what to "
                           "do: set binlog_row_metadata=FULL on the source, and start after the change of the table",
                           SLICE_ARG(draft->database), SLICE_ARG(draft->name), i + 1, SLICE_ARG(c->name), a, b);
        }
        c->width = said->width;
        c->max_bytes = said->max_bytes;
        c->layout = said->layout;
        c->nullable = said->nullable;
        c->geometry = said->geometry ? said->geometry : c->geometry;
        if (said->sign_known) c->is_unsigned = said->is_unsigned;
        if (said->collation) c->collation = said->collation;
        c->sign_known = true;
        settle_binary(c);
    }
    known->database = draft->database;
    known->name = draft->name;
    if (draft->key_count) {
        known->key = draft->key;
        known->key_count = draft->key_count;
    }
    return true;
}

bool types_may_be_json(const struct column *column)
{
    enum { LONGTEXT_WIDTH = 4, COLLATION_UTF8MB4_BIN = 46 };
    return column->kind == COLUMN_TEXT && column->width == LONGTEXT_WIDTH && column->collation == COLLATION_UTF8MB4_BIN;
}
