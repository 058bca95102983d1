/* table.c: see table.h. */
#include "table.h"

#include <assert.h>
#include <isa-l/crc.h>
#include <stdlib.h>
#include <strings.h>

#include "row_plan.h"
#include "value.h"

enum { LABELS_MAX = 65535, LABEL_BYTES_MAX = 4096, PART_SIGNED_KNOWN = 4, PART_UNSIGNED = 1, PART_NULLABLE = 2 };

/* What each kind is called and how its bytes are counted. */
static const struct kind_facts {
    const char *name;
    bool prefix, text;
} kinds[COLUMN_KINDS] = {
    [COLUMN_INT] = {"int", false, false},
    [COLUMN_FLOAT] = {"float", false, false},
    [COLUMN_DOUBLE] = {"double", false, false},
    [COLUMN_DECIMAL] = {"decimal", false, false},
    [COLUMN_YEAR] = {"year", false, false},
    [COLUMN_DATE] = {"date", false, false},
    [COLUMN_TIME] = {"time", false, false},
    [COLUMN_DATETIME] = {"datetime", false, false},
    [COLUMN_TIMESTAMP] = {"timestamp", false, false},
    [COLUMN_BIT] = {"bit", false, false},
    [COLUMN_ENUM] = {"enum", false, false},
    [COLUMN_SET] = {"set", false, false},
    [COLUMN_CHAR] = {"char", true, true},
    [COLUMN_VARCHAR] = {"varchar", true, true},
    [COLUMN_TEXT] = {"text", true, true},
    [COLUMN_BINARY] = {"binary", true, false},
    [COLUMN_VARBINARY] = {"varbinary", true, false},
    [COLUMN_BLOB] = {"blob", true, false},
    [COLUMN_GEOMETRY] = {"geometry", true, false},
    [COLUMN_JSON] = {"json", true, true},
    [COLUMN_VECTOR] = {"vector", true, false},
    [COLUMN_UUID] = {"uuid", true, false},
    [COLUMN_INET4] = {"inet4", true, false},
    [COLUMN_INET6] = {"inet6", true, false},
};

const char *column_kind_name(enum column_kind kind)
{
    return kind > 0 && kind < COLUMN_KINDS ? kinds[kind].name : "unknown";
}

bool column_is_text(const struct column *column)
{
    return kinds[column->kind].text && column->collation != COLLATION_BINARY;
}

bool column_has_prefix(enum column_kind kind) { return kinds[kind].prefix; }

static unsigned fraction_bytes(const struct column *c) { return (c->scale + 1u) / 2; }

/* Bytes of a value without length prefix; 0 when the column cannot be. */
static unsigned fixed_bytes(const struct column *c)
{
    switch (c->kind) {
    case COLUMN_INT: return c->width == 1 || c->width == 2 || c->width == 3 || c->width == 4 || c->width == 8 ? c->width : 0;
    case COLUMN_FLOAT: return 4;
    case COLUMN_DOUBLE: return 8;
    case COLUMN_DECIMAL:
        if (!c->precision || c->precision > 65 || c->scale > 38 || c->scale > c->precision) return 0;
        return value_decimal_size(c->precision, c->scale);
    case COLUMN_YEAR: return 1;
    case COLUMN_DATE: return 3;
    case COLUMN_TIME: return c->scale > 6 ? 0 : 3 + fraction_bytes(c);
    case COLUMN_DATETIME: return c->scale > 6 ? 0 : 5 + fraction_bytes(c);
    case COLUMN_TIMESTAMP: return c->scale > 6 ? 0 : 4 + fraction_bytes(c);
    case COLUMN_BIT: return c->bits && c->bits <= 64 ? (c->bits + 7u) / 8 : 0;
    case COLUMN_ENUM: return c->width == 1 || c->width == 2 ? c->width : 0;
    case COLUMN_SET: return c->width && c->width <= 8 ? c->width : 0;
    default: return 0;
    }
}

static const char *column_fault(const struct column *c)
{
    if (c->kind <= 0 || c->kind >= COLUMN_KINDS) return "a column of an unknown kind";
    if (c->name.size > TABLE_NAME_MAX) return "a column name longer than 256 bytes";
    if (c->label_count > LABELS_MAX) return "more than 65535 ENUM or SET members";
    if (kinds[c->kind].prefix) return c->width >= 1 && c->width <= 4 ? NULL : "a length prefix that is not 1 to 4 bytes";
    return fixed_bytes(c) ? NULL : "a column whose width, precision or scale cannot be";
}

