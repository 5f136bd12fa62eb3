-- What the production checklist of doctor asks a server; what every role may see.
-- timeout: 5000
-- params: 0
-- columns: is_standby bool, standbys int, sync_standbys int, data_checksums text, archive_mode text, archiver_fails bool,
-- archived_age_s float, ssl text, force_ssl text, listen_addresses text, connections int, max_connections int,
-- track_io_timing text, has_statements bool, may_read_hba bool
SELECT pg_catalog.pg_is_in_recovery() AS is_standby,
	(SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_get_wal_senders() w) AS standbys,
	(SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_get_wal_senders() w
		WHERE w.sync_state IN ('sync', 'quorum')) AS sync_standbys,
	pg_catalog.current_setting('data_checksums') AS data_checksums,
	pg_catalog.current_setting('archive_mode') AS archive_mode,
	coalesce((SELECT a.last_failed_time > coalesce(a.last_archived_time, '-infinity')
		FROM pg_catalog.pg_stat_archiver a), false) AS archiver_fails,
	(SELECT extract(epoch FROM pg_catalog.clock_timestamp() - a.last_archived_time)::float8
		FROM pg_catalog.pg_stat_archiver a) AS archived_age_s,
	pg_catalog.current_setting('ssl') AS ssl,
	pg_catalog.current_setting('rds.force_ssl', true) AS force_ssl,
	pg_catalog.current_setting('listen_addresses') AS listen_addresses,
	(SELECT pg_catalog.sum(d.numbackends)::int8 FROM pg_catalog.pg_stat_database d) AS connections,
	pg_catalog.current_setting('max_connections')::int8 AS max_connections,
	pg_catalog.current_setting('track_io_timing') AS track_io_timing,
	EXISTS (SELECT 1 FROM pg_catalog.pg_extension e WHERE e.extname = 'pg_stat_statements') AS has_statements,
	pg_catalog.has_table_privilege('pg_catalog.pg_hba_file_rules', 'SELECT')
		AND pg_catalog.has_function_privilege('pg_catalog.pg_hba_file_rules()', 'EXECUTE') AS may_read_hba
