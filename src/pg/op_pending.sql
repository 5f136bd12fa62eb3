-- Parameters that wait for a restart.
-- timeout: 2000
-- columns: names text
SELECT pg_catalog.string_agg(s.name, ', ' ORDER BY s.name) AS names
  FROM pg_catalog.pg_settings s
 WHERE s.pending_restart
