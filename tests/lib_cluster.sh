# shellcheck shell=bash
# For scenarios whose target is a WolfScale cluster: sourced instead of lib.sh, by
#
#   . "$(dirname "$0")/../lib_cluster.sh"
#
# The cluster (tests/servers/cluster.sh: real nodes where WOLFSCALE_BIN names the program, else stand-ins) is started first, and the scenario
# then runs where all its nodes can be reached, in a network namespace as root; the source and the agent live there too. Settings
# for the cluster (POOL_SIZE, SEGMENT_MB …) are exported before this file is sourced.
set -euo pipefail
CLUSTER=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)/servers/cluster.sh
: "${BUILD:=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)/build}"
CLUSTER_DIR=${WORK:-$BUILD/t}/$(basename "$0" .sh)-cluster
export BUILD NS=${NS:-wolf$$}

if [ -z "${IN_CLUSTER-}" ]; then
    if [[ $("$CLUSTER" host 1) == 127.* ]]; then # the usual ports of loopback addresses: one cluster at a time
        exec 9>"$BUILD/cluster.lock"
        flock 9
    fi
    "$CLUSTER" stop "$CLUSTER_DIR" 2>/dev/null || true
    rm -rf "$CLUSTER_DIR"
    trap '"$CLUSTER" stop "$CLUSTER_DIR" || true' EXIT
    code=0
    "$CLUSTER" start "$CLUSTER_DIR" || code=$?
    [ $code != 77 ] || { echo "SKIP: real nodes need network namespaces, and they need root"; exit 77; }
    [ $code = 0 ] || { echo "FAIL: the cluster does not start" >&2; exit 1; }
    IN_CLUSTER=1 "$CLUSTER" exec bash "$0" "$@" &
    inside=$!
    trap 'kill -TERM $inside 2>/dev/null; wait $inside || true; exit 130' INT TERM
    wait $inside || code=$?
    trap '' INT TERM
    trap - EXIT
    "$CLUSTER" stop "$CLUSTER_DIR" || true
    [ $code != 0 ] && [ $code != 77 ] || rm -rf "$CLUSTER_DIR"
    exit $code
fi
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cluster() { "$CLUSTER" "$1" "$CLUSTER_DIR" "${@:2}"; }
node_host() { "$CLUSTER" host "$1"; }
# node_sql N [STATEMENT]: on the node's own MariaDB.
node_sql() {
    local n=$1
    shift
    mariadb --no-defaults -h "$(node_host "$n")" -uadmin -padmin --default-character-set=utf8mb4 -N -B ${1+-e "$*"}
}
# proxy_sql N STATEMENT: through the node's proxy, as an application does.
proxy_sql() { mariadb --no-defaults -h "$(node_host "$1")" -P 8007 -uadmin -padmin --skip-ssl --default-character-set=utf8mb4 -N -B -e "${*:2}"; }
# write_cluster_config [KEY=VALUE...]: as write_config, with the cluster as the target. The sink is called `new`.
write_cluster_config() {
    local nodes n
    for n in 1 2 3; do nodes+="${nodes:+, }\"$(node_host $n)\""; done
    TARGET_PORT=1 write_config sink.host=- sink.port=- 'sink.name="new"' 'sink.type="wolfscale"' "sink.nodes=[$nodes]" "$@"
}
# compare_nodes [N...]: each node's rows are the source's, or fail.
compare_nodes() {
    local n
    for n in ${*:-1 2 3}; do
        "$BUILD/tests/tools/compare" --source-socket "$DIR/source/sock" --target-socket "$CLUSTER_DIR/db$n/sock" >"$DIR/compare$n.out" 2>&1 ||
            { tail -n 40 "$DIR/compare$n.out" >&2; fail "node $n differs from the source"; }
        say "node $n: $(tail -n 1 "$DIR/compare$n.out")"
    done
}
# nodes_of PATH...: values of the agent's GET /nodes, for example clusters.0.nodes.1.state.
nodes_of() { { ctl_agent nodes --json 2>/dev/null || true; } | "$BUILD/tests/tools/jsonget" "$@"; }
nodes_is() { [ "$(nodes_of "$1")" = "$2" ]; }
# await_nodes PATH VALUE [SECONDS]
await_nodes() {
    local end=$((SECONDS + ${3-30}))
    until nodes_is "$1" "$2"; do
        [ $SECONDS -lt $end ] || { ctl_agent nodes >&2 || true
            fail "$1 is '$(nodes_of "$1")', not '$2', after ${3-30} s"; }
        sleep 0.2
    done
}
