#!/bin/bash
# log_bin_compress: compressed row and statement events, of a log that is encrypted on the source's disk, too.
. "$(dirname "$0")/../lib.sh"
printf '1;%032d\n' 7 >"$DIR/keys"
start_source - --log-bin-compress=ON --log-bin-compress-min-len=10 --plugin-load-add=file_key_management "--file-key-management-filename=$DIR/keys" --encrypt-binlog=ON
start_target
write_config
start_agent
workload --clients 3 --seconds 3 --ddl-ms 400 --big-rows 3000
sql source "CREATE DATABASE d; USE d; CREATE TABLE d.t (id INT PRIMARY KEY, v LONGTEXT); INSERT INTO d.t VALUES (1, REPEAT('abc', 100000));
    SET SESSION binlog_format = STATEMENT; INSERT INTO d.t VALUES (2, REPEAT('d', 300)); UPDATE d.t SET v = CONCAT(v, 'e')"
wait_delivered
compare
! grep -qF shop "$DIR"/source/data/binlog.0* || fail "the log is not encrypted"
stop_agent
