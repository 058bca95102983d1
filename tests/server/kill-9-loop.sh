#!/bin/bash
# Agent, source and target are killed with -9 at random under load, ROUNDS times; the rows are equal after each.
. "$(dirname "$0")/../lib.sh"
ROUNDS=${ROUNDS:-$([ "$LONG" = 1 ] && echo 100 || echo 10)}
start_source
start_target
write_config
start_agent
for ((round = 1; round <= ROUNDS; round++)); do
    workload --database "shop$round" --setup-only
    start_workload --database "shop$round" --no-setup --clients 4 --seconds 3 --ddl-ms 400
    killed=
    for ((kill = 0; kill < 2; kill++)); do
        sleep "0.$((RANDOM % 9))"
        victim=$((RANDOM % 3))
        case $victim in
        0) kill_agent && killed+=" agent" ;;
        1) kill_server source && killed+=" source" ;;
        2) kill_server target && killed+=" target" ;;
        esac
        sleep "0.$((RANDOM % 6))"
        case $victim in
        0) start_agent ;;
        1) start_source ;;
        2) start_target ;;
        esac
    done
    join_workload
    wait_delivered 90
    say "round $round: killed$killed"
    compare
done
stop_agent
