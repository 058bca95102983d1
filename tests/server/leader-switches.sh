#!/bin/bash
# delivery = "leader" against each misbehaviour of WolfScale nodes, one by one, on the stand-in: a writer that trusts OK and LSN loses rows in each (standin.sh);
# here every node has every row, and the rows go through the leader again when it is over.
. "$(dirname "$0")/../lib_cluster.sh"
. "$(dirname "$0")/../lib_faults.sh"
cluster switch 2 swallow 0 || skip "misbehaviours can be ordered from stand-ins only"

node_sql 3 "SET GLOBAL innodb_lock_wait_timeout = 3" # for the pool that is left in a transaction
start_source -
write_cluster_config 'sink.delivery="leader"'
start_agent
say "on $("$CLUSTER" kind)"
sql source "CREATE DATABASE plain; CREATE TABLE plain.t (id INT AUTO_INCREMENT PRIMARY KEY, k INT NOT NULL, v MEDIUMTEXT NOT NULL)"
wait_delivered 30
await_nodes clusters.0.way leader 30
LINE=0
noted() { tail -n +$((LINE + 1)) "$DIR/agent.log" | grep -qE -- "$1"; }
# write_rows: transactions of one row and of several, changes and deletes.
write_rows() {
    local i
    for i in 1 2 3 4 5 6 7 8; do
        sql source "USE plain; INSERT INTO t (k, v) VALUES ($i, MD5(RAND())), ($i, REPEAT('x', 300)); UPDATE t SET v = MD5(RAND()) WHERE k = $i ORDER BY id LIMIT 3;
            DELETE FROM t WHERE k = $((i + 1)) ORDER BY id LIMIT 1"
    done
}
# over: every node has the rows, by whatever way; the leader's way is taken again.
over() {
    wait_delivered 90
    compare_nodes >"$DIR/compared" || { cat "$DIR/compared" >&2; exit 1; }
    lead_again 10 # two leaders stay two until they are restarted
    await_nodes clusters.0.way leader "${1-60}"
    write_rows
    wait_delivered 60
    compare_nodes >"$DIR/compared" || { cat "$DIR/compared" >&2; exit 1; }
}
# switched NODE NAME VALUE OFF PATTERN: rows are written under it; the agent's log must then say so.
switched() {
    local from=$SECONDS
    LINE=$(wc -l <"$DIR/agent.log")
    cluster switch "$1" "$2" "$3"
    write_rows
    wait_for 60 "$2 being noticed" noted "$5"
    cluster switch "$1" "$2" "$4"
    over
    say "$2 on node $1: over after $((SECONDS - from)) s; $(tail -n +$((LINE + 1)) "$DIR/agent.log" | grep -E -- "$5" | head -n 1 | cut -d' ' -f3- | cut -c1-170)"
}

# Those that are over within two seconds, each time; of those that take waits of ten seconds and more, one by chance, and all with LONG=1.
switched 2 swallow 3 0 'leader.again.*node=.*statements|markers'
switched 3 skip 2 0 'leader.again|cluster.way.*direct'
switched 1 forward 1 0 'cluster.way.*direct.*has not executed'
switched 1 fake_ok 1 0 'cluster.way.*direct.*has not executed'
switched 1 cut_reply 1 0 'cluster.way.*direct'
switched 1 err_1024 1 0 'cluster.way.*direct.*1024'
switched 3 api_html 1 0 'cluster.way.*direct'

slow_lsn_restart() { switched 1 lsn_restart 1 0 'cluster.way.*direct.*(backwards|below)|leader.raise'; }
slow_two_leaders() { switched 2 two_leaders 1 0 'cluster.way.*direct'; }
# Followers that were restarted say LSN 0 and leave out what a leader whose log is empty sends, up to what they had before. An agent that has not seen that raises it step by step.
silent_followers() { # COMMAND...: when they are gone
    local n from=$SECONDS
    LINE=$(wc -l <"$DIR/agent.log")
    for n in 2 3; do cluster end node $n; done
    "$@"
    cluster switch 1 lsn_restart 1
    for n in 2 3; do cluster run node $n; done
    wait_for 90 "the leader's log being raised" noted 'leader.raise.*as far as that says'
    over 120
    say "over after $((SECONDS - from)) s: $(tail -n +$((LINE + 1)) "$DIR/agent.log" | grep -c leader.raise) times raised"
}
another_agent() {
    kill_agent
    start_agent
}
slow_silent() {
    local i
    say "followers that do not say how far they are"
    for i in 1 2 3; do write_rows; done
    silent_followers true
    silent_followers another_agent
}
slow_stall() {
    say "a follower that executes nothing"
    LINE=$(wc -l <"$DIR/agent.log")
    cluster switch 2 stall 1
    write_rows
    wait_for 60 "the stall being noticed" noted 'cluster.way.*direct'
    wait_delivered 60
    compare_nodes >/dev/null
    cluster switch 2 stall 0
    over 90
}
slow_pool() {
    say "a pool left in a transaction"
    cluster switch 3 pool_in_transaction wolfcdc
    write_rows
    sleep 5
    cluster switch 3 pool_in_transaction ''
    over 120
}
# A follower executes an ALTER only after it was given that, and the one that undid it, directly: its table is made as the others' again.
slow_late_ddl() {
    say "DDL that comes late"
    LINE=$(wc -l <"$DIR/agent.log")
    cluster switch 2 stall 1
    sql source "USE plain; ALTER TABLE t ADD COLUMN late INT NOT NULL DEFAULT 7; CREATE TABLE undone (id INT PRIMARY KEY)"
    wait_for 60 "the stall being noticed" noted 'cluster.way.*direct'
    wait_delivered 60
    sql source "USE plain; ALTER TABLE t DROP COLUMN late; DROP TABLE undone"
    write_rows
    wait_delivered 60
    compare_nodes >/dev/null
    cluster switch 2 stall 0
    wait_for 60 "the late ALTER to be met" noted 'cluster.redefined.*made anew'
    await_nodes clusters.0.way leader 60
    over
}
for slow in ${SLOW:-$(choose 1 lsn_restart silent two_leaders stall pool late_ddl)}; do "slow_$slow"; done

say "a full segment"
LINE=$(wc -l <"$DIR/agent.log")
cluster switch 1 segment_full 30000
sql source "USE plain; INSERT INTO t (k, v) SELECT 100, GROUP_CONCAT(SHA2(RAND(seq), 512) SEPARATOR '') FROM seq_1_to_1200"
sql source "USE plain; INSERT INTO t (k, v) SELECT 101, GROUP_CONCAT(SHA2(RAND(seq), 512) SEPARATOR '') FROM seq_1_to_300"
over
noted 'leader.again.*largest=' || fail "the log does not say that a large entry was lost"
[ "$(sql source "SELECT COUNT(*) FROM plain.t WHERE LENGTH(v) > 30000")" = 2 ] || fail "the large rows are not large"
! noted 'cluster.way.*direct' || fail "a full segment ended the leader's way"
stop_agent
