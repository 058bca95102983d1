#!/bin/bash
# binlog_format=STATEMENT, log_bin=OFF and the like are named by binlog-setup and by the agent at its start.
. "$(dirname "$0")/../lib.sh"
start_source - --binlog-format=STATEMENT
(umask 077 && echo admin >"$DIR/password")
setup() {
    code=0
    ctl binlog-setup --host 127.0.0.1 --port "${PORT[source]}" --user admin --password-file "$DIR/password" --print >"$DIR/setup.out" 2>&1 </dev/null || code=$?
}
setup
grep -qi 'binlog_format' "$DIR/setup.out" || fail "binlog_format is not named"
PORT[target]=1
write_config
launch_agent
wait_for 15 "the agent names binlog_format" grep -qi 'binlog_format' "$DIR/agent.log"
if kill -0 "$AGENT_PID" 2>/dev/null; then kill_agent; fi
stop_server source
start_source - --skip-log-bin --skip-log-slave-updates
setup
grep -qi 'log_bin' "$DIR/setup.out" || fail "log_bin is not named"
[ $code = 1 ] || fail "a source without a binary log ended with $code, not 1"
unset "PORT[target]"
