-- JSON changed in part: with binlog_row_value_options=PARTIAL_JSON such updates are logged as differences, several to one value, for some of
-- several JSON columns, beside values that are whole and values that do not change.
CREATE TABLE partial (id INT PRIMARY KEY, a JSON, n INT, b JSON, c JSON);
INSERT INTO partial VALUES
 (1, '{"a": 1, "bb": "xxxxxxxxxxxxxxxxxxxx", "c": {"d": [1, 2, 3]}, "pad": "pppppppppppppppppppppppppppppppppppppppp"}', 1,
  '[1, "two", {"three": 3}, [4, 5], "pppppppppppppppppppppppppppppppppppppppppppp"]', '{"x": {"y": {"z": "deepdeepdeepdeepdeepdeep"}}}'),
 (2, '{"k": "v", "long": "llllllllllllllllllllllllllllllllllllllllllllllllllllll"}', 2, NULL, '[[[["arrays in arrays, arrays in arrays"]]]]'),
 (3, '{"with space": 1, "quo\\"te": 2, "é": 3, "dot.ted": 4, "": 5, "1digit": 6, "$dollar": 7, "back\\\\slash": 8, "tab\\t": 9, "pad": "pppppppppppppppppppppppppppp"}', 3,
  '{"n": 1.5, "d": 1, "t": true, "u": null, "pad": "pppppppppppppppppppppppppppppppppppppppppppppppppppppppp"}', 'null'),
 (4, NULL, 4, NULL, NULL), (5, '[]', 5, '{}', '"scalar"');
UPDATE partial SET a = JSON_SET(a, '$.a', 2) WHERE id = 1;
UPDATE partial SET a = JSON_SET(a, '$.new', 'added', '$.c.d[1]', 'changed', '$.c.e', JSON_OBJECT('f', 1)), n = n + 1 WHERE id = 1;
UPDATE partial SET a = JSON_REMOVE(a, '$.bb', '$.c.d[0]'), b = JSON_SET(b, '$[2].three', 33, '$[1]', 'TWO'), c = JSON_REPLACE(c, '$.x.y.z', 'short') WHERE id = 1;
UPDATE partial SET b = JSON_SET(b, '$[99]', 'at the end', '$[3][7]', 6) WHERE id = 1;
UPDATE partial SET b = JSON_REMOVE(b, '$[0]') WHERE id = 1;
UPDATE partial SET n = 100 WHERE id = 1;
UPDATE partial SET c = JSON_SET(c, '$[0][0][0][0]', 'less') WHERE id = 2;
UPDATE partial SET a = JSON_SET(a, '$.k', JSON_ARRAY(1, 'x', JSON_OBJECT('y', NULL))), b = '{"fresh": true}' WHERE id = 2;
UPDATE partial SET b = NULL, c = JSON_SET(c, '$[0][0][0][1]', CAST('12.5' AS DECIMAL(5,2))) WHERE id = 2;
UPDATE partial SET a = JSON_SET(a, '$."with space"', 'w', '$."quo\\"te"', 'q', '$."é"', 'e', '$."dot.ted"', 'd', '$.""', 'empty', '$."1digit"', '1', '$.$dollar', '$', '$."back\\\\slash"', 'b', '$."tab\\t"', 't') WHERE id = 3;
UPDATE partial SET a = JSON_SET(a, '$."new \\"key\\" é 𝄞 \\n"', 1) WHERE id = 3;
UPDATE partial SET b = JSON_SET(b, '$.d', DATE'2024-02-29', '$.n', 2.5e0, '$.t', FALSE, '$.u', x'00ff') WHERE id = 3;
UPDATE partial SET a = '{"from": "null"}', b = '[1]', c = '2' WHERE id = 4;
UPDATE partial SET a = JSON_SET(a, '$.from', 'scratch'), c = JSON_SET(c, '$', 3) WHERE id = 4;
UPDATE partial SET id = 7, a = JSON_SET(a, '$[0]', 1), b = JSON_SET(b, '$.x', 1) WHERE id = 5;
CREATE TABLE plain_too (id INT PRIMARY KEY, v INT);
INSERT INTO plain_too VALUES (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 6), (7, 7);
UPDATE plain_too SET v = v + 10;
UPDATE partial SET a = JSON_SET(a, '$.n', n), c = JSON_SET(c, '$.n', n) WHERE id IN (1, 2, 3, 4);
DELETE FROM partial WHERE id = 3;
