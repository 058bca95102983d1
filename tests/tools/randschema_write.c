/* randschema_write.c: rows, alone and in transactions, and transactions in two phases. */
#include "randschema.h"

/* ---- rows ---- */

static void put_rows(struct buf *sql, const struct table *t)
{
    bool chosen[COLUMNS_MAX], first = true, all = chance(70);
    for (unsigned i = 0; i < t->count; i++) chosen[i] = !t->columns[i].generated && (all || chance(60));
    for (unsigned i = 0; i < t->count; i++) {
        if (!chosen[i]) continue;
        buf_printf(sql, "%s`%s`", first ? " (" : ", ", t->columns[i].name);
        first = false;
    }
    buf_text(sql, first ? " () VALUES " : ") VALUES ");
    for (unsigned n = 1 + (chance(30) ? below(8) : 0); n; n--) {
        bool lead = true;
        buf_u8(sql, '(');
        for (unsigned i = 0; i < t->count; i++) {
            if (!chosen[i]) continue;
            if (!lead) buf_u8(sql, ',');
            put_value(sql, &t->columns[i]);
            lead = false;
        }
        buf_text(sql, n > 1 ? ")," : ")");
    }
}

static void put_where(struct buf *sql, const struct table *t)
{
    const struct column *c = a_column(t);
    if (!c || chance(15)) return;
    buf_printf(sql, " WHERE `%s` %s ", c->name, chance(40) ? "=" : chance(50) ? ">" : "<=>");
    put_value(sql, c);
    if (chance(20)) buf_printf(sql, " OR `%s` IS NULL", c->name);
}

static const char *ignore(void) { return (session.row_format || (server.says_checks && !session.text_format)) && chance(50) ? "IGNORE " : ""; }

static void put_set(struct buf *sql, const struct column *c)
{
    buf_printf(sql, "`%s`=", c->name);
    if (!strcmp(c->kind, "json") && !server.common && chance(60)) { /* in place, where the server writes differences */
        unsigned which = below(3);
        if (which == 0) buf_printf(sql, "JSON_SET(`%s`, '$.a', %u)", c->name, below(9));
        else if (which == 1) buf_printf(sql, "JSON_REPLACE(`%s`, '$[1]', %u)", c->name, below(9));
        else buf_printf(sql, "JSON_SET(`%s`, '$.k%u', 'x')", c->name, below(4));
    } else {
        put_value(sql, c);
    }
}

static void insert(struct buf *sql, const struct table *t)
{
    buf_printf(sql, "INSERT %sINTO `%s`", ignore(), t->name);
    put_rows(sql, t);
    const struct column *c = a_column(t);
    if (!c || session.text_format || !session.full_image || !chance(15)) return;
    buf_text(sql, " ON DUPLICATE KEY UPDATE ");
    put_set(sql, c);
}

static void replace(struct buf *sql, const struct table *t)
{
    if (session.text_format || !session.full_image) return;
    buf_printf(sql, "REPLACE INTO `%s`", t->name);
    put_rows(sql, t);
}

static void update(struct buf *sql, const struct table *t)
{
    const struct column *c = a_column(t), *d = a_column(t);
    if (!c) return;
    buf_printf(sql, "UPDATE %s`%s` SET ", ignore(), t->name);
    put_set(sql, c);
    if (d && d != c) {
        buf_text(sql, ", ");
        put_set(sql, d);
    }
    put_where(sql, t);
    if (!session.text_format && chance(40)) buf_printf(sql, " LIMIT %u", 1 + below(5));
}

static void delete(struct buf *sql, const struct table *t)
{
    buf_printf(sql, "DELETE FROM `%s`", t->name);
    put_where(sql, t);
    if (!session.text_format) buf_printf(sql, " LIMIT %u", 1 + below(4));
}

/* Rows of rows: an INSERT … SELECT of its own table doubles it. */
static void copy(struct buf *sql, const struct table *t)
{
    const struct column *c = a_column(t);
    if (!c || session.text_format) return;
    buf_printf(sql, "INSERT IGNORE INTO `%s` (`%s`) SELECT `%s` FROM `%s` LIMIT 5", t->name, c->name, c->name, t->name);
}

/* Keys that move. */
static void move(struct buf *sql, const struct table *t)
{
    const struct column *c = a_column(t);
    if (!c || !strstr(c->kind, "int") || session.text_format) return;
    buf_printf(sql, "UPDATE IGNORE `%s` SET `%s` = `%s` + %u ORDER BY `%s` DESC", t->name, c->name, c->name, 1 + below(3), c->name);
}

/* DOUBLE(20,5): an UPDATE of two tables writes to it, on MySQL, what it cannot hold, and no statement can say that value to a target (seed 1000140). */
static bool is_rounded(const struct column *c) { return !server.maria && !strncmp(c->kind, "double", 6) && strchr(c->type, ','); }

