/*
 * http.c: the http sink: each change is one request (two when a row's key moves) to a server that keeps WolfScale's documented REST
 * contract and stores: man 5 wolfcdc-http.
 *
 * At least once. Requests go one by one, each after the answer to the one before, so the source's order holds for every key. The position
 * is the log's own: a transaction is confirmed once all of it was answered. What a crash, or an answer that got lost, makes come
 * again has the same Idempotency-Key, LSN by LSN, for servers that heed it; for others an insert is an upsert, and a moved key a delete and
 * an upsert. Nothing leaves before our log is durable up to it: a power cut must not give its LSN to another change.
 *
 * What the log held when this process began may come again. The target can then be ahead, and a row of later may have the unique value
 * that a row of now is to get: who has it is deleted first, for the change that gave it to him comes again as well, as a whole row.
 *
 * The target's dictionary is read over SQL, as the proof is (http_probe.c), which is made anew at every connection.
 */
#include "http.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "context.h"
#include "log.h"

enum { TABLE_BUCKETS = 256, FAILURES_MAX = 5, WAIT_MS = 250, SQL_TIMEOUT_MS = 60000, SHOWS_WITHIN_MS = 5000, DDL_TEXT_MAX = 1 << 30 };

struct tracked {
    struct http_table *table;
    const struct table *source;
    struct tracked *next;
};

struct http_sink {
    struct sink *sink;
    const struct sink_settings *settings;
    struct http_client *client;
    struct http_json json;
    char db_name[HTTP_NAME_MAX];
    pthread_mutex_t lock;      /* of db, for interrupt */
    struct db *db;
    struct targets *targets;
    struct tracked *tracked[TABLE_BUCKETS];
    uint64_t durable;          /* the log's durable point, as seen last */
    uint64_t answered;         /* changes up to here were answered, in this life */
    uint64_t again_until;      /* changes up to here may be on the target already */
    bool again_known;
    uint64_t failed_lsn, skip_lsn;
    unsigned failures;         /* of failed_lsn, one after the other */
    bool fresh;                /* nothing was answered on this connection: what comes may be there already */
    bool ddl;                  /* in the transaction at hand */
    struct sink_progress open; /* of the transaction at hand */
};

/* ---- life ---- */

static bool http_create(struct sink *sink, void **self, struct err *err)
{
    const struct sink_settings *settings = sink_settings(sink);
    if (!settings->url.count) return err_set(err, ERR_CONFIG, "an http sink needs url: the addresses of the API");
    if ((!settings->server.host && !settings->server.socket) || !settings->server.user)
        return err_set(err, ERR_CONFIG, "an http sink needs host, port and user: what the target has stored is read back over SQL before it is used");
    struct http_sink *s = calloc(1, sizeof *s);
    if (!s) abort();
    s->sink = sink;
    s->settings = settings;
    s->client = http_client_new(settings);
    http_json_init(&s->json);
    s->targets = targets_new();
    pthread_mutex_init(&s->lock, NULL);
    if (settings->server.socket) snprintf(s->db_name, sizeof s->db_name, "%s", settings->server.socket);
    else snprintf(s->db_name, sizeof s->db_name, "%.255s:%u", settings->server.host, settings->server.port);
    *self = s;
    return true;
}

static void forget_tables(struct http_sink *s)
{
    for (size_t i = 0; i < TABLE_BUCKETS; i++) {
        for (struct tracked *t = s->tracked[i], *next; t; t = next) {
            next = t->next;
            http_table_free(t->table);
            free(t);
        }
        s->tracked[i] = NULL;
    }
    targets_forget(s->targets);
}

static void http_disconnect(void *self)
{
    struct http_sink *s = self;
    pthread_mutex_lock(&s->lock);
    db_close(s->db);
    s->db = NULL;
    pthread_mutex_unlock(&s->lock);
    forget_tables(s);
    s->open = (struct sink_progress){0};
    s->ddl = false;
}

