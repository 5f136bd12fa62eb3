#!/bin/sh
# What a role sees: one with CONNECT only, one with pg_monitor, a superuser. Each is served by every pane, by doctor
# and by the console; what the plain role may not see is unknown, never 0, and a note names the GRANT.
# majors: newest
# sanitizers: no
. "$(dirname "$0")/../lib.sh"

need_pg
[ -x "$PGMEDIC" ] || skip_all "no program is built here"
command -v python3 >/dev/null || skip_all "python3 reads the JSON"
start_pg primary "max_prepared_transactions = 5" "log_line_prefix = '%m [%p] '"
start_standby standby primary
sql primary "CREATE ROLE plain LOGIN; CREATE ROLE monitor LOGIN IN ROLE pg_monitor; CREATE ROLE app LOGIN;
	CREATE ROLE outside LOGIN IN ROLE pg_monitor;
	CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT g, 'x' FROM generate_series(1, 2000) g;
	GRANT ALL ON t TO app" >/dev/null
sql primary "CREATE DATABASE closed" >/dev/null
sql primary "REVOKE CONNECT ON DATABASE closed FROM PUBLIC; REVOKE CONNECT ON DATABASE postgres FROM PUBLIC;
	GRANT CONNECT ON DATABASE postgres TO plain, monitor, app, outside; REVOKE ALL ON SCHEMA public FROM PUBLIC;
	GRANT USAGE ON SCHEMA public TO plain, monitor, app" >/dev/null
sql primary "VACUUM ANALYZE" >/dev/null

# A prepared transaction and a session hold rows that others wait for; one is idle in a transaction, one failed in it.
"$PG_BINDIR/psql" -X -q -d "$primary_uri" -c "BEGIN" -c "UPDATE t SET v = 'p' WHERE id = 2" -c "PREPARE TRANSACTION 'two phases'"
session() {	# NAME SQL...
	name=$1
	shift
	spawn "$PG_BINDIR/psql" -X -q -d "postgresql://app@127.0.0.1:$primary_port/postgres?application_name=$name" "$@" >/dev/null 2>&1
}
idle_session() {	# NAME SQL: stays in the state it is left in
	mkfifo "$TMP/$1.in"
	exec 9<>"$TMP/$1.in"
	"$PG_BINDIR/psql" -X -q -d "postgresql://app@127.0.0.1:$primary_port/postgres?application_name=$1" <&9 >/dev/null 2>&1 &
	spawned="$spawned $!"
	echo "$2" >&9
}
has() {	# QUERY: gives t
	[ "$(sql primary "SELECT $1")" = t ]
}
session holder -c "BEGIN" -c "UPDATE t SET v = 'y' WHERE id = 1" -c "SELECT pg_sleep(600)"
wait_for 10 has "EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'holder' AND wait_event = 'PgSleep')"
session waiter -c "UPDATE t SET v = 'z' WHERE id = 1"
session waiter2 -c "UPDATE t SET v = 'z' WHERE id = 2"
idle_session idle "BEGIN; SELECT count(*) FROM t;"
idle_session failed "BEGIN; SELECT nowhere;"
ok "the scene is set" wait_for 20 has "(SELECT count(*) = 2 FROM pg_stat_activity WHERE wait_event_type = 'Lock')
    AND EXISTS (SELECT FROM pg_stat_activity WHERE state = 'idle in transaction')
    AND EXISTS (SELECT FROM pg_stat_activity WHERE state = 'idle in transaction (aborted)')
    AND EXISTS (SELECT FROM pg_stat_replication WHERE state = 'streaming' AND replay_lsn = pg_current_wal_lsn())"

# ------------------------------------------------------------------ every pane for each role

panes='overview activity waits locks statements replication tables indexes maintenance databases settings pools storage'
# The superuser first: counters grow from one to the next.
for role in postgres monitor plain; do
	for pane in $panes; do
		# The one before has left.
		wait_for 10 has "count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'client backend'
		    AND usename <> 'app' AND pid <> pg_backend_pid()"
		status 0 "$role: show $pane" "$PGMEDIC" show "$pane" --json --all -h 127.0.0.1 -p "$primary_port" -U "$role" -d postgres
		cp "$TMP/out" "$TMP/$role.$pane.json"
		ok "$role: $pane is valid JSON" python3 -m json.tool "$TMP/$role.$pane.json"
		is "$role: $pane says nothing on standard error" "$(cat "$TMP/err")" ""
	done
done

