/*
 * session.c: the mysql sink's connection: settings, sending without waiting, reading and counting the replies.
 *
 * autocommit is 0 and BEGIN is never said: after a deadlock the transaction is over, and under autocommit the statements in
 * flight behind it would commit one by one, without a position row.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "applier.h"
#include "checks.h"
#include "clock.h"
#include "execute.h"
#include "intent.h"
#include "log.h"
#include "metrics.h"

enum { NO_SUCH_DATABASE = 1049, CONNECT_MAX_MS = 2500, WARNINGS_MAX = 1000 /* that a session keeps at the least: so many may not be all */, MARIADB_WARNINGS_MAX = 65535 };

static bool read_limits(struct mysql_sink *s, struct err *err)
{
    static const struct { const char *name; bool packet; } limits[] = {
        {"max_allowed_packet", true}, {"max_binlog_cache_size", false}, {"wsrep_max_ws_size", false}};
    struct db_result *r;
    if (!db_query(s->db, &r, err, "SHOW VARIABLES WHERE Variable_name IN ('max_allowed_packet', 'max_binlog_cache_size', "
                  "'wsrep_max_ws_size', 'binlog_format', 'log_bin', 'wsrep_on')")) return false;
    bool statement = false, binlog = false, wsrep = false;
    for (uint64_t i = 0; i < r->row_count; i++) {
        const char *name = db_value(r, i, 0, NULL), *value = db_value(r, i, 1, NULL);
        statement |= strcmp(name, "binlog_format") == 0 && strcmp(value, "STATEMENT") == 0;
        binlog |= strcmp(name, "log_bin") == 0 && strcmp(value, "ON") == 0;
        wsrep |= strcmp(name, "wsrep_on") == 0 && strcmp(value, "ON") == 0;
    }
    s->packet_max = 1 << 20;
    s->transaction_max = UINT64_MAX;
    for (uint64_t i = 0; i < r->row_count; i++) {
        const char *name = db_value(r, i, 0, NULL);
        uint64_t value = strtoull(db_value(r, i, 1, NULL), NULL, 10);
        for (size_t k = 0; k < sizeof limits / sizeof *limits; k++) {
            if (strcmp(name, limits[k].name) != 0 || !value) continue;
            if (limits[k].packet) s->packet_max = value;
            else if ((k == 1 ? binlog : wsrep) && value < s->transaction_max) {
                s->transaction_max = value;
                snprintf(s->limit_name, sizeof s->limit_name, "%s", name);
            }
        }
    }
    db_result_free(r);
    if (!statement || !binlog) return true;
    sink_remedy(s->sink, "SET GLOBAL binlog_format=ROW on the target");
    return err_set(err, ERR_STOP, "the target writes its binlog in STATEMENT format, which refuses READ COMMITTED transactions");
}

static bool read_collations(struct mysql_sink *s, struct err *err)
{
    static const char *const sql[] = {
        "SELECT ID, FULL_COLLATION_NAME, CHARACTER_SET_NAME FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY WHERE ID IS NOT NULL",
        "SELECT ID, COLLATION_NAME, CHARACTER_SET_NAME FROM information_schema.COLLATIONS"};
    struct db_result *r;
    if (!db_query(s->db, &r, err, "%s", sql[s->mysql])) return false;
    if (!s->collations.names) s->collations.names = calloc(COLLATION_NAMES, sizeof *s->collations.names);
    if (!s->collations.charsets) s->collations.charsets = calloc(COLLATION_NAMES, sizeof *s->collations.charsets);
    if (!s->collations.names || !s->collations.charsets) abort();
    for (uint64_t i = 0; i < r->row_count; i++) {
        unsigned long id = strtoul(db_value(r, i, 0, NULL), NULL, 10);
        if (id >= COLLATION_NAMES) continue;
        snprintf(s->collations.names[id], COLLATION_NAME_MAX, "%s", db_value(r, i, 1, NULL));
        snprintf(s->collations.charsets[id], COLLATION_NAME_MAX, "%s", db_value(r, i, 2, NULL));
    }
    db_result_free(r);
    return true;
}

