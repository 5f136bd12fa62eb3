-- WAL archiving, one row. archive_mode and command tell whether silence is health or absence.
-- timeout: 1000
-- columns: now time, archive_mode text, has_command bool, archived_count int, last_archived_wal text, last_archived_time time, failed_count int, last_failed_wal text, last_failed_time time, stats_reset time, current_wal text
SELECT pg_catalog.now() AS now, pg_catalog.current_setting('archive_mode') AS archive_mode,
       pg_catalog.current_setting('archive_command', true) NOT IN ('', '(disabled)')
         OR COALESCE(pg_catalog.current_setting('archive_library', true), '') <> '' AS has_command,
       a.archived_count, a.last_archived_wal, a.last_archived_time,
       a.failed_count, a.last_failed_wal, a.last_failed_time, a.stats_reset,
       CASE WHEN NOT pg_catalog.pg_is_in_recovery()
            THEN pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()) END AS current_wal
  FROM pg_catalog.pg_stat_archiver a
