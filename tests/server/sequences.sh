#!/bin/bash
# Sequences: what they hand out on the source is carried over, so that the target never hands it out again: every increment and cache, cycles, SETVAL, values
# taken in transactions that are rolled back, rows whose default takes one, DDL, MINIMAL images, logs without names; and the agent killed while it delivers.
. "$(dirname "$0")/../lib.sh"
start_source "${SERVER:--}"
start_target "${SERVER:--}"
write_config
start_agent
sql source "CREATE DATABASE d; USE d;
    CREATE SEQUENCE plain; CREATE SEQUENCE bare NOCACHE; CREATE SEQUENCE own START WITH 1000000 CACHE 7;
    CREATE SEQUENCE down START WITH 10 INCREMENT BY -3 MINVALUE -5 MAXVALUE 10 CACHE 2 CYCLE;
    CREATE TABLE t (id BIGINT PRIMARY KEY DEFAULT NEXTVAL(own), v INT)"

taken() {
    sql source "USE d; SELECT NEXTVAL(plain), NEXTVAL(bare), NEXTVAL(bare), NEXTVAL(down), NEXTVAL(down), NEXTVAL(down)"
    sql source "USE d; SELECT SETVAL(plain, 70000); SELECT NEXTVAL(plain)"
    sql source "USE d; START TRANSACTION; INSERT INTO t (v) VALUES (1), (2); DO NEXTVAL(bare); ROLLBACK"
    sql source "USE d; START TRANSACTION; INSERT INTO t (v) VALUES (3); SAVEPOINT s; INSERT INTO t (v) SELECT seq FROM seq_1_to_20; ROLLBACK TO s; COMMIT"
    sql source "USE d; INSERT INTO bare VALUES (500000, 1, 900000, 1, 1, 0, 0, 0); DO SETVAL(bare, 500010)"
} >>"$DIR/taken.out"
equal() {
    wait_delivered
    compare
}
taken
equal
[ "$(sql target "SELECT TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA='d' AND TABLE_NAME='own'")" = SEQUENCE ] || fail "own is no sequence"

# a MINIMAL image has two of the eight columns
sql source "SET GLOBAL binlog_row_image=MINIMAL"
taken
equal
sql source "SET GLOBAL binlog_row_image=FULL, GLOBAL binlog_row_metadata=NO_LOG"
taken
sql source "USE d; ALTER SEQUENCE bare RESTART 40 INCREMENT BY 5; DO NEXTVAL(bare); RENAME TABLE plain TO other; DO NEXTVAL(other), NEXTVAL(other); CREATE OR REPLACE SEQUENCE down
    INCREMENT BY 0; DO NEXTVAL(down); DROP SEQUENCE other; CREATE SEQUENCE plain MAXVALUE 900 CACHE 50; DO NEXTVAL(plain); ALTER SEQUENCE plain MAXVALUE 100000; DO NEXTVAL(plain)"
equal
sql source "SET GLOBAL binlog_row_metadata=FULL"

# killed while it delivers: what was handed out before the target took over is never handed out again
for ((i = 0; i < 400; i++)); do
    echo "USE d; INSERT INTO t (v) VALUES ($i); START TRANSACTION; INSERT INTO t (v) VALUES (-$i); DO NEXTVAL(bare), NEXTVAL(plain); ROLLBACK;"
done >"$DIR/writes.sql"
kill_while_writing 4 <"$DIR/writes.sql"
equal
next=$(sql source "SELECT next_not_cached_value FROM d.own")
highest=$(sql source "SELECT MAX(id) FROM d.t")
given=$(sql target "SELECT NEXTVAL(d.own)")
if [ "$given" != "$next" ] || [ "$given" -le "$highest" ]; then differ "the target hands out $given, the source's reservation ends at $next, its highest id is $highest"; fi

# one that only the source has is named
sql target "DROP TABLE d.t; DROP SEQUENCE d.own"
sql source "USE d; INSERT INTO t (v) SELECT seq FROM seq_1_to_10"
await_state sinks.0.state stopped
says sinks.0.reason 'd.own is a SEQUENCE on the source, and none on the target'
