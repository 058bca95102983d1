/*
 * define.c: see define.h. A reader of MariaDB's and MySQL's CREATE and ALTER TABLE that takes what a row image depends on: columns in their
 * order, types, signs, NULL, character sets, the primary key. All else is stepped over, up to the next comma of its level.
 */
#include "define.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "charset.h"

enum { LABELS_TEXT_MAX = 1 << 20 };

struct build {
    struct tokens *t;
    uint16_t charset_client;
    struct definition *d;       /* being made */
    uint32_t room;
    bool versioned, period, failed;
    /* ALTER: */
    bool new_key;               /* d->key is of new names; else of those before it */
    bool placed;                /* an AFTER was resolved, which speaks of the names after the statement */
    struct definition_column converted; /* CONVERT TO: what all text becomes */
};

/* ---- character sets ---- */

static const struct set { const char *name; uint16_t collation, binary; } sets[] = {
    {"big5", 1, 84}, {"dec8", 3, 69}, {"cp850", 4, 80}, {"hp8", 6, 72}, {"koi8r", 7, 74}, {"latin1", 8, 47}, {"latin2", 9, 77}, {"swe7", 10, 82},
    {"ascii", 11, 65}, {"ujis", 12, 91}, {"sjis", 13, 88}, {"hebrew", 16, 71}, {"tis620", 18, 89}, {"euckr", 19, 85}, {"koi8u", 22, 75},
    {"gb2312", 24, 86}, {"greek", 25, 70}, {"cp1250", 26, 66}, {"gbk", 28, 87}, {"latin5", 30, 78}, {"armscii8", 32, 64}, {"utf8mb3", 33, 83},
    {"ucs2", 35, 90}, {"cp866", 36, 68}, {"keybcs2", 37, 73}, {"macce", 38, 43}, {"macroman", 39, 53}, {"cp852", 40, 81}, {"latin7", 41, 79},
    {"utf8mb4", 45, 46}, {"cp1251", 51, 50}, {"utf16", 54, 55}, {"utf16le", 56, 62}, {"cp1256", 57, 67}, {"cp1257", 59, 58}, {"utf32", 60, 61},
    {"binary", 63, 63}, {"geostd8", 92, 93}, {"cp932", 95, 96}, {"eucjpms", 97, 98}, {"gb18030", 248, 249},
};
enum { SETS = sizeof sets / sizeof *sets };

/* The set that a character set or collation is called after: "utf8mb4_bin" → utf8mb4. */
static const struct set *set_of(const char *name)
{
    size_t size = strcspn(name, "_");
    if (size == 4 && !strncasecmp(name, "utf8", 4)) return set_of("utf8mb3");
    for (size_t i = 0; i < SETS; i++)
        if (strlen(sets[i].name) == size && !strncasecmp(sets[i].name, name, size)) return &sets[i];
    return NULL;
}

static bool ends_in_bin(const char *name)
{
    const char *at = strrchr(name, '_');
    return at && !strcasecmp(at, "_bin");
}

/* ---- tokens ---- */

static bool is_kind(const struct tokens *t, enum token_kind kind) { return t->now.kind == kind; }
static bool at_end(const struct tokens *t) { return is_kind(t, TOKEN_END) || tokens_is_sign(t, ';'); }

bool define_name(const struct token *token, uint16_t charset, char name[DEFINE_NAME_MAX])
{
    char raw[DEFINE_NAME_MAX];
    size_t size = 0;
    bool ascii = true;
    if ((token->kind != TOKEN_WORD && token->kind != TOKEN_NAME) || !token->text.size) return false;
    for (size_t i = 0; i < token->text.size; i++) {
        uint8_t c = token->text.data[i];
        if (size == sizeof raw - 1 || !c) return false;
        raw[size++] = (char)c;
        ascii &= c < 0x80;
        if (token->quote && c == token->quote) i++;
    }
    raw[size] = 0;
    if (!ascii && charset) {
        struct charset_cache *cache = charset_cache_new();
        struct buf text;
        buf_init(&text, DEFINE_NAME_MAX - 1);
        bool good = charset_to_utf8(cache, charset, slice_of(raw, size), &text) && !text.full;
        size = good ? text.size : 0;
        if (good) memcpy(raw, text.data, size);
        raw[size] = 0;
        buf_fini(&text);
        charset_cache_free(cache);
        if (!good) return false;
    }
    memcpy(name, raw, size + 1);
    return true;
}

static const char *keep(struct build *b, const char *text) { return arena_text(&b->d->arena, slice_text(text)); }

static bool take_name(struct build *b, const char **name)
{
    char text[DEFINE_NAME_MAX];
    if (!define_name(&b->t->now, b->charset_client, text)) return false;
    *name = keep(b, text);
    tokens_next(b->t);
    return true;
}

/* A word or string as plain text: "utf8mb4", 'utf8mb4'. */
static bool take_text(struct tokens *t, char *text, size_t room)
{
    if (at_end(t) || is_kind(t, TOKEN_SIGN) || t->now.text.size >= room) return false;
    memcpy(text, t->now.text.data, t->now.text.size);
    text[t->now.text.size] = 0;
    tokens_next(t);
    return true;
}

