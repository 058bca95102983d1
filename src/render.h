/*
 * render.h: changes as lines for people and programs: the jsonl sink, `wolfctl wal dump`, `wolfctl binlog decode` and the
 * golden tests print the same. One line per row change, statement and commit; BEGIN, ABORT and HEARTBEAT print nothing, but
 * BEGIN must be given, for its GTID and place stand in the lines after it.
 *
 * JSON, keys in this order (they are documented in man 1 wolfctl from this table):
 *   lsn        number; 0 when decoded from a binlog file
 *   gtid       "domain-server-seq" of the transaction
 *   file, pos  source's binlog: the transaction's start; in a commit the place after it
 *   ts         the source's clock, seconds since 1970
 *   server_id  number
 *   op         insert, update, delete, ddl, statement (DML that the source logged as text), commit
 *   db, table  names; ddl and statement: the session's database and the first table named, "" when there is none
 * and then, for insert, update, delete:
 *   key        the primary key's columns (before image if there is one); {} when there is none or it is unknown
 *   before     columns, null for insert
 *   after      columns, null for delete
 * for ddl and statement:
 *   kind       statement_kind_name
 *   sql        the statement as UTF-8; where it may hold a password, that is <redacted>, the text cut at 1 KiB, and
 *              "redacted":true follows
 *   session    {"sql_mode","charset","collation","collation_server","time_zone","auto_increment_increment",
 *              "auto_increment_offset","insert_id","last_insert_id","rand_seed1","rand_seed2","microseconds",
 *              "flags2","user_vars"}: those that the source logged
 * for commit:
 *   rows       row changes and statements in the transaction
 *   gtids      the source's GTID set after it
 * Values: integers, BIT and YEAR are numbers, FLOAT and DOUBLE the shortest number that reads back exactly, DECIMAL and
 * temporal values strings as SELECT prints them (time zone UTC), text UTF-8, ENUM and SET their labels (numbers where
 * the metadata lacks them), JSON columns JSON, every digit of it (the document null is {"json":null}; text that is no document, and
 * columns whose definition was not known, as strings), BINARY(n) at its full length; what is binary, or not valid in its character
 * set, is {"base64":"…"}. Absent columns are absent, NULL is null.
 *
 * CSV: RENDER_CSV_HEADER; key, before and after hold JSON; sql stands in `after` as {"sql":…}.
 * Text: time, LSN, GTID, op, table and changed columns, for reading; not for parsing.
 */
#ifndef WOLFCDC_RENDER_H
#define WOLFCDC_RENDER_H
#include "change.h"

enum render_format { RENDER_JSON, RENDER_TEXT, RENDER_CSV };
#define RENDER_CSV_HEADER "lsn,gtid,file,pos,ts,server_id,op,db,table,key,before,after\n"

struct render;
/* Owned. One thread. */
struct render *render_new(enum render_format format);
void render_free(struct render *render);
bool render_format_parse(const char *name, enum render_format *format); /* json text csv */
/* Appends what comes before the first line (CSV: the header). */
void render_start(const struct render *render, struct buf *out);
/* Appends the change's line, with its newline. False when the row does not fit its table (ERR_CORRUPT) or *out is full
   (ERR_LIMIT); *out is then as before. */
MUST_CHECK bool render_change(struct render *render, const struct change *change, struct buf *out, struct err *err);
/* One value as JSON. */
void render_value(struct render *render, const struct column *column, const struct value *value, struct buf *out);
struct json;
/* "session":{…} of a statement, as in its line. */
void render_session(const struct statement *statement, struct json *json);
/* "insert" …; NULL for kinds that print nothing. */
const char *render_op(const struct change *change);

#endif
