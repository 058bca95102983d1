#!/bin/bash
# Source and target MariaDB 11.8 (end_log_pos is 0 there), and a restart of the agent in between.
. "$(dirname "$0")/../lib.sh"
start_source mariadb-11.8.sh
start_target mariadb-11.8.sh
write_config
start_agent
workload --clients 3 --seconds 3 --ddl-ms 400
kill_agent
workload --database shop2 --clients 3 --seconds 2
start_agent
wait_delivered
compare
stop_agent
