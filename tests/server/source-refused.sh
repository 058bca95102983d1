#!/bin/bash
# What cannot be captured is said before the first event is taken: a server of a version that we do not know or that is too old; a MySQL that logs differences of
# JSON values beside images that lack the value before. Where only a session does that, capture stops at its event.
. "$(dirname "$0")/../lib.sh"
refused() { # refused TEXT
    : >"$DIR/agent.log"
    start_agent
    await_state source.state stopped
    says source.reason "$1"
    [ "$(status_of source.transactions)" = 0 ] || fail "something was taken before"
}
SOURCE_PORT=1 # each below names its own
# the agent needs no target for that
write_config_jsonl() { write_config 'sink.type="jsonl"' "sink.path=\"$DIR/out.json\"" sink.host=- sink.port=- sink.user=- sink.password_file=- "$@"; }
start_server old mariadb.sh --version=5.5.68-MariaDB-log
start_server odd mariadb.sh --version=4.1.22-standard
write_config_jsonl "source.port=${PORT[old]}"
refused 'MariaDB 5.5.68.*10\.6 or later'
kill_agent
write_config_jsonl "source.port=${PORT[odd]}"
refused 'is MySQL 4.1.22-standard: MySQL 5.6 or later is needed'
kill_agent
stop_server old
stop_server odd

start_source mysql-9.sh --binlog-row-value-options=PARTIAL_JSON --binlog-row-image=MINIMAL
write_config_jsonl "source.port=${PORT[source]}"
refused 'binlog_row_value_options is PARTIAL_JSON, and the images of rows are not FULL.*binlog_row_image=FULL'
sql source "SET GLOBAL binlog_row_image=FULL; CREATE DATABASE d"
sql source "CREATE TABLE d.j (id INT PRIMARY KEY, doc JSON); INSERT INTO d.j VALUES (1, '{\"a\": 1, \"b\": [1, 2, 3]}'); UPDATE d.j SET doc = JSON_SET(doc, '\$.a', 2)"
ctl_agent resume >/dev/null
wait_delivered
grep -q '"op":"update".*"after":{"id":1,"doc":{"a": *2, *"b": *\[1, *2, *3\]}}' "$DIR/out.json" || { cat "$DIR/out.json"; fail "the difference was not applied"; }
sql source "USE d; SET binlog_row_image=MINIMAL; UPDATE j SET doc = JSON_SET(doc, '\$.a', 3)"
await_state source.state stopped
says source.reason 'binlog_row_image=FULL'
stop_agent
