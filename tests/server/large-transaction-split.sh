#!/bin/bash
# A transaction above the target's limit: refused with figures; with large_transactions = "split" delivered in parts, and resumed
# within it after the agent was killed.
. "$(dirname "$0")/../lib.sh"
start_source
start_target - --max-binlog-cache-size=4194304 --binlog-cache-size=65536
write_config
start_agent
sql source "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, s VARCHAR(200)); INSERT INTO d.t SELECT seq, 'x' FROM d.seq_1_to_10"
wait_delivered
sql source "INSERT INTO d.t SELECT seq, REPEAT('y', 150) FROM d.seq_11_to_200000"
refused() { ctl_agent status | grep -q max_binlog_cache_size; }
wait_for 60 "the limit is named" refused
[ "$(sql target 'SELECT COUNT(*) FROM d.t')" = 10 ] || fail "a part of it is visible"
stop_agent
write_config 'sink.large_transactions="split"'
launch_agent
some() { [ "$(sql target 'SELECT COUNT(*) FROM d.t')" -gt 40000 ]; }
wait_for 60 "parts arrive" some
kill_agent
start_agent
wait_delivered
compare
sql source "UPDATE d.t SET s = 'z' WHERE id % 1000 = 0"
wait_delivered
compare
stop_agent
