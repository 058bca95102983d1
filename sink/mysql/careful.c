/*
 * careful.c: one change at a time, each reply read before the next is sent. Entered after a group has failed, left when the target is
 * past it. Here a row that is missing, or there already, gets its name, and a verdict: by the configuration's on_conflict, or by the
 * operator's word on the LSN at which we stopped.
 */
#include <assert.h>
#include <stdio.h>

#include "applier.h"
#include "log.h"

enum outcome { ROW_DONE, ROW_MISSING, ROW_THERE, ROW_ALTERED, ROW_REFUSED, ROW_BROKEN };
enum { DUPLICATE_KEY = 1062, HAS_CHILD = 1451, NO_PARENT = 1452, CHECK_FAILED = 4025 };

static bool own_position(struct mysql_sink *s, struct err *err)
{
    if (s->flight.position) return true;
    return position_insert(s, 0, 0, &s->group.gtids, err) && session_replies(s, err);
}

static bool say(struct mysql_sink *s, const char *sql, struct err *err)
{
    struct expect expect = {.kind = EXPECT_SET};
    return session_send(s, DB_COM_QUERY, slice_text(sql), &expect, err) && session_replies(s, err);
}

/* One row in one packet. */
static enum outcome try_row(struct mysql_sink *s, const struct tracked *t, struct shape *shape, const struct change *change,
                            const struct value *before, const struct value *after, struct err *err)
{
    struct expect sent = {.kind = EXPECT_SET, .rows = 1};
    uint32_t zeros = group_warnings(t->plan, shape->kind, after);
    bool old = shape->mode == SHAPE_HISTORY;
    uint8_t flags = group_flags(change) | (zeros || t->plan->noisy ? SESSION_LENIENT : 0) | (old ? SESSION_HISTORY : 0);
    struct expect expect = {.kind = EXPECT_ROWS, .plan = t->plan, .change = shape->kind, .rows = 1, .warnings = zeros};
    struct db_reply reply;
    if (!session_prepare(s, shape, 1, err) || !session_flags(s, flags, err) ||
        !session_time(s, s->version.act == VERSION_ROW ? s->version.us : 0, err) || !session_replies(s, err) ||
        !say(s, "SAVEPOINT wolfcdc", err)) return ROW_BROKEN;
    buf_clear(&s->packet);
    shape_begin(shape, t->plan, &s->packet);
    shape_append(shape, t->plan, before, after, &s->packet);
    if (!session_rows(s, shape, &s->packet, &sent, err)) return ROW_BROKEN;
    s->flight.count = s->flight.read = 0;
    if (!db_reply(s->db, &reply, err)) {
        if (err->code != ERR_STOP) return ROW_BROKEN;
        return err->number == DUPLICATE_KEY ? ROW_THERE : ROW_REFUSED;
    }
    if (shape->mode == SHAPE_OVERWRITE || shape->mode == SHAPE_REPLACE || session_check(&expect, &reply, err)) return ROW_DONE;
    if (reply.affected == 1 && session_excused(s, &expect)) {
        t->plan->noisy = true;
        err_clear(err);
        return ROW_DONE;
    }
    return reply.affected == 0 ? ROW_MISSING : ROW_ALTERED;
}

/* What a generated column comes to may be an error in strict mode alone, which the source's session need not have had. */
static enum outcome run_row(struct mysql_sink *s, const struct tracked *t, struct shape *shape, const struct change *change,
                            const struct value *before, const struct value *after, struct err *err)
{
    enum outcome outcome = try_row(s, t, shape, change, before, after, err);
    if (outcome != ROW_REFUSED || !t->plan->generated || t->plan->noisy) return outcome;
    t->plan->noisy = true;
    if (!say(s, "ROLLBACK TO SAVEPOINT wolfcdc", err)) return ROW_BROKEN;
    return try_row(s, t, shape, change, before, after, err);
}

static enum conflict_way configured(const struct mysql_sink *s)
{
    if (strcmp(s->settings->on_conflict, "skip") == 0) return CONFLICT_SKIP;
    return strcmp(s->settings->on_conflict, "overwrite") == 0 ? CONFLICT_OVERWRITE : CONFLICT_STOP;
}

void careful_verdict(struct mysql_sink *s, enum conflict_way way)
{
    if (way == CONFLICT_RETRY || !s->failed_lsn) return;
    if (s->verdict_count == VERDICTS_MAX) memmove(s->verdicts, s->verdicts + 1, --s->verdict_count * sizeof *s->verdicts);
    s->verdicts[s->verdict_count++] = (struct verdict){s->failed_lsn, way};
}

