# shellcheck shell=bash
# What the cluster scenarios share: sourced behind lib.sh. Three nodes under $DIR/cluster by servers/cluster.sh; real ones where
# WOLFSCALE_BIN names the program. The network's name comes from PORT_BASE, so scenarios run side by side.
export BUILD NS=${NS:-w$PORT_BASE}

cluster() { "$HERE/servers/cluster.sh" "$1" "$DIR/cluster" "${@:2}"; }
# in_cluster COMMAND...: where all the nodes can be reached.
in_cluster() { "$HERE/servers/cluster.sh" exec "$@"; }
host() { "$HERE/servers/cluster.sh" host "$1"; }
real_nodes() { [ -n "${WOLFSCALE_BIN-}" ]; }
start_cluster() {
    cluster stop >/dev/null 2>&1 || true
    cluster start >"$DIR/cluster.out" 2>&1 || { local code=$?
        cat "$DIR/cluster.out" >&2
        [ $code != 77 ] || skip "$(tail -n 1 "$DIR/cluster.out")"
        fail "the cluster does not start"; }
    say "three $("$HERE/servers/cluster.sh" kind)"
}
scenario_cleanup() { cluster stop; }

# client NODE PORT [OPTION...]: mariadb as admin; rows as tabbed text.
client() {
    in_cluster mariadb --no-defaults --connect-timeout=10 --default-character-set=utf8mb4 -h "$(host "$1")" -P "$2" \
        -uadmin -padmin -N -B "${@:3}"
}
# node_sql NODE [STATEMENT]: that node's own MariaDB; without a statement it reads from standard input.
node_sql() { client "$1" 3306 ${2+-e "$2"}; }
# proxy_sql NODE DATABASE [STATEMENT]: through that node's proxy; DATABASE "" for none.
proxy_sql() { client "$1" 8007 ${2:+-D "$2"} ${3+-e "$3"}; }
# api NODE PATH [CURL-OPTION...]
api() { in_cluster curl -sS -m 15 "${@:3}" "http://$(host "$1"):8080$2"; }
# api_of NODE PATH KEY: one value of the answer.
api_of() { api "$1" "$2" | "$BUILD/tests/tools/jsonget" "$3"; }
# switch NODE NAME VALUE: stand-ins only.
switch() { cluster switch "$@" || fail "switch $*"; }

leads() { [ "$(api_of "$1" /status is_leader 2>/dev/null)" = true ]; }
# applied NODE LEADER: as the leader's /stats has it.
applied() { api "$2" /stats | grep -oE "\"node_id\":\"node-$1\",\"last_applied_lsn\":[0-9]+" | grep -oE '[0-9]+$'; }
# all_applied LEADER: what a naive client takes for "everything is everywhere".
all_applied() {
    local stats lsn n
    stats=$(api "$1" /stats) || return 1
    lsn=$("$BUILD/tests/tools/jsonget" current_lsn <<<"$stats")
    while read -r n; do
        [ "$n" -ge "$lsn" ] || return 1
    done < <(grep -oE '"last_applied_lsn":[0-9]+' <<<"$stats" | grep -oE '[0-9]+')
}
# api_is NODE PATH KEY VALUE
api_is() { [ "$(api_of "$1" "$2" "$3" 2>/dev/null)" = "$4" ]; }
