/*
 * proof_repair.c: rows of a node are made what the source's are. In one transaction on the node: its newest position row is read with a lock that
 * also covers the gap behind it, so that the sink, whose every transaction begins by inserting the next one, waits until we have committed; then the source's
 * row and the node's are read once more. A row is touched only when the source's is still the one of the first look, which the node had passed: what is yet to
 * come from the log cannot be about it. What was written is read back as a hash before COMMIT.
 *
 * First every such row is deleted, then the source's are inserted: values of unique keys that were swapped do not meet. A value that another row of
 * the node holds, which is then wrong as well, is taken from it by REPLACE.
 */
#include <stdio.h>
#include <stdlib.h>

#include "log.h"
#include "prover.h"

enum { REPAIR_ITEMS = 50, DUPLICATE_KEY = 1062 };

struct repair {
    struct prover *p;
    int node;
    const struct proof_table *table;
    struct look_item *items; /* count of them */
    size_t count;
    bool replace;
};

static bool run(struct repair *r, const struct buf *sql, struct err *err)
{
    struct err local = {0};
    if (!err) err = &local;
    if (sql->full) return err_set(err, ERR_LIMIT, "a row is too large to be put right");
    if (db_exec_bytes(r->p->nodes[r->node].db, buf_bytes(sql), err)) return true;
    link_fail(r->p, r->node, err);
    return false;
}

static bool delete_row(struct repair *r, const struct look_item *item, struct err *err)
{
    struct buf *sql = &r->p->sql;
    buf_clear(sql);
    buf_text(sql, "DELETE FROM ");
    proof_sql_name(sql, r->table);
    return proof_sql_at(sql, r->table, item->key) ? run(r, sql, err) : err_set(err, ERR_CORRUPT, "a key is none");
}

/* The source's row, as it is now. *gone: it has changed since the looks, and is left alone. */
static bool insert_row(struct repair *r, const struct look_item *item, bool *gone, struct err *err)
{
    struct buf *sql = &r->p->sql;
    struct db_result *row;
    buf_clear(sql);
    if (!proof_sql_row(sql, r->table, item->key)) return err_set(err, ERR_CORRUPT, "a key is none");
    if (!link_query(r->p, SIDE_SOURCE, sql, &row, err)) return false;
    *gone = row->row_count != 1 || strcmp(db_value(row, 0, 0, NULL), item->first_source) != 0;
    bool ok = true;
    if (!*gone) {
        struct slice *values = calloc(row->column_count, sizeof *values);
        if (!values) abort();
        for (uint32_t i = 1; i < row->column_count; i++) {
            values[i - 1].data = (const uint8_t *)db_value(row, 0, i, &values[i - 1].size);
        }
        buf_clear(sql);
        buf_text(sql, r->replace ? "REPLACE INTO " : "INSERT INTO ");
        proof_sql_name(sql, r->table);
        ok = proof_sql_insert(sql, r->table, values) ? run(r, sql, err) : err_set(err, ERR_CORRUPT, "a value cannot be said in SQL");
        free(values);
    }
    db_result_free(row);
    return ok;
}

/* Under the lock: the node has passed `fence`, both rows are as they were when they were found different. */
static bool check(struct repair *r, const struct gtid_set *fence, struct look_item *now, struct err *err)
{
    struct gtid_set at;
    if (!link_position(r->p, r->node, true, &at, err)) return false;
    if (!gtid_set_contains(&at, fence)) return err_set(err, ERR_RETRY, "the node's position is not where it was");
    for (size_t i = 0; i < r->count; i++) now[i] = (struct look_item){.table = r->items[i].table, .key = r->items[i].key, .state = r->items[i].state == LOOK_DIFFERENT ? LOOK_AGAIN : LOOK_EQUAL};
    return look_rows(r->p, r->node, now, r->count, err) && look_rows(r->p, SIDE_SOURCE, now, r->count, err);
}

