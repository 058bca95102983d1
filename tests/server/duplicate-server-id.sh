#!/bin/bash
# Another replica takes our server_id: said by name at the agent, and capture is not fought over for ever.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
write_config "source.server_id=${PORT[source]}"
launch_agent
# the source's own number
for ((i = 0; i < 100; i++)); do
    ! grep -qi 'server_id' "$DIR/agent.log" || break
    sleep 0.1
done
log_says "server_id"
if kill -0 "$AGENT_PID" 2>/dev/null; then kill_agent; fi
: >"$DIR/agent.log"
# a second agent with ours
write_config
start_agent
sql source "CREATE DATABASE d; USE d; CREATE TABLE d.t (id INT PRIMARY KEY)"
wait_delivered
first=$AGENT_PID
sed "s|$DIR/wal|$DIR/wal2|; s|control.sock|second.sock|; s|name = \"target\"|name = \"other\"|" "$CONFIG" >"$DIR/second.toml"
chmod 600 "$DIR/second.toml"
"$BUILD/wolfcdc" --config "$DIR/second.toml" >"$DIR/second.log" 2>&1 </dev/null &
BACKGROUND+=($!)
said() { grep -qiE 'server_id' "$DIR/agent.log" || grep -qiE 'server_id' "$DIR/second.log"; }
wait_for 40 "one of the two says that the server_id is taken" said
kill -0 "$first" || fail "the first agent ended"
