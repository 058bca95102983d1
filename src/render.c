/* render.c: see render.h. */
#include "render.h"
#include "charset.h"
#include "clock.h"
#include "json.h"
#include "value.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

struct render {
    enum render_format format;
    struct charset_cache *charsets;
    struct value *before, *after; /* COLUMN_COUNT_MAX each */
    struct buf text, parts;       /* scratch: one value as UTF-8; one CSV field */
    /* of the transaction that BEGIN opened */
    struct gtid gtid;
    uint32_t server_id;
    uint64_t offset;
    char file[SOURCE_FILE_MAX];
};

struct render *render_new(enum render_format format)
{
    struct render *render = calloc(1, sizeof *render);
    if (!render) abort();
    render->format = format;
    render->charsets = charset_cache_new();
    render->before = calloc(COLUMN_COUNT_MAX, sizeof *render->before);
    render->after = calloc(COLUMN_COUNT_MAX, sizeof *render->after);
    if (!render->before || !render->after) abort();
    buf_init(&render->text, SIZE_MAX / 4);
    buf_init(&render->parts, SIZE_MAX / 4);
    return render;
}

void render_free(struct render *render)
{
    if (!render) return;
    charset_cache_free(render->charsets);
    free(render->before);
    free(render->after);
    buf_fini(&render->text);
    buf_fini(&render->parts);
    free(render);
}

bool render_format_parse(const char *name, enum render_format *format)
{
    static const char *const names[] = {[RENDER_JSON] = "json", [RENDER_TEXT] = "text", [RENDER_CSV] = "csv"};
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) != 0) continue;
        *format = (enum render_format)i;
        return true;
    }
    return false;
}

void render_start(const struct render *render, struct buf *out)
{
    if (render->format == RENDER_CSV) buf_text(out, RENDER_CSV_HEADER);
}

const char *render_op(const struct change *change)
{
    switch (change->kind) {
    case CHANGE_INSERT: return "insert";
    case CHANGE_UPDATE: return "update";
    case CHANGE_DELETE: return "delete";
    case CHANGE_STATEMENT: return change->statement->kind == STATEMENT_DML ? "statement" : "ddl";
    case CHANGE_COMMIT: return "commit";
    default: return NULL;
    }
}

/* Of a COMMIT that is the first or the second half of an XA transaction. */
static const char *const xa_names[] = {[XA_PREPARED] = "prepared", [XA_COMMITTED] = "committed", [XA_ROLLED_BACK] = "rolled back"};

/* ---- values ---- */

static void put_text(struct render *render, struct json *json, uint16_t collation, struct slice bytes)
{
    buf_clear(&render->text);
    if (charset_to_utf8(render->charsets, collation, bytes, &render->text)) json_text(json, buf_bytes(&render->text));
    else json_base64(json, bytes);
}

static void put_fixed_text(struct json *json, const struct column *column, struct slice bytes)
{
    char text[VALUE_TEXT_MAX];
    size_t size = value_text(column, bytes, text);
    json_text(json, slice_of(text, size));
}

static void put_float(struct json *json, const struct column *column, struct slice bytes)
{
    char text[VALUE_TEXT_MAX];
    size_t size = value_text(column, bytes, text);
    char last = text[size - 1]; /* "nan", "inf": no JSON number */
    if (last == 'n' || last == 'f') json_text(json, slice_of(text, size));
    else json_raw(json, slice_of(text, size));
}

static void put_integer(struct json *json, const struct column *column, struct slice bytes)
{
    bool negative;
    uint64_t v = value_integer(column, bytes, &negative);
    if (negative) json_signed(json, (int64_t)v);
    else json_unsigned(json, v);
}

static void put_enum(struct render *render, struct json *json, const struct column *column, struct slice bytes)
{
    bool negative;
    uint64_t index = value_integer(column, bytes, &negative);
    if (column->label_count == 0) json_unsigned(json, index);
    else put_text(render, json, column->labels_collation, value_label(column, index));
}

/* The members joined by commas, as SELECT prints them; joined in their own charset they could not be told apart. */
static void put_set(struct render *render, struct json *json, const struct column *column, struct slice bytes)
{
    bool negative, fits = true;
    uint64_t members = value_integer(column, bytes, &negative);
    buf_clear(&render->text);
    bool first = true;
    for (uint32_t i = 0; i < 64 && members >> i && fits; i++) {
        if (!(members >> i & 1)) continue;
        if (!first) buf_u8(&render->text, ',');
        first = false;
        fits = i < column->label_count &&
               charset_to_utf8(render->charsets, column->labels_collation, column->labels[i], &render->text);
    }
    if (fits) json_text(json, buf_bytes(&render->text));
    else json_unsigned(json, members);
}

