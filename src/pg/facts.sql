-- What does not change while a session lives: version, limits, our role's rights, who hosts the server.
-- timeout: 5000
-- columns: version_num int, version text, is_superuser bool, has_monitor bool, has_read_stats bool, has_signal bool, has_pgss bool, max_connections int, reserved_connections int, block_size int, wal_segment_size int, data_directory text, is_aurora bool, is_rds bool
SELECT pg_catalog.current_setting('server_version_num')::int4 AS version_num,
       pg_catalog.current_setting('server_version') AS version,
       pg_catalog.current_setting('is_superuser') = 'on' AS is_superuser,
       pg_catalog.pg_has_role('pg_monitor', 'USAGE') AS has_monitor,
       pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE') AS has_read_stats,
       pg_catalog.pg_has_role('pg_signal_backend', 'USAGE') AS has_signal,
       EXISTS (SELECT 1 FROM pg_catalog.pg_extension e WHERE e.extname = 'pg_stat_statements')
       AND pg_catalog.current_setting('pg_stat_statements.max', true) IS NOT NULL AS has_pgss,
       pg_catalog.current_setting('max_connections')::int4 AS max_connections,
       pg_catalog.current_setting('superuser_reserved_connections')::int4
       + COALESCE(pg_catalog.current_setting('reserved_connections', true)::int4, 0) AS reserved_connections,
       pg_catalog.current_setting('block_size')::int4 AS block_size,
       pg_catalog.pg_size_bytes(pg_catalog.current_setting('wal_segment_size')) AS wal_segment_size,
       CASE WHEN pg_catalog.pg_has_role('pg_read_all_settings', 'USAGE')
            THEN pg_catalog.current_setting('data_directory') END AS data_directory,
       pg_catalog.to_regproc('pg_catalog.aurora_version') IS NOT NULL AS is_aurora,
       pg_catalog.current_setting('rds.extensions', true) IS NOT NULL
       OR EXISTS (SELECT 1 FROM pg_catalog.pg_roles r WHERE r.rolname = 'rds_superuser') AS is_rds
