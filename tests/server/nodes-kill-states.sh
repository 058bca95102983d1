#!/bin/bash
# leader-kill-states with each node written directly.
DELIVERY=nodes
. "$(dirname "$0")/leader-kill-states.sh"
