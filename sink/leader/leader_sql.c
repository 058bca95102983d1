/* leader_sql.c: see leader_sql.h. */
#include "leader_sql.h"

#include <string.h>

#include "charset.h"
#include "value.h"

enum { NAME_MAX_BYTES = 4 << 20 };

/* ---- names and the parts that stay ---- */

/* A column that the target's dictionary does not show (plan.c) is none of ours. */
static bool assignable(const struct plan *plan, uint32_t column)
{
    return plan->column[column] >= 0 && !plan->target->columns[plan->column[column]].generated;
}

static void put_column(const struct plan *plan, uint32_t column, struct buf *out)
{
    db_quote_name(out, plan->target->columns[plan->column[column]].name);
}

static bool is_key(const struct plan *plan, uint32_t column)
{
    for (uint16_t i = 0; i < plan->key_count; i++)
        if (plan->key[i] == column) return true;
    return false;
}

/* Key columns are what they are, but for the spelling of text. Where the row was found by another unique key they must stay. */
static bool is_set(const struct plan *plan, uint32_t column)
{
    if (!assignable(plan, column)) return false;
    return !is_key(plan, column) || (plan_is_text(plan, column) && !plan->other_count);
}

static void put_head(const struct plan *plan, struct slice name, struct buf *out)
{
    bool first = true;
    buf_text(out, "INSERT INTO ");
    buf_slice(out, name);
    for (uint32_t i = 0; i < plan->source->column_count; i++) {
        if (!assignable(plan, i)) continue;
        buf_text(out, first ? " (" : ",");
        put_column(plan, i, out);
        first = false;
    }
    buf_text(out, ") VALUES ");
}

static void put_assign(const struct plan *plan, uint32_t column, bool first, struct buf *out)
{
    if (!first) buf_u8(out, ',');
    put_column(plan, column, out);
    buf_text(out, "=VALUES(");
    put_column(plan, column, out);
    buf_u8(out, ')');
}

static void put_tail(const struct plan *plan, struct buf *out)
{
    bool first = true;
    buf_text(out, " ON DUPLICATE KEY UPDATE ");
    for (uint32_t i = 0; i < plan->source->column_count; i++) {
        if (!is_set(plan, i)) continue;
        put_assign(plan, i, first, out);
        first = false;
    }
    if (first && plan->key_count) put_assign(plan, plan->key[0], true, out);
}

/* Values beyond 64 KiB go in by their own sum: what is joined must stay below max_allowed_packet, or it is NULL. */
static bool is_long(const struct column *column) { return column_has_prefix(column->kind) && column->width > 2; }

/* As bytes, whatever the column's charset is: different ones cannot be joined. */
static void put_summed(const struct plan *plan, uint32_t column, struct buf *out)
{
    enum column_kind kind = plan->source->columns[column].kind;
    bool number = kind == COLUMN_ENUM || kind == COLUMN_SET || kind == COLUMN_BIT;
    const char *before = is_long(&plan->source->columns[column]) ? ",MD5(" : plan_is_text(plan, column) ? ",CAST(" : ",";
    const char *after = before[1] == 'M' ? ")" : before[1] ? " AS BINARY)" : number ? "+0" : "";
    buf_text(out, before);
    put_column(plan, column, out);
    buf_text(out, after);
}

static void put_sum(const struct plan *plan, struct slice name, struct buf *out)
{
    buf_text(out, "SELECT COUNT(*),COALESCE(BIT_XOR(CAST(CONV(LEFT(MD5(CONCAT_WS('#'");
    for (uint32_t i = 0; i < plan->source->column_count; i++)
        if (assignable(plan, i)) put_summed(plan, i, out);
    for (uint32_t i = 0; i < plan->source->column_count; i++) {
        if (!assignable(plan, i) || !plan->target->columns[plan->column[i]].nullable) continue;
        buf_text(out, ",ISNULL(");
        put_column(plan, i, out);
        buf_u8(out, ')');
    }
    buf_text(out, ")),16),16,10) AS UNSIGNED)),0) FROM ");
    buf_slice(out, name);
    if (plan->target->key_count && plan->target->keys[0].primary) buf_text(out, " FORCE INDEX (PRIMARY)");
    buf_text(out, " WHERE ");
}

