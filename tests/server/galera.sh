#!/bin/bash
# A Galera cluster of three as source, hosts = its nodes, wsrep_gtid_mode=ON. The node that we read from is cut off from the others (it only falls
# silent), then one is killed, both under load: capture moves on, and source and target are equal. Then a node goes on alone and is lost with
# what only it and we have: the cluster comes back from another node, with other transactions under these GTIDs and another server_id in the same
# domain. That is `diverged`, with both sides named, and never delivered. Without wsrep_gtid_mode hosts are refused by name.
# (--long.) (What broke others: a cluster loses committed transactions in crashes, and the stream went on as if nothing was.)
. "$(dirname "$0")/../lib.sh"
# three ports beside each other and those of the cluster: up to 32 above, so away from where other scenarios take theirs
GALERA_PORT=${GALERA_PORT:-$((PORT_BASE + 7000 + RANDOM % 20 * 40))}
galera() { "$HERE/servers/galera.sh" "$1" "$DIR/g" "${@:2}"; }
scenario_cleanup() { galera stop || true; }
on() { mariadb --no-defaults --user=root --socket="$DIR/g/node$1/sock" -N -B -e "$2"; }
at_node() { state_is source.server "127.0.0.1:$((GALERA_PORT + $1 - 1))"; }
elsewhere() { local at; at=$(status_of source.server); [ -n "$at" ] && [ "$at" != "127.0.0.1:$((GALERA_PORT + $1 - 1))" ]; }
node_of() { local at; at=$(status_of source.server); echo $((${at##*:} - GALERA_PORT + 1)); }
load() { # load NODE SECONDS DATABASE
    "$BUILD/tests/tools/workload" --host 127.0.0.1 --port $((GALERA_PORT + $1 - 1)) --user admin --password-file "$DIR/password" --seed "$SEED" \
        --quiet --kind oltp --database "$3" --seconds "$2" --clients 2 --rate 100 >>"$DIR/workload.log" 2>&1 &
    LOAD_PID=$!
    BACKGROUND+=("$LOAD_PID")
}
synced() { [ "$(on "$1" "SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'wsrep_local_state_comment'")" = Synced ]; }
compare_with() {
    "$BUILD/tests/tools/compare" --source-socket "$DIR/g/node$1/sock" --target-socket "$DIR/target/sock" "${@:2}" >"$DIR/compare.out" 2>&1 ||
        { tail -n 40 "$DIR/compare.out" >&2; differ "node $1 and target differ"; }
    say "$(tail -n 1 "$DIR/compare.out")"
}

[ "$LONG" = 1 ] || skip "a cluster of three takes two minutes: --long"
[ -e /usr/lib/galera/libgalera_smm.so ] || skip "the package galera-4 is not installed"
galera start "$GALERA_PORT" --innodb-flush-log-at-trx-commit=2 --sync-binlog=1
start_target
SOURCE_PORT=1 # of no meaning: hosts say it
hosts=
for n in 1 2 3; do hosts+="${hosts:+, }\"127.0.0.1:$((GALERA_PORT + n - 1))\""; done
write_config source.host=- source.port=- "source.hosts=[$hosts]" source.heartbeat_ms=500
start_agent
await_state source.state idle
at_node 1 || fail "it does not begin at the first of the hosts"

# silent, but alive
load 3 12 shop
wait_for 30 "changes" taken 50
on 1 "SET GLOBAL wsrep_provider_options='gmcast.isolate=1'"
wait_for 40 "another node" elsewhere 1
log_says 'cut off from its cluster'
before=$(status_of source.transactions)
wait_for 30 "changes of another node" taken "$before"
wait "$LOAD_PID" || fail "the workload failed"
on 1 "SET GLOBAL wsrep_provider_options='gmcast.isolate=0'"
wait_for 60 "node 1 again" synced 1
wait_delivered
compare_with 3 shop

# killed
dead=$(node_of)
[ "$dead" != 1 ] || fail "it went back by itself"
left=$((5 - dead)) # of 2 and 3
load $left 6 shop2
before=$(status_of source.transactions)
wait_for 30 "changes" taken $((before + 50))
galera kill "$dead"
died=$(date +%s%N) before=$(status_of source.transactions)
wait_for 30 "changes of another node" taken "$before"
say "from the death of the node to the next change: $((($(date +%s%N) - died) / 1000000)) ms"
wait "$LOAD_PID" || fail "the workload failed"
wait_delivered
compare_with $left shop shop2
at_node 1 || fail "not at node 1"

# node 1 goes on alone; what it writes then is lost with it
galera kill $left
wait_for 60 "node 1 is alone" bash -c "[ \"\$(mariadb --no-defaults -uroot --socket='$DIR/g/node1/sock' -NBe \"SHOW GLOBAL STATUS LIKE 'wsrep_cluster_status'\" | cut -f2)\" = non-Primary ]"
on 1 "SET GLOBAL wsrep_provider_options='pc.bootstrap=1'"
wait_for 30 "node 1 serves" synced 1
common=$(on 1 'SELECT @@gtid_binlog_pos')
on 1 "CREATE DATABASE lost; CREATE TABLE lost.t (id INT PRIMARY KEY); INSERT INTO lost.t VALUES (1); INSERT INTO lost.t VALUES (2)"
ours=$(on 1 'SELECT @@gtid_binlog_pos')
wait_for 30 "the transactions" state_is source.gtids "$ours"
ctl_agent wait --gtid "$ours" --timeout 30 >/dev/null || fail "not delivered"
galera kill 1
galera bootstrap "$GALERA_PORT" $left --innodb-flush-log-at-trx-commit=2 --sync-binlog=1
on $left "CREATE DATABASE other; CREATE TABLE other.t (id INT PRIMARY KEY)"
theirs=$(on $left 'SELECT @@gtid_binlog_pos')
[ "${theirs#*-}" != "${ours#*-}" ] || fail "both sides have $ours"
await_state source.state diverged 60
says source.reason "part behind $common"
says source.reason "only the log has [^,]* to $ours"
says source.reason "only the source has [^,]* to $theirs"
for ((i = 0; i < 6; i++)); do on $left "INSERT INTO other.t VALUES ($i)"; done # now it has more than we
sleep 6
await_state source.state diverged 20
says source.reason "only the source has [^,]* to $(on $left 'SELECT @@gtid_binlog_pos')"
[ -z "$(sql target "SHOW DATABASES LIKE 'other'")" ] || fail "the other history reached the target"
[ "$(sql target 'SELECT COUNT(*) FROM lost.t')" = 2 ] || fail "the target was changed"
stop_agent

# GTIDs that are each node's own
on $left "SET GLOBAL wsrep_gtid_mode=OFF"
write_config source.host=- source.port=- "source.hosts=[$hosts]" "wal.dir=\"$DIR/wal2\""
launch_agent
wait_for 30 "an answer" agent_answers
await_state source.state stopped
says source.reason 'wsrep_gtid_mode'
stop_agent
