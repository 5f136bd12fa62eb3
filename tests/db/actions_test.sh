#!/bin/sh
# What changes a server: cancel, terminate and the jobs, with every refusal, and what the journal says of them.
# majors: ends
. "$(dirname "$0")/../lib.sh"

need_pg
[ -x "$PGMEDIC" ] || skip_all "no program is built here"
start_pg primary "max_connections = 20"
sql primary "CREATE ROLE app LOGIN; CREATE ROLE plain LOGIN; CREATE ROLE signaller LOGIN;
	GRANT pg_signal_backend TO signaller; GRANT pg_monitor TO signaller;
	CREATE TABLE public.t (id int PRIMARY KEY, v text); INSERT INTO t SELECT g, g FROM generate_series(1, 1000) g;
	CREATE SCHEMA \"Odd Name\"; CREATE TABLE \"Odd Name\".\"Order; drop\" (id int PRIMARY KEY);
	CREATE SCHEMA other; CREATE TABLE other.twice (id int); CREATE TABLE public.twice (id int);
	GRANT ALL ON t TO app" >/dev/null

run() {		# COMMAND [OPTION...] as superuser
	"$PGMEDIC" run "$@" -d "$primary_uri"
}
run_as() {	# ROLE COMMAND [OPTION...]
	role=$1
	shift
	"$PGMEDIC" run "$@" -d "$primary_uri" -U "$role"
}
field() {	# FILE KEY: a member of the JSON object
	python3 -c 'import json, sys; v = json.load(open(sys.argv[1])).get(sys.argv[2]); print(v if not isinstance(v, dict) else v["code"])' "$1" "$2"
}
pid_of() {	# APPLICATION
	sql primary "SELECT pid FROM pg_stat_activity WHERE application_name = '$1' LIMIT 1"
}
has_pid() {
	[ -n "$(pid_of "$1")" ]
}
no_pid() {
	[ -z "$(pid_of "$1")" ]
}
session() {	# NAME ROLE SQL: in the background, until it is seen to run
	spawn "$PG_BINDIR/psql" -X -q -d "postgresql://$2@127.0.0.1:$primary_port/postgres?application_name=$1" -c "$3" >/dev/null 2>&1
	wait_for 10 has_pid "$1"
}
running() {
	[ "$(sql primary "SELECT state FROM pg_stat_activity WHERE application_name = '$1'")" = active ]
}

# ------------------------------------------------------------------ cancel and terminate

session sleeper app "SELECT pg_sleep(600)"
pid=$(pid_of sleeper)
status 1 "without --yes and a terminal nothing is done" run "cancel $pid"
like "and the error says so" "$(cat "$TMP/err")" 'not confirmed'
status 0 "a dry run shows the plan" run "cancel $pid" --dry-run --json
is "and is planned only" "$(field "$TMP/out" state)" planned
ok "the session goes on" running sleeper
status 0 "cancel" run "cancel $pid" --yes --json
is "is done" "$(field "$TMP/out" state)" 'done'
ok "the session has ended its query" wait_for 5 no_pid sleeper

session victim app "SELECT pg_sleep(600)"
status 0 "terminate" run "terminate $(pid_of victim)" --yes --json
like "says that it is gone" "$(field "$TMP/out" result)" 'gone$'
ok "and it is" no_pid victim
status 1 "terminate of a pid that is not there" run "terminate 999999" --yes --json
is "is not found" "$(field "$TMP/out" error)" NOT_FOUND

# In the console: tagged sessions that have gone do not make the row under the cursor be meant.
session tagged app "SELECT pg_sleep(600)"
session bystander app "SELECT pg_sleep(600)"
cat >"$TMP/script" <<END
:pane activity
:wait sample 2
:filter application=tagged
<Space>
:terminate $(pid_of tagged)
y
:filter application=bystander
:wait sample 2
K
y
:wait sample 1
END
status 0 "tag a session, terminate it, terminate what is tagged" \
	env PGMEDIC_SCRIPT="$TMP/script" "$PGMEDIC" -d "$primary_uri"
ok "the tagged one is gone" no_pid tagged
ok "the one under the cursor is not" running bystander
status 0 "its own pid ends that one, too" run "terminate $(pid_of bystander)" --yes

