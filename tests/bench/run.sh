#!/bin/bash
# ./dev bench [--quick] [--skip WORD]...: rates, delays, memory and recovery, each as a ratio to what a user has, in the same run:
#   (a) mariadb-binlog --raw   (v) mariadb-binlog -v   (r) MariaDB's own replica of the same binary log
# Three workloads, each in a binary log file of its own: narrow bulk inserts, wide bulk inserts, small transactions of four row
# changes. The table goes to standard output and to bench.md in the build directory. WORD: narrow wide oltp delay memory recovery sources
# cluster (./dev bench cluster [--quick], ./dev bench sources [--quick]: that alone).
if [ "${1-}" = --help ]; then
    sed -n '2,6s/^# //p' "$0"
    exit 0
fi
export WORK=${WORK:-${BUILD:?}/b}
case ${1-} in cluster | sources) exec "$(dirname "$0")/$1.sh" "${@:2}" ;; esac
. "$(dirname "$0")/../lib.sh"
QUICK=0
SKIP=' '
while [ $# -gt 0 ]; do
    case $1 in
    --quick) QUICK=1 ;;
    --skip)
        SKIP+="$2 "
        shift
        ;;
    *) fail "unknown option $1" ;;
    esac
    shift
done
REPORT=$BUILD/bench.md
START=$SECONDS
: >"$REPORT"
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/reading.sh"
skipped() { [[ $SKIP == *" $1 "* ]]; }

# ---- applying the same file --------------------------------------------------------------------------------------------
# The target as it was before the workload.
reset_target() {
    sql target "STOP SLAVE; RESET SLAVE ALL" 2>/dev/null || true
    sql target "SET SESSION sql_log_bin=0; DROP DATABASE IF EXISTS wolfcdc; DROP DATABASE IF EXISTS bench"
    { echo 'SET SESSION sql_log_bin=0;'; cat "$DIR/$1.sql"; } | sql target
    sql target "RESET MASTER; SET GLOBAL gtid_slave_pos='${FROM[$1]}'"
}
target_cpu() { cpu_of "$(cat "$DIR/target/pid")"; }

# Sets WALL and CPU (of the target server).
apply_replica() { # KIND THREADS
    local from cpu
    reset_target "$1"
    sql target "SET GLOBAL slave_parallel_threads=$2; CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=${PORT[source]},
        MASTER_USER='repl', MASTER_PASSWORD='repl', MASTER_USE_GTID=slave_pos"
    cpu=$(target_cpu)
    from=$(now)
    sql target "START SLAVE"
    [ "$(sql target "SELECT MASTER_GTID_WAIT('${TO[$1]}', 900)")" = 0 ] || fail "the replica did not get there"
    WALL=$(calc "$(now) - $from" 3)
    CPU=$(calc "$(target_cpu) - $cpu" 2)
    sql target "STOP SLAVE; RESET SLAVE ALL; SET GLOBAL slave_parallel_threads=0"
}
# Sets also AGENT_CPU and LOG_BYTES.
apply_agent() { # KIND
    local from cpu
    reset_target "$1"
    rm -rf "$DIR/wal"
    write_config "source.start_gtid=\"${FROM[$1]}\"" wal.segment_size_mb=64
    cpu=$(target_cpu)
    from=$(now)
    start_agent
    ctl_agent wait --gtid "${TO[$1]}" --timeout 900 >"$DIR/wait.out" 2>&1 || { ctl_agent status >&2; fail "the agent did not get there"; }
    WALL=$(calc "$(now) - $from" 3)
    CPU=$(calc "$(target_cpu) - $cpu" 2)
    AGENT_CPU=$(cpu_of "$AGENT_PID")
    stop_agent 30
}

