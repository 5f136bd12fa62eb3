#!/bin/sh
# `pgmedic show` and the command line: formats, exit statuses, and the JSON of panes against what psql says.
. "$(dirname "$0")/../lib.sh"

need_pg
[ -x "$PGMEDIC" ] || skip_all "no program is built here"
command -v python3 >/dev/null || skip_all "python3 reads the JSON"
start_pg primary "max_connections = 30" "track_io_timing = on"
sql primary "CREATE ROLE app LOGIN; CREATE ROLE plain LOGIN; CREATE ROLE monitor LOGIN; GRANT pg_monitor TO monitor;
	CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT g, 'x' FROM generate_series(1, 2000) g;
	GRANT ALL ON t TO app" >/dev/null
sql primary "CREATE DATABASE shop" >/dev/null
sql primary "VACUUM ANALYZE t" >/dev/null

show() {
	"$PGMEDIC" show "$@" -d "$primary_uri"
}
session() {	# NAME SQL...: a psql that stays
	name=$1
	shift
	spawn "$PG_BINDIR/psql" -X -q -d "postgresql://app@127.0.0.1:$primary_port/postgres?application_name=$name" "$@" >/dev/null 2>&1
}
in_state() {	# APPLICATION STATE
	[ "$(sql primary "SELECT state FROM pg_stat_activity WHERE application_name = '$1'")" = "$2" ]
}
waits() {	# APPLICATION
	[ "$(sql primary "SELECT wait_event_type FROM pg_stat_activity WHERE application_name = '$1'")" = Lock ]
}
session holder -c "BEGIN" -c "UPDATE t SET v = 'y' WHERE id = 1" -c "SELECT pg_sleep(600)"
wait_for 10 in_state holder active
session waiter -c "UPDATE t SET v = 'z' WHERE id = 1"
wait_for 10 waits waiter

# ------------------------------------------------------------------ every pane, every format

for pane in overview activity waits locks statements replication tables indexes maintenance databases settings pools history storage; do
	status 0 "show $pane --json" show "$pane" --json
	cp "$TMP/out" "$TMP/$pane.json"
	is "$pane is the object of the contract" "$(python3 - "$TMP/$pane.json" "$pane" <<'PY'
