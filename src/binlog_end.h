/* binlog_end.h: where a server's binary log ends now, whatever the server. Base: capture, wolfctl wait and binlog-setup ask it. */
#ifndef WOLFCDC_BINLOG_END_H
#define WOLFCDC_BINLOG_END_H
#include "db.h"
#include "gtid.h"

/* SHOW MASTER STATUS, or what this server calls it. */
const char *binlog_status_sql(const struct db_version *version);
/* The file and offset; false, and *err empty, for an account that may not see them (MySQL: REPLICATION CLIENT, MariaDB: BINLOG MONITOR). */
MUST_CHECK bool binlog_place(struct db *db, struct source_pos *pos, struct err *err);
/* MySQL: whether transactions are known by their GTIDs there, gtid_mode = ON. Every MariaDB's are. */
MUST_CHECK bool binlog_has_gtids(struct db *db, bool *has, struct err *err);
/*
 * All that the server has: MariaDB: @@gtid_binlog_pos; MySQL: @@gtid_executed, or, `by_file`, the place in the file as the set's one
 * entry, which an account without that privilege cannot see (ERR_DENIED). File and offset beside it where they can be seen; they are taken first, so that the
 * set is never the older of the two.
 */
MUST_CHECK bool binlog_end(struct db *db, bool by_file, struct source_pos *pos, struct err *err);

#endif
