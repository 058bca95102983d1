#!/bin/bash
# A MySQL server as the target of a MariaDB source: the types that both know, partial images, keyless tables, DDL, and load while agent and
# target are killed with -9. MySQL has no arrays: rows go in prepared statements of many rows (execute.c).
. "$(dirname "$0")/../lib.sh"
ROUNDS=${ROUNDS:-$([ "$LONG" = 1 ] && echo 10 || echo 2)}
start_source
start_target "${TARGET_SERVER:-mysql-9.sh}"
write_config sink.group_rows=500 "$@"
start_agent
sql source "CREATE DATABASE d CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci; USE d;
    CREATE TABLE t (id INT PRIMARY KEY, i1 TINYINT, i2 SMALLINT UNSIGNED, i3 MEDIUMINT, i3u MEDIUMINT UNSIGNED, i8 BIGINT UNSIGNED,
        d DECIMAL(30,10), f FLOAT, g DOUBLE, b1 BIT(1), b9 BIT(9), b64 BIT(64), y YEAR, da DATE, ti TIME(3), dt DATETIME(6), ts TIMESTAMP(6) NULL,
        ts0 TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, c CHAR(10), v VARCHAR(300), l1 VARCHAR(50) CHARACTER SET latin1,
        u2 VARCHAR(50) CHARACTER SET ucs2, u16 TEXT CHARACTER SET utf16, bi BINARY(6), vb VARBINARY(300), bl LONGBLOB, e ENUM('1','b','0'),
        s SET('x','2','z'), gen INT AS (id * 2) STORED, p POINT, de INT NOT NULL DEFAULT 7, UNIQUE (i8));
    CREATE TABLE j (id INT PRIMARY KEY, doc JSON);
    CREATE TABLE n (a INT, b VARCHAR(30), c DOUBLE, f FLOAT, e ENUM('x','y'), bl BLOB, dt DATETIME(3), p POINT);
    CREATE TABLE k (a VARCHAR(20) COLLATE utf8mb4_general_ci, b INT, v INT, PRIMARY KEY (a, b));
    CREATE TABLE empty_rows (id INT AS (1) VIRTUAL, x INT DEFAULT 5);
    CREATE TABLE up (id INT PRIMARY KEY, v INT); CREATE TABLE casc (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES up (id) ON DELETE CASCADE ON UPDATE CASCADE);
    CREATE TABLE nul (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES up (id) ON DELETE SET NULL ON UPDATE CASCADE); /* MariaDB logs the parent alone */
    INSERT INTO up VALUES (1, 1), (2, 2), (3, 3); INSERT INTO casc VALUES (10, 1), (20, 2), (30, 3); INSERT INTO nul VALUES (10, 1), (20, 2), (30, 3);
    DELETE FROM up WHERE id = 1; UPDATE up SET id = 22 WHERE id = 2;
    CREATE TABLE par (id INT PRIMARY KEY); CREATE TABLE chi (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES par (id));
    SET time_zone = '+00:00', sql_mode = 'NO_AUTO_VALUE_ON_ZERO';
    INSERT INTO t (id, i1, i2, i3, i3u, i8, d, f, g, b1, b9, b64, y, da, ti, dt, ts, c, v, l1, u2, u16, bi, vb, bl, e, s, p) VALUES
      (1, -128, 65535, -8388608, 16777215, 18446744073709551615, -12345678901234567890.0123456789, 1.1, 2.2250738585072014e-308, 1, 257, 18446744073709551615, 1901,
       '9999-12-31', '-838:59:59', '9999-12-31 23:59:59.999999', '2038-01-19 03:14:07.999999', 'ä ', 'ß€😀', 'äöÿ', 'ǅΩ', '😀x', x'0100', x'00ff00', x'00', 1, 7, ST_GeomFromText('POINT(1 2)')),
      (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
      (3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '0000-00-00', 0, '0000-00-00 00:00:00', '0000-00-00 00:00:00', '', '', '', '', '', '', '', '', 3, 0, NULL),
      (0, 127, 1, 8388607, 1, 1, 0.0000000001, -3.4e38, -1.7e308, 1, 511, 1, 2155, '1000-01-00', '838:59:59', '2024-02-29 01:02:03.000001', '1970-01-01 00:00:01', 'a', REPEAT('é', 300), REPEAT('é', 50), 'x', REPEAT('xé', 9000), 'abcdef', REPEAT(x'80', 300), REPEAT(x'c3', 300000), 2, 2, NULL),
      (-5, 1, 1, 1, 1, 77, 1, 1, 1, 1, 1, 1, '1970', '2024-01-01', '01:02:03', '2024-01-01', '2024-01-01', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', '0', 'z', NULL);
    INSERT IGNORE INTO t (id, e) VALUES (10, 'no such label');
    UPDATE t SET i1 = i1 + 1, v = 'changed', e = '0', s = '2', b9 = 256, y = 2000, p = ST_GeomFromText('POINT(3 4)') WHERE id IN (-5, 3);
    INSERT INTO j VALUES (1, '{\"a\": [1, 2.5, \"é\"]}'), (2, NULL), (3, '\"é x\"'); UPDATE j SET doc = '[true]' WHERE id = 2;
    INSERT INTO n VALUES (1, 'a', 1.5, 1.1, 'x', 'b', '2024-01-01 00:00:00.123', ST_GeomFromText('POINT(1 2)')), (1, 'A', 1.5, 1.1, 'x', 'b', '2024-01-01 00:00:00.123', NULL), (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL), (2, 'é', 0.1, 0.1, 'y', '', NULL, NULL);
    DELETE FROM n WHERE b = 'A' COLLATE utf8mb4_bin; DELETE FROM n WHERE a IS NULL LIMIT 1; UPDATE n SET f = 0.2, b = 'ü' WHERE a = 2; UPDATE n SET p = NULL WHERE a = 1;
    INSERT INTO k SELECT CONCAT('k', seq), seq % 7, 1 FROM seq_1_to_500; DELETE FROM k WHERE b IN (1, 3); UPDATE k SET v = v + b; DELETE FROM k WHERE a LIKE 'k1%';
    INSERT INTO k VALUES ('Abc', 1, 1); UPDATE k SET a = 'aBC' WHERE a = 'abc';
    INSERT INTO empty_rows (x) VALUES (1), (2); ALTER TABLE empty_rows DROP x; INSERT INTO empty_rows VALUES (), (); DELETE FROM empty_rows LIMIT 1;
    INSERT INTO par VALUES (1), (2); INSERT INTO chi VALUES (1, 1), (2, 2); DELETE FROM chi; DELETE FROM par;
    CREATE TABLE nd (id INT PRIMARY KEY, v VARCHAR(9), w INT); ALTER TABLE nd ALTER v DROP DEFAULT;
    SET binlog_row_image = MINIMAL; INSERT INTO nd (id, w) VALUES (1, 1), (2, 2); INSERT INTO t (id, v) VALUES (20, 'minimal'), (21, 'x'); INSERT INTO t (id, i1) VALUES (22, 1); UPDATE t SET v = 'm' WHERE id = 20; DELETE FROM t WHERE id = 21;
    CREATE TABLE r1 (a INT PRIMARY KEY); CREATE TABLE r2 (b INT PRIMARY KEY); RENAME TABLE r1 TO r0, r2 TO r1, r0 TO r2; INSERT INTO r1 VALUES (1);
    ALTER TABLE k ADD w VARCHAR(5) NOT NULL DEFAULT 'd', ADD UNIQUE (b, a); UPDATE k SET w = a LIMIT 3; TRUNCATE TABLE r1; DROP TABLE r2"
# as text, where NULL for a TIMESTAMP is what the session says, which MySQL takes between transactions alone
sql source "USE d; SET binlog_format = STATEMENT, sql_mode = '', explicit_defaults_for_timestamp = 0; CREATE TABLE st (id INT PRIMARY KEY, at TIMESTAMP, v INT);
    INSERT INTO st VALUES (1, NULL, 1); SET explicit_defaults_for_timestamp = 1; INSERT INTO st VALUES (2, '2024-01-01 00:00:00', 2);
    SET explicit_defaults_for_timestamp = 0; START TRANSACTION; UPDATE st SET v = 3; INSERT INTO st VALUES (3, NULL, 3), (4, NULL, 4); COMMIT"
wait_delivered 60
compare
[ "$(sql target "SELECT COUNT(*) FROM d.k")" -gt 100 ] || fail "k is too small to show anything"
start_workload --kind oltp --database d --seconds $((4 * ROUNDS + 2)) --clients 3 --rate 400
for ((i = 0; i < ROUNDS; i++)); do
    sleep 2
    kill_agent
    start_agent
    sleep 2
    kill_server target
    start_server target
done
join_workload
wait_delivered 120
compare
[ "$(status_of sinks.0.conflicts)" = 0 ] || fail "there were conflicts"
stop_agent
