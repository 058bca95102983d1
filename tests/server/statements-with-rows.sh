#!/bin/bash
# MIXED writes statements that answer with rows (a SELECT of a function that writes, DELETE and INSERT … RETURNING): they are delivered.
. "$(dirname "$0")/../lib.sh"
start_source - --binlog-format=MIXED
start_target
write_config
start_agent
sql source <<'S'
CREATE DATABASE d; USE d; CREATE TABLE a (id INT PRIMARY KEY, v INT); INSERT INTO a VALUES (1,1),(2,2),(3,3);
DELIMITER //
CREATE FUNCTION f(x INT) RETURNS INT DETERMINISTIC MODIFIES SQL DATA BEGIN UPDATE a SET v=v+x WHERE id=1; RETURN 1; END//
DELIMITER ;
SELECT f(5);
DELETE FROM a WHERE id=2 RETURNING v;
INSERT INTO a VALUES (4,4),(5,5) RETURNING id, v;
REPLACE INTO a VALUES (4,44) RETURNING v;
BEGIN; DELETE FROM a WHERE id=3 RETURNING v; UPDATE a SET v=v+1 WHERE id=4; SELECT f(7); COMMIT;
S
# what this is about did arrive as text
sql source "SHOW BINLOG EVENTS" >"$DIR/events"
grep -qE 'SELECT .d.[.].f.[(]5[)]' "$DIR/events" || fail "the function call is not in the binary log"
grep -q 'DELETE FROM a WHERE id=2 RETURNING' "$DIR/events" || fail "RETURNING is not in the binary log"
wait_delivered 20
compare
[ "$(sql target 'SELECT id, v FROM d.a ORDER BY id' | tr '\t\n' ': ')" = "1:13 4:45 5:5 " ] || fail "the target: $(sql target 'SELECT * FROM d.a')"
! grep -q 'sink.retry' "$DIR/agent.log" || fail "the replies fell out of step"
stop_agent
