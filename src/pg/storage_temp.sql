-- Temporary files of running statements, in all tablespaces.
-- timeout: 3000
-- privilege: pg_monitor
-- columns: bytes int, files int
SELECT COALESCE(pg_catalog.sum(l.size), 0)::int8 AS bytes, pg_catalog.count(l.name)::int4 AS files
  FROM pg_catalog.pg_tablespace t
 CROSS JOIN LATERAL pg_catalog.pg_ls_tmpdir(t.oid) l
 WHERE t.spcname <> 'pg_global'
