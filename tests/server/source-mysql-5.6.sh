#!/bin/bash
# MySQL 5.6 as source: without metadata, microseconds in its own way, events of GTIDs that end after 25 bytes, and, with gtid_mode = OFF, no event at all that announces a
# transaction. First by file and offset, then, from an empty log, by GTIDs.
. "$(dirname "$0")/../lib.sh"
load() {
    sql source "CREATE DATABASE $1 CHARACTER SET latin1; CREATE TABLE $1.t (id INT UNSIGNED PRIMARY KEY AUTO_INCREMENT, v VARCHAR(40), n DECIMAL(10,3), at DATETIME(3), e ENUM('a','b'), u BIGINT UNSIGNED)"
    sql source "CREATE TABLE $1.keyless (a INT, b VARCHAR(9)); INSERT INTO $1.keyless VALUES (1,'x'),(2,'y'); UPDATE $1.keyless SET b='z' WHERE a=1"
    local i
    for ((i = 0; i < 150; i++)); do
        echo "INSERT INTO $1.t (v,n,at,e,u) VALUES ('v$i é', $i.125, '2024-02-29 23:59:59.123', 'b', 18446744073709551615), (NULL, -$i, NULL, NULL, 0);"
        echo "BEGIN; UPDATE $1.t SET v=CONCAT('w', id) WHERE id % 13 = $((i % 13)); SAVEPOINT s; DELETE FROM $1.t WHERE id=$i; ROLLBACK TO s; DELETE FROM $1.t WHERE id=$((2 * i)); COMMIT;"
        echo "BEGIN; INSERT INTO $1.t (v) VALUES ('never'); ROLLBACK;"
    done | sql source
    sql source "ALTER TABLE $1.t ADD COLUMN more INT NOT NULL DEFAULT 7; INSERT INTO $1.t (v) VALUES ('late')"
    # as text: MySQL rounds a fraction that is too long for its column, MariaDB cuts it
    sql source "SET binlog_format=STATEMENT; INSERT INTO $1.t (v, at) VALUES ('as text', '2024-12-31 23:59:59.9996')"
}
start_source mysql-5.6.sh --gtid-mode=OFF --enforce-gtid-consistency=OFF
start_target
write_config
start_agent
await_state source.state idle
load one &
LOAD=$!
BACKGROUND+=("$LOAD")
sleep 1
kill_agent
start_agent
wait "$LOAD"
wait_delivered
compare one
says source.gtids '^[0-9]{6}:[0-9]+$'
sql source "FLUSH BINARY LOGS" # the end is where no transaction ended
wait_delivered 10
stop_agent

# a lost log is begun anew where the target is
rm -rf "$DIR/wal" "$DIR"/wal.*
ctl --config "$CONFIG" sink adopt --sink target --yes >"$DIR/adopt.out" 2>&1 || { cat "$DIR/adopt.out" >&2; fail "sink adopt"; }
sql source "INSERT INTO one.t (v) VALUES ('after adopt')"
start_agent
wait_delivered
compare one
stop_agent

# saved files first, then the server: an agent whose log is past the files does not look for its place in them again
mkdir "$DIR/saved"
sql source "FLUSH BINARY LOGS; CREATE DATABASE three; CREATE TABLE three.t (id INT PRIMARY KEY); INSERT INTO three.t VALUES (1); FLUSH BINARY LOGS"
saved=$(sql source "SHOW BINARY LOGS" | tail -n 2 | head -n 1 | cut -f1)
cp "$DIR/source/data/$saved" "$DIR/saved/"
rm -rf "$DIR/wal" "$DIR"/wal.*
sql target "DELETE FROM wolfcdc.position"
write_config "source.files=[\"$DIR/saved/$saved\"]" source.start_gtid=-
start_agent
wait_delivered
sql source "INSERT INTO three.t VALUES (2); FLUSH BINARY LOGS; INSERT INTO three.t VALUES (3)"
wait_delivered
stop_agent
sql source "INSERT INTO three.t VALUES (4)"
start_agent
wait_delivered
compare three
stop_agent

# the same server with GTIDs; the rows are on the target, so the log begins at its end
stop_server source
OPTIONS[source]="--gtid-mode=ON --enforce-gtid-consistency=ON"
start_source
rm -rf "$DIR/wal" "$DIR"/wal.*
sql target "DELETE FROM wolfcdc.position"
write_config source.start_gtid=-
start_agent
await_state source.state idle
load two &
LOAD=$!
BACKGROUND+=("$LOAD")
sleep 1
kill_agent
start_agent
wait "$LOAD"
wait_delivered
compare one two
says source.gtids '^[0-9a-f-]{36}:1-[0-9]+$'
log_says 'source.proven gtid=[0-9a-f-]{36}:'
stop_agent
