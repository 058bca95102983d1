#!/bin/bash
# Tables without a key, whose rows differ in the sign of a zero: on servers that store it (11.8, MySQL) the row meant is the one that is changed; a target that
# does not (10.11) has its row changed all the same.
. "$(dirname "$0")/../lib.sh"
changes="USE d; UPDATE z SET n = 2 WHERE CONCAT(v, ':', f) = '0:0'; UPDATE z SET v = 5 WHERE CONCAT(v, ':', f) = '0:-0'; DELETE FROM z WHERE CONCAT(v, ':', f) = '-0:0'; UPDATE z SET n = 3 WHERE v IS NULL"
pair() { # SERVER TARGET
    start_source "$1.sh"
    start_target "$2.sh"
    write_config
    start_agent
    sql source "CREATE DATABASE d; USE d; CREATE TABLE z (v DOUBLE, f FLOAT, n INT);
        INSERT INTO z VALUES (-0e0, -0e0, 1), (0e0, 0e0, 1), (-0e0, 0e0, 1), (0e0, -0e0, 1), (NULL, -0e0, 1), (NULL, 0e0, 1); $changes"
    wait_delivered
    [ "$(sql source "SELECT COUNT(*) FROM d.z WHERE CONCAT(v) = '-0'")" = 1 ] || fail "$1 does not tell zeros apart"
    [ "$1" != "$2" ] || compare
    [ "$(sql target "SELECT GROUP_CONCAT(n, ':', v = 5 ORDER BY n, v) FROM d.z WHERE v IS NOT NULL")" = "$(sql source "SELECT GROUP_CONCAT(n, ':', v = 5 ORDER BY n, v) FROM d.z WHERE v IS NOT NULL")" ] ||
        fail "on $2: $(sql target 'SELECT * FROM d.z')"
    stop_agent
    stop_server source
    stop_server target
    rm -rf "${DIR:?}"/*
}
pair mariadb-11.8 mariadb-11.8
pair mysql-9 mysql-9
pair mariadb-11.8 mariadb
