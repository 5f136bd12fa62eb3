#!/bin/sh
# Gates: each that is red stops a drill and a switchover before anything is touched, and says which it is.
# majors: newest
# long
. "$(dirname "$0")/../lib.sh"
. "$test_dir/backup.sh"
. "$test_dir/pair.sh"

need_pg
start_pair "max_prepared_transactions = 5" "archive_mode = on" "archive_command = 'true'" "shared_buffers = 4MB"
conf=$XDG_CONFIG_HOME/pgmedic/pgmedic.conf
state() {	# who is what, since when, and what is there
	for one in a b; do
		echo "$one $(head -n 1 "$TMP/pg-$one/data/postmaster.pid") $(sql $one "SELECT pg_is_in_recovery()")"
	done
	sql a "SELECT slot_name FROM pg_replication_slots"
	sql a "SELECT nspname FROM pg_namespace WHERE nspname = 'pgmedic'"
}
before=$(state)
red() {	# GATE WHAT [COMMAND]: refused by that gate, and everything is as it was
	op "${3:-drill failover --kind crash}" a --yes
	is "$2: refused" "$(member state) $(member error.code)" "refused REFUSED"
	like "... and it is said" "$(member error.what)" "gate '$1' is red"
	is "... nothing is touched" "$(state)" "$before"
}
setting() {	# SERVER NAME VALUE: now
	sql "$1" "ALTER SYSTEM SET $2 = $3"
	sql "$1" "SELECT pg_reload_conf()" >/dev/null
	wait_for 10 has_setting "$1" "$2" "$3" || fail "$2 of $1 is not $3"
}
reset() {
	sql "$1" "ALTER SYSTEM RESET $2"
	sql "$1" "SELECT pg_reload_conf()" >/dev/null
	wait_for 10 is_reset "$1" "$2"
}
has_setting() {
	sql "$1" "SELECT '|' || setting || '|' FROM pg_file_settings WHERE name = '$2' AND applied" >/dev/null &&
	    [ "$(sql "$1" "SELECT source FROM pg_settings WHERE name = '$2'")" = "configuration file" ] &&
	    sql "$1" "SELECT sourcefile FROM pg_settings WHERE name = '$2'" | grep -q auto.conf
}
is_reset() {
	! sql "$1" "SELECT sourcefile FROM pg_settings WHERE name = '$2'" | grep -q auto.conf
}
receiver() {
	sql b "SELECT pid FROM pg_stat_wal_receiver"
}
streams() {
	[ "$(sql b "SELECT status FROM pg_stat_wal_receiver")" = streaming ] &&
	    [ "$(sql b "SELECT pg_last_wal_replay_lsn() >= '$(sql a "SELECT pg_current_wal_lsn()")'")" = t ]
}
sql a "CREATE TABLE t (v text)" >/dev/null

op "drill failover" a --dry-run
is "all green" "$(member state)" planned
like "... and shown" "$("$PGMEDIC" run "drill failover" a --dry-run)" '^sync +b waits for no standby'

# lag: the receiver stands still
wait_for 20 streams
pid=$(receiver)
kill -STOP "$pid"
sql a "INSERT INTO t SELECT repeat(md5(g::text), 100) FROM generate_series(1, 8000) g; SELECT pg_switch_wal()" >/dev/null
sql a "ALTER TABLE t ALTER v SET STORAGE EXTERNAL; INSERT INTO t SELECT repeat(md5(g::text), 100) FROM generate_series(1, 8000) g" >/dev/null
red lag "a standby that lags"
kill -CONT "$pid"
wait_for 30 streams

# not streaming
setting b primary_conninfo "'host=127.0.0.1 port=1 user=postgres'"
not_streaming() {
	[ "$(sql b "SELECT count(*) FROM pg_stat_wal_receiver")" = 0 ]
}
wait_for 20 not_streaming
red streaming "a standby that receives nothing"
sql b "ALTER SYSTEM SET primary_conninfo = 'host=127.0.0.1 port=$a_port user=postgres'"
sql b "SELECT pg_reload_conf()" >/dev/null
wait_for 30 streams

sql b "SELECT pg_wal_replay_pause()"
paused() {
	[ "$(sql b "SELECT pg_is_wal_replay_paused()")" = t ]
}
wait_for 10 paused
red replay "a standby that does not replay" switchover
sql b "SELECT pg_wal_replay_resume()"

# pg_rewind: without whole pages in the WAL it refuses, after the crash
setting a full_page_writes off
sql b "SELECT pg_wal_replay_pause()"
wait_for 10 paused
red replay "two that are red"
like "... the second is named, too" "$(member error.what)" "; red, too: 'rewind'"
like "... and what mends the first" "$(member error.hint)" 'pg_wal_replay_resume'
sql b "SELECT pg_wal_replay_resume()"
resumed() {
	! paused
}
wait_for 10 resumed
red rewind "what pg_rewind cannot do"
like "... with what mends it" "$(member error.hint)" 'full_page_writes = on'
text=$("$PGMEDIC" run "drill failover --kind crash" a --dry-run 2>/dev/null)
like "the table of the gates is shown beside" "$text" '^rewind +RED: full_page_writes is off'
like "... the green ones, too" "$text" '^streaming +b streaming'
op "drill failover --kind planned" a --dry-run
is "a planned drill rewinds nothing" "$(member state)" planned
if command -v tmux >/dev/null; then
	. "$SOURCE/tests/term/tmux.sh"
	open_term 80 24 "$PGMEDIC --refresh 0.5 a"
	seen "the console" 'overview'
	press : 'drill failover --kind crash' Enter
	seen "the console shows why not" "^gate 'rewind' is red"
	seen "... what mends it" 'full_page_writes = on'
	seen "... and the table" '^streaming +b streaming'
	press q
	press : 'drill failover --kind planned' Enter
	seen "a plan says what confirms it" 'Type a to confirm:'
	seen "... and that there is more of it" 'PgDn: more of the plan'
	press Escape
	seen "Esc is no" 'not confirmed'
	at_exit
