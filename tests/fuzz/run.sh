#!/bin/bash
# ./dev fuzz [--runs N] [NAME...]: libFuzzer on the parsers of what comes from outside: event, rows, jsonb, gtid, ddl, or those named. N executions in all
# (100000000), the same number of each parser; every twentieth in a build with ASan and UBSan. What it finds interesting stays in build/fuzz-corpus and is gone on from;
# what it finds wrong is told at the end, with its file: when that is mended it becomes a file of corpus/NAME, which every normal run replays.
# The limit of five minutes for one input is by the clock: on a busy machine, niced, a whole process may wait for half a minute.
# Environment: BUILD (has fuzz/ and fuzz-asan/), SLOTS.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd -P)
BUILD=$(cd "${BUILD:?}" && pwd -P)
SLOTS=${SLOTS:-2}
RUNS=100000000
STRETCH=500000 # executions of one process: a count is kept of each, and memory that is never given back shows in a report
LOGS=$BUILD/fuzz-logs
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1} ASAN_OPTIONS=${ASAN_OPTIONS:-malloc_context_size=2:quarantine_size_mb=16}
NAMES=()
while [ $# -gt 0 ]; do
    case $1 in
    --runs)
        RUNS=$2
        shift
        ;;
    -*) sed -n '2,7s/^# //p' "$0" && exit 2 ;;
    *) NAMES+=("$1") ;;
    esac
    shift
done
[ ${#NAMES[@]} -gt 0 ] || NAMES=(event rows jsonb gtid ddl)

# The longest input: what a shape needs to be whole, and no more, for the sake of speed.
declare -A LONGEST=([event]=1536 [rows]=768 [jsonb]=256 [gtid]=384 [ddl]=384)

# stretch BUILD NAME COUNT: a process; its number of executions goes to the log of counts.
stretch() {
    local build=$1 name=$2 count=$3 log code=0 done_now
    log=$LOGS/$build-$name.log
    (cd "$LOGS" && "$BUILD/$build/tests/fuzz/fuzz_$name" -runs="$count" -max_len="${LONGEST[$name]-4096}" -timeout=300 -rss_limit_mb=1500 -verbosity=0 \
        -print_final_stats=1 -artifact_prefix="$LOGS/$name-" "$BUILD/fuzz-corpus/$name" "$HERE/corpus/$name") >"$log" 2>&1 || code=$?
    done_now=$(awk '/^stat::number_of_executed_units:/ { print $2 }' "$log")
    echo "$build $name ${done_now:-0} $(awk '/^stat::average_exec_per_sec:/ { print $2 }' "$log")" >>"$LOGS/counts"
    [ $code = 0 ] || cp "$log" "$LOGS/found-$name-$(date +%s%N).log"
    return $code
}
# parser NAME COUNT: the sanitized part first, for it finds more.
parser() {
    local name=$1 left
    for ((left = $2 / 20; left > 0; left -= STRETCH)); do stretch fuzz-asan "$name" $((left < STRETCH ? left : STRETCH)) || return 1; done
    for ((left = $2 - $2 / 20; left > 0; left -= STRETCH)); do stretch fuzz "$name" $((left < STRETCH ? left : STRETCH)) || return 1; done
}

rm -rf "$LOGS"
mkdir -p "$LOGS"
running=0
for name in "${NAMES[@]}"; do
    mkdir -p "$BUILD/fuzz-corpus/$name"
    if [ $running -ge "$SLOTS" ]; then wait -n || true; else running=$((running + 1)); fi
    parser "$name" $(((RUNS + ${#NAMES[@]} - 1) / ${#NAMES[@]})) &
done
wait
awk '{ all[$2] += $3; total += $3; if ($1 == "fuzz-asan") { asan[$2] += $3; sanitized += $3 } }
    END { for (name in all) printf "%s: %d executions, %d of them with sanitizers\n", name, all[name], asan[name] | "sort"
          close("sort"); printf "%d executions, %d of them with sanitizers\n", total, sanitized }' "$LOGS/counts"
if compgen -G "$LOGS/found-*.log" >/dev/null; then
    echo "FOUND:"
    grep -hE 'Assertion|ERROR: |runtime error|Test unit written' "$LOGS"/found-*.log
    exit 1
fi
