#!/bin/bash
# Source and target MariaDB 11.8 (end_log_pos is 0 there), and a restart of the agent in between. TIMESTAMP beyond 2038, up to 2106, with its fractions: on
# the target and in JSON lines what the source has; a target that is older stops at the first, names it, and has no other value in its place.
. "$(dirname "$0")/../lib.sh"
start_source mariadb-11.8.sh
start_target mariadb-11.8.sh
write_config
start_agent
workload --clients 3 --seconds 3 --ddl-ms 400
kill_agent
workload --database shop2 --clients 3 --seconds 2
start_agent
wait_delivered
compare
stop_agent

start_server old mariadb.sh
CONFIG_TAIL="[[sink]]
name = \"lines\"
type = \"jsonl\"
start = \"now\"
path = \"$DIR/lines.jsonl\"
include = [\"edge.*\"]
[[sink]]
name = \"old\"
type = \"mysql\"
start = \"now\"
host = \"127.0.0.1\"
port = ${PORT[old]}
user = \"admin\"
password_file = \"$DIR/password\"
include = [\"edge.*\"]"
write_config
start_agent
edges=('2038-01-19 03:14:07.999999' '2038-01-19 03:14:08' '2038-01-19 03:14:08.000001' '2106-02-07 06:28:14.5' '2106-02-07 06:28:15' '2106-02-07 06:28:15.999999')
{
    echo "SET time_zone='+00:00', sql_mode=''; CREATE DATABASE edge; USE edge; CREATE TABLE t (k TIMESTAMP(6) PRIMARY KEY, a TIMESTAMP NULL, b TIMESTAMP(3) NULL, e ENUM('x'));
        CREATE TABLE g (id INT PRIMARY KEY, a TIMESTAMP NULL, n INT AS (id + 1)); INSERT INTO t VALUES ('2038-01-19 03:14:07', '2038-01-19 03:14:07', '2038-01-19 03:14:07.999', '')"
    for edge in "${edges[@]}"; do echo "; INSERT INTO t VALUES ('$edge', '$edge', '$edge', '')"; done
    echo "; UPDATE t SET a = k + INTERVAL 1 SECOND WHERE k < '2038-01-19 03:14:08'; DELETE FROM t WHERE k = '2106-02-07 06:28:14.5'; INSERT INTO g (id, a) VALUES (1, '2106-02-07 06:28:15')"
} | sql source
for sink in target lines; do ctl_agent wait --sink $sink --timeout 60 >/dev/null || fail "not delivered: $(ctl_agent status)"; done
compare
for edge in '"2038-01-19 03:14:07.999999","a":"2038-01-19 03:14:07","b":"2038-01-19 03:14:07.999"' '"2038-01-19 03:14:08.000001","a":"2038-01-19 03:14:08","b":"2038-01-19 03:14:08.000"' \
    '"2106-02-07 06:28:15.999999","a":"2106-02-07 06:28:15","b":"2106-02-07 06:28:15.999"'; do
    grep -qF -- "$edge" "$DIR/lines.jsonl" || fail "JSON lines lack $edge: $(grep -m3 '"t"' "$DIR/lines.jsonl")"
done
# the older target: each row that it cannot hold is a conflict, of the array and alone, beside an ENUM that only a session which is not strict takes
await_state sinks.2.state conflict
says sinks.2.reason "insert of edge.t where \`k\`=2038-01-19 03:14:08.000000: .*Out of range value for column 'k'"
[ "$(sql old "SELECT GROUP_CONCAT(CONCAT_WS('/', k + 0, a + 0, b + 0) ORDER BY k) FROM edge.t")" = \
    20380119031407.000000/20380119031407/20380119031407.999,20380119031407.999999/20380119031407/20380119031407.999 ] || differ "the older target has: $(sql old "SELECT * FROM edge.t")"
moved() { [ "$(status_of sinks.2.reason)" != "$before" ] && state_is sinks.2.state conflict; }
until before=$(status_of sinks.2.reason) && grep -q "edge.g" <<<"$before"; do
    says sinks.2.reason '.k.=(2038-01-19 03:14:0[78]|2106-02-07 06:28:1[45])'
    ctl_agent conflict --sink old skip --yes >/dev/null
    wait_for 20 "the next conflict" moved
done
says sinks.2.reason "insert of edge.g where .id.=1.*Out of range value for column 'a'"
[ "$(sql old "SELECT COUNT(*), MAX(k) + 0, SUM(a IS NULL OR a = 0) FROM edge.t; SELECT COUNT(*) FROM edge.g" | paste -sd' ')" = "2	20380119031407.999999	0 0" ] ||
    differ "the older target has: $(sql old "SELECT * FROM edge.t; SELECT * FROM edge.g")"
stop_agent
