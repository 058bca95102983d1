#!/bin/bash
# MINUTES (60) of 500 transactions a second with a random fault each minute: what was killed comes back after 3 to 30 s, a node that was rebuilt is
# seeded by order. At the end every node equals the source, row by row and by CHECKSUM TABLE, and for each fault the agent's log says
# what was noticed and how it was healed. DELIVERY=nodes (default) or leader. Only with --long, or with MINUTES given.
[ "${LONG-0}" = 1 ] || [ -n "${MINUTES-}" ] || { echo "SKIP: an hour: only with --long, or MINUTES=2" && exit 77; }
. "$(dirname "$0")/../lib_cluster.sh"
. "$(dirname "$0")/../lib_faults.sh"

MINUTES=${MINUTES:-60}
DELIVERY=${DELIVERY:-nodes}
LONG=1 # outages of 3 to 30 s
PAUSE_MAX_MS=3600000 # it is reported; nodes-faults asserts it
FAULTS=(leader_killed follower_killed leader_database_killed follower_database_killed two_leaders cable_cut node_rebuilt agent_killed agent_and_leader
    source_and_leader)

start_source -
write_cluster_config "sink.delivery=\"$DELIVERY\"" wal.retention_hours=0 wal.rewind_hours=0
start_agent
say "on $("$CLUSTER" kind), delivery = $DELIVERY, $MINUTES minutes"
await_nodes clusters.0.state led 60

# 400 of short transactions on 5000 rows, 100 of a shop with all column types and DDL
start_workload --kind oltp --database oltp --rows 5000 --clients 4 --rate 400 --progress "$DIR/oltp.progress"
SHORT_PID=$WORKLOAD_PID
start_load --clients 2 --rate 100 --ddl-ms 20000
LOADS=("$SHORT_PID" "$WORKLOAD_PID")

# ---- what the agent's log says of a fault ----------------------------------------------------------------------------------
EVENTS='cluster\.(state|node|way|seeded|settled)|sink\.(retry|stopped|connected|position)|source\.(retry|connected|proven|state)|agent\.starting'
log_time_us() { echo $(($(date -u -d "${1%% *}" +%s%N) / 1000)); }
# told: since the fault, one line for each thing that was said, with the seconds since then.
told() {
    local line text last=
    tail -n +"$((STRUCK_LINE + 1))" "$DIR/agent.log" | grep -E "^[^ ]+ [a-z]+ ($EVENTS) " | grep -v 'state=up reason=""' | while read -r line; do
        text=$(sed -E 's/^[^ ]+ [a-z]+ //; s/ remedy=.*//; s/server="[^"]*" version=[^ ]+ //; s/wait_ms=[0-9]+ //' <<<"$line" | cut -c1-170)
        [ "$text" != "$last" ] || continue
        last=$text
        printf '        %7s s  %s\n' "$(seconds "$STRUCK" "$(log_time_us "$line")")" "$text"
    done | sed -n 1,14p
}
noticed() { told | sed -nE '1s/^ *([0-9.]+) s.*/\1/p'; }

one_fault() { # N NAME
    local healed
    "fault_$2"
    ctl_agent wait --timeout 240 >"$DIR/wait.out" 2>&1 || { cat "$DIR/wait.out" >&2; ctl_agent nodes >&2 || true; fail "fault $1 ($2) is not healed"; }
    healed=$(now_us)
    check_pauses
    [ -n "$(noticed)" ] || fail "fault $1 ($2): nothing was noticed"
    say "$(date -u +%H:%M:%S)  fault $1: $2, node ${VICTIM/#0/-}: noticed after $(noticed) s, mended after $(seconds "$STRUCK" "$MENDED") s," \
        "everything delivered $(seconds "$MENDED" "$healed") s later; longest pause of the others $PAUSE ms"
    told
}

end=$((SECONDS + MINUTES * 60)) count=0
while [ $SECONDS -lt $end ]; do
    minute=$((SECONDS + 60))
    sleep $((RANDOM % 15))
    count=$((count + 1))
    one_fault $count "${FAULTS[RANDOM % ${#FAULTS[@]}]}"
    [ $SECONDS -ge $minute ] || sleep $((minute - SECONDS))
done

# ---- the end: all of it equal ------------------------------------------------------------------------------------------------
for pid in "${LOADS[@]}" "$BEAT_PID"; do kill -TERM "$pid"; done
for pid in "${LOADS[@]}"; do wait "$pid" || fail "the workload failed: $(tail -n 3 "$DIR/workload.log")"; done
say "written: $(tail -n 1 "$DIR/oltp.progress") $(tail -n 1 "$DIR/progress")"
wait_delivered 240
proven
checksums() { # SOCKET
    mariadb --no-defaults -uroot --socket="$1" -N -B -e "SELECT CONCAT('CHECKSUM TABLE \`', TABLE_SCHEMA, '\`.\`', TABLE_NAME, '\`;') FROM
        information_schema.TABLES WHERE TABLE_TYPE = 'BASE TABLE' AND TABLE_SCHEMA NOT IN ('mysql', 'sys', 'information_schema', 'performance_schema', 'wolfcdc')
        ORDER BY 1" | mariadb --no-defaults -uroot --socket="$1" -N -B
}
checksums "$DIR/source/sock" >"$DIR/sums"
for n in 1 2 3; do
    checksums "$CLUSTER_DIR/db$n/sock" >"$DIR/sums$n"
    diff "$DIR/sums" "$DIR/sums$n" >&2 || differ "CHECKSUM TABLE of node $n differs"
done
say "CHECKSUM TABLE of $(wc -l <"$DIR/sums") tables: equal on the source and the three nodes"
compare_nodes
say "$count faults in $MINUTES minutes"
stop_agent
