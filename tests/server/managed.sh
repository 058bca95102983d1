#!/bin/bash
# A managed server (RDS) as source: an account with the rights that RDS gives (no SUPER, no RELOAD), TLS required, retention set by a procedure and
# NULL at first; and the DNS name moves to another server: whoever has our history is proven and taken, whoever has not is refused, though its
# files and positions have the same names.
# (What broke others: purged binlogs on RDS while the agent was down, and an endless crash instead of a named state; a blue/green switch after which
# the stream went on at an unrelated offset of an equally named file.)
. "$(dirname "$0")/../lib.sh"
RIGHTS="SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, PROCESS, REFERENCES, INDEX, ALTER, SHOW DATABASES, CREATE TEMPORARY TABLES, LOCK TABLES,
    EXECUTE, REPLICATION SLAVE, REPLICATION CLIENT, CREATE VIEW, SHOW VIEW, CREATE ROUTINE, ALTER ROUTINE, CREATE USER, EVENT, TRIGGER, REPLICA MONITOR"
rds_account() {
    sql "$1" "SET sql_log_bin=0; CREATE USER rds@'%' IDENTIFIED BY 'admin'; GRANT $RIGHTS ON *.* TO rds@'%';
        CREATE TABLE mysql.rds_configuration (name VARCHAR(100), value VARCHAR(100), description VARCHAR(300)) ENGINE=InnoDB;
        INSERT INTO mysql.rds_configuration VALUES ('binlog retention hours', ${2-24 * 7}, '')"
}
# The name that the agent knows is a port: name_means SERVER moves it.
name_means() {
    [ -z "${NAME_PID-}" ] || end_process "$NAME_PID"
    "$BUILD/tests/tools/cutproxy" "$NAME_PORT" "${PORT[$1]}" >>"$DIR/name.log" 2>&1 &
    NAME_PID=$!
    BACKGROUND+=("$NAME_PID")
    wait_for 5 "the name" bash -c "exec 3<>/dev/tcp/127.0.0.1/$NAME_PORT"
}
replica_of() {
    sql "$1" "CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=${PORT[$2]}, MASTER_USER='repl', MASTER_PASSWORD='repl', MASTER_SSL=1,
        MASTER_SSL_CA='$DIR/ca.pem', MASTER_SSL_VERIFY_SERVER_CERT=0, MASTER_CONNECT_RETRY=1, MASTER_USE_GTID=slave_pos; START SLAVE"
}
same_gtid() { [ "$(sql "$1" 'SELECT @@gtid_binlog_pos')" = "$(sql "$2" 'SELECT @@gtid_binlog_pos')" ]; }

start_source - --require-secure-transport=ON --binlog-expire-logs-seconds=0 --log-bin=mysql-bin-changelog
start_server replica - --log-bin=mysql-bin-changelog
start_server stranger - --log-bin=mysql-bin-changelog
start_target
rds_account source NULL
rds_account replica
rds_account stranger
free_port
NAME_PORT=$FREE
name_means source
SOURCE_PORT=$NAME_PORT write_config 'source.user="rds"' source.heartbeat_ms=500
start_agent
await_state source.state stopped
says source.reason 'require_secure_transport'
says source.reason 'ssl = true.*ssl_ca'
stop_agent

cat "$DIR"/*/tls/ca.pem >"$DIR/ca.pem"
SOURCE_PORT=$NAME_PORT write_config 'source.user="rds"' source.heartbeat_ms=500 "source.ssl_ca=\"$DIR/ca.pem\""
start_agent
await_state source.state stopped
says source.reason 'binlog retention hours is NULL'
says source.reason "mysql.rds_set_configuration\('binlog retention hours', [0-9]+\)"
sql source "SET sql_log_bin=0; UPDATE mysql.rds_configuration SET value = 24 * 7"
ctl_agent resume >/dev/null
await_state source.state idle
state_is source.tls true || fail "no TLS"
sql source "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v INT); INSERT INTO d.t VALUES (1, 1), (2, 2)"
wait_for 20 "the row" bash -c "[ \"\$(mariadb --no-defaults -uroot --socket='$DIR/target/sock' -NBe 'SELECT COUNT(*) FROM d.t')\" = 2 ]"
replica_of replica source

# another server by that name: as many transactions, files of the same names
sql stranger "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v INT); INSERT INTO d.t VALUES (1, 1), (7, 7); INSERT INTO d.t VALUES (8, 8)"
name_means stranger
await_state source.state diverged 20
says source.reason 'only the log has .*only the source has'
sleep 1
[ "$(sql target 'SELECT GROUP_CONCAT(id) FROM d.t')" = 1,2 ] || fail "the stranger's rows reached the target"

# its replica by that name: proven, and taken
wait_for 20 "the replica" same_gtid replica source
name_means replica
ctl_agent resume >/dev/null
await_state source.state idle 20
log_says 'source.other_server'
sql replica "STOP SLAVE; RESET SLAVE ALL; INSERT INTO d.t VALUES (3, 3)"
wait_for 20 "the row" bash -c "[ \"\$(mariadb --no-defaults -uroot --socket='$DIR/target/sock' -NBe 'SELECT COUNT(*) FROM d.t')\" = 3 ]"

# one that has the position, and nothing any more by which it could prove its history: refused
await_state source.state idle
sql source 'SET GLOBAL gtid_slave_pos = @@gtid_binlog_pos'
replica_of source replica
wait_for 20 "the old source" same_gtid source replica
sql source "STOP SLAVE; RESET SLAVE ALL; FLUSH BINARY LOGS"
purged() { # a file that a dump still reads is left, without an error
    sql source "PURGE BINARY LOGS TO '$(sql source 'SHOW MASTER STATUS' | cut -f1)'"
    [ "$(sql source 'SHOW BINARY LOGS' | wc -l)" = 1 ]
}
wait_for 20 "the files to be purged" purged
name_means source
await_state source.state purged 20
says source.reason 'is another server .* purged the log.s last transaction'
name_means replica
ctl_agent resume >/dev/null
await_state source.state idle 20
# with both listed: the one that has purged is passed over for the other
stop_agent
write_config source.host=- source.port=- "source.hosts=[\"127.0.0.1:${PORT[source]}\", \"127.0.0.1:${PORT[replica]}\"]" 'source.user="rds"' \
    "source.ssl_ca=\"$DIR/ca.pem\""
start_agent
await_state source.state idle 20
state_is source.server "127.0.0.1:${PORT[replica]}" || fail "it did not pass on to the other host"
log_says 'source.next_host .*purged'
"$BUILD/tests/tools/compare" --source-socket "$DIR/replica/sock" --target-socket "$DIR/target/sock" d >"$DIR/compare.out" 2>&1 ||
    { cat "$DIR/compare.out" >&2; differ "the replica and the target differ"; }
stop_agent
