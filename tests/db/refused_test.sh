#!/bin/sh
# Servers that refuse, lack or withhold: what is wrong is said in one line, with a hint, and status 3; a lock on a
# table or an extension that is missing, old or not loaded costs that pane only what it must.
# majors: ends
. "$(dirname "$0")/../lib.sh"

need_pg
[ -x "$PGMEDIC" ] || skip_all "no program is built here"
command -v python3 >/dev/null || skip_all "python3 reads the JSON"
start_pg primary "max_connections = 12" "superuser_reserved_connections = 3" "password_encryption = 'scram-sha-256'"
sql primary "CREATE ROLE plain LOGIN; CREATE ROLE secret LOGIN PASSWORD 'right'; CREATE ROLE locked NOLOGIN;
	CREATE TABLE big (id int PRIMARY KEY, v text); INSERT INTO big SELECT g, 'x' FROM generate_series(1, 3000) g" >/dev/null
sql primary "CREATE DATABASE bare" >/dev/null
sql primary "REVOKE CONNECT ON DATABASE bare FROM PUBLIC" >/dev/null
sql primary "CREATE DATABASE old" >/dev/null
sql primary "CREATE DATABASE closed ALLOW_CONNECTIONS false" >/dev/null
sql primary "VACUUM ANALYZE" >/dev/null
{ echo "host all secret 127.0.0.1/32 scram-sha-256"; cat "$primary_dir/pg_hba.conf"; } >"$TMP/hba"
as_pg tee "$primary_dir/pg_hba.conf" <"$TMP/hba" >/dev/null
sql primary "SELECT pg_reload_conf()" >/dev/null
uri=postgresql://postgres@127.0.0.1:$primary_port

# told WHAT STATUS REGEX COMMAND...: that status, nothing on standard output, one line that is like REGEX, one with a hint
told() {
	what=$1 want=$2 regex=$3
	shift 3
	status "$want" "$what" timeout 20 "$@"
	like "$what: says so" "$(head -n 1 "$TMP/err")" "^pgmedic: .*$regex"
	like "$what: with a hint" "$(sed -n 2p "$TMP/err")" '^HINT: .'
	is "$what: in two lines, and no output" "$(wc -l <"$TMP/err" | tr -d ' ')$(wc -c <"$TMP/out" | tr -d ' ')" 20
}
told "a wrong password" 3 'password authentication failed.*secret' \
    env PGPASSWORD=wrong "$PGMEDIC" show activity -h 127.0.0.1 -p "$primary_port" -U secret -d postgres
status 0 "the right password" env PGPASSWORD=right "$PGMEDIC" show activity -h 127.0.0.1 -p "$primary_port" -U secret -d postgres
told "no password, and nobody to ask" 3 'password' "$PGMEDIC" show activity -w -h 127.0.0.1 -p "$primary_port" -U secret -d postgres
told "a missing database" 3 'database "nowhere" does not exist' "$PGMEDIC" show activity -d "$uri/nowhere"
told "a database that takes no connections" 3 'closed' "$PGMEDIC" show activity -d "$uri/closed"
told "a missing role" 3 'role "nobody_here" does not exist' "$PGMEDIC" show activity -h 127.0.0.1 -p "$primary_port" -U nobody_here -d postgres
told "a role that may not log in" 3 'locked.*not permitted' "$PGMEDIC" show activity -h 127.0.0.1 -p "$primary_port" -U locked -d postgres
told "a host that does not exist" 3 'no-such-host' "$PGMEDIC" show activity -h no-such-host.invalid -d postgres
told "a socket that is not there" 3 'No such file' "$PGMEDIC" show activity -h "$TMP/nowhere" -d postgres
told "a server without TLS" 3 'SSL' "$PGMEDIC" show activity -d "$uri/postgres?sslmode=require"
told "a database that the role may not connect to" 3 'permission denied for database' "$PGMEDIC" show activity \
    -h 127.0.0.1 -p "$primary_port" -U plain -d bare
status 3 "doctor of a missing database" "$PGMEDIC" doctor -d "$uri/nowhere"
like "doctor: says so with a hint" "$(tr '\n' ' ' <"$TMP/out")" 'nowhere.* HINT: '
told "run on a missing database" 3 'nowhere' "$PGMEDIC" run 'explain select 1' -d "$uri/nowhere"

# ------------------------------------------------------------------ a lock queue in front of a table

mkfifo "$TMP/reader.in"
exec 9<>"$TMP/reader.in"
PGAPPNAME=reader "$PG_BINDIR/psql" -X -q -d "$uri/postgres" <&9 >/dev/null 2>&1 &
reader=$!
spawned="$spawned $reader"
echo "BEGIN; SELECT count(*) FROM big;" >&9
has() {	# QUERY: gives t
	[ "$(sql primary "SELECT $1")" = t ]
}
wait_for 10 has "EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'reader' AND state = 'idle in transaction')"
PGAPPNAME=alter spawn "$PG_BINDIR/psql" -X -q -d "$uri/postgres" -c "ALTER TABLE big ADD w int" >/dev/null 2>&1
ok "an ALTER TABLE waits behind a reader" wait_for 10 has \
    "EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'alter' AND wait_event_type = 'Lock')"
