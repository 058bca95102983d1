#!/bin/bash
# A server that knows no Idempotency-Key is given everything again, and once more: it ends as it was, also where unique values have gone from row
# to row, keys have moved and rows were deleted in between. Foreign keys
# cascade there as they did on the source.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
start_store a --ignore-keys
write_http_config "\"http://127.0.0.1:${STORE[a]}\""
start_agent
sql source "CREATE DATABASE d; USE d; CREATE TABLE u (id INT PRIMARY KEY, nick VARCHAR(20) NOT NULL UNIQUE, a INT, b INT, UNIQUE (a, b));
    CREATE TABLE p (id INT PRIMARY KEY, v INT); CREATE TABLE c (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE ON UPDATE CASCADE)"
wait_delivered
lsn=$(($(status_of sinks.0.lsn) + 1))
for ((i = 0; i < 400; i++)); do
    id=$((RANDOM % 12)) other=$((RANDOM % 12))
    case $((RANDOM % 5)) in
    0) echo "REPLACE INTO u VALUES ($id, 'n$((RANDOM % 14))', $((RANDOM % 3)), $((RANDOM % 6)));" ;;
    1) echo "DELETE FROM u WHERE id = $id;" ;;
    2) echo "UPDATE IGNORE u SET nick = 'n$((RANDOM % 14))', a = NULL WHERE id = $id;" ;;
    3) echo "UPDATE IGNORE u SET id = $other, b = b + 1 WHERE id = $id;" ;;
    4) echo "BEGIN; SET @a = NULL; SELECT nick INTO @a FROM u WHERE id = $id; UPDATE u SET nick = 'between' WHERE id = $id;
             UPDATE IGNORE u SET nick = @a WHERE id = $other AND @a IS NOT NULL; UPDATE u SET nick = 'n$i' WHERE nick = 'between'; COMMIT;" ;;
    esac
done | mariadb --no-defaults --user=root --socket="$DIR/source/sock" -N -B d >/dev/null || fail "the source refuses a statement"
# the third row comes into the way of what the first was before
sql source "USE d; INSERT INTO u VALUES (103, 'first', 1, 900); UPDATE u SET nick = 'second' WHERE id = 103; INSERT INTO u VALUES (105, 'first', 1, 901)"
wait_delivered
compare
for round in 1 2; do
    rows=$(status_of sinks.0.rows)
    ctl_agent sink rewind target "$lsn" --yes >/dev/null
    wait_for 60 "everything comes again" bash -c "[ \$('$BUILD/wolfctl' --socket '$SOCKET' status --json | '$BUILD/tests/tools/jsonget' sinks.0.rows) -gt $rows ]"
    await_state sinks.0.state idle 60
    compare
    say "round $round: $(($(status_of sinks.0.rows) - rows)) rows again, $(grep -c sink.room "$DIR/agent.log") times room was made"
done
# the children of a parent whose key moves follow it, as on the source
sql source "USE d; INSERT INTO p VALUES (1, 1), (2, 2); INSERT INTO c VALUES (1, 1), (2, 1), (3, 2); UPDATE p SET id = 7 WHERE id = 1; UPDATE p SET v = 5"
wait_delivered
compare
grep -q sink.room "$DIR/agent.log" || fail "no unique value was in the way: this proves nothing"
stop_agent
