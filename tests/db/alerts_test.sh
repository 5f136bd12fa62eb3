#!/bin/sh
# Each alert rule on its fault, made for real: it fires within two refreshes of its duration, names what is behind it, and
# clears when the fault has gone. A recorder watches and runs a command at each change (--exec); durations are lowered.
# majors: newest
# long
. "$(dirname "$0")/../lib.sh"

need_pg
[ -x "$PGMEDIC" ] || skip_all "no program is built here"
command -v python3 >/dev/null || skip_all "python3 reads the JSON"
start_pg primary "max_connections = 40" "max_prepared_transactions = 5" "archive_mode = on" "archive_command = '/bin/true'" \
    "deadlock_timeout = 200ms" "wal_keep_size = 64MB" "hot_standby = on"
start_standby replica primary
sql primary "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT g, 'x' FROM generate_series(1, 100) g" >/dev/null

conf=$XDG_CONFIG_HOME/pgmedic
mkdir -p "$conf"
cat >"$conf/pgmedic.conf" <<CONF
[alerts]
alert.idle_in_transaction = 2s,40s
alert.long_transaction = 3s,40s
alert.blocked_sessions = 1s,30s
alert.connections = 50%,90%,1s
alert.archive_failing = none,1,1s
alert.slot_inactive = 1,none,1s
alert.prepared_transaction = 2s,1h
alert.deadlocks = 1
alert.replication_lag = 2s,60s
alert.standby_lost = none,1,1s
alert.sync_waiting = 1s,30s
alert.slow_queries = 15
alert.restart = 1,none,4s
alert.role_change = 1,none,4s
alert.autovacuum_off = 1,none,1s
alert.invalid_indexes = 1,none,1s
alert.pending_restart = 1,none,1s
alert.bloat = 50%,none,1s
alert.disk_used = off
alert.disk_free = off
alert.cpu = off
alert.slot_retained = 90%
[target db]
conninfo = $primary_uri
[target standby]
conninfo = $replica_uri
[target low]
conninfo = $primary_uri
alert.xid_wraparound = 0.0000001%,90%
alert.xmin_horizon = 2
alert.slot_retained = 0.000001%,90%
alert.freeze_overdue = 0.000001%
CONF

. "$test_dir/alerts.sh"
record db

# ------------------------------------------------------------------ sessions

# one sits idle in its transaction, others wait behind it: the cause is named, and outranks
new_fault
open_session idler
exec 3>"$TMP/in.idler"
echo "BEGIN; UPDATE t SET v = 'idle' WHERE id = 1;" >&3
wait_for 10 in_state idler "idle in transaction"
session w1 -c "UPDATE t SET v = 'w' WHERE id = 1"
session w2 -c "UPDATE t SET v = 'w' WHERE id = 1"
idler=$(sql primary "SELECT pid FROM pg_stat_activity WHERE application_name = 'idler'")
fires idle_in_transaction "pid $idler" 4.5
fires blocked_sessions "pid $idler blocks 2 sessions" 4
fires long_transaction "pid $idler" 5.5
status 0 "show alerts: warnings only" "$PGMEDIC" show alerts db --json
is "rows have the columns of the contract, the cause comes first" "$(python3 - "$TMP/out" <<'PY'
import json, sys
d = json.load(open(sys.argv[1]))
cols = "id severity since value threshold what evidence pane runbook muted_until".split()
assert all(sorted(r) == sorted(cols) for r in d["rows"]), d["rows"][0].keys()
ids = [r["id"] for r in d["rows"]]
assert ids[0] == "idle_in_transaction", ids
b = [r for r in d["rows"] if r["id"] == "blocked_sessions"][0]
assert "because of idle_in_transaction" in b["evidence"], b
assert b["pane"] == "locks" and b["runbook"] == "lock-pileup" and b["severity"] == "warning"
assert d["summary"]["warning"] == len(ids) and "no_data" in d["summary"] and "pending" in d["summary"]
print("yes")
PY
)" yes
status 0 "the overview" "$PGMEDIC" show overview db
like "opens with what is wrong" "$(head -n 1 "$TMP/out")" "what_is_wrong +warning idle_in_transaction: pid $idler"
echo "COMMIT;" >&3
exec 3>&-
clears idle_in_transaction
clears blocked_sessions
clears long_transaction

new_fault
session burner -c "SELECT pg_sleep(600)"
wait_for 10 in_state burner active
fires long_transaction "pid.*burner.*pg_sleep" 5.5
end_session burner
clears long_transaction

new_fault
i=0
while [ $i -lt 22 ]; do
	i=$((i + 1))
	session crowd -c "SELECT pg_sleep(600)"
done
fires connections "of 40 connections" 3.5
fires slow_queries "passed one second" 3
end_session crowd
clears connections

