/*
 * change.h: one record of the log: what capture makes, the log keeps and sinks read. Borrowed throughout.
 */
#ifndef WOLFCDC_CHANGE_H
#define WOLFCDC_CHANGE_H
#include "gtid.h"
#include "row.h"
#include "xid.h"

enum change_kind { /* numbers are the log's record kinds: man 5 wolfcdc-wal */
    CHANGE_TABLE = 1,     /* a table definition; written by the log itself, never seen by sinks */
    CHANGE_BEGIN = 2,
    CHANGE_INSERT = 3,    /* after */
    CHANGE_UPDATE = 4,    /* before and after */
    CHANGE_DELETE = 5,    /* before */
    CHANGE_STATEMENT = 6,
    CHANGE_COMMIT = 7,
    CHANGE_ABORT = 8,     /* a transaction cut off midway: readers skip it whole */
    CHANGE_SNAPSHOT = 9,  /* reserved in version 1 */
    CHANGE_CHUNK = 10,    /* reserved in version 1 */
    CHANGE_HEARTBEAT = 11 /* outside transactions: the source's position while it is idle */
};

/* Row flags, from the rows event's header. */
enum { ROW_NO_FOREIGN_KEY_CHECKS = 0x02, ROW_RELAXED_UNIQUE = 0x04, ROW_NO_CHECK_CONSTRAINT = 0x80 };

enum statement_kind { /* numbers are in the log */
    STATEMENT_DML = 1,        /* a row change as text (MIXED, STATEMENT) */
    STATEMENT_CREATE_TABLE, STATEMENT_ALTER_TABLE, STATEMENT_DROP_TABLE, STATEMENT_RENAME_TABLE,
    STATEMENT_TRUNCATE, STATEMENT_CREATE_INDEX, STATEMENT_DROP_INDEX,
    STATEMENT_CREATE_DATABASE, STATEMENT_ALTER_DATABASE, STATEMENT_DROP_DATABASE,
    STATEMENT_VIEW,           /* CREATE, ALTER, DROP */
    STATEMENT_TRIGGER, STATEMENT_EVENT, STATEMENT_ROUTINE, STATEMENT_SEQUENCE,
    STATEMENT_ACCOUNT,        /* users, roles, grants: never in the log unless asked for */
    STATEMENT_TABLE_ADMIN,    /* ANALYZE OPTIMIZE REPAIR: not a change of data */
    STATEMENT_OTHER,          /* known to be a change, of no kind above */
    STATEMENT_KINDS
};

enum { /* which parts of a statement's context are set */
    CONTEXT_FLAGS2 = 1 << 0, CONTEXT_SQL_MODE = 1 << 1, CONTEXT_CHARSET = 1 << 2, CONTEXT_TIME_ZONE = 1 << 3,
    CONTEXT_AUTO_INCREMENT = 1 << 4, CONTEXT_LC_TIME_NAMES = 1 << 5, CONTEXT_CHARSET_DATABASE = 1 << 6,
    CONTEXT_INSERT_ID = 1 << 7, CONTEXT_LAST_INSERT_ID = 1 << 8, CONTEXT_RAND = 1 << 9, CONTEXT_USER_VARS = 1 << 10,
    CONTEXT_MICROSECONDS = 1 << 11, CONTEXT_CHARSET_COLLATIONS = 1 << 12,
    CONTEXT_CHECKED = 1 << 13 /* the session had CHECK constraints on, for certain: not every server's log says it */
};

struct statement {
    enum statement_kind kind;
    bool own_commit;          /* DDL: commits by itself; DML as text: part of its transaction */
    uint32_t timestamp, microseconds;
    uint32_t thread_id, error_code;
    uint32_t context;         /* CONTEXT_… */
    uint32_t flags2;          /* FLAGS2 as in the binlog's QUERY event */
    uint64_t sql_mode;
    uint16_t charset_client, collation_connection, collation_server, charset_database, lc_time_names;
    uint16_t auto_increment_increment, auto_increment_offset;
    uint64_t insert_id, last_insert_id, rand_seed1, rand_seed2;
    struct slice time_zone;
    struct slice user_vars;   /* USER_VAR event bodies, each after a varint length */
    struct slice collations;  /* QUERY status 131: (u2 charset, u2 collation)… */
    struct slice database;    /* the session's */
    struct slice text;        /* in charset_client */
    struct slice tables;      /* tables named: (varint database, varint table)…; database "" = the session's */
    struct slice flavour;     /* whose words they are: empty MariaDB's, "mysql" MySQL's. sql_mode and flags2 are as the source has them */
};