/* What nobody sets for WolfScale: its statements run as the server is. */
static bool read_manner(struct mysql_sink *s, struct err *err)
{
    struct db_result *r;
    if (!s->settings->cluster) return true;
    if (!db_query(s->db, &r, err, "SELECT @@global.sql_mode, @@global.max_allowed_packet")) return false;
    if (r->row_count) sink_server_manner(s->sink, db_value(r, 0, 0, NULL), strtoull(db_value(r, 0, 1, NULL), NULL, 10));
    db_result_free(r);
    return true;
}

struct check_outcome { struct mysql_sink *s; bool failed; struct err err; };

/* A server is made writable again when it takes another's place, and nobody then thinks of us. */
static bool passes(const char *check) { return strcmp(check, "read_only") == 0; }

static void hear_finding(void *context, const struct finding *finding)
{
    struct check_outcome *outcome = context;
    const char *name = outcome->s->settings->name;
    if (finding->level == CHECK_WARNING && !outcome->s->told && !sink_tries_again(outcome->s->sink))
        log_warning("sink.check", "sink=%s check=%s text=\"%s\" remedy=\"%s\"", name, finding->check, finding->text, finding->remedy);
    if (finding->level != CHECK_ERROR || outcome->failed) return;
    outcome->failed = true;
    err_set(&outcome->err, passes(finding->check) ? ERR_RETRY : ERR_STOP, "target check %s: %s", finding->check, finding->text);
    sink_remedy(outcome->s->sink, "%s", finding->remedy);
}

static bool run_checks(struct mysql_sink *s, struct err *err)
{
    struct check_outcome outcome = {.s = s};
    struct check_facts facts = {.user = s->settings->server.user};
    if (!checks_run(s->db, CHECK_TARGET, &facts, hear_finding, &outcome, err)) return false;
    s->told = !outcome.failed;
    if (outcome.failed && err) *err = outcome.err;
    return !outcome.failed;
}

bool session_lock(struct mysql_sink *s, struct err *err)
{
    return intent_lock(s->db, s->uuid, s->settings->position_name, &s->locked, err);
}

static bool own_session(struct mysql_sink *s, struct err *err)
{
    buf_clear(&s->statement);
    context_session(s->collations.mysql, &s->statement);
    return db_exec_bytes(s->db, buf_bytes(&s->statement), err);
}

bool session_open(struct mysql_sink *s, struct err *err)
{
    struct db_options options = {0};
    struct db *db;
    char more[160];
    settings_server(&s->settings->server, s->name, &options);
    options.read_timeout_ms = READ_TIMEOUT_MS;
    options.found_rows = true;
    if (options.connect_timeout_ms > CONNECT_MAX_MS) options.connect_timeout_ms = CONNECT_MAX_MS; /* a stop cannot interrupt it */
    if (!db_open(&options, &db, err)) return false;
    pthread_mutex_lock(&s->lock);
    s->db = db;
    pthread_mutex_unlock(&s->lock);
    s->flags = 0;
    s->time_us = 0;
    s->text_context = s->locked = false;
    s->used_us = clock_us();
    const struct db_version *version = db_version(db);
    s->mysql = version->flavour == DB_MYSQL;
    s->collations.mysql = s->mysql ? version->major * 100 + version->minor : 0;
    sink_server(s->sink, s->name, db_version(db)->text);
    s->repeatable = false;
    s->explicit_stamps = true;
    /* MySQL 8 keeps max_error_count, of 1024 there, for privileged accounts */
    if (s->collations.mysql >= 800)
        snprintf(more, sizeof more, "SET transaction_isolation='READ-COMMITTED', explicit_defaults_for_timestamp=1, innodb_lock_wait_timeout=%d", LOCK_WAIT_S);
    else snprintf(more, sizeof more, "SET tx_isolation='READ-COMMITTED', innodb_lock_wait_timeout=%d, max_error_count=%d", LOCK_WAIT_S, MARIADB_WARNINGS_MAX);
    return run_checks(s, err) && own_session(s, err) && db_exec_bytes(db, slice_text(more), err) &&
           session_lock(s, err) && read_limits(s, err) && read_manner(s, err) && read_collations(s, err);
}

void session_close(struct mysql_sink *s)
{
    pthread_mutex_lock(&s->lock);
    struct db *db = s->db;
    s->db = NULL;
    pthread_mutex_unlock(&s->lock);
    db_close(db);
    s->flight.count = s->flight.read = 0;
    s->flight.position = s->flight.complete = false;
    s->position_insert.id = s->position_update.id = 0;
}

