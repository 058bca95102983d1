#!/bin/bash
# ./dev bench cluster [--quick]: a WolfScale cluster of three nodes as the target, each figure beside its goal: rows/s that arrive on all three, each node written
# directly and through the leader, beside one mysql sink in the same run; delay from commit to proven on every node; the pause when the leader dies; what the
# continuous proof costs. Real nodes where WOLFSCALE_BIN names the program, else stand-ins: the table says which. Under five minutes.
if [ "${1-}" = --help ]; then
    sed -n '2,4s/^# //p' "$0"
    exit 0
fi
export SEGMENT_MB=${SEGMENT_MB:-64}
. "$(dirname "$0")/../lib_cluster.sh"
. "$(dirname "$0")/../lib_faults.sh"
QUICK=0
if [ "${1-}" = --quick ]; then QUICK=1; fi
REPORT=${REPORT:-$BUILD/bench-cluster.md}
[ -n "${JOINED-}" ] || : >"$REPORT"
START=$SECONDS
BULK=$((QUICK ? 60000 : 300000)) SMALL=$((QUICK ? 1500 : 6000)) PROBE_SECONDS=$((QUICK ? 5 : 15)) COST_SECONDS=$((QUICK ? 6 : 20)) DEATHS=$((QUICK ? 1 : 2))

. "$(dirname "$0")/lib.sh"
# Processor seconds of the source and the three databases.
servers_cpu() {
    local n sum
    sum=$(cpu_of "$(cat "$DIR/source/pid")")
    for n in 1 2 3; do sum=$(calc "$sum + $(cpu_of "$(cat "$CLUSTER_DIR/db$n/pid")")" 3); done
    echo "$sum"
}

# ---- the source's load -----------------------------------------------------------------------------------------------
setup() {
    sql source "DROP DATABASE IF EXISTS bench; CREATE DATABASE bench; USE bench; CREATE TABLE r (id BIGINT PRIMARY KEY AUTO_INCREMENT, k INT NOT NULL, v CHAR(104) NOT NULL);
        CREATE TABLE s (id BIGINT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(60)); CREATE TABLE p (id BIGINT PRIMARY KEY AUTO_INCREMENT, at TIMESTAMP(6) NULL)"
}
bulk() { # rows of 120 bytes, a thousand in a transaction
    local i
    for ((i = 0; i < BULK / 1000; i++)); do [ $i != 0 ] || echo 'USE bench;'; echo "INSERT INTO bench.r (k, v) SELECT seq, RPAD(MD5(seq + $i), 104, 'x') FROM seq_1_to_1000;"; done | sql source
}
small() { # transactions of one row
    local i
    for ((i = 0; i < SMALL; i++)); do echo "INSERT INTO bench.s (v) VALUES ('$i and some text of usual length');"; done | sql source
}
# probes SECONDS: a row each 20 ms, with its time.
probes() {
    local end=$((SECONDS + $1))
    while [ $SECONDS -lt $end ]; do
        echo "INSERT INTO bench.p (at) VALUES (SYSDATE(6));"
        sleep 0.02
    done | sql source
}

# ---- the agent -------------------------------------------------------------------------------------------------------
# fresh DELIVERY|mysql [KEY=VALUE...]: an agent with a new log that begins here, at targets that know nothing of it.
fresh() {
    local way=$1 n
    [ -z "$AGENT_PID" ] || stop_agent 30
    for n in 1 2 3; do node_sql $n "DROP DATABASE IF EXISTS wolfcdc; DROP DATABASE IF EXISTS bench"; done
    rm -rf "$DIR/wal" "$DIR"/wal.*
    FROM=$(source_gtid)
    if [ "$way" = mysql ]; then
        TARGET_PORT=3306 write_config "sink.host=\"$(node_host 1)\"" 'sink.name="new"' "source.start_gtid=\"$FROM\"" wal.segment_size_mb=64 "${@:2}"
    else
        write_cluster_config "sink.delivery=\"$way\"" "source.start_gtid=\"$FROM\"" wal.segment_size_mb=64 "${@:2}"
    fi
}
delivered() { ctl_agent wait --gtid "$(source_gtid)" --timeout 300 >"$DIR/wait.out" 2>&1 || { ctl_agent status >&2; fail "the agent did not get there"; }; }
ready() {
    start_agent
    [ "$1" = mysql ] || lead_again 10
    [ "$1" != leader ] || await_nodes clusters.0.way leader 90
    setup
    delivered
}
# timed COMMAND: changes a second from its begin until all of them are confirmed; RATE.
timed() { # COUNT COMMAND
    local from
    from=$(now_us)
    $2
    delivered
    RATE=$(calc "$1 * 1000000 / ($(now_us) - $from)" 0)
}