static bool take_number(struct tokens *t, uint32_t *number)
{
    char text[12], *end;
    if (!is_kind(t, TOKEN_WORD) || !take_text(t, text, sizeof text)) return false;
    unsigned long value = strtoul(text, &end, 10);
    *number = (uint32_t)value;
    return !*end && value <= UINT32_MAX;
}

/* Over "(…)" with what is nested in it. */
static bool skip_brackets(struct tokens *t)
{
    unsigned depth = 0;
    do {
        if (is_kind(t, TOKEN_END)) return false;
        if (tokens_is_sign(t, '(')) depth++;
        if (tokens_is_sign(t, ')')) depth--;
        tokens_next(t);
    } while (depth);
    return true;
}

static bool skip_token(struct tokens *t) { return tokens_is_sign(t, '(') ? skip_brackets(t) : (tokens_next(t), true); }

/* Up to the comma, closing bracket or end of this level. */
static bool skip_item(struct tokens *t)
{
    while (!at_end(t) && !tokens_is_sign(t, ',') && !tokens_is_sign(t, ')'))
        if (!skip_token(t)) return false;
    return true;
}

static bool skip_words(struct tokens *t, const char *first, const char *second)
{
    struct tokens ahead = *t;
    if (!tokens_skip(&ahead, first) || (second && !tokens_skip(&ahead, second))) return false;
    *t = ahead;
    return true;
}

/* ---- types ---- */

enum shape { PLAIN, NUMBER /* may have a sign, its display width says nothing */, DECIMAL, REAL, FRACTION, BITS, SIZED, BYTES, LABELS, TEXT, BLOB, VECTOR, LONG, NATIONAL };

static const struct typed { const char *word, *type; enum shape shape; } types[] = {
    {"tinyint", "tinyint", NUMBER}, {"smallint", "smallint", NUMBER}, {"mediumint", "mediumint", NUMBER}, {"int", "int", NUMBER},
    {"bigint", "bigint", NUMBER}, {"integer", "int", NUMBER}, {"middleint", "mediumint", NUMBER}, {"int1", "tinyint", NUMBER},
    {"int2", "smallint", NUMBER}, {"int3", "mediumint", NUMBER}, {"int4", "int", NUMBER}, {"int8", "bigint", NUMBER},
    {"bool", "tinyint", NUMBER}, {"boolean", "tinyint", NUMBER}, {"float", "float", REAL}, {"double", "double", REAL}, {"real", "double", REAL},
    {"float4", "float", REAL}, {"float8", "double", REAL}, {"decimal", "decimal", DECIMAL}, {"dec", "decimal", DECIMAL},
    {"numeric", "decimal", DECIMAL}, {"fixed", "decimal", DECIMAL}, {"year", "year", PLAIN}, {"date", "date", PLAIN}, {"time", "time", FRACTION},
    {"datetime", "datetime", FRACTION}, {"timestamp", "timestamp", FRACTION}, {"bit", "bit", BITS}, {"char", "char", SIZED},
    {"character", "char", SIZED}, {"varchar", "varchar", SIZED}, {"varcharacter", "varchar", SIZED}, {"nchar", "char", NATIONAL}, {"nvarchar", "varchar", NATIONAL},
    {"national", "char", NATIONAL}, {"binary", "binary", BYTES}, {"varbinary", "varbinary", BYTES}, {"tinytext", "tinytext", TEXT}, {"text", "text", TEXT},
    {"mediumtext", "mediumtext", TEXT}, {"longtext", "longtext", TEXT}, {"tinyblob", "tinyblob", BLOB}, {"blob", "blob", BLOB},
    {"mediumblob", "mediumblob", BLOB}, {"longblob", "longblob", BLOB}, {"long", "mediumtext", LONG}, {"json", "json", PLAIN}, {"uuid", "uuid", PLAIN},
    {"inet4", "inet4", PLAIN}, {"inet6", "inet6", PLAIN}, {"enum", "enum", LABELS}, {"set", "set", LABELS}, {"vector", "vector", VECTOR},
    {"geometry", "geometry", PLAIN}, {"point", "point", PLAIN}, {"linestring", "linestring", PLAIN}, {"polygon", "polygon", PLAIN},
    {"multipoint", "multipoint", PLAIN}, {"multilinestring", "multilinestring", PLAIN}, {"multipolygon", "multipolygon", PLAIN},
    {"geometrycollection", "geometrycollection", PLAIN}, {"geomcollection", "geometrycollection", PLAIN}, {"serial", "bigint", NUMBER},
};

static const struct typed *type_of(struct tokens *t)
{
    for (size_t i = 0; is_kind(t, TOKEN_WORD) && i < sizeof types / sizeof *types; i++)
        if (tokens_is(t, types[i].word)) return &types[i];
    return NULL;
}

/* "(10)", "(10,2)"; *count says how many there were. */
static bool take_sizes(struct tokens *t, uint32_t sizes[2], unsigned *count)
{
    *count = 0;
    if (!tokens_skip_sign(t, '(')) return true;
    do {
        if (*count == 2 || !take_number(t, &sizes[*count])) return false;
        ++*count;
    } while (tokens_skip_sign(t, ','));
    tokens_skip(t, "CHAR"); /* Oracle mode: VARCHAR(10 CHAR) */
    return tokens_skip_sign(t, ')');
}

