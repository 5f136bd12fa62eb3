#!/bin/sh
# A server with a known content and nothing else going on: sessions, locks, horizon, slots, standby, waits and the
# overview say what the catalog says. Counters of tables, statements and databases: counters_test.sh.
. "$(dirname "$0")/../lib.sh"

need_pg
[ -x "$PGMEDIC" ] || skip_all "no program is built here"
command -v python3 >/dev/null || skip_all "python3 reads the JSON"
start_pg primary "max_prepared_transactions = 5" "max_connections = 40" "autovacuum = off" "track_io_timing = on"
start_standby standby primary
sql primary "CREATE ROLE app LOGIN; CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT g, g % 7 FROM generate_series(1, 2000) g;
	GRANT ALL ON t TO app" >/dev/null
sql primary "CREATE DATABASE shop" >/dev/null
sql primary "VACUUM ANALYZE" >/dev/null
"$PG_BINDIR/psql" -X -q -d "$primary_uri" -c "CREATE UNIQUE INDEX CONCURRENTLY broken ON t (v)" >"$TMP/cic.log" 2>&1
is "a concurrent build fails and leaves an invalid index" \
    "$(sql primary "SELECT indisvalid FROM pg_index WHERE indexrelid = 'broken'::regclass")" f
sql primary "SELECT pg_create_physical_replication_slot('forgotten', true)" >/dev/null
"$PG_BINDIR/psql" -X -q -d "$primary_uri" -c "SELECT pg_create_logical_replication_slot('changes', 'test_decoding')" >/dev/null
"$PG_BINDIR/psql" -X -q -d "$primary_uri" -c "BEGIN" -c "UPDATE t SET v = -1 WHERE id = 2" -c "PREPARE TRANSACTION 'two phases'"

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
session behind -c "UPDATE t SET v = 0 WHERE id = 2"
idle_session idler "SELECT 1;"
idle_session holder "BEGIN; UPDATE t SET v = 0 WHERE id = 1;"
idle_session failed "BEGIN; SELECT nowhere;"
wait_for 10 has "EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'holder' AND state = 'idle in transaction')"
session waiter -c "UPDATE t SET v = 0 WHERE id = 1"
session sleeper -c "SELECT pg_sleep(600)"
scene() {
	has "(SELECT count(*) = 2 FROM pg_stat_activity WHERE wait_event_type = 'Lock')
	    AND (SELECT count(*) = 4 FROM pg_stat_activity WHERE application_name IN ('idler', 'holder', 'failed', 'sleeper') AND
		(state = 'idle' OR state LIKE 'idle in%' OR wait_event = 'PgSleep'))
	    AND EXISTS (SELECT FROM pg_stat_replication WHERE state = 'streaming' AND replay_lsn = pg_current_wal_lsn())
	    AND (SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'client backend' AND usename <> 'app'
		AND pid <> pg_backend_pid())
	    AND EXISTS (SELECT FROM pg_stat_activity WHERE state = 'idle in transaction (aborted)')"
}
ok "the scene is set" wait_for 20 scene
sql primary "SELECT pg_switch_wal()" >/dev/null
ok "the standby has caught up" wait_for 20 scene

take() {	# PANE [OPTION...]
	pane=$1
	shift
	wait_for 10 scene
	"$PGMEDIC" show "$pane" --json "$@" "$primary_uri" >"$TMP/$pane.json" 2>"$TMP/err" || fail "show $pane: $(cat "$TMP/err")"
}
value() {	# PANE PYTHON: of rows r, summary s and notes n
	python3 -c 'import json, sys
d = json.load(open(sys.argv[1])); r = d["rows"]; s = d["summary"]; n = d["notes"]
print(eval(sys.argv[2]))' "$TMP/$1.json" "$2"
}
json() {	# QUERY: its JSON as Python prints it
	sql primary "$1" | python3 -c 'import json, sys; print(json.load(sys.stdin))'
}
pid_of() {
	sql primary "SELECT pid FROM pg_stat_activity WHERE application_name = '$1'"
}

# ------------------------------------------------------------------ activity, overview

take activity
is "sessions" "$(value activity "sorted([x['pid'], x['application'], x['user'], x['database'], x['state'], x['backend_type'], x['wait_event']]
    for x in r if x['user'] == 'app')")" \
    "$(json "SELECT json_agg(json_build_array(pid, application_name, usename, datname, state, backend_type, wait_event) ORDER BY pid)
	FROM pg_stat_activity WHERE usename = 'app'")"
