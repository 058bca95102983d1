#!/bin/bash
# System-versioned tables: rows and the whole of their history, with its times, are on the target what they are on the source: whatever statement made them,
# the clock set back, history inserted and deleted, DDL, MINIMAL images; the agent killed while it delivers. What cannot be repeated is refused by name: rows
# that a foreign key changes, periods of transaction ids, changes of rows that came here without their history. A table that only the target keeps a history of is delivered.
. "$(dirname "$0")/../lib.sh"
start_source "${SERVER:--}"
start_target "${SERVER:--}"
write_config
start_agent
sql source "CREATE DATABASE d; USE d; CREATE TABLE plain (id INT PRIMARY KEY, v INT);
    CREATE TABLE h (id INT PRIMARY KEY, a INT UNIQUE, b VARCHAR(20), w INT WITHOUT SYSTEM VERSIONING) WITH SYSTEM VERSIONING;
    CREATE TABLE e (id INT AUTO_INCREMENT PRIMARY KEY, a INT, rs TIMESTAMP(6) GENERATED ALWAYS AS ROW START, re TIMESTAMP(6) GENERATED ALWAYS AS ROW END,
        PERIOD FOR SYSTEM_TIME (rs, re)) WITH SYSTEM VERSIONING;
    CREATE TABLE k (a INT, b TEXT) WITH SYSTEM VERSIONING;
    CREATE TABLE p (id INT PRIMARY KEY, a INT) WITH SYSTEM VERSIONING PARTITION BY SYSTEM_TIME INTERVAL 1 DAY STARTS '2023-11-14' (PARTITION p0 HISTORY, PARTITION p1 HISTORY, PARTITION pn CURRENT);
    CREATE TABLE o (id INT PRIMARY KEY, a INT) WITH SYSTEM VERSIONING PARTITION BY SYSTEM_TIME INTERVAL 1 YEAR STARTS '2022-01-01' AUTO;
    CREATE TABLE j (id INT PRIMARY KEY, a INT)"

# writes FROM: rows FROM + 1 ... 60, at times of the past, in any order
writes() {
    local f=$1 t=$((1700000000 + $1))
    sql source "USE d; SET timestamp=$t.111111; INSERT INTO h VALUES ($f+1,$f+1,'x',1),($f+2,$f+2,'y',2),($f+3,$f+3,'z',3); INSERT INTO e (a) VALUES ($f),($f);
        INSERT INTO k VALUES ($f,'x'),($f,'x'),($f+1,'y'); INSERT INTO p SELECT $f + seq, 0 FROM seq_1_to_40; INSERT INTO j VALUES ($f+1, 1), ($f+2, 2); INSERT INTO o VALUES ($f+1, 1), ($f+2, 2);
        SET timestamp=$t.222222; UPDATE h SET b='u'; UPDATE h SET w=9 WHERE id=$f+1; UPDATE h SET b='v' WHERE id=$f+1; UPDATE p SET a=1 WHERE id>$f; UPDATE o SET a=a+1 WHERE id>$f;
        SET timestamp=$t.333333; UPDATE h SET id=id+10 WHERE id=$f+1; DELETE FROM h WHERE id=$f+2; REPLACE INTO h VALUES ($f+3,$f+3,'zz',4);
        INSERT INTO h VALUES ($f+3,$f+3,'q',1) ON DUPLICATE KEY UPDATE b='odku'; DELETE FROM p WHERE id > $f+20;
        SET timestamp=$t.444444; REPLACE INTO h VALUES ($f+3,$f+3,'zzz',5); INSERT INTO h VALUES ($f+3,$f+3,'q',1) ON DUPLICATE KEY UPDATE b='again', id=id+10;
        START TRANSACTION; INSERT INTO h VALUES ($f+20,$f+20,'in',1); DELETE FROM h WHERE id=$f+20; INSERT INTO h VALUES ($f+21,$f+21,'in',1); INSERT INTO j VALUES ($f+3, 3);
        SET timestamp=$t.5; UPDATE h SET b='in2' WHERE id=$f+21; UPDATE h SET b='in3' WHERE id=$f+21; COMMIT;
        SET timestamp=1600000000; UPDATE h SET b='back' WHERE id=$f+11; DELETE FROM h WHERE id=$f+21; INSERT INTO h VALUES ($f+22,$f+22,'early',1);
        SET timestamp=$t.7; DELETE FROM k WHERE a=$f; UPDATE k SET b='yy'; UPDATE h JOIN e ON h.a=e.a+1 SET h.b='mt', e.a=e.a+7; UPDATE p SET id=id+100, a=2 WHERE id>$f ORDER BY id DESC"
    sql source "USE d; UPDATE h SET b='now'; UPDATE o SET a=a+10; DELETE FROM e WHERE id%3=0; UPDATE p SET a=3; INSERT INTO k SELECT id, b FROM h"
    sql source "USE d; SET system_versioning_insert_history=1; INSERT INTO h (id,a,b,w,row_start,row_end) VALUES ($f+50,$f+50,'old',1,'2020-01-01','2021-01-01 00:00:00.000$f'),
        ($f+51,$f+51,'cur',1,'2020-01-01 01:02:03.000004',DEFAULT); INSERT INTO e (id, a, rs, re) VALUES ($f+900, 1, '2001-01-01', '2002-02-02')"
}
equal() {
    wait_delivered
    compare
}
writes 100
equal
[ "$(sql target "SELECT COUNT(*) FROM d.h FOR SYSTEM_TIME ALL WHERE row_end < NOW(6)")" -gt 10 ] || fail "the target has no history"
sql source "SET GLOBAL binlog_row_image=MINIMAL"
writes 300
equal
sql source "SET GLOBAL binlog_row_image=FULL"
sql source "USE d; DELETE HISTORY FROM h BEFORE SYSTEM_TIME '2023-11-14 22:15:00'; START TRANSACTION; DELETE HISTORY FROM k; DELETE HISTORY FROM p; INSERT INTO k VALUES (5, 'five'); COMMIT"
sql source "USE d; SET system_versioning_alter_history=KEEP; ALTER TABLE h ADD COLUMN q INT DEFAULT 7, DROP KEY a; UPDATE h SET q=8 WHERE id%2; SET timestamp=1700009999.777777; ALTER TABLE j ADD SYSTEM VERSIONING;
    UPDATE j SET a=9; ALTER TABLE k DROP SYSTEM VERSIONING; ALTER TABLE p DROP PARTITION p0; TRUNCATE TABLE plain"
