#!/bin/bash
# Each value of each column type goes round: decoded from the binary log, kept in ours, applied, and the target's own SELECT,
# HEX and CHECKSUM are the source's. Then each type as a primary key: the row is found again to be changed and deleted.
. "$(dirname "$0")/../lib.sh"
start_source "${SERVER-mariadb.sh}"
start_target "${SERVER-mariadb.sh}"
write_config
start_agent
workload --kind types --clients 1 --transactions 24
workload --kind types --clients 3 --transactions 60 --no-setup

# key N TYPE VALUE VALUE OTHER: two rows; one is changed, gets another key, and is deleted and written anew.
key() {
    cat <<END
CREATE TABLE k$1 (k $2 NOT NULL PRIMARY KEY, v INT, w VARCHAR(30)) CHARACTER SET utf8mb4;
INSERT INTO k$1 VALUES ($3, 1, 'first'), ($4, 2, NULL);
UPDATE k$1 SET v = v + 10, w = 'changed';
UPDATE k$1 SET k = $5 WHERE k = $4;
DELETE FROM k$1 WHERE k = $3;
INSERT INTO k$1 VALUES ($3, 3, 'again');
BEGIN; UPDATE k$1 SET v = 7 WHERE k = $5; DELETE FROM k$1 WHERE k = $5; INSERT INTO k$1 VALUES ($5, 8, 'twice'); COMMIT;
END
}
{
    echo "SET SESSION sql_mode='ALLOW_INVALID_DATES,NO_AUTO_VALUE_ON_ZERO', time_zone='+00:00'; CREATE DATABASE keyed; USE keyed;"
    key 1 TINYINT -128 127 0
    key 2 'BIGINT UNSIGNED' 18446744073709551615 9223372036854775808 0
    key 3 'DECIMAL(65,30)' -12345678901234567890123456789012345.123456789012345678901234567890 0 -0.000000000000000000000000000001
    key 4 DOUBLE 0.1 -1.7976931348623157e308 5e-324
    key 5 FLOAT 0.5 -1.5 16777216
    key 6 'BIT(12)' "b'101010101010'" "b'1'" "b'0'"
    key 7 YEAR 0 1901 2155
    key 8 DATE "'0000-00-00'" "'2024-02-31'" "'9999-12-31'"
    key 9 'TIME(6)' "'-838:59:59.999999'" "'-00:00:00.000001'" "'00:00:00'"
    key 10 'DATETIME(3)' "'0000-00-00'" "'2024-00-00 01:02:03.004'" "'9999-12-31 23:59:59.999'"
    key 11 'TIMESTAMP(6)' "'1970-01-01 00:00:01'" "'2024-02-29 23:59:59.123456'" "'2038-01-19 03:14:07.999999'"
    key 12 'CHAR(10) CHARACTER SET latin1' "'abc'" "_latin1 0xE980" "''"
    key 13 'VARCHAR(40) COLLATE utf8mb4_general_ci' "'Abc'" "'ÄÖ'" "'x y'"
    key 14 'VARCHAR(40) COLLATE utf8mb4_bin' "'a'" "'A'" "'😀'"
    key 15 'VARCHAR(20) CHARACTER SET gbk' "_gbk 0xC4E3BAC3" "_gbk 0x815C" "'a'"
    key 16 'VARCHAR(20) CHARACTER SET utf16' "_utf16 0xD83DDE00" "'b'" "''"
    key 17 'BINARY(16)' 0x00112233445566778899AABBCCDDEE00 0x00000000000000000000000000000000 0x61000000000000000000000000000000
    key 18 'VARBINARY(20)' 0x00 0x0000 "''"
    key 19 "ENUM('on','off','é')" "'on'" "'é'" "'off'"
    key 20 "SET('a','b','c')" "'a,c'" "''" "'b'"
    key 21 INET6 "'::'" "'2001:db8::1'" "'::ffff:1.2.3.4'"
    key 22 UUID "'00000000-0000-0000-0000-000000000000'" "'c232ab00-9414-11ec-b3c8-9f6bdeced846'" "'123e4567-e89b-12d3-a456-426614174000'"
    key 23 INET4 "'0.0.0.0'" "'10.0.0.0'" "'255.255.255.255'"
    echo "CREATE TABLE two (a VARCHAR(10), b DATE, c BINARY(4), v INT, PRIMARY KEY (c, a, b));"
    echo "INSERT INTO two VALUES ('x', '2024-01-01', 'a', 1), ('x', '2024-01-01', 'b', 2), ('y', '0000-00-00', 'a', 3);"
    echo "UPDATE two SET v = v * 2, c = 'z' WHERE a = 'x' ORDER BY c LIMIT 1; DELETE FROM two WHERE a = 'y';"
} | sql source || fail "the source refuses a statement"
wait_delivered
compare

# What each server says by itself. Generated columns are left out of CHECKSUM, which may differ there though all rows are equal.
hex_of() {
    local table columns
    sql "$1" "SELECT CONCAT(TABLE_SCHEMA, '.', TABLE_NAME), GROUP_CONCAT('HEX(\`', COLUMN_NAME, '\`)' ORDER BY ORDINAL_POSITION SEPARATOR ',')
        FROM information_schema.COLUMNS WHERE TABLE_SCHEMA IN ('shop', 'keyed') GROUP BY 1 ORDER BY 1" |
        while read -r table columns; do sql "$1" "SET NAMES utf8mb4; SELECT '$table', $columns FROM $table ORDER BY 2, 3, 4" </dev/null; done | md5sum
}
checksum_of() {
    sql "$1" "SELECT DISTINCT CONCAT(TABLE_SCHEMA, '.', TABLE_NAME) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA IN ('shop', 'keyed')
        AND TABLE_NAME <> 't_misc' ORDER BY 1" | while read -r table; do sql "$1" "CHECKSUM TABLE $table" </dev/null; done
}
[ "$(hex_of source)" = "$(hex_of target)" ] || differ "HEX differs"
diff <(checksum_of source) <(checksum_of target) >&2 || differ "CHECKSUM TABLE differs"
say "$(sql source "SELECT COUNT(*), 'columns in', COUNT(DISTINCT TABLE_SCHEMA, TABLE_NAME), 'tables' FROM information_schema.COLUMNS WHERE TABLE_SCHEMA IN ('shop', 'keyed')")"
stop_agent
