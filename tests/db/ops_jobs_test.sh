#!/bin/sh
# Jobs that are killed, stopped, doubled, planned for another server; secrets that must not be seen. pgBackRest is played by
# a script here that takes its time, so that every moment can be met; the real one is in ops_snapshot_test.
# majors: system
. "$(dirname "$0")/../lib.sh"
. "$test_dir/backup.sh"

need_pg
command -v python3 >/dev/null || skip_all "no python3"
start_pg db "archive_mode = on" "archive_command = 'true'"
start_standby twin db
mkdir -p "$TMP/bin" "$TMP/repo" "$XDG_CONFIG_HOME/pgmedic"
chmod 777 "$TMP/repo"
system=$(sql db "SELECT system_identifier FROM pg_control_system()")

# What it was called with, what it sees of the environment, and one line per backup that it made.
cat >"$TMP/bin/pgbackrest" <<END
#!/bin/sh
echo "\$*" >>"$TMP/repo/argv"
env >>"$TMP/repo/env"
awk '/^Max core/ { print \$6 }' /proc/self/limits >"$TMP/repo/core"
job=''
for word in "\$@"; do
	case \$word in
	--annotation=job=*) job=\${word#--annotation=job=} ;;
	version) echo "pgBackRest 2.45"; exit 0 ;;
	esac
done
case " \$* " in
*" info "*)
	printf '[{"name":"lab","status":{"code":0,"message":"ok","lock":{"backup":{"held":false}}},'
	printf '"db":[{"id":1,"system-id":$system}],"archive":[{"id":"15-1","min":"000000010000000000000001","max":"0000000100000000000000FF"}],"backup":['
	comma=''
	while read -r made; do
		printf '%s{"label":"20261121-00%s0000F","type":"full","annotation":{"job":"%s"},"archive":{"start":"000000010000000000000001","stop":"000000010000000000000002"},' "\$comma" "\$made" "\$made"
		printf '"info":{"size":100},"timestamp":{"start":1795000000,"stop":1795000001},"error":false}'
		comma=,
	done <"$TMP/repo/made"
	echo ']}]'
	;;
*" backup "*)
	trap 'exit 63' TERM
	i=0
	while [ -e "$TMP/repo/slow" ] && [ \$i -lt 600 ]; do
		sleep 0.05
		i=\$((i + 1))
	done
	echo "\$job" >>"$TMP/repo/made"
	;;
esac
exit 0
END
chmod 755 "$TMP/bin/pgbackrest"
: >"$TMP/repo/made"
chmod 666 "$TMP/repo/made"
PATH=$TMP/bin:$PATH
cat >"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" <<CONF
[target db]
conninfo = host=127.0.0.1 port=$db_port user=postgres dbname=postgres
provider = local
pgbackrest_stanza = lab
[target alias]
conninfo = host=127.0.0.1 port=$db_port user=postgres dbname=template1
provider = local
pgbackrest_stanza = lab
[target twin]
conninfo = host=127.0.0.1 port=$twin_port user=postgres dbname=postgres
provider = local
pgbackrest_stanza = lab
CONF
field() {	# COLUMN JOB: of the journal
	python3 - "$XDG_STATE_HOME/pgmedic/journal.db" "$1" "$2" <<'PY'
import sqlite3, sys
print(sqlite3.connect(sys.argv[1]).execute(f"SELECT {sys.argv[2]} FROM acts WHERE id = ?", (sys.argv[3],)).fetchone()[0])
PY
}
begin() {	# a job that is in its backup; $job
	touch "$TMP/repo/slow"
	answer=$("$PGMEDIC" run snapshot db --json --yes </dev/null)
	job=$(member job)
	wait_for 20 in_backup "$job" || fail "job $job does not begin"
}
in_backup() {
	"$PGMEDIC" run "job $1" --json | grep -q '"progress":"backup'
}
state_is() {
	"$PGMEDIC" run "job $1" --json | grep -q "^{\"job\":$1,\"state\":\"$2\""
}
made() {
	grep -c "^$1\$" "$TMP/repo/made"
}

# ------------------------------------------------------------------ one object, whatever happens

