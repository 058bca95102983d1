#!/bin/bash
# Tables change on the source while the agent is down: what was written before, between and after arrives in its own shape.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
write_config
start_agent
sql source "CREATE DATABASE d; USE d; CREATE TABLE d.t (id INT PRIMARY KEY, a INT); INSERT INTO d.t VALUES (1, 1)"
wait_delivered
kill_agent
sql source "INSERT INTO d.t VALUES (2, 2);
    ALTER TABLE d.t ADD COLUMN b VARCHAR(20) NOT NULL DEFAULT 'x' FIRST;
    INSERT INTO d.t (id, a, b) VALUES (3, 3, 'three');
    ALTER TABLE d.t DROP COLUMN a;
    UPDATE d.t SET b = CONCAT(b, '!');
    ALTER TABLE d.t CHANGE b c VARCHAR(40), MODIFY id BIGINT;
    INSERT INTO d.t (id, c) VALUES (5000000000, 'wide');
    RENAME TABLE d.t TO d.u;
    CREATE TABLE d.t (id INT PRIMARY KEY, z DATE);
    INSERT INTO d.t VALUES (1, '2026-11-21');
    DELETE FROM d.u WHERE id = 1"
start_agent
wait_delivered
compare
stop_agent
