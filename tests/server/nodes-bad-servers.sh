#!/bin/bash
# The MariaDB of one node is not as the others': each trouble is named at that node with its remedy, the other nodes go on, and the node itself does
# when it is put right.
. "$(dirname "$0")/../lib_cluster.sh"
. "$(dirname "$0")/../lib_faults.sh"

start_source - --max-allowed-packet=64M
write_cluster_config
start_agent
await_nodes clusters.0.state led
sql source "CREATE DATABASE test; CREATE TABLE test.marks (id INT AUTO_INCREMENT PRIMARY KEY, v VARCHAR(100), b LONGBLOB)"
delivered_to 1 2 3
sink3=new@$(node_host 3)

ALTER="SET sql_log_bin = 0; ALTER USER admin@'%' IDENTIFIED BY"
root_sql 3 "$ALTER 'another'"
drop_connections 3
delivered_to 1 2
node_says 3 sink_state stopped
node_says 3 sink_reason "Access denied for user 'admin'.*password"
node_says 3 sink_remedy "wolfctl resume --sink $sink3"
root_sql 3 "$ALTER 'admin'"
ctl_agent resume --sink "$sink3" >/dev/null
delivered_to 1 2 3
say "wrong password on one node"

root_sql 3 "SET GLOBAL read_only = 1; REVOKE READ ONLY ADMIN ON *.* FROM admin@'%'"
drop_connections 3
delivered_to 1 2
node_says 3 sink_state retrying
node_says 3 sink_reason read_only
root_sql 3 "SET GLOBAL read_only = 0; GRANT READ ONLY ADMIN ON *.* TO admin@'%'"
delivered_to 1 2 3
say "read_only: tried again by itself"

root_sql 3 "SET GLOBAL sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'"
drop_connections 3
delivered_to 1 2 3 # our own sessions have a sql_mode of their own
node_says 3 reason "sql_mode is 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES', on the other nodes 'STRICT_TRANS_TABLES"
node_says 3 remedy "SET GLOBAL sql_mode"
node_field_is 1 reason "" || fail "node 1 is odd, too: $(node_field 1 reason)"
sql source "SET NAMES utf8mb4; INSERT INTO test.marks (v) VALUES ('\\\\ \" ''')"
delivered_to 1 2 3
root_sql 3 "SET GLOBAL sql_mode = DEFAULT"
drop_connections 3
delivered_to 3
node_field_is 3 reason "" || fail "its sql_mode is still odd: $(node_field 3 reason)"
say "another sql_mode"

root_sql 3 "SET GLOBAL max_allowed_packet = 1048576"
drop_connections 3
delivered_to 1 2 3
node_says 3 reason "max_allowed_packet is 1048576, on the other nodes 16777216"
sql source "INSERT INTO test.marks (b) VALUES (REPEAT('x', 3000000))"
delivered_to 1 2
node_says 3 sink_state stopped
node_says 3 sink_reason "needs a packet of 30[0-9]{5} bytes, the target's max_allowed_packet is 1048576"
node_says 3 sink_remedy "SET GLOBAL max_allowed_packet"
root_sql 3 "SET GLOBAL max_allowed_packet = 16777216"
ctl_agent resume --sink "$sink3" >/dev/null
delivered_to 1 2 3
say "a lower max_allowed_packet"

root_sql 3 "RENAME TABLE test.marks TO test.hidden"
delivered_to 1 2
node_says 3 sink_state stopped
node_says 3 sink_reason "has no table test.marks"
node_says 3 sink_remedy "resume --sink $sink3"
root_sql 3 "RENAME TABLE test.hidden TO test.marks"
ctl_agent resume --sink "$sink3" >/dev/null
delivered_to 1 2 3
say "a table missing"

root_sql 3 "ALTER TABLE test.marks MODIFY v VARCHAR(10)"
sql source "INSERT INTO test.marks (v) VALUES (REPEAT('v', 20))"
delivered_to 1 2
node_says 3 sink_state conflict
node_says 3 sink_reason "Data too long for column 'v'"
node_says 3 sink_remedy "wolfctl conflict --sink $sink3"
root_sql 3 "ALTER TABLE test.marks MODIFY v VARCHAR(100)"
ctl_agent conflict retry --sink "$sink3" >/dev/null
delivered_to 1 2 3
say "a table different"

# ---- rows different: seen by the proof, put right when the operator says so
root_sql 3 "UPDATE test.marks SET v = 'x' WHERE id = 1; DELETE FROM test.marks WHERE id = 2; INSERT INTO test.marks (id) VALUES (100000)"
ctl_agent nodes verify "$(node_host 3)" >"$DIR/verify.out" 2>&1 && fail "verify: nothing is different"
node_says 3 proof.state different
node_says 3 proof.differences '^3$'
ctl_agent nodes repair "$(node_host 3)" --yes >"$DIR/repair.out" 2>&1 || { cat "$DIR/repair.out" >&2; fail "repair"; }
ctl_agent nodes verify >"$DIR/verify.out" 2>&1 || { cat "$DIR/verify.out" >&2; fail "still different"; }
say "rows different: verify, repair"

cluster end db 3
if MARIADB=11.8 cluster run db 3 2>"$DIR/11.8"; then
    delivered_to 1 2 3
    node_says 3 reason "MariaDB version is 11.8, on the other nodes 10.11"
    node_says 3 remedy "the same version on every node"
    say "another MariaDB version"
    proven
    cluster end db 3
else
    say "another MariaDB version: left out, there is none ($(tail -n 1 "$DIR/11.8"))"
fi
stop_agent
