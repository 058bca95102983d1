#!/bin/bash
# semi_sync = true on a MySQL 9.7: a COMMIT is answered only when it is synced to our log. A slow disk of ours makes it wait that long, and each row that a client
# was told is committed is on the target though the source died and never came back; with the exact coordinates the source counts no commit without us.
. "$(dirname "$0")/../lib.sh"
start_source mysql-9.sh --plugin-load-add=semisync_source.so --rpl-semi-sync-source-enabled=ON --rpl-semi-sync-source-timeout=60000 --sync-binlog=1
start_target
sql source "SET GLOBAL rpl_semi_sync_source_enabled=OFF; CREATE DATABASE d; CREATE TABLE d.t (id INT AUTO_INCREMENT PRIMARY KEY, n INT)"
write_config source.semi_sync=true source.heartbeat_ms=500
start_agent
await_state source.state idle
wait_delivered
sql source "SET GLOBAL rpl_semi_sync_source_enabled=ON"

with=0 without=0 slow=0
wait_for 10 "the source counts us" bash -c "[ \"\$(mariadb --no-defaults -uroot --socket='$DIR/source/sock' -NBe \"SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_source_clients'\" | cut -f2)\" = 1 ]"
latency with 40
await_state source.semi_sync active 10
[ "$(status_of source.acks)" -ge 40 ] || fail "$(status_of source.acks) acknowledgements for 40 commits"
[ "$(status_var Rpl_semi_sync_source_no_tx)" = 0 ] || fail "commits passed without us"
[ "$(status_var Rpl_semi_sync_source_yes_tx)" -ge 40 ] || fail "the source has not counted our acknowledgements"
sql source "SET GLOBAL rpl_semi_sync_source_enabled=OFF"
latency without 40
say "commit, median: $with us with semi_sync, $without us without"
sql source "SET GLOBAL rpl_semi_sync_source_enabled=ON"

# the acknowledgement leaves after our sync, and not before
stop_agent
SLOWSYNC_MS=120 start_agent_slow
await_state source.state idle 30
latency slow 5
[ "$slow" -ge 120000 ] || fail "a COMMIT was answered in $slow us, and our sync takes 120 ms"
stop_agent
start_agent
await_state source.state idle 30

# what a client was told is on the target
client() {
    local n=0 id
    coproc SQL { mariadb --no-defaults --user=root --socket="$DIR/source/sock" -N -B -n 2>/dev/null; }
    while echo "INSERT INTO d.t (n) VALUES ($n); SELECT LAST_INSERT_ID();" >&"${SQL[1]}" && read -r id <&"${SQL[0]}"; do
        echo "$id" >>"$DIR/told"
        n=$((n + 1))
    done 2>/dev/null
}
: >"$DIR/told"
for c in 1 2 3; do client $c & BACKGROUND+=("$!"); done
wait_for 20 "rows" bash -c "[ \$(wc -l <'$DIR/told') -gt 100 ]"
[ "$(status_var Rpl_semi_sync_source_no_tx)" = 0 ] || fail "commits passed without us"
kill_server source
ctl_agent wait --gtid "$(status_of source.gtid)" --timeout 30 >/dev/null || fail "what is in the log is not delivered"
sql target "SELECT id FROM d.t" | sort >"$DIR/have"
missing=$(sort "$DIR/told" | comm -23 - "$DIR/have" | wc -l)
[ "$missing" = 0 ] || differ "$missing of $(wc -l <"$DIR/told") acknowledged rows are not on the target"
say "$(wc -l <"$DIR/told") rows acknowledged, all on the target"
stop_agent
