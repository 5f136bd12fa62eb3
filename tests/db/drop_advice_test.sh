#!/bin/sh
# Indexes that can go and indexes that only look like it, on a primary with a standby. Each index is named for what it
# is: go_* may be dropped (go_X_1 and go_X_2: one of them), stay_* must not.
# shellcheck disable=SC2154 # primary_port, replica_port
# majors: ends
. "$(dirname "$0")/../lib.sh"

need_pg
[ -x "$PGMEDIC" ] || skip_all "no program is built here"
command -v python3 >/dev/null || skip_all "python3 reads the JSON"
start_pg primary "max_connections = 30"
sql primary "
CREATE TABLE t (id int PRIMARY KEY, a int, b int, c text, d int, e text, f int, g int, h int, i int, j jsonb, k int, l int, m int, n text,
	o int NOT NULL, p int, q int, r int);
INSERT INTO t SELECT g, g, g % 100, 'c' || g, g, 'e' || g, g, g, g, g, '{}', g, g, g, 'n' || g, g, g, g, g FROM generate_series(1, 20000) g;
CREATE INDEX go_dup_1 ON t (a);
CREATE INDEX go_dup_2 ON t (a);
CREATE INDEX go_prefix ON t (b);
CREATE INDEX stay_prefix ON t (b, d);
CREATE UNIQUE INDEX go_twin ON t (id);
CREATE INDEX go_plain_beside_unique ON t (o);
CREATE UNIQUE INDEX stay_unique_o ON t (o);
CREATE INDEX go_desc_1 ON t (f);
CREATE INDEX go_desc_2 ON t (f DESC);
CREATE INDEX stay_nulls ON t (g DESC NULLS LAST);
CREATE INDEX stay_nulls_not ON t (g);
CREATE INDEX go_mirror_1 ON t (h, i DESC);
CREATE INDEX go_mirror_2 ON t (h DESC, i);
CREATE INDEX stay_mixed ON t (h, i);
CREATE INDEX go_expr_1 ON t (lower(e));
CREATE INDEX go_expr_2 ON t (lower(e));
CREATE INDEX go_gin_1 ON t USING gin (j);
CREATE INDEX go_gin_2 ON t USING gin (j);
CREATE INDEX stay_gin_path ON t USING gin (j jsonb_path_ops);
CREATE INDEX stay_hash ON t USING hash (n);
CREATE INDEX stay_btree ON t (c);
CREATE INDEX stay_pattern ON t (c text_pattern_ops);
CREATE INDEX stay_collated ON t (c COLLATE \"POSIX\");
CREATE INDEX go_partial_1 ON t (k) WHERE b = 5;
CREATE INDEX go_partial_2 ON t (k) WHERE b = 5;
CREATE INDEX stay_partial_other ON t (k) WHERE b = 6;
CREATE INDEX stay_whole ON t (k);
CREATE INDEX go_carried ON t (l);
CREATE INDEX stay_carrying ON t (l) INCLUDE (m);
CREATE INDEX stay_carrying_else ON t (l) INCLUDE (n);
CREATE UNIQUE INDEX stay_unique_short ON t (p);
CREATE INDEX stay_unique_long ON t (p, q);
ALTER TABLE t ADD CONSTRAINT stay_deferrable UNIQUE (q) DEFERRABLE;
ALTER TABLE t ADD CONSTRAINT go_constraint_1 UNIQUE (r);
ALTER TABLE t ADD CONSTRAINT go_constraint_2 UNIQUE (r);
CREATE TABLE idle (id int PRIMARY KEY, a int, b int, c int NOT NULL, d int4range, e int, f int, g int);
INSERT INTO idle SELECT g, g, g, g, int4range(g, g + 1), g, g, g FROM generate_series(1, 20000) g;
CREATE INDEX go_unused ON idle (a);
CREATE INDEX stay_standby ON idle (b);
CREATE UNIQUE INDEX stay_identity ON idle (c);
ALTER TABLE idle REPLICA IDENTITY USING INDEX stay_identity;
ALTER TABLE idle ADD CONSTRAINT stay_exclusion EXCLUDE USING gist (d WITH &&);
CREATE UNIQUE INDEX stay_idle_unique ON idle (e);
CREATE INDEX go_long ON idle (f, g);
CREATE INDEX stay_short ON idle (f);
CREATE TABLE sorted (id int, t text);
INSERT INTO sorted SELECT g, 'x' FROM generate_series(1, 10000) g;
CREATE INDEX stay_clustered ON sorted (id);
CLUSTER sorted USING stay_clustered;
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE lookup (id int PRIMARY KEY);
INSERT INTO parent SELECT generate_series(1, 3000);
INSERT INTO lookup SELECT generate_series(1, 10);
CREATE TABLE child (id int, parent_id int REFERENCES parent, lookup_id int REFERENCES lookup, pad text);
CREATE TABLE bare (id int, parent_id int REFERENCES parent, lookup_id int REFERENCES lookup, pad text);
INSERT INTO child SELECT g, 1000 + g % 1000, 1 + g % 10, repeat('x', 80) FROM generate_series(1, 20000) g;
INSERT INTO bare SELECT g, 1000 + g % 1000, 1 + g % 10, repeat('x', 80) FROM generate_series(1, 20000) g;
CREATE INDEX stay_fk_1 ON child (parent_id) WHERE parent_id IS NOT NULL;
CREATE TABLE aunt (id int PRIMARY KEY, note text);
INSERT INTO aunt SELECT generate_series(1, 3000);
CREATE TABLE nephew (id int, aunt_id int REFERENCES aunt, pad text);
INSERT INTO nephew SELECT g, 1000 + g % 1000, repeat('x', 80) FROM generate_series(1, 20000) g;
CREATE INDEX stay_fk_2 ON nephew (aunt_id);
CREATE INDEX go_fk_some ON nephew (aunt_id) WHERE aunt_id IS NOT NULL AND id < 100;
CREATE TABLE parted (id int, k int, v int) PARTITION BY RANGE (id);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10000);
CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (10000) TO (30000);
INSERT INTO parted SELECT g, g, g FROM generate_series(1, 20000) g;
CREATE INDEX stay_parted ON parted (k);
CREATE INDEX go_parted ON parted (v);
CREATE TABLE twice (n int);
INSERT INTO twice VALUES (1), (1);" >/dev/null
sql primary "CREATE UNIQUE INDEX CONCURRENTLY go_invalid ON twice (n)" >/dev/null 2>&1
sql primary "CREATE INDEX go_left ON twice (n); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'go_left'::regclass;
	ALTER INDEX go_left RENAME TO go_left_ccnew1" >/dev/null
