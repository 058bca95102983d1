#!/bin/bash
# Statements that failed on the source in the midst: DROP of one table that is there and one that is not ends alike on both sides;
# a statement that was killed halfway is refused by name, never run whole.
. "$(dirname "$0")/../lib.sh"
start_source - --binlog-format=MIXED
start_target
write_config
start_agent
sql source "CREATE DATABASE d; USE d; CREATE TABLE a (id INT PRIMARY KEY); CREATE TABLE b (id INT PRIMARY KEY);
    CREATE TABLE my (id INT PRIMARY KEY AUTO_INCREMENT, v INT) ENGINE=MyISAM"
wait_delivered
# the same engine there would be refused: it cannot roll back
sql target "ALTER TABLE d.my ENGINE=InnoDB"
sql source "USE d; INSERT INTO my (v) SELECT 0 FROM seq_1_to_2000"
wait_delivered
sql source "USE d; DROP TABLE a, nothere" 2>/dev/null && fail "the source did not refuse"
sql source "INSERT INTO d.b VALUES (1)"
wait_delivered
compare
[ -z "$(sql target "SHOW TABLES IN d LIKE 'a'")" ] || fail "the table that was there is still there"
# it fails when the old table is gone already, and is logged with its error
sql source "USE d; CREATE TABLE replaced (id INT); CREATE OR REPLACE TABLE replaced (id INT, v VARCHAR(99) AS (CONCAT(id, '$(printf '%065535d' 0)')))" 2>/dev/null &&
    fail "the source did not refuse"
wait_delivered
[ -z "$(sql source "SHOW TABLES IN d LIKE 'replaced'")" ] || fail "the source still has the table"
[ -z "$(sql target "SHOW TABLES IN d LIKE 'replaced'")" ] || fail "the target still has the table"
sql source "SET SESSION binlog_format = STATEMENT; USE d; UPDATE my SET v = v + 1 WHERE SLEEP(0.005) = 0" 2>/dev/null &
writer=$!
running() { sql source "SELECT ID FROM information_schema.PROCESSLIST WHERE INFO LIKE '%UPDATE my SET%' AND INFO NOT LIKE '%PROCESSLIST%' AND STATE LIKE 'User sleep%'" | grep .; }
wait_for 5 "the update" running
sleep 1
sql source "KILL QUERY $(running | head -n 1)"
wait "$writer" || true
half=$(sql source "SELECT SUM(v) FROM d.my")
{ [ "$half" -gt 0 ] && [ "$half" -lt 2000 ]; } || fail "the statement was not killed halfway ($half)"
await_state source.state stopped
says source.reason '1317|interrupted|failed|error'
[ "$(sql target 'SELECT SUM(v) FROM d.my')" = 0 ] || fail "it was run whole"
stop_agent
