#!/bin/bash
# A WolfScale cluster as the target, each node written directly: the rows are everywhere while the leader is killed, a follower is cut off and comes
# back, a database is killed; a node that was rebuilt empty is noticed.
. "$(dirname "$0")/../lib_cluster.sh"

start_source -
write_cluster_config
start_agent
say "on $("$CLUSTER" kind)"
await_nodes clusters.0.state led
await_nodes clusters.0.leader node-1
start_workload --clients 3 --seconds 18 --rate 150 --ddl-ms 1500
sleep 2
say "the leader's process is killed"
cluster kill node 1
sleep 1
wait_delivered 20   # nobody waits for WolfScale's own change of the leader
await_nodes clusters.0.leader node-2 20
say "the cable of node 3 is cut"
cluster link 3 down
sleep 4
before=$(status_of sinks.0.lsn)
sleep 1
[ "$(status_of sinks.0.lsn)" -gt "$before" ] || fail "node 1's rows wait for node 3"
cluster link 3 up
cluster run node 1
say "the database of node 2 is killed"
cluster kill db 2
sleep 2
cluster run db 2
join_workload
wait_delivered 60
compare_nodes
stop_agent
