/* proof_sql.c: see proof_sql.h. */
#include "proof_sql.h"

#include <ctype.h>
#include <string.h>

#include "cursor.h"
#include "db.h"

#define STORED "CONCAT(LENGTH($),':',CAST($ AS BINARY))"
#define HEXED "HEX(CAST($ AS BINARY))"

/* FLOAT through DOUBLE, because its own text is rounded. ENUM and SET by number, since an ENUM's error value has the same text as a
   member ''. MD5 of the large ones: a CONCAT longer than max_allowed_packet would be NULL. */
static const struct proof_kind kinds[] = {
    {"tinyint", "$", "$", LITERAL_NUMBER, true, true},
    {"smallint", "$", "$", LITERAL_NUMBER, true, true},
    {"mediumint", "$", "$", LITERAL_NUMBER, true, true},
    {"int", "$", "$", LITERAL_NUMBER, true, true},
    {"bigint", "$", "$", LITERAL_NUMBER, true, true},
    {"decimal", "$", "$", LITERAL_NUMBER, true, true},
    {"double", "$", "$", LITERAL_NUMBER, true, true},
    {"year", "$", "$", LITERAL_NUMBER, true, true},
    {"float", "CAST($ AS DOUBLE)", "CAST($ AS DOUBLE)", LITERAL_NUMBER, true, true},
    {"bit", "CAST($ AS UNSIGNED)", "CAST($ AS UNSIGNED)", LITERAL_NUMBER, true, true},
    {"enum", "CAST($ AS UNSIGNED)", "CAST($ AS UNSIGNED)", LITERAL_NUMBER, true, true},
    {"set", "CAST($ AS UNSIGNED)", "CAST($ AS UNSIGNED)", LITERAL_NUMBER, true, true},
    {"date", "CONCAT($)", "CONCAT($)", LITERAL_QUOTED, true, true},
    {"time", "CONCAT($)", "CONCAT($)", LITERAL_QUOTED, true, true},
    {"datetime", "CONCAT($)", "CONCAT($)", LITERAL_QUOTED, true, true},
    {"timestamp", "CONCAT($)", "CONCAT($)", LITERAL_QUOTED, true, true},
    {"uuid", "CONCAT($)", "CONCAT($)", LITERAL_QUOTED, true, true},
    {"inet4", "CONCAT($)", "CONCAT($)", LITERAL_QUOTED, true, true},
    {"inet6", "CONCAT($)", "CONCAT($)", LITERAL_QUOTED, true, true},
    {"char", STORED, HEXED, LITERAL_TEXT, false, true},
    {"varchar", STORED, HEXED, LITERAL_TEXT, false, true},
    {"binary", STORED, HEXED, LITERAL_BYTES, false, true},
    {"varbinary", STORED, HEXED, LITERAL_BYTES, false, true},
    {"tinytext", "MD5($)", HEXED, LITERAL_TEXT, false, false},
    {"text", "MD5($)", HEXED, LITERAL_TEXT, false, false},
    {"mediumtext", "MD5($)", HEXED, LITERAL_TEXT, false, false},
    {"longtext", "MD5($)", HEXED, LITERAL_TEXT, false, false},
    {"tinyblob", "MD5($)", HEXED, LITERAL_BYTES, false, false},
    {"blob", "MD5($)", HEXED, LITERAL_BYTES, false, false},
    {"mediumblob", "MD5($)", HEXED, LITERAL_BYTES, false, false},
    {"longblob", "MD5($)", HEXED, LITERAL_BYTES, false, false},
    {NULL, "MD5(CAST($ AS BINARY))", HEXED, LITERAL_BYTES, false, false}, /* geometry and the like */
};

const struct proof_kind *proof_kind(const char *data_type)
{
    const struct proof_kind *kind = kinds;
    while (kind->type && strcmp(kind->type, data_type) != 0) kind++;
    return kind;
}

static void put_form(struct buf *out, const char *form, struct slice name)
{
    for (; *form; form++) {
        if (*form == '$') db_quote_name(out, name);
        else buf_u8(out, (uint8_t)*form);
    }
}

void proof_sql_name(struct buf *out, const struct proof_table *t)
{
    db_quote_name(out, t->database);
    buf_u8(out, '.');
    db_quote_name(out, t->name);
}

void proof_sql_hash(struct buf *out, const struct proof_table *t)
{
    buf_text(out, "MD5(CONCAT(''");
    for (uint32_t i = 0; i < t->column_count; i++) {
        const struct proof_column *c = &t->columns[i];
        if (c->generated) continue;
        buf_text(out, c->nullable ? ",IFNULL(" : ",");
        put_form(out, c->kind->bytes, c->name);
        if (c->nullable) buf_text(out, ",'N')");
        if (c->kind->comma) buf_text(out, ",','");
    }
    buf_text(out, "))");
}

void proof_sql_value(struct buf *out, const struct proof_column *c) { put_form(out, c->kind->value, c->name); }

/* ---- literals ---- */

static bool only(struct slice value, const char *allowed)
{
    for (size_t i = 0; i < value.size; i++)
        if (!value.data[i] || !strchr(allowed, value.data[i])) return false;
    return value.size > 0;
}

