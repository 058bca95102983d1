#!/bin/bash
# What the nodes say of themselves cannot be believed, or not be read: it is named at the node, with the remedy, and the rows go to every node whose
# MariaDB answers.
. "$(dirname "$0")/../lib_cluster.sh"
. "$(dirname "$0")/../lib_faults.sh"

start_source -
write_cluster_config
start_agent
await_nodes clusters.0.state led
sql source "CREATE DATABASE test; CREATE TABLE test.marks (id INT AUTO_INCREMENT PRIMARY KEY)"
delivered_to 1 2 3
# configured N SED: node N with a changed configuration and a state of its own; unconfigured N: as it was.
configured() {
    local dir=$CLUSTER_DIR/node$1
    cluster end node "$1"
    [ -e "$dir/as-it-was" ] || mv "$dir/wolfscale.toml" "$dir/as-it-was"
    sed -E "$2" "$dir/as-it-was" >"$dir/wolfscale.toml"
    rm -rf "$dir/state"
    cluster run node "$1"
}
unconfigured() {
    cluster end node "$1"
    mv "$CLUSTER_DIR/node$1/as-it-was" "$CLUSTER_DIR/node$1/wolfscale.toml"
    rm -rf "$CLUSTER_DIR/node$1/state"
    cluster run node "$1"
}
agent_with() { # SINK.KEY=VALUE…
    stop_agent
    write_cluster_config "$@"
    start_agent
}
hosts=$(for n in 1 2; do printf '"%s", ' "$(node_host $n)"; done)

peers="\"$(node_host 1):7654\", \"$(node_host 2):7654\""
for n in 1 2; do configured $n "s/^peers = .*/peers = [$peers]/"; done
configured 3 "s/^id = .*/id = \"other-3\"/; s/^bootstrap = .*/bootstrap = true/; s/^peers = .*/peers = [\"$(node_host 3):7654\"]/"
node_says 3 state foreign
node_says 3 reason "no other node given knows it|none of the other nodes knows it"
node_says 3 remedy "leave it out of nodes, or make it a member"
await_nodes clusters.0.state foreign
delivered_to 1 2 3
for n in 1 2 3; do unconfigured $n; done
await_nodes clusters.0.state led 40
say "a node of another cluster"

# an id that begins like the old one is still the greatest: the leader stays the leader
configured 3 's/^id = .*/id = "node-3|x"/'
node_says 3 id '^node-3[|]x$'
node_says 3 reason 'its id has [|] in it'
node_says 3 remedy 'an id of letters, digits'
delivered_to 1 2 3
configured 3 "s/^id = .*/id = \"node-3'\\\\\\\\\\\\\"x\"/"
node_says 3 id "^node-3'.*\"x$"
node_says 3 reason "its id has ' in it"
delivered_to 1 2 3
unconfigured 3
node_says 3 reason '^$' 30
say "ids with a | and with quotes"

agent_with "sink.nodes=[$hosts {host=\"$(node_host 3)\", api_port=8007}]"
node_says 3 state unreadable
node_says 3 reason "port 8007 speaks no HTTP"
node_says 3 remedy "give the port of its WolfScale API"
delivered_to 1 2 3
say "a port that is not the API's"

# 10.9.3 is 10.9.0.3, as inet_aton has it: a name for the same host
IFS=. read -r a b c d <<<"$(node_host 3)"
alias=$a.$b.$((c * 256 + d))
agent_with "sink.nodes=[$hosts \"$(node_host 3)\", \"$alias\"]"
await_nodes clusters.0.state foreign
node_says 4 reason "the same node as $(node_host 3)"
node_says 4 remedy "leave it out of nodes"
delivered_to 1 2 3
agent_with
await_nodes clusters.0.state led
delivered_to 1 2 3
say "two names for one node"

# ---- the stand-ins' switches
if [ "$("$CLUSTER" kind)" = stand-ins ]; then
    while read -r name reason; do
        cluster switch 2 "$name" 1
        node_says 2 state unreadable
        node_says 2 reason "$reason"
        node_says 2 remedy .
        node_field_is 1 state up || fail "$name of node 2 is held against node 1: $(node_field 1 reason)"
        delivered_to 1 2 3
        cluster switch 2 "$name" 0
        node_says 2 state up
        say "$name"
    done <<'END'
api_html HTML
api_half_json (ends|not).*JSON|JSON
lsn_beyond_u64 (beyond|18446744073709551615|LSN)
END
fi

for n in 1 2 3; do configured $n 's/^bootstrap = .*/bootstrap = false/; s/^never_leader = .*/never_leader = true/'; done
await_nodes clusters.0.state leaderless 20
grep -q never_leader <<<"$(nodes_of clusters.0.remedy)" || fail "never_leader is not named: $(nodes_of clusters.0.remedy)"
delivered_to 1 2 3
say "nobody may lead"
wait_delivered
compare_nodes
stop_agent
