-- Scans of this database's indexes on this server, for the advice given on its primary.
-- timeout: 5000
-- params: 0
-- columns: is_standby bool, database text, schema text, index text, scans int, stats_age_s float, started time
SELECT pg_catalog.pg_is_in_recovery() AS is_standby,
	pg_catalog.current_database() AS database, i.schemaname AS schema, i.indexrelname AS index,
	i.idx_scan AS scans,
	EXTRACT(epoch FROM pg_catalog.now() - coalesce(d.stats_reset, pg_catalog.pg_postmaster_start_time()))::float8
		AS stats_age_s,
	pg_catalog.pg_postmaster_start_time() AS started
FROM pg_catalog.pg_stat_user_indexes i
LEFT JOIN pg_catalog.pg_stat_database d ON d.datname = pg_catalog.current_database()
LIMIT 50000