static uint8_t unescaped(uint8_t c)
{
    static const char from[] = "0btnrZ", to[] = "\0\b\t\n\r\x1a";
    const char *at = c ? strchr(from, c) : NULL;
    return at ? (uint8_t)to[at - from] : c;
}

/* ('a','it''s') as COLUMN_TYPE has it: quotes doubled, no escapes. */
static bool take_labels(struct build *b, struct buf *full)
{
    struct tokens *t = b->t;
    if (!tokens_skip_sign(t, '(')) return false;
    buf_u8(full, '(');
    for (bool first = true;; first = false) {
        if (is_kind(t, TOKEN_WORD) && t->now.text.size && t->now.text.data[0] == '_') tokens_next(t); /* _utf8mb4'a' */
        if (!is_kind(t, TOKEN_STRING)) return false;
        buf_text(full, first ? "'" : ",'");
        for (size_t i = 0; i < t->now.text.size; i++) {
            uint8_t c = t->now.text.data[i];
            if (c == t->now.quote) i++;
            else if (c == '\\' && !t->no_backslash && i + 1 < t->now.text.size) c = unescaped(t->now.text.data[++i]);
            if (c == '\'') buf_u8(full, '\'');
            buf_u8(full, c);
        }
        buf_u8(full, '\'');
        tokens_next(t);
        if (!tokens_skip_sign(t, ',')) break;
    }
    buf_u8(full, ')');
    return tokens_skip_sign(t, ')') && !full->full && !memchr(full->data, 0, full->size);
}

/* TEXT(n), BLOB(n): the smallest that holds so many characters. Their bytes depend on the character set: only what needs none is certain. */
static const char *sized_text(const char *type, bool text, uint32_t size)
{
    static const struct { uint64_t limit; const char *text, *blob; } sizes[] = {
        {255, "tinytext", "tinyblob"}, {65535, "text", "blob"}, {16777215, "mediumtext", "mediumblob"}, {UINT32_MAX, "longtext", "longblob"}};
    for (size_t i = 0; size && i < 4; i++) {
        if (!text && size <= sizes[i].limit) return sizes[i].blob;
        if (text && (uint64_t)size * 4 <= sizes[i].limit) return sizes[i].text;
        if (text && size <= sizes[i].limit) return NULL; /* between: the character set decides */
    }
    return type;
}

/* Two words that are one type: CHAR VARYING, DOUBLE PRECISION, LONG VARBINARY, NATIONAL VARCHAR. */
static bool take_second_word(struct build *b, enum shape *shape, struct definition_column *c)
{
    struct tokens *t = b->t;
    if (*shape == REAL) return tokens_skip(t, "PRECISION"), true;
    if (*shape == LONG) {
        *shape = PLAIN;
        c->textual = !tokens_skip(t, "VARBINARY");
        if (!c->textual) c->type = "mediumblob";
        else tokens_skip(t, "VARCHAR");
        return true;
    }
    if (*shape != SIZED && *shape != NATIONAL) return true;
    if (*shape == NATIONAL) {
        c->charset = "utf8mb3";
        c->collation = 33;
        if (tokens_skip(t, "VARCHAR") || tokens_skip(t, "VARCHARACTER")) c->type = "varchar";
        else if (!tokens_skip(t, "CHAR")) tokens_skip(t, "CHARACTER");
    }
    if (tokens_skip(t, "VARYING")) c->type = "varchar";
    *shape = SIZED;
    return true;
}

static bool type_sizes(struct build *b, enum shape shape, struct definition_column *c, struct buf *full)
{
    uint32_t sizes[2] = {0, 0};
    unsigned count = 0;
    if (shape == LABELS) return take_labels(b, full);
    if (!take_sizes(b->t, sizes, &count)) return false;
    switch (shape) {
    case DECIMAL:
        if (!count || !sizes[0]) sizes[0] = 10;
        buf_printf(full, "(%u,%u)", sizes[0], sizes[1]);
        return true;
    case REAL:
        if (count == 1 && !strcmp(c->type, "float") && sizes[0] > 24) c->type = "double";
        buf_clear(full);
        buf_text(full, c->type);
        return true;
    case FRACTION:
        if (sizes[0]) buf_printf(full, "(%u)", sizes[0]);
        return true;
    case BITS: case SIZED: case BYTES: case VECTOR:
        if (!count) sizes[0] = 1;
        if (shape == SIZED || shape == BYTES) c->characters = sizes[0];
        buf_printf(full, "(%u)", sizes[0]);
        return true;
    case TEXT: case BLOB:
        c->type = sized_text(c->type, shape == TEXT, count ? sizes[0] : 0);
        if (!c->type) return false;
        buf_clear(full);
        buf_text(full, c->type);
        return true;
    case PLAIN: case NUMBER: case LABELS: case LONG: case NATIONAL: break;
    }
    return true;
}

/* ---- a column's attributes ---- */

/* "id_224": how definition_print says it. */
static bool set_collation_id(struct definition_column *c, const char *number)
{
    unsigned long id = strtoul(number, NULL, 10);
    const char *name = id && id <= UINT16_MAX ? charset_name((uint16_t)id) : NULL;
    if (!name) return false;
    c->collation = (uint16_t)id;
    c->charset = name;
    return true;
}

