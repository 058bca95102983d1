/*
 * checks.c: see checks.h; the table is checks.def. A check that cannot be read for want of a privilege is a warning that says so,
 * never a silent ok.
 */
#include "checks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "binlog_end.h"
#include "clock.h"
#include "grants.h"

enum { UNKNOWN_VARIABLE = 1193, GRANTS_MAX = 256, RETENTION_MIN_HOURS = 24, CLOCK_MAX_S = 5, REPLICAS_MAX = 1000 };

struct check;
struct runner {
    struct db *db;
    const struct check_facts *facts;
    finding_fn *fn;
    void *context;
    const struct check *check;
    struct err *err;
};

/* False: the connection broke (runner->err). */
typedef bool judge_fn(struct runner *runner, const char *value);

struct check {
    const char *name;
    unsigned sides;
    const char *sql;
    judge_fn *judge;
    const char *good;
    enum check_level level;
    const char *remedy;
};

static void report(struct runner *runner, enum check_level level, const char *remedy, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
static void report(struct runner *runner, enum check_level level, const char *remedy, const char *format, ...)
{
    struct finding finding = {.check = runner->check->name, .level = level};
    va_list args;
    va_start(args, format);
    vsnprintf(finding.text, sizeof finding.text, format, args);
    va_end(args);
    snprintf(finding.remedy, sizeof finding.remedy, "%s", level == CHECK_OK ? "" : remedy);
    runner->fn(runner->context, &finding);
}

/* The account's way of reading something failed: a lost connection ends the run, a refusal is a warning. */
static bool unreadable(struct runner *runner, const struct err *err, const char *remedy)
{
    if (err->code == ERR_RETRY) {
        *runner->err = *err;
        return false;
    }
    report(runner, CHECK_WARNING, remedy, "could not be read: %.400s", err->text);
    return true;
}

static bool one_of(const char *value, const char *list)
{
    size_t size = strlen(value);
    for (const char *at = list; *at;) {
        size_t n = strcspn(at, "|");
        if (n == size && !strncasecmp(at, value, n)) return true;
        at += n + (at[n] == '|');
    }
    return false;
}

static bool judge_equal(struct runner *runner, const char *value)
{
    const struct check *check = runner->check;
    report(runner, one_of(value, check->good) ? CHECK_OK : check->level, check->remedy, "%s is %s", check->name, value);
    return true;
}

static bool judge_at_least(struct runner *runner, const char *value)
{
    const struct check *check = runner->check;
    bool good = strtoull(value, NULL, 10) >= strtoull(check->good, NULL, 10);
    report(runner, good ? CHECK_OK : check->level, check->remedy, "%s is %s", check->name, value);
    return true;
}

static bool judge_version(struct runner *runner, const char *value)
{
    const struct db_version *version = db_version(runner->db);
    (void)value;
    if (version->flavour != DB_MARIADB)
        report(runner, db_version_at_least(version, 5, 6) ? CHECK_OK : CHECK_ERROR, runner->check->remedy, "MySQL %s", version->text);
    else
        report(runner, db_version_at_least(version, 10, 6) ? CHECK_OK : CHECK_ERROR, runner->check->remedy, "MariaDB %s", version->text);
    return true;
}

static bool judge_target_version(struct runner *runner, const char *value)
{
    const struct db_version *version = db_version(runner->db);
    (void)value;
    if (version->flavour == DB_MARIADB) return judge_version(runner, value);
    enum check_level level = db_version_at_least(version, 5, 7) ? CHECK_OK : db_version_at_least(version, 5, 6) ? CHECK_WARNING : CHECK_ERROR;
    report(runner, level, runner->check->remedy, "MySQL %s", version->text);
    return true;
}

static bool judge_format(struct runner *runner, const char *value)
{
    const struct check *check = runner->check;
    enum check_level level = !strcasecmp(value, "ROW") ? CHECK_OK : !strcasecmp(value, "MIXED") ? CHECK_WARNING : CHECK_ERROR;
    report(runner, level, check->remedy, "binlog_format is %s%s", value,
           level == CHECK_WARNING ? ": some changes arrive as statements, which are captured with their context" : "");
    return true;
}

static bool show_grants(struct runner *runner, struct db_result **result, const char *lines[GRANTS_MAX], size_t *count, struct err *err)
{
    if (!db_query(runner->db, result, err, "SHOW GRANTS")) return false;
    for (*count = 0; *count < (*result)->row_count && *count < GRANTS_MAX; (*count)++)
        lines[*count] = db_value(*result, *count, 0, NULL);
    return true;
}

static bool judge_metadata(struct runner *runner, const char *value)
{
    const char *lines[GRANTS_MAX];
    struct db_result *result;
    struct err err;
    size_t count;
    if (!strcasecmp(value, "FULL")) return judge_equal(runner, value);
    if (!show_grants(runner, &result, lines, &count, &err)) return unreadable(runner, &err, "");
    bool reads = grants_have(lines, count, "SELECT", NULL);
    db_result_free(result);
    report(runner, CHECK_WARNING, runner->check->remedy, "binlog_row_metadata is %s%s", value,
           reads ? "" : ", and our account has no SELECT on *.*: tables that it cannot see stop capture");
    return true;
}

static bool judge_position(struct runner *runner, const char *value)
{
    struct db_result *result;
    struct err err;
    if (!db_query(runner->db, &result, &err, "SHOW MASTER STATUS")) {
        if (err.code == ERR_RETRY) return unreadable(runner, &err, "");
        report(runner, CHECK_OK, "", "gtid_binlog_pos is '%s'; file and offset need BINLOG MONITOR", value);
        return true;
    }
    if (!result->row_count) report(runner, CHECK_OK, "", "gtid_binlog_pos is '%s'", value);
    else
        report(runner, CHECK_OK, "", "gtid_binlog_pos is '%s', %s:%s", value, db_value(result, 0, 0, NULL), db_value(result, 0, 1, NULL));
    db_result_free(result);
    return true;
}

enum { NO_TABLE = 1146 };
#define RDS_RETENTION "CALL mysql.rds_set_configuration('binlog retention hours', 168); on the server: longer than the agent may ever be away"

/* RDS and Aurora purge by a table of their own, whatever the variable says; NULL there: as soon as nobody reads them. *managed false: not such
   a server, as far as can be seen. */
static bool judge_managed(struct runner *runner, bool *managed)
{
    char dir[512], hours[64];
    bool found, rds;
    struct err err;
    if (!db_scalar(runner->db, dir, sizeof dir, &found, &err, "SELECT CONCAT(@@global.basedir, ' ', @@global.datadir)"))
        return unreadable(runner, &err, "");
    rds = strstr(dir, "/rdsdb") != NULL;
    *managed = true;
    if (!db_scalar(runner->db, hours, sizeof hours, &found, &err, "SELECT value FROM mysql.rds_configuration WHERE name = 'binlog retention hours'")) {
        *managed = rds || err.code == ERR_RETRY;
        if (err.code != ERR_RETRY && (!rds || err.number == NO_TABLE)) return true;
        return unreadable(runner, &err, "GRANT SELECT ON mysql.rds_configuration to our account, so that binlog retention hours shows; " RDS_RETENTION);
    }
    if (!found) {
        report(runner, CHECK_ERROR, RDS_RETENTION, "a managed server (RDS) whose binlog retention hours is NULL: it purges its binary logs as soon as "
               "it can, and the agent could be away for no moment");
        return true;
    }
    report(runner, strtod(hours, NULL) < RETENTION_MIN_HOURS ? CHECK_WARNING : CHECK_OK, RDS_RETENTION,
           "a managed server (RDS), binlog retention hours is %s: the agent may be away for no longer", hours);
    return true;
}

static bool judge_gtid_mode(struct runner *runner, const char *value)
{
    bool on = !strcasecmp(value, "ON");
    report(runner, on ? CHECK_OK : runner->check->level, runner->check->remedy, "gtid_mode is %s%s", value,
           on ? "" : ": capture knows its place by file and offset, and cannot move to another server");
    return true;
}

static bool judge_mysql_position(struct runner *runner, const char *value)
{
    struct source_pos *end = calloc(1, sizeof *end);
    struct err err;
    bool gtids, ok;
    if (!end) abort();
    (void)value;
    ok = binlog_has_gtids(runner->db, &gtids, &err) && binlog_end(runner->db, !gtids, end, &err);
    if (ok) {
        char text[GTID_SET_TEXT_MAX];
        gtid_set_format(&end->gtids, text);
        report(runner, CHECK_OK, "", "%s is '%.300s'%s%.100s%s", gtids ? "gtid_executed" : "the end", text, *end->file ? ", in " : "", end->file,
               *end->file ? "" : "; file and offset need REPLICATION CLIENT");
    }
    free(end);
    if (ok || err.code != ERR_LIMIT) return ok || unreadable(runner, &err, "");
    report(runner, CHECK_ERROR, "", "%.500s", err.text);
    return true;
}

static bool judge_value_options(struct runner *runner, const char *value)
{
    struct db_result *result;
    struct err err;
    (void)value;
    if (!db_query(runner->db, &result, &err, "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('binlog_row_value_options', 'binlog_row_image')"))
        return unreadable(runner, &err, "");
    bool partial = false, full = true;
    for (uint64_t i = 0; i < result->row_count; i++) {
        bool image = !strcasecmp(db_value(result, i, 0, NULL), "binlog_row_image");
        const char *its = db_value(result, i, 1, NULL);
        if (image) full = its && !strcasecmp(its, "FULL");
        else partial = its && *its;
    }
    db_result_free(result);
    report(runner, partial && !full ? runner->check->level : CHECK_OK, runner->check->remedy, "binlog_row_value_options is %s%s",
           partial ? "PARTIAL_JSON" : "not set", partial && !full ? ", and the images of rows are not FULL" : "");
    return true;
}

static bool judge_retention(struct runner *runner, const char *value)
{
    char text[64];
    bool found, managed = false;
    struct err err;
    if (!judge_managed(runner, &managed)) return false;
    if (managed) return true;
    const struct db_version *version = db_version(runner->db);
    bool seconds = version->flavour == DB_MARIADB ? db_version_at_least(version, 10, 6) : db_version_at_least(version, 8, 0);
    (void)value;
    if (!db_scalar(runner->db, text, sizeof text, &found, &err,
                   seconds ? "SELECT @@global.binlog_expire_logs_seconds" : "SELECT @@global.expire_logs_days * 86400"))
        return unreadable(runner, &err, "");
    double hours = strtod(text, NULL) / 3600;
    if (hours <= 0) report(runner, CHECK_OK, "", "binary logs are kept until they are purged by hand");
    else
        report(runner, hours < RETENTION_MIN_HOURS ? CHECK_WARNING : CHECK_OK, runner->check->remedy,
               "binary logs are kept for %.1f hours: the agent may be away for no longer", hours);
    return true;
}

/* ---- privileges ---- */

struct privilege {
    const char *names;      /* any of them will do, as SHOW GRANTS prints them */
    const char *grant;      /* as GRANT wants it */
    const char *database;   /* NULL: on *.* */
    enum check_level level;
    const char *need;
};

/* 'user'@'host' of CURRENT_USER's "user@host". */
static void account_of(const char *current, char *out, size_t room)
{
    const char *at = strrchr(current, '@');
    if (!at) snprintf(out, room, "'%s'", current);
    else snprintf(out, room, "'%.*s'@'%s'", (int)(at - current), current, at + 1);
}

static bool judge_privileges(struct runner *runner, const char *current, const struct privilege *wanted, size_t count)
{
    const char *lines[GRANTS_MAX];
    char account[400], remedy[512];
    struct db_result *result;
    struct err err;
    size_t line_count, missing = 0, partly = 0;
    account_of(current, account, sizeof account);
    if (!show_grants(runner, &result, lines, &line_count, &err)) return unreadable(runner, &err, "");
    for (size_t i = 0; i < count; i++) {
        if (grants_have(lines, line_count, wanted[i].names, wanted[i].database)) continue;
        if (!wanted[i].database && grants_have_somewhere(lines, line_count, wanted[i].names, "wolfcdc")) {
            partly++;
            continue;
        }
        missing++;
        snprintf(remedy, sizeof remedy, "GRANT %s ON %s.* TO %s;", wanted[i].grant, wanted[i].database ? wanted[i].database : "*", account);
        report(runner, wanted[i].level, remedy, "%s lacks %s%s%s: %s", account, wanted[i].grant, wanted[i].database ? " on " : "",
               wanted[i].database ? wanted[i].database : "", wanted[i].need);
    }
    db_result_free(result);
    if (!missing) report(runner, CHECK_OK, "", "%s has all that is needed%s", account,
                         partly ? ", on some databases: a change of any other stops delivery there" : "");
    return true;
}

static bool judge_source_privileges(struct runner *runner, const char *value)
{
    static const struct privilege wanted[] = {
        {"REPLICATION SLAVE|REPLICATION REPLICA", "REPLICATION SLAVE", NULL, CHECK_ERROR, "the binary log cannot be read without it"},
        {"BINLOG MONITOR|REPLICATION CLIENT|SUPER", "BINLOG MONITOR", NULL, CHECK_WARNING, "file and offset of the source's end cannot be shown"},
        {"REPLICATION MASTER ADMIN|SUPER", "REPLICATION MASTER ADMIN", NULL, CHECK_WARNING,
         "whether our server_id is free cannot be seen"},
    };
    return judge_privileges(runner, value, wanted, sizeof wanted / sizeof *wanted);
}

static bool judge_mysql_privileges(struct runner *runner, const char *value)
{
    static const struct privilege wanted[] = {
        {"REPLICATION SLAVE", "REPLICATION SLAVE", NULL, CHECK_ERROR, "the binary log cannot be read without it"},
        {"REPLICATION CLIENT|SUPER", "REPLICATION CLIENT", NULL, CHECK_WARNING,
         "file and offset of the source's end cannot be seen, which are its position where gtid_mode is not ON"},
    };
    return judge_privileges(runner, value, wanted, sizeof wanted / sizeof *wanted);
}

static bool judge_target_privileges(struct runner *runner, const char *value)
{
    static const struct privilege wanted[] = {
        {"CREATE", "CREATE, SELECT, INSERT, DELETE", "wolfcdc", CHECK_ERROR, "the position row is kept in the database wolfcdc"},
        {"SELECT", "SELECT", NULL, CHECK_WARNING, "tables that it cannot read or write stop delivery"},
        {"INSERT", "INSERT", NULL, CHECK_WARNING, "tables that it cannot read or write stop delivery"},
        {"UPDATE", "UPDATE", NULL, CHECK_WARNING, "tables that it cannot read or write stop delivery"},
        {"DELETE", "DELETE", NULL, CHECK_WARNING, "tables that it cannot read or write stop delivery"},
        {"ALTER", "CREATE, ALTER, DROP, INDEX, REFERENCES", NULL, CHECK_WARNING, "schema changes of the source cannot be repeated"},
    };
    return judge_privileges(runner, value, wanted, sizeof wanted / sizeof *wanted);
}

static bool judge_read_only(struct runner *runner, const char *value)
{
    const char *lines[GRANTS_MAX];
    struct db_result *result;
    struct err err;
    size_t count;
    if (!strcasecmp(value, "OFF")) return judge_equal(runner, value);
    if (!show_grants(runner, &result, lines, &count, &err)) return unreadable(runner, &err, "");
    /* ALL PRIVILEGES of 10.11 and later does not contain it, but SUPER and READ_ONLY ADMIN are in the ALL of *.* before that */
    bool mysql = db_version(runner->db)->flavour == DB_MYSQL, super = false, found;
    bool may = grants_have(lines, count, mysql ? "CONNECTION_ADMIN|SUPER" : "READ_ONLY ADMIN", NULL);
    char text[8];
    db_result_free(result);
    /* which nobody may pass by; 5.6 has none */
    if (mysql && db_scalar(runner->db, text, sizeof text, &found, &err, "SELECT @@global.super_read_only")) super = text[0] == '1';
    may = may && !super;
    report(runner, may ? CHECK_WARNING : CHECK_ERROR, runner->check->remedy, "%sread_only is %s%s", super ? "super_" : "", value,
           may ? ", which our account may pass by" : "");
    return true;
}

/* ---- who else is there ---- */

static bool judge_server_id(struct runner *runner, const char *value)
{
    char host[256] = "";
    struct db_result *result;
    struct err err;
    uint32_t ours = runner->facts->server_id;
    if (ours && strtoul(value, NULL, 10) == ours) {
        report(runner, CHECK_ERROR, runner->check->remedy, "server_id %u is the source's own", ours);
        return true;
    }
    const struct db_version *version = db_version(runner->db);
    bool renamed = version->flavour == DB_MYSQL && db_version_at_least(version, 8, 1);
    if (!db_query(runner->db, &result, &err, renamed ? "SHOW REPLICAS" : "SHOW SLAVE HOSTS"))
        return unreadable(runner, &err, version->flavour == DB_MYSQL ? "GRANT REPLICATION SLAVE ON *.* to our account"
                                  : "GRANT REPLICATION MASTER ADMIN ON *.* to our account, so that a server_id that is taken shows");
    gethostname(host, sizeof host - 1);
    bool taken = false;
    int host_column = db_column_index(result, "Host");
    for (uint64_t i = 0; i < result->row_count && ours; i++) {
        if (strtoul(db_value(result, i, 0, NULL), NULL, 10) != ours) continue;
        taken = true;
        const char *name = host_column >= 0 ? db_value(result, i, (uint32_t)host_column, NULL) : NULL;
        /* from this machine it may be our own connection of a moment ago */
        bool same = name && !strncmp(name, host, 60);
        report(runner, same ? CHECK_WARNING : CHECK_ERROR, runner->check->remedy, "server_id %u is used by a replica on host '%s'%s", ours,
               name ? name : "", same ? ", perhaps our own earlier connection" : "");
    }
    if (!taken) report(runner, CHECK_OK, "", "server_id %u: free, the source's is %s, replicas: %llu", ours, value,
                       (unsigned long long)result->row_count);
    db_result_free(result);
    return true;
}

/* The Value of a status or configuration variable that not every server has; "" where there is none. */
static bool shown(struct runner *runner, const char *what, const char *name, char *out, size_t room, struct err *err)
{
    struct db_result *result;
    if (!db_query(runner->db, &result, err, "SHOW GLOBAL %s LIKE '%s'", what, name)) return false;
    const char *value = result->row_count ? db_value(result, 0, 1, NULL) : NULL;
    snprintf(out, room, "%s", value ? value : "");
    db_result_free(result);
    return true;
}

/* One that applies another's changes now has its stream elsewhere: what we would read here is nothing. */
static bool judge_replica(struct runner *runner, const char *value)
{
    char running[32];
    struct err err;
    if (one_of(value, "ON")) {
        report(runner, CHECK_OK, "", "what this server applies as a replica, if anything, is in its binary log");
        return true;
    }
    if (!shown(runner, "STATUS", "Slaves_running", running, sizeof running, &err)) return unreadable(runner, &err, "");
    bool now = strtoul(running, NULL, 10) > 0;
    report(runner, now ? CHECK_ERROR : CHECK_WARNING, runner->check->remedy, "log_slave_updates is OFF, and this server %s", now ? "is a replica" : "was one");
    return true;
}

/* A MySQL is a replica as long as a channel is configured. */
static bool judge_mysql_replica(struct runner *runner, const char *value)
{
    char channels[32];
    bool found, logs = !strcmp(value, "1") || !strcasecmp(value, "ON");
    struct err err;
    if (logs || !db_version_at_least(db_version(runner->db), 5, 7)) {
        report(runner, logs ? CHECK_OK : CHECK_WARNING, runner->check->remedy, "%s",
               logs ? "what this server applies as a replica, if anything, is in its binary log" : "log_slave_updates is OFF");
        return true;
    }
    if (!db_scalar(runner->db, channels, sizeof channels, &found, &err, "SELECT COUNT(*) FROM performance_schema.replication_connection_configuration"))
        return unreadable(runner, &err, "GRANT SELECT ON performance_schema.replication_connection_configuration to our account, or see that this is no replica");
    bool replica = strtoul(channels, NULL, 10) > 0;
    report(runner, replica ? CHECK_ERROR : CHECK_OK, runner->check->remedy, "log_replica_updates is OFF, and this server is %s replica", replica ? "a" : "no");
    return true;
}

static bool judge_semi_sync(struct runner *runner, const char *value)
{
    static const char *const names[] = {"master", "source"};
    char name[64], enabled[16] = "", timeout[32] = "", point[32] = "";
    struct err err;
    (void)value;
    if (!runner->facts->semi_sync) return true;
    for (size_t i = 0; i < 2 && !enabled[0]; i++) {
        snprintf(name, sizeof name, "rpl_semi_sync_%s_enabled", names[i]);
        if (!shown(runner, "VARIABLES", name, enabled, sizeof enabled, &err)) return unreadable(runner, &err, "");
        snprintf(name, sizeof name, "rpl_semi_sync_%s_timeout", names[i]);
        if (!shown(runner, "VARIABLES", name, timeout, sizeof timeout, &err)) return unreadable(runner, &err, "");
        snprintf(name, sizeof name, "rpl_semi_sync_%s_wait_point", names[i]);
        if (!shown(runner, "VARIABLES", name, point, sizeof point, &err)) return unreadable(runner, &err, "");
    }
    if (!enabled[0]) report(runner, CHECK_WARNING, runner->check->remedy, "semi_sync is set, and this server has no semi-synchronous replication loaded");
    else if (strcasecmp(enabled, "ON")) report(runner, CHECK_WARNING, runner->check->remedy, "semi_sync is set, and the source has it switched off");
    else report(runner, CHECK_OK, "", "semi-synchronous, %s; the source waits %s ms for us at most", point, timeout);
    return true;
}

static bool judge_filters(struct runner *runner, const char *value)
{
    struct db_result *result;
    struct err err;
    (void)value;
    if (!db_query(runner->db, &result, &err, "%s", binlog_status_sql(db_version(runner->db))))
        return unreadable(runner, &err, db_version(runner->db)->flavour == DB_MYSQL
                                            ? "GRANT REPLICATION CLIENT ON *.* to our account, so that binlog_do_db and binlog_ignore_db show"
                                            : "GRANT BINLOG MONITOR ON *.* to our account, so that binlog_do_db and binlog_ignore_db show");
    const char *only = result->row_count && result->column_count > 2 ? db_value(result, 0, 2, NULL) : "";
    const char *not = result->row_count && result->column_count > 3 ? db_value(result, 0, 3, NULL) : "";
    bool set = (only && *only) || (not && *not);
    if (set) report(runner, CHECK_WARNING, runner->check->remedy, "binlog_do_db '%s', binlog_ignore_db '%s'", only ? only : "", not ? not : "");
    else report(runner, CHECK_OK, "", "no binlog_do_db or binlog_ignore_db is set");
    db_result_free(result);
    return true;
}

static bool judge_galera(struct runner *runner, const char *value)
{
    struct db_result *result;
    struct err err;
    (void)value;
    if (!db_query(runner->db, &result, &err, "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('wsrep_on', 'wsrep_gtid_mode')"))
        return unreadable(runner, &err, "");
    bool on = false, gtid = false;
    for (uint64_t i = 0; i < result->row_count; i++) {
        bool yes = !strcasecmp(db_value(result, i, 1, NULL), "ON");
        if (!strcasecmp(db_value(result, i, 0, NULL), "wsrep_on")) on = yes;
        else gtid = yes;
    }
    db_result_free(result);
    if (!on) report(runner, CHECK_OK, "", "not a Galera node");
    else
        report(runner, gtid ? CHECK_OK : runner->facts->hosts > 1 ? CHECK_ERROR : CHECK_WARNING, runner->check->remedy,
               "a Galera node with wsrep_gtid_mode %s%s", gtid ? "ON" : "OFF",
               !gtid && runner->facts->hosts > 1 ? ": its GTIDs are its own, so capture cannot move between the hosts" : "");
    return true;
}

/* ---- XA ---- */

enum { XA_NAMED_MAX = 3, XA_REFUSED = 1401 /* MySQL's answer to whom the privilege is lacking: "fatal error in the transaction branch" */ };

static bool xid_of_row(const struct db_result *result, uint64_t row, struct xid *xid)
{
    size_t size;
    const uint8_t *data = (const uint8_t *)db_value(result, row, 3, &size);
    size_t global = strtoul(db_value(result, row, 1, NULL), NULL, 10), branch = strtoul(db_value(result, row, 2, NULL), NULL, 10);
    return data && global <= size && branch <= size - global &&
           xid_set(xid, (uint32_t)strtoul(db_value(result, row, 0, NULL), NULL, 10), slice_of(data, global), slice_of(data + global, branch));
}

/* Prepared, without an end, and not in the log: their rows were in the source's binary log before. */
static bool judge_xa(struct runner *runner, const char *value)
{
    struct db_result *result;
    struct err err;
    struct xid xid;
    char names[XA_NAMED_MAX * (XID_TEXT_MAX + 2)] = "", name[XID_TEXT_MAX];
    size_t count = 0, used = 0;
    (void)value;
    if (!db_query(runner->db, &result, &err, "XA RECOVER")) {
        static const char remedy[] = "GRANT XA_RECOVER_ADMIN ON *.* to our account, or see XA RECOVER: a transaction prepared before the log begins is not in it";
        if (err.number != XA_REFUSED) return unreadable(runner, &err, remedy);
        report(runner, CHECK_WARNING, remedy, "our account may not see which XA transactions are prepared");
        return true;
    }
    for (uint64_t i = 0; i < result->row_count && result->column_count >= 4; i++) {
        if (!xid_of_row(result, i, &xid) || (runner->facts->has_prepared && runner->facts->has_prepared(runner->facts->context, &xid))) continue;
        if (count++ >= XA_NAMED_MAX) continue;
        xid_format(&xid, name);
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used ? "; " : "", name);
    }
    db_result_free(result);
    if (!count) report(runner, CHECK_OK, "", "no XA transaction is prepared that is not in the log");
    else
        report(runner, runner->check->level, runner->check->remedy, "%zu XA transaction%s prepared and not in the log: %.300s%s", count, count > 1 ? "s are" : " is",
               names, count > XA_NAMED_MAX ? " and others" : "");
    return true;
}