static void put_json(struct render *render, struct json *json, const struct column *column, struct slice bytes)
{
    buf_clear(&render->text);
    if (!json_compact(bytes, &render->text)) put_text(render, json, column->collation, bytes);
    else if (slice_is(buf_bytes(&render->text), "null")) json_raw(json, slice_text("{\"json\":null}"));
    else json_raw(json, buf_bytes(&render->text));
}

static void put_binary(struct render *render, struct json *json, const struct column *column, struct slice bytes)
{
    buf_clear(&render->text);
    value_padded(column, bytes, &render->text);
    json_base64(json, buf_bytes(&render->text));
}

static void put_value(struct render *render, struct json *json, const struct column *column, const struct value *value)
{
    if (value->state != VALUE_PRESENT) {
        json_null(json);
        return;
    }
    switch (column->kind) {
    case COLUMN_INT: case COLUMN_BIT: case COLUMN_YEAR: put_integer(json, column, value->bytes); break;
    case COLUMN_FLOAT: case COLUMN_DOUBLE: put_float(json, column, value->bytes); break;
    case COLUMN_ENUM: put_enum(render, json, column, value->bytes); break;
    case COLUMN_SET: put_set(render, json, column, value->bytes); break;
    case COLUMN_CHAR: case COLUMN_VARCHAR: case COLUMN_TEXT: put_text(render, json, column->collation, value->bytes); break;
    case COLUMN_JSON: put_json(render, json, column, value->bytes); break;
    case COLUMN_BINARY: put_binary(render, json, column, value->bytes); break;
    case COLUMN_VARBINARY: case COLUMN_BLOB: case COLUMN_GEOMETRY: case COLUMN_VECTOR: json_base64(json, value->bytes); break;
    default: put_fixed_text(json, column, value->bytes); break;
    }
}

void render_value(struct render *render, const struct column *column, const struct value *value, struct buf *out)
{
    struct json json = json_on(out);
    put_value(render, &json, column, value);
}

static void put_column_name(struct json *json, const struct column *column, uint32_t index)
{
    char text[16];
    if (column->name.size) {
        json_name_slice(json, column->name);
        return;
    }
    snprintf(text, sizeof text, "@%u", (unsigned)index + 1);
    json_name(json, text);
}

static void put_image(struct render *render, struct json *json, const struct table *table, const struct value *values)
{
    json_open(json, '{');
    for (uint32_t i = 0; i < table->column_count - table->hash_count; i++) {
        if (values[i].state == VALUE_ABSENT) continue;
        put_column_name(json, &table->columns[i], i);
        put_value(render, json, &table->columns[i], &values[i]);
    }
    json_close(json, '}');
}

static void put_key(struct render *render, struct json *json, const struct table *table, const struct value *values)
{
    json_open(json, '{');
    for (uint32_t i = 0; i < table->key_count; i++) {
        uint32_t column = table->key[i];
        if (values[column].state == VALUE_ABSENT) continue;
        put_column_name(json, &table->columns[column], column);
        put_value(render, json, &table->columns[column], &values[column]);
    }
    json_close(json, '}');
}

/* ---- what every line begins with ---- */

struct head {
    uint64_t lsn, pos;
    char gtid[GTID_TEXT_MAX];
    const char *file, *op;
    uint32_t ts, server_id;
    struct slice database, table;
};

static void fill_head(const struct render *render, const struct change *change, struct head *head)
{
    *head = (struct head){.lsn = change->lsn, .ts = change->timestamp, .op = render_op(change), .server_id = render->server_id,
                          .file = render->file, .pos = render->offset};
    const struct gtid *gtid = change->kind == CHANGE_COMMIT ? &change->gtid : &render->gtid;
    if (gtid->seq) gtid_format(gtid, head->gtid);
    if (change->kind == CHANGE_COMMIT) {
        head->file = change->commit->pos.file;
        head->pos = change->commit->pos.offset;
    } else if (change->kind == CHANGE_STATEMENT) {
        struct cursor in = cursor_of(change->statement->tables);
        head->database = change->statement->database;
        if (!statement_tables_next(&in, &head->database, &head->table)) head->table = (struct slice){NULL, 0};
        if (head->database.size == 0) head->database = change->statement->database;
    } else {
        head->database = change->table->database;
        head->table = change->table->name;
    }
}