/* ---- in flight ---- */

bool session_send(struct mysql_sink *s, unsigned command, struct slice payload, const struct expect *expect, struct err *err)
{
    struct flight *f = &s->flight;
    /* replies that nobody reads fill the server's socket, and then it reads no more either */
    if (f->count - f->read >= FLIGHT_MAX && !session_replies(s, err)) return false;
    if (f->count == f->room) {
        f->room = f->room ? f->room * 2 : 64;
        f->expects = realloc(f->expects, f->room * sizeof *f->expects);
        if (!f->expects) abort();
    }
    f->expects[f->count++] = *expect;
    s->used_us = clock_us();
    return db_send(s->db, command, payload, err);
}

static bool send_sql(struct mysql_sink *s, enum expect_kind kind, uint64_t lsn, struct slice sql, struct err *err)
{
    struct expect expect = {.kind = kind, .lsn = lsn};
    return session_send(s, DB_COM_QUERY, sql, &expect, err);
}

bool session_flags(struct mysql_sink *s, uint8_t flags, struct err *err)
{
    char sql[256];
    if (flags == s->flags) return true;
    const char *check = s->mysql ? "" : flags & ROW_NO_CHECK_CONSTRAINT ? "check_constraint_checks=0, " : "check_constraint_checks=1, ";
    const char *history = !((flags ^ s->flags) & SESSION_HISTORY) ? "" : flags & SESSION_HISTORY ? ", system_versioning_insert_history=1" : ", system_versioning_insert_history=0";
    s->flags = flags;
    int n = snprintf(sql, sizeof sql, "SET foreign_key_checks=%d, unique_checks=%d, %ssql_mode='%sALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO'%s",
                     !(flags & ROW_NO_FOREIGN_KEY_CHECKS), !(flags & ROW_RELAXED_UNIQUE), check,
                     flags & SESSION_LENIENT ? "" : "STRICT_ALL_TABLES,", history);
    return send_sql(s, EXPECT_SET, 0, slice_of(sql, (size_t)n), err);
}

bool session_time(struct mysql_sink *s, uint64_t us, struct err *err)
{
    char sql[64] = "SET timestamp=DEFAULT";
    if (us == s->time_us) return true;
    s->time_us = us;
    if (us) snprintf(sql, sizeof sql, "SET timestamp=%llu.%06llu", (unsigned long long)(us / 1000000), (unsigned long long)(us % 1000000));
    return send_sql(s, EXPECT_SET, 0, slice_text(sql), err);
}

static bool prepare(struct mysql_sink *s, struct shape *shape, unsigned size, struct err *err)
{
    if (shape->prepared[size]) return true;
    /* a hidden period can be named only where it can be written */
    if (shape->mode == SHAPE_HISTORY && !session_flags(s, s->flags | SESSION_HISTORY, err)) return false;
    if (!session_replies(s, err)) return false;
    buf_clear(&s->statement);
    execute_sql(shape, size, &s->statement);
    if (!db_prepare(s->db, buf_bytes(&s->statement), &shape->statements[size], err)) return false;
    if (shape->statements[size].parameters != execute_params(shape, size))
        return err_set(err, ERR_CORRUPT, "the target counts %u parameters where we have %u", shape->statements[size].parameters,
                       execute_params(shape, size));
    shape->prepared[size] = true;
    s->prepared_count++;
    return true;
}

bool session_prepare(struct mysql_sink *s, struct shape *shape, uint32_t rows, struct err *err)
{
    if (!s->mysql) return prepare(s, shape, 0, err);
    while (rows) {
        unsigned size = execute_size(shape, rows);
        if (!prepare(s, shape, size, err)) return false;
        rows %= execute_rows(size);
    }
    return true;
}