/* ---- the rest ---- */

static bool judge_durability(struct runner *runner, const char *value)
{
    report(runner, !strcmp(value, runner->check->good) ? CHECK_OK : CHECK_WARNING, runner->check->remedy,
           "sync_binlog/innodb_flush_log_at_trx_commit are %s", value);
    return true;
}

static bool judge_tls(struct runner *runner, const char *value)
{
    struct db_result *result;
    struct err err;
    bool used = db_is_tls(runner->db), offered = used;
    (void)value;
    if (!db_query(runner->db, &result, &err, "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('have_ssl', 'ssl_cert')"))
        return unreadable(runner, &err, "");
    const char *first = result->row_count ? db_value(result, 0, 1, NULL) : "";
    bool have_ssl = result->row_count && !strcasecmp(db_value(result, 0, 0, NULL), "have_ssl"); /* MySQL 8.4 has no such variable */
    offered |= have_ssl ? !strcasecmp(first, "YES") : first[0] != 0;
    db_result_free(result);
    report(runner, used || offered ? CHECK_OK : CHECK_WARNING, runner->check->remedy, "TLS is %s and %s",
           offered ? "offered" : "not offered", used ? "in use" : "not in use by this connection");
    return true;
}

static bool judge_clock(struct runner *runner, const char *value)
{
    double apart = strtod(value, NULL) - (double)clock_wall_us() / 1e6;
    bool good = apart < CLOCK_MAX_S && apart > -CLOCK_MAX_S;
    report(runner, good ? CHECK_OK : CHECK_WARNING, runner->check->remedy, "its clock is %.1f s %s ours", apart < 0 ? -apart : apart,
           apart < 0 ? "behind" : "ahead of");
    return true;
}

