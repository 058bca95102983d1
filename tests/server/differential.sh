#!/bin/bash
# Random schemas and random writes (tests/tools/randschema): every type, key and character set of the server, DDL in between, row images and formats
# that change; captured, applied to a server of the same flavour, and compared row by row. A difference names its database, rs_SEED: the same
# seed does the same again. SERVER=mariadb mariadb-11.8 mysql-9, TARGET=the same, or another flavour: then with what both have. COUNT schemas (50;
# 1,000 with LONG=1) from FIRST on, SLOTS at a time; what stops delivery is shown with its statement.
. "$(dirname "$0")/../lib.sh"
SERVER=${SERVER:-mariadb}
TARGET=${TARGET:-$SERVER}
COUNT=${COUNT:-$([ "$LONG" = 1 ] && echo 1000 || echo 50)}
FIRST=${FIRST:-$([ "$LONG" = 1 ] && echo $((SEED * 1000 + 1)) || echo 77001)} # the same in every short run: what chance finds is for --long
STEPS=${STEPS:-60}
SLOTS=${SLOTS:-3}
CHUNK=${CHUNK:-25}
common=()
[ "${SERVER%%-*}" = "${TARGET%%-*}" ] || common=(--common yes)
start_source "$SERVER.sh" --max-allowed-packet=64M
start_target "$TARGET.sh" --max-allowed-packet=64M
for server in source target; do sql $server "SET GLOBAL innodb_flush_log_at_trx_commit = 0"; done # nobody is killed here
write_config sink.keyless_rows_max=1000000 "$@"
start_agent
for ((from = FIRST; from < FIRST + COUNT; from += CHUNK)); do
    to=$((from + CHUNK < FIRST + COUNT ? from + CHUNK : FIRST + COUNT))
    pids=()
    for ((slot = 0; slot < SLOTS; slot++)); do
        a=$((from + (to - from) * slot / SLOTS)) b=$((from + (to - from) * (slot + 1) / SLOTS))
        [ $a -lt $b ] || continue
        "$BUILD/tests/tools/randschema" --socket "$DIR/source/sock" --seed $a --count $((b - a)) --steps "$STEPS" "${common[@]}" >>"$DIR/randschema.log" 2>&1 &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid" || { tail -n 5 "$DIR/randschema.log" >&2; fail "randschema"; }; done
    wait_delivered "${PATIENCE:-120}"
    compare
    for ((seed = from; seed < to; seed++)); do echo "SET foreign_key_checks = 0; DROP DATABASE IF EXISTS rs_$seed;"; done | sql source
done
wait_delivered 120
say "$COUNT schemas from $FIRST on: $(awk '{ done += $3; refused += $6 } END { print done " statements, " refused " refused" }' "$DIR/randschema.log")"
stop_agent
