#!/bin/bash
# Definitions without metadata are those of the place where capture stands, not the server's of today: DDL while the agent was down (traps: DDL while the agent is
# down, a schema store that is corrupt or lost), columns of one type that change their names, tables that are renamed, swapped, dropped and made again, another
# character set, kill -9 around DDL. What cannot be told stops with both definitions, and wolfctl schema show, set and refresh are the way on.
. "$(dirname "$0")/../lib.sh"
start_source - --binlog-row-metadata=NO_LOG
start_target
write_config
start_agent
sql source "CREATE DATABASE d; USE d; CREATE TABLE t (id INT UNSIGNED PRIMARY KEY, a INT, b INT, v VARCHAR(20) CHARACTER SET latin1, e ENUM('x','y'));
    CREATE TABLE p (id INT PRIMARY KEY, one VARCHAR(10)); CREATE TABLE q (id INT PRIMARY KEY, two VARCHAR(10));
    INSERT INTO t VALUES (4000000000, 1, 2, 'grün', 'y'); INSERT INTO p VALUES (1, 'p'); INSERT INTO q VALUES (1, 'q')"
wait_delivered
compare
ctl_agent schema show d.t >"$DIR/shown" # the first version is what its CREATE TABLE said
grep -q '^-- d.t, version 2, from server' "$DIR/shown" || fail "schema show: $(cat "$DIR/shown")"
grep -q 'id. int unsigned NOT NULL' "$DIR/shown" || fail "schema show prints no definition: $(cat "$DIR/shown")"
[ "$(ctl_agent schema show | grep -c '^-- ')" = 3 ] || fail "schema show of all: $(ctl_agent schema show)"

# ---- while the agent is down, the same columns change their names twice: the server knows the last ones only
kill_agent
sql source "USE d; INSERT INTO t VALUES (1, 10, 20, 'x', 'x'); ALTER TABLE t RENAME COLUMN a TO c; INSERT INTO t VALUES (2, 11, 21, 'x', 'x');
    ALTER TABLE t CHANGE b a INT, ADD f BIGINT UNSIGNED FIRST; INSERT INTO t VALUES (18446744073709551615, 3, 12, 22, 'x', 'x');
    RENAME TABLE p TO tmp, q TO p, tmp TO q; INSERT INTO p VALUES (2, 'two'); INSERT INTO q VALUES (2, 'one');
    DROP TABLE q; CREATE TABLE q (id BIGINT PRIMARY KEY, three VARCHAR(10)); INSERT INTO q VALUES (3, 'three');
    ALTER TABLE t CHANGE c b INT; UPDATE t SET b = b + 100, a = a + 1"
start_agent
wait_delivered
compare
[ "$(sql target "SELECT GROUP_CONCAT(b, ':', a ORDER BY id) FROM d.t")" = "110:21,111:22,112:23,101:3" ] || fail "columns were mixed up: $(sql target "SELECT * FROM d.t")"
ctl_agent schema show d.t | grep -q '^-- d.t, version [2-9]' || fail "there is no other version: $(ctl_agent schema show d.t)"

# ---- killed around DDL
for ((i = 0; i < 4; i++)); do
    {
        echo "ALTER TABLE d.t CHANGE b b$i INT, CHANGE a a$i INT; INSERT INTO d.t (id, a$i, b$i) VALUES ($i + 100, 1, $i); ALTER TABLE d.t CHANGE b$i b INT, CHANGE a$i a INT;"
        echo "INSERT INTO d.t (id, b, a) VALUES ($i + 200, $i, 2);"
    } | sql source
    kill_agent
    start_agent
done
wait_delivered
compare

