#!/bin/bash
# Agent, source and target are killed with -9 at random under load, ROUNDS times; the rows are equal after each. SERVER=mariadb mysql-9 …, TARGET=the same, or
# another; LONG=1 without SERVER: MariaDB 100 times, and MySQL 9.7 20 times.
. "$(dirname "$0")/../lib.sh"

round() {
    local kill victim killed=
    workload --database "shop$1" --setup-only
    start_workload --database "shop$1" --no-setup --clients 4 --seconds 3 --ddl-ms 400
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
    say "round $1: killed$killed"
    compare
}

# loop SERVER TARGET ROUNDS
loop() {
    local i
    start_source "$1.sh"
    start_target "$2.sh"
    write_config
    start_agent
    for ((i = 1; i <= $3; i++)); do round $i; done
    stop_agent
    stop_server source
    stop_server target
    rm -rf "$DIR"
    mkdir -p "$DIR"
    say "$1 to $2: $3 rounds"
}

if [ "$LONG" = 1 ] && [ -z "${SERVER-}" ]; then
    loop mariadb mariadb "${ROUNDS:-100}"
    loop mysql-9 mysql-9 "${ROUNDS:-20}"
else
    SERVER=${SERVER:-mariadb}
    loop "$SERVER" "${TARGET:-$SERVER}" "${ROUNDS:-10}"
fi
