#!/bin/bash
# hosts = two MySQL 9.7 servers with GTIDs: the replica that we read from is killed under load, capture goes on at the primary after proof; a managed
# account (RDS's rights, no SUPER), TLS required and named, retention of RDS; a server that lacks what we took is `diverged` with exactly that.
. "$(dirname "$0")/../lib.sh"
RIGHTS="SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, PROCESS, REFERENCES, INDEX, ALTER, SHOW DATABASES, CREATE TEMPORARY TABLES, LOCK TABLES,
    EXECUTE, REPLICATION SLAVE, REPLICATION CLIENT, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, CREATE USER, EVENT, TRIGGER"
gtid_of() { sql "$1" 'SELECT @@gtid_executed'; }
same_gtid() { [ "$(gtid_of "$1")" = "$(gtid_of "$2")" ]; }
delivered() { [ "$(sql "$1" 'SELECT COUNT(*), SUM(id), SUM(v) FROM d.t')" = "$(sql target 'SELECT COUNT(*), SUM(id), SUM(v) FROM d.t')" ]; }
rds_account() {
    sql "$1" "SET sql_log_bin=0; CREATE USER rds@'%' IDENTIFIED BY 'admin'; GRANT $RIGHTS ON *.* TO rds@'%';
        CREATE TABLE mysql.rds_configuration (name VARCHAR(100), value VARCHAR(100), description VARCHAR(300)) ENGINE=InnoDB;
        INSERT INTO mysql.rds_configuration VALUES ('binlog retention hours', NULL, '')"
}
start_source mysql-9.sh --require-secure-transport=ON
start_server b mysql-9.sh --require-secure-transport=ON
start_target
rds_account source
rds_account b
cat "$DIR"/{source,b}/tls/ca.pem >"$DIR/ca.pem"
sql b "CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT=${PORT[source]}, SOURCE_USER='repl', SOURCE_PASSWORD='repl', SOURCE_SSL=1,
    SOURCE_AUTO_POSITION=1, SOURCE_CONNECT_RETRY=1; START REPLICA"
hosts="source.hosts=[\"127.0.0.1:${PORT[b]}\", \"127.0.0.1:${PORT[source]}\"]"
write_config source.host=- source.port=- "$hosts" 'source.user="rds"' source.heartbeat_ms=500
start_agent
await_state source.state stopped
says source.reason 'require_secure_transport'
says source.reason 'ssl = true.*ssl_ca'
stop_agent
with_semi_sync() { write_config source.host=- source.port=- "$hosts" 'source.user="rds"' source.heartbeat_ms=500 "source.ssl_ca=\"$DIR/ca.pem\"" source.semi_sync="$1"; }
with_semi_sync true
start_agent
if [ "$DRIVER" = mysqlclient ]; then # which cannot acknowledge over TLS
    await_state source.state stopped
    says source.reason 'semi_sync cannot be had with the driver mysqlclient over TLS'
    stop_agent
    with_semi_sync false
    start_agent
fi
await_state source.state stopped
says source.reason "binlog retention hours is NULL"
for s in b source; do sql $s "SET sql_log_bin=0; UPDATE mysql.rds_configuration SET value = 168"; done
ctl_agent resume >/dev/null
await_state source.state idle 20
at_server b || fail "it does not begin at the first of the hosts"
sql source "CREATE DATABASE d CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci; CREATE TABLE d.t (id INT AUTO_INCREMENT PRIMARY KEY, v INT)"
state_is source.semi_sync active && fail "semi-sync, without the source's plugin"

# a load until it has moved
(for ((i = 0; i < 10000; i++)); do [ ! -e "$DIR/moved" ] || break; echo "INSERT INTO d.t (v) VALUES ($i);"; sleep 0.01; done | sql source) &
load=$!
BACKGROUND+=("$load")
wait_for 20 "changes" taken 60
kill_server b
await_failover source
log_says 'source.proven'
touch "$DIR/moved"
wait "$load" || fail "the load failed"
wait_for 30 "all rows" delivered source

# the replica stops, lacks what we take now, and is promoted
start_server b
wait_for 30 "the replica" same_gtid source b
sql b "STOP REPLICA; RESET REPLICA ALL"
sql source "INSERT INTO d.t (v) VALUES (-1)"
wait_for 20 "the row" delivered source
kill_server source
sql b "INSERT INTO d.t (v) VALUES (-2)"
await_state source.state diverged 30
says source.reason "the log has '[0-9a-f-]+:[0-9]+', which the binary log of 127.0.0.1:${PORT[b]} has not"
[ "$(sql target 'SELECT COUNT(*) FROM d.t WHERE v = -2')" = 0 ] || fail "the other history reached the target"
start_source
await_state source.state idle 30
at_server source || fail "it has not gone back to the server with our history"
stop_agent