# proven_at N: node N's position rows as "sequence seconds": everything up to there was stored, and with a leader proven, by then.
proven_at() { node_sql "$1" "SELECT SUBSTRING_INDEX(gtids, '-', -1), UNIX_TIMESTAMP(committed_at) FROM wolfcdc.position WHERE gtids <> '' ORDER BY last_lsn"; }
# delays SEQUENCE: "p50 p99" in ms, of the rows of bench.p, whose transactions follow that one; the last of the three nodes counts.
delays() {
    local n
    for n in 1 2 3; do proven_at $n >"$DIR/proven$n"; done
    sql source "SELECT $1 + ROW_NUMBER() OVER (ORDER BY id), UNIX_TIMESTAMP(at) FROM bench.p" >"$DIR/committed"
    awk 'FILENAME != last { last = FILENAME; file++; at = 1 } file <= 3 { seq[file, ++count[file]] = $1; time[file, count[file]] = $2; next }
        { worst = 0; for (n = 1; n <= 3; n++) { while (next_at[n] + 1 <= count[n] && seq[n, next_at[n] + 1] < $1) next_at[n]++
          if (next_at[n] + 1 > count[n]) worst = -1; else if (worst >= 0 && time[n, next_at[n] + 1] - $2 > worst) worst = time[n, next_at[n] + 1] - $2 }
          if (worst >= 0) printf "%.2f\n", worst * 1000 }' "$DIR"/proven1 "$DIR"/proven2 "$DIR"/proven3 "$DIR/committed" | sort -g >"$DIR/delays"
    awk '{ v[NR] = $1 } END { printf "%s %s\n", v[int(NR / 2) + 1], v[int(NR * 99 / 100) + 1] }' "$DIR/delays"
}
sequence() { source_gtid | sed 's/.*-//'; }
measure_delay() { # NAME GOAL
    local seq both
    sql source "TRUNCATE bench.p"
    delivered
    sleep 1
    seq=$(sequence)
    probes "$PROBE_SECONDS"
    delivered
    both=$(delays "$seq")
    row "$1: commit → proven on all three nodes" "p50 ${both% *} ms, p99 ${both#* } ms" "$(wc -l <"$DIR/delays") rows" ''
}

# measure_death NAME GOAL: the leader's process dies under a row each 20 ms; from then to the first later row that is proven, on the last of the nodes, and the longest pause.
measure_death() {
    local i worst=0 n at seq killed leader gap longest=0
    for ((i = 0; i < DEATHS; i++)); do
        lead_again 10
        [ "$1" != leader ] || await_nodes clusters.0.way leader 90
        leader=$(nodes_of clusters.0.leader)
        probes 14 &
        n=$!
        BACKGROUND+=("$n")
        sleep 2
        STRUCK=$(now_us)
        cluster kill node "${leader#node-}"
        killed=$(now_us)
        seq=$(sequence)
        wait "$n"
        delivered
        for n in 1 2 3; do
            at=$(proven_at $n | awk -v seq="$seq" '$1 > seq { print $2; exit }')
            [ -n "$at" ] || fail "node $n has no row of after the leader's death"
            worst=$(calc "(($at - $killed / 1000000) > $worst ? ($at - $killed / 1000000) : $worst)" 3)
            gap=$(longest_pause $n "$STRUCK")
            [ "$gap" -le "$longest" ] || longest=$gap
        done
        cluster run node "${leader#node-}"
    done
    row "$1: the leader dies → the next row proven on all three" "$worst s at most, of $DEATHS" "longest pause of a node meanwhile $longest ms" "$2"
}

# ---- the run -----------------------------------------------------------------------------------------------------------
start_source - --innodb-flush-log-at-trx-commit=2 --innodb-buffer-pool-size=256M
if [ -z "${JOINED-}" ]; then
    {
        echo "$(nproc) × $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1), $(awk '/MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo), $(uname -sr)"
        echo
    } | tee -a "$REPORT"
    row stage measured ratio goal
    row --- --- --- ---
fi
row "cluster: on" "$("$CLUSTER" kind)" 'each database with innodb_flush_log_at_trx_commit=1' ''

note "one mysql sink"
fresh mysql
ready mysql
timed $BULK bulk
one=$RATE
row "cluster: one mysql sink" "$one rows/s of 120 bytes" '' ''

note "nodes way: rates"
fresh nodes
ready nodes
timed $BULK bulk
row "nodes: rows arriving on all three" "$RATE rows/s" "$(calc "$RATE * 3 / $one") × one third of the mysql sink's" '≥ 0.8'
timed $SMALL small
row "nodes: small transactions" "$RATE a second" '' ''
note "nodes way: delay"
measure_delay nodes
note "nodes way: the leader dies"
measure_death nodes 'pause < 1000 ms'
compare_nodes >/dev/null

# cost PROOF: CPU of all servers for the same steady load; the second third of it counts from when the first rounds are over.
cost() {
    local cpu
    fresh nodes "sink.proof=$1"
    ready nodes
    workload --kind oltp --database bench --rows 20000 --clients 2 --rate 400 --seconds 2
    delivered
    cpu=$(servers_cpu)
    workload --kind oltp --database bench --rows 20000 --clients 2 --rate 400 --seconds $COST_SECONDS --no-setup
    delivered
    COST=$(calc "$(servers_cpu) - $cpu" 3)
}
note "what the proof costs"
sql source "DROP DATABASE bench"
cost false
without=$COST
cost true
row "nodes: CPU of source and databases, 400 transactions/s for $COST_SECONDS s" "$COST s with the proof, $without s without" \
    "$(calc "($COST - $without) * 100 / $without" 1) %" '< 5 %'

note "leader way: rates"
fresh leader
ready leader
timed $BULK bulk
row "leader: rows proven on all three" "$RATE rows/s" "$(calc "$RATE * 3 / $one") × one third of the mysql sink's" '≥ 25,000'
timed $SMALL small
row "leader: small transactions" "$RATE a second" '' '≥ 450'
note "leader way: delay"
measure_delay leader
note "leader way: the leader dies"
measure_death leader '≤ 10.2 s'
compare_nodes >/dev/null
stop_agent 30
note "done; the table: $REPORT"
