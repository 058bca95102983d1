#!/bin/bash
# A table that is system-versioned on the source is refused by name, whether its period columns are declared or hidden; one that only the target keeps a
# history of is delivered.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
write_config
start_agent
sql source "CREATE DATABASE d; CREATE TABLE d.plain (id INT PRIMARY KEY, v INT)"
wait_delivered
sql target "ALTER TABLE d.plain ADD SYSTEM VERSIONING"
sql source "INSERT INTO d.plain VALUES (1, 1); UPDATE d.plain SET v = 2"
wait_delivered
[ "$(sql target "SELECT v FROM d.plain")" = 2 ] || fail "the plain table was not delivered"
[ "$(sql target "SELECT COUNT(*) FROM d.plain FOR SYSTEM_TIME ALL")" = 2 ] || fail "the target keeps no history"

refused() { # CREATE's columns
    sql source "CREATE TABLE d.v (id INT PRIMARY KEY, v INT$1) WITH SYSTEM VERSIONING; INSERT INTO d.v (id, v) VALUES (1, 1)"
    await_state sinks.0.state stopped
    ctl_agent status | grep -q 'd.v is system-versioned on the source' || fail "not said: $(ctl_agent status)"
    [ "$(sql target "SELECT COUNT(*) FROM d.v")" = 0 ] || fail "a row was delivered"
}
refused ''
sql source "DROP TABLE d.v"
stop_agent
write_config 'sink.exclude=["d.v"]'
start_agent
wait_delivered
stop_agent
write_config
start_agent
sql target "DROP TABLE d.v"
refused ', a TIMESTAMP(6) GENERATED ALWAYS AS ROW START, b TIMESTAMP(6) GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (a, b)'
