#!/bin/bash
# The target is restored from an older backup: the log is rewound to what the target has, and everything since arrives again.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
write_config
start_agent
sql source "CREATE DATABASE d; USE d; CREATE TABLE d.t (id INT PRIMARY KEY, n INT); INSERT INTO d.t SELECT seq, 0 FROM d.seq_1_to_100"
wait_delivered
stop_server target
cp -a "$DIR/target" "$DIR/backup"
start_target
for ((i = 0; i < 50; i++)); do echo "UPDATE d.t SET n = n + 1 WHERE id <= 50; DELETE FROM d.t WHERE id = $((100 - i));"; done | sql source
wait_delivered
compare
stop_server target
rm -rf "$DIR/target"
mv "$DIR/backup" "$DIR/target"
start_target
sql source "INSERT INTO d.t VALUES (1000, 1)"
wait_delivered
compare
stop_agent
