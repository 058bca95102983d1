/*
 * mask.c: see mask.h. What is to be done with a table's columns is worked out when the first row of a definition comes, and kept with it.
 */
#include "mask.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "charset.h"
#include "config.h"
#include "filter.h"
#include "sha256.h"

enum { TABLES_MAX = 4096, KEY_MIN = 16, DIGITS_MIN = 16, BYTES_MIN = 8, ROUNDS = 10, IMAGE_MAX = 1 << 30, NAME_ROOM = 900 };

enum way { WAY_NONE, WAY_HASH, WAY_FIXED, WAY_NULL, WAY_EXCLUDE };
static const char *const keys[] = {"", "mask_hash", "mask_fixed", "mask_null", "exclude_columns"};

struct rule { enum way way; struct slice database, table, column, value; };

struct todo { /* for one column */
    enum way way;
    uint32_t room;     /* characters or bytes of a hash */
    uint8_t unit;      /* bytes of one character */
    bool little;       /* the low byte first */
    struct slice value; /* fixed, as it stands in an image */
};

struct masked_table { uint32_t names_crc; bool any; struct slice encoded; struct todo *todo; };

struct mask {
    struct arena arena;  /* of the rules */
    size_t rule_count;
    struct rule *rules;
    struct hmac hmac;
    uint32_t print;
    size_t table_count, last;
    struct masked_table *tables;
    struct arena todos;
    struct value *values;
    struct buf images[2], presents[2];
};

/* ---- the rules ---- */

static bool matches(struct slice pattern, struct slice text) { return filter_matches(pattern, text, true); }

static const struct rule *rule_of(const struct mask *mask, struct slice database, struct slice table, struct slice column)
{
    for (size_t i = 0; i < mask->rule_count; i++) {
        const struct rule *r = &mask->rules[i];
        if (matches(r->column, column) && matches(r->table, table) && matches(r->database, database)) return r;
    }
    return NULL;
}

static bool table_may(const struct mask *mask, struct slice database, struct slice table)
{
    for (size_t i = 0; i < mask->rule_count; i++)
        if (matches(mask->rules[i].table, table) && matches(mask->rules[i].database, database)) return true;
    return false;
}

/* Up to the next `sign`, which is taken as well; false: there is none. */
static bool part(struct slice *rest, char sign, struct slice *out)
{
    const uint8_t *at = rest->size ? memchr(rest->data, sign, rest->size) : NULL;
    if (!at) return false;
    *out = slice_of(rest->data, (size_t)(at - rest->data));
    rest->size -= out->size + 1;
    rest->data = at + 1;
    return out->size > 0;
}

static bool add_rules(struct mask *mask, enum way way, const struct strings *from, struct err *err)
{
    for (size_t i = 0; i < from->count; i++) {
        struct rule rule = {.way = way};
        struct slice rest = arena_copy(&mask->arena, slice_text(from->items[i]));
        bool good = part(&rest, '.', &rule.database) && part(&rest, '.', &rule.table) && (way != WAY_FIXED || part(&rest, '=', &rule.column));
        if (way == WAY_FIXED) rule.value = rest;
        else rule.column = rest;
        if (!good || !rule.column.size)
            return err_set(err, ERR_CONFIG, "filter.%s: '%s': expected \"database.table.column%s\"", keys[way], from->items[i],
                           way == WAY_FIXED ? "=value" : "");
        mask->rules[mask->rule_count++] = rule;
        for (const char *c = from->items[i]; *c; c++) mask->print = (mask->print ^ (uint8_t)*c) * 16777619u;
        mask->print = (mask->print ^ way) * 16777619u;
    }
    return true;
}

