#!/bin/bash
# XA transactions in two phases. Their rows are in the binary log at the PREPARE (tools that apply them there show rows that an XA ROLLBACK takes
# back): here they wait in the log until XA COMMIT, and never come to count after XA ROLLBACK. Several at once, names of any bytes, an end by
# another session and after a restart of the source, the agent killed between the halves, segments of the log deleted meanwhile; and the end of one
# that was prepared before the log began, which stops by name.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
write_config wal.segment_size_mb=1 wal.retention_hours=0 wal.rewind_hours=0
sql source "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v VARCHAR(20000)); INSERT INTO d.t VALUES (1, 'one'), (2, 'two'), (3, 'three');
    CREATE TABLE d.log (id INT PRIMARY KEY AUTO_INCREMENT, v VARBINARY(5000))"
start_agent

prepare() { sql source "USE d; XA START $1; $2; XA END $1; XA PREPARE $1"; }
target() { sql target "SELECT v FROM d.t WHERE id = $1"; }
prepared() { [ "$(status_of source.xa_prepared)" = "$1" ] || fail "$(status_of source.xa_prepared) are prepared, not $1: $(ctl_agent status)"; }
# so much that whole segments go, and the keeper has looked
churn() {
    local i
    for i in 1 2 3 4 5; do sql source "USE d; INSERT INTO log (v) SELECT CONCAT(RANDOM_BYTES(1024), RANDOM_BYTES(1024), RANDOM_BYTES(1024), RANDOM_BYTES(1024)) FROM seq_1_to_200"; done
    wait_delivered
    sleep 6
}

prepare "'a'" "UPDATE t SET v = 'uno' WHERE id = 1; INSERT INTO t VALUES (4, 'four')"
prepare "X'00ff27',X'5c60',7" "DELETE FROM t WHERE id = 2"
prepare "'gone','x'" "UPDATE t SET v = 'never' WHERE id = 3; INSERT INTO t VALUES (5, 'never')"
prepare "'late'" "INSERT INTO t SELECT seq, REPEAT(MD5(seq), 400) FROM seq_1000_to_1999"
sql source "INSERT INTO d.t VALUES (100, 'between')"
wait_delivered
prepared 4
[ "$(target 1)$(target 3)$(sql target 'SELECT COUNT(*) FROM d.t')" = onethree4 ] || fail "rows of a prepared transaction were delivered"
ctl_agent status | grep -q "XA  *4 prepared" || fail "the status does not show them: $(ctl_agent status)"
# an agent of which nothing but the log remains
kill_agent
sql source "XA COMMIT 'a'; XA ROLLBACK 'gone','x'; INSERT INTO d.t VALUES (101, 'after')"
start_agent
wait_delivered
prepared 2
[ "$(target 1)$(target 3)$(target 4)" = unothreefour ] || fail "not what was committed: $(target 1) $(target 3) $(target 4)"
# retention does not take what waits; the list of those that wait goes from segment to segment (see unit/test_prepared, too)
if [ "$LONG" = 1 ]; then
    churn
    first=$(status_of wal.first_lsn)
    [ "$first" -lt "$(status_of source.xa.0.lsn)" ] || fail "the log begins at $first, rows wait at $(status_of source.xa.0.lsn)"
fi
kill_agent
start_agent
prepared 2
# an end after a restart of the source, by a session that did not prepare it
stop_server source
start_source
sql source "XA COMMIT X'00ff27',X'5c60',7; XA COMMIT 'late'"
wait_delivered
prepared 0
compare d
if [ "$LONG" = 1 ]; then
    churn
    [ "$(status_of wal.first_lsn)" -gt "$first" ] || fail "retention still keeps what no longer waits"
fi
# in one phase it is a transaction like any other
sql source "XA START 'one'; UPDATE d.t SET v = 'eins' WHERE id = 1; XA END 'one'; XA COMMIT 'one' ONE PHASE"
# nobody but the source's users ends one: a name that was used before is a new one
prepare "'a'" "UPDATE t SET v = 'again' WHERE id = 1"
sql source "XA COMMIT 'a'"
# killed at any time, none is lost and none comes twice
for i in 1 2 3 4 5 6 7 8; do
    prepare "'k$i'" "INSERT INTO t VALUES ($((200 + i)), 'k'); UPDATE t SET v = CONCAT(v, '+') WHERE id = 3"
    [ $((i % 2)) = 0 ] || kill_agent
    if [ $((i % 3)) = 0 ]; then sql source "XA ROLLBACK 'k$i'"; else sql source "XA COMMIT 'k$i'"; fi
    [ -n "$AGENT_PID" ] || start_agent
done
wait_delivered
compare d
[ "$("$BUILD/wolfctl" wal verify --dir "$DIR/wal" >/dev/null && echo sound)" = sound ] || fail "the log is not sound"

# prepared before the log began
stop_agent
prepare "'old'" "UPDATE t SET v = 'old' WHERE id = 1"
rm -rf "$DIR/wal"
sql target "DROP DATABASE wolfcdc"
write_config "source.start_gtid=\"$(source_gtid)\""
start_agent
sql source "XA COMMIT 'old'; INSERT INTO d.t VALUES (300, 'behind it')"
await_state source.state stopped
says source.reason "XA transaction X'6F6C64',X'',1 is committed"
stop_agent
write_config "source.start_gtid=\"$(source_gtid)\"" 'source.unknown_xa="skip"'
start_agent
wait_delivered
log_says "source.unknown_xa.*X'6F6C64'"
[ "$(target 300)" = 'behind it' ] || fail "it does not go on"
[ "$(target 1)" = again ] || fail "what is left out was delivered"
stop_agent
