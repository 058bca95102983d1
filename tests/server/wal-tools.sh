#!/bin/bash
# wolfctl wal on the log of a running agent: dump --follow shows new changes as JSON lines while they happen; list, info, verify and
# find agree with one another and with the source.
. "$(dirname "$0")/../lib.sh"
start_source
write_config 'sink.name="lines"' 'sink.type="jsonl"' "sink.path=\"$DIR/changes.jsonl\"" sink.host=- sink.port=- sink.user=- sink.password_file=- \
    wal.segment_size_mb=1
start_agent
sql source "CREATE DATABASE d; USE d; CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(2000)); CREATE TABLE u (id INT PRIMARY KEY)"
wait_delivered
"$BUILD/wolfctl" wal dump --dir "$DIR/wal" --follow --format json --table d.t >"$DIR/follow" 2>"$DIR/follow.err" &
follow=$!
BACKGROUND+=("$follow")
shows() { [ "$(grep -c "\"op\":\"$1\"" "$DIR/follow")" = "$2" ]; }
sql source "INSERT INTO d.t VALUES (1, 'one'), (2, 'two'); INSERT INTO d.u VALUES (1)"
wait_for 5 "the inserts" shows insert 2
sql source "UPDATE d.t SET v = 'zwei' WHERE id = 2; DELETE FROM d.t WHERE id = 1; DELETE FROM d.u"
wait_for 5 "the update" shows update 1
wait_for 5 "the delete" shows delete 1
! grep -q '"table":"u"' "$DIR/follow" || fail "another table is shown"
marked=$(source_gtid)
# over the border of segments, with incompressible rows
for ((i = 0; i < 60; i++)); do echo "INSERT INTO d.t SELECT $i * 100 + seq + 1000, HEX(RANDOM_BYTES(900)) FROM d.seq_1_to_50;"; done | sql source
wait_for 15 "the inserts over several segments" shows insert 3002
end_process "$follow"
while read -r line; do
    "$BUILD/tests/tools/jsonget" op lsn <<<"$line" >/dev/null || fail "not JSON: $line"
done < <(shuf -n 20 "$DIR/follow")
sort -c -t: -k2n <(grep -o '"lsn":[0-9]*' "$DIR/follow") || fail "LSNs are out of order"
wait_delivered
json() { ctl wal "$1" --dir "$DIR/wal" --json "${@:2}"; }
json list >"$DIR/list" || fail "wal list"
[ "$(grep -c '"sealed":true' "$DIR/list")" -ge 2 ] || fail "list shows no sealed segments: $(cat "$DIR/list")"
json info >"$DIR/info" || fail "wal info"
[ "$("$BUILD/tests/tools/jsonget" uuid <"$DIR/info" | wc -c)" = 37 ] || fail "info: $(cat "$DIR/info")"
json verify >"$DIR/verify" || fail "verify of a log that is being written: $(cat "$DIR/verify")"
lsn=$(ctl wal find --dir "$DIR/wal" --gtid "$marked") || fail "find"
lsn=$(grep -oE '[0-9]+' <<<"$lsn" | head -n 1)
ctl wal dump --dir "$DIR/wal" --start-lsn "$lsn" --stop-lsn $((lsn + 1)) --format json >"$DIR/found"
head -n 1 "$DIR/found" | grep -qF "\"gtid\":\"$marked\"" || fail "find gave LSN $lsn, which is not $marked"
# the same as CSV, under names
csv() { ctl wal "$1" --dir "$DIR/wal" --format csv "${@:2}"; }
csv list >"$DIR/list.csv"
[ "$(head -n 1 "$DIR/list.csv" | cut -d, -f1-4)" = name,sealed,first_lsn,last_lsn ] || fail "list as CSV: $(cat "$DIR/list.csv")"
[ "$(wc -l <"$DIR/list.csv")" = $(($(wc -l <"$DIR/list") + 1)) ] || fail "list has other lines as CSV"
[ "$(sed -n 2p "$DIR/list.csv" | cut -d, -f3)" = "$(head -n 1 "$DIR/list" | "$BUILD/tests/tools/jsonget" first_lsn)" ] || fail "list has another LSN as CSV"
for verb in info verify; do
    csv $verb >"$DIR/$verb.csv"
    [ "$(tail -n 1 "$DIR/$verb.csv" | cut -d, -f1 | tr -d '"')" = "$("$BUILD/tests/tools/jsonget" uuid <"$DIR/info")" ] || fail "$verb as CSV: $(cat "$DIR/$verb.csv")"
done
grep -q ',true$' "$DIR/verify.csv" || fail "verify does not say so as CSV"
[ "$(csv find --gtid "$marked" | tr '\n' ' ')" = "found,lsn true,$lsn " ] || fail "find as CSV: $(csv find --gtid "$marked")"
code=0
ctl wal find --dir "$DIR/wal" --gtid "0-${PORT[source]}-999999" >/dev/null 2>&1 || code=$?
[ $code = 1 ] || fail "find of what is not there ended with $code"
# the agent still writes the same log, undisturbed
sql source "INSERT INTO d.u VALUES (5)"
wait_delivered
stop_agent
[ "$(grep -c '"op":"insert"' "$DIR/changes.jsonl")" = 3004 ] || fail "the sink has $(grep -c '"op":"insert"' "$DIR/changes.jsonl") inserts"
# what says which agent is meant may stand before the command, also of those with a program part of their own
ctl --config "$CONFIG" wal info | grep -q '^transactions' || fail "wolfctl --config FILE wal info"
code=0
ctl --config "$CONFIG" binlog decode /dev/null 2>"$DIR/err" || code=$?
[ $code = 2 ] || fail "wolfctl --config FILE binlog decode ended with $code: $(cat "$DIR/err")"
# a damaged byte in a sealed segment is found, with file and offset
sealed=$(find "$DIR/wal" -name '*.seg' | sort | head -n 1)
printf 'X' | dd of="$sealed" bs=1 seek=9000 conv=notrunc status=none
code=0
ctl wal verify --dir "$DIR/wal" >"$DIR/verify" 2>&1 || code=$?
[ $code = 1 ] || fail "verify of a damaged log ended with $code"
grep -q "$(basename "$sealed").*[0-9]" "$DIR/verify" || fail "the damaged file is not named: $(cat "$DIR/verify")"
