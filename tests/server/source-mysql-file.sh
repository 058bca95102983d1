#!/bin/bash
# A MySQL without GTIDs as source: transactions are known by file and offset. Agent and source are killed; gtid_mode moves over OFF_PERMISSIVE to ON_PERMISSIVE under the
# stream, with GTIDs among anonymous transactions (a connector kept a stored GTID there while the file moved on); a start inside a transaction, in the
# middle of an event, behind the end or beyond 4 GiB is said before anything is taken; the files begin anew under the same names (RESET), which is no place to go on.
#
. "$(dirname "$0")/../lib.sh"
start_source mysql-9.sh --gtid-mode=OFF --enforce-gtid-consistency=WARN
start_target
sql source "CREATE DATABASE shop; CREATE TABLE shop.before_us (id INT PRIMARY KEY); BEGIN; INSERT INTO shop.before_us VALUES (1); INSERT INTO shop.before_us VALUES (2); COMMIT"
place() { sql source 'SHOW BINARY LOG STATUS' | cut -f1,2; }
read -r file offset < <(place)

# places that are none
refused() {
    rm -rf "$DIR/wal" "$DIR"/wal.*
    : >"$DIR/agent.log"
    write_config source.start_gtid=- "source.start_file=\"$file\"" "source.start_position=$1"
    start_agent
    await_state source.state stopped
    says source.reason "$2"
    kill_agent
}
# the last transaction's COMMIT has 31 bytes
refused $((offset - 31)) 'no place in .* between two transactions'
refused $((offset - 7)) 'no place in .* between two transactions'
refused $((offset + 1000)) 'no place in .* between two transactions'
refused 5000000000 "the position is $file:5000000000, .*below 4 GiB"

# from a place that is one: what came before it is not taken
rm -rf "$DIR/wal" "$DIR"/wal.*
write_config source.start_gtid=- "source.start_file=\"$file\"" "source.start_position=$offset"
sql target "CREATE DATABASE shop CHARACTER SET utf8mb4; CREATE TABLE shop.before_us (id INT PRIMARY KEY); INSERT INTO shop.before_us VALUES (1), (2)"
start_agent
await_state source.state idle
start_workload --clients 3 --seconds 7 --ddl-ms 700 --big-rows 3000
sleep 1
kill_agent
start_agent
sleep 1
kill_server source
start_source
sleep 0.5
sql source "SET GLOBAL gtid_mode=OFF_PERMISSIVE; FLUSH BINARY LOGS; SET GLOBAL gtid_mode=ON_PERMISSIVE"
sql source "CREATE TABLE shop.permissive (id INT PRIMARY KEY); INSERT INTO shop.permissive VALUES (1)" # with a GTID, among anonymous ones
sleep 0.5
kill_agent
start_agent
join_workload
wait_delivered
compare
log_says 'source.proven gtid=[0-9]{6}:[0-9]+'
says source.gtids '^[0-9]{6}:[0-9]+$'

# the same file names, other contents
ctl_agent pause >/dev/null
sql source "RESET BINARY LOGS AND GTIDS"
for ((i = 0; i < 4; i++)); do sql source "FLUSH BINARY LOGS; CREATE TABLE shop.r$i AS SELECT * FROM shop.orders LIMIT 500; DROP TABLE shop.r$i"; done
ctl_agent resume >/dev/null
diverged() { state_is source.state diverged || state_is source.state purged || state_is source.state stopped; }
wait_for 30 "the agent refuses files that begin anew" diverged
stop_agent
