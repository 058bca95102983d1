#!/bin/bash
# Random changes of tables that are hard on purpose (collated keys, unique keys, NULLs, changed keys, cascades, no key), one by one and
# as a backlog, with full, MINIMAL and NOBLOB row images: the target ends equal. VERSIONED=1: with the tables system-versioned, and statements at the same time,
# later and earlier, in transactions larger than a group: so does the whole of their history.
. "$(dirname "$0")/../lib.sh"
COUNT=${COUNT:-$([ "$LONG" = 1 ] && echo 20000 || echo 600)}
VERSIONED=${VERSIONED-}
V=${VERSIONED:+WITH SYSTEM VERSIONING}
start_source "${SERVER:--}"
start_target "${SERVER:--}"
# nobody is killed here
for server in source target; do sql $server "SET GLOBAL innodb_flush_log_at_trx_commit = 0"; done
write_config ${VERSIONED:+sink.group_rows=$((RANDOM % 2 ? 4 : 500))}
start_agent
sql source "CREATE DATABASE d; USE d;
    CREATE TABLE u (k VARCHAR(3) COLLATE utf8mb4_general_ci PRIMARY KEY, a INT NULL UNIQUE, b VARCHAR(3) COLLATE latin1_swedish_ci DEFAULT 'q', v INT DEFAULT 3, UNIQUE (b, v)) $V;
    CREATE TABLE w (k INT, k2 VARCHAR(3), t VARCHAR(400), v INT DEFAULT 4, PRIMARY KEY (k, k2)) $V;
    CREATE TABLE z (id INT PRIMARY KEY, a INT, s VARCHAR(10), at DATETIME, e DECIMAL(8,2) DEFAULT 1.5, x BLOB, v INT) $V;
    CREATE TABLE n (a INT, b VARCHAR(3), c DOUBLE) $V;
    CREATE TABLE p (id INT PRIMARY KEY, x INT UNIQUE) $V;
    CREATE TABLE c (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (x) ON DELETE CASCADE ON UPDATE CASCADE)"
TEXTS=(a A b B 'a ' 'A ' ä Ä ab AB c '' ' ' é E e)
T=1700000000
versioned() { # one statement more
    local tables=(u w z n p)
    case $((RANDOM % 8)) in
    0 | 1 | 2) T=$((T + RANDOM % 3)) && echo "SET timestamp = $T.$((RANDOM % 3))25;" ;;
    3) echo "SET timestamp = $((T - RANDOM % 20)).5;" ;;
    4) [ $((RANDOM % 9)) != 0 ] || echo "DELETE HISTORY FROM ${tables[RANDOM % 5]} BEFORE SYSTEM_TIME FROM_UNIXTIME($((T - 5)).25);" ;;
    5) echo "UPDATE w JOIN z ON w.k = z.id % 8 SET w.v = w.v + 1, z.v = z.v + 1 WHERE w.k = $((RANDOM % 8));" ;;
    esac
}
change() { # change NUMBER: one statement, which may do nothing
    local i=$1 x=${TEXTS[RANDOM % ${#TEXTS[@]}]} y=${TEXTS[RANDOM % ${#TEXTS[@]}]} n=$((RANDOM % 8)) m=$((RANDOM % 8)) nn
    nn=$n
    [ $n != 0 ] || nn=NULL
    case $((RANDOM % 20)) in
    0) echo "INSERT IGNORE INTO u VALUES ('$x', $nn, '$y', $m);" ;;
    1) echo "UPDATE IGNORE u SET k = '$x' WHERE k = '$y';" ;;
    2) echo "DELETE FROM u WHERE k = '$x';" ;;
    3) echo "REPLACE INTO u (k, a) VALUES ('$x', $nn);" ;;
    4) echo "INSERT IGNORE INTO u VALUES ('$x', $nn, '$y', $m) ON DUPLICATE KEY UPDATE v = v + 100 * $i;" ;;
    5) echo "UPDATE IGNORE u SET a = $nn, b = '$x' WHERE k = '$y';" ;;
    6) echo "DELETE FROM u WHERE k = '$x'; INSERT IGNORE INTO u (k, v) VALUES ('$y', $m);" ;;
    7) echo "REPLACE INTO w VALUES ($n, '$x', REPEAT('$y', 100), $m);" ;;
    8) echo "UPDATE w SET v = v + 1 WHERE k = $n;" ;;
    9) echo "DELETE FROM w WHERE k = $n AND k2 = '$x'; INSERT IGNORE INTO w (k, k2) VALUES ($n, '$x');" ;;
    10) echo "UPDATE IGNORE w SET k = k + 1 WHERE k = $m ORDER BY k DESC;" ;;
    11) echo "INSERT INTO n VALUES ($nn, '$x', $m / 3);" ;;
    12) echo "DELETE FROM n WHERE b = '$x' LIMIT 1; UPDATE n SET b = '$y' WHERE a <=> $nn LIMIT 2;" ;;
    13) echo "INSERT IGNORE INTO p VALUES ($n, $m); INSERT IGNORE INTO c VALUES ($i, $m);" ;;
    14) echo "DELETE FROM p WHERE id = $n;" ;;
    15) echo "UPDATE IGNORE p SET x = x + 1 WHERE id = $n;" ;;
    16) echo "INSERT IGNORE INTO z (id, v) VALUES ($n * 10 + $m, $i);" ;;
    17) echo "UPDATE z SET v = $i WHERE id BETWEEN $n * 10 AND $n * 10 + $m;" ;;
    18) echo "UPDATE z SET a = $nn, s = '$x', at = IF($m > 4, NULL, '2020-02-0$((m + 1))'), x = IF($m > 2, NULL, '$y') WHERE id = $n * 10 + $m;" ;;
    19) echo "UPDATE IGNORE z SET id = id + 1 WHERE id = $n * 10; DELETE FROM z WHERE id = $m * 10 + $n;" ;;
    esac
}
changes() { # changes IMAGE: some in transactions of several
    local i j several
    echo "SET NAMES utf8mb4; USE d; SET SESSION binlog_row_image = $1;"
    for ((i = 0; i < COUNT; i++)); do
        several=$((RANDOM % 3))
        [ $several != 0 ] || echo "BEGIN;"
        for ((j = RANDOM % 5; j >= 0; j--)); do change $i; done
        [ -z "$VERSIONED" ] || versioned
        [ $several != 0 ] || echo "COMMIT;"
    done
}
for image in ${IMAGES:-FULL MINIMAL NOBLOB}; do
    changes "$image" >"$DIR/$image.sql"
    [ "$image" = FULL ] || ctl_agent pause --sink target >/dev/null
    # a statement that finds history of the same time in its way is none
    mariadb --no-defaults --user=root --socket="$DIR/source/sock" ${VERSIONED:+--force} <"$DIR/$image.sql" >"$DIR/$image.out" 2>&1 || [ -n "$VERSIONED" ]
    [ "$image" = FULL ] || ctl_agent resume --sink target >/dev/null
    wait_delivered
    say "$image: $(sql source 'SELECT COUNT(*) FROM d.u UNION ALL SELECT COUNT(*) FROM d.w UNION ALL SELECT COUNT(*) FROM d.z UNION ALL SELECT COUNT(*) FROM d.n UNION ALL SELECT COUNT(*) FROM d.c' | tr '\n' ' ')rows"
    compare
done
for table in u w z n c; do
    [ "$(sql source "SELECT COUNT(*) FROM d.$table")" -gt 0 ] || fail "nothing is left of $table: the test shows little"
done
stop_agent
