-- Numbers of distinct combinations of columns, where CREATE STATISTICS (ndistinct) has been asked to count them.
-- ndistinct: {"attnum, attnum": number, …}.
-- timeout: 5000
-- columns: relid int, ndistinct text
SELECT c.oid AS relid, s.n_distinct::text AS ndistinct
  FROM pg_catalog.pg_stats_ext s
  JOIN pg_catalog.pg_namespace n ON n.nspname = s.schemaname
  JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = s.tablename
 WHERE s.n_distinct IS NOT NULL
 LIMIT 5000
