-- Indexes of this database, those of the system's own tables left out. Sizes are the pages of the last vacuum, analyze or
-- create index; nothing is locked. flags: 1 unique, 2 primary, 4 not valid, 8 not ready, 16 exclusion, 32 partial,
-- 64 on expressions, 128 replica identity, 256 being dropped (not live). Zeroes travel as NULL; a last scan of 1970 is
-- what this server does not keep.
-- timeout: 5000
-- columns: indexrelid int, relid int, schema text, table text, index text, method text, kind text, size_bytes int, reltuples float, flags int,
-- scans int, tup_read int, tup_fetch int, fetched int, hit int, last_scan time
SELECT i.indexrelid, i.indrelid AS relid, n.nspname AS schema, t.relname AS "table", c.relname AS index,
       CASE WHEN c.relam <> 403 THEN (SELECT a.amname FROM pg_catalog.pg_am a WHERE a.oid = c.relam) END AS method,
       NULLIF(c.relkind, 'i') AS kind,
       CASE WHEN c.relkind = 'i' THEN c.relpages * (SELECT pg_catalog.current_setting('block_size')::int8) END AS size_bytes, c.reltuples,
       i.indisunique::int4 + i.indisprimary::int4 * 2 + (NOT i.indisvalid)::int4 * 4 + (NOT i.indisready)::int4 * 8
         + i.indisexclusion::int4 * 16 + (i.indpred IS NOT NULL)::int4 * 32 + (i.indexprs IS NOT NULL)::int4 * 64
         + i.indisreplident::int4 * 128 + (NOT i.indislive)::int4 * 256 AS flags,
       NULLIF(pg_catalog.pg_stat_get_numscans(i.indexrelid), 0) AS scans,
       NULLIF(pg_catalog.pg_stat_get_tuples_returned(i.indexrelid), 0) AS tup_read,
       NULLIF(pg_catalog.pg_stat_get_tuples_fetched(i.indexrelid), 0) AS tup_fetch,
       NULLIF(pg_catalog.pg_stat_get_blocks_fetched(i.indexrelid), 0) AS fetched,
       NULLIF(pg_catalog.pg_stat_get_blocks_hit(i.indexrelid), 0) AS hit,
       /*if pg_stat_get_lastscan()*/pg_catalog.pg_stat_get_lastscan(i.indexrelid)/*else 'epoch'::timestamptz*/ AS last_scan
  FROM pg_catalog.pg_index i
  JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
  JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
 WHERE t.relkind IN ('r', 'm', 'p')
   AND n.nspname NOT IN ('pg_catalog', 'information_schema')
 LIMIT 100000
