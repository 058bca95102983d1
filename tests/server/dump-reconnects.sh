#!/bin/bash
# Rows keep their own table's definition when the dump is cut and a new session numbers the tables from 1 again.
. "$(dirname "$0")/../lib.sh"
ROUNDS=${ROUNDS:-$([ "$LONG" = 1 ] && echo 40 || echo 4)}
TABLES=30
start_source
start_target
write_config
start_agent
{
    echo "CREATE DATABASE d;"
    for ((i = 1; i <= TABLES; i++)); do printf 'CREATE TABLE d.t%02d (id INT PRIMARY KEY AUTO_INCREMENT, v INT);' $i; done
} | sql source
dump_thread() { sql source "SELECT ID FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog%' ORDER BY ID DESC LIMIT 1"; }
dump_is_new() { [ -n "$(dump_thread)" ] && [ "$(dump_thread)" != "$old" ]; }
for ((round = 0; round < ROUNDS; round++)); do
    {
        # the session's first table is its last, too: the next session's first, another one, then has its number
        for ((k = 0; k <= TABLES; k++)); do
            i=$(((round * 7 + k) % TABLES + 1))
            # each row carries its table's number
            printf 'INSERT INTO d.t%02d (v) VALUES (%d);' $i $i
        done
        # the last transaction has no rows: the next session proves its place with it, and begins with an empty map
        echo "CREATE OR REPLACE TABLE d.z (id INT);"
    } | sql source
    wait_delivered
    old=$(dump_thread)
    sql source "KILL $old"
    wait_for 10 "a new dump" dump_is_new
done
wrong=$(for ((i = 1; i <= TABLES; i++)); do printf "SELECT '%d', t.* FROM d.t%02d t WHERE v <> %d;" $i $i $i; done | sql target)
[ -z "$wrong" ] || differ "rows in another table than their own: $wrong"
compare
# the log itself, too, not only what came of it
ctl wal dump --dir "$DIR/wal" >"$DIR/dump.out" || fail "wal dump"
awk '/ insert d\.t[0-9]/ { n++; split($0, a, / insert d\.t/); t = substr(a[2], 1, 2) + 0; if (a[2] !~ "\"v\":" t "[^0-9]") { print; bad = 1 } }
    END { exit bad || n < 100 }' "$DIR/dump.out" || fail "the log names another table"
stop_agent
