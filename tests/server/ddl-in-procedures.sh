#!/bin/bash
# DDL in a stored procedure, and CREATE OR REPLACE, carry the flag of statements that touch a temporary table, though none is there: they are
# delivered all the same. Of MIXED sessions the log of the source tells which tables are temporary: what is done to those is left out, also
# where a permanent one of that name stands behind.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
write_config
start_agent
mariadb --no-defaults --user=root --socket="$DIR/source/sock" <<'END'
CREATE DATABASE d; USE d;
CREATE TABLE stage (id INT PRIMARY KEY, v INT); INSERT INTO stage VALUES (1, 1), (2, 2); CREATE TABLE total (n INT PRIMARY KEY);
CREATE TABLE tmp (id INT PRIMARY KEY, v INT); INSERT INTO tmp VALUES (1, 1); CREATE TABLE model (a INT PRIMARY KEY, b INT);
DELIMITER //
CREATE PROCEDURE nightly() BEGIN
    DROP TABLE IF EXISTS old; CREATE TABLE old LIKE stage; INSERT INTO old SELECT * FROM stage;
    TRUNCATE TABLE stage; ALTER TABLE stage ADD w INT DEFAULT 5; CREATE INDEX i ON stage (w); INSERT INTO stage VALUES (1, 7, 7);
    CREATE OR REPLACE TABLE old LIKE model; INSERT INTO old VALUES (9, 9); DROP INDEX i ON stage;
END//
CREATE PROCEDURE with_temporary() BEGIN
    CREATE TEMPORARY TABLE part SELECT * FROM stage; INSERT INTO total SELECT v FROM part; ALTER TABLE part ADD x INT; TRUNCATE TABLE part;
    DROP TEMPORARY TABLE part; ALTER TABLE total ADD x INT;
END//
DELIMITER ;
CALL nightly(); CALL with_temporary();
END
[ "$(sql source 'SELECT COUNT(*) FROM d.stage')" = 1 ] || fail "the procedure did not run"
sql source "USE d; CREATE OR REPLACE TABLE model (a INT PRIMARY KEY, c INT); INSERT INTO model VALUES (1, 2); CREATE OR REPLACE TABLE model LIKE stage; INSERT INTO model VALUES (1, 2, 3)"
wait_delivered
compare
say "MIXED"
sql source "SET SESSION binlog_format = MIXED; USE d; CREATE TEMPORARY TABLE tmp (z INT); ALTER TABLE tmp ADD y INT; TRUNCATE TABLE tmp; CREATE INDEX i ON tmp (y);
    ALTER TABLE tmp RENAME TO other; ALTER TABLE tmp ADD real_one INT; TRUNCATE TABLE other; DROP TEMPORARY TABLE other;
    CREATE OR REPLACE TABLE model LIKE tmp; INSERT INTO model VALUES (4, 4, 4)"
wait_delivered
compare
[ "$(sql target 'SELECT COUNT(*) FROM d.tmp')" = 1 ] || fail "what was done to a temporary table was done to a permanent one"
say "restarted behind what was left out"
(echo "SET SESSION binlog_format = MIXED; USE d; CREATE TEMPORARY TABLE passing (z INT); ALTER TABLE passing ADD y INT;"; sleep 4; echo "SELECT 1;") |
    mariadb --no-defaults --user=root --socket="$DIR/source/sock" >"$DIR/session" &
BACKGROUND+=($!)
sleep 1
wait_delivered
kill_agent
start_agent
sql source "INSERT INTO d.model VALUES (5, 5, 5)"
wait_delivered
compare
ctl_agent status --json >"$DIR/status"
[ "$("$BUILD/tests/tools/jsonget" source.unproven <"$DIR/status")" = false ] || fail "not proven: $(cat "$DIR/status")"
stop_agent
