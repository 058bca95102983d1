#!/bin/bash
# A server that answers success and stores nothing is refused with what was seen, in every way of not storing, and gets no row; so is a real
# WolfScale node (WOLFSCALE_BIN). Without the way to read back, the configuration is refused.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
sql source "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY); INSERT INTO d.t VALUES (1), (2)"
start_store a --mode stub
URL="\"http://127.0.0.1:${STORE[a]}\""
for missing in host user; do
    write_http_config "$URL" sink.$missing=-
    "$BUILD/wolfcdc" --config "$CONFIG" --check >"$DIR/check.out" 2>&1 && fail "accepted without $missing"
    grep -q 'needs host, port and user' "$DIR/check.out" || fail "without $missing: $(cat "$DIR/check.out")"
done
write_http_config "\"127.0.0.1:8080\""
"$BUILD/wolfcdc" --config "$CONFIG" --check >"$DIR/check.out" 2>&1 && fail "accepted an address without http://"
grep -q 'url: "127.0.0.1:8080": allowed is' "$DIR/check.out" || fail "url: $(cat "$DIR/check.out")"
write_http_config "$URL"
start_agent
nothing_came() { [ -z "$(sql target "SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'd'")" ] || fail "the target was given the source's changes"; }
# refused TEXT: state stopped, the reason says so, nothing but the proof was asked for.
refused() {
    await_state sinks.0.state stopped
    says sinks.0.reason "$1"
    says sinks.0.remedy 'wolfscale'
    nothing_came
}
refused 'success and lsn 1 twice, and the marker row is not in wolfcdc.probe on 127.0.0.1:.*stores nothing .*use type = "wolfscale"'
[ "$(store_count a)" = 4 ] || fail "$(store_count a) requests instead of the proof's 4"
sleep 0.5
[ "$(store_count a)" = 4 ] || fail "it goes on asking"
again() {
    store_mode a "$1"
    ctl_agent resume --sink target >/dev/null
    sleep 0.5
}
again lost
refused 'success with lsn [0-9]*, then [0-9]*, and the marker row is not in wolfcdc.probe'
again ok:2,stub
refused 'success and lsn 1 twice, and the marker row'
again ok:3,stub
refused 'one of the marker rows is not in'
again frozen
refused 'lsn 7 twice for two rows'
again kept
refused 'success to /write/delete, and the marker row is still'
store_mode a stub
kill_agent
start_agent
refused 'success and lsn 1 twice'
again ''
wait_delivered
[ "$(sql target "SELECT COUNT(*) FROM d.t")" = 2 ] || fail "not delivered to a server that stores"
stop_agent

[ -n "${WOLFSCALE_BIN-}" ] || { say "no real node: WOLFSCALE_BIN is not set" && exit 0; }
free_port && api=$FREE
free_port && cluster=$FREE
free_port && proxy=$FREE
mkdir "$DIR/node"
cat >"$DIR/node/wolfscale.toml" <<END
[node]
id = "node-1"
bind_address = "127.0.0.1:$cluster"
advertise_address = "127.0.0.1:$cluster"
data_dir = "$DIR/node/data"
[database]
host = "127.0.0.1"
port = ${PORT[target]}
user = "admin"
password = "admin"
[wal]
[cluster]
bootstrap = true
peers = ["127.0.0.1:$cluster"]
auto_discovery = false
[api]
bind_address = "127.0.0.1:$api"
[proxy]
bind_address = "127.0.0.1:$proxy"
END
(cd "$DIR/node" && exec "$WOLFSCALE_BIN" --config wolfscale.toml start >"$DIR/node/log" 2>&1) &
BACKGROUND+=("$!")
wait_for 30 "the node's API" bash -c "exec 3<>/dev/tcp/127.0.0.1/$api"
rm -rf "$DIR/wal"
sql target "DROP DATABASE d; DROP DATABASE wolfcdc"
write_http_config "\"http://127.0.0.1:$api\""
start_agent
refused 'success and lsn 1 twice, and the marker row is not in wolfcdc.probe on .*WolfScale up to 5.5.7'
say "a real node: $(status_of sinks.0.reason)"
stop_agent