bool careful_conflict(struct mysql_sink *s, uint64_t lsn, bool may_overwrite, enum conflict_way *way, struct err *err)
{
    *way = configured(s);
    for (size_t i = 0; i < s->verdict_count; i++)
        if (s->verdicts[i].lsn == lsn) *way = s->verdicts[i].way;
    if (*way == CONFLICT_SKIP || (*way == CONFLICT_OVERWRITE && may_overwrite)) {
        log_warning("sink.conflict", "sink=%s lsn=%llu way=%s text=\"%s\"", s->settings->name, (unsigned long long)lsn,
                    *way == CONFLICT_SKIP ? "skip" : "overwrite", err ? err->text : "");
        return true;
    }
    s->failed_lsn = lsn;
    s->final = true;
    sink_conflict_found(s->sink);
    sink_remedy(s->sink, "wolfctl conflict --sink %s skip (leave this change out)%s or retry (after you have put the target right)",
                s->settings->name, may_overwrite ? ", overwrite (make the target's row what the source's is)" : "");
    return false;
}

static bool name_row(struct mysql_sink *s, const struct tracked *t, const struct change *change, enum outcome outcome, struct err *err)
{
    static const char *const verbs[] = {"insert", "update", "delete"};
    static const char *const what[] = {[ROW_MISSING] = "the row is not on the target", [ROW_THERE] = "a row with this key is there already",
                                       [ROW_ALTERED] = "the target did not take the values as they are", [ROW_REFUSED] = "refused"};
    static const char younger[] = "the row is not on the target, or is younger there, so that its history would be another: copy such tables with mariadb-dump "
                                  "--dump-history";
    char key[400], cause[600], more[400] = "";
    struct gtid gtid = s->group.progress.gtid;
    char gtid_text[GTID_TEXT_MAX];
    plan_describe(t->plan, change->kind == CHANGE_INSERT ? s->after : s->before, key, sizeof key);
    if (outcome == ROW_ALTERED) session_warnings(s, more, sizeof more);
    bool timed = s->version.mode == SHAPE_MADE || s->version.mode == SHAPE_UNMADE;
    snprintf(cause, sizeof cause, "%.590s", outcome == ROW_MISSING ? "" : outcome == ROW_ALTERED ? more : err->text);
    gtid_format(&gtid, gtid_text);
    return err_set_number(err, ERR_STOP, err->number, "conflict at LSN %llu (GTID %s): %s of %.*s.%.*s where %s: %s%s%s",
                          (unsigned long long)change->lsn, gtid_text, verbs[change->kind - CHANGE_INSERT], SLICE_ARG(change->table->database),
                          SLICE_ARG(change->table->name), key, timed && outcome == ROW_MISSING ? younger : what[outcome], cause[0] ? ": " : "", cause);
}

static bool is_full(const struct change *change)
{
    return !change->after.present.size || row_present_count(change->table, change->after.present) == change->table->column_count;
}

/* Makes the target's row what the source's is. The savepoint has taken back what the failed statement may have done. */
static bool overwrite(struct mysql_sink *s, const struct tracked *t, const struct change *change, enum outcome why, struct err *err)
{
    struct shape *shape;
    struct slice none = {NULL, 0};
    if (change->kind == CHANGE_DELETE) return true;
    if (change->kind == CHANGE_UPDATE && why == ROW_THERE) {
        if (!plan_shape(t->plan, CHANGE_DELETE, SHAPE_PLAIN, change->after.present, none, s->after, NULL, &shape, err) ||
            run_row(s, t, shape, change, s->after, s->after, err) == ROW_BROKEN ||
            !plan_shape(t->plan, CHANGE_UPDATE, SHAPE_PLAIN, change->before.present, change->after.present, s->before, s->after, &shape, err)) return false;
        if (run_row(s, t, shape, change, s->before, s->after, err) == ROW_DONE) return true;
    }
    return plan_shape(t->plan, CHANGE_INSERT, SHAPE_OVERWRITE, none, none, NULL, s->after, &shape, err) &&
           run_row(s, t, shape, change, NULL, s->after, err) == ROW_DONE;
}

/* Later changes of the log may be there already (sink_forgive). The row is made what this change says, at the cost of rows that have one of its
   unique values by then: a later change makes those again. Children stay, whoever their parent is. A partial image makes no row: what
   follows the whole (cluster_settle) will. */
