#!/bin/sh
# The storage pane against what the server says: sizes, privileges, the past rebuilt from statistics, a history that was
# imported, and a slot that nobody reads.
# majors: ends
. "$(dirname "$0")/../lib.sh"

need_pg
[ -x "$PGMEDIC" ] || skip_all "no program is built here"
command -v python3 >/dev/null || skip_all "python3 reads the JSON"
start_pg primary "logging_collector = on" "log_filename = 'server.log'"
sql primary "CREATE ROLE plain LOGIN; CREATE ROLE monitor LOGIN IN ROLE pg_monitor; CREATE ROLE reader LOGIN IN ROLE pg_monitor" >/dev/null
sql primary "CREATE TABLE events (id bigserial PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT now(), pad text) WITH (autovacuum_enabled = off);
	INSERT INTO events (created_at, pad) SELECT now() - interval '1 day' * (200 - g / 200.0), repeat('x', 200) FROM generate_series(1, 40000) g;
	CREATE TABLE orders (id bigserial PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT now(), pad text) WITH (autovacuum_enabled = off);
	INSERT INTO orders (created_at, pad) SELECT now() - interval '1 day' * (200 - g / 50.0), repeat('x', 200) FROM generate_series(1, 10000) g;
	CREATE TABLE gone (id bigserial PRIMARY KEY, created_at timestamptz NOT NULL DEFAULT now(), pad text) WITH (autovacuum_enabled = off);
	INSERT INTO gone (created_at, pad) SELECT now() - interval '1 day' * (200 - g / 50.0), repeat('x', 200) FROM generate_series(1, 10000) g;
	CREATE TABLE parts (at timestamptz, pad text) PARTITION BY RANGE (at);
	CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (MINVALUE) TO ('2020-01-01');
	CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
	CREATE TABLE parts_3 PARTITION OF parts FOR VALUES FROM ('2021-01-01') TO (MAXVALUE)" >/dev/null
sql primary "DELETE FROM gone WHERE id < 5000" >/dev/null
# Counters come to the collector of 13 by datagrams: after their statement, in any order, not each of them.
deletes_are_counted() { [ "$(sql primary "SELECT n_tup_del > 0 FROM pg_stat_user_tables WHERE relname = 'gone'")" = t ]; }
vacuum_is_counted() {
	sql primary "VACUUM ANALYZE gone" >/dev/null
	[ "$(sql primary "SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'gone'")" = 0 ]
}
wait_for 30 deletes_are_counted
sql primary "VACUUM ANALYZE" >/dev/null
wait_for 30 vacuum_is_counted
sql primary "CHECKPOINT; GRANT pg_read_all_data TO reader" >/dev/null 2>&1 || sql primary "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader" >/dev/null

conf() {	# LINE...: of the target here
	mkdir -p "$XDG_CONFIG_HOME/pgmedic"
	{
		echo "[target here]"
		echo "conninfo = $primary_uri"
		for line in "$@"; do
			echo "$line"
		done
	} >"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf"
}
show() {	# ROLE: JSON in $TMP/ROLE.json
	status 0 "show storage as $1" "$PGMEDIC" show storage --json -h 127.0.0.1 -p "$primary_port" -U "$1" -d postgres
	cp "$TMP/out" "$TMP/$1.json"
}
value() {	# FILE PYTHON: an expression over rows r, by kind and name k, summary s, notes n
	python3 -c 'import json, sys
d = json.load(open(sys.argv[1])); r = d["rows"]; s = d["summary"]; n = d["notes"]
k = {(x["kind"], x["name"]): x for x in r}
print(eval(sys.argv[2]))' "$TMP/$1.json" "$2"
}
near() {	# WHAT GOT WANTED SHARE: both numbers, within a share of the wanted one
	if python3 -c 'import sys
got, want, share = map(float, sys.argv[1:])
sys.exit(abs(got - want) > share * abs(want))' "$2" "$3" "$4" 2>/dev/null; then
		pass "$1 ($2)"
	else
		fail "$1: $2 is not within $4 of $3"
	fi
}

