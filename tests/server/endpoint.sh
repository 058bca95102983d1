#!/bin/bash
# wolfctl list, status, stats, reset and migrate with --endpoint tell the truth about a WolfScale node where its own words do not: what the
# others say of the leader, that nothing is known of its rows, which cluster is none. Without an agent.
. "$(dirname "$0")/../lib_cluster.sh"

URL=() # of each node
for n in 1 2 3; do URL[n]=http://$(node_host $n):8080; done
ends() { # ends CODE WOLFCTL-ARGUMENT...
    local want=$1 code=0
    shift
    "$BUILD/wolfctl" --socket "$DIR/control.sock" "$@" >"$DIR/out" 2>&1 </dev/null || code=$?
    [ $code = "$want" ] || { cat "$DIR/out" >&2; fail "wolfctl $* ended with $code, not $want"; }
}
told() { grep -qE -- "$1" "$DIR/out" || { cat "$DIR/out" >&2; fail "not said: $1"; }; }
untold() { ! grep -qE -- "$1" "$DIR/out" || { cat "$DIR/out" >&2; fail "said: $1"; }; }
json() { "$BUILD/tests/tools/jsonget" "$1" <"$DIR/out"; }
ends_soon() { # as ends, within 20 s
    local end=$((SECONDS + 20))
    until (ends "$@") >/dev/null 2>&1; do [ $SECONDS -lt $end ] || ends "$@"; done
    ends "$@"
}

ends_soon 0 list servers -e "${URL[1]}" # a follower may not have heard of the leader yet
told '^Total: 3 nodes .* Active: 3 .* Leader: node-1'
told '^node-3 .*:7654 .*Active .*Follower .*up .*node-1'
told 'Whether the nodes hold the rows is not known'
ends 0 status -e "${URL[1]}"
told '^Role +LEADER'
told '^Rows +not known'
told 'healthy \(a constant\)'
ends 0 status -e "$(node_host 2)" # without http:// and port
told '^Role +Follower'
told 'node-1 \(.*\) names node-1 as leader, says that it leads itself'
ends 0 stats -e "${URL[1]}"
told '^node-2 +Active'
{ timeout 6 "$BUILD/wolfctl" stats -e "${URL[1]}" --watch || true; } >"$DIR/out"
[ "$(grep -c '^LSN ' "$DIR/out")" -ge 2 ] || fail "stats --watch said $(grep -c '^LSN ' "$DIR/out") times what it knows"
ends 3 stats -e "http://$(node_host 1):1" --watch
ends 0 status -e "${URL[3]}" --json
[ "$(json state) $(json leader) $(json id) $(json agent_answers)" = "led node-1 node-3 false" ] || fail "status --json: $(cat "$DIR/out")"
ends 2 status -e https://node
ends 2 migrate --from "${URL[1]}"
ends 3 migrate -e "${URL[2]}" --from "${URL[1]}" --yes
ends 3 status -e "http://$(node_host 1):1"
told 'refused'
ends 1 status -e "http://$(node_host 1):3306" # a MariaDB

say "reset deletes nothing"
ends 1 reset --force -e "${URL[2]}"
told 'Nothing was reset'
told 'systemctl stop wolfscale'
untold 'this node LEADS'
ends 1 reset -e "${URL[1]}"
told 'this node LEADS'
ends 0 status -e "${URL[1]}"

say "a dead leader, and what follows"
cluster kill node 1
ends 3 status -e "${URL[1]}"
ends 1 status -e "${URL[2]}"
told 'names node-1 as leader, which does not answer|no node leads'
untold '^Role +LEADER'
ends_soon 0 status -e "${URL[2]}"
told '^Role +LEADER'
told 'but not every node follows'
ends 1 list -e "${URL[2]}"
told 'Connection refused'
# the other yields to it and ends; only one more start of the first makes them follow it again
cluster run node 1
sleep 4
cluster run node 2
cluster end node 1
cluster run node 1
ends_soon 0 status -e "${URL[1]}"
told '^Role +LEADER'

if ! real_nodes; then
    say "what only stand-ins do"
    switch 3 api_html 1
    ends 1 status -e "${URL[3]}"
    told 'HTML instead of JSON'
    ends 1 list -e "${URL[1]}"
    told 'unreadable'
    switch 3 api_html 0
    switch 2 api_half_json 1
    ends 1 status -e "${URL[2]}"
    told 'half a JSON'
    switch 2 api_half_json 0
    switch 2 lsn_beyond_u64 1
    ends 1 status -e "${URL[2]}"
    told 'beyond 64 bits'
    switch 2 lsn_beyond_u64 0
    switch 1 slow_api 2500
    ends 0 status -e "${URL[1]}"
    switch 1 slow_api 0
    switch 2 two_leaders 1
    ends_soon 1 status -e "${URL[1]}"
    told 'split|changing'
    switch 2 two_leaders 0
fi