bool session_rows(struct mysql_sink *s, struct shape *shape, struct buf *rows, const struct expect *expect, struct err *err)
{
    if (!s->mysql) {
        memcpy(rows->data, &shape->statements[0].id, 4); /* it may have been prepared since */
        return session_send(s, DB_COM_STMT_BULK_EXECUTE, buf_bytes(rows), expect, err);
    }
    struct expect part = *expect;
    struct cursor in = cursor_of(buf_bytes(rows));
    for (uint32_t left = expect->rows; left; left -= part.rows) {
        unsigned size = execute_size(shape, left);
        part.rows = execute_rows(size);
        buf_clear(&s->statement);
        execute_packet(shape, size, &in, &s->statement);
        if (s->statement.full) return err_set(err, ERR_LIMIT, "LSN %llu: rows too long", (unsigned long long)expect->lsn);
        if (!session_send(s, DB_COM_STMT_EXECUTE, buf_bytes(&s->statement), &part, err)) return false;
    }
    return true;
}

bool session_check(const struct expect *e, const struct db_reply *reply, struct err *err)
{
    static const char *const verbs[] = {"insert", "update", "delete"};
    if (e->kind != EXPECT_ROWS) return true;
    if (reply->affected != e->rows) {
        return err_set(err, ERR_STOP, "%s of %u row(s) of %.*s.%.*s met %llu on the target", verbs[e->change - CHANGE_INSERT], e->rows,
                       SLICE_ARG(e->plan->target->database), SLICE_ARG(e->plan->target->name), (unsigned long long)reply->affected);
    }
    if (reply->warnings == e->warnings) return true;
    return err_set(err, ERR_STOP, "%s of %u row(s) of %.*s.%.*s was not taken as it is: %u warning(s)", verbs[e->change - CHANGE_INSERT],
                   e->rows, SLICE_ARG(e->plan->target->database), SLICE_ARG(e->plan->target->name), reply->warnings);
}

/* The column that a warning names: "… for column 'c' at row 1", "… for column `d`.`t`.`c` at row 1"; empty: none. */
static struct slice column_named(const char *text)
{
    static const char word[] = "column ";
    const char *from = strcasestr(text, word), *end;
    if (!from) return (struct slice){NULL, 0};
    from += sizeof word - 1;
    for (char quote = *from; quote == '`' || quote == '\''; from = end + 2) {
        if (!(end = strchr(++from, quote))) break;
        if (end[1] != '.' || end[2] != quote) return slice_of(from, (size_t)(end - from));
    }
    return (struct slice){NULL, 0};
}

/* So many may not be all. */
static uint64_t warnings_max(const struct mysql_sink *s) { return s->mysql ? WARNINGS_MAX : MARIADB_WARNINGS_MAX; }

/* A table whose last partition for history is over its interval says so with each change (4114), and takes it. */
bool session_excused(struct mysql_sink *s, const struct expect *e)
{
    struct db_result *r;
    uint32_t others = 0;
    if (!e->plan->generated || !db_query(s->db, &r, NULL, "SHOW WARNINGS")) return false;
    bool whole = r->row_count > 0 && r->row_count < warnings_max(s);
    for (uint64_t i = 0; i < r->row_count; i++) {
        struct slice name = column_named(db_value(r, i, 2, NULL));
        if (!name.size) continue; /* assignments name their column: this came up in an expression */
        int at = target_column(e->plan->target, name);
        others += at < 0 || !e->plan->target->columns[at].generated;
    }
    db_result_free(r);
    return whole && others == e->warnings;
}

bool session_replies(struct mysql_sink *s, struct err *err)
{
    struct flight *f = &s->flight;
    while (f->read < f->count) {
        const struct expect *e = &f->expects[f->read++];
        struct db_reply reply;
        if (!db_reply(s->db, &reply, err)) {
            if (e->kind == EXPECT_POSITION) return position_fenced(s, err);
            return e->lsn ? err_context(err, "LSN %llu", (unsigned long long)e->lsn) : false;
        }
        if (session_check(e, &reply, err)) continue;
        if (f->read < f->count || reply.affected != e->rows || !session_excused(s, e))
            return err_context(err, "at or after LSN %llu", (unsigned long long)e->lsn);
        err_clear(err);
    }
    f->count = f->read = 0;
    return true;
}

bool session_durable(struct mysql_sink *s, uint64_t lsn, struct err *err)
{
    while (!wal_wait(sink_wal(s->sink), WAL_DURABLE, lsn, 100))
        if (sink_stopping(s->sink)) return err_set(err, ERR_RETRY, "stopped while waiting for the log's disk");
    return true;
}

