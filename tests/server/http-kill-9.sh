#!/bin/bash
# Agent, source, the server of the API and its database are killed with -9 under load, connections are dropped and answers cut: nothing is
# missing, once with a server that heeds the Idempotency-Key and once with one that does not.
. "$(dirname "$0")/../lib.sh"
ROUNDS=${ROUNDS:-$([ "$LONG" = 1 ] && echo 40 || echo 6)}
start_source
start_target
KEYS=
start_store a
write_http_config "\"http://127.0.0.1:${STORE[a]}\"" 'sink.exclude=["*.audit"]'
start_agent
for ((round = 1; round <= ROUNDS; round++)); do
    if ((round == ROUNDS / 2 + 1)); then
        KEYS=--ignore-keys
        kill_store a
        start_store a $KEYS
    fi
    workload --database "shop$round" --setup-only
    start_workload --database "shop$round" --no-setup --clients 3 --seconds 3 --rate 80
    killed=
    for ((kill = 0; kill < 3; kill++)); do
        sleep "0.$((RANDOM % 9))"
        case $((RANDOM % 6)) in
        0) kill_agent && start_agent && killed+=" agent" ;;
        1) kill_store a && sleep "0.$((RANDOM % 6))" && killed+=" server" && start_store a $KEYS ;;
        2) kill_server target && sleep "0.$((RANDOM % 6))" && killed+=" database" && start_target ;;
        3) kill_store a && kill_agent && start_store a $KEYS && start_agent && killed+=" agent+server" ;;
        4) store_mode a "drop:1,error:2,slow:1,drop:1" && killed+=" drop" ;;
        5) store_mode a "cut:1,ok:20,cut:1" && killed+=" cut" ;;
        esac
    done
    join_workload
    sql source "DROP TABLE shop$round.audit"
    wait_delivered 120
    say "round $round:$killed $KEYS"
    compare
done
stop_agent
