#!/bin/bash
# A power cut takes from the agent's log what was written and not synced, while the target has executed more than that: nothing
# was committed there that the log lost. Syncs are made slow, the agent is killed, the log is cut back to its durable end.
. "$(dirname "$0")/../lib.sh"
ROUNDS=${ROUNDS:-$([ "$LONG" = 1 ] && echo 100 || echo 25)}
start_source
start_target
write_config wal.segment_size_mb=1
sql source "CREATE DATABASE d; CREATE TABLE d.a (id INT PRIMARY KEY, n BIGINT) ENGINE=InnoDB;
    CREATE TABLE d.h (id BIGINT PRIMARY KEY AUTO_INCREMENT, v INT, t VARCHAR(300)) ENGINE=InnoDB;
    INSERT INTO d.a SELECT seq, 0 FROM d.seq_1_to_50"
export SLOWSYNC_MS=40
writer() {
    local i
    for ((i = 0; i < 1000000; i++)); do
        echo "START TRANSACTION; UPDATE d.a SET n = n + 1 WHERE id = $((i % 50 + 1)); INSERT INTO d.h (v, t) VALUES ($i, HEX(RANDOM_BYTES(120)));" \
            "UPDATE d.a SET n = n + 2 WHERE id = $(((i * 7) % 50 + 1)); COMMIT;"
    done | sql source || true
}
cut=0
start_agent_slow
wait_delivered
writer >/dev/null 2>&1 &
WRITER=$!
BACKGROUND+=("$WRITER")
for ((round = 0; round < ROUNDS; round++)); do
    sleep "0.$(printf %03d $((300 + RANDOM % 500)))"
    kill_agent
    cut_log_back
    cut=$((cut + TOOK))
    start_agent_slow
done
end_process "$WRITER" KILL
for id in $(sql source "SELECT id FROM information_schema.processlist WHERE user = 'root' AND id <> CONNECTION_ID()"); do
    sql source "KILL $id" >/dev/null 2>&1 || true
done
wait_delivered 90
compare
say "$(sql target 'SELECT COUNT(*) FROM d.h') transactions, $cut of $ROUNDS cuts took something"
[ "$cut" -ge $((ROUNDS / 4)) ] || fail "hardly a cut took anything: the test does not test"
stop_agent 8
