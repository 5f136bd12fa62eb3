#!/bin/sh
# The server's log where it is on this machine: the file that the server's standard error is, the collector's files, one that
# the target names; rotation, and a server that is down.
# majors: system
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/logs.sh"

need_pg
[ -x "$PGMEDIC" ] || skip_all "no program is built here"
command -v python3 >/dev/null || skip_all "python3 reads the JSON"
start_logging

# ------------------------------------------------------------------ without the collector

happen plain
show file monitor
everything file plain
is "where it is read" "$(value file "r[0]['file']")" "$TMP/pg-primary/log"

mkdir -p "$XDG_CONFIG_HOME/pgmedic"
cat >"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" <<-EOF
	[target named]
	conninfo = postgresql://plain@127.0.0.1:$primary_port/postgres
	log_file = $TMP/pg-primary/log
	[target missing]
	conninfo = $primary_uri
	log_file = $TMP/nowhere.log
EOF
status 0 "a file that the target names, for a role that may nothing" "$PGMEDIC" show logs named --json
cp "$TMP/out" "$TMP/named.json"
is "its entries" "$(value named "len(k('deadlock', 'plain')), s['errors'] > 0")" "(1, True)"
status 0 "a file that is not there" "$PGMEDIC" show logs missing --json
like "is said" "$(cat "$TMP/out")" "cannot read $TMP/nowhere.log: No such file or directory"

# ------------------------------------------------------------------ the collector's files

echo "logging_collector = on" | as_pg tee -a "$primary_dir/postgresql.conf" >/dev/null
stop_pg primary
run_pg primary
happen one
show collector monitor
everything collector one
like "its file" "$(value collector "r[0]['file']")" '^log/server-.*\.log$'

# ------------------------------------------------------------------ rotation, and a server that is down

spawn "$PGMEDIC" record "$TMP/down.rec" --refresh 0.3 -h 127.0.0.1 -p "$primary_port" -U monitor -d postgres >/dev/null 2>"$TMP/record.err"
ok "a recording has the log" wait_for 30 replayed down.rec "len(k('slow')) > 0"
sql primary "SELECT 1 / 0 AS before_rotation" >/dev/null 2>&1
for i in 1 2; do
	rotate
	sql primary "SELECT 1 / 0 AS rotation_$i" >/dev/null 2>&1
done
stop_pg primary
ok "rotations are followed, and what a server says last is read while it is down" wait_for 30 replayed down.rec \
	"[len([x for x in k('error', t) if x['statement']]) for t in ('before_rotation', 'rotation_1', 'rotation_2')] == [1, 1, 1] and len(k('server', 'database system is shut down')) == 1"
cat >"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" <<-EOF
	[target named]
	conninfo = $primary_uri
	log_file = $(find "$primary_dir/log" -name '*.log' | sort | tail -n 1)
EOF
status 0 "show reads a named file of a server that is down" "$PGMEDIC" show logs named --json
cp "$TMP/out" "$TMP/last.json"
is "its last word" "$(value last "r[0]['message']")" "database system is shut down"
finish
