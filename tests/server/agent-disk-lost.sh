#!/bin/bash
# The agent's disk is lost: an empty log refuses to guess, `wolfctl sink adopt` starts it from the target's own GTID set.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
write_config
start_agent
sql source "CREATE DATABASE d; USE d; CREATE TABLE d.t (id INT PRIMARY KEY, n INT); INSERT INTO d.t SELECT seq, 0 FROM d.seq_1_to_100"
wait_delivered
kill_agent
rm -rf "$DIR/wal"
sql source "UPDATE d.t SET n = n + 1"
launch_agent
seen() { grep -qi 'adopt' "$DIR/agent.log"; }
wait_for 30 "the agent names sink adopt" seen
[ "$(sql target 'SELECT SUM(n) FROM d.t')" = 0 ] || fail "it guessed"
if kill -0 "$AGENT_PID" 2>/dev/null; then kill_agent; fi
rm -rf "$DIR/wal"
ctl --config "$CONFIG" sink adopt --sink target --yes || fail "sink adopt failed"
start_agent
wait_delivered
compare
sql source "UPDATE d.t SET n = n + 1"
wait_delivered
compare
stop_agent
