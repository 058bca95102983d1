-- MariaDB 11.7 and later.
CREATE TABLE vectors (id INT PRIMARY KEY, v VECTOR(3) NOT NULL, w VECTOR(1), ts TIMESTAMP(6) NULL, VECTOR INDEX (v));
INSERT INTO vectors VALUES (1, Vec_FromText('[1,2.5,-3]'), NULL, '2106-02-07 06:28:15.999999'),
 (2, Vec_FromText('[0,0,0]'), Vec_FromText('[1e-30]'), '2038-01-19 03:14:08.5');
UPDATE vectors SET w = Vec_FromText('[7]') WHERE id = 1;
