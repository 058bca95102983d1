#!/bin/bash
# The second driver, on MySQL's own libmysqlclient. Where it is not built in that is said; where libmariadb has no way to log in it is taken by itself, and said
# in the log; it cannot log in to a MariaDB's usual account, and says so. Then the scenarios of MySQL 9.7 once more, over it. With LONG=1, or where it is built in.
. "$(dirname "$0")/../lib.sh"
[ "$LONG" = 1 ] || [ -e "$BUILD/wolfcdc-mysqlclient.so" ] || skip "with LONG=1, or a build --with-mysqlclient"
start_source mysql-9.sh
start_target
sql source "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY, v VARCHAR(40))"
if ! grep -q '^module_DATA' "$BUILD/Makefile"; then
    write_config 'source.driver="mysqlclient"'
    start_agent
    await_state source.state stopped
    says source.reason 'driver mysqlclient is not here.*--with-mysqlclient'
    kill_agent
    write_config
    MARIADB_PLUGIN_DIR=$DIR start_agent
    await_state source.state stopped
    says source.reason "caching_sha2_password.*libmysqlclient, which is tried then: the driver mysqlclient is not here"
    kill_agent
fi

# libmariadb without its login plugins
with_mysqlclient
write_config
MARIADB_PLUGIN_DIR=$DIR start_agent
await_state source.state idle
log_says 'db.driver .*driver=libmysqlclient reason="source 127.0.0.1:[0-9]+: connect.*caching_sha2_password'
log_says 'source.connected .*driver=libmysqlclient'
sql source "INSERT INTO d.t VALUES (1, REPEAT('x', 40))"
wait_delivered
compare
[ "$(sql source 'SHOW REPLICAS' | cut -f1)" = 7301 ] || fail "the source does not show us"
# a source that stands still is noticed, and the agent stops at once meanwhile
kill -STOP "$(cat "$DIR/source/pid")"
await_state source.state connecting 30
stop_agent
kill -CONT "$(cat "$DIR/source/pid")"

# it is the target that is a MariaDB here
write_config 'source.driver="mysqlclient"' "source.port=${PORT[target]}"
rm -rf "$DIR/wal" "$DIR"/wal.*
start_agent
await_state source.state stopped
says source.reason 'libmysqlclient 9 cannot log in to an account with mysql_native_password: set driver = "libmariadb"'
stop_agent
stop_server source
stop_server target

for name in source-mysql source-mysql-file mysql-failover semi-sync-mysql; do
    DRIVER=mysqlclient PORT_BASE=$LAST_PORT SEED=$SEED "$HERE/server/$name.sh" || fail "$name over libmysqlclient"
done
