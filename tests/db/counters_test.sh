#!/bin/sh
# statements, tables, indexes, databases and settings say what the catalog says, on a server where nothing else happens.
# majors: ends
. "$(dirname "$0")/../lib.sh"

need_pg
start_pg primary "track_io_timing = on" "work_mem = 5MB" "pg_stat_statements.track_planning = on" "autovacuum = off"
sql primary "ALTER SYSTEM SET max_connections = 77" >/dev/null
sql primary "CREATE ROLE shopper LOGIN; CREATE ROLE watcher LOGIN; CREATE ROLE plain LOGIN; GRANT pg_monitor TO watcher" >/dev/null
sql primary "CREATE DATABASE bare" >/dev/null
sql primary "SELECT pg_reload_conf()" >/dev/null
sql primary "
	CREATE TABLE orders (id int PRIMARY KEY, total int, note text);
	CREATE INDEX orders_total ON orders (total);
	CREATE TABLE \"odd, \"\"name\"\"\" (x int);
	CREATE TABLE event (at date, what text) PARTITION BY RANGE (at);
	CREATE TABLE event_1 PARTITION OF event FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
	CREATE UNLOGGED TABLE scratch (x int);
	INSERT INTO orders SELECT g, g % 100, repeat('x', 20) FROM generate_series(1, 5000) g;
	INSERT INTO event SELECT '2026-03-01', 'w' FROM generate_series(1, 100);
	UPDATE orders SET total = total + 1 WHERE id <= 50;
	DELETE FROM orders WHERE id > 4990;
	GRANT SELECT ON orders TO shopper;
" >/dev/null
sql primary "VACUUM ANALYZE" >/dev/null
shopper=postgresql://shopper@127.0.0.1:$primary_port/postgres
watcher=postgresql://watcher@127.0.0.1:$primary_port/postgres
plain=postgresql://plain@127.0.0.1:$primary_port/postgres
bare=postgresql://postgres@127.0.0.1:$primary_port/bare
for i in 1 2 3 4 5 6 7; do
	echo "SELECT count(*) FROM orders WHERE id < $i;"
	echo "SELECT total FROM orders WHERE id = $i;"
done >"$TMP/load.sql"
"$PG_BINDIR/psql" -X -q -d "$shopper" -f "$TMP/load.sql" >/dev/null

# As psql prints it: no header, an empty text like NULL, quotes only where they must be.
plain_csv() {
	tr -d '\r' | tail -n +2 | sed -e 's/,"",/,,/g' -e 's/,"",/,,/g' -e 's/,""$/,/'
}

# both WHAT PANE COLUMNS FILTER QUERY [URI]: the pane's CSV has the rows of the query; retried, as counters of
# sessions that ended reach the statistics a moment later
compare() {
	"$PGMEDIC" show "$1" "${5:-$watcher}" --csv --columns "$2" --filter "$3" 2>"$TMP/err" | plain_csv | sort >"$TMP/shown"
	sql primary "$4" --csv | sort >"$TMP/wanted"
	cmp -s "$TMP/shown" "$TMP/wanted"
}
both() {
	what=$1
	shift
	if wait_for 20 compare "$@" && [ -s "$TMP/wanted" ]; then
		pass "$what"
	else
		fail "$what"
		diff "$TMP/shown" "$TMP/wanted" | head -n 20
		cat "$TMP/err"
	fi
}

# ------------------------------------------------------------------ statements

both "totals of statements" statements query_id,user,database,calls,rows,shared_hit,shared_read,wal_bytes,temp_bytes,query \
    user=shopper "SELECT queryid, 'shopper', 'postgres', calls, rows, shared_blks_hit, shared_blks_read, wal_bytes,
	temp_blks_written * 8192, query FROM pg_stat_statements WHERE userid = 'shopper'::regrole"
if [ "$PG_MAJOR" -ge 17 ]; then
	io="shared_blk_read_time + local_blk_read_time + shared_blk_write_time + local_blk_write_time"
else
	io="blk_read_time + blk_write_time"
