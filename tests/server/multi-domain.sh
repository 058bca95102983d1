#!/bin/bash
# Several GTID domains, written by turns, and kills in between: the set of all domains is the position.
. "$(dirname "$0")/../lib.sh"
start_source
start_target
write_config
start_agent
sql source "CREATE DATABASE d; USE d; CREATE TABLE d.t (id INT PRIMARY KEY AUTO_INCREMENT, dom BIGINT, n INT)"
for round in 1 2 3; do
    for domain in 0 1 7 4000000000; do
        sql source "SET SESSION gtid_domain_id = $domain; INSERT INTO d.t (dom, n) VALUES ($domain, $round), ($domain, $round); UPDATE d.t SET n = n + 1 WHERE dom = $domain"
    done
    kill_agent
    sql source "SET SESSION gtid_domain_id = 9; INSERT INTO d.t (dom, n) VALUES (9, $round)"
    start_agent
done
wait_delivered
compare
[ "$(sql source 'SELECT COUNT(DISTINCT dom) FROM d.t')" = 5 ] || fail "the test did not write five domains"
stop_agent
