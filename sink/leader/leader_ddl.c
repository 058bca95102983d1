/*
 * leader_ddl.c: DDL through the proxy, alone, after everything before it is proven. Before it each node gets an intent row (intent.c) with the hash of its own
 * definitions: should anything end us now, that node's own sink can tell by it whether the statement came there, and runs it if not. Afterwards, behind
 * a marker: the definitions have to be those of the node that leads, and changed where its own have.
 *
 * The statement's database goes with the login, as the proxy passes on no USE; what its session was stands in the comment before it. It must read the
 * same in every session: no backslash, no double quote, no comment of a version, no semicolon, no sql_mode that changes how text is read, a client that spoke ASCII
 * or UTF-8.
 */
#include <stdio.h>

#include "charset.h"
#include "clock.h"
#include "intent.h"
#include "leader.h"
#include "log.h"

enum { FLAGS2_NO_FOREIGN_KEY_CHECKS = 0x04000000, FLAGS2_RELAXED_UNIQUE = 0x08000000, LATER_MS = 100, LATER_TIMES = 30, DATABASE_MAX = 256 };

/* sql_mode bits that change how text is read: REAL_AS_FLOAT, PIPES_AS_CONCAT, ANSI_QUOTES, IGNORE_SPACE, IGNORE_BAD_TABLE_OPTIONS, ORACLE,
   NO_BACKSLASH_ESCAPES, HIGH_NOT_PRECEDENCE. */
static const uint64_t reading_modes = 1 | 2 | 4 | 8 | 16 | 0x200 | 0x100000 | 0x20000000;

static bool has(struct slice text, const char *what)
{
    return text.size && memmem(text.data, text.size, what, strlen(what)) != NULL;
}

static bool is_ascii(struct slice text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] > 126 || (text.data[i] < 32 && text.data[i] != '\n' && text.data[i] != '\t' && text.data[i] != '\r')) return false;
    return true;
}

bool lead_ddl_fits(const struct statement *st)
{
    static const char *const no[] = {"\\", "\"", ";", "/*!", "/*M!", "--", "#"};
    bool tables = st->kind >= STATEMENT_CREATE_TABLE && st->kind <= STATEMENT_DROP_INDEX;
    const char *charset = st->context & CONTEXT_CHARSET ? charset_name(st->charset_client) : NULL;
    if (st->flavour.size) return false; /* the bits of a MySQL's sql_mode are others: the nodes' own sinks translate them */
    if (!tables || !st->own_commit || (st->context & CONTEXT_SQL_MODE && st->sql_mode & reading_modes)) return false;
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        if (has(st->text, no[i])) return false;
    return st->database.size < DATABASE_MAX && !has(st->database, "\\") &&
           (is_ascii(st->text) || (charset && strncmp(charset, "utf8mb", 6) == 0 && charset_is_utf8(st->text)));
}

static void put_context(const struct statement *st, struct buf *out)
{
    uint64_t mode = st->context & CONTEXT_SQL_MODE ? st->sql_mode : 0;
    bool flags = st->context & CONTEXT_FLAGS2;
    buf_clear(out);
    buf_printf(out, "/*!100100 SET STATEMENT sql_mode=%llu,timestamp=%u.%06u,foreign_key_checks=%d,unique_checks=%d", (unsigned long long)(mode | 0x100000),
               st->timestamp, st->microseconds % 1000000, !(flags && st->flags2 & FLAGS2_NO_FOREIGN_KEY_CHECKS), !(flags && st->flags2 & FLAGS2_RELAXED_UNIQUE));
    if (st->context & CONTEXT_TIME_ZONE && st->time_zone.size && is_ascii(st->time_zone) && !has(st->time_zone, "'") && !has(st->time_zone, "\\"))
        buf_printf(out, ",time_zone='%.*s'", SLICE_ARG(st->time_zone));
    buf_text(out, " FOR */ ");
    buf_slice(out, st->text);
}

static bool hash_nodes(struct leader *l, bool ids, uint64_t *hashes, struct err *err)
{
    for (size_t i = 0; i < l->count; i++)
        if (!intent_hash(l->nodes[i].db, l->batch.ddl, ids, &hashes[i], err)) return err_context(err, "node %s", l->nodes[i].name);
    return true;
}

