#!/bin/bash
# Records the golden files anew: what real servers log for the .sql files here, and what they then say is in their tables.
#   record.sh SERVER_SCRIPT VERSION PORT DIR [CASE…]   (for example ../servers/mariadb.sh 10.11 14110 /var/tmp/golden)
# Writes VERSION-CASE.binlog, .rows (table, then one column a field, text and bytes as hex) and, for the cases without names in
# the log, .columns (table, column, data type, unsigned, and of MySQL the rest of what information_schema.COLUMNS says). The .statements
# files are the decoder's own output, reviewed: test_golden --write prints them.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
script=$1 version=$2 port=$3 dir=$4
only=" ${*:5} "
case $version in
5.* | 9.*) mysql=1 charset=(--character-set-server=utf8mb4) ;;
*) mysql='' charset=(--character-set-server=utf8mb4 --collation-server=utf8mb4_general_ci) ;;
esac
bash "$script" start "$dir" "$port" "${charset[@]}"
trap 'bash "$script" stop "$dir"' EXIT
sql() { mariadb --no-defaults -uroot -S "$dir/sock" --default-character-set=utf8mb4 -N -B --raw "$@"; }
file_now() { sql -e "SHOW MASTER STATUS" 2>/dev/null || sql -e "SHOW BINARY LOG STATUS"; }

# The expression that shows a column: what is text or bytes as hex, exact otherwise.
rows_of() {
    local table=$1 list
    list=$(sql -e "SET group_concat_max_len=1000000; SELECT GROUP_CONCAT(CONCAT('IFNULL(', CASE
        WHEN data_type IN ('char','varchar','tinytext','text','mediumtext','longtext','enum','set','binary','varbinary','tinyblob','blob',
          'mediumblob','longblob','geometry','point','linestring','polygon','multipoint','multilinestring','multipolygon',
          'geometrycollection','geomcollection','vector') THEN CONCAT('HEX(\`', column_name, '\`)')
        WHEN data_type = 'json' THEN CONCAT('HEX(CAST(\`', column_name, '\` AS CHAR))')
        WHEN data_type = 'bit' THEN CONCAT('\`', column_name, '\` + 0')
        WHEN data_type = 'float' THEN CONCAT('\`', column_name, '\` + 0e0')
        WHEN column_type LIKE '%zerofill' THEN CONCAT('\`', column_name, '\` + 0')
        ELSE CONCAT('\`', column_name, '\`') END, ', ''NULL'')') ORDER BY ordinal_position)
        FROM information_schema.columns WHERE table_schema = 'g' AND table_name = '$table'")
    sql g -e "SET time_zone = '+00:00'; SELECT '$table', $list FROM \`$table\` ORDER BY id"
}

# What a log without names leaves open. MySQL's columns in full, with the collation's id, as schema_apply takes them.
columns_of() {
    local more=
    [ -z "$mysql" ] || more=", c.is_nullable, IFNULL((SELECT id FROM information_schema.collations k WHERE k.collation_name = c.collation_name), 0),
        IFNULL(c.character_octet_length, 0), REPLACE(c.column_type, ' ', '~')"
    sql -e "SELECT c.table_name, c.column_name, c.data_type, c.column_type LIKE '%unsigned%' $more FROM information_schema.columns c
        WHERE c.table_schema = 'g' AND c.table_name NOT LIKE 'seq%' ORDER BY c.table_name, c.ordinal_position"
}

# The sequence tables of MariaDB that changes.sql reads, for a server that has none; not in its log.
sequence() {
    [ -z "$mysql" ] || {
        echo "SET sql_log_bin=0; CREATE TABLE seq_1_to_60 (seq INT PRIMARY KEY);"
        for i in {1..60}; do echo "INSERT INTO seq_1_to_60 VALUES ($i);"; done
        echo "SET sql_log_bin=1;"
    }
}

# case NAME SETTINGS SQL…
case_of() {
    local name=$version-$1 settings=$2 file
    case $only in "  " | *" $1 "*) ;; *) return 0 ;; esac
    shift 2
    sql -e "DROP DATABASE IF EXISTS g; SET GLOBAL $settings; CREATE DATABASE g CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci; FLUSH BINARY LOGS"
    sequence | sql g
    file=$(file_now | cut -f1)
    { echo "SET sql_mode='', time_zone='+00:00', group_concat_max_len=1000000;"; (cd "$here" && cat "$@"); } | sql g >"$dir/case.log"
    sql -e "FLUSH BINARY LOGS"
    cp "$dir/data/$file" "$here/$name.binlog"
    chmod 644 "$here/$name.binlog"
    for table in $(sql -e "SELECT table_name FROM information_schema.tables WHERE table_schema='g' AND table_type='BASE TABLE' AND table_name NOT LIKE 'seq%' ORDER BY 1"); do
        rows_of "$table"
    done >"$here/$name.rows"
    case $settings in
    *row_metadata=FULL*) ;;
    *) columns_of >"$here/$name.columns" ;;
    esac
}

# settings METADATA IMAGE CHECKSUM COMPRESS, of MariaDB
settings() { echo "binlog_row_metadata=$1, binlog_row_image=$2, binlog_checksum=$3, log_bin_compress=$4, log_bin_compress_min_len=10"; }
# of_9 METADATA IMAGE COMPRESS PARTIAL, of MySQL 9
of_9() {
    echo "binlog_row_metadata=$1, binlog_checksum=CRC32, binlog_transaction_compression=$3, binlog_row_image=$2, binlog_row_value_options='$4'"
}

mariadb_cases() {
    local vectors=()
    case $version in 10.*) ;; *) vectors=(vectors.sql) ;; esac
    case_of types "$(settings FULL FULL CRC32 0)" types.sql "${vectors[@]}"
    case_of minimal "$(settings MINIMAL MINIMAL CRC32 0)" changes.sql
    case_of nolog "$(settings NO_LOG NOBLOB NONE 0)" changes.sql
    case_of compressed "$(settings FULL FULL CRC32 1)" changes.sql
    case_of statements "$(settings FULL FULL CRC32 0)" statements.sql
    case_of layouts "$(settings FULL FULL CRC32 0)" layouts.sql
}

case $version in
5.*)
    case_of types "binlog_row_image=FULL, binlog_checksum=CRC32" mysql-types.sql
    case_of minimal "binlog_row_image=MINIMAL, binlog_checksum=NONE" changes.sql
    ;;
9.*)
    case_of types "$(of_9 FULL FULL OFF '')" mysql-types.sql mysql-9.sql
    case_of minimal "$(of_9 MINIMAL MINIMAL OFF '')" changes.sql
    case_of names "$(of_9 MINIMAL FULL OFF '')" mysql-types.sql
    case_of json "$(of_9 FULL FULL OFF PARTIAL_JSON)" mysql-json.sql
    case_of payload "$(of_9 FULL FULL ON PARTIAL_JSON)" mysql-json.sql mysql-large.sql changes.sql
    ;;
*) mariadb_cases ;;
esac
