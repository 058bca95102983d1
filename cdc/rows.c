/* rows.c: see rows.h. */
#include "rows.h"

/* STMT_END, NO_FOREIGN_KEY_CHECKS, RELAXED_UNIQUE, COMPLETE_ROWS, USE_SQL_FOREIGN_KEY (MySQL 9.6), NO_CHECK_CONSTRAINT (MariaDB) */
enum { ROWS_FLAGS_KNOWN = 0x9f, SQL_FOREIGN_KEY = 0x10, PARTIAL_JSON = 0x01 };

#define INSERT CHANGE_INSERT
#define UPDATE CHANGE_UPDATE
#define DELETE CHANGE_DELETE

static const struct rows_type { enum change_kind kind; bool v2, compressed, partial; } rows_types[EVENT_TYPES] = {
    [EVENT_WRITE_ROWS_V1] = {INSERT, false, false, false},
    [EVENT_UPDATE_ROWS_V1] = {UPDATE, false, false, false},
    [EVENT_DELETE_ROWS_V1] = {DELETE, false, false, false},
    [EVENT_WRITE_ROWS] = {INSERT, true, false, false},
    [EVENT_UPDATE_ROWS] = {UPDATE, true, false, false},
    [EVENT_DELETE_ROWS] = {DELETE, true, false, false},
    [EVENT_PARTIAL_UPDATE_ROWS] = {UPDATE, true, false, true},
    [EVENT_WRITE_ROWS_COMPRESSED_V1] = {INSERT, false, true, false},
    [EVENT_UPDATE_ROWS_COMPRESSED_V1] = {UPDATE, false, true, false},
    [EVENT_DELETE_ROWS_COMPRESSED_V1] = {DELETE, false, true, false},
    [EVENT_WRITE_ROWS_COMPRESSED] = {INSERT, true, true, false},
    [EVENT_UPDATE_ROWS_COMPRESSED] = {UPDATE, true, true, false},
    [EVENT_DELETE_ROWS_COMPRESSED] = {DELETE, true, true, false},
};

bool rows_head(const struct event *event, const struct event_format *format, struct rows_head *head, struct err *err)
{
    const struct rows_type *type = &rows_types[event->type];
    struct cursor in = cursor_of(event->body);
    *head = (struct rows_head){.kind = type->kind, .compressed = type->compressed, .partial = type->partial};
    head->table_id = cursor_le(&in, format->table_id_bytes);
    head->flags = cursor_u16(&in);
    if (type->v2) {
        uint16_t extra = cursor_u16(&in); /* counts itself; NDB's marks, the partition of the row: nothing that a row says */
        cursor_bytes(&in, extra >= 2 ? extra - 2u : SIZE_MAX);
    }
    head->rest = cursor_rest(&in);
    return !in.failed || err_set(err, ERR_CORRUPT, "the event's head is cut short");
}

/* Size 0 when every column is present, which is the usual case and has a faster walk. */
static struct slice shorten(struct slice present, uint32_t count)
{
    for (uint32_t i = 0; i < count / 8; i++)
        if (present.data[i] != 0xff) return present;
    uint8_t last = (uint8_t)((1u << (count & 7)) - 1);
    if (last && (present.data[count / 8] & last) != last) return present;
    return (struct slice){present.data, 0};
}

bool rows_open(const struct rows_head *head, const struct table *table, struct unpack *unpack, struct layout *layout,
               struct rows *rows, struct err *err)
{
    struct cursor in = cursor_of(head->rest);
    uint64_t count = cursor_lenenc(&in);
    if (in.failed || count != table->column_count)
        return err_set(err, ERR_CORRUPT, "rows of %llu columns follow a map of %.*s.%.*s with %u", (unsigned long long)count,
                       SLICE_ARG(table->database), SLICE_ARG(table->name), table->column_count);
    if (head->flags & ~ROWS_FLAGS_KNOWN)
        return err_set(err, ERR_UNSUPPORTED, "rows of %.*s.%.*s with flags %04x, of which this release knows %04x; what to do: upgrade wolfcdc",
                       SLICE_ARG(table->database), SLICE_ARG(table->name), head->flags, ROWS_FLAGS_KNOWN);
    *rows = (struct rows){.table = table, .kind = head->kind, .partial = head->partial, .layout = layout};
    for (uint32_t i = 0; head->partial && i < table->column_count; i++) rows->json_count += table->columns[i].layout == LAYOUT_JSONB;
    rows->flags = (uint8_t)(head->flags & (ROW_NO_FOREIGN_KEY_CHECKS | ROW_RELAXED_UNIQUE | ROW_NO_CHECK_CONSTRAINT));
    /* the source has done, and logged, what its foreign keys ask for: a target that cascades would do that twice */
    if (head->flags & SQL_FOREIGN_KEY) rows->flags |= ROW_NO_FOREIGN_KEY_CHECKS;
    for (int i = 0; i < (head->kind == UPDATE ? 2 : 1); i++) {
        struct slice present = cursor_bytes(&in, table->null_bytes);
        if (in.failed) return err_set(err, ERR_CORRUPT, "the event's column bitmap is cut short");
        rows->present[i] = shorten(present, table->column_count);
    }
    rows->in = in;
    rows->bare = head->kind == INSERT && !row_present_count(table, rows->present[0]) && !cursor_left(&in);
    if (!head->compressed) return true;
    struct slice plain;
    if (!unpack_bytes(unpack, cursor_rest(&in), &plain, err)) return false;
    rows->in = cursor_of(plain);
    return true;
}

static void take(struct rows *rows, int which, struct row *row)
{
    row->present = rows->present[which];
    row->image = rows->table->foreign ? layout_take(rows->layout, rows->table, row->present, which, &rows->in, rows->err)
                                      : row_take(rows->table, row->present, &rows->in);
}

/* What a PARTIAL_UPDATE_ROWS says between its two images: which JSON columns come as diffs. */
static void take_options(struct rows *rows)
{
    uint64_t options = cursor_lenenc(&rows->in);
    struct slice bits = {NULL, 0};
    if (options & ~(uint64_t)PARTIAL_JSON) {
        err_set(rows->err, ERR_UNSUPPORTED, "an update with value options %llx, of which this release knows %x", (unsigned long long)options,
                PARTIAL_JSON);
        rows->in.failed = true;
    }
    if (options & PARTIAL_JSON) bits = cursor_bytes(&rows->in, (rows->json_count + 7) / 8);
    if (rows->layout) layout_diffs(rows->layout, bits);
}

static void take_update(struct rows *rows, struct change *change)
{
    take(rows, 0, &change->before);
    if (rows->partial) take_options(rows);
    take(rows, 1, &change->after);
}

bool rows_next(struct rows *rows, struct change *change, struct err *err)
{
    const uint8_t *start = rows->in.at;
    rows->err = err;
    if (rows->bare) {
        rows->bare = false;
        change->after = (struct row){rows->present[0], {start, 0}};
        return true;
    }
    if (rows->in.failed || start == rows->in.end) return false;
    switch (rows->kind) {
    case UPDATE: take_update(rows, change); break;
    case INSERT: take(rows, 0, &change->after); break;
    default: take(rows, 0, &change->before); break;
    }
    /* an image without any column has no bytes: it would never end */
    if (rows->in.at == start) rows->in.failed = true;
    return !rows->in.failed;
}
