#!/bin/bash
# As random-changes, of system-versioned tables.
# shellcheck disable=SC2034 # for random-changes
VERSIONED=1 COUNT=${COUNT:-$([ "${LONG:-0}" = 1 ] && echo 10000 || echo 200)}
. "$(dirname "$0")/random-changes.sh"
