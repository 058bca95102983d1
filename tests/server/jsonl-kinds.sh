#!/bin/bash
# UUID, INET4, INET6 and JSON come out as what they are, though the binary log's full metadata calls them BINARY and LONGTEXT; an account
# that may not see the definitions gets their bytes and goes on. JSON is what has JSON's own check, whatever the metadata and the quotes;
# a document keeps its digits, and what is none is text.
. "$(dirname "$0")/../lib.sh"
start_source
OUT=$DIR/changes.jsonl
sql source "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, u UUID, i4 INET4, i6 INET6, j JSON, b BINARY(16), l LONGTEXT COLLATE utf8mb4_bin,
    \`a\`\`\"c\` JSON, n LONGTEXT COLLATE utf8mb4_bin CHECK (json_valid(n) OR n = ''))"
# more digits than any number type keeps, blanks, and another case of the letters
DOCUMENT='{"n": 12345678901234567890123.4500, "e": 1E+2, "s": "a  \\u00e4 / ä",\n "l": [ ]}'
PRINTED='{"n":12345678901234567890123.4500,"e":1E+2,"s":"a  \u00e4 / ä","l":[]}'
insert() {
    sql source "INSERT INTO d.t VALUES ($1, '123e4567-e89b-12d3-a456-426614174000', '10.0.0.0', '2001:db8::', '{\"a\": [1, null]}', 'abc', '{}', '$DOCUMENT', '{}'), ($((
        $1 + 1)), NULL, NULL, NULL, 'null', NULL, NULL, '\"s\"', ''); SET check_constraint_checks = 0; INSERT INTO d.t (id, j) VALUES ($((
        $1 + 2)), '{\"a\":1'), ($(($1 + 3)), NULL)"
}
lines() { # KEY…: sinks' settings; the insert lines of a new file
    rm -rf "$OUT"* "$DIR"/wal*
    write_config 'sink.name="lines"' 'sink.type="jsonl"' "sink.path=\"$OUT\"" sink.host=- sink.port=- sink.user=- sink.password_file=- \
        "source.start_gtid=\"$(source_gtid)\"" "$@"
    start_agent
    insert "$ROW"
    wait_delivered
    stop_agent
    mapfile -t LINES < <(grep '"op":"insert"' "$OUT")
    [ ${#LINES[@]} = 4 ] || fail "${#LINES[@]} lines: ${LINES[*]}"
}
has() { [[ ${LINES[$1]} == *"$2"* ]] || fail "no $2 in ${LINES[$1]}"; }

json() {
    has 0 '"j":{"a":[1,null]}'
    has 0 '"l":"{}"'
    has 0 "\"a\`\\\"c\":$PRINTED"
    has 0 '"n":"{}"'
    has 1 '"j":{"json":null}'
    has 1 '"a`\"c":"s"'
    has 1 '"n":""'
    has 2 '"j":"{\"a\":1"'
    has 3 '"j":null'
}

ROW=1
lines
has 0 '"u":"123e4567-e89b-12d3-a456-426614174000"'
has 0 '"i4":"10.0.0.0"'
has 0 '"i6":"2001:db8::"'
has 0 '"b":{"base64":"YWJjAAAAAAAAAAAAAAAAAA=="}'
has 1 '"u":null'
json
ctl wal dump --dir "$DIR/wal" --format json | grep '"op":"insert"' | cmp - <(printf '%s\n' "${LINES[@]}") || fail "wal dump prints other lines"

for metadata in MINIMAL NO_LOG FULL; do
    ROW=$((ROW + 10))
    sql source "SET GLOBAL binlog_row_metadata = $metadata; SET GLOBAL sql_mode = 'ANSI_QUOTES'; FLUSH BINARY LOGS"
    lines
    json
done

ROW=91
printf 'repl\n' >"$DIR/repl-password"
chmod 600 "$DIR/repl-password"
sql source "GRANT BINLOG MONITOR ON *.* TO repl@'%'"
lines 'source.user="repl"' "source.password_file=\"$DIR/repl-password\""
has 0 '"u":{"base64":"Ej5FZ+ibEtOkVkJmFBdAAA=="}'
has 0 '"j":"{\"a\": [1, null]}"'
has 0 '"l":"{}"'
sql source "GRANT SELECT ON d.* TO repl@'%'"
ROW=101
lines 'source.user="repl"' "source.password_file=\"$DIR/repl-password\""
json
