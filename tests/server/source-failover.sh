#!/bin/bash
# hosts = [...]: a replica that we read from dies under load, then the primary does, then the old primary comes back with a history of its own.
# Two replication domains are written to. Capture moves each time only after proof; waits for a replica that lags; does not go back by itself; names both sides of a split brain.
# (What broke others: a GTID compared with its server id, so that any failover ended the task; a stream that went on at an unrelated offset of
# an equally named file on another server.)
. "$(dirname "$0")/../lib.sh"
replica_of() { # replica_of NAME PRIMARY [OPTION]
    sql "$1" "STOP SLAVE; CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=${PORT[$2]}, MASTER_USER='repl', MASTER_PASSWORD='repl',
        MASTER_CONNECT_RETRY=1, MASTER_USE_GTID=slave_pos ${3-}; START SLAVE"
}
gtid_of() { sql "$1" 'SELECT @@gtid_binlog_pos'; }
same_gtid() { [ "$(gtid_of "$1")" = "$(gtid_of "$2")" ]; }
compare_with() {
    "$BUILD/tests/tools/compare" --source-socket "$DIR/$1/sock" --target-socket "$DIR/target/sock" >"$DIR/compare.out" 2>&1 ||
        { tail -n 40 "$DIR/compare.out" >&2; differ "$1 and target differ"; }
    say "$(tail -n 1 "$DIR/compare.out")"
}

start_source
start_server b - --read-only=ON
start_target
replica_of b source
hosts="source.hosts=[\"127.0.0.1:${PORT[b]}\", \"127.0.0.1:${PORT[source]}\"]"
write_config source.host=- source.port=- "$hosts" source.heartbeat_ms=500
start_agent
await_state source.state idle
at_server b || fail "it does not begin at the first of the hosts"

# the replica that we read from is killed while the primary is written to
start_workload --clients 4 --rate 300
wait_for 20 "changes" taken 100
kill_server b
await_failover source
log_says 'source.proven'
start_server b # again, a replica still: it must not draw us back
kill -TERM "$WORKLOAD_PID"
join_workload
wait_delivered
if [ "$LONG" = 1 ]; then # unless it is told to, and then without flapping
    stop_agent
    write_config source.host=- source.port=- "$hosts" source.heartbeat_ms=500 source.return_ms=10000
    start_agent
    await_state source.state idle
    kill_server b
    wait_for 20 "the primary" at_server source
    start_server b
    wait_for 40 "the return to the first host" at_server b
    stop_agent
    write_config source.host=- source.port=- "$hosts" source.heartbeat_ms=500
    start_agent
    await_state source.state idle
    kill_server b
    wait_for 20 "the primary" at_server source
    start_server b
fi
sleep 1
at_server source || fail "it went back to the first host by itself"
replica_of b source ', MASTER_DELAY=3'
wait_for 30 "b has everything" same_gtid b source

# the primary is killed when we have what its replica has only 3 s later: a lag is waited for, and said
sql source "INSERT INTO shop.customers SELECT 900000, name, email, NULL FROM shop.customers LIMIT 1" 2>/dev/null ||
    sql source "CREATE TABLE shop.late (id INT PRIMARY KEY); INSERT INTO shop.late VALUES (1)"
sql source "SET SESSION gtid_domain_id=7; CREATE TABLE shop.seven (id INT PRIMARY KEY); INSERT INTO shop.seven VALUES (1)"
wait_delivered
kill_server source
wait_for 10 "the lag is said" bash -c "'$BUILD/wolfctl' --socket '$SOCKET' status | grep -q 'it is behind, and still applies'"
await_state source.state idle 20
at_server b || fail "it has not moved to the replica"
sql b "STOP SLAVE; RESET SLAVE ALL; SET GLOBAL read_only=OFF"
"$BUILD/tests/tools/workload" --host 127.0.0.1 --port "${PORT[b]}" --user admin --password-file "$DIR/password" --seed "$SEED" --quiet \
    --database shop2 --seconds 1 --rate 80 >>"$DIR/workload.log" 2>&1 || fail "the workload failed"
wait_delivered
compare_with b

# the old primary comes back and is written to: two histories
start_source
sql source "CREATE DATABASE other; CREATE TABLE other.t (id INT PRIMARY KEY); INSERT INTO other.t VALUES (1)"
theirs=$(gtid_of source | cut -d, -f1)
ours=$(gtid_of b | cut -d, -f1)
kill_server b
await_state source.state diverged
says source.reason "only the log has [^,]* to $ours"
says source.reason "only the source has [^,]* to $theirs"
[ -z "$(sql target "SHOW DATABASES LIKE 'other'")" ] || fail "the other history reached the target"
start_server b
await_state source.state idle 20
at_server b || fail "it has not gone back to the server with our history"
sql b "INSERT INTO shop.late VALUES (2)" 2>/dev/null || sql b "CREATE TABLE shop.later (id INT PRIMARY KEY)"
wait_delivered
compare_with b
stop_agent
