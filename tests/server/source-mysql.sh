#!/bin/bash
# MySQL 9.7 as source of a MariaDB, gtid_mode = ON, tagged GTIDs among the others, a login with caching_sha2_password with and without TLS, while agent and
# source are killed in turn and tables change. What connectors lost here: tagged GTIDs whose event is unknown and whose set throws, a GTID that counts from its event
# instead of its COMMIT, file name and set together at a reconnect, SHOW MASTER STATUS that is gone since 8.4.
#
. "$(dirname "$0")/../lib.sh"
start_source mysql-9.sh
start_target
(umask 077 && echo admin >"$DIR/password")
ctl binlog-setup --host 127.0.0.1 --port "${PORT[source]}" --user admin --password-file "$DIR/password" --print \
    --ssl-ca "$DIR/source/tls/ca.pem" >"$DIR/setup.out" 2>"$DIR/setup.err" </dev/null || { cat "$DIR/setup.err" >&2; fail "binlog-setup refuses it"; }
grep -q "ok *source gtid_mode: gtid_mode is ON" "$DIR/setup.err" || fail "binlog-setup does not say gtid_mode"

# without TLS the password goes encrypted by the server's RSA key
write_config
start_agent
await_state source.state idle
tagged() {
    local i
    sql source "CREATE DATABASE IF NOT EXISTS tags; CREATE TABLE IF NOT EXISTS tags.t (id INT PRIMARY KEY, v VARCHAR(40))"
    for ((i = 0; i < 300; i++)); do
        echo "SET gtid_next='AUTOMATIC:tag_$((i % 3))'; REPLACE INTO tags.t VALUES ($((i % 50)), 'v$i'); SET gtid_next=AUTOMATIC; DELETE FROM tags.t WHERE id=$((i % 7));"
    done | sql source
    sql source "CREATE TABLE tags.copy AS SELECT * FROM tags.t" # one group: BEGIN, CREATE TABLE … START TRANSACTION, rows, XID
    sql source "SET gtid_next='$(sql source 'SELECT @@server_uuid'):empty:1'; BEGIN; COMMIT"
}
# cascades are in this source's log, row by row: a target that made its own as well would take what came after them in the same transaction
sql source "CREATE DATABASE fk CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci; USE fk; CREATE TABLE p (id INT PRIMARY KEY, v INT);
    CREATE TABLE c (id INT PRIMARY KEY, p INT, v INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE ON UPDATE CASCADE);
    CREATE TABLE n (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE SET NULL ON UPDATE CASCADE);
    CREATE TABLE own (id INT PRIMARY KEY, up INT, FOREIGN KEY (up) REFERENCES own (id) ON DELETE CASCADE);
    INSERT INTO p VALUES (1, 1), (2, 2), (3, 3), (4, 4); INSERT INTO c VALUES (10, 1, 0), (11, 1, 0), (20, 2, 0), (30, 3, 0); INSERT INTO n VALUES (10, 1), (20, 2), (30, 3);
    INSERT INTO own VALUES (1, NULL), (2, 1), (3, 2), (4, 3), (5, 5);
    DELETE FROM p WHERE id = 1; UPDATE p SET id = 22 WHERE id = 2; DELETE FROM own WHERE id = 1;
    BEGIN; INSERT INTO c VALUES (40, 4, 1); DELETE FROM p WHERE id > 2 AND id < 9; INSERT INTO p VALUES (4, 44), (3, 33); INSERT INTO c VALUES (30, 3, 1), (40, 4, 2); UPDATE n SET p = 3 WHERE p IS NULL; COMMIT"
start_workload --clients 3 --seconds 9 --ddl-ms 700 --big-rows 3000
tagged
kill_agent
sleep 0.5
start_agent
sleep 1
kill_server source
sleep 0.3
start_source
sleep 1
kill_agent
write_config "source.ssl_ca=\"$DIR/source/tls/ca.pem\""
start_agent
sql source "FLUSH BINARY LOGS"
join_workload
wait_delivered
compare
state_is source.tls true || fail "no TLS"
says source.gtids ':tag_0:1-100:tag_1:1-100:tag_2:1-100'
says source.gtids ':empty:1'
log_says 'source.proven gtid=[0-9a-f-]{36}:'
# the log knows them by name
uuid=$(sql source 'SELECT @@server_uuid')
ctl wal dump --dir "$DIR/wal" --gtid "$uuid:tag_1:7" --json >"$DIR/one.json" || fail "wal dump --gtid"
[ "$(grep -c '"op":"commit"' "$DIR/one.json")" = 1 ] || fail "wal dump --gtid shows $(wc -l <"$DIR/one.json") lines"
ctl_agent wait --gtid "$uuid:tag_1:7" || fail "wait --gtid"
stop_agent

# the last transaction is purged, nothing after it: goes on by GTID alone; one that is needed is purged: said; the source lost its history: said
purge() { sql source "FLUSH BINARY LOGS"; sql source "PURGE BINARY LOGS TO '$(sql source 'SHOW BINARY LOG STATUS' | cut -f1)'"; }
purge
start_agent
await_state source.unproven true
sql source "INSERT INTO tags.t VALUES (900, 'unproven')"
wait_delivered
stop_agent
sql source "INSERT INTO tags.t VALUES (901, 'lost')"
purge
start_agent
await_state source.state purged
says source.reason 'needed is all that follows'
stop_agent
sql source "RESET BINARY LOGS AND GTIDS"
start_agent
await_state source.state diverged
says source.reason "the log has '$uuid"
stop_agent

# a set typed wrong is said with the part that is wrong, before anything is taken
write_config "source.start_gtid=\"$uuid:1-5:my-tag:1\""
! "${AGENT[@]}" --config "$CONFIG" --check >"$DIR/bad.out" 2>&1 || fail "a tagged set typed wrong is taken"
grep -q "'my-tag' in" "$DIR/bad.out" || { cat "$DIR/bad.out" >&2; fail "the wrong part is not named"; }
