#!/bin/sh
# The lab: up, what is in it, what its load shows, and down in every state that a crash can leave it in.
# majors: system
# sanitizers: no
# long
. "$(dirname "$0")/../lib.sh"

need_pg
PGMEDIC_PGBIN=$PG_BINDIR
export PGMEDIC_PGBIN
psql=$PG_BINDIR/psql
dir=$TMP/lab
minimal='--no-standby --no-pgbouncer --no-load'

at_exit() {
	for folder in "$TMP"/lab*; do
		[ ! -d "$folder" ] || "$PGMEDIC" lab down --directory "$folder" >/dev/null 2>&1
	done
}

lab() {	# ACTION [OPTION...]
	action=$1
	shift
	"$PGMEDIC" lab "$action" --directory "$dir" "$@"
}

# value PART KEY: of `lab status --json`; PART "" is the top
value() {
	lab status --json | sed -n ${1:+"s/.*\"$1\":{\([^}]*\)}.*/\1/;"}"s/.*\"$2\":\"\{0,1\}\([^,\"}]*\).*/\1/p"
}

q() {	# URI QUERY
	"$psql" -X -A -t -q -w -v ON_ERROR_STOP=1 -d "$1" -c "$2" 2>&1
}

q_is() {	# URI QUERY WANTED
	[ "$(q "$1" "$2")" = "$3" ]
}

# Processes that work in the folder, also after it was removed.
left() {
	for proc in /proc/[0-9]*; do
		case $(readlink "$proc/cwd" 2>/dev/null) in
		"$dir" | "$dir"/* | "$dir (deleted)") echo "${proc#/proc/} $(cat "$proc/comm")" ;;
		esac
	done
}

segments() {	# of shared memory made by process PID
	awk -v pid="$1" '$5 == pid' /proc/sysvipc/shm
}

nothing_left() {	# WHAT
	is "$1: no folder" "$(ls -d "$dir"* 2>/dev/null)" ''
	is "$1: no process" "$(wait_for 5 no_process || left)" ''
}

no_process() {
	[ -z "$(left)" ]
}

children() {	# PID...: those and all below them
	for parent in "$@"; do
		echo "$parent"
		# shellcheck disable=SC2046 # a list of pids
		children $(awk -v p="$parent" '$4 == p { print $1 }' /proc/[0-9]*/stat 2>/dev/null)
	done
}

# ------------------------------------------------------------------ usage

status 2 'an action is needed' "$PGMEDIC" lab
like 'usage is told' "$(cat "$TMP/err")" 'Usage: pgmedic lab up\|down\|status'
status 2 'an unknown action' "$PGMEDIC" lab sideways
status 2 'an unknown option' "$PGMEDIC" lab up --fast
status 2 'two actions' "$PGMEDIC" lab up down
status 1 'status without a lab' lab status
is 'it is down' "$(lab status --json | grep -c '"state":"down".*"primary":null,"standby":null,"pgbouncer":null,"cloud":null,"load":{"running":0')" 1
status 0 'down without a lab' lab down
nothing_left 'asking'

status 1 'no server programs' env PGMEDIC_PGBIN=/nonexistent "$PGMEDIC" lab up --directory "$dir"
like 'the missing program is named' "$(cat "$TMP/err")" '^pgmedic: PGMEDIC_PGBIN .*initdb'
nothing_left 'no programs'

mkdir -m 700 "$TMP/lab-taken"
[ -z "$pg_user" ] || chown "$pg_user" "$TMP/lab-taken"
echo mine >"$TMP/lab-taken/file"
status 1 'a folder that holds something' "$PGMEDIC" lab up --directory "$TMP/lab-taken"
is 'it is left alone' "$(cat "$TMP/lab-taken/file")" mine
rm -rf "$TMP/lab-taken"

# ------------------------------------------------------------------ up

