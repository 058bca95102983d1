#!/bin/bash
# ./dev lint, after the two builds (gcc and clang, warnings as errors): shell scripts, include directions, files in no list,
# things a release must not hold, and cppcheck. A line for each check; exit 1 if one fails.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
BUILD=${BUILD:-build}
bad=0
check() { # check NAME COMMAND...
    local name=$1 out
    shift
    if out=$("$@" 2>&1); then
        echo "ok $name"
    else
        bad=$((bad + 1))
        echo "FAIL $name"
        printf '    %s\n' "${out//$'\n'/$'\n'    }"
    fi
}
files() {
    local pattern
    if [ -e .git ]; then git ls-files --cached --others --exclude-standard -- "$@" && return; fi
    for pattern; do find . -path "./$pattern" -printf '%P\n'; done # of a release
}
shell_files() {
    files '*.sh'
    find dev .ci/run autogen.sh 2>/dev/null || true # a release has no .ci
}

scripts() { shell_files | sort -u | xargs shellcheck; }

# Who may include whose headers: base <- wal <- cdc, sink <- control. Headers are unique by name, so the name tells the folder.
# What of src/ is above the folders is control_sources in Makefile.am, and the programs.
above() {
    awk '$1 == "control_sources" { on = 1 } on { print } on && !/\\$/ { exit }' Makefile.am | grep -o 'src/[a-z0-9_]*' | sed 's|^src/||'
    printf '%s\n' wolfcdc wolfctl mkman program command
}
headers_of() { find "$1" \( -name '*.h' -o -name '*.def' \) -printf '%f\n'; }
includes_none() { # includes_none FILES... -- HEADERS...
    local -a in=() not=()
    local f h code=0
    while [ "$1" != -- ]; do in+=("$1") && shift; done
    shift
    not=("$@")
    for f in "${in[@]}"; do
        for h in "${not[@]}"; do
            if grep -nE "^#include \"(\.\./)?([a-z]+/)?$h\"" "$f" /dev/null; then code=1; fi
        done
    done
    return $code
}
directions() {
    local code=0
    local -a base
    # shellcheck disable=SC2046 # names have no blanks
    {
        mapfile -t base < <(files 'src/*.[ch]' 'src/*.cc' | grep -vE "^src/($(above | paste -sd '|'))\.[ch]$")
        includes_none "${base[@]}" -- $(headers_of wal) $(headers_of cdc) $(headers_of sink) || code=1
        includes_none wal/*.[ch] -- $(headers_of cdc) $(headers_of sink) || code=1
        includes_none cdc/*.[ch] -- $(headers_of sink) || code=1
        includes_none sink/*.[ch] sink/*/*.[ch] -- $(headers_of cdc) || code=1
    }
    return $code
}
unique_names() {
    local twice
    twice=$(files 'src/*.h' 'wal/*.h' 'cdc/*.h' 'sink/*.h' | sed 's|.*/||' | sort | uniq -d)
    [ -z "$twice" ] || { echo "two headers of one name: $twice" && return 1; }
}
listed() {
    local f code=0
    while read -r f; do
        grep -qF "${f%.c}" Makefile.am || { echo "$f is in no list of Makefile.am" && code=1; }
    done < <(files 'src/*.c' 'wal/*.c' 'cdc/*.c' 'sink/*.c' 'tests/*.c')
    return $code
}
clean_text() {
    local words='TODO|FIXME|XXX|not implemented' code=0
    # shellcheck disable=SC2046 # names have no blanks
    ! grep -nEw "$words" $(files 'src/*' 'wal/*' 'cdc/*' 'sink/*' 'tests/*.c' 'tests/*.sh' | grep -v '^tests/lint.sh$') || code=1
    # shellcheck disable=SC2046
    ! grep -nE '[[:blank:]]+$' $(files '*.c' '*.h' '*.sh' '*.def' '*.ac' '*.am') || code=1
    return $code
}
static_analysis() {
    # shellcheck disable=SC2046
    cppcheck --quiet --std=c11 --error-exitcode=1 --enable=warning,portability --inline-suppr -j 2 -Isrc -Iwal -Icdc -Isink -Isink/mysql -Isink/cluster -Isink/proof -Isink/leader -Isink/http \
        --suppress=missingIncludeSystem --suppress=preprocessorErrorDirective --suppress=unknownMacro \
        --suppress=va_list_usedBeforeStarted --suppress=normalCheckLevelMaxBranches -D_GNU_SOURCE \
        $(files 'src/*.c' 'wal/*.c' 'cdc/*.c' 'sink/*.c')
}

echo "ok builds without warnings: gcc, clang"
check "shellcheck" scripts
check "include directions" directions
check "one name, one header" unique_names
check "every file is in a list" listed
check "clean text" clean_text
check "cppcheck" static_analysis
[ $bad = 0 ] || { echo "$bad checks failed" && exit 1; }
