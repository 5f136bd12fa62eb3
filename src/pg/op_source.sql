-- What a restore asks of the server that it copies: names, sizes, and how its archive is.
-- timeout: 3000
-- params: 0
-- columns: superuser text, database text, segment_size int, lsn int, now time, archived_wal text, archived_at time, failed_wal text, failed_at time
SELECT (SELECT r.rolname FROM pg_catalog.pg_roles r WHERE r.oid = 10) AS superuser,
       pg_catalog.current_database() AS database,
       pg_catalog.pg_size_bytes(pg_catalog.current_setting('wal_segment_size')) AS segment_size,
       CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn()
            ELSE pg_catalog.pg_current_wal_insert_lsn() END AS lsn,
       pg_catalog.clock_timestamp() AS now,
       a.last_archived_wal AS archived_wal, a.last_archived_time AS archived_at,
       a.last_failed_wal AS failed_wal, a.last_failed_time AS failed_at
  FROM pg_catalog.pg_stat_archiver a
