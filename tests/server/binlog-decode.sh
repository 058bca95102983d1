#!/bin/bash
# wolfctl binlog decode on files of live servers: every row is the one that mariadb-binlog -v prints (of MySQL's compressed transactions, mysqlbinlog -v); names come from a dump and from a server alike, and
# follow the DDL in the files; relay logs with a transaction over two of them; and each fault of a file is named: torn in an event (traps: a log's torn tail
# that is taken for whole), cut between events, wrong checksum, still in use, missing in the middle, out of order, encrypted, compressed, text.
. "$(dirname "$0")/../lib.sh"
start_source mariadb-11.8.sh --binlog-row-metadata=NO_LOG --binlog-checksum=CRC32
printf '1;%s\n' "$(head -c 16 /dev/urandom | od -An -tx1 | tr -d ' \n')" >"$DIR/keys"
chmod 644 "$DIR/keys"
start_target - --relay-log=relay --max-relay-log-size=4096
DATA=$DIR/source/data
decode() { ctl binlog decode "$@"; }
# refuses CODE TEXT ARGUMENT...: it ends with that code, and says that
refuses() {
    local code=0
    decode "${@:3}" >"$DIR/out" 2>"$DIR/err" || code=$?
    [ $code = "$1" ] || fail "binlog decode ${*:3} ended with $code, not $1: $(cat "$DIR/err")"
    grep -qF -- "$2" "$DIR/err" || fail "binlog decode ${*:3} does not say '$2': $(cat "$DIR/err")"
}

sql target "CHANGE MASTER TO master_host='127.0.0.1', master_port=${PORT[source]}, master_user='repl', master_password='repl', master_use_gtid=slave_pos;
    SET GLOBAL relay_log_purge=0; START SLAVE IO_THREAD"
sql source "CREATE DATABASE d; USE d; CREATE TABLE t (id INT UNSIGNED PRIMARY KEY, n BIGINT, s VARCHAR(40) CHARACTER SET utf8mb4) DEFAULT CHARSET=latin1;
    CREATE TABLE u (a TINYINT UNSIGNED, b VARCHAR(10), e ENUM('x','it''s'), KEY (a)) DEFAULT CHARSET=latin1;
    INSERT INTO t SELECT seq, CAST(seq AS SIGNED) * -7, CONCAT('row-', seq) FROM seq_1_to_300; UPDATE t SET n = n + 1 WHERE id % 3 = 0;
    FLUSH BINARY LOGS"
middle=$(sql source "SELECT UNIX_TIMESTAMP()")
sleep 1.1
sql source "USE d; INSERT INTO u VALUES (200, 'grün', 'it''s'), (1, NULL, 'x'); DELETE FROM t WHERE id > 290; FLUSH BINARY LOGS;
    ALTER TABLE u CHANGE b c VARCHAR(10), ADD f BIGINT UNSIGNED FIRST; UPDATE u SET f = 18446744073709551615; RENAME TABLE u TO w; INSERT INTO w VALUES (5, 6, 'z', 'x')"
