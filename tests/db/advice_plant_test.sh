#!/bin/sh
# Index advice on planted needs and traps, from pg_stat_statements alone: what is planted is found, what is none is not,
# with HypoPG and without, by a role that may only read, and nothing is left on the server. tests/bench/advice measures
# the same on larger sets.
# majors: ends
. "$(dirname "$0")/../lib.sh"

need_pg
[ -x "$PGMEDIC" ] || skip_all "no program is built here"
command -v python3 >/dev/null || skip_all "python3 reads the JSON"
start_pg primary "max_connections = 20" "autovacuum = off" "shared_buffers = 64MB"
sql primary "CREATE ROLE watcher LOGIN IN ROLE pg_monitor; CREATE ROLE app LOGIN; GRANT CREATE ON DATABASE postgres TO app;
	GRANT CREATE ON SCHEMA public TO app" >/dev/null
if [ "$PG_MAJOR" -ge 14 ]; then
	sql primary "GRANT pg_read_all_data TO watcher" >/dev/null
	watcher=watcher
else
	watcher=postgres	# no role may read everything and write nothing there
fi
app() {
	"$PG_BINDIR/psql" -X -q -v ON_ERROR_STOP=1 -d "postgresql://app@127.0.0.1:$primary_port/postgres" "$@" >/dev/null
}
app <<'SQL'
SELECT setseed(0.5);
CREATE SCHEMA "Odd";
CREATE TABLE orders (id int PRIMARY KEY, customer_id int, total numeric, note text);
INSERT INTO orders SELECT g, random() * 20000, 5, repeat('n', 120) FROM generate_series(1, 60000) g;
CREATE TABLE "Odd"."Event" ("Device" int, at timestamptz, payload text);
INSERT INTO "Odd"."Event" SELECT random() * 300, timestamptz '2025-01-01' + random() * interval '90 days', repeat('p', 100)
FROM generate_series(1, 70000) g;
CREATE TABLE queue (id int PRIMARY KEY, state text, body text);
INSERT INTO queue SELECT g, CASE WHEN g % 400 = 1 THEN 'new' ELSE 'done' END, repeat('q', 120) FROM generate_series(1, 60000) g;
CREATE TABLE parent (id int PRIMARY KEY);
INSERT INTO parent SELECT generate_series(1, 2000);
CREATE TABLE child (id int PRIMARY KEY, parent_id int REFERENCES parent ON DELETE CASCADE, t text);
INSERT INTO child SELECT g, 1 + g % 2000, repeat('c', 100) FROM generate_series(1, 60000) g;
CREATE TABLE tiny (id int PRIMARY KEY, region int);
INSERT INTO tiny SELECT g, g % 9 FROM generate_series(1, 200) g;
CREATE TABLE covered (id int PRIMARY KEY, a int, b int, t text);
INSERT INTO covered SELECT g, g / 2, g % 5, repeat('t', 100) FROM generate_series(1, 60000) g;
CREATE INDEX covered_a ON covered (a);
CREATE INDEX covered_twin ON covered (a);
CREATE TABLE flags (id int PRIMARY KEY, is_on boolean, t text);
INSERT INTO flags SELECT g, g % 2 = 0, repeat('f', 100) FROM generate_series(1, 50000) g;
SQL
sql primary "VACUUM ANALYZE" >/dev/null
# The calls of a day, in the simple protocol: pg_stat_statements keeps them with $1 for the values.
awk 'BEGIN {
	for (i = 1; i <= 15; i++) {
		printf "SELECT id, total FROM orders WHERE customer_id = %d;\n", i * 977
		printf "SELECT count(payload) FROM \"Odd\".\"Event\" WHERE \"Device\" = %d AND at >= %s AND at < %s;\n", i * 17,
		    "\x27" "2025-02-0" i % 9 + 1 "\x27", "\x27" "2025-02-1" i % 9 "\x27"
		printf "SELECT id, body FROM queue WHERE state = \x27new\x27 ORDER BY id LIMIT 10 OFFSET 100;\n"
		printf "DELETE FROM parent WHERE id = %d;\n", i
		for (j = 0; j < 10; j++)
			printf "SELECT id FROM tiny WHERE region = %d;\n", j
		printf "SELECT t FROM covered WHERE a = %d AND b = %d;\n", i * 31, i % 5
		printf "SELECT id FROM flags WHERE is_on AND length(t) > %d;\n", i
	}
	print "SELECT * FROM orders WHERE note LIKE \x27%zz%\x27 ORDER BY total;"
}' >"$TMP/day.sql"
app -f "$TMP/day.sql"
has_hypopg=$(sql primary "SELECT count(*) FROM pg_available_extensions WHERE name = 'hypopg'")
[ "$has_hypopg" = 0 ] || sql primary "CREATE EXTENSION hypopg" >/dev/null
relations=$(sql primary "SELECT count(*) FROM pg_class")