static bool is_hex(struct slice value)
{
    for (size_t i = 0; i < value.size; i++)
        if (!isxdigit(value.data[i])) return false;
    return value.size % 2 == 0;
}

bool proof_sql_literal(struct buf *out, const struct proof_column *c, struct slice value)
{
    enum proof_literal literal = c->kind->literal;
    if (literal == LITERAL_NUMBER ? !only(value, "0123456789+-.eE")
        : literal == LITERAL_QUOTED ? !only(value, "0123456789abcdefABCDEF:.- ") : !is_hex(value)) return false;
    if (literal == LITERAL_TEXT) buf_printf(out, "_%s ", c->charset);
    else if (literal == LITERAL_QUOTED) buf_text(out, "_latin1 ");
    if (literal == LITERAL_TEXT || literal == LITERAL_BYTES) buf_u8(out, 'X');
    if (literal != LITERAL_NUMBER) buf_u8(out, '\'');
    buf_slice(out, value);
    if (literal != LITERAL_NUMBER) buf_u8(out, '\'');
    return true;
}

static bool key_values(const struct proof_table *t, struct slice key, struct slice values[PROOF_KEY_PARTS])
{
    struct cursor in = cursor_of(key);
    for (uint32_t i = 0; i < t->key_count; i++) values[i] = cursor_varint_bytes(&in);
    return !in.failed && !cursor_left(&in);
}

/* An ENUM is ordered by number but compared as text, and its numbers are found by the index only one by one. */
static void put_members(struct buf *out, const struct proof_column *c, bool above, struct slice value)
{
    uint32_t limit = 0;
    for (size_t i = 0; i < value.size; i++) limit = limit * 10 + (uint32_t)(value.data[i] - '0');
    uint32_t from = above ? limit + 1 : 0, to = above ? c->members : limit - (limit > 0);
    db_quote_name(out, c->name);
    buf_text(out, " IN (NULL");
    for (uint32_t m = from; m <= to && (above || limit); m++) buf_printf(out, ",%u", m);
    buf_u8(out, ')');
}

static bool put_comparison(struct buf *out, const struct proof_column *c, const char *operator, struct slice value)
{
    if (c->members && operator[0] != '=') {
        if (!only(value, "0123456789") || value.size > 5) return false;
        put_members(out, c, operator[0] == '>', value);
        return true;
    }
    db_quote_name(out, c->name);
    buf_text(out, operator);
    return proof_sql_literal(out, c, value);
}

/* (a > x) OR (a = x AND b > y) …; with_equal: OR (a = x AND b = y). */
static bool put_beyond(struct buf *out, const struct proof_table *t, struct slice key, const char *operator, bool with_equal)
{
    struct slice values[PROOF_KEY_PARTS];
    bool ok = key_values(t, key, values);
    buf_u8(out, '(');
    for (uint32_t depth = 0; ok && depth < t->key_count + with_equal; depth++) {
        buf_text(out, depth ? " OR (" : "(");
        for (uint32_t i = 0; ok && i <= depth && i < t->key_count; i++) {
            if (i) buf_text(out, " AND ");
            ok = put_comparison(out, &t->columns[t->key[i]], i == depth ? operator : "=", values[i]);
        }
        buf_u8(out, ')');
    }
    buf_u8(out, ')');
    return ok;
}

static bool put_range(struct buf *out, const struct proof_table *t, struct slice lower, struct slice upper)
{
    buf_text(out, " FROM ");
    proof_sql_name(out, t);
    if (!t->key_count) return true;
    buf_text(out, " FORCE INDEX (");
    db_quote_name(out, t->index);
    buf_u8(out, ')');
    if (lower.data) {
        buf_text(out, " WHERE ");
        if (!put_beyond(out, t, lower, ">", false)) return false;
    }
    if (!upper.data) return true;
    buf_text(out, lower.data ? " AND " : " WHERE ");
    return put_beyond(out, t, upper, "<", true);
}

bool proof_sql_at(struct buf *out, const struct proof_table *t, struct slice key)
{
    struct slice values[PROOF_KEY_PARTS];
    bool ok = t->key_count && key_values(t, key, values);
    for (uint32_t i = 0; ok && i < t->key_count; i++) {
        buf_text(out, i ? " AND " : " WHERE ");
        ok = put_comparison(out, &t->columns[t->key[i]], "=", values[i]);
    }
    return ok;
}

/* ---- SELECTs ---- */

static void put_key_values(struct buf *out, const struct proof_table *t)
{
    for (uint32_t i = 0; i < t->key_count; i++) {
        const struct proof_column *c = &t->columns[t->key[i]];
        if (i) buf_u8(out, ',');
        put_form(out, c->kind->value, c->name);
    }
}

static void put_order(struct buf *out, const struct proof_table *t)
{
    for (uint32_t i = 0; i < t->key_count; i++) {
        buf_text(out, i ? "," : " ORDER BY ");
        db_quote_name(out, t->columns[t->key[i]].name);
    }
}

