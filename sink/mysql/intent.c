/*
 * intent.c: DDL. It commits by itself, so no position row can stand in its transaction. Before it a row in wolfcdc.intent is committed:
 * which statement, and a hash of what it is about to change. Every session of this sink tries to take a lock by name on the server,
 * which goes when its connection ends or the server does, and runs DDL only while it has it: so no two agents run DDL at once, and none
 * while a predecessor's statement, which the server does not stop when its client dies, is still at it. After a crash:
 *
 *   its connection still lives                        wait for it: its statement may be running yet
 *   hash changed                                      the statement was done
 *   hash as before, and the hash would show it       run it: it was not done
 *   else (routines, views, DROP of several tables)    run it; that something "exists already" (or no longer) then says it was done
 *
 * The source logs some statements that failed there after they had done something, with the error: the target must meet the same one.
 *
 * An error of the server's own takes the intent back: nothing is unsure then, and what comes after is a first attempt.
 */
#include <stdio.h>
#include <stdlib.h>

#include "applier.h"
#include "clock.h"
#include "foreign.h"
#include "intent.h"
#include "log.h"

enum { LOCK_POLL_MS = 100, NO_SUCH_TABLE = 1051 };

struct intent { uint64_t lsn, hash; struct slice text; };

void intent_free(struct mysql_sink *s)
{
    free(s->intent);
    s->intent = NULL;
}

bool intent_open(struct mysql_sink *s, struct err *err)
{
    struct db_result *r;
    intent_free(s);
    if (!db_query(s->db, &r, err, "SELECT lsn, before_hash, statement FROM wolfcdc.intent WHERE "
                  "log_uuid='%s' AND sink='%s'", s->uuid, s->settings->position_name)) return false;
    uint64_t lsn = r->row_count ? strtoull(db_value(r, 0, 0, NULL), NULL, 10) : 0;
    if (r->row_count && (lsn > s->position || (lsn == 0 && s->position == 0))) {
        size_t size;
        const char *text = db_value(r, 0, 2, &size);
        struct intent *intent = malloc(sizeof *intent + size);
        if (!intent) abort();
        memcpy(intent + 1, text, size);
        *intent = (struct intent){lsn, strtoull(db_value(r, 0, 1, NULL), NULL, 10), {(const uint8_t *)(intent + 1), size}};
        s->intent = intent;
    }
    db_result_free(r);
    return db_exec(s->db, err, "COMMIT");
}

/* ---- what a statement is about to change ---- */

static uint64_t hash_bytes(uint64_t h, const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++) h = (h ^ (unsigned char)data[i]) * 0x100000001b3u;
    return h;
}

/* AUTO_INCREMENT=… in a definition moves with every insert. */
static uint64_t hash_definition(uint64_t h, const char *text)
{
    const char *mark = strstr(text, " AUTO_INCREMENT=");
    if (!mark) return hash_bytes(h, text, strlen(text));
    const char *rest = mark + 16;
    while (*rest >= '0' && *rest <= '9') rest++;
    return hash_bytes(hash_bytes(h, text, (size_t)(mark - text)), rest, strlen(rest));
}

static void put_ids(struct slice database, struct slice table, struct buf *sql)
{
    buf_text(sql, "SELECT GROUP_CONCAT(TABLE_ID ORDER BY NAME) FROM information_schema.INNODB_SYS_TABLES WHERE SUBSTRING_INDEX(NAME, '#', 1)="
             "CONCAT(CAST(CONVERT(_utf8mb3");
    db_quote(sql, database);
    buf_text(sql, " USING filename) AS BINARY), '/', CAST(CONVERT(_utf8mb3");
    db_quote(sql, table);
    buf_text(sql, " USING filename) AS BINARY))");
}

static void put_ids_of_mysql(struct slice database, struct slice table, struct buf *sql)
{
    buf_text(sql, "SELECT GROUP_CONCAT(TABLE_ID ORDER BY NAME) FROM information_schema.INNODB_TABLES WHERE SUBSTRING_INDEX(NAME, '#', 1)=CONCAT(");
    db_quote(sql, database);
    buf_text(sql, ", '/', ");
    db_quote(sql, table);
    buf_u8(sql, ')');
}