one_object() {	# WHAT STATE CODE STATUS COMMAND...
	what=$1 want="$2 $3 $4"
	shift 4
	answer=$("$@" 2>"$TMP/err" </dev/null)
	got=$?
	is "$what" "$(member state) $(member error.code) $got" "$want"
	is "... as one object" "$(printf '%s' "$answer" | python3 -c 'import json,sys; d=json.load(sys.stdin); print(sorted(set(["job","state","plan","result","error"])-set(d)))')" "[]"
}
one_object "wrong words" failed USAGE 2 "$PGMEDIC" run "snapshot a/b" db --json --yes
one_object "no such command" failed USAGE 2 "$PGMEDIC" run "snapshoot" db --json --yes
one_object "an unknown target" failed USAGE 2 "$PGMEDIC" run snapshot nowhere --json --yes
one_object "no target among several" failed USAGE 2 "$PGMEDIC" run snapshot --json --yes
one_object "no confirmation" refused NOT_CONFIRMED 1 "$PGMEDIC" run snapshot db --json
one_object "read-only" refused REFUSED 1 "$PGMEDIC" run snapshot db --json --yes --read-only
one_object "no such job" refused NOT_FOUND 1 "$PGMEDIC" run "job resume 4711" db --json --yes
one_object "no number of a job" failed USAGE 2 "$PGMEDIC" run "job resume x" db --json --yes
echo "[target gone]
conninfo = host=127.0.0.1 port=1 dbname=postgres
provider = local
pgbackrest_stanza = lab" >>"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf"
one_object "an unreachable server" failed CONNECT 3 "$PGMEDIC" run snapshot gone --json --yes --wait

# ------------------------------------------------------------------ two of one, and two for one target

begin
op "job resume $job" db --yes
is "what is under way is not begun again" "$(member state) $(member error.code)" "refused STATE"
op snapshot db --yes
is "one job at a time acts on a target" "$(member state) $(member error.code)" "failed STATE"
op snapshot alias --yes
is "... also by another name of the cluster" "$(member state) $(member error.code)" "failed STATE"
pid=$(field pid "$job")
kill -HUP "$pid"
kill -9 "$pid"
wait_for 10 gone "$pid"
like "a lost job is listed with what to do" "$("$PGMEDIC" jobs)" "job resume $job goes on, job undo $job takes back"
is "... in JSON, too" "$("$PGMEDIC" jobs --json | python3 -c 'import json,sys; print([j["state"] for j in json.load(sys.stdin) if j["id"] == '"$job"'])')" "['lost']"
rm -f "$TMP/repo/slow"
"$PGMEDIC" run "job resume $job" --json --yes --wait >"$TMP/one" 2>&1 </dev/null &
one=$!
"$PGMEDIC" run "job resume $job" --json --yes --wait >"$TMP/two" 2>&1 </dev/null &
wait $one $!
is "resume twice at once: one goes on" "$(cat "$TMP/one" "$TMP/two" | grep -c '"state":"done"')" 1
is "... and the backup is made once" "$(made "$job")" 1
unlike "what is done is not listed" "$("$PGMEDIC" jobs)" "resume $job "

# ------------------------------------------------------------------ stopped

begin
answer=$("$PGMEDIC" run "job cancel $job" --json)
ok "a cancel reaches pgBackRest at once" wait_for 5 state_is "$job" failed
like "... and says by what, and where" "$("$PGMEDIC" run "job $job")" 'stopped by `job cancel` in step backup'
is "... before it made anything" "$(made "$job")" 0
rm -f "$TMP/repo/slow"
op "job resume $job" db --yes
is "what was stopped goes on when told" "$(member state) $(made "$job")" "done 1"
begin
kill -TERM "$(python3 -c 'import sqlite3, sys
print(sqlite3.connect(sys.argv[1]).execute("SELECT pid FROM acts WHERE id = ?", (sys.argv[2],)).fetchone()[0])' \
    "$XDG_STATE_HOME/pgmedic/journal.db" "$job")"
ok "a signal ends it" wait_for 10 state_is "$job" failed
like "... and it says which" "$("$PGMEDIC" run "job $job")" 'stopped by SIGTERM in step backup'
rm -f "$TMP/repo/slow"
op "job undo $job" db --yes

# ------------------------------------------------------------------ not as it was planned

op snapshot twin --dry-run
hash=$(member plan_hash)
op snapshot db --plan "$hash"
is "the plan of another target does not confirm" "$(member state) $(member error.code)" "refused CHANGED"
sql twin "SELECT pg_promote()" >/dev/null
is_primary() {
	[ "$(sql twin "SELECT pg_is_in_recovery()")" = f ]
}
wait_for 20 is_primary
op snapshot twin --plan "$hash"
is "nor one from before a promotion" "$(member state) $(member error.code)" "refused CHANGED"

begin
pid=$(field pid "$job")
kill -9 "$pid"
wait_for 10 gone "$pid"
# The name leads to another cluster now: what was begun is not gone on with there.
start_pg other
sed -i "s/port=$db_port user/port=$other_port user/" "$XDG_CONFIG_HOME/pgmedic/pgmedic.conf"
rm -f "$TMP/repo/slow"
op "job resume $job" db --yes
is "another cluster by the same name is not touched" "$(member state) $(member error.code)" "refused CHANGED"
is "... nothing was made" "$(made "$job")" 0
sed -i "s/port=$other_port user/port=$db_port user/" "$XDG_CONFIG_HOME/pgmedic/pgmedic.conf"
op "job undo $job" db --yes
is "a lost job can be closed" "$(member state)" "done"
unlike "... and is listed no more" "$("$PGMEDIC" jobs)" "job resume $job "

