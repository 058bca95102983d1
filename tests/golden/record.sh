#!/bin/bash
# Records the golden files anew: what real servers log for the .sql files here, and what they then say is in their tables.
#   record.sh SERVER_SCRIPT VERSION PORT DIR      (for example ../servers/mariadb.sh 10.11 14110 /var/tmp/golden)
# Writes VERSION-CASE.binlog, .rows (table, then one column a field, text and bytes as hex) and, for the cases without names in
# the log, .columns (table, column, data type, unsigned). The .statements files are the decoder's own output, reviewed:
# test_golden --write prints them.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
script=$1 version=$2 port=$3 dir=$4
bash "$script" start "$dir" "$port" --character-set-server=utf8mb4 --collation-server=utf8mb4_general_ci
trap 'bash "$script" stop "$dir"' EXIT
sql() { mariadb --no-defaults -uroot -S "$dir/sock" --default-character-set=utf8mb4 -N -B --raw "$@"; }

# The expression that shows a column: what is text or bytes as hex, exact otherwise.
rows_of() {
    local table=$1 list
    list=$(sql -e "SET group_concat_max_len=1000000; SELECT GROUP_CONCAT(CONCAT('IFNULL(', CASE
        WHEN data_type IN ('char','varchar','tinytext','text','mediumtext','longtext','enum','set','binary','varbinary','tinyblob','blob',
          'mediumblob','longblob','geometry','point','linestring','polygon','multipoint','multilinestring','multipolygon',
          'geometrycollection','json','vector') THEN CONCAT('HEX(\`', column_name, '\`)')
        WHEN data_type = 'bit' THEN CONCAT('\`', column_name, '\` + 0')
        WHEN data_type = 'float' THEN CONCAT('\`', column_name, '\` + 0e0')
        WHEN column_type LIKE '%zerofill' THEN CONCAT('\`', column_name, '\` + 0')
        ELSE CONCAT('\`', column_name, '\`') END, ', ''NULL'')') ORDER BY ordinal_position)
        FROM information_schema.columns WHERE table_schema = 'g' AND table_name = '$table'")
    sql g -e "SET time_zone = '+00:00'; SELECT '$table', $list FROM \`$table\` ORDER BY id"
}

# case NAME METADATA IMAGE CHECKSUM COMPRESS SQL…
case_of() {
    local name=$version-$1 metadata=$2 image=$3 checksum=$4 compress=$5 file
    shift 5
    sql -e "DROP DATABASE IF EXISTS g; SET GLOBAL binlog_row_metadata=$metadata, binlog_row_image=$image, binlog_checksum=$checksum,
        log_bin_compress=$compress, log_bin_compress_min_len=10; CREATE DATABASE g CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci; FLUSH BINARY LOGS"
    file=$(sql -e "SHOW MASTER STATUS" | cut -f1)
    { echo "SET sql_mode='', time_zone='+00:00', group_concat_max_len=1000000;"; (cd "$here" && cat "$@"); } | sql g >"$dir/case.log"
    sql -e "FLUSH BINARY LOGS"
    cp "$dir/data/$file" "$here/$name.binlog"
    chmod 644 "$here/$name.binlog"
    for table in $(sql -e "SELECT table_name FROM information_schema.tables WHERE table_schema='g' AND table_type='BASE TABLE' ORDER BY 1"); do
        rows_of "$table"
    done >"$here/$name.rows"
    if [ "$metadata" != FULL ]; then
        sql -e "SELECT table_name, column_name, data_type, column_type LIKE '%unsigned%' FROM information_schema.columns
            WHERE table_schema = 'g' ORDER BY table_name, ordinal_position" >"$here/$name.columns"
    fi
}

vectors=()
case $version in 10.*) ;; *) vectors=(vectors.sql) ;; esac
case_of types FULL FULL CRC32 0 types.sql "${vectors[@]}"
case_of minimal MINIMAL MINIMAL CRC32 0 changes.sql
case_of nolog NO_LOG NOBLOB NONE 0 changes.sql
case_of compressed FULL FULL CRC32 1 changes.sql
case_of statements FULL FULL CRC32 0 statements.sql
