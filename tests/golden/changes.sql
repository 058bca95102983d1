-- Inserts give every column, so that a log with the fewest columns still tells all; updates and deletes by key.
CREATE TABLE plain (id INT PRIMARY KEY, u INT UNSIGNED, name VARCHAR(30), note TEXT, data BLOB, price DECIMAL(12,3), at DATETIME(6), e ENUM('p','q'), tiny TINYINT UNSIGNED);
INSERT INTO plain VALUES (1,4294967295,'één','a note',0x00ff,12.345,'2024-02-29 01:02:03.000004','q',200), (2,0,'','','',-0.001,'0000-00-00','p',0),
 (3,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
UPDATE plain SET u = 17 WHERE id = 1;
UPDATE plain SET note = NULL, data = REPEAT(0x41, 300) WHERE id = 2;
UPDATE plain SET name = 'set', e = 'p', tiny = 255 WHERE id = 3;
DELETE FROM plain WHERE id = 1;
CREATE TABLE nokey (id INT, v VARCHAR(10));
INSERT INTO nokey VALUES (1,'a'), (2,'b'), (3,'c');
UPDATE nokey SET v = 'B' WHERE id = 2;
DELETE FROM nokey WHERE id = 3;
CREATE TABLE many (id INT PRIMARY KEY, pad VARCHAR(200), u BIGINT UNSIGNED);
INSERT INTO many SELECT seq, REPEAT('pad', 20), 18446744073709551615 - seq FROM seq_1_to_60;
UPDATE many SET u = u - 1000 WHERE id % 2 = 0;
DELETE FROM many WHERE id % 3 = 0;