enum commit_xa { /* what a COMMIT means for an XA transaction in two phases; numbers are in the log */
    XA_NONE,
    XA_PREPARED,    /* the rows before it wait under xid; whoever reads the log sees an empty transaction */
    XA_COMMITTED,   /* ends xid: from the source it comes without rows, in the log they stand before it */
    XA_ROLLED_BACK  /* ends xid: its rows never were */
};

struct commit {
    struct gtid previous;     /* of the same domain, before this transaction; seq 0: none known */
    struct source_pos pos;    /* after this transaction */
    uint32_t crc;             /* CRC32C over (database, table, kind, row bytes or statement text) of its changes */
    uint64_t rows;            /* row changes and statements in it */
    uint64_t received_us;     /* wall clock at which capture had all of it */
    enum commit_xa xa;
    struct xid xid;           /* xa only */
};

static inline void commit_copy(struct commit *to, const struct commit *from)
{
    to->previous = from->previous;
    source_pos_copy(&to->pos, &from->pos);
    to->crc = from->crc;
    to->rows = from->rows;
    to->received_us = from->received_us;
    to->xa = from->xa;
    if (from->xa != XA_NONE) to->xid = from->xid;
}

/* Small, and not cleared between uses: only the parts that `kind` names are valid. */
struct change {
    enum change_kind kind;
    uint64_t lsn;             /* set by the log */
    /* BEGIN, COMMIT: */
    struct gtid gtid;
    uint32_t timestamp;       /* source's clock, seconds; also rows and statements: their event's */
    uint32_t server_id;
    bool is_ddl;              /* BEGIN: the group is one DDL statement */
    /* rows: */
    const struct table *table;
    uint8_t row_flags;
    struct row before, after;
    /* BEGIN: where the group starts, for people */
    struct slice file;
    uint64_t offset;
    /* STATEMENT */
    const struct statement *statement;
    /* COMMIT, HEARTBEAT (pos only) */
    const struct commit *commit;
};

/* Next (database, table) named by a statement; false at the end. */
bool statement_tables_next(struct cursor *in, struct slice *database, struct slice *table);
const char *statement_kind_name(enum statement_kind kind);
/* The statement with everything that may be a password replaced by <redacted>, at most 1 KiB of it, for logs and
   people. Never for execution. */
void statement_redact(struct slice text, struct buf *out);
/*
 * The running CRC32C of a transaction: over each run of changes of one kind to one table (kind, database, table, then the
 * images back to back) and each statement (kind, text). How a source cuts rows into events, which differs between servers, does
 * not show. Images that lie one behind the other in memory are summed with one call: the sum borrows them until
 * change_sum_flush, which must come before their lender's next call.
 */
struct change_sum {
    uint32_t crc;            /* valid after change_sum_flush */
    uint32_t run_names;
    enum change_kind run_kind; /* 0: no run yet */
    struct slice pending;
};
void change_sum_flush(struct change_sum *sum);
void change_sum_run(struct change_sum *sum, const struct change *change); /* begins a run, or takes a statement */
static inline void change_sum_bytes(struct change_sum *sum, struct slice image)
{
    if (sum->pending.size && sum->pending.data + sum->pending.size == image.data) {
        sum->pending.size += image.size;
        return;
    }
    if (sum->pending.size) change_sum_flush(sum);
    sum->pending = image;
}
/* Start with a zeroed sum. */
static inline void change_sum_add(struct change_sum *sum, const struct change *change)
{
    if (change->kind != sum->run_kind || change->kind == CHANGE_STATEMENT || change->table->names_crc != sum->run_names) {
        change_sum_run(sum, change);
        if (change->kind == CHANGE_STATEMENT) return;
    }
    if (change->kind != CHANGE_INSERT) change_sum_bytes(sum, change->before.image);
    if (change->kind != CHANGE_DELETE) change_sum_bytes(sum, change->after.image);
}

#endif
