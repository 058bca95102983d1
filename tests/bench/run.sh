#!/bin/bash
# ./dev bench [--quick] [--skip WORD]...: rates, delays, memory and recovery, each as a ratio to what a user has, in the same run:
#   (a) mariadb-binlog --raw   (v) mariadb-binlog -v   (r) MariaDB's own replica of the same binary log
# Three workloads, each in a binary log file of its own: narrow bulk inserts, wide bulk inserts, small transactions of four row
# changes. The table goes to standard output and to bench.md in the build directory. WORD: narrow wide oltp delay memory recovery cluster
# (./dev bench cluster [--quick]: that alone, against goals).
if [ "${1-}" = --help ]; then
    sed -n '2,7s/^# //p' "$0"
    exit 0
fi
export WORK=${WORK:-${BUILD:?}/b}
if [ "${1-}" = cluster ]; then exec "$(dirname "$0")/cluster.sh" "${@:2}"; fi
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
STAGE=$BUILD/tests/bench/stage
JSON=$BUILD/tests/tools/jsonget
REPORT=$BUILD/bench.md
START=$SECONDS
: >"$REPORT"

note() { printf '%4d s  %s\n' $((SECONDS - START)) "$*" >&2; }
row() { printf '| %s | %s | %s | %s |\n' "$@" | tee -a "$REPORT"; }
calc() { awk "BEGIN { printf \"%.${2-2}f\", $1 }"; }
skipped() { [[ $SKIP == *" $1 "* ]]; }
now() { date +%s.%N; }
# seconds COMMAND...: how long it takes.
seconds() {
    local from
    from=$(now)
    "$@" >/dev/null
    calc "$(now) - $from" 3
}
# best COMMAND...: the least of three runs of a command that prints seconds.
best() {
    local i least=999999 this
    for ((i = 0; i < (QUICK ? 2 : 3); i++)); do
        this=$("$@")
        least=$(calc "$this < $least ? $this : $least" 3)
    done
    echo "$least"
}
# cpu_of PID: the seconds of processor time it has used.
cpu_of() { awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print ($12 + $13) / hz }' "/proc/$1/stat"; }
high_water_mib() { awk '/^VmHWM/ { printf "%.0f", $2 / 1024 }' "/proc/$1/status"; }

load() { # WORKLOAD OPTION...
    "$BUILD/tests/tools/workload" --socket "$DIR/source/sock" --user root --password '' --quiet --database bench --seed 7 --kind "$@" 2>>"$DIR/workload.log"
}

# ---- a workload in a binary log file of its own ------------------------------------------------------------------------
declare -A FROM=() TO=() LOGFILE=() BYTES=() ROWS=()
make_log() { # KIND TRANSACTIONS OPTIONS
    local kind=$1 count=$2 options
    read -ra options <<<"$3"
    sql source 'DROP DATABASE IF EXISTS bench'
    load "$kind" --setup-only "${options[@]}"
    mariadb-dump --no-defaults --user=root --socket="$DIR/source/sock" --databases bench >"$DIR/$kind.sql"
    sql source 'FLUSH BINARY LOGS'
    FROM[$kind]=$(source_gtid)
    LOGFILE[$kind]=$(sql source 'SHOW MASTER STATUS' | cut -f 1)
    ROWS[$kind]=$(load "$kind" --no-setup --clients 1 --transactions "$count" --json "${options[@]}" | "$JSON" rows)
    TO[$kind]=$(source_gtid)
    sql source 'FLUSH BINARY LOGS'
    BYTES[$kind]=$(sql source 'SHOW BINARY LOGS' | awk -v f="${LOGFILE[$kind]}" '$1 == f { print $2 }')
}

dump() { # OPTION... FILE
    mariadb-binlog --no-defaults --read-from-remote-server --host=127.0.0.1 --port="${PORT[source]}" --user=admin --password=admin "$@"
}
time_raw() {
    rm -f "$DIR"/raw-*
    seconds dump --raw --result-file="$DIR/raw-" "${LOGFILE[$1]}"
}
time_verbose() { seconds dump -v "${LOGFILE[$1]}"; }

stage() { # STAGE KIND
    rm -rf "$DIR/stage-wal"
    "$STAGE" "$1" --port "${PORT[source]}" --dir "$DIR/stage-wal" --from "${FROM[$2]}" --to "${TO[$2]}" >"$DIR/stage.json" || fail "stage $1"
    "$JSON" seconds <"$DIR/stage.json"
}

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

measure_workload() { # KIND TRANSACTIONS OPTIONS GOALS: DECODE LOG APPLYOAL_DECODE GOAL_LOG GOAL_APPLY
    local kind=$1 a v decode log threads best_r=999999 best_threads cpu_r
    note "$kind: writing"
    make_log "$@"
    local mib million
    mib=$(calc "${BYTES[$kind]} / 1048576" 1)
    million=$(calc "${ROWS[$kind]} / 1000000" 4)
    note "$kind: $mib MiB of binary log, ${ROWS[$kind]} rows; reading it"
    a=$(best time_raw "$kind")
    v=$(QUICK=1 best time_verbose "$kind")
    decode=$(best stage decode "$kind")
    log=$(best stage log "$kind")
    row "$kind: binary log" "$mib MiB, ${ROWS[$kind]} row changes" '' ''
    row "$kind: (a) mariadb-binlog --raw" "$a s" "$(calc "$mib / $a" 0) MiB/s" ''
    row "$kind: (v) mariadb-binlog -v" "$v s" "$(calc "$mib / $v" 0) MiB/s" ''
    row "$kind: receive + CRC + decode" "$decode s, $(calc "$mib / $decode" 0) MiB/s" "$(calc "$a / $decode") × (a), $(calc "$v / $decode" 1) × (v)" "$4"
    row "$kind: + compress + write the log" "$log s, $(calc "$mib / $log" 0) MiB/s" "$(calc "$a / $log") × (a)" "$5"
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
if ! skipped cluster; then
    stop_server target
    stop_server source
    note "a cluster"
    if [ $QUICK = 1 ]; then cluster_options=(--quick); else cluster_options=(); fi
    JOINED=1 REPORT=$REPORT "$HERE/bench/cluster.sh" "${cluster_options[@]}" || fail "the cluster's part"
fi
note "done; the table: $REPORT"