static bool read_key(struct mask *mask, const char *path, struct err *err)
{
    char text[CONFIG_SECRET_MAX];
    uint8_t print[SHA256_SIZE];
    if (!path) return err_set(err, ERR_CONFIG, "filter.mask_hash needs filter.mask_key_file");
    if (!secret_file(path, text, err)) return err_context(err, "filter.mask_key_file");
    size_t size = strlen(text);
    if (size < KEY_MIN) return err_set(err, ERR_CONFIG, "filter.mask_key_file: the key has %zu characters, needed are %d: it is all that stands "
                                       "against trying values out", size, KEY_MIN);
    hmac_key(&mask->hmac, slice_of(text, size));
    hmac_of(&mask->hmac, slice_text("wolfcdc filter print"), print);
    memcpy(&mask->print, print, 4);
    return true;
}

bool mask_new(const struct filter_settings *settings, struct mask **out, struct err *err)
{
    const struct strings *lists[] = {NULL, &settings->mask_hash, &settings->mask_fixed, &settings->mask_null, &settings->exclude_columns};
    size_t count = 0;
    for (enum way way = WAY_HASH; way <= WAY_EXCLUDE; way++) count += lists[way]->count;
    *out = NULL;
    if (!count) return true;
    struct mask *mask = calloc(1, sizeof *mask);
    if (!mask) abort();
    arena_init(&mask->arena);
    arena_init(&mask->todos);
    for (int i = 0; i < 2; i++) {
        buf_init(&mask->images[i], IMAGE_MAX);
        buf_init(&mask->presents[i], COLUMN_COUNT_MAX);
    }
    mask->rules = arena_alloc(&mask->arena, count * sizeof *mask->rules);
    mask->tables = calloc(TABLES_MAX, sizeof *mask->tables);
    mask->values = calloc(COLUMN_COUNT_MAX, sizeof *mask->values);
    if (!mask->tables || !mask->values) abort();
    bool ok = !settings->mask_hash.count || read_key(mask, settings->mask_key_file, err);
    for (enum way way = WAY_HASH; ok && way <= WAY_EXCLUDE; way++) ok = add_rules(mask, way, lists[way], err);
    if (ok) *out = mask;
    else mask_free(mask);
    return ok;
}

void mask_free(struct mask *mask)
{
    if (!mask) return;
    for (int i = 0; i < 2; i++) {
        buf_fini(&mask->images[i]);
        buf_fini(&mask->presents[i]);
    }
    arena_fini(&mask->arena);
    arena_fini(&mask->todos);
    free(mask->tables);
    free(mask->values);
    free(mask);
}

uint32_t mask_print(const struct mask *mask) { return mask ? mask->print : 0; }

bool mask_check(const struct mask *mask, struct db *db, struct err *err)
{
    struct db_result *r;
    bool ok = true;
    if (!db_query(db, &r, err, "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, INDEX_NAME FROM information_schema.STATISTICS WHERE NON_UNIQUE=0 "
                  "AND COLUMN_NAME IS NOT NULL AND TABLE_SCHEMA NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys', 'wolfcdc')"))
        return err_context(err, "reading the unique keys of masked tables");
    for (uint64_t i = 0; ok && i < r->row_count; i++) {
        struct slice names[3];
        for (uint32_t k = 0; k < 3; k++) {
            size_t size = 0;
            const char *text = db_value(r, i, k, &size);
            names[k] = slice_of(text, size);
        }
        const struct rule *rule = rule_of(mask, names[0], names[1], names[2]);
        if (!rule || rule->way == WAY_HASH) continue;
        ok = err_set(err, ERR_STOP, "%.*s.%.*s.%.*s is in the unique key %s: filter.%s would make its rows one; what to do: name it in mask_hash",
                     SLICE_ARG(names[0]), SLICE_ARG(names[1]), SLICE_ARG(names[2]), db_value(r, i, 3, NULL), keys[rule->way]);
    }
    db_result_free(r);
    return ok;
}

/* ---- what is done with a column ---- */

static bool is_bytes(enum column_kind kind)
{
    return kind == COLUMN_BINARY || kind == COLUMN_VARBINARY || kind == COLUMN_BLOB || kind == COLUMN_UUID || kind == COLUMN_INET6;
}

