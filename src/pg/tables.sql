-- Tables, materialized views and partitioned tables of this database. Sizes are the pages that the last vacuum or analyze
-- counted: no file is looked at and no relation is locked, so that a queued ALTER TABLE does not stop it. The statistics
-- functions are called directly: the views join and group for each relation (10,000 tables: a third of the time).
-- Sums over indexes are taken in float8, which is exact up to 2^53 and three times as fast as numeric.
-- Zeroes travel as NULL. A last scan of 1970 is what this server does not keep. Sizes are NULL before the first vacuum or
-- analyze (reltuples -1, from 14 on) and for partitioned tables, which have no storage.
-- timeout: 5000
-- columns: relid int, schema text, table text, kind text, persistence text, parent int, reltuples float, size_bytes int, table_bytes int,
-- toast_bytes int, indexes int, seq_scan int, seq_tup_read int, idx_scan int, idx_tup_fetch int, ins int, upd int, del int,
-- hot_upd int, newpage_upd int, live int, dead int, mod_since_analyze int, ins_since_vacuum int, last_vacuum time,
-- last_autovacuum time, last_analyze time, last_autoanalyze time, vacuum_count int, autovacuum_count int,
-- analyze_count int, autoanalyze_count int, heap_fetched int, heap_hit int, idx_fetched int, idx_hit int,
-- last_seq_scan time
WITH ix AS (
	SELECT i.indrelid, count(*)::int4 AS n, sum(c.relpages)::int8 AS pages,
	       sum(pg_catalog.pg_stat_get_numscans(i.indexrelid)::float8)::int8 AS scans,
	       sum(pg_catalog.pg_stat_get_tuples_fetched(i.indexrelid)::float8)::int8 AS fetched,
	       sum(pg_catalog.pg_stat_get_blocks_fetched(i.indexrelid)::float8)::int8 AS blks,
	       sum(pg_catalog.pg_stat_get_blocks_hit(i.indexrelid)::float8)::int8 AS hit
	  FROM pg_catalog.pg_index i
	  JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
	 WHERE c.relnamespace <> 99
	 GROUP BY i.indrelid)
SELECT c.oid AS relid, n.nspname AS schema, c.relname AS "table", c.relkind AS kind, NULLIF(c.relpersistence, 'p') AS persistence,
       CASE WHEN c.relispartition THEN (SELECT h.inhparent FROM pg_catalog.pg_inherits h WHERE h.inhrelid = c.oid LIMIT 1) END AS parent,
       c.reltuples,
       CASE WHEN c.reltuples >= 0 AND c.relkind <> 'p'
            THEN (c.relpages + COALESCE(t.pages, 0) + COALESCE(x.pages, 0)) * (SELECT pg_catalog.current_setting('block_size')::int8) END AS size_bytes,
       CASE WHEN c.reltuples >= 0 AND c.relkind <> 'p'
            THEN c.relpages * (SELECT pg_catalog.current_setting('block_size')::int8) END AS table_bytes,
       t.pages * (SELECT pg_catalog.current_setting('block_size')::int8) AS toast_bytes, x.n AS indexes,
       NULLIF(pg_catalog.pg_stat_get_numscans(c.oid), 0) AS seq_scan,
       NULLIF(pg_catalog.pg_stat_get_tuples_returned(c.oid), 0) AS seq_tup_read,
       NULLIF(x.scans, 0) AS idx_scan,
       NULLIF(COALESCE(x.fetched, 0) + pg_catalog.pg_stat_get_tuples_fetched(c.oid), 0) AS idx_tup_fetch,
       NULLIF(pg_catalog.pg_stat_get_tuples_inserted(c.oid), 0) AS ins,
       NULLIF(pg_catalog.pg_stat_get_tuples_updated(c.oid), 0) AS upd,
       NULLIF(pg_catalog.pg_stat_get_tuples_deleted(c.oid), 0) AS del,
       NULLIF(pg_catalog.pg_stat_get_tuples_hot_updated(c.oid), 0) AS hot_upd,
       /*if pg_stat_get_tuples_newpage_updated()*/NULLIF(pg_catalog.pg_stat_get_tuples_newpage_updated(c.oid), 0)/*else -1*/ AS newpage_upd,
       NULLIF(pg_catalog.pg_stat_get_live_tuples(c.oid), 0) AS live,
       NULLIF(pg_catalog.pg_stat_get_dead_tuples(c.oid), 0) AS dead,
       NULLIF(pg_catalog.pg_stat_get_mod_since_analyze(c.oid), 0) AS mod_since_analyze,
       /*if pg_stat_get_ins_since_vacuum()*/NULLIF(pg_catalog.pg_stat_get_ins_since_vacuum(c.oid), 0)/*else -1*/ AS ins_since_vacuum,
       pg_catalog.pg_stat_get_last_vacuum_time(c.oid) AS last_vacuum,
       pg_catalog.pg_stat_get_last_autovacuum_time(c.oid) AS last_autovacuum,
       pg_catalog.pg_stat_get_last_analyze_time(c.oid) AS last_analyze,
       pg_catalog.pg_stat_get_last_autoanalyze_time(c.oid) AS last_autoanalyze,
       NULLIF(pg_catalog.pg_stat_get_vacuum_count(c.oid), 0) AS vacuum_count,
       NULLIF(pg_catalog.pg_stat_get_autovacuum_count(c.oid), 0) AS autovacuum_count,
       NULLIF(pg_catalog.pg_stat_get_analyze_count(c.oid), 0) AS analyze_count,
       NULLIF(pg_catalog.pg_stat_get_autoanalyze_count(c.oid), 0) AS autoanalyze_count,
       NULLIF(pg_catalog.pg_stat_get_blocks_fetched(c.oid), 0) AS heap_fetched,
       NULLIF(pg_catalog.pg_stat_get_blocks_hit(c.oid), 0) AS heap_hit,
       NULLIF(x.blks, 0) AS idx_fetched, NULLIF(x.hit, 0) AS idx_hit,
       /*if pg_stat_get_lastscan()*/pg_catalog.pg_stat_get_lastscan(c.oid)/*else 'epoch'::timestamptz*/ AS last_seq_scan
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN ix x ON x.indrelid = c.oid
  LEFT JOIN (SELECT tc.oid, tc.relpages::int8 + (
                    SELECT COALESCE(sum(ti.relpages), 0)::int8 FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class ti ON ti.oid = i.indexrelid
                     WHERE i.indrelid = tc.oid) AS pages
               FROM pg_catalog.pg_class tc
              WHERE tc.relkind = 't' AND tc.relpages > 0) t ON t.oid = c.reltoastrelid
 WHERE c.relkind IN ('r', 'm', 'p')
   AND n.nspname NOT IN ('pg_catalog', 'information_schema')
 LIMIT 50000
