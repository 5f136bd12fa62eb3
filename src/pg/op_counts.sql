-- Rows of tables of up to 256 MB, and the LSN at which they were counted: to compare a restored copy with its source.
-- Unlogged tables are empty after a restore, and row security would hide rows: neither is counted.
-- timeout: 120000
-- params: 0
-- columns: name text, n int, lsn int
WITH at AS MATERIALIZED (SELECT pg_catalog.pg_current_wal_insert_lsn() AS lsn)
SELECT n.nspname::text || '.' || c.relname::text AS name,
       pg_catalog.substring(pg_catalog.query_to_xml(pg_catalog.format('SELECT pg_catalog.count(*) AS c FROM ONLY %I.%I',
         n.nspname, c.relname), true, false, '')::text, '<c>([0-9]+)</c>')::int8 AS n,
       at.lsn
  FROM at, pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'r' AND c.relpersistence = 'p' AND NOT c.relrowsecurity AND c.relpages < 32768
   AND n.nspname <> 'pg_catalog' AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_toast'
   AND pg_catalog.has_table_privilege(c.oid, 'SELECT')
 ORDER BY c.oid
 LIMIT 200
