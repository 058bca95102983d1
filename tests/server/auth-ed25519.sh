#!/bin/bash
# Accounts with ed25519 on both sides.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
for server in source target; do
    sql $server "SET sql_log_bin = 0; INSTALL SONAME 'auth_ed25519'" || skip "this server has no ed25519 plugin"
    sql $server "SET sql_log_bin = 0; CREATE USER ed@'%' IDENTIFIED VIA ed25519 USING PASSWORD('admin'); GRANT ALL PRIVILEGES ON *.* TO ed@'%'"
done
write_config 'source.user="ed"' 'sink.user="ed"'
start_agent
sql source "CREATE DATABASE d; USE d; CREATE TABLE d.t (id INT PRIMARY KEY); INSERT INTO d.t VALUES (1)"
wait_delivered
compare
stop_agent
