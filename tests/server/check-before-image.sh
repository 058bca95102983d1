#!/bin/bash
# check_before_image compares contents: a wide text key passes, a row whose other columns differ is a conflict that names it.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
write_config sink.check_before_image=true
start_agent
sql source "CREATE DATABASE d; USE d;
    CREATE TABLE a (k1 VARCHAR(20), k2 VARCHAR(20), k3 VARCHAR(20), k4 VARCHAR(20), k5 VARCHAR(20), v1 VARCHAR(20), v2 VARCHAR(20), PRIMARY KEY (k1, k2, k3, k4, k5));
    INSERT INTO a VALUES ('a', 'b', 'c', 'd', 'e', 'x', 'y'), ('f', 'g', 'h', 'i', 'j', NULL, '')"
wait_delivered
sql source "UPDATE d.a SET v1 = 'z', v2 = 'q' WHERE k1 = 'a'"
wait_delivered
sql source "UPDATE d.a SET k1 = 'ff', v1 = 'n' WHERE k1 = 'f'; DELETE FROM d.a WHERE k1 = 'a'"
wait_delivered
compare
sql source "INSERT INTO d.a VALUES ('k', '', '', '', '', 'old', NULL)"
wait_delivered
sql target "UPDATE d.a SET v2 = 'of somebody else' WHERE k1 = 'k'"
sql source "UPDATE d.a SET v1 = 'new' WHERE k1 = 'k'"
await_state sinks.0.state conflict
[ "$(sql target "SELECT v1 FROM d.a WHERE k1 = 'k'")" = old ] || fail "it was changed all the same"
ctl_agent conflict overwrite --sink target
wait_delivered
compare
stop_agent
