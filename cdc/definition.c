/* definition.c: see definition.h: one definition: printed, compared, put on a map. How it comes out of SQL is in define.c. */
#include "definition.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "charset.h"
#include "schema.h"

enum { SHOWN_MAX = 400, PRINTED_MAX = 1 << 24 };

void definition_free(struct definition *definition)
{
    if (!definition) return;
    free(definition->pos);
    arena_fini(&definition->arena);
    free(definition);
}

/* ---- printed ---- */

static void quote_name(struct buf *out, const char *name)
{
    buf_u8(out, '`');
    for (; *name; name++) {
        if (*name == '`') buf_u8(out, '`');
        buf_u8(out, (uint8_t)*name);
    }
    buf_u8(out, '`');
}

/* The labels in `full` have their quotes doubled and backslashes as they are; SQL wants those doubled, too. */
static void print_type(struct buf *out, const struct definition_column *c)
{
    bool labels = !strcmp(c->type, "enum") || !strcmp(c->type, "set");
    for (const char *at = c->full; *at; at++) {
        if (labels && *at == '\\') buf_u8(out, '\\');
        buf_u8(out, (uint8_t)*at);
    }
}

static void print_column(struct buf *out, const struct definition_column *c)
{
    buf_text(out, "  ");
    quote_name(out, c->name);
    buf_u8(out, ' ');
    print_type(out, c);
    if (c->charset) buf_printf(out, " CHARACTER SET %s", c->charset);
    if (c->charset && c->collation) buf_printf(out, " /*!999999 COLLATE id_%u */", c->collation); /* for us alone */
    if (c->nullable_known) buf_text(out, c->nullable ? " NULL" : " NOT NULL");
}

void definition_print(const struct definition *d, struct buf *out)
{
    buf_text(out, "CREATE TABLE ");
    quote_name(out, d->database);
    buf_u8(out, '.');
    quote_name(out, d->name);
    buf_text(out, " (\n");
    for (uint32_t i = 0; i < d->column_count; i++) {
        if (i) buf_text(out, ",\n");
        print_column(out, &d->columns[i]);
    }
    for (uint32_t i = 0; i < d->key_count; i++) {
        buf_text(out, i ? ", " : ",\n  PRIMARY KEY (");
        quote_name(out, d->key[i]);
    }
    buf_text(out, d->key_count ? ")\n)" : "\n)");
    if (d->charset) buf_printf(out, " DEFAULT CHARSET=%s", d->charset);
    if (d->hashes) buf_printf(out, " /*!999999 HASHES %u */", d->hashes);
    buf_text(out, ";\n");
}

void definition_show(const struct definition *d, struct buf *out)
{
    for (uint32_t i = 0; i < d->column_count; i++)
        buf_printf(out, "%s%s %s%s", i ? ", " : "", d->columns[i].name, d->columns[i].full, d->columns[i].nullable ? "" : " not null");
}

/* ---- compared ---- */

static bool same_column(const struct definition_column *a, const struct definition_column *b)
{
    return !strcasecmp(a->name, b->name) && !strcmp(a->type, b->type) && a->characters == b->characters;
}

bool definition_same(const struct definition *a, const struct definition *b)
{
    if (a->column_count != b->column_count || a->key_count != b->key_count) return false;
    for (uint32_t i = 0; i < a->column_count; i++)
        if (!same_column(&a->columns[i], &b->columns[i])) return false;
    for (uint32_t i = 0; i < a->key_count; i++)
        if (strcasecmp(a->key[i], b->key[i])) return false;
    return true;
}

/* ---- put on a map ---- */

static const char *const REMEDY =
    "give the definition that the table had when the event was written: wolfctl schema set DB.TABLE FILE.sql; or, where the server's present "
    "one is right, wolfctl schema refresh DB.TABLE; or leave the table out by [filter] exclude";

static void show_map(const struct table *draft, struct buf *out)
{
    for (uint32_t i = 0; i < draft->column_count; i++) {
        const struct column *c = &draft->columns[i];
        buf_printf(out, "%s%s", i ? ", " : "", column_kind_name(c->kind));
        if (c->kind == COLUMN_DECIMAL) buf_printf(out, "(%u,%u)", c->precision, c->scale);
        else if (c->kind == COLUMN_BIT) buf_printf(out, "(%u)", c->bits);
        else if (c->max_bytes) buf_printf(out, "(%u bytes)", c->max_bytes);
        else if (c->width) buf_printf(out, "(%u)", c->width);
        else if (c->scale) buf_printf(out, "(%u)", c->scale);
        if (!c->nullable) buf_text(out, " not null");
    }
}