sql source "USE d; SET binlog_format=STATEMENT; UPDATE o SET a=a+100; SET timestamp=1750000000.123456; UPDATE e SET a=a+1; DELETE FROM e WHERE id%2; INSERT INTO o VALUES (7, 7);
    SET system_versioning_insert_history=1; INSERT INTO e (id, a, rs, re) VALUES (1900, 1, '2001-01-01', '2002-02-02'); CREATE TABLE d.after_it (id INT CHECK (id > 5));
    SET check_constraint_checks=0; INSERT INTO d.after_it VALUES (1), (7)"
sql source "USE d; UPDATE o SET a=a+1; INSERT INTO e (a) VALUES (5); DELETE HISTORY FROM o BEFORE SYSTEM_TIME '2024-01-01'"
equal

# killed while it delivers
for ((i = 0; i < 120; i++)); do
    echo "USE d; INSERT INTO h VALUES ($i + 10000, 0, 'k', 0, 0); UPDATE h SET b=$i WHERE id BETWEEN 10000 + $i - 3 AND 10000 + $i; DELETE FROM h WHERE id=10000 + $i - 3; INSERT INTO k VALUES ($i, $i);"
done >"$DIR/writes.sql"
kill_while_writing 3 <"$DIR/writes.sql"
equal

# a row that the target has without its history, and that is younger there than the change: no row of history is lost in silence
sql source "USE d; CREATE TABLE l (id INT PRIMARY KEY, v INT) WITH SYSTEM VERSIONING; SET timestamp=1700000000; INSERT INTO l VALUES (1, 1), (2, 2)"
wait_delivered
sql target "USE d; DELETE FROM l; DELETE HISTORY FROM l; INSERT INTO l VALUES (1, 1), (2, 2)"
for image in MINIMAL FULL; do
    sql source "SET GLOBAL binlog_row_image=$image"
    sql source "USE d; SET timestamp=1700000001; UPDATE l SET v = v + 10 WHERE id = 1 + ('$image' = 'FULL')"
    await_state sinks.0.state conflict
    says sinks.0.reason 'update of d.l where .id.=.*is younger there, so that its history would be another'
    ctl_agent conflict --sink target skip --yes >/dev/null
    wait_delivered
done
sql source "USE d; SET timestamp=1700000002; DELETE FROM l WHERE id = 1"
await_state sinks.0.state conflict
says sinks.0.reason 'delete of d.l where .id.=1.*is younger there'
ctl_agent conflict --sink target skip --yes >/dev/null
sql source "DROP TABLE d.l"
wait_delivered

# refused SQL REASON: and on without the table
refused() {
    sql source "USE d; $1"
    await_state sinks.0.state stopped
    says sinks.0.reason "$2"
    sql source "USE d; DROP TABLE IF EXISTS c; DROP TABLE IF EXISTS f"
    stop_agent
    write_config 'sink.exclude=["d.f", "d.c"]'
    start_agent
    wait_delivered
    stop_agent
    write_config
    start_agent
    sql target "USE d; DROP TABLE IF EXISTS c; DROP TABLE IF EXISTS f"
}
by_ids='CREATE TABLE f (id INT PRIMARY KEY, s BIGINT UNSIGNED GENERATED ALWAYS AS ROW START, e BIGINT UNSIGNED GENERATED ALWAYS AS ROW END, PERIOD FOR SYSTEM_TIME (s, e)) WITH SYSTEM VERSIONING'
refused "CREATE TABLE f (id INT PRIMARY KEY); CREATE TABLE c (id INT PRIMARY KEY, f INT, FOREIGN KEY (f) REFERENCES f (id) ON DELETE CASCADE) WITH SYSTEM VERSIONING;
    INSERT INTO f VALUES (1); INSERT INTO c VALUES (1, 1)" 'd.c is system-versioned, and a foreign key changes its rows'
refused "$by_ids; INSERT INTO f (id) VALUES (1)" 'd.f is system-versioned by transaction ids'
sql source "USE d; SET sql_log_bin = 0; $by_ids"
stop_agent
start_agent
log_says 'check=transaction_ids text="system-versioned by transaction ids: d.f" remedy="exclude them'
sql source "SET sql_log_bin = 0; DROP TABLE d.f"

sql target "ALTER TABLE d.plain ADD SYSTEM VERSIONING"
sql source "INSERT INTO d.plain VALUES (1, 1); UPDATE d.plain SET v = 2"
equal
[ "$(sql target "SELECT COUNT(*) FROM d.plain FOR SYSTEM_TIME ALL")" = 2 ] || fail "the target keeps no history"
