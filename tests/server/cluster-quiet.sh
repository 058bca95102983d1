#!/bin/bash
# A load and no fault, in both deliveries: the proof finds no difference, nothing is sent or tried again, and nothing is said but that all is well. 5 s of each; 60 with
# LONG=1, or SECONDS_EACH.
. "$(dirname "$0")/../lib_cluster.sh"
. "$(dirname "$0")/../lib_faults.sh"

each=${SECONDS_EACH:-$([ "$LONG" = 1 ] && echo 60 || echo 5)}
start_source -
say "on $("$CLUSTER" kind)"
for delivery in nodes leader; do
    write_cluster_config "sink.delivery=\"$delivery\"" sink.proof_rows_per_second=1000000
    : >"$DIR/agent.log"
    start_agent
    await_nodes clusters.0.state led 60
    [ $delivery = nodes ] || await_nodes clusters.0.way leader 60
    round=$(nodes_of clusters.0.nodes.2.proof.round)
    workload --database "shop_$delivery" --clients 3 --seconds "$each" --rate 60 --ddl-ms 2000
    wait_delivered 60
    ctl_agent nodes verify --timeout 120 >"$DIR/verify.out" 2>&1 || { cat "$DIR/verify.out" >&2; fail "verify found something"; }
    bad=$(grep -E ' (warning|error) ' "$DIR/agent.log" | grep -vE ' (sink|source)\.check ' || true)
    [ -z "$bad" ] || { head <<<"$bad" >&2; fail "$delivery: the log is not quiet"; }
    ! grep -E 'sink\.(retry|repair|differs|rewound|different)|leader\.again|cluster\.settled|different=' "$DIR/agent.log" >&2 || fail "$delivery: something was done again"
    [ "$delivery" = nodes ] || nodes_is clusters.0.way leader || fail "the leader's way was left"
    for n in 1 2 3; do
        [ "$(node_field $n proof.differences)" = 0 ] || fail "$delivery: node $n has $(node_field $n proof.differences) differences"
    done
    say "$delivery: quiet for $each s; rounds of the proof: $round, then $(nodes_of clusters.0.nodes.2.proof.round)"
    stop_agent
done
compare_nodes
