#!/bin/bash
# MySQL 9's own client library, from Debian sid: prints the flags to compile and link a shared object against it, and what to put before a program
# that loads that: it then has the C library of sid, not the machine's.
#   cc -shared -fPIC $(libmysqlclient.sh cflags) x.c -o x.so $(libmysqlclient.sh libs)
#   $(libmysqlclient.sh loader DIR-OF-X.SO) PROGRAM
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

debs sid libmysqlclient libmysqlclient24 -- libmysqlclient-dev
libs=$ROOT/usr/lib/x86_64-linux-gnu
case ${1-} in
fetch) ;;
cflags) echo "-isystem $ROOT/usr/include/mysql -isystem $ROOT/usr/include" ;;
libs)
  # the machine's linker knows only an older C library than this one asks for
  echo "-L$libs -lmysqlclient -Wl,--unresolved-symbols=ignore-in-shared-libs"
  ;;
loader) printf '%s\n' "$ROOT/lib64/ld-linux-x86-64.so.2" --library-path "${2:-.}:$libs" ;;
*) die "usage: ${0##*/} fetch | cflags | libs | loader DIR" ;;
esac
