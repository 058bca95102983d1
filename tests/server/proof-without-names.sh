#!/bin/bash
# The last transaction in the log is proven though its table has been altered, or dropped, since: without metadata in the source's log the
# names are not to be had any more, and they are not needed for that. Rows after the proof are named again.
. "$(dirname "$0")/../lib.sh"
start_source - --binlog-row-metadata=NO_LOG
start_target
write_config
start_agent
sql source "CREATE DATABASE d; CREATE TABLE d.stage (id INT PRIMARY KEY, u UUID); CREATE TABLE d.kept (id INT PRIMARY KEY, v INT); INSERT INTO d.kept VALUES (1, 1);
    INSERT INTO d.stage VALUES (1, UUID())"
wait_delivered
stop_agent
sql source "DROP TABLE d.stage"
start_agent
wait_delivered
sql source "INSERT INTO d.kept VALUES (2, 2)"
wait_delivered
kill_agent
sql source "INSERT INTO d.kept VALUES (3, 3)"
start_agent # the proof's table is the next transaction's, too
wait_delivered
kill_agent
sql source "ALTER TABLE d.kept ADD w INT FIRST, MODIFY v BIGINT; UPDATE d.kept SET w = id"
start_agent
wait_delivered
compare
ctl_agent status --json >"$DIR/status"
[ "$("$BUILD/tests/tools/jsonget" source.unproven <"$DIR/status")" = false ] || fail "not proven: $(cat "$DIR/status")"
stop_agent
