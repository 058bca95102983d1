/*
 * row_proof.c: see row_proof.h. The thread, a round over all tables, and what was found.
 *
 * A round's counts are the prover's own until they are published; those of the last whole round stay beside them, so that a difference is said from the
 * moment it is found until a whole round has not found it again. A round in which some part could not be compared on a node is not
 * a whole one for that node.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "filter.h"
#include "grants.h"
#include "log.h"
#include "prover.h"
#include "thread.h"

enum {
    ROUND_PAUSE_MS = 5000,     /* between two rounds */
    SAVE_US = 15000000,        /* what is in doubt is settled, and the place kept, so often */
    TABLE_COST = 200,          /* a table costs as much as so many rows */
    FOUND_LOGGED = 20,         /* differences of a table on a node that are logged one by one */
    PROVERS_MAX = 8,
    PASSES = 6,
    SOURCE_PAUSE_MS = 1000
};

struct proof {
    struct proof_options options;
    struct server_settings nodes[CLUSTER_NODES_MAX];
    const char *names[CLUSTER_NODES_MAX];
    char spelled[CLUSTER_NODES_MAX][300]; /* "host", or "host:port" where it is not the usual one */
    struct filter *filter, *sink_filter;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    /* shared, under lock */
    bool stop;
    uint64_t round;
    struct prover *provers[PROVERS_MAX];
    struct node_result results[CLUSTER_NODES_MAX];
    atomic_uint epochs[CLUSTER_NODES_MAX]; /* of a node: odd while it is left out */
    char waits[300];           /* what every node's result waits for: the source; "" nothing */
};

const char *proof_state_name(enum proof_state state)
{
    static const char *const names[PROOF_STATES] = {"off", "running", "equal", "in_flight", "different", "unreadable"};
    return state < PROOF_STATES ? names[state] : "?";
}

const struct proof_options *proof_options_of(const struct proof *proof) { return &proof->options; }

static void spell(struct proof *proof, size_t node, const char *name, unsigned port)
{
    bool usual = port == 3306 || strchr(name, ':');
    snprintf(proof->spelled[node], sizeof proof->spelled[node], usual ? "%.250s" : "%.250s:%u", name, port);
    proof->names[node] = proof->spelled[node];
}

struct proof *proof_new(const struct proof_options *options)
{
    struct proof *proof = calloc(1, sizeof *proof);
    if (!proof) abort();
    assert(options->count <= CLUSTER_NODES_MAX);
    proof->options = *options;
    memcpy(proof->nodes, options->nodes, options->count * sizeof *proof->nodes);
    for (size_t i = 0; i < options->count; i++) spell(proof, i, options->names[i], options->nodes[i].port);
    proof->options.nodes = proof->nodes;
    proof->options.names = proof->names;
    const struct filter_settings *all = &options->all->filter;
    bool compiled = filter_new(&all->include, &all->exclude, &proof->filter, NULL) &&
                    filter_new(&options->sink->include, &options->sink->exclude, &proof->sink_filter, NULL);
    assert(compiled); /* capture and the sink have compiled them before */
    pthread_mutex_init(&proof->lock, NULL);
    thread_cond_init(&proof->wake);
    return proof;
}

void proof_add(struct proof *proof, const struct server_settings *node, const char *name)
{
    size_t at = proof->options.count;
    assert(at < CLUSTER_NODES_MAX);
    proof->nodes[at] = *node;
    spell(proof, at, name, node->port);
    proof->options.count = at + 1;
}

void proof_leave_out(struct proof *proof, size_t node, bool out)
{
    pthread_mutex_lock(&proof->lock);
    proof->results[node] = (struct node_result){0};
    pthread_mutex_unlock(&proof->lock);
    if (atomic_load(&proof->epochs[node]) % 2 != out) atomic_fetch_add(&proof->epochs[node], 1);
}

/* ---- a prover ---- */

static void prover_count(struct prover *p)
{
    p->count = p->proof->options.count;
    for (size_t i = 0; i < p->count; i++) p->epochs[i] = atomic_load(&p->proof->epochs[i]);
}

