/*
 * seed_rows.c: one table, from the donor's snapshot into the node: rows are read one by one and written as INSERTs of about a mebibyte, one of which is
 * on its way while the next one grows.
 */
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "seed_parts.h"

enum { TRUNCATED = 1265 }; /* the warning, and under a strict mode the error, of an ENUM's 0 */

struct copy {
    struct seed *s;
    const struct proof_table *table;
    const struct proof_column **columns; /* those that are read */
    uint32_t count;
    struct buf head, sql;
    bool enums;                /* a lenient session: an ENUM's 0 is taken, with a warning */
    bool flying;               /* an INSERT whose reply is not read yet */
    uint64_t batch, uncommitted;
};

static bool is_enum(const struct proof_column *c) { return c->members > 0; }

static void choose_columns(struct copy *c)
{
    const struct proof_table *t = c->table;
    c->columns = calloc(t->column_count, sizeof *c->columns);
    if (!c->columns) abort();
    for (uint32_t i = 0; i < t->column_count; i++) {
        if (t->columns[i].generated) continue;
        c->columns[c->count++] = &t->columns[i];
        c->enums |= is_enum(&t->columns[i]);
    }
}

static void put_select(struct copy *c, struct buf *sql)
{
    buf_text(sql, "SELECT ");
    for (uint32_t i = 0; i < c->count; i++) {
        const struct proof_column *column = c->columns[i];
        if (i) buf_u8(sql, ',');
        if (column->kind->literal >= LITERAL_TEXT) db_quote_name(sql, column->name); /* as bytes: the session converts nothing */
        else proof_sql_value(sql, column);
    }
    buf_text(sql, " FROM ");
    proof_sql_name(sql, c->table);
}

static void put_head(struct copy *c)
{
    buf_text(&c->head, "INSERT INTO ");
    proof_sql_name(&c->head, c->table);
    buf_text(&c->head, " (");
    for (uint32_t i = 0; i < c->count; i++) {
        if (i) buf_u8(&c->head, ',');
        db_quote_name(&c->head, c->columns[i]->name);
    }
    buf_text(&c->head, ") VALUES ");
}

static bool look_at_warnings(struct copy *c, struct err *err)
{
    struct db_result *r;
    if (!db_query(c->s->node, &r, err, "SHOW WARNINGS LIMIT 1000")) return false;
    bool ok = true;
    for (uint64_t i = 0; ok && i < r->row_count; i++)
        if (atoi(db_value(r, i, 1, NULL)) != TRUNCATED) ok = err_set(err, ERR_STOP, "the node does not take a row as it is: %s", db_value(r, i, 2, NULL));
    db_result_free(r);
    return ok;
}

static bool land(struct copy *c, struct err *err)
{
    struct db_reply reply;
    if (!c->flying) return true;
    c->flying = false;
    if (!db_reply(c->s->node, &reply, err)) return false;
    return !reply.warnings || look_at_warnings(c, err);
}

static bool send_batch(struct copy *c, struct err *err)
{
    if (c->sql.size <= c->head.size) return true;
    if (!land(c, err)) return false;
    if (c->uncommitted > SEED_COMMIT) {
        c->uncommitted = 0;
        if (!db_exec(c->s->node, err, "COMMIT")) return false;
    }
    c->uncommitted += c->sql.size;
    c->s->bytes += c->sql.size;
    if (!db_send(c->s->node, DB_COM_QUERY, buf_bytes(&c->sql), err)) return false;
    c->flying = true;
    buf_clear(&c->sql);
    buf_slice(&c->sql, buf_bytes(&c->head));
    return true;
}

static bool put_value(struct copy *c, const struct proof_column *column, struct slice value)
{
    if (!value.data) {
        buf_text(&c->sql, "NULL");
        return true;
    }
    if (column->kind->literal >= LITERAL_TEXT) {
        db_quote(&c->sql, value);
        return true;
    }
    return proof_sql_literal(&c->sql, column, value);
}

static bool take_row(void *context, uint32_t count, const struct slice *values, struct err *err)
{
    struct copy *c = context;
    const struct proof_table *t = c->table;
    size_t begin = c->sql.size;
    bool first = begin == c->head.size, ok = count == c->count;
    buf_text(&c->sql, first ? "(" : ",(");
    for (uint32_t i = 0; ok && i < count; i++) {
        if (i) buf_u8(&c->sql, ',');
        ok = put_value(c, c->columns[i], values[i]);
    }
    buf_u8(&c->sql, ')');
    if (!ok) return err_set(err, ERR_CORRUPT, "%.*s.%.*s: a value that cannot be", SLICE_ARG(t->database), SLICE_ARG(t->name));
    if (c->sql.full || c->sql.size >= c->s->packet)
        return err_set(err, ERR_LIMIT, "%.*s.%.*s: a row is larger than the node's max_allowed_packet", SLICE_ARG(t->database), SLICE_ARG(t->name));
    c->s->rows++;
    if (c->sql.size < c->batch) return true;
    seed_say(c->s, NULL, NULL, false);
    if (c->s->options->stopping(c->s->options->context)) return err_set(err, ERR_STOP, "the agent is stopping");
    return send_batch(c, err);
}

static bool copy_rows(struct copy *c, struct err *err)
{
    struct buf sql;
    buf_init(&sql, PROOF_SQL_MAX);
    put_select(c, &sql);
    put_head(c);
    buf_slice(&c->sql, buf_bytes(&c->head));
    bool ok = db_exec(c->s->node, err, "SET sql_mode='%sALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO'", c->enums ? "" : "STRICT_ALL_TABLES,") &&
              db_rows(c->s->donor, buf_bytes(&sql), take_row, c, err) && send_batch(c, err) && land(c, err) && db_exec(c->s->node, err, "COMMIT");
    buf_fini(&sql);
    return ok;
}

/* With the definition as it was when the snapshot was taken: AUTO_INCREMENT= in it included. */
static bool create_table(struct seed *s, const struct seed_object *o, struct err *err)
{
    return seed_exec(s->node, err, "USE ", &(struct seed_object){.database = o->database}, "") &&
           db_exec(s->node, err, "SET NAMES utf8mb4, sql_mode='ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO'") &&
           db_exec_bytes(s->node, slice_text(o->text), err) && db_exec(s->node, err, "SET NAMES binary");
}

bool seed_table(struct seed *s, const struct seed_object *o, struct err *err)
{
    struct proof_table *t = NULL;
    seed_say(s, o->database, o->name, true);
    if (!create_table(s, o, err)) return err_context(err, "%s.%s", o->database, o->name);
    /* the node's own: it is the donor's, made a moment ago, and nobody alters it now */
    if (!proof_table_load(s->node, o->database, o->name, &t, err)) return false;
    if (!t) return err_set(err, ERR_STOP, "%s.%s is gone from the node while it is seeded", o->database, o->name);
    struct copy copy = {.s = s, .table = t, .batch = s->packet / 2 < SEED_BATCH ? s->packet / 2 : SEED_BATCH};
    buf_init(&copy.head, PROOF_SQL_MAX);
    buf_init(&copy.sql, SEED_ROW_MAX);
    choose_columns(&copy);
    bool ok = copy_rows(&copy, err);
    free(copy.columns);
    buf_fini(&copy.head);
    buf_fini(&copy.sql);
    proof_table_free(t);
    s->table++;
    return ok || err_context(err, "%s.%s", o->database, o->name);
}
