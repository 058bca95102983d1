#!/bin/bash
# UUID, INET4 and INET6 come out as what they are, though the binary log's full metadata calls them BINARY; an account
# that may not see the definitions gets their bytes and goes on.
. "$(dirname "$0")/../lib.sh"
start_source
OUT=$DIR/changes.jsonl
sql source "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, u UUID, i4 INET4, i6 INET6, j JSON, b BINARY(16), l LONGTEXT COLLATE utf8mb4_bin)"
insert() {
    sql source "INSERT INTO d.t VALUES ($1, '123e4567-e89b-12d3-a456-426614174000', '10.0.0.0', '2001:db8::', '{\"a\": [1, null]}', 'abc', '{}'), ($((
        $1 + 1)), NULL, NULL, NULL, 'null', NULL, NULL)"
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
    [ ${#LINES[@]} = 2 ] || fail "${#LINES[@]} lines: ${LINES[*]}"
}
has() { [[ ${LINES[$1]} == *"$2"* ]] || fail "no $2 in ${LINES[$1]}"; }

ROW=1
lines
has 0 '"u":"123e4567-e89b-12d3-a456-426614174000"'
has 0 '"i4":"10.0.0.0"'
has 0 '"i6":"2001:db8::"'
has 0 '"b":{"base64":"YWJjAAAAAAAAAAAAAAAAAA=="}'
has 0 '"l":"{}"'
has 1 '"u":null'

ROW=3
printf 'repl\n' >"$DIR/repl-password"
chmod 600 "$DIR/repl-password"
sql source "GRANT BINLOG MONITOR ON *.* TO repl@'%'"
lines 'source.user="repl"' "source.password_file=\"$DIR/repl-password\""
has 0 '"u":{"base64":"Ej5FZ+ibEtOkVkJmFBdAAA=="}'
has 0 '"l":"{}"'
