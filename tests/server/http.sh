#!/bin/bash
# The http sink: rows of every type, keys of every type, DDL and multi-row transactions arrive equal at a server that stores what the REST
# contract says; it says that it delivers at least once.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
start_store a
write_http_config "\"http://127.0.0.1:${STORE[a]}\"" 'sink.exclude=["shop.audit"]'
start_agent
await_state sinks.0.state idle
workload --kind types --clients 1 --transactions 24
workload --clients 2 --seconds 3 --rate 60 --ddl-ms 400
{
    echo "SET SESSION sql_mode='ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO', time_zone='+00:00'; CREATE DATABASE keyed; USE keyed;"
    n=0
    while IFS='|' read -r type one two other; do
        n=$((n + 1))
        echo "CREATE TABLE k$n (k $type NOT NULL PRIMARY KEY, v INT, w VARCHAR(30)) CHARACTER SET utf8mb4;"
        echo "INSERT INTO k$n VALUES ($one, 1, 'first'), ($two, 2, NULL); UPDATE k$n SET v = v + 10, w = 'changed';"
        echo "UPDATE k$n SET k = $other WHERE k = $two; DELETE FROM k$n WHERE k = $one; INSERT INTO k$n VALUES ($one, 3, 'again');"
        echo "BEGIN; UPDATE k$n SET v = 7 WHERE k = $other; DELETE FROM k$n WHERE k = $other; INSERT INTO k$n VALUES ($other, 8, 'twice'); COMMIT;"
    done <<'END'
TINYINT|-128|127|0
BIGINT UNSIGNED|18446744073709551615|9223372036854775808|0
DECIMAL(65,30)|12345678901234567890123456789012345.123456789012345678901234567890|12345678901234567890123456789012345.123456789012345678901234567891|0
DOUBLE|0.1|-1.7976931348623157e308|5e-324
FLOAT|0.5|-1.5|16777216
BIT(12)|b'101010101010'|b'1'|b'0'
YEAR|2000|1901|2155
DATE|'0000-00-00'|'2024-02-31'|'9999-12-31'
TIME(6)|'-838:59:59.999999'|'-00:00:00.000001'|'00:00:00'
TIMESTAMP(6)|'1970-01-01 00:00:01'|'2024-02-29 23:59:59.123456'|'2038-01-19 03:14:07.999999'
VARCHAR(40) COLLATE utf8mb4_general_ci|'Abc'|'ÄÖ "x" \\\\ y'|'x y'
VARCHAR(40) COLLATE utf8mb4_bin|'a'|'A'|'😀'
VARCHAR(20) CHARACTER SET gbk|_gbk 0xC4E3BAC3|_gbk 0x815C|'a'
BINARY(16)|0x00112233445566778899AABBCCDDEE00|0x00000000000000000000000000000000|0x61000000000000000000000000000000
ENUM('on','off','é')|'on'|'é'|'off'
SET('a','b','c')|'a,c'|''|'b'
INET6|'::'|'2001:db8::1'|'::ffff:1.2.3.4'
UUID|'00000000-0000-0000-0000-000000000000'|'c232ab00-9414-11ec-b3c8-9f6bdeced846'|'123e4567-e89b-12d3-a456-426614174000'
END
    # a key alone, generated columns, names that need quoting, a key of three columns, a row whose only change is its generated column
    echo "CREATE TABLE alone (a INT, b VARCHAR(5), PRIMARY KEY (b, a)); INSERT INTO alone VALUES (1, 'x'), (2, 'x'); UPDATE alone SET a = 3 WHERE a = 1;"
    echo "CREATE TABLE made (id INT PRIMARY KEY, v INT, g INT AS (v + 1) PERSISTENT, h INT AS (v * 2) VIRTUAL);"
    echo "INSERT INTO made (id, v) VALUES (1, 1), (2, 2); UPDATE made SET v = 5 WHERE id = 1;"
    echo "CREATE TABLE \`with.point and \`\`tick\` (\`a \"b\` INT PRIMARY KEY, \`c.d\` TEXT); INSERT INTO \`with.point and \`\`tick\` VALUES (1, 'x'); UPDATE \`with.point and \`\`tick\` SET \`c.d\` = 'y';"
    echo "CREATE TABLE uni (a INT NOT NULL UNIQUE, b INT); INSERT INTO uni VALUES (1, 1); UPDATE uni SET b = NULL; UPDATE uni SET a = 2; "
    echo "CREATE TABLE other LIKE made; DROP TABLE other; CREATE VIEW seen AS SELECT id FROM made; RENAME TABLE alone TO alone2; TRUNCATE TABLE uni; INSERT INTO uni VALUES (5, 5);"
    # a hash that only the binary log shows
    echo "CREATE TABLE long_key (id INT PRIMARY KEY, t TEXT, UNIQUE (t)); INSERT INTO long_key VALUES (1, 'a'), (2, 'b'); UPDATE long_key SET t = 'c' WHERE id = 1;"
    echo "CREATE TABLE gone (id INT);"
} | sql source || fail "the source refuses a statement"
! sql source "DROP TABLE keyed.gone, keyed.never" 2>/dev/null || fail "a table that is not there was dropped" # logged with its error
sql source "DROP TABLE shop.audit"
wait_delivered
compare
[ "$(sql target 'SELECT COUNT(*) FROM wolfcdc.probe')" = 0 ] || fail "the proof left its rows"
[ "$(sql target 'SELECT COUNT(*) FROM keyed.seen')" = 2 ] || fail "the view is not there"
says sinks.0.version 'at least once'
stop_agent
# nothing of it comes again after an orderly stop
count=$(store_count a)
start_agent
await_state sinks.0.state idle
[ $(($(store_count a) - count)) = 6 ] || fail "more than the proof was asked for: $count, $(store_count a)"
stop_agent
