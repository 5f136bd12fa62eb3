-- The text that a session runs or ran last, whose and where: for explain. $1: pid.
-- timeout: 2000
-- privilege: pg_read_all_stats
-- params: 1
-- columns: pid int, username text, database text, is_hidden bool, is_cut bool, query text
SELECT a.pid, r.rolname::text AS username, d.datname::text AS database,
	a.backend_start IS NULL AS is_hidden,
	pg_catalog.octet_length(a.query) >= pg_catalog.pg_size_bytes(pg_catalog.current_setting('track_activity_query_size')) - 4 AS is_cut,
	a.query
FROM pg_catalog.pg_stat_get_activity($1::int4) a
LEFT JOIN pg_catalog.pg_roles r ON r.oid = a.usesysid
LEFT JOIN pg_catalog.pg_database d ON d.oid = a.datid
