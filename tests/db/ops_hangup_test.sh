#!/bin/sh
# The terminal goes away in the middle of each operation: the job goes on to its end, and the next console shows it.
# majors: system
# long
. "$(dirname "$0")/../lib.sh"
. "$test_dir/backup.sh"
. "$test_dir/pair.sh"

need_pg
command -v python3 >/dev/null || skip_all "no python3"
start_backed_up db
start_pair
at_exit() {
	for copy in "$TMP"/pg-db/restores/*; do
		[ ! -d "$copy/data" ] || as_pg "$PG_BINDIR/pg_ctl" -D "$copy/data" -m immediate -w stop >/dev/null 2>&1
	done
}
ended() {
	answer=$("$PGMEDIC" run "job $1" --json)
	[ "$(member state)" != running ]
}
hang_up() {	# OPERATION TARGET STEP
	job=$(python3 "$test_dir/hangup.py" "$3" "$XDG_STATE_HOME/pgmedic/journal.db" "$PGMEDIC" run "$1" "$2" --yes --wait)
	wait_for 120 ended "$job"
	answer=$("$PGMEDIC" run "job $job" --json)
	is "$1, the terminal gone in $3" "$(member state)" "done"
	[ "$(member state)" = "done" ] || "$PGMEDIC" run "job $job" "$2"
}
sql db "CREATE TABLE t AS SELECT 1 AS id" >/dev/null
hang_up "snapshot full" db backup
hang_up "restore latest to copy" db restore
ok "... it is there" test -d "$TMP/pg-db/restores/copy/data"
hang_up "verify latest" db start
hang_up switchover a promote
hang_up switchover a stop
hang_up "drill failover --kind crash" a rewind
is "the pair is as it was" "$(sql a "SELECT pg_is_in_recovery()") $(sql b "SELECT pg_is_in_recovery()")" "f t"
stop_pg a
hang_up "promote b" a promote
is "the replica is a primary" "$(sql b "SELECT pg_is_in_recovery()")" f
like "nothing is left behind" "$("$PGMEDIC" jobs)" 'none is lost, nothing is left behind'
finish
