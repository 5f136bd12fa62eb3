#!/bin/sh
# Index advice on a real server: what is planted is found, with HypoPG and without, and nothing is left behind.
# majors: ends
. "$(dirname "$0")/../lib.sh"

need_pg
[ -x "$PGMEDIC" ] || skip_all "no program is built here"
command -v python3 >/dev/null || skip_all "python3 reads the JSON"
start_pg primary "shared_preload_libraries = 'pg_stat_statements'" "max_connections = 30" "autovacuum = off"
[ "$(sql primary "SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_stat_statements'")" = 1 ] ||
	skip_all "pg_stat_statements is not installed"
sql primary "CREATE EXTENSION IF NOT EXISTS pg_stat_statements; CREATE ROLE watcher LOGIN; GRANT pg_monitor TO watcher;
	CREATE TABLE buyers (id int PRIMARY KEY, email text, region int, note text);
	INSERT INTO buyers SELECT g, 'Buyer' || g || '@example.org', g % 7, repeat('n', 100) FROM generate_series(1, 60000) g;
	CREATE TABLE sales (id int PRIMARY KEY, buyer int REFERENCES buyers ON DELETE CASCADE, state text, sold_at timestamp, amount int, note text);
	INSERT INTO sales SELECT g, 1 + g * 7919 % 60000, CASE WHEN g % 500 = 0 THEN 'open' ELSE 'done' END,
		timestamp '2025-01-01' + g * interval '3 minutes', g % 1000, repeat('s', 60) FROM generate_series(1, 120000) g;
	CREATE TABLE tiny (id int, v text); INSERT INTO tiny SELECT g, 'v' || g FROM generate_series(1, 50) g" >/dev/null
sql primary "VACUUM ANALYZE" >/dev/null
if [ "$(sql primary "SELECT current_setting('server_version_num')::int / 10000")" -ge 14 ]; then
	sql primary "GRANT pg_read_all_data TO watcher" >/dev/null
else
	sql primary "GRANT SELECT ON ALL TABLES IN SCHEMA public TO watcher" >/dev/null
fi
sql primary "SELECT pg_stat_statements_reset()" >/dev/null
n=0
while [ "$n" -lt 6 ]; do
	n=$((n + 1))
	echo "SELECT id, amount FROM sales WHERE buyer = $((n * 997));"
	echo "SELECT id FROM sales WHERE state = 'open' ORDER BY sold_at DESC LIMIT 20;"
	echo "SELECT id FROM buyers WHERE lower(email) = 'buyer$n@example.org';"
	echo "UPDATE sales SET note = 'x' WHERE buyer = $((n * 31));"
	echo "SELECT v FROM tiny WHERE id = $n;"
	echo "SELECT region, count(*) FROM buyers GROUP BY region;"
done >"$TMP/work.sql"
"$PG_BINDIR/psql" -X -q -d "$primary_uri" -f "$TMP/work.sql" >/dev/null

advise() {	# NAME: as the watcher
	"$PGMEDIC" show advice --json -d "postgresql://watcher@127.0.0.1:$primary_port/postgres" >"$TMP/$1.json" 2>"$TMP/$1.err"
}
value() {	# NAME PYTHON: an expression over rows r and summary s
	python3 -c 'import json, sys
d = json.load(open(sys.argv[1])); r = d["rows"]; s = d["summary"]
def cols(table): return sorted(x["columns"] for x in r if x["table"] == table and x["action"] == "create")
print(eval(sys.argv[2]))' "$TMP/$1.json" "$2"
}
check() {	# NAME CONFIDENCE
	ok "advice $1" advise "$1"
	is "$1: every statement was explained" "$(value "$1" 's["not_explained"]')" "[]"
	is "$1: the join column is found" "$(value "$1" '[x for x in cols("sales") if x[0] == "buyer"] != []')" True
	is "$1: the rare state in its order" "$(value "$1" '[x for x in cols("sales") if x[0] == "state"] != []')" True
	is "$1: the expression" "$(value "$1" 'cols("buyers")')" "[['lower(email)']]"
	is "$1: the tiny table is left alone" "$(value "$1" 'cols("tiny")')" "[]"
	is "$1: who says so" "$(value "$1" 'sorted({x["confidence"] for x in r if x["columns"] == ["buyer"] and x["kind"] == "missing"})')" "['$2']"
	is "$1: within the budget" "$(value "$1" 's["explains"] <= 600 and s["elapsed_ms"] < 10000')" True
	is "$1: each is concurrent" "$(value "$1" 'all("CREATE INDEX CONCURRENTLY" in x["ddl"] for x in r if x["action"] == "create")')" True
}

check without modelled
if sql primary "CREATE EXTENSION hypopg" >/dev/null 2>&1; then
	check with what-if
else
	skip "hypopg is not on this server"
fi
is "no index was made" "$(sql primary "SELECT count(*) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE c.relname IN ('sales', 'buyers', 'tiny')")" 2
is "no session is left" "$(sql primary "SELECT count(*) FROM pg_stat_activity WHERE usename = 'watcher'")" 0
value without '"\n".join(x["ddl"] + ";" for x in r if x["action"] == "create" and x["kind"] == "missing")' >"$TMP/ddl.sql"
ok "the DDL runs as it stands" sh -c "\"$PG_BINDIR/psql\" -X -q -v ON_ERROR_STOP=1 -d \"$primary_uri\" -f \"$TMP/ddl.sql\""
sql primary "ANALYZE" >/dev/null
ok "asked again" advise again
is "what was made is not asked for again" "$(value again '[x["ddl"] for x in r if x["action"] == "create" and x["kind"] == "missing"]')" "[]"

# ------------------------------------------------------------------ a table that somebody holds

spawn "$PG_BINDIR/psql" -X -q -d "$primary_uri" -c "BEGIN; LOCK TABLE buyers IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(600)"
until [ "$(sql primary "SELECT count(*) FROM pg_locks WHERE relation = 'buyers'::regclass AND mode = 'AccessExclusiveLock' AND granted")" = 1 ]; do
	sleep 0.1
done
sql primary "DO \$\$ DECLARE i record; BEGIN FOR i IN SELECT indexrelid::regclass AS n FROM pg_index WHERE indrelid = 'sales'::regclass AND NOT indisprimary
	LOOP EXECUTE 'DROP INDEX ' || i.n; END LOOP; END \$\$" >/dev/null
ok "advice for the rest goes on" advise held
is "other tables are advised on" "$(value held '[x for x in cols("sales") if x[0] == "buyer"] != []')" True
is "what needs it was not explained" "$(value held '"timeout" in {x["why"][:7] for x in s["not_explained"]}')" True
finish