else
	skip "the same in the console: tmux is not installed"
fi
reset a full_page_writes

# whom the new primary would wait for
setting b synchronous_standby_names "'somebody'"
red sync "a new primary that waits for a stranger"
red sync "... for a switchover, too" switchover
setting b synchronous_standby_names "'2 (a, c)'"
red sync "... or for more than there are"
setting b synchronous_standby_names "'a'"
op "drill failover" a --dry-run
is "one that waits for the old primary is no obstacle" "$(member state)" planned
reset b synchronous_standby_names

# archiving
setting a archive_command "'false'"
sql a "INSERT INTO t VALUES ('x'); SELECT pg_switch_wal()" >/dev/null
failing() {
	[ "$(sql a "SELECT last_failed_time > coalesce(last_archived_time, '-infinity') FROM pg_stat_archiver")" = t ]
}
wait_for 40 failing
red archiving "an archiver that fails"
reset a archive_command
works() {
	[ "$(sql a "SELECT coalesce(last_failed_time < last_archived_time, true) FROM pg_stat_archiver")" = t ]
}
wait_for 90 works

# disk: less than the WAL may take
sql a "ALTER SYSTEM SET max_wal_size = '2000000GB'" 2>/dev/null || sql a "ALTER SYSTEM SET max_wal_size = '2147483647MB'"
sql a "SELECT pg_reload_conf()" >/dev/null
wait_for 10 has_setting a max_wal_size
red disk "a disk that is too small"
reset a max_wal_size

sql a "BEGIN; INSERT INTO t VALUES ('p'); PREPARE TRANSACTION 'p'" >/dev/null
red prepared "a prepared transaction"
sql a "ROLLBACK PREPARED 'p'"
sql a "SELECT pg_create_logical_replication_slot('follows_not', 'pgoutput')" >/dev/null
before=$(state)
red "logical slots" "a logical slot"
sql a "SELECT pg_drop_replication_slot('follows_not')" >/dev/null
before=$(state)

# a role that may not
sql a "CREATE ROLE small LOGIN; GRANT pg_monitor TO small" >/dev/null
there() {
	[ "$(sql b "SELECT count(*) FROM pg_roles WHERE rolname = 'small'")" = 1 ]
}
wait_for 20 there
sed -i 's/user=postgres dbname=postgres/user=small dbname=postgres/' "$conf"
red role "a role that is too small"
like "... with what it lacks" "$(member error.what)" 'EXECUTE on pg_promote, REPLICATION'
sed -i 's/user=small dbname=postgres/user=postgres dbname=postgres/' "$conf"

# a protected target, another job
sed -i 's/^\[target a\]/&\nprotected = yes/' "$conf"
op "drill failover" a --yes
is "a protected target wants its name" "$(member state) $(member error.code)" "refused NOT_CONFIRMED"
sed -i '/^protected = yes/d' "$conf"
cat >"$TMP/hold.py" <<'PY'
import fcntl, os, sys, time
fd = os.open(sys.argv[1], os.O_RDONLY)
fcntl.flock(fd, fcntl.LOCK_EX)
open(sys.argv[2], "w").close()
time.sleep(600)
PY
spawn python3 "$TMP/hold.py" "$TMP/pg-b/data" "$TMP/held"
holder=$spawned_pid
wait_for 20 test -e "$TMP/held"
op "drill failover" a --yes
is "a job of another user's journal" "$(member state) $(member error.code)" "failed STATE"
is "... is left in peace" "$(state)" "$before"
kill "$holder"
wait_for 10 gone "$holder"
op "drill failover" b --dry-run
is "from its other end the same" "$(member state)" planned
is "and nothing of all this has touched them" "$(state)" "$before"

# Green when it was planned, red a moment later: looked at again before the fault.
cat >"$TMP/pause.py" <<'PY'
import sqlite3, subprocess, sys, time
db, psql, b = sys.argv[1:]
end = time.time() + 60
while time.time() < end:
    try:
        if sqlite3.connect(db, timeout=10).execute("SELECT 1 FROM job_steps WHERE name = 'baseline'").fetchone():
            break
    except sqlite3.OperationalError:
        pass
    time.sleep(0.02)
subprocess.run([psql, "-X", "-q", "-d", b, "-c", "SELECT pg_wal_replay_pause()"], stdout=subprocess.DEVNULL)
PY
spawn python3 "$TMP/pause.py" "$XDG_STATE_HOME/pgmedic/journal.db" "$PG_BINDIR/psql" "$b_uri"
op "drill failover --kind crash" a --yes
job=$(member job)
is "a gate that turns red in the baseline" "$(member state) $(member error.code)" "refused REFUSED"
like "... stops it" "$(member error.what)" "gate 'replay' is red"
sql b "SELECT pg_wal_replay_resume()"
is "... its table, too" "$(state)" "$before"
unlike "... and nothing is left behind" "$("$PGMEDIC" run "job $job" a)" 'left behind'
finish
