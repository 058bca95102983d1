#!/bin/bash
# Three WolfScale nodes, each with a MariaDB 10.11 of its own: the real program where WOLFSCALE_BIN names it, else the stand-in
# (tests/standin) of $BUILD. Scenarios are the same for both.
#
#   cluster.sh start DIR               all of it, or what does not run
#   cluster.sh stop DIR                all of it; the network goes too
#   cluster.sh kill DIR node|db N      as a power cut would
#   cluster.sh end DIR node|db N       in order
#   cluster.sh run DIR node|db N       let it come back; a database: with these server options, [--option...]
#   cluster.sh wipe DIR N              node N ended, its state and its database empty
#   cluster.sh link DIR N up|down      its network cable
#   cluster.sh part DIR N on|off       node N and the other nodes no longer hear each other, `exec` hears them all; exit 77 on loopback
#   cluster.sh switch DIR N NAME VALUE one of the stand-in's misbehaviours (tests/standin/switches.def); exit 77 on real nodes
#   cluster.sh exec COMMAND...         run something where all the nodes can be reached
#   cluster.sh host N                  the address of node N
#   cluster.sh kind                    "real nodes" or "stand-ins"
#
# Node N is at $SUBNET.N with the usual ports: 3306 database, 7654 cluster, 8007 proxy, 8080 API. Accounts: admin / admin (all
# rights), wolfscale / plainletters (the nodes' own). Node 1 bootstraps. Settings: POOL_SIZE (10), SEGMENT_MB (64), BOOTSTRAP (1,
# 0: none), DISCOVERY (false: no announcements), NEVER_LEADER (false), MARIADB (11.8: `run db` starts that one).
#
# As root, each node has a network namespace of its own, $NS1 to $NS3, and `exec` runs at $SUBNET.100 in $NS0; NS (wolf) tells
# several clusters apart, SUBNET is 10.9.0. Otherwise, or with a SUBNET that begins with 127, everything listens on the
# loopback addresses 127.0.9.1 to 3: for stand-ins only, and a cut cable is then a stopped process.
set -euo pipefail
# shellcheck source=mysqld.sh
. "$(dirname "$0")/mysqld.sh"

NS=${NS:-wolf}
HERE=$(cd "$(dirname "$0")" && pwd -P)
STANDIN=${BUILD:-$HERE/../../build}/tests/tools/standin
PROGRAM=${WOLFSCALE_BIN:-$STANDIN}
if [ -z "${SUBNET-}" ]; then
  SUBNET=127.0.9
  if [ "$(id -u)" = 0 ] && command -v ip >/dev/null && unshare -n true 2>/dev/null; then SUBNET=10.9.0; fi
fi
spaces() { [[ $SUBNET != 127.* ]]; }
at() { if spaces; then ip netns exec "$NS$1" "${@:2}"; else "${@:2}"; fi; }
free() { :; } # each node has the usual ports for itself
NOBODY=("${AS_NOBODY[@]}")

fetch() {
  need mariadb mariadbd curl
  [ "${MARIADB-}" != 11.8 ] ||
    debs trixie mariadb-11.8 mariadb-server-core mariadb-client-core -- mariadb-server mariadb-client
  [ -x "$PROGRAM" ] || die "no program $PROGRAM: make tests/tools/standin"
  if ! spaces && [ -n "${WOLFSCALE_BIN-}" ]; then
    echo "${0##*/}: real nodes need network namespaces" >&2
    exit 77
  fi
}

net_up() {
  local n
  spaces || return 0
  if ip netns list | grep -qw "${NS}0"; then return 0; fi
  ip netns add "${NS}0"
  at 0 ip link set lo up
  at 0 ip link add br0 type bridge
  at 0 ip addr add "$SUBNET.100/24" dev br0
  at 0 ip link set br0 up
  for n in 1 2 3; do
    ip netns add "$NS$n"
    at "$n" ip link set lo up
    at 0 ip link add "p$n" type veth peer name eth0 netns "$NS$n"
    at 0 ip link set "p$n" master br0 up
    at "$n" ip addr add "$SUBNET.$n/24" broadcast "$SUBNET.255" dev eth0
    at "$n" ip link set eth0 up
    at "$n" ip route add default via "$SUBNET.100"
  done
}

