-- An index by its exact name: is it there, may queries use it, and the statement that would take it away. builder: the
-- session that makes or drops it now.
-- $1: schema, $2: name.
-- timeout: 3000
-- params: 2
-- columns: oid int, relid int, is_valid bool, bytes float, name text, statement text, builder int
SELECT i.indexrelid AS oid, i.indrelid AS relid, i.indisvalid AND i.indisready AS is_valid,
	c.relpages::float8 * pg_catalog.current_setting('block_size')::int4 AS bytes,
	pg_catalog.format('%I.%I', n.nspname, c.relname) AS name,
	pg_catalog.format('DROP INDEX %s %I.%I', CASE WHEN c.relkind = 'i' THEN 'CONCURRENTLY' END, n.nspname, c.relname) AS statement,
	(SELECT p.pid FROM pg_catalog.pg_stat_progress_create_index p
		WHERE p.index_relid = i.indexrelid AND p.datname = pg_catalog.current_database() LIMIT 1) AS builder
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
WHERE n.nspname = $1::text AND c.relname = $2::text