status 0 'up' lab up
is 'the state' "$(value '' state)" up
is 'the folder is private' "$(stat -c %a "$dir")" 700
unlike 'nothing belongs to root' "$(find "$dir" -user 0; ls -ld "$dir")" 'root'
uri=$(value primary uri) standby=$(value standby uri) dba=$(value primary dba_uri)
is 'tables' "$(q "$uri" "SELECT count(*) >= 10 FROM pg_tables WHERE schemaname = 'shop'")" t
is 'rows' "$(q "$uri" 'SELECT count(*) >= 40000 FROM orders')" t
is 'partitions' "$(q "$uri" "SELECT count(*) FROM pg_partition_tree('events') WHERE isleaf")" 8
is 'foreign keys' "$(q "$uri" "SELECT count(*) >= 10 FROM pg_constraint WHERE contype = 'f'")" t
is 'settings' "$(q "$uri" "SELECT string_agg(setting, ' ' ORDER BY name) FROM pg_settings
	WHERE name IN ('listen_addresses', 'logging_collector', 'shared_preload_libraries', 'track_io_timing', 'wal_level')")" \
	'127.0.0.1 on pg_stat_statements on replica'
is 'the system identifier' "$(q "$uri" 'SELECT system_identifier FROM pg_control_system()')" \
	"$(sed -n 's/^system_identifier //p' "$dir/pgmedic-lab")"
ok 'statements are counted' wait_for 10 q_is "$uri" 'SELECT count(*) > 3 FROM public.pg_stat_statements' t
is 'the data directory' "$(q "$uri" 'SHOW data_directory')" "$(value primary data_directory)"
is 'the dba' "$(q "$dba" "SELECT pg_has_role('pg_monitor', 'USAGE') AND pg_has_role('pg_signal_backend', 'USAGE')
	AND NOT rolsuper FROM pg_roles WHERE rolname = current_user")" t
is 'the standby' "$(q "$standby" 'SELECT pg_is_in_recovery() AND count(*) >= 40000 FROM orders')" t
is 'its slot' "$(q "$uri" "SELECT s.active AND r.state = 'streaming' FROM pg_replication_slots s
	JOIN pg_stat_replication r ON r.pid = s.active_pid")" t
like 'the superuser needs the password' "$(q "postgresql://lab@127.0.0.1:$(value primary port)/shop" 'SELECT 1')" 'password'
if [ "$(value '' pgbouncer)" != null ]; then
	admin=$(value pgbouncer admin_uri)
	like 'the pool' "$(q "$admin" 'SHOW POOLS')" '^shop\|app\|'
	like 'its mode' "$(q "$admin" 'SHOW CONFIG')" '^pool_mode\|transaction'
	is 'through it' "$(q "$(value pgbouncer uri)" 'SELECT current_user')" app
	like 'the console needs the password' "$(q "postgresql://lab@127.0.0.1:$(value pgbouncer port)/pgbouncer" 'SHOW POOLS')" \
		'password|SASL'
else
	skip 'pgbouncer is not installed'
fi

status 0 'up again' lab up
is 'it is the same lab' "$(value primary uri)" "$uri"

# ------------------------------------------------------------------ load

ok 'application names' wait_for 20 q_is "$uri" "SELECT count(DISTINCT application_name) >= 8 FROM pg_stat_activity
	WHERE usename IN ('app', 'report')" t
ok 'idle in transaction' wait_for 20 q_is "$uri" "SELECT count(*) > 0 FROM pg_stat_activity
	WHERE application_name = 'backoffice' AND state = 'idle in transaction'" t
ok 'a slow query' wait_for 40 q_is "$uri" "SELECT count(*) > 0 FROM pg_stat_activity WHERE usename = 'report'
	AND state = 'active' AND now() - query_start > interval '1 second'" t
ok 'a lock chain of four' wait_for 90 q_is "$uri" "WITH RECURSIVE b AS (SELECT pid, unnest(pg_blocking_pids(pid)) AS by
	FROM pg_stat_activity WHERE wait_event_type = 'Lock'), chain AS (SELECT pid, 2 AS depth FROM b
	WHERE by NOT IN (SELECT pid FROM b) UNION SELECT b.pid, depth + 1 FROM b JOIN chain ON b.by = chain.pid)
	SELECT max(depth) >= 4 FROM chain" t
lost=$(q "$uri" "SELECT pid FROM pg_stat_activity WHERE application_name = 'backoffice'")
q "$uri" "SELECT pg_terminate_backend($lost)" >/dev/null
# pgbench learns of it with its next command, behind a sleep of up to 50 s.
ok 'a session that was terminated is replaced' wait_for 75 q_is "$uri" "SELECT count(*) FROM pg_stat_activity
	WHERE application_name = 'backoffice' AND pid <> $lost" 1