# The identity is checked in the statement that acts.
session reused app "SELECT pg_sleep(600)"
pid=$(pid_of reused)
query=$(sed -e '/^--/d' "$SOURCE/src/pg/act_terminate.sql")
answer=$(printf "%s \\\\bind '{%s}' '{2020-01-01}' \\\\g\n" "$query" "$pid" | "$PG_BINDIR/psql" -X -A -t -d "$primary_uri" 2>&1)
case $answer in
*'\bind'*) skip "this psql cannot bind parameters" ;;
*) is "another backend_start is another session" "$answer" "$pid|t|f|f|t|" ;;
esac
ok "it was not touched" running reused

# ------------------------------------------------------------------ who may

status 1 "a plain role may not signal others" run_as plain "terminate $pid" --yes --json
is "and is told so" "$(field "$TMP/out" error)" DENIED
like "with the GRANT" "$(cat "$TMP/out")" 'pg_signal_backend|pg_read_all_stats'
ok "it was not touched" running reused
session super postgres "SELECT pg_sleep(600)"
status 1 "pg_signal_backend does not reach a superuser's session" run_as signaller "terminate $(pid_of super)" --yes --json
like "and says why" "$(cat "$TMP/out")" superuser
ok "it was not touched" running super
status 0 "pg_signal_backend reaches others" run_as signaller "terminate $pid" --yes --json
is "and does it" "$(field "$TMP/out" state)" 'done'
checkpointer=$(sql primary "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'")
status 1 "the server's own processes are left alone by others" run_as signaller "terminate $checkpointer" --yes --json

# ------------------------------------------------------------------ by filter

session many1 app "SELECT pg_sleep(600)"
session many2 app "SELECT pg_sleep(600)"
status 0 "terminate where, dry" run "terminate where application:many" --dry-run
like "lists both" "$(cat "$TMP/out")" 'terminate 2 sessions'
status 0 "terminate where" run "terminate where application:many" --yes --json
is "is done" "$(field "$TMP/out" state)" 'done'
ok "the first is gone" no_pid many1
ok "the second is gone" no_pid many2
ok "others are not" running super
status 1 "a filter that matches nobody" run "terminate where application:nobody" --yes --json
is "finds nobody" "$(field "$TMP/out" error)" NOT_FOUND

# ------------------------------------------------------------------ read-only and protected targets

status 1 "--read-only refuses" run "terminate $(pid_of super)" --yes --json --read-only
is "as refused" "$(field "$TMP/out" state)" refused
mkdir -p "$XDG_CONFIG_HOME/pgmedic"
cat >"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" <<CONF
[target guarded]
conninfo = $primary_uri
protected = yes
[target watched]
conninfo = $primary_uri
read_only = yes
CONF
status 1 "--yes is not enough for a protected target" "$PGMEDIC" run "terminate $(pid_of super)" guarded --yes --json
is "as refused" "$(field "$TMP/out" error)" NOT_CONFIRMED
status 1 "a read-only target refuses" "$PGMEDIC" run "terminate $(pid_of super)" watched --yes --json
like "and names the line of the configuration" "$(cat "$TMP/out")" 'read_only = yes'
ok "nothing was touched" running super

# ------------------------------------------------------------------ jobs