static bool set_charset(struct definition_column *c, const char *name, bool collation)
{
    if (collation && !strncmp(name, "id_", 3)) return set_collation_id(c, name + 3);
    const struct set *set = set_of(name);
    if (!set) return !strcasecmp(name, "default"); /* unknown: its bytes cannot be told */
    if (!collation || !c->charset || strcmp(c->charset, set->name) || ends_in_bin(name))
        c->collation = collation && ends_in_bin(name) ? set->binary : set->collation;
    c->charset = set->name;
    return true;
}

static bool take_charset(struct tokens *t, struct definition_column *c, bool collation)
{
    char name[80];
    (void)tokens_skip_sign(t, '=');
    return take_text(t, name, sizeof name) && set_charset(c, name, collation);
}

/* DEFAULT 'x', DEFAULT -1, DEFAULT (…), DEFAULT now(3), DEFAULT b'1'; ON UPDATE now(3). */
static bool skip_expression(struct tokens *t)
{
    while (tokens_is_sign(t, '-') || tokens_is_sign(t, '+')) tokens_next(t);
    if (is_kind(t, TOKEN_END)) return false;
    bool word = is_kind(t, TOKEN_WORD);
    if (!skip_token(t)) return false;
    if (word && is_kind(t, TOKEN_STRING)) tokens_next(t);
    while (tokens_skip_sign(t, '.')) tokens_next(t);
    return !tokens_is_sign(t, '(') || skip_brackets(t);
}

/* CHECK (json_valid(`own name`)) makes a LONGTEXT of MariaDB a JSON. */
static bool take_check(struct build *b, struct definition_column *c)
{
    struct tokens ahead = *b->t;
    char name[DEFINE_NAME_MAX];
    if (tokens_skip_sign(&ahead, '(') && tokens_skip(&ahead, "JSON_VALID") && tokens_skip_sign(&ahead, '(') &&
        define_name(&ahead.now, b->charset_client, name) && !strcasecmp(name, c->name) && !strcmp(c->type, "longtext")) {
        c->type = "json";
        c->full = "json";
    }
    return tokens_is_sign(b->t, '(') ? skip_brackets(b->t) : false;
}

struct attributes { bool is_unsigned, zerofill, primary, unique; };

/* One attribute; false with b->failed where it cannot be read. */
static bool take_attribute(struct build *b, struct definition_column *c, struct attributes *a)
{
    struct tokens *t = b->t;
    if (tokens_skip(t, "UNSIGNED")) a->is_unsigned = true;
    else if (tokens_skip(t, "ZEROFILL")) a->is_unsigned = a->zerofill = true;
    else if (skip_words(t, "NOT", "NULL")) c->nullable = false, c->nullable_known = true;
    else if (tokens_skip(t, "NULL")) c->nullable = c->nullable_known = true;
    else if (skip_words(t, "CHARACTER", "SET") || skip_words(t, "CHAR", "SET") || tokens_skip(t, "CHARSET")) return take_charset(t, c, false);
    else if (tokens_skip(t, "COLLATE")) return take_charset(t, c, true);
    else if (tokens_skip(t, "ASCII")) return set_charset(c, "latin1", false);
    else if (tokens_skip(t, "UNICODE")) return set_charset(c, "ucs2", false);
    else if (skip_words(t, "PRIMARY", NULL)) { tokens_skip(t, "KEY"); a->primary = true; }
    else if (tokens_skip(t, "UNIQUE")) { tokens_skip(t, "KEY"); a->unique = true; }
    else if (tokens_skip(t, "KEY")) a->primary = true;
    else if (tokens_skip(t, "DEFAULT") || skip_words(t, "ON", "UPDATE")) return skip_expression(t);
    else if (tokens_skip(t, "COMMENT")) tokens_next(t);
    else if (tokens_skip(t, "CHECK")) return take_check(b, c);
    else if (tokens_skip(t, "REFERENCES")) { /* ON DELETE SET NULL is no NULL of ours */
        while (!at_end(t) && !tokens_is_sign(t, ',') && !tokens_is_sign(t, ')'))
            if (!skip_token(t)) return false;
    } else return skip_token(t);
    return true;
}

static void add_key(struct build *b, const char *column)
{
    struct definition *d = b->d;
    const char **key = arena_alloc(&d->arena, (d->key_count + 1) * sizeof *key);
    if (d->key_count) memcpy(key, d->key, d->key_count * sizeof *key);
    key[d->key_count++] = column;
    d->key = key;
}

static bool is_position(struct tokens *t) { return tokens_is(t, "FIRST") || tokens_is(t, "AFTER"); }