new_fault
sql primary "BEGIN; UPDATE t SET v = 'p' WHERE id = 2; PREPARE TRANSACTION 'forgotten'" >/dev/null
fires prepared_transaction "'forgotten'" 4.5
session behind -c "UPDATE t SET v = 'w' WHERE id = 2"
fires blocked_sessions "prepared transaction forgotten blocks 1 session" 4
sql primary "ROLLBACK PREPARED 'forgotten'" >/dev/null
clears prepared_transaction
clears blocked_sessions

new_fault
spawn sh -c "'$PG_BINDIR/psql' -X -q -d '$primary_uri' -c 'BEGIN' -c 'UPDATE t SET v = 1 WHERE id = 3' -c 'SELECT pg_sleep(0.5)' \
	-c 'UPDATE t SET v = 1 WHERE id = 4' -c 'COMMIT' >/dev/null 2>&1"
one=$spawned_pid
spawn sh -c "'$PG_BINDIR/psql' -X -q -d '$primary_uri' -c 'BEGIN' -c 'UPDATE t SET v = 2 WHERE id = 4' -c 'SELECT pg_sleep(0.5)' \
	-c 'UPDATE t SET v = 2 WHERE id = 3' -c 'COMMIT' >/dev/null 2>&1"
wait_for 10 gone "$one"
fires deadlocks "1 deadlocks in the last hour" 3

# ------------------------------------------------------------------ WAL, slots, standbys

new_fault
sql primary "ALTER SYSTEM SET archive_command = '/bin/false'" >/dev/null
sql primary "SELECT pg_reload_conf()" >/dev/null
sql primary "SELECT pg_switch_wal()" >/dev/null
fires archive_failing "cannot be archived" 5
status 1 "show alerts: something is critical" "$PGMEDIC" show alerts db
status 0 "mute" "$PGMEDIC" run "mute archive_failing for 2h because the archive moves" db
status 0 "what is muted is not counted" "$PGMEDIC" show alerts db --json
is "and shown as muted" "$(python3 -c 'import json, sys
r = [r for r in json.load(open(sys.argv[1]))["rows"] if r["id"] == "archive_failing"][0]
print(r["severity"], r["muted_until"] is not None)' "$TMP/out")" "critical True"
status 0 "unmute" "$PGMEDIC" run "unmute archive_failing" db
status 1 "then it counts again" "$PGMEDIC" show alerts db
sql primary "ALTER SYSTEM RESET archive_command" >/dev/null
sql primary "SELECT pg_reload_conf()" >/dev/null
# After failures the archiver of 13 sleeps for a minute, unless there is a new segment.
sql primary "SELECT txid_current()" >/dev/null
sql primary "SELECT pg_switch_wal()" >/dev/null
clears archive_failing

new_fault
sql primary "SELECT pg_create_physical_replication_slot('dead', true)" >/dev/null
fires slot_inactive "slot dead" 4
sql primary "SELECT pg_drop_replication_slot('dead')" >/dev/null
clears slot_inactive

new_fault
sql replica "SELECT pg_wal_replay_pause()" >/dev/null
sql primary "UPDATE t SET v = 'lag'" >/dev/null
fires replication_lag "standby replica is .* behind" 4.5
sql replica "SELECT pg_wal_replay_resume()" >/dev/null
clears replication_lag

new_fault
sql primary "ALTER SYSTEM SET synchronous_standby_names = 'nobody'" >/dev/null
sql primary "SELECT pg_reload_conf()" >/dev/null
session committer -c "UPDATE t SET v = 'sync' WHERE id = 9"
fires sync_waiting "commits wait for a synchronous standby" 3.5
sql primary "ALTER SYSTEM RESET synchronous_standby_names" >/dev/null
sql primary "SELECT pg_reload_conf()" >/dev/null
clears sync_waiting

new_fault
stop_pg replica fast
fires standby_lost "standby replica streams no more" 4
fires slot_inactive "slot replica" 4
run_pg replica
clears standby_lost
clears slot_inactive

# ------------------------------------------------------------------ settings, catalog

new_fault
sql primary "ALTER SYSTEM SET autovacuum = off" >/dev/null
sql primary "ALTER SYSTEM SET shared_buffers = '20MB'" >/dev/null
sql primary "SELECT pg_reload_conf()" >/dev/null
fires autovacuum_off "autovacuum" 4
fires pending_restart "shared_buffers" 4
sql primary "ALTER SYSTEM RESET autovacuum" >/dev/null
sql primary "ALTER SYSTEM RESET shared_buffers" >/dev/null
sql primary "SELECT pg_reload_conf()" >/dev/null
clears autovacuum_off
clears pending_restart

new_fault
sql primary "INSERT INTO t VALUES (1001, 'dup'), (1002, 'dup')" >/dev/null
sql primary "CREATE UNIQUE INDEX CONCURRENTLY broken ON t (v)" >/dev/null 2>&1
fires invalid_indexes "public.broken" 4
sql primary "DROP INDEX broken" >/dev/null
clears invalid_indexes

