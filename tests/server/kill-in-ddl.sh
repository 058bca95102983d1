#!/bin/bash
# Killed in the middle of a DDL on the target, agent or target, at every step of it: it is neither lost nor done twice.
. "$(dirname "$0")/../lib.sh"
ROUNDS=${ROUNDS:-$([ "$LONG" = 1 ] && echo 60 || echo 12)}
start_source
start_target
write_config
start_agent
sql source "CREATE DATABASE d; USE d; CREATE TABLE d.t (id INT PRIMARY KEY AUTO_INCREMENT, v VARCHAR(100), n INT DEFAULT 0) ENGINE=InnoDB;
    INSERT INTO d.t (v) SELECT REPEAT(CHAR(65 + seq % 26), 80) FROM d.seq_1_to_60000"
wait_delivered
# each statement changes what the next one, and the row between them, rests on: run twice or not at all, it shows
statement() {
    case $(($1 % 8)) in
    0) echo "ALTER TABLE d.t ADD COLUMN c$1 INT NOT NULL DEFAULT $1, ALGORITHM=COPY" ;;
    1) echo "CREATE TABLE d.n$1 (a INT PRIMARY KEY, b INT); INSERT INTO d.n$1 VALUES (1, $1)" ;;
    2) echo "ALTER TABLE d.t ADD INDEX i$1 (v, n)" ;;
    3) echo "RENAME TABLE d.n$(($1 - 2)) TO d.r$1; INSERT INTO d.r$1 VALUES (2, 2)" ;;
    4) echo "ALTER TABLE d.t DROP INDEX i$(($1 - 2)), ENGINE=InnoDB" ;;
    5) echo "TRUNCATE TABLE d.r$(($1 - 2)); INSERT INTO d.r$(($1 - 2)) VALUES (3, 3)" ;;
    6) echo "ALTER TABLE d.t DROP COLUMN c$(($1 - 6)), FORCE, ALGORITHM=COPY" ;;
    7) echo "DROP TABLE d.r$(($1 - 4))" ;;
    esac
}
# the next AUTO_INCREMENT is not in the binary log
definition() { sql "$1" 'SHOW CREATE TABLE d.t' | sed 's/ AUTO_INCREMENT=[0-9]*//'; }
for ((round = 0; round < ROUNDS; round++)); do
    sql source "$(statement $round); UPDATE d.t SET n = n + 1 WHERE id <= 50"
    sleep "0.$(printf %03d $((RANDOM % 500)))"
    if [ $((RANDOM % 2)) = 0 ]; then
        kill_agent
        sleep "0.$((RANDOM % 4))"
        start_agent
    else
        kill_server target
        start_target
    fi
    wait_delivered 90
    compare
    [ "$(definition source)" = "$(definition target)" ] || fail "d.t is defined differently in round $round"
done
stop_agent
