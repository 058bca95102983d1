#!/bin/bash
# Changes that arrive as text are run with their context: time, auto_increment, RAND, user variables, sql_mode, charset, zone.
. "$(dirname "$0")/../lib.sh"
start_source - --binlog-format=MIXED
start_target
write_config
start_agent
sql source "CREATE DATABASE d CHARACTER SET utf8mb4; USE d;
    CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(200), at TIMESTAMP(6) NULL, r DOUBLE, l VARCHAR(60) CHARACTER SET latin1) ENGINE=InnoDB;
    SET SESSION binlog_format = STATEMENT;
    SET time_zone = '+05:30'; INSERT INTO t (v, at) VALUES ('now', NOW(6)), ('unix', FROM_UNIXTIME(1000000000));
    SET @x = 'söme', @n = 42, @d = 1.50; INSERT INTO t (v) VALUES (CONCAT(@x, @n, @d));
    INSERT INTO t (v, r) VALUES ('rand', RAND());
    SET SESSION auto_increment_increment = 10, auto_increment_offset = 3; INSERT INTO t (v) VALUES ('step'), ('step');
    SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT'; INSERT INTO t (\"v\") VALUES ('a' || 'b');
    SET sql_mode = ''; INSERT INTO t (v) VALUES (REPEAT('x', 300));
    SET NAMES latin1; INSERT INTO t (l) VALUES (0xE4F6FC), ('\\\\back');
    SET NAMES utf8mb4; UPDATE t SET v = CONCAT(v, '-', id) WHERE id > 2;
    START TRANSACTION; INSERT INTO t (v) VALUES ('in'); UPDATE t SET r = 1 WHERE v = 'in'; COMMIT;
    CREATE TABLE c AS SELECT 1 a, 'text' b; CREATE VIEW w AS SELECT id FROM t;"
sql source "SET SESSION binlog_format = MIXED; USE d; INSERT INTO t (v) VALUES (UUID()); INSERT INTO t (v, at) SELECT v, NOW() FROM t LIMIT 3"
wait_delivered
compare
[ "$(sql target 'SELECT COUNT(*) FROM d.w')" = "$(sql source 'SELECT COUNT(*) FROM d.w')" ] || fail "the view differs"
stop_agent
