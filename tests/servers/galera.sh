#!/bin/bash
# A Galera cluster of three MariaDB 10.11 nodes, the machine's own packages.
#
#   galera.sh start DIR PORT [OPTION...]   all three nodes, or those that do not run
#   galera.sh kill DIR N                   end node N as a power cut would
#   galera.sh start-node DIR PORT N [OPTION...]   let node N join again
#   galera.sh bootstrap DIR PORT N [OPTION...]   let node N, as it is, be the first of a cluster made anew
#   galera.sh stop-node DIR N              end node N in order
#   galera.sh stop DIR
#
# Node N (1 to 3) is in DIR/nodeN and takes clients at PORT+N-1. The cluster
# itself uses PORT+10 to PORT+32.
set -euo pipefail
# shellcheck source=mysqld.sh
. "$(dirname "$0")/mysqld.sh"

PROVIDER=/usr/lib/galera/libgalera_smm.so

fetch() {
  need mariadb mariadbd rsync lsof
  [ -e $PROVIDER ] || die "no $PROVIDER: the package galera-4 is not installed"
}

# synced DIR: the node answers and has the cluster's state.
synced() {
  [ "$(mariadb --no-defaults -S "$1/sock" -u root -BNe \
    "SELECT variable_value FROM information_schema.global_status
     WHERE variable_name = 'wsrep_local_state_comment'" 2>/dev/null)" = Synced ]
}

# node DIR PORT N FIRST [OPTION...]: start node N; FIRST=1 makes a new cluster.
node() {
  local all=$1 port=$2 n=$3 first=$4 dir=$1/node$3 base p
  local -a more=()
  shift 4
  if pid_of "$dir" >/dev/null; then return 0; fi
  base=$((port + n - 1))
  free $((base + 10)) $((base + 20)) $((base + 30))
  mkdir -p "$dir"
  own "$dir"
  p=127.0.0.1
  if [ "$first" = 1 ]; then more=(--wsrep-new-cluster); fi
  mariadb_opts "$dir" "$base"
  # the accounts come with the cluster's state; here they would only collide
  if [ "$first" != 1 ]; then : >"$dir/init.sql"; fi
  launch "$dir" "${CMD[@]}" "${OPTS[@]}" \
    --server-id="$base" --gtid-domain-id=$((10 + n)) \
    --innodb-autoinc-lock-mode=2 --wsrep-on=ON --wsrep-provider=$PROVIDER \
    --wsrep-cluster-name="galera-$port" \
    --wsrep-cluster-address="gcomm://$p:$((port + 10)),$p:$((port + 11)),$p:$((port + 12))" \
    --wsrep-node-name="node$n" --wsrep-node-address="$p:$((base + 10))" \
    --wsrep-provider-options="gmcast.listen_addr=tcp://$p:$((base + 10));ist.recv_addr=$p:$((base + 20));gcache.size=16M" \
    --wsrep-sst-receive-address="$p:$((base + 30))" --wsrep-sst-method=rsync \
    --wsrep-gtid-mode=ON --wsrep-gtid-domain-id=1 \
    "${more[@]}" "$@"
  await "$dir" "node $n of $all" synced "$dir"
}

start() {
  local all=$1 port=$2 first=1 n
  shift 2
  for n in 1 2 3; do
    if pid_of "$all/node$n" >/dev/null; then first=0; fi
  done
  for n in 1 2 3; do
    node "$all" "$port" "$n" $first "$@"
    first=0
  done
}

# where DIR: set ALL to its true path, which the nodes have on their command line.
where() { ALL=$(cd "$1" 2>/dev/null && pwd -P) || die "no directory $1"; }

case ${1-} in
stop)
  [ $# = 2 ] || die "usage: ${0##*/} stop DIR"
  [ -d "$2" ] || exit 0
  where "$2"
  for n in 3 2 1; do stop "$ALL/node$n"; done # 1 last: it is the one to start first
  ;;
start-node)
  [ $# -ge 4 ] || die "usage: ${0##*/} start-node DIR PORT N [OPTION...]"
  where "$2"
  fetch
  node "$ALL" "$3" "$4" 0 "${@:5}"
  ;;
bootstrap)
  [ $# -ge 4 ] || die "usage: ${0##*/} bootstrap DIR PORT N [OPTION...]"
  where "$2"
  fetch
  sed -i 's/^safe_to_bootstrap: 0/safe_to_bootstrap: 1/' "$ALL/node$4/data/grastate.dat"
  node "$ALL" "$3" "$4" 1 "${@:5}"
  ;;
stop-node)
  [ $# = 3 ] || die "usage: ${0##*/} stop-node DIR N"
  where "$2"
  stop "$ALL/node$3"
  ;;
kill)
  [ $# = 3 ] || die "usage: ${0##*/} kill DIR N"
  where "$2"
  pid=$(pid_of "$ALL/node$3") || die "node $3 of $2 does not run"
  kill -9 "$pid"
  while pid_of "$ALL/node$3" >/dev/null; do sleep 0.1; done
  rm -f "$ALL/node$3/pid"
  ;;
*) main "$@" ;;
esac
