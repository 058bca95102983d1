#!/bin/bash
# binlog_row_metadata is switched on the source without a DDL statement, so that one group has rows of a table under two definitions: they
# keep the source's order, and nothing is rolled back for it.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
write_config
start_agent
sql source "CREATE DATABASE d; CREATE TABLE d.last (id INT PRIMARY KEY, v INT, e ENUM('a', 'b')); CREATE TABLE d.moves LIKE d.last;
    INSERT INTO d.last VALUES (1, 1, 'a'); INSERT INTO d.moves VALUES (1, 1, 'a'), (2, 1, 'a'), (3, 1, 'b')"
wait_delivered
ctl_agent pause --sink target
sql source "UPDATE d.last SET v = 2; UPDATE d.moves SET v = 2 WHERE id = 1; DELETE FROM d.moves WHERE id = 3; INSERT INTO d.moves VALUES (4, 1, 'a')"
sql source "SET GLOBAL binlog_row_metadata = NO_LOG"
sql source "UPDATE d.last SET v = 3; UPDATE d.moves SET v = 3 WHERE id = 1; INSERT INTO d.moves VALUES (3, 9, 'b'); DELETE FROM d.moves WHERE id = 4"
sql source "SET GLOBAL binlog_row_metadata = FULL"
sql source "UPDATE d.moves SET v = 4 WHERE id = 1; DELETE FROM d.moves WHERE id = 2"
ctl_agent resume --sink target
wait_delivered
[ "$(sql target 'SELECT v FROM d.last')" = 3 ] || fail "d.last has v = $(sql target 'SELECT v FROM d.last') instead of 3"
compare
[ "$(ctl_agent status --json | "$BUILD/tests/tools/jsonget" sinks.0.rollbacks)" = 0 ] || fail "a group was rolled back"
stop_agent
