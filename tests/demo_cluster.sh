#!/bin/bash
# The second act of ./dev demo: the target is a WolfScale cluster of three nodes. Clients write on the source while the leader is killed, a
# follower is killed and comes back, and a node is rebuilt empty and seeded. At the end each node's database is compared with the source, row
# by row. Real nodes where WOLFSCALE_BIN names the program, else stand-ins that behave as they do. Exit 0 only if nothing differs.
. "$(dirname "$0")/lib_cluster.sh"

WRITE_SECONDS=${WRITE_SECONDS:-45}
START=$SECONDS
LIVE=0
if [ -t 1 ]; then LIVE=1; fi
note() {
    if [ $LIVE = 1 ]; then printf '\r\033[K'; fi
    printf '%3d s  %s\n' $((SECONDS - START)) "$*"
}
show() {
    local -a v=()
    local n line at=()
    for n in 0 1 2; do at+=("clusters.0.nodes.$n.state" "clusters.0.nodes.$n.lag_seconds" "clusters.0.nodes.$n.proof.state"); done
    mapfile -t v < <(nodes_of clusters.0.state clusters.0.leader "${at[@]}" 2>/dev/null || true)
    [ ${#v[@]} = 11 ] || return 0
    line=$(printf '%3d s  %-10s leader %-7s' $((SECONDS - START)) "${v[0]}" "${v[1]:-none}")
    for n in 0 1 2; do
        line+=$(printf '   node %d %-8s %5.1f s behind, rows %s' $((n + 1)) "${v[2 + n * 3]}" "${v[3 + n * 3]}" "${v[4 + n * 3]}")
    done
    if [ $LIVE = 1 ]; then printf '\r\033[K%s' "$line"; else printf '%s\n' "$line"; fi
}
watch_until() {
    while [ $((SECONDS - WRITE_START)) -lt "$1" ]; do
        show
        sleep 1
    done
}

note "a cluster of three $("$CLUSTER" kind), a source, and the agent"
start_source - --innodb-buffer-pool-size=128M
write_cluster_config
start_agent
await_nodes clusters.0.state led 20
WRITE_START=$SECONDS
note "clients write: transactions over several tables, all column types, ALTER and CREATE TABLE in between"
start_workload --clients 3 --seconds "$WRITE_SECONDS" --rate 200 --ddl-ms 1000
watch_until 6
note "kill -9 node 1, the leader"
cluster kill node 1
watch_until 15
note "node 1 comes back; kill -9 node 3, its database too"
cluster run node 1
cluster kill node 3
cluster kill db 3
watch_until 22
note "node 3 comes back"
cluster run db 3
cluster run node 3
watch_until 26
note "node 2 is lost: a new one, empty, in its place"
cluster wipe 2
cluster run db 2
cluster run node 2
await_nodes clusters.0.nodes.1.state rebuilt 30
note "wolfctl nodes seed $(node_host 2)"
ctl_agent nodes seed "$(node_host 2)" --from "$(node_host 1)" --yes 2>>"$DIR/seed.log" || fail "seeding failed: $(tail -n 3 "$DIR/seed.log")"
watch_until "$WRITE_SECONDS"
join_workload
note "the clients are done; waiting until every node has everything"
wait_delivered 60
note "the agent's own proof: wolfctl nodes verify"
ctl_agent nodes verify 2>>"$DIR/verify.log" || fail "a node differs: $(tail -n 3 "$DIR/verify.log")"
note "comparing table by table, row by row"
compare_nodes | sed 's/^/       /'
stop_agent
say
say "---- report"
say "cluster        three $("$CLUSTER" kind)"
say "transactions   $(source_gtid | sed 's/.*-//') on the source"
say "clients        $(tail -n 1 "$DIR/workload.log" | sed "s/^workload: //")"
say "differences    0 on each node"
say "done in $((SECONDS - START)) s"
