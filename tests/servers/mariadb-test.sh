#!/bin/bash
# MariaDB's own test suite and its client, Debian bookworm's: unpacked on the first call; prints the directory that it is in.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
debs bookworm mariadb-test -- mariadb-test mariadb-test-data libpcre2-posix3
echo "$ROOT"
