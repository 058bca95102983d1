#!/bin/bash
# Where rows cannot be compared the operator is told why, with the GRANT that helps, and delivery goes on: a source account without SELECT, or with SELECT on one database
# only; a node that refuses the account; a source or a node that is down keeps what was proven.
. "$(dirname "$0")/../lib.sh"
start_source
start_server n1 -
sql source "CREATE USER cdc@'%' IDENTIFIED BY 'admin'; GRANT REPLICATION SLAVE, REPLICATION CLIENT, BINLOG MONITOR ON *.* TO cdc@'%';
    CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY); INSERT INTO d.t VALUES (1); CREATE DATABASE e; CREATE TABLE e.t (id INT PRIMARY KEY)"
write_config 'sink.name="wolf"' 'sink.type="wolfscale"' sink.host=- sink.port=- 'source.user="cdc"' \
    "sink.nodes=[{ host = \"127.0.0.1\", port = ${PORT[n1]}, api_port = 1, proxy_port = 1 }]"
start_agent

proof_of() { { ctl_agent nodes --json 2>/dev/null || true; } | "$BUILD/tests/tools/jsonget" "clusters.0.nodes.0.proof.$1"; }
is() { [ "$(proof_of state)" = "$1" ] && if [ -n "$2" ]; then grep -qF -- "$2" <<<"$(proof_of reason)"; else [ -z "$(proof_of reason)" ]; fi; }
await() { wait_for 120 "proof $1, '$2'" is "$1" "$2"; }

wait_delivered
await unreadable "cannot be read on the source: GRANT SELECT ON *.* TO 'cdc'@'%'"
sql source "INSERT INTO d.t VALUES (2)"
wait_delivered
sql source "GRANT SELECT ON d.* TO cdc@'%'"
await unreadable "database e cannot be read on the source"
sql source "GRANT SELECT ON *.* TO cdc@'%'"
await equal ""
kill_server n1
await equal "Can't connect to server"
start_server n1
await equal ""
kill_server source
await equal "waiting for the source"
start_server source
await equal ""
stop_agent

# from the start: nothing was proven yet
sql n1 "RENAME USER admin@'%' TO other@'%'"
rm -f "$DIR/wal.proof-wolf"
start_agent
await unreadable "Access denied for user 'admin'"
sql n1 "RENAME USER other@'%' TO admin@'%'"
await equal ""
stop_agent