# Whatever still runs in these networks was left there, and would keep them alive; not who asks from inside.
net_down() {
  local n pid
  spaces || return 0
  for n in 0 1 2 3; do
    for pid in $(ip netns pids "$NS$n" 2>/dev/null); do
      [ "$(ip netns identify $$)" = "$NS$n" ] || kill -9 "$pid" 2>/dev/null || true
    done
    ip netns del "$NS$n" 2>/dev/null || true
  done
}

# allow DIR: the programs, and what is in DIR, may be under a directory that is closed to the account that servers run as.
allow() {
  mkdir -p "$1"
  "${AS_NOBODY[@]}" test -w "$1" || own "$1"
  if ! "${AS_NOBODY[@]}" test -w "$1" -a -x "$PROGRAM"; then lift; fi
  NOBODY=("${AS_NOBODY[@]}")
}

# within N: the prefix that launch puts before a program of node N.
within() {
  AS_NOBODY=("${NOBODY[@]}")
  if spaces; then AS_NOBODY=(ip netns exec "$NS$1" "${NOBODY[@]}"); fi
}

db_answers() { at "$1" mariadb --no-defaults -h "$SUBNET.$1" -uadmin -padmin -e 'SELECT 1' >/dev/null 2>&1; }

db_run() { # DIR N [--option...]
  local dir=$1/db$2
  if pid_of "$dir" >/dev/null; then return 0; fi
  mkdir -p "$dir"
  own "$dir"
  AS_NOBODY=("${NOBODY[@]}")
  mariadb_opts "$dir" 3306
  cat >>"$dir/init.sql" <<'SQL'
CREATE OR REPLACE USER wolfscale@'%' IDENTIFIED BY 'plainletters';
GRANT ALL PRIVILEGES ON *.* TO wolfscale@'%' WITH GRANT OPTION;
SQL
  within "$2"
  launch "$dir" "${CMD[@]}" "${OPTS[@]}" --server-id="$2" --bind-address="$SUBNET.$2" \
    --skip-ssl --character-set-server=utf8mb4 --innodb-flush-log-at-trx-commit=1 "${@:3}"
  await "$dir" "the database of node $2" db_answers "$2"
}

node_answers() { at "$1" curl -fsm 2 "http://$SUBNET.$1:8080/status" >/dev/null 2>&1; }

node_conf() { # DIR N
  local boot=false
  [ "$2" != "${BOOTSTRAP:-1}" ] || boot=true
  cat <<TOML
[node]
id = "node-$2"
bind_address = "$SUBNET.$2:7654"
advertise_address = "$SUBNET.$2:7654"
data_dir = "$1/state"
[database]
host = "$SUBNET.$2"
port = 3306
user = "wolfscale"
password = "plainletters"
pool_size = ${POOL_SIZE:-10}
[wal]
flush_interval_ms = 10
segment_size_mb = ${SEGMENT_MB:-64}
compression = true
[cluster]
bootstrap = $boot
peers = ["$SUBNET.1:7654", "$SUBNET.2:7654", "$SUBNET.3:7654"]
auto_discovery = ${DISCOVERY:-false}
never_leader = ${NEVER_LEADER:-false}
max_batch_entries = 500
[api]
bind_address = "$SUBNET.$2:8080"
[proxy]
bind_address = "$SUBNET.$2:8007"
TOML
}

node_run() { # DIR N
  local dir=$1/node$2
  if pid_of "$dir" >/dev/null; then return 0; fi
  mkdir -p "$dir/state"
  # as the first start had it, whatever the environment says now
  [ -s "$dir/wolfscale.toml" ] || node_conf "$dir" "$2" >"$dir/wolfscale.toml"
  own "$dir"
  within "$2"
  NO_COLOR=1 launch "$dir" "$PROGRAM" -c "$dir/wolfscale.toml" -l info start
  await "$dir" "node $2" node_answers "$2"
}

