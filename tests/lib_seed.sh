# shellcheck shell=bash
# For scenarios that seed: sourced after lib.sh. A cluster of two nodes without WolfScale on them: rows are delivered and proven all the same.
node() { echo "{ host = \"127.0.0.1\", port = ${PORT[$1]}, api_port = 1, proxy_port = 1 }"; }
# start_nodes [KEY=VALUE...]: source, n1, n2 and the agent.
start_nodes() {
    start_source
    start_server n1 -
    start_server n2 -
    write_config 'sink.name="wolf"' 'sink.type="wolfscale"' sink.host=- sink.port=- "sink.nodes=[$(node n1), $(node n2)]" sink.proof_rows_per_second=1000000 "$@"
    start_agent
}
# order_seed [OPTION...]: node 2; what came of it is in $DIR/ctl.out.
order_seed() { ctl_agent nodes seed "127.0.0.1:${PORT[n2]}" "$@" >"$DIR/ctl.out" 2>&1; }
# seed [OPTION...]: it succeeds.
seed() { order_seed --yes "$@" || { tail -n 5 "$DIR/ctl.out" >&2; fail "seeding failed"; }; }
# answers TEXT: what the last order ended with.
answers() { tail -n 1 "$DIR/ctl.out" | grep -qF -- "$1" || { tail -n 5 "$DIR/ctl.out" >&2; fail "the order does not say '$1'"; }; }
compare_node() {
    "$BUILD/tests/tools/compare" --source-socket "$DIR/source/sock" --target-socket "$DIR/$1/sock" ${2+"${@:2}"} >"$DIR/compare.out" 2>&1 ||
        { tail -n 20 "$DIR/compare.out" >&2; differ "$1 differs from the source"; }
}
# destroy [ALSO-NOT]: every database of node 2, ours too.
destroy() {
    sql n2 "SELECT CONCAT('DROP DATABASE \`', SCHEMA_NAME, '\`;') FROM information_schema.SCHEMATA WHERE SCHEMA_NAME NOT IN ('mysql', 'information_schema',
        'performance_schema', 'sys', 'own')" | sed 's/^/SET foreign_key_checks=0; /' | sql n2
}
