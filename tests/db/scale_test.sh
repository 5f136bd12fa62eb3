#!/bin/sh
# A crowded server: 300 idle sessions, a hundred that wait for one row, 2,000 statements, 2,000 tables. What is shown is
# complete, and a recorder stays flat in memory over it.
# majors: newest
. "$(dirname "$0")/../lib.sh"

need_pg
[ -x "$PGMEDIC" ] || skip_all "no program is built here"
command -v python3 >/dev/null || skip_all "python3 reads the JSON"
# shellcheck disable=SC3045 # every shell that is a /bin/sh here knows -n
[ "$(ulimit -n)" -ge 1000 ] || skip_all "a process may open $(ulimit -n) files only"
memory=$(sed -n 's/^MemAvailable: *\([0-9]*\) kB/\1/p' /proc/meminfo)
[ "${memory:-0}" -ge 1000000 ] || skip_all "less than 1 GB of memory is free"
start_pg primary "max_connections = 450" "pg_stat_statements.max = 5000" "pg_stat_statements.track_utility = off" \
    "max_locks_per_transaction = 256"

# Tables in parts, so that no transaction has to hold all their locks.
for part in 0 1 2 3; do
	sql primary "DO \$\$ BEGIN FOR i IN 1 .. 500 LOOP
		EXECUTE format('CREATE TABLE t%s (id int)', $part * 500 + i); END LOOP; END \$\$"
done
sql primary "CREATE TABLE public.row (id int PRIMARY KEY, v int); INSERT INTO row VALUES (1, 0)"
# A statement of its own for each table.
awk 'BEGIN { for (i = 1; i <= 2000; i++) printf "SELECT id AS c FROM t%d;\n", i }' >"$TMP/statements.sql"
"$PG_BINDIR/psql" -X -q -A -t -d "$primary_uri" -f "$TMP/statements.sql" >/dev/null

# Crowds are clients of pgbench, which keeps them all open in one process.
cat >"$TMP/idle.pgbench" <<'END'
SELECT 1;
\sleep 600 s
END
cat >"$TMP/wait.pgbench" <<'END'
UPDATE row SET v = v + 1 WHERE id = 1;
END
chmod 644 "$TMP"/*.pgbench
cd "$TMP" || exit 1
spawn env PGAPPNAME=crowd "$PG_BINDIR/pgbench" -n -h 127.0.0.1 -p "$primary_port" -U postgres -c 300 -j 1 -t 1 \
    -f idle.pgbench postgres >/dev/null 2>&1
mkfifo "$TMP/head.in"
spawn env PGAPPNAME=head sh -c 'exec "$0" -X -q -d "$1" -f - <"$2" >"$2.out" 2>&1' "$PG_BINDIR/psql" "$primary_uri" "$TMP/head.in"
exec 3>"$TMP/head.in"
echo 'BEGIN; UPDATE row SET v = 1 WHERE id = 1;' >&3
count() {	# CONDITION
	sql primary "SELECT count(*) FROM pg_stat_activity WHERE $1"
}
there_are() {	# N CONDITION
	[ "$(count "$2")" = "$1" ]
}
ok "the head holds the row" wait_for 20 there_are 1 "application_name = 'head' AND state = 'idle in transaction'"
spawn env PGAPPNAME=queue "$PG_BINDIR/pgbench" -n -h 127.0.0.1 -p "$primary_port" -U postgres -c 100 -j 1 -t 1 \
    -f wait.pgbench postgres >/dev/null 2>&1
ok "300 sessions are idle" wait_for 40 there_are 300 "application_name = 'crowd' AND state = 'idle'"
ok "100 sessions wait" wait_for 40 there_are 100 "application_name = 'queue' AND wait_event_type = 'Lock'"

# A recorder starts here; what it needs at the beginning is compared with what it needs at the end.
spawn "$PGMEDIC" record "$TMP/scale.rec" "$primary_uri" --refresh 0.5 2>"$TMP/record.log"
recorder=$spawned_pid
refreshes() {
	"$PGMEDIC" show waits --replay "$TMP/scale.rec" --json 2>/dev/null |
	    python3 -c 'import json, sys; print(int(json.load(sys.stdin)["summary"]["samples"]))' 2>/dev/null || echo 0
}
recorded() {
	n=$(refreshes)
	sleep 0.5
	[ "${n:-0}" -ge "$1" ]
}
rss() {
	sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$recorder/status"
}
wait_for 20 recorded 10
early=$(rss)

value() {	# PYTHON: over rows r and summary s
	python3 -c 'import json, sys
d = json.load(open(sys.argv[1])); r = d["rows"]; s = d["summary"]
print(eval(sys.argv[2]))' "$TMP/out" "$1"
}
show() {
	"$PGMEDIC" show "$@" --json -d "$primary_uri"
}
status 0 "activity" show activity
is "has every session" "$(value "[sum(x['application'] == a for x in r) for a in ('crowd', 'queue', 'head')]")" "[300, 100, 1]"
is "every pid once" "$(value "len({x['pid'] for x in r}) == len(r)")" True
is "those that wait know for whom" "$(value "sum(bool(x['blocked_by']) for x in r if x['application'] == 'queue')")" 100
is "the head blocks them" "$(value "[x['blocks'] >= 1 for x in r if x['application'] == 'head']")" "[True]"
status 0 "locks" show locks
is "has the head and all who wait" "$(value "(sum(x['application'] == 'head' for x in r), len({x['pid'] for x in r}))")" "(1, 101)"
is "under one root" "$(value "len({x['root_pid'] for x in r})")" 1
is "whose end frees them all" "$(value "[x['frees'] for x in r if x['depth'] == 0]")" "[100]"
status 0 "statements" show statements
is "has every statement" "$(value "len([x for x in r if x['query'] and x['query'].startswith('SELECT id AS c FROM t')])")" 2000
status 0 "tables" show tables
is "has every table" "$(value "len({x['table'] for x in r if x['schema'] == 'public'})")" 2001
status 0 "overview" show overview
is "counts the waiting" "$(value "s['waiting']")" 100

wait_for 40 recorded 40
late=$(rss)
# A sanitizer keeps what is freed for a while, to catch its use.
if grep -q '^all_cflags.*-fsanitize=' "${PGMEDIC_BUILD:-.}/Makefile" 2>/dev/null; then
	echo "skip: memory is not measured under a sanitizer"
else
	is "the recorder stays within 10 % of its memory ($early kB, then $late kB)" $((late <= early + early / 10)) 1
fi
kill "$recorder"
wait "$recorder"
is "and ends well" $? 0
status 0 "its recording is whole" "$PGMEDIC" show activity --replay "$TMP/scale.rec" --json
is "with every session" "$(value "sum(x['application'] == 'crowd' for x in r)")" 300
exec 3>&-
finish
