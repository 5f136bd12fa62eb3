-- The table or index that a maintenance command means, and the statement that will be run, quoted by the server.
-- $1: verb (vacuum, analyze, reindex), $2: schema or NULL, $3: name, both folded as SQL does, $4: the word as typed,
-- $5: options as an array of words, $6: kind for reindex (table, index or NULL).
-- Several rows: the name is ambiguous.
-- timeout: 3000
-- params: 6
-- columns: oid int, name text, kind text, bytes float, tuples float, dead float, last_vacuum time,
-- last_analyze time, is_valid bool, is_owner bool, busy_pid int, lockers int, statement text
SELECT c.oid, q.name, c.relkind::text AS kind,
	c.relpages::float8 * pg_catalog.current_setting('block_size')::int4 AS bytes,
	c.reltuples::float8 AS tuples, s.n_dead_tup::float8 AS dead,
	greatest(s.last_vacuum, s.last_autovacuum) AS last_vacuum,
	greatest(s.last_analyze, s.last_autoanalyze) AS last_analyze,
	coalesce(i.indisvalid, true) AS is_valid,
	pg_catalog.pg_has_role(c.relowner, 'USAGE') AS is_owner,
	(SELECT p.pid FROM pg_catalog.pg_stat_progress_vacuum p WHERE p.relid = c.oid LIMIT 1) AS busy_pid,
	(SELECT count(DISTINCT l.pid)::int4 FROM pg_catalog.pg_locks l
		WHERE l.locktype = 'relation' AND l.relation = c.oid AND l.pid <> pg_catalog.pg_backend_pid()) AS lockers,
	CASE $1::text
	WHEN 'vacuum' THEN pg_catalog.format('VACUUM (%s) %s', pg_catalog.concat_ws(', ',
		CASE WHEN 'full' = ANY (o.words) THEN 'FULL' END,
		CASE WHEN 'freeze' = ANY (o.words) THEN 'FREEZE' END,
		CASE WHEN 'analyze' = ANY (o.words) THEN 'ANALYZE' END,
		CASE WHEN 'skip_locked' = ANY (o.words) THEN 'SKIP_LOCKED' END,
		CASE WHEN 'no_index_cleanup' = ANY (o.words) THEN 'INDEX_CLEANUP off' END,
		CASE WHEN 'no_truncate' = ANY (o.words) THEN 'TRUNCATE off' END,
		'VERBOSE'), q.name)
	WHEN 'analyze' THEN pg_catalog.format('ANALYZE (VERBOSE) %s', q.name)
	WHEN 'reindex' THEN pg_catalog.format('REINDEX (VERBOSE) %s CONCURRENTLY %s',
		CASE WHEN c.relkind IN ('i', 'I') THEN 'INDEX' ELSE 'TABLE' END, q.name)
	END AS statement
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS name) q
CROSS JOIN (SELECT $5::text[] AS words) o
LEFT JOIN pg_catalog.pg_stat_all_tables s ON s.relid = c.oid
LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
WHERE ((c.relname = $3::text AND ($2::text IS NULL OR n.nspname = $2::text))
		OR c.relname = $4::text OR n.nspname || '.' || c.relname = $4::text)
	AND (($1::text = 'reindex' AND ((c.relkind IN ('i', 'I') AND coalesce($6::text, 'index') = 'index')
			OR (c.relkind IN ('r', 'm', 'p', 't') AND coalesce($6::text, 'table') = 'table')))
		OR ($1::text <> 'reindex' AND c.relkind IN ('r', 'm', 'p', 't')))
	AND (n.nspname NOT LIKE 'pg\_temp\_%')
ORDER BY n.nspname = 'pg_catalog', n.nspname, c.relname
LIMIT 12