static bool is_text(const struct column *c)
{
    return c->kind == COLUMN_CHAR || c->kind == COLUMN_VARCHAR || c->kind == COLUMN_TEXT;
}

/* Bytes of one character: the least (what an ASCII character takes) and the most. */
static void widths(const struct column *c, uint8_t *least, uint8_t *most, bool *little)
{
    static const struct { const char *name; uint8_t least, most; } charsets[] = {
        {"utf8mb3", 1, 3}, {"utf8", 1, 3}, {"utf8mb4", 1, 4}, {"ucs2", 2, 2}, {"utf16", 2, 4}, {"utf16le", 2, 4}, {"utf32", 4, 4}, {"big5", 1, 2},
        {"sjis", 1, 2}, {"cp932", 1, 2}, {"gbk", 1, 2}, {"gb2312", 1, 2}, {"euckr", 1, 2}, {"ujis", 1, 3}, {"eucjpms", 1, 3}, {"gb18030", 1, 4}};
    const char *name = charset_name(c->collation);
    *least = 1;
    *most = c->collation ? 1 : 4;
    *little = name && !strcmp(name, "utf16le");
    for (size_t i = 0; name && i < sizeof charsets / sizeof *charsets; i++)
        if (!strcmp(name, charsets[i].name)) *least = charsets[i].least, *most = charsets[i].most;
}

static void put_char(const struct todo *todo, uint8_t c, struct buf *out)
{
    for (uint8_t i = 0; i < todo->unit; i++) buf_u8(out, i == (todo->little ? 0 : todo->unit - 1) ? c : 0);
}

static bool fixed_value(struct mask *mask, const struct column *c, struct slice text, struct todo *todo)
{
    struct buf out;
    bool ok = true;
    buf_init(&out, 1 << 16);
    if (c->kind == COLUMN_INT) {
        char number[24], *end;
        snprintf(number, sizeof number, "%.*s", SLICE_ARG(text));
        errno = 0;
        bool negative = number[0] == '-';
        uint64_t v = negative ? (uint64_t)strtoll(number, &end, 10) : strtoull(number, &end, 10);
        unsigned bits = 8u * c->width - !c->is_unsigned;
        ok = text.size && text.size < sizeof number && !*end && !errno && !(negative && c->is_unsigned);
        if (negative) ok = ok && (bits >= 63 || (int64_t)v >= -(INT64_C(1) << bits));
        else ok = ok && (bits == 64 || v >> bits == 0);
        buf_le(&out, v, c->width);
    } else {
        for (size_t i = 0; i < text.size; i++) {
            ok = ok && (todo->unit == 0 || text.data[i] < 128);
            if (todo->unit) put_char(todo, text.data[i], &out);
            else buf_u8(&out, text.data[i]);
        }
        ok = ok && text.size <= todo->room && (is_text(c) || is_bytes(c->kind));
    }
    todo->value = arena_copy(&mask->todos, buf_bytes(&out));
    buf_fini(&out);
    return ok;
}

static bool is_key(const struct table *table, uint32_t column)
{
    for (uint32_t i = 0; i < table->key_count; i++)
        if (table->key[i] == column) return true;
    return false;
}

static bool refuse(const struct table *t, uint32_t i, enum way way, const char *why, struct err *err)
{
    return err_set(err, ERR_STOP, "filter.%s cannot be done to %.*s.%.*s.%.*s: %s", keys[way], SLICE_ARG(t->database), SLICE_ARG(t->name),
                   SLICE_ARG(t->columns[i].name), why);
}

