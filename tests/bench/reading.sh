# A workload in a binary log file of its own, on the server FROM_SERVER (source), and its reading by that server's own tool and by us.
# shellcheck shell=bash disable=SC2154 # DIR and others are of ../lib.sh
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

STAGE=$BUILD/tests/bench/stage
JSON=$BUILD/tests/tools/jsonget

FROM_SERVER=source
declare -A FROM=() TO=() LOGFILE=() BYTES=() ROWS=()
load() { # WORKLOAD OPTION...
    "$BUILD/tests/tools/workload" --socket "$DIR/$FROM_SERVER/sock" --user root --password '' --quiet --database bench --seed 7 --kind "$@" 2>>"$DIR/workload.log"
}
is_mysql() { [[ ${SCRIPT[$1]} == mysql* ]]; }
gtid_now() { if is_mysql $FROM_SERVER; then sql $FROM_SERVER 'SELECT @@gtid_executed'; else sql $FROM_SERVER 'SELECT @@gtid_binlog_pos'; fi; }
# make_log NAME WORKLOAD TRANSACTIONS OPTIONS
make_log() {
    local name=$1 count=$3 options status='MASTER STATUS'
    ! is_mysql $FROM_SERVER || status='BINARY LOG STATUS'
    read -ra options <<<"$4"
    sql $FROM_SERVER 'DROP DATABASE IF EXISTS bench'
    load "$2" --setup-only "${options[@]}"
    mariadb-dump --no-defaults --no-tablespaces --user=root --socket="$DIR/$FROM_SERVER/sock" --databases bench >"$DIR/$name.sql"
    sql $FROM_SERVER 'FLUSH BINARY LOGS'
    FROM[$name]=$(gtid_now)
    LOGFILE[$name]=$(sql $FROM_SERVER "SHOW $status" | cut -f 1)
    ROWS[$name]=$(load "$2" --no-setup --clients 1 --transactions "$count" --json "${options[@]}" | "$JSON" rows)
    TO[$name]=$(gtid_now)
    sql $FROM_SERVER 'FLUSH BINARY LOGS'
    BYTES[$name]=$(sql $FROM_SERVER 'SHOW BINARY LOGS' | awk -v f="${LOGFILE[$name]}" '$1 == f { print $2 }')
}

# The server's own tool. MySQL's (MYSQLBINLOG: how it is run) has TLS unless told; MariaDB's has not.
DUMP_OPTIONS=() MYSQLBINLOG=()
dump() { # OPTION... FILE
    if is_mysql $FROM_SERVER; then
        "${MYSQLBINLOG[@]}" --no-defaults --read-from-remote-server --host=127.0.0.1 --port="${PORT[$FROM_SERVER]}" \
            --user=admin --password=admin --ssl-mode=DISABLED --get-server-public-key "$@" 2>>"$DIR/dump.log"
    else
        mariadb-binlog --no-defaults --read-from-remote-server --host=127.0.0.1 --port="${PORT[$FROM_SERVER]}" --user=admin --password=admin "${DUMP_OPTIONS[@]}" "$@"
    fi
}
time_raw() {
    rm -f "$DIR"/raw-*
    seconds dump --raw --result-file="$DIR/raw-" "${LOGFILE[$1]}"
}
time_verbose() { seconds dump -v "${LOGFILE[$1]}"; }

STAGE_OPTIONS=()
stage() { # STAGE NAME
    rm -rf "$DIR/stage-wal"
    "$STAGE" "$1" --port "${PORT[$FROM_SERVER]}" --dir "$DIR/stage-wal" --from "${FROM[$2]}" --to "${TO[$2]}" "${STAGE_OPTIONS[@]}" >"$DIR/stage.json" || fail "stage $1"
    "$JSON" seconds <"$DIR/stage.json"
}

# measure_reading NAME TOOL GOAL_DECODE GOAL_LOG: the file read by the server's own tool, raw and as text, and by us.
measure_reading() {
    local name=$1 a v decode log mib
    mib=$(calc "${BYTES[$name]} / 1048576" 1)
    note "$name: $mib MiB of binary log, ${ROWS[$name]} rows; reading it"
    a=$(best time_raw "$name")
    v=$(QUICK=1 best time_verbose "$name")
    decode=$(best stage decode "$name")
    log=$(best stage log "$name")
    row "$name: binary log" "$mib MiB, ${ROWS[$name]} row changes" '' ''
    row "$name: (a) $2 --raw" "$a s" "$(calc "$mib / $a" 0) MiB/s" ''
    row "$name: (v) $2 -v" "$v s" "$(calc "$mib / $v" 0) MiB/s" ''
    row "$name: receive + CRC + decode" "$decode s, $(calc "$mib / $decode" 0) MiB/s" "$(calc "$a / $decode") × (a), $(calc "$v / $decode" 1) × (v)" "$3"
    row "$name: + compress + write the log" "$log s, $(calc "$mib / $log" 0) MiB/s" "$(calc "$a / $log") × (a)" "$4"
}
