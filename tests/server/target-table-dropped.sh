#!/bin/bash
# A table of the target is gone: delivery stops and names it; put back, it goes on without a loss.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
write_config
start_agent
sql source "CREATE DATABASE d; USE d; CREATE TABLE d.t (id INT PRIMARY KEY, v INT); INSERT INTO d.t VALUES (1, 1)"
wait_delivered
sql target "RENAME TABLE d.t TO d.hidden"
sql source "INSERT INTO d.t VALUES (2, 2)"
seen() { status_of sinks.0.reason | grep -qiE 'd\W*\.\W*t'; }
wait_for 20 "the sink names the table" seen
[ "$(sql target 'SELECT COUNT(*) FROM d.hidden')" = 1 ] || fail "the hidden table changed"
sql target "RENAME TABLE d.hidden TO d.t"
ctl_agent resume --sink target
wait_delivered
compare
stop_agent