bool proof_sql_bound(struct buf *out, const struct proof_table *t, struct slice lower, struct slice upper, uint64_t rows)
{
    buf_text(out, "SELECT ");
    put_key_values(out, t);
    bool ok = put_range(out, t, lower, upper);
    put_order(out, t);
    buf_printf(out, " LIMIT %llu,1", (unsigned long long)(rows - 1));
    return ok;
}

/* 60 bits of each row's MD5, by XOR: a key makes every row unlike every other. Rows without a key may be there twice and then cancel
   each other out, so their sum stands beside it. */
bool proof_sql_sum(struct buf *out, const struct proof_table *t, struct slice lower, struct slice upper)
{
    if (t->key_count) {
        buf_text(out, "SELECT COUNT(*),BIT_XOR(CAST(CONV(LEFT(");
        proof_sql_hash(out, t);
        buf_text(out, ",15),16,10) AS UNSIGNED))");
        return put_range(out, t, lower, upper);
    }
    buf_text(out, "SELECT COUNT(*),CONCAT(BIT_XOR(CAST(CONV(LEFT(h,15),16,10) AS UNSIGNED)),' ',IFNULL(SUM(CAST(CONV(RIGHT(h,15),16,10) AS UNSIGNED)),0)) "
             "FROM (SELECT ");
    proof_sql_hash(out, t);
    buf_text(out, " h");
    put_range(out, t, lower, upper);
    buf_text(out, " LIMIT 18446744073709551615) hashes"); /* a LIMIT keeps h from being worked out twice */
    return true;
}

bool proof_sql_rows(struct buf *out, const struct proof_table *t, struct slice lower, struct slice upper, uint64_t limit)
{
    buf_text(out, "SELECT ");
    put_key_values(out, t);
    buf_u8(out, ',');
    proof_sql_hash(out, t);
    bool ok = put_range(out, t, lower, upper);
    put_order(out, t);
    buf_printf(out, " LIMIT %llu", (unsigned long long)limit);
    return ok;
}

bool proof_sql_look(struct buf *out, const struct proof_table *t, struct slice key, size_t number)
{
    buf_printf(out, "SELECT %zu,", number);
    proof_sql_hash(out, t);
    buf_text(out, " FROM ");
    proof_sql_name(out, t);
    return proof_sql_at(out, t, key);
}

bool proof_sql_row(struct buf *out, const struct proof_table *t, struct slice key)
{
    buf_text(out, "SELECT ");
    proof_sql_hash(out, t);
    for (uint32_t i = 0; i < t->column_count; i++) {
        if (t->columns[i].generated) continue;
        buf_u8(out, ',');
        put_form(out, t->columns[i].kind->value, t->columns[i].name);
    }
    buf_text(out, " FROM ");
    proof_sql_name(out, t);
    return proof_sql_at(out, t, key);
}

bool proof_sql_insert(struct buf *out, const struct proof_table *t, const struct slice *values)
{
    uint32_t n = 0;
    bool ok = true;
    buf_text(out, " (");
    for (uint32_t i = 0; i < t->column_count; i++) {
        if (t->columns[i].generated) continue;
        if (n++) buf_u8(out, ',');
        db_quote_name(out, t->columns[i].name);
    }
    buf_text(out, ") VALUES (");
    n = 0;
    for (uint32_t i = 0; ok && i < t->column_count; i++) {
        if (t->columns[i].generated) continue;
        if (n) buf_u8(out, ',');
        if (values[n].data) ok = proof_sql_literal(out, &t->columns[i], values[n]);
        else buf_text(out, "NULL");
        n++;
    }
    buf_u8(out, ')');
    return ok;
}

static unsigned nibble(uint8_t c) { return c <= '9' ? (unsigned)(c - '0') : (unsigned)(c | 32) - 'a' + 10; }

static void say_value(struct buf *out, const struct proof_column *c, struct slice value)
{
    enum { SHOWN = 40 };
    bool plain = c->kind->literal < LITERAL_TEXT;
    char text[SHOWN + 1];
    size_t n = plain ? value.size : value.size / 2, shown = n < SHOWN ? n : SHOWN;
    for (size_t i = 0; i < shown; i++) {
        unsigned byte = plain ? value.data[i] : nibble(value.data[2 * i]) << 4 | nibble(value.data[2 * i + 1]);
        if (byte < 0x20 || byte > 0x7e || byte == '\'') {
            buf_text(out, "0x");
            buf_put(out, value.data, 2 * shown);
            buf_text(out, n > shown ? "…" : "");
            return;
        }
        text[i] = (char)byte;
    }
    bool quoted = c->kind->literal != LITERAL_NUMBER;
    buf_printf(out, quoted ? "'%.*s'%s" : "%.*s%s", (int)shown, text, n > shown ? "…" : "");
}

void proof_sql_say_key(struct buf *out, const struct proof_table *t, struct slice key)
{
    struct slice values[PROOF_KEY_PARTS];
    if (!key_values(t, key, values)) return;
    for (uint32_t i = 0; i < t->key_count; i++) {
        if (i) buf_text(out, ", ");
        buf_slice(out, t->columns[t->key[i]].name);
        buf_u8(out, '=');
        say_value(out, &t->columns[t->key[i]], values[i]);
    }
}
