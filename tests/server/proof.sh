#!/bin/bash
# The rows of every node against the source's, all the time: what was changed by hand on one node is found within a round and named, whatever
# the difference; nothing is found under a load with DDL and a killed agent; a repair makes the node equal while the load goes on.
. "$(dirname "$0")/../lib.sh"
start_source
start_server n1 -
start_server n2 -
node() { echo "{ host = \"127.0.0.1\", port = ${PORT[$1]}, api_port = 1, proxy_port = 1 }"; } # no WolfScale there: the rows are looked at all the same
write_config 'sink.name="wolf"' 'sink.type="wolfscale"' sink.host=- sink.port=- "sink.nodes=[$(node n1), $(node n2)]" sink.proof_rows_per_second=1000000 'logging.level="debug"'
start_agent

proof_of() { { ctl_agent nodes --json 2>/dev/null || true; } | "$BUILD/tests/tools/jsonget" "clusters.0.nodes.$1.proof.$2"; } # NODE KEY
proof_is() { [ "$(proof_of "$1" "$2")" = "$3" ]; }
await_proof() { wait_for "${4-60}" "$2 = $3 of node $1, which is '$(proof_of "$1" "$2")' ($(proof_of "$1" reason))" proof_is "$1" "$2" "$3"; }
a_round_is_over() { local now; now=$(proof_of 0 finished) && [ -n "$now" ] && [ "$now" != "$1" ]; }
round() { wait_for 60 "a round's end" a_round_is_over "$(proof_of 0 finished)"; }
order() { ctl_agent nodes "$@" >>"$DIR/ctl.out" 2>&1 || { cat "$DIR/ctl.out" >&2; fail "wolfctl nodes $*"; }; }
found() { sed -n 's/.* different="\(.*\)"$/\1/p' "$DIR/agent.log"; }

say "every column type, and every kind of key"
workload --kind types --clients 1 --transactions 24
sql source <<'END'
SET sql_mode='NO_AUTO_VALUE_ON_ZERO'; CREATE DATABASE d; USE d;
CREATE TABLE v (id INT PRIMARY KEY, a VARCHAR(20), b VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci, t DATETIME(6), x DOUBLE,
    g INT AS (id + 1) STORED, e ENUM('a','b'), js JSON, l LONGTEXT);
INSERT INTO v (id, a, b, t, x, e, js, l) VALUES (1, 'a ', 'Abc', '2024-01-01 00:00:00.000001', 0.1, 'a', '{"k":1}', REPEAT('x', 100000)), (2, NULL, 'x', NULL, 1, 'b', NULL, '');
INSERT INTO v (id, a, b) SELECT seq, 'a', 'bc' FROM d.v, seq_3_to_5000 WHERE id = 1;
CREATE TABLE none (a INT, b VARCHAR(10)); INSERT INTO none VALUES (1, 'a'), (1, 'a'), (2, 'b');
CREATE TABLE two (a INT, b VARCHAR(10) CHARACTER SET latin1, c INT, PRIMARY KEY (a, b)); INSERT INTO two SELECT seq DIV 10, CONCAT('k', seq), seq FROM seq_1_to_3000;
CREATE TABLE folded (s VARCHAR(20) COLLATE utf8mb4_general_ci PRIMARY KEY, v INT) CHARACTER SET utf8mb4; INSERT INTO folded VALUES ('abc', 1), ('déf', 2);
CREATE TABLE e (e ENUM('z','a','m') NOT NULL, n INT, PRIMARY KEY (e, n)); INSERT INTO e SELECT 1 + seq % 3, seq FROM seq_1_to_5000;
CREATE TABLE s (s SET('x','y','z') NOT NULL, n INT, PRIMARY KEY (s, n)); INSERT INTO s SELECT seq % 8, seq FROM seq_1_to_3000;
CREATE TABLE d (d DATETIME(3) PRIMARY KEY, v INT); INSERT INTO d SELECT '2024-01-01' + INTERVAL seq * 1000 MICROSECOND, seq FROM seq_1_to_3000;
CREATE TABLE f (f FLOAT PRIMARY KEY); INSERT INTO f SELECT seq / 7 FROM seq_1_to_3000;
CREATE TABLE i (i INET6 PRIMARY KEY); INSERT INTO i SELECT CONCAT('2001:db8::', HEX(seq)) FROM seq_1_to_3000;
CREATE TABLE u (u UUID PRIMARY KEY); INSERT INTO u SELECT UUID() FROM seq_1_to_3000;
CREATE TABLE b (b BIT(40) PRIMARY KEY); INSERT INTO b SELECT seq << 20 FROM seq_1_to_3000;
CREATE TABLE n (n DECIMAL(40,20) PRIMARY KEY); INSERT INTO n SELECT seq / 3 FROM seq_1_to_3000;
CREATE TABLE w (w VARCHAR(20) CHARACTER SET utf16 PRIMARY KEY); INSERT INTO w SELECT CONCAT('😀', seq) FROM seq_1_to_3000;
CREATE TABLE vb (k VARBINARY(20) UNIQUE NOT NULL, v INT); INSERT INTO vb SELECT UNHEX(MD5(seq)), seq FROM seq_1_to_3000;
END
wait_delivered
round
round
[ -z "$(found)" ] || { found >&2; fail "differences where there are none"; }
await_proof 0 state equal
await_proof 1 state equal
say "$(proof_of 1 tables) tables, $(proof_of 1 rows) rows: equal"

