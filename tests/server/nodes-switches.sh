#!/bin/bash
# Every misbehaviour of the stand-ins, while an application writes through the leader's proxy and loses rows by it, does not disturb the rows that
# go to the nodes directly. Real nodes have no switches.
. "$(dirname "$0")/../lib_cluster.sh"
. "$(dirname "$0")/../lib_faults.sh"

[ "$("$CLUSTER" kind)" = stand-ins ] || skip "real nodes have no switches"
start_source -
write_cluster_config
start_agent
await_nodes clusters.0.state led
sql source "CREATE DATABASE test; CREATE TABLE test.marks (id INT AUTO_INCREMENT PRIMARY KEY)"
proxy_sql 1 "" "CREATE DATABASE app"
sleep 0.3
proxy_sql 1 "" "CREATE TABLE app.naive (id INT AUTO_INCREMENT PRIMARY KEY, v LONGTEXT)"
start_load --clients 2 --rate 100
delivered_to 1 2 3

# naive: an application that takes an OK for the truth. In OKS, how often it got one.
naive() {
    local i
    for ((i = 0; i < $1; i++)); do
        ! mariadb --no-defaults -h "$(node_host 1)" -P 8007 -uadmin -padmin --skip-ssl -D app -e "INSERT INTO naive (v) VALUES (REPEAT('${2-x}', 300))" \
            2>>"$DIR/naive.log" || OKS=$((OKS + 1))
    done
}
lost() { # rows that it was told of and that a node does not have
    local n count=0
    for n in 1 2 3; do count=$((count + OKS - $(root_sql "$n" "SELECT COUNT(*) FROM app.naive"))); done
    echo $count
}
# misbehave NODE SWITCH VALUE [OFF]: while it lasts, rows come to every node, and no delivery pauses.
misbehave() {
    strike 0
    cluster switch "$1" "$2" "$3"
    naive 4
    delivered_to 1 2 3
    [ $# = 3 ] || cluster switch "$1" "$2" "$4"
    check_pauses
    say "$2: longest pause $PAUSE ms"
}

OKS=0
misbehave 2 swallow 3
misbehave 3 skip 2 0
misbehave 1 segment_full 200 0
misbehave 1 forward 1 0
misbehave 1 fake_ok 3
misbehave 2 pool_in_transaction app ""
misbehave 2 pool_in_transaction shop ""
misbehave 1 cut_reply 1
misbehave 1 err_1024 1 0
misbehave 3 stall 1 0
misbehave 1 greeting_cut 1 0
misbehave 1 slow_api 3000 0
misbehave 1 stubs 0 1
misbehave 3 foreign other ""
misbehave 1 lsn_restart 1
misbehave 1 torn_log 1
misbehave 2 two_leaders 1 0
sleep 1
missing=$(lost)
[ "$missing" -gt 5 ] || fail "the application lost only $missing of 3 x $OKS rows: the switches do nothing"
say "the application lost $missing of the 3 x $OKS rows that it was told of"
stop_load
wait_delivered
for n in 1 2 3; do root_sql $n "DROP DATABASE app"; done
compare_nodes
proven
stop_agent
