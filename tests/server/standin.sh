#!/bin/bash
# Nodes do what a WolfScale 5.5.7 cluster was seen to do, and each misbehaviour loses or doubles rows of a writer that trusts OK
# and LSN. The first half runs on real nodes, too; the switches are the stand-in's.
export SEGMENT_MB=1
. "$(dirname "$0")/../lib_cluster.sh"

count() { node_sql "$1" "SELECT COUNT(*) FROM $2"; }
counts() { echo "$(count 1 "$1") $(count 2 "$1") $(count 3 "$1")"; }
counts_are() { [ "$(counts "$1")" = "$2" ]; }
expect() { # expect WHAT TABLE "N1 N2 N3"
    local end=$((SECONDS + 15))
    until counts_are "$2" "$3"; do
        [ $SECONDS -lt $end ] || fail "$1: rows in $2 on the three nodes: $(counts "$2"), not $3"
        sleep 0.2
    done
    say "$1: $3"
}
# table NAME: d.NAME everywhere.
table() {
    proxy_sql 1 d "CREATE TABLE $1 (id INT PRIMARY KEY, v LONGTEXT, n INT NOT NULL AUTO_INCREMENT, KEY (n))"
    wait_for 15 "table $1 on all nodes" counts_are "d.$1" "0 0 0"
}
noise() { head -c $(($1 / 2)) /dev/urandom | od -An -v -tx1 | tr -d ' \n'; }

# naive NODE TABLE COUNT [BYTES]: one client and one connection per row; what is answered OK is taken for written. When the
# leader's LSN and its followers' agree, it is taken for being everywhere (agree). In OKS: how many were answered OK.
naive() {
    local i text=x
    OKS=0
    for ((i = 1; i <= $3; i++)); do
        [ -z "${4-}" ] || text=$(noise "$4")
        if proxy_sql "$1" d <<<"INSERT INTO $2 (id, v) VALUES ($i, '$text')" 2>>"$DIR/naive.log"; then OKS=$((OKS + 1)); fi
    done
    # a lost LSN is passed only by another
    [ -z "${4-}" ] || proxy_sql "$1" d "DELETE FROM $2 WHERE id = 0"
}
agree() {
    local i
    sleep 0.3 # the API's LSN is up to 100 ms old
    for ((i = 0; i < 60; i++)); do
        ! all_applied 1 || return 0
        sleep 0.2
    done
    fail "the LSNs do not agree: $(api 1 /stats)"
}
# loses WHAT TABLE NODE...: the naive writer was satisfied, and rows are missing on these nodes (and only there).
loses() {
    local what=$1 name=$2 n have text=
    shift 2
    agree
    for n in 1 2 3; do
        have=$(count "$n" "d.$name")
        text+=" $have"
        if [[ " $* " == *" $n "* ]]; then [ "$have" -lt "$OKS" ] || fail "$what: node $n has all $OKS rows"
        else [ "$have" = "$OKS" ] || fail "$what: node $n has $have of $OKS rows"; fi
    done
    say "$what: $OKS times OK, and rows on the nodes:$text"
}

# ---- as any cluster of 5.5.7 ---------------------------------------------------------------------------------------------
proxy_sql 1 "" "CREATE DATABASE d"
table whole
naive 1 whole 10
expect "through the leader's proxy" d.whole "10 10 10"

proxy_sql 2 d "INSERT INTO whole (id, n) VALUES (11, 11), (12, 12)"
expect "through a follower's proxy: not on the leader" d.whole "10 12 12"
rows_affected() { client "$1" 8007 -D d -vvv -e "$2" | grep -oE '[0-9]+ rows? affected' | head -n 1; }
[ "$(rows_affected 1 'REPLACE INTO whole (id, n) VALUES (13, 13), (14, 14)')" = "2 rows affected" ] || fail "the leader does not count"
[ "$(rows_affected 3 'REPLACE INTO whole (id, n) VALUES (15, 15), (16, 16)')" = "1 row affected" ] || fail "a forwarded write counts"
lsn=$(api_of 1 /stats current_lsn)
api 1 /sql -H 'Content-Type: application/json' -d '{"sql":"DELETE FROM d.whole WHERE id > 10"}' | grep -q '"message":"LSN: ' || fail "/sql"
expect "by /sql: not on the leader" d.whole "12 10 10"
[ "$(api_of 1 /stats current_lsn)" -gt "$lsn" ] || fail "/sql gave no LSN"

