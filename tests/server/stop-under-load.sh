#!/bin/bash
# SIGTERM under load ends the agent in under five seconds with exit code 0, also while a target hangs.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
write_config
for round in 1 2 3; do
    start_agent
    start_workload --database "shop$round" --clients 4 --seconds 4
    sleep 2
    if [ $round = 2 ]; then
        # a lock on the target holds delivery
        sql target "SET SESSION lock_wait_timeout = 5; FLUSH TABLES WITH READ LOCK; DO SLEEP(6)" &
        BACKGROUND+=($!)
        sleep 1
    fi
    stop_agent 5
    join_workload
done
start_agent
wait_delivered
compare
stop_agent
