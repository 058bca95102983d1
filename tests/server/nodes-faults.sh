#!/bin/bash
# Under load, ROUNDS of each fault that a cluster can have (nodes-faults-pairs: its network, the agent and the source, too): no row is
# missing or doubled on any node, and a fault of one node does not pause the others' delivery for a second. Closes with a table.
. "$(dirname "$0")/../lib_cluster.sh"
. "$(dirname "$0")/../lib_faults.sh"

ROUNDS=${ROUNDS:-1}
[ "$LONG" = 0 ] || ROUNDS=20
FAULTS=${FAULTS:-leader_killed follower_killed leader_database_killed follower_database_killed node_rebuilt} # the others: nodes-faults-pairs

start_source -
write_cluster_config
start_agent
say "on $("$CLUSTER" kind)"
await_nodes clusters.0.state led
rate=60
[ "$LONG" = 0 ] || rate=150
start_load --clients 3 --rate "${RATE:-$rate}" --ddl-ms 5000
proven

line='%-26s %6s %8s %8s %8s %14s %8s %18s\n'
# shellcheck disable=SC2059 # one format for all lines
row() { table+=("$(printf "$line" "$@")") && say "${table[-1]}"; }
table=()
row fault rounds rows missing doubled "proven after s" longest "pause of others ms"
for name in $FAULTS; do
    rows=$(load_rows) pause=-
    if [ "$name" = two_leaders ] && ! cluster part 1 off 2>/dev/null; then
        say "$name: only with network namespaces"
        continue
    fi
    times=()
    for ((round = 1; round <= ROUNDS; round++)); do
        fault "$name"
        times+=("$TOOK")
        # shellcheck disable=SC2153
        [ "$PAUSE" = - ] || [ "${pause/-/0}" -ge "$PAUSE" ] || pause=$PAUSE
    done
    rows=$(($(load_rows) - rows))
    frozen totals >"$DIR/totals" || { cat "$DIR/totals" >&2; exit 1; }
    mapfile -t times < <(printf '%s\n' "${times[@]}" | sort -g)
    row "$name" "$ROUNDS" "$rows" "$MISSING" "$DOUBLED" "${times[$((${#times[@]} / 2))]}" "${times[-1]}" "$pause"
done
stop_load
wait_delivered 60
compare_nodes
stop_agent
printf '%s\n' "${table[@]}"
