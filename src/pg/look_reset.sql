-- What a reset of pg_stat_statements would throw away.
-- timeout: 3000
-- requires: pg_stat_statements()
-- too_old: pg_stat_statements is not installed in this database|CREATE EXTENSION pg_stat_statements
-- params: 0
-- columns: entries int, calls float, may bool
SELECT count(*) AS entries, sum(s.calls)::float8 AS calls,
	coalesce((SELECT pg_catalog.bool_or(pg_catalog.has_function_privilege(p.oid, 'EXECUTE'))
		FROM pg_catalog.pg_proc p WHERE p.proname = 'pg_stat_statements_reset'), false) AS may
FROM @pgss@.pg_stat_statements(false) s