new_fault
sql primary "CREATE TABLE dead (id int) WITH (autovacuum_enabled = false)" >/dev/null
sql primary "INSERT INTO dead SELECT generate_series(1, 150000)" >/dev/null
sql primary "DELETE FROM dead WHERE id <= 120000" >/dev/null
fires bloat "80% of the rows of public.dead are dead" 5
sql primary "VACUUM dead" >/dev/null
clears bloat

new_fault
sql primary "CREATE TABLE small (id serial); SELECT setval('small_id_seq', 2100000000)" >/dev/null
fires key_exhaustion "public.small.id has used 97.8%" 15
sql primary "DROP TABLE small" >/dev/null
clears key_exhaustion

new_fault
for _ in 1 2 3 4 5 6; do
	sql primary "CHECKPOINT" >/dev/null
done
# It is raised as soon as enough of them are seen, which may be before the last one.
fires checkpoints_requested "([4-9]) of \1 checkpoints" 10

# ------------------------------------------------------------------ restart, promotion, death

new_fault
stop_pg primary immediate
fires unreachable "no connection|refused" 15
run_pg primary
clears unreachable
fires restart "restarted" 15
clears restart
kill -TERM "$recorder"
wait_for 5 gone "$recorder"
unlike "the command got its own words only" "$(cat "$TMP/hook.log")" '^bad arguments'
status 0 "alerts of the past" "$PGMEDIC" show alerts db --mode history --json
is "are those that were told" "$(python3 -c 'import json, sys
r = json.load(open(sys.argv[1]))["rows"]
print(sorted({x["id"] for x in r} & {"restart", "bloat", "blocked_sessions", "standby_lost"}))' "$TMP/out")" \
    "['bloat', 'blocked_sessions', 'restart', 'standby_lost']"

"$PGMEDIC" show alerts --replay "$TMP/a.pgmr" --mode all --json >"$TMP/out" # its status is that of the moment it ends
is "a recording holds its alerts" "$(python3 -c 'import json, sys; print(len(json.load(open(sys.argv[1]))["rows"]) > 30)' "$TMP/out")" True

# one look, and another one later: durations go on
sql primary "SELECT pg_create_physical_replication_slot('dead', true)" >/dev/null
status 0 "one look" "$PGMEDIC" show alerts db --json
late=no
for _ in 1 2 3 4; do
	"$PGMEDIC" show alerts db --json >"$TMP/out" 2>/dev/null
	! grep -q '"slot_inactive","severity"\|"id":"slot_inactive"' "$TMP/out" || { late=yes; break; }
done
is "and a later one: the slot has been unused all the time" "$late" yes
sql primary "SELECT pg_drop_replication_slot('dead')" >/dev/null

new_fault
record standby
sql replica "SELECT pg_promote()" >/dev/null
fires role_change "the standby became a primary" 4 standby
clears role_change standby
kill -TERM "$recorder"

# ------------------------------------------------------------------ what takes weeks to come, by lowered thresholds

sql primary "SELECT pg_create_physical_replication_slot('holder', true)" >/dev/null
sql primary "SELECT pg_switch_wal()" >/dev/null
open_session horizon
exec 4>"$TMP/in.horizon"
echo "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1;" >&4
wait_for 10 in_state horizon "idle in transaction"
for _ in 1 2 3 4; do
	sql primary "UPDATE t SET v = 'x' WHERE id = 1" >/dev/null
done
"$PGMEDIC" show alerts low --json >"$TMP/out" 2>"$TMP/err"
for rule in xid_wraparound xmin_horizon slot_retained freeze_overdue; do
	is "$rule fires" "$(python3 -c 'import json, sys
print([r["id"] for r in json.load(open(sys.argv[1]))["rows"] if r["id"] == sys.argv[2]])' "$TMP/out" "$rule")" "['$rule']"
done
like "the holder of the horizon is named" "$(cat "$TMP/out")" 'held by idle transaction horizon, pid'
like "the slot that holds WAL back is named" "$(cat "$TMP/out")" 'slot holder holds back'
exec 4>&-

# ------------------------------------------------------------------ what cannot be used

status 3 "nobody there" "$PGMEDIC" show alerts "postgresql://127.0.0.1:1/none"
status 2 "no program" "$PGMEDIC" record "$TMP/b.pgmr" db --exec "/nowhere/at/all"
cat >"$conf/bad.conf" <<CONF
[alerts]
alert.conections = 5%
alert.connections = fast
alert.disk_free = 1GB,10GB
CONF
"$PGMEDIC" show alerts "$primary_uri" --config "$conf/bad.conf" >/dev/null 2>"$TMP/err"
like "a rule that is none" "$(cat "$TMP/err")" "bad.conf:2: there is no alert rule 'conections'. The nearest is connections"
like "a threshold that is none" "$(cat "$TMP/err")" 'bad.conf:3: "fast" is no threshold of connections'
like "levels in the wrong order" "$(cat "$TMP/err")" 'bad.conf:4: the warning level of disk_free'
finish
