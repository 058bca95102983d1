# shellcheck shell=bash
# What the server scenarios and the demo share: sourced, never run. A scenario begins with
#
#   . "$(dirname "$0")/../lib.sh"
#
# and then has a directory of its own ($DIR), free ports, real servers, an agent and the tools. Whatever it started ends
# with it, by process id; its files stay when it failed. Environment: BUILD (the build to test), WORK (where scenarios
# keep their files), PORT_BASE (first port to try), ROUNDS, SEED, LONG=1, DRIVER=mysqlclient (the agent reads the source with MySQL's own client library).
set -euo pipefail
umask 022

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
BUILD=${BUILD:-$HERE/../build}
[ -d "$BUILD" ] || { echo "no build in $BUILD: run ./dev build" >&2; exit 2; }
BUILD=$(cd "$BUILD" && pwd -P)
WORK=${WORK:-$BUILD/t}
PORT_BASE=${PORT_BASE:-21000}
LONG=${LONG:-0}
DRIVER=${DRIVER-}
TEST=$(basename "$0" .sh)${DRIVER:+-$DRIVER}
DIR=$WORK/$TEST
SEED=${SEED:-$RANDOM}
RANDOM=$SEED
SERVERS_CACHE=${SERVERS_CACHE:-$HERE/../cache}
export SERVERS_CACHE
AGENT_PID=
BACKGROUND=()            # pids of ours that cleanup ends
declare -A PORT=() SCRIPT=() OPTIONS=()
LAST_PORT=$PORT_BASE
AGENT=("$BUILD/wolfcdc") # what an agent is started with

say() { printf '%s\n' "$*"; }
fail() {
    say "FAIL: $*" >&2
    exit 1
}
# Rows that differ, are missing or doubled: what no second try may excuse (run.sh).
differ() {
    say "FAIL: $*" >&2
    exit 3
}
# A scenario that this machine cannot run says why; the runner counts it apart.
skip() {
    say "SKIP: $*"
    exit 77
}

# ---- begin and end -----------------------------------------------------------------------------------------------------
# end_process PID [SIGNAL]: end it and wait until it is gone (10 s, then by force).
end_process() {
    local pid=$1 i
    kill "-${2-TERM}" "$pid" 2>/dev/null || return 0
    for ((i = 0; i < 100; i++)); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
}

cleanup() {
    local code=$? name pid
    trap - EXIT INT TERM
    set +e
    for pid in "${BACKGROUND[@]}"; do end_process "$pid" KILL; done
    [ -z "$AGENT_PID" ] || end_process "$AGENT_PID" KILL
    for name in "${!PORT[@]}"; do stop_hard "$name"; done
    declare -F scenario_cleanup >/dev/null && scenario_cleanup
    if [ $code = 0 ]; then
        rm -rf "$DIR"
    elif [ $code != 77 ]; then
        say "---- $TEST failed (exit $code, SEED=$SEED); its files: $DIR" >&2
        [ ! -e "$DIR/agent.log" ] || { say "---- the agent's last lines:" >&2; tail -n 25 "$DIR/agent.log" >&2; }
    fi
    exit $code
}

