#!/bin/bash
# XA transactions of a MySQL 9.7: the rows come between XA START and XA_PREPARE, and are delivered at XA COMMIT, never after XA ROLLBACK; ONE PHASE ends
# with an XA_PREPARE that says so; the agent is killed between the halves; compressed transactions, too.
. "$(dirname "$0")/../lib.sh"
start_source mysql-9.sh
start_target
write_config
prepare() { sql source "USE d; ${3-} XA START $1; $2; XA END $1; XA PREPARE $1"; }

# prepared before the log begins: named before the first event, at the set-up and at the start
sql source "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY)"
prepare "X'6f6c64',X'00ff',9" "INSERT INTO t VALUES (1)"
(umask 077 && echo admin >"$DIR/password")
ctl binlog-setup --host 127.0.0.1 --port "${PORT[source]}" --user admin --password-file "$DIR/password" --print </dev/null >"$DIR/setup.out" 2>&1 || true
grep -q "warning *source xa_prepared: 1 XA transaction is prepared and not in the log: X'6F6C64',X'00FF',9" "$DIR/setup.out" || { cat "$DIR/setup.out" >&2; fail "binlog-setup does not name it"; }
(umask 077 && echo repl >"$DIR/repl")
ctl binlog-setup --host 127.0.0.1 --port "${PORT[source]}" --user repl --password-file "$DIR/repl" --print </dev/null >"$DIR/setup.out" 2>&1 || true
grep -q "warning *source xa_prepared: our account may not see" "$DIR/setup.out" || { cat "$DIR/setup.out" >&2; fail "an account that may not ask is not told so"; }
start=$(sql source 'SELECT @@gtid_executed')
write_config "source.start_gtid=\"${start//$'\n'/}\""
start_agent
await_state source.state idle
log_says "check=xa_prepared text=\"1 XA transaction is prepared and not in the log: X'6F6C64',X'00FF',9\" remedy=\"end them"
[ "$(status_of source.transactions)" = 0 ] || fail "something was taken before"
stop_agent
sql source "XA ROLLBACK X'6f6c64',X'00ff',9"
rm -rf "$DIR/wal" "$DIR"/wal.*
sql target "DROP DATABASE IF EXISTS wolfcdc"
sql source "DROP DATABASE d; RESET BINARY LOGS AND GTIDS"
write_config
: >"$DIR/agent.log"

sql source "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v VARCHAR(200)); INSERT INTO d.t VALUES (1, 'one'), (2, 'two'), (3, 'three')"
start_agent
prepared() { [ "$(status_of source.xa_prepared)" = "$1" ] || fail "$(status_of source.xa_prepared) are prepared, not $1: $(ctl_agent status)"; }
prepare "'a'" "UPDATE t SET v = 'uno' WHERE id = 1; INSERT INTO t VALUES (4, 'four')"
prepare "X'00ff27',X'5c60',7" "DELETE FROM t WHERE id = 2"
prepare "'gone','x'" "UPDATE t SET v = 'never' WHERE id = 3; INSERT INTO t VALUES (5, 'never')"
prepare "'packed'" "INSERT INTO t VALUES (6, REPEAT('six', 60))" "SET SESSION binlog_transaction_compression = ON;"
sql source "INSERT INTO d.t VALUES (100, 'between')"
wait_delivered
prepared 4
[ "$(sql target 'SELECT GROUP_CONCAT(id, v ORDER BY id) FROM d.t')" = '1one,2two,3three,100between' ] || fail "rows of a prepared transaction were delivered"
ctl wal dump --dir "$DIR/wal" | grep -q " commit xa=prepared xid=X'00FF27',X'5C60',7 rows=0" || fail "wal dump does not show it as prepared"
ctl wal dump --dir "$DIR/wal" --json | grep -q "\"xa\":\"prepared\",\"xid\":\"X'61',X'',1\"" || fail "wal dump --json does not show it as prepared"
kill_agent
sql source "XA COMMIT 'a'; XA ROLLBACK 'gone','x'; INSERT INTO d.t VALUES (101, 'after')"
start_agent
wait_delivered
prepared 2
ctl wal dump --dir "$DIR/wal" | grep -q " commit xa=committed xid=X'61',X'',1 rows=2" || fail "wal dump does not show the end of it"
# those that are in the log are not named as if they were not
! grep -q 'check=xa_prepared' "$DIR/agent.log" || fail "it warns of XA transactions that are in the log"
[ "$(sql target 'SELECT GROUP_CONCAT(id, v ORDER BY id) FROM d.t')" = '1uno,2two,3three,4four,100between,101after' ] || fail "not what was committed"
sql source "XA COMMIT X'00ff27',X'5c60',7; XA COMMIT 'packed'; USE d; XA START 'one'; UPDATE t SET v = 'eins' WHERE id = 1; XA END 'one'; XA COMMIT 'one' ONE PHASE"
wait_delivered
prepared 0
[ "$(sql source 'SELECT id, v FROM d.t ORDER BY id')" = "$(sql target 'SELECT id, v FROM d.t ORDER BY id')" ] || differ "source and target differ"
for i in 1 2 3 4; do
    prepare "'k$i'" "INSERT INTO t VALUES ($((200 + i)), 'k')"
    kill_agent
    if [ $i = 3 ]; then sql source "XA ROLLBACK 'k$i'"; else sql source "XA COMMIT 'k$i'"; fi
    start_agent
done
wait_delivered
[ "$(sql source 'SELECT id, v FROM d.t ORDER BY id')" = "$(sql target 'SELECT id, v FROM d.t ORDER BY id')" ] || differ "source and target differ"
stop_agent