static void prover_init(struct prover *p, struct proof *proof)
{
    *p = (struct prover){.proof = proof, .only = -1, .chunk_rows = CHUNK_ROWS};
    prover_count(p);
    buf_init(&p->sql, PROOF_SQL_MAX);
    pthread_mutex_lock(&proof->lock);
    for (size_t i = 0; i < PROVERS_MAX; i++) {
        if (proof->provers[i]) continue;
        proof->provers[i] = p;
        break;
    }
    pthread_mutex_unlock(&proof->lock);
}

static void prover_fini(struct prover *p)
{
    doubts_drop(p);
    link_close_all(p);
    pthread_mutex_lock(&p->proof->lock);
    for (size_t i = 0; i < PROVERS_MAX; i++)
        if (p->proof->provers[i] == p) p->proof->provers[i] = NULL;
    pthread_mutex_unlock(&p->proof->lock);
    buf_fini(&p->sql);
}

bool prover_stopping(struct prover *p)
{
    pthread_mutex_lock(&p->proof->lock);
    bool stop = p->proof->stop;
    pthread_mutex_unlock(&p->proof->lock);
    return stop;
}

void prover_rest(struct prover *p, uint32_t ms)
{
    uint64_t until = clock_us() + ms * 1000ull, now;
    pthread_mutex_lock(&p->proof->lock);
    while (!p->proof->stop && (now = clock_us()) < until) thread_wait(&p->proof->wake, &p->proof->lock, (uint32_t)((until - now + 999) / 1000));
    pthread_mutex_unlock(&p->proof->lock);
}

void prover_link(struct prover *p, struct link *link, struct db *db)
{
    pthread_mutex_lock(&p->proof->lock);
    struct db *old = link->db;
    link->db = db;
    if (db && p->proof->stop) db_shutdown(db);
    pthread_mutex_unlock(&p->proof->lock);
    db_close(old);
}

bool prover_wants(struct prover *p, struct slice database, struct slice table)
{
    return filter_wants(p->proof->filter, database, table) && filter_wants(p->proof->sink_filter, database, table);
}

static bool in_scope(const struct prover *p, size_t node)
{
    if (node >= p->count || (p->only >= 0 && (size_t)p->only != node)) return false;
    return p->epochs[node] % 2 == 0 && p->epochs[node] == atomic_load(&p->proof->epochs[node]);
}

bool prover_has(const struct prover *p, int node) { return in_scope(p, (size_t)node); }

void prover_found(struct prover *p, int node, struct proof_table *t, struct slice key, const char *what)
{
    struct tally *tally = &p->tally[node];
    struct buf text;
    buf_init(&text, 4096);
    buf_printf(&text, "%.*s.%.*s", SLICE_ARG(t->database), SLICE_ARG(t->name));
    if (key.data) {
        buf_text(&text, " (");
        proof_sql_say_key(&text, t, key);
        buf_u8(&text, ')');
    }
    buf_printf(&text, ": %s", what);
    if (!tally->differences++) snprintf(tally->reason, sizeof tally->reason, "%s", buf_cstr(&text));
    if (t->found[node]++ < FOUND_LOGGED) log_warning("sink.proof", "node=%s different=\"%s\"", p->proof->names[node], buf_cstr(&text));
    buf_fini(&text);
}

void prover_skipped(struct prover *p, int node, const struct proof_table *t, const char *why)
{
    struct tally *tally = &p->tally[node];
    tally->skipped++;
    if (!tally->reason[0]) snprintf(tally->reason, sizeof tally->reason, "not compared: %.*s.%.*s: %s", SLICE_ARG(t->database), SLICE_ARG(t->name), why);
}

void prover_behind(struct prover *p, int node)
{
    struct tally *tally = &p->tally[node];
    if (!tally->reason[0]) snprintf(tally->reason, sizeof tally->reason, "rows that differ wait to be judged: the node's position does not pass the source's");
}

bool prover_is_passing(const struct err *err)
{
    static const unsigned numbers[] = {1146, 1049, 1412, 1054, 1051, 1176, 1205, 1213, 1615, 1020};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (err->number == numbers[i]) return true;
    return false;
}

