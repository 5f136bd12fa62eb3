#!/bin/sh
# snapshot by pgBackRest: planned, confirmed, made by a job, judged by what it is rather than by an exit status,
# never made twice.
# majors: system
. "$(dirname "$0")/../lib.sh"
. "$test_dir/backup.sh"

need_pg
start_backed_up db
sql db "CREATE TABLE t AS SELECT g AS id, md5(g::text) AS v FROM generate_series(1, 2000) g; CHECKPOINT" >/dev/null

op snapshot db --dry-run
is "a dry run plans" "$(member state)" planned
is "... in steps" "$(member plan.1.step)" "make the backup"
is "... and changes nothing" "$(backrest db info --output=json | grep -c '"label"')" 0
op snapshot db
is "without a confirmation it is refused" "$(member state) $(member error.code) $op_status" "refused NOT_CONFIRMED 1"

op "snapshot before-x" db --yes
is "a first snapshot is full" "$(member state) $(member result.kind)" "done full"
label=$(member result.snapshot)
like "... with its label" "$label" '^[0-9]{8}-[0-9]{6}F$'
like "... that pgBackRest has" "$(backrest db info --output=json)" "\"label\":\"$label\""
ok "... of some bytes" test "$(member result.size_bytes)" -gt 1000000
like "... and its times" "$(member result.started_at) $(member result.finished_at)" '^20[-0-9T:]+Z 20[-0-9T:]+Z$'
op snapshot db --yes
is "the next one is incremental" "$(member state) $(member result.kind)" "done incr"
op "snapshot before-x" db --yes
is "a name is used once" "$(member state) $(member error.code)" "refused REFUSED"
op "snapshot a/b" db --yes
is "a name is a name" "$(member error.code)" USAGE

# The plan that was shown is the plan that is run.
op snapshot db --dry-run
hash=$(member plan_hash)
op "snapshot diff" db --plan "$hash"
is "another command's plan does not confirm" "$(member state) $(member error.code)" "refused CHANGED"
op snapshot db --plan "$hash"
is "its own does" "$(member state)" "done"
echo "protected = yes" >>"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf"
op snapshot db --yes
is "--yes is not enough for a protected target" "$(member state) $(member error.code)" "refused NOT_CONFIRMED"
sed -i '/^protected/d' "$XDG_CONFIG_HOME/pgmedic/pgmedic.conf"

# Killed while pgBackRest works: found lost, taken up again, made once.
before=$(backrest db info --output=json | grep -o '"label":"[^"]*"' | sort -u | wc -l)
answer=$("$PGMEDIC" run "snapshot full" db --json --yes </dev/null)
job=$(member job)
worker() {
	"$PGMEDIC" run "job $job" db | grep -q '^now  *backup'
}
ok "a job is under way" wait_for 20 worker
pid=$(python3 - "$XDG_STATE_HOME/pgmedic/journal.db" "$job" <<'PY'
import sqlite3, sys
print(sqlite3.connect(sys.argv[1]).execute("SELECT pid FROM acts WHERE id = ?", (sys.argv[2],)).fetchone()[0])
PY
)
kill -9 "$pid"
wait_for 10 gone "$pid"
like "the next console says that it is lost" "$("$PGMEDIC" run "job $job" db)" "^state +lost"
like "... and how to go on" "$("$PGMEDIC" run "job $job" db)" '^go on +job resume'
op "job resume $job" db --yes
is "it goes on" "$(member state) $(member result.kind)" "done full"
is "... and has made one" "$(backrest db info --output=json | grep -o '"label":"[^"]*"' | sort -u | wc -l)" "$((before + 1))"
op "job resume $job" db --yes
is "what is done is not done again" "$(member error.code)" STATE
like "the journal is whole" "$("$PGMEDIC" run "journal verify" db)" '^[0-9]+ lines, each as it was written'
is "... as anybody can check who reads the manual" "$(python3 - "$XDG_STATE_HOME/pgmedic/journal.jsonl" <<'PY'
import hashlib, json, sys
before, n = "0" * 64, 0
for line in open(sys.argv[1], "rb").read().splitlines():
    o, n = json.loads(line), n + 1
    digest = hashlib.sha256(line[:line.rindex(b',"hash":"')]).hexdigest()
    if (o["seq"], o["prev"], o["hash"]) != (n, before, digest):
        sys.exit("line %d" % n)
    before = o["hash"]
print("whole" if n > 10 else "short")
PY
)" whole

sed -e 's/^\[target db\]/[target nowhere]/' -e 's/^pgbackrest_stanza = .*/pgbackrest_stanza = nowhere/' \
    "$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" >"$TMP/nowhere.conf"
cat "$TMP/nowhere.conf" >>"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf"
op snapshot nowhere --dry-run
like "a stanza that is not there is said" "$(member error.what)" 'nowhere'
like "... with what makes it" "$(member error.hint)" 'stanza'

# A corrupt page: pgBackRest's exit status is 0, the verdict is not.
path=$(sql db "SELECT pg_relation_filepath('t')")
stop_pg db
as_pg python3 - "$TMP/pg-db/data/$path" <<'PY'
import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(8192 + 100)
    f.write(b"\xff\x00\xff\x00")
PY
if as_pg "$PG_BINDIR/pg_controldata" "$TMP/pg-db/data" | grep -q 'checksum version: *[1-9]'; then
	run_pg db
	op "snapshot full" db --yes
	is "a backup with a corrupt page is not called good" "$(member state) $(member error.code)" "failed STATE"
	like "... and says why" "$(member error.what)" 'corrupt pages'
else
	skip "no checksums in this cluster"
fi
finish