sql primary "VACUUM ANALYZE" >/dev/null
sql primary "SELECT pg_stat_reset()" >/dev/null
start_standby replica primary

# Everything that stays is read, but for what stays for another reason.
{
	echo "SET enable_seqscan = off; SET enable_bitmapscan = on;"
	for where in "a = 5" "b = 5" "b = 5 AND d = 5" "id = 5" "o = 5" "f = 5" "n = 'n5'" "c LIKE 'c5%'" "lower(e) = 'e5'" "k = 5" "k = 5 AND b = 5" \
	    "k = 5 AND b = 6" "l = 5" "p = 5" "p = 5 AND q = 5" "r = 5" "j @> '{\"a\": 1}'" "j ? 'a'"; do
		echo "SELECT count(*) FROM t WHERE $where;"
	done
	echo "SELECT c FROM t ORDER BY c LIMIT 1; SELECT c FROM t ORDER BY c USING ~<~ LIMIT 1; SELECT c FROM t ORDER BY c COLLATE \"POSIX\" LIMIT 1; SELECT g FROM t ORDER BY g LIMIT 1; SELECT g FROM t ORDER BY g DESC NULLS LAST LIMIT 1;"
	echo "SELECT h FROM t ORDER BY h, i LIMIT 1; SELECT h FROM t ORDER BY h, i DESC LIMIT 1; SELECT m FROM t WHERE l = 3; SELECT n FROM t WHERE l = 3;"
	echo "SELECT * FROM idle WHERE f = 5; SELECT * FROM parted WHERE k = 5 AND id < 100; SELECT * FROM idle WHERE id = 5; DELETE FROM parent WHERE id < 500; UPDATE aunt SET note = 'n' WHERE id < 9;"
} >"$TMP/reads.sql"
for n in 1 2 3; do
	"$PG_BINDIR/psql" -X -q -d "$primary_uri" -f "$TMP/reads.sql" >/dev/null 2>>"$TMP/reads.log"
