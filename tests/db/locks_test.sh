#!/bin/sh
# The lock tree on a real server: for every waiter the blockers are those of pg_blocking_pids(), and the tree names
# who is to blame.
# majors: ends
. "$(dirname "$0")/../lib.sh"
# shellcheck disable=SC2154 # variables set by start_pg

start_pg primary "max_prepared_transactions = 5" "deadlock_timeout = '300s'" "max_connections = 100"

# open_session NAME: a psql that waits for lines; its application_name is NAME
open_session() {
	mkfifo "$TMP/$1.in"
	# Opening a fifo waits for the other side: in the child.
	spawn env PGAPPNAME="$1" sh -c 'exec "$0" -X -q -d "$1" -f - <"$2" >>"$2.out" 2>&1' \
	    "$PG_BINDIR/psql" "$primary_uri" "$TMP/$1.in"
	fd=$((fd + 1))
	eval "${1}_fd=$fd; exec $fd>\"\$TMP/$1.in\""
	opened="$opened $1"
}
fd=3 opened=''

say() {	# NAME SQL: have the session run it; do not wait
	eval "printf '%s\n' \"\$2\" >&\$${1}_fd"
}

state_is() {	# NAME CONDITION over pg_stat_activity
	[ "$(sql primary "SELECT count(*) > 0 FROM pg_stat_activity WHERE application_name = '$1' AND $2")" = t ]
}

does() {	# NAME SQL: and wait until it is done
	say "$1" "$2"
	say "$1" '\echo it is done'
	wait_for 10 grep -q 'it is done' "$TMP/$1.in.out" || fail "$1 does not come back from: $2"
	: >"$TMP/$1.in.out"
}

waits() {	# NAME SQL: and wait until it is blocked
	say "$1" "$2"
	wait_for 10 state_is "$1" "wait_event_type = 'Lock'" || fail "$1 is not blocked by: $2"
}

end_all() {
	for name in $opened; do
		eval "exec $(eval "echo \$${name}_fd")>&-"
		sql primary "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '$name'" >/dev/null 2>&1
		rm -f "$TMP/$name.in"
	done
	wait_for 10 nobody_waits || fail "sessions are left over"
	opened='' fd=3
}

nobody_waits() {
	[ "$(sql primary "SELECT count(*) FROM pg_stat_activity
	    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()")" = 0 ]
}

# "3 1 2" for 3 blocked by 1 and 2, once each: as the server and as pgmedic say it
by_server() {
	sql primary "SELECT l.pid || ' ' || (SELECT string_agg(b::text, ' ' ORDER BY b)
	      FROM (SELECT DISTINCT unnest(pg_blocking_pids(l.pid)) AS b) AS s)
	    FROM (SELECT DISTINCT pid FROM pg_locks WHERE NOT granted) AS l ORDER BY 1"
}

by_pgmedic() {
	"$PGMEDIC" show activity "$primary_uri" --csv --columns=pid,blocked_by --all |
	    tr -d '"\r' | awk -F, 'NR > 1 && $2 != "" {
		n = 0
		split("", seen)
		for (i = 2; i <= NF; i++)
			if (!seen[$i]++)
				v[++n] = $i
		for (i = 2; i <= n; i++)
			for (k = i; k > 1 && v[k] + 0 < v[k - 1] + 0; k--) {
				t = v[k]; v[k] = v[k - 1]; v[k - 1] = t
			}
		line = $1
		for (i = 1; i <= n; i++)
			line = line " " v[i]
		print line
	}' | LC_ALL=C sort
}

# The tree as "depth:application" in the order of its lines; prepared transactions by their name.
tree() {
	"$PGMEDIC" show locks "$primary_uri" --csv --columns=depth,application,query | tr -d '"\r' |
	    awk -F, 'NR > 1 { print $1 ":" ($2 == "" ? $3 : $2) }' | tr '\n' ' ' | sed 's/ $//'
}

agrees() {	# WHAT TREE
	is "$1: blockers" "$(by_pgmedic)" "$(by_server | LC_ALL=C sort)"
	is "$1: tree" "$(tree)" "$2"
}

sql primary "CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t SELECT i, 0 FROM generate_series(1, 100) AS i"

for name in reader writer index insert; do open_session $name; done
does reader "BEGIN; SELECT count(*) FROM t;"
does writer "BEGIN; UPDATE t SET v = 1 WHERE id = 1;"
waits index "CREATE INDEX t_v ON t (v);"
waits insert "INSERT INTO t VALUES (200, 0);"
agrees "reader, writer, index, insert" "0:writer 1:index 2:insert"
end_all