# Cells and facts that are more than 0 for the superuser but 0 for the role, by what identifies a row.
cat >"$TMP/zeros.py" <<'END'
import json, sys
keys = {"overview": ["metric"], "activity": ["pid"], "locks": ["pid", "parent_pid"], "replication": ["kind", "name"],
        "tables": ["relid"], "indexes": ["indexrelid"], "maintenance": ["kind", "name", "pid"], "databases": ["database"],
        "settings": ["name"], "waits": ["class", "event"]}
# What is measured anew each time: rates, loads, times, the observer's own work.
moving = ("_per_s", "_pct", "tps", "qps", "aas", "_ms", "_age_s", "_lag_s", "wait_s", "now", "_bps", "sessions", "interval_s", "samples", "background", "own")
def items(d, pane):
    for name, v in d["summary"].items():
        yield ("summary", name), v
    for r in d["rows"]:
        key = tuple(str(r.get(k)) for k in keys.get(pane, []))
        for name, v in r.items():
            yield key + (name,), v
pane = sys.argv[3]
full, less = (dict(items(json.load(open(f)), pane)) for f in sys.argv[1:3])
for k, v in less.items():
    name = k[1] if k[0] == "summary" else k[0] if pane == "overview" else k[-1]
    if not name.endswith(moving) and v in (0, False, []) and v is not None and full.get(k) not in (0, None, False, []):
        print(pane, k, full[k], "is", v)
END
for role in plain monitor; do
	for pane in $panes; do
		[ "$pane" = statements ] || is "$role: $pane shows no 0 for what is hidden" \
		    "$(python3 "$TMP/zeros.py" "$TMP/postgres.$pane.json" "$TMP/$role.$pane.json" "$pane" 2>&1)" ""
	done
done

value() {	# ROLE PANE PYTHON: of rows r, summary s and notes n
	python3 -c 'import json, sys
d = json.load(open(sys.argv[1])); r = d["rows"]; s = d["summary"]; n = d["notes"]
print(eval(sys.argv[2]))' "$TMP/$1.$2.json" "$3"
}
denied="' '.join(x['what'] + ' ' + x['hint'] for x in n if x['code'] == 'denied')"
for pane in overview activity waits locks statements replication maintenance databases settings; do
	like "plain: $pane names the GRANT" "$(value plain $pane "$denied")" 'GRANT pg_(monitor|read_all_stats|read_all_settings) TO '
done
for pane in $panes; do
	is "monitor: $pane hides nothing" "$(value monitor "$pane" "$denied")" ""
	is "superuser: $pane hides nothing" "$(value postgres "$pane" "$denied")" ""
done

# ------------------------------------------------------------------ what it is that they see

others="[x for x in r if x['user'] == 'app']"
hidden="state wait_type wait_event xact_age_s query_age_s state_age_s query client backend_type query_id"
is "plain: sessions of others are there" "$(value plain activity "sorted(x['application'] for x in $others)")" \
    "['failed', 'holder', 'idle', 'waiter', 'waiter2']"
is "plain: and nothing of theirs but who they are" \
    "$(value plain activity "{x[k] for x in $others for k in '$hidden'.split()}")" "{None}"
is "monitor: sees them" "$(value monitor activity "sorted({x['state'] for x in $others})")" \
    "['active', 'idle in transaction', 'idle in transaction (aborted)']"
for fact in active idle_in_transaction idle_in_transaction_aborted waiting oldest_xact_s; do
	is "plain: how many are $fact is unknown" "$(value plain activity "s['$fact']")$(value plain overview "s['$fact']")" NoneNone
done
is "plain: connections are known" "$(value plain overview "s['connections']")" "$(value postgres overview "s['connections']")"
is "monitor: who is aborted is counted" "$(value monitor overview "s['idle_in_transaction_aborted']")" 1
is "plain: the load is unknown" "$(value plain waits "s['aas']")" None
is "plain: the lock tree is the superuser's" \
    "$(value plain locks "[(x['pid'], x['parent_pid'], x['depth'], x['mode'], x['held_mode']) for x in r]")" \
    "$(value postgres locks "[(x['pid'], x['parent_pid'], x['depth'], x['mode'], x['held_mode']) for x in r]")"
is "plain: statements of those that wait are unknown" "$(value plain locks "{x['query'] for x in r if x['pid'] > 0}")" "{None}"
is "plain: a standby is there, its lag unknown" \
    "$(value plain replication "[(x['state'], x['sync_state'], x['replay_lag_bytes'], x['replay_lag_s']) for x in r if x['kind'] == 'standby']")" \
    "[(None, None, None, None)]"