static void put_head(struct json *json, const struct head *head, bool has_table)
{
    json_name(json, "lsn"), json_unsigned(json, head->lsn);
    json_name(json, "gtid"), json_string(json, head->gtid);
    json_name(json, "file"), json_string(json, head->file);
    json_name(json, "pos"), json_unsigned(json, head->pos);
    json_name(json, "ts"), json_unsigned(json, head->ts);
    json_name(json, "server_id"), json_unsigned(json, head->server_id);
    json_name(json, "op"), json_string(json, head->op);
    if (!has_table) return;
    json_name(json, "db"), json_text(json, head->database);
    json_name(json, "table"), json_text(json, head->table);
}

/* ---- statements ---- */

/* Kinds that may carry a password anywhere, and the CONNECTION='…' of a table. */
static bool may_hold_secret(const struct statement *statement)
{
    static const char word[] = "connection";
    if (statement->kind == STATEMENT_ACCOUNT || statement->kind == STATEMENT_OTHER) return true;
    struct slice text = statement->text;
    for (size_t i = 0; i + sizeof word < text.size; i++) {
        if (strncasecmp((const char *)text.data + i, word, sizeof word - 1) != 0) continue;
        size_t at = i + sizeof word - 1;
        while (at < text.size && memchr(" \t\r\n=", text.data[at], 5)) at++;
        if (at < text.size && (text.data[at] == '\'' || text.data[at] == '"')) return true;
    }
    return false;
}

static void put_sql(struct render *render, struct json *json, const struct statement *statement)
{
    uint16_t collation = statement->context & CONTEXT_CHARSET ? statement->charset_client : 0;
    json_name(json, "sql");
    if (!may_hold_secret(statement)) {
        put_text(render, json, collation, statement->text);
        return;
    }
    struct buf redacted;
    buf_init(&redacted, 64 * 1024);
    statement_redact(statement->text, &redacted);
    put_text(render, json, collation, buf_bytes(&redacted));
    if (!slice_equal(buf_bytes(&redacted), statement->text)) json_name(json, "redacted"), json_bool(json, true);
    buf_fini(&redacted);
}

static void put_number_if(struct json *json, bool has, const char *name, uint64_t value)
{
    if (!has) return;
    json_name(json, name);
    json_unsigned(json, value);
}

static void put_session(struct json *json, const struct statement *s)
{
    json_name(json, "session");
    json_open(json, '{');
    put_number_if(json, s->context & CONTEXT_SQL_MODE, "sql_mode", s->sql_mode);
    if (s->context & CONTEXT_CHARSET) json_name(json, "charset"), json_string(json, charset_name(s->charset_client));
    put_number_if(json, s->context & CONTEXT_CHARSET, "collation", s->collation_connection);
    put_number_if(json, s->context & CONTEXT_CHARSET, "collation_server", s->collation_server);
    if (s->context & CONTEXT_TIME_ZONE) json_name(json, "time_zone"), json_text(json, s->time_zone);
    put_number_if(json, s->context & CONTEXT_AUTO_INCREMENT, "auto_increment_increment", s->auto_increment_increment);
    put_number_if(json, s->context & CONTEXT_AUTO_INCREMENT, "auto_increment_offset", s->auto_increment_offset);
    put_number_if(json, s->context & CONTEXT_INSERT_ID, "insert_id", s->insert_id);
    put_number_if(json, s->context & CONTEXT_LAST_INSERT_ID, "last_insert_id", s->last_insert_id);
    put_number_if(json, s->context & CONTEXT_RAND, "rand_seed1", s->rand_seed1);
    put_number_if(json, s->context & CONTEXT_RAND, "rand_seed2", s->rand_seed2);
    put_number_if(json, s->context & CONTEXT_MICROSECONDS, "microseconds", s->microseconds);
    put_number_if(json, s->context & CONTEXT_FLAGS2, "flags2", s->flags2);
    if (s->context & CONTEXT_USER_VARS) json_name(json, "user_vars"), json_base64(json, s->user_vars);
    json_close(json, '}');
}

void render_session(const struct statement *statement, struct json *json) { put_session(json, statement); }

/* ---- JSON ---- */

static bool is_row(const struct change *change)
{
    return change->kind == CHANGE_INSERT || change->kind == CHANGE_UPDATE || change->kind == CHANGE_DELETE;
}