static void set_trouble(struct prover *p, int node, bool unreadable, const char *text)
{
    struct node_result *result = &p->proof->results[node];
    pthread_mutex_lock(&p->proof->lock);
    result->unreadable = unreadable;
    snprintf(result->trouble, sizeof result->trouble, "%.*s", (int)sizeof result->trouble - 1, text);
    pthread_mutex_unlock(&p->proof->lock);
}

void prover_missed(struct prover *p, int node, const struct err *err)
{
    struct tally *tally = &p->tally[node];
    if (prover_is_passing(err)) {
        tally->in_flight++;
        return;
    }
    if (!tally->missed++) log_info("sink.proof", "node=%s text=\"%s\"", p->proof->names[node], err->text);
    set_trouble(p, node, err->code == ERR_DENIED, err->text);
}

/* ---- a round ---- */

struct round {
    struct prover *p;
    const struct strings *tables; /* NULL: all */
    struct proof_names names;
    struct proof_cursor *cursor;  /* NULL: not kept */
    uint64_t saved_us, rows, number;
    bool whole_grant;
    char **grants;
    size_t grant_count;
    char account[300];
};

static void publish(struct round *r)
{
    struct proof *proof = r->p->proof;
    if (r->tables) return;
    pthread_mutex_lock(&proof->lock);
    for (size_t i = 0; i < proof->options.count; i++)
        if (in_scope(r->p, i) && (!r->p->ordered || !proof->started)) proof->results[i].now = r->p->tally[i];
    pthread_mutex_unlock(&proof->lock);
}

static void pace(struct round *r, uint64_t rows)
{
    struct prover *p = r->p;
    uint64_t now = clock_us(), rate = proof_options_of(p->proof)->sink->proof_rows_per_second;
    if (p->ordered || !rate) return;
    if (!p->paced_us || now > p->paced_us + 1000000) p->paced_us = now;
    p->paced_us += rows * 1000000 / rate;
    if (p->paced_us > now + 1000) prover_rest(p, (uint32_t)((p->paced_us - now) / 1000));
}

/* Every SAVE_US what is in doubt is settled, and the place is kept. `force`, as the source fails: in memory at least; in the file only when nothing is in
   doubt, which a restart would forget. */
static void keep(struct round *r, const struct proof_table *t, struct slice key, bool force)
{
    struct proof_cursor *c = r->cursor;
    if (!force && clock_us() - r->saved_us < SAVE_US) return;
    if (!force) doubts_settle(r->p);
    if (!force && prover_stopping(r->p)) return; /* some may not have been judged: the round goes on from the place that is kept */
    r->saved_us = clock_us();
    if (!c) return;
    c->at = t != NULL;
    buf_clear(&c->database);
    buf_clear(&c->table);
    buf_clear(&c->key);
    if (t) {
        buf_slice(&c->database, t->database);
        buf_slice(&c->table, t->name);
        buf_slice(&c->key, key);
    }
    if (!doubts_any(r->p)) proof_cursor_save(r->p, c);
}

static bool any_in_play(const struct prover *p)
{
    for (size_t i = 0; i < CLUSTER_NODES_MAX; i++)
        if (p->in_play[i]) return true;
    return false;
}

static void progress(struct round *r, const struct proof_table *t, size_t number)
{
    struct prover *p = r->p;
    if (p->say) p->say(p->context, "%s %.*s.%.*s, table %zu of %zu, %llu rows", p->repair ? "putting right" : "comparing", SLICE_ARG(t->database),
                       SLICE_ARG(t->name), number + 1, r->names.count, (unsigned long long)r->rows);
}

static bool has_key(const struct proof_table *t, struct slice key)
{
    struct buf sql;
    buf_init(&sql, PROOF_SQL_MAX);
    bool ok = proof_sql_at(&sql, t, key);
    buf_fini(&sql);
    return ok;
}

