-- Documents beyond 64 KiB, whose offsets are wider, changed in part. Behind mysql-json.sql.
INSERT INTO partial SELECT 6, CONCAT('{"big": "', REPEAT('B', 70000), '", "list": [', REPEAT('1234567, ', 20000), '0], "n": 1}'), 6, NULL, NULL;
UPDATE partial SET a = JSON_SET(a, '$.n', 2, '$.list[19999]', 7, '$.list[20001]', 8) WHERE id = 6;
UPDATE partial SET a = JSON_REMOVE(a, '$.big') WHERE id = 6;
UPDATE partial SET a = JSON_SET(a, '$.list[5]', 'five') WHERE id = 6;
UPDATE partial SET a = JSON_REMOVE(a, '$.list') WHERE id = 6;
