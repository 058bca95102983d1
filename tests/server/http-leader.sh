#!/bin/bash
# The leader moves under load, by 503 and by 307, to and fro, and one of the servers is killed: each change arrives; a redirect that must not
# be followed is named.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
start_store b --token open
start_store a --token open --leader "http://127.0.0.1:${STORE[b]}" --mode no-leader
kill_store b
start_store b --token open --leader "http://127.0.0.1:${STORE[a]}"
write_http_config "\"http://127.0.0.1:${STORE[a]}\", \"http://127.0.0.1:${STORE[b]}/\"" "sink.token_file=\"$DIR/token\"" 'sink.exclude=["shop.audit"]'
(umask 077 && echo open >"$DIR/token")
start_agent
await_state sinks.0.state idle
says sinks.0.server "${STORE[b]}"
workload --setup-only
start_workload --no-setup --clients 2 --seconds 8 --rate 60
for ((i = 0; i < 3; i++)); do
    sleep 0.8
    store_mode a ''
    store_mode b redirect
    sleep 0.8
    store_mode b ''
    store_mode a no-leader
done
await_state sinks.0.server "http://127.0.0.1:${STORE[b]}"
store_mode a ''
kill_store b
sleep 1
start_store b --token open
join_workload
sql source "DROP TABLE shop.audit"
wait_delivered
compare
# neither a foreign address may have the token, nor another path be meant
kill_store a
kill_store b
refused() { # refused LEADER TEXT
    start_store a --token open --leader "$1" --mode redirect
    sql source "CREATE DATABASE IF NOT EXISTS e"
    await_state sinks.0.state stopped
    says sinks.0.reason "$2"
    kill_store a
    ctl_agent resume --sink target >/dev/null
}
refused "http://127.0.0.1:9" 'the token is for the addresses in url only'
refused "ftp://127.0.0.1:9" 'no address of http or https'
stop_agent