/* MySQL 8 offers no character set "filename" in which InnoDB has other names. */
static bool is_plain(struct slice name)
{
    for (size_t i = 0; i < name.size; i++) {
        uint8_t c = name.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')) return false;
    }
    return true;
}

/* InnoDB's ids of the table and its partitions: they change owner where names change places and definitions do not (RENAME in a
   circle, EXCHANGE PARTITION), and with every rebuild. Needs PROCESS; without it the definitions alone must do. */
static bool hash_ids(struct db *db, struct slice database, struct slice table, uint64_t *h, struct err *err)
{
    struct db_result *r;
    struct err local = {0};
    struct buf sql;
    bool mysql = db_version(db)->flavour == DB_MYSQL && db_version_at_least(db_version(db), 8, 0);
    if (mysql && !(is_plain(database) && is_plain(table))) return true;
    buf_init(&sql, 4096);
    if (mysql) put_ids_of_mysql(database, table, &sql);
    else put_ids(database, table, &sql);
    bool ok = !sql.full && db_query(db, &r, &local, "%s", buf_cstr(&sql));
    buf_fini(&sql);
    if (!ok && local.code == ERR_RETRY) {
        if (err) *err = local;
        return false;
    }
    const char *ids = ok && r->row_count ? db_value(r, 0, 0, NULL) : NULL;
    *h = hash_definition(*h ^ 0xaa, ids ? ids : "none");
    if (ok) db_result_free(r);
    return true;
}

static bool hash_one(struct db *db, const char *what, struct slice database, struct slice table, bool ids, uint64_t *h, struct err *err)
{
    struct db_result *r;
    struct err local = {0};
    struct buf name;
    buf_init(&name, 4096);
    db_quote_name(&name, database);
    if (table.size) {
        buf_u8(&name, '.');
        db_quote_name(&name, table);
    }
    bool ok = db_query(db, &r, &local, "SHOW CREATE %s %s", what, buf_cstr(&name));
    buf_fini(&name);
    if (!ok && local.code == ERR_RETRY) {
        if (err) *err = local;
        return false;
    }
    const char *text = ok && r->row_count ? db_value(r, 0, 1, NULL) : NULL;
    *h = hash_definition(*h ^ 0x55, text ? text : "none");
    if (ok) db_result_free(r);
    return !ids || !table.size || hash_ids(db, database, table, h, err);
}

bool intent_hash(struct db *db, const struct statement *st, bool ids, uint64_t *hash, struct err *err)
{
    struct cursor in = cursor_of(st->tables);
    struct slice database, table;
    uint64_t h = 0xcbf29ce484222325u;
    while (statement_tables_next(&in, &database, &table)) {
        if (!database.size) database = st->database;
        if (database.size && !hash_one(db, table.size ? "TABLE" : "DATABASE", database, table, ids, &h, err)) return false;
    }
    *hash = h;
    return true;
}

bool intent_hash_table(struct db *db, struct slice database, struct slice table, uint64_t *hash, struct err *err)
{
    *hash = 0xcbf29ce484222325u;
    return hash_one(db, "TABLE", database, table, true, hash, err);
}

bool intent_lock(struct db *db, const char *uuid, const char *sink, bool *locked, struct err *err)
{
    char got[8], name[256];
    bool found, mysql = db_version(db)->flavour == DB_MYSQL;
    snprintf(name, sizeof name, mysql ? "LEFT(SHA2('%s.%.120s', 224), 40)" : "MD5('%s.%.120s')", uuid, sink); /* MySQL 9.6 has no MD5 */
    if (!db_scalar(db, got, sizeof got, &found, err, "SELECT GET_LOCK(CONCAT('wolfcdc.', %s), 0)", name)) return false;
    *locked = got[0] == '1';
    return true;
}

/* ---- after a crash ---- */

