#!/bin/bash
# A node that says healthy and lacks a row is told by wolfctl status and list --endpoint, from what the agent has proven; wolfctl migrate
# brings the row back.
. "$(dirname "$0")/../lib_cluster.sh"

URL=() # of each node
for n in 1 2 3; do URL[n]=http://$(node_host $n):8080; done
ends() { # ends CODE WOLFCTL-ARGUMENT...
    local want=$1 code=0
    shift
    "$BUILD/wolfctl" --socket "$SOCKET" "$@" >"$DIR/out" 2>&1 </dev/null || code=$?
    [ $code = "$want" ] || { cat "$DIR/out" >&2; fail "wolfctl $* ended with $code, not $want"; }
}
told() { grep -qE -- "$1" "$DIR/out" || { cat "$DIR/out" >&2; fail "not said: $1"; }; }

start_source -
write_cluster_config
start_agent
sql source "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v TEXT); INSERT INTO d.t VALUES (1, 'a'), (2, 'b'), (3, 'c')"
wait_delivered 20
proven() { ctl_agent nodes verify --timeout 30 && ends 0 status -e "${URL[2]}" && grep -q '^Proof  *equal' "$DIR/out"; }
wait_for 60 "the rows proven" proven
told '^Rows +delivered up to 0-'
ends 0 list -e "${URL[1]}"
told '^node-2 .* equal$'

say "healthy, and without a row"
node_sql 2 "DELETE FROM d.t WHERE id = 2"
ctl_agent nodes verify --timeout 30 >/dev/null || true
ends 1 status -e "${URL[2]}"
told '^Cluster +led'
told '^Proof +different: 1 rows'
ends 1 list -e "${URL[1]}"
told '^node-2 .* different: 1 rows$'
ends 0 status -e "${URL[1]}"

say "reset deletes nothing; migrate copies the rows"
ends 1 reset --force -e "${URL[2]}"
told "wolfctl nodes seed $(node_host 2)"
ends 2 migrate -e "${URL[2]}" --from "http://$(node_host 9):8080" --yes
ends 2 migrate -e "${URL[2]}" --from node-2 --yes
ends 0 migrate -e "${URL[2]}" --from "$(node_host 1):8080" --dry-run
[ "$(node_sql 2 'SELECT COUNT(*) FROM d.t')" = 2 ] || fail "--dry-run copied"
ends 0 migrate -e "${URL[2]}" --from "$(node_host 1):8080" --yes --timeout 60
[ "$(node_sql 2 'SELECT COUNT(*) FROM d.t')" = 3 ] || fail "the row did not come back"
wait_for 60 "the rows proven again" proven

stop_agent
