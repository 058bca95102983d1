#!/bin/bash
# binlog_row_metadata=NO_LOG and MINIMAL: names come from the source's dictionary, checked against every table map.
. "$(dirname "$0")/../lib.sh"
start_source - --binlog-row-metadata=NO_LOG
start_target
write_config
start_agent
sql source "CREATE DATABASE d; USE d; CREATE TABLE d.t (id INT UNSIGNED PRIMARY KEY, a BIGINT UNSIGNED, e ENUM('a','b'), u UUID, j JSON, v VARCHAR(20) CHARACTER SET latin1);
    INSERT INTO d.t VALUES (4294967295, 18446744073709551615, 'b', UUID(), '{\"a\":1}', 'grüß')"
wait_delivered
sql source "ALTER TABLE d.t ADD COLUMN z INT FIRST; UPDATE d.t SET z = 7, a = a - 1"
wait_delivered
compare
sql source "SET GLOBAL binlog_row_metadata = MINIMAL; FLUSH BINARY LOGS"
sql source "INSERT INTO d.t (id, a) VALUES (1, 1)"
wait_delivered # the dictionary is asked about the table as it was
sql source "ALTER TABLE d.t DROP COLUMN e; UPDATE d.t SET v = 'x'"
wait_delivered
compare
stop_agent