for name in a b c d; do open_session $name; done
does a "BEGIN; UPDATE t SET v = 1 WHERE id = 1;"
does b "BEGIN; UPDATE t SET v = 1 WHERE id = 2;"
does c "BEGIN; UPDATE t SET v = 1 WHERE id = 3;"
waits b "UPDATE t SET v = 2 WHERE id = 1;"
waits c "UPDATE t SET v = 2 WHERE id = 2;"
waits d "UPDATE t SET v = 2 WHERE id = 3;"
agrees "a chain over rows" "0:a 1:b 2:c 3:d"
is "relation of a row" "$("$PGMEDIC" show locks "$primary_uri" --csv --columns=relation | tail -n +2 | sort -u | tr -d '\r')" public.t
is "frees" "$("$PGMEDIC" show locks "$primary_uri" --csv --columns=frees | tail -n +2 | tr -d '\r' | tr '\n' ' ')" "3 2 1 0 "
end_all

for name in head q1 q2 q3 q4; do open_session $name; done
does head "BEGIN; UPDATE t SET v = 1 WHERE id = 7;"
for name in q1 q2 q3 q4; do waits $name "UPDATE t SET v = 2 WHERE id = 7;"; done
agrees "waiters on one row" "0:head 1:q1 2:q2 2:q3 2:q4"
end_all

for name in select1 alter select2 select3; do open_session $name; done
does select1 "BEGIN; SELECT count(*) FROM t;"
waits alter "ALTER TABLE t ADD COLUMN w int;"
waits select2 "SELECT count(*) FROM t;"
waits select3 "SELECT count(*) FROM t;"
agrees "an ALTER queued behind a SELECT" "0:select1 1:alter 2:select2 2:select3"
end_all

for name in first second; do open_session $name; done
does first "BEGIN; INSERT INTO t VALUES (300, 0); PREPARE TRANSACTION 'gone home';"
waits second "INSERT INTO t VALUES (300, 1);"
is "a prepared transaction: blockers" "$(by_pgmedic)" "$(by_server)"
like "a prepared transaction: tree" "$(tree)" "^0:prepared transaction 'gone home' of postgres.* 1:second$"
end_all
sql primary "ROLLBACK PREPARED 'gone home'"

for name in r1 r2 locker; do open_session $name; done
does r1 "BEGIN; SELECT * FROM t WHERE id = 9 FOR SHARE;"
does r2 "BEGIN; SELECT * FROM t WHERE id = 9 FOR SHARE;"
waits locker "UPDATE t SET v = 3 WHERE id = 9;"
is "two holders of a row: blockers" "$(by_pgmedic)" "$(by_server)"
end_all

for name in h1 h2 x up late; do open_session $name; done
does h1 "BEGIN; LOCK TABLE t IN ACCESS SHARE MODE;"
does up "BEGIN; LOCK TABLE t IN ACCESS SHARE MODE;"
does h2 "BEGIN; LOCK TABLE t IN SHARE UPDATE EXCLUSIVE MODE;"
waits x "BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE;"
waits up "LOCK TABLE t IN SHARE UPDATE EXCLUSIVE MODE;"
waits late "BEGIN; LOCK TABLE t IN ROW SHARE MODE;"
is "who holds what the queue waits for goes first" "$(by_pgmedic)" "$(by_server)"
end_all

for name in old cic; do open_session $name; done
does old "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM t LIMIT 1;"
waits cic "CREATE INDEX CONCURRENTLY t_c ON t (v);"
agrees "an index built concurrently" "0:old 1:cic"
end_all

for name in adv1 adv2; do open_session $name; done
does adv1 "SELECT pg_advisory_lock(4, 2);"
waits adv2 "SELECT pg_advisory_lock(4, 2);"
agrees "an advisory lock of an idle session" "0:adv1 1:adv2"
end_all

for name in d1 d2 d3; do open_session $name; done
does d1 "BEGIN; UPDATE t SET v = 1 WHERE id = 21;"
does d2 "BEGIN; UPDATE t SET v = 1 WHERE id = 22;"
waits d1 "UPDATE t SET v = 2 WHERE id = 22;"
waits d2 "UPDATE t SET v = 2 WHERE id = 21;"
waits d3 "UPDATE t SET v = 2 WHERE id = 21;"
is "a deadlock: blockers" "$(by_pgmedic)" "$(by_server)"
like "a deadlock: the tree starts at the one that waits longest" "$(tree)" "^0:d1 1:d2 2:d1"
end_all

parallel=force_parallel_mode
[ "$PG_MAJOR" -lt 16 ] || parallel=debug_parallel_query
for name in par ddl behind; do open_session $name; done
say par "SET $parallel = on; SET max_parallel_workers_per_gather = 2; SELECT pg_sleep(60) FROM t LIMIT 1;"
wait_for 10 state_is par "backend_type = 'parallel worker'" || fail "no parallel worker starts"
waits ddl "ALTER TABLE t ADD COLUMN w int;"
waits behind "SELECT count(*) FROM t;"
agrees "a parallel group" "0:par 1:ddl 2:behind"
end_all
finish
