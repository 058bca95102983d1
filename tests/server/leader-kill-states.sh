#!/bin/bash
# The agent is killed with -9 at each step of its work for a cluster, at exactly that statement or line of its log (tests/tools/killat.c): with delivery = "leader" here,
# with each node written directly in nodes-kill-states. After each, what was done is neither lost nor done twice: every node has the source's rows, and the rows go
# through the leader again. A normal run takes ROUNDS (4) of the steps by chance; LONG=1 all of them three times. STEPS: only those whose names contain it.
. "$(dirname "$0")/../lib_cluster.sh"
. "$(dirname "$0")/../lib_faults.sh"
DELIVERY=${DELIVERY:-leader}
[ -e "$BUILD/tests/tools/killat.so" ] || fail "make tests/tools/killat.so"

# NAME|before or after|how often it may be met first, by chance|ms to go on|text|what makes it happen (traffic: nothing more)
leader_steps() {
    cat <<'END'
opening, before the first marker|before|1|0|INTO `wolfcdc`.`marker`|restart
opening, behind the first marker|after|1|0|INTO `wolfcdc`.`marker`|restart
opened|after|1|0|leader.connected|restart
noted that statements are on their way, on some nodes|after|3|0|INSERT IGNORE INTO wolfcdc.pushed|restart
statement not sent|before|20|0|,(|traffic
statement sent, not answered|after|20|0|ON DUPLICATE KEY UPDATE `k`=|traffic
delete sent|after|5|0|DELETE FROM `plain`.`t` WHERE|traffic
statement answered, perhaps|after|20|2|ON DUPLICATE KEY UPDATE `k`=|traffic
marker not sent|before|10|0|INTO `wolfcdc`.`marker`|traffic
marker on its way|after|10|20|INTO `wolfcdc`.`marker`|traffic
marker looked for|after|20|0|SELECT number FROM wolfcdc.marker|traffic
rows being read back|after|20|0|BIT_XOR(|traffic
rows read back|after|20|5|BIT_XOR(|traffic
position on no node|before|1|0|INTO wolfcdc.position|traffic
position on some nodes|after|3|0|INTO wolfcdc.position|traffic
rows without a key, on some nodes|after|3|0|INTO `plain`.`keyless`|traffic
rows without a key, commit on some nodes|after|3|0|COMMIT|traffic
handed to the nodes' own sinks|after|2|30|leader.given|traffic
DDL, intent on some nodes|after|3|0|INTO wolfcdc.intent|traffic
DDL, intents everywhere|before|1|0| FOR */ ALTER TABLE|traffic
DDL sent, not answered|after|1|0| FOR */ ALTER TABLE|traffic
DDL on its way|after|1|40| FOR */ ALTER TABLE|traffic
DDL everywhere, position on no node|after|1|0|leader.ddl|traffic
sent again|after|1|10|leader.again|swallow
segment being turned|after|2|0|/* |segment
direct, at once|after|1|0|way=direct|follower
direct, a while after|after|1|700|way=direct|follower
going back, log ahead of all|after|1|0|statements were on their way when|follower
going back, being compared|after|5|0|START TRANSACTION WITH CONSISTENT SNAPSHOT|follower
going back, sinks at rest|before|1|0|leader.connected|follower
seed, nothing goes through the leader any more|after|1|0|is being seeded|copy
another node leads|after|2|0|cluster.state|leader
a database is gone|after|1|50|way=direct|database
END
}
nodes_steps() {
    cat <<'END'
a group with its position not sent|before|9|0|0-PORT-|traffic
a group with its position sent|after|9|0|0-PORT-|traffic
rows sent, perhaps|after|9|2|0-PORT-|traffic
commit not sent|before|9|0|COMMIT|traffic
commit sent|after|9|0|COMMIT|traffic
commit answered, perhaps|after|9|2|COMMIT|traffic
intent not sent|before|3|0|INTO wolfcdc.intent|traffic
intent sent|after|3|0|INTO wolfcdc.intent|traffic
DDL not sent|before|3|0|ALTER TABLE t|traffic
DDL sent|after|3|0|ALTER TABLE t|traffic
DDL done, perhaps|after|3|30|ALTER TABLE t|traffic
opening, position being read|after|3|0|FROM wolfcdc.position|restart
opening, not prepared|before|3|0|UPDATE wolfcdc.position SET last_lsn|restart
a node is gone|after|1|100|cluster.node|follower
another node leads|after|2|0|cluster.state|leader
a database is gone|after|1|0|sink.retry|database
seed from the log, its position going|before|1|0|DELETE FROM wolfcdc.position|replay
seed from the log, its position gone|after|1|0|DELETE FROM wolfcdc.position|replay
seed from the log, tables being dropped|after|2|0|DROP TABLE IF EXISTS|replay
seed from the log, databases being dropped|after|1|0|DROP DATABASE IF EXISTS|replay
seed from the log, about to begin|after|1|0|SELECT DISTINCT sink FROM wolfcdc.position|replay
seed from the log, begun|after|1|0|CREATE DATABASE plain|replay
seed from the log, on its way|after|9|5|COMMIT|replay
seed from the log, being proven|after|2|0|START TRANSACTION WITH CONSISTENT SNAPSHOT|replay
seed, snapshot taken|after|1|0|START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY|copy
seed, a table being copied|after|2|0|SAVEPOINT before_table|copy
seed, rows on their way|after|2|0|INSERT INTO `plain`.|copy
seed, position not sent|before|1|0|SET foreign_key_checks=1, unique_checks=1|copy
seed, position sent, perhaps|after|1|1|SET foreign_key_checks=1, unique_checks=1|copy
seed, position committed|before|1|0|sink.seeded|copy
END
}

start_source -
write_cluster_config "sink.delivery=\"$DELIVERY\"" 'logging.level="debug"' wal.retention_hours=0
ORDER=$DIR/killat
start_armed() { KILLAT=$ORDER LD_PRELOAD=$BUILD/tests/tools/killat.so start_agent; }
way_taken() { if [ "$DELIVERY" = leader ]; then nodes_is clusters.0.way leader; else nodes_is clusters.0.state led; fi; }
start_armed
say "on $("$CLUSTER" kind), delivery = $DELIVERY"
wait_for 60 "the way" way_taken
sql source "CREATE DATABASE plain; USE plain; CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, k INT NOT NULL, n BIGINT NOT NULL DEFAULT 0, v VARCHAR(200));
    CREATE TABLE keyless (a INT, b VARCHAR(50)); CREATE TABLE big (id INT PRIMARY KEY, v MEDIUMTEXT)"
sql source "USE plain; INSERT INTO t (k, v) SELECT seq, MD5(seq) FROM seq_1_to_500"
wait_delivered

# Every change rests on the one before it: done twice or not at all, it shows.
COUNT=0
burst() {
    COUNT=$((COUNT + 1))
    sql source "USE plain; UPDATE t SET n = n + id WHERE id % 7 = $((COUNT % 7)); INSERT INTO t (k, v) SELECT $COUNT, MD5(seq) FROM seq_1_to_40;
        DELETE FROM t WHERE k < $COUNT ORDER BY id LIMIT 15; INSERT INTO keyless VALUES ($COUNT, 'a'), ($COUNT, 'a'), ($COUNT, 'b'); DELETE FROM keyless WHERE a = $COUNT AND b = 'a' LIMIT 1"
    if [ $((COUNT % 4)) = 1 ]; then
        sql source "USE plain; ALTER TABLE t ADD COLUMN c$COUNT INT DEFAULT $COUNT; UPDATE t SET n = n + 1 WHERE id % 5 = 0; ALTER TABLE t DROP COLUMN c$COUNT;
            CREATE OR REPLACE PROCEDURE p () SELECT $COUNT"
    fi
}
agent_lives() { kill -0 "$AGENT_PID" 2>/dev/null; }
ended() { ! agent_lives; }
# traffic SECONDS: until the agent was killed.
traffic() {
    local end=$((SECONDS + $1))
    while agent_lives && [ $SECONDS -lt $end ]; do burst; done
    ended
}
make_restart() {
    rm -f "$ORDER"
    kill_agent
    "${ARM[@]}"
    KILLAT=$ORDER LD_PRELOAD=$BUILD/tests/tools/killat.so launch_agent
    traffic 30
}
make_traffic() { traffic 20; }
make_follower() { # a follower is gone for a while
    burst
    cluster kill node 3
    traffic 3 || true
    cluster run node 3
    traffic 60
}
make_leader() {
    burst
    cluster kill node 1
    traffic 30
}
make_database() {
    burst
    cluster kill db 2
    traffic 30 || return 1
    cluster run db 2
}
make_swallow() {
    cluster switch 2 swallow 3 2>/dev/null || return 77
    traffic 30
}
make_segment() {
    cluster switch 1 segment_full 30000 2>/dev/null || return 77
    sql source "USE plain; REPLACE INTO big SELECT $COUNT, GROUP_CONCAT(SHA2(RAND(seq), 512) SEPARATOR '') FROM seq_1_to_1200"
    traffic 40
}

sink_is() { nodes_of clusters.0.nodes.2.sink_state | grep -qE "$1"; }
seed_until_killed() { # OPTION...
    "${ARM[@]}"
    ctl_agent nodes seed "$(node_host 3)" --yes "$@" >>"$DIR/orders.log" 2>&1 &
    traffic 60
}
make_replay() { # some of its tables are still there, to be dropped; its sink has to stop first, or it would write its position again
    rm -f "$ORDER"
    node_sql 3 "DELETE FROM wolfcdc.position; DROP TABLE plain.t"
    burst
    wait_for 30 "node 3's sink to stop" sink_is 'stopped|conflict'
    seed_until_killed --from log
}
make_copy() {
    rm -f "$ORDER"
    burst
    node_sql 3 "DROP DATABASE plain; DROP DATABASE wolfcdc"
    seed_until_killed --from "$(node_host 1)"
}
# What was being seeded goes on by itself, or says that it is to be seeded; an operator does.
heal_seed() {
    wait_for 30 "node 3's sink" sink_is 'stopped|streaming|idle|conflict|gone'
    nodes_of clusters.0.nodes.2.state | grep -qE '^(rebuilt|new)$' || return 0
    seed_node 3
}
arm() { printf '%s %s %s %s\n' "$1" "$2" "$3" "$4" >"$ORDER.new" && mv "$ORDER.new" "$ORDER"; }
# step NAME WHEN OFTEN MS TEXT HOW
step() {
    local from=$SECONDS code=0 times=$((1 + RANDOM % $3)) n
    wait_for 90 "the way" way_taken
    ARM=(arm "$2" "$times" "$4" "${5/PORT/${PORT[source]}}")
    "${ARM[@]}"
    "make_$6" || code=$?
    rm -f "$ORDER"
    if [ $code = 77 ]; then
        say "$1: only with stand-ins"
        return
    fi
    [ $code = 0 ] || fail "$1: never came to it"
    wait "$AGENT_PID" 2>/dev/null || true
    AGENT_PID=
    burst
    start_armed
    for n in 1 2 3; do cluster run node $n; done
    case $6 in replay | copy) heal_seed ;; esac
    wait_delivered 120
    lead_again 10
    wait_for 90 "the way after: $1" way_taken # rows that late statements changed are put right before
    (compare_nodes) >"$DIR/compared" 2>&1 || { cat "$DIR/compared" >&2; differ "after: $1"; }
    say "$1 (time $times): over after $((SECONDS - from)) s"
}

mapfile -t all < <("${DELIVERY}_steps" | grep -F -- "${STEPS-}")
rounds=${ROUNDS:-4}
if [ "$LONG" = 1 ] || [ -n "${STEPS-}" ]; then
    chosen=("${all[@]}")
    [ "$LONG" = 0 ] || chosen+=("${all[@]}" "${all[@]}")
else
    mapfile -t chosen < <(for s in "${all[@]}"; do printf '%05d|%s\n' $RANDOM "$s"; done | sort | head -n "$rounds" | cut -d'|' -f2-)
fi
for s in "${chosen[@]}"; do
    IFS='|' read -r name when often ms text how <<<"$s"
    step "$name" "$when" "$often" "$ms" "$text" "$how"
done
burst
wait_delivered 60
compare_nodes
say "${#chosen[@]} kills"
stop_agent
