/*
 * db.h: a connection to a MariaDB or MySQL server, over libmariadb, or over libmysqlclient where that is asked for (db_library.h). One thread at a
 * time, but db_shutdown.
 *
 * Three ways to speak: db_exec / db_rows for ordinary SQL, db_send + db_reply for statements in flight one behind the
 * other (send several, then read as many replies), db_packet for the replication stream. Every call goes
 * through one fault point, so that tests can fail the nth. Errors carry the server's number; the code says:
 * ERR_RETRY connection lost, lock wait, deadlock, shutdown, read-only; ERR_DENIED 1044 1045 1142 1227 and TLS; else ERR_STOP.
 */
#ifndef WOLFCDC_DB_H
#define WOLFCDC_DB_H
#include "buf.h"
#include "err.h"

struct db;

/* Which client library speaks. Statements in flight (db_send, db_reply, db_prepare) are libmariadb's alone. AUTO: libmariadb, and libmysqlclient where
   that has no way to log in to the account. */
enum db_driver { DB_DRIVER_LIBMARIADB, DB_DRIVER_MYSQLCLIENT, DB_DRIVER_AUTO };

/* Connection keys shared by [source] and [[sink]]. Text is owned by the configuration. */
struct db_options {
    const char *host;          /* NULL with socket */
    const char *socket;        /* Unix socket path or NULL */
    unsigned port;
    const char *user, *password;   /* password NULL: none */
    const char *ssl_ca, *ssl_cert, *ssl_key;
    bool ssl;                      /* require TLS; implied by any ssl_* key */
    bool ssl_verify_server_cert;   /* default true when TLS is used with ssl_ca */
    const char *plugin_dir;        /* client auth plugins, NULL = the library's own */
    uint32_t connect_timeout_ms, read_timeout_ms; /* 0: 10 s; 0: none */
    uint32_t patience_ms;          /* the read timeout for a library that cannot change it later, where it is the longer one */
    enum db_driver driver;
    bool found_rows;               /* CLIENT_FOUND_ROWS */
    const char *database;          /* of the login; NULL: none */
    const char *name;              /* for messages: "source db1:3306" */
};

static inline bool db_wants_tls(const struct db_options *options)
{
    return options->ssl || options->ssl_ca || options->ssl_cert || options->ssl_key;
}

enum db_flavour { DB_MARIADB, DB_MYSQL };
struct db_version { enum db_flavour flavour; unsigned major, minor, patch; char text[96]; };

/* Owned. Connected, authenticated, `SET NAMES` not yet said. */
MUST_CHECK bool db_open(const struct db_options *options, struct db **db, struct err *err);
void db_close(struct db *db);
/* Any thread: makes a blocked read or write of the owner return with ERR_RETRY. */
void db_shutdown(struct db *db);
const struct db_version *db_version(const struct db *db);
/* Numeric compare, so that 10.11 > 10.6 and 26.7 > 9.7. */
bool db_version_at_least(const struct db_version *version, unsigned major, unsigned minor);
uint32_t db_thread_id(const struct db *db); /* the server's connection id */
bool db_is_tls(const struct db *db);
const char *db_library_name(const struct db *db);

/* A statement without result set. */
MUST_CHECK bool db_exec(struct db *db, struct err *err, const char *format, ...) __attribute__((format(printf, 3, 4)));
MUST_CHECK bool db_exec_bytes(struct db *db, struct slice sql, struct err *err);

