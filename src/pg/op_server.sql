-- Who a server is, for operations: what must not change between plan and run.
-- timeout: 3000
-- privilege: pg_read_all_settings
-- params: 0
-- columns: system_identifier int, version_num int, version text, is_standby bool, timeline text, lsn int, started_at time, data_directory text, archive_mode text, checksums text
SELECT c.system_identifier,
       pg_catalog.current_setting('server_version_num')::int4 AS version_num,
       pg_catalog.current_setting('server_version') AS version,
       pg_catalog.pg_is_in_recovery() AS is_standby,
       CASE WHEN NOT pg_catalog.pg_is_in_recovery()
            THEN pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8) END AS timeline,
       CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
            ELSE pg_catalog.pg_current_wal_lsn() END AS lsn,
       pg_catalog.pg_postmaster_start_time() AS started_at,
       pg_catalog.current_setting('data_directory', true) AS data_directory,
       pg_catalog.current_setting('archive_mode') AS archive_mode,
       pg_catalog.current_setting('data_checksums') AS checksums
  FROM pg_catalog.pg_control_system() c