static bool says_backslash(const struct plan *plan)
{
    bool any = memchr(plan->target->database.data, '\\', plan->target->database.size) || memchr(plan->target->name.data, '\\', plan->target->name.size);
    for (uint32_t i = 0; i < plan->target->column_count && !any; i++)
        any = memchr(plan->target->columns[i].name.data, '\\', plan->target->columns[i].name.size) != NULL;
    return any;
}

typedef void part_fn(const struct plan *, struct slice name, struct buf *);
static void put_tail_part(const struct plan *plan, struct slice name, struct buf *out)
{
    (void)name;
    put_tail(plan, out);
}

static struct slice keep_part(struct plan *plan, part_fn *fn, struct slice name, struct buf *out)
{
    buf_clear(out);
    fn(plan, name, out);
    return arena_copy(&plan->arena, buf_bytes(out));
}

bool leader_sql_init(struct leader_sql *sql, struct plan *plan)
{
    struct buf out;
    if (says_backslash(plan)) return false;
    buf_init(&out, NAME_MAX_BYTES);
    db_quote_name(&out, plan->target->database);
    buf_u8(&out, '.');
    db_quote_name(&out, plan->target->name);
    sql->name = arena_copy(&plan->arena, buf_bytes(&out));
    sql->head = keep_part(plan, put_head, sql->name, &out);
    sql->tail = keep_part(plan, put_tail_part, sql->name, &out);
    sql->sum = keep_part(plan, put_sum, sql->name, &out);
    bool ok = !out.full;
    buf_fini(&out);
    return ok;
}

bool leader_sql_fits(const struct plan *plan)
{
    for (uint16_t i = 0; i < plan->key_count; i++) {
        enum column_kind kind = plan->source->columns[plan->key[i]].kind;
        if (kind == COLUMN_FLOAT || kind == COLUMN_DOUBLE || kind == COLUMN_GEOMETRY || kind == COLUMN_JSON || kind == COLUMN_BLOB ||
            kind == COLUMN_VECTOR) return false;
    }
    return plan->key_count > 0;
}

void leader_sql_context(uint8_t flags, bool lenient, struct buf *out)
{
    buf_printf(out, "/*!100100 SET STATEMENT sql_mode='%sALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO,NO_BACKSLASH_ESCAPES',foreign_key_checks=%d,"
               "unique_checks=1,check_constraint_checks=%d,time_zone='+00:00' FOR */ ", lenient ? "" : "STRICT_ALL_TABLES,",
               !(flags & ROW_NO_FOREIGN_KEY_CHECKS), !(flags & ROW_NO_CHECK_CONSTRAINT));
}

/* ---- values ---- */

/* Charsets in which printable ASCII is what it looks like. */
static bool reads_ascii(uint16_t collation)
{
    static const char *const names[] = {"utf8mb4", "utf8mb3", "latin1", "ascii", "latin2", "latin5", "latin7", "cp1250", "cp1251", "cp1256", "cp1257",
                                        "binary"};
    const char *name = charset_name(collation);
    for (size_t i = 0; name && i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0) return true;
    return false;
}

static bool is_plain(struct slice bytes)
{
    for (size_t i = 0; i < bytes.size; i++) {
        uint8_t c = bytes.data[i];
        if (c < 32 || c > 126 || c == '\'' || c == '\\' || c == '"') return false;
    }
    return true;
}

static void put_quoted(struct slice bytes, struct buf *out)
{
    buf_u8(out, '\'');
    buf_slice(out, bytes);
    buf_u8(out, '\'');
}

/* A binary literal: its bytes are taken as the column's own, whatever its charset. */
static void put_hex(struct slice bytes, size_t padded, struct buf *out)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t n = bytes.size > padded ? bytes.size : padded;
    uint8_t *to = buf_reserve(out, 2 * n + 3);
    if (!to) return;
    *to++ = 'X';
    *to++ = '\'';
    for (size_t i = 0; i < n; i++) {
        uint8_t c = i < bytes.size ? bytes.data[i] : 0;
        *to++ = (uint8_t)digits[c >> 4];
        *to++ = (uint8_t)digits[c & 15];
    }
    *to = '\'';
    out->size += 2 * n + 3;
}

