-- What pgmedic can and cannot see and do here: the role's memberships, the extension, and the settings that matter.
-- timeout: 5000
-- params: 0
-- columns: version_num int, version text, role text, database text, is_superuser bool, has_read_stats bool,
-- has_read_settings bool, has_signal bool, has_checkpoint bool, is_standby bool, preload text,
-- pgss_version text, pgss_available bool, pgss_usable bool, track_io_timing text, track_activities text,
-- track_counts text, compute_query_id text, query_size text, track_planning text, hypopg_version text, hypopg_available bool
SELECT pg_catalog.current_setting('server_version_num')::int4 AS version_num,
	pg_catalog.current_setting('server_version') AS version,
	CURRENT_USER::text AS role, pg_catalog.current_database()::text AS database,
	pg_catalog.current_setting('is_superuser') = 'on' AS is_superuser,
	pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE') AS has_read_stats,
	pg_catalog.pg_has_role('pg_read_all_settings', 'USAGE') AS has_read_settings,
	pg_catalog.pg_has_role('pg_signal_backend', 'USAGE') AS has_signal,
	pg_catalog.current_setting('is_superuser') = 'on'
		OR coalesce((SELECT pg_catalog.pg_has_role(r.oid, 'USAGE') FROM pg_catalog.pg_roles r
			WHERE r.rolname = 'pg_checkpoint'), false) AS has_checkpoint,
	pg_catalog.pg_is_in_recovery() AS is_standby,
	CASE WHEN pg_catalog.pg_has_role('pg_read_all_settings', 'USAGE')
		THEN pg_catalog.current_setting('shared_preload_libraries') END AS preload,
	(SELECT e.extversion FROM pg_catalog.pg_extension e WHERE e.extname = 'pg_stat_statements') AS pgss_version,
	EXISTS (SELECT 1 FROM pg_catalog.pg_available_extensions a WHERE a.name = 'pg_stat_statements') AS pgss_available,
	pg_catalog.current_setting('pg_stat_statements.max', true) IS NOT NULL AS pgss_usable,
	pg_catalog.current_setting('track_io_timing') AS track_io_timing,
	pg_catalog.current_setting('track_activities') AS track_activities,
	pg_catalog.current_setting('track_counts') AS track_counts,
	pg_catalog.current_setting('compute_query_id', true) AS compute_query_id,
	pg_catalog.current_setting('track_activity_query_size') AS query_size,
	pg_catalog.current_setting('pg_stat_statements.track_planning', true) AS track_planning,
	(SELECT e.extversion FROM pg_catalog.pg_extension e WHERE e.extname = 'hypopg') AS hypopg_version,
	EXISTS (SELECT 1 FROM pg_catalog.pg_available_extensions a WHERE a.name = 'hypopg') AS hypopg_available
