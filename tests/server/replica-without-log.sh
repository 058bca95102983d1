#!/bin/bash
# A replica with log_slave_updates=OFF has none of what it applies in its binary log: refused by name as long as it is a replica, a warning
# afterwards; it is not taken for a source on which nothing happens. (A promoted one gave others a GTID that is in no binary log.)
. "$(dirname "$0")/../lib.sh"
start_server primary
start_source - --log-slave-updates=OFF
start_target
sql source "CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=${PORT[primary]}, MASTER_USER='repl', MASTER_PASSWORD='repl',
    MASTER_CONNECT_RETRY=1, MASTER_USE_GTID=slave_pos; START SLAVE"
sql primary "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY); INSERT INTO d.t VALUES (1)"
applied() { [ "$(sql source 'SELECT COUNT(*) FROM d.t')" = 1 ]; }
wait_for 20 "the replica" applied
write_config
start_agent
await_state source.state stopped
says source.reason 'log_slave_updates is OFF, and this server is a replica'
says source.reason 'capture from its primary'
# promoted: it starts with what it writes itself, and says what is missing
sql source "STOP SLAVE; RESET SLAVE ALL"
ctl_agent resume >/dev/null
await_state source.state idle
log_says 'log_slave_updates is OFF, and this server was one'
stop_agent
