#!/bin/bash
# nodes-faults, its second half: what lies between the agent and the nodes, and two things that fail at once.
FAULTS=${FAULTS:-cable_cut agent_killed agent_and_leader source_and_leader two_leaders}
. "$(dirname "$0")/nodes-faults.sh"
