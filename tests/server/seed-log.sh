#!/bin/bash
# A node gets its data anew from the log: one that comes back older is brought up to date and nothing of it is dropped; one that lost everything is emptied and given all
# of the log, when the operator says so. Which way and why is said, before and after. A kill of the agent in the midst of it does not matter: it goes on. What the log does not bring
# right, or what cannot be proven, is copied.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../lib_seed.sh"
start_nodes sink.keyless_rows_max=100
would() { # TEXT [OPTION...]: what --dry-run says
    order_seed --dry-run "${@:2}" || { cat "$DIR/ctl.out" >&2; fail "the dry run failed"; }
    answers "$1"
}
event() { grep ' cluster.seeded ' "$DIR/agent.log" | tail -n 1 | grep -qE -- "$1" || fail "the last cluster.seeded does not say $1"; }
sql source <<'END'
CREATE DATABASE d; USE d; CREATE TABLE d.p (id INT PRIMARY KEY, v VARCHAR(40)); CREATE TABLE d.gone (id INT); DROP TABLE d.gone;
CREATE TABLE d.c (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES d.p (id) ON DELETE CASCADE); CREATE VIEW d.w AS SELECT id FROM d.p;
INSERT INTO d.p SELECT seq, MD5(seq) FROM d.seq_1_to_1000; INSERT INTO d.c SELECT seq, seq FROM d.seq_1_to_1000; DELETE FROM d.p WHERE id <= 10;
CREATE TABLE d.old (id INT PRIMARY KEY); INSERT INTO d.old VALUES (1), (2); ALTER TABLE d.old RENAME TO d.renamed; CREATE FUNCTION d.twice(x INT) RETURNS INT DETERMINISTIC RETURN x * 2
END
wait_delivered
sql n2 "CREATE DATABASE own; CREATE TABLE own.t (id INT); INSERT INTO own.t VALUES (7)" # nobody's but the node's

say "an older state of a node comes back: it is brought up to date"
would "would be brought up to date from the log"
stop_server n2
cp -a "$DIR/n2" "$DIR/n2.old"
start_server n2
sql source "INSERT INTO d.p SELECT seq, 'later' FROM d.seq_2001_to_2500; ALTER TABLE d.p ADD x INT DEFAULT 5; DELETE FROM d.p WHERE id < 500"
wait_delivered
stop_server n2
rm -rf "$DIR/n2"
mv "$DIR/n2.old" "$DIR/n2"
start_server n2
sql n2 "CREATE TABLE own.stays (id INT)"
seed
answers "brought up to date from the log"
event 'way=catch-up from=log '
compare_node n2 d

say "rows of it are lost: it is copied"
sql n2 "DELETE FROM d.p WHERE id % 7 = 0"
seed
answers "copied from"
event 'way=copy from=127.0.0.1 .*why="(the log did not do: .* rows differ|its rows are known to differ)'
wait_delivered
compare_node n2 d
ctl_agent nodes verify --timeout 60 >"$DIR/verify.out" 2>&1 || fail "it is not proven"

say "everything is lost, under a load, and the agent is killed while the log is on its way"
start_workload --clients 2 --rate 100 --ddl-ms 500
sleep 1
destroy
would "would be copied from a node that is proven: it has no position"
would "would be emptied, given the whole log anew" --from log
order_seed --yes --from log &
seeding=$!
begun() { [ -n "$(sql n2 "SELECT last_lsn FROM wolfcdc.position ORDER BY last_lsn DESC LIMIT 1" 2>/dev/null)" ]; }
wait_for 30 "the log to be on its way" begun
kill_agent
wait $seeding || true
start_agent
kill -TERM "$WORKLOAD_PID"
join_workload
wait_delivered
compare_node n2 d shop
seed --from log
answers "brought up to date from the log"
sql n2 "DELETE FROM wolfcdc.position" # it has tables, and nothing says of when
seed --from log
answers "given the whole log anew, and proven"
event 'way=log from=log .*why="it has no position of this log, but the log holds everything'
compare_node n2 d shop
[ "$(sql n2 "SELECT d.twice(id) FROM own.t")" = 14 ] || fail "what was not ours was not left alone, or a function is missing"

say "what stands in the way of the log is said, and copied over"
destroy
sql n2 "CREATE DATABASE d; CREATE EVENT d.stays ON SCHEDULE EVERY 1 DAY DO DO 0" # not ours: the database is in the way of the log's CREATE DATABASE
! order_seed --yes --from log || fail "the log is said to have passed a database that is there"
answers "its sink is conflict"
seed
answers "copied from"
event "way=copy from=127.0.0.1 "
sql n2 "DROP EVENT d.stays"
wait_delivered
compare_node n2 d shop

say "a table that cannot be compared is a reason to copy"
sql source "CREATE TABLE d.many (a INT); INSERT INTO d.many SELECT seq FROM d.seq_1_to_500"
wait_delivered
seed
event 'way=copy .*why="the log did not do: .*d.many: no key'
compare_node n2 d shop
stop_agent
