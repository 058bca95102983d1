#!/bin/bash
# A client that we did not write: sysbench's oltp_read_write, with the target and the agent killed under it.
. "$(dirname "$0")/../lib.sh"
command -v sysbench >/dev/null || skip "sysbench is not installed"
start_source
start_target
write_config
start_agent
run() {
    sysbench oltp_read_write --db-driver=mysql --mysql-socket="$DIR/source/sock" --mysql-user=root --mysql-db=sb --tables=4 \
        --table-size=2000 --threads=4 --rand-seed="$SEED" --rand-type=uniform "$@" >>"$DIR/sysbench.log" 2>&1 ||
        { tail -n 5 "$DIR/sysbench.log" >&2; fail "sysbench"; }
}
sql source "CREATE DATABASE sb"
run prepare
run --time="$([ "$LONG" = 1 ] && echo 60 || echo 5)" run &
load=$!
sleep 1
kill_agent
start_agent
sleep 1
kill_server target
start_target
wait "$load" || fail "sysbench"
wait_delivered
say "$(grep -m 1 'transactions:' "$DIR/sysbench.log" | tr -s ' ')"
compare
stop_agent
