#!/bin/bash
# The agent begins with saved binlogs and goes on with the server where they end: the server has purged them by then. kill -9 in the middle of the files,
# files alone that grow while they are read, a file that is missing in the middle, a server whose history is another, and a copy that is made anew
# with more in it: each is right, or said by name.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
mkdir "$DIR/saved"
save() { cp "$DIR/source/data/"binlog.0000* "$DIR/saved/"; }
sql source "CREATE DATABASE d; USE d; CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(2000)); FLUSH BINARY LOGS"
for ((i = 0; i < 4; i++)); do
    sql source "USE d; INSERT INTO t SELECT $i * 1000 + seq, REPEAT('v', 900) FROM seq_1_to_1000; UPDATE t SET v = '$i' WHERE id % 7 = $i; FLUSH BINARY LOGS"
done
save
last=$(sql source "SHOW MASTER STATUS" | cut -f1)
sql source "INSERT INTO d.t VALUES (90001, 'behind the files'); PURGE BINARY LOGS TO '$last'"
write_config "source.files=[\"$DIR/saved/binlog.*\"]" source.start_gtid=-
[ "$("$BUILD/wolfcdc" --config "$CONFIG" --check >/dev/null 2>&1 && echo ok)" = ok ] || fail "--check"
launch_agent
sleep 0.3
kill_agent # while it reads the files, or before
start_agent
wait_delivered
compare
grep -q 'source.files_end.*then="the server"' "$DIR/agent.log" || fail "it does not say that the files end"
grep -q 'source.connected server=127.0.0.1' "$DIR/agent.log" || fail "it does not say that it goes on with the server"
sql source "INSERT INTO d.t VALUES (90002, 'live')"
wait_delivered
kill_agent
sql source "DELETE FROM d.t WHERE id % 3 = 0"
mv "$DIR/saved" "$DIR/moved" # no longer needed
start_agent
wait_delivered
compare
stop_agent

# ---- files alone, which grow
mv "$DIR/moved" "$DIR/saved"
mkdir "$DIR/later"
mv "$DIR/saved/$last" "$DIR/later"
rm -rf "$DIR/wal" "$DIR"/wal.*
sql target "DROP DATABASE d; DROP DATABASE wolfcdc"
write_config "source.files=[\"$DIR/saved/binlog.*\"]" source.start_gtid=- source.host=- source.port=- source.user=- source.password_file=- source.server_id=-
start_agent
wait_delivered
await_state source.state idle
[ "$(sql target "SELECT COUNT(*), SUM(id) FROM d.t")" = "$(printf '4000\t8002000')" ] || fail "from files alone: $(sql target "SELECT COUNT(*), SUM(id) FROM d.t")"
sql source "INSERT INTO d.t VALUES (90004, 'last'); FLUSH BINARY LOGS"
size=$(stat -c %s "$DIR/source/data/$last")
head -c $((size - 20)) "$DIR/source/data/$last" >"$DIR/later/$last"
mv "$DIR/later/$last" "$DIR/saved/$last" # its last event is torn, for now
wait_for 10 "the part of the last file" bash -c "mariadb --no-defaults -uroot -S $DIR/target/sock -N -e 'SELECT COUNT(*) FROM d.t WHERE id = 90004' | grep -q 1"
tail -c 20 "$DIR/source/data/$last" >>"$DIR/saved/$last"
cp "$DIR/source/data/binlog.$(printf %06d $((10#${last##*.} + 1)))" "$DIR/saved/"
wait_delivered
compare
stop_agent

# ---- a file is missing in the middle
mkdir "$DIR/part"
cp "$DIR/saved/"binlog.00000[124] "$DIR/part"
rm -rf "$DIR/wal" "$DIR"/wal.*
sql target "DROP DATABASE d; DROP DATABASE wolfcdc"
write_config "source.files=[\"$DIR/part/binlog.*\"]" source.start_gtid=-
start_agent
await_state source.state stopped
grep -q "binlog.000003 is missing" <<<"$(status_of source.reason)" || fail "the missing file is not named: $(status_of source.reason)"
stop_agent

# ---- another history on the server than in the files
sql source "RESET MASTER; CREATE DATABASE other; CREATE TABLE other.t (id INT PRIMARY KEY)"
for ((i = 0; i < 30; i++)); do echo "INSERT INTO other.t VALUES ($i);"; done | sql source
rm -rf "$DIR/wal" "$DIR"/wal.*
sql target "DROP DATABASE IF EXISTS d; DROP DATABASE IF EXISTS wolfcdc"
write_config "source.files=[\"$DIR/saved/binlog.*\"]" source.start_gtid=-
start_agent
await_state source.state diverged
[ "$(sql target "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'other'")" = 0 ] || fail "another server's changes were taken"
stop_agent

# ---- the copies are brought up to date (as rsync does: a new file under the old name) after the server was restarted in order
mkdir "$DIR/synced"
rm -rf "$DIR/wal" "$DIR"/wal.*
sql target "DROP DATABASE IF EXISTS d; DROP DATABASE IF EXISTS wolfcdc"
newest=$(sql source "FLUSH BINARY LOGS; SHOW MASTER STATUS" | cut -f1)
sql source "CREATE DATABASE s; CREATE TABLE s.t (id INT PRIMARY KEY); INSERT INTO s.t VALUES (1)"
cp "$DIR/source/data/$newest" "$DIR/synced/"
write_config "source.files=[\"$DIR/synced/binlog.*\"]" source.start_gtid=- source.host=- source.port=- source.user=- source.password_file=- source.server_id=-
start_agent
wait_for 10 "the first row" bash -c "mariadb --no-defaults -uroot -S $DIR/target/sock -N -e 'SELECT COUNT(*) FROM s.t' | grep -q 1"
sql source "INSERT INTO s.t VALUES (2)"
stop_server source
start_source
sql source "INSERT INTO s.t VALUES (3)"
cp "$DIR/source/data/$newest" "$DIR/synced/.partial"
cp "$DIR/source/data/binlog.$(printf %06d $((10#${newest##*.} + 1)))" "$DIR/next"
mv "$DIR/synced/.partial" "$DIR/synced/$newest"
mv "$DIR/next" "$DIR/synced/binlog.$(printf %06d $((10#${newest##*.} + 1)))"
wait_for 15 "the last row" bash -c "mariadb --no-defaults -uroot -S $DIR/target/sock -N -e 'SELECT COUNT(*) FROM s.t WHERE id = 3' | grep -q 1"
[ "$(sql target "SELECT GROUP_CONCAT(id ORDER BY id) FROM s.t")" = 1,2,3 ] || fail "rows of a file that was copied anew: $(sql target "SELECT GROUP_CONCAT(id ORDER BY id) FROM s.t")"
stop_agent
