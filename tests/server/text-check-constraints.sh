#!/bin/bash
# Changes as text that a CHECK constraint forbids, of a session that had them off: a 10.11 says so, an 11.8 does not, and IGNORE would leave them out in silence.
. "$(dirname "$0")/../lib.sh"
start_source mariadb-11.8.sh --binlog-format=MIXED
start_target mariadb-11.8.sh
write_config
start_agent
sql source "CREATE DATABASE d; USE d; SET binlog_format = STATEMENT; CREATE TABLE t (id INT PRIMARY KEY, v INT CHECK (v <> 7), s CHAR(3));
    SET check_constraint_checks = 0; INSERT INTO t VALUES (1, 7, 'a'); UPDATE t SET s = 'b'; SET check_constraint_checks = 1;
    INSERT IGNORE INTO t VALUES (2, 2, 'too long'), (1, 1, 'twice')"
wait_delivered
compare

left_out() {
    await_state sinks.0.state conflict
    says sinks.0.reason 'CONSTRAINT'
    says sinks.0.reason 'left out'
    says sinks.0.remedy 'drop the constraint'
}
# the source has the row
sql source "USE d; SET binlog_format = STATEMENT; SET check_constraint_checks = 0; INSERT IGNORE INTO t VALUES (3, 7, 'c'), (4, 4, 'd'); INSERT INTO t VALUES (5, 5, 'e')"
left_out
[ -z "$(sql target 'SELECT id FROM d.t WHERE id > 2')" ] || fail "a later change overtook the conflict"
sql target "SET sql_log_bin = 0; ALTER TABLE d.t DROP CONSTRAINT IF EXISTS v, MODIFY v INT"
ctl_agent conflict retry --sink target
wait_delivered
compare
# the source left it out, too
sql target "ALTER TABLE d.t MODIFY v INT CHECK (v <> 7)" 2>/dev/null || sql target "SET check_constraint_checks = 0; ALTER TABLE d.t MODIFY v INT CHECK (v <> 7)"
sql source "USE d; SET binlog_format = STATEMENT; INSERT IGNORE INTO t VALUES (6, 7, 'f'), (7, 1, 'g'); INSERT INTO t VALUES (8, 8, 'h')"
left_out
ctl_agent conflict skip --sink target --yes
wait_delivered
compare
stop_agent
stop_server source
stop_server target
rm -rf "${DIR:?}"/*

# a server that says it: nothing stops
start_source mariadb.sh --binlog-format=MIXED
start_target mariadb.sh
write_config
start_agent
sql source "CREATE DATABASE d; USE d; SET binlog_format = STATEMENT; CREATE TABLE t (id INT PRIMARY KEY, v INT CHECK (v <> 7));
    SET check_constraint_checks = 0; INSERT IGNORE INTO t VALUES (1, 7), (2, 2); SET check_constraint_checks = 1; INSERT IGNORE INTO t VALUES (3, 7), (4, 4)"
wait_delivered
compare
[ "$(sql target 'SELECT COUNT(*) FROM d.t')" = 3 ] || fail "$(sql target 'SELECT * FROM d.t')"
! grep -q 'conflict' "$DIR/agent.log" || fail "it stopped"
stop_agent