static bool wait_lock(struct mysql_sink *s, struct err *err)
{
    while (!s->locked) {
        if (!session_lock(s, err)) return false;
        if (s->locked) break;
        sink_say(s->sink, "a predecessor's connection still lives on the target, and its DDL statement may be running: waiting for it to end");
        if (sink_stopping(s->sink)) return err_set(err, ERR_RETRY, "stopped while waiting for a predecessor's DDL");
        clock_sleep_ms(LOCK_POLL_MS);
    }
    return true;
}

static bool is_pending(const struct mysql_sink *s, const struct change *change)
{
    if (!s->intent) return false;
    return s->intent->lsn ? s->intent->lsn == change->lsn : slice_equal(s->intent->text, change->statement->text);
}

/* Errors that say that a statement, run a second time, was done the first time. */
static bool says_done(unsigned number)
{
    static const unsigned numbers[] = {1007, 1008, 1050, 1051, 1054, 1060, 1061, 1068, 1091, 1146, 1304, 1305, 1359, 1360, 1396, 1517,
                                       1537, 1539, 1826, 4091, 4161};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i] == number) return true;
    return false;
}

/* ---- running ---- */

void intent_sql(const char *uuid, const char *sink, uint64_t lsn, uint64_t hash, struct slice text, struct buf *out)
{
    static const char digits[] = "0123456789abcdef";
    buf_clear(out);
    buf_printf(out, "REPLACE INTO wolfcdc.intent VALUES ('%s', '%s', %llu, %llu, X'", uuid, sink, (unsigned long long)lsn, (unsigned long long)hash);
    for (size_t i = 0; i < text.size; i++) {
        buf_u8(out, (uint8_t)digits[text.data[i] >> 4]);
        buf_u8(out, (uint8_t)digits[text.data[i] & 15]);
    }
    buf_text(out, "')");
}

static bool write_intent(struct mysql_sink *s, const struct change *change, uint64_t hash, struct err *err)
{
    intent_sql(s->uuid, s->settings->position_name, change->lsn, hash, change->statement->text, &s->packet);
    return db_exec_bytes(s->db, buf_bytes(&s->packet), err) && db_exec(s->db, err, "COMMIT");
}

/* No event tells innodb_strict_mode: what the source has taken the target takes. MySQL lets only some accounts set it. */
static bool not_strict(struct mysql_sink *s, struct err *err)
{
    struct err denied = {0};
    if (db_exec(s->db, &denied, "SET innodb_strict_mode=0") || denied.code == ERR_DENIED) return true;
    if (err) *err = denied;
    return false;
}

static bool run_text(struct mysql_sink *s, const struct statement *st, struct slice text, struct err *err)
{
    struct err back = {0};
    if (!session_enter(s, st, err)) return false;
    /* Without autocommit MariaDB's EXCHANGE PARTITION waits for the locks of its own reading, for ever. */
    bool ok = db_exec(s->db, err, "SET autocommit=1") && not_strict(s, err) && db_exec_bytes(s->db, text, err);
    if (!session_restore(s, &back) || !session_replies(s, &back)) {
        if (ok && err) *err = back;
        return false;
    }
    return ok;
}

/* Kinds whose effect shows in the definitions that are hashed. */
static bool hash_sees(enum statement_kind kind)
{
    return kind >= STATEMENT_CREATE_TABLE && kind <= STATEMENT_DROP_DATABASE;
}

/* A statement that the server does in pieces, so that a crash can leave it half done: it is run again, and what is gone already is
   no error. (RENAME of several tables is one piece since MariaDB 10.6.) */
static bool in_pieces(const struct statement *st)
{
    struct cursor in = cursor_of(st->tables);
    struct slice database, table;
    unsigned count = 0;
    while (statement_tables_next(&in, &database, &table)) count++;
    return st->kind == STATEMENT_DROP_TABLE && count > 1;
}

/* The server has said that the statement was not done: the next attempt is a first one, not one after a crash. */
static bool take_back(struct mysql_sink *s, struct err *err)
{
    intent_free(s);
    return db_exec(s->db, err, "DELETE FROM wolfcdc.intent WHERE log_uuid='%s' AND sink='%s'", s->uuid, s->settings->position_name) &&
           db_exec(s->db, err, "COMMIT");
}

/* ---- of another flavour ---- */

static bool is_foreign(const struct mysql_sink *s, const struct change *change) { return s->mysql != (change->statement->flavour.size != 0); }

