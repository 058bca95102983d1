#!/bin/bash
# TLS and token: a certificate that is not trusted and a wrong token are refused with the reason, the right ones are in use, and a new token is
# read without a restart.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
sql source "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY); INSERT INTO d.t VALUES (1)"
start_store a --certificate "$DIR/source/tls/server-cert.pem" --key "$DIR/source/tls/server-key.pem" --token sesame
(umask 077 && echo nonsense >"$DIR/token")
URL="\"https://127.0.0.1:${STORE[a]}\""
write_http_config "$URL" "sink.token_file=\"$DIR/token\"" "sink.ssl_ca=\"$DIR/target/tls/ca.pem\""
start_agent
await_state sinks.0.state stopped
says sinks.0.reason "https://127.0.0.1:${STORE[a]}: .*certificate"
[ "$(sql target "SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME IN ('d', 'wolfcdc')")" = 0 ] || fail "written without trust"
stop_agent
write_http_config "$URL" "sink.token_file=\"$DIR/token\"" "sink.ssl_ca=\"$DIR/target/tls/ca.pem\""
sql target "ALTER USER admin@'%' REQUIRE SSL"
kill_store a
start_store a --certificate "$DIR/target/tls/server-cert.pem" --key "$DIR/target/tls/server-key.pem" --token sesame --socket "$DIR/target/sock" --user root --password ''
start_agent
await_state sinks.0.state stopped
says sinks.0.reason '401: a token is asked for'
! grep -q nonsense "$DIR/agent.log" || fail "the token is in the log"
echo sesame >"$DIR/token"
ctl_agent resume --sink target >/dev/null
wait_delivered
compare
! grep -q sesame "$DIR/agent.log" || fail "the token is in the log"
[ "$(status_of sinks.0.server)" = "https://127.0.0.1:${STORE[a]}" ] || fail "connected to $(status_of sinks.0.server)"
stop_agent