answer=$(api 1 /write/insert -H 'Content-Type: application/json' -d '{"table":"d.whole","values":{"id":20}}')
[ "$answer" = '{"success":true,"lsn":1,"message":null}' ] || fail "/write/insert answers $answer"
sleep 0.5
expect "by /write: nowhere" d.whole "12 10 10"

table skipped
node_sql 2 "INSERT INTO d.skipped (id) VALUES (1), (2)"
naive 1 skipped 3
agree
[ "$(node_sql 2 'SELECT COUNT(v) FROM d.skipped')" = 1 ] || fail "a statement that fails on a follower is not skipped"
say "a follower skips what fails, and its LSN goes on"

table undone
for ((i = 1; i <= 20; i++)); do printf 'BEGIN;INSERT INTO undone (id) VALUES (%d);ROLLBACK;' $i; done | proxy_sql 1 d
for ((i = 0; i < 30; i++)); do printf 'COMMIT;'; done | proxy_sql 1 d # each connection of the pool leaves what BEGIN began
agree
read -r first second third <<<"$(counts d.undone)"
{ [ "$first" = 0 ] && [ "$second" -gt 0 ] && [ "$third" -gt 0 ]; } || fail "transactions rolled back: $(counts d.undone)"
say "of 20 rows that were rolled back stay: $first $second $third"

# a segment of 1 MB has no room for all of these, and each LSN is acknowledged nevertheless
table large
naive 1 large 16 150000
loses "larger than what a segment has left" large 2 3

cluster kill node 1
sleep 3
cluster run node 1
wait_for 10 "the leader's restart" leads 1
table again
naive 1 again 5
expect "leader back within 6 s" d.again "5 5 5"

# ---- the switches ----------------------------------------------------------------------------------------------------------
switches() {
    local before i

    table swallow
    switch 2 swallow 5
    naive 1 swallow 10
    loses "swallow" swallow 2

    table skip
    switch 3 skip 3
    naive 1 skip 10
    switch 3 skip 0
    loses "skip" skip 3

    table segment_full
    switch 1 segment_full 20000
    naive 1 segment_full 6 30000
    loses "segment_full" segment_full 2 3
    switch 1 segment_full 0

    table forward
    switch 1 forward 1
    naive 1 forward 5
    loses "forward" forward 1
    switch 1 forward 0

    table fake_ok
    switch 1 fake_ok 3
    naive 1 fake_ok 5
    loses "fake_ok" fake_ok 1 2 3

    table pooled
    switch 2 pool_in_transaction d
    naive 1 pooled 30
    loses "pool_in_transaction" pooled 2
    switch 2 pool_in_transaction ""

    table cut_reply
    switch 1 cut_reply 1
    # it says again what it got no answer to
    for i in 1 2; do proxy_sql 1 d "INSERT INTO cut_reply (id) SELECT COUNT(*) FROM cut_reply" 2>/dev/null && break; done
    expect "cut_reply: one row wanted, doubled" d.cut_reply "2 2 2"

    table refused
    switch 1 err_1024 1
    proxy_sql 1 d "INSERT INTO refused (id) VALUES (1)" 2>"$DIR/refused" && fail "err_1024: a write was taken"
    grep -q '^ERROR 1024' "$DIR/refused" || fail "err_1024: $(cat "$DIR/refused")"
    switch 1 err_1024 0
    expect "err_1024" d.refused "0 0 0"

    table stall
    switch 3 stall 1
    proxy_sql 1 d "INSERT INTO stall (id) VALUES (1)"
    sleep 1
    [ "$(api_of 1 /cluster nodes.2.status)" = Active ] || fail "stall: not Active"
    expect "stall" d.stall "1 1 0"
    switch 3 stall 0
    expect "stall, over" d.stall "1 1 1"

    switch 1 greeting_cut 1
    ! proxy_sql 1 d "SELECT 1" >/dev/null 2>&1 || fail "greeting_cut: a login"
    switch 1 greeting_cut 0

    switch 1 slow_api 3000
    ! curl -s -m 2 "http://$(node_host 1):8080/health" >/dev/null || fail "slow_api: an answer in time"
    switch 1 slow_api 0
    switch 1 api_html 1
    api 1 /status | grep -q '<html>' || fail "api_html"
    switch 1 api_html 0
    switch 1 api_half_json 1
    ! api_of 1 /status node_id >/dev/null 2>&1 || fail "api_half_json: whole"
    switch 1 api_half_json 0
    switch 1 lsn_beyond_u64 1
    api 1 /stats | grep -q '"current_lsn":18446744073709551616,' || fail "lsn_beyond_u64"
    switch 1 lsn_beyond_u64 0
    switch 3 id 'x|"y'
    wait_for 5 "the odd id in the leader's table" api_is 1 /cluster nodes.2.id 'x|"y'
    [ "$(api_of 3 /status node_id)" = 'x|"y' ] || fail "id"
    switch 3 id ""
    switch 1 stubs 0
    api 1 /write/insert -w '%{http_code}' -H 'Content-Type: application/json' -d '{"table":"t","values":{}}' | grep -q 404 || fail "stubs"
    switch 1 stubs 1
    switch 3 foreign other
    { api_is 3 /cluster summary.total_nodes 1 && leads 3; } || fail "foreign: not alone"
    switch 3 foreign ""
    wait_for 5 "the foreign node's return" api_is 3 /status leader_id node-1
    say "proxy and API: greeting_cut, slow_api, api_html, api_half_json, lsn_beyond_u64, id, stubs, foreign"

    # ---- those that move the LSN
    table restarted
    before=$(api_of 1 /stats current_lsn)
    switch 1 lsn_restart 1
    naive 1 restarted 5
    loses "lsn_restart" restarted 2 3
    switch 1 lsn_restart $((before + 1))
    proxy_sql 1 d "DELETE FROM restarted"
    expect "lsn_restart, healed" d.restarted "0 0 0"

    table torn
    switch 1 torn_log 1
    cluster kill node 1
    cluster run node 1
    wait_for 10 "the leader's restart" leads 1
    naive 1 torn 1
    loses "torn_log" torn 2 3
    cluster wipe 1 # nothing less helps
    for i in 2 3; do cluster wipe $i; done
    cluster start
    proxy_sql 1 "" "CREATE DATABASE d"

    table contested
    switch 2 two_leaders 1
    wait_for 5 "the second leader" leads 2
    leads 1 || fail "two_leaders: the first one gave up"
    for i in node-1 node-2 node-1; do wait_for 10 "node 3 to take $i for the leader" api_is 3 /status leader_id $i; done
    naive 1 contested 20
    counts d.contested | tr ' ' '\n' | grep -qvx "$OKS" || fail "two_leaders: all nodes have all rows that were answered OK"
    say "two_leaders: $OKS of 20 times OK, and rows on the nodes: $(counts d.contested)"
    switch 2 two_leaders 0
    for i in 1 2 3; do cluster wipe $i; done
    cluster start
    proxy_sql 1 "" "CREATE DATABASE d"
}
real_nodes || switches