import json, re, sys
d = json.load(open(sys.argv[1]))
assert list(d) == ["pane", "target", "server_version_num", "taken_at", "age_ms", "rows", "summary", "notes"], list(d)
assert d["pane"] == sys.argv[2]
assert isinstance(d["rows"], list) and isinstance(d["summary"], dict) and isinstance(d["notes"], list)
assert re.match(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$", d["taken_at"])
assert 0 <= d["age_ms"] < 30000
for n in d["notes"]:
    assert set(n) == {"code", "what", "hint"}
keys = {tuple(r) for r in d["rows"]}
assert len(keys) <= 1
print("yes")
PY
)" yes
done
status 0 "text" show activity
like "has a header" "$(cat "$TMP/out")" 'PID .*USER'
status 0 "csv" show activity --csv
like "has the names of the columns" "$(head -n 1 "$TMP/out")" '^pid,backend_start,'
status 0 "columns" show activity --csv --columns user,pid
is "are in the wanted order" "$(head -n 1 "$TMP/out" | tr -d '\r')" 'user,pid'
status 0 "filter" show activity --json --filter 'application=waiter'
is "keeps one" "$(python3 -c 'import json, sys; print([r["application"] for r in json.load(open(sys.argv[1]))["rows"]])' "$TMP/out")" "['waiter']"
status 0 "sort and limit" show settings --json --sort -name --limit 3
is "give the last three" "$(python3 -c 'import json, sys; print([r["name"] for r in json.load(open(sys.argv[1]))["rows"]])' "$TMP/out")" \
    "$(sql primary "SELECT '[''' || string_agg(name, ''', ''') || ''']' FROM (SELECT name FROM pg_settings ORDER BY name COLLATE \"C\" DESC LIMIT 3) s" 2>/dev/null)"

# ------------------------------------------------------------------ what they say, against psql

value() {	# PANE PYTHON: an expression over rows r and summary s
	python3 -c 'import json, sys
d = json.load(open(sys.argv[1])); r = d["rows"]; s = d["summary"]
print(eval(sys.argv[2]))' "$TMP/$1.json" "$2"
}
holder=$(sql primary "SELECT pid FROM pg_stat_activity WHERE application_name = 'holder'")
waiter=$(sql primary "SELECT pid FROM pg_stat_activity WHERE application_name = 'waiter'")
is "activity: who waits for whom" "$(value activity "[x['blocked_by'] for x in r if x['pid'] == $waiter]")" "[[$holder]]"
is "activity: who blocks" "$(value activity "[x['blocks'] for x in r if x['pid'] == $holder]")" "[1]"
is "activity: user, database, state" "$(value activity "[(x['user'], x['database'], x['state']) for x in r if x['pid'] == $holder]")" \
    "[('app', 'postgres', 'active')]"
is "locks: the tree" "$(value locks "[(x['pid'], x['parent_pid'], x['depth']) for x in r if x['pid'] in ($holder, $waiter)]")" \
    "[($holder, None, 0), ($waiter, $holder, 1)]"
is "locks: what terminating the head frees" "$(value locks "[x['frees'] for x in r if x['pid'] == $holder]")" "[1]"
is "databases" "$(value databases "sorted(x['database'] for x in r if x['database'] in ('postgres', 'shop'))")" "['postgres', 'shop']"
is "tables" "$(value tables "[x['table'] for x in r if x['schema'] == 'public']")" "['t']"
is "indexes" "$(value indexes "[(x['index'], x['is_unique'], x['is_valid']) for x in r if x['schema'] == 'public']")" "[('t_pkey', True, True)]"
is "settings: a changed one" "$(value settings "[x['value'] for x in r if x['name'] == 'max_connections']")" "['30']"
is "version" "$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["server_version_num"])' "$TMP/overview.json")" \
    "$(sql primary 'SHOW server_version_num')"
is "statements: calls of a known one" "$(value statements "max([x['calls'] for x in r if x['query'] and x['query'].startswith('CREATE ROLE app')] or [0])")" \
    "$(sql primary "SELECT coalesce(max(calls), 0) FROM pg_stat_statements WHERE query LIKE 'CREATE ROLE app%'")"

# ------------------------------------------------------------------ roles

status 0 "pg_monitor is enough" "$PGMEDIC" show activity --json -d "$primary_uri" -U monitor
is "and sees everybody" "$(python3 -c 'import json, sys; print(any(x["pid"] == int(sys.argv[2]) and x["query"] for x in json.load(open(sys.argv[1]))["rows"]))' "$TMP/out" "$holder")" True
status 0 "a plain role is served" "$PGMEDIC" show activity --json -d "$primary_uri" -U plain
like "and told what it does not see, with the GRANT" "$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["notes"])' "$TMP/out")" 'denied.*pg_(monitor|read_all_stats)'

# ------------------------------------------------------------------ hostile text

# ESC, C1, bidi, a line break and a quote in an application name and a query.
session "$(printf 'evil%%1B]52;c;x%%07%%C2%%9B31m')" -c "SELECT 'a$(printf '\033')[31m' || '$(printf '\342\200\256')' || pg_sleep(600)::text"
evil() {
	[ "$(sql primary "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'evil%'")" = 1 ]
}
wait_for 10 evil
status 0 "hostile text in JSON" show activity --json
ok "the JSON is valid" python3 -m json.tool "$TMP/out"
if command -v script >/dev/null; then
	for format in "" --json --csv; do
		script -q -c "'$PGMEDIC' show activity $format --all -d '$primary_uri'" "$TMP/typescript" >/dev/null 2>&1 </dev/null
		is "to a terminal ${format:-text} sends no escape" "$(grep -v '^Script' "$TMP/typescript" | grep -c "$(printf '[\033\007]')")" 0
		is "nor C1 or bidi (${format:-text})" "$(grep -v '^Script' "$TMP/typescript" | grep -c -e "$(printf '\302\233')" -e "$(printf '\342\200\256')")" 0
	done
fi

# ------------------------------------------------------------------ exit statuses and errors

status 2 "an unknown pane" show lokcs
like "names the nearest" "$(cat "$TMP/err")" 'nearest is locks'
status 2 "an unknown column" show activity --columns pid,usr
like "names the nearest" "$(cat "$TMP/err")" 'nearest is user'
status 2 "an unknown sort column" show activity --sort pidd
status 2 "a filter that cannot be read" show activity --filter '/[/'
status 2 "an unknown option" show activity --jsn
status 2 "an unknown target" "$PGMEDIC" show activity nowhere
status 3 "no server" "$PGMEDIC" show activity -h 127.0.0.1 -p 1
like "is one line with a hint" "$(cat "$TMP/err")" '^HINT: '
status 3 "no such role" "$PGMEDIC" show activity -h 127.0.0.1 -p "$primary_port" -U nobody_here -d postgres
status 3 "no such database, by name" "$PGMEDIC" show activity -h 127.0.0.1 -p "$primary_port" -U postgres -d nothing
like "names it" "$(cat "$TMP/err")" 'nothing'
status 3 "a wrong conninfo" "$PGMEDIC" show activity "host=127.0.0.1 prot=5"
like "names the word" "$(cat "$TMP/err")" 'prot'
status 0 "a URI" "$PGMEDIC" show activity "$primary_uri"
status 0 "a conninfo" "$PGMEDIC" show activity "host=127.0.0.1 port=$primary_port user=postgres dbname=postgres"
printf '[east]\nhost=127.0.0.1\nport=%s\nuser=postgres\ndbname=postgres\n' "$primary_port" >"$TMP/services"
status 0 "a service" env PGSERVICEFILE="$TMP/services" "$PGMEDIC" show activity service=east
status 0 "libpq's environment" env PGHOST=127.0.0.1 PGPORT="$primary_port" PGUSER=postgres "$PGMEDIC" show activity
mkdir -p "$XDG_CONFIG_HOME/pgmedic"
printf '[target east]\nconninfo = %s\nnonsense = 1\n' "$primary_uri" >"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf"
status 0 "a name of the configuration" "$PGMEDIC" show activity east
like "a wrong line is told" "$(cat "$TMP/err")" 'pgmedic.conf:3: .*nonsense'
status 0 "doctor" "$PGMEDIC" doctor east --json
status 1 "doctor of a plain role: something is missing" "$PGMEDIC" doctor east -U plain
like "with the GRANT" "$(cat "$TMP/out")" 'GRANT pg_monitor TO plain'
status 3 "doctor of no server" "$PGMEDIC" doctor -h 127.0.0.1 -p 1

# ------------------------------------------------------------------ explain

explain() {
	"$PGMEDIC" run "explain $1" -d "$primary_uri"
}
status 0 "explain" explain "select * from t where id = 5"
like "shows a plan" "$(cat "$TMP/out")" 'Scan'
# shellcheck disable=SC2016 # the server's parameters
status 0 "explain of a text with parameters" explain 'select * from t where id = $1 and v = $2'
like "is generic" "$(cat "$TMP/out")" 'Generic plan'
status 1 "two statements" explain "select 1; drop table t"
status 1 "what has no plan" explain "drop table t"
status 0 "EXPLAIN ANALYZE is taken off, not run" explain "explain analyze delete from t"
is "nothing was deleted" "$(sql primary 'SELECT count(*) FROM t')" 2000
status 1 "a broken statement" explain "select * from nowhere_at_all"
status 0 "of a session" explain "pid $waiter"
like "its statement" "$(cat "$TMP/out")" 'UPDATE t SET v'
# Shapes that pg_stat_statements leaves unparsable or untyped.
while read -r text; do
	status 0 "explained: $text" explain "$text"
done <<'SQL'
select now() - interval $1
select * from t where now() > date $1 and v = $2
select current_timestamp - $1, current_date + $2 from t where id + $3 > 5
select extract($1 from now())
select concat($1, $2), json_build_object($3, $4)
select $1 + $2
select current_date + $1
select sum($1), generate_series($2, $3)
select * from t where id = any (array[$1, $2])
select * from t join (values ($1, $2)) x (a, b) on x.a = t.id
select * from t where $1 is null
select * from t where id in ($1, $2) limit $3 offset $4
with recursive r (n) as (values ($1) union all select n + $2 from r where n < $3) select * from r
insert into t (id, v) values ($1, $2) on conflict (id) do update set v = $3
update t set v = $1 where id between $2 and $3
delete from t where id = $1 returning *
select row($1, $2), count($3) from t group by v having count(*) > $4
select * from t where id in ($1 /*, ... */) for update
SQL
finish
