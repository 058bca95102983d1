#!/bin/bash
# Accounts with parsec, MariaDB 11.8's: without the client's plugin, which Debian 12 has not, that is said with what to do; with it both sides log in.
. "$(dirname "$0")/../lib.sh"
start_source mariadb-11.8.sh
start_target mariadb-11.8.sh
for server in source target; do
    sql $server "SET sql_log_bin = 0; INSTALL SONAME 'auth_parsec'" || skip "this server has no parsec plugin"
    sql $server "SET sql_log_bin = 0; CREATE USER pa@'%' IDENTIFIED VIA parsec USING PASSWORD('admin'); GRANT ALL PRIVILEGES ON *.* TO pa@'%'"
done
plugins=$(find "$SERVERS_CACHE/mariadb-11.8/usr/lib" -path '*/libmariadb3/plugin/parsec.so' 2>/dev/null)
[ -n "$plugins" ] || skip "no client plugin parsec.so beside this server"
write_config 'source.user="pa"' 'sink.user="pa"'
mkdir "$DIR/none"
MARIADB_PLUGIN_DIR=$DIR/none start_agent
await_state source.state stopped
says source.reason 'parsec could not be loaded'
says source.reason 'MARIADB_PLUGIN_DIR'
stop_agent
MARIADB_PLUGIN_DIR=$(dirname "$plugins") start_agent
sql source "CREATE DATABASE d; USE d; CREATE TABLE d.t (id INT PRIMARY KEY); INSERT INTO d.t VALUES (1)"
wait_delivered
compare
stop_agent
