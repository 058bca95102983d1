-- What MySQL has from 5.7 to 9: JSON, VECTOR, SRIDs, hidden columns and indexes, collations of its own.
CREATE TABLE documents (id INT PRIMARY KEY, j JSON, k JSON NOT NULL, after_all INT UNSIGNED);
INSERT INTO documents VALUES (1, NULL, 'null', 4294967295), (2, '{}', '[]', 1), (3, '"é𝄞\\u0001\\"\\\\/\\n"', 'true', 2),
 (4, '[0, -1, 32767, 32768, -32769, 65535, 65536, 2147483647, 2147483648, -2147483649, 4294967296, 9223372036854775807, 18446744073709551615]', '-9223372036854775808', 3),
 (5, '[1.5, -0.0, 1e15, 1e14, 1e-15, 1e-16, 123456789.125, 1234567890123456.8, 1.7976931348623157e308, 5e-324, 18446744073709551616, 1.0]', '0.1', 4),
 (6, '{"b": 1, "a": {"deep": [{"er": [[[]]]}]}, "": "empty", "longer key": null, "é": false}', '{"a": 1, "a": 2}', 5),
 (7, JSON_ARRAY(CAST(12.34 AS DECIMAL(10,2)), CAST(-0.001 AS DECIMAL(5,3)), CAST(REPEAT('9', 65) AS DECIMAL(65,0)), CAST(1 AS DECIMAL(31,30))),
  JSON_OBJECT('d', DATE'2024-02-29', 't', TIME'-12:34:56.789', 'far', TIME'838:59:59', 'dt', TIMESTAMP'2024-02-29 23:59:59.123456', 'z', TIMESTAMP'9999-12-31 23:59:59'), 6),
 (8, JSON_ARRAY(x'0102', b'101', CAST(REPEAT('ab', 60) AS BINARY), x''), JSON_ARRAY(CAST(2024 AS YEAR), POINT(1, 2), TRUE, NULL), 7),
 (10, CONCAT(REPEAT('[', 100), REPEAT(']', 100)), CONCAT('"', REPEAT('x', 128), '"'), 9);
CREATE TABLE bits_in (id INT PRIMARY KEY, b BIT(12), e ENUM('p','q'), s SET('x','y'), y YEAR, ts TIMESTAMP(3) NULL, g GEOMETRY, j JSON);
INSERT INTO bits_in VALUES (1, b'101', 'q', 'x,y', 2024, '2024-02-29 23:59:59.123', POINT(1, 2), NULL);
UPDATE bits_in SET j = JSON_ARRAY(b, e, s, y, ts, g);
CREATE TABLE vectors (id INT PRIMARY KEY, v VECTOR(3) NOT NULL, w VECTOR(2048), t VARCHAR(5));
INSERT INTO vectors VALUES (1, TO_VECTOR('[1,2.5,-3]'), NULL, 'after'), (2, TO_VECTOR('[0,0]'), TO_VECTOR('[1e-30]'), 'x');
CREATE TABLE places (id INT PRIMARY KEY, g GEOMETRY NOT NULL SRID 4326, h GEOMETRY, mp MULTIPOINT, ml MULTILINESTRING, mo MULTIPOLYGON, po POLYGON, t VARCHAR(5));
INSERT INTO places VALUES (1, ST_GeomFromText('POINT(1 2)', 4326), ST_GeomFromText('POINT(3 4)', 3857), ST_GeomFromText('MULTIPOINT(1 1,2 2)'),
  ST_GeomFromText('MULTILINESTRING((0 0,1 1),(2 2,3 3))'), ST_GeomFromText('MULTIPOLYGON(((0 0,0 1,1 1,0 0)))'), ST_GeomFromText('POLYGON((0 0,0 1,1 1,0 0))'), 'after'),
 (2, ST_GeomFromText('GEOMETRYCOLLECTION EMPTY', 4326), NULL, NULL, NULL, NULL, NULL, '');
CREATE TABLE hidden (id INT PRIMARY KEY, a INT, v INT AS (a + 1) VIRTUAL, p INT AS (a * 2) STORED, i INT INVISIBLE DEFAULT 7, u INT UNSIGNED, j JSON,
  KEY ((a * 3)), KEY many ((CAST(j->'$.n' AS UNSIGNED ARRAY))), KEY texts ((CAST(j->'$.t' AS CHAR(10) ARRAY))));
INSERT INTO hidden (id, a, u, j) VALUES (1, 10, 3000000000, '{"n": [1, 2, 3]}'), (2, -5, 0, '{"t": ["a", "b"]}'), (3, NULL, NULL, NULL);
INSERT INTO hidden (id, a, i, u) VALUES (4, 1, 8, 9);
UPDATE hidden SET a = a + 1, i = NULL, j = '{"n": [4]}' WHERE id IN (1, 3);
SET SESSION sql_generate_invisible_primary_key = ON;
CREATE TABLE gipk (id INT, v VARCHAR(10));
SET SESSION sql_generate_invisible_primary_key = OFF;
INSERT INTO gipk VALUES (1, 'a'), (2, 'b'), (3, 'c');
UPDATE gipk SET v = 'B' WHERE id = 2;
DELETE FROM gipk WHERE id = 3;
CREATE TABLE collations (id INT PRIMARY KEY, a VARCHAR(20) COLLATE utf8mb4_0900_ai_ci, b VARCHAR(20) COLLATE utf8mb4_ja_0900_as_cs_ks, c CHAR(20) COLLATE utf8mb4_zh_0900_as_cs,
  d TEXT COLLATE utf8mb4_0900_bin, e VARCHAR(20) CHARACTER SET utf8mb3, f VARCHAR(20) CHARACTER SET gb18030, g ENUM('ä','b') COLLATE utf8mb4_mn_cyrl_0900_as_cs,
  h CHAR(5) CHARACTER SET utf16le, i VARBINARY(20));
INSERT INTO collations VALUES (1,'é日𝄞','日本','中文','x','日','中','ä','é𝄞',x'00ff'), (2,'','','','','','','b','',''), (3,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE parents (id INT PRIMARY KEY);
CREATE TABLE children (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES parents (id) ON DELETE CASCADE ON UPDATE CASCADE);
INSERT INTO parents VALUES (1), (2), (3);
INSERT INTO children VALUES (1, 1), (2, 2), (3, 3);
DELETE FROM parents WHERE id = 2;
UPDATE parents SET id = 30 WHERE id = 3;
CREATE TABLE label_charsets (id INT PRIMARY KEY, le ENUM('é','ü') CHARACTER SET latin1, ls SET('ß','x') CHARACTER SET latin1, ge ENUM('日','本') CHARACTER SET gbk);
INSERT INTO label_charsets VALUES (1,'é','ß','日'), (2,'ü','ß,x','本'), (3,NULL,NULL,NULL), (4,'é','','日');