static const char *draft_fault(const struct table *d)
{
    if (!d->column_count || d->column_count > COLUMN_COUNT_MAX) return "no columns, or more than 4096";
    if (!d->name.size || d->name.size > TABLE_NAME_MAX || d->database.size > TABLE_NAME_MAX)
        return "a table or database name that is empty or longer than 256 bytes";
    for (uint32_t i = 0; i < d->column_count; i++) {
        const char *fault = column_fault(&d->columns[i]);
        if (fault) return fault;
    }
    if (d->key_count > d->column_count) return "a primary key with more columns than the table";
    for (uint32_t i = 0; i < d->key_count; i++)
        if (d->key[i] >= d->column_count) return "a primary key column that the table does not have";
    return NULL;
}

static void copy_column(struct arena *arena, struct column *to, const struct column *from)
{
    *to = *from;
    to->fixed = (uint8_t)fixed_bytes(from);
    to->name = arena_copy(arena, from->name);
    if (!from->label_count) {
        to->labels = NULL;
        return;
    }
    to->labels = arena_alloc(arena, from->label_count * sizeof *to->labels);
    for (uint32_t i = 0; i < from->label_count; i++) to->labels[i] = arena_copy(arena, from->labels[i]);
}

static uint32_t names_crc(const struct table *t)
{
    uint8_t nul = 0;
    uint32_t crc = crc32_iscsi((unsigned char *)t->database.data, (int)t->database.size, 0);
    crc = crc32_iscsi(&nul, 1, crc);
    return crc32_iscsi((unsigned char *)t->name.data, (int)t->name.size, crc);
}

/* MariaDB keeps the hash of each UNIQUE key over a whole TEXT or BLOB in a column behind all others that only the binary log shows. */
static bool is_hash_of_key(const struct column *column)
{
    static const char prefix[] = "DB_ROW_HASH_";
    struct slice name = column->name;
    size_t i = sizeof prefix - 1;
    if (column->kind != COLUMN_INT || column->width != 8 || name.size <= i || memcmp(name.data, prefix, i)) return false;
    if (column->sign_known && !column->is_unsigned) return false;
    while (i < name.size && name.data[i] >= '0' && name.data[i] <= '9') i++;
    return i == name.size;
}

struct table *table_new(const struct table *draft, uint32_t id, const char **reason)
{
    *reason = draft_fault(draft);
    if (*reason) return NULL;
    struct table *t = calloc(1, sizeof *t);
    if (!t) abort();
    arena_init(&t->arena);
    t->id = id;
    t->database = arena_copy(&t->arena, draft->database);
    t->name = arena_copy(&t->arena, draft->name);
    t->column_count = draft->column_count;
    t->columns = arena_alloc(&t->arena, t->column_count * sizeof *t->columns);
    for (uint32_t i = 0; i < t->column_count; i++) copy_column(&t->arena, &t->columns[i], &draft->columns[i]);
    for (uint32_t i = 0; i < t->column_count; i++) t->foreign |= t->columns[i].layout != LAYOUT_SAME;
    t->key_count = draft->key_count;
    if (t->key_count) {
        t->key = arena_alloc(&t->arena, t->key_count * sizeof *t->key);
        memcpy(t->key, draft->key, t->key_count * sizeof *t->key);
    }
    t->named = draft->named;
    t->names_crc = names_crc(t);
    t->null_bytes = (t->column_count + 7) / 8;
    while (t->hash_count < t->column_count && is_hash_of_key(&t->columns[t->column_count - t->hash_count - 1])) t->hash_count++;
    row_plan_make(t);
    struct buf encoded;
    buf_init(&encoded, SIZE_MAX / 2);
    table_encode(t, &encoded);
    t->encoded = arena_copy(&t->arena, buf_bytes(&encoded));
    buf_fini(&encoded);
    return t;
}

void table_free(struct table *table)
{
    if (!table) return;
    arena_fini(&table->arena);
    free(table);
}

static void encode_column(const struct column *c, struct buf *out)
{
    buf_u8(out, (uint8_t)c->kind);
    buf_u8(out, (uint8_t)((c->is_unsigned ? PART_UNSIGNED : 0) | (c->nullable ? PART_NULLABLE : 0) |
                          (c->sign_known ? PART_SIGNED_KNOWN : 0)));
    buf_u8(out, c->width);
    buf_u8(out, c->precision);
    buf_u8(out, c->scale);
    buf_u8(out, c->bits);
    buf_u8(out, c->geometry);
    buf_varint(out, c->collation);
    buf_varint(out, c->max_bytes);
    buf_varint_bytes(out, c->name);
    buf_varint(out, c->labels_collation);
    buf_varint(out, c->label_count);
    for (uint32_t i = 0; i < c->label_count; i++) buf_varint_bytes(out, c->labels[i]);
}

