#!/bin/bash
# The source comes back without its last transactions (an older copy of its disk): diverged, named, the target left alone; and still
# so when the source has written again.
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
await_state source.state idle
sql source "INSERT INTO d.t VALUES (2, 2); INSERT INTO d.t VALUES (3, 3); DELETE FROM d.t WHERE id = 1"
wait_delivered
lost=$(source_gtid)
kill_server source
rm -rf "$DIR/source"
mv "$DIR/before" "$DIR/source"
start_source
# the agent runs on: its next connection finds a source that is behind it
await_state source.state diverged
says source.reason "${lost##*-}|behind|lacks|not.*binary log"
says source.remedy .
sql source "INSERT INTO d.t VALUES (9, 9)"
kill_agent
start_agent
await_state source.state diverged
[ "$(sql target 'SELECT GROUP_CONCAT(id ORDER BY id) FROM d.t')" = 2,3 ] || fail "the target was changed"
code=0
ctl_agent ready >/dev/null 2>&1 || code=$?
[ $code = 1 ] || fail "ready ended with $code"
stop_agent