fi
# floats: the catalog's digits may be printed differently
floats() {
	"$PGMEDIC" show statements "$watcher" --csv --columns query_id,total_ms,mean_ms,min_ms,max_ms,plan_ms,io_ms --filter user=shopper |
	    tr -d '\r' | tail -n +2 | sort >"$TMP/shown"
	sql primary "SELECT queryid, total_exec_time, mean_exec_time, min_exec_time, max_exec_time, total_plan_time, $io
		FROM pg_stat_statements WHERE userid = 'shopper'::regrole" --csv | sort >"$TMP/wanted"
	paste -d, "$TMP/shown" "$TMP/wanted" | awk -F, '
		{ if ($1 != $8) bad++; for (i = 2; i <= 7; i++) { d = $i - $(i + 7); if (d < -1e-6 || d > 1e-6) bad++ } n++ }
		END { exit bad || n < 2 }'
}
ok "times of statements" floats
"$PGMEDIC" show statements "$watcher" --json >"$TMP/statements.json"
like "JSON has the agreed columns" "$(cat "$TMP/statements.json")" '"query_id":.*"user":|"user":.*"query_id":'
for column in query_id user database calls calls_per_s total_ms time_pct mean_ms rows hit_pct temp_bytes wal_bytes io_ms query; do
	grep -q "\"$column\":" "$TMP/statements.json" || fail "statements has no $column"
done
is "a poll writes no temporary file" "$(sql primary "
	SELECT count(*) > 0 AND sum(temp_blks_written) = 0 FROM pg_stat_statements WHERE query LIKE '%AS local_written%'")" t
like "a role without rights is told what it cannot see" "$("$PGMEDIC" show statements "$plain" --json)" '"code":"denied".*GRANT pg_read_all_stats'
like "a database without the extension is told how to get it" "$("$PGMEDIC" show statements "$bare" --json)" \
    '"code":"unsupported".*CREATE EXTENSION pg_stat_statements'
sql primary "SELECT pg_stat_statements_reset()" >/dev/null
"$PG_BINDIR/psql" -X -q -d "$shopper" -f "$TMP/load.sql" >/dev/null
both "totals after a reset" statements query_id,calls,rows user=shopper \
    "SELECT queryid, calls, rows FROM pg_stat_statements WHERE userid = 'shopper'::regrole"

# ------------------------------------------------------------------ tables and indexes

both "counters of tables" tables \
    schema,table,seq_scan,seq_tup_read,idx_scan,idx_tup_fetch,ins,upd,del,hot_upd,live,dead,mod_since_analyze,vacuum_count,analyze_count "" \
    "SELECT schemaname, relname, seq_scan, seq_tup_read, idx_scan, idx_tup_fetch, n_tup_ins, n_tup_upd, n_tup_del,
	n_tup_hot_upd, n_live_tup, n_dead_tup, n_mod_since_analyze, vacuum_count, analyze_count FROM pg_stat_user_tables
     UNION ALL SELECT n.nspname, c.relname, 0, 0, NULL, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0 FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
     WHERE relkind = 'p' AND NOT EXISTS (SELECT FROM pg_stat_user_tables s WHERE s.relid = c.oid)"
both "blocks of tables" tables schema,table,heap_read,heap_hit,idx_read,idx_hit "kind=table" \
    "SELECT s.schemaname, s.relname, heap_blks_read, heap_blks_hit, COALESCE(idx_blks_read, 0), COALESCE(idx_blks_hit, 0)
     FROM pg_statio_user_tables s JOIN pg_class c ON c.oid = s.relid WHERE relkind = 'r'"
both "sizes of tables" tables table,size_bytes,table_bytes,index_bytes "kind=table" \
    "SELECT c.relname, (c.relpages + COALESCE(t.relpages, 0) + COALESCE(CASE WHEN t.relpages > 0 THEN (SELECT sum(i.relpages) FROM pg_index x
	JOIN pg_class i ON i.oid = x.indexrelid WHERE x.indrelid = t.oid) END, 0) + COALESCE(ix.pages, 0)) * 8192, c.relpages::int8 * 8192,
	COALESCE(ix.pages, 0) * 8192
     FROM pg_class c LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
     LEFT JOIN (SELECT x.indrelid, sum(i.relpages) AS pages FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid GROUP BY 1) ix
	ON ix.indrelid = c.oid
     WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"
is "a vacuumed table's size is its file's" \
    "$("$PGMEDIC" show tables "$watcher" --csv --columns table_bytes --filter table=orders | tr -d '\r' | tail -n 1)" \
    "$(sql primary "SELECT pg_relation_size('orders')")"
both "partitions know their parent" tables table,parent "table=event_1" "SELECT 'event_1', 'public.event'"
like "the pane names its database" "$("$PGMEDIC" show tables "$watcher" --json)" '"database":"postgres"'