/* "type attributes", up to the comma, bracket or (in ALTER) FIRST or AFTER. c->name is there. */
static bool take_definition(struct build *b, struct definition_column *c)
{
    struct attributes a = {0};
    struct buf full;
    const struct typed *typed = type_of(b->t);
    if (!typed) return false;
    enum shape shape = typed->shape;
    bool serial = !strcmp(typed->word, "serial"), stamp = !strcmp(typed->type, "timestamp");
    buf_init(&full, LABELS_TEXT_MAX);
    c->type = typed->type;
    c->nullable = true;
    c->nullable_known = !stamp; /* without a word, explicit_defaults_for_timestamp decides */
    c->textual = shape == SIZED || shape == TEXT || shape == LABELS || shape == NATIONAL;
    tokens_next(b->t);
    bool good = take_second_word(b, &shape, c);
    buf_text(&full, c->type);
    good = good && type_sizes(b, shape, c, &full) && !full.full;
    c->full = arena_text(&b->d->arena, buf_bytes(&full));
    buf_fini(&full);
    while (good && !at_end(b->t) && !tokens_is_sign(b->t, ',') && !tokens_is_sign(b->t, ')') && !is_position(b->t)) good = take_attribute(b, c, &a);
    if (!good) return false;
    if (serial) a.is_unsigned = true, c->nullable = false;
    if (a.is_unsigned) {
        char text[128];
        snprintf(text, sizeof text, "%s unsigned%s", c->full, a.zerofill ? " zerofill" : "");
        c->full = keep(b, text);
    }
    if (a.primary) c->nullable = false, c->nullable_known = true, b->new_key = true, add_key(b, c->name);
    if (a.unique && (shape == TEXT || shape == BLOB)) b->d->hashes++;
    if (c->textual && c->charset && !strcmp(c->charset, "binary")) { /* CHAR … CHARACTER SET binary is BINARY */
        static const char *const twins[][2] = {{"char", "binary"}, {"varchar", "varbinary"}, {"tinytext", "tinyblob"}, {"text", "blob"},
                                               {"mediumtext", "mediumblob"}, {"longtext", "longblob"}};
        for (size_t i = 0; i < sizeof twins / sizeof *twins; i++)
            if (!strcmp(c->type, twins[i][0])) {
                char text[40];
                snprintf(text, sizeof text, c->characters ? "%s(%u)" : "%s", twins[i][1], c->characters);
                c->type = twins[i][1];
                c->full = keep(b, text);
                c->textual = false;
                break;
            }
        c->charset = NULL;
        c->collation = 0;
    }
    return true;
}

/* ---- the list of columns ---- */

static int find_column(const struct definition *d, const char *name)
{
    for (uint32_t i = 0; i < d->column_count; i++)
        if (!strcasecmp(d->columns[i].name, name)) return (int)i;
    return -1;
}

static bool insert_column(struct build *b, const struct definition_column *column, uint32_t at)
{
    struct definition *d = b->d;
    if (d->column_count == COLUMN_COUNT_MAX) return false;
    if (d->column_count == b->room) {
        b->room = b->room ? b->room * 2 : 16;
        struct definition_column *more = arena_alloc(&d->arena, b->room * sizeof *more);
        if (d->column_count) memcpy(more, d->columns, d->column_count * sizeof *more);
        d->columns = more;
    }
    memmove(&d->columns[at + 1], &d->columns[at], (d->column_count - at) * sizeof *d->columns);
    d->columns[at] = *column;
    d->column_count++;
    return true;
}

static void remove_column(struct definition *d, uint32_t at)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < d->key_count; i++)
        if (strcasecmp(d->key[i], d->columns[at].before)) d->key[kept++] = d->key[i];
    d->key_count = kept;
    memmove(&d->columns[at], &d->columns[at + 1], (d->column_count - at - 1) * sizeof *d->columns);
    d->column_count--;
}

/* "(a, b(10), c DESC)" of a primary key. */
static bool take_primary(struct build *b)
{
    struct tokens *t = b->t;
    b->d->key_count = 0;
    b->new_key = true;
    while (!at_end(t) && !tokens_is_sign(t, '(')) tokens_next(t); /* USING BTREE, a name */
    if (!tokens_skip_sign(t, '(')) return false;
    do {
        const char *name;
        if (!take_name(b, &name)) return false;
        add_key(b, name);
        if (!skip_item(t)) return false;
    } while (tokens_skip_sign(t, ','));
    return tokens_skip_sign(t, ')');
}

static bool is_blob_column(const struct definition *d, const char *name)
{
    int at = find_column(d, name);
    if (at < 0) return false;
    size_t size = strlen(d->columns[at].type);
    return size >= 4 && (!strcmp(d->columns[at].type + size - 4, "text") || !strcmp(d->columns[at].type + size - 4, "blob") ||
                         !strcmp(d->columns[at].type, "json"));
}

/* A UNIQUE key: with a whole TEXT or BLOB, or USING HASH, MariaDB hides a column for it. A hash that is none costs nothing: see hashes_fit. */
static bool take_unique(struct build *b)
{
    struct tokens *t = b->t;
    bool hash = false;
    while (!at_end(t) && !tokens_is_sign(t, '(')) tokens_next(t);
    if (!tokens_skip_sign(t, '(')) return false;
    do {
        char name[DEFINE_NAME_MAX];
        if (define_name(&t->now, b->charset_client, name)) hash |= is_blob_column(b->d, name);
        if (!skip_item(t)) return false;
    } while (tokens_skip_sign(t, ','));
    if (!tokens_skip_sign(t, ')')) return false;
    hash |= tokens_is(t, "USING");
    b->d->hashes += hash;
    return skip_item(t);
}

