/*
 * proof_chunk.c: one range of one table, on every side. The source is read once; a node whose sum is another is asked for keys and hashes, and
 * what differs is in doubt (proof_doubt.c).
 */
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "clock.h"
#include "prover.h"

struct sum { char rows[24], bits[80]; };
struct hashed { size_t key_at, key_size; char hash[PROOF_HASH_SIZE + 1]; };
struct listed { size_t count, room; struct hashed *items; struct buf keys; };

static const struct sink_settings *sink_of(const struct prover *p) { return proof_options_of(p->proof)->sink; }
static size_t node_count(const struct prover *p) { return proof_options_of(p->proof)->count; }
static struct slice key_of(const struct listed *rows, size_t i) { return slice_of(rows->keys.data + rows->items[i].key_at, rows->items[i].key_size); }

/* The side cannot go on with this table. A source's error is the caller's. */
static void out_of_play(struct prover *p, int node, const struct err *err)
{
    p->in_play[node] = false;
    prover_missed(p, node, err);
}

static bool no_key(struct err *err) { return err_set(err, ERR_CORRUPT, "a key's value is none that can be said in SQL"); }

/* ---- sums ---- */

static bool read_sum(struct prover *p, int side, const struct proof_table *t, struct slice lower, struct slice upper, struct sum *sum, struct err *err)
{
    struct db_result *r;
    buf_clear(&p->sql);
    if (!proof_sql_sum(&p->sql, t, lower, upper)) return no_key(err);
    if (!link_query(p, side, &p->sql, &r, err)) return false;
    const char *bits = db_value(r, 0, 1, NULL);
    snprintf(sum->rows, sizeof sum->rows, "%s", db_value(r, 0, 0, NULL));
    snprintf(sum->bits, sizeof sum->bits, "%s", bits ? bits : "");
    db_result_free(r);
    return true;
}

static bool same_sum(const struct sum *a, const struct sum *b) { return !strcmp(a->rows, b->rows) && !strcmp(a->bits, b->bits); }

static void put_key(struct buf *out, const struct db_result *r, uint64_t row, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        size_t size = 0;
        const char *value = db_value(r, row, i, &size);
        buf_varint_bytes(out, slice_of(value, size));
    }
}

/* The rows'th key behind lower; *found false: there are not so many. */
static bool read_bound(struct prover *p, int side, const struct proof_table *t, struct slice lower, struct slice upper, uint64_t rows,
                       struct buf *bound, bool *found, struct err *err)
{
    struct db_result *r;
    buf_clear(&p->sql);
    if (!proof_sql_bound(&p->sql, t, lower, upper, rows)) return no_key(err);
    if (!link_query(p, side, &p->sql, &r, err)) return false;
    *found = r->row_count > 0;
    buf_clear(bound);
    if (*found) put_key(bound, r, 0, t->key_count);
    db_result_free(r);
    return true;
}

/* ---- rows ---- */

static bool read_rows(struct prover *p, int side, const struct proof_table *t, struct slice lower, struct slice upper, struct listed *rows, struct err *err)
{
    struct db_result *r;
    rows->count = 0;
    buf_clear(&rows->keys);
    buf_clear(&p->sql);
    if (!proof_sql_rows(&p->sql, t, lower, upper, CHUNK_ROWS_MAX * 2)) return no_key(err);
    if (!link_query(p, side, &p->sql, &r, err)) return false;
    if (rows->room < r->row_count) {
        rows->room = r->row_count;
        rows->items = reallocarray(rows->items, rows->room, sizeof *rows->items);
        if (!rows->items) abort();
    }
    for (uint64_t i = 0; i < r->row_count; i++) {
        const char *hash = db_value(r, i, t->key_count, NULL);
        struct hashed *row = &rows->items[rows->count++];
        row->key_at = rows->keys.size;
        put_key(&rows->keys, r, i, t->key_count);
        row->key_size = rows->keys.size - row->key_at;
        snprintf(row->hash, sizeof row->hash, "%s", hash ? hash : "?");
    }
    db_result_free(r);
    return true;
}