measure_workload() { # KIND TRANSACTIONS OPTIONS GOALS: DECODE LOG APPLY
    local kind=$1 threads best_r=999999 best_threads cpu_r million
    note "$kind: writing"
    make_log "$kind" "$kind" "$2" "$3"
    million=$(calc "${ROWS[$kind]} / 1000000" 4)
    measure_reading "$kind" mariadb-binlog "$4" "$5"
    row "$kind: CPU of capture and log" "$(calc "$("$JSON" cpu_seconds <"$DIR/stage.json") / $million") s per million rows" '' ''
    row "$kind: log bytes per binlog byte" "$(calc "$("$JSON" log_bytes <"$DIR/stage.json") / ${BYTES[$kind]}" 3)" '' ''
    for threads in 0 2 4; do
        note "$kind: replica with $threads parallel threads"
        apply_replica "$kind" $threads
        row "$kind: (r) replica, $threads parallel threads" "$WALL s" "server CPU $CPU s" ''
        [ "$(calc "$WALL < $best_r" 0)" = 1 ] || continue
        best_r=$WALL best_threads=$threads cpu_r=$CPU
    done
    note "$kind: agent"
    apply_agent "$kind"
    compare bench >/dev/null
    row "$kind: wolfcdc" "$WALL s, $(calc "${ROWS[$kind]} / $WALL" 0) rows/s" \
        "$(calc "$best_r / $WALL") × (r) with $best_threads threads; rows per server CPU $(calc "$cpu_r / $CPU") × (r); agent CPU $(calc "$AGENT_CPU / $million") s per million rows" "$6"
}

# ---- delays ------------------------------------------------------------------------------------------------------------
probe() { # ends with "probe: N rows, p50 X ms, p90 …"
    "$BUILD/tests/tools/probe" --source-socket "$DIR/source/sock" --target-socket "$DIR/target/sock" --every-ms 5 --seconds $((QUICK ? 5 : 15)) 2>&1 | tail -n 1
}
figure() { sed -n "s/.*$1 \([0-9.]*\) ms.*/\1/p" <<<"$2"; }
measure_delay() {
    local replica ours sync visible_goal
    note "delays: replica"
    sql source "DROP DATABASE IF EXISTS bench"
    sql source "CREATE DATABASE bench; CREATE TABLE bench.t (id INT PRIMARY KEY)"
    mariadb-dump --no-defaults --user=root --socket="$DIR/source/sock" --databases bench >"$DIR/delay.sql"
    FROM[delay]=$(source_gtid)
    reset_target delay
    sql target "CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=${PORT[source]}, MASTER_USER='repl', MASTER_PASSWORD='repl', MASTER_USE_GTID=slave_pos"
    sql target "START SLAVE"
    replica=$(probe)
    sql target "STOP SLAVE; RESET SLAVE ALL; DROP DATABASE IF EXISTS wolfcdc_probe"
    sql source "DROP DATABASE IF EXISTS wolfcdc_probe"
    note "delays: wolfcdc"
    FROM[delay]=$(source_gtid)
    reset_target delay
    rm -rf "$DIR/wal"
    write_config "source.start_gtid=\"${FROM[delay]}\""
    start_agent
    ours=$(probe)
    stop_agent 30
    rm -rf "$DIR/stage-wal"
    "$STAGE" durable --port "${PORT[source]}" --dir "$DIR/stage-wal" --commits $((QUICK ? 300 : 2000)) >"$DIR/durable.json" || fail "stage durable"
    sync=$("$JSON" fdatasync_p50_ms <"$DIR/durable.json")
    visible_goal=$(figure p50 "$replica")
    row 'one row: commit returned → visible, (r)' "p50 $(figure p50 "$replica") ms" "p99 $(figure p99 "$replica") ms" ''
    row 'one row: commit returned → visible, wolfcdc' "p50 $(figure p50 "$ours") ms, p99 $(figure p99 "$ours") ms" \
        "p50 $(calc "$(figure p50 "$ours") / $visible_goal") × (r)" '≤ 1.5 × (r), < 1 ms'
    row 'one row: commit returned → durable in the log' "p50 $("$JSON" p50_ms <"$DIR/durable.json") ms, p99 $("$JSON" p99_ms <"$DIR/durable.json") ms" \
        "fdatasync p50 $sync ms" "≤ $(calc "$visible_goal + 2 * $sync" 2) ms"
}