static void http_destroy(void *self)
{
    struct http_sink *s = self;
    if (!s) return;
    http_disconnect(s);
    http_client_free(s->client);
    http_json_fini(&s->json);
    targets_free(s->targets);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static bool open_db(struct http_sink *s, struct err *err)
{
    struct db_options options;
    struct db *db;
    settings_server(&s->settings->server, s->db_name, &options);
    options.read_timeout_ms = SQL_TIMEOUT_MS;
    if (!db_open(&options, &db, err)) return false;
    pthread_mutex_lock(&s->lock);
    s->db = db;
    pthread_mutex_unlock(&s->lock);
    return db_exec(db, err, "SET NAMES binary, sql_mode='', autocommit=1");
}

/* There is no number of times after which it would be over: the server may only be starting. What was tried is counted in the status. */
static bool keep_trying(struct http_sink *s, const struct err *err)
{
    if (err->code == ERR_RETRY) sink_remedy(s->sink, "put the server in url right, or name another: until it stores again it is asked again and again, and nothing is lost");
    return false;
}

static bool http_connect(void *self, uint64_t *delivered, uint64_t *begin, struct err *err)
{
    struct http_sink *s = self;
    *begin = 0;
    http_disconnect(s);
    sink_server(s->sink, http_client_address(s->client), "REST, at least once");
    if (!http_client_open(s->client, err) || !open_db(s, err)) return false;
    if (!http_probe(s->sink, s->client, s->db, s->db_name, err)) return keep_trying(s, err);
    s->fresh = true;
    if (!s->again_known) {
        struct wal_points points;
        wal_points(sink_wal(s->sink), &points);
        s->again_until = points.written;
        s->again_known = true;
    }
    sink_server(s->sink, http_client_address(s->client), "REST, at least once");
    log_info("sink.connected", "sink=%s server=%s proof=%s lsn=%llu delivery=\"at least once\"", s->settings->name, http_client_address(s->client),
             s->db_name, (unsigned long long)*delivered);
    return true;
}

static void http_interrupt(void *self)
{
    struct http_sink *s = self;
    http_client_interrupt(s->client);
    pthread_mutex_lock(&s->lock);
    if (s->db) db_shutdown(s->db);
    pthread_mutex_unlock(&s->lock);
}

static bool http_rewind(void *self, uint64_t lsn, struct err *err)
{
    struct http_sink *s = self;
    (void)lsn, (void)err;
    s->answered = 0;
    s->again_known = false;
    return true;
}

static bool http_conflict(void *self, enum conflict_way way, struct err *err)
{
    struct http_sink *s = self;
    if (way == CONFLICT_OVERWRITE) return err_set(err, ERR_UNSUPPORTED, "an http sink writes over what is there already: skip or retry");
    if (way == CONFLICT_SKIP) s->skip_lsn = s->failed_lsn;
    s->failed_lsn = s->failures = 0;
    return true;
}

/* ---- one change ---- */

static bool wait_durable(struct http_sink *s, uint64_t lsn, struct err *err)
{
    struct wal_points points;
    if (lsn <= s->durable) return true;
    while (!wal_wait(sink_wal(s->sink), WAL_DURABLE, lsn, WAIT_MS))
        if (sink_stopping(s->sink)) return err_set(err, ERR_RETRY, "stopped while the log was being synced");
    wal_points(sink_wal(s->sink), &points);
    s->durable = points.durable;
    return true;
}

/* What the server does not take is the operator's; a failure of its own counts as that only when it comes again and again. */
static bool not_stored(struct http_sink *s, uint64_t lsn, enum http_fate fate, size_t size, const char *what, struct err *err)
{
    s->failures = s->failed_lsn == lsn ? s->failures + 1 : 1;
    s->failed_lsn = lsn;
    if (fate == HTTP_AGAIN || fate == HTTP_MOVED || fate == HTTP_DENIED || fate == HTTP_WRONG) s->failures = 0;
    err_context(err, "%s (LSN %llu, %zu bytes)", what, (unsigned long long)lsn, size);
    bool refused = fate == HTTP_REFUSED || fate == HTTP_TOO_LARGE || (fate == HTTP_FAILED && s->failures >= FAILURES_MAX);
    if (!refused) return keep_trying(s, err);
    if (fate == HTTP_FAILED) err->code = ERR_STOP;
    sink_conflict_found(s->sink);
    if (fate == HTTP_TOO_LARGE) sink_remedy(s->sink, "Let the server take larger bodies, then wolfctl conflict retry; or leave this change out: "
                                              "wolfctl conflict skip");
    else sink_remedy(s->sink, "Put right what the server says, then wolfctl conflict retry; or leave this change out: wolfctl conflict skip");
    return false;
}

/* `part`: "" or what tells this request from the others of the same change. */
static enum http_fate post(struct http_sink *s, uint64_t lsn, const struct http_request *request, const char *part, struct http_answer *answer, struct err *err)
{
    char key[HTTP_KEY_MAX];
    snprintf(key, sizeof key, "%s-%llu%s", wal_uuid(sink_wal(s->sink)), (unsigned long long)lsn, part);
    return http_client_post(s->client, request->verb, key, buf_bytes(&request->body), answer, err);
}

static void was_answered(struct http_sink *s, uint64_t lsn)
{
    s->answered = lsn;
    s->failures = 0;
    s->fresh = false;
}

static bool on_begin(struct http_sink *s, const struct change *change, struct err *err)
{
    (void)change, (void)err;
    s->open = (struct sink_progress){0};
    s->ddl = false;
    return true;
}

static bool track(struct http_sink *s, const struct table *source, struct http_table **table, struct err *err)
{
    struct tracked **at = &s->tracked[source->id % TABLE_BUCKETS];
    const struct target_table *target;
    for (struct tracked *t = *at; t; t = t->next)
        if (t->source == source) return *table = t->table, true;
    if (!targets_get(s->targets, s->db, source->database, source->name, &target, err)) return false;
    if (!http_table_new(source, target, table, err)) {
        sink_remedy(s->sink, "Put the target's table right, or leave it out (exclude in this [[sink]]), then: wolfctl resume --sink %s", s->settings->name);
        return false;
    }
    struct tracked *t = calloc(1, sizeof *t);
    if (!t) abort();
    *t = (struct tracked){*table, source, *at};
    *at = t;
    return true;
}

/* The row's one or two requests; *size is that of the last one sent. */
static enum http_fate post_row(struct http_sink *s, const struct change *change, size_t *size, struct err *err)
{
    static const char *const parts[HTTP_REQUESTS_MAX] = {"", "-2"};
    struct http_answer answer;
    for (unsigned i = 0; i < s->json.count; i++) {
        *size = s->json.requests[i].body.size;
        enum http_fate fate = post(s, change->lsn, &s->json.requests[i], parts[i], &answer, err);
        if (fate != HTTP_STORED) return fate;
        s->open.bytes += *size;
    }
    return HTTP_STORED;
}

/* Deletes who has what this row is to have; false: nobody can be deleted, or the server does not do it. */
static bool make_room(struct http_sink *s, const struct http_table *table, const struct change *change)
{
    struct http_answer answer;
    struct err ignored = {0};
    char part[32];
    uint32_t n = 0;
    for (; http_json_rival(&s->json, table, n); n++) {
        snprintf(part, sizeof part, "-room-%u", n + 1);
        if (post(s, change->lsn, &s->json.requests[0], part, &answer, &ignored) != HTTP_STORED) return false;
    }
    return n > 0;
}

static bool row_failed(struct http_sink *s, const struct http_table *table, const struct change *change, enum http_fate fate, size_t size, struct err *err)
{
    static const char *const names[] = {[CHANGE_INSERT] = "insert", [CHANGE_UPDATE] = "update", [CHANGE_DELETE] = "delete"};
    char what[HTTP_NAME_MAX + 16], name[HTTP_NAME_MAX];
    http_json_name(&s->json, table, change, name, sizeof name);
    snprintf(what, sizeof what, "%s of %s", names[change->kind], name);
    return not_stored(s, change->lsn, fate, size, what, err);
}

static bool on_row(struct http_sink *s, const struct change *change, struct err *err)
{
    struct http_table *table;
    size_t size = 0;
    bool again = change->lsn <= s->again_until;
    if (!track(s, change->table, &table, err) || !http_json_row(&s->json, table, change, again, err)) return false;
    enum http_fate fate = post_row(s, change, &size, err);
    bool refused = fate == HTTP_FAILED || fate == HTTP_REFUSED;
    if (refused && again && change->kind != CHANGE_DELETE && make_room(s, table, change)) {
        log_info("sink.room", "sink=%s lsn=%llu text=\"deleted who had its unique values, for it comes again\"", s->settings->name, (unsigned long long)change->lsn);
        err_clear(err);
        if (!http_json_row(&s->json, table, change, again, err)) return false;
        fate = post_row(s, change, &size, err);
    }
    if (fate != HTTP_STORED) return row_failed(s, table, change, fate, size, err);
    s->open.rows++;
    return true;
}

/* ---- statements ---- */

/* Whether the target now shows what the statement was to make or take away: CREATE and DROP of a database, or of its first table. */
static bool look(struct http_sink *s, const struct statement *st, bool *knows, bool *shows, struct err *err)
{
    struct cursor in = cursor_of(st->tables);
    struct slice database = {NULL, 0}, table = {NULL, 0};
    char text[8];
    bool found, creates = st->kind == STATEMENT_CREATE_TABLE || st->kind == STATEMENT_CREATE_DATABASE;
    bool of_database = st->kind == STATEMENT_CREATE_DATABASE || st->kind == STATEMENT_DROP_DATABASE;
    *knows = creates || st->kind == STATEMENT_DROP_TABLE || st->kind == STATEMENT_DROP_DATABASE;
    if (*knows && !of_database) *knows = statement_tables_next(&in, &database, &table) && table.size;
    if (!database.size) database = st->database;
    *knows = *knows && database.size;
    if (!*knows) return true;
    struct buf sql;
    buf_init(&sql, 4096);
    buf_text(&sql, of_database ? "SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME=" : "SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA=");
    db_quote(&sql, database);
    if (!of_database) {
        buf_text(&sql, " AND TABLE_NAME=");
        db_quote(&sql, table);
    }
    bool ok = db_scalar(s->db, text, sizeof text, &found, err, "%s", buf_cstr(&sql));
    buf_fini(&sql);
    *shows = found == creates;
    return ok;
}

/* A server that leaves our "database" unread may have run it somewhere else. */
static bool shows(struct http_sink *s, const struct statement *st, uint64_t lsn, struct err *err)
{
    uint64_t until = clock_us() + SHOWS_WITHIN_MS * 1000ull;
    bool knows, there = true;
    do {
        if (!look(s, st, &knows, &there, err)) return false;
        if (!knows || there) return true;
        if (sink_stopping(s->sink)) return err_set(err, ERR_RETRY, "stopped while the effect of DDL was awaited");
        clock_sleep_ms(50);
    } while (clock_us() < until);
    s->failed_lsn = lsn;
    sink_conflict_found(s->sink);
    return err_set(err, ERR_STOP, "the server answered success, but %s does not show it (the server may have run it in another database)", s->db_name);
}

/* A first attempt may have got through before a crash: then the server refuses the second, and what was wanted is there. */
static bool is_there_already(struct http_sink *s, const struct statement *st, uint64_t lsn, enum http_fate fate)
{
    struct err ignored = {0};
    bool knows, there = false;
    bool refused = fate == HTTP_FAILED || fate == HTTP_REFUSED;
    return (s->fresh || lsn <= s->again_until) && refused && look(s, st, &knows, &there, &ignored) && knows && there;
}

static void hold_back(struct http_sink *s, const struct change *change, const char *kind)
{
    char name[160];
    struct slice text = change->statement->text;
    snprintf(name, sizeof name, "%s (LSN %llu)", kind, (unsigned long long)change->lsn);
    sink_held_back(s->sink, name);
    log_info("sink.held_back", "sink=%s kind=%s lsn=%llu sql=\"%.*s\"", s->settings->name, kind, (unsigned long long)change->lsn,
             text.size > 80 ? 80 : (int)text.size, (const char *)text.data);
}

/* The source logs some statements that failed there after they had done something, with the error: the target must refuse them too. */
static bool failed_alike(struct http_sink *s, const struct change *change, enum http_fate fate, struct err *err)
{
    const struct statement *st = change->statement;
    unsigned long long lsn = change->lsn;
    if (fate == HTTP_FAILED || fate == HTTP_REFUSED) {
        log_info("sink.ddl", "sink=%s lsn=%llu text=\"refused, and failed on the source with error %u\" answer=\"%s\"", s->settings->name, lsn,
                 st->error_code, err->text);
        err_clear(err);
        return true;
    }
    if (fate != HTTP_STORED || st->kind == STATEMENT_DROP_TABLE) return fate == HTTP_STORED;
    s->failed_lsn = change->lsn;
    sink_conflict_found(s->sink);
    return err_set(err, ERR_STOP, "LSN %llu failed on the source, with error %u, and not here: compare what it names", lsn, st->error_code);
}

static bool run(struct http_sink *s, const struct change *change, struct slice text, struct err *err)
{
    const struct statement *st = change->statement;
    struct http_answer answer;
    if (!http_json_statement(&s->json, st, text, err)) return false;
    enum http_fate fate = post(s, change->lsn, &s->json.requests[0], "", &answer, err);
    forget_tables(s);
    if (st->error_code && fate != HTTP_AGAIN) {
        if (failed_alike(s, change, fate, err)) return true;
        if (fate == HTTP_STORED) return false;
    }
    if (fate == HTTP_STORED) return shows(s, st, change->lsn, err);
    if (is_there_already(s, st, change->lsn, fate)) {
        log_info("sink.ddl", "sink=%s lsn=%llu text=\"was done before\" answer=\"%s\"", s->settings->name, (unsigned long long)change->lsn, answer.text);
        err_clear(err);
        return true;
    }
    return not_stored(s, change->lsn, fate, s->json.requests[0].body.size, statement_kind_name(st->kind), err);
}

static bool run_event(struct http_sink *s, const struct change *change, struct err *err)
{
    struct buf text;
    struct slice sql = change->statement->text;
    buf_init(&text, DDL_TEXT_MAX);
    if (context_disable_event(sql, &text)) {
        sql = buf_bytes(&text);
        hold_back(s, change, "event");
    }
    bool ok = run(s, change, sql, err);
    buf_fini(&text);
    return ok;
}

static bool on_statement(struct http_sink *s, const struct change *change, struct err *err)
{
    const struct statement *st = change->statement;
    if (!st->own_commit) {
        sink_remedy(s->sink, "Set binlog_format=ROW on the source; to leave this change out: wolfctl conflict skip");
        s->failed_lsn = change->lsn;
        sink_conflict_found(s->sink);
        return err_set(err, ERR_UNSUPPORTED, "LSN %llu is a row change as text, which the REST contract has no request for", (unsigned long long)change->lsn);
    }
    s->open.statements++;
    s->ddl = true;
    if (st->kind == STATEMENT_TABLE_ADMIN) return true;
    if (st->kind == STATEMENT_TRIGGER) {
        hold_back(s, change, "trigger");
        return true;
    }
    if (!s->settings->apply_ddl) {
        log_info("sink.ddl", "sink=%s lsn=%llu text=\"left out: apply_ddl is off\"", s->settings->name, (unsigned long long)change->lsn);
        return true;
    }
    sink_keep_position(s->sink); /* so that no row of before comes again to a table of after */
    return st->kind == STATEMENT_EVENT ? run_event(s, change, err) : run(s, change, st->text, err);
}

static bool on_commit(struct http_sink *s, const struct change *change, struct err *err)
{
    (void)err;
    s->open.lsn = change->lsn;
    s->open.gtid = change->gtid;
    s->open.timestamp = change->timestamp;
    s->open.transactions = s->open.groups = 1;
    sink_confirm(s->sink, &s->open);
    if (s->ddl) sink_keep_position(s->sink);
    s->open = (struct sink_progress){0};
    return true;
}

typedef bool change_fn(struct http_sink *, const struct change *, struct err *);
static change_fn *const on_change[] = {
    [CHANGE_BEGIN] = on_begin, [CHANGE_INSERT] = on_row, [CHANGE_UPDATE] = on_row, [CHANGE_DELETE] = on_row,
    [CHANGE_STATEMENT] = on_statement, [CHANGE_COMMIT] = on_commit,
};

static bool http_change(void *self, const struct change *change, struct err *err)
{
    struct http_sink *s = self;
    if (change->kind >= sizeof on_change / sizeof *on_change || !on_change[change->kind]) return true;
    bool frame = change->kind == CHANGE_BEGIN || change->kind == CHANGE_COMMIT;
    if (frame) return on_change[change->kind](s, change, err);
    if (change->lsn <= s->answered) return true; /* before the connection broke */
    if (change->lsn == s->skip_lsn) {
        log_warning("sink.skipped", "sink=%s lsn=%llu", s->settings->name, (unsigned long long)change->lsn);
        return true;
    }
    if (!wait_durable(s, change->lsn, err) || !on_change[change->kind](s, change, err)) return false;
    was_answered(s, change->lsn);
    return true;
}

static bool http_flush(void *self, bool *busy, struct err *err)
{
    (void)self, (void)err;
    *busy = false;
    return true;
}

const struct sink_ops sink_http = {
    .type = "http", .create = http_create, .connect = http_connect, .change = http_change, .flush = http_flush, .disconnect = http_disconnect,
    .destroy = http_destroy, .conflict = http_conflict, .rewind = http_rewind, .interrupt = http_interrupt,
};
