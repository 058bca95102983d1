#!/bin/bash
# A wrong password is said with account and remedy, for source and target, never with the password; mended, it goes on.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
write_config
echo not-the-secret >"$DIR/password"
launch_agent
wait_for 20 "the agent names the refused account" grep -qi 'admin' "$DIR/agent.log"
log_says 'denied|1045|password'
! grep -q 'not-the-secret' "$DIR/agent.log" || fail "the password is in the log"
if kill -0 "$AGENT_PID" 2>/dev/null; then kill_agent; fi
echo admin >"$DIR/password"
echo wrong-for-target >"$DIR/other"
chmod 600 "$DIR/other"
write_config "sink.password_file=\"$DIR/other\""
: >"$DIR/agent.log"
start_agent
sql source "CREATE DATABASE d; USE d; CREATE TABLE d.t (id INT PRIMARY KEY); INSERT INTO d.t VALUES (1)"
log_seen() { grep -qiE '1045|denied' "$DIR/agent.log"; }
wait_for 20 "the sink says that it was refused" log_seen
! grep -q 'wrong-for-target' "$DIR/agent.log" || fail "the password is in the log"
echo admin >"$DIR/other"
kill_agent
start_agent
wait_delivered
compare
stop_agent