done
is "all reads ran" "$(cat "$TMP/reads.log")" ''
counted() {
	[ "$(sql "$1" "SELECT idx_scan > 0 FROM pg_stat_user_indexes WHERE indexrelname = '$2'")" = t ]
}
caught_up() {
	[ "$(sql replica "SELECT pg_last_wal_replay_lsn() >= '$(sql primary "SELECT pg_current_wal_lsn()")'")" = t ]
}
ok "the standby follows" wait_for 20 caught_up
sql replica "SET enable_seqscan = off; SELECT count(*) FROM idle WHERE b = 7" >/dev/null
ok "scans are counted there" wait_for 20 counted replica stay_standby
ok "and here" wait_for 20 counted primary stay_short

mkdir -p "$XDG_CONFIG_HOME/pgmedic"
conf() {	# DAYS [replica]
	{
		echo "[target primary]"
		echo "conninfo = $primary_uri"
		echo "advice_unused_days = $1"
		if [ "${2:-}" = replica ]; then
			echo "[target replica]"
			echo "conninfo = $(echo "$primary_uri" | sed "s/:$primary_port/:$replica_port/")"
		fi
	} >"$XDG_CONFIG_HOME/pgmedic/pgmedic.conf"
}
advice() {	# PYTHON over rows, names of what is dropped, notes
	python3 -c 'import json, sys
d = json.load(open(sys.argv[1])); rows = d["rows"]; notes = " ".join(n["what"] for n in d["notes"])
drops = {r["index"]: r for r in rows if r["action"] == "drop"}
print(eval(sys.argv[2]))' "$TMP/out" "$1"
}

conf 0 replica
status 0 "advice" "$PGMEDIC" show advice primary --json
is "nothing that is needed goes" "$(advice "sorted(n for n in drops if n.startswith('stay') or n.endswith('_pkey') or n.startswith('parted'))")" '[]'
for one in go_prefix go_twin go_plain_beside_unique go_carried go_unused go_long go_fk_some go_parted go_invalid go_left_ccnew1; do
	is "$one goes" "$(advice "'$one' in drops")" True
done
for pair in go_dup go_desc go_mirror go_expr go_gin go_partial go_constraint; do
	is "one $pair of two goes" "$(advice "sum(n in drops for n in ('${pair}_1', '${pair}_2'))")" 1
done
is "a constraint by its own command" "$(advice "[r['ddl'].rsplit(' ', 1)[0] for n, r in drops.items() if n.startswith('go_constraint')]")" \
    "['ALTER TABLE public.t DROP CONSTRAINT']"
is "a partitioned index not concurrently" "$(advice "drops['go_parted']['ddl']")" 'DROP INDEX public.go_parted'
is "others concurrently" "$(advice "drops['go_unused']['ddl']")" 'DROP INDEX CONCURRENTLY public.go_unused'
is "the kinds" "$(advice "[drops[n]['kind'] for n in ('go_unused', 'go_twin', 'go_invalid')]")" \
    "['unused', 'duplicate', 'invalid']"
is "the foreign key without an index" "$(advice "[(r['table'], r['columns']) for r in rows if r['kind'] == 'fk']")" "[('bare', ['parent_id'])]"

# ------------------------------------------------------------------ all of it may be done

advice "chr(10).join(r['ddl'] + ';' for r in rows if r['action'] == 'drop')" >"$TMP/drop.sql"
ok "every command is accepted" "$PG_BINDIR/psql" -X -q -v ON_ERROR_STOP=1 -d "$primary_uri" -f "$TMP/drop.sql"
status 0 "advice again" "$PGMEDIC" show advice primary --json
is "there is nothing more to drop" "$(advice "sorted(drops)")" '[]'

# ------------------------------------------------------------------ bloated

