#!/bin/bash
# The application is MariaDB's own test suite: what its files do to the source is on the target afterwards, tables and rows. Nothing
# but what the README declares may stop the agent.
#
# FILES="main/insert innodb/foreign_key …" or SUITES="main gcol …" choose; a normal run takes a handful, --long the suites below as far as
# time allows. METADATA=NO_LOG, ENGINE=MyISAM and KEEP_GOING=1 (all findings, not the first alone) are for the search for faults.
. "$(dirname "$0")/../lib.sh"
FEW="main/update main/truncate json/json_table_mysql gcol/gcol_ins_upd_innodb"
MANY="gcol vcol json period main parts compat/oracle roles funcs_1 binlog innodb engines/funcs"
FILE_SECONDS=${FILE_SECONDS:-20}
SUITE_SECONDS=${SUITE_SECONDS:-6000} # no further file after so long
METADATA=${METADATA:-FULL}
ENGINE=${ENGINE:-InnoDB}
KEEP_GOING=${KEEP_GOING:-0}
ok=0 idle=0 refused=0 findings=0

# What the README says that it does not do, as the agent words it; and what comes of both servers being on one machine (DIRECTORY), of files
# that empty the binary log (diverged), or of accounts that were made before the agent began (definer).
DECLARED='^diverged|DIRECTORY|specified as a definer|is not captured by this release|is an XA transaction|system-versioned|binlog_format=ROW on the source|binary log has no column names'
# Files that end or empty the source's binary log, or write past it, or need a server built otherwise.
NOT_OURS='restart_mysqld|shutdown_server|^ *shutdown|kill_mysqld|have_debug|reset +master|master-slave|sql_log_bin|search_pattern|wsrep|crash|include/rpl_init|galera|purge +(binary|master)|change +master|skip_replication|ps-protocol|big_test|(global|@@global).*(gtid_|read_only|server_id|lower_case|log_bin|binlog_format)|have_ps|data +directory|tablespace|binlog-do|binlog_ignore'