# ---- a change that the binary log does not have: stops with both, and goes on with what is set
sql source "SET sql_log_bin = 0; ALTER TABLE d.p MODIFY two VARCHAR(30); SET sql_log_bin = 1; SET sql_log_bin = 0; ALTER TABLE d.q ADD COLUMN w INT; SET sql_log_bin = 1"
sql target "ALTER TABLE d.p MODIFY two VARCHAR(30); ALTER TABLE d.q ADD COLUMN w INT"
sql source "INSERT INTO d.p VALUES (7, 'longer than ten bytes')" # the server's present definition fits: it is taken
wait_delivered
compare
printf 'CREATE TABLE q (id BIGINT PRIMARY KEY, three VARCHAR(10), nowhere BIGINT);' >"$DIR/wrong.sql"
ctl_agent schema set d.q "$DIR/wrong.sql" >"$DIR/out" || fail "schema set: $(cat "$DIR/out")"
sql source "INSERT INTO d.q VALUES (8, 'q', 5)"
await_state source.state stopped
reason=$(status_of source.reason)
grep -q "map (int(8) not null, varchar(10 bytes), int(4))" <<<"$reason" || fail "the map is not shown: $reason"
grep -q "nowhere bigint" <<<"$reason" || fail "the definition is not shown: $reason"
grep -q "wolfctl schema set" <<<"$reason" || fail "the way on is not shown: $reason"
sed 's/nowhere BIGINT/w INT/' "$DIR/wrong.sql" >"$DIR/right.sql"
ctl_agent schema set d.q "$DIR/right.sql" >"$DIR/out" || fail "schema set: $(cat "$DIR/out")"
wait_delivered
compare
ctl_agent schema set d.q "$DIR/wrong.sql" >"$DIR/out"
sql source "INSERT INTO d.q VALUES (9, 'q', 6)"
await_state source.state stopped
ctl_agent schema refresh d.q >"$DIR/out" || fail "schema refresh: $(cat "$DIR/out")"
wait_delivered
compare
# what is set outlives a restart, until a DDL
ctl_agent schema set d.q "$DIR/right.sql" >"$DIR/out"
kill_agent
start_agent
ctl_agent schema show d.q | grep -q 'from set' || fail "it does not outlive a restart: $(ctl_agent schema show d.q)"
sql source "ALTER TABLE d.q ADD z INT; INSERT INTO d.q VALUES (10, 'q', 7, 8)"
wait_delivered
compare
# usage
code=0
ctl_agent schema set d.q /dev/null 2>"$DIR/err" || code=$?
[ $code = 2 ] || fail "schema set of nothing ended with $code"
grep -q "no CREATE TABLE of d.q" "$DIR/err" || fail "schema set of nothing says: $(cat "$DIR/err")"
# another character set
sql source "ALTER TABLE d.t CONVERT TO CHARACTER SET utf8mb4; INSERT INTO d.t (id, v) VALUES (999, '漢字')"
wait_delivered
compare
# ---- names are asked of the source only where nothing behind capture has changed the table since
sql source "USE d; CREATE TABLE s (id INT PRIMARY KEY, one INT, two INT); CREATE TABLE o (id INT PRIMARY KEY, v TEXT CHARACTER SET latin1); INSERT INTO o VALUES (1, 'ä')"
wait_delivered
ctl_agent schema refresh d.s >"$DIR/out" || fail "schema refresh: $(cat "$DIR/out")"
kill_agent
sql source "USE d; INSERT INTO s VALUES (1, 10, 20); ALTER TABLE s DISABLE KEYS; ALTER TABLE s ENABLE KEYS, ALTER one SET DEFAULT 5; CREATE INDEX k ON s (two); ALTER TABLE s RENAME INDEX k TO l; ALTER TABLE o CONVERT TO CHARACTER SET utf8mb4, CHANGE v w MEDIUMTEXT; INSERT INTO o VALUES (2, '漢'); ALTER TABLE o CHANGE w x TEXT"
start_agent # others were changed, and by what can be followed
wait_delivered
compare
ctl_agent schema refresh d.o >"$DIR/out" || fail "schema refresh: $(cat "$DIR/out")" # what was found ahead is behind by now
sql source "INSERT INTO d.o VALUES (3, 'x')"
wait_delivered
compare
ctl_agent schema refresh d.o >"$DIR/out" || fail "schema refresh: $(cat "$DIR/out")" # and what was taken since does not count when it is found
sql source "ALTER TABLE d.o ADD y INT FIRST; ALTER TABLE d.o DROP y; INSERT INTO d.o VALUES (4, 'x'); CREATE TABLE d.o2 AS SELECT * FROM d.o; INSERT INTO d.o2 VALUES (5, 'y')"
wait_delivered
compare
# rows that are kept back, behind a savepoint, while temporary tables come and go
sql source "USE d; SET binlog_format = MIXED; CREATE TABLE sp (id INT PRIMARY KEY, u BINARY(16), v VARCHAR(40)); BEGIN; SAVEPOINT a; INSERT INTO sp VALUES (1, 'x', UUID());
    CREATE TEMPORARY TABLE tt (a INT); INSERT INTO sp VALUES (2, 'y', UUID()); DROP TEMPORARY TABLE tt; UPDATE sp SET v = UUID() WHERE id = 1; COMMIT"
