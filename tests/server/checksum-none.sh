#!/bin/bash
# The source writes no checksums, then does, while we read.
. "$(dirname "$0")/../lib.sh"
start_source - --binlog-checksum=NONE
start_target
write_config
start_agent
sql source "CREATE DATABASE d; USE d; CREATE TABLE d.t (id INT PRIMARY KEY); INSERT INTO d.t VALUES (1)"
wait_delivered
sql source "SET GLOBAL binlog_checksum = CRC32; INSERT INTO d.t VALUES (2); SET GLOBAL binlog_checksum = NONE; INSERT INTO d.t VALUES (3)"
wait_delivered
compare
stop_agent