static void put_integer(const struct column *column, bool target_unsigned, struct slice bytes, struct buf *out)
{
    char text[VALUE_TEXT_MAX];
    struct column known = *column;
    if (!known.sign_known) known.is_unsigned = target_unsigned;
    buf_put(out, text, value_text(&known, bytes, text));
}

/* With an exponent the server reads a DOUBLE; without one a DECIMAL, which has other digits. */
static void put_real(const struct column *column, struct slice bytes, struct buf *out)
{
    char text[VALUE_TEXT_MAX];
    if (column->kind == COLUMN_FLOAT) {
        buf_printf(out, "%.16e", value_double(column, bytes)); /* fewer digits could be beyond the largest FLOAT, or be none as a DOUBLE */
        return;
    }
    size_t n = value_text(column, bytes, text);
    buf_put(out, text, n);
    if (!memchr(text, 'e', n)) buf_text(out, "e0");
}

static void put_fixed(const struct column *column, struct slice bytes, bool quoted, struct buf *out)
{
    char text[VALUE_TEXT_MAX];
    size_t n = value_text(column, bytes, text);
    if (quoted) put_quoted(slice_of(text, n), out);
    else buf_put(out, text, n);
}

static void put_bits(const struct column *column, struct slice bytes, struct buf *out)
{
    bool negative;
    buf_printf(out, "%llu", (unsigned long long)value_integer(column, bytes, &negative));
}

static void put_text(const struct column *column, struct slice bytes, bool compared, struct buf *out)
{
    bool own_bytes = column->kind == COLUMN_VARBINARY || column->kind == COLUMN_BLOB;
    if (!compared && is_plain(bytes) && (own_bytes || reads_ascii(column->collation))) put_quoted(bytes, out);
    else put_hex(bytes, 0, out);
}

void leader_sql_value(const struct plan *plan, uint32_t at, const struct value *value, bool compared, struct buf *out)
{
    const struct column *column = &plan->source->columns[at];
    if (value->state == VALUE_ABSENT) return buf_text(out, "DEFAULT");
    if (value->state == VALUE_NULL) return buf_text(out, "NULL");
    switch (column->kind) {
    case COLUMN_INT: return put_integer(column, plan->target->columns[plan->column[at]].is_unsigned, value->bytes, out);
    case COLUMN_FLOAT: case COLUMN_DOUBLE: return put_real(column, value->bytes, out);
    case COLUMN_DECIMAL: return put_fixed(column, value->bytes, false, out);
    case COLUMN_YEAR: case COLUMN_BIT: case COLUMN_ENUM: case COLUMN_SET: return put_bits(column, value->bytes, out);
    case COLUMN_DATE: case COLUMN_TIME: case COLUMN_DATETIME: case COLUMN_TIMESTAMP: case COLUMN_UUID: case COLUMN_INET4: case COLUMN_INET6:
        return put_fixed(column, value->bytes, true, out);
    case COLUMN_BINARY: return put_hex(value->bytes, column->max_bytes, out);
    case COLUMN_GEOMETRY: case COLUMN_VECTOR: return put_hex(value->bytes, 0, out);
    default: return put_text(column, value->bytes, compared, out);
    }
}

void leader_sql_key(const struct plan *plan, const struct value *values, struct buf *out)
{
    for (uint16_t i = 0; i < plan->key_count; i++) {
        if (plan->key_count > 1) {
            buf_text(out, i ? " AND " : "(");
            put_column(plan, plan->key[i], out);
            buf_u8(out, '=');
        }
        leader_sql_value(plan, plan->key[i], &values[plan->key[i]], true, out);
    }
    if (plan->key_count > 1) buf_u8(out, ')');
}

const char *leader_sql_joint(const struct plan *plan) { return plan->key_count > 1 ? " OR " : ","; }

static void put_where(const struct plan *plan, struct buf *out)
{
    if (plan->key_count > 1) return;
    put_column(plan, plan->key[0], out);
    buf_text(out, " IN (");
}

void leader_sql_sum(const struct plan *plan, const struct leader_sql *sql, struct slice keys, struct buf *out)
{
    buf_slice(out, sql->sum);
    put_where(plan, out);
    buf_slice(out, keys);
    if (plan->key_count == 1) buf_u8(out, ')');
}

/* ---- statements ---- */