/* A result set of a few rows, kept whole (limit DB_RESULT_MAX bytes: ERR_LIMIT). */
struct db_result { uint32_t column_count; uint64_t row_count; struct arena_block *opaque; void *rows; };
MUST_CHECK bool db_query(struct db *db, struct db_result **result, struct err *err, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* db_query in two steps, so that several servers can be asked at once: each db_ask needs its db_answer before anything else is said. */
MUST_CHECK bool db_ask(struct db *db, struct slice sql, struct err *err);
MUST_CHECK bool db_answer(struct db *db, struct db_result **result, struct err *err);
/* NULL for SQL NULL; NUL-terminated, size in *size when not NULL. Lives as long as the result. */
const char *db_value(const struct db_result *result, uint64_t row, uint32_t column, size_t *size);
const char *db_column_name(const struct db_result *result, uint32_t column);
int db_column_index(const struct db_result *result, const char *name); /* -1; case folded */
void db_result_free(struct db_result *result);
/* Row by row, unbuffered, for large results. `row` gets borrowed values; returning false ends the reading (the
   connection is then only good for db_close). */
typedef bool db_row_fn(void *context, uint32_t column_count, const struct slice *values /* data NULL: NULL */, struct err *err);
MUST_CHECK bool db_rows(struct db *db, struct slice sql, db_row_fn *row, void *context, struct err *err);
/* The one value of the first row as text into out[room], "" for NULL or none; *found says whether there was a row with a
   value. */
MUST_CHECK bool db_scalar(struct db *db, char *out, size_t room, bool *found, struct err *err, const char *format, ...)
    __attribute__((format(printf, 6, 7)));
/* 'text' quoted and escaped for this server into *out (NO_BACKSLASH_ESCAPES must be off). */
void db_quote(struct buf *out, struct slice text);
void db_quote_name(struct buf *out, struct slice name); /* `name` */

/* Statements in flight. Replies come in the order of sending; each must be read. */
enum { DB_COM_QUERY = 3, DB_COM_STMT_PREPARE = 22, DB_COM_STMT_EXECUTE = 23, DB_COM_STMT_CLOSE = 25,
       DB_COM_STMT_BULK_EXECUTE = 250, DB_COM_BINLOG_DUMP = 18, DB_COM_REGISTER_SLAVE = 21, DB_COM_BINLOG_DUMP_GTID = 30,
       DB_SEMI_SYNC_ACK = 0xef };
MUST_CHECK bool db_send(struct db *db, unsigned command, struct slice payload, struct err *err);
struct db_reply { uint64_t affected, insert_id; uint16_t status, warnings; bool in_transaction; };
/* An OK packet, or the server's error as err. A result set is read to its end; its rows are nobody's. */
MUST_CHECK bool db_reply(struct db *db, struct db_reply *reply, struct err *err);
struct db_statement { uint32_t id; uint16_t parameters, columns; };
MUST_CHECK bool db_prepare(struct db *db, struct slice sql, struct db_statement *statement, struct err *err);
void db_statement_close(struct db *db, const struct db_statement *statement); /* no reply */

/* Asks for the binary log: of a file from an offset, or, by_set, what is not in a set of GTIDs (as the body of PREVIOUS_GTIDS has it). Both are borrowed
   until the next db call that is not of the dump. The server's refusal comes with the first packet. */
struct db_dump { const char *file; uint64_t offset; unsigned flags; uint32_t server_id; bool by_set; struct slice set; };
MUST_CHECK bool db_dump(struct db *db, const struct db_dump *dump, struct err *err);
/* Whether commands of ours go over this connection: over TLS libmysqlclient has no way for them. */
bool db_has_commands(const struct db *db);
/* A command that is answered by an OK packet, and one that is not answered. */
MUST_CHECK bool db_command(struct db *db, unsigned command, struct slice payload, struct err *err);
MUST_CHECK bool db_tell(struct db *db, unsigned command, struct slice payload, struct err *err);
/* The next packet of a dump, without its 4-byte header and with continuation packets joined; borrowed until the next
   call. An ERR packet becomes err (text and number as the server's); *eof for an EOF packet. */
MUST_CHECK bool db_packet(struct db *db, struct slice *packet, bool *eof, struct err *err);
/* The packet lent last wants a semi-synchronous acknowledgement: after it the server's count of packets is another. */
void db_reply_due(struct db *db);
/* True when another packet can be had without a system call or the socket has bytes: tells an idle stream. */
bool db_packet_ready(struct db *db);
/* Waits at most ms until something can be read: for who has more to look at than this reply. */
bool db_wait(struct db *db, uint32_t ms);
/* The same, or until that descriptor has something. */
void db_wait_with(struct db *db, int fd, uint32_t ms);
/* Changes the read timeout of an open connection; 0: none. */
void db_read_timeout(struct db *db, uint32_t ms);

/* Tests: the nth call from now of any db function fails as a lost connection would; 0 = off. */
void db_fault_at(uint64_t nth);
void db_library_init(void);
void db_library_end(void);

#endif
