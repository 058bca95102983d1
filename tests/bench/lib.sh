# What the parts of the benchmark share: after ../lib.sh. START, REPORT, QUICK and DIR are theirs.
# shellcheck shell=bash disable=SC2154 # DIR is of ../lib.sh
note() { printf '%4d s  %s\n' $((SECONDS - START)) "$*" >&2; }
row() { printf '| %s | %s | %s | %s |\n' "$@" | tee -a "$REPORT"; }
calc() { awk "BEGIN { printf \"%.${2-2}f\", $1 }"; }
# cpu_of PID: the seconds of processor time it has used.
cpu_of() { awk -v hz="$(getconf CLK_TCK)" '{ sub(/.*\) /, ""); print ($12 + $13) / hz }' "/proc/$1/stat"; }
high_water_mib() { awk '/^VmHWM/ { printf "%.0f", $2 / 1024 }' "/proc/$1/status"; }
