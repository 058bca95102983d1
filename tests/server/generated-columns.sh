#!/bin/bash
# A target's generated columns may say what they like: tables that have nothing else, columns whose value is cut with a note, and those that
# only a session without strict mode can make. What is assigned is watched as ever.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
write_config
start_agent
sql source "CREATE DATABASE d; USE d;
    CREATE TABLE alone (a BLOB AS ('x') VIRTUAL, b INT AS (7) STORED);
    INSERT INTO alone VALUES (), (), (); DELETE FROM alone LIMIT 1;
    CREATE TABLE noted (id INT PRIMARY KEY, at DATETIME, t TIME AS (at) STORED, e ENUM('a', 'b'));
    INSERT INTO noted (id, at, e) SELECT seq, '2001-02-03 04:05:06' + INTERVAL seq SECOND, 'b' FROM seq_1_to_500;
    UPDATE noted SET at = at + INTERVAL 1 DAY + INTERVAL 1 HOUR WHERE id % 2; DELETE FROM noted WHERE id % 7 = 0;
    CREATE TABLE loose (id INT PRIMARY KEY, v VARCHAR(20), n TINYINT AS (v) STORED, d DATE AS (v) VIRTUAL, e ENUM('a', 'b'));
    CREATE TABLE plain (id INT PRIMARY KEY, v VARCHAR(20))"
sql source "SET SESSION sql_mode = ''; USE d;
    INSERT INTO loose (id, v, e) VALUES (1, 'abc', 'a'), (2, '1000', 'b'), (3, '12', 'none'), (4, '2001-02-03', 'x'), (5, '', 'a');
    BEGIN; INSERT INTO plain VALUES (1, 'a'); UPDATE loose SET v = CONCAT(v, 'z'), e = '' WHERE id < 4; INSERT INTO plain VALUES (2, 'b'); DELETE FROM loose WHERE id = 5; COMMIT" 2>/dev/null
wait_delivered
compare
# the target's column is narrower: that is not excused by the generated one beside it
sql target "ALTER TABLE d.loose MODIFY v VARCHAR(3)" 2>/dev/null || sql target "SET SESSION sql_mode = ''; ALTER TABLE d.loose MODIFY v VARCHAR(3)"
sql source "SET SESSION sql_mode = ''; INSERT INTO d.loose (id, v) VALUES (10, 'abcdef')" 2>/dev/null
await_state sinks.0.state conflict
says sinks.0.reason "for column 'v'|too long"
sql target "ALTER TABLE d.loose MODIFY v VARCHAR(20)"
ctl_agent conflict retry
wait_delivered
stop_agent
