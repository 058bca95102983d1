/* layout.c: see layout.h. One function per layout: from the source's bytes of one value to ours. */
#include "layout.h"

#include <stdlib.h>

#include "jsonb.h"
#include "unpack.h"

enum { HOURS_MAX = 838 };

struct layout {
    struct buf images[2];
    struct arena arena;      /* of one document's diffs */
    struct unpack *unpack;
    struct slice diffs;      /* bits */
    struct err *err;         /* of the running call */
    uint32_t document_count; /* JSON columns passed in this image */
    struct value documents[COLUMN_COUNT_MAX]; /* those of the before image, as the source sent them */
};

/* *bytes as the source sent it → out, with our length prefix. False: *in failed or layout->err is set. */
typedef bool turn_fn(struct layout *layout, const struct column *column, struct cursor *in, struct buf *out);

struct layout *layout_new(void)
{
    struct layout *layout = calloc(1, sizeof *layout);
    if (!layout) abort();
    for (int i = 0; i < 2; i++) buf_init(&layout->images[i], LAYOUT_IMAGE_MAX);
    arena_init(&layout->arena);
    layout->unpack = unpack_new();
    return layout;
}

void layout_free(struct layout *layout)
{
    if (!layout) return;
    for (int i = 0; i < 2; i++) buf_fini(&layout->images[i]);
    arena_fini(&layout->arena);
    unpack_free(layout->unpack);
    free(layout);
}

void layout_diffs(struct layout *layout, struct slice bits) { layout->diffs = bits; }

static bool impossible(struct cursor *in)
{
    in->failed = true;
    return false;
}

static void put_be(struct buf *out, uint64_t value, unsigned n)
{
    while (n--) buf_u8(out, (uint8_t)(value >> (8 * n)));
}

static const uint32_t power10[] = {1, 10, 100, 1000, 10000, 100000, 1000000};

/* A fraction in units of 10^-fsp, as ours: in units of 10^-(2·bytes). */
static void put_fraction(struct buf *out, uint64_t fraction, unsigned fsp) { put_be(out, fsp & 1 ? fraction * 10 : fraction, (fsp + 1) / 2); }

/* ---- old temporals ---- */

static bool turn_timestamp(struct layout *layout, const struct column *column, struct cursor *in, struct buf *out)
{
    static const uint8_t sizes[] = {0, 1, 1, 2, 2, 3, 3};
    unsigned fsp = column->scale;
    uint64_t seconds = fsp ? cursor_be(in, 4) : cursor_u32(in);
    uint64_t fraction = fsp ? cursor_be(in, sizes[fsp]) : 0;
    (void)layout;
    if (fraction >= power10[fsp]) return impossible(in);
    put_be(out, seconds, 4);
    put_fraction(out, fraction, fsp);
    return !in->failed;
}

struct moment { uint64_t year, month, day, hour, minute, second, fraction; };

static bool put_datetime(struct buf *out, const struct moment *m, unsigned fsp)
{
    if (m->year > 9999 || m->month > 12 || m->day > 31 || m->hour > 23 || m->minute > 59 || m->second > 59) return false;
    uint64_t date = (m->year * 13 + m->month) << 5 | m->day, time = m->hour << 12 | m->minute << 6 | m->second;
    put_be(out, 0x8000000000 + (date << 17 | time), 5);
    put_fraction(out, m->fraction, fsp);
    return true;
}

/* The lowest digit to that base, taken off. */
static uint64_t digit(uint64_t *v, uint64_t base)
{
    uint64_t low = *v % base;
    *v /= base;
    return low;
}

static bool turn_datetime(struct layout *layout, const struct column *column, struct cursor *in, struct buf *out)
{
    static const uint8_t sizes[] = {8, 6, 6, 7, 7, 7, 8};
    unsigned fsp = column->scale, sixty = fsp ? 60 : 100;
    uint64_t v = fsp ? cursor_be(in, sizes[fsp]) : cursor_u64(in);
    struct moment m = {.fraction = digit(&v, power10[fsp])};
    (void)layout;
    m.second = digit(&v, sixty);
    m.minute = digit(&v, sixty);
    m.hour = digit(&v, fsp ? 24 : 100);
    m.day = digit(&v, fsp ? 32 : 100);
    m.month = digit(&v, fsp ? 13 : 100);
    m.year = v;
    return !in->failed && (put_datetime(out, &m, fsp) || impossible(in));
}

static bool put_time(struct buf *out, bool negative, const struct moment *m, unsigned fsp)
{
    unsigned bytes = (fsp + 1) / 2;
    if (m->hour > HOURS_MAX || m->minute > 59 || m->second > 59) return false;
    uint64_t whole = m->hour << 12 | m->minute << 6 | m->second, fraction = fsp & 1 ? m->fraction * 10 : m->fraction;
    uint64_t v = whole << (8 * bytes) | fraction, zero = (uint64_t)0x800000 << (8 * bytes);
    put_be(out, negative ? zero - v : zero + v, 3 + bytes);
    return true;
}

static bool turn_time(struct layout *layout, const struct column *column, struct cursor *in, struct buf *out)
{
    static const uint8_t sizes[] = {3, 4, 4, 5, 5, 5, 6};
    enum { BEYOND = HOURS_MAX * 3600 + 59 * 60 + 59 + 1 };
    unsigned fsp = column->scale, sixty = fsp ? 60 : 100;
    int64_t v = fsp ? (int64_t)cursor_be(in, sizes[fsp]) - (int64_t)BEYOND * power10[fsp]
                    : (int64_t)(cursor_le(in, sizes[0]) << 40) >> 40; /* three bytes, with a sign */
    uint64_t left = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    struct moment m = {.fraction = digit(&left, power10[fsp])};
    (void)layout;
    m.second = digit(&left, sixty);
    m.minute = digit(&left, sixty);
    m.hour = left;
    return !in->failed && (put_time(out, v < 0, &m, fsp) || impossible(in));
}

