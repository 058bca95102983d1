#!/bin/bash
# What clients write on the source is on the target, row by row: all column types, DDL in between, one larger transaction.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
write_config
start_agent
workload --clients 4 --seconds 4 --ddl-ms 400 --big-rows 5000
wait_delivered
compare
await_state source.state idle
stop_agent