mkdir -p "$XDG_CONFIG_HOME/pgmedic"
cat >"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" <<CONF
[target auto]
conninfo = postgresql://$watcher@127.0.0.1:$primary_port/postgres
[target never]
conninfo = postgresql://$watcher@127.0.0.1:$primary_port/postgres
hypopg = never
CONF

# advised FILE TABLE COLUMNS (a regex over "a,b"): how many indexes to create begin with them
advised() {
	python3 - "$@" <<'PY'
import json, re, sys
rows = json.load(open(sys.argv[1]))["rows"]
print(sum(1 for r in rows if r["action"] == "create" and r["table"] == sys.argv[2]
          and re.match(sys.argv[3], ",".join(r["columns"]))))
PY
}

for way in auto never; do
	status 0 "advice ($way)" "$PGMEDIC" show advice --json "$way"
	cp "$TMP/out" "$TMP/$way.json"
	is "$way: equality" "$(advised "$TMP/$way.json" orders '^customer_id')" 1
	is "$way: equality and range, in this order, odd names" "$(advised "$TMP/$way.json" Event '^Device,at')" 1
	is "$way: the foreign key that deletes need" "$(advised "$TMP/$way.json" child '^parent_id')" 1
	like "$way: the rare value, as an index or a partial index" "$(advised "$TMP/$way.json" queue '')" '^[1-9]'
	for table in tiny covered flags; do
		is "$way: nothing for $table" "$(advised "$TMP/$way.json" "$table" '')" 0
	done
	is "$way: nothing for what was asked once" "$(advised "$TMP/$way.json" orders '^(note|total)')" 0
	is "$way: one of the twins goes, not both" "$(python3 - "$TMP/$way.json" <<'PY'
import json, sys
rows = json.load(open(sys.argv[1]))["rows"]
print(sum(1 for r in rows if r["action"] == "drop" and "covered_" in r["ddl"]))
PY
)" 1
	is "$way: all was explained, and every DDL is CONCURRENTLY" "$(python3 - "$TMP/$way.json" <<'PY'
import json, sys
d = json.load(open(sys.argv[1]))
bad = [r["ddl"] for r in d["rows"] if r["action"] in ("create", "drop") and "CONCURRENTLY" not in r["ddl"]]
print(len(d["summary"]["not_explained"]), bad)
PY
)" '0 []'
done
[ "$has_hypopg" = 0 ] || like "what was asked of HypoPG says so" "$(cat "$TMP/auto.json")" '"confidence": *"what-if"'
unlike "what was not asked of HypoPG does not say so" "$(cat "$TMP/never.json")" '"confidence": *"what-if"'

# Every advised index can be made as it stands.
python3 -c '
import json, sys
for r in json.load(open(sys.argv[1]))["rows"]:
    if r["action"] == "create":
        print(r["ddl"].rstrip(";") + ";")' "$TMP/auto.json" >"$TMP/create.sql"
ok "the DDL runs" "$PG_BINDIR/psql" -X -q -v ON_ERROR_STOP=1 -d "$primary_uri" -f "$TMP/create.sql"
made=$(grep -c . "$TMP/create.sql")
is "nothing else came into the catalog" "$(($(sql primary "SELECT count(*) FROM pg_class") - made))" "$relations"
status 0 "advice again" "$PGMEDIC" show advice --json auto
is "is not what is there already" "$(advised "$TMP/out" orders '^customer_id')$(advised "$TMP/out" Event '^Device')$(advised "$TMP/out" child '')" 000

is "no session stays" "$(sql primary "SELECT count(*) FROM pg_stat_activity WHERE usename = 'watcher'")" 0
# Of three runs over some twenty statements each.
is "the server logged no more errors than three a statement" "$(awk '/ERROR:/ { n++ } END { print n + 0 < 150 }' "$TMP/pg-primary/log")" 1
finish