/* ---- values with a length ---- */

static struct slice take_prefixed(struct cursor *in, unsigned width) { return cursor_bytes(in, (size_t)cursor_le(in, width)); }

/* VARCHAR COMPRESSED has one byte more than its text may have, and its length prefix is that one's. */
static bool turn_compressed(struct layout *layout, const struct column *column, struct cursor *in, struct buf *out)
{
    unsigned width = column->kind == COLUMN_TEXT || column->kind == COLUMN_BLOB ? column->width : column->max_bytes + 1 > 255 ? 2 : 1;
    struct slice packed = take_prefixed(in, width), plain;
    if (in->failed || !unpack_column(layout->unpack, packed, &plain, layout->err)) return false;
    if (plain.size > column->max_bytes) return impossible(in);
    buf_le(out, plain.size, column->width);
    buf_slice(out, plain);
    return true;
}

static bool has_diffs(const struct layout *layout, uint32_t n)
{
    return layout->diffs.size && layout->diffs.data[n >> 3] >> (n & 7) & 1;
}

/* The document of column n after its diffs. */
static bool put_patched(struct layout *layout, uint32_t n, struct slice diffs, struct buf *out)
{
    const struct value *before = &layout->documents[n];
    if (before->state == VALUE_ABSENT)
        return err_set(layout->err, ERR_STOP, "a JSON column comes as a difference to a value that the event does not have; what to do: on the "
                       "source SET GLOBAL binlog_row_image=FULL or binlog_row_value_options='', and start after this transaction");
    if (before->state == VALUE_NULL) return err_set(layout->err, ERR_CORRUPT, "a JSON column comes as a difference to NULL");
    arena_reset(&layout->arena);
    return jsonb_patched(before->bytes, diffs, &layout->arena, out, layout->err);
}

static bool turn_json(struct layout *layout, const struct column *column, struct cursor *in, struct buf *out)
{
    struct slice bytes = take_prefixed(in, column->width);
    uint32_t n = layout->document_count;
    size_t at = out->size;
    if (in->failed) return false;
    buf_le(out, 0, column->width);
    bool done = has_diffs(layout, n) ? put_patched(layout, n, bytes, out) : jsonb_text(bytes, out, layout->err);
    if (!done || out->full) return false;
    uint32_t size = (uint32_t)(out->size - at - column->width);
    memcpy(out->data + at, &size, column->width);
    return true;
}

/* ---- images ---- */

static turn_fn *const turns[] = {
    [LAYOUT_JSONB] = turn_json, [LAYOUT_COMPRESSED] = turn_compressed, [LAYOUT_OLD_TIME] = turn_time,
    [LAYOUT_OLD_DATETIME] = turn_datetime, [LAYOUT_OLD_TIMESTAMP] = turn_timestamp
};

static bool turn_value(struct layout *layout, const struct table *table, uint32_t i, struct cursor *in, struct buf *out)
{
    const struct column *column = &table->columns[i];
    const uint8_t *from = in->at;
    struct slice bytes;
    if (column->layout != LAYOUT_SAME) return turns[column->layout](layout, column, in, out);
    if (!row_value_take(table, i, in, &bytes)) return false;
    buf_put(out, from, (size_t)(in->at - from));
    return true;
}

/* What a later diff may apply to. */
static void note_document(struct layout *layout, enum value_state state, const uint8_t *from, const struct cursor *in, uint8_t width)
{
    struct value *document = &layout->documents[layout->document_count];
    document->state = state;
    if (state == VALUE_PRESENT) document->bytes = slice_of(from + width, (size_t)(in->at - from) - width);
}

static bool turn_image(struct layout *layout, const struct table *table, struct slice present, int which, struct cursor *in)
{
    struct buf *out = &layout->images[which];
    struct slice nulls = cursor_bytes(in, (row_present_count(table, present) + 7) / 8);
    struct row row = {.present = present};
    layout->document_count = 0;
    buf_clear(out);
    buf_slice(out, nulls);
    for (uint32_t i = 0, k = 0; i < table->column_count && !in->failed; i++) {
        enum value_state state = VALUE_PRESENT;
        const uint8_t *from = in->at;
        if (!row_has(&row, i)) state = VALUE_ABSENT;
        else if (nulls.data[k >> 3] >> (k & 7) & 1) state = VALUE_NULL;
        k += state != VALUE_ABSENT;
        if (state == VALUE_PRESENT && !turn_value(layout, table, i, in, out)) return false;
        if (table->columns[i].layout != LAYOUT_JSONB) continue;
        if (which == 0) note_document(layout, state, from, in, table->columns[i].width);
        layout->document_count++;
    }
    if (out->full) return err_set(layout->err, ERR_LIMIT, "a row of more than %d bytes (LAYOUT_IMAGE_MAX)", LAYOUT_IMAGE_MAX);
    return !in->failed;
}

struct slice layout_take(struct layout *layout, const struct table *table, struct slice present, int which, struct cursor *in,
                         struct err *err)
{
    layout->err = err;
    bool done = turn_image(layout, table, present, which, in);
    layout->diffs.size = 0;
    if (done && layout->images[which].size) return buf_bytes(&layout->images[which]);
    if (done) return (struct slice){in->at, 0}; /* no column is present: what has no byte still is somewhere */
    in->failed = true;
    in->at = in->end;
    return (struct slice){in->end, 0};
}
