#!/bin/bash
# Nodes that nobody listed: one node is given and the others are found at start; they are remembered when no API answers after a restart; one that is
# rebuilt is forgotten and found again as new, is seeded, and is right. Announcements are heard, not on a host that runs a node. DELIVERY=leader: likewise.
export DISCOVERY=${DISCOVERY:-true}
. "$(dirname "$0")/../lib_cluster.sh"

start_source -
only() { write_cluster_config "sink.nodes=[\"$(node_host "$1")\"]" "sink.delivery=\"${DELIVERY:-nodes}\"" 'logging.level="debug"' wal.retention_hours=0 wal.rewind_hours=0 "${@:2}"; }
nodes_json() { ctl_agent nodes --json 2>/dev/null || true; }
# field N KEY: of the node with this number, wherever it stands in the list; empty: it is not there.
field() {
    local i host
    for i in 0 1 2 3; do
        host=$(nodes_of "clusters.0.nodes.$i.node" 2>/dev/null) || return 0
        [ "$host" != "$(node_host "$1")" ] || { nodes_of "clusters.0.nodes.$i.$2"; return; }
    done
}
field_is() { [ "$(field "$1" "$2")" = "$3" ]; }
await_field() { # N KEY VALUE [SECONDS]
    local end=$((SECONDS + ${4-30}))
    until field_is "$1" "$2" "$3"; do
        [ $SECONDS -lt $end ] || { ctl_agent nodes >&2 || true
            fail "node $1: $2 is '$(field "$1" "$2")', not '$3', after ${4-30} s"; }
        sleep 0.2
    done
}
file_says() { grep -qF -- "$2" "$1" || fail "$(cat "$1"): does not say '$2'"; }
sink() { echo "new@$(node_host "$1")"; }
forget() { ctl_agent sink forget "$(sink "$1")" --yes >"$DIR/forget.out" 2>&1; }
proven() { ctl_agent nodes verify --timeout 120 >>"$DIR/orders.log" 2>&1 || { tail -n 3 "$DIR/orders.log" >&2; ctl_agent nodes >&2 || true; fail "not proven"; }; }

say "one follower is given: the leader and the other are found"
only 2
start_agent
start_workload --clients 2 --seconds 8 --rate 100
for n in 1 3; do await_field $n state up 20; done
[ "$(field 2 found) $(field 1 found) $(field 3 found)" = "false true true" ] || fail "who is found is not said"
await_nodes clusters.0.state led
join_workload
wait_delivered
proven
compare_nodes
ctl_agent stats --json >"$DIR/stats.out"
grep -qF "\"$(sink 3)\":{" "$DIR/stats.out" || fail "no metrics of the node that was found"
! forget 2 || fail "a listed node was forgotten"
file_says "$DIR/forget.out" "is in the configuration"
! forget 3 || fail "a node that is in the cluster was forgotten"
file_says "$DIR/forget.out" "is in the cluster"

say "the agent is killed, and no API answers when it is back"
for n in 3 2 1; do cluster end node $n; done
kill_agent
workload --seed 2 --transactions 200
start_agent
[ "$(field 1 sink) $(field 3 sink)" = "$(sink 1) $(sink 3)" ] || fail "the nodes that were found are not remembered"
wait_delivered
compare_nodes
for n in 1 2 3; do cluster run node $n; done
await_nodes clusters.0.state led 40

say "a node that was found is gone for good, and is forgotten"
cluster wipe 3
await_field 3 state gone 20
left() { forget 3; }
wait_for 40 "the node to be forgotten" left
[ -z "$(field 3 sink)" ] || fail "it is still in the list"
ctl_agent status --json >"$DIR/status.out"
! grep -qF "$(sink 3)" "$DIR/status.out" || fail "it is still in the status"
workload --seed 3 --transactions 200
wait_delivered

say "it comes back, empty: found again as new, and nobody waits for it"
cluster run db 3
cluster run node 3
rejoined() {
    field_is 3 state new && return
    # a leader does not take a dropped node back by itself
    real_nodes && [ $((SECONDS % 20)) = 0 ] && cluster end node 1 && cluster run node 1
    return 1
}
wait_for 60 "the node to be found again" rejoined
field 3 remedy >"$DIR/remedy.out"
file_says "$DIR/remedy.out" "wolfctl nodes seed $(node_host 3)"
workload --seed 4 --transactions 100
wait_delivered 20
stop_agent
start_agent
await_field 3 state new
await_field 2 sink_state idle
ctl_agent nodes seed "$(node_host 3)" --from "$(node_host 2)" --yes >>"$DIR/orders.log" 2>&1 || { tail -n 3 "$DIR/orders.log" >&2; fail "not seeded"; }
await_field 3 state up
workload --seed 5 --transactions 100
wait_delivered
proven
compare_nodes
stop_agent

say "announcements are heard, but not on a node's host"
only 2 sink.discovery=true "source.start_gtid=\"$(source_gtid)\""
: >"$DIR/agent.log"
rm -rf "$DIR/wal"
for n in 1 2 3; do node_sql $n "DROP DATABASE wolfcdc"; done
start_agent
heard() { grep -q 'cluster.find .*known_by=' "$DIR/agent.log"; }
wait_for 20 "a node to be known" heard
for n in 1 3; do await_field $n state up 20; done
refused() { # COMMAND...: what starts a second agent there
    local code=0
    sed "s|$SOCKET|$DIR/second.sock|; s|$DIR/wal|$DIR/wal2|" "$CONFIG" >"$DIR/second.toml"
    chmod 600 "$DIR/second.toml"
    timeout 20 "$@" "$BUILD/wolfcdc" --config "$DIR/second.toml" >"$DIR/refused.out" 2>&1 || code=$?
    [[ $code != 0 && $code != 124 ]] || fail "the port was taken a second time"
    file_says "$DIR/refused.out" "a node runs on this host: discovery must stay off here"
}
refused env # stand-ins only send: our own agent has the port
if real_nodes; then refused ip netns exec "${NS}1"; fi
stop_agent