static bool foreign_is(const struct mysql_sink *s, const char *way) { return s->settings->foreign_ddl && strcmp(s->settings->foreign_ddl, way) == 0; }

static void say_skipped(struct mysql_sink *s, const struct change *change, const char *what, const char *why)
{
    struct buf text;
    buf_init(&text, 64 << 10);
    statement_redact(change->statement->text, &text);
    log_warning("sink.ddl_skipped", "sink=%s lsn=%llu what=\"%s\" why=\"%.300s\" text=\"%.1000s\"", s->settings->name, (unsigned long long)change->lsn, what, why, buf_cstr(&text));
    buf_fini(&text);
    sink_ddl_skipped(s->sink);
}

static bool failed(struct mysql_sink *s, const struct change *change, bool pending, struct err *err)
{
    enum conflict_way way;
    struct buf text;
    struct err back = {0};
    if (err->code != ERR_STOP && err->code != ERR_DENIED) return false;
    if (change->statement->kind == STATEMENT_DROP_TABLE && err->number == NO_SUCH_TABLE) {
        /* what was there is gone now, as on the source, which logs such a statement too */
        log_info("sink.ddl", "sink=%s lsn=%llu text=\"%.300s\"", s->settings->name, (unsigned long long)change->lsn, err->text);
        return true;
    }
    if (err->number && err->number == change->statement->error_code) {
        log_info("sink.ddl", "sink=%s lsn=%llu text=\"failed as on the source: %.300s\"", s->settings->name, (unsigned long long)change->lsn,
                 err->text);
        return true;
    }
    bool unseen = !hash_sees(change->statement->kind);
    if (pending && unseen && says_done(err->number)) {
        log_info("sink.ddl", "sink=%s lsn=%llu text=\"done before the crash: %s\"", s->settings->name, (unsigned long long)change->lsn, err->text);
        return true;
    }
    bool foreign = is_foreign(s, change) && (!err->number || foreign_refused(err->number));
    if (foreign && foreign_is(s, "skip")) {
        say_skipped(s, change, "left out", err->text);
        err_clear(err);
        return take_back(s, err);
    }
    buf_init(&text, 64 << 10);
    statement_redact(change->statement->text, &text);
    err_context(err, "conflict at LSN %llu: a DDL statement%s fails on the target (%.300s)", (unsigned long long)change->lsn,
                foreign ? s->mysql ? " of MariaDB (sink.foreign_ddl says stop, skip or map)" : " of MySQL (sink.foreign_ddl says stop, skip or map)" : "", buf_cstr(&text));
    buf_fini(&text);
    if (!take_back(s, &back)) {
        *err = back;
        return false;
    }
    return careful_conflict(s, change->lsn, false, &way, err);
}

static bool run(struct mysql_sink *s, const struct change *change, struct slice text, struct err *err)
{
    bool pending = is_pending(s, change);
    uint64_t hash;
    struct err local = {0};
    if (!err) err = &local;
    if (!wait_lock(s, err)) return false;
    if (!intent_hash(s->db, change->statement, true, &hash, err)) return false;
    if (pending && hash != s->intent->hash && !in_pieces(change->statement)) {
        log_info("sink.ddl", "sink=%s lsn=%llu text=\"the statement was done before the crash\"", s->settings->name,
                 (unsigned long long)change->lsn);
        return true;
    }
    /* Reading definitions has opened a transaction; DDL must not wait for our own snapshot. */
    if (!db_exec(s->db, err, "COMMIT") || !write_intent(s, change, hash, err)) return false;
    if (!run_text(s, change->statement, text, err)) return failed(s, change, pending, err);
    if (!change->statement->error_code || change->statement->kind == STATEMENT_DROP_TABLE) return true;
    err_set(err, ERR_STOP, "it failed on the source, with error %u, and not here: compare what it names", change->statement->error_code);
    return failed(s, change, pending, err);
}

