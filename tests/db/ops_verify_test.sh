#!/bin/sh
# verify: a snapshot is restored, started, checked, removed and marked; what is wrong with it is found: a corrupt page
# that a count does not see, a missing segment, an archiver that fails, a critical query.
# majors: system
# sanitizers: no
# long
. "$(dirname "$0")/../lib.sh"
. "$test_dir/backup.sh"

need_pg
start_backed_up db
restores=$TMP/pg-db/restores
conf=$XDG_CONFIG_HOME/pgmedic/pgmedic.conf

check_of() {	# NAME: "passed detail" of the last answer
	printf '%s' "$answer" | python3 -c '
import json, sys
for c in (json.load(sys.stdin)["result"] or {"checks": []})["checks"]:
    if c["name"] == sys.argv[1]:
        print("passed" if c["passed"] else "failed", c["detail"])' "$1"
}
sqlite_value() {
	python3 -c 'import sqlite3, sys
print(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchone()[0])' "$XDG_STATE_HOME/pgmedic/journal.db" "$1" 2>/dev/null
}
step_is() {
	[ "$(sqlite_value "SELECT count(*) FROM job_steps WHERE job = $2 AND name = '$1'")" = 1 ]
}
lost() {
	"$PGMEDIC" run "job $1" db | grep -q '^state *lost'
}
at_exit() {
	for copy in "$restores"/*; do
		[ ! -d "$copy/data" ] || as_pg "$PG_BINDIR/pg_ctl" -D "$copy/data" -m immediate -w stop >/dev/null 2>&1
	done
}

sql db "CREATE TABLE t AS SELECT g AS id, md5(g::text) AS v FROM generate_series(1, 3000) g; CREATE UNIQUE INDEX ON t (id)" >/dev/null
sql db "CREATE UNLOGGED TABLE u AS SELECT 1 AS id" >/dev/null
op "verify" db --yes
is "nothing to verify" "$(member error.code)" NOT_FOUND
op "snapshot good full" db --yes
label=$(member result.snapshot)
sql db "INSERT INTO t SELECT g, 'later' FROM generate_series(3001, 3005) g" >/dev/null
cat >"$TMP/critical.sql" <<'SQL'
-- name: rows of t
-- expect: 3005
SELECT count(*)
  FROM t;
SELECT EXISTS (SELECT FROM t WHERE id = 7);
SQL
echo "critical_queries = $TMP/critical.sql" >>"$conf"
op "verify good" db --yes
is "a good one passes" "$(member state) $(member result.passed) $op_status" "done true 0"
[ "$(member result.passed)" = true ] || printf '%s\n' "$answer"
is "... it is said which" "$(member result.snapshot)" "$label"
like "... rows as on the source" "$(check_of rows)" '^passed 1 tables'
like "... amcheck" "$(check_of amcheck)" '^passed'
like "... critical queries" "$(check_of queries)" '^passed 2 of'
like "... every page" "$(check_of checksums)" '^passed'
like "... RTO and RPO" "$(member result.rto_s) $(member result.rpo_s)" '^[0-9.]+ [0-9.]+$'
is "... its scratch is gone" "$(ls "$restores")" ""
like "... the snapshot is marked" "$(backrest db info --output=json)" '"verified":"20'
is "... and the journal" "$(sqlite_value "SELECT passed FROM verified WHERE snapshot = '$label'")" 1

op snapshots db
is "the list shows the mark" "$(member result.snapshots.0.snapshot) $(member result.snapshots.0.name)" "$label good"
like "... its time" "$(member result.snapshots.0.verified_at)" '^20[-0-9T:.]+Z$'
like "... and for people" "$("$PGMEDIC" run snapshots db --dry-run)" "^$label +full, .*, good, verified 20"

# One a line, without an end, as the setting says.
mv "$TMP/critical.sql" "$TMP/whole.sql"
printf '%s\n' '-- expect: 3005' 'SELECT count(*) FROM t' '' 'SELECT 1' >"$TMP/critical.sql"
op "verify good" db --yes
like "statements one a line" "$(check_of queries)" '^passed 2 of'
mv "$TMP/whole.sql" "$TMP/critical.sql"

sed -i 's/expect: 3005/expect: 1/' "$TMP/critical.sql"
op "verify good" db --yes
is "a critical query that answers otherwise" "$(member state) $(member result.passed) $op_status" "done false 1"
like "... is named" "$(check_of queries)" '^failed rows of t: answers 3005'
unlike "... the mark is taken away" "$(backrest db info --output=json)" '"verified":"20'
sed -i 's/expect: 1/expect: 3005/' "$TMP/critical.sql"

for step in restore start check checksums clean; do
	answer=$("$PGMEDIC" run "verify good" db --json --yes </dev/null)
	job=$(member job)
	wait_for 60 step_is "$step" "$job"
	kill -9 "$(sqlite_value "SELECT pid FROM acts WHERE id = $job")" 2>/dev/null
	if wait_for 30 lost "$job"; then
		op "job resume $job" db --yes
		is "killed in $step: it goes on" "$(member state) $(member result.passed) $(ls "$restores")" "done true "
	else
		skip "the job was faster than the kill in $step"
	fi
done

# What is killed meanwhile says nothing of the snapshot: no verdict, and it goes on.
cat >>"$TMP/critical.sql" <<SQL
COPY (SELECT 1) TO PROGRAM 'p=\$(head -n 1 postmaster.pid); if rm $TMP/pg-db/armed; then kill -9 \$p; while [ -e /proc/\$p/cwd ]; do sleep 0.1; done; fi 2>/dev/null';
SQL
as_pg touch "$TMP/pg-db/armed"
op "verify good" db --yes
is "the server of the copy is killed" "$(member state) $(member error.code)" "failed STATE"
[ "$(member state)" = failed ] || printf '%s\n' "$answer"
# Its pid is another process by now, as far as its successor can tell.
other=$(head -n 1 "$TMP/pg-db/data/postmaster.pid")
for file in "$restores/verify-$label/data/postmaster.pid" "$restores/verify-$label/.s.PGSQL.5432.lock"; do
	sed -i "1s/.*/$other/" "$file"
done
op "job resume $(member job)" db --yes
is "... no verdict, it goes on" "$(member state) $(member result.passed) $(ls "$restores")" "done true "
sed -i '$d' "$TMP/critical.sql"

# A process of pgBackRest's, as it says it; then all but the mark that was being written is taken away.
mkdir "$TMP/bin"
cat >"$TMP/bin/pgbackrest" <<END
#!/bin/sh
case "\$*" in
*" restore "*)
	if rm "$TMP/pg-db/armed" 2>/dev/null; then
		echo "2026-11-21 21:46:48.846 P00  ERROR: [039]: client state is 'data-get' but expected 'idle'"
		exit 39
	fi
	;;