both "counters of indexes" indexes schema,index,table,scans,tup_read,tup_fetch,size_bytes "" \
    "SELECT s.schemaname, indexrelname, s.relname, idx_scan, idx_tup_read, idx_tup_fetch, c.relpages::int8 * 8192
     FROM pg_stat_user_indexes s JOIN pg_class c ON c.oid = s.indexrelid"
sql primary "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'orders_total'::regclass" >/dev/null
both "an invalid index is marked" indexes index,state "state=invalid" "SELECT 'orders_total', 'invalid'"
like "and told what to do" "$("$PGMEDIC" show indexes "$watcher" --json)" 'orders_total.*REINDEX INDEX CONCURRENTLY'

# A lock that is waited for in front of the table must not stop the sizes.
mkfifo "$TMP/hold"
"$PG_BINDIR/psql" -X -q -A -t -d "$primary_uri" <"$TMP/hold" >"$TMP/held" 2>&1 &
holder=$!
exec 3>"$TMP/hold"
echo "BEGIN; LOCK TABLE orders; SELECT 'locked';" >&3
ok "somebody locks the table" wait_for 10 grep -q locked "$TMP/held"
like "tables answers although the table is locked" "$("$PGMEDIC" show tables "$watcher" --csv --columns table,size_bytes)" '^orders,[1-9]'
exec 3>&-
wait "$holder"

# ------------------------------------------------------------------ databases

both "counters of databases" databases database,tup_inserted,tup_updated,tup_deleted,temp_bytes,deadlocks,connection_limit "database=bare" \
    "SELECT s.datname, tup_inserted, tup_updated, tup_deleted, temp_bytes, deadlocks, datconnlimit FROM pg_stat_database s
     JOIN pg_database d ON d.oid = s.datid WHERE s.datname = 'bare'"
both "size of a database" databases database,size_bytes "database=bare" "SELECT 'bare', pg_database_size('bare')"
sql primary "REVOKE CONNECT ON DATABASE bare FROM PUBLIC" >/dev/null
like "a size that the role may not read is unknown" "$("$PGMEDIC" show databases "$plain" --csv --columns database,size_bytes | tr -d '\r')" '^bare,$'
like "and says why" "$("$PGMEDIC" show databases "$plain" --json)" '"code":"denied"[^}]*pg_read_all_stats'

# ------------------------------------------------------------------ settings

# What a connection sets for itself differs between psql and pgmedic.
both "settings" settings name,setting,unit,boot_val,vartype,context,pending_restart "source!=client !log_line_prefix" \
    "SELECT name, setting, unit, boot_val, vartype, context, CASE WHEN pending_restart THEN 'true' ELSE 'false' END FROM pg_settings
     WHERE name NOT IN ('application_name', 'client_encoding', 'log_line_prefix')" "$primary_uri"
compare_show() {
	"$PGMEDIC" show settings "$primary_uri" --csv --columns name,value --filter "source!=client" | plain_csv |
	    grep -v -E '^(tcp_keepalives_.*|log_line_prefix|datestyle|DateStyle|search_path|.*_read_only|statement_timeout|lock_timeout|idle_.*|jit|plan_cache_mode|max_parallel_.*|work_mem|client_min.*),' |
	    sort >"$TMP/shown"
	"$PG_BINDIR/psql" -X -A -q -t --csv -d "$primary_uri" -c "SELECT name, current_setting(name) FROM pg_settings" |
	    sort >"$TMP/wanted"
	[ -s "$TMP/shown" ] && ! comm -23 "$TMP/shown" "$TMP/wanted" | grep .
}
ok "values as SHOW gives them" compare_show
is "what was changed and waits for a restart is first" \
    "$("$PGMEDIC" show settings "$watcher" --csv --columns name,pending_restart | tr -d '\r' | sed -n 2p)" "max_connections,true"
like "a changed setting says file and line" "$("$PGMEDIC" show settings "$primary_uri" --csv --columns name,value,sourcefile --filter name=work_mem)" \
    '^work_mem,5MB,/.*postgresql.conf:[0-9]+'

# ------------------------------------------------------------------ there, but not loaded

start_pg other "shared_preload_libraries = ''"
like "an extension that is not loaded is told how to" "$("$PGMEDIC" show statements "$other_uri" --json)" \
    '"code":"unsupported".*shared_preload_libraries'
finish
