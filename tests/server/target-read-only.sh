#!/bin/bash
# The target is read-only for a while: delivery stops and says why; writable again, it goes on at a word, or by itself.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
# an account that read_only holds back
sql target "CREATE USER cdc@'%' IDENTIFIED BY 'admin'; GRANT ALL PRIVILEGES ON *.* TO cdc@'%'; REVOKE READ ONLY ADMIN, SUPER ON *.* FROM cdc@'%'"
write_config 'sink.user="cdc"'
start_agent
sql source "CREATE DATABASE d; USE d; CREATE TABLE d.t (id INT PRIMARY KEY); INSERT INTO d.t VALUES (1)"
wait_delivered
sql target "SET GLOBAL read_only = ON"
sql source "INSERT INTO d.t VALUES (2)"
seen() { status_of sinks.0.reason | grep -qiE 'read.only'; }
wait_for 20 "the sink says that the target is read-only" seen
sql target "SET GLOBAL read_only = OFF"
[ "$(status_of sinks.0.state)" != stopped ] || ctl_agent resume --sink target
wait_delivered
compare
stop_agent
