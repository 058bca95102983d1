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
    case $code in 0 | 77) rm -rf "$CLUSTER_DIR" ;; esac
    exit $code
fi
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

cluster() { "$CLUSTER" "$1" "$CLUSTER_DIR" "${@:2}"; }
node_host() { "$CLUSTER" host "$1"; }
real_nodes() { [ -n "${WOLFSCALE_BIN-}" ]; }
# client N PORT [OPTION...]: mariadb as admin; rows as tabbed text.
client() {
    mariadb --no-defaults --skip-ssl --connect-timeout=10 --default-character-set=utf8mb4 -h "$(node_host "$1")" -P "$2" -uadmin -padmin -N -B "${@:3}"
}
# node_sql N [STATEMENT]: that node's own MariaDB; without a statement it reads from standard input.
node_sql() { client "$1" 3306 ${2+-e "${*:2}"}; }
# proxy_sql N DATABASE [STATEMENT]: through that node's proxy, as an application does; DATABASE "" for none.
proxy_sql() { client "$1" 8007 ${2:+-D "$2"} ${3+-e "$3"}; }
# api N PATH [CURL-OPTION...]
api() { curl -sS -m 15 "${@:3}" "http://$(node_host "$1"):8080$2"; }
# api_of N PATH KEY: one value of the answer.
api_of() { api "$1" "$2" | "$BUILD/tests/tools/jsonget" "$3"; }
# api_is N PATH KEY VALUE
api_is() { [ "$(api_of "$1" "$2" "$3" 2>/dev/null)" = "$4" ]; }
# switch N NAME VALUE: stand-ins only.
switch() { cluster switch "$@" || fail "switch $*"; }
leads() { api_is "$1" /status is_leader true; }
# all_applied LEADER: what a naive client takes for "everything is everywhere".
all_applied() {
    local stats lsn n
    stats=$(api "$1" /stats) || return 1
    lsn=$("$BUILD/tests/tools/jsonget" current_lsn <<<"$stats")
    while read -r n; do
        [ "$n" -ge "$lsn" ] || return 1
    done < <(grep -oE '"last_applied_lsn":[0-9]+' <<<"$stats" | grep -oE '[0-9]+')
}
# write_cluster_config [KEY=VALUE...]: as write_config, with the cluster as the target. The sink is called `new`.
write_cluster_config() {
    local nodes n
    for n in 1 2 3; do nodes+="${nodes:+, }\"$(node_host $n)\""; done
    TARGET_PORT=1 write_config sink.host=- sink.port=- 'sink.name="new"' 'sink.type="wolfscale"' "sink.nodes=[$nodes]" "$@"
}
# compare_nodes [N...]: each node's rows are the source's, or fail.
compare_nodes() {
    local n
    [ $# -gt 0 ] || set -- 1 2 3
    for n in "$@"; do
        "$BUILD/tests/tools/compare" --source-socket "$DIR/source/sock" --target-socket "$CLUSTER_DIR/db$n/sock" >"$DIR/compare$n.out" 2>&1 ||
            { tail -n 40 "$DIR/compare$n.out" >&2; differ "node $n differs from the source"; }
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
