/*
 * fuzz_gtid.c: GTID sets in every form. The first byte says which: text (two sets, a line each), as the log keeps them, or the body of a GTID event of MySQL or
 * MariaDB (txn.h). What is read comes back the same from text and from the log, and the sets' arithmetic agrees with itself.
 */
#include <assert.h>

#include "txn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT, LOG, ONE, EVENT_OF_MYSQL, EVENT_OF_MARIADB, FORMS };

static struct buf out;

static void same_from_log(const struct gtid_set *set)
{
    static struct gtid_set again;
    buf_clear(&out);
    gtid_set_encode(set, &out);
    struct cursor in = cursor_of(buf_bytes(&out));
    assert(gtid_set_decode(&in, &again) && !cursor_left(&in) && gtid_set_equal(set, &again));
}

static void same_from_text(const struct gtid_set *set)
{
    static struct gtid_set again;
    static char text[GTID_SET_TEXT_MAX];
    struct err err = {0};
    gtid_set_format(set, text);
    assert(gtid_set_parse(slice_text(text), &again, &err) && gtid_set_equal(set, &again));
}

/* What of a set is not in itself is nothing; its first ends are in it; MySQL's without one of its transactions lacks exactly that one. */
static void agrees(const struct gtid_set *set)
{
    static struct gtid_set other;
    struct err err = {0};
    assert(gtid_set_contains(set, set));
    gtid_set_missing(set, set, &other);
    assert(!other.count);
    for (uint32_t i = 0; i < set->count && i < 4; i++) {
        struct gtid last = set->items[i];
        if (last.kind == GTID_FILE) continue; /* it is where the next one begins */
        assert(gtid_set_has(set, &last));
        if (last.kind != GTID_MYSQL) continue;
        gtid_set_copy(&other, set);
        if (!gtid_set_drop(&other, &last, &err)) continue;
        assert(!gtid_set_has(&other, &last) && !gtid_set_contains(&other, set) && gtid_set_contains(set, &other));
        if (gtid_set_put(&other, last, &err)) assert(gtid_set_equal(set, &other));
    }
}

/* What a lacks of b, added to a, makes it contain b: as MySQL counts. */
static void add_up(struct gtid_set *a, const struct gtid_set *b)
{
    static struct gtid_set missing, lone;
    struct err err = {0};
    if (gtid_set_kind(a) != gtid_set_kind(b)) return;
    gtid_set_missing(b, a, &missing);
    assert(missing.count == GTID_INTERVALS_MAX || !missing.count == gtid_set_contains(a, b));
    for (uint32_t i = 0; i < missing.count; i++) {
        lone.count = 1;
        lone.items[0] = missing.items[i];
        assert(!gtid_set_contains(a, &lone));
        bool added = missing.items[i].kind == GTID_MYSQL ? gtid_set_add(a, &missing.items[i], &err) : gtid_set_put(a, missing.items[i], &err);
        if (!added) return;
    }
    if (missing.count < GTID_INTERVALS_MAX) assert(gtid_set_contains(a, b));
    same_from_log(a);
    same_from_text(a);
}

static bool of_text(struct slice text, struct gtid_set *set)
{
    struct err err = {0};
    struct gtid one;
    if (!gtid_set_parse(text, set, &err)) return assert(err.text[0]), false;
    same_from_text(set);
    same_from_log(set);
    agrees(set);
    if (gtid_parse(text, &one, &err)) assert(set->count == 1);
    return true;
}

static void of_log(struct slice bytes)
{
    static struct gtid_set set;
    struct cursor in = cursor_of(bytes);
    if (!gtid_set_decode(&in, &set)) return;
    same_from_log(&set);
    agrees(&set);
}

static void one(struct slice bytes)
{
    char text[GTID_TEXT_MAX];
    struct cursor in = cursor_of(bytes);
    struct gtid gtid = gtid_decode(&in);
    if (in.failed) return;
    gtid_format(&gtid, text);
    buf_clear(&out);
    gtid_encode(&gtid, &out);
    in = cursor_of(buf_bytes(&out));
    struct gtid again = gtid_decode(&in);
    assert(!in.failed && gtid_equal(&gtid, &again));
}

static void of_event(struct slice bytes, bool mysql)
{
    static const uint8_t types[] = {33, 34, 42};
    static struct txn txn;
    static struct gtid_set set;
    struct err err = {0};
    struct cursor in = cursor_of(bytes);
    uint8_t type = cursor_u8(&in);
    struct event event = {.type = mysql ? types[type % sizeof types] : 162, .body = cursor_rest(&in)};
    set.count = 0;
    memset(&txn, 0, sizeof txn);
    bool good = mysql ? txn_announce(&txn, &event, &err) : txn_open(&txn, &event, &set, &err);
    if (!good) {
        assert(err.text[0]);
        return;
    }
    if (!txn.gtid.seq) return; /* an anonymous one */
    if (!gtid_set_put(&set, txn.gtid, &err)) assert(err.text[0]);
    same_from_log(&set);
    same_from_text(&set);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct gtid_set a, b;
    if (!size) return 0;
    struct slice rest = slice_of(data + 1, size - 1);
    if (!out.max) buf_init(&out, 128 << 10);
    switch (data[0] % FORMS) {
    case TEXT: {
        const uint8_t *line = rest.size ? memchr(rest.data, '\n', rest.size) : NULL;
        size_t first = line ? (size_t)(line - rest.data) : rest.size;
        bool good = of_text(slice_of(rest.data, first), &a);
        if (line && of_text(slice_of(line + 1, rest.size - first - 1), &b) && good) add_up(&a, &b);
        break;
    }
    case LOG: of_log(rest); break;
    case ONE: one(rest); break;
    default: of_event(rest, data[0] % FORMS == EVENT_OF_MYSQL); break;
    }
    return 0;
}
