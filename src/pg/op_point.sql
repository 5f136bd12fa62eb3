-- Creates a named restore point. Its name alone finds no backup, so that its LSN is kept, too.
-- $1: name
-- timeout: 5000
-- act: yes
-- params: 1
-- columns: lsn int, at time, timeline text
SELECT p.lsn, pg_catalog.clock_timestamp() AS at,
       pg_catalog.substr(pg_catalog.pg_walfile_name(p.lsn), 1, 8) AS timeline
  FROM pg_catalog.pg_create_restore_point($1) AS p (lsn)