static bool compare_chunks(struct round *r, struct proof_table *t, size_t number, struct slice start, struct err *err)
{
    struct buf from, next;
    bool ok = true, done = false;
    buf_init(&from, PROOF_SQL_MAX);
    buf_init(&next, PROOF_SQL_MAX);
    if (start.size && has_key(t, start)) buf_slice(&from, start);
    while (ok && !done && any_in_play(r->p)) {
        uint64_t rows = 0;
        struct slice lower = from.size ? buf_bytes(&from) : (struct slice){NULL, 0};
        ok = chunk_compare(r->p, t, lower, &next, &done, &rows, err);
        if (!ok) break;
        r->rows += rows;
        buf_clear(&from);
        buf_slice(&from, buf_bytes(&next));
        publish(r);
        progress(r, t, number);
        keep(r, t, buf_bytes(&from), false);
        pace(r, rows);
    }
    /* a source that fails takes up here again */
    if (!ok && r->cursor && from.size) keep(r, t, buf_bytes(&from), true);
    buf_fini(&from);
    buf_fini(&next);
    return ok;
}

static bool compare_table(struct round *r, size_t number, struct slice start, struct err *err)
{
    struct prover *p = r->p;
    const struct proof_name *name = &r->names.items[number];
    struct proof_table *t = NULL;
    uint64_t rows = 0;
    if (!proof_table_read(p, name->database, name->table, &t, err)) return false;
    if (!t) return true; /* dropped since */
    for (size_t i = 0; i < CLUSTER_NODES_MAX; i++) p->in_play[i] = in_scope(p, i);
    progress(r, t, number);
    bool ok = chunk_definitions(p, t, err);
    if (ok && any_in_play(p)) ok = t->key_count ? compare_chunks(r, t, number, start, err) : chunk_whole(p, t, &rows, err);
    for (size_t i = 0; ok && i < p->proof->options.count; i++) p->tally[i].tables += p->in_play[i];
    publish(r);
    pace(r, rows + TABLE_COST);
    doubts_keep(p, t);
    return ok;
}

/* ---- what the source lets us see ---- */

static void quote_account(const char *user, char *out, size_t room)
{
    const char *at = strrchr(user, '@');
    if (at) snprintf(out, room, "'%.*s'@'%s'", (int)(at - user), user, at + 1);
    else snprintf(out, room, "'%s'", user);
}

static bool read_grants(struct round *r, struct err *err)
{
    struct db_result *lines;
    char user[280];
    buf_clear(&r->p->sql);
    buf_text(&r->p->sql, "SHOW GRANTS");
    if (!link_query(r->p, SIDE_SOURCE, &r->p->sql, &lines, err)) return false;
    r->grants = calloc(lines->row_count + 1, sizeof *r->grants);
    if (!r->grants) abort();
    for (uint64_t i = 0; i < lines->row_count; i++)
        if (!(r->grants[r->grant_count++] = strdup(db_value(lines, i, 0, NULL)))) abort();
    db_result_free(lines);
    if (!db_scalar(r->p->source.db, user, sizeof user, NULL, err, "SELECT CURRENT_USER()")) return false;
    quote_account(user, r->account, sizeof r->account);
    r->whole_grant = grants_have((const char *const *)r->grants, r->grant_count, "SELECT", NULL);
    return true;
}

static void say_grant(struct round *r, int node, const char *database)
{
    char text[1000];
    snprintf(text, sizeof text, "%s%s cannot be read on the source: GRANT SELECT ON *.* TO %s", database ? "database " : "a table", database ? database : "", r->account);
    r->p->tally[node].missed++;
    set_trouble(r->p, node, true, text);
}

static bool source_has(const struct round *r, const char *database)
{
    for (size_t i = 0; i < r->names.count; i++)
        if (strcmp(r->names.items[i].database, database) == 0) return true;
    return false;
}