begin() {
    # what a run before this one left running in this directory is ours too
    local old
    for old in "$DIR"/*/pid; do
        [ ! -e "$old" ] || "$HERE/servers/mariadb.sh" stop "$(dirname "$old")" || true
    done
    rm -rf "$DIR"
    mkdir -p "$DIR"
    trap cleanup EXIT
    trap 'exit 130' INT TERM
    [ ${#DIR} -le 90 ] || fail "the directory's name is too long for a Unix socket: $DIR"
    say "$TEST: SEED=$SEED"
}

# free_port: set FREE to a port that nobody uses, another at each call.
free_port() {
    local p
    for ((p = LAST_PORT + 1; p < LAST_PORT + 400; p++)); do
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null; then
            LAST_PORT=$p
            FREE=$p
            return 0
        fi
    done
    fail "no free port above $LAST_PORT"
}

# ---- servers -----------------------------------------------------------------------------------------------------------
# start_server NAME [SCRIPT|- [OPTION...]]: a database server in $DIR/NAME, at ${PORT[NAME]}; again, with no more than the
# name: the same server once more.
start_server() {
    local name=$1
    if [ $# -gt 1 ] || [ -z "${SCRIPT[$name]-}" ]; then
        local script=${2-mariadb.sh}
        [ "$script" != - ] || script=mariadb.sh
        SCRIPT[$name]=$script
        OPTIONS[$name]="${*:3}"
    fi
    if [ -z "${PORT[$name]-}" ]; then
        free_port
        PORT[$name]=$FREE
    fi
    # shellcheck disable=SC2086 # options are words without blanks
    "$HERE/servers/${SCRIPT[$name]}" start "$DIR/$name" "${PORT[$name]}" \
        --innodb-flush-log-at-trx-commit=1 ${OPTIONS[$name]} || fail "$name does not start"
}
start_source() { start_server source "$@"; }
start_target() { start_server target "$@"; }
stop_server() { "$HERE/servers/${SCRIPT[$1]}" stop "$DIR/$1"; }
kill_server() { stop_hard "$1" || fail "$1 was not running"; }
stop_hard() {
    local pid
    pid=$(cat "$DIR/$1/pid" 2>/dev/null) || return 1
    # a pid is used again one day: ours has its directory on its command line
    tr '\0' '\n' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -- "$DIR/$1/" || return 1
    kill -KILL "$pid" 2>/dev/null || true
    while kill -0 "$pid" 2>/dev/null && ! grep -q "^State:.*Z" "/proc/$pid/status" 2>/dev/null; do sleep 0.05; done
    # its first thread can be gone while others still hold the port
    while (exec 3<>"/dev/tcp/127.0.0.1/${PORT[$1]}") 2>/dev/null; do sleep 0.05; done
    rm -f "$DIR/$1/pid"
}

# sql SERVER [STATEMENT]: as root by the socket; without a statement it reads from standard input. Rows as tabbed text.
sql() {
    local name=$1
    if [ $# -gt 1 ]; then
        mariadb --no-defaults --user=root --socket="$DIR/$name/sock" --default-character-set=utf8mb4 -N -B -e "${*:2}"
    else
        mariadb --no-defaults --user=root --socket="$DIR/$name/sock" --default-character-set=utf8mb4 -N -B
    fi
}
source_gtid() { sql source 'SELECT @@gtid_binlog_pos'; }

# wait_for SECONDS WHAT COMMAND...: until the command succeeds.
wait_for() {
    local end=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || fail "waited in vain for: $what"
        sleep 0.2
    done
}

# ---- the client libraries ----------------------------------------------------------------------------------------------
# with_mysqlclient: from now on agents find the module, and the library of libmysqlclient.sh, which wants a newer C library than the machine's.
with_mysqlclient() {
    local flags libs
    flags=$("$HERE/servers/libmysqlclient.sh" cflags) || fail "no libmysqlclient"
    libs=$("$HERE/servers/libmysqlclient.sh" libs)
    (flock 9 && [ -e "$BUILD/wolfcdc-mysqlclient.so" ] || make -C "$BUILD" wolfcdc-mysqlclient.so MYSQLCLIENT_CFLAGS="$flags" MYSQLCLIENT_LIBS="$libs") \
        9>"$BUILD/mysqlclient.lock" >"$DIR/make.out" 2>&1 || { cat "$DIR/make.out" >&2; fail "the module is not built"; }
    mapfile -t AGENT < <("$HERE/servers/libmysqlclient.sh" loader "$BUILD")
    AGENT+=("$BUILD/wolfcdc")
}

# ---- the agent -----------------------------------------------------------------------------------------------------------
CONFIG=''
SOCKET=''
# write_config [KEY=VALUE...]: $DIR/wolfcdc.toml for `source` and `target`. A KEY is section.name (source.start_gtid="…",
# sink.group_rows=100) and replaces what stands there, or is added; VALUE is TOML; "-" takes the key away. Keys of
# [[sink]] go to the first sink; further text for the end of the file is read from $CONFIG_TAIL.
write_config() {
    local -A value=()
    local -a order=()
    local pair section=
    CONFIG=$DIR/wolfcdc.toml
    SOCKET=$DIR/control.sock
    set -- ${DRIVER:+"source.driver=\"$DRIVER\""} "$@"
    for pair in "source.host=\"127.0.0.1\"" "source.port=${SOURCE_PORT:-${PORT[source]}}" 'source.user="admin"' \
        "source.password_file=\"$DIR/password\"" source.server_id=7301 source.start_gtid='""' \
        "wal.dir=\"$DIR/wal\"" wal.segment_size_mb=16 wal.free_min_mb=64 \
        'sink.name="target"' 'sink.type="mysql"' 'sink.host="127.0.0.1"' "sink.port=${TARGET_PORT:-${PORT[target]-1}}" \
        'sink.user="admin"' "sink.password_file=\"$DIR/password\"" \
        "api.socket=\"$SOCKET\"" 'logging.level="info"' "$@"; do
        [ -n "${value[${pair%%=*}]-}" ] || order+=("${pair%%=*}")
        value[${pair%%=*}]=${pair#*=}
    done
    (umask 077 && echo admin >"$DIR/password")
    {
        for section in source wal sink api filter logging; do
            case $section in sink) echo '[[sink]]' ;; *) echo "[$section]" ;; esac
            for pair in "${order[@]}"; do
                [ "${pair%%.*}" = $section ] || continue
                [ "${value[$pair]}" = - ] || echo "${pair#*.} = ${value[$pair]}"
            done
        done
        printf '%s\n' "${CONFIG_TAIL-}"
    } >"$CONFIG"
    chmod 600 "$CONFIG"
}

ctl() { "$BUILD/wolfctl" "$@"; }
# wolfctl on our agent: ctl_agent VERB...
ctl_agent() { "$BUILD/wolfctl" --socket "$SOCKET" "$@"; }

# launch_agent: start it and do not wait. start_agent: until it answers.
launch_agent() {
    "${AGENT[@]}" --config "$CONFIG" </dev/null >>"$DIR/agent.log" 2>&1 &
    AGENT_PID=$!
}
agent_answers() { ctl_agent status; }
start_agent() {
    launch_agent
    local i
    for ((i = 0; i < 150; i++)); do
        kill -0 "$AGENT_PID" 2>/dev/null || fail "the agent ended while it started"
        ! agent_answers >/dev/null 2>&1 || return 0
        sleep 0.1
    done
    fail "the agent does not answer"
}
# start_agent_slow: each fdatasync takes SLOWSYNC_MS longer. cut_log_back, after kill_agent: what a power cut leaves: the open segment ends where
# the last sync of it ended, and what follows is zeros. TOOK=1 when that took something.
export SLOWSYNC_LOG=$DIR/synced
start_agent_slow() { LD_PRELOAD=$BUILD/tests/tools/slowsync.so start_agent; }
cut_log_back() {
    local open inode end size
    open=$(find "$DIR/wal" -name '*.open')
    inode=$(stat -c %i "$open")
    size=$(stat -c %s "$open")
    end=$(awk -v inode="$inode" '$1 == inode { end = $2 } END { print end + 0 }' "$SLOWSYNC_LOG")
    [ "$end" -ge 4096 ] || fail "the log's open segment was never synced"
    TOOK=0
    # shellcheck disable=SC2034 # for the caller
    cmp -s -n "$((size - end))" -i "$end:0" "$open" /dev/zero || TOOK=1
    truncate -s "$end" "$open"
    truncate -s "$size" "$open"
}
kill_agent() {
    kill -KILL "$AGENT_PID" 2>/dev/null || fail "the agent was not running"
    wait "$AGENT_PID" 2>/dev/null || true
    AGENT_PID=
}
# stop_agent [SECONDS]: SIGTERM; it must end in so long (5), with 0.
stop_agent() {
    local limit=${1-5} from=$SECONDS code=0 i
    kill -TERM "$AGENT_PID" || fail "the agent was not running"
    for ((i = 0; i < limit * 20; i++)); do
        kill -0 "$AGENT_PID" 2>/dev/null || break
        sleep 0.05
    done
    ! kill -0 "$AGENT_PID" 2>/dev/null || fail "the agent did not stop in $limit s (since $from)"
    wait "$AGENT_PID" || code=$?
    AGENT_PID=
    [ $code = 0 ] || fail "the agent stopped with exit code $code"
}
# ended_agent SECONDS: it must end by itself; its exit code is in CODE.
ended_agent() {
    local i
    for ((i = 0; i < $1 * 10; i++)); do
        kill -0 "$AGENT_PID" 2>/dev/null || break
        sleep 0.1
    done
    ! kill -0 "$AGENT_PID" 2>/dev/null || fail "the agent still runs after $1 s"
    # shellcheck disable=SC2034 # for the caller
    CODE=0
    # shellcheck disable=SC2034 # for the caller
    wait "$AGENT_PID" || CODE=$?
    AGENT_PID=
}
# supervise_agent: what systemd does: as soon as it ends, start it again.
supervise_agent() {
    if [ -z "$AGENT_PID" ] || ! kill -0 "$AGENT_PID" 2>/dev/null; then launch_agent; fi
}

# wait_delivered [SECONDS]: the target has all that the source had at the call.
wait_delivered() {
    ctl_agent wait --timeout "${1-60}" >"$DIR/wait.out" 2>&1 || { cat "$DIR/wait.out" >&2; ctl_agent status >&2 || true
        fail "not delivered in ${1-60} s"; }
}
# status_of PATH: one value of the agent's status, for example source.state or sinks.0.reason.
status_of() { ctl_agent status --json 2>/dev/null | "$BUILD/tests/tools/jsonget" "$1"; }
state_is() { [ "$(status_of "$1")" = "$2" ]; }
# await_state PATH STATE [SECONDS]
await_state() {
    local end=$((SECONDS + ${3-30}))
    until state_is "$1" "$2"; do
        [ $SECONDS -lt $end ] || { ctl_agent status >&2 || true
            fail "$1 is '$(status_of "$1")', not '$2', after ${3-30} s"; }
        sleep 0.2
    done
}
# says PATH TEXT: that value holds the text, in any case of letters.
says() {
    local text
    text=$(status_of "$1")
    grep -qiE -- "$2" <<<"$text" || fail "$1 says '$text', which does not name '$2'"
}
log_says() { grep -qiE -- "$1" "$DIR/agent.log" || fail "the agent's log does not say '$1'"; }

# at_server NAME: capture reads from that one of `hosts`, or tries to; serves: what it reads from is proven. taken COUNT: it has taken more transactions than that.
# await_failover NAME: just after the death of the server that it read from: until it reads from that one, and one more has been taken; FAILOVER_MS is how long that was.
at_server() { state_is source.server "127.0.0.1:${PORT[$1]}"; }
serves() { [[ $(status_of source.state) =~ ^(streaming|idle)$ ]]; }
taken() { local now; now=$(status_of source.transactions) && [ "${now:-0}" -gt "$1" ]; }
await_failover() {
    local died before
    died=$(date +%s%N) before=$(status_of source.transactions)
    until at_server "$1" && serves && taken "$before"; do
        [ $(($(date +%s%N) - died)) -lt 20000000000 ] || fail "no change from $1 within 20 s of the death of the source"
        sleep 0.02
    done
    FAILOVER_MS=$((($(date +%s%N) - died) / 1000000))
    say "from the death of the source to the next change: $FAILOVER_MS ms"
}

status_var() { sql source "SHOW GLOBAL STATUS LIKE '$1'" | cut -f2; } # NAME: of the source
# latency VARIABLE COUNT: into it, the median of so many commits of a row of d.t on the source, each by itself, in microseconds.
latency() {
    local i from all=()
    coproc SQL { mariadb --no-defaults --user=root --socket="$DIR/source/sock" -N -B -n; }
    for ((i = 0; i < $2; i++)); do
        from=${EPOCHREALTIME/[.,]/}
        echo "INSERT INTO d.t (n) VALUES ($i); SELECT 1;" >&"${SQL[1]}"
        read -r _ <&"${SQL[0]}"
        all+=("$((${EPOCHREALTIME/[.,]/} - from))")
    done
    local fd=${SQL[1]}
    exec {fd}>&-
    wait "$SQL_PID" 2>/dev/null || true
    printf -v "$1" %s "$(printf '%s\n' "${all[@]}" | sort -n | sed -n "$((($2 + 1) / 2))p")"
}

# ---- the tools ---------------------------------------------------------------------------------------------------------
# compare [DATABASE...]: both sides hold the same rows, or fail.
compare() {
    "$BUILD/tests/tools/compare" --source-socket "$DIR/source/sock" --target-socket "$DIR/target/sock" "$@" \
        >"$DIR/compare.out" 2>&1 || { tail -n 40 "$DIR/compare.out" >&2; differ "source and target differ"; }
    say "$(tail -n 1 "$DIR/compare.out")"
}
# workload OPTION...: in the foreground, against the source.
workload() {
    "$BUILD/tests/tools/workload" --host 127.0.0.1 --port "${PORT[source]}" --user admin --password-file "$DIR/password" \
        --seed "$SEED" --quiet "$@" >>"$DIR/workload.log" 2>&1 || { tail -n 5 "$DIR/workload.log" >&2; fail "the workload failed"; }
}
# start_workload OPTION...: in the background; join_workload waits for its end.
start_workload() {
    "$BUILD/tests/tools/workload" --host 127.0.0.1 --port "${PORT[source]}" --user admin --password-file "$DIR/password" \
        --seed "$SEED" --quiet "$@" >>"$DIR/workload.log" 2>&1 &
    WORKLOAD_PID=$!
    BACKGROUND+=("$WORKLOAD_PID")
}
join_workload() {
    wait "$WORKLOAD_PID" || { tail -n 5 "$DIR/workload.log" >&2; fail "the workload failed"; }
}
# as_it_was TABLE SQL WORDS: capture has stopped, as the source is past WORDS; told what TABLE was before it, it goes on, and all is equal.
as_it_was() {
    await_state source.state stopped
    says source.reason "$3"
    says source.reason 'wolfctl schema set'
    echo "$2" >"$DIR/then.sql"
    ctl_agent schema set "$1" "$DIR/then.sql" >"$DIR/out" || fail "schema set: $(cat "$DIR/out")"
    wait_delivered
    compare
}
# kill_while_writing TIMES <SQL: the source takes it, and meanwhile the agent is killed and started again.
kill_while_writing() {
    local i writer
    sql source <&0 &
    writer=$!
    BACKGROUND+=("$writer")
    for ((i = 0; i < $1; i++)); do
        sleep 0.$((RANDOM % 3 + 1))
        kill_agent
        start_agent
    done
    wait "$writer" || fail "the source did not take what was written"
}
# start_proxy NAME PORT OPTION...: tests/tools/cutproxy in front of that port, at ${PORT[NAME]}.
start_proxy() {
    local name=$1 to=$2
    free_port
    "$BUILD/tests/tools/cutproxy" "${@:3}" "$FREE" "$to" >>"$DIR/$name.log" 2>&1 &
    PROXY_PID=$!
    PROXY_PORT=$FREE
    BACKGROUND+=("$PROXY_PID")
    wait_for 5 "the proxy" bash -c "exec 3<>/dev/tcp/127.0.0.1/$PROXY_PORT"
}

# start_store NAME [OPTION...]: tests/tools/httpstore in front of the server `target`, at ${STORE[NAME]}.
declare -A STORE=() STORE_PID=()
start_store() {
    local name=$1
    if [ -z "${STORE[$name]-}" ]; then
        free_port
        STORE[$name]=$FREE
    fi
    "$BUILD/tests/tools/httpstore" --listen "${STORE[$name]}" --port "${PORT[target]}" "${@:2}" >>"$DIR/store-$name.log" 2>&1 &
    STORE_PID[$name]=$!
    BACKGROUND+=("$!")
    wait_for 5 "the store" bash -c "exec 3<>/dev/tcp/127.0.0.1/${STORE[$name]}"
}
kill_store() { end_process "${STORE_PID[$1]}" KILL; }
# store_mode NAME MODES: what it is to do from now on. store_count NAME: how many writes it was asked for.
store_asks() {
    exec 8<>"/dev/tcp/127.0.0.1/${STORE[$1]}"
    printf '%s %s HTTP/1.0\r\nContent-Length: 0\r\n\r\n' "$2" "$3" >&8
    cat <&8
    exec 8>&-
}
store_mode() { store_asks "$1" POST "/mode/$2" >/dev/null; }
store_count() { store_asks "$1" GET /count | sed -n 's/.*"count":\([0-9]*\).*/\1/p'; }
# write_http_config URLS [KEY=VALUE...]: as write_config, for a sink of type http at these addresses ("a", "b").
write_http_config() { write_config 'sink.type="http"' "sink.url=[$1]" "${@:2}"; }

begin
[ "$DRIVER" != mysqlclient ] || with_mysqlclient
