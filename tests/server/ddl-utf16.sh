#!/bin/bash
# Sessions of the source whose connection collation is UTF-16, UTF-16LE, UTF-32 or UCS-2: what comes after their statements on the target is not
# read in that character set, and literals of theirs are.
. "$(dirname "$0")/../lib.sh"
start_source - --binlog-format=MIXED
start_target
write_config
start_agent
sql source "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(100) CHARACTER SET utf8mb4)"
for charset in ucs2 utf16 utf16le utf32; do
    sql source "SET NAMES utf8mb4, collation_connection = ${charset}_general_ci; CREATE TABLE d.$charset (v VARCHAR(9) DEFAULT 'é+00:00');
        INSERT INTO d.$charset VALUES (); SET SESSION binlog_format = STATEMENT; INSERT INTO d.t (v) VALUES ('é$charset'); UPDATE d.t SET v = CONCAT(v, 'ß')"
    wait_delivered
    compare
    [ "$(sql source "SHOW CREATE TABLE d.$charset")" = "$(sql target "SHOW CREATE TABLE d.$charset")" ] || fail "d.$charset is defined differently"
done
stop_agent
