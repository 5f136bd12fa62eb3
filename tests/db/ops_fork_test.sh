#!/bin/sh
# restore across a failover that has lost something: two timelines in the repository, with segments of the same numbers. What
# .history says is followed: before the fork, behind it, and, for what was made on the branch that was left, that.
# majors: system
# sanitizers: no
# long
. "$(dirname "$0")/../lib.sh"
. "$test_dir/backup.sh"

need_pg
start_backed_up db
restores=$TMP/pg-db/restores
at_exit() {
	for copy in "$restores"/*; do
		[ ! -d "$copy/data" ] || as_pg "$PG_BINDIR/pg_ctl" -D "$copy/data" -m immediate -w stop >/dev/null 2>&1
	done
}
rows() {	# TARGET of restore..., what it holds; the copy is removed
	op "restore $1 to copy" db --yes
	rows=$("$PG_BINDIR/psql" -X -A -t -q -d "$(member result.uri)" -c "SELECT string_agg(id::text, ' ' ORDER BY id) FROM t" 2>&1)
	[ "$(member state)" = "done" ] || printf '%s\n' "$answer"
	as_pg "$PG_BINDIR/pg_ctl" -D "$restores/copy/data" -m immediate -w stop >/dev/null 2>&1
	as_pg rm -rf "$restores/copy"
}
archived() {
	sql db "SELECT pg_switch_wal()" >/dev/null
	wal=$(sql db "SELECT pg_walfile_name(pg_current_wal_lsn() - 1)")
	wait_for 60 has_archived
}
has_archived() {
	[ "$(sql db "SELECT last_archived_wal >= '$wal' FROM pg_stat_archiver")" = t ]
}

sql db "CREATE TABLE t (id int); INSERT INTO t VALUES (1)" >/dev/null
op "snapshot first full" db --yes
sql db "INSERT INTO t VALUES (2)" >/dev/null
before=$(sql db "SELECT clock_timestamp()")
archived
# What the standby has at the moment of the failover
stop_pg db
as_pg cp -a "$TMP/pg-db/data" "$TMP/pg-db/side"
run_pg db
sql db "INSERT INTO t VALUES (3)" >/dev/null
op "point lost" db --yes
is "a point on what will be left" "$(member state)" "done"
op "snapshot left full" db --yes
is "a snapshot on what will be left" "$(member state)" "done"
lost=$(sql db "SELECT clock_timestamp()")
for n in 1 2 3; do
	sql db "CREATE TABLE more$n AS SELECT 1 AS id" >/dev/null
	archived
done
stop_pg db
as_pg sh -c "mv '$TMP/pg-db/data' '$TMP/pg-db/left' && mv '$TMP/pg-db/side' '$TMP/pg-db/data' && : >'$TMP/pg-db/data/standby.signal'"
run_pg db
sql db "SELECT pg_promote()" >/dev/null
is "another timeline" "$(sql db "SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)")" 00000002
sql db "INSERT INTO t VALUES (4)" >/dev/null
after=$(sql db "SELECT clock_timestamp()")
sql db "INSERT INTO t VALUES (5)" >/dev/null
for n in 1 2; do
	archived
	sql db "CREATE TABLE later$n AS SELECT 1 AS id" >/dev/null
done
archived

like "the plan tells the fork" "$("$PGMEDIC" run "restore --at $after to copy" db --dry-run)" '^timelines +2 begins at 0/[0-9A-F]+, after 1'
rows "--at $before"
is "before the fork" "$rows" "1 2"
rows "--at $after"
is "behind it" "$rows" "1 2 4"
rows "--at $lost"
is "a time of both: the one that went on" "$rows" "1 2"
rows "--point lost"
is "a point of the one that was left" "$rows" "1 2 3"
rows left
is "a snapshot of it" "$rows" "1 2 3"
rows first
is "a snapshot of before" "$rows" "1"
op "verify left" db --yes
is "which can be verified" "$(member state) $(member result.passed)" "done true"
[ "$(member result.passed)" = true ] || printf '%s\n' "$answer"
op "verify first" db --yes
is "... as can that of before, up to now" "$(member state) $(member result.passed)" "done true"
[ "$(member result.passed)" = true ] || printf '%s\n' "$answer"

# A segment of the second timeline is missing; the first one has one of that number.
fork=$(as_pg sh -c "ls '$TMP'/pg-db/repo/archive/lab/*/0000000200000000" | sed -n '2s/-.*//p')
as_pg sh -c "mv '$TMP'/pg-db/repo/archive/lab/*/0000000200000000/$fork-* '$TMP/pg-db/spool/'"
like "a gap behind the fork is not filled from the other side" "$("$PGMEDIC" run "restore first to copy" db --dry-run)" "^gap +WAL segment $fork is missing"
finish