is "start times and transaction ids" "$(value activity "sorted([x['pid'], x['backend_start'].rstrip('Z').rstrip('0'), x['xid'], x['query']] for x in r if x['user'] == 'app')")" \
    "$(json "SELECT json_agg(json_build_array(pid, rtrim(to_char(backend_start, 'YYYY-MM-DD\"T\"HH24:MI:SS.US'), '0'),
	backend_xid::text::int8, query) ORDER BY pid) FROM pg_stat_activity WHERE usename = 'app'")"
is "all other processes are there" "$(value activity "sorted(x['backend_type'] for x in r if x['backend_type'] != 'client backend' and x['backend_type'] != 'io worker')")" \
    "$(json "SELECT json_agg(backend_type ORDER BY backend_type COLLATE \"C\") FROM pg_stat_activity
	WHERE backend_type NOT IN ('client backend', 'io worker')")"
take overview
is "figures of sessions" "$(value overview "[s[k] for k in ('connections', 'max_connections', 'active', 'idle', 'idle_in_transaction', 'idle_in_transaction_aborted', 'waiting')]")" \
    "[6, 40, 3, 1, 2, 1, 2]"
is "each figure is a row, too" "$(value overview "[x['value'] for x in r if x['metric'] in ('connections', 'idle_in_transaction', 'waiting')]")" "[6, 2, 2]"
is "size of all databases" "$(value overview "s['database_bytes']")" "$(sql primary "SELECT sum(pg_database_size(oid)) FROM pg_database")"
is "deadlocks, temporary bytes" "$(value overview "[s['deadlocks'], s['temp_bytes']]")" \
    "$(json "SELECT json_build_array(sum(deadlocks), sum(temp_bytes)) FROM pg_stat_database")"
if [ "$PG_MAJOR" -ge 17 ]; then
	checkpoints="SELECT json_build_array(num_timed, num_requested) FROM pg_stat_checkpointer"
else
	checkpoints="SELECT json_build_array(checkpoints_timed, checkpoints_req) FROM pg_stat_bgwriter"
fi
is "checkpoints" "$(value overview "[s['checkpoints_timed'], s['checkpoints_requested']]")" "$(json "$checkpoints")"
is "role, timeline, version" "$(value overview "[s['role'], s['timeline'], s['version'].split()[0]]")" \
    "['primary', 1, '$(sql primary "SELECT split_part(current_setting('server_version'), ' ', 1)")']"
# As of the sample: how long this script takes to ask is no matter of uptime.
is "uptime at the sample's time" "$(value overview "abs(s['uptime_s'] - (__import__('datetime').datetime.fromisoformat(d['taken_at'].replace('Z', '+00:00')).timestamp()
    - $(sql primary "SELECT extract(epoch FROM pg_postmaster_start_time())"))) < 0.1")" True
is "lag of an idle pair is nothing" "$(value overview "[s['replication_lag_bytes'], s['replication_lag_s']]")" "[0, 0]"

# ------------------------------------------------------------------ locks, horizon

holder=$(pid_of holder) waiter=$(pid_of waiter) behind=$(pid_of behind)
take locks
is "the session that waits stands below who blocks it" \
    "$(value locks "[(x['pid'], x['parent_pid'], x['root_pid'], x['depth'], x['frees']) for x in r if x['root_pid'] == $holder]")" \
    "[($holder, None, $holder, 0, 1), ($waiter, $holder, $holder, 1, 0)]"
is "a prepared transaction is a head, without a pid of a process" \
    "$(value locks "[(x['parent_pid'], x['depth'], x['frees'], 'two phases' in x['query'], x['state'], x['pid'] < 0) for x in r if x['root_pid'] < 0 and x['depth'] == 0]")" \
    "[(None, 0, 1, True, 'prepared', True)]"
is "with who waits for it" "$(value locks "[x['pid'] for x in r if x['root_pid'] < 0 and x['depth'] == 1]")" "[$behind]"
is "who waits agrees with pg_blocking_pids" "$(value locks "sorted([x['pid'], x['parent_pid'] if x['parent_pid'] > 0 else 0] for x in r if x['depth'] == 1)")" \
    "$(json "SELECT json_agg(json_build_array(pid, (pg_blocking_pids(pid))[1]) ORDER BY pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")"
is "relation, modes" "$(value locks "{(x['relation'], x['mode']) for x in r if x['depth'] == 1}")" "{('public.t', 'ShareLock')}"
take maintenance
is "xmin holders: the prepared transaction and the open ones" \
    "$(value maintenance "sorted((x['state'], x['name'], x['xid_age']) for x in r if x['kind'] == 'xmin holder' and x['state'] in ('transaction', 'idle transaction', 'prepared transaction'))")" \
    "$(json "SELECT json_agg(json_build_array(state, name, age)) FROM (
	SELECT 'prepared transaction' AS state, gid AS name, age(transaction) FROM pg_prepared_xacts
	UNION ALL SELECT CASE state WHEN 'active' THEN 'transaction' ELSE 'idle transaction' END, application_name, greatest(age(backend_xid), age(backend_xmin)) FROM pg_stat_activity
	WHERE usename = 'app' AND (backend_xid IS NOT NULL OR backend_xmin IS NOT NULL)) h" | python3 -c 'import ast, sys
print(sorted(tuple(x) for x in ast.literal_eval(sys.stdin.read())))')"
is "age of databases" "$(value maintenance "sorted([x['name'], x['xid_age']] for x in r if x['kind'] == 'database')")" \
    "$(json "SELECT json_agg(json_build_array(datname, age(datfrozenxid)) ORDER BY datname COLLATE \"C\") FROM pg_database")"

# ------------------------------------------------------------------ replication

take replication
is "the standby: streaming, no lag in bytes or seconds" \
    "$(value replication "[(x['name'], x['state'], x['sync_state'], x['sent_lag_bytes'], x['write_lag_bytes'], x['flush_lag_bytes'], x['replay_lag_bytes'], x['replay_lag_s']) for x in r if x['kind'] == 'standby']")" \
    "[('standby', 'streaming', 'async', 0, 0, 0, 0, 0)]"
is "slots with what they retain" "$(value replication "sorted([x['name'], x['active'], x['retained_bytes'], x['wal_status']] for x in r if x['kind'] == 'slot')")" \
    "$(json "SELECT json_agg(json_build_array(slot_name, active, pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::int8, wal_status)
	ORDER BY slot_name) FROM pg_replication_slots")"
is "the forgotten one retains a segment and more" "$(value replication "[x['retained_bytes'] > 1000000 for x in r if x['name'] == 'forgotten']")" "[True]"
is "no zero loss with asynchronous standbys" "$(value replication "s['rpo_zero']")" False
"$PGMEDIC" show replication --json "$standby_uri" >"$TMP/receiver.json"
is "seen from the standby" "$(value receiver "[(x['kind'], x['state'], x['active'], x['replay_lag_bytes'], x['replay_lag_s']) for x in r if x['kind'] == 'receiver']")" \
    "[('receiver', 'streaming', True, 0, 0)]"
"$PGMEDIC" show overview --json "$standby_uri" >"$TMP/standby.json"
is "the standby's overview" "$(value standby "[s['role'], s['timeline'], s['replication_lag_bytes'], s['replication_lag_s']]")" "['standby', 1, 0, 0]"

# ------------------------------------------------------------------ waits, indexes, databases, settings

take waits
is "the load: two wait for locks, one sleeps" "$(value waits "sorted((x['class'], x['event'], x['aas']) for x in r if x['class'] in ('Lock', 'Timeout'))")" \
    "[('Lock', 'transactionid', 2), ('Timeout', 'PgSleep', 1)]"
is "shares add up" "$(value waits "round(sum(x['share_pct'] for x in r))")" 100
take indexes
is "the index of the failed build is invalid" "$(value indexes "[(x['index'], x['state'], x['is_valid'], x['is_unique']) for x in r if x['index'] == 'broken']")" \
    "[('broken', 'invalid', False, True)]"
is "and counted" "$(value indexes "s['invalid']")" 1
take databases
is "databases with their sessions and size" "$(value databases "sorted([x['database'], x['size_bytes']] for x in r if x['datid'])")" \
    "$(json "SELECT json_agg(json_build_array(datname, pg_database_size(oid)) ORDER BY datname COLLATE \"C\") FROM pg_database")"
is "how many there are" "$(value databases "s['databases']")" "$(sql primary "SELECT count(*) FROM pg_database")"
take settings
is "settings that were changed" "$(value settings "sorted([x['name'], x['setting']] for x in r if x['source'] == 'configuration file' and x['is_changed'])")" \
    "$(json "SELECT json_agg(json_build_array(name, setting) ORDER BY name COLLATE \"C\") FROM pg_settings
	WHERE source = 'configuration file' AND setting IS DISTINCT FROM boot_val")"
is "how many settings there are" "$(value settings "s['settings']")" "$(sql primary "SELECT count(*) FROM pg_settings")"
finish