static bool plan_column(struct mask *mask, const struct table *t, uint32_t i, const struct rule *rule, struct todo *todo, struct err *err)
{
    const struct column *c = &t->columns[i];
    uint8_t most = 1;
    todo->way = rule->way;
    if (is_text(c)) widths(c, &todo->unit, &most, &todo->little);
    uint32_t bytes = c->kind == COLUMN_UUID || c->kind == COLUMN_INET6 ? 16 : c->max_bytes;
    todo->room = bytes ? bytes / most : UINT32_MAX;
    if (rule->way != WAY_HASH && is_key(t, i)) return refuse(t, i, rule->way, "it is in the primary key, and rows would become one: use mask_hash", err);
    if (rule->way == WAY_NULL && !c->nullable) return refuse(t, i, rule->way, "it is NOT NULL: use mask_fixed or mask_hash", err);
    if (rule->way == WAY_FIXED && !fixed_value(mask, c, rule->value, todo))
        return refuse(t, i, rule->way, "the value does not fit it: an integer in its range, or text (ASCII) and bytes no longer than the column", err);
    if (rule->way != WAY_HASH || c->kind == COLUMN_INT) return true;
    if (!is_text(c) && !is_bytes(c->kind)) return refuse(t, i, rule->way, "only text, bytes and integers can be hashed: use mask_null", err);
    if (todo->room < (is_text(c) ? DIGITS_MIN : BYTES_MIN))
        return refuse(t, i, rule->way, "it is too short for a hash that keeps values apart (16 characters, 8 bytes)", err);
    return true;
}

static bool plan_table(struct mask *mask, const struct table *t, struct masked_table *to, struct err *err)
{
    struct todo *todo = arena_alloc(&mask->todos, (t->column_count + 1) * sizeof *todo);
    bool any = false;
    memset(todo, 0, (t->column_count + 1) * sizeof *todo);
    if (table_may(mask, t->database, t->name)) {
        if (!t->named)
            return err_set(err, ERR_STOP, "%.*s.%.*s may have masked columns, but its columns' names are not known; what to do: "
                           "SET GLOBAL binlog_row_metadata=FULL on the source", SLICE_ARG(t->database), SLICE_ARG(t->name));
        for (uint32_t i = 0; i < t->column_count; i++) {
            const struct rule *rule = rule_of(mask, t->database, t->name, t->columns[i].name);
            if (!rule) continue;
            any = true;
            if (!plan_column(mask, t, i, rule, &todo[i], err)) return false;
        }
    }
    *to = (struct masked_table){t->names_crc, any, arena_copy(&mask->todos, t->encoded), todo};
    return true;
}

static bool is_of(const struct masked_table *m, const struct table *t)
{
    return m->names_crc == t->names_crc && slice_equal(m->encoded, t->encoded);
}

static struct masked_table *find(struct mask *mask, const struct table *t, struct err *err)
{
    if (mask->last < mask->table_count && is_of(&mask->tables[mask->last], t)) return &mask->tables[mask->last];
    for (mask->last = 0; mask->last < mask->table_count; mask->last++)
        if (is_of(&mask->tables[mask->last], t)) return &mask->tables[mask->last];
    if (mask->table_count == TABLES_MAX) {
        mask->table_count = 0;
        arena_reset(&mask->todos);
    }
    if (!plan_table(mask, t, &mask->tables[mask->table_count], err)) return NULL;
    mask->last = mask->table_count++;
    return &mask->tables[mask->last];
}

/* ---- rows ---- */

/* A permutation of the numbers of 8 × width bits: halves that take turns. */
static uint64_t permute(const struct mask *mask, uint8_t width, uint64_t v)
{
    unsigned half = 4u * width;
    uint64_t low = (UINT64_C(1) << half) - 1, left = v >> half & low, right = v & low;
    for (uint8_t round = 0; round < ROUNDS; round++) {
        uint8_t in[10] = {width, round}, out[SHA256_SIZE];
        uint64_t f;
        memcpy(in + 2, &right, 8);
        hmac_of(&mask->hmac, slice_of(in, sizeof in), out);
        memcpy(&f, out, 8);
        uint64_t next = left ^ (f & low);
        left = right;
        right = next;
    }
    return left << half | right;
}

