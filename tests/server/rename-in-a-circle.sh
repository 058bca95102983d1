#!/bin/bash
# DDL that leaves every definition as it was (RENAME in a circle, EXCHANGE PARTITION), agent killed before its position is committed:
# after the restart it is done once, or it is a conflict that says so; never twice in silence.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
write_config
start_agent
sql source "CREATE DATABASE d; CREATE TABLE d.a (id INT PRIMARY KEY, v VARCHAR(10)); CREATE TABLE d.b LIKE d.a;
    CREATE TABLE d.p (id INT PRIMARY KEY, v VARCHAR(10)) PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10));
    INSERT INTO d.a VALUES (1, 'old'); INSERT INTO d.b VALUES (1, 'new'); INSERT INTO d.p VALUES (1, 'part')"
wait_delivered
# hold_position: nobody commits a position on the target while it runs
hold_position() {
    sql target "SET autocommit = 0; SELECT COUNT(*) FROM wolfcdc.position FOR UPDATE; SELECT SLEEP(60)" >/dev/null 2>&1 &
    HOLDER=$!
    BACKGROUND+=("$HOLDER")
    wait_for 5 "the lock" bash -c "mariadb --no-defaults --user=root --socket='$DIR/target/sock' -N -B -e 'SHOW PROCESSLIST' | grep -q SLEEP"
}
release() {
    local id
    id=$(sql target "SELECT ID FROM information_schema.PROCESSLIST WHERE INFO LIKE 'SELECT SLEEP(60)%'")
    sql target "KILL $id"
    wait "$HOLDER" 2>/dev/null || true
}
done_there() { [ "$(sql target "$1")" = "$2" ]; }
# once STATEMENT QUERY: the query answers otherwise once the statement is done
once() {
    hold_position
    sql source "$1"
    wait_for 8 "the target does: $1" done_there "$2" "$(sql source "$2")"
    kill_agent
    release
    start_agent
    local end=$((SECONDS + 20))
    until [ "$(status_of sinks.0.state)" = conflict ] || ctl_agent wait --timeout 1 >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || fail "neither delivered nor a conflict: $(status_of sinks.0.state)"
    done
    done_there "$2" "$(sql source "$2")" || fail "run twice: $1"
    if state_is sinks.0.state conflict; then
        # the operator looks, sees that it is done, and says so
        says sinks.0.remedy 'wolfctl conflict'
        ctl_agent conflict skip --sink target --yes
    fi
    wait_delivered
    compare
}
once "RENAME TABLE d.a TO d.x, d.b TO d.a, d.x TO d.b" "SELECT v FROM d.a"
once "ALTER TABLE d.p EXCHANGE PARTITION p0 WITH TABLE d.a" "SELECT v FROM d.a"
once "DROP TABLE d.b" "SHOW TABLES IN d LIKE 'b'"
stop_agent