/* Two tables in one statement. */
static void join(struct buf *sql, const struct table *t)
{
    const struct table *other = &tables[below(table_count)];
    const struct column *c = a_column(t);
    if (!c || other == t || !session.row_format) return; /* MariaDB marks a DELETE of two tables as one that depends on its session */
    if (chance(50)) {
        buf_printf(sql, "UPDATE IGNORE `%s` a, `%s` b SET a.`%s` = ", t->name, other->name, c->name);
        put_value(sql, c);
        const struct column *d = a_column(other);
        if (!d || is_rounded(c) || is_rounded(d)) {
            buf_clear(sql);
            return;
        }
        buf_printf(sql, ", b.`%s` = ", d->name);
        put_value(sql, d);
    } else {
        buf_printf(sql, "DELETE a FROM `%s` a, `%s` b WHERE a.`%s` = b.`%s`", t->name, other->name, c->name, other->columns[0].name);
    }
}

/* By way of a temporary table, which no replica has. */
static void by_temporary(struct buf *sql, const struct table *t)
{
    const struct column *c = a_column(t);
    if (!c || !session.row_format) return;
    if (!say("CREATE TEMPORARY TABLE scratch ENGINE=InnoDB AS SELECT `%s` AS a FROM `%s` LIMIT 3", c->name, t->name)) return;
    say("INSERT IGNORE INTO `%s` (`%s`) SELECT a FROM scratch", t->name, c->name);
    buf_text(sql, "DROP TEMPORARY TABLE scratch");
}

typedef void write_fn(struct buf *sql, const struct table *t);
static const struct { unsigned percent; write_fn *put; bool commits /* and may not stand in a transaction */, others; } writes[] = {
    {50, insert, false, false}, {7, replace, false, false}, {19, update, false, false}, {9, delete, false, false}, {6, copy, false, false},
    {3, move, false, false}, {4, join, false, true}, {2, by_temporary, true, false}};

static void write_one(const char *but, bool alone)
{
    if (!table_count) return;
    const struct table *t = &tables[below(table_count)];
    struct buf sql;
    size_t i = 0;
    for (unsigned dice = below(100); dice >= writes[i].percent; i++) dice -= writes[i].percent;
    if (but && (!strcmp(t->name, but) || writes[i].others)) return;
    if (writes[i].commits && !alone) return;
    buf_init(&sql, SQL_MAX);
    writes[i].put(&sql, t);
    if (sql.size) run(&sql);
    buf_fini(&sql);
}

void write_row(const char *but) { write_one(but, true); }

/* ---- transactions ---- */

void transaction(const char *but)
{
    bool savepoint = false;
    say("BEGIN");
    for (unsigned n = 1 + below(8); n; n--) {
        if (chance(15)) savepoint = say("SAVEPOINT s");
        if (savepoint && chance(15)) say("ROLLBACK TO SAVEPOINT s");
        write_one(but, false);
    }
    say(chance(85) ? "COMMIT" : "ROLLBACK");
}

/* A session that has gone may not have let go of its transaction yet. */
static void finish(const char *how, const char *xid)
{
    enum { UNKNOWN = 1397, BUSY = 1399, ROLLED_BACK = 1402, TRIES = 50 };
    for (int i = 0; i < TRIES; i++) {
        if (say("XA %s %s", how, xid)) return;
        if (last_error() != UNKNOWN && last_error() != BUSY) break;
        tool_sleep_us(20000);
    }
    if (last_error() == UNKNOWN || last_error() == ROLLED_BACK) return; /* it had written nothing */
    fprintf(stderr, "randschema: XA %s %s: error %u\n", how, xid, last_error());
    exit(TOOL_NOT_MET);
}

/* In two phases, of one table (what else is written meanwhile leaves it alone), ended by the session itself or, after it has gone, by another. */
void xa_transaction(void)
{
    if (!table_count) return;
    /* MySQL before 5.7 rolls one back when its session ends */
    bool beside = chance(50) && (server.maria || server.version >= 507), ready;
    char xid[80], but[NAME_ROOM];
    struct buf sql;
    snprintf(xid, sizeof xid, "'x%u%s',X'%02x%02x',%u", serial++, chance(30) ? " é" : "", below(256), below(256), 1 + below(9));
    snprintf(but, sizeof but, "%s", tables[below(table_count)].name);
    if (beside) session_beside();
    say("XA START %s", xid);
    for (unsigned n = below(5), i = 0; i < table_count && n; n--) {
        for (i = 0; i < table_count && strcmp(tables[i].name, but); i++) continue;
        static write_fn *const kinds[] = {insert, insert, update, delete, replace};
        buf_init(&sql, SQL_MAX);
        kinds[below(5)](&sql, &tables[i]);
        if (sql.size) run(&sql);
        buf_fini(&sql);
    }
    ready = say("XA END %s", xid);
    if (ready && chance(15) && say("XA COMMIT %s ONE PHASE", xid)) {
        if (beside) session_back();
        return;
    }
    ready = ready && say("XA PREPARE %s", xid);
    if (!ready) say("XA ROLLBACK %s", xid);
    if (beside) session_back();
    if (!ready) return;
    for (unsigned n = beside ? below(4) : 0; n; n--) {
        if (chance(30)) transaction(but);
        else write_row(but);
    }
    if (beside && chance(20)) create_table();
    finish(chance(75) ? "COMMIT" : "ROLLBACK", xid);
    learn();
}
