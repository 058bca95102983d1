#!/bin/bash
# Changes whose order matters, and tables that are not netted: foreign keys, values of a second unique key that move round, keys that
# are equal under their collation only, rows that come back, no key at all; triggers and events that must not run twice.
. "$(dirname "$0")/../lib.sh"
start_source
start_target - --event-scheduler=ON
write_config
start_agent
sql source <<'END'
CREATE DATABASE d; USE d;
CREATE TABLE p (id INT PRIMARY KEY, n INT) ENGINE=InnoDB;
CREATE TABLE c (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE ON UPDATE CASCADE) ENGINE=InnoDB;
CREATE TABLE u (id INT PRIMARY KEY, a INT NOT NULL UNIQUE, b VARCHAR(20) UNIQUE);
CREATE TABLE k (s VARCHAR(20) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci PRIMARY KEY, n INT);
CREATE TABLE nk (a INT, s VARCHAR(10), f FLOAT, e ENUM('x','y'), t TIMESTAMP(3) NULL);
CREATE TABLE e (id INT PRIMARY KEY, n INT);
CREATE TABLE en (e ENUM('a','b','c'), s SET('x','y','z'), n INT, PRIMARY KEY (e, s));
CREATE TABLE log (id INT AUTO_INCREMENT PRIMARY KEY, what VARCHAR(20));
CREATE TRIGGER e_log AFTER INSERT ON e FOR EACH ROW INSERT INTO log (what) VALUES (NEW.id);
CREATE EVENT tick ON SCHEDULE EVERY 1 SECOND DO INSERT INTO log (what) VALUES ('tick');
END
ctl_agent pause --sink target
# all of it in one group of the target
sql source <<'END'
USE d;
INSERT INTO p SELECT seq, 0 FROM seq_1_to_50;
INSERT INTO c SELECT seq, 1 + seq % 50 FROM seq_1_to_200;
BEGIN; DELETE FROM p WHERE id <= 10; UPDATE p SET id = id + 1000 WHERE id > 40; INSERT INTO p VALUES (5, 5); INSERT INTO c VALUES (500, 5); COMMIT;
INSERT INTO u SELECT seq, seq, CONCAT('v', seq) FROM seq_1_to_20;
BEGIN; UPDATE u SET a = 100 WHERE id = 1; UPDATE u SET a = 1 WHERE id = 2; UPDATE u SET a = 2 WHERE id = 1; COMMIT;
BEGIN; DELETE FROM u WHERE id = 3; UPDATE u SET a = 3, b = 'v3' WHERE id = 4; INSERT INTO u VALUES (3, 4, 'V4'); COMMIT;
DELETE FROM u WHERE id = 6; INSERT INTO u VALUES (26, 6, 'v6'); DELETE FROM u WHERE id = 26; INSERT INTO u VALUES (6, 6, 'v6');
INSERT INTO k VALUES ('Abc', 1), ('def', 1), ('ghi', 1), ('äöü', 1);
UPDATE k SET s = 'aBC ' WHERE s = 'abc'; DELETE FROM k WHERE s = 'DEF'; INSERT INTO k VALUES ('Def', 2); UPDATE k SET n = 3 WHERE s = 'ÄÖÜ';
DELETE FROM k WHERE s = 'ghi'; INSERT INTO k VALUES ('GHI', 4);
INSERT INTO nk VALUES (1, 'a', 1.1, 'x', '2024-01-02 03:04:05.678'), (1, 'A', 1.1, 'x', NULL), (1, 'a', 1.1, 'x', NULL), (1, 'a', 1.1, 'x', NULL);
DELETE FROM nk WHERE BINARY s = 'A'; UPDATE nk SET f = 2.2 WHERE t IS NULL LIMIT 1; DELETE FROM nk WHERE t IS NOT NULL;
INSERT INTO e VALUES (1, 1), (2, 2);
INSERT INTO en VALUES ('a', 'x', 1), ('a', 'y', 1), ('b', '', 1); UPDATE en SET n = 2 WHERE e = 'a'; DELETE FROM en WHERE s = 'y';
INSERT INTO e VALUES (3, 3); UPDATE e SET n = 9; DELETE FROM e WHERE id = 2; INSERT INTO e VALUES (2, 7);
END
ctl_agent resume --sink target
wait_delivered
compare
[ "$(sql target "SELECT COUNT(*) FROM d.log WHERE what = 'tick'")" = 0 ] || fail "the event runs on the target"
[ "$(sql target "SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'd'")" = 0 ] || fail "the trigger is on the target"
[ "$(sql target "SELECT STATUS FROM information_schema.EVENTS WHERE EVENT_NAME = 'tick'")" = SLAVESIDE_DISABLED ] || fail "the event is enabled"
ctl_agent status --json | grep -q 'trigger d' || fail "the trigger is not listed as held back"
grep -q 'one change at a time' "$DIR/agent.log" && fail "a group was rolled back"
stop_agent
