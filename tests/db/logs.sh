# Shared by the tests of the server's log: things that happen, and what the log is to say of them.
# shellcheck shell=sh disable=SC2154 # primary_*: set by start_pg

start_logging() {	# SETTING...: server "primary", roles plain, monitor and reader, a table
	start_pg primary "deadlock_timeout = 100ms" "log_lock_waits = on" "log_temp_files = 0" "log_min_duration_statement = 150" \
		"log_connections = on" "log_line_prefix = '%m [%p] %e %q%u@%d '" "log_timezone = 'Asia/Kolkata'" \
		"log_filename = 'server-%H%M%S.log'" "log_rotation_age = 0" "log_rotation_size = 0" "$@"
	sql primary "CREATE ROLE plain LOGIN; CREATE ROLE monitor LOGIN IN ROLE pg_monitor; CREATE ROLE reader LOGIN IN ROLE pg_monitor;
		GRANT EXECUTE ON FUNCTION pg_read_binary_file(text, bigint, bigint, boolean) TO reader;
		CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT g, repeat('x', 100) FROM generate_series(1, 5000) g" >/dev/null
	# log_checkpoints is on by default from 15 on.
	checkpoints=False
	[ "$PG_MAJOR" -lt 15 ] || checkpoints=True
}
happen() {	# TAG: something of each kind, marked
	sql primary "BEGIN; UPDATE t SET v = '$1' WHERE id = 1; SELECT pg_sleep(0.3); UPDATE t SET v = '$1' WHERE id = 2; COMMIT" >/dev/null 2>&1 &
	one=$!
	sql primary "BEGIN; UPDATE t SET v = '$1' WHERE id = 2; SELECT pg_sleep(0.3); UPDATE t SET v = '$1' WHERE id = 1; COMMIT" >/dev/null 2>&1
	wait "$one"
	sql primary "SELECT pg_sleep(0.2), '$1-slow'" >/dev/null
	sql primary "SET work_mem = '64kB'; SELECT count(*) FROM (SELECT * FROM t ORDER BY v, id) x, (VALUES ('$1')) y" >/dev/null
	sql primary "DO \$\$ BEGIN RAISE EXCEPTION '$1-failed
on two lines' USING HINT = 'a hint', DETAIL = 'more', ERRCODE = 'P0099'; END \$\$" >/dev/null 2>&1
	sql primary "SELECT pg_sleep(0.2); CREATE ROLE r_$1 PASSWORD 'hunter2-$1'" >/dev/null
	"$PG_BINDIR/psql" -X -d "postgresql://nobody-$1@127.0.0.1:$primary_port/postgres" -c 'SELECT 1' >/dev/null 2>&1
	sql primary "CHECKPOINT" >/dev/null
}
show() {	# NAME ROLE [COMMAND...]: JSON in $TMP/NAME.json
	out=$1 role=$2
	shift 2
	status 0 "show logs: $out" "$@" "$PGMEDIC" show logs --json -h 127.0.0.1 -p "$primary_port" -U "$role" -d postgres
	cp "$TMP/out" "$TMP/$out.json"
}
value() {	# NAME PYTHON: an expression over rows r, summary s, notes n; k(KIND, TEXT) are the rows of a kind with that text
	python3 -c 'import json, sys
d = json.load(open(sys.argv[1])); r = d["rows"]; s = d["summary"]; n = d["notes"]
def k(kind, text=""):
    return [x for x in r if x["kind"] == kind and text in json.dumps(x)]
print(eval(sys.argv[2]))' "$TMP/$1.json" "$2"
}
everything() {	# NAME TAG: what happened is told
	is "$1: a deadlock and its parties" "$(value "$1" "[len(x['parties']) for x in k('deadlock', '$2')]")" "[2]"
	is "$1: of that its statement" "$(value "$1" "'UPDATE t SET v' in k('deadlock', '$2')[0]['statement']")" True
	is "$1: the wait before it" "$(value "$1" "k('lock_wait', '$2')[0]['duration_ms'] >= 100")" True
	is "$1: a slow statement" "$(value "$1" "[(x['duration_ms'] >= 200, x['user'], x['database'], x['statement']) for x in k('slow', '$2-slow')]")" \
		"[(True, 'postgres', 'postgres', \"SELECT pg_sleep(0.2), '$2-slow'\")]"
	is "$1: a temporary file" "$(value "$1" "k('temp_file', '$2')[0]['bytes'] > 100000")" True
	is "$1: an error of two lines" "$(value "$1" "[(x['severity'], x['sqlstate'], x['message'], x['detail'], x['hint']) for x in k('error', '$2-failed')]")" \
		"[('ERROR', 'P0099', '$2-failed\\non two lines', 'more', 'a hint')]"
	is "$1: a login that was refused" "$(value "$1" "[x['severity'] for x in k('auth', 'nobody-$2')]")" "['FATAL']"
	is "$1: a checkpoint" "$(value "$1" "len(k('checkpoint')) > 0")" "$checkpoints"
	is "$1: times are of now" "$(value "$1" "abs(__import__('datetime').datetime.fromisoformat(r[0]['time'][:19]).replace(tzinfo=__import__('datetime').timezone.utc).timestamp() - __import__('time').time()) < 600")" True
	is "$1: newest first" "$(value "$1" "all(a['file'] != b['file'] or a['offset'] > b['offset'] for a, b in zip(r, r[1:]))")" True
	is "$1: no password" "$(grep -c hunter2 "$TMP/$1.json")" 0
}
replayed() {	# FILE PYTHON: true of the recording so far
	"$PGMEDIC" show logs --replay "$TMP/$1" --json >"$TMP/replayed.json" 2>/dev/null && [ "$(value replayed "$2")" = True ]
}
rotate() {	# another log file
	files=$(find "$primary_dir/log" -type f | wc -l)
	for try in 1 2 3 4 5 6 7 8; do
		sql primary "SELECT pg_rotate_logfile()" >/dev/null
		# shellcheck disable=SC2016 # for the other shell
		wait_for 2 sh -c '[ "$(find "$1" -type f | wc -l)" -gt "$2" ]' sh "$primary_dir/log" "$files" && return
	done
	fail "no rotation after $try tries"
}