say "changed by hand, one by one"
# by_hand STATEMENT WHAT...: on node 2; each WHAT must be found and named, and nothing else; then it is put right. BY=itself: by the proof that always runs.
by_hand() {
    local what statement=$1
    shift
    : >"$DIR/agent.log"
    sql n2 "SET foreign_key_checks=0; USE d; $statement"
    [ "$BY" = itself ] || ctl_agent nodes verify "127.0.0.1:${PORT[n2]}" >>"$DIR/ctl.out" 2>&1 || true # 1: different
    for what; do wait_for 60 "'$what' after $statement" grep -qF -- "$what" "$DIR/agent.log"; done
    await_proof 1 state different
    [ "$(found | sort -u | wc -l)" = $# ] || { found >&2; fail "more was found than was changed by $statement"; }
    ! grep -q "node=127.0.0.1:${PORT[n1]} different" "$DIR/agent.log" || fail "node 1 was not touched"
    [ "${REPAIR-yes}" = yes ] || return 0
    order repair "127.0.0.1:${PORT[n2]}" --yes
    await_proof 1 state equal
}
BY=itself
by_hand "UPDATE v SET a = 'a' WHERE id = 1" "d.v (id=1): another row"
BY=order
by_hand "UPDATE v SET b = 'aBC' WHERE id = 1; UPDATE v SET a = '' WHERE id = 2; UPDATE v SET a = 'ab', b = 'c' WHERE id = 77; DELETE FROM v WHERE id IN (500, 5000);
    INSERT INTO v (id) VALUES (-1), (9999)" "d.v (id=1): another row" "d.v (id=2): another row" "d.v (id=77): another row" "d.v (id=500): missing" "d.v (id=5000): missing" \
    "d.v (id=-1): not on the source" "d.v (id=9999): not on the source"
by_hand "UPDATE v SET t = '2024-01-01 00:00:00.000002' WHERE id = 1; UPDATE folded SET s = 'ABC' WHERE v = 1; UPDATE two SET c = -c WHERE c IN (1, 1500, 3000);
    DELETE FROM two WHERE c = 1000" "d.v (id=1): another row" "d.folded (s='ABC'): another row" "d.two (a=0, b='k1'): another" "d.two (a=150, b='k1500'): another" \
    "d.two (a=300, b='k3000'): another" "d.two (a=100, b='k1000'): missing"
by_hand "UPDATE v SET x = 0.1 + 1e-17 * 2 WHERE id = 1; UPDATE v SET e = 'b', js = '{\"k\": 1}' WHERE id = 1; DELETE FROM e WHERE n IN (1, 2, 4998);
    DELETE FROM s WHERE n IN (7, 8)" "d.v (id=1): another row" "d.e (e=2, n=1)" "d.e (e=3, n=2)" "d.e (e=1, n=4998)" "d.s (s=7, n=7)" "d.s (s=0, n=8)"
missing=$(sql n2 "SELECT MIN(id) FROM shop.t_time") changed=$(sql n2 "SELECT MIN(id) FROM shop.t_num WHERE f = 1.5")
by_hand "UPDATE v SET l = CONCAT(LEFT(l, 99999), 'y') WHERE id = 1; DELETE FROM d WHERE v = 2000; DELETE FROM f WHERE f > 400 LIMIT 1; DELETE FROM i LIMIT 1;
    DELETE FROM b ORDER BY b DESC LIMIT 1; DELETE FROM n ORDER BY n LIMIT 1; DELETE FROM w ORDER BY w LIMIT 1; DELETE FROM vb WHERE v = 17; DELETE FROM u LIMIT 1;
    DELETE FROM shop.t_time ORDER BY id LIMIT 1; UPDATE shop.t_num SET f = f * 2 WHERE f = 1.5 ORDER BY id LIMIT 1" \
    "d.v (id=1): another row" "d.d (d='2024-01-01 00:00:02.000'): missing" "d.f (f=" "d.i (i='2001:db8::1'): missing" "d.b (b=3145728000): missing" \
    "d.n (n=" "d.w (w=" "d.vb (k=0x70EFDF2EC9B08607" "d.u (u=" "shop.t_time (id=$missing): missing" "shop.t_num (id=$changed): another row"
REPAIR=no
by_hand "DELETE FROM none WHERE a = 2; INSERT INTO none VALUES (1, 'a')" "d.none: 3 rows on the source, 3 on the node"
sql n2 "TRUNCATE d.none; INSERT INTO d.none VALUES (1, 'a'), (2, 'b'), (1, 'a')"
await_proof 1 state equal
by_hand "CREATE TABLE more (id INT)" "d.more: the table is not on the source"
sql n2 "DROP TABLE d.more"
by_hand "DROP TABLE two" "d.two: the table is missing on the node"
sql n2 "CREATE TABLE d.two (a INT, b VARCHAR(10) CHARACTER SET latin1, c INT, PRIMARY KEY (a, b)); $(sql source "SHOW CREATE TABLE d.two" | sed 's/^two\t/DROP TABLE d.two; USE d; /; s/\\n/ /g')"
order repair "127.0.0.1:${PORT[n2]}" --yes
await_proof 1 state equal
by_hand "ALTER TABLE v ADD INDEX (x)" "d.v: the table is defined otherwise"
sql n2 "ALTER TABLE d.v DROP INDEX x"
await_proof 1 state equal

say "a load with DDL; the agent is killed"
: >"$DIR/agent.log"
start_workload --kind mixed --clients 3 --rate 100 --ddl-ms 1000
sleep 5
kill_agent
start_agent
for ((i = 0; i < (LONG ? 6 : 1); i++)); do round; done
[ -z "$(found)" ] || { found >&2; fail "differences where there are none"; }
say "rows are broken by hand and put right while the load goes on"
sql n2 "DELETE FROM d.v WHERE id BETWEEN 1000 AND 1100; UPDATE d.two SET c = 0 WHERE a > 250; INSERT INTO d.n VALUES (-1)"
order repair "127.0.0.1:${PORT[n2]}" --yes
round
kill -TERM "$WORKLOAD_PID"
join_workload
wait_delivered
round
round
await_proof 0 state equal
await_proof 1 state equal
! found | grep -vE '^d\.(v|two|n) ' >&2 || fail "differences that nobody made"
for n in n1 n2; do
    "$BUILD/tests/tools/compare" --source-socket "$DIR/source/sock" --target-socket "$DIR/$n/sock" >"$DIR/compare.out" 2>&1 || { tail -n 20 "$DIR/compare.out" >&2; differ "$n differs"; }
done
say "$(tail -n 1 "$DIR/compare.out")"
stop_agent