static void put_hash(const struct mask *mask, const struct column *c, const struct todo *todo, struct slice bytes, struct buf *out)
{
    uint8_t hash[SHA256_SIZE];
    if (c->kind == COLUMN_INT) {
        uint64_t v = 0;
        memcpy(&v, bytes.data, bytes.size < 8 ? bytes.size : 8);
        buf_le(out, permute(mask, c->width, v), c->width);
        return;
    }
    hmac_of(&mask->hmac, bytes, hash);
    if (is_text(c)) {
        uint32_t digits = todo->room < 2 * SHA256_SIZE ? todo->room : 2 * SHA256_SIZE;
        buf_le(out, (uint64_t)digits * todo->unit, c->width);
        for (uint32_t i = 0; i < digits; i++) put_char(todo, (uint8_t)"0123456789abcdef"[hash[i / 2] >> (i & 1 ? 0 : 4) & 15], out);
        return;
    }
    uint32_t size = todo->room < SHA256_SIZE ? todo->room : SHA256_SIZE;
    while (c->kind != COLUMN_VARBINARY && c->kind != COLUMN_BLOB && size && !hash[size - 1]) size--; /* such end without zeros in an image */
    buf_le(out, size, c->width);
    buf_put(out, hash, size);
}

static void put_value(const struct mask *mask, const struct column *c, const struct todo *todo, struct slice bytes, struct buf *out)
{
    if (todo->way == WAY_HASH) {
        put_hash(mask, c, todo, bytes, out);
        return;
    }
    if (todo->way == WAY_FIXED) bytes = todo->value;
    if (column_has_prefix(c->kind)) buf_le(out, bytes.size, c->width);
    buf_slice(out, bytes);
}

static bool mask_row(struct mask *mask, const struct table *t, const struct todo *todo, int which, struct row *row, struct err *err)
{
    struct buf *image = &mask->images[which], *present = &mask->presents[which];
    uint32_t kept = 0;
    bool less = row->present.size > 0;
    buf_clear(image);
    buf_clear(present);
    if (!row_values(t, row, mask->values))
        return err_set(err, ERR_CORRUPT, "a row of %.*s.%.*s does not fit its table map", SLICE_ARG(t->database), SLICE_ARG(t->name));
    uint8_t bits[COLUMN_COUNT_MAX / 8 + 1] = {0}, nulls[COLUMN_COUNT_MAX / 8 + 1] = {0};
    for (uint32_t i = 0; i < t->column_count; i++) {
        if (todo[i].way == WAY_EXCLUDE) less = true;
        if (mask->values[i].state == VALUE_ABSENT || todo[i].way == WAY_EXCLUDE) continue;
        if (mask->values[i].state == VALUE_NULL || todo[i].way == WAY_NULL) nulls[kept >> 3] |= (uint8_t)(1 << (kept & 7));
        bits[i >> 3] |= (uint8_t)(1 << (i & 7));
        kept++;
    }
    buf_put(image, nulls, (kept + 7) / 8);
    for (uint32_t i = 0; i < t->column_count; i++)
        if (mask->values[i].state == VALUE_PRESENT && todo[i].way != WAY_EXCLUDE && todo[i].way != WAY_NULL)
            put_value(mask, &t->columns[i], &todo[i], mask->values[i].bytes, image);
    if (image->full) return err_set(err, ERR_LIMIT, "a masked row of %.*s.%.*s is too long", SLICE_ARG(t->database), SLICE_ARG(t->name));
    if (less) buf_put(present, bits, t->null_bytes);
    *row = (struct row){.present = less ? buf_bytes(present) : (struct slice){NULL, 0}, .image = buf_bytes(image)};
    return true;
}

bool mask_change(struct mask *mask, struct change *change, bool *masked, struct err *err)
{
    const struct table *t = change->table;
    const struct masked_table *m = find(mask, t, err);
    if (!m) return false;
    *masked = m->any;
    if (!m->any) return true;
    return (change->kind == CHANGE_INSERT || mask_row(mask, t, m->todo, 0, &change->before, err)) &&
           (change->kind == CHANGE_DELETE || mask_row(mask, t, m->todo, 1, &change->after, err));
}
