#!/bin/bash
# ./dev demo: two real MariaDB servers on this machine; clients write on one, wolfcdc carries it to the other; meanwhile the
# agent is killed twice, the target and the source once each, all with -9. Then both are compared row by row.
# Exit 0 only if nothing differs. Everything lives in the build directory and ends with the demo.
. "$(dirname "$0")/lib.sh"

WRITE_SECONDS=${WRITE_SECONDS:-28}
BIG_ROWS=${BIG_ROWS:-200000}
START=$SECONDS
KILLED=()
LIVE=0           # on a terminal: one line that is written over
if [ -t 1 ]; then LIVE=1; fi

note() {
    if [ $LIVE = 1 ]; then printf '\r\033[K'; fi
    printf '%3d s  %s\n' $((SECONDS - START)) "$*"
}

# ---- one line a second -------------------------------------------------------------------------------------------------
LAST_LSN=0 LAST_ROWS=0 LAST_TIME=0
show() {
    local -a v
    local rate=- now=$SECONDS
    mapfile -t v < <(ctl_agent status --json 2>/dev/null | "$BUILD/tests/tools/jsonget" source.state sinks.0.state sinks.0.rows \
        sinks.0.lag_seconds sinks.0.lag_transactions wal.durable_lsn sinks.0.lsn 2>/dev/null || true)
    if [ -z "${v[0]-}" ]; then
        v=("agent down" - 0 - - "$LAST_LSN" -)
    elif [ "${v[2]}" -ge "$LAST_ROWS" ] && [ "$now" -gt $LAST_TIME ]; then
        rate=$(((v[2] - LAST_ROWS) / (now - LAST_TIME)))
    fi
    LAST_ROWS=${v[2]} LAST_TIME=$now LAST_LSN=${v[5]}
    local line
    line=$(printf '%3d s  source %-10s target %-10s %7s rows/s   lag %6.6s s, %5s trx   log at LSN %s, target at %s' \
        $((SECONDS - START)) "${v[0]}" "${v[1]}" "$rate" "${v[3]}" "${v[4]}" "${v[5]}" "${v[6]}")
    if [ $LIVE = 1 ]; then printf '\r\033[K%s' "$line"; else printf '%s\n' "$line"; fi
}
# watch_until SECOND: show the line each second until that second of the writing.
WRITE_START=0
watch_until() {
    while [ $((SECONDS - WRITE_START)) -lt "$1" ]; do
        show
        sleep 1
    done
}

# ---- the kills ---------------------------------------------------------------------------------------------------------
killed() {
    KILLED+=("$1 at $((SECONDS - START)) s")
    note "kill -9 $1"
}
strike() {
    case $1 in
    agent)
        kill_agent
        killed agent
        sleep 1
        start_agent
        ;;
    *)
        kill_server "$1"
        killed "$1"
        sleep 1
        start_server "$1"
        ;;
    esac
    note "$1 started again"
}

# ---- the way -----------------------------------------------------------------------------------------------------------
note "starting two MariaDB servers and the agent"
start_source - --innodb-buffer-pool-size=128M
start_target - --innodb-buffer-pool-size=128M
note "source: MariaDB $(sql source 'SELECT VERSION()') on port ${PORT[source]}, target: $(sql target 'SELECT VERSION()') on port ${PORT[target]}"
write_config
start_agent
note "clients write: transactions over several tables, all column types, ALTER and CREATE TABLE in between"
start_probe() { # start_probe FILE [OPTION...]
    "$BUILD/tests/tools/probe" --source-socket "$DIR/source/sock" --target-socket "$DIR/target/sock" "${@:2}" >"$1" 2>"$DIR/probe.err" &
    PROBE=$!
    BACKGROUND+=("$PROBE")
}
start_probe "$DIR/calm.out" --seconds 5
WRITE_START=$SECONDS
start_workload --clients 4 --seconds "$WRITE_SECONDS" --rate 400 --ddl-ms 700 --quiet
watch_until 7
wait "$PROBE" || fail "the probe did not see its last row"
start_probe "$DIR/probe.out"
strike agent
note "one transaction of $BIG_ROWS rows"
"$BUILD/tests/tools/workload" --host 127.0.0.1 --port "${PORT[source]}" --user admin --password-file "$DIR/password" --database bulk \
    --clients 1 --rate 1 --seconds 3 --big-rows "$BIG_ROWS" --quiet >"$DIR/bulk.log" 2>&1 &
BULK=$!
BACKGROUND+=("$BULK")
watch_until 12
strike target
watch_until 18
strike source
watch_until 24
strike agent
watch_until "$WRITE_SECONDS"
join_workload
wait "$BULK" || fail "the large transaction failed: $(tail -n 3 "$DIR/bulk.log")"
note "the clients are done; waiting until the target has everything"
ctl_agent wait --timeout 40 >"$DIR/wait.out" 2>&1 &
WAIT=$!
BACKGROUND+=("$WAIT")
while kill -0 "$WAIT" 2>/dev/null; do
    show
    sleep 1
done
wait "$WAIT" || fail "not delivered within 40 s: $(cat "$DIR/wait.out")"
kill -TERM "$PROBE"
wait "$PROBE" || fail "the probe did not see its last row"
wait_delivered 20

note "comparing table by table, row by row"
same=1
"$BUILD/tests/tools/compare" --source-socket "$DIR/source/sock" --target-socket "$DIR/target/sock" >"$DIR/compare.out" 2>&1 || same=0
if [ $LIVE = 1 ]; then printf '\r\033[K'; fi
sed 's/^/       /' "$DIR/compare.out"
stop_agent

gtid=$(source_gtid)
bytes=$(sql source "SHOW BINARY LOGS" | awk '{ n += $2 } END { printf "%.0f", n / 1048576 }')
wal_bytes=$(du -sm "$DIR/wal" | cut -f1)
say
say "---- report"
say "transactions   ${gtid##*-} on the source (GTID $gtid)"
say "clients        $(tail -n 1 "$DIR/workload.log" | sed "s/^workload: //"), and one of $BIG_ROWS rows"
say "bytes          $bytes MiB of binlog, $wal_bytes MiB of log"
say "killed -9      $(printf '%s, ' "${KILLED[@]}" | sed 's/, $//')"
say "to visible     before the kills: $(sed 's/^probe: //' "$DIR/calm.out")"
say "               with the kills:   $(sed 's/^probe: //' "$DIR/probe.out")"
if [ $same = 1 ]; then
    say "differences    0"
else
    say "differences    there are some: see above"
    fail "source and target differ"
fi
say "done in $((SECONDS - START)) s"
