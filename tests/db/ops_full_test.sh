#!/bin/sh
# The journal cannot grow in mid-job, or from the beginning: nothing is lost, nothing is done twice, nothing is done that is
# not written down. A disk that is full is played by a limit on the size of files, which the worker gets while it waits.
# majors: system
# sanitizers: no
. "$(dirname "$0")/../lib.sh"
. "$test_dir/backup.sh"

need_pg
command -v python3 >/dev/null || skip_all "no python3"
command -v prlimit >/dev/null || skip_all "prlimit is not installed"
start_pg db
mkdir -p "$XDG_CONFIG_HOME/pgmedic" "$TMP/dumps"
cat >"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" <<CONF
[target db]
conninfo = host=127.0.0.1 port=$db_port user=postgres dbname=postgres
provider = local
dump_root = $TMP/dumps
CONF
journal() {	# QUERY
	python3 - "$XDG_STATE_HOME/pgmedic/journal.db" "$1" <<'PY'
import sqlite3, sys
row = sqlite3.connect(sys.argv[1], timeout=20).execute(sys.argv[2]).fetchone()
print(row[0] if row else "")
PY
}
sql db "CREATE TABLE held (id int)" >/dev/null
hold() {
	spawn "$PG_BINDIR/psql" -X -q -d "$db_uri" -c "BEGIN; LOCK held; SELECT pg_sleep(600)" >/dev/null 2>&1
	holder=$spawned_pid
	wait_for 30 locked
}
locked() {
	[ "$(sql db "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted AND relation = 'held'::regclass")" = 1 ]
}
waits() {
	[ "$(sql db "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")" -ge 1 ]
}
let_go() {
	sql db "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation = 'held'::regclass" >/dev/null
	wait "$holder" 2>/dev/null
}
begin() {	# NAME: a dump that waits; its job and its worker
	hold
	"$PGMEDIC" run "snapshot dump --as $1" db --yes --json >"$TMP/begun" 2>&1 </dev/null
	wait_for 60 waits
	job=$(journal "SELECT max(id) FROM acts") worker=$(journal "SELECT pid FROM acts ORDER BY id DESC LIMIT 1")
}

begin one
prlimit --pid "$worker" --fsize=4096:4096
let_go
ok "a worker that cannot write ends" wait_for 60 gone "$worker"
answer=$("$PGMEDIC" run "job $job" db --json)
is "... without a word: the next console says so" "$(member state)" lost
like "... and what it left" "$("$PGMEDIC" run "job $job" db)" "left behind +the dump in $TMP/dumps/one"
status 0 "the journal is whole" "$PGMEDIC" journal verify
op "job resume $job" db --yes
is "it goes on where there is room" "$(member state) $(member result.snapshot)" "done one"
is "... once" "$(find "$TMP/dumps" -mindepth 1 -maxdepth 1 | wc -l)" 1
like "nothing is left behind" "$("$PGMEDIC" jobs)" 'none is lost, nothing is left behind'

# From the beginning: nothing is done that cannot be written down.
(
	ulimit -f 1
	"$PGMEDIC" run "snapshot dump --as two" db --yes --json --wait >"$TMP/full" 2>&1 </dev/null
)
answer=$(cat "$TMP/full")
unlike "without room nothing is begun" "$answer" '"state":"done"'
ok "... nothing is made" test ! -e "$TMP/dumps/two"
finish