static bool forgive(struct mysql_sink *s, const struct tracked *t, const struct change *change, enum outcome why, unsigned number, struct err *err)
{
    struct shape *shape;
    struct slice none = {NULL, 0};
    struct change alone = *change;
    bool removes = change->kind == CHANGE_DELETE;
    alone.row_flags |= ROW_NO_FOREIGN_KEY_CHECKS;
    log_debug("sink.forgiven", "sink=%s lsn=%llu", s->settings->name, (unsigned long long)change->lsn);
    if (!say(s, "ROLLBACK TO SAVEPOINT wolfcdc", err)) return false;
    /* A child whose parent is gone by then is gone with it. */
    if ((removes && why == ROW_MISSING) || (!removes && !is_full(change)) || number == NO_PARENT) return true;
    if (change->kind != CHANGE_INSERT) {
        if (!plan_shape(t->plan, CHANGE_DELETE, SHAPE_PLAIN, change->before.present, none, s->before, NULL, &shape, err)) return false;
        enum outcome gone = run_row(s, t, shape, &alone, s->before, s->before, err);
        if (gone != ROW_DONE && gone != ROW_MISSING) return false;
    }
    return removes || (plan_shape(t->plan, CHANGE_INSERT, SHAPE_REPLACE, none, none, NULL, s->after, &shape, err) &&
           run_row(s, t, shape, &alone, NULL, s->after, err) == ROW_DONE);
}

static bool settle_row(struct mysql_sink *s, const struct tracked *t, const struct change *change, enum outcome outcome, struct err *err)
{
    enum conflict_way way;
    bool whole = change->kind == CHANGE_DELETE || is_full(change);
    bool may = (outcome == ROW_MISSING || outcome == ROW_THERE) && whole && s->version.act != VERSION_OLD;
    struct err named = *err;
    bool later = outcome == ROW_MISSING || outcome == ROW_THERE || (outcome == ROW_REFUSED && (err->number == HAS_CHILD || err->number == NO_PARENT));
    /* to make a versioned row what it was would make history that never was */
    if (later && t->plan->row_end < 0 && sink_forgives(s->sink, change->lsn)) return forgive(s, t, change, outcome, outcome == ROW_REFUSED ? err->number : 0, err);
    name_row(s, t, change, outcome, &named);
    if (outcome != ROW_BROKEN && careful_conflict(s, change->lsn, may, &way, &named)) {
        struct err failed = {0};
        if (!say(s, "ROLLBACK TO SAVEPOINT wolfcdc", err)) return false;
        if (way == CONFLICT_SKIP || overwrite(s, t, change, outcome, &failed)) return true;
        if (failed.code != ERR_STOP) {
            *err = failed;
            return false;
        }
        /* Overwriting was tried and did not help: the operator's turn. */
        s->failed_lsn = change->lsn;
        s->final = true;
        sink_conflict_found(s->sink);
        sink_remedy(s->sink, "wolfctl conflict --sink %s skip, or retry after you have put the target right", s->settings->name);
    }
    *err = named;
    return false;
}

bool careful_purge(struct mysql_sink *s, struct err *err)
{
    struct purge p = s->purge;
    struct expect expect = {.kind = EXPECT_ROWS, .plan = p.plan, .change = CHANGE_DELETE, .rows = p.rows};
    enum conflict_way way;
    s->purge = (struct purge){0};
    if (!p.plan) return true;
    buf_clear(&s->statement);
    version_purge_sql(p.plan, p.us, &s->statement);
    if (!say(s, "SAVEPOINT wolfcdc", err)) return false;
    if (session_send(s, DB_COM_QUERY, buf_bytes(&s->statement), &expect, err) && session_replies(s, err)) return true;
    if (err->code != ERR_STOP) return false;
    err_context(err, "conflict at LSN %llu: DELETE HISTORY", (unsigned long long)p.lsn);
    return careful_conflict(s, p.lsn, false, &way, err) && say(s, "ROLLBACK TO SAVEPOINT wolfcdc", err);
}

bool careful_row(struct mysql_sink *s, const struct tracked *t, const struct change *logged, struct err *err)
{
    struct shape *shape;
    struct change said = *logged, *change = &said;
    said.kind = s->version.kind;
    struct slice present = change->kind == CHANGE_INSERT ? (struct slice){NULL, 0} : change->before.present;
    struct slice set = change->kind == CHANGE_UPDATE ? change->after.present : (struct slice){NULL, 0};
    if (!plan_shape(t->plan, change->kind, s->version.mode, present, set, s->before, s->after, &shape, err)) return false;
    s->group.progress.bytes += 64 + (change->kind == CHANGE_DELETE ? change->before : change->after).image.size;
    enum outcome outcome = run_row(s, t, shape, change, s->before, s->after, err);
    if (outcome == ROW_DONE) return true;
    return outcome == ROW_BROKEN ? false : settle_row(s, t, change, outcome, err);
}

