#!/bin/bash
# delivery = "leader" under load, ROUNDS of each fault: no row is missing or doubled on any node afterwards, and when one leader leads alone again the rows go
# through it again. Closes with a table. A normal run takes four of the ten faults, by chance; LONG=1, or FAULTS, all.
export SEGMENT_MB=${SEGMENT_MB:-4} # a real leader reads all of its segment again for each round to each follower: a full one of 64 MiB is slow
. "$(dirname "$0")/../lib_cluster.sh"
export PAUSE_MAX_MS=${PAUSE_MAX_MS:-30000} # a batch, the cluster's own change of the leader (7.2 s), and ours
. "$(dirname "$0")/../lib_faults.sh"

ROUNDS=${ROUNDS:-1}
[ "$LONG" = 0 ] || ROUNDS=20
ALL=(leader_killed follower_killed leader_database_killed follower_database_killed node_rebuilt cable_cut agent_killed agent_and_leader source_and_leader two_leaders)
FAULTS=${FAULTS:-$(choose 4 "${ALL[@]}")}

start_source -
write_cluster_config 'sink.delivery="leader"'
start_agent
say "on $("$CLUSTER" kind)"
await_nodes clusters.0.way leader 30
start_load --clients 3 --rate "${RATE:-40}" --ddl-ms 3000

line='%-26s %6s %8s %8s %8s %14s %8s %14s %18s\n'
# through_leader: it goes through a leader again. Real nodes do not always come back by themselves: a follower that has lost its leader may answer nothing
# any more, until it is restarted as an operator would.
RESTARTS=0
through_leader() {
    local end=$((SECONDS + 40))
    lead_again 10
    until nodes_is clusters.0.way leader; do
        if [ $SECONDS -ge $end ]; then
            say "nodes are restarted: $(nodes_of clusters.0.reason)"
            RESTARTS=$((RESTARTS + 1))
            restart_nodes
            await_nodes clusters.0.way leader 180
        fi
        sleep 0.2
    done
}
# A row that is being changed is judged when the node has passed the look at the source: by batches, here.
proven() { ctl_agent nodes verify --timeout 600 >>"$DIR/orders.log" 2>&1 || { tail -n 3 "$DIR/orders.log" >&2; ctl_agent nodes >&2 || true; fail "not proven"; }; }
# fault NAME: one round. TOOK: until every node has everything; BACK: until it goes through a leader again, what late statements changed is put right,
# and every node is proven.
fault() {
    "fault_$1"
    wait_delivered 180
    TOOK=$(seconds "$MENDED" "$(now_us)")
    through_leader
    proven
    BACK=$(seconds "$MENDED" "$(now_us)")
    check_pauses
}
# shellcheck disable=SC2059 # one format for all lines
row() { table+=("$(printf "$line" "$@")") && say "${table[-1]}"; }
table=()
row fault rounds rows missing doubled "delivered, s" longest "proven, s" "pause of others ms"
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
    row "$name" "$ROUNDS" "$rows" "$MISSING" "$DOUBLED" "${times[$((${#times[@]} / 2))]}" "${times[-1]}" "$BACK" "$pause"
done
stop_load
wait_delivered 120
compare_nodes
stop_agent
say "times that nodes had to be restarted: $RESTARTS"
printf '%s\n' "${table[@]}"