files=("$DATA"/binlog.00000[1-3])
[ ${#files[@]} = 3 ] || fail "the source has ${#files[@]} files"

# What a server's own tool prints with -v, and what decode --json does, in one form: a row a line.
theirs() {
    awk '/^### (INSERT INTO|UPDATE|DELETE FROM)/ { if (line) print line; op = tolower($2); sub(/insert/, "insert", op); line = op " " $NF; gsub(/`/, "", line); next }
    /^### (SET|WHERE)/ { line = line " " tolower($2); next }
    /^###   @/ { v = $0; sub(/^### +/, "", v); sub(/ \([0-9]+\)$/, "", v); sub(/ \/\*.*/, "", v); gsub(/\047/, "", v); line = line " " v; next }
    { if (line) print line; line = "" }
    END { if (line) print line }'
}
ours() {
    grep -E '"op":"(insert|update|delete)"' | sed -E '
    s/.*"op":"([a-z]*)","db":"([a-z]*)","table":"([a-z]*)","key":\{[^}]*\},/\1 \2.\3 /; s/"before":null,?//; s/"after":null//; s/"before":\{([^}]*)\}/ where \1/; s/"after":\{([^}]*)\}/ set \1/
    s/[}"]//g; s/:/=/g; s/,/ /g; s/null/NULL/g; s/ +/ /g; s/ $//'
}

# ---- the same rows as mariadb-binlog -v, which has no names either
mariadb-binlog -v --base64-output=DECODE-ROWS "${files[@]}" | theirs >"$DIR/theirs"
decode --json "${files[@]}" 2>"$DIR/notes" | ours >"$DIR/ours"
[ "$(wc -l <"$DIR/ours")" = 415 ] || fail "there are $(wc -l <"$DIR/ours") rows, not 415"
# without a character set, latin1's bytes are theirs as they are, ours as base64
LC_ALL=C sed -i 's/gr\xfcn/grün/g' "$DIR/theirs"
sed -i 's/{base64=Z3L8bg==/grün/g' "$DIR/ours"
diff "$DIR/theirs" "$DIR/ours" >"$DIR/diff" || { head -n 20 "$DIR/diff" >&2; fail "other rows than mariadb-binlog"; }
grep -q "in use" "$DIR/notes" || fail "the file in use is not named: $(cat "$DIR/notes")"

# ---- names: a dump made before the ALTER, followed by the files' own DDL, and the server of today for the tables that have not changed since
cat >"$DIR/then.sql" <<'SQL'
/*M!999999\- enable the sandbox mode */
-- a dump
CREATE DATABASE /*!32312 IF NOT EXISTS*/ `d`;
USE `d`;
DELIMITER ;;
CREATE TABLE not (a statement;;
DELIMITER ;
CREATE TABLE `t` (`id` int(10) unsigned NOT NULL, `n` bigint(20) DEFAULT NULL, `s` varchar(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci DEFAULT NULL,
  PRIMARY KEY (`id`)) ENGINE=InnoDB DEFAULT CHARSET=latin1;
CREATE TABLE `u` (`a` tinyint(3) unsigned DEFAULT NULL, `b` varchar(10) DEFAULT NULL, `e` enum('x','it''s') DEFAULT NULL, KEY `a` (`a`)) DEFAULT CHARSET=latin1 COLLATE=latin1_swedish_ci;
SQL
decode --quiet --json --schema "$DIR/then.sql" "${files[@]:1}" >"$DIR/named" || fail "with names of a file"
grep -qF '"table":"u","key":{},"before":null,"after":{"a":200,"b":"grün","e":"it'"'"'s"}' "$DIR/named" || fail "names of a dump: $(grep '"u"' "$DIR/named")"
grep -qF '"table":"t","key":{"id":291},"before":{"id":291,"n":-2036,"s":"row-291"}' "$DIR/named" || fail "a dump's key: $(grep '"t"' "$DIR/named" | head -n 1)"
grep -qF '"after":{"f":18446744073709551615,"a":200,"c":"grün","e":"it'"'"'s"}' "$DIR/named" || fail "the ALTER in the file is not followed: $(grep update "$DIR/named")"
grep -qF '"table":"w","key":{},"before":null,"after":{"f":5,"a":6,"c":"z","e":"x"}' "$DIR/named" || fail "the RENAME is not followed: $(grep '"w"' "$DIR/named")"
mariadb-dump --no-defaults -uroot -S "$DIR/source/sock" --no-data --databases d >"$DIR/now.sql"
decode --quiet --json --table d.t --schema "$DIR/now.sql" "${files[@]}" >"$DIR/by_dump" || fail "with a dump"
decode --quiet --json --table d.t --schema "mysql://admin:admin@127.0.0.1:${PORT[source]}" "${files[1]}" "${files[2]}" >"$DIR/by_server.tail" 2>"$DIR/err" ||
    grep -q "d.u" "$DIR/err" || fail "with a server: $(cat "$DIR/err")"
grep -qF '"before":{"id":291,"n":-2036,"s":"row-291"}' "$DIR/by_dump" || fail "names of mariadb-dump"
refuses 1 "d.u" --schema "mysql://admin:admin@127.0.0.1:${PORT[source]}" "${files[@]}" # the server of today has no such table any more
refuses 3 "--schema" --schema "mysql://admin:wrong@127.0.0.1:${PORT[source]}" "${files[@]}"
printf 'USE d; CREATE TABLE t (id INT UNSIGNED PRIMARY KEY, n INT, s VARCHAR(40));' >"$DIR/wrong.sql"
refuses 1 "column 2: another integer width" --schema "$DIR/wrong.sql" "${files[@]:1}"
printf 'USE d;\nCREATE TABLE t (id INT UNSIGNED PRIMARY KEY, n NOSUCH);' >"$DIR/wrong.sql"
refuses 2 "line 2" --schema "$DIR/wrong.sql" "${files[@]}"
refuses 2 "no CREATE TABLE" --schema "$DIR/keys" "${files[@]}"

# ---- what is asked for
[ "$(decode --json --start-time $((middle + 1)) --quiet "${files[@]}" | grep -c '"op":"insert"')" = 3 ] || fail "--start-time"
[ "$(decode --json --stop-time "$middle" --quiet "${files[@]}" | grep -c '"op":"insert"')" = 300 ] || fail "--stop-time"
[ "$(decode --format csv --quiet --table d.w "${files[@]}" | wc -l)" = 5 ] || fail "--table: $(decode --format csv --quiet --table d.w "${files[@]}")"
decode --json --quiet "${files[0]}" >"$DIR/first"
place=$(grep -m 1 '"op":"update"' "$DIR/first" | "$BUILD/tests/tools/jsonget" pos)
[ "$(decode --json --quiet --start-position "$place" "${files[0]}" | grep -vc '"op":"commit"')" = 100 ] || fail "--start-position"
refuses 2 "inside the event" --start-position $((place + 1)) "${files[0]}"
inside=$(mariadb-binlog "${files[0]}" | awk -v p="$place" '/^# at / && $3 > p && !found { found = $3 } END { print found }')
refuses 2 "inside the transaction that begins at $place" --start-position "$inside" "${files[0]}"
refuses 2 "behind its end" --start-position 99999999 "${files[0]}"
decode --help >"$DIR/out"
grep -q -- --start-position "$DIR/out" || fail "--help"

# ---- faults
mkdir "$DIR/bad"
cp "${files[@]}" "$DIR/bad"
cd "$DIR/bad"
refuses 2 "binlog.000002 is missing" binlog.000001 binlog.000003
refuses 2 "in their order" binlog.000002 binlog.000001
size=$(stat -c %s binlog.000001)
head -c $((size - 60)) binlog.000001 >torn.000001
refuses 1 "ends inside an event" torn.000001
[ "$(grep -c insert "$DIR/out")" -ge 300 ] || fail "what stands before the tear is not printed"
head -c "$inside" binlog.000001 >cut.000001
refuses 0 "ends inside the transaction that begins at $place" cut.000001
printf 'X' | dd of=binlog.000001 bs=1 seek=$((inside + 30)) conv=notrunc status=none
refuses 1 "wrong checksum" binlog.000001
refuses 1 "the copy of torn.000001 is not whole" torn.000001 "$DIR/bad/binlog.000002"
gzip -c binlog.000002 >packed.gz
refuses 1 "compressed (gzip)" packed.gz
printf '\375bin\1\1\0\0' >mysql.000001
refuses 1 "encrypted by MySQL" mysql.000001
mariadb-binlog binlog.000002 >text
refuses 1 "SQL text" text
: >empty
refuses 1 "empty" empty
refuses 2 "No such file" nowhere
refuses 2 "no file is given"
cd "$DIR"

# ---- a replica: its relay logs, of 4 KiB each, say the same as the files of its source
wait_for 10 "the relay logs" bash -c "ls $DIR/target/data/relay.00000[3-9]"
sql source "INSERT INTO d.t VALUES (1000, 1, 'last')"
end=$(source_gtid)
wait_for 10 "the last event" bash -c "mariadb --no-defaults -uroot -S $DIR/target/sock -e 'SHOW ALL SLAVES STATUS\G' | grep -q 'Gtid_IO_Pos: $end'"
decode --json --quiet "$DIR"/target/data/relay.0* | sed 's/"gtids".*//' >"$DIR/relayed" || fail "relay logs"
decode --json --quiet "${files[@]}" | sed 's/"gtids".*//' >"$DIR/direct"
diff "$DIR/direct" "$DIR/relayed" >"$DIR/diff" || { head -n 6 "$DIR/diff" | cut -c1-300 >&2; fail "relay logs say something else"; }

# ---- encrypted by MariaDB; the copy that its server decrypts is plain
stop_server target
start_server target - --skip-slave-start --plugin-load-add=file_key_management "--file-key-management-filename=$DIR/keys" --encrypt-binlog=ON
sql target "CREATE DATABASE secret"
encrypted=$(sql target "SHOW MASTER STATUS" | cut -f1)
refuses 1 "encrypted from offset" "$DIR/target/data/$encrypted"
grep -q "read-from-remote-server" "$DIR/err" || fail "the remedy of an encrypted file: $(cat "$DIR/err")"
mkdir "$DIR/raw"
mariadb-binlog --read-from-remote-server --raw -h127.0.0.1 -P"${PORT[target]}" -uadmin -padmin --result-file="$DIR/raw/" "$encrypted" || fail "mariadb-binlog --raw"
decode --quiet --json "$DIR/raw/$encrypted" >"$DIR/out"
grep -qF 'CREATE DATABASE secret' "$DIR/out" || fail "the plain copy of an encrypted file"

# ---- MySQL: transactions compressed, statements beside rows, partial documents; the last file in use
stop_server target
start_server mysql mysql-9.sh --binlog-transaction-compression=ON --binlog-rows-query-log-events=ON --binlog-row-value-options=PARTIAL_JSON --binlog-row-metadata=MINIMAL
sql mysql "CREATE DATABASE d; USE d; CREATE TABLE t (id INT PRIMARY KEY, n BIGINT, s VARCHAR(40), j JSON); INSERT INTO t (id, n, s) VALUES (1, -7, 'a'), (2, NULL, 'it'), (3, 9007199254740993, '');
    BEGIN; UPDATE t SET n = n + 1; DELETE FROM t WHERE id = 2; COMMIT; FLUSH BINARY LOGS"
middle=$(sql mysql "SELECT UNIX_TIMESTAMP()")
sleep 1.1
sql mysql "INSERT INTO d.t SELECT id + 10, n, s, j FROM d.t; CREATE TABLE d.u (id INT PRIMARY KEY, j JSON); INSERT INTO d.u VALUES (1, '{\"a\": [1, 2], \"b\": \"xxxxxxxxxxxxxxxx\"}');
    UPDATE d.u SET j = JSON_SET(j, '\$.a[1]', 77)"
cp "$DIR"/mysql/data/binlog.00000[1-9] .
files=(binlog.00000[1-9])
"$HERE/servers/mysql-9.sh" tool mysqlbinlog -v --base64-output=DECODE-ROWS "${files[@]}" | theirs | grep ' d\.t ' >"$DIR/theirs"
decode --json "${files[@]}" 2>"$DIR/notes" | ours | grep ' d\.t ' >"$DIR/ours"
[ "$(wc -l <"$DIR/ours")" = 8 ] || fail "there are $(wc -l <"$DIR/ours") rows of MySQL, not 8"
diff "$DIR/theirs" "$DIR/ours" >"$DIR/diff" || { head -n 20 "$DIR/diff" >&2; fail "other rows than mysqlbinlog"; }
grep -q "in use" "$DIR/notes" || fail "MySQL's file in use is not named: $(cat "$DIR/notes")"
[ "$(decode --json --start-time $((middle + 1)) --quiet "${files[@]}" | grep -c '"op":"[a-z]*","db":"d","table":"t","key"')" = 2 ] || fail "--start-time of compressed transactions"
[ "$(decode --json --stop-time "$middle" --quiet "${files[@]}" | grep -c '"op":"[a-z]*","db":"d","table":"t","key"')" = 6 ] || fail "--stop-time of compressed transactions"
decode --json --quiet --schema "mysql://admin:admin@127.0.0.1:${PORT[mysql]}" --table d.u "${files[@]}" >"$DIR/out" || fail "MySQL's names"
grep -q '"op":"update".*"after":{"id":1,"j":{"a": *\[1, *77\]' "$DIR/out" || fail "the partial document: $(cat "$DIR/out")"
