#!/bin/bash
# A second agent delivers to the same target under the same name: it is refused or fenced, and no row arrives twice.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
write_config
start_agent
sql source "CREATE DATABASE d; USE d; CREATE TABLE d.t (id INT PRIMARY KEY, n INT); INSERT INTO d.t SELECT seq, 0 FROM d.seq_1_to_20"
wait_delivered
# the same log, as after a copy of the whole machine
cp -a "$DIR/wal" "$DIR/wal2"
sed "s|$DIR/wal|$DIR/wal2|; s|control.sock|second.sock|; s|server_id = 7301|server_id = 7302|" "$CONFIG" >"$DIR/second.toml"
chmod 600 "$DIR/second.toml"
"$BUILD/wolfcdc" --config "$DIR/second.toml" >"$DIR/second.log" 2>&1 </dev/null &
second=$!
BACKGROUND+=("$second")
wait_for 20 "the second agent" grep -q 'source.state state=\(streaming\|idle\)\|sink.stopped' "$DIR/second.log"
for ((i = 0; i < 300; i++)); do
    echo "UPDATE d.t SET n = n + 1 WHERE id = $((i % 20 + 1)); INSERT INTO d.t VALUES ($((100 + i)), $i); DO SLEEP(0.01);"
done | sql source
end_process "$second"
wait_delivered
compare
grep -qiE 'another agent|another log|fence|delivers|conflict' "$DIR/second.log" "$DIR/agent.log" || fail "neither agent says that there are two"
