#!/bin/bash
# What the filter leaves out never reaches log or target, statements included; of two sinks with filters of their own each takes
# what is for it.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
CONFIG_TAIL=$(printf '[[sink]]\nname = "lines"\ntype = "jsonl"\npath = "%s"\nexclude = ["shop.*"]\n' "$DIR/lines.jsonl")
write_config 'filter.include=["shop.*", "crm.person"]' 'filter.exclude=["shop.log_*"]' 'sink.include=["shop.*", "crm.person"]' 'sink.exclude=["shop.b"]'
# of crm one table is wanted, not what is done to the database: it is there already
sql target "CREATE DATABASE crm"
start_agent
sql source "CREATE DATABASE shop; CREATE DATABASE crm; CREATE DATABASE other;
    CREATE TABLE shop.a (id INT PRIMARY KEY, v INT); CREATE TABLE shop.log_x (id INT PRIMARY KEY); CREATE TABLE crm.person (id INT PRIMARY KEY);
    CREATE TABLE shop.b (id INT PRIMARY KEY); CREATE TABLE crm.secret (id INT PRIMARY KEY, pass VARCHAR(30)); CREATE TABLE other.t (id INT PRIMARY KEY);
    BEGIN; INSERT INTO shop.a VALUES (1, 1), (2, 2); INSERT INTO shop.b VALUES (1); INSERT INTO shop.log_x VALUES (1); INSERT INTO crm.secret VALUES (1, 'hidden-value');
    INSERT INTO crm.person VALUES (1); INSERT INTO other.t VALUES (1); COMMIT;
    INSERT INTO other.t VALUES (2); ALTER TABLE other.t ADD w INT; UPDATE shop.a SET v = 3 WHERE id = 1; TRUNCATE TABLE crm.secret; DROP TABLE shop.log_x"
wait_delivered
[ "$(sql target "SELECT GROUP_CONCAT(CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) ORDER BY 1) FROM information_schema.TABLES WHERE TABLE_SCHEMA IN ('shop', 'crm', 'other')")" = crm.person,shop.a ] ||
    fail "the target has $(sql target "SELECT TABLE_SCHEMA, TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA IN ('shop', 'crm', 'other')")"
[ "$(sql target 'SELECT GROUP_CONCAT(v ORDER BY id) FROM shop.a')" = 3,2 ] || fail "shop.a differs"
[ "$(sql target 'SELECT COUNT(*) FROM crm.person')" = 1 ] || fail "crm.person differs"
ctl_agent wait --sink lines --timeout 20 || fail "lines were not delivered"
grep -q '"table":"person"' "$DIR/lines.jsonl" || fail "the second sink lacks crm.person"
! grep -qE '"table":"(a|b)"' "$DIR/lines.jsonl" || fail "the second sink has what is not for it"
stop_agent
ctl wal dump --dir "$DIR/wal" >"$DIR/dump" || fail "wal dump"
grep -q 'insert shop.b' "$DIR/dump" || fail "the log lacks what one sink alone leaves out"
! grep -qE 'hidden-value|other\.t|log_x' "$DIR/dump" || fail "the log holds what was left out"
