-- The table that a CREATE INDEX means, what the index would cost, whom it would wait for, and the statement, put together
-- and quoted by the server. CREATE INDEX CONCURRENTLY waits for every transaction of this database that began before it.
-- $1: schema or NULL, $2: table, folded as SQL does, $3: name of the index or NULL, $4: method or NULL, $5: is it unique,
-- $6: columns ('' where an expression stands), $7: expressions ('' for columns), $8: operator classes and order,
-- $9: included columns, $10: storage parameters or NULL, $11: condition or NULL.
-- Several rows: the name is ambiguous.
-- timeout: 5000
-- params: 11
-- columns: oid int, schema text, name text, kind text, bytes float, tuples float, width float, index_name text,
-- index text, statement text, tail text, missing text, is_taken bool, is_owner bool, may_create bool, same text, lockers int,
-- building_pid int, old_xacts int, oldest_s float, oldest text, parts int, is_standby bool, data_directory text, is_local bool
SELECT c.oid, c.nspname AS schema, q.name, c.relkind::text AS kind,
	c.relpages::float8 * pg_catalog.current_setting('block_size')::int4 AS bytes, c.reltuples::float8 AS tuples,
	(SELECT sum(s.avg_width * (1 - s.null_frac))::float8 FROM pg_catalog.pg_stats s
		WHERE s.schemaname = c.nspname AND s.tablename = c.relname AND NOT s.inherited
			AND s.attname = ANY (g.columns || g.includes)) AS width,
	x.index_name, pg_catalog.format('%I.%I', c.nspname, x.index_name) AS index,
	pg_catalog.format('CREATE %sINDEX CONCURRENTLY %I ON %s USING %s', CASE WHEN $5::bool THEN 'UNIQUE ' END,
		x.index_name, q.name, u.tail) AS statement, u.tail,
	(SELECT m.col FROM unnest(g.columns || g.includes) m (col)
		WHERE m.col <> '' AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute a
			WHERE a.attrelid = c.oid AND a.attname = m.col AND a.attnum > 0 AND NOT a.attisdropped)
		LIMIT 1) AS missing,
	EXISTS (SELECT FROM pg_catalog.pg_class o
		WHERE o.relname = x.index_name AND o.relnamespace = c.relnamespace) AS is_taken,
	pg_catalog.pg_has_role(c.relowner, 'USAGE') AS is_owner,
	pg_catalog.has_schema_privilege(c.relnamespace, 'CREATE') AS may_create,
	(SELECT pg_catalog.format('%I.%I', c.nspname, e.relname)
		FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class e ON e.oid = i.indexrelid
			JOIN pg_catalog.pg_am am ON am.oid = e.relam
		WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AND $11::text IS NULL
			AND '' <> ALL (g.columns) AND am.amname = coalesce($4::text, 'btree')
			AND (SELECT array_agg(a.attname::text ORDER BY u.n)
				FROM unnest(i.indkey::int2[]) WITH ORDINALITY u (attnum, n)
					JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = u.attnum
				WHERE u.n <= i.indnkeyatts) = g.columns
		ORDER BY e.relname LIMIT 1) AS same,
	(SELECT count(DISTINCT l.pid)::int4 FROM pg_catalog.pg_locks l
		WHERE l.locktype = 'relation' AND l.relation = c.oid AND l.pid <> pg_catalog.pg_backend_pid()) AS lockers,
	(SELECT p.pid FROM pg_catalog.pg_stat_progress_create_index p WHERE p.relid = c.oid LIMIT 1) AS building_pid,
	w.old_xacts, w.oldest_s, w.oldest,
	(SELECT count(*)::int4 FROM pg_catalog.pg_partition_tree(c.oid) t WHERE t.isleaf AND c.relkind = 'p') AS parts,
	pg_catalog.pg_is_in_recovery() AS is_standby,
	(SELECT s.setting FROM pg_catalog.pg_settings s WHERE s.name = 'data_directory') AS data_directory,
	coalesce(pg_catalog.inet_server_addr() = pg_catalog.inet_client_addr(), true) AS is_local
FROM (SELECT k.*, n.nspname FROM pg_catalog.pg_class k JOIN pg_catalog.pg_namespace n ON n.oid = k.relnamespace
	WHERE k.relname = $2::text AND ($1::text IS NULL OR n.nspname = $1::text) AND k.relkind IN ('r', 'm', 'p')
		AND k.relpersistence <> 't' LIMIT 12) c
CROSS JOIN LATERAL (SELECT pg_catalog.format('%I.%I', c.nspname, c.relname) AS name) q
CROSS JOIN (SELECT $6::text[] AS columns, $9::text[] AS includes) g
CROSS JOIN LATERAL (SELECT coalesce($3::name::text, (SELECT b.base || CASE WHEN t.n = 0 THEN '' ELSE t.n::text END
	FROM (SELECT left(c.relname, 28) || '_' || left(coalesce(nullif(pg_catalog.regexp_replace(
			array_to_string(array_remove(g.columns, ''), '_'), '\W', '_', 'g'), ''), 'expr'), 27) AS stem) s
		CROSS JOIN LATERAL (SELECT left(s.stem, max(k.len)) || '_idx' AS base
			FROM pg_catalog.generate_series(1, 57) k (len) WHERE octet_length(left(s.stem, k.len)) <= 57) b
		CROSS JOIN pg_catalog.generate_series(0, 99) t (n)
	WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_class o WHERE o.relnamespace = c.relnamespace
		AND o.relname = b.base || CASE WHEN t.n = 0 THEN '' ELSE t.n::text END)
	ORDER BY t.n LIMIT 1)) AS index_name) x
CROSS JOIN LATERAL (SELECT pg_catalog.format('%I (%s)%s%s%s', coalesce($4::text, 'btree'),
		(SELECT string_agg(CASE WHEN k.col = '' THEN k.expr ELSE pg_catalog.quote_ident(k.col) END
				|| CASE WHEN k.suffix = '' THEN '' ELSE ' ' || k.suffix END, ', ' ORDER BY k.n)
			FROM ROWS FROM (unnest(g.columns), unnest($7::text[]), unnest($8::text[]))
				WITH ORDINALITY k (col, expr, suffix, n)),
		' INCLUDE (' || (SELECT string_agg(pg_catalog.quote_ident(i.col), ', ' ORDER BY i.n)
			FROM unnest(g.includes) WITH ORDINALITY i (col, n)) || ')',
		' WITH (' || $10::text || ')', ' WHERE ' || $11::text) AS tail) u
CROSS JOIN (SELECT count(*)::int4 AS old_xacts,
		EXTRACT(epoch FROM max(pg_catalog.clock_timestamp() - a.xact_start))::float8 AS oldest_s,
		(array_agg(pg_catalog.format('pid %s (%s, %s, %s s)', a.pid, a.usename,
			coalesce(nullif(a.application_name, ''), 'no name'), coalesce(a.state, '?') || ' for '
			|| EXTRACT(epoch FROM pg_catalog.clock_timestamp() - a.xact_start)::int8) ORDER BY a.xact_start))[1] AS oldest
	FROM pg_catalog.pg_stat_activity a
	WHERE a.datname = pg_catalog.current_database() AND a.pid <> pg_catalog.pg_backend_pid()
		AND a.xact_start < pg_catalog.now() - interval '1 second' AND a.backend_type = 'client backend') w
ORDER BY c.nspname