suite_dir() {
    if [ "$1" = main ]; then echo "$MTR/main"; return; fi
    if [ -d "$MTR/suite/$1/t" ]; then echo "$MTR/suite/$1/t"; else echo "$MTR/suite/$1"; fi
}
# files: the names to run, SUITE/FILE.
files() {
    local suite f
    if [ -n "${FILES-}" ]; then tr ' ' '\n' <<<"$FILES"; return; fi
    if [ "$LONG" = 0 ] && [ -z "${SUITES-}" ]; then tr ' ' '\n' <<<"$FEW"; return; fi
    for suite in ${SUITES:-$MANY}; do
        for f in "$(suite_dir "$suite")"/*.test; do
            [ -e "$f" ] || continue
            grep -qEi "$NOT_OURS" "$f" || echo "$suite/$(basename "$f" .test)"
        done
    done
}

# ---- one file ----------------------------------------------------------------------------------------------------------
# run_file FILE: its SQL on the source; what it prints and whether it fails does not matter.
run_file() {
    local code=0
    rm -rf "$VAR"
    mkdir -p "$VAR"/{tmp,log,run,std_data}
    [ "$(id -u)" != 0 ] || chown -R nobody:nogroup "$VAR"
    (
        cd "$MTR"
        client="--user=root --socket=$DIR/source/sock"
        export MYSQL_TEST_DIR=$MTR MYSQLTEST_VARDIR=$VAR MYSQL_TMP_DIR=$VAR/tmp MYSQLTEST_FILE=$1 LC_ALL=C \
            MASTER_MYPORT=${PORT[source]} MASTER_MYSOCK=$DIR/source/sock SECURE_LOAD_PATH=$MTR/std_data \
            MYSQL="mariadb --no-defaults $client" MYSQL_DUMP="mariadb-dump --no-defaults $client" \
            MYSQLADMIN="mariadb-admin --no-defaults $client" MYSQL_BINLOG="mariadb-binlog --no-defaults" \
            MYSQL_IMPORT="mariadb-import --no-defaults $client" MYSQL_CHECK="mariadb-check --no-defaults $client" \
            MYSQLD_DATADIR="$VAR/none" DEFAULT_MASTER_PORT=${PORT[source]} LD_LIBRARY_PATH=$ROOT/usr/lib/x86_64-linux-gnu
        exec "${NOBODY[@]}" timeout -k 5 "$FILE_SECONDS" "$ROOT/usr/bin/mariadb-test" --no-defaults --user=root \
            --socket="$DIR/source/sock" --database=test --continue-on-error --silent --tmpdir="$VAR/tmp" --logdir="$VAR/log" \
            --test-file="$(suite_dir "${1%/*}")/${1##*/}.test"
    ) </dev/null >"$DIR/file.out" 2>&1 || code=$?
    return $code
}
variables() { sql source "SHOW GLOBAL VARIABLES WHERE Variable_name NOT LIKE 'gtid%' AND Variable_name NOT LIKE 'innodb_buffer_pool_load%'" 2>/dev/null; }
# Global settings that the file left changed are put back.
restore_variables() {
    local name value
    variables | diff "$DIR/variables" - | sed -n 's/^< //p' | while IFS=$'\t' read -r name value; do
        [[ $value =~ ^[0-9.]+$ ]] || value="'$value'"
        sql source "SET GLOBAL $name = $value" 2>/dev/null || true
    done
}
SYSTEM="'mysql','information_schema','performance_schema','sys'"
# empty SERVER: all of its databases, accounts and prepared transactions are gone; on the source that is captured too.
empty() {
    local id
    for id in $(sql "$1" "SELECT id FROM information_schema.processlist WHERE user IN ('root', 'admin') AND id <> CONNECTION_ID()"); do
        sql "$1" "KILL $id" 2>/dev/null || true
    done
    sql "$1" "XA RECOVER FORMAT='SQL'" | cut -f 4 | while read -r id; do sql "$1" "XA ROLLBACK $id" || true; done
    {
        echo "SET foreign_key_checks = 0, SESSION check_constraint_checks = 0;"
        sql "$1" "SELECT CONCAT('DROP DATABASE \`', REPLACE(schema_name, '\`', '\`\`'), '\`;') FROM information_schema.schemata
            WHERE schema_name NOT IN ($SYSTEM${2-})"
        sql "$1" "SELECT CONCAT('DROP ', IF(is_role = 'Y', 'ROLE ', 'USER '), QUOTE(user), IF(is_role = 'Y', '', CONCAT('@', QUOTE(host))), ';')
            FROM mysql.user WHERE user NOT IN ('root', 'admin', 'repl', 'mariadb.sys', 'mysql', 'nobody', 'PUBLIC')"
    } | mariadb --no-defaults --force --user=root --socket="$DIR/$1/sock" --default-character-set=utf8mb4 >"$DIR/empty.out" 2>&1 || true
    # what SELECT … INTO OUTFILE left there keeps a database from being dropped
    if [ -d "$DIR/$1/data/test" ]; then rm -rf "$DIR/$1/data/test"; fi
}
# begin_anew: an agent with an empty log, from where the source is now, and an empty target.
begin_anew() {
    [ -z "$AGENT_PID" ] || kill_agent || true
    rm -rf "$DIR/wal"
    empty source
    empty target
    write_config source.capture_accounts=true "source.start_gtid=\"$(source_gtid)\"" sink.non_transactional=true
    rm -f "$DIR/agent.log"
    start_agent
}
# definitions SERVER: of tables, views and routines.
definitions() {
    local -a databases
    mapfile -t databases < <(sql "$1" "SELECT schema_name FROM information_schema.schemata WHERE schema_name NOT IN ($SYSTEM, 'wolfcdc')")
    [ ${#databases[@]} -gt 0 ] || return 0
    # shellcheck disable=SC2016 # sed's backticks
    mariadb-dump --no-defaults --user=root --socket="$DIR/$1/sock" --no-data --skip-triggers --skip-comments --force \
        --databases "${databases[@]}" 2>/dev/null |
        sed 's/ AUTO_INCREMENT=[0-9]*//; s/ DEFINER=`[^ ]*`@`[^ ]*`//; s/ ENGINE=[A-Za-z]*//' # the default engine is in no event
}

# delivered: as wait does, but it ends when the agent has.
delivered() {
    local end=$((SECONDS + 90))
    until ctl_agent wait --timeout 0.5 >"$DIR/wait.out" 2>&1; do
        [ $SECONDS -lt $end ] && kill -0 "$AGENT_PID" 2>/dev/null || return 1
        [[ "$(status_of source.state) $(status_of sinks.0.state)" != *@(stopped|conflict|diverged)* ]] || return 1
    done
}
# judge FILE: sets VERDICT to ok, refused: … or what is wrong.
judge() {
    if ! delivered; then
        kill -0 "$AGENT_PID" 2>/dev/null || { VERDICT="the agent ended: $(tail -n 3 "$DIR/agent.log" | tr '\n' ' ')"; return; }
        VERDICT="$(status_of source.state) $(status_of source.reason) / $(status_of sinks.0.state) $(status_of sinks.0.reason)"
        VERDICT=${VERDICT//$'\n'/ }
        if grep -qE "$DECLARED" <<<"$VERDICT"; then VERDICT="refused: $VERDICT"; fi
        return
    fi
    if ! "$BUILD/tests/tools/compare" --source-socket "$DIR/source/sock" --target-socket "$DIR/target/sock" >"$DIR/compare.out" 2>&1; then
        VERDICT="differs: $(head -n 3 "$DIR/compare.out" | cut -c1-200 | tr '\n' ' ')"
        return
    fi
    definitions source >"$DIR/definitions.source"
    definitions target >"$DIR/definitions.target"
    if ! diff "$DIR/definitions.source" "$DIR/definitions.target" >"$DIR/definitions.diff"; then
        VERDICT="defined differently: $(grep '^[<>]' "$DIR/definitions.diff" | head -n 2 | cut -c1-160 | tr '\n' ' ')"
        return
    fi
    VERDICT=ok
}
keep_traces() {
    local to=$DIR/findings/${1//\//.}
    mkdir -p "$to"
    cp "$DIR"/{agent.log,compare.out,definitions.diff,wait.out,file.out} "$to" 2>/dev/null || true
    ctl_agent status >"$to/status" 2>&1 || true
    "$BUILD/wolfctl" wal dump --dir "$DIR/wal" 2>/dev/null | tail -n 400 >"$to/dump" || true
}

one_file() {
    local from code=0 took=$SECONDS
    sql source "CREATE DATABASE IF NOT EXISTS test CHARACTER SET latin1"
    from=$(source_gtid)
    run_file "$1" || code=$?
    if ! sql source "DO 1" 2>/dev/null; then
        start_source
    fi
    restore_variables
    if [ "$(source_gtid)" = "$from" ]; then
        idle=$((idle + 1))
        printf '%s\tidle\t%s\n' "$1" $code >>"$DIR/results"
        return
    fi
    judge
    # RESET MASTER in an included file; a new domain is none
    if [ "$(source_gtid | sed 's/.*-//')" -lt "${from##*-}" ]; then VERDICT="refused: the file emptied the binary log"; fi
    printf '%s\t%s\t%s s\n' "$1" "$VERDICT" $((SECONDS - took)) >>"$DIR/results"
    case $VERDICT in
    ok) ok=$((ok + 1)) ;;
    refused:*) refused=$((refused + 1)) ;;
    *)
        findings=$((findings + 1))
        say "$1: $VERDICT"
        keep_traces "$1"
        [ "$KEEP_GOING" != 0 ] || fail "$1"
        ;;
    esac
    if [ "$VERDICT" = ok ]; then empty source; else begin_anew; fi
}

ROOT=$("$HERE/servers/mariadb-test.sh" 2>/dev/null) || skip "MariaDB's test package cannot be had"
MTR=$(echo "$ROOT"/usr/share/m*/m*-test)
NOBODY=()
[ "$(id -u)" != 0 ] || NOBODY=(setpriv --reuid=nobody --regid=nogroup --clear-groups --)
VAR=$DIR/var
options=(--character-set-server=latin1 --local-infile=1 --log-bin-trust-function-creators=1 --secure-file-priv= --default-storage-engine="$ENGINE"
    --max-binlog-size=1G --innodb-lock-wait-timeout=5 --lock-wait-timeout=10)
start_source - "${options[@]}" --binlog-row-metadata="$METADATA"
start_target - "${options[@]}"
variables >"$DIR/variables"
begin_anew
for f in $(files); do
    [ $SECONDS -lt "$SUITE_SECONDS" ] || { say "time is up at $f"; break; }
    one_file "$f" || begin_anew
done
[ ! -s "$DIR/results" ] || cp "$DIR/results" "$WORK/server-suite.results"
say "$ok files delivered, $refused refused as declared, $idle wrote nothing, $findings findings"
[ $findings = 0 ] || fail "$findings findings"
[ $ok -gt 0 ] || fail "no file wrote anything"
stop_agent
