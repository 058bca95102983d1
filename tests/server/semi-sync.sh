#!/bin/bash
# semi_sync = true: the source answers a COMMIT only when it is synced to our log. Killed with -9 under load, round after round, its disk is then
# thrown away: every row that a client was told is committed is in the log and reaches the target. A pause lets go of the source. The ACK has the
# exact coordinates (a source stalled for ever on one that had not). ROUNDS=N.
. "$(dirname "$0")/../lib.sh"
ROUNDS=${ROUNDS:-$([ "$LONG" = 1 ] && echo 20 || echo 2)}
SEMI=(--rpl-semi-sync-master-enabled=ON --rpl-semi-sync-master-timeout=60000 --rpl-semi-sync-master-wait-point=AFTER_SYNC --sync-binlog=1)

start_source - "${SEMI[@]}"
start_target
write_config source.semi_sync=true source.heartbeat_ms=500
start_agent
await_state source.state idle
sql source "CREATE DATABASE d; CREATE TABLE d.t (id INT AUTO_INCREMENT PRIMARY KEY, client INT, n INT)"
wait_delivered
await_state source.semi_sync active 10
state_is source.acks 0 && fail "no acknowledgement was sent"

# what one commit costs, with us and without
with=0 without=0
latency with 40
sql source "SET GLOBAL rpl_semi_sync_master_enabled=OFF"
latency without 40
say "commit, median: $with us with semi_sync, $without us without"
sql source "SET GLOBAL rpl_semi_sync_master_enabled=ON"

# client N: rows one by one; what it was told is committed goes to a file
client() {
    local n=0
    coproc MARIA { mariadb --no-defaults --user=root --socket="$DIR/source/sock" -N -B -n 2>/dev/null; }
    while echo "INSERT INTO d.t (client, n) VALUES ($1, $n); SELECT LAST_INSERT_ID();" >&"${MARIA[1]}" && read -r id <&"${MARIA[0]}"; do
        echo "$id" >>"$DIR/told"
        n=$((n + 1))
    done 2>/dev/null
}
start_clients() {
    : >"$DIR/told"
    for c in 1 2 3; do client $c & BACKGROUND+=("$!"); done
    wait_for 20 "rows" bash -c "[ \$(wc -l <'$DIR/told') -gt $((${1-60} + RANDOM % 60)) ]"
    [ "$(status_var Rpl_semi_sync_master_status)" = ON ] || fail "the source has given up waiting for us"
    [ "$(status_var Rpl_semi_sync_master_no_tx)" = "$no_tx" ] || fail "commits passed without us"
}
all_told_arrived() {
    local missing
    sql target "SELECT id FROM d.t" | sort >"$DIR/have"
    missing=$(sort "$DIR/told" | comm -23 - "$DIR/have" | wc -l)
    [ "$missing" = 0 ] || differ "$missing of $(wc -l <"$DIR/told") acknowledged rows are not on the target"
    say "$1: $(wc -l <"$DIR/told") rows acknowledged, all on the target"
}
no_tx=$(status_var Rpl_semi_sync_master_no_tx)
for ((round = 1; round <= ROUNDS; round++)); do
    start_clients
    kill_server source
    # everything from the log is delivered, though the source is gone
    ctl_agent wait --gtid "$(status_of source.gtid)" --timeout 30 >/dev/null || fail "what is in the log is not delivered"
    all_told_arrived "round $round"
    start_source
    await_state source.state idle 30
    no_tx=$(status_var Rpl_semi_sync_master_no_tx)
    wait_delivered
    compare
done

# source and agent lose their power at once, and only the agent comes back: an acknowledgement that left before the sync would show
export SLOWSYNC_MS=60
stop_agent
start_agent_slow
await_state source.state idle 30
ctl_agent pause --sink target >/dev/null # so that the target has it from the log alone
sql source "INSERT INTO d.t (client, n) VALUES (9, 9)"
await_state source.semi_sync active 10
no_tx=$(status_var Rpl_semi_sync_master_no_tx)
start_clients 20
kill -STOP "$AGENT_PID"
kill_server source
kill_agent
cut_log_back
start_agent
last=$(status_of source.gtid)
ctl_agent wait --gtid "$last" --timeout 30 >/dev/null || fail "what is in the log is not delivered"
all_told_arrived "power cut (took something: $TOOK)"
start_source
await_state source.state idle 30
wait_delivered
compare

# held: the source is let go after 10 s at most, and comes back to us
sql source "SET GLOBAL rpl_semi_sync_master_timeout=2000"
ctl_agent pause >/dev/null
from=$SECONDS
sql source "INSERT INTO d.t (client, n) VALUES (9, 9)"
[ $((SECONDS - from)) -le 12 ] || fail "a paused agent held a COMMIT for $((SECONDS - from)) s"
ctl_agent resume >/dev/null
wait_delivered
wait_for 20 "semi-sync again" bash -c "[ \"\$(mariadb --no-defaults -uroot --socket='$DIR/source/sock' -NBe \"INSERT INTO d.t (client, n) VALUES (9, 9); SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_master_status'\" | cut -f2)\" = ON ]"
await_state source.semi_sync active 10
ctl_agent stats --json >"$DIR/stats.out"
grep -qE 'semi_sync_acks_total": ?[1-9]' "$DIR/stats.out" || fail "no metric of it"
wait_delivered
compare
stop_agent