# ---- failover ----------------------------------------------------------------------------------------------------------------
table ahead
naive 1 ahead 5
expect "before the failover" d.ahead "5 5 5"
lsn=$(api_of 2 /status last_applied_lsn)
cluster kill node 1
from=$(date +%s%N)
until leads 2; do
    [ $((($(date +%s%N) - from) / 1000000)) -lt 15000 ] || fail "no new leader after 15 s"
    sleep 0.05
done
took=$((($(date +%s%N) - from) / 1000000))
say "the leader is killed, node 2 leads after $took ms"
{ [ $took -ge 5800 ] && [ $took -le 9000 ]; } || fail "failover took $took ms"
proxy_sql 2 d "INSERT INTO ahead (id) VALUES (6)"
sleep 1
[ "$(api_of 2 /stats current_lsn)" -lt "$lsn" ] || fail "LSNs went on at the new leader"
expect "the new leader's first writes reach nobody else" d.ahead "5 6 5"
! proxy_sql 3 d "INSERT INTO ahead (id) VALUES (7)" 2>"$DIR/refused" || fail "a forwarded write was taken by an elected leader"
grep -q '^ERROR 1024' "$DIR/refused" || fail "through node 3: $(cat "$DIR/refused")"

cluster run node 1
gone() { ! api 2 /status -m 2 >/dev/null 2>&1; }
wait_for 15 "the elected leader's end" gone
sleep 1
! proxy_sql 1 d "INSERT INTO ahead (id) VALUES (8)" 2>"$DIR/refused" || fail "the returned leader executes"
cluster kill node 1
cluster run node 1
cluster run node 2
wait_for 15 "all nodes" api_is 1 /stats active_nodes 3
proxy_sql 1 d "INSERT INTO ahead (id) VALUES (9)"
[ "$(count 1 d.ahead)" = 6 ] || fail "the leader does not lead again"
say "the old leader writes again after one more restart"
