#!/bin/sh
# restore: side by side, to a snapshot, a time, an LSN, a named point; the window and its gaps are seen before;
# what does not reach is refused in the plan; a killed job goes on or is taken back.
# majors: system
# long
. "$(dirname "$0")/../lib.sh"
. "$test_dir/backup.sh"

need_pg
start_backed_up db
restores=$TMP/pg-db/restores

on_copy() {	# SQL: on the copy of the last answer
	"$PG_BINDIR/psql" -X -A -t -q -d "$(member result.uri)" -c "$1" 2>&1
}
stop_copy() {	# NAME
	as_pg "$PG_BINDIR/pg_ctl" -D "$restores/$1/data" -m immediate -w stop >/dev/null 2>&1
}
sqlite_value() {
	python3 -c 'import sqlite3, sys
print(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchone()[0])' "$XDG_STATE_HOME/pgmedic/journal.db" "$1" 2>/dev/null
}
at_exit() {
	for copy in "$restores"/*; do
		[ ! -d "$copy/data" ] || stop_copy "${copy##*/}"
	done
}

op "restore latest to copy" db --dry-run
is "without a snapshot there is nothing to restore" "$(member error.code)" NOT_FOUND
sql db "CREATE TABLE t (id int); INSERT INTO t VALUES (1)" >/dev/null
first_time=$(sql db "SELECT now() - interval '1 hour'")
op "snapshot first full" db --yes
label=$(member result.snapshot)
sql db "INSERT INTO t VALUES (2)" >/dev/null

op "restore first to copy" db --dry-run
is "a dry run plans" "$(member state)" planned
is "... and changes nothing" "$(ls "$restores")" ""
like "the plan shows the window" "$("$PGMEDIC" run "restore first to copy" db --dry-run)" "recoverable +20.* from $label"
op "restore first to copy" db --yes
# The server may give the number of a descriptor that was not handed over to anything.
command=$(sed -n "s/^restore_command = '\(.*\)'\$/\1/p" "$(member result.data_directory)/postgresql.conf")
like "its restore_command reads secrets" "$command" 'fd/4'
echo "touch '$TMP/read'" >"$TMP/table"
sh -c "${command%%esac;*}esac" 4<"$TMP/table"
is "... from a file of ours only" "$(ls "$TMP/read" 2>/dev/null)" ""
is "a snapshot is restored" "$(member state) $(member result.name)" "done copy"
is "... as it was then" "$(on_copy 'SELECT string_agg(id::text, $$ $$ ORDER BY id) FROM t')" 1
is "... it has left recovery" "$(on_copy 'SELECT pg_is_in_recovery()')" f
is "... beside the source" "$(member result.data_directory)" "$restores/copy/data"
is "... it does not archive" "$(on_copy 'SHOW archive_mode')" off
is "... nor preload" "$(on_copy 'SHOW shared_preload_libraries')" ""
is "... nor replicate" "$(on_copy 'SHOW max_logical_replication_workers')" 0
is "... nor listen" "$(on_copy 'SHOW listen_addresses')" ""
is "... it can be written to" "$(on_copy 'INSERT INTO t VALUES (99) RETURNING id')" 99
is "... its folder is its owner's" "$(stat -c %a "$restores/copy")" 700
like "... and it says how far it came" "$(member result.recovered_to)" '^20[-0-9T:.]+Z$'
is "the source is as it was" "$(sql db 'SELECT count(*) FROM t')" 2
op "restore first to copy" db --yes
is "never over what is there" "$(member state) $(member error.code)" "refused REFUSED"
op "restore first to ../copy" db --yes
is "a name is no path" "$(member error.code)" USAGE
op "restore nothing to other" db --yes
is "an unknown snapshot" "$(member error.code)" NOT_FOUND
op "restore first" db --yes
is "where to is to be said" "$(member error.code)" USAGE

# What has been restored is removed again: by its name, stopped first; and only what a restore has made.
as_pg mkdir "$restores/other"
op "restore drop other" db --yes
is "a folder of somebody else is not removed" "$(member state) $(member error.code)" "refused REFUSED"
op "restore drop nothing" db --yes
is "nor one that is not there" "$(member error.code)" NOT_FOUND
op "restore drop ../pg-db" db --yes
is "nor one that is elsewhere" "$(member error.code)" USAGE
op "restore drop copy" db
is "it is to be confirmed" "$(member state) $(member error.code)" "refused NOT_CONFIRMED"
copy_pid=$(head -n 1 "$restores/copy/data/postmaster.pid")
op "restore drop copy" db --yes
is "a restored server is dropped" "$(member state) $(member result.name)" "done copy"
ok "... stopped" wait_for 20 gone "$copy_pid"
ok "... and removed" test ! -e "$restores/copy"

