#!/bin/bash
# The target's connection breaks, and the agent dies, at each step of a group's commit: COMMIT not sent, sent and not
# answered, answered and not noted. What was done is not done again: every change adds, so twice would show.
. "$(dirname "$0")/../lib.sh"
ROUNDS=${ROUNDS:-$([ "$LONG" = 1 ] && echo 400 || echo 40)}
start_source
start_target
write_config
start_agent
sql source "CREATE DATABASE d; USE d; CREATE TABLE d.a (id INT PRIMARY KEY, n BIGINT) ENGINE=InnoDB;
    CREATE TABLE d.h (id BIGINT PRIMARY KEY AUTO_INCREMENT, v INT) ENGINE=InnoDB;
    INSERT INTO d.a SELECT seq, 0 FROM d.seq_1_to_50"
wait_delivered
writer() {
    local i
    for ((i = 0; i < 100000; i++)); do
        echo "START TRANSACTION; UPDATE d.a SET n = n + 1 WHERE id = $((i % 50 + 1)); INSERT INTO d.h (v) VALUES ($i);" \
            "UPDATE d.a SET n = n + 2 WHERE id = $(((i * 7) % 50 + 1)); COMMIT;"
    done | sql source || true
}
writer >/dev/null 2>&1 &
WRITER=$!
BACKGROUND+=("$WRITER")
for ((round = 0; round < ROUNDS; round++)); do
    sleep "0.$(printf %03d $((RANDOM % 250)))"
    if [ $((round % 3)) = 0 ]; then
        # the server ends our sessions, at whatever they do
        sql target "SELECT CONCAT('KILL HARD ', id, ';') FROM information_schema.processlist WHERE user = 'admin'" |
            mariadb --no-defaults --user=root --socket="$DIR/target/sock" -f >/dev/null 2>&1 || true
    else
        kill_agent
        start_agent
    fi
done
end_process "$WRITER" KILL
pkill_source_writers() { sql source "SELECT id FROM information_schema.processlist WHERE user = 'root' AND id <> CONNECTION_ID()"; }
for id in $(pkill_source_writers); do sql source "KILL $id" >/dev/null 2>&1 || true; done
wait_delivered
compare
say "$(sql target 'SELECT COUNT(*) FROM d.h') transactions"
stop_agent
