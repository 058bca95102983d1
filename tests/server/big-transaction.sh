#!/bin/bash
# One transaction of many rows: whole or not at all, within bounded memory, also when the agent is killed inside it.
. "$(dirname "$0")/../lib.sh"
ROWS=${ROWS:-$([ "$LONG" = 1 ] && echo 2000000 || echo 300000)}
start_source
start_target - --max-allowed-packet=64M
write_config
start_agent
sql source "CREATE DATABASE d; USE d; CREATE TABLE d.t (id INT PRIMARY KEY, v VARCHAR(200)) ENGINE=InnoDB"
sql source "INSERT INTO d.t SELECT seq, REPEAT(CHAR(65 + seq % 26), 150) FROM d.seq_1_to_$ROWS"
sleep 0.5
kill_agent
seen=$(sql target "SELECT COUNT(*) FROM d.t" 2>/dev/null || echo 0)
[ "$seen" = 0 ] || [ "$seen" = "$ROWS" ] || differ "$seen of $ROWS rows are visible"
start_agent
wait_delivered 120
peak=$(sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$AGENT_PID/status")
say "peak memory of the agent: $((peak / 1024)) MiB"
[ "$peak" -lt $((256 * 1024)) ] || fail "the agent used $((peak / 1024)) MiB"
compare
stop_agent
