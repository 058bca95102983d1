#!/bin/bash
# Several sinks at once: one that cannot go on does not hold the other; it catches up when it is back.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
OUT=$DIR/changes.jsonl
CONFIG_TAIL=$(printf '[[sink]]\nname = "lines"\ntype = "jsonl"\npath = "%s"\n' "$OUT")
write_config
start_agent
sql source "CREATE DATABASE d; USE d; CREATE TABLE d.t (id INT PRIMARY KEY)"
wait_delivered
kill_server target
sql source "INSERT INTO d.t SELECT seq FROM d.seq_1_to_1000"
ctl_agent wait --sink lines --timeout 20 || fail "the other sink was held"
[ "$(grep -c '"op":"insert"' "$OUT")" = 1000 ] || fail "lines are missing"
start_target
wait_delivered
compare
stop_agent