static void hold_back(struct mysql_sink *s, const struct change *change, const char *what)
{
    struct cursor in = cursor_of(change->statement->tables);
    struct slice database = change->statement->database, table = {NULL, 0};
    char name[200];
    struct buf text;
    if (statement_tables_next(&in, &database, &table) && !database.size) database = change->statement->database;
    snprintf(name, sizeof name, "%s %.*s.%.*s (LSN %llu)", what, (int)(database.size < 64 ? database.size : 64), (const char *)database.data,
             (int)(table.size < 64 ? table.size : 64), (const char *)table.data, (unsigned long long)change->lsn);
    sink_held_back(s->sink, name);
    buf_init(&text, 64 << 10);
    statement_redact(change->statement->text, &text);
    log_info("sink.held_back", "sink=%s what=\"%s\" text=\"%.300s\"", s->settings->name, name, buf_cstr(&text));
    buf_fini(&text);
}

/* An event must not run on the target as long as the source runs it. */
static bool run_event(struct mysql_sink *s, const struct change *change, struct slice sql, struct err *err)
{
    struct buf text;
    buf_init(&text, PACKET_MAX);
    if (context_disable_event(sql, &text)) {
        sql = buf_bytes(&text);
        hold_back(s, change, "event");
    }
    bool ok = run(s, change, sql, err);
    buf_fini(&text);
    return ok;
}

static bool run_create(struct mysql_sink *s, const struct change *change, struct slice sql, struct err *err)
{
    struct buf text;
    buf_init(&text, PACKET_MAX);
    bool ok = run(s, change, context_alone(sql, &text) ? buf_bytes(&text) : sql, err);
    buf_fini(&text);
    return ok;
}

static bool run_kind(struct mysql_sink *s, const struct change *change, struct slice sql, struct err *err)
{
    enum statement_kind kind = change->statement->kind;
    return kind == STATEMENT_EVENT ? run_event(s, change, sql, err) : kind == STATEMENT_CREATE_TABLE ? run_create(s, change, sql, err) : run(s, change, sql, err);
}

/* In the target's words where they are wanted; what it would pass over is said before it does. */
static bool run_foreign(struct mysql_sink *s, const struct change *change, struct err *err)
{
    const struct db_version *v = db_version(s->db);
    struct foreign_target target = {.mysql = s->mysql, .version = v->major * 10000 + v->minor * 100 + v->patch};
    struct foreign foreign;
    struct buf text;
    struct err refused = {0};
    bool map = foreign_is(s, "map"), ok;
    if (!err) err = &refused;
    buf_init(&text, PACKET_MAX);
    foreign_map(change->statement, &target, map ? &s->settings->ddl_map : NULL, &text, &foreign);
    if (foreign.passed_over && !foreign_is(s, "skip")) {
        err_set(err, ERR_STOP, "%s would take for a comment what the source executed, or the other way round: \"%s\"", s->mysql ? "MySQL" : "MariaDB", foreign.what);
        ok = failed(s, change, false, err);
        buf_fini(&text);
        return ok;
    }
    if (foreign.passed_over) say_skipped(s, change, "run with words that the target passes over", foreign.what);
    if (map && foreign.mapped)
        log_info("sink.ddl_mapped", "sink=%s lsn=%llu words=\"%s\"", s->settings->name, (unsigned long long)change->lsn, foreign.what);
    ok = run_kind(s, change, map && foreign.mapped ? buf_bytes(&text) : change->statement->text, err);
    buf_fini(&text);
    return ok;
}

bool intent_run(struct mysql_sink *s, const struct change *change, struct err *err)
{
    enum statement_kind kind = change->statement->kind;
    if (kind == STATEMENT_TABLE_ADMIN) return true;
    if (kind == STATEMENT_TRIGGER) {
        hold_back(s, change, "trigger");
        return true;
    }
    if (!s->settings->apply_ddl) {
        log_info("sink.ddl", "sink=%s lsn=%llu text=\"left out: apply_ddl is off\"", s->settings->name, (unsigned long long)change->lsn);
        return true;
    }
    if (!session_durable(s, change->lsn, err)) return false;
    bool ok = is_foreign(s, change) ? run_foreign(s, change, err) : run_kind(s, change, change->statement->text, err);
    intent_free(s);
    group_forget(s);
    return ok;
}
