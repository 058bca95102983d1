#!/bin/bash
# TLS: a certificate of another name is refused and says so, though its authority is trusted; verification switched off takes even a
# foreign authority, and still encrypts.
. "$(dirname "$0")/../lib.sh"
# other_name DIR: a certificate by the server's own authority, for a name that nobody asks for
other_name() {
    local t=$1/tls
    openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj '/CN=elsewhere.example' -CA "$t/ca.pem" -CAkey "$t/ca-key.pem" \
        -addext 'subjectAltName=DNS:elsewhere.example' -addext 'basicConstraints=critical,CA:FALSE' \
        -keyout "$t/server-key.pem" -out "$t/server-cert.pem" >"$DIR/openssl.log" 2>&1 || fail "openssl: $(tail -n 1 "$DIR/openssl.log")"
}
start_source
start_target
for server in source target; do
    stop_server $server
    other_name "$DIR/$server"
    [ "$(id -u)" != 0 ] || chown -R nobody:nogroup "$DIR/$server/tls"
    start_server $server
done
refused() { grep -qiE 'certificate|host ?name|verification' "$DIR/agent.log"; }
write_config "source.ssl_ca=\"$DIR/source/tls/ca.pem\""
launch_agent
wait_for 20 "the source's certificate is refused" refused
[ "$(sql source "SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'admin'")" = 0 ] || fail "connected to a server of another name"
kill_agent
: >"$DIR/agent.log"
rm -rf "$DIR/wal"
write_config "sink.ssl_ca=\"$DIR/target/tls/ca.pem\""
launch_agent
wait_for 20 "the target's certificate is refused" refused
[ "$(sql target "SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'admin'")" = 0 ] || fail "connected to a target of another name"
kill_agent
rm -rf "$DIR/wal"
# foreign authority, not verified: encrypted all the same
write_config "source.ssl_ca=\"$DIR/target/tls/ca.pem\"" source.ssl_verify_server_cert=false \
    "sink.ssl_ca=\"$DIR/source/tls/ca.pem\"" sink.ssl_verify_server_cert=false
for server in source target; do sql $server "SET sql_log_bin = 0; ALTER USER admin@'%' REQUIRE SSL"; done
start_agent
sql source "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY); INSERT INTO d.t VALUES (1)"
wait_delivered
compare
stop_agent
