#!/bin/bash
# Random schemas and random writes (tests/tools/randschema): every type, key and character set of the server, rows of megabytes, DDL in between, transactions in two
# phases, row images and formats that change; captured, applied to a server of the same flavour, and compared row by row, on two servers of one version with SHOW CREATE
# TABLE, too. What randschema counted in each schema, at least one row, is what must have been compared. A difference names its database, rs_SEED: the same seed does the
# same again. SERVER=mariadb mariadb-11.8 mysql-9 mysql-5.6 (a source only), TARGET=the same, or another flavour: then with what both have, and rows alone. COUNT schemas
# (50) from FIRST on, SLOTS at a time; what stops delivery is shown with its statement. LONG=1 without SERVER: 1,000 of each server, and 300 of each flavour to the other.
. "$(dirname "$0")/../lib.sh"
STEPS=${STEPS:-60}
SLOTS=${SLOTS:-3}
CHUNK=${CHUNK:-25}

# counted FIRST END: each of these seeds made tables and rows, and so many were compared.
counted() {
    local tables rows
    read -r tables rows < <(sed -nE 's/^equal: ([0-9]+) tables, ([0-9]+) rows compared.*/\1 \2/p' "$DIR/compare.out")
    awk -F '[_: ]+' -v first="$1" -v end="$2" -v tables="$tables" -v rows="$rows" '
        $1 == "rs" && $2 >= first && $2 < end { seen++; t += $3; r += $5; if (!($5 > 0)) empty++ }
        END { exit !(seen == end - first && !empty && t == tables && r == rows) }' "$DIR/randschema.log" ||
        fail "$tables tables with $rows rows were compared, and seeds $1 to $(($2 - 1)) made: $(tail -n $(($2 - $1)) "$DIR/randschema.log")"
}

# schemas FIRST END: all of them written, delivered, compared and dropped.
schemas() {
    local slot a b pid seed
    local -a pids=()
    for ((slot = 0; slot < SLOTS; slot++)); do
        a=$(($1 + ($2 - $1) * slot / SLOTS)) b=$(($1 + ($2 - $1) * (slot + 1) / SLOTS))
        [ $a -lt $b ] || continue
        "$BUILD/tests/tools/randschema" --socket "$DIR/source/sock" --seed $a --count $((b - a)) --steps "$STEPS" "${only[@]}" >>"$DIR/randschema.log" 2>&1 &
        pids+=($!)
    done
    for pid in "${pids[@]}"; do wait "$pid" || { tail -n 5 "$DIR/randschema.log" >&2; fail "randschema"; }; done
    wait_delivered "${PATIENCE:-120}"
    compare "${definitions[@]}"
    counted "$1" "$2"
    rm -f "$DIR"/source/data/rs_*/'#sql-'*.par # which MySQL 5.6 leaves when it refuses a partition, and will not drop
    for ((seed = $1; seed < $2; seed++)); do echo "SET foreign_key_checks = 0; DROP DATABASE IF EXISTS rs_$seed;"; done | sql source
}

# summary PAIR SECONDS: what was compared; a source that refuses most of what it is asked has nothing to show.
summary() {
    awk -F '[_: ]+' -v pair="$1" -v seconds="$2" -v taken="$(status_of source.rows)" -v given="$(status_of sinks.0.rows)" '
        $1 == "rs" { seen++; tables += $3; rows += $5; done += $7; refused += $9 }
        END {
            printf "%s: %d schemas equal: %d tables, %d rows; of %d statements done (%d refused), %d changes of rows were taken, %d delivered; %d s\n",
                pair, seen, tables, rows, done, refused, taken, given, seconds
            exit !(done > refused && taken > 0)
        }' "$DIR/randschema.log" || fail "nearly nothing was written"
}

# pair SERVER TARGET COUNT FIRST [KEY=VALUE...]
pair() {
    local source=$1 target=$2 count=$3 first=$4 from to began=$SECONDS
    only=() definitions=() words=()
    [ "$source" != "$target" ] || definitions=(--definitions)
    [ "$source" = "$target" ] || only=(--rows yes)
    [ "${source%%-*}" = "${target%%-*}" ] || only=(--common yes) words=(sink.foreign_ddl='"map"')
    start_source "$source.sh" --max-allowed-packet=64M
    start_target "$target.sh" --max-allowed-packet=64M
    for from in source target; do sql $from "SET GLOBAL innodb_flush_log_at_trx_commit = 0"; done # nobody is killed here
    write_config sink.keyless_rows_max=1000000 "${words[@]}" "${@:5}"
    start_agent
    for ((from = first; from < first + count; from = to)); do
        to=$((from + CHUNK < first + count ? from + CHUNK : first + count))
        schemas $from $to
    done
    wait_delivered 120
    [ -z "$(sql target "SHOW DATABASES LIKE 'rs\\_%'")" ] || differ "the target kept what the source dropped"
    summary "$source to $target, seeds $first to $((first + count - 1))" $((SECONDS - began))
    stop_agent
    stop_server source
    stop_server target
    rm -rf "$DIR"
    mkdir -p "$DIR"
    unset 'SCRIPT[source]' 'SCRIPT[target]'
}

if [ "$LONG" = 1 ] && [ -z "${SERVER-}" ]; then
    for server in mariadb mariadb-11.8 mysql-9; do pair $server $server "${COUNT:-1000}" "${FIRST:-$((SEED * 1000 + 1))}" "$@"; done
    pair mysql-5.6 mysql-9 "${COUNT:-1000}" "${FIRST:-$((SEED * 1000 + 1))}" "$@"
    pair mariadb mysql-9 "${COUNT:-300}" "${FIRST:-$((SEED * 1000 + 1))}" "$@"
    pair mysql-9 mariadb "${COUNT:-300}" "${FIRST:-$((SEED * 1000 + 1))}" "$@"
    pair mysql-5.6 mariadb "${COUNT:-300}" "${FIRST:-$((SEED * 1000 + 1))}" "$@"
else # the same in every short run: what chance finds is for --long
    SERVER=${SERVER:-mariadb}
    [ "$SERVER" != mysql-5.6 ] || TARGET=${TARGET:-mysql-9}
    pair "$SERVER" "${TARGET:-$SERVER}" "${COUNT:-50}" "${FIRST:-77001}" "$@"
fi
