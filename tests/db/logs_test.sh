#!/bin/sh
# The server's log through SQL: stderr with a prefix, csvlog and jsonlog say the same; who may not read it is told what
# helps; a recording follows rotations. (Where the servers are at home on this machine, root reads their files.)
# majors: ends
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/logs.sh"

need_pg
[ -x "$PGMEDIC" ] || skip_all "no program is built here"
command -v python3 >/dev/null || skip_all "python3 reads the JSON"
start_logging "logging_collector = on"

# ------------------------------------------------------------------ stderr, csvlog, jsonlog

happen one
show stderr postgres
everything stderr one
like "the collector's file" "$(value stderr "r[0]['file']")" '^log/server-.*\.log$'
formats=csvlog
[ "$PG_MAJOR" -lt 15 ] || formats="csvlog jsonlog"
for format in $formats; do
	sql primary "ALTER SYSTEM SET log_destination = 'stderr,$format'" >/dev/null
	sql primary "SELECT pg_reload_conf()" >/dev/null
	# shellcheck disable=SC2016 # for the other shell
	ok "a file of $format" wait_for 20 sh -c 'ls "$1"/*."$2"' sh "$primary_dir/log" "${format%log}"
	happen "$format"
	show "$format" postgres
	everything "$format" "$format"
	like "its file" "$(value "$format" "r[0]['file']")" "\\.${format%log}\$"
	is "$format: the application" "$(value "$format" "k('slow', '$format-slow')[0]['application']")" psql
done

# ------------------------------------------------------------------ who may

as=''
[ "$(id -u)" != 0 ] || as='runuser -u nobody -- env HOME=/nonexistent XDG_STATE_HOME=/nonexistent XDG_CONFIG_HOME=/nonexistent'
# shellcheck disable=SC2086 # words
show reader reader $as
everything reader "$format"
is "the same entries for everybody" "$(value reader "[x['offset'] for x in k('deadlock')]")" "$(value "$format" "[x['offset'] for x in k('deadlock')]")"
if [ -n "$as" ]; then
	# shellcheck disable=SC2086 # words
	show monitor monitor $as
	is "a monitor may not" "$(value monitor "(len(r), n[0]['code'])")" "(0, 'denied')"
	like "and is told what helps" "$(value monitor "n[0]['hint']")" \
		'GRANT EXECUTE ON FUNCTION pg_catalog.pg_read_binary_file\(text,bigint,bigint,boolean\) TO monitor in database postgres'
	# shellcheck disable=SC2086 # words
	show plain plain $as
	is "anybody may not" "$(value plain "(len(r), n[0]['code'])")" "(0, 'denied')"
	like "and is told, too" "$(value plain "n[0]['hint']")" 'GRANT pg_monitor'
else
	skip "who may not: without root the server's files are ours"
fi

# ------------------------------------------------------------------ rotation

spawn "$PGMEDIC" record "$TMP/rotate.rec" --refresh 0.3 -h 127.0.0.1 -p "$primary_port" -U postgres -d postgres >/dev/null 2>"$TMP/record.err"
ok "a recording has the log" wait_for 30 replayed rotate.rec "len(k('slow')) > 0"
sql primary "SELECT 1 / 0 AS before_rotation" >/dev/null 2>&1
for i in 1 2; do
	rotate
	sql primary "SELECT 1 / 0 AS rotation_$i" >/dev/null 2>&1
done
sql primary "SELECT 1 / 0 AS after_rotation" >/dev/null 2>&1
ok "what came before, between and after rotations is there" wait_for 30 replayed rotate.rec \
	"[len([x for x in k('error', t) if x['statement']]) for t in ('before_rotation', 'rotation_1', 'rotation_2', 'after_rotation')] == [1, 1, 1, 1]"
finish
