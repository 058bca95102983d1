#!/bin/bash
# A node whose databases are gone is given its data anew from another while the source goes on, with DDL: afterwards it holds what the source holds, and
# its sink goes on where the copy ends; also rows of a table without transactions, and of tables that change names. A stop in the middle of the copy leaves a node that says so, and the next order makes it whole.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../lib_seed.sh"
start_nodes 'filter.exclude=["other.*"]' 'logging.level="debug"' sink.non_transactional=true
from=(--from "127.0.0.1:${PORT[n1]}")
proof_is() { [ "$({ ctl_agent nodes --json 2>/dev/null || true; } | "$BUILD/tests/tools/jsonget" "clusters.0.nodes.$1.proof.state")" = "$2" ]; }

workload --kind types --clients 1 --transactions 24
sql source <<'END'
SET sql_mode='NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'; CREATE DATABASE d CHARACTER SET latin1; CREATE DATABASE empty COLLATE utf8mb4_czech_ci; USE d;
CREATE TABLE p (id INT AUTO_INCREMENT PRIMARY KEY, e ENUM('é','b') DEFAULT 'é' COMMENT 'Größe', f FLOAT, g DOUBLE AS (f + 1) STORED, b BIT(20), i INET6, u UUID,
    geo GEOMETRY, l LONGTEXT, w VARCHAR(20) CHARACTER SET utf16, t TIMESTAMP(6) NULL, KEY (f)) AUTO_INCREMENT = 1000;
INSERT INTO p (e, f, b, i, u, geo, l, w, t) VALUES ('b', 0.1, b'1010', '::1', UUID(), ST_GeomFromText('POINT(1 2)', 4326), REPEAT('a''\\\0"', 300000), '😀',
    '2024-01-01 00:00:00.000001'), (NULL, NULL, NULL, NULL, NULL, NULL, '', '', NULL);
INSERT INTO p (id, w) VALUES (0, 'zero'); INSERT INTO p (e, l) VALUES (0, 'x');
CREATE TABLE c (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE); INSERT INTO c VALUES (1, 1000);
CREATE VIEW z_view AS SELECT id, e FROM p; CREATE VIEW a_view AS SELECT * FROM z_view;
CREATE TABLE keyless (a INT); INSERT INTO keyless VALUES (1), (1);
CREATE TABLE big (id INT PRIMARY KEY, a VARCHAR(100), b INT, c DATETIME) CHARACTER SET utf8mb4; INSERT INTO big SELECT seq, MD5(seq), seq, NOW() FROM seq_1_to_300000;
CREATE TABLE unheld (a INT) ENGINE=MyISAM; CREATE TABLE swap1 (id INT PRIMARY KEY AUTO_INCREMENT, a INT); CREATE TABLE swap2 LIKE swap1; INSERT INTO swap1 VALUES (1, 1), (2, 2);
END
sql source "USE d; CREATE FUNCTION twice(x INT) RETURNS INT DETERMINISTIC RETURN x * 2; CREATE PROCEDURE say() SELECT 'é'"
wait_delivered
# not ours: a database that only the node has, and one that the filter leaves out
sql n2 "CREATE DATABASE own; CREATE TABLE own.t (id INT); INSERT INTO own.t VALUES (7)"
start_workload --kind mixed --clients 3 --rate 200 --ddl-ms 500
# what no snapshot holds: rows of a table without transactions, and which table has which name
churn() {
    while [ -e "$DIR/churn" ]; do
        sql source "USE d; INSERT INTO unheld VALUES (1), (2); RENAME TABLE swap1 TO swap0, swap2 TO swap1, swap0 TO swap2; INSERT INTO swap1 (a) VALUES (7)"
        sleep 0.1
    done
}
touch "$DIR/churn"
churn &
churning=$!
sleep 2

say "everything is dropped on a node, and it is seeded under the load"
destroy
seed "${from[@]}"
say "$(sed -n 's/.*sink.seeded .*tables/tables/p' "$DIR/agent.log")"
await_state sinks.1.state streaming 30
say "the agent is killed within a copy"
destroy
order_seed --yes "${from[@]}" &
seeding=$!
copied() { [ -n "$(sql n2 "SELECT 1 FROM d.big LIMIT 1")" ]; }
wait_for 30 "the copy's beginning" copied
kill_agent
wait $seeding || true
start_agent
[ -z "$(sql n2 "SELECT last_lsn FROM wolfcdc.position")" ] || fail "a node that was copied half has a position"
seed "${from[@]}"
kill -TERM "$WORKLOAD_PID"
join_workload
rm "$DIR/churn"
wait $churning
wait_delivered
wait_for 60 "the proof of node 1" proof_is 1 equal
compare_node n1
compare_node n2 d shop empty
say "$(tail -n 1 "$DIR/compare.out")"
[ "$(sql n2 "SELECT d.twice(id) FROM own.t")" = 14 ] || fail "what was not ours was not left alone, or a function is missing"
[ "$(sql n2 "SELECT COUNT(*) FROM d.a_view")" = 4 ] || fail "a view of a view is missing"
[ "$(sql n2 "SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'empty'")" = utf8mb4_czech_ci ] || fail "an empty database is missing"
sql source "INSERT INTO d.p (f) VALUES (2)"
wait_delivered
[ "$(sql n2 "SELECT MAX(id) FROM d.p")" = "$(sql source "SELECT MAX(id) FROM d.p")" ] || fail "the sink does not go on"
stop_agent
