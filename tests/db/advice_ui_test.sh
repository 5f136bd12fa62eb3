#!/bin/sh
# create index and drop index as commands: planned, run by a job, cleaned up after, verified, measured; and what is refused.
# majors: ends
. "$(dirname "$0")/../lib.sh"

need_pg
[ -x "$PGMEDIC" ] || skip_all "no program is built here"
start_pg primary "max_connections = 30"
sql primary "CREATE ROLE plain LOGIN; CREATE SCHEMA \"Odd; Name\";
	CREATE TABLE customers (id int PRIMARY KEY, email text);
	CREATE TABLE orders (id int PRIMARY KEY, customer_id int REFERENCES customers, status text, placed_at timestamptz, n int);
	INSERT INTO customers SELECT g, 'c' || g FROM generate_series(1, 500) g;
	INSERT INTO orders SELECT g, 1 + g % 500, CASE WHEN g % 50 = 0 THEN 'open' ELSE 'done' END, now() - g * interval '1 min', g % 7
		FROM generate_series(1, 20000) g;
	CREATE TABLE \"Odd; Name\".\"T 1\" (\"A b\" int); CREATE INDEX orders_n_idx ON orders (n);
	CREATE TABLE parted (a int, b text) PARTITION BY RANGE (a);
	CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (100);
	CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM (100) TO (200) PARTITION BY LIST (b);
	CREATE TABLE parted_2x PARTITION OF parted_2 FOR VALUES IN ('x');
	INSERT INTO parted SELECT g, 'y' FROM generate_series(0, 99) g; INSERT INTO parted VALUES (150, 'x');
	GRANT ALL ON orders TO plain; ANALYZE" >/dev/null

run() {		# COMMAND [OPTION...] as superuser
	"$PGMEDIC" run "$@" -d "$primary_uri"
}
field() {	# FILE KEY: a member of the JSON object
	python3 -c 'import json, sys; v = json.load(open(sys.argv[1])).get(sys.argv[2]); print(v if not isinstance(v, dict) else v["code"])' "$1" "$2"
}
indexes() {	# TABLE: names of its indexes, those that are not valid with a mark
	sql primary "SELECT string_agg(c.relname || CASE WHEN i.indisvalid THEN '' ELSE '!' END, ' ' ORDER BY c.relname)
		FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = '$1'::regclass"
}
definition() {	# INDEX
	sql primary "SELECT pg_get_indexdef('$1'::regclass)"
}

# ------------------------------------------------------------------ create

before=$(indexes orders)
status 0 "a dry run shows the plan" run "create index on orders (customer_id)" --dry-run
like "with the statement that the server has put together" "$(cat "$TMP/out")" \
    'CREATE INDEX CONCURRENTLY orders_customer_id_idx ON public.orders USING btree \(customer_id\)'
like "its size" "$(cat "$TMP/out")" 'size  *about [0-9]+'
like "and how to undo it" "$(cat "$TMP/out")" 'undo  *drop index public.orders_customer_id_idx'
is "and changes nothing" "$(indexes orders)" "$before"
is "nor does the journal know of it" "$(run journal)" "the journal is empty"
status 1 "without --yes and a terminal nothing is done" run "create index on orders (customer_id)" --wait
is "really" "$(indexes orders)" "$before"

for i in 1 2 3 4 5; do
	sql primary "SELECT count(*) FROM orders WHERE customer_id = 7" >/dev/null
done
status 0 "create index" run "create index on orders (customer_id)" --yes --wait --json
is "is done" "$(field "$TMP/out" state)" 'done'
is "and the index is valid" "$(indexes orders)" "orders_customer_id_idx $before"
like "it says how to undo it" "$(field "$TMP/out" result)" 'undo: drop index public.orders_customer_id_idx'
like "and that statements are measured" "$(field "$TMP/out" result)" '[0-9]+ statements? (is|are) measured'
status 0 "a condition, an order, an expression" run \
    "create index open_idx on public.orders using btree (lower(status), placed_at desc nulls last) include (n) with (fillfactor = 80) where status = 'open' and n >= 3" --yes --wait