/* Tables that only the node has, in databases of the source. Others may be there for other reasons. */
static bool compare_extra(struct round *r, int node, const struct proof_name *name, struct err *err)
{
    struct proof_table t = {.database = slice_text(name->database), .name = slice_text(name->table)};
    if (!r->whole_grant && !grants_have((const char *const *)r->grants, r->grant_count, "SELECT", name->database)) {
        say_grant(r, node, name->database);
        return true;
    }
    if (!source_has(r, name->database)) return true;
    memset(r->p->in_play, 0, sizeof r->p->in_play);
    r->p->in_play[node] = true;
    return chunk_definitions(r->p, &t, err);
}

static bool compare_extras(struct round *r, struct err *err)
{
    bool ok = true;
    for (int node = 0; ok && node < (int)r->p->proof->options.count; node++) {
        struct proof_names names;
        struct err local = {0};
        if (!in_scope(r->p, (size_t)node)) continue;
        if (!proof_names_read(r->p, node, &names, &local)) prover_missed(r->p, node, &local);
        for (size_t i = 0; ok && i < names.count; i++)
            if (!proof_names_have(&r->names, names.items[i].database, names.items[i].table)) ok = compare_extra(r, node, &names.items[i], err);
        proof_names_free(&names);
    }
    return ok;
}

static bool is_listed(const struct strings *tables, const struct proof_name *name)
{
    char text[600];
    snprintf(text, sizeof text, "%s.%s", name->database, name->table);
    for (size_t i = 0; i < tables->count; i++)
        if (strcmp(tables->items[i], text) == 0) return true;
    return false;
}

/* The source fails: a short wait and the same table once more, in a round by order at most a few times. */
static bool source_failed(struct round *r, struct err *err, unsigned *tries)
{
    struct prover *p = r->p;
    if (prover_stopping(p)) return false;
    if (prover_is_passing(err)) { /* dropped, or altered just now */
        for (size_t i = 0; i < p->proof->options.count; i++) p->tally[i].in_flight += in_scope(p, i);
        return true;
    }
    if (err->code == ERR_RETRY && ++*tries < (p->ordered ? 10u : 1000000u)) {
        pthread_mutex_lock(&p->proof->lock);
        snprintf(p->proof->waits, sizeof p->proof->waits, "waiting for the source: %.200s", err->text);
        pthread_mutex_unlock(&p->proof->lock);
        prover_rest(p, SOURCE_PAUSE_MS);
        return true;
    }
    if (err->code == ERR_RETRY) return false;
    for (int node = 0; node < (int)p->proof->options.count; node++) {
        if (!in_scope(p, (size_t)node)) continue;
        if (err->code == ERR_DENIED && r->account[0]) say_grant(r, node, NULL);
        else prover_missed(p, node, err);
    }
    return err->code != ERR_DENIED || r->account[0]; /* one table that is not ours to read; the account itself */
}

static bool compare_tables(struct round *r, struct err *err)
{
    struct proof_cursor *c = r->cursor;
    for (size_t i = 0; i < r->names.count; i++) {
        const struct proof_name *name = &r->names.items[i];
        struct slice start = {NULL, 0};
        unsigned tries = 0;
        if (r->tables && !is_listed(r->tables, name)) continue;
        if (c && c->at) {
            int order = strcmp(name->database, buf_cstr(&c->database));
            if (!order) order = strcmp(name->table, buf_cstr(&c->table));
            if (order < 0) continue;
            if (!order) start = buf_bytes(&c->key);
        }
        for (;;) {
            struct buf from;
            unsigned before = tries;
            buf_init(&from, PROOF_SQL_MAX);
            buf_slice(&from, start);
            err_clear(err);
            bool ok = compare_table(r, i, buf_bytes(&from), err);
            buf_fini(&from);
            if (ok) break;
            if (!source_failed(r, err, &tries)) return false;
            if (tries == before) break;
            if (c && c->at && slice_is(buf_bytes(&c->table), name->table) && slice_is(buf_bytes(&c->database), name->database)) start = buf_bytes(&c->key);
        }
        pthread_mutex_lock(&r->p->proof->lock);
        r->p->proof->waits[0] = 0;
        pthread_mutex_unlock(&r->p->proof->lock);
        if (c && c->at) c->at = false;
    }
    return true;
}