static bool is_as_found(const struct look_item *found, const struct look_item *now)
{
    return now->state == LOOK_AGAIN && !strcmp(now->source, found->first_source) && !strcmp(now->node, found->first_node);
}

static bool write_rows(struct repair *r, struct look_item *now, struct err *err)
{
    bool gone = false;
    for (size_t i = 0; i < r->count; i++) {
        if (!is_as_found(&r->items[i], &now[i])) now[i].state = LOOK_EQUAL; /* left alone */
        else if (now[i].node[0] && !delete_row(r, &now[i], err)) return false;
    }
    for (size_t i = 0; i < r->count; i++) {
        if (now[i].state != LOOK_AGAIN || !now[i].source[0]) continue;
        if (!insert_row(r, &r->items[i], &gone, err)) return false;
        if (gone) return err_set(err, ERR_RETRY, "a row was changed on the source while it was put right");
    }
    return true;
}

/* Read back before COMMIT: sql_mode is lenient here, so that whatever the source has is taken. */
static bool verify(struct repair *r, struct look_item *now, struct err *err)
{
    if (!look_rows(r->p, r->node, now, r->count, err)) return false;
    for (size_t i = 0; i < r->count; i++)
        if (now[i].state == LOOK_AGAIN && strcmp(now[i].node, now[i].source) != 0)
            return err_set(err, ERR_STOP, "a row was not taken as the source has it");
    return true;
}

static void note(struct repair *r, struct look_item *now)
{
    struct buf key;
    buf_init(&key, 4096);
    for (size_t i = 0; i < r->count; i++) {
        if (now[i].state != LOOK_AGAIN) continue;
        buf_clear(&key);
        proof_sql_say_key(&key, r->table, now[i].key);
        log_info("sink.repair", "node=%s table=%.*s.%.*s key=\"%s\" was=%s", proof_options_of(r->p->proof)->names[r->node], SLICE_ARG(r->table->database),
                 SLICE_ARG(r->table->name), buf_cstr(&key), !now[i].source[0] ? "extra" : r->items[i].first_node[0] ? "another" : "missing");
        r->items[i].state = LOOK_EQUAL;
        r->p->repaired++;
    }
    buf_fini(&key);
}

static bool repair_some(struct repair *r, const struct gtid_set *fence, struct err *err)
{
    struct look_item *now = calloc(r->count, sizeof *now);
    if (!now) abort();
    bool ok = link_open(r->p, r->node, err);
    struct db *db = r->p->nodes[r->node].db;
    ok = ok && db_exec(db, err, "START TRANSACTION READ WRITE") && check(r, fence, now, err) && write_rows(r, now, err) && verify(r, now, err) &&
         db_exec(r->p->nodes[r->node].db, err, "COMMIT");
    if (ok) note(r, now);
    else link_end(r->p, r->node);
    free(now);
    return ok;
}

static bool any(const struct look_item *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (items[i].state == LOOK_DIFFERENT) return true;
    return false;
}

bool repair_rows(struct prover *p, int node, const struct proof_table *t, struct look_item *items, size_t count, const struct gtid_set *fence,
                 struct err *err)
{
    enum { TRIES = 5 };
    for (size_t i = 0; i < count; i += REPAIR_ITEMS) {
        struct repair repair = {p, node, t, items + i, count - i < REPAIR_ITEMS ? count - i : REPAIR_ITEMS, false};
        for (unsigned try = 1; any(repair.items, repair.count); try++) {
            struct err local = {0};
            if (repair_some(&repair, fence, &local)) break;
            if (local.number == DUPLICATE_KEY) repair.replace = p->replaced = true;
            else if (local.code != ERR_RETRY || try == TRIES || prover_stopping(p)) {
                if (err) *err = local;
                return false;
            }
            prover_rest(p, LOOK_PAUSE_MS << try);
        }
    }
    return true;
}