/* What stands in the brackets and is no column. *found: it was such. */
static bool take_constraint(struct build *b, bool *found)
{
    static const char *const others[] = {"INDEX", "KEY", "FULLTEXT", "SPATIAL", "FOREIGN", "CHECK", "LIKE"};
    struct tokens *t = b->t;
    *found = true;
    if (is_kind(t, TOKEN_WORD) && tokens_skip(t, "CONSTRAINT") && !tokens_is(t, "PRIMARY") && !tokens_is(t, "UNIQUE") && !tokens_is(t, "FOREIGN") &&
        !tokens_is(t, "CHECK"))
        tokens_next(t);
    if (skip_words(t, "PRIMARY", "KEY")) return take_primary(b) && skip_item(t);
    if (tokens_skip(t, "UNIQUE")) return take_unique(b);
    if (skip_words(t, "PERIOD", "FOR")) return b->period = true, skip_item(t);
    if (skip_words(t, "VECTOR", "INDEX") || skip_words(t, "VECTOR", "KEY")) return skip_item(t);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (tokens_is(t, others[i])) return skip_item(t);
    *found = false;
    return true;
}

static bool take_item(struct build *b)
{
    struct definition_column column = {0};
    bool found;
    if (!take_constraint(b, &found)) return false;
    if (found) return true;
    return take_name(b, &column.name) && take_definition(b, &column) && insert_column(b, &column, b->d->column_count);
}

/* ---- a table's options ---- */

static bool take_table_charset(struct build *b, bool collation)
{
    struct definition_column as = {.charset = b->d->charset, .collation = b->d->collation};
    if (!take_charset(b->t, &as, collation)) return false;
    b->d->charset = as.charset;
    b->d->collation = as.collation;
    return true;
}

/* One option, or one word of it. */
static bool take_option(struct build *b)
{
    struct tokens *t = b->t;
    if (skip_words(t, "CHARACTER", "SET") || skip_words(t, "CHAR", "SET") || tokens_skip(t, "CHARSET")) return take_table_charset(b, false);
    if (tokens_skip(t, "COLLATE")) return take_table_charset(b, true);
    if (tokens_skip(t, "COMMENT") || tokens_skip(t, "CONNECTION")) return tokens_skip_sign(t, '='), skip_token(t);
    if (skip_words(t, "SYSTEM", "VERSIONING")) return b->versioned = true;
    if (tokens_skip(t, "HASHES")) return take_number(t, &b->d->hashes);
    return skip_token(t);
}

/* A text that may not hold as many characters any more becomes the next larger one, as far as can be told: see definition_apply. */
static void grow(struct definition_column *c, unsigned width)
{
    static const struct { const char *type; uint64_t bytes; } texts[] = {
        {"tinytext", 0xff}, {"text", 0xffff}, {"mediumtext", 0xffffff}, {"longtext", 0xffffffff}};
    enum { LARGEST = sizeof texts / sizeof *texts - 1 };
    size_t i = 0;
    while (i < LARGEST && strcmp(c->type, texts[i].type)) i++;
    if (i == LARGEST || !c->charset) return;
    uint64_t bytes = texts[i].bytes / charset_width(c->charset) * width;
    while (i < LARGEST && texts[i].bytes < bytes) i++;
    c->type = c->full = texts[i].type;
}

static void convert(struct build *b)
{
    if (!b->converted.charset) return;
    for (uint32_t i = 0; i < b->d->column_count; i++) {
        struct definition_column *c = &b->d->columns[i];
        if (!c->textual) continue;
        grow(c, charset_width(b->converted.charset));
        c->charset = b->converted.charset;
        c->collation = b->converted.collation;
    }
    b->d->charset = b->converted.charset;
    b->d->collation = b->converted.collation;
}

/* Columns that have no character set of their own have the table's. */
static void inherit(struct build *b)
{
    for (uint32_t i = 0; i < b->d->column_count; i++) {
        struct definition_column *c = &b->d->columns[i];
        if (!c->textual || c->charset) continue;
        c->charset = b->d->charset;
        c->collation = b->d->collation;
    }
}

static bool names_differ(const struct definition *d)
{
    for (uint32_t i = 1; i < d->column_count; i++)
        for (uint32_t k = 0; k < i; k++)
            if (!strcasecmp(d->columns[i].name, d->columns[k].name)) return false;
    return true;
}

/* A primary key's columns are NOT NULL, whatever they say. */
static bool finish(struct build *b)
{
    struct definition *d = b->d;
    if (!names_differ(d)) return false;
    convert(b);
    inherit(b);
    for (uint32_t i = 0; i < d->key_count; i++) {
        int at = find_column(d, d->key[i]);
        if (at < 0) return false;
        d->columns[at].nullable = false;
        d->columns[at].nullable_known = true;
    }
    return d->column_count > 0;
}

/* WITH SYSTEM VERSIONING alone: two columns that SHOW CREATE TABLE does not show. */
static bool add_versioning(struct build *b)
{
    static const char *const names[] = {"row_start", "row_end"};
    if (!b->versioned || b->period) return true;
    for (size_t i = 0; i < 2; i++) {
        struct definition_column c = {.name = names[i], .type = "timestamp", .full = "timestamp(6)", .nullable_known = true};
        if (!insert_column(b, &c, b->d->column_count)) return false;
    }
    return true;
}

