#!/bin/bash
# A row of the target that someone else changed stops delivery, names the row, and goes on as the operator says.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
write_config
start_agent
sql source "CREATE DATABASE d; USE d; CREATE TABLE d.t (id INT PRIMARY KEY, v INT); INSERT INTO d.t VALUES (1, 1), (2, 2), (3, 3)"
wait_delivered
conflict() {
    await_state sinks.0.state conflict
    says sinks.0.reason "$1"
    says sinks.0.remedy 'wolfctl conflict'
}
# missing, retried once it is back
sql target "DELETE FROM d.t WHERE id = 2"
sql source "UPDATE d.t SET v = 20 WHERE id = 2; INSERT INTO d.t VALUES (4, 4)"
conflict 'd.*t'
[ -z "$(sql target 'SELECT v FROM d.t WHERE id = 4')" ] || fail "a later change overtook the conflict"
sql target "INSERT INTO d.t VALUES (2, 2)"
ctl_agent conflict retry --sink target
wait_delivered
compare
# there already, overwritten
sql target "INSERT INTO d.t VALUES (5, 999)"
sql source "INSERT INTO d.t VALUES (5, 5)"
conflict 'd.*t'
ctl_agent conflict overwrite --sink target
wait_delivered
compare
# missing, skipped: the rest arrives
sql target "DELETE FROM d.t WHERE id = 1"
sql source "DELETE FROM d.t WHERE id = 1; INSERT INTO d.t VALUES (6, 6)"
conflict 'd.*t'
ctl_agent conflict skip --sink target --yes
wait_delivered
compare
stop_agent