# To a time: exactly before a commit.
sleep 1
before=$(sql db "SELECT clock_timestamp()")
sql db "INSERT INTO t VALUES (3)" >/dev/null
lsn=$(sql db "SELECT pg_current_wal_insert_lsn()")
sql db "DROP TABLE t" >/dev/null
after=$(sql db "SELECT clock_timestamp()")
op "restore --at $before to at1" db --yes
is "to a time" "$(member state) $(on_copy 'SELECT max(id) FROM t')" "done 2"
is "... whose state it has" "$(date -u -d "$(member result.recovered_to)" +%s)" "$(date -u -d "$before" +%s)"
like "... with the server's own word for it" "$(member result.proof)" 'recovery stopping before commit of transaction'
stop_copy at1
as_pg touch "$restores/at1/mine"
op "restore drop at1" db --yes
is "what is not ours is not removed" "$(member state) $(member error.code)" "failed STATE"
job=$(member job)
like "... and what is left of the copy is said" "$("$PGMEDIC" run "job $job" db)" "the copy in $restores/at1"
as_pg rm "$restores/at1/mine"
op "job undo $job" db --yes
is "... undo removes it" "$(member state) $(ls -d "$restores/at1" 2>/dev/null)" "done "
berlin=$(TZ=Europe/Berlin date -d "$before" '+%Y-%m-%d %H:%M:%S.%6N Europe/Berlin')
like "a zone by its name is echoed in UTC" "$("$PGMEDIC" run "restore --at $berlin to at2" db --dry-run)" \
    "$(date -u -d "$before" '+%Y-%m-%dT%H:%M:%S').*given as .*Europe/Berlin"
op "restore --at $after to at3" db --yes
is "a time after the last commit: the source hands over its WAL" "$(member state)" "done"
like "... with the drop" "$(on_copy 'SELECT 1 FROM t')" 'does not exist'
stop_copy at3
op "restore --at 2025-10-26 02:30:00 Europe/Berlin to at4" db --yes
like "a time that clocks show twice is not guessed" "$(member error.code) $(member error.what)" 'USAGE the clocks of Europe/Berlin show that time twice'
op "restore --at 2025-03-30 02:30:00 Europe/Berlin to at4" db --yes
like "... nor one that they never show" "$(member error.code) $(member error.what)" 'USAGE the clocks of Europe/Berlin never show that time'
op "restore --at 2026-11-21 04:00:00 to at4" db --yes
is "a time without a zone is not guessed" "$(member error.code)" USAGE
op "restore --at $(date -u -d '1 hour' '+%Y-%m-%dT%H:%M:%SZ') to at4" db --yes
is "a time to come is refused" "$(member state) $(member error.code)" "refused REFUSED"
like "... with the window" "$(member error.hint)" '^Recoverable: 20'
op "restore --at $first_time to at4" db --yes
is "a time before the first snapshot is refused" "$(member state) $(member error.code)" "refused REFUSED"
is "nothing was made for those" "$(ls -d "$restores"/at4 2>/dev/null)" ""

op "restore --lsn $lsn to lsn1" db --yes
is "to an LSN: all before it" "$(member state) $(on_copy 'SELECT max(id) FROM t')" "done 3"
stop_copy lsn1
op "restore --lsn FF/0 to lsn2" db --yes
is "an LSN that is not written yet is refused" "$(member state) $(member error.code)" "refused REFUSED"

# Exactly before a commit as pg_waldump tells it, another one right before that.
sql db "CREATE TABLE u (id int)" >/dev/null
begin=$(sql db "SELECT pg_current_wal_flush_lsn()")
"$PG_BINDIR/psql" -X -q -d "$db_uri" -c 'INSERT INTO u VALUES (1)' -c 'INSERT INTO u VALUES (2)' -c 'INSERT INTO u VALUES (3)'
xid=$(sql db "SELECT xmin FROM u WHERE id = 2")
as_pg env TZ=UTC "$PG_BINDIR/pg_waldump" -p "$TMP/pg-db/data/pg_wal" -r Transaction -s "$begin" >"$TMP/commits" 2>/dev/null
commit=$(grep "tx: *$xid,.*desc: COMMIT" "$TMP/commits")
commit_lsn=$(printf '%s' "$commit" | sed 's/.*lsn: \([0-9A-F/]*\),.*/\1/')
commit_time=$(printf '%s' "$commit" | sed 's/.*COMMIT \(20[-0-9]* [0-9:.]*\) UTC.*/\1/')
for target in "--at $commit_time UTC --before" "--lsn $commit_lsn"; do
	op "restore $target to exact" db --yes
	is "to exactly before a commit: $target" "$(member state) $(on_copy 'SELECT string_agg(id::text, $$ $$) FROM u')" "done 1"
	[ "${target#--at}" = "$target" ] || like "... and not before another" "$(member result.proof)" "before commit of transaction $xid,"
	op "restore drop exact" db --yes