# ------------------------------------------------------------------ sizes, as the server has them

show postgres
near "a database" "$(value postgres "k['database', 'postgres']['size_bytes']")" "$(sql primary "SELECT pg_database_size('postgres')")" 0.01
near "WAL" "$(value postgres "k['wal', 'wal']['size_bytes']")" "$(sql primary "SELECT sum(size) FROM pg_ls_waldir()")" 0.01
ok "the log" [ "$(value postgres "k['log', 'log']['size_bytes']")" -gt 0 ]
near "tables" "$(value postgres "k['tables', 'tables']['size_bytes']")" \
    "$(sql primary "SELECT sum(relpages) * 8192 FROM pg_class WHERE relkind IN ('r', 'm') AND relnamespace <> 'pg_catalog'::regnamespace")" 0.01
near "a table with all of it" "$(value postgres "k['table', 'public.events']['size_bytes']")" \
    "$(sql primary "SELECT pg_total_relation_size('events')")" 0.02
near "the parts add up to the total" "$(value postgres "sum(x['size_bytes'] or 0 for x in r if x['kind'] in ('database', 'wal', 'temp', 'log'))")" \
    "$(value postgres "s['total_bytes']")" 0.0001
near "the parts of the database add up to it" \
    "$(value postgres "sum(x['size_bytes'] for x in r if x['kind'] in ('tables', 'indexes', 'toast', 'system', 'uncounted'))")" \
    "$(value postgres "k['database', 'postgres']['size_bytes']")" 0.0001
# Only a process that is named so counts as a server of this machine.
if grep -q '^postgres' "/proc/$(head -n 1 "$primary_dir/postmaster.pid")/comm" 2>/dev/null; then
	near "free, as the file system says" "$(value postgres "s['free_bytes']")" "$(df -B1 --output=avail "$primary_dir" | tail -n 1)" 0.05
	is "and where that is from" "$(value postgres "s['capacity_source']")" statvfs
else
	like "free is not known: with what to set" "$(value postgres "[x['hint'] for x in n]")" 'storage_capacity = 500GB'
fi

# ------------------------------------------------------------------ what a role may not see

show monitor
is "pg_monitor sees the WAL" "$(value monitor "k['wal', 'wal']['size_bytes'] > 0")" True
like "and is told what hides the past" "$(value monitor "[x['hint'] for x in n if x['code'] == 'denied']")" 'GRANT pg_read_all_data TO monitor'
is "which is then not made up" "$(value monitor "k['table', 'public.events']['known']")" None
show reader
is "with the privilege it is rebuilt" "$(value reader "k['table', 'public.events']['known']")" rebuilt
show plain
is "a plain role: WAL is unknown, not 0" "$(value plain "(k['wal', 'wal']['size_bytes'], k['temp', 'temp']['size_bytes'])")" '(None, None)'
like "with the GRANT" "$(value plain "[x['hint'] for x in n]")" 'GRANT pg_monitor'
is "the whole lacks them" "$(value plain "s['unknown_parts'] >= 3")" True
is "a database that it may look into is measured" "$(value plain "k['database', 'postgres']['size_bytes'] > 0")" True

# ------------------------------------------------------------------ cold start

# 200 rows a day
near "growth rebuilt from created_at" "$(value postgres "k['table', 'public.events']['growth_bytes_per_day']")" \
    "$(sql primary "SELECT pg_total_relation_size('events') / 200")" 0.05
like "deleted rows refuse it" "$(value postgres "k['table', 'public.gone']['detail']")" 'were deleted'
is "growth of those is unknown" "$(value postgres "k['table', 'public.gone']['known']")" None
is "a forecast at once" "$(value postgres "(s['known'], s['confidence'], s['horizons'][1]['p10'] < s['horizons'][1]['p90'])")" "('rebuilt', 'low', True)"
like "that says so" "$(value postgres "[x['what'] for x in n]")" 'rebuilt from statistics'