void leader_writer_init(struct leader_writer *w)
{
    *w = (struct leader_writer){0};
    buf_init(&w->sql, LEADER_SQL_MAX);
    buf_init(&w->keys, LEADER_SQL_MAX);
}

void leader_writer_fini(struct leader_writer *w)
{
    buf_fini(&w->sql);
    buf_fini(&w->keys);
}

static void begin(struct leader_writer *w, const struct plan *plan, const struct leader_sql *parts, uint8_t flags, bool lenient)
{
    buf_clear(&w->sql);
    buf_clear(&w->keys);
    w->rows = w->present = 0;
    w->plan = plan;
    w->parts = parts;
    w->flags = flags;
    w->lenient = lenient;
    leader_sql_context(flags, lenient, &w->sql);
}

void leader_writer_begin(struct leader_writer *w, const struct plan *plan, const struct leader_sql *parts, bool removes, uint8_t flags, bool lenient)
{
    begin(w, plan, parts, flags, lenient);
    w->removes = removes;
    w->whole = false;
    if (!removes) return buf_slice(&w->sql, parts->head);
    buf_text(&w->sql, "DELETE FROM ");
    buf_slice(&w->sql, parts->name);
    buf_text(&w->sql, " WHERE ");
    put_where(plan, &w->sql);
}

static void put_values(const struct plan *plan, const struct value *values, struct buf *out)
{
    bool first = true;
    for (uint32_t i = 0; i < plan->source->column_count; i++) {
        if (!assignable(plan, i)) continue;
        buf_u8(out, first ? '(' : ',');
        leader_sql_value(plan, i, &values[i], false, out);
        first = false;
    }
    buf_u8(out, ')');
}

/* ---- statements for one node, in the source's order ---- */

static void put_match(const struct plan *plan, uint32_t at, const struct value *value, struct buf *out)
{
    bool geometry = plan->target->columns[plan->column[at]].geometry;
    buf_text(out, geometry ? "HEX(" : "");
    put_column(plan, at, out);
    buf_text(out, geometry ? ")<=>HEX(" : "<=>");
    leader_sql_value(plan, at, value, true, out);
    buf_text(out, geometry ? ")" : "");
    if (!plan_is_text(plan, at)) return;
    buf_text(out, " AND BINARY "); /* under most collations 'a' would find 'A' */
    put_column(plan, at, out);
    buf_text(out, "<=>");
    leader_sql_value(plan, at, value, true, out);
}

/* Of equal zeros the one with our sign: see plan.c. */
static void put_signs(const struct plan *plan, const struct value *before, struct buf *out)
{
    bool any = false;
    for (uint32_t i = 0; i < plan->source->column_count; i++) {
        if (before[i].state != VALUE_PRESENT || !plan_is_real(plan, i) || value_double(&plan->source->columns[i], before[i].bytes) != 0) continue;
        buf_text(out, any ? "+(ATAN2(0," : " ORDER BY (ATAN2(0,");
        put_column(plan, i, out);
        buf_text(out, ")=ATAN2(0,");
        leader_sql_value(plan, i, &before[i], true, out);
        buf_text(out, "))");
        any = true;
    }
    if (any) buf_text(out, " DESC");
}

static void put_one_row(const struct plan *plan, const struct value *before, struct buf *out)
{
    bool first = true, by_key = leader_sql_fits(plan);
    buf_text(out, " WHERE ");
    for (uint16_t i = 0; by_key && i < plan->key_count; i++) {
        if (i) buf_text(out, " AND ");
        put_column(plan, plan->key[i], out);
        buf_u8(out, '=');
        leader_sql_value(plan, plan->key[i], &before[plan->key[i]], true, out);
    }
    for (uint32_t i = 0; !by_key && i < plan->source->column_count; i++) {
        if (before[i].state == VALUE_ABSENT || plan->column[i] < 0) continue;
        if (!first) buf_text(out, " AND ");
        put_match(plan, i, &before[i], out);
        first = false;
    }
    if (!by_key) put_signs(plan, before, out);
    buf_text(out, " LIMIT 1");
}

static void put_sets(const struct plan *plan, const struct value *after, struct buf *out);