static void conclude(struct round *r)
{
    struct proof *proof = r->p->proof;
    if (r->tables) return;
    pthread_mutex_lock(&proof->lock);
    for (size_t i = 0; i < proof->options.count; i++) {
        struct node_result *result = &proof->results[i];
        const struct tally *tally = &r->p->tally[i];
        if (!in_scope(r->p, i)) continue;
        if (!tally->missed) {
            result->last = *tally;
            result->any = true;
            result->finished_us = clock_wall_us();
            result->unreadable = false;
            result->trouble[0] = 0;
        } else if (tally->differences) {
            result->last.differences = tally->differences;
            memcpy(result->last.reason, tally->reason, sizeof tally->reason);
        }
        if (!r->p->ordered) result->now = (struct tally){0};
    }
    pthread_mutex_unlock(&proof->lock);
}

static void note_round(const struct round *r, uint64_t begun_us)
{
    for (size_t i = 0; i < r->p->proof->options.count; i++) {
        const struct tally *t = &r->p->tally[i];
        if (!in_scope(r->p, i)) continue;
        (t->differences ? log_line(LOG_LEVEL_WARNING, "sink.proven", "node=%s round=%llu tables=%llu rows=%llu different=%llu in_flight=%llu missed=%llu ms=%llu",
                                   r->p->proof->names[i], (unsigned long long)r->number, (unsigned long long)t->tables, (unsigned long long)t->rows,
                                   (unsigned long long)t->differences, (unsigned long long)t->in_flight, (unsigned long long)t->missed,
                                   (unsigned long long)(clock_us() - begun_us) / 1000)
                        : log_line(LOG_LEVEL_DEBUG, "sink.proven", "node=%s round=%llu tables=%llu rows=%llu in_flight=%llu missed=%llu ms=%llu",
                                   r->p->proof->names[i], (unsigned long long)r->number, (unsigned long long)t->tables, (unsigned long long)t->rows,
                                   (unsigned long long)t->in_flight, (unsigned long long)t->missed, (unsigned long long)(clock_us() - begun_us) / 1000));
    }
}

static void round_fini(struct round *r)
{
    proof_names_free(&r->names);
    for (size_t i = 0; i < r->grant_count; i++) free(r->grants[i]);
    free(r->grants);
}

static bool settle(struct round *r, struct err *err)
{
    doubts_settle(r->p);
    publish(r);
    return !prover_stopping(r->p) || err_set(err, ERR_RETRY, "stopping");
}

/* False: stopped, or the source cannot be read at all. */
static bool run_round(struct prover *p, const struct strings *tables, struct proof_cursor *cursor, struct err *err)
{
    struct round r = {.p = p, .tables = tables, .cursor = cursor, .saved_us = clock_us(), .number = cursor ? cursor->round : 0};
    uint64_t begun = clock_us();
    bool ok = read_grants(&r, err) && proof_names_read(p, SIDE_SOURCE, &r.names, err) && compare_tables(&r, err) && settle(&r, err) && (tables || compare_extras(&r, err));
    if (ok) {
        conclude(&r);
        note_round(&r, begun);
    }
    round_fini(&r);
    return ok;
}

/* ---- the thread ---- */

static void wait_for_source(struct prover *p, const struct err *err)
{
    if (prover_stopping(p)) return;
    for (int node = 0; err->code != ERR_RETRY && node < (int)p->proof->options.count; node++) set_trouble(p, node, err->code == ERR_DENIED, err->text);
    pthread_mutex_lock(&p->proof->lock);
    snprintf(p->proof->waits, sizeof p->proof->waits, "waiting for the source: %.200s", err->text);
    pthread_mutex_unlock(&p->proof->lock);
    prover_rest(p, ROUND_PAUSE_MS);
}

