#!/bin/bash
# Runs the tests that ./dev test built: run.sh [NAME...] (all, or those whose name contains one of these). A line for each,
# `ok NAME (seconds)`, `skip NAME: why` or `FAIL NAME`, then `N passed, N failed`. Environment: BUILD, LONG=1, ROUNDS, SEED.
#
# A scenario with servers that failed is run once more, alone, when the others are done: it shares its cores and disk with another, and a wait
# that was too short says nothing about wolfcdc. Its first log stays beside, and the end names it. Rows that differed (exit code 3) are never tried again.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd -P)
BUILD=${BUILD:-$HERE/../build}
BUILD=$(cd "$BUILD" && pwd -P)
LONG=${LONG:-0}
LOGS=$BUILD/test-logs
WORK=${WORK:-$BUILD/t}
PORT_BASE=${PORT_BASE:-21000}
SLOTS=${SLOTS:-3}          # scenarios with servers, at a time
NAMES=("$@")
export BUILD LONG WORK
export srcdir=$HERE/..     # where tests find their data, as under make check
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1} UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1}

say() { printf '%s\n' "$*"; }
wanted() {
    local n
    [ ${#NAMES[@]} -gt 0 ] || return 0
    for n in "${NAMES[@]}"; do [[ $1 != *"$n"* ]] || return 0; done
    return 1
}
# tool-like tests in the make list of that name
listed() { awk -v name="$1" '$1 == name && $2 == "=" { on = 1 } on { print } on && !/\\$/ { exit }' "$BUILD/Makefile" |
    grep -o 'tests/[a-z0-9_/-]*' || true; }

# one NAME SECONDS COMMAND...: run it, say how it went, leave its result in LOGS.
one() {
    local name=$1 limit=$2 from=$SECONDS code=0 log
    log=$LOGS/${1//[^a-zA-Z0-9._-]/_}.log
    shift 2
    timeout -k 30 "$limit" "$@" >"$log" 2>&1 </dev/null || code=$?
    case $code in
    0) say "ok $name ($((SECONDS - from)) s)" && echo ok >"$log.result" ;;
    77) say "skip $name: $(sed -n 's/^SKIP: //p' "$log" | tail -n 1)" && echo skip >"$log.result" ;;
    *)
        [ $code != 124 ] || echo "FAIL: not done after $limit s" >>"$log"
        if [ $code != 3 ] && [[ $name == server/* ]] && [ ! -e "$log.first" ]; then
            mv "$log" "$log.first"
            say "again, later: $name (exit $code): $(grep -m 1 '^FAIL' "$log.first" || tail -n 1 "$log.first")"
            echo again >"$log.result"
        else
            say "FAIL $name (exit $code): $log"
            tail -n 40 "$log" | sed 's/^/    /'
            echo FAIL >"$log.result"
        fi
        ;;
    esac
}
# queue NAME SECONDS COMMAND...: as one(), in the background, at most SLOTS at a time.
RUNNING=0
queue() {
    while [ $RUNNING -ge "$SLOTS" ]; do
        wait -n || true
        RUNNING=$((RUNNING - 1))
    done
    one "$@" &
    RUNNING=$((RUNNING + 1))
}
drain() {
    wait
    RUNNING=0
}

# ---- without servers ---------------------------------------------------------------------------------------------------
programs() { # programs BUILD-DIRECTORY SUFFIX [WRAPPER...]
    local dir=$1 suffix=$2 list p
    shift 2
    [ -e "$dir/Makefile" ] || return 0
    # a sanitizer is asked for by its name, where there are names
    [ ${#NAMES[@]} = 0 ] || [ -z "$suffix" ] || [[ " ${NAMES[*]} " == *"${suffix//[ ()]/}"* ]] || return 0
    [ ${#NAMES[@]} = 0 ] || [ -z "$suffix" ] || [[ " ${NAMES[*]} " == *"${suffix//[ ()]/}"* ]] || return 0
    # the sanitizers are after memory and threads, not after chance
    local crash_cases=12000
    case $suffix in *asan*) crash_cases=1500 ;; *tsan*) crash_cases=150 ;; esac
    [ "$LONG" = 0 ] || crash_cases=$((crash_cases * 8))
    local -x CRASH_CASES=${CRASH_CASES:-$crash_cases}
    for list in unit_tests golden_tests fault_tests crash_tests fuzz_targets; do
        for p in $(listed "$list"); do
            wanted "${p#tests/}$suffix" || continue
            if [ "$list" = fuzz_targets ]; then
                queue "${p#tests/}$suffix" 120 "$@" "$dir/$p" "$HERE/fuzz/corpus/${p##*/fuzz_}"
            else
                queue "${p#tests/}$suffix" 300 "$@" "$dir/$p"
            fi
        done
    done
}

# ---- with servers --------------------------------------------------------------------------------------------------------
# The slow ones first, so that the last minute is not one scenario alone.
scenarios() {
    local first=(kill-9-loop kill-in-ddl kill-in-commit big-transaction cut-every-byte) s
    for s in "${first[@]}"; do [ ! -e "$HERE/server/$s.sh" ] || echo "$s"; done
    for s in "$HERE"/server/*.sh; do
        s=$(basename "$s" .sh)
        [[ " ${first[*]} " == *" $s "* ]] || echo "$s"
    done
}
servers() {
    local s n=0 limit=480 log
    [ "$LONG" = 0 ] || limit=7200
    for s in $(scenarios); do
        wanted "server/$s" || continue
        # ports of their own for each, as many run at a time
        PORT_BASE=$((PORT_BASE + n * 20)) queue "server/$s" $limit "$HERE/server/$s.sh"
        n=$((n + 1))
    done
    drain
    for s in $(scenarios); do
        log=$LOGS/server_$s.log
        [ "$(cat "$log.result" 2>/dev/null)" = again ] || continue
        PORT_BASE=$((PORT_BASE + n * 20)) one "server/$s" $limit "$HERE/server/$s.sh"
        [ "$(cat "$log.result")" != ok ] || say "    (its second try; the first: $log.first)"
        n=$((n + 1))
    done
}

rm -rf "$LOGS"
mkdir -p "$LOGS" "$WORK"
from=$SECONDS
programs "$BUILD" ""
drain
programs "$BUILD/asan" " (asan)"
drain
programs "$BUILD/tsan" " (tsan)" setarch -R
drain
# 10^8 executions, for hours
if [ "$LONG" = 1 ] && [ -e "$BUILD/fuzz/Makefile" ] && wanted fuzz/run; then one fuzz/run 21600 "$HERE/fuzz/run.sh"; fi
servers

count() { { grep -lx "$1" "$LOGS"/*.result 2>/dev/null || true; } | wc -l; }
passed=$(count ok) failed=$(count FAIL) skipped=$(count skip)
[ "$skipped" = 0 ] || say "$skipped skipped"
say "$((SECONDS - from)) s"
say "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