static struct definition *begin(const char *database, const char *name)
{
    struct definition *d = calloc(1, sizeof *d);
    if (!d) abort();
    arena_init(&d->arena);
    d->database = arena_text(&d->arena, slice_text(database));
    d->name = arena_text(&d->arena, slice_text(name));
    return d;
}

static bool create_body(struct build *b)
{
    struct tokens *t = b->t;
    if (!tokens_skip_sign(t, '(')) return false;
    do {
        if (!take_item(b)) return false;
    } while (tokens_skip_sign(t, ','));
    if (!tokens_skip_sign(t, ')')) return false;
    while (!at_end(t)) {
        if (tokens_is(t, "SELECT") || tokens_is(t, "AS") || tokens_is(t, "WITH")) {
            if (!skip_words(t, "WITH", "SYSTEM")) return false; /* more columns come from the query */
            if (!tokens_skip(t, "VERSIONING")) return false;
            b->versioned = true;
            continue;
        }
        if (!take_option(b)) return false;
    }
    return add_versioning(b) && finish(b);
}

struct definition *define_create(struct tokens *t, uint16_t charset, const char *database, const char *name)
{
    struct build b = {.t = t, .charset_client = charset, .d = begin(database, name)};
    if (create_body(&b)) return b.d;
    definition_free(b.d);
    return NULL;
}

struct definition *define_copy(const struct definition *old, const char *database, const char *name)
{
    struct definition *d = begin(database, name);
    d->columns = arena_alloc(&d->arena, (old->column_count + 1) * sizeof *d->columns);
    d->key = arena_alloc(&d->arena, (old->key_count + 1) * sizeof *d->key);
    for (uint32_t i = 0; i < old->column_count; i++) {
        struct definition_column *c = &d->columns[i];
        *c = old->columns[i];
        c->name = arena_text(&d->arena, slice_text(old->columns[i].name));
        c->type = arena_text(&d->arena, slice_text(old->columns[i].type));
        c->full = arena_text(&d->arena, slice_text(old->columns[i].full));
    }
    for (uint32_t i = 0; i < old->key_count; i++) d->key[i] = arena_text(&d->arena, slice_text(old->key[i]));
    d->column_count = old->column_count;
    d->key_count = old->key_count;
    d->charset = old->charset;
    d->collation = old->collation;
    d->hashes = old->hashes;
    d->origin = old->origin;
    return d;
}

/* ---- ALTER TABLE ---- */

/* By the name that it had before the statement: its parts speak of those, so that names may change places in it. */
static int find_before(const struct definition *d, const char *name)
{
    for (uint32_t i = 0; i < d->column_count; i++)
        if (d->columns[i].before && !strcasecmp(d->columns[i].before, name)) return (int)i;
    return -1;
}

/* FIRST, AFTER c; without either *at stays. */
static bool take_position(struct build *b, uint32_t *at)
{
    const char *name;
    if (tokens_skip(b->t, "FIRST")) {
        *at = 0;
        return true;
    }
    if (!tokens_skip(b->t, "AFTER")) return true;
    int found = take_name(b, &name) ? find_column(b->d, name) : -1;
    *at = (uint32_t)(found + 1);
    b->placed = true;
    return found >= 0;
}

static bool skip_if(struct tokens *t, bool *conditional)
{
    *conditional = tokens_skip(t, "IF");
    if (*conditional) tokens_skip(t, "NOT");
    return !*conditional || tokens_skip(t, "EXISTS");
}

static bool add_one(struct build *b, bool conditional)
{
    struct definition_column column = {0};
    if (!take_name(b, &column.name)) return false;
    uint32_t at = b->d->column_count;
    int there = find_column(b->d, column.name);
    if (there >= 0 && conditional) return skip_item(b->t);
    if (!take_definition(b, &column) || !take_position(b, &at)) return false;
    return insert_column(b, &column, at);
}

static bool alter_add(struct build *b)
{
    struct tokens *t = b->t;
    bool found, conditional;
    if (tokens_is(t, "SYSTEM") || tokens_is(t, "PERIOD")) {
        struct tokens ahead = *t;
        tokens_next(&ahead);
        if (tokens_is(&ahead, "VERSIONING") || tokens_is(&ahead, "FOR")) return false; /* rows get columns that cannot be told from here */
    }
    if (tokens_is(t, "PARTITION")) return skip_item(t);
    if (!tokens_skip(t, "COLUMN")) {
        if (!take_constraint(b, &found)) return false;
        if (found) return true;
    }
    if (!skip_if(t, &conditional)) return false;
    if (!tokens_skip_sign(t, '(')) return add_one(b, conditional);
    do {
        if (!add_one(b, conditional)) return false;
    } while (tokens_skip_sign(t, ','));
    return tokens_skip_sign(t, ')');
}

static bool alter_drop(struct build *b)
{
    static const char *const others[] = {"INDEX", "KEY", "FOREIGN", "CONSTRAINT", "CHECK", "PARTITION"};
    struct tokens *t = b->t;
    const char *name;
    bool conditional, column = tokens_skip(t, "COLUMN");
    if (!column && skip_words(t, "PRIMARY", "KEY")) return b->d->key_count = 0, b->new_key = true, skip_item(t);
    for (size_t i = 0; !column && i < sizeof others / sizeof *others; i++)
        if (tokens_is(t, others[i])) return skip_item(t);
    struct tokens ahead = *t;
    if (!column && (tokens_skip(&ahead, "SYSTEM") || tokens_skip(&ahead, "PERIOD")) && (tokens_is(&ahead, "VERSIONING") || tokens_is(&ahead, "FOR")))
        return false;
    if (!skip_if(t, &conditional) || !take_name(b, &name)) return false;
    int at = find_before(b->d, name);
    if (at < 0) return conditional;
    remove_column(b->d, (uint32_t)at);
    return skip_item(t);
}

