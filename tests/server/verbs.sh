#!/bin/bash
# pause, resume and wait do what they say; wolfctl ends with 0 done, 1 not met, 2 usage or configuration, 3 cannot reach.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
write_config
ends() { # ends CODE WOLFCTL-ARGUMENT...
    local want=$1 code=0
    shift
    ctl "$@" >"$DIR/out" 2>&1 </dev/null || code=$?
    [ $code = "$want" ] || { cat "$DIR/out" >&2; fail "wolfctl $* ended with $code, not $want"; }
}
# nobody there
ends 3 --socket "$SOCKET" status
grep -q "$SOCKET" "$DIR/out" || fail "which socket it tried is not said"
ends 3 --config "$CONFIG" wait --timeout 1
ends 2 --config "$DIR/none.toml" status
ends 2 frobnicate
ends 2 wal dump --dir "$DIR/wal" --format xml
ends 2 conflict
ends 2 wait --timeout nonsense
grep -q 'nonsense.*allowed' "$DIR/out" || fail "what a timeout may be is not said"
for timeout in -1 1s nan 86401 ''; do ends 2 --socket "$SOCKET" wait --timeout "$timeout"; done
ends 2 --config "$CONFIG" wait --gtid nonsense
ends 2 --config "$CONFIG" log-level loud
ends 2 --config "$CONFIG" sink rewind target notanumber --yes
ends 2 --config "$CONFIG" wait --sink nobody --timeout 1
ends 3 --config "$CONFIG" wait --sink target --timeout 1
ends 0 help
ends 0 wait --help
start_agent
agent() { ends "$1" --socket "$SOCKET" "${@:2}"; }
sql source "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY)"
agent 0 wait --timeout 20
ends 0 --config "$CONFIG" status --json
"$BUILD/tests/tools/jsonget" source.state sinks.0.state <"$DIR/out" >/dev/null || fail "status --json: $(cat "$DIR/out")"
agent 0 ready
agent 2 wait --sink nobody --timeout 1
agent 2 wait --timeout soon
# a wait that is given up is over for the agent, too: else a day of them would leave no connection for the operator
threads() { find "/proc/$AGENT_PID/task" -mindepth 1 -maxdepth 1 | wc -l; }
before=$(threads)
for ((i = 0; i < 8; i++)); do timeout 0.2 "$BUILD/wolfctl" --socket "$SOCKET" wait --gtid 0-99-99999 >"$DIR/out" 2>&1 || true; done
back_to() { [ "$(threads)" -le "$before" ]; }
wait_for 5 "the threads of waits that were given up to end" back_to
agent 2 conflict frob
agent 1 conflict retry --sink target # there is none
rows() { sql target 'SELECT COUNT(*) FROM d.t'; }
# the sink alone: the log goes on
agent 0 pause --sink target
await_state sinks.0.state paused
sql source "INSERT INTO d.t VALUES (1)"
agent 1 wait --timeout 1
[ "$(rows)" = 0 ] || fail "delivered while paused"
agent 0 resume --sink target
agent 0 wait --timeout 20
[ "$(rows)" = 1 ] || fail "not delivered after resume"
# capture
agent 0 pause
await_state source.state paused
sql source "INSERT INTO d.t VALUES (2)"
agent 1 ready
agent 1 wait --timeout 1
[ "$(rows)" = 1 ] || fail "captured while paused"
agent 0 resume
agent 0 wait --timeout 20
[ "$(rows)" = 2 ] || fail "not captured after resume"
# a GTID that has come, and one that has not
agent 0 wait --gtid "$(source_gtid)" --timeout 5
agent 1 wait --gtid "0-${PORT[source]}-99999" --timeout 1
agent 2 wait --gtid nonsense --timeout 1
agent 2 log-level loud
agent 0 log-level debug
stop_agent
ends 3 --socket "$SOCKET" pause
compare
