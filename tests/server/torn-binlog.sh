#!/bin/bash
# The source is killed in the middle of a write to its binary log. MariaDB leaves the torn event there and opens a new file: we
# go on at that one, with nothing lost and nothing twice.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
write_config
start_agent
sql source "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v VARCHAR(100)); INSERT INTO d.t VALUES (1, 'one'), (2, 'two')"
wait_delivered
# tear: the newest file ends with the first 50 bytes of its own first event of 250 or so
tear() {
    local file
    file=$DIR/source/data/$(sql source 'SHOW MASTER STATUS' | cut -f1)
    kill_server source
    head -c 54 "$file" | tail -c 50 >"$DIR/torn"
    cat "$DIR/torn" >>"$file"
    start_source
}
for round in 1 2 3; do
    tear
    sql source "INSERT INTO d.t VALUES ($((10 + round)), 'behind the tear'); UPDATE d.t SET v = CONCAT(v, '.') WHERE id = 1"
    wait_delivered
    compare
done
# the agent is down while it happens, and has not seen all that was before the tear
kill_agent
sql source "INSERT INTO d.t VALUES (20, 'before the tear')"
tear
sql source "INSERT INTO d.t VALUES (21, 'behind the tear')"
start_agent
wait_delivered
compare
log_says torn_file
stop_agent
