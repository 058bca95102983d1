#!/bin/bash
# A MySQL server as source is refused by name, by binlog-setup and by the agent, after a login with caching_sha2_password; and taken
# neither for a MariaDB that lacks something nor for one that is down. (--long: it downloads 66 MB.)
. "$(dirname "$0")/../lib.sh"
[ "$LONG" = 1 ] || [ -e "$SERVERS_CACHE/mysql-9" ] || skip "it downloads 66 MB: --long"
start_source mysql-9.sh
start_target
(umask 077 && echo admin >"$DIR/password")
code=0
ctl binlog-setup --host 127.0.0.1 --port "${PORT[source]}" --user admin --password-file "$DIR/password" --print \
    --ssl-ca "$DIR/source/tls/ca.pem" >"$DIR/setup.out" 2>&1 </dev/null || code=$?
[ $code = 1 ] || { cat "$DIR/setup.out" >&2; fail "binlog-setup ended with $code"; }
grep -qi 'mysql' "$DIR/setup.out" || { cat "$DIR/setup.out" >&2; fail "binlog-setup does not name MySQL"; }
write_config "source.ssl_ca=\"$DIR/source/tls/ca.pem\""
launch_agent
named() { grep -E 'source\.(stopped|check|state|retry)' "$DIR/agent.log" | grep -qi 'mysql'; }
wait_for 20 "the agent names MySQL" named
say "$(grep -iE 'mysql' "$DIR/agent.log" | tail -n 1)"
if kill -0 "$AGENT_PID" 2>/dev/null; then
    await_state source.state stopped
    says source.reason MySQL
    stop_agent
fi
