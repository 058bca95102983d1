#!/bin/bash
# The source's connection is cut after every byte of a transaction of three row events: each time it is taken again, once.
. "$(dirname "$0")/../lib.sh"
STEP=${STEP:-$([ "$LONG" = 1 ] && echo 1 || echo 9)}
start_source
start_target
sql source "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY AUTO_INCREMENT, n INT NOT NULL, v VARCHAR(20))"
start_proxy cut "${PORT[source]}" --arm "$DIR/arm"
SOURCE_PORT=$PROXY_PORT write_config source.heartbeat_ms=5000
start_agent
wait_delivered
# how many bytes such a transaction has: the binlog's own growth
size() { sql source "SHOW MASTER STATUS" | cut -f2; }
write() {
    sql source "START TRANSACTION; INSERT INTO d.t (n, v) VALUES ($1, 'cut'); UPDATE d.t SET n = n + 1 WHERE id = 1;
        INSERT INTO d.t (n, v) VALUES ($1, 'again'); COMMIT"
}
before=$(size)
write 0
bytes=$(($(size) - before))
wait_delivered
cuts=0
# each event travels with a header of five bytes
for ((at = 1; at <= bytes + 40; at += STEP)); do
    wait_for 10 "streaming again" bash -c "$(declare -f ctl_agent status_of); BUILD='$BUILD' SOCKET='$SOCKET'; status_of source.state | grep -qE 'idle|streaming'"
    echo $at >"$DIR/arm"
    write $at
    for ((i = 0; i < 50; i++)); do
        [ -e "$DIR/arm" ] || break
        sleep 0.02
    done
    cuts=$((cuts + 1))
    if [ $((cuts % 10)) = 0 ]; then
        wait_delivered
        compare
    fi
done
rm -f "$DIR/arm"
wait_delivered
compare
aborted=$(grep -c 'source.state.*connecting' "$DIR/agent.log" || true)
say "$bytes bytes, $cuts cuts, $aborted reconnects"
[ "$aborted" -ge $((cuts / 2)) ] || fail "the proxy hardly cut anything: $aborted of $cuts"
stop_agent