wait_delivered
compare
# the rows of a table that a query makes anew are of the new one's columns
sql source "USE d; CREATE TABLE w (id INT PRIMARY KEY, total INT, paid INT); INSERT INTO w VALUES (1, 100, 5); CREATE TABLE v SELECT * FROM w;
    INSERT INTO w VALUES (9, 9, 9); CREATE OR REPLACE TABLE w (PRIMARY KEY (id)) SELECT id, paid, total FROM v; INSERT INTO w VALUES (2, 6, 200)"
wait_delivered
compare
[ "$(sql target "SELECT GROUP_CONCAT(total, ':', paid ORDER BY id) FROM d.w")" = "100:5,200:6" ] || fail "columns were mixed up: $(sql target "SELECT * FROM d.w")"
ctl_agent schema refresh d.s >"$DIR/out" || fail "schema refresh: $(cat "$DIR/out")"
kill_agent
sql source "USE d; INSERT INTO s VALUES (2, 11, 21); ALTER TABLE s CHANGE one two INT, CHANGE two one INT; INSERT INTO s VALUES (3, 12, 22); CREATE INDEX i ON s (one)"
start_agent
as_it_was d.s 'CREATE TABLE s (id INT PRIMARY KEY, one INT, two INT);' 'ALTER TABLE s CHANGE one two INT'
[ "$(sql target "SELECT GROUP_CONCAT(one, ':', two ORDER BY id) FROM d.s")" = "20:10,21:11,22:12" ] || fail "columns were mixed up: $(sql target "SELECT * FROM d.s")"

# a damaged history is named, not guessed around
stop_agent
echo "garbage" >>"$DIR/wal.schema"
printf 'X' | dd of="$DIR/wal.schema" bs=1 seek=0 conv=notrunc status=none
launch_agent
ended_agent 10
[ "$CODE" != 0 ] || fail "it starts with a damaged history"
grep -q "wal.schema" "$DIR/agent.log" || fail "the damaged history is not named"

# ---- names without regard to case: the map has `orders`, a statement what it likes
stop_server source
stop_server target
rm -rf "${DIR:?}"/*
start_source mariadb.sh --binlog-row-metadata=NO_LOG --lower-case-table-names=1
start_target mariadb.sh --lower-case-table-names=1
write_config
start_agent
sql source "CREATE DATABASE d; USE d; CREATE TABLE Orders (id INT PRIMARY KEY, a INT, b INT); INSERT INTO ORDERS VALUES (1, 10, 20); ALTER TABLE oRDERS CHANGE a b INT, CHANGE b a INT;
    INSERT INTO orders VALUES (2, 11, 21); CREATE TABLE Names (id INT PRIMARY KEY, a VARCHAR(9), b VARCHAR(9)); INSERT INTO names VALUES (1, 'a', 'b');
    CREATE TABLE Größe (id INT PRIMARY KEY, a INT, b INT); ALTER TABLE GRÖßE CHANGE a b INT, CHANGE b a INT; INSERT INTO größe VALUES (1, 10, 20)"
wait_delivered
compare
[ "$(sql target "SELECT GROUP_CONCAT(a, ':', b ORDER BY id) FROM d.orders")" = "20:10,21:11" ] || fail "columns were mixed up: $(sql target "SELECT * FROM d.orders")"
sql source "ALTER TABLE d.NAMES CHANGE a b VARCHAR(9), CHANGE b a VARCHAR(9); INSERT INTO d.names VALUES (2, 'b', 'a')"
wait_delivered
kill_agent
start_agent # what is kept of the table beside the log is of one spelling
sql source "INSERT INTO d.names VALUES (3, 'b', 'a')"
wait_delivered
compare
[ "$(sql target "SELECT GROUP_CONCAT(a, b ORDER BY id) FROM d.names")" = "$(sql source "SELECT GROUP_CONCAT(a, b ORDER BY id) FROM d.names")" ] || fail "columns were mixed up: $(sql target "SELECT * FROM d.names")"
ctl_agent schema refresh >"$DIR/out"
kill_agent
sql source "USE d; INSERT INTO orders VALUES (3, 12, 22); ALTER TABLE ORDERS RENAME COLUMN a TO b, RENAME COLUMN b TO a"
start_agent
await_state source.state stopped
says source.reason 'ALTER TABLE ORDERS RENAME COLUMN'
kill_agent
write_config 'filter.exclude=["d.Secret"]' # which would exclude nothing
launch_agent
await_state source.state stopped
says source.reason 'd.Secret.*lower case'
kill_agent
