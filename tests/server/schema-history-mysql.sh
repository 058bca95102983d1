#!/bin/bash
# MySQL 9.7 without names in its log (binlog_row_metadata=MINIMAL, its default): tables made of a query (one transaction, the statement and its rows), and names that are asked of the server while capture is behind.
. "$(dirname "$0")/../lib.sh"
start_source mysql-9.sh --binlog-row-metadata=MINIMAL
start_target mysql-9.sh
sql source "CREATE DATABASE d; USE d; CREATE TABLE old (id INT PRIMARY KEY, a INT, b INT); CREATE TABLE other (id INT PRIMARY KEY, v VARCHAR(9))"
write_config
start_agent
sql source "USE d; CREATE TABLE q (PRIMARY KEY (id)) AS SELECT 1 AS id, 'x' AS v UNION SELECT 2, 'y'; CREATE TABLE q2 LIKE q; INSERT INTO q2 SELECT * FROM q; INSERT INTO q VALUES (3, 'z')"
wait_delivered
compare
ctl_agent schema refresh >"$DIR/out" || fail "schema refresh: $(cat "$DIR/out")" # as if they had been there before the agent
kill_agent
sql source "USE d; CREATE TABLE r AS SELECT * FROM q; INSERT INTO other VALUES (1, 'o'); INSERT INTO old VALUES (1, 10, 20);
    ALTER TABLE old RENAME COLUMN a TO b, RENAME COLUMN b TO a; INSERT INTO old VALUES (2, 11, 21)"
start_agent
as_it_was d.old 'CREATE TABLE old (id INT PRIMARY KEY, a INT, b INT);' 'd.old: .*ALTER TABLE old RENAME COLUMN a TO b'
[ "$(sql target "SELECT GROUP_CONCAT(a, ':', b ORDER BY id) FROM d.old")" = "20:10,21:11" ] || fail "columns were mixed up: $(sql target "SELECT * FROM d.old")"
stop_agent

# ---- by file and offset, and more than one look in a session
stop_server source
stop_server target
rm -rf "${DIR:?}"/*
start_source mysql-9.sh --binlog-row-metadata=MINIMAL --gtid-mode=OFF --enforce-gtid-consistency=OFF
start_target mysql-9.sh
write_config
start_agent
sql source "CREATE DATABASE d; USE d; CREATE TABLE one (id INT PRIMARY KEY, a INT, b INT); CREATE TABLE two (id INT PRIMARY KEY, v VARCHAR(9)); INSERT INTO one VALUES (1, 1, 1)"
wait_delivered
for ((i = 2; i < 5; i++)); do
    ctl_agent schema refresh >"$DIR/out" || fail "schema refresh: $(cat "$DIR/out")"
    [ $i != 3 ] || { kill_agent; start_agent; }
    sql source "USE d; INSERT INTO one VALUES ($i, $i, 1); INSERT INTO two VALUES ($i, 'x'); ALTER TABLE one ADD INDEX i$i (a); INSERT INTO two VALUES (-$i, 'y')"
    wait_delivered
    [ $i != 4 ] || sql source "FLUSH BINARY LOGS"
done
compare
stop_agent