like "are as typed" "$(definition open_idx)" "lower\(status\), placed_at DESC NULLS LAST\) INCLUDE \(n\) WITH \(fillfactor='80'\) WHERE \(+status = 'open'::text\) AND \(n >= 3\)"
status 0 "names that need quotes" run "create index \"I 1\" on \"Odd; Name\".\"T 1\" (\"A b\")" --yes --wait
is "are names" "$(indexes '"Odd; Name"."T 1"')" "I 1"
status 0 "a second one of the same columns is warned of" run "create index on orders (customer_id)" --dry-run
like "by its name" "$(cat "$TMP/out")" 'there is an index with these columns: public.orders_customer_id_idx'
like "and gets a name of its own" "$(cat "$TMP/out")" 'orders_customer_id_idx1'

# ------------------------------------------------------------------ what is refused

before=$(indexes orders)
status 2 "a second statement" run "create index on orders (n); drop table orders" --yes --wait
status 2 "one in a condition" run "create index on orders (n) where n = 1; drop table orders" --yes --wait
status 2 "an open quote" run "create index on orders (n) where status = 'x" --yes --wait
status 2 "something else than an index" run "create table x (a int)" --yes --wait
status 2 "something else than an index is not dropped either" run "drop table orders" --yes --wait
status 1 "a column that is not there" run "create index on orders (nothing)" --yes --wait --json
is "is not found" "$(field "$TMP/out" error)" NOT_FOUND
status 1 "a name that is taken" run "create index orders_pkey on orders (n)" --yes --wait
status 1 "a table that is not there" run "create index on nowhere (n)" --yes --wait --json
is "is not found" "$(field "$TMP/out" error)" NOT_FOUND
status 1 "somebody else's table" "$PGMEDIC" run "create index on orders (n)" --yes --wait --json -d "$primary_uri" -U plain
is "is denied" "$(field "$TMP/out" error)" DENIED
status 1 "--read-only refuses" run "create index on orders (n)" --yes --wait --json --read-only
is "as refused" "$(field "$TMP/out" state)" refused
status 1 "--read-only refuses to drop" run "drop index orders_n_idx" --yes --wait --json --read-only
is "nothing was made or dropped" "$(indexes orders)" "$before"

# ------------------------------------------------------------------ failures leave no invalid index

status 1 "a unique index over values that are there twice" run "create unique index on orders (n)" --yes --wait --json
like "fails" "$(field "$TMP/out" result)" 'could not create unique index'
like "and says that it has cleaned up" "$(field "$TMP/out" result)" 'dropped again'
is "and has" "$(indexes orders)" "$before"
status 1 "an expression that fails on a row" run "create index on orders ((1 / (n - 3)))" --yes --wait --json
is "leaves nothing" "$(indexes orders)" "$before"

# An old transaction holds it up; the session that builds is ended.
spawn "$PG_BINDIR/psql" -X -q -d "$primary_uri" -c "BEGIN; SET application_name = 'old one'; SELECT 1 FROM orders LIMIT 1; SELECT pg_sleep(600)" >/dev/null
old=$spawned_pid
old_is_there() {
	[ -n "$(sql primary "SELECT 1 FROM pg_stat_activity WHERE application_name = 'old one' AND query LIKE '%pg_sleep%'")" ]
}
ok "an old transaction" wait_for 10 old_is_there
status 0 "a build is started" run "create index slow_idx on orders (status)" --yes --json
is "and runs" "$(field "$TMP/out" state)" running
job=$(field "$TMP/out" job)
waits() {
	"$PGMEDIC" run jobs | grep -q 'waits for pid .*old one'
}
ok "jobs says whom it waits for" wait_for 15 waits
"$PGMEDIC" show advice --json -d "$primary_uri" >"$TMP/advice" 2>"$TMP/err"
like "and so does the advice pane" "$(cat "$TMP/advice")" 'CREATE INDEX CONCURRENTLY on public.orders: .*waits for pid'
sql primary "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pgmedic job'" >/dev/null
kill "$old"
sql primary "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'old one'" >/dev/null
job_ended() {
	"$PGMEDIC" run "journal $job" | head -n 1 | grep -q ' failed '
}
ok "its end is in the journal" wait_for 30 job_ended
like "with what was cleaned" "$(run "journal $job")" 'slow_idx it left is dropped again'
is "nothing is left" "$(indexes orders)" "$before"

# ------------------------------------------------------------------ partitioned tables