for pane in tables indexes maintenance overview; do
	status 0 "$pane answers while ALTER TABLE waits" timeout 20 "$PGMEDIC" show $pane --json -d "$uri/postgres"
	unlike "$pane has nothing stale" "$(cat "$TMP/out")" '"code":"(stale|no_data)"'
	[ "$pane" != tables ] || like "with the size of the table" "$(cat "$TMP/out")" '"table":"big",[^{}]*"size_bytes":[1-9]'
done
status 0 "and the tree names the reader" "$PGMEDIC" show locks --csv --columns application,depth,relation -d "$uri/postgres"
is "as the head of the ALTER TABLE" "$(tr -d '\r' <"$TMP/out" | tail -n +2 | tr '\n' ' ')" 'reader,0,public.big alter,1,public.big '
kill "$reader"
wait_for 10 has "NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'alter')"

# ------------------------------------------------------------------ pg_stat_statements

status 0 "an extension that is not created" "$PGMEDIC" show statements --json -d "$uri/bare"
like "is told how to get" "$(cat "$TMP/out")" '"code":"unsupported".*CREATE EXTENSION pg_stat_statements'
"$PG_BINDIR/psql" -X -q -d "$uri/old" -c "CREATE EXTENSION pg_stat_statements VERSION '1.7'" 2>"$TMP/old.log" ||
    "$PG_BINDIR/psql" -X -q -d "$uri/old" -c "CREATE EXTENSION pg_stat_statements VERSION '1.4'" \
	-c "ALTER EXTENSION pg_stat_statements UPDATE TO '1.7'" 2>"$TMP/old.log"
if [ "$("$PG_BINDIR/psql" -X -A -t -d "$uri/old" -c "SELECT extversion FROM pg_extension WHERE extname = 'pg_stat_statements'")" = 1.7 ]; then
	status 0 "one of another age than the server" "$PGMEDIC" show statements --json -d "$uri/old"
	ok "is valid JSON" python3 -m json.tool "$TMP/out"
	like "shows what it has, or says what is missing" "$(cat "$TMP/out")" '"calls":[1-9]|ALTER EXTENSION pg_stat_statements UPDATE'
	unlike "without an error of the server" "$(cat "$TMP/out")" 'does not exist'
	status 0 "doctor of it" "$PGMEDIC" doctor -d "$uri/old"
else
	skip "pg_stat_statements 1.7 cannot be made here"
fi

# ------------------------------------------------------------------ no slot left

# One more until nine have got in: sessions of before may take a while to go.
fill() {
	has "count(*) = 9 FROM pg_stat_activity WHERE application_name = 'filler'" && return
	PGAPPNAME=filler spawn "$PG_BINDIR/psql" -X -q -h 127.0.0.1 -p "$primary_port" -U plain -d postgres \
	    -c "SELECT pg_sleep(600)" >/dev/null 2>&1
	return 1
}
wait_for 20 fill
full() {
	! "$PG_BINDIR/psql" -X -q -h 127.0.0.1 -p "$primary_port" -U plain -d postgres -c "SELECT 1"
}
ok "only reserved slots are left" wait_for 20 full
told "a plain role" 3 'remaining connection slots are reserved|too many clients' \
    "$PGMEDIC" show activity -h 127.0.0.1 -p "$primary_port" -U plain -d postgres
status 0 "a superuser gets one" "$PGMEDIC" show activity --json -d "$uri/postgres"
is "and sees who has them" "$(python3 -c 'import json, sys
print(len([x for x in json.load(open(sys.argv[1]))["rows"] if x["application"] == "filler"]))' "$TMP/out")" 9
status 0 "overview needs one only, too" "$PGMEDIC" show overview --json -d "$uri/postgres"
printf ':activity\n:wait sample 2\n:save-display %s\n' "$TMP/screen" >"$TMP/script"
status 0 "so does the console" env PGMEDIC_SCRIPT="$TMP/script" LINES=30 COLUMNS=120 "$PGMEDIC" -d "$uri/postgres"
like "which shows them" "$(cat "$TMP/screen")" 'plain'

# ------------------------------------------------------------------ stopped

stop_pg primary immediate
told "a stopped server" 3 'refused' "$PGMEDIC" show activity -d "$uri/postgres"
status 3 "doctor of a stopped server" "$PGMEDIC" doctor -d "$uri/postgres"
like "doctor: says so with a hint" "$(tr '\n' ' ' <"$TMP/out")" 'refused.* HINT: '
told "explain on a stopped server" 3 'refused' "$PGMEDIC" run 'explain select 1' -d "$uri/postgres"

# ------------------------------------------------------------------ created, but not loaded

{ echo "shared_preload_libraries = ''"; echo "max_connections = 30"; } | as_pg tee -a "$primary_dir/postgresql.conf" >/dev/null
run_pg primary
uri=postgresql://postgres@127.0.0.1:$primary_port
status 0 "an extension that is not loaded" "$PGMEDIC" show statements --json -d "$uri/postgres"
like "is told how to load" "$(cat "$TMP/out")" '"code":"unsupported".*shared_preload_libraries'
status 0 "the rest is there" "$PGMEDIC" show activity --json -d "$uri/postgres"
status 1 "doctor finds it" "$PGMEDIC" doctor -d "$uri/postgres"
like "doctor says how" "$(cat "$TMP/out")" 'shared_preload_libraries'
finish
