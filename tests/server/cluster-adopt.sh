#!/bin/bash
# The agent's disk is lost and its target is a cluster whose nodes stand at different places: `wolfctl sink adopt` begins the new log at the least of them, and a node that
# has more leaves out what it has, also where twice would show (rows without a key, sums, DDL). DELIVERY=leader: likewise, and then through the leader again.
. "$(dirname "$0")/../lib.sh"
start_source
for n in 1 2 3; do start_server n$n -; done
node() { echo "{ host = \"127.0.0.1\", port = ${PORT[$1]}, api_port = 1, proxy_port = 1 }"; } # no WolfScale there: the rows are delivered all the same
write_config 'sink.name="wolf"' 'sink.type="wolfscale"' sink.host=- sink.port=- "sink.nodes=[$(node n1), $(node n2), $(node n3)]" "sink.delivery=\"${DELIVERY:-nodes}\""
sink() { echo "wolf@127.0.0.1:${PORT[$1]}"; }
equal() {
    local n
    for n in n1 n2 n3; do
        "$BUILD/tests/tools/compare" --source-socket "$DIR/source/sock" --target-socket "$DIR/$n/sock" >"$DIR/compare.out" 2>&1 || { tail -n 20 "$DIR/compare.out" >&2; differ "$n differs"; }
    done
}
burst() { # one of everything that must not come twice
    sql source "USE d; UPDATE d.t SET n = n + 1; INSERT INTO d.none VALUES ($1, 'a'), ($1, 'a'); INSERT INTO d.none VALUES ($1, 'b'); ALTER TABLE d.t ADD COLUMN c$1 INT DEFAULT $1"
}
start_agent
sql source "CREATE DATABASE d; USE d; CREATE TABLE d.t (id INT PRIMARY KEY, n INT); INSERT INTO d.t SELECT seq, 0 FROM d.seq_1_to_100; CREATE TABLE d.none (a INT, b VARCHAR(10))"
burst 1
wait_delivered
ctl_agent pause --sink "$(sink n1)" >/dev/null
burst 2
ctl_agent wait --sink "$(sink n2)" --timeout 30 >/dev/null || fail "node 2 waits for node 1"
ctl_agent wait --sink "$(sink n3)" --timeout 30 >/dev/null || fail "node 3 waits for node 1"
ctl_agent pause --sink "$(sink n2)" >/dev/null
burst 3
ctl_agent wait --sink "$(sink n3)" --timeout 30 >/dev/null || fail "node 3 waits for node 2"
kill_agent
rm -rf "$DIR/wal"*
burst 4
code=0
ctl --config "$CONFIG" sink adopt "$(sink n1)" --yes >"$DIR/adopt.out" 2>&1 || code=$?
if [ $code != 2 ] || ! grep -q "adopted whole" "$DIR/adopt.out"; then fail "one node alone: $code, $(cat "$DIR/adopt.out")"; fi
stop_server n2
if ctl --config "$CONFIG" sink adopt wolf --yes >"$DIR/adopt.out" 2>&1; then fail "adopted without node 2"; fi
grep -q "node 127.0.0.1 (all are needed" "$DIR/adopt.out" || fail "$(cat "$DIR/adopt.out")"
start_server n2
ctl --config "$CONFIG" sink adopt --yes || fail "sink adopt failed"
start_agent
wait_delivered
equal
kill_agent # its first positions are real ones now
burst 5
start_agent
wait_delivered
equal
for n in n1 n2 n3; do [ "$(sql $n "SELECT COUNT(*) FROM d.none")" = 15 ] || fail "$n has $(sql $n "SELECT COUNT(*) FROM d.none") rows without a key"; done
stop_agent
