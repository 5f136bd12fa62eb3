#!/bin/sh
# replica add and drop beside a server of one's own: gates, a slot and a passfile of its own, verified streaming; taken
# back and gone on with when killed; nothing is dropped that is no standby, that we did not make, or that a target goes by.
# majors: system
# long
# sanitizers: no
. "$(dirname "$0")/../lib.sh"
. "$test_dir/backup.sh"
. "$test_dir/pair.sh"

need_pg
secret=Plant3d:in\\pass
start_pg db "max_replication_slots = 3" "work_mem = '7MB'"
root=$TMP/pg-db/restores
as_pg mkdir -p "$root" "$TMP/pg-db/space" "$TMP/pg-db/wal"
hba=$db_dir/pg_hba.conf
lost_target=db
mkdir -p "$XDG_CONFIG_HOME/pgmedic"
conf=$XDG_CONFIG_HOME/pgmedic/pgmedic.conf
cat >"$conf" <<CONF
[target db]
conninfo = host=127.0.0.1 port=$db_port user=rep dbname=postgres
provider = local
data_directory = $db_dir
restore_root = $root
CONF
printf '*:*:*:rep:%s\n' 'Plant3d\:in\\pass' >"$HOME/.pgpass"
chmod 600 "$HOME/.pgpass"
at_exit() {
	for one in "$root"/*; do
		[ ! -d "$one/data" ] || as_pg "$PG_BINDIR/pg_ctl" -D "$one/data" -m immediate -w stop >/dev/null 2>&1
	done
}
allow() {	# LINE...: pg_hba.conf
	printf '%s\n' "host all postgres 127.0.0.1/32 trust" "$@" | as_pg tee "$hba" >/dev/null
	sql db "SELECT pg_reload_conf()" >/dev/null
}
on() {	# SQL: on the replica of the last answer, as the superuser
	"$PG_BINDIR/psql" -X -A -t -q -h 127.0.0.1 -U postgres -d postgres -p "$port_of" -c "$1" 2>&1
}
slots() {
	sql db "SELECT string_agg(slot_name, ' ' ORDER BY slot_name) FROM pg_replication_slots"
}
red() {	# GATE [LINE]
	op "${2:-replica add r1}" db --yes
	is "red: $1" "$(member state) $(member error.code)" "refused REFUSED"
	like "... is said" "$(member error.what)" "gate '$1' is red"
	is "... and nothing made" "$(slots) $(ls "$root")" " "
}
sql db "CREATE ROLE rep LOGIN PASSWORD '$secret'; GRANT pg_monitor TO rep" >/dev/null
sql db "CREATE TABLESPACE far LOCATION '$TMP/pg-db/space'" >/dev/null
sql db "CREATE TABLE t (i int) TABLESPACE far; INSERT INTO t SELECT generate_series(1, 1000)" >/dev/null

# Gates
allow "host all rep 127.0.0.1/32 scram-sha-256"
red role
sql db "ALTER ROLE rep REPLICATION" >/dev/null
red login
like "the line that is missing" "$(member error.what)" 'pg_hba.conf lacks: host replication rep 127.0.0.1/32 scram-sha-256'
like "... and where it belongs" "$(member error.hint)" "$hba"
allow "host all rep 127.0.0.1/32 scram-sha-256" "host replication rep 127.0.0.1/32 scram-sha-256"
sql db "SELECT pg_create_physical_replication_slot('pgmedic_r1')" >/dev/null
op "replica add r1" db --yes
like "its slot is another's" "$(member error.what)" "gate 'slot' is red"
sql db "SELECT pg_drop_replication_slot('pgmedic_r1')" >/dev/null
op "replica add r1 --region eu-west-1" db --yes
is "regions are RDS's" "$(member error.code)" UNSUPPORTED
op "replica add r1 --port $db_port" db --yes
like "a port that is taken" "$(member error.what)" "port $db_port is taken"
op "replica add r1 --port $((db_port > 30000 ? db_port - 9000 : db_port + 9000))" db --dry-run
is "a port far from the primary's" "$(member state)" planned
op "replica add ../r1" db --yes
is "a name is no path" "$(member error.code)" USAGE
as_pg touch "$db_dir/patroni.dynamic.json"
op "replica add r1" db --yes
like "Patroni's are its own" "$(member error.hint)" patronictl
as_pg rm "$db_dir/patroni.dynamic.json"
plan=$("$PGMEDIC" run "replica add r1" db --dry-run)
like "the plan says why it is a base backup" "$plan" 'pg_basebackup, not a restore'
like "... and what the slot costs" "$plan" 'pgmedic_r1 keeps WAL of db for the replica, without a limit'
is "... and makes nothing" "$(slots) $(ls "$root")" " "

# Add
op "replica add r1" db --yes
is "a replica is made" "$(member state) $(member result.name) $(member result.source)" "done r1 db"
[ "$(member state)" = "done" ] || { printf '%s\n' "$answer"; cat "$root/r1/server.log"; }
r1=$answer
port_of=$(member result.uri | sed 's/.*port=//')
is "... in its folder" "$(member result.data_directory)" "$root/r1/data"
like "... how far behind" "$(member result.lag_bytes)" '^[0-9]+$'
is "... it streams through its slot" \
    "$(sql db "SELECT application_name, state, slot_name, active FROM pg_stat_replication JOIN pg_replication_slots ON active_pid = pid")" \
    "r1|streaming|pgmedic_r1|t"
is "... it is a standby with the rows" "$(on "SELECT pg_is_in_recovery(), count(*) FROM t")" "t|1000"
is "... set as its primary" "$(on "SHOW work_mem")" 7MB
ok "... by the address that was told" env PGPASSFILE="$HOME/.pgpass" "$PG_BINDIR/psql" -X -q -d "$(member result.uri)" -c "SELECT 1"
is "... its tablespace is its own" "$(on "SELECT pg_tablespace_location(oid) LIKE '$root/r1/tablespaces/%' FROM pg_tablespace WHERE spcname = 'far'")" t
is "... its passfile is its owner's alone" "$(stat -c %a "$root/r1/passfile")" 600
ok "... and nothing else has the password" sh -c "! grep -r -s -l -a -F 'Plant3d' '$root/r1/data/'*.conf '$root/r1/server.log' '$XDG_STATE_HOME'"
unlike "nothing is left behind" "$("$PGMEDIC" run "job $(member job)" db)" 'left behind'
sql db "INSERT INTO t VALUES (1001)" >/dev/null
follows() { [ "$(on "SELECT count(*) FROM t WHERE i = 1001")" = 1 ]; }
ok "it follows" wait_for 20 follows
op "replica add r1" db --yes
is "once" "$(member state)" refused
op "restore drop r1" db --yes
like "it is no restored server" "$(member error.hint)" 'replica drop r1'

# Drop: not what a target goes by
printf 'standby = b\n[target b]\nconninfo = host=127.0.0.1 port=%s user=rep dbname=postgres\ndata_directory = %s\n' \
    "$port_of" "$root/r1/data" >>"$conf"
op "replica drop r1" db --yes
is "the standby of a target stays" "$(member state) $(member error.code)" "refused REFUSED"
like "... it is said of which" "$(member error.what)" 'standby of \[target db\]'
op "replica drop r1 --standby" db --dry-run
is "... unless it is meant" "$(member state)" planned
op "replica drop nothing" db --yes
is "an unknown one" "$(member error.code)" NOT_FOUND
sed -i '/^standby = b/,$d' "$conf"

# Killed between stop and slot, taken back: it streams again. Killed again, and gone on with: it is gone.
hold() {	# another takes the slot as soon as it is free
	spawn as_pg "$PG_BINDIR/pg_receivewal" -n -D "$TMP/pg-db/wal" -h 127.0.0.1 -p "$db_port" -U postgres -S pgmedic_r1 \
	    >/dev/null 2>&1
}
at_step() {	# JOB STEP
	"$PGMEDIC" run "job $1" db --json | grep -q "$2"
}
is_held() { [ "$(sql db "SELECT count(*) FROM pg_replication_slots s JOIN pg_stat_replication r ON r.pid = s.active_pid WHERE r.application_name = 'pg_receivewal'")" = 1 ]; }
allow "host replication postgres 127.0.0.1/32 trust" "host all rep 127.0.0.1/32 scram-sha-256" \
    "host replication rep 127.0.0.1/32 scram-sha-256"
for how in undo resume; do
	as_pg "$PG_BINDIR/pg_ctl" -D "$root/r1/data" -m fast -w stop >/dev/null
	hold
	ok "the slot is held" wait_for 20 is_held
	answer=$("$PGMEDIC" run "replica drop r1" db --json --yes </dev/null)
	job=$(member job)
	ok "it waits for the slot" wait_for 30 at_step "$job" unslot
	kill_worker "$job"
	like "what is left is said" "$("$PGMEDIC" run "job $job" db)" 'the replica r1 is stopped'
	sql db "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE active" >/dev/null
	ok "the slot is free" wait_for 20 gone "$spawned_pid"
	op "job $how $job" db --yes
	is "$how" "$(member state)" "done"
	if [ $how = undo ]; then
		sql db "INSERT INTO t VALUES (1002)" >/dev/null
		again() { [ "$(on "SELECT count(*) FROM t WHERE i = 1002")" = 1 ]; }
		ok "... it follows again" wait_for 20 again
	else
		is "... nothing of it is left" "$(slots) $(ls "$root")" " "
		is "... the primary is whole" "$(sql db "SELECT count(*) FROM t")" 1002
	fi
done

# Killed while it copies: undone, nothing is left; resumed, it is made.
for how in undo resume; do
	answer=$("$PGMEDIC" run "replica add r2" db --json --yes </dev/null)
	job=$(member job)
	if wait_for 20 test -e "$root/r2/.pgmedic-copy" && kill_worker "$job"; then
		op "job $how $job" db --yes
		is "$how of one that was killed" "$(member state)" "done"
		[ "$(member state)" = "done" ] || printf '%s\n' "$answer"
	fi
	[ $how = resume ] || is "... nothing is left" "$(slots) $(ls "$root")" " "
done
op "replica drop r2" db --yes
is "drop" "$(member state) $(member result.dropped) $(member result.removed)" "done true true"
[ "$(member state)" = "done" ] || printf '%s\n' "$answer"
is "... slot and folder" "$(slots) $(ls "$root")" " "

# Its server is killed before it is done: it is started once more.
answer=$("$PGMEDIC" run "replica add r5" db --json --yes </dev/null)
job=$(member job)
if wait_for 60 test -s "$root/r5/data/postmaster.pid"; then
	kill -9 "$(head -n 1 "$root/r5/data/postmaster.pid")" 2>/dev/null
fi
has_ended() {
	! "$PGMEDIC" run "job $job" db | grep -q '^state  *running'
}
ok "the job ends" wait_for 120 has_ended
state=$("$PGMEDIC" run "job $job" db --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["state"])')
is "a server that was killed is started again" "$state" "done"
[ "$state" = "done" ] || { "$PGMEDIC" run "job $job" db; cat "$root/r5/server.log"; }
[ "$state" = "done" ] || op "job undo $job" db --yes
[ "$state" != "done" ] || op "replica drop r5" db --yes
is "... and dropped" "$(member state) $(slots) $(ls "$root")" "done  "

# What undo removes is what that job has made, and no server that was promoted meanwhile.
answer=$("$PGMEDIC" run "replica add r4" db --json --yes </dev/null)
job=$(member job)
if wait_for 20 test -e "$root/r4/.pgmedic-copy" && kill_worker "$job"; then
	saved=$(cat "$root/r4/.pgmedic-copy")
	echo "job 99999" | as_pg tee "$root/r4/.pgmedic-copy" >/dev/null
	op "job undo $job" db --yes
	is "a folder that another job has made since" "$(member state)" "refused"
	like "... is left alone" "$(member error.what)" 'r4 is of job 99999'
	echo "$saved" | as_pg tee "$root/r4/.pgmedic-copy" >/dev/null
	as_pg mkdir -p "$root/r4/data/global"
	as_pg touch "$root/r4/data/global/pg_control"
	as_pg rm -f "$root/r4/data/standby.signal" "$root/r4/data/backup_label"
	op "job undo $job" db --yes
	like "one that was promoted is not removed" "$(member error.what)" 'it was promoted'
	ok "... it is there" test -e "$root/r4/data/global/pg_control"
	as_pg touch "$root/r4/data/standby.signal"
	op "job undo $job" db --yes
	is "a standby is" "$(member state) $(slots) $(ls "$root")" "done  "
else
	skip "the replica was made before it could be killed"
	op "replica drop r4" db --yes
fi

# One that was promoted is no standby any more; one that we did not make keeps its directory.
op "replica add r3" db --yes
port_of=$(member result.uri | sed 's/.*port=//')
on "SELECT pg_promote()" >/dev/null
op "replica drop r3" db --yes
is "promoted: refused" "$(member state) $(member error.code)" "refused REFUSED"
like "... and why" "$(member error.what)" 'r3 is no standby: in production'
sql db "DROP TABLE t" >/dev/null
sql db "DROP TABLESPACE far" >/dev/null
start_standby other db
cat >>"$conf" <<CONF
standby = other
[target other]
conninfo = host=127.0.0.1 port=$other_port user=postgres dbname=postgres
data_directory = $other_dir
CONF
op "replica drop other --standby" db --yes
is "another's standby: stopped, its slot dropped" "$(member state) $(member result.removed) $(slots)" "done false pgmedic_r3"
ok "... its directory stays" test -s "$other_dir/PG_VERSION"
finish
