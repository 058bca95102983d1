#!/bin/bash
# Tables without a key: the row meant is the one that is changed, also when rows differ in a geometry, a float or a NULL alone.
. "$(dirname "$0")/../lib.sh"
start_source - --binlog-row-image=MINIMAL
start_target
write_config
start_agent
sql source "CREATE DATABASE d; USE d;
    CREATE TABLE g (id INT, p POINT, line LINESTRING);
    INSERT INTO g VALUES (1, POINT(1, 1), NULL), (1, POINT(2, 2), NULL), (1, NULL, NULL), (1, POINT(2, 2), LINESTRING(POINT(0, 0), POINT(1, 1)));
    CREATE TABLE f (a FLOAT, b DOUBLE, s VARCHAR(10), j JSON, t TEXT);
    INSERT INTO f VALUES (0.1, 0.1, 'x', '{}', 'a'), (0.1, 0.1, 'X', '{}', 'a'), (0.1, 0.3, 'x', '{}', 'a'), (NULL, NULL, NULL, NULL, NULL), (0.1, 0.1, 'x ', '{ }', 'a');
    CREATE TABLE m (id INT PRIMARY KEY, ts DATETIME(6) DEFAULT CURRENT_TIMESTAMP(6), u VARCHAR(40) DEFAULT (UUID()), r DOUBLE DEFAULT (RAND()), w INT DEFAULT 5);
    INSERT INTO m (id) VALUES (1), (2)"
wait_delivered
compare
sql source "DELETE FROM d.g WHERE ST_X(p) = 2 AND line IS NULL"
wait_delivered
[ "$(sql target 'SELECT COUNT(*) FROM d.g WHERE ST_X(p) = 1')" = 1 ] || fail "another row was deleted"
compare
sql source "UPDATE d.g SET id = 9 WHERE line IS NOT NULL; UPDATE d.g SET p = POINT(5, 6) WHERE p IS NULL;
    UPDATE d.f SET t = 'b' WHERE b = 0.3; DELETE FROM d.f WHERE BINARY s = 'X'; UPDATE d.f SET a = 1 WHERE a IS NULL; DELETE FROM d.f WHERE BINARY s = 'x '"
sql source "ALTER TABLE d.m ALTER w SET DEFAULT 7; INSERT INTO d.m (id) VALUES (3)"
wait_delivered
compare
stop_agent
