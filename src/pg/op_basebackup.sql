-- How far a base backup is. $1: the application_name of who takes it.
-- timeout: 3000
-- privilege: pg_monitor
-- params: 1
-- columns: phase text, streamed int
SELECT p.phase, p.backup_streamed AS streamed
  FROM pg_catalog.pg_stat_progress_basebackup p
  JOIN pg_catalog.pg_stat_get_activity(NULL) a ON a.pid = p.pid
 WHERE a.application_name = $1::text
 LIMIT 1
