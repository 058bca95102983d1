#!/bin/bash
# The log's disk fills up: capture pauses and says so, what was durable stays, and with space back nothing is missing.
. "$(dirname "$0")/../lib.sh"
[ "$(id -u)" = 0 ] || skip "a small disk of its own needs root"
mkdir -p "$DIR/disk"
mount -t tmpfs -o size=48m tmpfs "$DIR/disk" 2>/dev/null || skip "tmpfs cannot be mounted here"
scenario_cleanup() { umount -l "$DIR/disk" 2>/dev/null; }
start_source
start_target
write_config "wal.dir=\"$DIR/disk/wal\"" wal.segment_size_mb=4 wal.free_min_mb=1
start_agent
sql source "CREATE DATABASE d; USE d; CREATE TABLE d.t (id INT PRIMARY KEY AUTO_INCREMENT, v VARBINARY(2000)) ENGINE=InnoDB"
wait_delivered
# leave too little for what comes; free_min_mb is below what a segment needs
left=$(df --output=avail -k "$DIR/disk" | tail -n 1)
head -c "$(((left - 3000) * 1024))" /dev/zero >"$DIR/disk/hog"
for ((i = 0; i < 12; i++)); do sql source "INSERT INTO d.t (v) SELECT RANDOM_BYTES(1000) FROM d.seq_1_to_1000"; done
sleep 3
log_says 'space|free_min_mb|disk'
rm -f "$DIR/disk/hog"
if ! kill -0 "$AGENT_PID" 2>/dev/null; then start_agent; fi
wait_delivered 90
compare
stop_agent