whole_load() {
	[ "$(value load running)" = "$(value load expected)" ]
}
ok 'all programs run' wait_for 20 whole_load
like 'its targets know their servers' "$(PGMEDIC_LAB=$dir "$PGMEDIC" run 'switchover nopause' lab --dry-run 2>&1)" \
	'^streaming +lab-standby streaming'
like '... and can be drilled' "$(PGMEDIC_LAB=$dir "$PGMEDIC" run 'drill failover --kind crash' lab --dry-run 2>&1)" \
	'kill the primary'
if command -v pgbackrest >/dev/null; then
	status 0 'it has backups' env PGMEDIC_LAB="$dir" "$PGMEDIC" run 'snapshot first' lab --yes --wait
	is 'its archiving has not failed' "$(q "$uri" 'SELECT archived_count > 0 AND failed_count = 0 FROM pg_stat_archiver')" t
	status 0 'one is restored beside it' env PGMEDIC_LAB="$dir" "$PGMEDIC" run 'restore first to copy' lab --yes --wait
else
	skip 'pgbackrest is not installed'
fi

# ------------------------------------------------------------------ down

sed -i.bak 's/^system_identifier .*/system_identifier 4711/' "$dir/pgmedic-lab"
[ -z "$pg_user" ] || chown "$pg_user" "$dir/pgmedic-lab"
chmod 600 "$dir/pgmedic-lab"
status 1 'a cluster that is not ours' lab down
like 'it is refused' "$(cat "$TMP/err")" 'not the cluster that this lab has made'
is 'and runs on' "$(q "$uri" 'SELECT 1')" 1
mv "$dir/pgmedic-lab.bak" "$dir/pgmedic-lab"

kill -STOP "$(value primary pid)"
status 0 'down while the primary is frozen' lab down
nothing_left 'down'

# shellcheck disable=SC2086 # options
status 0 'a small lab' lab up $minimal
is 'it has no standby' "$(value '' standby)" null
postmaster=$(value primary pid)
kill -KILL "$postmaster"
ok 'its end is seen' wait_for 5 gone "$postmaster"
status 1 'status after a crash' lab status
is 'it is partial' "$(value '' state)" partial
status 0 'down after a crash' lab down
nothing_left 'a crash'
is 'a crash: no shared memory' "$(segments "$postmaster")" ''

# ------------------------------------------------------------------ half-finished, twice at once, interrupted

killed_at() {	# PATTERN: end `up` at once when a file is there
	"$PGMEDIC" lab up --directory "$dir" --no-load >"$TMP/up.log" 2>&1 &
	up=$!
	# shellcheck disable=SC2086 # a pattern
	wait_for 60 sh -c "ls -d $dir/$1"
	# the program and, as root, the child that does the work; what they have started is left to itself
	for pid in $(children "$up"); do
		case $(cat "/proc/$pid/comm" 2>/dev/null) in
		postgres | initdb | pg_basebackup | psql | ld-linux*) ;;
		*) kill -KILL "$pid" 2>/dev/null ;;
		esac
	done
	wait "$up" 2>/dev/null
	status 0 "down after up was killed at $1" lab down
	nothing_left "killed at $1"
}
killed_at 'initdb-*/base'
killed_at 'primary/postmaster.pid'
killed_at 'standby/PG_VERSION'

# shellcheck disable=SC2086 # options
lab up $minimal >"$TMP/first" 2>&1 &
first=$!
# shellcheck disable=SC2086 # options
lab up $minimal >"$TMP/second" 2>&1 &
second=$!
wait "$first"
is 'the first of two' $? 0
wait "$second"
is 'the second of two' $? 0
is 'one of them made it' "$(cat "$TMP/first" "$TMP/second" | grep -c '^It took')" 1
is 'both tell the same' "$(grep -h primary "$TMP/first" "$TMP/second" | sort -u | wc -l | tr -d ' ')" 1
status 0 'down' lab down
nothing_left 'two at once'

# shellcheck disable=SC2086 # options
"$PGMEDIC" lab up --directory "$dir" $minimal >"$TMP/up.log" 2>&1 &
up=$!
ok 'it begins' wait_for 60 sh -c "ls -d $dir/primary"
kill -TERM "$up"
wait "$up"
is 'an interrupted up fails' $? 1
like 'and says so' "$(cat "$TMP/up.log")" 'interrupted'
nothing_left 'interrupted'
finish