# ------------------------------------------------------------------ the journal cannot be written

mv "$XDG_STATE_HOME/pgmedic/journal.jsonl" "$TMP/kept.jsonl"
mkdir "$XDG_STATE_HOME/pgmedic/journal.jsonl"
lines=$(wc -l <"$TMP/repo/made")
op snapshot db --yes
is "what cannot be written down is not done" "$(member state) $(member error.code) $(wc -l <"$TMP/repo/made")" "failed JOURNAL $lines"
rmdir "$XDG_STATE_HOME/pgmedic/journal.jsonl"
mv "$TMP/kept.jsonl" "$XDG_STATE_HOME/pgmedic/journal.jsonl"
python3 - "$XDG_STATE_HOME/pgmedic/journal.db" "$TMP/held" <<'PY' &
import os, sqlite3, sys, time
c = sqlite3.connect(sys.argv[1], isolation_level=None)
c.execute("BEGIN IMMEDIATE")
open(sys.argv[2], "w").close()
while os.path.exists(sys.argv[2]):
    time.sleep(0.1)
PY
wait_for 20 test -e "$TMP/held"
op snapshot db --yes
rm "$TMP/held"
is "a journal that is held is waited for, then it is said" "$(member state) $(member error.code)" "failed JOURNAL"
wait $!
python3 - "$XDG_STATE_HOME/pgmedic/journal.db" <<'PY'
import sqlite3, sys
c = sqlite3.connect(sys.argv[1])
v = c.execute("PRAGMA user_version").fetchone()[0]
c.execute(f"PRAGMA user_version = {v + 1000}")
PY
op snapshot db --yes
is "a journal of a newer version is left alone" "$(member state) $(member error.code)" "failed JOURNAL"
like "... and it is said" "$(member error.what)" 'newer pgmedic'
python3 - "$XDG_STATE_HOME/pgmedic/journal.db" <<'PY'
import sqlite3, sys
c = sqlite3.connect(sys.argv[1])
v = c.execute("PRAGMA user_version").fetchone()[0]
c.execute(f"PRAGMA user_version = {v - 1000}")
PY

# ------------------------------------------------------------------ secrets

PGPASSWORD=geheim-env AWS_SECRET_ACCESS_KEY=geheim-aws AWS_ACCESS_KEY_ID=AKIAGEHEIMGEHEIM1234 AWS_SESSION_TOKEN=geheim-token
export PGPASSWORD AWS_SECRET_ACCESS_KEY AWS_ACCESS_KEY_ID AWS_SESSION_TOKEN
sed -i "s/^conninfo = host=127.0.0.1 port=$db_port/& password=geheim-conninfo/" "$XDG_CONFIG_HOME/pgmedic/pgmedic.conf"
: >"$TMP/repo/env"
begin
pid=$(field pid "$job")
cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' '\n' >"$TMP/cmdlines"
is "no secret is in any argument list" "$(grep -c -i geheim "$TMP/cmdlines")" 0
is "the worker leaves no core file" "$(sed -n 's/^Max core file size *\([0-9a-z]*\) .*/\1/p' "/proc/$pid/limits")" 0
rm -f "$TMP/repo/slow"
wait_for 20 state_is "$job" "done"
is "pgBackRest gets no secret of ours" "$(grep -c -i geheim "$TMP/repo/env")" 0
like "... but what it needs" "$(cat "$TMP/repo/env")" '^PATH='
is "its core files are its own matter" "$(cat "$TMP/repo/core")" "$(awk '/^Max core/ { print $6 }' /proc/self/limits)"
is "none is in the state folder" "$(grep -r -a -i -l geheim "$XDG_STATE_HOME" | wc -l)" 0
unset PGPASSWORD AWS_SECRET_ACCESS_KEY AWS_ACCESS_KEY_ID AWS_SESSION_TOKEN

# ------------------------------------------------------------------ the journal's end cut off

like "the journal is whole" "$("$PGMEDIC" journal verify)" 'each as it was written'
cp "$XDG_STATE_HOME/pgmedic/journal.jsonl" "$TMP/kept.jsonl"
sed -i '$d' "$XDG_STATE_HOME/pgmedic/journal.jsonl"
status 1 "lines cut off at its end are missed" "$PGMEDIC" journal verify
like "... and counted" "$(cat "$TMP/err")" 'lines were written, the last 1 are gone'
op snapshot db --yes
status 1 "... also after more was written" "$PGMEDIC" journal verify
finish