void table_encode(const struct table *draft, struct buf *out)
{
    buf_varint_bytes(out, draft->database);
    buf_varint_bytes(out, draft->name);
    buf_u8(out, draft->named);
    buf_varint(out, draft->column_count);
    for (uint32_t i = 0; i < draft->column_count; i++) encode_column(&draft->columns[i], out);
    buf_varint(out, draft->key_count);
    for (uint32_t i = 0; i < draft->key_count; i++) buf_varint(out, draft->key[i]);
}

/* A count of things that take at least one byte each, so that it bounds what is allocated. */
static uint32_t take_count(struct cursor *in, uint32_t max)
{
    uint64_t n = cursor_varint(in);
    if (n > max || n > cursor_left(in)) in->failed = true;
    return in->failed ? 0 : (uint32_t)n;
}

static uint32_t take_up_to(struct cursor *in, uint32_t max)
{
    uint64_t n = cursor_varint(in);
    if (n > max) in->failed = true;
    return in->failed ? 0 : (uint32_t)n;
}

static void decode_column(struct cursor *in, struct arena *arena, struct column *c)
{
    c->kind = (enum column_kind)cursor_u8(in);
    uint8_t parts = cursor_u8(in);
    c->is_unsigned = parts & PART_UNSIGNED;
    c->nullable = parts & PART_NULLABLE;
    c->sign_known = parts & PART_SIGNED_KNOWN;
    c->width = cursor_u8(in);
    c->precision = cursor_u8(in);
    c->scale = cursor_u8(in);
    c->bits = cursor_u8(in);
    c->geometry = cursor_u8(in);
    c->collation = (uint16_t)take_up_to(in, UINT16_MAX);
    c->max_bytes = take_up_to(in, UINT32_MAX);
    c->name = cursor_varint_bytes(in);
    c->labels_collation = (uint16_t)take_up_to(in, UINT16_MAX);
    c->label_count = take_count(in, LABELS_MAX);
    if (!c->label_count) return;
    c->labels = arena_alloc(arena, c->label_count * sizeof *c->labels);
    for (uint32_t i = 0; i < c->label_count; i++) c->labels[i] = cursor_varint_bytes(in);
}

struct table *table_decode(struct slice bytes, uint32_t id, const char **reason)
{
    struct cursor in = cursor_of(bytes);
    struct arena arena;
    struct table draft = {0}, *table = NULL;
    arena_init(&arena);
    draft.database = cursor_varint_bytes(&in);
    draft.name = cursor_varint_bytes(&in);
    draft.named = cursor_u8(&in) == 1;
    draft.column_count = take_count(&in, COLUMN_COUNT_MAX);
    draft.columns = arena_alloc(&arena, draft.column_count * sizeof *draft.columns);
    for (uint32_t i = 0; i < draft.column_count && !in.failed; i++) decode_column(&in, &arena, &draft.columns[i]);
    draft.key_count = take_count(&in, COLUMN_COUNT_MAX);
    draft.key = arena_alloc(&arena, draft.key_count * sizeof *draft.key);
    for (uint32_t i = 0; i < draft.key_count; i++) draft.key[i] = (uint16_t)take_up_to(&in, COLUMN_COUNT_MAX);
    *reason = "the bytes of a table definition end too early or too late";
    if (!in.failed && !cursor_left(&in)) table = table_new(&draft, id, reason);
    arena_fini(&arena);
    return table;
}

int table_column(const struct table *table, struct slice name)
{
    for (uint32_t i = 0; i < table->column_count; i++) {
        struct slice other = table->columns[i].name;
        if (other.size == name.size && !strncasecmp((const char *)other.data, (const char *)name.data, name.size)) return (int)i;
    }
    return -1;
}

bool table_is_sequence(const struct table *table)
{
    static const char *const names[] = {"next_not_cached_value", "minimum_value", "maximum_value", "start_value",
                                        "increment", "cache_size", "cycle_option", "cycle_count"};
    enum { COUNT = sizeof names / sizeof *names };
    if (table->column_count != COUNT || !table->named || table->key_count) return false;
    for (uint32_t i = 0; i < COUNT; i++)
        if (!slice_is(table->columns[i].name, names[i])) return false;
    return true;
}