static bool on_row(struct mysql_sink *s, const struct change *change, struct err *err)
{
    struct tracked *t;
    bool done;
    if (!own_position(s, err) || !group_track(s, change->table, &t, err) || !group_values(s, t->plan, change, err)) return false;
    s->group.progress.rows++;
    s->group.last_lsn = change->lsn;
    return group_version(s, t, change, &done, err) && (done || careful_row(s, t, change, err));
}

/* The session is put back, also when it fails. */
static bool run_text(struct mysql_sink *s, const struct statement *statement, uint64_t lsn, struct err *err)
{
    struct err back = {0};
    bool done = session_text(s, statement, lsn, err) && session_replies(s, err);
    if (!done && err->code != ERR_STOP) return false;
    while (!session_replies(s, &back)) { /* what was sent behind the one that failed */
        if (back.code == ERR_STOP) continue;
        *err = back;
        return false;
    }
    if (session_restore(s, &back) && session_replies(s, &back)) return done;
    *err = back;
    return false;
}

/* What a CHECK constraint refuses the source has all the same: its session had them off, or it had been left out there, too. */
static bool run_statement(struct mysql_sink *s, const struct change *change, struct err *err)
{
    struct statement unchecked = context_unchecked(change->statement);
    if (run_text(s, change->statement, change->lsn, err)) return true;
    if (err->number != CHECK_FAILED || s->mysql || context_checked(change->statement, false)) return false;
    return say(s, "ROLLBACK TO SAVEPOINT wolfcdc", err) && run_text(s, &unchecked, change->lsn, err);
}

static bool on_statement(struct mysql_sink *s, const struct change *change, struct err *err)
{
    enum conflict_way way;
    if (!group_let_go(s, err) || !session_flags(s, 0, err) || !session_replies(s, err)) return false;
    s->group.progress.statements++;
    s->group.last_lsn = change->lsn;
    if (change->statement->own_commit) return intent_run(s, change, err);
    if (!group_check_text(s, change->statement, err) || (!s->flight.position && !session_stamps(s, change->statement, err)) || !own_position(s, err) || !say(s, "SAVEPOINT wolfcdc", err)) return false;
    if (run_statement(s, change, err)) return true;
    if (err->code != ERR_STOP) return false;
    err_context(err, "conflict at LSN %llu: a statement %s on the target", (unsigned long long)change->lsn, s->left_out ? "does less" : "fails");
    if (careful_conflict(s, change->lsn, false, &way, err)) return s->left_out || say(s, "ROLLBACK TO SAVEPOINT wolfcdc", err);
    if (s->left_out) sink_remedy(s->sink, "If the source has the row, drop the constraint on the target, and: wolfctl conflict --sink %s retry. If it has it not: skip (go on as it is)", s->settings->name);
    return false;
}

static bool on_commit(struct mysql_sink *s, const struct change *change, struct err *err)
{
    struct group *g = &s->group;
    if (!group_let_go(s, err)) return false;
    gtid_set_copy(&g->gtids, &change->commit->pos.gtids);
    g->last_lsn = change->lsn;
    if (!own_position(s, err) || !session_time(s, 0, err) || !position_finish(s, change->lsn, 0, &g->gtids, err) || !session_flags(s, 0, err) ||
        !session_replies(s, err) || !session_commit(s, change->lsn, err)) return false;
    s->flight.position = s->careful_open = false;
    g->progress.lsn = change->lsn;
    g->progress.gtid = change->gtid;
    g->progress.timestamp = change->timestamp;
    g->progress.transactions = g->progress.groups = 1;
    mysql_confirmed(s, &g->progress, change->lsn);
    g->progress = (struct sink_progress){0};
    return true;
}

bool careful_change(struct mysql_sink *s, const struct change *change, struct err *err)
{
    switch (change->kind) {
    case CHANGE_BEGIN:
        assert(!s->careful_open && !s->flight.count);
        s->careful_open = true;
        s->group.begin_lsn = change->lsn;
        s->group.progress = (struct sink_progress){.gtid = change->gtid};
        return true;
    case CHANGE_INSERT: case CHANGE_UPDATE: case CHANGE_DELETE: return on_row(s, change, err);
    case CHANGE_STATEMENT: return on_statement(s, change, err);
    case CHANGE_COMMIT: return on_commit(s, change, err);
    default: return true;
    }
}
