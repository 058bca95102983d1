#!/bin/bash
# One transaction of 9,900 rows, each an array of its own, over a Unix socket: the replies are read while the rest is sent.
. "$(dirname "$0")/../lib.sh"
ROWS=4950
start_source
start_target
write_config "sink.socket=\"$DIR/target/sock\"" sink.host=- sink.port=- 'sink.user="root"' sink.password_file=-
start_agent
sql source "CREATE DATABASE d; CREATE TABLE d.p (id INT PRIMARY KEY); CREATE TABLE d.k (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES d.p(id))"
wait_delivered
{
    echo "BEGIN;"
    # parent and child in turn: no two rows that follow one another can travel together
    for ((i = 1; i <= ROWS; i++)); do echo "INSERT INTO d.p VALUES ($i); INSERT INTO d.k VALUES ($i, $i);"; done
    echo "COMMIT;"
} | sql source
wait_delivered 20
compare
[ "$(sql target 'SELECT COUNT(*) FROM d.k')" = $ROWS ] || differ "rows are missing"
! grep -q 'sink.retry' "$DIR/agent.log" || fail "it took more than one attempt"
stop_agent