esac
exec $(command -v pgbackrest) "\$@"
END
chmod 755 "$TMP/bin/pgbackrest"
as_pg touch "$TMP/pg-db/armed"
answer=$(PATH=$TMP/bin:$PATH "$PGMEDIC" run "verify good" db --json --wait --yes </dev/null)
job=$(member job)
is "a process of pgBackRest's is killed" "$(member state) $(member error.code)" "failed STATE"
like "... in its own words" "$(member error.what)" "ERROR: .039.: client state is"
as_pg rm -r "$restores/verify-$label/data" "$restores/verify-$label/tablespaces"
as_pg mv "$restores/verify-$label/.pgmedic-copy" "$restores/verify-$label/.pgmedic-copy.new"
op "job resume $job" db --yes
is "... it goes on, also where the mark was not there yet" "$(member state) $(member result.passed) $(ls "$restores")" "done true "

# A corrupt page that an index-only count does not see.
path=$(sql db "SELECT pg_relation_filepath('t')")
sql db "VACUUM t"
sql db "CHECKPOINT"
stop_pg db
as_pg python3 - "$TMP/pg-db/data/$path" <<'PY'
import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(8192 + 100)
    f.write(b"\xff\x00\xff\x00")
PY
run_pg db
op "snapshot bad full" db --yes
op "verify bad" db --yes
is "a corrupt page is found" "$(member state) $(member result.passed)" "done false"
like "... by the snapshot's own mark" "$(check_of backup)" '^failed .*corrupt'
like "... and by reading every page" "$(check_of checksums)" '^failed'
like "... which the snapshot says on every machine" "$(backrest db info --output=json)" '"verified" *: *"failed 20[^"]*Z"'

sql db "ALTER SYSTEM SET archive_command = 'false'"
sql db "SELECT pg_reload_conf()" >/dev/null
failing() {
	[ "$(sql db "SELECT last_failed_time > last_archived_time FROM pg_stat_archiver")" = t ]
}
sql db "CREATE TABLE more (id int); SELECT pg_switch_wal()" >/dev/null
wait_for 30 failing
op "verify good" db --yes
like "an archiver that fails is found" "$(member result.passed) $(check_of archiving)" '^false failed fails since'

start=$(backrest db info --output=json | python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["backup"][0]["archive"]["start"])')
as_pg sh -c "rm '$TMP'/pg-db/repo/archive/lab/*/*/$start-*"
op "verify good" db --yes
like "a missing segment is found" "$(member result.passed) $(check_of wal)" "^false failed WAL segment $start is missing"
like "... and that it cannot be restored" "$(check_of restore)" '^failed'
is "... and nothing is left" "$(ls "$restores")" ""
finish