bool session_commit(struct mysql_sink *s, uint64_t lsn, struct err *err)
{
    struct db_reply reply;
    assert(s->flight.read == s->flight.count);
    if (!session_durable(s, lsn, err)) return false;
    uint64_t from = clock_us();
    if (!db_send(s->db, DB_COM_QUERY, slice_text("COMMIT"), err) || !db_reply(s->db, &reply, err)) return err_context(err, "COMMIT");
    s->used_us = clock_us();
    sink_metric_observe_us(sink_index(s->sink), SINK_METRIC_COMMIT, s->used_us - from);
    return true;
}

/* ---- statements as text ---- */

static bool put_context(struct mysql_sink *s, const struct statement *statement, struct err *err)
{
    buf_clear(&s->packet);
    if (context_sql(statement, &s->collations, &s->packet)) return true;
    return err_set(err, ERR_UNSUPPORTED, "a user variable of the statement cannot be said to the target");
}

/* The database of CREATE and DROP DATABASE is not there yet, or no more; ALTER DATABASE may leave out its name. */
static bool makes_database(const struct statement *st) { return st->kind == STATEMENT_CREATE_DATABASE || st->kind == STATEMENT_DROP_DATABASE; }

static bool has_database(const struct statement *statement) { return statement->database.size && !makes_database(statement); }

static bool set_stamps(struct mysql_sink *s, bool on, struct err *err)
{
    if (s->collations.mysql < 800 || on == s->explicit_stamps) return true;
    if (!db_exec(s->db, err, "SET explicit_defaults_for_timestamp=%d", on)) return false;
    s->explicit_stamps = on;
    return true;
}

bool session_stamps(struct mysql_sink *s, const struct statement *statement, struct err *err)
{
    return set_stamps(s, context_stamps(statement, s->explicit_stamps), err);
}

/* A REPLACE as text that meets two rows by a unique key over a BLOB is refused by a MariaDB 10.11.19 under READ COMMITTED, with which groups lock less. */
bool session_between(struct mysql_sink *s, bool careful, struct err *err)
{
    if (careful != s->repeatable &&
        !db_exec(s->db, err, "SET %s='%s'", s->collations.mysql >= 800 ? "transaction_isolation" : "tx_isolation", careful ? "REPEATABLE-READ" : "READ-COMMITTED"))
        return false;
    s->repeatable = careful;
    return !careful || set_stamps(s, s->explicit_wish, err);
}

/* What NULL is for a TIMESTAMP depends on it, and MySQL 8 takes it only between transactions: the transaction is begun again, by itself, but once. */
static bool has_stamps(struct mysql_sink *s, const struct statement *statement, struct err *err)
{
    bool on = context_stamps(statement, s->explicit_stamps);
    if (s->collations.mysql < 800 || on == s->explicit_stamps) return true;
    bool again = s->careful_open && s->explicit_begin != s->group.begin_lsn;
    if (again) s->explicit_begin = s->group.begin_lsn;
    s->explicit_wish = on;
    return err_set(err, again ? ERR_RETRY : ERR_STOP, "explicit_defaults_for_timestamp is to be %s, which MySQL takes only between transactions", on ? "ON" : "OFF");
}

static bool mentions_ignore(struct slice text)
{
    static const char word[] = "ignore";
    for (size_t i = 0, size = sizeof word - 1; i + size <= text.size; i++)
        if ((text.data[i] | 32) == 'i' && strncasecmp((const char *)text.data + i, word, size) == 0) return true;
    return false;
}

static bool has_checks(struct mysql_sink *s)
{
    char text[8];
    bool found;
    return !db_scalar(s->db, text, sizeof text, &found, NULL, "SELECT 1 FROM information_schema.TABLE_CONSTRAINTS WHERE CONSTRAINT_TYPE='CHECK' LIMIT 1") || found;
}

