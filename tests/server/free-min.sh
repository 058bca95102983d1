#!/bin/bash
# free_min_mb pauses capture before the disk is full; delivery goes on; space returns, capture resumes by itself.
. "$(dirname "$0")/../lib.sh"
[ "$(id -u)" = 0 ] || skip "a small disk of its own needs root"
mkdir -p "$DIR/disk"
mount -t tmpfs -o size=128m tmpfs "$DIR/disk" 2>/dev/null || skip "tmpfs cannot be mounted here"
scenario_cleanup() { umount -l "$DIR/disk" 2>/dev/null; }
start_source
start_target
write_config "wal.dir=\"$DIR/disk/wal\"" wal.segment_size_mb=4 wal.free_min_mb=60
start_agent
sql source "CREATE DATABASE d; USE d; CREATE TABLE d.t (id INT PRIMARY KEY AUTO_INCREMENT, v VARBINARY(2000)) ENGINE=InnoDB"
wait_delivered
left=$(df --output=avail -k "$DIR/disk" | tail -n 1)
head -c "$(((left - 50 * 1024) * 1024))" /dev/zero >"$DIR/disk/hog"
sql source "INSERT INTO d.t (v) SELECT RANDOM_BYTES(1000) FROM d.seq_1_to_1000"
await_state source.state paused 30
says source.reason 'free|space|disk'
rm -f "$DIR/disk/hog"
wait_delivered 60
compare
stop_agent