# ---- one transaction of 2 GB -------------------------------------------------------------------------------------------
measure_memory() {
    local rows=$((QUICK ? 200000 : 2000000)) seen early=no end
    note "memory: one transaction of $rows rows of 1000 bytes"
    sql source 'DROP DATABASE IF EXISTS bench'
    load mixed --setup-only
    mariadb-dump --no-defaults --user=root --socket="$DIR/source/sock" --databases bench >"$DIR/memory.sql"
    FROM[memory]=$(source_gtid)
    reset_target memory
    rm -rf "$DIR/wal"
    write_config "source.start_gtid=\"${FROM[memory]}\"" wal.segment_size_mb=64
    start_agent
    load mixed --no-setup --clients 1 --transactions 1 --big-rows $rows --big-row-bytes 1000 || fail "the large transaction"
    end=$((SECONDS + 900))
    until ctl_agent wait --gtid "$(source_gtid)" --timeout 1 >"$DIR/wait.out" 2>&1; do
        seen=$(sql target 'SELECT COUNT(*) FROM bench.big')
        [ "$seen" = 0 ] || [ "$seen" = $rows ] || early=$seen
        [ $SECONDS -lt $end ] || { ctl_agent status >&2; fail "the large transaction did not arrive"; }
    done
    compare bench >/dev/null
    row "one transaction of $((rows / 1000)) MB" "agent's peak memory $(high_water_mib "$AGENT_PID") MiB" "part of it visible before its commit: $early" '< 256 MiB, no'
    stop_agent 30
}

# ---- opening a large log -----------------------------------------------------------------------------------------------
measure_recovery() {
    local gib=$((QUICK ? 1 : 10))
    note "recovery: a log of $gib GiB, left as a crash leaves it"
    rm -rf "$DIR/stage-wal" "$DIR/wal"
    "$STAGE" fill --dir "$DIR/stage-wal" --bytes $((gib << 30)) >/dev/null || fail "stage fill"
    "$STAGE" open --dir "$DIR/stage-wal" >"$DIR/open.json" || fail "stage open"
    row "start with $gib GiB of log after a crash" "$("$JSON" seconds <"$DIR/open.json") s" "$("$JSON" segments <"$DIR/open.json") segments" '< 2 s'
    rm -rf "$DIR/stage-wal"
}

# ---- the run -----------------------------------------------------------------------------------------------------------
# no ANNOTATE events: mariadb-binlog would read them, and we do not ask for them
start_source mariadb.sh --innodb-flush-log-at-trx-commit=2 --binlog-annotate-row-events=OFF --max-binlog-size=1073741824 --innodb-buffer-pool-size=512M
start_target mariadb.sh --innodb-flush-log-at-trx-commit=2 --log-slave-updates=ON --innodb-buffer-pool-size=512M
(umask 077 && echo admin >"$DIR/password")
{
    echo "$(nproc) × $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1), $(awk '/MemTotal/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo)," \
        "$(uname -sr), $(sql source 'SELECT VERSION()'); source, target and agent share the machine; innodb_flush_log_at_trx_commit=2," \
        "the target writes a binary log in every case."
    echo
} | tee -a "$REPORT"
row 'stage' 'measured' 'ratio' 'goal'
row --- --- --- ---
scale=$((QUICK ? 1 : 10))
skipped narrow || measure_workload narrow $((200 * scale)) "--batch 1000" '≥ 1.8 × (a), ≥ 7 × (v)' '≥ 1.1 × (a)' '≥ 1 × (r); CPU ≥ 0.75'
skipped wide || measure_workload wide $((25 * scale)) "--batch 1000" '≥ 2.5 × (a), ≥ 7 × (v)' '≥ 1.5 × (a)' '≥ 1 × (r); CPU ≥ 0.75'
skipped oltp || measure_workload oltp $((8000 * scale)) "--rows 10000" '≥ 4.5 × (a), ≥ 7 × (v)' '≥ 3.5 × (a)' '≥ 2 × (r)'
skipped delay || measure_delay
skipped memory || measure_memory
skipped recovery || measure_recovery
stop_server target
stop_server source
quick=()
[ $QUICK = 0 ] || quick=(--quick)
for part in sources cluster; do
    ! skipped $part || continue
    note "$part"
    JOINED=1 REPORT=$REPORT "$HERE/bench/$part.sh" "${quick[@]}" || fail "the part $part"
done
note "done; the table: $REPORT"
