#!/bin/bash
# Masked and excluded columns: no value of theirs is in the log or on a target, keys stay keys and joins join, what would make rows one is refused,
# a statement as text stops, the proof after kill -9 still holds; a DROP that is half for a sink stops it, named.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
(umask 077 && echo 0123456789abcdef-key >"$DIR/key")
masks=('filter.mask_hash=["shop.*.mail", "shop.bin.k", "shop.account.id"]' "filter.mask_key_file=\"$DIR/key\"" 'filter.mask_fixed=["shop.person.name=anonymous"]'
    'filter.mask_null=["shop.person.phone"]' 'filter.exclude_columns=["shop.person.note", "shop.bin.extra"]')
write_config "${masks[@]}" 'sink.exclude=["shop.b"]'
start_agent
sql source "CREATE DATABASE shop; USE shop; CREATE TABLE person (id INT PRIMARY KEY, mail VARCHAR(100) NOT NULL UNIQUE, name VARCHAR(30), phone VARCHAR(20), note VARCHAR(50) DEFAULT 'none', v INT);
    CREATE TABLE orders (id INT PRIMARY KEY AUTO_INCREMENT, mail VARCHAR(100), v INT, KEY (mail));
    CREATE TABLE account (id INT PRIMARY KEY, balance INT); CREATE TABLE bin (k VARBINARY(40) PRIMARY KEY, extra TEXT, v INT);
    CREATE TABLE loose (mail CHAR(30), v INT); CREATE TABLE a (id INT PRIMARY KEY); CREATE TABLE b (id INT PRIMARY KEY)"
wait_delivered
sql target "ALTER TABLE shop.bin DROP extra" # a target need not have what is excluded
sql source "USE shop; INSERT INTO person VALUES (1, 'secret-1@x.example', 'secret-name', 'secret-555', 'secret-note', 1), (2, 'secret-2@x.example', NULL, NULL, 'secret-note', 2);
    INSERT INTO orders (mail, v) SELECT CONCAT('secret-', 1 + seq % 2, '@x.example'), seq FROM seq_1_to_50;
    INSERT INTO account SELECT seq, seq FROM seq_1_to_200; INSERT INTO account VALUES (-1, 0), (2147483647, 0), (0, 9); UPDATE account SET balance = balance + 1; UPDATE account SET id = id + 1000 WHERE id < 20; DELETE FROM account WHERE id > 180;
    INSERT INTO bin VALUES ('secret-k1', 'secret-extra', 1), ('secret-k2', 'secret-extra', 2); UPDATE bin SET v = 5, extra = 'secret-more' WHERE k = 'secret-k2';
    INSERT INTO loose VALUES ('secret-1@x.example', 1), ('secret-1@x.example', 1), (NULL, 2); DELETE FROM loose WHERE mail IS NOT NULL LIMIT 1; UPDATE loose SET v = 7 WHERE mail IS NULL;
    UPDATE person SET mail = 'secret-9@x.example', v = 10 WHERE id = 1; DELETE FROM person WHERE mail = 'secret-2@x.example'; SET binlog_row_image = MINIMAL; UPDATE person SET phone = 'secret-1' WHERE id = 1;
    INSERT INTO person (id, mail) VALUES (5, 'secret-2@x.example')"
wait_delivered
kill_agent
start_agent
sql source "UPDATE shop.person SET v = 11 WHERE id = 1"
wait_delivered
log_says 'source.proven'
[ "$(sql target "SELECT CONCAT_WS('|', id, name, phone, note, v) FROM shop.person ORDER BY id")" = $'1|anonymous|none|11\n5|none' ] || fail "person is $(sql target "SELECT * FROM shop.person")"
[ "$(sql target "SELECT mail REGEXP '^[0-9a-f]{64}$' FROM shop.person WHERE id = 1")" = 1 ] || fail "mail is not a hash"
[ "$(sql target "SELECT COUNT(*) FROM shop.orders JOIN shop.person USING (mail)")" = "$(sql source "SELECT COUNT(*) FROM shop.orders JOIN shop.person USING (mail)")" ] || fail "joins differ"
[ "$(sql target "SELECT COUNT(*), COUNT(DISTINCT id), SUM(balance) FROM shop.account")" = "$(sql source "SELECT COUNT(*), COUNT(DISTINCT id), SUM(balance) FROM shop.account")" ] || fail "account differs"
[ "$(sql target "SELECT COUNT(*) FROM shop.account WHERE id BETWEEN 1 AND 2000")" -lt 5 ] || fail "account's ids are not masked"
[ "$(sql target "SELECT GROUP_CONCAT(v ORDER BY v) FROM shop.bin")" = 1,5 ] || fail "bin differs"
[ "$(sql target "SELECT GROUP_CONCAT(v ORDER BY v) FROM shop.loose")" = 1,7 ] || fail "loose differs"
! sql target "SELECT * FROM shop.person; SELECT * FROM shop.orders; SELECT * FROM shop.bin; SELECT * FROM shop.loose" | grep -q secret || fail "the target has a masked value"
ctl wal dump --dir "$DIR/wal" --format json >"$DIR/dump"
grep -q '"table":"person"' "$DIR/dump" || fail "the dump is empty"
! grep -E '"op":"(insert|update|delete)"' "$DIR/dump" | grep -q secret || fail "the log has a masked value"
ctl wal verify --dir "$DIR/wal" >/dev/null || fail "wal verify"
# half for this sink
sql source "DROP TABLE shop.a, shop.b"
await_state sinks.0.state stopped
says sinks.0.reason 'names tables of which this sink'
stop_agent
write_config "${masks[@]}"
sql target "CREATE TABLE shop.b (id INT PRIMARY KEY)"
start_agent
wait_delivered
# a statement would carry the values
sql source "SET SESSION binlog_format = STATEMENT; UPDATE shop.person SET name = 'secret-text' WHERE id = 1"
await_state source.state stopped
says source.reason 'masked columns'
stop_agent
# a unique key by another way than hash
rm -rf "$DIR/wal" "$DIR/wal.filter"
write_config 'filter.mask_null=["shop.person.mail"]'
start_agent
await_state source.state stopped
says source.reason 'unique key'
stop_agent
