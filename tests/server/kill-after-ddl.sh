#!/bin/bash
# Killed when the target has done a DDL and not yet the position that says so: every kind of statement is known to be done.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
write_config
start_agent
sql source "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v INT)"
wait_delivered
# the position's table is locked; DDL and the intent before it are not
exec 7> >(sql target >/dev/null)
waits() { sql target "SELECT id FROM information_schema.processlist WHERE user = 'admin' AND state LIKE 'Waiting for table%'" | grep .; }
locked() { [ "$(sql target "SELECT IS_USED_LOCK('locked') IS NOT NULL")" = 1 ]; }
unlocked() { ! locked; }
while read -r statement; do
    echo "LOCK TABLES wolfcdc.position READ; DO GET_LOCK('locked', 0);" >&7
    wait_for 20 "the lock" locked
    sql source "$statement"
    wait_for 20 "the position after: $statement" waits
    kill_agent
    echo "UNLOCK TABLES; DO RELEASE_LOCK('locked');" >&7
    wait_for 20 "the lock's end" unlocked
    start_agent
    ctl_agent wait --timeout 20 >"$DIR/wait.out" 2>&1 || fail "after $statement: $(status_of sinks.0.reason)"
done <<'END'
CREATE DATABASE x
ALTER DATABASE x CHARACTER SET latin2
USE x; ALTER DATABASE CHARACTER SET hebrew
CREATE TABLE x.t (id INT PRIMARY KEY)
ALTER TABLE x.t ADD v INT
CREATE INDEX i ON x.t (v)
DROP INDEX i ON x.t
RENAME TABLE x.t TO x.u
CREATE VIEW x.v AS SELECT * FROM x.u
DROP VIEW x.v
CREATE PROCEDURE x.p() SELECT 1
DROP PROCEDURE x.p
CREATE FUNCTION x.f() RETURNS INT DETERMINISTIC RETURN 1
DROP FUNCTION x.f
CREATE EVENT x.e ON SCHEDULE EVERY 1 DAY DO SELECT 1
DROP EVENT x.e
DROP TABLE x.u
CREATE TABLE x.a (id INT); CREATE TABLE x.b (id INT)
DROP TABLE x.a, x.b
CREATE TABLE x.s AS SELECT 1 AS one
DROP DATABASE x
END
exec 7>&-
compare
stop_agent