static void *run(void *arg)
{
    struct proof *proof = arg;
    struct prover prover, *p = &prover;
    struct proof_cursor cursor = {0};
    prover_init(p, proof);
    buf_init(&cursor.database, 4096);
    buf_init(&cursor.table, 4096);
    buf_init(&cursor.key, PROOF_SQL_MAX);
    proof_cursor_load(p, &cursor);
    while (!prover_stopping(p)) {
        struct err err = {0};
        if (!cursor.at) {
            doubts_drop(p);
            memset(p->tally, 0, sizeof p->tally);
            prover_count(p);
            cursor.round++;
        }
        pthread_mutex_lock(&proof->lock);
        proof->round = cursor.round;
        pthread_mutex_unlock(&proof->lock);
        if (!run_round(p, NULL, &cursor, &err)) {
            wait_for_source(p, &err);
            continue;
        }
        cursor.at = false;
        proof_cursor_save(p, &cursor);
        prover_rest(p, ROUND_PAUSE_MS);
    }
    buf_fini(&cursor.database);
    buf_fini(&cursor.table);
    buf_fini(&cursor.key);
    prover_fini(p);
    return NULL;
}

void proof_start(struct proof *proof)
{
    pthread_mutex_lock(&proof->lock);
    proof->started = true;
    pthread_mutex_unlock(&proof->lock);
    thread_start(&proof->thread, "proof", run, proof);
}

void proof_stop(struct proof *proof)
{
    pthread_mutex_lock(&proof->lock);
    proof->stop = true;
    pthread_cond_broadcast(&proof->wake);
    for (size_t i = 0; i < PROVERS_MAX; i++) {
        struct prover *p = proof->provers[i];
        if (!p) continue;
        if (p->source.db) db_shutdown(p->source.db);
        for (size_t k = 0; k < proof->options.count; k++)
            if (p->nodes[k].db) db_shutdown(p->nodes[k].db);
    }
    bool started = proof->started;
    proof->started = false;
    pthread_mutex_unlock(&proof->lock);
    if (started) pthread_join(proof->thread, NULL);
}

void proof_free(struct proof *proof)
{
    if (!proof) return;
    proof_stop(proof);
    filter_free(proof->filter);
    filter_free(proof->sink_filter);
    pthread_mutex_destroy(&proof->lock);
    pthread_cond_destroy(&proof->wake);
    free(proof);
}

static enum proof_state state_of(const struct proof *proof, const struct node_result *r)
{
    if (r->now.differences || r->last.differences) return PROOF_DIFFERENT;
    if (r->unreadable) return PROOF_UNREADABLE;
    if (!r->any) return proof->started ? PROOF_RUNNING : PROOF_OFF;
    return r->last.in_flight ? PROOF_IN_FLIGHT : PROOF_EQUAL;
}

void proof_status(struct proof *proof, size_t node, struct proof_status *status)
{
    *status = (struct proof_status){0};
    if (node >= proof->options.count) return;
    pthread_mutex_lock(&proof->lock);
    const struct node_result *r = &proof->results[node];
    const struct tally *shown = r->now.differences > r->last.differences ? &r->now : &r->last;
    status->state = state_of(proof, r);
    status->round = proof->round;
    const struct tally *at = r->now.tables || r->now.rows || !r->any ? &r->now : &r->last;
    status->rows = at->rows;
    status->tables = at->tables;
    status->differences = shown->differences;
    status->in_flight = r->now.in_flight > r->last.in_flight ? r->now.in_flight : r->last.in_flight;
    status->finished_us = r->finished_us;
    const char *reason = shown->differences ? shown->reason : proof->waits[0] ? proof->waits : r->trouble[0] ? r->trouble : r->last.reason;
    snprintf(status->reason, sizeof status->reason, "%s", reason);
    pthread_mutex_unlock(&proof->lock);
}

/* ---- a round by order ---- */

/* `whole`: every row has to be judged, also those that change now; else the next round does that. */
static bool is_settled(const struct prover *p, bool whole)
{
    for (size_t i = 0; i < p->proof->options.count; i++)
        if (in_scope(p, i) && (p->replaced || (whole && p->tally[i].in_flight))) return false;
    return true;
}

/* With none different, all is equal. */
static bool certify(const struct tally *t, const char *name, struct err *err)
{
    if (t->skipped) return err_set(err, ERR_STOP, "node %s: %s", name, t->reason);
    return !t->in_flight || err_set(err, ERR_STOP, "node %s: %llu row(s) could not be judged: they change all the time", name, (unsigned long long)t->in_flight);
}

