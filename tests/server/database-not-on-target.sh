#!/bin/bash
# A statement in a database that the target lacks is a conflict; it never runs in another database of the same session.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
write_config
start_agent
sql source "CREATE DATABASE x; CREATE TABLE x.t (id INT PRIMARY KEY); CREATE DATABASE d; USE d;
    CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1), (2), (3)"
wait_delivered
sql target "DROP DATABASE x"
refused() {
    await_state sinks.0.state conflict
    says sinks.0.reason '1049|[Uu]nknown database'
    [ "$(sql target 'SELECT COUNT(*) FROM d.t')" = 3 ] || fail "$1 ran in database d"
}
sql source "USE d; ALTER TABLE t ADD v INT; USE x; TRUNCATE TABLE t"
refused TRUNCATE
ctl_agent conflict skip --sink target --yes
wait_delivered
sql source "USE d; ALTER TABLE t ADD w INT; USE x; CREATE TABLE u (id INT)"
refused 'CREATE TABLE'
[ -z "$(sql target "SHOW TABLES IN d LIKE 'u'")" ] || fail "the table was made in database d"
# the operator gives the target what it lacks
sql target "CREATE DATABASE x; CREATE TABLE x.t (id INT PRIMARY KEY)"
ctl_agent conflict retry --sink target
wait_delivered
compare
# ALTER DATABASE may leave out the name, and then means the session's
sql source "CREATE DATABASE y; USE y; ALTER DATABASE CHARACTER SET latin2; ALTER DATABASE d CHARACTER SET hebrew; USE d; ALTER DATABASE x CHARACTER SET greek"
wait_delivered
for name in d x y; do
    charset="SELECT default_character_set_name FROM information_schema.schemata WHERE schema_name = '$name'"
    [ "$(sql target "$charset")" = "$(sql source "$charset")" ] || fail "database $name has the character set $(sql target "$charset")"
done
sql target "DROP DATABASE y"
sql source "USE d; ALTER TABLE t ADD x INT; USE y; ALTER DATABASE CHARACTER SET swe7"
refused 'ALTER DATABASE'
stop_agent