void leader_sql_direct(const struct plan *plan, const struct leader_sql *parts, enum change_kind kind, uint8_t flags, bool lenient,
                       const struct value *before, const struct value *after, struct buf *out)
{
    leader_sql_context(flags, lenient, out);
    if (kind == CHANGE_INSERT) {
        buf_slice(out, parts->head);
        put_values(plan, after, out);
        return;
    }
    buf_text(out, kind == CHANGE_DELETE ? "DELETE FROM " : "UPDATE ");
    buf_slice(out, parts->name);
    if (kind == CHANGE_UPDATE) put_sets(plan, after, out);
    put_one_row(plan, before, out);
}

bool leader_writer_row(struct leader_writer *w, const struct value *values)
{
    size_t sql = w->sql.size, keys = w->keys.size, tail = w->removes ? 1 : w->parts->tail.size;
    const char *joint = leader_sql_joint(w->plan);
    if (w->rows) {
        buf_text(&w->sql, w->removes ? joint : ",");
        buf_text(&w->keys, joint);
    }
    if (w->removes) leader_sql_key(w->plan, values, &w->sql);
    else put_values(w->plan, values, &w->sql);
    leader_sql_key(w->plan, values, &w->keys);
    if (w->rows && (w->sql.size + tail > LEADER_SQL_BYTES || w->sql.full)) {
        w->sql.size = sql;
        w->keys.size = keys;
        return false;
    }
    w->rows++;
    if (!w->removes) w->present++;
    return true;
}

void leader_writer_end(struct leader_writer *w)
{
    if (w->whole) return;
    if (!w->removes) buf_slice(&w->sql, w->parts->tail);
    else if (w->plan->key_count == 1) buf_u8(&w->sql, ')');
}

static bool same_key(const struct plan *plan, const struct value *a, const struct value *b)
{
    for (uint16_t i = 0; i < plan->key_count; i++) {
        uint16_t c = plan->key[i];
        if (b[c].state != VALUE_ABSENT && (a[c].state != b[c].state || !slice_equal(a[c].bytes, b[c].bytes))) return false;
    }
    return true;
}

/* The key that the row has afterwards: what the after image does not have is as before. */
static void put_later_key(struct leader_writer *w, const struct value *before, const struct value *after)
{
    const struct plan *plan = w->plan;
    buf_text(&w->keys, leader_sql_joint(plan));
    for (uint16_t i = 0; i < plan->key_count; i++) {
        uint16_t c = plan->key[i];
        if (plan->key_count > 1) {
            buf_text(&w->keys, i ? " AND " : "(");
            put_column(plan, c, &w->keys);
            buf_u8(&w->keys, '=');
        }
        leader_sql_value(plan, c, after[c].state == VALUE_ABSENT ? &before[c] : &after[c], true, &w->keys);
    }
    if (plan->key_count > 1) buf_u8(&w->keys, ')');
    w->rows++;
}

static void put_sets(const struct plan *plan, const struct value *after, struct buf *out)
{
    bool first = true;
    for (uint32_t i = 0; i < plan->source->column_count; i++) {
        if (!assignable(plan, i) || after[i].state == VALUE_ABSENT) continue;
        buf_text(out, first ? " SET " : ",");
        put_column(plan, i, out);
        buf_u8(out, '=');
        leader_sql_value(plan, i, &after[i], false, out);
        first = false;
    }
    if (!first) return;
    buf_text(out, " SET "); /* generated columns only: the row stays as it is */
    put_column(plan, 0, out);
    buf_u8(out, '=');
    put_column(plan, 0, out);
}

void leader_writer_update(struct leader_writer *w, const struct plan *plan, const struct leader_sql *parts, uint8_t flags, bool lenient,
                          const struct value *before, const struct value *after)
{
    begin(w, plan, parts, flags, lenient);
    w->removes = false;
    w->whole = true;
    buf_text(&w->sql, "UPDATE ");
    buf_slice(&w->sql, parts->name);
    put_sets(plan, after, &w->sql);
    buf_text(&w->sql, " WHERE ");
    put_where(plan, &w->sql);
    leader_sql_key(plan, before, &w->sql);
    if (plan->key_count == 1) buf_u8(&w->sql, ')');
    leader_sql_key(plan, before, &w->keys);
    w->rows = 1;
    if (!same_key(plan, before, after)) put_later_key(w, before, after);
}
