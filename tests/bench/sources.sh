#!/bin/bash
# ./dev bench sources [--quick]: what is beside the main road, each beside what a user has, in the same run: MySQL 9.7 as the source, against its mysqlbinlog; its
# compressed transactions; MariaDB's compressed events; TLS; MySQL as the target of MySQL, against its own replica; seconds from a source's death to the next
# change taken from another of `hosts`. Under four minutes.
if [ "${1-}" = --help ]; then
    sed -n '2,4s/^# //p' "$0"
    exit 0
fi
export WORK=${WORK:-${BUILD:?}/b}
. "$(dirname "$0")/../lib.sh"
QUICK=0
if [ "${1-}" = --quick ]; then QUICK=1; fi
REPORT=${REPORT:-$BUILD/bench-sources.md}
START=$SECONDS
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/reading.sh"
if [ -z "${JOINED-}" ]; then
    : >"$REPORT"
    row 'stage' 'measured' 'ratio' 'goal'
    row --- --- --- ---
fi
scale=$((QUICK ? 1 : 5))
NARROW=$((200 * scale)) WIDE=$((25 * scale)) OLTP=$((2000 * scale)) # a MySQL commits hundreds of these a second, a MariaDB thousands

# ---- MySQL -------------------------------------------------------------------------------------------------------------
reset_mysql_target() { # NAME
    sql target "STOP REPLICA; RESET REPLICA ALL" 2>/dev/null || true
    sql target "DROP DATABASE IF EXISTS wolfcdc; DROP DATABASE IF EXISTS bench"
    sql target <"$DIR/$1.sql"
    sql target "RESET BINARY LOGS AND GTIDS; SET GLOBAL gtid_purged = '${FROM[$1]}'"
}
apply_mysql_replica() { # NAME WORKERS; WALL
    local from
    reset_mysql_target "$1"
    sql target "SET GLOBAL replica_parallel_workers = $2; CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = ${PORT[mysql]}, SOURCE_USER = 'repl',
        SOURCE_PASSWORD = 'repl', SOURCE_AUTO_POSITION = 1, GET_SOURCE_PUBLIC_KEY = 1"
    from=$(now)
    sql target "START REPLICA"
    [ "$(sql target "SELECT WAIT_FOR_EXECUTED_GTID_SET('${TO[$1]}', 900)")" = 0 ] || fail "MySQL's replica did not get there"
    WALL=$(calc "$(now) - $from" 3)
    sql target "STOP REPLICA; RESET REPLICA ALL"
}
apply_to_mysql() { # NAME
    local from
    reset_mysql_target "$1"
    rm -rf "$DIR/wal"
    SOURCE_PORT=${PORT[mysql]} write_config "source.start_gtid=\"${FROM[$1]}\"" wal.segment_size_mb=64
    from=$(now)
    start_agent
    ctl_agent wait --gtid "${TO[$1]}" --timeout 900 >"$DIR/wait.out" 2>&1 || { ctl_agent status >&2; fail "the agent did not get there"; }
    WALL=$(calc "$(now) - $from" 3)
    stop_agent 30
    "$BUILD/tests/tools/compare" --source-socket "$DIR/mysql/sock" --target-socket "$DIR/target/sock" bench >"$DIR/compare.out" 2>&1 || { tail -n 5 "$DIR/compare.out" >&2; fail "rows differ"; }
}
mysql_applying() { # NAME
    local workers least=999999 best_workers
    for workers in 1 4; do
        note "$1: MySQL's replica with $workers workers"
        apply_mysql_replica "$1" $workers
        row "$1: (r) MySQL's replica, $workers workers" "$WALL s" '' ''
        if [ "$(calc "$WALL < $least" 0)" = 1 ]; then least=$WALL best_workers=$workers; fi
    done
    note "$1: agent"
    apply_to_mysql "$1"
    row "$1: wolfcdc, MySQL to MySQL" "$WALL s, $(calc "${ROWS[$1]} / $WALL" 0) rows/s" "$(calc "$least / $WALL") × (r) with $best_workers workers" '≥ 1 × (r)'
}

