#!/bin/bash
# Answers that break the contract, or refuse one row, stop the sink and name what was said, the row, its size; the operator goes on from
# there, and nothing is lost but what was skipped on order.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
start_store a --max-body 2097152
write_http_config "\"http://127.0.0.1:${STORE[a]}\"" 'source.statements="capture"'
start_agent
sql source "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v LONGTEXT)"
wait_delivered
n=0
# stopped MODE TEXT: the next row finds the server in that mode.
stopped() {
    n=$((n + 1))
    store_mode a "$1"
    sql source "INSERT INTO d.t VALUES ($n, '$1')"
    await_state sinks.0.state stopped
    says sinks.0.reason "$2"
    says sinks.0.reason "insert of d.t {\"id\":$n} \(LSN [0-9]*, [0-9]* bytes\)"
    store_mode a ''
    ctl_agent resume --sink target >/dev/null
    wait_delivered
    [ "$(sql target "SELECT v FROM d.t WHERE id = $n")" = "$1" ] || fail "$1: the row is not there"
}
stopped html '200, but no JSON: <!DOCTYPE html>'
stopped half '200, but no JSON: .*ls'
stopped lsn 'an lsn that is no number up to 2\^64-1: 18446744073709551616'
# a server that fails at this one row, again and again
sql target "ALTER TABLE d.t ADD CONSTRAINT fifty CHECK (id <> 50)"
sql source "INSERT INTO d.t VALUES (50, 'fifty')"
await_state sinks.0.state conflict
says sinks.0.reason "insert of d.t {\"id\":50} .* answers 500: CONSTRAINT .fifty. failed.* \(WRITE_ERROR\)"
ctl_agent conflict overwrite >/dev/null 2>&1 || true
await_state sinks.0.state stopped
says sinks.0.reason 'skip or retry'
sql target "ALTER TABLE d.t DROP CONSTRAINT fifty"
ctl_agent resume --sink target >/dev/null
wait_delivered

# what passes by itself is waited for
n=$((n + 1))
store_mode a 'error:1,forward:1,routing:2,slow:1'
sql source "INSERT INTO d.t VALUES ($n, 'passing')"
wait_delivered
says sinks.0.conflicts 1

# a row above the server's limit
sql source "INSERT INTO d.t VALUES (100, REPEAT('x', 3000000)); INSERT INTO d.t VALUES (101, 'behind it')"
await_state sinks.0.state conflict
says sinks.0.reason 'insert of d.t {"id":100} \(LSN [0-9]*, 3000[0-9]* bytes\): .* answers 413'
says sinks.0.remedy 'conflict skip'
kill_store a
start_store a --max-body 8000000
ctl_agent conflict retry >/dev/null
wait_delivered
compare
kill_store a
start_store a
sql source "UPDATE d.t SET v = REPEAT('y', 2500000) WHERE id = 100; INSERT INTO d.t VALUES (102, 'behind that')"
await_state sinks.0.state conflict
says sinks.0.reason 'update of d.t {"id":100}'
ctl_agent conflict skip --yes >/dev/null
wait_delivered
[ "$(sql target "SELECT COUNT(*), SUM(LENGTH(v)) > 3000000 FROM d.t WHERE id >= 100")" = "3	1" ] || fail "skipped more, or less, than one change"
sql source "DELETE FROM d.t WHERE id = 100"
wait_delivered
compare

# what the contract has no request for, and what cannot be addressed
sql source "CREATE TABLE d.nokey (a INT); INSERT INTO d.nokey VALUES (1)"
await_state sinks.0.state stopped
says sinks.0.reason 'd.nokey has no primary key'
sql source "ALTER TABLE d.nokey ADD PRIMARY KEY (a)"
sql target "ALTER TABLE d.nokey ADD PRIMARY KEY (a)"
ctl_agent resume --sink target >/dev/null
await_state sinks.0.state conflict # the ALTER was done already, and only the operator knows
says sinks.0.reason 'Multiple primary key'
ctl_agent conflict skip --yes >/dev/null
wait_delivered
sql source "SET SESSION binlog_format=STATEMENT; INSERT INTO d.nokey VALUES (2)"
await_state sinks.0.state conflict
says sinks.0.reason 'row change as text'
ctl_agent conflict skip --yes >/dev/null
sql target "INSERT INTO d.nokey VALUES (2)"
wait_delivered
# DDL that a server runs in no database
store_mode a elsewhere
sql source "USE d; CREATE TABLE lost (id INT PRIMARY KEY)"
await_state sinks.0.state conflict
says sinks.0.reason 'answered success, but .* does not show it'
store_mode a ''
ctl_agent conflict skip --yes >/dev/null
sql target "CREATE TABLE d.lost (id INT PRIMARY KEY)"
wait_delivered
compare
# a server that fails for ever from the first proof on: tried for ever, and the status says how often and what to do
stop_agent
store_mode a error
start_agent
often() { [ "$(status_of sinks.0.attempts)" -ge 2 ]; }
wait_for 20 "the second attempt" often
state_is sinks.0.state retrying || fail "state $(status_of sinks.0.state)"
says sinks.0.reason 'a disk that is full'
says sinks.0.remedy 'put the server in url right'
ctl_agent status >"$DIR/status.out"
grep -q 'tried  *[0-9]* times in a row' "$DIR/status.out" || fail "wolfctl status does not say how often"
sql source "INSERT INTO d.lost VALUES (1)"
store_mode a ''
wait_delivered
[ "$(status_of sinks.0.attempts)" = 0 ] || fail "attempts are still counted"
stop_agent
