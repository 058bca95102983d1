#!/bin/bash
# A session of the source with innodb_strict_mode=0 makes tables that the target would refuse by its own setting: they are made there too.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
write_config
start_agent
wide=$(for i in {1..40}; do printf ', c%d CHAR(255)' "$i"; done)
sql target "CREATE DATABASE try; CREATE TABLE try.t (id INT PRIMARY KEY$wide) ROW_FORMAT=COMPACT CHARACTER SET latin1" 2>/dev/null && fail "the target takes it anyway"
sql target "DROP DATABASE try"
sql source "CREATE DATABASE d; USE d; SET SESSION innodb_strict_mode = 0; CREATE TABLE t (id INT PRIMARY KEY$wide) ROW_FORMAT=COMPACT CHARACTER SET latin1;
    INSERT INTO t (id, c1) VALUES (1, 'a'), (2, NULL); ALTER TABLE t ADD COLUMN more CHAR(255)" 2>/dev/null
wait_delivered
compare
stop_agent