/* `column` counts from 1; 0: the number of columns is what differs. */
static bool mismatch(const struct definition *d, const struct table *draft, uint32_t column, const char *reason, struct err *err)
{
    static const char *const origins[] = {"the server's", "the one that its DDL made", "the file's", "the one that was set"};
    struct buf map, known;
    buf_init(&map, 1 << 20);
    buf_init(&known, 1 << 20);
    show_map(draft, &map);
    definition_show(d, &known);
    int map_size = map.size < SHOWN_MAX ? (int)map.size : SHOWN_MAX, known_size = known.size < SHOWN_MAX ? (int)known.size : SHOWN_MAX;
    char where[64] = "another number of columns";
    if (column) snprintf(where, sizeof where, "column %u: %s", column, reason);
    err_set(err, ERR_STOP, "table %s.%s: the binary log's map and the definition that is known (%s) differ, %s: map (%.*s), definition (%.*s); what "
            "to do: %s", d->database, d->name, origins[d->origin], where, map_size, (char *)map.data, known_size, (char *)known.data, REMEDY);
    buf_fini(&map);
    buf_fini(&known);
    return false;
}

/* MariaDB's hidden columns: an 8-byte hash behind the last column for each UNIQUE key over a whole TEXT or BLOB. */
static bool hashes_fit(const struct definition *d, const struct table *draft)
{
    if (draft->column_count < d->column_count || draft->column_count - d->column_count > d->hashes) return false;
    for (uint32_t i = d->column_count; i < draft->column_count; i++)
        if (draft->columns[i].kind != COLUMN_INT || draft->columns[i].width != 8) return false;
    return true;
}

static void name_hashes(const struct definition *d, struct table *draft, struct arena *arena)
{
    for (uint32_t i = d->column_count; i < draft->column_count; i++) {
        char name[32];
        snprintf(name, sizeof name, "DB_ROW_HASH_%u", i - d->column_count + 1);
        struct column *column = &draft->columns[i];
        column->name = slice_text(arena_text(arena, slice_text(name)));
        column->is_unsigned = column->sign_known = true;
    }
}

/* Where the character set is not known, any whose characters fill the map's bytes evenly. */
static uint64_t octets_of(const struct definition_column *c, const struct column *to)
{
    if (!c->characters || !c->textual) return c->characters;
    if (c->charset) return (uint64_t)c->characters * charset_width(c->charset);
    bool even = to->max_bytes % c->characters == 0 && to->max_bytes / c->characters >= 1 && to->max_bytes / c->characters <= 4;
    return even ? to->max_bytes : c->characters;
}

/* How large a CONVERT TO CHARACTER SET makes a text depends on the character set that it had, which not every statement says. */
static const char *grown(const char *type, const struct column *to)
{
    static const char *const texts[] = {"tinytext", "text", "mediumtext", "longtext"};
    for (uint8_t i = 0; i < 4; i++)
        if (!strcmp(type, texts[i]) && (to->kind == COLUMN_BLOB || to->kind == COLUMN_TEXT) && to->width > i + 1 && to->width <= 4) return texts[to->width - 1];
    return NULL;
}

static bool apply_column(const struct definition_column *c, bool followed, struct column *to, struct arena *arena, const char **reason)
{
    const char *larger = followed ? grown(c->type, to) : NULL;
    struct schema_column from = {.name = c->name, .data_type = larger ? larger : c->type, .column_type = larger ? larger : c->full,
                                 .nullable = c->nullable_known ? c->nullable : to->nullable, .collation = c->collation,
                                 .octets = octets_of(c, to)};
    return schema_apply(&from, to, arena, reason);
}

static void apply_key(const struct definition *d, struct table *draft, struct arena *arena)
{
    uint32_t count = 0;
    uint16_t *key = arena_alloc(arena, (d->key_count + 1) * sizeof *key);
    for (uint32_t k = 0; k < d->key_count; k++)
        for (uint32_t i = 0; i < d->column_count; i++)
            if (!strcasecmp(d->key[k], d->columns[i].name)) {
                key[count++] = (uint16_t)i;
                break;
            }
    draft->key = key;
    draft->key_count = count == d->key_count ? count : 0;
    draft->named = true;
}

bool definition_apply(const struct definition *d, struct table *draft, struct arena *arena, struct err *err)
{
    const char *reason = NULL;
    if (draft->column_count != d->column_count && !hashes_fit(d, draft)) return mismatch(d, draft, 0, NULL, err);
    struct column *columns = arena_alloc(arena, (draft->column_count + 1) * sizeof *columns);
    memcpy(columns, draft->columns, draft->column_count * sizeof *columns);
    for (uint32_t i = 0; i < d->column_count; i++)
        if (!apply_column(&d->columns[i], d->origin == DEFINITION_DDL, &columns[i], arena, &reason)) return mismatch(d, draft, i + 1, reason, err);
    memcpy(draft->columns, columns, draft->column_count * sizeof *columns);
    name_hashes(d, draft, arena);
    apply_key(d, draft, arena);
    return true;
}

/* ---- from a table ---- */

static const char *text_of(struct arena *arena, struct slice s) { return arena_text(arena, s); }

