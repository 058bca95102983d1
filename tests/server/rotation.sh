#!/bin/bash
# The source rotates and restarts all the time, in order and by crash: nothing is lost and nothing comes twice.
. "$(dirname "$0")/../lib.sh"
start_source - --max-binlog-size=65536
start_target
write_config
start_agent
workload --setup-only
start_workload --no-setup --clients 3 --seconds 8
for i in 1 2 3; do
    sleep 0.7
    sql source "FLUSH BINARY LOGS" || true
    sleep 0.4
    stop_server source
    start_source
    sleep 0.6
    kill_server source
    start_source
done
join_workload
wait_delivered
compare
stop_agent
