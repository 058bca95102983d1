#!/bin/bash
# A bad configuration is refused with file, line, key, value and what is allowed, exit code 2, before anything is touched.
. "$(dirname "$0")/../lib.sh"
PORT[source]=3306
PORT[target]=3307
refused() { # refused PATTERN KEY=VALUE...
    local pattern=$1 code=0
    shift
    write_config "$@"
    "$BUILD/wolfcdc" --config "$CONFIG" >"$DIR/out" 2>&1 </dev/null || code=$?
    [ $code = 2 ] || { cat "$DIR/out" >&2; fail "exit code $code for: $*"; }
    grep -qE "wolfcdc.toml:[0-9]+:.*$pattern" "$DIR/out" || { cat "$DIR/out" >&2; fail "not named '$pattern' for: $*"; }
    [ ! -e "$DIR/wal" ] || fail "the log was made before the configuration was right"
}
refused 'server_idd' source.server_idd=1
refused 'port' source.port=70000
refused 'port' 'source.port="3306"'
refused 'compression' 'wal.compression="lzma"'
refused 'hosts' 'source.hosts=["a:1", "b:2"]'
refused 'level' 'logging.level="loud"'
refused 'segment_size_mb' wal.segment_size_mb=0
code=0
write_config "source.password_file=\"$DIR/none\""
"$BUILD/wolfcdc" --config "$CONFIG" >"$DIR/out" 2>&1 </dev/null || code=$?
{ [ $code = 2 ] && grep -q "$DIR/none" "$DIR/out"; } || { cat "$DIR/out" >&2; fail "the unreadable secret file is not named"; }
code=0
"$BUILD/wolfcdc" --config "$DIR/nowhere.toml" >"$DIR/out" 2>&1 || code=$?
[ $code = 2 ] || fail "a missing configuration ended with $code"
write_config
"$BUILD/wolfcdc" --config "$CONFIG" --check || fail "a good configuration is refused"
unset "PORT[source]" "PORT[target]"