static const char *full_of(struct arena *arena, const struct column *c, const char *type, uint32_t characters)
{
    struct buf out;
    buf_init(&out, PRINTED_MAX);
    buf_text(&out, type);
    if (c->kind == COLUMN_DECIMAL) buf_printf(&out, "(%u,%u)", c->precision, c->scale);
    else if (c->kind == COLUMN_BIT) buf_printf(&out, "(%u)", c->bits);
    else if (c->kind == COLUMN_VECTOR) buf_printf(&out, "(%u)", c->max_bytes / 4);
    else if (characters) buf_printf(&out, "(%u)", characters);
    else if ((c->kind == COLUMN_TIME || c->kind == COLUMN_DATETIME || c->kind == COLUMN_TIMESTAMP) && c->scale) buf_printf(&out, "(%u)", c->scale);
    else if (c->kind == COLUMN_ENUM || c->kind == COLUMN_SET) {
        for (uint32_t i = 0; i < c->label_count; i++) {
            buf_text(&out, i ? ",'" : "('");
            for (size_t k = 0; k < c->labels[i].size; k++) {
                if (c->labels[i].data[k] == '\'') buf_u8(&out, '\'');
                buf_u8(&out, c->labels[i].data[k]);
            }
            buf_u8(&out, '\'');
        }
        buf_u8(&out, ')');
    }
    if (c->is_unsigned && (c->kind == COLUMN_INT || c->kind == COLUMN_FLOAT || c->kind == COLUMN_DOUBLE || c->kind == COLUMN_DECIMAL))
        buf_text(&out, " unsigned");
    const char *made = text_of(arena, buf_bytes(&out));
    buf_fini(&out);
    return made;
}

static const char *type_of(const struct column *c)
{
    static const char *const ints[] = {"", "tinyint", "smallint", "mediumint", "int", "", "", "", "bigint"};
    static const char *const texts[] = {"", "tinytext", "text", "mediumtext", "longtext"};
    static const char *const blobs[] = {"", "tinyblob", "blob", "mediumblob", "longblob"};
    static const char *const geometries[] = {"geometry", "point", "linestring", "polygon", "multipoint", "multilinestring", "multipolygon",
                                             "geometrycollection"};
    static const char *const others[COLUMN_KINDS] = {
        [COLUMN_FLOAT] = "float", [COLUMN_DOUBLE] = "double", [COLUMN_DECIMAL] = "decimal", [COLUMN_YEAR] = "year", [COLUMN_DATE] = "date",
        [COLUMN_TIME] = "time", [COLUMN_DATETIME] = "datetime", [COLUMN_TIMESTAMP] = "timestamp", [COLUMN_BIT] = "bit", [COLUMN_ENUM] = "enum",
        [COLUMN_SET] = "set", [COLUMN_CHAR] = "char", [COLUMN_VARCHAR] = "varchar", [COLUMN_BINARY] = "binary", [COLUMN_VARBINARY] = "varbinary",
        [COLUMN_JSON] = "json", [COLUMN_VECTOR] = "vector", [COLUMN_UUID] = "uuid", [COLUMN_INET4] = "inet4", [COLUMN_INET6] = "inet6"};
    switch (c->kind) {
    case COLUMN_INT: return ints[c->width < 9 ? c->width : 0];
    case COLUMN_TEXT: return texts[c->width < 5 ? c->width : 0];
    case COLUMN_BLOB: return blobs[c->width < 5 ? c->width : 0];
    case COLUMN_GEOMETRY: return geometries[c->geometry < 8 ? c->geometry : 0];
    default: return c->kind < COLUMN_KINDS && others[c->kind] ? others[c->kind] : "";
    }
}

static void column_of(const struct column *c, struct arena *arena, struct definition_column *to)
{
    bool sized = c->kind == COLUMN_CHAR || c->kind == COLUMN_VARCHAR || c->kind == COLUMN_BINARY || c->kind == COLUMN_VARBINARY;
    bool textual = column_is_text(c) || c->kind == COLUMN_ENUM || c->kind == COLUMN_SET;
    const char *charset = textual && c->collation ? charset_name(c->collation) : NULL;
    *to = (struct definition_column){.name = text_of(arena, c->name), .type = type_of(c), .charset = charset, .textual = textual,
                                     .nullable = c->nullable, .nullable_known = true, .collation = textual ? c->collation : 0};
    if (sized) to->characters = c->max_bytes / (textual ? charset_width(charset) : 1);
    to->full = full_of(arena, c, to->type, to->characters);
}

struct definition *definition_of(const struct table *table)
{
    struct definition *d = calloc(1, sizeof *d);
    if (!d) abort();
    arena_init(&d->arena);
    d->database = text_of(&d->arena, table->database);
    d->name = text_of(&d->arena, table->name);
    d->columns = arena_alloc(&d->arena, (table->column_count + 1) * sizeof *d->columns);
    d->key = arena_alloc(&d->arena, (table->key_count + 1) * sizeof *d->key);
    for (uint32_t i = 0; i < table->column_count; i++) {
        const struct column *c = &table->columns[i];
        bool hash = c->kind == COLUMN_INT && c->width == 8 && c->name.size > 12 && !memcmp(c->name.data, "DB_ROW_HASH_", 12);
        if (hash) d->hashes++;
        else column_of(c, &d->arena, &d->columns[d->column_count++]);
    }
    for (uint32_t i = 0; i < table->key_count; i++) d->key[d->key_count++] = text_of(&d->arena, table->columns[table->key[i]].name);
    return d;
}
