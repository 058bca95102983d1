#!/bin/bash
# The source's connection is cut at every byte of a transaction of three events: each time it is taken again, once.
. "$(dirname "$0")/../lib.sh"
STEP=${STEP:-$([ "$LONG" = 1 ] && echo 1 || echo 7)}
start_source
start_target
sql source "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY AUTO_INCREMENT, n INT)"
start_proxy cut "${PORT[source]}"
SOURCE_PORT=$PROXY_PORT
write_config source.heartbeat_ms=500
start_agent
wait_delivered
stop_agent
fail "adapt to cutproxy"
