#!/bin/bash
# The jsonl sink writes each change once to its file, whatever kills the agent, also in the middle of a line.
. "$(dirname "$0")/../lib.sh"
start_source
OUT=$DIR/changes.jsonl
write_config 'sink.name="lines"' 'sink.type="jsonl"' "sink.path=\"$OUT\"" sink.host=- sink.port=- sink.user=- sink.password_file=-
start_agent
sql source "CREATE DATABASE d; USE d; CREATE TABLE d.t (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(100))"
for round in 1 2 3 4 5 6; do
    for ((i = 0; i < 300; i++)); do echo "INSERT INTO d.t (v) VALUES ('$round-$i'), (REPEAT('x', 80));"; done | sql source &
    writer=$!
    sleep "0.$((RANDOM % 9))"
    kill_agent
    start_agent
    wait "$writer"
done
wait_delivered
stop_agent
rows=$(sql source "SELECT COUNT(*) FROM d.t")
lines=$(grep -c '"op":"insert"' "$OUT")
once=$(grep '"op":"insert"' "$OUT" | grep -o '"lsn":[0-9]*' | sort -u | wc -l)
say "$rows rows, $lines lines"
[ "$rows $rows" = "$lines $once" ] || fail "$rows rows, $lines lines, $once LSNs"
while read -r line; do "$BUILD/tests/tools/jsonget" lsn <<<"$line" >/dev/null || fail "not JSON: $line"; done < <(tail -n 20 "$OUT")
