#!/bin/bash
# wolfctl binlog-setup looks at the server, says what it found, and writes a configuration with which the agent runs.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
(umask 077 && echo admin >"$DIR/password")
code=0
ctl binlog-setup --host 127.0.0.1 --port "${PORT[source]}" --user admin --password-file "$DIR/password" \
    --output "$DIR/wolfcdc.toml" >"$DIR/setup.out" 2>&1 </dev/null || code=$?
[ $code = 0 ] || { cat "$DIR/setup.out" >&2; fail "binlog-setup ended with $code"; }
[ "$(stat -c %a "$DIR/wolfcdc.toml")" = 600 ] || fail "the configuration can be read by others"
! grep -qx 'password *= *"admin"' "$DIR/wolfcdc.toml" || fail "the password is in the configuration"
code=0
ctl binlog-setup --host 127.0.0.1 --port "${PORT[source]}" --user admin --password-file "$DIR/password" \
    --output "$DIR/wolfcdc.toml" >/dev/null 2>&1 </dev/null || code=$?
[ $code = 2 ] || fail "an existing configuration was not refused (exit $code)"
ctl binlog-setup --host 127.0.0.1 --port "${PORT[source]}" --user admin --password-file "$DIR/password" --print --json \
    </dev/null >"$DIR/setup.json" 2>/dev/null || fail "--print --json"
grep -q . "$DIR/setup.json" || fail "--json printed nothing"
# the missing privilege is named with the statement that gives it
code=0
printf 'repl\n' >"$DIR/repl" && chmod 600 "$DIR/repl"
ctl binlog-setup --host 127.0.0.1 --port "${PORT[source]}" --user repl --password-file "$DIR/repl" --print >"$DIR/repl.out" 2>&1 </dev/null || code=$?
grep -q 'GRANT .*repl' "$DIR/repl.out" || { cat "$DIR/repl.out" >&2; fail "no GRANT named"; }
# an IPv6 address of a target has colons of its own
for target in "::1 ::1:3306" "[::1]:9 ::1:9"; do
    code=0
    ctl binlog-setup --socket "$DIR/source/sock" --user root --target "${target% *}" --target-user admin --target-password-file "$DIR/repl" >"$DIR/six.out" 2>&1 </dev/null || code=$?
    grep -q "target ${target#* }:" "$DIR/six.out" || { cat "$DIR/six.out" >&2; fail "--target ${target% *}"; }
done
# what it wrote is used as it stands, with where the changes go and where the log lives
CONFIG=$DIR/wolfcdc.toml SOCKET=$DIR/control.sock
if grep -qE '^(dir|socket) *=' "$CONFIG"; then
    sed -i "s|^dir *=.*|dir = \"$DIR/wal\"|; s|^socket *=.*|socket = \"$SOCKET\"|" "$CONFIG"
fi
grep -q '^\[wal\]' "$CONFIG" || printf '[wal]\ndir = "%s"\n' "$DIR/wal" >>"$CONFIG"
grep -q '^\[api\]' "$CONFIG" || printf '[api]\nsocket = "%s"\n' "$SOCKET" >>"$CONFIG"
sed -i '/^\[\[sink\]\]/,/^\[/{/^\[\[sink\]\]/d;/^[a-z_]* *=/d}' "$CONFIG"
cat >>"$CONFIG" <<END
[[sink]]
name = "target"
type = "mysql"
host = "127.0.0.1"
port = ${PORT[target]}
user = "admin"
password_file = "$DIR/password"
END
"$BUILD/wolfcdc" --config "$CONFIG" --check || fail "the agent refuses the configuration"
start_agent
wait_for 20 "capture" bash -c "$(declare -f ctl_agent status_of); BUILD=$BUILD SOCKET=$SOCKET; status_of source.state | grep -qE 'idle|streaming'"
sql source "CREATE DATABASE d; USE d; CREATE TABLE d.t (id INT PRIMARY KEY); INSERT INTO d.t VALUES (1)"
wait_delivered
compare
stop_agent
