#!/bin/bash
# The source was set back and its history went another way: the same GTID carries other rows. State diverged, nothing delivered.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
write_config
start_agent
sql source "CREATE DATABASE d; USE d; CREATE TABLE d.t (id INT PRIMARY KEY, v INT); INSERT INTO d.t VALUES (1, 1)"
wait_delivered
stop_server source
cp -a "$DIR/source" "$DIR/before"
start_source
wait_for 20 "the agent is back" state_is source.state idle
sql source "INSERT INTO d.t VALUES (2, 2)"
wait_delivered
stop_agent
stop_server source
rm -rf "$DIR/source"
mv "$DIR/before" "$DIR/source"
start_source
sql source "INSERT INTO d.t VALUES (2, 222)"
launch_agent
await_state source.state diverged
says source.remedy .
[ "$(sql target 'SELECT v FROM d.t WHERE id = 2')" = 2 ] || fail "the other history reached the target"
stop_agent