static _Thread_local const struct listed *sorted; /* by this qsort */

static int compare_keys(struct slice a, struct slice b)
{
    int order = memcmp(a.data, b.data, a.size < b.size ? a.size : b.size);
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

static int by_key(const void *a, const void *b)
{
    const struct hashed *x = a, *y = b;
    return compare_keys(slice_of(sorted->keys.data + x->key_at, x->key_size), slice_of(sorted->keys.data + y->key_at, y->key_size));
}

static void sort_rows(struct listed *rows)
{
    sorted = rows;
    if (rows->count) qsort(rows->items, rows->count, sizeof *rows->items, by_key);
}

/* What is on one side only, or has another hash. Keys are borrowed from the rows. */
static size_t differing(const struct listed *a, const struct listed *b, struct proof_table *t, struct look_item *items)
{
    size_t i = 0, j = 0, n = 0;
    while (i < a->count || j < b->count) {
        int order = i == a->count ? 1 : j == b->count ? -1 : compare_keys(key_of(a, i), key_of(b, j));
        if (order || strcmp(a->items[i].hash, b->items[j].hash) != 0) items[n++] = (struct look_item){.table = t, .key = order > 0 ? key_of(b, j) : key_of(a, i)};
        if (order <= 0) i++;
        if (order >= 0) j++;
    }
    return n;
}

/* One stretch, as the node's own rows bound it: it may have many more than the source. */
static bool compare_stretch(struct prover *p, int node, struct proof_table *t, struct slice lower, struct slice upper, struct err *err)
{
    struct listed ours = {0}, theirs = {0};
    struct look_item *items = NULL;
    buf_init(&ours.keys, PROOF_SQL_MAX);
    buf_init(&theirs.keys, PROOF_SQL_MAX);
    bool ok = read_rows(p, SIDE_SOURCE, t, lower, upper, &ours, err) && read_rows(p, node, t, lower, upper, &theirs, err);
    if (ok) {
        sort_rows(&ours);
        sort_rows(&theirs);
        items = calloc(ours.count + theirs.count + 1, sizeof *items);
        if (!items) abort();
        if (!doubts_add(p, node, items, differing(&ours, &theirs, t, items))) doubts_settle_node(p, node);
        ok = t->found[node] < TABLE_DIFFERENCES_MAX ||
             err_set(err, ERR_LIMIT, "more than %d rows are different: the rest of this table is not looked at", TABLE_DIFFERENCES_MAX);
    }
    free(items);
    free(ours.items);
    free(theirs.items);
    buf_fini(&ours.keys);
    buf_fini(&theirs.keys);
    return ok;
}

static bool compare_rows(struct prover *p, int node, struct proof_table *t, struct slice lower, struct slice upper, struct err *err)
{
    struct buf from, to;
    bool ok, more = true;
    buf_init(&from, PROOF_SQL_MAX);
    buf_init(&to, PROOF_SQL_MAX);
    do {
        struct slice begin = from.size ? buf_bytes(&from) : lower;
        ok = read_bound(p, node, t, begin, upper, LIST_ROWS, &to, &more, err) &&
             compare_stretch(p, node, t, begin, more ? buf_bytes(&to) : upper, err);
        buf_clear(&from);
        buf_slice(&from, buf_bytes(&to));
    } while (ok && more);
    buf_fini(&from);
    buf_fini(&to);
    return ok;
}

/* ---- a chunk ---- */

/* So that one statement takes about CHUNK_US. */
static void adapt(struct prover *p, uint64_t took_us, bool whole)
{
    if (took_us > CHUNK_US * 2) p->chunk_rows /= 2;
    else if (whole && took_us < CHUNK_US / 2) p->chunk_rows += p->chunk_rows / 2;
    if (p->chunk_rows < CHUNK_ROWS_MIN) p->chunk_rows = CHUNK_ROWS_MIN;
    if (p->chunk_rows > CHUNK_ROWS_MAX) p->chunk_rows = CHUNK_ROWS_MAX;
}

static bool compare_on(struct prover *p, int node, struct proof_table *t, struct slice lower, struct slice upper, const struct sum *source,
                       struct err *err)
{
    struct sum sum;
    if (!read_sum(p, node, t, lower, upper, &sum, err)) return false;
    p->tally[node].rows += strtoull(source->rows, NULL, 10);
    if (same_sum(source, &sum)) return true;
    if (clock_us() >= p->nodes[node].behind_us) return compare_rows(p, node, t, lower, upper, err);
    p->tally[node].in_flight++; /* what differs could not be judged: at least one row */
    prover_behind(p, node);
    return true;
}

bool chunk_compare(struct prover *p, struct proof_table *t, struct slice from, struct buf *next, bool *done, uint64_t *rows, struct err *err)
{
    struct sum source;
    bool more;
    if (!read_bound(p, SIDE_SOURCE, t, from, (struct slice){NULL, 0}, p->chunk_rows, next, &more, err)) return false;
    struct slice upper = more ? buf_bytes(next) : (struct slice){NULL, 0};
    uint64_t begun = clock_us();
    if (!read_sum(p, SIDE_SOURCE, t, from, upper, &source, err)) return false;
    adapt(p, clock_us() - begun, more);
    for (int node = 0; node < (int)node_count(p); node++) {
        struct err local = {0};
        if (!p->in_play[node] || compare_on(p, node, t, from, upper, &source, &local)) continue;
        if (prover_stopping(p)) return err_set(err, ERR_RETRY, "stopping");
        out_of_play(p, node, &local);
    }
    *done = !more;
    *rows = strtoull(source.rows, NULL, 10);
    return true;
}

/* ---- tables without a key ---- */

static bool look_whole(struct prover *p, int side, struct look_item *items, size_t count, struct err *err)
{
    struct sum sum;
    const struct slice open = {NULL, 0};
    if (!count || items[0].state != LOOK_AGAIN) return true;
    if (!read_sum(p, side, items[0].table, open, open, &sum, err)) return false;
    snprintf(side == SIDE_SOURCE ? items[0].source : items[0].node, sizeof items[0].source, "%.20s %.40s", sum.rows, sum.bits);
    return true;
}

static bool is_too_large(struct prover *p, const struct proof_table *t, bool *large, struct err *err)
{
    struct db_result *r;
    unsigned long long most = sink_of(p)->keyless_rows_max;
    buf_clear(&p->sql);
    buf_text(&p->sql, "SELECT COUNT(*) FROM (SELECT 1 FROM ");
    proof_sql_name(&p->sql, t);
    buf_printf(&p->sql, " LIMIT %llu) some", most + 1);
    if (!link_query(p, SIDE_SOURCE, &p->sql, &r, err)) return false;
    *large = strtoull(db_value(r, 0, 0, NULL), NULL, 10) > most;
    db_result_free(r);
    return true;
}

static bool compare_whole(struct prover *p, int node, struct proof_table *t, const struct sum *source, struct err *err)
{
    const struct slice open = {NULL, 0};
    struct sum sum;
    struct look_item item = {.table = t, .state = LOOK_AGAIN};
    struct gtid_set fence;
    if (!read_sum(p, node, t, open, open, &sum, err)) return false;
    p->tally[node].rows += strtoull(source->rows, NULL, 10);
    if (same_sum(source, &sum)) return true;
    if (!look_again(p, node, look_whole, &item, 1, &fence, err)) return false;
    if (item.state == LOOK_AGAIN) p->tally[node].in_flight++;
    if (item.state != LOOK_DIFFERENT) return true;
    char what[160];
    snprintf(what, sizeof what, "%.*s rows on the source, %.*s on the node, not the same (no key: wolfctl nodes seed puts it right)",
             (int)strcspn(item.source, " "), item.source, (int)strcspn(item.node, " "), item.node);
    prover_found(p, node, t, (struct slice){NULL, 0}, what);
    return true;
}

bool chunk_whole(struct prover *p, struct proof_table *t, uint64_t *rows, struct err *err)
{
    const struct slice open = {NULL, 0};
    struct sum source;
    bool large;
    *rows = 0;
    if (!is_too_large(p, t, &large, err)) return false;
    if (!large && !read_sum(p, SIDE_SOURCE, t, open, open, &source, err)) return false;
    for (int node = 0; node < (int)node_count(p); node++) {
        struct err local = {0};
        if (!p->in_play[node]) continue;
        if (large) prover_skipped(p, node, t, "no key, and more rows than keyless_rows_max");
        else if (!compare_whole(p, node, t, &source, &local)) out_of_play(p, node, &local);
    }
    if (!large) *rows = strtoull(source.rows, NULL, 10);
    return !prover_stopping(p) || err_set(err, ERR_RETRY, "stopping");
}

/* ---- definitions ---- */

static bool look_definition(struct prover *p, int side, struct look_item *items, size_t count, struct err *err)
{
    if (!count || items[0].state != LOOK_AGAIN) return true;
    return proof_table_digest(p, side, items[0].table, true, side == SIDE_SOURCE ? items[0].source : items[0].node, err);
}

static bool look_columns(struct prover *p, int side, struct look_item *items, size_t count, struct err *err)
{
    if (!count || items[0].state != LOOK_AGAIN) return true;
    return proof_table_digest(p, side, items[0].table, false, side == SIDE_SOURCE ? items[0].source : items[0].node, err);
}

/* SHOW CREATE says the same only between servers of one version, and where DDL is ours to bring. */
static bool asks_whole(struct prover *p, int node)
{
    const struct db_version *a = &p->source.version, *b = &p->nodes[node].version;
    return a->major == b->major && a->minor == b->minor && sink_of(p)->apply_ddl;
}

static bool look_at_definition(struct prover *p, int node, struct proof_table *t, look_ask *ask, struct look_item *item, struct err *err)
{
    struct gtid_set fence;
    *item = (struct look_item){.table = t, .state = LOOK_AGAIN};
    if (!ask(p, SIDE_SOURCE, item, 1, err) || !ask(p, node, item, 1, err)) return false;
    if (!strcmp(item->source, item->node)) item->state = LOOK_EQUAL;
    return item->state == LOOK_EQUAL || look_again(p, node, ask, item, 1, &fence, err);
}

static bool compare_definition(struct prover *p, int node, struct proof_table *t, struct err *err)
{
    struct look_item item;
    struct slice none = {NULL, 0};
    if (!link_open(p, node, err)) return false;
    bool whole = asks_whole(p, node);
    if (!look_at_definition(p, node, t, whole ? look_definition : look_columns, &item, err)) return false;
    if (item.state == LOOK_EQUAL) {
        p->in_play[node] = item.source[0] != 0;
        return true;
    }
    p->in_play[node] = false;
    if (item.state == LOOK_AGAIN) {
        p->tally[node].in_flight++;
        return true;
    }
    prover_found(p, node, t, none, !item.node[0] ? "the table is missing on the node" : !item.source[0] ? "the table is not on the source"
                                                                                      : "the table is defined otherwise on the node");
    if (!whole || !item.node[0] || !item.source[0]) return true;
    if (!look_at_definition(p, node, t, look_columns, &item, err)) return false; /* an index more, say, does not keep rows from being compared */
    p->in_play[node] = item.state == LOOK_EQUAL;
    return true;
}

bool chunk_definitions(struct prover *p, struct proof_table *t, struct err *err)
{
    if (!link_open(p, SIDE_SOURCE, err)) return false;
    for (int node = 0; node < (int)node_count(p); node++) {
        struct err local = {0};
        if (!p->in_play[node] || compare_definition(p, node, t, &local)) continue;
        if (prover_stopping(p)) return err_set(err, ERR_RETRY, "stopping");
        out_of_play(p, node, &local);
    }
    return true;
}
