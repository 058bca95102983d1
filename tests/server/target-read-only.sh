#!/bin/bash
# The target is read-only for a while: the sink says why and what to do, tries again by itself, and goes on without a word from anyone, with
# rows and with DDL, also when the target was read-only before the agent came.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
# an account that read_only holds back
sql target "CREATE USER cdc@'%' IDENTIFIED BY 'admin'; GRANT ALL PRIVILEGES ON *.* TO cdc@'%'; REVOKE READ ONLY ADMIN, SUPER ON *.* FROM cdc@'%'"
write_config 'sink.user="cdc"'
retrying() {
    local text
    text="$(status_of sinks.0.reason) $(status_of sinks.0.remedy)"
    state_is sinks.0.state retrying && grep -qiE 'read.only' <<<"$text" && grep -q 'SET GLOBAL read_only=OFF' <<<"$text"
}
held() { # held SQL: the source's change has to wait for the target
    sql target "SET GLOBAL read_only = ON"
    sql source "$1"
    wait_for 20 "the sink says that the target is read-only" retrying
    sleep 1 # several attempts
    wait_for 10 "the sink still tries" retrying
    sql target "SET GLOBAL read_only = OFF"
    wait_delivered
    compare
}
start_agent
sql source "CREATE DATABASE d; USE d; CREATE TABLE d.t (id INT PRIMARY KEY); INSERT INTO d.t VALUES (1)"
wait_delivered
held "INSERT INTO d.t VALUES (2)"
held "ALTER TABLE d.t ADD COLUMN a INT; UPDATE d.t SET a = id"
held "CREATE DATABASE e; CREATE TABLE e.t LIKE d.t; INSERT INTO e.t SELECT * FROM d.t"
stop_agent
sql target "SET GLOBAL read_only = ON"
sql source "INSERT INTO d.t VALUES (3, 3)"
start_agent
wait_for 20 "the sink says that the target is read-only" retrying
sql target "SET GLOBAL read_only = OFF"
wait_delivered
compare
stop_agent
grep -q 'sink.retry.*read_only.*remedy="SET GLOBAL read_only=OFF' "$DIR/agent.log" || fail "the log does not name the remedy"
! grep -qE 'sink.stopped|state=conflict' "$DIR/agent.log" || fail "the sink stopped"
! grep -q 'one change at a time' "$DIR/agent.log" || fail "the refusal was taken for one of a row"
