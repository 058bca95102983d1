/*
 * mysql.c: a MariaDB or MySQL server as a target, exactly once: the order in which things are said to it. See applier.h for the parts.
 *
 *     gather ─► build ─► [settle the flight before] ─► position row + arrays sent ─► gather …
 *     settle = every reply read and counted ─► log durable ─► COMMIT ─► confirmed
 *
 * A transaction above the group's limits is sent in parts as it is read, under one position row, and committed once.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "applier.h"
#include "clock.h"
#include "foreign.h"
#include "log.h"

enum {
    PARTS_FROM = 2,   /* times the group's limits */
    ROWS_FIRST = 256  /* of a cluster's node, whose speed is not known yet: more as lock_ms allows */
};

static bool create(struct sink *sink, void **self, struct err *err)
{
    const struct sink_settings *settings = sink_settings(sink);
    struct mysql_sink *s = calloc(1, sizeof *s);
    if (!s) abort();
    for (const char *c = settings->name; *c; c++)
        if (*c == '\'' || *c == '\\' || *c == '"') {
            free(s);
            return err_set(err, ERR_CONFIG, "quotes and backslashes cannot be in a sink's name");
        }
    for (size_t i = 0; i < settings->ddl_map.count; i++)
        if (!foreign_word_is_valid(settings->ddl_map.items[i])) {
            free(s);
            return err_set(err, ERR_CONFIG, "ddl_map: \"%.100s\" is not of the form \"word=words\"", settings->ddl_map.items[i]);
        }
    s->sink = sink;
    s->settings = settings;
    s->rows_max = settings->cluster && settings->group_rows > ROWS_FIRST ? ROWS_FIRST : settings->group_rows;
    if (settings->server.socket) snprintf(s->name, sizeof s->name, "target %.280s", settings->server.socket);
    else snprintf(s->name, sizeof s->name, "target %.270s:%u", settings->server.host ? settings->server.host : "localhost", settings->server.port);
    snprintf(s->uuid, sizeof s->uuid, "%s", wal_uuid(sink_wal(sink)));
    pthread_mutex_init(&s->lock, NULL);
    s->targets = targets_new();
    s->explicit_wish = true;
    arena_init(&s->held.arena);
    buf_init(&s->packet, PACKET_MAX);
    buf_init(&s->statement, PACKET_MAX);
    *self = s;
    return true;
}

static void disconnect(void *self)
{
    struct mysql_sink *s = self;
    session_close(s);
    group_forget(s);
    s->group.open = s->careful_open = false;
    s->group.progress = (struct sink_progress){0};
}

