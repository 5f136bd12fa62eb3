-- How long this server has been a primary, where it was a standby before: a promotion writes the history of its timeline.
-- What was counted before are the scans of a standby, and says nothing of those of a primary. NULL: it was never promoted, or
-- its history files are gone.
-- timeout: 3000
-- privilege: pg_monitor
-- columns: age_s float
SELECT EXTRACT(epoch FROM pg_catalog.now() - pg_catalog.max(w.modification))::float8 AS age_s
  FROM pg_catalog.pg_ls_waldir() w WHERE w.name LIKE '%.history'
