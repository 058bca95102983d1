#!/bin/bash
# As random-changes, of system-versioned tables, on MariaDB 11.8, with FULL_NODUP row images, too.
# shellcheck disable=SC2034 # for random-changes
VERSIONED=1 SERVER=${SERVER:-mariadb-11.8.sh} IMAGES=${IMAGES:-FULL MINIMAL FULL_NODUP NOBLOB} COUNT=${COUNT:-$([ "${LONG:-0}" = 1 ] && echo 10000 || echo 150)}
. "$(dirname "$0")/random-changes.sh"
