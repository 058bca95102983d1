#!/bin/bash
# Rows beyond the 16 MiB of one packet: 20 MB and 40 MB are inserted, changed and deleted.
. "$(dirname "$0")/../lib.sh"
start_source - --max-allowed-packet=256M
start_target - --max-allowed-packet=256M --innodb-log-file-size=512M
write_config
start_agent
sql source "CREATE DATABASE d; USE d; CREATE TABLE t (id INT PRIMARY KEY, v LONGTEXT, n INT)"
wait_delivered
sql source "USE d; INSERT INTO t VALUES (1, REPEAT('abcdefghij', 2000000), 0), (2, 'small', 0)"
sql source "USE d; INSERT INTO t VALUES (3, CONCAT(REPEAT('0123456789', 4000000), 'end'), 0), (4, 'small', 0)"
wait_delivered
compare
# its length lies on the packets' border: 16 MiB - 1, and around it
for ((i = -30; i <= 30; i += 6)); do
    [ $((i % 12)) != 0 ] && [ "$LONG" = 0 ] && continue
    echo "REPLACE INTO d.t VALUES (100, REPEAT('x', 16777215 - 48 + $i), $i);"
done | sql source
sql source "UPDATE d.t SET n = n + 1; UPDATE d.t SET v = CONCAT(v, 'more') WHERE id = 1; DELETE FROM d.t WHERE id = 3"
wait_delivered
compare
high=$(awk '$1 == "VmHWM:" { print int($2 / 1024) }' "/proc/$AGENT_PID/status")
# the event, its copy in the log's buffer, and the statement to the target: each once
say "memory at most: $high MiB"
[ "$high" -lt 512 ] || fail "$high MiB of memory"
stop_agent