/* MODIFY c def, CHANGE c new def. */
static bool alter_change(struct build *b, bool renames)
{
    struct tokens *t = b->t;
    struct definition_column column = {0};
    const char *old;
    bool conditional;
    tokens_skip(t, "COLUMN");
    if (!skip_if(t, &conditional) || !take_name(b, &old)) return false;
    column.name = old;
    if (renames && !take_name(b, &column.name)) return false;
    int at = find_before(b->d, old);
    if (at < 0) return conditional && skip_item(t);
    if (!take_definition(b, &column) || (b->placed && strcasecmp(old, column.name))) return false;
    column.before = b->d->columns[at].before;
    if (!is_position(t)) {
        b->d->columns[at] = column;
        return true;
    }
    uint32_t keys = b->d->key_count; /* not dropped from the key while it moves */
    const char **key = b->d->key;
    b->d->key_count = 0;
    remove_column(b->d, (uint32_t)at);
    b->d->key = key;
    b->d->key_count = keys;
    uint32_t to = b->d->column_count;
    return take_position(b, &to) && insert_column(b, &column, to);
}

static bool take_new_name(struct build *b, char *database, char *name)
{
    struct token first = b->t->now;
    tokens_next(b->t);
    if (!tokens_skip_sign(b->t, '.')) return define_name(&first, b->charset_client, name);
    struct token second = b->t->now;
    tokens_next(b->t);
    return define_name(&first, b->charset_client, database) && define_name(&second, b->charset_client, name);
}

static bool alter_rename(struct build *b, char *database, char *name)
{
    struct tokens *t = b->t;
    const char *from, *to;
    bool conditional;
    if (tokens_is(t, "INDEX") || tokens_is(t, "KEY")) return skip_item(t);
    if (tokens_skip(t, "COLUMN")) {
        if (!skip_if(t, &conditional) || !take_name(b, &from) || !tokens_skip(t, "TO") || !take_name(b, &to)) return false;
        int at = find_before(b->d, from);
        if (at < 0) return conditional;
        if (b->placed) return false;
        b->d->columns[at].name = to;
        return true;
    }
    if (!tokens_skip(t, "TO") && !tokens_skip(t, "AS")) tokens_skip_sign(t, '=');
    return take_new_name(b, database, name);
}

/* CONVERT TO CHARACTER SET … [COLLATE …]: all text of the statement's table, wherever in the statement it stands, and the table's default. */
static bool alter_convert(struct build *b)
{
    struct tokens *t = b->t;
    struct definition_column *as = &b->converted;
    if (!tokens_skip(t, "TO")) return false;
    if (!skip_words(t, "CHARACTER", "SET") && !skip_words(t, "CHAR", "SET") && !tokens_skip(t, "CHARSET")) return false;
    if (!take_charset(t, as, false) || (tokens_skip(t, "COLLATE") && !take_charset(t, as, true))) return false;
    return as->charset && strcmp(as->charset, "binary"); /* else the database's default; or text becomes bytes */
}

static bool alter_one(struct build *b, char *database, char *name)
{
    struct tokens *t = b->t;
    if (tokens_skip(t, "ADD")) return alter_add(b);
    if (tokens_skip(t, "DROP")) return alter_drop(b);
    if (tokens_skip(t, "MODIFY")) return alter_change(b, false);
    if (tokens_skip(t, "CHANGE")) return alter_change(b, true);
    if (tokens_skip(t, "RENAME")) return alter_rename(b, database, name);
    if (tokens_skip(t, "CONVERT")) return alter_convert(b);
    if (tokens_skip(t, "ALTER")) return skip_item(t);
    while (!at_end(t) && !tokens_is_sign(t, ',') && !tokens_is_sign(t, ')'))
        if (!take_option(b)) return false;
    return !b->versioned;
}

struct definition *define_alter(struct tokens *t, uint16_t charset, const struct definition *old, char database[DEFINE_NAME_MAX],
                                char name[DEFINE_NAME_MAX])
{
    struct build b = {.t = t, .charset_client = charset, .d = define_copy(old, old->database, old->name)};
    bool good = true;
    b.room = b.d->column_count;
    for (uint32_t i = 0; i < b.d->column_count; i++) b.d->columns[i].before = b.d->columns[i].name;
    do {
        good = alter_one(&b, database, name);
    } while (good && tokens_skip_sign(t, ','));
    for (uint32_t i = 0; i < b.d->key_count && !b.new_key; i++) {
        int at = find_before(b.d, b.d->key[i]);
        if (at >= 0) b.d->key[i] = b.d->columns[at].name;
    }
    for (uint32_t i = 0; i < b.d->column_count; i++) b.d->columns[i].before = NULL;
    if (good && at_end(t) && finish(&b)) return b.d;
    definition_free(b.d);
    return NULL;
}