static void put_row_json(struct render *render, struct json *json, const struct change *change)
{
    bool has_before = change->kind != CHANGE_INSERT, has_after = change->kind != CHANGE_DELETE;
    json_name(json, "key");
    put_key(render, json, change->table, has_before ? render->before : render->after);
    json_name(json, "before");
    if (has_before) put_image(render, json, change->table, render->before);
    else json_null(json);
    json_name(json, "after");
    if (has_after) put_image(render, json, change->table, render->after);
    else json_null(json);
}

static void put_json_line(struct render *render, const struct change *change, const struct head *head, struct buf *out)
{
    struct json json = json_on(out);
    json_open(&json, '{');
    put_head(&json, head, change->kind != CHANGE_COMMIT);
    if (is_row(change)) {
        put_row_json(render, &json, change);
    } else if (change->kind == CHANGE_STATEMENT) {
        json_name(&json, "kind"), json_string(&json, statement_kind_name(change->statement->kind));
        put_sql(render, &json, change->statement);
        put_session(&json, change->statement);
    } else {
        char gtids[GTID_SET_TEXT_MAX];
        gtid_set_format(&change->commit->pos.gtids, gtids);
        char xid[XID_TEXT_MAX];
        if (change->commit->xa != XA_NONE) {
            xid_format(&change->commit->xid, xid);
            json_name(&json, "xa"), json_string(&json, xa_names[change->commit->xa]);
            json_name(&json, "xid"), json_string(&json, xid);
        }
        json_name(&json, "rows"), json_unsigned(&json, change->commit->rows);
        json_name(&json, "gtids"), json_string(&json, gtids);
    }
    json_close(&json, '}');
    buf_u8(out, '\n');
}

/* ---- CSV (RFC 4180) ---- */

static void put_csv_field(struct buf *out, struct slice field)
{
    buf_text(out, ",\"");
    for (size_t from = 0; from < field.size;) {
        const uint8_t *quote = memchr(field.data + from, '"', field.size - from);
        size_t size = quote ? (size_t)(quote - field.data) - from + 1 : field.size - from;
        buf_put(out, field.data + from, size);
        if (quote) buf_u8(out, '"');
        from += size;
    }
    buf_u8(out, '"');
}

static void put_csv_image(struct render *render, struct buf *out, const struct table *table, const struct value *values, bool key)
{
    buf_clear(&render->parts);
    struct json json = json_on(&render->parts);
    if (key) put_key(render, &json, table, values);
    else put_image(render, &json, table, values);
    put_csv_field(out, buf_bytes(&render->parts));
}

static void put_csv_statement(struct render *render, struct buf *out, const struct statement *statement)
{
    buf_clear(&render->parts);
    struct json json = json_on(&render->parts);
    json_open(&json, '{');
    put_sql(render, &json, statement);
    json_close(&json, '}');
    buf_text(out, ",,");
    put_csv_field(out, buf_bytes(&render->parts));
}

static void put_csv_row(struct render *render, struct buf *out, const struct change *change)
{
    bool has_before = change->kind != CHANGE_INSERT, has_after = change->kind != CHANGE_DELETE;
    put_csv_image(render, out, change->table, has_before ? render->before : render->after, true);
    if (has_before) put_csv_image(render, out, change->table, render->before, false);
    else buf_u8(out, ',');
    if (has_after) put_csv_image(render, out, change->table, render->after, false);
    else buf_u8(out, ',');
}

static void put_csv_line(struct render *render, const struct change *change, const struct head *head, struct buf *out)
{
    buf_printf(out, "%llu,%s", (unsigned long long)head->lsn, head->gtid);
    put_csv_field(out, slice_text(head->file));
    buf_printf(out, ",%llu,%u,%u,%s", (unsigned long long)head->pos, head->ts, head->server_id, head->op);
    put_csv_field(out, head->database);
    put_csv_field(out, head->table);
    if (is_row(change)) put_csv_row(render, out, change);
    else if (change->kind == CHANGE_STATEMENT) put_csv_statement(render, out, change->statement);
    else buf_text(out, ",,,");
    buf_u8(out, '\n');
}

/* ---- text ---- */

static bool same_value(const struct value *a, const struct value *b)
{
    return a->state == b->state && (a->state != VALUE_PRESENT || slice_equal(a->bytes, b->bytes));
}