done
op "restore --at $commit_time UTC to exact" db --yes
is "... or with it, and no other" "$(member state) $(on_copy 'SELECT string_agg(id::text, $$ $$ ORDER BY id) FROM u')" "done 1 2"
op "restore drop exact" db --yes

# A named point becomes an LSN.
sql db "CREATE TABLE t AS SELECT 10 AS id" >/dev/null
op "point release-7" db --yes
is "a restore point" "$(member state) $(member result.point)" "done release-7"
sql db "INSERT INTO t VALUES (11)" >/dev/null
op "point release-7" db --yes
is "... is made once" "$(member state) $(member error.code)" "refused REFUSED"
op "restore --point release-7 to point1" db --yes
is "back to it by its name" "$(member state) $(on_copy 'SELECT max(id) FROM t')" "done 10"
stop_copy point1
# A restore point is on disk only with what comes after it: until then it is not known.
sql db "CREATE ROLE pointer LOGIN; GRANT EXECUTE ON FUNCTION pg_create_restore_point(text) TO pointer" >/dev/null
sed -e 's/target db/target pointer/' -e 's/user=postgres/user=pointer/' "$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" >"$TMP/pointer.conf"
cat "$TMP/pointer.conf" >>"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf"
op "point nowhere" pointer --yes
is "a restore point that is not on disk" "$(member state) $(member error.code)" "failed DENIED"
is "... is none" "$(sqlite_value "SELECT count(*) FROM points WHERE name = 'nowhere'")" 0
op "restore --point nobody to point2" db --yes
is "an unknown point" "$(member error.code)" NOT_FOUND

# Killed in the middle of each step: goes on, and is there once; or is taken back.
kill_at() {	# STEP JOB
	wait_for 30 step_is "$1" "$2" || return 1
	kill -9 "$(sqlite_value "SELECT pid FROM acts WHERE id = $2")"
}
step_is() {
	[ "$(sqlite_value "SELECT count(*) FROM job_steps WHERE job = $2 AND name = '$1'")" = 1 ]
}
lost() {
	"$PGMEDIC" run "job $1" db | grep -q '^state *lost'
}
for step in archive restore configure start; do
	answer=$("$PGMEDIC" run "restore --at $before to k-$step" db --json --yes </dev/null)
	job=$(member job)
	if kill_at "$step" "$job" && wait_for 30 lost "$job"; then
		op "job resume $job" db --yes
		is "killed in $step: it goes on" "$(member state) $(on_copy 'SELECT max(id) FROM t')" "done 2"
		is "... nothing is left over" "$(sqlite_value "SELECT count(*) FROM leftovers WHERE job = $job AND settled_at IS NULL")" 0
	else
		skip "the job was faster than the kill in $step"
	fi
	stop_copy "k-$step"
done
answer=$("$PGMEDIC" run "restore --at $before to undone" db --json --yes </dev/null)
job=$(member job)
if kill_at start "$job" && wait_for 30 lost "$job"; then
	like "a console shows what is left" "$("$PGMEDIC" run "job $job" db)" '^left behind .*undone'
	op "job undo $job" db --yes
	is "it is taken back" "$(ls -d "$restores/undone" 2>/dev/null)" ""
	is "... with its server" "$(pgrep -f "$restores/undone" | wc -l)" 0
	op "job undo $job" db --yes
	is "... once more is no harm" "$(member state)" "done"
else
	skip "the job was faster than the kill"
fi