# ------------------------------------------------------------------ a history, and the day of full

python3 - "$TMP/history.csv" "$(value postgres "s['total_bytes']")" <<'PY'
import sys, time
now, total = int(time.time()), float(sys.argv[2])
with open(sys.argv[1], "w") as f:
    f.write("time,total,table:postgres.public.orders\n")
    for i in range(90, 0, -1):
        f.write("%d,%d,%d\n" % (now - i * 86400, total - i * 500000 + (i * 7919 % 11) * 20000, 3000000 - i * 10000))
PY
capacity=$(value postgres "s['total_bytes'] + 30 * 500000")
conf "storage_capacity = ${capacity}B"
status 0 "import" "$PGMEDIC" history import "$TMP/history.csv" here
status 0 "show storage with a history" "$PGMEDIC" show storage --json here
cp "$TMP/out" "$TMP/here.json"
near "growth by the history" "$(value here "s['rate_bytes_per_day']")" 500000 0.1
near "of a table too" "$(value here "k['table', 'public.orders']['growth_bytes_per_day']")" 10000 0.1
is "known from the history" "$(value here "(s['known'], k['table', 'public.orders']['known'])")" "('history', 'history')"
near "full after 30 days" "$(value here "s['days_to_full_p50']")" 30 0.2
is "with a band around it" "$(value here "s['days_to_full_p10'] <= s['days_to_full_p50'] <= s['days_to_full_p90']")" True
is "a date within 90 days is likely" "$(value here "s['probability_90'] > 0.8 and s['probability_7'] < 0.1")" True
like "in words" "$(value here "[x['what'] for x in n if x['code'] == 'full']")" 'full in .* days.*grows .*K a day'
like "with what to do" "$(value here "[x['hint'] for x in n if x['code'] == 'full']")" 'Raise the storage by'
conf "storage_capacity = ${capacity}B" "storage_max = 1GB" "storage_autoscaling = yes"
status 0 "autoscaling" "$PGMEDIC" show storage --json here
cp "$TMP/out" "$TMP/here.json"
like "is told with its limit" "$(value here "[x['what'] for x in n if x['code'] == 'autoscaling']")" 'limit of 1.0G'
like "and comes first: storage that grows by itself is not full at its size of today" "$(value here "[x['code'] + ' ' + x['what'] for x in n][0]")" \
    '^autoscaling .*limit of 1.0G'
unlike "nor is it to be raised" "$(value here "n")" 'full in [0-9]+ to|Raise the storage'

# ------------------------------------------------------------------ a slot that nobody reads

sql primary "SELECT pg_create_physical_replication_slot('leak', true); CREATE TABLE w (i int)" >/dev/null
spawn sh -c "while :; do '$PG_BINDIR/psql' -X -q -d '$primary_uri' -c 'INSERT INTO w SELECT generate_series(1, 20000)'; done" >/dev/null 2>&1
writes() {
	[ "$(sql primary "SELECT count(*) > 50000 FROM w")" = t ]
}
wait_for 20 writes
conf "storage_capacity = 1TB"
status 0 "show storage with a leaking slot" "$PGMEDIC" show storage --json here
cp "$TMP/out" "$TMP/leak.json"
kill "$spawned_pid"
is "the slot is found with two samples" "$(value leak "(s['slot'], s['slot_retained_bytes'] > 1000000, s['slot_growth_bytes_per_s'] > 10000)")" \
    "('leak', True, True)"
near "hours by the rate of the WAL" "$(value leak "s['slot_hours_to_full']")" "$(value leak "s['free_bytes'] / s['slot_growth_bytes_per_s'] / 3600")" 0.05
is "it is a row of its own" "$(value leak "k['slot', 'leak']['size_bytes'] > 1000000")" True
finish