read_and_apply() { # WORKLOAD TRANSACTIONS OPTIONS GOALS: DECODE LOG
    make_log "mysql $1" "$1" "$2" "$3"
    measure_reading "mysql $1" mysqlbinlog "$4" "$5"
    [ "$1" = wide ] || mysql_applying "mysql $1"
}
from_mysql() {
    FROM_SERVER=mysql
    mapfile -t MYSQLBINLOG < <("$HERE/servers/mysql-9.sh" command mysqlbinlog)
    read_and_apply narrow $NARROW "--batch 1000" '≥ 1.8 × (a), ≥ 7 × (v)' '≥ 1.1 × (a)'
    read_and_apply wide $WIDE "--batch 1000" '≥ 2.5 × (a), ≥ 7 × (v)' '≥ 1.5 × (a)'
    read_and_apply oltp $OLTP "--rows 10000" '≥ 4.5 × (a), ≥ 7 × (v)' '≥ 3.5 × (a)'
    stop_server target
    sql mysql "SET GLOBAL binlog_transaction_compression = ON"
    make_log 'mysql narrow, zstd' narrow $NARROW "--batch 1000"
    measure_reading 'mysql narrow, zstd' mysqlbinlog '' ''
    make_log 'mysql oltp, zstd' oltp $OLTP "--rows 10000"
    measure_reading 'mysql oltp, zstd' mysqlbinlog '' ''
    stop_server mysql
}

# ---- MariaDB: compressed events, TLS -------------------------------------------------------------------------------------
compressed_events() {
    sql source "SET GLOBAL log_bin_compress = ON, GLOBAL log_bin_compress_min_len = 10" # of a row, and narrow ones are shorter than its default
    make_log 'narrow, log_bin_compress' narrow $NARROW "--batch 1000"
    measure_reading 'narrow, log_bin_compress' mariadb-binlog '' ''
    make_log 'oltp, log_bin_compress' oltp $((OLTP * 2)) "--rows 10000"
    measure_reading 'oltp, log_bin_compress' mariadb-binlog '' ''
    sql source "SET GLOBAL log_bin_compress = OFF"
}
with_tls() {
    local plain
    make_log 'narrow over TLS' narrow $NARROW "--batch 1000"
    plain=$(best stage decode 'narrow over TLS')
    STAGE_OPTIONS=(--ca "$DIR/source/tls/ca.pem") DUMP_OPTIONS=(--ssl-ca="$DIR/source/tls/ca.pem")
    measure_reading 'narrow over TLS' mariadb-binlog '' ''
    row 'narrow over TLS: receive + CRC + decode without it' "$plain s" "" ''
    STAGE_OPTIONS=() DUMP_OPTIONS=()
}

# ---- a source dies ---------------------------------------------------------------------------------------------------------
# We read from a replica; it is killed under 200 transactions a second of its primary, which is the other of `hosts`.
same_gtid() { [ "$(sql b 'SELECT @@gtid_binlog_pos')" = "$(source_gtid)" ]; }
failover() {
    local i deaths=$((QUICK ? 1 : 3)) all=()
    start_server b mariadb.sh --read-only=ON
    sql b "SET GLOBAL gtid_slave_pos = '$(source_gtid)'; CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = ${PORT[source]}, MASTER_USER = 'repl',
        MASTER_PASSWORD = 'repl', MASTER_CONNECT_RETRY = 1, MASTER_USE_GTID = slave_pos; START SLAVE"
    for ((i = 0; i < deaths; i++)); do
        rm -rf "$DIR/wal"
        write_config source.host=- source.port=- "source.hosts=[\"127.0.0.1:${PORT[b]}\", \"127.0.0.1:${PORT[source]}\"]" source.start_gtid=- 'sink.type="jsonl"' "sink.path=\"$DIR/out\"" \
            sink.host=- sink.port=- sink.user=- sink.password_file=-
        start_agent
        wait_for 30 "reading from the replica" at_server b
        wait_for 30 "its proof" serves
        [ $i != 0 ] || workload --kind mixed --database bench --setup-only
        start_workload --kind mixed --database bench --no-setup --clients 2 --rate 200
        wait_for 20 "changes" taken 50
        sleep 0.5
        kill_server b
        await_failover source >&2
        all+=("$FAILOVER_MS")
        kill -TERM "$WORKLOAD_PID"
        join_workload
        stop_agent 30
        start_server b
        wait_for 60 "the replica" same_gtid
    done
    row "the source dies (kill -9) → the next change taken from another host" "$(printf '%s\n' "${all[@]}" | sort -n | tail -n 1) ms at most, of $deaths" '' '< 5 s'
}

# ---- the run -----------------------------------------------------------------------------------------------------------
(umask 077 && echo admin >"$DIR/password")
mysql_options=(--innodb-flush-log-at-trx-commit=2 --max-binlog-size=1073741824 --innodb-buffer-pool-size=512M)
start_server mysql mysql-9.sh "${mysql_options[@]}"
start_target mysql-9.sh "${mysql_options[@]}"
from_mysql
start_source mariadb.sh --innodb-flush-log-at-trx-commit=2 --binlog-annotate-row-events=OFF --max-binlog-size=1073741824 --innodb-buffer-pool-size=512M --log-slave-updates=ON
FROM_SERVER=source
compressed_events
with_tls
failover
note "done; the table: $REPORT"
