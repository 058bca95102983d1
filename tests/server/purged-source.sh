#!/bin/bash
# The source no longer has what we need: state purged with what is missing; nothing is skipped.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
write_config
start_agent
sql source "CREATE DATABASE d; USE d; CREATE TABLE d.t (id INT PRIMARY KEY); INSERT INTO d.t VALUES (1)"
wait_delivered
kill_agent
sql source "INSERT INTO d.t VALUES (2); FLUSH BINARY LOGS; INSERT INTO d.t VALUES (3); FLUSH BINARY LOGS"
sleep 0.5
sql source "PURGE BINARY LOGS TO '$(sql source 'SHOW MASTER STATUS' | cut -f1)'"
launch_agent
await_state source.state purged
says source.remedy .
[ "$(sql target 'SELECT GROUP_CONCAT(id) FROM d.t')" = 1 ] || fail "something was delivered over the gap"
stop_agent
