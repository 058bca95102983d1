#!/bin/bash
# TLS: a certificate that is not trusted is refused with the reason; the right authority is accepted; and it is in use.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
write_config "source.ssl_ca=\"$DIR/target/tls/ca.pem\"" "sink.ssl_ca=\"$DIR/target/tls/ca.pem\""
launch_agent
seen() { grep -qiE 'certificate|TLS|SSL' "$DIR/agent.log"; }
wait_for 20 "the agent says that the certificate is refused" seen
[ "$(sql source "SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'admin'")" = 0 ] || fail "connected although not trusted"
if kill -0 "$AGENT_PID" 2>/dev/null; then kill_agent; fi
write_config "source.ssl_ca=\"$DIR/source/tls/ca.pem\"" "sink.ssl_ca=\"$DIR/target/tls/ca.pem\""
sql source "ALTER USER admin@'%' REQUIRE SSL"
start_agent
sql source "CREATE DATABASE d; USE d; CREATE TABLE d.t (id INT PRIMARY KEY); INSERT INTO d.t VALUES (1)"
wait_delivered
compare_sockets=1 compare
stop_agent