static void destroy(void *self)
{
    struct mysql_sink *s = self;
    if (!s) return;
    disconnect(s);
    targets_free(s->targets);
    intent_free(s);
    for (uint32_t i = 0; i < s->group.room; i++) buf_fini(&s->group.batches[i].packet);
    free(s->group.batches);
    free(s->flight.expects);
    arena_fini(&s->held.arena);
    free(s->before);
    free(s->after);
    free(s->collations.names);
    free(s->collations.charsets);
    buf_fini(&s->packet);
    buf_fini(&s->statement);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

static bool connect_target(void *self, uint64_t *delivered, uint64_t *begin, struct err *err)
{
    struct mysql_sink *s = self;
    *begin = 0;
    s->final = false;
    if (!session_open(s, err) || !position_open(s, delivered, err) || !intent_open(s, err)) return false;
    sink_say(s->sink, "");
    log_info("sink.connected", "sink=%s server=\"%s\" version=%s lsn=%llu%s", s->settings->name, s->name, db_version(s->db)->text,
             (unsigned long long)s->position, s->careful_until > s->position ? " one_by_one=yes" : "");
    return true;
}

void mysql_confirmed(struct mysql_sink *s, const struct sink_progress *progress, uint64_t lsn)
{
    s->position = lsn;
    s->seeded = false;
    if (s->skip_to <= lsn) s->skip_to = 0;
    while (s->verdict_count && s->verdicts[0].lsn <= lsn)
        memmove(s->verdicts, s->verdicts + 1, --s->verdict_count * sizeof *s->verdicts);
    if (progress->lsn) sink_confirm(s->sink, progress);
}

/* What went wrong with a whole group is looked at again change by change, to name the row; what passes by itself is not. */
static bool group_failed(struct mysql_sink *s, struct err *err)
{
    struct err local = {0};
    if (!err) err = &local;
    if (err->code != ERR_STOP || s->final || !s->db) return false;
    uint64_t until = s->flight.last_lsn > s->group.last_lsn ? s->flight.last_lsn : s->group.last_lsn;
    if (s->group.open && s->group.begin_lsn > until) until = s->group.begin_lsn; /* its very first change can be the one */
    if (until > s->careful_until) s->careful_until = until;
    sink_rolled_back(s->sink);
    char text[512];
    snprintf(text, sizeof text, "%.500s", err->text);
    return err_set(err, ERR_RETRY, "rolled back, to be done one change at a time: %s", text);
}

/* On a node of a cluster, what holds row locks stalls the node's own stream: a group takes as many rows as lock_ms allowed the last ones. */
static void mind_locks(struct mysql_sink *s, const struct sink_progress *progress)
{
    if (!s->settings->cluster) return;
    uint64_t held = clock_us() - s->locks_us, allowed = s->settings->lock_ms * 1000ull, most = s->settings->group_rows;
    if (held > 2 * allowed && progress->transactions == 1) sink_locked_long(s->sink);
    uint64_t rows = progress->rows ? progress->rows : 1, fit = rows * allowed / (held ? held : 1);
    if (held > allowed || rows * 2 > s->rows_max) s->rows_max = (s->rows_max + (fit < 4 * s->rows_max ? fit : 4 * s->rows_max)) / 2;
    if (s->rows_max > most) s->rows_max = most;
    if (s->rows_max < 1) s->rows_max = 1;
}

static bool settle(struct mysql_sink *s, struct err *err)
{
    struct flight *f = &s->flight;
    if (!session_replies(s, err)) return false;
    if (!f->complete) return true;
    if (!session_commit(s, f->last_lsn, err)) return false;
    f->complete = f->position = false;
    f->progress.groups = 1;
    mind_locks(s, &f->progress);
    mysql_confirmed(s, &f->progress, f->last_lsn);
    return true;
}

bool mysql_settle(struct mysql_sink *s, struct err *err) { return settle(s, err); }

/* What is gathered goes out; `complete`: its transactions are whole, COMMIT may follow. */
static bool dispatch(struct mysql_sink *s, bool complete, struct err *err)
{
    struct group *g = &s->group;
    struct flight *f = &s->flight;
    if (!group_build(s, err) || !settle(s, err)) return false;
    bool first = !f->position;
    uint64_t last = complete ? g->last_lsn : 0;
    f->last_lsn = g->last_lsn;
    if (first) s->locks_us = clock_us();
    if (first && !position_insert(s, last, 0, &g->gtids, err)) return false;
    if (!group_send(s, err)) return false;
    if (complete && !first && !position_finish(s, last, 0, &g->gtids, err)) return false;
    f->complete = complete;
    if (complete) {
        f->progress = g->progress;
        g->progress = (struct sink_progress){0};
    }
    group_clear(s);
    return true;
}

/* Part of a transaction that the target cannot take at once: committed with a position inside it. */
static bool split(struct mysql_sink *s, struct err *err)
{
    struct group *g = &s->group;
    uint64_t last = g->last_lsn;
    if (!dispatch(s, false, err) || !position_finish(s, last, g->begin_lsn, &g->gtids, err) || !session_replies(s, err) ||
        !session_commit(s, last, err)) return false;
    log_warning("sink.split", "sink=%s begin_lsn=%llu lsn=%llu text=\"a transaction larger than the target takes is delivered in parts\"",
                s->settings->name, (unsigned long long)g->begin_lsn, (unsigned long long)last);
    s->flight.position = false;
    s->position = last;
    g->transaction_bytes = 0;
    return true;
}

static bool too_large(struct mysql_sink *s, struct err *err)
{
    if (strcmp(s->settings->large_transactions, "split") == 0) return split(s, err);
    sink_remedy(s->sink, "Raise %s on the target, or accept parts: large_transactions = \"split\"", s->limit_name);
    return err_set(err, ERR_LIMIT, "the transaction that begins at LSN %llu has more than %llu bytes; the target's %s is %llu",
                   (unsigned long long)s->group.begin_lsn, (unsigned long long)s->group.transaction_bytes, s->limit_name,
                   (unsigned long long)s->transaction_max);
}

/* Rows and bytes gathered since the last part was sent, against so many times the limits. A transaction may fill three quarters of what
   the target takes in one (too_large): those that are gathered before it must leave it that room. */
static bool reaches(const struct mysql_sink *s, unsigned times)
{
    const struct group *g = &s->group;
    uint64_t bytes = s->settings->group_bytes_kb * 1024ull;
    if (bytes > s->transaction_max / 4) bytes = s->transaction_max / 4;
    return g->rows >= (uint64_t)times * s->settings->group_rows || g->bytes >= times * bytes;
}

static bool is_full(const struct mysql_sink *s) { return reaches(s, 1) || s->group.rows >= s->rows_max; }

static bool on_begin(struct mysql_sink *s, const struct change *change, struct err *err)
{
    struct group *g = &s->group;
    bool crowded = s->prepared_count > PREPARED_MAX;
    if (change->is_ddl || crowded) {
        if (g->progress.transactions && !dispatch(s, true, err)) return false;
        if (!settle(s, err)) return false;
        if (crowded) group_forget(s);
    }
    g->open = true;
    g->ddl = false;
    g->begin_lsn = change->lsn;
    g->transaction_bytes = 0;
    return true;
}

static bool on_row(struct mysql_sink *s, const struct change *change, struct err *err)
{
    struct group *g = &s->group;
    if (!group_row(s, change, err)) return false;
    if (g->transaction_bytes > s->transaction_max - s->transaction_max / 4 && !group_waits(s)) return too_large(s, err);
    /* A full group waits for the COMMIT of the transaction at hand: only a whole one is executed while the next gathers. A transaction
       that goes far beyond the limits is sent as it comes. */
    return !reaches(s, PARTS_FROM) || dispatch(s, false, err);
}

static bool on_statement(struct mysql_sink *s, const struct change *change, struct err *err)
{
    struct group *g = &s->group;
    if (!change->statement->own_commit) return group_text(s, change, err);
    if (!group_let_go(s, err)) return false;
    /* DDL inside a group of changes (CREATE TABLE … SELECT): what came before it is not whole, and DDL commits. */
    if (g->progress.transactions && !dispatch(s, true, err)) return false;
    if (!settle(s, err)) return false;
    g->progress.statements++;
    g->last_lsn = change->lsn;
    g->ddl = true;
    return intent_run(s, change, err);
}

static bool on_commit(struct mysql_sink *s, const struct change *change, struct err *err)
{
    struct group *g = &s->group;
    if (!group_let_go(s, err)) return false;
    g->open = false;
    g->last_lsn = change->lsn;
    gtid_set_copy(&g->gtids, &change->commit->pos.gtids);
    g->progress.lsn = change->lsn;
    g->progress.gtid = change->gtid;
    g->progress.timestamp = change->timestamp;
    g->progress.transactions++;
    /* What a crash would have to find out about a DDL statement is over with its position: that goes at once. */
    if (g->ddl) {
        g->ddl = false;
        return dispatch(s, true, err) && settle(s, err);
    }
    /* A transaction that was sent in parts ends its group: nothing may join it later than its COMMIT. */
    return !(is_full(s) || s->flight.position != s->flight.complete) || dispatch(s, true, err);
}

typedef bool change_fn(struct mysql_sink *, const struct change *, struct err *);
static change_fn *const on_change[] = {
    [CHANGE_BEGIN] = on_begin, [CHANGE_INSERT] = on_row, [CHANGE_UPDATE] = on_row, [CHANGE_DELETE] = on_row,
    [CHANGE_STATEMENT] = on_statement, [CHANGE_COMMIT] = on_commit,
};

/* The nodes of a cluster whose log was lost stood at different places: the new log begins at the least of them. Until it has come to where this one
   was, what this one has is left out, and nothing counts as delivered before. */
static bool leave_out(struct mysql_sink *s, const struct change *change, bool *left_out, struct err *err)
{
    bool commit = change->kind == CHANGE_COMMIT;
    bool there = commit && gtid_set_contains(&change->commit->pos.gtids, &s->adopted);
    if (change->kind == CHANGE_BEGIN) s->passing = gtid_set_has(&s->adopted, &change->gtid);
    if (commit && !s->passing && !there) {
        s->final = true;
        sink_remedy(s->sink, "wolfctl nodes seed %s", s->settings->server.host ? s->settings->server.host : s->settings->name);
        return err_set(err, ERR_STOP, "the source sends its transactions in another order than when this target was delivered to: which of them it has cannot be told");
    }
    *left_out = s->passing && !there;
    if (commit) s->passing = false;
    if (there) s->ahead = false;
    return true;
}

static bool take_change(void *self, const struct change *change, struct err *err)
{
    struct mysql_sink *s = self;
    bool left_out = false;
    if (change->kind >= sizeof on_change / sizeof *on_change || !on_change[change->kind]) return true;
    if (s->ahead && !leave_out(s, change, &left_out, err)) return false;
    if (left_out) return true;
    /* Delivered with an earlier part of the same transaction. */
    if (change->lsn <= s->skip_to && change->kind != CHANGE_BEGIN) return true;
    bool starts = change->kind == CHANGE_BEGIN && !s->group.open && !s->careful_open, careful = s->careful_open || (starts && s->position < s->careful_until);
    if (starts && !session_between(s, careful, err)) return false;
    if (careful) return careful_change(s, change, err);
    return on_change[change->kind](s, change, err) || group_failed(s, err);
}

static bool idle(struct mysql_sink *s, struct err *err)
{
    uint64_t now = clock_us();
    if (now - s->pruned_us > PRUNE_EVERY_US) {
        s->pruned_us = s->used_us = now;
        return position_prune(s, err);
    }
    if (now - s->used_us < PING_EVERY_US) return true;
    s->used_us = now;
    return db_exec(s->db, err, "DO 1");
}

static bool flush(void *self, bool *busy, struct err *err)
{
    struct mysql_sink *s = self;
    struct group *g = &s->group;
    uint64_t now = clock_us();
    *busy = false;
    if (s->flight.complete) {
        *busy = true;
        return settle(s, err) || group_failed(s, err);
    }
    if (g->open || s->careful_open) return true;
    if (!g->progress.transactions) return idle(s, err);
    if (!g->progress.rows && !g->progress.statements) {
        if (now - s->emptied_us < EMPTY_EVERY_US) return true;
        s->emptied_us = now;
    }
    *busy = true;
    return dispatch(s, true, err) || group_failed(s, err);
}

static bool conflict(void *self, enum conflict_way way, struct err *err)
{
    (void)err;
    careful_verdict(self, way);
    return true;
}

static void interrupt(void *self)
{
    struct mysql_sink *s = self;
    pthread_mutex_lock(&s->lock);
    if (s->db) db_shutdown(s->db);
    pthread_mutex_unlock(&s->lock);
}

const struct sink_ops sink_mysql = {
    .type = "mysql", .create = create, .connect = connect_target, .change = take_change, .flush = flush, .disconnect = disconnect,
    .destroy = destroy, .conflict = conflict, .interrupt = interrupt,
};
