#!/bin/bash
# log_bin_compress: compressed row and statement events.
. "$(dirname "$0")/../lib.sh"
start_source - --log-bin-compress=ON --log-bin-compress-min-len=10
start_target
write_config
start_agent
workload --clients 3 --seconds 3 --ddl-ms 400 --big-rows 3000
sql source "CREATE DATABASE d; USE d; CREATE TABLE d.t (id INT PRIMARY KEY, v LONGTEXT); INSERT INTO d.t VALUES (1, REPEAT('abc', 100000));
    SET SESSION binlog_format = STATEMENT; INSERT INTO d.t VALUES (2, REPEAT('d', 300)); UPDATE d.t SET v = CONCAT(v, 'e')"
wait_delivered
compare
stop_agent