/* Tables whose system versioning counts in transactions. */
static bool judge_transaction_ids(struct runner *runner, const char *value)
{
    if (!*value) report(runner, CHECK_OK, "", "no table is system-versioned by transaction ids");
    else report(runner, runner->check->level, runner->check->remedy, "system-versioned by transaction ids: %s", value);
    return true;
}

static const struct check checks[] = {
#define CHECK(name, sides, sql, judge, good, level, remedy) {name, sides, sql, judge, good, level, remedy},
#include "checks.def"
#undef CHECK
};

static bool is_meant(const struct check *check, enum check_side side, enum db_flavour flavour)
{
    unsigned alone = check->sides & (CHECK_ON_MARIADB | CHECK_ON_MYSQL);
    return check->sides & side && (!alone || alone & (flavour == DB_MARIADB ? CHECK_ON_MARIADB : CHECK_ON_MYSQL));
}

bool checks_run(struct db *db, enum check_side side, const struct check_facts *facts, finding_fn *fn, void *context, struct err *err)
{
    struct runner runner = {.db = db, .facts = facts, .fn = fn, .context = context, .err = err};
    for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
        char value[1024];
        bool found;
        struct err failed;
        if (!is_meant(&checks[i], side, db_version(db)->flavour)) continue;
        runner.check = &checks[i];
        if (!db_scalar(db, value, sizeof value, &found, &failed, "%s", checks[i].sql)) {
            if (failed.number == UNKNOWN_VARIABLE) report(&runner, CHECK_WARNING, checks[i].remedy, "this server (%s) has no %s", db_version(db)->text, checks[i].name);
            else if (!unreadable(&runner, &failed, checks[i].remedy)) return false;
            continue;
        }
        if (!checks[i].judge(&runner, value)) return false;
    }
    return true;
}