static void put_changed(struct render *render, struct buf *out, const struct table *table)
{
    for (uint32_t i = 0; i < table->column_count - table->hash_count; i++) {
        const struct column *column = &table->columns[i];
        if (render->after[i].state == VALUE_ABSENT || same_value(&render->before[i], &render->after[i])) continue;
        if (column->name.size) buf_printf(out, " %.*s: ", SLICE_ARG(column->name));
        else buf_printf(out, " @%u: ", (unsigned)i + 1);
        if (render->before[i].state == VALUE_ABSENT) buf_u8(out, '?');
        else render_value(render, column, &render->before[i], out);
        buf_text(out, " -> ");
        render_value(render, column, &render->after[i], out);
    }
}

static void put_text_row(struct render *render, struct buf *out, const struct change *change)
{
    const struct value *image = change->kind == CHANGE_INSERT ? render->after : render->before;
    struct json json = json_on(out);
    buf_u8(out, ' ');
    if (change->kind == CHANGE_UPDATE) {
        if (change->table->key_count) put_key(render, &json, change->table, image);
        else put_image(render, &json, change->table, image);
        put_changed(render, out, change->table);
    } else {
        put_image(render, &json, change->table, image);
    }
}

static void put_text_line(struct render *render, const struct change *change, const struct head *head, struct buf *out)
{
    char time[32];
    clock_format(head->ts * 1000000ull, time);
    buf_printf(out, "%.19s lsn=%llu gtid=%s %s", time, (unsigned long long)head->lsn, head->gtid[0] ? head->gtid : "-", head->op);
    if (change->kind == CHANGE_COMMIT) {
        char xid[XID_TEXT_MAX];
        if (change->commit->xa != XA_NONE) {
            xid_format(&change->commit->xid, xid);
            buf_printf(out, " xa=%s xid=%s", xa_names[change->commit->xa], xid);
        }
        buf_printf(out, " rows=%llu next=%s:%llu", (unsigned long long)change->commit->rows, head->file, (unsigned long long)head->pos);
    } else if (is_row(change)) {
        buf_printf(out, " %.*s.%.*s", SLICE_ARG(head->database), SLICE_ARG(head->table));
        put_text_row(render, out, change);
    } else {
        buf_printf(out, " %.*s: ", SLICE_ARG(change->statement->database));
        struct buf redacted;
        buf_init(&redacted, 64 * 1024);
        statement_redact(change->statement->text, &redacted);
        for (size_t i = 0; i < redacted.size; i++) /* one line, and no terminal control */
            buf_u8(out, redacted.data[i] < 0x20 || redacted.data[i] == 0x7f ? ' ' : redacted.data[i]);
        buf_fini(&redacted);
    }
    buf_u8(out, '\n');
}

/* ---- */

static void note_begin(struct render *render, const struct change *change)
{
    size_t size = change->file.size < sizeof render->file - 1 ? change->file.size : sizeof render->file - 1;
    if (size) memcpy(render->file, change->file.data, size);
    render->file[size] = 0;
    render->offset = change->offset;
    render->gtid = change->gtid;
    render->server_id = change->server_id;
}

static bool take_row(struct render *render, const struct change *change, struct err *err)
{
    const struct table *table = change->table;
    assert(table->column_count <= COLUMN_COUNT_MAX);
    bool ok = (change->kind == CHANGE_INSERT || row_values(table, &change->before, render->before)) &&
              (change->kind == CHANGE_DELETE || row_values(table, &change->after, render->after));
    if (ok) return true;
    return err_set(err, ERR_CORRUPT, "LSN %llu: the row does not fit its table %.*s.%.*s", (unsigned long long)change->lsn,
                   SLICE_ARG(table->database), SLICE_ARG(table->name));
}

bool render_change(struct render *render, const struct change *change, struct buf *out, struct err *err)
{
    static void (*const put_line[])(struct render *, const struct change *, const struct head *, struct buf *) = {
        [RENDER_JSON] = put_json_line, [RENDER_TEXT] = put_text_line, [RENDER_CSV] = put_csv_line};
    if (change->kind == CHANGE_BEGIN) note_begin(render, change);
    if (!render_op(change)) return true;
    if (is_row(change) && !take_row(render, change, err)) return false;
    struct head head;
    size_t before = out->size;
    fill_head(render, change, &head);
    put_line[render->format](render, change, &head, out);
    if (!out->full) return true;
    out->size = before;
    out->full = false;
    return err_set(err, ERR_LIMIT, "LSN %llu: the change is longer than %zu bytes as text", (unsigned long long)change->lsn, out->max);
}
