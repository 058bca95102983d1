#!/bin/bash
# Row images MINIMAL and NOBLOB: columns that the log leaves out stay as they are on the target.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
write_config
start_agent
sql source "CREATE DATABASE d; USE d; CREATE TABLE d.t (id INT PRIMARY KEY, a INT, b VARCHAR(20) DEFAULT 'dflt', c BLOB, d INT AS (a + 1) VIRTUAL);
    CREATE TABLE d.k (x INT, y TEXT)"
for image in MINIMAL NOBLOB FULL; do
    sql source "SET SESSION binlog_row_image = $image;
        INSERT INTO d.t (id, a, c) SELECT seq + IF('$image' = 'MINIMAL', 0, IF('$image' = 'NOBLOB', 100, 200)), seq, REPEAT('z', 300) FROM d.seq_1_to_40;
        UPDATE d.t SET a = a * 2 WHERE id % 3 = 0; UPDATE d.t SET c = NULL WHERE id % 5 = 0; UPDATE d.t SET c = 'n' WHERE id % 7 = 0;
        UPDATE d.t SET id = id + 1000 WHERE id % 100 = 4; DELETE FROM d.t WHERE id % 100 = 11;
        INSERT INTO d.k VALUES (1, 'one'), (1, 'one'), (2, NULL); UPDATE d.k SET x = 3 WHERE x = 2; DELETE FROM d.k WHERE x = 1 LIMIT 1"
done
wait_delivered
compare
stop_agent