# REINDEX CONCURRENTLY waits for every older snapshot of the database.
status 0 "a superuser ends a superuser's session" run "terminate $(pid_of super)" --yes
sql primary "DELETE FROM t WHERE id <= 500" >/dev/null
status 0 "vacuum" run "vacuum analyze t" --yes --wait --json
is "is done" "$(field "$TMP/out" state)" 'done'
ok "the server has counted it" wait_for 10 sh -c "[ \"\$('$PG_BINDIR/psql' -XAtd '$primary_uri' -c \"SELECT vacuum_count > 0 AND analyze_count > 0 FROM pg_stat_user_tables WHERE relname = 't'\")\" = t ]"
status 0 "a name that needs quotes" run "analyze 'Odd Name.Order; drop'" --yes --wait --json
is "is done" "$(field "$TMP/out" state)" 'done'
status 2 "an ambiguous name" run "analyze twice" --yes --wait --json
like "lists what it could be" "$(cat "$TMP/out")" 'other.twice, public.twice'
status 0 "with its schema" run "analyze other.twice" --yes --wait
status 1 "a table that is not there" run "vacuum nowhere" --yes --wait --json
is "is not found" "$(field "$TMP/out" error)" NOT_FOUND
before=$(sql primary "SELECT relfilenode FROM pg_class WHERE relname = 't_pkey'")
status 0 "reindex" run "reindex t_pkey" --yes --wait --json
is "is done" "$(field "$TMP/out" state)" 'done'
ok "the index is a new one" [ "$before" != "$(sql primary "SELECT relfilenode FROM pg_class WHERE relname = 't_pkey'")" ]
status 0 "checkpoint" run checkpoint --yes --wait --json
is "is done" "$(field "$TMP/out" state)" 'done'
status 1 "a plain role may not order a checkpoint" run_as plain checkpoint --yes --wait --json
is "and is told so" "$(field "$TMP/out" error)" DENIED
status 1 "a vacuum that the server skips" run_as plain "vacuum t" --yes --wait --json
is "is no success" "$(field "$TMP/out" state)" failed
status 0 "reset statements" run "reset statements" --yes --json
ok "they start anew" [ "$(sql primary 'SELECT count(*) FROM pg_stat_statements')" -lt 10 ]

# A job lives on without whoever started it.
session locker app "BEGIN; LOCK TABLE t IN ROW EXCLUSIVE MODE; SELECT pg_sleep(600)"
status 0 "a job is started" run "reindex t_pkey" --yes --json
is "and runs" "$(field "$TMP/out" state)" running
job=$(field "$TMP/out" job)
job_runs() {
	"$PGMEDIC" run jobs | grep -q "^ *$job .* running"
}
ok "jobs lists it" wait_for 10 job_runs
ok "its process is a session leader's child without a terminal" sh -c "[ \"\$(ps -o tty= -p $(pgrep -f "run --job $job\$" | head -n 1) | tr -d ' ')\" = '?' ]"
status 0 "what it waits for goes" run "terminate $(pid_of locker)" --yes
job_done() {
	"$PGMEDIC" run "journal $job" | head -n 1 | grep -q ' done '
}
ok "and it ends well" wait_for 20 job_done

# ------------------------------------------------------------------ the journal

"$PGMEDIC" run journal --json >"$TMP/journal" 2>"$TMP/err"
python3 - "$TMP/journal" >"$TMP/facts" <<'PY'
import json, sys
acts = json.load(open(sys.argv[1]))
print(len(acts) > 10, all(a["finished_at"] for a in acts), all(a["os_user"] and a["target"] and a["plan"] for a in acts),
      all(a["system_identifier"] for a in acts if a["state"] == "done"))
PY
is "every act is in the journal, with its end" "$(cat "$TMP/facts")" "True True True True"
unlike "no password is in it" "$(cat "$TMP/journal")" 'password='

session super postgres "SELECT pg_sleep(600)"
touch "$TMP/file"
status 1 "what cannot be written down is not done" env XDG_STATE_HOME="$TMP/file" "$PGMEDIC" run "terminate $(pid_of super)" \
    --yes --json -d "$primary_uri"
is "as refused" "$(field "$TMP/out" state)" refused
is "because of the journal" "$(field "$TMP/out" error)" JOURNAL
ok "it was not touched" running super
status 0 "reading goes on" env XDG_STATE_HOME="$TMP/file" "$PGMEDIC" show activity --json -d "$primary_uri"

# ------------------------------------------------------------------ words

status 2 "an unknown command" run "terminat 5"
like "names the nearest" "$(cat "$TMP/err")" 'nearest is terminate'
status 2 "acts are not abbreviated" run "term 5" --yes
status 2 "a word that is no pid" run "cancel abc" --yes
status 1 "a command of the screen" run "pause"
like "says so" "$(cat "$TMP/err")" screen
status 3 "a server that is not there" "$PGMEDIC" run checkpoint --yes -h 127.0.0.1 -p 1
printf '[target a]\nconninfo = %s\n[target b]\nconninfo = host=127.0.0.1 port=1\n' "$primary_uri" >"$TMP/two.conf"
status 2 "an act on the first of two targets by chance" "$PGMEDIC" run checkpoint --yes --config "$TMP/two.conf"
status 0 "an act on the one that is named" "$PGMEDIC" run checkpoint a --yes --config "$TMP/two.conf"
finish