static bool write_intents(struct leader *l, const uint64_t *hashes, struct err *err)
{
    for (size_t i = 0; i < l->count; i++) {
        intent_sql(l->uuid, l->settings->position_name, l->batch.ddl_lsn, hashes[i], l->batch.ddl->text, &l->scratch);
        if (!db_exec_bytes(l->nodes[i].db, buf_bytes(&l->scratch), err)) return err_context(err, "intent row of node %s", l->nodes[i].name);
    }
    return true;
}

/* Rows of these tables may be gone when the statement comes late. */
static bool register_tables(struct leader *l, struct err *err)
{
    struct cursor in = cursor_of(l->batch.ddl->tables);
    struct slice database, table;
    while (statement_tables_next(&in, &database, &table))
        if (!lead_nodes_register_name(l, database.size ? database : l->batch.ddl->database, table, err)) return false;
    return lead_nodes_note_open(l, true, err);
}

static bool is_empty(struct leader *l, size_t node, bool *empty, struct err *err)
{
    struct cursor in = cursor_of(l->batch.ddl->tables);
    struct slice database, table;
    struct db_result *r;
    *empty = true;
    while (statement_tables_next(&in, &database, &table)) {
        buf_clear(&l->scratch);
        db_quote_name(&l->scratch, database.size ? database : l->batch.ddl->database);
        buf_u8(&l->scratch, '.');
        db_quote_name(&l->scratch, table);
        if (!db_query(l->nodes[node].db, &r, err, "SELECT 1 FROM %s LIMIT 1", buf_cstr(&l->scratch))) return false;
        *empty &= r->row_count == 0;
        db_result_free(r);
    }
    return true;
}

/* The node on which it is not as on the leader's; NULL: none. */
static bool look(struct leader *l, const uint64_t *before, const char **other, struct err *err)
{
    uint64_t now[NODES_MAX], definitions[NODES_MAX];
    size_t lead = (size_t)l->leader;
    *other = NULL;
    if (!hash_nodes(l, true, now, err) || !hash_nodes(l, false, definitions, err)) return false;
    for (size_t i = 0; i < l->count; i++) {
        bool empty = true;
        if (l->batch.ddl->kind == STATEMENT_TRUNCATE && !is_empty(l, i, &empty, err)) return false;
        if (definitions[i] != definitions[lead] || (now[i] == before[i]) != (now[lead] == before[lead]) || !empty) *other = l->nodes[i].name;
    }
    return true;
}

static bool await_everywhere(struct leader *l, const uint64_t *before, struct err *err)
{
    const char *other = NULL;
    for (unsigned i = 0; i < LATER_TIMES; i++) {
        if (!lead_watch(l, err) || !look(l, before, &other, err)) return false;
        if (!other) return true;
        clock_sleep_ms(LATER_MS);
    }
    return err_set(err, ERR_RETRY, "a DDL statement has not arrived on node %s, or was not done there", other);
}

bool lead_ddl_push(struct leader *l, struct err *err)
{
    const struct statement *st = l->batch.ddl;
    uint64_t before[NODES_MAX], marker;
    char database[DATABASE_MAX];
    struct buf sql;
    snprintf(database, sizeof database, "%.*s", SLICE_ARG(st->database));
    if (!hash_nodes(l, true, before, err) || !write_intents(l, before, err) || !register_tables(l, err)) return false;
    buf_init(&sql, LEADER_SQL_MAX);
    put_context(st, &sql);
    l->dirty = true;
    bool ok = !sql.full && lead_push_alone(l, *database ? database : "wolfcdc", buf_bytes(&sql), err);
    buf_fini(&sql);
    if (!ok || !lead_push_marker(l, &marker, err) || !lead_push_arrived(l, marker, err) || !await_everywhere(l, before, err)) return false;
    l->dirty = false;
    log_debug("leader.ddl", "sink=%s lsn=%llu text=\"through the leader, and done on every node\"", l->settings->name, (unsigned long long)l->batch.ddl_lsn);
    return true;
}