# In one session: the counters of its deletes come after its own ANALYZE, and look like changes since.
"$PG_BINDIR/psql" -X -q -d "$primary_uri" >/dev/null <<'SQL'
CREATE TABLE fat (id bigint, a text);
INSERT INTO fat SELECT g, md5(g::text) FROM generate_series(1, 150000) g;
CREATE INDEX fat_a ON fat (a);
CREATE TABLE lean (id bigint, a text);
INSERT INTO lean SELECT g, md5(g::text) FROM generate_series(1, 150000) g;
CREATE INDEX lean_a ON lean (a) WITH (fillfactor = 60);
DELETE FROM fat WHERE id % 10 <> 0;
VACUUM fat;
ANALYZE fat;
ANALYZE lean;
SQL
# Until 14 a process collects the statistics, and what it has is half a second old.
analyzed() {
	[ "$(sql primary "SELECT count(last_analyze) FROM pg_stat_user_tables WHERE relname IN ('fat', 'lean')")" = 2 ]
}
ok "the server knows that they were analyzed" wait_for 20 analyzed
conf 7 replica
status 0 "advice on bloat" "$PGMEDIC" show advice primary --json
is "the bloated index is rebuilt, no other" "$(advice "[(r['action'], r['kind'], r['ddl']) for r in rows if r['kind'] == 'bloat']")" \
    "[('reindex', 'bloat', 'REINDEX INDEX CONCURRENTLY public.fat_a')]"
sql primary "DROP TABLE fat, lean" >/dev/null

# ------------------------------------------------------------------ too little evidence

sql primary "CREATE INDEX go_unused ON idle (a)" >/dev/null
conf 7 replica
status 0 "with young statistics" "$PGMEDIC" show advice primary --json
is "nothing is unused" "$(advice "[n for n, r in drops.items() if r['kind'] == 'unused']")" '[]'
like "and it is said why" "$(advice notes)" 'no index is called unused: scans are counted for'
conf 0
status 0 "with a standby that is no target" "$PGMEDIC" show advice primary --json
is "nothing is unused" "$(advice "[n for n, r in drops.items() if r['kind'] == 'unused']")" '[]'
like "and that is said" "$(advice notes)" 'no index is called unused: 1 standby'

# ------------------------------------------------------------------ asked of the standby, and when it is promoted

conf 0 replica
status 0 "advice of the standby" "$PGMEDIC" show advice replica --json
is "nothing is unused there" "$(advice "[n for n, r in drops.items() if r['kind'] == 'unused']")" '[]'
like "for the primary's scans are not known" "$(advice notes)" 'this is a standby'
sql replica "SELECT pg_promote()" >/dev/null
conf 0.001 replica
sed 's/^\[target replica\]/&\nadvice_unused_days = 0.001/' "$XDG_CONFIG_HOME/pgmedic/pgmedic.conf" >"$TMP/conf"
cp "$TMP/conf" "$XDG_CONFIG_HOME/pgmedic/pgmedic.conf"
status 0 "advice of the promoted one" "$PGMEDIC" show advice replica --json
is "nothing is unused there either" "$(advice "[n for n, r in drops.items() if r['kind'] == 'unused']")" '[]'
like "for it was a standby" "$(advice notes)" 'was a standby until|scans are counted for'
conf 0

# ------------------------------------------------------------------ a build that is under way is no leftover

"$PG_BINDIR/psql" -X -q -d "$primary_uri" -c "BEGIN" -c "INSERT INTO twice VALUES (3)" -c "SELECT pg_sleep(600)" >/dev/null 2>&1 &
holder=$!
spawned="$spawned $holder"
held() {
	[ "$(sql primary "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)%' AND pid <> pg_backend_pid()")" = 1 ]
}
ok "a writer holds on" wait_for 10 held
spawn "$PG_BINDIR/psql" -X -q -d "$primary_uri" -c "CREATE INDEX CONCURRENTLY stay_building ON twice (n)" >/dev/null 2>&1
builds() {
	[ "$(sql primary "SELECT count(*) FROM pg_index WHERE indexrelid::regclass::text = 'stay_building' AND NOT indisvalid")" = 1 ]
}
ok "a build waits" wait_for 10 builds
status 0 "advice beside it" "$PGMEDIC" show advice primary --json
is "leaves it alone" "$(advice "'stay_building' in drops")" False

finish
