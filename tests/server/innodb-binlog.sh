#!/bin/bash
# A binary log that is kept inside InnoDB, as MariaDB 12.3 has it: no event says its place, nothing has a checksum, and files are called -000042.ibb. No such server is to
# be had as a package: a real one's stream is dressed so by a proxy. Positions are GTIDs alone, over restarts of both sides and cuts at any byte; a
# semi-synchronous replica, which would have to answer with a place, is refused by name.
. "$(dirname "$0")/../lib.sh"
start_source - --binlog-checksum=NONE
start_target
free_port
# shellcheck disable=SC2034 # for write_config
SOURCE_PORT=$FREE
"$BUILD/tests/tools/cutproxy" --arm "$DIR/arm" --dress innodb "$FREE" "${PORT[source]}" >"$DIR/proxy.log" 2>&1 &
BACKGROUND+=("$!")
write_config source.heartbeat_ms=300
start_agent
workload --clients 3 --seconds 1 --ddl-ms 300
echo 20000 >"$DIR/arm"
workload --database shop2 --clients 2 --seconds 1
kill_agent
sql source "FLUSH BINARY LOGS; CREATE TABLE shop.more (id INT PRIMARY KEY); INSERT INTO shop.more VALUES (1), (2)"
start_agent
stop_server source
start_source
sql source "INSERT INTO shop.more VALUES (3)"
wait_delivered
compare
[ ! -e "$DIR/arm" ] || fail "nothing was cut"
status_of source.file | grep -qE '^bin-0000[0-9]\.ibb$' || fail "the file is '$(status_of source.file)': $(ctl_agent status --json)"
[ "$(status_of source.pos)" = 0 ] || fail "it has the place $(status_of source.pos)"
stop_agent
ctl wal info --dir "$DIR/wal" >"$DIR/info.out"
grep -qE 'bin-0000[0-9]\.ibb:0$' "$DIR/info.out" || fail "wal info says $(cat "$DIR/info.out")"

sql source "SET GLOBAL rpl_semi_sync_master_timeout=500, GLOBAL rpl_semi_sync_master_enabled=ON"
write_config source.semi_sync=true
start_agent
sql source "INSERT INTO shop.more VALUES (4)"
await_state source.state stopped
says source.reason 'semi_sync cannot be had: .*bin-0000[0-9].ibb.* inside InnoDB'