is "plain: lag in the overview is unknown, too" "$(value plain overview "(s['replication_lag_bytes'], s['replication_lag_s'])")" "(None, None)"
is "monitor: the standby's lag is known" \
    "$(value monitor replication "[(x['name'], x['state'], x['replay_lag_bytes']) for x in r if x['kind'] == 'standby']")" "[('standby', 'streaming', 0)]"
is "plain: the size of a closed database is unknown, and so is the sum" \
    "$(value plain databases "([x['size_bytes'] for x in r if x['database'] == 'closed'], s['size_bytes'])")$(value plain overview "s['database_bytes']")" \
    "([None], None)None"
is "monitor: it is known" "$(value monitor databases "[x['size_bytes'] for x in r if x['database'] == 'closed']")" \
    "[$(sql primary "SELECT pg_database_size('closed')")]"
is "plain: texts of others' statements are unknown" "$(value plain statements "{x['query'] for x in r if x['user'] == 'app'} | {x['query_id'] for x in r if x['user'] == 'app'}")" \
    "$([ "$(value plain statements "len([x for x in r if x['user'] == 'app'])")" = 0 ] && echo 'set()' || echo '{None}')"
is "plain: file names are unknown" "$(value plain settings "{x['sourcefile'] for x in r}")" "{None}"
is "plain: how many autovacuum workers there are is unknown" "$(value plain maintenance "s['autovacuum_workers']")" None

status 0 "a role that may not look into the extension's schema" \
    "$PGMEDIC" show statements --json -h 127.0.0.1 -p "$primary_port" -U outside -d postgres
like "is told which GRANT that takes" "$(cat "$TMP/out")" '"denied".*GRANT USAGE ON SCHEMA public TO'

# ------------------------------------------------------------------ doctor, text, console

status 1 "plain: doctor finds what is missing" "$PGMEDIC" doctor -h 127.0.0.1 -p "$primary_port" -U plain -d postgres
like "plain: with the GRANT" "$(cat "$TMP/out")" 'GRANT pg_monitor TO plain'
for role in monitor postgres; do
	status 0 "$role: doctor" "$PGMEDIC" doctor -h 127.0.0.1 -p "$primary_port" -U "$role" -d postgres
	unlike "$role: lacks nothing" "$(cat "$TMP/out")" 'GRANT pg_monitor|^missing'
done
status 0 "plain: text" "$PGMEDIC" show activity -h 127.0.0.1 -p "$primary_port" -U plain -d postgres
like "plain: the note is under it" "$(cat "$TMP/out" "$TMP/err")" 'GRANT pg_monitor TO plain'

for role in plain monitor postgres; do
	{
		echo ':wait sample 2'
		for pane in $panes; do
			echo ":$pane"
			echo ':wait sample 1'
			echo ":save-display $TMP/$role.$pane.screen"
		done
	} >"$TMP/script"
	status 0 "$role: the console starts and shows every pane" env PGMEDIC_SCRIPT="$TMP/script" LINES=40 COLUMNS=160 \
	    "$PGMEDIC" -h 127.0.0.1 -p "$primary_port" -U "$role" -d postgres
	for pane in $panes; do
		[ -s "$TMP/$role.$pane.screen" ] || fail "$role: the console did not show $pane"
	done
done
for pane in overview activity locks replication maintenance; do
	like "plain: the console names the GRANT in $pane" "$(cat "$TMP/plain.$pane.screen")" 'GRANT pg_monitor TO plain'
done
unlike "plain: the console shows no statement of others" "$(cat "$TMP/plain.activity.screen" "$TMP/plain.locks.screen")" "UPDATE t SET"
like "monitor: the console does" "$(cat "$TMP/monitor.activity.screen")" "UPDATE t SET"

# ------------------------------------------------------------------ on the standby

for pane in $panes; do
	status 0 "plain, on a standby: show $pane" "$PGMEDIC" show "$pane" --json -h 127.0.0.1 -p "$standby_port" -U plain -d postgres
	cp "$TMP/out" "$TMP/standby.$pane.json"
	ok "plain, on a standby: $pane is valid JSON" python3 -m json.tool "$TMP/standby.$pane.json"
done
is "plain, on a standby: knows its role" "$(value standby overview "s['role']")" standby
like "plain, on a standby: replication names the GRANT" "$(value standby replication "$denied")" 'GRANT pg_'
finish