status 0 "a partitioned table, dry" run "create index on parted (a, b)" --dry-run
like "is indexed in steps" "$(cat "$TMP/out")" 'concurrently on 2 partitions'
status 0 "a partitioned table" run "create index on parted (a, b)" --yes --wait --json
is "is done" "$(field "$TMP/out" state)" 'done'
is "the parent's is valid" "$(indexes parted)" parted_a_b_idx
is "and all are attached" "$(sql primary "SELECT count(*) FROM pg_partition_tree('parted_a_b_idx')")" 4
status 1 "a failure in a partition" run "create index on parted ((1 / (a - 50)))" --yes --wait --json
is "leaves nothing at the parent" "$(indexes parted)" parted_a_b_idx
is "nor at its parts" "$(sql primary 'SELECT count(*) FROM pg_index WHERE NOT indisvalid')" 0
status 1 "an index of a partitioned table is not dropped" run "drop index parted_a_b_idx" --yes --wait
status 1 "nor a part of it" run "drop index parted_1_parted_a_b_idx" --yes --wait

# ------------------------------------------------------------------ drop

status 0 "drop, dry" run "drop index open_idx" --dry-run
like "shows what builds it again" "$(cat "$TMP/out")" 'undo  *CREATE INDEX CONCURRENTLY open_idx ON public.orders'
is "and drops nothing" "$(indexes orders)" "$before"
status 0 "drop" run "drop index public.open_idx" --yes --wait --json
like "keeps what builds it again" "$(field "$TMP/out" result)" 'undo: CREATE INDEX CONCURRENTLY open_idx'
unlike "it is gone" "$(indexes orders)" open_idx
undo=$(field "$TMP/out" result | sed -n 's/^undo: CREATE/create/p')
status 0 "and that is a command of ours" run "$undo" --yes --wait
like "it is there again" "$(indexes orders)" open_idx
status 1 "a primary key" run "drop index orders_pkey" --yes --wait --json --force
is "is refused" "$(field "$TMP/out" error)" REFUSED
status 1 "the only index of a foreign key" run "drop index orders_customer_id_idx" --yes --wait
like "is refused with the reason" "$(cat "$TMP/err")" 'it alone serves the foreign key orders_customer_id_fkey'
sql primary "CREATE INDEX orders_cn_idx ON orders (customer_id, n); ALTER TABLE customers REPLICA IDENTITY USING INDEX customers_pkey" >/dev/null
status 0 "not when another one serves it" run "drop index orders_customer_id_idx" --yes --wait
status 0 "and --force drops the last one" run "drop index orders_cn_idx --force" --yes --wait
sql primary "CREATE UNIQUE INDEX customers_email_idx ON customers (email)" >/dev/null
status 1 "a unique index" run "drop index customers_email_idx" --yes --wait
like "keeps values unique" "$(cat "$TMP/err")" 'keeps values unique'
sql primary "CREATE UNIQUE INDEX orders_rid ON orders (id); ALTER TABLE orders REPLICA IDENTITY USING INDEX orders_rid" >/dev/null
status 1 "a replica identity" run "drop index orders_rid --force" --yes --wait
like "is refused" "$(cat "$TMP/err")" 'replica identity'
status 1 "an index that is not there" run "drop index nowhere" --yes --wait --json
is "is not found" "$(field "$TMP/out" error)" NOT_FOUND

# ------------------------------------------------------------------ the measured effect

sql primary "CREATE TABLE measured AS SELECT g AS id, g % 1000 AS k FROM generate_series(1, 30000) g; ANALYZE measured" >/dev/null
for i in 1 2 3; do
	sql primary "SELECT count(*) FROM measured WHERE k = 5" >/dev/null
done
status 0 "an index that helps" run "create index on measured (k)" --yes --wait
for i in 1 2 3 4; do
	sql primary "SELECT count(*) FROM measured WHERE k = 5" >/dev/null
done
"$PGMEDIC" show advice --json -d "$primary_uri" >"$TMP/advice" 2>"$TMP/err"
python3 - "$TMP/advice" >"$TMP/facts" <<'PY'
import json, sys
rows = [m for m in json.load(open(sys.argv[1]))["summary"]["measured"] if m["index"] == "measured_k_idx" and m["calls_after"] == 4]
print(len(rows), all(m["blocks_after"] < m["blocks_before"] / 2 for m in rows), all(m["calls_before"] == 3 for m in rows))
PY
is "is seen to help" "$(cat "$TMP/facts")" "1 True True"
like "in the pane's notes, too" "$(cat "$TMP/advice")" 'since measured_k_idx: statement'

"$PGMEDIC" run journal --json >"$TMP/journal" 2>"$TMP/err"
unlike "no password is in the journal" "$(cat "$TMP/journal")" 'password='
finish