# The server of the copy is killed, too: once its recovery has ended it goes on; while that ended it may have forgotten its
# target, and is not started.
has_recovered() {
	[ "$("$PG_BINDIR/psql" -X -A -t -q -h "$restores/$1" -p 5432 -U postgres -d postgres -c "SELECT pg_is_in_recovery()" 2>/dev/null)" = f ]
}
kill_copy() {
	copy_pid=$(head -n 1 "$restores/$1/data/postmaster.pid")
	kill -9 "$copy_pid"
	wait_for 20 gone "$copy_pid"
}
follow_nobody() {	# as soon as what the killed server has left is gone
	as_pg "$PG_BINDIR/pg_ctl" -D "$restores/$1/data" -l "$TMP/pg-db/$1.log" -w start \
	    -o "-c recovery_target_time= -c restore_command=false" >/dev/null 2>&1
}
for how in recovered forgot; do
	answer=$("$PGMEDIC" run "restore --at $before to $how" db --json --yes </dev/null)
	job=$(member job)
	if ! { kill_at start "$job" && wait_for 30 lost "$job" && wait_for 20 has_recovered "$how"; }; then
		skip "the job was faster than the kill, or had not started the copy"
		stop_copy "$how"
		continue
	fi
	kill_copy "$how"
	if [ $how = forgot ]; then
		as_pg touch "$restores/$how/data/standby.signal"
		ok "it is in recovery" wait_for 60 follow_nobody "$how"
		kill_copy "$how"
		as_pg rm "$restores/$how/data/standby.signal"
		op "job resume $job" db --yes
		is "not past its target" "$(member state) $(member error.code)" "failed STATE"
		like "... is said" "$(member error.what)" 'it would go past its target'
		op "job undo $job" db --yes
		is "... it is taken back" "$(member state) $(ls -d "$restores/$how" 2>/dev/null)" "done "
	else
		op "job resume $job" db --yes
		is "killed after its recovery: it goes on" "$(member state) $(on_copy 'SELECT max(id) FROM t')" "done 2"
		like "... with the proof of before" "$(member result.proof)" 'recovery stopping before commit'
		stop_copy "$how"
	fi
done

# A folder that is not ours is not removed.
answer=$("$PGMEDIC" run "restore --at $before to foreign" db --json --yes </dev/null)
job=$(member job)
if kill_at restore "$job" && wait_for 30 lost "$job"; then
	wait_for 20 test -e "$restores/foreign/.pgmedic-copy"
	rm -f "$restores/foreign/.pgmedic-copy"
	op "job undo $job" db --yes
	is "a folder without our mark stays" "$(member error.code)" REFUSED
	ok "... as it is" test -d "$restores/foreign"
else
	skip "the job was faster than the kill"
fi

# A missing segment, and an archiver that fails, are found and said.
op "snapshot second full" db --yes
sql db "INSERT INTO t VALUES (12); SELECT pg_switch_wal()" >/dev/null
op "point late" db --yes
second=$(backrest db info --output=json | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["backup"][-1]["archive"]["stop"])')
next=$(printf '%.16s%08X' "$second" $((0x$(printf '%s' "$second" | tail -c 8) + 1)))
as_pg sh -c "mkdir -p '$TMP/pg-db/aside' && mv '$TMP'/pg-db/repo/archive/lab/*/*/$next-* '$TMP/pg-db/aside/'"
op "restore --point late to gap1" db --yes
is "a gap before the target is refused" "$(member state) $(member error.code)" "refused REFUSED"
like "the plan says which segment is missing" "$("$PGMEDIC" run "restore second to gap2" db --dry-run)" \
    "gap +WAL segment $next is missing"
own=$(backrest db info --output=json | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["backup"][-1]["archive"]["start"])')
as_pg sh -c "mv '$TMP'/pg-db/repo/archive/lab/*/*/$own-* '$TMP/pg-db/aside/'"
op "restore second to gap3" db --yes
like "a snapshot that lacks its own WAL is refused" "$(member state) $(member error.what)" "refused .*lacks WAL segment $own"
sql db "ALTER SYSTEM SET archive_command = 'false'"
sql db "SELECT pg_reload_conf()" >/dev/null
failing() {
	[ "$(sql db "SELECT last_failed_time > last_archived_time FROM pg_stat_archiver")" = t ]
}
sql db "INSERT INTO t VALUES (13); SELECT pg_switch_wal()" >/dev/null
wait_for 30 failing
like "an archiver that fails is said" "$("$PGMEDIC" run "restore first to fail1" db --dry-run)" 'archiver +fails since'
op "restore --at $(sql db 'SELECT clock_timestamp()') to fail2" db --yes
like "what it has not archived cannot be recovered" "$(member state) $(member error.what)" 'refused .*archiving fails'

# The source is gone: the repository alone does.
stop_pg db immediate
op "restore first to gone" db --yes
is "a restore without the source" "$(member state) $(on_copy 'SELECT max(id) FROM t')" "done 1"
stop_copy gone
like "the journal is whole" "$("$PGMEDIC" run "journal verify" db)" '^[0-9]+ lines, each as it was written'
finish
