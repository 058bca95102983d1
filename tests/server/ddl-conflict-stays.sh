#!/bin/bash
# A DDL that the target refused stays a conflict through retry and restart, and is run once the operator has put the target right.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
write_config
start_agent
sql source "CREATE DATABASE d; CREATE TABLE d.a (id INT PRIMARY KEY, v INT)"
wait_delivered
sql target "CREATE TABLE d.b (id INT PRIMARY KEY, v TINYINT UNSIGNED, extra VARCHAR(10) NOT NULL DEFAULT 'x')"
sql source "CREATE TABLE d.b (id INT PRIMARY KEY, v INT); INSERT INTO d.b VALUES (1, 100000)"
await_state sinks.0.state conflict
says sinks.0.reason '1050|exists'
stays() { # stays AFTER-WHAT: a conflict again, about the same statement
    await_state sinks.0.state conflict
    says sinks.0.reason '1050|exists'
    sleep 1
    state_is sinks.0.state conflict || fail "after $1 the sink is $(status_of sinks.0.state)"
    [ "$(sql target "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'd' AND COLUMN_NAME = 'extra'")" = 1 ] ||
        fail "$1 changed the target's own table"
}
ctl_agent conflict retry --sink target
stays retry
kill_agent
start_agent
stays "kill -9"
stop_agent
start_agent
stays "a restart"
sql target "DROP TABLE d.b"
ctl_agent conflict retry --sink target
wait_delivered
compare
[ "$(sql source 'SHOW CREATE TABLE d.b')" = "$(sql target 'SHOW CREATE TABLE d.b')" ] || fail "the CREATE TABLE was not run as on the source"
# the remedy, carried out while the agent is down
sql target "CREATE TABLE d.c (x INT)"
sql source "CREATE TABLE d.c (id INT PRIMARY KEY); INSERT INTO d.c VALUES (7)"
await_state sinks.0.state conflict
kill_agent
sql target "DROP TABLE d.c"
start_agent
wait_delivered
compare
stop_agent
