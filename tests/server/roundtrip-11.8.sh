#!/bin/bash
# As roundtrip, on MariaDB 11.8: with VECTOR, and TIMESTAMP up to 2106.
# shellcheck disable=SC2034 # for roundtrip
SERVER=mariadb-11.8.sh
. "$(dirname "$0")/roundtrip.sh"
