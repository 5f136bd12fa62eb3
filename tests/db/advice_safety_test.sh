#!/bin/sh
# What others have put into a database must not run with the rights of a superuser who asks for advice or makes an index:
# planning folds constants by calling functions, and names can be shadowed.
# majors: ends
. "$(dirname "$0")/../lib.sh"

need_pg
[ -x "$PGMEDIC" ] || skip_all "no program is built here"
command -v python3 >/dev/null || skip_all "python3 reads the JSON"
start_pg primary "shared_preload_libraries = 'pg_stat_statements'" "max_connections = 20" "autovacuum = off" "max_locks_per_transaction = 10" \
	"log_min_messages = log"
[ "$(sql primary "SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_stat_statements'")" = 1 ] ||
	skip_all "pg_stat_statements is not installed"
sql primary "CREATE EXTENSION IF NOT EXISTS pg_stat_statements; CREATE ROLE other LOGIN; GRANT CREATE ON DATABASE postgres TO other;
	GRANT CREATE ON SCHEMA public TO other;
	CREATE TABLE t (id int, a int, b text); INSERT INTO t SELECT g, g % 1000, 'x' || g FROM generate_series(1, 300000) g; ANALYZE t;
	CREATE FUNCTION ours(int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT \$1 + 1';
	CREATE TABLE wide (id int, v int) PARTITION BY RANGE (id);
	GRANT SELECT ON t, wide TO other;
	DO \$\$ BEGIN FOR i IN 1..40 LOOP
		EXECUTE format('CREATE TABLE wide_%s PARTITION OF wide FOR VALUES FROM (%s) TO (%s)', i, i * 10, i * 10 + 10);
		EXECUTE format('CREATE INDEX ON wide_%s (id)', i);
		EXECUTE format('CREATE INDEX ON wide_%s (v)', i);
	END LOOP; END \$\$" >/dev/null
cat >"$TMP/other.sql" <<'SQL'
CREATE SCHEMA evil;
CREATE FUNCTION evil.act() RETURNS void LANGUAGE plpgsql AS $$ BEGIN RAISE LOG 'ran as %', current_user; END $$;
CREATE FUNCTION evil.five() RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM evil.act(); RETURN 5; END $$;
CREATE FUNCTION evil."Same"(int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM evil.act(); RETURN $1; END $$;
CREATE FUNCTION evil.same(int, int) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM evil.act(); RETURN $1 = $2; END $$;
CREATE OPERATOR evil.=== (LEFTARG = int, RIGHTARG = int, FUNCTION = evil.same);
CREATE VIEW evil.seen AS SELECT * FROM t WHERE a = evil.five();
CREATE VIEW evil.again AS SELECT id FROM evil.seen;
CREATE TABLE evil.indexed (x int);
INSERT INTO evil.indexed SELECT generate_series(1, 100000);
CREATE INDEX ON evil.indexed ((x + evil.five()));
CREATE TYPE evil.boxed AS (v int);
CREATE FUNCTION evil.unbox(evil.boxed) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM evil.act(); RETURN $1.v; END $$;
CREATE CAST (evil.boxed AS int) WITH FUNCTION evil.unbox(evil.boxed) AS IMPLICIT;
CREATE TYPE evil.compared AS (v int);
CREATE TABLE evil.own (c evil.compared); INSERT INTO evil.own SELECT ROW(g)::evil.compared FROM generate_series(1, 60000) g;
CREATE FUNCTION evil.eq(evil.compared, evil.compared) RETURNS bool LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN PERFORM evil.act(); RETURN true; END $$;
CREATE OPERATOR evil.= (LEFTARG = evil.compared, RIGHTARG = evil.compared, FUNCTION = evil.eq);
CREATE FUNCTION public.pg_stat_statements_info(OUT dealloc bigint, OUT stats_reset timestamptz) LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.act(); END $$;
CREATE FUNCTION public."left"(name, int) RETURNS text LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.act(); RETURN 'n'; END $$;
CREATE FUNCTION public.times(float8, int) RETURNS float8 LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.act(); RETURN 1; END $$;
CREATE OPERATOR public.* (LEFTARG = float8, RIGHTARG = int, FUNCTION = public.times);
SQL
as_other() {
	"$PG_BINDIR/psql" -X -q -d "postgresql://other@127.0.0.1:$primary_port/postgres" "$@" >/dev/null
}
as_other -f "$TMP/other.sql" # where the extension has pg_stat_statements_info, it refuses a second one
sql primary "SELECT pg_stat_statements_reset(), pg_stat_reset()" >/dev/null
cat >"$TMP/work.sql" <<'SQL'
SELECT count(*) FROM t WHERE a = evil.five();
SELECT count(*) FROM t WHERE a = evil."Same"(7);
SELECT count(*) FROM t WHERE a OPERATOR(evil.===) 5 AND 3 OPERATOR(evil.===) 4;
SELECT count(*) FROM evil.again WHERE id > 4;
SELECT x FROM evil.indexed WHERE x > 4;
SELECT count(*) FROM t WHERE a = ROW(4)::evil.boxed;
SET search_path = evil, public; SELECT count(*) FROM t WHERE a = FIVE(); RESET search_path;
SELECT count(*) FROM t WHERE a::float8 * 2 = 5;
SELECT count(*) FROM evil.own WHERE c = ROW(4)::evil.compared;
SELECT v FROM wide WHERE v = 4;
SQL
for _ in 1 2 3 4; do as_other -f "$TMP/work.sql"; done
n=0
while [ "$n" -lt 12 ]; do
	n=$((n + 1))
	echo "SELECT id FROM t WHERE b = 'x$n' AND ours(5) = 6;"
done >"$TMP/own.sql"
"$PG_BINDIR/psql" -X -q -d "$primary_uri" -f "$TMP/own.sql" >/dev/null

value() {	# PYTHON: an expression over rows r, summary s and the reasons w
	python3 -c 'import json, sys
d = json.load(open(sys.argv[1])); r = d["rows"]; s = d["summary"]; w = [x["why"] for x in s["not_explained"]]
print(eval(sys.argv[2]))' "$TMP/advice.json" "$1"
}
ran() {	# how often anything of the other role's ran as the superuser
	grep -c "ran as $(sql primary 'SELECT current_user')" "$primary_dir/../log"
}
before=$(ran)
ok "advice for a superuser" sh -c "\"$PGMEDIC\" show advice --json -d \"$primary_uri\" >\"$TMP/advice.json\""
is "nothing of others ran while it planned" "$(ran)" "$before"
is "what would have is not planned" "$(value 'sum("not safe to plan: it uses" in x for x in w) > 6')" True
is "nor what locks too much" "$(value 'sum("public.wide locks all" in x for x in w)')" 1
is "the rest is" "$(value 'all("not safe" in x for x in w)')" True
is "what names none of it is planned" "$(value 's["explained"] > 0')" True
ok "an index is made" "$PGMEDIC" run --yes --wait -d "$primary_uri" "create index made on public.t (a)"
is "and nothing of others ran" "$(ran)" "$before"
finish