/* What keeps the round from being all that was ordered. */
static bool report(struct prover *p, enum proof_aim aim, bool whole, struct err *err)
{
    for (size_t i = 0; i < p->proof->options.count; i++) {
        const struct tally *t = &p->tally[i];
        const char *name = p->proof->names[i];
        if (!in_scope(p, i)) continue;
        if (t->missed) {
            pthread_mutex_lock(&p->proof->lock);
            err_set(err, p->proof->results[i].unreadable ? ERR_DENIED : ERR_RETRY, "node %s could not be compared whole: %s", name, p->proof->results[i].trouble);
            pthread_mutex_unlock(&p->proof->lock);
            return false;
        }
        if (p->repair && t->differences)
            return err_set(err, ERR_STOP, "node %s: %llu row(s) put right, but %llu difference(s) are left: %s", name, (unsigned long long)p->repaired,
                           (unsigned long long)t->differences, t->reason);
        if (p->repair && whole && t->in_flight)
            return err_set(err, ERR_RETRY, "node %s: %llu row(s) could not be settled: they change all the time, or the node does not pass the source's position",
                           name, (unsigned long long)t->in_flight);
        if (aim == PROOF_CERTIFY && !t->differences && !certify(t, name, err)) return false;
    }
    return true;
}

bool proof_round(struct proof *proof, int node, const struct strings *tables, enum proof_aim aim, proof_say *say, void *context, uint64_t *differences,
                 struct err *err)
{
    struct prover prover, *p = &prover;
    struct err local = {0};
    bool ok = true, whole = tables || aim == PROOF_CERTIFY;
    if (!err) err = &local;
    prover_init(p, proof);
    p->ordered = true;
    p->repair = aim == PROOF_REPAIR;
    p->only = node;
    p->say = say;
    p->context = context;
    for (unsigned pass = 0; ok && pass < (aim == PROOF_COUNT ? 1u : PASSES); pass++) {
        if (pass) prover_rest(p, 500);
        memset(p->tally, 0, sizeof p->tally);
        p->replaced = false;
        ok = run_round(p, tables, NULL, err);
        if (is_settled(p, whole)) break;
    }
    ok = ok && report(p, aim, whole, err);
    *differences = p->repaired;
    for (size_t i = 0; !p->repair && i < proof->options.count; i++) *differences += p->tally[i].differences;
    prover_fini(p);
    return ok;
}

/* ---- definitions ---- */

static bool digests(struct prover *p, const struct proof_table *t, bool *on_source, enum definition_state states[], struct err *err)
{
    char source[PROOF_HASH_SIZE + 1], node[PROOF_HASH_SIZE + 1];
    if (!link_open(p, SIDE_SOURCE, err) || !proof_table_digest(p, SIDE_SOURCE, t, true, source, err)) return false;
    *on_source = *source;
    for (size_t i = 0; i < p->count; i++) {
        states[i] = DEFINED_OTHERWISE;
        if (!in_scope(p, i)) continue;
        if (!link_open(p, (int)i, err) || !proof_table_digest(p, (int)i, t, true, node, err)) return err_context(err, "node %s", p->proof->names[i]);
        states[i] = !*node ? DEFINED_NOT : strcmp(node, source) ? DEFINED_OTHERWISE : DEFINED_ALIKE;
    }
    return true;
}

bool proof_definitions(struct proof *proof, const char *table, bool *on_source, enum definition_state states[], struct err *err)
{
    struct prover prover, *p = &prover;
    const char *dot = strchr(table, '.');
    if (!dot) return err_set(err, ERR_CONFIG, "%s: no table", table);
    struct proof_table t = {.database = slice_of(table, (size_t)(dot - table)), .name = slice_text(dot + 1)};
    prover_init(p, proof);
    p->ordered = true;
    p->only = -1;
    bool ok = digests(p, &t, on_source, states, err);
    prover_fini(p);
    return ok;
}