all_active() {
  local n=${BOOTSTRAP:-1} want=2 # three Active nodes, and a leader
  [ "$n" != 0 ] || n=1
  [ "${NEVER_LEADER:-false}" = false ] || want=1
  [ "$(at 0 curl -fsm 10 "http://$SUBNET.$n:8080/cluster" | grep -oE '"active_nodes":3,|"leader_id":"' | wc -l)" = $want ]
}

start() { # DIR
  local n
  net_up
  for n in 1 2 3; do db_run "$1" $n; done
  for n in 1 2 3; do node_run "$1" $n; done
  await "$1/node1" "the cluster" all_active
}

# Nothing of a stopped process ends before it goes on.
wake() {
  local pid
  spaces || ! pid=$(pid_of "$1") || kill -CONT "$pid"
}

kill_one() { # DIR
  local pid
  pid=$(pid_of "$1") || return 0
  kill -9 "$pid"
  while pid_of "$1" >/dev/null; do sleep 0.05; done
  rm -f "$1/pid"
}

link() { # DIR N up|down
  local what pid signal=CONT
  if spaces; then
    at 0 ip link set "p$2" "$3"
    return
  fi
  [ "$3" = up ] || signal=STOP
  for what in node db; do
    ! pid=$(pid_of "$1/$what$2") || kill "-$signal" "$pid"
  done
}

# Packets to an address with nobody's MAC are lost without a word, as between two halves of a network.
part() { # DIR N on|off
  local n
  spaces || exit 77
  for n in 1 2 3; do
    [ "$n" != "$2" ] || continue
    if [ "$3" = on ]; then
      at "$2" ip neigh replace "$SUBNET.$n" lladdr 02:00:00:00:00:01 nud permanent dev eth0
      at "$n" ip neigh replace "$SUBNET.$2" lladdr 02:00:00:00:00:01 nud permanent dev eth0
    else
      at "$2" ip neigh del "$SUBNET.$n" dev eth0 || true
      at "$n" ip neigh del "$SUBNET.$2" dev eth0 || true
    fi
  done
}

switch() { # N NAME VALUE
  if [ -n "${WOLFSCALE_BIN-}" ]; then
    echo "${0##*/}: real nodes have no switches" >&2
    exit 77
  fi
  at 0 curl -fsS -m 30 -G -X POST --data-urlencode "name=$2" --data-urlencode "value=$3" \
    "http://$SUBNET.$1:8080/standin/switch" >/dev/null
}

verb=${1-}
case $verb in
exec)
  shift
  if spaces; then exec ip netns exec "${NS}0" "$@"; else exec "$@"; fi
  ;;
host) echo "$SUBNET.${2-}" && exit ;;
kind) if [ -n "${WOLFSCALE_BIN-}" ]; then echo "real nodes"; else echo "stand-ins"; fi && exit ;;
esac
[ $# -ge 2 ] || die "see the head of this script"
mkdir -p "$2"
dir=$(cd "$2" && pwd -P)
case $verb in
start) fetch && allow "$dir" && start "$dir" ;;
stop)
  for n in 3 2 1; do wake "$dir/node$n" && stop "$dir/node$n" 5; done
  for n in 3 2 1; do wake "$dir/db$n" && stop "$dir/db$n"; done
  net_down
  ;;
kill) kill_one "$dir/$3$4" ;;
end) stop "$dir/$3$4" ;;
run) fetch && allow "$dir" && "$3_run" "$dir" "$4" "${@:5}" ;;
wipe)
  stop "$dir/node$3" 5
  stop "$dir/db$3"
  rm -rf "$dir/node$3" "$dir/db$3"
  ;;
link) link "$dir" "$3" "$4" ;;
part) part "$dir" "$3" "$4" ;;
switch) switch "$3" "$4" "${5-}" ;;
*) die "see the head of this script" ;;
esac
