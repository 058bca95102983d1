/* binlog_end.c: see binlog_end.h. */
#include "binlog_end.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

enum { UNKNOWN_VARIABLE = 1193 };

const char *binlog_status_sql(const struct db_version *version)
{
    bool renamed = version->flavour == DB_MYSQL && db_version_at_least(version, 8, 2);
    return renamed ? "SHOW BINARY LOG STATUS" : "SHOW MASTER STATUS";
}

bool binlog_place(struct db *db, struct source_pos *pos, struct err *err)
{
    struct db_result *result;
    err_clear(err);
    if (!db_query(db, &result, err, "%s", binlog_status_sql(db_version(db)))) {
        if (err->code == ERR_DENIED) err_clear(err);
        return false;
    }
    bool found = result->row_count && result->column_count >= 2;
    if (found) {
        snprintf(pos->file, sizeof pos->file, "%s", db_value(result, 0, 0, NULL));
        pos->offset = strtoull(db_value(result, 0, 1, NULL), NULL, 10);
    }
    db_result_free(result);
    return found;
}

bool binlog_has_gtids(struct db *db, bool *has, struct err *err)
{
    char mode[64];
    bool found;
    if (db_version(db)->flavour == DB_MARIADB) return *has = true;
    if (db_scalar(db, mode, sizeof mode, &found, err, "SELECT @@global.gtid_mode")) {
        *has = found && !strcasecmp(mode, "ON");
        return true;
    }
    if (err->number != UNKNOWN_VARIABLE) return false;
    *has = false; /* before 5.6 */
    return true;
}

static bool read_set(struct db *db, const char *sql, struct gtid_set *set, struct err *err)
{
    struct db_result *result;
    if (!db_query(db, &result, err, "%s", sql)) return false;
    const char *text = result->row_count ? db_value(result, 0, 0, NULL) : NULL;
    bool ok = gtid_set_parse(slice_text(text ? text : ""), set, err);
    db_result_free(result);
    return ok;
}

static bool place_as_set(struct db *db, struct source_pos *pos, struct err *err)
{
    struct gtid place = {.kind = GTID_FILE, .seq = pos->offset};
    pos->gtids.count = 0;
    if (!pos->offset)
        return err_set(err, ERR_DENIED, "the end of the binary log cannot be seen; what to do: set log_bin on the source if it is off, and GRANT REPLICATION "
                       "CLIENT ON *.* to the account: without GTIDs (gtid_mode = ON) %s is the only way to know it", binlog_status_sql(db_version(db)));
    if (!source_file_number(pos->file, &place.server))
        return err_set(err, ERR_UNSUPPORTED, "the binary log's file is '%s': its name has no number at its end", pos->file);
    return gtid_set_put(&pos->gtids, place, err);
}

bool binlog_end(struct db *db, bool by_file, struct source_pos *pos, struct err *err)
{
    struct err own;
    pos->file[0] = 0;
    pos->offset = 0;
    if (!binlog_place(db, pos, &own) && own.code == ERR_RETRY) {
        if (err) *err = own;
        return false;
    }
    if (db_version(db)->flavour == DB_MARIADB) return read_set(db, "SELECT @@global.gtid_binlog_pos", &pos->gtids, err);
    return by_file ? place_as_set(db, pos, err) : read_set(db, "SELECT @@global.gtid_executed", &pos->gtids, err);
}
