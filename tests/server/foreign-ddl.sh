#!/bin/bash
# DDL in the words of MySQL where the target is MariaDB, and the other way round: foreign_ddl = stop says both, map says it in the target's own words where they mean
# the same or the operator says so, skip leaves it out, counts it, and rows that then do not fit stop the sink.
# shellcheck disable=SC2016 # names in backticks are SQL
. "$(dirname "$0")/../lib.sh"
start_server mysql mysql-9.sh
start_server maria
shows() { sql "$1" "SHOW CREATE TABLE $2" | grep -qF -- "$3" || fail "$1: $2 has no $3: $(sql "$1" "SHOW CREATE TABLE $2")"; }
# from SOURCE to TARGET [KEY=VALUE...]: an agent with an empty log, from the source's end on.
from() {
    local source=$1 target=$2 gtid
    [ -z "$AGENT_PID" ] || stop_agent
    rm -rf "$DIR/wal" "$DIR"/wal.*
    if [ "$source" = mysql ]; then gtid=$(sql mysql 'SELECT @@gtid_executed'); else gtid=$(sql maria 'SELECT @@gtid_binlog_pos'); fi
    sql "$target" "DROP DATABASE IF EXISTS wolfcdc"
    SOURCE_PORT=${PORT[$source]} TARGET_PORT=${PORT[$target]} write_config "source.start_gtid=\"${gtid//$'\n'/}\"" "${@:3}"
    start_agent
    await_state source.state idle 30
}
sql mysql "CREATE DATABASE d CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"
sql maria "CREATE DATABASE d CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci; CREATE DATABASE m CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"
sql mysql "CREATE DATABASE m CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci"

# ---- MySQL to MariaDB
from mysql maria
sql mysql "CREATE TABLE d.s (id INT PRIMARY KEY, v VARCHAR(20) COLLATE utf8mb4_0900_bin)"
await_state sinks.0.state conflict
says sinks.0.reason "of MySQL .*foreign_ddl.*utf8mb4_0900_bin"
from mysql maria 'sink.foreign_ddl="map"' 'sink.ddl_map=["utf8mb4_0900_ai_ci=utf8mb4_uca1400_nopad_ai_ci"]'
sql mysql "CREATE TABLE d.t (id INT PRIMARY KEY, v VARCHAR(20) COLLATE utf8mb4_0900_bin, w VARCHAR(20) COLLATE utf8mb4_0900_ai_ci, g GEOMCOLLECTION, KEY k (v) INVISIBLE) ENCRYPTION='N';
    INSERT INTO d.t VALUES (1, 'a', 'b', NULL); ALTER TABLE d.t ADD n INT, ALGORITHM=INSTANT; CREATE INDEX l ON d.t (n) INVISIBLE; INSERT INTO d.t VALUES (2, 'A ', 'é', NULL, 5)"
wait_delivered
shows maria d.t 'utf8mb4_nopad_bin'
shows maria d.t 'utf8mb4_uca1400_nopad_ai_ci'
shows maria d.t 'KEY `k` (`v`) IGNORED'
shows maria d.t 'KEY `l` (`n`) IGNORED'
[ "$(sql maria "SELECT GROUP_CONCAT(id, v, w ORDER BY id) FROM d.t")" = "$(sql mysql "SELECT GROUP_CONCAT(id, v, w ORDER BY id) FROM d.t")" ] || fail "the rows differ: $(sql maria "SELECT * FROM d.t")"
log_says "sink.ddl_mapped.*ddl_map"
sql mysql "ALTER TABLE d.t ADD INDEX f ((n + 1))" # nothing is equal to it
await_state sinks.0.state conflict
says sinks.0.reason "of MySQL .*foreign_ddl"
from mysql maria 'sink.foreign_ddl="skip"'
sql mysql "ALTER TABLE d.t ADD INDEX h ((n + 2)); INSERT INTO d.t VALUES (3, 'c', 'c', NULL, 3); ALTER TABLE d.t ADD i INT /*!80023 INVISIBLE */; INSERT INTO d.t (id, i) VALUES (4, 4)"
wait_delivered
[ "$(status_of sinks.0.ddl_skipped)" = 2 ] || fail "$(status_of sinks.0.ddl_skipped) statements are counted, not 2"
log_says 'sink.ddl_skipped.*left out.*n \+ 2'
[ "$(sql maria "SELECT i FROM d.t WHERE id = 4")" = 4 ] || fail "the row behind what was skipped is not there"
sql mysql "ALTER TABLE d.t ADD x VARCHAR(5) COLLATE utf8mb4_0900_as_cs; INSERT INTO d.t (id, x) VALUES (5, 'x')"
await_state sinks.0.state stopped
says sinks.0.reason 'has no column `x`'
from mysql maria
sql mysql "ALTER TABLE d.t ADD j INT /*!80023 INVISIBLE */"
await_state sinks.0.state conflict
says sinks.0.reason "would take for a comment.*INVISIBLE"

# ---- MariaDB to MySQL
from maria mysql
sql maria "CREATE TABLE m.s (id INT PRIMARY KEY, v VARCHAR(20) COMPRESSED)"
await_state sinks.0.state conflict
says sinks.0.reason "of MariaDB .*foreign_ddl"
from maria mysql 'sink.foreign_ddl="map"'
sql maria "CREATE TABLE m.t (id INT PRIMARY KEY, v VARCHAR(20) COLLATE utf8mb4_nopad_bin, c TEXT COMPRESSED, p INT AS (id + 1) PERSISTENT, KEY k (v) IGNORED);
    INSERT INTO m.t (id, v, c) VALUES (1, 'a', 'b'); ALTER TABLE m.t WAIT 5 ADD n INT, ALGORITHM=NOCOPY; INSERT INTO m.t (id, v, n) VALUES (2, 'A ', 7)"
wait_delivered
shows mysql m.t 'utf8mb4_0900_bin'
shows mysql m.t 'INVISIBLE'
[ "$(sql mysql "SELECT GROUP_CONCAT(id, v, p ORDER BY id) FROM m.t")" = "$(sql maria "SELECT GROUP_CONCAT(id, v, p ORDER BY id) FROM m.t")" ] || fail "the rows differ: $(sql mysql "SELECT * FROM m.t")"
from maria mysql 'sink.foreign_ddl="skip"'
sql maria "ALTER TABLE m.t ADD u UUID; INSERT INTO m.t (id, v) VALUES (3, 'no u')"
await_state sinks.0.state stopped # its row has a column that was left out
[ "$(status_of sinks.0.ddl_skipped)" = 1 ] || fail "$(status_of sinks.0.ddl_skipped) statements are counted, not 1"
says sinks.0.reason 'has no column `u`'
stop_agent
