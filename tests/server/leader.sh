#!/bin/bash
# delivery = "leader": rows reach every node through the leader's proxy, so that WolfScale's own log has them, and DDL and what else cannot go this way
# arrives as well, while an application writes through the proxy beside us. The agent is stopped and started again in between, and a node is seeded: nothing is
# looked for then, because it ended in order.
. "$(dirname "$0")/../lib_cluster.sh"

start_source -
write_cluster_config 'sink.delivery="leader"' 'logging.level="debug"'
start_agent
say "on $("$CLUSTER" kind)"
await_nodes clusters.0.way leader 30
sql source "CREATE DATABASE plain; CREATE TABLE plain.t (id INT PRIMARY KEY, v VARCHAR(100))"
wait_delivered 30
before=$(nodes_of clusters.0.nodes.0.wolfscale_lsn)
for i in 1 2 3 4 5 6 7 8; do sql source "USE plain; INSERT INTO t SELECT $i * 1000 + seq, REPEAT(CHAR(64 + seq % 60), 90) FROM seq_1_to_500"; done
wait_delivered 30
compare_nodes
await_nodes clusters.0.way leader 30
# the watch is patient, and a busy leader is slow to say how far it is
through_it() { after=$(nodes_of clusters.0.nodes.0.wolfscale_lsn) && [ "$after" -ge $((before + 50)) ]; }
wait_for 15 "4000 rows to have gone through the leader's log, which stood at $before" through_it
say "the leader's log: $before, then $after"
workload --clients 3 --seconds $((LONG ? 20 : 6)) --rate 40 --ddl-ms 2000
wait_delivered 120
stop_agent
start_agent
workload --clients 3 --seconds 3 --rate 40 --no-setup
wait_delivered 120
await_nodes clusters.0.way leader 30
compare_nodes
say "a node is seeded under a load: what goes through the leader rests meanwhile, in order"
start_workload --clients 2 --seconds 5 --rate 40 --no-setup
sleep 1
ctl_agent nodes seed "$(node_host 3)" --from "$(node_host 2)" --yes >>"$DIR/orders.log" 2>&1 || { tail -n 3 "$DIR/orders.log" >&2; fail "not seeded"; }
await_nodes clusters.0.way leader 30
join_workload
wait_delivered 120
compare_nodes
say "DDL through the leader: $(grep -c leader.ddl "$DIR/agent.log"), handed over: $(grep -c leader.given "$DIR/agent.log")"
[ "$(grep -c leader.ddl "$DIR/agent.log")" -ge 8 ] || { grep leader.given "$DIR/agent.log" >&2; fail "DDL did not go through the leader"; }
! grep -q 'on their way' "$DIR/agent.log" || fail "an orderly end left something to be looked for"
! grep -qE 'ERROR|leader.again' "$DIR/agent.log" || { grep -E 'ERROR|leader.again' "$DIR/agent.log" | head >&2; fail "the log has errors"; }
stop_agent
