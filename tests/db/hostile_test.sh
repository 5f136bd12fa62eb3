#!/bin/sh
# Text that is made to do harm, in everything that the server can send: nothing reaches a terminal but what is meant,
# and JSON and CSV stay what they are.
# majors: newest
# long
. "$(dirname "$0")/../lib.sh"

need_pg
[ -x "$PGMEDIC" ] || skip_all "no program is built here"
command -v python3 >/dev/null || skip_all "python3 makes the text and reads the output"
hostile() {
	python3 "$SOURCE/tests/tool/hostile.py" "$@"
}
start_pg primary "max_prepared_transactions = 20" "track_activity_query_size = 1MB" "pg_stat_statements.track_utility = on" \
    "max_connections = 60"
sql primary "CREATE DATABASE bytes TEMPLATE template0 ENCODING 'SQL_ASCII'" >/dev/null
sql primary "CREATE DATABASE west TEMPLATE template0 ENCODING 'LATIN1'" >/dev/null
uri() {	# DATABASE
	echo "postgresql://postgres@127.0.0.1:$primary_port/$1"
}
load() {	# PART DATABASE ENCODING
	hostile sql "$1" >"$TMP/$1.sql"
	PGCLIENTENCODING=$3 "$PG_BINDIR/psql" -X -q -o /dev/null -v ON_ERROR_STOP=1 -d "$(uri "$2")" -f "$TMP/$1.sql"
}
ok "names are made" load utf8 postgres UTF8
ok "names of bytes are made" load ascii bytes SQL_ASCII
ok "names in Latin 1 are made" load latin1 west LATIN1
for db in bytes west; do
	"$PG_BINDIR/psql" -X -q -d "$(uri $db)" -c "CREATE EXTENSION pg_stat_statements"
done
hostile sql session >"$TMP/session.sql"
PGAPPNAME="$(printf '\033]52;c;eA==\007\302\23331m\342\200\256')" PGCLIENTENCODING=SQL_ASCII \
    spawn "$PG_BINDIR/psql" -X -q -d "$(uri bytes)" -f "$TMP/session.sql" >/dev/null 2>&1
# One waits for the row of a prepared transaction in a table of a hostile name.
waiting() {
	[ "$(sql primary "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")" -ge 1 ] &&
	    [ "$(sql primary "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")" -ge 1 ]
}
cat >"$TMP/wait.sql" <<END
INSERT INTO "$(printf '\033[31mcsi\033[2J')"."$(printf '\033[31mcsi\033[2J')" VALUES (1);
END
spawn "$PG_BINDIR/psql" -X -q -d "$(uri postgres)" -f "$TMP/wait.sql" >/dev/null 2>&1
ok "the scene is set" wait_for 30 waiting

# ------------------------------------------------------------------ show

# Each pane waits for its second sample: the three beside each other.
for db in postgres bytes west; do
	hostile panes "$PGMEDIC" 2 -d "$(uri $db)" >"$TMP/found.$db" 2>&1 &
	eval "panes_$db=$!"
done
for db in postgres bytes west; do
	eval "wait \$panes_$db"
	is "$db: every pane, every format, to a pipe and to a terminal" "$(cat "$TMP/found.$db")" ""
done
# A target whose own name is hostile, in the title and in errors.
evil="host=127.0.0.1 port=$primary_port user=postgres dbname='$(printf '\033]52;c;UFdORUQ=\007osc')'"
status 0 "a database of a hostile name" "$PGMEDIC" show overview --json "$evil"
ok "gives valid JSON" python3 -m json.tool "$TMP/out"
evil="host=127.0.0.1 port=$primary_port user=postgres dbname='$(printf '\033]52;c;eA==\007\302\233nowhere')'"
status 3 "one that does not exist" "$PGMEDIC" show overview "$evil"
is "is named without harm" "$(hostile judge <"$TMP/err")" ""
status 1 "a statement whose planning raises" "$PGMEDIC" run 'explain select shout()' -d "$(uri postgres)"
is "is answered without harm" "$(cat "$TMP/out" "$TMP/err" | hostile judge)" ""
like "with its words" "$(cat "$TMP/err")" 'csi'
status 0 "doctor" "$PGMEDIC" doctor -d "$(uri postgres)"
is "is without harm" "$(cat "$TMP/out" "$TMP/err" | hostile judge)" ""
# The whole text is there for who asks for it.
status 0 "a text of a megabyte" "$PGMEDIC" show activity --json --all -d "$(uri postgres)"
python3 - "$TMP/out" >"$TMP/found" 2>&1 <<'END'
import json, sys
rows = json.load(open(sys.argv[1], encoding="utf-8"))["rows"]
sleeper = [r for r in rows if r["database"] == "bytes" and r["query"] and "pg_sleep" in r["query"]]
assert len(sleeper) == 1, rows
assert "\x1b" not in sleeper[0]["application"]
print("found")
END
is "of a session in a database of bytes is read" "$(cat "$TMP/found")" found

# ------------------------------------------------------------------ console

for db in postgres bytes; do
	hostile console "$PGMEDIC" '2 a Enter Esc 3 Enter Esc 4 Enter Esc 5 Enter Esc 6 Enter Esc 7 Enter Esc Right Down Enter Esc 8 Enter Esc 9 Enter Esc 0 Enter Esc' \
	    -d "$(uri $db)" >"$TMP/found.$db" 2>"$TMP/raw.$db" &
	eval "console_$db=$!"
done
for db in postgres bytes; do
	eval "wait \$console_$db"
	is "$db: the console writes nothing but its own" "$(cat "$TMP/found.$db")" ""
	like "$db: the names were on the screen" "$(strings "$TMP/raw.$db" 2>/dev/null || tr -c ' -~' '\n' <"$TMP/raw.$db")" 'csi|DROP|bad'
done
finish
