#!/bin/bash
# The last transaction in our log is purged from the source but the next one is there: goes on, and says that it is unproven.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
write_config
start_agent
sql source "CREATE DATABASE d; USE d; CREATE TABLE d.t (id INT PRIMARY KEY); INSERT INTO d.t VALUES (1)"
wait_delivered
stop_agent
sql source "FLUSH BINARY LOGS"
sleep 0.5
sql source "PURGE BINARY LOGS TO '$(sql source 'SHOW MASTER STATUS' | cut -f1)'; INSERT INTO d.t VALUES (2)"
start_agent
wait_delivered
compare
log_says unproven
stop_agent
