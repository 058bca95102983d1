# shellcheck shell=bash
# Faults of a cluster under load, and what is measured of each: sourced by scenarios after lib_cluster.sh. A fault is a function
# fault_NAME: it chooses its victim, calls strike with it (the node whose delivery it may stop; "all" where the agent or the source is hit; 0 none),
# does it, waits for outage(), calls mend, and mends what a supervisor or an operator would.
VICTIM=0
PAUSE_MAX_MS=${PAUSE_MAX_MS:-1000}

now_us() { echo "${EPOCHREALTIME/[.,]/}"; }
strike() {
    VICTIM=$1
    STRUCK=$(now_us)
    # shellcheck disable=SC2034 # for the caller, as TOOK, MISSING and DOUBLED below
    STRUCK_LINE=$(wc -l <"$DIR/agent.log")
}
mend() { MENDED=$(now_us); }
node_field() { nodes_of "clusters.0.nodes.$(($1 - 1)).$2"; }
node_field_is() { [ "$(node_field "$1" "$2")" = "$3" ]; }
# outage: how long something stays broken, in seconds.
outage() { if [ "$LONG" = 1 ]; then echo $((3 + RANDOM % 28)); else echo 2; fi; }

# choose COUNT NAME...: so many of them by chance, in their order; with LONG=1 all. SEED repeats the choice.
choose() {
    local count=$1 i
    shift
    [ "$LONG" != 1 ] || count=$#
    for i in $(for ((k = 1; k <= $#; k++)); do echo "$RANDOM $k"; done | sort -n | head -n "$count" | cut -d' ' -f2 | sort -n); do printf '%s\n' "${!i}"; done
}

# ---- who leads ---------------------------------------------------------------------------------------------------------
all_there() { # one leads, and each is seen to be there: what is not cannot be missed when it is taken away
    local n
    nodes_is clusters.0.state led || return
    for n in 1 2 3; do node_field_is $n state up || return; done
}
restart_nodes() { # in the order that the remedy of two leaders names
    local n
    for n in 3 2 1; do cluster end node $n; done
    for n in 1 2 3; do cluster run node $n; done
}
# lead_again: one node leads alone and the others follow it. A WolfScale cluster does not always come there by itself.
lead_again() {
    local n end=$((SECONDS + ${1-8}))
    for n in 1 2 3; do cluster run node $n; done
    until all_there; do
        if [ $SECONDS -ge $end ]; then
            restart_nodes
            wait_for 120 "a leader of the cluster, and every node" all_there
            return
        fi
        sleep 0.2
    done
}
# LEADER, FOLLOWER: numbers of nodes.
find_roles() { # who leads, and one who follows
    LEADER=
    until [[ $LEADER == [1-3] ]]; do # it may be lost between the two looks
        lead_again
        LEADER=$(nodes_of clusters.0.leader)
        LEADER=${LEADER#node-}
    done
    FOLLOWER=$((LEADER % 3 + 1))
    [ $((RANDOM % 2)) = 0 ] || FOLLOWER=$((FOLLOWER % 3 + 1))
}

# ---- the faults --------------------------------------------------------------------------------------------------------
fault_leader_killed() {
    find_roles
    strike 0
    cluster kill node "$LEADER"
    sleep "$(outage)"
    mend
    cluster run node "$LEADER"
}
fault_follower_killed() {
    find_roles
    strike 0
    cluster kill node "$FOLLOWER"
    sleep "$(outage)"
    mend
    cluster run node "$FOLLOWER"
}
database_killed() {
    strike "$1"
    cluster kill db "$1"
    sleep "$(outage)"
    mend
    cluster run db "$1"
}
fault_leader_database_killed() {
    find_roles
    database_killed "$LEADER"
}
fault_follower_database_killed() {
    find_roles
    database_killed "$FOLLOWER"
}
# seed_node N [STATE]: what the operator orders when a node has come back without our position.
seed_node() {
    [ $# = 1 ] || await_nodes "clusters.0.nodes.$(($1 - 1)).state" "$2" 60
    ctl_agent nodes seed "$(node_host "$1")" --yes >>"$DIR/orders.log" 2>&1 || { tail -n 3 "$DIR/orders.log" >&2; fail "node $1 cannot be seeded"; }
}
fault_node_rebuilt() {
    local n=$((1 + RANDOM % 3))
    lead_again
    strike $n
    cluster wipe $n
    sleep "$(outage)"
    mend
    cluster run db $n
    cluster run node $n
    seed_node $n rebuilt
}
fault_cable_cut() {
    local n=$((1 + RANDOM % 3))
    lead_again
    strike $n
    cluster link $n down
    if [ "$LONG" = 1 ]; then sleep 30; else sleep "${CUT_SECONDS:-8}"; fi
    mend
    cluster link $n up
}
fault_agent_killed() {
    sleep "0.$((RANDOM % 10))"
    strike all
    kill_agent
    mend
    start_agent
}
fault_agent_and_leader() {
    find_roles
    strike all
    cluster kill node "$LEADER"
    kill_agent
    cluster kill db "$LEADER"
    start_agent
    sleep "$(outage)"
    mend
    cluster run db "$LEADER"
    cluster run node "$LEADER"
}
fault_source_and_leader() {
    find_roles
    strike all
    kill_server source
    cluster kill node "$LEADER"
    cluster kill db "$LEADER"
    sleep "$(outage)"
    mend
    start_server source
    cluster run db "$LEADER"
    cluster run node "$LEADER"
}
# Two halves of a network that elect a leader each, as long as it takes; both are seen by the agent.
fault_two_leaders() {
    find_roles
    strike 0
    cluster part "$LEADER" on
    await_nodes clusters.0.state split 60
    [ "$LONG" != 1 ] || sleep "$(outage)"
    mend
    cluster part "$LEADER" off
}

# ---- what is measured --------------------------------------------------------------------------------------------------
# longest_pause N FROM-US: ms between two groups of changes that node N committed since then, the longest; by its own position rows.
longest_pause() {
    node_sql "$1" "SELECT IFNULL(MAX(LEAST(gap, at - $2)), 999999999) DIV 1000 FROM (SELECT last_lsn, UNIX_TIMESTAMP(committed_at) * 1000000 AS at, TIMESTAMPDIFF(
        MICROSECOND, LAG(committed_at) OVER w, committed_at) AS gap FROM wolfcdc.position WINDOW w AS (ORDER BY last_lsn)) AS g WHERE at > $2"
}
# start_beat: ten rows a second on the source, each with its time. stall FROM-US: the longest the source itself paused since then, in ms: a machine that
# does too much, not the agent.
start_beat() {
    sql source "CREATE DATABASE IF NOT EXISTS beat; CREATE TABLE IF NOT EXISTS beat.beat (id INT AUTO_INCREMENT PRIMARY KEY, at TIMESTAMP(6) NULL)"
    mkfifo "$DIR/beat.pipe"
    while sleep 0.1; do echo "INSERT INTO beat.beat (at) VALUES (SYSDATE(6));"; done >"$DIR/beat.pipe" &
    BEAT_PID=$!
    BACKGROUND+=("$BEAT_PID")
    # a client ends with its server, and another takes its place
    while sleep 0.2; do mariadb --no-defaults -uroot --socket="$DIR/source/sock" <&3 >/dev/null 2>&1 || true; done 3<"$DIR/beat.pipe" &
    BACKGROUND+=("$!")
}
stall() {
    sql source "SELECT IFNULL(MAX(LEAST(gap, t - $1)), 0) DIV 1000 FROM (SELECT UNIX_TIMESTAMP(at) * 1000000 AS t, TIMESTAMPDIFF(MICROSECOND, LAG(at) OVER w, at) AS gap
        FROM beat.beat WINDOW w AS (ORDER BY id)) AS g WHERE t > $1"
}
# check_pauses: nodes that the last fault did not hit got their changes all the time since it. PAUSE: the longest, in ms.
check_pauses() {
    local n ms stall
    PAUSE=-
    [ "$VICTIM" != all ] || return 0
    PAUSE=0
    for n in 1 2 3; do
        [ "$n" != "$VICTIM" ] || continue
        ms=$(longest_pause "$n" "$STRUCK")
        [ "$ms" -le "$PAUSE" ] || PAUSE=$ms
    done
    stall=$(stall "$STRUCK")
    [ $((PAUSE - stall)) -lt "$PAUSE_MAX_MS" ] || fail "another node's delivery paused for $PAUSE ms, the source for $stall ms"
}
# start_load OPTION...: as start_workload, without an end; load_rows: row changes so far.
start_load() {
    start_beat
    start_workload --progress "$DIR/progress" "$@"
    wait_for 20 "the load" test -s "$DIR/progress"
}
stop_load() {
    kill -TERM "$WORKLOAD_PID" "$BEAT_PID"
    join_workload
}
load_rows() { "$BUILD/tests/tools/jsonget" rows <"$DIR/progress"; }
# proven: every node was compared with the source, all of it, and nothing was different.
proven() { ctl_agent nodes verify --timeout 120 >>"$DIR/orders.log" 2>&1 || { tail -n 3 "$DIR/orders.log" >&2; ctl_agent nodes >&2 || true; fail "not proven"; }; }
# frozen COMMAND...: while nothing is written and all is delivered.
frozen() {
    kill -STOP "$WORKLOAD_PID" "$BEAT_PID"
    wait_delivered 120
    "$@"
    kill -CONT "$WORKLOAD_PID" "$BEAT_PID"
}
# totals: MISSING and DOUBLED (or different), over all nodes.
totals() {
    local n found line
    MISSING=0 DOUBLED=0
    compare_nodes
    for n in 1 2 3; do
        line=$(tail -n 1 "$DIR/compare$n.out")
        mapfile -t found < <(grep -oE '(missing|extra|different) [0-9]+' <<<"$line" | grep -oE '[0-9]+$')
        MISSING=$((MISSING + found[0]))
        DOUBLED=$((DOUBLED + found[1] + found[2]))
    done
}
# seconds FROM-US TO-US: with a tenth.
seconds() { echo "$((($2 - $1) / 1000000)).$((($2 - $1) % 1000000 / 100000))"; }
# fault NAME: one round. TOOK: seconds from the end of the outage until every node has everything and is proven.
fault() {
    "fault_$1"
    wait_delivered 180
    proven
    # shellcheck disable=SC2034
    TOOK=$(seconds "$MENDED" "$(now_us)")
    check_pauses
}

# ---- nodes that are not as they should be --------------------------------------------------------------------------------
# root_sql N STATEMENT: on node N's MariaDB, by its socket. drop_connections N: the agent's have to be made again.
root_sql() { mariadb --no-defaults -uroot --socket="$CLUSTER_DIR/db$1/sock" -N -B -e "${*:2}"; }
drop_connections() {
    root_sql "$1" "SELECT CONCAT('KILL CONNECTION ', id, ';') FROM information_schema.PROCESSLIST WHERE user = 'admin'" |
        mariadb --no-defaults -f -uroot --socket="$CLUSTER_DIR/db$1/sock" 2>/dev/null || true
}
# node_says N FIELD TEXT [SECONDS]: that field of the node (reason, remedy, sink_reason …) comes to hold the text.
node_says() {
    local end=$((SECONDS + ${4-10}))
    until grep -qE -- "$3" <<<"$(node_field "$1" "$2")"; do
        [ $SECONDS -lt $end ] || { ctl_agent nodes >&2 || true
            fail "node $1: $2 is '$(node_field "$1" "$2")', which does not name '$3'"; }
        sleep 0.2
    done
}
# delivered_to N...: what the source has now comes to these nodes. The table is test.marks.
delivered_to() {
    local n mark
    mark=$(sql source "INSERT INTO test.marks () VALUES (); SELECT LAST_INSERT_ID()")
    for n; do
        wait_for 15 "row $mark on node $n" has_mark "$n" "$mark"
    done
}
has_mark() { [ "$(root_sql "$1" "SELECT COUNT(*) FROM test.marks WHERE id = $2")" = 1 ]; }