/* IGNORE leaves out a row that a CHECK constraint forbids, and says so in a warning. */
static bool none_left_out(struct mysql_sink *s, struct err *err)
{
    enum { CHECK_FAILED = 4025, CHECK_FAILED_MYSQL = 3819 };
    struct db_result *r;
    char text[300] = "";
    if (!db_query(s->db, &r, err, "SHOW WARNINGS")) return false;
    bool more = r->row_count >= warnings_max(s);
    for (uint64_t i = 0; i < r->row_count && !*text; i++) {
        long code = strtol(db_value(r, i, 1, NULL), NULL, 10);
        if (code == CHECK_FAILED || code == CHECK_FAILED_MYSQL) snprintf(text, sizeof text, "%s", db_value(r, i, 2, NULL));
    }
    db_result_free(r);
    if (!*text && more && has_checks(s)) snprintf(text, sizeof text, "there are more warnings than the target keeps");
    s->left_out = *text;
    return !*text || err_set(err, ERR_STOP, "a row was left out that the source may have, whose log does not say whether CHECK constraints were on: %s", text);
}

bool session_text(struct mysql_sink *s, const struct statement *statement, uint64_t lsn, struct err *err)
{
    s->left_out = false;
    if (!has_stamps(s, statement, err)) return false;
    if (has_database(statement)) {
        buf_clear(&s->packet);
        buf_text(&s->packet, "USE ");
        db_quote_name(&s->packet, statement->database);
        if (!send_sql(s, EXPECT_SET, lsn, buf_bytes(&s->packet), err)) return false;
    }
    s->text_context = true;
    s->text_history = context_inserts_history(statement);
    if (!put_context(s, statement, err) || !send_sql(s, EXPECT_SET, lsn, buf_bytes(&s->packet), err) ||
        !send_sql(s, EXPECT_TEXT, lsn, statement->text, err)) return false;
    if (context_checked(statement, s->mysql) || !mentions_ignore(statement->text)) return true;
    return session_replies(s, err) && none_left_out(s, err);
}

/* Whether the statement means the same in every database: it names its own for each thing that it touches. */
static bool names_databases(const struct statement *st)
{
    struct cursor in = cursor_of(st->tables);
    struct slice database, table;
    bool any = st->kind == STATEMENT_ACCOUNT || makes_database(st);
    while (statement_tables_next(&in, &database, &table)) {
        if (!database.size) return false;
        any = true;
    }
    return any;
}

bool session_enter(struct mysql_sink *s, const struct statement *statement, struct err *err)
{
    struct err ignored = {0};
    assert(s->flight.read == s->flight.count);
    s->text_context = true;
    s->explicit_stamps = context_stamps(statement, s->explicit_stamps);
    if (has_database(statement)) {
        buf_clear(&s->packet);
        buf_text(&s->packet, "USE ");
        db_quote_name(&s->packet, statement->database);
        /* A session's database may have been dropped since, or never was here: a name without one must not then mean the database of
           the statement before. */
        if (!db_exec_bytes(s->db, buf_bytes(&s->packet), &ignored) &&
            (ignored.number != NO_SUCH_DATABASE || !names_databases(statement) || !db_exec(s->db, &ignored, "USE wolfcdc"))) {
            if (err) *err = ignored;
            return false;
        }
    }
    return put_context(s, statement, err) && db_exec_bytes(s->db, buf_bytes(&s->packet), err);
}

bool session_restore(struct mysql_sink *s, struct err *err)
{
    if (!s->text_context) return true;
    s->text_context = false;
    s->flags = s->text_history ? SESSION_HISTORY : 0; /* not every target has the variable: it goes back with the next flags */
    s->time_us = 0;
    buf_clear(&s->statement);
    context_session(s->collations.mysql, &s->statement);
    /* by itself: the text literals of what follows would still be taken for UCS-2 or UTF-16 after a statement of such a session */
    return send_sql(s, EXPECT_SET, 0, slice_text("SET NAMES binary"), err) && send_sql(s, EXPECT_SET, 0, buf_bytes(&s->statement), err);
}

void session_warnings(struct mysql_sink *s, char *text, size_t room)
{
    struct db_result *r;
    text[0] = 0;
    if (!db_query(s->db, &r, NULL, "SHOW WARNINGS LIMIT 3")) return;
    for (uint64_t i = 0; i < r->row_count; i++) {
        size_t used = strlen(text);
        snprintf(text + used, room - used, "%s%s (%s)", used ? "; " : "", db_value(r, i, 2, NULL), db_value(r, i, 1, NULL));
    }
    db_result_free(r);
}
