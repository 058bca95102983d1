#!/bin/bash
# wolfctl binlog-setup --cluster, given one node, finds the others, looks at what WolfScale and the MariaDB of each say, names what is wrong
# with the node it is wrong on, and writes a sink that the agent accepts.
. "$(dirname "$0")/../lib_cluster.sh"
start_source
(umask 077 && echo admin >"$DIR/password" && echo nonsense >"$DIR/wrong")

setup() { # setup CODE OPTION...: the findings are in $DIR/out
    local want=$1 code=0
    shift
    "$BUILD/wolfctl" binlog-setup --socket "$DIR/source/sock" --user root --target-user admin --target-password-file "$DIR/password" \
        "$@" >"$DIR/out" 2>&1 </dev/null || code=$?
    [ $code = "$want" ] || { cat "$DIR/out" >&2; fail "binlog-setup $* ended with $code, not $want"; }
}
told() { grep -qE -- "$1" "$DIR/out" || { cat "$DIR/out" >&2; fail "not said: $1"; }; }
config() { grep -qxF -- "$1" "$DIR/wolfcdc.toml" || { cat "$DIR/wolfcdc.toml" >&2; fail "not written: $1"; }; }
h1=$(node_host 1) h2=$(node_host 2) h3=$(node_host 3)

say "one node given, three written"
setup 0 --cluster "$h2" --output "$DIR/wolfcdc.toml"
told '^ok +cluster leader: node-1 leads'
told '^ok +cluster pool_size: cannot be seen'
told "^ok +node-1 \\($h1\\) wolfscale: .*the leader; found in the table"
told "^ok +node-2 \\($h2\\) wolfscale: .* a follower$"
told "^ok +node-3 \\($h3\\) version: MariaDB"
told "^ok +node-3 \\($h3\\) target_privileges"
told "^ok +node-3 \\($h3\\) same_sql_mode"
told "^ok +node-1 \\($h1\\) read_only"
told "^(ok|warning) +node-1 \\($h1\\) max_allowed_packet"
config 'type = "wolfscale"'
grep -qE "^nodes = \\[\"$h2\", \"($h1\", \"$h3|$h3\", \"$h1)\"\\]$" "$DIR/wolfcdc.toml" || fail "nodes: $(grep nodes "$DIR/wolfcdc.toml")"
config 'user = "admin"'
config "password_file = \"$DIR/password\""
"$BUILD/wolfcdc" --config "$DIR/wolfcdc.toml" --check || fail "the agent refuses the configuration"
setup 0 --cluster "$h1,$h2,$h3" --json --print
"$BUILD/tests/tools/jsonget" config <"$DIR/out" >/dev/null || fail "--json"
grep -q '"side":"node-3 (' "$DIR/out" || fail "no finding of node 3 as JSON"

say "through the leader: each node's proxy is tried, too"
setup 0 --cluster "$h1,$h2,$h3" --delivery leader --output "$DIR/leader.toml"
for n in 1 2 3; do told "^ok +node-$n \\($(node_host $n)\\) proxy: logs in on port 8007"; done
grep -qxF 'delivery = "leader"' "$DIR/leader.toml" || fail "delivery is not written"
"$BUILD/wolfcdc" --config "$DIR/leader.toml" --check || fail "the agent refuses delivery = leader"
setup 1 --cluster "$h1,$h2,$h3" --delivery leader --proxy-port 8017
told "^error +node-3 \\($h3\\) proxy: port 8017: "
setup 2 --cluster "$h1" --delivery both

say "what is wrong is named, on the node that has it"
node_sql 3 "SET GLOBAL sql_mode='ANSI_QUOTES', GLOBAL max_allowed_packet=1048576"
node_sql 2 "SET GLOBAL read_only=ON; CREATE USER weak@'%' IDENTIFIED BY 'admin'; GRANT SELECT ON *.* TO weak@'%'"
node_sql 1 "CREATE USER weak@'%' IDENTIFIED BY 'other'"
setup 0 --cluster "$h1"
told "^warning +node-3 \\($h3\\) same_sql_mode: ANSI_QUOTES, but on node-1"
told "^warning +node-3 \\($h3\\) max_allowed_packet: .*1048576"
setup 1 --cluster "$h1" --target-user weak --output "$DIR/none.toml"
told "^error +node-1 \\($h1\\) database: .*[Dd]enied"
told 'remedy: create the account on this node as on the others'
told "^error +node-2 \\($h2\\) target_privileges"
told "^error +node-2 \\($h2\\) read_only"
[ ! -e "$DIR/none.toml" ] || fail "written in spite of errors"
setup 1 --cluster "$h1" --target-password-file "$DIR/wrong"
node_sql 3 "SET GLOBAL sql_mode=DEFAULT, GLOBAL max_allowed_packet=DEFAULT"
node_sql 2 "SET GLOBAL read_only=OFF"
setup 1 --cluster "$h1:3307"
told "^error +node-1 \\($h1\\) database: .*3307"
setup 1 --cluster "$h1" --api-port 3306
told "^error +$h1 wolfscale: unreadable: port 3306"
setup 2 --cluster "$h1,,$h2"
setup 2 --cluster "$h1,$h1"
told 'named twice'

say "a dead WolfScale does not keep its MariaDB from being looked at"
cluster kill node 3
setup 0 --cluster "$h1,$h2,$h3"
told "^warning +.*$h3.* wolfscale: gone: .*refused"
told "^ok +$h3 target_privileges"
cluster run node 3
cluster kill db 2
setup 1 --cluster "$h1"
told "^error +node-2 \\($h2\\) database: "
told "^ok +node-1 \\($h1\\) target_privileges"
cluster run db 2

if ! real_nodes; then
    say "what only stand-ins do"
    wait_for 20 "the cluster whole again" setup 0 --cluster "$h1,$h2,$h3"
    switch 3 id 'no|de"3'
    sleep 1
    setup 0 --cluster "$h1,$h2,$h3"
    told '^warning +no\|de"3 .* wolfscale: up: its id has \| in it'
    switch 3 id ""
    sleep 1
    switch 3 foreign other
    sleep 1
    setup 1 --cluster "$h1,$h2,$h3" # by its id it might be a part of this one that was cut off
    told '^error +cluster leader: split: two leaders: node-1 and node-3'
    switch 3 id other-1
    sleep 1
    setup 1 --cluster "$h1,$h2,$h3"
    told '^error +cluster leader: foreign: two clusters among the nodes'
    told "^error +other-1 \\($h3\\) wolfscale: foreign"
    switch 3 id ""
    switch 3 foreign ""
    switch 3 two_leaders 1
    sleep 1
    setup 1 --cluster "$h1,$h2,$h3"
    told '^error +cluster leader: split: two leaders'
fi
